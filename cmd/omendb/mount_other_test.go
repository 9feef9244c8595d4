//go:build !linux

package main

import "errors"

func mountSmall(string, int) error { return errors.New("only Linux is known to do so") }

func unmountSmall(string) error { return nil }
