package sql

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/sql/exec"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/wal"
)

// txnState is where a session stands between statements.
type txnState uint8

const (
	txnIdle     txnState = iota // no transaction
	txnImplicit                 // one that the current message started and will end
	txnBlock                    // BEGIN … COMMIT
	txnFailed                   // a block in which a statement failed
)

// begin starts an engine transaction if there is none.
func (x *Session) begin() {
	if x.txn != nil {
		return
	}
	if x.accesses == nil {
		x.accesses = exec.Accesses{}
	}
	x.txn = x.srv.opts.DB.Begin(x.knob().txn)
	x.short.ran = false // what was read before belongs to it
	x.uncommitted = x.knob().uncommitted
	x.applyLockSettings()
	x.view = x.cat.View(x.txn)
	x.deferred = &exec.Deferred{}
	x.env.Now = x.now()
	x.activity.begin(x.env.Now)
	if x.knob().transaction > 0 {
		x.armTransaction()
	}
	if x.state == txnIdle {
		x.state = txnImplicit
	}
}

// applyLockSettings tells the transaction how long to wait for locks.
func (x *Session) applyLockSettings() {
	if x.txn == nil {
		return
	}
	x.txn.SetDeadlockTimeout(time.Duration(x.values.Int("deadlock_timeout")) * time.Millisecond)
	x.txn.SetLockTimeout(time.Duration(x.values.Int("lock_timeout")) * time.Millisecond)
}

func isolationOf(name string) engine.Isolation {
	switch strings.ToLower(name) {
	case "repeatable read":
		return engine.RepeatableRead
	case "serializable":
		return engine.Serializable
	}
	return engine.ReadCommitted
}

// readUncommitted is a level without a behaviour of its own.
const readUncommitted = "read uncommitted"

// isolationName returns the running transaction's level as it was asked for.
func (x *Session) isolationName() string {
	switch i := x.txn.Options().Isolation; {
	case i == engine.RepeatableRead:
		return "repeatable read"
	case i == engine.Serializable:
		return "serializable"
	case x.uncommitted:
		return readUncommitted
	}
	return "read committed"
}

// commit ends the transaction. On failure it is rolled back.
func (x *Session) commit(ctx context.Context) error {
	if x.txn == nil {
		x.state = txnIdle
		return nil
	}
	if err := x.prepareCommit(ctx); err != nil {
		x.rollback()
		return err
	}
	txn := x.txn
	x.publishOnCommit()
	awake := x.activity.waiting(&waitSync)
	_, err := txn.Commit(ctx)
	awake()
	if err != nil {
		x.rollback()
		return commitError(err)
	}
	x.srv.counters.Commits.Add(1)
	x.foldAccesses(true)
	x.values.Commit()
	x.endTransaction()
	x.flushNotifications()
	return nil
}

// prepareCommit runs what happens before the commit record: deferred
// constraints, and what temporary tables want.
func (x *Session) prepareCommit(ctx context.Context) error {
	if err := x.holdCursors(ctx); err != nil {
		return err
	}
	x.closePortals(false)
	if x.deferred.Pending() {
		rt := x.runtime(ctx, nil)
		err := x.deferred.Check(rt, false)
		rt.Snapshot.Close()
		rt.Release()
		if err != nil {
			return err
		}
	}
	return x.temporaryAtCommit(ctx)
}

// commitError decides what a failed commit means: where the outcome is unknown
// the connection must end.
func commitError(err error) error {
	var doubt *wal.InDoubtError
	if errors.As(err, &doubt) || errors.Is(err, wal.ErrPoisoned) {
		return pgerr.New(pgerr.TransactionResolutionUnknown, "the outcome of the commit is unknown").
			WithSeverity("FATAL").WithDetail("%v", err)
	}
	return exec.MapError(err)
}

func (x *Session) rollback() {
	if x.txn != nil {
		x.closePortals(false)
		if err := x.txn.Rollback(); err != nil {
			x.srv.opts.Log.Error().Err(err).Int32("pid", x.pid).Msg("roll back")
		}
		x.srv.counters.Rollbacks.Add(1)
		x.foldAccesses(false)
	}
	x.values.Rollback(0)
	x.pendingNtf, x.listenOps = nil, nil
	x.endTransaction()
}

func (x *Session) endTransaction() {
	x.txn, x.deferred, x.savepoints, x.lockedSeq = nil, nil, nil, 0
	x.endShort()
	x.view = x.cat.View(nil)
	if x.stopTransaction != nil {
		x.armTransaction()
	}
	x.endExports()
	x.state, x.usedTemp, x.imported = txnIdle, false, false
	x.activity.end()
}

