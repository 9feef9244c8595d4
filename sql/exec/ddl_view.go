package exec

import (
	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/privilege"
	"github.com/omendb/omendb/sql/types"
)

// queryColumns returns the columns of a relation made from a query's output. Values of
// unknown type become text.
func queryColumns(q *plan.Query, names []string, stored bool) ([]catalog.Column, error) {
	var cols []catalog.Column
	for _, t := range q.Targets {
		if t.Junk {
			continue
		}
		typ := t.Expr.ResultType()
		if typ.OID == types.UnknownOID {
			typ = plan.Type{OID: types.TextOID, Typmod: -1, Collation: types.DefaultCollation}
		}
		c := catalog.Column{Name: t.Name, Type: typ.OID, Typmod: typ.Typmod, Collation: typ.Collation}
		if n := len(cols); n < len(names) {
			c.Name = names[n]
		}
		cols = append(cols, c)
	}
	if len(names) > len(cols) {
		if stored {
			return nil, pgerr.New(pgerr.SyntaxError, "too many column names were specified")
		}
		return nil, pgerr.New(pgerr.SyntaxError, "CREATE VIEW specifies more column names than columns")
	}
	return cols, nil
}

// viewOptions checks the options of a view and returns them as they are stored.
func viewOptions(list []plan.Option) ([]string, error) {
	var out []string
	for _, o := range list {
		text := plan.OptionText(o.Value)
		switch o.Name {
		case "security_barrier", "security_invoker":
			if _, ok := types.ParseBool(text); !ok {
				return nil, pgerr.New(pgerr.InvalidParameterValue, "invalid value for boolean option \"%s\": %s", o.Name, text)
			}
		case "check_option":
			if text != "local" && text != "cascaded" {
				return nil, pgerr.New(pgerr.InvalidParameterValue, "invalid value for enum option \"check_option\": %s", text).
					WithDetail("Valid values are \"local\" and \"cascaded\".")
			}
		default:
			return nil, pgerr.New(pgerr.InvalidParameterValue, "unrecognized parameter \"%s\"", o.Name)
		}
		out = append(out, o.Name+"="+text)
	}
	return out, nil
}

func (d *ddl) createView(c *plan.CreateView) error {
	temp := c.Persistence == 't' || d.usesTemp(c.Query)
	schema, temp, err := d.creationSchema(c.Name, temp)
	if err != nil {
		return err
	}
	if temp && c.Persistence != 't' {
		d.notice(pgerr.SuccessfulCompletion, "view \"%s\" will be a temporary view", c.Name.Name)
	}
	cols, err := queryColumns(c.Query, c.Columns, false)
	if err != nil {
		return err
	}
	if err := d.checkColumnTypes(cols); err != nil {
		return err
	}
	r := &catalog.Relation{
		Meta: catalog.Meta{Name: c.Name.Name, Schema: schema, Owner: d.bind.User()},
		Kind: catalog.KindView, Persistence: 'p', QueryText: c.Text, ReplIdent: 'n',
	}
	if temp {
		r.Persistence = 't'
	}
	if r.Options, err = viewOptions(c.Options); err != nil {
		return err
	}
	switch c.Check {
	case 'l':
		r.Options = append(r.Options, "check_option=local")
	case 'c':
		r.Options = append(r.Options, "check_option=cascaded")
	}
	r.Query, r.Depends = plan.EncodeQuery(c.Query), plan.QueryDependencies(c.Query)
	taken, err := d.claimName(catalog.ClassRelation, schema, r.Name)
	if err != nil {
		return err
	}
	if taken {
		return d.replaceView(c, r, cols)
	}
	return d.makeRelation(r, cols)
}

// checkColumnTypes refuses output columns of types that columns cannot have.
func (d *ddl) checkColumnTypes(cols []catalog.Column) error {
	for _, col := range cols {
		if err := d.checkColumnType(&plan.ColumnDef{Name: col.Name, Type: plan.TypeName{Type: plan.Type{OID: col.Type}}}); err != nil {
			return err
		}
	}
	return nil
}

