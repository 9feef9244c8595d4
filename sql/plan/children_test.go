package plan

import (
	"reflect"
	"slices"
	"testing"
)

// TestWalkersAgree fills every kind of node with subexpressions and compares those that are walked with those that are mapped.
func TestWalkersAgree(t *testing.T) {
	for _, node := range append(slices.Clone(exprNodes), &SubPlan{}) {
		if node == nil {
			continue
		}
		e := reflect.New(reflect.TypeOf(node).Elem())
		var filled []Expr
		fill(e.Elem(), &filled)
		var walked, mapped []Expr
		eachChild(e.Interface().(Expr), func(c Expr) { walked = append(walked, c) })
		mapChildren(e.Interface().(Expr), func(c Expr) Expr { mapped = append(mapped, c); return c })
		if !slices.Equal(walked, mapped) {
			t.Errorf("%T with %d subexpressions: %d are walked, %d are mapped", node, len(filled), len(walked), len(mapped))
		}
	}
}

// fill puts constants of their own into all fields that hold expressions.
func fill(v reflect.Value, filled *[]Expr) {
	switch {
	case !v.CanSet():
	case v.Type() == exprType:
		c := &Const{}
		*filled = append(*filled, c)
		v.Set(reflect.ValueOf(c))
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), filled)
		}
	case v.Kind() == reflect.Slice && (v.Type().Elem() == exprType || v.Type().Elem().Kind() == reflect.Struct):
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(v.Index(i), filled)
		}
	}
}
