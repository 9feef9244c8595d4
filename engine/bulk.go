package engine

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/compact"
	"github.com/omendb/omendb/engine/memtable"
	"github.com/omendb/omendb/engine/segment"
	"github.com/omendb/omendb/engine/txn"
)

const (
	// bulkMinBytes is the size from which rows are worth segments of their own;
	// fewer go the way of single inserts.
	bulkMinBytes = 4 << 20
	// bulkBufferBytes is what a bulk writer holds before it writes a sorted run.
	bulkBufferBytes = 32 << 20
	// spillBytes is the size of private writes from which a transaction moves
	// them to segments, and in one store from which they commit as segments, so
	// that memory and log records stay small.
	spillBytes = 64 << 20
)

// BulkWriter takes many rows for one store on their way into segments. Keys
// may come in any order. The rows belong to the transaction once Finish has
// returned; the commit record names their segments.
type BulkWriter struct {
	t      *Txn
	id     StoreID
	def    *storeDef
	buf    *memtable.Table
	row    []byte
	stream bulkStream
	runs   []*run // one for each full buffer, and those of the stream
	minBuf int64
	maxBuf int64
	asOf   uint64
	err    error
}

// Bulk starts a bulk load into a store.
func (t *Txn) Bulk(id StoreID) (*BulkWriter, error) {
	if err := t.checkWrite(); err != nil {
		return nil, err
	}
	def, err := t.def(id)
	if err != nil {
		return nil, err
	}
	return &BulkWriter{t: t, id: id, def: def, buf: memtable.New(), minBuf: t.db.opts.BulkMinBytes, maxBuf: t.db.opts.BulkBufferBytes}, nil
}

// Append adds a row. A key that was appended before is a *KeyExistsError, here or in Finish.
func (b *BulkWriter) Append(key []byte, row []column.Datum) error {
	if b.err != nil {
		return b.err
	}
	if len(row) > len(b.def.kinds) {
		panic(fmt.Sprintf("engine: row of %d columns for store %d of %d", len(row), b.id, len(b.def.kinds)))
	}
	if b.stream.w != nil {
		var taken bool
		if taken, b.err = b.streams(key, row); taken || b.err != nil {
			return b.err
		}
	}
	if v, ok := b.buf.Get(key, math.MaxUint64); ok {
		b.err = existing(b.def, b.id, key, v, true)
		return b.err
	}
	b.row = memtable.AppendRow(b.row[:0], b.def.kinds, row)
	b.buf.Put(key, 1, memtable.Inserted, b.row)
	if b.buf.Bytes() >= b.maxBuf && !b.single() {
		if b.buf.Ordered() {
			b.err = b.startStream()
		} else {
			b.err = b.spill()
		}
	}
	return b.err
}

// single reports whether rows must go the way of single inserts: temporary
// stores have no files that outlive them.
func (b *BulkWriter) single() bool { return b.def.Temp }

// spill writes the buffer into a sorted run.
func (b *BulkWriter) spill() error {
	if b.buf.Empty() {
		return nil
	}
	runs, err := b.t.db.buildUnstamped(b.def, []compact.Source{newTableVersions(b.def, b.buf)}, nil)
	if err != nil {
		return ioError(err)
	}
	b.runs = append(b.runs, runs...)
	b.buf = memtable.New()
	return nil
}

// Abort gives up the load. It does nothing after Finish.
func (b *BulkWriter) Abort() {
	b.abortStream()
	b.t.db.letGo(b.runs)
	b.runs, b.buf = nil, memtable.New()
	if b.err == nil {
		b.err = ErrTxnDone
	}
}

