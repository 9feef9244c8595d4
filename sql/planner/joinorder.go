package planner

import (
	"math"
	"math/bits"
	"slices"

	"github.com/omendb/omendb/sql/plan"
)

// maxExhaustive is the number of items up to which every join order is
// considered (dynamic programming over subsets, bushy trees included: 3^n
// pairs); beyond it the cheapest pair is joined again and again.
const maxExhaustive = 8

// joinItems finds a cheap order and method to join all items under quals.
func (l *level) joinItems(items []*item, quals []qual) (*path, error) {
	quals, err := l.attachBaseQuals(items, quals)
	if err != nil {
		return nil, err
	}
	j := &joiner{l: l, items: items, quals: quals}
	for _, it := range items {
		j.rels = j.rels.union(it.path.rels) // it.rels may name relations without columns, which no path has
	}
	switch {
	case len(items) == 0:
		return l.filterPath(resultPath(relSet{}), quals), nil
	case len(items) == 1:
		return l.filterPath(items[0].path, quals), nil
	case len(items) <= maxExhaustive:
		return j.exhaustive(), nil
	}
	return j.greedy(), nil
}

// attachBaseQuals gives conditions on one relation to its access path.
func (l *level) attachBaseQuals(items []*item, quals []qual) ([]qual, error) {
	var rest []qual
	extra := make([][]qual, len(items))
outer:
	for _, q := range quals {
		for i, it := range items {
			if it.kind == plan.InnerJoin && !q.rels.empty() && it.rels.contains(q.rels) {
				extra[i] = append(extra[i], q)
				continue outer
			}
		}
		rest = append(rest, q)
	}
	for i, it := range items {
		if it.base != nil && it.kind == plan.InnerJoin {
			it.base.addQuals(extra[i])
			p, err := l.basePath(it.base)
			if err != nil {
				return nil, err
			}
			it.path = p
		} else if len(extra[i]) > 0 {
			it.path = l.filterPath(it.path, extra[i])
		}
	}
	return rest, nil
}

// filterPath applies conditions above a path.
func (l *level) filterPath(p *path, quals []qual) *path {
	if len(quals) == 0 {
		return p
	}
	var conds []plan.Expr
	for _, q := range quals {
		conds = append(conds, q.expr)
	}
	out := *p
	out.rows = clampRows(p.rows * l.selectivityAll(conds))
	out.total += p.rows * exprsCost(conds)
	out.build = func() *rel {
		r := p.build()
		info := *r.node.Info()
		info.Rows, info.TotalCost = out.rows, out.total
		n := &plan.Filter{NodeInfo: info, Input: r.node, Cond: l.slot(r, conjunction(conds))}
		return &rel{node: n, rels: r.rels, cols: r.cols, exprs: r.exprs}
	}
	return &out
}

type joiner struct {
	l     *level
	items []*item
	quals []qual
	links []int  // the items that each of the quals is about, as a set of bits, where it is about no other
	rels  relSet // of all items: what else an item needs stands further left, above this group
}

// link fills in links.
func (j *joiner) link() {
	for _, q := range j.quals {
		about := 0
		for i, it := range j.items {
			if it.path.rels.overlaps(q.rels) {
				about |= 1 << i
			}
		}
		if j.rels.contains(q.rels) && !slices.Contains(j.links, about) {
			j.links = append(j.links, about)
		}
	}
}

// linked reports whether a qual joins two sets of items.
func (j *joiner) linked(left, right int) bool {
	for _, about := range j.links {
		if about&^(left|right) == 0 && about&left != 0 && about&right != 0 {
			return true
		}
	}
	return false
}

// standalone reports whether an item can be the start of a join.
func (j *joiner) standalone(it *item) bool {
	if it.kind != plan.InnerJoin || it.need.overlaps(j.rels) {
		return false
	}
	for _, p := range it.path.lateral {
		if p.rels.overlaps(j.rels) {
			return false
		}
	}
	return true
}

// follows reports whether an item may stand on the right of relations.
func (j *joiner) follows(left relSet, it *item) bool {
	return left.contains(it.need.minus(it.need.minus(j.rels)))
}

