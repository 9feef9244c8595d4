package exec

import (
	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
)

// lockForeignKeys locks the other tables of the foreign keys that are about to be looked at, in the modes in which
// PostgreSQL's own queries for them do: the referenced table to lock rows, the referring one to lock or change them.
// A statement that touches no key locks nothing. It precedes the snapshot in which they are read: a table may have
// become another one while its lock was waited for.
func (st *state) lockForeignKeys() error {
	for i := range st.events {
		ev := &st.events[i]
		action := ev.key.con.OnDelete
		if ev.new != nil {
			action = ev.key.con.OnUpdate
		}
		mode := engine.LockRowShare
		if !ev.again && (action == 'c' || action == 'n' || action == 'd') {
			mode = engine.LockRowExclusive
		}
		if err := st.lockReferring(ev, mode); err != nil {
			return err
		}
	}
	for _, w := range st.writers {
		for _, k := range w.children {
			if len(k.pending) == 0 {
				continue
			}
			if err := st.lockReferenced(w, k); err != nil {
				return err
			}
		}
	}
	return nil
}

// lockReferring locks the table that refers to a key that is gone.
func (st *state) lockReferring(ev *parentEvent, mode engine.TableLockMode) error {
	child := ev.key.child
	now, err := st.lockOther(child, mode)
	if err != nil || now == child {
		return err
	}
	if now.Store != child.Store {
		delete(st.writers, child.OID)
	}
	if con := constraintOf(now, ev.key.con.OID); con != nil {
		ev.key = st.parentKey(ev.writer.rel, now, con)
	}
	return nil
}

// lockReferenced locks the table that a foreign key refers to.
func (st *state) lockReferenced(w *tableWriter, k *childKey) error {
	now, err := st.lockOther(k.parent, engine.LockRowShare)
	if err != nil || now == k.parent {
		return err
	}
	fresh, err := st.childKey(w.rel, k.con)
	if err != nil {
		return err
	}
	pending := k.pending
	*k = *fresh
	for _, ref := range pending { // an index may have been made anew, with other parts
		k.pending[k.same(st, ref)] = ref
	}
	return nil
}

// lockOther locks a table that the statement does not name and returns its descriptor under the lock.
func (st *state) lockOther(rel *catalog.Relation, mode engine.TableLockMode) (*catalog.Relation, error) {
	if st.foreign[rel.OID] >= mode {
		return rel, nil
	}
	if err := st.rt.Txn.LockTable(st.rt.Context, uint64(rel.OID), mode, engine.Wait); err != nil {
		return nil, err
	}
	if st.foreign == nil {
		st.foreign = map[OID]engine.TableLockMode{}
	}
	st.foreign[rel.OID] = mode
	st.rt.Catalog.Refresh()
	now := st.rt.Catalog.Relation(rel.OID)
	if now == nil {
		return nil, pgerr.New(pgerr.UndefinedTable, "relation with OID %d does not exist", rel.OID)
	}
	return now, nil
}
