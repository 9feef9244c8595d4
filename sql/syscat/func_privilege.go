package syscat

import (
	"strings"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/privilege"
	"github.com/omendb/omendb/sql/types"
)

// privilegeNames are the privileges that each kind of object has.
var privilegeNames = map[string]map[string]uint32{
	"table": {"SELECT": catalog.ACLSelect, "INSERT": catalog.ACLInsert, "UPDATE": catalog.ACLUpdate, "DELETE": catalog.ACLDelete,
		"TRUNCATE": catalog.ACLTruncate, "REFERENCES": catalog.ACLReferences, "TRIGGER": catalog.ACLTrigger, "RULE": 0},
	"column":               {"SELECT": catalog.ACLSelect, "INSERT": catalog.ACLInsert, "UPDATE": catalog.ACLUpdate, "REFERENCES": catalog.ACLReferences},
	"sequence":             {"USAGE": catalog.ACLUsage, "SELECT": catalog.ACLSelect, "UPDATE": catalog.ACLUpdate},
	"database":             {"CREATE": catalog.ACLCreate, "TEMPORARY": catalog.ACLCreateTemp, "TEMP": catalog.ACLCreateTemp, "CONNECT": catalog.ACLConnect},
	"function":             {"EXECUTE": catalog.ACLExecute},
	"language":             {"USAGE": catalog.ACLUsage},
	"schema":               {"CREATE": catalog.ACLCreate, "USAGE": catalog.ACLUsage},
	"type":                 {"USAGE": catalog.ACLUsage},
	"tablespace":           {"CREATE": catalog.ACLCreate},
	"foreign_data_wrapper": {"USAGE": catalog.ACLUsage},
	"server":               {"USAGE": catalog.ACLUsage},
	"parameter":            {"SET": catalog.ACLSet, "ALTER SYSTEM": catalog.ACLAlterSystem},
}

// privilegeCalls are those whose names follow no pattern.
var privilegeCalls = map[string]call{
	"pg_get_userbyid": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		if r := f.World.View().Role(oidArg(a[0])); r != nil {
			return str(r.Name), nil
		}
		return str("unknown (OID=" + num32(oidArg(a[0])) + ")"), nil
	},
	// There is no row-level security.
	"row_security_active": func(Functions, *functions.Ctx, []datum) (datum, error) { return flag(false), nil },
	"row_security_active_name": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		_, err := f.World.Types().Names.ObjectByName(types.RegclassOID, a[0].String())
		return flag(false), err
	},
	"acldefault_sql": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		return aclDefault(f.World.View(), byte(a[0].I), oidArg(a[1]))
	},
	"makeaclitem": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		var bits uint32
		all := map[string]uint32{}
		for _, m := range privilegeNames {
			for k, v := range m {
				all[k] = v
			}
		}
		want, err := parsePrivileges(a[2].String(), all)
		for _, w := range want {
			bits |= w.bits
		}
		item := catalog.ACLItem{Grantee: oidArg(a[0]), Grantor: oidArg(a[1]), Privileges: bits}
		if a[3].Bool() {
			item.GrantOptions = bits
		}
		return str(aclText(f.World.View(), item)), err
	},
}

