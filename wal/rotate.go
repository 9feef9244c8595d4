package wal

import (
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/omendb/omendb/internal/event"
)

// spare is a file that holds nothing and waits for reuse.
type spare struct {
	name string
	size int64
}

// rotate ends the current file and goes on in a new one that has room for a
// record of need bytes. On error without poison the current file stays.
func (l *Log) rotate(need int64) error {
	start := l.opts.Clock.Now()
	// Files before the last are never torn: reading relies on that.
	if l.Last() > l.Durable() {
		if err := l.syncCurrent(); err != nil {
			return err
		}
	}
	next, how, err := l.begin(l.cur.gen+1, l.cur.gen, l.Last()+1, max(l.opts.FileBytes, headerBytes+need))
	if err != nil {
		return fmt.Errorf("rotate log: %w", err)
	}
	l.use(next)
	l.opts.Events.Emit(event.Event{
		Name: event.WALRotate, Duration: l.opts.Clock.Since(start), File: next.name,
		LSN: uint64(next.first), Detail: how,
	})
	l.fillSpares()
	return nil
}

// use makes f, which begin returned, the current file.
func (l *Log) use(f *logFile) {
	old := l.cur
	l.cur, l.tail, l.marked = f, headerBytes, f.durab
	l.mu.Lock()
	defer l.mu.Unlock()
	l.files = append(l.files, f)
	if old == nil {
		return
	}
	if l.beside.file == old {
		l.beside.orphan = old.handle
	} else {
		_ = old.handle.Close() // everything in it is synced
	}
	old.handle = nil
}

// begin makes a file that continues the chain at first. Its header is durable
// before its name appears.
func (l *Log) begin(gen, prev uint32, first LSN, size int64) (*logFile, string, error) {
	sp, how, err := l.takeSpare(size)
	if err != nil {
		return nil, "", err
	}
	now := l.opts.Clock.Now()
	l.lastTime = max(l.lastTime, now.UnixMicro())
	f := &logFile{
		name: logName(l.opts.Dir, gen), gen: gen, prev: prev, first: first, term: l.opts.Term, durab: first - 1,
		// Not secret, but nothing that a client could know when it stores bytes.
		salt: uint64(now.UnixNano())*0x9e3779b97f4a7c15 + uint64(gen),
		time: l.lastTime, size: sp.size,
	}
	f.seed = crcSeed(f.salt, f.gen)
	if f.handle, err = l.opts.FS.OpenReadWrite(sp.name); err == nil {
		err = l.name(f, sp)
	}
	if err != nil {
		if f.handle != nil {
			f.handle.Close()
		}
		if isSpace(err) {
			l.putSpare(sp) // its room is worth keeping
		} else {
			_ = l.opts.FS.Remove(sp.name) // the first error counts
		}
		return nil, "", err
	}
	return f, how, nil
}

// name writes the header into a spare file and gives it its name.
func (l *Log) name(f *logFile, sp spare) error {
	if _, err := f.handle.WriteAt(f.encodeHeader(), 0); err != nil {
		return err
	}
	if err := f.handle.Sync(); err != nil {
		return l.poison(err)
	}
	if err := l.opts.FS.Rename(sp.name, f.name); err != nil {
		return err
	}
	if err := l.opts.FS.SyncDir(l.opts.Dir); err != nil {
		return l.poison(err)
	}
	return nil
}

// takeSpare returns a spare file of at least size bytes, making one if needed.
func (l *Log) takeSpare(size int64) (spare, string, error) {
	l.mu.Lock()
	for i, sp := range l.spares {
		if sp.size >= size {
			l.spares = append(l.spares[:i], l.spares[i+1:]...)
			l.mu.Unlock()
			return sp, "recycled", nil
		}
	}
	l.mu.Unlock()
	sp, err := l.makeSpare(size)
	return sp, "created", err
}

func (l *Log) putSpare(sp spare) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.spares = append(l.spares, sp)
}

func (l *Log) nextSpareName() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.spareSeq++
	return spareName(l.opts.Dir, l.spareSeq)
}

// makeSpare creates a file of size bytes, all of them written once: a sync of
// reserved but unwritten blocks would have to write the file system's journal
// as well.
func (l *Log) makeSpare(size int64) (spare, error) {
	size = (size + fileBlockSize - 1) &^ (fileBlockSize - 1)
	sp := spare{name: l.nextSpareName(), size: size}
	h, err := l.opts.FS.Create(sp.name)
	if err != nil {
		return spare{}, err
	}
	err = h.Preallocate(size)
	if err == nil && !l.opts.SkipZeroFill {
		zeros := make([]byte, min(size, 1<<20))
		for off := int64(0); off < size && err == nil; off += int64(len(zeros)) {
			_, err = h.WriteAt(zeros[:min(int64(len(zeros)), size-off)], off)
		}
		if err == nil {
			err = h.Sync() // now, not when the first commit waits for it
		}
	}
	if cerr := h.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		_ = l.opts.FS.Remove(sp.name) // give the room back; the first error counts
		return spare{}, err
	}
	return sp, nil
}

// fillSpares has one spare file made in the background when there is none, so
// that the next rotation need not wait for it.
func (l *Log) fillSpares() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.filling || len(l.spares) > 0 || l.opts.SpareFiles < 0 || l.state() != nil {
		return
	}
	l.filling = true
	l.opts.Tasks.Submit("wal.allocate", func() {
		sp, err := l.makeSpare(l.opts.FileBytes)
		l.mu.Lock()
		defer l.mu.Unlock()
		if err == nil { // else the rotation tries again and reports
			l.spares = append(l.spares, sp)
		}
		l.filling = false
		l.wakeLocked()
	})
}

// retire turns a file that is no longer needed into a spare, or removes it
// when there are enough. The change of name is durable on return: files must
// disappear oldest first, and a spare may be overwritten.
func (l *Log) retire(f *logFile) error {
	l.mu.Lock()
	keep := len(l.spares) < l.opts.SpareFiles && f.size == l.opts.FileBytes
	l.mu.Unlock()
	sp := spare{name: l.nextSpareName(), size: f.size}
	var err error
	if keep {
		err = l.opts.FS.Rename(f.name, sp.name)
	} else {
		err = l.opts.FS.Remove(f.name)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := l.opts.FS.SyncDir(path.Clean(l.opts.Dir)); err != nil {
		return l.poison(err)
	}
	if keep {
		l.putSpare(sp)
	}
	return nil
}
