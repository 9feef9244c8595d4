package exec

import (
	"github.com/omendb/omendb/engine/column"
)

// expr is a compiled expression.
type expr interface {
	// vec computes the rows in sel (nil: all rows) of b. Row r of the answer
	// belongs to row r of b; an answer of length 1 is a constant. The answer is
	// valid until the next call and is not to be written.
	vec(b *column.Batch, sel []int32) (*column.Vec, error)
	// row computes one row.
	row(r *row) (column.Datum, error)
}

// row is the input of row-at-a-time evaluation: row at of a batch, or values.
type row struct {
	vals  []column.Datum
	batch *column.Batch
	at    int
}

func (r *row) slot(i int) column.Datum {
	if r.batch == nil {
		return r.vals[i]
	}
	return r.batch.Cols[i].Datum(r.at)
}

// identity lists the row numbers of a full batch; it is never written.
var identity = func() (s [column.BatchSize]int32) {
	for i := range s {
		s[i] = int32(i)
	}
	return s
}()

// allRows returns the selection of rows 0 to n-1, not to be written.
func allRows(n int) []int32 {
	if n <= len(identity) {
		return identity[:n]
	}
	s := make([]int32, n)
	for i := range s {
		s[i] = int32(i)
	}
	return s
}

func selected(b *column.Batch, sel []int32) []int32 {
	if sel == nil {
		return allRows(b.N)
	}
	return sel
}

// at returns row r of a vector that may be a constant.
func at(v *column.Vec, r int) column.Datum {
	if r >= v.Len() {
		r = 0
	}
	return v.Datum(r)
}

// isConst reports whether v holds one value for all n rows.
func isConst(v *column.Vec, n int) bool { return v.Len() == 1 && n != 1 }

// spread returns v with n rows: v itself, or its only row repeated in tmp.
func spread(v *column.Vec, n int, tmp *column.Vec) *column.Vec {
	if !isConst(v, n) {
		return v
	}
	d := v.Datum(0)
	tmp.Resize(v.Kind, n)
	if d.Null {
		for i := range n {
			tmp.Nulls.Set(i)
		}
		return tmp
	}
	switch v.Kind {
	case column.Int:
		for i := range tmp.I {
			tmp.I[i] = d.I
		}
	case column.Float:
		f := d.Float()
		for i := range tmp.F {
			tmp.F[i] = f
		}
	default:
		for i := range tmp.B {
			tmp.B[i] = d.B
		}
	}
	return tmp
}

// copyRows stores the rows sel of src into dst, which is long enough.
func copyRows(dst, src *column.Vec, sel []int32) {
	if src.Len() == 1 && (len(sel) != 1 || sel[0] != 0) {
		d := src.Datum(0)
		for _, r := range sel {
			dst.Set(int(r), d)
		}
		return
	}
	if len(src.Nulls) > 0 {
		for _, r := range sel {
			dst.Set(int(r), src.Datum(int(r)))
		}
		return
	}
	for _, r := range sel {
		dst.Nulls.Clear(int(r))
	}
	switch dst.Kind {
	case column.Int:
		for _, r := range sel {
			dst.I[r] = src.I[r]
		}
	case column.Float:
		for _, r := range sel {
			dst.F[r] = src.F[r]
		}
	default:
		for _, r := range sel {
			dst.B[r] = src.B[r]
		}
	}
}

// rowLoop gives an expression that only knows single rows a vector face.
type rowLoop struct {
	st   *state
	kind column.Kind
	eval func(r *row) (column.Datum, error)
	out  column.Vec
	r    row
	work int // since somebody looked whether the statement was cancelled
}

func (e *rowLoop) row(r *row) (column.Datum, error) { return e.eval(r) }

func (e *rowLoop) vec(b *column.Batch, sel []int32) (*column.Vec, error) {
	e.out.Resize(e.kind, b.N)
	e.r.batch = b
	for _, i := range selected(b, sel) {
		e.r.at = int(i)
		d, err := e.eval(&e.r)
		if err != nil {
			return nil, err
		}
		e.out.Set(int(i), d)
		if e.work += rowWork + byteWork*len(d.B); e.work >= workBetweenLooks {
			e.work = 0
			if err := e.st.rt.canceled(); err != nil {
				return nil, err
			}
		}
	}
	return &e.out, nil
}

