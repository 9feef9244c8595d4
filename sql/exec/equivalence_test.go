package exec

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/internal/clock"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// randomRows makes literal rows of (int4 or NULL, text or NULL, float8).
func randomRows(r *rand.Rand, n, distinct int) *plan.Values {
	ts := []plan.Type{int4T, textT, floatT}
	rows := make([][]plan.Expr, n)
	for i := range rows {
		a, b := i4(int64(r.IntN(distinct))-2), tx(fmt.Sprint("v", r.IntN(distinct)))
		if r.IntN(10) == 0 {
			a = null(int4T)
		}
		if r.IntN(10) == 0 {
			b = null(textT)
		}
		rows[i] = []plan.Expr{a, b, &plan.Const{Base: plan.Base{Typ: floatT}, Value: column.FloatDatum(float64(r.IntN(1000)) / 4)}}
	}
	return values(ts, rows...)
}

var lefts = []plan.Type{int4T, textT, floatT}

// knobSettings are ways of running a plan that must not show in its answer.
func knobSettings() map[string]Knobs {
	return map[string]Knobs{
		"plain": {}, "row at a time": {RowAtATime: true}, "tiny batches": {BatchSize: 3}, "spill": {AlwaysSpill: true},
		"spill tiny": {AlwaysSpill: true, BatchSize: 7}, "unpacked": {NoPacking: true},
	}
}

// same runs a plan with every knob and compares the rows, sorted unless ordered.
func (w *world) same(t *testing.T, name string, n plan.Node, ordered bool) []string {
	t.Helper()
	var want []string
	for _, knob := range []string{"plain", "row at a time", "tiny batches", "spill", "spill tiny", "unpacked"} {
		w.knobs = knobSettings()[knob]
		got, err := w.try(n)
		if err != nil {
			t.Fatalf("%s, %s: %v", name, knob, err)
		}
		if !ordered {
			slices.Sort(got)
		}
		if knob == "plain" {
			want = got
		} else if !slices.Equal(got, want) {
			t.Errorf("%s, %s: %d rows differ from the plain run's %d\n%.300q\n%.300q", name, knob, len(got), len(want), got, want)
		}
	}
	w.knobs = Knobs{}
	return want
}

func TestKnobsDoNotShow(t *testing.T) {
	w := newWorld(t)
	r := rand.New(rand.NewPCG(5, 6))
	in := randomRows(r, 1500, 40)
	a, b := sl(0, int4T), sl(1, textT)
	w.same(t, "filter", &plan.Filter{NodeInfo: *in.Info(), Input: in, Cond: &plan.BoolOp{Base: plan.Base{Typ: boolT}, Op: plan.Or, Args: []plan.Expr{
		op("<", a, i4(3)), &plan.BoolOp{Base: plan.Base{Typ: boolT}, Op: plan.And, Args: []plan.Expr{op("=", b, tx("v7")), op(">", sl(2, floatT), sl(2, floatT))}}, op(">", a, i4(30)),
	}}}, true)
	w.same(t, "sort", sorted(in, plan.SortKey{Expr: b, Desc: true}, asc(0, int4T), asc(2, floatT)), true)
	top := sorted(in, asc(2, floatT), asc(0, int4T), asc(1, textT))
	top.Limit = i8(50)
	full := w.same(t, "sort all", sorted(in, asc(2, floatT), asc(0, int4T), asc(1, textT)), true)
	got := w.same(t, "top", &plan.Limit{NodeInfo: *in.Info(), Input: top, Count: i8(50)}, true)
	if !slices.Equal(got, full[:50]) {
		t.Error("top-N differs from the start of the whole order")
	}
	for _, keys := range [][]plan.SortKey{{asc(0, int4T)}, {asc(1, textT)}, {asc(0, int4T), asc(1, textT)}} {
		g := &plan.Aggregate{Input: in, Strategy: plan.HashAgg, Keys: keys, Aggs: []*plan.Agg{
			agg("count()"), agg("sum(int4)", a), agg("min(text)", b), agg("max(float8)", sl(2, floatT)),
		}}
		d := agg("count(any)", b)
		d.Distinct = true
		f := agg("sum(int4)", a)
		f.Filter = op("=", b, tx("v3"))
		g.Aggs = append(g.Aggs, d, f)
		var ts []plan.Type
		for _, k := range keys {
			ts = append(ts, k.Expr.ResultType())
		}
		for _, x := range g.Aggs {
			ts = append(ts, x.Typ)
		}
		g.NodeInfo = info(ts...)
		hashed := w.same(t, "group", g, false)
		s := *g
		s.Strategy, s.Input = plan.SortedAgg, sorted(in, keys...)
		if ordered := w.same(t, "sorted group", &s, true); len(ordered) != len(hashed) {
			t.Errorf("sorted aggregation gives %d groups, hashed %d", len(ordered), len(hashed))
		}
	}
}

