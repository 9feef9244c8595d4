package exec

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// Aggregates and sorts over a table run on several processors. The table's key
// range is split into as many parts as there are workers; every worker has
// operators of its own for the way from the scan to the aggregate or sort, and
// the workers' results are put together in the order of the parts, so that
// groups appear in the same order as without workers. Hash tables of joins on
// the way are built once and shared.
//
// A way can be run in parts when each of its operators treats every row by
// itself: scan, filter, projection, the probing side of hash joins and joins
// by index. Its expressions call only functions that PostgreSQL calls parallel
// safe, and no subqueries.

// defaultParallelRows is the least number of rows for which workers are worth
// their start.
const defaultParallelRows = 64 << 10

// parallelRows returns the least number of rows of a scan that is split.
func (rt *Runtime) parallelRows() int64 {
	if rt.Knobs.ParallelRows > 0 {
		return rt.Knobs.ParallelRows
	}
	return defaultParallelRows
}

// divisible reports whether a way can be run in parts.
func (st *state) divisible(n plan.Node) bool {
	if st.rt.Knobs.Workers < 2 || st.stats != nil {
		return false
	}
	switch n := n.(type) {
	case *plan.Scan:
		if n.CountOnly || n.Sample != nil || n.Reverse || n.Table.Virtual != nil || !divisibleExprs(n.Filter) {
			return false
		}
		return true
	case *plan.Filter:
		if n.Once || !divisibleExprs(n.Cond) {
			return false
		}
		return st.divisible(n.Input)
	case *plan.Project:
		if !divisibleExprs(n.Exprs...) {
			return false
		}
		return st.divisible(n.Input)
	case *plan.HashJoin:
		if n.Kind == plan.RightJoin || n.Kind == plan.FullJoin || n.Kind == plan.RightSemiJoin || n.Kind == plan.RightAntiJoin || !divisibleExprs(n.Cond) || !divisibleExprs(n.LeftKeys...) {
			return false
		}
		return st.divisible(n.Left)
	case *plan.IndexJoin:
		if n.Lookup != nil || !divisibleExprs(n.Cond, n.Filter) || !divisibleExprs(n.Keys...) {
			return false
		}
		return st.divisible(n.Left)
	}
	return false
}

// divisibleExprs reports whether workers may compute expressions.
func divisibleExprs(exprs ...plan.Expr) bool {
	ok := true
	for _, e := range exprs {
		plan.Walk(e, func(e plan.Expr) bool {
			switch e := e.(type) {
			case nil, *plan.Const, *plan.Param, *plan.Slot, *plan.Exec, *plan.Relabel, *plan.Collate, *plan.BoolOp, *plan.NullTest, *plan.BoolTest,
				*plan.Distinct, *plan.NullIf, *plan.Case, *plan.CaseTest, *plan.Coalesce, *plan.MinMax, *plan.ArrayOp, *plan.ArrayOf:
			case *plan.Call:
				ok = ok && e.Func.Parallel == 's' && e.Func.Volatile != 'v' && !isRoutine(e.Func) && !e.ReturnSet
			default:
				ok = false
			}
			return ok
		})
	}
	return ok
}

// worker is one part of the work.
type worker struct {
	st   *state
	way  operator // from the scan on, with nothing opened
	run  func() error
	err  error
	snap *engine.Snapshot
	agg  *aggOp
}

// workers splits a way, whose operators are built in input and not opened, and
// opens what the parts share. It returns none when the way is better run as a
// whole. More are the executor parameters that is read behind the way.
func (st *state) workers(n plan.Node, input operator, more []int) ([]*worker, error) {
	main, ok := wayOf(input)
	if !ok {
		return nil, nil
	}
	lower, upper, empty, err := main.scan.rng.bounds()
	if err != nil || empty {
		return nil, err
	}
	keys, err := st.rt.Snapshot.Split(main.scan.store, lower, upper, st.rt.Knobs.Workers, st.rt.parallelRows())
	if err != nil || len(keys) == 0 {
		return nil, err
	}
	uses, volatile := st.dependencies(n)
	if volatile {
		return nil, nil
	}
	for _, id := range append(uses, more...) { // init plans run here, before anybody reads their results
		if _, err := st.exec(id); err != nil {
			return nil, err
		}
	}
	for _, j := range slices.Backward(main.joins) {
		if shared, err := j.openShared(); err != nil || !shared {
			return nil, err
		}
	}
	var out []*worker
	bounds := append(append([][]byte{lower}, keys...), upper)
	for i := range len(bounds) - 1 {
		w, err := st.worker(n, main, scanPart{bounds[i], bounds[i+1]}, len(bounds)-1)
		if err != nil {
			closeWorkers(out)
			return nil, err
		}
		out = append(out, w)
	}
	return out, nil
}

