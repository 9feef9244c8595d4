package vfs

import (
	"io"
	"os"
	"sync/atomic"
	"syscall"
)

// memFile is an open file of a Mem.
type memFile struct {
	m      *Mem
	n      *inode
	name   string
	write  bool
	closed atomic.Bool
}

func (f *memFile) check(op string, write bool) error {
	if f.closed.Load() {
		return pathError(op, f.name, os.ErrClosed)
	}
	if write && !f.write {
		return pathError(op, f.name, syscall.EBADF)
	}
	return nil
}

func (f *memFile) ReadAt(p []byte, off int64) (int, error) {
	if err := f.check("read", false); err != nil {
		return 0, err
	}
	if off < 0 {
		return 0, pathError("read", f.name, syscall.EINVAL)
	}
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	n := f.n.now.readAt(p, off)
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *memFile) WriteAt(p []byte, off int64) (int, error) {
	if err := f.check("write", true); err != nil {
		return 0, err
	}
	if off < 0 {
		return 0, pathError("write", f.name, syscall.EINVAL)
	}
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	grow := max(0, off+int64(len(p))-f.n.now.size)
	var err error
	if room := f.m.room(); grow > room {
		// As a disk does: what fits is written, then the error.
		p = p[:max(0, int64(len(p))-(grow-room))]
		err = pathError("write", f.name, syscall.ENOSPC)
	}
	if len(p) > 0 {
		before := f.n.now.size
		f.n.now.writeAt(p, off)
		f.m.account(f.n, f.n.now.size-before)
		if f.m.track {
			f.n.writes = append(f.n.writes, fileWrite{off: off, data: append([]byte(nil), p...)})
		}
	}
	return len(p), err
}

func (f *memFile) Close() error {
	if f.closed.Swap(true) {
		return pathError("close", f.name, os.ErrClosed)
	}
	return nil
}

func (f *memFile) Sync() error {
	if err := f.check("sync", false); err != nil {
		return err
	}
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if f.m.track {
		f.n.synced = f.n.now.clone()
		f.n.writes = nil
	}
	return nil
}

// SyncData keeps to the letter of the contract: when the size has changed
// since the last Sync, the change of size is not made durable.
func (f *memFile) SyncData() error {
	if err := f.check("sync", false); err != nil {
		return err
	}
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if !f.m.track {
		return nil
	}
	durable := f.n.synced.size
	f.n.synced = f.n.now.clone()
	f.n.writes = nil
	if f.n.now.size != durable {
		f.n.synced.resize(durable)
		f.n.writes = []fileWrite{{size: f.n.now.size}}
		if f.n.now.size > durable {
			rest := make([]byte, f.n.now.size-durable)
			f.n.now.readAt(rest, durable)
			f.n.writes = append(f.n.writes, fileWrite{off: durable, data: rest})
		}
	}
	return nil
}

func (f *memFile) Truncate(size int64) error {
	if err := f.check("truncate", true); err != nil {
		return err
	}
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	f.m.resize(f.n, size)
	return nil
}

func (f *memFile) Preallocate(size int64) error {
	if err := f.check("preallocate", true); err != nil {
		return err
	}
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	grow := size - f.n.now.size
	if grow <= 0 {
		return nil
	}
	if grow > f.m.room() {
		return pathError("preallocate", f.name, syscall.ENOSPC)
	}
	f.m.resize(f.n, size)
	return nil
}

func (f *memFile) Size() (int64, error) {
	if err := f.check("size", false); err != nil {
		return 0, err
	}
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	return f.n.now.size, nil
}

// room returns how many bytes may still be added.
func (m *Mem) room() int64 {
	if m.limit == 0 {
		return 1 << 62
	}
	return max(0, m.limit-m.used)
}

func (m *Mem) account(n *inode, grown int64) {
	if n.links > 0 {
		m.used += grown
	}
}

func (m *Mem) resize(n *inode, size int64) {
	if size == n.now.size {
		return
	}
	m.account(n, size-n.now.size)
	n.now.resize(size)
	if m.track {
		n.writes = append(n.writes, fileWrite{size: size})
	}
}
