package functions

import (
	"slices"
	"strings"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// feed calls f with group and row of every row present whose first argument is not NULL.
func feed(groups []int32, arg *column.Vec, sel []int32, n int, f func(g, r int)) {
	if arg.Len() == 1 && n != 1 {
		if !arg.Null(0) {
			feedAll(groups, sel, n, func(g, _ int) { f(g, 0) })
		}
		return
	}
	if !arg.Nulls.Any() {
		feedAll(groups, sel, n, f)
		return
	}
	feedAll(groups, sel, n, func(g, r int) {
		if !arg.Nulls.Get(r) {
			f(g, r)
		}
	})
}

// feedAll calls f with group and row of every row present.
func feedAll(groups []int32, sel []int32, n int, f func(g, r int)) {
	count := n
	if sel != nil {
		count = len(sel)
	}
	for i := range count {
		g, r := 0, i
		if groups != nil {
			g = int(groups[i])
		}
		if sel != nil {
			r = int(sel[i])
		}
		f(g, r)
	}
}

func growTo[T any](s []T, n int) []T {
	if n <= len(s) {
		return s
	}
	if n > cap(s) {
		grown := make([]T, n, max(n, 2*cap(s)))
		copy(grown, s)
		return grown
	}
	grown := s[:n]
	clear(grown[len(s):])
	return grown
}

// ---- count

// countAggs count rows.
var countAggs = map[string]func(c *Ctx) AggState{
	"count()":                   func(*Ctx) AggState { return &countState{} },
	"count(any)":                func(*Ctx) AggState { return &countState{skipNulls: 1} },
	"regr_count(float8,float8)": func(*Ctx) AggState { return &countState{skipNulls: 2} },
}

type countState struct {
	skipNulls int // how many leading arguments have to be not NULL
	counts    []int64
}

func (s *countState) Grow(n int) { s.counts = growTo(s.counts, n) }

func (s *countState) Accumulate(groups []int32, args []*column.Vec, sel []int32, n int) error {
	switch {
	case s.skipNulls == 0 || s.skipNulls == 1 && !args[0].Nulls.Any():
		rows := n
		if sel != nil {
			rows = len(sel)
		}
		if groups == nil {
			s.counts[0] += int64(rows)
			return nil
		}
		for _, g := range groups[:rows] {
			s.counts[g]++
		}
	case s.skipNulls == 1:
		feed(groups, args[0], sel, n, func(g, _ int) { s.counts[g]++ })
	default:
		feedAll(groups, sel, n, func(g, r int) {
			if !constDatum(args[0], r).Null && !constDatum(args[1], r).Null {
				s.counts[g]++
			}
		})
	}
	return nil
}

func (s *countState) Combine(other AggState, groups []int32) error {
	for i, g := range groups {
		s.counts[g] += other.(*countState).counts[i]
	}
	return nil
}

func (s *countState) Result(g int, _ []column.Datum) (column.Datum, error) {
	return intResult(s.counts[g])
}

// Results implements AggLane.
func (s *countState) Results(start, n int, v *column.Vec) { copy(v.I, s.counts[start:start+n]) }

func (s *countState) Reset(g int) { s.counts[g] = 0 }
func (s *countState) Size() int64 { return int64(8 * cap(s.counts)) }

// Remove implements AggRemover.
func (s *countState) Remove(g int, args []column.Datum) (bool, error) {
	for i := range s.skipNulls {
		if args[i].Null {
			return true, nil
		}
	}
	s.counts[g]--
	return true, nil
}

// ---- folding over int64 lanes: bool_and, bit_or, min and max of lanes

// laneFold keeps one int64 per group, NULL until a value came.
type laneFold struct {
	fold   func(a, b int64) int64
	all    func(a int64, lane []int64, rows []int32) int64 // fold over rows
	vals   []int64
	filled []bool
	lane   laneRows
}

func newLaneFold(fold func(a, b int64) int64, all func(a int64, lane []int64, rows []int32) int64) func(*Ctx) AggState {
	return func(*Ctx) AggState { return &laneFold{fold: fold, all: all} }
}

// foldAll is the loop of a fold that nobody waits for.
func foldAll(fold func(a, b int64) int64) func(a int64, lane []int64, rows []int32) int64 {
	return func(a int64, lane []int64, rows []int32) int64 {
		for _, r := range rows {
			a = fold(a, lane[r])
		}
		return a
	}
}

func maxOfLane(a int64, lane []int64, rows []int32) int64 {
	for _, r := range rows {
		a = max(a, lane[r])
	}
	return a
}

func minOfLane(a int64, lane []int64, rows []int32) int64 {
	for _, r := range rows {
		a = min(a, lane[r])
	}
	return a
}

func newBitFold(fold func(a, b int64) int64) func(*Ctx) AggState {
	return newLaneFold(fold, foldAll(fold))
}

func (s *laneFold) Grow(n int) {
	s.vals, s.filled = growTo(s.vals, n), growTo(s.filled, n)
}

func (s *laneFold) add(g int, v int64) {
	if s.filled[g] {
		v = s.fold(s.vals[g], v)
	}
	s.vals[g], s.filled[g] = v, true
}

func (s *laneFold) Accumulate(groups []int32, args []*column.Vec, sel []int32, n int) error {
	rows, ids := s.lane.of(groups, args[0], sel, n)
	lane := args[0].I
	if ids != nil {
		for i, r := range rows {
			s.add(int(ids[i]), lane[r])
		}
		return nil
	}
	if len(rows) == 0 {
		return nil
	}
	if !s.filled[0] {
		s.vals[0], s.filled[0] = lane[rows[0]], true
		rows = rows[1:]
	}
	s.vals[0] = s.all(s.vals[0], lane, rows)
	return nil
}

func (s *laneFold) Combine(other AggState, groups []int32) error {
	o := other.(*laneFold)
	for i, g := range groups {
		if o.filled[i] {
			s.add(int(g), o.vals[i])
		}
	}
	return nil
}

func (s *laneFold) Result(g int, _ []column.Datum) (column.Datum, error) {
	return column.Datum{I: s.vals[g], Null: !s.filled[g]}, nil
}

// Results implements AggLane.
func (s *laneFold) Results(start, n int, v *column.Vec) {
	copy(v.I, s.vals[start:start+n])
	unfilled(s.filled[start:start+n], v)
}

// unfilled makes the rows NULL that no value came for.
func unfilled(filled []bool, v *column.Vec) {
	for i, ok := range filled {
		if !ok {
			v.Nulls.Set(i)
		}
	}
}

func (s *laneFold) Reset(g int) { s.vals[g], s.filled[g] = 0, false }
func (s *laneFold) Size() int64 { return int64(9 * cap(s.vals)) }

// boolAggs fold booleans and bits.
var boolAggs = map[string]func(c *Ctx) AggState{}

// extremeAggs are min and max.
var extremeAggs = map[string]func(c *Ctx) AggState{}

func init() {
	and := newBitFold(func(a, b int64) int64 { return a & b })
	or := newBitFold(func(a, b int64) int64 { return a | b })
	xor := newBitFold(func(a, b int64) int64 { return a ^ b })
	boolAggs["bool_and(bool)"], boolAggs["every(bool)"], boolAggs["bool_or(bool)"] = and, and, or
	for _, t := range strings.Fields("int2 int4 int8") {
		boolAggs["bit_and("+t+")"], boolAggs["bit_or("+t+")"], boolAggs["bit_xor("+t+")"] = and, or, xor
	}
	for _, t := range strings.Fields("int2 int4 int8 oid date time timestamp timestamptz money xid8") {
		extremeAggs["max("+t+")"] = newLaneFold(func(a, b int64) int64 { return max(a, b) }, maxOfLane)
		extremeAggs["min("+t+")"] = newLaneFold(func(a, b int64) int64 { return min(a, b) }, minOfLane)
	}
	for _, t := range strings.Fields("float4 float8") {
		extremeAggs["max("+t+")"] = func(*Ctx) AggState { return &floatBest{sign: 1} }
		extremeAggs["min("+t+")"] = func(*Ctx) AggState { return &floatBest{sign: -1} }
	}
	for _, t := range strings.Fields("timetz interval text anyarray bpchar tid anyenum inet pg_lsn") {
		oid := types.ByName(t).OID
		extremeAggs["max("+t+")"] = func(c *Ctx) AggState { return newExtreme(c, oid, 1) }
		extremeAggs["min("+t+")"] = func(c *Ctx) AggState { return newExtreme(c, oid, -1) }
	}
}

// ---- min and max by a type's order

// extreme keeps the greatest (sign 1) or least (-1) datum of each group. Of equal values
// it keeps the later for min and max alike, as PostgreSQL's larger and smaller do.
type extreme struct {
	cmp  func(a, b column.Datum) int
	sign int
	vals []column.Datum
	held int64
}

func newExtreme(c *Ctx, oid OID, sign int) *extreme {
	if t := types.ByOID(oid); t.TypType == 'p' {
		oid = c.argType(0)
	}
	return &extreme{cmp: c.Env.Comparator(oid, c.Collation), sign: sign}
}

func (s *extreme) Grow(n int) {
	for len(s.vals) < n {
		s.vals = append(s.vals, column.Null())
	}
}

func (s *extreme) add(g int, d column.Datum) {
	old := &s.vals[g]
	if !old.Null && s.cmp(*old, d)*s.sign > 0 {
		return
	}
	s.held += int64(len(d.B) - len(old.B))
	buf := old.B[:0]
	*old = d
	if d.B != nil {
		old.B = append(buf, d.B...)
	}
}

func (s *extreme) Accumulate(groups []int32, args []*column.Vec, sel []int32, n int) error {
	feed(groups, args[0], sel, n, func(g, r int) { s.add(g, args[0].Datum(r)) })
	return nil
}

func (s *extreme) Combine(other AggState, groups []int32) error {
	for i, g := range groups {
		if d := other.(*extreme).vals[i]; !d.Null {
			s.add(int(g), d)
		}
	}
	return nil
}

func (s *extreme) Result(g int, _ []column.Datum) (column.Datum, error) {
	return s.vals[g].Clone(), nil
}
func (s *extreme) Reset(g int) { s.vals[g] = column.Null() }
func (s *extreme) Size() int64 { return int64(48*cap(s.vals)) + s.held }

// ---- aggregates row by row

// rowState is the state of one group of an aggregate that has no vector form.
type rowState interface {
	// add takes one row; NULLs included.
	add(c *Ctx, args []column.Datum) error
	result(c *Ctx, direct []column.Datum) (column.Datum, error)
	size() int64
}

// rowCombiner is implemented by row states that can take in another's partial result.
type rowCombiner interface {
	combine(c *Ctx, other rowState) error
}

// rowRemover is implemented by row states that can take a row back.
type rowRemover interface {
	remove(c *Ctx, args []column.Datum) (bool, error)
}

// rowStates makes an AggState of a row state per group.
type rowStates struct {
	c      *Ctx
	make   func(c *Ctx) rowState
	groups []rowState
	args   []column.Datum
	work   int // bytes added since somebody looked whether they are too many
}

func byRow(f func(c *Ctx) rowState) func(*Ctx) AggState {
	return func(c *Ctx) AggState { return &rowStates{c: c, make: f} }
}

func (s *rowStates) Grow(n int) {
	s.groups = slices.Grow(s.groups, max(0, n-len(s.groups)))
	for len(s.groups) < n {
		s.groups = append(s.groups, s.make(s.c))
	}
}

func (s *rowStates) Accumulate(groups []int32, args []*column.Vec, sel []int32, n int) error {
	s.args = growTo(s.args, len(args))
	var err error
	feedAll(groups, sel, n, func(g, r int) {
		if err != nil {
			return
		}
		for i, a := range args {
			s.args[i] = constDatum(a, r)
			s.work += len(s.args[i].B)
		}
		if err = s.groups[g].add(s.c, s.args[:len(args)]); err == nil && s.work >= largeState {
			s.work = 0
			err = s.c.Room(s.groups[g].size())
		}
	})
	return err
}

func (s *rowStates) Combine(other AggState, groups []int32) error {
	for i, g := range groups {
		into, ok := s.groups[g].(rowCombiner)
		if !ok {
			return pgerr.Unsupported("this aggregate cannot be computed in parts")
		}
		if err := into.combine(s.c, other.(*rowStates).groups[i]); err != nil {
			return err
		}
	}
	return nil
}

// CanCombine reports whether the states of parts of the rows can be put together.
func CanCombine(s AggState) bool {
	r, ok := s.(*rowStates)
	if !ok {
		return true
	}
	_, ok = r.make(r.c).(rowCombiner)
	return ok
}

// largeState is how many bytes a state holds when its result takes so long that a cancelled statement should not wait for it.
const largeState = 2 << 20

func (s *rowStates) Result(g int, direct []column.Datum) (column.Datum, error) {
	if state := s.groups[g]; s.c.Left != nil && state.size() >= largeState && builtIns(s.c) {
		return leaving(s.c, direct, state.result)
	}
	return s.groups[g].result(s.c, direct)
}

func (s *rowStates) Reset(g int) { s.groups[g] = s.make(s.c) }

func (s *rowStates) Size() int64 {
	total := int64(16 * cap(s.groups))
	for _, g := range s.groups {
		total += g.size()
	}
	return total
}

// Remove implements AggRemover.
func (s *rowStates) Remove(g int, args []column.Datum) (bool, error) {
	if r, ok := s.groups[g].(rowRemover); ok {
		return r.remove(s.c, args)
	}
	return false, nil
}
