package exec

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/plan"
)

// Access counts what statements did with one table or index, as pg_stat_all_tables
// and pg_stat_all_indexes tell it. Rows of transactions that were rolled back count.
type Access struct {
	Scans   int64 // of a table: from one end to the other
	Read    int64 // rows or index entries that scans met
	Fetched int64 // rows read by way of an index

	Inserted, Updated, Deleted int64
	Analyzed                   int64 // how often
	before                     int64 // changes before that
}

// Changed counts the changes of rows since the table was last analyzed.
func (a *Access) Changed() int64 { return a.Inserted + a.Updated + a.Deleted - a.before }

// Add adds what another counted.
func (a *Access) Add(b *Access) {
	a.Scans += b.Scans
	a.Read += b.Read
	a.Fetched += b.Fetched
	a.Inserted += b.Inserted
	a.Updated += b.Updated
	a.Deleted += b.Deleted
	if b.Analyzed > 0 {
		a.Analyzed += b.Analyzed
		a.before = a.Inserted + a.Updated + a.Deleted
	}
}

// Accesses holds the counts of one transaction, by the OIDs of tables and indexes.
type Accesses map[OID]*Access

// Of returns where accesses to a table or index are counted.
func (l Accesses) Of(oid OID) *Access {
	a := l[oid]
	if a == nil {
		a = &Access{}
		if l != nil {
			l[oid] = a
		}
	}
	return a
}

func (rt *Runtime) access(oid OID) *Access { return rt.Accesses.Of(oid) }

// keyAccess is where look-ups by a table's storage key are counted: its primary
// key, which has no store of its own.
func (rt *Runtime) keyAccess(rel *catalog.Relation) *Access { return rt.access(rt.primaryKey(rel)) }

// primaryKey returns the OID of the index that is the storage key, or else the table's.
func (rt *Runtime) primaryKey(rel *catalog.Relation) OID {
	for _, oid := range rel.Indexes {
		if ix := rt.Catalog.Index(oid); ix != nil && ix.Store == 0 {
			return oid
		}
	}
	return rel.OID
}

// rangeAccess is where the scan of a table is counted: with its primary key if
// that bounds it.
func (rt *Runtime) rangeAccess(n *plan.Scan) (a *Access, byKey bool) {
	if n.Range != nil && len(n.Table.StorageKey) > 0 {
		return rt.keyAccess(n.Table), true
	}
	return rt.access(n.Table.OID), false
}

// fetched counts rows found by their keys; nothing was found where b is nil.
func (a *Access) fetched(b *column.Batch, throughKey bool) {
	if b == nil {
		return
	}
	n := int64(b.Len())
	a.Fetched += n
	if throughKey {
		a.Read += n
	}
}
