package engine

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/omendb/omendb/engine/memtable"
	"github.com/omendb/omendb/engine/segment"
	"github.com/omendb/omendb/engine/txn"
	"github.com/omendb/omendb/wal"
)

// Txn is a transaction. Its methods are called by one goroutine at a time.
type Txn struct {
	db    *DB
	opts  TxnOptions
	owner *txn.Owner
	xid   uint64
	start registration // the one snapshot of RepeatableRead and Serializable
	done  bool

	seq     uint64 // number of the newest private write
	cmdSeq  uint64 // newest private write of earlier commands
	command uint32
	lists   []*writeList                // private writes, of stores that are not in tables
	tables  map[StoreID]*memtable.Table // private writes; their timestamps are sequence numbers
	undo    []undoEntry                 // private writes since the first savepoint
	ddl     []ddlOp
	pending map[StoreID]*pendingStore // effect of ddl on stores
	saves   []savepoint
	private int64                   // bytes of tables
	bulk    map[StoreID][]*bulkLink // private runs: bulk loads, and writes that were spilled
	packAt  int                     // how many row locks to keep unpacked
	claims  []heldClaim

	lockRuns []*run // of a prepared transaction: its packed row locks

	inDoubt bool              // the commit failed in a way that only recovery can judge
	serial  *txn.Serializable // of a serializable transaction that has begun, unless its snapshot is safe
	buf     []byte            // the row being encoded
	lastKey []byte            // of lastTag
	lastTag txn.Tag

	spare *Snapshot // closed, for reuse

	exports     []*Exported
	commitHooks []func(LSN)
}

type undoEntry struct {
	table *memtable.Table
	id    uint64
}

type savepoint struct {
	seq   uint64
	undo  int
	ddl   int
	locks int
}

// Begin starts a transaction.
func (db *DB) Begin(o TxnOptions) *Txn {
	if o.DeadlockTimeout == 0 {
		o.DeadlockTimeout = db.opts.DeadlockTimeout
	}
	t := &Txn{db: db, opts: o, owner: db.owner(o.ProcessID)}
	t.start.txn = t
	return t
}

// Options returns what Begin was called with.
func (t *Txn) Options() TxnOptions { return t.opts }

// SetAsyncCommit changes how Commit waits.
func (t *Txn) SetAsyncCommit(async bool) { t.opts.AsyncCommit = async }

// SetDeadlockTimeout changes how long lock waits last before a deadlock is looked for.
func (t *Txn) SetDeadlockTimeout(d time.Duration) { t.opts.DeadlockTimeout = d }

// SetSpillBytes changes from how many bytes on private writes are moved to
// segments; 0 is the database's limit.
func (t *Txn) SetSpillBytes(n int64) { t.opts.SpillBytes, t.packAt = n, 0 }

// SetLockTimeout bounds every wait for a lock; 0 is no bound.
func (t *Txn) SetLockTimeout(d time.Duration) { t.owner.SetLockTimeout(d) }

// SetIsolation changes level and access mode; it must precede the first snapshot.
func (t *Txn) SetIsolation(level Isolation, readOnly, deferrable bool) {
	if t.start.shard != nil && level != t.opts.Isolation {
		panic("engine: isolation changed after the first snapshot")
	}
	t.opts.Isolation, t.opts.ReadOnly, t.opts.Deferrable = level, readOnly, deferrable
}

// XID returns the transaction's number, which the first call assigns. If the
// log cannot reserve more numbers, Commit will fail.
func (t *Txn) XID() uint64 {
	if t.xid == 0 {
		t.xid = t.db.ids.nextXID(t.db)
		t.owner.SetXID(t.xid)
		if t.serial != nil {
			t.serial.SetXID(t.xid)
		}
		t.db.active.add(t.xid)
	}
	return t.xid
}

// AssignedXID returns the transaction's number, 0 when it has none yet.
func (t *Txn) AssignedXID() uint64 { return t.xid }

// Command returns the number of the current command.
func (t *Txn) Command() uint32 { return t.command }

// NextCommand ends a command: later snapshots see its writes.
func (t *Txn) NextCommand() {
	t.command++
	t.cmdSeq = t.seq
}

// Savepoint starts a subtransaction and returns its number.
func (t *Txn) Savepoint() int {
	t.saves = append(t.saves, savepoint{seq: t.seq, undo: len(t.undo), ddl: len(t.ddl), locks: t.owner.Mark()})
	return len(t.saves) - 1
}

// RollbackTo undoes everything since a savepoint, which remains, and gives up
// the locks taken since.
func (t *Txn) RollbackTo(sp int) {
	s := t.saves[sp]
	for i := len(t.undo) - 1; i >= s.undo; i-- {
		t.undo[i].table.Undo(t.undo[i].id)
	}
	clear(t.undo[s.undo:])
	t.undo = t.undo[:s.undo]
	t.rollbackRuns(s.seq)
	t.rollbackDDL(s.ddl)
	t.db.locks.ReleaseTo(t.owner, s.locks, sp+1)
	t.saves = t.saves[:sp+1]
}

