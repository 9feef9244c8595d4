package plan

import (
	"reflect"
	"testing"
)

// TestChildren checks that the two ways of visiting subexpressions visit the same ones.
func TestChildren(t *testing.T) {
	n := 0
	leaf := func() Expr { n++; return &Const{Base: Base{Pos: n}} }
	list := func() []Expr { return []Expr{leaf(), nil, leaf()} }
	nodes := []Expr{
		&Call{Args: list()}, &Relabel{Arg: leaf()}, &IOCast{Arg: leaf()}, &ArrayCast{Arg: leaf(), Elem: leaf()}, &DomainCast{Arg: leaf()},
		&RowCast{Arg: leaf()}, &BoolOp{Args: list()}, &NullTest{Arg: leaf()}, &BoolTest{Arg: leaf()}, &Distinct{Left: leaf(), Right: leaf()},
		&NullIf{Left: leaf(), Right: leaf()}, &Case{Arg: leaf(), When: []When{{leaf(), leaf()}, {leaf(), leaf()}}, Else: leaf()},
		&Coalesce{Args: list()}, &MinMax{Args: list()}, &ArrayOf{Args: list()}, &RowOf{Args: list()}, &RowCompare{Left: list(), Right: list()},
		&ArrayOp{Left: leaf(), Right: leaf()}, &Subscript{Arg: leaf(), Upper: list(), Lower: list(), Assign: leaf()}, &Field{Arg: leaf()},
		&FieldStore{Arg: leaf(), Values: list()}, &Collate{Arg: leaf()},
		&Agg{Direct: list(), Args: list(), OrderBy: []SortKey{{Expr: leaf()}}, Filter: leaf()}, &WindowCall{Args: list(), Filter: leaf()},
		&Grouping{Args: list()}, &SubLink{Test: leaf()}, &SubPlan{Params: []SubParam{{Expr: leaf()}}, Test: leaf(), HashLeft: list()},
		&Var{}, &Slot{}, &Const{}, &Param{}, &Exec{},
	}
	for _, e := range nodes {
		var mapped []Expr
		same := MapChildren(e, func(c Expr) Expr { mapped = append(mapped, c); return c })
		if same != e {
			t.Errorf("%T is copied though nothing changed", e)
		}
		if got := Children(e); !reflect.DeepEqual(got, mapped) {
			t.Errorf("%T: %d children, mapped %d", e, len(got), len(mapped))
		}
		if len(mapped) == 0 {
			continue
		}
		other := &Const{Base: Base{Pos: -7}}
		last := mapped[len(mapped)-1]
		changed := MapChildren(e, func(c Expr) Expr {
			if c == last {
				return other
			}
			return c
		})
		got := Children(changed)
		if changed == e || len(got) != len(mapped) || got[len(got)-1] != other || Children(e)[len(mapped)-1] != last {
			t.Errorf("%T: a changed child does not show, or shows in the original", e)
		}
	}
}
