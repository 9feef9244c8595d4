package engine

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/memtable"
	"github.com/omendb/omendb/engine/txn"
	"github.com/omendb/omendb/wal"
)

// Two-phase commit. Prepare logs all that a transaction would commit and every
// lock that it holds. From then on the transaction belongs to no session: only
// FinishPrepared ends it, before or after any number of restarts.
//
//	prepare          version, gid, wall time (µs), isolation, the caller's bytes,
//	                 number of locks, for each: kind, sub, mode, A, B (8 bytes),
//	                 then the body of the commit record; packed locks are in a
//	                 segment that it links to store 0
//	commit prepared  a commit record's body
//	abort prepared   version, the transaction's number
//
// What is prepared when a manifest is written is in the manifest, so that no
// log is kept for it.
const (
	kindPrepare        = wal.KindPrepare
	kindCommitPrepared = wal.KindCommitPrepared
	kindAbortPrepared  = wal.KindAbortPrepared
)

// preparedSpillBytes is the size of a prepared transaction's writes in a store
// from which they become segments: every manifest repeats the others.
const preparedSpillBytes = 4 << 20

// Errors of two-phase commit.
var (
	ErrPreparedExists  = errors.New("transaction identifier is already in use")
	ErrPreparedUnknown = errors.New("prepared transaction does not exist")
	ErrPreparedBusy    = errors.New("prepared transaction is busy")
	ErrPreparedLimit   = errors.New("maximum number of prepared transactions reached")
	ErrSessionLock     = errors.New("both session-level and transaction-level locks are held on the same object")
)

// PreparedInfo describes a prepared transaction.
type PreparedInfo struct {
	GID  string
	XID  uint64
	Time int64  // of PREPARE, µs since 1970
	Meta []byte // what the caller of Prepare wants to know later
}

// prepared is a prepared transaction that waits for its end.
type prepared struct {
	PreparedInfo
	txn  *Txn // nil while its record is being written
	busy bool // somebody is ending it
}

// preparedRecord is a prepared transaction as the log has it.
type preparedRecord struct {
	lsn  LSN
	body []byte
}

// preparedSet is the prepared transactions.
type preparedSet struct {
	mu    sync.Mutex
	byGID map[string]*prepared

	records map[uint64]preparedRecord // by transaction; guarded by applyMu
	last    map[StoreID][]byte        // of restored ones: the greatest key in each store; read only
}

// Prepare makes sure that the transaction can be committed later, by its name
// gid, whatever happens to the server. At most limit transactions may be
// prepared at a time. For the caller the transaction has ended; after an error
// it is rolled back. Prepare returns the record's position.
func (t *Txn) Prepare(ctx context.Context, gid string, meta []byte, limit int) (LSN, error) {
	if t.done {
		return 0, ErrTxnDone
	}
	t.XID()
	t.spreadAll()
	p := &prepared{PreparedInfo: PreparedInfo{GID: gid, XID: t.xid, Time: t.db.opts.Clock.Now().UnixMicro(), Meta: meta}}
	err := t.db.prepared.reserve(p, limit)
	if err != nil {
		t.end()
		return 0, err
	}
	lsn, err := t.logPrepared(ctx, p)
	if err != nil {
		t.end()
		t.db.prepared.forget(gid)
		return 0, err
	}
	d := t.detach()
	t.db.prepared.mu.Lock()
	p.txn = d
	t.db.prepared.mu.Unlock()
	return lsn, nil
}

func (s *preparedSet) reserve(p *prepared, limit int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.byGID[p.GID] != nil:
		return ErrPreparedExists
	case len(s.byGID) >= limit:
		return ErrPreparedLimit
	}
	if s.byGID == nil {
		s.byGID = make(map[string]*prepared)
	}
	s.byGID[p.GID] = p
	return nil
}

func (s *preparedSet) forget(gid string) {
	s.mu.Lock()
	delete(s.byGID, gid)
	s.mu.Unlock()
}

