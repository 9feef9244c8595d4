package exec

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/privilege"
)

const (
	maxExtendedColumns  = 8     // of a statistics object, as in PostgreSQL: their subsets are what grows
	maxStatisticsTarget = 10000 // PostgreSQL's
)

// extendedKinds are the kinds of statistics in the order in which they are kept.
var extendedKinds = []struct {
	name string
	kind byte
}{{"ndistinct", 'd'}, {"dependencies", 'f'}, {"mcv", 'm'}}

// createStatistics is CREATE STATISTICS. The object becomes a part of its table.
func (d *ddl) createStatistics(c *plan.CreateStatistics) error {
	if err := d.mayOwnBefore(c.Table); err != nil {
		return err
	}
	r, err := d.lockRelation(c.Table, engine.LockShareUpdateExclusive)
	if err != nil {
		return err
	}
	if r.Kind != catalog.KindTable && r.Kind != catalog.KindMatView {
		return pgerr.New(pgerr.WrongObjectType, "cannot define statistics for relation \"%s\"", r.Name).
			WithDetail("This operation is not supported for %s.", kindPlural(r.Kind))
	}
	if err := d.view.LockObject(d.ctx, catalog.ClassRelation, r.OID); err != nil {
		return err
	}
	w := &tableWork{d: d, rel: cloneRelation(d.view.Relation(r.OID))}
	s := catalog.ExtendedStatistic{Name: c.Name.Name, Schema: r.Schema, Owner: d.bind.User(), Target: -1}
	if s.Schema, _, err = d.creationSchema(c.Name, false); err != nil {
		return err
	}
	if d.findExtended(s.Schema, s.Name) {
		if !c.IfNotExists {
			return statisticsExists(s.Name)
		}
		d.notice(pgerr.DuplicateObject, "statistics object \"%s\" already exists, skipping", s.Name)
		return nil
	}
	for _, e := range c.Elements {
		if err := w.extendedElement(&s, e, len(c.Elements) > 1); err != nil {
			return err
		}
	}
	if s.Kinds, err = kindsOf(&s, c.Kinds); err != nil {
		return err
	}
	slices.Sort(s.Columns)
	return w.addExtended(s, "")
}

func statisticsExists(name string) error {
	return pgerr.New(pgerr.DuplicateObject, "statistics object \"%s\" already exists", name)
}

// findExtended reports whether a schema has a statistics object of a name.
func (d *ddl) findExtended(schema OID, name string) bool {
	_, s := d.view.ExtendedByName(schema, name)
	return s != nil
}

// addExtended gives a statistics object its OID and, if it has none, a name with part in it.
func (w *tableWork) addExtended(s catalog.ExtendedStatistic, part string) error {
	d := w.d
	for n := 0; s.Name == ""; n++ {
		label := "stat"
		if n > 0 {
			label += strconv.Itoa(n)
		}
		name := makeName(w.rel.Name, part, label)
		own := slices.ContainsFunc(w.rel.Extended, func(x catalog.ExtendedStatistic) bool { return x.Name == name })
		if !own && !d.findExtended(s.Schema, name) {
			s.Name = name
		}
	}
	var err error
	if s.OID, err = d.view.NewOID(); err != nil {
		return err
	}
	w.rel.Extended = append(w.rel.Extended, s)
	if w.create {
		return nil
	}
	return d.put(w.rel)
}

// extendedElement adds a column or an expression.
func (w *tableWork) extendedElement(s *catalog.ExtendedStatistic, e plan.IndexElem, several bool) error {
	d := w.d
	if len(s.Columns)+len(s.Exprs) == maxExtendedColumns {
		return pgerr.New(pgerr.TooManyColumns, "cannot have more than %d columns in statistics", maxExtendedColumns)
	}
	if e.Expr == nil {
		c := columnNamed(w.rel, e.Column)
		switch {
		case c == nil && systemColumns[e.Column]:
			return pgerr.New(pgerr.FeatureNotSupported, "statistics creation on system columns is not supported")
		case c == nil:
			return pgerr.New(pgerr.UndefinedColumn, "column \"%s\" does not exist", e.Column)
		}
		return w.extendedColumn(s, c)
	}
	x, err := d.bind.Store(plan.StoredRequest{Kind: plan.StoredStatistics, Raw: e.Expr, Table: w.rel})
	if err != nil {
		return err
	}
	if v, ok := x.Expr.(*plan.Var); ok && v.Attr >= 0 {
		c := &w.rel.Columns[v.Attr]
		return w.extendedColumn(s, c)
	}
	for _, dep := range x.Depends {
		if dep.Class == catalog.ClassFunction {
			return pgerr.Unsupported("user-defined functions in statistics expressions are not supported")
		}
	}
	if base, _ := d.env.BaseType(x.Type.OID, -1); several && functions.LessOp(d.env, base) == nil {
		return pgerr.New(pgerr.FeatureNotSupported, "expression cannot be used in multivariate statistics because its type %s has no default btree operator class",
			d.env.FormatType(x.Type.OID, -1))
	}
	if slices.ContainsFunc(s.Exprs, func(have []byte) bool { same, err := w.sameExpr(have, x.Encoded); return err == nil && same }) {
		return pgerr.New(pgerr.DuplicateColumn, "duplicate expression in statistics definition")
	}
	s.Exprs = append(s.Exprs, x.Encoded)
	return nil
}

