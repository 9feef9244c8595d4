package exec

import (
	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// state is a statement while it runs: what its operators and expressions share.
type state struct {
	rt   *Runtime
	stmt *plan.Statement
	env  *types.Env

	execs    []column.Datum // executor parameters
	versions []uint64       // how often each was set
	initOf   []int          // the init plan that sets it, or -1
	plans    []*subplan     // one per Statement.Plans, made when first needed
	work     map[int]*workTable
	replays  map[int]*replayOp // by plan.Adaptive
	stats    map[plan.Node]*NodeStats
	domains  map[OID]*domainCheck // whose constraints functions asked for
	memory   int64
	made     int64 // bytes of values that calls have made
	writers  map[OID]*tableWriter
	events   []parentEvent                // referenced keys that went away
	foreign  map[OID]engine.TableLockMode // tables locked for foreign keys
	acted    bool                         // a referential action has changed rows since the snapshot that they are looked up with
	uniques  []pendingUnique              // keys of deferrable indexes to check when the statement ends
	affected int64
	again    *again // not nil: what is to be set anew when the operators run again
}

func newState(rt *Runtime, stmt *plan.Statement) *state {
	st := &state{rt: rt, stmt: stmt, env: rt.Functions.Env}
	n := len(stmt.ExecTypes)
	st.execs = make([]column.Datum, n)
	st.versions = make([]uint64, n)
	st.initOf = make([]int, n)
	for i := range n {
		st.execs[i] = column.Null()
		st.initOf[i] = -1
	}
	st.plans = make([]*subplan, len(stmt.Plans))
	for i, p := range stmt.Plans {
		if p.Init && p.Result >= 0 && p.Result < n {
			st.initOf[p.Result] = i
		}
	}
	if rt.Instrument {
		st.stats = map[plan.Node]*NodeStats{}
	}
	return st
}

// exec returns executor parameter id, running the init plan that yields it.
func (st *state) exec(id int) (column.Datum, error) {
	if p := st.initOf[id]; p >= 0 {
		if err := st.runInit(p, id); err != nil {
			return column.Datum{}, err
		}
	}
	return st.execs[id], nil
}

// setExec sets an executor parameter. The value is copied.
func (st *state) setExec(id int, d column.Datum) {
	old := st.execs[id]
	if st.versions[id] > 0 && old.Null == d.Null && old.I == d.I && string(old.B) == string(d.B) {
		return
	}
	st.execs[id] = d.Clone()
	st.versions[id]++
}

// grow accounts for memory that the statement holds and fails when it is too much.
func (st *state) grow(bytes int64) error {
	st.memory += bytes
	limit := st.rt.QueryLimit
	if limit <= 0 {
		limit = DefaultQueryLimit
	}
	if st.memory > limit {
		return pgerr.New(pgerr.OutOfMemory, "out of memory").
			WithDetail("Failed on request of size %d: the statement may use %d bytes.", bytes, limit)
	}
	return st.rt.account(bytes)
}

func (st *state) shrink(bytes int64) {
	st.memory -= bytes
	_ = st.rt.account(-bytes) // less never fails
}

// forget ends the accounting of a statement that has ended.
func (st *state) forget() { st.shrink(st.memory) }

// kinds returns the physical kinds of a node's output.
func (st *state) kinds(n plan.Node) []column.Kind {
	cols := n.Info().Columns
	ks := make([]column.Kind, len(cols))
	for i, c := range cols {
		ks[i] = st.env.Kind(c.Type.OID)
	}
	return ks
}

func (st *state) exprKinds(exprs []plan.Expr) []column.Kind {
	ks := make([]column.Kind, len(exprs))
	for i, e := range exprs {
		ks[i] = st.env.Kind(e.ResultType().OID)
	}
	return ks
}
