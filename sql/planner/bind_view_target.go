package planner

import (
	"slices"

	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// viewTarget is the view that a statement changes rows through. The statement is bound over the table below, as
// Rels[Result]: a column of the view is an expression over the table's columns from the start.
type viewTarget struct {
	view     *catalog.Relation
	columns  []viewColumn
	levels   []viewLevel    // the views down to the table, the innermost first
	defaults map[int][]byte // of the table's attributes: defaults that the views have for them
	barrier  bool           // one of the views is WITH (security_barrier)
	only     bool           // without the tables that inherit from it
}

// viewLevel is one of the views on the way from a statement to a table.
type viewLevel struct {
	name   string
	option byte // of WITH CHECK OPTION
	qual   plan.Expr
	rel    *plan.Rel // for the privileges on the view
	owner  OID       // whose privileges count below; 0: those of who uses the view
}

// viewColumn is a column of a viewTarget.
type viewColumn struct {
	name string
	expr plan.Expr // over the table
	attr int       // of the table; -1: cannot be assigned to
	why  string    // it cannot
	typ  plan.Type
}

// viewVerb is how the messages about a command on a view begin and what their hints speak of.
var viewVerbs = map[plan.Command][3]string{
	plan.Insert: {"insert into", "inserting into", "INSERT"},
	plan.Update: {"update", "updating", "UPDATE"},
	plan.Delete: {"delete from", "deleting from", "DELETE"},
}

// viewTarget finds the table that a view's rows are in. The result's expressions are over Rels[result], where the caller
// puts that table.
func (s *scope) viewTarget(v *catalog.Relation, cmd plan.Command, acl uint32, result int) (*viewTarget, *catalog.Relation) {
	b := s.b
	if cmd == plan.Merge {
		b.fail(-1, pgerr.New(pgerr.FeatureNotSupported, "cannot execute MERGE on relation \"%s\"", v.Name).WithDetail("This operation is not supported for views."))
	}
	if v.OID < catalog.FirstUserOID {
		b.failf(-1, pgerr.InsufficientPrivilege, "permission denied: \"%s\" is a system catalog", v.Name)
	}
	if len(b.views) >= maxViewDepth {
		b.failf(-1, pgerr.StatementTooComplex, "stack depth limit exceeded")
	}
	q := b.decodeQuery(b.viewQuery(v), v.OID)
	if why := notUpdatable(q); why != "" {
		verb := viewVerbs[cmd]
		b.fail(-1, pgerr.New(pgerr.ObjectNotInPrerequisiteState, "cannot %s view \"%s\"", verb[0], v.Name).WithDetail("%s", why).
			WithHint("To enable %s the view, provide an INSTEAD OF %s trigger or an unconditional ON %s DO INSTEAD rule.", verb[1], verb[2], verb[2]))
	}
	owner := v.Owner
	if hasOption(v, "security_invoker") {
		owner = 0
	}
	base := viewBase(q)
	at := q.From[0].(*plan.RelRef).Rel
	out := &viewTarget{defaults: map[int][]byte{}}
	table := base.Table
	sub := &substitution{rel: at}
	if base.FromView != 0 {
		inner := b.env.Catalog.Relation(base.FromView)
		if inner == nil {
			b.failf(-1, pgerr.UndefinedTable, "relation with OID %d does not exist", base.FromView)
		}
		b.views = append(b.views, v.OID)
		out, table = s.viewTarget(inner, cmd, acl, result)
		b.views = b.views[:len(b.views)-1]
		for _, c := range out.columns {
			sub.defs, sub.names = append(sub.defs, c.expr), append(sub.names, c.name)
		}
		for _, l := range out.levels {
			if l.rel.Security == 0 {
				l.rel.Security = owner
			}
		}
	} else {
		out.only = base.Only
		b.lockTarget(table)
	}
	move := func(e plan.Expr) plan.Expr {
		if base.FromView != 0 {
			return sub.expr(e, 0)
		}
		return moveExpr(e, 0, at, func(x *plan.Var) *plan.Var { y := *x; y.Rel = result; return &y })
	}
	below := out.columns
	out.view, out.columns = v, nil
	for i, t := range visibleTargets(q.Targets) {
		if i >= len(v.Columns) {
			break
		}
		col := &v.Columns[i]
		c := viewColumn{name: col.Name, attr: -1, why: columnNotUpdatable(q, t), typ: plan.Type{OID: col.Type, Typmod: col.Typmod, Collation: col.Collation}}
		if x, ok := t.Expr.(*plan.Var); ok && c.why == "" {
			if c.attr = x.Attr; base.FromView != 0 {
				c.attr, c.why = below[x.Attr].attr, below[x.Attr].why
			}
		}
		if c.attr >= 0 && col.Default != nil {
			out.defaults[c.attr] = col.Default // a view further out has the say
		}
		c.expr = move(t.Expr)
		out.columns = append(out.columns, c)
	}
	level := viewLevel{name: v.Name, option: checkOption(v), owner: owner,
		rel: &plan.Rel{Kind: plan.RelResult, Alias: v.Name, FromView: v.OID, Required: acl}}
	if q.Where != nil {
		level.qual = move(q.Where)
	}
	out.barrier = out.barrier || hasOption(v, "security_barrier")
	out.levels = append(out.levels, level)
	return out, table
}

// lockTarget locks a table that rows are changed in without being named.
func (b *binder) lockTarget(table *catalog.Relation) {
	if b.env.LockRelation == nil || table.OID < catalog.FirstUserOID {
		return
	}
	_, err := b.env.LockRelation(table.OID, lockRowExclusive) // nobody changes it under the lock we have
	b.check(-1, err)
}

// viewChecks returns the conditions that new rows have to meet, those of inner views first. A cascaded option asks for the
// conditions of all views below as well.
func (t *viewTarget) viewChecks() []plan.ViewCheck {
	var out []plan.ViewCheck
	cascaded := false
	for i := len(t.levels) - 1; i >= 0; i-- {
		l := t.levels[i]
		cascaded = cascaded || l.option == 'c'
		if l.qual != nil && (cascaded || l.option != 0) {
			out = append([]plan.ViewCheck{{View: l.name, Cond: plan.CloneExpr(l.qual)}}, out...)
		}
	}
	return out
}

// item makes the name space item of the view over the table at an index of the range table.
func (t *viewTarget) item(s *scope, rel int) *nsItem {
	it := &nsItem{name: t.view.Name, rel: rel, table: t.view, view: t.view, relVisible: true, colsVisible: true, lateralOK: true}
	for _, c := range t.columns {
		e := plan.CloneExpr(c.expr)
		if rel != s.q.Result {
			e = moveExpr(e, 0, s.q.Result, func(x *plan.Var) *plan.Var { y := *x; y.Rel = rel; return &y })
		}
		it.cols = append(it.cols, nsColumn{name: c.name, expr: e})
	}
	return it
}

// openView opens the table below a view as Rels[Result].
func (s *scope) openView(v *catalog.Relation, x *pg.RangeVar, cmd plan.Command, acl uint32) *nsItem {
	b, result := s.b, len(s.q.Rels)
	t, table := s.viewTarget(v, cmd, acl, result)
	rel := b.tableRel(table, lockRowExclusive)
	if rel.Only = t.only; !t.only && cmd != plan.Insert {
		b.lockChildren(table, lockRowExclusive)
	}
	rel.Required = acl
	for _, l := range t.levels {
		if rel.Security = l.owner; l.owner != 0 {
			break
		}
	}
	s.q.Command, s.q.Result, s.view = cmd, s.addRel(rel), t
	for _, l := range t.levels {
		s.addRel(l.rel)
	}
	it := t.item(s, result)
	if x.Alias != nil {
		it.name = x.Alias.Aliasname
		for i, name := range names(x.Alias.Colnames) {
			if i < len(it.cols) {
				it.cols[i].name = name
			}
		}
	}
	return it
}

// finishView adds to a statement on a view what the view says about its rows. Until now the statement refers to the
// table by what its own text names only.
func (s *scope) finishView() {
	t, q := s.view, s.q
	if t == nil {
		return
	}
	own := t.levels[len(t.levels)-1].rel
	if t.barrier && q.Where != nil && !keepsSecrets(q.Where) {
		s.b.failf(-1, pgerr.FeatureNotSupported, "a condition with functions that are not leakproof on a security_barrier view whose rows are changed is not supported")
	}
	own.SetAttrs = t.viewAttrs(q.Rels[q.Result].SetAttrs)
	s.noteViewReads(own)
	if q.Command == plan.Update || q.Command == plan.Delete {
		var quals []plan.Expr
		for _, l := range t.levels {
			if l.qual != nil {
				quals = append(quals, conjuncts(plan.CloneExpr(l.qual))...)
			}
		}
		q.Where = conjunction(append(quals, conjuncts(q.Where)...))
	}
	if q.Command != plan.Delete {
		q.Checks = t.viewChecks()
	}
	if q.OnConflict != nil && q.OnConflict.Update {
		for _, l := range t.levels {
			if l.qual != nil {
				q.OnConflict.Visible = append(q.OnConflict.Visible, plan.ViewCheck{View: l.name, Cond: plan.CloneExpr(l.qual)})
			}
		}
	}
}

// viewAttrs returns the columns of the view that stand for attributes of the table.
func (t *viewTarget) viewAttrs(attrs []int) []int {
	var out []int
	for i, c := range t.columns {
		if slices.Contains(attrs, c.attr) {
			out = append(out, i)
		}
	}
	return out
}

// noteViewReads notes which of the view's columns the statement reads, for the privileges on the view.
func (s *scope) noteViewReads(own *plan.Rel) {
	seen := map[int]bool{}
	var walk func(q *plan.Query, depth int)
	walk = func(q *plan.Query, depth int) {
		plan.WalkQuery(q, func(e plan.Expr) bool {
			if v, ok := e.(*plan.Var); ok && v.Level == depth && v.Rel == s.q.Result {
				seen[v.Attr] = true
			}
			return true
		}, func(sub *plan.Query) { walk(sub, depth+1) })
	}
	walk(s.q, 0)
	for i, c := range s.view.columns {
		if has(c.expr, func(e plan.Expr) bool { v, ok := e.(*plan.Var); return ok && v.Level == 0 && seen[v.Attr] }) {
			own.ReadAttrs = append(own.ReadAttrs, i)
		}
	}
	if len(own.ReadAttrs) > 0 {
		own.Required |= aclSelect
	}
}

// viewAttribute finds the table's attribute that a column of the view stands for.
func (s *scope) viewAttribute(name string, pos int) int {
	for i := range s.view.columns {
		c := &s.view.columns[i]
		if c.name != name {
			continue
		}
		if c.attr < 0 {
			s.refuseColumn(c)
		}
		return c.attr
	}
	if _, ok := systemColumns[name]; ok {
		s.b.failf(pos, pgerr.FeatureNotSupported, "cannot assign to system column \"%s\"", name)
	}
	s.b.failf(pos, pgerr.UndefinedColumn, "column \"%s\" of relation \"%s\" does not exist", name, s.view.view.Name)
	return -1
}

// refuseColumn reports that a column of the view cannot be assigned to.
func (s *scope) refuseColumn(c *viewColumn) {
	verb := "insert into"
	if s.q.Command == plan.Update || s.q.OnConflict != nil {
		verb = "update"
	}
	s.b.fail(-1, pgerr.New(pgerr.FeatureNotSupported, "cannot %s column \"%s\" of view \"%s\"", verb, c.name, s.view.view.Name).WithDetail("%s", c.why))
}