func (j *joiner) exhaustive() *path {
	n := len(j.items)
	j.link()
	best := make([]*path, 1<<n)
	for i, it := range j.items {
		if j.standalone(it) {
			best[1<<i] = it.path
		}
	}
	for mask := 1; mask < 1<<n; mask++ {
		if bits.OnesCount(uint(mask)) < 2 {
			continue
		}
		for pass := 0; pass < 2 && best[mask] == nil; pass++ { // cross products only where nothing else is left
			// Subsets in ascending order: of joins that cost the same the one in the order of FROM comes first, and people
			// see the order of its rows.
			for left := mask & -mask; left != mask; left = (left - mask) & mask {
				if best[left] == nil || best[mask] != nil && j.least(best, left, mask&^left) >= best[mask].total {
					continue
				}
				p := j.pair(best, left, mask&^left, pass == 0)
				if p != nil && (best[mask] == nil || p.total < best[mask].total) {
					best[mask] = p
				}
			}
		}
	}
	return best[1<<n-1]
}

// least returns a bound of what joining two sets costs: no method does without the rows of
// the left side, and only a look-up in one table without those of the right.
func (j *joiner) least(best []*path, left, right int) float64 {
	cost := best[left].total
	if best[right] != nil && right&(right-1) != 0 {
		cost += best[right].total
	}
	return cost
}

// pair joins the best paths of two disjoint sets of items, if that is possible.
func (j *joiner) pair(best []*path, left, right int, onlyConnected bool) *path {
	if bits.OnesCount(uint(right)) == 1 {
		it := j.items[bits.TrailingZeros(uint(right))]
		if !j.follows(best[left].rels, it) || onlyConnected && it.kind == plan.InnerJoin && len(it.path.lateral) == 0 && !j.linked(left, right) {
			return nil
		}
		return j.join(best[left], it.path, it, onlyConnected)
	}
	if best[right] == nil || onlyConnected && len(best[right].lateral) == 0 && !j.linked(left, right) {
		return nil
	}
	return j.join(best[left], best[right], nil, onlyConnected)
}

// join makes the cheapest join of two paths; it is the item on the right when
// the right side is just one.
func (j *joiner) join(left, right *path, it *item, onlyConnected bool) *path {
	j.l.o.step()
	rels := left.rels.union(right.rels)
	c := &joinCase{l: j.l, left: left, right: right, item: it, rels: rels}
	if it != nil && it.kind != plan.InnerJoin {
		c.kind = it.kind
		c.cond = it.on
	}
	for _, q := range j.quals {
		if !rels.contains(q.rels) || left.rels.contains(q.rels) && !q.rels.empty() || right.rels.contains(q.rels) && c.kind == plan.InnerJoin {
			continue
		}
		if c.kind == plan.InnerJoin {
			c.cond = append(c.cond, q.expr)
		} else {
			c.after = append(c.after, q)
		}
	}
	if onlyConnected && c.kind == plan.InnerJoin && len(c.cond) == 0 && len(right.lateral) == 0 {
		return nil
	}
	return c.cheapest()
}

// greedy joins the pair with the smallest result until one path is left.
func (j *joiner) greedy() *path {
	type part struct {
		p  *path
		it *item
	}
	var parts []part
	for _, it := range j.items {
		parts = append(parts, part{it.path, it})
	}
	cache := map[[2]*path]*path{}
	for len(parts) > 1 {
		bestA, bestB := -1, -1
		var best *path
		for pass := 0; pass < 2 && best == nil; pass++ {
			for a := range parts {
				if parts[a].it != nil && !j.standalone(parts[a].it) {
					continue
				}
				for b := range parts {
					if a == b || parts[b].it != nil && !j.follows(parts[a].p.rels, parts[b].it) {
						continue
					}
					key := [2]*path{parts[a].p, parts[b].p}
					p, ok := cache[key]
					if !ok || pass == 1 {
						p = j.join(parts[a].p, parts[b].p, parts[b].it, pass == 0)
						cache[key] = p
					}
					if p != nil && (best == nil || score(p) < score(best)) {
						best, bestA, bestB = p, a, b
					}
				}
			}
		}
		parts[bestA] = part{p: best}
		parts = append(parts[:bestB], parts[bestB+1:]...)
	}
	return parts[0].p
}

// score ranks intermediate results in the greedy search: small ones first,
// cheap ones among equals.
func score(p *path) float64 { return p.rows + math.Min(p.total, 1e12)*1e-6 }
