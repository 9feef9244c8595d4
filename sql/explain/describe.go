package explain

import (
	"fmt"
	"strings"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/plan"
)

// describe sets a node's title and properties.
func (e *explainer) describe(n *node, p plan.Node) {
	set := func(kind, suffix string) { n.kind, n.title = kind, kind+suffix }
	switch x := p.(type) {
	case *plan.Result:
		set("Result", "")
		e.cond(n, "One-Time Filter", x.Filter)
	case *plan.Values:
		set("Values Scan", "")
	case *plan.Scan:
		e.scan(n, x)
	case *plan.KeyLookup:
		set("Learned Lookup", " on "+tableName(x.Table, x.Alias))
		n.add("Relation Name", x.Table.Name)
		n.add("Key", e.lookupKeys(x))
		e.cond(n, "Filter", x.Filter, x)
	case *plan.IndexScan:
		e.indexScan(n, x)
	case *plan.ItemScan:
		e.itemScan(n, x)
	case *plan.VirtualScan:
		set("Seq Scan", " on "+tableName(x.Table, x.Alias))
		e.cond(n, "Filter", x.Filter, x)
	case *plan.FunctionScan:
		set("Function Scan", " on "+x.Alias)
		e.cond(n, "Filter", x.Filter, x)
	case *plan.CTEScan:
		set("CTE Scan", " on "+x.Alias)
		e.cond(n, "Filter", x.Filter, x)
	case *plan.WorkTableScan:
		set("WorkTable Scan", " on "+x.Alias)
		e.cond(n, "Filter", x.Filter, x)
	case *plan.Filter:
		if x.Once {
			set("Result", "")
			e.cond(n, "One-Time Filter", x.Cond, x.Input)
			break
		}
		set("Filter", "")
		e.cond(n, "Filter", x.Cond, x.Input)
	case *plan.Project:
		set("Project", "")
		if e.opts.Verbose {
			n.add("Output", strings.Split(e.printer(x.Input).list(x.Exprs, "\x00"), "\x00"))
		}
	case *plan.ProjectSet:
		set("ProjectSet", "")
	case *plan.Sort:
		set("Sort", "")
		n.add("Sort Key", e.sortKeys(x.Keys, x.Input))
	case *plan.Limit:
		set("Limit", "")
	case *plan.Unique:
		set("Unique", "")
	default:
		e.describeUpper(n, p)
	}
}

func (e *explainer) describeUpper(n *node, p plan.Node) {
	set := func(kind, suffix string) { n.kind, n.title = kind, kind+suffix }
	switch x := p.(type) {
	case *plan.Aggregate:
		set([]string{"Aggregate", "HashAggregate", "GroupAggregate"}[x.Strategy], "")
		n.add("Group Key", e.sortKeys(x.Keys, x.Input))
	case *plan.WindowAgg:
		set("WindowAgg", "")
	case *plan.NestLoop:
		set("Nested Loop", joinSuffix(x.Kind))
		e.cond(n, "Join Filter", x.Cond, x.Left, x.Right)
	case *plan.Adaptive:
		set("Adaptive Join", "")
		n.add("Nested Loop up to", fmt.Sprintf("%d rows", x.Limit))
	case *plan.HashJoin:
		set("Hash", joinSuffix(x.Kind))
		n.kind = "Hash Join"
		if x.Kind == plan.InnerJoin {
			n.title = "Hash Join"
		}
		n.add("Hash Cond", e.keyConds(x.LeftKeys, x.RightKeys, x.Left, x.Right))
		e.cond(n, "Join Filter", x.Cond, x.Left, x.Right)
	case *plan.MergeJoin:
		set("Merge", joinSuffix(x.Kind))
		n.kind = "Merge Join"
		if x.Kind == plan.InnerJoin {
			n.title = "Merge Join"
		}
		n.add("Merge Cond", e.keyConds(x.LeftKeys, x.RightKeys, x.Left, x.Right))
		e.cond(n, "Join Filter", x.Cond, x.Left, x.Right)
	case *plan.IndexJoin:
		e.indexJoin(n, x)
	case *plan.Append:
		set("Append", "")
	case *plan.SetOperation:
		set("SetOp", " "+map[plan.SetOpKind]string{plan.Intersect: "Intersect", plan.Except: "Except"}[x.Kind])
	case *plan.RecursiveUnion:
		set("Recursive Union", "")
	case *plan.Materialize:
		set("Materialize", "")
	case *plan.LockRows:
		set("LockRows", "")
	case *plan.Modify:
		set(map[plan.Command]string{plan.Insert: "Insert", plan.Update: "Update", plan.Delete: "Delete", plan.Merge: "Merge"}[x.Command],
			" on "+tableName(x.Table, x.Alias))
		n.kind = "ModifyTable"
	default:
		n.kind = strings.TrimPrefix(fmt.Sprintf("%T", p), "*plan.")
		n.title = n.kind
	}
}

