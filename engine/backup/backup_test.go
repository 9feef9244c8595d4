package backup

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"path"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/internal/clock"
	"github.com/omendb/omendb/internal/task"
	"github.com/omendb/omendb/internal/vfs"
)

var ctx = context.Background()

const store = engine.StoreID(1)

// database is an open engine in memory with one store of numbers.
type database struct {
	t     *testing.T
	fs    vfs.FS
	db    *engine.DB
	tasks *task.Goroutines
	next  int64
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, fs vfs.FS, dir string) *database {
	t.Helper()
	tasks := task.NewGoroutines(nil)
	db, err := engine.Open(engine.Options{FS: fs, Dir: dir, Clock: clock.System(), Tasks: tasks, Log: zerolog.Nop(), CacheBytes: 1 << 20,
		MemtableBytes: 16 << 10, LogFileBytes: 16 << 10, BulkMinBytes: 1 << 10, BulkBufferBytes: 4 << 10})
	check(t, err)
	return &database{t: t, fs: fs, db: db, tasks: tasks}
}

func fresh(t *testing.T, fs vfs.FS) *database {
	d := open(t, fs, "db")
	tx := d.db.Begin(engine.TxnOptions{})
	check(t, tx.CreateStore(engine.StoreDef{ID: store, Name: "numbers", Columns: []engine.ColumnDef{{Kind: column.Int}}}))
	_, err := tx.Commit(ctx)
	check(t, err)
	return d
}

func (d *database) close() {
	check(d.t, d.db.Close())
	d.tasks.Close()
}

// add inserts the next n numbers in one transaction, in bulk if there are many.
func (d *database) add(n int) engine.LSN {
	d.t.Helper()
	tx := d.db.Begin(engine.TxnOptions{})
	b, err := tx.Bulk(store)
	check(d.t, err)
	for range n {
		check(d.t, b.Append(binary.BigEndian.AppendUint64(nil, uint64(d.next)), []column.Datum{column.IntDatum(d.next)}))
		d.next++
	}
	check(d.t, b.Finish(ctx))
	lsn, err := tx.Commit(ctx)
	check(d.t, err)
	return lsn
}

// numbers returns how many numbers from 0 on there are; a gap fails the test.
func (d *database) numbers() (n int64) {
	d.t.Helper()
	tx := d.db.Begin(engine.TxnOptions{})
	defer tx.Rollback()
	s := tx.Snapshot()
	defer s.Close()
	it := s.Scan(store, engine.ScanOptions{})
	defer it.Close()
	var b column.Batch
	for {
		ok, err := it.Next(&b)
		check(d.t, err)
		if !ok {
			return n
		}
		for i := range b.Len() {
			if v := b.Cols[0].Datum(b.Row(i)).I; v != n {
				d.t.Fatalf("number %d where %d should stand", v, n)
			}
			n++
		}
	}
}

// backup writes a backup into a repository.
func (d *database) backup(id string, to Sink) (*Manifest, int64) {
	d.t.Helper()
	b, err := d.db.StartBackup(ctx)
	check(d.t, err)
	defer b.Close()
	m, copied, err := Write(ctx, b, Description{Label: id, Start: uint64(b.Start), Stop: uint64(b.Stop), Time: b.Time, Files: b.Files}, id, to, nil)
	check(d.t, err)
	return m, copied
}

// restored opens what a backup becomes and returns how many numbers it holds.
func restored(t *testing.T, fs vfs.FS, repo string, m *Manifest, to string, target Target) int64 {
	t.Helper()
	_, err := Restore(ctx, fs, repo, m, to, target, nil)
	check(t, err)
	d := open(t, fs, to)
	defer d.close()
	check(t, d.db.Verify(ctx, nil))
	return d.numbers()
}

