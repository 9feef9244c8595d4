package planner

import (
	"slices"
	"strings"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/plan"
)

// notUpdatable tells why rows cannot be changed through a view with this query, "" when they can.
func notUpdatable(q *plan.Query) string {
	switch {
	case q.Distinct || q.DistinctOn != nil:
		return "Views containing DISTINCT are not automatically updatable."
	case len(q.GroupBy) > 0 || q.Sets != nil:
		return "Views containing GROUP BY are not automatically updatable."
	case q.Having != nil:
		return "Views containing HAVING are not automatically updatable."
	case q.SetOp != nil:
		return "Views containing UNION, INTERSECT, or EXCEPT are not automatically updatable."
	case len(q.CTEs) > 0:
		return "Views containing WITH are not automatically updatable."
	case q.Limit != nil || q.Offset != nil:
		return "Views containing LIMIT or OFFSET are not automatically updatable."
	case q.HasAggs || q.GroupAll:
		return "Views that return aggregate functions are not automatically updatable."
	case q.HasWindows:
		return "Views that return window functions are not automatically updatable."
	case q.HasSRF:
		return "Views that return set-returning functions are not automatically updatable."
	}
	base := viewBase(q)
	if base == nil {
		return "Views that do not select from a single table or view are not automatically updatable."
	}
	if base.TableSample != nil {
		return "Views containing TABLESAMPLE are not automatically updatable."
	}
	return ""
}

// viewBase returns the one table or view that a query reads, nil when there is another number of them.
func viewBase(q *plan.Query) *plan.Rel {
	if len(q.From) != 1 {
		return nil
	}
	ref, ok := q.From[0].(*plan.RelRef)
	if !ok {
		return nil
	}
	r := q.Rels[ref.Rel]
	if r.FromView == 0 && (r.Kind != plan.RelTable || r.Table.Kind != catalog.KindTable && r.Table.Kind != catalog.KindVirtual) {
		return nil
	}
	return r
}

// columnNotUpdatable tells why a column of an updatable view cannot be assigned to, "" when it can.
func columnNotUpdatable(q *plan.Query, t *plan.Target) string {
	v, ok := t.Expr.(*plan.Var)
	switch {
	case !ok || v.Level != 0:
		return "View columns that are not columns of their base relation are not updatable."
	case v.Attr == plan.AttrWholeRow:
		return "View columns that return whole-row references are not updatable."
	case v.Attr < 0:
		return "View columns that refer to system columns are not updatable."
	}
	return ""
}

// The bits of pg_relation_is_updatable: one for each command.
const (
	eventUpdate = 1 << 2
	eventInsert = 1 << 3
	eventDelete = 1 << 4
	allEvents   = eventUpdate | eventInsert | eventDelete
)

// UpdatableEvents returns what can be done to a relation, as pg_relation_is_updatable tells it. A column other than 0
// limits the question to that attribute number.
func UpdatableEvents(env *Env, r *catalog.Relation, column int) (events int, err error) {
	b := &binder{env: env, seen: map[plan.ObjectVersion]bool{}}
	defer func() {
		if p := recover(); p != nil {
			events, err = 0, b.caught(p)
		}
	}()
	var only []int
	if column > 0 {
		only = []int{column - 1}
	}
	return b.updatableEvents(r, only, 0), nil
}

func (b *binder) updatableEvents(r *catalog.Relation, only []int, depth int) int {
	switch {
	case r.Kind == catalog.KindTable || r.Kind == catalog.KindVirtual && r.Virtual == nil:
		return allEvents
	case r.Kind != catalog.KindView || depth > maxViewDepth:
		return 0
	}
	q := b.decodeQuery(b.viewQuery(r), r.OID)
	if notUpdatable(q) != "" {
		return 0
	}
	var base []int
	for i, t := range visibleTargets(q.Targets) {
		if columnNotUpdatable(q, t) == "" && (only == nil || slices.Contains(only, i)) {
			base = append(base, t.Expr.(*plan.Var).Attr)
		}
	}
	events := allEvents
	if len(base) == 0 {
		events = eventDelete
		base = []int{}
	}
	if below := viewBase(q); below.FromView != 0 {
		v := b.env.Catalog.Relation(below.FromView)
		if v == nil {
			return 0
		}
		events &= b.updatableEvents(v, base, depth+1)
	}
	return events
}

// checkOptionRefused tells why a view with this query can have no WITH CHECK OPTION, "" when it can.
func checkOptionRefused(q *plan.Query) string {
	if why := notUpdatable(q); why != "" {
		return why
	}
	if !slices.ContainsFunc(visibleTargets(q.Targets), func(t *plan.Target) bool { return columnNotUpdatable(q, t) == "" }) {
		return "Views that have no updatable columns are not automatically updatable."
	}
	return ""
}

// hasOption reports whether a boolean option of a view is on.
func hasOption(v *catalog.Relation, name string) bool {
	for _, word := range []string{"true", "on", "1", "yes"} {
		if slices.Contains(v.Options, name+"="+word) {
			return true
		}
	}
	return false
}

// checkOption returns the WITH CHECK OPTION of a view: 'l' local, 'c' cascaded, 0 none.
func checkOption(v *catalog.Relation) byte {
	for _, o := range v.Options {
		if value, ok := strings.CutPrefix(o, "check_option="); ok {
			return value[0]
		}
	}
	return 0
}
