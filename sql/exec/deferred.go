package exec

import (
	"slices"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// Deferred holds the constraint checks that wait for the end of a transaction.
// The session makes one per transaction, calls Check before the engine commits,
// and Mark and RollbackTo with its savepoints.
type Deferred struct {
	log     []deferredEntry
	waiting int          // items of log that are not done
	all     *bool        // SET CONSTRAINTS ALL: deferred or immediate
	set     map[OID]bool // SET CONSTRAINTS name: by constraint
}

// deferredEntry is an item, or how to take back what changed others or settings.
type deferredEntry struct {
	item *deferredItem
	undo func()
}

// deferredItem is a reference to verify (child), a key whose references are gone
// (parent) or a unique key that may be taken twice.
type deferredItem struct {
	kind       deferredKind
	table      OID
	child      OID // parent items: the referring table
	constraint OID
	vals       []column.Datum
	unique     *uniqueCheck
	done       bool
}

type deferredKind uint8

const (
	deferChild deferredKind = iota
	deferParent
	deferUnique
)

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

func (d *Deferred) add(it deferredItem) {
	d.log = append(d.log, deferredEntry{item: &it})
	d.waiting++
}

func (d *Deferred) child(table, constraint OID, vals []column.Datum) {
	d.add(deferredItem{kind: deferChild, table: table, constraint: constraint, vals: vals})
}

func (d *Deferred) parent(table, child, constraint OID, vals []column.Datum) {
	d.add(deferredItem{kind: deferParent, table: table, child: child, constraint: constraint, vals: vals})
}

func (d *Deferred) unique(table, constraint OID, u *uniqueCheck) {
	d.add(deferredItem{kind: deferUnique, table: table, constraint: constraint, unique: u})
}

// SetAll is SET CONSTRAINTS ALL.
func (d *Deferred) SetAll(deferred bool) {
	all, set := d.all, d.set
	d.log = append(d.log, deferredEntry{undo: func() { d.all, d.set = all, set }})
	d.all, d.set = &deferred, nil
}

// Set is SET CONSTRAINTS for one constraint.
func (d *Deferred) Set(constraint OID, deferred bool) {
	old := d.set
	d.log = append(d.log, deferredEntry{undo: func() { d.set = old }})
	d.set = map[OID]bool{constraint: deferred}
	for c, v := range old {
		if c != constraint {
			d.set[c] = v
		}
	}
}

// Mark returns a point to roll back to.
func (d *Deferred) Mark() int { return len(d.log) }

// RollbackTo forgets what was queued since a mark, and takes back what SET
// CONSTRAINTS did and what was checked.
func (d *Deferred) RollbackTo(mark int) {
	for i := len(d.log) - 1; i >= mark; i-- {
		switch e := d.log[i]; {
		case e.undo != nil:
			e.undo()
		case !e.item.done:
			d.waiting--
		}
		d.log[i] = deferredEntry{}
	}
	d.log = d.log[:min(mark, len(d.log))]
}

// Pending reports whether anything waits.
func (d *Deferred) Pending() bool { return d.waiting > 0 }

// PendingOn reports whether a check of a table's rows waits.
func (d *Deferred) PendingOn(table OID) bool {
	if d.waiting == 0 {
		return false
	}
	for _, e := range d.log {
		if e.item != nil && !e.item.done && e.item.table == table {
			return true
		}
	}
	return false
}

// Check verifies everything that waits. With immediateOnly only what is no
// longer deferred is checked, as SET CONSTRAINTS IMMEDIATE demands.
func (d *Deferred) Check(rt *Runtime, immediateOnly bool) error {
	if d.waiting == 0 {
		return nil
	}
	st := newState(rt, &plan.Statement{})
	if err := d.lockOthers(st, immediateOnly); err != nil {
		return MapError(err)
	}
	rt.Txn.NextCommand()
	snap := rt.Txn.Snapshot()
	defer snap.Close()
	newest := snap // whether a lost key is missed is a question to all that have committed
	if rt.Isolation != engine.ReadCommitted {
		newest = rt.Txn.LatestSnapshot()
		defer newest.Close()
	}
	references := d.references()
	for i := 0; i < len(d.log); i++ {
		it := d.log[i].item
		if it == nil || it.done {
			continue
		}
		rel := rt.Catalog.Relation(it.table)
		owner := rel
		if it.kind == deferParent {
			owner = rt.Catalog.Relation(it.child)
		}
		items := []*deferredItem{it}
		if rel != nil && owner != nil { // else dropped meanwhile
			con := constraintOf(owner, it.constraint)
			if con != nil && immediateOnly && d.defers(con) {
				continue
			}
			if con != nil && it.kind == deferChild {
				items = references[deferredKey{it.table, it.constraint}]
			}
			if con != nil {
				if err := checkDeferred(st, items, rel, owner, con, snap, newest); err != nil {
					return MapError(err)
				}
			}
		}
		for _, it := range items {
			it.done = true
		}
		d.waiting -= len(items)
		d.log = append(d.log, deferredEntry{undo: func() {
			for _, it := range items {
				it.done = false
			}
			d.waiting += len(items)
		}})
	}
	return nil
}

// deferredKey names what the references of one constraint are checked by.
type deferredKey struct{ table, constraint OID }

// references returns the references that wait, in their order.
func (d *Deferred) references() map[deferredKey][]*deferredItem {
	out := map[deferredKey][]*deferredItem{}
	for _, e := range d.log {
		if it := e.item; it != nil && !it.done && it.kind == deferChild {
			k := deferredKey{it.table, it.constraint}
			out[k] = append(out[k], it)
		}
	}
	return out
}

// lockOthers locks the tables that foreign keys lead to or from.
func (d *Deferred) lockOthers(st *state, immediateOnly bool) error {
	for i := range d.log {
		it := d.log[i].item
		if it == nil || it.done || it.kind == deferUnique {
			continue
		}
		owner, other := st.rt.Catalog.Relation(it.table), OID(0)
		if it.kind == deferParent {
			owner, other = st.rt.Catalog.Relation(it.child), it.child
		}
		if owner == nil {
			continue
		}
		con := constraintOf(owner, it.constraint)
		if con == nil || immediateOnly && d.defers(con) {
			continue
		}
		if it.kind == deferChild {
			other = con.RefTable
		}
		if rel := st.rt.Catalog.Relation(other); rel != nil {
			if _, err := st.lockOther(rel, engine.LockRowShare); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkDeferred checks items of one constraint: one, or all references that wait for it.
func checkDeferred(st *state, items []*deferredItem, rel, owner *catalog.Relation, con *catalog.Constraint, snap, newest *engine.Snapshot) error {
	w, err := st.writer(rel)
	if err != nil {
		return err
	}
	switch it := items[0]; it.kind {
	case deferUnique:
		return it.unique.verify(w)
	case deferParent:
		ev := parentEvent{writer: w, old: it.vals, key: st.parentKey(rel, owner, noAction(con))}
		return ev.run(st, newest)
	}
	k, err := st.childKey(rel, con)
	if err != nil {
		return err
	}
	refs, order := map[string][]column.Datum{}, []string(nil)
	for _, it := range items {
		if slices.ContainsFunc(it.vals, func(d column.Datum) bool { return d.Null }) {
			if err := w.mixedReference(snap, k, it.vals); err != nil {
				return err
			}
			continue
		}
		key := k.same(st, it.vals)
		if refs[key] == nil {
			refs[key], order = it.vals, append(order, key)
		}
	}
	still, err := w.stillMade(snap, k, refs)
	if err != nil {
		return err
	}
	err = k.verifyAll(st, rel, still, snap)
	if e, ok := err.(*pgerr.Error); !ok || e.Code != pgerr.ForeignKeyViolation {
		return err
	}
	for _, key := range order { // the first that was made is the one to tell of
		if ref := still[key]; ref != nil {
			if err := k.verify(st, rel, ref, snap); err != nil {
				return err
			}
		}
	}
	return err
}

// mixedReference refuses a reference that is NULL in part if some row still makes it.
func (w *tableWriter) mixedReference(snap *engine.Snapshot, k *childKey, ref []column.Datum) error {
	return w.rowsOf(snap, w.store, nil, nil, func(_ []byte, row []column.Datum) error {
		for i, a := range k.attrs {
			if !sameDatum(row[a], ref[i]) {
				return nil
			}
		}
		return k.mixed(w)
	})
}

// singleReferences is how many references are looked for one by one where no index leads to them.
const singleReferences = 4

// stillMade returns those of the references that some row of the table makes. Where no index leads to them, and there are
// many, the table is read once.
func (w *tableWriter) stillMade(snap *engine.Snapshot, k *childKey, refs map[string][]column.Datum) (map[string][]column.Datum, error) {
	still := map[string][]column.Datum{}
	if w.leadsTo(k.attrs) || len(refs) <= singleReferences {
		for key, ref := range refs {
			made, err := w.exists(snap, k.attrs, ref)
			if err != nil {
				return nil, err
			}
			if made {
				still[key] = ref
			}
		}
		return still, nil
	}
	err := w.rowsOf(snap, w.store, nil, nil, func(_ []byte, row []column.Datum) error {
		ref, _ := k.values(row)
		if ref == nil {
			return nil
		}
		key := k.same(w.st, ref)
		if had := refs[key]; had != nil {
			still[key] = had
		}
		return nil
	})
	return still, err
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
