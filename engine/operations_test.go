package engine

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/internal/vfs"
)

// TestOperations is the metamorphic test for numbers: simple transactions, a
// model that costs little, and many more operations under more sets of options
// than TestMetamorphic, which has the intricate ones. An operation is a row
// written or a key looked up; those of scans and counts are not counted.
//
// OMENDB_METAMORPHIC_OPERATIONS and OMENDB_METAMORPHIC_SEED make it longer or different.

// operations is the test under one set of options.
type operations struct {
	t      *testing.T
	rng    *rand.Rand
	fs     *vfs.Mem
	opts   func(*Options)
	db     *DB
	id     StoreID
	rows   []int32 // by key: which of values it has, 0 is none
	old    []oldRows
	done   int
	plain  bool // no models
	keys   [][]byte
	found  []bool
	batch  column.Batch
	expect []int32

	expires bool
	horizon int // keys below it are gone when they are committed
}

type oldRows struct {
	tx   *Txn
	s    *Snapshot
	rows []int32
}

// values are what rows hold beside their key.
var values = func() []string {
	list := make([]string, 1000)
	for i := range list {
		list[i] = fmt.Sprint(i, strings.Repeat("v", i%37))
	}
	return list
}()

type operationSet struct {
	name    string
	span    int
	opts    func(*Options)
	expires bool
}

func operationSets() []operationSet {
	sets := []operationSet{
		{"defaults", 20000, func(*Options) {}, false},
		{"tiny memtable", 20000, func(o *Options) { o.MemtableBytes = 32 << 10 }, false},
		{"tiny memtable and cache", 20000, func(o *Options) { o.MemtableBytes = 64 << 10; o.CacheBytes = 64 << 10 }, false},
		{"few keys", 50, func(o *Options) { o.MemtableBytes = 16 << 10 }, false},
		{"everything in bulk", 20000, func(o *Options) { o.BulkMinBytes = 1; o.BulkBufferBytes = 4 << 10 }, false},
		{"writes commit as segments", 5000, func(o *Options) { o.SpillBytes = 4 << 10; o.MemtableBytes = 256 << 10 }, false},
		{"small partitions", 20000, func(o *Options) { o.MemtableBytes = 3 << 10; o.PartitionBytes = 4 << 10 }, false},
		{"rows expire", 5000, func(o *Options) { o.MemtableBytes = 64 << 10; o.PartitionBytes = 64 << 10 }, true},
		{"small log files", 5000, func(o *Options) { o.LogFileBytes = 8 << 10; o.MemtableBytes = 128 << 10 }, false},
	}
	for _, set := range sets[:len(sets):len(sets)] { // the same without short cuts and models
		opts := set.opts
		sets = append(sets, operationSet{"plain, " + set.name, set.span, func(o *Options) { opts(o); o.PlainReads, o.PlainWrites = true, true }, set.expires})
	}
	return sets
}

func TestOperations(t *testing.T) {
	sets := operationSets()
	wanted := envInt("OMENDB_METAMORPHIC_OPERATIONS", 1_050_000)
	if testing.Short() {
		wanted /= 20
	}
	seed := envInt("OMENDB_METAMORPHIC_SEED", 1)
	for i, set := range sets {
		t.Run(set.name, func(t *testing.T) {
			m := &operations{t: t, rng: rand.New(rand.NewPCG(uint64(seed), uint64(i))), fs: vfs.NewMem(uint64(seed)), opts: set.opts,
				rows: make([]int32, set.span), expires: set.expires, plain: strings.HasPrefix(set.name, "plain")}
			m.open()
			m.id = makeStore(t, m.db)
			for m.done < wanted/len(sets) {
				m.step()
			}
			m.restart()
			check(t, m.db.Close())
		})
	}
}

func (m *operations) open() {
	db, err := openOn(m.t, m.fs, m.opts)
	check(m.t, err)
	m.db = db
}

func (m *operations) step() {
	switch n := m.rng.IntN(1000); {
	case n < 300:
		m.write()
	case n < 320:
		m.load()
	case n < 940:
		tx := m.db.Begin(TxnOptions{ReadOnly: true})
		s := tx.Snapshot()
		m.read(s, m.rows)
		s.Close()
		check(m.t, tx.Rollback())
	case n < 960:
		tx := m.db.Begin(TxnOptions{Isolation: RepeatableRead})
		m.old = append(m.old, oldRows{tx, tx.Snapshot(), slices.Clone(m.rows)})
	case n < 990 && len(m.old) > 0:
		i := m.rng.IntN(len(m.old))
		m.read(m.old[i].s, m.old[i].rows)
		if m.rng.IntN(2) == 0 {
			m.closeOld(i)
		}
	case n < 994:
		check(m.t, m.db.Flush(ctx))
	case n < 996:
		check(m.t, m.db.Compact(ctx, m.id))
	case n < 998 && m.expires:
		m.expire()
	case n == 999 && m.rng.IntN(4) == 0:
		m.restart()
	}
}

func (m *operations) closeOld(i int) {
	m.old[i].s.Close()
	check(m.t, m.old[i].tx.Rollback())
	m.old = slices.Delete(m.old, i, i+1)
}

// write changes rows in one transaction, which may roll back: anywhere, or
// side by side.
func (m *operations) write() {
	tx := m.db.Begin(TxnOptions{})
	changed := map[int]int32{}
	at, step := m.rng.IntN(len(m.rows)), 0
	if m.rng.IntN(2) == 0 {
		step = 1
	}
	for range 1 + m.rng.IntN(100) {
		if at = (at + step) % len(m.rows); step == 0 {
			at = m.rng.IntN(len(m.rows))
		}
		now, own := changed[at]
		if !own {
			now = m.rows[at]
		}
		v := int32(1 + m.rng.IntN(len(values)-1))
		switch {
		case now == 0:
			check(m.t, tx.Insert(ctx, m.id, key(at), row(at, values[v])))
		case m.rng.IntN(4) == 0:
			v = 0
			check(m.t, tx.Delete(m.id, key(at), nil))
		default:
			check(m.t, tx.Put(m.id, key(at), row(at, values[v])))
		}
		changed[at] = v
		m.done++
	}
	m.end(tx, changed)
}

