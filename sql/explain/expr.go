package explain

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// printer writes physical expressions: slots by the names of the input's columns.
type printer struct {
	env  *types.Env
	cols []string
	sub  func(plan int) string // the name of a subplan
}

func (p *printer) list(es []plan.Expr, sep string) string {
	parts := make([]string, len(es))
	for i, e := range es {
		parts[i] = p.expr(e)
	}
	return strings.Join(parts, sep)
}

func (p *printer) expr(e plan.Expr) string {
	switch x := e.(type) {
	case *plan.Slot:
		if x.Index < len(p.cols) && p.cols[x.Index] != "" {
			return p.cols[x.Index]
		}
		return "$col" + strconv.Itoa(x.Index+1)
	case *plan.Const:
		return p.constant(x)
	case *plan.Param:
		return "$" + strconv.Itoa(x.N)
	case *plan.Exec:
		return "$" + strconv.Itoa(x.ID)
	case *plan.Call:
		return p.call(x)
	case *plan.BoolOp:
		switch x.Op {
		case plan.Not:
			return "(NOT " + p.expr(x.Args[0]) + ")"
		case plan.Or:
			return "(" + p.list(x.Args, " OR ") + ")"
		}
		return "(" + p.list(x.Args, " AND ") + ")"
	case *plan.Relabel:
		if x.Cast == plan.CastImplicit {
			return p.expr(x.Arg)
		}
		return p.cast(x.Arg, x.Typ)
	case *plan.IOCast:
		return p.cast(x.Arg, x.Typ)
	case *plan.ArrayCast:
		return p.cast(x.Arg, x.Typ)
	case *plan.NullTest:
		if x.Not {
			return "(" + p.expr(x.Arg) + " IS NOT NULL)"
		}
		return "(" + p.expr(x.Arg) + " IS NULL)"
	case *plan.ArrayOp:
		word := "ANY"
		if x.All {
			word = "ALL"
		}
		return fmt.Sprintf("(%s %s %s (%s))", p.expr(x.Left), operatorName(x.Op), word, p.expr(x.Right))
	case *plan.SubPlan:
		return p.subPlan(x)
	}
	return p.rare(e)
}

func (p *printer) rare(e plan.Expr) string {
	switch x := e.(type) {
	case *plan.Coalesce:
		return "COALESCE(" + p.list(x.Args, ", ") + ")"
	case *plan.MinMax:
		if x.Least {
			return "LEAST(" + p.list(x.Args, ", ") + ")"
		}
		return "GREATEST(" + p.list(x.Args, ", ") + ")"
	case *plan.NullIf:
		return "NULLIF(" + p.expr(x.Left) + ", " + p.expr(x.Right) + ")"
	case *plan.Distinct:
		word := " IS DISTINCT FROM "
		if x.Not {
			word = " IS NOT DISTINCT FROM "
		}
		return "(" + p.expr(x.Left) + word + p.expr(x.Right) + ")"
	case *plan.Case:
		return p.caseOf(x)
	case *plan.Agg:
		return p.agg(x)
	case *plan.WindowCall:
		return x.Func.Name + "(" + p.list(x.Args, ", ") + ") OVER (?)"
	case *plan.ArrayOf:
		return "ARRAY[" + p.list(x.Args, ", ") + "]"
	case *plan.RowOf:
		return "ROW(" + p.list(x.Args, ", ") + ")"
	case *plan.ValueFunc:
		return strings.ToUpper(x.Name)
	case *plan.Field:
		return "(" + p.expr(x.Arg) + ")." + x.Name
	case *plan.BoolTest:
		words := []string{"TRUE", "NOT TRUE", "FALSE", "NOT FALSE", "UNKNOWN", "NOT UNKNOWN"}
		return "(" + p.expr(x.Arg) + " IS " + words[x.Kind] + ")"
	case *plan.SubColumn:
		return "col" + strconv.Itoa(x.Index+1)
	}
	if c := plan.Children(e); len(c) > 0 {
		return "(" + p.list(c, ", ") + ")"
	}
	return "?"
}

func (p *printer) constant(c *plan.Const) string {
	if c.Value.Null {
		return "NULL::" + p.env.FormatType(c.Typ.OID, c.Typ.Typmod)
	}
	text := string(p.env.Out(nil, c.Typ.OID, c.Value))
	switch c.Typ.OID {
	case types.Int4OID:
		if strings.HasPrefix(text, "-") {
			return "'" + text + "'::integer"
		}
		return text
	case types.NumericOID:
		return text
	case types.BoolOID:
		if c.Value.Bool() {
			return "true"
		}
		return "false"
	}
	return "'" + strings.ReplaceAll(text, "'", "''") + "'::" + p.env.FormatType(c.Typ.OID, c.Typ.Typmod)
}

func (p *printer) cast(arg plan.Expr, t plan.Type) string {
	return "(" + p.expr(arg) + ")::" + p.env.FormatType(t.OID, t.Typmod)
}

func operatorName(oid plan.OID) string {
	if o := functions.OperatorByOID(oid); o != nil {
		return o.Name
	}
	return "?"
}

func (p *printer) call(x *plan.Call) string {
	if x.Op != 0 {
		name := operatorName(x.Op)
		if len(x.Args) == 1 {
			return "(" + name + " " + p.expr(x.Args[0]) + ")"
		}
		return "(" + p.expr(x.Args[0]) + " " + name + " " + p.expr(x.Args[1]) + ")"
	}
	switch x.Cast {
	case plan.CastImplicit:
		return p.expr(x.Args[0])
	case plan.CastExplicit:
		return p.cast(x.Args[0], x.Typ)
	}
	return x.Func.Name + "(" + p.list(x.Args, ", ") + ")"
}

func (p *printer) caseOf(x *plan.Case) string {
	var b strings.Builder
	b.WriteString("CASE")
	if x.Arg != nil {
		b.WriteString(" " + p.expr(x.Arg))
	}
	for _, w := range x.When {
		b.WriteString(" WHEN " + p.expr(w.Cond) + " THEN " + p.expr(w.Result))
	}
	if x.Else != nil {
		b.WriteString(" ELSE " + p.expr(x.Else))
	}
	b.WriteString(" END")
	return b.String()
}

func (p *printer) agg(x *plan.Agg) string {
	args := p.list(x.Args, ", ")
	if x.Star {
		args = "*"
	}
	if x.Distinct {
		args = "DISTINCT " + args
	}
	s := x.Func.Name + "(" + args + ")"
	if x.Filter != nil {
		s += " FILTER (WHERE " + p.expr(x.Filter) + ")"
	}
	return s
}

func (p *printer) subPlan(x *plan.SubPlan) string {
	name := p.sub(x.Plan)
	switch {
	case x.Kind == plan.SubScalar && len(x.Params) == 0:
		return "$" + strings.TrimPrefix(name, "InitPlan ")
	case x.Hashed:
		return "(hashed " + name + ")"
	}
	return "(" + name + ")"
}
