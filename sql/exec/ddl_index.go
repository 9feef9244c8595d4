package exec

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/itemkey"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// maxIndexKeys is PostgreSQL's limit on the columns of an index.
const maxIndexKeys = 32

// indexSpec is an index to be made.
type indexSpec struct {
	name        string
	method      string
	unique      bool
	primary     bool
	notDistinct bool
	immediate   bool
	face        bool // of the storage key: no store of its own
	keys        []catalog.IndexKey
	include     []int16
	predicate   []byte
	options     []string
	constraint  OID
	depends     []catalog.Dependency
	comment     string
	later       bool // filled by later transactions: not ready, not valid
}

// addIndex makes an index of the table. When the table has rows it waits to be filled.
func (w *tableWork) addIndex(s indexSpec) (*catalog.Index, error) {
	d, r := w.d, w.rel
	if len(s.keys)+len(s.include) > maxIndexKeys {
		return nil, pgerr.New(pgerr.TooManyColumns, "cannot use more than %d columns in an index", maxIndexKeys)
	}
	if s.name == r.Name || w.create && s.name == r.Name {
		return nil, pgerr.New(pgerr.DuplicateTable, "relation \"%s\" already exists", s.name)
	}
	if _, err := d.claimRelationName(r.Schema, s.name, false); err != nil {
		return nil, err
	}
	w.names[s.name] = true
	oid, err := d.view.NewOID()
	if err != nil {
		return nil, err
	}
	if s.method == "" {
		s.method = "btree"
	}
	uniqueAttributeNames(s.keys)
	i := &catalog.Index{
		Meta: catalog.Meta{OID: oid, Name: s.name, Schema: r.Schema, Owner: r.Owner, Depends: s.depends, Internal: s.constraint != 0,
			Comment: s.comment},
		Table: r.OID, Method: s.method, Unique: s.unique, NullsNotDistinct: s.notDistinct, Primary: s.primary,
		Immediate: s.immediate, Keys: s.keys, Include: s.include, Predicate: s.predicate, Valid: !s.later, NotReady: s.later,
		Options: s.options, Constraint: s.constraint,
	}
	r.Indexes = append(r.Indexes, oid)
	w.indexes = append(w.indexes, i)
	if s.face {
		return i, nil
	}
	i.Store, i.Retain = uint64(d.view.NewStore()), r.RetentionNumber()
	if err := d.makeIndexStore(r, i); err != nil {
		return nil, err
	}
	if !w.create && !s.later {
		w.unfilled = append(w.unfilled, i)
	}
	return i, nil
}

// uniqueAttributeNames numbers repeated names of an index's own attributes.
func uniqueAttributeNames(keys []catalog.IndexKey) {
	seen := map[string]bool{}
	for n := range keys {
		name := keys[n].Name
		for i := 1; seen[name]; i++ {
			suffix := fmt.Sprint(i)
			name = clip(keys[n].Name, maxName-len(suffix)) + suffix
		}
		seen[name] = true
		keys[n].Name = name
	}
}

// indexNamePart joins the column names of an index for its own name, no longer than a name.
func indexNamePart(keys []catalog.IndexKey, include []string) string {
	var b strings.Builder
	add := func(name string) {
		if b.Len() > 0 {
			b.WriteByte('_')
		}
		b.WriteString(name)
	}
	for _, k := range keys {
		if b.Len() >= maxName+1 {
			break
		}
		add(k.Name)
	}
	for _, name := range include {
		if b.Len() >= maxName+1 {
			break
		}
		add(name)
	}
	return b.String()
}

// createIndex makes an index and fills it, unless that is to be done CONCURRENTLY.
// Nil means that there is one of the name already.
func (d *ddl) createIndex(c *plan.CreateIndex) (*catalog.Index, error) {
	if err := d.mayOwnBefore(c.Table); err != nil {
		return nil, err
	}
	mode := engine.LockShare
	if c.Concurrently {
		mode = engine.LockShareUpdateExclusive
	}
	r, err := d.lockRelation(c.Table, mode)
	if err != nil {
		return nil, err
	}
	w := d.alter(r)
	s, err := w.indexSpecOf(c)
	if err != nil {
		return nil, err
	}
	if s.name == "" {
		s.name = d.relationNameFor(r.Name, indexNamePart(s.keys, c.Include), "idx", r.Schema, false, nil)
	} else if ok, err := d.claimRelationName(r.Schema, s.name, c.IfNotExists); !ok {
		return nil, err
	}
	s.later = c.Concurrently && r.Persistence != 't'
	i, err := w.addIndex(*s)
	if err != nil {
		return nil, err
	}
	return i, w.finishAlter()
}

