package engine

import (
	"bytes"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/omendb/omendb/internal/event"
	"github.com/omendb/omendb/internal/vfs"
)

// heard collects events of one name.
type heard struct {
	mu   sync.Mutex
	list []event.Event
}

func (h *heard) sink(name event.Name) event.Sink {
	return func(e event.Event) {
		if e.Name == name {
			h.mu.Lock()
			h.list = append(h.list, e)
			h.mu.Unlock()
		}
	}
}

func (h *heard) all() []event.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]event.Event(nil), h.list...)
}

// scrubRound waits for the end of a round.
func scrubRound(t *testing.T, db *DB) ScrubStatus {
	t.Helper()
	db.SetScrubRate(1 << 40)
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if s := db.ScrubStatus(); s.Rounds > 0 {
			return s
		}
	}
	t.Fatal("no round of the scrub ended")
	return ScrubStatus{}
}

// flip changes one byte of a file.
func flip(t *testing.T, fs vfs.FS, name string, off int64) {
	t.Helper()
	f, err := fs.OpenReadWrite(name)
	check(t, err)
	var b [1]byte
	_, err = f.ReadAt(b[:], off)
	check(t, err)
	b[0] ^= 0x40
	_, err = f.WriteAt(b[:], off)
	check(t, err)
	check(t, f.Close())
}

// scrubDB returns a database with two flushed stores; the first has many blocks.
func scrubDB(t *testing.T, fs vfs.FS, change func(*Options)) (db *DB, large, small StoreID) {
	t.Helper()
	db, err := openOn(t, fs, change)
	check(t, err)
	large, small = makeStore(t, db), makeStore(t, db)
	tx := db.Begin(TxnOptions{})
	for i := range 5000 {
		check(t, tx.Insert(ctx, large, key(i), row(i, strings.Repeat("x", i%50))))
	}
	check(t, tx.Insert(ctx, small, key(1), row(1, "small")))
	commit(t, tx)
	check(t, db.Flush(ctx))
	return db, large, small
}

// TestScrubFindsDamage damages one byte in the middle of a segment: the scrub names file, store and keys, reads of the
// rows there fail with the store's number, all other rows are there.
func TestScrubFindsDamage(t *testing.T) {
	fs := vfs.NewMem(1)
	var h heard
	db, large, small := scrubDB(t, fs, func(o *Options) { o.CacheBytes = 1 << 20; o.Events = h.sink(event.Corruption) })
	defer db.Close()
	segments := db.StoreStats(large).Segments
	if len(segments) != 1 {
		t.Fatalf("%d segments", len(segments))
	}
	file := path.Join("db", segmentDir, segments[0].Name)
	flip(t, fs, file, segments[0].Bytes/2)
	s := scrubRound(t, db)
	if len(s.Damage) != 1 || s.Done != s.Total || s.Total < segments[0].Bytes || s.LastFinished.IsZero() {
		t.Fatalf("status %+v", s)
	}
	d := s.Damage[0]
	if d.File != path.Join(segmentDir, segments[0].Name) || d.Store != large || d.Name == "" || !isDamage(d.Err) || bytes.Compare(d.Min, d.Max) >= 0 {
		t.Errorf("damage %+v", d)
	}
	if events := h.all(); len(events) != 1 || events[0].Store != uint64(large) || !strings.Contains(events[0].Detail, "keys") {
		t.Errorf("events %+v", events)
	}
	snap := db.Begin(TxnOptions{}).Snapshot()
	defer snap.Close()
	failed := 0
	for i := range 5000 {
		ok, err := snap.Get(large, key(i), nil, row(0, ""))
		inside := bytes.Compare(key(i), d.Min) > 0 && bytes.Compare(key(i), d.Max) < 0
		switch c, is := Corruption(err); {
		case is && inside && c.Store == large:
			failed++
		case err != nil || !ok:
			t.Fatalf("key %d, inside %v: %v, %v", i, inside, ok, err)
		}
	}
	if failed == 0 || failed > 2000 {
		t.Errorf("%d keys cannot be read", failed)
	}
	if got := contents(t, snap, small); len(got) != 1 {
		t.Errorf("the other store has %d rows", len(got))
	}
}

// isDamage reports whether an error tells of damage.
func isDamage(err error) bool { _, ok := Corruption(err); return ok }

// TestScrubOfGoodFiles finds nothing, can be stopped, and goes round again.
func TestScrubOfGoodFiles(t *testing.T) {
	db, large, _ := scrubDB(t, vfs.NewMem(1), nil)
	if s := scrubRound(t, db); len(s.Damage) != 0 || s.Rounds == 0 {
		t.Errorf("status %+v", s)
	}
	db.SetScrubRate(0)
	tx := db.Begin(TxnOptions{})
	check(t, tx.Insert(ctx, large, key(9000), row(9000, "more")))
	commit(t, tx)
	db.SetScrubRate(1)
	check(t, db.Close())
	db.SetScrubRate(1 << 20) // too late, and harmless
	o := db.opts
	o.ScrubRate = 1 // far too slow to end before Close
	again, err := Open(o)
	check(t, err)
	check(t, again.Close())
	if s := again.ScrubStatus(); s.Rate != 1 || s.Rounds != 0 {
		t.Errorf("status %+v", s)
	}
}

// TestScrubOfTheFrame damages what holds no rows: the footer.
func TestScrubOfTheFrame(t *testing.T) {
	fs := vfs.NewMem(1)
	db, large, _ := scrubDB(t, fs, nil)
	defer db.Close()
	g := db.StoreStats(large).Segments[0]
	flip(t, fs, path.Join("db", segmentDir, g.Name), g.Bytes-60)
	flip(t, fs, path.Join("db", manifestName), 30)
	s := scrubRound(t, db)
	if len(s.Damage) != 2 || !bytes.Equal(s.Damage[0].Min, g.Info.MinKey) || !bytes.Equal(s.Damage[0].Max, g.Info.MaxKey) || s.Damage[1].File != manifestName {
		t.Errorf("damage %+v", s.Damage)
	}
}

// TestInspectNamesKeys finds two damaged stretches of one file offline.
func TestInspectNamesKeys(t *testing.T) {
	fs := vfs.NewMem(1)
	db, large, _ := scrubDB(t, fs, nil)
	g := db.StoreStats(large).Segments[0]
	o := db.opts
	check(t, db.Close())
	file := path.Join("db", segmentDir, g.Name)
	flip(t, fs, file, g.Bytes/5)
	flip(t, fs, file, g.Bytes/5*3)
	var found []Damage
	_, err := Inspect(ctx, o, func(d Damage) { found = append(found, d) }, nil)
	check(t, err)
	if len(found) != 2 || found[0].Store != large || bytes.Compare(found[0].Max, found[1].Min) > 0 || bytes.Equal(found[0].Min, g.Info.MaxKey) {
		t.Errorf("found %+v", found)
	}
}
