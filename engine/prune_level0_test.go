package engine

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/keys"
	"github.com/omendb/omendb/internal/vfs"
)

// zonedRow is a row of the model: the value that scans ask for, mostly in the
// order of the keys, the age that horizons ask for, and which version it is.
type zonedRow struct {
	there, null bool
	value, age  int32
	version     int32
}

// zoned is a store with newer segments beside a model of it.
type zoned struct {
	t       *testing.T
	rng     *rand.Rand
	db      *DB
	id      StoreID
	rows    []zonedRow
	old     []oldZoned
	version int32
	place   int32 // of the last writes: asked for below
	horizon int32
	expires bool
	filler  []byte
	left    int64 // extents that scans left out while there were newer segments
}

type oldZoned struct {
	tx   *Txn
	s    *Snapshot
	rows []zonedRow
}

const zonedSpan = 6000

// TestNewerSegmentsAreLeftOut compares scans that leave extents out, of the
// base and of newer segments which hide rows of each other, with a model: rows
// move into the wanted range and out of it, in several versions, are deleted
// and come back, expire, and are committed as segments of their own.
func TestNewerSegmentsAreLeftOut(t *testing.T) {
	sets := []struct {
		name    string
		opts    func(*Options)
		expires bool
	}{
		{"defaults", func(*Options) {}, false},
		{"rows expire", func(*Options) {}, true},
		{"commits are segments", func(o *Options) { o.BulkMinBytes = 1 }, false},
		{"several base segments", func(o *Options) { o.PartitionBytes = 256 << 10 }, true},
	}
	for i, set := range sets {
		t.Run(set.name, func(t *testing.T) {
			db, err := openOn(t, vfs.NewMem(1), func(o *Options) { set.opts(o); o.LogFileBytes = 1 << 20 })
			check(t, err)
			m := &zoned{t: t, rng: rand.New(rand.NewPCG(uint64(envInt("OMENDB_METAMORPHIC_SEED", 1)), uint64(i))), db: db, rows: make([]zonedRow, zonedSpan), expires: set.expires}
			for range 256 {
				m.filler = append(m.filler, byte(m.rng.Uint32()))
			}
			m.load()
			check(t, db.Flush(ctx))
			for step := range 14 {
				m.step(step)
			}
			if m.left == 0 {
				t.Error("no extent was left out while there were newer segments")
			}
			for len(m.old) > 0 {
				m.closeOld()
			}
			check(t, db.Close())
		})
	}
}

func (m *zoned) load() {
	m.id = m.db.NewStoreID()
	tx := m.db.Begin(TxnOptions{})
	check(m.t, tx.CreateStore(StoreDef{ID: m.id, Name: "zoned", Columns: []ColumnDef{{Kind: column.Int}, {Kind: column.Bytes}, {Kind: column.Int}, {Kind: column.Int}}}))
	commit(m.t, tx)
	tx = m.db.Begin(TxnOptions{})
	w, err := tx.Bulk(m.id)
	check(m.t, err)
	for k := range m.rows {
		m.rows[k] = zonedRow{there: k%20 != 7, value: int32(k), age: int32(k), version: 0}
		if m.rows[k].there {
			check(m.t, w.Append(key(k), m.row(k, m.rows[k])))
		}
	}
	check(m.t, w.Finish(ctx))
	commit(m.t, tx)
}

// row returns what is stored: long, so that few rows fill an extent.
func (m *zoned) row(k int, r zonedRow) []column.Datum {
	d := column.IntDatum(int64(r.value))
	if r.null {
		d = column.Null()
	}
	text := append([]byte(fmt.Sprint(k, "/", r.version, "/")), m.filler[k%100:k%100+150]...)
	return []column.Datum{d, {B: text}, column.IntDatum(int64(r.age)), column.IntDatum(int64(k))}
}

func (m *zoned) step(step int) {
	for range 1 + m.rng.IntN(3) {
		m.write()
	}
	switch n := m.rng.IntN(10); {
	case n < 5:
		check(m.t, m.db.Flush(ctx))
	case n == 5:
		check(m.t, m.db.Compact(ctx, m.id))
	case n < 8 && m.expires:
		m.moveHorizon()
	}
	if m.rng.IntN(3) == 0 {
		tx := m.db.Begin(TxnOptions{Isolation: RepeatableRead})
		m.old = append(m.old, oldZoned{tx, tx.Snapshot(), slices.Clone(m.rows)})
	}
	if len(m.old) > 4 {
		m.closeOld()
	}
	s := m.db.Begin(TxnOptions{}).Snapshot()
	for range 4 {
		m.compare(s, m.rows, fmt.Sprint("step ", step))
	}
	s.Close()
	for i, o := range m.old {
		m.compare(o.s, o.rows, fmt.Sprint("step ", step, ", old snapshot ", i))
	}
}

