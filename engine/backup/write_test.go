package backup

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/internal/vfs"
)

// breaking is a source whose connection breaks at a byte, the way drivers tell of it.
type breaking struct {
	at  int64
	err error
}

func (s breaking) ReadAt(_ string, p []byte, off int64) (int, error) {
	if off+int64(len(p)) > s.at {
		return 0, s.err
	}
	return len(p), nil
}

// TestBrokenSource has the source end within the last file and at its chunks' borders: there must be no backup then.
func TestBrokenSource(t *testing.T) {
	ctx := context.Background()
	const bytes = 3*chunkBytes + 100
	for _, broken := range []error{io.EOF, io.ErrUnexpectedEOF, errors.New("connection reset")} {
		for _, at := range []int64{0, chunkBytes, 2 * chunkBytes, 3 * chunkBytes, bytes - 1} {
			fs := vfs.NewMem(1)
			d := Description{Files: []engine.BackupFile{{Name: "wal/0000000001.wal", Bytes: bytes}}}
			if _, _, err := Write(ctx, breaking{at, broken}, d, "id", Dir{FS: fs, Path: "backups"}, nil); !errors.Is(err, broken) {
				t.Errorf("broken at %d by %v: %v", at, broken, err)
			}
			for _, name := range []string{"backups/id/wal/0000000001.wal", "backups/id/" + manifestName} {
				if _, err := fs.Stat(name); err == nil {
					t.Errorf("broken at %d by %v: %s is there", at, broken, name)
				}
			}
			if err := writeFile(fs, "log", &plainReader{ctx: ctx, src: breaking{at, broken}, left: bytes}, bytes, 0); !errors.Is(err, broken) {
				t.Errorf("archive, broken at %d by %v: %v", at, broken, err)
			}
		}
	}
}
