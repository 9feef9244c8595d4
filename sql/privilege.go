package sql

import (
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// checkAccess is the point that every query passes before it runs.
func (x *Session) checkAccess(access []plan.Access) error {
	for _, a := range access {
		role := a.Role
		if role == 0 {
			role = x.user
		}
		r := x.view.Relation(a.Table)
		if r == nil {
			if q := x.view.Sequence(a.Table); q != nil && !x.roleMay(x.view, role, q, a.Required) {
				return pgerr.New(pgerr.InsufficientPrivilege, "permission denied for sequence %s", q.Name)
			}
			continue
		}
		if !x.mayAccess(role, r, a) {
			kind := "table"
			if r.Kind == catalog.KindView || r.Kind == catalog.KindMatView {
				kind = "view"
			}
			return pgerr.New(pgerr.InsufficientPrivilege, "permission denied for %s %s", kind, r.Name)
		}
	}
	return nil
}

// mayAccess checks a relation's privileges, then those of the columns.
func (x *Session) mayAccess(role catalog.OID, r *catalog.Relation, a plan.Access) bool {
	if x.roleMay(x.view, role, r, a.Required) {
		return true
	}
	missing := a.Required &^ (catalog.ACLSelect | catalog.ACLInsert | catalog.ACLUpdate)
	if missing != 0 && !x.roleMay(x.view, role, r, missing) {
		return false
	}
	if a.Required&catalog.ACLSelect != 0 && !x.roleMay(x.view, role, r, catalog.ACLSelect) && !x.columnsMay(role, r, a.Read, catalog.ACLSelect) {
		return false
	}
	for _, bit := range []uint32{catalog.ACLInsert, catalog.ACLUpdate} {
		if a.Required&bit != 0 && !x.roleMay(x.view, role, r, bit) && !x.columnsMay(role, r, a.Write, bit) {
			return false
		}
	}
	return true
}

func (x *Session) columnsMay(role catalog.OID, r *catalog.Relation, attrs []int, bit uint32) bool {
	if len(attrs) == 0 {
		return false
	}
	for _, a := range attrs {
		if a < 0 || a >= len(r.Columns) || !x.granted(x.view, role, r.Columns[a].ACL, bit) {
			return false
		}
	}
	return true
}

// hasPrivilege reports whether the current user may do something with an object.
func (x *Session) hasPrivilege(v *catalog.View, o catalog.Object, bits uint32) bool {
	return x.roleMay(v, x.user, o, bits)
}

// roleMay reports whether a role, or one that it is a member of, has all bits on an object.
func (x *Session) roleMay(v *catalog.View, role catalog.OID, o catalog.Object, bits uint32) bool {
	r := v.Role(role)
	if r == nil {
		return false
	}
	h := o.Head()
	if r.Superuser || h.Owner == role || x.memberOf(v, role, h.Owner) {
		return true
	}
	acl := h.ACL
	if acl == nil {
		acl = catalog.DefaultPrivileges(o)
	}
	return x.granted(v, role, acl, bits)
}

func (x *Session) granted(v *catalog.View, role catalog.OID, acl []catalog.ACLItem, bits uint32) bool {
	var have uint32
	for _, a := range acl {
		if a.Grantee == 0 || a.Grantee == role || x.memberOf(v, role, a.Grantee) {
			have |= a.Privileges
		}
	}
	return have&bits == bits
}

// memberOf reports whether role has the privileges of group through membership.
func (x *Session) memberOf(v *catalog.View, role, group catalog.OID) bool {
	seen := map[catalog.OID]bool{}
	var walk func(catalog.OID) bool
	walk = func(oid catalog.OID) bool {
		if oid == group {
			return true
		}
		r := v.Role(oid)
		if r == nil || seen[oid] || !r.Inherit {
			return false
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

func (x *Session) isSuperuser() bool {
	r := x.view.Role(x.user)
	return r != nil && r.Superuser
}
