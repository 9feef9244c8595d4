package engine

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/omendb/omendb/engine/memtable"
	"github.com/omendb/omendb/engine/txn"
)

// The body of a commit record: values are evaluated, nothing is left to decide
// at apply. All numbers are varints.
//
//	+---------+-----+-------------------------------+-----+
//	| version | xid | section: kind byte, payload   | ... |
//	+---------+-----+-------------------------------+-----+
//
//	1 writes           store, count, then per row: flags byte, key, data
//	                   (data: the encoded row, or a tombstone's successor key)
//	2 create store     definition
//	3 alter store      definition
//	4 drop store       id
//	5 create sequence  id, last, called
//	6 drop sequence    id
//	7 link segments    store, count, names: rows that a bulk load wrote; their
//	                   timestamp is this record's
//	8 link as of       timestamp, store, count, names: the same with an earlier timestamp
//	9 move horizon     store, column, bound
//	10 end horizon     store
//
// Definitions come before the writes that need them.
const (
	recordVersion = 1
	sectionWrites = 1
	sectionLink   = 7
	// sectionLinkAsOf is never part of a prepared transaction.
	sectionLinkAsOf = 8
)

// encode makes the transaction's commit record. Temporary stores are left out.
func (t *Txn) encode() []byte {
	e := encoder{b: t.db.spareBody(t.encodedSize())}
	e.byte(recordVersion)
	e.uvarint(t.xid)
	for i := range t.ddl {
		t.ddl[i].encode(t.db, &e)
	}
	slices.SortFunc(t.lists, func(a, b *writeList) int { return cmp.Compare(a.store, b.store) })
	for _, l := range t.lists {
		if _, err := t.def(l.store); err == nil {
			l.encode(&e)
		}
	}
	for _, id := range inOrder(t.tables) {
		if def, err := t.def(id); err == nil && !def.Temp {
			encodeWrites(&e, id, t.tables[id])
		}
	}
	for _, id := range inOrder(t.bulk) {
		if _, err := t.def(id); err == nil {
			encodeLinks(&e, id, t.bulk[id])
		}
	}
	return e.b
}

// inOrder lists the stores of a map in their order, so that one seed makes one run. Most
// transactions have none.
func inOrder[V any](m map[StoreID]V) []StoreID {
	if len(m) == 0 {
		return nil
	}
	return slices.Sorted(maps.Keys(m))
}

func encodeLinks(e *encoder, id StoreID, links []*bulkLink) {
	var names []string
	var asOf uint64
	for _, link := range links {
		for _, r := range link.runs {
			names = append(names, r.info.Name)
			asOf = link.asOf
		}
	}
	if len(names) == 0 {
		return
	}
	if asOf == 0 {
		e.byte(sectionLink)
	} else {
		e.byte(sectionLinkAsOf)
		e.uvarint(asOf)
	}
	e.uvarint(uint64(id))
	e.uvarint(uint64(len(names)))
	for _, name := range names {
		e.string(name)
	}
}

func (t *Txn) encodedSize() int {
	n := int64(64)
	for _, l := range t.lists {
		n += int64(len(l.bytes)) + 32
	}
	for _, m := range t.tables {
		n += min(m.Bytes(), 1<<20)
	}
	return int(n)
}

// keptBody is the largest record body whose memory is kept.
const keptBody = 1 << 20

// spareBody returns memory for a record body of a size.
func (db *DB) spareBody(size int) []byte {
	if b, ok := db.spareBodies.Get().(*[]byte); ok && cap(*b) >= size {
		return (*b)[:0]
	}
	return make([]byte, 0, size)
}

// dropBody keeps the memory of a body that has been proposed.
func (db *DB) dropBody(b []byte) {
	if cap(b) <= keptBody {
		db.spareBodies.Put(&b)
	}
}

