package exec

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/plan"
)

// Rows is a running statement.
type Rows struct {
	st     *state
	root   operator
	opened bool
	done   bool
	fast   *fastRun // not nil: a single-key read, without state and operators
	rt     *Runtime
}

// Run prepares a statement for execution; nothing is read or written before the
// first Next. The caller calls Close whatever happens.
func Run(rt *Runtime, stmt *plan.Statement) (*Rows, error) {
	if !stmt.ReadOnly && !changesTemporary(stmt) && rt.BeforeWrite != nil {
		if err := rt.BeforeWrite(); err != nil {
			return nil, err
		}
	}
	if f := rt.fast(stmt); f != nil && len(rt.Params) >= len(stmt.Params) {
		return &Rows{fast: f.pool.Get().(*fastRun), rt: rt}, nil
	}
	st := newState(rt, stmt)
	st.again = rt.keep(stmt)
	root, err := st.operator(stmt.Root)
	if err != nil {
		return nil, MapError(err)
	}
	return &Rows{st: st, root: root}, nil
}

// Next sets dst to the next batch of rows and reports whether there was one.
// dst shares memory with the statement until the next call and is not to be
// written. After false or an error the statement is over.
func (r *Rows) Next(dst *column.Batch) (bool, error) {
	if r.done {
		return false, nil
	}
	if r.fast != nil {
		r.done = true
		if err := r.rt.canceled(); err != nil {
			return false, err
		}
		ok, err := r.fast.next(r.rt, dst)
		return ok, MapError(err)
	}
	b, err := r.next()
	if err != nil || b == nil {
		r.done = true
		return false, MapError(err)
	}
	dst.Cols, dst.Sel, dst.N = b.Cols, b.Sel, b.N
	return true, nil
}

func (r *Rows) next() (*column.Batch, error) {
	if err := r.st.rt.canceled(); err != nil {
		return nil, err
	}
	if !r.opened {
		r.opened = true
		if err := r.root.open(); err != nil {
			return nil, err
		}
	}
	b, err := r.root.next()
	if err != nil || b != nil {
		return b, err
	}
	if err := r.st.finishModifying(); err != nil {
		return nil, err
	}
	return nil, r.st.finishForeignKeys()
}

// Affected returns the number of rows that the statement's own INSERT, UPDATE,
// DELETE or MERGE changed so far.
func (r *Rows) Affected() int64 {
	if r.st == nil {
		return 0
	}
	return r.st.affected
}

// Close releases everything that the statement holds.
func (r *Rows) Close() {
	r.done = true
	if r.st == nil {
		if r.fast != nil {
			r.fast.plan.pool.Put(r.fast)
			r.fast = nil
		}
		return
	}
	r.root.close()
	for _, p := range r.st.plans {
		if p != nil {
			p.close()
		}
	}
	r.st.forget()
}

// Stats returns the figures of a node after a run with Runtime.Instrument, nil
// when it was never reached or not measured.
func (r *Rows) Stats(n plan.Node) *NodeStats {
	if r.st == nil {
		return nil
	}
	return r.st.stats[n]
}

// changesTemporary reports whether a statement's only change is one of a temporary table, which read-only
// transactions allow.
func changesTemporary(stmt *plan.Statement) bool {
	for _, p := range stmt.Plans {
		if p.Modify {
			return false
		}
	}
	m, ok := stmt.Root.(*plan.Modify)
	return ok && m.Table.Persistence == 't'
}
