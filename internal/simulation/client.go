package simulation

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/wal"
)

// keySpan is small, so that clients meet on rows.
const keySpan = 120

var sequenceParams = engine.SequenceParams{Increment: 1, Min: 1, Max: 1 << 40}

// client does the steps of a program, one after the other.
type client struct {
	w           *world
	maintenance bool
	rng         *rand.Rand
	tx          *engine.Txn
	schema      schema
	effect      *effect
}

func (c *client) do(s step) {
	c.rng = rand.New(rand.NewPCG(s.seed, 0x636c69))
	db := c.w.db
	switch s.kind {
	case stepFlush:
		c.expect("flush", db.Flush(ctx))
	case stepMerge:
		if sc, err := c.current(); c.expect("read", err) {
			c.expect("merge", db.Compact(ctx, []engine.StoreID{sc.table, sc.index, sc.unique, ledgerStore, agingStore}[c.rng.IntN(5)]))
		}
	case stepWait:
		c.sleep(time.Duration(c.rng.IntN(300)) * time.Millisecond)
	case stepBackup:
		c.backup()
	case stepSequence:
		v, err := db.SequenceNext(sequenceStore, sequenceParams)
		if c.expect("sequence", err) {
			if v <= c.w.sequence {
				c.w.fail(fmt.Errorf("sequence regress: %d after %d", v, c.w.sequence))
			}
			c.w.sequence = v
		}
	case stepRead:
		tx := db.Begin(engine.TxnOptions{})
		snap := tx.Snapshot()
		_, _, err := contents(snap)
		if err == nil {
			_, err = readAging(snap)
		}
		snap.Close()
		_ = tx.Rollback()
		c.expect("read", err)
	default:
		c.transaction(s.kind)
	}
}

// current reads the schema.
func (c *client) current() (schema, error) {
	tx := c.w.db.Begin(engine.TxnOptions{})
	defer tx.Rollback()
	s := tx.Snapshot()
	defer s.Close()
	return readSchema(s)
}

func (c *client) sleep(d time.Duration) {
	done := make(chan struct{})
	c.w.sim.After(d, "sleep", func() { close(done) })
	_ = c.w.sim.Await(ctx, done) // the context has no end
}

// expect notes an error that the program does not account for. It reports
// whether there was none.
func (c *client) expect(what string, err error) bool {
	if err != nil && !c.w.faulty {
		c.w.fail(fmt.Errorf("%s: %w", what, err))
	}
	if _, damaged := engine.Corruption(err); damaged && !c.w.short {
		c.w.fail(fmt.Errorf("%s: an I/O error was taken for damage: %w", what, err))
	}
	return err == nil
}

// expected says that an error belongs to concurrent work.
func expectedConflict(err error) bool {
	var exists *engine.KeyExistsError
	var deadlock *engine.DeadlockError
	return errors.As(err, &exists) || errors.As(err, &deadlock) || errors.Is(err, engine.ErrSerialization)
}

func (c *client) transaction(kind stepKind) {
	w := c.w
	w.numbers++
	c.effect = &effect{number: w.numbers, rows: map[int64]*record{}, ages: map[int64]int64{}}
	o := engine.TxnOptions{AsyncCommit: c.rng.IntN(4) == 0, DeadlockTimeout: 10 * time.Millisecond}
	if c.rng.IntN(4) == 0 {
		o.Isolation = engine.Isolation(1 + c.rng.IntN(2))
	}
	c.tx = w.db.Begin(o)
	defer c.tx.Rollback()
	err := c.work(kind)
	if err == nil {
		err = c.tx.Insert(ctx, ledgerStore, intKey(c.effect.number), []column.Datum{column.IntDatum(c.effect.number)})
	}
	if err != nil {
		if !expectedConflict(err) {
			c.expect("work", err)
		}
		return
	}
	xid := c.tx.XID()
	if c.rng.IntN(10) == 0 {
		return // changed its mind
	}
	w.history = append(w.history, c.effect)
	if c.rng.IntN(6) == 0 {
		c.twoPhases(xid)
		return
	}
	lsn, err := c.tx.Commit(ctx)
	if err != nil {
		var doubt *wal.InDoubtError
		c.effect.failed = !errors.As(err, &doubt) && !errors.Is(err, wal.ErrPoisoned)
		if !expectedConflict(err) {
			c.expect("commit", err)
		}
		return
	}
	c.effect.lsn = lsn
	if o.AsyncCommit && c.rng.IntN(2) == 0 {
		if !c.expect("wait", w.db.WaitDurable(ctx, lsn)) {
			return
		}
		o.AsyncCommit = false
	}
	if !o.AsyncCommit {
		// Numbers that nothing durable shows may be handed out again.
		w.acked, w.xid, w.store = max(w.acked, lsn), max(w.xid, xid), max(w.store, c.schema.unique)
	}
}

