package functions

import (
	"github.com/omendb/omendb/engine/column"
)

// collectAggs gather their input into one value.
var collectAggs = map[string]func(c *Ctx) AggState{
	"string_agg(text,text)":   byRow(func(*Ctx) rowState { return &stringAgg{} }),
	"string_agg(bytea,bytea)": byRow(func(*Ctx) rowState { return &stringAgg{} }),
	"array_agg(anynonarray)":  byRow(func(c *Ctx) rowState { return &listAgg{kind: c.Env.Kind(c.argType(0)), finish: finishArray} }),
	"array_agg(anyarray)":     byRow(func(*Ctx) rowState { return &arrayStack{} }),
}

// stringAgg joins texts; the first delimiter is left out.
type stringAgg struct {
	out    []byte
	filled bool
}

func (s *stringAgg) add(_ *Ctx, a []column.Datum) error {
	if a[0].Null {
		return nil
	}
	if s.filled && !a[1].Null {
		s.out = append(s.out, a[1].B...)
	}
	s.filled = true
	s.out = append(s.out, a[0].B...)
	if len(s.out) > maxText {
		return tooLong()
	}
	return nil
}

func (s *stringAgg) result(*Ctx, []column.Datum) (column.Datum, error) {
	return column.Datum{B: s.out, Null: !s.filled}.Clone(), nil
}

func (s *stringAgg) size() int64 { return int64(64 + cap(s.out)) }

// listAgg keeps every value, NULLs included.
type listAgg struct {
	kind   column.Kind
	list   []column.Datum
	held   int64
	finish func(c *Ctx, list []column.Datum) (column.Datum, error)
}

func (s *listAgg) add(_ *Ctx, a []column.Datum) error {
	d := column.Datum{I: a[0].I, Null: a[0].Null}
	if s.kind == column.Bytes {
		d = a[0].Clone()
		if d.B == nil {
			d.B = []byte{}
		}
	}
	s.list = append(s.list, d)
	s.held += int64(48 + len(d.B))
	return nil
}

func (s *listAgg) result(c *Ctx, _ []column.Datum) (column.Datum, error) {
	if len(s.list) == 0 {
		return nullResult()
	}
	return s.finish(c, s.list)
}

func (s *listAgg) size() int64 { return 64 + s.held }