func joinSuffix(k plan.JoinKind) string {
	switch k {
	case plan.LeftJoin:
		return " Left Join"
	case plan.RightJoin:
		return " Right Join"
	case plan.FullJoin:
		return " Full Join"
	case plan.SemiJoin, plan.FirstJoin:
		return " Semi Join"
	case plan.RightSemiJoin:
		return " Right Semi Join"
	case plan.RightAntiJoin:
		return " Right Anti Join"
	case plan.AntiJoin, plan.AntiNullJoin:
		return " Anti Join"
	}
	return ""
}

func (e *explainer) cond(n *node, label string, c plan.Expr, inputs ...plan.Node) {
	if c != nil {
		n.add(label, e.printer(inputs...).expr(c))
	}
}

func (e *explainer) scan(n *node, x *plan.Scan) {
	switch {
	case x.CountOnly:
		n.kind = "Learned Count"
	case x.Range != nil:
		n.kind = "Learned Range Scan"
	default:
		n.kind = "Seq Scan"
	}
	n.title = n.kind
	if x.Reverse {
		n.title += " Backward"
	}
	n.title += " on " + tableName(x.Table, x.Alias)
	n.add("Relation Name", x.Table.Name)
	if x.Range != nil {
		n.add("Key Range", e.rangeText(*x.Range, storageColumns(x.Table)))
	}
	e.cond(n, "Filter", x.Filter, x)
}

func storageColumns(t *catalog.Relation) []string {
	var out []string
	for _, k := range t.StorageKey {
		out = append(out, t.Columns[k-1].Name)
	}
	return out
}

func indexColumns(t *catalog.Relation, ix *catalog.Index) []string {
	var out []string
	for _, k := range ix.Keys {
		if k.Column > 0 {
			out = append(out, t.Columns[k.Column-1].Name)
		} else {
			out = append(out, k.Name)
		}
	}
	return out
}

// rangeText writes the bounds as a condition on the key columns.
func (e *explainer) rangeText(r plan.KeyRange, cols []string) string {
	p := e.printer()
	if len(cols) == 0 {
		return ""
	}
	bound := func(b *plan.Bound, op string) string {
		if b == nil {
			return ""
		}
		if b.Inclusive {
			op += "="
		}
		if len(b.Exprs) == 1 {
			return "(" + cols[0] + " " + op + " " + p.expr(b.Exprs[0]) + ")"
		}
		return "((" + strings.Join(cols[:len(b.Exprs)], ", ") + ") " + op + " (" + p.list(b.Exprs, ", ") + "))"
	}
	if r.Lower != nil && r.Upper != nil && len(r.Lower.Exprs) == len(r.Upper.Exprs) && p.list(r.Lower.Exprs, ",") == p.list(r.Upper.Exprs, ",") {
		var parts []string
		for i, x := range r.Lower.Exprs {
			parts = append(parts, "("+cols[i]+" = "+p.expr(x)+")")
		}
		return strings.Join(parts, " AND ")
	}
	lower, upper := bound(r.Lower, ">"), bound(r.Upper, "<")
	if lower != "" && upper != "" {
		return lower + " AND " + upper
	}
	return lower + upper
}

func (e *explainer) lookupKeys(x *plan.KeyLookup) string {
	cols, p := storageColumns(x.Table), e.printer()
	if x.Array != nil {
		return "(" + cols[0] + " = ANY (" + p.expr(x.Array) + "))"
	}
	var parts []string
	for i, k := range x.Keys[0] {
		parts = append(parts, "("+cols[i]+" = "+p.expr(k)+")")
	}
	return strings.Join(parts, " AND ")
}

func (e *explainer) indexScan(n *node, x *plan.IndexScan) {
	n.kind = "Index Scan"
	if x.IndexOnly {
		n.kind = "Index Only Scan"
	}
	n.title = n.kind
	if x.Reverse {
		n.title += " Backward"
	}
	n.title += " using " + x.Index.Name + " on " + tableName(x.Table, x.Alias)
	n.add("Index Name", x.Index.Name)
	cols := x.KeyText
	if cols == nil {
		cols = indexColumns(x.Table, x.Index)
	}
	switch {
	case x.Array != nil:
		n.add("Index Cond", "("+cols[0]+" = ANY ("+e.printer().expr(x.Array)+"))")
	case len(x.Ranges) == 1:
		n.add("Index Cond", e.rangeText(x.Ranges[0], cols))
	}
	e.cond(n, "Filter", x.Filter, x)
}