func TestJoinsAgree(t *testing.T) {
	w := newWorld(t)
	r := rand.New(rand.NewPCG(7, 8))
	for _, size := range [][2]int{{120, 150}, {0, 50}, {50, 0}} {
		left, right := randomRows(r, size[0], 60), randomRows(r, size[1], 60)
		lk, rk := []plan.Expr{sl(0, int4T), sl(1, textT)}, []plan.Expr{sl(0, int4T), sl(1, textT)}
		for keys := 1; keys <= 2; keys++ {
			on := []plan.Expr{op("=", sl(0, int4T), sl(3, int4T)), op("=", sl(1, textT), sl(4, textT))}[:keys]
			extra := op("<", sl(2, floatT), sl(5, floatT))
			eq := []*functions.Func{fn("=", 23, 23), fn("=", 25, 25)}[:keys]
			for kind := plan.InnerJoin; kind <= plan.AntiJoin; kind++ {
				out := info(append(slices.Clone(lefts), lefts...)...)
				if kind >= plan.SemiJoin {
					out = info(lefts...)
				}
				name := fmt.Sprint("join ", kind, " on ", keys, " of ", size)
				cond := &plan.BoolOp{Base: plan.Base{Typ: boolT}, Op: plan.And, Args: append(slices.Clone(on), extra)}
				nest := w.same(t, name, &plan.NestLoop{NodeInfo: out, Kind: kind, Left: left, Right: &plan.Materialize{NodeInfo: *right.Info(), Input: right}, Cond: cond}, false)
				hash := w.same(t, name+" hash", &plan.HashJoin{NodeInfo: out, Kind: kind, Left: left, Right: right, LeftKeys: lk[:keys], RightKeys: rk[:keys], Equal: eq, Cond: extra}, false)
				orders := []plan.SortKey{asc(0, int4T), asc(1, textT)}[:keys]
				merge := w.same(t, name+" merge", &plan.MergeJoin{
					NodeInfo: out, Kind: kind, Left: sorted(left, orders...), Right: sorted(right, orders...),
					LeftKeys: lk[:keys], RightKeys: rk[:keys], Orders: orders, Cond: extra,
				}, false)
				if !slices.Equal(nest, hash) || !slices.Equal(nest, merge) {
					t.Errorf("%s: %d rows by loops, %d by hashing, %d by merging", name, len(nest), len(hash), len(merge))
				}
			}
		}
	}
}

func TestNotInKeepsNullSemantics(t *testing.T) {
	w := newWorld(t)
	one := []plan.Type{int4T}
	left := values(one, []plan.Expr{i4(1)}, []plan.Expr{i4(2)}, []plan.Expr{null(int4T)})
	anti := func(right plan.Node) *plan.HashJoin {
		return &plan.HashJoin{
			NodeInfo: info(one...), Kind: plan.AntiNullJoin, Left: left, Right: right,
			LeftKeys: []plan.Expr{sl(0, int4T)}, RightKeys: []plan.Expr{sl(0, int4T)}, Equal: []*functions.Func{fn("=", 23, 23)},
		}
	}
	w.expect(anti(values(one, []plan.Expr{i4(2)}, []plan.Expr{i4(3)})), "1")
	w.expect(anti(values(one, []plan.Expr{i4(2)}, []plan.Expr{null(int4T)})))
	w.expect(anti(values(one)), "1", "2", "~")
}

