package exec

import (
	"bytes"
	"slices"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// An index is made, replaced or dropped CONCURRENTLY in several transactions, so
// that nobody who reads or writes the table waits. The functions here are what
// happens inside of each; the session commits between them and waits for those
// who may not know of the last step (package sql, concurrently.go).
//
//	register  the index is in the catalog, neither ready nor valid, and empty
//	          wait for writers whose statements do not know it;
//	          from one instant on all who write a row maintain it
//	          wait for writers who wrote before that instant
//	build     entries of all rows of a snapshot are added with the snapshot's
//	          timestamp, beneath what writers did since; the index is ready
//	          wait for writers who did not see these entries
//	validate  of a unique index: does each row have its entry?
//	          wait for transactions with older snapshots
//	finish    the index is valid: readers use it

// ConcurrentIndex is an index on its way.
type ConcurrentIndex struct {
	Table, Index OID
	Old          OID // REINDEX: the index to take the place of
	Build        *catalog.Build
	AsOf         uint64 // timestamp of the snapshot that it is made from
}

// RegisterIndex is the first step of CREATE INDEX CONCURRENTLY. Nil without an
// error means that nothing is left to do: the index exists and may, or belongs to
// a temporary table, to which nobody else writes.
func RegisterIndex(rt *Runtime, c *plan.CreateIndex) (*ConcurrentIndex, error) {
	d := newDDL(rt)
	i, err := d.createIndex(c)
	if err != nil || i == nil || !i.NotReady {
		return nil, MapError(err)
	}
	return &ConcurrentIndex{Table: i.Table, Index: i.OID, Build: d.view.BeginBuild(i.OID)}, nil
}

// RegisterReindex is the first step of REINDEX CONCURRENTLY: new indexes beside
// those that are to be replaced. It returns them table by table.
func RegisterReindex(rt *Runtime, x *plan.Reindex) ([]*ConcurrentIndex, error) {
	d := newDDL(rt)
	old, err := d.reindexTargets(x)
	var list []*ConcurrentIndex
	for _, i := range old {
		var c *ConcurrentIndex
		if c, err = d.registerTwin(i); err != nil {
			break
		}
		list = append(list, c)
	}
	if err != nil {
		for _, c := range list {
			d.view.EndBuild(c.Index)
		}
		return nil, MapError(err)
	}
	return list, nil
}

// reindexTargets locks and lists the indexes that a REINDEX CONCURRENTLY replaces.
func (d *ddl) reindexTargets(x *plan.Reindex) ([]*catalog.Index, error) {
	switch x.Kind {
	case "index":
		o, err := d.lockNamed(x.Name, engine.LockShareUpdateExclusive)
		if err != nil {
			return nil, err
		}
		i, ok := o.(*catalog.Index)
		switch {
		case o == nil:
			return nil, undefinedRelation(x.Name)
		case !ok:
			return nil, pgerr.New(pgerr.WrongObjectType, "\"%s\" is not an index", o.Head().Name)
		case i.OID < catalog.FirstUserOID:
			return nil, systemReindex()
		}
		if err := d.mayDrop(i); err != nil {
			return nil, err
		}
		return []*catalog.Index{i}, nil
	case "table":
		if d.isSystem(x.Name) {
			return nil, systemReindex()
		}
		r, err := d.lockRelation(x.Name, engine.LockShareUpdateExclusive)
		if err != nil {
			return nil, err
		}
		if err := d.mustOwn(d.view.Role(d.bind.User()), r); err != nil {
			return nil, err
		}
		list := d.reindexable(r)
		if len(r.Indexes) == 0 {
			d.notice(pgerr.SuccessfulCompletion, "table \"%s\" has no indexes that can be reindexed concurrently", r.Name)
		}
		return list, nil
	case "system":
		return nil, systemReindex()
	}
	return d.reindexMany(x)
}

func systemReindex() error {
	return pgerr.New(pgerr.FeatureNotSupported, "cannot reindex system catalogs concurrently")
}

// reindexMany lists the indexes of a schema or of the database.
func (d *ddl) reindexMany(x *plan.Reindex) ([]*catalog.Index, error) {
	if x.Kind == "schema" {
		s, err := d.schemaNamed(x.Name.Name)
		if err != nil {
			return nil, err
		}
		if s.OID < catalog.FirstUserOID && s.OID != catalog.Public {
			return nil, systemReindex()
		}
	} else if db := d.view.Database(d.view.DatabaseOID()); x.Name.Name != "" && db != nil && x.Name.Name != db.Name {
		return nil, pgerr.New(pgerr.FeatureNotSupported, "can only reindex the currently open database")
	}
	var tables []OID
	d.view.Relations(func(r *catalog.Relation) bool {
		if r.Store != 0 && r.Persistence != 't' && (x.Kind != "schema" || d.view.SchemaName(r.Schema) == x.Name.Name) {
			tables = append(tables, r.OID)
		}
		return true
	})
	var list []*catalog.Index
	for _, oid := range tables {
		if err := d.lockTable(oid, engine.LockShareUpdateExclusive); err != nil {
			return nil, err
		}
		d.view.Refresh()
		if r := d.view.Relation(oid); r != nil {
			list = append(list, d.reindexable(r)...)
		}
	}
	return list, nil
}

func (d *ddl) reindexable(r *catalog.Relation) (list []*catalog.Index) {
	for _, i := range d.view.IndexesOf(r) {
		switch {
		case !i.Valid:
			d.send(pgerr.Notice(pgerr.SeverityWarning, pgerr.FeatureNotSupported, "cannot reindex invalid index \"%s.%s\" concurrently, skipping",
				d.view.SchemaName(i.Schema), i.Name))
		default:
			list = append(list, i)
		}
	}
	return list
}

// registerTwin makes an empty index like another one. What only shows the storage key has
// nothing to be built.
func (d *ddl) registerTwin(old *catalog.Index) (*ConcurrentIndex, error) {
	if old.Store == 0 {
		return &ConcurrentIndex{Table: old.Table, Old: old.OID}, nil
	}
	if err := d.view.LockObject(d.ctx, catalog.ClassRelation, old.Table); err != nil {
		return nil, err
	}
	w := d.alter(d.view.Relation(old.Table))
	i, err := w.addIndex(indexSpec{
		name: d.relationNameFor(old.Name, "", "ccnew", old.Schema, false, nil), method: old.Method, unique: old.Unique,
		notDistinct: old.NullsNotDistinct, immediate: old.Immediate, keys: slices.Clone(old.Keys), include: old.Include,
		predicate: old.Predicate, options: old.Options, depends: old.Depends, later: true,
	})
	if err != nil {
		return nil, err
	}
	if err := w.save(); err != nil {
		return nil, err
	}
	d.step()
	return &ConcurrentIndex{Table: i.Table, Index: i.OID, Old: old.OID, Build: d.view.BeginBuild(i.OID)}, nil
}

// BuildIndex fills a registered index from the runtime's snapshot, which stays
// open until the transaction has committed.
func BuildIndex(rt *Runtime, c *ConcurrentIndex) error {
	d := newDDL(rt)
	i, r, err := d.concurrent(c)
	if err != nil {
		return err
	}
	b, err := d.newEntryBuilder(r, i)
	if err != nil {
		return MapError(err)
	}
	if b.bulk, err = rt.Txn.Bulk(engine.StoreID(i.Store)); err != nil {
		return MapError(err)
	}
	defer b.bulk.Abort()
	b.bulk.AsOf(rt.Snapshot)
	c.AsOf = rt.Snapshot.Timestamp()
	if err := d.eachBatch(r, b.add); err != nil {
		return MapError(err)
	}
	if err := b.duplicate(b.bulk.Finish(d.ctx)); err != nil {
		return MapError(err)
	}
	next := *i
	next.NotReady = false
	d.permitted = true
	return MapError(d.putIndexOf(r, &next))
}

// concurrent finds the index that is worked on, which nobody can have dropped:
// the session holds a lock on its table.
func (d *ddl) concurrent(c *ConcurrentIndex) (*catalog.Index, *catalog.Relation, error) {
	d.permitted = true
	if err := d.view.LockObject(d.ctx, catalog.ClassRelation, c.Table); err != nil {
		return nil, nil, MapError(err)
	}
	if err := d.view.LockObject(d.ctx, catalog.ClassIndex, c.Index); err != nil {
		return nil, nil, MapError(err)
	}
	i, r := d.view.Index(c.Index), d.view.Relation(c.Table)
	if i == nil || r == nil {
		return nil, nil, pgerr.New(pgerr.UndefinedObject, "the index was dropped while it was built")
	}
	return i, r, nil
}

// putIndexOf stores a new state of an index, and its table anew, so that plans of either are made again.
func (d *ddl) putIndexOf(r *catalog.Relation, i *catalog.Index) error {
	if err := d.put(i); err != nil {
		return err
	}
	return d.put(cloneRelation(r))
}

// ValidateIndex looks for rows whose entry in a unique index is another row's:
// both came while the index was built.
func ValidateIndex(rt *Runtime, c *ConcurrentIndex) error {
	d := newDDL(rt)
	i, r := d.view.Index(c.Index), d.view.Relation(c.Table)
	if i == nil || r == nil || !i.Unique || i.Deferrable() {
		return nil
	}
	b, err := d.newEntryBuilder(r, i)
	if err != nil {
		return MapError(err)
	}
	v := entryCheck{entryBuilder: b}
	return MapError(d.eachBatch(r, v.batch))
}

// entryCheck compares the entries of an index with the rows of its table.
type entryCheck struct {
	*entryBuilder
	keys, rows [][]byte // of the entries of a batch, and where their rows are
	entries    column.Batch
	found      []bool
}

func (v *entryCheck) batch(rows *column.Batch, keys [][]byte) error {
	v.keys, v.rows = v.keys[:0], v.rows[:0]
	err := v.each(rows, keys, func(key, storage []byte, _ int32) error {
		v.keys, v.rows = append(v.keys, bytes.Clone(key)), append(v.rows, storage)
		return nil
	})
	if err != nil {
		return err
	}
	v.found = slices.Grow(v.found[:0], len(v.keys))[:len(v.keys)]
	if err := v.d.rt.Snapshot.GetBatch(engine.StoreID(v.i.Store), v.keys, []int{0}, &v.entries, v.found); err != nil {
		return err
	}
	for n := range v.keys {
		if !v.found[n] || !bytes.Equal(v.entries.Cols[0].Datum(n).B, v.rows[n]) {
			return v.duplicate(&engine.KeyExistsError{Row: []column.Datum{column.BytesDatum(v.rows[n])}})
		}
	}
	return nil
}

// FinishIndex makes a built index one that readers use. Of a REINDEX it takes the
// old one's place; what is left of that stays to be dropped.
func FinishIndex(rt *Runtime, c *ConcurrentIndex) error {
	d := newDDL(rt)
	i, r, err := d.concurrent(c)
	if err != nil {
		return err
	}
	next := *i
	if c.Old == 0 {
		next.Valid = true
		return MapError(d.putIndexOf(r, &next))
	}
	if err := d.view.LockObject(d.ctx, catalog.ClassIndex, c.Old); err != nil {
		return MapError(err)
	}
	old := *d.view.Index(c.Old)
	rt.Txn.TransferReads(engine.StoreID(old.Store), engine.StoreID(r.Store))
	old.Store, next.Store = next.Store, old.Store
	// The store of one that was not ready holds what a failed build left: nobody may begin to maintain it.
	next.NotReady = next.NotReady || old.NotReady
	old.Valid, old.NotReady = true, false
	if err := d.put(&old); err != nil {
		return MapError(err)
	}
	return MapError(d.putIndexOf(r, &next))
}

// RetireIndex is a step of DROP INDEX CONCURRENTLY: first readers give it up, and
// in the second call those who write to its table.
func RetireIndex(rt *Runtime, c *ConcurrentIndex, writers bool) error {
	d := newDDL(rt)
	i, r, err := d.concurrent(c)
	if err != nil {
		return err
	}
	next := *i
	next.Valid, next.NotReady = false, writers || i.NotReady // who does not maintain it must not begin to
	return MapError(d.putIndexOf(r, &next))
}

// ConcurrentDrop finds the index of DROP INDEX CONCURRENTLY, nil when there is
// none and need not be one, or when it is a temporary table's and gone already.
func ConcurrentDrop(rt *Runtime, u *plan.Drop) (*ConcurrentIndex, error) {
	d := newDDL(rt)
	if len(u.Objects) > 1 {
		return nil, pgerr.New(pgerr.FeatureNotSupported, "DROP INDEX CONCURRENTLY does not support dropping multiple objects")
	}
	if u.Cascade {
		return nil, pgerr.New(pgerr.FeatureNotSupported, "DROP INDEX CONCURRENTLY does not support CASCADE")
	}
	kind := dropKinds["index"]
	o, err := d.dropTarget(u, u.Objects[0], kind.class, kind.code)
	if err != nil || o == nil {
		return nil, MapError(err)
	}
	i := o.(*catalog.Index)
	if err := d.undroppable(i); err != nil {
		return nil, err
	}
	if err := d.mayDrop(i); err != nil {
		return nil, err
	}
	r := d.view.Relation(i.Table)
	c := &ConcurrentIndex{Table: i.Table, Index: i.OID}
	if r.Persistence == 't' {
		return nil, DropRetired(rt, c)
	}
	d.rt.Txn.TransferReads(engine.StoreID(i.Store), engine.StoreID(r.Store))
	return c, RetireIndex(rt, c, false)
}

// DropRetired removes an index that nobody uses any more.
func DropRetired(rt *Runtime, c *ConcurrentIndex) error {
	d := newDDL(rt)
	i, _, err := d.concurrent(c)
	if err != nil {
		return err
	}
	g := d.newDropping()
	return MapError(d.dropAll(g, []dropPart{{object: i}}, "", true))
}
