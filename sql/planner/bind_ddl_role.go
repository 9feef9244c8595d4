package planner

import (
	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/omendb/omendb/sql/plan"
)

// bindRoleStatement binds roles, privileges and databases.
func bindRoleStatement(b *binder, node *pg.Node) plan.Utility {
	switch n := node.GetNode().(type) {
	case *pg.Node_CreateRoleStmt:
		c := n.CreateRoleStmt
		return &plan.CreateRole{Name: c.Role, User: c.StmtType == pg.RoleStmtType_ROLESTMT_USER, Options: b.options(c.Options)}
	case *pg.Node_AlterRoleStmt:
		a := n.AlterRoleStmt
		u := &plan.AlterRole{Name: b.roleName(a.Role), Options: b.options(a.Options)}
		if len(u.Options) == 1 && u.Options[0].Name == "rolemembers" {
			return &plan.GrantRole{Roles: []string{u.Name}, Members: u.Options[0].Value.([]string), Revoke: a.Action < 0}
		}
		return u
	case *pg.Node_AlterRoleSetStmt:
		a := n.AlterRoleSetStmt
		u := &plan.AlterRole{Set: b.set(a.Setstmt), Database: a.Database}
		if a.Role != nil {
			u.Name = b.roleName(a.Role)
		}
		return u
	case *pg.Node_GrantStmt:
		return b.grant(n.GrantStmt)
	case *pg.Node_GrantRoleStmt:
		return b.grantRole(n.GrantRoleStmt)
	case *pg.Node_AlterDefaultPrivilegesStmt:
		return b.defaultPrivileges(n.AlterDefaultPrivilegesStmt)
	case *pg.Node_CreatedbStmt:
		return &plan.CreateDatabase{Name: n.CreatedbStmt.Dbname, Options: b.options(n.CreatedbStmt.Options)}
	case *pg.Node_AlterDatabaseStmt:
		return &plan.AlterDatabase{Name: n.AlterDatabaseStmt.Dbname, Options: b.options(n.AlterDatabaseStmt.Options)}
	case *pg.Node_AlterDatabaseSetStmt:
		return &plan.AlterDatabase{Name: n.AlterDatabaseSetStmt.Dbname, Set: b.set(n.AlterDatabaseSetStmt.Setstmt)}
	case *pg.Node_ReassignOwnedStmt:
		return &plan.ReassignOwned{Roles: b.roleNames(n.ReassignOwnedStmt.Roles), NewRole: b.roleName(n.ReassignOwnedStmt.Newrole)}
	case *pg.Node_DropOwnedStmt:
		return &plan.DropOwned{Roles: b.roleNames(n.DropOwnedStmt.Roles), Cascade: cascade(n.DropOwnedStmt.Behavior)}
	}
	return nil
}

func (b *binder) grant(g *pg.GrantStmt) *plan.Grant {
	u := &plan.Grant{
		Revoke: !g.IsGrant, Kind: plan.ObjectKind(objectKind(g.Objtype)), GrantOption: g.GrantOption, Cascade: cascade(g.Behavior),
		AllInSchema: g.Targtype == pg.GrantTargetType_ACL_TARGET_ALL_IN_SCHEMA, Grantees: b.roleNames(g.Grantees),
	}
	if g.Grantor != nil {
		u.GrantedBy = b.roleName(g.Grantor)
	}
	for _, o := range g.Objects {
		u.Objects = append(u.Objects, b.objectRef(g.Objtype, o))
	}
	for _, p := range g.Privileges {
		a := p.GetAccessPriv()
		u.Privileges = append(u.Privileges, plan.GrantPrivilege{Name: a.PrivName, Columns: columnNames(a.Cols)})
	}
	return u
}

func (b *binder) grantRole(g *pg.GrantRoleStmt) plan.Utility {
	u := &plan.GrantRole{Revoke: !g.IsGrant, Members: b.roleNames(g.GranteeRoles), Cascade: cascade(g.Behavior)}
	for _, r := range g.GrantedRoles {
		u.Roles = append(u.Roles, r.GetAccessPriv().GetPrivName())
	}
	for _, o := range b.options(g.Opt) {
		on, err := o.Bool()
		b.check(-1, err)
		if o.Name == "admin" {
			// REVOKE ADMIN OPTION FOR says false and means that option alone.
			u.Admin = on || u.Revoke
		}
	}
	if g.Grantor != nil {
		u.GrantedBy = b.roleName(g.Grantor)
	}
	return u
}

func (b *binder) defaultPrivileges(a *pg.AlterDefaultPrivilegesStmt) plan.Utility {
	u := &plan.DefaultPrivileges{Action: b.grant(a.Action)}
	for _, n := range a.Options {
		d := n.GetDefElem()
		switch d.Defname {
		case "schemas":
			u.Schemas = names(d.Arg.GetList().GetItems())
		case "roles":
			u.Roles = b.roleNames(d.Arg.GetList().GetItems())
		}
	}
	return u
}
