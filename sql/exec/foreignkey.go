package exec

import (
	"maps"
	"slices"
	"strings"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/keys"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
)

// childKey is a foreign key of a table that is written: its values must exist
// in the referenced table.
type childKey struct {
	con     *catalog.Constraint
	attrs   []int // of the referencing table
	parent  *catalog.Relation
	refs    []int          // attributes of the referenced table
	index   engine.StoreID // unique index behind the reference, 0 for the storage key
	parts   []keyPart      // of that index or the storage key, in its own order
	order   []int          // which foreign key column each part takes
	types   []*keyConversion
	pending map[string][]column.Datum
}

// parentKey is a foreign key that points at a table that is written.
type parentKey struct {
	child *catalog.Relation
	con   *catalog.Constraint
	attrs []int            // of the referencing table
	refs  []int            // of the referenced table
	back  []*keyConversion // from the referenced to the referencing columns
	there []*keyConversion // and from those to the referenced ones
}

func (st *state) parentKey(parent, child *catalog.Relation, con *catalog.Constraint) *parentKey {
	k := &parentKey{child: child, con: con, attrs: attrsOf(con.Columns), refs: attrsOf(con.RefColumns)}
	k.back = conversions(st.env, parent, k.refs, child, k.attrs)
	k.there = conversions(st.env, child, k.attrs, parent, k.refs)
	return k
}

func attrsOf(nums []int16) []int {
	out := make([]int, len(nums))
	for i, n := range nums {
		out[i] = int(n) - 1
	}
	return out
}

func (w *tableWriter) prepareForeignKeys() error {
	cat := w.st.rt.Catalog
	for i := range w.rel.Constraints {
		c := &w.rel.Constraints[i]
		if c.Kind != 'f' {
			continue
		}
		k, err := w.st.childKey(w.rel, c)
		if err != nil {
			return err
		}
		w.children = append(w.children, k)
	}
	for _, f := range cat.ReferencedBy(w.rel.OID) {
		w.parents = append(w.parents, w.st.parentKey(w.rel, f.Table, f.Constraint))
	}
	return nil
}

func (st *state) childKey(child *catalog.Relation, c *catalog.Constraint) (*childKey, error) {
	k := &childKey{con: c, attrs: attrsOf(c.Columns), refs: attrsOf(c.RefColumns), parent: st.rt.Catalog.Relation(c.RefTable), pending: map[string][]column.Datum{}}
	if k.parent == nil {
		return nil, pgerr.New(pgerr.UndefinedTable, "relation with OID %d does not exist", c.RefTable)
	}
	k.types = conversions(st.env, child, k.attrs, k.parent, k.refs)
	if ix := st.rt.Catalog.Index(c.Index); ix != nil && ix.Store != 0 {
		k.index, k.parts = engine.StoreID(ix.Store), st.indexKey(ix)
	} else {
		k.parts = st.storageKey(k.parent)
	}
	for _, p := range k.parts {
		for i, a := range k.refs {
			if a == p.attr {
				k.order = append(k.order, i)
			}
		}
	}
	if len(k.order) != len(k.parts) || len(k.parts) != len(k.attrs) {
		return nil, pgerr.New(pgerr.InvalidForeignKey, "there is no unique constraint matching given keys for referenced table \"%s\"", k.parent.Name)
	}
	return k, nil
}

// values returns the foreign key's values in a row, nil when it refers to nothing.
func (k *childKey) values(vals []column.Datum) ([]column.Datum, bool) {
	out, nulls := make([]column.Datum, len(k.attrs)), 0
	for i, a := range k.attrs {
		out[i] = vals[a].Clone()
		if vals[a].Null {
			nulls++
		}
	}
	if nulls == len(out) || (nulls > 0 && k.con.Match != 'f') {
		return nil, false
	}
	return out, nulls > 0
}

