package wal

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path"
	"testing"

	"github.com/omendb/omendb/internal/event"
	"github.com/omendb/omendb/internal/vfs"
)

var markPath = path.Join("wal", markName)

// forgetMark takes the mark beside the log away.
func forgetMark(t *testing.T, fs vfs.FS) {
	t.Helper()
	if err := fs.Remove(markPath); err != nil {
		t.Fatal(err)
	}
}

// killed returns the disk of a process that was killed after n acknowledged
// commits, and the newest log file's generation.
func killed(t *testing.T, n int) (*bench, *vfs.Mem, uint32) {
	t.Helper()
	b := newBench(t, vfs.NewMem(1))
	b.open()
	for i := 1; i <= n; i++ {
		b.propose(body(i))
	}
	return b, b.fs.(*vfs.Mem).Clone(), b.log.Stats().Generation
}

func zero(from, to int64) func([]byte) []byte {
	return func(b []byte) []byte {
		clear(b[from:min(to, int64(len(b)))])
		return b
	}
}

// Whatever happens to the end of the log of a killed process is noticed, because
// the mark beside it knows how far it went.
func TestLostEndIsDetected(t *testing.T) {
	for _, n := range []int{1, 2, 7, 120} {
		b, disk, newest := killed(t, n)
		name := logName("wal", newest)
		starts := offsets(t, disk, name)
		records := len(starts) - 1
		cut := func(size int64) func([]byte) []byte { return func(b []byte) []byte { return b[:size] } }
		damages := map[string]func(*vfs.Mem){
			"newest file removed":        func(fs *vfs.Mem) { check(t, fs.Remove(name)) },
			"all files removed":          func(fs *vfs.Mem) { removeFrom(t, fs, 1, newest) },
			"newest two files removed":   func(fs *vfs.Mem) { removeFrom(t, fs, max(newest, 2)-1, newest) },
			"newest file empty":          func(fs *vfs.Mem) { change(t, fs, name, cut(0)) },
			"cut behind the header":      func(fs *vfs.Mem) { change(t, fs, name, cut(headerBytes)) },
			"all records zero":           func(fs *vfs.Mem) { change(t, fs, name, zero(headerBytes, 1<<20)) },
			"last record and all behind": func(fs *vfs.Mem) { change(t, fs, name, zero(starts[records-1], 1<<20)) },
		}
		for i, s := range starts[:records] {
			damages[fmt.Sprintf("cut at record %d", i)] = func(fs *vfs.Mem) { change(t, fs, name, cut(s)) }
			damages[fmt.Sprintf("cut in record %d", i)] = func(fs *vfs.Mem) { change(t, fs, name, cut(s+recordHeaderBytes+1)) }
			damages[fmt.Sprintf("bit of record %d", i)] = func(fs *vfs.Mem) { change(t, fs, name, flip(s+recordHeaderBytes-3)) }
		}
		for what, damage := range damages {
			fs := disk.Clone()
			damage(fs)
			b.opts.FS = fs
			var found *CorruptionError
			if err := b.openAndReplay(); !errors.As(err, &found) || found.File == "" {
				t.Errorf("%d records, %s: %v", n, what, err)
			}
		}
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func removeFrom(t *testing.T, fs *vfs.Mem, from, to uint32) {
	t.Helper()
	for gen := from; gen <= to; gen++ {
		check(t, fs.Remove(logName("wal", gen)))
	}
}

// Without the mark, or with a damaged one, a log that is whole opens.
func TestDamagedMarkIsOnlyLessEvidence(t *testing.T) {
	b, disk, _ := killed(t, 20)
	told := 0
	b.opts.Events = func(e event.Event) {
		if e.Name == event.Corruption && e.File == markPath {
			told++
		}
	}
	rng := rand.New(rand.NewPCG(4, 4))
	for i := range 60 {
		fs := disk.Clone()
		want := 0
		switch {
		case i == 0:
			forgetMark(t, fs)
		case i == 1:
			change(t, fs, markPath, func([]byte) []byte { return nil })
		case i < 20:
			want = 1
			change(t, fs, markPath, flip(rng.Int64N(markBytes)))
			change(t, fs, markPath, flip(markSlot+rng.Int64N(markBytes)))
		default:
			change(t, fs, markPath, flip(rng.Int64N(2*markSlot)))
		}
		b.opts.FS, told = fs, 0
		if err := b.openAndReplay(); err != nil || b.log.Last() != 20 || told != want {
			t.Fatalf("try %d: %v, the log ends with %d, told %d times", i, err, b.log.Last(), told)
		}
		b.propose("goes on") // and the mark is kept again
		check(t, b.log.Close())
		change(t, fs, logName("wal", b.log.Stats().Generation), zero(headerBytes, 1<<20))
		var found *CorruptionError
		if err := b.openAndReplay(); !errors.As(err, &found) {
			t.Fatalf("try %d: then an end that is lost: %v", i, err)
		}
	}
}

// What is given up on purpose is no damage: by TruncateSuffix, though a crash
// comes before its mark, by Cut, and when files of an older state are put back.
func TestMarkOfWhatWasGivenUp(t *testing.T) {
	b, disk, _ := killed(t, 50)
	old, err := vfs.ReadFile(disk, markPath)
	check(t, err)
	b.reopen(disk.Clone())
	check(t, b.log.TruncateSuffix(30))
	truncated := b.fs.(*vfs.Mem).Clone()
	check(t, vfs.WriteFile(truncated, markPath, old))
	b.reopen(truncated)
	if b.log.Last() != 30 {
		t.Fatalf("the truncated log ends with %d", b.log.Last())
	}
	cut := disk.Clone()
	check(t, Cut(cut, "wal", 30, "kept"))
	if _, err := cut.Stat(path.Join("kept", markName)); err != nil {
		t.Errorf("the mark was not kept: %v", err)
	}
	b.reopen(cut)
	if b.log.Last() != 30 {
		t.Fatalf("the cut log ends with %d", b.log.Last())
	}
	_, other, _ := killed(t, 5)
	old, err = vfs.ReadFile(other, markPath)
	check(t, err)
	f, err := readHeader(other, "wal", 1)
	check(t, err)
	change(t, other, f.name, func(p []byte) []byte { // another history's file
		f.salt++
		return append(f.encodeHeader(), make([]byte, len(p)-headerBytes)...)
	})
	check(t, vfs.WriteFile(other, markPath, old))
	b.reopen(other)
	if b.log.Last() != 0 {
		t.Fatalf("the log ends with %d", b.log.Last())
	}
}
