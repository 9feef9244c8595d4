package exec

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/plan"
)

// adaptiveOp reads the rows of its left side up to a limit and then decides which of two joins gets them: one that
// asks its right side for every row, or one that reads the right side once.
type adaptiveOp struct {
	st        *state
	left      operator
	few, many operator
	limit     int
	kinds     []column.Kind
	replay    *replayOp
	chosen    operator
	held      int64
}

func (st *state) newAdaptive(n *plan.Adaptive) (operator, error) {
	left, err := st.operator(n.Left)
	if err != nil {
		return nil, err
	}
	o := &adaptiveOp{st: st, left: left, limit: n.Limit, kinds: st.kinds(n.Left), replay: &replayOp{left: left}}
	if st.replays == nil {
		st.replays = map[int]*replayOp{}
	}
	st.replays[n.ID] = o.replay
	if o.few, err = st.operator(n.Few); err != nil {
		return nil, err
	}
	o.many, err = st.operator(n.Many)
	return o, err
}

func (o *adaptiveOp) open() error {
	o.st.shrink(o.held)
	rows := newRowBuf(o.kinds, o.st.rt.batchSize())
	*o.replay = replayOp{left: o.left, rows: rows}
	o.held, o.chosen = 0, o.few
	if err := o.left.open(); err != nil {
		return err
	}
	for rows.n <= o.limit {
		b, err := o.left.next()
		if err != nil {
			return err
		}
		if b == nil {
			o.replay.ended = true
			break
		}
		rows.add(b)
		held := rows.memory()
		if err := o.st.grow(held - o.held); err != nil {
			return err
		}
		o.held = held
	}
	if rows.n > o.limit {
		o.chosen = o.many
	}
	return o.chosen.open()
}

func (o *adaptiveOp) next() (*column.Batch, error) { return o.chosen.next() }

func (o *adaptiveOp) close() {
	o.few.close()
	o.many.close()
	o.left.close()
	o.st.shrink(o.held)
	o.held, o.replay.rows = 0, nil
}

// replayOp yields what an adaptiveOp has read of its left side, and then the rest of it.
type replayOp struct {
	left  operator
	rows  *rowBuf
	at    int
	ended bool
	out   column.Batch
}

func (o *replayOp) open() error {
	o.at = 0
	return nil
}

func (o *replayOp) next() (*column.Batch, error) {
	if o.at < len(o.rows.batches) {
		o.out = *o.rows.batches[o.at]
		o.at++
		return &o.out, nil
	}
	if o.ended {
		return nil, nil
	}
	b, err := o.left.next()
	o.ended = b == nil
	return b, err
}

func (o *replayOp) close() {}
