package catalog

// References lists what an object needs to exist: the dependencies recorded with it,
// and those that follow from its structure (its schema, its columns' types, the
// tables that its foreign keys point to …). Built-in objects are left out, since
// they cannot be dropped; schemas below FirstUserOID can be, and are listed.
func References(o Object) []Dependency {
	h := o.Head()
	r := refList{self: keyOf(o.Class(), h.OID)}
	if h.Schema != 0 && h.Schema != PgCatalog {
		r.add(Dependency{Class: ClassSchema, OID: h.Schema})
	}
	for _, d := range h.Depends {
		r.add(d)
	}
	switch o := o.(type) {
	case *Relation:
		r.relation(o)
	case *Index:
		r.add(Dependency{Class: ClassRelation, OID: o.Table, Auto: true})
		for _, k := range o.Keys {
			r.typ(k.Type)
		}
	case *Sequence:
		if o.OwnerTable != 0 {
			r.add(Dependency{Class: ClassRelation, OID: o.OwnerTable, Sub: o.OwnerColumn, Auto: true})
		}
	case *Type:
		r.typ(o.Base)
		r.typ(o.Elem)
		if o.Relation != 0 {
			r.add(Dependency{Class: ClassRelation, OID: o.Relation, Auto: true})
		}
		for i := range o.Checks {
			r.all(o.Checks[i].Depends)
		}
	case *Function:
		for _, t := range o.AllArgTypes {
			r.typ(t)
		}
		for _, t := range o.ArgTypes {
			r.typ(t)
		}
		r.typ(o.Returns)
	case *Statistic:
		r.add(Dependency{Class: ClassRelation, OID: h.OID, Auto: true})
	}
	return r.list
}

type refList struct {
	self objectKey
	list []Dependency
}

func (r *refList) add(d Dependency) {
	if d.OID != 0 && keyOf(d.Class, d.OID) != r.self {
		r.list = append(r.list, d)
	}
}

func (r *refList) all(ds []Dependency) {
	for _, d := range ds {
		r.add(d)
	}
}

func (r *refList) typ(oid OID) {
	if oid >= FirstUserOID {
		r.add(Dependency{Class: ClassType, OID: oid})
	}
}

func (r *refList) relation(o *Relation) {
	for i := range o.Columns {
		c := &o.Columns[i]
		if c.Dropped {
			continue
		}
		r.typ(c.Type)
		r.all(c.Depends)
	}
	for i := range o.Constraints {
		c := &o.Constraints[i]
		if c.RefTable != 0 {
			r.add(Dependency{Class: ClassRelation, OID: c.RefTable})
		}
		r.all(c.Depends)
	}
	for _, parent := range o.Inherits {
		r.add(Dependency{Class: ClassRelation, OID: parent})
	}
}
