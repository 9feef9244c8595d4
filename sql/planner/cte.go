package planner

import (
	"github.com/omendb/omendb/sql/plan"
)

// planCTEs plans the WITH queries of a level that are not copied to where they
// are used, in order, so that each may use those before it.
func (l *level) planCTEs() error {
	for range l.q.CTEs {
		l.ctes = append(l.ctes, cteInfo{plan: -1, workID: -1})
	}
	for i, c := range l.q.CTEs {
		if !l.o.env.Settings.ruleOff("inline_cte") && canInline(c) || c.RefCount == 0 && c.Query.Command == plan.Select && !queryWrites(c.Query) {
			continue
		}
		l.inlineInto(c.Query, 1) // the rule that does so elsewhere sees the level's own query only afterwards
		if err := l.planCTE(i, c); err != nil {
			return err
		}
	}
	return nil
}

func (l *level) planCTE(i int, c *plan.CTE) error {
	info := &l.ctes[i]
	if c.Recursive {
		info.workID = l.o.workID
		l.o.workID++
	}
	p := &plan.Plan{Name: "CTE " + c.Name, CTE: true, Result: -1, Modify: c.Query.Command != plan.Select || queryWrites(c.Query)}
	l.o.stmt.Plans = append(l.o.stmt.Plans, p)
	info.plan = len(l.o.stmt.Plans) - 1
	info.rows = 100
	sub, err := l.o.planQuery(c.Query, l)
	if err != nil {
		return err
	}
	targets := c.Query.Targets
	if c.Query.Command != plan.Select {
		targets = c.Query.Returning
	}
	p.Root = trimJunk(sub.rel, targets)
	for _, r := range sub.level.outer {
		p.Uses = append(p.Uses, r.id)
	}
	p.Init = len(p.Uses) == 0
	info.rows = p.Root.Info().Rows
	// A CTE that looks at levels around this one gets its values through this level.
	carrier := &path{}
	l.takeLateral(carrier, sub.level)
	return nil
}

// ctePath reads a CTE's rows, or the work table of the recursion that is being planned.
func (l *level) ctePath(index int, r *plan.Rel) *path {
	home := l
	for range r.CTELevel {
		home = home.parent
	}
	info := home.ctes[r.CTEIndex]
	p := &path{rels: relOf(index), rows: clampRows(info.rows)}
	p.total = p.rows * costRow
	p.build = func() *rel {
		out := fullLayout(index, r)
		if r.WorkTable {
			out.node = &plan.WorkTableScan{NodeInfo: fullInfo(r, p), Alias: r.Alias, ID: info.workID}
		} else {
			out.node = &plan.CTEScan{NodeInfo: fullInfo(r, p), Alias: r.Alias, Plan: info.plan}
		}
		return out
	}
	return p
}
