package planner

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// coerceTo converts an expression to a type with a modifier; nil when the context allows
// no such conversion.
func (b *binder) coerceTo(s *scope, e plan.Expr, t plan.Type, ctx functions.CoercionContext, form plan.CastForm, pos int) plan.Expr {
	if !b.canCoerce(e.ResultType().OID, t.OID, ctx) {
		return nil
	}
	// A conversion goes below COLLATE, so that the clause stays on top.
	if c, ok := e.(*plan.Collate); ok {
		inner := b.coerceTo(s, c.Arg, t, ctx, form, pos)
		if inner == nil || b.env.Types.Type(t.OID) == nil || b.env.Types.Type(t.OID).Collation == 0 {
			return inner
		}
		n := *c
		n.Arg = inner
		n.Typ = inner.ResultType()
		n.Typ.Collation = c.Typ.Collation
		return &n
	}
	out := b.coerceType(s, e, t, ctx, form, pos)
	return b.coerceTypmod(out, t, ctx, form, pos, out != e && !isConst(out))
}

func isConst(e plan.Expr) bool { _, ok := e.(*plan.Const); return ok }

func (b *binder) canCoerce(source, target OID, ctx functions.CoercionContext) bool {
	return functions.CanCoerce(b.env.Types, nil, []OID{source}, []OID{target}, ctx) || b.rowToComposite(source, target)
}

// rowToComposite: a composite value can become a row type that inherits, or the same by record.
func (b *binder) rowToComposite(source, target OID) bool {
	return source == types.RecordOID && b.isComposite(target) || target == types.RecordOID && b.isComposite(source)
}

// coerceType converts an expression to a type, leaving the modifier to coerceTypmod.
func (b *binder) coerceType(s *scope, e plan.Expr, t plan.Type, ctx functions.CoercionContext, form plan.CastForm, pos int) plan.Expr {
	source := e.ResultType().OID
	if source == t.OID {
		return e
	}
	switch t.OID {
	case types.AnyOID, types.AnyElementOID, types.AnyNonArrayOID, types.AnyCompatibleOID, types.AnyCompatibleNonArrayOID:
		return e
	case types.AnyArrayOID, types.AnyEnumOID, types.AnyRangeOID, types.AnyMultirangeOID, types.AnyCompatibleArrayOID,
		types.AnyCompatibleRangeOID, types.AnyCompatibleMultirangeOID:
		if source != types.UnknownOID {
			base, typmod := b.env.Types.BaseType(source, e.ResultType().Typmod)
			if base != source {
				return &plan.Relabel{Base: plan.Base{Typ: b.typeOf(base, typmod), Pos: pos}, Arg: e, Cast: plan.CastImplicit}
			}
			return e
		}
	}
	if source == types.UnknownOID {
		switch x := e.(type) {
		case *plan.Const:
			return b.readLiteral(x, t, ctx, form, pos)
		case *plan.Param:
			return b.inferParam(x, t, ctx, form, pos)
		}
	}
	if c, ok := e.(*plan.Collate); ok {
		n := *c
		n.Arg = b.coerceType(s, c.Arg, t, ctx, form, pos)
		n.Typ = n.Arg.ResultType()
		n.Typ.Collation = c.Typ.Collation
		return &n
	}
	path, cast := functions.FindCoercion(b.env.Types, nil, source, t.OID, ctx)
	base, baseMod := b.env.Types.BaseType(t.OID, t.Typmod)
	if path != functions.PathNone {
		if base == t.OID {
			baseMod = t.Typmod
		}
		if base == t.OID {
			return b.convert(s, e, path, cast, b.typeOf(base, baseMod), ctx, form, pos)
		}
		out := b.convert(s, e, path, cast, b.typeOf(base, baseMod), ctx, plan.CastImplicit, pos)
		return b.toDomain(out, t.OID, form, pos, false)
	}
	switch {
	case source == types.RecordOID && b.isComposite(t.OID):
		return b.recordToComposite(s, e, t.OID, ctx, form, pos)
	case t.OID == types.RecordOID && b.isComposite(source), t.OID == types.RecordArrayOID && b.isComposite(b.elementType(source)):
		return e
	}
	if source == types.UnknownOID {
		return b.ioCast(e, t.OID, form, pos) // a subquery's untyped column and the like
	}
	b.failf(pos, pgerr.InternalError, "failed to find conversion function from %s to %s", b.typeName(source), b.typeName(t.OID))
	return nil
}