// Finish makes the rows part of the transaction. It waits for others'
// uncommitted writes of the same keys. A row in the way is a *KeyExistsError;
// then nothing was added.
func (b *BulkWriter) Finish(ctx context.Context) error {
	if b.err != nil {
		err := b.err
		b.Abort()
		return err
	}
	defer b.Abort()
	if err := b.endStream(); err != nil {
		return err
	}
	if b.asOf == 0 && (len(b.runs) == 0 && b.buf.Bytes() < b.minBuf || b.single()) {
		return b.insertAll(ctx)
	}
	if err := b.spill(); err != nil {
		return err
	}
	if err := b.order(); err != nil {
		return err
	}
	if b.asOf != 0 {
		b.linkAsOf()
		return nil
	}
	if m := b.t.table(b.id); m != nil {
		if _, dead := m.Versions(); dead > 0 {
			// A tombstone of the transaction's own would hide a row loaded later.
			if err := b.t.spillStore(b.id); err != nil {
				return err
			}
		}
	}
	return b.link(ctx)
}

func (b *BulkWriter) insertAll(ctx context.Context) error {
	return b.eachBuffered(func(key []byte, row []column.Datum) error { return b.t.Insert(ctx, b.id, key, row) })
}

// eachBuffered calls f for the rows in the buffer by key; key and row are valid during the call.
func (b *BulkWriter) eachBuffered(f func(key []byte, row []column.Datum) error) error {
	var c memtable.Cursor
	c.Init(b.buf, nil, nil, false)
	row := make([]column.Datum, len(b.def.kinds))
	for c.Next() {
		v, _ := c.Version(math.MaxUint64)
		n := memtable.Row(v.Data).Columns()
		b.def.read(v.Data, b.def.all[:n], row)
		if err := f(c.Key(), row[:n]); err != nil {
			return err
		}
	}
	return nil
}

// order makes the runs disjoint, merging them if they are not.
func (b *BulkWriter) order() error {
	slices.SortFunc(b.runs, func(x, y *run) int { return bytes.Compare(x.info.MinKey, y.info.MinKey) })
	disjoint := true
	for i := 1; i < len(b.runs); i++ {
		disjoint = disjoint && bytes.Compare(b.runs[i-1].info.MaxKey, b.runs[i].info.MinKey) < 0
	}
	if disjoint {
		return nil
	}
	sources := make([]compact.Source, len(b.runs))
	for i, r := range b.runs {
		sources[i] = &stamped{VersionIterator: r.reader.Versions(nil, nil), ts: uint64(i + 1)}
	}
	merged, err := b.t.db.buildUnstamped(b.def, sources, func(key []byte, s compact.Source) error {
		row, err := s.Row()
		if err != nil {
			return err
		}
		return existing(b.def, b.id, key, memtable.Version{Data: memtable.AppendRow(nil, b.def.kinds, row)}, true)
	})
	if err != nil {
		return ioError(err)
	}
	b.t.db.letGo(b.runs)
	b.runs = merged
	return nil
}

// link checks the keys against everybody else's and makes the runs the transaction's.
func (b *BulkWriter) link(ctx context.Context) error {
	t := b.t
	claim := &bulkClaim{owner: t.owner, runs: b.runs, tag: claimTag(b.id, t)}
	// The claim comes first and the look at others' locks second; an insert
	// locks its key first and looks for claims second: one sees the other.
	if _, err := t.acquire(ctx, claim.tag, txn.RowUpdate, txn.Wait); err != nil {
		return err
	}
	t.seq++
	for _, r := range b.runs {
		r.reader.Stamp(t.seq)
	}
	t.db.claims.add(b.id, claim)
	err := b.checkKeys(ctx)
	if err == nil {
		err = b.noteRuns()
	}
	if err != nil {
		t.db.claims.remove(b.id, claim)
		return err
	}
	if t.bulk == nil {
		t.bulk = make(map[StoreID][]*bulkLink)
	}
	t.bulk[b.id] = append(t.bulk[b.id], &bulkLink{seq: t.seq, runs: b.runs})
	t.claims = append(t.claims, heldClaim{b.id, claim})
	b.runs = nil
	return nil
}

// noteRuns notes what a serializable transaction has loaded.
func (b *BulkWriter) noteRuns() error {
	for _, r := range b.runs {
		if err := b.t.noteWriteRange(b.id, b.def, r.info.MinKey, append(bytes.Clone(r.info.MaxKey), 0)); err != nil {
			return err
		}
	}
	return nil
}

