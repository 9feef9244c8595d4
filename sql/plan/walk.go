package plan

// Children returns the direct subexpressions of e, in evaluation order. The
// queries inside sublinks are not expressions; see WalkQuery.
func Children(e Expr) []Expr {
	var out []Expr
	eachChild(e, func(c Expr) { out = append(out, c) })
	return out
}

// Walk calls visit for e and everything below it, parents first, until visit
// returns false for a node, whose children are then skipped.
func Walk(e Expr, visit func(Expr) bool) {
	var step func(Expr)
	step = func(e Expr) {
		if visit(e) {
			eachChild(e, step)
		}
	}
	one(e, step)
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
		if v := m.list(x.Args); m.changed {
			c := *x
			c.Args = v
			n = &c
		}
	case *Relabel:
		if v := m.one(x.Arg); m.changed {
			c := *x
			c.Arg = v
			n = &c
		}
	case *IOCast:
		if v := m.one(x.Arg); m.changed {
			c := *x
			c.Arg = v
			n = &c
		}
	case *ArrayCast:
		if v, w := m.one(x.Arg), m.one(x.Elem); m.changed {
			c := *x
			c.Arg, c.Elem = v, w
			n = &c
		}
	case *DomainCast:
		if v := m.one(x.Arg); m.changed {
			c := *x
			c.Arg = v
			n = &c
		}
	case *RowCast:
		if v := m.one(x.Arg); m.changed {
			c := *x
			c.Arg = v
			n = &c
		}
	case *BoolOp:
		if v := m.list(x.Args); m.changed {
			c := *x
			c.Args = v
			n = &c
		}
	case *NullTest:
		if v := m.one(x.Arg); m.changed {
			c := *x
			c.Arg = v
			n = &c
		}
	case *BoolTest:
		if v := m.one(x.Arg); m.changed {
			c := *x
			c.Arg = v
			n = &c
		}
	case *Distinct:
		if v, w := m.one(x.Left), m.one(x.Right); m.changed {
			c := *x
			c.Left, c.Right = v, w
			n = &c
		}
	case *NullIf:
		if v, w := m.one(x.Left), m.one(x.Right); m.changed {
			c := *x
			c.Left, c.Right = v, w
			n = &c
		}
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
		if v := m.list(x.Args); m.changed {
			c := *x
			c.Args = v
			n = &c
		}
	case *MinMax:
		if v := m.list(x.Args); m.changed {
			c := *x
			c.Args = v
			n = &c
		}
	case *ArrayOf:
		if v := m.list(x.Args); m.changed {
			c := *x
			c.Args = v
			n = &c
		}
	case *RowOf:
		if v := m.list(x.Args); m.changed {
			c := *x
			c.Args = v
			n = &c
		}
	case *RowCompare:
		if v, w := m.list(x.Left), m.list(x.Right); m.changed {
			c := *x
			c.Left, c.Right = v, w
			n = &c
		}
	case *ArrayOp:
		if v, w := m.one(x.Left), m.one(x.Right); m.changed {
			c := *x
			c.Left, c.Right = v, w
			n = &c
		}
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
		if v := m.one(x.Arg); m.changed {
			c := *x
			c.Arg = v
			n = &c
		}
	case *FieldStore:
		c := *x
		c.Arg = m.one(x.Arg)
		c.Values = m.list(x.Values)
		n = &c
	case *Collate:
		if v := m.one(x.Arg); m.changed {
			c := *x
			c.Arg = v
			n = &c
		}
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
		if v := m.list(x.Args); m.changed {
			c := *x
			c.Args = v
			n = &c
		}
	case *SubLink:
		if v := m.one(x.Test); m.changed {
			c := *x
			c.Test = v
			n = &c
		}
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
