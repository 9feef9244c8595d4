package planner

import (
	"math"
	"slices"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// What is assumed where nothing is known; PostgreSQL's values.
const (
	selEqual   = 0.005
	selRange   = 1.0 / 3
	selBetween = 0.005
	selLike    = 0.05
	selDefault = 0.5
	selNull    = 0.005
	distinct   = 200.0
)

// selectivity estimates the fraction of rows for which condition c is true.
func (l *level) selectivity(c plan.Expr) float64 {
	if s, ok := l.fractions[c]; ok {
		return s
	}
	s := math.Max(0, math.Min(1, l.rawSelectivity(c)))
	if l.fractions == nil {
		l.fractions = map[plan.Expr]float64{}
	}
	l.fractions[c] = s
	return s
}

// selectivityAll estimates the fraction of rows for which all conditions are true. They are taken to be independent, but
// for a lower and an upper limit on the same value: these cut the rows at both ends.
func (l *level) selectivityAll(cs []plan.Expr) float64 {
	cs, s := l.selectivityTogether(cs)
	var limits []limit
	for _, c := range cs {
		if m, ok := l.limitOf(c); ok {
			limits = append(limits, m)
			continue
		}
		s *= l.selectivity(c)
	}
	for i, a := range limits {
		if a.paired {
			continue
		}
		k := slices.IndexFunc(limits[i+1:], func(b limit) bool { return !b.paired && b.lower != a.lower && plan.Same(a.value, b.value) })
		if k < 0 {
			s *= a.share
			continue
		}
		b := &limits[i+1+k]
		b.paired = true
		s *= between(a.share, b.share)
	}
	return s
}

// limit is a condition that cuts off what lies above or below a value.
type limit struct {
	value  plan.Expr
	lower  bool
	share  float64
	paired bool
}

// between is the share of rows between two limits that each leave the given shares.
func between(a, b float64) float64 {
	if a == selRange && b == selRange {
		return selBetween
	}
	if both := a + b - 1; both > 0 {
		return both
	}
	return 1e-6
}

func (l *level) limitOf(e plan.Expr) (limit, bool) {
	x, ok := e.(*plan.Call)
	if !ok || len(x.Args) != 2 {
		return limit{}, false
	}
	op := functions.OperatorByOID(x.Op)
	if op == nil || op.Result != types.BoolOID {
		return limit{}, false
	}
	less := op.Restrict == "scalarltsel" || op.Restrict == "scalarlesel"
	if !less && op.Restrict != "scalargtsel" && op.Restrict != "scalargesel" {
		return limit{}, false
	}
	left, right := relsOf(x.Args[0]), relsOf(x.Args[1])
	switch {
	case right.empty() && !left.empty():
		return limit{value: x.Args[0], lower: !less, share: l.selectivity(e)}, true
	case left.empty() && !right.empty():
		return limit{value: x.Args[1], lower: less, share: l.selectivity(e)}, true
	}
	return limit{}, false
}

func (l *level) rawSelectivity(c plan.Expr) float64 {
	switch x := c.(type) {
	case *plan.Const:
		if x.Value.Bool() {
			return 1
		}
		return 0
	case *plan.BoolOp:
		switch x.Op {
		case plan.And:
			return l.selectivityAll(x.Args)
		case plan.Or:
			s := 0.0
			for _, a := range x.Args {
				t := l.selectivity(a)
				s += t - s*t
			}
			return s
		}
		return 1 - l.selectivity(x.Args[0])
	case *plan.NullTest:
		s := selNull
		if st := l.columnStats(x.Arg); st != nil {
			s = st.NullFraction
		}
		if x.Not {
			return 1 - s
		}
		return s
	case *plan.Call:
		return l.callSelectivity(x)
	case *plan.ArrayOp:
		return l.arraySelectivity(x)
	case *plan.SubPlan, *plan.SubLink:
		return selDefault
	case *plan.Var:
		return selDefault
	}
	return selDefault
}

func (l *level) callSelectivity(x *plan.Call) float64 {
	op := functions.OperatorByOID(x.Op)
	if op == nil || len(x.Args) != 2 {
		return selRange
	}
	left, right := x.Args[0], x.Args[1]
	if _, ok := strip(right).(*plan.Var); ok && len(conjunctsVars(left)) == 0 {
		left, right = right, left
		if c := functions.OperatorByOID(op.Commutator); c != nil {
			op = c
		}
	}
	switch op.Restrict {
	case "eqsel":
		return l.equalSelectivity(left, right)
	case "neqsel":
		return 1 - l.equalSelectivity(left, right)
	case "scalarltsel", "scalarlesel":
		return l.rangeSelectivity(left, right, true)
	case "scalargtsel", "scalargesel":
		return l.rangeSelectivity(left, right, false)
	case "likesel", "iclikesel", "regexeqsel", "icregexeqsel", "prefixsel":
		return selLike
	case "nlikesel", "icnlikesel", "regexnesel", "icregexnesel":
		return 1 - selLike
	}
	if s, ok := containment[op.Restrict]; ok {
		return s
	}
	return selRange
}

// containment has PostgreSQL's estimates for operators of which nothing is known but their estimator.
var containment = map[string]float64{"contsel": 0.001, "arraycontsel": 0.005, "matchingsel": 0.01, "areasel": 0.005, "positionsel": 0.1}

func conjunctsVars(e plan.Expr) (vars []*plan.Var) {
	plan.Walk(e, func(x plan.Expr) bool {
		if v, ok := x.(*plan.Var); ok && v.Level == 0 {
			vars = append(vars, v)
		}
		return true
	})
	return vars
}

func (l *level) equalSelectivity(left, right plan.Expr) float64 {
	nl := l.distinctOf(left)
	if len(conjunctsVars(right)) > 0 { // join clause
		if len(l.fixed) > 0 && l.isFixed(left) && l.isFixed(right) {
			return 1 // both sides have been restricted to the same value already
		}
		nr := l.distinctOf(right)
		if s, ok := l.joinCommon(left, right, nl, nr); ok {
			return s
		}
		return 1 / math.Max(1, math.Max(nl, nr))
	}
	if c, ok := right.(*plan.Const); ok && !c.Value.Null {
		if st := l.columnStats(left); st != nil {
			return l.equalConstant(left.ResultType(), st, nl, c.Value)
		}
	}
	return 1 / math.Max(1, nl)
}

// rangeSelectivity estimates column < constant (or >) by the histogram.
func (l *level) rangeSelectivity(left, right plan.Expr, below bool) float64 {
	st := l.columnStats(left)
	c, ok := right.(*plan.Const)
	if !ok || st == nil || len(st.Histogram) < 2 || c.Value.Null {
		return selRange
	}
	value, ok := sameScale(left.ResultType().OID, right.ResultType().OID, c.Value)
	if !ok {
		return selRange
	}
	f := l.histogramFraction(left.ResultType(), st.Histogram, value)
	common, sum := 0.0, 0.0
	for i, v := range st.Common {
		sum += st.Frequencies[i]
		if l.o.env.Types.Compare(left.ResultType().OID, left.ResultType().Collation, v, value) < 0 {
			common += st.Frequencies[i]
		}
	}
	s := common + f*math.Max(0, 1-sum-st.NullFraction)
	if !below {
		s = 1 - st.NullFraction - s
	}
	return math.Max(s, 1e-6)
}

// sameScale turns a constant of one type into the value of a column's type that it is compared with, about.
func sameScale(of, constant plan.OID, v column.Datum) (column.Datum, bool) {
	const day = 24 * 3600 * 1_000_000
	isInt := func(t plan.OID) bool { return t == types.Int2OID || t == types.Int4OID || t == types.Int8OID }
	isStamp := func(t plan.OID) bool { return t == types.TimestampOID || t == types.TimestamptzOID }
	switch {
	case of == constant, isInt(of) && isInt(constant), isStamp(of) && isStamp(constant):
		return v, true
	case of == types.DateOID && isStamp(constant):
		v.I /= day
		return v, true
	case isStamp(of) && constant == types.DateOID:
		if v.I > math.MinInt64/day && v.I < math.MaxInt64/day {
			v.I *= day
		}
		return v, true
	case of == types.NumericOID && isInt(constant):
		return types.NumericFromInt64(v.I).Datum(), true
	}
	return v, false
}

// histogramFraction returns the fraction of the histogram below v.
func (l *level) histogramFraction(typ plan.Type, h []column.Datum, v column.Datum) float64 {
	lo, hi := 0, len(h)
	for lo < hi {
		mid := (lo + hi) / 2
		if l.o.env.Types.Compare(typ.OID, typ.Collation, h[mid], v) < 0 {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	switch lo {
	case 0:
		return 0
	case len(h):
		return 1
	}
	within := 0.5
	if a, b, x := numberOf(typ, h[lo-1]), numberOf(typ, h[lo]), numberOf(typ, v); b > a {
		within = (x - a) / (b - a)
	}
	return (float64(lo-1) + within) / float64(len(h)-1)
}

// numberOf places a value on a line, for interpolation; 0 where it cannot.
func numberOf(typ plan.Type, d column.Datum) float64 {
	switch t := types.ByOID(typ.OID); {
	case t == nil:
		return 0
	case t.Kind == column.Int:
		return float64(d.I)
	case t.Kind == column.Float:
		return d.Float()
	}
	n := 0.0
	for i := range 6 {
		n *= 256
		if i < len(d.B) {
			n += float64(d.B[i])
		}
	}
	return n
}

func (l *level) arraySelectivity(x *plan.ArrayOp) float64 {
	if s, ok := l.listSelectivity(x); ok {
		return s
	}
	n := 10.0
	if a, ok := x.Right.(*plan.ArrayOf); ok {
		n = float64(len(a.Args))
	}
	op := functions.OperatorByOID(x.Op)
	one := selRange
	if op != nil {
		switch op.Restrict {
		case "eqsel":
			one = l.equalSelectivity(x.Left, &plan.CaseTest{Base: plan.Base{Typ: x.Left.ResultType()}})
		case "neqsel":
			one = 1 - l.equalSelectivity(x.Left, &plan.CaseTest{Base: plan.Base{Typ: x.Left.ResultType()}})
		}
	}
	if x.All {
		return math.Pow(one, n)
	}
	return math.Min(1, one*n)
}

// columnStats returns the statistics of a plain table column, nil if e is none.
func (l *level) columnStats(e plan.Expr) *ColumnStatistics {
	v, ok := strip(e).(*plan.Var)
	if !ok || v.Level > 0 || v.Attr < 0 {
		return nil
	}
	r := l.q.Rels[v.Rel]
	if r.Kind != plan.RelTable || l.o.env.Statistics == nil {
		return nil
	}
	key := columnOf{r.Table.OID, v.Attr}
	st, known := l.o.columns[key]
	if !known {
		st = l.o.env.Statistics.Column(r.Table, v.Attr)
		if l.o.columns == nil {
			l.o.columns = map[columnOf]*ColumnStatistics{}
		}
		l.o.columns[key] = st
	}
	return st
}

// columnOf names an attribute (0-based) of a table.
type columnOf struct {
	table catalog.OID
	attr  int
}

// distinctOf estimates the number of distinct values of e.
func (l *level) distinctOf(e plan.Expr) float64 {
	vars := conjunctsVars(e)
	if len(vars) == 0 {
		return 1
	}
	n := 1.0
	for _, v := range vars {
		n *= l.distinctVar(v)
	}
	if _, plain := strip(e).(*plan.Var); !plain { // a function of columns: nobody knows, unless statistics tell
		if known, ok := l.expressionDistinct(e, vars[0].Rel); ok {
			return math.Max(1, known)
		}
		n = math.Min(n, distinct)
	}
	return n
}

func (l *level) distinctVar(v *plan.Var) float64 {
	r := l.q.Rels[v.Rel]
	if r.Kind != plan.RelTable || v.Attr < 0 {
		if r.Kind == plan.RelTable && v.Attr == plan.AttrKey {
			return l.tableRows(v.Rel)
		}
		return distinct
	}
	rows := l.tableRows(v.Rel)
	if l.isUniqueColumn(r, v.Attr) {
		return math.Max(1, rows)
	}
	typ := r.Columns[v.Attr].Type.OID
	if typ == types.BoolOID {
		return 2
	}
	if st := l.columnStats(v); st != nil && st.Distinct != 0 {
		if st.Distinct < 0 {
			return math.Max(1, -st.Distinct*rows)
		}
		return st.Distinct
	}
	return math.Max(1, math.Min(rows, math.Max(distinct, rows/10)))
}

// isUniqueColumn reports whether one column alone is a key of its table.
func (l *level) isUniqueColumn(r *plan.Rel, attr int) bool {
	for _, oid := range r.Table.Indexes {
		ix := l.o.env.Catalog.Index(oid)
		if ix != nil && ix.Unique && ix.Predicate == nil && len(ix.Keys) == 1 && int(ix.Keys[0].Column) == attr+1 {
			return true
		}
	}
	return false
}

func (l *level) tableRows(rel int) float64 {
	r := l.q.Rels[rel]
	if r.Kind == plan.RelTable && l.o.env.Statistics != nil && (r.Table.Store != 0 || r.Table.Kind == catalog.KindVirtual) {
		rows, _ := l.o.env.Statistics.Rows(r.Table)
		return math.Max(1, rows)
	}
	return 1000
}
