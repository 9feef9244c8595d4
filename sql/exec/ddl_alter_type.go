package exec

import (
	"errors"
	"slices"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// alterType changes a column's type, and with it every row unless the values stay as they are.
func (w *alterWork) alterType(c *plan.AlterCommand) error {
	d, def := w.d, c.Column
	name := c.Name
	if name == "" {
		name = def.Name
	}
	if systemColumns[name] {
		return pgerr.New(pgerr.FeatureNotSupported, "cannot alter system column \"%s\"", name)
	}
	col := columnNamed(w.rel, name)
	if col == nil {
		return undefinedColumn(name, w.rel.Name)
	}
	if col.Inherited && !c.Inherited {
		return pgerr.New(pgerr.InvalidTableDefinition, "cannot alter inherited column \"%s\"", name)
	}
	if err := d.checkColumnType(&plan.ColumnDef{Name: name, Type: def.Type}); err != nil {
		return err
	}
	t := def.Type.Type
	same := col.Type == t.OID && col.Typmod == t.Typmod && col.Collation == def.Collation
	if err := w.typeUsers(col); err != nil {
		return err
	}
	if col.Generated != 0 && c.Expr != nil {
		return pgerr.New(pgerr.InvalidColumnDefinition, "cannot specify USING when altering type of generated column").
			WithDetail("Column \"%s\" is a generated column.", name)
	}
	checks, err := w.checkTexts(col.Num)
	if err != nil {
		return err
	}
	extended, err := w.extendedTexts(col.Num)
	if err != nil {
		return err
	}
	var indexes []indexText
	if !same { // the same type again, which tools ask for, disturbs no index
		if indexes, err = w.indexTexts(col.Num); err != nil {
			return err
		}
	}
	target := def.Type.Type
	target.Collation = def.Collation
	s, err := d.bind.Store(plan.StoredRequest{Kind: plan.StoredUsing, Raw: c.Expr, Table: w.old, Column: name, Type: target})
	if err != nil {
		return err
	}
	var was plan.Expr
	if col.Default != nil && col.Sequence == 0 {
		if was, err = d.bind.DecodeExpr(col.Default); err != nil {
			return err
		}
	}
	if col.Identity != 0 && col.Type != target.OID {
		as := []plan.Option{{Name: "as", Value: d.env.Type(target.OID).Name}}
		if err := d.view.LockObject(d.ctx, catalog.ClassSequence, col.Sequence); err != nil {
			return err
		}
		if err := d.changeSequence(d.view.Sequence(col.Sequence), as); err != nil {
			return err
		}
	}
	if storage := d.env.Type(target.OID).Storage; col.Type != target.OID {
		col.Storage = storage
	}
	col.Type, col.Typmod, col.Collation, col.Dims = target.OID, target.Typmod, target.Collation, int16(def.Dims)
	if was != nil {
		if err := w.convertDefault(col, was); err != nil {
			return err
		}
	}
	if !sameStorage(s.Expr, int(col.Num)-1) || len(indexes) > 0 {
		w.rewrite = true
		w.values[int(col.Num)-1] = s
		col.Missing, col.HasMissing = column.Datum{}, false
	}
	w.exprs[col.Num] = struct{}{}
	if err := w.rebindChecks(checks); err != nil {
		return err
	}
	if err := w.rebindExtended(extended); err != nil {
		return err
	}
	if err := w.rebindIndexes(indexes); err != nil {
		return err
	}
	return w.keysOfType(col.Num)
}

// keysOfType finds the operators of foreign keys on a column whose type changed anew, and
// has those checked again that other tables have on it.
func (w *alterWork) keysOfType(num int16) error {
	for _, fk := range w.d.view.ReferencedBy(w.rel.OID) {
		if fk.Table.OID != w.rel.OID && slices.Contains(fk.Constraint.RefColumns, num) {
			if err := w.referringKey(fk.Table.OID, fk.Constraint.Name); err != nil {
				return err
			}
		}
	}
	for i := range w.rel.Constraints {
		c := &w.rel.Constraints[i]
		own := c.RefTable == w.rel.OID && slices.Contains(c.RefColumns, num)
		if c.Kind != 'f' || !own && !slices.Contains(c.Columns, num) {
			continue
		}
		if c.Validated && !slices.Contains(w.foreign, c.Name) {
			w.foreign = append(w.foreign, c.Name)
		}
		ref := w.rel
		if c.RefTable != w.rel.OID {
			ref = w.d.view.Relation(c.RefTable)
		}
		c.EqualOps = nil
		if err := w.equalOperators(ref, c); err != nil {
			return err
		}
	}
	return nil
}

// referringKey brings another table's foreign key into line with the new type of a column
// that it refers to.
func (w *alterWork) referringKey(table OID, name string) error {
	d := w.d
	if err := d.lockTable(table, engine.LockAccessExclusive); err != nil {
		return err
	}
	if err := d.view.LockObject(d.ctx, catalog.ClassRelation, table); err != nil {
		return err
	}
	child := &tableWork{d: d, rel: cloneRelation(d.view.Relation(table))}
	c := constraintNamed(child.rel, name)
	if c == nil {
		return nil
	}
	c.EqualOps = nil
	if err := child.equalOperators(w.rel, c); err != nil {
		return err
	}
	w.later = append(w.later, func() error {
		permitted := d.permitted
		d.permitted = true // whoever owns the referenced column may change its type
		err := d.put(child.rel)
		d.permitted = permitted
		if err != nil || !c.Validated {
			return err
		}
		d.step()
		return d.checkForeignKey(child.rel, c)
	})
	return nil
}

// convertDefault coerces a default to its column's new type.
func (w *alterWork) convertDefault(col *catalog.Column, was plan.Expr) error {
	if was.ResultType().OID == col.Type {
		return nil
	}
	was = plan.WithoutImplicit(was)
	from := was.ResultType().OID
	path, cast := functions.FindCoercion(w.d.env, nil, from, col.Type, functions.Assignment)
	e := was
	typ := plan.Type{OID: col.Type, Typmod: col.Typmod, Collation: col.Collation}
	base := plan.Base{Typ: typ, Pos: -1}
	switch {
	case path == functions.PathNone && col.Generated != 0:
		return pgerr.New(pgerr.DatatypeMismatch, "generation expression for column \"%s\" cannot be cast automatically to type %s", col.Name, w.d.env.FormatType(col.Type, -1))
	case path == functions.PathNone:
		return pgerr.New(pgerr.DatatypeMismatch, "default for column \"%s\" cannot be cast automatically to type %s", col.Name, w.d.env.FormatType(col.Type, -1))
	case path == functions.PathRelabel:
		e = &plan.Relabel{Base: base, Arg: was, Cast: plan.CastImplicit}
	case cast != nil && cast.Func != nil && len(cast.Func.Args) == 1:
		e = &plan.Call{Base: base, Func: cast.Func, Args: []plan.Expr{was}, Cast: plan.CastImplicit}
	default:
		e = &plan.IOCast{Base: base, Arg: was, Cast: plan.CastImplicit}
	}
	col.Default = plan.EncodeExpr(e)
	return nil
}

// sameStorage reports whether an expression is the column itself under another name of its type.
func sameStorage(e plan.Expr, attr int) bool {
	for {
		switch x := e.(type) {
		case *plan.Relabel:
			e = x.Arg
		case *plan.Var:
			return x.Level == 0 && x.Attr == attr
		default:
			return false
		}
	}
}

// typeUsers refuses a new type for a column that expressions of other objects use.
func (w *alterWork) typeUsers(col *catalog.Column) error {
	d := w.d
	uses := func(ds []catalog.Dependency) bool {
		return slices.ContainsFunc(ds, func(x catalog.Dependency) bool {
			return x.Class == catalog.ClassRelation && x.OID == w.rel.OID && x.Sub == col.Num
		})
	}
	for i := range w.rel.Columns {
		if c := &w.rel.Columns[i]; c.Generated != 0 && uses(c.Depends) {
			return pgerr.New(pgerr.FeatureNotSupported, "cannot alter type of a column used by a generated column").
				WithDetail("Column \"%s\" is used by generated column \"%s\".", col.Name, c.Name)
		}
	}
	for _, o := range d.view.Dependents(catalog.ClassRelation, w.rel.OID) {
		if r, ok := o.(*catalog.Relation); ok && r.Query != nil && uses(r.Depends) {
			return pgerr.New(pgerr.FeatureNotSupported, "cannot alter type of a column used by a view or rule").
				WithDetail("%s depends on column \"%s\"", "rule _RETURN on "+relationWord(r.Kind)+" "+d.visibleName(r), col.Name)
		}
	}
	return nil
}

// checkTexts writes the checks that use a column as SQL, by name.
func (w *alterWork) checkTexts(num int16) (map[string]string, error) {
	texts := map[string]string{}
	for _, c := range w.rel.Constraints {
		if c.Kind != 'c' || !slices.Contains(c.Columns, num) {
			continue
		}
		e, err := w.d.bind.DecodeExpr(c.Expr)
		if err != nil {
			return nil, err
		}
		texts[c.Name] = w.d.bind.Deparse(e, w.rel)
	}
	return texts, nil
}

// rebindChecks binds checks anew after the type of a column that they use has changed.
func (w *alterWork) rebindChecks(texts map[string]string) error {
	for i := range w.rel.Constraints {
		c := &w.rel.Constraints[i]
		text, ok := texts[c.Name]
		if !ok {
			continue
		}
		s, err := w.storeText(text, plan.StoredCheck)
		if err != nil {
			return err
		}
		c.Expr, c.Columns, c.Depends = s.Encoded, s.Columns, s.Depends
		if c.Validated {
			w.checks, w.checkOf = append(w.checks, s), append(w.checkOf, c.Name)
		}
	}
	return nil
}

// indexText is an index with expressions over a column whose type changes, written as SQL.
type indexText struct {
	index     *catalog.Index
	keys      []string // "" for plain columns
	predicate string
	own       []bool // of keys: the collation is its expression's
}

// indexTexts writes the expressions of the indexes that use a column in one.
func (w *alterWork) indexTexts(num int16) ([]indexText, error) {
	var list []indexText
	for _, i := range w.d.view.IndexesOf(w.rel) {
		if r := w.rebound[i.OID]; r != nil {
			i = r // by another subcommand
		}
		if !slices.ContainsFunc(i.Depends, func(x catalog.Dependency) bool {
			return x.Class == catalog.ClassRelation && x.OID == w.rel.OID && x.Sub == num
		}) {
			continue
		}
		t := indexText{index: i}
		for _, k := range i.Keys {
			text, own := "", false
			if k.Column == 0 {
				e, err := w.d.bind.DecodeExpr(k.Expr)
				if err != nil {
					return nil, err
				}
				text, own = w.d.bind.Deparse(e, w.rel), k.Collation == e.ResultType().Collation
			}
			t.keys, t.own = append(t.keys, text), append(t.own, own)
		}
		if i.Predicate != nil {
			e, err := w.d.bind.DecodeExpr(i.Predicate)
			if err != nil {
				return nil, err
			}
			t.predicate = w.d.bind.Deparse(e, w.rel)
		}
		list = append(list, t)
	}
	return list, nil
}

// rebindIndexes binds the expressions of indexes anew after the type of a column has changed. The rows are
// written anew, and with them the entries.
func (w *alterWork) rebindIndexes(list []indexText) error {
	for _, t := range list {
		next := *t.index
		next.Keys, next.Depends = slices.Clone(next.Keys), nil
		for n, text := range t.keys {
			if text == "" {
				continue
			}
			s, err := w.storeText(text, plan.StoredIndexKey)
			if err != nil {
				return err
			}
			k := &next.Keys[n]
			k.Expr, k.Type = s.Encoded, s.Type.OID
			if t.own[n] {
				k.Collation = s.Type.Collation
			}
			if err := w.d.orderable(k.Type); err != nil && next.Method != "gin" {
				return err
			}
			next.Depends = append(next.Depends, s.Depends...)
		}
		if t.predicate != "" {
			s, err := w.storeText(t.predicate, plan.StoredPredicate)
			if err != nil {
				return err
			}
			next.Predicate, next.Depends = s.Encoded, append(next.Depends, s.Depends...)
		}
		if w.rebound == nil {
			w.rebound = map[OID]*catalog.Index{}
		}
		w.rebound[next.OID] = &next
	}
	return nil
}

// storeText binds the text of an expression over the table's columns.
func (w *alterWork) storeText(text string, kind plan.StoredKind) (*plan.Stored, error) {
	raw, err := w.d.bind.Parse(text)
	if err != nil {
		return nil, err
	}
	s, err := w.d.bind.Store(plan.StoredRequest{Kind: kind, Raw: raw, Table: w.rel})
	var e *pgerr.Error
	if errors.As(err, &e) {
		e.Position = 0 // it was a place in a text that the user has not written
	}
	return s, err
}
