package exec

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// dropPart is an object, or a part of a relation, that goes.
type dropPart struct {
	object     catalog.Object
	constraint string // a constraint of the relation
	column     int16  // a column, or with value its default
	value      bool
}

func (p dropPart) key() string {
	return fmt.Sprint(p.object.Class(), p.object.Head().OID, p.constraint, p.column, p.value)
}

// dropping collects what falls with the objects that a statement names.
type dropping struct {
	d       *ddl
	parts   []dropPart
	seen    map[string]bool
	named   map[string]bool // by the statement itself
	reports []report        // what else goes, last first
	details []string        // the same in PostgreSQL's words, in order
	found   []candidate     // while a part's dependents are collected
}

func (d *ddl) newDropping() *dropping {
	return &dropping{d: d, seen: map[string]bool{}, named: map[string]bool{}}
}

// candidate is something that falls because of another.
type candidate struct {
	part   dropPart
	silent bool
}

// oid orders the candidates: PostgreSQL visits the youngest object first.
func (c candidate) oid() OID {
	if r, ok := c.part.object.(*catalog.Relation); ok && c.part.constraint != "" {
		if k := constraintNamed(r, c.part.constraint); k != nil {
			return k.OID
		}
	}
	return c.part.object.Head().OID
}

// add notes a part after everything that depends on it. A silent part is one that belongs
// to its cause (an index to its table); others are reported.
func (g *dropping) add(p dropPart, cause string, silent bool) {
	whole := dropPart{object: p.object}.key()
	partial := p.constraint != "" || p.column != 0
	if g.seen[p.key()] || partial && (g.seen[whole] || g.named[whole]) {
		return
	}
	g.seen[p.key()] = true
	name := g.describe(p)
	g.found = nil
	g.collectFrom(p)
	found := g.found
	slices.SortStableFunc(found, func(a, b candidate) int { return cmp.Compare(b.oid(), a.oid()) })
	for _, c := range found {
		g.add(c.part, name, c.silent)
	}
	g.parts = append(g.parts, p)
	if !silent && !g.named[p.key()] {
		g.reports = append(g.reports, report{p, name + " depends on " + cause})
	}
}

// report is a line about something that falls.
type report struct {
	part dropPart
	text string
}

// finish puts the reports into order. Parts of relations that fall as a whole are left out.
func (g *dropping) finish() {
	for _, r := range slices.Backward(g.reports) {
		whole := dropPart{object: r.part.object}.key()
		if whole == r.part.key() || !g.seen[whole] {
			g.details = append(g.details, r.text)
		}
	}
}

func (g *dropping) collect(p dropPart, silent bool) { g.found = append(g.found, candidate{p, silent}) }

// collectFrom collects what depends on a part directly.
func (g *dropping) collectFrom(p dropPart) {
	if p.constraint != "" {
		g.constraintIndex(p)
		return
	}
	if p.value {
		return
	}
	for _, dep := range g.d.view.Dependents(p.object.Class(), p.object.Head().OID) {
		g.dependent(p, dep)
	}
	switch o := p.object.(type) {
	case *catalog.Relation:
		if p.column != 0 {
			g.generatedFrom(o, p.column)
		} else if t := g.d.view.Type(o.RowType); t != nil {
			g.collect(dropPart{object: t}, true)
		}
	case *catalog.Type:
		if a := g.d.view.Type(o.Array); a != nil {
			g.collect(dropPart{object: a}, true)
		}
		if r := g.d.view.Relation(o.Relation); r != nil && r.Kind == catalog.KindComposite {
			g.collect(dropPart{object: r}, true)
		}
	case *catalog.Index:
		for _, fk := range g.d.view.ReferencedBy(o.Table) {
			if fk.Constraint.Index == o.OID {
				g.collect(dropPart{object: fk.Table, constraint: fk.Constraint.Name}, false)
			}
		}
	}
}

// generatedFrom collects the generated columns that are computed from a column.
func (g *dropping) generatedFrom(r *catalog.Relation, num int16) {
	for i := range r.Columns {
		c := &r.Columns[i]
		if c.Generated != 0 && slices.ContainsFunc(c.Depends, func(d catalog.Dependency) bool {
			return d.Class == catalog.ClassRelation && d.OID == r.OID && d.Sub == num
		}) {
			g.collect(dropPart{object: r, column: c.Num}, false)
		}
	}
}

