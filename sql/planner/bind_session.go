package planner

import (
	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/parser"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// RawStatement makes a statement of a tree that a utility statement (PREPARE) holds.
func RawStatement(raw plan.RawExpr, text string) parser.Statement {
	r := raw.(*rawExpr)
	return parser.Statement{Tree: r.node, Text: text, Source: r.source, End: len(r.source)}
}

// TransactionControl returns the transaction command that a statement is, nil for others.
// It needs no catalog: it serves in failed transactions.
func TransactionControl(st parser.Statement) *plan.Transaction {
	n, ok := st.Tree.GetNode().(*pg.Node_TransactionStmt)
	if !ok {
		return nil
	}
	b := &binder{env: &Env{}, source: st.Source, text: st.Text}
	t, _ := b.transaction(n.TransactionStmt).(*plan.Transaction)
	return t
}

// BindArguments binds the arguments of EXECUTE as values of the statement's
// parameter types.
func BindArguments(env *Env, args []plan.RawExpr, params []OID, name string) (out []plan.Expr, err error) {
	for i, a := range args {
		r := a.(*rawExpr)
		b := &binder{env: env, source: r.source, text: r.source, seen: map[plan.ObjectVersion]bool{}, fixed: true}
		err := b.catch(func() {
			s := b.newScope(nil)
			s.clause = inExecute
			e := s.expr(r.node)
			c := b.coerceTo(s, e, b.plainType(params[i]), functions.Assignment, plan.CastImplicit, -1)
			if c == nil {
				b.fail(e.Position(), pgerr.New(pgerr.DatatypeMismatch, "parameter $%d of type %s cannot be coerced to the expected type %s", i+1,
					env.Types.FormatType(e.ResultType().OID, -1), env.Types.FormatType(params[i], -1)).
					WithHint("You will need to rewrite or cast the expression."))
			}
			out = append(out, c)
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
