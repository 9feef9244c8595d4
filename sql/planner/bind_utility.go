package planner

import (
	"slices"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/parser"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// rawExpr is plan.RawExpr: a tree that is bound later, when the objects that it
// speaks of exist, with the source that its positions refer to.
type rawExpr struct {
	node     *pg.Node
	source   string
	unplaced bool // as in binder
}

// raw keeps a tree for later; nil stays nil.
func (b *binder) raw(n *pg.Node) plan.RawExpr {
	if n == nil {
		return nil
	}
	return &rawExpr{node: n, source: b.source, unplaced: b.unplacedRaw}
}

// bindUtility binds a statement other than SELECT, INSERT, UPDATE, DELETE and MERGE.
func bindUtility(b *binder, node *pg.Node) (plan.Utility, error) {
	for _, try := range []func(*binder, *pg.Node) plan.Utility{
		bindCreate, bindAlter, bindObjectStatement, bindRoleStatement, bindSessionStatement,
	} {
		if u := try(b, node); u != nil {
			return u, nil
		}
	}
	if updatesStatistics(node) {
		return b.updateStatistics(node.GetUpdateStmt()), nil
	}
	return nil, unsupportedStatement(node)
}

func knownLanguage(name string) bool {
	t := functions.Facts("pg_language")
	return slices.ContainsFunc(t.Rows, func(row []string) bool { return row[t.Column("lanname")] == name })
}

// unsupportedStatement refuses what the server cannot do, by the statement's own name.
func unsupportedStatement(node *pg.Node) error {
	switch n := node.GetNode().(type) {
	case *pg.Node_DoStmt:
		for _, a := range n.DoStmt.Args {
			if d := a.GetDefElem(); d.GetDefname() == "language" && !knownLanguage(d.Arg.GetString_().GetSval()) {
				return pgerr.New(pgerr.UndefinedObject, "language \"%s\" does not exist", d.Arg.GetString_().GetSval())
			}
		}
		return pgerr.Unsupported("DO is not supported: there are no procedural languages")
	case *pg.Node_DefineStmt:
		return pgerr.Unsupported("CREATE %s is not supported", strings.ToUpper(objectKind(n.DefineStmt.Kind)))
	}
	name := strings.TrimPrefix(node.ProtoReflect().WhichOneof(node.ProtoReflect().Descriptor().Oneofs().Get(0)).TextName(), "")
	return pgerr.Unsupported("the statement %s is not supported", strings.ReplaceAll(name, "_", " "))
}

// at turns a byte offset of the tree into an error position; 0 means none.
func (b *binder) at(loc int32) int {
	if loc < 0 || b.unplaced {
		return 0
	}
	return parser.Position(b.source, int(loc))
}

// rangeName returns the name of a table reference.
func (b *binder) rangeName(r *pg.RangeVar) plan.QName {
	if r == nil {
		return plan.QName{}
	}
	if r.Catalogname != "" && r.Catalogname != b.env.Database {
		b.failf(int(r.Location), pgerr.FeatureNotSupported, "cross-database references are not implemented: \"%s.%s.%s\"",
			r.Catalogname, r.Schemaname, r.Relname)
	}
	return plan.QName{Schema: r.Schemaname, Name: r.Relname, Pos: b.at(r.Location)}
}

// qname returns a qualified name given as a list.
func (b *binder) qname(list []*pg.Node) plan.QName {
	schema, name := b.splitName(names(list), -1)
	return plan.QName{Schema: schema, Name: name}
}

// rangeNames returns the names of a list of table references, and which say ONLY.
func (b *binder) rangeNames(list []*pg.Node) (out []plan.QName, only []bool) {
	for _, n := range list {
		r := n.GetRangeVar()
		out = append(out, b.rangeName(r))
		only = append(only, !r.Inh)
	}
	return out, only
}

// columnNames returns a list of plain names.
func columnNames(list []*pg.Node) []string {
	if len(list) == 0 {
		return nil
	}
	return names(list)
}

// options turns name = value lists into plan.Options.
func (b *binder) options(list []*pg.Node) []plan.Option {
	var out []plan.Option
	for _, n := range list {
		d := n.GetDefElem()
		out = append(out, plan.Option{
			Namespace: d.Defnamespace, Name: d.Defname, Value: b.optionValue(d.Arg), Pos: b.at(d.Location),
		})
	}
	return out
}

// optionValue returns the value of an option; see plan.Option.
func (b *binder) optionValue(n *pg.Node) any {
	switch v := n.GetNode().(type) {
	case nil:
		return nil
	case *pg.Node_String_:
		return v.String_.Sval
	case *pg.Node_Integer:
		return int64(v.Integer.Ival)
	case *pg.Node_Boolean:
		return v.Boolean.Boolval
	case *pg.Node_Float:
		return parseNumber(v.Float.Fval)
	case *pg.Node_AConst:
		return constantValue(v.AConst)
	case *pg.Node_AStar:
		return []string{"*"}
	case *pg.Node_TypeName:
		return b.optionType(v.TypeName)
	case *pg.Node_RoleSpec:
		return b.roleName(v.RoleSpec)
	case *pg.Node_List:
		list := []string{}
		for _, item := range v.List.Items {
			switch x := b.optionValue(item).(type) {
			case string:
				list = append(list, x)
			case []string:
				list = append(list, x...)
			}
		}
		return list
	case *pg.Node_DefElem:
		return []string{v.DefElem.Defname, plan.OptionText(b.optionValue(v.DefElem.Arg))}
	}
	return nil
}

// optionType returns an option value that the grammar reads as a type: a plain
// word (fillfactor = auto), or the type after AS in sequence options.
func (b *binder) optionType(t *pg.TypeName) any {
	parts := names(t.Names)
	if len(parts) == 2 && parts[0] == "pg_catalog" {
		return parts[1]
	}
	return dotted(parts)
}

func constantValue(c *pg.A_Const) any {
	switch v := c.Val.(type) {
	case *pg.A_Const_Ival:
		return int64(v.Ival.Ival)
	case *pg.A_Const_Fval:
		return parseNumber(v.Fval.Fval)
	case *pg.A_Const_Boolval:
		return v.Boolval.Boolval
	case *pg.A_Const_Sval:
		return v.Sval.Sval
	case *pg.A_Const_Bsval:
		return v.Bsval.Bsval
	}
	return nil
}

// roleName returns the role that a statement names; "" is PUBLIC.
func (b *binder) roleName(r *pg.RoleSpec) string {
	switch r.GetRoletype() {
	case pg.RoleSpecType_ROLESPEC_CURRENT_ROLE, pg.RoleSpecType_ROLESPEC_CURRENT_USER, pg.RoleSpecType_ROLESPEC_SESSION_USER:
		if role := b.env.Catalog.Role(b.env.User); role != nil {
			return role.Name
		}
	case pg.RoleSpecType_ROLESPEC_CSTRING:
		return r.Rolename
	}
	return ""
}

func (b *binder) roleNames(list []*pg.Node) []string {
	out := make([]string, 0, len(list))
	for _, n := range list {
		out = append(out, b.roleName(n.GetRoleSpec()))
	}
	return out
}

// objectKind returns the kind as plan.ObjectKind writes it.
func objectKind(t pg.ObjectType) string {
	switch t {
	case pg.ObjectType_OBJECT_MATVIEW:
		return "materialized view"
	case pg.ObjectType_OBJECT_TABCONSTRAINT:
		return "constraint"
	case pg.ObjectType_OBJECT_DOMCONSTRAINT:
		return "domain constraint"
	case pg.ObjectType_OBJECT_TSPARSER:
		return "text search parser"
	case pg.ObjectType_OBJECT_TSDICTIONARY:
		return "text search dictionary"
	case pg.ObjectType_OBJECT_TSTEMPLATE:
		return "text search template"
	case pg.ObjectType_OBJECT_TSCONFIGURATION:
		return "text search configuration"
	case pg.ObjectType_OBJECT_OPCLASS:
		return "operator class"
	case pg.ObjectType_OBJECT_OPFAMILY:
		return "operator family"
	case pg.ObjectType_OBJECT_FDW:
		return "foreign data wrapper"
	case pg.ObjectType_OBJECT_FOREIGN_SERVER:
		return "server"
	case pg.ObjectType_OBJECT_LARGEOBJECT:
		return "large object"
	case pg.ObjectType_OBJECT_STATISTIC_EXT:
		return "statistics"
	}
	return strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(t.String(), "OBJECT_")), "_", " ")
}

func persistence(r *pg.RangeVar) byte {
	if r.GetRelpersistence() == "" {
		return 'p'
	}
	return r.Relpersistence[0]
}

func onCommit(a pg.OnCommitAction) byte {
	switch a {
	case pg.OnCommitAction_ONCOMMIT_DELETE_ROWS:
		return 'd'
	case pg.OnCommitAction_ONCOMMIT_DROP:
		return 'D'
	}
	return 0
}

func cascade(d pg.DropBehavior) bool { return d == pg.DropBehavior_DROP_CASCADE }

// bindNested binds a query inside a utility statement.
func (b *binder) bindNested(n *pg.Node) *plan.Query {
	q := b.bindStatement(nil, n)
	q.Text = b.text
	return q
}
