package exec

import (
	"math/bits"
	"slices"
	"strconv"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/plan"
)

// groups finds out what the statistics objects of a table ask for, from the samples of its columns. Of objects
// whose columns were not all looked at this time, what was known stays.
func (d *ddl) groups(r *catalog.Relation, samples []*sample, old *catalog.Statistic, rows float64) ([]catalog.GroupStatistic, error) {
	var list []catalog.GroupStatistic
	for i := range r.Extended {
		x := &r.Extended[i]
		var cols []*sample
		for _, num := range x.Columns {
			if at := slices.IndexFunc(samples, func(s *sample) bool { return s.col.Num == num }); at >= 0 {
				cols = append(cols, samples[at])
			}
		}
		exprs, complete, err := d.expressionSamples(r, x, samples)
		if err != nil {
			return nil, err
		}
		switch {
		case x.Target == 0:
		case complete && len(cols) == len(x.Columns):
			list = append(list, groupsOf(x, cols, exprs, rows))
		case old != nil:
			if at := slices.IndexFunc(old.Groups, func(g catalog.GroupStatistic) bool { return g.Object == x.OID }); at >= 0 {
				list = append(list, old.Groups[at])
			}
		}
	}
	return list, nil
}

// expressionSamples computes the expressions of a statistics object over the rows of the sample. It is not
// complete when the sample lacks a column that they read.
func (d *ddl) expressionSamples(r *catalog.Relation, x *catalog.ExtendedStatistic, samples []*sample) (out []*sample, complete bool, err error) {
	vals := make([]column.Datum, len(r.Columns))
	for i := range vals {
		vals[i] = column.Null()
	}
	for _, encoded := range x.Exprs {
		e, err := d.bind.DecodeExpr(encoded)
		if err != nil {
			return nil, false, err
		}
		e = ownRow(e, r)
		missing := false
		plan.Walk(e, func(v plan.Expr) bool {
			if v, ok := v.(*plan.Var); ok && v.Level == 0 && !r.Columns[v.Attr].Dropped {
				missing = missing || !slices.ContainsFunc(samples, func(s *sample) bool { return int(s.col.Num) == v.Attr+1 })
			}
			return true
		})
		if missing {
			return nil, false, nil
		}
		value, err := newState(d.rt, &plan.Statement{}).compile(e)
		if err != nil {
			return nil, false, err
		}
		typ := e.ResultType()
		s := &sample{col: &catalog.Column{Type: typ.OID, Collation: typ.Collation}}
		for i := 0; len(samples) > 0 && i < len(samples[0].values); i++ {
			for _, c := range samples {
				vals[c.col.Num-1] = c.values[i]
			}
			v, err := value.row(&row{vals: vals})
			if err != nil {
				return nil, false, err
			}
			s.take(v, int64(i), -1)
		}
		out = append(out, s)
	}
	return out, true, nil
}

// estimate is the number of distinct combinations of values, as a count.
func estimate(cols []*sample, rows float64) float64 {
	n := distinct(combinations(cols), len(cols[0].values), rows, rows)
	if n < 0 {
		n *= -rows
	}
	return n
}

func groupsOf(x *catalog.ExtendedStatistic, cols, exprs []*sample, rows float64) catalog.GroupStatistic {
	g := catalog.GroupStatistic{Object: x.OID, Columns: x.Columns}
	if rows == 0 {
		return g
	}
	for i, s := range exprs {
		g.Exprs = append(g.Exprs, catalog.GroupExpr{Expr: x.Exprs[i], N: estimate([]*sample{s}, rows)})
	}
	for _, kind := range x.Kinds {
		switch kind {
		case 'd':
			for set := uint(1); set < 1<<len(cols); set++ {
				if bits.OnesCount(set) < 2 {
					continue
				}
				var some []*sample
				var nums []int16
				for i, s := range cols {
					if set&(1<<i) != 0 {
						some, nums = append(some, s), append(nums, s.col.Num)
					}
				}
				g.Distinct = append(g.Distinct, catalog.GroupDistinct{Columns: nums, N: estimate(some, rows)})
			}
		case 'f':
			for _, a := range cols {
				for _, b := range cols {
					if d := degree(a, b); a != b && d > 0 {
						g.Degrees = append(g.Degrees, catalog.GroupDegree{From: a.col.Num, To: b.col.Num, Degree: d})
					}
				}
			}
		case 'm':
			if len(cols) > 1 {
				g.Common = commonGroups(cols)
			}
		}
	}
	return g
}

// combination is the key of a row's values of some columns.
func combination(cols []*sample, row int) string {
	var key []byte
	for _, s := range cols {
		v := s.values[row]
		if v.Null {
			key = append(key, 'n')
			continue
		}
		text := valueKey(v)
		key = append(strconv.AppendInt(key, int64(len(text)), 10), ':')
		key = append(key, text...)
	}
	return string(key)
}

// combinations counts how often each combination of values occurs. The value of a run is not set.
func combinations(cols []*sample) []run {
	at := map[string]int{}
	var runs []run
	for row := range cols[0].values {
		key := combination(cols, row)
		i, ok := at[key]
		if !ok {
			i = len(runs)
			at[key] = i
			runs = append(runs, run{})
		}
		runs[i].count++
	}
	return runs
}

// degree is the fraction of rows whose value of a comes with one value of b only.
func degree(a, b *sample) float64 {
	type group struct {
		first string
		count int
		mixed bool
	}
	found := map[string]*group{}
	for row := range a.values {
		key, other := combination([]*sample{a}, row), combination([]*sample{b}, row)
		g := found[key]
		if g == nil {
			g = &group{first: other}
			found[key] = g
		}
		g.count++
		g.mixed = g.mixed || g.first != other
	}
	n := 0
	for _, g := range found {
		if !g.mixed {
			n += g.count
		}
	}
	return float64(n) / float64(len(a.values))
}

// commonGroups lists the most common combinations of values, those that occur more than once.
func commonGroups(cols []*sample) []catalog.GroupCommon {
	type group struct{ row, count int }
	found := map[string]*group{}
	var order []*group
	for row := range cols[0].values {
		key := combination(cols, row)
		if found[key] == nil {
			found[key] = &group{row: row}
			order = append(order, found[key])
		}
		found[key].count++
	}
	slices.SortStableFunc(order, func(a, b *group) int { return b.count - a.count })
	var list []catalog.GroupCommon
	for _, g := range order[:min(len(order), statisticTarget)] {
		if g.count < 2 {
			break
		}
		c := catalog.GroupCommon{Frequency: float64(g.count) / float64(len(cols[0].values))}
		for _, s := range cols {
			c.Values = append(c.Values, s.values[g.row].Clone())
		}
		list = append(list, c)
	}
	return list
}