func (b *binder) ioCast(e plan.Expr, t OID, form plan.CastForm, pos int) plan.Expr {
	base, _ := b.env.Types.BaseType(t, -1)
	inner := form
	if base != t {
		inner = plan.CastImplicit // what is asked for is the domain
	}
	out := plan.Expr(&plan.IOCast{Base: plan.Base{Typ: b.plainType(base), Pos: pos}, Arg: e, Cast: inner})
	if base != t {
		out = b.toDomain(out, t, form, pos, false)
	}
	return out
}

// convert applies one coercion path to a base type.
func (b *binder) convert(s *scope, e plan.Expr, path functions.CoercionPath, cast *functions.CastInfo, t plan.Type, ctx functions.CoercionContext, form plan.CastForm, pos int) plan.Expr {
	switch path {
	case functions.PathRelabel:
		src := e.ResultType()
		if src.OID == t.OID {
			return e
		}
		// A relabel keeps no modifier: what it had meant something for the old type.
		return &plan.Relabel{Base: plan.Base{Typ: b.plainType(t.OID), Pos: pos}, Arg: e, Cast: form}
	case functions.PathFunc:
		return b.castCall(e, cast.Func, t, ctx, form, pos)
	case functions.PathArray:
		return b.arrayCast(s, e, t, ctx, form, pos)
	}
	return &plan.IOCast{Base: plan.Base{Typ: b.plainType(t.OID), Pos: pos}, Arg: e, Cast: form}
}

// castCall calls a cast function, with modifier and explicitness where it takes them.
func (b *binder) castCall(e plan.Expr, f *functions.Func, t plan.Type, ctx functions.CoercionContext, form plan.CastForm, pos int) plan.Expr {
	c := &plan.Call{Base: plan.Base{Typ: b.plainType(t.OID), Pos: pos}, Func: f, Args: []plan.Expr{e}, Cast: form}
	if len(f.Args) > 1 {
		c.Args = append(c.Args, b.intConst(int64(t.Typmod)))
		c.Typ.Typmod = t.Typmod
	}
	if len(f.Args) > 2 {
		c.Args = append(c.Args, b.boolConst(ctx == functions.Explicit))
	}
	if f.Ret == types.Int4OID && types.Unsigned32(t.OID) { // int2 becomes oid by way of int4
		c.Typ = b.plainType(f.Ret)
		return &plan.Relabel{Base: plan.Base{Typ: b.plainType(t.OID), Pos: pos}, Arg: c, Cast: form}
	}
	return c
}

func (b *binder) intConst(v int64) *plan.Const {
	return &plan.Const{Base: plan.Base{Typ: plan.Type{OID: types.Int4OID, Typmod: -1}, Pos: -1}, Value: column.IntDatum(v)}
}

func (b *binder) boolConst(v bool) *plan.Const {
	return &plan.Const{Base: plan.Base{Typ: plan.Type{OID: types.BoolOID, Typmod: -1}, Pos: -1}, Value: column.BoolDatum(v)}
}

func (b *binder) nullConst(t plan.Type) *plan.Const {
	return &plan.Const{Base: plan.Base{Typ: t, Pos: -1}, Value: column.Null()}
}

// arrayCast converts an array element by element.
func (b *binder) arrayCast(s *scope, e plan.Expr, t plan.Type, ctx functions.CoercionContext, form plan.CastForm, pos int) plan.Expr {
	base, typmod := b.env.Types.BaseType(e.ResultType().OID, e.ResultType().Typmod)
	elem := plan.Type{OID: b.elementType(base), Typmod: typmod}
	test := &plan.CaseTest{Base: plan.Base{Typ: b.typeOf(elem.OID, typmod), Pos: -1}}
	target := b.typeOf(b.elementType(t.OID), t.Typmod)
	conv := b.coerceType(s, test, target, ctx, form, pos)
	conv = b.coerceTypmod(conv, target, ctx, form, pos, conv != plan.Expr(test))
	typ := b.typeOf(t.OID, -1)
	typ.Typmod = conv.ResultType().Typmod
	return &plan.ArrayCast{Base: plan.Base{Typ: typ, Pos: pos}, Arg: e, Elem: conv, Cast: form}
}

