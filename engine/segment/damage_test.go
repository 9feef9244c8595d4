package segment

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"path"
	"strings"
	"syscall"
	"testing"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/segment/cache"
	"github.com/omendb/omendb/internal/vfs"
)

// readFile returns the content of a segment.
func (w *world) readFile(name string) []byte {
	w.t.Helper()
	f, err := w.fs.Open(path.Join(testDir, name))
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	n, err := f.Size()
	if err != nil {
		w.t.Fatal(err)
	}
	b := make([]byte, n)
	if _, err := f.ReadAt(b, 0); err != nil {
		w.t.Fatal(err)
	}
	return b
}

func (w *world) writeFile(name string, b []byte) {
	w.t.Helper()
	f, err := w.fs.Create(path.Join(testDir, name))
	if err == nil {
		_, err = f.WriteAt(b, 0)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// readEverything reads a segment in every way and fails the test for any
// answer that is neither right nor a corruption error. It reports damage found.
func readEverything(t *testing.T, w *world, name string, s shape, vs []version) (damaged bool) {
	t.Helper()
	r, err := Open(w.fs, testDir, name, w.cache, OpenOptions{})
	if err != nil {
		if !IsCorruption(err) {
			t.Fatal("open:", err)
		}
		return true
	}
	defer func() { _ = r.Close() }()
	seen := visible(vs, 99998)
	cols := allColumns(len(s.kinds))
	dst := make([]column.Datum, len(cols))
	o := &ReadOptions{Snapshot: 99998, Cols: cols}
	for i := 0; i < len(vs); i += 1 + len(vs)/50 {
		res, err := r.Get(vs[i].key, dst, o)
		if err != nil {
			if !IsCorruption(err) {
				t.Fatal("get:", err)
			}
			damaged = true
			continue
		}
		checkResult(t, s.kinds, vs[i].key, res, find(seen, vs[i].key), func(c int) column.Datum { return dst[c] })
	}
	it := r.Iter(IterOptions{Snapshot: 99998, Cols: cols, Prune: func([]Zone) bool { return false }})
	defer it.Close()
	var b column.Batch
	at := 0
	for {
		ok, err := it.Next(&b)
		if err != nil {
			if !IsCorruption(err) {
				t.Fatal("scan:", err)
			}
			damaged = true
			break
		}
		if !ok {
			break
		}
		for i := range b.Len() {
			p := b.Row(i)
			for c, k := range s.kinds {
				if !sameDatum(k, b.Cols[c].Datum(p), seen[at].row[c]) {
					t.Fatalf("scan: row %d column %d is wrong", at, c)
				}
			}
			at++
		}
	}
	if err := r.Verify(context.Background(), nil); err != nil {
		if !IsCorruption(err) {
			t.Fatal("verify:", err)
		}
		damaged = true
	}
	return damaged
}

func TestDamageIsFoundAndNeverAnswered(t *testing.T) {
	for _, s := range shapes {
		t.Run(s.name, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(31, 7))
			vs := s.make(rnd, 700)
			w := newWorld(t, 64<<10)
			info := w.write(s.kinds, vs, WriterOptions{BlockBytes: 500})
			good := w.readFile(info.Name)
			if readEverything(t, w, info.Name, s, vs) {
				t.Fatal("damage found in a good segment")
			}
			for range 60 {
				bad := bytes.Clone(good)
				switch rnd.IntN(4) {
				case 0:
					bad = bad[:rnd.IntN(len(bad))]
				case 1:
					at := rnd.IntN(len(bad))
					copy(bad[at:], make([]byte, 512)) // a lost sector
				default:
					bad[rnd.IntN(len(bad))] ^= 1 << rnd.IntN(8)
				}
				w.writeFile(info.Name, bad)
				if damaged := readEverything(t, w, info.Name, s, vs); damaged == bytes.Equal(good, bad) {
					t.Fatalf("damaged: %v", damaged)
				}
			}
		})
	}
}

// TestForgedChecksumsNeverPanic damages blocks and footers and makes their
// checksums right again: parsing alone must keep readers safe.
func TestForgedChecksumsNeverPanic(t *testing.T) {
	for _, s := range shapes {
		rnd := rand.New(rand.NewPCG(32, 7))
		vs := s.make(rnd, 300)
		w := newWorld(t, 0)
		info := w.write(s.kinds, vs, WriterOptions{BlockBytes: 400})
		good := w.readFile(info.Name)
		r := w.open(info.Name, OpenOptions{})
		for range 150 {
			bad := bytes.Clone(good)
			lo, hi := r.fences.offset(0), r.fences.offset(0)+int64(r.fences.lengths[0])-crcSize
			if rnd.IntN(2) == 0 {
				lo, hi = int64(r.end), int64(len(bad)-trailerSize)
			}
			for range 1 + rnd.IntN(3) {
				bad[lo+rnd.Int64N(min(hi-lo, 300))] = byte(rnd.Uint32())
			}
			forge(bad, r, lo, hi)
			w.writeFile(info.Name, bad)
			readForged(t, w, info.Name, s)
		}
	}
}