// work does what the transaction consists of.
func (c *client) work(kind stepKind) error {
	mode := engine.LockRowExclusive
	if kind == stepTruncate || kind == stepColumn {
		mode = engine.LockAccessExclusive
	}
	if err := c.tx.LockTable(ctx, tableLock, mode, engine.Wait); err != nil {
		return err
	}
	s := c.tx.Snapshot()
	var err error
	c.schema, err = readSchema(s)
	s.Close()
	if err != nil {
		return err
	}
	switch kind {
	case stepTruncate:
		err = c.truncate()
	case stepColumn:
		err = c.addColumn()
	case stepBulk:
		err = c.bulk()
	case stepExpire:
		c.effect.horizon = max(c.effect.number-c.rng.Int64N(30), 1)
		return c.tx.MoveHorizon(agingStore, 1, c.effect.horizon)
	}
	if err != nil {
		return err
	}
	if err := c.writes(); err != nil {
		return err
	}
	return c.age()
}

// age writes some rows of the store whose rows expire, with the transaction's
// number or an older one.
func (c *client) age() error {
	for range c.rng.IntN(4) {
		k, age := c.rng.Int64N(agingSpan), c.effect.number-c.rng.Int64N(20)
		if err := c.tx.Upsert(ctx, agingStore, intKey(k), []column.Datum{column.IntDatum(k), column.IntDatum(age)}); err != nil {
			return err
		}
		c.effect.ages[k] = age
	}
	return nil
}

func (c *client) newStore() engine.StoreID {
	id := c.w.db.NewStoreID()
	if id <= c.w.store && !c.w.faulty {
		c.w.fail(fmt.Errorf("store number %d after %d", id, c.w.store))
	}
	return id
}

func (c *client) truncate() error {
	for _, id := range []engine.StoreID{c.schema.table, c.schema.index, c.schema.unique} {
		if err := c.tx.DropStore(id); err != nil {
			return err
		}
	}
	c.schema.table, c.schema.index, c.schema.unique = c.newStore(), c.newStore(), c.newStore()
	if err := c.schema.create(c.tx); err != nil {
		return err
	}
	c.effect.truncate = true
	return c.putSchema()
}

func (c *client) addColumn() error {
	if c.schema.width == maxColumns {
		return nil
	}
	c.schema.width++
	if err := c.tx.AlterStore(c.schema.tableDef()); err != nil {
		return err
	}
	c.effect.width = c.schema.width
	return c.putSchema()
}

func (c *client) putSchema() error {
	if _, err := c.tx.Lock(ctx, catalogStore, intKey(1), engine.Update, engine.Wait, nil); err != nil {
		return err
	}
	return c.tx.Put(catalogStore, intKey(1), c.schema.row())
}

func (c *client) record() record {
	r := record{text: strings.Repeat(string(rune('a'+c.rng.IntN(26))), c.rng.IntN(60)), unique: c.rng.Int64N(40 * keySpan), width: c.schema.width}
	if c.rng.IntN(40) == 0 {
		r.text = strings.Repeat(r.text, 40)
	}
	return r
}

// bulk loads rows above the span of the others; a key or number that exists fails the transaction.
func (c *client) bulk() error {
	writers := make([]*engine.BulkWriter, 3)
	for i, id := range []engine.StoreID{c.schema.table, c.schema.index, c.schema.unique} {
		b, err := c.tx.Bulk(id)
		if err != nil {
			return err
		}
		writers[i] = b
	}
	abort := func(err error) error {
		for _, b := range writers {
			b.Abort()
		}
		return err
	}
	unique := map[int64]bool{}
	for k, end := c.rng.Int64N(1<<20), c.rng.Int64N(50); end > 0; end-- {
		k += 1 + c.rng.Int64N(3)
		r := c.record()
		r.unique = k * 1000
		if unique[r.unique] {
			continue
		}
		unique[r.unique] = true
		for i, add := range []func(b *engine.BulkWriter) error{
			func(b *engine.BulkWriter) error { return b.Append(intKey(k+keySpan), r.values(k+keySpan)) },
			func(b *engine.BulkWriter) error {
				return b.Append(indexKey(r.text, k+keySpan), []column.Datum{column.BytesDatum(intKey(k + keySpan))})
			},
			func(b *engine.BulkWriter) error {
				return b.Append(intKey(r.unique), []column.Datum{column.BytesDatum(intKey(k + keySpan))})
			},
		} {
			if err := add(writers[i]); err != nil {
				return abort(err)
			}
		}
		c.effect.rows[k+keySpan] = &r
	}
	for i, b := range writers {
		if err := b.Finish(ctx); err != nil {
			for _, rest := range writers[i+1:] {
				rest.Abort()
			}
			return err
		}
	}
	return nil
}

