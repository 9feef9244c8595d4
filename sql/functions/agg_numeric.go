package functions

import (
	"math/big"
	"math/bits"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/types"
)

// numericAggs are the sums, averages and variances whose result is numeric.
var numericAggs = map[string]func(c *Ctx) AggState{
	"sum(int8)":    func(*Ctx) AggState { return &wideSum{} },
	"avg(int2)":    func(*Ctx) AggState { return &wideSum{avg: true} },
	"avg(int4)":    func(*Ctx) AggState { return &wideSum{avg: true} },
	"avg(int8)":    func(*Ctx) AggState { return &wideSum{avg: true} },
	"sum(numeric)": func(*Ctx) AggState { return &numericSum{} },
	"avg(numeric)": func(*Ctx) AggState { return &numericSum{avg: true} },
	"max(numeric)": func(c *Ctx) AggState { return newNumericBest(c, 1) },
	"min(numeric)": func(c *Ctx) AggState { return newNumericBest(c, -1) },
}

func init() {
	for name, shape := range map[string]numericStat{
		"var_pop": {}, "var_samp": {sample: true}, "variance": {sample: true},
		"stddev_pop": {root: true}, "stddev_samp": {sample: true, root: true}, "stddev": {sample: true, root: true},
	} {
		for _, t := range []string{"int2", "int4", "int8", "numeric"} {
			shape := shape
			shape.integer = t != "numeric"
			numericAggs[name+"("+t+")"] = byRow(func(*Ctx) rowState { s := shape; return &s })
		}
	}
}

// wideSum adds int64 lanes in 128 bits.
type wideSum struct {
	avg    bool
	hi     []int64
	lo     []uint64
	counts []int64
	lane   laneRows
}

func (s *wideSum) Grow(n int) {
	s.hi, s.lo, s.counts = growTo(s.hi, n), growTo(s.lo, n), growTo(s.counts, n)
}

func (s *wideSum) add(g int, hi int64, lo uint64) {
	sum, carry := bits.Add64(s.lo[g], lo, 0)
	s.lo[g] = sum
	s.hi[g] += hi + int64(carry)
}

func (s *wideSum) Accumulate(groups []int32, args []*column.Vec, sel []int32, n int) error {
	rows, ids := s.lane.of(groups, args[0], sel, n)
	lane := args[0].I
	if ids != nil {
		for i, r := range rows {
			g, v := int(ids[i]), lane[r]
			s.add(g, v>>63, uint64(v))
			s.counts[g]++
		}
		return nil
	}
	var hi int64
	var lo, carry uint64
	for _, r := range rows {
		v := lane[r]
		lo, carry = bits.Add64(lo, uint64(v), 0)
		hi += v>>63 + int64(carry)
	}
	if len(rows) > 0 {
		s.add(0, hi, lo)
		s.counts[0] += int64(len(rows))
	}
	return nil
}

func (s *wideSum) Combine(other AggState, groups []int32) error {
	o := other.(*wideSum)
	for i, g := range groups {
		s.add(int(g), o.hi[i], o.lo[i])
		s.counts[g] += o.counts[i]
	}
	return nil
}

func (s *wideSum) Result(g int, _ []column.Datum) (column.Datum, error) {
	if s.counts[g] == 0 {
		return nullResult()
	}
	sum := wide(s.hi[g], s.lo[g])
	if !s.avg {
		return sum.Datum(), nil
	}
	avg, err := sum.Div(types.NumericFromInt64(s.counts[g]))
	return avg.Datum(), err
}

// wide returns a 128-bit integer as a numeric.
func wide(hi int64, lo uint64) types.Numeric {
	if hi == int64(lo)>>63 {
		return types.NumericFromInt64(int64(lo))
	}
	b := new(big.Int).Lsh(big.NewInt(hi), 64)
	return types.NumericFromBig(b.Add(b, new(big.Int).SetUint64(lo)), 0)
}

func (s *wideSum) Reset(g int) { s.hi[g], s.lo[g], s.counts[g] = 0, 0, 0 }
func (s *wideSum) Size() int64 { return int64(24 * cap(s.hi)) }

// Remove implements AggRemover.
func (s *wideSum) Remove(g int, args []column.Datum) (bool, error) {
	if !args[0].Null {
		v := args[0].I
		s.add(g, ^(v >> 63), ^uint64(v))
		s.add(g, 0, 1)
		s.counts[g]--
	}
	return true, nil
}

// numericSum adds numerics, as long as it can as int64 coefficients of one scale.
type numericSum struct {
	avg    bool
	coef   []int64
	scale  []int32
	counts []int64
	lane   laneRows
	wide   map[int]types.Numeric // what did not fit into coef, by group
}

func (s *numericSum) Grow(n int) {
	s.coef, s.scale, s.counts = growTo(s.coef, n), growTo(s.scale, n), growTo(s.counts, n)
}

// scales are the powers of ten that fit into an int64.
var scales = [...]int64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18}

func (s *numericSum) add(g int, d column.Datum) error {
	s.counts[g]++
	coef, scale, ok := types.NumericToInt64Scaled(d)
	if !ok {
		return s.addWide(g, types.NumericFrom(d))
	}
	have, haveScale := s.coef[g], int(s.scale[g])
	if s.counts[g] == 1 {
		haveScale = scale
	}
	if scale != haveScale {
		by := scale - haveScale
		value := &have
		if by < 0 {
			by, value = -by, &coef
		}
		if by >= len(scales) || mulOverflows(*value, scales[by]) {
			return s.addWide(g, types.NumericFrom(d))
		}
		*value *= scales[by]
		scale = max(scale, haveScale)
	}
	sum := have + coef
	if addOverflows(have, coef, sum) {
		return s.addWide(g, types.NumericFrom(d))
	}
	s.coef[g], s.scale[g] = sum, int32(scale)
	return nil
}