// TestBackupUnderLoad takes backups while numbers are added: each is a prefix
// that contains what was acknowledged before it began.
func TestBackupUnderLoad(t *testing.T) {
	fs := vfs.NewMem(1)
	d := fresh(t, fs)
	var acked atomic.Int64
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				d.add([]int{1, 3, 200}[i%3])
				acked.Store(d.next)
				time.Sleep(time.Millisecond)
			}
		}
	}()
	var total, second int64
	for i := range 6 {
		for goal := int64(i+1) * 400; acked.Load() < goal; { // there is something to copy, and more than the time before
			time.Sleep(time.Millisecond)
		}
		before := acked.Load()
		m, copied := d.backup(fmt.Sprint("b", i), Dir{fs, "repo"})
		after := acked.Load()
		if got := restored(t, fs, "repo", m, fmt.Sprint("restored", i), Target{}); got < before || got > after+200 {
			t.Errorf("backup %d holds %d numbers; %d were acknowledged before it and %d after", i, got, before, after)
		}
		if total = m.Bytes(); i > 0 {
			second += copied
		}
	}
	close(stop)
	<-ended
	d.close()
	if second >= 5*total {
		t.Errorf("five more backups copied %d bytes, the last one has %d: they are not incremental", second, total)
	}
	list, err := List(fs, "repo")
	if err != nil || len(list) != 6 {
		t.Fatal(len(list), err)
	}
}

func TestOneFile(t *testing.T) {
	fs := vfs.NewMem(1)
	d := fresh(t, fs)
	d.add(500)
	var file bytes.Buffer
	to, err := NewTar(&file)
	check(t, err)
	d.backup("b", to)
	check(t, to.Close())
	d.close()
	check(t, Unpack(bytes.NewReader(file.Bytes()), "b.tar.zst", fs, "repo"))
	m, err := Choose(fs, "repo", "", Target{})
	check(t, err)
	if n := restored(t, fs, "repo", m, "again", Target{}); n != 500 {
		t.Fatalf("%d numbers of 500", n)
	}
	for _, end := range []int{0, 10, file.Len() / 2, file.Len() - 5} {
		dir := fmt.Sprint("cut", end)
		err := Unpack(bytes.NewReader(file.Bytes()[:end]), "b.tar.zst", fs, dir)
		if err == nil {
			_, err = Choose(fs, dir, "", Target{})
		}
		if err == nil {
			t.Errorf("a backup cut off at %d of %d bytes passes", end, file.Len())
		}
	}
	var invalid *InvalidError
	if err := Unpack(strings.NewReader("something else"), "x", fs, "else"); !errors.As(err, &invalid) {
		t.Error(err)
	}
}

// TestDamagedBackups flips a byte in every file, cuts files short and takes them away.
func TestDamagedBackups(t *testing.T) {
	mem := vfs.NewMem(1)
	d := fresh(t, mem)
	d.add(300)
	d.add(2)
	m, _ := d.backup("b", Dir{mem, "repo"})
	d.close()
	names := []string{"repo/b/BACKUP"}
	for _, f := range m.Files {
		if path.Dir(f.Name) == segmentDir {
			names = append(names, path.Join("repo", f.Name))
		} else {
			names = append(names, path.Join("repo/b", f.Name))
		}
	}
	for i, name := range names {
		for how, damage := range []func(f vfs.File, size int64) error{
			func(f vfs.File, size int64) error {
				b := make([]byte, 1)
				if _, err := f.ReadAt(b, size/2); err != nil {
					return err
				}
				b[0] ^= 0x10
				_, err := f.WriteAt(b, size/2)
				return err
			},
			func(f vfs.File, size int64) error { return f.Truncate(size - 1) },
			nil,
		} {
			fs := mem.Clone()
			if damage == nil {
				check(t, fs.Remove(name))
			} else {
				f, err := fs.OpenReadWrite(name)
				check(t, err)
				size, err := f.Size()
				check(t, err)
				check(t, damage(f, size))
				check(t, f.Close())
			}
			m, err := Choose(fs, "repo", "b", Target{})
			if err == nil {
				_, err = Restore(ctx, fs, "repo", m, "out", Target{}, nil)
			}
			var invalid *InvalidError
			if !errors.As(err, &invalid) || i > 0 && !strings.Contains(err.Error(), path.Base(name)) {
				t.Errorf("%s, damage %d: %v", name, how, err)
			}
		}
	}
	if _, err := Restore(ctx, mem, "repo", m, "repo", Target{}, nil); err == nil {
		t.Error("restored into a directory that is not empty")
	}
}

