package exec

import (
	"slices"
	"strings"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/settings"
	"github.com/omendb/omendb/sql/types"
)

// builtinGrants are the kinds of GRANT whose objects never have descriptors. Each finds the
// object that a name stands for.
var builtinGrants = map[plan.ObjectKind]func(d *ddl, name string, revoke bool) (*catalog.BuiltinACL, error){
	"language":             grantLanguage,
	"tablespace":           grantTablespace,
	"parameter acl":        grantParameter,
	"large object":         grantLargeObject,
	"foreign data wrapper": noSuch("foreign-data wrapper"),
	"server":               noSuch("server"),
}

// noSuch refuses kinds of which there are no objects.
func noSuch(word string) func(*ddl, string, bool) (*catalog.BuiltinACL, error) {
	return func(_ *ddl, name string, _ bool) (*catalog.BuiltinACL, error) {
		return nil, pgerr.New(pgerr.UndefinedObject, "%s \"%s\" does not exist", word, name)
	}
}

func grantLargeObject(_ *ddl, name string, _ bool) (*catalog.BuiltinACL, error) {
	return nil, pgerr.New(pgerr.UndefinedObject, "large object %s does not exist", name)
}

func grantLanguage(d *ddl, name string, _ bool) (*catalog.BuiltinACL, error) {
	t := functions.Facts("pg_language")
	for _, row := range t.Rows {
		if row[t.Column("lanname")] != name {
			continue
		}
		if row[t.Column("lanpltrusted")] == "f" {
			return nil, pgerr.New(pgerr.WrongObjectType, "language \"%s\" is not trusted", name).
				WithDetail("GRANT and REVOKE are not allowed on untrusted languages, because only superusers can use untrusted languages.")
		}
		return d.view.BuiltinACL(catalog.BuiltinLanguage, functions.FactOID(row[t.Column("oid")]), name), nil
	}
	return nil, pgerr.New(pgerr.UndefinedObject, "language \"%s\" does not exist", name)
}

// tablespaces are the two that there are.
var tablespaces = map[string]OID{"pg_default": 1663, "pg_global": 1664}

func grantTablespace(d *ddl, name string, _ bool) (*catalog.BuiltinACL, error) {
	if oid := tablespaces[name]; oid != 0 {
		return d.view.BuiltinACL(catalog.BuiltinTablespace, oid, name), nil
	}
	return nil, pgerr.New(pgerr.UndefinedObject, "tablespace \"%s\" does not exist", name)
}

// grantParameter finds a parameter. A name that is none may be revoked from, which does nothing.
func grantParameter(d *ddl, name string, revoke bool) (*catalog.BuiltinACL, error) {
	name = strings.ToLower(name)
	b := d.view.BuiltinACL(catalog.BuiltinParameter, 0, name)
	if b.OID != 0 || revoke || settings.Known(name) {
		return b, nil
	}
	return nil, pgerr.New(pgerr.InvalidName, "invalid parameter name \"%s\"", name)
}

// builtinObject finds the built-in object that GRANT names when no descriptor does; nil when
// there is none.
func (d *ddl) builtinObject(kind plan.ObjectKind, ref plan.ObjectRef) (*catalog.BuiltinACL, error) {
	if ref.Name.Schema != "" && ref.Name.Schema != "pg_catalog" && ref.Name.Schema != "information_schema" {
		return nil, nil
	}
	switch kind {
	case "type", "domain":
		return d.builtinType(kind, ref.Name.Name)
	case "function", "routine", "procedure":
		return d.builtinFunction(ref)
	case "table":
		if r, ok := d.find(catalog.ClassRelation, ref.Name).(*catalog.Relation); ok && r.Kind == catalog.KindVirtual {
			return d.builtinRelation(r), nil
		}
	}
	return nil, nil
}

func (d *ddl) builtinRelation(r *catalog.Relation) *catalog.BuiltinACL {
	b := *d.view.BuiltinACL(catalog.BuiltinRelation, r.OID, r.Name)
	if b.OID == 0 {
		b.ACL = r.ACL
	}
	return &b
}

