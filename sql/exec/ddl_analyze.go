package exec

import (
	"cmp"
	"math"
	"slices"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/types"
)

// The size of what ANALYZE keeps: PostgreSQL's, at its default statistics target of 100.
const (
	statisticTarget = 100
	sampleRows      = 300 * statisticTarget
	maxSampleWidth  = 1024 // wider values count as distinct and are not looked at
)

// sample is a uniform sample of one column's values (Vitter's algorithm R: the n-th row
// replaces a kept one with probability sampleRows/n).
type sample struct {
	col    *catalog.Column
	values []column.Datum
	order  []int64 // the row's ordinal in storage order
}

// analyze gathers statistics about a table's columns, all of them unless some are named.
func (d *ddl) analyze(r *catalog.Relation, only []string) error {
	var samples []*sample
	for i := range r.Columns {
		c := &r.Columns[i]
		if !c.Dropped && (len(only) == 0 || slices.Contains(only, c.Name)) {
			samples = append(samples, &sample{col: c})
		}
	}
	d.rt.access(r.OID).Analyzed++
	rows := int64(0)
	seed := uint64(r.OID)*0x9e3779b97f4a7c15 + 1 // the same rows give the same sample
	err := d.eachBatch(r, func(b *column.Batch, _ [][]byte) error {
		for i := range b.Len() {
			row := b.Row(i)
			seed ^= seed << 13
			seed ^= seed >> 7
			seed ^= seed << 17
			slot := int64(-1)
			if rows >= sampleRows {
				if slot = int64(seed % uint64(rows+1)); slot >= sampleRows {
					rows++
					continue
				}
			}
			for _, s := range samples {
				s.take(b.Cols[s.col.Num-1].Datum(row), rows, slot)
			}
			rows++
		}
		return nil
	})
	if err != nil {
		return err
	}
	stat := &catalog.Statistic{Meta: catalog.Meta{OID: r.OID}, Rows: float64(rows), Bytes: d.rt.DB.StoreStats(engine.StoreID(r.Store)).Bytes, Analyzed: d.env.Now}
	if err := d.view.LockObject(d.ctx, catalog.ClassStatistic, r.OID); err != nil {
		return err
	}
	if old := d.view.Statistic(r.OID); old != nil {
		stat.Meta = old.Meta
		if len(only) > 0 {
			for _, c := range old.Columns {
				if !slices.ContainsFunc(samples, func(s *sample) bool { return s.col.Num == c.Num }) {
					stat.Columns = append(stat.Columns, c)
				}
			}
		}
	}
	if stat.Groups, err = d.groups(r, samples, d.view.Statistic(r.OID), float64(rows)); err != nil {
		return err
	}
	for _, s := range samples {
		stat.Columns = append(stat.Columns, s.summarize(d.env, float64(rows)))
	}
	slices.SortFunc(stat.Columns, func(a, b catalog.ColumnStatistic) int { return cmp.Compare(a.Num, b.Num) })
	return d.put(stat)
}

// take adds a row's value, in place of the one in slot when that is not negative.
func (s *sample) take(v column.Datum, ordinal, slot int64) {
	if len(v.B) > maxSampleWidth {
		v.B = v.B[:maxSampleWidth]
	}
	v = v.Clone()
	if slot < 0 {
		s.values, s.order = append(s.values, v), append(s.order, ordinal)
		return
	}
	s.values[slot], s.order[slot] = v, ordinal
}

// run is a value of the sample and how often it occurs.
type run struct {
	value column.Datum
	count int
}

