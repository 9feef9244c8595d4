package functions

import (
	"context"

	"github.com/omendb/omendb/engine/column"
)

// longText is a text in which a search may take so long that a statement that is
// told to stop must not wait for its end: neither engine can be interrupted.
const longText = 32 << 10

// makeLeavable lets every function of regular expressions be left behind while it searches a long text.
func makeLeavable() {
	for name, eval := range regexpEvals {
		regexpEvals[name] = func(c *Ctx, a []column.Datum) (column.Datum, error) { return leavable(c, a, eval) }
	}
	for name, set := range regexpSets {
		regexpSets[name] = func(c *Ctx, a []column.Datum) (SetIter, error) { return leavable(c, a, set) }
	}
}

// leavable calls a function. When its text is long it runs beside the statement,
// on a copy of its arguments: it is left to itself when the statement has to stop.
func leavable[T any](c *Ctx, a []column.Datum, f func(*Ctx, []column.Datum) (T, error)) (T, error) {
	if c == nil || len(a[0].B) < longText || c.ctx().Done() == nil {
		return f(c, a)
	}
	own, args := *c, make([]column.Datum, len(a))
	own.Memo = nil // it may still be in use when the call site is asked again
	for i := range a {
		args[i] = a[i].Clone()
	}
	return beside(c.Context, func() (T, error) { return f(&own, args) })
}

// beside runs f in a goroutine and returns what it does, or at once when ctx ends.
func beside[T any](ctx context.Context, f func() (T, error)) (out T, err error) {
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
