package engine

import "fmt"

// ddlKind is a kind of change to the set of stores and sequences; the numbers
// are sections of the commit record.
type ddlKind uint8

const (
	ddlCreateStore    ddlKind = 2
	ddlAlterStore     ddlKind = 3
	ddlDropStore      ddlKind = 4
	ddlCreateSequence ddlKind = 5
	ddlDropSequence   ddlKind = 6
	ddlMoveHorizon    ddlKind = 9
	ddlEndHorizon     ddlKind = 10
)

// ddlOp is one such change.
type ddlOp struct {
	kind  ddlKind
	id    StoreID
	def   *storeDef     // create and alter
	state SequenceState // create sequence: filled in at commit

	column int // move horizon
	before int64
}

// pendingStore is a transaction's own idea of a store.
type pendingStore struct {
	def     *storeDef // nil when dropped
	created bool      // no committed state exists
}

// def returns a store's definition as the transaction sees it.
func (t *Txn) def(id StoreID) (*storeDef, error) {
	if p := t.pending[id]; p != nil {
		if p.def == nil {
			return nil, &StoreNotFoundError{id}
		}
		return p.def, nil
	}
	if st := t.db.view.Load().stores[id]; st != nil {
		return st.def, nil
	}
	return nil, &StoreNotFoundError{id}
}

// CreateStore makes a store, visible to others at commit.
func (t *Txn) CreateStore(d StoreDef) error {
	if err := t.checkWrite(); err != nil {
		return err
	}
	if _, err := t.def(d.ID); err == nil {
		return fmt.Errorf("store %d already exists", d.ID)
	}
	t.change(ddlOp{kind: ddlCreateStore, id: d.ID, def: newStoreDef(d)})
	return nil
}

// AlterStore gives a store another definition, with the same columns and perhaps more.
func (t *Txn) AlterStore(d StoreDef) error {
	if err := t.checkWrite(); err != nil {
		return err
	}
	old, err := t.def(d.ID)
	if err != nil {
		return err
	}
	if len(d.Columns) < len(old.Columns) {
		return fmt.Errorf("store %d: %d columns become %d", d.ID, len(old.Columns), len(d.Columns))
	}
	for i, k := range old.kinds {
		if d.Columns[i].Kind != k {
			return fmt.Errorf("store %d: column %d changes from %v to %v", d.ID, i, k, d.Columns[i].Kind)
		}
	}
	t.change(ddlOp{kind: ddlAlterStore, id: d.ID, def: newStoreDef(d)})
	return nil
}

// DropStore removes a store and its rows.
func (t *Txn) DropStore(id StoreID) error {
	if err := t.checkWrite(); err != nil {
		return err
	}
	def, err := t.def(id)
	if err != nil {
		return err
	}
	if err := t.noteWriteRange(id, def, nil, nil); err != nil {
		return err
	}
	t.change(ddlOp{kind: ddlDropStore, id: id})
	return nil
}

func (t *Txn) change(op ddlOp) {
	t.ddl = append(t.ddl, op)
	t.pend(op)
}

// pend adds the effect of a change to the transaction's idea of its store.
func (t *Txn) pend(op ddlOp) {
	if op.kind > ddlDropStore {
		return
	}
	if t.pending == nil {
		t.pending = make(map[StoreID]*pendingStore)
	}
	p := pendingStore{def: op.def, created: op.kind == ddlCreateStore}
	if old := t.pending[op.id]; old != nil {
		p.created = old.created
	}
	t.pending[op.id] = &p
}

// rollbackDDL undoes the changes after the first n.
func (t *Txn) rollbackDDL(n int) {
	if n >= len(t.ddl) {
		return
	}
	for _, op := range t.ddl[n:] {
		if op.kind == ddlCreateSequence {
			t.db.sequences.forget(op.id)
		}
	}
	t.ddl = t.ddl[:n]
	t.pending = nil
	for _, op := range t.ddl {
		t.pend(op)
	}
}
