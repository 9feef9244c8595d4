package backup

import (
	"context"
	"fmt"
	"io"
	"path"
	"time"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/internal/task"
	"github.com/omendb/omendb/internal/vfs"
)

// Archiver copies the log, and the data files that it links, into a repository
// at intervals. What it has not copied yet the server keeps. It is used by one
// goroutine at a time.
type Archiver struct {
	db   *engine.DB
	fs   vfs.FS
	dir  string
	next engine.LSN
	held *engine.Backup // keeps files until the next round has its own hold
}

// NewArchiver returns an archiver into dir.
func NewArchiver(db *engine.DB, fs vfs.FS, dir string) *Archiver {
	return &Archiver{db: db, fs: fs, dir: dir, next: 1}
}

// Round archives what has become durable since the last one.
func (a *Archiver) Round(ctx context.Context) error {
	if a.held != nil && a.db.Durable() < a.next {
		return nil
	}
	b, err := a.db.LogSince(ctx, a.next)
	if err != nil {
		return err
	}
	for _, f := range b.Files {
		if err := a.copy(ctx, b, f); err != nil {
			b.Close()
			return fmt.Errorf("archive %s: %w", f.Name, err)
		}
	}
	if a.held != nil {
		a.held.Close()
	}
	a.held, a.next = b, b.Stop+1
	if len(b.Missing) > 0 {
		return &InvalidError{a.dir, fmt.Sprintf("%d data files that the log names were merged away before they could be archived: take a backup now", len(b.Missing))}
	}
	return nil
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
	return writeFile(a.fs, target, &plainReader{ctx: ctx, src: b, name: f.Name, left: f.Bytes}, f.Size)
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
	if a.held != nil {
		a.held.Close()
	}
}
