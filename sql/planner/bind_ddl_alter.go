package planner

import (
	"strings"
	"unicode"

	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// bindAlter binds the ALTER statements.
func bindAlter(b *binder, node *pg.Node) plan.Utility {
	switch n := node.GetNode().(type) {
	case *pg.Node_AlterTableStmt:
		return b.alterTable(n.AlterTableStmt)
	case *pg.Node_AlterSeqStmt:
		s := n.AlterSeqStmt
		return &plan.AlterSequence{Name: b.rangeName(s.Sequence), IfExists: s.MissingOk, Options: b.options(s.Options)}
	case *pg.Node_AlterStatsStmt:
		return b.alterStatistics(n.AlterStatsStmt)
	case *pg.Node_AlterEnumStmt:
		return b.alterEnum(n.AlterEnumStmt)
	case *pg.Node_AlterDomainStmt:
		return b.alterDomain(n.AlterDomainStmt)
	case *pg.Node_RenameStmt:
		return b.rename(n.RenameStmt)
	case *pg.Node_AlterObjectSchemaStmt:
		s := n.AlterObjectSchemaStmt
		return &plan.SetSchema{
			Kind: plan.ObjectKind(objectKind(s.ObjectType)), Object: b.relationOrObject(s.ObjectType, s.Relation, s.Object),
			Schema: s.Newschema, IfExists: s.MissingOk,
		}
	case *pg.Node_AlterOwnerStmt:
		s := n.AlterOwnerStmt
		return &plan.SetOwner{
			Kind: plan.ObjectKind(objectKind(s.ObjectType)), Object: b.relationOrObject(s.ObjectType, s.Relation, s.Object),
			Owner: b.roleName(s.Newowner),
		}
	case *pg.Node_AlterFunctionStmt:
		s := n.AlterFunctionStmt
		u := &plan.AlterFunction{Kind: plan.ObjectKind(objectKind(s.Objtype)), Function: b.functionRef(s.Func)}
		u.Options, u.Settings = b.functionOptions(s.Actions)
		return u
	}
	return nil
}

// actionName turns AT_AddColumn into add_column.
func actionName(t pg.AlterTableType) string {
	var out strings.Builder
	for i, r := range strings.TrimPrefix(t.String(), "AT_") {
		if unicode.IsUpper(r) {
			if i > 0 {
				out.WriteByte('_')
			}
			r = unicode.ToLower(r)
		}
		out.WriteRune(r)
	}
	return out.String()
}

func (b *binder) alterTable(a *pg.AlterTableStmt) plan.Utility {
	u := &plan.AlterTable{
		Kind: plan.ObjectKind(objectKind(a.Objtype)), Name: b.rangeName(a.Relation), Only: !a.Relation.Inh, IfExists: a.MissingOk,
	}
	for _, n := range a.Cmds {
		u.Commands = append(u.Commands, b.alterCommand(n.GetAlterTableCmd(), u.Name.Name))
	}
	return u
}

func (b *binder) alterCommand(c *pg.AlterTableCmd, table string) *plan.AlterCommand {
	cmd := &plan.AlterCommand{
		Action: actionName(c.Subtype), Name: c.Name, Num: int16(c.Num), Cascade: cascade(c.Behavior), Missing: c.MissingOk,
	}
	if c.Newowner != nil {
		cmd.Role = b.roleName(c.Newowner)
	}
	b.unplaced = c.Subtype == pg.AlterTableType_AT_AlterColumnType
	b.unplacedRaw = !b.unplaced
	defer func() { b.unplaced, b.unplacedRaw = false, false }()
	switch d := c.Def.GetNode().(type) {
	case *pg.Node_ColumnDef:
		cmd.Column = b.columnDef(d.ColumnDef, columnOwner{name: table})
		cmd.Pos = cmd.Column.Pos
		if c.Subtype == pg.AlterTableType_AT_AlterColumnType {
			cmd.Expr, cmd.Column.Default = cmd.Column.Default, nil
		}
	case *pg.Node_Constraint:
		if c.Subtype == pg.AlterTableType_AT_AddIdentity {
			x := d.Constraint
			cmd.Column = &plan.ColumnDef{Identity: x.GeneratedWhen[0], SeqOptions: b.options(x.Options)}
			break
		}
		cmd.Constraint = b.constraint(d.Constraint)
		cmd.Constraint.Added = true
	case *pg.Node_RangeVar:
		cmd.Table = b.rangeName(d.RangeVar)
	case *pg.Node_List:
		cmd.Options = b.options(d.List.Items)
	case *pg.Node_ReplicaIdentityStmt:
		cmd.Role = d.ReplicaIdentityStmt.IdentityType
		cmd.Name = d.ReplicaIdentityStmt.Name
	case *pg.Node_String_:
		cmd.Options = []plan.Option{{Name: "value", Value: d.String_.Sval}}
	case *pg.Node_Integer:
		cmd.Options = []plan.Option{{Name: "value", Value: int64(d.Integer.Ival)}}
	case nil:
	default:
		cmd.Expr = b.raw(c.Def)
	}
	return cmd
}

func (b *binder) alterEnum(a *pg.AlterEnumStmt) plan.Utility {
	return &plan.AlterEnum{
		Name: b.qname(a.TypeName), Old: a.OldVal, New: a.NewVal, Neighbor: a.NewValNeighbor,
		Before: a.NewValNeighbor != "" && !a.NewValIsAfter, IfExists: a.SkipIfNewValExists,
	}
}

var domainActions = map[string]string{
	"T": "column_default", "N": "drop_not_null", "O": "set_not_null", "C": "add_constraint", "X": "drop_constraint", "V": "validate_constraint",
}

func (b *binder) alterDomain(a *pg.AlterDomainStmt) plan.Utility {
	u := &plan.AlterDomain{Name: b.qname(a.TypeName)}
	cmd := &plan.AlterCommand{Action: domainActions[a.Subtype], Name: a.Name, Cascade: cascade(a.Behavior), Missing: a.MissingOk}
	if x := a.Def.GetConstraint(); x != nil {
		cmd.Constraint = b.constraint(x)
	} else {
		cmd.Expr = b.raw(a.Def)
	}
	u.Command = cmd
	return u
}

func (b *binder) rename(r *pg.RenameStmt) plan.Utility {
	u := &plan.Rename{
		Kind: plan.ObjectKind(objectKind(r.RenameType)), Old: r.Subname, New: r.Newname,
		IfExists: r.MissingOk, Cascade: cascade(r.Behavior), Only: r.Relation != nil && !r.Relation.Inh,
	}
	switch r.RenameType {
	case pg.ObjectType_OBJECT_ROLE, pg.ObjectType_OBJECT_DATABASE, pg.ObjectType_OBJECT_SCHEMA, pg.ObjectType_OBJECT_TABLESPACE:
		u.Object.Name.Name = r.Subname
	case pg.ObjectType_OBJECT_TRIGGER, pg.ObjectType_OBJECT_RULE, pg.ObjectType_OBJECT_POLICY:
		b.fail(-1, pgerr.Unsupported("ALTER %s is not supported", strings.ToUpper(string(u.Kind))))
	case pg.ObjectType_OBJECT_DOMCONSTRAINT:
		u.Object.Name = b.qname(r.Object.GetList().Items)
	case pg.ObjectType_OBJECT_ATTRIBUTE:
		u.Kind, u.Object = "attribute", b.relationOrObject(r.RenameType, r.Relation, r.Object)
	default:
		u.Object = b.relationOrObject(r.RenameType, r.Relation, r.Object)
		if r.RenameType == pg.ObjectType_OBJECT_COLUMN {
			u.Of = plan.ObjectKind(objectKind(r.RelationType))
		}
		if u.Of == "type" {
			u.Kind = "attribute"
		}
	}
	u.Object.Sub = r.Subname
	return u
}

// relationOrObject names the subject of ALTER: relations come as table references.
func (b *binder) relationOrObject(kind pg.ObjectType, r *pg.RangeVar, object *pg.Node) plan.ObjectRef {
	if r != nil {
		return plan.ObjectRef{Name: b.rangeName(r)}
	}
	return b.objectRef(kind, object)
}