// toDomain checks a value of the base type against a domain.
func (b *binder) toDomain(e plan.Expr, domain OID, form plan.CastForm, pos int, hide bool) plan.Expr {
	base, typmod := b.env.Types.BaseType(domain, -1)
	if typmod >= 0 {
		ctx := functions.Implicit
		if form == plan.CastExplicit {
			ctx = functions.Explicit
		}
		e = b.coerceTypmod(e, plan.Type{OID: base, Typmod: typmod}, ctx, plan.CastImplicit, pos, hide)
	}
	return &plan.DomainCast{Base: plan.Base{Typ: b.plainType(domain), Pos: pos}, Arg: e, Cast: form}
}

// coerceTypmod makes a value fit a type modifier.
func (b *binder) coerceTypmod(e plan.Expr, t plan.Type, ctx functions.CoercionContext, form plan.CastForm, pos int, hide bool) plan.Expr {
	if e.ResultType().Typmod == t.Typmod || e.ResultType().OID != t.OID || t.Typmod < 0 && form != plan.CastExplicit {
		return e
	}
	if hide {
		hideCast(e)
	}
	if t.Typmod < 0 {
		return withoutTypmod(e, form, pos)
	}
	if elem := b.elementType(t.OID); elem != 0 && t.OID != types.OIDVectorOID && t.OID != types.Int2VectorOID {
		if c, ok := functions.Cast(elem, elem); !ok || c.Func == nil {
			return e
		}
		test := &plan.CaseTest{Base: plan.Base{Typ: b.typeOf(elem, e.ResultType().Typmod), Pos: -1}}
		et := b.typeOf(elem, t.Typmod)
		conv := b.coerceTypmod(test, et, ctx, form, pos, false)
		typ := b.typeOf(t.OID, t.Typmod)
		return &plan.ArrayCast{Base: plan.Base{Typ: typ, Pos: pos}, Arg: e, Elem: conv, Cast: form}
	}
	c, ok := functions.Cast(t.OID, t.OID)
	if !ok || c.Func == nil {
		return e
	}
	return b.castCall(e, c.Func, b.typeOf(t.OID, t.Typmod), ctx, form, pos)
}

// hideCast makes a conversion one that need not be shown, because the one to the modifier is.
func hideCast(e plan.Expr) {
	switch x := e.(type) {
	case *plan.Call:
		if x.Cast != plan.CastNone {
			x.Cast = plan.CastImplicit
		}
	case *plan.Relabel:
		x.Cast = plan.CastImplicit
	case *plan.IOCast:
		x.Cast = plan.CastImplicit
	case *plan.ArrayCast:
		x.Cast = plan.CastImplicit
	case *plan.DomainCast:
		x.Cast = plan.CastImplicit
	case *plan.RowCast:
		x.Cast = plan.CastImplicit
	}
}

// withoutTypmod gives a value its type without a modifier: a cast to numeric of a numeric(10,2) changes no digit, but what
// is known of it.
func withoutTypmod(e plan.Expr, form plan.CastForm, pos int) plan.Expr {
	t := e.ResultType()
	t.Typmod = -1
	if c, ok := e.(*plan.Const); ok {
		n := *c
		n.Typ = t
		return &n
	}
	if r, ok := e.(*plan.Relabel); ok && r.Arg.ResultType().OID == t.OID {
		e = r.Arg
	}
	return &plan.Relabel{Base: plan.Base{Typ: t, Pos: pos}, Arg: e, Cast: form}
}

