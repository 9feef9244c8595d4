package vfs

import (
	"io"
	"os"
	"path"
	"sort"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Mem is a file system in memory that remembers what a power failure may take
// away: bytes written since a file's last sync and directory entries changed
// since the directory's last sync. CrashClone draws one such outcome.
type Mem struct {
	mu      sync.Mutex
	track   bool // remember what is not durable
	seed    uint64
	entries map[string]*inode // current names
	durable map[string]*inode // names that survive a crash for certain
	pending []dirOp           // changes of names since, in order
	dirs    map[string]bool
	locks   map[string]bool
	limit   int64 // bytes; 0 = none
	used    int64
}

// inode is a file's bytes; several names may share one.
type inode struct {
	now    *content
	synced *content
	writes []fileWrite // since the last sync
	links  int
}

// fileWrite is one unsynced change: bytes at an offset, or (data == nil) a new size.
type fileWrite struct {
	off  int64
	data []byte
	size int64
}

// dirOp is one atomic change of names.
type dirOp struct {
	set   string // "" = none
	inode *inode
	del   string // "" = none
}

// NewMem returns an empty crash memory. Seed drives CrashClone(nil).
func NewMem(seed uint64) *Mem {
	return &Mem{
		track: true, seed: seed,
		entries: map[string]*inode{}, durable: map[string]*inode{},
		dirs: map[string]bool{"/": true, ".": true}, locks: map[string]bool{},
	}
}

// NewVolatile returns an empty memory file system that does not track
// durability, for databases that are meant to vanish with the process.
func NewVolatile() *Mem {
	m := NewMem(0)
	m.track = false
	return m
}

// SetLimit bounds the bytes that files may take together; 0 lifts the bound.
// Beyond it, writes fail with ENOSPC.
func (m *Mem) SetLimit(bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.limit = bytes
}

// Used returns the bytes that files take together.
func (m *Mem) Used() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.used
}

func pathError(op, name string, err error) error {
	return &os.PathError{Op: op, Path: name, Err: err}
}

func (m *Mem) hasDir(name string) bool { return m.dirs[path.Dir(name)] }

func (m *Mem) change(op dirOp) {
	if op.set != "" {
		m.entries[op.set] = op.inode
	}
	if op.del != "" {
		delete(m.entries, op.del)
	}
	if m.track {
		m.pending = append(m.pending, op)
	}
}

// drop takes one name away from an inode and frees its room with the last one.
func (m *Mem) drop(n *inode) {
	n.links--
	if n.links == 0 {
		m.used -= n.now.size
	}
}

// Create implements FS.
func (m *Mem) Create(name string) (File, error) {
	name = path.Clean(name)
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.hasDir(name) {
		return nil, pathError("create", name, os.ErrNotExist)
	}
	if m.dirs[name] {
		return nil, pathError("create", name, syscall.EISDIR)
	}
	n := m.entries[name]
	if n == nil {
		n = &inode{now: &content{by: new(owner)}, synced: &content{by: new(owner)}, links: 1}
		m.change(dirOp{set: name, inode: n})
	} else {
		m.resize(n, 0)
	}
	return &memFile{m: m, n: n, name: name, write: true}, nil
}

func (m *Mem) open(name string, write bool) (File, error) {
	name = path.Clean(name)
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.entries[name]
	if n == nil {
		return nil, pathError("open", name, os.ErrNotExist)
	}
	return &memFile{m: m, n: n, name: name, write: write}, nil
}

// Open implements FS.
func (m *Mem) Open(name string) (File, error) { return m.open(name, false) }

// OpenReadWrite implements FS.
func (m *Mem) OpenReadWrite(name string) (File, error) { return m.open(name, true) }

// Rename implements FS.
func (m *Mem) Rename(oldName, newName string) error {
	oldName, newName = path.Clean(oldName), path.Clean(newName)
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.entries[oldName]
	if n == nil || !m.hasDir(newName) {
		return pathError("rename", oldName, os.ErrNotExist)
	}
	old := m.entries[newName]
	if oldName == newName || old == n {
		return nil
	}
	if old != nil {
		m.drop(old)
	}
	m.change(dirOp{set: newName, inode: n, del: oldName})
	return nil
}