// aclDefault is acldefault(kind, owner).
func aclDefault(v *catalog.View, kind byte, owner OID) (datum, error) {
	var o catalog.Object
	meta := catalog.Meta{Owner: owner}
	var list []catalog.ACLItem
	both := func(own, public uint32) {
		if public != 0 {
			list = append(list, catalog.ACLItem{Grantor: owner, Privileges: public})
		}
		if own != 0 {
			list = append(list, catalog.ACLItem{Grantee: owner, Grantor: owner, Privileges: own})
		}
	}
	switch kind {
	case 'c':
		return stringArray(types.AclitemOID, nil), nil
	case 'r':
		o = &catalog.Relation{Meta: meta}
	case 's':
		o = &catalog.Sequence{Meta: meta}
	case 'd':
		o = &catalog.Database{Meta: meta}
	case 'n':
		o = &catalog.Schema{Meta: meta}
	case 'f':
		o = &catalog.Function{Meta: meta}
	case 'T':
		o = &catalog.Type{Meta: meta}
	case 'l':
		both(catalog.ACLUsage, catalog.ACLUsage)
	case 't':
		both(catalog.ACLCreate, 0)
	case 'F', 'S':
		both(catalog.ACLUsage, 0)
	case 'L':
		both(catalog.ACLSelect|catalog.ACLUpdate, 0)
	case 'p':
		both(catalog.ACLSet|catalog.ACLAlterSystem, 0)
	default:
		return null, pgerr.New(pgerr.InternalError, "unrecognized object type abbreviation: %c", kind)
	}
	if o != nil {
		list = catalog.DefaultPrivileges(o)
	}
	return aclDatum(v, list), nil
}

// wanted is one privilege asked for.
type wanted struct {
	bits  uint32
	grant bool
}

// parsePrivileges reads "SELECT, UPDATE WITH GRANT OPTION".
func parsePrivileges(s string, names map[string]uint32) ([]wanted, error) {
	var out []wanted
	for _, part := range strings.Split(s, ",") {
		word := strings.ToUpper(strings.TrimSpace(part))
		base, grant := strings.CutSuffix(word, " WITH GRANT OPTION")
		bits, ok := names[strings.TrimSpace(base)]
		if !ok {
			return nil, pgerr.New(pgerr.InvalidParameterValue, "unrecognized privilege type: \"%s\"", strings.TrimSpace(part))
		}
		out = append(out, wanted{bits, grant})
	}
	return out, nil
}

// privilegeCall finds has_*_privilege and pg_has_role by the pattern of their names: what
// they ask about, then whether role and object come by name or by OID.
func privilegeCall(prosrc string) call {
	if forms, ok := strings.CutPrefix(prosrc, "pg_has_role_"); ok {
		return func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
			return f.hasRole(strings.Split(forms, "_"), a)
		}
	}
	rest, ok := strings.CutPrefix(prosrc, "has_")
	if !ok {
		return nil
	}
	kind, form, ok := strings.Cut(rest, "_privilege_")
	if !ok {
		return nil
	}
	forms := strings.Split(form, "_")
	return func(f Functions, _ *functions.Ctx, a []datum) (datum, error) { return f.hasPrivilege(kind, forms, a) }
}

// roleArg resolves a role argument; the role of OID 0 is PUBLIC.
func (f Functions) roleArg(form string, d datum, public bool) (OID, error) {
	if form == "id" {
		return oidArg(d), nil
	}
	name := d.String()
	if public && name == "public" {
		return 0, nil
	}
	if r := f.World.View().RoleByName(name); r != nil {
		return r.OID, nil
	}
	return 0, pgerr.New(pgerr.UndefinedObject, "role \"%s\" does not exist", name)
}

func (f Functions) hasPrivilege(kind string, forms []string, a []datum) (datum, error) {
	anyColumn := kind == "any_column"
	names := privilegeNames[kind]
	objects, column := 1, kind == "column"
	if anyColumn {
		names = privilegeNames["column"]
	}
	if column {
		objects = 2
	}
	role := f.World.User()
	if len(forms) > objects {
		var err error
		if role, err = f.roleArg(forms[0], a[0], true); err != nil {
			return null, err
		}
		forms, a = forms[1:], a[1:]
	}
	want, err := parsePrivileges(a[len(a)-1].String(), names)
	if err != nil {
		return null, err
	}
	if kind == "parameter" {
		t := f.stored(catalog.BuiltinParameter, 0, strings.ToLower(a[0].String()))
		return flag(f.anyGranted(role, t, t.acl, want)), nil
	}
	obj, err := f.privilegeObject(kind, forms[0], a[0])
	if err != nil || obj == nil {
		return null, err
	}
	if r := obj.relation; r != nil && kind == "sequence" {
		return null, pgerr.New(pgerr.WrongObjectType, "\"%s\" is not a sequence", r.Name)
	}
	acl := obj.acl
	if f.anyGranted(role, obj, acl, want) {
		return flag(true), nil
	}
	if r := obj.relation; r != nil && (column || anyColumn) {
		for i := range r.Columns {
			c := &r.Columns[i]
			if c.Dropped || column && (forms[1] == "attnum" && c.Num != int16(a[1].I) || forms[1] == "name" && c.Name != a[1].String()) {
				continue
			}
			if f.anyGranted(role, obj, c.ACL, want) {
				return flag(true), nil
			}
		}
	}
	return flag(false), nil
}

