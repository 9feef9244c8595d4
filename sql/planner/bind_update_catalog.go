package planner

import (
	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// updatesStatistics reports whether a statement changes nothing but the sizes of tables in pg_class, the only thing in a
// system catalog that can be changed by UPDATE.
func updatesStatistics(n *pg.Node) bool {
	u := n.GetUpdateStmt()
	if u == nil || u.Relation.Relname != "pg_class" || u.Relation.Schemaname != "" && u.Relation.Schemaname != "pg_catalog" ||
		len(u.ReturningList) > 0 || u.WithClause != nil {
		return false
	}
	for _, t := range u.TargetList {
		if name := t.GetResTarget().Name; name != "reltuples" && name != "relpages" {
			return false
		}
	}
	return true
}

// updateStatistics binds it as a query for the relations and their new values.
func (b *binder) updateStatistics(u *pg.UpdateStmt) plan.Utility {
	if role := b.env.Catalog.Role(b.env.User); role != nil && !role.Superuser {
		b.failf(-1, pgerr.InsufficientPrivilege, "permission denied for table pg_class")
	}
	name := u.Relation.Relname
	if u.Relation.Alias != nil {
		name = u.Relation.Alias.Aliasname
	}
	values := map[string]*pg.Node{}
	for _, t := range u.TargetList {
		values[t.GetResTarget().Name] = t.GetResTarget().Val
	}
	target := func(column, typ string) *pg.Node {
		val := values[column]
		if val == nil {
			val = pg.MakeColumnRefNode([]*pg.Node{pg.MakeStrNode(name), pg.MakeStrNode(column)}, -1)
		}
		cast := &pg.TypeCast{Arg: val, Location: -1,
			TypeName: &pg.TypeName{Names: []*pg.Node{pg.MakeStrNode("pg_catalog"), pg.MakeStrNode(typ)}, Typemod: -1, Location: -1}}
		return pg.MakeResTargetNodeWithVal(&pg.Node{Node: &pg.Node_TypeCast{TypeCast: cast}}, -1)
	}
	sel := &pg.SelectStmt{
		TargetList: []*pg.Node{target("oid", "oid"), target("reltuples", "float8"), target("relpages", "int8")},
		FromClause: append([]*pg.Node{{Node: &pg.Node_RangeVar{RangeVar: u.Relation}}}, u.FromClause...), WhereClause: u.WhereClause,
	}
	return &plan.UpdateStatistics{Query: b.bindNested(&pg.Node{Node: &pg.Node_SelectStmt{SelectStmt: sel}})}
}
