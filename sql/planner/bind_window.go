package planner

import (
	"reflect"

	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// windowDef is a window that the query names or uses inline, not bound yet.
type windowDef struct {
	raw   *pg.WindowDef
	calls []*plan.WindowCall
}

// windowFunc binds a call of a true window function.
func (s *scope) windowFunc(x *pg.FuncCall, res functions.Resolution, c callParts, filter plan.Expr, pos int) plan.Expr {
	b := s.b
	name := dotted(names(x.Funcname))
	switch {
	case x.Over == nil:
		b.failf(pos, pgerr.WrongObjectType, "window function %s requires an OVER clause", name)
	case x.AggWithinGroup:
		b.failf(pos, pgerr.WrongObjectType, "window function %s cannot have WITHIN GROUP", name)
	case x.AggStar:
		b.failf(pos, pgerr.WrongObjectType, "%s(*) specified, but %s is not an aggregate function", name, name)
	case filter != nil:
		b.failf(pos, pgerr.FeatureNotSupported, "FILTER is not implemented for non-aggregate window functions")
	}
	return s.windowAggregate(x, res, s.finishArgs(res, c.args, pos), nil, pos)
}

func (s *scope) windowAggregate(x *pg.FuncCall, res functions.Resolution, args []plan.Expr, filter plan.Expr, pos int) plan.Expr {
	b := s.b
	switch {
	case x.AggDistinct:
		b.failf(pos, pgerr.FeatureNotSupported, "DISTINCT is not implemented for window functions")
	case len(x.AggOrder) > 0:
		b.failf(pos, pgerr.FeatureNotSupported, "aggregate ORDER BY is not implemented for window functions")
	case res.Func.RetSet:
		b.failf(pos, pgerr.InvalidFunctionDefinition, "window functions cannot return sets")
	}
	w := &plan.WindowCall{Base: plan.Base{Typ: b.plainType(res.Ret), Pos: pos}, Func: res.Func, Args: args, Filter: filter, Star: x.AggStar}
	in := newLevelScan()
	for _, a := range args {
		in.expr(a, 0)
	}
	if in.window != nil {
		b.failf(location(in.window), pgerr.WindowingError, "window function calls cannot be nested")
	}
	if in.set != nil {
		b.fail(location(in.set), pgerr.New(pgerr.FeatureNotSupported, "window function calls cannot contain set-returning function calls").
			WithHint("You might be able to move the set-returning function into a LATERAL FROM item."))
	}
	if s.clause.noWindows {
		b.failf(pos, pgerr.WindowingError, "window functions are not allowed in %s", s.clause.name)
	}
	s.q.HasWindows = true
	d := x.Over
	if d.Name != "" {
		for i := range s.windows {
			if s.windows[i].raw.Name == d.Name {
				w.Window = i
				s.windows[i].calls = append(s.windows[i].calls, w)
				return w
			}
		}
		b.failf(int(d.Location), pgerr.UndefinedObject, "window \"%s\" does not exist", d.Name)
	}
	w.Window = len(s.windows)
	s.windows = append(s.windows, windowDef{raw: d, calls: []*plan.WindowCall{w}})
	return w
}

// The bits of a raw window definition's frame options.
const (
	frameNonDefault      = 0x00001
	frameRange           = 0x00002
	frameRows            = 0x00004
	frameGroups          = 0x00008
	frameBetween         = 0x00010
	startUnboundedPrec   = 0x00020
	endUnboundedPrec     = 0x00040
	startUnboundedFollow = 0x00080
	endUnboundedFollow   = 0x00100
	startCurrentRow      = 0x00200
	endCurrentRow        = 0x00400
	startOffsetPrec      = 0x00800
	endOffsetPrec        = 0x01000
	startOffsetFollow    = 0x02000
	endOffsetFollow      = 0x04000
	excludeCurrentRow    = 0x08000
	excludeGroup         = 0x10000
	excludeTies          = 0x20000
	frameStartOffset     = startOffsetPrec | startOffsetFollow
	frameEndOffset       = endOffsetPrec | endOffsetFollow
)

// bindWindows binds the definitions of all windows of a query level, and lets calls with
// equal definitions share one.
func (s *scope) bindWindows() {
	b := s.b
	var bound []*plan.Window
	for i := 0; i < len(s.windows); i++ {
		d := s.windows[i].raw
		if d.Name != "" {
			for _, o := range s.windows[:i] {
				if o.raw.Name == d.Name {
					b.failf(int(d.Location), pgerr.WindowingError, "window \"%s\" is already defined", d.Name)
				}
			}
		}
		w := &plan.Window{Name: d.Name, Base: d.Refname, OwnOrder: len(d.OrderClause) > 0}
		order := within(s, inWinOrder, func() []plan.SortKey { return s.sortList(d.OrderClause, true) })
		partition := within(s, inPartition, func() []plan.SortKey { return s.partition(d.PartitionClause) })
		w.PartitionBy, w.OrderBy = partition, order
		if d.Refname != "" {
			s.inheritWindow(d, w, bound)
		}
		s.frame(d, w)
		bound = append(bound, w)
		if w.Name != "" {
			s.q.NamedWindows = append(s.q.NamedWindows, w)
		}
	}
	s.shareWindows(bound)
}

func (s *scope) inheritWindow(d *pg.WindowDef, w *plan.Window, bound []*plan.Window) {
	b, pos := s.b, int(d.Location)
	var ref *plan.Window
	for _, o := range bound {
		if o.Name == d.Refname {
			ref = o
		}
	}
	switch {
	case ref == nil:
		b.failf(pos, pgerr.UndefinedObject, "window \"%s\" does not exist", d.Refname)
	case len(d.PartitionClause) > 0:
		b.failf(pos, pgerr.WindowingError, "cannot override PARTITION BY clause of window \"%s\"", d.Refname)
	case len(w.OrderBy) > 0 && len(ref.OrderBy) > 0:
		b.failf(pos, pgerr.WindowingError, "cannot override ORDER BY clause of window \"%s\"", d.Refname)
	case ref.Frame.Explicit:
		e := pgerr.New(pgerr.WindowingError, "cannot copy window \"%s\" because it has a frame clause", d.Refname)
		if d.Name == "" && len(d.OrderClause) == 0 && d.FrameOptions&frameNonDefault == 0 {
			e.WithHint("Omit the parentheses in this OVER clause.")
		}
		b.fail(pos, e)
	}
	w.PartitionBy = ref.PartitionBy
	if len(w.OrderBy) == 0 {
		w.OrderBy = ref.OrderBy
	}
}

func (s *scope) partition(list []*pg.Node) []plan.SortKey {
	var out []plan.SortKey
	for _, n := range list {
		t := s.findTarget99(n, inPartition)
		k := s.defaultKey(t)
		dup := false
		for _, have := range out {
			dup = dup || have.Target == k.Target
		}
		if !dup {
			out = append(out, k)
		}
	}
	return out
}

// frame binds a frame clause.
func (s *scope) frame(d *pg.WindowDef, w *plan.Window) {
	b, o := s.b, d.FrameOptions
	f := &w.Frame
	f.Explicit, f.Between = o&frameNonDefault != 0, o&frameBetween != 0
	switch {
	case o&frameRows != 0:
		f.Mode = plan.RowsFrame
	case o&frameGroups != 0:
		f.Mode = plan.GroupsFrame
		if len(w.OrderBy) == 0 {
			b.failf(int(d.Location), pgerr.WindowingError, "GROUPS mode requires an ORDER BY clause")
		}
	}
	pick := func(unboundedPrec, offsetPrec, current, offsetFollow int32) plan.BoundKind {
		switch {
		case o&unboundedPrec != 0:
			return plan.UnboundedPreceding
		case o&offsetPrec != 0:
			return plan.OffsetPreceding
		case o&current != 0:
			return plan.CurrentRow
		case o&offsetFollow != 0:
			return plan.OffsetFollowing
		}
		return plan.UnboundedFollowing
	}
	f.Start = pick(startUnboundedPrec, startOffsetPrec, startCurrentRow, startOffsetFollow)
	f.End = pick(endUnboundedPrec, endOffsetPrec, endCurrentRow, endOffsetFollow)
	switch {
	case o&excludeCurrentRow != 0:
		f.Exclude = 'r'
	case o&excludeGroup != 0:
		f.Exclude = 'g'
	case o&excludeTies != 0:
		f.Exclude = 't'
	}
	if f.Mode == plan.RangeFrame && o&(frameStartOffset|frameEndOffset) != 0 && len(w.OrderBy) != 1 {
		b.failf(int(d.Location), pgerr.WindowingError, "RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column")
	}
	if o&frameStartOffset != 0 {
		f.StartOffset, f.StartIn = s.frameOffset(d.StartOffset, w)
	}
	if o&frameEndOffset != 0 {
		f.EndOffset, f.EndIn = s.frameOffset(d.EndOffset, w)
	}
}

func (s *scope) frameOffset(n *pg.Node, w *plan.Window) (plan.Expr, *functions.Func) {
	b := s.b
	mode := map[plan.FrameMode]string{plan.RowsFrame: "ROWS", plan.GroupsFrame: "GROUPS", plan.RangeFrame: "RANGE"}[w.Frame.Mode]
	c := inFrame
	c.name = "window " + mode
	e := within(s, c, func() plan.Expr { return s.expr(n) })
	if w.Frame.Mode != plan.RangeFrame {
		e = b.coerceSpecific(s, e, types.Int8OID, mode)
		s.noOwnVars(e, mode)
		return e, nil
	}
	key := w.OrderBy[0].Expr
	keyType := key.ResultType().OID
	fn, offset := b.inRange(keyType, e.ResultType().OID, location(e))
	e = b.coerceSpecific(s, e, offset, "RANGE")
	s.noOwnVars(e, "RANGE")
	return e, fn
}

// noOwnVars refuses columns of this level where only constants may stand.
func (s *scope) noOwnVars(e plan.Expr, construct string) {
	plan.Walk(e, func(x plan.Expr) bool {
		if v, ok := x.(*plan.Var); ok && v.Level == 0 {
			s.b.failf(v.Pos, pgerr.InvalidColumnReference, "argument of %s must not contain variables", construct)
		}
		return true
	})
}

// inRange chooses the function that adds an offset to a sort key, and the offset's type.
func (b *binder) inRange(key, offset OID, pos int) (*functions.Func, OID) {
	class := functions.DefaultOpclass(b.env.Types, functions.BtreeAM, key)
	if class == nil {
		b.failf(pos, pgerr.UndefinedFunction, "could not identify an ordering operator for type %s", b.typeName(key))
	}
	const inRangeProc = 3
	base := class.InType
	if offset == types.UnknownOID {
		offset = base
		if functions.SupportFunc(class.Family, base, offset, inRangeProc) == nil {
			for _, t := range []OID{types.IntervalOID, types.Int8OID} {
				if functions.SupportFunc(class.Family, base, t, inRangeProc) != nil {
					offset = t
					break
				}
			}
		}
	}
	if f := functions.SupportFunc(class.Family, base, offset, inRangeProc); f != nil {
		return f, offset
	}
	var hit *functions.Func
	var hitType OID
	anyFunc, several := false, false
	for _, t := range []OID{types.Int2OID, types.Int4OID, types.Int8OID, types.Float4OID, types.Float8OID, types.NumericOID, types.IntervalOID} {
		f := functions.SupportFunc(class.Family, base, t, inRangeProc)
		if f == nil {
			continue
		}
		anyFunc = true
		if b.canCoerce(offset, t, functions.Implicit) {
			several = hit != nil
			if hit == nil || b.env.Types.Type(t).Preferred {
				hit, hitType = f, t
				if b.env.Types.Type(t).Preferred {
					several = false
				}
			}
		}
	}
	switch {
	case !anyFunc:
		b.failf(pos, pgerr.FeatureNotSupported, "RANGE with offset PRECEDING/FOLLOWING is not supported for column type %s", b.typeName(base))
	case hit == nil:
		b.fail(pos, pgerr.New(pgerr.FeatureNotSupported, "RANGE with offset PRECEDING/FOLLOWING is not supported for column type %s and offset type %s", b.typeName(base), b.typeName(offset)).
			WithHint("Cast the offset value to an appropriate type."))
	case several:
		b.fail(pos, pgerr.New(pgerr.FeatureNotSupported, "RANGE with offset PRECEDING/FOLLOWING has multiple interpretations for column type %s and offset type %s", b.typeName(base), b.typeName(offset)).
			WithHint("Cast the offset value to the exact intended type."))
	}
	return hit, hitType
}

// shareWindows drops windows that no call uses and merges equal ones.
func (s *scope) shareWindows(bound []*plan.Window) {
	for i, w := range bound {
		if len(s.windows[i].calls) == 0 {
			continue
		}
		at := -1
		for k, have := range s.q.Windows {
			if sameKeys(have.PartitionBy, w.PartitionBy) && sameKeys(have.OrderBy, w.OrderBy) && sameFrame(have.Frame, w.Frame) {
				at = k
			}
		}
		if at < 0 {
			at = len(s.q.Windows)
			s.q.Windows = append(s.q.Windows, w)
		}
		for _, c := range s.windows[i].calls {
			c.Window = at
		}
	}
}

func sameKeys(a, b []plan.SortKey) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !plan.Same(a[i].Expr, b[i].Expr) || a[i].Desc != b[i].Desc || a[i].NullsFirst != b[i].NullsFirst || a[i].Less != b[i].Less {
			return false
		}
	}
	return true
}

func sameFrame(a, b plan.Frame) bool {
	if !plan.Same(a.StartOffset, b.StartOffset) || !plan.Same(a.EndOffset, b.EndOffset) {
		return false
	}
	a.StartOffset, a.EndOffset, b.StartOffset, b.EndOffset = nil, nil, nil, nil
	a.Explicit, b.Explicit = false, false
	return reflect.DeepEqual(a, b)
}
