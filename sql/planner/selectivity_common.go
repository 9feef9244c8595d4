package planner

import (
	"math"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// equalConstant estimates column = constant by the column's most common values;
// a value that is not among them has its share of what these leave.
func (l *level) equalConstant(typ plan.Type, st *ColumnStatistics, distinct float64, v column.Datum) float64 {
	rest, found := 1-st.NullFraction, 0.0
	for i, c := range st.Common {
		if l.o.env.Types.Equal(typ.OID, typ.Collation, c, v) {
			found += st.Frequencies[i] // more than once where equal values have different forms
		}
		rest -= st.Frequencies[i]
	}
	if found > 0 {
		return found
	}
	return math.Max(0, rest) / math.Max(1, distinct-float64(len(st.Common)))
}

// maxListed bounds the elements of a list that are looked for among the most
// common values; those behind are taken to be like them.
const maxListed = 256

// listSelectivity estimates column = ANY (list) element by element, if the list is known.
func (l *level) listSelectivity(x *plan.ArrayOp) (float64, bool) {
	op := functions.OperatorByOID(x.Op)
	if op == nil || op.Restrict != "eqsel" || x.All || len(conjunctsVars(x.Left)) == 0 {
		return 0, false
	}
	st := l.columnStats(x.Left)
	elements, n := l.listed(x.Right)
	if st == nil || len(elements) == 0 {
		return 0, false
	}
	typ, d, sum := x.Left.ResultType(), l.distinctOf(x.Left), 0.0
	seen := map[string]bool{}
	for _, v := range elements {
		key := commonKey(v)
		if v.Null || seen[key] {
			continue
		}
		seen[key] = true
		sum += l.equalConstant(typ, st, d, v)
	}
	return math.Min(1-st.NullFraction, sum*float64(n)/float64(len(elements))), true
}

// listed returns the first elements of a list of constants and how many there are; none if
// one is not known.
func (l *level) listed(e plan.Expr) (elements []column.Datum, n int) {
	switch x := e.(type) {
	case *plan.ArrayOf:
		for _, a := range x.Args[:min(len(x.Args), maxListed)] {
			c, ok := a.(*plan.Const)
			if !ok || x.Multi {
				return nil, 0
			}
			elements = append(elements, c.Value)
		}
		return elements, len(x.Args)
	case *plan.Const:
		if typ := l.o.env.Types.Type(x.Typ.OID); x.Value.Null || typ == nil || typ.Elem == 0 {
			return nil, 0
		}
		a := types.ArrayFrom(x.Value)
		return a.Elems[:min(len(a.Elems), maxListed)], len(a.Elems)
	}
	return nil, 0
}

// commonKey names a value by its bits.
func commonKey(d column.Datum) string {
	if d.B != nil {
		return string(d.B)
	}
	var b [8]byte
	for i := range b {
		b[i] = byte(d.I >> (8 * i))
	}
	return string(b[:])
}

// joinCommon estimates a = b by the most common values of both, as PostgreSQL's
// eqjoinsel does: the product of the shares of values that both have, and what is left
// of each side against all that is left of the other.
func (l *level) joinCommon(left, right plan.Expr, nl, nr float64) (float64, bool) {
	a, b := l.columnStats(left), l.columnStats(right)
	if a == nil || b == nil || len(a.Common) == 0 || len(b.Common) == 0 {
		return 0, false
	}
	typ := left.ResultType()
	if typ.OID != right.ResultType().OID {
		return 0, false
	}
	both, matches, matchedA, matchedB := l.matchCommon(typ, a, b)
	restA, restB := newCommonRest(a, matchedA), newCommonRest(b, matchedB)
	s := math.Min(both+restA.against(restB, nr, matches), both+restB.against(restA, nl, matches))
	return math.Max(0, math.Min(1, s)), true
}

// matchCommon finds the values that two lists have in common: the sum of the products of their shares, their
// number, and their share on either side.
func (l *level) matchCommon(typ plan.Type, a, b *ColumnStatistics) (product float64, n int, inA, inB float64) {
	places := map[string]int{}
	same := types.ByOID(typ.OID)
	bits := same != nil && same.Kind == column.Int // equal if and only if their bits are
	for j, v := range b.Common {
		places[commonKey(v)] = j
	}
	for i, v := range a.Common {
		j, ok := places[commonKey(v)]
		for k := 0; !ok && !bits && k < len(b.Common); k++ {
			if l.o.env.Types.Equal(typ.OID, typ.Collation, v, b.Common[k]) {
				j, ok = k, true
			}
		}
		if ok {
			product += a.Frequencies[i] * b.Frequencies[j]
			inA += a.Frequencies[i]
			inB += b.Frequencies[j]
			n++
		}
	}
	return product, n, inA, inB
}

// commonRest is what the values that two sides share leave of one: the share of its other
// common values, their number with the shared ones, and the share of the rest.
type commonRest struct {
	unmatched, other float64
	common           int
}

func newCommonRest(st *ColumnStatistics, matched float64) commonRest {
	r := commonRest{common: len(st.Common), unmatched: -matched}
	for _, f := range st.Frequencies {
		r.unmatched += f
	}
	r.unmatched = math.Max(0, r.unmatched)
	r.other = math.Max(0, 1-st.NullFraction-matched-r.unmatched)
	return r
}

// against is the share of pairs of which neither value is shared, o having distinct values.
func (r commonRest) against(o commonRest, distinct float64, matches int) (s float64) {
	if d := distinct - float64(o.common); d > 0 {
		s += r.unmatched * o.other / d
	}
	if d := distinct - float64(matches); d > 0 {
		s += r.other * (o.other + o.unmatched) / d
	}
	return s
}
