package exec

import (
	"errors"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// lockRowsOp locks the rows that its input comes from: FOR UPDATE and its like.
type lockRowsOp struct {
	st      *state
	input   operator
	locks   []rowLock
	recheck recheck
	kinds   []column.Kind
	in      []column.Datum
	batch   *column.Batch // of the input, done up to at
	at      int
	out     *rowBuf // a row in a newer version
	one     column.Batch
	sel     [1]int32
}

type rowLock struct {
	w    *tableWriter
	mode engine.LockMode
	wait engine.WaitPolicy
	target
	tables map[int64]*lockedTable // by OID, when others inherit from the table
	oid    int                    // the input column that tells the table of a row
}

// lockedTable is a table that inherits from the one whose rows are locked.
type lockedTable struct {
	w     *tableWriter
	attrs []int
}

func (st *state) lockedWriter(r *catalog.Relation) *tableWriter {
	w := &tableWriter{st: st, rel: r, store: engine.StoreID(r.Store)}
	for range r.Columns {
		w.kinds = append(w.kinds, column.Bytes)
	}
	return w
}

var lockModes = map[plan.LockStrength]engine.LockMode{
	plan.ForKeyShare: engine.KeyShare, plan.ForShare: engine.Share, plan.ForNoKeyUpdate: engine.NoKeyUpdate, plan.ForUpdate: engine.Update,
}

var waitPolicies = map[plan.WaitPolicy]engine.WaitPolicy{
	plan.LockWait: engine.Wait, plan.LockSkip: engine.SkipLocked, plan.LockNoWait: engine.NoWait,
}

func (st *state) newLockRows(n *plan.LockRows) (operator, error) {
	input, err := st.operator(n.Input)
	if err != nil {
		return nil, err
	}
	o := &lockRowsOp{st: st, input: input, kinds: st.kinds(n.Input)}
	o.in = make([]column.Datum, len(o.kinds))
	for _, l := range n.Locks {
		tables := map[int64]*lockedTable{}
		for _, c := range l.Inherited {
			tables[int64(c.Table.OID)] = &lockedTable{st.lockedWriter(c.Table), c.Attrs}
		}
		o.locks = append(o.locks, rowLock{
			tables: tables, oid: l.TableOID,
			w: st.lockedWriter(l.Table), mode: lockModes[l.Strength], wait: waitPolicies[l.Wait],
			target: target{key: l.Key, attrs: l.Attrs, slots: l.Slots},
		})
	}
	o.recheck, err = st.recheck(n.Recheck)
	return o, err
}

func (o *lockRowsOp) open() error { o.batch = nil; return o.input.open() }
func (o *lockRowsOp) close()      { o.input.close() }

// next locks and yields one row: what a LIMIT above does not ask for, or a
// cursor does not fetch, must not be locked.
func (o *lockRowsOp) next() (*column.Batch, error) {
	for {
		for o.batch == nil || o.at == o.batch.Len() {
			b, err := o.input.next()
			if err != nil || b == nil {
				return nil, err
			}
			o.batch, o.at = b, 0
			if err := o.st.rt.canceled(); err != nil {
				return nil, err
			}
		}
		r := o.batch.Row(o.at)
		o.at++
		for c := range o.in {
			o.in[c] = o.batch.Cols[c].Datum(r)
		}
		keep, changed, err := o.lock()
		if err != nil {
			return nil, err
		}
		if !keep {
			continue
		}
		if !changed {
			o.sel[0] = int32(r)
			o.one = column.Batch{Cols: o.batch.Cols, N: o.batch.N, Sel: o.sel[:]}
			return &o.one, nil
		}
		o.out = newRowBuf(o.kinds, 1)
		o.out.addRow(o.in)
		return o.out.batches[0], nil
	}
}

// lock locks the rows behind the current input row and reports whether it
// stays, and whether it has newer values.
func (o *lockRowsOp) lock() (keep, changedAny bool, err error) {
	for i := range o.locks {
		l := &o.locks[i]
		if o.in[l.key].Null {
			continue // the nullable side of an outer join
		}
		key := append([]byte(nil), o.in[l.key].B...)
		w, table := l.w, (*lockedTable)(nil)
		if len(l.tables) > 0 {
			if table = l.tables[o.in[l.oid].I]; table != nil {
				w = table.w
			}
		}
		res, err := o.st.rt.Txn.Lock(o.st.rt.Context, w.store, key, l.mode, l.wait, o.st.rt.Snapshot)
		if err != nil {
			if errors.Is(err, engine.ErrLockNotAvailable) {
				err = pgerr.New(pgerr.LockNotAvailable, "could not obtain lock on row in relation \"%s\"", w.rel.Name)
			}
			return false, false, l.w.whileWaiting(lockedRowError(err), "locking", key)
		}
		if l.mode == engine.KeyShare && res.Status == engine.Updated {
			// What the lock protects is as the snapshot has it: so is the row.
			same, err := o.st.sameKeys(w, key, res.Row, o.st.rt.Snapshot)
			if err != nil {
				return false, false, err
			}
			if same {
				continue
			}
		}
		state, changed, err := o.st.settle(w, res, key, l.mode, l.wait, func(newer []column.Datum, at []byte) (bool, error) {
			if table != nil {
				newer = (&modifyTable{attrs: table.attrs}).note(newer, len(table.attrs))
			}
			return true, l.substitute(o.st, w.rel, o.in, newer, at)
		})
		if err != nil || state == rowGone {
			return false, false, err
		}
		changedAny = changedAny || changed
	}
	if !changedAny {
		return true, false, nil
	}
	keep, err = o.recheck.apply(o.in)
	return keep, true, err
}

// sameKeys reports whether a newer version of a row has the unique keys that the snapshot sees. For a transaction with
// one snapshot other keys are a *engine.SerializationError.
func (st *state) sameKeys(w *tableWriter, key []byte, newer []column.Datum, snap *engine.Snapshot) (bool, error) {
	old := make([]column.Datum, len(w.kinds))
	same, err := snap.Get(w.store, key, nil, old)
	if err != nil {
		return false, err
	}
	for a := range w.uniqueAttrs() {
		same = same && sameDatum(old[a], newer[a])
	}
	if !same && st.rt.Isolation != engine.ReadCommitted {
		return false, &engine.SerializationError{Reason: "concurrent update"}
	}
	return same, nil
}

// lockedRowError words the failure of a row lock: here PostgreSQL does not tell
// deletes from updates.
func lockedRowError(err error) error {
	var e *engine.SerializationError
	if errors.As(err, &e) && e.Reason == "concurrent delete" {
		return &engine.SerializationError{Reason: "concurrent update"}
	}
	return err
}
