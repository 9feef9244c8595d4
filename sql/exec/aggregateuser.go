package exec

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// aggregateState returns what makes the state of an aggregate call. User-defined aggregates call their
// transition and final functions row by row, unless a built-in aggregate is made of the same functions.
func (st *state) aggregateState(f *functions.Func, args []plan.Expr, direct int, ret plan.Type, coll OID) (func(*functions.Ctx) functions.AggState, error) {
	if f.Agg == nil || f.Agg.New == nil && f.Agg.Trans == nil {
		return nil, pgerr.Unsupported("aggregate function %s is not supported", f.Signature())
	}
	if f.Agg.Trans == nil {
		return f.Agg.New, nil
	}
	if same := builtinAggregate(f); same != nil {
		return same.Agg.New, nil
	}
	u := &userAggregate{strict: f.Agg.Trans.Strict, init: column.Null(), direct: direct}
	actual := make([]OID, len(args))
	for i, a := range args {
		actual[i] = a.ResultType().OID
	}
	trans := plan.Type{OID: f.Agg.TransType, Typmod: -1, Collation: coll}
	if functions.IsPolymorphic(trans.OID) {
		oid, err := functions.ResolvePolymorphic(st.env, nil, actual, append([]OID(nil), f.Args...), trans.OID)
		if err != nil {
			return nil, err
		}
		trans.OID = oid
	}
	if f.Agg.HasInit {
		var err error
		if u.init, err = st.env.In(trans.OID, -1, f.Agg.InitVal); err != nil {
			return nil, err
		}
	}
	slots := []plan.Expr{&plan.Slot{Base: plan.Base{Typ: trans, Pos: -1}}}
	for i, a := range args {
		slots = append(slots, &plan.Slot{Base: plan.Base{Typ: a.ResultType(), Pos: -1}, Index: i + 1})
	}
	u.width = len(slots)
	var err error
	step := append([]plan.Expr{slots[0]}, slots[1+direct:]...)
	if u.trans, err = st.compile(&plan.Call{Base: plan.Base{Typ: trans, Pos: -1}, Func: f.Agg.Trans, Args: step, InputColl: coll}); err != nil {
		return nil, err
	}
	if f.Agg.Final != nil {
		last := slots[:1+direct]
		if f.Agg.FinalExtra {
			last = slots
		}
		if u.final, err = st.compile(&plan.Call{Base: plan.Base{Typ: ret, Pos: -1}, Func: f.Agg.Final, Args: last, InputColl: coll}); err != nil {
			return nil, err
		}
	}
	return func(*functions.Ctx) functions.AggState { return &userAggState{userAggregate: u} }, nil
}

// builtinAggregate finds the built-in aggregate that a user-defined one is another name for.
func builtinAggregate(f *functions.Func) *functions.Func {
	a := f.Agg
	for _, b := range functions.All() {
		if b.Agg == nil || b.Agg.New == nil || b.Agg.TransFn != a.TransFn || b.Agg.FinalFn != a.FinalFn || b.Agg.TransType != a.TransType ||
			b.Agg.HasInit != a.HasInit || b.Agg.InitVal != a.InitVal || len(b.Args) != len(f.Args) {
			continue
		}
		same := true
		for i := range b.Args {
			same = same && (b.Args[i] == f.Args[i] || a.Kind != 'n')
		}
		if same {
			return b
		}
	}
	return nil
}

// userAggregate is a call of an aggregate that is made of functions. Its expressions read a row of the
// state and the arguments.
type userAggregate struct {
	trans, final expr
	strict       bool
	init         column.Datum
	width        int
	direct       int
}

// userAggState holds the states of all groups.
type userAggState struct {
	*userAggregate
	states []column.Datum
	begun  []bool // the state is a value, or the initial one of a function that takes NULL
	bytes  int64
}

// Grow implements functions.AggState.
func (s *userAggState) Grow(n int) {
	for len(s.states) < n {
		s.states, s.begun = append(s.states, s.init), append(s.begun, !s.init.Null || !s.strict)
	}
}

// Accumulate implements functions.AggState.
func (s *userAggState) Accumulate(groups []int32, args []*column.Vec, sel []int32, n int) error {
	count := n
	if sel != nil {
		count = len(sel)
	}
	vals := make([]column.Datum, s.width)
	for i := range count {
		g, r := 0, i
		if groups != nil {
			g = int(groups[i])
		}
		if sel != nil {
			r = int(sel[i])
		}
		null := false
		for k, v := range args {
			vals[1+s.direct+k] = at(v, r)
			null = null || vals[1+s.direct+k].Null
		}
		switch {
		case s.strict && null:
			continue
		case !s.begun[g]:
			s.keep(g, vals[1+s.direct].Clone())
			s.begun[g] = true
			continue
		case s.strict && s.states[g].Null:
			continue // a strict function that has returned NULL is not called again
		}
		vals[0] = s.states[g]
		d, err := s.trans.row(&row{vals: vals})
		if err != nil {
			return err
		}
		s.keep(g, d.Clone())
	}
	return nil
}

func (s *userAggState) keep(g int, d column.Datum) {
	s.bytes += int64(len(d.B)) - int64(len(s.states[g].B))
	s.states[g] = d
}

// Combine implements functions.AggState.
func (s *userAggState) Combine(functions.AggState, []int32) error {
	return pgerr.Unsupported("partial results of user-defined aggregates cannot be combined")
}

// Result implements functions.AggState.
func (s *userAggState) Result(g int, direct []column.Datum) (column.Datum, error) {
	if s.final == nil {
		return s.states[g], nil
	}
	vals := make([]column.Datum, s.width)
	for i := range vals {
		vals[i] = column.Null()
	}
	vals[0] = s.states[g]
	copy(vals[1:], direct)
	return s.final.row(&row{vals: vals})
}

// Reset implements functions.AggState.
func (s *userAggState) Reset(g int) {
	s.keep(g, s.init)
	s.begun[g] = !s.init.Null || !s.strict
}

// Size implements functions.AggState.
func (s *userAggState) Size() int64 { return s.bytes + int64(len(s.states))*48 }
