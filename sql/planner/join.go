package planner

import (
	"math"

	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// joinCase is one pair of inputs with the conditions that join them; cheapest
// picks the method.
type joinCase struct {
	l           *level
	kind        plan.JoinKind
	left, right *path
	item        *item // the right side, when it is one item
	rels        relSet
	cond        []plan.Expr // part of the join
	after       []qual      // applied to its result
}

// equiKey is left = right with each side over its own input.
type equiKey struct {
	left, right plan.Expr
	fn          *functions.Func
	op          *functions.Operator
}

func (c *joinCase) cheapest() *path {
	rows := c.rows()
	var best *path
	try := func(p *path) {
		if p != nil && (best == nil || p.total < best.total) {
			best = p
		}
	}
	keys, rest := c.equiKeys()
	settings := c.l.o.env.Settings
	if len(c.right.lateral) == 0 || !c.lateralFromLeft() {
		c.equiJoin(keys, rest, rows, try)
		if c.kind != plan.FullJoin && !settings.ruleOff("index_join") {
			try(c.indexJoin(keys, rest, rows))
			if len(keys) > 0 && best != nil && !settings.ruleOff("group_join") && !settings.ruleOff("nest_loop") {
				try(c.groupJoin(keys, rows, best))
			}
		}
	}
	// Where a hash join is possible a plain loop is at best as good, and far worse where the
	// estimates are too low.
	if c.kind != plan.FullJoin && (best == nil || len(keys) == 0 && !settings.ruleOff("nest_loop") || c.lateralFromLeft()) {
		try(c.nestLoop(rows))
	}
	if best == nil {
		return nil
	}
	return c.l.filterPath(best, c.after)
}

// equiJoin tries the methods that need keys and read both inputs once. A FULL JOIN
// has no other.
func (c *joinCase) equiJoin(keys []equiKey, rest []plan.Expr, rows float64, try func(*path)) {
	if len(keys) == 0 {
		return
	}
	settings := c.l.o.env.Settings
	var hash, merge *path
	if !settings.ruleOff("hash_join") {
		hash = c.hashJoin(keys, rest, rows)
	}
	least := c.left.total + c.right.total + (c.left.rows+c.right.rows)*costMerge
	if !settings.ruleOff("merge_join") && (hash == nil || least < hash.total) {
		merge = c.mergeJoin(keys, rest, rows)
	}
	if hash == nil && merge == nil && c.kind == plan.FullJoin {
		hash = c.hashJoin(keys, rest, rows)
	}
	try(hash)
	try(merge)
}

// lateralFromLeft reports whether the right side takes parameters from the left.
func (c *joinCase) lateralFromLeft() bool {
	for _, p := range c.right.lateral {
		if c.left.rels.overlaps(p.rels) {
			return true
		}
	}
	return false
}

// lateral returns what the join's own inputs still need from further left.
func (c *joinCase) lateral() []lateralParam {
	out := append([]lateralParam(nil), c.left.lateral...)
	for _, p := range c.right.lateral {
		if !c.left.rels.overlaps(p.rels) {
			out = append(out, p)
		}
	}
	return out
}

func (c *joinCase) rows() float64 {
	sel := c.l.selectivityAll(c.cond)
	inner := c.left.rows * c.right.rows * sel
	switch c.kind {
	case plan.LeftJoin:
		return clampRows(math.Max(inner, c.left.rows))
	case plan.FullJoin:
		return clampRows(math.Max(inner, c.left.rows+c.right.rows))
	case plan.SemiJoin:
		return clampRows(c.left.rows * math.Min(1, c.right.rows*sel))
	case plan.AntiJoin, plan.AntiNullJoin:
		return clampRows(c.left.rows * math.Max(0.05, 1-c.right.rows*sel))
	}
	return clampRows(inner)
}

// equiKeys finds the hashable equalities among the conditions.
func (c *joinCase) equiKeys() (keys []equiKey, rest []plan.Expr) {
	for _, e := range c.cond {
		if k, ok := c.equiKey(e); ok {
			keys = append(keys, k)
			continue
		}
		rest = append(rest, e)
	}
	return keys, rest
}

// hashed reports whether values that an operator holds for equal hash alike: PostgreSQL says so, or the operator goes with
// the order of one type, for each of which there is a hash here.
func hashed(op *functions.Operator) bool { return op.CanHash || op.CanMerge && op.Left == op.Right }

func (c *joinCase) equiKey(e plan.Expr) (equiKey, bool) {
	s := c.l.sidesOf(e)
	if s == nil {
		return equiKey{}, false
	}
	switch {
	case c.left.rels.contains(s.a) && c.right.rels.contains(s.b):
		return equiKey{s.call.Args[0], s.call.Args[1], s.op.Code, s.op}, true
	case c.left.rels.contains(s.b) && c.right.rels.contains(s.a):
		com := functions.OperatorByOID(s.op.Commutator)
		if com == nil || com.Code == nil {
			return equiKey{}, false
		}
		return equiKey{s.call.Args[1], s.call.Args[0], com.Code, com}, true
	}
	return equiKey{}, false
}

// equiSides is a hashable equality with the relations of its sides.
type equiSides struct {
	call *plan.Call
	op   *functions.Operator
	a, b relSet
}

// sidesOf reads a condition as an equality that a hash join can use, nil if it is none. Each
// pair of inputs asks for it again.
func (l *level) sidesOf(e plan.Expr) *equiSides {
	s, ok := l.sides[e]
	if !ok {
		s = findSides(e)
		if l.sides == nil {
			l.sides = map[plan.Expr]*equiSides{}
		}
		l.sides[e] = s
	}
	return s
}

func findSides(e plan.Expr) *equiSides {
	call, ok := e.(*plan.Call)
	if !ok || len(call.Args) != 2 {
		return nil
	}
	op := functions.OperatorByOID(call.Op)
	if op == nil || !hashed(op) || op.Code == nil || volatility(e) == 'v' {
		return nil
	}
	s := &equiSides{call: call, op: op, a: relsOf(call.Args[0]), b: relsOf(call.Args[1])}
	if s.a.empty() || s.b.empty() {
		return nil
	}
	return s
}

// smallJoin is how many rows are so few that a hash join keeps the order of its
// larger side: catalog views then list columns as PostgreSQL's plans do.
const smallJoin = 64

func (c *joinCase) hashJoin(keys []equiKey, rest []plan.Expr, rows float64) *path {
	p := &path{rels: c.rels, rows: rows, lateral: c.lateral()}
	p.start = c.right.total + c.right.rows*costHash + c.left.start
	p.total = p.start + (c.left.total - c.left.start) + c.left.rows*costProbe + rows*(costRow+c.l.costOf(rest))
	if c.right.rows > 1e6 {
		p.total += c.right.rows * costHash // cache misses beyond the caches
	}
	swapped := c.swaps()
	if swapped {
		p.start = c.left.total + c.left.rows*costHash + c.right.total + c.right.rows*costProbe
		p.total = p.start + rows*costRow + c.right.rows*c.l.costOf(rest)
	}
	if c.left.rows <= smallJoin && c.right.rows <= smallJoin && c.right.rels.count() > c.left.rels.count() {
		p.total += smallJoin * costHash // little to win by turning the order of the rows around
	}
	p.build = func() *rel {
		left, right := c.left.build(), c.right.build()
		out := c.joined(left, right)
		n := &plan.HashJoin{Kind: c.nodeKind(), Left: left.node, Right: right.node}
		for _, k := range keys {
			n.LeftKeys = append(n.LeftKeys, c.l.slot(left, k.left))
			n.RightKeys = append(n.RightKeys, c.l.slot(right, k.right))
			n.Equal = append(n.Equal, k.fn)
			n.NullSafe = append(n.NullSafe, false)
		}
		n.Cond = c.l.slotBoth(left, right, conjunction(rest))
		if swapped {
			n.Left, n.Right, n.LeftKeys, n.RightKeys = n.Right, n.Left, n.RightKeys, n.LeftKeys
			n.Cond = c.l.slotBoth(right, left, conjunction(rest))
			n.Kind = plan.RightSemiJoin
			if c.kind == plan.AntiJoin {
				n.Kind = plan.RightAntiJoin
			}
		}
		n.NodeInfo = c.info(left, right, p)
		out.node = n
		return out
	}
	return p
}

// swaps reports whether a semi or anti join had better hash its left side, because that is much the smaller one.
func (c *joinCase) swaps() bool {
	k := c.nodeKind()
	return (k == plan.SemiJoin || k == plan.AntiJoin) && c.left.rows > smallJoin && c.left.rows*2 < c.right.rows &&
		!c.l.o.env.Settings.ruleOff("right_semi_join")
}

func (c *joinCase) nestLoop(rows float64) *path {
	p := &path{rels: c.rels, rows: rows, lateral: c.lateral(), order: nil}
	p.start = c.left.start + c.right.start
	p.total = c.left.total + c.right.total + c.left.rows*c.right.rows*(costRow+c.l.costOf(c.cond)) + rows*costRow
	if c.lateralFromLeft() {
		p.total = c.left.total + c.left.rows*(c.right.total+costStart)
	}
	p.build = func() *rel {
		left, right := c.left.build(), c.right.build()
		out := c.joined(left, right)
		n := &plan.NestLoop{Kind: c.nodeKind(), Left: left.node, Right: right.node}
		for _, lp := range c.right.lateral {
			if c.left.rels.overlaps(lp.rels) {
				n.Params = append(n.Params, plan.SubParam{ID: lp.id, Expr: c.l.slot(left, lp.expr)})
			}
		}
		if len(n.Params) == 0 {
			m := &plan.Materialize{NodeInfo: *right.node.Info(), Input: right.node}
			n.Right = m
		}
		n.Cond = c.l.slotBoth(left, right, conjunction(c.cond))
		n.NodeInfo = c.info(left, right, p)
		out.node = n
		return out
	}
	return p
}

// indexJoin looks the right table up by its storage key or an index.
func (c *joinCase) indexJoin(keys []equiKey, rest []plan.Expr, rows float64) *path {
	if c.item == nil || c.item.base == nil || len(keys) == 0 {
		return nil
	}
	switch c.kind {
	case plan.InnerJoin, plan.LeftJoin, plan.SemiJoin, plan.AntiJoin:
	default:
		return nil
	}
	b := c.item.base
	lk, ok := c.l.bestLookup(b, keys)
	if !ok {
		return nil
	}
	matched := math.Max(1, lk.rowsPerKey)
	p := &path{rels: c.rels, rows: rows, lateral: c.lateral()}
	p.start = c.left.start + costLookup
	look, row := costLookup, costRow
	if lk.attrs != nil {
		look, row = costVirtualLookup, costVirtualRow
	}
	perRow := look + matched*(row+c.l.costOf(b.conds()))
	if lk.index != nil && lk.index.Store != 0 {
		perRow += matched * costLookup
	}
	p.total = c.left.total + c.left.rows*perRow + rows*costRow
	p.build = func() *rel {
		left := c.left.build()
		// Keys answered by the look-up itself need not be fetched for the condition.
		for i := range keys {
			if lk.uses[i] && !c.l.keepUsed {
				c.l.noteUsed(keys[i].right, -1)
				defer c.l.noteUsed(keys[i].right, 1)
			}
		}
		attrs := c.l.attrsOf(b.rel)
		right := b.layout(c.l, attrs)
		out := c.joined(left, right)
		n := &plan.IndexJoin{Kind: c.nodeKind(), Left: left.node, Table: b.r.Table, Index: lk.index, Alias: b.r.Alias, Attrs: attrs, Lookup: lk.attrs,
			KeyText: c.l.keyText(b, lk.index)}
		for _, i := range lk.order {
			n.Keys = append(n.Keys, c.l.slot(left, keys[i].left))
		}
		n.Filter = c.l.slot(right, conjunction(b.conds()))
		cond := append([]plan.Expr(nil), rest...)
		for i, k := range keys {
			if !lk.uses[i] {
				cond = append(cond, keyCond(k))
			}
		}
		n.Cond = c.l.slotBoth(left, right, conjunction(cond))
		n.NodeInfo = c.info(left, right, p)
		out.node = n
		return out
	}
	return p
}

// keyCond is an equality as a condition.
func keyCond(k equiKey) plan.Expr {
	return &plan.Call{Base: plan.Base{Typ: boolType, Pos: -1}, Func: k.fn, Op: k.op.OID,
		Args: []plan.Expr{k.left, k.right}, InputColl: k.left.ResultType().Collation}
}

// nodeKind is the kind of the join's node: where rows are looked at again once they are locked,
// what a semi join has found stays beside them.
func (c *joinCase) nodeKind() plan.JoinKind {
	if c.kind == plan.SemiJoin && c.l.keepUsed {
		return plan.FirstJoin
	}
	return c.kind
}

// leftOnly reports whether the output has no columns of the right side.
func (c *joinCase) leftOnly() bool {
	k := c.nodeKind()
	return k == plan.SemiJoin || k == plan.AntiJoin || k == plan.AntiNullJoin
}

// joined is the layout of the join's output.
func (c *joinCase) joined(left, right *rel) *rel {
	out := &rel{rels: c.rels, cols: map[colKey]int{}}
	for k, v := range left.cols {
		out.cols[k] = v
	}
	out.exprs = append(out.exprs, left.exprs...)
	if c.leftOnly() {
		return out
	}
	n := len(left.node.Info().Columns)
	for k, v := range right.cols {
		out.cols[k] = v + n
	}
	for _, e := range right.exprs {
		out.exprs = append(out.exprs, exprSlot{e.expr, e.slot + n})
	}
	return out
}

func (c *joinCase) info(left, right *rel, p *path) plan.NodeInfo {
	cols := append([]plan.Column(nil), left.node.Info().Columns...)
	if !c.leftOnly() {
		cols = append(cols, right.columns()...)
	}
	return plan.NodeInfo{Columns: cols, Rows: p.rows, StartCost: p.start, TotalCost: p.total, Width: widthOf(cols)}
}

// columns returns the output columns of a relation, also before it has a node.
func (r *rel) columns() []plan.Column {
	if r.node == nil {
		return nil
	}
	return r.node.Info().Columns
}

// slotBoth rewrites a join condition over left ++ right.
func (l *level) slotBoth(left, right *rel, e plan.Expr) plan.Expr {
	if e == nil {
		return nil
	}
	n := len(left.node.Info().Columns)
	both := &rel{cols: map[colKey]int{}}
	for k, v := range left.cols {
		both.cols[k] = v
	}
	for k, v := range right.cols {
		both.cols[k] = v + n
	}
	both.exprs = append(both.exprs, left.exprs...)
	for _, x := range right.exprs {
		both.exprs = append(both.exprs, exprSlot{x.expr, x.slot + n})
	}
	return l.slot(both, e)
}

// fullItem plans a FULL JOIN as one item.
func (l *level) fullItem(x *plan.Join) (*item, error) {
	side := func(it plan.FromItem) (*path, error) {
		items, quals, err := l.flattenItem(it)
		if err != nil {
			return nil, err
		}
		if len(items) == 0 {
			items = append(items, l.resultItem(it))
		}
		return l.planGroup(items, quals)
	}
	left, err := side(x.Left)
	if err != nil {
		return nil, err
	}
	right, err := side(x.Right)
	if err != nil {
		return nil, err
	}
	c := &joinCase{l: l, kind: plan.FullJoin, left: left, right: right, rels: left.rels.union(right.rels), cond: conjuncts(x.On)}
	p := c.cheapest()
	if p == nil {
		if p = c.constantFull(); p == nil {
			return nil, pgerr.New(pgerr.FeatureNotSupported,
				"FULL JOIN is only supported with merge-joinable or hash-joinable join conditions")
		}
	}
	it := &item{rels: c.rels, path: p}
	for _, lp := range p.lateral {
		it.need = it.need.union(lp.rels)
	}
	return it, nil
}

// constantFull handles FULL JOIN ON a condition without columns: a hash join
// without keys.
func (c *joinCase) constantFull() *path {
	for _, e := range c.cond {
		if !relsOf(e).empty() {
			return nil
		}
	}
	return c.hashJoin(nil, c.cond, c.rows())
}

func widthOf(cols []plan.Column) int {
	w := 0
	for _, c := range cols {
		w += widthOfType(c.Type)
	}
	return w
}
