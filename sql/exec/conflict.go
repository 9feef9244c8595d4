package exec

import (
	"errors"
	"slices"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// conflictPlan is ON CONFLICT, compiled. Its expressions see the existing row,
// its key, and the proposed row.
type conflictPlan struct {
	update  bool
	indexes []OID
	set     []assigned
	where   predicate
	visible []viewCheck
	touched map[string]struct{} // storage keys that this command wrote
	seen    []column.Datum
}

func (st *state) conflictPlan(n *plan.ConflictPlan) (*conflictPlan, error) {
	c := &conflictPlan{update: n.Update, indexes: n.Indexes, touched: map[string]struct{}{}}
	var err error
	if c.set, err = st.assignments(n.Set); err != nil {
		return nil, err
	}
	if c.visible, err = st.viewChecks(n.Visible); err != nil {
		return nil, err
	}
	c.where, err = st.predicate(n.Where)
	return c, err
}

// arbitrates reports whether a conflict is one that the clause speaks of.
func (c *conflictPlan) arbitrates(d *duplicate) bool {
	if len(c.indexes) == 0 {
		return true
	}
	return d.index != nil && slices.Contains(c.indexes, d.index.OID)
}

// insertOrElse inserts a row, or does what ON CONFLICT says. What a failed
// attempt wrote is undone by a savepoint.
func (o *modifyOp) insertOrElse(vals []column.Datum) error {
	if err := o.conflict.refuseDeferrable(o.w); err != nil {
		return err
	}
	txn := o.st.rt.Txn
	for {
		sp := txn.Savepoint()
		queued := o.mark()
		o.w.arbitrated = true
		key, err := o.w.insert(vals)
		o.w.arbitrated = false
		if err == nil {
			txn.Release(sp)
			o.conflict.touched[string(key)] = struct{}{}
			if err := o.checkViews(vals); err != nil {
				return err
			}
			o.emit(vals, key, false)
			return nil
		}
		txn.RollbackTo(sp)
		txn.Release(sp)
		o.undo(queued)
		var dup *duplicate
		if !errors.As(err, &dup) {
			return err
		}
		if !o.conflict.arbitrates(dup) { // the indexes that decide have the first word
			if dup, err = o.arbiter(vals, err); dup == nil {
				return err
			}
		}
		again, err := o.resolve(dup, vals)
		if err != nil || !again {
			return err
		}
	}
}

// arbiter looks for a conflict in the indexes that the clause speaks of, where another one has refused a row.
func (o *modifyOp) arbiter(vals []column.Datum, refused error) (*duplicate, error) {
	txn := o.st.rt.Txn
	sp := txn.Savepoint()
	o.w.arbitrated = true
	err := o.w.claimIn(o.conflict.indexes, vals)
	o.w.arbitrated = false
	txn.RollbackTo(sp)
	txn.Release(sp)
	var dup *duplicate
	switch {
	case err == nil:
		return nil, refused
	case errors.As(err, &dup):
		return dup, nil
	}
	return nil, err
}

// refuseDeferrable keeps ON CONFLICT from indexes that cannot tell at once.
func (c *conflictPlan) refuseDeferrable(w *tableWriter) error {
	for _, ix := range w.indexes {
		if ix.ix.Deferrable() && (len(c.indexes) == 0 || slices.Contains(c.indexes, ix.ix.OID)) {
			return pgerr.New(pgerr.ObjectNotInPrerequisiteState, "ON CONFLICT does not support deferrable unique constraints/exclusion constraints as arbiters").
				WithTable(w.schema(), w.rel.Name).WithConstraint(ix.ix.Name)
		}
	}
	return nil
}

// mark and undo keep the checks that a failed attempt queued from happening.
func (o *modifyOp) mark() int {
	if o.st.rt.Deferred != nil {
		return o.st.rt.Deferred.Mark()
	}
	return 0
}

func (o *modifyOp) undo(mark int) {
	if o.st.rt.Deferred != nil {
		o.st.rt.Deferred.RollbackTo(mark)
	}
}

// resolve handles a conflict; again tells that the row in the way is gone.
func (o *modifyOp) resolve(dup *duplicate, vals []column.Datum) (again bool, err error) {
	key := o.conflictKey(dup, vals)
	rt := o.st.rt
	strict := rt.Isolation != engine.ReadCommitted && !dup.own
	if strict {
		changed, err := rt.Txn.ChangedSince(o.w.store, key, rt.Snapshot)
		if err != nil {
			return false, err
		}
		if err := rt.Txn.NoteKey(o.w.store, key); err != nil {
			return false, err
		}
		if changed {
			return false, pgerr.New(pgerr.SerializationFailure, "could not serialize access due to concurrent update")
		}
	}
	if !o.conflict.update {
		return false, nil
	}
	if _, mine := o.conflict.touched[string(key)]; mine {
		return false, pgerr.New(pgerr.CardinalityViolation, "ON CONFLICT DO UPDATE command cannot affect row a second time").
			WithHint("Ensure that no rows proposed for insertion within the same command have duplicate constrained values.")
	}
	var snap *engine.Snapshot
	if strict {
		snap = rt.Snapshot
	}
	res, err := rt.Txn.Lock(rt.Context, o.w.store, key, o.w.lockMode(o.conflict.set), engine.Wait, snap)
	if err != nil {
		return false, err
	}
	if res.Status != engine.Locked {
		return true, nil
	}
	existing, err := o.st.newest(o.w, key)
	if err != nil || existing == nil {
		return true, err
	}
	return false, o.updateExisting(key, existing, vals)
}

// conflictKey returns the storage key of the row in the way.
func (o *modifyOp) conflictKey(dup *duplicate, vals []column.Datum) []byte {
	if dup.table {
		return encodeRow(nil, o.w.key, vals)
	}
	return slices.Clone(dup.row[0].B)
}

func (o *modifyOp) updateExisting(key []byte, existing, proposed []column.Datum) error {
	c := o.conflict
	c.seen = append(append(c.seen[:0], existing...), column.BytesDatum(key))
	c.seen = append(c.seen, proposed...)
	r := &row{vals: c.seen}
	for _, v := range c.visible {
		d, err := v.cond.row(r)
		if err != nil {
			return err
		}
		if !d.Bool() {
			return pgerr.New(pgerr.ObjectNotInPrerequisiteState, "conflicting row is not visible through view \"%s\"", v.view)
		}
	}
	if c.where != nil {
		if ok, err := c.where.test(r); !ok || err != nil {
			return err
		}
	}
	copy(o.old, existing)
	next := slices.Clone(existing)
	for _, s := range c.set {
		d, err := s.expr.row(r)
		if err != nil {
			return err
		}
		next[s.attr] = d
	}
	copy(o.vals, next)
	if err := o.replace(key); err != nil {
		return err
	}
	c.touched[string(o.w.buf)] = struct{}{}
	return nil
}
