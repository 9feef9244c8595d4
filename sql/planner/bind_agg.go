package planner

import (
	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// aggregate binds an aggregate call, or an aggregate used as a window function.
func (s *scope) aggregate(x *pg.FuncCall, res functions.Resolution, c callParts, filter plan.Expr, pos int) plan.Expr {
	b, f := s.b, res.Func
	name := dotted(names(x.Funcname))
	ordered := f.Agg != nil && f.Agg.Kind != 'n'
	switch {
	case ordered && !x.AggWithinGroup:
		b.failf(pos, pgerr.WrongObjectType, "WITHIN GROUP is required for ordered-set aggregate %s", name)
	case ordered && x.Over != nil:
		b.failf(pos, pgerr.FeatureNotSupported, "OVER is not supported for ordered-set aggregate %s", name)
	case ordered && x.AggDistinct:
		b.failf(pos, pgerr.FeatureNotSupported, "cannot use DISTINCT with WITHIN GROUP")
	case !ordered && x.AggWithinGroup:
		b.failf(pos, pgerr.WrongObjectType, "%s is not an ordered-set aggregate, so it cannot have WITHIN GROUP", name)
	case len(x.Args) == 0 && !x.AggStar && !x.AggWithinGroup:
		b.failf(pos, pgerr.WrongObjectType, "%s(*) must be used to call a parameterless aggregate function", name)
	case f.RetSet:
		b.failf(pos, pgerr.InvalidFunctionDefinition, "aggregates cannot return sets")
	case c.names != nil:
		b.failf(pos, pgerr.FeatureNotSupported, "aggregates cannot use named arguments")
	}
	args := s.finishArgs(res, c.args, pos)
	if f.Agg != nil && f.Agg.SortOp != 0 && len(args) == 1 && args[0].ResultType().OID == types.AnyArrayOID {
		b.failf(-1, pgerr.DatatypeMismatch, "cannot compare arrays of different element types")
	}
	if x.Over != nil {
		return s.windowAggregate(x, res, args, filter, pos)
	}
	a := &plan.Agg{Base: plan.Base{Typ: b.plainType(res.Ret), Pos: pos}, Func: f, Filter: filter, Star: x.AggStar,
		Distinct: x.AggDistinct, Within: x.AggWithinGroup, Variadic: x.FuncVariadic}
	if ordered {
		direct := len(x.Args)
		if res.Elements > 0 && direct > len(args) {
			direct = len(args)
		}
		if f.Agg.Kind == 'h' {
			s.unifyHypothetical(args, direct)
		}
		a.Direct, a.Args = args[:direct], args[direct:]
		for i, n := range x.AggOrder {
			k := direct + i
			if k >= len(args) {
				break
			}
			a.OrderBy = append(a.OrderBy, s.sortKey(n.GetSortBy(), args[k], -1))
		}
	} else {
		a.Args = args
		s.aggOrder(a, x.AggOrder, pos)
	}
	s.placeAggregate(a, pos)
	return a
}

// unifyHypothetical gives the direct arguments of a hypothetical-set aggregate and the sort columns that
// they are compared with the same types.
func (s *scope) unifyHypothetical(args []plan.Expr, direct int) {
	b := s.b
	for i := range direct {
		k := direct + i
		if k >= len(args) {
			break
		}
		t, _ := b.commonType([]plan.Expr{args[k], args[i]}, "WITHIN GROUP")
		for _, j := range []int{i, k} {
			args[j] = b.coerceTo(s, args[j], b.plainType(t), functions.Implicit, plan.CastImplicit, -1)
		}
	}
}

// stripImplicit returns what an implicit relabelling was put on.
func stripImplicit(e plan.Expr) plan.Expr {
	if r, ok := e.(*plan.Relabel); ok && r.Cast == plan.CastImplicit {
		return r.Arg
	}
	return e
}

// aggOrder binds DISTINCT and ORDER BY inside an aggregate call.
func (s *scope) aggOrder(a *plan.Agg, order []*pg.Node, pos int) {
	b := s.b
	for _, n := range order {
		sb := n.GetSortBy()
		e := s.expr(sb.Node)
		e = b.resolveUnknown(s, e)
		for _, arg := range a.Args {
			if plan.Same(stripImplicit(arg), e) {
				e = arg
			}
		}
		a.OrderBy = append(a.OrderBy, s.sortKey(sb, e, -1))
	}
	if !a.Distinct {
		return
	}
	for _, k := range a.OrderBy {
		hit := false
		for _, arg := range a.Args {
			hit = hit || arg == k.Expr
		}
		if !hit {
			b.failf(location(k.Expr), pgerr.InvalidColumnReference, "in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list")
		}
	}
	for _, arg := range a.Args {
		t := arg.ResultType().OID
		if functions.EqualityOp(b.env.Types, t) == nil {
			b.failf(location(arg), pgerr.UndefinedFunction, "could not identify an equality operator for type %s", b.typeName(t))
		}
		if functions.LessOp(b.env.Types, t) == nil {
			b.fail(location(arg), pgerr.New(pgerr.UndefinedFunction, "could not identify an ordering operator for type %s", b.typeName(t)).
				WithDetail("Aggregates with DISTINCT must be able to sort their inputs."))
		}
	}
}

// levelScan finds the innermost level whose columns, and the innermost level whose
// aggregates, an expression uses: -1 for none.
type levelScan struct {
	vars, aggs int
	window     plan.Expr
	set        plan.Expr
	agg        plan.Expr       // the first aggregate
	visit      func(level int) // told of every column's level; may be nil
}

func newLevelScan() *levelScan { return &levelScan{vars: -1, aggs: -1} }

func (l *levelScan) note(have *int, level int) {
	if l.visit != nil {
		l.visit(level)
	}
	if level >= 0 && (*have < 0 || level < *have) {
		*have = level
	}
}

func (l *levelScan) expr(e plan.Expr, depth int) {
	plan.Walk(e, func(x plan.Expr) bool {
		switch v := x.(type) {
		case *plan.Var:
			l.note(&l.vars, v.Level-depth)
		case *plan.Agg:
			l.note(&l.aggs, v.Level-depth)
			if l.agg == nil {
				l.agg = v
			}
		case *plan.Grouping:
			l.note(&l.aggs, v.Level-depth)
		case *plan.WindowCall:
			if depth == 0 {
				l.window = v
			}
		case *plan.Call:
			if v.ReturnSet && depth == 0 {
				l.set = v
			}
		case *plan.SubLink:
			if v.Test != nil {
				l.expr(v.Test, depth)
			}
			l.query(v.Query, depth+1)
			return false
		}
		return true
	})
}

// outside reports whether an expression uses columns of a level around its own.
func (l *levelScan) outside(e plan.Expr) bool {
	found := false
	l.visit = func(level int) { found = found || level > 0 }
	l.expr(e, 0)
	return found
}

func (l *levelScan) query(q *plan.Query, depth int) {
	plan.WalkQuery(q, func(e plan.Expr) bool {
		switch v := e.(type) {
		case *plan.Var:
			l.note(&l.vars, v.Level-depth)
		case *plan.Agg:
			l.note(&l.aggs, v.Level-depth)
			if l.agg == nil && v.Level == depth {
				l.agg = v
			}
		case *plan.SubLink:
			return true
		}
		return true
	}, func(sub *plan.Query) { l.query(sub, depth+1) })
}

// placeAggregate finds the query level that an aggregate belongs to: the innermost
// one whose columns it uses.
func (s *scope) placeAggregate(a *plan.Agg, pos int) {
	b := s.b
	in := newLevelScan()
	for _, e := range a.Args {
		in.expr(e, 0)
	}
	for _, k := range a.OrderBy {
		in.expr(k.Expr, 0)
	}
	if a.Filter != nil {
		in.expr(a.Filter, 0)
	}
	if in.window != nil {
		b.failf(location(in.window), pgerr.GroupingError, "aggregate function calls cannot contain window function calls")
	}
	if in.set != nil {
		b.fail(location(in.set), pgerr.New(pgerr.FeatureNotSupported, "aggregate function calls cannot contain set-returning function calls").
			WithHint("You might be able to move the set-returning function into a LATERAL FROM item."))
	}
	level := in.vars
	if in.aggs >= 0 && (level < 0 || in.aggs < level) {
		level = in.aggs
	}
	level = max(level, 0)
	if in.aggs == level {
		if in.agg != nil {
			pos = in.agg.Position()
		}
		b.failf(pos, pgerr.GroupingError, "aggregate function calls cannot be nested")
	}
	direct := newLevelScan()
	for _, e := range a.Direct {
		direct.expr(e, 0)
	}
	switch {
	case direct.vars >= 0 && direct.vars < level:
		b.failf(pos, pgerr.GroupingError, "outer-level aggregate cannot contain a lower-level variable in its direct arguments")
	case direct.aggs >= 0 && direct.aggs <= level:
		b.failf(pos, pgerr.GroupingError, "aggregate function calls cannot be nested")
	}
	a.Level = level
	owner := s
	for range level {
		owner = owner.parent
	}
	owner.allowAggregate("aggregate functions", pos)
	owner.q.HasAggs = true
}

func (s *scope) allowAggregate(what string, pos int) {
	if s.clause.noAggs {
		s.b.failf(pos, pgerr.GroupingError, "%s are not allowed in %s", what, s.clause.name)
	}
}

// groupingFunc binds GROUPING(…); its references are filled in when the grouping is checked.
func (s *scope) groupingFunc(x *pg.GroupingFunc) plan.Expr {
	g := &plan.Grouping{Base: plan.Base{Typ: s.b.plainType(23), Pos: int(x.Location)}}
	if len(x.Args) > 31 {
		s.b.failf(int(x.Location), pgerr.TooManyArguments, "GROUPING must have fewer than 32 arguments")
	}
	in := newLevelScan()
	for _, n := range x.Args {
		e := s.expr(n)
		in.expr(e, 0)
		g.Args = append(g.Args, e)
	}
	g.Level = max(in.vars, 0)
	owner := s
	for range g.Level {
		owner = owner.parent
	}
	owner.allowAggregate("grouping operations", int(x.Location))
	owner.q.HasAggs = true
	return g
}