// Link implements FS.
func (m *Mem) Link(oldName, newName string) error {
	oldName, newName = path.Clean(oldName), path.Clean(newName)
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.entries[oldName]
	if n == nil || !m.hasDir(newName) {
		return pathError("link", oldName, os.ErrNotExist)
	}
	if m.entries[newName] != nil {
		return pathError("link", newName, os.ErrExist)
	}
	n.links++
	m.change(dirOp{set: newName, inode: n})
	return nil
}

// Remove implements FS.
func (m *Mem) Remove(name string) error {
	name = path.Clean(name)
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := m.entries[name]; n != nil {
		m.drop(n)
		m.change(dirOp{del: name})
		return nil
	}
	if m.dirs[name] {
		for p := range m.children(name) {
			return pathError("remove", p, syscall.ENOTEMPTY)
		}
		delete(m.dirs, name)
		return nil
	}
	return pathError("remove", name, os.ErrNotExist)
}

// MkdirAll implements FS.
func (m *Mem) MkdirAll(name string) error {
	name = path.Clean(name)
	m.mu.Lock()
	defer m.mu.Unlock()
	for p := name; !m.dirs[p]; p = path.Dir(p) {
		if m.entries[p] != nil {
			return pathError("mkdir", p, syscall.ENOTDIR)
		}
	}
	for p := name; !m.dirs[p]; p = path.Dir(p) {
		m.dirs[p] = true
	}
	return nil
}

// children returns the names directly inside dir.
func (m *Mem) children(dir string) map[string]bool {
	out := map[string]bool{}
	for p := range m.entries {
		if path.Dir(p) == dir {
			out[path.Base(p)] = true
		}
	}
	for p := range m.dirs {
		if p != dir && p != "." && path.Dir(p) == dir {
			out[path.Base(p)] = true
		}
	}
	return out
}

// List implements FS.
func (m *Mem) List(dir string) ([]string, error) {
	dir = path.Clean(dir)
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.dirs[dir] {
		return nil, pathError("list", dir, os.ErrNotExist)
	}
	var names []string
	for name := range m.children(dir) {
		names = append(names, name)
	}
	sort.Strings(names)
	return names, nil
}

// Stat implements FS.
func (m *Mem) Stat(name string) (os.FileInfo, error) {
	name = path.Clean(name)
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := m.entries[name]; n != nil {
		return memInfo{name: path.Base(name), size: n.now.size}, nil
	}
	if m.dirs[name] {
		return memInfo{name: path.Base(name), dir: true}, nil
	}
	return nil, pathError("stat", name, os.ErrNotExist)
}

// SyncDir implements FS.
func (m *Mem) SyncDir(dir string) error {
	dir = path.Clean(dir)
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.dirs[dir] {
		return pathError("syncdir", dir, os.ErrNotExist)
	}
	rest := m.pending[:0]
	for _, op := range m.pending {
		if in(dir, op.set) || in(dir, op.del) {
			op.apply(m.durable)
		} else {
			rest = append(rest, op)
		}
	}
	clear(m.pending[len(rest):])
	m.pending = rest
	return nil
}

func in(dir, name string) bool { return name != "" && path.Dir(name) == dir }

func (op dirOp) apply(names map[string]*inode) {
	if op.set != "" {
		names[op.set] = op.inode
	}
	if op.del != "" {
		delete(names, op.del)
	}
}

// Lock implements FS. A crash releases it.
func (m *Mem) Lock(name string) (io.Closer, error) {
	name = path.Clean(name)
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.hasDir(name) {
		return nil, pathError("lock", name, os.ErrNotExist)
	}
	if m.locks[name] {
		return nil, pathError("lock", name, ErrLocked)
	}
	m.locks[name] = true
	return &memLock{m: m, name: name}, nil
}

type memLock struct {
	m    *Mem
	name string
	once sync.Once
}

func (l *memLock) Close() error {
	l.once.Do(func() {
		l.m.mu.Lock()
		defer l.m.mu.Unlock()
		delete(l.m.locks, l.name)
	})
	return nil
}

type memInfo struct {
	name string
	size int64
	dir  bool
}

func (i memInfo) Name() string       { return strings.TrimSuffix(i.name, "/") }
func (i memInfo) Size() int64        { return i.size }
func (i memInfo) ModTime() time.Time { return time.Time{} }
func (i memInfo) IsDir() bool        { return i.dir }
func (i memInfo) Sys() any           { return nil }

func (i memInfo) Mode() os.FileMode {
	if i.dir {
		return os.ModeDir | 0o700
	}
	return 0o600
}
