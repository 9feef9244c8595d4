package exec

import (
	"slices"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// maxColumns is PostgreSQL's limit on the columns of a table.
const maxColumns = 1600

// tableWork is a table that CREATE or ALTER TABLE is changing: a private copy of its
// descriptor with everything that is written when the statement is done.
type tableWork struct {
	d        *ddl
	rel      *catalog.Relation
	create   bool                // the table is new: no rows to look at
	indexes  []*catalog.Index    // new and changed ones
	unfilled []*catalog.Index    // of indexes, those without their entries
	names    map[string]bool     // constraint and relation names given in this statement
	defaults []pendingDefault    // DEFAULT and GENERATED clauses, bound once all columns exist
	defs     []pendingConstraint // constraints, in order
	copies   []indexSpec         // indexes of LIKE's tables, to be named
	checks   []*plan.Stored      // new checks that existing rows must pass, with
	checkOf  []string            // their names
	written  int                 // columns that the statement has itself, so far
	// conflicts are the columns whose parents have different defaults.
	conflicts map[string]bool
}

type pendingDefault struct {
	attr int
	raw  plan.RawExpr
	gen  bool
}

type pendingConstraint struct {
	def    *plan.ConstraintDef
	column string // the column that it was written with
	// inherited: it follows from what a parent got.
	inherited bool
	comment   string // on its index
}

func (d *ddl) createTable(c *plan.CreateTable) error {
	if c.OfType != nil {
		return pgerr.Unsupported("typed tables are not supported")
	}
	schema, temp, err := d.creationSchema(c.Name, c.Persistence == 't')
	if err != nil {
		return err
	}
	if ok, err := d.claimRelationName(schema, c.Name.Name, c.IfNotExists); !ok {
		return err
	}
	persist := c.Persistence
	if temp {
		persist = 't'
	}
	options, err := tableOptions(c.Options)
	if err != nil {
		return err
	}
	w := &tableWork{d: d, create: true, names: map[string]bool{c.Name.Name: true}, rel: &catalog.Relation{
		Meta: catalog.Meta{Name: c.Name.Name, Schema: schema, Owner: d.bind.User()},
		Kind: catalog.KindTable, Persistence: persist, OnCommit: c.OnCommit, Options: options, ReplIdent: 'd',
	}}
	for _, def := range c.Columns { // sequences come before the table whose columns they are made for
		if def.Type.Serial != "" || def.Identity != 0 {
			oid, err := d.view.NewOID()
			if err != nil {
				return err
			}
			d.reserved = append(d.reserved, oid)
		}
	}
	if w.rel.OID, err = d.view.NewOID(); err != nil {
		return err
	}
	if err := w.inherit(c.Inherits); err != nil {
		return err
	}
	cols, likes := c.Columns, c.Like
	for _, kind := range c.Order {
		if kind == 'c' {
			err = w.addColumn(cols[0])
			cols = cols[1:]
		} else {
			err = w.like(likes[0])
			likes = likes[1:]
		}
		if err != nil {
			return err
		}
	}
	for _, def := range c.Constraints {
		w.defs = append(w.defs, pendingConstraint{def: def})
	}
	if err := w.settled(); err != nil {
		return err
	}
	return w.finishCreate()
}

// finishCreate gives a new table its row type, store, defaults, constraints and indexes.
func (w *tableWork) finishCreate() error {
	d, r := w.d, w.rel
	if err := d.checkRetention(r); err != nil {
		return err
	}
	if err := w.bindDefaults(); err != nil {
		return err
	}
	if err := w.primaryKeyFirst(); err != nil {
		return err
	}
	if err := d.makeRowType(r); err != nil {
		return err
	}
	r.Store = uint64(d.view.NewStore())
	r.HiddenRowID = len(r.StorageKey) == 0
	if err := d.rt.Txn.CreateStore(catalog.TableStore(d.env, r)); err != nil {
		return err
	}
	if err := w.addConstraints(); err != nil {
		return err
	}
	return w.save()
}

// save writes the descriptors of the table and its new indexes.
func (w *tableWork) save() error {
	if err := w.d.put(w.rel); err != nil {
		return err
	}
	for _, i := range w.indexes {
		if err := w.d.put(i); err != nil {
			return err
		}
	}
	return nil
}

// makeRowType makes the composite type of a relation's row and the array type over it.
func (d *ddl) makeRowType(r *catalog.Relation) error {
	t := &catalog.Type{
		Meta: catalog.Meta{Name: r.Name, Schema: r.Schema, Owner: r.Owner, Internal: r.Kind != catalog.KindComposite},
		Kind: 'c', Relation: r.OID, Category: 'C', BaseTypmod: -1,
	}
	if err := d.makeType(t); err != nil {
		return err
	}
	r.RowType = t.OID
	return nil
}

// makeType stores a new type and the array type over it.
func (d *ddl) makeType(t *catalog.Type) error {
	taken, err := d.claimName(catalog.ClassType, t.Schema, t.Name)
	if err != nil {
		return err
	}
	if taken {
		old := d.view.TypeByName(t.Schema, t.Name)
		if old.Kind != 'b' || !old.Internal {
			return pgerr.New(pgerr.DuplicateObject, "type \"%s\" already exists", t.Name)
		}
		// An array type gives way: it gets another name.
		moved := *old
		if moved.Name, err = d.arrayName(t.Schema, t.Name[1:], t.Name); err != nil {
			return err
		}
		if err := d.put(&moved); err != nil {
			return err
		}
	}
	if t.OID, err = d.view.NewOID(); err != nil {
		return err
	}
	array := &catalog.Type{
		Meta: catalog.Meta{Schema: t.Schema, Owner: t.Owner, Internal: true},
		Kind: 'b', Elem: t.OID, Category: 'A', BaseTypmod: -1, Collation: t.Collation,
	}
	if array.OID, err = d.view.NewOID(); err != nil {
		return err
	}
	if array.Name, err = d.arrayName(t.Schema, t.Name, ""); err != nil {
		return err
	}
	t.Array = array.OID
	if err := d.put(t); err != nil {
		return err
	}
	return d.put(array)
}

// arrayName chooses the name of the array type over a type: underscores before its name.
func (d *ddl) arrayName(schema OID, elem, not string) (string, error) {
	prefix := "_"
	for {
		name := prefix + clip(elem, maxName-len(prefix))
		taken, err := d.claimName(catalog.ClassType, schema, name)
		if err != nil {
			return "", err
		}
		if !taken && name != not {
			return name, nil
		}
		prefix += "_"
	}
}

// addColumn appends a column as written. Its default and constraints wait in the work.
func (w *tableWork) addColumn(c *plan.ColumnDef) error {
	d, r := w.d, w.rel
	if err := d.checkColumnType(c); err != nil {
		return err
	}
	col := catalog.Column{
		Name: c.Name, Type: c.Type.Type.OID, Typmod: c.Type.Type.Typmod, Collation: c.Collation,
		NotNull: c.NotNull || c.Identity != 0, Identity: c.Identity, Dims: int16(c.Dims),
	}
	if c.Compression != "" {
		if err := d.setCompression(&col, c.Compression); err != nil {
			return err
		}
	}
	attr, err := w.placeColumn(col)
	if err != nil {
		return err
	}
	if r.Columns[attr].Generated != 0 { // by a parent
		switch {
		case c.Generated != nil:
			return generatedAgain(c.Name)
		case c.Default != nil || c.Type.Serial != "":
			return pgerr.New(pgerr.InvalidColumnDefinition, "column \"%s\" inherits from generated column but specifies default", c.Name)
		case c.Identity != 0:
			return pgerr.New(pgerr.InvalidColumnDefinition, "column \"%s\" inherits from generated column but specifies identity", c.Name)
		}
	}
	if c.Default != nil || c.Generated != nil {
		delete(w.conflicts, c.Name)
	}
	switch {
	case c.Type.Serial != "" || c.Identity != 0:
		if err := w.ownSequence(attr, c); err != nil {
			return err
		}
	case c.Generated != nil:
		r.Columns[attr].Generated = 's'
		w.defaults = append(w.defaults, pendingDefault{attr, c.Generated, true})
	case c.Default != nil:
		w.defaults = append(w.defaults, pendingDefault{attr, c.Default, false})
	}
	for _, def := range c.Constraints {
		w.defs = append(w.defs, pendingConstraint{def: def, column: c.Name})
	}
	return nil
}

// checkColumnType refuses types that values in tables cannot have.
func (d *ddl) checkColumnType(c *plan.ColumnDef) error {
	t := d.env.Type(c.Type.Type.OID)
	switch {
	case t == nil:
		return pgerr.New(pgerr.UndefinedObject, "type with OID %d does not exist", c.Type.Type.OID)
	case t.TypType == 'p' && t.Category == 'P' && d.view.Type(t.OID) != nil:
		return pgerr.New(pgerr.WrongObjectType, "type \"%s\" is only a shell", t.Name)
	case t.TypType == 'p':
		return pgerr.New(pgerr.InvalidTableDefinition, "column \"%s\" has pseudo-type %s", c.Name, d.env.FormatType(t.OID, -1))
	}
	if err := d.mayUseType(t.OID); err != nil {
		return err
	}
	shown := t // of an array its elements
	if e := d.env.Type(t.Elem); t.IsArray() && e != nil {
		shown = e
	}
	if err := d.env.CanOut(shown.OID); err != nil && shown.OID < catalog.FirstUserOID { // no value of it could ever be stored
		return err
	}
	if c.Identity != 0 {
		switch c.Type.Type.OID {
		case 20, 21, 23:
		default:
			return pgerr.New(pgerr.InvalidParameterValue, "identity column type must be smallint, integer, or bigint")
		}
	}
	return nil
}

// placeColumn merges a column with an inherited one of its name, or appends it; it returns its place.
func (w *tableWork) placeColumn(c catalog.Column) (int, error) {
	if w.create {
		if at, err := w.mergeColumn(c); at >= 0 || err != nil {
			return at, err
		}
	}
	return len(w.rel.Columns), w.appendColumn(c)
}

// appendColumn gives a column the next number.
func (w *tableWork) appendColumn(c catalog.Column) error {
	r := w.rel
	switch {
	case systemColumns[c.Name] && r.Kind != catalog.KindView && r.Kind != catalog.KindComposite:
		return pgerr.New(pgerr.DuplicateColumn, "column name \"%s\" conflicts with a system column name", c.Name)
	case columnNamed(r, c.Name) != nil:
		return pgerr.New(pgerr.DuplicateColumn, "column \"%s\" specified more than once", c.Name)
	case len(r.Columns) >= maxColumns:
		return pgerr.New(pgerr.TooManyColumns, "tables can have at most %d columns", maxColumns)
	}
	c.Num = int16(len(r.Columns) + 1)
	c.StatTgt = -1
	if t := w.d.env.Type(c.Type); t != nil && c.Storage == 0 {
		c.Storage = t.Storage
	}
	r.Columns = append(r.Columns, c)
	return nil
}

// bindDefaults binds the DEFAULT and GENERATED clauses of the new columns.
func (w *tableWork) bindDefaults() error {
	for _, p := range w.defaults {
		c := &w.rel.Columns[p.attr]
		req := plan.StoredRequest{
			Kind: plan.StoredDefault, Raw: p.raw, Column: c.Name,
			Type: plan.Type{OID: c.Type, Typmod: c.Typmod, Collation: c.Collation},
		}
		if p.gen {
			req.Kind, req.Table = plan.StoredGenerated, w.rel
		}
		s, err := w.d.bind.Store(req)
		if err != nil {
			return err
		}
		c.Default, c.Depends = s.Encoded, s.Depends
		if !p.gen && isNullConst(s.Expr) {
			c.Default, c.Depends = nil, nil
		}
	}
	w.defaults = nil
	return nil
}

func isNullConst(e plan.Expr) bool {
	c, ok := e.(*plan.Const)
	return ok && c.Value.Null
}

// primaryKeyFirst finds the primary key among the clauses of a new table: its columns are
// NOT NULL and, unless it is deferrable, the order that rows are stored in.
func (w *tableWork) primaryKeyFirst() error {
	var key *plan.ConstraintDef
	for _, p := range w.defs {
		if p.def.Kind != 'p' {
			continue
		}
		if key != nil {
			return pgerr.New(pgerr.InvalidTableDefinition, "multiple primary keys for table \"%s\" are not allowed", w.rel.Name).At(p.def.Pos)
		}
		key = p.def
	}
	if key == nil || key.UsingIndex != "" {
		return nil
	}
	nums, err := w.keyColumns(key)
	if err != nil {
		return err
	}
	for _, n := range nums {
		w.rel.Columns[n-1].NotNull = true
	}
	if !key.Deferrable {
		w.rel.StorageKey = nums
	}
	return nil
}

// keyColumns resolves the columns of PRIMARY KEY or UNIQUE.
func (w *tableWork) keyColumns(def *plan.ConstraintDef) ([]int16, error) {
	what := "primary key"
	if def.Kind == 'u' {
		what = "unique"
	}
	var nums []int16
	for _, name := range def.Columns {
		c := columnNamed(w.rel, name)
		switch {
		case c != nil:
		case def.Added && def.Kind == 'p':
			return nil, undefinedColumn(name, w.rel.Name)
		case def.Added:
			return nil, pgerr.New(pgerr.UndefinedColumn, "column \"%s\" named in key does not exist", name)
		default:
			return nil, pgerr.New(pgerr.UndefinedColumn, "column \"%s\" named in key does not exist", name).At(def.Pos)
		}
		if slices.Contains(nums, c.Num) {
			return nil, pgerr.New(pgerr.DuplicateColumn, "column \"%s\" appears twice in %s constraint", name, what).At(def.Pos)
		}
		if err := w.d.orderable(c.Type); err != nil {
			return nil, err
		}
		nums = append(nums, c.Num)
	}
	return nums, nil
}

// orderable refuses key columns of types without an order.
func (d *ddl) orderable(typ OID) error {
	base, _ := d.env.BaseType(typ, -1)
	if d.env.Orderable(base) {
		return nil
	}
	return pgerr.New(pgerr.UndefinedObject, "data type %s has no default operator class for access method \"btree\"", d.env.FormatType(typ, -1)).
		WithHint("You must specify an operator class for the index or define a default operator class for the data type.")
}

// tableOptions checks WITH (…) and returns it as reloptions. The options that tune
// PostgreSQL's heap are kept and shown; they have nothing to act on here.
func tableOptions(opts []plan.Option) ([]string, error) {
	var list []string
	for _, o := range opts {
		if o.Namespace == "" && o.Name == "oids" {
			if on, err := o.Bool(); err != nil || on {
				return nil, pgerr.New(pgerr.FeatureNotSupported, "tables declared WITH OIDS are not supported")
			}
			continue
		}
		if text := retentionOption(o); text != "" {
			list = append(list, text)
			continue
		}
		if o.Namespace != "" && o.Namespace != "toast" {
			return nil, pgerr.New(pgerr.InvalidParameterValue, "unrecognized parameter namespace \"%s\"", o.Namespace)
		}
		if !heapOptions[o.Name] {
			return nil, pgerr.New(pgerr.InvalidParameterValue, "unrecognized parameter \"%s\"", o.Name)
		}
		text := plan.OptionText(o.Value)
		if o.Name == "fillfactor" {
			n, err := o.Int()
			if err != nil {
				return nil, pgerr.New(pgerr.InvalidParameterValue, "invalid value for integer option \"fillfactor\": %s", text)
			}
			if n < 10 || n > 100 {
				return nil, pgerr.New(pgerr.InvalidParameterValue, "value %s out of bounds for option \"fillfactor\"", text).
					WithDetail("Valid values are between \"10\" and \"100\".")
			}
		}
		list = append(list, o.Name+"="+text)
	}
	return list, nil
}

var heapOptions = map[string]bool{
	"fillfactor": true, "parallel_workers": true, "toast_tuple_target": true, "user_catalog_table": true,
	"vacuum_truncate": true, "vacuum_index_cleanup": true, "log_autovacuum_min_duration": true, "autovacuum_enabled": true,
	"autovacuum_vacuum_threshold": true, "autovacuum_vacuum_insert_threshold": true,
	"autovacuum_vacuum_insert_scale_factor": true, "autovacuum_analyze_threshold": true,
	"autovacuum_vacuum_cost_delay": true, "autovacuum_vacuum_cost_limit": true, "autovacuum_vacuum_scale_factor": true,
	"autovacuum_analyze_scale_factor": true, "autovacuum_freeze_min_age": true, "autovacuum_freeze_max_age": true,
	"autovacuum_freeze_table_age": true, "autovacuum_multixact_freeze_min_age": true,
	"autovacuum_multixact_freeze_max_age": true, "autovacuum_multixact_freeze_table_age": true,
}
