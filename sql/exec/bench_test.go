package exec

import (
	"math/rand/v2"
	"testing"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/plan"
)

// benchRows is the size of the table that the operator benchmarks read.
const benchRows = 1_000_000

// benchTable has an ascending key, a group of 100, a group of 100,000 and a text.
func benchTable(b *testing.B, n int) (*world, *catalog.Relation) {
	w := newWorld(b)
	r := w.create("t", cols("id int4!", "g int4", "h int4", "s text"), []int16{1}, nil)
	s := w.begin(engine.TxnOptions{})
	rt := s.runtime()
	st := newState(rt, &plan.Statement{})
	wr, err := st.writer(r)
	w.check(err)
	rnd := rand.New(rand.NewPCG(1, 1))
	for i := range n {
		_, err := wr.insert([]column.Datum{
			column.IntDatum(int64(i)), column.IntDatum(int64(rnd.IntN(100))), column.IntDatum(int64(rnd.IntN(100_000))), column.StringDatum("some text"),
		})
		w.check(err)
	}
	rt.Snapshot.Close()
	s.commit()
	return w, r
}

// drain runs a plan b.N times and reports input rows per second.
func drain(b *testing.B, w *world, n plan.Node, rows int) {
	b.Helper()
	s := w.begin(engine.TxnOptions{})
	defer s.txn.Rollback()
	b.ReportAllocs()
	for b.Loop() {
		rt := s.runtime()
		rows, err := Run(rt, &plan.Statement{Root: n, ReadOnly: true})
		w.check(err)
		var batch column.Batch
		for {
			ok, err := rows.Next(&batch)
			w.check(err)
			if !ok {
				break
			}
		}
		rows.Close()
		rt.Snapshot.Close()
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
}

// kept is a table's rows in memory, so that an operator is measured and not the scan.
func kept(b *testing.B, n int) plan.Node {
	rnd := rand.New(rand.NewPCG(1, 1))
	buf := newRowBuf([]column.Kind{column.Int, column.Int, column.Int}, column.BatchSize)
	for i := range n {
		buf.addRow([]column.Datum{column.IntDatum(int64(i)), column.IntDatum(int64(rnd.IntN(100))), column.IntDatum(int64(rnd.IntN(100_000)))})
	}
	return &keptNode{NodeInfo: info(int4T, int4T, int4T), buf: buf}
}

// keptNode is a leaf that the benchmarks add.
type keptNode struct {
	plan.NodeInfo
	buf *rowBuf
}

func (*keptNode) Children() []plan.Node { return nil }

type keptOp struct {
	buf *rowBuf
	at  int
	out column.Batch
}

func (o *keptOp) open() error { o.at = 0; return nil }
func (o *keptOp) close()      {}
func (o *keptOp) next() (*column.Batch, error) {
	if o.at == len(o.buf.batches) {
		return nil, nil
	}
	o.out = *o.buf.batches[o.at]
	o.at++
	return &o.out, nil
}

func (n *keptNode) operator() operator { return &keptOp{buf: n.buf} }

func count(in plan.Node, keys ...plan.SortKey) plan.Node {
	a := &plan.Aggregate{Input: in, Strategy: plan.HashAgg, Keys: keys, Aggs: []*plan.Agg{agg("count()"), agg("sum(int4)", sl(0, int4T))}}
	var ts []plan.Type
	for _, k := range keys {
		ts = append(ts, k.Expr.ResultType())
	}
	a.NodeInfo = info(append(ts, int8T, int8T)...)
	return a
}

func BenchmarkScan(b *testing.B) {
	w, r := benchTable(b, benchRows/5)
	drain(b, w, &plan.Scan{NodeInfo: columnsOf(r, []int{0, 1}), Table: r, Attrs: []int{0, 1}}, benchRows/5)
}

func BenchmarkFilter(b *testing.B) {
	in := kept(b, benchRows)
	drain(b, newWorld(b), &plan.Filter{NodeInfo: *in.Info(), Input: in, Cond: op("<", sl(1, int4T), i4(50))}, benchRows)
}

func BenchmarkSum(b *testing.B) { drain(b, newWorld(b), count(kept(b, benchRows)), benchRows) }

func BenchmarkGroupFew(b *testing.B) {
	drain(b, newWorld(b), count(kept(b, benchRows), asc(1, int4T)), benchRows)
}

func BenchmarkGroupMany(b *testing.B) {
	drain(b, newWorld(b), count(kept(b, benchRows), asc(2, int4T)), benchRows)
}

func BenchmarkHashJoin(b *testing.B) {
	left, right := kept(b, benchRows), kept(b, 100_000)
	drain(b, newWorld(b), &plan.HashJoin{
		NodeInfo: info(int4T, int4T, int4T, int4T, int4T, int4T), Kind: plan.InnerJoin, Left: left, Right: right,
		LeftKeys: []plan.Expr{sl(2, int4T)}, RightKeys: []plan.Expr{sl(0, int4T)}, Equal: []*functions.Func{fn("=", 23, 23)},
	}, benchRows)
}

func BenchmarkSort(b *testing.B) {
	drain(b, newWorld(b), sorted(kept(b, benchRows), asc(2, int4T)), benchRows)
}

func BenchmarkTopN(b *testing.B) {
	n := sorted(kept(b, benchRows), asc(2, int4T))
	n.Limit = i8(10)
	drain(b, newWorld(b), n, benchRows)
}

// single runs a statement once per iteration in one transaction.
func single(b *testing.B, st *plan.Statement, params func(i int) []column.Datum, w *world, knobs Knobs) {
	s := w.begin(engine.TxnOptions{})
	defer s.txn.Rollback()
	rt := s.runtime()
	rt.Snapshot.Close()
	rt.Knobs = knobs
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i++
		s.txn.NextCommand()
		rt.Snapshot, rt.Params = s.txn.Snapshot(), params(i)
		rows, err := Run(rt, st)
		w.check(err)
		var batch column.Batch
		for {
			ok, err := rows.Next(&batch)
			w.check(err)
			if !ok {
				break
			}
		}
		rows.Close()
		rt.Snapshot.Close()
	}
}

