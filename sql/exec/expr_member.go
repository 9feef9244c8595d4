package exec

import (
	"slices"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// shortList is the length up to which a list is compared element by element: a hash costs
// as much.
const shortList = 8

// member answers value = ANY (constant list) and value <> ALL (constant list).
type member struct {
	left   expr
	kind   column.Kind
	not    bool
	null   bool // the list has a NULL
	ints   []int64
	intSet map[int64]struct{} // not nil: the list is long
	keys   [][]byte
	keySet map[string]struct{}
	encode func(dst []byte, d column.Datum) []byte // nil: equal values have equal bytes
	buf    []byte
	out    column.Vec
}

// memberOf returns a member for an operation that it can answer, else nil.
func (c *compiler) memberOf(e *plan.ArrayOp, args []expr) expr {
	var list column.Datum
	switch k := args[1].(type) {
	case *constant:
		list = k.d
	case *once:
		if err := k.get(); err != nil {
			return nil // reported when a row needs it
		}
		list = k.val.d
	default:
		return nil
	}
	want := plan.Equal
	if e.All {
		want = plan.NotEqual
	}
	elem := elemOf(c.st, e.Right.ResultType().OID)
	if list.Null || comparisons[e.Func.Src] != want || types.ArrayLen(list) == 0 || !sameKeys(c.st, e.Left.ResultType().OID, elem) {
		return nil
	}
	m := &member{left: args[0], not: e.All, kind: c.st.env.Kind(elem)}
	if m.kind == column.Float || !c.st.env.EqualsBytes(e.InputColl) { // zero has two signs, NaN many forms
		m.encode = c.st.env.KeyEncoder(c.st.baseType(elem), e.InputColl, false, false)
	}
	m.add(types.ArrayFrom(list).Elems)
	return m
}

func (m *member) add(list []column.Datum) {
	for _, v := range list {
		switch {
		case v.Null:
			m.null = true
		case m.kind == column.Int:
			m.ints = append(m.ints, v.I)
		case m.encode != nil:
			m.keys = append(m.keys, m.encode(nil, v))
		default:
			m.keys = append(m.keys, v.B)
		}
	}
	if len(m.ints) > shortList {
		m.intSet = make(map[int64]struct{}, len(m.ints))
		for _, i := range m.ints {
			m.intSet[i] = struct{}{}
		}
	}
	if len(m.keys) > shortList {
		m.keySet = make(map[string]struct{}, len(m.keys))
		for _, k := range m.keys {
			m.keySet[string(k)] = struct{}{}
		}
	}
}

func (m *member) hasInt(i int64) bool {
	if m.intSet != nil {
		_, ok := m.intSet[i]
		return ok
	}
	return slices.Contains(m.ints, i)
}

func (m *member) hasKey(b []byte) bool {
	if m.keySet != nil {
		_, ok := m.keySet[string(b)]
		return ok
	}
	for _, k := range m.keys {
		if string(k) == string(b) {
			return true
		}
	}
	return false
}

func (m *member) test(d column.Datum) column.Datum {
	if d.Null {
		return d
	}
	var found bool
	switch {
	case m.kind == column.Int:
		found = m.hasInt(d.I)
	case m.encode != nil:
		m.buf = m.encode(m.buf[:0], d)
		found = m.hasKey(m.buf)
	default:
		found = m.hasKey(d.B)
	}
	if !found && m.null {
		return column.Null()
	}
	return column.BoolDatum(found != m.not)
}

func (m *member) row(r *row) (column.Datum, error) {
	d, err := m.left.row(r)
	return m.test(d), err
}

func (m *member) vec(b *column.Batch, sel []int32) (*column.Vec, error) {
	v, err := m.left.vec(b, sel)
	if err != nil {
		return nil, err
	}
	m.out.Resize(boolKind, b.N)
	rows := selected(b, sel)
	if m.encode != nil || m.null || len(v.Nulls) > 0 || isConst(v, b.N) {
		for _, r := range rows {
			m.out.Set(int(r), m.test(at(v, int(r))))
		}
		return &m.out, nil
	}
	yes, no := int64(1), int64(0)
	if m.not {
		yes, no = no, yes
	}
	for _, r := range rows {
		found := false
		if m.kind == column.Int {
			found = m.hasInt(v.I[r])
		} else {
			found = m.hasKey(v.B[r])
		}
		if found {
			m.out.I[r] = yes
		} else {
			m.out.I[r] = no
		}
	}
	return &m.out, nil
}
