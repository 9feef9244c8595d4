package planner

import (
	"strconv"
	"strings"

	"github.com/omendb/omendb/sql/plan"
)

// DeparseQuery writes a bound SELECT over several lines, as pg_get_viewdef does.
func DeparseQuery(env *Env, q *plan.Query, pretty bool) string {
	d := &deparser{env: env, pretty: pretty, prefix: true}
	d.query(q)
	return d.sb.String()
}

// line starts a new line at an offset from the query's own indentation.
func (d *deparser) line(offset int) { d.w("\n", strings.Repeat(" ", max(d.indent+offset, 0))) }

func (d *deparser) query(q *plan.Query) {
	d.levels = append(d.levels, q)
	d.nameRels()
	saved := d.caseIndent
	d.caseIndent = d.indent + 8
	defer func() { d.levels, d.caseIndent = d.levels[:len(d.levels)-1], saved }()
	d.ctes(q)
	if q.SetOp != nil {
		d.setOp(q, q.SetOp)
	} else {
		d.selectBody(q)
	}
	d.orderBy(q)
	if q.Offset != nil {
		d.line(1)
		d.w("OFFSET ")
		d.bare(q.Offset)
	}
	if q.Limit != nil {
		d.line(1)
		if q.WithTies {
			d.w("FETCH FIRST (")
			d.bare(q.Limit)
			d.w(") ROWS WITH TIES")
		} else {
			d.w("LIMIT ")
			d.bare(q.Limit)
		}
	}
}

func (d *deparser) ctes(q *plan.Query) {
	for i, c := range q.CTEs {
		switch {
		case i > 0:
			d.w(", ")
		case q.Recursive:
			d.w(" WITH RECURSIVE ")
		default:
			d.w(" WITH ")
		}
		d.w(quoteName(c.Name))
		if out := queryColumns(c.Query); len(out) == len(c.Columns) {
			renamed := false
			for k := range out {
				renamed = renamed || out[k].Name != c.Columns[k].Name
			}
			if given := c.Columns; renamed || len(c.Aliases) > 0 {
				if len(c.Aliases) > 0 {
					given = c.Columns[:len(c.Aliases)]
				}
				d.columnNames(given)
			}
		}
		d.w(" AS ")
		switch c.Materialized {
		case 'm':
			d.w("MATERIALIZED ")
		case 'n':
			d.w("NOT MATERIALIZED ")
		}
		d.w("(")
		d.indent += 8
		d.line(0)
		d.query(c.Query)
		d.line(0)
		d.w(")")
		d.searchClauses(c)
		d.indent -= 8
	}
	if len(q.CTEs) > 0 {
		d.line(0)
	}
}

func (d *deparser) columnNames(cols []plan.RelColumn) {
	d.w("(")
	for i, c := range cols {
		if i > 0 {
			d.w(", ")
		}
		d.w(quoteName(c.Name))
	}
	d.w(")")
}

// nested writes a query in parentheses, indented; unseen says that nobody sees the names of its columns.
func (d *deparser) nested(q *plan.Query, unseen bool) {
	saved := d.unseen
	d.unseen = unseen
	d.w("(")
	d.indent += 8
	d.query(q)
	d.indent -= 8
	d.w(")")
	d.unseen = saved
}

func (d *deparser) selectBody(q *plan.Query) {
	if len(q.Rels) == 1 && q.Rels[0].Kind == plan.RelValues && q.Rels[0].Alias == "*VALUES*" && len(q.From) == 1 && q.Where == nil {
		d.valuesRows(q.Rels[0].Values)
		return
	}
	d.w(" SELECT ")
	switch {
	case len(q.DistinctOn) > 0:
		d.w("DISTINCT ON (")
		for i, k := range q.DistinctOn {
			if i > 0 {
				d.w(", ")
			}
			d.expr(k.Expr)
		}
		d.w(") ")
	case q.Distinct:
		d.w("DISTINCT ")
	}
	for i, t := range visible(q.Targets) {
		if i > 0 {
			d.w(",")
			d.line(4)
		}
		d.expr(t.Expr)
		if name, plain := d.impliedName(t.Expr); plain && name != t.Name || !plain && !(d.unseen && t.Name == unnamedColumn) {
			d.w(" AS ", quoteName(t.Name))
		}
	}
	for i, it := range q.From {
		if i == 0 {
			d.line(3)
			d.w("FROM ")
		} else {
			d.w(",")
			d.line(4)
		}
		d.fromItem(q, it)
	}
	if q.Where != nil {
		d.line(2)
		d.w("WHERE ")
		d.bare(q.Where)
	}
	d.groupBy(q)
	if q.Having != nil {
		d.line(1)
		d.w("HAVING ")
		d.bare(q.Having)
	}
}

// impliedName returns the name that an output column has without AS.
func (d *deparser) impliedName(e plan.Expr) (string, bool) {
	if v, ok := e.(*plan.Var); ok && v.Attr >= 0 {
		if i := len(d.levels) - 1 - v.Level; i >= 0 {
			return nameNow(d.levels[i].Rels[v.Rel], v.Attr), true
		}
	}
	return "", false
}