// Failed tells the session that a statement or message failed: the implicit
// transaction is rolled back, a block becomes a failed one.
func (x *Session) Failed(err error) {
	x.srv.counters.Errors.Add(1)
	x.countError(err)
	x.clearTimeout()
	x.nameDamage(err)
	switch x.state {
	case txnImplicit, txnIdle:
		x.rollback()
	case txnBlock:
		x.failBlock()
	}
}

// failBlock aborts the innermost subtransaction, or the whole transaction; in
// either case its locks go at once, as in PostgreSQL.
func (x *Session) failBlock() {
	if n := len(x.savepoints); n > 0 {
		x.closePortalsSince(n)
		x.undoTo(x.savepoints[n-1])
		x.state = txnFailed
		return
	}
	if x.chained != nil {
		x.chained = x.chainOptions()
	}
	x.closePortals(false)
	x.rollback()
	x.state = txnFailed
}

// setReadOnly changes the transaction's access mode only.
func (x *Session) setReadOnly(readOnly bool) {
	if o := x.txn.Options(); o.ReadOnly != readOnly {
		x.txn.SetIsolation(o.Isolation, readOnly, o.Deferrable)
	}
}

// undoTo takes everything since a savepoint back; the savepoint itself stays.
func (x *Session) undoTo(sp savepoint) {
	x.txn.RollbackTo(sp.engine)
	x.lockedSeq = 0
	x.view.RollbackTo(sp.catalog)
	x.values.Rollback(sp.settings)
	x.deferred.RollbackTo(sp.deferred)
	x.pendingNtf = x.pendingNtf[:sp.notify]
	x.listenOps = x.listenOps[:sp.listen]
	x.setReadOnly(sp.readOnly)
}

// checkFailed refuses statements in a failed block, except those that end it.
func (x *Session) checkFailed(u plan.Utility) error {
	if x.state != txnFailed {
		return nil
	}
	if t, ok := u.(*plan.Transaction); ok {
		switch t.Kind {
		case "commit", "rollback", "rollback to", "prepare":
			return nil
		}
	}
	return pgerr.New(pgerr.InFailedSQLTransaction, "current transaction is aborted, commands ignored until end of transaction block")
}

// runTransaction executes BEGIN, COMMIT and their like and returns the tag.
func (x *Session) runTransaction(ctx context.Context, t *plan.Transaction, alone bool) (string, error) {
	switch t.Kind {
	case "begin":
		return t.Tag(), x.beginBlock(t)
	case "commit":
		return x.endBlock(ctx, t, true)
	case "rollback":
		return x.endBlock(ctx, t, false)
	case "savepoint":
		return t.Tag(), x.savepoint(t.Name)
	case "release":
		return t.Tag(), x.release(t.Name)
	case "rollback to":
		return t.Tag(), x.rollbackTo(t.Name)
	case "prepare":
		return x.prepareTransaction(ctx, t)
	default: // COMMIT PREPARED and ROLLBACK PREPARED
		return t.Tag(), x.finishPrepared(ctx, t, alone)
	}
}

func (x *Session) beginBlock(t *plan.Transaction) error {
	if x.state == txnBlock {
		x.notice(pgerr.New(pgerr.ActiveSQLTransaction, "there is already a transaction in progress").WithSeverity("WARNING"))
	}
	x.begin()
	x.state, x.chained = txnBlock, nil
	return x.setTransaction(t.Options, true)
}

// endBlock is COMMIT and ROLLBACK.
func (x *Session) endBlock(ctx context.Context, t *plan.Transaction, commit bool) (string, error) {
	var options []plan.Option
	if t.Chain {
		if x.state != txnBlock && x.state != txnFailed {
			return "", pgerr.New(pgerr.NoActiveSQLTransaction, "%s can only be used in transaction blocks", strings.ToUpper(t.Kind)+" AND CHAIN")
		}
		options = x.chainOptions()
	}
	tag := t.Tag()
	var err error
	switch {
	case x.state == txnFailed:
		tag = "ROLLBACK"
		x.rollback()
	case x.state != txnBlock:
		x.notice(pgerr.New(pgerr.NoActiveSQLTransaction, "there is no transaction in progress").WithSeverity("WARNING"))
		if !commit {
			x.rollback()
		} else {
			err = x.commit(ctx)
		}
	case commit:
		err = x.commit(ctx)
	default:
		x.rollback()
	}
	if err == nil && t.Chain {
		x.begin()
		x.state = txnBlock
		err, x.chained = x.setTransaction(options, true), options
	}
	return tag, err
}