// indexSpecOf resolves what CREATE INDEX asks for.
func (w *alterWork) indexSpecOf(c *plan.CreateIndex) (*indexSpec, error) {
	d, r := w.d, w.rel
	if r.Kind != catalog.KindTable && r.Kind != catalog.KindMatView {
		return nil, pgerr.New(pgerr.WrongObjectType, "cannot create index on relation \"%s\"", r.Name).
			WithDetail("This operation is not supported for %s.", kindPlural(r.Kind))
	}
	method := c.Method
	switch method {
	case "", "btree", "hash":
	case "gin":
		if err := ginOnly(c); err != nil {
			return nil, err
		}
	case "gist", "brin", "spgist":
		return nil, pgerr.Unsupported("access method \"%s\" is not supported", method)
	default:
		return nil, pgerr.New(pgerr.UndefinedObject, "access method \"%s\" does not exist", method)
	}
	if method == "hash" && c.Unique {
		return nil, pgerr.New(pgerr.FeatureNotSupported, "access method \"hash\" does not support unique indexes")
	}
	s := &indexSpec{name: c.Name, method: method, unique: c.Unique, notDistinct: c.NullsNotDistinct, immediate: true}
	for _, k := range c.Keys {
		if err := w.indexKey(s, k); err != nil {
			return nil, err
		}
	}
	var err error
	if s.include, err = w.includeColumns(c.Include); err != nil {
		return nil, err
	}
	if c.Where != nil {
		p, err := d.bind.Store(plan.StoredRequest{Kind: plan.StoredPredicate, Raw: c.Where, Table: w.rel})
		if err != nil {
			return nil, err
		}
		s.predicate, s.depends = p.Encoded, append(s.depends, p.Depends...)
	}
	if s.options, err = indexOptions(method, c.Options); err != nil {
		return nil, err
	}
	return s, nil
}

func kindPlural(k catalog.RelationKind) string {
	switch k {
	case catalog.KindView:
		return "views"
	case catalog.KindComposite:
		return "composite types"
	}
	return "tables"
}

// indexKey resolves one key of CREATE INDEX.
func (w *tableWork) indexKey(s *indexSpec, e plan.IndexElem) error {
	d := w.d
	k := catalog.IndexKey{Desc: e.Desc, NullsFirst: e.NullsFirst}
	if e.Expr == nil {
		c := columnNamed(w.rel, e.Column)
		if c == nil {
			if systemColumns[e.Column] {
				return pgerr.New(pgerr.FeatureNotSupported, "index creation on system columns is not supported")
			}
			return pgerr.New(pgerr.UndefinedColumn, "column \"%s\" does not exist", e.Column)
		}
		k.Column, k.Type, k.Collation, k.Name = c.Num, c.Type, c.Collation, c.Name
	} else {
		x, err := d.bind.Store(plan.StoredRequest{Kind: plan.StoredIndexKey, Raw: e.Expr, Table: w.rel})
		if err != nil {
			return err
		}
		k.Expr, k.Type, k.Collation, k.Name = x.Encoded, x.Type.OID, x.Type.Collation, "expr"
		if call, ok := x.Expr.(*plan.Call); ok && call.Op == 0 && call.Cast == plan.CastNone {
			k.Name = call.Func.Name
		}
		if v, ok := x.Expr.(*plan.Var); ok { // (column) is the column
			c := &w.rel.Columns[v.Attr]
			k.Column, k.Expr, k.Name = c.Num, nil, c.Name
		}
		s.depends = append(s.depends, x.Depends...)
	}
	if e.Collation != 0 {
		if t := d.env.Type(k.Type); t == nil || t.Collation == 0 {
			return pgerr.New(pgerr.DatatypeMismatch, "collations are not supported by type %s", d.env.FormatType(k.Type, -1))
		}
		k.Collation = e.Collation
	}
	if s.method == "gin" {
		err := d.itemClass(&k, e.OpClass)
		if err != nil {
			return err
		}
	} else if err := d.operatorClass(&k, e.OpClass); err != nil {
		return err
	}
	s.keys = append(s.keys, k)
	return nil
}

