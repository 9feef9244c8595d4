package exec

import (
	"cmp"
	"slices"
	"strings"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// alterWork is a tableWork on an existing table, with what its rows must go through.
type alterWork struct {
	*tableWork
	old     *catalog.Relation
	rewrite bool                   // every row is written anew, to new stores
	only    bool                   // ALTER TABLE ONLY
	keyed   bool                   // StorageKey was decided anew
	values  map[int]*plan.Stored   // attribute → its new value over the old row
	fill    map[int]*plan.Stored   // attribute → its value in rows that have none yet
	notNull []int16                // columns that must hold no NULL
	foreign []string               // foreign keys that rows must satisfy
	later   []func() error         // run after the table's descriptor is stored
	exprs   map[int16]struct{}     // columns whose type changed
	rebound map[OID]*catalog.Index // indexes whose expressions were bound anew
}

// alter starts the change of an existing table, whose descriptor was read under LockObject.
func (d *ddl) alter(r *catalog.Relation) *alterWork {
	return &alterWork{
		tableWork: &tableWork{d: d, rel: cloneRelation(r), names: map[string]bool{}}, old: r,
		values: map[int]*plan.Stored{}, fill: map[int]*plan.Stored{}, exprs: map[int16]struct{}{},
	}
}

// alterPass orders the subcommands of one ALTER TABLE, as PostgreSQL's passes do.
func alterPass(action string) int {
	switch action {
	case "drop_column", "drop_constraint":
		return 0
	case "alter_column_type":
		return 1
	case "add_column":
		return 3
	case "add_constraint", "add_index":
		return 6
	case "column_default", "drop_expression":
		return 5
	case "set_not_null", "add_identity", "set_identity", "drop_identity":
		return 4
	}
	return 7
}

// alterLock is the lock that a table's subcommands need: most keep everybody away, some only
// other changes of the table, or writers.
func alterLock(a *plan.AlterTable) engine.TableLockMode {
	mode := engine.LockShareUpdateExclusive
	for _, c := range a.Commands {
		switch c.Action {
		case "validate_constraint", "set_rel_options", "reset_rel_options", "cluster_on", "drop_cluster", "set_statistics":
			continue
		case "add_constraint":
			if c.Constraint != nil && c.Constraint.Kind == 'f' {
				mode = max(mode, engine.LockShareRowExclusive)
				continue
			}
		}
		return engine.LockAccessExclusive
	}
	return mode
}

func (d *ddl) alterTable(a *plan.AlterTable) error {
	if a.Kind == "type" {
		return d.alterComposite(a)
	}
	if err := d.mayOwnBefore(a.Name); err != nil {
		return err
	}
	o, err := d.lockNamed(a.Name, alterLock(a))
	if err != nil {
		return err
	}
	if o == nil {
		if a.Name.Schema != "" && d.view.SchemaByName(a.Name.Schema) == nil && !a.IfExists {
			return pgerr.New(pgerr.InvalidSchemaName, "schema \"%s\" does not exist", a.Name.Schema)
		}
		if a.IfExists {
			d.notice(pgerr.SuccessfulCompletion, "relation \"%s\" does not exist, skipping", a.Name)
			return nil
		}
		return undefinedRelation(a.Name)
	}
	switch o := o.(type) {
	case *catalog.Relation:
		if err := d.notInUse(o, "ALTER TABLE"); err != nil {
			return err
		}
		d.family = d.descendants(o.OID, nil)
		return d.alterRelation(a, o)
	case *catalog.Index:
		return d.alterIndex(a, o)
	case *catalog.Sequence:
		return d.alterSequenceCommands(a, o)
	}
	return nil
}

func (d *ddl) alterRelation(a *plan.AlterTable, r *catalog.Relation) error {
	switch {
	case r.Kind == catalog.KindVirtual:
		return pgerr.New(pgerr.InsufficientPrivilege, "permission denied: \"%s\" is a system catalog", r.Name)
	case a.Kind == "view" && r.Kind != catalog.KindView, a.Kind == "materialized view" && r.Kind != catalog.KindMatView,
		a.Kind == "index", a.Kind == "sequence":
		return pgerr.New(pgerr.WrongObjectType, "\"%s\" is not a %s", r.Name, a.Kind)
	case r.Kind == catalog.KindComposite:
		return pgerr.New(pgerr.WrongObjectType, "\"%s\" is a composite type", r.Name).WithHint("Use ALTER TYPE instead.")
	}
	cmds := slices.Clone(a.Commands)
	slices.SortStableFunc(cmds, func(x, y *plan.AlterCommand) int { return cmp.Compare(alterPass(x.Action), alterPass(y.Action)) })
	for start := 0; start < len(cmds); {
		// Subcommands that take other objects with them come first and are finished, so that the
		// rest sees the table without them.
		w := d.alter(d.view.Relation(r.OID))
		w.only = a.Only
		end := start
		for end < len(cmds) && (alterPass(cmds[end].Action) == 0) == (alterPass(cmds[start].Action) == 0) {
			if err := w.command(cmds[end]); err != nil {
				return err
			}
			end++
			if alterPass(cmds[start].Action) == 0 {
				break
			}
		}
		if err := w.finishAlter(); err != nil {
			return err
		}
		start = end
	}
	if r.Kind == catalog.KindTable {
		return d.alterChildren(a, r)
	}
	return nil
}

// onlyTables are the subcommands that materialized views refuse.
var onlyTables = map[string]bool{"add_column": true, "drop_column": true, "alter_column_type": true, "column_default": true, "set_not_null": true,
	"drop_not_null": true, "add_constraint": true, "drop_constraint": true, "validate_constraint": true, "alter_constraint": true,
	"add_identity": true, "set_identity": true, "drop_identity": true, "drop_expression": true, "add_inherit": true, "drop_inherit": true}

// command applies one subcommand.
func (w *alterWork) command(c *plan.AlterCommand) error {
	if w.rel.Kind == catalog.KindView && c.Action != "column_default" && c.Action != "change_owner" &&
		c.Action != "set_rel_options" && c.Action != "reset_rel_options" {
		return pgerr.New(pgerr.WrongObjectType, "ALTER action %s cannot be performed on relation \"%s\"", actionText(c.Action), w.rel.Name).
			WithDetail("This operation is not supported for views.")
	}
	if w.rel.Kind == catalog.KindMatView && onlyTables[c.Action] {
		return pgerr.New(pgerr.WrongObjectType, "ALTER action %s cannot be performed on relation \"%s\"", actionText(c.Action), w.rel.Name).
			WithDetail("This operation is not supported for materialized views.")
	}
	switch c.Action {
	case "add_column":
		return w.alterAddColumn(c)
	case "drop_column":
		return w.alterDropColumn(c)
	case "add_constraint":
		return w.alterAddConstraint(c)
	case "drop_constraint":
		return w.alterDropConstraint(c)
	case "validate_constraint":
		return w.validate(c)
	case "alter_constraint":
		return w.alterConstraint(c)
	case "alter_column_type":
		return w.alterType(c)
	case "add_inherit", "drop_inherit":
		return w.alterInherit(c)
	case "change_owner":
		role := w.d.view.RoleByName(c.Role)
		if role == nil {
			return undefinedRole(c.Role)
		}
		if err := w.d.mayGive(w.rel, role); err != nil {
			return err
		}
		giveTo(w.rel, role.OID)
		return w.ownerOfParts(role.OID)
	case "set_rel_options":
		return w.setOptions(c.Options)
	case "reset_rel_options":
		return w.resetOptions(c.Options)
	case "enable_row_security", "force_row_security": // without policies it would protect nothing
		return pgerr.Unsupported("row-level security is not supported")
	case "disable_row_security", "no_force_row_security":
	case "enable_trig_user", "disable_trig_user", "enable_trig_all": // there are only those of foreign keys, and they are on
	case "disable_trig_all":
		return w.disableTriggers()
	case "enable_trig", "enable_always_trig", "enable_replica_trig", "disable_trig":
		return pgerr.New(pgerr.UndefinedObject, "trigger \"%s\" for table \"%s\" does not exist", c.Name, w.rel.Name)
	case "enable_rule", "enable_always_rule", "enable_replica_rule", "disable_rule":
		return pgerr.New(pgerr.UndefinedObject, "rule \"%s\" for relation \"%s\" does not exist", c.Name, w.rel.Name)
	case "set_table_space":
		if c.Name != "pg_default" {
			return pgerr.New(pgerr.UndefinedObject, "tablespace \"%s\" does not exist", c.Name)
		}
	case "replica_identity":
		return w.replicaIdentity(letterOf(c.Role, 'd'), c.Name)
	case "cluster_on", "drop_cluster":
		return w.clusterOn(c)
	case "set_logged", "set_un_logged":
		if w.rel.Persistence == 't' {
			return pgerr.New(pgerr.InvalidTableDefinition, "cannot change logged status of table \"%s\" because it is temporary", w.rel.Name)
		}
		w.rel.Persistence = 'p'
		if c.Action == "set_un_logged" {
			w.rel.Persistence = 'u'
		}
		return w.persistenceOfSequences()
	default:
		return w.columnCommand(c)
	}
	return nil
}

func letterOf(s string, otherwise byte) byte {
	if s == "" {
		return otherwise
	}
	return s[0]
}

// columnCommand applies a subcommand on an existing column.
func (w *alterWork) columnCommand(c *plan.AlterCommand) error {
	switch c.Action {
	case "column_default", "set_not_null", "drop_not_null", "add_identity", "set_identity", "drop_identity",
		"drop_expression", "set_statistics", "set_storage", "set_options", "reset_options", "set_compression":
	default:
		return pgerr.Unsupported("ALTER TABLE … %s is not supported", actionText(c.Action))
	}
	if systemColumns[c.Name] {
		return pgerr.New(pgerr.FeatureNotSupported, "cannot alter system column \"%s\"", c.Name)
	}
	col := columnNamed(w.rel, c.Name)
	if col == nil {
		return undefinedColumn(c.Name, w.rel.Name)
	}
	switch c.Action {
	case "column_default":
		return w.setDefault(col, c)
	case "set_not_null":
		if !col.NotNull {
			col.NotNull = true
			w.notNull = append(w.notNull, col.Num)
		}
	case "drop_not_null":
		if slices.Contains(w.primaryColumns(), col.Num) {
			return pgerr.New(pgerr.InvalidTableDefinition, "column \"%s\" is in a primary key", col.Name)
		}
		if col.Identity != 0 {
			return pgerr.New(pgerr.SyntaxError, "column \"%s\" of relation \"%s\" is an identity column", col.Name, w.rel.Name)
		}
		col.NotNull = false
	case "add_identity":
		return w.addIdentity(col, c)
	case "set_identity":
		return w.setIdentity(col, c)
	case "drop_identity":
		return w.dropIdentity(col, c)
	case "drop_expression":
		if !c.Inherited {
			if err := w.dropsExpressionAlone(col); err != nil {
				return err
			}
		}
		if col.Generated == 0 {
			if c.Missing {
				w.d.notice(pgerr.SuccessfulCompletion, "column \"%s\" of relation \"%s\" is not a stored generated column, skipping", col.Name, w.rel.Name)
				return nil
			}
			return pgerr.New(pgerr.ObjectNotInPrerequisiteState, "column \"%s\" of relation \"%s\" is not a stored generated column", col.Name, w.rel.Name)
		}
		col.Generated, col.Default, col.Depends = 0, nil, nil
	case "set_statistics":
		if len(c.Options) > 0 {
			n, err := c.Options[0].Int()
			if err != nil {
				return err
			}
			col.StatTgt = int32(n)
		}
	case "set_storage":
		return w.setStorage(col, plan.OptionText(c.Options[0].Value))
	case "set_options", "reset_options":
		return setColumnOptions(col, c.Options, c.Action == "reset_options")
	case "set_compression":
		return w.d.setCompression(col, plan.OptionText(c.Options[0].Value))
	}
	return nil
}

func actionText(action string) string {
	switch action {
	case "set_not_null":
		return "ALTER COLUMN ... SET NOT NULL"
	case "drop_not_null":
		return "ALTER COLUMN ... DROP NOT NULL"
	case "alter_column_type":
		return "ALTER COLUMN ... SET DATA TYPE"
	}
	return strings.ToUpper(strings.ReplaceAll(action, "_", " "))
}

func (w *alterWork) primaryColumns() []int16 {
	for _, c := range w.rel.Constraints {
		if c.Kind == 'p' {
			return c.Columns
		}
	}
	return nil
}

func (w *alterWork) setDefault(col *catalog.Column, c *plan.AlterCommand) error {
	switch {
	case col.Identity != 0:
		err := pgerr.New(pgerr.SyntaxError, "column \"%s\" of relation \"%s\" is an identity column", col.Name, w.rel.Name)
		if c.Expr == nil {
			err.WithHint("Use ALTER TABLE ... ALTER COLUMN ... DROP IDENTITY instead.")
		}
		return err
	case col.Generated != 0:
		err := pgerr.New(pgerr.SyntaxError, "column \"%s\" of relation \"%s\" is a generated column", col.Name, w.rel.Name)
		if c.Expr == nil {
			err.WithHint("Use ALTER TABLE ... ALTER COLUMN ... DROP EXPRESSION instead.")
		}
		return err
	case c.Expr == nil:
		col.Default, col.Depends = nil, nil
		return nil
	}
	w.defaults = append(w.defaults, pendingDefault{int(col.Num) - 1, c.Expr, false})
	return w.bindDefaults()
}

func (w *alterWork) addIdentity(col *catalog.Column, c *plan.AlterCommand) error {
	def := *c.Column
	def.Type.Type = plan.Type{OID: col.Type, Typmod: -1}
	if err := w.d.checkColumnType(&def); err != nil {
		return err
	}
	switch {
	case !col.NotNull:
		return pgerr.New(pgerr.ObjectNotInPrerequisiteState, "column \"%s\" of relation \"%s\" must be declared NOT NULL before identity can be added", col.Name, w.rel.Name)
	case col.Identity != 0:
		return pgerr.New(pgerr.ObjectNotInPrerequisiteState, "column \"%s\" of relation \"%s\" is already an identity column", col.Name, w.rel.Name)
	case col.Default != nil:
		return pgerr.New(pgerr.ObjectNotInPrerequisiteState, "column \"%s\" of relation \"%s\" already has a default value", col.Name, w.rel.Name)
	}
	col.Identity = def.Identity
	return w.ownSequence(int(col.Num)-1, &def)
}

func notIdentity(col *catalog.Column, r *catalog.Relation) error {
	return pgerr.New(pgerr.ObjectNotInPrerequisiteState, "column \"%s\" of relation \"%s\" is not an identity column", col.Name, r.Name)
}

func (w *alterWork) setIdentity(col *catalog.Column, c *plan.AlterCommand) error {
	if col.Identity == 0 {
		return notIdentity(col, w.rel)
	}
	var rest []plan.Option
	for _, o := range c.Options {
		if o.Name == "generated" {
			if n, err := o.Int(); err == nil {
				col.Identity = byte(n)
			} else {
				col.Identity = letterOf(plan.OptionText(o.Value), 'a')
			}
			continue
		}
		rest = append(rest, o)
	}
	if len(rest) == 0 {
		return nil
	}
	if err := w.d.view.LockObject(w.d.ctx, catalog.ClassSequence, col.Sequence); err != nil {
		return err
	}
	return w.d.changeSequence(w.d.view.Sequence(col.Sequence), rest)
}

func (w *alterWork) dropIdentity(col *catalog.Column, c *plan.AlterCommand) error {
	if col.Identity == 0 {
		if c.Missing {
			w.d.notice(pgerr.SuccessfulCompletion, "column \"%s\" of relation \"%s\" is not an identity column, skipping", col.Name, w.rel.Name)
			return nil
		}
		return notIdentity(col, w.rel)
	}
	seq := w.d.view.Sequence(col.Sequence)
	col.Identity, col.Default, col.Depends, col.Sequence = 0, nil, nil, 0
	w.later = append(w.later, func() error {
		g := w.d.newDropping()
		return w.d.dropAll(g, []dropPart{{object: seq}}, w.d.describe(seq), false)
	})
	return nil
}

// alterAddColumn adds a column. Existing rows read a default that cannot change as the
// column's missing value; any other default is computed for every row.
func (w *alterWork) alterAddColumn(c *plan.AlterCommand) error {
	def := c.Column
	if have := columnNamed(w.rel, def.Name); have != nil && c.Inherited {
		if have.Type != def.Type.Type.OID || have.Typmod != def.Type.Type.Typmod {
			return pgerr.New(pgerr.DatatypeMismatch, "child table \"%s\" has different type for column \"%s\"", w.rel.Name, def.Name)
		}
		w.d.notice(pgerr.SuccessfulCompletion, "merging definition of column \"%s\" for child \"%s\"", def.Name, w.rel.Name)
		have.Local, have.Inherited = have.Local || !have.Inherited, true
		return nil
	} else if have != nil {
		if c.Missing {
			w.d.notice(pgerr.DuplicateColumn, "column \"%s\" of relation \"%s\" already exists, skipping", def.Name, w.rel.Name)
			return nil
		}
		return pgerr.New(pgerr.DuplicateColumn, "column \"%s\" of relation \"%s\" already exists", def.Name, w.rel.Name)
	}
	if err := w.addColumn(def); err != nil {
		return err
	}
	at := len(w.rel.Columns) - 1
	req := plan.StoredRequest{Kind: plan.StoredDefault, Raw: def.Default, Column: def.Name, Type: def.Type.Type}
	if def.Generated != nil {
		req.Kind, req.Raw, req.Table = plan.StoredGenerated, def.Generated, w.rel
	}
	if req.Raw != nil {
		s, err := w.d.bind.Store(req)
		if err != nil {
			return err
		}
		if err := w.fillColumn(at, s, def.Generated != nil); err != nil {
			return err
		}
	}
	if err := w.bindDefaults(); err != nil {
		return err
	}
	col := &w.rel.Columns[at]
	col.Inherited = c.Inherited
	if col.Sequence != 0 {
		w.rewrite = true
		w.fill[at] = &plan.Stored{Expr: &plan.NextValue{
			Base: plan.Base{Typ: plan.Type{OID: col.Type, Typmod: -1}, Pos: -1}, Sequence: col.Sequence,
		}}
	}
	if w.d.env.Type(col.Type).TypType == 'd' && req.Raw == nil {
		if err := w.domainDefault(at); err != nil {
			return err
		}
	}
	if col.NotNull && !w.create {
		w.notNull = append(w.notNull, col.Num)
	}
	return w.pendingConstraints()
}

// fillColumn decides how existing rows get the value of a new column.
func (w *alterWork) fillColumn(at int, s *plan.Stored, generated bool) error {
	if generated || s.Mutable == 'v' {
		w.rewrite = true
		if !generated {
			w.fill[at] = s
		}
		return nil
	}
	st := newState(w.d.rt, &plan.Statement{})
	x, err := st.compile(s.Expr)
	if err != nil {
		return err
	}
	v, err := x.row(&row{})
	if err != nil {
		return err
	}
	if !v.Null {
		col := &w.rel.Columns[at]
		col.Missing, col.HasMissing = v.Clone(), true
	}
	return nil
}

// pendingConstraints adds the constraints that a column was written with.
func (w *alterWork) pendingConstraints() error {
	defs := w.defs
	w.defs = nil
	for _, p := range defs {
		if err := w.addOne(p); err != nil {
			return err
		}
	}
	return nil
}

func (w *alterWork) alterAddConstraint(c *plan.AlterCommand) error {
	before := len(w.rel.Constraints)
	err := w.addOne(pendingConstraint{def: c.Constraint, inherited: c.Inherited})
	if err == nil && c.Inherited && len(w.rel.Constraints) > before {
		w.rel.Constraints[before].Inherited = true
	}
	return err
}

// addOne adds a constraint to a table that may have rows.
func (w *alterWork) addOne(p pendingConstraint) error {
	if p.def.Kind == 'p' && p.def.UsingIndex == "" {
		nums, err := w.keyColumns(p.def)
		if err != nil {
			return err
		}
		for _, n := range nums {
			if c := &w.rel.Columns[n-1]; !c.NotNull {
				c.NotNull = true
				w.notNull = append(w.notNull, n)
			}
		}
		// A table that was made without a key takes the order of this one.
		if !p.def.Deferrable && len(w.rel.StorageKey) == 0 && w.rel.Kind == catalog.KindTable {
			w.rekey(nums)
		}
	}
	before := len(w.rel.Constraints)
	if err := w.addConstraint(p); err != nil {
		return err
	}
	if len(w.rel.Constraints) > before {
		if c := &w.rel.Constraints[before]; c.Kind == 'f' && !p.def.NotValid {
			w.foreign = append(w.foreign, c.Name)
		}
	}
	return nil
}

// rekey changes what rows are keyed by; no columns mean a hidden row id.
func (w *alterWork) rekey(nums []int16) {
	w.rel.StorageKey, w.rel.HiddenRowID = nums, len(nums) == 0
	w.rewrite, w.keyed = true, true
}

func (w *alterWork) validate(c *plan.AlterCommand) error {
	con := constraintNamed(w.rel, c.Name)
	if con == nil {
		return pgerr.New(pgerr.UndefinedObject, "constraint \"%s\" of relation \"%s\" does not exist", c.Name, w.rel.Name)
	}
	if con.Kind != 'f' && con.Kind != 'c' {
		return pgerr.New(pgerr.WrongObjectType, "constraint \"%s\" of relation \"%s\" is not a foreign key or check constraint", c.Name, w.rel.Name)
	}
	if con.Validated {
		return nil
	}
	con.Validated = true
	if con.Kind == 'f' {
		w.foreign = append(w.foreign, con.Name)
		return nil
	}
	e, err := w.d.bind.DecodeExpr(con.Expr)
	w.checks, w.checkOf = append(w.checks, &plan.Stored{Expr: e}), append(w.checkOf, con.Name)
	return err
}

func (w *alterWork) alterConstraint(c *plan.AlterCommand) error {
	con := constraintNamed(w.rel, c.Constraint.Name)
	if con == nil {
		return pgerr.New(pgerr.UndefinedObject, "constraint \"%s\" of relation \"%s\" does not exist", c.Constraint.Name, w.rel.Name)
	}
	if con.Kind != 'f' {
		return pgerr.New(pgerr.WrongObjectType, "constraint \"%s\" of relation \"%s\" is not a foreign key constraint", con.Name, w.rel.Name)
	}
	con.Deferrable, con.Deferred = c.Constraint.Deferrable, c.Constraint.Deferred
	return nil
}

func (w *alterWork) alterDropColumn(c *plan.AlterCommand) error {
	if systemColumns[c.Name] {
		return pgerr.New(pgerr.FeatureNotSupported, "cannot drop system column \"%s\"", c.Name)
	}
	col := columnNamed(w.rel, c.Name)
	if col == nil {
		if c.Missing {
			w.d.notice(pgerr.SuccessfulCompletion, "column \"%s\" of relation \"%s\" does not exist, skipping", c.Name, w.rel.Name)
			return nil
		}
		return undefinedColumn(c.Name, w.rel.Name)
	}
	if col.Inherited && !c.Inherited {
		return pgerr.New(pgerr.InvalidTableDefinition, "cannot drop inherited column \"%s\"", c.Name)
	}
	if keep, ok := w.rel.Retention(); ok && keep.Column == col.Name {
		return pgerr.New(pgerr.DependentObjectsStillExist, "cannot drop column \"%s\" because the retention of table \"%s\" depends on it", col.Name, w.rel.Name).
			WithHint("Reset the table's options \"%s\" and \"%s\" first.", catalog.RetentionTTL, catalog.RetentionColumn)
	}
	return w.dropParts(dropPart{object: w.old, column: col.Num}, c.Cascade)
}

func (w *alterWork) alterDropConstraint(c *plan.AlterCommand) error {
	if constraintNamed(w.rel, c.Name) == nil {
		if c.Missing {
			w.d.notice(pgerr.SuccessfulCompletion, "constraint \"%s\" of relation \"%s\" does not exist, skipping", c.Name, w.rel.Name)
			return nil
		}
		return pgerr.New(pgerr.UndefinedObject, "constraint \"%s\" of relation \"%s\" does not exist", c.Name, w.rel.Name)
	}
	if constraintNamed(w.rel, c.Name).Inherited && !c.Inherited {
		return pgerr.New(pgerr.InvalidTableDefinition, "cannot drop inherited constraint \"%s\" of relation \"%s\"", c.Name, w.rel.Name)
	}
	return w.dropParts(dropPart{object: w.old, constraint: c.Name}, c.Cascade)
}

// dropParts drops a part of the table with what depends on it. The table's descriptor is
// changed on the way, so the work has nothing left to store.
func (w *alterWork) dropParts(p dropPart, cascade bool) error {
	g := w.d.newDropping()
	if err := w.d.dropAll(g, []dropPart{p}, g.describe(p), cascade); err != nil {
		return err
	}
	w.rel = nil
	return nil
}

// setOptions changes reloptions.
func (w *alterWork) setOptions(opts []plan.Option) error {
	list, err := tableOptions(opts)
	if w.rel.Kind == catalog.KindView {
		list, err = viewOptions(opts)
	}
	if err != nil {
		return err
	}
	w.rel.Options = mergeOptions(w.rel.Options, list, false)
	return nil
}

// resetOptions takes reloptions away. Names that no option has are none that is set.
func (w *alterWork) resetOptions(opts []plan.Option) error {
	var list []string
	for _, o := range opts {
		if o.Value != nil {
			return pgerr.New(pgerr.SyntaxError, "RESET must not include values for parameters")
		}
		name := o.Name
		if o.Namespace != "" && o.Namespace != "toast" { // as tableOptions names them
			name = o.Namespace + "." + name
		}
		list = append(list, name+"=")
	}
	w.rel.Options = mergeOptions(w.rel.Options, list, true)
	return nil
}

// dropsExpressionAlone refuses DROP EXPRESSION where a parent or the children of a table would keep theirs.
func (w *alterWork) dropsExpressionAlone(col *catalog.Column) error {
	switch {
	case w.only && len(w.d.view.Children(w.rel.OID)) > 0:
		return pgerr.New(pgerr.FeatureNotSupported, "ALTER TABLE / DROP EXPRESSION must be applied to child tables too")
	case col.Inherited:
		return pgerr.New(pgerr.InvalidTableDefinition, "cannot drop generation expression from inherited column")
	}
	return nil
}

// storageNames are the ways in which PostgreSQL may keep long values, as attstorage has them. They are kept and
// shown: the engine has its own way.
var storageNames = map[byte]string{'p': "PLAIN", 'm': "MAIN", 'x': "EXTENDED", 'e': "EXTERNAL"}

func (w *alterWork) setStorage(col *catalog.Column, name string) error {
	for letter, known := range storageNames {
		if !strings.EqualFold(known, name) {
			continue
		}
		if t := w.d.env.Type(col.Type); letter != 'p' && t != nil && t.Storage == 'p' {
			return pgerr.New(pgerr.FeatureNotSupported, "column data type %s can only have storage PLAIN", w.d.env.FormatType(col.Type, -1))
		}
		col.Storage = letter
		return nil
	}
	return pgerr.New(pgerr.InvalidParameterValue, "invalid storage type \"%s\"", name)
}

// setCompression notes how PostgreSQL would compress a column's values; it tunes PostgreSQL's own storage, and dumps keep it.
func (d *ddl) setCompression(col *catalog.Column, name string) error {
	if t := d.env.Type(col.Type); name != "default" && t != nil && t.Storage == 'p' {
		return pgerr.New(pgerr.FeatureNotSupported, "column data type %s does not support compression", d.env.FormatType(col.Type, -1))
	}
	switch name {
	case "default":
		col.Compression = 0
	case "pglz", "lz4":
		col.Compression = name[0]
	default:
		return pgerr.New(pgerr.InvalidParameterValue, "invalid compression method \"%s\"", name)
	}
	return nil
}

// persistenceOfSequences has the sequences that the table owns logged as it is.
func (w *alterWork) persistenceOfSequences() error {
	for _, o := range w.d.view.Dependents(catalog.ClassRelation, w.rel.OID) {
		s, ok := o.(*catalog.Sequence)
		if !ok || s.OwnerTable != w.rel.OID {
			continue
		}
		if err := w.d.view.LockObject(w.d.ctx, catalog.ClassSequence, s.OID); err != nil {
			return err
		}
		next := *w.d.view.Sequence(s.OID)
		next.Persistence = w.rel.Persistence
		if err := w.d.put(&next); err != nil {
			return err
		}
	}
	return nil
}

func mergeOptions(have, change []string, reset bool) []string {
	for _, o := range change {
		name, _, _ := strings.Cut(o, "=")
		have = slices.DeleteFunc(slices.Clone(have), func(h string) bool { return strings.HasPrefix(h, name+"=") })
		if !reset {
			have = append(have, o)
		}
	}
	return have
}

// ownerOfParts gives the owner's indexes and sequences to a table's new owner.
func (w *alterWork) ownerOfParts(owner OID) error {
	give := func(o catalog.Object) error {
		if err := w.d.view.LockObject(w.d.ctx, o.Class(), o.Head().OID); err != nil {
			return err
		}
		next := copyObject(w.d.view.Get(o.Class(), o.Head().OID))
		giveTo(next, owner)
		return w.d.put(next)
	}
	for _, o := range w.d.view.Dependents(catalog.ClassRelation, w.rel.OID) {
		switch o.(type) {
		case *catalog.Index, *catalog.Sequence, *catalog.Type:
		default:
			continue
		}
		if err := give(o); err != nil {
			return err
		}
		if t, ok := o.(*catalog.Type); ok && t.Array != 0 {
			if err := give(w.d.view.Type(t.Array)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *alterWork) clusterOn(c *plan.AlterCommand) error {
	found := c.Action == "drop_cluster"
	for _, i := range w.d.view.IndexesOf(w.rel) {
		on := c.Action == "cluster_on" && i.Name == c.Name
		found = found || on
		if i.Clustered != on {
			next := *i
			next.Clustered = on
			w.indexes = append(w.indexes, &next)
		}
	}
	if !found {
		return pgerr.New(pgerr.UndefinedObject, "index \"%s\" for table \"%s\" does not exist", c.Name, w.rel.Name)
	}
	return nil
}