// constraintIndex adds the index behind a constraint.
func (g *dropping) constraintIndex(p dropPart) {
	r := p.object.(*catalog.Relation)
	c := constraintNamed(r, p.constraint)
	if c == nil || c.Kind == 'f' || c.Index == 0 {
		return
	}
	i := g.d.view.Index(c.Index)
	if i == nil {
		return
	}
	for _, dep := range g.d.view.Dependents(catalog.ClassIndex, i.OID) {
		g.collect(dropPart{object: dep}, false) // a view that groups by the key
	}
	g.collect(dropPart{object: i}, true)
}

// dependent adds what of dep needs p.
func (g *dropping) dependent(p dropPart, dep catalog.Object) {
	class, oid := p.object.Class(), p.object.Head().OID
	needs := func(ds []catalog.Dependency) bool {
		return slices.ContainsFunc(ds, func(x catalog.Dependency) bool {
			return x.Class == class && x.OID == oid && (p.column == 0 || x.Sub == p.column)
		})
	}
	switch o := dep.(type) {
	case *catalog.Relation:
		g.dependentRelation(p, o, needs)
	case *catalog.Index:
		if o.Table == oid && class == catalog.ClassRelation {
			if p.column != 0 && !indexUses(o, p.column) && !needs(o.Depends) {
				return
			}
			if c := constraintBehind(g.d.view.Relation(o.Table), o.OID); p.column != 0 && c != nil {
				g.collect(dropPart{object: g.d.view.Relation(o.Table), constraint: c.Name}, true)
			}
			g.collect(dropPart{object: o}, true)
		} else if needs(catalog.References(o)) {
			// An index over a column of a dropped type falls with the column.
			r := g.d.view.Relation(o.Table)
			// To a schema it belongs through its table only.
			g.collect(dropPart{object: o}, class == catalog.ClassSchema || class == catalog.ClassType && r != nil && slices.ContainsFunc(r.Columns, func(c catalog.Column) bool {
				return c.Type == oid && indexUses(o, c.Num)
			}))
		}
	case *catalog.Sequence:
		if o.OwnerTable == oid && class == catalog.ClassRelation && (p.column == 0 || o.OwnerColumn == p.column) {
			g.collect(dropPart{object: o}, true)
		} else if class == catalog.ClassSchema {
			// An owned sequence goes with its table, which is in the same schema.
			g.collect(dropPart{object: o}, o.OwnerTable != 0)
		}
	case *catalog.Type:
		silent := class == catalog.ClassRelation && o.Relation == oid || class == catalog.ClassType && o.Elem == oid || o.Internal
		if p.column == 0 {
			g.collect(dropPart{object: o}, silent)
		}
	case *catalog.Statistic:
		if p.column == 0 {
			g.collect(dropPart{object: o}, true)
		}
	default:
		if p.column == 0 || needs(dep.Head().Depends) {
			g.collect(dropPart{object: dep}, class == catalog.ClassExtension) // its members go with it
		}
	}
}

func (g *dropping) dependentRelation(p dropPart, o *catalog.Relation, needs func([]catalog.Dependency) bool) {
	class, oid := p.object.Class(), p.object.Head().OID
	if class == catalog.ClassSchema && o.Schema == oid || needs(o.Depends) || class == catalog.ClassRelation && slices.Contains(o.Inherits, oid) && p.column == 0 {
		g.collect(dropPart{object: o}, false)
		return
	}
	for i := range o.Constraints {
		c := &o.Constraints[i]
		refers := c.RefTable == oid && class == catalog.ClassRelation && (p.column == 0 || slices.Contains(c.RefColumns, p.column))
		if refers && o.OID != oid || refers && p.column != 0 || needs(c.Depends) {
			g.collect(dropPart{object: o, constraint: c.Name}, false)
		}
	}
	for i := range o.Columns {
		c := &o.Columns[i]
		switch {
		case c.Dropped:
		case class == catalog.ClassType && c.Type == oid:
			g.collect(dropPart{object: o, column: c.Num}, false)
		case needs(c.Depends) && c.Generated != 0:
			g.collect(dropPart{object: o, column: c.Num}, false)
		case needs(c.Depends):
			// The default of a serial column falls with its own sequence.
			g.collect(dropPart{object: o, column: c.Num, value: true}, false)
		}
	}
}

