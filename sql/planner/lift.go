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
func LiftLiterals(q *plan.Query) (*plan.Query, []LiftedParam) {
	c := plan.CloneQuery(q)
	l := &lifter{seen: map[LiftedParam]int{}}
	l.query(c)
	return c, l.params
}

type lifter struct {
	params []LiftedParam
	seen   map[LiftedParam]int
}

func (l *lifter) query(q *plan.Query) {
	plan.MapQuery(q, func(e plan.Expr) plan.Expr { return plan.Rewrite(e, l.expr) })
	for _, c := range q.CTEs {
		l.query(c.Query)
	}
	for _, r := range q.Rels {
		if r.Query != nil {
			l.query(r.Query)
		}
	}
}

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
	return e
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