// privilegeTarget is what privileges are asked about.
type privilegeTarget struct {
	owner    OID
	acl      []catalog.ACLItem
	relation *catalog.Relation
	object   catalog.Object // nil: of the facts
}

func targetOf(o catalog.Object) *privilegeTarget {
	h := o.Head()
	t := &privilegeTarget{owner: h.Owner, acl: h.ACL, object: o}
	if t.acl == nil {
		t.acl = catalog.DefaultPrivileges(o)
	}
	t.relation, _ = o.(*catalog.Relation)
	return t
}

// privilegeObject finds the object; nil when an OID names none.
func (f Functions) privilegeObject(kind, form string, d datum) (*privilegeTarget, error) {
	v := f.World.View()
	find := func(class catalog.Class, reg OID, missing string) (*privilegeTarget, error) {
		oid := oidArg(d)
		if form != "id" {
			if reg == 0 {
				o := v.ByName(class, 0, d.String())
				if o == nil {
					return nil, pgerr.New(missing, "%s \"%s\" does not exist", kind, d.String())
				}
				return targetOf(o), nil
			}
			var err error
			if oid, err = f.World.Types().Names.ObjectByName(reg, d.String()); err != nil {
				return nil, err
			}
		}
		if o := v.Get(class, oid); o != nil {
			t := targetOf(o)
			if b := v.StoredACL(catalog.BuiltinRelation, oid, ""); b != nil && t.relation != nil && t.relation.Kind == catalog.KindVirtual {
				t.acl = b.ACL
			}
			return t, nil
		}
		return f.builtinTarget(class, oid), nil
	}
	switch kind {
	case "table", "column", "any_column":
		t, err := find(catalog.ClassRelation, types.RegclassOID, "")
		if t == nil && err == nil {
			t, err = find(catalog.ClassSequence, types.RegclassOID, "")
		}
		if t == nil && err == nil && form == "id" {
			return f.indexTarget(oidArg(d)), nil
		}
		return t, err
	case "sequence":
		t, err := find(catalog.ClassSequence, types.RegclassOID, "")
		if t == nil && err == nil {
			return find(catalog.ClassRelation, types.RegclassOID, "")
		}
		return t, err
	case "database":
		return find(catalog.ClassDatabase, 0, pgerr.InvalidCatalogName)
	case "schema":
		return find(catalog.ClassSchema, 0, pgerr.InvalidSchemaName)
	case "function":
		return find(catalog.ClassFunction, types.RegprocedureOID, "")
	case "type":
		return find(catalog.ClassType, types.RegtypeOID, "")
	}
	return f.factTarget(kind, form, d)
}

// indexTarget answers for an index, which is its table's owner's and cannot be granted.
func (f Functions) indexTarget(oid OID) *privilegeTarget {
	v := f.World.View()
	x := v.Index(oid)
	if x == nil {
		return nil
	}
	r := v.Relation(x.Table)
	if r == nil {
		return nil
	}
	return &privilegeTarget{owner: r.Owner, acl: catalog.DefaultPrivileges(&catalog.Relation{Meta: catalog.Meta{Owner: r.Owner}}), object: x}
}