// usesTemp reports whether a query reads a temporary relation.
func (d *ddl) usesTemp(q *plan.Query) bool {
	for _, dep := range plan.QueryDependencies(q) {
		if r := d.view.Relation(dep.OID); dep.Class == catalog.ClassRelation && r != nil && r.Persistence == 't' {
			return true
		}
	}
	return false
}

// makeRelation stores a new relation without rows: a view, a composite type's row.
func (d *ddl) makeRelation(r *catalog.Relation, cols []catalog.Column) error {
	w := &tableWork{d: d, rel: r, create: true, names: map[string]bool{}}
	var err error
	if r.OID, err = d.view.NewOID(); err != nil {
		return err
	}
	for _, c := range cols {
		if err := w.appendColumn(c); err != nil {
			return err
		}
	}
	if err := d.makeRowType(r); err != nil {
		return err
	}
	return d.put(r)
}

// replaceView is OR REPLACE: the old columns must stay, new ones may follow.
func (d *ddl) replaceView(c *plan.CreateView, r *catalog.Relation, cols []catalog.Column) error {
	if !c.Replace {
		return pgerr.New(pgerr.DuplicateTable, "relation \"%s\" already exists", r.Name)
	}
	o, err := d.lockNamed(plan.QName{Schema: d.view.SchemaName(r.Schema), Name: r.Name}, engine.LockAccessExclusive)
	if err != nil {
		return err
	}
	old, ok := o.(*catalog.Relation)
	if !ok || old.Kind != catalog.KindView {
		return pgerr.New(pgerr.WrongObjectType, "\"%s\" is not a view", r.Name)
	}
	if len(cols) < len(old.Columns) {
		return pgerr.New(pgerr.InvalidTableDefinition, "cannot drop columns from view")
	}
	next := *old
	next.Query, next.QueryText, next.Depends, next.Options = r.Query, r.QueryText, r.Depends, r.Options
	next.Columns = nil
	w := &tableWork{d: d, rel: &next, create: true}
	for i, col := range cols {
		if i < len(old.Columns) {
			was := old.Columns[i]
			if was.Name != col.Name {
				return pgerr.New(pgerr.InvalidTableDefinition, "cannot change name of view column \"%s\" to \"%s\"", was.Name, col.Name).
					WithHint("Use ALTER VIEW ... RENAME COLUMN ... to change name of view column instead.")
			}
			if was.Type != col.Type || was.Typmod != col.Typmod {
				return pgerr.New(pgerr.InvalidTableDefinition, "cannot change data type of view column \"%s\" from %s to %s",
					was.Name, d.env.FormatType(was.Type, was.Typmod), d.env.FormatType(col.Type, col.Typmod))
			}
			next.Columns = append(next.Columns, was)
			continue
		}
		if err := w.appendColumn(col); err != nil {
			return err
		}
	}
	return d.put(&next)
}