// readLiteral gives an untyped literal a type by reading its text.
func (b *binder) readLiteral(c *plan.Const, t plan.Type, ctx functions.CoercionContext, form plan.CastForm, pos int) plan.Expr {
	base, baseMod := b.env.Types.BaseType(t.OID, t.Typmod)
	readMod := int32(-1)
	if base == types.IntervalOID {
		readMod = baseMod
	}
	n := *c
	n.Typ = b.typeOf(base, readMod)
	n.Typ.Typmod = -1
	if base == types.IntervalOID {
		n.Typ.Typmod = readMod
	}
	if !c.Value.Null {
		if x := b.env.Types.Type(base); x != nil && x.TypType == 'p' && base != types.CstringOID && base != types.VoidOID && base != types.UnknownOID {
			b.check(c.Pos, b.env.Types.CanIn(base))
		}
		d, err := b.env.Types.In(base, readMod, string(c.Value.B))
		b.check(c.Pos, err)
		n.Value = d
		if regType(base) || base == types.IntervalOID && readMod >= 0 {
			n.Free = false // names are resolved now
		}
		switch base {
		case types.DateOID, types.TimestampOID, types.TimestamptzOID, types.TimeOID, types.TimetzOID:
			if relativeTime(string(c.Value.B)) {
				n.Free = false
			}
		}
	}
	out := plan.Expr(&n)
	if base != t.OID {
		out = b.toDomain(out, t.OID, form, pos, false)
	}
	return out
}

// relativeTime reports whether a date or time literal may mean another moment later.
func relativeTime(s string) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; c >= 'a' && c <= 'z' && c != 't' && c != 'z' {
			return true
		}
	}
	return false
}

func regType(t OID) bool {
	switch t {
	case types.RegclassOID, types.RegprocOID, types.RegprocedureOID, types.RegoperOID, types.RegoperatorOID, types.RegtypeOID,
		types.RegroleOID, types.RegnamespaceOID, types.RegconfigOID, types.RegdictionaryOID, types.RegcollationOID:
		return true
	}
	return false
}

// inferParam gives a parameter of unknown type the type that its context wants.
func (b *binder) inferParam(p *plan.Param, t plan.Type, ctx functions.CoercionContext, form plan.CastForm, pos int) plan.Expr {
	have := b.params[p.N-1]
	switch {
	case have == 0 || have == types.UnknownOID:
		b.params[p.N-1] = t.OID
	case have != t.OID:
		b.fail(p.Pos, pgerr.New(pgerr.AmbiguousParameter, "inconsistent types deduced for parameter $%d", p.N).
			WithDetail("%s versus %s", b.typeName(have), b.typeName(t.OID)))
	}
	n := *p
	n.Typ = b.plainType(t.OID)
	if pos >= 0 && (p.Pos < 0 || pos < p.Pos) {
		n.Pos = pos
	}
	return &n
}

// recordToComposite converts ROW(…) or a record to a named row type field by field.
func (b *binder) recordToComposite(s *scope, e plan.Expr, t OID, ctx functions.CoercionContext, form plan.CastForm, pos int) plan.Expr {
	var args []plan.Expr
	switch x := e.(type) {
	case *plan.RowOf:
		args = x.Args
	case *plan.Var:
		if x.Attr == plan.AttrWholeRow && s != nil {
			args = s.rowFields(x)
		}
	}
	base, _ := b.env.Types.BaseType(t, -1)
	fail := func(detail string, a ...any) {
		b.fail(pos, pgerr.New(pgerr.CannotCoerce, "cannot cast type %s to %s", "record", b.typeName(t)).WithDetail(detail, a...))
	}
	if args == nil {
		b.failf(pos, pgerr.CannotCoerce, "cannot cast type %s to %s", "record", b.typeName(t))
	}
	row := &plan.RowOf{Base: plan.Base{Typ: b.plainType(base), Pos: pos}}
	i := 0
	for _, a := range b.attributes(base) {
		row.Names = append(row.Names, a.Name)
		if a.Dropped {
			row.Args = append(row.Args, b.nullConst(plan.Type{OID: types.Int4OID, Typmod: -1}))
			continue
		}
		if i >= len(args) {
			fail("Input has too few columns.")
		}
		at := plan.Type{OID: a.Type, Typmod: a.Typmod, Collation: a.Collation}
		v := b.coerceTo(s, args[i], at, ctx, plan.CastImplicit, pos)
		if v == nil {
			fail("Cannot cast type %s to %s in column %d.", b.typeName(args[i].ResultType().OID), b.typeName(a.Type), i+1)
		}
		row.Args = append(row.Args, v)
		i++
	}
	if i < len(args) {
		fail("Input has too many columns.")
	}
	if base != t {
		return b.toDomain(row, t, form, pos, false)
	}
	return row
}

