package syscat

import (
	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/sql/catalog"
)

// modelRows is omen_models: the model of every segment of every table and index, and what it was used for.
func modelRows(g *generator) {
	if g.rt.DB == nil {
		return
	}
	g.view.Relations(func(r *catalog.Relation) bool {
		if !g.models(r, null, r.Store) {
			return false
		}
		for _, i := range g.view.IndexesOf(r) {
			if !g.models(r, str(i.Name), i.Store) {
				return false
			}
		}
		return true
	})
}

// models adds the segments of one store and reports whether more rows are wanted.
func (g *generator) models(r *catalog.Relation, index datum, store uint64) bool {
	if store == 0 {
		return true
	}
	schema := null
	if s := g.view.Schema(r.Schema); s != nil {
		schema = str(s.Name)
	}
	for _, m := range g.rt.DB.StoreStats(engine.StoreID(store)).Segments {
		perKey := 0.0
		if m.Keys > 0 {
			perKey = float64(m.ModelBytes+m.FenceBytes) / float64(m.Keys)
		}
		if !g.row(schema, str(r.Name), index, str(m.Name), num(m.Keys), num(m.Level), str(m.Kind), num(m.Error),
			num(m.ModelBytes), num(m.FenceBytes), float(perKey), num(m.Lookups), num(m.Mispredictions), instant(g.rt.DB.ModelTime(m.Name))) {
			return false
		}
	}
	return true
}
