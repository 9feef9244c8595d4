package planner

import (
	"math"

	"github.com/omendb/omendb/sql/plan"
)

// ask is what the operators above FROM would like: an order, and how many rows
// they will read.
type ask struct {
	keys []plan.SortKey
	rows float64 // 0: all
	rel  int     // the only base relation
}

// setAsk notes the order that a level without joins wants from its table.
func (l *level) setAsk() {
	q := l.q
	if len(q.OrderBy) == 0 || len(q.From) != 1 || len(q.GroupBy) > 0 || q.HasAggs || q.HasWindows || q.SetOp != nil ||
		q.Distinct || q.DistinctOn != nil || l.o.env.Settings.ruleOff("ordered_scan") {
		return
	}
	ref, ok := q.From[0].(*plan.RelRef)
	if !ok || q.Rels[ref.Rel].Kind != plan.RelTable {
		return
	}
	l.ask = &ask{keys: q.OrderBy, rel: ref.Rel, rows: limitOf(q)}
}

// limitOf returns the number of rows that LIMIT and OFFSET let through; a
// guess when they are parameters, 0 without LIMIT.
func limitOf(q *plan.Query) float64 {
	if q.Limit == nil {
		return 0
	}
	n := 100.0
	if c, ok := q.Limit.(*plan.Const); ok {
		if c.Value.Null {
			return 0
		}
		n = float64(c.Value.I)
	}
	if c, ok := q.Offset.(*plan.Const); ok && !c.Value.Null {
		n += float64(c.Value.I)
	}
	return math.Max(1, n)
}

// askedCost is the cost of a path together with what brings it into the asked order.
func (l *level) askedCost(p *path) float64 {
	if l.ask == nil {
		return p.total
	}
	if matched, _ := ordered(p.order, l.ask.keys); matched {
		if l.ask.rows > 0 && l.ask.rows < p.rows {
			return p.start + (p.total-p.start)*l.ask.rows/p.rows
		}
		return p.total
	}
	if l.ask.rows > 0 {
		return p.total + topCost(p.rows, l.ask.rows)
	}
	return p.total + sortCost(p.rows)
}

// asksReverse reports whether the path serves the asked order read backward.
func (l *level) asksReverse(p *path) bool {
	if l.ask == nil {
		return false
	}
	matched, reverse := ordered(p.order, l.ask.keys)
	return matched && reverse
}

// ordered reports whether rows ordered by have are ordered by want, reading
// forward or backward.
func ordered(have []orderKey, want []plan.SortKey) (matched, reverse bool) {
	if len(want) == 0 || len(have) < len(want) {
		return false, false
	}
	for i, w := range want {
		v, ok := strip(w.Expr).(*plan.Var)
		h := have[i]
		if !ok || w.UsingOp != 0 || v.Level != 0 || v.Rel != h.v.Rel || v.Attr != h.v.Attr {
			return false, false
		}
		back := w.Desc != h.desc
		if i == 0 {
			reverse = back
		}
		if back != reverse || !h.notNull && w.NullsFirst != (h.nullsFirst != back) {
			return false, false
		}
	}
	return true, reverse
}

// wantsOrder reports whether an index could serve the asked order.
func (l *level) wantsOrder(b *baseRel, k accessKey) bool {
	if l.ask == nil || l.ask.rel != b.rel {
		return false
	}
	matched, _ := ordered(indexOrder(b, &keyAccess{key: k}), l.ask.keys)
	return matched
}

// storageOrder is the order of a scan by storage key; columns fixed by an
// equality do not count.
func storageOrder(b *baseRel, a *keyAccess) []orderKey {
	fixed := 0
	if a != nil {
		fixed = len(a.equal)
	}
	var out []orderKey
	for _, n := range b.r.Table.StorageKey[min(fixed, len(b.r.Table.StorageKey)):] {
		c := b.r.Columns[n-1]
		if !sameCollation(c.Type.Collation, 0) {
			break
		}
		out = append(out, orderKey{v: varOf(b, int(n)-1), notNull: true})
	}
	return out
}

func indexOrder(b *baseRel, a *keyAccess) []orderKey {
	if a.array != nil {
		return nil
	}
	var out []orderKey
	for _, c := range a.key.cols[min(len(a.equal), len(a.key.cols)):] {
		if c.attr < 0 {
			break
		}
		out = append(out, orderKey{v: varOf(b, c.attr), desc: c.desc, nullsFirst: c.nullsFirst, notNull: c.notNull})
	}
	return out
}

func varOf(b *baseRel, attr int) *plan.Var {
	return &plan.Var{Base: plan.Base{Typ: b.r.Columns[attr].Type, Pos: -1}, Rel: b.rel, Attr: attr}
}

// ruleOff reports whether a rewrite rule or method is switched off; a method that
// nothing can replace is used all the same.
func (s Settings) ruleOff(name string) bool {
	switch name {
	case "hash_join":
		if s.NoHashJoin {
			return true
		}
	case "nest_loop":
		if s.NoNestLoop {
			return true
		}
	case "index_scan":
		if s.NoIndexScan {
			return true
		}
	}
	for _, n := range s.DisabledRules {
		if n == name {
			return true
		}
	}
	return false
}
