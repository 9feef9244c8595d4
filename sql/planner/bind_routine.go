package planner

import (
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/parser"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// routine is the body of an SQL function while it is bound.
type routine struct {
	f    *catalog.Function
	args []OID // actual types of the input arguments
	ret  OID   // actual result type
	cols []types.Attribute
}

// Routine binds and plans the body of an SQL function for the types of one call. cols are the
// columns that a caller of a function returning record wants.
func (s Stored) Routine(oid OID, args []OID, ret OID, cols []functions.OutCol) (*plan.Routine, error) {
	f := s.Env.Catalog.Function(oid)
	if f == nil {
		return nil, pgerr.New(pgerr.UndefinedFunction, "cache lookup failed for function %d", oid)
	}
	r := &routine{f: f, args: args, ret: ret}
	for _, c := range cols {
		r.cols = append(r.cols, types.Attribute{Name: c.Name, Type: c.Type, Typmod: c.Typmod})
	}
	out := &plan.Routine{Fresh: f.Volatility == 'v'}
	queries, err := r.bind(s.Env, out)
	if err != nil {
		return nil, err
	}
	for i, q := range queries {
		if q == nil {
			continue
		}
		st, err := Plan(s.Env, q)
		if err != nil {
			return nil, err
		}
		if f.SecurityDef {
			for k := range st.Access {
				if st.Access[k].Role == 0 {
					st.Access[k].Role = f.Owner
				}
			}
		}
		out.Steps[i].Query = st
	}
	return out, nil
}

// bind fills in what out tells about the result, and utility steps; it returns the bound
// queries of the other steps.
func (r *routine) bind(env *Env, out *plan.Routine) ([]*plan.Query, error) {
	list, err := parser.Parse(r.f.Source)
	if err != nil {
		return nil, err
	}
	queries := make([]*plan.Query, len(list))
	out.Steps = make([]plan.RoutineStep, len(list))
	for i, st := range list {
		b := r.binder(env, st)
		last := i == len(list)-1
		err := b.catch(func() {
			if !isQuery(st.Tree) {
				refuseInRoutine(b, st.Tree)
				u, err := bindUtility(b, st.Tree)
				b.check(-1, err)
				out.Steps[i].Utility = u
				if last {
					r.noResult(b)
				}
				return
			}
			q := b.bindStatement(nil, st.Tree)
			if last {
				q = r.result(b, q, out)
			}
			q.Text = st.Text
			queries[i] = q
		})
		if err != nil {
			return nil, err
		}
		out.Objects = append(out.Objects, b.objects...)
	}
	if len(list) == 0 {
		b := r.binder(env, parser.Statement{})
		if err := b.catch(func() { r.noResult(b) }); err != nil {
			return nil, err
		}
	}
	return queries, nil
}

func (r *routine) binder(env *Env, st parser.Statement) *binder {
	b := &binder{env: env, source: st.Source, text: st.Text, seen: map[plan.ObjectVersion]bool{}, fixed: true, params: r.args, routine: r}
	return b
}

// refuseInRoutine refuses statements that need a session of their own.
func refuseInRoutine(b *binder, n *pg.Node) {
	name := ""
	switch x := n.GetNode().(type) {
	case *pg.Node_TransactionStmt:
		name = transactionName(x.TransactionStmt)
	case *pg.Node_CopyStmt:
		b.fail(-1, pgerr.Unsupported("COPY in an SQL function is not supported"))
	case *pg.Node_PrepareStmt, *pg.Node_ExecuteStmt, *pg.Node_DeallocateStmt, *pg.Node_DeclareCursorStmt, *pg.Node_FetchStmt,
		*pg.Node_ClosePortalStmt, *pg.Node_ExplainStmt, *pg.Node_CallStmt, *pg.Node_ListenStmt, *pg.Node_UnlistenStmt, *pg.Node_DiscardStmt:
		b.fail(-1, pgerr.Unsupported("this kind of statement is not supported in an SQL function"))
	}
	if name != "" {
		b.failf(-1, pgerr.FeatureNotSupported, "%s is not allowed in an SQL function", name)
	}
}

func transactionName(t *pg.TransactionStmt) string {
	return strings.ReplaceAll(strings.TrimPrefix(t.Kind.String(), "TRANS_STMT_"), "_", " ")
}

// argument resolves a name as an argument of the function: name, function.name, name.field or
// function.name.field; nil when it is none.
func (r *routine) argument(s *scope, parts []string, pos int) plan.Expr {
	if r == nil {
		return nil
	}
	b := s.b
	find := func(name string) plan.Expr {
		for i, n := range r.inputNames() {
			if n == name && n != "" {
				return b.param(i+1, pos)
			}
		}
		return nil
	}
	field := func(e plan.Expr, name string) plan.Expr {
		if e == nil {
			return nil
		}
		return s.fieldOrFunc(name, e, pos)
	}
	switch len(parts) {
	case 1:
		return find(parts[0])
	case 2:
		if parts[0] == r.f.Name {
			if e := find(parts[1]); e != nil {
				return e
			}
		}
		return field(find(parts[0]), parts[1])
	case 3:
		if parts[0] == r.f.Name {
			return field(find(parts[1]), parts[2])
		}
	}
	return nil
}

// inputNames returns the names of the input arguments.
func (r *routine) inputNames() []string {
	if len(r.f.ArgModes) == 0 {
		return r.f.ArgNames
	}
	var names []string
	for i, m := range r.f.ArgModes {
		if (m == 'i' || m == 'b' || m == 'v') && i < len(r.f.ArgNames) {
			names = append(names, r.f.ArgNames[i])
		}
	}
	return names
}

func (r *routine) mismatch(b *binder, format string, args ...any) {
	b.fail(-1, pgerr.New(pgerr.InvalidFunctionDefinition, "return type mismatch in function declared to return %s", b.typeName(r.ret)).
		WithDetail(format, args...))
}

func (r *routine) noResult(b *binder) {
	if r.ret != types.VoidOID {
		r.mismatch(b, "Function's final statement must be SELECT or INSERT/UPDATE/DELETE RETURNING.")
	}
}

// result makes the last query yield the function's result, and describes it in out.
func (r *routine) result(b *binder, q *plan.Query, out *plan.Routine) *plan.Query {
	if r.ret == types.VoidOID {
		return q
	}
	targets := outputOf(q)
	if q.Command != plan.Select && len(targets) == 0 {
		r.noResult(b)
	}
	out.Result = true
	row := r.ret == types.RecordOID || b.isComposite(r.ret)
	if !row {
		if len(targets) != 1 {
			r.mismatch(b, "Final statement must return exactly one column.")
		}
		return r.convert(b, q, []types.Attribute{{Type: r.ret, Typmod: -1}}, func(i int, have OID) {
			r.mismatch(b, "Actual return type is %s.", b.typeName(have))
		})
	}
	if len(targets) == 1 {
		have := targets[0].Expr.ResultType().OID
		if have == r.ret || b.isComposite(r.ret) && b.canCoerce(have, r.ret, functions.Assignment) {
			out.Whole, out.Row = true, true
			if attrs := b.attributes(r.ret); attrs != nil {
				q = r.convert(b, q, []types.Attribute{{Type: r.ret, Typmod: -1}}, func(int, OID) {})
				out.Types = attributeTypes(attrs)
			}
			return q
		}
	}
	return r.rowResult(b, q, targets, out)
}

// rowResult makes the columns of the last query those of a row type.
func (r *routine) rowResult(b *binder, q *plan.Query, targets []*plan.Target, out *plan.Routine) *plan.Query {
	out.Row = true
	var want []types.Attribute
	if r.ret != types.RecordOID {
		want = b.attributes(r.ret)
	} else if names, typs := b.outColumns(r.f.AllArgTypes, r.f.ArgModes, r.f.ArgNames, r.f.ArgTypes, r.args); len(typs) > 0 {
		for i, t := range typs {
			want = append(want, types.Attribute{Name: names[i], Type: t, Typmod: -1})
		}
	}
	if want == nil && r.cols != nil {
		want = r.cols
	}
	if want == nil {
		for _, t := range targets {
			out.Types = append(out.Types, t.Expr.ResultType())
		}
		return q
	}
	var live []types.Attribute
	for _, a := range want {
		if !a.Dropped {
			live = append(live, a)
		}
	}
	if len(targets) > len(live) {
		r.mismatch(b, "Final statement returns too many columns.")
	}
	for i, t := range targets {
		if have := t.Expr.ResultType().OID; !b.canCoerce(have, live[i].Type, functions.Assignment) {
			r.mismatch(b, "Final statement returns %s instead of %s at column %d.", b.typeName(have), b.typeName(live[i].Type), i+1)
		}
	}
	if len(targets) < len(live) {
		r.mismatch(b, "Final statement returns too few columns.")
	}
	out.Types = attributeTypes(want)
	if r.ret == types.RecordOID && r.cols != nil {
		out.Types = attributeTypes(live)
	}
	return r.convert(b, q, live, func(int, OID) {})
}

// attributeTypes returns the types of all columns; a dropped one has type 0.
func attributeTypes(list []types.Attribute) []plan.Type {
	out := make([]plan.Type, len(list))
	for i, a := range list {
		if !a.Dropped {
			out[i] = plan.Type{OID: a.Type, Typmod: a.Typmod, Collation: a.Collation}
		}
	}
	return out
}

// convert gives the output columns of q the wanted types, in a query around it unless they
// have them already; wrong reports a column that cannot be converted.
func (r *routine) convert(b *binder, q *plan.Query, want []types.Attribute, wrong func(i int, have OID)) *plan.Query {
	targets := outputOf(q)
	same := true
	for i, t := range targets {
		have := t.Expr.ResultType()
		if !b.canCoerce(have.OID, want[i].Type, functions.Assignment) {
			wrong(i, have.OID)
		}
		same = same && have.OID == want[i].Type && (want[i].Typmod < 0 || have.Typmod == want[i].Typmod)
	}
	if same {
		return q
	}
	if q.Command != plan.Select {
		s := b.newScope(nil)
		s.q = q
		for i, t := range q.Returning {
			t.Expr = b.coerceTo(s, t.Expr, b.typeOf(want[i].Type, want[i].Typmod), functions.Assignment, plan.CastImplicit, -1)
		}
		return q
	}
	s := b.newScope(nil)
	rel := s.addRel(&plan.Rel{Kind: plan.RelSubquery, Alias: "result", Query: q, Columns: queryColumns(q)})
	it, items := s.single(rel)
	s.q.From = append(s.q.From, it)
	s.items = append(s.items, items...)
	for i, t := range targets {
		e := b.coerceTo(s, s.relVar(rel, i), b.typeOf(want[i].Type, want[i].Typmod), functions.Assignment, plan.CastImplicit, -1)
		s.q.Targets = append(s.q.Targets, &plan.Target{Expr: e, Name: t.Name})
	}
	b.assignCollations(s)
	return s.q
}

// outColumns returns the OUT columns of a function with polymorphic types resolved by the
// actual types of its input arguments.
func (b *binder) outColumns(all []OID, modes []byte, names []string, declared, actual []OID) (cols []string, typs []OID) {
	for i, m := range modes {
		if m != 'o' && m != 'b' && m != 't' {
			continue
		}
		name := ""
		if i < len(names) {
			name = names[i]
		}
		t := all[i]
		if functions.IsPolymorphic(t) && len(actual) == len(declared) {
			c, err := functions.ResolvePolymorphic(b.env.Types, nil, actual, append([]OID(nil), declared...), t)
			b.check(-1, err)
			t = c
		}
		cols, typs = append(cols, columnName(name, len(cols))), append(typs, t)
	}
	return cols, typs
}

// callColumns returns the OUT columns of the function that is called.
func (b *binder) callColumns(c *plan.Call) (names []string, typs []OID) {
	actual := make([]OID, len(c.Args))
	for i, a := range c.Args {
		actual[i] = a.ResultType().OID
	}
	return b.outColumns(c.Func.AllArgs, c.Func.Modes, c.Func.Names, c.Func.Args, actual)
}

// checkRoutine binds a function's body to find its errors. Nothing is known of a body whose
// types are polymorphic but that it can be parsed.
func checkRoutine(env *Env, f *catalog.Function) error {
	r := &routine{f: f, args: f.ArgTypes, ret: f.Returns}
	for _, t := range append([]OID{f.Returns}, f.ArgTypes...) {
		if functions.IsPolymorphic(t) {
			_, err := parser.Parse(r.f.Source)
			return err
		}
	}
	_, err := r.bind(env, &plan.Routine{})
	return err
}
