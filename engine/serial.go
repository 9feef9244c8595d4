package engine

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/omendb/omendb/engine/memtable"
	"github.com/omendb/omendb/engine/txn"
)

// What serializable transactions do differently: they report what they read
// and write to txn.Serial, which fails them when they cannot be put in an
// order. Transactions of other levels pay one comparison with nil.

// begin takes the transaction's one snapshot, unless it has it.
func (t *Txn) begin() {
	if t.start.shard != nil {
		return
	}
	if t.opts.Isolation != Serializable {
		t.db.register(&t.start)
		return
	}
	t.serial = t.db.serial.Begin(t.owner.ProcessID(), t.opts.ReadOnly, func() uint64 {
		t.db.register(&t.start)
		return t.start.ts
	})
	if t.serial != nil {
		t.serial.SetXID(t.xid)
	}
}

// importSerial makes the transaction one that sees what a serializable one sees
// whose snapshot was exported. It reports false when that one has ended.
func (t *Txn) importSerial(e *Exported) (ok bool) {
	e.reg.copyTo(&t.start)
	if e.serial == nil { // safe, and so is this one
		return true
	}
	if t.serial, ok = t.db.serial.Import(e.serial, t.owner.ProcessID(), t.opts.ReadOnly); !ok {
		t.start.unregister()
	}
	return ok
}

// AwaitSafeSnapshot gives a SERIALIZABLE READ ONLY DEFERRABLE transaction, before
// its first snapshot, one that no other transaction can make an impossible
// one. It waits for the writers in progress, and again when one of them spoils
// it. To transactions of other kinds it does nothing.
func (t *Txn) AwaitSafeSnapshot(ctx context.Context) error {
	if t.opts.Isolation != Serializable || !t.opts.ReadOnly || !t.opts.Deferrable || t.start.shard != nil {
		return nil
	}
	for {
		t.begin()
		if t.serial == nil {
			return nil
		}
		err := t.db.opts.Tasks.Await(ctx, t.db.serial.Decided(t.serial))
		if err == nil && t.db.serial.Safe(t.serial) {
			t.serial = nil
			return nil
		}
		t.db.serial.Abort(t.serial)
		t.serial = nil
		t.start.unregister()
		if err != nil {
			if cause := context.Cause(ctx); cause != nil {
				err = cause
			}
			return err
		}
	}
}

// prepareSerial decides whether the transaction may commit.
func (t *Txn) prepareSerial() error {
	if t.serial == nil {
		return nil
	}
	return serialError(t.db.serial.Prepare(t.serial))
}

// committedSerial tells the other serializable transactions that this one is visible.
func (t *Txn) committedSerial() {
	if t.serial != nil {
		t.db.serial.Commit(t.serial)
		t.serial = nil
	}
}

// noting reports whether reads of a store have to be noted.
func (s *Snapshot) noting(def *storeDef) bool {
	return s.txn != nil && s.txn.serial != nil && !s.quiet && !def.Temp
}

// noteRead is the hook that reads of a serializable transaction pass: it has
// seen whatever lies in [lower, upper); nil bounds are open.
func (s *Snapshot) noteRead(id StoreID, def *storeDef, lower, upper []byte) error {
	if !s.noting(def) {
		return nil
	}
	return serialError(s.db.serial.Read(s.txn.serial, uint64(id), lower, upper))
}

// noteGet is noteRead for one key.
func (s *Snapshot) noteGet(id StoreID, def *storeDef, key []byte) error {
	if !s.noting(def) {
		return nil
	}
	return serialError(s.db.serial.ReadKey(s.txn.serial, uint64(id), key))
}

// noteWrite is the hook that writes of a serializable transaction pass.
func (t *Txn) noteWrite(id StoreID, def *storeDef, key []byte) error {
	if t.opts.Isolation != Serializable || def.Temp {
		return nil
	}
	t.numberSerial()
	err := t.db.serial.Write(t.serial, uint64(id), key)
	if errors.Is(err, txn.ErrReplaced) {
		v, _, failed := t.committed(id, key)
		if failed != nil {
			return failed
		}
		err = t.db.serial.WriteOver(t.serial, uint64(id), key, v.TS)
	}
	return serialError(err)
}

