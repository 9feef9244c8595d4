package planner

import (
	"sort"

	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// StoredKind says what a stored expression is for, which decides what it may hold.
type StoredKind uint8

// The uses of stored expressions.
const (
	StoredDefault     StoredKind = iota // DEFAULT: no columns; coerced to the type
	StoredGenerated                     // GENERATED ALWAYS AS: immutable; coerced to the type
	StoredCheck                         // CHECK of a table
	StoredDomainCheck                   // CHECK of a domain: VALUE is a CaseTest of the base type
	StoredIndexKey                      // an index expression: immutable
	StoredPredicate                     // of a partial index: immutable, boolean
	StoredUsing                         // ALTER COLUMN TYPE … USING
)

// StoredExpr asks for an expression that is kept in the catalog.
type StoredExpr struct {
	Kind   StoredKind
	Raw    plan.RawExpr      // the parser's tree
	Source string            // the text that its positions refer to; may be empty
	Table  *catalog.Relation // whose columns it may use; nil for defaults and domains
	Column string            // the column that it is for, in messages
	Type   plan.Type         // to coerce to; of a domain check: the base type
}

// BoundExpr is a bound stored expression. Its Vars refer to Rel 0, Level 0.
type BoundExpr struct {
	Expr    plan.Expr
	Columns []int16 // attributes that it uses, ascending
	Depends []catalog.Dependency
	Mutable byte // the most volatile function in it: 'i', 's' or 'v'
}

var storedClauses = map[StoredKind]clause{
	StoredDefault: inDefault, StoredGenerated: inGenerated, StoredCheck: inCheck, StoredDomainCheck: inCheck,
	StoredIndexKey: inIndexExpr, StoredPredicate: inIndexPred, StoredUsing: inAlterType,
}

// BindStored binds a default, check, generation, index or USING expression.
func BindStored(env *Env, r StoredExpr) (out *BoundExpr, err error) {
	b := &binder{env: env, source: r.Source, seen: map[plan.ObjectVersion]bool{}, fixed: true}
	err = b.catch(func() { out = b.stored(r) })
	return out, err
}

func (b *binder) stored(r StoredExpr) *BoundExpr {
	raw, ok := r.Raw.(*pg.Node)
	if !ok {
		b.failf(-1, pgerr.InternalError, "stored expression is no parse tree")
	}
	s := b.newScope(nil)
	if r.Table != nil {
		s.items = []*nsItem{s.relItem(s.addRel(b.tableRel(r.Table, 0)))}
	}
	if r.Kind == StoredDomainCheck {
		b.columnHook = func(parts []string, pos int) plan.Expr {
			if len(parts) == 1 && parts[0] == "value" {
				return &plan.CaseTest{Base: plan.Base{Typ: r.Type, Pos: pos}}
			}
			return nil
		}
	}
	e := within(s, storedClauses[r.Kind], func() plan.Expr { return s.expr(raw) })
	switch r.Kind {
	case StoredDefault, StoredGenerated:
		if r.Type.OID != 0 {
			e = b.defaultFits(s, e, r)
		}
	case StoredCheck, StoredDomainCheck:
		e = b.coerceBool(s, e, "CHECK")
	case StoredPredicate:
		e = b.coerceBool(s, e, "WHERE")
	case StoredUsing:
		if out := b.coerceTo(s, e, r.Type, functions.Assignment, plan.CastImplicit, -1); out != nil {
			e = out
		} else {
			b.fail(-1, pgerr.New(pgerr.DatatypeMismatch, "result of USING clause for column \"%s\" cannot be cast automatically to type %s", r.Column, b.typeName(r.Type.OID)).
				WithHint("You might need to add an explicit cast."))
		}
	default:
		e = b.resolveUnknown(s, e)
	}
	b.collate(e)
	unfree(e)
	out := &BoundExpr{Expr: e, Mutable: worstVolatility(e)}
	table := OID(0)
	if r.Table != nil {
		table = r.Table.OID
	}
	out.Columns, out.Depends = exprUses(e, table)
	b.checkMutable(r, out)
	return out
}

func (b *binder) defaultFits(s *scope, e plan.Expr, r StoredExpr) plan.Expr {
	out := b.coerceTo(s, e, r.Type, functions.Assignment, plan.CastImplicit, -1)
	if out != nil {
		return out
	}
	b.fail(location(e), pgerr.New(pgerr.DatatypeMismatch, "column \"%s\" is of type %s but default expression is of type %s", r.Column, b.typeName(r.Type.OID), b.typeName(e.ResultType().OID)).
		WithHint("You will need to rewrite or cast the expression."))
	return nil
}

func (b *binder) checkMutable(r StoredExpr, out *BoundExpr) {
	if out.Mutable == 'i' {
		return
	}
	switch r.Kind {
	case StoredGenerated:
		b.failf(-1, pgerr.InvalidObjectDefinition, "generation expression is not immutable")
	case StoredIndexKey:
		b.failf(-1, pgerr.InvalidObjectDefinition, "functions in index expression must be marked IMMUTABLE")
	case StoredPredicate:
		b.failf(-1, pgerr.InvalidObjectDefinition, "functions in index predicate must be marked IMMUTABLE")
	}
}

// worstVolatility returns the worst volatility of the functions in an expression.
func worstVolatility(e plan.Expr) byte {
	worst := byte('i')
	note := func(v byte) {
		if v == 'v' || v == 's' && worst == 'i' {
			worst = v
		}
	}
	plan.Walk(e, func(x plan.Expr) bool {
		switch v := x.(type) {
		case *plan.Call:
			note(v.Func.Volatile)
		case *plan.NextValue:
			note('v')
		case *plan.ValueFunc, *plan.SubLink:
			note('s')
		case *plan.ArrayOp:
			note(v.Func.Volatile)
		case *plan.Distinct:
			note(v.Equal.Volatile)
		}
		return true
	})
	return worst
}

// exprUses returns the attributes of Rels[0], which is the given table, that an expression
// uses, and the objects that it needs to exist.
func exprUses(e plan.Expr, table OID) ([]int16, []catalog.Dependency) {
	d := newDependencies()
	seen := map[int16]bool{}
	plan.Walk(e, func(x plan.Expr) bool {
		if v, ok := x.(*plan.Var); ok && v.Level == 0 && v.Rel == 0 && v.Attr >= 0 {
			seen[int16(v.Attr+1)] = true
			if table != 0 {
				d.add(catalog.Dependency{Class: catalog.ClassRelation, OID: table, Sub: int16(v.Attr + 1)})
			}
		}
		d.expr(x, nil)
		return true
	})
	var cols []int16
	for c := range seen {
		cols = append(cols, c)
	}
	sort.Slice(cols, func(i, j int) bool { return cols[i] < cols[j] })
	return cols, d.list
}

// QueryDepends returns the objects, and columns of them, that a stored query needs to exist.
func QueryDepends(q *plan.Query) []catalog.Dependency {
	d := newDependencies()
	d.query([]*plan.Query{q})
	return d.list
}

type dependencies struct {
	list []catalog.Dependency
	seen map[catalog.Dependency]bool
}

func newDependencies() *dependencies { return &dependencies{seen: map[catalog.Dependency]bool{}} }

func (d *dependencies) add(x catalog.Dependency) {
	if !d.seen[x] {
		d.seen[x] = true
		d.list = append(d.list, x)
	}
}

func (d *dependencies) function(f *functions.Func) {
	if f != nil && f.OID >= catalog.FirstUserOID {
		d.add(catalog.Dependency{Class: catalog.ClassFunction, OID: f.OID})
	}
}

// expr notes what one node names. levels are the queries around it, innermost last.
func (d *dependencies) expr(e plan.Expr, levels []*plan.Query) {
	if t := e.ResultType().OID; t >= catalog.FirstUserOID {
		d.add(catalog.Dependency{Class: catalog.ClassType, OID: t})
	}
	switch x := e.(type) {
	case *plan.Call:
		d.function(x.Func)
	case *plan.Agg:
		d.function(x.Func)
	case *plan.WindowCall:
		d.function(x.Func)
	case *plan.NextValue:
		d.add(catalog.Dependency{Class: catalog.ClassSequence, OID: x.Sequence})
	case *plan.Const:
		if x.Typ.OID == types.RegclassOID && !x.Value.Null && x.Value.I >= int64(catalog.FirstUserOID) {
			d.add(catalog.Dependency{Class: catalog.ClassRelation, OID: OID(x.Value.I)})
			d.add(catalog.Dependency{Class: catalog.ClassSequence, OID: OID(x.Value.I)})
		}
	case *plan.Var:
		if x.Level < len(levels) {
			q := levels[len(levels)-1-x.Level]
			if x.Rel < len(q.Rels) {
				d.column(q.Rels[x.Rel], x.Attr)
			}
		}
	}
}

func (d *dependencies) column(r *plan.Rel, attr int) {
	switch {
	case attr < 0:
	case r.Kind == plan.RelTable && r.Table.OID >= catalog.FirstUserOID:
		d.add(catalog.Dependency{Class: catalog.ClassRelation, OID: r.Table.OID, Sub: int16(attr + 1)})
	case r.FromView != 0:
		d.add(catalog.Dependency{Class: catalog.ClassRelation, OID: r.FromView, Sub: int16(attr + 1)})
	}
}

func (d *dependencies) query(levels []*plan.Query) {
	q := levels[len(levels)-1]
	plan.WalkQuery(q, func(e plan.Expr) bool {
		d.expr(e, levels)
		return true
	}, func(*plan.Query) {})
	for _, r := range q.Rels {
		switch {
		case r.Kind == plan.RelTable && r.Table.OID >= catalog.FirstUserOID:
			d.add(catalog.Dependency{Class: catalog.ClassRelation, OID: r.Table.OID})
		case r.FromView != 0:
			d.add(catalog.Dependency{Class: catalog.ClassRelation, OID: r.FromView})
			continue
		}
		if r.Query != nil {
			d.query(append(levels[:len(levels):len(levels)], r.Query))
		}
	}
	for _, c := range q.CTEs {
		d.query(append(levels[:len(levels):len(levels)], c.Query))
	}
	for _, l := range subLinks(q) {
		d.query(append(levels[:len(levels):len(levels)], l.Query))
	}
}

// DecodeStored reads a stored expression of the catalog.
func DecodeStored(env *Env, data []byte) (e plan.Expr, err error) {
	b := &binder{env: env, seen: map[plan.ObjectVersion]bool{}}
	err = b.catch(func() { e = b.decodeExpr(data) })
	return e, err
}

// DecodeView reads the stored query of a view.
func DecodeView(env *Env, data []byte, view OID) (q *plan.Query, err error) {
	b := &binder{env: env, seen: map[plan.ObjectVersion]bool{}}
	err = b.catch(func() { q = b.decodeQuery(data, view) })
	return q, err
}
