package functions

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/types"
)

// Queries put times into buckets that are far longer than the distance between
// neighbouring rows. So the kernels of date_trunc and date_bin remember the
// stretch of time around the last row that has its answer, and compute only
// where a row leaves it.

// bucketVecs are the kernels, for constant units, strides and origins.
var bucketVecs = map[string]VecFunc{
	"timestamp_trunc":   bucketVec("timestamp_trunc", 1, truncBuckets),
	"timestamptz_trunc": bucketVec("timestamptz_trunc", 1, zonedBuckets),
	"timestamp_bin":     bucketVec("timestamp_bin", 1, binBuckets),
	"timestamptz_bin":   bucketVec("timestamptz_bin", 1, binBuckets),
}

// buckets maps times onto the starts of buckets.
type buckets struct {
	eval   func(v int64) (int64, error)
	extent func(v, start int64) (lo, hi int64) // the times around v with the same answer; lo ≥ hi: not known
	lo, hi int64                               // of the last answer
	start  int64                               // the last answer
	step   int64                               // the length of all buckets, 0 where they differ

	credit int // rows seen, less patience for each computation of bounds
	key    []column.Datum
	zone   *types.Zone
}

// evenRange bounds the times that are computed by adding and dividing alone, 4,500
// years to both sides: with buckets of at most longestStep nothing leaves
// PostgreSQL's range there.
const (
	evenRange   = 1 << 57
	longestStep = 365_250 * 86_400_000_000 // a millennium
)

// patience is how many rows have to stay in their buckets, on average, for the
// bounds of the next one to be worth their computation.
const patience = 8

// of returns the start of v's bucket.
func (b *buckets) of(v int64) (int64, error) {
	if v >= b.lo && v < b.hi {
		b.credit++
		return b.start, nil
	}
	return b.move(v)
}

// move makes the bucket of v the last one.
func (b *buckets) move(v int64) (int64, error) {
	if b.step > 0 && b.lo < b.hi && v > -evenRange && v < evenRange {
		b.start += floorDivide(v-b.start, b.step) * b.step
		b.lo, b.hi = b.start, b.start+b.step
		return b.start, nil
	}
	start, err := b.eval(v)
	if err != nil {
		return 0, err
	}
	b.start, b.lo, b.hi = start, 0, 0
	if b.credit++; b.credit > patience {
		b.credit -= patience
		if lo, hi := b.extent(v, start); lo <= v && v < hi {
			b.lo, b.hi = lo, hi
		}
	}
	return start, nil
}

