// Package invariant is how code says "this cannot happen". A broken invariant
// is our bug, never the user's mistake and never damage on disk: it panics with
// a *Violation, which the session's edge turns into SQLSTATE XX000 with the
// stack in the log.
//
// Check is for conditions that cost next to nothing and is always on. Expensive
// ones stand behind `if invariant.Enabled`, which the build tag "invariants"
// and the race detector's builds turn on.
package invariant

import "fmt"

// Violation is a broken invariant.
type Violation struct{ Message string }

func (v *Violation) Error() string { return "invariant violated: " + v.Message }

// Check panics with a *Violation unless cond holds. The arguments are only
// formatted when it does not.
func Check(cond bool, format string, args ...any) {
	if !cond {
		panic(&Violation{Message: fmt.Sprintf(format, args...)})
	}
}

// Fail panics with a *Violation: for places that must be unreachable.
func Fail(format string, args ...any) {
	panic(&Violation{Message: fmt.Sprintf(format, args...)})
}