// noteWriteRange is noteWrite for what lies in [lower, upper).
func (t *Txn) noteWriteRange(id StoreID, def *storeDef, lower, upper []byte) error {
	if t.opts.Isolation != Serializable || def.Temp {
		return nil
	}
	t.numberSerial()
	return serialError(t.db.serial.WriteRange(t.serial, uint64(id), lower, upper))
}

// numberSerial makes sure that a transaction that writes can be named.
func (t *Txn) numberSerial() {
	t.begin()
	if t.xid == 0 {
		t.XID()
	}
}

// TransferReads makes whoever has read of one store in a serializable
// transaction a reader of all of another one. It precedes the drop of an index
// (then to is its table) and of a table's old files (then to are the new ones).
func (t *Txn) TransferReads(from, to StoreID) { t.db.serial.Transfer(uint64(from), uint64(to)) }

// NoteKey notes that the transaction has learned whether a key exists without
// reading it through a snapshot.
func (t *Txn) NoteKey(id StoreID, key []byte) error {
	def, err := t.def(id)
	if err != nil || t.opts.Isolation != Serializable || def.Temp {
		return err
	}
	if t.begin(); t.serial == nil {
		return nil
	}
	return serialError(t.db.serial.ReadKey(t.serial, uint64(id), key))
}

// restoreSerial makes a transaction that was prepared before a restart known to the others.
func (t *Txn) restoreSerial() {
	t.serial = t.db.serial.Restore(t.xid)
	t.spreadAll()
	for _, id := range slices.Sorted(maps.Keys(t.tables)) {
		eachWrite(t.tables[id], func(key []byte, _ memtable.Version) { t.db.serial.Restored(t.serial, uint64(id), key) })
	}
	for _, id := range slices.Sorted(maps.Keys(t.bulk)) {
		t.db.serial.Restored(t.serial, uint64(id), nil)
	}
}

// NoteViolation tells that the transaction is about to fail because a key
// exists. One that has looked for the key and was overtaken should rather be
// tried again: then the error is a *SerializationError.
func (t *Txn) NoteViolation(exists *KeyExistsError) error {
	def, err := t.def(exists.Store)
	if err != nil || exists.Own || t.opts.Isolation != Serializable || def.Temp {
		return err
	}
	t.numberSerial()
	return serialError(t.db.serial.CheckWrite(t.serial, uint64(exists.Store), exists.Key))
}

// serialError words a conflict as PostgreSQL does.
func serialError(err error) error {
	var c *txn.Conflict
	if errors.As(err, &c) {
		return &SerializationError{Reason: "read/write dependencies among transactions", Detail: "Reason code: " + c.Reason}
	}
	return err
}

// scanNote is how far a serializable transaction's scan has been noted.
type scanNote struct {
	on     bool
	store  StoreID
	begun  bool
	done   bool
	span   txn.Span // noted
	mark   []byte   // the last key of the newest batch
	budget int      // rows of the next batch
}

// firstBatch bounds what a scan of a serializable transaction reads at first: a
// LIMIT above it may want no more, and what is read is what others conflict with.
// Every further batch is four times as large.
const firstBatch = 1

// note notes what the newest batch has read: everything up to its last key, or
// to the end of the range.
func (it *Iterator) note(end bool) error {
	n, o := &it.noted, &it.opts
	if n.done {
		return nil
	}
	n.done = end
	span := txn.Span{Lower: o.Lower, Upper: o.Upper}
	fresh := span
	if !end {
		n.mark = append(n.mark[:0], it.keys[len(it.keys)-1]...)
		if o.Reverse {
			span.Lower = bytes.Clone(n.mark)
		} else {
			span.Upper = append(bytes.Clone(n.mark), 0)
		}
		fresh = span
	}
	serial, x := it.snap.db.serial, it.snap.txn.serial
	if x == nil { // its snapshot has become a safe one
		return nil
	}
	if !n.begun {
		n.begun, n.span = true, span
		return serialError(serial.Read(x, uint64(n.store), span.Lower, span.Upper))
	}
	if o.Reverse {
		fresh.Upper = n.span.Lower
	} else {
		fresh.Lower = n.span.Upper
	}
	before := n.span
	n.span = span
	return serialError(serial.Extend(x, uint64(n.store), before, span, fresh))
}