func (e *explainer) itemScan(n *node, x *plan.ItemScan) {
	n.kind = "Item Scan"
	n.title = n.kind + " using " + x.Index.Name + " on " + tableName(x.Table, x.Alias)
	n.add("Index Name", x.Index.Name)
	cols := x.KeyText
	if cols == nil {
		cols = indexColumns(x.Table, x.Index)
	}
	var conds []string
	for _, s := range x.Searches {
		conds = append(conds, "("+cols[s.Column]+" "+s.Operator+" "+e.printer().expr(s.Value)+")")
	}
	n.add("Index Cond", strings.Join(conds, " AND "))
	e.cond(n, "Filter", x.Filter, x)
}

func (e *explainer) indexJoin(n *node, x *plan.IndexJoin) {
	n.kind = "Index Join"
	by, cols := "storage key", storageColumns(x.Table)
	if x.Index != nil {
		by, cols = x.Index.Name, x.KeyText
		if cols == nil {
			cols = indexColumns(x.Table, x.Index)
		}
	}
	n.title = "Index" + joinSuffix(x.Kind)
	if x.Kind == plan.InnerJoin {
		n.title = "Index Join"
	}
	n.title += " on " + tableName(x.Table, x.Alias) + " using " + by
	if x.Lookup != nil {
		by, cols = "catalog", nil
		for _, a := range x.Lookup {
			cols = append(cols, x.Table.Columns[a].Name)
		}
	}
	p := e.printer(x.Left)
	var parts []string
	for i, k := range x.Keys {
		parts = append(parts, "("+cols[i]+" = "+p.expr(k)+")")
	}
	n.add("Index Cond", strings.Join(parts, " AND "))
	right := &printer{env: e.env, sub: p.sub}
	for _, a := range x.Attrs {
		name := "ctid"
		if a >= 0 {
			name = x.Table.Columns[a].Name
		}
		right.cols = append(right.cols, name)
	}
	if x.Filter != nil {
		n.add("Filter", right.expr(x.Filter))
	}
	if x.Cond != nil {
		both := &printer{env: e.env, sub: p.sub, cols: append(append([]string(nil), p.cols...), right.cols...)}
		n.add("Join Filter", both.expr(x.Cond))
	}
}

func (e *explainer) keyConds(left, right []plan.Expr, l, r plan.Node) string {
	lp, rp := e.printer(l), e.printer(r)
	var parts []string
	for i := range left {
		parts = append(parts, "("+lp.expr(left[i])+" = "+rp.expr(right[i])+")")
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return "(" + strings.Join(parts, " AND ") + ")"
}

func (e *explainer) sortKeys(keys []plan.SortKey, input plan.Node) []string {
	p := e.printer(input)
	var out []string
	for _, k := range keys {
		s := p.expr(k.Expr)
		if k.Desc {
			s += " DESC"
			if !k.NullsFirst {
				s += " NULLS LAST"
			}
		} else if k.NullsFirst {
			s += " NULLS FIRST"
		}
		out = append(out, s)
	}
	return out
}

// exprsOf returns the expressions that stand in a node itself.
func exprsOf(p plan.Node) []plan.Expr {
	var out []plan.Expr
	add := func(es ...plan.Expr) {
		for _, x := range es {
			if x != nil {
				out = append(out, x)
			}
		}
	}
	keyRange := func(r *plan.KeyRange) {
		if r == nil {
			return
		}
		for _, b := range []*plan.Bound{r.Lower, r.Upper} {
			if b != nil {
				add(b.Exprs...)
			}
		}
	}
	switch x := p.(type) {
	case *plan.Result:
		add(x.Exprs...)
		add(x.Filter)
	case *plan.Values:
		for _, row := range x.Rows {
			add(row...)
		}
	case *plan.Scan:
		add(x.Filter)
		keyRange(x.Range)
	case *plan.KeyLookup:
		add(x.Filter, x.Array)
		for _, k := range x.Keys {
			add(k...)
		}
	case *plan.IndexScan:
		add(x.Filter, x.Array)
		for i := range x.Ranges {
			keyRange(&x.Ranges[i])
		}
	case *plan.ItemScan:
		add(x.Filter)
		for _, s := range x.Searches {
			add(s.Value)
		}
	case *plan.VirtualScan:
		add(x.Filter)
	case *plan.FunctionScan:
		for _, f := range x.Funcs {
			add(f.Expr)
		}
		add(x.Filter)
	case *plan.Filter:
		add(x.Cond)
	case *plan.Project:
		add(x.Exprs...)
	case *plan.ProjectSet:
		add(x.Exprs...)
	case *plan.Aggregate:
		for _, a := range x.Aggs {
			add(a)
		}
	case *plan.NestLoop:
		add(x.Cond)
	case *plan.HashJoin:
		add(x.Cond)
		add(x.LeftKeys...)
		add(x.RightKeys...)
	case *plan.IndexJoin:
		add(x.Filter, x.Cond)
	case *plan.Modify:
		for _, s := range x.Set {
			add(s.Value)
		}
		add(x.Returning...)
	case *plan.Limit:
		add(x.Offset, x.Count)
	}
	return out
}
