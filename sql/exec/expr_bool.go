package exec

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/plan"
)

// logic is AND (stop is false) or OR (stop is true): the first argument that
// equals stop decides; otherwise NULL if any argument was.
type logic struct {
	args []expr
	stop int64
	out  column.Vec
	keep []int32
}

func (c *compiler) boolOp(e *plan.BoolOp) (expr, error) {
	args, err := c.list(e.Args)
	if err != nil {
		return nil, err
	}
	switch e.Op {
	case plan.And:
		return &logic{args: args}, nil
	case plan.Or:
		return &logic{args: args, stop: 1}, nil
	}
	return &not{arg: args[0]}, nil
}

func (e *logic) row(r *row) (column.Datum, error) {
	null := false
	for _, a := range e.args {
		d, err := a.row(r)
		if err != nil {
			return d, err
		}
		if d.Null {
			null = true
		} else if d.I == e.stop {
			return d, nil
		}
	}
	if null {
		return column.Null(), nil
	}
	return column.IntDatum(1 - e.stop), nil
}

func (e *logic) vec(b *column.Batch, sel []int32) (*column.Vec, error) {
	e.out.Resize(boolKind, b.N)
	open := selected(b, sel)
	for _, r := range open {
		e.out.I[r] = 1 - e.stop
	}
	for _, a := range e.args {
		v, err := a.vec(b, open)
		if err != nil {
			return nil, err
		}
		open = e.step(v, b.N, open)
		if len(open) == 0 {
			break
		}
	}
	return &e.out, nil
}

// step applies one argument to the rows that are still open.
func (e *logic) step(v *column.Vec, n int, open []int32) []int32 {
	if cap(e.keep) < n {
		e.keep = make([]int32, 0, n)
	}
	keep := e.keep[:0] // may be the memory of open: it is written behind the reader
	fixed := isConst(v, n)
	for _, r := range open {
		i := int(r)
		if fixed {
			i = 0
		}
		switch {
		case v.Null(i):
			e.out.Nulls.Set(int(r))
		case v.I[i] == e.stop:
			e.out.I[r] = e.stop
			e.out.Nulls.Clear(int(r))
			continue
		}
		keep = append(keep, r)
	}
	return keep
}

// not is NOT.
type not struct {
	arg expr
	out column.Vec
}

func (e *not) row(r *row) (column.Datum, error) {
	d, err := e.arg.row(r)
	if err != nil || d.Null {
		return d, err
	}
	return column.IntDatum(1 - d.I), nil
}

func (e *not) vec(b *column.Batch, sel []int32) (*column.Vec, error) {
	v, err := e.arg.vec(b, sel)
	if err != nil {
		return nil, err
	}
	e.out.Resize(boolKind, v.Len())
	e.out.Nulls = append(e.out.Nulls[:0], v.Nulls...)
	for i, x := range v.I {
		e.out.I[i] = 1 - x
	}
	return &e.out, nil
}

// nullTest is IS [NOT] NULL of a plain value.
type nullTest struct {
	arg expr
	not bool
	out column.Vec
}

func (c *compiler) nullTest(e *plan.NullTest) (expr, error) {
	arg, err := c.expr(e.Arg)
	if err != nil {
		return nil, err
	}
	if e.RowWise {
		return c.rowNullTest(e, arg)
	}
	return &nullTest{arg: arg, not: e.Not}, nil
}

func (e *nullTest) row(r *row) (column.Datum, error) {
	d, err := e.arg.row(r)
	return column.BoolDatum(d.Null != e.not), err
}

func (e *nullTest) vec(b *column.Batch, sel []int32) (*column.Vec, error) {
	v, err := e.arg.vec(b, sel)
	if err != nil {
		return nil, err
	}
	n := v.Len()
	e.out.Resize(boolKind, n)
	for i := range n {
		e.out.I[i] = 0
		if v.Null(i) != e.not {
			e.out.I[i] = 1
		}
	}
	return &e.out, nil
}

// boolTest is IS [NOT] TRUE, FALSE or UNKNOWN: the answers for true, false and NULL.
type boolTest struct {
	arg    expr
	answer [3]int64
	out    column.Vec
}

var boolTests = map[plan.BoolTestKind][3]int64{
	plan.IsTrue:       {1, 0, 0},
	plan.IsNotTrue:    {0, 1, 1},
	plan.IsFalse:      {0, 1, 0},
	plan.IsNotFalse:   {1, 0, 1},
	plan.IsUnknown:    {0, 0, 1},
	plan.IsNotUnknown: {1, 1, 0},
}

func (c *compiler) boolTest(e *plan.BoolTest) (expr, error) {
	arg, err := c.expr(e.Arg)
	if err != nil {
		return nil, err
	}
	return &boolTest{arg: arg, answer: boolTests[e.Kind]}, nil
}

func (e *boolTest) test(d column.Datum) int64 {
	switch {
	case d.Null:
		return e.answer[2]
	case d.I == 0:
		return e.answer[1]
	}
	return e.answer[0]
}

func (e *boolTest) row(r *row) (column.Datum, error) {
	d, err := e.arg.row(r)
	return column.IntDatum(e.test(d)), err
}

func (e *boolTest) vec(b *column.Batch, sel []int32) (*column.Vec, error) {
	v, err := e.arg.vec(b, sel)
	if err != nil {
		return nil, err
	}
	n := v.Len()
	e.out.Resize(boolKind, n)
	for i := range n {
		e.out.I[i] = e.test(v.Datum(i))
	}
	return &e.out, nil
}