// operatorClass checks a key's operator class. Those that order by something else than the
// type's own order are refused; text_pattern_ops and its like are the order of bytes.
func (d *ddl) operatorClass(k *catalog.IndexKey, name string) error {
	if name == "" {
		return d.orderable(k.Type)
	}
	class := functions.OpclassByName(functions.BtreeAM, name)
	if class == nil {
		return pgerr.New(pgerr.UndefinedObject, "operator class \"%s\" does not exist for access method \"btree\"", name)
	}
	base, _ := d.env.BaseType(k.Type, -1)
	if class.InType != base && !functions.BinaryCoercible(d.env, base, class.InType) {
		return pgerr.New(pgerr.DatatypeMismatch, "operator class \"%s\" does not accept data type %s", name, d.env.FormatType(k.Type, -1))
	}
	if strings.HasSuffix(name, "_pattern_ops") {
		k.Declared, k.Collation = k.Collation, types.CCollation
	} else if !class.Default && name != "varchar_ops" {
		return pgerr.Unsupported("operator class \"%s\" is not supported", name)
	}
	k.OpClass = class.OID
	return nil
}

// ginOnly refuses what an index of the method gin cannot have.
func ginOnly(c *plan.CreateIndex) error {
	no := func(what string) error {
		return pgerr.New(pgerr.FeatureNotSupported, "access method \"gin\" does not support %s", what)
	}
	if c.Unique {
		return no("unique indexes")
	}
	if len(c.Include) > 0 {
		return no("included columns")
	}
	for _, k := range c.Keys {
		if k.Desc {
			return no("ASC/DESC options")
		}
		if k.NullsFirst {
			return no("NULLS FIRST/LAST options")
		}
	}
	return nil
}

// itemClass finds the operator class of a key of a gin index.
func (d *ddl) itemClass(k *catalog.IndexKey, name string) error {
	base, _ := d.env.BaseType(k.Type, -1)
	t := d.env.Type(base)
	isArray := t != nil && t.IsArray()
	class := functions.OpclassByName(functions.GinAM, name)
	if name == "" {
		switch {
		case isArray:
			class = functions.OpclassByName(functions.GinAM, "array_ops")
		case base == types.JSONBOID:
			class = functions.OpclassByName(functions.GinAM, "jsonb_ops")
		default:
			return pgerr.New(pgerr.UndefinedObject, "data type %s has no default operator class for access method \"gin\"", d.env.FormatType(k.Type, -1)).
				WithHint("You must specify an operator class for the index or define a default operator class for the data type.")
		}
	}
	switch {
	case class == nil:
		return pgerr.New(pgerr.UndefinedObject, "operator class \"%s\" does not exist for access method \"gin\"", name)
	case class.Name == "array_ops" && !isArray, strings.HasPrefix(class.Name, "jsonb_") && base != types.JSONBOID:
		return pgerr.New(pgerr.DatatypeMismatch, "operator class \"%s\" does not accept data type %s", name, d.env.FormatType(k.Type, -1))
	case class.Name == "tsvector_ops":
		return pgerr.Unsupported("operator class \"%s\" is not supported", name)
	case isArray:
		if err := d.orderable(t.Elem); err != nil {
			return err
		}
	}
	k.OpClass = class.OID
	return nil
}

// indexOptions are the storage parameters of a method.
func indexOptions(method string, opts []plan.Option) ([]string, error) {
	known := []string{"fillfactor", "deduplicate_items"}
	if method == "gin" {
		known = []string{"fastupdate", "gin_pending_list_limit"}
	}
	var list []string
	for _, o := range opts {
		if !slices.Contains(known, o.Name) {
			return nil, pgerr.New(pgerr.InvalidParameterValue, "unrecognized parameter \"%s\"", o.Name)
		}
		list = append(list, o.Name+"="+plan.OptionText(o.Value))
	}
	return list, nil
}

// fillIndex makes the entries of an index from the rows that its table has now.
func (d *ddl) fillIndex(r *catalog.Relation, i *catalog.Index) error {
	b, err := d.newEntryBuilder(r, i)
	if err != nil {
		return err
	}
	if b.bulk, err = d.rt.Txn.Bulk(engine.StoreID(i.Store)); err != nil {
		return err
	}
	defer b.bulk.Abort()
	if err := d.eachBatch(r, b.add); err != nil {
		return err
	}
	if err := b.duplicate(b.bulk.Finish(d.ctx)); err != nil || !i.Deferrable() {
		return err
	}
	return b.checkDeferrable()
}

