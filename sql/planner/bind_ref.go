package planner

import (
	"slices"

	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// columnRef binds a name: a column, a table's row, or a field.
func (s *scope) columnRef(x *pg.ColumnRef) plan.Expr {
	b, pos := s.b, int(x.Location)
	if s.clause.column != "" {
		b.failf(pos, pgerr.FeatureNotSupported, "cannot use column reference in %s", s.clause.column)
	}
	var parts []string
	for i, f := range x.Fields {
		if f.GetAStar() != nil {
			if i == 0 || i < len(x.Fields)-1 {
				b.failf(pos, pgerr.SyntaxError, "row expansion via \"*\" is not supported here")
			}
			return s.starRow(parts, pos)
		}
		parts = append(parts, f.GetString_().GetSval())
	}
	if len(parts) == 1 {
		if e := s.findColumn(parts[0], pos, false); e != nil {
			return e
		}
		if f := s.findItem("", parts[0], pos); f != nil {
			return s.wholeRow(f, pos)
		}
		if e := b.routine.argument(s, parts, pos); e != nil {
			return e
		}
		s.missingColumn("", parts[0], pos)
	}
	schema, rel, col := "", "", parts[len(parts)-1]
	switch len(parts) {
	case 2:
		rel = parts[0]
	case 3:
		schema, rel = parts[0], parts[1]
	case 4:
		if parts[0] != b.env.Database {
			b.failf(pos, pgerr.FeatureNotSupported, "cross-database references are not implemented: %s", dotted(parts))
		}
		schema, rel = parts[1], parts[2]
	default:
		b.failf(pos, pgerr.SyntaxError, "improper qualified name (too many dotted names): %s", dotted(parts))
	}
	f := s.findItem(schema, rel, pos)
	if f == nil {
		if e := b.routine.argument(s, parts, pos); e != nil {
			return e
		}
		s.missingItem(schema, rel, pos)
	}
	if e := f.item.column(s, col, pos); e != nil {
		return at(asSeenFrom(e, s.levelsTo(f.scope)), pos)
	}
	if e := s.fieldOrFunc(col, s.wholeRow(f, pos), pos); e != nil {
		return e
	}
	if e := b.routine.argument(s, parts, pos); e != nil {
		return e
	}
	s.missingColumn(rel, col, pos)
	return nil
}

// fieldOrFunc binds x.name: a field of a composite value, or a function of it; nil for neither.
func (s *scope) fieldOrFunc(name string, arg plan.Expr, pos int) plan.Expr {
	if e := s.project(name, arg, pos); e != nil {
		return e
	}
	b := s.b
	call := functions.Call{Cands: b.functionsNamed("", name), ArgTypes: []OID{arg.ResultType().OID}, NamedType: b.lookupType("", name), Kinds: "f"}
	res := functions.ResolveFunc(b.env.Types, nil, call)
	switch {
	case res.Status == functions.Found && res.Err == nil:
		return s.plainCall(res, []plan.Expr{arg}, false, pos)
	case res.Status == functions.Coercion && arg.ResultType().OID != types.RecordOID && !b.isComposite(arg.ResultType().OID):
		return b.coerceType(s, arg, b.plainType(res.Ret), functions.Explicit, plan.CastExplicit, pos)
	}
	return nil
}

// project reads a field of a composite value; nil when it has no such field.
func (s *scope) project(name string, arg plan.Expr, pos int) plan.Expr {
	b := s.b
	if v, ok := arg.(*plan.Var); ok && v.Attr == plan.AttrWholeRow {
		r := s.varRel(v)
		for i, c := range r.Columns {
			if c.Name == name && !c.Dropped {
				return &plan.Var{Base: plan.Base{Typ: c.Type, Pos: pos}, Level: v.Level, Rel: v.Rel, Attr: i}
			}
		}
		return nil
	}
	for i, a := range s.rowColumns(arg) {
		if a.Name != name || a.Dropped {
			continue
		}
		if row, ok := arg.(*plan.RowOf); ok && row.Names != nil && row.Typ.OID == types.RecordOID {
			return row.Args[i] // the row of a join alias
		}
		return &plan.Field{Base: plan.Base{Typ: plan.Type{OID: a.Type, Typmod: a.Typmod, Collation: a.Collation}, Pos: pos}, Arg: arg, Index: i, Name: name}
	}
	_ = b
	return nil
}

// starRow binds rel.* where one value is wanted: the whole row.
func (s *scope) starRow(parts []string, pos int) plan.Expr {
	schema, rel := "", parts[len(parts)-1]
	if len(parts) > 1 {
		schema = parts[len(parts)-2]
	}
	f := s.findItem(schema, rel, pos)
	if f == nil {
		s.missingItem(schema, rel, pos)
	}
	return s.wholeRow(f, pos)
}

// starColumns expands * and x.* in a target list or row; false for anything else.
func (s *scope) starColumns(n *pg.Node) ([]nsColumn, bool) {
	if c := n.GetColumnRef(); c != nil {
		if c.Fields[len(c.Fields)-1].GetAStar() == nil {
			return nil, false
		}
		return s.starRef(c), true
	}
	ind := n.GetAIndirection()
	if ind == nil || ind.Indirection[len(ind.Indirection)-1].GetAStar() == nil {
		return nil, false
	}
	var arg plan.Expr
	if rest := ind.Indirection[:len(ind.Indirection)-1]; len(rest) > 0 {
		arg = s.indirection(&pg.A_Indirection{Arg: ind.Arg, Indirection: rest})
	} else {
		arg = s.expr(ind.Arg)
	}
	return s.expandRow(arg), true
}

// expandRow returns the fields of a composite value as columns.
func (s *scope) expandRow(arg plan.Expr) []nsColumn {
	b := s.b
	if v, ok := arg.(*plan.Var); ok && v.Attr == plan.AttrWholeRow {
		var out []nsColumn
		r := s.varRel(v)
		i := 0
		for _, e := range s.rowFields(v) {
			for r.Columns[i].Dropped {
				i++
			}
			out = append(out, nsColumn{name: r.Columns[i].Name, expr: e})
			i++
		}
		return out
	}
	cols := s.rowColumns(arg)
	if cols == nil {
		if arg.ResultType().OID == types.RecordOID {
			b.failf(location(arg), pgerr.FeatureNotSupported, "record type has not been registered")
		}
		b.failf(location(arg), pgerr.WrongObjectType, "type %s is not composite", b.typeName(arg.ResultType().OID))
	}
	var out []nsColumn
	for i, a := range cols {
		if a.Dropped {
			continue
		}
		f := &plan.Field{Base: plan.Base{Typ: plan.Type{OID: a.Type, Typmod: a.Typmod, Collation: a.Collation}, Pos: location(arg)}, Arg: arg, Index: i, Name: a.Name}
		out = append(out, nsColumn{name: a.Name, expr: f})
	}
	return out
}

func (s *scope) starRef(c *pg.ColumnRef) []nsColumn {
	b, pos := s.b, int(c.Location)
	if s.clause.column != "" {
		b.failf(pos, pgerr.FeatureNotSupported, "cannot use column reference in %s", s.clause.column)
	}
	parts := names(c.Fields[:len(c.Fields)-1])
	if len(parts) == 0 {
		var out []nsColumn
		any := false
		for _, it := range s.items {
			if !it.colsVisible || it.lateralOnly && !s.lateral {
				continue
			}
			any = true
			for _, col := range it.cols {
				if col.unstarred {
					continue
				}
				out = append(out, nsColumn{name: col.name, expr: at(col.expr, pos)})
			}
		}
		if !any {
			b.failf(pos, pgerr.SyntaxError, "SELECT * with no tables specified is not valid")
		}
		return out
	}
	schema, rel := "", parts[len(parts)-1]
	switch len(parts) {
	case 1:
	case 2:
		schema = parts[0]
	case 3:
		if parts[0] != b.env.Database {
			b.failf(pos, pgerr.FeatureNotSupported, "cross-database references are not implemented: %s", dotted(append(parts, "*")))
		}
		schema = parts[1]
	default:
		b.failf(pos, pgerr.SyntaxError, "improper qualified name (too many dotted names): %s", dotted(append(parts, "*")))
	}
	f := s.findItem(schema, rel, pos)
	if f == nil {
		if len(parts) == 1 || len(parts) == 2 {
			if e := s.compositeColumn(parts, pos); e != nil {
				return s.expandRow(e)
			}
		}
		if e := b.routine.argument(s, parts, pos); e != nil {
			return s.expandRow(e)
		}
		s.missingItem(schema, rel, pos)
	}
	up := s.levelsTo(f.scope)
	var out []nsColumn
	for _, col := range f.item.cols {
		if col.unstarred {
			continue
		}
		out = append(out, nsColumn{name: col.name, expr: at(asSeenFrom(col.expr, up), pos)})
	}
	return out
}

// compositeColumn finds the column that c.* or t.c.* expands.
func (s *scope) compositeColumn(parts []string, pos int) plan.Expr {
	if len(parts) == 1 {
		return s.findColumn(parts[0], pos, false)
	}
	f := s.findItem("", parts[0], pos)
	if f == nil {
		return nil
	}
	e := f.item.column(s, parts[1], pos)
	if e == nil {
		return nil
	}
	return at(asSeenFrom(e, s.levelsTo(f.scope)), pos)
}

// indirection binds subscripts and field selections.
func (s *scope) indirection(x *pg.A_Indirection) plan.Expr {
	b := s.b
	e := s.expr(x.Arg)
	pos := location(e)
	var subs []*pg.A_Indices
	flush := func() {
		if len(subs) > 0 {
			e = s.subscripts(e, subs, nil)
			subs = nil
		}
	}
	for _, n := range x.Indirection {
		switch i := n.GetNode().(type) {
		case *pg.Node_AIndices:
			subs = append(subs, i.AIndices)
		case *pg.Node_AStar:
			b.failf(pos, pgerr.SyntaxError, "row expansion via \"*\" is not supported here")
		case *pg.Node_String_:
			flush()
			f := s.fieldOrFunc(i.String_.Sval, e, pos)
			if f == nil {
				s.unknownField(i.String_.Sval, e, pos)
			}
			e = f
		}
	}
	flush()
	return e
}

func (s *scope) unknownField(name string, arg plan.Expr, pos int) {
	b := s.b
	t := arg.ResultType().OID
	if v, ok := arg.(*plan.Var); ok && v.Attr == plan.AttrWholeRow {
		b.failf(pos, pgerr.UndefinedColumn, "column %s.%s does not exist", s.varRel(v).Alias, name)
	}
	switch {
	case b.isComposite(t):
		b.failf(pos, pgerr.UndefinedColumn, "column \"%s\" not found in data type %s", name, b.typeName(t))
	case t == types.RecordOID:
		b.failf(pos, pgerr.UndefinedColumn, "could not identify column \"%s\" in record data type", name)
	}
	b.failf(pos, pgerr.WrongObjectType, "column notation .%s applied to type %s, which is not a composite type", name, b.typeName(t))
}

// subscripts binds [i], [l:u] chains on an array or jsonb value; assign is the new value
// of an assignment, or nil.
func (s *scope) subscripts(arg plan.Expr, list []*pg.A_Indices, assign plan.Expr) plan.Expr {
	b := s.b
	base, typmod := b.env.Types.BaseType(arg.ResultType().OID, arg.ResultType().Typmod)
	t := b.env.Types.Type(base)
	if t == nil || t.Subscript == "" || t.Subscript == "-" {
		b.failf(location(arg), pgerr.DatatypeMismatch, "cannot subscript type %s because it does not support subscripting", b.typeName(base))
	}
	if base != arg.ResultType().OID && assign == nil {
		arg = &plan.Relabel{Base: plan.Base{Typ: b.typeOf(base, typmod), Pos: -1}, Arg: arg, Cast: plan.CastImplicit}
	}
	out := &plan.Subscript{Base: plan.Base{Typ: b.plainType(base), Pos: location(arg)}, Arg: arg, Assign: assign}
	for _, i := range list {
		out.Slice = out.Slice || i.IsSlice
	}
	jsonb := base == types.JSONBOID
	if jsonb && out.Slice {
		for _, i := range list {
			if i.IsSlice {
				n := i.Lidx
				if n == nil {
					n = i.Uidx
				}
				pos := -1
				if n != nil {
					pos = location(s.expr(n))
				}
				b.failf(pos, pgerr.DatatypeMismatch, "jsonb subscript does not support slices")
			}
		}
	}
	for _, i := range list {
		var lo, hi plan.Expr
		if i.IsSlice && i.Lidx != nil {
			lo = s.subscript(i.Lidx, jsonb)
		} else if !i.IsSlice && out.Slice {
			lo = b.intConst(1)
		}
		if i.Uidx != nil {
			hi = s.subscript(i.Uidx, jsonb)
		}
		if out.Slice {
			out.Lower = append(out.Lower, lo)
		}
		out.Upper = append(out.Upper, hi)
	}
	if len(out.Upper) > maxDimensions && !jsonb {
		b.failf(-1, pgerr.ProgramLimitExceeded, "number of array dimensions (%d) exceeds the maximum allowed (%d)", len(out.Upper), maxDimensions)
	}
	switch {
	case assign != nil:
		out.Typ = b.typeOf(base, typmod)
	case jsonb || out.Slice:
		out.Typ = b.typeOf(base, typmod)
	default:
		out.Typ = b.typeOf(t.Elem, typmod)
	}
	return out
}

// maxDimensions is PostgreSQL's MAXDIM.
const maxDimensions = 6

func (s *scope) subscript(n *pg.Node, jsonb bool) plan.Expr {
	b := s.b
	e := s.expr(n)
	t := e.ResultType().OID
	if jsonb {
		if t == types.UnknownOID {
			return b.coerceType(s, e, b.plainType(types.TextOID), functions.Implicit, plan.CastImplicit, -1)
		}
		for _, want := range []OID{types.Int4OID, types.TextOID} {
			if b.canCoerce(t, want, functions.Implicit) {
				return b.coerceType(s, e, b.plainType(want), functions.Implicit, plan.CastImplicit, -1)
			}
		}
		b.fail(location(e), pgerr.New(pgerr.DatatypeMismatch, "subscript type %s is not supported", b.typeName(t)).
			WithHint("jsonb subscript must be coercible to either integer or text."))
	}
	out := b.coerceTo(s, e, b.plainType(types.Int4OID), functions.Assignment, plan.CastImplicit, -1)
	if out == nil {
		b.failf(location(e), pgerr.DatatypeMismatch, "array subscript must have type integer")
	}
	return out
}

// relationNamed finds a relation by name or fails with 42P01.
func (b *binder) relationNamed(schema, name string, pos int) *catalog.Relation {
	if schema != "" {
		ns := b.schemaNamed(schema, -1)
		if ns == nil {
			b.failf(pos, pgerr.UndefinedTable, "relation \"%s.%s\" does not exist", schema, name)
		}
		r := b.env.Catalog.RelationByName(ns.OID, name)
		if r == nil {
			b.failf(pos, pgerr.UndefinedTable, "relation \"%s.%s\" does not exist", schema, name)
		}
		return r
	}
	for _, ns := range b.env.SearchPath {
		if r := b.env.Catalog.RelationByName(ns, name); r != nil {
			return r
		}
	}
	b.failf(pos, pgerr.UndefinedTable, "relation \"%s\" does not exist", name)
	return nil
}

// outType returns the type of an OUT argument of a call, with polymorphic types made definite
// by the actual arguments.
func (b *binder) outType(x *plan.Call, declared OID) OID {
	if t := types.ByOID(declared); t == nil || t.TypType != 'p' {
		return declared
	}
	var actual []OID
	for _, a := range x.Args {
		actual = append(actual, a.ResultType().OID)
	}
	if len(actual) != len(x.Func.Args) {
		return declared
	}
	t, err := functions.ResolvePolymorphic(b.env.Types, nil, actual, slices.Clone(x.Func.Args), declared)
	if err != nil || t == 0 {
		return declared
	}
	return t
}