// constant is a value known before the first row.
type constant struct {
	d column.Datum
	v column.Vec
}

func newConstant(k column.Kind, d column.Datum) *constant {
	c := &constant{d: d}
	setOne(&c.v, k, d)
	return c
}

// setOne makes v hold one value, with no more memory than that.
func setOne(v *column.Vec, k column.Kind, d column.Datum) {
	v.Reset(k)
	switch k {
	case column.Int:
		if v.I == nil {
			v.I = make([]int64, 0, 1)
		}
	case column.Float:
		if v.F == nil {
			v.F = make([]float64, 0, 1)
		}
	default:
		if v.B == nil {
			v.B = make([][]byte, 0, 1)
		}
	}
	v.Append(d)
}

func (c *constant) vec(*column.Batch, []int32) (*column.Vec, error) { return &c.v, nil }
func (c *constant) row(*row) (column.Datum, error)                  { return c.d, nil }

// slot reads a column of the input.
type slot struct{ index int }

func (s *slot) vec(b *column.Batch, _ []int32) (*column.Vec, error) { return &b.Cols[s.index], nil }
func (s *slot) row(r *row) (column.Datum, error)                    { return r.slot(s.index), nil }

// wrapped reads the lanes of an int4 as those of an oid, or the other way round.
type wrapped struct {
	arg  expr
	wrap func(int64) int64
	v    column.Vec
}

func (w *wrapped) row(r *row) (column.Datum, error) {
	d, err := w.arg.row(r)
	if err == nil && !d.Null {
		d.I = w.wrap(d.I)
	}
	return d, err
}

func (w *wrapped) vec(b *column.Batch, sel []int32) (*column.Vec, error) {
	in, err := w.arg.vec(b, sel)
	if err != nil {
		return nil, err
	}
	out := *in
	out.I = append(w.v.I[:0], in.I...)
	for i := range out.I {
		out.I[i] = w.wrap(out.I[i])
	}
	w.v = out
	return &w.v, nil
}

// execParam reads an executor parameter, which is the same for all rows of a batch.
type execParam struct {
	st   *state
	id   int
	kind column.Kind
	v    column.Vec
}

func (e *execParam) row(*row) (column.Datum, error) { return e.st.exec(e.id) }

func (e *execParam) vec(*column.Batch, []int32) (*column.Vec, error) {
	d, err := e.st.exec(e.id)
	if err != nil {
		return nil, err
	}
	setOne(&e.v, e.kind, d)
	return &e.v, nil
}

// once computes an expression without variables when it is first needed and
// remembers the answer.
type once struct {
	arg  expr
	kind column.Kind
	val  *constant
}

func (o *once) get() error {
	if o.val != nil {
		return nil
	}
	d, err := o.arg.row(&row{})
	if err != nil {
		return err
	}
	o.val = newConstant(o.kind, d.Clone())
	return nil
}

func (o *once) row(*row) (column.Datum, error) {
	if err := o.get(); err != nil {
		return column.Datum{}, err
	}
	return o.val.d, nil
}

func (o *once) vec(_ *column.Batch, sel []int32) (*column.Vec, error) {
	if err := o.get(); err != nil {
		return nil, err
	}
	return &o.val.v, nil
}

// cell is a value that an outer expression sets for an inner one: the operand
// of CASE, an array element, a domain's value, a subquery's column.
type cell struct {
	whole *column.Vec // the values of a batch; nil: one holds the value
	one   column.Datum
	v     column.Vec
	kind  column.Kind
}

func (c *cell) row(r *row) (column.Datum, error) {
	if c.whole != nil {
		return at(c.whole, r.at), nil
	}
	return c.one, nil
}

func (c *cell) vec(*column.Batch, []int32) (*column.Vec, error) {
	if c.whole != nil {
		return c.whole, nil
	}
	setOne(&c.v, c.kind, c.one)
	return &c.v, nil
}

// setVec makes the cell stand for the rows of a vector.
func (c *cell) setVec(v *column.Vec) { c.whole = v }

// setRow makes the cell stand for one value.
func (c *cell) setRow(d column.Datum) { c.whole, c.one = nil, d }
