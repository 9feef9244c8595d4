package planner

import (
	pg "github.com/pganalyze/pg_query_go/v6"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// cteEntry is a WITH query as names see it.
type cteEntry struct {
	name    string
	index   int // into the CTEs of scope's query
	scope   *scope
	cte     *plan.CTE
	pending bool // its recursive term is being bound
	hidden  bool // not bound yet: a forward reference
	refs    int  // self-references so far
	aliases []string
	extra   *searchExtra // SEARCH and CYCLE
}

// with binds a WITH clause.
func (s *scope) withClause(w *pg.WithClause) {
	b := s.b
	if w == nil {
		return
	}
	var raws []*pg.CommonTableExpr
	for _, n := range w.Ctes {
		c := n.GetCommonTableExpr()
		for _, o := range raws {
			if o.Ctename == c.Ctename {
				b.failf(int(c.Location), pgerr.DuplicateAlias, "WITH query name \"%s\" specified more than once", c.Ctename)
			}
		}
		raws = append(raws, c)
		if isModifying(c.Ctequery) {
			s.q.HasModifyingCTE = true
			if s.parent != nil {
				b.failf(int(c.Location), pgerr.FeatureNotSupported, "WITH clause containing a data-modifying statement must be at the top level")
			}
		}
	}
	s.q.Recursive = w.Recursive
	if w.Recursive {
		raws = s.orderCTEs(raws)
	}
	base := len(s.ctes)
	for _, c := range raws {
		s.ctes = append(s.ctes, &cteEntry{name: c.Ctename, scope: s, hidden: true, aliases: names(c.Aliascolnames)})
	}
	for i, c := range raws {
		s.bindCTE(c, s.ctes[base+i], w.Recursive)
	}
}

func isModifying(n *pg.Node) bool { return n.GetSelectStmt() == nil }

func (s *scope) bindCTE(c *pg.CommonTableExpr, e *cteEntry, recursive bool) {
	b, pos := s.b, int(c.Location)
	e.index = len(s.q.CTEs)
	e.cte = &plan.CTE{Name: c.Ctename, Aliases: e.aliases}
	s.q.CTEs = append(s.q.CTEs, e.cte)
	switch c.Ctematerialized {
	case pg.CTEMaterialize_CTEMaterializeAlways:
		e.cte.Materialized = 'm'
	case pg.CTEMaterialize_CTEMaterializeNever:
		e.cte.Materialized = 'n'
	}
	e.extra = s.newSearchExtra(c)
	if recursive && refersTo(c.Ctequery, c.Ctename) > 0 {
		e.hidden, e.pending = false, true
		e.cte.Recursive = true
		s.bindRecursive(c, e)
		e.pending = false
		if e.extra != nil {
			s.expandSearch(e)
		}
	} else {
		q := b.bindStatement(s, c.Ctequery)
		if q.Command != plan.Select && len(q.Returning) == 0 {
			e.cte.Columns = nil
		}
		e.cte.Query = q
		e.cte.Columns = queryColumns(q)
		e.hidden = false
		s.nameCTE(e, pos)
		if e.extra != nil {
			b.failf(pos, pgerr.SyntaxError, "WITH query is not recursive")
		}
	}
}

// nameCTE applies the column aliases of a WITH query.
func (s *scope) nameCTE(e *cteEntry, pos int) {
	if len(e.aliases) > len(e.cte.Columns) {
		s.b.failf(pos, pgerr.InvalidColumnReference, "WITH query \"%s\" has %d columns available but %d columns specified", e.name, len(e.cte.Columns), len(e.aliases))
	}
	for i, a := range e.aliases {
		e.cte.Columns[i].Name = a
	}
}

// cteRef adds a reference to a WITH query to the range table, if the name means one.
func (s *scope) cteRef(x *pg.RangeVar) (int, bool) {
	for sc := s; sc != nil; sc = sc.parent {
		for i := len(sc.ctes) - 1; i >= 0; i-- {
			e := sc.ctes[i]
			if e.name != x.Relname || e.hidden {
				continue
			}
			return s.addCTERel(e, x), true
		}
	}
	return 0, false
}

func (s *scope) addCTERel(e *cteEntry, x *pg.RangeVar) int {
	b, pos := s.b, int(x.Location)
	r := &plan.Rel{Kind: plan.RelCTE, Alias: e.name, CTE: e.name, CTELevel: s.levelsTo(e.scope), CTEIndex: e.index}
	if e.pending {
		if e.cte.Columns == nil {
			b.failf(pos, pgerr.InvalidRecursion, "recursive reference to query \"%s\" must not appear within its non-recursive term", e.name)
		}
		r.WorkTable = true
		if e.refs++; e.refs > 1 {
			b.failf(pos, pgerr.InvalidRecursion, "recursive reference to query \"%s\" must not appear more than once", e.name)
		}
	} else {
		e.cte.RefCount++
		if q := e.cte.Query; q.Command != plan.Select && len(q.Returning) == 0 {
			b.failf(pos, pgerr.FeatureNotSupported, "WITH query \"%s\" does not have a RETURNING clause", e.name)
		}
	}
	r.Columns = append([]plan.RelColumn(nil), e.cte.Columns...)
	if e.pending && e.extra != nil {
		r.Columns = append(r.Columns, e.extra.columns...)
		r.Unstarred = len(e.extra.columns)
	}
	return s.addRel(r)
}

// hiddenCTE explains a name that is a WITH query which cannot be seen from here.
func (s *scope) hiddenCTE(x *pg.RangeVar) *pgerr.Error {
	for sc := s; sc != nil; sc = sc.parent {
		for _, e := range sc.ctes {
			if e.name == x.Relname && e.hidden && s.b.lookupRelation(x) == nil {
				return pgerr.New(pgerr.UndefinedTable, "relation \"%s\" does not exist", x.Relname).
					WithDetail("There is a WITH item named \"%s\", but it cannot be referenced from this part of the query.", x.Relname).
					WithHint("Use WITH RECURSIVE, or re-order the WITH items to remove forward references.")
			}
		}
	}
	return nil
}

func (b *binder) lookupRelation(x *pg.RangeVar) any {
	for _, ns := range b.env.SearchPath {
		if r := b.env.Catalog.RelationByName(ns, x.Relname); r != nil {
			return r
		}
	}
	return nil
}

// refersTo counts the places in a raw tree where a table of that name stands.
func refersTo(n proto.Message, name string) int {
	count := 0
	walkRaw(n.ProtoReflect(), func(m protoreflect.Message) bool {
		if rv, ok := m.Interface().(*pg.RangeVar); ok {
			if rv.Schemaname == "" && rv.Relname == name {
				count++
			}
			return false
		}
		if sel, ok := m.Interface().(*pg.SelectStmt); ok && sel.WithClause != nil {
			before := 0
			for _, c := range sel.WithClause.Ctes {
				if !sel.WithClause.Recursive { // an item does not hide the name from itself and those before it
					before += refersTo(c.GetCommonTableExpr().Ctequery, name)
				}
				if c.GetCommonTableExpr().GetCtename() == name {
					count += before
					return false // shadowed
				}
			}
		}
		return true
	})
	return count
}

// walkRaw visits the messages of a raw tree, parents first.
func walkRaw(m protoreflect.Message, visit func(protoreflect.Message) bool) {
	if !m.IsValid() || !visit(m) {
		return
	}
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if fd.Kind() != protoreflect.MessageKind {
			return true
		}
		if fd.IsList() {
			l := v.List()
			for i := range l.Len() {
				walkRaw(l.Get(i).Message(), visit)
			}
			return true
		}
		walkRaw(v.Message(), visit)
		return true
	})
}

