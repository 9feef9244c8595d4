package planner

import (
	"fmt"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// Plan turns a bound query into a physical plan. The query is consumed: the
// rewrite rules change it in place.
//
// The way of a query level: rules (rule_*.go) simplify it, sublinks become
// subplans or joins, the join tree is cut into items that can be ordered
// freely (items.go), every base relation gets its cheapest access path
// (access.go), joins are ordered by cost (joinorder.go), and grouping,
// windows, DISTINCT, ORDER BY and LIMIT are put on top (upper.go).
func Plan(env *Env, q *plan.Query) (st *plan.Statement, err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case bindError:
			st, err = nil, r.err
		default:
			panic(r)
		}
	}()
	o := &optimizer{env: env, stmt: &plan.Statement{Command: q.Command, Text: q.Text}}
	o.collectObjects(q, nil)
	o.stmt.ReadOnly = !queryWrites(q)
	root, err := o.planQuery(q, nil)
	if err != nil {
		return nil, err
	}
	o.stmt.Root = root.rel.node
	if q.Command == plan.Select {
		o.stmt.Output = visibleTargets(q.Targets)
	} else {
		o.stmt.Output = visibleTargets(q.Returning)
	}
	return o.stmt, nil
}

// optimizer plans one statement.
type optimizer struct {
	env     *Env
	stmt    *plan.Statement
	workID  int
	depth   int
	steps   int
	groups  int // groups that are being planned for one row of their left sides
	replays int // numbers of plan.Replay that are taken
	seenObj map[plan.ObjectVersion]bool
	// families are the answers of btreeFamily.
	families map[plan.OID]plan.OID
	indexes  map[plan.OID]*indexExprs       // stored expressions of indexes, read so far
	columns  map[columnOf]*ColumnStatistics // asked for so far; nil where nothing is known
}

// step counts a step of planning, and ends it by a panic when the statement was cancelled.
func (o *optimizer) step() {
	if o.steps++; o.steps%stepsBetweenLooks == 0 {
		if err := o.env.Functions.Canceled(); err != nil {
			panic(bindError{pgerr.From(err)})
		}
	}
}

// maxPlanDepth bounds the nesting of query levels: each costs a few kB of stack.
const maxPlanDepth = 400

// level is one query level while it is planned.
type level struct {
	o      *optimizer
	parent *level
	q      *plan.Query
	outer  []outerRef // what it uses from the levels around it
	ctes   []cteInfo
	// inherited is set for an UPDATE or DELETE of a table that others inherit from.
	inherited *inheritedTarget
	used      []map[int]int // how often each attribute is referred to, by range-table index
	ask       *ask          // what the operators above would like of the rows' order
	// keepUsed: conditions are evaluated again above (row locks), so their columns stay.
	keepUsed bool
	implied  []plan.Expr // conditions that implyConstants has added
	fixed    []plan.Expr // expressions that conditions fix to one value
	// What was found out about conditions, which the search for a join order asks for again and again.
	fractions map[plan.Expr]float64
	costs     map[plan.Expr]float64
	sides     map[plan.Expr]*equiSides
}

// outerRef is an executor parameter that stands for an expression of an
// enclosing level, written as that level sees it.
type outerRef struct {
	id   int
	expr plan.Expr
}

// cteInfo says how a CTE of this level is executed.
type cteInfo struct {
	plan   int // index into Statement.Plans, -1 if inlined
	workID int // while planning the recursive step: the work table's ID, else -1
	rows   float64
}

// planned is a query level after planning.
type planned struct {
	rel   *rel
	level *level
}

// rel is a planned relation: a node, and where the bound columns and
// expressions sit in its output row.
type rel struct {
	node  plan.Node
	rels  relSet
	cols  map[colKey]int
	exprs []exprSlot
}

type colKey struct{ rel, attr int }

type exprSlot struct {
	expr plan.Expr
	slot int
}

func (o *optimizer) newExec(t plan.Type) int {
	o.stmt.ExecTypes = append(o.stmt.ExecTypes, t)
	return len(o.stmt.ExecTypes) - 1
}

func (o *optimizer) planQuery(q *plan.Query, parent *level) (*planned, error) {
	o.depth++
	defer func() { o.depth-- }()
	if o.depth > maxPlanDepth {
		return nil, pgerr.New(pgerr.StatementTooComplex, "stack depth limit exceeded").
			WithHint("Subqueries are nested more than %d levels deep.", maxPlanDepth)
	}
	l := &level{o: o, parent: parent, q: q}
	if err := l.planCTEs(); err != nil {
		return nil, err
	}
	if err := l.applyRules(); err != nil {
		return nil, err
	}
	if len(q.Rels) > maxRels {
		return nil, pgerr.New(pgerr.ProgramLimitExceeded, "a query level may refer to at most %d relations", maxRels)
	}
	l.expandWholeRows()
	if err := l.planSubLinks(); err != nil {
		return nil, err
	}
	l.collectUsed()
	var r *rel
	var err error
	switch {
	case q.Command == plan.Select:
		r, err = l.planSelect()
	default:
		r, err = l.planModify()
	}
	if err != nil {
		return nil, err
	}
	return &planned{rel: r, level: l}, nil
}

// outerParam returns the executor parameter for an expression of an enclosing
// level. e is written as the parent level sees it.
func (l *level) outerParam(e plan.Expr) *plan.Exec {
	for _, r := range l.outer {
		if plan.Same(r.expr, e) {
			return &plan.Exec{Base: plan.Base{Typ: e.ResultType(), Pos: e.Position()}, ID: r.id}
		}
	}
	id := l.o.newExec(e.ResultType())
	l.outer = append(l.outer, outerRef{id: id, expr: e})
	return &plan.Exec{Base: plan.Base{Typ: e.ResultType(), Pos: e.Position()}, ID: id}
}

