package planner

import (
	"slices"

	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// The parts of a row's identity before the columns of its storage key.
const (
	currentTable = iota
	currentKey
	currentColumns
)

// currentOf binds WHERE CURRENT OF: the row that is where the cursor's is. The columns of the storage key are compared, too,
// since they lead to the row at once.
func (s *scope) currentOf(x *pg.CurrentOfExpr) plan.Expr {
	b := s.b
	if s.view != nil {
		b.failf(-1, pgerr.FeatureNotSupported, "WHERE CURRENT OF on a view is not implemented")
	}
	r := s.q.Rels[s.q.Result]
	part := func(n int, t plan.Type) plan.Expr {
		arg := func(oid OID, d types.Datum) plan.Expr {
			return &plan.Const{Base: plan.Base{Typ: b.plainType(oid), Pos: -1}, Value: d}
		}
		return &plan.Call{Base: plan.Base{Typ: t, Pos: -1}, Func: functions.CurrentOf(), Args: []plan.Expr{
			arg(types.TextOID, types.Datum{B: []byte(x.CursorName)}), arg(types.OIDOID, types.Datum{I: int64(r.Table.OID)}), arg(types.Int4OID, types.Datum{I: int64(n)})}}
	}
	var all []plan.Expr
	equal := func(attr int, t plan.Type, n int) {
		op := functions.EqualityOp(b.env.Types, t.OID)
		if op == nil || op.Left != t.OID {
			return
		}
		v := &plan.Var{Base: plan.Base{Typ: t, Pos: -1}, Rel: s.q.Result, Attr: attr}
		all = append(all, &plan.Call{Base: plan.Base{Typ: b.plainType(types.BoolOID), Pos: -1}, Func: op.Code, Op: op.OID,
			Args: []plan.Expr{v, part(n, t)}, InputColl: t.Collation})
	}
	equal(plan.AttrTableOID, b.plainType(types.OIDOID), currentTable)
	equal(plan.AttrKey, b.plainType(types.TIDOID), currentKey)
	for i, n := range r.Table.StorageKey {
		equal(int(n)-1, r.Columns[n-1].Type, currentColumns+i)
	}
	return &plan.BoolOp{Base: boolBase(-1), Op: plan.And, Args: all}
}

// currentRows adds the columns that WHERE CURRENT OF needs to a cursor's query, if rows of it are rows of tables.
func (b *binder) currentRows(u *plan.DeclareCursor) {
	q := u.Query
	u.Visible, u.Locks = len(visible(q.Targets)), len(q.Locks) > 0
	if q.Command != plan.Select || q.SetOp != nil || q.Distinct || len(q.GroupBy) > 0 || q.Sets != nil || q.GroupAll || q.HasAggs || q.HasWindows {
		return
	}
	var rels []int
	for _, l := range q.Locks {
		rels = append(rels, l.Rel)
	}
	if !u.Locks && len(q.Rels) == 1 && len(q.From) == 1 {
		rels = []int{0}
	}
	var more []*plan.Target
	for _, i := range rels {
		r := q.Rels[i]
		if r.Kind != plan.RelTable || r.Table.Kind != catalog.KindTable || r.Table.OID < catalog.FirstUserOID {
			continue
		}
		u.Current = append(u.Current, plan.CursorRow{Table: r.Table.OID, First: u.Visible + len(more)})
		add := func(attr int, t plan.Type) {
			more = append(more, &plan.Target{Name: "?", Expr: &plan.Var{Base: plan.Base{Typ: t, Pos: -1}, Rel: i, Attr: attr}})
		}
		add(plan.AttrTableOID, b.plainType(types.OIDOID))
		add(plan.AttrKey, b.plainType(types.TIDOID))
		for _, n := range r.Table.StorageKey {
			add(int(n)-1, r.Columns[n-1].Type)
		}
	}
	q.Targets = slices.Insert(q.Targets, u.Visible, more...) // what is only sorted by stands last
	for i := range q.OrderBy {
		if q.OrderBy[i].Target >= u.Visible {
			q.OrderBy[i].Target += len(more)
		}
	}
}
