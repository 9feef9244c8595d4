package planner

import (
	"github.com/omendb/omendb/sql/plan"
)

// relsOf returns the range-table entries of this level that e refers to,
// through the correlation of subqueries too.
func relsOf(e plan.Expr) relSet {
	var s relSet
	plan.Walk(e, func(x plan.Expr) bool {
		if v, ok := x.(*plan.Var); ok && v.Level == 0 {
			s = s.union(relOf(v.Rel))
		}
		return true
	})
	return s
}

// conjuncts splits e at its top-level ANDs.
func conjuncts(e plan.Expr) []plan.Expr {
	if e == nil {
		return nil
	}
	if b, ok := e.(*plan.BoolOp); ok && b.Op == plan.And {
		var out []plan.Expr
		for _, a := range b.Args {
			out = append(out, conjuncts(a)...)
		}
		return out
	}
	return []plan.Expr{e}
}

// conjunction is the opposite of conjuncts; nil stands for true.
func conjunction(es []plan.Expr) plan.Expr {
	switch len(es) {
	case 0:
		return nil
	case 1:
		return es[0]
	}
	return &plan.BoolOp{Base: plan.Base{Typ: boolType, Pos: -1}, Op: plan.And, Args: es}
}

var boolType = plan.Type{OID: 16, Typmod: -1}

// volatility returns the worst volatility ('i' < 's' < 'v') of what e calls.
func volatility(e plan.Expr) byte {
	worst := byte('i')
	note := func(v byte) {
		if v == 'v' || v == 's' && worst == 'i' {
			worst = v
		}
	}
	plan.Walk(e, func(x plan.Expr) bool {
		switch f := x.(type) {
		case *plan.Call:
			note(f.Func.Volatile)
		case *plan.NextValue:
			note('v')
		case *plan.ValueFunc, *plan.IOCast, *plan.DomainCast, *plan.Param, *plan.Exec:
			note('s')
		case *plan.SubLink:
			if queryIsVolatile(f.Query) {
				note('v')
			}
			note('s')
		case *plan.SubPlan:
			note('s')
		}
		return true
	})
	return worst
}

// queryIsVolatile reports whether running q may have an effect or yield another
// result every time.
func queryIsVolatile(q *plan.Query) bool {
	if q.Command != plan.Select || q.HasModifyingCTE || len(q.Locks) > 0 {
		return true
	}
	found := false
	plan.WalkQuery(q, func(e plan.Expr) bool {
		switch f := e.(type) {
		case *plan.Call:
			found = found || f.Func.Volatile == 'v'
		case *plan.NextValue:
			found = true
		}
		return !found
	}, func(sub *plan.Query) { found = found || queryIsVolatile(sub) })
	return found
}

// has reports whether e contains a node for which f holds.
func has(e plan.Expr, f func(plan.Expr) bool) bool {
	found := false
	plan.Walk(e, func(x plan.Expr) bool {
		found = found || f(x)
		return !found
	})
	return found
}

func hasSubLink(e plan.Expr) bool {
	return has(e, func(x plan.Expr) bool { _, ok := x.(*plan.SubLink); return ok })
}

func hasSet(e plan.Expr) bool {
	return has(e, func(x plan.Expr) bool { c, ok := x.(*plan.Call); return ok && c.ReturnSet })
}

// isStrictOn reports whether the condition e cannot be true when all columns of
// rels are NULL: what turns an outer join into an inner one.
func isStrictOn(e plan.Expr, rels relSet) bool {
	switch x := e.(type) {
	case *plan.BoolOp:
		switch x.Op {
		case plan.And:
			for _, a := range x.Args {
				if isStrictOn(a, rels) {
					return true
				}
			}
			return false
		case plan.Or:
			for _, a := range x.Args {
				if !isStrictOn(a, rels) {
					return false
				}
			}
			return true
		}
		return nullOn(x.Args[0], rels)
	case *plan.NullTest:
		return x.Not && !x.RowWise && nullOn(x.Arg, rels)
	case *plan.ArrayOp: // over an empty array it is false rather than NULL
		return !x.All && x.Func.Strict && nullOn(x.Left, rels)
	case *plan.BoolTest:
		return (x.Kind == plan.IsTrue || x.Kind == plan.IsFalse || x.Kind == plan.IsNotUnknown) && nullOn(x.Arg, rels)
	}
	return nullOn(e, rels)
}

// nullOn reports whether e is certainly NULL when all columns of rels are NULL.
func nullOn(e plan.Expr, rels relSet) bool {
	switch x := e.(type) {
	case *plan.Var:
		return x.Level == 0 && x.Attr != plan.AttrWholeRow && rels.has(x.Rel)
	case *plan.Call:
		if !x.Func.Strict || x.ReturnSet {
			return false
		}
		for _, a := range x.Args {
			if nullOn(a, rels) {
				return true
			}
		}
		return false
	case *plan.Relabel:
		return nullOn(x.Arg, rels)
	case *plan.IOCast:
		return nullOn(x.Arg, rels)
	case *plan.Collate:
		return nullOn(x.Arg, rels)
	case *plan.BoolOp:
		if x.Op == plan.Not {
			return nullOn(x.Args[0], rels)
		}
		for _, a := range x.Args { // NULL AND NULL, NULL OR NULL
			if !nullOn(a, rels) {
				return false
			}
		}
		return true
	}
	return false
}

// strip removes relabellings, which do not change the value.
func strip(e plan.Expr) plan.Expr {
	for {
		switch x := e.(type) {
		case *plan.Relabel:
			if x.Wraps() {
				return e
			}
			e = x.Arg
		case *plan.Collate:
			e = x.Arg
		default:
			return e
		}
	}
}
