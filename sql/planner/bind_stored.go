package planner

import (
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// resolver finds the objects that stored trees name, and notes that the binding depends on them.
type resolver struct{ b *binder }

// ResolveFunction implements plan.Resolver.
func (r resolver) ResolveFunction(oid OID) (*functions.Func, error) {
	if f := functions.ByOID(oid); f != nil {
		return f, nil
	}
	if f := r.b.env.Catalog.Function(oid); f != nil {
		r.b.depend(catalog.ClassFunction, oid, f.Version)
		return userFunc(r.b.env.Catalog, f), nil
	}
	return nil, pgerr.New(pgerr.UndefinedFunction, "function with OID %d does not exist", oid)
}

// ResolveRelation implements plan.Resolver.
func (r resolver) ResolveRelation(oid OID) (*catalog.Relation, error) {
	rel := r.b.env.Catalog.Relation(oid)
	if rel == nil {
		return nil, pgerr.New(pgerr.UndefinedTable, "relation with OID %d does not exist", oid)
	}
	if r.b.env.LockRelation != nil && oid >= catalog.FirstUserOID {
		moved, err := r.b.env.LockRelation(oid, lockAccessShare)
		if err != nil {
			return nil, err
		}
		if moved {
			return r.ResolveRelation(oid)
		}
	}
	r.b.depend(catalog.ClassRelation, oid, rel.Version)
	return rel, nil
}

// decodeExpr reads a stored expression.
func (b *binder) decodeExpr(data []byte) plan.Expr {
	e, err := plan.DecodeExpr(data, resolver{b})
	b.check(-1, err)
	return e
}

// decodeQuery reads the stored query of a view, and brings the views and tables in it up to date.
func (b *binder) decodeQuery(data []byte, view OID) *plan.Query {
	b.views = append(b.views, view)
	defer func() { b.views = b.views[:len(b.views)-1] }()
	q, err := plan.DecodeQuery(data, resolver{b})
	b.check(-1, err)
	b.refresh(q)
	return q
}

// refresh adapts a stored query to tables that gained columns and views that were replaced since.
func (b *binder) refresh(q *plan.Query) {
	for _, r := range q.Rels {
		switch {
		case r.Kind == plan.RelTable:
			for i := len(r.Columns); i < len(r.Table.Columns); i++ {
				c := &r.Table.Columns[i]
				r.Columns = append(r.Columns, plan.RelColumn{Name: c.Name, Dropped: true, Type: plan.Type{OID: c.Type, Typmod: c.Typmod, Collation: c.Collation}})
			}
			for i := range r.Columns {
				r.Columns[i].Dropped = r.Columns[i].Dropped || r.Table.Columns[i].Dropped
			}
		case r.FromView != 0:
			v := b.env.Catalog.Relation(r.FromView)
			if v == nil {
				b.failf(-1, pgerr.UndefinedTable, "relation with OID %d does not exist", r.FromView)
			}
			b.depend(catalog.ClassRelation, v.OID, v.Version)
			now := b.viewRel(v)
			r.Query, r.Barrier = now.Query, now.Barrier
			continue
		}
		if r.Query != nil {
			b.refresh(r.Query)
		}
	}
	for _, c := range q.CTEs {
		b.refresh(c.Query)
	}
	for _, l := range subLinks(q) {
		b.refresh(l.Query)
	}
}

// subLinks returns the sublinks that stand directly in a query.
func subLinks(q *plan.Query) []*plan.SubLink {
	var out []*plan.SubLink
	plan.WalkQuery(q, func(e plan.Expr) bool {
		if l, ok := e.(*plan.SubLink); ok {
			out = append(out, l)
		}
		return true
	}, func(*plan.Query) {})
	return out
}
