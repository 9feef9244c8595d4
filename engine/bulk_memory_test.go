package engine

import (
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/omendb/omendb/internal/vfs"
)

// anonymousBytes is the memory of this process besides the pages of files, 0 where the system does not tell.
func anonymousBytes() (n int64) {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if name, value, _ := strings.Cut(line, ":"); name == "RssAnon" || name == "RssShmem" {
			kb, _ := strconv.ParseInt(strings.Fields(value)[0], 10, 64) // a number, or the kernel is another
			n += kb << 10
		}
	}
	return n
}

// TestBulkLoadKeepsItsBudget loads 28 times the buffer in random order: what
// is held stays near the buffer, in the load and in the merge at its end, and
// the rows are all there, in order.
func TestBulkLoadKeepsItsBudget(t *testing.T) {
	if testing.Short() {
		t.Skip("memory under the race detector is another one")
	}
	const budget, rows, limit = 2 << 20, 300_000, 30 << 20 // 57 MB of rows
	db, err := openOn(t, vfs.OS(), func(o *Options) { o.Dir, o.BulkBufferBytes, o.CacheBytes = t.TempDir(), budget, 4<<20 })
	check(t, err)
	id := makeStore(t, db)
	tx := db.Begin(TxnOptions{})
	b, err := tx.Bulk(id)
	check(t, err)
	runtime.GC()
	before, peak := anonymousBytes(), int64(0)
	text := strings.Repeat("x", 180)
	slot := row(0, text)
	for i, k := range rand.New(rand.NewPCG(7, 8)).Perm(rows) {
		slot[0].I = int64(k)
		check(t, b.Append(key(k), slot))
		if i%5000 == 0 {
			peak = max(peak, anonymousBytes()-before)
			if n := b.buf.Bytes(); n > budget+4<<10 {
				t.Fatalf("the buffer has %d bytes", n)
			}
		}
	}
	if len(b.runs) < 20 {
		t.Errorf("%d runs", len(b.runs))
	}
	check(t, b.Finish(ctx))
	if peak = max(peak, anonymousBytes()-before); peak > limit {
		t.Errorf("%d MB more than before", peak>>20)
	}
	commit(t, tx)
	s := db.Begin(TxnOptions{}).Snapshot()
	if n, ok, err := s.CountByRank(id, nil, nil); n != rows || !ok || err != nil {
		t.Errorf("%d rows, by rank %v, %v", n, ok, err)
	}
	s.Close()
	check(t, db.Close())
}
