//go:build !unix

package wal

import "syscall"

var errQuota error = syscall.ENOSPC
