package exec

import (
	"slices"
	"strings"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/privilege"
)

var privilegeBits = map[string]uint32{
	"insert": catalog.ACLInsert, "select": catalog.ACLSelect, "update": catalog.ACLUpdate, "delete": catalog.ACLDelete,
	"truncate": catalog.ACLTruncate, "references": catalog.ACLReferences, "trigger": catalog.ACLTrigger,
	"execute": catalog.ACLExecute, "usage": catalog.ACLUsage, "create": catalog.ACLCreate,
	"temporary": catalog.ACLCreateTemp, "temp": catalog.ACLCreateTemp, "connect": catalog.ACLConnect,
	"set": catalog.ACLSet, "alter system": catalog.ACLAlterSystem,
}

// privilegesOf returns the privileges that objects of a class can have.
func privilegesOf(o catalog.Object) (mask uint32, word string) {
	switch o.Class() {
	case catalog.ClassRelation:
		return catalog.ACLAllTable, "table"
	case catalog.ClassSequence:
		return catalog.ACLAllSequence, "sequence"
	case catalog.ClassDatabase:
		return catalog.ACLAllDatabase, "database"
	case catalog.ClassSchema:
		return catalog.ACLAllSchema, "schema"
	case catalog.ClassFunction:
		return catalog.ACLAllFunction, "function"
	}
	if b, ok := o.(*catalog.BuiltinACL); ok {
		return b.All(), builtinWord(b)
	}
	return catalog.ACLAllType, "type"
}

// granting is GRANT or REVOKE while it runs.
type granting struct {
	d        *ddl
	g        *plan.Grant
	grantees []OID
}

func (d *ddl) newGranting(g *plan.Grant) (*granting, error) {
	if g.GrantedBy != "" {
		if r := d.view.RoleByName(g.GrantedBy); r == nil {
			return nil, undefinedRole(g.GrantedBy)
		} else if r.OID != d.bind.User() {
			return nil, pgerr.Unsupported("grantor must be current user")
		}
	}
	x := &granting{d: d, g: g}
	for _, name := range g.Grantees {
		if name == "" {
			if g.GrantOption && !g.Revoke {
				return nil, pgerr.New(pgerr.InvalidGrantOperation, "grant options can only be granted to roles")
			}
			x.grantees = append(x.grantees, 0)
			continue
		}
		r := d.view.RoleByName(name)
		if r == nil {
			return nil, undefinedRole(name)
		}
		x.grantees = append(x.grantees, r.OID)
	}
	return x, nil
}

