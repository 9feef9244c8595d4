package planner

import (
	"slices"

	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/plan"
)

func (d *deparser) fromItem(q *plan.Query, it plan.FromItem) {
	if ref, ok := it.(*plan.RelRef); ok {
		d.rel(q.Rels[ref.Rel])
		return
	}
	j := it.(*plan.Join)
	d.paren(!d.pretty || j.Alias != "", func() { d.within(q, j, func() { d.join(q, j) }) })
	if j.Alias != "" {
		d.w(" ", d.quote(d.names.joins[j]))
		out := d.names.outputs[j]
		if slices.ContainsFunc(out, func(c joinColumn) bool { return c.name != d.outputName(c) }) {
			d.w("(")
			for i, c := range out {
				if i > 0 {
					d.w(", ")
				}
				d.w(d.quote(c.name))
			}
			d.w(")")
		}
	}
}

func (d *deparser) join(q *plan.Query, j *plan.Join) {
	d.fromItem(q, j.Left)
	d.line(5)
	switch {
	case j.Kind == plan.LeftJoin:
		d.w("LEFT JOIN ")
	case j.Kind == plan.RightJoin:
		d.w("RIGHT JOIN ")
	case j.Kind == plan.FullJoin:
		d.w("FULL JOIN ")
	case j.On == nil:
		d.w("CROSS JOIN ")
	default:
		d.w("JOIN ")
	}
	_, nested := j.Right.(*plan.Join)
	d.paren(nested && d.pretty, func() { d.fromItem(q, j.Right) })
	switch {
	case len(j.Using) > 0:
		d.w(" USING (")
		for i := range j.Using {
			if i > 0 {
				d.w(", ")
			}
			d.w(d.quote(d.outputName(d.names.outputs[j][i])))
		}
		d.w(")")
		if j.UsingAlias != "" {
			d.w(" AS ", d.quote(j.UsingAlias))
		}
	case j.On != nil:
		d.w(" ON ")
		d.paren(!d.pretty, func() { d.bare(j.On) })
	case j.Kind != plan.InnerJoin:
		d.w(" ON TRUE")
	}
}

func (d *deparser) rel(r *plan.Rel) {
	always := r.Named || d.names.shown[r]
	plain := "" // what it would be called without an alias
	switch {
	case r.Kind == plan.RelTable:
		if r.Only {
			d.w("ONLY ")
		}
		plain = r.Table.Name
		d.w(d.relationName(r.Table.Schema, plain))
	case r.FromView != 0:
		if v := d.env.Catalog.Relation(r.FromView); v != nil {
			plain = v.Name
			d.w(d.relationName(v.Schema, plain))
		}
	case r.Kind == plan.RelSubquery:
		if r.Lateral {
			d.w("LATERAL ")
		}
		d.nested(r.Query, false)
		always = r.Alias != "unnamed_subquery"
	case r.Kind == plan.RelCTE:
		plain = r.CTE
		d.w(d.quote(plain))
	case r.Kind == plan.RelValues:
		d.w("(")
		if r.Named {
			d.w(" ") // a subquery of its own, as it was written
		}
		d.valuesRows(r.Values)
		d.w(")")
		always = true
	case r.Kind == plan.RelFunction:
		d.funcs(r)
		always = true
	}
	if always || plain != "" && d.nameOf(r) != plain {
		d.w(" ", d.quote(d.nameOf(r)))
		d.columnAliases(r)
	}
	if s := r.TableSample; s != nil {
		d.w(" TABLESAMPLE ", s.Method, " (")
		d.bare(s.Args[0])
		d.w(")")
		if s.Seed != nil {
			d.w(" REPEATABLE (")
			d.bare(s.Seed)
			d.w(")")
		}
	}
}

// relationName writes a relation's name, with its schema where a WITH query has the name as well.
func (d *deparser) relationName(schema OID, name string) string {
	for _, q := range d.levels {
		if s := d.env.Catalog.Schema(schema); s != nil && slices.ContainsFunc(q.CTEs, func(c *plan.CTE) bool { return c.Name == name }) {
			return d.quote(s.Name) + "." + d.quote(name)
		}
	}
	return d.qualified(schema, name)
}

// columnAliases writes the list of columns behind an alias.
func (d *deparser) columnAliases(r *plan.Rel) {
	if r.Kind == plan.RelFunction && len(r.Funcs) == 1 && r.Funcs[0].Defined && !r.Ordinality {
		d.definitions(r.Funcs[0], d.names.columns[r])
		return
	}
	if !d.names.shown[r] {
		return
	}
	sep := "("
	for _, name := range d.names.columns[r] {
		if name != "" {
			d.w(sep, d.quote(name))
			sep = ", "
		}
	}
	if sep != "(" {
		d.w(")")
	}
}

// definitions writes a column definition list.
func (d *deparser) definitions(f *plan.FuncRef, names []string) {
	d.w("(")
	for i, t := range f.Types {
		if i > 0 {
			d.w(", ")
		}
		d.w(d.quote(names[i]), " ", d.typeName(t))
		if def := d.env.Types.Type(t.OID); def != nil && t.Collation != 0 && t.Collation != def.Collation {
			d.w(" COLLATE ", quoteAlways(collationName(t.Collation)))
		}
	}
	d.w(")")
}

func (d *deparser) funcs(r *plan.Rel) {
	if lateral(r) {
		d.w("LATERAL ")
	}
	if list := unnested(r); list != nil {
		d.w("UNNEST(")
		d.list(list)
		d.w(")")
	} else {
		several := len(r.Funcs) > 1 || r.Funcs[0].Defined && r.Ordinality
		if several {
			d.w("ROWS FROM(")
		}
		for i, f := range r.Funcs {
			if i > 0 {
				d.w(", ")
			}
			d.bare(f.Expr)
			if several && f.Defined {
				d.w(" AS ")
				d.definitions(f, f.Names)
			}
		}
		if several {
			d.w(")")
		}
	}
	if r.Ordinality {
		d.w(" WITH ORDINALITY")
	}
}

// lateral reports whether functions refer to what stands before them.
func lateral(r *plan.Rel) bool {
	found := false
	for _, f := range r.Funcs {
		plan.Walk(f.Expr, func(e plan.Expr) bool {
			v, ok := e.(*plan.Var)
			found = found || ok && v.Level == 0
			return true
		})
	}
	return found
}

// unnested returns the arrays of several unnest() side by side, which UNNEST(a, b) stands for.
func unnested(r *plan.Rel) []plan.Expr {
	if len(r.Funcs) < 2 {
		return nil
	}
	var out []plan.Expr
	for _, f := range r.Funcs {
		c, ok := f.Expr.(*plan.Call)
		if !ok || c.Func.Name != "unnest" || c.Func.Namespace != functions.PgCatalog || len(c.Args) != 1 || f.Defined {
			return nil
		}
		out = append(out, c.Args[0])
	}
	return out
}
