package planner

import (
	"slices"

	"github.com/omendb/omendb/sql/plan"
)

// commonConditions takes what all alternatives of an OR demand out of it:
// (a AND b) OR (a AND c) becomes a AND (b OR c). A join condition that every
// alternative repeats can only so be found.
func commonConditions(l *level) (bool, error) {
	changed := false
	l.q.Where = factorOut(l.q.Where, &changed)
	for _, it := range l.q.From {
		factorItem(it, &changed)
	}
	return changed, nil
}

func factorItem(it plan.FromItem, changed *bool) {
	if j, ok := it.(*plan.Join); ok {
		j.On = factorOut(j.On, changed)
		factorItem(j.Left, changed)
		factorItem(j.Right, changed)
	}
}

func factorOut(e plan.Expr, changed *bool) plan.Expr {
	conds := conjuncts(e)
	var out []plan.Expr
	found := false
	for _, c := range conds {
		common, rest := factorOr(c)
		if len(common) == 0 {
			out = append(out, c)
			continue
		}
		found = true
		out = append(out, common...)
		if rest != nil {
			out = append(out, rest)
		}
	}
	if !found {
		return e
	}
	*changed = true
	return conjunction(out)
}

// factorOr returns the conditions that all alternatives of an OR share, and
// what remains of it; nil when an alternative has nothing else.
func factorOr(e plan.Expr) (common []plan.Expr, rest plan.Expr) {
	or, ok := e.(*plan.BoolOp)
	if !ok || or.Op != plan.Or {
		return nil, nil
	}
	arms := make([][]plan.Expr, len(or.Args))
	for i, a := range or.Args {
		arms[i] = conjuncts(a)
	}
	for _, c := range arms[0] {
		everywhere := !hasVolatile(c) && !hasSubLink(c)
		for _, arm := range arms[1:] {
			everywhere = everywhere && slices.ContainsFunc(arm, func(x plan.Expr) bool { return plan.Same(x, c) })
		}
		if everywhere {
			common = append(common, c)
		}
	}
	if len(common) == 0 {
		return nil, nil
	}
	alternatives := make([]plan.Expr, len(arms))
	for i, arm := range arms {
		left := slices.DeleteFunc(slices.Clone(arm), func(x plan.Expr) bool {
			return slices.ContainsFunc(common, func(c plan.Expr) bool { return plan.Same(x, c) })
		})
		if len(left) == 0 {
			return common, nil
		}
		alternatives[i] = conjunction(left)
	}
	return common, &plan.BoolOp{Base: or.Base, Op: plan.Or, Args: alternatives}
}