// Release forgets a savepoint and those inside it; their effects stay.
func (t *Txn) Release(sp int) {
	t.saves = t.saves[:sp]
	t.db.locks.Flatten(t.owner, sp)
	if sp == 0 {
		t.undo = nil
	}
}

// Snapshot returns what a statement sees: in ReadCommitted the newest
// committed state, else the state at the transaction's first snapshot; and the
// transaction's own writes of commands before the current one. The caller
// closes it.
func (t *Txn) Snapshot() *Snapshot {
	s := t.spare
	if s == nil {
		s = &Snapshot{}
	}
	t.spare = nil
	*s = Snapshot{db: t.db, txn: t, ownSeq: t.cmdSeq, command: t.command,
		read: segment.ReadOptions{Buf: s.read.Buf}, results: s.results, one: s.one, reg: registration{txn: t}}
	if t.opts.Isolation == ReadCommitted {
		t.db.register(&s.reg)
		s.ts = s.reg.ts
	} else {
		t.begin()
		s.ts = t.start.ts
	}
	s.view = t.db.acquireView()
	return s
}

// LatestSnapshot returns the newest committed state and the transaction's own
// writes at every isolation level, for checks of constraints, which must not
// depend on what the transaction is allowed to see. Its reads are not noted:
// whoever checks a constraint holds the locks that keep it true.
func (t *Txn) LatestSnapshot() *Snapshot {
	s := &Snapshot{db: t.db, txn: t, ownSeq: t.cmdSeq, command: t.command, quiet: true, reg: registration{txn: t}}
	t.db.register(&s.reg)
	s.ts = s.reg.ts
	s.view = t.db.acquireView()
	return s
}

// Commit makes the transaction's writes durable and visible and returns its
// commit timestamp, 0 when it wrote nothing. After an error the transaction is
// rolled back.
func (t *Txn) Commit(ctx context.Context) (LSN, error) {
	if t.done {
		return 0, ErrTxnDone
	}
	defer t.end()
	if len(t.ddl) == 0 && !t.hasWrites() {
		if err := t.prepareSerial(); err != nil {
			return 0, err
		}
		t.committedSerial()
		t.runCommitHooks(0)
		return 0, nil
	}
	if err := t.db.stall(ctx, t.opts.ProcessID); err != nil {
		return 0, err
	}
	t.XID()
	if err := t.db.ids.settle(ctx, t.db); err != nil {
		return 0, err
	}
	if err := t.prepareSerial(); err != nil {
		return 0, err
	}
	if err := t.settle(t.spillLimit()); err != nil {
		return 0, err
	}
	opened, err := t.openLinks()
	if err != nil {
		return 0, err
	}
	body, temp := t.encode(), t.beside(opened)
	lsn, err := t.db.propose(ctx, kindCommit, body, temp, t.opts.AsyncCommit)
	t.db.dropBody(body)
	closeUnused(opened) // apply has taken out what it linked
	if err != nil {
		t.noteDoubt(err)
		return 0, err
	}
	t.committedSerial()
	t.endBulk(true)
	t.ddl = nil // applied: end must not undo it
	t.runCommitHooks(lsn)
	return lsn, nil
}

// noteDoubt remembers that a commit failed in a way that only recovery can judge.
func (t *Txn) noteDoubt(err error) {
	var doubt *wal.InDoubtError
	t.inDoubt = errors.As(err, &doubt) || errors.Is(err, wal.ErrPoisoned)
}

// Rollback ends the transaction without a trace. It does nothing when the
// transaction has ended.
func (t *Txn) Rollback() error {
	if !t.done {
		t.end()
	}
	return nil
}

func (t *Txn) end() {
	t.done = true
	t.endBulk(t.inDoubt)
	t.rollbackDDL(0)
	if t.serial != nil {
		t.db.serial.Abort(t.serial)
	}
	t.hold(-t.private)
	t.start.unregister()
	t.endExports()
	t.db.locks.ReleaseTo(t.owner, 0, 0)
	t.db.locks.Ended(t.owner)
	if t.xid != 0 {
		t.db.active.remove(t.xid)
		t.owner.SetXID(0)
	}
	for _, l := range t.lists {
		t.db.dropList(l)
	}
	t.lists, t.tables, t.undo, t.saves, t.spare, t.serial = nil, nil, nil, nil, nil, nil
}

// activeSet lists the transactions in progress that have a number.
type activeSet struct {
	mu   sync.Mutex
	xids map[uint64]struct{}
}

func (a *activeSet) add(xid uint64) {
	a.mu.Lock()
	a.xids[xid] = struct{}{}
	a.mu.Unlock()
}

func (a *activeSet) remove(xid uint64) {
	a.mu.Lock()
	delete(a.xids, xid)
	a.mu.Unlock()
}
