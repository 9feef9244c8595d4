package syscat

import (
	"slices"

	"github.com/omendb/omendb/sql/exec"
)

// joinedBy are columns that clients join system tables by: their indexes are made ahead.
var joinedBy = []string{"oid", "attrelid", "adrelid", "indrelid", "indexrelid", "conrelid", "confrelid", "conindid", "objid", "refobjid", "objoid",
	"relnamespace", "typnamespace", "typrelid", "pronamespace", "relname", "nspname", "ev_class", "seqrelid", "inhrelid", "inhparent", "enumtypid", "starelid"}

// Prepare makes the columns of all system tables that have changed since they were last
// asked for, so that the next question finds them. It stops early once stop says so.
func Prepare(rt *exec.Runtime, stop func() bool) {
	for _, r := range builtin().list {
		t, ok := r.Virtual.(*systemTable)
		if !ok || t.live {
			continue
		}
		attrs := make([]int, len(r.Columns))
		var by []int
		for i := range r.Columns {
			attrs[i] = i
			if slices.Contains(joinedBy, r.Columns[i].Name) {
				by = append(by, i)
			}
		}
		if f := t.facts(); f != nil {
			f.columns.mu.Lock()
			t.fillFacts(rt, f.columns, f, attrs)
			f.columns.mu.Unlock()
			for _, a := range by {
				f.by(a)
			}
		}
		if t.rows == nil {
			continue
		}
		for _, c := range t.derived(rt).chunks {
			if stop() {
				return
			}
			c.mu.Lock()
			t.fill(rt, c, attrs)
			for _, a := range by {
				c.by(a, t.kinds())
			}
			c.mu.Unlock()
		}
	}
}
