package exec

import (
	"slices"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// listedExtension is in every database without being stored: clients create it without
// thinking. The language behind it is refused where it is used.
const listedExtension = "plpgsql"

// createExtension puts the functions of an extension that comes with the server into a schema.
func (d *ddl) createExtension(c *plan.CreateExtension) error {
	if c.Name == listedExtension || d.view.ByName(catalog.ClassExtension, 0, c.Name) != nil {
		if c.IfNotExists {
			d.notice(pgerr.DuplicateObject, "extension \"%s\" already exists, skipping", c.Name)
			return nil
		}
		return pgerr.New(pgerr.DuplicateObject, "extension \"%s\" already exists", c.Name)
	}
	x := functions.ExtensionNamed(c.Name)
	if x == nil {
		return pgerr.New(pgerr.FeatureNotSupported, "extension \"%s\" is not available", c.Name).
			WithHint("The extension must first be installed on the system where PostgreSQL is running.")
	}
	schema, version := "", x.Version
	for _, o := range c.Options {
		switch o.Name {
		case "schema":
			schema = plan.OptionText(o.Value)
		case "new_version":
			version = plan.OptionText(o.Value)
		case "cascade": // none needs another
		default:
			return pgerr.New(pgerr.SyntaxError, "unrecognized option: %s", o.Name)
		}
	}
	if version != x.Version {
		return pgerr.New(pgerr.InvalidParameterValue, "extension \"%s\" has no installation script nor update path for version \"%s\"", c.Name, version)
	}
	name := plan.QName{Schema: schema, Name: c.Name}
	target, _, err := d.creationSchema(name, false)
	if err != nil {
		return err
	}
	if taken, err := d.claimName(catalog.ClassExtension, 0, c.Name); err != nil || taken {
		if err == nil {
			err = pgerr.New(pgerr.DuplicateObject, "extension \"%s\" already exists", c.Name)
		}
		return err
	}
	e := &catalog.Extension{Meta: catalog.Meta{Name: c.Name, Schema: 0, Owner: d.bind.User(), Comment: x.Comment}, ExtVersion: x.Version,
		Relocatable: true, Target: target}
	if e.OID, err = d.view.NewOID(); err != nil {
		return err
	}
	if err := d.put(e); err != nil {
		return err
	}
	for i := range x.Functions {
		if err := d.putExtensionFunction(e, &x.Functions[i]); err != nil {
			return err
		}
	}
	return nil
}

func (d *ddl) putExtensionFunction(e *catalog.Extension, x *functions.ExtensionFunc) error {
	f := &catalog.Function{
		Meta: catalog.Meta{Name: x.Name, Schema: e.Target, Owner: d.bind.User(),
			Depends: []catalog.Dependency{{Class: catalog.ClassExtension, OID: e.OID}}},
		Kind: 'f', Language: "c", ArgTypes: x.Args, ArgNames: x.ArgNames, Returns: x.Ret, Volatility: x.Volatile, Parallel: 's',
		Strict: !x.NotStrict, Cost: 1, Source: x.Symbol,
	}
	for _, other := range d.view.FunctionsByName(e.Target, x.Name) {
		if slices.Equal(other.ArgTypes, x.Args) {
			return pgerr.New(pgerr.DuplicateFunction, "function \"%s\" already exists with same argument types", x.Name)
		}
	}
	var err error
	if f.OID, err = d.view.NewOID(); err != nil {
		return err
	}
	return d.put(f)
}
