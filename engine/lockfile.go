package engine

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/segment"
	"github.com/omendb/omendb/engine/txn"
)

// The row locks of a prepared transaction that had packed them (package txn)
// are in a segment that its record names beside those with its rows, under the
// number of no store. It goes when the transaction ends.
//
//	key  shard u8, store u64, B of the lock's tag u64, big-endian
//	row  the modes, a bit each
const lockStore StoreID = 0

const lockKeyBytes = 17

var lockDef = newStoreDef(StoreDef{ID: lockStore, Name: "locks", Columns: []ColumnDef{{Kind: column.Int, Missing: column.Null()}}})

// saveLocks writes the packed locks into a segment, if there are any.
func (t *Txn) saveLocks() error {
	var w *segment.Writer
	err := t.db.locks.EachPacked(t.owner, func(shard int, store uint64, locks []txn.Packed) error {
		if w == nil {
			w = t.db.newWriter(lockDef)
		}
		slices.SortFunc(locks, func(a, b txn.Packed) int { return cmp.Compare(a.B, b.B) })
		key := make([]byte, lockKeyBytes)
		key[0] = byte(shard)
		binary.BigEndian.PutUint64(key[1:], store)
		for i, k := range locks {
			modes := k.Modes
			if i+1 < len(locks) && locks[i+1].B == k.B { // taken at several levels
				locks[i+1].Modes |= modes
				continue
			}
			binary.BigEndian.PutUint64(key[9:], k.B)
			if err := w.Add(key, unstamped, false, nil, []column.Datum{column.IntDatum(int64(modes))}); err != nil {
				return err
			}
		}
		return nil
	})
	if w == nil || err != nil {
		if w != nil {
			w.Abort()
		}
		return ioError(err)
	}
	info, err := w.Finish()
	if err != nil {
		return ioError(err)
	}
	t.lockRuns, err = t.db.openRuns([]segment.Info{info}, unstamped)
	return ioError(err)
}

// restoreLocks takes the locks that saveLocks has written.
func (t *Txn) restoreLocks(r *run) error {
	it := r.reader.Versions(nil, nil)
	for it.Next() {
		row, err := it.Row()
		if err != nil {
			return err
		}
		key := it.Key()
		if len(key) != lockKeyBytes || len(row) != 1 {
			return errMalformed
		}
		t.db.locks.RestorePacked(t.owner, binary.BigEndian.Uint64(key[1:]), txn.Packed{B: binary.BigEndian.Uint64(key[9:]), Modes: uint8(row[0].I)})
	}
	return it.Err()
}
