//go:build !linux

package main

import "errors"

// runWire needs epoll and /proc.
func runWire([]string) error { return errors.New("the benchmark through the wire runs on Linux only") }
