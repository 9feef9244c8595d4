package engine

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/internal/vfs"
)

// aged is a row of the model: its value, and how it stands to horizons that ended.
type aged struct {
	value int64
	null  bool
}

// ages is a store with a horizon beside a model of it, which has the rows in
// the order of time: what a horizon hides is deleted from it.
type ages struct {
	t    *testing.T
	rng  *rand.Rand
	fs   *vfs.Mem
	opts func(*Options)
	db   *DB
	id   StoreID
	rows map[int]aged
	from int64 // the active horizon
	on   bool
	old  []oldAges
}

type oldAges struct {
	tx   *Txn
	s    *Snapshot
	rows map[int]aged
}

const ageSpan = 400

// TestHorizon compares a store whose horizon moves, ends and moves again with a
// model, under snapshots of any age, flushes, merges, restarts and crashes.
func TestHorizon(t *testing.T) {
	sets := []struct {
		name string
		opts func(*Options)
	}{
		{"defaults", func(*Options) {}},
		{"tiny memtable", func(o *Options) { o.MemtableBytes = 8 << 10 }},
		{"bulk", func(o *Options) { o.BulkMinBytes, o.SpillBytes, o.MemtableBytes = 1, 2<<10, 16<<10 }},
		{"plain", func(o *Options) { o.PlainReads, o.PlainWrites = true, true; o.MemtableBytes = 8 << 10 }},
	}
	for i, set := range sets {
		t.Run(set.name, func(t *testing.T) {
			for seed := range uint64(2) {
				m := &ages{t: t, rng: rand.New(rand.NewPCG(seed, uint64(i))), fs: vfs.NewMem(seed), opts: set.opts, rows: map[int]aged{}}
				m.open()
				tx := m.db.Begin(TxnOptions{})
				m.id = m.db.NewStoreID()
				check(t, tx.CreateStore(StoreDef{ID: m.id, Name: "ages", Columns: []ColumnDef{{Kind: column.Bytes}, {Kind: column.Int}}}))
				commit(t, tx)
				for range 700 {
					m.step()
				}
				m.restart()
				check(t, m.db.Close())
			}
		})
	}
}

func (m *ages) open() {
	db, err := openOn(m.t, m.fs, m.opts)
	check(m.t, err)
	m.db = db
}

func (m *ages) step() {
	switch n := m.rng.IntN(100); {
	case n < 50:
		m.write()
	case n < 58:
		m.move()
	case n < 60:
		tx := m.db.Begin(TxnOptions{})
		check(m.t, tx.EndHorizon(m.id))
		commit(m.t, tx)
		m.on = false
	case n < 80:
		tx := m.db.Begin(TxnOptions{})
		s := tx.Snapshot()
		m.compare(s, m.rows)
		s.Close()
		check(m.t, tx.Rollback())
	case n < 84:
		tx := m.db.Begin(TxnOptions{Isolation: RepeatableRead})
		m.old = append(m.old, oldAges{tx, tx.Snapshot(), maps.Clone(m.rows)})
	case n < 90 && len(m.old) > 0:
		i := m.rng.IntN(len(m.old))
		m.compare(m.old[i].s, m.old[i].rows)
		if m.rng.IntN(2) == 0 {
			m.closeOld(i)
		}
	case n < 95:
		check(m.t, m.db.Flush(ctx))
		m.db.RunMerges()
	case n < 98:
		check(m.t, m.db.Compact(ctx, m.id))
	case n == 99:
		m.restart()
	}
}

// move moves the horizon: forward, or, which does nothing, back.
func (m *ages) move() {
	before := int64(m.rng.IntN(1000))
	tx := m.db.Begin(TxnOptions{})
	check(m.t, tx.MoveHorizon(m.id, 1, before))
	commit(m.t, tx)
	if m.on && before <= m.from {
		return
	}
	m.on, m.from = true, before
	m.expire()
	if c, b, ok := m.db.Horizon(m.id); !ok || c != 1 || b != before {
		m.t.Fatalf("the horizon is at %d of %d, %v", b, c, ok)
	}
}

func (m *ages) expire() {
	maps.DeleteFunc(m.rows, func(_ int, a aged) bool { return m.on && !a.null && a.value < m.from })
}

// write changes rows in one transaction. A key that has expired is free again.
func (m *ages) write() {
	tx := m.db.Begin(TxnOptions{})
	next := maps.Clone(m.rows)
	bulk := map[int]aged{}
	for range 1 + m.rng.IntN(20) {
		k, a := m.rng.IntN(ageSpan), aged{value: int64(m.rng.IntN(1200)), null: m.rng.IntN(10) == 0}
		if _, done := bulk[k]; done {
			continue
		}
		bulk[k] = a
		_, exists := m.rows[k]
		if !exists {
			check(m.t, tx.Insert(ctx, m.id, key(k), a.row(k)))
			next[k] = a
			continue
		}
		res, err := tx.Lock(ctx, m.id, key(k), Update, Wait, nil)
		check(m.t, err)
		if res.Status != Locked {
			m.t.Fatalf("key %d: %v", k, res.Status)
		}
		if m.rng.IntN(3) == 0 {
			check(m.t, tx.Delete(m.id, key(k), nil))
			delete(next, k)
		} else {
			check(m.t, tx.Put(m.id, key(k), a.row(k)))
			next[k] = a
		}
	}
	if m.rng.IntN(5) == 0 {
		check(m.t, tx.Rollback())
		return
	}
	commit(m.t, tx)
	m.rows = next
	m.expire()
}

