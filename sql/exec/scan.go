package exec

import (
	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// scanOp reads a table, or a range of it, in storage key order.
type scanOp struct {
	selection
	st     *state
	node   *plan.Scan
	store  engine.StoreID
	rng    *keyRange
	prune  []zoneCondition
	fetch  *fetch
	sample *sampler
	it     *engine.Iterator
	in     column.Batch
	access *Access
	byKey  bool // it is counted with the primary key
	done   bool
	part   *scanPart   // of several workers' ranges
	apart  *lateFilter // nil: all columns are read before the condition is asked
	pass   int64       // rows that the next open leaves out, if it can
	passed int64       // what the last one has left out
}

func unsupportedSystemColumn(a int) error {
	names := map[int]string{plan.AttrXmin: "xmin", plan.AttrCmin: "cmin", plan.AttrXmax: "xmax", plan.AttrCmax: "cmax"}
	return pgerr.Unsupported("system column \"%s\" is not supported", names[a])
}

func (st *state) newScan(n *plan.Scan) (operator, error) {
	o := &scanOp{selection: selection{figures: st.figures(n)}, st: st, node: n, store: engine.StoreID(n.Table.Store)}
	o.access, o.byKey = st.rt.rangeAccess(n)
	var err error
	if o.rng, err = st.keyRange(n.Range, st.storageKey(n.Table)); err != nil {
		return nil, err
	}
	if n.CountOnly {
		return &countOp{st: st, scan: o}, nil
	}
	if o.fetch, err = st.fetch(n.Table, n.Attrs); err != nil {
		return nil, err
	}
	if n.Sample != nil {
		if o.sample, err = st.newSampler(n.Sample); err != nil {
			return nil, err
		}
	}
	if o.prune, err = st.zoneConditions(n); err != nil {
		return nil, err
	}
	if o.cond, err = st.predicate(n.Filter); err != nil {
		return nil, err
	}
	if o.sample == nil && o.fetch.plain() && !o.fetch.keys {
		o.apart, err = st.lateFilter(n.Filter)
	}
	return o, err
}

func (o *scanOp) open() error {
	o.close()
	o.done = false
	o.access.Scans++
	lower, upper, empty, err := o.rng.bounds()
	if err != nil {
		return err
	}
	if empty {
		o.done = true
		return nil
	}
	if o.part != nil {
		lower, upper = o.part.lower, o.part.upper
	}
	if o.sample != nil {
		if err := o.sample.start(); err != nil {
			return err
		}
	}
	if lower, upper, err = o.passBy(lower, upper); err != nil || o.done {
		return err
	}
	o.it = o.st.rt.Snapshot.Scan(o.store, engine.ScanOptions{
		Lower: lower, Upper: upper, Cols: o.fetch.cols, Reverse: o.node.Reverse,
		Keys: o.fetch.keys || o.sample != nil, Stats: &o.figures.Read,
		Wanted: wantedRanges(o.prune), Late: o.apart != nil,
	})
	return nil
}

func (o *scanOp) skip(rows int64) { o.pass = rows }
func (o *scanOp) skipped() int64  { return o.passed }

// passBy moves a bound of the range behind the rows of an OFFSET, where every
// row of the range is wanted and the engine knows its rank.
func (o *scanOp) passBy(lower, upper []byte) (newLower, newUpper []byte, err error) {
	n := o.pass
	o.pass, o.passed = 0, 0
	if n == 0 || o.node.Filter != nil || o.sample != nil || o.st.rt.Knobs.NoLearned {
		return lower, upper, nil
	}
	at, done, ok, err := o.st.rt.Snapshot.SkipByRank(o.store, lower, upper, n, o.node.Reverse)
	if err != nil || !ok {
		return lower, upper, err
	}
	o.done, o.passed = done, n
	o.figures.Ranked += n
	if o.node.Reverse {
		return lower, at, nil
	}
	return at, upper, nil
}

func (o *scanOp) next() (*column.Batch, error) {
	if err := o.raised(); err != nil {
		return nil, err
	}
	for !o.done {
		ok, err := o.it.Next(&o.in)
		if err != nil {
			return nil, err
		}
		if !ok {
			o.done = true
			break
		}
		var keys [][]byte
		if o.fetch.keys || o.sample != nil {
			keys = o.it.Keys()
		}
		o.access.Read += int64(o.in.Len())
		if o.byKey {
			o.access.Fetched += int64(o.in.Len())
		}
		if out, err := o.choose(keys); err != nil || out != nil {
			return out, err
		}
		if err := o.st.rt.canceled(); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// choose returns the rows of the batch in hand that are wanted, nil if there are none.
func (o *scanOp) choose(keys [][]byte) (*column.Batch, error) {
	if o.it.Deferred() {
		return o.applyLate(&o.in)
	}
	b, err := o.fetch.arrange(&o.in, keys)
	if err != nil {
		return nil, err
	}
	if o.sample != nil {
		b = o.sample.apply(b, keys)
	}
	return o.apply(b)
}

func (o *scanOp) close() {
	if o.it == nil {
		return
	}
	before := o.figures.Read.Unwanted
	o.it.Close()
	o.it = nil
	left := o.figures.Read.Unwanted - before // read, and removed, by the engine
	o.access.Read += left
	o.figures.Removed += left
}

// countOp answers count(*) of a key range from the engine's ranks.
type countOp struct {
	st   *state
	scan *scanOp
	done bool
	out  column.Batch
}

func (o *countOp) open() error { o.done = false; return nil }
func (o *countOp) close()      {}

func (o *countOp) next() (*column.Batch, error) {
	if o.done {
		return nil, nil
	}
	o.done = true
	lower, upper, empty, err := o.scan.rng.bounds()
	if err != nil {
		return nil, err
	}
	var n int64
	if !empty {
		if n, err = o.st.rt.Snapshot.Count(o.scan.store, lower, upper); err != nil {
			return nil, err
		}
	}
	o.scan.access.Scans++
	o.scan.access.Read += n
	o.out.Reset(column.Int)
	o.out.AppendRow([]column.Datum{column.IntDatum(n)})
	return &o.out, nil
}
