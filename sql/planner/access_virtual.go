package planner

import (
	"math"
	"slices"
	"strings"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// Rows of a system catalog that are found by key are made one by one; all of them together
// come as ready columns.
const (
	costVirtualLookup = 3 * costLookup
	costVirtualRow    = 3 * costRow
)

// virtualPath computes a system catalog, passing it the equalities on columns. All but the
// equalities with arrays and patterns are answered by the look-up.
func (l *level) virtualPath(b *baseRel) *path {
	conds := b.conds()
	p := &path{rels: relOf(b.rel), rows: clampRows(b.rows * l.selectivityAll(conds))}
	p.total = costStart + b.rows*(costRow/2+l.costOf(conds))
	var eq []plan.VirtualEqual
	matched, found := b.rows, b.rows
	fixable := fixableAttrs(b)
	for attr := range b.r.Columns {
		if !fixable[attr] {
			continue
		}
		e, qual, ok := l.virtualEqual(b, attr)
		if !ok {
			continue
		}
		eq = append(eq, e)
		sel := l.selectivity(b.quals[qual].expr)
		matched *= sel
		found = math.Min(found, b.rows*sel) // one column leads to the rows, the others are looked at in each
		if l.isUniqueVirtual(b, attr) {
			matched = math.Min(matched, 1)
			if e.Array {
				matched = b.rows * l.selectivity(b.quals[qual].expr)
			}
		}
	}
	if eq != nil {
		matched = clampRows(matched)
		p.rows = math.Min(p.rows, matched)
		look := costStart + costVirtualLookup + matched*(costVirtualRow+l.costOf(conds)) + math.Max(0, found-matched)*costRow
		if look < p.total {
			p.total = look
		} else {
			eq = nil
		}
	}
	p.build = func() *rel {
		attrs := l.attrsOf(b.rel)
		r := b.layout(l, attrs)
		n := &plan.VirtualScan{NodeInfo: p.info(r), Table: b.r.Table, Alias: b.r.Alias, Attrs: attrs, Filter: l.slot(r, conjunction(conds))}
		for _, e := range eq {
			e.Value = l.lower(e.Value)
			n.Equal = append(n.Equal, e)
		}
		r.node = n
		return r
	}
	return p
}

// fixableAttrs returns the columns that stand alone on a side of a condition on the table, the only ones that
// an equality can fix: the rest of a wide catalog need not be looked at.
func fixableAttrs(b *baseRel) map[int]bool {
	out := map[int]bool{}
	note := func(e plan.Expr) {
		if v, ok := strip(e).(*plan.Var); ok && v.Level == 0 && v.Rel == b.rel {
			out[v.Attr] = true
		}
	}
	for _, q := range b.quals {
		switch x := q.expr.(type) {
		case *plan.Call:
			for _, a := range x.Args {
				note(a)
			}
		case *plan.ArrayOp:
			note(x.Left)
		}
	}
	return out
}

// virtualEqual finds a condition that fixes the values of a column.
func (l *level) virtualEqual(b *baseRel, attr int) (plan.VirtualEqual, int, bool) {
	k := keyColumn{attr: attr, typ: b.r.Columns[attr].Type.OID, coll: b.r.Columns[attr].Type.Collation}
	k.family = l.btreeFamily(k.typ)
	ms := l.matchQuals(b, k)
	if m := pickEqual(ms); m != nil {
		return plan.VirtualEqual{Attr: attr, Value: m.value}, m.qual, true
	}
	if m := pickArray(ms); m != nil {
		return plan.VirtualEqual{Attr: attr, Value: m.value, Array: true}, m.qual, true
	}
	if k.typ != types.NameOID {
		return plan.VirtualEqual{}, 0, false
	}
	for i, q := range b.quals {
		if v, ok := exactPattern(q.expr, b.rel, attr); ok {
			return plan.VirtualEqual{Attr: attr, Value: v}, i, true
		}
	}
	return plan.VirtualEqual{}, 0, false
}

// exactPattern recognizes name ~ '^(word)$', by which psql looks objects up, as name = 'word'.
func exactPattern(e plan.Expr, rel, attr int) (plan.Expr, bool) {
	c, ok := e.(*plan.Call)
	if !ok || len(c.Args) != 2 || !isAttr(c.Args[0], rel, attr) {
		return nil, false
	}
	op := functions.OperatorByOID(c.Op)
	pattern, constant := strip(c.Args[1]).(*plan.Const)
	if op == nil || op.Name != "~" || op.Restrict != "regexeqsel" || !constant || pattern.Value.Null {
		return nil, false
	}
	text := pattern.Value.String()
	word, anchored := strings.CutPrefix(text, "^(")
	word, closed := strings.CutSuffix(word, ")$")
	if !anchored || !closed || word == "" || strings.ContainsFunc(word, notPlain) {
		return nil, false
	}
	return &plan.Const{Base: plan.Base{Typ: plan.Type{OID: types.TextOID, Typmod: -1, Collation: 100}, Pos: -1}, Value: column.StringDatum(word)}, true
}

// notPlain tells what may mean something else than itself in a regular expression.
func notPlain(c rune) bool {
	return c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c < 128
}

func (l *level) isUniqueVirtual(b *baseRel, attr int) bool {
	if l.o.env.Statistics == nil {
		return false
	}
	st := l.o.env.Statistics.Column(b.r.Table, attr)
	return st != nil && st.Distinct == -1
}

// virtualLookup is bestLookup for a system catalog: any column can be a key.
func (l *level) virtualLookup(b *baseRel, joinKeys []equiKey) (lookup, bool) {
	lk := lookup{uses: map[int]bool{}, rowsPerKey: b.rows}
	unique := false
	for _, key := range joinKeys {
		v, ok := strip(key.right).(*plan.Var)
		if !ok || v.Level > 0 || v.Rel != b.rel || v.Attr < 0 {
			continue
		}
		attr := v.Attr
		col := keyColumn{attr: attr, typ: b.r.Columns[attr].Type.OID, coll: b.r.Columns[attr].Type.Collation}
		col.family = l.btreeFamily(col.typ)
		i := joinKeyFor(b, col, joinKeys)
		if i < 0 || lk.uses[i] || slices.Contains(lk.attrs, attr) {
			continue
		}
		lk.order, lk.attrs = append(lk.order, i), append(lk.attrs, attr)
		lk.uses[i] = true
		lk.rowsPerKey /= math.Max(1, l.distinctOf(joinKeys[i].right))
		unique = unique || l.isUniqueVirtual(b, attr)
	}
	if unique {
		lk.rowsPerKey = 1
	}
	lk.rowsPerKey = math.Max(lk.rowsPerKey, 0.5)
	return lk, len(lk.order) > 0
}
