//go:build !linux

package pgwire

import (
	"syscall"
	"time"
)

// hungUp cannot tell here: a client that left is noticed at the next write.
func hungUp(syscall.RawConn) bool { return false }

// setUserTimeout has nothing to set here.
func setUserTimeout(syscall.RawConn, time.Duration) {}
