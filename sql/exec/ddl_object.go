package exec

import (
	"slices"
	"strings"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/privilege"
)

// copyObject returns a changeable copy of a descriptor.
func copyObject(o catalog.Object) catalog.Object {
	switch o := o.(type) {
	case *catalog.Relation:
		return cloneRelation(o)
	case *catalog.Index:
		c := *o
		c.Keys = slices.Clone(o.Keys)
		return &c
	case *catalog.Sequence:
		c := *o
		return &c
	case *catalog.Type:
		c := *o
		c.Checks = slices.Clone(o.Checks)
		return &c
	case *catalog.Schema:
		c := *o
		return &c
	case *catalog.Function:
		c := *o
		return &c
	case *catalog.Role:
		c := *o
		return &c
	case *catalog.Database:
		c := *o
		return &c
	case *catalog.Extension:
		c := *o
		return &c
	case *catalog.BuiltinACL:
		c := *o
		return &c
	}
	panic("exec: cannot copy this class of object")
}

// object finds and locks the object that ALTER, COMMENT or GRANT names, and returns a copy to
// change; nil when it is missing and may be.
func (d *ddl) object(kind plan.ObjectKind, ref plan.ObjectRef, ifExists bool) (catalog.Object, error) {
	return d.objectLocked(kind, ref, ifExists, engine.LockAccessExclusive)
}

// objectLocked is object with another lock of relations. One that lets readers and writers
// go on is taken of an index without its table.
func (d *ddl) objectLocked(kind plan.ObjectKind, ref plan.ObjectRef, ifExists bool, mode engine.TableLockMode) (catalog.Object, error) {
	var o catalog.Object
	var err error
	missing := pgerr.New(pgerr.UndefinedObject, "%s \"%s\" does not exist", kind, ref.Name)
	switch kind {
	case "table", "view", "materialized view", "index", "sequence", "column", "constraint", "foreign table":
		missing = pgerr.New(pgerr.UndefinedTable, "relation \"%s\" does not exist", ref.Name)
		if d.lockless {
			d.view.Refresh()
			o = d.find(catalog.ClassRelation, ref.Name)
		} else {
			o, err = d.lockNamed(ref.Name, mode)
		}
		if err == nil && o != nil {
			err = relationKindIs(kind, o)
		}
	case "type", "domain", "attribute", "domain constraint":
		missing = pgerr.New(pgerr.UndefinedObject, "type \"%s\" does not exist", ref.Name)
		o = d.find(catalog.ClassType, ref.Name)
	case "schema":
		missing = pgerr.New(pgerr.InvalidSchemaName, "schema \"%s\" does not exist", ref.Name)
		o = orNil(d.view.SchemaByName(ref.Name.Name))
	case "role":
		missing = pgerr.New(pgerr.UndefinedObject, "role \"%s\" does not exist", ref.Name)
		o = orNil(d.view.RoleByName(ref.Name.Name))
	case "database":
		missing = pgerr.New(pgerr.InvalidCatalogName, "database \"%s\" does not exist", ref.Name)
		o = orNil(d.view.DatabaseByName(ref.Name.Name))
	case "extension":
		o = d.view.ByName(catalog.ClassExtension, 0, ref.Name.Name)
	case "function", "procedure", "routine", "aggregate":
		f, e := d.functionNamed(string(kind), ref)
		if e != nil {
			return nil, e
		}
		o = f
	default:
		return nil, pgerr.Unsupported("objects of kind %s are not supported here", kind)
	}
	if err != nil {
		return nil, err
	}
	if o == nil {
		if ref.Name.Schema != "" && d.view.SchemaByName(ref.Name.Schema) == nil {
			missing = pgerr.New(pgerr.InvalidSchemaName, "schema \"%s\" does not exist", ref.Name.Schema)
		}
		if ifExists {
			d.notice(pgerr.SuccessfulCompletion, "%s, skipping", missing.Message)
			return nil, nil
		}
		return nil, missing
	}
	if err := d.view.LockObject(d.ctx, o.Class(), o.Head().OID); err != nil {
		return nil, err
	}
	if o = d.view.Get(o.Class(), o.Head().OID); o == nil {
		return nil, missing
	}
	return copyObject(o), nil
}

