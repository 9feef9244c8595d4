package planner

import (
	"strconv"
	"strings"

	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// DeparseQuery writes a bound SELECT over several lines, as pg_get_viewdef does. Columns are the names that its output goes by,
// nil for those that it was stored with.
func DeparseQuery(env *Env, q *plan.Query, columns []string, pretty bool) string {
	d := &deparser{env: env, pretty: pretty, prefix: true, names: newNameChoice(), columns: columns}
	d.query(q)
	return d.sb.String()
}

// line starts a new line at an offset from the query's own indentation.
func (d *deparser) line(offset int) { d.w("\n", strings.Repeat(" ", max(d.indent+offset, 0))) }

func (d *deparser) query(q *plan.Query) {
	d.levels = append(d.levels, q)
	d.chooseNames()
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
	switch {
	case q.LimitAll:
		d.line(1)
		d.w("LIMIT ALL")
	case q.Limit != nil:
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
	d.locks(q)
}

// locks writes FOR UPDATE and its like, those that were written.
func (d *deparser) locks(q *plan.Query) {
	for _, l := range q.Locks {
		if l.Pushed {
			continue
		}
		d.line(1)
		d.w("FOR ", [...]string{"KEY SHARE", "SHARE", "NO KEY UPDATE", "UPDATE"}[l.Strength], " OF ", d.quote(d.nameOf(q.Rels[l.Rel])))
		switch l.Wait {
		case plan.LockNoWait:
			d.w(" NOWAIT")
		case plan.LockSkip:
			d.w(" SKIP LOCKED")
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
		d.w(d.quote(c.Name))
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
		columns := d.columns
		d.columns = nil
		d.query(c.Query)
		d.columns = columns
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
		d.w(d.quote(c.Name))
	}
	d.w(")")
}

// nested writes a query in parentheses, indented; unseen says that nobody sees the names of its columns.
func (d *deparser) nested(q *plan.Query, unseen bool) {
	saved, columns := d.unseen, d.columns
	d.unseen, d.columns = unseen, nil
	d.w("(")
	indent := d.indent
	d.indent += 8
	if len(d.levels) > 0 && d.caseIndent > d.indent { // in a CASE
		d.indent = d.caseIndent
	}
	d.query(q)
	d.indent = indent
	d.w(")")
	d.unseen, d.columns = saved, columns
}

func (d *deparser) selectBody(q *plan.Query) {
	if d.onlyValues(q) {
		d.w(" ")
		d.valuesRows(q.Rels[0].Values)
		return
	}
	d.w(" SELECT")
	switch {
	case len(q.DistinctOn) > 0:
		d.w(" DISTINCT ON (")
		for i, k := range q.DistinctOn {
			if i > 0 {
				d.w(", ")
			}
			d.sortExpr(k.Expr)
		}
		d.w(")")
	case q.Distinct:
		d.w(" DISTINCT")
	}
	d.targets(q)
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
	for i, w := range q.NamedWindows {
		if i == 0 {
			d.line(2)
			d.w("WINDOW ")
		} else {
			d.w(", ")
		}
		d.w(d.quote(w.Name), " AS (")
		d.window(w)
		d.w(")")
	}
}

// onlyValues reports whether a query is a VALUES list, its columns called as those are.
func (d *deparser) onlyValues(q *plan.Query) bool {
	if len(q.Rels) != 1 || q.Rels[0].Kind != plan.RelValues || q.Rels[0].Alias != "*VALUES*" || len(q.From) != 1 || q.Where != nil {
		return false
	}
	out := visible(q.Targets)
	if len(out) != len(q.Rels[0].Columns) {
		return false
	}
	for i, t := range out {
		v, ok := t.Expr.(*plan.Var)
		if !ok || v.Attr != i || d.outputNameOf(t, i) != q.Rels[0].Columns[i].Name {
			return false
		}
	}
	return true
}

// outputNameOf is the name of an output column, which of the outermost query may be another than it was stored with.
func (d *deparser) outputNameOf(t *plan.Target, i int) string {
	if i < len(d.columns) {
		return d.columns[i]
	}
	return t.Name
}

func (d *deparser) targets(q *plan.Query) {
	for i, t := range visible(q.Targets) {
		if i > 0 {
			d.w(",")
			d.line(4)
		} else {
			d.w(" ")
		}
		e := t.Expr
		if d.arm == q {
			e = plan.WithoutImplicit(e)
		}
		d.topLevel(e)
		want := d.outputNameOf(t, i)
		if name, plain := d.impliedName(e); plain && name != want || !plain && !(d.unseen && want == unnamedColumn) {
			d.w(" AS ", d.quote(want))
		}
	}
}

// impliedName returns the name that an output column has without AS.
func (d *deparser) impliedName(e plan.Expr) (string, bool) {
	switch x := e.(type) {
	case *plan.Var:
		i := len(d.levels) - 1 - x.Level
		if i < 0 {
			return "", false
		}
		r := d.levels[i].Rels[x.Rel]
		if x.Attr == plan.AttrWholeRow {
			return d.nameOf(r), true
		}
		if x.Attr < 0 {
			return systemColumnName(x.Attr), true
		}
		_, name := d.reference(r, x.Attr)
		return name, true
	case *plan.Coalesce:
		_, name, ok := d.merged(x)
		return name, ok
	}
	return "", false
}

func (d *deparser) valuesRows(rows [][]plan.Expr) {
	d.w("VALUES ")
	for i, r := range rows {
		if i > 0 {
			d.w(", ")
		}
		d.w("(")
		for k, e := range r {
			if k > 0 {
				d.w(",")
			}
			d.topLevel(plan.WithoutImplicit(e))
		}
		d.w(")")
	}
}

func (d *deparser) groupBy(q *plan.Query) {
	if len(q.GroupBy) == 0 && q.Sets == nil && q.GroupShape == nil {
		return
	}
	d.line(2)
	d.w("GROUP BY ")
	if q.GroupDistinct {
		d.w("DISTINCT ")
	}
	if q.GroupShape == nil {
		for i, k := range q.GroupBy {
			if i > 0 {
				d.w(", ")
			}
			d.sortExpr(k.Expr)
		}
		return
	}
	for i, g := range q.GroupShape {
		if i > 0 {
			d.w(", ")
		}
		d.groupShape(q, g, true)
	}
}

// groupShape writes an element of GROUP BY; bare leaves out the parentheses around one expression.
func (d *deparser) groupShape(q *plan.Query, g plan.GroupShape, bare bool) {
	switch g.Kind {
	case plan.GroupEmpty:
		d.w("()")
		return
	case plan.GroupOf:
		d.paren(!bare || len(g.Keys) != 1, func() {
			for i, k := range g.Keys {
				if i > 0 {
					d.w(", ")
				}
				d.sortExpr(q.GroupBy[k].Expr)
			}
		})
		return
	}
	d.w(map[plan.GroupKind]string{plan.GroupRollup: "ROLLUP(", plan.GroupCube: "CUBE(", plan.GroupSets: "GROUPING SETS ("}[g.Kind])
	for i, c := range g.Content {
		if i > 0 {
			d.w(", ")
		}
		d.groupShape(q, c, g.Kind != plan.GroupSets)
	}
	d.w(")")
}

// sortExpr writes an expression to sort or group by, so that it cannot be taken for a column's number, or for CUBE and ROLLUP.
func (d *deparser) sortExpr(e plan.Expr) {
	switch x := e.(type) {
	case *plan.Const:
		text := string(d.env.Types.Out(nil, x.Typ.OID, x.Value))
		if x.Typ.OID == types.Int4OID && !x.Value.Null && text[0] != '-' {
			d.w(text, "::", d.typeName(x.Typ))
			return
		}
		d.expr(e)
	case *plan.Var:
		d.expr(e)
	case *plan.Agg, *plan.WindowCall:
		d.paren(true, func() { d.expr(e) })
	case *plan.Coalesce:
		_, _, merged := d.merged(x)
		d.paren(d.pretty && !merged, func() { d.expr(e) })
	case *plan.Call:
		d.paren(d.pretty || x.Op == 0, func() { d.expr(e) })
	default:
		d.paren(d.pretty, func() { d.expr(e) })
	}
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
			d.sortExpr(k.Expr)
		}
		using := k.UsingOp != 0 && !d.ordinary(k)
		switch {
		case using:
			d.w(" USING ", operatorName(k.UsingOp))
		case k.Desc:
			d.w(" DESC")
		}
		if using || k.NullsFirst != k.Desc {
			d.w(map[bool]string{true: " NULLS FIRST", false: " NULLS LAST"}[k.NullsFirst])
		}
	}
}

// ordinary reports whether USING names one of the operators that ASC and DESC mean.
func (d *deparser) ordinary(k plan.SortKey) bool {
	t := k.Expr.ResultType().OID
	less, greater := functions.LessOp(d.env.Types, t), functions.GreaterOp(d.env.Types, t)
	return less != nil && less.OID == k.UsingOp || greater != nil && greater.OID == k.UsingOp
}

func (d *deparser) setOp(q *plan.Query, n *plan.SetOp) {
	if n.Rel >= 0 {
		sub := searchSource(q.Rels[n.Rel].Query)
		need := len(sub.OrderBy) > 0 || sub.Limit != nil || sub.Offset != nil || len(sub.CTEs) > 0 || len(sub.Locks) > 0 || sub.SetOp != nil
		d.arm = sub
		d.paren(need, func() { d.query(sub) })
		return
	}
	if l := n.Left; l.Rel < 0 && (l.Kind != n.Kind || l.All != n.All) {
		d.w("(")
		d.indent += 8
		d.line(0)
		d.setOp(q, l)
		d.indent -= 8
		d.line(0)
		d.w(") ")
	} else {
		d.setOp(q, l)
		d.line(0)
	}
	d.w([...]string{"UNION", "INTERSECT", "EXCEPT"}[n.Kind])
	if n.All {
		d.w(" ALL")
	}
	nested := n.Right.Rel < 0
	if nested {
		d.w(" (")
		d.indent += 8
	}
	d.line(0)
	saved := d.unseen
	d.unseen = true
	d.setOp(q, n.Right)
	d.unseen = saved
	if nested {
		d.indent -= 8
		d.line(0)
		d.w(")")
	}
}

// unnamedColumn is what a column is called whose expression suggests no name.
const unnamedColumn = "?column?"

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
	d.w(" OVER ")
	q := d.levels[len(d.levels)-1]
	if x.Window < len(q.Windows) && q.Windows[x.Window].Name != "" {
		d.w(d.quote(q.Windows[x.Window].Name))
		return
	}
	d.w("(")
	if x.Window < len(q.Windows) {
		d.window(q.Windows[x.Window])
	}
	d.w(")")
}

func (d *deparser) window(w *plan.Window) {
	sep := ""
	if w.Base != "" {
		d.w(d.quote(w.Base))
		sep = " "
	} else if len(w.PartitionBy) > 0 {
		d.w("PARTITION BY ")
		for i, k := range w.PartitionBy {
			if i > 0 {
				d.w(", ")
			}
			d.sortExpr(k.Expr)
		}
		sep = " "
	}
	if len(w.OrderBy) > 0 && (w.Base == "" || w.OwnOrder) {
		d.w(sep, "ORDER BY ")
		d.keys(w.OrderBy, false)
		sep = " "
	}
	if !w.Frame.Explicit {
		return
	}
	d.w(sep, [...]string{"RANGE ", "ROWS ", "GROUPS "}[w.Frame.Mode])
	if w.Frame.Between {
		d.w("BETWEEN ")
	}
	d.bound(w.Frame.Start, w.Frame.StartOffset)
	if w.Frame.Between {
		d.w(" AND ")
		d.bound(w.Frame.End, w.Frame.EndOffset)
	}
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
		d.bare(offset)
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