func (op *ddlOp) encode(db *DB, e *encoder) {
	switch op.kind {
	case ddlCreateStore, ddlAlterStore:
		if op.def.Temp {
			return
		}
		e.byte(byte(op.kind))
		e.def(&op.def.StoreDef)
	case ddlDropStore, ddlDropSequence:
		e.byte(byte(op.kind))
		e.uvarint(uint64(op.id))
	case ddlCreateSequence:
		if q, err := db.sequences.get(op.id); err == nil {
			q.mu.Lock()
			op.state = q.state
			q.mu.Unlock()
		}
		e.byte(byte(op.kind))
		e.uvarint(uint64(op.id))
		e.varint(op.state.Last)
		e.bool(op.state.Called)
	case ddlMoveHorizon:
		e.byte(byte(op.kind))
		e.uvarint(uint64(op.id))
		e.uvarint(uint64(op.column))
		e.varint(op.before)
	case ddlEndHorizon:
		e.byte(byte(op.kind))
		e.uvarint(uint64(op.id))
	}
}

// encodeWrites adds the newest private version of each key. Rows that the
// transaction both inserted and deleted leave no trace.
func encodeWrites(e *encoder, id StoreID, m *memtable.Table) {
	count := 0
	eachWrite(m, func([]byte, memtable.Version) { count++ })
	if count == 0 {
		return
	}
	e.byte(sectionWrites)
	e.uvarint(uint64(id))
	e.uvarint(uint64(count))
	eachWrite(m, func(key []byte, v memtable.Version) {
		e.byte(byte(v.Flags &^ memtable.Fresh))
		e.bytes(key)
		e.bytes(v.Data)
	})
}

func eachWrite(m *memtable.Table, fn func([]byte, memtable.Version)) {
	var c memtable.Cursor
	c.Init(m, nil, nil, false)
	for c.Next() {
		v, ok := c.Version(math.MaxUint64)
		if ok && v.Flags&(memtable.Tombstone|memtable.Fresh) != memtable.Tombstone|memtable.Fresh {
			if v.Deleted() && len(v.Data) > 0 {
				v.Data = successor(m, v.Data)
			}
			fn(c.Key(), v)
		}
	}
}

// successor follows a row that the transaction moved more than once: places
// where it only passed through leave no trace.
func successor(m *memtable.Table, key []byte) []byte {
	for len(key) > 0 {
		v, ok := m.Get(key, math.MaxUint64)
		if !ok || !v.Deleted() || v.Flags&memtable.Fresh == 0 {
			return key
		}
		key = v.Data
	}
	return nil
}

// tempWrites travel beside the record and not in it: temporary stores are
// gone after a restart. So do the segments that the record links, opened
// before it was proposed: applying a record on the primary does no I/O, because
// what is durable can no longer be refused.
type tempWrites struct {
	ddl    []ddlOp
	tables map[StoreID]*memtable.Table
	opened map[string]*run
	serial *txn.Serializable // learns its timestamp before others can see it
}

// openLinks opens the segments that the commit record is going to link.
func (t *Txn) openLinks() (opened map[string]*run, err error) {
	for _, id := range inOrder(t.bulk) {
		for _, link := range t.bulk[id] {
			for _, r := range link.runs {
				again, err := t.db.openRun(r.info.Name, unstamped)
				if err != nil {
					closeUnused(opened)
					return nil, ioError(err)
				}
				if opened == nil {
					opened = make(map[string]*run)
				}
				opened[r.info.Name] = again
			}
		}
	}
	return opened, nil
}

// closeUnused closes segments that were opened and not linked; their files are others'.
func closeUnused(opened map[string]*run) {
	for _, r := range opened {
		_ = r.reader.Close() // only read from
	}
}

// beside collects what travels beside the record, nil if there is nothing.
func (t *Txn) beside(opened map[string]*run) *tempWrites {
	var w *tempWrites
	if opened != nil || t.serial != nil {
		w = &tempWrites{tables: make(map[StoreID]*memtable.Table), opened: opened, serial: t.serial}
	}
	get := func() *tempWrites {
		if w == nil {
			w = &tempWrites{tables: make(map[StoreID]*memtable.Table)}
		}
		return w
	}
	for _, op := range t.ddl {
		if op.def != nil && op.def.Temp {
			get().ddl = append(get().ddl, op)
		}
	}
	for id, m := range t.tables {
		if def, err := t.def(id); err == nil && def.Temp {
			get().tables[id] = m
		}
	}
	return w
}
