package planner

import (
	"slices"

	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// call binds CALL as a query over the procedure: one row of its OUT parameters, or nothing that is shown.
func (b *binder) call(c *pg.CallStmt) plan.Utility {
	s := b.newScope(nil)
	e := within(s, inCall, func() plan.Expr { return s.procedureCall(c.Funccall) })
	out := &plan.CallProcedure{Query: s.q, Output: e.ResultType().OID == types.RecordOID}
	if !out.Output {
		s.q.Targets = []*plan.Target{{Expr: e}}
	} else {
		_, name := b.splitName(names(c.Funccall.Funcname), -1)
		r := &plan.Rel{Kind: plan.RelFunction, Lateral: true, Alias: name, Funcs: []*plan.FuncRef{s.funcRef(e, name, nil, nil, true)}}
		for i, t := range r.Funcs[0].Types {
			r.Columns = append(r.Columns, plan.RelColumn{Name: r.Funcs[0].Names[i], Type: t})
		}
		rel := s.addRel(r)
		it, items := s.single(rel)
		s.q.From, s.items = append(s.q.From, it), append(s.items, items...)
		for i, col := range r.Columns {
			s.q.Targets = append(s.q.Targets, &plan.Target{Expr: s.relVar(rel, i), Name: col.Name})
		}
	}
	b.assignCollations(s)
	s.q.Text = b.text
	return out
}

// procedureCall resolves what CALL names. OUT parameters take part in that with an argument of their own, whose
// value nobody looks at.
func (s *scope) procedureCall(x *pg.FuncCall) plan.Expr {
	b, pos := s.b, int(x.Location)
	parts := names(x.Funcname)
	schema, name := b.splitName(parts, pos)
	c := s.callArgs(x)
	call := functions.Call{ArgTypes: c.types, ArgNames: c.names, Variadic: x.FuncVariadic, Kinds: "pfaw"}
	declared := map[*functions.Func]*functions.Func{}
	for _, f := range b.functionsNamed(schema, name) {
		with := f
		if f.Kind == 'p' && f.Modes != nil {
			all := *f
			all.Args, all.Modes = f.AllArgs, nil
			with = &all
		}
		declared[with] = f
		call.Cands = append(call.Cands, with)
	}
	res := functions.ResolveFunc(b.env.Types, nil, call)
	sig := b.funcSignature(parts, c)
	switch {
	case res.Status == functions.Ambiguous:
		b.fail(pos, pgerr.New(pgerr.AmbiguousFunction, "procedure %s is not unique", sig).
			WithHint("Could not choose a best candidate procedure. You might need to add explicit type casts."))
	case res.Status == functions.NotFound:
		b.fail(pos, pgerr.New(pgerr.UndefinedFunction, "procedure %s does not exist", sig).
			WithHint("No procedure matches the given name and argument types. You might need to add explicit type casts."))
	}
	b.check(-1, res.Err)
	if res.Func.Kind != 'p' {
		b.fail(pos, pgerr.New(pgerr.WrongObjectType, "%s is not a procedure", sig).WithHint("To call a function, use SELECT."))
	}
	b.checkPlainCall(x, dotted(parts), nil, pos)
	if f := declared[res.Func]; f != res.Func {
		at := -1
		res.Params = slices.DeleteFunc(res.Params, func(functions.Param) bool {
			at++
			return f.Modes[min(at, len(f.Modes)-1)] == 'o'
		})
		res.Func = f
	}
	return s.plainCall(res, c.args, x.FuncVariadic, pos)
}