// way is what parts need to know of the operators between scan and aggregate.
type way struct {
	scan  *scanOp
	joins []*hashJoinOp
}

func wayOf(op operator) (w way, ok bool) {
	for {
		switch o := op.(type) {
		case *scanOp:
			w.scan = o
			return w, true
		case *filterOp:
			op = o.input
		case *projectOp:
			op = o.input
		case *indexJoinOp:
			op = o.left
		case *hashJoinOp:
			w.joins = append(w.joins, o)
			op = o.left
		default:
			return w, false
		}
	}
}

// scanPart is the part of a table that a worker reads.
type scanPart struct{ lower, upper []byte }

// worker makes the operators of one part.
func (st *state) worker(n plan.Node, main way, part scanPart, parts int) (*worker, error) {
	rt := *st.rt
	rt.Snapshot = st.rt.Snapshot.Fork()
	rt.Accesses = Accesses{}
	functions := *st.rt.Functions
	rt.Functions = &functions
	rt.Knobs.Workers = 1
	limit := rt.QueryLimit
	if limit <= 0 {
		limit = DefaultQueryLimit
	}
	rt.QueryLimit = max((limit-st.memory)/int64(parts), 1)
	rt.share, rt.held = nil, 0 // a worker takes for itself
	ws := newState(&rt, st.stmt)
	for id := range st.execs {
		ws.execs[id], ws.versions[id], ws.initOf[id] = st.execs[id], st.versions[id], -1
	}
	w := &worker{st: ws, snap: rt.Snapshot}
	var err error
	if w.way, err = ws.operator(n); err != nil {
		w.snap.Close()
		return nil, err
	}
	own, ok := wayOf(w.way)
	if !ok || len(own.joins) != len(main.joins) {
		return nil, fmt.Errorf("exec: two ways of one plan differ")
	}
	own.scan.part = &part
	for i, j := range own.joins {
		j.shared = main.joins[i]
	}
	return w, nil
}

// errStopped ends the other workers when one has failed.
var errStopped = pgerr.New(pgerr.QueryCanceled, "another worker failed")

// runWorkers runs all parts and returns the error of the first part, in the
// order of rows, that has one of its own.
func (st *state) runWorkers(list []*worker) error {
	parent := st.rt.Context
	if parent == nil {
		parent = context.Background()
	}
	ctx, stop := context.WithCancelCause(parent)
	defer stop(nil)
	var wait sync.WaitGroup
	panics := make([]any, len(list))
	for i, w := range list {
		w.st.rt.Context = ctx
		w.st.rt.Functions.Context = ctx
		wait.Add(1)
		go func() {
			defer wait.Done()
			defer func() {
				if p := recover(); p != nil {
					panics[i] = fmt.Sprintf("%v\n%s", p, debug.Stack())
					stop(errStopped)
				}
			}()
			if w.err = w.run(); w.err != nil {
				stop(errStopped)
			}
		}()
	}
	wait.Wait()
	for _, p := range panics {
		if p != nil {
			panic(p) // our bug: caught at the session's edge, as if it had happened here
		}
	}
	for _, w := range list { // what they have made is read later on, when their own context has ended
		w.st.rt.Context, w.st.rt.Functions.Context = live{st.rt}, st.rt.Functions.Context
		for oid, a := range w.st.rt.Accesses {
			st.rt.access(oid).Add(a)
		}
	}
	if err := st.rt.canceled(); err != nil {
		return err
	}
	for _, w := range list {
		if w.err != nil && !errors.Is(w.err, errStopped) {
			return w.err
		}
	}
	return nil
}

func closeWorkers(list []*worker) {
	for _, w := range list {
		w.way.close()
		w.snap.Close()
		w.st.rt.Release()
	}
}
