package planner

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// planModify plans INSERT, UPDATE, DELETE and MERGE.
func (l *level) planModify() (*rel, error) {
	q := l.q
	target := q.Rels[q.Result]
	n := &plan.Modify{Command: q.Command, Table: target.Table, Alias: target.Alias, Checks: q.Checks}
	if q.Command == plan.Insert {
		return l.planInsert(n)
	}
	l.keepUsed = true
	found := q.Result // the relation whose rows are changed
	if l.inherited != nil {
		found = l.inherited.rel
		for i := range q.Rels[found].Columns {
			l.used[found][i]++
		}
	} else {
		for i, c := range target.Columns {
			if !c.Dropped {
				l.used[q.Result][i]++
			}
		}
		l.used[q.Result][plan.AttrKey]++
		for _, t := range visibleTargets(q.Returning) { // these are not read but known when the row is changed
			plan.Walk(t.Expr, func(e plan.Expr) bool {
				if v, ok := e.(*plan.Var); ok && v.Level == 0 && v.Rel == q.Result && (v.Attr == plan.AttrXmin && q.Command == plan.Update || v.Attr == plan.AttrXmax) {
					l.used[q.Result][v.Attr]--
				}
				return true
			})
		}
	}
	if !fromHolds(q.From, found) {
		q.From = append([]plan.FromItem{&plan.RelRef{Rel: found}}, q.From...)
	}
	p, err := l.planFrom()
	if err != nil {
		return nil, err
	}
	r := p.build()
	n.Input = r.node
	if l.inherited != nil {
		l.inheritedTargets(n, r)
	} else {
		n.Target = l.lockTarget(r, q.Result, plan.ForUpdate, plan.LockWait)
	}
	if q.Command == plan.Update && !assignsKey(target, q.Targets) {
		n.Target.Strength = plan.ForNoKeyUpdate
	}
	for _, t := range q.Targets {
		if q.Command == plan.Update && !t.Junk {
			n.Set = append(n.Set, plan.Assignment{Attr: t.Attr, Value: l.slot(r, t.Expr)})
		}
	}
	n.Recheck = l.recheck(r)
	for _, a := range q.Merge {
		n.Merge = append(n.Merge, l.mergePlan(r, a, len(target.Columns)))
	}
	return l.finishModify(n, r)
}

func fromHolds(items []plan.FromItem, rel int) bool {
	for _, it := range items {
		if itemRels(it).has(rel) {
			return true
		}
	}
	return false
}

// assignsKey reports whether an update touches a column of the storage key or
// of a unique index, for which it needs the stronger row lock.
func assignsKey(r *plan.Rel, targets []*plan.Target) bool {
	for _, t := range targets {
		for _, k := range r.Table.StorageKey {
			if int(k)-1 == t.Attr {
				return true
			}
		}
		for _, c := range r.Table.Constraints {
			for _, k := range c.Columns {
				if (c.Kind == 'p' || c.Kind == 'u') && int(k)-1 == t.Attr {
					return true
				}
			}
		}
	}
	return false
}

// lockTarget tells where the input row holds a table's row and its key.
func (l *level) lockTarget(r *rel, index int, strength plan.LockStrength, wait plan.WaitPolicy) plan.LockTarget {
	t := plan.LockTarget{Table: l.q.Rels[index].Table, Strength: strength, Wait: wait, Key: r.cols[colKey{index, plan.AttrKey}]}
	for _, a := range l.attrsOf(index) {
		if a < 0 && a != plan.AttrXmin && a != plan.AttrXmax {
			continue
		}
		if s, ok := r.cols[colKey{index, a}]; ok {
			t.Attrs, t.Slots = append(t.Attrs, a), append(t.Slots, s)
		}
	}
	return t
}

func (l *level) inRow(r *rel, e plan.Expr) bool {
	return !has(e, func(x plan.Expr) bool {
		v, ok := x.(*plan.Var)
		if !ok || v.Level > 0 {
			return false
		}
		_, in := r.cols[colKey{v.Rel, v.Attr}]
		return !in
	})
}

func (l *level) mergePlan(r *rel, a *plan.MergeAction, attrs int) *plan.MergePlan {
	m := &plan.MergePlan{Matched: a.Matched, Command: a.Command, Nothing: a.Nothing}
	if a.Cond != nil {
		m.Cond = l.slot(r, a.Cond)
	}
	if a.Command == plan.Insert && !a.Nothing {
		m.Values = make([]plan.Expr, attrs)
	}
	for _, t := range a.Targets {
		e := l.slot(r, t.Expr)
		if m.Values != nil {
			m.Values[t.Attr] = e
		} else {
			m.Set = append(m.Set, plan.Assignment{Attr: t.Attr, Value: e})
		}
	}
	for i := range m.Values {
		if m.Values[i] == nil {
			c := l.q.Rels[l.q.Result].Columns[i]
			m.Values[i] = &plan.Const{Base: plan.Base{Typ: c.Type, Pos: -1}, Value: column.Null()}
		}
	}
	return m
}

