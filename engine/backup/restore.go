package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	iofs "io/fs"
	"path"
	"time"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/internal/vfs"
	"github.com/omendb/omendb/wal"
)

// Target says how far a restored log goes; the zero value is the end of the
// backup and, with Archive, of the archived log.
type Target struct {
	LSN     uint64
	Time    time.Time // the last record that is not later
	Label   string    // of a restore point
	Archive string    // directory with an archived log, "" for none
}

func (t Target) isSet() bool { return t.LSN > 0 || !t.Time.IsZero() || t.Label != "" }

// Choose returns the newest backup of a repository that a target can be
// reached from, or the one with an id.
func Choose(fs vfs.FS, dir, id string, t Target) (*Manifest, error) {
	list, err := List(fs, dir)
	if err != nil {
		return nil, err
	}
	for i := len(list) - 1; i >= 0; i-- {
		m := list[i]
		switch {
		case id != "" && m.ID != id:
		case t.LSN > 0 && m.Stop > t.LSN, !t.Time.IsZero() && m.Time > t.Time.UnixMicro():
			if id != "" {
				return nil, &InvalidError{dir, fmt.Sprintf("backup %s was taken after the point asked for: choose an older one", id)}
			}
		default:
			return m, nil
		}
	}
	switch {
	case id != "":
		return nil, &InvalidError{dir, fmt.Sprintf("there is no backup %q", id)}
	case len(list) == 0:
		return nil, &InvalidError{dir, "there is no finished backup here"}
	}
	return nil, &InvalidError{dir, "all backups were taken after the point asked for"}
}

// Restore makes a data directory of a backup. It returns the last LSN in it.
func Restore(ctx context.Context, fs vfs.FS, dir string, m *Manifest, to string, t Target, progress Progress) (wal.LSN, error) {
	names, err := fs.List(to)
	if err != nil && !errors.Is(err, iofs.ErrNotExist) {
		return 0, err
	}
	if len(names) > 0 {
		return 0, fmt.Errorf("%s is not empty: restore into a new directory", to)
	}
	for _, d := range []string{to, path.Join(to, segmentDir), path.Join(to, logDir)} {
		if err := fs.MkdirAll(d); err != nil {
			return 0, err
		}
	}
	var done int64
	total := m.Bytes()
	var last *File
	for i := range m.Files {
		f := &m.Files[i]
		if f.Name == engineName {
			last = f // without it the directory does not open
			continue
		}
		if err := copyFile(ctx, fs, dir, m.ID, f, to); err != nil {
			return 0, err
		}
		if done += f.Bytes; progress != nil {
			progress(done, total)
		}
	}
	if last == nil {
		return 0, &InvalidError{path.Join(dir, m.ID), "the backup has no " + engineName}
	}
	if t.Archive != "" {
		have, err := engine.ReadIdentity(fs, t.Archive)
		if err == nil && !have.IsZero() && !m.Identity().IsZero() && have != m.Identity() {
			err = foreign(t.Archive, have, m.Identity())
		}
		if err != nil {
			return 0, err
		}
		if err := addArchive(fs, t.Archive, to); err != nil {
			return 0, err
		}
		if err := atLeast(ctx, fs, dir, m, to); err != nil {
			return 0, err
		}
	}
	end, err := cut(fs, to, m, t)
	if err != nil {
		return 0, err
	}
	if next := m.Identity(); !next.IsZero() {
		next.Timeline++ // what is written from now on is another history
		if err := engine.WriteIdentity(fs, to, next); err != nil {
			return 0, err
		}
	}
	return end, copyFile(ctx, fs, dir, m.ID, last, to)
}

// copyFile copies a file of a backup and compares it with what BACKUP says.
func copyFile(ctx context.Context, fs vfs.FS, dir, id string, f *File, to string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	source := path.Join(dir, id, f.Name)
	if path.Dir(f.Name) == segmentDir {
		source = path.Join(dir, f.Name)
	}
	in, err := fs.Open(source)
	if errors.Is(err, iofs.ErrNotExist) {
		return &InvalidError{source, "the file is missing from the backup"}
	}
	if err != nil {
		return err
	}
	defer in.Close()
	size, err := in.Size()
	if err != nil {
		return err
	}
	if size != f.Bytes {
		return &InvalidError{source, fmt.Sprintf("the file has %d bytes, the backup had %d", size, f.Bytes)}
	}
	h := &hashed{r: io.NewSectionReader(in, 0, size), h: sha256.New()}
	target := path.Join(to, f.Name)
	if err := writeFile(fs, target, h, f.Bytes, f.Size); err != nil {
		return err
	}
	got := hex.EncodeToString(h.h.Sum(nil))
	if f.SHA256 != "" && got != f.SHA256 || path.Dir(f.Name) == segmentDir && !named(f.Name, got) {
		return &InvalidError{source, "the file is damaged: its checksum is wrong"}
	}
	return nil
}