func (a aged) row(k int) []column.Datum {
	d := column.IntDatum(a.value)
	if a.null {
		d = column.Null()
	}
	return []column.Datum{column.StringDatum(fmt.Sprint("row ", k)), d}
}

// compare reads a snapshot one by one, in a batch, by a scan of one column, and counts.
func (m *ages) compare(s *Snapshot, want map[int]aged) {
	m.t.Helper()
	keys, found := make([][]byte, ageSpan), make([]bool, ageSpan)
	for k := range keys {
		keys[k] = key(k)
	}
	var b column.Batch
	check(m.t, s.GetBatch(m.id, keys, []int{0}, &b, found))
	texts := make([]string, ageSpan)
	for k := range keys {
		if found[k] {
			texts[k] = string(b.Cols[0].B[k])
		}
	}
	var dst [1]column.Datum
	var live []int
	for k := range keys {
		_, exists := want[k]
		ok, err := s.Get(m.id, keys[k], []int{0}, dst[:])
		check(m.t, err)
		text := fmt.Sprint("row ", k)
		if ok != exists || found[k] != exists || len(b.Cols) != 1 || exists && (string(dst[0].B) != text || texts[k] != text) {
			m.t.Fatalf("key %d: get %v, batch %v, want %v (%v)", k, ok, found[k], want[k], exists)
		}
		if exists {
			live = append(live, k)
		}
	}
	lo := m.rng.IntN(ageSpan)
	hi := lo + m.rng.IntN(ageSpan-lo)
	live = slices.DeleteFunc(live, func(k int) bool { return k < lo || k >= hi })
	n, err := s.Count(m.id, key(lo), key(hi))
	check(m.t, err)
	if int(n) != len(live) {
		m.t.Fatalf("count of [%d, %d) is %d, want %d", lo, hi, n, len(live))
	}
	reverse := m.rng.IntN(2) == 0
	if reverse {
		slices.Reverse(live)
	}
	it := s.Scan(m.id, ScanOptions{Lower: key(lo), Upper: key(hi), Cols: []int{0}, Keys: true, Reverse: reverse})
	defer it.Close()
	var got []int
	for {
		ok, err := it.Next(&b)
		check(m.t, err)
		if !ok {
			break
		}
		for i, k := range it.Keys() {
			got = append(got, number(k))
			if text := fmt.Sprint("row ", number(k)); len(b.Cols) != 1 || string(b.Cols[0].B[i]) != text {
				m.t.Fatalf("scan: %q of key %d", b.Cols[0].B[i], number(k))
			}
		}
	}
	if !slices.Equal(got, live) {
		m.t.Fatalf("scan of [%d, %d), reverse %v: %v, want %v", lo, hi, reverse, got, live)
	}
}

func (m *ages) closeOld(i int) {
	m.old[i].s.Close()
	check(m.t, m.old[i].tx.Rollback())
	m.old = slices.Delete(m.old, i, i+1)
}

func (m *ages) restart() {
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
	m.compare(s, m.rows)
	s.Close()
}

// TestHorizonDropsWholeSegments: what is wholly behind a horizon goes without a
// row being written, once no snapshot sees it any more.
func TestHorizonDropsWholeSegments(t *testing.T) {
	db := testDB(t)
	id := makeStore(t, db)
	for part := range 3 {
		tx := db.Begin(TxnOptions{})
		for i := range 100 {
			check(t, tx.Insert(ctx, id, key(part*100+i), row(part*100+i, "x")))
		}
		commit(t, tx)
		check(t, db.Flush(ctx))
	}
	names := func() (list []string) {
		for _, s := range db.StoreStats(id).Segments {
			list = append(list, s.Name)
		}
		return list
	}
	all := names()
	reader := db.Begin(TxnOptions{Isolation: RepeatableRead})
	old := reader.Snapshot()
	tx := db.Begin(TxnOptions{})
	check(t, tx.MoveHorizon(id, 0, 150))
	if err := tx.MoveHorizon(id, 1, 150); err == nil {
		t.Error("a horizon on a column of text")
	}
	commit(t, tx)
	settle := func() {
		awaitMerged(t, db)
	}
	settle()
	if got := names(); !slices.Equal(got, all) {
		t.Errorf("segments that an old snapshot sees: %v", got)
	}
	if n, err := old.Count(id, nil, nil); n != 300 || err != nil {
		t.Error(n, err)
	}
	old.Close()
	check(t, reader.Rollback())
	settle()
	got := names()
	if len(got) != 2 || slices.Contains(got, all[0]) || !slices.Contains(got, all[2]) {
		t.Errorf("segments %v of %v", got, all)
	}
	s := db.Begin(TxnOptions{}).Snapshot()
	defer s.Close()
	if n, ok, err := s.CountByRank(id, key(150), nil); n != 150 || !ok && len(got) == 3 || err != nil {
		t.Error(n, ok, err)
	}
}