func indexUses(i *catalog.Index, num int16) bool {
	if slices.Contains(i.Include, num) {
		return true
	}
	return slices.ContainsFunc(i.Keys, func(k catalog.IndexKey) bool { return k.Column == num })
}

func constraintBehind(r *catalog.Relation, index OID) *catalog.Constraint {
	if r == nil {
		return nil
	}
	for i := range r.Constraints {
		if c := &r.Constraints[i]; c.Index == index && c.Kind != 'f' {
			return c
		}
	}
	return nil
}

// describe names a part as messages do: "table t", "constraint c on table t".
func (g *dropping) describe(p dropPart) string {
	d := g.d
	whole := d.describe(p.object)
	r, _ := p.object.(*catalog.Relation)
	switch {
	case p.constraint != "":
		return fmt.Sprintf("constraint %s on %s", p.constraint, whole)
	case p.value:
		return fmt.Sprintf("default value for column %s of %s", r.Columns[p.column-1].Name, whole)
	case p.column != 0:
		return fmt.Sprintf("column %s of %s", r.Columns[p.column-1].Name, whole)
	}
	return whole
}

// describe names an object as messages do.
func (d *ddl) describe(o catalog.Object) string {
	name := d.visibleName(o)
	switch o := o.(type) {
	case *catalog.Relation:
		return relationWord(o.Kind) + " " + name
	case *catalog.Index:
		return "index " + name
	case *catalog.Sequence:
		return "sequence " + name
	case *catalog.Type:
		return "type " + d.env.FormatType(o.OID, -1)
	case *catalog.Function:
		sig := d.signature(o)
		if o.Schema != 0 && !slices.Contains(d.bind.SearchPath(), o.Schema) {
			sig = d.view.SchemaName(o.Schema) + "." + sig
		}
		return "function " + sig // whatever its kind
	case *catalog.Schema:
		return "schema " + name
	case *catalog.Role:
		return "role " + name
	case *catalog.Database:
		return "database " + name
	case *catalog.Extension:
		return "extension " + o.Name
	case *catalog.BuiltinACL:
		return d.builtinText(o)
	}
	return name
}

func relationWord(k catalog.RelationKind) string {
	switch k {
	case catalog.KindView:
		return "view"
	case catalog.KindMatView:
		return "materialized view"
	case catalog.KindComposite:
		return "composite type"
	}
	return "table"
}

// signature prints a function with its argument types.
func (d *ddl) signature(f *catalog.Function) string {
	var args []string
	for _, t := range f.ArgTypes {
		args = append(args, d.env.FormatType(t, -1))
	}
	return f.Name + "(" + strings.Join(args, ",") + ")"
}

// run refuses the drop when something else depends on the targets, or carries it out.
func (g *dropping) run(what string, cascade bool) error {
	if len(g.details) > 0 && !cascade {
		return pgerr.New(pgerr.DependentObjectsStillExist, "cannot drop %s because other objects depend on it", what).
			WithDetail("%s", strings.Join(g.details, "\n")).WithHint("Use DROP ... CASCADE to drop the dependent objects too.")
	}
	g.tellCascade()
	for _, p := range g.parts { // what depends goes first
		if err := g.d.removePart(g, p); err != nil {
			return err
		}
	}
	return nil
}

func (g *dropping) tellCascade() {
	if len(g.details) == 0 {
		return
	}
	lines := make([]string, len(g.details))
	for i, s := range g.details {
		name, _, _ := strings.Cut(s, " depends on ")
		lines[i] = "drop cascades to " + name
	}
	if len(lines) == 1 {
		g.d.notice(pgerr.SuccessfulCompletion, "%s", lines[0])
		return
	}
	g.d.send(pgerr.Notice(pgerr.SeverityNotice, pgerr.SuccessfulCompletion, "drop cascades to %d other objects", len(lines)).
		WithDetail("%s", strings.Join(lines, "\n")))
}