// writes changes some rows, with savepoints.
func (c *client) writes() error {
	for range c.rng.IntN(14) {
		if c.rng.IntN(8) > 0 {
			if err := c.change(c.rng.Int64N(keySpan)); err != nil {
				return err
			}
			continue
		}
		sp, before := c.tx.Savepoint(), map[int64]*record{}
		for k, r := range c.effect.rows {
			before[k] = r
		}
		for range c.rng.IntN(4) {
			if err := c.change(c.rng.Int64N(keySpan)); err != nil {
				return err
			}
		}
		if c.rng.IntN(2) == 0 {
			c.tx.RollbackTo(sp)
			c.effect.rows = before
		}
		c.tx.Release(sp)
	}
	return nil
}

// change inserts, updates or deletes a row with its index entries. A unique
// number that is taken leaves the row as it was.
func (c *client) change(k int64) error {
	c.tx.NextCommand()
	var s *engine.Snapshot
	if c.tx.Options().Isolation != engine.ReadCommitted {
		s = c.tx.Snapshot()
	}
	res, err := c.tx.Lock(ctx, c.schema.table, intKey(k), engine.Update, engine.Wait, s)
	if s != nil {
		s.Close()
	}
	if err != nil {
		return err
	}
	c.tx.NextCommand()
	sp := c.tx.Savepoint()
	var r *record
	if res.Status == engine.Locked || res.Status == engine.Updated || res.Status == engine.SelfModified {
		r, err = c.update(k)
	} else {
		n := c.record()
		r, err = &n, c.insert(k, n)
	}
	var exists *engine.KeyExistsError
	switch {
	case errors.As(err, &exists):
		c.tx.RollbackTo(sp)
		err = nil
	case err == nil:
		c.effect.rows[k] = r
	}
	c.tx.Release(sp)
	return err
}

func (c *client) insert(k int64, r record) error {
	if err := c.tx.Insert(ctx, c.schema.table, intKey(k), r.values(k)); err != nil {
		return err
	}
	return c.addEntries(k, r)
}

func (c *client) addEntries(k int64, r record) error {
	target := []column.Datum{column.BytesDatum(intKey(k))}
	if err := c.tx.Insert(ctx, c.schema.unique, intKey(r.unique), target); err != nil {
		return err
	}
	return c.tx.Insert(ctx, c.schema.index, indexKey(r.text, k), target)
}

// update replaces or deletes a locked row and returns what is there then.
func (c *client) update(k int64) (*record, error) {
	s := c.tx.Snapshot()
	row := make([]column.Datum, c.schema.width)
	ok, err := s.Get(c.schema.table, intKey(k), nil, row)
	old := record{text: row[1].String(), unique: row[2].I}
	s.Close()
	if err == nil && !ok {
		err = fmt.Errorf("lost: row %d is locked and cannot be read", k)
	}
	if err != nil {
		return nil, err
	}
	for _, e := range []struct {
		store engine.StoreID
		key   []byte
	}{{c.schema.unique, intKey(old.unique)}, {c.schema.index, indexKey(old.text, k)}} {
		if _, err := c.tx.Lock(ctx, e.store, e.key, engine.Update, engine.Wait, nil); err != nil {
			return nil, err
		}
		if err := c.tx.Delete(e.store, e.key, nil); err != nil {
			return nil, err
		}
	}
	if c.rng.IntN(3) == 0 {
		return nil, c.tx.Delete(c.schema.table, intKey(k), nil)
	}
	r := c.record()
	if err := c.tx.Put(c.schema.table, intKey(k), r.values(k)); err != nil {
		return nil, err
	}
	return &r, c.addEntries(k, r)
}