type hashed struct {
	r io.Reader
	h hash.Hash
}

// Read implements io.Reader.
func (h *hashed) Read(p []byte) (int, error) {
	n, err := h.r.Read(p)
	_, _ = h.h.Write(p[:n]) // cannot fail
	return n, err
}

// cut ends the restored log where the target says.
func cut(fs vfs.FS, to string, m *Manifest, t Target) (wal.LSN, error) {
	logs := path.Join(to, logDir)
	var at wal.LSN
	last, err := wal.Scan(fs, logs, func(r *wal.Record) error {
		label, ok := engine.Label(r)
		switch {
		case t.Label != "":
			if ok && label == t.Label {
				at = r.LSN
			}
		case !t.Time.IsZero():
			if r.Time <= t.Time.UnixMicro() {
				at = r.LSN
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	if last < wal.LSN(m.Stop) {
		return 0, &InvalidError{logs, fmt.Sprintf("the log ends with record %d, the backup with %d", last, m.Stop)}
	}
	if !t.isSet() {
		return last, nil
	}
	if t.LSN > 0 {
		at = wal.LSN(t.LSN)
	}
	switch {
	case at == 0 && t.Label != "":
		return 0, &InvalidError{logs, fmt.Sprintf("the log has no restore point %q up to record %d", t.Label, last)}
	case at > last:
		return 0, &InvalidError{logs, fmt.Sprintf("the log ends with record %d, before the point asked for", last)}
	case at < wal.LSN(m.Stop):
		return 0, &InvalidError{logs, fmt.Sprintf("the backup contains records up to %d, the point asked for is %d: choose an older backup", m.Stop, at)}
	}
	if at == last {
		return last, nil
	}
	return at, wal.Cut(fs, logs, at, path.Join(to, "wal.cut"))
}

// addArchive puts the archived log in the place of the backup's, file by file,
// and the segments that its records link.
func addArchive(fs vfs.FS, archive, to string) error {
	logs := path.Join(to, logDir)
	names, err := fs.List(path.Join(archive, logDir))
	if err != nil {
		return fmt.Errorf("archived log: %w", err)
	}
	have, err := fs.List(logs)
	if err != nil {
		return err
	}
	for _, name := range names {
		if path.Ext(name) != ".wal" || len(have) > 0 && name < have[0] {
			continue
		}
		if err := addFile(fs, path.Join(archive, logDir, name), path.Join(logs, name)); err != nil {
			return err
		}
	}
	var segments []string
	if _, err := wal.Scan(fs, logs, func(r *wal.Record) error {
		segments = append(segments, engine.LinkedSegments(r)...)
		return nil
	}); err != nil {
		return err
	}
	for _, name := range segments {
		source, target := path.Join(archive, segmentDir, name), path.Join(to, segmentDir, name)
		if _, err := fs.Stat(target); err == nil {
			continue
		}
		// One that is in neither place was merged away before the backup began.
		if _, err := fs.Stat(source); errors.Is(err, iofs.ErrNotExist) {
			continue
		}
		if err := addFile(fs, source, target); err != nil {
			return err
		}
	}
	return nil
}

// atLeast puts the backup's own log back where the archive lags behind it.
func atLeast(ctx context.Context, fs vfs.FS, dir string, m *Manifest, to string) error {
	last, err := wal.Scan(fs, path.Join(to, logDir), func(*wal.Record) error { return nil })
	if err != nil || last >= wal.LSN(m.Stop) {
		return err
	}
	for i := range m.Files {
		if f := &m.Files[i]; path.Dir(f.Name) == logDir {
			if err := copyFile(ctx, fs, dir, m.ID, f, to); err != nil {
				return err
			}
		}
	}
	return nil
}

// addFile copies an archived file over what the backup had of it.
func addFile(fs vfs.FS, source, target string) error {
	in, err := fs.Open(source)
	if err != nil {
		return err
	}
	defer in.Close()
	size, err := in.Size()
	if err != nil {
		return err
	}
	if have, err := fs.Open(target); err == nil {
		same, serr := sameLog(in, have)
		herr := have.Close()
		if err := errors.Join(serr, herr); err != nil {
			return err
		}
		if !same {
			return &InvalidError{source, "the archived log belongs to another database, or to another history of this one"}
		}
	}
	return writeFile(fs, target, io.NewSectionReader(in, 0, size), size, 0)
}

// logHeaderBytes tells log files apart: it holds a salt of each one's own.
const logHeaderBytes = 68

func sameLog(a, b vfs.File) (bool, error) {
	x, y := make([]byte, logHeaderBytes), make([]byte, logHeaderBytes)
	if _, err := a.ReadAt(x, 0); err != nil && err != io.EOF {
		return false, err
	}
	if _, err := b.ReadAt(y, 0); err != nil && err != io.EOF {
		return false, err
	}
	return string(x) == string(y), nil
}
