package functions

import "github.com/omendb/omendb/engine/column"

// laneRows lists the rows of one argument that are not NULL, beside their
// groups, so that the loops of aggregates over lanes need no further test.
type laneRows struct {
	rows   []int32
	groups []int32
}

// everyRow lists the row numbers of a full batch; it is never written.
var everyRow = func() (s [column.BatchSize]int32) {
	for i := range s {
		s[i] = int32(i)
	}
	return s
}()

// of returns the rows to read from arg and the group of each; groups are nil
// where all belong to group 0.
func (l *laneRows) of(groups []int32, arg *column.Vec, sel []int32, n int) (rows, ids []int32) {
	if sel == nil {
		if sel = everyRow[:min(n, len(everyRow))]; len(sel) < n {
			sel = make([]int32, n)
			for i := range sel {
				sel[i] = int32(i)
			}
		}
	}
	if groups != nil {
		groups = groups[:len(sel)]
	}
	if arg.Len() == 1 && n != 1 {
		if arg.Null(0) {
			return nil, nil
		}
		l.rows = append(l.rows[:0], make([]int32, len(sel))...)
		return l.rows, groups
	}
	if !arg.Nulls.Any() {
		return sel, groups
	}
	l.rows, l.groups = l.rows[:0], l.groups[:0]
	for i, r := range sel {
		if arg.Nulls.Get(int(r)) {
			continue
		}
		l.rows = append(l.rows, r)
		if groups != nil {
			l.groups = append(l.groups, groups[i])
		}
	}
	if groups == nil {
		return l.rows, nil
	}
	return l.rows, l.groups
}
