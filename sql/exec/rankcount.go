package exec

import (
	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/plan"
)

// rankCountOp answers count(*) of a table or of a range of its storage key by
// the ranks of the bounds, where the engine can tell without reading rows; else
// it counts what the scan yields.
type rankCountOp struct {
	st    *state
	scan  *plan.Scan
	rng   *keyRange
	input operator // the scan
	done  bool
	out   column.Batch
}

// rankCount makes the operator for an aggregate that is one plain count(*) of a scan that
// drops no rows, nil for others and where models are switched off.
func (st *state) rankCount(n *plan.Aggregate, input operator) operator {
	scan, ok := n.Input.(*plan.Scan)
	if !ok || st.rt.Knobs.NoLearned || scan.Filter != nil || scan.Sample != nil || scan.CountOnly ||
		n.Strategy != plan.PlainAgg || len(n.Aggs) != 1 || len(n.Keys) > 0 || n.Sets != nil || len(n.Groupings) > 0 {
		return nil
	}
	a := n.Aggs[0]
	if !a.Star || a.Func.Name != "count" || a.Distinct || a.Filter != nil {
		return nil
	}
	rng, err := st.keyRange(scan.Range, st.storageKey(scan.Table))
	if err != nil {
		return nil // the scan says the same
	}
	return &rankCountOp{st: st, scan: scan, rng: rng, input: input}
}

func (o *rankCountOp) open() error { o.done = false; return nil }
func (o *rankCountOp) close()      { o.input.close() }

func (o *rankCountOp) next() (*column.Batch, error) {
	if o.done {
		return nil, nil
	}
	n, err := o.count()
	if err != nil {
		return nil, err
	}
	o.done = true
	o.out.Reset(column.Int)
	o.out.AppendRow([]column.Datum{column.IntDatum(n)})
	return &o.out, nil
}

func (o *rankCountOp) count() (int64, error) {
	lower, upper, empty, err := o.rng.bounds()
	if err != nil || empty {
		return 0, err
	}
	n, ok, err := o.st.rt.Snapshot.CountByRank(engine.StoreID(o.scan.Table.Store), lower, upper)
	if err != nil {
		return 0, err
	}
	if ok {
		f := o.st.figures(o.scan)
		f.Loops++
		f.Rows += n
		f.Ranked += n
		return n, nil
	}
	if err := o.input.open(); err != nil {
		return 0, err
	}
	for {
		b, err := o.input.next()
		if err != nil || b == nil {
			return n, err
		}
		n += int64(b.Len())
		if err := o.st.rt.canceled(); err != nil {
			return 0, err
		}
	}
}
