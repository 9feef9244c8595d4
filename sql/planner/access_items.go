package planner

import (
	"math"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/itemkey"
	"github.com/omendb/omendb/sql/plan"
)

// itemMatch is a condition that an index over items can answer: column operator value.
type itemMatch struct {
	column, strategy int
	op               *functions.Operator
	value            plan.Expr
	qual             int
}

// itemPaths are the ways to read a table through its indexes of the method gin.
func (l *level) itemPaths(b *baseRel) []*path {
	var out []*path
	if b.r.TableSample != nil || l.o.env.Settings.ruleOff("index_scan") {
		return nil
	}
	for _, oid := range b.r.Table.Indexes {
		ix := l.o.env.Catalog.Index(oid)
		if ix == nil || !ix.Valid || ix.Method != "gin" {
			continue
		}
		if _, usable := l.indexPredicate(b, ix); !usable {
			continue
		}
		if ms := l.itemMatches(b, ix); len(ms) > 0 {
			out = append(out, l.itemPath(b, ix, ms))
		}
	}
	return out
}

func (l *level) itemMatches(b *baseRel, ix *catalog.Index) []itemMatch {
	var out []itemMatch
	for i, k := range ix.Keys {
		class := functions.OpclassByOID(k.OpClass)
		if class == nil {
			return nil
		}
		col := keyColumn{attr: int(k.Column) - 1, expr: l.indexExpr(b, ix, i)}
		if col.attr < 0 && col.expr == nil {
			continue
		}
		for q, c := range b.quals {
			x, ok := c.expr.(*plan.Call)
			if !ok || len(x.Args) != 2 || x.Op == 0 {
				continue
			}
			op, left, right := functions.OperatorByOID(x.Op), x.Args[0], x.Args[1]
			if op != nil && col.is(right, b.rel) && !col.is(left, b.rel) {
				op, left, right = functions.OperatorByOID(op.Commutator), right, left
			}
			if op == nil || !col.is(left, b.rel) || !isRunConstant(right) {
				continue
			}
			// Path queries (@? and @@) are not taken apart.
			if s := functions.GinStrategy(op.OID, class.Family); s > 0 && s < ginPathQuery {
				out = append(out, itemMatch{i, s, op, right, q})
			}
		}
	}
	return out
}

// ginPathQuery is the least strategy of jsonb_ops that asks for a path.
const ginPathQuery = 15

// itemPath looks items up, then reads the rows in the order of the table and checks all conditions on them.
func (l *level) itemPath(b *baseRel, ix *catalog.Index, ms []itemMatch) *path {
	found, read := l.itemRows(b, ix, ms)
	rest, _ := l.filterSel(b, nil)
	p := &path{rels: relOf(b.rel), rows: clampRows(math.Min(found, b.rows*l.selectivityAll(rest))), start: costLookup*float64(len(ms)) + read*costRow}
	p.total = p.start + found*(costLookup+costRow+exprsCost(rest))
	p.build = func() *rel {
		attrs := l.attrsOf(b.rel)
		r := b.layout(l, attrs)
		n := &plan.ItemScan{NodeInfo: p.info(r), Table: b.r.Table, Index: ix, Alias: b.r.Alias, Attrs: attrs,
			Filter: l.slot(r, conjunction(rest)), KeyText: l.keyText(b, ix)}
		for _, m := range ms {
			n.Searches = append(n.Searches, plan.ItemSearch{Column: m.column, Strategy: m.strategy, Operator: m.op.Name, Value: l.lower(m.value)})
		}
		r.node = n
		return r
	}
	return p
}

// itemRows estimates how many rows an index over items finds, and how many entries it reads for that: of constants the
// models of the index tell how often their items occur.
func (l *level) itemRows(b *baseRel, ix *catalog.Index, ms []itemMatch) (found, read float64) {
	coders, err := itemkey.Coders(l.o.env.Types, ix)
	found = b.rows
	for _, m := range ms {
		guess := b.rows * l.selectivity(b.quals[m.qual].expr)
		c, isConst := m.value.(*plan.Const)
		if err != nil || !isConst || l.o.env.Statistics == nil {
			found, read = math.Min(found, guess), read+guess
			continue
		}
		s := coders[m.column].Search(m.strategy, c.Value)
		rows := 0.0
		for i, r := range coders[m.column].Ranges(s) {
			n, ok := l.o.env.Statistics.RangeRows(b.r.Table, ix, r[0], r[1])
			if !ok {
				n = guess
			}
			if s.Any || i == 0 {
				rows += n
			} else {
				rows = math.Min(rows, n)
			}
		}
		found, read = math.Min(found, rows), read+rows
	}
	return clampRows(found), read
}
