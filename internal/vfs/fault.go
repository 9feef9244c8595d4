package vfs

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
)

// Op is a kind of file system operation.
type Op uint8

// The kinds that Fault counts.
const (
	OpAny Op = iota // in a Rule: whatever kind
	OpOpen
	OpCreate
	OpRead
	OpWrite
	OpSync // Sync and SyncData
	OpSyncDir
	OpRename
	OpLink
	OpRemove
	OpTruncate
	OpPreallocate
	OpMkdir
	OpList
	OpStat
	OpLock
	opCount
)

var opNames = [opCount]string{
	"any", "open", "create", "read", "write", "sync", "syncdir", "rename", "link",
	"remove", "truncate", "preallocate", "mkdir", "list", "stat", "lock",
}

func (o Op) String() string { return opNames[o] }

// mutates says that the operation changes what a crash may find.
func (o Op) mutates() bool {
	switch o {
	case OpOpen, OpRead, OpList, OpStat:
		return false
	}
	return true
}

// Operation is one call as a hook sees it, before it happens.
type Operation struct {
	Index     int64 // 1-based, over all kinds
	KindIndex int64 // 1-based, of this kind
	Kind      Op
	Path      string
	Offset    int64 // of a read or write
	Bytes     int   // of a read or write
}

// Mutates says that the operation changes what a crash may find, so that a
// simulation need only clone the state before these.
func (o Operation) Mutates() bool { return o.Kind.mutates() }

func (o Operation) String() string {
	return fmt.Sprintf("#%d %s %s [%d,+%d)", o.Index, o.Kind, o.Path, o.Offset, o.Bytes)
}

// Rule makes chosen operations misbehave. The zero values of Kind, Path and
// Nth match everything.
type Rule struct {
	Kind  Op
	Path  string // a part of the path
	Nth   int64  // the n-th match, 1-based; 0 = every match
	Times int64  // with Nth: how many in a row; 0 = 1

	Err     error  // returned instead of doing the operation (or after Short bytes of it)
	Short   int    // read or write only so many bytes; a read without Err then ends in io.EOF
	Partial bool   // Short applies, even when it is 0
	Corrupt bool   // flip one bit in the middle of the bytes read or written
	Delay   func() // called first, for instance to let other tasks run
}

type rule struct {
	Rule
	seen int64
}

// Fault wraps a file system, counts its operations and makes those that its
// rules choose misbehave. It may be used concurrently.
type Fault struct {
	fs FS

	mu     sync.Mutex
	hook   func(Operation)
	rules  []*rule
	full   bool
	total  int64
	counts [opCount]int64
}

// NewFault wraps fs.
func NewFault(fs FS, rules ...Rule) *Fault {
	f := &Fault{fs: fs}
	f.Add(rules...)
	return f
}

// Add adds rules; each counts its own matches from now on.
func (f *Fault) Add(rules ...Rule) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range rules {
		f.rules = append(f.rules, &rule{Rule: r})
	}
}

// Clear removes all rules.
func (f *Fault) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = nil
}

// SetHook has hook called before every operation, without any lock held.
func (f *Fault) SetHook(hook func(Operation)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hook = hook
}

// SetDiskFull makes writes, creations, directories and preallocations fail
// with ENOSPC, or lets them through again.
func (f *Fault) SetDiskFull(full bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.full = full
}

// Count returns how many operations of a kind there were; OpAny counts all.
func (f *Fault) Count(kind Op) int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if kind == OpAny {
		return f.total
	}
	return f.counts[kind]
}

// effect is what the rules decided for one operation.
type effect struct {
	err     error
	short   int // -1 = all bytes
	corrupt bool
}

func (f *Fault) before(kind Op, path string, off int64, n int) effect {
	f.mu.Lock()
	f.total++
	f.counts[kind]++
	op := Operation{Index: f.total, KindIndex: f.counts[kind], Kind: kind, Path: path, Offset: off, Bytes: n}
	hook := f.hook
	e := effect{short: -1}
	var delays []func()
	if f.full && (kind == OpWrite || kind == OpCreate || kind == OpPreallocate || kind == OpMkdir || kind == OpLink) {
		e.err = pathError(kind.String(), path, syscall.ENOSPC)
	}
	for _, r := range f.rules {
		if !r.matches(kind, path) {
			continue
		}
		if r.Delay != nil {
			delays = append(delays, r.Delay)
		}
		if r.Err != nil {
			e.err = pathError(kind.String(), path, r.Err)
		}
		if r.Short > 0 || r.Partial {
			e.short = min(r.Short, n)
		}
		e.corrupt = e.corrupt || r.Corrupt
	}
	f.mu.Unlock()
	if hook != nil {
		hook(op)
	}
	for _, delay := range delays {
		delay()
	}
	return e
}

