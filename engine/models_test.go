package engine

import (
	"testing"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/segment"
	"github.com/omendb/omendb/internal/vfs"
)

// TestLookupsOfSegmentsAreCounted reads in every way that searches the fences, and looks at the segment's counters.
func TestLookupsOfSegmentsAreCounted(t *testing.T) {
	db, large, _ := scrubDB(t, vfs.NewMem(1), func(*Options) {})
	defer db.Close()
	usage := func() (u segment.Usage) {
		for _, g := range db.StoreStats(large).Segments {
			u.Lookups += g.Lookups
			u.Mispredictions += g.Mispredictions
		}
		return u
	}
	before := usage()
	tx := db.Begin(TxnOptions{})
	s := tx.Snapshot()
	dst := make([]column.Datum, 2)
	for i := range 10 {
		if ok, err := s.Get(large, key(i*100), nil, dst); err != nil || !ok {
			t.Fatal(ok, err)
		}
	}
	if got := usage(); got != before {
		t.Errorf("counted before the snapshot ends: %+v", got)
	}
	var keys [][]byte
	for i := range 40 {
		keys = append(keys, key(i*50))
	}
	var b column.Batch
	check(t, s.GetBatch(large, keys, nil, &b, make([]bool, len(keys))))
	it := s.Scan(large, ScanOptions{Lower: key(10), Upper: key(20)})
	_, err := it.Next(&b)
	check(t, err)
	it.Close()
	n, err := s.Count(large, key(100), key(900))
	check(t, err)
	s.Close()
	got := usage()
	if n != 800 || got.Lookups != before.Lookups+10+40+2+2 || got.Mispredictions > got.Lookups {
		t.Errorf("%d rows, before %+v, after %+v", n, before, got)
	}
}
