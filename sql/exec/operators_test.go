package exec

import (
	"context"
	"slices"
	"testing"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

var intsT = plan.Type{OID: types.ByName("_int4").OID, Typmod: -1}

func ints(vals ...int64) plan.Expr {
	ds := make([]column.Datum, len(vals))
	for i, v := range vals {
		ds[i] = column.IntDatum(v)
	}
	return &plan.Const{Base: plan.Base{Typ: intsT}, Value: types.NewEnv().MakeArray(types.NewArray(types.Int4OID, ds))}
}

func series(from, to plan.Expr) *plan.Call {
	for _, f := range functions.ByName("generate_series") {
		if f.Signature() == "generate_series(int4,int4)" {
			return &plan.Call{Base: plan.Base{Typ: int4T}, Func: f, Args: []plan.Expr{from, to}, ReturnSet: true}
		}
	}
	panic("no generate_series")
}

func TestIndexJoin(t *testing.T) {
	w := newWorld(t)
	var byB *catalog.Index
	r := w.create("t", cols("a int4!", "b int4"), []int16{1}, func(v *catalog.View, r *catalog.Relation) { byB = w.index(v, r, "t_b", false, 2) })
	two := []plan.Type{int4T, int4T}
	w.query(insert(r, values(two, []plan.Expr{i4(1), i4(10)}, []plan.Expr{i4(2), i4(10)}, []plan.Expr{i4(3), i4(30)})))
	left := values([]plan.Type{int4T}, []plan.Expr{i4(10)}, []plan.Expr{i4(1)}, []plan.Expr{i4(30)}, []plan.Expr{null(int4T)})
	join := func(kind plan.JoinKind, ix *catalog.Index, out plan.NodeInfo) *plan.IndexJoin {
		return &plan.IndexJoin{NodeInfo: out, Kind: kind, Left: left, Table: r, Index: ix, Attrs: all(r), Keys: []plan.Expr{sl(0, int4T)}}
	}
	three, one := info(int4T, int4T, int4T), info(int4T)
	for _, c := range []struct {
		n    plan.Node
		want []string
	}{
		{join(plan.InnerJoin, byB, three), []string{"10 1 10", "10 2 10", "30 3 30"}},
		{join(plan.LeftJoin, byB, three), []string{"10 1 10", "10 2 10", "1 ~ ~", "30 3 30", "~ ~ ~"}},
		{join(plan.SemiJoin, byB, one), []string{"10", "30"}},
		{join(plan.AntiJoin, byB, one), []string{"1", "~"}},
		{join(plan.LeftJoin, nil, three), []string{"10 ~ ~", "1 1 10", "30 ~ ~", "~ ~ ~"}},
	} {
		w.expect(c.n, c.want...)
	}
	filtered := join(plan.InnerJoin, byB, three)
	filtered.Filter, filtered.Cond = op(">", sl(0, int4T), i4(1)), op("<", sl(1, int4T), i4(3))
	w.expect(filtered, "10 2 10")
	w.expect(&plan.IndexScan{NodeInfo: columnsOf(r, all(r)), Table: r, Index: byB, Attrs: all(r), Array: ints(30, 10, 10, 5), Reverse: true}, "3 30", "2 10", "1 10")
	w.expect(&plan.KeyLookup{NodeInfo: columnsOf(r, all(r)), Table: r, Attrs: all(r), Array: ints(3, 1, 3, 9)}, "1 10", "3 30")
}

func TestFunctionsYieldRows(t *testing.T) {
	w := newWorld(t)
	ref := func(e plan.Expr) *plan.FuncRef {
		return &plan.FuncRef{Expr: e, Columns: 1, Types: []plan.Type{int4T}, Scalar: true}
	}
	w.expect(&plan.FunctionScan{
		NodeInfo: info(int4T, int4T, int8T), Funcs: []*plan.FuncRef{ref(series(i4(1), i4(3))), ref(series(i4(7), i4(8)))}, Ordinality: true,
	}, "1 7 1", "2 8 2", "3 ~ 3")
	in := values([]plan.Type{int4T}, []plan.Expr{i4(2)}, []plan.Expr{i4(0)}, []plan.Expr{i4(1)})
	w.expect(&plan.ProjectSet{NodeInfo: info(int4T, int4T), Input: in, Exprs: []plan.Expr{sl(0, int4T), series(i4(1), sl(0, int4T))}}, "2 1", "2 2", "1 1")
}

func TestArraysAndRows(t *testing.T) {
	w := newWorld(t)
	base := func(ty plan.Type) plan.Base { return plan.Base{Typ: ty} }
	in := values([]plan.Type{int4T}, []plan.Expr{i4(2)}, []plan.Expr{null(int4T)})
	a := sl(0, int4T)
	arr := &plan.ArrayOf{Base: base(intsT), Elem: types.Int4OID, Args: []plan.Expr{i4(1), a, i4(3)}}
	rec := plan.Type{OID: 2249, Typmod: -1}
	rowOf := &plan.RowOf{Base: base(rec), Args: []plan.Expr{a, tx("x")}}
	at := func(i int64) plan.Expr {
		return &plan.Subscript{Base: base(int4T), Arg: arr, Upper: []plan.Expr{i4(i)}}
	}
	slice := &plan.Subscript{Base: base(intsT), Arg: arr, Slice: true, Lower: []plan.Expr{i4(2)}, Upper: []plan.Expr{nil}}
	set := &plan.Subscript{Base: base(intsT), Arg: arr, Upper: []plan.Expr{i4(5)}, Assign: i4(9)}
	eq := fn("=", 23, 23)
	any := func(list plan.Expr, all bool, f *functions.Func) plan.Expr {
		return &plan.ArrayOp{Base: base(boolT), Func: f, Left: a, Right: list, All: all}
	}
	long := ints(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
	compare := &plan.RowCompare{
		Base: base(boolT), Kind: plan.LessEqual, Ops: []*functions.Func{fn("<", 23, 23), fn("<=", 23, 23)}, Equal: []*functions.Func{eq, eq},
		Left: []plan.Expr{a, i4(1)}, Right: []plan.Expr{i4(2), i4(1)},
	}
	for name, c := range map[string]struct {
		e    plan.Expr
		want []string
	}{
		"array": {arr, []string{"{1,2,3}", "{1,NULL,3}"}}, "element": {at(2), []string{"2", "~"}}, "outside": {at(4), []string{"~", "~"}},
		"slice": {slice, []string{"{2,3}", "{NULL,3}"}}, "assign": {set, []string{"{1,2,3,NULL,9}", "{1,NULL,3,NULL,9}"}},
		"any": {any(ints(1, 2), false, eq), []string{"t", "~"}}, "any long": {any(long, false, eq), []string{"t", "~"}},
		"all": {any(long, true, fn("<>", 23, 23)), []string{"f", "~"}}, "none": {any(ints(), false, eq), []string{"f", "f"}},
		"field":       {&plan.Field{Base: base(int4T), Arg: rowOf, Index: 0}, []string{"2", "~"}},
		"row":         {rowOf, []string{"(2,x)", "(,x)"}},
		"row null":    {&plan.NullTest{Base: base(boolT), Arg: rowOf, Not: true, RowWise: true}, []string{"t", "f"}},
		"row compare": {compare, []string{"t", "~"}},
		"greatest":    {&plan.MinMax{Base: base(int4T), Args: []plan.Expr{a, i4(1)}}, []string{"2", "1"}},
		"least":       {&plan.MinMax{Base: base(int4T), Least: true, Args: []plan.Expr{a, i4(1)}}, []string{"1", "1"}},
		"distinct":    {&plan.Distinct{Base: base(boolT), Equal: eq, Left: a, Right: null(int4T)}, []string{"t", "f"}},
		"nullif":      {&plan.NullIf{Base: base(int4T), Equal: eq, Left: a, Right: i4(2)}, []string{"~", "~"}},
		"io cast":     {&plan.IOCast{Base: base(textT), Arg: a}, []string{"2", "~"}},
		"array cast": {&plan.ArrayCast{Base: base(plan.Type{OID: types.ByName("_text").OID, Typmod: -1}), Arg: arr,
			Elem: &plan.IOCast{Base: base(textT), Arg: &plan.CaseTest{Base: base(int4T)}}}, []string{"{1,2,3}", "{1,NULL,3}"}},
		"case": {&plan.Case{Base: base(textT), Arg: a, When: []plan.When{{Cond: op("=", &plan.CaseTest{Base: base(int4T)}, i4(2)), Result: tx("two")}}, Else: tx("other")}, []string{"two", "other"}},
	} {
		for _, knobs := range []Knobs{{}, {RowAtATime: true}} {
			w.knobs = knobs
			if got := w.query(project(in, c.e)); !slices.Equal(got, c.want) {
				t.Errorf("%s: got %q, want %q", name, got, c.want)
			}
		}
	}
}

func TestMerge(t *testing.T) {
	w := newWorld(t)
	r := w.create("t", cols("a int4!", "b int4"), []int16{1}, nil)
	two := []plan.Type{int4T, int4T}
	w.query(insert(r, values(two, []plan.Expr{i4(1), i4(10)}, []plan.Expr{i4(2), i4(20)})))
	// The input: the target's row and key (NULL where nothing matched), then the source.
	attrs := append(all(r), plan.AttrKey)
	target := &plan.Scan{NodeInfo: columnsOf(r, attrs), Table: r, Attrs: attrs}
	merge := func(source *plan.Values) *plan.Modify {
		join := &plan.HashJoin{
			NodeInfo: info(int4T, int4T, plan.Type{OID: types.ByteaOID, Typmod: -1}, int4T, int4T), Kind: plan.RightJoin, Left: target, Right: source,
			LeftKeys: []plan.Expr{sl(0, int4T)}, RightKeys: []plan.Expr{sl(0, int4T)}, Equal: []*functions.Func{fn("=", 23, 23)},
		}
		return &plan.Modify{
			Command: plan.Merge, Table: r, Input: join, Target: plan.LockTarget{Table: r, Key: 2, Attrs: all(r), Slots: all(r)},
			Merge: []*plan.MergePlan{
				{Matched: true, Command: plan.Delete, Cond: op(">", sl(4, int4T), i4(100))},
				{Matched: true, Command: plan.Update, Set: []plan.Assignment{{Attr: 1, Value: op("+", sl(1, int4T), sl(4, int4T))}}},
				{Command: plan.Insert, Values: []plan.Expr{sl(3, int4T), sl(4, int4T)}},
			},
		}
	}
	w.query(merge(values(two, []plan.Expr{i4(1), i4(5)}, []plan.Expr{i4(2), i4(500)}, []plan.Expr{i4(3), i4(7)})))
	w.expect(scan(r, nil), "1 15", "3 7")
	_, err := w.try(merge(values(two, []plan.Expr{i4(1), i4(5)}, []plan.Expr{i4(1), i4(6)})))
	if !pgerr.Is(err, pgerr.CardinalityViolation) {
		t.Errorf("two source rows for one target row give %v", err)
	}
}

func TestLockRowsFollowsAndSkips(t *testing.T) {
	w := newWorld(t)
	r := w.create("t", cols("a int4!", "b int4"), []int16{1}, nil)
	two := []plan.Type{int4T, int4T}
	w.query(insert(r, values(two, []plan.Expr{i4(1), i4(10)}, []plan.Expr{i4(2), i4(20)})))
	attrs := append(all(r), plan.AttrKey)
	lock := func(wait plan.WaitPolicy) plan.Node {
		in := &plan.Scan{NodeInfo: columnsOf(r, attrs), Table: r, Attrs: attrs}
		l := &plan.LockRows{NodeInfo: *in.Info(), Input: in, Recheck: []plan.RecheckStep{{Cond: op("<", sl(1, int4T), i4(100))}},
			Locks: []plan.LockTarget{{Table: r, Strength: plan.ForUpdate, Wait: wait, Key: 2, Attrs: all(r), Slots: all(r)}}}
		return project(l, sl(0, int4T), sl(1, int4T))
	}
	holder := w.begin(engine.TxnOptions{})
	_, _, err := holder.run(&plan.Statement{Root: modify(plan.Update, r, op("=", sl(0, int4T), i4(1)), plan.Assignment{Attr: 1, Value: i4(11)})})
	w.check(err)
	w.expect(lock(plan.LockSkip), "2 20")
	if _, err := w.try(lock(plan.LockNoWait)); !pgerr.Is(err, pgerr.LockNotAvailable) {
		t.Errorf("NOWAIT gives %v", err)
	}
	waiter := w.begin(engine.TxnOptions{})
	rt := waiter.runtime() // sees the row as it was
	holder.commit()
	w.query(modify(plan.Update, r, op("=", sl(0, int4T), i4(2)), plan.Assignment{Attr: 1, Value: i4(200)}))
	got, _, err := collect(rt, &plan.Statement{Root: lock(plan.LockWait)})
	w.check(err)
	if !slices.Equal(got, []string{"1 11"}) {
		t.Errorf("after the wait: %q", got)
	}
	waiter.commit()
}

func TestStatementsStopWhenTold(t *testing.T) {
	w := newWorld(t)
	s := w.begin(engine.TxnOptions{})
	defer s.txn.Rollback()
	rt := s.runtime()
	ctx, cancel := context.WithCancel(context.Background())
	rt.Context = ctx
	one := info(int4T)
	forever := &plan.RecursiveUnion{NodeInfo: one, ID: 1, All: true, Base: values([]plan.Type{int4T}, []plan.Expr{i4(1)}), Step: &plan.WorkTableScan{NodeInfo: one, ID: 1}}
	rows, err := Run(rt, &plan.Statement{Root: forever})
	w.check(err)
	defer rows.Close()
	var b column.Batch
	for range 3 {
		_, err = rows.Next(&b)
		w.check(err)
	}
	cancel()
	if _, err = rows.Next(&b); !pgerr.Is(err, pgerr.QueryCanceled) {
		t.Errorf("after the cancel: %v", err)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	w := newWorld(t)
	s := w.begin(engine.TxnOptions{})
	defer s.txn.Rollback()
	rt := s.runtime()
	rt.QueryLimit, rt.TempFS = 1<<20, nil
	big := &plan.FunctionScan{NodeInfo: info(int4T), Funcs: []*plan.FuncRef{{Expr: series(i4(1), i4(1_000_000)), Columns: 1, Types: []plan.Type{int4T}, Scalar: true}}}
	_, _, err := collect(rt, &plan.Statement{Root: sorted(big, asc(0, int4T))})
	if !pgerr.Is(err, pgerr.OutOfMemory) {
		t.Errorf("a sort beyond the limit gives %v", err)
	}
}

func TestFiguresOfEveryNode(t *testing.T) {
	w := newWorld(t)
	s := w.begin(engine.TxnOptions{})
	defer s.txn.Rollback()
	rt := s.runtime()
	rt.Instrument = true
	in := values([]plan.Type{int4T}, []plan.Expr{i4(1)}, []plan.Expr{i4(2)}, []plan.Expr{i4(3)})
	f := &plan.Filter{NodeInfo: *in.Info(), Input: in, Cond: op(">", sl(0, int4T), i4(1))}
	rows, err := Run(rt, &plan.Statement{Root: f})
	w.check(err)
	defer rows.Close()
	var b column.Batch
	for ok := true; ok; {
		ok, err = rows.Next(&b)
		w.check(err)
	}
	if st := rows.Stats(f); st.Rows != 2 || st.Loops != 1 || st.Removed != 1 || st.Total <= 0 {
		t.Errorf("filter: %+v", st)
	}
	if st := rows.Stats(in); st.Rows != 3 {
		t.Errorf("input: %+v", st)
	}
}

func TestGroupingSets(t *testing.T) {
	w := newWorld(t)
	in := values([]plan.Type{int4T, textT}, []plan.Expr{i4(1), tx("a")}, []plan.Expr{i4(1), tx("b")}, []plan.Expr{i4(2), tx("a")})
	g := func(in plan.Node) *plan.Aggregate {
		return &plan.Aggregate{
			NodeInfo: info(int4T, textT, int8T, int4T), Input: in, Strategy: plan.HashAgg, Keys: []plan.SortKey{asc(0, int4T), asc(1, textT)},
			Sets: [][]int{{0, 1}, {0}, {}}, Aggs: []*plan.Agg{agg("count()")}, Groupings: [][]int{{0, 1}},
		}
	}
	w.expect(g(in), "1 a 1 0", "1 b 1 0", "2 a 1 0", "1 ~ 2 1", "2 ~ 1 1", "~ ~ 3 3")
	w.expect(g(values([]plan.Type{int4T, textT})), "~ ~ 0 3")
}

func TestOrderedAggregates(t *testing.T) {
	w := newWorld(t)
	in := values([]plan.Type{int4T, textT}, []plan.Expr{i4(1), tx("b")}, []plan.Expr{i4(1), tx("a")}, []plan.Expr{i4(2), tx("z")}, []plan.Expr{i4(1), tx("b")})
	a := agg("string_agg(text,text)", sl(1, textT), tx(","))
	a.OrderBy = []plan.SortKey{{Expr: sl(1, textT), Desc: true}}
	d := agg("array_agg(anynonarray)", sl(1, textT))
	d.Typ, d.Distinct = plan.Type{OID: types.ByName("_text").OID, Typmod: -1}, true
	n := &plan.Aggregate{NodeInfo: info(int4T, textT, d.Typ), Input: in, Strategy: plan.HashAgg, Keys: []plan.SortKey{asc(0, int4T)}, Aggs: []*plan.Agg{a, d}}
	w.expect(n, "1 b,b,a {a,b}", "2 z {z}")
}

func TestLimits(t *testing.T) {
	w := newWorld(t)
	in := values([]plan.Type{int4T}, []plan.Expr{i4(1)}, []plan.Expr{i4(2)}, []plan.Expr{i4(2)}, []plan.Expr{i4(3)})
	lim := func(offset, count plan.Expr, ties bool) *plan.Limit {
		l := &plan.Limit{NodeInfo: *in.Info(), Input: in, Offset: offset, Count: count}
		if ties {
			l.TiesBy = []plan.SortKey{asc(0, int4T)}
		}
		return l
	}
	for _, size := range []int{0, 1} {
		w.knobs = Knobs{BatchSize: size}
		w.expect(lim(i8(1), i8(2), false), "2", "2")
		w.expect(lim(nil, i8(2), true), "1", "2", "2")
		w.expect(lim(i8(3), null(int8T), false), "3")
		w.expect(lim(nil, i8(0), false))
	}
	if _, err := w.try(lim(nil, i8(-1), false)); !pgerr.Is(err, pgerr.InvalidRowCountInLimitClause) {
		t.Errorf("LIMIT -1 gives %v", err)
	}
}
