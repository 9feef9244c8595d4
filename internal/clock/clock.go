// Package clock is the only source of time for the engine, the log and SQL,
// so that a simulation decides what time it is.
package clock

import "time"

// Clock tells the time.
type Clock interface {
	// Now returns the wall time.
	Now() time.Time
	// Since returns the monotonic time since t, which came from Now.
	Since(t time.Time) time.Duration
}
