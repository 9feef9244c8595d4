package engine

import (
	"encoding/binary"
	"fmt"
	"path"
	"strings"
	"testing"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/internal/event"
	"github.com/omendb/omendb/internal/vfs"
)

const (
	damagedParts = 3
	damagedRows  = 3000 // of a part
)

// damagedDB makes a store of three disjoint segments and a small other one,
// all in files, and returns the segments in the order of keys.
func damagedDB(t *testing.T, fs vfs.FS) (parts []SegmentStats, large, small StoreID) {
	t.Helper()
	db, err := openOn(t, fs, nil)
	check(t, err)
	large, small = makeStore(t, db), makeStore(t, db)
	for p := range damagedParts {
		tx := db.Begin(TxnOptions{})
		for i := range damagedRows {
			n := p*damagedRows + i
			check(t, tx.Insert(ctx, large, key(n), row(n, strings.Repeat("x", n%50))))
		}
		commit(t, tx)
		check(t, db.Flush(ctx)) // behind all others: it goes beside them
	}
	tx := db.Begin(TxnOptions{})
	check(t, tx.Insert(ctx, small, key(1), row(1, "small")))
	commit(t, tx)
	check(t, db.Flush(ctx))
	parts = db.StoreStats(large).Segments
	if len(parts) != damagedParts {
		t.Fatalf("%d segments", len(parts))
	}
	check(t, db.Close())
	return parts, large, small
}

// trailerOf returns the last 40 bytes of a segment file, its footer's place first.
func trailerOf(t *testing.T, fs vfs.FS, name string, size int64) []byte {
	t.Helper()
	f, err := fs.Open(name)
	check(t, err)
	b := make([]byte, 40)
	_, err = f.ReadAt(b, size-40)
	check(t, err)
	check(t, f.Close())
	return b
}

// TestDamagedSegmentsDoNotKeepFromStarting damages one kind of bytes of one of three segments of a store, in turn: the
// database opens, reads that need what is damaged fail with its file, offset and store, all other rows are read and
// written, and the damage is listed.
func TestDamagedSegmentsDoNotKeepFromStarting(t *testing.T) {
	kinds := []struct {
		name  string
		whole bool                                   // no row of the segment can be read
		place func(size, footer, length int64) int64 // of the damaged byte
	}{
		{"header", true, func(_, _, _ int64) int64 { return 3 }},
		{"block", false, func(_, footer, _ int64) int64 { return footer / 2 }},
		{"statistics", true, func(_, footer, _ int64) int64 { return footer + 5 }},
		{"fences", true, func(_, footer, length int64) int64 { return footer + length/2 }},
		{"model", true, func(_, footer, length int64) int64 { return footer + length - 1 }},
		{"trailer", true, func(size, _, _ int64) int64 { return size - 30 }},
		{"magic number", true, func(size, _, _ int64) int64 { return size - 2 }},
	}
	for part := range damagedParts {
		for _, kind := range kinds {
			t.Run(fmt.Sprintf("%s of part %d", kind.name, part), func(t *testing.T) {
				fs := vfs.NewMem(1)
				parts, large, small := damagedDB(t, fs)
				file := path.Join("db", segmentDir, parts[part].Name)
				end := trailerOf(t, fs, file, parts[part].Bytes)
				flip(t, fs, file, kind.place(parts[part].Bytes, int64(binary.LittleEndian.Uint64(end)), int64(binary.LittleEndian.Uint32(end[8:]))))
				var h heard
				db, err := openOn(t, fs, func(o *Options) { o.Events = h.sink(event.Corruption) })
				check(t, err)
				defer db.Close()
				readAround(t, db, large, small, part, kind.whole, file)
				if !kind.whole {
					return
				}
				if found := db.ScrubStatus().Damage; len(found) != 1 || found[0].File != path.Join(segmentDir, parts[part].Name) || found[0].Store != large || found[0].Name != "t" {
					t.Errorf("damage %+v", found)
				}
				if events := h.all(); len(events) != 1 || !strings.Contains(events[0].Detail, "at start") {
					t.Errorf("events %+v", events)
				}
				if err := db.Verify(ctx, nil); !isDamage(err) || !strings.Contains(err.Error(), parts[part].Name) {
					t.Errorf("verify: %v", err)
				}
			})
		}
	}
}

// readAround reads all parts of a store in all ways.
func readAround(t *testing.T, db *DB, large, small StoreID, bad int, whole bool, file string) {
	t.Helper()
	named := func(what string, err error) {
		t.Helper()
		if c, ok := Corruption(err); !ok || c.Store != large || c.File != file || c.Detail == "" {
			t.Errorf("%s: %v", what, err)
		}
	}
	tx := db.Begin(TxnOptions{})
	defer func() { check(t, tx.Rollback()) }()
	snap := tx.Snapshot()
	defer snap.Close()
	dst := make([]column.Datum, 2)
	if ok, err := snap.Get(small, key(1), nil, dst); !ok || err != nil {
		t.Errorf("the other store: %v, %v", ok, err)
	}
	failed := 0
	var b column.Batch
	found := make([]bool, 1)
	for p := range damagedParts {
		for i := range damagedRows {
			n := p*damagedRows + i
			ok, err := snap.Get(large, key(n), nil, dst)
			berr := snap.GetBatch(large, [][]byte{key(n)}, nil, &b, found)
			if p != bad {
				if !ok || err != nil || berr != nil || !found[0] || dst[0].I != int64(n) {
					t.Fatalf("row %d of part %d: %v, %v, %v", i, p, ok, err, berr)
				}
				continue
			}
			if (err == nil) != (berr == nil) {
				t.Fatalf("row %d: %v, %v", n, err, berr)
			}
			if err != nil {
				named("get", err)
				named("batch", berr)
				failed++
			}
		}
		// Keys between two segments could be in the damaged one.
		lower, upper := key(p*damagedRows), append(key((p+1)*damagedRows-1), 0)
		for _, reverse := range []bool{false, true} {
			n, err := scanned(snap, large, ScanOptions{Lower: lower, Upper: upper, Reverse: reverse})
			if p == bad {
				named("scan", err)
			} else if err != nil || n != damagedRows {
				t.Errorf("scan of part %d: %d rows, %v", p, n, err)
			}
		}
		if p == bad && whole {
			_, err := snap.Count(large, lower, upper)
			named("count", err)
		}
	}
	if failed == 0 || whole && failed != damagedRows {
		t.Errorf("%d rows cannot be read", failed)
	}
	_, err := scanned(snap, large, ScanOptions{})
	named("scan of everything", err)
	good := (bad + 1) % damagedParts
	check(t, tx.Delete(large, key(good*damagedRows+5), nil))
	check(t, tx.Put(large, key(good*damagedRows+6), row(1, "changed")))
}

func scanned(snap *Snapshot, id StoreID, o ScanOptions) (n int, err error) {
	it := snap.Scan(id, o)
	defer it.Close()
	var b column.Batch
	for {
		ok, err := it.Next(&b)
		if err != nil || !ok {
			return n, err
		}
		n += b.Len()
	}
}