// orNil keeps a nil pointer from becoming an object.
func orNil[T interface {
	comparable
	catalog.Object
}](o T) catalog.Object {
	var none T
	if o == none {
		return nil
	}
	return o
}

func relationKindIs(kind plan.ObjectKind, o catalog.Object) error {
	if r, ok := o.(*catalog.Relation); ok && r.Kind == catalog.KindVirtual {
		return pgerr.New(pgerr.InsufficientPrivilege, "permission denied: \"%s\" is a system catalog", r.Name)
	}
	word := objectWord(o)
	if kind == "column" || kind == "constraint" || kind == "table" || string(kind) == word {
		return nil // ALTER TABLE works on every kind of relation
	}
	article := "a"
	if kind == "index" {
		article = "an"
	}
	return pgerr.New(pgerr.WrongObjectType, "\"%s\" is not %s %s", o.Head().Name, article, kind)
}

func (d *ddl) rename(r *plan.Rename) error {
	if r.Kind == "statistics" {
		return d.changeStatistics(r.Object.Name, r.IfExists, func(s *catalog.ExtendedStatistic) error {
			if d.findExtended(s.Schema, r.New) {
				return pgerr.New(pgerr.DuplicateObject, "statistics object \"%s\" already exists in schema \"%s\"", r.New, d.view.SchemaName(s.Schema))
			}
			s.Name = r.New
			return nil
		})
	}
	mode := engine.LockAccessExclusive
	if r.Kind == "index" {
		mode = engine.LockShareUpdateExclusive
	}
	o, err := d.objectLocked(r.Kind, r.Object, r.IfExists, mode)
	if o == nil {
		return err
	}
	switch r.Kind {
	case "column", "attribute":
		return d.renameColumn(o, r)
	case "constraint", "domain constraint":
		return d.renameConstraint(o, r)
	}
	h := o.Head()
	if h.OID < catalog.FirstUserOID && h.OID != catalog.Public && o.Class() != catalog.ClassDatabase && o.Class() != catalog.ClassRole {
		return pgerr.New(pgerr.InsufficientPrivilege, "permission denied: \"%s\" is a system catalog", h.Name)
	}
	taken, err := d.claimName(o.Class(), h.Schema, r.New)
	if err != nil {
		return err
	}
	if taken && o.Class() != catalog.ClassFunction {
		return alreadyExists(o, r.New)
	}
	if s, ok := o.(*catalog.Schema); ok && strings.HasPrefix(r.New, "pg_") {
		return pgerr.New(pgerr.ReservedName, "unacceptable schema name \"%s\"", r.New).WithDetail("The prefix \"pg_\" is reserved for system schemas.").WithTable(s.Name, "")
	}
	old := h.Name
	h.Name = r.New
	if err := d.put(o); err != nil {
		return err
	}
	return d.renameParts(o, old, r.New)
}

func alreadyExists(o catalog.Object, name string) error {
	switch o.Class() {
	case catalog.ClassRelation, catalog.ClassIndex, catalog.ClassSequence:
		return pgerr.New(pgerr.DuplicateTable, "relation \"%s\" already exists", name)
	case catalog.ClassSchema:
		return pgerr.New(pgerr.DuplicateSchema, "schema \"%s\" already exists", name)
	case catalog.ClassDatabase:
		return pgerr.New(pgerr.DuplicateDatabase, "database \"%s\" already exists", name)
	case catalog.ClassRole:
		return pgerr.New(pgerr.DuplicateObject, "role \"%s\" already exists", name)
	}
	return pgerr.New(pgerr.DuplicateObject, "%s \"%s\" already exists", objectWord(o), name)
}