// removePart removes an object with its stores, or a part of a relation.
func (d *ddl) removePart(g *dropping, p dropPart) error {
	h := p.object.Head()
	if p.constraint != "" || p.column != 0 {
		if g.seen[dropPart{object: p.object}.key()] {
			return nil // the relation itself goes
		}
		if r, ok := p.object.(*catalog.Relation); ok && p.constraint != "" {
			if c := constraintNamed(r, p.constraint); c != nil {
				if err := d.lockReferenced([]catalog.Constraint{*c}); err != nil {
					return err
				}
				if ref := d.view.Relation(c.RefTable); c.Kind == 'f' && ref != nil {
					if err := d.notInUse(ref, "ALTER TABLE"); err != nil {
						return err
					}
				}
			}
		}
		return d.removeFromRelation(h.OID, p)
	}
	if err := d.view.LockObject(d.ctx, p.object.Class(), h.OID); err != nil {
		return err
	}
	o := d.view.Get(p.object.Class(), h.OID)
	switch o := o.(type) {
	case nil:
		return nil
	case *catalog.Relation:
		if err := d.lockTable(o.OID, engine.LockAccessExclusive); err != nil {
			return err
		}
		if err := d.notInUse(o, "DROP TABLE"); err != nil {
			return err
		}
		if err := d.lockReferenced(o.Constraints); err != nil {
			return err
		}
	case *catalog.Schema:
		if err := d.forgetExtended(o.OID); err != nil {
			return err
		}
	case *catalog.Index:
		if err := d.forgetIndex(g, o); err != nil {
			return err
		}
	}
	if err := d.dropStores(o); err != nil {
		return err
	}
	return d.remove(p.object.Class(), h.OID)
}

// lockReferenced locks the tables that foreign keys refer to which are about to go: statements that change them look
// for what refers to them.
func (d *ddl) lockReferenced(list []catalog.Constraint) error {
	for i := range list {
		if list[i].Kind == 'f' {
			if err := d.lockTable(list[i].RefTable, engine.LockAccessExclusive); err != nil {
				return err
			}
		}
	}
	return nil
}

// dropStores removes what an object keeps in the engine.
func (d *ddl) dropStores(o catalog.Object) error {
	switch o := o.(type) {
	case *catalog.Relation:
		if o.Store != 0 {
			return d.rt.Txn.DropStore(engine.StoreID(o.Store))
		}
	case *catalog.Index:
		if o.Store != 0 {
			if t := d.view.Relation(o.Table); t != nil && t.Store != 0 {
				d.rt.Txn.TransferReads(engine.StoreID(o.Store), engine.StoreID(t.Store))
			}
			return d.rt.Txn.DropStore(engine.StoreID(o.Store))
		}
	case *catalog.Sequence:
		return d.rt.Txn.DropSequence(engine.StoreID(o.Store))
	}
	return nil
}

// forgetIndex takes an index out of its table's list.
func (d *ddl) forgetIndex(g *dropping, i *catalog.Index) error {
	r := d.view.Relation(i.Table)
	if r == nil || g.seen[dropPart{object: r}.key()] {
		return nil
	}
	if err := d.view.LockObject(d.ctx, catalog.ClassRelation, i.Table); err != nil {
		return err
	}
	next := *d.view.Relation(i.Table)
	next.Indexes = slices.DeleteFunc(slices.Clone(next.Indexes), func(oid OID) bool { return oid == i.OID })
	return d.put(&next)
}

// removeFromRelation takes a constraint, a column or a default out of a relation.
func (d *ddl) removeFromRelation(oid OID, p dropPart) error {
	if err := d.lockTable(oid, engine.LockAccessExclusive); err != nil {
		return err
	}
	if err := d.view.LockObject(d.ctx, catalog.ClassRelation, oid); err != nil {
		return err
	}
	r := cloneRelation(d.view.Relation(oid))
	unkey := false
	switch {
	case p.constraint != "":
		c := constraintNamed(r, p.constraint)
		unkey = c != nil && c.Kind == 'p' && len(r.StorageKey) > 0
		r.Constraints = slices.DeleteFunc(r.Constraints, func(c catalog.Constraint) bool { return c.Name == p.constraint })
	case p.value:
		c := &r.Columns[p.column-1]
		c.Default, c.Depends, c.Sequence = nil, nil, 0
	default:
		unkey = slices.Contains(r.StorageKey, p.column)
		d.dropColumn(r, p.column)
	}
	if unkey {
		// The rows' keys hold a column, or a promise, that is gone.
		w := d.alter(r)
		w.rekey(nil)
		return w.finishAlter()
	}
	return d.put(r)
}

