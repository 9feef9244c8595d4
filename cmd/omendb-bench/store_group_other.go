//go:build !linux

package main

import "errors"

var errNoGroups = errors.New("cgroups are Linux's")

func storeGroups(*storeOptions, report) error { return errNoGroups }

func storePart(*storeOptions) error { return errNoGroups }
