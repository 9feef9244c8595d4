package plan

// eachChild calls f for the direct subexpressions of e, in evaluation order.
func eachChild(e Expr, f func(Expr)) {
	switch x := e.(type) {
	case *Var, *Slot, *Const, *Param, *Exec: // most nodes
	case *Call:
		each(x.Args, f)
	case *Relabel:
		one(x.Arg, f)
	case *IOCast:
		one(x.Arg, f)
	case *ArrayCast:
		one(x.Arg, f)
		one(x.Elem, f)
	case *DomainCast:
		one(x.Arg, f)
	case *RowCast:
		one(x.Arg, f)
	case *BoolOp:
		each(x.Args, f)
	case *NullTest:
		one(x.Arg, f)
	case *BoolTest:
		one(x.Arg, f)
	case *Distinct:
		one(x.Left, f)
		one(x.Right, f)
	case *NullIf:
		one(x.Left, f)
		one(x.Right, f)
	case *Case:
		one(x.Arg, f)
		for _, w := range x.When {
			one(w.Cond, f)
			one(w.Result, f)
		}
		one(x.Else, f)
	case *Coalesce:
		each(x.Args, f)
	case *MinMax:
		each(x.Args, f)
	case *ArrayOf:
		each(x.Args, f)
	case *RowOf:
		each(x.Args, f)
	case *RowCompare:
		each(x.Left, f)
		each(x.Right, f)
	case *ArrayOp:
		one(x.Left, f)
		one(x.Right, f)
	default:
		eachRareChild(e, f)
	}
}

func eachRareChild(e Expr, f func(Expr)) {
	switch x := e.(type) {
	case *Subscript:
		one(x.Arg, f)
		each(x.Upper, f)
		each(x.Lower, f)
		one(x.Assign, f)
	case *Field:
		one(x.Arg, f)
	case *FieldStore:
		one(x.Arg, f)
		each(x.Values, f)
	case *Collate:
		one(x.Arg, f)
	case *Agg:
		each(x.Direct, f)
		each(x.Args, f)
		for _, k := range x.OrderBy {
			one(k.Expr, f)
		}
		one(x.Filter, f)
	case *WindowCall:
		each(x.Args, f)
		one(x.Filter, f)
	case *Grouping:
		each(x.Args, f)
	case *SubLink:
		one(x.Test, f)
	case *SubPlan:
		for i := range x.Params {
			one(x.Params[i].Expr, f)
		}
		one(x.Test, f)
		each(x.HashLeft, f)
	}
}

func one(e Expr, f func(Expr)) {
	if e != nil {
		f(e)
	}
}

func each(list []Expr, f func(Expr)) {
	for _, e := range list {
		one(e, f)
	}
}
