package segment

import (
	"errors"
	"fmt"
	"math"
	"path"

	"github.com/omendb/omendb/engine/segment/cache"
	"github.com/omendb/omendb/internal/vfs"
)

// OpenDamaged opens a segment that Open refused with damage, so that the rest
// of a database can be used: it seems to hold a version, newer than all, of
// every key from lower on up to upper, nil being no bound, and every read of it
// returns the damage, named as that of a store.
func OpenDamaged(fs vfs.FS, dir, name string, c *cache.Cache, damage error, store uint64, lower, upper []byte) (*Reader, error) {
	var cause *CorruptionError
	if !errors.As(damage, &cause) {
		return nil, damage
	}
	known := *cause
	known.Store = store
	r := &Reader{path: path.Join(dir, name), cache: c, damage: &known}
	var err error
	if r.file, err = fs.Open(r.path); err != nil {
		return nil, fmt.Errorf("open segment: %w", err)
	}
	size, err := r.file.Size()
	if err != nil {
		_ = r.file.Close() // only read from
		return nil, fmt.Errorf("open segment: %w", err)
	}
	// One block that cannot be read stands for all of them.
	r.fences = &fences{chunks: []uint64{0}, rows: []uint32{0, 1}, offsets: []uint32{0}, lengths: []uint32{crcSize}}
	r.slots = make([]cache.Slot, 1)
	r.id = c.NewFile()
	r.info = Info{Name: name, Size: size, Store: store, Rows: 1, MinKey: lower, MaxKey: upper, MaxTS: math.MaxUint64, Blocks: 1}
	return r, nil
}

// Damaged returns why no row of the segment can be read, nil if that is not so.
func (r *Reader) Damaged() error {
	if r.damage == nil {
		return nil
	}
	return r.damage
}