// chainOptions are the characteristics that AND CHAIN carries over.
func (x *Session) chainOptions() []plan.Option {
	if x.txn == nil || x.state == txnFailed && len(x.savepoints) == 0 {
		return x.chained // the transaction itself is gone: what it was given by BEGIN or SET went with it
	}
	o := x.txn.Options()
	return []plan.Option{{Name: "transaction_isolation", Value: x.isolationName()},
		{Name: "transaction_read_only", Value: o.ReadOnly}, {Name: "transaction_deferrable", Value: o.Deferrable}}
}

// setTransaction applies isolation level, access mode and deferrability.
func (x *Session) setTransaction(options []plan.Option, fresh bool) error {
	if len(options) == 0 {
		return nil
	}
	o := x.txn.Options()
	level, readOnly, deferrable := o.Isolation, o.ReadOnly, o.Deferrable
	for _, opt := range options {
		switch opt.Name {
		case "transaction_isolation":
			text := optionText(opt.Value)
			next := isolationOf(text)
			if next != level && !fresh {
				if x.imported {
					return pgerr.New(pgerr.ActiveSQLTransaction, "SET TRANSACTION ISOLATION LEVEL must be called before any query")
				}
				if len(x.savepoints) > 0 {
					return pgerr.New(pgerr.ActiveSQLTransaction, "SET TRANSACTION ISOLATION LEVEL must not be called in a subtransaction")
				}
				if x.activity.statements > 0 {
					return pgerr.New(pgerr.ActiveSQLTransaction, "SET TRANSACTION ISOLATION LEVEL must be called before any query")
				}
			}
			level, x.uncommitted = next, strings.EqualFold(text, readUncommitted)
		case "transaction_read_only":
			ro := optionBool(opt.Value)
			n := len(x.savepoints)
			if !ro && readOnly && !fresh && n > 0 {
				return pgerr.New(pgerr.ActiveSQLTransaction, "cannot set transaction read-write mode inside a read-only transaction")
			}
			if !ro && readOnly && !fresh && n == 0 && x.activity.statements > 0 {
				return pgerr.New(pgerr.ActiveSQLTransaction, "transaction read-write mode must be set before any query")
			}
			readOnly = ro
		case "transaction_deferrable":
			deferrable = optionBool(opt.Value)
		}
	}
	x.txn.SetIsolation(level, readOnly, deferrable)
	return nil
}

func optionText(v any) string {
	s, _ := v.(string)
	return s
}

func optionBool(v any) bool {
	switch b := v.(type) {
	case bool:
		return b
	case int64:
		return b != 0
	case string:
		return b == "on" || b == "true"
	case nil:
		return true
	}
	return false
}

func (x *Session) requireBlock(what string) error {
	if x.state != txnBlock && x.state != txnFailed {
		return pgerr.New(pgerr.NoActiveSQLTransaction, "%s can only be used in transaction blocks", what)
	}
	return nil
}

func (x *Session) savepoint(name string) error {
	if err := x.requireBlock("SAVEPOINT"); err != nil {
		return err
	}
	x.savepoints = append(x.savepoints, savepoint{name: name, engine: x.txn.Savepoint(), catalog: x.view.Savepoint(),
		settings: x.values.Mark(), deferred: x.deferred.Mark(), notify: len(x.pendingNtf), listen: len(x.listenOps), readOnly: x.txn.Options().ReadOnly})
	return nil
}

// find returns the index of the innermost savepoint of a name.
func (x *Session) findSavepoint(name string) (int, error) {
	for i := len(x.savepoints) - 1; i >= 0; i-- {
		if x.savepoints[i].name == name {
			return i, nil
		}
	}
	return 0, pgerr.New(pgerr.InvalidSavepointSpecification, "savepoint \"%s\" does not exist", name)
}

func (x *Session) release(name string) error {
	if err := x.requireBlock("RELEASE SAVEPOINT"); err != nil {
		return err
	}
	i, err := x.findSavepoint(name)
	if err != nil {
		return err
	}
	x.txn.Release(x.savepoints[i].engine)
	x.setReadOnly(x.savepoints[i].readOnly)
	x.savepoints = x.savepoints[:i]
	for _, p := range x.portals {
		p.depth = min(p.depth, i)
	}
	return nil
}

func (x *Session) rollbackTo(name string) error {
	if err := x.requireBlock("ROLLBACK TO SAVEPOINT"); err != nil {
		return err
	}
	i, err := x.findSavepoint(name)
	if err != nil {
		return err
	}
	x.closePortalsSince(i + 1)
	x.undoTo(x.savepoints[i])
	x.savepoints = x.savepoints[:i+1]
	x.state = txnBlock
	return nil
}

// Sync ends the implicit transaction of the extended protocol.
func (x *Session) Sync(ctx context.Context) error {
	x.pipelined = false
	x.clearTimeout()
	switch x.state {
	case txnImplicit:
		return x.commit(ctx)
	case txnIdle:
		x.endShort()
	}
	return nil
}
