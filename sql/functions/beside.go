package functions

import "context"

// Beside runs f in a goroutine and returns what it does, or at once when ctx ends.
func Beside[T any](ctx context.Context, f func() (T, error)) (out T, err error) {
	type answer struct {
		out T
		err error
		bug any
	}
	done := make(chan answer, 1)
	go func() {
		var r answer
		defer func() {
			r.bug = recover() // of ours: it goes on where the statement can be blamed
			done <- r
		}()
		r.out, r.err = f()
	}()
	select {
	case r := <-done:
		if r.bug != nil {
			panic(r.bug)
		}
		return r.out, r.err
	case <-ctx.Done():
		return out, context.Cause(ctx)
	}
}

// liveContext is a context that stands for whichever is in force.
type liveContext interface {
	context.Context
	Now() context.Context
}
