package exec

import (
	"fmt"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// RoutineBinder makes the bodies of SQL functions ready to run. Runtime.Binder implements it
// where such functions can be called.
type RoutineBinder interface {
	// Routine binds and plans a body for the types of one call. cols are the columns that the
	// caller of a function returning record wants.
	Routine(fn OID, args []OID, ret OID, cols []functions.OutCol) (*plan.Routine, error)
}

// maxRoutineDepth bounds SQL functions that call SQL functions: every level holds a plan's
// operators and a Go stack of some kilobytes.
const maxRoutineDepth = 500

// routineKey tells for which call a body was bound.
type routineKey struct {
	fn         OID
	signature  string
	definition uint64
}

// routineCall is a call site of a function in language SQL.
type routineCall struct {
	st   *state
	fn   *functions.Func
	args []OID
	ret  OID
	cols []functions.OutCol

	body *plan.Routine
}

// isRoutine reports whether a function is computed by running statements.
func isRoutine(f *functions.Func) bool {
	return f.OID >= catalog.FirstUserOID && f.Lang == functions.LangSQL && f.Kind != 'a' && f.Eval == nil && f.Set == nil
}

// routineEval returns the function with an Eval that runs its body.
func (st *state) routineEval(e *plan.Call) *functions.Func {
	r := &routineCall{st: st, fn: e.Func, ret: e.Typ.OID}
	for _, a := range e.Args {
		r.args = append(r.args, a.ResultType().OID)
	}
	fn := *e.Func
	fn.Eval = func(ctx *functions.Ctx, args []column.Datum) (column.Datum, error) {
		if r.ret == types.RecordOID {
			r.cols = ctx.OutCols // of a column definition list
		}
		return r.eval(args)
	}
	return &fn
}

// prepare binds the body at the first call.
func (r *routineCall) prepare() error {
	if r.body != nil {
		return nil
	}
	rt := r.st.rt
	b, ok := rt.Binder.(RoutineBinder)
	if !ok {
		return unsupportedFunc(r.fn)
	}
	key := routineKey{fn: r.fn.OID, signature: fmt.Sprint(r.args, r.ret, r.cols)}
	if f := rt.Catalog.Function(r.fn.OID); f != nil {
		key.definition = f.Version
	}
	if body := rt.routines[key]; body != nil {
		r.body = body
		return nil
	}
	body, err := b.Routine(r.fn.OID, r.args, r.ret, r.cols)
	if err != nil {
		return r.context(err, "during startup")
	}
	if rt.routines == nil {
		rt.routines = map[routineKey]*plan.Routine{}
	}
	rt.routines[key], r.body = body, body
	return nil
}

// context notes in which part of the body an error happened, to which its position belongs.
func (r *routineCall) context(err error, part string) error {
	e := *pgerr.From(err)
	if f := r.st.rt.Catalog.Function(r.fn.OID); f != nil {
		withinText(&e, f.Source)
	}
	return inFunction(&e, fmt.Sprintf("SQL function \"%s\" %s", r.fn.Name, part))
}

// run executes the body and calls yield with the rows of its result until that returns false.
func (r *routineCall) run(args []column.Datum, yield func(row []column.Datum) (bool, error)) error {
	rt := r.st.rt
	if rt.depth >= maxRoutineDepth {
		return pgerr.New(pgerr.StatementTooComplex, "stack depth limit exceeded")
	}
	if f := rt.Catalog.Function(r.fn.OID); f != nil && len(f.Settings) > 0 && rt.WithSettings != nil {
		restore, err := rt.WithSettings(f.Settings)
		if err != nil {
			return err
		}
		defer restore()
	}
	if err := r.prepare(); err != nil {
		return err
	}
	if err := rt.canceled(); err != nil {
		return err
	}
	params := make([]column.Datum, len(args))
	for i, a := range args {
		params[i] = a.Clone()
	}
	for i, step := range r.body.Steps {
		child := *rt
		child.Params, child.routines, child.depth = params, rt.routines, rt.depth+1
		f := func([]column.Datum) (bool, error) { return true, nil }
		if i == len(r.body.Steps)-1 && r.body.Result {
			f = yield
		}
		if err := r.step(&child, step, f); err != nil {
			return r.context(err, fmt.Sprintf("statement %d", i+1))
		}
	}
	return nil
}

func (r *routineCall) step(rt *Runtime, step plan.RoutineStep, yield func(row []column.Datum) (bool, error)) error {
	if r.body.Fresh {
		rt.Txn.NextCommand()
		rt.Snapshot = rt.Txn.Snapshot()
		rt.Snapshot.SetNoModel(rt.Knobs.NoLearned)
		defer rt.Snapshot.Close()
	}
	if step.Utility != nil {
		if !r.body.Fresh {
			return pgerr.New(pgerr.FeatureNotSupported, "utility statements are not allowed in a non-volatile function")
		}
		_, err := RunUtility(rt, step.Utility)
		rt.Txn.NextCommand()
		return err
	}
	if !r.body.Fresh && step.Query.Command != plan.Select {
		return pgerr.New(pgerr.FeatureNotSupported, "%s is not allowed in a non-volatile function", step.Query.Command.String())
	}
	if rt.CheckAccess != nil {
		if err := rt.CheckAccess(step.Query.Access); err != nil {
			return err
		}
	}
	rows, err := Run(rt, step.Query)
	if err != nil {
		return err
	}
	defer rows.Close()
	var b column.Batch
	more := true
	for {
		ok, err := rows.Next(&b)
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		for i := 0; more && i < b.Len(); i++ {
			row := make([]column.Datum, len(b.Cols))
			for c := range b.Cols {
				row[c] = at(&b.Cols[c], b.Row(i)).Clone()
			}
			if more, err = yield(row); err != nil {
				return err
			}
		}
		if !more && step.Query.ReadOnly {
			break
		}
	}
	if r.body.Fresh && !step.Query.ReadOnly {
		rt.Txn.NextCommand()
	}
	return nil
}

// eval computes one value: the first row of the result, NULL without one.
func (r *routineCall) eval(args []column.Datum) (column.Datum, error) {
	out := column.Null()
	err := r.run(args, func(row []column.Datum) (bool, error) {
		out = r.value(r.fields(row))
		return false, nil
	})
	return out, err
}

// fields returns the columns of one result row; nil for a row that is NULL as a whole.
func (r *routineCall) fields(row []column.Datum) []column.Datum {
	switch {
	case r.body.Whole && row[0].Null:
		return nil
	case r.body.Whole:
		fields := types.RecordFrom(row[0])
		if r.body.Types == nil {
			r.whole(fields)
		}
		out := make([]column.Datum, len(fields))
		for i, f := range fields {
			out[i] = f.Value
		}
		return r.visible(out)
	}
	return row
}

// whole notes the columns of a record that only its value tells.
func (r *routineCall) whole(fields []types.Field) {
	body := *r.body
	for _, f := range fields {
		body.Types = append(body.Types, plan.Type{OID: f.Type, Typmod: -1})
	}
	r.body = &body
}

// visible leaves out the dropped columns of a row type.
func (r *routineCall) visible(row []column.Datum) []column.Datum {
	out := row[:0:0]
	for i, d := range row {
		if i >= len(r.body.Types) || r.body.Types[i].OID != 0 {
			out = append(out, d)
		}
	}
	return out
}

// value makes one value of the columns of a result row.
func (r *routineCall) value(row []column.Datum) column.Datum {
	if row == nil {
		return column.Null()
	}
	if !r.body.Row {
		return row[0]
	}
	fields := make([]types.Field, 0, len(row))
	next := 0
	for _, t := range r.body.Types {
		f := types.Field{Type: types.TextOID, Value: column.Null()}
		if t.OID != 0 {
			f.Type = t.OID
			if next < len(row) {
				f.Value = row[next]
			}
			next++
		}
		fields = append(fields, f)
	}
	return r.st.env.MakeRecord(fields)
}

// set computes all rows: each is its columns, or one value when the result is no row.
func (r *routineCall) set(args []column.Datum) (functions.SetIter, error) {
	it := &routineRows{}
	err := r.run(args, func(row []column.Datum) (bool, error) {
		size := int64(0)
		for _, d := range row {
			size += int64(len(d.B)) + 40
		}
		if err := r.st.grow(size); err != nil {
			return false, err
		}
		it.rows = append(it.rows, r.fields(row))
		return true, nil
	})
	return it, err
}

// routineRows yields the rows that a body has computed.
type routineRows struct {
	rows [][]column.Datum
	at   int
}

// Next implements functions.SetIter.
func (it *routineRows) Next() ([]column.Datum, bool, error) {
	if it.at >= len(it.rows) {
		return nil, false, nil
	}
	it.at++
	return it.rows[it.at-1], true, nil
}
