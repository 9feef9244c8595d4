package exec

import (
	"cmp"
	"slices"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/plan"
)

// tableWriter changes the rows of one table together with its indexes, and
// checks what the table demands of them.
type tableWriter struct {
	st         *state
	rel        *catalog.Relation
	store      engine.StoreID
	kinds      []column.Kind
	key        []keyPart
	keyIndex   *catalog.Index // the constraint that the storage key stands for, or nil
	indexes    []*indexWriter
	generated  []assigned
	checks     []check
	children   []*childKey  // foreign keys of this table
	parents    []*parentKey // foreign keys that point at it
	keyAttrs   map[int]bool // attributes of unique keys: changing them needs the strongest lock
	nextID     int64
	lastID     int64
	arbitrated bool       // ON CONFLICT decides about duplicates
	bulk       *bulkTable // not nil: inserts go to bulk writers
	buf        []byte
	r          row
	access     *Access
}

type assigned struct {
	attr int
	expr expr
}

type check struct {
	name string
	expr expr
}

// writer returns the statement's writer of a table.
func (st *state) writer(rel *catalog.Relation) (*tableWriter, error) {
	if w := st.writers[rel.OID]; w != nil {
		return w, nil
	}
	w := &tableWriter{st: st, rel: rel, access: st.rt.access(rel.OID), store: engine.StoreID(rel.Store), key: st.storageKey(rel), keyAttrs: map[int]bool{}}
	for i := range rel.Columns {
		w.kinds = append(w.kinds, catalog.ColumnKind(st.env, &rel.Columns[i]))
	}
	if st.writers == nil {
		st.writers = map[OID]*tableWriter{}
	}
	st.writers[rel.OID] = w // before foreign keys, which may lead back here
	if err := w.prepare(); err != nil {
		delete(st.writers, rel.OID)
		return nil, err
	}
	return w, nil
}

func (w *tableWriter) prepare() error {
	for _, p := range w.key {
		w.keyAttrs[p.attr] = true
	}
	for _, ix := range w.st.rt.Catalog.IndexesOf(w.rel) {
		if ix.Store == 0 {
			w.keyIndex = ix
			continue
		}
		var build *catalog.Build
		if ix.NotReady {
			if build = w.st.rt.Catalog.Build(ix.OID); build == nil { // what a failed CREATE INDEX CONCURRENTLY left
				continue
			}
		}
		iw, err := w.st.indexWriter(ix)
		if err != nil {
			return err
		}
		iw.build = build
		w.indexes = append(w.indexes, iw)
		if ix.Unique && ix.Predicate == nil {
			for _, p := range iw.parts {
				w.keyAttrs[p.attr] = true
			}
		}
	}
	if err := w.prepareExprs(); err != nil {
		return err
	}
	return w.prepareForeignKeys()
}

func (w *tableWriter) prepareExprs() error {
	for i := range w.rel.Columns {
		c := &w.rel.Columns[i]
		if c.Generated == 0 || c.Dropped {
			continue
		}
		e, err := w.st.stored(c.Default, w.rel)
		if err != nil {
			return err
		}
		w.generated = append(w.generated, assigned{i, e})
	}
	for i := range w.rel.Constraints {
		c := &w.rel.Constraints[i]
		if c.Kind != 'c' {
			continue
		}
		e, err := w.st.stored(c.Expr, w.rel)
		if err != nil {
			return err
		}
		w.checks = append(w.checks, check{c.Name, e})
	}
	slices.SortFunc(w.checks, func(a, b check) int { return cmp.Compare(a.name, b.name) })
	return nil
}

// stored compiles an expression of the catalog; rel is the table of the row that it is computed from, if any.
func (st *state) stored(encoded []byte, rel *catalog.Relation) (expr, error) {
	e, err := st.rt.Binder.DecodeExpr(encoded)
	if err != nil {
		return nil, err
	}
	e = ownRow(e, rel)
	if st.again != nil && !repeatable(e) {
		st.again.captured = true
	}
	return st.compile(e)
}

// ownRow replaces what an expression over a table's row has beside columns: the row as a whole, and tableoid.
func ownRow(e plan.Expr, rel *catalog.Relation) plan.Expr {
	if e == nil {
		return nil
	}
	return plan.Rewrite(e, func(x plan.Expr) plan.Expr {
		v, ok := x.(*plan.Var)
		switch {
		case !ok || v.Level != 0 || rel == nil:
		case v.Attr == plan.AttrTableOID:
			return &plan.Const{Base: v.Base, Value: column.IntDatum(int64(rel.OID))}
		case v.Attr == plan.AttrWholeRow:
			row := &plan.RowOf{Base: v.Base}
			for i := range rel.Columns {
				c := &rel.Columns[i]
				typ := plan.Type{OID: c.Type, Typmod: c.Typmod, Collation: c.Collation}
				row.Names = append(row.Names, c.Name)
				if c.Dropped {
					row.Args = append(row.Args, nullConst(typ))
				} else {
					row.Args = append(row.Args, &plan.Var{Base: plan.Base{Typ: typ, Pos: -1}, Attr: i})
				}
			}
			return row
		}
		return x
	})
}