// cloneRelation copies a descriptor so that columns and constraints can be changed.
func cloneRelation(r *catalog.Relation) *catalog.Relation {
	next := *r
	next.Columns = slices.Clone(r.Columns)
	next.Constraints = slices.Clone(r.Constraints)
	next.Indexes = slices.Clone(r.Indexes)
	next.StorageKey = slices.Clone(r.StorageKey)
	next.Options = slices.Clone(r.Options)
	next.Extended = slices.Clone(r.Extended)
	return &next
}

// dropColumn marks a column as dropped and removes the constraints that use it.
func (d *ddl) dropColumn(r *catalog.Relation, num int16) {
	c := &r.Columns[num-1]
	*c = catalog.Column{
		Num: num, Name: fmt.Sprintf("........pg.dropped.%d........", num), Typmod: -1, Dropped: true,
		DroppedKind: uint8(d.env.Kind(c.Type)),
	}
	r.Constraints = slices.DeleteFunc(r.Constraints, func(c catalog.Constraint) bool { return slices.Contains(c.Columns, num) })
	r.Extended = slices.DeleteFunc(r.Extended, func(s catalog.ExtendedStatistic) bool {
		return slices.Contains(s.Columns, num) || slices.ContainsFunc(s.Exprs, func(e []byte) bool { return d.usesColumn(e, num) })
	})
}

// dropKinds says what DROP of a kind looks for: the class, the word in messages, and the code
// when there is none.
var dropKinds = map[plan.ObjectKind]struct {
	class catalog.Class
	code  string
}{
	"table": {catalog.ClassRelation, pgerr.UndefinedTable}, "view": {catalog.ClassRelation, pgerr.UndefinedTable},
	"materialized view": {catalog.ClassRelation, pgerr.UndefinedTable}, "index": {catalog.ClassRelation, pgerr.UndefinedObject},
	"sequence": {catalog.ClassRelation, pgerr.UndefinedTable}, "type": {catalog.ClassType, pgerr.UndefinedObject},
	"domain": {catalog.ClassType, pgerr.UndefinedObject}, "schema": {catalog.ClassSchema, pgerr.InvalidSchemaName},
	"extension": {catalog.ClassExtension, pgerr.UndefinedObject},
}

func (d *ddl) drop(u *plan.Drop) error {
	switch u.Kind {
	case "statistics":
		return d.dropStatistics(u)
	case "role":
		return d.dropRoles(u)
	case "database":
		return d.dropDatabase(u)
	case "function", "procedure", "routine", "aggregate":
		return d.dropFunctions(u)
	}
	kind, ok := dropKinds[u.Kind]
	if !ok {
		return pgerr.Unsupported("DROP %s is not supported", strings.ToUpper(string(u.Kind)))
	}
	g := d.newDropping()
	what := ""
	var named []dropPart
	for _, ref := range u.Objects {
		o, err := d.dropTarget(u, ref, kind.class, kind.code)
		if err != nil {
			return err
		}
		if o == nil {
			continue
		}
		if err := d.undroppable(o); err != nil {
			return err
		}
		if what == "" {
			what = d.describe(o)
		}
		named = append(named, dropPart{object: o})
	}
	return d.dropAll(g, named, what, u.Cascade)
}

// dropAll drops the named parts together: dependencies among them do not count.
func (d *ddl) dropAll(g *dropping, named []dropPart, what string, cascade bool) error {
	for _, p := range named {
		if !d.permitted {
			if err := d.mayDrop(p.object); err != nil {
				return err
			}
		}
		g.named[p.key()] = true
	}
	d.permitted = true
	for _, p := range named {
		g.add(p, "", true)
	}
	g.finish()
	if len(named) > 1 && len(g.details) > 0 && !cascade {
		return pgerr.New(pgerr.DependentObjectsStillExist, "cannot drop desired object(s) because other objects depend on them").
			WithDetail("%s", strings.Join(g.details, "\n")).WithHint("Use DROP ... CASCADE to drop the dependent objects too.")
	}
	return g.run(what, cascade)
}