func (d *ddl) builtinType(kind plan.ObjectKind, name string) (*catalog.BuiltinACL, error) {
	t := types.ByName(name)
	switch {
	case t == nil:
		return nil, nil
	case t.IsArray():
		return nil, pgerr.New(pgerr.InvalidGrantOperation, "cannot set privileges of array types").
			WithHint("Set the privileges of the element type instead.")
	case kind == "domain" && t.TypType != 'd':
		return nil, pgerr.New(pgerr.WrongObjectType, "\"%s\" is not a domain", name)
	}
	return d.view.BuiltinACL(catalog.BuiltinType, t.OID, t.Name), nil
}

func (d *ddl) builtinFunction(ref plan.ObjectRef) (*catalog.BuiltinACL, error) {
	var args []OID
	for _, a := range ref.Args {
		args = append(args, a.Type.OID)
	}
	var found *functions.Func
	for _, f := range functions.ByName(ref.Name.Name) {
		switch {
		case ref.HasArg && slices.Equal(f.Args, args):
			found = f
		case !ref.HasArg && found != nil:
			return nil, pgerr.New(pgerr.AmbiguousFunction, "function name \"%s\" is not unique", ref.Name).
				WithHint("Specify the argument list to select the function unambiguously.")
		case !ref.HasArg:
			found = f
		}
	}
	if found == nil {
		return nil, nil
	}
	return d.view.BuiltinACL(catalog.BuiltinFunction, found.OID, found.Name), nil
}

// lockBuiltin takes the lock of a built-in object's privileges and returns a copy of what
// they are then.
func (d *ddl) lockBuiltin(b *catalog.BuiltinACL) (*catalog.BuiltinACL, error) {
	class := b.Class()
	var err error
	if b.Kind == catalog.BuiltinParameter {
		err = d.view.LockName(d.ctx, class, 0, b.Name)
	} else {
		err = d.view.LockObject(d.ctx, class, b.Object)
	}
	if err != nil {
		return nil, err
	}
	next := *b
	if now := d.view.StoredACL(b.Kind, b.Object, b.Name); now != nil {
		next = *now
	}
	return &next, nil
}

// putBuiltin stores the privileges of a built-in object. Those of a parameter that nobody
// was granted anything on disappear.
func (d *ddl) putBuiltin(b *catalog.BuiltinACL) error {
	if b.Kind == catalog.BuiltinParameter {
		switch plain := sameACL(b.ACL, catalog.DefaultPrivileges(b)); {
		case plain && b.OID == 0:
			return nil
		case plain:
			return d.remove(b.Class(), b.OID)
		}
	}
	if b.OID == 0 {
		b.OID = b.Object
		if b.Kind == catalog.BuiltinParameter {
			var err error
			if b.OID, err = d.view.NewOID(); err != nil {
				return err
			}
		}
	}
	return d.put(b)
}

// builtinWord is what messages call a kind of built-in object, builtinText the object.
func builtinWord(b *catalog.BuiltinACL) string {
	switch b.Kind {
	case catalog.BuiltinFunction:
		if f := functions.ByOID(b.Object); f != nil {
			return (&catalog.Function{Kind: f.Kind}).Noun()
		}
	case catalog.BuiltinType:
		return "type"
	case catalog.BuiltinLanguage:
		return "language"
	case catalog.BuiltinTablespace:
		return "tablespace"
	case catalog.BuiltinParameter:
		return "parameter"
	}
	return "table"
}

func (d *ddl) builtinText(b *catalog.BuiltinACL) string {
	name := b.Name
	switch b.Kind {
	case catalog.BuiltinFunction:
		if f := functions.ByOID(b.Object); f != nil {
			name = d.signature(&catalog.Function{Meta: catalog.Meta{Name: f.Name}, ArgTypes: f.Args})
		}
	case catalog.BuiltinType:
		name = d.env.FormatType(b.Object, -1)
	}
	return builtinWord(b) + " " + name
}
