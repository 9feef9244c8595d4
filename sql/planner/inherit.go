package planner

import (
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// maxInheritanceTree bounds the tables that one reference to a parent stands for.
const maxInheritanceTree = 1000

// inheritanceTree returns a table and all that inherit from it, each once, parents first.
func inheritanceTree(view Catalog, r *catalog.Relation) []*catalog.Relation {
	list := []*catalog.Relation{r}
	seen := map[OID]bool{r.OID: true}
	for i := 0; i < len(list) && len(list) <= maxInheritanceTree; i++ {
		for _, c := range view.Children(list[i].OID) {
			if !seen[c.OID] {
				seen[c.OID] = true
				list = append(list, c)
			}
		}
	}
	return list
}

// lockChildren locks the tables that inherit from one that a statement uses, as its own lock.
func (b *binder) lockChildren(r *catalog.Relation, mode uint8) {
	for _, c := range inheritanceTree(b.env.Catalog, r)[1:] {
		if b.env.LockRelation != nil {
			_, err := b.env.LockRelation(c.OID, mode)
			b.check(-1, err)
		}
		b.depend(catalog.ClassRelation, c.OID, c.Version)
	}
}

// inheritedAttrs maps the attributes of a parent to those of a child, by name; -1 for dropped ones.
func inheritedAttrs(parent, child *catalog.Relation) []int {
	out := make([]int, len(parent.Columns))
	for i := range parent.Columns {
		out[i] = -1
		if parent.Columns[i].Dropped {
			continue
		}
		for k := range child.Columns {
			if !child.Columns[k].Dropped && child.Columns[k].Name == parent.Columns[i].Name {
				out[i] = k
			}
		}
	}
	return out
}

// expandInheritance turns each reference to a table that others inherit from into the union of all of
// them. The union has the parent's columns, the table's OID and the row's key.
func (l *level) expandInheritance() (bool, error) {
	changed := false
	for i := range l.q.Rels {
		r := l.q.Rels[i]
		if r.Kind != plan.RelTable || r.Only || r.Table.Kind != catalog.KindTable || r.Table.OID < catalog.FirstUserOID {
			continue
		}
		tree := inheritanceTree(l.o.env.Catalog, r.Table)
		if len(tree) == 1 {
			continue
		}
		target := l.q.Command != plan.Select && i == l.q.Result
		if target && l.q.Command == plan.Insert {
			continue
		}
		if err := l.expandOne(i, tree, target); err != nil {
			return false, err
		}
		changed = true
	}
	return changed, nil
}

func (l *level) expandOne(i int, tree []*catalog.Relation, target bool) error {
	q, r := l.q, l.q.Rels[i]
	if len(tree) > maxInheritanceTree {
		return pgerr.New(pgerr.ProgramLimitExceeded, "more than %d tables inherit from \"%s\"", maxInheritanceTree, r.Table.Name)
	}
	if target && q.Command == plan.Merge {
		return pgerr.Unsupported("MERGE into a table that others inherit from is not supported")
	}
	for _, c := range tree[1:] {
		l.o.addObject(catalog.ClassRelation, c.OID, c.Version)
	}
	union := &plan.Rel{Kind: plan.RelSubquery, Alias: r.Alias, Query: inheritanceUnion(r, tree), Hidden: 2}
	n := len(r.Columns)
	if !target {
		union.Table, union.Tree = r.Table, tree
	}
	union.Columns = append(append([]plan.RelColumn(nil), r.Columns...),
		plan.RelColumn{Name: "tableoid", Type: attrColumn(r, plan.AttrTableOID).Type}, plan.RelColumn{Name: "ctid", Type: attrColumn(r, plan.AttrKey).Type})
	at := i
	if target {
		q.Rels = append(q.Rels, union)
		at = len(q.Rels) - 1
		l.inherited = &inheritedTarget{rel: at, tree: tree}
		r.Only = true
	} else {
		q.Rels[i] = union
	}
	var refused error
	move := func(v *plan.Var) *plan.Var {
		w := *v
		w.Rel = at
		switch v.Attr {
		case plan.AttrXmin, plan.AttrXmax, plan.AttrCmin, plan.AttrCmax:
			refused = pgerr.Unsupported("system column %q of a table that others inherit from is not supported", attrColumn(r, v.Attr).Name)
		case plan.AttrTableOID:
			w.Attr = n
		case plan.AttrKey:
			w.Attr = n + 1
		}
		return &w
	}
	if !target {
		moveVars(q, 0, i, move)
		return refused
	}
	// What is returned and checked is the changed row, of the table's own columns; only where it is
	// stored is known from the row that was found.
	returning, checks := q.Returning, q.Checks
	q.Returning, q.Checks = nil, nil
	moveVars(q, 0, i, move)
	moveRefs(q.From, i, at)
	q.Returning, q.Checks = returning, checks
	for _, t := range q.Returning {
		t.Expr = moveExpr(t.Expr, 0, i, func(v *plan.Var) *plan.Var {
			if v.Attr == plan.AttrTableOID {
				return move(v)
			}
			return v
		})
	}
	return refused
}

// inheritedTarget is the tree of tables that UPDATE or DELETE changes: rel is the union of their rows.
type inheritedTarget struct {
	rel  int
	tree []*catalog.Relation
}

// inheritanceUnion reads all tables of a tree as the first one.
func inheritanceUnion(r *plan.Rel, tree []*catalog.Relation) *plan.Query {
	q := &plan.Query{Command: plan.Select}
	var kinds []plan.Type
	for _, c := range r.Columns {
		kinds = append(kinds, c.Type)
	}
	oid, key := attrColumn(r, plan.AttrTableOID).Type, attrColumn(r, plan.AttrKey).Type
	kinds = append(kinds, oid, key)
	for n, table := range tree {
		leaf := &plan.Query{Command: plan.Select, From: []plan.FromItem{&plan.RelRef{}}}
		rel := &plan.Rel{Kind: plan.RelTable, Alias: r.Alias, Table: table, Only: true, LockMode: r.LockMode, Security: r.Security, TableSample: r.TableSample}
		for i := range table.Columns {
			c := &table.Columns[i]
			rel.Columns = append(rel.Columns, plan.RelColumn{Name: c.Name, Dropped: c.Dropped, Type: plan.Type{OID: c.Type, Typmod: c.Typmod, Collation: c.Collation}})
		}
		leaf.Rels = []*plan.Rel{rel}
		for i, k := range inheritedAttrs(r.Table, table) {
			name := r.Columns[i].Name
			if k < 0 {
				t := r.Columns[i].Type
				leaf.Targets = append(leaf.Targets, &plan.Target{Name: name, Expr: nullConst(t)})
				continue
			}
			leaf.Targets = append(leaf.Targets, &plan.Target{Name: name, Expr: &plan.Var{Base: plan.Base{Typ: rel.Columns[k].Type, Pos: -1}, Attr: k}})
		}
		leaf.Targets = append(leaf.Targets,
			&plan.Target{Name: "tableoid", Expr: &plan.Var{Base: plan.Base{Typ: oid, Pos: -1}, Attr: plan.AttrTableOID}},
			&plan.Target{Name: "ctid", Expr: &plan.Var{Base: plan.Base{Typ: key, Pos: -1}, Attr: plan.AttrKey}})
		q.Rels = append(q.Rels, &plan.Rel{Kind: plan.RelSubquery, Alias: "*SELECT*", Query: leaf, Columns: queryColumns(leaf)})
		node := &plan.SetOp{Rel: n, Types: kinds}
		if q.SetOp == nil {
			q.SetOp = node
		} else {
			q.SetOp = &plan.SetOp{Rel: -1, Kind: plan.Union, All: true, Left: q.SetOp, Right: node, Types: kinds}
		}
	}
	for i, t := range kinds {
		q.Targets = append(q.Targets, &plan.Target{Name: q.Rels[0].Columns[i].Name, Expr: &plan.Var{Base: plan.Base{Typ: t, Pos: -1}, Attr: i}})
	}
	return q
}

// moveVars replaces the references to Rels[rel] of a query that stands depth levels above q, in q and below.
func moveVars(q *plan.Query, depth, rel int, to func(*plan.Var) *plan.Var) {
	plan.MapQuery(q, func(e plan.Expr) plan.Expr { return moveExpr(e, depth, rel, to) })
	for _, r := range q.Rels {
		if r.Query != nil {
			moveVars(r.Query, depth+1, rel, to)
		}
	}
	for _, c := range q.CTEs {
		moveVars(c.Query, depth+1, rel, to)
	}
}

func moveExpr(e plan.Expr, depth, rel int, to func(*plan.Var) *plan.Var) plan.Expr {
	return plan.Rewrite(e, func(x plan.Expr) plan.Expr {
		switch v := x.(type) {
		case *plan.Var:
			if v.Level == depth && v.Rel == rel {
				return to(v)
			}
		case *plan.SubLink:
			moveVars(v.Query, depth+1, rel, to)
		}
		return x
	})
}

// moveRefs puts another relation into a join tree.
func moveRefs(items []plan.FromItem, from, to int) {
	for _, it := range items {
		switch x := it.(type) {
		case *plan.RelRef:
			if x.Rel == from {
				x.Rel = to
			}
		case *plan.Join:
			moveRefs([]plan.FromItem{x.Left, x.Right}, from, to)
		}
	}
}

// lockTree tells where the input row holds a row of one of several tables.
func (l *level) lockTree(r *rel, k plan.RowLock) plan.LockTarget {
	tree := l.q.Rels[k.Rel]
	n := len(tree.Columns)
	t := plan.LockTarget{Table: tree.Table, Strength: k.Strength, Wait: k.Wait, TableOID: r.cols[colKey{k.Rel, n - 2}], Key: r.cols[colKey{k.Rel, n - 1}]}
	for i := range n - 2 {
		if s, ok := r.cols[colKey{k.Rel, i}]; ok {
			t.Attrs, t.Slots = append(t.Attrs, i), append(t.Slots, s)
		}
	}
	for _, c := range tree.Tree[1:] {
		t.Inherited = append(t.Inherited, plan.InheritedTable{Table: c, Attrs: inheritedAttrs(tree.Table, c)})
	}
	return t
}

// inheritedTargets adds to a modifying node the tables that inherit from its own.
func (l *level) inheritedTargets(n *plan.Modify, r *rel) {
	t := l.inherited
	parent := l.q.Rels[l.q.Result]
	width := len(parent.Columns)
	n.TableOID = r.cols[colKey{t.rel, width}]
	n.Target = plan.LockTarget{Table: parent.Table, Strength: plan.ForUpdate, Key: r.cols[colKey{t.rel, width + 1}]}
	for i, c := range parent.Columns {
		if s, ok := r.cols[colKey{t.rel, i}]; ok && !c.Dropped {
			n.Target.Attrs, n.Target.Slots = append(n.Target.Attrs, i), append(n.Target.Slots, s)
		}
	}
	for _, c := range t.tree[1:] {
		n.Inherited = append(n.Inherited, plan.InheritedTable{Table: c, Attrs: inheritedAttrs(parent.Table, c)})
	}
}
