package plan

import (
	"bytes"
	"reflect"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
)

// Same reports whether two expressions are the same apart from their positions
// in the text: what GROUP BY, DISTINCT and ORDER BY match by. Sublinks are the
// same if their queries are, down to the names they give, and hold nothing volatile.
func Same(a, b Expr) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	if a == b {
		return true
	}
	if reflect.TypeOf(a) != reflect.TypeOf(b) || a.ResultType().OID != b.ResultType().OID {
		return false
	}
	if !sameNode(a, b) {
		return false
	}
	ca, cb := Children(a), Children(b)
	if len(ca) != len(cb) {
		return false
	}
	for i := range ca {
		if !Same(ca[i], cb[i]) {
			return false
		}
	}
	return true
}

// sameNode compares what the nodes hold besides their children.
func sameNode(a, b Expr) bool {
	switch x := a.(type) {
	case *Const:
		y := b.(*Const)
		return x.Value.Null == y.Value.Null && x.Value.I == y.Value.I && bytes.Equal(x.Value.B, y.Value.B)
	case *Param:
		return x.N == b.(*Param).N
	case *Var:
		y := b.(*Var)
		return x.Level == y.Level && x.Rel == y.Rel && x.Attr == y.Attr
	case *Slot:
		return x.Index == b.(*Slot).Index
	case *Exec:
		return x.ID == b.(*Exec).ID
	case *Call:
		y := b.(*Call)
		return x.Func.OID == y.Func.OID && x.InputColl == y.InputColl && x.Variadic == y.Variadic && x.Typ.Typmod == y.Typ.Typmod
	case *Relabel, *IOCast, *DomainCast, *RowCast, *ArrayCast:
		return a.ResultType().Typmod == b.ResultType().Typmod
	case *BoolOp:
		return x.Op == b.(*BoolOp).Op
	case *NullTest:
		y := b.(*NullTest)
		return x.Not == y.Not && x.RowWise == y.RowWise
	case *BoolTest:
		return x.Kind == b.(*BoolTest).Kind
	case *Distinct:
		y := b.(*Distinct)
		return x.Not == y.Not && x.Equal.OID == y.Equal.OID && x.InputColl == y.InputColl
	case *NullIf:
		y := b.(*NullIf)
		return x.Equal.OID == y.Equal.OID && x.InputColl == y.InputColl
	case *Case:
		y := b.(*Case)
		return len(x.When) == len(y.When) && (x.Arg == nil) == (y.Arg == nil) && (x.Else == nil) == (y.Else == nil)
	case *MinMax:
		return x.Least == b.(*MinMax).Least
	case *RowCompare:
		y := b.(*RowCompare)
		return x.Kind == y.Kind && reflect.DeepEqual(x.OpOIDs, y.OpOIDs)
	case *ArrayOp:
		y := b.(*ArrayOp)
		return x.Func.OID == y.Func.OID && x.All == y.All && x.InputColl == y.InputColl
	}
	return sameRareNode(a, b)
}

func sameRareNode(a, b Expr) bool {
	switch x := a.(type) {
	case *Subscript:
		y := b.(*Subscript)
		return x.Slice == y.Slice && len(x.Upper) == len(y.Upper) && (x.Assign == nil) == (y.Assign == nil)
	case *Field:
		return x.Index == b.(*Field).Index
	case *FieldStore:
		return reflect.DeepEqual(x.Index, b.(*FieldStore).Index)
	case *ValueFunc:
		y := b.(*ValueFunc)
		return x.Name == y.Name && x.Typ.Typmod == y.Typ.Typmod
	case *NextValue:
		return false // every call yields another value
	case *Collate:
		return a.ResultType().Collation == b.ResultType().Collation
	case *Agg:
		y := b.(*Agg)
		if x.Func.OID != y.Func.OID || x.Distinct != y.Distinct || x.Star != y.Star || x.Level != y.Level ||
			x.InputColl != y.InputColl || len(x.Args) != len(y.Args) || len(x.Direct) != len(y.Direct) ||
			len(x.OrderBy) != len(y.OrderBy) || (x.Filter == nil) != (y.Filter == nil) {
			return false
		}
		for i := range x.OrderBy {
			if x.OrderBy[i].Desc != y.OrderBy[i].Desc || x.OrderBy[i].NullsFirst != y.OrderBy[i].NullsFirst {
				return false
			}
		}
		return true
	case *WindowCall:
		y := b.(*WindowCall)
		return x.Func.OID == y.Func.OID && x.Window == y.Window && x.Star == y.Star && x.InputColl == y.InputColl &&
			len(x.Args) == len(y.Args) && (x.Filter == nil) == (y.Filter == nil)
	case *Grouping:
		y := b.(*Grouping)
		return x.Level == y.Level && reflect.DeepEqual(x.Refs, y.Refs)
	case *SubColumn:
		y := b.(*SubColumn)
		return x.Index == y.Index && x.Multi == y.Multi
	case *SubLink:
		return sameTree(reflect.ValueOf(x).Elem(), reflect.ValueOf(b).Elem())
	case *SubPlan:
		return false
	}
	return true
}

// sameTree compares two trees of a query, all of whose parts count but their places in the text.
func sameTree(a, b reflect.Value) bool {
	switch x := a.Interface().(type) {
	case *functions.Func:
		return x == b.Interface().(*functions.Func) && (x == nil || x.Volatile != 'v')
	case *catalog.Relation:
		y := b.Interface().(*catalog.Relation)
		return x == y || x != nil && y != nil && x.OID == y.OID
	case *NextValue:
		return false
	}
	switch a.Kind() {
	case reflect.Interface, reflect.Pointer:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() && b.IsNil()
		}
		return a.Elem().Type() == b.Elem().Type() && sameTree(a.Elem(), b.Elem())
	case reflect.Slice:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !sameTree(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Struct:
		for i := range a.NumField() {
			if f := a.Type().Field(i); f.IsExported() && !placeInText[f.Name] && !sameTree(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}

// placeInText are the fields that say where in a text something was written.
var placeInText = map[string]bool{"Pos": true, "Free": true, "Literal": true, "Negated": true, "Syntax": true, "Spelled": true}
