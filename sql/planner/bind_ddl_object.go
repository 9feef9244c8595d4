package planner

import (
	"strconv"

	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// bindObjectStatement binds the statements that work on objects of any kind.
func bindObjectStatement(b *binder, node *pg.Node) plan.Utility {
	switch n := node.GetNode().(type) {
	case *pg.Node_DropStmt:
		return b.drop(n.DropStmt)
	case *pg.Node_TruncateStmt:
		t := &plan.Truncate{RestartIdentity: n.TruncateStmt.RestartSeqs, Cascade: cascade(n.TruncateStmt.Behavior)}
		t.Tables, t.Only = b.rangeNames(n.TruncateStmt.Relations)
		return t
	case *pg.Node_CommentStmt:
		c := n.CommentStmt
		u := &plan.CommentOn{Kind: plan.ObjectKind(objectKind(c.Objtype)), Object: b.objectRef(c.Objtype, c.Object)}
		if c.Comment != "" {
			u.Comment = &c.Comment
		}
		return u
	case *pg.Node_DropdbStmt:
		d := n.DropdbStmt
		return &plan.Drop{Kind: "database", IfExists: d.MissingOk, Objects: []plan.ObjectRef{{Name: plan.QName{Name: d.Dbname}}}}
	case *pg.Node_DropRoleStmt:
		u := &plan.Drop{Kind: "role", IfExists: n.DropRoleStmt.MissingOk}
		for _, r := range n.DropRoleStmt.Roles {
			if r.GetRoleSpec().GetRoletype() != pg.RoleSpecType_ROLESPEC_CSTRING {
				b.failf(-1, pgerr.InvalidParameterValue, "cannot use special role specifier in DROP ROLE")
			}
		}
		for _, name := range b.roleNames(n.DropRoleStmt.Roles) {
			u.Objects = append(u.Objects, plan.ObjectRef{Name: plan.QName{Name: name}})
		}
		return u
	}
	return nil
}

func (b *binder) drop(d *pg.DropStmt) plan.Utility {
	u := &plan.Drop{
		Kind: plan.ObjectKind(objectKind(d.RemoveType)), IfExists: d.MissingOk, Cascade: cascade(d.Behavior), Concurrently: d.Concurrent,
	}
	for _, o := range d.Objects {
		u.Objects = append(u.Objects, b.objectRef(d.RemoveType, o))
	}
	return u
}

// objectRef names an object as DROP, COMMENT and ALTER do, whose form depends on the kind.
func (b *binder) objectRef(kind pg.ObjectType, n *pg.Node) plan.ObjectRef {
	switch o := n.GetNode().(type) {
	case *pg.Node_String_:
		return plan.ObjectRef{Name: plan.QName{Name: o.String_.Sval}}
	case *pg.Node_Integer: // a large object
		return plan.ObjectRef{Name: plan.QName{Name: strconv.Itoa(int(o.Integer.Ival))}}
	case *pg.Node_Float:
		return plan.ObjectRef{Name: plan.QName{Name: o.Float.Fval}}
	case *pg.Node_TypeName:
		return plan.ObjectRef{Name: b.qname(o.TypeName.Names)}
	case *pg.Node_ObjectWithArgs:
		return b.functionRef(o.ObjectWithArgs)
	case *pg.Node_RangeVar:
		return plan.ObjectRef{Name: b.rangeName(o.RangeVar)}
	case *pg.Node_List:
		return b.listRef(kind, o.List.Items)
	}
	b.fail(-1, pgerr.Unsupported("objects of kind %s are not supported", objectKind(kind)))
	return plan.ObjectRef{}
}

// listRef names an object given as a list: a qualified name, or one with a part of it.
func (b *binder) listRef(kind pg.ObjectType, items []*pg.Node) plan.ObjectRef {
	switch kind {
	case pg.ObjectType_OBJECT_COLUMN, pg.ObjectType_OBJECT_TABCONSTRAINT, pg.ObjectType_OBJECT_ATTRIBUTE,
		pg.ObjectType_OBJECT_TRIGGER, pg.ObjectType_OBJECT_RULE, pg.ObjectType_OBJECT_POLICY:
		last := len(items) - 1
		if last < 1 {
			b.failf(-1, pgerr.SyntaxError, "column name must be qualified")
		}
		return plan.ObjectRef{Name: b.qname(items[:last]), Sub: items[last].GetString_().GetSval()}
	case pg.ObjectType_OBJECT_DOMCONSTRAINT:
		if t := items[0].GetTypeName(); t != nil && len(items) == 2 {
			return plan.ObjectRef{Name: b.qname(t.Names), Sub: items[1].GetString_().GetSval()}
		}
		last := len(items) - 1
		return plan.ObjectRef{Name: b.qname(items[:last]), Sub: items[last].GetString_().GetSval()}
	case pg.ObjectType_OBJECT_CAST, pg.ObjectType_OBJECT_OPCLASS, pg.ObjectType_OBJECT_OPFAMILY, pg.ObjectType_OBJECT_TRANSFORM:
		b.fail(-1, pgerr.Unsupported("objects of kind %s are not supported", objectKind(kind)))
	}
	return plan.ObjectRef{Name: b.qname(items)}
}

// functionRef names a function by its input types, or by its name alone.
func (b *binder) functionRef(o *pg.ObjectWithArgs) plan.ObjectRef {
	r := plan.ObjectRef{Name: b.qname(o.Objname), HasArg: !o.ArgsUnspecified}
	for _, n := range o.Objargs {
		if t := n.GetTypeName(); t != nil {
			r.Args = append(r.Args, plan.TypeName{Type: b.resolveTypeName(t)})
		}
	}
	return r
}
