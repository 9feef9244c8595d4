package functions

import (
	"math"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// AggSort is one sort key of WITHIN GROUP, for hypothetical-set aggregates.
type AggSort struct {
	Type       OID
	Collation  OID
	Desc       bool
	NullsFirst bool
}

// orderedAggs are the ordered-set aggregates, whose rows come sorted, and the
// hypothetical-set ones.
var orderedAggs = map[string]func(c *Ctx) AggState{
	"percentile_disc(float8,anyelement)": ordered(func(c *Ctx, s *sortedValues, p column.Datum) (column.Datum, error) { return s.disc(p.Float()) }),
	"percentile_cont(float8,float8)": ordered(func(c *Ctx, s *sortedValues, p column.Datum) (column.Datum, error) {
		return s.cont(p.Float(), lerpFloat)
	}),
	"percentile_cont(float8,interval)": ordered(func(c *Ctx, s *sortedValues, p column.Datum) (column.Datum, error) {
		return s.cont(p.Float(), lerpInterval)
	}),
	"percentile_disc(_float8,anyelement)": ordered(func(c *Ctx, s *sortedValues, p column.Datum) (column.Datum, error) {
		return s.many(c, p, (*sortedValues).disc)
	}),
	"percentile_cont(_float8,float8)": ordered(func(c *Ctx, s *sortedValues, p column.Datum) (column.Datum, error) {
		return s.many(c, p, func(s *sortedValues, p float64) (column.Datum, error) { return s.cont(p, lerpFloat) })
	}),
	"percentile_cont(_float8,interval)": ordered(func(c *Ctx, s *sortedValues, p column.Datum) (column.Datum, error) {
		return s.many(c, p, func(s *sortedValues, p float64) (column.Datum, error) { return s.cont(p, lerpInterval) })
	}),
	"mode(anyelement)": ordered(func(c *Ctx, s *sortedValues, _ column.Datum) (column.Datum, error) { return s.mode(c) }),
	"rank(any)":        hypothetical(func(before, peers, rows, _ int64) column.Datum { return column.IntDatum(before + 1) }),
	"dense_rank(any)": hypothetical(func(_, _, _, groups int64) column.Datum {
		return column.IntDatum(groups + 1)
	}),
	"percent_rank(any)": hypothetical(func(before, _, rows, _ int64) column.Datum {
		if rows == 0 {
			return column.FloatDatum(0)
		}
		return column.FloatDatum(float64(before) / float64(rows))
	}),
	"cume_dist(any)": hypothetical(func(before, peers, rows, _ int64) column.Datum {
		return column.FloatDatum(float64(before+peers+1) / float64(rows+1))
	}),
}

// sortedValues keeps the values that are not NULL in the order they come. The
// aggregated argument is the last one, whether or not direct ones come along.
type sortedValues struct {
	list  []column.Datum
	held  int64
	final func(c *Ctx, s *sortedValues, direct column.Datum) (column.Datum, error)
}

func ordered(final func(c *Ctx, s *sortedValues, direct column.Datum) (column.Datum, error)) func(*Ctx) AggState {
	return byRow(func(*Ctx) rowState { return &sortedValues{final: final} })
}

func (s *sortedValues) add(_ *Ctx, a []column.Datum) error {
	if d := a[len(a)-1]; !d.Null {
		s.list = append(s.list, d.Clone())
		s.held += int64(48 + len(d.B))
	}
	return nil
}

func (s *sortedValues) result(c *Ctx, direct []column.Datum) (column.Datum, error) {
	p := column.Datum{}
	if len(direct) > 0 {
		p = direct[0]
	}
	if p.Null || len(s.list) == 0 {
		return nullResult()
	}
	return s.final(c, s, p)
}

func (s *sortedValues) size() int64 { return 64 + s.held }

func checkPercentile(p float64) error {
	if p >= 0 && p <= 1 {
		return nil
	}
	return pgerr.New(pgerr.NumericValueOutOfRange, "percentile value %g is not between 0 and 1", p)
}

func (s *sortedValues) disc(p float64) (column.Datum, error) {
	if err := checkPercentile(p); err != nil {
		return column.Datum{}, err
	}
	i := int(math.Ceil(p * float64(len(s.list))))
	return s.list[max(i, 1)-1], nil
}

func (s *sortedValues) cont(p float64, lerp func(lo, hi column.Datum, part float64) (column.Datum, error)) (column.Datum, error) {
	if err := checkPercentile(p); err != nil {
		return column.Datum{}, err
	}
	at := p * float64(len(s.list)-1)
	lo, hi := math.Floor(at), math.Ceil(at)
	if lo == hi {
		return s.list[int(lo)], nil
	}
	return lerp(s.list[int(lo)], s.list[int(hi)], at-lo)
}

// many computes a percentile for every element of an array.
func (s *sortedValues) many(c *Ctx, ps column.Datum, one func(s *sortedValues, p float64) (column.Datum, error)) (column.Datum, error) {
	a := types.ArrayFrom(ps)
	out := types.Array{Elem: elementType(c.Env, c.RetType), Dims: a.Dims, Elems: make([]column.Datum, len(a.Elems))}
	for i, p := range a.Elems {
		if p.Null {
			out.Elems[i] = p
			continue
		}
		d, err := one(s, p.Float())
		if err != nil {
			return d, err
		}
		out.Elems[i] = d
	}
	return c.Env.MakeArray(out), nil
}

func lerpFloat(lo, hi column.Datum, part float64) (column.Datum, error) {
	return floatResult(lo.Float() + part*(hi.Float()-lo.Float()))
}

func lerpInterval(lo, hi column.Datum, part float64) (column.Datum, error) {
	diff, err := types.IntervalFrom(hi).Sub(types.IntervalFrom(lo))
	if err != nil {
		return column.Datum{}, err
	}
	share, err := diff.Mul(part)
	if err != nil {
		return column.Datum{}, err
	}
	sum, err := share.Add(types.IntervalFrom(lo))
	return sum.Datum(), err
}

// mode returns the most frequent value, of several the first.
func (s *sortedValues) mode(c *Ctx) (column.Datum, error) {
	typ := c.RetType
	cmp := c.Env.Comparator(typ, c.Collation)
	best, bestRun := 0, 0
	for i := 0; i < len(s.list); {
		k := i + 1
		for k < len(s.list) && cmp(s.list[i], s.list[k]) == 0 {
			k++
		}
		if k-i > bestRun {
			best, bestRun = i, k-i
		}
		i = k
	}
	return s.list[best], nil
}

// hypotheticalSet keeps all rows; the direct arguments are the row to be ranked.
type hypotheticalSet struct {
	rows  [][]column.Datum
	held  int64
	final func(before, peers, rows, groups int64) column.Datum
}

func hypothetical(final func(before, peers, rows, groups int64) column.Datum) func(*Ctx) AggState {
	return byRow(func(*Ctx) rowState { return &hypotheticalSet{final: final} })
}

func (s *hypotheticalSet) add(_ *Ctx, a []column.Datum) error {
	row := make([]column.Datum, len(a))
	for i, d := range a {
		row[i] = d.Clone()
		s.held += int64(48 + len(d.B))
	}
	s.rows = append(s.rows, row)
	return nil
}

func (s *hypotheticalSet) result(c *Ctx, direct []column.Datum) (column.Datum, error) {
	var before, peers, groups int64
	var last []column.Datum
	for _, row := range s.rows {
		switch k := compareSorted(c, row, direct); {
		case k < 0:
			before++
			if last == nil || compareSorted(c, last, row) != 0 {
				groups++
			}
			last = row
		case k == 0:
			peers++
		}
	}
	return s.final(before, peers, int64(len(s.rows)), groups), nil
}

func (s *hypotheticalSet) size() int64 { return 64 + s.held }

// compareSorted compares two rows by the sort keys of the call.
func compareSorted(c *Ctx, a, b []column.Datum) int {
	for i, key := range c.AggOrder {
		if i >= len(a) || i >= len(b) {
			break
		}
		k := 0
		switch {
		case a[i].Null && b[i].Null:
		case a[i].Null || b[i].Null:
			if k = 1; a[i].Null == key.NullsFirst {
				k = -1
			}
		default:
			if k = c.Env.Compare(key.Type, key.Collation, a[i], b[i]); key.Desc {
				k = -k
			}
		}
		if k != 0 {
			return k
		}
	}
	return 0
}
