package planner

import (
	"strconv"
	"strings"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// deparser writes bound trees as SQL, in the form of PostgreSQL's ruleutils.
type deparser struct {
	env    *Env
	sb     strings.Builder
	levels []*plan.Query // the queries around the place, innermost last
	prefix bool          // columns carry their table's name
	pretty bool          // leave out parentheses that are not needed
	unseen bool          // nobody sees the names of the columns: those that nobody gave are left out
	names  map[*plan.Rel]string
	indent int
	// caseIndent is where CASE stands, which always begins a line.
	caseIndent int
}

// DeparseExpr writes a stored expression, whose Vars name the columns of one relation
// without its name, as pg_get_expr does.
func DeparseExpr(env *Env, e plan.Expr, columns []string, pretty bool) string {
	d := &deparser{env: env, pretty: pretty}
	r := &plan.Rel{}
	for _, c := range columns {
		r.Columns = append(r.Columns, plan.RelColumn{Name: c})
	}
	d.levels = []*plan.Query{{Rels: []*plan.Rel{r}}}
	d.bare(e)
	return d.sb.String()
}

func (d *deparser) w(parts ...string) {
	for _, p := range parts {
		d.sb.WriteString(p)
	}
}

func (d *deparser) list(es []plan.Expr) {
	for i, e := range es {
		if i > 0 {
			d.w(", ")
		}
		d.expr(e)
	}
}

// paren writes an expression in parentheses unless it is simple and the form is pretty.
func (d *deparser) paren(open bool, f func()) {
	if open {
		d.w("(")
	}
	f()
	if open {
		d.w(")")
	}
}

// operand writes an operand of an operator or cast.
func (d *deparser) operand(e plan.Expr) {
	d.paren(d.pretty && !simple(e), func() { d.expr(e) })
}

// simple reports whether an expression needs no parentheses as an operand.
func simple(e plan.Expr) bool {
	switch x := e.(type) {
	case *plan.Call:
		return x.Op == 0
	case *plan.BoolOp, *plan.NullTest, *plan.BoolTest, *plan.Distinct, *plan.ArrayOp, *plan.RowCompare, *plan.Collate:
		return false
	case *plan.SubLink:
		return x.Test == nil
	}
	return true
}

// bare writes an expression in a place where its type does not matter to what is around
// it, so that implicit coercions need not be shown: conditions, defaults, operands of casts.
func (d *deparser) bare(e plan.Expr) {
	arg := withoutImplicit(e)
	d.paren(d.pretty && arg != e && !simple(arg), func() { d.expr(arg) }) // as below a coercion that is shown
}

func withoutImplicit(e plan.Expr) plan.Expr {
	for {
		var arg plan.Expr
		form := plan.CastNone
		switch x := e.(type) {
		case *plan.Call:
			if form = x.Cast; form != plan.CastNone {
				arg = x.Args[0]
			}
		case *plan.Relabel:
			arg, form = x.Arg, x.Cast
		case *plan.IOCast:
			arg, form = x.Arg, x.Cast
		case *plan.ArrayCast:
			arg, form = x.Arg, x.Cast
		case *plan.DomainCast:
			arg, form = x.Arg, x.Cast
		case *plan.RowCast:
			arg, form = x.Arg, x.Cast
		}
		if form != plan.CastImplicit {
			return e
		}
		e = arg
	}
}

// expr writes an expression with all its coercions.
func (d *deparser) expr(e plan.Expr) {
	switch x := e.(type) {
	case *plan.Const:
		d.constant(x)
	case *plan.Param:
		d.w("$", strconv.Itoa(x.N))
	case *plan.Var:
		d.column(x)
	case *plan.Call:
		d.call(x)
	case *plan.Relabel:
		d.cast(x.Arg, x.Typ)
	case *plan.IOCast:
		d.cast(x.Arg, x.Typ)
	case *plan.ArrayCast:
		d.cast(x.Arg, x.Typ)
	case *plan.DomainCast:
		d.cast(x.Arg, x.Typ)
	case *plan.RowCast:
		d.cast(x.Arg, x.Typ)
	case *plan.BoolOp:
		d.boolOp(x)
	case *plan.NullTest:
		d.suffix(x.Arg, map[bool]string{false: " IS NULL", true: " IS NOT NULL"}[x.Not])
	case *plan.BoolTest:
		d.suffix(withoutImplicit(x.Arg), " "+[...]string{"IS TRUE", "IS NOT TRUE", "IS FALSE", "IS NOT FALSE", "IS UNKNOWN", "IS NOT UNKNOWN"}[x.Kind])
	case *plan.Distinct:
		d.paren(!d.pretty, func() {
			d.operand(x.Left)
			d.w(map[bool]string{false: " IS DISTINCT FROM ", true: " IS NOT DISTINCT FROM "}[x.Not])
			d.operand(x.Right)
		})
	case *plan.NullIf:
		d.w("NULLIF(")
		d.list([]plan.Expr{x.Left, x.Right})
		d.w(")")
	case *plan.Coalesce:
		d.w("COALESCE(")
		d.list(x.Args)
		d.w(")")
	case *plan.MinMax:
		d.w(map[bool]string{false: "GREATEST(", true: "LEAST("}[x.Least])
		d.list(x.Args)
		d.w(")")
	case *plan.Case:
		d.caseExpr(x)
	case *plan.CaseTest:
		d.w("VALUE")
	default:
		d.rareExpr(e)
	}
}

func (d *deparser) suffix(arg plan.Expr, s string) {
	d.paren(!d.pretty, func() {
		d.operand(arg)
		d.w(s)
	})
}

func (d *deparser) rareExpr(e plan.Expr) {
	switch x := e.(type) {
	case *plan.ArrayOf:
		d.w("ARRAY[")
		d.list(x.Args)
		d.w("]")
		if len(x.Args) == 0 {
			d.w("::", d.typeName(x.Typ))
		}
	case *plan.RowOf:
		d.w("ROW(")
		d.list(x.Args)
		d.w(")")
	case *plan.RowCompare:
		d.paren(!d.pretty, func() {
			d.w("(ROW(")
			d.list(x.Left)
			d.w(") ", operatorName(x.OpOIDs[0]), " ROW(")
			d.list(x.Right)
			d.w("))")
		})
	case *plan.ArrayOp:
		d.paren(!d.pretty, func() {
			d.operand(x.Left)
			d.w(" ", operatorName(x.Op), map[bool]string{false: " ANY (", true: " ALL ("}[x.All])
			d.expr(x.Right)
			d.w(")")
		})
	case *plan.Subscript:
		d.subscript(x)
	case *plan.Field:
		d.w("(")
		d.expr(x.Arg)
		d.w(").", quoteName(x.Name))
	case *plan.ValueFunc:
		d.w(strings.ToUpper(x.Name))
		if x.Typ.Typmod >= 0 {
			d.w("(", strconv.Itoa(int(x.Typ.Typmod)), ")")
		}
	case *plan.NextValue:
		d.w("nextval('", strings.ReplaceAll(d.sequenceName(x.Sequence), "'", "''"), "'::regclass)")
	case *plan.Collate:
		d.paren(!d.pretty, func() {
			d.operand(x.Arg)
			d.w(" COLLATE ", quoteAlways(collationName(x.Typ.Collation)))
		})
	case *plan.Agg:
		d.aggregate(x)
	case *plan.WindowCall:
		d.windowCall(x)
	case *plan.Grouping:
		d.w("GROUPING(")
		d.list(x.Args)
		d.w(")")
	case *plan.SubLink:
		d.subLink(x)
	case *plan.SubColumn:
		d.w("?")
	case *plan.Default:
		d.w("DEFAULT")
	}
}

func (d *deparser) typeName(t plan.Type) string { return d.env.Types.FormatType(t.OID, t.Typmod) }

func (d *deparser) sequenceName(oid OID) string {
	q := d.env.Catalog.Sequence(oid)
	if q == nil {
		return strconv.Itoa(int(oid))
	}
	return d.qualified(q.Schema, q.Name)
}

// qualified writes a name with its schema if the search path does not find it.
func (d *deparser) qualified(schema OID, name string) string {
	for _, ns := range d.env.SearchPath {
		if ns == schema {
			return quoteName(name)
		}
		if d.env.Catalog.RelationByName(ns, name) != nil {
			break
		}
	}
	if s := d.env.Catalog.Schema(schema); s != nil {
		return quoteName(s.Name) + "." + quoteName(name)
	}
	return quoteName(name)
}

func (d *deparser) constant(c *plan.Const) {
	if c.Value.Null {
		d.w("NULL::", d.typeName(c.Typ))
		return
	}
	text := string(d.env.Types.Out(nil, c.Typ.OID, c.Value))
	switch c.Typ.OID {
	case types.BoolOID:
		d.w(map[bool]string{false: "false", true: "true"}[c.Value.Bool()])
		return
	case types.UnknownOID:
		d.w(quoteText(text))
		return
	case types.Int4OID:
		if text[0] != '-' {
			d.w(text)
			return
		}
	case types.NumericOID:
		if text[0] >= '0' && text[0] <= '9' && strings.ContainsAny(text, ".eE") && c.Typ.Typmod < 0 {
			d.w(text)
			return
		}
	}
	d.w(quoteText(text), "::", d.typeName(c.Typ))
}

// quoteText writes a literal as it reads with standard_conforming_strings on.
func quoteText(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func quoteAlways(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

func quoteName(s string) string {
	q := types.QuoteIdent(s)
	if q == s && reserved[s] {
		return quoteAlways(s)
	}
	return q
}

// reserved are the key words that cannot be names without quotes: every one that is
// not "unreserved" in PostgreSQL 15.
var reserved = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(`all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case cast char
		character check coalesce collate collation column concurrently constraint create cross current_catalog current_date current_role current_schema
		current_time current_timestamp current_user dec decimal default deferrable desc distinct do else end except exists extract false fetch float for
		foreign freeze from full grant greatest group grouping having ilike in initially inner inout int integer intersect interval into is isnull join
		lateral leading least left like limit localtime localtimestamp national natural nchar none normalize not notnull null nullif numeric offset on only
		or order out outer overlaps overlay placing position precision primary real references returning right row select session_user setof similar
		smallint some substring symmetric table tablesample then time timestamp to trailing treat trim true union unique user using values varchar variadic
		verbose when where window with xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable`) {
		m[w] = true
	}
	return m
}()

func operatorName(oid OID) string {
	if o := functions.OperatorByOID(oid); o != nil {
		return o.Name
	}
	return "?"
}

// column writes a column reference.
func (d *deparser) column(v *plan.Var) {
	i := len(d.levels) - 1 - v.Level
	if i < 0 || v.Rel >= len(d.levels[i].Rels) {
		d.w("?")
		return
	}
	r := d.levels[i].Rels[v.Rel]
	if v.Attr == plan.AttrWholeRow {
		d.w(quoteName(d.nameOf(r)), ".*")
		return
	}
	if d.prefix && r.Alias != "" {
		d.w(quoteName(d.nameOf(r)), ".")
	}
	for name, s := range systemColumns {
		if s.attr == v.Attr {
			d.w(name)
			return
		}
	}
	if v.Attr >= 0 && v.Attr < len(r.Columns) {
		d.w(quoteName(nameNow(r, v.Attr)))
	}
}

// nameOf returns what a relation is called: its alias, with a number where it is taken.
func (d *deparser) nameOf(r *plan.Rel) string {
	if name, ok := d.names[r]; ok {
		return name
	}
	return r.Alias
}

// nameRels chooses the names of the relations of the innermost level, none of which may be one
// of the levels around it.
func (d *deparser) nameRels() {
	taken := map[string]bool{}
	last := len(d.levels) - 1
	for _, q := range d.levels[:last] {
		for _, r := range q.Rels {
			taken[d.nameOf(r)] = true
		}
	}
	for _, r := range d.levels[last].Rels {
		if r.Alias == "" {
			continue
		}
		name := r.Alias
		for i := 1; taken[name]; i++ {
			name = r.Alias + "_" + strconv.Itoa(i)
		}
		taken[name] = true
		if name != r.Alias {
			if d.names == nil {
				d.names = map[*plan.Rel]string{}
			}
			d.names[r] = name
		}
	}
}

// nameNow is the name that a column goes by now: it may have been renamed since the query was stored.
func nameNow(r *plan.Rel, attr int) string {
	if r.Kind == plan.RelTable && r.Table != nil && attr < len(r.Table.Columns) {
		return r.Table.Columns[attr].Name
	}
	return r.Columns[attr].Name
}

// cast writes a coercion.
func (d *deparser) cast(arg plan.Expr, t plan.Type) {
	arg = withoutImplicit(arg)
	if c, ok := arg.(*plan.Const); ok && c.Typ.OID == t.OID {
		d.w(quoteText(string(d.env.Types.Out(nil, c.Typ.OID, c.Value))))
	} else {
		d.paren(!d.pretty || !simple(arg), func() { d.expr(arg) })
	}
	d.w("::", d.typeName(t))
}

func (d *deparser) call(x *plan.Call) {
	switch {
	case x.Cast != plan.CastNone:
		d.cast(x.Args[0], x.Typ)
	case x.Op != 0 && len(x.Args) == 2:
		d.paren(!d.pretty, func() {
			d.operand(x.Args[0])
			d.w(" ", operatorName(x.Op), " ")
			d.operand(x.Args[1])
		})
	case x.Op != 0:
		d.paren(!d.pretty, func() {
			d.w(operatorName(x.Op), " ")
			d.operand(x.Args[0])
		})
	case d.sqlSyntax(x):
	default:
		d.w(d.functionName(x.Func), "(")
		for i, a := range x.Args {
			if i > 0 {
				d.w(", ")
			}
			if arr, ok := a.(*plan.ArrayOf); ok && i == len(x.Args)-1 && x.Func.Variadic != 0 && !x.Variadic {
				d.list(arr.Args)
				continue
			}
			if x.Variadic && i == len(x.Args)-1 {
				d.w("VARIADIC ")
			}
			d.expr(a)
		}
		d.w(")")
	}
}

// sqlSyntax writes the functions that have a syntax of their own.
func (d *deparser) sqlSyntax(x *plan.Call) bool {
	if x.Func.Namespace != functions.PgCatalog || len(x.Args) != 2 {
		return false
	}
	switch x.Func.Name {
	case "timezone":
		d.paren(true, func() {
			d.operand(x.Args[1])
			d.w(" AT TIME ZONE ")
			d.operand(x.Args[0])
		})
		return true
	case "position":
		d.w("POSITION(")
		d.paren(true, func() { d.expr(x.Args[1]) })
		d.w(" IN ")
		d.paren(true, func() { d.expr(x.Args[0]) })
		d.w(")")
		return true
	case "extract":
		c, ok := x.Args[0].(*plan.Const)
		if !ok || c.Value.Null {
			return false
		}
		d.w("EXTRACT(", c.Value.String(), " FROM ")
		d.expr(x.Args[1])
		d.w(")")
		return true
	}
	return false
}

func (d *deparser) functionName(f *functions.Func) string {
	if f.Namespace == functions.PgCatalog {
		return quoteName(f.Name)
	}
	for _, ns := range d.env.SearchPath {
		if ns == f.Namespace {
			return quoteName(f.Name)
		}
	}
	if s := d.env.Catalog.Schema(f.Namespace); s != nil {
		return quoteName(s.Name) + "." + quoteName(f.Name)
	}
	return quoteName(f.Name)
}

func (d *deparser) boolOp(x *plan.BoolOp) {
	d.paren(!d.pretty, func() {
		if x.Op == plan.Not {
			d.w("NOT ")
			d.operand(withoutImplicit(x.Args[0]))
			return
		}
		for i, a := range x.Args {
			if i > 0 {
				d.w(map[plan.BoolKind]string{plan.And: " AND ", plan.Or: " OR "}[x.Op])
			}
			inner, isBool := a.(*plan.BoolOp)
			_, ofArray := withoutImplicit(a).(*plan.ArrayOp)
			d.paren(d.pretty && (ofArray || isBool && inner.Op == plan.Or && x.Op == plan.And), func() { d.bare(a) })
		}
	})
}

func (d *deparser) caseExpr(x *plan.Case) {
	d.breakLine()
	d.w("CASE")
	if x.Arg != nil {
		d.w(" ")
		d.expr(x.Arg)
	}
	d.caseIndent += 4
	for _, w := range x.When {
		d.breakLine()
		d.w("WHEN ")
		cond := w.Cond
		if c, ok := cond.(*plan.Call); ok && x.Arg != nil && len(c.Args) == 2 {
			cond = c.Args[1]
		}
		d.bare(cond)
		d.w(" THEN ")
		d.expr(w.Result)
	}
	d.breakLine()
	d.w("ELSE ")
	if x.Else != nil {
		d.expr(x.Else)
	} else {
		d.constant(&plan.Const{Base: plan.Base{Typ: x.Typ}, Value: column.Null()})
	}
	d.caseIndent -= 4
	d.breakLine()
	d.w("END")
}

// breakLine starts a line for a part of CASE, in place of a line that is still empty.
func (d *deparser) breakLine() {
	text := strings.TrimRight(d.sb.String(), " ")
	text = strings.TrimSuffix(text, "\n")
	d.sb.Reset()
	d.w(text, "\n", strings.Repeat(" ", d.caseIndent))
}

func (d *deparser) subscript(x *plan.Subscript) {
	_, plain := x.Arg.(*plan.Var)
	d.paren(!plain, func() { d.expr(x.Arg) })
	for i := range x.Upper {
		d.w("[")
		if x.Slice {
			if x.Lower[i] != nil {
				d.bare(x.Lower[i])
			}
			d.w(":")
		}
		if x.Upper[i] != nil {
			d.bare(x.Upper[i])
		}
		d.w("]")
	}
}
