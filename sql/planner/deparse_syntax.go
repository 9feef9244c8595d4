package planner

import (
	"slices"

	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// sqlSyntax writes the calls that were written in a syntax of SQL's own in it.
func (d *deparser) sqlSyntax(x *plan.Call) bool {
	if !x.Syntax || x.Func.Namespace != functions.PgCatalog {
		return false
	}
	args := x.Args
	if x.Spelled != nil {
		args = nil
		for _, a := range x.Spelled {
			args = append(args, x.Args[a.Index])
		}
	}
	args = slices.Clone(args)
	for i := range args {
		args[i] = plan.WithoutImplicit(args[i])
	}
	write := sqlSyntaxes[x.Func.Name]
	return write != nil && write(d, args)
}

// sqlSyntaxes write calls by the name of the function; false where the arguments are none of that syntax.
var sqlSyntaxes map[string]func(d *deparser, args []plan.Expr) bool

func init() {
	sqlSyntaxes = map[string]func(d *deparser, args []plan.Expr) bool{
		"timezone": func(d *deparser, args []plan.Expr) bool {
			if len(args) != 2 {
				return false
			}
			d.w("(")
			d.operand(args[1], nil)
			d.w(" AT TIME ZONE ")
			d.operand(args[0], nil)
			d.w(")")
			return true
		},
		"overlaps": func(d *deparser, args []plan.Expr) bool {
			if len(args) != 4 {
				return false
			}
			d.w("((")
			d.list(args[:2])
			d.w(") OVERLAPS (")
			d.list(args[2:])
			d.w("))")
			return true
		},
		"position": func(d *deparser, args []plan.Expr) bool {
			d.w("POSITION((")
			d.expr(args[1])
			d.w(") IN (")
			d.expr(args[0])
			d.w("))")
			return true
		},
		"extract": func(d *deparser, args []plan.Expr) bool {
			field, ok := textOf(args[0])
			if ok {
				d.w("EXTRACT(", field, " FROM ")
				d.expr(args[1])
				d.w(")")
			}
			return ok
		},
		"normalize":     deparseNormalize,
		"is_normalized": deparseIsNormalized,
		"pg_collation_for": func(d *deparser, args []plan.Expr) bool {
			d.w("COLLATION FOR (")
			d.expr(args[0])
			d.w(")")
			return true
		},
		"overlay": func(d *deparser, args []plan.Expr) bool {
			return d.words("OVERLAY", args, " PLACING ", " FROM ", " FOR ")
		},
		"substring": func(d *deparser, args []plan.Expr) bool {
			switch text := args[1].ResultType().OID == types.TextOID; {
			case text && len(args) == 3:
				return d.words("SUBSTRING", args, " SIMILAR ", " ESCAPE ")
			case text:
				return false
			}
			return d.words("SUBSTRING", args, " FROM ", " FOR ")
		},
		"btrim": func(d *deparser, args []plan.Expr) bool { return d.trim("BOTH", args) },
		"ltrim": func(d *deparser, args []plan.Expr) bool { return d.trim("LEADING", args) },
		"rtrim": func(d *deparser, args []plan.Expr) bool { return d.trim("TRAILING", args) },
	}
}

// words writes arguments with words between them.
func (d *deparser) words(name string, args []plan.Expr, between ...string) bool {
	if len(args) > len(between)+1 {
		return false
	}
	d.w(name, "(")
	for i, a := range args {
		if i > 0 {
			d.w(between[i-1])
		}
		d.expr(a)
	}
	d.w(")")
	return true
}

func (d *deparser) trim(side string, args []plan.Expr) bool {
	d.w("TRIM(", side)
	if len(args) == 2 {
		d.w(" ")
		d.expr(args[1])
	}
	d.w(" FROM ")
	d.expr(args[0])
	d.w(")")
	return true
}

func deparseNormalize(d *deparser, args []plan.Expr) bool {
	form, ok := "", true
	if len(args) == 2 {
		form, ok = textOf(args[1])
		form = ", " + form
	}
	if ok {
		d.w("NORMALIZE(")
		d.expr(args[0])
		d.w(form, ")")
	}
	return ok
}

func deparseIsNormalized(d *deparser, args []plan.Expr) bool {
	form, ok := "", true
	if len(args) == 2 {
		form, ok = textOf(args[1])
		form = " " + form
	}
	if ok {
		d.w("(")
		d.operand(args[0], nil)
		d.w(" IS", form, " NORMALIZED)")
	}
	return ok
}

// textOf returns the text of a constant.
func textOf(e plan.Expr) (string, bool) {
	c, ok := e.(*plan.Const)
	if !ok || c.Value.Null {
		return "", false
	}
	return c.Value.String(), true
}
