package engine

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/omendb/omendb/internal/clock"
	"github.com/omendb/omendb/internal/task"
	"github.com/omendb/omendb/internal/vfs"
)

// openOn opens a database on a file system; the caller closes it.
func openOn(t testing.TB, fs vfs.FS, change func(*Options)) (*DB, error) {
	t.Helper()
	tasks := task.NewGoroutines(func(p *task.Panic) { panic(p) })
	t.Cleanup(tasks.Close)
	o := Options{FS: fs, Dir: "db", Clock: clock.System(), Tasks: tasks, Log: zerolog.Nop(), LogFileBytes: 1 << 16}
	if change != nil {
		change(&o)
	}
	return Open(o)
}

func TestReopenFindsEverything(t *testing.T) {
	fs := vfs.NewMem(1)
	db, err := openOn(t, fs, nil)
	check(t, err)
	id, seq := makeStore(t, db), db.NewStoreID()
	tx := db.Begin(TxnOptions{})
	check(t, tx.CreateSequence(seq, SequenceState{Last: 1}))
	check(t, tx.Insert(ctx, id, key(1), row(1, "a")))
	commit(t, tx)
	p := SequenceParams{Increment: 1, Min: 1, Max: 1000}
	last, err := db.SequenceNext(seq, p)
	check(t, err)
	tx = db.Begin(TxnOptions{})
	check(t, tx.Insert(ctx, id, key(2), row(2, "b")))
	xid := tx.XID()
	check(t, tx.Rollback())
	if _, err := openOn(t, fs, nil); !errors.Is(err, vfs.ErrLocked) {
		t.Fatalf("a second opening: %v", err)
	}
	check(t, db.Close())

	db, err = openOn(t, fs, nil)
	check(t, err)
	tx = db.Begin(TxnOptions{})
	s := tx.Snapshot()
	if got := contents(t, s, id); len(got) != 1 || got[1] != "a" {
		t.Fatal(got)
	}
	s.Close()
	if v, err := db.SequenceNext(seq, p); err != nil || v <= last || v > last+sequenceAhead+1 {
		t.Fatalf("after %d the sequence gives %d (%v)", last, v, err)
	}
	if x := tx.XID(); x <= xid {
		t.Fatalf("transaction number %d after %d", x, xid)
	}
	if n := db.NewStoreID(); n <= seq {
		t.Fatalf("store id %d after %d", n, seq)
	}
	check(t, tx.Rollback())
	check(t, db.Close())
}

// TestCrashKeepsAcknowledgedCommits crashes the file system again and again
// while transactions of several rows commit.
func TestCrashKeepsAcknowledgedCommits(t *testing.T) {
	fs := vfs.NewMem(7)
	db, err := openOn(t, fs, nil)
	check(t, err)
	id := makeStore(t, db)
	rng := rand.New(rand.NewPCG(1, 7))
	for round := range 60 {
		tx := db.Begin(TxnOptions{})
		for i := range 3 {
			check(t, tx.Insert(ctx, id, key(round*3+i), row(round*3+i, strings.Repeat("x", rng.IntN(300)))))
		}
		commit(t, tx)
		if round%6 != 0 {
			continue
		}
		crashed := fs.CrashClone(rng)
		after, err := openOn(t, crashed, nil)
		check(t, err)
		s := after.Begin(TxnOptions{}).Snapshot()
		got := contents(t, s, id)
		s.Close()
		if len(got) != (round+1)*3 {
			t.Fatalf("%d rows after %d commits of 3", len(got), round+1)
		}
		check(t, after.Close())
	}
	check(t, db.Close())
}

func TestManifestRefusals(t *testing.T) {
	m := &manifest{applied: 7, catalog: 9, xid: 3, store: 4, stores: []manifestStore{{def: twoColumns(5),
		segments: []manifestSegment{{name: "a.seg", level: 1, stamp: 3}}}}, sequences: []manifestSequence{{8, SequenceState{5, true}}}}
	good := m.encode()
	if got, err := decodeManifest(good); err != nil || got.stores[0].segments[0] != m.stores[0].segments[0] || got.catalog != 9 || got.sequences[0] != m.sequences[0] {
		t.Fatal(got, err)
	}
	for i := range good {
		bad := append([]byte(nil), good...)
		bad[i] ^= 0x40
		_, err := decodeManifest(bad)
		if _, ok := Corruption(err); !ok {
			t.Fatalf("damage at byte %d: %v", i, err)
		}
		if _, err := decodeManifest(good[:i]); err == nil {
			t.Fatalf("a manifest of %d bytes of %d passes", i, len(good))
		}
	}
	good[8] = manifestVersion + 1
	binary.LittleEndian.PutUint32(good[len(good)-4:], crc32.Checksum(good[:len(good)-4], castagnoli))
	var newer *VersionError
	if _, err := decodeManifest(good); !errors.As(err, &newer) {
		t.Fatal(err)
	}
}
