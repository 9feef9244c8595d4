package syscat

import (
	"slices"

	"github.com/omendb/omendb/sql/catalog"
)

// The system tables that dependencies name.
const (
	pgTriggerOID    OID = 2620
	pgTypeOID       OID = 1247
	pgProcOID       OID = 1255
	pgNamespaceOID  OID = 2615
	pgConstraintOID OID = 2606
	pgAttrdefOID    OID = 2604
	pgRewriteOID    OID = 2618
	pgAuthidOID     OID = 1260
	pgDatabaseOID   OID = 1262
	pgTablespaceOID OID = 1213
)

// depend is one row of pg_depend.
type depend struct {
	class, object OID
	sub           int32
	refClass, ref OID
	refSub        int32
	kind          byte
	owner         OID // of an index: the table, whose columns it goes with
}

// dependRows yields what the descriptors of each object say about what it needs. A
// restriction on the depending object or on the referenced relation is a look-up.
func dependRows(g *generator) {
	emit := func(d depend) bool {
		if d.ref == 0 || d.refClass == pgNamespaceOID && d.ref == catalog.PgCatalog {
			return !g.done
		}
		return g.row(num(d.class), num(d.object), num(d.sub), num(d.refClass), num(d.ref), num(d.refSub), num(d.kind))
	}
	visit := func(o catalog.Object) bool {
		if o.Head().OID < catalog.FirstUserOID {
			return true
		}
		return dependsOf(g.view, o, emit)
	}
	classes := []catalog.Class{catalog.ClassRelation, catalog.ClassIndex, catalog.ClassSequence, catalog.ClassType, catalog.ClassFunction, catalog.ClassExtension, catalog.ClassDefaultACL}
	if object, ok := g.key(1); ok {
		class, byClass := g.key(0)
		if byClass && (class == pgClassOID || class == pgTypeOID || class == pgProcOID) {
			for _, c := range classes {
				if o := g.view.Get(c, object); o != nil && objectClasses[c] == class && !visit(o) {
					return
				}
			}
			return
		}
	}
	if ref, ok := g.key(4); ok {
		if class, ok := g.key(3); ok && class == pgClassOID {
			dependOnRelation(g, ref, visit)
			return
		}
	}
	for _, c := range classes {
		g.visit(c, visit)
		if g.done {
			return
		}
	}
}

// dependOnRelation visits the objects that can refer to a relation, and itself for the
// parts of it (constraints, defaults) that do.
func dependOnRelation(g *generator, ref OID, visit func(catalog.Object) bool) {
	for _, c := range []catalog.Class{catalog.ClassRelation, catalog.ClassIndex, catalog.ClassSequence} {
		o := g.view.Get(c, ref)
		if o == nil {
			continue
		}
		if !visit(o) {
			return
		}
		if r, ok := o.(*catalog.Relation); ok {
			if t := g.view.Type(r.RowType); t != nil && !visit(t) {
				return
			}
		}
		for _, d := range g.view.Dependents(c, ref) {
			if x, ok := d.(*catalog.Type); ok {
				if r, isRel := o.(*catalog.Relation); isRel && x.OID == r.RowType {
					continue
				}
			}
			if !visit(d) {
				return
			}
		}
	}
}

// dependsOf calls emit for the rows of pg_depend that start at an object or a part of it.
func dependsOf(v *catalog.View, o catalog.Object, emit func(depend) bool) bool {
	switch o := o.(type) {
	case *catalog.Relation:
		return relationDepends(v, o, emit)
	case *catalog.Index:
		return indexDepends(v, o, emit)
	case *catalog.Sequence:
		d := depend{class: pgClassOID, object: o.OID}
		ok := emit(d.on(pgNamespaceOID, o.Schema, 0, 'n'))
		if ok && o.OwnerTable != 0 {
			kind := byte('a')
			if o.Identity {
				kind = 'i'
			}
			ok = emit(d.on(pgClassOID, o.OwnerTable, int32(o.OwnerColumn), kind))
		}
		return ok
	case *catalog.Type:
		return typeDepends(v, o, emit)
	case *catalog.DefaultACL:
		d := depend{class: objectClasses[catalog.ClassDefaultACL], object: o.OID}
		return o.Schema == 0 || emit(d.on(pgNamespaceOID, o.Schema, 0, 'a'))
	case *catalog.Extension:
		d := depend{class: objectClasses[catalog.ClassExtension], object: o.OID}
		return emit(d.on(pgNamespaceOID, o.Target, 0, 'n'))
	case *catalog.Function:
		d := depend{class: pgProcOID, object: o.OID}
		ok := emit(d.on(pgNamespaceOID, o.Schema, 0, 'n'))
		return ok && d.list(v, catalog.References(o), emit)
	}
	return true
}