// orderCTEs sorts the items of WITH RECURSIVE so that each follows what it refers to.
func (s *scope) orderCTEs(raws []*pg.CommonTableExpr) []*pg.CommonTableExpr {
	needs := make([][]bool, len(raws))
	for i, c := range raws {
		needs[i] = make([]bool, len(raws))
		for k, o := range raws {
			needs[i][k] = i != k && refersTo(c.Ctequery, o.Ctename) > 0
		}
	}
	done := make([]bool, len(raws))
	var out []*pg.CommonTableExpr
	for len(out) < len(raws) {
		next := -1
		for i := range raws {
			ready := !done[i]
			for k := range raws {
				ready = ready && (!needs[i][k] || done[k])
			}
			if ready {
				next = i
				break
			}
		}
		if next < 0 {
			for i := range raws {
				if !done[i] {
					s.b.failf(int(raws[i].Location), pgerr.FeatureNotSupported, "mutual recursion between WITH items is not implemented")
				}
			}
		}
		done[next] = true
		out = append(out, raws[next])
	}
	return out
}

// bindRecursive binds a WITH query that refers to itself.
func (s *scope) bindRecursive(c *pg.CommonTableExpr, e *cteEntry) {
	b, pos := s.b, int(c.Location)
	sel := c.Ctequery.GetSelectStmt()
	if sel == nil {
		b.failf(pos, pgerr.InvalidRecursion, "recursive query \"%s\" must not contain data-modifying statements", e.name)
	}
	if sel.Op != pg.SetOperation_SETOP_UNION {
		b.failf(pos, pgerr.InvalidRecursion, "recursive query \"%s\" does not have the form non-recursive-term UNION [ALL] recursive-term", e.name)
	}
	switch {
	case len(sel.SortClause) > 0:
		b.failf(location0(sel.SortClause[0]), pgerr.FeatureNotSupported, "ORDER BY in a recursive query is not implemented")
	case sel.LimitOffset != nil:
		b.failf(location0(sel.LimitOffset), pgerr.FeatureNotSupported, "OFFSET in a recursive query is not implemented")
	case sel.LimitCount != nil:
		b.failf(location0(sel.LimitCount), pgerr.FeatureNotSupported, "LIMIT in a recursive query is not implemented")
	case len(sel.LockingClause) > 0:
		b.failf(-1, pgerr.FeatureNotSupported, "FOR UPDATE/SHARE in a recursive query is not implemented")
	}
	if refersTo(sel.Larg, e.name) > 0 {
		b.failf(rangeVarPos(sel.Larg, e.name), pgerr.InvalidRecursion, "recursive reference to query \"%s\" must not appear within its non-recursive term", e.name)
	}
	(&recursionCheck{b: b, name: e.name}).selectStmt(sel.Rarg)
	e.cte.Query = b.bindSelect(s, sel, e)
	e.cte.Columns = nil
	cols := queryColumns(e.cte.Query)
	e.cte.Columns = cols
	s.nameCTE(e, pos)
}