func forge(bad []byte, r *Reader, lo, hi int64) {
	sum := crc32.Checksum(bad[lo:hi], castagnoli)
	put := func(at int64, x uint32) {
		for i := range int64(4) {
			bad[at+i] = byte(x >> (8 * i))
		}
	}
	if lo != int64(r.end) {
		put(hi, sum)
		return
	}
	put(hi+12, sum)
	put(hi+28, crc32.Checksum(bad[hi:hi+28], castagnoli))
}

// readForged reads everything; answers may be wrong, errors must be corruption.
func readForged(t *testing.T, w *world, name string, s shape) {
	check := func(err error) {
		if err != nil && !IsCorruption(err) {
			t.Fatal(err)
		}
	}
	r, err := Open(w.fs, testDir, name, w.cache, OpenOptions{})
	check(err)
	if err != nil {
		return
	}
	defer func() { _ = r.Close() }()
	check(r.Verify(context.Background(), nil))
	cols := allColumns(len(r.info.Schema.Columns))
	dst := make([]column.Datum, len(cols))
	for i := range 20 {
		_, err := r.Get(intKey(i*i), dst, &ReadOptions{Snapshot: 99998, Cols: cols})
		check(err)
		_, err = r.Rank(intKey(i*i), nil)
		check(err)
		r.EstimateRange(intKey(i), intKey(i*i))
	}
	for _, reverse := range []bool{false, true} {
		it := r.Iter(IterOptions{Snapshot: 99998, Cols: cols, Keys: true, Reverse: reverse, Lower: intKey(3)})
		var b column.Batch
		for ok := true; ok; {
			ok, err = it.Next(&b)
			check(err)
		}
		it.Close()
	}
}

func TestWriterReportsEveryFailingOperation(t *testing.T) {
	s := shapes[0]
	s.cell = func(r *rand.Rand, c, i int) column.Datum {
		return column.Datum{I: int64(r.Uint64()), B: fmt.Appendf(nil, "%x", r.Uint64())}
	}
	vs := s.make(rand.New(rand.NewPCG(1, 1)), 20000)
	w := newWorld(t, 0)
	w.fs.SetLimit(300 << 10)
	sw := NewWriter(w.fs, testDir, Schema{Columns: s.kinds}, WriterOptions{})
	var err error
	for _, v := range vs {
		if err = sw.Add(v.key, v.ts, v.deleted, v.successor, v.row); err != nil {
			break
		}
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("full disk: %v", err)
	}
	if _, err := sw.Finish(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("finish on a full disk: %v", err)
	}
	if names, _ := w.fs.List(testDir); len(names) != 0 {
		t.Errorf("left behind: %v", names)
	}
	if err := sw.Add(vs[0].key, 1, false, nil, vs[0].row); !errors.Is(err, errFinished) {
		t.Errorf("add after finish: %v", err)
	}
	w.fs.SetLimit(0)
	if _, err := NewWriter(w.fs, "nowhere", Schema{}, WriterOptions{}).Finish(); err == nil {
		t.Error("a writer in a missing directory finished")
	}
}

func TestOpenErrors(t *testing.T) {
	w := newWorld(t, 0)
	if _, err := Open(w.fs, testDir, "none.seg", w.cache, OpenOptions{}); err == nil || IsCorruption(err) {
		t.Errorf("missing file: %v", err)
	}
	w.writeFile("short.seg", []byte("OMENSEG"))
	_, err := Open(w.fs, testDir, "short.seg", w.cache, OpenOptions{})
	var c *CorruptionError
	if !errors.As(err, &c) || c.File != testDir+"/short.seg" || !strings.Contains(err.Error(), "at offset 7") {
		t.Errorf("short file: %v", err)
	}
}

func TestReadErrorIsNotCorruption(t *testing.T) {
	s := shapes[0]
	w := newWorld(t, 0)
	vs := s.make(rand.New(rand.NewPCG(1, 1)), 100)
	info := w.write(s.kinds, vs, WriterOptions{})
	broken := errors.New("medium error")
	r := &Reader{file: failingFile{broken}, path: "x", cache: cache.New(0), fences: w.open(info.Name, OpenOptions{}).fences, slots: make([]cache.Slot, info.Blocks), info: info, end: uint64(info.Size)}
	if _, err := r.Get(vs[0].key, nil, &ReadOptions{Snapshot: math.MaxUint64}); !errors.Is(err, broken) || IsCorruption(err) {
		t.Errorf("get: %v", err)
	}
	it := r.Versions(nil, nil)
	if it.Next() || !errors.Is(it.Err(), broken) {
		t.Errorf("versions: %v", it.Err())
	}
}

type failingFile struct{ err error }

func (f failingFile) ReadAt([]byte, int64) (int, error)  { return 0, f.err }
func (f failingFile) WriteAt([]byte, int64) (int, error) { return 0, f.err }
func (f failingFile) Close() error                       { return nil }
func (f failingFile) Sync() error                        { return f.err }
func (f failingFile) SyncData() error                    { return f.err }
func (f failingFile) Truncate(int64) error               { return f.err }
func (f failingFile) Preallocate(int64) error            { return f.err }
func (f failingFile) Size() (int64, error)               { return 0, f.err }

var _ vfs.File = failingFile{}
