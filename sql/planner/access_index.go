package planner

import (
	"math"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/plan"
)

// indexExprs are the stored expressions of an index, read and folded as the
// conditions of a query are, over range-table entry 0.
type indexExprs struct {
	keys      []plan.Expr // by key column; nil for plain columns
	predicate []plan.Expr // its conjuncts
}

// indexExprs reads the expressions of an index once per statement. An index whose
// expressions cannot be read is not used.
func (l *level) indexExprs(ix *catalog.Index) *indexExprs {
	if x, ok := l.o.indexes[ix.OID]; ok {
		return x
	}
	x := &indexExprs{keys: make([]plan.Expr, len(ix.Keys))}
	ok := true
	for i, k := range ix.Keys {
		if k.Column == 0 && ok {
			x.keys[i], ok = l.storedExpr(k.Expr)
			if ok {
				x.keys[i] = stripRelabel(x.keys[i])
			}
		}
	}
	if ix.Predicate != nil && ok {
		var p plan.Expr
		p, ok = l.storedExpr(ix.Predicate)
		x.predicate = conjuncts(p)
	}
	if !ok {
		x = nil
	}
	if l.o.indexes == nil {
		l.o.indexes = map[plan.OID]*indexExprs{}
	}
	l.o.indexes[ix.OID] = x
	return x
}

func (l *level) storedExpr(encoded []byte) (plan.Expr, bool) {
	e, err := (Stored{Env: l.o.env}).DecodeExpr(encoded)
	if err != nil {
		return nil, false
	}
	if l.o.env.Settings.ruleOff("fold_constants") {
		return e, true
	}
	f := &folder{l: l}
	e = f.simplify(e)
	return e, f.err == nil
}

// overRel writes an expression of an index for the table at range-table entry rel.
func overRel(e plan.Expr, rel int) plan.Expr {
	if e == nil || rel == 0 {
		return e
	}
	return shiftVars(e, rel)
}

// indexExpr returns the expression of an index's key column, nil for a plain column.
func (l *level) indexExpr(b *baseRel, ix *catalog.Index, column int) plan.Expr {
	if ix.Keys[column].Column != 0 || l.o.env.Settings.ruleOff("expression_index") {
		return nil
	}
	x := l.indexExprs(ix)
	if x == nil {
		return nil
	}
	return overRel(x.keys[column], b.rel)
}

// indexPredicate returns the predicate of a partial index. It is usable if the
// conditions on the table show that all rows they ask for are in the index.
func (l *level) indexPredicate(b *baseRel, ix *catalog.Index) (predicate []plan.Expr, usable bool) {
	if ix.Predicate == nil {
		return nil, true
	}
	if len(b.quals) == 0 || l.o.env.Settings.ruleOff("partial_index") {
		return nil, false
	}
	x := l.indexExprs(ix)
	if x == nil {
		return nil, false
	}
	p, have := prover{l.o.env}, b.conds()
	for _, want := range x.predicate {
		want = overRel(want, b.rel)
		if !p.implied(have, want) {
			return nil, false
		}
		predicate = append(predicate, want)
	}
	return predicate, true
}

// partial accounts for the predicate of a partial index: what it implies need not
// be checked again, and only its rows are read.
func (l *level) partial(b *baseRel, a *keyAccess) {
	if len(a.key.predicate) == 0 {
		return
	}
	p, used := prover{l.o.env}, a.usedQuals()
	for i, q := range b.quals {
		if containsInt(a.consumed, i) || volatility(q.expr) == 'v' || !p.implied(a.key.predicate, q.expr) {
			continue
		}
		a.consumed = append(a.consumed, i)
		if !containsInt(used, i) {
			a.sel *= l.selectivity(q.expr)
		}
	}
	a.sel = math.Min(a.sel, l.selectivityAll(a.key.predicate))
}

// keyText writes the key columns of an expression index for EXPLAIN; nil when all
// are plain columns.
func (l *level) keyText(b *baseRel, ix *catalog.Index) []string {
	if ix == nil || !hasExprKey(ix) {
		return nil
	}
	x := l.indexExprs(ix)
	var out []string
	for i, k := range ix.Keys {
		switch {
		case k.Column > 0:
			out = append(out, b.r.Table.Columns[k.Column-1].Name)
		case x == nil:
			out = append(out, k.Name)
		default:
			out = append(out, Stored{Env: l.o.env}.Deparse(x.keys[i], b.r.Table))
		}
	}
	return out
}