func (m *zoned) closeOld() {
	i := m.rng.IntN(len(m.old))
	m.old[i].s.Close()
	check(m.t, m.old[i].tx.Rollback())
	m.old = slices.Delete(m.old, i, i+1)
}

func (m *zoned) moveHorizon() {
	tx := m.db.Begin(TxnOptions{})
	m.horizon += int32(m.rng.IntN(zonedSpan / 16))
	check(m.t, tx.MoveHorizon(m.id, 2, int64(m.horizon)))
	commit(m.t, tx)
	m.expire()
}

func (m *zoned) expire() {
	for k := range m.rows {
		m.rows[k].there = m.rows[k].there && m.rows[k].age >= m.horizon
	}
}

// write changes rows in one transaction: all over the store, a stretch of it,
// or each tenth row.
func (m *zoned) write() {
	var o TxnOptions
	if m.db.opts.BulkMinBytes == 1 && m.rng.IntN(2) == 0 {
		o.SpillBytes = 1 // it becomes a segment that is newer than the memtable
	}
	tx := m.db.Begin(o)
	next := slices.Clone(m.rows)
	m.place = max(m.place+1000, 4*zonedSpan)
	kind, from := m.rng.IntN(6), m.rng.IntN(zonedSpan)
	switch m.rng.IntN(3) {
	case 0:
		for range 1 + m.rng.IntN(200) {
			m.change(tx, next, m.rng.IntN(zonedSpan), kind)
		}
	case 1:
		for k := from; k < min(from+1+m.rng.IntN(1500), zonedSpan); k++ {
			m.change(tx, next, k, kind)
		}
	default:
		for k := from % 10; k < zonedSpan; k += 10 {
			m.change(tx, next, k, kind)
		}
	}
	tx.NextCommand()
	own := tx.Snapshot()
	m.compare(own, next, "own writes")
	own.Close()
	if m.rng.IntN(6) == 0 {
		check(m.t, tx.Rollback())
		return
	}
	commit(m.t, tx)
	m.rows = next
	m.expire()
}

func (m *zoned) change(tx *Txn, rows []zonedRow, k, kind int) {
	r := &rows[k]
	if r.version == m.version+1 {
		return // once in a transaction
	}
	if kind == 5 {
		kind = m.rng.IntN(5)
	}
	was := r.there
	r.there, r.null, r.version, r.age = true, false, m.version+1, int32(k+m.rng.IntN(zonedSpan/4))
	switch kind {
	case 0: // stays where it is
		r.value = int32(k)
	case 1: // goes far away
		r.value = int32(2*zonedSpan + m.rng.IntN(zonedSpan))
	case 2: // meets others at a place of the transaction's own
		r.value = m.place + int32(m.rng.IntN(100))
	case 3:
		r.null = true
	case 4:
		if r.there = false; was {
			check(m.t, tx.Delete(m.id, key(k), nil))
		}
		return
	}
	if !was {
		check(m.t, tx.Insert(ctx, m.id, key(k), m.row(k, *r)))
		return
	}
	check(m.t, tx.Put(m.id, key(k), m.row(k, *r)))
}

// compare scans for a range of values, with pruning and without.
func (m *zoned) compare(s *Snapshot, want []zonedRow, what string) {
	m.t.Helper()
	m.version++ // texts of the next writes differ
	lo := int32(m.rng.IntN(zonedSpan))
	hi := lo + int32(m.rng.IntN(zonedSpan/8))
	if m.rng.IntN(3) == 0 {
		lo = m.place - int32(m.rng.IntN(3)*1000)
		hi = lo + 90
	}
	o := ScanOptions{Keys: m.rng.IntN(2) == 0, Late: m.rng.IntN(2) == 0, Reverse: m.rng.IntN(3) == 0}
	from, to := 0, zonedSpan
	if m.rng.IntN(3) == 0 {
		from = m.rng.IntN(zonedSpan)
		to = from + m.rng.IntN(zonedSpan-from)
		o.Lower, o.Upper = key(from), key(to)
	}
	var expect []string
	for k := from; k < to; k++ {
		if r := want[k]; r.there && !r.null && r.value >= lo && r.value <= hi {
			expect = append(expect, fmt.Sprint(k, "/", r.version, "/"))
		}
	}
	if o.Reverse {
		slices.Reverse(expect)
	}
	for _, prune := range []bool{false, true} {
		var st ReadStats
		if o.Stats, o.Wanted = &st, nil; prune {
			o.Wanted = []ColumnRange{{Column: 0, Min: keys.IntBits(int64(lo)), Max: keys.IntBits(int64(hi))}}
		}
		if got := m.scan(s, o, lo, hi); !slices.Equal(got, expect) {
			m.t.Fatalf("%s: values %d to %d of keys %d to %d, reverse %v, pruned %v:\n%v\n%v", what, lo, hi, from, to, o.Reverse, prune, got, expect)
		}
		if st.Segments > 1 {
			m.left += st.ExtentsPruned
		}
	}
}