// logPrepared validates the transaction and writes its record.
func (t *Txn) logPrepared(ctx context.Context, p *prepared) (LSN, error) {
	if t.owner.SharesSession() {
		return 0, ErrSessionLock
	}
	if err := t.db.stall(ctx, t.opts.ProcessID); err != nil {
		return 0, err
	}
	if err := t.db.ids.settle(ctx, t.db); err != nil {
		return 0, err
	}
	if err := t.settle(min(preparedSpillBytes, t.spillLimit())); err != nil {
		return 0, err
	}
	if err := t.saveLocks(); err != nil {
		return 0, err
	}
	if err := t.prepareSerial(); err != nil {
		return 0, err
	}
	lsn, err := t.db.propose(ctx, kindPrepare, t.encodePrepared(&p.PreparedInfo), nil, false)
	if err != nil {
		t.noteDoubt(err)
	}
	return lsn, err
}

// detach moves what the transaction has to one that belongs to no session, its
// locks included, and ends the one that the session knows.
func (t *Txn) detach() *Txn {
	t.start.unregister()
	d := *t
	*t = Txn{db: t.db, opts: t.opts, owner: t.owner, done: true}
	d.start, d.saves, d.undo, d.spare = registration{}, nil, nil, nil
	d.owner = txn.NewOwner(0)
	d.owner.SetXID(d.xid)
	d.db.locks.Transfer(t.owner, d.owner)
	t.owner.SetXID(0)
	for i := range d.claims {
		c := &d.claims[i]
		moved := &bulkClaim{owner: d.owner, runs: c.claim.runs, tag: c.claim.tag}
		d.db.claims.add(c.store, moved)
		d.db.claims.remove(c.store, c.claim)
		c.claim = moved
	}
	return &d
}

func (t *Txn) encodePrepared(p *PreparedInfo) []byte {
	var e encoder
	e.byte(recordVersion)
	e.string(p.GID)
	e.varint(p.Time)
	e.byte(byte(t.opts.Isolation))
	e.bytes(p.Meta)
	locks := t.owner.TransactionLocks()
	e.uvarint(uint64(len(locks)))
	for _, l := range locks {
		e.b = append(e.b, byte(l.Tag.Kind), l.Tag.Sub, byte(l.Mode))
		e.uvarint(l.Tag.A)
		e.b = binary.LittleEndian.AppendUint64(e.b, l.Tag.B)
	}
	e.b = append(e.b, t.encode()...)
	if len(t.lockRuns) > 0 {
		encodeLinks(&e, lockStore, []*bulkLink{{runs: t.lockRuns}})
	}
	return e.b
}

// applyPrepare notes a prepare record. One that the manifest was written after
// is known from there, if it was not ended before.
func (db *DB) applyPrepare(r *wal.Record) error {
	xid, ok := preparedXID(r.Body)
	if !ok {
		return errMalformed
	}
	if !db.recovering || r.LSN > db.catalog {
		db.notePrepared(xid, preparedRecord{lsn: r.LSN, body: bytes.Clone(r.Body)})
	}
	return nil
}

// forgetPrepared notes that the transaction of a commit body is not prepared any more.
func (db *DB) forgetPrepared(body []byte) {
	d := decoder{b: body[1:]}
	delete(db.prepared.records, d.uvarint())
}

func (db *DB) notePrepared(xid uint64, r preparedRecord) {
	if db.prepared.records == nil {
		db.prepared.records = make(map[uint64]preparedRecord)
	}
	db.prepared.records[xid] = r
}

// logged lists what a manifest has to keep. The caller holds applyMu.
func (s *preparedSet) logged() []preparedRecord {
	return slices.SortedFunc(maps.Values(s.records), func(a, b preparedRecord) int { return cmp.Compare(a.lsn, b.lsn) })
}

// preparedHead reads a prepare record up to the locks.
func preparedHead(d *decoder) (p PreparedInfo, isolation Isolation) {
	if d.byte() != recordVersion {
		d.fail()
	}
	p.GID, p.Time = d.string(), d.varint()
	isolation = Isolation(d.byte())
	p.Meta = bytes.Clone(d.bytes())
	return p, isolation
}

