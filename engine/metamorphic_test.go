package engine

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/internal/vfs"
)

// The metamorphic test runs random operations on a database and on a plain
// map: transactions with savepoints, old snapshots, flushes, merges, clean
// restarts and crashes, under several sets of options. Whatever the options,
// every read must agree with the map.
//
// OMENDB_METAMORPHIC_STEPS and OMENDB_METAMORPHIC_SEED make it longer or different.

type model map[int]string

type modelTxn struct {
	tx    *Txn
	class int   // it writes keys that are class modulo the number of classes
	base  model // RepeatableRead: what was committed at its first snapshot
	own   map[int]*string
	saves []map[int]*string
}

type metamorphic struct {
	t         *testing.T
	rng       *rand.Rand
	fs        *vfs.Mem
	opts      func(*Options)
	db        *DB
	id        StoreID
	committed model
	txns      []*modelTxn
	snaps     []*oldSnapshot
	keySpan   int
	noModel   bool
}

type oldSnapshot struct {
	s    *Snapshot
	rows model
}

const classes = 3

func envInt(name string, def int) int {
	if v, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return v
	}
	return def
}

func TestMetamorphic(t *testing.T) {
	steps, seed := envInt("OMENDB_METAMORPHIC_STEPS", 1000), envInt("OMENDB_METAMORPHIC_SEED", 1)
	sets := []struct {
		name    string
		span    int
		noModel bool
		opts    func(*Options)
	}{
		{"tiny memtable, few keys", 60, false, func(o *Options) { o.MemtableBytes = 4 << 10 }},
		{"tiny memtable, many keys", 5000, false, func(o *Options) { o.MemtableBytes = 16 << 10 }},
		{"tiny cache, no model", 5000, true, func(o *Options) { o.MemtableBytes = 8 << 10; o.CacheBytes = 64 << 10 }},
		{"large memtable", 300, false, func(o *Options) {}},
		{"large memtable, plain", 300, true, func(o *Options) { o.PlainReads, o.PlainWrites = true, true }},
		{"everything in bulk", 3000, false, func(o *Options) { o.BulkMinBytes = 1; o.BulkBufferBytes = 2 << 10; o.SpillBytes = 1500 }},
		{"every write spills, every lock is packed", 600, false, func(o *Options) { o.SpillBytes = 1; o.PackLocks = 1; o.MemtableBytes = 8 << 10 }},
		{"small log files", 300, false, func(o *Options) { o.LogFileBytes = 8 << 10; o.MemtableBytes = 32 << 10 }},
	}
	for i, set := range sets {
		t.Run(set.name, func(t *testing.T) {
			m := &metamorphic{t: t, rng: rand.New(rand.NewPCG(uint64(seed), uint64(i))), fs: vfs.NewMem(uint64(seed)),
				opts: set.opts, committed: model{}, keySpan: set.span, noModel: set.noModel}
			m.open()
			m.id = makeStore(t, m.db)
			for range steps {
				m.step()
			}
			m.restart(false)
			check(t, m.db.Close())
		})
	}
}

func (m *metamorphic) open() {
	db, err := openOn(m.t, m.fs, m.opts)
	check(m.t, err)
	m.db = db
}

func (m *metamorphic) step() {
	switch n := m.rng.IntN(100); {
	case n < 60:
		m.work()
	case n < 75:
		m.finish()
	case n < 82:
		m.verify(m.begin())
	case n < 86:
		s := m.db.Begin(TxnOptions{}).Snapshot()
		m.snaps = append(m.snaps, &oldSnapshot{s, maps.Clone(m.committed)})
	case n < 91 && len(m.snaps) > 0:
		i := m.rng.IntN(len(m.snaps))
		m.compare(m.snaps[i].s, m.snaps[i].rows)
		m.snaps[i].s.Close()
		m.snaps = slices.Delete(m.snaps, i, i+1)
	case n < 95:
		check(m.t, m.db.Flush(ctx))
	case n < 97:
		check(m.t, m.db.Compact(ctx, m.id))
	case n == 97:
		m.restart(m.rng.IntN(2) == 0)
	}
}

