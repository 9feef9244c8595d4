package plan

// Children returns the direct subexpressions of e, in evaluation order. The
// queries inside sublinks are not expressions; see WalkQuery.
func Children(e Expr) []Expr {
	var out []Expr
	mapChildren(e, func(c Expr) Expr { out = append(out, c); return c })
	return out
}

// Walk calls visit for e and everything below it, parents first, until visit
// returns false for a node, whose children are then skipped.
func Walk(e Expr, visit func(Expr) bool) {
	if e == nil || !visit(e) {
		return
	}
	for _, c := range Children(e) {
		Walk(c, visit)
	}
}

// Rewrite rebuilds e bottom-up: children first, then f on the node itself.
// Nodes without change are kept, so that an identity rewrite copies nothing.
func Rewrite(e Expr, f func(Expr) Expr) Expr {
	if e == nil {
		return nil
	}
	return f(mapChildren(e, func(c Expr) Expr { return Rewrite(c, f) }))
}

// Replace rebuilds e top-down: where f returns not nil that takes the node's
// place and is not descended into; elsewhere the children are visited.
func Replace(e Expr, f func(Expr) Expr) Expr {
	if e == nil {
		return nil
	}
	if r := f(e); r != nil {
		return r
	}
	return mapChildren(e, func(c Expr) Expr { return Replace(c, f) })
}

// MapChildren returns e with f applied to its direct subexpressions.
func MapChildren(e Expr, f func(Expr) Expr) Expr { return mapChildren(e, f) }

// mapper applies f to subexpressions and remembers whether anything changed.
type mapper struct {
	f       func(Expr) Expr
	changed bool
}

func (m *mapper) one(e Expr) Expr {
	if e == nil {
		return nil
	}
	r := m.f(e)
	if r != e {
		m.changed = true
	}
	return r
}

func (m *mapper) list(in []Expr) []Expr {
	var out []Expr
	for i, e := range in {
		r := m.one(e)
		if r != e && out == nil {
			out = append(make([]Expr, 0, len(in)), in[:i]...)
		}
		if out != nil {
			out = append(out, r)
		}
	}
	if out == nil {
		return in
	}
	return out
}

func (m *mapper) keys(in []SortKey) []SortKey {
	var out []SortKey
	for i, k := range in {
		r := m.one(k.Expr)
		if r != k.Expr && out == nil {
			out = append([]SortKey(nil), in...)
		}
		if out != nil {
			out[i].Expr = r
		}
	}
	if out == nil {
		return in
	}
	return out
}

// mapChildren returns e with f applied to its direct subexpressions.
func mapChildren(e Expr, f func(Expr) Expr) Expr {
	m := &mapper{f: f}
	var n Expr
	switch x := e.(type) {
	case *Call:
		c := *x
		c.Args = m.list(x.Args)
		n = &c
	case *Relabel:
		c := *x
		c.Arg = m.one(x.Arg)
		n = &c
	case *IOCast:
		c := *x
		c.Arg = m.one(x.Arg)
		n = &c
	case *ArrayCast:
		c := *x
		c.Arg, c.Elem = m.one(x.Arg), m.one(x.Elem)
		n = &c
	case *DomainCast:
		c := *x
		c.Arg = m.one(x.Arg)
		n = &c
	case *RowCast:
		c := *x
		c.Arg = m.one(x.Arg)
		n = &c
	case *BoolOp:
		c := *x
		c.Args = m.list(x.Args)
		n = &c
	case *NullTest:
		c := *x
		c.Arg = m.one(x.Arg)
		n = &c
	case *BoolTest:
		c := *x
		c.Arg = m.one(x.Arg)
		n = &c
	case *Distinct:
		c := *x
		c.Left, c.Right = m.one(x.Left), m.one(x.Right)
		n = &c
	case *NullIf:
		c := *x
		c.Left, c.Right = m.one(x.Left), m.one(x.Right)
		n = &c
	case *Case:
		c := *x
		c.Arg = m.one(x.Arg)
		c.When = make([]When, len(x.When))
		for i, w := range x.When {
			c.When[i] = When{Cond: m.one(w.Cond), Result: m.one(w.Result)}
		}
		c.Else = m.one(x.Else)
		n = &c
	case *Coalesce:
		c := *x
		c.Args = m.list(x.Args)
		n = &c
	case *MinMax:
		c := *x
		c.Args = m.list(x.Args)
		n = &c
	case *ArrayOf:
		c := *x
		c.Args = m.list(x.Args)
		n = &c
	case *RowOf:
		c := *x
		c.Args = m.list(x.Args)
		n = &c
	case *RowCompare:
		c := *x
		c.Left, c.Right = m.list(x.Left), m.list(x.Right)
		n = &c
	case *ArrayOp:
		c := *x
		c.Left, c.Right = m.one(x.Left), m.one(x.Right)
		n = &c
	default:
		return mapRareChildren(e, m)
	}
	if !m.changed {
		return e
	}
	return n
}

func mapRareChildren(e Expr, m *mapper) Expr {
	var n Expr
	switch x := e.(type) {
	case *Subscript:
		c := *x
		c.Arg = m.one(x.Arg)
		c.Upper, c.Lower = m.list(x.Upper), m.list(x.Lower)
		c.Assign = m.one(x.Assign)
		n = &c
	case *Field:
		c := *x
		c.Arg = m.one(x.Arg)
		n = &c
	case *FieldStore:
		c := *x
		c.Arg = m.one(x.Arg)
		c.Values = m.list(x.Values)
		n = &c
	case *Collate:
		c := *x
		c.Arg = m.one(x.Arg)
		n = &c
	case *Agg:
		c := *x
		c.Direct, c.Args = m.list(x.Direct), m.list(x.Args)
		c.OrderBy = m.keys(x.OrderBy)
		c.Filter = m.one(x.Filter)
		n = &c
	case *WindowCall:
		c := *x
		c.Args = m.list(x.Args)
		c.Filter = m.one(x.Filter)
		n = &c
	case *Grouping:
		c := *x
		c.Args = m.list(x.Args)
		n = &c
	case *SubLink:
		c := *x
		c.Test = m.one(x.Test)
		n = &c
	case *SubPlan:
		c := *x
		c.Params = append([]SubParam(nil), x.Params...)
		for i := range c.Params {
			c.Params[i].Expr = m.one(c.Params[i].Expr)
		}
		c.Test = m.one(x.Test)
		c.HashLeft = m.list(x.HashLeft)
		n = &c
	default:
		return e
	}
	if !m.changed {
		return e
	}
	return n
}
