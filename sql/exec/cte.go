package exec

import (
	"fmt"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/plan"
)

// cteOp reads the shared rows of a WITH query, which is run as far as its
// readers need.
type cteOp struct {
	selection
	st     *state
	plan   *subplan
	index  int
	reader *tupleReader
}

func (st *state) newCTEScan(n *plan.CTEScan) (operator, error) {
	cond, err := st.predicate(n.Filter)
	if err != nil {
		return nil, err
	}
	if n.Plan >= len(st.stmt.Plans) {
		return nil, fmt.Errorf("exec: no plan %d", n.Plan)
	}
	return &cteOp{selection: selection{cond: cond, figures: st.figures(n)}, st: st, index: n.Plan}, nil
}

func (o *cteOp) open() error {
	p, err := o.st.subplan(o.index)
	if err != nil {
		return err
	}
	o.plan = p
	if err := p.startShared(); err != nil {
		return err
	}
	o.reader = p.store.reader()
	return nil
}

func (o *cteOp) close() {}

func (o *cteOp) next() (*column.Batch, error) {
	if err := o.raised(); err != nil {
		return nil, err
	}
	for {
		b, err := o.reader.read()
		if err != nil {
			return nil, err
		}
		if b == nil {
			more, err := o.plan.advance()
			if err != nil || !more {
				return nil, err
			}
			continue
		}
		if out, err := o.apply(b); err != nil || out != nil {
			return out, err
		}
	}
}
