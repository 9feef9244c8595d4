package wal

import (
	"errors"
	"fmt"
	"path"

	"github.com/omendb/omendb/internal/vfs"
)

// Scan reads the log in a directory that nobody has open, and changes nothing.
// It calls fn for every record up to the first place where the next does not
// stand, and returns the LSN of the last. Whether that place is the end or is
// damaged only Open decides.
func Scan(fs vfs.FS, dir string, fn func(*Record) error) (last LSN, err error) {
	_, last, err = scan(fs, dir, 0, fn)
	return last, err
}

// place is where a record ends.
type place struct {
	file  *logFile
	end   int64
	later []*logFile // files behind
}

// scan reads up to a record, or all of them (to = 0), and returns where it ended.
func scan(fs vfs.FS, dir string, to LSN, fn func(*Record) error) (p place, last LSN, err error) {
	names, err := fs.List(dir)
	if err != nil {
		return p, 0, err
	}
	var files []*logFile
	for _, name := range names {
		gen, ok := parseName(name, logSuffix)
		if !ok {
			continue
		}
		f, err := readHeader(fs, dir, gen)
		if err != nil {
			var damage *CorruptionError
			if errors.As(err, &damage) && to > 0 {
				break // what lies before it may be enough
			}
			return p, 0, err
		}
		files = append(files, f)
	}
	if len(files) == 0 {
		return p, 0, nil
	}
	chain, _, err := chainOf(files)
	if err != nil {
		return p, 0, err
	}
	next := chain[0].first
	for i, f := range chain {
		if f.first != next {
			return p, next - 1, nil
		}
		stop := errors.New("enough")
		end, err := Inspect(fs, f.name, func(r *Record) error {
			if i+1 < len(chain) && r.LSN >= chain[i+1].first || to > 0 && r.LSN > to {
				return stop
			}
			next = r.LSN + 1
			return fn(r)
		})
		if err != nil && !errors.Is(err, stop) {
			return p, next - 1, err
		}
		p = place{file: f, end: end, later: chain[i+1:]}
		if to > 0 && next > to {
			break
		}
	}
	return p, next - 1, nil
}

// Cut ends the log in a directory that nobody has open after record to: for
// recovery to a point in time, and to give up what lies behind damage. The
// files that it changes or takes away are copied to keep first. Every record up
// to to must be there.
func Cut(fs vfs.FS, dir string, to LSN, keep string) error {
	p, last, err := scan(fs, dir, to, func(*Record) error { return nil })
	if err != nil {
		return err
	}
	if last < to {
		return fmt.Errorf("cut log: the last record that can be read is %d, %d was asked for", last, to)
	}
	if err := fs.MkdirAll(keep); err != nil {
		return err
	}
	names, err := fs.List(dir)
	if err != nil {
		return err
	}
	// The mark speaks of what is given up.
	mark := path.Join(dir, markName)
	if b, err := vfs.ReadFile(fs, mark); err == nil {
		if err := vfs.WriteFile(fs, path.Join(keep, markName), b); err != nil {
			return err
		}
		if err := fs.Remove(mark); err != nil {
			return err
		}
		if err := fs.SyncDir(path.Clean(dir)); err != nil {
			return err
		}
	}
	var gone []string
	for _, name := range names {
		if gen, ok := parseName(name, logSuffix); ok && gen > p.file.gen {
			gone = append(gone, name)
		}
	}
	for _, name := range append([]string{path.Base(p.file.name)}, gone...) {
		b, err := vfs.ReadFile(fs, path.Join(dir, name))
		if err != nil {
			return err
		}
		if err := vfs.WriteFile(fs, path.Join(keep, name), b); err != nil {
			return err
		}
	}
	// Newest first: whatever is left after a crash is a log without its end.
	for i := len(gone) - 1; i >= 0; i-- {
		if err := fs.Remove(path.Join(dir, gone[i])); err != nil {
			return err
		}
		if err := fs.SyncDir(path.Clean(dir)); err != nil {
			return err
		}
	}
	return wipeEnd(fs, p)
}

// wipeEnd overwrites what follows a record in its file.
func wipeEnd(fs vfs.FS, p place) error {
	h, err := fs.OpenReadWrite(p.file.name)
	if err != nil {
		return err
	}
	zeros := make([]byte, 1<<20)
	for off := p.end; off < p.file.size && err == nil; off += int64(len(zeros)) {
		_, err = h.WriteAt(zeros[:min(int64(len(zeros)), p.file.size-off)], off)
	}
	if err == nil {
		err = h.Sync()
	}
	if cerr := h.Close(); err == nil {
		err = cerr
	}
	return err
}