func (w *tableWork) extendedColumn(s *catalog.ExtendedStatistic, c *catalog.Column) error {
	if base, _ := w.d.env.BaseType(c.Type, -1); functions.LessOp(w.d.env, base) == nil {
		return pgerr.New(pgerr.FeatureNotSupported, "column \"%s\" cannot be used in statistics because its type %s has no default btree operator class",
			c.Name, w.d.env.FormatType(c.Type, -1))
	}
	if slices.Contains(s.Columns, c.Num) {
		return pgerr.New(pgerr.DuplicateColumn, "duplicate column name in statistics definition")
	}
	s.Columns = append(s.Columns, c.Num)
	return nil
}

// kindsOf checks the kinds that were asked for; none means all.
func kindsOf(s *catalog.ExtendedStatistic, asked []string) ([]byte, error) {
	var kinds []byte
	for _, name := range asked {
		if !slices.ContainsFunc(extendedKinds, func(k struct {
			name string
			kind byte
		}) bool {
			return k.name == name
		}) {
			return nil, pgerr.New(pgerr.SyntaxError, "unrecognized statistics kind \"%s\"", name)
		}
	}
	single := len(s.Columns) == 0 && len(s.Exprs) == 1
	switch {
	case single && len(asked) > 0:
		return nil, pgerr.New(pgerr.FeatureNotSupported, "when building statistics on a single expression, statistics kinds may not be specified")
	case !single && len(s.Columns)+len(s.Exprs) < 2:
		return nil, pgerr.New(pgerr.InvalidObjectDefinition, "extended statistics require at least 2 columns")
	}
	for _, k := range extendedKinds {
		if !single && (len(asked) == 0 || slices.Contains(asked, k.name)) {
			kinds = append(kinds, k.kind)
		}
	}
	if len(s.Exprs) > 0 {
		kinds = append(kinds, 'e')
	}
	return kinds, nil
}

// locateExtended finds a statistics object along the search path and locks its table; nil if there is none.
func (d *ddl) locateExtended(name plan.QName) (*catalog.Relation, *catalog.ExtendedStatistic, error) {
	schemas := d.bind.SearchPath()
	if name.Schema != "" {
		s, err := d.schemaNamed(name.Schema)
		if err != nil {
			return nil, nil, err
		}
		schemas = []OID{s.OID}
	}
	d.view.Refresh()
	for _, schema := range schemas {
		r, _ := d.view.ExtendedByName(schema, name.Name)
		if r == nil {
			continue
		}
		if err := d.lockTable(r.OID, engine.LockShareUpdateExclusive); err != nil {
			return nil, nil, err
		}
		if err := d.view.LockObject(d.ctx, catalog.ClassRelation, r.OID); err != nil {
			return nil, nil, err
		}
		next := cloneRelation(d.view.Relation(r.OID))
		for i := range next.Extended {
			if x := &next.Extended[i]; x.Schema == schema && x.Name == name.Name {
				return next, x, nil
			}
		}
	}
	return nil, nil, nil
}

func (d *ddl) missingStatistics(name plan.QName, ifExists bool) error {
	if !ifExists {
		return pgerr.New(pgerr.UndefinedObject, "statistics object \"%s\" does not exist", name)
	}
	d.notice(pgerr.SuccessfulCompletion, "statistics object \"%s\" does not exist, skipping", name)
	return nil
}

// mayChangeStatistics refuses who owns neither the object nor its table.
func (d *ddl) mayChangeStatistics(r *catalog.Relation, x *catalog.ExtendedStatistic) error {
	user := d.view.Role(d.bind.User())
	if user == nil || user.Superuser || privilege.Member(d.view, user.OID, x.Owner, true) || privilege.Owns(d.view, user.OID, r) {
		d.permitted = true
		return nil
	}
	return pgerr.New(pgerr.InsufficientPrivilege, "must be owner of statistics object %s", x.Name)
}

// changeStatistics applies a change to a statistics object.
func (d *ddl) changeStatistics(name plan.QName, ifExists bool, change func(*catalog.ExtendedStatistic) error) error {
	r, x, err := d.locateExtended(name)
	if err != nil {
		return err
	}
	if x == nil {
		return d.missingStatistics(name, ifExists)
	}
	if err := d.mayChangeStatistics(r, x); err != nil {
		return err
	}
	if err := change(x); err != nil {
		return err
	}
	return d.put(r)
}

