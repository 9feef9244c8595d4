package planner

import (
	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/parser"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// Bind resolves the names and types of a statement.
func Bind(env *Env, st parser.Statement) (bound *Bound, err error) {
	b := &binder{env: env, source: st.Source, text: st.Text, seen: map[plan.ObjectVersion]bool{}}
	b.params = append(b.params, env.Params...)
	b.numberLiterals()
	defer func() {
		if r := recover(); r != nil {
			bound, err = nil, b.caught(r)
		}
	}()
	out := &Bound{}
	if isQuery(st.Tree) {
		out.Query = b.bindStatement(nil, st.Tree)
		out.Query.Text = st.Text
	} else if out.Utility, err = bindUtility(b, st.Tree); err != nil {
		return nil, err
	}
	b.checkParams()
	out.Params, out.Objects = b.params, b.objects
	return out, nil
}

// binder binds one statement. Its methods report user errors by panicking with a
// bindError, which the entry points turn into an error: parse analysis is deep
// recursion in which every step can fail.
type binder struct {
	env     *Env
	source  string // what positions refer to
	text    string
	params  []OID // types of $1, $2, …; 0: not known yet
	fixed   bool  // parameters beyond the declared ones do not exist
	objects []plan.ObjectVersion
	seen    map[plan.ObjectVersion]bool
	depth   int
	steps   int
	// routine is the SQL function whose body is bound: its arguments are names that no FROM item explains. May be nil.
	routine *routine
	// literals numbers the constants of the text by their position, for the plan cache.
	literals map[int]int
	views    []OID
	// unplaced leaves out where in the text an error is, and unplacedRaw does so in expressions kept for later: PostgreSQL
	// looks at some parts of DDL without the text at hand.
	unplaced, unplacedRaw bool
}

// bindError carries a user error up to the entry point.
type bindError struct{ err *pgerr.Error }

// caught turns a recovered panic into the user's error, or panics on.
func (b *binder) caught(r any) error {
	if e, ok := r.(bindError); ok {
		return e.err
	}
	panic(r)
}

// fail reports a user error at a byte offset of the source (-1: nowhere).
func (b *binder) fail(pos int, err *pgerr.Error) {
	if pos >= 0 && !b.unplaced {
		err.At(parser.Position(b.source, pos))
	}
	panic(bindError{err})
}

// failf is fail with a new error.
func (b *binder) failf(pos int, code, format string, args ...any) {
	b.fail(pos, pgerr.New(code, format, args...))
}

// check reports an error that came from elsewhere.
func (b *binder) check(pos int, err error) {
	if err != nil {
		b.fail(pos, pgerr.From(err))
	}
}

// Catch runs f and returns the user error that it reported. It is how code that binds parts of
// utility statements uses the binder's methods.
func (b *binder) catch(f func()) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = b.caught(r)
		}
	}()
	f()
	return nil
}

// isQuery reports whether a statement is bound as a query.
func isQuery(n *pg.Node) bool {
	switch x := n.GetNode().(type) {
	case *pg.Node_SelectStmt:
		return x.SelectStmt.IntoClause == nil && leftmost(x.SelectStmt).IntoClause == nil
	case *pg.Node_UpdateStmt:
		return !updatesStatistics(n)
	case *pg.Node_InsertStmt, *pg.Node_DeleteStmt, *pg.Node_MergeStmt:
		return true
	}
	return false
}

// leftmost returns the first SELECT of a tree of set operations.
func leftmost(s *pg.SelectStmt) *pg.SelectStmt {
	for s.Larg != nil {
		s = s.Larg
	}
	return s
}

// bindStatement binds SELECT, INSERT, UPDATE, DELETE or MERGE inside parent (nil at the top).
func (b *binder) bindStatement(parent *scope, n *pg.Node) *plan.Query {
	b.enter()
	defer b.leave()
	switch x := n.GetNode().(type) {
	case *pg.Node_SelectStmt:
		return b.bindSelect(parent, x.SelectStmt, nil)
	case *pg.Node_InsertStmt:
		return b.bindInsert(parent, x.InsertStmt)
	case *pg.Node_UpdateStmt:
		return b.bindUpdate(parent, x.UpdateStmt)
	case *pg.Node_DeleteStmt:
		return b.bindDelete(parent, x.DeleteStmt)
	case *pg.Node_MergeStmt:
		return b.bindMerge(parent, x.MergeStmt)
	}
	b.fail(-1, pgerr.Unsupported("this kind of statement is not supported here"))
	return nil
}

// maxBindDepth bounds the recursion over the tree; the parser's limit on a text's depth
// is lower, views inside views add to it.
const maxBindDepth = 20000

// stepsBetweenLooks is how many steps binding and planning take between two looks at whether the statement was cancelled.
const stepsBetweenLooks = 64

func (b *binder) enter() {
	if b.depth++; b.depth > maxBindDepth {
		b.failf(-1, pgerr.StatementTooComplex, "stack depth limit exceeded")
	}
	if b.steps++; b.steps%stepsBetweenLooks == 0 {
		b.check(-1, b.env.Functions.Canceled())
	}
}

func (b *binder) leave() { b.depth-- }

// depend notes that the binding used an object.
// schemaNamed returns the schema that a name says, nil when there is none.
func (b *binder) schemaNamed(name string, pos int) *catalog.Schema {
	s := b.env.Catalog.SchemaByName(name)
	if s == nil || b.env.UseSchema == nil || s.OID < catalog.FirstUserOID && s.OID != catalog.Public {
		return s
	}
	b.depend(catalog.ClassSchema, s.OID, s.Version)
	b.check(pos, b.env.UseSchema(s))
	return s
}

func (b *binder) depend(class catalog.Class, oid OID, version uint64) {
	v := plan.ObjectVersion{Class: class, OID: oid, Version: version}
	if !b.seen[v] {
		b.seen[v] = true
		b.objects = append(b.objects, v)
	}
}

// numberLiterals notes where the constants stand that the plan cache may vary.
func (b *binder) numberLiterals() {
	_, list, ok := parser.Lift(b.source)
	if !ok || len(list) == 0 {
		return
	}
	b.literals = make(map[int]int, len(list))
	for i, l := range list {
		b.literals[l.Start] = i
		// The grammar makes one constant of a minus sign and a number.
		if l.Kind != parser.String && l.Start > 0 && b.source[l.Start-1] == '-' {
			b.literals[l.Start-1] = i
		}
	}
}

// maxParam is the highest parameter number that the protocol can carry.
const maxParam = 65535

// param returns the expression for $n.
func (b *binder) param(n, pos int) plan.Expr {
	if n < 1 || n > maxParam || b.fixed && n > len(b.params) {
		b.failf(pos, pgerr.UndefinedParameter, "there is no parameter $%d", n)
	}
	for len(b.params) < n {
		b.params = append(b.params, 0)
	}
	t := b.params[n-1]
	if t == 0 || t == types.UnknownOID {
		return &plan.Param{Base: plan.Base{Typ: plan.Type{OID: types.UnknownOID, Typmod: -1}, Pos: pos}, N: n}
	}
	return &plan.Param{Base: plan.Base{Typ: b.plainType(t), Pos: pos}, N: n}
}

// checkParams refuses parameters whose type no context told.
func (b *binder) checkParams() {
	for i, t := range b.params {
		if t == 0 || t == types.UnknownOID {
			b.failf(-1, pgerr.IndeterminateDatatype, "could not determine data type of parameter $%d", i+1)
		}
	}
}
