package syscat

import (
	"time"

	"github.com/omendb/omendb/engine"
)

// scrubRows is omen_scrub: how far the background check of all data files has come.
func scrubRows(g *generator) {
	if g.rt.DB == nil {
		return
	}
	s := g.rt.DB.ScrubStatus()
	schema, name := g.storeName(s.Store)
	file := null
	if s.File != "" {
		file = str(s.File)
	}
	g.row(num(s.Rate), file, schema, name, num(s.Done), num(s.Total), num(s.Rounds), instant(s.Started), instant(s.LastFinished), num(len(s.Damage)))
}

// damageRows is omen_damage: what that check has found.
func damageRows(g *generator) {
	if g.rt.DB == nil {
		return
	}
	for _, d := range g.rt.DB.ScrubStatus().Damage {
		schema, name := g.storeName(d.Store)
		lower, upper := null, null
		if d.Store != 0 {
			lower, upper = datum{B: d.Min}, datum{B: d.Max}
		}
		if !g.row(str(d.File), num(d.Offset), schema, name, num(int64(d.Store)), lower, upper, str(d.Err.Error())) {
			return
		}
	}
}

// storeName names the table or index whose rows a store holds, as far as this database knows it.
func (g *generator) storeName(id engine.StoreID) (schema, name datum) {
	r, index := g.view.StoreOwner(uint64(id))
	if id == 0 || r == nil {
		return null, null
	}
	schema, name = null, str(r.Name)
	if s := g.view.Schema(r.Schema); s != nil {
		schema = str(s.Name)
	}
	if index != nil {
		name = str(index.Name)
	}
	return schema, name
}

func instant(t time.Time) datum {
	if t.IsZero() {
		return null
	}
	return num(t.UnixMicro() - 946684800_000000)
}
