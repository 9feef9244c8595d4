package simulation

import (
	"math/rand/v2"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/internal/vfs"
	"github.com/omendb/omendb/wal"
)

// atRest is a disk that a killed process left behind when it had been idle for
// a while, with what has to be on it.
func atRest(t *testing.T, seed uint64, steps int) (*world, *Crash) {
	t.Helper()
	w := newWorld(seed, vfs.NewMem(seed), newState())
	if err := w.open(); err != nil {
		t.Fatal(err)
	}
	if err := setUp(w.db); err != nil {
		t.Fatal(err)
	}
	w.acked = engine.LSN(visible(w.db))
	w.run(NewProgram(seed, steps))
	w.sim.RunFor(2 * time.Second)
	if w.failure != nil {
		t.Fatal(w.failure)
	}
	return w, &Crash{At: "rest", disk: w.mem.Clone(), acked: w.acked, sequence: w.sequence, store: w.store, xid: w.xid, ended: w.ended()}
}

// files lists what the database consists of, spare log files left out.
func files(t *testing.T, fs *vfs.Mem) (list []string) {
	t.Helper()
	for _, dir := range []string{Dir, Dir + "/wal", Dir + "/segments"} {
		names, err := fs.List(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			full := path.Join(dir, name)
			if info, err := fs.Stat(full); err == nil && !info.IsDir() && info.Size() > 0 && path.Ext(name) != ".spare" {
				list = append(list, full)
			}
		}
	}
	return list
}

// overwrite changes n bytes at off so that each differs from what it was.
func overwrite(t *testing.T, fs *vfs.Mem, name string, rng *rand.Rand, off int64, n int) {
	t.Helper()
	f, err := fs.OpenReadWrite(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, n)
	got, _ := f.ReadAt(b, off) // the end of the file is no error here
	for i := range b[:got] {
		b[i] ^= byte(1 + rng.IntN(255))
	}
	if _, err := f.WriteAt(b[:got], off); err != nil {
		t.Fatal(err)
	}
}

// verdict opens a damaged disk and compares it with the history: the damage is
// detected (by an error that names a file), or everything is there.
func verdict(t *testing.T, w *world, c *Crash, disk *vfs.Mem) (detected bool, err error) {
	t.Helper()
	d := *c
	d.disk = disk
	err = guard(func() error {
		v := newWorld(1, disk, newState())
		if err := v.open(); err != nil {
			return err
		}
		_, err := w.check(v.db, &d, nil)
		if err == nil {
			err = v.db.Verify(ctx, nil)
		}
		_ = v.close() // what is damaged may not close
		return err
	})
	if err == nil {
		return false, nil
	}
	if damage, ok := engine.Corruption(err); ok && damage.File != "" {
		return true, nil
	}
	for _, named := range []string{"MANIFEST", ".seg", ".wal"} {
		if strings.Contains(err.Error(), named) && !strings.Contains(err.Error(), "panic") {
			return true, nil
		}
	}
	return false, err
}

// TestDamageAtRest overwrites 1 to 64 bytes somewhere, 500 times.
func TestDamageAtRest(t *testing.T) {
	tries, detected := 500, 0
	if testing.Short() {
		tries = 100
	}
	rng := rand.New(rand.NewPCG(5, 5))
	var w *world
	var c *Crash
	for i := range tries {
		if i%50 == 0 {
			w, c = atRest(t, uint64(i+1), 60)
		}
		disk := c.disk.Clone()
		list := files(t, disk)
		name := list[rng.IntN(len(list))]
		info, err := disk.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		n := 1 + rng.IntN(64)
		off := rng.Int64N(info.Size())
		overwrite(t, disk, name, rng, off, n)
		found, err := verdict(t, w, c, disk)
		if err != nil {
			t.Errorf("try %d: %d bytes at %d of %s: silently wrong, or no file named: %v", i, n, off, name, err)
		}
		if found {
			detected++
		}
	}
	t.Logf("%d tries: %d detected, %d harmless", tries, detected, tries-detected)
}

// TestDamageInTheLog overwrites records in the middle of the log, 100 times:
// acknowledged commits stand behind each.
func TestDamageInTheLog(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 6))
	tries, detected := 0, 0
	var w *world
	var c *Crash
	for i := 0; tries < 100 && i < 400; i++ {
		if i%20 == 0 {
			w, c = atRest(t, uint64(i+7), 40)
		}
		disk := c.disk.Clone()
		var logs []string
		for _, name := range files(t, disk) {
			if path.Ext(name) == ".wal" {
				logs = append(logs, name)
			}
		}
		name := logs[len(logs)-1]
		// Behind the records stand bytes of an earlier life of the file.
		end, err := wal.Inspect(disk, name, func(*wal.Record) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		if end <= 1024 {
			continue // hardly any record: there is no middle
		}
		tries++
		off := 512 + rng.Int64N((end-512)*3/4)
		overwrite(t, disk, name, rng, off, 8)
		found, err := verdict(t, w, c, disk)
		if err != nil {
			t.Errorf("try %d: offset %d of %s: silently wrong: %v", i, off, name, err)
		}
		if found {
			detected++
		}
	}
	t.Logf("%d tries: %d detected, %d harmless", tries, detected, tries-detected)
	if tries < 100 || detected < 95 {
		t.Errorf("only %d of 100 were detected", detected)
	}
}

// TestLostEndOfTheLog cuts the newest log file off, empties its end or removes
// it, after a process that was killed: every time, acknowledged commits are
// gone, and every time that is detected.
func TestLostEndOfTheLog(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	var w *world
	var c *Crash
	for i := range 100 {
		if i%20 == 0 {
			w, c = atRest(t, uint64(i+31), 40)
		}
		disk := c.disk.Clone()
		var name string
		for _, file := range files(t, disk) {
			if path.Ext(file) == ".wal" {
				name = file
			}
		}
		end, err := wal.Inspect(disk, name, func(*wal.Record) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		f, err := disk.OpenReadWrite(name)
		if err != nil {
			t.Fatal(err)
		}
		size, err := f.Size()
		if err != nil {
			t.Fatal(err)
		}
		off := 512 + rng.Int64N(max(1, end-512-8)) // behind that may be padding
		how := [...]string{"removed", "cut", "emptied"}[i%3]
		if end == 512 && how != "removed" {
			how = "removed" // it holds no record yet
		}
		switch how {
		case "removed":
			err = disk.Remove(name)
		case "cut":
			err = f.Truncate(off)
		case "emptied":
			_, err = f.WriteAt(make([]byte, size-off), off)
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		found, err := verdict(t, w, c, disk)
		if err != nil || !found && end > 512 {
			t.Errorf("try %d: %s %s at %d of %d: detected %v, %v", i, name, how, off, end, found, err)
		}
	}
}