// dropTarget finds and locks one object of DROP; nil when it is missing and may be.
func (d *ddl) dropTarget(u *plan.Drop, ref plan.ObjectRef, class catalog.Class, code string) (catalog.Object, error) {
	missing := func(code, message string) (catalog.Object, error) {
		if u.IfExists {
			d.notice(pgerr.SuccessfulCompletion, "%s, skipping", message)
			return nil, nil
		}
		return nil, pgerr.New(code, "%s", message)
	}
	if ref.Name.Schema != "" && d.view.SchemaByName(ref.Name.Schema) == nil {
		return missing(pgerr.InvalidSchemaName, fmt.Sprintf("schema \"%s\" does not exist", ref.Name.Schema))
	}
	var o catalog.Object
	var err error
	switch class {
	case catalog.ClassRelation:
		if o := d.find(class, ref.Name); o != nil && !d.permitted {
			if err := wrongKind(u.Kind, o); err != nil {
				return nil, err
			}
			if err := d.mayDrop(o); err != nil {
				return nil, err
			}
		}
		mode := engine.LockAccessExclusive
		if u.Concurrently {
			mode = engine.LockShareUpdateExclusive
		}
		o, err = d.lockNamed(ref.Name, mode)
	case catalog.ClassSchema:
		if s := d.view.SchemaByName(ref.Name.Name); s != nil {
			o = s
		}
	case catalog.ClassExtension:
		if ref.Name.Name == listedExtension {
			return nil, pgerr.Unsupported("extension \"%s\" cannot be dropped: it is only listed", listedExtension)
		}
		o = d.view.ByName(class, 0, ref.Name.Name)
	default:
		o = d.find(class, ref.Name)
	}
	if err != nil {
		return nil, err
	}
	if o == nil {
		if u.Kind == "domain" {
			return missing(d.noDomain(ref.Name, "\""+ref.Name.Name+"\""))
		}
		return missing(code, fmt.Sprintf("%s \"%s\" does not exist", u.Kind, ref.Name))
	}
	if err := wrongKind(u.Kind, o); err != nil {
		return nil, err
	}
	return o, d.view.LockObject(d.ctx, o.Class(), o.Head().OID)
}

// wrongKind refuses DROP TABLE of a view and its like.
func wrongKind(kind plan.ObjectKind, o catalog.Object) error {
	actual := objectWord(o)
	if string(kind) == actual || kind == "type" && actual == "domain" {
		return nil
	}
	article := "a"
	if kind == "index" {
		article = "an"
	}
	err := pgerr.New(pgerr.WrongObjectType, "\"%s\" is not %s %s", o.Head().Name, article, kind)
	if actual != "" && o.Class() != catalog.ClassType {
		article = "a"
		if actual == "index" {
			article = "an"
		}
		err.WithHint("Use DROP %s to remove %s %s.", strings.ToUpper(actual), article, actual)
	}
	return err
}

// undroppable refuses to drop what the server or another object needs.
func (d *ddl) undroppable(o catalog.Object) error {
	h := o.Head()
	if h.OID < catalog.FirstUserOID && h.OID != catalog.Public {
		return pgerr.New(pgerr.DependentObjectsStillExist, "cannot drop %s because it is required by the database system", d.describe(o))
	}
	switch o := o.(type) {
	case *catalog.Index:
		if r := d.view.Relation(o.Table); r != nil {
			if c := constraintBehind(r, o.OID); c != nil {
				label := constraintLabel(c, d.visibleName(r))
				return pgerr.New(pgerr.DependentObjectsStillExist, "cannot drop %s because %s requires it", d.describe(o), label).
					WithHint("You can drop %s instead.", label)
			}
		}
	case *catalog.Sequence:
		if r := d.view.Relation(o.OwnerTable); o.Identity && r != nil {
			owner := fmt.Sprintf("column %s of table %s", r.Columns[o.OwnerColumn-1].Name, d.visibleName(r))
			return pgerr.New(pgerr.DependentObjectsStillExist, "cannot drop %s because %s requires it", d.describe(o), owner).
				WithHint("You can drop %s instead.", owner)
		}
	case *catalog.Type:
		if r := d.view.Relation(o.Relation); r != nil && r.Kind != catalog.KindComposite {
			return pgerr.New(pgerr.DependentObjectsStillExist, "cannot drop %s because %s requires it", d.describe(o), d.describe(r)).
				WithHint("You can drop %s instead.", d.describe(r))
		}
		if e := d.view.Type(o.Elem); e != nil {
			return pgerr.New(pgerr.DependentObjectsStillExist, "cannot drop %s because %s requires it", d.describe(o), d.describe(e)).
				WithHint("You can drop %s instead.", d.describe(e))
		}
	}
	return nil
}