// checkKeys looks for rows and locks of the runs' keys. Where nothing else
// lies in their range and nobody holds locks in the store there is nothing to do.
func (b *BulkWriter) checkKeys(ctx context.Context) error {
	t := b.t
	locks := t.db.locks.RowsLocked(uint64(b.id), t.owner)
	for _, r := range b.runs {
		lower, upper := r.info.MinKey, append(bytes.Clone(r.info.MaxKey), 0)
		if !locks && !t.anythingIn(b.id, lower, upper) {
			continue
		}
		it := r.reader.Versions(nil, nil)
		for it.Next() {
			if err := b.checkKey(ctx, it.Key()); err != nil {
				return err
			}
		}
		if err := it.Err(); err != nil {
			return err
		}
	}
	return nil
}

func (b *BulkWriter) checkKey(ctx context.Context, key []byte) error {
	t := b.t
	v, ok, err := t.own(b.id, key, true)
	if err != nil {
		return err
	}
	if ok {
		if v.Deleted() { // by the transaction, which has the lock
			return nil
		}
		return existing(b.def, b.id, key, v, true)
	}
	if t.db.locks.LockedByOther(rowTag(b.id, key), t.owner) {
		if err := t.lockForInsert(ctx, b.def, b.id, key); err != nil {
			return err
		}
	}
	v, live, err := t.committed(b.id, key)
	if err == nil && live {
		return existing(b.def, b.id, key, v, false)
	}
	return err
}

// anythingIn reports whether rows of a range may exist, committed or the transaction's own.
func (t *Txn) anythingIn(id StoreID, lower, upper []byte) bool {
	if m := t.table(id); m != nil && m.EstimateRange(lower, upper) > 0 || len(t.bulk[id]) > 0 {
		return true
	}
	v := t.db.acquireView()
	defer t.db.releaseView(v)
	st := v.stores[id]
	if st == nil {
		return false
	}
	any := false
	st.tables(func(m *memtable.Table) bool {
		any = m.EstimateRange(lower, upper) > 0
		return !any
	})
	st.runs(func(r *run) { any = any || r.overlaps(lower, upper) })
	return any
}

// stamped gives all versions of a run one timestamp.
type stamped struct {
	*segment.VersionIterator
	ts uint64
}

// Version implements compact.Source.
func (s *stamped) Version() uint64 { return s.ts }

// buildUnstamped merges sources into segments whose rows will get the
// timestamp of a commit that is still to come. Of several versions of a key
// the newest stays, unless duplicate makes an error of them.
func (db *DB) buildUnstamped(def *storeDef, sources []compact.Source, duplicate func([]byte, compact.Source) error) ([]*run, error) {
	return db.buildRuns(def, sources, []uint64{math.MaxUint64}, duplicate, unstamped)
}

// buildRuns merges sources into segments of one timestamp, or of that of each
// row if it is 0. Of the versions up to each of snapshots the newest stays.
func (db *DB) buildRuns(def *storeDef, sources []compact.Source, snapshots []uint64, duplicate func([]byte, compact.Source) error, stamp uint64) ([]*run, error) {
	res, err := compact.Merge(sources, compact.Options{Snapshots: snapshots, TargetBytes: db.opts.PartitionBytes,
		NewWriter: func() *segment.Writer { return db.newWriter(def) }, Duplicate: duplicate})
	if err != nil {
		return nil, fmt.Errorf("build segment of store %d: %w", def.ID, err)
	}
	return db.openRuns(res.Segments, stamp)
}

// unstamped is the timestamp of rows before their commit.
const unstamped = 1

// openRuns opens new segments, which the caller then refers to.
func (db *DB) openRuns(infos []segment.Info, stamp uint64) (runs []*run, err error) {
	for _, info := range infos {
		r, err := db.openRun(info.Name, stamp)
		if err != nil {
			db.letGo(runs)
			return nil, err
		}
		r.refs.Store(byViews)
		runs = append(runs, r)
	}
	return runs, nil
}