func (d *ddl) grant(g *plan.Grant) error {
	objects, err := d.grantObjects(g)
	if err != nil {
		return err
	}
	x, err := d.newGranting(g)
	if err != nil {
		return err
	}
	d.permitted = true // grant options decide, not ownership
	for _, o := range objects {
		if err := x.on(o); err != nil {
			return err
		}
		if b, ok := o.(*catalog.BuiltinACL); ok {
			err = d.putBuiltin(b)
		} else {
			err = d.put(o)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// grantObjects finds what GRANT speaks of, as copies to change.
func (d *ddl) grantObjects(g *plan.Grant) ([]catalog.Object, error) {
	var list []catalog.Object
	if !g.AllInSchema {
		for _, ref := range g.Objects {
			o, err := d.grantObject(g, ref)
			if err != nil {
				return nil, err
			}
			list = append(list, o)
		}
		return list, nil
	}
	for _, ref := range g.Objects {
		s, err := d.schemaNamed(ref.Name.Name)
		if err != nil {
			return nil, err
		}
		for _, o := range d.view.Dependents(catalog.ClassSchema, s.OID) {
			if o.Head().Schema != s.OID || !grantKindIs(g.Kind, o) {
				continue
			}
			if err := d.view.LockObject(d.ctx, o.Class(), o.Head().OID); err != nil {
				return nil, err
			}
			if r, ok := o.(*catalog.Relation); ok && r.Kind == catalog.KindVirtual {
				b, err := d.lockBuiltin(d.builtinRelation(r))
				if err != nil {
					return nil, err
				}
				list = append(list, b)
			} else if now := d.view.Get(o.Class(), o.Head().OID); now != nil {
				list = append(list, copyObject(now))
			}
		}
	}
	return list, nil
}

// grantObject finds one object, with or without a descriptor.
func (d *ddl) grantObject(g *plan.Grant, ref plan.ObjectRef) (catalog.Object, error) {
	if find := builtinGrants[g.Kind]; find != nil {
		b, err := find(d, ref.Name.Name, g.Revoke)
		if err != nil {
			return nil, err
		}
		return d.lockBuiltin(b)
	}
	d.lockless = true // privileges change beside running statements
	o, err := d.object(g.Kind, ref, false)
	if err == nil {
		return o, nil
	}
	b, wrong := d.builtinObject(g.Kind, ref)
	switch {
	case wrong != nil:
		return nil, wrong
	case b == nil:
		return nil, err
	}
	return d.lockBuiltin(b)
}

func grantKindIs(kind plan.ObjectKind, o catalog.Object) bool {
	switch o := o.(type) {
	case *catalog.Relation:
		return kind == "table" && o.Kind != catalog.KindComposite
	case *catalog.Sequence:
		return kind == "sequence"
	case *catalog.Function:
		return kind == "routine" || kind == "function" && o.Kind != 'p' || kind == "procedure" && o.Kind == 'p'
	}
	return false
}

// on changes the privileges on one object, and on its columns.
func (x *granting) on(o catalog.Object) error {
	mask, word := privilegesOf(o)
	all := len(x.g.Privileges) == 0
	want := uint32(0)
	if all {
		want = mask
	}
	for _, p := range x.g.Privileges {
		bit, known := privilegeBits[p.Name]
		if !known && p.Name != "" {
			return pgerr.New(pgerr.SyntaxError, "unrecognized privilege type \"%s\"", p.Name)
		}
		if len(p.Columns) > 0 {
			if err := x.onColumns(o, p, bit); err != nil {
				return err
			}
			continue
		}
		if p.Name == "" {
			bit, all = mask, true
		}
		if bit&mask == 0 {
			if x.g.Kind == "table" && bit&(catalog.ACLAllTable|catalog.ACLAllSequence) == 0 {
				word = "relation"
			}
			return pgerr.New(pgerr.InvalidGrantOperation, "invalid privilege type %s for %s", strings.ToUpper(p.Name), word)
		}
		want |= bit
	}
	if want == 0 {
		return nil
	}
	h := o.Head()
	acl, err := x.change(privilege.ACL(o), want, all, h.Owner, ownedKind(o), h.Name)
	if err != nil {
		return err
	}
	h.ACL = acl
	if r, ok := o.(*catalog.Relation); ok && x.g.Revoke && want&catalog.ACLAllColumn != 0 {
		return x.fromColumns(r, want&catalog.ACLAllColumn)
	}
	return nil
}

// fromColumns takes from the columns what is revoked on the table.
func (x *granting) fromColumns(r *catalog.Relation, want uint32) error {
	for i := range r.Columns {
		c := &r.Columns[i]
		if c.ACL == nil {
			continue
		}
		grantor, have := privilege.Grantor(x.d.view, x.d.bind.User(), r.Owner, c.ACL, want)
		var err error
		if c.ACL, err = x.apply(c.ACL, want&have, grantor, r.Owner); err != nil {
			return err
		}
		if len(c.ACL) == 0 {
			c.ACL = nil
		}
	}
	return nil
}

func (x *granting) onColumns(o catalog.Object, p plan.GrantPrivilege, bit uint32) error {
	r, ok := o.(*catalog.Relation)
	if !ok {
		return pgerr.New(pgerr.InvalidGrantOperation, "column privileges are only valid for relations")
	}
	if p.Name == "" {
		bit = catalog.ACLAllColumn
	}
	if bit&catalog.ACLAllColumn == 0 {
		return pgerr.New(pgerr.InvalidGrantOperation, "invalid privilege type %s for column", strings.ToUpper(p.Name))
	}
	for _, name := range p.Columns {
		c := columnNamed(r, name)
		if c == nil {
			return undefinedColumn(name, r.Name)
		}
		both := append(slices.Clone(privilege.ACL(r)), c.ACL...) // options on the table count
		grantor, have := privilege.Grantor(x.d.view, x.d.bind.User(), r.Owner, both, bit)
		if have == 0 {
			return pgerr.New(pgerr.InsufficientPrivilege, "permission denied for column \"%s\" of relation \"%s\"", name, r.Name)
		}
		var err error
		if c.ACL, err = x.apply(c.ACL, bit&have, grantor, r.Owner); err != nil {
			return err
		}
		if len(c.ACL) == 0 {
			c.ACL = nil
		}
	}
	return nil
}

// change checks what the user may grant or revoke, and does it.
func (x *granting) change(acl []catalog.ACLItem, want uint32, all bool, owner OID, kind, name string) ([]catalog.ACLItem, error) {
	user := x.d.bind.User()
	grantor, have := privilege.Grantor(x.d.view, user, owner, acl, want)
	if have == 0 && privilege.Listed(x.d.view, user, acl, ^uint32(0)) == 0 {
		return nil, pgerr.New(pgerr.InsufficientPrivilege, "permission denied for %s %s", kind, name)
	}
	code, verb := pgerr.PrivilegeNotGranted, "were granted"
	if x.g.Revoke {
		code, verb = pgerr.PrivilegeNotRevoked, "could be revoked"
	}
	switch {
	case have == 0:
		x.d.send(pgerr.Notice(pgerr.SeverityWarning, code, "no privileges %s for \"%s\"", verb, name))
	case have != want && !all:
		x.d.send(pgerr.Notice(pgerr.SeverityWarning, code, "not all privileges %s for \"%s\"", verb, name))
	}
	return x.apply(acl, want&have, grantor, owner)
}

// apply grants or revokes bits for all grantees. Entries without privileges disappear.
func (x *granting) apply(acl []catalog.ACLItem, want uint32, grantor, owner OID) ([]catalog.ACLItem, error) {
	acl = append([]catalog.ACLItem{}, acl...)
	for _, grantee := range x.grantees {
		var err error
		if x.g.Revoke {
			if acl, err = revoke(acl, grantee, grantor, owner, want, x.g.GrantOption, x.g.Cascade); err != nil {
				return nil, err
			}
			continue
		}
		i := slices.IndexFunc(acl, func(a catalog.ACLItem) bool { return a.Grantee == grantee && a.Grantor == grantor })
		if i < 0 {
			acl = append(acl, catalog.ACLItem{Grantee: grantee, Grantor: grantor})
			i = len(acl) - 1
		}
		acl[i].Privileges |= want
		if x.g.GrantOption {
			acl[i].GrantOptions |= want
		}
	}
	return slices.DeleteFunc(acl, func(a catalog.ACLItem) bool { return a.Privileges == 0 }), nil
}

// revoke takes privileges, or only the options to grant them, from one grantee. What the
// grantee has granted by options that it loses goes with cascade and forbids it without.
func revoke(acl []catalog.ACLItem, grantee, grantor, owner OID, want uint32, option, cascade bool) ([]catalog.ACLItem, error) {
	i := slices.IndexFunc(acl, func(a catalog.ACLItem) bool { return a.Grantee == grantee && a.Grantor == grantor })
	if i < 0 {
		return acl, nil
	}
	lost := acl[i].GrantOptions & want
	acl[i].GrantOptions &^= want
	if !option {
		acl[i].Privileges &^= want
	}
	if lost == 0 || grantee == owner {
		return acl, nil
	}
	still := uint32(0) // by other grantors
	for _, a := range acl {
		if a.Grantee == grantee {
			still |= a.GrantOptions
		}
	}
	lost &^= still
	for _, a := range slices.Clone(acl) {
		if a.Grantor != grantee || a.Privileges&lost == 0 {
			continue
		}
		if !cascade {
			return nil, pgerr.New(pgerr.DependentObjectsStillExist, "dependent privileges exist").
				WithHint("Use CASCADE to revoke them too.")
		}
		var err error
		if acl, err = revoke(acl, a.Grantee, grantee, owner, a.Privileges&lost, false, true); err != nil {
			return nil, err
		}
	}
	return acl, nil
}

// addACL adds what one role granted another to a list that has at most one entry for the two.
func addACL(acl []catalog.ACLItem, a catalog.ACLItem) []catalog.ACLItem {
	i := slices.IndexFunc(acl, func(b catalog.ACLItem) bool { return b.Grantee == a.Grantee && b.Grantor == a.Grantor })
	if i < 0 {
		return append(acl, a)
	}
	acl[i].Privileges |= a.Privileges
	acl[i].GrantOptions |= a.GrantOptions
	return acl
}

// aclOfNewOwner is an access list after the object has gone from one owner to another: what the
// old one had and granted is the new one's.
func aclOfNewOwner(acl []catalog.ACLItem, from, to OID) []catalog.ACLItem {
	if acl == nil {
		return nil
	}
	out := []catalog.ACLItem{}
	for _, a := range acl {
		if a.Grantee == from {
			a.Grantee = to
		}
		if a.Grantor == from {
			a.Grantor = to
		}
		out = addACL(out, a)
	}
	return out
}

// giveTo makes a role the owner of an object.
func giveTo(o catalog.Object, to OID) {
	h := o.Head()
	h.ACL = aclOfNewOwner(h.ACL, h.Owner, to)
	if r, ok := o.(*catalog.Relation); ok {
		for i := range r.Columns {
			r.Columns[i].ACL = aclOfNewOwner(r.Columns[i].ACL, h.Owner, to)
		}
	}
	h.Owner = to
}