// queueChild notes the references of a new row, to be checked when the statement ends.
func (w *tableWriter) queueChild(old, vals []column.Datum) error {
	for _, k := range w.children {
		if old != nil && sameAt(old, vals, k.attrs) {
			continue
		}
		ref, partial := k.values(vals)
		if ref == nil {
			continue
		}
		if d := w.st.rt.Deferred; d != nil && d.defers(k.con) {
			d.child(w.rel.OID, k.con.OID, ref)
			continue
		}
		if partial {
			return k.mixed(w)
		}
		k.pending[k.same(w.st, ref)] = ref
	}
	return nil
}

// mixed is the error of a reference that is NULL in part where that is not allowed.
func (k *childKey) mixed(w *tableWriter) error {
	return pgerr.New(pgerr.ForeignKeyViolation, "insert or update on table \"%s\" violates foreign key constraint \"%s\"", w.rel.Name, k.con.Name).
		WithDetail("MATCH FULL does not allow mixing of null and nonnull key values.").
		WithTable(w.schema(), w.rel.Name).WithConstraint(k.con.Name)
}

func sameAt(a, b []column.Datum, attrs []int) bool {
	for _, i := range attrs {
		if !sameDatum(a[i], b[i]) {
			return false
		}
	}
	return true
}

// same returns what is equal for references to one row.
func (k *childKey) same(st *state, ref []column.Datum) string {
	if key, ok := convertKey(st.rt.Functions, k.types, ref); ok {
		return string(k.encode(key))
	}
	return "" // to none: one of them is enough for the error
}

// encode returns the key under which the referenced row is found.
func (k *childKey) encode(ref []column.Datum) []byte {
	var key []byte
	for i, p := range k.parts {
		key = p.encode(key, ref[k.order[i]])
	}
	return key
}

// verifyAll is verify for many references, by their encoded keys: the rows are
// looked up in batches, in the order of keys.
func (k *childKey) verifyAll(st *state, rel *catalog.Relation, pending map[string][]column.Datum, snap *engine.Snapshot) error {
	for part := range slices.Chunk(slices.Sorted(maps.Keys(pending)), st.rt.batchSize()) {
		keys, err := k.referenced(st, rel, part, pending, snap)
		if err != nil {
			return err
		}
		for i, key := range keys {
			if err := k.lock(st, rel, pending[part[i]], key, snap); err != nil {
				return err
			}
		}
	}
	return nil
}

// referenced returns the storage keys of the rows that references lead to,
// which all must exist.
func (k *childKey) referenced(st *state, rel *catalog.Relation, encoded []string, pending map[string][]column.Datum, snap *engine.Snapshot) ([][]byte, error) {
	keys, found := make([][]byte, len(encoded)), make([]bool, len(encoded))
	for i, e := range encoded {
		if e == "" { // no row can have such values
			return nil, k.violated(st, rel, pending[e])
		}
		keys[i] = []byte(e)
	}
	read := func(store engine.StoreID, cols []int) (column.Vec, error) {
		var rows column.Batch
		if err := snap.GetBatch(store, keys, cols, &rows, found); err != nil {
			return column.Vec{}, err
		}
		if i := slices.Index(found, false); i >= 0 {
			return column.Vec{}, k.violated(st, rel, pending[encoded[i]])
		}
		if len(cols) == 0 {
			return column.Vec{}, nil
		}
		return rows.Cols[0], nil
	}
	if k.index != 0 {
		entries, err := read(k.index, []int{0})
		if err != nil {
			return nil, err
		}
		for i := range keys {
			keys[i] = slices.Clone(entries.B[i])
		}
	}
	_, err := read(engine.StoreID(k.parent.Store), []int{})
	return keys, err
}

// verify locks the referenced row; without one the constraint is violated. A
// row that another transaction has not committed yet, or that a transaction
// with one snapshot does not see, is none.
func (k *childKey) verify(st *state, rel *catalog.Relation, ref []column.Datum, snap *engine.Snapshot) error {
	return k.verifyAll(st, rel, map[string][]column.Datum{k.same(st, ref): ref}, snap)
}