// checkDeferrable looks for keys that stand twice in a new deferrable unique index.
func (b *entryBuilder) checkDeferrable() error {
	b.d.rt.Txn.NextCommand()
	snap := b.d.rt.Txn.Snapshot()
	defer snap.Close()
	it := snap.Scan(engine.StoreID(b.i.Store), engine.ScanOptions{Keys: true, Cols: []int{0}})
	defer it.Close()
	var batch column.Batch
	var last []byte
	for {
		ok, err := it.Next(&batch)
		if err != nil || !ok {
			return err
		}
		for n, key := range it.Keys() {
			storage := batch.Cols[0].Datum(batch.Row(n))
			prefix := key[:len(key)-len(storage.B)]
			if last != nil && bytes.Equal(prefix, last) {
				if err := b.duplicate(&engine.KeyExistsError{Row: []column.Datum{storage}}); err != nil {
					return err
				}
			}
			last = append(last[:0], prefix...)
		}
	}
}

// eachBatch reads all rows of a table, all attributes in order, with their storage keys.
func (d *ddl) eachBatch(r *catalog.Relation, fn func(rows *column.Batch, keys [][]byte) error) error {
	it := d.rt.Snapshot.Scan(engine.StoreID(r.Store), engine.ScanOptions{Keys: true})
	defer it.Close()
	var rows column.Batch
	for {
		ok, err := it.Next(&rows)
		if err != nil || !ok {
			return err
		}
		if err := d.rt.canceled(); err != nil {
			return err
		}
		if err := fn(&rows, it.Keys()); err != nil {
			return err
		}
	}
}

// entryBuilder computes and writes the entries of one index.
type entryBuilder struct {
	d      *ddl
	r      *catalog.Relation
	i      *catalog.Index
	parts  []expr
	encode []func(dst []byte, v column.Datum) []byte
	items  []*itemkey.Coder // of an index with an entry for each item
	cond   expr             // nil: every row
	bulk   *engine.BulkWriter
}

func (d *ddl) newEntryBuilder(r *catalog.Relation, i *catalog.Index) (*entryBuilder, error) {
	st := newState(d.rt, &plan.Statement{})
	b := &entryBuilder{d: d, r: r, i: i}
	for _, k := range i.Keys {
		var e plan.Expr
		if k.Column > 0 {
			c := &r.Columns[k.Column-1]
			e = &plan.Slot{Base: plan.Base{Typ: plan.Type{OID: c.Type, Typmod: c.Typmod, Collation: c.Collation}}, Index: int(k.Column) - 1}
		} else {
			var err error
			if e, err = d.bind.DecodeExpr(k.Expr); err != nil {
				return nil, err
			}
		}
		x, err := st.compile(ownRow(e, r))
		if err != nil {
			return nil, err
		}
		b.parts = append(b.parts, x)
		b.encode = append(b.encode, d.env.KeyEncoder(k.Type, k.Collation, k.Desc, k.NullsFirst))
	}
	var err error
	if b.items, err = itemkey.Coders(st.env, i); err != nil {
		return nil, err
	}
	if i.Predicate == nil {
		return b, nil
	}
	e, err := d.bind.DecodeExpr(i.Predicate)
	if err != nil {
		return nil, err
	}
	b.cond, err = st.compile(ownRow(e, r))
	return b, err
}

func (b *entryBuilder) add(rows *column.Batch, keys [][]byte) error {
	stored := b.i.Stored()
	row := make([]column.Datum, 1+len(stored))
	return b.each(rows, keys, func(key, storage []byte, r int32) error {
		row[0] = column.BytesDatum(storage)
		for n, num := range stored {
			row[n+1] = rows.Cols[num-1].Datum(int(r))
		}
		return b.duplicate(b.bulk.Append(key, row))
	})
}

