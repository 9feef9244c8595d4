package planner

import (
	"strings"

	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/plan"
)

// operand writes an expression below another, in parentheses where the pretty form needs them (the other form has them
// around every operator).
func (d *deparser) operand(e, parent plan.Expr) {
	d.paren(d.pretty && !simple(e, parent), func() { d.expr(e) })
}

// simple reports whether an expression below another one needs no parentheses: the rules are those of isSimpleNode in
// PostgreSQL's ruleutils.c. Parent nil is a cast.
func simple(e, parent plan.Expr) bool {
	switch x := e.(type) {
	case *plan.Call:
		return x.Op == 0 || simpleOperator(x, parent)
	case *plan.Relabel:
		return simple(x.Arg, x)
	case *plan.IOCast:
		return simple(x.Arg, x)
	case *plan.ArrayCast:
		return simple(x.Arg, x)
	case *plan.DomainCast:
		return simple(x.Arg, x)
	case *plan.RowCast:
		return simple(x.Arg, x)
	case *plan.Field:
		_, nested := parent.(*plan.Field)
		return !nested
	case *plan.BoolOp:
		if p, ok := parent.(*plan.BoolOp); ok {
			return p.Op == plan.Or || p.Op == plan.And && x.Op != plan.Or
		}
		return enclosing(parent)
	case *plan.SubLink, *plan.NullTest, *plan.BoolTest, *plan.Distinct:
		return encloses(parent)
	case *plan.ArrayOp, *plan.RowCompare, *plan.Collate:
		return false
	}
	return true
}

// encloses reports whether what stands below an expression is set apart from the rest by what that writes itself.
func encloses(parent plan.Expr) bool {
	_, condition := parent.(*plan.BoolOp)
	return condition || enclosing(parent)
}

// enclosing are the expressions that write brackets or words around those below them.
func enclosing(parent plan.Expr) bool {
	switch p := parent.(type) {
	case *plan.Call:
		return p.Op == 0 && p.Cast == plan.CastNone && !p.Syntax
	case *plan.Subscript, *plan.ArrayOf, *plan.RowOf, *plan.Coalesce, *plan.MinMax, *plan.NullIf, *plan.Agg, *plan.Grouping, *plan.WindowCall, *plan.Case:
		return true
	}
	return false
}

// simpleOperator knows that * / % bind tighter than + -, and that these associate to the left.
func simpleOperator(x *plan.Call, parent plan.Expr) bool {
	p, ok := parent.(*plan.Call)
	if !ok || p.Op == 0 {
		return encloses(parent)
	}
	mine, theirs := precedence(x), precedence(p)
	return mine > 0 && theirs > 0 && (mine > theirs || mine == theirs && p.Args[0] == plan.Expr(x))
}

// precedence is 1 for + and -, 2 for *, / and %, 0 for other operators.
func precedence(x *plan.Call) int {
	o := functions.OperatorByOID(x.Op)
	switch {
	case o == nil || len(x.Args) != 2 || len(o.Name) != 1:
		return 0
	case strings.Contains("+-", o.Name):
		return 1
	case strings.Contains("*/%", o.Name):
		return 2
	}
	return 0
}