func (m *operations) end(tx *Txn, changed map[int]int32) {
	if m.rng.IntN(8) == 0 {
		check(m.t, tx.Rollback())
		return
	}
	commit(m.t, tx)
	for k, v := range changed {
		if m.rows[k] = v; k < m.horizon {
			m.rows[k] = 0
		}
	}
}

// expire moves the horizon a little, or ends it when it has come far.
func (m *operations) expire() {
	tx := m.db.Begin(TxnOptions{})
	if m.horizon > len(m.rows)/2 {
		check(m.t, tx.EndHorizon(m.id))
		m.horizon = 0
	} else {
		m.horizon += m.rng.IntN(len(m.rows) / 16)
		check(m.t, tx.MoveHorizon(m.id, 0, int64(m.horizon)))
		clear(m.rows[:m.horizon])
	}
	commit(m.t, tx)
}

// load fills free keys from one on in bulk, in order.
func (m *operations) load() {
	tx := m.db.Begin(TxnOptions{})
	b, err := tx.Bulk(m.id)
	check(m.t, err)
	changed := map[int]int32{}
	for k, n := m.rng.IntN(len(m.rows)), 1+m.rng.IntN(300); k < len(m.rows) && n > 0; k, n = k+1, n-1 {
		if m.rows[k] == 0 {
			v := int32(1 + m.rng.IntN(len(values)-1))
			check(m.t, b.Append(key(k), row(k, values[v])))
			changed[k] = v
			m.done++
		}
	}
	check(m.t, b.Finish(ctx))
	m.end(tx, changed)
}

// read looks keys up in a batch and one by one, counts a range and scans it.
func (m *operations) read(s *Snapshot, want []int32) {
	m.t.Helper()
	s.SetNoModel(m.plain)
	m.keys, m.found = m.keys[:0], make([]bool, 100)
	for range len(m.found) {
		m.keys = append(m.keys, key(m.rng.IntN(len(want)+2)))
	}
	check(m.t, s.GetBatch(m.id, m.keys, []int{1, 0}, &m.batch, m.found))
	for i, k := range m.keys {
		m.expectRow(k, want, m.found[i], m.batch.Cols[0].Datum(i), m.batch.Cols[1].Datum(i))
	}
	var dst [2]column.Datum
	for _, k := range m.keys[:len(m.keys)/2] {
		ok, err := s.Get(m.id, k, []int{1, 0}, dst[:])
		check(m.t, err)
		m.expectRow(k, want, ok, dst[0], dst[1])
	}
	m.done += len(m.keys) * 3 / 2
	lo := m.rng.IntN(len(want))
	m.scan(s, want, lo, min(lo+m.rng.IntN(200), len(want)))
}

func (m *operations) expectRow(k []byte, want []int32, ok bool, value, id column.Datum) {
	m.t.Helper()
	n, v := number(k), int32(0)
	if n < len(want) {
		v = want[n]
	}
	if ok != (v != 0) || ok && (string(value.B) != values[v] || id.I != int64(n)) {
		m.t.Fatalf("key %d: found %v, %d %q; want %q", n, ok, id.I, value.B, values[v])
	}
}

func (m *operations) scan(s *Snapshot, want []int32, lo, hi int) {
	m.t.Helper()
	m.expect = m.expect[:0]
	for k := lo; k < hi; k++ {
		if want[k] != 0 {
			m.expect = append(m.expect, int32(k))
		}
	}
	n, err := s.Count(m.id, key(lo), key(hi))
	check(m.t, err)
	if int(n) != len(m.expect) {
		m.t.Fatalf("count of [%d, %d) is %d instead of %d", lo, hi, n, len(m.expect))
	}
	reverse := m.rng.IntN(2) == 0
	if reverse {
		slices.Reverse(m.expect)
	}
	it := s.Scan(m.id, ScanOptions{Lower: key(lo), Upper: key(hi), Reverse: reverse})
	defer it.Close()
	at := 0
	for {
		ok, err := it.Next(&m.batch)
		check(m.t, err)
		if !ok {
			break
		}
		for i := range m.batch.N {
			if at == len(m.expect) || m.batch.Cols[0].I[i] != int64(m.expect[at]) || string(m.batch.Cols[1].B[i]) != values[want[m.expect[at]]] {
				m.t.Fatalf("scan of [%d, %d) reverse=%v: row %d is %d %q", lo, hi, reverse, at, m.batch.Cols[0].I[i], m.batch.Cols[1].B[i])
			}
			at++
		}
	}
	if at != len(m.expect) {
		m.t.Fatalf("scan of [%d, %d) yields %d rows instead of %d", lo, hi, at, len(m.expect))
	}
}

// restart closes and opens the database, or crashes it, and reads everything.
func (m *operations) restart() {
	for len(m.old) > 0 {
		m.closeOld(0)
	}
	next := m.fs
	if m.rng.IntN(2) == 0 {
		next = m.fs.CrashClone(m.rng)
	}
	check(m.t, m.db.Close())
	m.fs = next
	m.open()
	s := m.db.Begin(TxnOptions{}).Snapshot()
	defer s.Close()
	m.scan(s, m.rows, 0, len(m.rows))
	m.read(s, m.rows)
}