// lock locks the row that a reference leads to.
func (k *childKey) lock(st *state, rel *catalog.Relation, ref []column.Datum, key []byte, snap *engine.Snapshot) error {
	store := engine.StoreID(k.parent.Store)
	vals, _ := convertKey(st.rt.Functions, k.types, ref) // as the key was made
	res, err := st.rt.Txn.Lock(st.rt.Context, store, key, engine.KeyShare, engine.Wait, snap)
	parent := &tableWriter{st: st, rel: k.parent, store: store, kinds: make([]column.Kind, len(k.parent.Columns))}
	if err != nil {
		return parent.whileWaiting(lockedRowError(err), "locking", key)
	}
	if res.Status == engine.Updated && st.rt.Isolation != engine.ReadCommitted {
		_, err := st.sameKeys(parent, key, res.Row, snap)
		return err
	}
	state, _, err := st.settle(parent, res, key, engine.KeyShare, engine.Wait, func(newer []column.Datum, _ []byte) (bool, error) {
		return k.refersTo(st, newer, vals), nil
	})
	if err == nil && state == rowGone {
		return k.violated(st, rel, ref)
	}
	return lockedRowError(err)
}

// refersTo reports whether a row of the referenced table has the referenced values.
func (k *childKey) refersTo(st *state, parent, ref []column.Datum) bool {
	for i, a := range k.refs {
		c := &k.parent.Columns[a]
		if parent[a].Null || !st.env.Equal(st.baseType(c.Type), c.Collation, parent[a], ref[i]) {
			return false
		}
	}
	return true
}

func (k *childKey) violated(st *state, rel *catalog.Relation, ref []column.Datum) error {
	names, values := make([]string, len(k.attrs)), make([]string, len(k.attrs))
	for i, a := range k.attrs {
		names[i], values[i] = rel.Columns[a].Name, st.text(rel.Columns[a].Type, ref[i])
	}
	return pgerr.New(pgerr.ForeignKeyViolation, "insert or update on table \"%s\" violates foreign key constraint \"%s\"", rel.Name, k.con.Name).
		WithDetail("Key (%s)=(%s) is not present in table \"%s\".", strings.Join(names, ", "), strings.Join(values, ", "), k.parent.Name).
		WithTable(st.rt.Catalog.SchemaName(rel.Schema), rel.Name).WithConstraint(k.con.Name)
}

// parentEvent is a referenced key that went away: its row was deleted, or updated to new.
type parentEvent struct {
	writer   *tableWriter
	key      *parentKey
	old, new []column.Datum // the referenced columns; new is nil for a delete
	again    bool           // its action was done: does a row refer to the old key still?
}

// queueParent notes that referenced keys of a row are gone.
func (w *tableWriter) queueParent(old, vals []column.Datum) error {
	for _, k := range w.parents {
		if vals != nil && sameAt(old, vals, k.refs) {
			continue
		}
		ev := parentEvent{writer: w, key: k}
		null := false
		for _, a := range k.refs {
			ev.old = append(ev.old, old[a].Clone())
			null = null || old[a].Null
			if vals != nil {
				ev.new = append(ev.new, vals[a].Clone())
			}
		}
		if null {
			continue
		}
		action := k.con.OnDelete
		if vals != nil {
			action = k.con.OnUpdate
		}
		if d := w.st.rt.Deferred; d != nil && (action == 'a' || action == 0) && d.defers(k.con) {
			d.parent(w.rel.OID, k.child.OID, k.con.OID, ev.old)
			continue
		}
		w.st.events = append(w.st.events, ev)
	}
	return nil
}

// finishForeignKeys runs referential actions and checks references, and unique
// keys that may be checked late, when the statement's own changes are done. Actions may cause further ones.
func (st *state) finishForeignKeys() error {
	for {
		if !st.pendingKeys() {
			return nil
		}
		if err := st.lockForeignKeys(); err != nil {
			return err
		}
		st.rt.Txn.NextCommand()
		snap := st.rt.Txn.Snapshot()
		newest := snap
		if st.rt.Isolation != engine.ReadCommitted {
			newest = st.rt.Txn.LatestSnapshot()
		}
		err := st.checkForeignKeys(snap, newest)
		newest.Close()
		snap.Close()
		if err != nil {
			return err
		}
	}
}

