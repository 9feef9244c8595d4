package exec

import (
	"strings"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

func (d *ddl) createDatabase(c *plan.CreateDatabase) error {
	taken, err := d.claimName(catalog.ClassDatabase, 0, c.Name)
	if err != nil {
		return err
	}
	if taken {
		return pgerr.New(pgerr.DuplicateDatabase, "database \"%s\" already exists", c.Name)
	}
	db := &catalog.Database{
		Meta: catalog.Meta{Name: c.Name, Owner: d.bind.User()}, Encoding: "UTF8", Collate: "C", CType: "C", ConnLimit: -1, AllowConn: true,
	}
	template := "template1"
	for _, o := range c.Options {
		text := plan.OptionText(o.Value)
		switch o.Name {
		case "template":
			template = text
		case "encoding":
			if e := strings.ToUpper(strings.NewReplacer("-", "", "_", "").Replace(text)); e != "UTF8" && e != "UNICODE" && text != "6" {
				return pgerr.Unsupported("encoding \"%s\" is not supported", text)
			}
		case "locale", "lc_collate", "lc_ctype":
			if text != "C" && text != "POSIX" && !strings.HasPrefix(text, "C.") {
				return pgerr.Unsupported("locale \"%s\" is not supported", text)
			}
		case "locale_provider", "tablespace", "strategy", "collation_version", "oid", "icu_locale", "icu_rules", "builtin_locale":
			if o.Name != "strategy" && !(o.Name == "locale_provider" && text == "libc") && !(o.Name == "tablespace" && text == "pg_default") {
				return pgerr.Unsupported("option \"%s\" of CREATE DATABASE is not supported", o.Name)
			}
		default:
			if err := d.databaseOption(db, o); err != nil {
				return err
			}
		}
	}
	source := d.view.DatabaseByName(template)
	if source == nil {
		return pgerr.New(pgerr.UndefinedDatabase, "template database \"%s\" does not exist", template)
	}
	if db.OID, err = d.view.NewOID(); err != nil {
		return err
	}
	if err := d.put(db); err != nil {
		return err
	}
	return d.copyDatabase(source, db)
}

// copyDatabase gives a new database the schemas and types of its template. Tables and
// sequences would have to be copied with their rows.
func (d *ddl) copyDatabase(source, db *catalog.Database) error {
	for _, class := range []catalog.Class{catalog.ClassRelation, catalog.ClassSequence} {
		found := ""
		d.view.EachIn(source.OID, class, func(o catalog.Object) bool {
			if o.Head().OID >= catalog.FirstUserOID {
				found = o.Head().Name
			}
			return found == ""
		})
		if found != "" {
			return pgerr.Unsupported("a template database that holds relations is not supported: \"%s\" has \"%s\"", source.Name, found)
		}
	}
	var objects []catalog.Object
	for _, class := range []catalog.Class{catalog.ClassSchema, catalog.ClassType, catalog.ClassFunction, catalog.ClassExtension} {
		d.view.EachIn(source.OID, class, func(o catalog.Object) bool {
			objects = append(objects, copyObject(o))
			return true
		})
	}
	for _, o := range objects {
		if err := d.view.PutIn(d.ctx, db.OID, o); err != nil {
			return err
		}
	}
	return nil
}

func (d *ddl) databaseOption(db *catalog.Database, o plan.Option) error {
	var err error
	switch o.Name {
	case "owner":
		r := d.view.RoleByName(plan.OptionText(o.Value))
		if r == nil {
			return undefinedRole(plan.OptionText(o.Value))
		}
		db.Owner = r.OID
	case "connection_limit":
		var n int64
		if n, err = o.Int(); err == nil && n < -1 {
			return pgerr.New(pgerr.InvalidParameterValue, "invalid connection limit: %d", n)
		}
		db.ConnLimit = int32(n)
	case "is_template":
		db.IsTemplate, err = o.Bool()
	case "allow_connections":
		db.AllowConn, err = o.Bool()
	default:
		return pgerr.New(pgerr.SyntaxError, "option \"%s\" not recognized", o.Name).At(o.Pos)
	}
	return err
}

func (d *ddl) alterDatabase(a *plan.AlterDatabase) error {
	o, err := d.object("database", plan.ObjectRef{Name: plan.QName{Name: a.Name}}, false)
	if err != nil {
		return err
	}
	db := o.(*catalog.Database)
	if a.Set != nil {
		if db.Settings, err = d.changeSettings(db.Settings, a.Set); err != nil {
			return err
		}
	}
	for _, o := range a.Options {
		if err := d.databaseOption(db, o); err != nil {
			return err
		}
	}
	return d.put(db)
}

// dropDatabase removes a database and everything in it. That nobody is connected to it is
// the session's to check.
func (d *ddl) dropDatabase(u *plan.Drop) error {
	for _, ref := range u.Objects {
		name := ref.Name.Name
		db := d.view.DatabaseByName(name)
		if db == nil {
			if u.IfExists {
				d.notice(pgerr.SuccessfulCompletion, "database \"%s\" does not exist, skipping", name)
				continue
			}
			return pgerr.New(pgerr.UndefinedDatabase, "database \"%s\" does not exist", name)
		}
		switch {
		case db.OID == d.view.DatabaseOID():
			return pgerr.New(pgerr.ObjectInUse, "cannot drop the currently open database")
		case db.IsTemplate:
			return pgerr.New(pgerr.WrongObjectType, "cannot drop a template database")
		}
		if err := d.view.LockObject(d.ctx, catalog.ClassDatabase, db.OID); err != nil {
			return err
		}
		if err := d.emptyDatabase(db.OID); err != nil {
			return err
		}
		if err := d.remove(catalog.ClassDatabase, db.OID); err != nil {
			return err
		}
	}
	return nil
}

func (d *ddl) emptyDatabase(db OID) error {
	var objects []catalog.Object
	for class := catalog.ClassSchema; class <= catalog.ClassDefaultACL; class++ {
		if class.Shared() {
			continue
		}
		d.view.EachIn(db, class, func(o catalog.Object) bool {
			if r, ok := o.(*catalog.Relation); !ok || r.Kind != catalog.KindVirtual {
				objects = append(objects, o)
			}
			return true
		})
	}
	for _, x := range objects {
		if err := d.dropStores(x); err != nil {
			return err
		}
		if err := d.view.DeleteIn(d.ctx, db, x.Class(), x.Head().OID); err != nil {
			return err
		}
	}
	return nil
}
