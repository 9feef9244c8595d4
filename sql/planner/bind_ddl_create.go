package planner

import (
	"slices"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// bindCreate binds the statements that make relations, types and functions.
func bindCreate(b *binder, node *pg.Node) plan.Utility {
	switch n := node.GetNode().(type) {
	case *pg.Node_CreateStmt:
		return b.createTable(n.CreateStmt)
	case *pg.Node_CreateTableAsStmt:
		return b.createTableAs(n.CreateTableAsStmt)
	case *pg.Node_SelectStmt: // SELECT INTO; plain ones are queries
		return b.selectInto(n.SelectStmt)
	case *pg.Node_ViewStmt:
		return b.createView(n.ViewStmt)
	case *pg.Node_DefineStmt:
		if n.DefineStmt.Kind == pg.ObjectType_OBJECT_AGGREGATE {
			return b.createAggregate(n.DefineStmt)
		}
		return nil
	case *pg.Node_RefreshMatViewStmt:
		r := n.RefreshMatViewStmt
		return &plan.RefreshMatView{Name: b.rangeName(r.Relation), Concurrently: r.Concurrent, WithData: !r.SkipData}
	case *pg.Node_IndexStmt:
		return b.createIndex(n.IndexStmt)
	case *pg.Node_CreateStatsStmt:
		return b.createStatistics(n.CreateStatsStmt)
	case *pg.Node_CreateSchemaStmt:
		return b.createSchema(n.CreateSchemaStmt)
	case *pg.Node_CreateSeqStmt:
		s := n.CreateSeqStmt
		return &plan.CreateSequence{
			Name: b.rangeName(s.Sequence), Persistence: persistence(s.Sequence),
			IfNotExists: s.IfNotExists, Options: b.options(s.Options),
		}
	case *pg.Node_CreateEnumStmt:
		return &plan.CreateEnum{Name: b.qname(n.CreateEnumStmt.TypeName), Labels: columnNames(n.CreateEnumStmt.Vals)}
	case *pg.Node_CompositeTypeStmt:
		u := &plan.CreateComposite{Name: b.rangeName(n.CompositeTypeStmt.Typevar)}
		b.unplaced = true
		for _, c := range n.CompositeTypeStmt.Coldeflist {
			u.Columns = append(u.Columns, b.columnDef(c.GetColumnDef(), columnOwner{name: u.Name.Name}))
		}
		return u
	case *pg.Node_CreateDomainStmt:
		return b.createDomain(n.CreateDomainStmt)
	case *pg.Node_CreateFunctionStmt:
		return b.createFunction(n.CreateFunctionStmt)
	case *pg.Node_CreateExtensionStmt:
		e := n.CreateExtensionStmt
		return &plan.CreateExtension{Name: e.Extname, IfNotExists: e.IfNotExists, Options: b.options(e.Options)}
	}
	return nil
}

func (b *binder) createTable(c *pg.CreateStmt) plan.Utility {
	switch {
	case c.Partspec != nil || c.Partbound != nil:
		b.fail(-1, pgerr.Unsupported("partitioned tables are not supported"))
	case c.AccessMethod != "" && c.AccessMethod != "heap":
		b.failf(-1, pgerr.UndefinedObject, "access method \"%s\" does not exist", c.AccessMethod)
	}
	u := &plan.CreateTable{
		Name: b.rangeName(c.Relation), Persistence: persistence(c.Relation), IfNotExists: c.IfNotExists,
		Options: b.options(c.Options), OnCommit: onCommit(c.Oncommit),
	}
	if c.Oncommit > pg.OnCommitAction_ONCOMMIT_NOOP && u.Persistence != 't' {
		b.failf(-1, pgerr.InvalidTableDefinition, "ON COMMIT can only be used on temporary tables")
	}
	if c.OfTypename != nil {
		name := b.qname(c.OfTypename.Names)
		u.OfType = &name
	}
	u.Inherits, _ = b.rangeNames(c.InhRelations)
	for _, elt := range c.TableElts {
		switch e := elt.GetNode().(type) {
		case *pg.Node_ColumnDef:
			u.Columns = append(u.Columns, b.columnDef(e.ColumnDef, columnOwner{name: u.Name.Name, typed: u.OfType != nil}))
			u.Order = append(u.Order, 'c')
		case *pg.Node_TableLikeClause:
			u.Like = append(u.Like, plan.LikeClause{Table: b.rangeName(e.TableLikeClause.Relation), Options: e.TableLikeClause.Options})
			u.Order = append(u.Order, 'l')
		case *pg.Node_Constraint:
			u.Constraints = append(u.Constraints, b.constraint(e.Constraint))
		}
	}
	for _, n := range c.Constraints {
		u.Constraints = append(u.Constraints, b.constraint(n.GetConstraint()))
	}
	return u
}

var serialTypes = map[string]string{
	"smallserial": "int2", "serial2": "int2", "serial": "int4", "serial4": "int4", "bigserial": "int8", "serial8": "int8",
}

// columnType resolves the type of a column. The serial types are not types of their
// own: they stand for an integer with a sequence.
func (b *binder) columnType(t *pg.TypeName) plan.TypeName {
	if len(t.Names) == 1 && !t.PctType {
		if base, ok := serialTypes[t.Names[0].GetString_().GetSval()]; ok {
			if len(t.ArrayBounds) > 0 {
				b.failf(int(t.Location), pgerr.FeatureNotSupported, "array of serial is not implemented")
			}
			return plan.TypeName{Type: b.plainType(b.lookupType("pg_catalog", base)), Serial: base}
		}
	}
	if t.Setof {
		b.failf(int(t.Location), pgerr.InvalidTableDefinition, "column cannot be declared SETOF")
	}
	return plan.TypeName{Type: b.resolveTypeName(t)}
}

// attribute applies DEFERRABLE and its like, which the grammar gives as constraints of
// their own, to the constraint before them.
func (b *binder) attribute(x *pg.Constraint, last *plan.ConstraintDef) bool {
	var what string
	switch x.Contype {
	case pg.ConstrType_CONSTR_ATTR_DEFERRABLE:
		what = "DEFERRABLE"
	case pg.ConstrType_CONSTR_ATTR_NOT_DEFERRABLE:
		what = "NOT DEFERRABLE"
	case pg.ConstrType_CONSTR_ATTR_DEFERRED:
		what = "INITIALLY DEFERRED"
	case pg.ConstrType_CONSTR_ATTR_IMMEDIATE:
		what = "INITIALLY IMMEDIATE"
	default:
		return false
	}
	if last == nil || !strings.ContainsRune("pufx", rune(last.Kind)) {
		b.failf(int(x.Location), pgerr.SyntaxError, "misplaced %s clause", what)
	}
	switch what {
	case "DEFERRABLE":
		last.Deferrable = true
	case "INITIALLY DEFERRED":
		last.Deferrable, last.Deferred = true, true
	}
	return true
}

var constraintKinds = map[pg.ConstrType]byte{
	pg.ConstrType_CONSTR_CHECK: 'c', pg.ConstrType_CONSTR_PRIMARY: 'p', pg.ConstrType_CONSTR_UNIQUE: 'u',
	pg.ConstrType_CONSTR_EXCLUSION: 'x', pg.ConstrType_CONSTR_FOREIGN: 'f', pg.ConstrType_CONSTR_NOTNULL: 'n',
}

// constraint binds a table or column constraint as written.
func (b *binder) constraint(x *pg.Constraint) *plan.ConstraintDef {
	d := &plan.ConstraintDef{
		Kind: constraintKinds[x.Contype], Name: x.Conname, Columns: columnNames(x.Keys), Include: columnNames(x.Including),
		Check: b.raw(x.RawExpr), UsingIndex: x.Indexname, Deferrable: x.Deferrable, Deferred: x.Initdeferred,
		NotValid: x.SkipValidation, NoInherit: x.IsNoInherit, NullsNotDistinct: x.NullsNotDistinct,
		Options: b.options(x.Options), Method: x.AccessMethod, Where: b.raw(x.WhereClause), Pos: b.at(x.Location),
	}
	if d.Kind == 0 {
		b.fail(int(x.Location), pgerr.Unsupported("this kind of constraint is not supported"))
	}
	if d.Kind == 'x' {
		b.fail(int(x.Location), pgerr.Unsupported("exclusion constraints are not supported"))
	}
	if d.Kind != 'f' {
		return d
	}
	d.Columns, d.RefTable, d.RefColumns = columnNames(x.FkAttrs), b.rangeName(x.Pktable), columnNames(x.PkAttrs)
	d.Match, d.OnUpdate, d.OnDelete = letter(x.FkMatchtype, 's'), letter(x.FkUpdAction, 'a'), letter(x.FkDelAction, 'a')
	d.SetColumns = columnNames(x.FkDelSetCols)
	if d.Match == 'p' {
		b.failf(-1, pgerr.FeatureNotSupported, "MATCH PARTIAL not yet implemented")
	}
	return d
}

func letter(s string, otherwise byte) byte {
	if s == "" {
		return otherwise
	}
	return s[0]
}

func (b *binder) into(i *pg.IntoClause) *plan.CreateTableAs {
	if i.OnCommit > pg.OnCommitAction_ONCOMMIT_NOOP && persistence(i.Rel) != 't' {
		b.failf(-1, pgerr.InvalidTableDefinition, "ON COMMIT can only be used on temporary tables")
	}
	return &plan.CreateTableAs{
		Name: b.rangeName(i.Rel), Persistence: persistence(i.Rel), Columns: columnNames(i.ColNames),
		Options: b.options(i.Options), OnCommit: onCommit(i.OnCommit), WithData: !i.SkipData, Text: b.text,
	}
}

func (b *binder) createTableAs(c *pg.CreateTableAsStmt) plan.Utility {
	u := b.into(c.Into)
	u.IfNotExists, u.SelectInto = c.IfNotExists, c.IsSelectInto
	u.Materialized = c.Objtype == pg.ObjectType_OBJECT_MATVIEW
	if e := c.Query.GetExecuteStmt(); e != nil {
		u.Execute = b.execute(e)
		return u
	}
	b.fixed = b.fixed || u.Materialized
	u.Query = b.bindNested(c.Query)
	if u.Materialized && u.Query.HasModifyingCTE {
		b.failf(-1, pgerr.FeatureNotSupported, "materialized views must not use data-modifying statements in WITH")
	}
	return u
}

func (b *binder) selectInto(s *pg.SelectStmt) plan.Utility {
	first := leftmost(s)
	into := first.IntoClause
	if into == nil {
		return nil
	}
	first.IntoClause = nil
	u := b.into(into)
	u.SelectInto = true
	u.Query = b.bindNested(&pg.Node{Node: &pg.Node_SelectStmt{SelectStmt: s}})
	return u
}

func (b *binder) createView(v *pg.ViewStmt) plan.Utility {
	if persistence(v.View) == 'u' {
		b.failf(-1, pgerr.SyntaxError, "views cannot be unlogged because they do not have storage")
	}
	b.fixed = true
	u := &plan.CreateView{
		Name: b.rangeName(v.View), Persistence: persistence(v.View), Replace: v.Replace, Columns: columnNames(v.Aliases),
		Options: b.options(v.Options), Query: b.bindNested(v.Query), Text: b.text,
	}
	switch v.WithCheckOption {
	case pg.ViewCheckOption_LOCAL_CHECK_OPTION:
		u.Check = 'l'
	case pg.ViewCheckOption_CASCADED_CHECK_OPTION:
		u.Check = 'c'
	}
	asked := u.Check != 0 || slices.ContainsFunc(u.Options, func(o plan.Option) bool { return o.Name == "check_option" })
	if why := checkOptionRefused(u.Query); asked && why != "" {
		b.fail(-1, pgerr.New(pgerr.FeatureNotSupported, "WITH CHECK OPTION is supported only on automatically updatable views").WithHint("%s", why))
	}
	return u
}

func (b *binder) createIndex(i *pg.IndexStmt) plan.Utility {
	u := &plan.CreateIndex{
		Name: i.Idxname, Table: b.rangeName(i.Relation), Method: i.AccessMethod, Unique: i.Unique,
		NullsNotDistinct: i.NullsNotDistinct, Concurrently: i.Concurrent, IfNotExists: i.IfNotExists,
		Where: b.raw(i.WhereClause), Options: b.options(i.Options),
	}
	for _, n := range i.IndexParams {
		u.Keys = append(u.Keys, b.indexElem(n.GetIndexElem()))
	}
	for _, n := range i.IndexIncludingParams {
		e := n.GetIndexElem()
		if e.Expr != nil {
			b.failf(-1, pgerr.FeatureNotSupported, "expressions are not supported in included columns")
		}
		u.Include = append(u.Include, e.Name)
	}
	return u
}

func (b *binder) indexElem(e *pg.IndexElem) plan.IndexElem {
	if len(e.Opclassopts) > 0 {
		b.fail(-1, pgerr.Unsupported("operator class parameters are not supported"))
	}
	k := plan.IndexElem{Column: e.Name, Expr: b.raw(e.Expr)}
	if len(e.Collation) > 0 {
		k.Collation = b.collation(names(e.Collation), -1)
	}
	if len(e.Opclass) > 0 {
		parts := names(e.Opclass)
		k.OpClass = parts[len(parts)-1]
	}
	k.Desc = e.Ordering == pg.SortByDir_SORTBY_DESC
	k.NullsSet = e.NullsOrdering != pg.SortByNulls_SORTBY_NULLS_DEFAULT
	k.NullsFirst = e.NullsOrdering == pg.SortByNulls_SORTBY_NULLS_FIRST || k.Desc && !k.NullsSet
	return k
}

func (b *binder) createSchema(c *pg.CreateSchemaStmt) plan.Utility {
	u := &plan.CreateSchema{Name: c.Schemaname, IfNotExists: c.IfNotExists}
	if c.Authrole != nil {
		u.Owner = b.roleName(c.Authrole)
		if u.Name == "" {
			u.Name = u.Owner
		}
	}
	elements := slices.Clone(c.SchemaElts)
	slices.SortStableFunc(elements, func(x, y *pg.Node) int { return elementOrder(x) - elementOrder(y) })
	for _, e := range elements {
		u.Elements = append(u.Elements, b.raw(e))
	}
	return u
}

// elementOrder puts the elements of CREATE SCHEMA such that each follows what it may refer to.
func elementOrder(n *pg.Node) int {
	switch n.GetNode().(type) {
	case *pg.Node_CreateSeqStmt:
		return 0
	case *pg.Node_CreateStmt:
		return 1
	case *pg.Node_ViewStmt:
		return 2
	case *pg.Node_IndexStmt:
		return 3
	}
	return 4
}

func (b *binder) createDomain(c *pg.CreateDomainStmt) plan.Utility {
	b.unplaced, b.unplacedRaw = true, true
	u := &plan.CreateDomain{Name: b.qname(c.Domainname), Type: plan.TypeName{Type: b.resolveTypeName(c.TypeName)}}
	u.Collation = u.Type.Type.Collation
	if c.CollClause != nil {
		u.Collation = b.collation(names(c.CollClause.Collname), int(c.CollClause.Location))
		if t := b.env.Types.Type(u.Type.Type.OID); t != nil && t.Collation == 0 {
			b.failf(-1, pgerr.DatatypeMismatch, "collations are not supported by type %s", b.typeName(u.Type.Type.OID))
		}
	}
	null, notNull := false, false
	for _, n := range c.Constraints {
		switch x := n.GetConstraint(); x.Contype {
		case pg.ConstrType_CONSTR_DEFAULT:
			if u.Default != nil {
				b.failf(-1, pgerr.SyntaxError, "multiple default expressions")
			}
			u.Default = b.raw(x.RawExpr)
		case pg.ConstrType_CONSTR_NULL, pg.ConstrType_CONSTR_NOTNULL:
			null, notNull = null || x.Contype == pg.ConstrType_CONSTR_NULL, notNull || x.Contype == pg.ConstrType_CONSTR_NOTNULL
			if null && notNull {
				b.failf(-1, pgerr.SyntaxError, "conflicting NULL/NOT NULL constraints")
			}
			if notNull {
				u.Constraints = append(u.Constraints, b.constraint(x))
			}
		case pg.ConstrType_CONSTR_GENERATED, pg.ConstrType_CONSTR_IDENTITY:
			b.failf(-1, pgerr.FeatureNotSupported, "a domain cannot be generated")
		case pg.ConstrType_CONSTR_CHECK:
			if x.IsNoInherit {
				b.failf(-1, pgerr.InvalidObjectDefinition, "check constraints for domains cannot be marked NO INHERIT")
			}
			u.Constraints = append(u.Constraints, b.constraint(x))
		case pg.ConstrType_CONSTR_PRIMARY:
			b.failf(-1, pgerr.SyntaxError, "primary key constraints not possible for domains")
		case pg.ConstrType_CONSTR_UNIQUE:
			b.failf(-1, pgerr.SyntaxError, "unique constraints not possible for domains")
		case pg.ConstrType_CONSTR_FOREIGN:
			b.failf(-1, pgerr.SyntaxError, "foreign key constraints not possible for domains")
		default:
			b.failf(-1, pgerr.FeatureNotSupported, "specifying constraint deferrability not supported for domains")
		}
	}
	return u
}

var parameterModes = map[pg.FunctionParameterMode]byte{
	pg.FunctionParameterMode_FUNC_PARAM_IN: 'i', pg.FunctionParameterMode_FUNC_PARAM_DEFAULT: 'i',
	pg.FunctionParameterMode_FUNC_PARAM_OUT: 'o', pg.FunctionParameterMode_FUNC_PARAM_INOUT: 'b',
	pg.FunctionParameterMode_FUNC_PARAM_VARIADIC: 'v', pg.FunctionParameterMode_FUNC_PARAM_TABLE: 't',
}

func (b *binder) createFunction(c *pg.CreateFunctionStmt) plan.Utility {
	u := &plan.CreateFunction{Name: b.qname(c.Funcname), Replace: c.Replace, Procedure: c.IsProcedure, Body: b.raw(c.SqlBody), Text: b.source}
	u.Options, u.Settings = b.functionOptions(c.Options)
	b.unplaced = true // types are looked up without the text at hand
	for _, n := range c.Parameters {
		p := n.GetFunctionParameter()
		u.Args = append(u.Args, plan.FunctionArg{
			Name: p.Name, Mode: parameterModes[p.Mode], Type: plan.TypeName{Type: b.resolveTypeName(p.ArgType)}, Default: b.raw(p.Defexpr),
		})
	}
	if c.ReturnType != nil {
		u.Returns = &plan.TypeName{Type: b.resolveTypeName(c.ReturnType)}
		u.Set = c.ReturnType.Setof
	}
	return u
}

// functionOptions separates the SET clauses of a function from its other options.
func (b *binder) functionOptions(list []*pg.Node) ([]plan.Option, []*plan.Set) {
	var rest []*pg.Node
	var sets []*plan.Set
	for _, n := range list {
		s := n.GetDefElem().Arg.GetVariableSetStmt()
		if s == nil {
			rest = append(rest, n)
			continue
		}
		set := b.set(s)
		if set.FromCurrent {
			b.fail(-1, pgerr.Unsupported("SET … FROM CURRENT of functions is not supported"))
		}
		sets = append(sets, set)
	}
	return b.options(rest), sets
}
