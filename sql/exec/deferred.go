package exec

import (
	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/plan"
)

// Deferred holds the constraint checks that wait for the end of a transaction.
// The session makes one per transaction, calls Check before the engine commits,
// and Mark and RollbackTo with its savepoints.
type Deferred struct {
	items []deferredItem
	all   *bool        // SET CONSTRAINTS ALL: deferred or immediate
	set   map[OID]bool // SET CONSTRAINTS name: by constraint
}

// deferredItem is a reference to verify (child) or a key whose references are gone (parent).
type deferredItem struct {
	table      OID
	child      OID // parent items: the referring table
	constraint OID
	vals       []column.Datum
	parent     bool
}

// defers reports whether a constraint's check waits for the commit.
func (d *Deferred) defers(c *catalog.Constraint) bool {
	if !c.Deferrable {
		return false
	}
	if v, ok := d.set[c.OID]; ok {
		return v
	}
	if d.all != nil {
		return *d.all
	}
	return c.Deferred
}

func (d *Deferred) child(table, constraint OID, vals []column.Datum) {
	d.items = append(d.items, deferredItem{table: table, constraint: constraint, vals: vals})
}

func (d *Deferred) parent(table, child, constraint OID, vals []column.Datum) {
	d.items = append(d.items, deferredItem{table: table, child: child, constraint: constraint, vals: vals, parent: true})
}

// SetAll is SET CONSTRAINTS ALL.
func (d *Deferred) SetAll(deferred bool) { d.all, d.set = &deferred, nil }

// Set is SET CONSTRAINTS for one constraint.
func (d *Deferred) Set(constraint OID, deferred bool) {
	if d.set == nil {
		d.set = map[OID]bool{}
	}
	d.set[constraint] = deferred
}

// Mark returns a point to roll back to.
func (d *Deferred) Mark() int { return len(d.items) }

// RollbackTo forgets what was queued since a mark.
func (d *Deferred) RollbackTo(mark int) { d.items = d.items[:min(mark, len(d.items))] }

// Pending reports whether anything waits.
func (d *Deferred) Pending() bool { return len(d.items) > 0 }

// Check verifies everything that waits and forgets it. With immediateOnly only
// what is no longer deferred is checked, as SET CONSTRAINTS IMMEDIATE demands.
func (d *Deferred) Check(rt *Runtime, immediateOnly bool) error {
	if len(d.items) == 0 {
		return nil
	}
	items := d.items
	d.items = nil
	st := newState(rt, &plan.Statement{})
	rt.Txn.NextCommand()
	snap := rt.Txn.Snapshot()
	defer snap.Close()
	for _, it := range items {
		rel := rt.Catalog.Relation(it.table)
		owner := rel
		if it.parent {
			owner = rt.Catalog.Relation(it.child)
		}
		if rel == nil || owner == nil {
			continue // dropped meanwhile
		}
		con := constraintOf(owner, it.constraint)
		if con == nil {
			continue
		}
		if immediateOnly && d.defers(con) {
			d.items = append(d.items, it)
			continue
		}
		w, err := st.writer(rel)
		if err != nil {
			return MapError(err)
		}
		if it.parent {
			ev := parentEvent{writer: w, old: it.vals, key: &parentKey{
				child: owner, con: noAction(con), attrs: attrsOf(con.Columns), refs: attrsOf(con.RefColumns),
			}}
			err = ev.run(st, snap)
		} else {
			var k *childKey
			if k, err = st.childKey(con); err == nil {
				err = d.recheck(st, w, k, it.vals, snap)
			}
		}
		if err != nil {
			return MapError(err)
		}
	}
	return nil
}

// recheck verifies a reference if some row still makes it.
func (d *Deferred) recheck(st *state, w *tableWriter, k *childKey, ref []column.Datum, snap *engine.Snapshot) error {
	still, err := w.exists(snap, k.attrs, ref)
	if err != nil || !still {
		return err
	}
	return k.verify(st, w.rel, ref, snap)
}

func constraintOf(rel *catalog.Relation, oid OID) *catalog.Constraint {
	for i := range rel.Constraints {
		if rel.Constraints[i].OID == oid {
			return &rel.Constraints[i]
		}
	}
	return nil
}

// noAction returns the constraint as one that only checks: its actions have run.
func noAction(c *catalog.Constraint) *catalog.Constraint {
	n := *c
	n.OnDelete, n.OnUpdate = 'a', 'a'
	return &n
}