// renameParts renames what bears an object's name: the row type of a relation, the relation of
// a composite type, the array type, the constraint behind an index.
func (d *ddl) renameParts(o catalog.Object, old, name string) error {
	switch o := o.(type) {
	case *catalog.Relation:
		return d.renameType(d.view.Type(o.RowType), name)
	case *catalog.Type:
		if r := d.view.Relation(o.Relation); r != nil && r.Name == old {
			next := cloneRelation(r)
			next.Name = name
			if err := d.put(next); err != nil {
				return err
			}
		}
		return d.renameArray(o, name)
	case *catalog.Index:
		r := d.view.Relation(o.Table)
		if o.Constraint == 0 || r == nil {
			return nil
		}
		if err := d.view.LockObject(d.ctx, catalog.ClassRelation, r.OID); err != nil {
			return err
		}
		next := cloneRelation(d.view.Relation(r.OID))
		for i := range next.Constraints {
			if next.Constraints[i].OID == o.Constraint {
				next.Constraints[i].Name = name
			}
		}
		return d.put(next)
	}
	return nil
}

func (d *ddl) renameType(t *catalog.Type, name string) error {
	if t == nil {
		return nil
	}
	taken, err := d.claimName(catalog.ClassType, t.Schema, name)
	if err != nil {
		return err
	}
	if taken {
		return pgerr.New(pgerr.DuplicateObject, "type \"%s\" already exists", name)
	}
	next := *t
	next.Name = name
	if err := d.put(&next); err != nil {
		return err
	}
	return d.renameArray(&next, name)
}

func (d *ddl) renameArray(t *catalog.Type, name string) error {
	array := d.view.Type(t.Array)
	if array == nil {
		return nil
	}
	next := *array
	var err error
	if next.Name, err = d.arrayName(t.Schema, name, ""); err != nil {
		return err
	}
	return d.put(&next)
}