// rowFields returns the columns of a whole-row reference.
func (s *scope) rowFields(v *plan.Var) []plan.Expr {
	r := s.varRel(v)
	if r == nil {
		return nil
	}
	var out []plan.Expr
	for i, c := range r.Columns {
		if !c.Dropped {
			out = append(out, &plan.Var{Base: plan.Base{Typ: c.Type, Pos: v.Pos}, Level: v.Level, Rel: v.Rel, Attr: i})
		}
	}
	return out
}

// coerceBool makes an expression the condition of a clause.
func (b *binder) coerceBool(s *scope, e plan.Expr, construct string) plan.Expr {
	return b.coerceSpecific(s, e, types.BoolOID, construct)
}

// coerceSpecific makes an expression the argument of a construct that wants one type.
func (b *binder) coerceSpecific(s *scope, e plan.Expr, t OID, construct string) plan.Expr {
	source := e.ResultType().OID
	if source != t {
		n := b.coerceTo(s, e, b.plainType(t), functions.Assignment, plan.CastImplicit, -1)
		if n == nil {
			b.failf(location(e), pgerr.DatatypeMismatch, "argument of %s must be type %s, not type %s", construct, b.typeName(t), b.typeName(source))
		}
		e = n
	}
	if returnsSet(e) {
		b.failf(location(e), pgerr.DatatypeMismatch, "argument of %s must not return a set", construct)
	}
	return e
}

// returnsSet reports whether an expression contains a set-returning call.
func returnsSet(e plan.Expr) bool {
	set := false
	plan.Walk(e, func(x plan.Expr) bool {
		switch c := x.(type) {
		case *plan.Call:
			set = set || c.ReturnSet
		case *plan.SubLink:
			return false
		}
		return !set
	})
	return set
}

// commonType chooses the type of several expressions that must have one. context names
// the construct for the error message.
func (b *binder) commonType(exprs []plan.Expr, context string) (OID, plan.Expr) {
	if len(exprs) == 0 {
		return types.TextOID, nil
	}
	typs := make([]OID, len(exprs))
	for i, e := range exprs {
		typs[i] = e.ResultType().OID
	}
	common, culprit, ok := functions.SelectCommonType(b.env.Types, nil, typs)
	if ok {
		return common, exprs[0]
	}
	if context == "" {
		return 0, nil
	}
	for _, e := range exprs {
		if base, _ := b.env.Types.BaseType(e.ResultType().OID, -1); base == culprit && base != common {
			b.failf(location(e), pgerr.DatatypeMismatch, "%s types %s and %s cannot be matched", context, b.typeName(common), b.typeName(culprit))
		}
	}
	b.failf(-1, pgerr.DatatypeMismatch, "%s types %s and %s cannot be matched", context, b.typeName(common), b.typeName(culprit))
	return 0, nil
}

// coerceCommon converts an expression to the type that commonType chose.
func (b *binder) coerceCommon(s *scope, e plan.Expr, t OID, context string) plan.Expr {
	source := e.ResultType().OID
	if source == t {
		return e
	}
	if !b.canCoerce(source, t, functions.Implicit) {
		b.failf(location(e), pgerr.CannotCoerce, "%s could not convert type %s to %s", context, b.typeName(source), b.typeName(t))
	}
	return b.coerceType(s, e, b.plainType(t), functions.Implicit, plan.CastImplicit, -1)
}

// commonTypmod returns the modifier that all expressions of a type share, or -1.
func commonTypmod(exprs []plan.Expr, t OID) int32 {
	typmod := int32(-1)
	for i, e := range exprs {
		et := e.ResultType()
		if et.OID != t || i > 0 && et.Typmod != typmod {
			return -1
		}
		typmod = et.Typmod
	}
	return typmod
}