func (st *state) pendingKeys() bool {
	if len(st.events) > 0 || len(st.uniques) > 0 {
		return true
	}
	for _, w := range st.writers {
		for _, k := range w.children {
			if len(k.pending) > 0 {
				return true
			}
		}
	}
	return false
}

// checkForeignKeys runs what is pending: new references are looked up as the
// transaction sees the table, lost keys in the newest state.
func (st *state) checkForeignKeys(snap, newest *engine.Snapshot) error {
	if err := st.checkUniques(); err != nil {
		return err
	}
	if events := st.events; len(events) > 0 {
		st.events, st.acted = nil, false
		var mine *engine.Snapshot
		defer func() {
			if mine != nil {
				mine.Close()
			}
		}()
		for i, ev := range events {
			if st.acted && ev.key != events[i-1].key { // another constraint may refer from the rows just changed
				st.acted = false
				st.rt.Txn.NextCommand()
				if mine != nil {
					mine.Close()
				}
				mine = st.rt.Txn.LatestSnapshot()
				newest = mine
			}
			if err := ev.run(st, newest); err != nil {
				return err
			}
			if err := st.rt.canceled(); err != nil {
				return err
			}
		}
		return nil // what the actions changed is checked with a new snapshot
	}
	for _, w := range st.writers {
		for _, k := range w.children {
			pending := k.pending
			k.pending = map[string][]column.Datum{}
			if err := k.verifyAll(st, w.rel, pending, snap); err != nil {
				return err
			}
		}
	}
	return nil
}

// run does what the constraint demands for the rows that refer to the old key.
func (ev *parentEvent) run(st *state, snap *engine.Snapshot) error {
	action := ev.key.con.OnDelete
	if ev.new != nil {
		action = ev.key.con.OnUpdate
	}
	child, err := st.writer(ev.key.child)
	if err != nil {
		return err
	}
	if ev.again {
		action = 'a'
	}
	switch action {
	case 'd': // the defaults may be the very key that is gone
		again := *ev
		again.again = true
		st.events = append(st.events, again)
		fallthrough
	case 'c', 'n':
		return ev.referring(st, child, snap, func(key []byte, old []column.Datum) error {
			return ev.act(st, child, snap, action, key, old)
		})
	}
	if action != 'r' {
		back, err := ev.writer.exists(snap, ev.key.refs, ev.old)
		if err != nil || back {
			return err // another row has the key by now
		}
	}
	return ev.referring(st, child, snap, func(key []byte, old []column.Datum) error {
		_, _, gone, err := ev.lockReferring(st, child, snap, engine.KeyShare, key, old)
		if err != nil || gone {
			return err
		}
		return ev.stillReferenced(st)
	})
}

// referring calls fn for the rows that refer to the old key.
func (ev *parentEvent) referring(st *state, child *tableWriter, snap *engine.Snapshot, fn func(key []byte, row []column.Datum) error) error {
	for _, t := range ev.key.there {
		if t == nil || !t.dense {
			continue
		}
		// Several values of the referring type equal the key: each row is asked.
		return child.rowsOf(snap, child.store, nil, nil, func(key []byte, row []column.Datum) error {
			if !ev.refers(st, row) {
				return nil
			}
			return fn(key, row)
		})
	}
	vals, ok := convertKey(st.rt.Functions, ev.key.back, ev.old)
	if !ok {
		return nil
	}
	return child.referring(snap, ev.key.attrs, vals, fn)
}

// refers reports whether a row of the referencing table has the old key.
func (ev *parentEvent) refers(st *state, row []column.Datum) bool {
	for i, a := range ev.key.attrs {
		v, ok := ev.key.there[i].to(st.rt.Functions, row[a])
		c := &ev.writer.rel.Columns[ev.key.refs[i]]
		if !ok || v.Null || !st.env.Equal(st.baseType(c.Type), c.Collation, v, ev.old[i]) {
			return false
		}
	}
	return true
}