// begin returns a running transaction, perhaps a new one.
func (m *metamorphic) begin() *modelTxn {
	if len(m.txns) == classes || len(m.txns) > 0 && m.rng.IntN(3) > 0 {
		return m.txns[m.rng.IntN(len(m.txns))]
	}
	class := 0
	for slices.ContainsFunc(m.txns, func(x *modelTxn) bool { return x.class == class }) {
		class++
	}
	x := &modelTxn{class: class, own: map[int]*string{}}
	if m.rng.IntN(2) == 0 {
		x.tx = m.db.Begin(TxnOptions{Isolation: RepeatableRead})
		x.tx.Snapshot().Close()
		x.base = maps.Clone(m.committed)
	} else {
		x.tx = m.db.Begin(TxnOptions{})
	}
	m.txns = append(m.txns, x)
	return x
}

// sees returns what a transaction must see.
func (m *metamorphic) sees(x *modelTxn) model {
	rows := x.base
	if rows == nil {
		rows = m.committed
	}
	rows = maps.Clone(rows)
	for k, v := range x.own {
		if v == nil {
			delete(rows, k)
		} else {
			rows[k] = *v
		}
	}
	return rows
}

func (m *metamorphic) work() {
	x := m.begin()
	for range 1 + m.rng.IntN(12) {
		k := m.rng.IntN(m.keySpan/classes)*classes + x.class
		v := strings.Repeat(string(rune('a'+m.rng.IntN(26))), m.rng.IntN(40))
		_, exists := m.sees(x)[k]
		switch {
		case !exists:
			check(m.t, x.tx.Insert(ctx, m.id, key(k), row(k, v)))
			x.own[k] = &v
		case m.rng.IntN(3) == 0:
			check(m.t, x.tx.Delete(m.id, key(k), nil))
			x.own[k] = nil
		default:
			check(m.t, x.tx.Put(m.id, key(k), row(k, v)))
			x.own[k] = &v
		}
	}
	if m.rng.IntN(6) == 0 {
		m.bulk(x)
	}
	x.tx.NextCommand()
	switch n := m.rng.IntN(8); {
	case n == 0:
		x.tx.Savepoint()
		x.saves = append(x.saves, maps.Clone(x.own))
	case n == 1 && len(x.saves) > 0:
		sp := m.rng.IntN(len(x.saves))
		x.tx.RollbackTo(sp)
		x.own, x.saves = maps.Clone(x.saves[sp]), x.saves[:sp+1]
	case n == 2 && len(x.saves) > 0:
		sp := m.rng.IntN(len(x.saves))
		x.tx.Release(sp)
		x.saves = x.saves[:sp]
	}
}

// bulk loads rows under keys that are free, in any order.
func (m *metamorphic) bulk(x *modelTxn) {
	b, err := x.tx.Bulk(m.id)
	check(m.t, err)
	rows := map[int]string{}
	sees := m.sees(x)
	for range m.rng.IntN(60) {
		k := m.rng.IntN(m.keySpan/classes)*classes + x.class
		if _, ok := sees[k]; ok {
			continue
		}
		if _, ok := rows[k]; ok {
			continue
		}
		rows[k] = strings.Repeat("b", m.rng.IntN(90))
		check(m.t, b.Append(key(k), row(k, rows[k])))
	}
	if m.rng.IntN(5) == 0 {
		b.Abort()
		return
	}
	check(m.t, b.Finish(ctx))
	for k, v := range rows {
		x.own[k] = &v
	}
}

