package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/omendb/omendb/engine/memtable"
	"github.com/omendb/omendb/wal"
)

// Replay of the log at start. The log reads and checks batches of records
// ahead; here each batch is taken apart by store, and the stores' rows go into
// their memtables side by side while the next batch is taken apart. Definitions,
// sequences and links are applied at once, in the order of the log. Nobody reads
// the memtables meanwhile, so they are loaded and put in order at the end, or
// when they are frozen.
type replayer struct {
	db      *DB
	jobs    [2]replayJob // one is taken apart while the other is applied
	turn    int
	pending *replayJob          // in the background; nil = none
	targets map[StoreID]*target // where rows go
	changed int                 // counts the moments at which that may have changed
	loading []*memtable.Table   // have to be put in order
	err     error               // the first of a job
}

// target is where a store's rows go, and those that each job has for it. There
// is one for each store, so that one worker applies its rows in order.
type target struct {
	table *memtable.Table // nil = the store was dropped
	def   *storeDef
	as    int // of the last change that it knows
	rows  [2]tableRows
}

// tableRows is what one job has for one memtable.
type tableRows struct {
	table    *memtable.Table
	id       StoreID
	sections []section
	bytes    int
	grown    int64 // by how much the memtable has grown
}

// section is rows that one record writes to one store, still encoded.
type section struct {
	def  *storeDef
	ts   uint64
	rows []byte
	n    int
}

// replayJob is a batch that is taken apart.
type replayJob struct {
	batch   *wal.Batch
	tables  []*tableRows
	changes int64 // of rows

	next  atomic.Int32 // of the tables, the one to be applied next
	left  atomic.Int32 // workers that have not ended
	ended chan struct{}
	mu    sync.Mutex
	err   error
}

// replayWorkers is how many tasks apply a batch: tables are few, and one that
// gets most of the rows cannot be shared.
const replayWorkers = 4

// replayFrozen bounds the memtables that wait for their flush in recovery. A
// server that was killed had half as many: what it left is replayed without
// waiting for the disk.
const replayFrozen = 2 * (maxFrozen + 2)

// replayLog applies the log from a record on.
func (db *DB) replayLog(from LSN) error {
	rp := &replayer{db: db, targets: make(map[StoreID]*target), changed: 1}
	batch := min(db.opts.ReplayBatchBytes, max(db.opts.MemtableBytes/4, 1))
	err := db.log.ReplayBatches(from, batch, rp.take)
	return cmp.Or(err, rp.wait())
}

// take receives the next batch, nil at the end. It returns how many rows the
// batch changes.
func (rp *replayer) take(b *wal.Batch) (int64, error) {
	if b == nil {
		err := rp.wait()
		rp.settle()
		return 0, err
	}
	// On a full disk nothing can be flushed. Still the database opens, so that it
	// can be read: what is replayed was in memory before.
	if err := rp.db.stallAbove(context.Background(), replayFrozen); err != nil && !errors.Is(err, ErrDiskFull) {
		return 0, err
	}
	rp.turn ^= 1
	job := &rp.jobs[rp.turn]
	job.reset(b)
	if err := rp.takeApart(job); err != nil {
		return 0, err
	}
	if err := rp.wait(); err != nil {
		return 0, err
	}
	rp.start(job)
	return job.changes, rp.freezeIfFull()
}

func (rp *replayer) takeApart(job *replayJob) error {
	db := rp.db
	db.applyMu.Lock()
	defer db.applyMu.Unlock()
	for i := range job.batch.Records {
		before := db.view.Load()
		if err := db.applyRecord(&job.batch.Records[i], rp); err != nil {
			return err
		}
		if db.view.Load() != before {
			rp.changed++
		}
	}
	return nil
}

// writes notes the rows that a record writes to a store and moves behind them.
func (rp *replayer) writes(d *decoder, c *changes, ts uint64) {
	id := StoreID(d.uvarint())
	t := rp.targets[id]
	if t == nil {
		t = &target{}
		rp.targets[id] = t
	}
	if t.as != rp.changed || c.created != nil || c.dropped != nil {
		t.table, t.def = c.lookup(id)
		t.as = rp.changed
	}
	n := d.count()
	start := d.b
	for range n {
		d.byte()
		d.bytes()
		d.bytes()
	}
	if d.err != nil {
		return
	}
	job := &rp.jobs[rp.turn]
	job.changes += int64(n)
	if t.table == nil {
		return
	}
	rows := &t.rows[rp.turn]
	if len(rows.sections) == 0 {
		rows.table, rows.id = t.table, id
		job.tables = append(job.tables, rows)
	}
	encoded := start[:len(start)-len(d.b)]
	rows.sections = append(rows.sections, section{t.def, ts, encoded, n})
	rows.bytes += len(encoded)
}