// planInsert computes one value per attribute and inserts the rows.
func (l *level) planInsert(n *plan.Modify) (*rel, error) {
	q := l.q
	target := q.Rels[q.Result]
	p, err := l.planFrom()
	if err != nil {
		return nil, err
	}
	r := p.build()
	byAttr := make([]*plan.Target, len(target.Columns))
	for _, t := range q.Targets {
		if !t.Junk {
			byAttr[t.Attr] = t
		}
	}
	for i, c := range target.Columns {
		if byAttr[i] == nil {
			byAttr[i] = &plan.Target{Name: c.Name, Attr: i, Expr: nullConst(c.Type)}
		}
	}
	in := l.project(r, byAttr)
	n.Input = in.node
	row := l.modifiedRow(q.Result, nil)
	if oc := q.OnConflict; oc != nil {
		both := l.modifiedRow(q.Result, nil)
		for i := range target.Columns {
			both.cols[colKey{oc.Excluded, i}] = len(target.Columns) + 1 + i
		}
		n.OnConflict = &plan.ConflictPlan{Update: oc.Update, Indexes: oc.Indexes}
		for _, t := range oc.Set {
			n.OnConflict.Set = append(n.OnConflict.Set, plan.Assignment{Attr: t.Attr, Value: l.slot(both, t.Expr)})
		}
		if oc.Where != nil {
			n.OnConflict.Where = l.slot(both, oc.Where)
		}
		for _, v := range oc.Visible {
			n.OnConflict.Visible = append(n.OnConflict.Visible, plan.ViewCheck{View: v.View, Cond: l.slot(both, v.Cond)})
		}
	}
	l.slotChecks(n, row)
	return l.returning(n, row)
}

// modifiedRow is the layout that RETURNING sees: the row's attributes, its key,
// and the input row.
func (l *level) modifiedRow(result int, input *rel) *rel {
	target := l.q.Rels[result]
	w := len(target.Columns)
	out := &rel{cols: map[colKey]int{}}
	if input != nil {
		for k, s := range input.cols {
			out.cols[k] = s + w + 1
		}
		for _, e := range input.exprs {
			out.exprs = append(out.exprs, exprSlot{e.expr, e.slot + w + 1})
		}
	}
	for i := range target.Columns {
		out.cols[colKey{result, i}] = i
	}
	out.cols[colKey{result, plan.AttrKey}] = w
	return out
}

func (l *level) finishModify(n *plan.Modify, r *rel) (*rel, error) {
	row := l.modifiedRow(l.q.Result, r)
	l.slotChecks(n, row)
	return l.returning(n, row)
}

func (l *level) slotChecks(n *plan.Modify, row *rel) {
	n.Checks = append([]plan.ViewCheck(nil), n.Checks...)
	for i := range n.Checks {
		n.Checks[i].Cond = l.slot(row, n.Checks[i].Cond)
	}
}

// systemColumn is one of a row that RETURNING may name.
type systemColumn struct {
	attr int
	name string
}

// returning plans RETURNING. The last two columns of its input are xmax and xmin: the former is 0 in a row that is new or
// newly changed, the transaction in one that is deleted, or that ON CONFLICT locked before it changed it; the latter is the
// transaction in a row that is new or changed.
func (l *level) returning(n *plan.Modify, row *rel) (*rel, error) {
	in := n.Input.Info()
	row.cols[colKey{l.q.Result, plan.AttrXmax}] = len(l.q.Rels[l.q.Result].Columns) + 1 + len(in.Columns)
	unknown := []systemColumn{{plan.AttrCmin, "cmin"}, {plan.AttrCmax, "cmax"}}
	if n.Command == plan.Insert || n.Command == plan.Update {
		row.cols[colKey{l.q.Result, plan.AttrXmin}] = row.cols[colKey{l.q.Result, plan.AttrXmax}] + 1
	} else if _, known := row.cols[colKey{l.q.Result, plan.AttrXmin}]; !known { // of a row that was deleted it is in the input, or not, with several tables
		unknown = append(unknown, systemColumn{plan.AttrXmin, "xmin"})
	}
	n.NodeInfo = plan.NodeInfo{Rows: in.Rows, StartCost: in.StartCost, TotalCost: in.TotalCost + in.Rows*costRow*4}
	out := &rel{node: n, cols: map[colKey]int{}}
	for i, t := range visibleTargets(l.q.Returning) {
		for _, c := range unknown {
			if has(t.Expr, func(e plan.Expr) bool {
				v, ok := e.(*plan.Var)
				return ok && v.Level == 0 && v.Rel == l.q.Result && v.Attr == c.attr
			}) {
				return nil, pgerr.Unsupported("system column \"%s\" is not supported", c.name)
			}
		}
		n.Returning = append(n.Returning, l.slot(row, l.tableOID(t.Expr)))
		n.Columns = append(n.Columns, plan.Column{Name: t.Name, Type: t.Expr.ResultType()})
		out.exprs = append(out.exprs, exprSlot{t.Expr, i})
	}
	n.Width = widthOf(n.Columns)
	return out, nil
}

// tableOID replaces tableoid of the changed table, which its row does not hold, by the constant.
func (l *level) tableOID(e plan.Expr) plan.Expr {
	return plan.Rewrite(e, func(x plan.Expr) plan.Expr {
		v, ok := x.(*plan.Var)
		if !ok || v.Level != 0 || v.Rel != l.q.Result || v.Attr != plan.AttrTableOID {
			return x
		}
		return &plan.Const{Base: plan.Base{Typ: plan.Type{OID: types.OIDOID, Typmod: -1}, Pos: v.Pos},
			Value: column.IntDatum(int64(l.q.Rels[v.Rel].Table.OID))}
	})
}

// lockRows locks the rows that the result comes from.
func (l *level) lockRows(r *rel) *rel {
	n := &plan.LockRows{NodeInfo: *r.node.Info(), Input: r.node, Recheck: l.recheck(r)}
	for _, k := range l.q.Locks {
		if l.q.Rels[k.Rel].Tree != nil {
			n.Locks = append(n.Locks, l.lockTree(r, k))
		} else if l.q.Rels[k.Rel].Kind == plan.RelTable {
			if _, ok := r.cols[colKey{k.Rel, plan.AttrKey}]; ok {
				n.Locks = append(n.Locks, l.lockTarget(r, k.Rel, k.Strength, k.Wait))
			}
		}
	}
	if len(n.Locks) == 0 {
		return r
	}
	return withNode(r, n)
}
