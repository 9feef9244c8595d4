package exec

import (
	"fmt"
	"slices"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// inherit starts a table with the columns and checks of its parents. Columns of the same name are one.
func (w *tableWork) inherit(parents []plan.QName) error {
	for _, name := range parents {
		p, err := w.d.lockBaseTable(name, engine.LockShareUpdateExclusive)
		if err != nil {
			return err
		}
		if err := w.adopt(p); err != nil {
			return err
		}
		if err := w.inheritColumns(p); err != nil {
			return err
		}
		if err := w.inheritChecks(p); err != nil {
			return err
		}
	}
	return nil
}

// adopt makes p a parent, whose descriptor is written anew so that plans for it learn of the child.
func (w *tableWork) adopt(p *catalog.Relation) error {
	switch {
	case p.Persistence == 't' && w.rel.Persistence != 't':
		return pgerr.New(pgerr.WrongObjectType, "cannot inherit from temporary relation \"%s\"", p.Name)
	case slices.Contains(w.rel.Inherits, p.OID):
		return pgerr.New(pgerr.DuplicateTable, "relation \"%s\" would be inherited from more than once", p.Name)
	}
	w.rel.Inherits = append(w.rel.Inherits, p.OID)
	return w.d.put(cloneRelation(p))
}

func (w *tableWork) inheritColumns(p *catalog.Relation) error {
	moved, known := map[int]int{}, len(w.rel.Columns)
	for i := range p.Columns {
		c := p.Columns[i]
		if c.Dropped {
			continue
		}
		if have := columnNamed(w.rel, c.Name); have != nil {
			w.d.notice(pgerr.SuccessfulCompletion, "merging multiple inherited definitions of column \"%s\"", c.Name)
			if err := w.sameType("inherited column", have, &c); err != nil {
				return err
			}
			have.NotNull = have.NotNull || c.NotNull
			if have.Generated != c.Generated {
				return pgerr.New(pgerr.DatatypeMismatch, "inherited column \"%s\" has a generation conflict", c.Name)
			}
			moved[i] = int(have.Num) - 1
			continue
		}
		c.Missing, c.HasMissing, c.ACL, c.Sequence, c.Identity, c.Comment = column.Datum{}, false, nil, 0, 0, ""
		c.Inherited, c.Local, c.Dims = true, false, 0
		if p.Columns[i].Identity != 0 {
			c.Default, c.Depends = nil, nil
		}
		if err := w.appendColumn(c); err != nil {
			return err
		}
		moved[i] = len(w.rel.Columns) - 1
	}
	return w.inheritDefaults(p, moved, known)
}

// inheritDefaults gives columns the defaults of a parent; those up to known have been there before.
func (w *tableWork) inheritDefaults(p *catalog.Relation, moved map[int]int, known int) error {
	for i, at := range moved {
		from, to := &p.Columns[i], &w.rel.Columns[at]
		if from.Default == nil || from.Identity != 0 { // an identity is the parent's alone
			continue
		}
		value, depends := from.Default, from.Depends
		if from.Generated != 0 { // it names other columns
			var err error
			if value, err = w.d.moveColumns(value, moved); err != nil {
				return err
			}
			depends = moveDepends(depends, p, w.rel, moved)
		}
		if at < known && to.Default != nil {
			same, err := w.sameExpr(to.Default, value)
			if err != nil {
				return err
			}
			if !same {
				w.unclear(to.Name)
			}
			continue
		}
		to.Default, to.Depends = value, depends
	}
	return nil
}

// unclear notes a column whose inherited defaults differ: the new table has to say which it wants.
func (w *tableWork) unclear(name string) {
	if w.conflicts == nil {
		w.conflicts = map[string]bool{}
	}
	w.conflicts[name] = true
}

// settled refuses inherited defaults that differ when the table does not give its own.
func (w *tableWork) settled() error {
	for name := range w.conflicts {
		if columnNamed(w.rel, name).Generated != 0 {
			return pgerr.New(pgerr.InvalidColumnDefinition, "column \"%s\" inherits conflicting generation expressions", name)
		}
		return pgerr.New(pgerr.InvalidColumnDefinition, "column \"%s\" inherits conflicting default values", name).
			WithHint("To resolve the conflict, specify a default explicitly.")
	}
	return nil
}

// moveDepends makes what is copied from a table depend on the columns of its own.
func moveDepends(depends []catalog.Dependency, from, to *catalog.Relation, moved map[int]int) []catalog.Dependency {
	list := slices.Clone(depends)
	for i := range list {
		if d := &list[i]; d.Class == catalog.ClassRelation && d.OID == from.OID {
			d.OID = to.OID
			if at, ok := moved[int(d.Sub)-1]; ok && d.Sub > 0 {
				d.Sub = int16(at + 1)
			}
		}
	}
	return list
}

// moveColumns rewrites a stored expression over a table's columns for another table.
func (d *ddl) moveColumns(encoded []byte, moved map[int]int) ([]byte, error) {
	e, err := d.bind.DecodeExpr(encoded)
	if err != nil {
		return nil, err
	}
	return plan.EncodeExpr(plan.Rewrite(e, func(x plan.Expr) plan.Expr {
		v, ok := x.(*plan.Var)
		if !ok || v.Level != 0 || v.Attr < 0 {
			return x
		}
		n := *v
		n.Attr = moved[v.Attr]
		return &n
	})), nil
}

// wholeRow refuses to copy an expression that speaks of the row as a whole: it has another type in another table.
func (w *tableWork) wholeRow(from *catalog.Relation, encoded []byte, what, name string) error {
	e, err := w.d.bind.DecodeExpr(encoded)
	if err != nil {
		return err
	}
	found := false
	plan.Walk(e, func(x plan.Expr) bool {
		v, ok := x.(*plan.Var)
		found = found || ok && v.Level == 0 && v.Attr == plan.AttrWholeRow
		return !found
	})
	if !found {
		return nil
	}
	detail := what + " \"" + name + "\" contains a whole-row reference to table \"" + from.Name + "\"."
	if what == "Index" {
		detail = "Index \"" + name + "\" contains a whole-row table reference."
	}
	return pgerr.New(pgerr.FeatureNotSupported, "cannot convert whole-row table reference").WithDetail("%s", detail)
}

func (w *tableWork) sameType(what string, have, c *catalog.Column) error {
	if have.Type != c.Type || have.Typmod != c.Typmod {
		return pgerr.New(pgerr.DatatypeMismatch, "%s \"%s\" has a type conflict", what, c.Name).
			WithDetail("%s versus %s", w.d.env.FormatType(have.Type, have.Typmod), w.d.env.FormatType(c.Type, c.Typmod))
	}
	if have.Collation != c.Collation {
		return pgerr.New(pgerr.CollationMismatch, "%s \"%s\" has a collation conflict", what, c.Name).
			WithDetail("\"%s\" versus \"%s\"", w.d.collationName(have.Collation), w.d.collationName(c.Collation))
	}
	if have.Storage != c.Storage && c.Storage != 0 {
		return pgerr.New(pgerr.DatatypeMismatch, "%s \"%s\" has a storage parameter conflict", what, c.Name).
			WithDetail("%s versus %s", storageNames[have.Storage], storageNames[c.Storage])
	}
	return nil
}

// inheritChecks copies the checks of a parent.
func (w *tableWork) inheritChecks(p *catalog.Relation) error {
	for _, c := range p.Constraints {
		if c.Kind != 'c' || c.NoInherit {
			continue
		}
		next, err := w.copyCheck(p, c)
		if err != nil {
			return err
		}
		if have := constraintNamed(w.rel, c.Name); have != nil {
			same, err := w.sameExpr(have.Expr, next.Expr)
			if err != nil {
				return err
			}
			if !same {
				return pgerr.New(pgerr.DuplicateObject, "check constraint name \"%s\" appears multiple times but with different expressions", c.Name)
			}
			continue
		}
		if _, err := w.newConstraint(next); err != nil {
			return err
		}
	}
	return nil
}

// sameExpr compares stored expressions over the table's columns as they are shown.
func (w *tableWork) sameExpr(a, b []byte) (bool, error) {
	x, err := w.d.bind.DecodeExpr(a)
	if err != nil {
		return false, err
	}
	y, err := w.d.bind.DecodeExpr(b)
	return err == nil && w.d.bind.Deparse(x, w.rel) == w.d.bind.Deparse(y, w.rel), err
}

// copyCheck makes a parent's check one of this table.
func (w *tableWork) copyCheck(p *catalog.Relation, c catalog.Constraint) (catalog.Constraint, error) {
	moved := map[int]int{}
	for i := range p.Columns {
		if have := columnNamed(w.rel, p.Columns[i].Name); have != nil && !p.Columns[i].Dropped {
			moved[i] = int(have.Num) - 1
		}
	}
	if err := w.wholeRow(p, c.Expr, "Constraint", c.Name); err != nil {
		return catalog.Constraint{}, err
	}
	next := catalog.Constraint{Name: c.Name, Kind: 'c', Validated: c.Validated, Inherited: true}
	for _, n := range c.Columns {
		next.Columns = append(next.Columns, int16(moved[int(n)-1]+1))
	}
	for _, d := range c.Depends {
		if d.Class == catalog.ClassRelation && d.OID == p.OID {
			d.OID = w.rel.OID
			if d.Sub > 0 {
				d.Sub = int16(moved[int(d.Sub)-1] + 1)
			}
		}
		next.Depends = append(next.Depends, d)
	}
	var err error
	next.Expr, err = w.d.moveColumns(c.Expr, moved)
	return next, err
}

func (d *ddl) collationName(oid OID) string {
	if c := d.env.Collation(oid); c != nil {
		return c.Name
	}
	return ""
}

// mergeColumn makes a column that is written again one with the inherited one of its name; it returns -1
// when there is none.
func (w *tableWork) mergeColumn(c catalog.Column) (int, error) {
	w.written++
	have := columnNamed(w.rel, c.Name)
	if have == nil || !have.Inherited || have.Local {
		return -1, nil
	}
	if w.written == int(have.Num) {
		w.d.notice(pgerr.SuccessfulCompletion, "merging column \"%s\" with inherited definition", c.Name)
	} else {
		w.d.send(pgerr.Notice(pgerr.SeverityNotice, pgerr.SuccessfulCompletion, "moving and merging column \"%s\" with inherited definition", c.Name).
			WithDetail("User-specified column moved to the position of the inherited column."))
	}
	if err := w.sameType("column", have, &c); err != nil {
		return -1, err
	}
	have.Local, have.NotNull, have.Identity = true, have.NotNull || c.NotNull, c.Identity
	if have.Generated != 0 && c.Generated != 0 {
		return -1, generatedAgain(c.Name)
	}
	if c.Default != nil {
		have.Default, have.Depends, have.Generated = c.Default, c.Depends, c.Generated
	}
	if c.Comment != "" {
		have.Comment = c.Comment
	}
	delete(w.conflicts, c.Name)
	return int(have.Num) - 1, nil
}

// recursive are the subcommands that the children of a table follow.
var recursive = map[string]bool{"add_column": true, "drop_column": true, "alter_column_type": true, "set_not_null": true, "drop_not_null": true,
	"column_default": true, "add_constraint": true, "drop_constraint": true, "validate_constraint": true, "drop_expression": true}

// alterChildren applies to the children of a table what was done to it.
func (d *ddl) alterChildren(a *plan.AlterTable, old *catalog.Relation) error {
	children := d.view.Children(old.OID)
	if len(children) == 0 {
		return nil
	}
	var cmds []*plan.AlterCommand
	for _, c := range d.withChecks(a.Commands, old) {
		if recursive[c.Action] && !(c.Action == "add_constraint" && (c.Constraint.Kind != 'c' || c.Constraint.NoInherit)) {
			n := *c
			n.Inherited = true
			cmds = append(cmds, &n)
		}
	}
	for _, child := range children {
		if len(cmds) == 0 {
			break
		}
		if err := d.rt.Txn.LockTable(d.ctx, uint64(child.OID), engine.LockAccessExclusive, engine.Wait); err != nil {
			return err
		}
		follow, err := d.childCommands(cmds, a.Only, old, d.view.Relation(child.OID))
		if err != nil || len(follow) == 0 {
			if err != nil {
				return err
			}
			continue
		}
		next := *a
		next.Commands = follow
		if err := d.alterRelation(&next, d.view.Relation(child.OID)); err != nil {
			return err
		}
	}
	return nil
}

// withChecks writes the checks of new columns as subcommands of their own, and gives those without a name the one that
// they got in the parent.
func (d *ddl) withChecks(cmds []*plan.AlterCommand, old *catalog.Relation) []*plan.AlterCommand {
	given := map[string]bool{}
	var columns, others []*plan.AlterCommand // in the order in which the parent has got them
	for _, c := range cmds {
		if c.Action != "add_column" {
			others = append(others, c)
			continue
		}
		n, col := *c, *c.Column
		col.Constraints, n.Column = nil, &col
		columns = append(columns, &n)
		for _, def := range c.Column.Constraints {
			if def.Kind == 'c' && columnNamed(old, col.Name) == nil {
				columns = append(columns, &plan.AlterCommand{Action: "add_constraint", Constraint: def})
			}
		}
	}
	out := append(columns, others...)
	for _, c := range out {
		if c.Action == "add_constraint" {
			given[c.Constraint.Name] = true
		}
	}
	var names []string
	for _, k := range d.view.Relation(old.OID).Constraints {
		if k.Kind == 'c' && constraintNamed(old, k.Name) == nil && !given[k.Name] {
			names = append(names, k.Name)
		}
	}
	for i, c := range out {
		if c.Action != "add_constraint" || c.Constraint.Kind != 'c' || c.Constraint.Name != "" || len(names) == 0 {
			continue
		}
		n, def := *c, *c.Constraint
		def.Name, names = names[0], names[1:]
		n.Constraint = &def
		out[i] = &n
	}
	return out
}

// retypedBefore reports whether the statement has changed a column of a child already, on another way down. A column
// that another family gives, too, cannot change.
func (d *ddl) retypedBefore(c *plan.AlterCommand, child *catalog.Relation) (bool, error) {
	name := c.Name
	if name == "" {
		name = c.Column.Name
	}
	key := fmt.Sprint(child.OID, " ", name)
	if d.retyped[key] {
		return true, nil
	}
	if d.retyped == nil {
		d.retyped = map[string]bool{}
	}
	d.retyped[key] = true
	if d.view.ParentsWithColumn(child, name) > d.parentsIn(child, name, d.family) {
		return false, pgerr.New(pgerr.InvalidTableDefinition, "cannot alter inherited column \"%s\" of relation \"%s\"", name, child.Name)
	}
	return false, nil
}

// descendants are a table and all that inherit from it.
func (d *ddl) descendants(oid OID, into map[OID]bool) map[OID]bool {
	if into == nil {
		into = map[OID]bool{}
	}
	if !into[oid] {
		into[oid] = true
		for _, c := range d.view.Children(oid) {
			d.descendants(c.OID, into)
		}
	}
	return into
}

// parentsIn counts the parents of a table in a family that have a column.
func (d *ddl) parentsIn(r *catalog.Relation, column string, family map[OID]bool) int {
	n := 0
	for _, oid := range r.Inherits {
		if p := d.view.Relation(oid); family[oid] && p != nil && columnNamed(p, column) != nil {
			n++
		}
	}
	return n
}

// childCommands turns subcommands on a table into those on one of its children.
func (d *ddl) childCommands(cmds []*plan.AlterCommand, only bool, old, child *catalog.Relation) ([]*plan.AlterCommand, error) {
	var out []*plan.AlterCommand
	for _, c := range cmds {
		switch c.Action {
		case "add_column":
			if only {
				return nil, pgerr.New(pgerr.InvalidTableDefinition, "column must be added to child tables too")
			}
			if c.Column.Identity != 0 {
				return nil, pgerr.New(pgerr.InvalidTableDefinition, "cannot recursively add identity column to table that has child tables")
			}
			if columnNamed(old, c.Column.Name) != nil {
				continue // IF NOT EXISTS
			}
		case "add_constraint":
			if only {
				return nil, pgerr.New(pgerr.InvalidTableDefinition, "constraint must be added to child tables too")
			}
		case "alter_column_type":
			if seen, err := d.retypedBefore(c, child); seen || err != nil {
				if err != nil {
					return nil, err
				}
				continue
			}
			if only {
				continue
			}
		case "drop_column":
			have := columnNamed(child, c.Name)
			if have == nil || !have.Inherited {
				continue
			}
			if only || have.Local || d.otherParent(child, old.OID, c.Name) {
				if err := d.disinherit(child, old.OID, c.Name, only); err != nil {
					return nil, err
				}
				continue
			}
		case "drop_constraint":
			have := constraintNamed(child, c.Name)
			if have == nil || !have.Inherited {
				continue
			}
			if only || have.Local {
				next := cloneRelation(child)
				k := constraintNamed(next, c.Name)
				k.Inherited, k.Local = false, true
				if err := d.put(next); err != nil {
					return nil, err
				}
				continue
			}
		default:
			if only {
				continue
			}
		}
		out = append(out, c)
	}
	return out, nil
}

// otherParent reports whether a child has a column from a parent other than one.
func (d *ddl) otherParent(child *catalog.Relation, not OID, name string) bool {
	return slices.ContainsFunc(child.Inherits, func(oid OID) bool {
		p := d.view.Relation(oid)
		return oid != not && p != nil && columnNamed(p, name) != nil
	})
}

// disinherit takes a column of a child from one parent; with only, or when nobody else gives it, it becomes the child's own.
func (d *ddl) disinherit(child *catalog.Relation, parent OID, name string, only bool) error {
	next := cloneRelation(child)
	c := columnNamed(next, name)
	c.Local = c.Local || only
	c.Inherited = d.otherParent(child, parent, name)
	return d.put(next)
}

// alterInherit is ALTER TABLE … INHERIT and NO INHERIT.
func (w *alterWork) alterInherit(c *plan.AlterCommand) error {
	d := w.d
	p, err := d.lockBaseTable(c.Table, engine.LockShareUpdateExclusive)
	if err != nil {
		return err
	}
	if c.Action == "drop_inherit" {
		i := slices.Index(w.rel.Inherits, p.OID)
		if i < 0 {
			return pgerr.New(pgerr.UndefinedTable, "relation \"%s\" is not a parent of relation \"%s\"", p.Name, w.rel.Name)
		}
		w.rel.Inherits = slices.Delete(slices.Clone(w.rel.Inherits), i, i+1)
		for i := range w.rel.Columns {
			col := &w.rel.Columns[i]
			if !col.Dropped && col.Inherited && columnNamed(p, col.Name) != nil {
				col.Local, col.Inherited = true, d.otherParent(w.rel, p.OID, col.Name)
			}
		}
		for i := range w.rel.Constraints {
			if k := &w.rel.Constraints[i]; k.Inherited && constraintNamed(p, k.Name) != nil {
				k.Inherited, k.Local = false, true
			}
		}
		return d.put(cloneRelation(p))
	}
	if d.descends(p, w.rel.OID) {
		return pgerr.New(pgerr.DuplicateTable, "circular inheritance not allowed").WithDetail("\"%s\" is already a child of \"%s\".", p.Name, w.rel.Name)
	}
	if err := w.adopt(p); err != nil {
		return err
	}
	return w.matchParent(p)
}

// descends reports whether a table is another one or inherits from it.
func (d *ddl) descends(r *catalog.Relation, from OID) bool {
	if r == nil || r.OID == from {
		return r != nil
	}
	return slices.ContainsFunc(r.Inherits, func(oid OID) bool { return d.descends(d.view.Relation(oid), from) })
}

// matchParent checks that a table has all that a parent would give it.
func (w *alterWork) matchParent(p *catalog.Relation) error {
	for i := range p.Columns {
		c := &p.Columns[i]
		if c.Dropped {
			continue
		}
		have := columnNamed(w.rel, c.Name)
		switch {
		case have == nil:
			return pgerr.New(pgerr.DatatypeMismatch, "child table is missing column \"%s\"", c.Name)
		case have.Type != c.Type || have.Typmod != c.Typmod:
			return pgerr.New(pgerr.DatatypeMismatch, "child table \"%s\" has different type for column \"%s\"", w.rel.Name, c.Name)
		case have.Collation != c.Collation:
			return pgerr.New(pgerr.CollationMismatch, "child table \"%s\" has different collation for column \"%s\"", w.rel.Name, c.Name)
		case c.NotNull && !have.NotNull:
			return pgerr.New(pgerr.DatatypeMismatch, "column \"%s\" in child table must be marked NOT NULL", c.Name)
		case c.Generated != 0 && have.Generated == 0:
			return pgerr.New(pgerr.DatatypeMismatch, "column \"%s\" in child table must be a generated column", c.Name)
		}
		if err := w.matchGenerated(p, c, have); err != nil {
			return err
		}
		have.Local, have.Inherited = have.Local || !have.Inherited, true
	}
	for _, c := range p.Constraints {
		if c.Kind != 'c' || c.NoInherit {
			continue
		}
		have := constraintNamed(w.rel, c.Name)
		if have == nil || have.Kind != 'c' {
			return pgerr.New(pgerr.DatatypeMismatch, "child table is missing constraint \"%s\"", c.Name)
		}
		want, err := w.copyCheck(p, c)
		if err != nil {
			return err
		}
		same, err := w.sameExpr(want.Expr, have.Expr)
		if err != nil {
			return err
		}
		if !same {
			return pgerr.New(pgerr.DatatypeMismatch, "child table \"%s\" has different definition for check constraint \"%s\"", w.rel.Name, c.Name)
		}
		have.Local, have.Inherited = have.Local || !have.Inherited, true
	}
	return nil
}

// matchGenerated compares how a generated column is computed with its parent's.
func (w *alterWork) matchGenerated(p *catalog.Relation, c, have *catalog.Column) error {
	if c.Generated == 0 {
		return nil
	}
	want, err := w.d.bind.DecodeExpr(c.Default)
	if err != nil {
		return err
	}
	is, err := w.d.bind.DecodeExpr(have.Default)
	if err != nil {
		return err
	}
	if w.d.bind.Deparse(want, p) != w.d.bind.Deparse(is, w.rel) {
		return pgerr.New(pgerr.DatatypeMismatch, "column \"%s\" in child table has a conflicting generation expression", c.Name)
	}
	return nil
}

// generatedAgain refuses a generation expression where the parent has one.
func generatedAgain(column string) error {
	return pgerr.New(pgerr.InvalidColumnDefinition, "child column \"%s\" specifies generation expression", column).
		WithHint("Omit the generation expression in the definition of the child table column to inherit the generation expression from the parent table.")
}

// renamable refuses to rename a column that a child has from another family, too.
func (d *ddl) renamable(rel *catalog.Relation, name string) error {
	family := d.descendants(rel.OID, nil)
	for oid := range family {
		if r := d.view.Relation(oid); oid != rel.OID && d.view.ParentsWithColumn(r, name) > d.parentsIn(r, name, family) {
			return pgerr.New(pgerr.InvalidTableDefinition, "cannot rename inherited column \"%s\"", name)
		}
	}
	return nil
}

// renameInherited renames a column in the children of a table, too.
func (d *ddl) renameInherited(rel *catalog.Relation, r *plan.Rename) error {
	for _, child := range d.view.Children(rel.OID) {
		if child = d.view.Relation(child.OID); columnNamed(child, r.Old) == nil {
			continue // renamed already, on another way down
		}
		if r.Only {
			return pgerr.New(pgerr.InvalidTableDefinition, "inherited column \"%s\" must be renamed in child tables too", r.Old)
		}
		if err := d.rt.Txn.LockTable(d.ctx, uint64(child.OID), engine.LockAccessExclusive, engine.Wait); err != nil {
			return err
		}
		n := *r
		n.Inherited = true
		if err := d.renameColumn(cloneRelation(d.view.Relation(child.OID)), &n); err != nil {
			return err
		}
	}
	return nil
}