// lockReferring locks a row that refers to the old key. It returns the newest
// version and its key, or that the row is gone or refers to something else by now.
func (ev *parentEvent) lockReferring(st *state, child *tableWriter, snap *engine.Snapshot, mode engine.LockMode, key []byte, old []column.Datum) (at []byte, row []column.Datum, gone bool, err error) {
	res, err := st.rt.Txn.Lock(st.rt.Context, child.store, key, mode, engine.Wait, snap)
	if err != nil {
		return nil, nil, false, lockedRowError(err)
	}
	at, row = key, old
	state, _, err := st.settle(child, res, key, mode, engine.Wait, func(newer []column.Datum, k []byte) (bool, error) {
		at, row = k, newer
		return ev.refers(st, newer), nil
	})
	return at, row, state == rowGone, lockedRowError(err)
}

// seen refuses to change a row that a transaction with one snapshot cannot see.
func (ev *parentEvent) seen(st *state, child *tableWriter, key []byte) error {
	if st.rt.Isolation == engine.ReadCommitted {
		return nil
	}
	own := st.rt.Txn.Snapshot()
	defer own.Close()
	ok, err := own.Get(child.store, key, []int{}, nil)
	if err == nil && ok {
		ok, err = st.rt.Txn.ChangedSince(child.store, key, own)
		ok = !ok
	}
	if err == nil && !ok {
		err = &engine.SerializationError{Reason: "concurrent update"}
	}
	return err
}

func (ev *parentEvent) stillReferenced(st *state) error {
	names, values := make([]string, len(ev.old)), make([]string, len(ev.old))
	rel := ev.writer.rel
	for i, a := range ev.key.refs {
		names[i], values[i] = rel.Columns[a].Name, st.text(rel.Columns[a].Type, ev.old[i])
	}
	child := ev.key.child
	return pgerr.New(pgerr.ForeignKeyViolation, "update or delete on table \"%s\" violates foreign key constraint \"%s\" on table \"%s\"", rel.Name, ev.key.con.Name, child.Name).
		WithDetail("Key (%s)=(%s) is still referenced from table \"%s\".", strings.Join(names, ", "), strings.Join(values, ", "), child.Name).
		WithTable(st.rt.Catalog.SchemaName(child.Schema), child.Name).WithConstraint(ev.key.con.Name)
}

// act deletes or changes one referring row.
func (ev *parentEvent) act(st *state, child *tableWriter, snap *engine.Snapshot, action byte, key []byte, old []column.Datum) error {
	mode := engine.NoKeyUpdate
	if action == 'c' && ev.new == nil {
		mode = engine.Update
	}
	for _, a := range ev.key.attrs {
		if child.keyAttrs[a] {
			mode = engine.Update
		}
	}
	if err := ev.seen(st, child, key); err != nil {
		return err
	}
	st.acted = true
	key, old, gone, err := ev.lockReferring(st, child, snap, mode, key, old)
	if err != nil || gone {
		return err
	}
	if action == 'c' && ev.new == nil {
		return child.delete(key, old)
	}
	vals := append([]column.Datum(nil), old...)
	set := ev.key.attrs
	if ev.new == nil && len(ev.key.con.SetColumns) > 0 {
		set = attrsOf(ev.key.con.SetColumns)
	}
	for i, a := range set {
		switch action {
		case 'c':
			if vals[a], err = st.assignKey(ev.new[i], &ev.writer.rel.Columns[ev.key.refs[i]], &child.rel.Columns[a]); err != nil {
				return err
			}
		case 'n':
			vals[a] = column.Null()
		default:
			if vals[a], err = child.defaultOf(a); err != nil {
				return err
			}
		}
	}
	if err := child.complete(vals); err != nil {
		return err
	}
	_, err = child.update(key, old, vals)
	return err
}

// defaultOf computes the default of an attribute.
func (w *tableWriter) defaultOf(attr int) (column.Datum, error) {
	c := &w.rel.Columns[attr]
	if c.Default == nil {
		return column.Null(), nil
	}
	e, err := w.st.stored(c.Default, nil)
	if err != nil {
		return column.Datum{}, err
	}
	return e.row(&row{})
}

