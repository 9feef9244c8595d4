//go:build !linux

package main

import "errors"

var errLinuxOnly = errors.New("the benchmarks through the wire run on Linux only")

// runWire needs epoll and /proc, as do runCommit and runLarge.
func runWire([]string) error { return errLinuxOnly }

func runCommit([]string) error { return errLinuxOnly }

func runLarge([]string) error { return errLinuxOnly }
