package engine

import (
	"context"
	"errors"
	"fmt"
	iofs "io/fs"
	"path"

	"github.com/omendb/omendb/engine/segment"
	"github.com/omendb/omendb/engine/segment/cache"
	"github.com/omendb/omendb/internal/vfs"
	"github.com/omendb/omendb/wal"
)

// Damage is what Inspect or the scrub has found: a file, or a stretch of one.
type Damage struct {
	File     string
	Offset   int64
	Store    StoreID // of a segment
	Name     string  // the store's
	Min, Max []byte  // the rows that cannot be read have keys between these, where the footer can be read
	Err      error
}

// Inspect reads all files of a database that nobody has open, changing none:
// manifest, every segment, and the log, which it recovers in memory. It calls
// report for every damaged file and returns how many bytes of segments it read.
// The error is one of reading, not damage.
func Inspect(ctx context.Context, o Options, report func(Damage), progress func(done, total int64)) (int64, error) {
	lock, err := o.FS.Lock(path.Join(o.Dir, lockName))
	if err != nil {
		return 0, fmt.Errorf("inspect database: %w", err)
	}
	defer func() {
		if lock != nil {
			_ = lock.Close() // nothing was written
		}
	}()
	m, err := readManifest(o.FS, o.Dir)
	if err == nil && m == nil {
		err = &CorruptionError{File: manifestName, Detail: "missing"}
	}
	if err != nil {
		return 0, told(err, Damage{File: manifestName}, report)
	}
	done, damaged, err := inspectSegments(ctx, o, m, report, progress)
	if err != nil || damaged {
		return done, err
	}
	// The log is judged by who knows it best: recovery, on a copy in memory.
	if err := lock.Close(); err != nil {
		return done, err
	}
	lock = nil
	o.FS = vfs.NewOverlay(o.FS)
	db, err := Open(o)
	if err == nil {
		err = errors.Join(db.verifyLog(ctx), db.Close())
	}
	if err != nil {
		err = told(err, Damage{}, report)
	}
	return done, err
}

// told reports damage; another error it returns.
func told(err error, d Damage, report func(Damage)) error {
	c, ok := Corruption(err)
	var newer *VersionError
	var newerSegment *segment.VersionError
	switch {
	case ok:
		d.File = c.File
	case errors.As(err, &newer):
		d.File = newer.File
	case errors.As(err, &newerSegment):
		d.File = newerSegment.File
	case errors.Is(err, iofs.ErrNotExist) && d.File != "":
	default:
		return err
	}
	d.Err = err
	report(d)
	return nil
}

func inspectSegments(ctx context.Context, o Options, m *manifest, report func(Damage), progress func(done, total int64)) (done int64, damaged bool, err error) {
	c := cache.New(1 << 20)
	defer c.Close()
	dir := path.Join(o.Dir, segmentDir)
	var total int64
	for _, s := range m.stores {
		for _, g := range s.segments {
			if info, err := o.FS.Stat(path.Join(dir, g.name)); err == nil {
				total += info.Size()
			}
		}
	}
	for _, s := range m.stores {
		for _, g := range s.segments {
			d := Damage{File: path.Join(dir, g.name), Store: s.def.ID, Name: s.def.Name}
			r, err := segment.Open(o.FS, dir, g.name, c, segment.OpenOptions{Timestamp: g.stamp})
			if err == nil {
				i := r.Info()
				d.Min, d.Max = i.MinKey, i.MaxKey
				err = r.Verify(ctx, func(part, whole int64) {
					if progress != nil && whole > 0 {
						progress(done+int64(float64(i.Size)*float64(part)/float64(whole)), total)
					}
				})
				done += i.Size
				if _, is := Corruption(err); is {
					damaged = true
					tellParts(ctx, r, err, d, report)
					err = nil
				}
				err = errors.Join(err, r.Close())
			}
			if err != nil {
				damaged = true
				if err := told(err, d, report); err != nil {
					return done, damaged, err
				}
			}
		}
	}
	return done, damaged, nil
}

// tellParts reports the damaged stretches of a segment, with keys around each.
func tellParts(ctx context.Context, r *segment.Reader, err error, d Damage, report func(Damage)) {
	for _, part := range damageOf(ctx, r, err) {
		part.File, part.Store, part.Name = d.File, d.Store, d.Name
		report(part)
	}
}

// RecoverTo gives up what the log holds after a record, for a database that
// nobody has open: the way out when the log is damaged behind it. What is
// changed is kept in a folder beside the log. Records that data files contain
// already cannot be given up.
func RecoverTo(fs vfs.FS, dir string, lsn LSN) error {
	lock, err := fs.Lock(path.Join(dir, lockName))
	if err != nil {
		return err
	}
	defer lock.Close()
	m, err := readManifest(fs, dir)
	if err == nil && m == nil {
		err = &CorruptionError{File: manifestName, Detail: "missing"}
	}
	if err != nil {
		return err
	}
	if lsn < m.catalog {
		return fmt.Errorf("the data files contain records up to %d: nothing before can be given up; restore a backup", m.catalog)
	}
	return cutLog(fs, dir, lsn)
}

func cutLog(fs vfs.FS, dir string, lsn LSN) error {
	return wal.Cut(fs, path.Join(dir, logDir), lsn, path.Join(dir, fmt.Sprintf("wal.before-recovery-to-%d", lsn)))
}
