package backup

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"path"

	"github.com/klauspost/compress/zstd"

	"github.com/omendb/omendb/internal/vfs"
)

// Tar is the sink that writes one compressed stream. Close ends it.
type Tar struct {
	z *zstd.Encoder
	t *tar.Writer
}

// NewTar returns a sink that writes to w.
func NewTar(w io.Writer) (*Tar, error) {
	z, err := zstd.NewWriter(w)
	if err != nil {
		return nil, err
	}
	return &Tar{z: z, t: tar.NewWriter(z)}, nil
}

// Has implements Sink: a stream holds nothing yet.
func (t *Tar) Has(string, int64) bool { return false }

// Put implements Sink.
func (t *Tar) Put(name string, bytes int64, r io.Reader) error {
	if err := t.t.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: bytes}); err != nil {
		return err
	}
	_, err := io.Copy(t.t, r)
	return err
}

// Close ends the stream.
func (t *Tar) Close() error {
	return errors.Join(t.t.Close(), t.z.Close())
}

// Unpack writes the files of a stream into a repository. What comes out is
// checked by Restore.
func Unpack(r io.Reader, name string, fs vfs.FS, dir string) error {
	invalid := func(err error) error {
		return &InvalidError{name, fmt.Sprintf("not a backup file, or cut off or damaged: %v", err)}
	}
	z, err := zstd.NewReader(r, zstd.WithDecoderMaxMemory(1<<30))
	if err != nil {
		return invalid(err)
	}
	defer z.Close()
	t := tar.NewReader(z)
	for {
		h, err := t.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return invalid(err)
		}
		if path.Clean("/"+h.Name) != "/"+h.Name || h.Typeflag != tar.TypeReg {
			return invalid(fmt.Errorf("it holds %q", h.Name))
		}
		target := path.Join(dir, h.Name)
		if err := fs.MkdirAll(path.Dir(target)); err != nil {
			return err
		}
		in := &streamReader{r: t}
		err = writeFile(fs, target, in, h.Size, 0)
		if in.err != nil {
			return invalid(in.err)
		}
		if err != nil {
			return err
		}
	}
}

// streamReader keeps the stream's error apart from those of writing.
type streamReader struct {
	r   io.Reader
	err error
}

// Read implements io.Reader.
func (s *streamReader) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err, err = err, io.EOF
	}
	return n, err
}
