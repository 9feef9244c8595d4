package syscat

import (
	"strings"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/types"
)

// attrdefOID gives a column's default an identity: defaults have none of their own.
// It is unique as long as the OIDs of tables lie within 2.6 million of each other.
func attrdefOID(rel OID, attr int16) OID { return rel*1601 + OID(attr) }

// hasDefault reports whether a column has a row in pg_attrdef: the sequence of an
// identity column is no default.
func hasDefault(c *catalog.Column) bool { return len(c.Default) > 0 && c.Identity == 0 }

func attrdefRows(g *generator) {
	each(g, catalog.ClassRelation, 1, -1, func(r *catalog.Relation) bool {
		for i := range r.Columns {
			c := &r.Columns[i]
			if hasDefault(c) && !c.Dropped && !g.row(num(attrdefOID(r.OID, c.Num)), num(r.OID), num(c.Num), tree(c.Default)) {
				return false
			}
		}
		return true
	})
}

func indexRows(g *generator) {
	if table, ok := g.key(1); ok {
		if r := g.view.Relation(table); r != nil && r.OID >= catalog.FirstUserOID {
			for _, x := range g.view.IndexesOf(r) {
				indexRow(g, x)
			}
		}
		return
	}
	each(g, catalog.ClassIndex, 0, -1, func(x *catalog.Index) bool { return indexRow(g, x) })
}

func indexRow(g *generator, x *catalog.Index) bool {
	keys := make([]int16, 0, len(x.Keys)+len(x.Include))
	var options []int16
	var classes, collations []OID
	var exprs [][]byte
	for i := range x.Keys {
		k := &x.Keys[i]
		keys = append(keys, k.Column)
		class := k.OpClass
		if c := functions.DefaultOpclass(g.rt.Functions.Env, accessMethod(x.Method), k.Type); class == 0 && c != nil {
			class = c.OID
		}
		classes, collations = append(classes, class), append(collations, shownCollation(g.view.Relation(x.Table), k))
		option := int16(0)
		if k.Desc {
			option |= 1
		}
		if k.NullsFirst {
			option |= 2
		}
		options = append(options, option)
		if k.Column == 0 {
			exprs = append(exprs, k.Expr)
		}
	}
	keys = append(keys, x.Include...)
	exclusion, replident := false, false
	if r := g.view.Relation(x.Table); r != nil {
		for i := range r.Constraints {
			exclusion = exclusion || r.Constraints[i].Index == x.OID && r.Constraints[i].Kind == 'x'
		}
		replident = r.ReplIdent == 'i' && r.ReplIndex == x.OID
	}
	return g.row(num(x.OID), num(x.Table), num(len(keys)), num(len(x.Keys)), flag(x.Unique), flag(x.NullsNotDistinct),
		flag(x.Primary), flag(exclusion), flag(x.Immediate || x.Constraint == 0), flag(x.Clustered), flag(x.Valid), flag(false), flag(!x.NotReady), flag(true),
		flag(replident), vector(types.Int2OID, keys), vector(types.OIDOID, collations), vector(types.OIDOID, classes),
		vector(types.Int2OID, options), tree(exprs...), tree(x.Predicate))
}

// shownCollation is the collation that a key was declared with: one of text_pattern_ops and its like is kept in the
// order of bytes, whatever its own says.
func shownCollation(r *catalog.Relation, k *catalog.IndexKey) OID {
	class := functions.OpclassByOID(k.OpClass)
	switch {
	case class == nil || !strings.HasSuffix(class.Name, "_pattern_ops"):
		return k.Collation
	case k.Declared != 0:
		return k.Declared
	case k.Column > 0 && r != nil:
		return r.Columns[k.Column-1].Collation
	}
	return types.DefaultCollation
}

// constraintRows yields table and domain constraints. Restrictions on conrelid, contypid,
// confrelid and oid are look-ups, the last one through the whole list since a
// constraint has no descriptor of its own.
func constraintRows(g *generator) {
	if target, ok := g.key(11); ok && target != 0 {
		for _, f := range g.view.ReferencedBy(target) {
			if !constraintRow(g, f.Table, 0, f.Constraint) {
				return
			}
		}
		return
	}
	oid, byOID := g.key(0)
	rel, byRel := g.key(7)
	typ, byType := g.key(8)
	if !byType || typ == 0 {
		visit := func(r *catalog.Relation) bool {
			for i := range r.Constraints {
				if c := &r.Constraints[i]; (!byOID || c.OID == oid) && !constraintRow(g, r, 0, c) {
					return false
				}
			}
			return true
		}
		switch {
		case byRel:
			if r := g.view.Relation(rel); r != nil && rel >= catalog.FirstUserOID {
				visit(r)
			}
		default:
			g.visit(catalog.ClassRelation, func(o catalog.Object) bool { return visit(o.(*catalog.Relation)) })
		}
	}
	if byRel && rel != 0 || g.done {
		return
	}
	g.visit(catalog.ClassType, func(o catalog.Object) bool {
		t := o.(*catalog.Type)
		if byType && t.OID != typ {
			return true
		}
		for i := range t.Checks {
			if c := &t.Checks[i]; (!byOID || c.OID == oid) && !constraintRow(g, &catalog.Relation{Meta: catalog.Meta{Schema: t.Schema}}, t.OID, c) {
				return false
			}
		}
		return true
	})
}

