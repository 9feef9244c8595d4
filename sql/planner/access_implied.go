package planner

import (
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// maxImpliedElements bounds the IN lists whose members are looked at one by one,
// and maxImpliedDepth the nesting of AND and OR (PostgreSQL's MAX_SAOP_ARRAY_SIZE
// is 100, too): a proof must cost less than the scan that it saves.
const (
	maxImpliedElements = 100
	maxImpliedDepth    = 8
)

// prover shows that conditions that hold make another one hold: what a query
// must do to read a partial index, or to name one as the arbiter of ON CONFLICT.
// It may fail to see it, and never claims what is not so.
type prover struct{ env *Env }

// implied reports whether want is true of every row of which all of have are true.
func (p prover) implied(have []plan.Expr, want plan.Expr) bool { return p.implies(have, want, 0) }

func (p prover) implies(have []plan.Expr, want plan.Expr, depth int) bool {
	if depth > maxImpliedDepth {
		return false
	}
	want = p.plainBool(want)
	if b, ok := want.(*plan.BoolOp); ok && b.Op == plan.And {
		for _, w := range b.Args {
			if !p.implies(have, w, depth+1) {
				return false
			}
		}
		return true
	}
	for _, h := range have {
		if p.one(p.plainBool(h), want, depth) {
			return true
		}
	}
	for _, w := range p.alternatives(want) {
		if p.implies(have, w, depth+1) {
			return true
		}
	}
	return false
}

// one reports whether the single condition h makes w true.
func (p prover) one(h, w plan.Expr, depth int) bool {
	if plan.Same(h, w) {
		return true
	}
	if b, ok := h.(*plan.BoolOp); ok && b.Op == plan.And {
		return p.implies(b.Args, w, depth+1)
	}
	if alt := p.alternatives(h); len(alt) > 0 {
		for _, a := range alt {
			if !p.implies([]plan.Expr{a}, w, depth+1) {
				return false
			}
		}
		return true
	}
	if n, ok := w.(*plan.NullTest); ok && n.Not && !n.RowWise {
		if a, ok := h.(*plan.ArrayOp); ok {
			return a.Func.Strict && !a.All && isNullWith(a.Left, n.Arg)
		}
		return isNullWith(h, n.Arg)
	}
	return p.compares(h, w)
}

// plainBool writes x = true, x IS TRUE and their like as x or NOT x: a condition
// is asked only whether it is true.
func (p prover) plainBool(e plan.Expr) plan.Expr {
	not := func(x plan.Expr) plan.Expr {
		return &plan.BoolOp{Base: plan.Base{Typ: boolType, Pos: -1}, Op: plan.Not, Args: []plan.Expr{x}}
	}
	switch x := e.(type) {
	case *plan.BoolTest:
		switch x.Kind {
		case plan.IsTrue:
			return x.Arg
		case plan.IsFalse:
			return not(x.Arg)
		}
	case *plan.Call:
		op := functions.OperatorByOID(x.Op)
		if op == nil || len(x.Args) != 2 || op.Left != types.BoolOID || op.Right != types.BoolOID || op.Name != "=" && op.Name != "<>" {
			return e
		}
		for i, a := range x.Args {
			if c, ok := a.(*plan.Const); ok && !c.Value.Null {
				if c.Value.Bool() == (op.Name == "=") {
					return x.Args[1-i]
				}
				return not(x.Args[1-i])
			}
		}
	}
	return e
}

// alternatives returns conditions of which one holds exactly if e does: the
// arms of OR, the members of IN; none for other conditions.
func (p prover) alternatives(e plan.Expr) []plan.Expr {
	switch x := e.(type) {
	case *plan.BoolOp:
		if x.Op == plan.Or {
			return x.Args
		}
	case *plan.ArrayOp:
		if x.All {
			return nil
		}
		var out []plan.Expr
		for _, v := range p.elements(x.Right) {
			out = append(out, &plan.Call{Base: x.Base, Func: x.Func, Op: x.Op, Args: []plan.Expr{x.Left, v}, InputColl: x.InputColl})
		}
		return out
	}
	return nil
}

// elements lists the members of a constant array.
func (p prover) elements(e plan.Expr) []plan.Expr {
	switch x := e.(type) {
	case *plan.ArrayOf:
		if len(x.Args) <= maxImpliedElements && !x.Multi {
			return x.Args
		}
	case *plan.Const:
		typ := p.env.Types.Type(x.Typ.OID)
		if x.Value.Null || typ == nil || typ.Elem == 0 {
			return nil
		}
		a := types.ArrayFrom(x.Value)
		if len(a.Elems) > maxImpliedElements {
			return nil
		}
		var out []plan.Expr
		for _, v := range a.Elems {
			out = append(out, &plan.Const{Base: plan.Base{Typ: plan.Type{OID: typ.Elem, Typmod: -1, Collation: x.Typ.Collation}, Pos: -1}, Value: v})
		}
		return out
	}
	return nil
}

// isNullWith reports whether e is NULL where x is: x goes through strict
// functions only.
func isNullWith(e, x plan.Expr) bool {
	if plan.Same(stripRelabel(e), stripRelabel(x)) {
		return true
	}
	switch c := e.(type) {
	case *plan.Relabel:
		return isNullWith(c.Arg, x)
	case *plan.Call:
		if !c.Func.Strict || c.ReturnSet {
			return false
		}
		for _, a := range c.Args {
			if isNullWith(a, x) {
				return true
			}
		}
	case *plan.BoolOp:
		return c.Op == plan.Not && isNullWith(c.Args[0], x)
	}
	return false
}

// comparison is x op constant.
type comparison struct {
	x    plan.Expr
	op   *functions.Operator
	c    *plan.Const
	coll OID
}

func asComparison(e plan.Expr) (comparison, bool) {
	call, ok := e.(*plan.Call)
	if !ok || len(call.Args) != 2 || call.Op == 0 {
		return comparison{}, false
	}
	op := functions.OperatorByOID(call.Op)
	if op == nil {
		return comparison{}, false
	}
	left, right := call.Args[0], call.Args[1]
	if _, ok := left.(*plan.Const); ok {
		if op = functions.OperatorByOID(op.Commutator); op == nil {
			return comparison{}, false
		}
		left, right = right, left
	}
	c, ok := right.(*plan.Const)
	if !ok || c.Value.Null {
		return comparison{}, false
	}
	return comparison{x: stripRelabel(left), op: op, c: c, coll: call.InputColl}, true
}

// strategyNotEqual stands for <>, which is no btree strategy but the negation of one.
const strategyNotEqual = 6

// strategyIn returns what an operator means in a btree family, and the type of
// its right side.
func strategyIn(op *functions.Operator, family OID) (strategy int, right OID, ok bool) {
	if m, ok := functions.BtreeStrategy(op.OID, family); ok {
		return m.Strategy, m.Right, true
	}
	if m, ok := functions.BtreeStrategy(op.Negator, family); op.Negator != 0 && ok && m.Strategy == functions.StrategyEqual {
		return strategyNotEqual, m.Right, true
	}
	return 0, 0, false
}

// impliedBy tells how the constants of x op c and x op d must compare so that the
// first makes the second true: impliedBy[op of c][op of d] is a btree strategy, 0
// for never. x < 3 implies x < 5 because 3 <= 5.
var impliedBy = [7][7]int{
	functions.StrategyLess: {functions.StrategyLess: functions.StrategyLessEqual, functions.StrategyLessEqual: functions.StrategyLessEqual,
		strategyNotEqual: functions.StrategyLessEqual},
	functions.StrategyLessEqual: {functions.StrategyLess: functions.StrategyLess, functions.StrategyLessEqual: functions.StrategyLessEqual,
		strategyNotEqual: functions.StrategyLess},
	functions.StrategyEqual: {functions.StrategyLess: functions.StrategyLess, functions.StrategyLessEqual: functions.StrategyLessEqual,
		functions.StrategyEqual: functions.StrategyEqual, functions.StrategyGreaterEqual: functions.StrategyGreaterEqual,
		functions.StrategyGreater: functions.StrategyGreater, strategyNotEqual: strategyNotEqual},
	functions.StrategyGreaterEqual: {functions.StrategyGreaterEqual: functions.StrategyGreaterEqual, functions.StrategyGreater: functions.StrategyGreater,
		strategyNotEqual: functions.StrategyGreater},
	functions.StrategyGreater: {functions.StrategyGreaterEqual: functions.StrategyGreaterEqual, functions.StrategyGreater: functions.StrategyGreaterEqual,
		strategyNotEqual: functions.StrategyGreaterEqual},
	strategyNotEqual: {strategyNotEqual: functions.StrategyEqual},
}

// compares shows that one comparison of x with a constant implies another one.
func (p prover) compares(h, w plan.Expr) bool {
	a, ok := asComparison(h)
	if !ok || p.env.Evaluate == nil {
		return false
	}
	b, ok := asComparison(w)
	if !ok || a.coll != b.coll || !plan.Same(a.x, b.x) {
		return false
	}
	for _, op := range []OID{a.op.OID, a.op.Negator} {
		for _, m := range functions.Memberships(op) {
			if m.Method != functions.BtreeAM || m.Order {
				continue
			}
			have, left, ok1 := strategyIn(a.op, m.Family)
			want, right, ok2 := strategyIn(b.op, m.Family)
			if ok1 && ok2 && impliedBy[have][want] != 0 {
				return p.holds(m.Family, left, right, impliedBy[have][want], a, b)
			}
		}
	}
	return false
}

// holds compares the constants of two comparisons.
func (p prover) holds(family, left, right OID, strategy int, a, b comparison) bool {
	negate := strategy == strategyNotEqual
	if negate {
		strategy = functions.StrategyEqual
	}
	op := functions.FamilyOperator(family, left, right, strategy)
	if op == nil || op.Code == nil || op.Code.Volatile != 'i' {
		return false
	}
	v, err := p.env.Evaluate(&plan.Call{Base: plan.Base{Typ: boolType, Pos: -1}, Func: op.Code, Op: op.OID,
		Args: []plan.Expr{a.c, b.c}, InputColl: a.coll})
	return err == nil && !v.Null && v.Bool() != negate
}

// stripRelabel takes off conversions that leave the value and its order as they are.
func stripRelabel(e plan.Expr) plan.Expr {
	for {
		r, ok := e.(*plan.Relabel)
		if !ok || r.Wraps() {
			return e
		}
		e = r.Arg
	}
}
