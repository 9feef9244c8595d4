package planner

import (
	"math"
	"slices"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/plan"
)

// groupStatistics returns what ANALYZE found out about columns of a relation together.
func (l *level) groupStatistics(rel int) []catalog.GroupStatistic {
	r := l.q.Rels[rel]
	if r.Kind != plan.RelTable || len(r.Table.Extended) == 0 || l.o.env.Statistics == nil {
		return nil
	}
	return l.o.env.Statistics.Groups(r.Table)
}

// expressionDistinct returns the number of distinct values of an expression over one relation, if a statistics
// object is about it.
func (l *level) expressionDistinct(e plan.Expr, rel int) (float64, bool) {
	for _, g := range l.groupStatistics(rel) {
		for _, x := range g.Exprs {
			if have, ok := l.storedExpr(x.Expr); ok && plan.Same(overRel(have, rel), e) {
				return x.N, true
			}
		}
	}
	return 0, false
}

// distinctTogether estimates the number of distinct combinations of expressions: those of columns of one table
// by what is known of them together, everything else as if it were independent.
func (l *level) distinctTogether(keys []plan.Expr) float64 {
	n := 1.0
	columns := map[int][]int16{}
	single := map[int]map[int16]float64{}
	var rels []int
	for _, k := range keys {
		v, ok := strip(k).(*plan.Var)
		if !ok || v.Level > 0 || v.Attr < 0 || len(l.groupStatistics(v.Rel)) == 0 {
			n *= l.distinctOf(k)
			continue
		}
		if single[v.Rel] == nil {
			single[v.Rel] = map[int16]float64{}
			rels = append(rels, v.Rel)
		}
		num := int16(v.Attr + 1)
		if _, twice := single[v.Rel][num]; !twice {
			columns[v.Rel] = append(columns[v.Rel], num)
		}
		single[v.Rel][num] = l.distinctOf(k)
	}
	for _, rel := range rels {
		left := columns[rel]
		for {
			best := bestDistinct(l.groupStatistics(rel), left)
			if best == nil {
				break
			}
			n *= best.N
			left = slices.DeleteFunc(slices.Clone(left), func(c int16) bool { return slices.Contains(best.Columns, c) })
		}
		for _, c := range left {
			n *= single[rel][c]
		}
	}
	return n
}

// bestDistinct finds the count that covers most of some columns, at least two.
func bestDistinct(groups []catalog.GroupStatistic, columns []int16) *catalog.GroupDistinct {
	var best *catalog.GroupDistinct
	for i := range groups {
		for n := range groups[i].Distinct {
			d := &groups[i].Distinct[n]
			covered := !slices.ContainsFunc(d.Columns, func(c int16) bool { return !slices.Contains(columns, c) })
			if covered && (best == nil || len(d.Columns) > len(best.Columns)) {
				best = d
			}
		}
	}
	return best
}

// columnValue is a condition column = constant.
type columnValue struct {
	cond  plan.Expr
	num   int16
	value *plan.Const
	typ   plan.Type
}

// equalitiesOf collects the conditions column = constant by relation, as far as there are statistics of columns together.
func (l *level) equalitiesOf(cs []plan.Expr) map[int][]columnValue {
	var found map[int][]columnValue
	if !slices.ContainsFunc(l.q.Rels, func(r *plan.Rel) bool { return r.Table != nil && len(r.Table.Extended) > 0 }) {
		return nil
	}
	for _, c := range cs {
		call, ok := c.(*plan.Call)
		if !ok || len(call.Args) != 2 {
			continue
		}
		op := functions.OperatorByOID(call.Op)
		v, isVar := strip(call.Args[0]).(*plan.Var)
		value, isConst := call.Args[1].(*plan.Const)
		if op == nil || op.Restrict != "eqsel" || !isVar || !isConst || v.Level > 0 || v.Attr < 0 || value.Value.Null || len(l.groupStatistics(v.Rel)) == 0 {
			continue
		}
		if found == nil {
			found = map[int][]columnValue{}
		}
		found[v.Rel] = append(found[v.Rel], columnValue{c, int16(v.Attr + 1), value, call.Args[0].ResultType()})
	}
	return found
}

// selectivityTogether estimates conditions on columns of which statistics together are known: the rest of the conditions is
// returned with the fraction of those that were.
func (l *level) selectivityTogether(cs []plan.Expr) (rest []plan.Expr, fraction float64) {
	fraction = 1
	used := map[plan.Expr]bool{}
	for rel, list := range l.equalitiesOf(cs) {
		for _, g := range l.groupStatistics(rel) {
			list = slices.DeleteFunc(list, func(e columnValue) bool { return used[e.cond] })
			if f, ok := l.commonGroup(&g, list, used); ok {
				fraction *= f
				continue
			}
			fraction *= l.dependentFraction(&g, list, used)
		}
	}
	for _, c := range cs {
		if !used[c] {
			rest = append(rest, c)
		}
	}
	return rest, fraction
}

// commonGroup looks for a combination of constants among the common ones.
func (l *level) commonGroup(g *catalog.GroupStatistic, list []columnValue, used map[plan.Expr]bool) (float64, bool) {
	chosen := make([]*columnValue, len(g.Columns))
	for i, num := range g.Columns {
		at := slices.IndexFunc(list, func(e columnValue) bool { return e.num == num })
		if at < 0 {
			return 0, false
		}
		chosen[i] = &list[at]
	}
	for _, c := range g.Common {
		same := len(c.Values) == len(chosen)
		for i := 0; same && i < len(chosen); i++ {
			e := chosen[i]
			same = !c.Values[i].Null && e.typ.OID == e.value.Typ.OID && l.o.env.Types.Equal(e.typ.OID, e.typ.Collation, c.Values[i], e.value.Value)
		}
		if same {
			for _, e := range chosen {
				used[e.cond] = true
			}
			return c.Frequency, true
		}
	}
	return 0, false
}

// dependentFraction estimates conditions of which one decides another: P(a, b) = P(a) (d + (1-d) P(b)).
func (l *level) dependentFraction(g *catalog.GroupStatistic, list []columnValue, used map[plan.Expr]bool) float64 {
	fraction := 1.0
	degrees := slices.Clone(g.Degrees)
	slices.SortStableFunc(degrees, func(a, b catalog.GroupDegree) int {
		switch {
		case a.Degree > b.Degree:
			return -1
		case a.Degree < b.Degree:
			return 1
		}
		return 0
	})
	find := func(num int16) int { return slices.IndexFunc(list, func(e columnValue) bool { return e.num == num }) }
	decides := map[int16]bool{} // columns that have decided another: their own condition stays
	for _, d := range degrees {
		from, to := find(d.From), find(d.To)
		if from < 0 || to < 0 || used[list[from].cond] || used[list[to].cond] || decides[d.To] {
			continue
		}
		fraction *= math.Min(1, d.Degree+(1-d.Degree)*l.selectivity(list[to].cond))
		used[list[to].cond], decides[d.From] = true, true
	}
	return fraction
}
