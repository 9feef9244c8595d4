package exec

import (
	"slices"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/privilege"
)

// ownable are the classes of objects in a database that have owners and privileges.
var ownable = []catalog.Class{catalog.ClassSchema, catalog.ClassRelation, catalog.ClassSequence, catalog.ClassType,
	catalog.ClassFunction, catalog.ClassIndex, catalog.ClassExtension}

// ownedRoles finds the roles whose objects a statement is about.
func (d *ddl) ownedRoles(names []string, refusal string) ([]OID, error) {
	var list []OID
	for _, name := range names {
		r := d.view.RoleByName(name)
		if r == nil {
			return nil, undefinedRole(name)
		}
		user := d.bind.User()
		if !privilege.Superuser(d.view, user) && !privilege.Member(d.view, user, r.OID, true) {
			return nil, pgerr.New(pgerr.InsufficientPrivilege, "%s", refusal)
		}
		if r.OID < catalog.FirstUserOID {
			return nil, pgerr.New(pgerr.DependentObjectsStillExist, "cannot drop objects owned by role %s because they are required by the database system", name)
		}
		list = append(list, r.OID)
	}
	return list, nil
}

// everyObject locks each object of the database, and databases, that a test finds, and hands over a copy.
func (d *ddl) everyObject(wanted func(catalog.Object) bool, change func(catalog.Object) error) error {
	var list []catalog.Object
	for _, class := range append(slices.Clone(ownable), catalog.ClassDatabase, catalog.ClassBuiltinACL, catalog.ClassSharedACL) {
		d.view.Each(class, func(o catalog.Object) bool {
			if wanted(o) && !(class == catalog.ClassRelation && o.Head().OID < catalog.FirstUserOID) {
				list = append(list, o)
			}
			return true
		})
	}
	for _, o := range list {
		if err := d.view.LockObject(d.ctx, o.Class(), o.Head().OID); err != nil {
			return err
		}
		if o = d.view.Get(o.Class(), o.Head().OID); o != nil {
			if err := change(copyObject(o)); err != nil {
				return err
			}
		}
	}
	return nil
}

// reassignOwned is REASSIGN OWNED BY.
func (d *ddl) reassignOwned(u *plan.ReassignOwned) error {
	const refusal = "permission denied to reassign objects"
	roles, err := d.ownedRoles(u.Roles, refusal)
	if err != nil {
		return err
	}
	to, err := d.ownedRoles([]string{u.NewRole}, refusal)
	if err != nil {
		return err
	}
	d.permitted = true
	return d.everyObject(func(o catalog.Object) bool { return slices.Contains(roles, o.Head().Owner) }, func(o catalog.Object) error {
		giveTo(o, to[0])
		return d.put(o)
	})
}

// dropOwned is DROP OWNED BY: what the roles own in this database goes, and what they were granted.
func (d *ddl) dropOwned(u *plan.DropOwned) error {
	roles, err := d.ownedRoles(u.Roles, "permission denied to drop objects")
	if err != nil {
		return err
	}
	g := d.newDropping()
	var named []dropPart
	for _, class := range ownable {
		if class == catalog.ClassIndex {
			continue
		}
		d.view.Each(class, func(o catalog.Object) bool {
			if h := o.Head(); slices.Contains(roles, h.Owner) && h.OID >= catalog.FirstUserOID && d.independent(o) {
				named = append(named, dropPart{object: o})
			}
			return true
		})
	}
	d.permitted = true
	if len(named) > 0 {
		if err := d.dropAll(g, named, d.describe(named[0].object), u.Cascade); err != nil {
			return err
		}
	}
	if err := d.everyObject(func(o catalog.Object) bool { return d.mentions(o, roles) }, func(o catalog.Object) error {
		forget(o, roles)
		if b, ok := o.(*catalog.BuiltinACL); ok {
			return d.putBuiltin(b)
		}
		return d.put(o)
	}); err != nil {
		return err
	}
	return d.forgetDefaults(roles)
}

// independent tells objects that a statement could name from parts of others.
func (d *ddl) independent(o catalog.Object) bool {
	switch o := o.(type) {
	case *catalog.Sequence:
		return o.OwnerTable == 0
	case *catalog.Type:
		return !(o.Kind == 'b' && o.Elem != 0) && o.Relation == 0 && !o.Internal
	}
	h := o.Head() // the temporary schema goes with the session
	return !h.Internal && h.OID != d.view.TempSchema()
}

func (d *ddl) mentions(o catalog.Object, roles []OID) bool {
	in := func(acl []catalog.ACLItem) bool {
		return slices.ContainsFunc(acl, func(a catalog.ACLItem) bool {
			return slices.Contains(roles, a.Grantee) || slices.Contains(roles, a.Grantor)
		})
	}
	if in(o.Head().ACL) {
		return true
	}
	r, ok := o.(*catalog.Relation)
	return ok && slices.ContainsFunc(r.Columns, func(c catalog.Column) bool { return in(c.ACL) })
}

// forget takes roles out of the access lists of an object.
func forget(o catalog.Object, roles []OID) {
	without := func(acl []catalog.ACLItem) []catalog.ACLItem {
		if acl == nil {
			return nil
		}
		return slices.DeleteFunc(slices.Clone(acl), func(a catalog.ACLItem) bool {
			return slices.Contains(roles, a.Grantee) || slices.Contains(roles, a.Grantor)
		})
	}
	h := o.Head()
	h.ACL = without(h.ACL)
	if r, ok := o.(*catalog.Relation); ok {
		for i := range r.Columns {
			c := &r.Columns[i]
			if c.ACL = without(c.ACL); len(c.ACL) == 0 {
				c.ACL = nil
			}
		}
	}
}

// forgetDefaults drops the default privileges of roles, and takes them out of those of others.
func (d *ddl) forgetDefaults(roles []OID) error {
	var list []*catalog.DefaultACL
	d.view.Each(catalog.ClassDefaultACL, func(o catalog.Object) bool {
		a := o.(*catalog.DefaultACL)
		if slices.Contains(roles, a.Role) || d.mentions(o, roles) {
			list = append(list, a)
		}
		return true
	})
	for _, a := range list {
		if err := d.view.LockObject(d.ctx, catalog.ClassDefaultACL, a.OID); err != nil {
			return err
		}
		if slices.Contains(roles, a.Role) {
			if err := d.remove(catalog.ClassDefaultACL, a.OID); err != nil {
				return err
			}
			continue
		}
		next := *a
		forget(&next, roles)
		if err := d.put(&next); err != nil {
			return err
		}
	}
	return nil
}
