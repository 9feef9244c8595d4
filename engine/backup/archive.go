package backup

import (
	"context"
	"fmt"
	"io"
	"path"
	"slices"
	"sync"
	"time"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/internal/task"
	"github.com/omendb/omendb/internal/vfs"
)

// Archiver copies the log, and the data files that it links, into a repository
// at intervals. What it has not copied yet the server keeps.
type Archiver struct {
	db    *engine.DB
	fs    vfs.FS
	dir   string
	mu    sync.Mutex // held during a round
	next  engine.LSN
	held  *engine.Backup // keeps files until the next round has its own hold
	whole string         // the newest log file that was archived whole
	last  string         // the newest log file that was archived
	begun uint32         // how many files the log had begun by then
}

// NewArchiver returns an archiver into dir.
func NewArchiver(db *engine.DB, fs vfs.FS, dir string) *Archiver {
	return &Archiver{db: db, fs: fs, dir: dir, next: 1, held: db.TakeArchiveHold()}
}

// Claim makes sure that an archive belongs to a database, and writes into a new
// one whose it is.
func Claim(fs vfs.FS, dir string, id engine.Identity) error {
	if err := fs.MkdirAll(dir); err != nil {
		return err
	}
	have, err := engine.ReadIdentity(fs, dir)
	switch {
	case err != nil:
		return err
	case have.IsZero():
		return engine.WriteIdentity(fs, dir, id)
	case have != id:
		return foreign(dir, have, id)
	}
	return nil
}

// foreign says why an archive does not fit.
func foreign(dir string, have, want engine.Identity) error {
	if have.System == want.System {
		return &InvalidError{dir, fmt.Sprintf("the archived log is of timeline %d of the database, timeline %d is asked for: another history of it", have.Timeline, want.Timeline)}
	}
	return &InvalidError{dir, fmt.Sprintf("the archived log belongs to another database: it has the identity %s, not %s", have, want)}
}

// Round archives what has become durable since the last one.
func (a *Archiver) Round(ctx context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	file, err := a.round(ctx)
	if err != nil && ctx.Err() == nil {
		a.db.NoteArchived(path.Base(file), err)
	}
	return err
}

func (a *Archiver) round(ctx context.Context) (file string, err error) {
	if a.held != nil && a.db.Durable() < a.next {
		if begun := a.db.LogFiles(); begun > a.begun { // the last file has ended, and all of it is here
			a.begun = begun
			a.ended(a.last)
		}
		return "", nil
	}
	if err := Claim(a.fs, a.dir, a.db.Identity()); err != nil {
		return "", err
	}
	b, err := a.db.LogSince(ctx, a.next)
	if err != nil {
		return "", err
	}
	begun := a.db.LogFiles()
	for _, f := range b.Files {
		if err := a.copy(ctx, b, f); err != nil {
			b.Close()
			return f.Name, fmt.Errorf("archive %s: %w", f.Name, err)
		}
	}
	a.count(b.Files)
	if a.held != nil {
		a.held.Close()
	}
	a.held, a.next, a.begun = b, b.Stop+1, begun
	missing := 0
	for _, name := range b.Missing {
		if _, err := a.fs.Stat(path.Join(a.dir, segmentDir, name)); err != nil {
			missing++
		}
	}
	if missing > 0 {
		return "", &InvalidError{a.dir, fmt.Sprintf("%d data files that the log names were merged away before they could be archived: take a backup now", missing)}
	}
	return "", nil
}

// count notes the log files that are archived whole: all but the newest.
func (a *Archiver) count(files []engine.BackupFile) {
	var logs []string
	for _, f := range files {
		if path.Dir(f.Name) == logDir {
			logs = append(logs, path.Base(f.Name))
		}
	}
	slices.Sort(logs)
	if len(logs) == 0 {
		return
	}
	a.last = logs[len(logs)-1]
	for _, name := range logs[:len(logs)-1] {
		a.ended(name)
	}
}

// ended counts a log file that was archived whole, once.
func (a *Archiver) ended(name string) {
	if name > a.whole {
		a.whole = name
		a.db.NoteArchived(name, nil)
	}
}

func (a *Archiver) copy(ctx context.Context, b *engine.Backup, f engine.BackupFile) error {
	target := path.Join(a.dir, f.Name)
	if err := a.fs.MkdirAll(path.Dir(target)); err != nil {
		return err
	}
	if path.Dir(f.Name) == segmentDir {
		if (Dir{a.fs, a.dir}).Has(f.Name, f.Bytes) {
			return nil
		}
	} else if old, err := a.fs.Open(target); err == nil {
		head := make([]byte, logHeaderBytes)
		mine := make([]byte, logHeaderBytes)
		_, err := old.ReadAt(head, 0)
		if cerr := old.Close(); err == nil || err == io.EOF {
			err = cerr
		}
		if err != nil {
			return err
		}
		if _, err := b.ReadAt(f.Name, mine, 0); err != nil {
			return err
		}
		if string(head) != string(mine) {
			return &InvalidError{target, "the archive belongs to another database, or to another history of this one: choose an empty directory"}
		}
	}
	return writeFile(a.fs, target, &plainReader{ctx: ctx, src: b, name: f.Name, left: f.Bytes}, f.Bytes, f.Size)
}

// plainReader reads one file of a source.
type plainReader struct {
	ctx       context.Context
	src       Source
	name      string
	off, left int64
}

// Read implements io.Reader.
func (r *plainReader) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.src.ReadAt(r.name, p[:min(int64(len(p)), r.left, chunkBytes)], r.off)
	if err == nil && n == 0 {
		err = io.ErrUnexpectedEOF
	}
	r.off += int64(n)
	r.left -= int64(n)
	return n, err
}

// Run archives at intervals until ctx ends; fail is told of rounds that did not work.
func (a *Archiver) Run(ctx context.Context, tasks task.Executor, every time.Duration, fail func(error)) {
	var round func()
	round = func() {
		if ctx.Err() != nil {
			return
		}
		if err := a.Round(ctx); err != nil && ctx.Err() == nil {
			fail(err)
		}
		tasks.After(every, "backup.archive", round)
	}
	tasks.Submit("backup.archive", round)
}

// Close lets go of the log.
func (a *Archiver) Close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.held != nil {
		a.held.Close()
	}
}