func constraintRow(g *generator, r *catalog.Relation, domain OID, c *catalog.Constraint) bool {
	keys, refs := null, null
	if len(c.Columns) > 0 {
		keys = array(types.Int2OID, c.Columns)
	}
	onUpdate, onDelete, match := num(byte(' ')), num(byte(' ')), num(byte(' '))
	ops, setColumns := null, null
	if c.Kind == 'f' {
		refs = array(types.Int2OID, c.RefColumns)
		onUpdate, onDelete, match = num(orChar(c.OnUpdate, 'a')), num(orChar(c.OnDelete, 'a')), num(orChar(c.Match, 's'))
		if len(c.EqualOps) > 0 {
			ops = array(types.OIDOID, c.EqualOps)
		}
		if len(c.SetColumns) > 0 {
			setColumns = array(types.Int2OID, c.SetColumns)
		}
	}
	exclusion := null
	if c.Kind == 'x' {
		exclusion = array(types.OIDOID, c.EqualOps)
	}
	inherited := 0
	if c.Inherited {
		inherited = max(1, g.view.ParentsWithCheck(r, c.Name))
	}
	noInherit := c.NoInherit || c.Kind != 'c'
	if domain != 0 {
		noInherit = false
	}
	return g.row(num(c.OID), str(c.Name), num(r.Schema), num(c.Kind), flag(c.Deferrable), flag(c.Deferred), flag(c.Validated),
		num(r.OID), num(domain), num(c.Index), num(0), num(c.RefTable), onUpdate, onDelete, match, flag(!c.Inherited || c.Local), num(inherited),
		flag(noInherit), keys, refs, ops, ops, ops, setColumns, exclusion, tree(c.Expr))
}

func orChar(c, other byte) byte {
	if c == 0 {
		return other
	}
	return c
}

func sequenceRows(g *generator) {
	each(g, catalog.ClassSequence, 0, -1, func(s *catalog.Sequence) bool {
		return g.row(num(s.OID), num(s.Type), num(s.Start), num(s.Increment), num(s.Max), num(s.Min), num(max(s.CacheSz, 1)), flag(s.Cycle))
	})
}

func inheritsRows(g *generator) {
	each(g, catalog.ClassRelation, 0, -1, func(r *catalog.Relation) bool {
		for i, p := range r.Inherits {
			if !g.row(num(r.OID), num(p), num(i+1), flag(false)) {
				return false
			}
		}
		return true
	})
}

// ruleOID gives the rule of a view an OID, which no relation has: clients join pg_depend with one catalog after the other.
// It is what attrdefOID gives to no column.
func ruleOID(view OID) OID { return attrdefOID(view, 0) }

// ruleView is the view whose rule has an OID.
func ruleView(rule OID) OID {
	inverse := uint32(1) // of attrdefOID's odd factor, modulo 2^32: each step doubles the bits that are right
	for range 5 {
		inverse *= 2 - uint32(attrdefOID(1, 0))*inverse
	}
	return OID(uint32(rule) * inverse)
}

// rewriteRows yields the _RETURN rule of each view.
func rewriteRows(g *generator) {
	visit := func(r *catalog.Relation) bool {
		if r.Kind != catalog.KindView && r.Kind != catalog.KindMatView {
			return true
		}
		return g.row(num(ruleOID(r.OID)), str("_RETURN"), num(r.OID), num(byte('1')), num(byte('O')), flag(true), str("<>"), treeOrText(r))
	}
	if rule, ok := g.key(0); ok {
		if r := g.view.Relation(ruleView(rule)); r != nil && r.OID >= catalog.FirstUserOID {
			visit(r)
		}
		return
	}
	each(g, catalog.ClassRelation, 2, -1, visit)
}

func treeOrText(r *catalog.Relation) column.Datum {
	if len(r.Query) > 0 {
		return tree(r.Query)
	}
	return textTree(r.QueryText)
}