// exists reports whether some row has the given values in unique attributes.
func (w *tableWriter) exists(snap *engine.Snapshot, attrs []int, vals []column.Datum) (bool, error) {
	found := false
	err := w.referring(snap, attrs, vals, func([]byte, []column.Datum) error { found = true; return nil })
	return found, err
}

// referring calls fn for the rows with the given values in attrs, found by
// storage key or an index that starts with them, or else by reading the table.
func (w *tableWriter) referring(snap *engine.Snapshot, attrs []int, vals []column.Datum, fn func(key []byte, row []column.Datum) error) error {
	value := map[int]column.Datum{}
	for i, a := range attrs {
		value[a] = vals[i]
	}
	if p, ok := prefixOf(w.key, value); ok {
		return w.rowsOf(snap, w.store, p, value, fn)
	}
	for _, ix := range w.indexes {
		if ix.pred != nil || !ix.ix.Valid {
			continue
		}
		if p, ok := prefixOf(ix.parts, value); ok {
			return w.rowsOf(snap, ix.store, p, value, fn)
		}
	}
	return w.rowsOf(snap, w.store, nil, value, fn)
}

// leadsTo reports whether the storage key or an index finds rows by their values in attrs.
func (w *tableWriter) leadsTo(attrs []int) bool {
	value := map[int]column.Datum{}
	for _, a := range attrs {
		value[a] = column.Null()
	}
	if _, ok := prefixOf(w.key, value); ok {
		return true
	}
	return slices.ContainsFunc(w.indexes, func(ix *indexWriter) bool {
		if ix.pred != nil || !ix.ix.Valid {
			return false
		}
		_, ok := prefixOf(ix.parts, value)
		return ok
	})
}

// prefixOf encodes the leading parts of a key when all values belong to them.
func prefixOf(parts []keyPart, value map[int]column.Datum) ([]byte, bool) {
	if len(parts) < len(value) {
		return nil, false
	}
	var key []byte
	for _, p := range parts[:len(value)] {
		d, ok := value[p.attr]
		if !ok {
			return nil, false
		}
		key = p.encode(key, d)
	}
	return key, true
}

type foundRow struct {
	key []byte
	row []column.Datum
}

func (w *tableWriter) rowsOf(snap *engine.Snapshot, store engine.StoreID, prefix []byte, value map[int]column.Datum, fn func([]byte, []column.Datum) error) error {
	opts := engine.ScanOptions{Keys: store == w.store}
	if store != w.store {
		opts.Cols = []int{0}
	}
	if prefix != nil {
		opts.Lower = prefix
		if end, ok := keys.PrefixEnd(nil, prefix); ok {
			opts.Upper = end
		}
	}
	it := snap.Scan(store, opts)
	defer it.Close()
	var b column.Batch
	for {
		ok, err := it.Next(&b)
		if err != nil || !ok {
			return err
		}
		var rows []foundRow // the batch is copied: fn may write
		for i := range b.Len() {
			r := b.Row(i)
			f := foundRow{row: make([]column.Datum, len(w.kinds))}
			if store == w.store {
				f.key = append(f.key, it.Keys()[r]...)
				for c := range f.row {
					f.row[c] = b.Cols[c].Datum(r).Clone()
				}
			} else {
				f.key = append(f.key, b.Cols[0].B[r]...)
				ok, err := snap.Get(w.store, f.key, nil, f.row)
				if err != nil {
					return err
				}
				if !ok {
					continue
				}
				for c := range f.row {
					f.row[c] = f.row[c].Clone()
				}
			}
			if w.rowHas(f.row, value) {
				rows = append(rows, f)
			}
		}
		for _, f := range rows {
			if err := fn(f.key, f.row); err != nil {
				return err
			}
		}
		if err := w.st.rt.canceled(); err != nil {
			return err
		}
	}
}

func (w *tableWriter) rowHas(vals []column.Datum, value map[int]column.Datum) bool {
	for a, d := range value {
		if vals[a].Null {
			return false
		}
		c := &w.rel.Columns[a]
		if !w.st.env.Equal(w.st.baseType(c.Type), c.Collation, vals[a], d) {
			return false
		}
	}
	return true
}
