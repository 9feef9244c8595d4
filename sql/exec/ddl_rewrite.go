package exec

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// finishAlter stores the changed table and brings its rows and indexes into line.
func (w *alterWork) finishAlter() error {
	if w.rel == nil {
		return nil
	}
	if err := w.d.checkRetention(w.rel); err != nil {
		return err
	}
	if err := w.bindDefaults(); err != nil {
		return err
	}
	d := w.d
	if w.rel.Store != 0 {
		d.step()
		if err := w.checkNotNull(); err != nil {
			return err
		}
	}
	var err error
	switch {
	case w.rel.Store == 0:
		err = w.save()
	case w.rewrite:
		err = w.rewriteRows()
	default:
		err = w.keepRows()
	}
	if err != nil {
		return err
	}
	for _, fn := range w.later {
		if err := fn(); err != nil {
			return err
		}
	}
	return nil
}

// keepRows stores the descriptors, fills new indexes and checks new constraints.
func (w *alterWork) keepRows() error {
	d := w.d
	if len(w.rel.Columns) != len(w.old.Columns) {
		if err := d.rt.Txn.AlterStore(catalog.TableStore(d.env, w.rel)); err != nil {
			return err
		}
	}
	if err := w.retype(d.view.IndexesOf(w.old), false); err != nil {
		return err
	}
	if err := w.save(); err != nil {
		return err
	}
	d.step()
	for _, i := range w.unfilled {
		if err := d.fillIndex(w.rel, i); err != nil {
			return err
		}
	}
	if err := w.changeRetention(); err != nil {
		return err
	}
	return w.checkRows()
}

// retype gives existing indexes the new types of their columns, and with fresh new stores.
func (w *alterWork) retype(indexes []*catalog.Index, fresh bool) error {
	d := w.d
	for _, i := range indexes {
		if slices.ContainsFunc(w.indexes, func(n *catalog.Index) bool { return n.OID == i.OID }) {
			continue
		}
		changed := fresh
		next := *i
		if r := w.rebound[i.OID]; r != nil {
			next = *r
		}
		next.Keys = slices.Clone(next.Keys)
		for n := range next.Keys {
			k := &next.Keys[n]
			if _, ok := w.exprs[k.Column]; ok {
				c := &w.rel.Columns[k.Column-1]
				k.Type, k.Collation, changed = c.Type, c.Collation, true
			}
		}
		if !changed {
			continue
		}
		if err := d.view.LockObject(d.ctx, catalog.ClassIndex, i.OID); err != nil {
			return err
		}
		if fresh {
			next.Store, next.Retain = 0, w.rel.RetentionNumber()
			if !w.isFace(&next) {
				next.Store = uint64(d.view.NewStore())
				if err := d.rt.Txn.CreateStore(catalog.IndexStore(d.env, w.rel, &next)); err != nil {
					return err
				}
			}
		}
		w.indexes = append(w.indexes, &next)
	}
	return nil
}

// isFace reports whether an index is the face of the storage key.
func (w *alterWork) isFace(i *catalog.Index) bool {
	if !i.Primary || !i.Immediate || len(i.Keys) != len(w.rel.StorageKey) {
		return false
	}
	for n, k := range i.Keys {
		if k.Column != w.rel.StorageKey[n] {
			return false
		}
	}
	return true
}

// rewriteRows writes every row anew: with new values, under new keys, into new stores.
func (w *alterWork) rewriteRows() error {
	d := w.d
	oldIndexes := d.view.IndexesOf(w.old)
	w.rel.Store = uint64(d.view.NewStore())
	for i := range w.rel.Columns {
		c := &w.rel.Columns[i]
		if c.HasMissing && i < len(w.old.Columns) {
			c.Missing, c.HasMissing = column.Datum{}, false
		}
	}
	if err := d.rt.Txn.CreateStore(catalog.TableStore(d.env, w.rel)); err != nil {
		return err
	}
	if err := w.retype(oldIndexes, true); err != nil {
		return err
	}
	if err := w.save(); err != nil {
		return err
	}
	d.step()
	if err := w.moveRows(); err != nil {
		return err
	}
	d.rt.Txn.TransferReads(engine.StoreID(w.old.Store), engine.StoreID(w.rel.Store))
	if err := d.rt.Txn.DropStore(engine.StoreID(w.old.Store)); err != nil {
		return err
	}
	for _, i := range oldIndexes {
		if i.Store != 0 {
			d.rt.Txn.TransferReads(engine.StoreID(i.Store), engine.StoreID(w.rel.Store))
			if err := d.rt.Txn.DropStore(engine.StoreID(i.Store)); err != nil {
				return err
			}
		}
	}
	for i := range w.rel.Columns {
		c := &w.rel.Columns[i]
		c.Missing, c.HasMissing = column.Datum{}, false
	}
	return nil
}