// on completes a dependency.
func (d depend) on(class, oid OID, sub int32, kind byte) depend {
	d.refClass, d.ref, d.refSub, d.kind = class, oid, sub, kind
	return d
}

// list emits recorded dependencies, those on schemas left out.
func (d depend) list(v *catalog.View, deps []catalog.Dependency, emit func(depend) bool) bool {
	for _, x := range deps {
		class := objectClasses[x.Class]
		if class == 0 || x.Class == catalog.ClassSchema {
			continue
		}
		if i := v.Index(x.OID); x.Class == catalog.ClassIndex && i != nil && i.Constraint != 0 {
			class, x.OID = pgConstraintOID, i.Constraint // a view that groups by the key
		}
		kind := byte('n')
		switch {
		case x.Class == catalog.ClassExtension:
			kind = 'e'
		case x.Auto, x.Class == catalog.ClassRelation && x.OID == d.owner:
			kind = 'a'
		}
		if x.Class == catalog.ClassRelation && x.Sub == 0 && dependsOnColumn(deps, x.OID) {
			continue
		}
		if !emit(d.on(class, x.OID, int32(x.Sub), kind)) {
			return false
		}
	}
	return true
}

// dependsOnColumn reports whether dependencies name a column of a relation, beside which the relation itself is
// not listed.
func dependsOnColumn(deps []catalog.Dependency, rel OID) bool {
	return slices.ContainsFunc(deps, func(x catalog.Dependency) bool {
		return x.Class == catalog.ClassRelation && x.OID == rel && x.Sub > 0
	})
}

func relationDepends(v *catalog.View, r *catalog.Relation, emit func(depend) bool) bool {
	d := depend{class: pgClassOID, object: r.OID}
	ok := true
	if r.Kind == catalog.KindComposite {
		ok = emit(d.on(pgTypeOID, r.RowType, 0, 'i'))
	} else {
		ok = emit(d.on(pgNamespaceOID, r.Schema, 0, 'n'))
	}
	for _, p := range r.Inherits {
		ok = ok && emit(d.on(pgClassOID, p, 0, 'n'))
	}
	for i := range r.Columns {
		c := &r.Columns[i]
		if c.Dropped {
			continue
		}
		d.sub = int32(c.Num)
		if c.Type >= catalog.FirstUserOID {
			ok = ok && emit(d.on(pgTypeOID, c.Type, 0, 'n'))
		}
		if hasDefault(c) {
			def := depend{class: pgAttrdefOID, object: attrdefOID(r.OID, c.Num)}
			kind := byte('a')
			if c.Generated != 0 {
				kind = 'i'
			}
			ok = ok && emit(def.on(pgClassOID, r.OID, int32(c.Num), kind)) && def.list(v, c.Depends, emit)
		}
	}
	if r.Kind == catalog.KindView || r.Kind == catalog.KindMatView {
		rule := depend{class: pgRewriteOID, object: ruleOID(r.OID)}
		ok = ok && emit(rule.on(pgClassOID, r.OID, 0, 'i')) && emit(rule.on(pgClassOID, r.OID, 0, 'n')) && rule.list(v, r.Depends, emit)
	}
	for i := range r.Constraints {
		ok = ok && constraintDepends(v, r, &r.Constraints[i], emit)
	}
	return ok
}

func constraintDepends(v *catalog.View, r *catalog.Relation, c *catalog.Constraint, emit func(depend) bool) bool {
	d := depend{class: pgConstraintOID, object: c.OID}
	ok := true
	if len(c.Columns) == 0 {
		ok = emit(d.on(pgClassOID, r.OID, 0, 'a'))
	}
	for _, n := range c.Columns {
		ok = ok && emit(d.on(pgClassOID, r.OID, int32(n), 'a'))
	}
	if recheckTrigger(c) {
		t := depend{class: pgTriggerOID, object: triggerOID(c, 0)}
		ok = ok && emit(t.on(pgConstraintOID, c.OID, 0, 'i'))
	}
	if c.Kind == 'f' {
		for _, n := range c.RefColumns {
			ok = ok && emit(d.on(pgClassOID, c.RefTable, int32(n), 'n'))
		}
		ok = ok && emit(d.on(pgClassOID, c.Index, 0, 'n'))
		for i := range foreignKeyTriggers {
			t := depend{class: pgTriggerOID, object: triggerOID(c, i)}
			ok = ok && emit(t.on(pgConstraintOID, c.OID, 0, 'i'))
		}
	}
	var others []catalog.Dependency // the table's own columns are listed above, and again where a check reads them
	for _, x := range c.Depends {
		if x.Class != catalog.ClassRelation || x.OID != r.OID || c.Kind == 'c' && x.Sub > 0 {
			others = append(others, x)
		}
	}
	return ok && d.list(v, others, emit)
}

