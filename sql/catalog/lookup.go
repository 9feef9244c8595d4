package catalog

import (
	"cmp"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/types"
	"slices"
)

// The look-ups by OID return nil when there is no such object.

// Get returns an object of any class.
func (v *View) Get(class Class, oid OID) Object { return v.space(class).get(class, oid) }

func find[T Object](v *View, class Class, oid OID) T {
	o, _ := v.space(class).get(class, oid).(T)
	return o
}

// Relation returns a table, view, composite type's row or system catalog.
func (v *View) Relation(oid OID) *Relation { return find[*Relation](v, ClassRelation, oid) }

// Index returns an index.
func (v *View) Index(oid OID) *Index { return find[*Index](v, ClassIndex, oid) }

// Sequence returns a sequence.
func (v *View) Sequence(oid OID) *Sequence { return find[*Sequence](v, ClassSequence, oid) }

// Type returns a user-defined type; built-in ones are in package types.
func (v *View) Type(oid OID) *Type { return find[*Type](v, ClassType, oid) }

// Function returns a user-defined function; built-in ones are in package functions.
func (v *View) Function(oid OID) *Function { return find[*Function](v, ClassFunction, oid) }

// Schema returns a schema.
func (v *View) Schema(oid OID) *Schema { return find[*Schema](v, ClassSchema, oid) }

// Role returns a role.
func (v *View) Role(oid OID) *Role { return find[*Role](v, ClassRole, oid) }

// Database returns a database.
func (v *View) Database(oid OID) *Database { return find[*Database](v, ClassDatabase, oid) }

// Statistic returns what ANALYZE found about a relation.
func (v *View) Statistic(relation OID) *Statistic {
	return find[*Statistic](v, ClassStatistic, relation)
}

// SchemaName returns a schema's name, "" when there is none.
func (v *View) SchemaName(oid OID) string {
	if s := v.Schema(oid); s != nil {
		return s.Name
	}
	return ""
}

// ByName returns the object of a class that has a name in a schema (0 for classes
// outside schemas). Relations, indexes and sequences share their names: asking for
// one of these classes returns whichever it is.
func (v *View) ByName(class Class, schema OID, name string) Object {
	return v.space(class).byName(class.nameSpace(), schema, name)
}

// RelationByName returns a relation; nil also when the name is an index's or a sequence's.
func (v *View) RelationByName(schema OID, name string) *Relation {
	r, _ := v.ByName(ClassRelation, schema, name).(*Relation)
	return r
}

// SchemaByName returns a schema; pg_temp is the session's own.
func (v *View) SchemaByName(name string) *Schema {
	if name == "pg_temp" {
		return v.Schema(v.TempSchema())
	}
	s, _ := v.ByName(ClassSchema, 0, name).(*Schema)
	return s
}

// RoleByName returns a role.
func (v *View) RoleByName(name string) *Role {
	r, _ := v.ByName(ClassRole, 0, name).(*Role)
	return r
}

// DatabaseByName returns a database.
func (v *View) DatabaseByName(name string) *Database {
	d, _ := v.ByName(ClassDatabase, 0, name).(*Database)
	return d
}

// TypeByName returns a user-defined type.
func (v *View) TypeByName(schema OID, name string) *Type {
	t, _ := v.ByName(ClassType, schema, name).(*Type)
	return t
}

// SequenceByName returns a sequence.
func (v *View) SequenceByName(schema OID, name string) *Sequence {
	s, _ := v.ByName(ClassSequence, schema, name).(*Sequence)
	return s
}

// IndexByName returns an index.
func (v *View) IndexByName(schema OID, name string) *Index {
	i, _ := v.ByName(ClassIndex, schema, name).(*Index)
	return i
}

// FunctionsByName returns the user-defined functions of a name, by OID.
func (v *View) FunctionsByName(schema OID, name string) []*Function {
	return v.own.functions(schema, name)
}

// Func returns a function, built-in or user-defined, in the form that calls hold.
func (v *View) Func(oid OID) *functions.Func {
	if f := functions.ByOID(oid); f != nil {
		return f
	}
	if f := v.Function(oid); f != nil {
		return f.Func()
	}
	return nil
}

// Func returns the function in the form that calls hold. Its defaults are empty
// texts: whoever binds a call takes the encoded ones from the descriptor.
func (f *Function) Func() *functions.Func {
	r := &functions.Func{
		OID: f.OID, Name: f.Name, Namespace: f.Schema, Kind: f.Kind,
		Args: f.ArgTypes, AllArgs: f.AllArgTypes, Modes: f.ArgModes, Names: f.ArgNames,
		Defaults: make([]string, len(f.Defaults)), Variadic: f.Variadic, Ret: f.Returns, RetSet: f.ReturnsSet,
		Volatile: f.Volatility, Parallel: f.Parallel, Strict: f.Strict, LeakProof: f.Leakproof,
		SecDef: f.SecurityDef, Cost: float64(f.Cost), Rows: float64(f.Rows), Src: f.Source,
	}
	if f.Language == "sql" {
		r.Lang = functions.LangSQL
	}
	return r
}

