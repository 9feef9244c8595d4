package catalog

import (
	"strings"
	"sync"

	"github.com/omendb/omendb/sql/functions"
)

// The kinds of objects whose privileges are kept in a BuiltinACL.
const (
	BuiltinFunction   byte = 'f'
	BuiltinType       byte = 'T'
	BuiltinRelation   byte = 'r'
	BuiltinLanguage   byte = 'l'
	BuiltinTablespace byte = 't'
	BuiltinParameter  byte = 'p' // Object is 0: Meta.Name tells which
)

// BuiltinACL is the access list of an object that has no descriptor of its own, made when
// something is granted or revoked on it for the first time. It stays, as in PostgreSQL, when
// everything is as it was, except for parameters.
type BuiltinACL struct {
	Meta   `tag:"1"`
	Kind   byte `tag:"2"`
	Object OID  `tag:"3"`
}

// NewBuiltinACL returns the access list that a built-in object has from the start.
func NewBuiltinACL(kind byte, object OID, name string) *BuiltinACL {
	b := &BuiltinACL{Meta: Meta{Name: name, Owner: BootstrapSuperuser}, Kind: kind, Object: object}
	if kind == BuiltinFunction {
		b.ACL = restrictedFunctions()[object]
	}
	return b
}

// Class implements Object: what concerns all databases is stored once.
func (b *BuiltinACL) Class() Class { return builtinClass(b.Kind) }

func builtinClass(kind byte) Class {
	if kind == BuiltinTablespace || kind == BuiltinParameter {
		return ClassSharedACL
	}
	return ClassBuiltinACL
}

// All returns the privileges that ALL means for an object of the kind.
func (b *BuiltinACL) All() uint32 {
	switch b.Kind {
	case BuiltinFunction:
		return ACLAllFunction
	case BuiltinRelation:
		return ACLAllTable
	case BuiltinTablespace:
		return ACLCreate
	case BuiltinParameter:
		return ACLAllParameter
	}
	return ACLUsage // types and languages
}

func (b *BuiltinACL) builtinDefaults() []ACLItem {
	var list []ACLItem
	switch b.Kind {
	case BuiltinFunction, BuiltinType, BuiltinLanguage:
		list = append(list, ACLItem{Grantor: b.Owner, Privileges: b.All()})
	}
	return append(list, ACLItem{Grantee: b.Owner, Grantor: b.Owner, Privileges: b.All()})
}

type builtinKey struct {
	kind byte
	oid  OID
	name string
}

type builtinIndex struct {
	by  map[builtinKey]*BuiltinACL
	sum uint64
}

func (v *View) builtinACLs() *builtinIndex {
	if v.Count(ClassBuiltinACL)+v.Count(ClassSharedACL) == 0 {
		return nil
	}
	type key struct{}
	return v.Derived(key{}, func(old any, changes Changes) any {
		if old != nil && !changes.Shared && !changes.Class(ClassBuiltinACL) {
			return old
		}
		x := &builtinIndex{by: map[builtinKey]*BuiltinACL{}}
		for _, class := range []Class{ClassBuiltinACL, ClassSharedACL} {
			v.Each(class, func(o Object) bool {
				b := o.(*BuiltinACL)
				x.by[keyOfBuiltin(b.Kind, b.Object, b.Name)] = b
				x.sum += uint64(b.OID)
				return true
			})
		}
		return x
	}).(*builtinIndex)
}

// BuiltinACL returns the access list of a built-in object, as stored or as it is from the
// start; name is that of a parameter.
func (v *View) BuiltinACL(kind byte, object OID, name string) *BuiltinACL {
	if b := v.StoredACL(kind, object, name); b != nil {
		return b
	}
	return NewBuiltinACL(kind, object, name)
}

// StoredACL is BuiltinACL for objects whose privileges have been changed; nil for others.
func (v *View) StoredACL(kind byte, object OID, name string) *BuiltinACL {
	x := v.builtinACLs()
	if x == nil {
		return nil
	}
	return x.by[keyOfBuiltin(kind, object, name)]
}

// keyOfBuiltin leaves out the names of all but parameters, which have nothing else.
func keyOfBuiltin(kind byte, object OID, name string) builtinKey {
	if kind != BuiltinParameter {
		name = ""
	}
	return builtinKey{kind, object, name}
}

// BuiltinACLs identifies the set of built-in objects with privileges of their own: plans
// know which calls to check while it stays the same.
func (v *View) BuiltinACLs() uint64 {
	if x := v.builtinACLs(); x != nil {
		return x.sum
	}
	return 0
}

// Restricted reports whether calls of a built-in function have to be checked: not
// everybody may from the start, or privileges were changed.
func (v *View) Restricted(function OID) bool {
	return restrictedFunctions()[function] != nil || v.StoredACL(BuiltinFunction, function, "") != nil
}

// restrictedFunctions are the functions that have an access list from the start.
var restrictedFunctions = sync.OnceValue(func() map[OID][]ACLItem {
	out := map[OID][]ACLItem{}
	t := functions.Facts("pg_proc_acl")
	for _, row := range t.Rows {
		out[functions.FactOID(row[0])] = ParseACL(row[1])
	}
	return out
})

// privilegeLetters are aclitem's letters by bit.
const privilegeLetters = "arwdDxtXUCTcsA"

// predefinedRoles are those that the facts grant something to; the first superuser is
// called postgres there.
var predefinedRoles = map[string]OID{"": 0, "postgres": BootstrapSuperuser, "pg_monitor": 3373, "pg_read_all_settings": 3374, "pg_read_all_stats": 3375,
	"pg_stat_scan_tables": 3377, "pg_read_server_files": 4569, "pg_checkpoint": 4544, "pg_database_owner": PgDatabaseOwner}

// ParseACL reads the privileges of the facts, where only the first superuser, PUBLIC and a
// few predefined roles occur; nil for NULL.
func ParseACL(cell string) []ACLItem {
	if cell == functions.Null || cell == "" {
		return nil
	}
	out := []ACLItem{}
	for _, item := range strings.Split(strings.Trim(cell, "{}"), ",") {
		grantee, rest, _ := strings.Cut(item, "=")
		letters, grantor, _ := strings.Cut(rest, "/")
		a := ACLItem{Grantee: predefinedRoles[grantee], Grantor: predefinedRoles[grantor]}
		for _, c := range letters {
			if i := strings.IndexRune(privilegeLetters, c); i >= 0 {
				a.Privileges |= 1 << i
			}
		}
		out = append(out, a)
	}
	return out
}
