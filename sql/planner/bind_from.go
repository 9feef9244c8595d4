package planner

import (
	"slices"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/parser"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// The table locks that statements take while they are bound (engine.TableLockMode).
const (
	lockAccessShare  = 1
	lockRowShare     = 2
	lockRowExclusive = 3
)

// The privileges that statements need (bits of PostgreSQL's ACL masks).
const (
	aclInsert = 1 << 0
	aclSelect = 1 << 1
	aclUpdate = 1 << 2
	aclDelete = 1 << 3
)

// from binds a FROM list: its items are crossed, and each may refer to earlier ones if LATERAL.
func (s *scope) from(list []*pg.Node) {
	for _, n := range list {
		it, items := s.fromItem(n)
		s.checkNameConflicts(items, s.items)
		for _, x := range items {
			x.lateralOnly, x.lateralOK = true, true
		}
		s.items = append(s.items, items...)
		s.q.From = append(s.q.From, it)
	}
	for _, x := range s.items {
		x.lateralOnly, x.lateralOK = false, true
	}
}

// fromItem binds one item and returns what names can refer to in it.
func (s *scope) fromItem(n *pg.Node) (plan.FromItem, []*nsItem) {
	b := s.b
	b.enter()
	defer b.leave()
	switch x := n.GetNode().(type) {
	case *pg.Node_RangeVar:
		return s.rangeVar(x.RangeVar)
	case *pg.Node_RangeSubselect:
		return s.rangeSubselect(x.RangeSubselect)
	case *pg.Node_RangeFunction:
		return s.rangeFunction(x.RangeFunction)
	case *pg.Node_JoinExpr:
		return s.join(x.JoinExpr)
	case *pg.Node_RangeTableSample:
		return s.tableSample(x.RangeTableSample)
	case *pg.Node_RangeTableFunc:
		b.fail(int(x.RangeTableFunc.Location), pgerr.Unsupported("XMLTABLE is not supported"))
	}
	b.fail(-1, pgerr.Unsupported("this kind of FROM item is not supported"))
	return nil, nil
}

func (s *scope) single(rel int) (plan.FromItem, []*nsItem) {
	return &plan.RelRef{Rel: rel}, []*nsItem{s.relItem(rel)}
}

func (s *scope) rangeVar(x *pg.RangeVar) (plan.FromItem, []*nsItem) {
	if x.Schemaname == "" {
		if rel, ok := s.cteRef(x); ok {
			return s.finishRel(rel, x.Alias)
		}
	}
	rel := s.openTable(x, s.tableMode(x))
	return s.finishRel(rel, x.Alias)
}

// finishRel applies an alias and makes the name space item.
func (s *scope) finishRel(rel int, alias *pg.Alias) (plan.FromItem, []*nsItem) {
	s.applyAlias(s.q.Rels[rel], alias)
	it, items := s.single(rel)
	items[0].hasAlias = alias != nil
	if alias == nil && s.q.Rels[rel].FromView != 0 {
		items[0].table = s.b.env.Catalog.Relation(s.q.Rels[rel].FromView)
	}
	return it, items
}

// applyAlias renames an entry and its columns.
func (s *scope) applyAlias(r *plan.Rel, alias *pg.Alias) {
	if alias == nil {
		return
	}
	r.Alias = alias.Aliasname
	given := names(alias.Colnames)
	r.Named, r.Given = true, given
	i := 0
	for k := range r.Columns {
		if r.Columns[k].Dropped {
			continue
		}
		if i < len(given) {
			r.Columns[k].Name = given[i]
		}
		i++
	}
	if len(given) > i {
		s.b.failf(-1, pgerr.InvalidColumnReference, "table \"%s\" has %d columns available but %d columns specified", r.Alias, i, len(given))
	}
}

// findRelation finds a relation by its written name, locks it, and looks again if the catalog moved.
func (b *binder) findRelation(x *pg.RangeVar, mode uint8) *catalog.Relation {
	pos := int(x.Location)
	if x.Catalogname != "" && x.Catalogname != b.env.Database {
		b.failf(pos, pgerr.FeatureNotSupported, "cross-database references are not implemented: \"%s.%s.%s\"", x.Catalogname, x.Schemaname, x.Relname)
	}
	for {
		r := b.relationNamed(x.Schemaname, x.Relname, pos)
		if b.env.LockRelation != nil && r.OID >= catalog.FirstUserOID {
			moved, err := b.env.LockRelation(r.OID, mode)
			b.check(pos, err)
			if moved {
				continue
			}
		}
		b.depend(catalog.ClassRelation, r.OID, r.Version)
		return r
	}
}

// tableMode is the lock of a table in FROM: one more for FOR UPDATE and its like.
func (s *scope) tableMode(x *pg.RangeVar) uint8 {
	name := x.Relname
	if x.Alias != nil {
		name = x.Alias.Aliasname
	}
	for _, n := range s.locking {
		list := n.GetLockingClause().LockedRels
		if len(list) == 0 || slices.ContainsFunc(list, func(r *pg.Node) bool { return r.GetRangeVar().Relname == name }) {
			return lockRowShare
		}
	}
	return lockAccessShare
}

// openTable adds the table or view of a RangeVar to the range table.
func (s *scope) openTable(x *pg.RangeVar, mode uint8) int {
	b := s.b
	if x.Schemaname == "" {
		if e := s.hiddenCTE(x); e != nil {
			b.fail(int(x.Location), e)
		}
	}
	if seq := b.sequenceNamed(x.Schemaname, x.Relname); seq != nil {
		return s.addRel(b.sequenceRel(seq))
	}
	r := b.findRelation(x, mode)
	switch r.Kind {
	case catalog.KindComposite:
		b.fail(int(x.Location), pgerr.New(pgerr.WrongObjectType, "cannot open relation \"%s\"", r.Name).WithDetail("This operation is not supported for composite types."))
	case catalog.KindView:
		return s.addRel(b.viewRel(r))
	}
	rel := b.tableRel(r, mode)
	if rel.Only = !x.Inh; x.Inh && r.OID >= catalog.FirstUserOID {
		b.lockChildren(r, mode)
	}
	rel.Required = aclSelect
	return s.addRel(rel)
}

// tableRel makes the range-table entry of a table.
func (b *binder) tableRel(r *catalog.Relation, mode uint8) *plan.Rel {
	rel := &plan.Rel{Kind: plan.RelTable, Alias: r.Name, Table: r, LockMode: mode}
	for i := range r.Columns {
		c := &r.Columns[i]
		rel.Columns = append(rel.Columns, plan.RelColumn{Name: c.Name, Dropped: c.Dropped,
			Type: plan.Type{OID: c.Type, Typmod: c.Typmod, Collation: c.Collation}})
	}
	return rel
}

func (b *binder) sequenceNamed(schema, name string) *catalog.Sequence {
	path := b.env.SearchPath
	if schema != "" {
		ns := b.schemaNamed(schema, -1)
		if ns == nil {
			return nil
		}
		path = []OID{ns.OID}
	}
	for _, ns := range path {
		if b.env.Catalog.RelationByName(ns, name) != nil {
			return nil
		}
		if q := b.env.Catalog.SequenceByName(ns, name); q != nil {
			return q
		}
	}
	return nil
}

// sequenceRel makes a sequence readable as a table of one row.
func (b *binder) sequenceRel(q *catalog.Sequence) *plan.Rel {
	b.depend(catalog.ClassSequence, q.OID, q.Version)
	rel := b.tableRel(&catalog.Relation{Meta: q.Meta, Kind: catalog.KindVirtual, Persistence: q.Persistence, Virtual: q,
		Columns: []catalog.Column{{Num: 1, Name: "last_value", Type: types.Int8OID, Typmod: -1, NotNull: true},
			{Num: 2, Name: "log_cnt", Type: types.Int8OID, Typmod: -1, NotNull: true},
			{Num: 3, Name: "is_called", Type: types.BoolOID, Typmod: -1, NotNull: true}}}, lockAccessShare)
	rel.Required = aclSelect
	return rel
}

// maxViewDepth bounds views that refer to views.
const maxViewDepth = 100

// viewRel makes the subquery that a view stands for.
func (b *binder) viewRel(v *catalog.Relation) *plan.Rel {
	if len(b.views) >= maxViewDepth {
		b.failf(-1, pgerr.StatementTooComplex, "stack depth limit exceeded")
	}
	for _, oid := range b.views {
		if oid == v.OID {
			b.failf(-1, pgerr.InvalidObjectDefinition, "infinite recursion detected in rules for relation \"%s\"", v.Name)
		}
	}
	q := b.decodeQuery(b.viewQuery(v), v.OID)
	if !hasOption(v, "security_invoker") {
		actAs(q, v.Owner)
	}
	rel := &plan.Rel{Kind: plan.RelSubquery, Alias: v.Name, Query: q, FromView: v.OID, Required: aclSelect, Barrier: hasOption(v, "security_barrier")}
	for i := range v.Columns {
		c := &v.Columns[i]
		rel.Columns = append(rel.Columns, plan.RelColumn{Name: c.Name, Dropped: c.Dropped,
			Type: plan.Type{OID: c.Type, Typmod: c.Typmod, Collation: c.Collation}})
	}
	return rel
}

// actAs makes the tables and views inside a view's query accessed with its owner's privileges.
func actAs(q *plan.Query, owner OID) {
	for _, r := range q.Rels {
		if r.Security == 0 {
			r.Security = owner
		}
		if r.Query != nil && r.FromView == 0 {
			actAs(r.Query, owner)
		}
	}
	for _, c := range q.CTEs {
		actAs(c.Query, owner)
	}
	for _, l := range subLinks(q) {
		actAs(l.Query, owner)
	}
}

func (s *scope) rangeSubselect(x *pg.RangeSubselect) (plan.FromItem, []*nsItem) {
	b := s.b
	if x.Alias == nil {
		b.unnamedSubquery(x)
	}
	saved := s.lateral
	s.lateral = x.Lateral
	q := within(s, inFromSub, func() *plan.Query { return b.bindStatement(s, x.Subquery) })
	s.lateral = saved
	r := &plan.Rel{Kind: plan.RelSubquery, Query: q, Lateral: x.Lateral, Alias: "unnamed_subquery"}
	r.Columns = queryColumns(q)
	rel := s.addRel(r)
	s.applyAlias(r, x.Alias)
	it, items := s.single(rel)
	if x.Alias == nil {
		items[0].name, items[0].relVisible = "", false
	} else {
		items[0].hasAlias = true
	}
	return it, items
}

// unnamedSubquery refuses a subquery in FROM without an alias, which the grammar of later versions takes.
func (b *binder) unnamedSubquery(x *pg.RangeSubselect) {
	what, example := "subquery", "SELECT"
	if s := x.Subquery.GetSelectStmt(); s != nil && len(s.ValuesLists) > 0 {
		what, example = "VALUES", "VALUES"
	}
	b.fail(b.opening(x.Subquery), pgerr.New(pgerr.SyntaxError, "%s in FROM must have an alias", what).
		WithHint("For example, FROM (%s ...) [AS] foo.", example))
}

// opening is the place of the parenthesis before a query, which the parse tree does not keep: the last ones before the first
// thing of it that has a place.
func (b *binder) opening(n *pg.Node) int {
	first := firstLocation(n.ProtoReflect())
	if first < 0 {
		return -1
	}
	pos, run := -1, -1
	for sc := parser.NewScanner(b.source); ; {
		t := sc.Next()
		if t.Kind == parser.EOF || t.Kind == parser.Invalid || t.Start >= first {
			return pos
		}
		switch word := strings.ToLower(b.source[t.Start:t.End]); word {
		case "(":
			if run < 0 {
				run = t.Start
			}
		case "select", "values", "with", "table":
			if run >= 0 {
				pos = run
			}
			run = -1
		default:
			run = -1
		}
	}
}

// firstLocation is the smallest place of a raw tree, -1 when it has none.
func firstLocation(m protoreflect.Message) int {
	first := -1
	walkRaw(m, func(m protoreflect.Message) bool {
		if f := m.Descriptor().Fields().ByName("location"); f != nil {
			if at := int(m.Get(f).Int()); at > 0 && (first < 0 || at < first) {
				first = at
			}
		}
		return true
	})
	return first
}

// queryColumns returns the columns that a subquery yields.
func queryColumns(q *plan.Query) []plan.RelColumn {
	var out []plan.RelColumn
	for _, t := range outputOf(q) {
		out = append(out, plan.RelColumn{Name: t.Name, Type: t.Expr.ResultType()})
	}
	return out
}

func (s *scope) tableSample(x *pg.RangeTableSample) (plan.FromItem, []*nsItem) {
	b := s.b
	it, items := s.fromItem(x.Relation)
	r := s.q.Rels[items[0].rel]
	pos := int(x.Location)
	if r.Kind != plan.RelTable || r.Table.Kind == catalog.KindVirtual {
		b.failf(int(x.Relation.GetRangeVar().GetLocation()), pgerr.FeatureNotSupported, "TABLESAMPLE clause can only be applied to tables and materialized views")
	}
	name := names(x.Method)
	method := name[len(name)-1]
	if method != "bernoulli" && method != "system" {
		b.failf(pos, pgerr.UndefinedObject, "tablesample method %s does not exist", dotted(name))
	}
	if len(x.Args) != 1 {
		b.failf(pos, pgerr.InvalidTablesampleArgument, "tablesample method %s requires %d argument, not %d", method, 1, len(x.Args))
	}
	sample := &plan.TableSample{Method: method}
	arg := func(n *pg.Node, t OID, what string) plan.Expr {
		return within(s, inFromFunc, func() plan.Expr { return b.coerceSpecific(s, s.expr(n), t, what) })
	}
	sample.Args = append(sample.Args, arg(x.Args[0], types.Float4OID, "TABLESAMPLE"))
	if x.Repeatable != nil {
		sample.Seed = arg(x.Repeatable, types.Float8OID, "REPEATABLE")
	}
	r.TableSample = sample
	return it, items
}

// rangeFunction binds functions in FROM.
func (s *scope) rangeFunction(x *pg.RangeFunction) (plan.FromItem, []*nsItem) {
	b := s.b
	saved := s.lateral
	s.lateral = true // functions in FROM are lateral by nature
	defer func() { s.lateral = saved }()
	r := &plan.Rel{Kind: plan.RelFunction, Lateral: true, Ordinality: x.Ordinality}
	for _, fn := range expandUnnest(x.Functions) {
		pair := fn.GetList().GetItems()
		raw := pair[0]
		var defs []*pg.Node
		if len(pair) > 1 && pair[1].GetList() != nil {
			defs = pair[1].GetList().Items
		}
		if len(x.Coldeflist) > 0 {
			if len(x.Functions) != 1 || len(defs) > 0 {
				b.fail(int(x.Coldeflist[0].GetColumnDef().Location), pgerr.New(pgerr.SyntaxError, "ROWS FROM() with multiple functions cannot have a column definition list").
					WithHint("Put a separate column definition list for each function inside ROWS FROM()."))
			}
			if x.Ordinality {
				b.fail(int(x.Coldeflist[0].GetColumnDef().Location), pgerr.New(pgerr.SyntaxError, "WITH ORDINALITY cannot be used with a column definition list").
					WithHint("Put the column definition list inside ROWS FROM()."))
			}
			defs = x.Coldeflist
		}
		s.lastSRF = nil
		name := figureName(raw)
		e := within(s, inFromFunc, func() plan.Expr { return s.expr(raw) })
		if unknownType(e) {
			e = b.resolveUnknown(s, e)
		}
		if e.ResultType().OID == types.AnyArrayOID {
			b.failf(location(e), pgerr.DatatypeMismatch, "function \"%s\" in FROM has unsupported return type anyarray", name)
		}
		f := s.funcRef(e, name, defs, x.Alias, len(x.Functions) == 1)
		r.Funcs = append(r.Funcs, f)
		for i := range f.Types {
			r.Columns = append(r.Columns, plan.RelColumn{Name: f.Names[i], Type: f.Types[i]})
		}
		if r.Alias == "" {
			r.Alias = name
		}
	}
	if x.Ordinality {
		r.Columns = append(r.Columns, plan.RelColumn{Name: "ordinality", Type: b.plainType(types.Int8OID)})
	}
	rel := s.addRel(r)
	s.applyAlias(r, x.Alias)
	it, items := s.single(rel)
	items[0].hasAlias = x.Alias != nil
	return it, items
}

// expandUnnest turns unnest(a, b) into unnest(a), unnest(b), side by side as ROWS FROM does.
func expandUnnest(list []*pg.Node) []*pg.Node {
	var out []*pg.Node
	for _, fn := range list {
		pair := fn.GetList().GetItems()
		call := pair[0].GetFuncCall()
		if call == nil || len(call.Funcname) != 1 || call.Funcname[0].GetString_().GetSval() != "unnest" || len(call.Args) < 2 ||
			len(pair) > 1 && pair[1].GetList() != nil || len(call.AggOrder) > 0 || call.AggFilter != nil || call.Over != nil ||
			call.AggStar || call.AggDistinct || call.FuncVariadic {
			out = append(out, fn)
			continue
		}
		for _, a := range call.Args {
			one := &pg.FuncCall{Funcname: []*pg.Node{pg.MakeStrNode("pg_catalog"), pg.MakeStrNode("unnest")}, Args: []*pg.Node{a}, Location: call.Location}
			out = append(out, pg.MakeListNode([]*pg.Node{{Node: &pg.Node_FuncCall{FuncCall: one}}}))
		}
	}
	return out
}

// funcRef finds out which columns a function in FROM yields.
func (s *scope) funcRef(e plan.Expr, name string, defs []*pg.Node, alias *pg.Alias, only bool) *plan.FuncRef {
	b := s.b
	f := &plan.FuncRef{Expr: e}
	t := e.ResultType()
	var call *plan.Call
	if c, ok := e.(*plan.Call); ok {
		call = c
	}
	var cols []types.Attribute
	if t.OID != types.RecordOID {
		cols = b.attributes(t.OID)
	} else if call != nil {
		cols = b.rowColumnsOf(call, nil)
	}
	if len(defs) > 0 {
		switch {
		case t.OID != types.RecordOID:
			b.failf(int(defs[0].GetColumnDef().Location), pgerr.SyntaxError, "a column definition list is only allowed for functions returning \"record\"")
		case len(cols) > 0:
			b.failf(int(defs[0].GetColumnDef().Location), pgerr.SyntaxError, "a column definition list is redundant for a function with OUT parameters")
		}
		for _, n := range defs {
			d := n.GetColumnDef()
			ct := b.resolveTypeName(d.TypeName)
			if d.CollClause != nil {
				ct.Collation = b.collation(names(d.CollClause.Collname), int(d.CollClause.Location))
			}
			f.Types, f.Names = append(f.Types, ct), append(f.Names, d.Colname)
		}
		f.Columns, f.Defined = len(f.Types), true
		return f
	}
	if len(cols) > 0 {
		for _, c := range cols {
			if !c.Dropped {
				f.Types = append(f.Types, plan.Type{OID: c.Type, Typmod: c.Typmod, Collation: c.Collation})
				f.Names = append(f.Names, c.Name)
			}
		}
		f.Columns = len(f.Types)
		return f
	}
	if t.OID == types.RecordOID {
		b.failf(location(e), pgerr.SyntaxError, "a column definition list is required for functions returning \"record\"")
	}
	f.Scalar, f.Columns = true, 1
	col := name
	if call != nil {
		if out, _ := call.Func.OutColumns(); len(out) == 1 && out[0] != "" {
			col = out[0]
		} else if only && alias != nil {
			col = alias.Aliasname
		}
	} else if only && alias != nil {
		col = alias.Aliasname
	}
	f.Types, f.Names = []plan.Type{b.typeOf(t.OID, t.Typmod)}, []string{col}
	return f
}
