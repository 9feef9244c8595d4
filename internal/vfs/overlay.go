package vfs

import (
	"io"
	"os"
	"path"
	"sort"
	"sync"
)

// Overlay is a file system that reads another one and keeps all changes in
// memory: what opens a directory through it, and recovers there, leaves the
// directory as it is.
type Overlay struct {
	base FS
	mem  *Mem

	mu   sync.Mutex
	gone map[string]bool
}

// NewOverlay returns a view of base.
func NewOverlay(base FS) *Overlay {
	return &Overlay{base: base, mem: NewVolatile(), gone: map[string]bool{}}
}

func (o *Overlay) isGone(name string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.gone[path.Clean(name)]
}

func (o *Overlay) setGone(name string, gone bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.gone[path.Clean(name)] = gone
}

// own reports whether the file lives in memory.
func (o *Overlay) own(name string) bool {
	_, err := o.mem.Stat(name)
	return err == nil
}

// parent makes the directory of a name in memory, if the base has it.
func (o *Overlay) parent(name string) error {
	dir := path.Dir(path.Clean(name))
	if _, err := o.Stat(dir); err != nil {
		return err
	}
	return o.mem.MkdirAll(dir)
}

// lift copies a file of the base into memory.
func (o *Overlay) lift(name string) error {
	if o.own(name) {
		return nil
	}
	if o.isGone(name) {
		return pathError("open", name, os.ErrNotExist)
	}
	b, err := ReadFile(o.base, name)
	if err != nil {
		return err
	}
	if err := o.parent(name); err != nil {
		return err
	}
	f, err := o.mem.Create(name)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(b, 0)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// Create implements FS.
func (o *Overlay) Create(name string) (File, error) {
	if err := o.parent(name); err != nil {
		return nil, err
	}
	o.setGone(name, false)
	return o.mem.Create(name)
}

// Open implements FS.
func (o *Overlay) Open(name string) (File, error) {
	if o.own(name) {
		return o.mem.Open(name)
	}
	if o.isGone(name) {
		return nil, pathError("open", name, os.ErrNotExist)
	}
	return o.base.Open(name)
}

// OpenReadWrite implements FS.
func (o *Overlay) OpenReadWrite(name string) (File, error) {
	if err := o.lift(name); err != nil {
		return nil, err
	}
	return o.mem.OpenReadWrite(name)
}

// Rename implements FS.
func (o *Overlay) Rename(oldName, newName string) error {
	if err := o.lift(oldName); err != nil {
		return err
	}
	if err := o.parent(newName); err != nil {
		return err
	}
	o.setGone(oldName, true)
	o.setGone(newName, false)
	return o.mem.Rename(oldName, newName)
}

// Link implements FS.
func (o *Overlay) Link(oldName, newName string) error {
	if err := o.lift(oldName); err != nil {
		return err
	}
	if _, err := o.Stat(newName); err == nil {
		return pathError("link", newName, os.ErrExist)
	}
	if err := o.parent(newName); err != nil {
		return err
	}
	o.setGone(newName, false)
	return o.mem.Link(oldName, newName)
}

// Remove implements FS.
func (o *Overlay) Remove(name string) error {
	if _, err := o.Stat(name); err != nil {
		return err
	}
	o.setGone(name, true)
	if o.own(name) {
		return o.mem.Remove(name)
	}
	return nil
}

// MkdirAll implements FS.
func (o *Overlay) MkdirAll(name string) error {
	if info, err := o.base.Stat(name); err == nil && info.IsDir() {
		return nil
	}
	return o.mem.MkdirAll(name)
}

// List implements FS.
func (o *Overlay) List(dir string) ([]string, error) {
	names := map[string]bool{}
	below, berr := o.base.List(dir)
	for _, n := range below {
		if !o.isGone(path.Join(dir, n)) {
			names[n] = true
		}
	}
	above, err := o.mem.List(dir)
	if err != nil && berr != nil {
		return nil, berr
	}
	for _, n := range above {
		names[n] = true
	}
	list := make([]string, 0, len(names))
	for n := range names {
		list = append(list, n)
	}
	sort.Strings(list)
	return list, nil
}

// Stat implements FS.
func (o *Overlay) Stat(name string) (os.FileInfo, error) {
	if info, err := o.mem.Stat(name); err == nil && !info.IsDir() {
		return info, nil
	}
	if o.isGone(name) {
		return nil, pathError("stat", name, os.ErrNotExist)
	}
	if info, err := o.base.Stat(name); err == nil {
		return info, nil
	}
	return o.mem.Stat(name)
}

// SyncDir implements FS.
func (o *Overlay) SyncDir(string) error { return nil }

// Lock implements FS: it is the base's, so that nobody else works there.
func (o *Overlay) Lock(name string) (io.Closer, error) { return o.base.Lock(name) }