// createTableAs is CREATE TABLE AS, SELECT INTO and CREATE MATERIALIZED VIEW.
func (d *ddl) createTableAs(c *plan.CreateTableAs) (string, error) {
	schema, temp, err := d.creationSchema(c.Name, c.Persistence == 't')
	if err != nil {
		return "", err
	}
	if ok, err := d.claimRelationName(schema, c.Name.Name, c.IfNotExists); !ok {
		return c.Tag(), err
	}
	q := c.Query
	if c.Execute != nil {
		if q, err = d.bind.Prepared(c.Execute); err != nil {
			return "", err
		}
	}
	cols, err := queryColumns(q, c.Columns, true)
	if err != nil {
		return "", err
	}
	options, err := tableOptions(c.Options)
	if err != nil {
		return "", err
	}
	r := &catalog.Relation{
		Meta: catalog.Meta{Name: c.Name.Name, Schema: schema, Owner: d.bind.User()},
		Kind: catalog.KindTable, Persistence: c.Persistence, OnCommit: c.OnCommit, Options: options, ReplIdent: 'd',
	}
	if temp {
		r.Persistence = 't'
	}
	if c.Materialized {
		switch {
		case d.usesTemp(q):
			return "", pgerr.New(pgerr.FeatureNotSupported, "materialized views must not use temporary tables or views")
		case r.Persistence == 'u':
			return "", pgerr.New(pgerr.FeatureNotSupported, "materialized views cannot be unlogged")
		}
		r.Kind, r.QueryText, r.Populated = catalog.KindMatView, c.Text, c.WithData
		r.Query, r.Depends = plan.EncodeQuery(q), plan.QueryDependencies(q)
	}
	if err := d.checkColumnTypes(cols); err != nil {
		return "", err
	}
	w := &tableWork{d: d, rel: r, create: true, names: map[string]bool{}}
	if r.OID, err = d.view.NewOID(); err != nil {
		return "", err
	}
	for _, col := range cols {
		if err := w.appendColumn(col); err != nil {
			return "", err
		}
	}
	if err := w.finishCreate(); err != nil {
		return "", err
	}
	if !c.WithData && c.Execute != nil {
		return "SELECT 0", nil
	}
	if !c.WithData {
		return c.Tag(), nil
	}
	n, err := d.insertQuery(r, q)
	if err != nil {
		return "", err
	}
	return selectTag(c, n), nil
}

func selectTag(c *plan.CreateTableAs, n int64) string {
	if c.Materialized && !c.WithData {
		return c.Tag()
	}
	return "SELECT " + itoa(n)
}

// insertQuery runs a query and stores its rows in a relation whose columns are its output.
func (d *ddl) insertQuery(r *catalog.Relation, q *plan.Query) (int64, error) {
	st, err := d.planRows(r, q)
	if err != nil {
		return 0, err
	}
	return d.insertRows(r, st)
}

// planRows plans a query whose rows are to become those of a relation.
func (d *ddl) planRows(r *catalog.Relation, q *plan.Query) (*plan.Statement, error) {
	st, err := d.bind.Plan(q)
	if err != nil {
		return nil, err
	}
	if d.rt.CheckAccess != nil {
		if err := d.rt.CheckAccess(st.Access); err != nil {
			return nil, err
		}
	}
	d.step()
	cols := st.Root.Info().Columns
	if len(cols) > len(r.Columns) { // sort keys that are not part of the result
		p := &plan.Project{Input: st.Root}
		for i := range r.Columns {
			p.Columns = append(p.Columns, cols[i])
			p.Exprs = append(p.Exprs, &plan.Slot{Base: plan.Base{Typ: cols[i].Type, Pos: -1}, Index: i})
		}
		st.Root = p
	}
	return st, nil
}

// insertRows runs a plan and stores its rows, one column per attribute, through the same
// path as INSERT: constraints are checked and indexes kept.
func (d *ddl) insertRows(r *catalog.Relation, st *plan.Statement) (int64, error) {
	next := &plan.Statement{
		Command: plan.Insert, Root: &plan.Modify{Command: plan.Insert, Table: r, Alias: r.Name, Input: st.Root},
		Plans: st.Plans, ExecTypes: st.ExecTypes, Params: st.Params, Access: st.Access, Objects: st.Objects, Text: st.Text,
	}
	rows, err := Run(d.rt, next)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var b column.Batch
	for {
		more, err := rows.Next(&b)
		if err != nil {
			return 0, err
		}
		if !more {
			return rows.Affected(), nil
		}
	}
}

