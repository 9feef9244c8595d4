package planner

import (
	"slices"

	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/plan"
)

// implyConstants adds the conditions that follow from a = b and a = constant: b = constant.
// It does so across outer joins too, into their own conditions: where b is on the side that
// may be missing, a row whose a has another value is dropped above whether it finds a partner
// or not. Views joined by name, those of information_schema first of all, are thereby
// restricted to the one table that is asked about.
func implyConstants(l *level) (bool, error) {
	q := l.q
	if q.Command != plan.Select || len(q.Locks) > 0 || len(q.From) == 0 {
		return false, nil
	}
	l.fixed = l.fixed[:0]
	im := &implier{l: l}
	q.Where = im.group(q.From, q.Where, nil)
	return im.changed, nil
}

// constEqual says that expr has the value of an expression without columns of the level.
type constEqual struct {
	expr, value plan.Expr
	call        *plan.Call // the equality it was read from
}

type implier struct {
	l       *level
	changed bool
}

// group handles items that are joined without missing sides, under a condition. The facts
// hold for every row that survives in the end. It returns the condition with what follows.
func (im *implier) group(items []plan.FromItem, cond plan.Expr, facts []constEqual) plan.Expr {
	own := conjuncts(cond)
	all := innerConditions(items, slices.Clone(own))
	facts = slices.Clone(facts)
	for _, c := range all {
		if f, ok := im.constEqual(c); ok {
			facts = append(facts, f)
		}
	}
	for i := 0; i < len(all); i++ { // what is found is appended, and followed up too
		for _, d := range im.follow(all, facts) {
			facts = append(facts, d)
			all = append(all, d.call)
			if !im.known(d.call) {
				own = append(own, d.call)
				im.l.implied = append(im.l.implied, d.call)
				im.changed = true
			}
		}
	}
	for _, f := range facts {
		im.l.fixed = append(im.l.fixed, f.expr)
	}
	for _, it := range items {
		im.dependent(it, facts)
	}
	return conjunction(own)
}

// known reports whether a condition was added before; it may have moved into a subquery since.
func (im *implier) known(c plan.Expr) bool {
	return slices.ContainsFunc(im.l.implied, func(x plan.Expr) bool { return plan.Same(x, c) })
}

// innerConditions appends the conditions of joins that no row survives without fulfilling.
func innerConditions(items []plan.FromItem, conds []plan.Expr) []plan.Expr {
	for _, it := range items {
		j, ok := it.(*plan.Join)
		if !ok {
			continue
		}
		switch j.Kind {
		case plan.InnerJoin:
			conds = append(conds, conjuncts(j.On)...)
			conds = innerConditions([]plan.FromItem{j.Left, j.Right}, conds)
		case plan.LeftJoin, plan.SemiJoin, plan.AntiJoin, plan.AntiNullJoin:
			conds = innerConditions([]plan.FromItem{j.Left}, conds)
		case plan.RightJoin:
			conds = innerConditions([]plan.FromItem{j.Right}, conds)
		}
	}
	return conds
}

// dependent goes to the joins of which one side may be missing.
func (im *implier) dependent(it plan.FromItem, facts []constEqual) {
	j, ok := it.(*plan.Join)
	if !ok {
		return
	}
	switch j.Kind {
	case plan.InnerJoin:
		im.dependent(j.Left, facts)
		im.dependent(j.Right, facts)
	case plan.LeftJoin, plan.SemiJoin, plan.AntiJoin:
		im.dependent(j.Left, facts)
		j.On = im.group([]plan.FromItem{j.Right}, j.On, facts)
	case plan.RightJoin:
		im.dependent(j.Right, facts)
		j.On = im.group([]plan.FromItem{j.Left}, j.On, facts)
	case plan.AntiNullJoin:
		im.dependent(j.Left, facts)
	}
}

// follow returns the first fact that the conditions and facts imply and that is not among them.
func (im *implier) follow(conds []plan.Expr, facts []constEqual) []constEqual {
	for _, c := range conds {
		call, ok := equality(c)
		if !ok {
			continue
		}
		a, b := call.Args[0], call.Args[1]
		if relsOf(a).empty() || relsOf(b).empty() {
			continue
		}
		for _, f := range facts {
			if f.call.Op != call.Op || f.call.InputColl != call.InputColl {
				continue
			}
			other := b
			switch {
			case sameValue(f.expr, a):
			case sameValue(f.expr, b):
				other = a
			default:
				continue
			}
			if slices.ContainsFunc(facts, func(g constEqual) bool { return g.call.Op == call.Op && sameValue(g.expr, other) }) {
				continue
			}
			d := *call
			d.Args = []plan.Expr{other, f.value}
			return []constEqual{{expr: other, value: f.value, call: &d}}
		}
	}
	return nil
}

// constEqual reads a condition as expression = constant.
func (im *implier) constEqual(c plan.Expr) (constEqual, bool) {
	call, ok := equality(c)
	if !ok {
		return constEqual{}, false
	}
	a, b := call.Args[0], call.Args[1]
	if relsOf(a).empty() {
		a, b = b, a
	}
	if relsOf(a).empty() || !isPlainValue(b) {
		return constEqual{}, false
	}
	return constEqual{expr: a, value: b, call: call}, true
}

// equality returns a condition that says that two values of one type are equal, by an operator
// that an order of the type stands behind: such equality is transitive.
func equality(c plan.Expr) (*plan.Call, bool) {
	call, ok := c.(*plan.Call)
	if !ok || len(call.Args) != 2 || call.Op == 0 {
		return nil, false
	}
	op := functions.OperatorByOID(call.Op)
	if op == nil || op.Left != op.Right || !op.CanMerge || op.Restrict != "eqsel" || volatility(c) == 'v' || hasSubLink(c) {
		return nil, false
	}
	return call, true
}

// isPlainValue reports whether e can be evaluated anywhere without failing: a literal, a
// parameter, a column of a level around.
func isPlainValue(e plan.Expr) bool {
	switch v := strip(e).(type) {
	case *plan.Const, *plan.Param:
		return true
	case *plan.Var:
		return v.Level > 0
	}
	return false
}

func sameValue(a, b plan.Expr) bool { return plan.Same(strip(a), strip(b)) }

// isFixed reports whether an expression is known to have one value in all rows of the level's result.
func (l *level) isFixed(e plan.Expr) bool {
	return slices.ContainsFunc(l.fixed, func(x plan.Expr) bool { return sameValue(x, e) })
}
