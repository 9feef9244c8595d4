package planner

import (
	"github.com/omendb/omendb/sql/plan"
)

// LiftedParam is a literal of a statement's text that became a parameter.
type LiftedParam struct {
	Literal int       // its number in the text, as parser.Lift counts
	Type    plan.Type // what its text is read as
	Negated bool      // behind a minus sign
}

// LiftLiterals returns a copy of a bound query in which the literals that did
// not influence binding are parameters $1, $2, …: a query that serves every
// text that differs in these alone. Literals are numbered by their first use.
// Literals by which an expression index or a partial index may be found stay.
func LiftLiterals(env *Env, q *plan.Query) (*plan.Query, []LiftedParam) {
	c := plan.CloneQuery(q)
	l := &lifter{env: env, seen: map[LiftedParam]int{}}
	l.query(c)
	return c, l.params
}

type lifter struct {
	env    *Env
	pins   []pin
	params []LiftedParam
	seen   map[LiftedParam]int
}

func (l *lifter) query(q *plan.Query) {
	defer func(outer []pin) { l.pins = outer }(l.pins)
	l.pins = indexPins(l.env, q)
	plan.MapQuery(q, func(e plan.Expr) plan.Expr { return plan.Replace(e, l.expr) })
	for _, c := range q.CTEs {
		l.query(c.Query)
	}
	for _, r := range q.Rels {
		if r.Query != nil {
			l.query(r.Query)
		}
	}
}

// expr returns what takes the place of an expression, nil to look inside it.
func (l *lifter) expr(e plan.Expr) plan.Expr {
	switch x := e.(type) {
	case *plan.SubLink:
		l.query(x.Query)
	case *plan.Const:
		if !x.Free || x.Value.Null {
			return e
		}
		p := LiftedParam{Literal: x.Literal, Type: x.Typ, Negated: x.Negated}
		n, ok := l.seen[p]
		if !ok {
			l.params = append(l.params, p)
			n = len(l.params)
			l.seen[p] = n
		}
		return &plan.Param{Base: x.Base, N: n}
	}
	if computable(e) || l.pinned(e) {
		return e
	}
	return nil
}

// computable reports whether planning computes an expression from its literals:
// what it yields, an error or a condition that is never true, is part of the
// plan, so that they stay. Conversions that nobody wrote cost only time.
func computable(e plan.Expr) bool {
	switch x := e.(type) {
	case *plan.Relabel:
		return false
	case *plan.Call:
		if x.Cast == plan.CastImplicit {
			return false
		}
	}
	children := plan.Children(e)
	for _, c := range children {
		if has(c, func(x plan.Expr) bool {
			switch x.(type) {
			case *plan.Var, *plan.Param, *plan.SubLink, *plan.Agg, *plan.WindowCall, *plan.CaseTest:
				return true
			}
			return false
		}) {
			return false
		}
	}
	return len(children) > 0
}

// IsPointPlan reports whether a plan is as good for any values of its
// parameters as for known ones: it finds its rows by keys, and does nothing
// whose cost depends on how many rows a range holds.
func IsPointPlan(st *plan.Statement) bool {
	return len(st.Plans) == 0 && isPointNode(st.Root)
}

// maxPointRows bounds what an index look-up of a point plan may be expected to find.
const maxPointRows = 50

func isPointNode(n plan.Node) bool {
	switch x := n.(type) {
	case *plan.Result, *plan.Values, *plan.Project, *plan.Limit, *plan.Modify, *plan.KeyLookup, *plan.LockRows:
	case *plan.IndexScan:
		if x.Rows > maxPointRows || x.Array != nil || len(x.Ranges) != 1 || x.Ranges[0].Lower == nil || x.Ranges[0].Upper == nil {
			return false
		}
	default:
		return false
	}
	for _, c := range n.Children() {
		if !isPointNode(c) {
			return false
		}
	}
	return true
}