func (d *deparser) valuesRows(rows [][]plan.Expr) {
	d.w(" VALUES ")
	for i, r := range rows {
		if i > 0 {
			d.w(", ")
		}
		d.w("(")
		d.list(r)
		d.w(")")
	}
}

func (d *deparser) groupBy(q *plan.Query) {
	if len(q.GroupBy) == 0 && q.Sets == nil {
		return
	}
	d.line(2)
	d.w("GROUP BY ")
	if q.Sets == nil {
		for i, k := range q.GroupBy {
			if i > 0 {
				d.w(", ")
			}
			d.expr(k.Expr)
		}
		return
	}
	d.w("GROUPING SETS (")
	for i, set := range q.Sets {
		if i > 0 {
			d.w(", ")
		}
		d.w("(")
		for k, g := range set {
			if k > 0 {
				d.w(", ")
			}
			d.expr(q.GroupBy[g].Expr)
		}
		d.w(")")
	}
	d.w(")")
}

func (d *deparser) orderBy(q *plan.Query) {
	if len(q.OrderBy) == 0 {
		return
	}
	d.line(2)
	d.w("ORDER BY ")
	d.keys(q.OrderBy, q.SetOp != nil)
}

func (d *deparser) keys(keys []plan.SortKey, byName bool) {
	for i, k := range keys {
		if i > 0 {
			d.w(", ")
		}
		if _, isConst := k.Expr.(*plan.Const); (isConst || byName) && k.Target >= 0 {
			d.w(strconv.Itoa(k.Target + 1))
		} else {
			call, ok := k.Expr.(*plan.Call)
			d.paren(ok && call.Op == 0 && call.Cast == plan.CastNone, func() { d.expr(k.Expr) })
		}
		switch {
		case k.UsingOp != 0:
			d.w(" USING ", operatorName(k.UsingOp))
		case k.Desc:
			d.w(" DESC")
		}
		if k.NullsFirst != k.Desc {
			d.w(map[bool]string{true: " NULLS FIRST", false: " NULLS LAST"}[k.NullsFirst])
		}
	}
}

func (d *deparser) setOp(q *plan.Query, n *plan.SetOp) {
	if n.Rel >= 0 {
		sub := searchSource(q.Rels[n.Rel].Query)
		need := len(sub.OrderBy) > 0 || sub.Limit != nil || sub.Offset != nil || len(sub.CTEs) > 0 || sub.SetOp != nil
		d.paren(need, func() { d.query(sub) })
		return
	}
	d.setSide(q, n.Left, n.Left.Rel < 0 && (n.Left.Kind != n.Kind || n.Left.All != n.All))
	d.line(0)
	d.w([...]string{"UNION", "INTERSECT", "EXCEPT"}[n.Kind])
	if n.All {
		d.w(" ALL")
	}
	d.line(0)
	saved := d.unseen
	d.unseen = d.unseen || len(d.levels) > 1
	d.setSide(q, n.Right, n.Right.Rel < 0)
	d.unseen = saved
}

// unnamedColumn is what a column is called whose expression suggests no name.
const unnamedColumn = "?column?"

func (d *deparser) setSide(q *plan.Query, n *plan.SetOp, need bool) {
	d.paren(need, func() { d.setOp(q, n) })
}

func (d *deparser) fromItem(q *plan.Query, it plan.FromItem) {
	if ref, ok := it.(*plan.RelRef); ok {
		d.rel(q.Rels[ref.Rel])
		return
	}
	j := it.(*plan.Join)
	d.paren(!d.pretty, func() {
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
			for i, n := range j.Using {
				if i > 0 {
					d.w(", ")
				}
				d.w(quoteName(n))
			}
			d.w(")")
		case j.On != nil:
			d.w(" ON ")
			d.paren(!d.pretty, func() { d.bare(j.On) })
		}
	})
}

func (d *deparser) rel(r *plan.Rel) {
	name := ""
	switch {
	case r.Kind == plan.RelTable:
		if r.Only {
			d.w("ONLY ")
		}
		d.w(d.qualified(r.Table.Schema, r.Table.Name))
		name = r.Table.Name
	case r.FromView != 0:
		if v := d.env.Catalog.Relation(r.FromView); v != nil {
			d.w(d.qualified(v.Schema, v.Name))
			name = v.Name
		}
	case r.Kind == plan.RelSubquery:
		if r.Lateral {
			d.w("LATERAL ")
		}
		d.nested(r.Query, false)
	case r.Kind == plan.RelCTE:
		d.w(quoteName(r.CTE))
		name = r.CTE
	case r.Kind == plan.RelValues:
		d.w("(")
		d.valuesRows(r.Values)
		d.w(")")
	case r.Kind == plan.RelFunction:
		d.funcs(r)
	}
	if r.Alias == "unnamed_subquery" || d.nameOf(r) == name {
		return
	}
	d.w(" ", quoteName(d.nameOf(r)))
	if r.Kind == plan.RelFunction || r.Kind == plan.RelValues {
		d.columnNames(r.Columns)
	}
}

