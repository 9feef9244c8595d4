package exec

import (
	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/keys"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// keyPart encodes one column of a storage or index key.
type keyPart struct {
	attr   int // attribute index, -1 for an expression
	typ    OID
	coll   OID
	kind   column.Kind
	encode func(dst []byte, d column.Datum) []byte
}

func (st *state) keyPart(attr int, typ, coll OID, desc, nullsFirst bool) keyPart {
	base := st.baseType(typ)
	return keyPart{
		attr: attr, typ: typ, coll: coll, kind: st.env.Kind(typ),
		encode: st.env.KeyEncoder(base, coll, desc, nullsFirst),
	}
}

// storageKey returns the parts of a table's storage key; none for a hidden row id.
func (st *state) storageKey(rel *catalog.Relation) []keyPart {
	parts := make([]keyPart, len(rel.StorageKey))
	for i, num := range rel.StorageKey {
		c := &rel.Columns[num-1]
		parts[i] = st.keyPart(int(num)-1, c.Type, c.Collation, false, false)
	}
	return parts
}

// indexKey returns the parts of an index's key. The storage key itself has an
// index without a store.
func (st *state) indexKey(ix *catalog.Index) []keyPart {
	parts := make([]keyPart, len(ix.Keys))
	for i := range ix.Keys {
		k := &ix.Keys[i]
		parts[i] = st.keyPart(int(k.Column)-1, k.Type, k.Collation, k.Desc, k.NullsFirst)
	}
	return parts
}

// encodeRow appends the storage key of a row.
func encodeRow(dst []byte, parts []keyPart, row []column.Datum) []byte {
	for i := range parts {
		dst = parts[i].encode(dst, row[parts[i].attr])
	}
	return dst
}

// rowIDKey appends the storage key of a table without a declared one.
func rowIDKey(dst []byte, id int64) []byte { return keys.AppendInt(dst, id, 0) }

// rangeBound is a compiled end of a key range.
type rangeBound struct {
	exprs     []expr
	inclusive bool
}

// keyRange is a compiled key range.
type keyRange struct {
	parts        []keyPart
	lower, upper *rangeBound
}

func (st *state) keyRange(r *plan.KeyRange, parts []keyPart) (*keyRange, error) {
	if r == nil {
		return nil, nil
	}
	k := &keyRange{parts: parts}
	var err error
	if k.lower, err = st.rangeBound(r.Lower); err != nil {
		return nil, err
	}
	k.upper, err = st.rangeBound(r.Upper)
	return k, err
}

func (st *state) rangeBound(b *plan.Bound) (*rangeBound, error) {
	if b == nil {
		return nil, nil
	}
	exprs, err := st.compileAll(b.Exprs)
	return &rangeBound{exprs: exprs, inclusive: b.Inclusive}, err
}

// encode appends the bound's prefix; ok is false when a value is NULL: nothing
// compares with it.
func (b *rangeBound) encode(dst []byte, parts []keyPart) (out []byte, ok bool, err error) {
	for i, e := range b.exprs {
		d, err := e.row(&row{})
		if err != nil || d.Null {
			return dst, false, err
		}
		dst = parts[i].encode(dst, d)
	}
	return dst, true, nil
}

// bounds returns the half-open range of keys; empty tells that no key can be in it.
func (k *keyRange) bounds() (lower, upper []byte, empty bool, err error) {
	if k == nil {
		return nil, nil, false, nil
	}
	if k.lower != nil {
		p, ok, err := k.lower.encode(nil, k.parts)
		if err != nil || !ok {
			return nil, nil, true, err
		}
		lower = p
		if !k.lower.inclusive {
			if lower, ok = keys.PrefixEnd(nil, p); !ok {
				return nil, nil, true, nil
			}
		}
	}
	if k.upper == nil {
		return lower, nil, false, nil
	}
	p, ok, err := k.upper.encode(nil, k.parts)
	if err != nil || !ok {
		return nil, nil, true, err
	}
	upper = p
	if k.upper.inclusive {
		if upper, ok = keys.PrefixEnd(nil, p); !ok {
			upper = nil // the prefix is empty: no bound
		}
	}
	return lower, upper, upper != nil && lower != nil && string(lower) >= string(upper), nil
}

// fetch says how the wanted attributes of a table come about: stored columns
// are read, system attributes computed.
type fetch struct {
	st    *state
	rel   *catalog.Relation
	attrs []int
	cols  []int // stored columns to read
	from  []int // per output column: index into cols, or the system attribute
	kinds []column.Kind
	keys  bool // the storage key is wanted
	whole bool // the whole row is wanted

	writers    bool // xmin or xmax is wanted
	xmin, xmax []int64
	out        column.Batch
	mem        []byte // byte strings of the rows that were looked up last
}

func (st *state) fetch(rel *catalog.Relation, attrs []int) (*fetch, error) {
	f := &fetch{st: st, rel: rel, attrs: attrs}
	at := map[int]int{}
	read := func(a int) int {
		if i, ok := at[a]; ok {
			return i
		}
		at[a] = len(f.cols)
		f.cols = append(f.cols, a)
		return at[a]
	}
	f.cols = []int{}
	for _, a := range attrs {
		switch {
		case a >= 0:
			f.from = append(f.from, read(a))
			f.kinds = append(f.kinds, catalog.ColumnKind(st.env, &rel.Columns[a]))
			continue
		case a == plan.AttrKey:
			f.keys = true
			f.kinds = append(f.kinds, column.Bytes)
		case a == plan.AttrTableOID:
			f.kinds = append(f.kinds, column.Int)
		case a == plan.AttrWholeRow:
			f.whole = true
			f.kinds = append(f.kinds, column.Bytes)
		case rel.Kind == catalog.KindVirtual: // whose reader has them
			f.kinds = append(f.kinds, column.Int)
		case a == plan.AttrXmin || a == plan.AttrXmax:
			f.keys, f.writers = true, true
			f.kinds = append(f.kinds, column.Int)
		default:
			return nil, unsupportedSystemColumn(a)
		}
		f.from = append(f.from, a)
	}
	if f.whole {
		for i := range rel.Columns {
			read(i)
		}
	}
	return f, nil
}

// plain reports whether the read columns are the output as they are.
func (f *fetch) plain() bool {
	if len(f.from) != len(f.cols) {
		return false
	}
	for i, c := range f.from {
		if c != i {
			return false
		}
	}
	return true
}

// arrange makes the output batch from the read columns and their keys.
func (f *fetch) arrange(in *column.Batch, keys [][]byte) (*column.Batch, error) {
	if f.plain() {
		return in, nil
	}
	if f.writers {
		if err := f.readWriters(in, keys); err != nil {
			return nil, err
		}
	}
	for len(f.out.Cols) < len(f.from) {
		f.out.Cols = append(f.out.Cols, column.Vec{})
	}
	f.out.N, f.out.Sel = in.N, in.Sel
	for i, c := range f.from {
		v := &f.out.Cols[i]
		switch {
		case c >= 0:
			*v = in.Cols[c]
		case c == plan.AttrKey:
			*v = column.Vec{Kind: column.Bytes, B: keys}
		case c == plan.AttrTableOID:
			lane := make([]int64, in.N)
			for r := range lane {
				lane[r] = int64(f.rel.OID)
			}
			*v = column.Vec{Kind: column.Int, I: lane}
		case c == plan.AttrXmin:
			*v = column.Vec{Kind: column.Int, I: f.xmin}
		case c == plan.AttrXmax:
			*v = column.Vec{Kind: column.Int, I: f.xmax}
		default:
			*v = f.wholeRow(in)
		}
	}
	return &f.out, nil
}

// readWriters asks for the transactions behind the rows.
func (f *fetch) readWriters(in *column.Batch, keys [][]byte) error {
	f.xmin, f.xmax = make([]int64, in.N), make([]int64, in.N)
	for i := range in.Len() {
		r := in.Row(i)
		xmin, xmax, err := f.st.rt.Snapshot.Writers(engine.StoreID(f.rel.Store), keys[r])
		if err != nil {
			return err
		}
		f.xmin[r], f.xmax[r] = int64(uint32(xmin)), int64(uint32(xmax))
	}
	return nil
}

// wholeRow makes composite values of the rows.
func (f *fetch) wholeRow(in *column.Batch) column.Vec {
	var v column.Vec
	v.Reset(column.Bytes)
	at := make([]int, len(f.rel.Columns))
	for i, c := range f.cols {
		at[c] = i
	}
	fields := make([]types.Field, len(at))
	for r := range in.N {
		for a := range f.rel.Columns {
			fields[a] = types.Field{Type: f.rel.Columns[a].Type, Value: in.Cols[at[a]].Datum(r)}
			if f.rel.Columns[a].Dropped {
				fields[a].Type, fields[a].Value = types.TextOID, column.Null()
			}
		}
		v.Append(f.st.env.MakeRecord(fields))
	}
	return v
}