func floorDivide(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// bucketVec makes the kernel of a function whose argument at lane is the time;
// the others have to be constant. Anything out of the ordinary goes row by row.
func bucketVec(name string, lane int, begin func(c *Ctx, a []column.Datum) *buckets) VecFunc {
	return func(c *Ctx, args []*column.Vec, sel []int32, n int, out *column.Vec) error {
		if !prepare(args, n, column.Int, out) {
			return nil
		}
		eval := truncEvals[name]
		for i, a := range args {
			if (a.Len() == 1 && n != 1) != (i != lane) {
				return evalRows(c, eval, args, sel, n, out)
			}
		}
		b := bucketsOf(c, args, lane, begin)
		if b == nil {
			return evalRows(c, eval, args, sel, n, out)
		}
		return b.fill(args[lane].I, sel, out)
	}
}

// bucketsOf returns what the call site remembers, if it is of the same constants.
func bucketsOf(c *Ctx, args []*column.Vec, lane int, begin func(c *Ctx, a []column.Datum) *buckets) *buckets {
	if b, ok := c.Memo.(*buckets); ok && b.matches(c, args, lane) {
		return b
	}
	key := make([]column.Datum, len(args))
	for i, a := range args {
		if i != lane {
			key[i] = a.Datum(0).Clone()
		}
	}
	b := begin(c, key)
	if b != nil {
		b.key, b.zone, b.credit = key, c.Env.SessionZone(), patience
		c.Memo = b
	}
	return b
}

func (b *buckets) matches(c *Ctx, args []*column.Vec, lane int) bool {
	for i, a := range args {
		if i != lane {
			d := a.Datum(0)
			if d.I != b.key[i].I || string(d.B) != string(b.key[i].B) {
				return false
			}
		}
	}
	return b.zone == c.Env.SessionZone()
}

func (b *buckets) fill(lane []int64, sel []int32, out *column.Vec) (err error) {
	if sel == nil {
		for i := range out.I {
			v := lane[i]
			if v >= b.lo && v < b.hi {
				out.I[i] = b.start
				b.credit++
				continue
			}
			if len(out.Nulls) > 0 && out.Nulls.Get(i) {
				continue
			}
			if out.I[i], err = b.move(v); err != nil {
				return err
			}
		}
		return nil
	}
	for _, i := range sel {
		if len(out.Nulls) > 0 && out.Nulls.Get(int(i)) {
			continue
		}
		if out.I[i], err = b.of(lane[i]); err != nil {
			return err
		}
	}
	return nil
}

// truncBuckets are those of date_trunc of local times.
func truncBuckets(_ *Ctx, a []column.Datum) *buckets {
	word := a[0].String()
	length, even := types.TruncLength(word)
	if length == 0 {
		return nil
	}
	b := &buckets{eval: func(v int64) (int64, error) { return types.TruncTimestamp(word, v) }}
	b.extent = func(v, start int64) (lo, hi int64) { return truncExtent(word, v, start, length) }
	if even {
		b.step = length
	}
	return b
}

// truncExtent returns the times of the bucket of v: the answer never falls as
// times grow, so that what holds for the ends holds between them.
func truncExtent(word string, v, start, length int64) (lo, hi int64) {
	if v <= -evenRange || v >= evenRange {
		return 0, 0
	}
	next, err := types.TruncTimestamp(word, start+length)
	if err != nil || next <= start {
		return 0, 0
	}
	first, err1 := types.TruncTimestamp(word, start)
	last, err2 := types.TruncTimestamp(word, next-1)
	if err1 != nil || err2 != nil || first != start || last != start {
		return 0, 0
	}
	return start, next
}

// zonedBuckets are those of date_trunc of moments in the session's time zone.
// While the clocks have one offset, a bucket is one of local times.
func zonedBuckets(c *Ctx, a []column.Datum) *buckets {
	word, zone := a[0].String(), c.Env.SessionZone()
	length, _ := types.TruncLength(word)
	if length == 0 {
		return nil
	}
	b := &buckets{eval: func(v int64) (int64, error) { return types.TruncTimestamptz(word, v, zone) }}
	b.extent = func(v, _ int64) (lo, hi int64) {
		if v <= -evenRange || v >= evenRange {
			return 0, 0
		}
		from, to, east := zone.Steady(v)
		local := v + east
		start, err := types.TruncTimestamp(word, local)
		if err != nil {
			return 0, 0
		}
		if lo, hi = truncExtent(word, local, start, length); lo >= hi {
			return 0, 0
		}
		return max(lo-east, from), min(hi-east, to)
	}
	return b
}

// binBuckets are those of date_bin.
func binBuckets(_ *Ctx, a []column.Datum) *buckets {
	stride, origin := types.IntervalFrom(a[0]), a[2].I
	b := &buckets{eval: func(v int64) (int64, error) { return types.DateBin(stride, v, origin) }}
	size, ok := stride.FixedLength()
	if !ok || size <= 0 || size > longestStep || origin <= -evenRange || origin >= evenRange {
		return nil
	}
	b.step = size
	b.extent = func(v, start int64) (lo, hi int64) {
		if v <= -evenRange || v >= evenRange {
			return 0, 0
		}
		return start, start + size
	}
	return b
}
