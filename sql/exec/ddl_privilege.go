package exec

import (
	"slices"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
)

// mayChange is the one check point of DDL: every descriptor that a statement stores or deletes passes here. Superusers may do
// everything, owners what they like with their own objects; new objects need CREATE on their schema. next is nil for a deletion.
func (d *ddl) mayChange(prev, next catalog.Object) error {
	user := d.view.Role(d.bind.User())
	if user == nil || user.Superuser {
		return nil
	}
	o := next
	if o == nil {
		o = prev
	}
	switch o := o.(type) {
	case *catalog.Statistic:
		return nil
	case *catalog.Role:
		before, _ := prev.(*catalog.Role)
		after, _ := next.(*catalog.Role)
		return mayChangeRole(user, before, after)
	case *catalog.Database:
		if prev == nil && !user.CreateDB {
			return pgerr.New(pgerr.InsufficientPrivilege, "permission denied to create database")
		}
	case *catalog.Schema, *catalog.Extension, *catalog.Setting:
		if prev == nil {
			return pgerr.New(pgerr.InsufficientPrivilege, "permission denied to create \"%s\"", o.Head().Name)
		}
	case *catalog.Index:
		if table := d.view.Relation(o.Table); table != nil {
			return d.mustOwn(user, table)
		}
	default:
		if prev == nil {
			return d.mayCreateIn(user, o.Head().Schema)
		}
	}
	if prev == nil {
		return nil
	}
	return d.mustOwn(user, prev)
}

// mustOwn refuses a role that is neither the owner of an object nor a member of it.
func (d *ddl) mustOwn(user *catalog.Role, o catalog.Object) error {
	if d.hasRole(user, o.Head().Owner) {
		return nil
	}
	return pgerr.New(pgerr.InsufficientPrivilege, "must be owner of %s %s", ownedKind(o), o.Head().Name)
}

func ownedKind(o catalog.Object) string {
	switch o := o.(type) {
	case *catalog.Relation:
		if o.Kind == catalog.KindView {
			return "view"
		}
		return "table"
	case *catalog.Sequence:
		return "sequence"
	case *catalog.Type:
		return "type"
	case *catalog.Function:
		return "function"
	case *catalog.Schema:
		return "schema"
	case *catalog.Database:
		return "database"
	}
	return "object"
}

// mayCreateIn checks CREATE on a schema.
func (d *ddl) mayCreateIn(user *catalog.Role, schema OID) error {
	s := d.view.Schema(schema)
	if s == nil || schema == d.view.TempSchema() || d.hasRole(user, s.Owner) {
		return nil
	}
	acl := s.ACL
	if acl == nil {
		acl = catalog.DefaultPrivileges(s)
	}
	for _, a := range acl {
		if a.Privileges&catalog.ACLCreate != 0 && (a.Grantee == 0 || d.hasRole(user, a.Grantee)) {
			return nil
		}
	}
	return pgerr.New(pgerr.InsufficientPrivilege, "permission denied for schema %s", s.Name)
}

// hasRole reports whether a role is another one, or inherits its privileges.
func (d *ddl) hasRole(user *catalog.Role, other OID) bool {
	seen := map[OID]bool{}
	var walk func(*catalog.Role) bool
	walk = func(r *catalog.Role) bool {
		if r == nil || seen[r.OID] {
			return false
		}
		seen[r.OID] = true
		if r.OID == other {
			return true
		}
		return r.Inherit && slices.ContainsFunc(r.MemberOf, func(m catalog.Membership) bool { return walk(d.view.Role(m.Role)) })
	}
	return walk(user)
}

// mayChangeRole checks CREATE, ALTER and DROP ROLE and the granting of roles. before is nil for a new role, after for a dropped one.
func mayChangeRole(user, before, after *catalog.Role) error {
	above := func(r *catalog.Role) bool { return r != nil && (r.Superuser || r.Replication || r.BypassRLS) }
	switch {
	case above(before) || above(after):
		return pgerr.New(pgerr.InsufficientPrivilege, "must be superuser to create, alter or drop superusers, replication users or roles that bypass row security")
	case user.CreateRole:
		return nil
	case before == nil:
		return pgerr.New(pgerr.InsufficientPrivilege, "permission denied to create role")
	case after == nil:
		return pgerr.New(pgerr.InsufficientPrivilege, "permission denied to drop role")
	}
	if granted := mayGrantRole(user, before, after); granted != nil {
		return granted
	}
	same := before.Name == after.Name && before.CreateRole == after.CreateRole && before.CreateDB == after.CreateDB && before.Login == after.Login &&
		before.Inherit == after.Inherit && before.ConnLimit == after.ConnLimit && before.ValidUntil == after.ValidUntil
	if !same || before.Verifier != after.Verifier && before.OID != user.OID {
		return pgerr.New(pgerr.InsufficientPrivilege, "permission denied")
	}
	return nil
}

// mayGrantRole checks that whoever changes memberships has the admin option on each role that comes or goes.
func mayGrantRole(user, before, after *catalog.Role) error {
	changed := func(from, to []catalog.Membership) error {
		for _, m := range from {
			if slices.Contains(to, m) {
				continue
			}
			admin := slices.ContainsFunc(user.MemberOf, func(own catalog.Membership) bool { return own.Role == m.Role && own.Admin })
			if !admin {
				return pgerr.New(pgerr.InsufficientPrivilege, "must have admin option on the role")
			}
		}
		return nil
	}
	if err := changed(after.MemberOf, before.MemberOf); err != nil {
		return err
	}
	return changed(before.MemberOf, after.MemberOf)
}