func indexDepends(v *catalog.View, x *catalog.Index, emit func(depend) bool) bool {
	d := depend{class: pgClassOID, object: x.OID, owner: x.Table}
	if x.Constraint != 0 {
		return emit(d.on(pgConstraintOID, x.Constraint, 0, 'i'))
	}
	ok := true
	seen := false
	for i := range x.Keys {
		if n := x.Keys[i].Column; n > 0 {
			seen = true
			ok = ok && emit(d.on(pgClassOID, x.Table, int32(n), 'a'))
		}
	}
	for _, n := range x.Include {
		ok = ok && emit(d.on(pgClassOID, x.Table, int32(n), 'a'))
	}
	if !seen {
		ok = ok && emit(d.on(pgClassOID, x.Table, 0, 'a'))
	}
	return ok && d.list(v, x.Depends, emit)
}

func typeDepends(v *catalog.View, t *catalog.Type, emit func(depend) bool) bool {
	d := depend{class: pgTypeOID, object: t.OID}
	if t.Kind == 'b' && t.Elem != 0 {
		return emit(d.on(pgTypeOID, t.Elem, 0, 'i'))
	}
	if t.Relation != 0 {
		if r := v.Relation(t.Relation); r != nil && r.Kind != catalog.KindComposite {
			return emit(d.on(pgClassOID, t.Relation, 0, 'i'))
		}
		return emit(d.on(pgNamespaceOID, t.Schema, 0, 'n'))
	}
	ok := emit(d.on(pgNamespaceOID, t.Schema, 0, 'n'))
	if t.Base >= catalog.FirstUserOID {
		ok = ok && emit(d.on(pgTypeOID, t.Base, 0, 'n'))
	}
	for i := range t.Checks {
		c := depend{class: pgConstraintOID, object: t.Checks[i].OID}
		ok = ok && emit(c.on(pgTypeOID, t.OID, 0, 'a')) && c.list(v, t.Checks[i].Depends, emit)
	}
	return ok
}

// shdependRows yields the owners and grantees of this database's objects.
func shdependRows(g *generator) {
	visit := func(class catalog.Class, database OID) {
		g.visit(class, func(o catalog.Object) bool {
			h := o.Head()
			if h.OID < catalog.FirstUserOID && class != catalog.ClassSchema {
				return !g.done
			}
			sharedDepends(g, database, class, o)
			return !g.done
		})
	}
	for _, c := range []catalog.Class{catalog.ClassSchema, catalog.ClassRelation, catalog.ClassSequence, catalog.ClassType, catalog.ClassFunction, catalog.ClassDefaultACL} {
		visit(c, g.view.DatabaseOID())
	}
	visit(catalog.ClassDatabase, 0)
	for _, class := range []catalog.Class{catalog.ClassBuiltinACL, catalog.ClassSharedACL} {
		g.visit(class, func(o catalog.Object) bool { return builtinShdepend(g, o.(*catalog.BuiltinACL)) })
	}
}

// builtinClasses are the system tables of objects whose privileges a BuiltinACL keeps.
var builtinClasses = map[byte]OID{catalog.BuiltinFunction: pgProcOID, catalog.BuiltinType: pgTypeOID, catalog.BuiltinRelation: pgClassOID,
	catalog.BuiltinLanguage: 2612, catalog.BuiltinTablespace: pgTablespaceOID, catalog.BuiltinParameter: 6243}

// builtinShdepend yields the roles that were granted something on a built-in object.
func builtinShdepend(g *generator, b *catalog.BuiltinACL) bool {
	database := OID(0)
	if b.Class() == catalog.ClassBuiltinACL {
		database = g.view.DatabaseOID()
	}
	for _, a := range b.ACL {
		if a.Grantee >= catalog.FirstUserOID && !g.row(num(database), num(builtinClasses[b.Kind]), num(b.OID), num(0), num(pgAuthidOID), num(a.Grantee), num(byte('a'))) {
			return false
		}
	}
	return !g.done
}

