package planner

import (
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// collState is what is known about the collation of an expression: PostgreSQL's
// derivation of none, implicit, conflict, explicit.
type collState struct {
	coll     OID
	strength collStrength
	pos      int
}

type collStrength uint8

const (
	collNone collStrength = iota
	collImplicit
	collConflict
	collExplicit
)

// assignCollations derives the collations of all expressions of a query level.
func (b *binder) assignCollations(s *scope) {
	q := s.q
	plan.WalkQuery(q, func(e plan.Expr) bool {
		b.collate(e)
		return false
	}, func(*plan.Query) {})
	fix := func(keys []plan.SortKey) {
		for i := range keys {
			keys[i].Collation = keys[i].Expr.ResultType().Collation
		}
	}
	fix(q.OrderBy)
	fix(q.GroupBy)
	fix(q.DistinctOn)
	for _, w := range q.Windows {
		fix(w.PartitionBy)
		fix(w.OrderBy)
	}
}

// collate derives the collation of an expression and of everything in it.
func (b *binder) collate(e plan.Expr) collState {
	if e == nil {
		return collState{}
	}
	switch x := e.(type) {
	case *plan.Var, *plan.Const, *plan.Param, *plan.SubColumn, *plan.CaseTest, *plan.ValueFunc, *plan.NextValue, *plan.Default:
		return leafState(e)
	case *plan.Collate:
		b.collate(x.Arg)
		return collState{x.Typ.Collation, collExplicit, x.Pos}
	case *plan.SubLink:
		b.collate(x.Test)
		return leafState(e)
	case *plan.Field:
		b.collate(x.Arg)
		return leafState(e)
	case *plan.RowCompare:
		for i := range x.Left {
			in := b.merge(collState{}, b.collate(x.Left[i]))
			in = b.merge(in, b.collate(x.Right[i]))
			x.Colls[i] = in.input()
		}
		return collState{}
	case *plan.RowOf:
		for _, a := range x.Args {
			b.collate(a)
		}
		return collState{}
	case *plan.Agg:
		return b.collateAgg(x)
	case *plan.DomainCast:
		if t := b.env.Types.Type(x.Typ.OID); t != nil && t.Collation != 0 && t.Collation != types.DefaultCollation {
			b.collate(x.Arg) // a domain's own collation beats that of the value
			x.Typ.Collation = t.Collation
			return collState{t.Collation, collImplicit, x.Pos}
		}
	case *plan.Case:
		return b.collateCase(x)
	}
	in := collState{}
	for _, c := range plan.Children(e) {
		in = b.merge(in, b.collate(c))
	}
	setInput(e, in.input())
	return b.result(e, in)
}

func leafState(e plan.Expr) collState {
	t := e.ResultType()
	if t.Collation == 0 {
		return collState{}
	}
	return collState{t.Collation, collImplicit, e.Position()}
}

func (c collState) input() OID {
	if c.strength == collConflict {
		return 0
	}
	return c.coll
}

func setInput(e plan.Expr, coll OID) {
	switch x := e.(type) {
	case *plan.Call:
		x.InputColl = coll
	case *plan.Distinct:
		x.InputColl = coll
	case *plan.NullIf:
		x.InputColl = coll
	case *plan.ArrayOp:
		x.InputColl = coll
	case *plan.WindowCall:
		x.InputColl = coll
	}
}

// result sets the collation of a node from that of its inputs.
func (b *binder) result(e plan.Expr, in collState) collState {
	t := b.env.Types.Type(e.ResultType().OID)
	if t == nil || t.Collation == 0 {
		return collState{}
	}
	out := in
	switch in.strength {
	case collNone:
		out = collState{t.Collation, collImplicit, e.Position()}
	case collConflict:
		out.coll = 0
	}
	e.(interface{ SetCollation(OID) }).SetCollation(out.coll)
	return out
}

// merge combines the collations of two inputs.
func (b *binder) merge(a, c collState) collState {
	switch {
	case c.strength > a.strength:
		return c
	case c.strength < a.strength || a.strength == collNone || a.strength == collConflict || a.coll == c.coll:
		return a
	case a.strength == collImplicit && a.coll == types.DefaultCollation:
		return c
	case a.strength == collImplicit && c.coll == types.DefaultCollation:
		return a
	case a.strength == collImplicit:
		return collState{0, collConflict, c.pos}
	}
	b.failf(c.pos, pgerr.CollationMismatch, "collation mismatch between explicit collations \"%s\" and \"%s\"", collationName(a.coll), collationName(c.coll))
	return a
}

func collationName(oid OID) string {
	t := functions.Facts("pg_collation")
	oidCol, nameCol := t.Column("oid"), t.Column("collname")
	for _, row := range t.Rows {
		if parseOID(row[oidCol]) == oid {
			return row[nameCol]
		}
	}
	return ""
}

func parseOID(s string) OID {
	var n OID
	for i := range len(s) {
		n = n*10 + OID(s[i]-'0')
	}
	return n
}

func (b *binder) collateAgg(x *plan.Agg) collState {
	in := collState{}
	for _, d := range x.Direct {
		s := b.collate(d)
		if !x.Within || x.Func.Agg == nil || x.Func.Agg.Kind == 'o' {
			in = b.merge(in, s)
		}
	}
	for _, a := range x.Args {
		s := b.collate(a)
		if !x.Within || len(x.Args) == 1 {
			in = b.merge(in, s)
		}
	}
	for i := range x.OrderBy {
		b.collate(x.OrderBy[i].Expr)
		x.OrderBy[i].Collation = x.OrderBy[i].Expr.ResultType().Collation
	}
	b.collate(x.Filter)
	x.InputColl = in.input()
	return b.result(x, in)
}

// collateCase leaves the test value out: only results count.
func (b *binder) collateCase(x *plan.Case) collState {
	arg := b.collate(x.Arg)
	in := collState{}
	for _, w := range x.When {
		if x.Arg != nil {
			plan.Walk(w.Cond, func(e plan.Expr) bool {
				if t, ok := e.(*plan.CaseTest); ok && t.Typ.OID == x.Arg.ResultType().OID {
					t.Typ.Collation = arg.coll
				}
				return true
			})
		}
		b.collate(w.Cond)
		in = b.merge(in, b.collate(w.Result))
	}
	if x.Else != nil {
		in = b.merge(in, b.collate(x.Else))
	}
	return b.result(x, in)
}

// commonCollation derives the collation of a column of VALUES.
func (b *binder) commonCollation(rows [][]plan.Expr, col int) OID {
	in := collState{}
	for _, r := range rows {
		in = b.merge(in, b.collate(r[col]))
	}
	return in.input()
}