func preparedLocks(d *decoder) (locks []txn.Held) {
	for range d.count() {
		l := txn.Held{Tag: txn.Tag{Kind: txn.Kind(d.byte()), Sub: d.byte()}, Mode: txn.Mode(d.byte())}
		l.Tag.A = d.uvarint()
		if len(d.b) < 8 {
			d.fail()
			return nil
		}
		l.Tag.B = binary.LittleEndian.Uint64(d.b)
		d.b = d.b[8:]
		if !txn.Valid(l) {
			d.fail()
			return nil
		}
		locks = append(locks, l)
	}
	return locks
}

// preparedCommit returns the commit record's body in a prepare record.
func preparedCommit(body []byte) ([]byte, bool) {
	d := decoder{b: body}
	preparedHead(&d)
	preparedLocks(&d)
	return d.b, d.err == nil
}

func preparedXID(body []byte) (uint64, bool) {
	b, ok := preparedCommit(body)
	if !ok || len(b) == 0 {
		return 0, false
	}
	xid, n := binary.Uvarint(b[1:])
	return xid, n > 0
}

// Prepared lists the prepared transactions, the oldest first.
func (db *DB) Prepared() (list []PreparedInfo) {
	db.prepared.mu.Lock()
	defer db.prepared.mu.Unlock()
	for _, p := range db.prepared.byGID {
		if p.txn != nil {
			list = append(list, p.PreparedInfo)
		}
	}
	slices.SortFunc(list, func(a, b PreparedInfo) int { return cmp.Compare(a.XID, b.XID) })
	return list
}

// EachPrepared calls fn for the prepared transactions. It is for those who
// open the database and derive state from the transactions' writes and commit.
func (db *DB) EachPrepared(fn func(*Txn) error) error {
	db.prepared.mu.Lock()
	defer db.prepared.mu.Unlock()
	for _, gid := range slices.Sorted(maps.Keys(db.prepared.byGID)) {
		if t := db.prepared.byGID[gid].txn; t != nil {
			if err := fn(t); err != nil {
				return err
			}
		}
	}
	return nil
}

// EachWrite calls fn for what the transaction is going to change in a store,
// in key order. It is made for stores of which a transaction changes little:
// private runs are read into memory.
func (t *Txn) EachWrite(id StoreID, fn func(key []byte, row []column.Datum, deleted bool) error) error {
	def, err := t.def(id)
	if err != nil {
		return nil // unknown: nothing was written
	}
	rows := make(map[string][]column.Datum) // nil: deleted
	for _, l := range t.bulk[id] {          // oldest first
		for _, r := range l.runs {
			if err := eachInRun(def, r, rows); err != nil {
				return err
			}
		}
	}
	if m := t.table(id); m != nil {
		eachWrite(m, func(key []byte, v memtable.Version) {
			rows[string(key)] = nil
			if !v.Deleted() {
				row := make([]column.Datum, len(def.all))
				def.read(v.Data, def.all, row)
				rows[string(key)] = row
			}
		})
	}
	for _, key := range slices.Sorted(maps.Keys(rows)) {
		if err := fn([]byte(key), rows[key], rows[key] == nil); err != nil {
			return err
		}
	}
	return nil
}

// eachInRun adds what a private run makes of its keys.
func eachInRun(def *storeDef, r *run, rows map[string][]column.Datum) error {
	it := &privateVersions{r.reader.Versions(nil, nil), r.cut}
	var last []byte
	for first := true; it.Next(); first = false {
		if !first && bytes.Equal(it.Key(), last) {
			continue // an older version
		}
		last = append(last[:0], it.Key()...)
		rows[string(last)] = nil
		if it.Deleted() {
			continue
		}
		have, err := it.Row()
		if err != nil {
			return err
		}
		row := make([]column.Datum, len(def.all))
		for i := range row {
			if row[i] = def.Columns[i].Missing; i < len(have) {
				row[i] = have[i].Clone()
			}
		}
		rows[string(last)] = row
	}
	return it.Err()
}

