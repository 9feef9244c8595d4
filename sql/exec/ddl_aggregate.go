package exec

import (
	"slices"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// createAggregate stores an aggregate, whose functions the binder has found.
func (d *ddl) createAggregate(c *plan.CreateAggregate) error {
	for _, w := range c.Warnings {
		d.send(w)
	}
	schema, _, err := d.creationSchema(c.Name, false)
	if err != nil {
		return err
	}
	f := *c.Function
	f.Meta = catalog.Meta{Name: c.Name.Name, Schema: schema, Owner: d.bind.User(), Depends: c.Function.Depends}
	if err := d.view.LockName(d.ctx, catalog.ClassFunction, schema, f.Name); err != nil {
		return err
	}
	for _, old := range d.view.FunctionsByName(schema, f.Name) {
		if slices.Equal(old.ArgTypes, f.ArgTypes) {
			return d.replaceAggregate(c, old, &f)
		}
	}
	if f.OID, err = d.view.NewOID(); err != nil {
		return err
	}
	return d.put(&f)
}

// replaceAggregate is OR REPLACE: the kind, the result and the number of direct arguments must stay.
func (d *ddl) replaceAggregate(c *plan.CreateAggregate, old, f *catalog.Function) error {
	if !c.Replace {
		return pgerr.New(pgerr.DuplicateFunction, "function \"%s\" already exists with same argument types", f.Name)
	}
	if old.Kind != 'a' {
		return pgerr.New(pgerr.WrongObjectType, "cannot change routine kind").
			WithDetail("\"%s\" is %s.", old.Name, map[byte]string{'p': "a procedure", 'w': "a window function"}[old.Kind]+
				map[bool]string{true: "an ordinary function"}[old.Kind == 'f'])
	}
	if old.Returns != f.Returns {
		return pgerr.New(pgerr.InvalidFunctionDefinition, "cannot change return type of existing function").
			WithHint("Use DROP AGGREGATE %s first.", d.signature(old))
	}
	if old.Aggregate.Kind != f.Aggregate.Kind {
		word := map[byte]string{'n': "an ordinary aggregate", 'o': "an ordered-set aggregate", 'h': "a hypothetical-set aggregate"}
		return pgerr.New(pgerr.WrongObjectType, "cannot change routine kind").WithDetail("\"%s\" is %s.", old.Name, word[old.Aggregate.Kind])
	}
	if old.Aggregate.DirectArgs != f.Aggregate.DirectArgs {
		return pgerr.New(pgerr.InvalidFunctionDefinition, "cannot change number of direct arguments of an aggregate function")
	}
	if err := d.view.LockObject(d.ctx, catalog.ClassFunction, old.OID); err != nil {
		return err
	}
	old = d.view.Function(old.OID)
	depends := f.Depends
	f.Meta = old.Meta
	f.Depends = depends
	return d.put(f)
}