func TestBranchesAreLazy(t *testing.T) {
	w := newWorld(t)
	in := values([]plan.Type{int4T}, []plan.Expr{i4(0)}, []plan.Expr{i4(5)})
	a := sl(0, int4T)
	div := op("/", i4(10), a)
	isZero := op("=", a, i4(0))
	b := func(k plan.BoolKind, args ...plan.Expr) plan.Expr {
		return &plan.BoolOp{Base: plan.Base{Typ: boolT}, Op: k, Args: args}
	}
	for _, knob := range []Knobs{{}, {RowAtATime: true}} {
		w.knobs = knob
		w.expect(project(in, &plan.Case{Base: plan.Base{Typ: int4T}, When: []plan.When{{Cond: isZero, Result: i4(-1)}}, Else: div}), "-1", "2")
		w.expect(project(in, b(plan.Or, isZero, op(">", div, i4(1)))), "t", "t")
		w.expect(project(in, b(plan.And, b(plan.Not, isZero), op(">", div, i4(1)))), "f", "t")
		w.expect(project(in, &plan.Coalesce{Base: plan.Base{Typ: int4T}, Args: []plan.Expr{
			&plan.Case{Base: plan.Base{Typ: int4T}, When: []plan.When{{Cond: isZero, Result: i4(7)}}}, div,
		}}), "7", "2")
		if _, err := w.try(project(in, div)); !pgerr.Is(err, pgerr.DivisionByZero) {
			t.Errorf("division by zero gives %v", err)
		}
		// A constant part that fails is computed only where it is reached.
		bad := op("/", i4(1), i4(0))
		w.expect(project(in, &plan.Case{Base: plan.Base{Typ: int4T}, When: []plan.When{{Cond: op(">=", a, i4(0)), Result: a}}, Else: bad}), "0", "5")
	}
}