// sharedDepends yields the rows of one object.
func sharedDepends(g *generator, database OID, class catalog.Class, o catalog.Object) {
	h := o.Head()
	emit := func(sub int16, role OID, kind byte) {
		g.row(num(database), num(objectClasses[class]), num(h.OID), num(sub), num(pgAuthidOID), num(role), num(kind))
	}
	grantees := func(sub int16, owner OID, list []catalog.ACLItem) {
		for i, a := range list {
			again := slices.ContainsFunc(list[:i], func(b catalog.ACLItem) bool { return b.Grantee == a.Grantee })
			if a.Grantee >= catalog.FirstUserOID && a.Grantee != owner && !again {
				emit(sub, a.Grantee, 'a')
			}
		}
	}
	owner, acl := h.Owner, h.ACL
	if d, ok := o.(*catalog.DefaultACL); ok {
		owner, acl = d.Role, d.ACL
	}
	owned := true // what goes with another object has no owner of its own
	switch o := o.(type) {
	case *catalog.Type:
		r := g.view.Relation(o.Relation)
		owned = (o.Kind != 'b' || o.Elem == 0) && (r == nil || r.Kind == catalog.KindComposite)
	case *catalog.Relation:
		owned = o.Kind != catalog.KindComposite
	}
	if owned && owner >= catalog.FirstUserOID && h.OID >= catalog.FirstUserOID {
		emit(0, owner, 'o')
	}
	grantees(0, owner, acl)
	if r, ok := o.(*catalog.Relation); ok {
		for i := range r.Columns {
			grantees(r.Columns[i].Num, r.Owner, r.Columns[i].ACL)
		}
	}
}

// descriptionRows yields the comments on this database's objects.
func descriptionRows(g *generator) {
	if oid, ok := g.key(0); ok {
		for _, c := range commented {
			if o := g.view.Get(c, oid); o != nil && !describe(g, o) {
				return
			}
		}
		constraintDescriptions(g, oid)
		return
	}
	for _, c := range commented {
		g.visit(c, func(o catalog.Object) bool { return describe(g, o) })
		if g.done {
			return
		}
	}
	constraintDescriptions(g, 0)
}

// commented are the classes of objects inside databases that can have comments.
var commented = []catalog.Class{catalog.ClassSchema, catalog.ClassRelation, catalog.ClassSequence, catalog.ClassIndex,
	catalog.ClassType, catalog.ClassFunction, catalog.ClassExtension}

// initialComments are those that the schemas of a new database have; the facts have them, too.
var initialComments = map[OID]string{catalog.PgCatalog: "system catalog schema", catalog.PgToast: "reserved schema for TOAST tables",
	catalog.Public: "standard public schema"}

func describe(g *generator, o catalog.Object) bool {
	h := o.Head()
	class := objectClasses[o.Class()]
	if h.Comment != "" && initialComments[h.OID] != h.Comment {
		if !g.row(num(h.OID), num(class), num(0), str(h.Comment)) {
			return false
		}
	}
	if r, ok := o.(*catalog.Relation); ok && h.OID >= catalog.FirstUserOID {
		for i := range r.Columns {
			if c := &r.Columns[i]; c.Comment != "" && !c.Dropped && !g.row(num(h.OID), num(class), num(c.Num), str(c.Comment)) {
				return false
			}
		}
	}
	return !g.done
}

// constraintDescriptions yields the comments on constraints, oid 0: of all.
func constraintDescriptions(g *generator, oid OID) {
	show := func(list []catalog.Constraint) bool {
		for i := range list {
			if c := &list[i]; c.Comment != "" && (oid == 0 || c.OID == oid) &&
				!g.row(num(c.OID), num(pgConstraintOID), num(0), str(c.Comment)) {
				return false
			}
		}
		return !g.done
	}
	g.visit(catalog.ClassRelation, func(o catalog.Object) bool {
		r := o.(*catalog.Relation)
		for i := range r.Extended {
			if s := &r.Extended[i]; s.Comment != "" && (oid == 0 || s.OID == oid) &&
				!g.row(num(s.OID), num(pgStatisticExtOID), num(0), str(s.Comment)) {
				return false
			}
		}
		return show(r.Constraints)
	})
	if !g.done {
		g.visit(catalog.ClassType, func(o catalog.Object) bool { return show(o.(*catalog.Type).Checks) })
	}
}

func shdescriptionRows(g *generator) {
	visit := func(class catalog.Class) {
		g.visit(class, func(o catalog.Object) bool {
			h := o.Head()
			if h.Comment == "" || h.OID < catalog.FirstUserOID && factComment(h.OID, objectClasses[class]) == h.Comment {
				return !g.done
			}
			return g.row(num(h.OID), num(objectClasses[class]), str(h.Comment))
		})
	}
	visit(catalog.ClassDatabase)
	if !g.done {
		visit(catalog.ClassRole)
	}
}

// factComment returns the comment that the facts have on a shared object.
func factComment(oid, class OID) string {
	f := builtin().byOID[2396].Virtual.(*systemTable).facts()
	for _, i := range f.find(0, num(oid)) {
		if row := f.rows[i]; OID(row[1].I) == class {
			return row[2].String()
		}
	}
	return ""
}
