package exec

import (
	"strconv"
	"unicode/utf8"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// maxName is the longest name of an object in bytes: PostgreSQL's NAMEDATALEN less one.
const maxName = 63

// makeName builds the name of an implied object, first_second_label, shortening the
// longer part until it fits.
func makeName(first, second, label string) string {
	room := maxName
	if second != "" {
		room--
	}
	if label != "" {
		room -= len(label) + 1
	}
	a, b := len(first), len(second)
	for a+b > room {
		if a > b {
			a--
		} else {
			b--
		}
	}
	name := clip(first, a)
	if second != "" {
		name += "_" + clip(second, b)
	}
	if label != "" {
		name += "_" + label
	}
	return name
}

// clip cuts s to at most n bytes without cutting a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// relationNameFor chooses a free relation name of the form first_second_label[N]. Names of
// constraints in the schema are avoided, too, when the relation is behind one.
func (d *ddl) relationNameFor(first, second, label string, schema OID, constraint bool, taken map[string]bool) string {
	for n := 0; ; n++ {
		l := label
		if n > 0 {
			l += strconv.Itoa(n)
		}
		name := makeName(first, second, l)
		if d.view.ByName(catalog.ClassRelation, schema, name) == nil && !taken[name] &&
			!(constraint && d.constraintNameUsed(schema, name)) {
			return name
		}
	}
}

// constraintNameFor chooses a free constraint name of the form first_second_label[N].
func (d *ddl) constraintNameFor(first, second, label string, schema OID, taken map[string]bool) string {
	for n := 0; ; n++ {
		l := label
		if n > 0 {
			l += strconv.Itoa(n)
		}
		if name := makeName(first, second, l); !taken[name] && !d.constraintNameUsed(schema, name) {
			return name
		}
	}
}

// constraintNameUsed looks through the relations of a schema: PostgreSQL keeps the names
// that it makes itself unique there, though it does not demand it of users.
func (d *ddl) constraintNameUsed(schema OID, name string) bool {
	used := false
	d.view.Relations(func(r *catalog.Relation) bool {
		used = r.Schema == schema && constraintNamed(r, name) != nil
		return !used
	})
	return used
}

func constraintNamed(r *catalog.Relation, name string) *catalog.Constraint {
	for i := range r.Constraints {
		if r.Constraints[i].Name == name {
			return &r.Constraints[i]
		}
	}
	return nil
}

// columnNamed returns a live column, nil when there is none of the name.
func columnNamed(r *catalog.Relation, name string) *catalog.Column {
	for i := range r.Columns {
		if c := &r.Columns[i]; !c.Dropped && c.Name == name {
			return c
		}
	}
	return nil
}

var systemColumns = map[string]bool{"tableoid": true, "xmin": true, "cmin": true, "xmax": true, "cmax": true, "ctid": true}

func undefinedColumn(column, table string) error {
	return pgerr.New(pgerr.UndefinedColumn, "column \"%s\" of relation \"%s\" does not exist", column, table)
}

// schemaNamed returns a schema that must exist.
func (d *ddl) schemaNamed(name string) (*catalog.Schema, error) {
	if s := d.view.SchemaByName(name); s != nil {
		return s, nil
	}
	return nil, pgerr.New(pgerr.InvalidSchemaName, "schema \"%s\" does not exist", name)
}

// creationSchema returns the schema that a new object goes to. Temp is set when the
// name itself asks for the temporary schema.
func (d *ddl) creationSchema(name plan.QName, temp bool) (schema OID, isTemp bool, err error) {
	if temp || name.Schema == "pg_temp" {
		if name.Schema != "" && name.Schema != "pg_temp" {
			return 0, false, pgerr.New(pgerr.InvalidTableDefinition, "cannot create temporary relation in non-temporary schema")
		}
		schema, err = d.view.MakeTempSchema(d.ctx, d.bind.User())
		return schema, true, err
	}
	if name.Schema != "" {
		s, err := d.schemaNamed(name.Schema)
		if err != nil {
			return 0, false, err
		}
		if s.OID == catalog.PgCatalog {
			return 0, false, pgerr.New(pgerr.InsufficientPrivilege, "permission denied to create \"%s.%s\"", name.Schema, name.Name).
				WithDetail("System catalog modifications are currently disallowed.")
		}
		return s.OID, s.OID == d.view.TempSchema(), nil
	}
	for _, oid := range d.bind.SearchPath() {
		if oid != catalog.PgCatalog && oid != d.view.TempSchema() && d.view.Schema(oid) != nil {
			return oid, false, nil
		}
	}
	return 0, false, pgerr.New(pgerr.InvalidSchemaName, "no schema has been selected to create in")
}

// find looks a name up among the objects that share the class's names, nil when there is none.
func (d *ddl) find(class catalog.Class, name plan.QName) catalog.Object {
	if name.Schema != "" {
		s := d.view.SchemaByName(name.Schema)
		if s == nil {
			return nil
		}
		return d.view.ByName(class, s.OID, name.Name)
	}
	for _, schema := range d.bind.SearchPath() {
		if o := d.view.ByName(class, schema, name.Name); o != nil {
			return o
		}
	}
	if t := d.view.TempSchema(); t != 0 {
		return d.view.ByName(class, t, name.Name)
	}
	return nil
}

// lockNamed resolves a relation-like name and locks what it names, again until both agree.
// Nil means that there is no such object.
func (d *ddl) lockNamed(name plan.QName, mode engine.TableLockMode) (catalog.Object, error) {
	d.view.Refresh()
	for {
		o := d.find(catalog.ClassRelation, name)
		if o == nil {
			return nil, nil
		}
		oid := o.Head().OID
		if i, ok := o.(*catalog.Index); ok && mode != engine.LockShareUpdateExclusive {
			if err := d.lockTable(i.Table, mode); err != nil {
				return nil, err
			}
		}
		if err := d.lockTable(oid, mode); err != nil {
			return nil, err
		}
		if err := d.view.LockObject(d.ctx, o.Class(), oid); err != nil {
			return nil, err
		}
		if again := d.find(catalog.ClassRelation, name); again != nil && again.Head().OID == oid {
			return again, nil
		}
	}
}

func undefinedRelation(name plan.QName) error {
	return pgerr.New(pgerr.UndefinedTable, "relation \"%s\" does not exist", name)
}

// lockRelation is lockNamed for a table, view or materialized view that must exist.
func (d *ddl) lockRelation(name plan.QName, mode engine.TableLockMode) (*catalog.Relation, error) {
	if name.Schema != "" {
		if _, err := d.schemaNamed(name.Schema); err != nil {
			return nil, err
		}
	}
	o, err := d.lockNamed(name, mode)
	if err != nil {
		return nil, err
	}
	switch o := o.(type) {
	case nil:
		return nil, undefinedRelation(name)
	case *catalog.Relation:
		if o.Kind == catalog.KindVirtual && mode > engine.LockAccessShare {
			return nil, pgerr.New(pgerr.InsufficientPrivilege, "permission denied: \"%s\" is a system catalog", o.Name)
		}
		return o, nil
	}
	return nil, pgerr.New(pgerr.WrongObjectType, "\"%s\" is not a table", o.Head().Name)
}

// lockBaseTable is lockRelation for a table.
func (d *ddl) lockBaseTable(name plan.QName, mode engine.TableLockMode) (*catalog.Relation, error) {
	r, err := d.lockRelation(name, mode)
	if err == nil && r.Kind != catalog.KindTable {
		err = pgerr.New(pgerr.WrongObjectType, "\"%s\" is not a table", r.Name)
	}
	return r, err
}

// claimName locks a name in a schema and reports whether it is taken already.
func (d *ddl) claimName(class catalog.Class, schema OID, name string) (bool, error) {
	if err := d.view.LockName(d.ctx, class, schema, name); err != nil {
		return false, err
	}
	return d.view.ByName(class, schema, name) != nil, nil
}

// claimRelationName is claimName for a new relation. With ifNotExists a taken name gives a
// notice and false.
func (d *ddl) claimRelationName(schema OID, name string, ifNotExists bool) (bool, error) {
	taken, err := d.claimName(catalog.ClassRelation, schema, name)
	if err != nil || !taken {
		return err == nil, err
	}
	if ifNotExists {
		d.notice(pgerr.DuplicateTable, "relation \"%s\" already exists, skipping", name)
		return false, nil
	}
	return false, pgerr.New(pgerr.DuplicateTable, "relation \"%s\" already exists", name)
}

// visibleName returns a name, qualified unless the search path finds the object by it.
func (d *ddl) visibleName(o catalog.Object) string {
	h := o.Head()
	if seen := d.find(o.Class(), plan.QName{Name: h.Name}); seen != nil && seen.Head().OID == h.OID || h.Schema == 0 {
		return types.QuoteIdent(h.Name)
	}
	return types.QuoteIdent(d.view.SchemaName(h.Schema)) + "." + types.QuoteIdent(h.Name)
}

// objectWord is what an object is called in messages.
func objectWord(o catalog.Object) string {
	switch o := o.(type) {
	case *catalog.Relation:
		if o.Kind == catalog.KindComposite {
			return "type"
		}
		return relationWord(o.Kind)
	case *catalog.Index:
		return "index"
	case *catalog.Sequence:
		return "sequence"
	case *catalog.Schema:
		return "schema"
	case *catalog.Extension:
		return "extension"
	case *catalog.Type:
		if o.Kind == 'd' {
			return "domain"
		}
		return "type"
	}
	return ""
}
