package exec

import (
	"fmt"
	"slices"
	"strings"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// addConstraints adds the clauses that wait: checks and keys first, foreign keys, which may
// point to the table itself, last.
func (w *tableWork) addConstraints() error {
	defs := w.defs
	w.defs = nil
	for _, foreign := range []bool{false, true} {
		for _, p := range defs {
			if (p.def.Kind == 'f') != foreign {
				continue
			}
			if err := w.addConstraint(p); err != nil {
				return err
			}
		}
		if !foreign {
			if err := w.addCopies(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *tableWork) addConstraint(p pendingConstraint) error {
	def := p.def
	if def.Name != "" && def.Kind != 'n' {
		if have := constraintNamed(w.rel, def.Name); have != nil && def.Kind != 'c' {
			return w.constraintExists(have.Name)
		}
		w.names[def.Name] = true
	}
	switch def.Kind {
	case 'c':
		return w.addCheck(p)
	case 'p', 'u':
		return w.addKey(p)
	case 'f':
		return w.addForeignKey(p)
	}
	return pgerr.Unsupported("this kind of constraint is not supported")
}

func (w *tableWork) newConstraint(c catalog.Constraint) (*catalog.Constraint, error) {
	var err error
	if c.OID, err = w.d.view.NewOID(); err != nil {
		return nil, err
	}
	w.names[c.Name] = true
	w.rel.Constraints = append(w.rel.Constraints, c)
	return &w.rel.Constraints[len(w.rel.Constraints)-1], nil
}

func (w *tableWork) addCheck(p pendingConstraint) error {
	s, err := w.d.bind.Store(plan.StoredRequest{Kind: plan.StoredCheck, Raw: p.def.Check, Table: w.rel, Column: p.column})
	if err != nil {
		return err
	}
	if have := constraintNamed(w.rel, p.def.Name); have != nil {
		return w.mergeCheck(have, s.Encoded, p.inherited, p.def.NoInherit, !p.def.NotValid)
	}
	name := p.def.Name
	if name == "" {
		second := ""
		if len(s.Columns) == 1 {
			second = w.rel.Columns[s.Columns[0]-1].Name
		}
		name = w.d.constraintNameFor(w.rel.Name, second, "check", w.rel.Schema, w.names)
	}
	if _, err := w.newConstraint(catalog.Constraint{
		Name: name, Kind: 'c', Columns: s.Columns, Expr: s.Encoded, Validated: w.create || !p.def.NotValid, NoInherit: p.def.NoInherit, Depends: s.Depends,
	}); err != nil {
		return err
	}
	if !w.create && !p.def.NotValid {
		w.checks, w.checkOf = append(w.checks, s), append(w.checkOf, name)
	}
	return nil
}

func (w *tableWork) constraintExists(name string) error {
	return pgerr.New(pgerr.DuplicateObject, "constraint \"%s\" for relation \"%s\" already exists", name, w.rel.Name)
}

// mergeCheck makes a check one with the one of its name, which the table has from a parent, or, when it comes from a
// parent itself, which the table has in any way.
func (w *tableWork) mergeCheck(have *catalog.Constraint, expr []byte, inherited, noInherit, valid bool) error {
	same := false
	if have.Kind == 'c' {
		var err error
		if same, err = w.sameExpr(have.Expr, expr); err != nil {
			return err
		}
	}
	refuse := func(what string) error {
		return pgerr.New(pgerr.InvalidObjectDefinition, "constraint \"%s\" conflicts with %s constraint on relation \"%s\"", have.Name, what, w.rel.Name)
	}
	switch {
	case !same, !inherited && (!have.Inherited || have.Local):
		return w.constraintExists(have.Name)
	case have.NoInherit:
		return refuse("non-inherited")
	case have.Inherited && noInherit:
		return refuse("inherited")
	case valid && !have.Validated:
		return refuse("NOT VALID")
	}
	w.d.notice(pgerr.SuccessfulCompletion, "merging constraint \"%s\" with inherited definition", have.Name)
	if inherited {
		have.Local, have.Inherited = have.Local || !have.Inherited, true
	} else {
		have.Local = true
	}
	return nil
}

// addKey adds PRIMARY KEY or UNIQUE with the index behind it.
func (w *tableWork) addKey(p pendingConstraint) error {
	def, r := p.def, w.rel
	primary := def.Kind == 'p'
	if primary && slices.ContainsFunc(r.Constraints, func(c catalog.Constraint) bool { return c.Kind == 'p' }) {
		return pgerr.New(pgerr.InvalidTableDefinition, "multiple primary keys for table \"%s\" are not allowed", r.Name)
	}
	if def.UsingIndex != "" {
		return w.adoptIndex(def)
	}
	nums, err := w.keyColumns(def)
	if err != nil {
		return err
	}
	spec := indexSpec{unique: true, primary: primary, comment: p.comment, notDistinct: def.NullsNotDistinct, immediate: !def.Deferrable, name: def.Name}
	for _, n := range nums {
		c := &r.Columns[n-1]
		spec.keys = append(spec.keys, catalog.IndexKey{Column: n, Type: c.Type, Collation: c.Collation, Name: c.Name})
	}
	if spec.include, err = w.includeColumns(def.Include); err != nil {
		return err
	}
	if spec.options, err = indexOptions("btree", def.Options); err != nil {
		return err
	}
	if spec.name == "" {
		second, label := indexNamePart(spec.keys, def.Include), "key"
		if primary {
			second, label = "", "pkey"
		}
		spec.name = w.d.relationNameFor(r.Name, second, label, r.Schema, true, w.names)
	}
	spec.face = primary && !def.Deferrable && slices.Equal(r.StorageKey, nums)
	c, err := w.newConstraint(catalog.Constraint{
		Name: spec.name, Kind: def.Kind, Columns: nums, Validated: true, Deferrable: def.Deferrable, Deferred: def.Deferred,
	})
	if err != nil {
		return err
	}
	spec.constraint = c.OID
	i, err := w.addIndex(spec)
	if err != nil {
		return err
	}
	constraintNamed(r, spec.name).Index = i.OID
	return nil
}

// adoptIndex is ADD CONSTRAINT … USING INDEX.
func (w *tableWork) adoptIndex(def *plan.ConstraintDef) error {
	i := w.d.view.IndexByName(w.rel.Schema, def.UsingIndex)
	switch {
	case i == nil:
		return pgerr.New(pgerr.UndefinedObject, "index \"%s\" does not exist", def.UsingIndex).At(def.Pos)
	case i.Table != w.rel.OID:
		return pgerr.New(pgerr.ObjectNotInPrerequisiteState, "index \"%s\" does not belong to table \"%s\"", i.Name, w.rel.Name).At(def.Pos)
	case i.Constraint != 0:
		return pgerr.New(pgerr.ObjectNotInPrerequisiteState, "index \"%s\" is already associated with a constraint", i.Name).At(def.Pos)
	case !i.Unique:
		return pgerr.New(pgerr.WrongObjectType, "\"%s\" is not a unique index", i.Name).
			WithDetail("Cannot create a primary key or unique constraint using such an index.").At(def.Pos)
	case i.Predicate != nil:
		return pgerr.New(pgerr.WrongObjectType, "\"%s\" is a partial index", i.Name).
			WithDetail("Cannot create a primary key or unique constraint using such an index.").At(def.Pos)
	}
	var nums []int16
	for _, k := range i.Keys {
		if k.Column == 0 {
			return pgerr.New(pgerr.WrongObjectType, "index \"%s\" contains expressions", i.Name).
				WithDetail("Cannot create a primary key or unique constraint using such an index.").At(def.Pos)
		}
		nums = append(nums, k.Column)
		if def.Kind == 'p' {
			w.rel.Columns[k.Column-1].NotNull = true
		}
	}
	name := def.Name
	if name == "" {
		name = i.Name
	}
	c, err := w.newConstraint(catalog.Constraint{
		Name: name, Kind: def.Kind, Columns: nums, Validated: true, Deferrable: def.Deferrable, Deferred: def.Deferred, Index: i.OID,
	})
	if err != nil {
		return err
	}
	if err := w.d.view.LockObject(w.d.ctx, catalog.ClassIndex, i.OID); err != nil {
		return err
	}
	adopted := *i
	adopted.Constraint, adopted.Primary, adopted.Immediate = c.OID, def.Kind == 'p', !def.Deferrable
	if name != i.Name {
		w.d.notice(pgerr.SuccessfulCompletion, "ALTER TABLE / ADD CONSTRAINT USING INDEX will rename index \"%s\" to \"%s\"", i.Name, name)
		adopted.Name = name
	}
	if def.Deferrable { // entries of another form
		if err := w.d.rt.Txn.DropStore(engine.StoreID(i.Store)); err != nil {
			return err
		}
		adopted.Store = uint64(w.d.view.NewStore())
		if err := w.d.makeIndexStore(w.rel, &adopted); err != nil {
			return err
		}
		w.unfilled = append(w.unfilled, &adopted)
	}
	w.indexes = append(w.indexes, &adopted)
	return nil
}

func (w *tableWork) includeColumns(names []string) ([]int16, error) {
	var nums []int16
	for _, name := range names {
		c := columnNamed(w.rel, name)
		if c == nil {
			return nil, pgerr.New(pgerr.UndefinedColumn, "column \"%s\" does not exist", name)
		}
		nums = append(nums, c.Num)
	}
	return nums, nil
}

// addForeignKey adds FOREIGN KEY … REFERENCES.
func (w *tableWork) addForeignKey(p pendingConstraint) error {
	def, d := p.def, w.d
	ref := w.rel
	if o := d.find(catalog.ClassRelation, def.RefTable); o == nil || o.Head().OID != w.rel.OID {
		isSelf := o == nil && def.RefTable.Name == w.rel.Name && (def.RefTable.Schema == "" || d.view.SchemaName(w.rel.Schema) == def.RefTable.Schema)
		if !isSelf {
			var err error
			if ref, err = d.lockRelation(def.RefTable, engine.LockShareRowExclusive); err != nil {
				return err
			}
		}
	}
	if ref.Kind != catalog.KindTable {
		return pgerr.New(pgerr.WrongObjectType, "referenced relation \"%s\" is not a table", ref.Name)
	}
	if err := foreignPersistence(w.rel, ref); err != nil {
		return err
	}
	if err := refuseReference(ref); err != nil {
		return err
	}
	c := catalog.Constraint{
		Kind: 'f', Validated: w.create || !def.NotValid, Deferrable: def.Deferrable, Deferred: def.Deferred, RefTable: ref.OID,
		OnUpdate: def.OnUpdate, OnDelete: def.OnDelete, Match: def.Match,
	}
	for _, name := range def.Columns {
		col := columnNamed(w.rel, name)
		if col == nil {
			return pgerr.New(pgerr.UndefinedColumn, "column \"%s\" referenced in foreign key constraint does not exist", name)
		}
		c.Columns = append(c.Columns, col.Num)
	}
	for _, name := range def.SetColumns {
		col := columnNamed(w.rel, name)
		if col == nil {
			return pgerr.New(pgerr.UndefinedColumn, "column \"%s\" referenced in foreign key constraint does not exist", name)
		}
		if !slices.Contains(c.Columns, col.Num) {
			return pgerr.New(pgerr.InvalidColumnReference, "column \"%s\" referenced in ON DELETE SET action must be part of foreign key", name)
		}
		if !slices.Contains(c.SetColumns, col.Num) {
			c.SetColumns = append(c.SetColumns, col.Num)
		}
	}
	if err := w.referencedKey(def, ref, &c); err != nil {
		return err
	}
	if err := w.generatedActions(&c); err != nil {
		return err
	}
	c.Name = def.Name
	if c.Name == "" {
		c.Name = d.constraintNameFor(w.rel.Name, strings.Join(def.Columns, "_"), "fkey", w.rel.Schema, w.names)
	}
	if err := w.equalOperators(ref, &c); err != nil {
		return err
	}
	_, err := w.newConstraint(c)
	return err
}

// generatedActions refuses actions that would set a generated column.
func (w *tableWork) generatedActions(c *catalog.Constraint) error {
	for _, n := range c.Columns {
		if w.rel.Columns[n-1].Generated == 0 {
			continue
		}
		clause := ""
		switch {
		case strings.IndexByte("ndc", c.OnUpdate) >= 0:
			clause = "ON UPDATE"
		case strings.IndexByte("nd", c.OnDelete) >= 0:
			clause = "ON DELETE"
		default:
			continue
		}
		return pgerr.New(pgerr.SyntaxError, "invalid %s action for foreign key constraint containing generated column", clause)
	}
	return nil
}

func foreignPersistence(r, ref *catalog.Relation) error {
	switch {
	case r.Persistence == 'p' && ref.Persistence != 'p':
		return pgerr.New(pgerr.InvalidTableDefinition, "constraints on permanent tables may reference only permanent tables")
	case r.Persistence == 'u' && ref.Persistence == 't':
		return pgerr.New(pgerr.InvalidTableDefinition, "constraints on unlogged tables may reference only permanent or unlogged tables")
	case r.Persistence == 't' && ref.Persistence != 't':
		return pgerr.New(pgerr.InvalidTableDefinition, "constraints on temporary tables may reference only temporary tables")
	}
	return nil
}

// referencedKey finds the key of the referenced table: the primary key, or the one that
// has exactly the named columns.
func (w *tableWork) referencedKey(def *plan.ConstraintDef, ref *catalog.Relation, c *catalog.Constraint) error {
	if len(def.RefColumns) == 0 {
		for i := range ref.Constraints {
			if k := &ref.Constraints[i]; k.Kind == 'p' {
				c.RefColumns, c.Index = k.Columns, k.Index
				return w.sameCount(c)
			}
		}
		return pgerr.New(pgerr.UndefinedObject, "there is no primary key for referenced table \"%s\"", ref.Name)
	}
	for _, name := range def.RefColumns {
		col := columnNamed(ref, name)
		if col == nil {
			return pgerr.New(pgerr.UndefinedColumn, "column \"%s\" referenced in foreign key constraint does not exist", name)
		}
		if slices.Contains(c.RefColumns, col.Num) {
			return pgerr.New(pgerr.InvalidForeignKey, "foreign key referenced-columns list must not contain duplicates")
		}
		c.RefColumns = append(c.RefColumns, col.Num)
	}
	if err := w.sameCount(c); err != nil {
		return err
	}
	want := slices.Sorted(slices.Values(c.RefColumns))
	deferrable := false
	for _, i := range w.indexesOf(ref) {
		if !i.Unique || i.Predicate != nil || len(i.Keys) != len(want) || !i.Valid {
			continue
		}
		var have []int16
		for _, k := range i.Keys {
			have = append(have, k.Column)
		}
		slices.Sort(have)
		if !slices.Equal(have, want) {
			continue
		}
		if !i.Immediate {
			deferrable = true
			continue
		}
		c.Index = i.OID
		return nil
	}
	if deferrable {
		return pgerr.New(pgerr.ObjectNotInPrerequisiteState, "cannot use a deferrable unique constraint for referenced table \"%s\"", ref.Name)
	}
	return pgerr.New(pgerr.InvalidForeignKey, "there is no unique constraint matching given keys for referenced table \"%s\"", ref.Name)
}

// indexesOf returns a table's indexes, with those that this statement is making.
func (w *tableWork) indexesOf(r *catalog.Relation) []*catalog.Index {
	list := w.d.view.IndexesOf(r)
	if r.OID == w.rel.OID {
		list = append(list, w.indexes...)
	}
	return list
}

func (w *tableWork) sameCount(c *catalog.Constraint) error {
	if len(c.Columns) != len(c.RefColumns) {
		return pgerr.New(pgerr.InvalidForeignKey, "number of referencing and referenced columns for foreign key disagree")
	}
	return nil
}

// equalOperators finds the operators that compare the referenced with the referencing columns.
func (w *tableWork) equalOperators(ref *catalog.Relation, c *catalog.Constraint) error {
	env := w.d.env
	for i := range c.Columns {
		from, to := &w.rel.Columns[c.Columns[i]-1], &ref.Columns[c.RefColumns[i]-1]
		a, _ := env.BaseType(to.Type, -1)
		b, _ := env.BaseType(from.Type, -1)
		op := functions.FindOperator("=", a, b)
		if op == nil && (a == b || functions.BinaryCoercible(env, b, a) || implicit(b, a)) {
			op = functions.EqualityOp(env, a)
		}
		if op == nil {
			return pgerr.New(pgerr.DatatypeMismatch, "foreign key constraint \"%s\" cannot be implemented", c.Name).
				WithDetail("Key columns \"%s\" and \"%s\" are of incompatible types: %s and %s.", from.Name, to.Name,
					env.FormatType(from.Type, from.Typmod), env.FormatType(to.Type, to.Typmod))
		}
		c.EqualOps = append(c.EqualOps, op.OID)
	}
	return nil
}

func implicit(source, target OID) bool {
	c, ok := functions.Cast(source, target)
	return ok && c.Context == 'i'
}

// String forms of constraint kinds, for messages.
func constraintLabel(c *catalog.Constraint, table string) string {
	return fmt.Sprintf("constraint %s on table %s", c.Name, table)
}
