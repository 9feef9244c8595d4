package exec

import (
	"fmt"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/plan"
)

// sequenceTable is the row that a sequence shows when it is read as a table.
type sequenceTable struct{ sequence *catalog.Sequence }

// Rows implements VirtualTable. No values are logged ahead of their use, so log_cnt is 0.
func (t sequenceTable) Rows(rt *Runtime, _ []VirtualEqual, yield func(row []column.Datum) bool) error {
	state, err := rt.DB.SequenceState(engine.StoreID(t.sequence.Store))
	if err != nil {
		return MapError(err)
	}
	yield([]column.Datum{column.IntDatum(state.Last), column.IntDatum(0), column.BoolDatum(state.Called)})
	return nil
}

// virtualOp reads a system catalog. Its rows are computed at open: catalogs are
// small, and a look-up restriction makes them smaller.
type virtualOp struct {
	selection
	st    *state
	node  *plan.VirtualScan
	table VirtualTable
	equal []expr
	rows  *rowBuf
	held  int64
	at    int
}

func (st *state) newVirtualScan(n *plan.VirtualScan) (operator, error) {
	t, ok := n.Table.Virtual.(VirtualTable)
	if q, sequence := n.Table.Virtual.(*catalog.Sequence); sequence {
		t, ok = sequenceTable{q}, true
	}
	if !ok {
		return nil, fmt.Errorf("exec: %s has no computed rows", n.Table.Name)
	}
	for _, a := range n.Attrs {
		if a < 0 && a != plan.AttrTableOID {
			return nil, unsupportedSystemColumn(a)
		}
	}
	o := &virtualOp{st: st, node: n, table: t}
	for _, q := range n.Equal {
		e, err := st.compile(q.Value)
		if err != nil {
			return nil, err
		}
		o.equal = append(o.equal, e)
	}
	var err error
	o.cond, err = st.predicate(n.Filter)
	return o, err
}

func (o *virtualOp) open() error {
	o.close()
	o.rows, o.at = newRowBuf(o.st.kinds(o.node), o.st.rt.batchSize()), 0
	var equal []VirtualEqual
	for i, e := range o.equal {
		d, err := e.row(&row{})
		if err != nil {
			return err
		}
		if d.Null {
			return nil
		}
		equal = append(equal, VirtualEqual{Attr: o.node.Equal[i].Attr, Value: d})
	}
	vals := make([]column.Datum, len(o.node.Attrs))
	var failed error
	err := o.table.Rows(o.st.rt, equal, func(row []column.Datum) bool {
		for i, a := range o.node.Attrs {
			if a == plan.AttrTableOID {
				vals[i] = column.IntDatum(int64(o.node.Table.OID))
			} else {
				vals[i] = row[a]
			}
		}
		o.rows.addRow(vals)
		if o.rows.n%column.BatchSize == 0 {
			failed = o.account()
		}
		return failed == nil
	})
	if err == nil {
		err = failed
	}
	return err
}

func (o *virtualOp) account() error {
	held := o.rows.memory()
	err := o.st.grow(held - o.held)
	o.held = held
	if err != nil {
		return err
	}
	return o.st.rt.canceled()
}

func (o *virtualOp) next() (*column.Batch, error) {
	for o.at < len(o.rows.batches) {
		b := o.rows.batches[o.at]
		o.at++
		if out, err := o.apply(b); err != nil || out != nil {
			return out, err
		}
	}
	return nil, nil
}

func (o *virtualOp) close() {
	o.st.shrink(o.held)
	o.held, o.rows = 0, nil
}
