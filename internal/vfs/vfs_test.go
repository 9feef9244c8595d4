package vfs

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"testing"
)

// must stops the test on an error.
func must(t testing.TB, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func write(t testing.TB, f File, off int64, s string) {
	t.Helper()
	n, err := f.WriteAt([]byte(s), off)
	if err != nil || n != len(s) {
		t.Fatal(n, err)
	}
}

func create(t testing.TB, fs FS, name, s string) File {
	t.Helper()
	f, err := fs.Create(name)
	must(t, err)
	write(t, f, 0, s)
	return f
}

func text(t testing.TB, fs FS, name string) string {
	t.Helper()
	b, err := ReadFile(fs, name)
	must(t, err)
	return string(b)
}

// Every file system keeps the same contract.
func TestContract(t *testing.T) {
	for _, c := range []struct {
		name string
		fs   FS
		root string
	}{
		{"os", OS(), t.TempDir()},
		{"mem", NewMem(1), "root"},
		{"volatile", NewVolatile(), "/root"},
		{"fault", NewFault(NewMem(1)), "root"},
	} {
		t.Run(c.name, func(t *testing.T) { contract(t, c.fs, c.root) })
	}
}

func contract(t *testing.T, fs FS, root string) {
	dir := root + "/a/b"
	must(t, fs.MkdirAll(dir), fs.MkdirAll(dir))
	name := dir + "/file"
	f := create(t, fs, name, "hello world")
	must(t, f.Sync())
	if size, err := f.Size(); size != 11 || err != nil {
		t.Fatal(size, err)
	}
	buf := make([]byte, 20)
	if n, err := f.ReadAt(buf, 6); n != 5 || err != io.EOF || string(buf[:n]) != "world" {
		t.Fatal(n, err)
	}
	if n, err := f.ReadAt(buf, 100); n != 0 || err != io.EOF {
		t.Fatal(n, err)
	}
	must(t, f.Truncate(5), f.Preallocate(9000), f.Sync())
	write(t, f, 8998, "zz")
	must(t, f.SyncData(), f.Preallocate(10))
	if got := text(t, fs, name); got != "hello"+strings.Repeat("\x00", 8993)+"zz" {
		t.Fatalf("%d bytes %.20q", len(got), got)
	}
	if _, err := f.WriteAt([]byte("x"), -1); err == nil {
		t.Fatal("negative offset")
	}
	if _, err := f.ReadAt(buf, -1); err == nil {
		t.Fatal("negative offset")
	}
	must(t, f.Close())
	if err := f.Close(); !errors.Is(err, os.ErrClosed) {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("x"), 0); !errors.Is(err, os.ErrClosed) {
		t.Fatal(err)
	}
	must(t, fs.Link(name, dir+"/link"))
	if err := fs.Link(name, dir+"/link"); !errors.Is(err, os.ErrExist) {
		t.Fatal(err)
	}
	must(t, fs.Rename(name, dir+"/renamed"), WriteFile(fs, dir+"/whole", []byte("v1")), WriteFile(fs, dir+"/whole", []byte("v2")), fs.SyncDir(dir))
	names, err := fs.List(dir)
	if err != nil || strings.Join(names, " ") != "link renamed whole" {
		t.Fatal(names, err)
	}
	if text(t, fs, dir+"/whole") != "v2" || len(text(t, fs, dir+"/link")) != 9000 {
		t.Fatal("contents")
	}
	rw, err := fs.OpenReadWrite(dir + "/whole")
	must(t, err)
	write(t, rw, 2, "+")
	must(t, rw.Close())
	ro, err := fs.Open(dir + "/whole")
	must(t, err)
	if _, err := ro.WriteAt([]byte("x"), 0); err == nil {
		t.Fatal("wrote to a file opened for reading")
	}
	must(t, ro.Close())
	must(t, create(t, fs, dir+"/whole", "v3").Close())
	if text(t, fs, dir+"/whole") != "v3" {
		t.Fatal("create truncates")
	}
	info, err := fs.Stat(dir + "/whole")
	if err != nil || info.Size() != 2 || info.IsDir() || info.Name() != "whole" || info.Mode().Perm() != 0o600 {
		t.Fatal(info, err)
	}
	info, err = fs.Stat(dir)
	if err != nil || !info.IsDir() || info.Name() != "b" || !info.Mode().IsDir() {
		t.Fatal(info, err)
	}
	if err := fs.Remove(root + "/a"); err == nil {
		t.Fatal("removed a directory that is not empty")
	}
	must(t, fs.Remove(dir+"/link"), fs.Remove(dir+"/renamed"), fs.Remove(dir+"/whole"), fs.Remove(dir))
	contractErrors(t, fs, root)
}

func contractErrors(t *testing.T, fs FS, root string) {
	missing := root + "/no/such"
	_, e1 := fs.Open(missing)
	_, e2 := fs.OpenReadWrite(missing)
	_, e3 := fs.Stat(missing)
	_, e4 := fs.List(missing)
	_, e5 := fs.Create(missing)
	_, e6 := fs.Lock(missing)
	_, e7 := ReadFile(fs, missing)
	for i, err := range []error{e1, e2, e3, e4, e5, e6, e7, fs.Remove(missing), fs.Rename(missing, root+"/x"),
		fs.Link(missing, root+"/x"), fs.SyncDir(missing), WriteFile(fs, missing, nil)} {
		if !errors.Is(err, os.ErrNotExist) {
			t.Fatalf("case %d: %v", i, err)
		}
	}
	must(t, create(t, fs, root+"/f", "").Close())
	if err := fs.MkdirAll(root + "/f/g"); err == nil {
		t.Fatal("made a directory inside a file")
	}
	if _, err := fs.Create(root); err == nil {
		t.Fatal("created a file in place of a directory")
	}
	lock, err := fs.Lock(root + "/LOCK")
	must(t, err)
	if _, err := fs.Lock(root + "/LOCK"); !errors.Is(err, ErrLocked) {
		t.Fatal(err)
	}
	must(t, lock.Close())
	lock, err = fs.Lock(root + "/LOCK")
	must(t, err, lock.Close())
}

// What was synced survives every crash; what was not shows only states that a
// disk can be in.
func TestCrashKeepsWhatWasSynced(t *testing.T) {
	m := NewMem(7)
	f := create(t, m, "f", strings.Repeat("a", 2048))
	must(t, f.Sync(), m.SyncDir("."))
	write(t, f, 512, strings.Repeat("b", 1024))
	write(t, f, 600, strings.Repeat("c", 500))
	create(t, m, "unsynced", "x")
	must(t, m.Link("f", "g"))
	rng := rand.New(rand.NewPCG(1, 1))
	seen := map[string]int{}
	for range 2000 {
		c := m.CrashClone(rng)
		got := text(t, c, "f")
		if len(got) != 2048 || got[:512] != strings.Repeat("a", 512) || got[1536:] != strings.Repeat("a", 512) {
			t.Fatal("synced bytes changed")
		}
		for _, sector := range []string{got[512:1024], got[1024:1536]} {
			switch {
			case strings.Count(sector, "a") == 512:
				seen["old"]++
			case strings.Count(sector, "b") == 512:
				seen["first write"]++
			case strings.Contains(sector, "c") && !strings.Contains(sector, "a"):
				seen["second write"]++
			default:
				t.Fatalf("a sector is in no state that it ever had: %.40q", sector)
			}
		}
		if got[512:1024] != got[1024:1536] {
			seen["torn"]++
		}
		for _, name := range []string{"unsynced", "g"} {
			if _, err := c.Stat(name); err == nil {
				seen[name]++
			} else {
				seen["no "+name]++
			}
		}
	}
	for _, state := range []string{"old", "first write", "second write", "torn", "unsynced", "no unsynced", "g", "no g"} {
		if seen[state] < 50 {
			t.Errorf("%q was seen %d times in 2000 crashes", state, seen[state])
		}
	}
	// The original does not notice.
	if got := text(t, m, "f"); got[600] != 'c' {
		t.Fatal("the original changed")
	}
}

func TestCrashSizesAndRenames(t *testing.T) {
	m := NewMem(3)
	must(t, m.MkdirAll("d"))
	f := create(t, m, "d/f", "0123456789")
	must(t, f.Sync(), m.SyncDir("d"))
	must(t, f.Truncate(4))
	write(t, f, 8, "XY")
	must(t, f.SyncData()) // the size went 10, 4, 10: unchanged since the last Sync
	if got := text(t, m.CrashClone(nil), "d/f"); got != "0123\x00\x00\x00\x00XY" {
		t.Fatalf("%q", got)
	}
	write(t, f, 10, "grown")
	must(t, f.SyncData()) // does not make the new size durable
	sizes := map[int]bool{}
	rng := rand.New(rand.NewPCG(1, 1))
	must(t, m.Rename("d/f", "d/g"))
	names := map[string]bool{}
	for range 200 {
		c := m.CrashClone(rng)
		list, err := c.List("d")
		must(t, err)
		if len(list) != 1 {
			t.Fatalf("a rename is not atomic: %v", list)
		}
		names[list[0]] = true
		sizes[len(text(t, c, "d/"+list[0]))] = true
	}
	if !sizes[10] || !sizes[15] || !names["f"] || !names["g"] {
		t.Fatal(sizes, names)
	}
	must(t, f.Sync(), m.SyncDir("d"))
	if got := text(t, m.CrashClone(rng), "d/g"); !strings.HasSuffix(got, "XYgrown") {
		t.Fatalf("%q", got)
	}
	must(t, m.Remove("d/g"))
	c := m.Clone() // a killed process: the removal is seen, and not durable
	if _, err := c.Stat("d/g"); err == nil {
		t.Fatal("still there")
	}
	back := false
	for range 50 {
		_, err := c.CrashClone(rng).Stat("d/g")
		back = back || err == nil
	}
	if !back {
		t.Fatal("an unsynced removal is always durable")
	}
}

func TestMemLimit(t *testing.T) {
	m := NewMem(1)
	m.SetLimit(1000)
	f := create(t, m, "f", strings.Repeat("x", 900))
	n, err := f.WriteAt(make([]byte, 200), 900)
	if n != 100 || !errors.Is(err, syscall.ENOSPC) || m.Used() != 1000 {
		t.Fatal(n, err, m.Used())
	}
	write(t, f, 0, "overwriting needs no room")
	if err := f.Preallocate(1001); !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	must(t, m.Link("f", "g"), m.Remove("f"))
	if m.Used() != 1000 {
		t.Fatal("a second name keeps the bytes")
	}
	must(t, create(t, m, "h", "").Close(), m.Rename("h", "g"))
	if m.Used() != 0 {
		t.Fatal(m.Used())
	}
	if c := m.Clone(); c.Used() != 0 {
		t.Fatal(c.Used())
	}
}

func TestFaultRules(t *testing.T) {
	disk := NewFault(NewMem(1))
	var ops []Operation
	disk.SetHook(func(op Operation) { ops = append(ops, op) })
	f := create(t, disk, "f", "0123456789")
	delayed := 0
	disk.Add(
		Rule{Kind: OpRead, Nth: 1, Corrupt: true},
		Rule{Kind: OpRead, Nth: 2, Short: 3},
		Rule{Kind: OpRead, Nth: 3, Err: syscall.EIO},
		Rule{Kind: OpRead, Nth: 4, Short: 2, Err: syscall.EIO},
		Rule{Kind: OpSync, Path: "f", Times: 1, Nth: 2, Err: syscall.EIO, Delay: func() { delayed++ }},
		Rule{Kind: OpWrite, Nth: 1, Corrupt: true},
		Rule{Kind: OpWrite, Nth: 2, Short: 1},
		Rule{Kind: OpWrite, Nth: 3, Err: syscall.EIO},
		Rule{Kind: OpRename, Err: syscall.EIO},
	)
	read := func() (string, error) {
		b := make([]byte, 10)
		n, err := f.ReadAt(b, 0)
		return string(b[:n]), err
	}
	for i, want := range []struct {
		s   string
		err error
	}{{"012344" + "6789", nil}, {"012", io.EOF}, {"", syscall.EIO}, {"01", syscall.EIO}, {"0123456789", nil}} {
		if s, err := read(); s != want.s || !errors.Is(err, want.err) {
			t.Fatalf("read %d: %q, %v", i+1, s, err)
		}
	}
	if err := errors.Join(f.Sync(), f.Sync()); !errors.Is(err, syscall.EIO) || delayed != 1 {
		t.Fatal(err, delayed)
	}
	p := []byte("ab")
	if _, err := f.WriteAt(p, 0); err != nil || !bytes.Equal(p, []byte("ab")) {
		t.Fatal("a corrupted write must not change the caller's bytes", err)
	}
	if n, err := f.WriteAt(p, 4); n != 1 || err != io.ErrShortWrite {
		t.Fatal(n, err)
	}
	if _, err := f.WriteAt(p, 6); !errors.Is(err, syscall.EIO) {
		t.Fatal(err)
	}
	if got := text(t, disk, "f"); got != "ac23a56789" {
		t.Fatalf("%q", got)
	}
	if err := WriteFile(disk, "w", nil); !errors.Is(err, syscall.EIO) {
		t.Fatal(err)
	}
	disk.Clear()
	disk.SetDiskFull(true)
	_, e1 := disk.Create("g")
	_, e2 := f.WriteAt(p, 0)
	for _, err := range []error{e1, e2, f.Preallocate(100), disk.MkdirAll("d"), disk.Link("f", "g")} {
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	}
	must(t, f.Truncate(3), disk.Remove("f"))
	disk.SetDiskFull(false)
	must(t, disk.MkdirAll("d"))
	if disk.Count(OpWrite) != 6 || disk.Count(OpAny) != int64(len(ops)) || ops[0].Kind != OpCreate || ops[0].Index != 1 {
		t.Fatalf("%d writes, %d of %d, first %v", disk.Count(OpWrite), disk.Count(OpAny), len(ops), ops[0])
	}
	if !ops[0].Mutates() || (Operation{Kind: OpRead}).Mutates() || ops[1].String() != "#2 write f [0,+10)" {
		t.Fatal(ops[1])
	}
}

// Without fallocate, room is reserved by writing it.
func TestWriteZeros(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/f")
	must(t, err)
	defer f.Close()
	must(t, writeZeros(f, 10, 200_000))
	if info, err := f.Stat(); err != nil || info.Size() != 200_000 {
		t.Fatal(info, err)
	}
	must(t, f.Close())
	if writeZeros(f, 0, 10) == nil || syncData(f) == nil || preallocate(f, 0, 10) == nil {
		t.Fatal("a closed file")
	}
}