// IndexesOf returns the indexes of a relation in order of creation.
func (v *View) IndexesOf(r *Relation) []*Index {
	list := make([]*Index, 0, len(r.Indexes))
	for _, oid := range r.Indexes {
		if i := v.Index(oid); i != nil {
			list = append(list, i)
		}
	}
	return list
}

// ForeignKey is a foreign key and the table that has it.
type ForeignKey struct {
	Table      *Relation
	Constraint *Constraint
}

// ReferencedBy returns the foreign keys that point at a table.
func (v *View) ReferencedBy(table OID) []ForeignKey {
	var list []ForeignKey
	add := func(r *Relation) {
		for i := range r.Constraints {
			if c := &r.Constraints[i]; c.Kind == 'f' && c.RefTable == table {
				list = append(list, ForeignKey{r, c})
			}
		}
	}
	if self := v.Relation(table); self != nil {
		add(self)
	}
	for _, o := range v.own.dependents(ClassRelation, table) {
		if r, ok := o.(*Relation); ok {
			add(r)
		}
	}
	return list
}

// Dependents returns the objects that refer to an object, by class and OID.
func (v *View) Dependents(class Class, oid OID) []Object {
	list := v.own.dependents(class, oid)
	if class.Shared() {
		list = append(list, v.shared.dependents(class, oid)...)
	}
	return list
}

// Children returns the tables that inherit from a table directly, in OID order.
func (v *View) Children(oid OID) []*Relation {
	var out []*Relation
	for _, o := range v.own.dependents(ClassRelation, oid) {
		if r, ok := o.(*Relation); ok && slices.Contains(r.Inherits, oid) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b *Relation) int { return cmp.Compare(a.OID, b.OID) })
	return out
}

// ParentsWithColumn returns how many parents of a table have a column of a name.
func (v *View) ParentsWithColumn(r *Relation, name string) int {
	return v.parentsWith(r, func(p *Relation) bool {
		return slices.ContainsFunc(p.Columns, func(c Column) bool { return !c.Dropped && c.Name == name })
	})
}

// ParentsWithCheck returns how many parents of a table have a check of a name that children get.
func (v *View) ParentsWithCheck(r *Relation, name string) int {
	return v.parentsWith(r, func(p *Relation) bool {
		return slices.ContainsFunc(p.Constraints, func(c Constraint) bool { return c.Kind == 'c' && !c.NoInherit && c.Name == name })
	})
}

func (v *View) parentsWith(r *Relation, has func(*Relation) bool) int {
	n := 0
	for _, oid := range r.Inherits {
		if p := v.Relation(oid); p != nil && has(p) {
			n++
		}
	}
	return n
}

// Each calls fn for the objects of a class in OID order until it returns false.
// Fn must not change the catalog.
func (v *View) Each(class Class, fn func(Object) bool) { v.space(class).each(class, fn) }

// Between is Each for the objects with an OID from one on and below another; 0: no bound.
func (v *View) Between(class Class, from, below OID, fn func(Object) bool) {
	v.space(class).between(class, from, below, fn)
}

// Relations, Schemas and their like are Each with the class's own type.

// Relations calls fn for every relation in OID order until it returns false.
func (v *View) Relations(fn func(*Relation) bool) {
	v.own.each(ClassRelation, func(o Object) bool { return fn(o.(*Relation)) })
}

// EachIn is Each in another database, as committed.
func (v *View) EachIn(database OID, class Class, fn func(Object) bool) {
	if sp := v.base.databases[database]; sp != nil {
		sp.each(class, fn)
	}
}

// TypeByOID implements types.TypeSource for user-defined types.
func (v *View) TypeByOID(oid OID) *types.Type {
	if t := v.Type(oid); t != nil {
		return v.typeFacts(t)
	}
	return nil
}

// EnumLabels implements types.TypeSource.
func (v *View) EnumLabels(enum OID) []types.EnumLabel {
	t := v.Type(enum)
	if t == nil {
		return nil
	}
	running := uint64(0)
	if v.txn != nil {
		running = v.txn.AssignedXID()
	}
	list := make([]types.EnumLabel, len(t.Labels))
	for i, l := range t.Labels {
		list[i] = types.EnumLabel{OID: l.OID, Label: l.Label, Sort: l.Order, Uncommitted: l.Added != 0 && l.Added == running}
	}
	return list
}

// Attributes implements types.TypeSource.
func (v *View) Attributes(composite OID) []types.Attribute {
	var r *Relation
	if t := v.Type(composite); t != nil {
		r = v.Relation(t.Relation)
	} else if t := types.ByOID(composite); t != nil { // the row of a system table
		r = v.Relation(t.RelID)
	}
	if r == nil {
		return nil
	}
	list := make([]types.Attribute, len(r.Columns))
	for i := range r.Columns {
		c := &r.Columns[i]
		list[i] = types.Attribute{Name: c.Name, Type: c.Type, Typmod: c.Typmod, Collation: c.Collation, Dropped: c.Dropped}
	}
	return list
}
