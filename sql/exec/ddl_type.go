package exec

import (
	"fmt"
	"slices"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// newType starts a type in the schema that its name leads to.
func (d *ddl) newType(name plan.QName, kind byte) (*catalog.Type, error) {
	schema, _, err := d.creationSchema(name, false)
	if err != nil {
		return nil, err
	}
	return &catalog.Type{
		Meta: catalog.Meta{Name: name.Name, Schema: schema, Owner: d.bind.User()}, Kind: kind, BaseTypmod: -1,
	}, nil
}

func (d *ddl) createEnum(c *plan.CreateEnum) error {
	t, err := d.newType(c.Name, 'e')
	if err != nil {
		return err
	}
	t.Category = 'E'
	for i, label := range c.Labels {
		if err := checkLabel(label); err != nil {
			return err
		}
		if slices.ContainsFunc(t.Labels, func(l catalog.EnumLabel) bool { return l.Label == label }) {
			return pgerr.New(pgerr.UniqueViolation, "duplicate key value violates unique constraint \"pg_enum_typid_label_index\"").
				WithDetail("The label \"%s\" is listed twice.", label)
		}
		oid, err := d.view.NewOID()
		if err != nil {
			return err
		}
		t.Labels = append(t.Labels, catalog.EnumLabel{OID: oid, Order: float32(i + 1), Label: label})
	}
	return d.makeType(t)
}

func checkLabel(label string) error {
	if len(label) > maxName {
		return pgerr.New(pgerr.InvalidName, "invalid enum label \"%s\"", label).
			WithDetail("Labels must be %d bytes or less.", maxName)
	}
	return nil
}

// lockType finds a type and takes its lock.
// noDomain says why there is no domain of a name; builtin is what one of the server's own types is called then.
func (d *ddl) noDomain(name plan.QName, builtin string) (code, message string) {
	if t := types.ByName(name.Name); t != nil && (name.Schema == "" || name.Schema == "pg_catalog") {
		if builtin == "" {
			builtin = d.env.FormatType(t.OID, -1)
		}
		return pgerr.WrongObjectType, builtin + " is not a domain"
	}
	return pgerr.UndefinedObject, fmt.Sprintf("type \"%s\" does not exist", name)
}

func (d *ddl) lockType(name plan.QName) (*catalog.Type, error) {
	if name.Schema != "" {
		if _, err := d.schemaNamed(name.Schema); err != nil {
			return nil, err
		}
	}
	o := d.find(catalog.ClassType, name)
	if o == nil {
		return nil, pgerr.New(pgerr.UndefinedObject, "type \"%s\" does not exist", name)
	}
	if err := d.view.LockObject(d.ctx, catalog.ClassType, o.Head().OID); err != nil {
		return nil, err
	}
	if t := d.view.Type(o.Head().OID); t != nil {
		return t, nil
	}
	return nil, pgerr.New(pgerr.UndefinedObject, "type \"%s\" does not exist", name)
}

func (d *ddl) alterEnum(a *plan.AlterEnum) error {
	t, err := d.lockType(a.Name)
	if err != nil {
		return err
	}
	if t.Kind != 'e' {
		return pgerr.New(pgerr.WrongObjectType, "%s is not an enum", d.env.FormatType(t.OID, -1))
	}
	if err := checkLabel(a.New); err != nil {
		return err
	}
	at := func(label string) int {
		return slices.IndexFunc(t.Labels, func(l catalog.EnumLabel) bool { return l.Label == label })
	}
	next := *t
	next.Labels = slices.Clone(t.Labels)
	if a.Old != "" {
		i := at(a.Old)
		if i < 0 {
			return pgerr.New(pgerr.InvalidParameterValue, "\"%s\" is not an existing enum label", a.Old)
		}
		if at(a.New) >= 0 {
			return pgerr.New(pgerr.DuplicateObject, "enum label \"%s\" already exists", a.New)
		}
		next.Labels[i].Label = a.New
		return d.put(&next)
	}
	if at(a.New) >= 0 {
		if a.IfExists {
			d.notice(pgerr.DuplicateObject, "enum label \"%s\" already exists, skipping", a.New)
			return nil
		}
		return pgerr.New(pgerr.DuplicateObject, "enum label \"%s\" already exists", a.New)
	}
	place := len(next.Labels)
	if a.Neighbor != "" {
		i := at(a.Neighbor)
		if i < 0 {
			return pgerr.New(pgerr.InvalidParameterValue, "\"%s\" is not an existing enum label", a.Neighbor)
		}
		place = i
		if !a.Before {
			place++
		}
	}
	label := catalog.EnumLabel{Label: a.New, Added: d.rt.Txn.XID()}
	if label.OID, err = d.view.NewOID(); err != nil {
		return err
	}
	switch {
	case len(next.Labels) == 0:
		label.Order = 1
	case place == len(next.Labels):
		label.Order = next.Labels[place-1].Order + 1
	case place == 0:
		label.Order = next.Labels[0].Order - 1
	default:
		label.Order = (next.Labels[place-1].Order + next.Labels[place].Order) / 2
	}
	next.Labels = slices.Insert(next.Labels, place, label)
	if place > 0 && label.Order == next.Labels[place-1].Order || place+1 < len(next.Labels) && label.Order == next.Labels[place+1].Order {
		for i := range next.Labels { // no number is left between the neighbours
			next.Labels[i].Order = float32(i + 1)
		}
	}
	return d.put(&next)
}

func (d *ddl) createComposite(c *plan.CreateComposite) error {
	schema, temp, err := d.creationSchema(c.Name, false)
	if err != nil {
		return err
	}
	if d.view.TypeByName(schema, c.Name.Name) != nil {
		return pgerr.New(pgerr.DuplicateObject, "type \"%s\" already exists", c.Name.Name)
	}
	taken, err := d.claimName(catalog.ClassRelation, schema, c.Name.Name)
	if err != nil {
		return err
	}
	if taken {
		return pgerr.New(pgerr.DuplicateTable, "relation \"%s\" already exists", c.Name.Name)
	}
	r := &catalog.Relation{
		Meta: catalog.Meta{Name: c.Name.Name, Schema: schema, Owner: d.bind.User()}, Kind: catalog.KindComposite, Persistence: 'p', ReplIdent: 'n',
	}
	if temp {
		r.Persistence = 't'
	}
	var cols []catalog.Column
	for _, def := range c.Columns {
		if err := d.checkColumnType(def); err != nil {
			return err
		}
		cols = append(cols, catalog.Column{Name: def.Name, Type: def.Type.Type.OID, Typmod: def.Type.Type.Typmod, Collation: def.Collation, Dims: int16(def.Dims)})
	}
	return d.makeRelation(r, cols)
}

// alterComposite is ALTER TYPE … ADD/DROP/ALTER ATTRIBUTE. The attributes of a type that
// tables use cannot change, since stored rows would have to.
func (d *ddl) alterComposite(a *plan.AlterTable) error {
	t, err := d.lockType(a.Name)
	if err != nil {
		return err
	}
	r := d.view.Relation(t.Relation)
	if r == nil || r.Kind != catalog.KindComposite {
		return pgerr.New(pgerr.WrongObjectType, "\"%s\" is not a composite type", a.Name.Name)
	}
	for _, o := range d.view.Dependents(catalog.ClassType, t.OID) {
		if user, ok := o.(*catalog.Relation); ok && user.Store != 0 {
			for i := range user.Columns {
				if c := &user.Columns[i]; c.Type == t.OID {
					return pgerr.New(pgerr.FeatureNotSupported, "cannot alter type \"%s\" because column \"%s.%s\" uses it", t.Name, user.Name, c.Name)
				}
			}
		}
	}
	if err := d.view.LockObject(d.ctx, catalog.ClassRelation, r.OID); err != nil {
		return err
	}
	w := d.alter(d.view.Relation(r.OID))
	for _, c := range a.Commands {
		if err := w.attributeCommand(c); err != nil {
			return err
		}
	}
	return d.put(w.rel)
}

func (w *alterWork) attributeCommand(c *plan.AlterCommand) error {
	if c.Action == "add_column" {
		def := c.Column
		if columnNamed(w.rel, def.Name) != nil {
			return pgerr.New(pgerr.DuplicateColumn, "column \"%s\" of relation \"%s\" already exists", def.Name, w.rel.Name)
		}
		if err := w.d.checkColumnType(def); err != nil {
			return err
		}
		return w.appendColumn(catalog.Column{Name: def.Name, Type: def.Type.Type.OID, Typmod: def.Type.Type.Typmod, Collation: def.Collation, Dims: int16(def.Dims)})
	}
	col := columnNamed(w.rel, c.Name)
	if col == nil {
		if c.Missing {
			w.d.notice(pgerr.SuccessfulCompletion, "column \"%s\" of relation \"%s\" does not exist, skipping", c.Name, w.rel.Name)
			return nil
		}
		return undefinedColumn(c.Name, w.rel.Name)
	}
	switch c.Action {
	case "drop_column":
		w.d.dropColumn(w.rel, col.Num)
	case "alter_column_type":
		col.Type, col.Typmod, col.Collation = c.Column.Type.Type.OID, c.Column.Type.Type.Typmod, c.Column.Collation
	default:
		return pgerr.Unsupported("ALTER TYPE … %s is not supported", actionText(c.Action))
	}
	return nil
}

func (d *ddl) createDomain(c *plan.CreateDomain) error {
	t, err := d.newType(c.Name, 'd')
	if err != nil {
		return err
	}
	base := d.env.Type(c.Type.Type.OID)
	if base == nil || base.TypType == 'p' {
		return pgerr.New(pgerr.DatatypeMismatch, "\"%s\" is not a valid base type for a domain", d.env.FormatType(c.Type.Type.OID, -1))
	}
	if err := d.mayUseType(base.OID); err != nil {
		return err
	}
	t.Base, t.BaseTypmod, t.Collation, t.Category = base.OID, c.Type.Type.Typmod, c.Collation, base.Category
	typ := plan.Type{OID: t.Base, Typmod: t.BaseTypmod, Collation: t.Collation}
	if c.Default != nil {
		if err := d.setDomainDefault(t, c.Default, typ); err != nil {
			return err
		}
	} else if b := d.view.Type(base.OID); b != nil && b.Kind == 'd' {
		t.Default, t.DefaultTxt, t.Depends = b.Default, b.DefaultTxt, append(t.Depends, b.Depends...)
	}
	for _, def := range c.Constraints {
		if def.Kind == 'n' {
			t.NotNull = true
			continue
		}
		if _, err := d.domainCheck(t, def); err != nil {
			return err
		}
	}
	return d.makeType(t)
}

// domainCheck adds a CHECK to a domain.
func (d *ddl) domainCheck(t *catalog.Type, def *plan.ConstraintDef) (*plan.Stored, error) {
	s, err := d.bind.Store(plan.StoredRequest{Kind: plan.StoredDomainCheck, Raw: def.Check, Type: plan.Type{OID: t.Base, Typmod: t.BaseTypmod, Collation: t.Collation}})
	if err != nil {
		return nil, err
	}
	name := def.Name
	taken := map[string]bool{}
	for _, c := range t.Checks {
		taken[c.Name] = true
	}
	for n := 0; name == "" || n == 0 && taken[name]; n++ {
		if name != "" {
			return nil, pgerr.New(pgerr.DuplicateObject, "constraint \"%s\" for domain \"%s\" already exists", name, t.Name)
		}
		label := "check"
		if n > 0 {
			label += fmt.Sprint(n)
		}
		if try := makeName(t.Name, "", label); !taken[try] {
			name = try
			break
		}
	}
	oid, err := d.view.NewOID()
	t.Checks = append(t.Checks, catalog.Constraint{
		OID: oid, Name: name, Kind: 'c', Expr: s.Encoded, Validated: !def.NotValid, Depends: s.Depends,
	})
	return s, err
}

func (d *ddl) alterDomain(a *plan.AlterDomain) error {
	if d.find(catalog.ClassType, a.Name) == nil && (a.Name.Schema == "" || a.Name.Schema == "pg_catalog") {
		code, message := d.noDomain(a.Name, "")
		return pgerr.New(code, "%s", message)
	}
	t, err := d.lockType(a.Name)
	if err != nil {
		return err
	}
	if t.Kind != 'd' {
		return pgerr.New(pgerr.WrongObjectType, "%s is not a domain", d.env.FormatType(t.OID, -1))
	}
	next := *t
	next.Checks = slices.Clone(t.Checks)
	c := a.Command
	switch c.Action {
	case "column_default":
		next.Default, next.DefaultTxt, next.Depends = nil, "", nil
		if c.Expr != nil {
			typ := plan.Type{OID: t.Base, Typmod: t.BaseTypmod, Collation: t.Collation}
			if err := d.setDomainDefault(&next, c.Expr, typ); err != nil {
				return err
			}
		}
	case "drop_not_null":
		next.NotNull = false
	case "set_not_null":
		next.NotNull = true
		err = d.eachDomainValue(t, func(r *catalog.Relation, col *catalog.Column, v *column.Vec, sel []int32) error {
			for _, row := range sel {
				if v.Null(int(row)) {
					return pgerr.New(pgerr.NotNullViolation, "column \"%s\" of table \"%s\" contains null values", col.Name, r.Name)
				}
			}
			return nil
		})
	case "add_constraint":
		s, e := d.domainCheck(&next, c.Constraint)
		if err = e; err == nil && !c.Constraint.NotValid {
			err = d.testDomain(t, s.Expr)
		}
	case "drop_constraint":
		i := slices.IndexFunc(next.Checks, func(k catalog.Constraint) bool { return k.Name == c.Name })
		if i < 0 {
			if c.Missing {
				d.notice(pgerr.SuccessfulCompletion, "constraint \"%s\" of domain \"%s\" does not exist, skipping", c.Name, t.Name)
				return nil
			}
			return pgerr.New(pgerr.UndefinedObject, "constraint \"%s\" of domain \"%s\" does not exist", c.Name, t.Name)
		}
		next.Checks = slices.Delete(next.Checks, i, i+1)
	case "validate_constraint":
		i := slices.IndexFunc(next.Checks, func(k catalog.Constraint) bool { return k.Name == c.Name })
		if i < 0 {
			return pgerr.New(pgerr.UndefinedObject, "constraint \"%s\" of domain \"%s\" does not exist", c.Name, t.Name)
		}
		e, err := d.bind.DecodeExpr(next.Checks[i].Expr)
		if err != nil {
			return err
		}
		if err := d.testDomain(t, e); err != nil {
			return err
		}
		next.Checks[i].Validated = true
	}
	if err != nil {
		return err
	}
	return d.put(&next)
}

// testDomain tests a condition on VALUE against every stored value of a domain.
func (d *ddl) testDomain(t *catalog.Type, cond plan.Expr) error {
	value := &cell{kind: d.env.Kind(t.OID)}
	c := &compiler{st: newState(d.rt, &plan.Statement{}), cases: []*cell{value}}
	check, err := c.expr(cond)
	if err != nil {
		return err
	}
	return d.eachDomainValue(t, func(r *catalog.Relation, col *catalog.Column, v *column.Vec, sel []int32) error {
		for _, at := range sel {
			value.setRow(v.Datum(int(at)))
			ok, err := check.row(&row{})
			if err != nil {
				return err
			}
			if !ok.Null && ok.I == 0 {
				return pgerr.New(pgerr.CheckViolation, "column \"%s\" of table \"%s\" contains values that violate the new constraint", col.Name, r.Name)
			}
		}
		return nil
	})
}

// insideOthers refuses to change what is allowed in a domain whose values lie inside those of other types: nobody looks for them there.
func (d *ddl) insideOthers(t *catalog.Type) (err error) {
	d.view.Relations(func(r *catalog.Relation) bool {
		for i := range r.Columns {
			c := &r.Columns[i]
			if r.Store != 0 && !c.Dropped && !d.overDomain(c.Type, t.OID) && d.contains(c.Type, t.OID) {
				err = pgerr.New(pgerr.FeatureNotSupported, "cannot alter type \"%s\" because column \"%s.%s\" uses it", t.Name, r.Name, c.Name)
			}
		}
		return err == nil
	})
	return err
}

// overDomain reports whether a type is a domain or one over it.
func (d *ddl) overDomain(t, domain OID) bool {
	for t != domain {
		u := d.view.Type(t)
		if u == nil || u.Kind != 'd' {
			return false
		}
		t = u.Base
	}
	return true
}

// contains reports whether values of a type have values of a domain in them.
func (d *ddl) contains(t, domain OID) bool {
	u := d.view.Type(t)
	switch {
	case d.overDomain(t, domain):
		return true
	case u == nil:
		return false
	case u.Kind == 'd':
		return d.contains(u.Base, domain)
	case u.Elem != 0:
		return d.contains(u.Elem, domain)
	case u.Relation != 0:
		r := d.view.Relation(u.Relation)
		return r != nil && slices.ContainsFunc(r.Columns, func(c catalog.Column) bool { return !c.Dropped && d.contains(c.Type, domain) })
	}
	return false
}

// eachDomainValue calls fn for the batches of every column of a domain.
func (d *ddl) eachDomainValue(t *catalog.Type, fn func(*catalog.Relation, *catalog.Column, *column.Vec, []int32) error) error {
	d.step()
	if err := d.insideOthers(t); err != nil {
		return err
	}
	var using []*catalog.Relation
	d.view.Relations(func(r *catalog.Relation) bool {
		if r.Store != 0 && slices.ContainsFunc(r.Columns, func(c catalog.Column) bool { return !c.Dropped && d.overDomain(c.Type, t.OID) }) {
			using = append(using, r)
		}
		return true
	})
	for _, r := range using {
		if err := d.lockTable(r.OID, engine.LockShare); err != nil {
			return err
		}
		for i := range r.Columns {
			c := &r.Columns[i]
			if c.Dropped || !d.overDomain(c.Type, t.OID) {
				continue
			}
			err := d.eachBatch(r, func(rows *column.Batch, _ [][]byte) error {
				return fn(r, c, &rows.Cols[i], presentRows(rows))
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// setDomainDefault binds the default of a domain and keeps its text, which clients show.
func (d *ddl) setDomainDefault(t *catalog.Type, raw plan.RawExpr, typ plan.Type) error {
	s, err := d.bind.Store(plan.StoredRequest{Kind: plan.StoredDefault, Raw: raw, Column: t.Name, Type: typ})
	if err != nil {
		return err
	}
	e, err := d.bind.DecodeExpr(s.Encoded)
	if err != nil {
		return err
	}
	t.Default, t.DefaultTxt, t.Depends = s.Encoded, d.bind.Deparse(e, &catalog.Relation{}), s.Depends
	return nil
}

// domainDefault gives existing rows the default of a domain.
func (w *alterWork) domainDefault(at int) error {
	col := &w.rel.Columns[at]
	t := w.d.view.Type(col.Type)
	if t == nil || t.Default == nil && !t.NotNull && len(t.Checks) == 0 {
		return nil
	}
	e := plan.Expr(&plan.Const{Base: plan.Base{Typ: plan.Type{OID: t.Base, Typmod: t.BaseTypmod}, Pos: -1}, Value: column.Null()})
	if t.Default != nil {
		var err error
		if e, err = w.d.bind.DecodeExpr(t.Default); err != nil {
			return err
		}
	}
	e = &plan.DomainCast{Base: plan.Base{Typ: plan.Type{OID: t.OID, Typmod: -1}, Pos: -1}, Arg: e}
	return w.fillColumn(at, &plan.Stored{Expr: e, Mutable: 'v'}, false)
}
