package exec

import (
	"fmt"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/plan"
)

// operator is a running plan node.
type operator interface {
	// open starts, or starts again from the first row.
	open() error
	// next returns the next batch with at least one row, or nil at the end. The
	// operator owns it; it is valid until the next call.
	next() (*column.Batch, error)
	// close releases what the operator holds. It may be called more than once,
	// and open may follow.
	close()
}

// operator makes the operator of a node. Nothing is read before open.
func (st *state) operator(n plan.Node) (operator, error) {
	op, err := st.build(n)
	if err != nil || st.stats == nil {
		return op, err
	}
	return st.measure(n, op), nil
}

func (st *state) build(n plan.Node) (operator, error) {
	switch n := n.(type) {
	case *plan.Result:
		return st.newResult(n)
	case *plan.Values:
		return st.newValues(n)
	case *plan.Scan:
		return st.newScan(n)
	case *plan.KeyLookup:
		return st.newKeyLookup(n)
	case *plan.IndexScan:
		return st.newIndexScan(n)
	case *plan.ItemScan:
		return st.newItemScan(n)
	case *plan.VirtualScan:
		return st.newVirtualScan(n)
	case *plan.FunctionScan:
		return st.newFunctionScan(n)
	case *plan.CTEScan:
		return st.newCTEScan(n)
	case *plan.WorkTableScan:
		return st.newWorkTableScan(n)
	case *plan.Filter:
		return st.newFilter(n)
	case *plan.Project:
		return st.newProject(n)
	case *plan.ProjectSet:
		return st.newProjectSet(n)
	case *plan.Sort:
		return st.newSort(n)
	case *plan.Limit:
		return st.newLimit(n)
	case *plan.Unique:
		return st.newUnique(n)
	}
	return st.buildLarge(n)
}

func (st *state) buildLarge(n plan.Node) (operator, error) {
	switch n := n.(type) {
	case *plan.Aggregate:
		return st.newAggregate(n)
	case *plan.WindowAgg:
		return st.newWindowAgg(n)
	case *plan.NestLoop:
		return st.newNestLoop(n)
	case *plan.Adaptive:
		return st.newAdaptive(n)
	case *plan.Replay:
		return st.replays[n.ID], nil
	case *plan.HashJoin:
		return st.newHashJoin(n)
	case *plan.MergeJoin:
		return st.newMergeJoin(n)
	case *plan.IndexJoin:
		return st.newIndexJoin(n)
	case *plan.Append:
		return st.newAppend(n)
	case *plan.SetOperation:
		return st.newSetOperation(n)
	case *plan.RecursiveUnion:
		return st.newRecursiveUnion(n)
	case *plan.Materialize:
		return st.newMaterialize(n)
	case *plan.LockRows:
		return st.newLockRows(n)
	case *plan.Modify:
		return st.newModify(n)
	}
	if o, ok := n.(interface{ operator() operator }); ok {
		return o.operator(), nil // leaves that tests add
	}
	return nil, fmt.Errorf("exec: no operator for %T", n)
}

// selection is the part that operators with a condition share: it applies the
// condition to a batch and keeps the memory of the selection.
type selection struct {
	late
	cond    predicate
	figures *NodeStats
	sel     []int32
	out     column.Batch
}

// apply returns the rows of b for which the condition holds as a batch that
// shares b's columns, or nil when there are none. It counts those it removes.
func (s *selection) apply(b *column.Batch) (*column.Batch, error) {
	if s.cond == nil {
		if b.Len() == 0 {
			return nil, nil
		}
		return b, nil
	}
	sel, err := s.cond.filter(b, b.Sel, s.sel[:0])
	if err != nil {
		if sel = s.before(b); len(sel) == 0 {
			s.err = nil
			return nil, err
		}
	}
	s.figures.Removed += int64(b.Len() - len(sel))
	if len(sel) == 0 {
		return nil, nil
	}
	s.sel = sel
	s.out = column.Batch{Cols: b.Cols, N: b.N, Sel: sel}
	return &s.out, nil
}

// before returns the rows of a failing batch that pass the condition before the
// failing one.
func (s *selection) before(b *column.Batch) []int32 {
	if _, volatile := s.cond.(volatilePredicate); volatile || b.Len() < 2 {
		return nil
	}
	var passed, tmp []int32
	s.rowsBefore(b, func(row []int32) (err error) {
		if tmp, err = s.cond.filter(b, row, tmp[:0]); err == nil {
			passed = append(passed, tmp...)
		}
		return err
	})
	return passed
}
