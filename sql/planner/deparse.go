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
	arm    *plan.Query   // of a set operation: the coercions of its columns are not shown
	unseen bool          // nobody sees the names of the columns: those that nobody gave are left out
	names  nameChoice
	// columns are the names of the outermost query's output, nil for those that it was stored with.
	columns []string
	indent  int
	// caseIndent is where CASE stands, which always begins a line.
	caseIndent int
}

// DeparseExpr writes a stored expression, whose Vars name the columns of one relation
// without its name, as pg_get_expr does.
func DeparseExpr(env *Env, e plan.Expr, columns []string, pretty bool) string {
	d := &deparser{env: env, pretty: pretty, names: newNameChoice()}
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

// bare writes an expression in a place where its type does not matter to what is around
// it, so that implicit coercions need not be shown: conditions, defaults, operands of casts.
func (d *deparser) bare(e plan.Expr) {
	arg := plan.WithoutImplicit(e)
	d.paren(d.pretty && arg != e && !simple(arg, e), func() { d.expr(arg) }) // as below a coercion that is shown
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
		d.suffix(x, x.Arg, map[bool]string{false: " IS NULL", true: " IS NOT NULL"}[x.Not])
	case *plan.BoolTest:
		d.suffix(x, plan.WithoutImplicit(x.Arg), " "+[...]string{"IS TRUE", "IS NOT TRUE", "IS FALSE", "IS NOT FALSE", "IS UNKNOWN", "IS NOT UNKNOWN"}[x.Kind])
	case *plan.Distinct:
		d.paren(!d.pretty, func() {
			d.operand(x.Left, x)
			d.w(map[bool]string{false: " IS DISTINCT FROM ", true: " IS NOT DISTINCT FROM "}[x.Not])
			d.operand(x.Right, x)
		})
	case *plan.NullIf:
		d.w("NULLIF(")
		d.list([]plan.Expr{x.Left, x.Right})
		d.w(")")
	case *plan.Coalesce:
		if qualifier, name, ok := d.merged(x); ok {
			d.qualifiedColumn(qualifier, name)
			return
		}
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

func (d *deparser) suffix(parent, arg plan.Expr, s string) {
	d.paren(!d.pretty, func() {
		d.operand(arg, parent)
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
		for i, a := range x.Args {
			if i > 0 {
				d.w(", ")
			}
			d.topLevel(a)
		}
		d.w(")")
		if x.Typ.OID != types.RecordOID {
			d.w("::", d.typeName(x.Typ))
		}
	case *plan.RowCompare:
		d.w("(ROW(")
		d.list(x.Left)
		d.w(") ", operatorName(x.OpOIDs[0]), " ROW(")
		d.list(x.Right)
		d.w("))")
	case *plan.ArrayOp:
		d.paren(!d.pretty, func() {
			d.operand(x.Left, x)
			d.w(" ", operatorName(x.Op), map[bool]string{false: " ANY (", true: " ALL ("}[x.All])
			d.expr(x.Right)
			d.w(")")
		})
	case *plan.Subscript:
		d.subscript(x)
	case *plan.Field:
		_, nested := x.Arg.(*plan.Field)
		_, element := x.Arg.(*plan.Subscript)
		d.paren(!nested && !element, func() { d.expr(x.Arg) })
		d.w(".", d.quote(x.Name))
	case *plan.ValueFunc:
		d.w(strings.ToUpper(x.Name))
		if x.Typ.Typmod >= 0 {
			d.w("(", strconv.Itoa(int(x.Typ.Typmod)), ")")
		}
	case *plan.NextValue:
		d.w(d.quote("nextval"), "('", strings.ReplaceAll(d.sequenceName(x.Sequence), "'", "''"), "'::", d.quote("regclass"), ")")
	case *plan.Collate:
		d.paren(!d.pretty, func() {
			d.operand(x.Arg, x)
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
			return d.quote(name)
		}
		if d.env.Catalog.RelationByName(ns, name) != nil {
			break
		}
	}
	if s := d.env.Catalog.Schema(schema); s != nil {
		return d.quote(s.Name) + "." + d.quote(name)
	}
	return d.quote(name)
}

// constant writes a literal, with its type unless the literal alone would have it.
func (d *deparser) constant(c *plan.Const) {
	if c.Value.Null {
		d.w("NULL::", d.typeName(c.Typ))
		return
	}
	text, own := d.literal(c)
	if d.w(text); !own || c.Typ.OID == types.NumericOID && c.Typ.Typmod >= 0 {
		d.w("::", d.typeName(c.Typ))
	}
}

// literal returns the text of a constant that is not NULL, and whether it is read as the constant's type.
func (d *deparser) literal(c *plan.Const) (text string, own bool) {
	text = string(d.env.Types.Out(nil, c.Typ.OID, c.Value))
	switch c.Typ.OID {
	case types.BoolOID:
		return map[bool]string{false: "false", true: "true"}[c.Value.Bool()], true
	case types.UnknownOID:
		return quoteText(text), true
	case types.Int4OID:
		if text[0] != '-' {
			return text, true
		}
	case types.NumericOID:
		if text[0] >= '0' && text[0] <= '9' && strings.ContainsAny(text, ".eE") {
			return text, true
		}
	}
	return quoteText(text), false
}

// quoteText writes a literal as it reads with standard_conforming_strings on.
func quoteText(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func quoteAlways(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

// quote quotes a name where it needs it, or where the session wants all of them quoted.
func (d *deparser) quote(s string) string {
	if d.env != nil && d.env.Types != nil && d.env.Types.QuoteAll {
		return quoteAlways(s)
	}
	return quoteName(s)
}

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
		d.w(d.quote(d.nameOf(r)), ".*")
		return
	}
	qualifier, name := d.nameOf(r), systemColumnName(v.Attr)
	if v.Attr >= 0 && v.Attr < len(r.Columns) {
		qualifier, name = d.reference(r, v.Attr)
	}
	d.qualifiedColumn(qualifier, name)
}

// systemColumnName returns the name of a system column, "" for other attributes.
func systemColumnName(attr int) string {
	for name, s := range systemColumns {
		if s.attr == attr {
			return name
		}
	}
	return ""
}

func (d *deparser) qualifiedColumn(qualifier, name string) {
	if d.prefix && qualifier != "" {
		d.w(d.quote(qualifier), ".")
	}
	d.w(d.quote(name))
}

// topLevel writes an expression where a whole row would be taken apart: there it is cast to its own type.
func (d *deparser) topLevel(e plan.Expr) {
	d.expr(e)
	if v, ok := e.(*plan.Var); ok && v.Attr == plan.AttrWholeRow {
		d.w("::", d.typeName(v.Typ))
	}
}

// cast writes a coercion.
func (d *deparser) cast(arg plan.Expr, t plan.Type) {
	arg = plan.WithoutImplicit(arg)
	if c, ok := arg.(*plan.Const); ok && c.Typ.OID == t.OID && c.Typ.Typmod < 0 && !c.Value.Null {
		text, _ := d.literal(c)
		d.w(text)
	} else {
		d.paren(!d.pretty || !simple(arg, nil), func() { d.expr(arg) })
	}
	d.w("::", d.typeName(t))
}

func (d *deparser) call(x *plan.Call) {
	switch {
	case x.Cast != plan.CastNone:
		d.cast(x.Args[0], x.Typ)
	case x.Op != 0 && len(x.Args) == 2:
		d.paren(!d.pretty, func() {
			d.operand(x.Args[0], x)
			d.w(" ", operatorName(x.Op), " ")
			d.operand(x.Args[1], x)
		})
	case x.Op != 0:
		d.paren(!d.pretty, func() {
			d.w(operatorName(x.Op), " ")
			d.operand(x.Args[0], x)
		})
	case d.sqlSyntax(x):
	default:
		d.w(d.functionName(x.Func), "(")
		d.arguments(x)
		d.w(")")
	}
}

func (d *deparser) arguments(x *plan.Call) {
	for i, a := range x.Spelled {
		if i > 0 {
			d.w(", ")
		}
		if a.Name != "" {
			d.w(d.quote(a.Name), " => ")
		}
		d.expr(x.Args[a.Index])
	}
	if x.Spelled != nil {
		return
	}
	for i, a := range x.Args {
		if i > 0 {
			d.w(", ")
		}
		if i == len(x.Args)-1 && (x.Variadic || x.Func.Variadic != 0 && x.Func.Variadic != types.AnyOID) {
			d.w("VARIADIC ")
		}
		d.expr(a)
	}
}

func (d *deparser) functionName(f *functions.Func) string {
	if f.Namespace == functions.PgCatalog {
		return d.quote(f.Name)
	}
	for _, ns := range d.env.SearchPath {
		if ns == f.Namespace {
			return d.quote(f.Name)
		}
	}
	if s := d.env.Catalog.Schema(f.Namespace); s != nil {
		return d.quote(s.Name) + "." + d.quote(f.Name)
	}
	return d.quote(f.Name)
}

func (d *deparser) boolOp(x *plan.BoolOp) {
	d.paren(!d.pretty, func() {
		if x.Op == plan.Not {
			d.w("NOT ")
			d.operand(plan.WithoutImplicit(x.Args[0]), x)
			return
		}
		for i, a := range x.Args {
			if i > 0 {
				d.w(map[plan.BoolKind]string{plan.And: " AND ", plan.Or: " OR "}[x.Op])
			}
			arg := plan.WithoutImplicit(a)
			d.paren(d.pretty && !simple(arg, x), func() { d.expr(arg) })
		}
	})
}

func (d *deparser) caseExpr(x *plan.Case) {
	d.breakLine()
	d.w("CASE")
	d.caseIndent += 4
	if x.Arg != nil {
		d.w(" ")
		d.expr(x.Arg)
	}
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