// builtinTarget answers for functions and types that only the facts know.
func (f Functions) builtinTarget(class catalog.Class, oid OID) *privilegeTarget {
	switch {
	case class == catalog.ClassType && types.ByOID(oid) != nil:
		return f.stored(catalog.BuiltinType, oid, "")
	case class == catalog.ClassFunction && functions.ByOID(oid) != nil:
		return f.stored(catalog.BuiltinFunction, oid, "")
	}
	return nil
}

func (f Functions) stored(kind byte, oid OID, name string) *privilegeTarget {
	return targetOf(f.World.View().BuiltinACL(kind, oid, name))
}

// factTarget answers for languages, tablespaces and foreign servers.
func (f Functions) factTarget(kind, form string, d datum) (*privilegeTarget, error) {
	table := map[string]string{"language": "pg_language", "tablespace": "pg_tablespace"}[kind]
	if table != "" {
		facts := builtinNamed(table).Virtual.(*systemTable).facts()
		attr := 0
		if form != "id" {
			attr = 1
		}
		if rows := facts.find(attr, d); len(rows) > 0 {
			return f.stored(builtinKinds[table], OID(facts.rows[rows[0]][0].I), ""), nil
		}
	}
	if form == "id" {
		return nil, nil
	}
	what := strings.ReplaceAll(kind, "_", "-")
	return nil, pgerr.New(pgerr.UndefinedObject, "%s \"%s\" does not exist", what, d.String())
}

// anyGranted reports whether a role has any of the privileges asked for on an object of an
// owner with an access list, or by the predefined roles.
func (f Functions) anyGranted(role OID, t *privilegeTarget, acl []catalog.ACLItem, want []wanted) bool {
	v := f.World.View()
	for _, w := range want {
		have := privilege.Listed(v, role, acl, w.bits)
		if !w.grant && have != 0 || w.grant && w.bits != 0 && privilege.Options(v, role, t.owner, acl)&w.bits == w.bits {
			return true
		}
		if !w.grant && t.object != nil && privilege.Held(v, role, t.object, w.bits) != 0 {
			return true
		}
	}
	return false
}

// isMember reports whether role is group or a member of it; inherit counts only
// memberships whose privileges the role has without SET ROLE.
func (f Functions) isMember(role, group OID, inherit bool) bool {
	return privilege.Member(f.World.View(), role, group, inherit)
}

// hasRole is pg_has_role.
func (f Functions) hasRole(forms []string, a []datum) (datum, error) {
	role := f.World.User()
	var err error
	if len(forms) > 1 {
		if role, err = f.roleArg(forms[0], a[0], false); err != nil {
			return null, err
		}
		forms, a = forms[1:], a[1:]
	}
	group, err := f.roleArg(forms[0], a[0], false)
	if err != nil {
		return null, err
	}
	names := map[string]uint32{"USAGE": 1, "MEMBER": 2, "USAGE WITH ADMIN OPTION": 4, "MEMBER WITH ADMIN OPTION": 4,
		"USAGE WITH GRANT OPTION": 4, "MEMBER WITH GRANT OPTION": 4}
	r := f.World.View().Role(role)
	super := r != nil && r.Superuser
	for _, part := range strings.Split(a[1].String(), ",") {
		bits, ok := names[strings.ToUpper(strings.TrimSpace(part))]
		if !ok {
			return null, pgerr.New(pgerr.InvalidParameterValue, "unrecognized privilege type: \"%s\"", strings.TrimSpace(part))
		}
		if super || bits != 4 && f.isMember(role, group, bits == 1) || bits == 4 && r != nil && hasAdmin(r, group) {
			return flag(true), nil
		}
	}
	return flag(false), nil
}

func hasAdmin(r *catalog.Role, group OID) bool {
	for _, m := range r.MemberOf {
		if m.Role == group && m.Admin {
			return true
		}
	}
	return false
}
