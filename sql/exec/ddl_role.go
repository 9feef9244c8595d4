package exec

import (
	"cmp"
	"slices"
	"strings"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/privilege"
	"github.com/omendb/omendb/sql/settings"
	"github.com/omendb/omendb/sql/types"
)

func undefinedRole(name string) error {
	return pgerr.New(pgerr.UndefinedObject, "role \"%s\" does not exist", name)
}

// reservedRole refuses names that mean something else.
func reservedRole(name string) error {
	switch {
	case name == "public" || name == "none":
		return pgerr.New(pgerr.ReservedName, "role name \"%s\" is reserved", name)
	case strings.HasPrefix(name, "pg_"):
		return pgerr.New(pgerr.ReservedName, "role name \"%s\" is reserved", name).
			WithDetail("Role names starting with \"pg_\" are reserved.")
	}
	return nil
}

func (d *ddl) createRole(c *plan.CreateRole) error {
	if err := reservedRole(c.Name); err != nil {
		return err
	}
	taken, err := d.claimName(catalog.ClassRole, 0, c.Name)
	if err != nil {
		return err
	}
	if taken {
		return pgerr.New(pgerr.DuplicateObject, "role \"%s\" already exists", c.Name)
	}
	r := &catalog.Role{Meta: catalog.Meta{Name: c.Name}, Inherit: true, Login: c.User, ConnLimit: -1}
	if r.OID, err = d.view.NewOID(); err != nil {
		return err
	}
	var members, admins []string
	for _, o := range c.Options {
		list, _ := o.Value.([]string)
		switch o.Name {
		case "addroleto":
			for _, name := range list {
				group := d.view.RoleByName(name)
				if group == nil {
					return undefinedRole(name)
				}
				r.MemberOf = append(r.MemberOf, catalog.Membership{Role: group.OID, Grantor: d.bind.User()})
			}
		case "rolemembers":
			members = list
		case "adminmembers":
			admins = list
		default:
			if err := d.roleOption(r, o); err != nil {
				return err
			}
		}
	}
	if err := d.put(r); err != nil {
		return err
	}
	if err := d.grantRole(&plan.GrantRole{Roles: []string{c.Name}, Members: members}); err != nil {
		return err
	}
	return d.grantRole(&plan.GrantRole{Roles: []string{c.Name}, Members: admins, Admin: true})
}

// roleOption applies one option of CREATE or ALTER ROLE.
func (d *ddl) roleOption(r *catalog.Role, o plan.Option) error {
	flags := map[string]*bool{
		"superuser": &r.Superuser, "inherit": &r.Inherit, "createrole": &r.CreateRole, "createdb": &r.CreateDB,
		"canlogin": &r.Login, "isreplication": &r.Replication, "bypassrls": &r.BypassRLS,
	}
	if f, ok := flags[o.Name]; ok {
		on, err := o.Bool()
		*f = on
		return err
	}
	switch o.Name {
	case "connectionlimit":
		n, err := o.Int()
		if err != nil {
			return err
		}
		if n < -1 {
			return pgerr.New(pgerr.InvalidParameterValue, "invalid connection limit: %d", n)
		}
		r.ConnLimit = int32(n)
	case "password":
		return d.setPassword(r, o)
	case "validUntil":
		v, err := d.env.In(types.TimestamptzOID, -1, plan.OptionText(o.Value))
		if err != nil {
			return err
		}
		r.ValidUntil = v.I
	case "sysid":
		d.notice(pgerr.SuccessfulCompletion, "SYSID can no longer be specified")
	default:
		return pgerr.New(pgerr.SyntaxError, "option \"%s\" not recognized", o.Name)
	}
	return nil
}

