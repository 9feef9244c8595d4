package planner

import (
	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// scope is one query level while it is bound: PostgreSQL's ParseState.
type scope struct {
	b      *binder
	parent *scope
	q      *plan.Query
	items  []*nsItem   // what names can refer to, in FROM order
	ctes   []*cteEntry // WITH queries that are visible at this level
	clause clause
	// lateral tells that a LATERAL item is being bound, which may see items on its left.
	lateral bool
	windows []windowDef
	// lastSRF is a set-returning function that was bound at this level, for the checks on nesting.
	lastSRF plan.Expr
	// locking are the FOR UPDATE clauses of the query.
	locking []*pg.Node
	resolve bool         // untyped literals among the targets become text
	parts   map[int]bool // attributes that INSERT sets by their elements or fields
	view    *viewTarget  // that the statement changes rows through, or nil
}

// nsItem is something in FROM that names can refer to: a range-table entry or a join.
type nsItem struct {
	name        string // "" for a join or subquery without alias
	rel         int    // index into Rels, -1 for a join
	cols        []nsColumn
	table       *catalog.Relation // for schema-qualified references
	view        *catalog.Relation // that a statement changes rows through: cols are over the table below
	hasAlias    bool
	relVisible  bool
	colsVisible bool
	lateralOnly bool // visible to LATERAL items only
	lateralOK   bool // … and they may really refer to it
	proposed    bool // the row that INSERT proposes: it is in no table yet
}

// nsColumn is a column of an nsItem and what it stands for at its own level.
type nsColumn struct {
	name      string
	expr      plan.Expr
	unstarred bool // * leaves it out
}

func (b *binder) newScope(parent *scope) *scope {
	return &scope{b: b, parent: parent, q: &plan.Query{}, resolve: true}
}

// levels returns how many query levels of s lie inside the one of outer.
func (s *scope) levelsTo(outer *scope) int {
	n := 0
	for x := s; x != outer; x = x.parent {
		n++
	}
	return n
}

// asSeenFrom returns e, which belongs to a query level, as seen n levels further inside.
func asSeenFrom(e plan.Expr, n int) plan.Expr {
	if n == 0 {
		return e
	}
	return plan.Rewrite(e, func(x plan.Expr) plan.Expr {
		switch v := x.(type) {
		case *plan.Var:
			w := *v
			w.Level += n
			return &w
		case *plan.SubLink: // in a column of a view
			w := *v
			w.Query = plan.CloneQuery(v.Query)
			deepenQuery(w.Query, n, 1)
			return &w
		}
		return x
	})
}

// deepenQuery makes the references of a subquery to the levels around it reach n levels further out.
func deepenQuery(q *plan.Query, n, depth int) {
	move := func(e plan.Expr) plan.Expr {
		return plan.Rewrite(e, func(x plan.Expr) plan.Expr {
			switch v := x.(type) {
			case *plan.Var:
				if v.Level >= depth {
					w := *v
					w.Level += n
					return &w
				}
			case *plan.SubLink:
				deepenQuery(v.Query, n, depth+1)
			}
			return x
		})
	}
	plan.MapQuery(q, move)
	for _, r := range q.Rels {
		if r.Query != nil {
			deepenQuery(r.Query, n, depth+1)
		}
	}
	for _, c := range q.CTEs {
		deepenQuery(c.Query, n, depth+1)
	}
}

// at returns a copy of a Var or merged column at a position of the text.
func at(e plan.Expr, pos int) plan.Expr {
	switch x := e.(type) {
	case *plan.Var:
		v := *x
		v.Pos = pos
		return &v
	case *plan.Coalesce:
		c := *x
		c.Pos = pos
		return &c
	case *plan.Relabel:
		c := *x
		c.Pos = pos
		return &c
	case *plan.Call:
		c := *x
		c.Pos = pos
		return &c
	}
	return e
}

// addRel adds an entry to the range table and returns its index.
func (s *scope) addRel(r *plan.Rel) int {
	if len(s.q.Rels) >= maxRangeTable {
		s.b.failf(-1, pgerr.ProgramLimitExceeded, "too many range table entries")
	}
	s.q.Rels = append(s.q.Rels, r)
	return len(s.q.Rels) - 1
}

// maxRangeTable bounds the range table of one query level.
const maxRangeTable = 65000

// relItem makes the name space item of a range-table entry.
func (s *scope) relItem(rel int) *nsItem {
	r := s.q.Rels[rel]
	it := &nsItem{name: r.Alias, rel: rel, table: r.Table, relVisible: true, colsVisible: true, lateralOK: true}
	for i, c := range r.Columns {
		if c.Dropped {
			continue
		}
		it.cols = append(it.cols, nsColumn{name: c.Name, expr: s.relVar(rel, i), unstarred: i >= len(r.Columns)-r.Unstarred})
	}
	return it
}

func (s *scope) relVar(rel, attr int) *plan.Var {
	return &plan.Var{Base: plan.Base{Typ: s.q.Rels[rel].Columns[attr].Type, Pos: -1}, Rel: rel, Attr: attr}
}

// addItem makes an item visible, after checking that its name is not taken.
func (s *scope) addItem(it *nsItem) {
	s.checkNameConflicts([]*nsItem{it}, s.items)
	s.items = append(s.items, it)
}

func (s *scope) checkNameConflicts(left, right []*nsItem) {
	for _, a := range left {
		if !a.relVisible || a.name == "" {
			continue
		}
		for _, c := range right {
			if !c.relVisible || c.name != a.name {
				continue
			}
			if a.table != nil && c.table != nil && !a.hasAlias && !c.hasAlias && a.table.OID != c.table.OID {
				continue // schema1.t and schema2.t can be told apart
			}
			s.b.failf(-1, pgerr.DuplicateAlias, "table name \"%s\" specified more than once", a.name)
		}
	}
}

// column is what a column name was found to be.
type found struct {
	item  *nsItem
	scope *scope
}

// findColumn looks an unqualified column name up, from the inside out.
func (s *scope) findColumn(name string, pos int, localOnly bool) plan.Expr {
	for sc := s; sc != nil; sc = sc.parent {
		var hit plan.Expr
		var from *nsItem
		for _, it := range sc.items {
			if !it.colsVisible || it.lateralOnly && !sc.lateral {
				continue
			}
			e := it.column(s, name, pos)
			if e == nil {
				continue
			}
			if hit != nil {
				s.b.failf(pos, pgerr.AmbiguousColumn, "column reference \"%s\" is ambiguous", name)
			}
			hit, from = e, it
		}
		if hit != nil {
			sc.checkLateral(from, pos)
			return at(asSeenFrom(hit, s.levelsTo(sc)), pos)
		}
		if localOnly {
			break
		}
	}
	return nil
}

// column returns what a name means in an item, nil when it has no such column.
func (it *nsItem) column(s *scope, name string, pos int) plan.Expr {
	b := s.b
	var hit plan.Expr
	for i := range it.cols {
		if it.cols[i].name == name {
			if hit != nil {
				b.failf(pos, pgerr.AmbiguousColumn, "column reference \"%s\" is ambiguous", name)
			}
			hit = it.cols[i].expr
		}
	}
	if hit != nil || it.rel < 0 || it.table == nil {
		return hit
	}
	if sys, ok := systemColumns[name]; ok && !it.proposed && hasSystemColumns(it.table) {
		s.refuseSystemColumn(name, pos)
		return &plan.Var{Base: plan.Base{Typ: plan.Type{OID: sys.typ, Typmod: -1}, Pos: pos}, Rel: it.rel, Attr: sys.attr}
	}
	return nil
}

// refuseSystemColumn keeps expressions that are computed before a row is stored from what it has only then.
func (s *scope) refuseSystemColumn(name string, pos int) {
	switch {
	case name == "tableoid":
	case s.clause == inGenerated:
		s.b.failf(pos, pgerr.InvalidColumnReference, "cannot use system column \"%s\" in column generation expression", name)
	case s.clause == inCheck:
		s.b.failf(pos, pgerr.InvalidColumnReference, "system column \"%s\" reference in check constraint is invalid", name)
	}
}

func hasSystemColumns(r *catalog.Relation) bool {
	return r.Kind == catalog.KindTable || r.Kind == catalog.KindMatView || r.Kind == catalog.KindVirtual
}

// systemColumns are the columns that every table has without declaring them.
var systemColumns = map[string]struct {
	attr int
	typ  OID
}{
	"ctid":     {plan.AttrKey, types.TIDOID},
	"tableoid": {plan.AttrTableOID, types.OIDOID},
	"xmin":     {plan.AttrXmin, types.XIDOID},
	"cmin":     {plan.AttrCmin, types.CIDOID},
	"xmax":     {plan.AttrXmax, types.XIDOID},
	"cmax":     {plan.AttrCmax, types.CIDOID},
}

// findItem looks a relation name up, from the inside out.
func (s *scope) findItem(schema, name string, pos int) *found {
	var relation OID
	if schema != "" {
		ns := s.b.env.Catalog.SchemaByName(schema)
		if ns == nil {
			return nil
		}
		r := s.b.env.Catalog.RelationByName(ns.OID, name)
		if r == nil {
			return nil
		}
		relation = r.OID
	}
	for sc := s; sc != nil; sc = sc.parent {
		var hit *nsItem
		for _, it := range sc.items {
			if !it.relVisible || it.lateralOnly && !sc.lateral || it.name != name {
				continue
			}
			if schema != "" && (it.table == nil || it.table.OID != relation || it.hasAlias) {
				continue
			}
			if hit != nil {
				s.b.failf(pos, pgerr.AmbiguousAlias, "table reference \"%s\" is ambiguous", name)
			}
			hit = it
		}
		if hit != nil {
			sc.checkLateral(hit, pos)
			return &found{item: hit, scope: sc}
		}
	}
	return nil
}

// checkLateral refuses a reference to an item that a LATERAL item must not see.
func (s *scope) checkLateral(it *nsItem, pos int) {
	if !it.lateralOnly || it.lateralOK {
		return
	}
	e := pgerr.New(pgerr.InvalidColumnReference, "invalid reference to FROM-clause entry for table \"%s\"", it.name)
	if s.q.Command == plan.Select || it.rel != s.q.Result {
		e.WithDetail("The combining JOIN type must be INNER or LEFT for a LATERAL reference.")
	} else {
		e.WithHint("There is an entry for table \"%s\", but it cannot be referenced from this part of the query.", it.name)
	}
	s.b.fail(pos, e)
}

// wholeRow returns the row of an item as one value, as seen from s.
func (s *scope) wholeRow(f *found, pos int) plan.Expr {
	up := s.levelsTo(f.scope)
	it := f.item
	if it.rel < 0 || it.view != nil {
		row := &plan.RowOf{Base: plan.Base{Typ: plan.Type{OID: types.RecordOID, Typmod: -1}, Pos: pos}}
		for _, c := range it.cols {
			row.Args = append(row.Args, asSeenFrom(c.expr, up))
			row.Names = append(row.Names, c.name)
		}
		if it.view != nil && it.view.RowType != 0 {
			row.Typ.OID = it.view.RowType
		}
		return row
	}
	r := f.scope.q.Rels[it.rel]
	typ := plan.Type{OID: types.RecordOID, Typmod: -1}
	switch {
	case r.Kind == plan.RelTable:
		if r.Table.RowType != 0 {
			typ.OID = r.Table.RowType
		}
	case r.FromView != 0:
		if v := s.b.env.Catalog.Relation(r.FromView); v != nil && v.RowType != 0 {
			typ.OID = v.RowType
		}
	case r.Kind == plan.RelFunction && len(r.Funcs) == 1 && !r.Ordinality:
		if r.Funcs[0].Scalar {
			return at(asSeenFrom(f.scope.relVar(it.rel, 0), up), pos)
		}
		if t := r.Funcs[0].Expr.ResultType().OID; t != types.RecordOID {
			typ.OID = t
		}
	}
	return &plan.Var{Base: plan.Base{Typ: typ, Pos: pos}, Level: up, Rel: it.rel, Attr: plan.AttrWholeRow}
}

// varRel returns the range-table entry that a Var seen from s belongs to.
func (s *scope) varRel(v *plan.Var) *plan.Rel {
	sc := s
	for range v.Level {
		if sc = sc.parent; sc == nil {
			return nil
		}
	}
	if v.Rel >= len(sc.q.Rels) {
		return nil
	}
	return sc.q.Rels[v.Rel]
}
