package wal

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/omendb/omendb/internal/vfs"
)

// change edits a file in place, durably.
func change(t testing.TB, fs vfs.FS, name string, edit func(b []byte) []byte) {
	t.Helper()
	b, err := vfs.ReadFile(fs, name)
	if err != nil {
		t.Fatal(err)
	}
	if err := vfs.WriteFile(fs, name, edit(b)); err != nil {
		t.Fatal(err)
	}
}

func flip(at int64) func([]byte) []byte {
	return func(b []byte) []byte { b[at] ^= 0x40; return b }
}

// offsets returns where the records of a file start, and where they end.
func offsets(t testing.TB, fs vfs.FS, name string) []int64 {
	t.Helper()
	out := []int64{headerBytes}
	_, err := Inspect(fs, name, func(r *Record) error {
		out = append(out, out[len(out)-1]+frameBytes(len(r.Body)))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// written returns a bench whose closed log holds n records in fs.
func written(t testing.TB, n int) *bench {
	b := newBench(t, vfs.NewMem(1))
	b.open()
	for i := 1; i <= n; i++ {
		b.propose(body(i))
	}
	if err := b.log.Close(); err != nil {
		t.Fatal(err)
	}
	return b
}

// openAndReplay reads the whole log and returns the error that stops it.
func (b *bench) openAndReplay() error {
	if err := b.tryOpen(); err != nil {
		return err
	}
	return b.log.Replay(b.log.First(), func(*Record) error { return nil })
}

// Every byte of every record of a cleanly closed log is covered: whichever is
// damaged, the file and the record's offset are named.
func TestDamageAnywhereIsDetected(t *testing.T) {
	b := written(t, 120)
	mem := b.fs.(*vfs.Mem)
	rng := rand.New(rand.NewPCG(1, 2))
	newest := b.log.Stats().Generation
	for gen := uint32(1); gen <= newest; gen++ {
		name := logName("wal", gen)
		starts := offsets(t, mem, name)
		for try := range 60 {
			at := headerBytes + rng.Int64N(starts[len(starts)-1]-headerBytes)
			var want int64
			for _, s := range starts {
				if s <= at {
					want = s
				}
			}
			fs := mem.Clone()
			change(t, fs, name, flip(at))
			b.opts.FS = fs
			var damage *CorruptionError
			if err := b.openAndReplay(); !errors.As(err, &damage) {
				t.Fatalf("try %d: %s damaged at %d: %v", try, name, at, err)
			} else if damage.File != name || damage.Offset != want {
				t.Fatalf("damage at %d of %s was reported as %v", at, name, err)
			}
		}
	}
}

// What the log cannot know, the engine can: its manifest has seen the records.
func TestDamageBelowMinDurable(t *testing.T) {
	b := newBench(t, vfs.NewMem(1))
	b.open()
	for i := 1; i <= 10; i++ {
		b.propose(body(i))
	}
	starts := offsets(t, b.fs, logName("wal", 1))
	fs := b.fs.(*vfs.Mem).Clone()
	change(t, fs, logName("wal", 1), flip(starts[9]+50)) // the last record
	forgetMark(t, fs)
	b.opts.FS = fs
	b.opts.MinDurable = 10
	var damage *CorruptionError
	if err := b.openAndReplay(); !errors.As(err, &damage) || damage.LSN != 10 {
		t.Fatalf("got %v", err)
	}
	b.opts.MinDurable = 0
	b.open()
	if last := b.log.Last(); last != 9 {
		t.Fatalf("without evidence the log ends with %d, want 9", last)
	}
}

// A valid record behind a torn one must never follow on what is written in the
// torn one's place.
func TestTornTailDoesNotResurrect(t *testing.T) {
	b := newBench(t, vfs.NewMem(1))
	b.open()
	const text = "sixteen bytes...."
	for range 3 {
		if _, err := b.log.Propose(bg, KindCommit, []byte(text), nil, true); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.log.join(bg, &waiter{what: wantWrite, done: make(chan struct{}, 1)}); err != nil {
		t.Fatal(err)
	}
	name := logName("wal", 1)
	starts := offsets(t, b.fs, name)
	fs := b.fs.(*vfs.Mem).Clone()
	change(t, fs, name, flip(starts[1]+50)) // record 2 of an unsynced batch is torn, 3 is whole
	b.reopen(fs)
	if last := b.log.Last(); last != 1 {
		t.Fatalf("the log ends with %d, want 1", last)
	}
	b.propose(text) // takes exactly the room of the torn record
	b.reopen(fs.Clone())
	equal(t, b.replay(1), []string{text, text})
}

func TestHeaderDamage(t *testing.T) {
	rehash := func(b []byte) []byte {
		binary.LittleEndian.PutUint32(b[headerCRC:], crc32.Checksum(b[:headerCRC], castagnoli))
		return b
	}
	for _, c := range []struct {
		name string
		edit func([]byte) []byte
		want string
	}{
		{"short", func(b []byte) []byte { return b[:20] }, "shorter than its header"},
		{"empty", func(b []byte) []byte { return nil }, "shorter than its header"},
		{"foreign", func(b []byte) []byte { copy(b, "PK\x03\x04"); return b }, "does not start as a log file"},
		{"bit", flip(30), "checksum"},
		{"generation", func(b []byte) []byte { b[12] = 77; return rehash(b) }, "generation 77"},
		{"newer", func(b []byte) []byte { b[8] = 9; return rehash(b) }, "format version 9, this server reads versions up to 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := written(t, 5)
			change(t, b.fs, logName("wal", 1), c.edit)
			err := b.tryOpen()
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			var version *VersionError
			if errors.As(err, &version) != (c.name == "newer") {
				t.Fatalf("wrong class: %v", err)
			}
		})
	}
}

func TestNewerRecordIsRefused(t *testing.T) {
	b := written(t, 5)
	f, err := readHeader(b.fs, "wal", 1)
	if err != nil {
		t.Fatal(err)
	}
	starts := offsets(t, b.fs, f.name)
	change(t, b.fs, f.name, func(p []byte) []byte {
		rec := p[starts[2]:starts[3]]
		rec[13] = FormatVersion + 1
		binary.LittleEndian.PutUint32(rec, crc32.Update(f.seed, castagnoli, rec[4:]))
		return p
	})
	var version *VersionError
	if err := b.tryOpen(); !errors.As(err, &version) || version.Version != FormatVersion+1 {
		t.Fatalf("got %v", err)
	}
}

// noMark stands for the mark among the files to remove.
const noMark = math.MaxUint32

func TestMissingFiles(t *testing.T) {
	b := written(t, 200)
	mem := b.fs.(*vfs.Mem)
	newest := b.log.Stats().Generation
	for _, c := range []struct {
		name   string
		remove []uint32
		from   LSN
		min    LSN
		want   string
	}{
		{"middle", []uint32{3}, 1, 0, "is missing between"},
		{"oldest", []uint32{1}, 1, 0, "no longer kept"},
		{"newest", []uint32{newest}, 1, 200, "but record 200 was durable"},
		{"newest, nothing known of it", []uint32{newest}, 1, 0, "the file is missing, but record 200 was durable"},
		{"newest, replay from its records", []uint32{newest, noMark}, 200, 0, "the log ends before record 200"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fs := mem.Clone()
			for _, gen := range c.remove {
				if gen == noMark {
					forgetMark(t, fs)
				} else if err := fs.Remove(logName("wal", gen)); err != nil {
					t.Fatal(err)
				}
			}
			b.opts.FS, b.opts.MinDurable = fs, c.min
			err := b.tryOpen()
			if err == nil {
				err = b.log.Replay(c.from, func(*Record) error { return nil })
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
		})
	}
	b.opts.FS, b.opts.MinDurable = vfs.NewMem(1), 7
	var damage *CorruptionError
	if err := b.tryOpen(); !errors.As(err, &damage) {
		t.Fatalf("an empty directory in place of a log: %v", err)
	}
}

// Bytes that look like records inside a user's value are only bytes.
func TestRecordsInsideValues(t *testing.T) {
	b := newBench(t, vfs.NewMem(1))
	b.open()
	b.propose("first")
	f, err := readHeader(b.fs, "wal", 1)
	if err != nil {
		t.Fatal(err)
	}
	// A client who knows everything but the salt stores a record that claims
	// that record 2, the one that holds it, was durable.
	forged := appendRecord(nil, &Record{LSN: 9, Generation: 1, DurableUpTo: 8, Kind: KindCommit, Body: []byte("x")}, crcSeed(f.salt+1, 1))
	b.propose(string(forged))
	starts := offsets(t, b.fs, f.name)
	fs := b.fs.(*vfs.Mem).Clone()
	change(t, fs, f.name, flip(starts[1])) // and a crash tears it
	forgetMark(t, fs)
	b.reopen(fs)
	if last := b.log.Last(); last != 1 {
		t.Fatalf("the log ends with %d, want 1", last)
	}
}