// reset makes a job ready for another batch.
func (job *replayJob) reset(b *wal.Batch) {
	for _, t := range job.tables {
		clear(t.sections)
		t.sections, t.bytes, t.grown = t.sections[:0], 0, 0
	}
	job.batch, job.tables, job.changes, job.err = b, job.tables[:0], 0, nil
	job.next.Store(0)
	job.ended = make(chan struct{})
}

// start has the rows of a batch applied.
func (rp *replayer) start(job *replayJob) {
	for _, t := range job.tables {
		if t.table.Empty() {
			t.table.BeginLoad()
			rp.loading = append(rp.loading, t.table)
		}
	}
	// The largest first, so that none is left over at the end.
	slices.SortFunc(job.tables, func(a, b *tableRows) int {
		return cmp.Or(cmp.Compare(b.bytes, a.bytes), cmp.Compare(a.id, b.id))
	})
	rp.pending = job
	workers := min(replayWorkers, len(job.tables))
	if workers == 0 || job.batch.Bytes < rp.db.opts.ReplayBatchBytes/8 { // not worth a task
		job.left.Store(1)
		job.work()
		return
	}
	job.left.Store(int32(workers))
	for range workers {
		rp.db.opts.Tasks.Submit("engine.replay", job.work)
	}
}

// work applies the rows of one memtable after the other.
func (job *replayJob) work() {
	defer func() {
		if job.left.Add(-1) == 0 {
			close(job.ended)
		}
	}()
	for {
		i := int(job.next.Add(1)) - 1
		if i >= len(job.tables) {
			return
		}
		if err := job.tables[i].apply(); err != nil {
			job.mu.Lock()
			job.err = err
			job.mu.Unlock()
			return
		}
	}
}

// apply puts the rows into the memtable.
func (t *tableRows) apply() error {
	before := t.table.Bytes()
	for i := range t.sections {
		s := &t.sections[i]
		d := decoder{b: s.rows}
		for range s.n {
			flags := memtable.Flags(d.byte())
			key, data := d.bytes(), d.bytes()
			if !(memtable.Version{Flags: flags, Data: data}).Check(s.def.kinds) {
				return fmt.Errorf("record %d: %w", s.ts, errMalformed)
			}
			t.table.Put(key, s.ts, flags, data)
		}
	}
	t.grown = t.table.Bytes() - before
	return nil
}

// wait returns when the batch before is in the memtables.
func (rp *replayer) wait() error {
	job := rp.pending
	if job == nil {
		return rp.err
	}
	rp.pending = nil
	_ = rp.db.opts.Tasks.Await(context.Background(), job.ended) // the context has no end
	job.batch.Release()
	rp.db.applyMu.Lock()
	for _, t := range job.tables {
		rp.db.activeBytes += t.grown
	}
	rp.db.applyMu.Unlock()
	rp.err = cmp.Or(rp.err, job.err)
	return rp.err
}

// freezeIfFull sets the memtables aside when they are full. They contain the
// log up to the last batch then.
func (rp *replayer) freezeIfFull() error {
	db := rp.db
	full := func() bool {
		db.applyMu.Lock()
		defer db.applyMu.Unlock()
		return db.full()
	}
	if !full() {
		return nil
	}
	if err := rp.wait(); err != nil {
		return err
	}
	rp.settle()
	db.applyMu.Lock()
	db.freeze()
	db.applyMu.Unlock()
	rp.changed++
	return nil
}

// settle puts the memtables that were loaded in order, side by side.
func (rp *replayer) settle() {
	tables := rp.loading
	rp.loading = nil
	var next, left atomic.Int32
	ended := make(chan struct{})
	work := func() {
		for i := next.Add(1) - 1; int(i) < len(tables); i = next.Add(1) - 1 {
			tables[i].EndLoad()
		}
		if left.Add(-1) == 0 {
			close(ended)
		}
	}
	var bytes int64
	for _, t := range tables {
		bytes += t.Bytes()
	}
	workers := min(replayWorkers, len(tables))
	if workers < 2 || bytes < rp.db.opts.ReplayBatchBytes {
		left.Store(1)
		work()
		return
	}
	left.Store(int32(workers))
	for range workers {
		rp.db.opts.Tasks.Submit("engine.replay", work)
	}
	_ = rp.db.opts.Tasks.Await(context.Background(), ended) // the context has no end
}