func TestDecodeRefusals(t *testing.T) {
	good := (&Manifest{Kind: kind, Format: formatVersion, Files: []File{{Name: "wal/1.wal", Bytes: 3}}}).encode()
	if _, err := Decode("BACKUP", good); err != nil {
		t.Fatal(err)
	}
	for _, m := range []Manifest{{Kind: "other", Format: 1}, {Kind: kind, Format: formatVersion + 1},
		{Kind: kind, Format: 1, Files: []File{{Name: "../etc/passwd"}}}, {Kind: kind, Format: 1, Files: []File{{Name: "wal/x", Bytes: -1}}}} {
		if _, err := Decode("BACKUP", m.encode()); err == nil {
			t.Errorf("%+v passes", m)
		}
	}
	if _, err := Decode("BACKUP", bytes.Replace(good, []byte(`"bytes": 3`), []byte(`"bytes": 4`), 1)); err == nil {
		t.Error("a changed description passes")
	}
}

// TestPointInTime restores to positions, times and labels behind a backup.
func TestPointInTime(t *testing.T) {
	fs := vfs.NewMem(1)
	d := fresh(t, fs)
	d.add(100)
	a := NewArchiver(d.db, fs, "repo")
	check(t, a.Round(ctx))
	m, _ := d.backup("b", Dir{fs, "repo"})
	type point struct {
		target Target
		want   int64
	}
	var points []point
	for i := range 8 {
		lsn := d.add([]int{3, 400}[i%2])
		label := fmt.Sprint("label", i)
		_, err := d.db.RestorePoint(ctx, label)
		check(t, err)
		time.Sleep(2 * time.Millisecond)
		points = append(points, point{Target{LSN: uint64(lsn)}, d.next}, point{Target{Label: label}, d.next}, point{Target{Time: time.Now()}, d.next})
		time.Sleep(2 * time.Millisecond)
		if i%3 == 1 {
			check(t, a.Round(ctx))
			check(t, d.db.Flush(ctx))
			check(t, d.db.Compact(ctx, store)) // what the archive needs may not go
		}
	}
	check(t, a.Round(ctx))
	check(t, a.Round(ctx))
	a.Close()
	points = append(points, point{Target{}, d.next})
	d.close()
	for i, p := range points {
		p.target.Archive = "repo"
		if got := restored(t, fs, "repo", m, fmt.Sprint("out", i), p.target); got != p.want {
			t.Errorf("%+v: %d numbers, want %d", p.target, got, p.want)
		}
	}
	for i, target := range []Target{{LSN: 1 << 40}, {Label: "nobody"}, {LSN: m.Stop - 1}, {Archive: "nowhere"}} {
		if target.Archive == "" {
			target.Archive = "repo"
		}
		if _, err := Restore(ctx, fs, "repo", m, fmt.Sprint("bad", i), target, nil); err == nil {
			t.Errorf("%+v: restored", target)
		}
	}
	if _, err := Choose(fs, "repo", "", Target{LSN: 1}); err == nil {
		t.Error("a backup is chosen for a point before it")
	}
	other := fresh(t, vfs.NewMem(2))
	defer other.close()
	other.add(1)
	if err := NewArchiver(other.db, fs, "repo").Round(ctx); err == nil {
		t.Error("the log of another database went into the archive")
	}
}