// raise rewrites an expression of this level so that the parent can read it:
// Vars and aggregates of outer levels lose one level.
func raise(e plan.Expr) plan.Expr {
	return plan.Rewrite(e, func(x plan.Expr) plan.Expr {
		switch v := x.(type) {
		case *plan.Var:
			if v.Level > 0 {
				n := *v
				n.Level--
				return &n
			}
		case *plan.Agg:
			if v.Level > 0 {
				n := *v
				n.Level--
				return &n
			}
		case *plan.Grouping:
			if v.Level > 0 {
				n := *v
				n.Level--
				return &n
			}
		}
		return x
	})
}

// lower replaces references to enclosing levels by executor parameters.
func (l *level) lower(e plan.Expr) plan.Expr {
	return plan.Replace(e, func(x plan.Expr) plan.Expr {
		if isOuter(x) {
			return l.outerParam(raise(x))
		}
		return nil
	})
}

// isOuter reports whether a column, aggregate or GROUPING belongs to an enclosing level.
func isOuter(e plan.Expr) bool {
	switch v := e.(type) {
	case *plan.Var:
		return v.Level > 0
	case *plan.Agg:
		return v.Level > 0
	case *plan.Grouping:
		return v.Level > 0
	}
	return false
}

// slot rewrites a bound expression over the output row of r.
func (l *level) slot(r *rel, e plan.Expr) plan.Expr {
	return plan.Replace(e, func(x plan.Expr) plan.Expr {
		for _, s := range r.exprs {
			if plan.Same(s.expr, x) && (s.expr == x || !isConst(x)) { // equal constants are not the same column
				return &plan.Slot{Base: plan.Base{Typ: x.ResultType(), Pos: x.Position()}, Index: s.slot}
			}
		}
		if isOuter(x) {
			return l.outerParam(raise(x))
		}
		v, ok := x.(*plan.Var)
		if !ok {
			return nil
		}
		i, ok := r.cols[colKey{v.Rel, v.Attr}]
		if !ok {
			panic(fmt.Sprintf("planner: column %d of relation %d is not in the input row", v.Attr, v.Rel))
		}
		return &plan.Slot{Base: v.Base, Index: i}
	})
}

func (l *level) slots(r *rel, es []plan.Expr) []plan.Expr {
	out := make([]plan.Expr, len(es))
	for i, e := range es {
		out[i] = l.slot(r, e)
	}
	return out
}

// collectUsed notes which attributes of which relations any expression needs.
func (l *level) collectUsed() {
	l.used = make([]map[int]int, len(l.q.Rels))
	for i := range l.used {
		l.used[i] = map[int]int{}
	}
	plan.MapQuery(l.q, func(e plan.Expr) plan.Expr {
		l.noteUsed(e, 1)
		return e
	})
	for _, lock := range l.q.Locks {
		if r := l.q.Rels[lock.Rel]; r.Tree != nil {
			l.used[lock.Rel][len(r.Columns)-1]++
			l.used[lock.Rel][len(r.Columns)-2]++
		} else if r.Kind == plan.RelTable {
			l.used[lock.Rel][plan.AttrKey]++
		}
	}
}

func (l *level) noteUsed(e plan.Expr, by int) {
	if l.used == nil { // a CTE or sublink, planned before anything is counted
		return
	}
	plan.Walk(e, func(x plan.Expr) bool {
		if v, ok := x.(*plan.Var); ok && v.Level == 0 {
			l.used[v.Rel][v.Attr] += by
		}
		return true
	})
}

func visibleTargets(ts []*plan.Target) []*plan.Target {
	out := make([]*plan.Target, 0, len(ts))
	for _, t := range ts {
		if !t.Junk {
			out = append(out, t)
		}
	}
	return out
}

// queryWrites reports whether q or anything inside writes or locks rows.
func queryWrites(q *plan.Query) bool {
	if q.Command != plan.Select || len(q.Locks) > 0 {
		return true
	}
	found := false
	plan.WalkQuery(q, func(plan.Expr) bool { return true }, func(s *plan.Query) { found = found || queryWrites(s) })
	return found
}

// namedObject notes objects that a constant names: nextval('s') is bound to one
// sequence, 'a'::regnamespace to one schema, and has to be bound again when that is gone.
func (o *optimizer) namedObject(e plan.Expr) {
	c, ok := e.(*plan.Const)
	if !ok || c.Value.Null {
		return
	}
	for _, class := range namedClasses[c.Typ.OID] {
		if version := o.env.Catalog.ObjectVersion(class, plan.OID(c.Value.I)); version != 0 {
			o.addObject(class, plan.OID(c.Value.I), version)
			return
		}
	}
}

// namedClasses tells which classes of objects the constants of a type name.
var namedClasses = map[plan.OID][]catalog.Class{
	types.RegclassOID:     {catalog.ClassSequence, catalog.ClassRelation, catalog.ClassIndex},
	types.RegnamespaceOID: {catalog.ClassSchema},
	types.RegroleOID:      {catalog.ClassRole},
	types.RegtypeOID:      {catalog.ClassType},
	types.RegprocOID:      {catalog.ClassFunction}, types.RegprocedureOID: {catalog.ClassFunction},
}

func (o *optimizer) addObject(class catalog.Class, oid plan.OID, version uint64) {
	v := plan.ObjectVersion{Class: class, OID: oid, Version: version}
	if !o.seenObj[v] {
		o.seenObj[v] = true
		o.stmt.Objects = append(o.stmt.Objects, v)
	}
}
