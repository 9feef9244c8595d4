package exec

import (
	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// mergePlan is one WHEN clause of MERGE, compiled over the input row.
type mergePlan struct {
	node   *plan.MergePlan
	cond   predicate
	set    []assigned
	values []expr
}

func (st *state) mergePlan(n *plan.MergePlan) (*mergePlan, error) {
	p := &mergePlan{node: n}
	var err error
	if p.cond, err = st.predicate(n.Cond); err != nil {
		return nil, err
	}
	if p.set, err = st.assignments(n.Set); err != nil {
		return nil, err
	}
	p.values, err = st.compileAll(n.Values)
	return p, err
}

// clause returns the first WHEN clause that applies to the current input row.
func (o *modifyOp) clause(matched bool) (*mergePlan, error) {
	for _, m := range o.merge {
		if m.node.Matched != matched {
			continue
		}
		if m.cond == nil {
			return m, nil
		}
		ok, err := m.cond.test(&row{vals: o.in})
		if ok || err != nil {
			return m, err
		}
	}
	return nil, nil
}

func (o *modifyOp) mergeRow() error {
	if o.in[o.target.key].Null {
		return o.mergeInsert()
	}
	for {
		m, err := o.clause(true)
		if err != nil || m == nil || m.node.Nothing {
			return err
		}
		mode := engine.Update
		if m.node.Command == plan.Update {
			mode = o.w.lockMode(m.set)
		}
		state, changed, err := o.lockTarget(mode)
		switch {
		case err != nil:
			return err
		case state == rowOurs:
			return pgerr.New(pgerr.CardinalityViolation, "MERGE command cannot affect row a second time").
				WithHint("Ensure that not more than one source row matches any one target row.")
		case state == rowGone:
			return o.mergeInsert()
		case changed:
			if again, err := o.clause(true); err != nil || again != m {
				if err != nil {
					return err
				}
				continue // another clause applies to the newer version
			}
		}
		return o.mergeApply(m)
	}
}

func (o *modifyOp) mergeApply(m *mergePlan) error {
	o.target.load(o.in, o.old)
	key := o.in[o.target.key].B
	if m.node.Command == plan.Delete {
		if err := o.w.delete(key, o.old); err != nil {
			return err
		}
		o.emit(o.old, key, true)
		return nil
	}
	copy(o.vals, o.old)
	for _, s := range m.set {
		d, err := s.expr.row(&row{vals: o.in})
		if err != nil {
			return err
		}
		o.vals[s.attr] = d
	}
	return o.replace(key)
}

func (o *modifyOp) mergeInsert() error {
	m, err := o.clause(false)
	if err != nil || m == nil || m.node.Nothing {
		return err
	}
	for i := range o.vals {
		o.vals[i] = column.Null()
	}
	for i, e := range m.values {
		if e == nil {
			continue
		}
		if o.vals[i], err = e.row(&row{vals: o.in}); err != nil {
			return err
		}
	}
	return o.insertRow(o.vals)
}
