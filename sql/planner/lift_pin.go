package planner

import (
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/plan"
)

// pin is an expression by whose literals an index is recognised.
type pin struct {
	expr plan.Expr
	// whole: the expression itself is the index's key. Else it is a column in the
	// predicate of a partial index, and what it is compared with matters.
	whole bool
}

// indexPins lists the pins of the tables of a query level.
func indexPins(env *Env, q *plan.Query) []pin {
	var out []pin
	l := &level{o: &optimizer{env: env}, q: q}
	for i, r := range q.Rels {
		if r.Kind != plan.RelTable || r.Table.Kind == catalog.KindVirtual {
			continue
		}
		for _, oid := range r.Table.Indexes {
			ix := env.Catalog.Index(oid)
			if ix == nil || ix.Predicate == nil && !hasExprKey(ix) {
				continue
			}
			x := l.indexExprs(ix)
			if x == nil {
				continue
			}
			for _, e := range x.keys {
				if e != nil {
					out = append(out, pin{expr: overRel(e, i), whole: true})
				}
			}
			for _, e := range x.predicate {
				for _, v := range conjunctsVars(overRel(e, i)) {
					if !l.isUniqueColumn(r, v.Attr) { // found by its key whatever the literal
						out = append(out, pin{expr: v})
					}
				}
			}
		}
	}
	return out
}

func hasExprKey(ix *catalog.Index) bool {
	for _, k := range ix.Keys {
		if k.Column == 0 {
			return true
		}
	}
	return false
}

// pinned reports whether the literals of an expression must stay: it has the shape
// of an index's expression, or it is a condition on a column of a predicate.
func (l *lifter) pinned(e plan.Expr) bool {
	if len(l.pins) == 0 {
		return false
	}
	_, list := e.(*plan.ArrayOp)
	call, ok := e.(*plan.Call)
	condition := list || ok && len(call.Args) == 2 && call.Op != 0 && call.Typ.OID == boolType.OID
	folded := stripRelabel((&folder{l: &level{o: &optimizer{env: l.env}}}).simplify(e))
	for _, p := range l.pins {
		if p.whole {
			if plan.Same(folded, p.expr) {
				return true
			}
			continue
		}
		if !condition {
			continue
		}
		for _, c := range plan.Children(e) {
			if plan.Same(stripRelabel(c), p.expr) {
				return true
			}
		}
	}
	return false
}
