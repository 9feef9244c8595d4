package sql

import (
	"strings"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/privilege"
)

// checkAccess is the point that every query passes before it runs.
func (x *Session) checkAccess(access []plan.Access) error {
	for _, a := range access {
		role := a.Role
		if role == 0 {
			role = x.user
		}
		if a.Class == catalog.ClassFunction {
			if err := x.mayCallBuiltin(role, a.Table); err != nil {
				return err
			}
			if f := x.view.Function(a.Table); f != nil && !privilege.May(x.view, role, f, a.Required) {
				return pgerr.New(pgerr.InsufficientPrivilege, "permission denied for %s %s", f.Noun(), f.Name)
			}
			continue
		}
		r := x.view.Relation(a.Table)
		if r == nil {
			if q := x.view.Sequence(a.Table); q != nil && !privilege.May(x.view, role, q, a.Required) {
				return pgerr.New(pgerr.InsufficientPrivilege, "permission denied for sequence %s", q.Name)
			}
			continue
		}
		if !x.mayAccess(role, r, a) {
			return pgerr.New(pgerr.InsufficientPrivilege, "permission denied for %s %s", relationWord(r), r.Name)
		}
		if r.Kind == catalog.KindMatView && !r.Populated && a.Required&catalog.ACLSelect != 0 {
			return pgerr.New(pgerr.ObjectNotInPrerequisiteState, "materialized view \"%s\" has not been populated", r.Name).
				WithHint("Use the REFRESH MATERIALIZED VIEW command.")
		}
	}
	return nil
}

// mayCallBuiltin checks a built-in function; others pass.
func (x *Session) mayCallBuiltin(role, oid catalog.OID) error {
	f := functions.ByOID(oid)
	if f == nil || privilege.May(x.view, role, x.view.BuiltinACL(catalog.BuiltinFunction, oid, f.Name), catalog.ACLExecute) {
		return nil
	}
	return pgerr.New(pgerr.InsufficientPrivilege, "permission denied for %s %s", (&catalog.Function{Kind: f.Kind}).Noun(), f.Name)
}

func relationWord(r *catalog.Relation) string {
	switch r.Kind {
	case catalog.KindView:
		return "view"
	case catalog.KindMatView:
		return "materialized view"
	}
	return "table"
}

// mayAccess checks a relation's privileges, then those of the columns.
func (x *Session) mayAccess(role catalog.OID, r *catalog.Relation, a plan.Access) bool {
	missing := a.Required &^ privilege.Held(x.view, role, r, a.Required)
	if missing == 0 {
		return true
	}
	if missing&^(catalog.ACLSelect|catalog.ACLInsert|catalog.ACLUpdate) != 0 {
		return false
	}
	if missing&catalog.ACLSelect != 0 && !x.mayRead(role, r, a.Read) {
		return false
	}
	for _, bit := range []uint32{catalog.ACLInsert, catalog.ACLUpdate} {
		if missing&bit != 0 && !x.columnsMay(role, r, a.Write, bit) {
			return false
		}
	}
	return true
}

// mayRead checks the columns that are read. Where none is, one readable column will do.
func (x *Session) mayRead(role catalog.OID, r *catalog.Relation, attrs []int) bool {
	if len(attrs) > 0 {
		return x.columnsMay(role, r, attrs, catalog.ACLSelect)
	}
	for a := range r.Columns {
		if privilege.MayColumn(x.view, role, r, a, catalog.ACLSelect) {
			return true
		}
	}
	return false
}

func (x *Session) columnsMay(role catalog.OID, r *catalog.Relation, attrs []int, bit uint32) bool {
	for _, a := range attrs {
		if !privilege.MayColumn(x.view, role, r, a, bit) {
			return false
		}
	}
	return len(attrs) > 0
}

// useSchema refuses names in schemas that the current user may not look into.
func (x *Session) useSchema(s *catalog.Schema) error {
	if s.OID == x.view.TempSchema() || privilege.May(x.view, x.user, s, catalog.ACLUsage) {
		return nil
	}
	return pgerr.New(pgerr.InsufficientPrivilege, "permission denied for schema %s", s.Name)
}

// hasPrivilege reports whether the current user may do something with an object.
func (x *Session) hasPrivilege(v *catalog.View, o catalog.Object, bits uint32) bool {
	return privilege.May(v, x.user, o, bits)
}

// memberOf reports whether role has the privileges of group through membership.
func (x *Session) memberOf(v *catalog.View, role, group catalog.OID) bool {
	return privilege.Member(v, role, group, true)
}

// maySet reports whether the current user may set a parameter that superusers set.
func (x *Session) maySet(name string) bool {
	return x.isSuperuser() || x.mayParameter(name, catalog.ACLSet)
}

func (x *Session) mayParameter(name string, bit uint32) bool {
	b := x.view.StoredACL(catalog.BuiltinParameter, 0, strings.ToLower(name))
	return b != nil && privilege.May(x.view, x.user, b, bit)
}

func (x *Session) isSuperuser() bool { return privilege.Superuser(x.view, x.user) }