func (d *ddl) dropFunctions(u *plan.Drop) error {
	g := d.newDropping()
	what := ""
	var named []dropPart
	for _, ref := range u.Objects {
		f, err := d.functionNamed(string(u.Kind), ref)
		if err != nil {
			if u.IfExists && pgerr.Is(err, pgerr.UndefinedFunction) {
				d.notice(pgerr.SuccessfulCompletion, "%s, skipping", pgerr.From(err).Message)
				continue
			}
			return err
		}
		if err := d.view.LockObject(d.ctx, catalog.ClassFunction, f.OID); err != nil {
			return err
		}
		if what == "" {
			what = d.describe(f)
		}
		for _, dep := range f.Depends {
			if e := d.view.Get(catalog.ClassExtension, dep.OID); dep.Class == catalog.ClassExtension && e != nil {
				return pgerr.New(pgerr.DependentObjectsStillExist, "cannot drop %s because %s requires it", d.describe(f), d.describe(e)).
					WithHint("You can drop %s instead.", d.describe(e))
			}
		}
		named = append(named, dropPart{object: f})
	}
	return d.dropAll(g, named, what, u.Cascade)
}

// functionNamed finds a user-defined function by name and argument types.
func (d *ddl) functionNamed(kind string, ref plan.ObjectRef) (*catalog.Function, error) {
	var args []OID
	for _, a := range ref.Args {
		args = append(args, a.Type.OID)
	}
	schemas := d.bind.SearchPath()
	if ref.Name.Schema != "" {
		s, err := d.schemaNamed(ref.Name.Schema)
		if err != nil {
			return nil, err
		}
		schemas = []OID{s.OID}
	}
	var found []*catalog.Function
	for _, s := range schemas {
		for _, f := range d.view.FunctionsByName(s, ref.Name.Name) {
			if ref.HasArg && slices.Equal(f.ArgTypes, args) || !ref.HasArg && (kind == "routine" || (f.Kind == 'p') == (kind == "procedure")) {
				found = append(found, f)
			}
		}
	}
	switch {
	case len(found) == 0 && !ref.HasArg:
		return nil, pgerr.New(pgerr.UndefinedFunction, "could not find a %s named \"%s\"", kind, ref.Name)
	case len(found) == 0:
		text := d.signature(&catalog.Function{Meta: catalog.Meta{Name: ref.Name.String()}, ArgTypes: args})
		return nil, pgerr.New(pgerr.UndefinedFunction, "%s %s does not exist", kind, text)
	case len(found) > 1 && !ref.HasArg:
		return nil, pgerr.New(pgerr.AmbiguousFunction, "%s name \"%s\" is not unique", kind, ref.Name).
			WithHint("Specify the argument list to select the %s unambiguously.", kind)
	}
	f := found[0]
	written := d.signature(&catalog.Function{Meta: catalog.Meta{Name: ref.Name.String()}, ArgTypes: f.ArgTypes})
	switch word := f.Noun(); {
	case kind == "aggregate" && word != kind:
		return nil, pgerr.New(pgerr.WrongObjectType, "%s %s is not an aggregate", word, written)
	case kind != "routine" && kind != word && word == "aggregate":
		return nil, pgerr.New(pgerr.WrongObjectType, "\"%s\" is an aggregate function", f.Name).
			WithHint("Use DROP AGGREGATE to drop aggregate functions.")
	case kind == "procedure" && word == "function":
		return nil, pgerr.New(pgerr.WrongObjectType, "%s is not a procedure", written)
	case kind == "function" && word == "procedure":
		return nil, pgerr.New(pgerr.WrongObjectType, "%s is not a function", written)
	}
	return f, nil
}