// addWide adds to what is kept as a numeric.
func (s *numericSum) addWide(g int, n types.Numeric) error {
	if have, ok := s.wide[g]; ok {
		var err error
		if n, err = have.Add(n); err != nil {
			return err
		}
	}
	if s.wide == nil {
		s.wide = map[int]types.Numeric{}
	}
	s.wide[g] = n
	return nil
}

func (s *numericSum) Accumulate(groups []int32, args []*column.Vec, sel []int32, n int) error {
	rows, ids := s.lane.of(groups, args[0], sel, n)
	vals := args[0].B
	for i, r := range rows {
		g := 0
		if ids != nil {
			g = int(ids[i])
		}
		if err := s.add(g, column.Datum{B: vals[r]}); err != nil {
			return err
		}
	}
	return nil
}

// AccumulateLane implements NumericAccumulator.
func (s *numericSum) AccumulateLane(groups []int32, lane *NumericLane, sel []int32, n int) error {
	rows, ids := s.lane.of(groups, &lane.nulls, sel, n)
	coef, scale := lane.Coef, int32(lane.Scale)
	for i, r := range rows {
		g := 0
		if ids != nil {
			g = int(ids[i])
		}
		v := coef[r]
		if s.counts[g] == 0 && len(s.wide) == 0 {
			s.counts[g], s.coef[g], s.scale[g] = 1, v, scale
			continue
		}
		sum := s.coef[g] + v
		if s.scale[g] != scale || addOverflows(s.coef[g], v, sum) {
			if err := s.add(g, types.NumericScaled(v, lane.Scale).Datum()); err != nil {
				return err
			}
			continue
		}
		s.coef[g] = sum
		s.counts[g]++
	}
	return nil
}

func (s *numericSum) Combine(other AggState, groups []int32) error {
	o := other.(*numericSum)
	for i, g := range groups {
		if o.counts[i] == 0 {
			continue
		}
		if err := s.add(int(g), types.NumericScaled(o.coef[i], int(o.scale[i])).Datum()); err != nil {
			return err
		}
		s.counts[g] += o.counts[i] - 1
		if w, ok := o.wide[i]; ok {
			if err := s.addWide(int(g), w); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *numericSum) Result(g int, _ []column.Datum) (column.Datum, error) {
	if s.counts[g] == 0 {
		return nullResult()
	}
	sum := types.NumericScaled(s.coef[g], int(s.scale[g]))
	if w, ok := s.wide[g]; ok {
		var err error
		if sum, err = sum.Add(w); err != nil {
			return column.Datum{}, err
		}
	}
	if s.avg {
		avg, err := sum.Div(types.NumericFromInt64(s.counts[g]))
		return avg.Datum(), err
	}
	return sum.Datum(), nil
}

func (s *numericSum) Reset(g int) {
	s.coef[g], s.scale[g], s.counts[g] = 0, 0, 0
	delete(s.wide, g)
}

func (s *numericSum) Size() int64 { return int64(20*cap(s.coef)) + int64(96*len(s.wide)) }

// numericStat keeps sum and sum of squares, exactly.
type numericStat struct {
	sample, root, integer bool
	n                     int64
	sum, squares          types.Numeric
}

func (s *numericStat) add(_ *Ctx, a []column.Datum) error {
	if a[0].Null {
		return nil
	}
	v := types.NumericFromInt64(a[0].I)
	if !s.integer {
		v = types.NumericFrom(a[0])
	}
	square, err := v.Mul(v)
	if err != nil {
		return err
	}
	return s.merge(1, v, square)
}

func (s *numericStat) merge(n int64, sum, squares types.Numeric) (err error) {
	s.n += n
	if s.sum, err = s.sum.Add(sum); err != nil {
		return err
	}
	s.squares, err = s.squares.Add(squares)
	return err
}

func (s *numericStat) combine(_ *Ctx, other rowState) error {
	o := other.(*numericStat)
	return s.merge(o.n, o.sum, o.squares)
}

func (s *numericStat) result(*Ctx, []column.Datum) (column.Datum, error) {
	divisor := s.n
	if s.sample {
		divisor--
	}
	if divisor <= 0 {
		return nullResult()
	}
	if !s.sum.IsFinite() {
		return nan().Datum(), nil
	}
	n := types.NumericFromInt64(s.n)
	squared, err := s.sum.Mul(s.sum)
	if err != nil {
		return column.Datum{}, err
	}
	spread, err := s.squares.Mul(n)
	if err != nil {
		return column.Datum{}, err
	}
	if spread, err = spread.Sub(squared); err != nil {
		return column.Datum{}, err
	}
	if spread.Sign() <= 0 {
		return types.NumericFromInt64(0).Datum(), nil
	}
	by, err := n.Mul(types.NumericFromInt64(divisor))
	if err != nil {
		return column.Datum{}, err
	}
	variance, err := spread.Div(by)
	if err != nil || !s.root {
		return variance.Datum(), err
	}
	return rootAt(variance).Datum(), nil
}

// rootAt returns the square root at the scale of its argument, rounded.
func rootAt(n types.Numeric) types.Numeric {
	c := new(big.Int).Mul(n.Coefficient(), pow10(n.Scale()))
	r := new(big.Int).Sqrt(c)
	if rest := c.Sub(c, new(big.Int).Mul(r, r)); rest.Cmp(r) > 0 {
		r.Add(r, big.NewInt(1))
	}
	return types.NumericFromBig(r, n.Scale())
}

func (s *numericStat) size() int64 { return 256 }