// FinishPrepared commits a prepared transaction or rolls it back, unless allow
// refuses. After an error it is still prepared, until a restart
// may find otherwise if the error is of a commit in doubt.
func (db *DB) FinishPrepared(ctx context.Context, gid string, commit bool, allow func(PreparedInfo) error) (LSN, error) {
	p, err := db.prepared.take(gid, allow)
	if err != nil {
		return 0, err
	}
	var lsn LSN
	if commit {
		lsn, err = p.txn.commitPrepared(ctx)
	} else {
		var e encoder
		e.byte(recordVersion)
		e.uvarint(p.XID)
		lsn, err = db.propose(ctx, kindAbortPrepared, e.b, nil, false)
	}
	if err != nil {
		if errors.Is(err, wal.ErrPoisoned) {
			p.txn.inDoubt = true
			p.txn.end() // only recovery can judge: nothing can be logged any more
			return 0, err
		}
		db.prepared.mu.Lock()
		p.busy = false
		db.prepared.mu.Unlock()
		return 0, err
	}
	db.prepared.forget(gid)
	p.txn.end()
	return lsn, nil
}

// take reserves a prepared transaction for who wants to end it.
func (s *preparedSet) take(gid string, allow func(PreparedInfo) error) (*prepared, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.byGID[gid]
	switch {
	case p == nil || p.txn == nil:
		return nil, ErrPreparedUnknown
	case p.busy:
		return nil, ErrPreparedBusy
	}
	if err := allow(p.PreparedInfo); err != nil {
		return nil, err
	}
	p.busy = true
	return p, nil
}

func (t *Txn) commitPrepared(ctx context.Context) (LSN, error) {
	if err := t.db.stall(ctx, t.opts.ProcessID); err != nil {
		return 0, err
	}
	opened, err := t.openLinks()
	if err != nil {
		return 0, err
	}
	lsn, err := t.db.propose(ctx, kindCommitPrepared, t.encode(), t.beside(opened), false)
	closeUnused(opened)
	if err != nil {
		return 0, err
	}
	t.committedSerial()
	t.endBulk(true)
	t.ddl = nil
	t.runCommitHooks(lsn)
	return lsn, nil
}

// restorePrepared makes transactions of the records that recovery found not to be ended.
func (db *DB) restorePrepared() error {
	for _, r := range db.prepared.logged() {
		d := decoder{b: r.body}
		info, isolation := preparedHead(&d)
		locks := preparedLocks(&d)
		t := &Txn{db: db, opts: TxnOptions{Isolation: isolation, DeadlockTimeout: db.opts.DeadlockTimeout}, owner: txn.NewOwner(0)}
		err := t.restore(&d, locks)
		if err == nil {
			info.XID = t.xid
			db.prepared.noteLast(t)
			err = db.prepared.reserve(&prepared{PreparedInfo: info, txn: t}, math.MaxInt)
		}
		if err != nil {
			return fmt.Errorf("prepared transaction %q of record %d: %w", info.GID, r.lsn, err)
		}
	}
	return nil
}

// restore fills a transaction with what it had when it was prepared.
func (t *Txn) restore(d *decoder, locks []txn.Held) error {
	d.byte()
	t.xid = d.uvarint()
	t.owner.SetXID(t.xid)
	t.db.active.add(t.xid)
	for _, l := range locks {
		if _, err := t.acquire(context.Background(), l.Tag, l.Mode, txn.NoWait); err != nil {
			return err
		}
	}
	for len(d.b) > 0 {
		switch kind := ddlKind(d.byte()); kind {
		case sectionWrites:
			t.restoreWrites(d)
		case sectionLink:
			if err := t.restoreLink(d); err != nil {
				return err
			}
		case ddlCreateStore, ddlAlterStore:
			def := newStoreDef(d.def())
			t.change(ddlOp{kind: kind, id: def.ID, def: def})
		case ddlMoveHorizon:
			t.change(ddlOp{kind: kind, id: StoreID(d.uvarint()), column: int(d.uvarint()), before: d.varint()})
		case ddlDropStore, ddlDropSequence, ddlEndHorizon:
			t.change(ddlOp{kind: kind, id: StoreID(d.uvarint())})
		case ddlCreateSequence:
			id := StoreID(d.uvarint())
			state := SequenceState{Last: d.varint(), Called: d.bool()}
			t.db.sequences.add(id, &sequence{state: state, pending: true})
			t.change(ddlOp{kind: kind, id: id})
		default:
			d.fail()
		}
	}
	if d.err == nil && t.opts.Isolation == Serializable {
		t.restoreSerial()
	}
	return d.err
}