func (d *ddl) refreshMatView(c *plan.RefreshMatView) error {
	mode := engine.LockAccessExclusive
	if c.Concurrently {
		mode = engine.LockExclusive
	}
	old, err := d.lockRelation(c.Name, mode)
	if err != nil {
		return err
	}
	if old.Kind != catalog.KindMatView {
		return pgerr.New(pgerr.FeatureNotSupported, "\"%s\" is not a materialized view", old.Name)
	}
	if c.Concurrently && !old.Populated {
		return pgerr.New(pgerr.FeatureNotSupported, "CONCURRENTLY cannot be used when the materialized view is not populated")
	}
	if c.Concurrently && !c.WithData {
		return pgerr.New(pgerr.SyntaxError, "CONCURRENTLY and WITH NO DATA options cannot be used together")
	}
	if c.Concurrently && !d.hasPlainUnique(old) {
		return pgerr.New(pgerr.ObjectNotInPrerequisiteState, "cannot refresh materialized view \"%s\" concurrently", d.qualified(old)).
			WithHint("Create a unique index with no WHERE clause on one or more columns of the materialized view.")
	}
	q, err := d.bind.DecodeQuery(old.Query)
	if err != nil {
		return err
	}
	if c.Concurrently {
		return d.refreshConcurrently(old, q)
	}
	r, err := d.newStores(old)
	if err != nil {
		return err
	}
	r.Populated = c.WithData
	if err := d.put(r); err != nil || !c.WithData {
		return err
	}
	_, err = d.insertQuery(r, q)
	return err
}

func (d *ddl) hasPlainUnique(r *catalog.Relation) bool {
	for _, i := range d.view.IndexesOf(r) {
		if i.Unique && i.Predicate == nil {
			return true
		}
	}
	return false
}

func (d *ddl) qualified(o catalog.Object) string {
	return d.view.SchemaName(o.Head().Schema) + "." + o.Head().Name
}

// newStores gives a table and its indexes new, empty stores and returns the table's changed
// descriptor, which the caller puts.
func (d *ddl) newStores(old *catalog.Relation) (*catalog.Relation, error) {
	r := *old
	if err := d.rt.Txn.DropStore(engine.StoreID(r.Store)); err != nil {
		return nil, err
	}
	r.Store = uint64(d.view.NewStore())
	if err := d.rt.Txn.CreateStore(catalog.TableStore(d.env, &r)); err != nil {
		return nil, err
	}
	for _, i := range d.view.IndexesOf(old) {
		if i.Store == 0 {
			continue
		}
		if err := d.view.LockObject(d.ctx, catalog.ClassIndex, i.OID); err != nil {
			return nil, err
		}
		next := *d.view.Index(i.OID)
		if err := d.rt.Txn.DropStore(engine.StoreID(next.Store)); err != nil {
			return nil, err
		}
		next.Store = uint64(d.view.NewStore())
		if err := d.rt.Txn.CreateStore(catalog.IndexStore(d.env, &r, &next)); err != nil {
			return nil, err
		}
		if err := d.put(&next); err != nil {
			return nil, err
		}
	}
	return &r, nil
}

