// Package tidy holds the house style as a test: which package may import which, how long a file may grow, that exported
// names are explained, that the engine takes its clock, its chance and its files from outside, that the documentation
// names things that exist. It has no code of its own: run it by `go test ./internal/tidy`.
package tidy
