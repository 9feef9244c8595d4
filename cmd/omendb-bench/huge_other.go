//go:build !linux

package main

// hugeSlice returns a slice of n values.
func hugeSlice[T any](n int) (s []T, release func()) { return make([]T, n), func() {} }
