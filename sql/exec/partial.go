package exec

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/plan"
)

// A batch is computed as a whole, but a client is to see what one row at a time
// would have shown: the rows before the one that fails, then the error; and no
// error at all when a LIMIT is reached before that row. So when a batch fails,
// its rows are computed again one by one up to the failing row; the error is
// raised by the next call of next. Volatile expressions are not repeated.

// late is an error that waits until the rows before it were used.
type late struct{ err error }

// raised returns the waiting error, once.
func (l *late) raised() error {
	err := l.err
	l.err = nil
	return err
}

// rowsBefore calls try for the rows of b one after the other until one fails
// and returns those that did not.
func (l *late) rowsBefore(b *column.Batch, try func(row []int32) error) []int32 {
	var done []int32
	one := make([]int32, 1)
	for i := range b.Len() {
		one[0] = int32(i)
		if b.Sel != nil {
			one[0] = b.Sel[i]
		}
		if l.err = try(one); l.err != nil {
			break
		}
		done = append(done, one[0])
	}
	return done
}

// volatilePredicate marks a condition that must not be tested twice.
type volatilePredicate struct{ predicate }

// isVolatile reports whether computing an expression again may differ or do
// something again.
func isVolatile(e plan.Expr) bool {
	found := false
	plan.Walk(e, func(x plan.Expr) bool {
		switch f := x.(type) {
		case *plan.Call:
			found = found || f.Func.Volatile == 'v'
		case *plan.NextValue, *plan.SubPlan:
			found = true
		}
		return !found
	})
	return found
}