func TestThreeValuedLogic(t *testing.T) {
	w := newWorld(t)
	bools := []plan.Expr{&plan.Const{Base: plan.Base{Typ: boolT}, Value: column.BoolDatum(true)}, &plan.Const{Base: plan.Base{Typ: boolT}}, null(boolT)}
	var rows [][]plan.Expr
	for _, x := range bools {
		for _, y := range bools {
			rows = append(rows, []plan.Expr{x, y})
		}
	}
	in := values([]plan.Type{boolT, boolT}, rows...)
	x, y := sl(0, boolT), sl(1, boolT)
	b := func(k plan.BoolKind, args ...plan.Expr) plan.Expr {
		return &plan.BoolOp{Base: plan.Base{Typ: boolT}, Op: k, Args: args}
	}
	got := w.same(t, "logic", project(in, b(plan.And, x, y), b(plan.Or, x, y), b(plan.Not, x), &plan.BoolTest{Base: plan.Base{Typ: boolT}, Arg: x, Kind: plan.IsNotTrue}), true)
	want := []string{"t t f f", "f t f f", "~ t f f", "f t t t", "f f t t", "f ~ t t", "~ t ~ t", "f ~ ~ t", "~ ~ ~ t"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestSetOperations(t *testing.T) {
	w := newWorld(t)
	one := []plan.Type{int4T}
	vals := func(vs ...int64) plan.Node {
		v := values(one)
		for _, x := range vs {
			v.Rows = append(v.Rows, []plan.Expr{i4(x)})
		}
		return v
	}
	l, r := vals(1, 1, 1, 2, 3), vals(1, 3, 3, 4)
	for _, c := range []struct {
		kind plan.SetOpKind
		all  bool
		want []string
	}{
		{plan.Intersect, false, []string{"1", "3"}}, {plan.Intersect, true, []string{"1", "3"}},
		{plan.Except, false, []string{"2"}}, {plan.Except, true, []string{"1", "1", "2"}},
	} {
		w.expect(&plan.SetOperation{NodeInfo: info(one...), Kind: c.kind, All: c.all, Left: l, Right: r}, c.want...)
	}
	w.expect(&plan.Append{NodeInfo: info(one...), Inputs: []plan.Node{vals(1), vals(), vals(2)}}, "1", "2")
	w.expect(&plan.Unique{NodeInfo: info(one...), Input: l, Keys: []plan.SortKey{asc(0, int4T)}}, "1", "2", "3")
}

// TestSetOperationsSpill gives one answer in memory, in partitions and in
// partitions of partitions, with repeated rows and NULLs, and leaves no file behind.
func TestSetOperationsSpill(t *testing.T) {
	w := newWorld(t)
	r := rand.New(rand.NewPCG(11, 12))
	a, b := randomRows(r, 4000, 60), randomRows(r, 4000, 60)
	for _, kind := range []plan.SetOpKind{plan.Intersect, plan.Except} {
		for _, all := range []bool{false, true} {
			n := &plan.SetOperation{NodeInfo: *a.Info(), Kind: kind, All: all, Left: project(a, sl(0, int4T), sl(1, textT)), Right: project(b, sl(0, int4T), sl(1, textT))}
			n.NodeInfo = info(int4T, textT)
			want := w.same(t, fmt.Sprintf("set operation %d all %v", kind, all), n, false)
			s := w.begin(engine.TxnOptions{})
			rt := s.runtime()
			rt.MemoryLimit, rt.Instrument, rt.Clock = 8<<10, true, clock.System()
			st := &plan.Statement{Root: n}
			got, _, err := collect(rt, st)
			w.check(err)
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("set operation %d all %v: %d rows with little memory, %d without a limit", kind, all, len(got), len(want))
			}
			rows, err := Run(rt, st)
			w.check(err)
			var first column.Batch
			_, err = rows.Next(&first) // the end comes with files still waiting
			w.check(err)
			rows.Close()
			if f := rows.Stats(n); f == nil || f.Parts == 0 || f.Spilled == 0 {
				t.Errorf("nothing was spilled: %+v", f)
			}
			if names, err := w.fs.List(rt.TempDir); err == nil && len(names) > 0 {
				t.Errorf("files are left: %q", names)
			}
			w.check(s.txn.Rollback())
		}
	}
}

func TestRecursionEnds(t *testing.T) {
	w := newWorld(t)
	one := info(int4T)
	step := &plan.Filter{NodeInfo: one, Input: &plan.WorkTableScan{NodeInfo: one, ID: 1}, Cond: op("<", sl(0, int4T), i4(5))}
	n := &plan.RecursiveUnion{
		NodeInfo: one, ID: 1, Base: values([]plan.Type{int4T}, []plan.Expr{i4(1)}), Step: project(step, op("+", sl(0, int4T), i4(1))), All: true,
	}
	w.expect(n, "1", "2", "3", "4", "5")
	loop := *n
	loop.All, loop.Step = false, project(&plan.WorkTableScan{NodeInfo: one, ID: 1}, op("%", op("+", sl(0, int4T), i4(1)), i4(3)))
	w.expect(&loop, "1", "2", "0")
}

func TestSubqueries(t *testing.T) {
	w := newWorld(t)
	one := info(int4T)
	in := values([]plan.Type{int4T}, []plan.Expr{i4(1)}, []plan.Expr{i4(2)}, []plan.Expr{null(int4T)})
	inner := func(vals ...plan.Expr) *plan.Values {
		v := values([]plan.Type{int4T})
		for _, x := range vals {
			v.Rows = append(v.Rows, []plan.Expr{x})
		}
		return v
	}
	run := func(e plan.Expr, sub plan.Node) []string {
		return w.query(project(in, e), &plan.Plan{Root: sub, Uses: []int{3}})
	}
	eq := fn("=", 23, 23)
	base := plan.Base{Typ: boolT}
	outer := &plan.Exec{Base: plan.Base{Typ: int4T}, ID: 3}
	params := []plan.SubParam{{ID: 3, Expr: sl(0, int4T)}}
	correlated := &plan.Filter{NodeInfo: one, Input: inner(i4(2), i4(3)), Cond: op("=", sl(0, int4T), outer)}
	test := op("=", sl(0, int4T), &plan.SubColumn{Base: plan.Base{Typ: int4T}})
	for name, c := range map[string]struct {
		e    plan.Expr
		sub  plan.Node
		want []string
	}{
		"exists": {&plan.SubPlan{Base: base, Kind: plan.SubExists, Params: params}, correlated, []string{"f", "t", "f"}},
		"scalar": {&plan.SubPlan{Base: plan.Base{Typ: int4T}, Kind: plan.SubScalar, Params: params}, correlated, []string{"~", "2", "~"}},
		"any":    {&plan.SubPlan{Base: base, Kind: plan.SubAny, Test: test}, inner(i4(2), null(int4T)), []string{"~", "t", "~"}},
		"all":    {&plan.SubPlan{Base: base, Kind: plan.SubAll, Test: test}, inner(i4(2), i4(2)), []string{"f", "t", "~"}},
		"hashed": {&plan.SubPlan{Base: base, Kind: plan.SubAny, Test: test, Hashed: true, HashLeft: []plan.Expr{sl(0, int4T)}, HashRight: []int{0}, HashEqual: []*functions.Func{eq}},
			inner(i4(2), null(int4T)), []string{"~", "t", "~"}},
		"hashed none": {&plan.SubPlan{Base: base, Kind: plan.SubAny, Test: test, Hashed: true, HashLeft: []plan.Expr{sl(0, int4T)}, HashRight: []int{0}, HashEqual: []*functions.Func{eq}},
			inner(), []string{"f", "f", "f"}},
	} {
		if got := run(c.e, c.sub); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
	two := &plan.SubPlan{Base: plan.Base{Typ: int4T}, Kind: plan.SubScalar}
	if _, err := w.try(project(in, two), &plan.Plan{Root: inner(i4(1), i4(2))}); !pgerr.Is(err, pgerr.CardinalityViolation) {
		t.Errorf("two rows for a scalar give %v", err)
	}
}

func TestWindows(t *testing.T) {
	w := newWorld(t)
	ts := []plan.Type{textT, int4T}
	in := values(ts, []plan.Expr{tx("a"), i4(1)}, []plan.Expr{tx("a"), i4(2)}, []plan.Expr{tx("a"), i4(2)}, []plan.Expr{tx("a"), i4(5)}, []plan.Expr{tx("b"), i4(3)})
	call := func(a *plan.Agg) *plan.WindowCall { return &plan.WindowCall{Base: a.Base, Func: a.Func, Args: a.Args} }
	win := func(f plan.Frame) *plan.WindowAgg {
		sum := call(agg("sum(int4)", sl(1, int4T)))
		return &plan.WindowAgg{NodeInfo: info(textT, int4T, int8T), Input: in, Calls: []*plan.WindowCall{sum},
			Window: &plan.Window{PartitionBy: []plan.SortKey{asc(0, textT)}, OrderBy: []plan.SortKey{asc(1, int4T)}, Frame: f}}
	}
	for name, c := range map[string]struct {
		frame plan.Frame
		sums  []string
	}{
		"range":        {plan.Frame{Start: plan.UnboundedPreceding, End: plan.CurrentRow}, []string{"1", "5", "5", "10", "3"}},
		"rows":         {plan.Frame{Mode: plan.RowsFrame, Start: plan.OffsetPreceding, StartOffset: i8(1), End: plan.CurrentRow}, []string{"1", "3", "4", "7", "3"}},
		"groups":       {plan.Frame{Mode: plan.GroupsFrame, Start: plan.OffsetPreceding, StartOffset: i8(1), End: plan.CurrentRow}, []string{"1", "5", "5", "9", "3"}},
		"exclude row":  {plan.Frame{Start: plan.UnboundedPreceding, End: plan.UnboundedFollowing, Exclude: 'r'}, []string{"9", "8", "8", "5", "~"}},
		"exclude ties": {plan.Frame{Start: plan.UnboundedPreceding, End: plan.UnboundedFollowing, Exclude: 't'}, []string{"10", "8", "8", "10", "3"}},
		"exclude peer": {plan.Frame{Start: plan.UnboundedPreceding, End: plan.UnboundedFollowing, Exclude: 'g'}, []string{"9", "6", "6", "5", "~"}},
		"following":    {plan.Frame{Mode: plan.RowsFrame, Start: plan.OffsetFollowing, StartOffset: i8(1), End: plan.UnboundedFollowing}, []string{"9", "7", "5", "~", "~"}},
	} {
		got := w.same(t, name, win(c.frame), true)
		for i, line := range got {
			want := fmt.Sprintf("%s %s", []string{"a 1", "a 2", "a 2", "a 5", "b 3"}[i], c.sums[i])
			if line != want {
				t.Errorf("%s: got %q, want %q", name, line, want)
			}
		}
	}
	var number *functions.Func
	for _, f := range functions.ByName("row_number") {
		number = f
	}
	rn := win(plan.Frame{Start: plan.UnboundedPreceding, End: plan.CurrentRow})
	rn.Calls = []*plan.WindowCall{{Base: plan.Base{Typ: int8T}, Func: number}}
	w.expect(rn, "a 1 1", "a 2 2", "a 2 3", "a 5 4", "b 3 1")
}
