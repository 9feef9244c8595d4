// Package killtest runs package internal/torture, which is behind `omendb torture` too, against the server built from this source:
// SIGKILL under load, everything compared with a ledger outside. It has no code of its own: run it by
// `go test ./internal/killtest`, longer with -kill.cycles.
package killtest
