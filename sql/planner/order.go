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
	if matched, _ := ordered(p, l.ask.keys); matched {
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
	matched, reverse := ordered(p, l.ask.keys)
	return matched && reverse
}

// ordered reports whether the rows of a path are ordered by want, reading
// forward or backward. Keys that have one value in all rows order nothing.
func ordered(p *path, want []plan.SortKey) (matched, reverse bool) {
	have := p.order
	first := true
	for _, w := range want {
		if w.UsingOp != 0 {
			return false, false
		}
		if p.isFixed(w.Expr) {
			continue
		}
		if len(have) == 0 || !have[0].is(w.Expr) {
			return false, false
		}
		h := have[0]
		have = have[1:]
		back := w.Desc != h.desc
		if first {
			reverse, first = back, false
		}
		if back != reverse || !h.notNull && w.NullsFirst != (h.nullsFirst != back) {
			return false, false
		}
	}
	return len(want) > 0 && (!first || len(p.fixed) > 0), reverse
}

func (p *path) isFixed(e plan.Expr) bool {
	for _, f := range p.fixed {
		if plan.Same(stripRelabel(e), f) {
			return true
		}
	}
	return false
}

// is reports whether ordering by e is ordering by this key.
func (h orderKey) is(e plan.Expr) bool {
	return sameCollation(e.ResultType().Collation, h.coll) && plan.Same(strip(e), h.expr)
}

// wantsOrder reports whether an index could serve the asked order.
func (l *level) wantsOrder(b *baseRel, k accessKey) bool {
	if l.ask == nil || l.ask.rel != b.rel {
		return false
	}
	matched, _ := ordered(&path{order: indexOrder(b, &keyAccess{key: k})}, l.ask.keys)
	return matched
}

// fixedBy lists the columns that the equalities of an access give one value.
func fixedBy(b *baseRel, a *keyAccess) []plan.Expr {
	if a == nil {
		return nil
	}
	var out []plan.Expr
	for _, c := range a.key.cols[:min(len(a.equal), len(a.key.cols))] {
		out = append(out, c.over(b))
	}
	return out
}

// over returns what a key column holds as an expression.
func (k keyColumn) over(b *baseRel) plan.Expr {
	if k.attr < 0 {
		return k.expr
	}
	return varOf(b, k.attr)
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
		out = append(out, orderKey{expr: varOf(b, int(n)-1), coll: c.Type.Collation, notNull: true})
	}
	return out
}

// indexOrder is the order of a scan of an index: by its columns that no equality
// fixes, and among equal ones by the storage key, which ends the keys of an index
// that is not unique.
func indexOrder(b *baseRel, a *keyAccess) []orderKey {
	if a.array != nil {
		return nil
	}
	var out []orderKey
	for _, c := range a.key.cols[min(len(a.equal), len(a.key.cols)):] {
		if c.attr < 0 && c.expr == nil {
			return out
		}
		out = append(out, orderKey{expr: c.over(b), coll: c.coll, desc: c.desc, nullsFirst: c.nullsFirst, notNull: c.notNull})
	}
	if a.key.index.Unique {
		return out
	}
	return append(out, storageOrder(b, nil)...)
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
	case "merge_join":
		if s.NoMergeJoin {
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
