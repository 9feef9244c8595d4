package catalog

import (
	"context"
	"encoding/binary"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/sql/pgerr"
)

// View is what one transaction sees of the catalog: the newest committed state
// (as of the last Refresh) with the transaction's own changes and its session's
// temporary objects on top. One goroutine uses it at a time.
type View struct {
	cat      *Catalog
	txn      *engine.Txn
	session  *Session // nil: no temporary objects
	database OID

	base   *Snapshot
	shared *space // the base's, or a private copy with the journal applied
	own    *space // as shared, of the database, with temporary objects

	journal  []change // the transaction's changes, in order
	hooked   bool     // the engine calls committed at commit
	local    bool     // own and shared are private and may be written to
	revision uint64   // moves with every change of what the view shows
}

// View returns the view of a transaction that has no session: temporary objects
// cannot be made in it. A nil txn gives a view that cannot be written to.
func (c *Catalog) View(txn *engine.Txn, database OID) *View {
	v := &View{cat: c, txn: txn, database: database}
	v.Refresh()
	return v
}

// Refresh moves the view to the newest committed state. Sessions call it before
// binding a statement and after waiting for a lock.
func (v *View) Refresh() {
	if current := v.cat.current.Load(); v.base != current {
		v.base = current
		v.rebuild()
	}
}

// rebuild derives the spaces from base, temporary objects and journal.
func (v *View) rebuild() {
	v.revision++
	v.local = false
	v.shared = v.base.shared
	v.own = v.base.databases[v.database]
	if v.own == nil {
		v.own = v.cat.system
	}
	if v.session != nil {
		v.own = v.session.overlay(v.own)
	}
	if len(v.journal) == 0 {
		return
	}
	v.localize()
	for _, e := range v.journal {
		v.applyLocal(e)
	}
}

// localize makes the spaces private.
func (v *View) localize() {
	if !v.local {
		v.shared, v.own = v.cat.copySpace(v.shared), v.cat.copySpace(v.own)
		v.local = true
	}
}

func (v *View) applyLocal(e change) {
	sp := v.own
	if e.database == 0 {
		sp = v.shared
	} else if e.database != v.database {
		return // part of CREATE DATABASE: invisible here
	}
	if e.object == nil {
		sp.remove(e.key)
		return
	}
	sp.put(e.object)
}

// space returns the space that holds objects of a class.
func (v *View) space(c Class) *space {
	if c.Shared() {
		return v.shared
	}
	return v.own
}

func (v *View) databaseOf(c Class) OID {
	if c.Shared() {
		return 0
	}
	return v.database
}

// DatabaseOID returns the OID of the database that the view is of.
func (v *View) DatabaseOID() OID { return v.database }

// Txn returns the view's transaction.
func (v *View) Txn() *engine.Txn { return v.txn }

// Revision tells states of the view apart.
func (v *View) Revision() uint64 { return v.revision }

// Base returns the committed state that the view stands on.
func (v *View) Base() *Snapshot { return v.base }

// Changed reports whether the transaction has changed the catalog.
func (v *View) Changed() bool { return len(v.journal) > 0 }

// NewOID returns an OID for a new object.
func (v *View) NewOID() (OID, error) { return v.cat.NewOID() }

// NewStore returns an id for a new store.
func (v *View) NewStore() engine.StoreID { return v.cat.db.NewStoreID() }

// LockObject takes the lock under which an object's descriptor is changed, until the
// transaction ends, and moves the view to the newest committed state, so that
// what is read afterwards is current.
func (v *View) LockObject(ctx context.Context, class Class, oid OID) error {
	return v.lock(ctx, uint64(class)<<32|uint64(oid))
}