// truncate gives tables new stores.
func (d *ddl) truncate(t *plan.Truncate) error {
	var tables []*catalog.Relation
	listed := map[OID]bool{}
	add := func(r *catalog.Relation) {
		if !listed[r.OID] {
			listed[r.OID] = true
			tables = append(tables, r)
		}
	}
	for i, name := range t.Tables {
		d.view.Refresh()
		if r, ok := d.find(catalog.ClassRelation, name).(*catalog.Relation); ok {
			if err := d.mayTruncate(r); err != nil {
				return err
			}
		}
		r, err := d.lockBaseTable(name, engine.LockAccessExclusive)
		if err == nil {
			err = d.mayTruncate(r)
		}
		if err != nil {
			return err
		}
		add(r)
		if i < len(t.Only) && t.Only[i] {
			continue
		}
		for tree := []*catalog.Relation{r}; len(tree) > 0; tree = tree[1:] {
			for _, child := range d.view.Children(tree[0].OID) {
				if err := d.rt.Txn.LockTable(d.ctx, uint64(child.OID), engine.LockAccessExclusive, engine.Wait); err != nil {
					return err
				}
				child = d.view.Relation(child.OID)
				add(child)
				tree = append(tree, child)
			}
		}
	}
	for n := 0; n < len(tables); n++ {
		for _, fk := range d.view.ReferencedBy(tables[n].OID) {
			if listed[fk.Table.OID] {
				continue
			}
			if !t.Cascade {
				return pgerr.New(pgerr.FeatureNotSupported, "cannot truncate a table referenced in a foreign key constraint").
					WithDetail("Table \"%s\" references \"%s\".", fk.Table.Name, tables[n].Name).
					WithHint("Truncate table \"%s\" at the same time, or use TRUNCATE ... CASCADE.", fk.Table.Name)
			}
			d.notice(pgerr.SuccessfulCompletion, "truncate cascades to table \"%s\"", fk.Table.Name)
			name := plan.QName{Schema: d.view.SchemaName(fk.Table.Schema), Name: fk.Table.Name}
			r, err := d.lockBaseTable(name, engine.LockAccessExclusive)
			if err == nil {
				err = d.mayTruncate(r)
			}
			if err != nil {
				return err
			}
			add(r)
		}
	}
	d.permitted = true
	for _, r := range tables {
		if err := d.notInUse(r, "TRUNCATE"); err != nil {
			return err
		}
		next, err := d.newStores(r)
		if err != nil {
			return err
		}
		if err := d.put(next); err != nil {
			return err
		}
		if t.RestartIdentity {
			if err := d.restartOwned(next); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *ddl) mayTruncate(r *catalog.Relation) error {
	if privilege.May(d.view, d.bind.User(), r, catalog.ACLTruncate) {
		return nil
	}
	return pgerr.New(pgerr.InsufficientPrivilege, "permission denied for table %s", r.Name)
}

// restartOwned restarts the sequences that a table's columns own.
func (d *ddl) restartOwned(r *catalog.Relation) error {
	for _, o := range d.view.Dependents(catalog.ClassRelation, r.OID) {
		s, ok := o.(*catalog.Sequence)
		if !ok || s.OwnerTable != r.OID {
			continue
		}
		if err := d.view.LockObject(d.ctx, catalog.ClassSequence, s.OID); err != nil {
			return err
		}
		next := *d.view.Sequence(s.OID)
		if err := d.restartSequence(&next, engine.SequenceState{Last: next.Start}); err != nil {
			return err
		}
		if err := d.put(&next); err != nil {
			return err
		}
	}
	return nil
}

func (d *ddl) createSchema(c *plan.CreateSchema) error {
	if len(c.Name) > 3 && c.Name[:3] == "pg_" {
		return pgerr.New(pgerr.ReservedName, "unacceptable schema name \"%s\"", c.Name).
			WithDetail("The prefix \"pg_\" is reserved for system schemas.")
	}
	owner := d.bind.User()
	if c.Owner != "" {
		r := d.view.RoleByName(c.Owner)
		if r == nil {
			return undefinedRole(c.Owner)
		}
		owner = r.OID
	}
	taken, err := d.claimName(catalog.ClassSchema, 0, c.Name)
	if err != nil {
		return err
	}
	if taken {
		if c.IfNotExists {
			d.notice(pgerr.DuplicateSchema, "schema \"%s\" already exists, skipping", c.Name)
			return nil
		}
		return pgerr.New(pgerr.DuplicateSchema, "schema \"%s\" already exists", c.Name)
	}
	s := &catalog.Schema{Meta: catalog.Meta{Name: c.Name, Owner: owner}}
	if s.OID, err = d.view.NewOID(); err != nil {
		return err
	}
	if err := d.put(s); err != nil {
		return err
	}
	for _, raw := range c.Elements {
		u, err := d.bind.Element(raw, s.OID)
		if err != nil {
			return err
		}
		if _, err := d.run(u); err != nil {
			return err
		}
		d.step()
	}
	return nil
}
