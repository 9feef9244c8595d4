package planner

import (
	"cmp"
	"math"
	"slices"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/keys"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// scanPath reads the table in storage key order: all of it, or the range a.
func (l *level) scanPath(b *baseRel, a *keyAccess) *path {
	rows := b.rows
	if a != nil {
		rows = l.matchedRows(b, a)
	}
	rest, sel := l.filterSel(b, a)
	rest = l.cheapFirst(rest)
	share, read := rows/math.Max(1, b.rows), l.unprunedShare(b, rest)
	p := &path{rels: relOf(b.rel), rows: clampRows(rows * sel), start: costStart}
	p.total = costStart + (pagesOf(b.bytes)*share*costPage+rows*(costRow+exprsCost(rest)))*read
	if read < 1 {
		p.total += (pagesOf(b.bytes)*costZone + l.o.env.Statistics.Unzoned(b.r.Table)*costUnzoned) * share
	}
	p.order, p.fixed = storageOrder(b, a), fixedBy(b, a)
	reverse := l.asksReverse(p)
	p.build = func() *rel {
		var consumed []int
		if a != nil {
			consumed = a.consumed
		}
		defer l.releaseQuals(b, consumed)()
		attrs := l.attrsOf(b.rel)
		r := b.layout(l, attrs)
		n := &plan.Scan{NodeInfo: p.info(r), Table: b.r.Table, Alias: b.r.Alias, Attrs: attrs, Reverse: reverse,
			Filter: l.slot(r, conjunction(rest)), Sample: l.sample(b.r.TableSample), RangeRows: rows}
		if a != nil {
			kr := a.keyRange(l.lower)
			n.Range = &kr
		}
		n.Prune = l.prunable(b, rest)
		r.node = n
		return r
	}
	return p
}

// cheapFirst puts comparisons of numbers and times before those of text, among neighbours that cannot fail: which of
// these is asked first shows in nothing but the time.
func (l *level) cheapFirst(conds []plan.Expr) []plan.Expr {
	if l.o.env.Settings.ruleOff("cheap_first") {
		return conds
	}
	out := slices.Clone(conds)
	for from := 0; from < len(out); from++ {
		to := from
		for to < len(out) && cannotFail(out[to]) {
			to++
		}
		slices.SortStableFunc(out[from:to], func(a, b plan.Expr) int { return cmp.Compare(effort(a), effort(b)) })
		from = to
	}
	return out
}

// cannotFail reports whether a condition gives an answer for all values.
func cannotFail(c plan.Expr) bool {
	if x, ok := c.(*plan.ArrayOp); ok {
		op := functions.OperatorByOID(x.Op)
		return op != nil && op.Code != nil && op.Code.LeakProof && keepsSecrets(x.Left) && keepsSecrets(x.Right)
	}
	return keepsSecrets(c)
}

// effort ranks conditions by what a row costs them.
func effort(e plan.Expr) int {
	switch x := e.(type) {
	case *plan.NullTest:
		return 0
	case *plan.Call:
		for _, a := range x.Args {
			t := types.ByOID(a.ResultType().OID)
			if t == nil || t.Kind == column.Bytes {
				return 2
			}
			switch strip(a).(type) {
			case *plan.Var, *plan.Const, *plan.Param:
			default:
				return 2
			}
		}
		return 1
	case *plan.ArrayOp:
		if t := types.ByOID(x.Left.ResultType().OID); t != nil && t.Kind != column.Bytes {
			return 1
		}
	}
	return 3
}

func (l *level) sample(s *plan.TableSample) *plan.TableSample {
	if s == nil {
		return nil
	}
	out := *s
	out.Args = nil
	for _, e := range s.Args {
		out.Args = append(out.Args, l.lower(e))
	}
	if s.Seed != nil {
		out.Seed = l.lower(s.Seed)
	}
	return &out
}

// lookupPath reads rows by complete storage keys.
func (l *level) lookupPath(b *baseRel, a *keyAccess) *path {
	if b.r.TableSample != nil {
		return nil
	}
	rest, sel := l.filterSel(b, a)
	keys := 1.0
	if a.array != nil {
		keys = math.Max(1, b.rows*a.sel)
	}
	p := &path{rels: relOf(b.rel), rows: clampRows(keys * sel), start: 0}
	p.total = keys * (costLookup + costRow + exprsCost(rest))
	p.build = func() *rel {
		defer l.releaseQuals(b, a.consumed)()
		attrs := l.attrsOf(b.rel)
		r := b.layout(l, attrs)
		n := &plan.KeyLookup{NodeInfo: p.info(r), Table: b.r.Table, Alias: b.r.Alias, Attrs: attrs, Filter: l.slot(r, conjunction(rest))}
		if a.array != nil {
			n.Array = l.lower(a.array.value)
		} else {
			var key []plan.Expr
			for _, m := range a.equal {
				key = append(key, l.lower(m.value))
			}
			n.Keys = [][]plan.Expr{key}
		}
		r.node = n
		return r
	}
	return p
}

// indexPath reads a secondary index and fetches the rows unless the index holds
// all that is asked for.
func (l *level) indexPath(b *baseRel, a *keyAccess) *path {
	if b.r.TableSample != nil {
		return nil
	}
	rows := l.matchedRows(b, a)
	rest, sel := l.filterSel(b, a)
	covering := !l.o.env.Settings.NoIndexOnly && l.covers(b, a)
	p := &path{rels: relOf(b.rel), rows: clampRows(rows * sel), start: costLookup}
	p.total = costLookup + rows*(costRow+exprsCost(rest))
	if !covering {
		p.total += rows * costLookup
	}
	p.order, p.fixed = indexOrder(b, a), fixedBy(b, a)
	reverse := l.asksReverse(p)
	p.build = func() *rel {
		defer l.releaseQuals(b, a.consumed)()
		attrs := l.attrsOf(b.rel)
		r := b.layout(l, attrs)
		n := &plan.IndexScan{NodeInfo: p.info(r), Table: b.r.Table, Index: a.key.index, Alias: b.r.Alias, Attrs: attrs,
			Reverse: reverse, IndexOnly: covering && l.holdsAll(b, a, attrs), Filter: l.slot(r, conjunction(rest)),
			KeyText: l.keyText(b, a.key.index)}
		if a.array != nil {
			n.Array = l.lower(a.array.value)
		} else {
			n.Ranges = []plan.KeyRange{a.keyRange(l.lower)}
		}
		r.node = n
		return r
	}
	return p
}

// covers reports whether the index, with its included columns and the storage
// key it points with, holds every attribute that is needed. Types whose key
// encoding does not give the value back cannot be read from a key.
func (l *level) covers(b *baseRel, a *keyAccess) bool {
	defer l.releaseQuals(b, a.consumed)()
	return l.holdsAll(b, a, l.attrsOf(b.rel))
}

// holdsAll is asked again when the node is made: what a LATERAL sibling reads is known once that has been planned.
func (l *level) holdsAll(b *baseRel, a *keyAccess, attrs []int) bool {
	for _, attr := range attrs {
		if !l.indexHolds(b, a, attr) {
			return false
		}
	}
	return true
}

func (l *level) indexHolds(b *baseRel, a *keyAccess, attr int) bool {
	if attr == plan.AttrKey || attr == plan.AttrTableOID {
		return true
	}
	for _, n := range a.key.index.Include {
		if int(n)-1 == attr {
			return true
		}
	}
	if attr < 0 {
		return false
	}
	t := b.r.Columns[attr].Type
	for _, c := range a.key.cols {
		if _, exact := l.o.env.Types.KeyKind(t.OID, c.coll); exact && c.attr == attr && c.typ == t.OID {
			return true
		}
	}
	_, exact := l.o.env.Types.KeyKind(t.OID, t.Collation)
	for _, n := range b.r.Table.StorageKey {
		if exact && int(n)-1 == attr {
			return true
		}
	}
	return false
}

// info completes the columns of a layout with the path's costs.
func (p *path) info(r *rel) plan.NodeInfo {
	i := *r.node.Info()
	i.Rows, i.StartCost, i.TotalCost = p.rows, p.start, p.total
	return i
}

// modelRows asks the engine's models how many keys a constant range holds.
func (l *level) modelRows(b *baseRel, a *keyAccess) (float64, bool) {
	if l.o.env.Statistics == nil || a.array != nil {
		return 0, false
	}
	enc := func(k keyColumn, dst []byte, e plan.Expr) ([]byte, bool) {
		c, ok := e.(*plan.Const)
		if !ok || c.Value.Null {
			return nil, false
		}
		return l.o.env.Types.EncodeKey(dst, k.typ, k.coll, c.Value, k.desc, k.nullsFirst), true
	}
	var prefix []byte
	ok := true
	for i, m := range a.equal {
		if prefix, ok = enc(a.key.cols[i], prefix, m.value); !ok {
			return 0, false
		}
	}
	low, up := prefix, keyEnd(prefix)
	if next := len(a.equal); next < len(a.key.cols) {
		k := a.key.cols[next]
		if a.low != nil {
			if low, ok = enc(k, append([]byte(nil), prefix...), a.low.value); !ok {
				return 0, false
			}
		}
		if a.up != nil {
			if up, ok = enc(k, append([]byte(nil), prefix...), a.up.value); !ok {
				return 0, false
			}
			up = keyEnd(up)
		}
	}
	if len(low) == 0 && len(up) == 0 && len(a.key.predicate) == 0 {
		return 0, false
	}
	return l.o.env.Statistics.RangeRows(b.r.Table, a.key.index, low, up)
}

// lookup is how an index join finds rows of its right table.
type lookup struct {
	index      *catalog.Index // nil: the storage key
	order      []int          // join keys in the order of the key columns
	attrs      []int          // of a system catalog: the columns of these keys
	uses       map[int]bool   // which join keys the look-up answers
	rowsPerKey float64
}

// bestLookup finds the access key of b that the most join keys fit.
func (l *level) bestLookup(b *baseRel, joinKeys []equiKey) (lookup, bool) {
	var best lookup
	found := false
	if b.r.TableSample != nil {
		return best, false
	}
	if b.r.Table.Kind == catalog.KindVirtual {
		return l.virtualLookup(b, joinKeys)
	}
	for _, k := range l.accessKeys(b) {
		lk := lookup{index: k.index, uses: map[int]bool{}}
		for _, col := range k.cols {
			i := joinKeyFor(b, col, joinKeys)
			if i < 0 {
				break
			}
			lk.order = append(lk.order, i)
			lk.uses[i] = true
		}
		complete := len(lk.order) == len(k.cols)
		if len(lk.order) == 0 || k.index == nil && !complete {
			continue
		}
		lk.rowsPerKey = b.rows
		for _, i := range lk.order {
			lk.rowsPerKey /= math.Max(1, l.distinctOf(joinKeys[i].right))
		}
		if complete && k.unique {
			lk.rowsPerKey = 1
		}
		if !found || lk.rowsPerKey < best.rowsPerKey || lk.rowsPerKey == best.rowsPerKey && k.index == nil {
			best, found = lk, true
		}
	}
	return best, found
}

func joinKeyFor(b *baseRel, col keyColumn, keys []equiKey) int {
	for i, k := range keys {
		m, ok := functions.BtreeStrategy(k.op.OID, col.family)
		if ok && m.Strategy == functions.StrategyEqual && col.is(k.right, b.rel) && sameKeyType(m.Left, col.typ) &&
			sameKeyType(m.Right, col.typ) && sameCollation(k.right.ResultType().Collation, col.coll) {
			return i
		}
	}
	return -1
}

// keyEnd returns the least key above every key that starts with k.
func keyEnd(k []byte) []byte {
	if len(k) == 0 {
		return nil
	}
	end, ok := keys.PrefixEnd(nil, k)
	if !ok {
		return nil
	}
	return end
}
