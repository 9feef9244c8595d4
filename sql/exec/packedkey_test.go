package exec

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/plan"
)

// keyStreams are sequences of integers that make tables change their form.
var keyStreams = map[string]func(r *rand.Rand, i int) int64{
	"ascending":  func(_ *rand.Rand, i int) int64 { return int64(i) },
	"descending": func(_ *rand.Rand, i int) int64 { return -int64(i) },
	"dense":      func(r *rand.Rand, _ int) int64 { return int64(r.IntN(5000)) - 2500 },
	"sparse":     func(r *rand.Rand, _ int) int64 { return int64(r.Uint64()) },
	"both ends": func(r *rand.Rand, i int) int64 {
		return []int64{math.MinInt64, math.MaxInt64, 0, -1}[r.IntN(4)] ^ int64(i%7)
	},
	"outlier late": func(r *rand.Rand, i int) int64 {
		if i == 30000 {
			return math.MinInt64
		}
		return int64(r.IntN(3000))
	},
	"widening": func(r *rand.Rand, i int) int64 { return int64(r.IntN(i+1)) * int64(i%3-1) },
	"few":      func(r *rand.Rand, _ int) int64 { return int64(r.IntN(4)) },
}

// batchesOf cuts a stream of keys into vectors, some values being NULL.
func batchesOf(r *rand.Rand, next func(r *rand.Rand, i int) int64, rows int, nulls bool) []column.Vec {
	var out []column.Vec
	for i := 0; i < rows; {
		n := min(1+r.IntN(column.BatchSize), rows-i)
		v := column.Vec{}
		v.Resize(column.Int, n)
		for k := range n {
			v.I[k] = next(r, i+k)
			if nulls && r.IntN(50) == 0 {
				v.Nulls.Set(k)
			}
		}
		out = append(out, v)
		i += n
	}
	return out
}

func TestIntegersAreNumberedInOrder(t *testing.T) {
	w := newWorld(t)
	s := w.begin(engine.TxnOptions{})
	defer s.txn.Rollback()
	st := newState(s.runtime(), &plan.Statement{})
	for name, next := range keyStreams {
		for _, nulls := range []bool{false, true} {
			r := rand.New(rand.NewPCG(1, 2))
			table, err := st.newGroupTable([]plan.Type{{OID: 20, Typmod: -1}})
			if err != nil {
				t.Fatal(err)
			}
			table.list()
			checkNumbers(t, fmt.Sprint(name, " nulls ", nulls), table, [][]column.Vec{batchesOf(r, next, 40000, nulls)})
		}
	}
}

func TestPackedKeysAreNumberedInOrder(t *testing.T) {
	w := newWorld(t)
	s := w.begin(engine.TxnOptions{})
	defer s.txn.Rollback()
	st := newState(s.runtime(), &plan.Statement{})
	names := slices.Sorted(func(yield func(string) bool) {
		for n := range keyStreams {
			if !yield(n) {
				return
			}
		}
	})
	for i, name := range names {
		for k, other := range names {
			columns := 2 + (i+k)%2
			r := rand.New(rand.NewPCG(uint64(i), uint64(k)))
			var cols [][]column.Vec
			for c := range columns {
				part := rand.New(rand.NewPCG(9, 9)) // batches of one length
				next := keyStreams[[]string{name, other, "few"}[c]]
				cols = append(cols, batchesOf(part, func(_ *rand.Rand, i int) int64 { return next(r, i) }, 33000, false))
			}
			if (i+k)%3 == 0 {
				for b := range cols[1] {
					cols[1][b].Nulls.Set(0)
				}
			}
			for _, hashed := range []bool{false, true} {
				st.rt.Knobs.NoPacking = hashed
				types := make([]plan.Type, columns)
				for c := range types {
					types[c] = plan.Type{OID: 20, Typmod: -1}
				}
				table, err := st.newGroupTable(types)
				if err != nil {
					t.Fatal(err)
				}
				table.list()
				checkNumbers(t, fmt.Sprint(name, ", ", other, " hashed ", hashed), table, cols)
			}
		}
	}
}

// checkNumbers feeds batches of keys to a table and compares with a map.
func checkNumbers(t *testing.T, name string, table *groupTable, cols [][]column.Vec) {
	t.Helper()
	type cell struct {
		v    int64
		null bool
	}
	type key [3]cell
	numbers := map[key]int32{}
	var keys []key
	at := func(b, r int) (k key) {
		for c := range cols {
			if k[c].null = cols[c][b].Null(r); !k[c].null {
				k[c].v = cols[c][b].I[r]
			}
		}
		return k
	}
	vecs := make([]*column.Vec, len(cols))
	for b := range cols[0] {
		for c := range cols {
			vecs[c] = &cols[c][b]
		}
		rows := allRows(cols[0][b].Len())
		for i, id := range table.findAll(vecs, rows, false) {
			want, ok := numbers[at(b, i)]
			if ok && id != want || !ok && id != noCode {
				t.Fatalf("%s: batch %d row %d is number %d before it is added, want %d, %v", name, b, i, id, want, ok)
			}
		}
		for i, id := range table.findAll(vecs, rows, true) {
			k := at(b, i)
			want, ok := numbers[k]
			if !ok {
				want = int32(len(keys))
				numbers[k] = want
				keys = append(keys, k)
			}
			if id != want {
				t.Fatalf("%s: batch %d row %d is number %d, want %d", name, b, i, id, want)
			}
		}
	}
	if table.n != len(keys) {
		t.Fatalf("%s: %d keys, want %d", name, table.n, len(keys))
	}
	all := table.contents()
	for c := range cols {
		var v column.Vec
		all.fill(c, 0, table.n, &v)
		for i, k := range keys {
			if got := v.Datum(i); got.Null != k[c].null || !got.Null && got.I != k[c].v {
				t.Fatalf("%s: key %d column %d is %v, want %v", name, i, c, got, k[c])
			}
		}
	}
}