// each calls fn with the key of each entry, where its row is, and the row's place
// in the batch. Key is valid during the call.
func (b *entryBuilder) each(rows *column.Batch, keys [][]byte, fn func(key, storage []byte, r int32) error) error {
	sel := make([]int32, 0, rows.Len())
	for n := range rows.Len() {
		sel = append(sel, int32(rows.Row(n)))
	}
	if b.cond != nil {
		v, err := b.cond.vec(rows, sel)
		if err != nil {
			return err
		}
		kept := sel[:0]
		for _, r := range sel {
			if v.Datum(lane(v, r)).Bool() {
				kept = append(kept, r)
			}
		}
		sel = kept
	}
	vecs := make([]*column.Vec, len(b.parts))
	for n, p := range b.parts {
		var err error
		if vecs[n], err = p.vec(rows, sel); err != nil {
			return err
		}
	}
	var key []byte
	for at, r := range sel {
		storage := keys[rowOrdinal(rows, sel, at)]
		if b.items != nil {
			for n, v := range vecs {
				for _, k := range b.items[n].KeysOf(v.Datum(lane(v, r))) {
					if err := fn(append(k, storage...), storage, r); err != nil {
						return err
					}
				}
			}
			continue
		}
		key = key[:0]
		null := false
		for n, v := range vecs {
			value := v.Datum(lane(v, r))
			null = null || value.Null
			key = b.encode[n](key, value)
		}
		if !b.i.Unique || b.i.Deferrable() || null && !b.i.NullsNotDistinct {
			key = append(key, storage...)
		}
		if err := fn(key, storage, r); err != nil {
			return err
		}
	}
	return nil
}

// lane returns where a vector holds a row: a constant's only row serves all.
func lane(v *column.Vec, r int32) int {
	if v.Len() == 1 {
		return 0
	}
	return int(r)
}

// rowOrdinal returns the ordinal of the at-th selected row among the batch's rows, by
// which the iterator lists keys.
func rowOrdinal(rows *column.Batch, sel []int32, at int) int {
	if rows.Sel == nil {
		return int(sel[at])
	}
	for n, r := range rows.Sel {
		if r == sel[at] {
			return n
		}
	}
	return at
}

// duplicate words the engine's report of a key that is taken. The entry in the way leads to
// its row, whose values are the key's.
func (b *entryBuilder) duplicate(err error) error {
	var exists *engine.KeyExistsError
	if !errors.As(err, &exists) {
		return err
	}
	row := make([]column.Datum, len(b.r.Columns))
	found, getErr := b.d.rt.Snapshot.Get(engine.StoreID(b.r.Store), exists.Row[0].B, nil, row)
	if getErr != nil || !found {
		return err
	}
	var batch column.Batch
	kinds := make([]column.Kind, len(row))
	for i := range row {
		kinds[i] = catalog.ColumnKind(b.d.env, &b.r.Columns[i])
	}
	batch.Reset(kinds...)
	batch.AppendRow(row)
	values := make([]column.Datum, len(b.parts))
	for n, p := range b.parts {
		v, evalErr := p.vec(&batch, []int32{0})
		if evalErr != nil {
			return evalErr
		}
		if values[n] = v.Datum(0); values[n].Null && !b.i.NullsNotDistinct {
			return nil // NULLs are distinct
		}
	}
	return pgerr.New(pgerr.UniqueViolation, "could not create unique index \"%s\"", b.i.Name).
		WithDetail("Key %s is duplicated.", b.d.keyText(b.r, b.i, values)).
		WithTable(b.d.view.SchemaName(b.r.Schema), b.r.Name).WithConstraint(b.i.Name)
}

// keyName returns a key of an index as messages show it: a column's name or an expression.
func keyName(rt *Runtime, r *catalog.Relation, k *catalog.IndexKey) string {
	if k.Column > 0 {
		return types.QuoteIdent(r.Columns[k.Column-1].Name)
	}
	bind, ok := rt.Binder.(DDLBinder)
	if !ok {
		return k.Name
	}
	e, err := bind.DecodeExpr(k.Expr)
	if err != nil {
		return k.Name
	}
	return bind.Deparse(e, r)
}

// keyText prints a key as (a, b)=(1, 2).
func (d *ddl) keyText(r *catalog.Relation, i *catalog.Index, values []column.Datum) string {
	var names, texts []string
	for n, k := range i.Keys {
		names = append(names, keyName(d.rt, r, &k))
		if values[n].Null {
			texts = append(texts, "null")
			continue
		}
		texts = append(texts, string(d.env.Out(nil, k.Type, values[n])))
	}
	return "(" + strings.Join(names, ", ") + ")=(" + strings.Join(texts, ", ") + ")"
}