func param(n int, t plan.Type) plan.Expr { return &plan.Param{Base: plan.Base{Typ: t}, N: n} }

func BenchmarkPoint(b *testing.B) {
	w, r := benchTable(b, 100_000)
	vals := make([]column.Datum, 1)
	key := func(i int) []column.Datum { vals[0] = column.IntDatum(int64(i * 7919 % 100_000)); return vals }
	lookup := func(attrs []int) *plan.KeyLookup {
		return &plan.KeyLookup{NodeInfo: columnsOf(r, attrs), Table: r, Attrs: attrs, Keys: [][]plan.Expr{{param(1, int4T)}}}
	}
	sel := &plan.Statement{Root: lookup([]int{1, 3}), ReadOnly: true}
	b.Run("select", func(b *testing.B) { single(b, sel, key, w, Knobs{}) })
	b.Run("select operators", func(b *testing.B) { single(b, sel, key, w, Knobs{NoFastPath: true}) })
	upd := &plan.Statement{Command: plan.Update, Root: &plan.Modify{
		Command: plan.Update, Table: r, Input: lookup(append(all(r), plan.AttrKey)),
		Set:    []plan.Assignment{{Attr: 1, Value: op("+", sl(1, int4T), i4(1))}},
		Target: plan.LockTarget{Table: r, Key: 4, Attrs: all(r), Slots: all(r)},
	}}
	b.Run("update", func(b *testing.B) { single(b, upd, key, w, Knobs{}) })
	b.Run("update operators", func(b *testing.B) { single(b, upd, key, w, Knobs{NoFastPath: true}) })
	next := 1_000_000
	ins := &plan.Statement{Command: plan.Insert, Root: insert(r, &plan.Result{
		NodeInfo: columnsOf(r, all(r)), Exprs: []plan.Expr{param(1, int4T), i4(1), i4(2), tx("x")},
	})}
	fresh := func(int) []column.Datum { next++; vals[0] = column.IntDatum(int64(next)); return vals }
	b.Run("insert", func(b *testing.B) { single(b, ins, fresh, w, Knobs{}) })
	b.Run("insert operators", func(b *testing.B) { single(b, ins, fresh, w, Knobs{NoFastPath: true}) })
}