// LockName takes the lock under which a name in a schema is given to an object.
// Different names may share a lock.
func (v *View) LockName(ctx context.Context, class Class, schema OID, name string) error {
	h := uint64(14695981039346656037)
	key := binary.LittleEndian.AppendUint32([]byte(nameKey(class.nameSpace(), schema, name)), uint32(v.databaseOf(class)))
	for _, b := range key {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return v.lock(ctx, 1<<63|h>>1)
}

func (v *View) lock(ctx context.Context, tag uint64) error {
	if err := v.txn.LockTable(ctx, tag, engine.LockAccessExclusive, engine.Wait); err != nil {
		return err
	}
	v.Refresh()
	return nil
}

// Put makes an object, or changes one. The descriptor gets a new version and must
// not be changed afterwards. To change an existing object the caller has called
// LockObject and made a copy of what the view showed then.
func (v *View) Put(ctx context.Context, o Object) error {
	return v.putIn(ctx, v.databaseOf(o.Class()), o)
}

// PutIn is Put into another database: CREATE DATABASE fills the new one.
func (v *View) PutIn(ctx context.Context, database OID, o Object) error {
	return v.putIn(ctx, database, o)
}

func (v *View) putIn(ctx context.Context, database OID, o Object) error {
	if v.txn == nil {
		panic("catalog: change without a transaction")
	}
	h := o.Head()
	k := keyOf(o.Class(), h.OID)
	if database == v.database || database == 0 {
		if seen := v.space(o.Class()).get(o.Class(), h.OID); seen != nil && seen.Head().Version != h.Version {
			return pgerr.New(pgerr.InternalError, "tuple concurrently updated")
		}
	}
	h.Version = v.cat.versions.Add(1)
	if !v.temporary(o) {
		key, row := storeKey(database, k), encodeRow(o)
		if err := v.write(ctx, key, func() error { return v.txn.Put(catalogStore, key, row) },
			func() error { return v.txn.Insert(ctx, catalogStore, key, row) }); err != nil {
			return err
		}
	}
	v.record(change{database: database, key: k, object: o})
	return nil
}

// write runs update if the key has a row, else insert.
func (v *View) write(ctx context.Context, key []byte, update, insert func() error) error {
	r, err := v.txn.Lock(ctx, catalogStore, key, engine.Update, engine.Wait, nil)
	if err != nil {
		return err
	}
	if r.Status == engine.Deleted || r.Status == engine.Moved {
		return insert()
	}
	return update()
}

// Delete removes an object. The caller has taken LockObject.
func (v *View) Delete(ctx context.Context, class Class, oid OID) error {
	return v.DeleteIn(ctx, v.databaseOf(class), class, oid)
}

// DeleteIn is Delete in another database: DROP DATABASE empties it.
func (v *View) DeleteIn(ctx context.Context, database OID, class Class, oid OID) error {
	k := keyOf(class, oid)
	temp := false
	if database == v.database || database == 0 {
		old := v.space(class).get(class, oid)
		if old == nil {
			return nil
		}
		temp = v.temporary(old)
	}
	if !temp {
		key := storeKey(database, k)
		if err := v.write(ctx, key, func() error { return v.txn.Delete(catalogStore, key, nil) },
			func() error { return nil }); err != nil {
			return err
		}
	}
	v.record(change{database: database, key: k})
	return nil
}

func (v *View) record(e change) {
	if !v.hooked {
		v.hooked = true
		v.txn.OnCommit(v.committed)
	}
	v.journal = append(v.journal, e)
	v.localize()
	v.applyLocal(e)
	v.revision++
}

// committed publishes the journal. The engine calls it at commit, before locks go.
func (v *View) committed(lsn engine.LSN) {
	durable := v.journal
	if v.session != nil {
		durable = v.session.keep(v.journal)
	}
	v.journal = nil
	if len(durable) > 0 {
		v.cat.publish(uint64(lsn), durable)
	}
}

// Savepoint marks a state of the view to roll back to. Sessions call it next to
// engine.Txn.Savepoint.
func (v *View) Savepoint() int { return len(v.journal) }

// RollbackTo undoes the changes since a mark of Savepoint.
func (v *View) RollbackTo(mark int) {
	if mark < len(v.journal) {
		v.journal = v.journal[:mark:mark]
		v.rebuild()
	}
}

// ObjectVersion returns the version of an object, 0 when there is none. Plans
// made for another version are stale.
func (v *View) ObjectVersion(class Class, oid OID) uint64 {
	if o := v.space(class).get(class, oid); o != nil {
		return o.Head().Version
	}
	return 0
}