func (d *ddl) renameColumn(o catalog.Object, r *plan.Rename) error {
	rel, ok := o.(*catalog.Relation)
	if t, isType := o.(*catalog.Type); isType {
		rel, ok = cloneRelation(d.view.Relation(t.Relation)), t.Relation != 0
	}
	if !ok || rel == nil {
		return pgerr.New(pgerr.WrongObjectType, "cannot rename columns of relation \"%s\"", o.Head().Name)
	}
	c := columnNamed(rel, r.Old)
	switch {
	case systemColumns[r.Old]:
		return pgerr.New(pgerr.FeatureNotSupported, "cannot rename system column \"%s\"", r.Old)
	case c == nil:
		return pgerr.New(pgerr.UndefinedColumn, "column \"%s\" does not exist", r.Old)
	case systemColumns[r.New] && rel.Kind == catalog.KindTable:
		return pgerr.New(pgerr.DuplicateColumn, "column name \"%s\" conflicts with a system column name", r.New)
	case columnNamed(rel, r.New) != nil:
		return pgerr.New(pgerr.DuplicateColumn, "column \"%s\" of relation \"%s\" already exists", r.New, rel.Name)
	}
	if c.Inherited && !r.Inherited {
		return pgerr.New(pgerr.InvalidTableDefinition, "cannot rename inherited column \"%s\"", r.Old)
	}
	if !r.Inherited {
		if err := d.renamable(rel, r.Old); err != nil {
			return err
		}
	}
	if keep, ok := rel.Retention(); ok && keep.Column == r.Old {
		rel.SetRetentionColumn(r.New)
	}
	c.Name = r.New
	num := c.Num
	if err := d.put(rel); err != nil {
		return err
	}
	if err := d.renameInherited(rel, r); err != nil {
		return err
	}
	for _, i := range d.view.IndexesOf(rel) { // an index's own attributes follow
		next := copyObject(i).(*catalog.Index)
		changed := false
		for n := range next.Keys {
			if k := &next.Keys[n]; k.Column == num && k.Name == r.Old {
				k.Name, changed = r.New, true
			}
		}
		if changed {
			if err := d.view.LockObject(d.ctx, catalog.ClassIndex, i.OID); err != nil {
				return err
			}
			if err := d.put(next); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *ddl) renameConstraint(o catalog.Object, r *plan.Rename) error {
	if t, ok := o.(*catalog.Type); ok {
		i := slices.IndexFunc(t.Checks, func(c catalog.Constraint) bool { return c.Name == r.Old })
		if i < 0 {
			return pgerr.New(pgerr.UndefinedObject, "constraint \"%s\" for domain %s does not exist", r.Old, t.Name)
		}
		t.Checks[i].Name = r.New
		return d.put(t)
	}
	rel, ok := o.(*catalog.Relation)
	if !ok {
		return pgerr.New(pgerr.WrongObjectType, "\"%s\" is not a table", o.Head().Name)
	}
	c := constraintNamed(rel, r.Old)
	if c == nil {
		return pgerr.New(pgerr.UndefinedObject, "constraint \"%s\" for table \"%s\" does not exist", r.Old, rel.Name)
	}
	if constraintNamed(rel, r.New) != nil {
		return pgerr.New(pgerr.DuplicateObject, "constraint \"%s\" for relation \"%s\" already exists", r.New, rel.Name)
	}
	c.Name = r.New
	index := OID(0)
	if c.Kind != 'f' {
		index = c.Index
	}
	if err := d.put(rel); err != nil || index == 0 {
		return err
	}
	if _, err := d.claimRelationName(rel.Schema, r.New, false); err != nil {
		return err
	}
	if err := d.view.LockObject(d.ctx, catalog.ClassIndex, index); err != nil {
		return err
	}
	next := copyObject(d.view.Index(index))
	next.Head().Name = r.New
	return d.put(next)
}

func (d *ddl) setSchema(s *plan.SetSchema) error {
	if s.Kind == "statistics" {
		return d.changeStatistics(s.Object.Name, s.IfExists, func(x *catalog.ExtendedStatistic) error {
			to, err := d.schemaNamed(s.Schema)
			if err != nil || to.OID == x.Schema {
				return err
			}
			if d.findExtended(to.OID, x.Name) {
				return pgerr.New(pgerr.DuplicateObject, "statistics object \"%s\" already exists in schema \"%s\"", x.Name, s.Schema)
			}
			x.Schema = to.OID
			return nil
		})
	}
	o, err := d.object(s.Kind, s.Object, s.IfExists)
	if o == nil {
		return err
	}
	to, err := d.schemaNamed(s.Schema)
	if err != nil {
		return err
	}
	h := o.Head()
	if h.Schema == to.OID {
		return nil
	}
	if temp := d.view.TempSchema(); temp != 0 && (h.Schema == temp || to.OID == temp) {
		return pgerr.New(pgerr.FeatureNotSupported, "cannot move objects into or out of temporary schemas")
	}
	if seq, ok := o.(*catalog.Sequence); ok && seq.OwnerTable != 0 {
		return pgerr.New(pgerr.FeatureNotSupported, "cannot move an owned sequence into another schema").
			WithDetail("Sequence \"%s\" is linked to table \"%s\".", seq.Name, d.view.Relation(seq.OwnerTable).Name)
	}
	if t, ok := o.(*catalog.Type); ok && t.Relation != 0 {
		if r := d.view.Relation(t.Relation); r != nil && r.Kind != catalog.KindComposite {
			return pgerr.New(pgerr.WrongObjectType, "%s is a table's row type", d.env.FormatType(t.OID, -1)).WithHint("Use ALTER TABLE instead.")
		}
	}
	return d.moveTo(o, to.OID, s.Schema)
}

// moveTo moves an object and its parts to a schema.
func (d *ddl) moveTo(o catalog.Object, schema OID, name string) error {
	h := o.Head()
	taken, err := d.claimName(o.Class(), schema, h.Name)
	if err != nil {
		return err
	}
	if taken && o.Class() != catalog.ClassFunction {
		word := objectWord(o)
		code := pgerr.DuplicateObject
		if o.Class() != catalog.ClassType {
			word, code = "relation", pgerr.DuplicateTable
		}
		return pgerr.New(code, "%s \"%s\" already exists in schema \"%s\"", word, h.Name, name)
	}
	h.Schema = schema
	if err := d.put(o); err != nil {
		return err
	}
	var parts []catalog.Object
	switch o := o.(type) {
	case *catalog.Relation:
		parts = append(parts, orNil(d.view.Type(o.RowType)))
		for _, dep := range d.view.Dependents(catalog.ClassRelation, o.OID) {
			switch p := dep.(type) {
			case *catalog.Index:
				parts = append(parts, p)
			case *catalog.Sequence:
				if p.OwnerTable == o.OID {
					parts = append(parts, p)
				}
			}
		}
	case *catalog.Type:
		parts = append(parts, orNil(d.view.Type(o.Array)))
		if r := d.view.Relation(o.Relation); r != nil {
			parts = append(parts, r)
		}
	}
	for _, p := range parts {
		if p == nil || p.Head().Schema == schema {
			continue
		}
		if err := d.view.LockObject(d.ctx, p.Class(), p.Head().OID); err != nil {
			return err
		}
		if err := d.moveTo(copyObject(d.view.Get(p.Class(), p.Head().OID)), schema, name); err != nil {
			return err
		}
	}
	return nil
}

func (d *ddl) setOwner(s *plan.SetOwner) error {
	role := d.view.RoleByName(s.Owner)
	if role == nil {
		return undefinedRole(s.Owner)
	}
	if s.Kind == "statistics" {
		return d.changeStatistics(s.Object.Name, false, func(x *catalog.ExtendedStatistic) error {
			if user := d.view.Role(d.bind.User()); user != nil && !user.Superuser && !privilege.Member(d.view, user.OID, role.OID, false) {
				return pgerr.New(pgerr.InsufficientPrivilege, "must be member of role \"%s\"", role.Name)
			}
			x.Owner = role.OID
			return nil
		})
	}
	o, err := d.object(s.Kind, s.Object, false)
	if err != nil {
		return err
	}
	if err := d.mayGive(o, role); err != nil {
		return err
	}
	if r, ok := o.(*catalog.Relation); ok {
		w := d.alter(r)
		if err := w.ownerOfParts(role.OID); err != nil {
			return err
		}
	}
	giveTo(o, role.OID)
	return d.put(o)
}

// mayGive checks ALTER … OWNER TO: only owners give, and only to roles that they are.
func (d *ddl) mayGive(o catalog.Object, to *catalog.Role) error {
	user := d.view.Role(d.bind.User())
	if user == nil || user.Superuser {
		d.permitted = true
		return nil
	}
	if err := d.mustOwn(user, o); err != nil {
		return err
	}
	if !privilege.Member(d.view, user.OID, to.OID, false) {
		return pgerr.New(pgerr.InsufficientPrivilege, "must be member of role \"%s\"", to.Name)
	}
	if s := d.view.Schema(o.Head().Schema); s != nil && !privilege.May(d.view, to.OID, s, catalog.ACLCreate) {
		return pgerr.New(pgerr.InsufficientPrivilege, "permission denied for schema %s", s.Name)
	}
	d.permitted = true
	return nil
}

func (d *ddl) comment(c *plan.CommentOn) error {
	if c.Kind == "statistics" {
		return d.changeStatistics(c.Object.Name, false, func(x *catalog.ExtendedStatistic) error {
			x.Comment = ""
			if c.Comment != nil {
				x.Comment = *c.Comment
			}
			return nil
		})
	}
	o, err := d.objectLocked(c.Kind, c.Object, false, engine.LockShareUpdateExclusive)
	if err != nil {
		return err
	}
	text := ""
	if c.Comment != nil {
		text = *c.Comment
	}
	switch c.Kind {
	case "column", "attribute":
		r, ok := o.(*catalog.Relation)
		if t, isType := o.(*catalog.Type); isType && t.Relation != 0 {
			r, ok = cloneRelation(d.view.Relation(t.Relation)), true
		}
		if !ok {
			return pgerr.New(pgerr.WrongObjectType, "cannot set comment on relation \"%s\"", o.Head().Name)
		}
		col := columnNamed(r, c.Object.Sub)
		if col == nil {
			return undefinedColumn(c.Object.Sub, r.Name)
		}
		col.Comment = text
		return d.put(r)
	case "constraint":
		r, ok := o.(*catalog.Relation)
		if !ok {
			return pgerr.New(pgerr.WrongObjectType, "\"%s\" is not a table", o.Head().Name)
		}
		con := constraintNamed(r, c.Object.Sub)
		if con == nil {
			return pgerr.New(pgerr.UndefinedObject, "constraint \"%s\" for table \"%s\" does not exist", c.Object.Sub, r.Name)
		}
		con.Comment = text
		return d.put(r)
	case "domain constraint":
		t := o.(*catalog.Type)
		i := slices.IndexFunc(t.Checks, func(k catalog.Constraint) bool { return k.Name == c.Object.Sub })
		if i < 0 {
			return pgerr.New(pgerr.UndefinedObject, "constraint \"%s\" for domain %s does not exist", c.Object.Sub, t.Name)
		}
		t.Checks[i].Comment = text
		return d.put(t)
	case "table":
		if r, ok := o.(*catalog.Relation); !ok || r.Kind != catalog.KindTable {
			return pgerr.New(pgerr.WrongObjectType, "\"%s\" is not a table", o.Head().Name)
		}
	}
	o.Head().Comment = text
	return d.put(o)
}

// alterIndex is ALTER INDEX, and ALTER TABLE on an index.
func (d *ddl) alterIndex(a *plan.AlterTable, i *catalog.Index) error {
	next := copyObject(i).(*catalog.Index)
	for _, c := range a.Commands {
		switch c.Action {
		case "set_rel_options", "reset_rel_options":
			list, err := indexOptions(i.Method, c.Options)
			if err != nil {
				return err
			}
			next.Options = mergeOptions(next.Options, list, c.Action == "reset_rel_options")
		case "change_owner":
			d.send(pgerr.Notice(pgerr.SeverityWarning, pgerr.WrongObjectType, "cannot change owner of index \"%s\"", i.Name).
				WithHint("Change the ownership of the index's table instead."))
		case "set_statistics":
			r := d.view.Relation(i.Table)
			if err := indexStatistics(next, c, func(at int) string { return r.Columns[i.Include[at]-1].Name }); err != nil {
				return err
			}
		default:
			return pgerr.New(pgerr.WrongObjectType, "ALTER action %s cannot be performed on relation \"%s\"", actionText(c.Action), i.Name).
				WithDetail("This operation is not supported for indexes.")
		}
	}
	return d.put(next)
}

// indexStatistics is ALTER INDEX … ALTER COLUMN n SET STATISTICS, for keys that are expressions; included names the included columns.
func indexStatistics(x *catalog.Index, c *plan.AlterCommand, included func(at int) string) error {
	n := int(c.Num)
	switch {
	case n < 1 || n > len(x.Keys)+len(x.Include):
		return pgerr.New(pgerr.UndefinedColumn, "column number %d of relation \"%s\" does not exist", n, x.Name)
	case n > len(x.Keys):
		return pgerr.New(pgerr.FeatureNotSupported, "cannot alter statistics on included column \"%s\" of index \"%s\"",
			included(n-len(x.Keys)-1), x.Name)
	case x.Keys[n-1].Column != 0:
		return pgerr.New(pgerr.FeatureNotSupported, "cannot alter statistics on non-expression column \"%s\" of index \"%s\"", x.Keys[n-1].Name, x.Name).
			WithHint("Alter statistics on table column instead.")
	}
	if len(c.Options) == 0 {
		return nil
	}
	target, err := c.Options[0].Int()
	if err != nil {
		return err
	}
	x.Keys[n-1].StatTgt = int32(max(target, 0))
	return nil
}

// alterSequenceCommands is ALTER TABLE's OWNER TO on a sequence.
func (d *ddl) alterSequenceCommands(a *plan.AlterTable, s *catalog.Sequence) error {
	next := *s
	for _, c := range a.Commands {
		switch c.Action {
		case "change_owner":
			role := d.view.RoleByName(c.Role)
			if role == nil {
				return undefinedRole(c.Role)
			}
			if err := d.mayGive(&next, role); err != nil {
				return err
			}
			giveTo(&next, role.OID)
		case "set_logged":
			next.Persistence = 'p'
		case "set_un_logged":
			next.Persistence = 'u'
		default:
			return pgerr.New(pgerr.WrongObjectType, "ALTER action %s cannot be performed on relation \"%s\"", actionText(c.Action), s.Name).
				WithDetail("This operation is not supported for sequences.")
		}
	}
	return d.put(&next)
}
