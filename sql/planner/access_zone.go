package planner

import (
	"math"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// prunable lists the conditions that zone maps can answer for whole blocks.
func (l *level) prunable(b *baseRel, conds []plan.Expr) []plan.ZonePredicate {
	if l.o.env.Settings.ruleOff("zone_maps") {
		return nil
	}
	var out []plan.ZonePredicate
	for attr := range b.r.Columns {
		l.eachZoned(b, attr, conds, func(_ plan.Expr, m keyMatch) {
			out = append(out, plan.ZonePredicate{Attr: attr, Kind: plan.CompareKind(m.strategy), Value: l.lower(m.value)})
		})
	}
	return out
}

// eachZoned calls fn for the conditions on a column that zone maps can answer.
func (l *level) eachZoned(b *baseRel, attr int, conds []plan.Expr, fn func(cond plan.Expr, m keyMatch)) {
	c := &b.r.Columns[attr]
	t := types.ByOID(c.Type.OID)
	if t == nil || t.Kind == column.Bytes || c.Dropped {
		return
	}
	k := keyColumn{attr: attr, typ: c.Type.OID, family: l.btreeFamily(c.Type.OID)}
	for _, e := range conds {
		if call, ok := e.(*plan.Call); ok {
			if m, ok := l.matchCall(b, k, call); ok {
				fn(e, m)
			}
		}
	}
}

// zoneRows is about how many rows share a zone map.
const zoneRows = 1024

// unprunedShare estimates the share of a table that a scan reads when zone maps
// tell it where rows that are asked for can be. As far as the order of a
// column's values is that of the rows, a range of values is a range of rows.
func (l *level) unprunedShare(b *baseRel, conds []plan.Expr) float64 {
	if l.o.env.Statistics == nil || len(conds) == 0 || b.r.Table == nil || l.o.env.Settings.ruleOff("zone_maps") {
		return 1
	}
	least := 1.0
	for attr := range b.r.Columns {
		if t := types.ByOID(b.r.Columns[attr].Type.OID); t == nil || t.Kind != column.Int {
			continue
		}
		var zoned []plan.Expr
		l.eachZoned(b, attr, conds, func(cond plan.Expr, _ keyMatch) { zoned = append(zoned, cond) })
		if len(zoned) == 0 {
			continue
		}
		s := l.o.env.Statistics.Column(b.r.Table, attr)
		if s == nil {
			continue
		}
		ordered := s.Correlation * s.Correlation
		share := ordered*l.selectivityAll(zoned) + 1 - ordered
		least = math.Min(least, share+2*zoneRows/math.Max(1, b.rows))
	}
	return least
}
