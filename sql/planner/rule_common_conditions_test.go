package planner

import (
	"testing"

	"github.com/omendb/omendb/sql/plan"
)

// TestFactorOr takes shared conditions out of alternatives, and all of an
// alternative that has no other.
func TestFactorOr(t *testing.T) {
	v := func(attr int) plan.Expr {
		return &plan.Var{Base: plan.Base{Typ: boolType}, Attr: attr}
	}
	and := func(es ...plan.Expr) plan.Expr { return conjunction(es) }
	or := func(es ...plan.Expr) plan.Expr {
		return &plan.BoolOp{Base: plan.Base{Typ: boolType}, Op: plan.Or, Args: es}
	}
	for _, c := range []struct {
		name     string
		in, want plan.Expr
		changed  bool
	}{
		{"shared", or(and(v(0), v(1)), and(v(2), v(0))), and(v(0), or(v(1), v(2))), true},
		{"absorbed", or(v(0), and(v(0), v(1))), v(0), true},
		{"nothing shared", or(v(0), v(1)), or(v(0), v(1)), false},
		{"beside others", and(v(3), or(and(v(0), v(1)), and(v(0), v(2)))), and(v(3), v(0), or(v(1), v(2))), true},
	} {
		changed := false
		if got := factorOut(c.in, &changed); changed != c.changed || !plan.Same(got, c.want) {
			t.Errorf("%s: changed %v, got %#v", c.name, changed, got)
		}
	}
}