func (r *rule) matches(kind Op, path string) bool {
	if r.Kind != OpAny && r.Kind != kind || !strings.Contains(path, r.Path) {
		return false
	}
	r.seen++
	return r.Nth == 0 || r.seen >= r.Nth && r.seen < r.Nth+max(1, r.Times)
}

// Create implements FS.
func (f *Fault) Create(name string) (File, error) { return f.open(OpCreate, name, f.fs.Create) }

// Open implements FS.
func (f *Fault) Open(name string) (File, error) { return f.open(OpOpen, name, f.fs.Open) }

// OpenReadWrite implements FS.
func (f *Fault) OpenReadWrite(name string) (File, error) {
	return f.open(OpOpen, name, f.fs.OpenReadWrite)
}

func (f *Fault) open(kind Op, name string, call func(string) (File, error)) (File, error) {
	if e := f.before(kind, name, 0, 0); e.err != nil {
		return nil, e.err
	}
	file, err := call(name)
	if err != nil {
		return nil, err
	}
	return &faultFile{f: f, file: file, name: name}, nil
}

func (f *Fault) do(kind Op, name string, call func() error) error {
	if e := f.before(kind, name, 0, 0); e.err != nil {
		return e.err
	}
	return call()
}

// Rename implements FS.
func (f *Fault) Rename(oldName, newName string) error {
	return f.do(OpRename, oldName, func() error { return f.fs.Rename(oldName, newName) })
}

// Link implements FS.
func (f *Fault) Link(oldName, newName string) error {
	return f.do(OpLink, oldName, func() error { return f.fs.Link(oldName, newName) })
}

// Remove implements FS.
func (f *Fault) Remove(name string) error {
	return f.do(OpRemove, name, func() error { return f.fs.Remove(name) })
}

// MkdirAll implements FS.
func (f *Fault) MkdirAll(name string) error {
	return f.do(OpMkdir, name, func() error { return f.fs.MkdirAll(name) })
}

// SyncDir implements FS.
func (f *Fault) SyncDir(dir string) error {
	return f.do(OpSyncDir, dir, func() error { return f.fs.SyncDir(dir) })
}

// List implements FS.
func (f *Fault) List(dir string) (names []string, err error) {
	err = f.do(OpList, dir, func() error { names, err = f.fs.List(dir); return err })
	return names, err
}

// Stat implements FS.
func (f *Fault) Stat(name string) (info os.FileInfo, err error) {
	err = f.do(OpStat, name, func() error { info, err = f.fs.Stat(name); return err })
	return info, err
}

// Lock implements FS.
func (f *Fault) Lock(name string) (lock io.Closer, err error) {
	err = f.do(OpLock, name, func() error { lock, err = f.fs.Lock(name); return err })
	return lock, err
}

type faultFile struct {
	f    *Fault
	file File
	name string
}

func (o *faultFile) ReadAt(p []byte, off int64) (int, error) {
	e := o.f.before(OpRead, o.name, off, len(p))
	if e.err != nil && e.short < 0 {
		return 0, e.err
	}
	if e.short >= 0 && (e.short < len(p) || e.err != nil) {
		n, err := o.file.ReadAt(p[:e.short], off)
		if e.err != nil {
			err = e.err
		} else if err == nil {
			err = io.EOF
		}
		return n, err
	}
	n, err := o.file.ReadAt(p, off)
	if e.corrupt && n > 0 {
		p[n/2] ^= 1
	}
	return n, err
}

func (o *faultFile) WriteAt(p []byte, off int64) (int, error) {
	e := o.f.before(OpWrite, o.name, off, len(p))
	if e.err != nil && e.short < 0 {
		return 0, e.err
	}
	if e.corrupt && len(p) > 0 {
		p = append([]byte(nil), p...)
		p[len(p)/2] ^= 1
	}
	if e.short >= 0 && (e.short < len(p) || e.err != nil) {
		n, err := o.file.WriteAt(p[:e.short], off)
		if e.err != nil {
			err = e.err
		} else if err == nil {
			err = io.ErrShortWrite
		}
		return n, err
	}
	return o.file.WriteAt(p, off)
}

func (o *faultFile) Close() error { return o.file.Close() }

func (o *faultFile) Sync() error     { return o.f.do(OpSync, o.name, o.file.Sync) }
func (o *faultFile) SyncData() error { return o.f.do(OpSync, o.name, o.file.SyncData) }

func (o *faultFile) Truncate(size int64) error {
	return o.f.do(OpTruncate, o.name, func() error { return o.file.Truncate(size) })
}

func (o *faultFile) Preallocate(size int64) error {
	return o.f.do(OpPreallocate, o.name, func() error { return o.file.Preallocate(size) })
}

// Size is not counted: it needs no disk.
func (o *faultFile) Size() (int64, error) { return o.file.Size() }
