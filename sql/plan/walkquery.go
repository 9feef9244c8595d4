package plan

// WalkQuery calls visit for every expression that stands directly in the query
// (not in its subqueries), and query for every query directly below it:
// CTEs, subqueries in FROM, and sublinks inside the expressions. The level by
// which a Var must be reduced to belong to q is 1 for all of these.
func WalkQuery(q *Query, visit func(Expr) bool, query func(*Query)) {
	MapQuery(q, func(e Expr) Expr {
		Walk(e, func(x Expr) bool {
			ok := visit(x)
			if s, is := x.(*SubLink); is && ok && query != nil {
				query(s.Query)
			}
			return ok
		})
		return e
	})
	if query == nil {
		return
	}
	for _, c := range q.CTEs {
		query(c.Query)
	}
	for _, r := range q.Rels {
		if r.Query != nil {
			query(r.Query)
		}
	}
}

// MapQuery replaces every expression that stands directly in q by f of it, in place. A sort key that is a target's very
// expression stays that: f sees it once.
func MapQuery(q *Query, f func(Expr) Expr) {
	m := func(e *Expr) {
		if *e != nil {
			*e = f(*e)
		}
	}
	for _, r := range q.Rels {
		mapRel(r, m)
	}
	for _, it := range q.From {
		mapJoins(it, m)
	}
	m(&q.Where)
	was := make([]Expr, len(q.Targets))
	for i, t := range q.Targets {
		was[i] = t.Expr
		m(&t.Expr)
	}
	mapKeys := func(ks []SortKey) {
		for i, k := range ks {
			if t := k.Target; t >= 0 && t < len(was) && k.Expr != nil && k.Expr == was[t] {
				ks[i].Expr = q.Targets[t].Expr
				continue
			}
			m(&ks[i].Expr)
		}
	}
	mapKeys(q.GroupBy)
	m(&q.Having)
	for _, w := range q.Windows {
		mapKeys(w.PartitionBy)
		mapKeys(w.OrderBy)
		m(&w.Frame.StartOffset)
		m(&w.Frame.EndOffset)
	}
	mapKeys(q.DistinctOn)
	mapKeys(q.OrderBy)
	m(&q.Limit)
	m(&q.Offset)
	if c := q.OnConflict; c != nil {
		mapTargets(c.Set, m)
		m(&c.Where)
		for i := range c.Visible {
			m(&c.Visible[i].Cond)
		}
	}
	for _, a := range q.Merge {
		m(&a.Cond)
		mapTargets(a.Targets, m)
	}
	mapTargets(q.Returning, m)
	for i := range q.Checks {
		m(&q.Checks[i].Cond)
	}
}

func mapRel(r *Rel, m func(*Expr)) {
	for _, f := range r.Funcs {
		m(&f.Expr)
	}
	for _, row := range r.Values {
		for i := range row {
			m(&row[i])
		}
	}
	if s := r.TableSample; s != nil {
		for i := range s.Args {
			m(&s.Args[i])
		}
		m(&s.Seed)
	}
}

func mapJoins(it FromItem, m func(*Expr)) {
	if j, ok := it.(*Join); ok {
		mapJoins(j.Left, m)
		mapJoins(j.Right, m)
		m(&j.On)
	}
}

func mapTargets(ts []*Target, m func(*Expr)) {
	for _, t := range ts {
		m(&t.Expr)
	}
}

// CloneQuery returns a deep copy of q's query structure. Expressions are
// shared (they are immutable), except that the sublinks in them are copied
// together with their queries.
func CloneQuery(q *Query) *Query {
	if q == nil {
		return nil
	}
	c := *q
	c.CTEs = cloneEach(q.CTEs, func(x CTE) CTE { x.Query = CloneQuery(x.Query); return x })
	c.Rels = cloneEach(q.Rels, cloneRel)
	c.From = cloneFrom(q.From)
	c.Targets = cloneEach(q.Targets, same[Target])
	c.GroupBy = append([]SortKey(nil), q.GroupBy...)
	c.Windows = cloneEach(q.Windows, func(w Window) Window {
		w.PartitionBy = append([]SortKey(nil), w.PartitionBy...)
		w.OrderBy = append([]SortKey(nil), w.OrderBy...)
		return w
	})
	c.DistinctOn = append([]SortKey(nil), q.DistinctOn...)
	c.OrderBy = append([]SortKey(nil), q.OrderBy...)
	c.Locks = append([]RowLock(nil), q.Locks...)
	if q.OnConflict != nil {
		oc := *q.OnConflict
		oc.Visible = append([]ViewCheck(nil), oc.Visible...)
		oc.Set = cloneEach(oc.Set, same[Target])
		c.OnConflict = &oc
	}
	c.Merge = cloneEach(q.Merge, func(a MergeAction) MergeAction {
		a.Targets = cloneEach(a.Targets, same[Target])
		return a
	})
	c.Returning = cloneEach(q.Returning, same[Target])
	c.Checks = append([]ViewCheck(nil), q.Checks...)
	MapQuery(&c, cloneSubLinks)
	return &c
}

// CloneExpr returns an expression whose subqueries are copies: one that is used in a second place.
func CloneExpr(e Expr) Expr { return cloneSubLinks(e) }

func cloneSubLinks(e Expr) Expr {
	return Rewrite(e, func(x Expr) Expr {
		if s, ok := x.(*SubLink); ok {
			n := *s
			n.Query = CloneQuery(s.Query)
			return &n
		}
		return x
	})
}

func same[T any](t T) T { return t }

func cloneEach[T any](in []*T, f func(T) T) []*T {
	if in == nil {
		return nil
	}
	out := make([]*T, len(in))
	for i, p := range in {
		v := f(*p)
		out[i] = &v
	}
	return out
}

func cloneRel(r Rel) Rel {
	r.Query = CloneQuery(r.Query)
	r.Funcs = cloneEach(r.Funcs, same[FuncRef])
	rows := r.Values
	r.Values = nil
	for _, row := range rows {
		r.Values = append(r.Values, append([]Expr(nil), row...))
	}
	if r.TableSample != nil {
		s := *r.TableSample
		s.Args = append([]Expr(nil), s.Args...)
		r.TableSample = &s
	}
	return r
}

func cloneFrom(in []FromItem) []FromItem {
	out := make([]FromItem, len(in))
	for i, it := range in {
		out[i] = cloneItem(it)
	}
	return out
}

func cloneItem(it FromItem) FromItem {
	switch x := it.(type) {
	case *Join:
		j := *x
		j.Left, j.Right = cloneItem(x.Left), cloneItem(x.Right)
		return &j
	case *RelRef:
		return &RelRef{Rel: x.Rel}
	}
	return it
}
