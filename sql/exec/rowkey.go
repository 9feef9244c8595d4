package exec

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// rowKey encodes several values of a row so that the bytes order (and compare
// equal) as the values do.
type rowKey struct {
	exprs   []expr
	encoder []func(dst []byte, d column.Datum) []byte
	vecs    []*column.Vec
	r       row
}

// sortKey returns the key of an ordering, with directions and places of NULLs.
func (st *state) sortKey(keys []plan.SortKey) (*rowKey, error) {
	k := &rowKey{}
	for _, s := range keys {
		e, err := st.compile(s.Expr)
		if err != nil {
			return nil, err
		}
		t := s.Expr.ResultType()
		coll := s.Collation
		if coll == 0 {
			coll = t.Collation
		}
		typ := st.baseType(t.OID)
		if err := st.orderable(typ, s.Desc); err != nil {
			return nil, err
		}
		k.exprs = append(k.exprs, e)
		k.encoder = append(k.encoder, st.env.KeyEncoder(typ, coll, s.Desc, s.NullsFirst))
	}
	return k, nil
}

// equalKey returns the key of a list of expressions for hashing and equality.
func (st *state) equalKey(exprs []plan.Expr) (*rowKey, error) {
	keys := make([]plan.SortKey, len(exprs))
	for i, e := range exprs {
		keys[i] = plan.SortKey{Expr: e}
	}
	return st.sortKey(keys)
}

// of appends the key of row r of b to dst.
func (k *rowKey) of(b *column.Batch, r int32, dst []byte) ([]byte, error) {
	k.r.batch, k.r.at = b, int(r)
	for i, e := range k.exprs {
		d, err := e.row(&k.r)
		if err != nil {
			return nil, err
		}
		dst = k.encoder[i](dst, d)
	}
	return dst, nil
}

// keyColumns encodes key vectors: the values of one row of all of them.
type keyColumns struct {
	encoder []func(dst []byte, d column.Datum) []byte
}

func (st *state) keyColumns(types []plan.Type) (*keyColumns, error) {
	k := &keyColumns{}
	for _, t := range types {
		typ := st.baseType(t.OID)
		if err := st.orderable(typ, false); err != nil {
			return nil, err
		}
		k.encoder = append(k.encoder, st.env.KeyEncoder(typ, t.Collation, false, false))
	}
	return k, nil
}

func (k *keyColumns) of(vecs []*column.Vec, r int32, dst []byte) []byte {
	for i, v := range vecs {
		dst = k.encoder[i](dst, at(v, int(r)))
	}
	return dst
}

func exprTypes(exprs []plan.Expr) []plan.Type {
	out := make([]plan.Type, len(exprs))
	for i, e := range exprs {
		out[i] = e.ResultType()
	}
	return out
}

// prepare computes the key's values for the rows of b; at then encodes them row by row.
func (k *rowKey) prepare(b *column.Batch) error {
	if k.vecs == nil {
		k.vecs = make([]*column.Vec, len(k.exprs))
	}
	for i, e := range k.exprs {
		v, err := e.vec(b, b.Sel)
		if err != nil {
			return err
		}
		k.vecs[i] = v
	}
	return nil
}

// at appends the key of row r of the prepared batch.
func (k *rowKey) at(r int32, dst []byte) []byte {
	for i, v := range k.vecs {
		dst = k.encoder[i](dst, at(v, int(r)))
	}
	return dst
}

// orderable refuses types without an order, as PostgreSQL words it.
func (st *state) orderable(typ OID, desc bool) error {
	if st.env.Orderable(typ) {
		return nil
	}
	op := "<"
	if desc {
		op = ">"
	}
	return pgerr.New(pgerr.UndefinedFunction, "could not identify an ordering operator for type %s", typeName(st.env, typ)).
		WithHint("Use an explicit ordering operator or modify the query (operator %s is missing).", op)
}
