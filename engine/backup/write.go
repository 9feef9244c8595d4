package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"path"
	"strings"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/internal/vfs"
)

// Source is a state of a database that can be copied: *engine.Backup, or the
// same read over a connection.
type Source interface {
	ReadAt(name string, p []byte, off int64) (int, error)
}

// Description says what a Source holds.
type Description struct {
	Label    string              `json:"label"`
	Server   string              `json:"server"`
	Start    uint64              `json:"start_lsn"`
	Stop     uint64              `json:"stop_lsn"`
	Time     int64               `json:"stop_time_us"`
	Identity engine.Identity     `json:"identity"`
	Files    []engine.BackupFile `json:"files"`
}

// Sink takes the files of a backup in the order in which they are put.
type Sink interface {
	// Has reports whether a segment is there already.
	Has(name string, bytes int64) bool
	// Put takes a file of so many bytes.
	Put(name string, bytes int64, r io.Reader) error
}

// Progress is told how many bytes of how many are done.
type Progress func(done, total int64)

// chunkBytes is what is read at once, over a connection too.
const chunkBytes = 1 << 20

// Write copies a source into a sink under an id.
func Write(ctx context.Context, src Source, d Description, id string, to Sink, progress Progress) (*Manifest, int64, error) {
	m := &Manifest{Kind: kind, Format: formatVersion, ID: id, Label: d.Label, Server: d.Server, Start: d.Start, Stop: d.Stop, Time: d.Time,
		System: d.Identity.System, Timeline: d.Identity.Timeline}
	var total, done, copied int64
	for _, f := range d.Files {
		total += f.Bytes
	}
	for _, f := range d.Files {
		target := path.Join(id, f.Name)
		reused := false
		if path.Dir(f.Name) == segmentDir {
			target = f.Name
			reused = to.Has(target, f.Bytes)
		}
		file := File{Name: f.Name, Bytes: f.Bytes, Size: f.Size}
		if !reused {
			r := &sourceReader{ctx: ctx, src: src, name: f.Name, left: f.Bytes, hash: sha256.New(), tell: func(n int64) {
				if done += n; progress != nil {
					progress(done, total)
				}
			}}
			if err := to.Put(target, f.Bytes, r); err != nil {
				return nil, copied, fmt.Errorf("copy %s: %w", f.Name, err)
			}
			file.SHA256 = hex.EncodeToString(r.hash.Sum(nil))
			if path.Dir(f.Name) == segmentDir && !named(f.Name, file.SHA256) {
				return nil, copied, &InvalidError{f.Name, "the data file is damaged in the database: its content is not that of its name"}
			}
			copied += f.Bytes
		} else if done += f.Bytes; progress != nil {
			progress(done, total)
		}
		m.Files = append(m.Files, file)
	}
	b := m.encode()
	return m, copied, to.Put(path.Join(id, manifestName), int64(len(b)), strings.NewReader(string(b)))
}

// named reports whether a segment's name is that of its content.
func named(name, hash string) bool {
	base := strings.TrimSuffix(path.Base(name), path.Ext(name))
	return base != "" && strings.HasPrefix(hash, base)
}

// sourceReader reads one file of a source from its beginning to its end.
type sourceReader struct {
	ctx  context.Context
	src  Source
	name string
	off  int64
	left int64
	hash hash.Hash
	tell func(int64)
}

// Read implements io.Reader.
func (r *sourceReader) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	p = p[:min(int64(len(p)), r.left, chunkBytes)]
	n, err := r.src.ReadAt(r.name, p, r.off)
	if err == nil && n < len(p) {
		err = &InvalidError{r.name, fmt.Sprintf("the file ends at %d", r.off+int64(n))}
	}
	if err != nil {
		return 0, err
	}
	r.off += int64(n)
	r.left -= int64(n)
	_, _ = r.hash.Write(p) // cannot fail
	r.tell(int64(n))
	return n, nil
}

// Dir is the sink that writes into a repository.
type Dir struct {
	FS   vfs.FS
	Path string
}

// Has implements Sink.
func (d Dir) Has(name string, bytes int64) bool {
	info, err := d.FS.Stat(path.Join(d.Path, name))
	return err == nil && info.Size() == bytes
}

// Put implements Sink.
func (d Dir) Put(name string, bytes int64, r io.Reader) error {
	name = path.Join(d.Path, name)
	if err := d.FS.MkdirAll(path.Dir(name)); err != nil {
		return err
	}
	return writeFile(d.FS, name, r, bytes, 0)
}

// writeFile writes a file of so many bytes durably, under a temporary name first; size, if larger, is the file's. A reader
// that ends early is an error, whatever it says: a connection that breaks ends a file as well.
func writeFile(fs vfs.FS, name string, r io.Reader, bytes, size int64) error {
	temp := name + ".tmp"
	f, err := fs.Create(temp)
	if err != nil {
		return err
	}
	buf := make([]byte, min(chunkBytes, bytes))
	var off int64
	for err == nil && off < bytes {
		part := buf[:min(chunkBytes, bytes-off)]
		if _, err = io.ReadFull(r, part); err != nil {
			err = fmt.Errorf("%s: read byte %d of %d: %w", name, off, bytes, err)
			break
		}
		_, err = f.WriteAt(part, off)
		off += int64(len(part))
	}
	if err == nil && size > off {
		err = f.Truncate(size)
	}
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = fs.Rename(temp, name)
	}
	if err != nil {
		_ = fs.Remove(temp) // the first error counts
		return err
	}
	return fs.SyncDir(path.Dir(name))
}
