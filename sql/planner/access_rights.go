package planner

import (
	"slices"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/plan"
)

// collectObjects lists relations and privileges that the statement depends on. It runs
// before any rule: what a rule makes disappear has been asked for all the same. Around are
// the query levels that q stands in, the nearest last.
func (o *optimizer) collectObjects(q *plan.Query, around []*plan.Query) {
	if o.seenObj == nil {
		o.seenObj = map[plan.ObjectVersion]bool{}
	}
	levels := append(slices.Clip(around), q)
	first := len(o.stmt.Access)
	at := make([]int, len(q.Rels))
	for i := range at {
		at[i] = -1
	}
	for _, i := range viewsFirst(q) {
		r := q.Rels[i]
		table := r.FromView
		if r.FromView != 0 {
			if v := o.env.Catalog.Relation(r.FromView); v != nil {
				o.addObject(catalog.ClassRelation, v.OID, v.Version)
			}
		} else if r.Kind == plan.RelTable {
			table = r.Table.OID
			o.addObject(catalog.ClassRelation, table, r.Table.Version)
		}
		if table != 0 && r.Required != 0 {
			at[i] = len(o.stmt.Access)
			o.stmt.Access = append(o.stmt.Access, plan.Access{Table: table, Role: r.Security, Required: r.Required, Write: r.SetAttrs})
		}
	}
	plan.WalkQuery(q, func(e plan.Expr) bool {
		o.namedObject(e)
		o.calledFunction(e)
		noteRead(levels, e)
		return true
	}, func(sub *plan.Query) { o.collectObjects(sub, levels) })
	for i, r := range q.Rels {
		if at[i] < 0 {
			continue
		}
		a := &o.stmt.Access[at[i]]
		a.Read = r.ReadAttrs
		if q.Command == plan.Update && i == q.Result && len(a.Read) == 0 && len(q.Returning) == 0 {
			a.Required &^= catalog.ACLSelect // UPDATE t SET a = 1 reads nothing
		}
		if q.OnConflict != nil && i == q.Result {
			if a.Read = o.arbiterAttrs(q.OnConflict, r.ReadAttrs); len(a.Read) > 0 {
				a.Required |= catalog.ACLSelect
			}
		}
	}
	slices.SortStableFunc(o.stmt.Access[first:], func(a, b plan.Access) int { return int(a.Class) - int(b.Class) })
}

// viewsFirst lists the relations of a query, those that stand for the views through which
// rows are changed before the table.
func viewsFirst(q *plan.Query) []int {
	var views, list []int
	for i, r := range q.Rels {
		if r.FromView != 0 && r.Kind == plan.RelResult {
			views = append(views, i)
		} else {
			list = append(list, i)
		}
	}
	return append(views, list...)
}

// arbiterAttrs adds to some attributes those by which ON CONFLICT looks for an existing row: it tells whether there
// is one.
func (o *optimizer) arbiterAttrs(c *plan.OnConflict, attrs []int) []int {
	attrs = slices.Clone(attrs)
	for _, oid := range c.Indexes {
		x := o.env.Catalog.Index(oid)
		if x == nil {
			continue
		}
		for _, k := range x.Keys {
			if a := int(k.Column) - 1; a >= 0 && !slices.Contains(attrs, a) {
				attrs = append(attrs, a)
			}
		}
	}
	return attrs
}

// noteRead notes the attribute that a column reference reads.
func noteRead(levels []*plan.Query, e plan.Expr) {
	v, ok := e.(*plan.Var)
	if !ok || v.Level >= len(levels) {
		return
	}
	r := levels[len(levels)-1-v.Level].Rels[v.Rel]
	if r.Required == 0 {
		return
	}
	note := func(a int) {
		if !slices.Contains(r.ReadAttrs, a) {
			r.ReadAttrs = append(r.ReadAttrs, a)
		}
	}
	if v.Attr == plan.AttrWholeRow {
		for i, c := range r.Columns {
			if !c.Dropped {
				note(i)
			}
		}
	} else {
		note(v.Attr)
	}
}

// calledFunction notes the functions that need a privilege: those that are not built in, and built-in
// ones that not everybody may call.
func (o *optimizer) calledFunction(e plan.Expr) {
	var fn *functions.Func
	switch c := e.(type) {
	case *plan.Call:
		fn = c.Func
	case *plan.Agg:
		fn = c.Func
	case *plan.WindowCall:
		fn = c.Func
	}
	if fn == nil {
		return
	}
	if fn.OID < catalog.FirstUserOID {
		if o.env.Catalog.Restricted(fn.OID) {
			o.stmt.Access = append(o.stmt.Access, plan.Access{Class: catalog.ClassFunction, Table: fn.OID, Required: catalog.ACLExecute})
		}
		return
	}
	f := o.env.Catalog.Function(fn.OID)
	if f == nil {
		return
	}
	o.addObject(catalog.ClassFunction, f.OID, f.Version)
	o.stmt.Access = append(o.stmt.Access, plan.Access{Class: catalog.ClassFunction, Table: f.OID, Required: catalog.ACLExecute})
}