// setPassword stores the verifier of a password, never the password itself.
func (d *ddl) setPassword(r *catalog.Role, o plan.Option) error {
	if o.Value == nil {
		r.Verifier = ""
		return nil
	}
	text := plan.OptionText(o.Value)
	switch {
	case strings.HasPrefix(text, "SCRAM-SHA-256$"):
		r.Verifier = text
		return nil
	case text == "":
		d.notice(pgerr.SuccessfulCompletion, "empty string is not a valid password, clearing password")
		r.Verifier = ""
		return nil
	case d.rt.HashPassword == nil:
		return pgerr.Unsupported("passwords cannot be set here")
	}
	verifier, err := d.rt.HashPassword(text)
	r.Verifier = verifier
	return err
}

// lockRole finds a role and returns a copy to change.
func (d *ddl) lockRole(name string) (*catalog.Role, error) {
	r := d.view.RoleByName(name)
	if r == nil {
		return nil, undefinedRole(name)
	}
	if err := d.view.LockObject(d.ctx, catalog.ClassRole, r.OID); err != nil {
		return nil, err
	}
	if r = d.view.Role(r.OID); r == nil {
		return nil, undefinedRole(name)
	}
	next := *r
	next.MemberOf = slices.Clone(r.MemberOf)
	next.Settings = slices.Clone(r.Settings)
	return &next, nil
}

func (d *ddl) alterRole(a *plan.AlterRole) error {
	if a.Set != nil {
		return d.alterSettings(a)
	}
	r, err := d.lockRole(a.Name)
	if err != nil {
		return err
	}
	if strings.HasPrefix(r.Name, "pg_") {
		return pgerr.New(pgerr.ReservedName, "role name \"%s\" is reserved", r.Name).WithDetail("Cannot alter reserved roles.")
	}
	for _, o := range a.Options {
		if err := d.roleOption(r, o); err != nil {
			return err
		}
	}
	return d.put(r)
}

// alterSettings is ALTER ROLE … [IN DATABASE] SET and RESET.
func (d *ddl) alterSettings(a *plan.AlterRole) error {
	if a.Database == "" && a.Name != "" {
		r, err := d.lockRole(a.Name)
		if err != nil {
			return err
		}
		if r.Settings, err = d.changeSettings(r.Settings, a.Set); err != nil {
			return err
		}
		return d.put(r)
	}
	var role, database OID
	if a.Name != "" {
		r, err := d.lockRole(a.Name)
		if err != nil {
			return err
		}
		role = r.OID
	}
	if a.Database != "" {
		db := d.view.DatabaseByName(a.Database)
		if db == nil {
			return pgerr.New(pgerr.InvalidCatalogName, "database \"%s\" does not exist", a.Database)
		}
		database = db.OID
	}
	var found *catalog.Setting
	d.view.Each(catalog.ClassSetting, func(o catalog.Object) bool {
		if s := o.(*catalog.Setting); s.Role == role && s.Database == database {
			found = s
		}
		return found == nil
	})
	next := &catalog.Setting{Role: role, Database: database}
	if found != nil {
		if err := d.view.LockObject(d.ctx, catalog.ClassSetting, found.OID); err != nil {
			return err
		}
		*next = *found
	} else {
		var err error
		if next.OID, err = d.view.NewOID(); err != nil {
			return err
		}
	}
	var have []string
	if next.Value != "" {
		have = strings.Split(next.Value, "\x00")
	}
	list, err := d.changeSettings(have, a.Set)
	if err != nil {
		return err
	}
	next.Value = strings.Join(list, "\x00")
	return d.put(next)
}

// changeSettings applies SET or RESET to a list of name=value.
func (d *ddl) changeSettings(have []string, s *plan.Set) ([]string, error) {
	if s.All {
		return nil, nil
	}
	name, value := s.Name, settings.Join(s.Name, s.Values)
	var err error
	switch {
	case s.FromCurrent:
		value, _ = d.rt.Functions.Session.Setting(name)
	case s.Reset || s.Default:
		if def := settings.Find(name); def != nil {
			name = def.Name
		}
	}
	if err == nil && !s.Reset && !s.Default {
		name, err = settings.Stored(name, value, privilege.Superuser(d.view, d.bind.User()))
	}
	if err != nil {
		return nil, err
	}
	have = slices.Clone(have)
	at := slices.IndexFunc(have, func(h string) bool { n, _, _ := strings.Cut(h, "="); return strings.EqualFold(n, name) })
	switch {
	case s.Reset || s.Default:
		if at >= 0 {
			have = slices.Delete(have, at, at+1)
		}
		return have, nil
	case at >= 0:
		have[at] = name + "=" + value
		return have, nil
	}
	return append(have, name+"="+value), nil
}

