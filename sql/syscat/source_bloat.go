package syscat

import (
	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/sql/catalog"
)

// snapshotRows is omen_snapshots: the oldest snapshot of each session, which versions of rows are kept for.
func snapshotRows(g *generator) {
	if g.rt.DB == nil {
		return
	}
	for _, s := range g.rt.DB.Snapshots() {
		pid := null
		if s.ProcessID != 0 {
			pid = num(s.ProcessID)
		}
		if !g.row(pid, num(int64(s.Timestamp)), num(int64(s.Records)), instant(s.Since)) {
			return
		}
	}
}

// bloatRows is omen_bloat: how many versions of rows each table and index has, and which of them are dead.
func bloatRows(g *generator) {
	if g.rt.DB == nil {
		return
	}
	g.view.Relations(func(r *catalog.Relation) bool {
		if !g.bloat(r, null, r.Store) {
			return false
		}
		for _, i := range g.view.IndexesOf(r) {
			if !g.bloat(r, str(i.Name), i.Store) {
				return false
			}
		}
		return true
	})
}

// bloat adds one store and reports whether more rows are wanted.
func (g *generator) bloat(r *catalog.Relation, index datum, store uint64) bool {
	if store == 0 {
		return true
	}
	schema := null
	if s := g.view.Schema(r.Schema); s != nil {
		schema = str(s.Name)
	}
	s := g.rt.DB.StoreStats(engine.StoreID(store))
	return g.row(schema, str(r.Name), index, num(s.Versions), num(s.Dead), num(s.Unmerged), num(s.Bytes), num(s.DeadBytes))
}