func (m *metamorphic) finish() {
	if len(m.txns) == 0 {
		return
	}
	i := m.rng.IntN(len(m.txns))
	x := m.txns[i]
	m.txns = slices.Delete(m.txns, i, i+1)
	if m.rng.IntN(5) == 0 {
		check(m.t, x.tx.Rollback())
		return
	}
	commit(m.t, x.tx)
	for k, v := range x.own {
		if v == nil {
			delete(m.committed, k)
		} else {
			m.committed[k] = *v
		}
	}
}

func (m *metamorphic) verify(x *modelTxn) {
	s := x.tx.Snapshot()
	defer s.Close()
	m.compare(s, m.sees(x))
}

// compare reads a snapshot in every way there is.
func (m *metamorphic) compare(s *Snapshot, want model) {
	m.t.Helper()
	s.SetNoModel(m.noModel)
	if got := contents(m.t, s, m.id); !maps.Equal(got, want) {
		m.t.Fatalf("store has %d rows, model %d:\n%v\n%v", len(got), len(want), got, want)
	}
	keys := make([][]byte, 20)
	for i := range keys {
		keys[i] = key(m.rng.IntN(m.keySpan))
	}
	var b column.Batch
	found := make([]bool, len(keys))
	check(m.t, s.GetBatch(m.id, keys, []int{1, 0}, &b, found))
	for i, k := range keys {
		v, ok := want[number(k)]
		if found[i] != ok || ok && (b.Cols[0].Datum(i).String() != v || b.Cols[1].I[i] != int64(number(k))) {
			m.t.Fatalf("batch: key %d: %v, want %q %v", number(k), b.Cols[0].Datum(i), v, ok)
		}
	}
	for range 3 {
		lo := m.rng.IntN(m.keySpan)
		hi := lo + m.rng.IntN(m.keySpan/4)
		m.compareRange(s, want, lo, hi)
	}
}

func number(k []byte) int {
	n := 0
	for _, c := range k {
		n = n<<8 | int(c)
	}
	return n
}

func (m *metamorphic) compareRange(s *Snapshot, want model, lo, hi int) {
	var expect []string
	for k := lo; k < hi; k++ {
		if v, ok := want[k]; ok {
			expect = append(expect, fmt.Sprint(k, v))
		}
	}
	n, err := s.Count(m.id, key(lo), key(hi))
	check(m.t, err)
	if int(n) != len(expect) {
		m.t.Fatalf("count of [%d, %d) is %d instead of %d", lo, hi, n, len(expect))
	}
	reverse := m.rng.IntN(2) == 0
	if reverse {
		slices.Reverse(expect)
	}
	it := s.Scan(m.id, ScanOptions{Lower: key(lo), Upper: key(hi), Reverse: reverse, Cols: []int{1}, Keys: true})
	defer it.Close()
	var got []string
	var b column.Batch
	for {
		ok, err := it.Next(&b)
		check(m.t, err)
		if !ok {
			break
		}
		if b.Sel != nil || len(it.Keys()) != b.N {
			m.t.Fatalf("batch of %d rows with %d keys, selection %v", b.N, len(it.Keys()), b.Sel)
		}
		for i, k := range it.Keys() {
			got = append(got, fmt.Sprint(number(k), b.Cols[0].Datum(i).String()))
		}
	}
	if !slices.Equal(got, expect) {
		m.t.Fatalf("range [%d, %d) reverse=%v:\n%v\n%v", lo, hi, reverse, got, expect)
	}
}

// restart closes and opens the database, or crashes it.
func (m *metamorphic) restart(crash bool) {
	for _, o := range m.snaps {
		o.s.Close()
	}
	for _, x := range m.txns {
		check(m.t, x.tx.Rollback())
	}
	m.snaps, m.txns = nil, nil
	next := m.fs
	if crash {
		next = m.fs.CrashClone(m.rng)
	}
	check(m.t, m.db.Close())
	m.fs = next
	m.open()
	s := m.db.Begin(TxnOptions{}).Snapshot()
	m.compare(s, m.committed)
	s.Close()
}