// alterStatistics is ALTER STATISTICS … SET STATISTICS.
func (d *ddl) alterStatistics(a *plan.AlterStatistics) error {
	return d.changeStatistics(a.Name, a.IfExists, func(x *catalog.ExtendedStatistic) error {
		switch {
		case a.Target < -1:
			return pgerr.New(pgerr.InvalidParameterValue, "statistics target %d is too low", a.Target)
		case a.Target > maxStatisticsTarget:
			d.send(pgerr.Notice(pgerr.SeverityWarning, pgerr.InvalidParameterValue, "lowering statistics target to %d", maxStatisticsTarget))
		}
		x.Target = int32(min(a.Target, maxStatisticsTarget))
		return nil
	})
}

// dropStatistics is DROP STATISTICS.
func (d *ddl) dropStatistics(u *plan.Drop) error {
	for _, o := range u.Objects {
		if u.IfExists && o.Name.Schema != "" && d.view.SchemaByName(o.Name.Schema) == nil {
			d.notice(pgerr.SuccessfulCompletion, "schema \"%s\" does not exist, skipping", o.Name.Schema)
			continue
		}
		r, x, err := d.locateExtended(o.Name)
		if err != nil {
			return err
		}
		if x == nil {
			if err := d.missingStatistics(o.Name, u.IfExists); err != nil {
				return err
			}
			continue
		}
		if err := d.mayChangeStatistics(r, x); err != nil {
			return err
		}
		oid := x.OID
		r.Extended = slices.DeleteFunc(r.Extended, func(s catalog.ExtendedStatistic) bool { return s.OID == oid })
		if err := d.put(r); err != nil {
			return err
		}
	}
	return nil
}

// forgetExtended drops the statistics objects that a schema has on tables of others.
func (d *ddl) forgetExtended(schema OID) error {
	var tables []OID
	d.view.EachExtended(func(r *catalog.Relation, s *catalog.ExtendedStatistic) bool {
		if s.Schema == schema && r.Schema != schema && !slices.Contains(tables, r.OID) {
			tables = append(tables, r.OID)
		}
		return true
	})
	for _, oid := range tables {
		if err := d.view.LockObject(d.ctx, catalog.ClassRelation, oid); err != nil {
			return err
		}
		next := cloneRelation(d.view.Relation(oid))
		next.Extended = slices.DeleteFunc(next.Extended, func(s catalog.ExtendedStatistic) bool { return s.Schema == schema })
		if err := d.put(next); err != nil {
			return err
		}
	}
	return nil
}

// usesColumn reports whether a stored expression reads a column of its table.
func (d *ddl) usesColumn(encoded []byte, num int16) bool {
	e, err := d.bind.DecodeExpr(encoded)
	found := false
	if err == nil {
		plan.Walk(e, func(x plan.Expr) bool {
			v, ok := x.(*plan.Var)
			found = found || ok && v.Level == 0 && (v.Attr == int(num)-1 || v.Attr == plan.AttrWholeRow)
			return !found
		})
	}
	return found
}

// likeExtended copies the statistics objects of LIKE's table under names of this one.
func (w *tableWork) likeExtended(src *catalog.Relation, moved map[int]int, comments bool) error {
	for _, s := range src.Extended {
		var parts []string
		s.Name, s.Schema, s.Owner, s.Columns, s.Target = "", w.rel.Schema, w.rel.Owner, moveNumbers(s.Columns, moved), -1
		if !comments {
			s.Comment = ""
		}
		for _, n := range s.Columns {
			parts = append(parts, w.rel.Columns[n-1].Name)
		}
		slices.Sort(s.Columns)
		s.Exprs = slices.Clone(s.Exprs)
		for i := range s.Exprs {
			var err error
			if s.Exprs[i], err = w.d.moveColumns(bytes.Clone(s.Exprs[i]), moved); err != nil {
				return err
			}
			parts = append(parts, "expr")
		}
		if err := w.addExtended(s, strings.Join(parts, "_")); err != nil {
			return err
		}
	}
	return nil
}

// extendedTexts writes the statistics expressions over a column as SQL, to bind them anew.
func (w *alterWork) extendedTexts(num int16) (map[[2]int]string, error) {
	texts := map[[2]int]string{}
	for i := range w.rel.Extended {
		for n, encoded := range w.rel.Extended[i].Exprs {
			if !w.d.usesColumn(encoded, num) {
				continue
			}
			e, err := w.d.bind.DecodeExpr(encoded)
			if err != nil {
				return nil, err
			}
			texts[[2]int{i, n}] = w.d.bind.Deparse(e, w.rel)
		}
	}
	return texts, nil
}

func (w *alterWork) rebindExtended(texts map[[2]int]string) error {
	for at, text := range texts {
		s, err := w.storeText(text, plan.StoredStatistics)
		if err != nil {
			return err
		}
		x := &w.rel.Extended[at[0]]
		x.Exprs = slices.Clone(x.Exprs)
		x.Exprs[at[1]] = s.Encoded
	}
	return nil
}
