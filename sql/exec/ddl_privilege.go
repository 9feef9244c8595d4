package exec

import (
	"slices"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/privilege"
	"github.com/omendb/omendb/sql/types"
)

// mayChange is the one check point of DDL: every descriptor that a statement stores or deletes passes here. Superusers may do
// everything, owners what they like with their own objects; new objects need CREATE on their schema. next is nil for a deletion.
func (d *ddl) mayChange(prev, next catalog.Object) error {
	user := d.view.Role(d.bind.User())
	if user == nil || user.Superuser || d.permitted {
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
		return mayChangeRole(d.view, user, before, after)
	case *catalog.Database:
		if prev == nil && !user.CreateDB {
			return pgerr.New(pgerr.InsufficientPrivilege, "permission denied to create database")
		}
	case *catalog.Schema:
		if db := d.view.Database(d.view.DatabaseOID()); prev == nil && o.OID != d.view.TempSchema() && db != nil && !privilege.May(d.view, user.OID, db, catalog.ACLCreate) {
			return pgerr.New(pgerr.InsufficientPrivilege, "permission denied for database %s", db.Name)
		}
	case *catalog.Extension, *catalog.Setting:
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
	if privilege.Owns(d.view, user.OID, o) {
		return nil
	}
	return pgerr.New(pgerr.InsufficientPrivilege, "must be owner of %s %s", ownedKind(o), d.ownedName(o))
}

// mayOwnBefore refuses who does not own a relation before its lock is waited for; who asks
// in vain must not stand in others' way.
func (d *ddl) mayOwnBefore(name plan.QName) error {
	d.view.Refresh()
	o := d.find(catalog.ClassRelation, name)
	if o == nil || o.Head().OID < catalog.FirstUserOID || d.permitted {
		return nil
	}
	return d.mayDrop(o)
}

// ownedName is how PostgreSQL names an object that is somebody else's: types and functions
// with their schemas unless these are searched.
func (d *ddl) ownedName(o catalog.Object) string {
	h := o.Head()
	switch o.Class() {
	case catalog.ClassType, catalog.ClassFunction:
		if !slices.Contains(d.bind.SearchPath(), h.Schema) {
			return d.view.SchemaName(h.Schema) + "." + h.Name
		}
	}
	return h.Name
}

// mayUseType checks USAGE on a type that something new is made of; of an array that of its elements.
func (d *ddl) mayUseType(oid OID) error {
	t := d.view.Type(oid)
	if t != nil && t.Kind == 'b' && t.Elem != 0 {
		t = d.view.Type(t.Elem)
	}
	if t == nil {
		return d.mayUseBuiltinType(oid)
	}
	if privilege.May(d.view, d.bind.User(), t, catalog.ACLUsage) {
		return nil
	}
	return pgerr.New(pgerr.InsufficientPrivilege, "permission denied for type %s", d.env.FormatType(t.OID, -1))
}

// mayUseBuiltinType checks a type that privileges have been changed on.
func (d *ddl) mayUseBuiltinType(oid OID) error {
	if t := types.ByOID(oid); t != nil && t.IsArray() {
		oid = t.Elem
	}
	b := d.view.StoredACL(catalog.BuiltinType, oid, "")
	if b == nil || privilege.May(d.view, d.bind.User(), b, catalog.ACLUsage) {
		return nil
	}
	return pgerr.New(pgerr.InsufficientPrivilege, "permission denied for type %s", d.env.FormatType(oid, -1))
}

// mayUseLanguage checks the language of a new function: untrusted ones are for superusers.
func (d *ddl) mayUseLanguage(name string) error {
	t := functions.Facts("pg_language")
	for _, row := range t.Rows {
		if row[t.Column("lanname")] != name {
			continue
		}
		b := d.view.BuiltinACL(catalog.BuiltinLanguage, functions.FactOID(row[t.Column("oid")]), name)
		may := privilege.May(d.view, d.bind.User(), b, catalog.ACLUsage)
		if row[t.Column("lanpltrusted")] == "f" {
			may = privilege.Superuser(d.view, d.bind.User())
		}
		if !may {
			return pgerr.New(pgerr.InsufficientPrivilege, "permission denied for language %s", name)
		}
	}
	return nil
}

// mayDrop checks DROP of what a statement names: its owner, and that of its schema, may. What
// falls with it is not asked about.
func (d *ddl) mayDrop(o catalog.Object) error {
	user := d.view.Role(d.bind.User())
	if user == nil {
		return nil
	}
	if s := d.view.Schema(o.Head().Schema); s != nil && privilege.Owns(d.view, user.OID, s) {
		return nil
	}
	if i, ok := o.(*catalog.Index); ok {
		if r := d.view.Relation(i.Table); r != nil && privilege.Owns(d.view, user.OID, r) {
			return nil
		}
		return pgerr.New(pgerr.InsufficientPrivilege, "must be owner of index %s", i.Name)
	}
	return d.mustOwn(user, o)
}

func ownedKind(o catalog.Object) string {
	switch o := o.(type) {
	case *catalog.Relation:
		switch o.Kind {
		case catalog.KindView:
			return "view"
		case catalog.KindMatView:
			return "materialized view"
		}
		return "table"
	case *catalog.Index:
		return "index"
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
	if b, ok := o.(*catalog.BuiltinACL); ok {
		return builtinWord(b)
	}
	return "object"
}

// mayCreateIn checks CREATE on a schema.
func (d *ddl) mayCreateIn(user *catalog.Role, schema OID) error {
	s := d.view.Schema(schema)
	if s == nil || schema == d.view.TempSchema() || privilege.May(d.view, user.OID, s, catalog.ACLCreate) {
		return nil
	}
	return pgerr.New(pgerr.InsufficientPrivilege, "permission denied for schema %s", s.Name)
}

// mayChangeRole checks CREATE, ALTER and DROP ROLE and the granting of roles. before is nil for a new role, after for a dropped one.
func mayChangeRole(v *catalog.View, user, before, after *catalog.Role) error {
	if err := mayRaise(before, after); err != nil {
		return err
	}
	switch {
	case user.CreateRole:
		return nil
	case before == nil:
		return pgerr.New(pgerr.InsufficientPrivilege, "permission denied to create role")
	case after == nil:
		return pgerr.New(pgerr.InsufficientPrivilege, "permission denied to drop role")
	}
	if granted := mayGrantRole(v, user, before, after); granted != nil {
		return granted
	}
	same := slices.Equal(before.Settings, after.Settings) || before.OID == user.OID
	same = same && before.Name == after.Name && before.CreateRole == after.CreateRole && before.CreateDB == after.CreateDB && before.Login == after.Login &&
		before.Inherit == after.Inherit && before.ConnLimit == after.ConnLimit && before.ValidUntil == after.ValidUntil
	if !same || before.Verifier != after.Verifier && before.OID != user.OID {
		return pgerr.New(pgerr.InsufficientPrivilege, "permission denied")
	}
	return nil
}

// mayRaise refuses what only superusers do to roles.
func mayRaise(before, after *catalog.Role) error {
	refuse := func(what string) error {
		return pgerr.New(pgerr.InsufficientPrivilege, "must be superuser to %s", what)
	}
	special := func(f func(*catalog.Role) bool) bool { return before != nil && f(before) || after != nil && f(after) }
	super := special(func(r *catalog.Role) bool { return r.Superuser })
	replication := special(func(r *catalog.Role) bool { return r.Replication })
	bypass := special(func(r *catalog.Role) bool { return r.BypassRLS })
	switch {
	case before == nil && super:
		return refuse("create superusers")
	case before == nil && replication:
		return refuse("create replication users")
	case before == nil && bypass:
		return refuse("create bypassrls users")
	case after == nil && super:
		return refuse("drop superusers")
	case after != nil && super:
		return refuse("alter superuser roles or change superuser attribute")
	case after != nil && replication:
		return refuse("alter replication roles or change replication attribute")
	case after != nil && bypass && before.BypassRLS != after.BypassRLS:
		return refuse("change bypassrls attribute")
	}
	return nil
}

// mayGrantRole checks that whoever changes memberships has the admin option on each role that comes or goes.
func mayGrantRole(v *catalog.View, user, before, after *catalog.Role) error {
	changed := func(from, to []catalog.Membership) error {
		for _, m := range from {
			if slices.Contains(to, m) {
				continue
			}
			admin := slices.ContainsFunc(user.MemberOf, func(own catalog.Membership) bool { return own.Role == m.Role && own.Admin })
			if !admin {
				return pgerr.New(pgerr.InsufficientPrivilege, "must have admin option on role \"%s\"", roleName(v, m.Role))
			}
		}
		return nil
	}
	if err := changed(after.MemberOf, before.MemberOf); err != nil {
		return err
	}
	return changed(before.MemberOf, after.MemberOf)
}

func roleName(v *catalog.View, oid OID) string {
	if r := v.Role(oid); r != nil {
		return r.Name
	}
	return ""
}
