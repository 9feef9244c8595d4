package engine

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/internal/vfs"
)

// TestColumnSummary merges the statistics of several segments, some older than a column, and
// compares them with the rows.
func TestColumnSummary(t *testing.T) {
	db, err := openOn(t, vfs.NewMem(1), func(o *Options) { o.BulkMinBytes = 1 })
	check(t, err)
	defer func() { check(t, db.Close()) }()
	def := StoreDef{ID: db.NewStoreID(), Name: "s", Columns: []ColumnDef{{Kind: column.Int}, {Kind: column.Bytes}}}
	tx := db.Begin(TxnOptions{})
	check(t, tx.CreateStore(def))
	commit(t, tx)
	rnd := rand.New(rand.NewPCG(3, 3))
	truth := [3]map[string]float64{{}, {}, {}}
	nulls, rows := [3]float64{}, 0
	later := column.StringDatum("later")
	insert := func(part, n int) {
		tx := db.Begin(TxnOptions{})
		b, err := tx.Bulk(def.ID)
		check(t, err)
		for range n {
			r := []column.Datum{column.IntDatum(int64(rnd.IntN(4) * rnd.IntN(2000))), column.StringDatum(fmt.Sprintf("part %d, %d", part, rnd.IntN(3)))}
			if rnd.IntN(4) == 0 {
				r[1] = column.Null()
			}
			if len(def.Columns) == 3 {
				r = append(r, column.StringDatum(fmt.Sprint(rnd.IntN(2))))
			}
			check(t, b.Append(key(rows), r))
			rows++
			for c := range 3 {
				switch {
				case c == len(r):
					truth[c][string(later.B)]++
				case r[c].Null:
					nulls[c]++
				default:
					truth[c][string(appendValue(nil, r[c]))]++
				}
			}
		}
		check(t, b.Finish(ctx))
		commit(t, tx)
	}
	if s := db.ColumnSummary(def.ID, 0); s == nil || s.Rows != 0 || len(s.Common) != 0 {
		t.Errorf("an empty store: %+v", s)
	}
	for part := range 3 {
		insert(part, 3000)
	}
	def.Columns = append(def.Columns, ColumnDef{Kind: column.Bytes, Missing: later})
	tx = db.Begin(TxnOptions{})
	check(t, tx.AlterStore(def))
	commit(t, tx)
	insert(3, 2000)
	for c := range 3 {
		s := db.ColumnSummary(def.ID, c)
		if s.Rows != float64(rows) || s.Nulls != nulls[c] {
			t.Errorf("column %d: %v rows and %v NULLs of %d and %v", c, s.Rows, s.Nulls, rows, nulls[c])
		}
		if d := float64(len(truth[c])); s.Distinct < 0.9*d || s.Distinct > 1.1*d {
			t.Errorf("column %d: %v distinct values of %v", c, s.Distinct, d)
		}
		found := map[string]bool{}
		for i, v := range s.Common {
			name := string(appendValue(nil, v.Value))
			found[name] = true
			if n := truth[c][name]; n < v.Least || n > v.Most || n > 100 && (v.Rows < 0.8*n || v.Rows > 1.25*n) {
				t.Errorf("column %d: %q is in %v rows: %v to %v, about %v", c, name, n, v.Least, v.Most, v.Rows)
			}
			if math.Abs(s.Shares[i]*float64(rows)-v.Rows) > 1e-6 {
				t.Errorf("column %d: %v of %d rows are a share of %v", c, v.Rows, rows, s.Shares[i])
			}
		}
		for name, n := range truth[c] {
			if n > float64(rows)/32 && !found[name] {
				t.Errorf("column %d: %q in %v rows is not found", c, name, n)
			}
		}
	}
	if again := db.ColumnSummary(def.ID, 1); again != db.ColumnSummary(def.ID, 1) || again.Width < 5 || again.Width > 12 {
		t.Errorf("%+v", again)
	}
	if db.ColumnSummary(def.ID, 3) != nil || db.ColumnSummary(db.NewStoreID(), 0) != nil {
		t.Error("something is known of what is not there")
	}
}