// location0 returns the position of a raw expression.
func location0(n *pg.Node) int {
	switch x := n.GetNode().(type) {
	case *pg.Node_SortBy:
		return location0(x.SortBy.Node)
	case *pg.Node_ColumnRef:
		return int(x.ColumnRef.Location)
	case *pg.Node_AConst:
		return int(x.AConst.Location)
	case *pg.Node_FuncCall:
		return int(x.FuncCall.Location)
	case *pg.Node_AExpr:
		if x.AExpr.Lexpr != nil {
			if p := location0(x.AExpr.Lexpr); p >= 0 {
				return p
			}
		}
		return int(x.AExpr.Location)
	case *pg.Node_TypeCast:
		return location0(x.TypeCast.Arg)
	case *pg.Node_ParamRef:
		return int(x.ParamRef.Location)
	}
	return -1
}

func rangeVarPos(n proto.Message, name string) int {
	pos := -1
	walkRaw(n.ProtoReflect(), func(m protoreflect.Message) bool {
		if rv, ok := m.Interface().(*pg.RangeVar); ok && rv.Schemaname == "" && rv.Relname == name && pos < 0 {
			pos = int(rv.Location)
		}
		return pos < 0
	})
	return pos
}

// recursionCheck looks for the self-reference in places where it must not stand.
type recursionCheck struct {
	b    *binder
	name string
}

func (r *recursionCheck) refuse(n proto.Message, where string) {
	if n == nil || !n.ProtoReflect().IsValid() || refersTo(n, r.name) == 0 {
		return
	}
	r.b.failf(rangeVarPos(n, r.name), pgerr.InvalidRecursion, "recursive reference to query \"%s\" must not appear within %s", r.name, where)
}

func (r *recursionCheck) selectStmt(sel *pg.SelectStmt) {
	if sel == nil {
		return
	}
	switch sel.Op {
	case pg.SetOperation_SETOP_INTERSECT:
		if sel.All {
			r.refuse(sel, "INTERSECT")
		}
	case pg.SetOperation_SETOP_EXCEPT:
		r.refuse(sel.Rarg, "EXCEPT")
	}
	if sel.Larg != nil {
		r.selectStmt(sel.Larg)
		r.selectStmt(sel.Rarg)
		return
	}
	for _, n := range sel.FromClause {
		r.from(n)
	}
	for _, n := range sel.TargetList {
		r.refuse(n, "a subquery")
	}
	if sel.WhereClause != nil {
		r.refuse(sel.WhereClause, "a subquery")
	}
	if sel.HavingClause != nil {
		r.refuse(sel.HavingClause, "a subquery")
	}
}

func (r *recursionCheck) from(n *pg.Node) {
	j := n.GetJoinExpr()
	if j == nil {
		return
	}
	switch j.Jointype {
	case pg.JoinType_JOIN_LEFT:
		r.refuse(j.Rarg, "an outer join")
	case pg.JoinType_JOIN_RIGHT:
		r.refuse(j.Larg, "an outer join")
	case pg.JoinType_JOIN_FULL:
		r.refuse(j.Larg, "an outer join")
		r.refuse(j.Rarg, "an outer join")
	}
	if j.Quals != nil {
		r.refuse(j.Quals, "a subquery")
	}
	r.from(j.Larg)
	r.from(j.Rarg)
}