// scan returns keys and versions of the rows with wanted values.
func (m *zoned) scan(s *Snapshot, o ScanOptions, lo, hi int32) (rows []string) {
	m.t.Helper()
	it := s.Scan(m.id, o)
	defer it.Close()
	var b column.Batch
	for {
		ok, err := it.Next(&b)
		check(m.t, err)
		if !ok {
			return rows
		}
		if it.Deferred() {
			loadLate(m.t, it, &b)
		}
		for i := range b.N {
			if v := b.Cols[0].I[i]; b.Cols[0].Null(i) || v < int64(lo) || v > int64(hi) {
				continue
			}
			text := b.Cols[1].B[i]
			rows = append(rows, string(text[:len(text)-150]))
			if o.Keys && number(it.Keys()[i]) != int(b.Cols[3].I[i]) {
				m.t.Fatalf("row %d has the key %x", b.Cols[3].I[i], it.Keys()[i])
			}
		}
	}
}

// TestCommittedSegmentHidesMemory has a transaction commit as a segment that is
// newer than what is in memory, and than what came into level 0 before.
func TestCommittedSegmentHidesMemory(t *testing.T) {
	for _, flush := range []bool{false, true} {
		db, err := openOn(t, vfs.NewMem(1), func(o *Options) { o.BulkMinBytes = 1; o.LogFileBytes = 1 << 20 })
		check(t, err)
		m := &zoned{t: t, rng: rand.New(rand.NewPCG(1, 1)), db: db, rows: make([]zonedRow, zonedSpan), filler: make([]byte, 256)}
		m.load()
		put := func(o TxnOptions, from, to, step int, value int32) {
			tx := db.Begin(o)
			m.version++
			for k := from; k < to; k += step {
				m.rows[k].value, m.rows[k].version = value, m.version
				check(t, tx.Put(m.id, key(k), m.row(k, m.rows[k])))
			}
			commit(t, tx)
		}
		put(TxnOptions{}, 1000, 1500, 10, 4*zonedSpan)
		if flush {
			check(t, db.Flush(ctx))
		}
		put(TxnOptions{SpillBytes: 16 << 10}, 0, zonedSpan, 10, 5*zonedSpan)
		s := db.Begin(TxnOptions{}).Snapshot()
		if n := len(db.view.Load().stores[m.id].level0); n == 0 {
			t.Error("there is no newer segment")
		}
		o := ScanOptions{Wanted: []ColumnRange{{Column: 0, Min: keys.IntBits(4 * zonedSpan), Max: keys.IntBits(4*zonedSpan + 1)}}}
		if got := m.scan(s, o, 4*zonedSpan, 4*zonedSpan+1); len(got) > 0 {
			t.Errorf("flushed %v: rows that are hidden: %v", flush, got)
		}
		s.Close()
		check(t, db.Close())
	}
}

// TestSpreadUpdatesAreLeftOut updates rows all over a store, which stay wanted
// or not as they were: what is left to read of the newer segment is near what
// is left of the base.
func TestSpreadUpdatesAreLeftOut(t *testing.T) {
	db, err := openOn(t, vfs.NewMem(1), func(o *Options) { o.BulkMinBytes = 1; o.LogFileBytes = 1 << 20 })
	check(t, err)
	defer func() { check(t, db.Close()) }()
	m := &zoned{t: t, rng: rand.New(rand.NewPCG(1, 1)), db: db, rows: make([]zonedRow, zonedSpan), filler: make([]byte, 256)}
	for i := range m.filler {
		m.filler[i] = byte(m.rng.Uint32())
	}
	m.load()
	tx := db.Begin(TxnOptions{})
	for k := 0; k < zonedSpan; k += 2 {
		if m.rows[k].there {
			check(t, tx.Put(m.id, key(k), m.row(k, m.rows[k])))
		}
	}
	commit(t, tx)
	check(t, db.Flush(ctx))
	var newer, base int64
	st := db.view.Load().stores[m.id]
	for _, r := range st.level0 {
		newer += int64(r.reader.Extents())
	}
	for _, r := range st.base {
		base += int64(r.reader.Extents())
	}
	s := db.Begin(TxnOptions{}).Snapshot()
	defer s.Close()
	left := func(lo, hi int64) int64 {
		var read ReadStats
		o := ScanOptions{Stats: &read, Wanted: []ColumnRange{{Column: 0, Min: keys.IntBits(lo), Max: keys.IntBits(hi)}}}
		m.scan(s, o, int32(lo), int32(hi))
		return read.ExtentsPruned
	}
	if newer < 4 {
		t.Fatalf("%d extents of newer segments are too few for a test", newer)
	}
	if got := left(100, 110); got < newer+base-3 {
		t.Errorf("%d extents are left out of %d and %d newer ones", got, base, newer)
	}
	if got := left(4*zonedSpan, 5*zonedSpan); got != newer+base {
		t.Errorf("%d extents are left out of %d and %d newer ones, of which none is wanted", got, base, newer)
	}
}
