package exec

import (
	"cmp"
	"slices"
	"strings"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/privilege"
)

// defaultKind maps a kind of object to the letter of pg_default_acl and to an object
// whose built-in privileges the defaults start from.
func defaultKind(kind plan.ObjectKind, owner OID) (byte, catalog.Object, bool) {
	m := catalog.Meta{Owner: owner}
	switch kind {
	case "table":
		return 'r', &catalog.Relation{Meta: m, Kind: catalog.KindTable}, true
	case "sequence":
		return 'S', &catalog.Sequence{Meta: m}, true
	case "function", "routine", "procedure":
		return 'f', &catalog.Function{Meta: m}, true
	case "type":
		return 'T', &catalog.Type{Meta: m}, true
	case "schema":
		return 'n', &catalog.Schema{Meta: m}, true
	}
	return 0, nil, false
}

// defaultPrivileges is ALTER DEFAULT PRIVILEGES.
func (d *ddl) defaultPrivileges(u *plan.DefaultPrivileges) error {
	user := d.bind.User()
	roles := []OID{user}
	if len(u.Roles) > 0 {
		roles = nil
	}
	for _, name := range u.Roles {
		r := d.view.RoleByName(name)
		if r == nil {
			return undefinedRole(name)
		}
		if !privilege.Superuser(d.view, user) && !privilege.Member(d.view, user, r.OID, true) {
			return pgerr.New(pgerr.InsufficientPrivilege, "must be member of role \"%s\"", name)
		}
		roles = append(roles, r.OID)
	}
	schemas := []OID{0}
	if len(u.Schemas) > 0 {
		schemas = nil
	}
	for _, name := range u.Schemas {
		if u.Action.Kind == "schema" {
			return pgerr.New(pgerr.InvalidGrantOperation, "cannot use IN SCHEMA clause when using GRANT/REVOKE ON SCHEMAS")
		}
		s, err := d.schemaNamed(name)
		if err != nil {
			return err
		}
		schemas = append(schemas, s.OID)
	}
	x, err := d.newGranting(u.Action)
	if err != nil {
		return err
	}
	d.permitted = true
	for _, role := range roles {
		for _, schema := range schemas {
			if err := d.defaultPrivilegesOf(x, role, schema); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *ddl) defaultPrivilegesOf(x *granting, role, schema OID) error {
	kind, model, ok := defaultKind(x.g.Kind, role)
	if !ok {
		return pgerr.Unsupported("default privileges for a %s are not supported", x.g.Kind)
	}
	mask, word := privilegesOf(model)
	want := uint32(0)
	if len(x.g.Privileges) == 0 {
		want = mask
	}
	for _, p := range x.g.Privileges {
		if len(p.Columns) > 0 {
			return pgerr.New(pgerr.InvalidGrantOperation, "default privileges cannot be set for columns")
		}
		bit := privilegeBits[p.Name]
		if bit&mask == 0 {
			if kind == 'r' {
				word = "relation"
			}
			return pgerr.New(pgerr.InvalidGrantOperation, "invalid privilege type %s for %s", strings.ToUpper(p.Name), word)
		}
		want |= bit
	}
	have := d.defaultACL(role, schema, kind)
	var base []catalog.ACLItem
	if schema == 0 {
		base = catalog.DefaultPrivileges(model)
	}
	acl := base
	if have != nil {
		acl = have.ACL
	}
	acl, err := x.apply(acl, want, role, role)
	if err != nil {
		return err
	}
	for _, list := range []*[]catalog.ACLItem{&acl, &base} { // as PostgreSQL keeps them
		*list = slices.Clone(*list)
		slices.SortFunc(*list, func(a, b catalog.ACLItem) int {
			return cmp.Or(cmp.Compare(a.Grantee, b.Grantee), cmp.Compare(a.Grantor, b.Grantor), cmp.Compare(a.Privileges, b.Privileges))
		})
	}
	switch {
	case sameACL(acl, base):
		if have != nil {
			return d.remove(catalog.ClassDefaultACL, have.OID)
		}
		return nil
	case have != nil:
		if err := d.view.LockObject(d.ctx, catalog.ClassDefaultACL, have.OID); err != nil {
			return err
		}
		next := *have
		next.ACL = acl
		return d.put(&next)
	}
	next := &catalog.DefaultACL{Meta: catalog.Meta{Schema: schema, ACL: acl, Owner: role}, Role: role, Kind: kind}
	if next.OID, err = d.view.NewOID(); err != nil {
		return err
	}
	return d.put(next)
}

// defaultACL finds the entry of a role, schema and kind.
func (d *ddl) defaultACL(role, schema OID, kind byte) *catalog.DefaultACL {
	var found *catalog.DefaultACL
	d.view.Each(catalog.ClassDefaultACL, func(o catalog.Object) bool {
		if a := o.(*catalog.DefaultACL); a.Role == role && a.Schema == schema && a.Kind == kind {
			found = a
		}
		return found == nil
	})
	return found
}

// describeDefaults names default privileges as messages do.
func (d *ddl) describeDefaults(a *catalog.DefaultACL) string {
	kind := map[byte]string{'r': "relations", 'S': "sequences", 'f': "functions", 'T': "types", 'n': "schemas"}[a.Kind]
	text := "default privileges on new " + kind + " belonging to role " + roleName(d.view, a.Role)
	if a.Schema != 0 {
		text += " in schema " + d.view.SchemaName(a.Schema)
	}
	return text
}

// sameACL compares access lists as sets.
func sameACL(a, b []catalog.ACLItem) bool {
	if len(a) != len(b) {
		return false
	}
	for _, x := range a {
		if !slices.Contains(b, x) {
			return false
		}
	}
	return true
}

// withDefaults gives a new object the privileges that its owner has said new objects have.
func (d *ddl) withDefaults(o catalog.Object) {
	h := o.Head()
	if h.ACL != nil || h.OID < catalog.FirstUserOID || d.view.Count(catalog.ClassDefaultACL) == 0 {
		return
	}
	var kind byte
	switch o := o.(type) {
	case *catalog.Relation:
		kind = 'r'
		if o.Kind == catalog.KindComposite {
			return
		}
	case *catalog.Sequence:
		kind = 'S'
	case *catalog.Function:
		kind = 'f'
	case *catalog.Type:
		kind = 'T'
		if o.Kind == 'b' && o.Elem != 0 || o.Relation != 0 && o.Internal {
			return
		}
	case *catalog.Schema:
		kind = 'n'
	default:
		return
	}
	all, here := d.defaultACL(h.Owner, 0, kind), (*catalog.DefaultACL)(nil)
	if kind != 'n' {
		here = d.defaultACL(h.Owner, h.Schema, kind)
	}
	if all == nil && here == nil {
		return
	}
	builtin := catalog.DefaultPrivileges(o)
	acl := slices.Clone(builtin)
	if all != nil {
		acl = slices.Clone(all.ACL)
	}
	if here != nil {
		for _, a := range here.ACL {
			acl = addACL(acl, a)
		}
	}
	if !sameACL(acl, builtin) {
		if acl == nil {
			acl = []catalog.ACLItem{}
		}
		h.ACL = acl
	}
}
