// Package task runs background work. The engine and the log hold no go
// statement: they hand functions to an Executor that came from the top. The
// server's executor uses goroutines; a simulation's runs one function at a
// time in an order drawn from a seed, so that one seed replays a failure.
package task

import (
	"context"
	"time"
)

// Executor runs functions in the background.
type Executor interface {
	// Submit runs fn soon. fn may do I/O and may call Await; it must not block
	// on anything else.
	Submit(name string, fn func())
	// After runs fn once d has passed, unless cancel is called first.
	After(d time.Duration, name string, fn func()) (cancel func())
	// Await blocks until done is closed or ctx ends. A simulation runs other
	// tasks meanwhile, so every wait for a task's result goes through it.
	Await(ctx context.Context, done <-chan struct{}) error
	// Close stops accepting work and waits until running functions have ended.
	Close()
}
