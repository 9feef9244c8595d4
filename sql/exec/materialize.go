package exec

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/plan"
)

// materializeOp keeps its input's rows for rescans.
type materializeOp struct {
	st     *state
	input  operator
	kinds  []column.Kind
	store  *tupleStore
	reader *tupleReader
	keeper
	figures *NodeStats
}

func (st *state) newMaterialize(n *plan.Materialize) (operator, error) {
	input, err := st.operator(n.Input)
	return &materializeOp{
		st: st, input: input, kinds: st.kinds(n.Input),
		keeper: keeper{st: st, node: n.Input}, figures: st.figures(n),
	}, err
}

func (o *materializeOp) open() error {
	if o.store == nil || !o.fresh() {
		o.drop()
		o.store = o.st.newTupleStore(o.kinds)
		if err := o.input.open(); err != nil {
			return err
		}
		o.mark()
		if err := o.store.fill(o.input); err != nil {
			o.forget()
			return err
		}
		o.figures.Memory = max(o.figures.Memory, o.store.counts)
	}
	o.reader = o.store.reader()
	return nil
}

func (o *materializeOp) next() (*column.Batch, error) { return o.reader.read() }

func (o *materializeOp) drop() {
	if o.store != nil {
		o.store.close()
		o.store = nil
	}
	o.forget()
}

func (o *materializeOp) close() {
	o.drop()
	o.input.close()
}