func (t *Txn) restoreWrites(d *decoder) {
	id := StoreID(d.uvarint())
	for range d.count() {
		flags := memtable.Flags(d.byte())
		key, data := d.bytes(), d.bytes()
		if d.err != nil {
			return
		}
		if def, err := t.def(id); err != nil || !(memtable.Version{Flags: flags, Data: data}).Check(def.kinds) {
			d.fail()
			return
		}
		t.write(id, key, flags, data)
	}
}

func (t *Txn) restoreLink(d *decoder) error {
	id := StoreID(d.uvarint())
	link := &bulkLink{}
	defer func() {
		if id == lockStore {
			t.lockRuns = link.runs
		}
	}()
	for range d.count() {
		r, err := t.db.openRun(d.string(), unstamped)
		if err != nil {
			return err
		}
		r.refs.Store(byViews)
		link.runs = append(link.runs, r)
		t.db.flush.mu.Lock()
		t.db.flush.nonce = max(t.db.flush.nonce, r.info.Nonce)
		t.db.flush.mu.Unlock()
	}
	if id == lockStore {
		for _, r := range link.runs {
			if err := t.restoreLocks(r); err != nil {
				return err
			}
		}
		return nil
	}
	t.seq++
	link.seq = t.seq
	for _, r := range link.runs {
		r.reader.Stamp(t.seq)
	}
	if t.bulk == nil {
		t.bulk = make(map[StoreID][]*bulkLink)
	}
	t.bulk[id] = append(t.bulk[id], link)
	claim := &bulkClaim{owner: t.owner, runs: link.runs, tag: claimTag(id, t)}
	if _, err := t.acquire(context.Background(), claim.tag, txn.RowUpdate, txn.NoWait); err != nil {
		return err
	}
	t.db.claims.add(id, claim)
	t.claims = append(t.claims, heldClaim{id, claim})
	return nil
}

// PreparedLast returns the greatest key of a store that transactions which
// were prepared before the start are going to write, nil when there is none.
func (db *DB) PreparedLast(id StoreID) []byte { return db.prepared.last[id] }

// noteLast keeps the greatest keys of a restored transaction.
func (s *preparedSet) noteLast(t *Txn) {
	note := func(id StoreID, key []byte) {
		if bytes.Compare(key, s.last[id]) > 0 {
			s.last[id] = bytes.Clone(key)
		}
	}
	if s.last == nil {
		s.last = make(map[StoreID][]byte)
	}
	t.spreadAll()
	for id, m := range t.tables {
		eachWrite(m, func(key []byte, _ memtable.Version) { note(id, key) })
	}
	for id, links := range t.bulk {
		for _, link := range links {
			for _, r := range link.runs {
				note(id, r.info.MaxKey)
			}
		}
	}
}

// closePrepared lets go of the files of prepared transactions, which stay prepared.
func (db *DB) closePrepared() {
	db.prepared.mu.Lock()
	defer db.prepared.mu.Unlock()
	for _, p := range db.prepared.byGID {
		if p.txn == nil || p.txn.done {
			continue
		}
		closeLink(db, &bulkLink{runs: p.txn.lockRuns})
		for _, links := range p.txn.bulk {
			for _, link := range links {
				closeLink(db, link)
			}
		}
	}
}
