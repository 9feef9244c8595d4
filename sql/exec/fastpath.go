package exec

import (
	"sync"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/plan"
)

// fastLookup is the compiled form of SELECT columns FROM table WHERE key =
// constants and parameters: the key is encoded, the row is read, and nothing
// else is made. It is kept with the statement and used by all sessions.
type fastLookup struct {
	store engine.StoreID
	index OID // where accesses are counted
	parts []fastPart
	cols  []int         // attributes to read
	from  []int         // output column → index into cols
	kinds []column.Kind // of the output
	pool  sync.Pool     // of *fastRun
}

// fastPart is one column of the key.
type fastPart struct {
	keyPart
	param int // parameter number, 0 for a constant
	value column.Datum
}

// notFast marks statements that have no compiled form.
var notFast = &fastLookup{}

// fastRun is the memory of one execution.
type fastRun struct {
	plan *fastLookup
	key  []byte
	vals []column.Datum
	out  column.Batch
}

// fast returns the compiled form of a statement, nil when it has none.
func (rt *Runtime) fast(stmt *plan.Statement) *fastLookup {
	if rt.Knobs.NoFastPath || rt.Knobs.RowAtATime || rt.Instrument {
		return nil
	}
	f, ok := stmt.Compiled.Load().(*fastLookup)
	if !ok {
		f = rt.compileFast(stmt)
		stmt.Compiled.Store(f)
	}
	if f == notFast {
		return nil
	}
	return f
}

func (rt *Runtime) compileFast(stmt *plan.Statement) *fastLookup {
	root, slots := stmt.Root, []int(nil)
	if p, ok := root.(*plan.Project); ok {
		for _, e := range p.Exprs {
			s := slotOf(e)
			if s == nil {
				return notFast
			}
			slots = append(slots, s.Index)
		}
		root = p.Input
	}
	n, ok := root.(*plan.KeyLookup)
	if !ok || len(stmt.Plans) > 0 || len(n.Keys) != 1 || n.Array != nil || n.Filter != nil || len(n.Table.StorageKey) == 0 {
		return notFast
	}
	st := newState(rt, stmt)
	f := &fastLookup{store: engine.StoreID(n.Table.Store), index: rt.primaryKey(n.Table)}
	for i, p := range st.storageKey(n.Table) {
		if p.typ >= catalog.FirstUserOID {
			return notFast // its order may depend on the session's catalog
		}
		part := fastPart{keyPart: p}
		switch e := n.Keys[0][i].(type) {
		case *plan.Const:
			part.value = e.Value
		case *plan.Param:
			part.param = e.N
		default:
			return notFast
		}
		f.parts = append(f.parts, part)
	}
	for _, a := range n.Attrs {
		if a < 0 {
			return notFast
		}
	}
	f.cols = n.Attrs
	if slots == nil {
		for i := range n.Attrs {
			slots = append(slots, i)
		}
	}
	f.from = slots
	for _, s := range slots {
		f.kinds = append(f.kinds, catalog.ColumnKind(st.env, &n.Table.Columns[n.Attrs[s]]))
	}
	f.pool.New = func() any {
		r := &fastRun{plan: f, vals: make([]column.Datum, len(f.cols))}
		r.out.Reset(f.kinds...)
		return r
	}
	return f
}

// rowGetter reads one row by its key: a snapshot, or the engine's Reader.
type rowGetter interface {
	Get(id engine.StoreID, key []byte, cols []int, dst []column.Datum) (bool, error)
}

// next reads the row; ok is false when there is none.
func (r *fastRun) next(rt *Runtime, dst *column.Batch) (ok bool, err error) {
	if ok, err = r.read(rt.Snapshot, rt.Params, rt.access(r.plan.index)); ok {
		*dst = r.out
	}
	return ok, err
}

// read puts the row with the key of params into out; ok is false when there is none.
func (r *fastRun) read(from rowGetter, params []column.Datum, access *Access) (ok bool, err error) {
	f := r.plan
	r.key = r.key[:0]
	for i := range f.parts {
		p := &f.parts[i]
		d := p.value
		if p.param > 0 {
			d = params[p.param-1]
		}
		if d.Null {
			return false, nil
		}
		r.key = p.encode(r.key, d)
	}
	access.Scans++
	if ok, err = from.Get(f.store, r.key, f.cols, r.vals); err != nil || !ok {
		return false, err
	}
	access.Read++
	access.Fetched++
	for i, c := range f.from {
		r.out.Cols[i].Reset(f.kinds[i])
		r.out.Cols[i].Append(r.vals[c])
	}
	r.out.N = 1
	return true, nil
}

// Point is a single-key SELECT that was compiled when it ran first, for sessions
// that run it without a Runtime. It has its own memory and serves one session.
type Point struct{ run *fastRun }

// PointOf returns the compiled form of a statement; nil if it has none, or has
// not run yet.
func PointOf(stmt *plan.Statement) *Point {
	f, ok := stmt.Compiled.Load().(*fastLookup)
	if !ok || f == notFast {
		return nil
	}
	return &Point{run: f.pool.Get().(*fastRun)}
}

// HasPoint reports whether PointOf has something to return.
func HasPoint(stmt *plan.Statement) bool {
	f, ok := stmt.Compiled.Load().(*fastLookup)
	return ok && f != notFast
}

// Relation returns the OID under which the look-ups count.
func (p *Point) Relation() OID { return p.run.plan.index }

// Get reads the row with the key that params make; nil if there is none. The
// batch is valid until the next call, and while what it was read from is.
func (p *Point) Get(from rowGetter, params []column.Datum, access *Access) (*column.Batch, error) {
	ok, err := p.run.read(from, params, access)
	if err != nil || !ok {
		return nil, MapError(err)
	}
	return &p.run.out, nil
}