func (d *ddl) grantRole(g *plan.GrantRole) error {
	for _, role := range g.Roles {
		group := d.view.RoleByName(role)
		if group == nil {
			return undefinedRole(role)
		}
		if group.OID == catalog.PgDatabaseOwner && len(g.Members) > 0 {
			return pgerr.New(pgerr.InternalError, "role \"%s\" cannot have explicit members", group.Name)
		}
		for _, name := range g.Members {
			r, err := d.lockRole(name)
			if err != nil {
				return err
			}
			if err := d.changeMembership(g, group, r); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *ddl) changeMembership(g *plan.GrantRole, group, r *catalog.Role) error {
	i := slices.IndexFunc(r.MemberOf, func(m catalog.Membership) bool { return m.Role == group.OID })
	if g.Revoke {
		if i < 0 {
			d.send(pgerr.Notice(pgerr.SeverityWarning, pgerr.Warning, "role \"%s\" is not a member of role \"%s\"", r.Name, group.Name))
			return nil
		}
		if g.Admin {
			r.MemberOf[i].Admin = false
		} else {
			r.MemberOf = slices.Delete(r.MemberOf, i, i+1)
		}
		return d.put(r)
	}
	if group.OID == r.OID || d.isMember(group.OID, r.OID) {
		return pgerr.New(pgerr.InvalidGrantOperation, "role \"%s\" is a member of role \"%s\"", group.Name, r.Name)
	}
	if i >= 0 {
		if r.MemberOf[i].Admin || !g.Admin {
			d.notice(pgerr.SuccessfulCompletion, "role \"%s\" is already a member of role \"%s\"", r.Name, group.Name)
			return nil
		}
		r.MemberOf[i].Admin = true
		return d.put(r)
	}
	r.MemberOf = append(r.MemberOf, catalog.Membership{Role: group.OID, Grantor: d.bind.User(), Admin: g.Admin})
	return d.put(r)
}

// isMember reports whether a role is a member of another, directly or not. Memberships have no
// cycles, because this is asked before each is made.
func (d *ddl) isMember(role, of OID) bool {
	r := d.view.Role(role)
	if r == nil {
		return false
	}
	return slices.ContainsFunc(r.MemberOf, func(m catalog.Membership) bool { return m.Role == of || d.isMember(m.Role, of) })
}

func (d *ddl) dropRoles(u *plan.Drop) error {
	for _, ref := range u.Objects {
		name := ref.Name.Name
		if d.view.RoleByName(name) == nil && u.IfExists {
			d.notice(pgerr.SuccessfulCompletion, "role \"%s\" does not exist, skipping", name)
			continue
		}
		r, err := d.lockRole(name)
		if err != nil {
			return err
		}
		user := d.view.Role(d.bind.User())
		switch {
		case user != nil && !user.Superuser && !user.CreateRole:
			return pgerr.New(pgerr.InsufficientPrivilege, "permission denied to drop role")
		case r.OID == d.bind.User():
			return pgerr.New(pgerr.ObjectInUse, "current user cannot be dropped")
		case r.OID < catalog.FirstUserOID:
			return pgerr.New(pgerr.DependentObjectsStillExist, "cannot drop role %s because it is required by the database system", name)
		}
		if lines := d.roleUses(r.OID); len(lines) > 0 {
			return pgerr.New(pgerr.DependentObjectsStillExist, "role \"%s\" cannot be dropped because some objects depend on it", name).
				WithDetail("%s", strings.Join(lines, "\n"))
		}
		if err := d.forgetMembers(r.OID); err != nil {
			return err
		}
		if err := d.remove(catalog.ClassRole, r.OID); err != nil {
			return err
		}
	}
	return nil
}

// roleUses lists what a role owns or has privileges on.
func (d *ddl) roleUses(role OID) []string {
	type use struct {
		oid  OID
		text string
	}
	var uses []use
	has := func(acl []catalog.ACLItem) bool {
		return slices.ContainsFunc(acl, func(a catalog.ACLItem) bool { return a.Grantee == role || a.Grantor == role })
	}
	look := func(o catalog.Object) {
		h := o.Head()
		r, _ := o.(*catalog.Relation)
		switch {
		case h.Internal || o.Class() == catalog.ClassIndex || h.OID == d.view.TempSchema() || h.Schema != 0 && h.Schema == d.view.TempSchema():
		case h.Owner == role:
			uses = append(uses, use{h.OID, "owner of " + d.describe(o)})
		case has(h.ACL):
			uses = append(uses, use{h.OID, "privileges for " + d.describe(o)})
		case r != nil:
			for i := range r.Columns {
				if c := &r.Columns[i]; has(c.ACL) {
					uses = append(uses, use{h.OID, "privileges for column " + c.Name + " of " + d.describe(o)})
				}
			}
		}
	}
	classes := []catalog.Class{catalog.ClassSchema, catalog.ClassRelation, catalog.ClassSequence, catalog.ClassType, catalog.ClassFunction}
	for _, class := range classes {
		d.view.Each(class, func(o catalog.Object) bool { look(o); return true })
	}
	d.view.Each(catalog.ClassDefaultACL, func(o catalog.Object) bool {
		a := o.(*catalog.DefaultACL)
		switch {
		case a.Role == role:
			uses = append(uses, use{a.OID, "owner of " + d.describeDefaults(a)})
		case has(a.ACL):
			uses = append(uses, use{a.OID, "privileges for " + d.describeDefaults(a)})
		}
		return true
	})
	for _, class := range []catalog.Class{catalog.ClassBuiltinACL, catalog.ClassSharedACL} {
		d.view.Each(class, func(o catalog.Object) bool {
			if has(o.Head().ACL) {
				uses = append(uses, use{o.Head().OID, "privileges for " + d.describe(o)})
			}
			return true
		})
	}
	slices.SortStableFunc(uses, func(a, b use) int { return cmp.Compare(a.oid, b.oid) })
	var lines []string
	for _, u := range uses {
		lines = append(lines, u.text)
	}
	d.view.Each(catalog.ClassDatabase, func(o catalog.Object) bool {
		if h := o.Head(); h.Owner == role {
			lines = append(lines, "owner of "+d.describe(o))
		} else if has(h.ACL) {
			lines = append(lines, "privileges for "+d.describe(o))
		}
		db := o.(*catalog.Database)
		if db.OID == d.view.DatabaseOID() {
			return true
		}
		n := 0
		for _, class := range classes {
			d.view.EachIn(db.OID, class, func(o catalog.Object) bool {
				if o.Head().Owner == role {
					n++
				}
				return true
			})
		}
		if n == 1 {
			lines = append(lines, "1 object in database "+db.Name)
		} else if n > 1 {
			lines = append(lines, itoa(int64(n))+" objects in database "+db.Name)
		}
		return true
	})
	return lines
}

// forgetMembers takes a role out of everybody's memberships.
func (d *ddl) forgetMembers(role OID) error {
	var names []string
	d.view.Each(catalog.ClassRole, func(o catalog.Object) bool {
		r := o.(*catalog.Role)
		if slices.ContainsFunc(r.MemberOf, func(m catalog.Membership) bool { return m.Role == role }) {
			names = append(names, r.Name)
		}
		return true
	})
	for _, name := range names {
		r, err := d.lockRole(name)
		if err != nil {
			return err
		}
		r.MemberOf = slices.DeleteFunc(r.MemberOf, func(m catalog.Membership) bool { return m.Role == role })
		if err := d.put(r); err != nil {
			return err
		}
	}
	return nil
}
