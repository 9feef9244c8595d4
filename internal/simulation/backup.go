package simulation

import (
	"fmt"
	"path"
	"time"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/internal/vfs"
)

// backup takes a backup, lets the others flush, merge and recycle the log for a
// while, and reads its files only then. What comes out has to be one state of the
// history, with everything that was acknowledged when the backup began.
func (c *client) backup() {
	w := c.w
	promised := Crash{At: "a backup", acked: w.acked, sequence: w.sequence, store: w.store, xid: w.xid}
	b, err := w.db.StartBackup(ctx)
	if !c.expect("start backup", err) {
		return
	}
	defer b.Close()
	promised.ended = w.ended()
	c.sleep(time.Duration(c.rng.IntN(400)) * time.Millisecond)
	disk := vfs.NewMem(c.rng.Uint64())
	if !c.expect("copy backup", copyBackup(disk, b)) || w.faulty {
		return // a fault may have shortened what was read
	}
	promised.disk = disk
	if _, _, err := w.recover(&promised, 0, new(Result)); err != nil {
		w.fail(fmt.Errorf("backup from record %d to %d: %w", b.Start, b.Stop, err))
	}
}

// copyBackup writes a backup's files where a database can be opened.
func copyBackup(disk *vfs.Mem, b *engine.Backup) error {
	for _, dir := range []string{"wal", "segments"} {
		if err := disk.MkdirAll(path.Join(Dir, dir)); err != nil {
			return err
		}
	}
	for _, f := range b.Files {
		h, err := disk.Create(path.Join(Dir, f.Name))
		if err != nil {
			return err
		}
		p := make([]byte, f.Bytes)
		n, err := b.ReadAt(f.Name, p, 0)
		if err == nil && int64(n) < f.Bytes {
			err = fmt.Errorf("%s has %d bytes, the backup lists %d", f.Name, n, f.Bytes)
		}
		if err == nil {
			_, err = h.WriteAt(p, 0)
		}
		if err == nil && f.Size > f.Bytes {
			err = h.Truncate(f.Size)
		}
		if cerr := h.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			return err
		}
	}
	return nil
}