// moveRows fills the new stores.
func (w *alterWork) moveRows() error {
	if w.keyed && len(w.rel.StorageKey) > 0 && len(w.values)+len(w.fill) == 0 && len(w.rel.Columns) == len(w.old.Columns) {
		return w.recluster()
	}
	st, err := w.rowPlan()
	if err != nil {
		return err
	}
	deferred := w.d.rt.Deferred // rows that were there before wait for nothing
	w.d.rt.Deferred = nil
	defer func() { w.d.rt.Deferred = deferred }()
	if _, err := w.d.insertRows(w.rel, st); err != nil {
		return w.rewriteError(err)
	}
	return nil
}

// recluster copies rows that stay as they are under their new keys, in one pass, and builds
// the other indexes from them.
func (w *alterWork) recluster() error {
	d := w.d
	bulk, err := d.rt.Txn.Bulk(engine.StoreID(w.rel.Store))
	if err != nil {
		return err
	}
	defer bulk.Abort()
	var encode []func([]byte, column.Datum) []byte
	for _, k := range catalog.StorageKeyOf(w.rel) {
		encode = append(encode, d.env.KeyEncoder(k.Type, k.Collation, k.Desc, k.NullsFirst))
	}
	var key []byte
	row := make([]column.Datum, len(w.rel.Columns))
	err = d.eachBatch(w.old, func(rows *column.Batch, _ [][]byte) error {
		for i := range rows.Len() {
			at := rows.Row(i)
			for c := range row {
				row[c] = rows.Cols[c].Datum(at)
			}
			key = key[:0]
			for n, num := range w.rel.StorageKey {
				key = encode[n](key, row[num-1])
			}
			if err := bulk.Append(key, row); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		err = bulk.Finish(d.ctx)
	}
	if err != nil {
		return w.keyTaken(err)
	}
	d.step()
	for _, i := range w.indexes {
		if i.Store != 0 {
			if err := d.fillIndex(w.rel, i); err != nil {
				return err
			}
		}
	}
	return w.checkRows()
}

// keyTaken words a duplicate of the new storage key.
func (w *alterWork) keyTaken(err error) error {
	var exists *engine.KeyExistsError
	if !errors.As(err, &exists) {
		return err
	}
	for _, i := range w.indexes {
		if i.Store != 0 || !i.Primary {
			continue
		}
		values := make([]column.Datum, len(i.Keys))
		for n, k := range i.Keys {
			values[n] = exists.Row[k.Column-1]
		}
		return pgerr.New(pgerr.UniqueViolation, "could not create unique index \"%s\"", i.Name).
			WithDetail("Key %s is duplicated.", w.d.keyText(w.rel, i, values)).
			WithTable(w.d.view.SchemaName(w.rel.Schema), w.rel.Name).WithConstraint(i.Name)
	}
	return err
}

// rewriteError words a violation as one of existing rows.
func (w *alterWork) rewriteError(err error) error {
	var e *pgerr.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code {
	case pgerr.UniqueViolation:
		next := *e
		next.Message = "could not create unique index \"" + e.Constraint + "\""
		next.Detail = strings.Replace(e.Detail, " already exists.", " is duplicated.", 1)
		return &next
	case pgerr.CheckViolation:
		if e.Constraint != "" && e.DataType == "" {
			return checkViolated(e.Constraint, w.rel)
		}
	}
	return err
}

func checkViolated(name string, r *catalog.Relation) error {
	return pgerr.New(pgerr.CheckViolation, "check constraint \"%s\" of relation \"%s\" is violated by some row", name, r.Name).WithConstraint(name)
}

// rowPlan computes the new rows from the old: first the old row with every attribute at its
// place, then the new values over it.
func (w *alterWork) rowPlan() (*plan.Statement, error) {
	scan := &plan.Scan{Table: w.old, Alias: w.old.Name}
	whole := &plan.Project{Input: scan}
	for i := range w.old.Columns {
		c := &w.old.Columns[i]
		typ := plan.Type{OID: c.Type, Typmod: c.Typmod, Collation: c.Collation}
		if c.Dropped {
			whole.Exprs = append(whole.Exprs, nullConst(typ))
		} else {
			whole.Exprs = append(whole.Exprs, &plan.Slot{Base: plan.Base{Typ: typ, Pos: -1}, Index: len(scan.Attrs)})
			scan.Attrs = append(scan.Attrs, i)
			scan.Columns = append(scan.Columns, plan.Column{Name: c.Name, Type: typ})
		}
		whole.Columns = append(whole.Columns, plan.Column{Name: c.Name, Type: typ})
	}
	next := &plan.Project{Input: whole}
	for i := range w.rel.Columns {
		c := &w.rel.Columns[i]
		typ := plan.Type{OID: c.Type, Typmod: c.Typmod, Collation: c.Collation}
		var e plan.Expr = &plan.Slot{Base: plan.Base{Typ: typ, Pos: -1}, Index: i}
		switch {
		case c.Dropped || c.Generated != 0:
			e = nullConst(typ)
		case w.values[i] != nil:
			e = w.values[i].Expr
		case w.fill[i] != nil:
			e = w.fill[i].Expr
		case i >= len(w.old.Columns) && c.HasMissing:
			e = &plan.Const{Base: plan.Base{Typ: typ, Pos: -1}, Value: c.Missing}
		case i >= len(w.old.Columns):
			e = nullConst(typ)
		}
		next.Exprs = append(next.Exprs, e)
		next.Columns = append(next.Columns, plan.Column{Name: c.Name, Type: typ})
	}
	return &plan.Statement{Root: next}, nil
}

func nullConst(t plan.Type) *plan.Const {
	return &plan.Const{Base: plan.Base{Typ: t, Pos: -1}, Value: column.Null()}
}

// checkNotNull looks for NULLs in columns that must hold none from now on. Columns that are
// filled while rows are written anew are checked there.
func (w *alterWork) checkNotNull() error {
	var nums []int16
	for _, n := range w.notNull {
		at := int(n) - 1
		c := &w.rel.Columns[at]
		if w.values[at] == nil && w.fill[at] == nil && c.Generated == 0 && !(at >= len(w.old.Columns) && c.HasMissing) {
			nums = append(nums, n)
		}
	}
	if len(nums) == 0 {
		return nil
	}
	return w.d.eachBatch(w.old, func(rows *column.Batch, _ [][]byte) error {
		for _, n := range nums {
			if int(n) > len(w.old.Columns) {
				if rows.Len() > 0 {
					return w.containsNull(n)
				}
				continue
			}
			for i := range rows.Len() {
				if rows.Cols[n-1].Null(rows.Row(i)) {
					return w.containsNull(n)
				}
			}
		}
		return nil
	})
}

func (w *alterWork) containsNull(n int16) error {
	name := w.rel.Columns[n-1].Name
	return pgerr.New(pgerr.NotNullViolation, "column \"%s\" of relation \"%s\" contains null values", name, w.rel.Name).
		WithTable(w.d.view.SchemaName(w.rel.Schema), w.rel.Name).WithColumn(name)
}

// checkRows tests new checks and foreign keys against all rows.
func (w *alterWork) checkRows() error {
	d := w.d
	if len(w.checks) > 0 {
		st := newState(d.rt, &plan.Statement{})
		conds := make([]expr, len(w.checks))
		for i, s := range w.checks {
			var err error
			if conds[i], err = st.compile(ownRow(s.Expr, w.rel)); err != nil {
				return err
			}
		}
		err := d.eachBatch(w.rel, func(rows *column.Batch, _ [][]byte) error {
			sel := presentRows(rows)
			for i, cond := range conds {
				v, err := cond.vec(rows, sel)
				if err != nil {
					return err
				}
				for _, r := range sel {
					if b := v.Datum(lane(v, r)); !b.Null && b.I == 0 {
						return checkViolated(w.checkOf[i], w.rel)
					}
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, name := range w.foreign {
		if err := d.checkForeignKey(w.rel, constraintNamed(w.rel, name)); err != nil {
			return err
		}
	}
	return nil
}

func presentRows(rows *column.Batch) []int32 {
	sel := make([]int32, rows.Len())
	for i := range sel {
		sel[i] = int32(rows.Row(i))
	}
	return sel
}

// foreignProbe looks keys up in the referenced table.
type foreignProbe struct {
	d      *ddl
	r, ref *catalog.Relation
	c      *catalog.Constraint
	store  engine.StoreID
	from   []int16 // referencing column of each key part
	encode []func(dst []byte, v column.Datum) []byte
	types  []*keyConversion
}

// checkForeignKey tests a foreign key against all rows of its table.
func (d *ddl) checkForeignKey(r *catalog.Relation, c *catalog.Constraint) error {
	ref, index := d.view.Relation(c.RefTable), d.view.Index(c.Index)
	p := &foreignProbe{d: d, r: r, ref: ref, c: c, store: engine.StoreID(index.Store)}
	if index.Store == 0 {
		p.store = engine.StoreID(ref.Store)
	}
	for _, k := range index.Keys {
		at := slices.Index(c.RefColumns, k.Column)
		from := c.Columns[at]
		p.from = append(p.from, from)
		p.encode = append(p.encode, d.env.KeyEncoder(k.Type, k.Collation, k.Desc, k.NullsFirst))
		p.types = append(p.types, conversion(d.env, r.Columns[from-1].Type, k.Type))
	}
	return d.eachBatch(r, p.batch)
}

func (p *foreignProbe) batch(rows *column.Batch, _ [][]byte) error {
	var key []byte
	for i := range rows.Len() {
		row, nulls, known := rows.Row(i), 0, true
		key = key[:0]
		for n, from := range p.from {
			v := rows.Cols[from-1].Datum(row)
			if v.Null {
				nulls++
				continue
			}
			if v, known = p.types[n].to(p.d.rt.Functions, v); !known {
				break
			}
			key = p.encode[n](key, v)
		}
		if nulls == len(p.from) || nulls > 0 && p.c.Match != 'f' {
			continue
		}
		if nulls > 0 {
			return p.violated("MATCH FULL does not allow mixing of null and nonnull key values.")
		}
		if !known { // no key of the referenced type equals it
			return p.missing(rows, row)
		}
		found, err := p.d.rt.Snapshot.Get(p.store, key, []int{}, nil)
		if err != nil {
			return err
		}
		if !found {
			return p.missing(rows, row)
		}
	}
	return nil
}

func (p *foreignProbe) violated(detail string) error {
	return pgerr.New(pgerr.ForeignKeyViolation, "insert or update on table \"%s\" violates foreign key constraint \"%s\"", p.r.Name, p.c.Name).
		WithDetail("%s", detail).WithTable(p.d.view.SchemaName(p.r.Schema), p.r.Name).WithConstraint(p.c.Name)
}

func (p *foreignProbe) missing(rows *column.Batch, row int) error {
	var names, values []string
	for _, num := range p.c.Columns {
		c := &p.r.Columns[num-1]
		names = append(names, c.Name)
		values = append(values, string(p.d.env.Out(nil, c.Type, rows.Cols[num-1].Datum(row))))
	}
	return p.violated("Key (" + strings.Join(names, ", ") + ")=(" + strings.Join(values, ", ") +
		") is not present in table \"" + p.ref.Name + "\".")
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