// letGo drops references of the kind that views and transactions hold.
func (db *DB) letGo(runs []*run) {
	for _, r := range runs {
		db.unref(r, byViews)
	}
}

// bulkClaims are the uncommitted bulk loads: what they hold counts as locked.
type bulkClaims struct {
	mu      sync.RWMutex
	byStore map[StoreID][]*bulkClaim
}

type bulkClaim struct {
	owner *txn.Owner
	runs  []*run
	tag   txn.Tag // held by the owner; others wait for it
}

type heldClaim struct {
	store StoreID
	claim *bulkClaim
}

// claimTag is a lock tag of its own for each transaction's loads into a store.
func claimTag(id StoreID, t *Txn) txn.Tag {
	return txn.Tag{Kind: txn.Row, Sub: 1, A: uint64(id), B: t.XID()}
}

func (c *bulkClaims) add(id StoreID, claim *bulkClaim) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byStore == nil {
		c.byStore = make(map[StoreID][]*bulkClaim)
	}
	c.byStore[id] = append(c.byStore[id], claim)
}

func (c *bulkClaims) remove(id StoreID, claim *bulkClaim) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.byStore[id] = slices.DeleteFunc(slices.Clone(c.byStore[id]), func(o *bulkClaim) bool { return o == claim })
	if len(c.byStore[id]) == 0 {
		delete(c.byStore, id)
	}
}

// of returns the claim of another owner on a key.
func (c *bulkClaims) of(id StoreID, key []byte, owner *txn.Owner) (*bulkClaim, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, claim := range c.byStore[id] {
		if claim.owner == owner {
			continue
		}
		for _, r := range claim.runs {
			res, err := r.reader.Get(key, nil, &segment.ReadOptions{Snapshot: math.MaxUint64})
			if err != nil {
				return nil, err
			}
			if res.Status != segment.Absent {
				return claim, nil
			}
		}
	}
	return nil, nil
}

// waitForClaims waits until no other transaction's bulk load holds the key and
// reports whether it had to wait.
func (t *Txn) waitForClaims(ctx context.Context, id StoreID, key []byte) (waited bool, err error) {
	for {
		claim, err := t.db.claims.of(id, key, t.owner)
		if err != nil || claim == nil {
			return waited, err
		}
		waited = true
		fresh, err := t.acquire(ctx, claim.tag, txn.RowShare, txn.Wait)
		if err != nil {
			return waited, err
		}
		t.releaseLast(claim.tag, txn.RowShare, fresh)
	}
}

// dropLink removes an uncommitted bulk load, its claim first.
func (t *Txn) dropLink(id StoreID, link *bulkLink) {
	for i := len(t.claims) - 1; i >= 0; i-- {
		if c := t.claims[i]; c.store == id && len(c.claim.runs) > 0 && len(link.runs) > 0 && c.claim.runs[0] == link.runs[0] {
			t.db.claims.remove(id, c.claim)
			t.claims = slices.Delete(t.claims, i, i+1)
		}
	}
	t.db.letGo(link.runs)
}

// endBulk lets go of the transaction's bulk loads: their files stay when a
// commit record names them, or may name them.
func (t *Txn) endBulk(keep bool) {
	for _, c := range t.claims {
		t.db.claims.remove(c.store, c.claim)
	}
	for _, id := range inOrder(t.bulk) {
		links := t.bulk[id]
		_, err := t.def(id)
		for _, link := range links {
			if !keep || err != nil {
				t.db.letGo(link.runs)
				continue
			}
			closeLink(t.db, link)
		}
	}
	if t.inDoubt {
		closeLink(t.db, &bulkLink{runs: t.lockRuns})
	} else {
		t.db.letGo(t.lockRuns) // the transaction ends: its record is past
	}
	t.bulk, t.claims, t.lockRuns = nil, nil, nil
}

// closeLink closes the transaction's own readers of files that stay.
func closeLink(db *DB, link *bulkLink) {
	for _, r := range link.runs {
		if err := r.reader.Close(); err != nil {
			db.opts.Log.Warn().Err(err).Str("file", r.info.Name).Msg("segment.close")
		}
	}
}
