package engine

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/memtable"
	"github.com/omendb/omendb/engine/txn"
)

// A transaction's first writes to a store are a list: the rows as the commit
// record will have them, one behind the other, and a hash of their keys. A key
// is in it once. That is all that most transactions need. Whoever wants more,
// to read a range, to write a key again, to go back to a savepoint or to have
// room for many rows, finds the list spread: its rows are in a private
// memtable then, as later ones are at once.

const (
	// maxLists bounds the stores whose writes are lists: they are looked for one by one.
	maxLists = 8
	// maxListBytes is where a memtable is worth its price. Places in a list have 32 bits.
	maxListBytes = 1 << 20
	// fewListed rows are looked through without a hash.
	fewListed = 8
	// keptList bounds the lists whose memory is kept.
	keptList = 128 << 10
	// listStep is what a list's memory is counted in.
	listStep = 1 << 10
)

// writeList is a list of first writes to one store.
type writeList struct {
	store   StoreID
	rows    []listedWrite
	bytes   []byte   // of the rows: flags, key, data
	places  []uint32 // a hash table of the rows' numbers, from 1
	placed  int      // rows that are in it: the others when somebody looks for one
	counted int64    // of the transaction's private bytes
	ascends bool     // the keys do
	shared  bool     // a reader may hold on to bytes

	order []listOrder // memory of encode
}

// listedWrite is a row of a list, whose bytes are between start and end.
type listedWrite struct {
	hash, seq             uint64
	prefix                uint64 // of the key
	start, key, data, end uint32
	keyBytes              uint32
	flags                 memtable.Flags
}

type listOrder struct {
	prefix uint64
	row    uint32
}

func (l *writeList) keyOf(w *listedWrite) []byte { return l.bytes[w.key : w.key+w.keyBytes] }

func (l *writeList) version(w *listedWrite) memtable.Version {
	return memtable.Version{TS: w.seq, Flags: w.flags, Data: l.bytes[w.data:w.end:w.end]}
}

// find returns the write of a key, nil if there is none.
func (l *writeList) find(key []byte, hash uint64) *listedWrite {
	n := len(l.rows)
	if n > 0 && l.ascends {
		if last := &l.rows[n-1]; memtable.Prefix(key) > last.prefix {
			return nil
		}
	}
	if n <= fewListed {
		for i := range l.rows {
			if w := &l.rows[i]; w.hash == hash && bytes.Equal(l.keyOf(w), key) {
				return w
			}
		}
		return nil
	}
	if l.placed < n {
		l.place()
	}
	mask := uint64(len(l.places) - 1)
	for i := listPlace(hash); ; i++ {
		n := l.places[i&mask]
		if n == 0 {
			return nil
		}
		if w := &l.rows[n-1]; w.hash == hash && bytes.Equal(l.keyOf(w), key) {
			return w
		}
	}
}

// begin adds a write of a key that is not in the list, whose data follow.
func (l *writeList) begin(key []byte, hash, seq uint64, flags memtable.Flags, size int) {
	w := listedWrite{hash: hash, seq: seq, prefix: memtable.Prefix(key), start: uint32(len(l.bytes)), keyBytes: uint32(len(key)), flags: flags}
	if n := len(l.rows); n == 0 {
		l.ascends = true
	} else if last := &l.rows[n-1]; l.ascends && (w.prefix < last.prefix || w.prefix == last.prefix && bytes.Compare(key, l.keyOf(last)) < 0) {
		l.ascends = false
	}
	b := append(l.bytes, byte(flags&^memtable.Fresh))
	b = binary.AppendUvarint(b, uint64(len(key)))
	w.key = uint32(len(b))
	b = append(b, key...)
	b = binary.AppendUvarint(b, uint64(size))
	w.data, w.end = uint32(len(b)), uint32(len(b)+size)
	l.bytes = b
	l.rows = append(l.rows, w)
}

// place enters in the hash the rows that are not there yet.
func (l *writeList) place() {
	if n := len(l.rows); 2*n > len(l.places) {
		l.places = make([]uint32, max(64, 1<<bits.Len(uint(2*n))))
		l.placed = 0
	}
	for l.placed < len(l.rows) {
		l.placed++
		l.enter(l.placed)
	}
}

// listPlace is where a hash belongs, to be cut to the size of the table. Hashes of keys that follow each other differ in few bits,
// none of them in the middle: the multiplication brings them there (Fibonacci hashing, Knuth 6.4).
func listPlace(hash uint64) uint64 { return hash * 0x9e3779b97f4a7c15 >> 32 }

func (l *writeList) enter(n int) {
	mask := uint64(len(l.places) - 1)
	i := listPlace(l.rows[n-1].hash)
	for l.places[i&mask] != 0 {
		i++
	}
	l.places[i&mask] = uint32(n)
}

// size is the memory that the list takes, without its hash.
func (l *writeList) size() int64 { return int64(len(l.bytes)) + int64(len(l.rows))*48 }

