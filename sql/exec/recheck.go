package exec

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/plan"
)

// recheck looks at an input row again in which a newer version of a locked row
// has taken the place of the one that was read.
type recheck []recheckStep

type recheckStep struct {
	cond  predicate
	outer bool
	null  []int
	value expr
	slot  int
}

func (st *state) recheck(steps []plan.RecheckStep) (recheck, error) {
	out := make(recheck, len(steps))
	for i, s := range steps {
		out[i] = recheckStep{outer: s.Outer, null: s.Null, slot: s.Slot}
		var err error
		if s.Cond != nil {
			out[i].cond, err = st.predicate(s.Cond)
		} else {
			out[i].value, err = st.compile(s.Value)
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// apply brings the row up to date and reports whether the statement still means it.
func (c recheck) apply(in []column.Datum) (bool, error) {
	for i := range c {
		s := &c[i]
		if s.cond == nil {
			d, err := s.value.row(&row{vals: in})
			if err != nil {
				return false, err
			}
			in[s.slot] = d.Clone()
			continue
		}
		ok, err := s.cond.test(&row{vals: in})
		if err != nil || !ok && !s.outer {
			return false, err
		}
		if !ok {
			for _, n := range s.null {
				in[n] = column.Null()
			}
		}
	}
	return true, nil
}