func (d *deparser) funcs(r *plan.Rel) {
	if len(r.Funcs) > 1 {
		d.w("ROWS FROM(")
	}
	for i, f := range r.Funcs {
		if i > 0 {
			d.w(", ")
		}
		d.bare(f.Expr)
	}
	if len(r.Funcs) > 1 {
		d.w(")")
	}
	if r.Ordinality {
		d.w(" WITH ORDINALITY")
	}
}

func (d *deparser) aggregate(x *plan.Agg) {
	d.w(d.functionName(x.Func), "(")
	switch {
	case x.Star:
		d.w("*")
	case x.Within:
		d.list(x.Direct)
		d.w(") WITHIN GROUP (ORDER BY ")
		d.keys(x.OrderBy, false)
	default:
		if x.Distinct {
			d.w("DISTINCT ")
		}
		d.list(x.Args)
		if len(x.OrderBy) > 0 {
			d.w(" ORDER BY ")
			d.keys(x.OrderBy, false)
		}
	}
	d.w(")")
	d.filter(x.Filter)
}

func (d *deparser) filter(e plan.Expr) {
	if e != nil {
		d.w(" FILTER (WHERE ")
		d.expr(e)
		d.w(")")
	}
}

func (d *deparser) windowCall(x *plan.WindowCall) {
	d.w(d.functionName(x.Func), "(")
	if x.Star {
		d.w("*")
	}
	d.list(x.Args)
	d.w(")")
	d.filter(x.Filter)
	d.w(" OVER (")
	q := d.levels[len(d.levels)-1]
	if x.Window < len(q.Windows) {
		d.window(q.Windows[x.Window])
	}
	d.w(")")
}

func (d *deparser) window(w *plan.Window) {
	sep := ""
	if len(w.PartitionBy) > 0 {
		d.w("PARTITION BY ")
		for i, k := range w.PartitionBy {
			if i > 0 {
				d.w(", ")
			}
			d.expr(k.Expr)
		}
		sep = " "
	}
	if len(w.OrderBy) > 0 {
		d.w(sep, "ORDER BY ")
		d.keys(w.OrderBy, false)
		sep = " "
	}
	if !w.Frame.Explicit {
		return
	}
	d.w(sep, [...]string{"RANGE", "ROWS", "GROUPS"}[w.Frame.Mode], " BETWEEN ")
	d.bound(w.Frame.Start, w.Frame.StartOffset)
	d.w(" AND ")
	d.bound(w.Frame.End, w.Frame.EndOffset)
	switch w.Frame.Exclude {
	case 'r':
		d.w(" EXCLUDE CURRENT ROW")
	case 'g':
		d.w(" EXCLUDE GROUP")
	case 't':
		d.w(" EXCLUDE TIES")
	}
}

func (d *deparser) bound(k plan.BoundKind, offset plan.Expr) {
	if offset != nil {
		d.expr(offset)
		d.w(" ")
	}
	d.w([...]string{"UNBOUNDED PRECEDING", "PRECEDING", "CURRENT ROW", "FOLLOWING", "UNBOUNDED FOLLOWING"}[k])
}

func (d *deparser) subLink(x *plan.SubLink) {
	switch x.Kind {
	case plan.SubExists:
		d.w("(EXISTS ")
		d.nested(x.Query, true)
		d.w(")")
		return
	case plan.SubArray:
		d.w("ARRAY")
	case plan.SubAny, plan.SubAll, plan.SubRow:
		left, op := d.subTest(x.Test)
		d.w("(")
		d.paren(len(left) > 1, func() { d.list(left) })
		switch {
		case x.Kind == plan.SubAny && op == "=":
			d.w(" IN ")
		case x.Kind == plan.SubAny:
			d.w(" ", op, " ANY ")
		case x.Kind == plan.SubAll:
			d.w(" ", op, " ALL ")
		default:
			d.w(" ", op, " ")
		}
		d.nested(x.Query, true)
		d.w(")")
		return
	}
	d.nested(x.Query, true)
}

// subTest returns the left-hand values of a sublink's test and its operator.
func (d *deparser) subTest(e plan.Expr) ([]plan.Expr, string) {
	switch x := e.(type) {
	case *plan.Call:
		if x.Op != 0 && len(x.Args) == 2 {
			return x.Args[:1], operatorName(x.Op)
		}
	case *plan.BoolOp:
		var left []plan.Expr
		op := ""
		for _, a := range x.Args {
			l, o := d.subTest(a)
			left, op = append(left, l...), o
		}
		return left, op
	case *plan.RowCompare:
		return x.Left, operatorName(x.OpOIDs[0])
	}
	return nil, "="
}