// encode adds the list's section of a commit record, rows in the order of keys.
func (l *writeList) encode(e *encoder) {
	e.byte(sectionWrites)
	e.uvarint(uint64(l.store))
	e.uvarint(uint64(len(l.rows)))
	if l.ascends {
		e.b = append(e.b, l.bytes...)
		return
	}
	order := l.order[:0]
	for i := range l.rows {
		order = append(order, listOrder{l.rows[i].prefix, uint32(i)})
	}
	slices.SortFunc(order, func(a, b listOrder) int {
		if c := cmp.Compare(a.prefix, b.prefix); c != 0 {
			return c
		}
		return bytes.Compare(l.keyOf(&l.rows[a.row]), l.keyOf(&l.rows[b.row]))
	})
	for _, o := range order {
		w := &l.rows[o.row]
		e.b = append(e.b, l.bytes[w.start:w.end]...)
	}
	l.order = order
}

// list returns the list of writes to a store, nil if there is none.
func (t *Txn) list(id StoreID) *writeList {
	for _, l := range t.lists {
		if l.store == id {
			return l
		}
	}
	return nil
}

// listFor returns the list that a write to a store joins, nil if it goes to a memtable.
func (t *Txn) listFor(def *storeDef, id StoreID) *writeList {
	l := t.list(id)
	switch {
	case l != nil && (len(t.saves) > 0 || len(l.bytes) >= maxListBytes || len(t.bulk) > 0 && t.bulk[id] != nil):
		t.spread(l)
		return nil
	case l != nil:
		return l
	case def.Temp || len(t.lists) == maxLists || len(t.saves) > 0 || t.db.opts.PlainWrites ||
		t.tables != nil && t.tables[id] != nil || len(t.bulk) > 0 && t.bulk[id] != nil:
		return nil
	}
	l, ok := t.db.spareLists.Get().(*writeList)
	if !ok {
		l = new(writeList)
	}
	l.store = id
	t.lists = append(t.lists, l)
	return l
}

// listed adds a write to a list; the caller appends size bytes of data.
func (t *Txn) listed(l *writeList, key []byte, tag txn.Tag, flags memtable.Flags, size int) {
	t.XID()
	t.seq++
	l.begin(key, tag.B, t.seq, flags, size)
	if n := l.size() + int64(size); n > l.counted {
		more := n + listStep - l.counted
		l.counted += more
		t.hold(more)
	}
}

// table returns the private memtable of a store, into which a list is spread;
// nil when nothing is written to the store.
func (t *Txn) table(id StoreID) *memtable.Table {
	if l := t.list(id); l != nil {
		t.spread(l)
	}
	return t.tables[id]
}

// spreadAll leaves no lists.
func (t *Txn) spreadAll() {
	for len(t.lists) > 0 {
		t.spread(t.lists[len(t.lists)-1])
	}
}

// spread moves the rows of a list into a private memtable.
func (t *Txn) spread(l *writeList) {
	m := memtable.New()
	for i := range l.rows {
		w := &l.rows[i]
		m.Put(l.keyOf(w), w.seq, w.flags, l.bytes[w.data:w.end])
	}
	if t.tables == nil {
		t.tables = make(map[StoreID]*memtable.Table)
	}
	t.tables[l.store] = m
	t.hold(m.Bytes() - l.counted)
	t.lists = slices.DeleteFunc(t.lists, func(x *writeList) bool { return x == l })
	t.db.dropList(l)
}

// dropList keeps the memory of a list for another transaction.
func (db *DB) dropList(l *writeList) {
	if l.shared || cap(l.bytes) > keptList {
		return
	}
	if l.placed > 0 {
		clear(l.places)
	}
	*l = writeList{rows: l.rows[:0], bytes: l.bytes[:0], places: l.places, order: l.order[:0]}
	db.spareLists.Put(l)
}

// rowTag is the lock tag of a row, remembered for the calls that follow for the same row.
func (t *Txn) rowTag(id StoreID, key []byte) txn.Tag {
	if t.lastTag.A == uint64(id) && t.lastTag.Kind == txn.Row && bytes.Equal(key, t.lastKey) {
		return t.lastTag
	}
	t.lastTag = rowTag(id, key)
	t.lastKey = append(t.lastKey[:0], key...)
	return t.lastTag
}

// put encodes a row and writes it.
func (t *Txn) put(def *storeDef, id StoreID, key []byte, flags memtable.Flags, row []column.Datum) {
	checkColumns(def, id, row)
	l := t.listFor(def, id)
	if l == nil {
		t.buf = memtable.AppendRow(t.buf[:0], def.kinds, row)
		t.write(id, key, flags, t.buf)
		return
	}
	t.listed(l, key, t.rowTag(id, key), flags, memtable.RowSize(def.kinds, row))
	l.bytes = memtable.AppendRow(l.bytes, def.kinds, row)
}

// erase writes a tombstone.
func (t *Txn) erase(def *storeDef, id StoreID, key []byte, flags memtable.Flags, successor []byte) {
	l := t.listFor(def, id)
	if l == nil {
		t.write(id, key, flags, successor)
		return
	}
	t.listed(l, key, t.rowTag(id, key), flags, len(successor))
	l.bytes = append(l.bytes, successor...)
}
