package engine

import (
	"context"
	"errors"
	"fmt"
	iofs "io/fs"
	"maps"
	"path"
	"slices"
	"sort"
	"sync"

	"github.com/omendb/omendb/internal/vfs"
	"github.com/omendb/omendb/wal"
)

// BackupFile is a file of a backup, by its path in the data directory.
type BackupFile struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`          // of content
	Size  int64  `json:"size,omitempty"` // the file's, when it is larger than its content
}

// Backup is a consistent state of the database at one point of the log, whose
// files stay as they are until it is closed. Writers are not held up.
type Backup struct {
	Label       string
	Start, Stop LSN   // the log that it contains; the state is that of Stop
	Time        int64 // wall time of Stop, µs
	Files       []BackupFile
	Missing     []string // LogSince: segments that records link and that are gone

	db       *DB
	pin      uint64
	manifest []byte
	release  func()
	once     sync.Once
}

// backups knows the open ones and the segments that they may still want.
type backups struct {
	mu      sync.Mutex
	last    uint64 // number of the newest
	open    map[uint64]bool
	removed []removedSegment

	sessions map[int32]*Backup
}

// removedSegment is one that nothing but a backup refers to.
type removedSegment struct {
	name string
	size int64
	last uint64 // backups up to this one were there when it was removed
}

// pin keeps all segments from being removed until unpin.
func (k *backups) pin() uint64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.open == nil {
		k.open = make(map[uint64]bool)
	}
	k.last++
	k.open[k.last] = true
	return k.last
}

// unpin returns what can be removed now.
func (k *backups) unpin(n uint64) (free []removedSegment) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.open, n)
	oldest := k.last + 1
	for o := range k.open {
		oldest = min(oldest, o)
	}
	rest := k.removed[:0]
	for _, s := range k.removed {
		if s.last < oldest {
			free = append(free, s)
		} else {
			rest = append(rest, s)
		}
	}
	k.removed = rest
	return free
}

// StartBackup flushes what is in memory and takes the state of the database as
// it is then.
func (db *DB) StartBackup(ctx context.Context) (_ *Backup, err error) {
	if err := db.Flush(ctx); err != nil {
		return nil, err
	}
	b := &Backup{db: db, pin: db.backups.pin()}
	defer func() {
		if err != nil {
			b.Close()
		}
	}()
	// The manifest must not be replaced between being read and its log being held.
	db.manifestTurn.lock(db.opts.Tasks)
	b.manifest, err = vfs.ReadFile(db.opts.FS, path.Join(db.opts.Dir, manifestName))
	var m *manifest
	if err == nil {
		m, err = decodeManifest(b.manifest)
	}
	if err == nil {
		b.Start = m.applied + 1
		b.release = db.log.Hold(b.Start)
	}
	db.manifestTurn.unlock()
	if err != nil {
		return nil, fmt.Errorf("start backup: %w", err)
	}
	if err := b.list(ctx, m); err != nil {
		return nil, fmt.Errorf("start backup: %w", err)
	}
	return b, nil
}

// list finds the files that the state consists of.
func (b *Backup) list(ctx context.Context, m *manifest) error {
	parts, last, release, err := b.db.log.Snapshot(ctx, b.Start)
	if err != nil {
		return err
	}
	if hold := b.release; hold != nil {
		b.release = func() { release(); hold() }
	} else {
		b.release = release
	}
	b.Stop, b.Time = last, b.db.opts.Clock.Now().UnixMicro()
	segments := map[string]bool{}
	prepared := map[uint64][]string{} // and not ended: what ended has let go of files that nobody needs any more
	var catalog LSN                   // up to here the manifest knows what became of linked segments
	if m != nil {
		catalog = m.catalog
		b.Files = []BackupFile{{Name: manifestName, Bytes: int64(len(b.manifest))}}
		for _, s := range m.stores {
			for _, g := range s.segments {
				segments[g.name] = true
			}
		}
		for _, p := range m.prepared {
			if xid, ok := preparedXID(p.body); ok {
				body, _ := preparedCommit(p.body)
				prepared[xid] = linkedSegments(body)
			}
		}
	}
	r, err := b.db.log.ReadFrom(b.Start)
	if err != nil {
		return err
	}
	defer r.Close()
	for lsn := b.Start; lsn <= last; lsn++ {
		rec, err := r.Next()
		if err != nil {
			return err
		}
		if xid, ends := endsPrepared(rec); ends {
			delete(prepared, xid)
		}
		if xid, ok := preparedXID(rec.Body); ok && rec.Kind == kindPrepare && lsn > catalog && m != nil {
			prepared[xid] = LinkedSegments(rec)
		} else if lsn > catalog {
			for _, name := range LinkedSegments(rec) {
				segments[name] = true
			}
		}
	}
	for _, names := range prepared {
		for _, name := range names {
			segments[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(segments)) { // in order: one seed, one run
		info, err := b.db.opts.FS.Stat(path.Join(b.db.opts.Dir, segmentDir, name))
		if m == nil && errors.Is(err, iofs.ErrNotExist) {
			b.Missing = append(b.Missing, name)
			continue
		}
		if err != nil {
			return err
		}
		b.Files = append(b.Files, BackupFile{Name: path.Join(segmentDir, name), Bytes: info.Size()})
	}
	for _, p := range parts {
		b.Files = append(b.Files, BackupFile{Name: path.Join(logDir, p.Name), Bytes: p.Bytes, Size: p.Size})
	}
	sort.Slice(b.Files, func(i, k int) bool { return b.Files[i].Name < b.Files[k].Name })
	return nil
}

// endsPrepared returns the prepared transaction that a record ends, if it ends one.
func endsPrepared(r *wal.Record) (xid uint64, ends bool) {
	d := decoder{b: r.Body}
	d.byte()
	return d.uvarint(), (r.Kind == kindCommitPrepared || r.Kind == kindAbortPrepared) && d.err == nil
}

// ReadAt reads a part of one of the files; beyond its content there is nothing.
func (b *Backup) ReadAt(name string, p []byte, off int64) (int, error) {
	for _, f := range b.Files {
		if f.Name != name {
			continue
		}
		if off < 0 || off >= f.Bytes {
			return 0, nil
		}
		p = p[:min(int64(len(p)), f.Bytes-off)]
		if name == manifestName {
			return copy(p, b.manifest[off:]), nil
		}
		h, err := b.db.opts.FS.Open(path.Join(b.db.opts.Dir, name))
		if err != nil {
			return 0, err
		}
		n, err := h.ReadAt(p, off)
		if cerr := h.Close(); err == nil {
			err = cerr
		}
		if n == len(p) {
			err = nil
		}
		return n, err
	}
	return 0, fmt.Errorf("file %q is not part of the backup", name)
}

// Close lets the files go.
func (b *Backup) Close() {
	b.once.Do(func() {
		if b.release != nil {
			b.release()
		}
		for _, s := range b.db.backups.unpin(b.pin) {
			b.db.removeSegment(s.name, s.size)
		}
	})
}

// keeps notes a segment that a backup may still want, and reports whether one does.
func (k *backups) keeps(name string, size int64) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.open) > 0 {
		k.removed = append(k.removed, removedSegment{name, size, k.last})
	}
	return len(k.open) > 0
}

// LinkedSegments returns the names of the segments that a record of the log
// makes part of the database: archives and replicas take them for part of the log.
func LinkedSegments(r *wal.Record) (names []string) {
	body := r.Body
	switch r.Kind {
	case kindCommit, kindCommitPrepared:
	case kindPrepare:
		body, _ = preparedCommit(r.Body)
	default:
		return nil
	}
	return linkedSegments(body)
}

// linkedSegments returns the segments that the body of a commit record links.
func linkedSegments(body []byte) (names []string) {
	d := decoder{b: body}
	if d.byte() != recordVersion {
		return nil
	}
	d.uvarint()
	for len(d.b) > 0 && d.err == nil {
		switch kind := ddlKind(d.byte()); kind {
		case sectionWrites:
			d.uvarint()
			for range d.count() {
				d.byte()
				d.bytes()
				d.bytes()
				if d.err != nil {
					return names
				}
			}
		case sectionLink, sectionLinkAsOf:
			if kind == sectionLinkAsOf {
				d.uvarint()
			}
			d.uvarint()
			for range d.count() {
				if name := d.string(); d.err == nil {
					names = append(names, name)
				}
			}
		case ddlCreateStore, ddlAlterStore:
			d.def()
		case ddlDropStore, ddlDropSequence, ddlEndHorizon:
			d.uvarint()
		case ddlMoveHorizon:
			d.uvarint()
			d.uvarint()
			d.varint()
		case ddlCreateSequence:
			d.uvarint()
			d.varint()
			d.bool()
		default:
			return names
		}
	}
	return names
}

// maxLabelBytes bounds the name of a restore point, as in PostgreSQL.
const maxLabelBytes = 63

// SessionBackup returns the backup that a session has under way, or nil.
func (db *DB) SessionBackup(pid int32) *Backup {
	db.backups.mu.Lock()
	defer db.backups.mu.Unlock()
	return db.backups.sessions[pid]
}

// SetSessionBackup gives a session a backup, which ends with the session at the
// latest, and closes the one that it had.
func (db *DB) SetSessionBackup(pid int32, b *Backup) {
	db.backups.mu.Lock()
	old := db.backups.sessions[pid]
	if db.backups.sessions == nil {
		db.backups.sessions = make(map[int32]*Backup)
	}
	if delete(db.backups.sessions, pid); b != nil {
		db.backups.sessions[pid] = b
	}
	db.backups.mu.Unlock()
	if old != nil {
		old.Close()
	}
}

// LogSince takes the files of the log from a record on, with the segments that
// its records link, for an archive.
func (db *DB) LogSince(ctx context.Context, from LSN) (_ *Backup, err error) {
	b := &Backup{db: db, pin: db.backups.pin(), Start: max(from, db.log.First())}
	if err := b.list(ctx, nil); err != nil {
		b.Close()
		return nil, fmt.Errorf("archive log: %w", err)
	}
	return b, nil
}

// RestorePoint puts a name into the log, which recovery to a point can be told.
func (db *DB) RestorePoint(ctx context.Context, label string) (LSN, error) {
	if label == "" || len(label) > maxLabelBytes {
		return 0, errors.New("value too long for restore point (maximum 63 characters)")
	}
	var e encoder
	e.byte(recordVersion)
	e.string(label)
	return db.propose(ctx, kindLabel, e.b, nil, false)
}

// Label returns the name that a record of RestorePoint carries.
func Label(r *wal.Record) (string, bool) {
	d := decoder{b: r.Body}
	if r.Kind != kindLabel || d.byte() != recordVersion {
		return "", false
	}
	s := d.string()
	return s, d.err == nil
}

// Durable returns the position up to which the log is durable.
func (db *DB) Durable() LSN { return db.log.Durable() }
