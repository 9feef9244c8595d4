// Package privilege is the one place that knows what a role may do: queries, DDL and
// has_table_privilege and its kin all ask it. It reads access lists from the catalog's
// descriptors and leaves the decision to security.Allowed.
//
//	May          has a role these privileges on an object?
//	MayColumn    … on a column, where the table's own do not suffice
//	Owns         may it do what only owners may?
//	Member       does it have what another role has?
//	Grantor      as whom does it grant, and what may it pass on?
//
// It does not remember anything: answers follow the view of the catalog that is handed in.
package privilege

import (
	"math/bits"

	"github.com/omendb/omendb/security"
	"github.com/omendb/omendb/sql/catalog"
)

// OID identifies a role.
type OID = catalog.OID

// The predefined roles that have privileges on everything of a kind.
const (
	pgReadAllData  OID = 6181
	pgWriteAllData OID = 6182
)

// Member reports whether role is group or a member of it. With inherit only memberships
// count whose privileges it has without SET ROLE. The owner of the current database is a
// member of pg_database_owner.
func Member(v *catalog.View, role, group OID, inherit bool) bool {
	if role == group {
		return true
	}
	if group == catalog.PgDatabaseOwner {
		d := v.Database(v.DatabaseOID())
		return d != nil && d.Owner != group && Member(v, role, d.Owner, inherit)
	}
	var seen map[OID]bool
	var walk func(OID) bool
	walk = func(oid OID) bool {
		if oid == group {
			return true
		}
		r := v.Role(oid)
		if r == nil || len(r.MemberOf) == 0 || inherit && !r.Inherit || seen[oid] {
			return false
		}
		if seen == nil {
			seen = map[OID]bool{}
		}
		seen[oid] = true
		for _, m := range r.MemberOf {
			if walk(m.Role) {
				return true
			}
		}
		return false
	}
	return walk(role)
}

// Superuser reports whether a role is one.
func Superuser(v *catalog.View, role OID) bool {
	r := v.Role(role)
	return r != nil && r.Superuser
}

// Owns reports whether a role may do with an object what only owners may.
func Owns(v *catalog.View, role OID, o catalog.Object) bool {
	return Superuser(v, role) || Member(v, role, o.Head().Owner, true)
}

// ACL returns the access list of an object, the default one while nothing was granted.
func ACL(o catalog.Object) []catalog.ACLItem {
	if acl := o.Head().ACL; acl != nil {
		return acl
	}
	return catalog.DefaultPrivileges(o)
}

// asker describes a role to the check point.
func asker(v *catalog.View, role OID) security.Role {
	return security.Role{OID: uint32(role), Superuser: Superuser(v, role),
		MemberOf: func(group uint32) bool { return role != 0 && Member(v, role, OID(group), true) }}
}

// Listed returns which of the wanted privileges an access list gives to a role. Role 0 is PUBLIC.
func Listed(v *catalog.View, role OID, acl []catalog.ACLItem, want uint32) uint32 {
	grants := make([]security.Grant, len(acl))
	for i, a := range acl {
		grants[i] = security.Grant{Grantee: uint32(a.Grantee), Privileges: a.Privileges}
	}
	return want &^ security.Missing(security.Request{Role: asker(v, role), Grants: grants, Want: want})
}

// Options returns which privileges of an access list a role may pass on. Owners may pass on all.
func Options(v *catalog.View, role, owner OID, acl []catalog.ACLItem) uint32 {
	if role == 0 {
		return 0
	}
	if Superuser(v, role) || Member(v, role, owner, true) {
		return ^uint32(0)
	}
	var have uint32
	for _, a := range acl {
		if a.Grantee != 0 && Member(v, role, a.Grantee, true) {
			have |= a.GrantOptions
		}
	}
	return have
}

// Held returns which of the wanted privileges a role has on an object.
func Held(v *catalog.View, role OID, o catalog.Object, want uint32) uint32 {
	acl := ACL(o)
	if r, ok := o.(*catalog.Relation); ok && r.Kind == catalog.KindVirtual {
		if b := v.StoredACL(catalog.BuiltinRelation, r.OID, ""); b != nil {
			acl = b.ACL
		}
	}
	have := Listed(v, role, acl, want)
	if have == want {
		return have
	}
	return have | want&byRole(v, role, o)
}

// byRole returns the privileges that come with the predefined roles.
func byRole(v *catalog.View, role OID, o catalog.Object) uint32 {
	var read, write uint32
	switch o := o.(type) {
	case *catalog.Schema:
		read, write = catalog.ACLUsage, catalog.ACLUsage
	case *catalog.Sequence:
		read = catalog.ACLSelect
	case *catalog.Relation:
		if o.Kind == catalog.KindVirtual && o.ACL != nil { // pg_authid and its like
			return 0
		}
		read, write = catalog.ACLSelect, catalog.ACLInsert|catalog.ACLUpdate|catalog.ACLDelete
	default:
		return 0
	}
	var have uint32
	if role != 0 && Member(v, role, pgReadAllData, true) {
		have |= read
	}
	if role != 0 && Member(v, role, pgWriteAllData, true) {
		have |= write
	}
	return have
}

// May reports whether a role has all of these privileges on an object.
func May(v *catalog.View, role OID, o catalog.Object, want uint32) bool {
	return Held(v, role, o, want) == want
}

// MayColumn reports whether a role has privileges on a column by the column's own list.
func MayColumn(v *catalog.View, role OID, r *catalog.Relation, attr int, want uint32) bool {
	return attr >= 0 && attr < len(r.Columns) && Listed(v, role, r.Columns[attr].ACL, want) == want
}

// Grantor chooses as whom a role grants privileges on an object and tells which of them it
// may pass on: an owner grants as the owner, others as the role, of those they are members
// of, that may pass on the most (PostgreSQL's select_best_grantor).
func Grantor(v *catalog.View, role, owner OID, acl []catalog.ACLItem, want uint32) (OID, uint32) {
	if Superuser(v, role) || Member(v, role, owner, true) {
		return owner, want
	}
	best, most := role, uint32(0)
	for _, a := range acl {
		if a.Grantee == 0 || !Member(v, role, a.Grantee, true) {
			continue
		}
		if have := a.GrantOptions & want; bits.OnesCount32(have) > bits.OnesCount32(most) {
			best, most = a.Grantee, have
		}
	}
	return best, most
}
