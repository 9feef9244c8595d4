package syscat

import (
	"fmt"
	"slices"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/exec"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/types"
)

// Stale compares the rows that are kept of every system table with those that its source makes now, and
// returns what differs. Chunks is how many of all tables' there are.
func Stale(db *engine.DB, v *catalog.View) (different []string, chunks int) {
	rt := runtimeOf(db, v)
	for _, r := range builtin().list {
		t, ok := r.Virtual.(*systemTable)
		if !ok || t.rows == nil || t.live {
			continue
		}
		var kept, now []string
		attrs := make([]int, len(r.Columns))
		for i := range attrs {
			attrs[i] = i
		}
		for _, c := range t.derived(rt).chunks {
			chunks++
			t.fill(rt, c, attrs)
			for _, b := range c.batches(nil, attrs, make([]int64, len(attrs))) {
				for i := range b.N {
					row := make([]column.Datum, len(attrs))
					for a := range attrs {
						row[a] = b.Cols[a].Datum(i)
					}
					kept = append(kept, fmt.Sprint(row))
				}
			}
		}
		g := t.generator(rt, exec.VirtualRead{}, func(row []column.Datum) bool {
			now = append(now, fmt.Sprint(row))
			return true
		})
		g.keep = true
		t.rows(g)
		slices.Sort(kept)
		slices.Sort(now)
		if !slices.Equal(kept, now) {
			different = append(different, fmt.Sprintf("%s: %d rows are kept, %d there", r.Name, len(kept), len(now)))
			for i := range min(len(kept), len(now)) {
				if kept[i] != now[i] {
					different = append(different, "kept "+kept[i]+"\nnow  "+now[i])
					break
				}
			}
		}
	}
	return different, chunks
}

func runtimeOf(db *engine.DB, v *catalog.View) *exec.Runtime {
	env := types.NewEnv()
	env.Types = v
	return &exec.Runtime{Catalog: v, DB: db, Functions: &functions.Ctx{Env: env}}
}

// PrepareAll makes all rows ahead and returns how many chunks there are, and how many were made.
func PrepareAll(db *engine.DB, v *catalog.View) (chunks, made int) {
	rt := runtimeOf(db, v)
	before := map[*chunk]bool{}
	each := func(fn func(*chunk)) {
		for _, r := range builtin().list {
			if t, ok := r.Virtual.(*systemTable); ok && t.rows != nil && !t.live {
				for _, c := range t.derived(rt).chunks {
					fn(c)
				}
			}
		}
	}
	each(func(c *chunk) { before[c] = c.rows >= 0 })
	Prepare(rt, func() bool { return false })
	each(func(c *chunk) {
		chunks++
		if c.rows < 0 {
			panic("a chunk is not prepared")
		}
		if !before[c] {
			made++
		}
	})
	return chunks, made
}
