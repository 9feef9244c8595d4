package plan

// WithoutImplicit takes off the coercions that nobody wrote.
func WithoutImplicit(e Expr) Expr {
	for {
		var arg Expr
		form := CastNone
		switch x := e.(type) {
		case *Call:
			if form = x.Cast; form != CastNone {
				arg = x.Args[0]
			}
		case *Relabel:
			arg, form = x.Arg, x.Cast
		case *IOCast:
			arg, form = x.Arg, x.Cast
		case *ArrayCast:
			arg, form = x.Arg, x.Cast
		case *DomainCast:
			arg, form = x.Arg, x.Cast
		case *RowCast:
			arg, form = x.Arg, x.Cast
		}
		if form != CastImplicit {
			return e
		}
		e = arg
	}
}