// summarize turns a sample into statistics, as PostgreSQL's compute_scalar_stats does.
func (s *sample) summarize(env *types.Env, rows float64) catalog.ColumnStatistic {
	c := catalog.ColumnStatistic{Num: s.col.Num}
	base, _ := env.BaseType(s.col.Type, -1)
	var live []int
	for i, v := range s.values {
		if v.Null {
			continue
		}
		live = append(live, i)
		if v.B != nil {
			c.Width += float64(len(v.B))
		} else {
			c.Width += 8
		}
	}
	total := len(s.values)
	if total == 0 {
		return c
	}
	c.NullFrac = float64(total-len(live)) / float64(total)
	if len(live) == 0 {
		return c
	}
	c.Width /= float64(len(live))
	if !env.Orderable(base) {
		c.Distinct = -1
		return c
	}
	compare := env.Comparator(base, s.col.Collation)
	slices.SortStableFunc(live, func(a, b int) int { return compare(s.values[a], s.values[b]) })
	c.Correlation = s.correlation(live)
	var runs []run
	for _, i := range live {
		if n := len(runs); n > 0 && compare(runs[n-1].value, s.values[i]) == 0 {
			runs[n-1].count++
			continue
		}
		runs = append(runs, run{s.values[i], 1})
	}
	c.Distinct = distinct(runs, len(live), rows*(1-c.NullFrac), rows)
	s.common(&c, runs, total)
	return c
}

// distinct estimates the number of distinct values by the estimator of Haas and Stokes, which
// PostgreSQL uses. A number that grows with the table is given as a fraction, negated.
func distinct(runs []run, sampled int, live, rows float64) float64 {
	once, several := 0, 0
	for _, r := range runs {
		if r.count == 1 {
			once++
		} else {
			several++
		}
	}
	n, d, f1 := float64(sampled), float64(len(runs)), float64(once)
	est := d
	switch {
	case several == 0:
		return -live / max(rows, 1)
	case once > 0 && live > n:
		est = n * d / ((n - f1) + f1*n/live)
		est = min(max(est, d), live)
	}
	est = math.Floor(est + 0.5)
	if est > 0.1*rows {
		return -est / max(rows, 1)
	}
	return est
}

// common picks the values that are clearly more frequent than the others, and makes the
// histogram of the rest.
func (s *sample) common(c *catalog.ColumnStatistic, runs []run, total int) {
	n := float64(0)
	for _, r := range runs {
		n += float64(r.count)
	}
	average := n / float64(len(runs))
	byCount := slices.Clone(runs)
	slices.SortStableFunc(byCount, func(a, b run) int { return b.count - a.count })
	all := len(runs) <= statisticTarget
	chosen := map[string]bool{}
	for i, r := range byCount {
		if i == statisticTarget || !all && (r.count < 2 || float64(r.count) < average*1.25) || r.count < 2 {
			break
		}
		c.Common = append(c.Common, r.value)
		c.Frequency = append(c.Frequency, float64(r.count)/float64(total))
		chosen[valueKey(r.value)] = true
	}
	var rest []run
	left := 0
	for _, r := range runs {
		if !chosen[valueKey(r.value)] {
			rest = append(rest, r)
			left += r.count
		}
	}
	if len(rest) < 2 {
		return
	}
	buckets := min(statisticTarget, len(rest)-1)
	at, seen := 0, rest[0].count
	for b := range buckets + 1 {
		want := b * (left - 1) / buckets
		for seen <= want {
			at++
			seen += rest[at].count
		}
		c.Histogram = append(c.Histogram, rest[at].value)
	}
}

func valueKey(d column.Datum) string {
	if d.B != nil {
		return "b" + string(d.B)
	}
	return itoa(d.I)
}

// correlation is Pearson's between the ranks of the values and the order of the rows.
func (s *sample) correlation(sorted []int) float64 {
	n := float64(len(sorted))
	if n < 2 {
		return 0
	}
	place := make([]int, len(sorted))
	copy(place, sorted)
	slices.SortFunc(place, func(a, b int) int { return cmp.Compare(s.order[a], s.order[b]) })
	rank := make(map[int]float64, len(place))
	for i, at := range place {
		rank[at] = float64(i)
	}
	sum := 0.0
	for i, at := range sorted {
		sum += float64(i) * rank[at]
	}
	mean := (n - 1) / 2
	square := (n - 1) * n * (2*n - 1) / 6
	return (sum - n*mean*mean) / (square - n*mean*mean)
}
