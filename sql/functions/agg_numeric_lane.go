package functions

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/types"
)

// NumericLane holds the numerics of a batch as integers of one scale: row r is
// Coef[r] / 10^Scale. It stands beside, or in the place of, encoded values.
type NumericLane struct {
	Coef  []int64
	Scale int
	nulls column.Vec // of the same length; only its bitmap counts
}

// SetNulls makes the rows of a bitmap NULL in a lane of n rows.
func (l *NumericLane) SetNulls(nulls column.Bitmap, n int) {
	l.nulls = column.Vec{Kind: column.Int, Nulls: nulls, I: l.Coef[:n]}
}

// Nulls returns the rows that are NULL.
func (l *NumericLane) Nulls() column.Bitmap { return l.nulls.Nulls }

// Decode fills the lane from the rows sel of an encoded vector of n rows. It
// reports false when they have several scales, or one is beyond int64.
func (l *NumericLane) Decode(v *column.Vec, sel []int32, n int) bool {
	if v.Len() != n || v.Kind != column.Bytes {
		return false
	}
	if cap(l.Coef) < n {
		l.Coef = make([]int64, max(n, column.BatchSize))
	}
	l.Coef = l.Coef[:n]
	first, nulls := true, len(v.Nulls) > 0
	for _, r := range sel {
		if nulls && v.Nulls.Get(int(r)) {
			l.Coef[r] = 0
			continue
		}
		c, scale, ok := types.NumericToInt64Scaled(column.Datum{B: v.B[r]})
		if !ok || !first && scale != l.Scale {
			return false
		}
		l.Coef[r], l.Scale, first = c, scale, false
	}
	if first {
		l.Scale = 0
	}
	l.SetNulls(v.Nulls, n)
	return true
}

// NumericAccumulator is implemented by states of aggregates over one numeric
// that take in a whole lane.
type NumericAccumulator interface {
	AccumulateLane(groups []int32, lane *NumericLane, sel []int32, n int) error
}

// numericBest is min (sign -1) or max (sign 1) of numerics. Of equal values the
// later is kept, which tells 1.0 from 1.00.
type numericBest struct {
	cmp  func(a, b column.Datum) int
	sign int
	best []numericCandidate
	lane laneRows
	held int64
}

// numericCandidate is coef/10^scale, or d where it does not fit.
type numericCandidate struct {
	coef  int64
	scale int32
	form  candidateForm
	d     []byte
}

type candidateForm uint8

const (
	noCandidate candidateForm = iota
	smallCandidate
	encodedCandidate
)

func newNumericBest(c *Ctx, sign int) *numericBest {
	return &numericBest{cmp: c.Env.Comparator(types.NumericOID, 0), sign: sign}
}

func (s *numericBest) Grow(n int) { s.best = growTo(s.best, n) }

func (c *numericCandidate) datum() column.Datum {
	switch c.form {
	case smallCandidate:
		return types.NumericScaled(c.coef, int(c.scale)).Datum()
	case encodedCandidate:
		return column.Datum{B: c.d}
	}
	return column.Null()
}

// small offers coef/10^scale to group g.
func (s *numericBest) small(g int, coef int64, scale int32) {
	b := &s.best[g]
	switch {
	case b.form == noCandidate:
	case b.form == smallCandidate && b.scale == scale:
		if s.sign > 0 && b.coef > coef || s.sign < 0 && b.coef < coef {
			return
		}
	default:
		if s.cmp(b.datum(), types.NumericScaled(coef, int(scale)).Datum())*s.sign > 0 {
			return
		}
	}
	b.coef, b.scale, b.form = coef, scale, smallCandidate
}

func (s *numericBest) add(g int, d []byte) {
	if coef, scale, ok := types.NumericToInt64Scaled(column.Datum{B: d}); ok {
		s.small(g, coef, int32(scale))
		return
	}
	b := &s.best[g]
	if b.form != noCandidate && s.cmp(b.datum(), column.Datum{B: d})*s.sign > 0 {
		return
	}
	s.held += int64(len(d) - len(b.d))
	b.d, b.form = append(b.d[:0], d...), encodedCandidate
}

func (s *numericBest) Accumulate(groups []int32, args []*column.Vec, sel []int32, n int) error {
	rows, ids := s.lane.of(groups, args[0], sel, n)
	for i, r := range rows {
		g := 0
		if ids != nil {
			g = int(ids[i])
		}
		s.add(g, args[0].B[r])
	}
	return nil
}

// AccumulateLane implements NumericAccumulator.
func (s *numericBest) AccumulateLane(groups []int32, lane *NumericLane, sel []int32, n int) error {
	rows, ids := s.lane.of(groups, &lane.nulls, sel, n)
	if ids == nil && len(rows) > 0 {
		best := lane.Coef[rows[0]]
		if s.sign > 0 {
			best = maxOfLane(best, lane.Coef, rows)
		} else {
			best = minOfLane(best, lane.Coef, rows)
		}
		s.small(0, best, int32(lane.Scale))
		return nil
	}
	for i, r := range rows {
		s.small(int(ids[i]), lane.Coef[r], int32(lane.Scale))
	}
	return nil
}

func (s *numericBest) Combine(other AggState, groups []int32) error {
	o := other.(*numericBest)
	for i, g := range groups {
		switch b := &o.best[i]; b.form {
		case smallCandidate:
			s.small(int(g), b.coef, b.scale)
		case encodedCandidate:
			s.add(int(g), b.d)
		}
	}
	return nil
}

func (s *numericBest) Result(g int, _ []column.Datum) (column.Datum, error) {
	return s.best[g].datum().Clone(), nil
}

func (s *numericBest) Reset(g int) { s.best[g].form = noCandidate }
func (s *numericBest) Size() int64 { return int64(48*cap(s.best)) + s.held }