// complete computes generated columns and checks the row's constraints.
func (w *tableWriter) complete(vals []column.Datum) error {
	w.r = row{vals: vals}
	for _, g := range w.generated {
		vals[g.attr] = column.Null()
	}
	for _, g := range w.generated {
		d, err := g.expr.row(&w.r)
		if err != nil {
			return err
		}
		vals[g.attr] = d
	}
	for i := range w.rel.Columns {
		if c := &w.rel.Columns[i]; c.NotNull && vals[i].Null && !c.Dropped {
			return w.notNull(c, vals)
		}
	}
	for _, c := range w.checks {
		d, err := c.expr.row(&w.r)
		if err != nil {
			return err
		}
		if !d.Null && d.I == 0 {
			return w.checkViolation(c.name, vals)
		}
	}
	return nil
}

// storageKey appends the storage key of a new row.
func (w *tableWriter) storageKey(dst []byte, vals []column.Datum) ([]byte, error) {
	if len(w.key) > 0 {
		return encodeRow(dst, w.key, vals), nil
	}
	id, err := w.rowID(1)
	if err != nil {
		return nil, err
	}
	return rowIDKey(dst, id), nil
}

// rowID returns the next row number, reserving ahead at least n of them.
func (w *tableWriter) rowID(n int64) (int64, error) {
	if w.nextID >= w.lastID {
		first, err := takeRowIDs(w.st.rt, w.store, n)
		if err != nil {
			return 0, err
		}
		w.nextID, w.lastID = first, first+n
	}
	w.nextID++
	return w.nextID - 1, nil
}

// insert adds a complete row and returns its storage key, valid until the next
// call. A unique key that is taken is a *duplicate.
func (w *tableWriter) insert(vals []column.Datum) ([]byte, error) {
	var err error
	if w.buf, err = w.storageKey(w.buf[:0], vals); err != nil {
		return nil, err
	}
	if w.bulk != nil {
		if err := w.insertBulk(vals); err != nil {
			return nil, err
		}
		w.access.Inserted++
		return w.buf, w.queueChild(nil, vals)
	}
	txn := w.st.rt.Txn
	if err := txn.Insert(w.st.rt.Context, w.store, w.buf, vals); err != nil {
		return nil, w.taken(err, w.keyIndex, w.key, vals)
	}
	w.access.Inserted++
	for _, ix := range w.indexes {
		if err := ix.insert(w, w.buf, vals); err != nil {
			return nil, err
		}
	}
	return w.buf, w.queueChild(nil, vals)
}

// claimIn is insert with only some of the table's indexes.
func (w *tableWriter) claimIn(indexes []OID, vals []column.Datum) error {
	key, err := w.storageKey(nil, vals)
	if err != nil {
		return err
	}
	if w.keyIndex != nil && slices.Contains(indexes, w.keyIndex.OID) {
		if err := w.st.rt.Txn.Insert(w.st.rt.Context, w.store, key, vals); err != nil {
			return w.taken(err, w.keyIndex, w.key, vals)
		}
	}
	for _, ix := range w.indexes {
		if !slices.Contains(indexes, ix.ix.OID) {
			continue
		}
		if err := ix.insert(w, key, vals); err != nil {
			return err
		}
	}
	return nil
}

// update replaces the row under oldKey, which is locked, and returns its new storage key.
func (w *tableWriter) update(oldKey []byte, old, vals []column.Datum) ([]byte, error) {
	txn := w.st.rt.Txn
	w.buf = append(w.buf[:0], oldKey...)
	moved := false
	if len(w.key) > 0 {
		w.buf = encodeRow(w.buf[:0], w.key, vals)
		moved = string(w.buf) != string(oldKey)
	}
	newKey := w.buf
	var err error
	if moved {
		if err = txn.Delete(w.store, oldKey, newKey); err == nil {
			err = txn.Insert(w.st.rt.Context, w.store, newKey, vals)
		}
	} else {
		err = txn.Put(w.store, newKey, vals)
	}
	if err != nil {
		return nil, w.taken(err, w.keyIndex, w.key, vals)
	}
	w.access.Updated++
	for _, ix := range w.indexes {
		if err := ix.update(w, oldKey, newKey, old, vals); err != nil {
			return nil, err
		}
	}
	if err := w.queueChild(old, vals); err != nil {
		return nil, err
	}
	return newKey, w.queueParent(old, vals)
}

// delete removes the row under key, which is locked.
func (w *tableWriter) delete(key []byte, old []column.Datum) error {
	if err := w.st.rt.Txn.Delete(w.store, key, nil); err != nil {
		return err
	}
	w.access.Deleted++
	for _, ix := range w.indexes {
		if err := ix.remove(w, key, old); err != nil {
			return err
		}
	}
	return w.queueParent(old, nil)
}

// uniqueAttrs are the attributes of the storage key and of unique keys, as far as keys of
// writers that only lock are known by their table's descriptor.
func (w *tableWriter) uniqueAttrs() map[int]bool {
	if w.keyAttrs == nil {
		w.keyAttrs = map[int]bool{}
		for _, n := range w.rel.StorageKey {
			w.keyAttrs[int(n)-1] = true
		}
		for _, ix := range w.st.rt.Catalog.IndexesOf(w.rel) {
			if !ix.Unique || ix.Predicate != nil {
				continue
			}
			for _, k := range ix.Keys {
				if k.Column > 0 {
					w.keyAttrs[int(k.Column)-1] = true
				}
			}
		}
	}
	return w.keyAttrs
}

// lockMode returns the row lock that an update of these attributes needs.
func (w *tableWriter) lockMode(set []assigned) engine.LockMode {
	for _, s := range set {
		if w.keyAttrs[s.attr] {
			return engine.Update
		}
	}
	return engine.NoKeyUpdate
}
