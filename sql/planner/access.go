package planner

import (
	"math"
	"sort"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// baseRel is a plain table while its access path is chosen.
type baseRel struct {
	rel   int
	r     *plan.Rel
	quals []qual
	rows  float64 // of the whole table
	bytes float64
}

func (b *baseRel) addQuals(qs []qual) { b.quals = append(b.quals, qs...) }

func (b *baseRel) conds() []plan.Expr {
	out := make([]plan.Expr, len(b.quals))
	for i, q := range b.quals {
		out[i] = q.expr
	}
	return out
}

// attrsOf lists the attributes of a relation that anything needs, system
// attributes first.
func (l *level) attrsOf(rel int) []int {
	var out []int
	for a, n := range l.used[rel] {
		if n <= 0 {
			continue
		}
		if a == plan.AttrWholeRow {
			for i, c := range l.q.Rels[rel].Columns {
				if !c.Dropped && l.used[rel][i] <= 0 {
					out = append(out, i)
				}
			}
			continue
		}
		out = append(out, a)
	}
	sort.Ints(out)
	return out
}

// layout is the output of reading attrs of a table. Its node only carries columns.
func (b *baseRel) layout(l *level, attrs []int) *rel {
	r := &rel{rels: relOf(b.rel), cols: map[colKey]int{}}
	var info plan.NodeInfo
	for i, a := range attrs {
		r.cols[colKey{b.rel, a}] = i
		info.Columns = append(info.Columns, attrColumn(b.r, a))
	}
	info.Width = widthOf(info.Columns)
	r.node = &plan.Result{NodeInfo: info}
	return r
}

// attrColumn describes an attribute as an output column.
func attrColumn(r *plan.Rel, attr int) plan.Column {
	switch attr {
	case plan.AttrKey:
		return plan.Column{Name: "ctid", Type: plan.Type{OID: types.ByteaOID, Typmod: -1}}
	case plan.AttrTableOID:
		return plan.Column{Name: "tableoid", Type: plan.Type{OID: types.OIDOID, Typmod: -1}}
	case plan.AttrXmin:
		return plan.Column{Name: "xmin", Type: plan.Type{OID: types.XIDOID, Typmod: -1}}
	case plan.AttrXmax:
		return plan.Column{Name: "xmax", Type: plan.Type{OID: types.XIDOID, Typmod: -1}}
	case plan.AttrCmin:
		return plan.Column{Name: "cmin", Type: plan.Type{OID: types.CIDOID, Typmod: -1}}
	case plan.AttrCmax:
		return plan.Column{Name: "cmax", Type: plan.Type{OID: types.CIDOID, Typmod: -1}}
	}
	c := r.Columns[attr]
	return plan.Column{Name: c.Name, Type: c.Type}
}

func widthOfType(t plan.Type) int {
	if b := types.ByOID(t.OID); b != nil && b.Len > 0 {
		return int(b.Len)
	}
	return defaultWidth
}

// keyColumn is one column of a storage key or index, as access paths see it.
type keyColumn struct {
	attr       int       // 0-based, -1 for an expression
	expr       plan.Expr // the expression of an expression index
	typ        plan.OID
	coll       plan.OID
	family     plan.OID
	desc       bool
	nullsFirst bool
	notNull    bool
}

// accessKey is an order in which rows can be found.
type accessKey struct {
	index  *catalog.Index // nil: the storage key
	cols   []keyColumn
	unique bool
	// predicate is what a partial index's rows fulfil; the conditions of the table imply it.
	predicate []plan.Expr
}

// accessKeys lists the storage key and the indexes of a table that hold all the
// rows that its conditions ask for.
func (l *level) accessKeys(b *baseRel) []accessKey {
	var out []accessKey
	t := b.r.Table
	if len(t.StorageKey) > 0 {
		k := accessKey{unique: true}
		for _, n := range t.StorageKey {
			c := t.Columns[n-1]
			k.cols = append(k.cols, keyColumn{attr: int(n) - 1, typ: c.Type, coll: c.Collation, family: l.btreeFamily(c.Type), notNull: true})
		}
		out = append(out, k)
	}
	for _, oid := range t.Indexes {
		ix := l.o.env.Catalog.Index(oid)
		if ix == nil || !ix.Valid || ix.Store == 0 || ix.Method != "btree" && ix.Method != "hash" { // hash is ordered here, too
			continue
		}
		predicate, usable := l.indexPredicate(b, ix)
		if !usable {
			continue
		}
		k := accessKey{index: ix, unique: ix.Unique, predicate: predicate}
		for i, c := range ix.Keys {
			kc := keyColumn{attr: int(c.Column) - 1, expr: l.indexExpr(b, ix, i), typ: c.Type, coll: c.Collation,
				family: l.btreeFamily(c.Type), desc: c.Desc, nullsFirst: c.NullsFirst}
			if op := functions.OpclassByOID(c.OpClass); op != nil && ix.Method == "btree" {
				kc.family = op.Family
			}
			if c.Column > 0 {
				kc.notNull = t.Columns[c.Column-1].NotNull
			}
			k.cols = append(k.cols, kc)
		}
		out = append(out, k)
	}
	return out
}

// btreeFamily returns the operator family by which a type is ordered, 0 if it is not. It is asked for each
// column and pair of a join, and found once for a statement.
func (l *level) btreeFamily(typ plan.OID) plan.OID {
	if f, ok := l.o.families[typ]; ok {
		return f
	}
	var f plan.OID
	if c := functions.DefaultOpclass(l.o.env.Types, functions.BtreeAM, typ); c != nil {
		f = c.Family
	}
	if l.o.families == nil {
		l.o.families = map[plan.OID]plan.OID{}
	}
	l.o.families[typ] = f
	return f
}

// keyMatch is a condition that a key column can answer: column op value.
type keyMatch struct {
	qual     int
	strategy int // btree strategy of the operator
	value    plan.Expr
	array    bool // column = ANY(value)
}

// matchQuals finds the conditions on one key column.
func (l *level) matchQuals(b *baseRel, k keyColumn) []keyMatch {
	var out []keyMatch
	if k.attr < 0 && k.expr == nil {
		return nil
	}
	for i, q := range b.quals {
		switch x := q.expr.(type) {
		case *plan.Call:
			if m, ok := l.matchCall(b, k, x); ok {
				m.qual = i
				out = append(out, m)
			}
		case *plan.ArrayOp:
			m, ok := functions.BtreeStrategy(x.Op, k.family)
			if ok && !x.All && m.Strategy == functions.StrategyEqual && k.is(x.Left, b.rel) && isRunConstant(x.Right) &&
				sameKeyType(m.Right, k.typ) && sameCollation(x.InputColl, k.coll) {
				out = append(out, keyMatch{qual: i, strategy: functions.StrategyEqual, value: x.Right, array: true})
			}
		}
	}
	return out
}

func (l *level) matchCall(b *baseRel, k keyColumn, x *plan.Call) (keyMatch, bool) {
	if len(x.Args) != 2 || x.Op == 0 {
		return keyMatch{}, false
	}
	op, left, right := x.Op, x.Args[0], x.Args[1]
	if k.is(right, b.rel) && isRunConstant(left) {
		o := functions.OperatorByOID(op)
		if o == nil || o.Commutator == 0 {
			return keyMatch{}, false
		}
		op, left, right = o.Commutator, right, left
	}
	if !k.is(left, b.rel) || !isRunConstant(right) || !sameCollation(x.InputColl, k.coll) {
		return keyMatch{}, false
	}
	m, ok := functions.BtreeStrategy(op, k.family)
	if !ok || !sameKeyType(m.Right, k.typ) {
		return keyMatch{}, false
	}
	return keyMatch{strategy: m.Strategy, value: right}, true
}

// sameKeyType reports whether a value of one type has the key encoding of the
// other: the integer types and the float types share theirs, and so do the
// types that are stored as the same text.
func sameKeyType(value, key plan.OID) bool {
	class := func(t plan.OID) plan.OID {
		switch t {
		case types.Int2OID, types.Int4OID, types.Int8OID:
			return types.Int8OID
		case types.Float4OID, types.Float8OID:
			return types.Float8OID
		case types.VarcharOID, types.NameOID:
			return types.TextOID
		case types.TimestampOID, types.TimestamptzOID, types.DateOID:
			return t
		}
		return t
	}
	if types.ByOID(value) == nil || types.ByOID(value).TypType == 'p' { // anyarray, anyenum: the key's own type
		return true
	}
	return class(value) == class(key)
}

func sameCollation(a, b plan.OID) bool {
	isC := func(c plan.OID) bool { return c == 0 || c == 100 || c == 950 || c == 951 }
	return a == b || isC(a) && isC(b)
}

// is reports whether e is what the key column holds.
func (k keyColumn) is(e plan.Expr, rel int) bool {
	if k.attr >= 0 {
		return isAttr(e, rel, k.attr)
	}
	return k.expr != nil && plan.Same(stripRelabel(e), k.expr)
}

// isAttr reports whether e is the plain attribute of a relation of this level.
func isAttr(e plan.Expr, rel, attr int) bool {
	v, ok := stripRelabel(e).(*plan.Var)
	return ok && v.Level == 0 && v.Rel == rel && v.Attr == attr
}

// isRunConstant reports whether e has one value for a whole scan.
func isRunConstant(e plan.Expr) bool { return relsOf(e).empty() && volatility(e) != 'v' }

// keyAccess is a use of an access key: leading columns fixed, one bounded.
type keyAccess struct {
	key      accessKey
	equal    []keyMatch // one per leading column
	array    *keyMatch  // on the first column instead of equal
	low, up  *keyMatch  // on the column after equal, in key order
	consumed []int      // quals that need not be checked again
	sel      float64
}

// match finds the best use of key k for the quals of b.
func (l *level) match(b *baseRel, k accessKey) keyAccess {
	a := keyAccess{key: k, sel: 1}
	for i, col := range k.cols {
		ms := l.matchQuals(b, col)
		if eq := pickEqual(ms); eq != nil {
			a.equal = append(a.equal, *eq)
			a.consume(eq.qual)
			continue
		}
		if i == 0 {
			if arr := pickArray(ms); arr != nil {
				a.array = arr
				a.consume(arr.qual)
				break
			}
		}
		a.bounds(col, ms)
		break
	}
	var used []plan.Expr
	for _, q := range a.usedQuals() {
		used = append(used, b.quals[q].expr)
	}
	a.sel = l.selectivityAll(used)
	l.partial(b, &a)
	return a
}

func (a *keyAccess) usedQuals() []int {
	used := append([]int(nil), a.consumed...)
	for _, m := range []*keyMatch{a.low, a.up} {
		if m != nil && !containsInt(used, m.qual) {
			used = append(used, m.qual)
		}
	}
	return used
}

func containsInt(s []int, v int) bool {
	for _, x := range s {
		if x == v {
			return true
		}
	}
	return false
}

func pickEqual(ms []keyMatch) *keyMatch {
	for i := range ms {
		if ms[i].strategy == functions.StrategyEqual && !ms[i].array {
			return &ms[i]
		}
	}
	return nil
}

func pickArray(ms []keyMatch) *keyMatch {
	for i := range ms {
		if ms[i].array {
			return &ms[i]
		}
	}
	return nil
}

// bounds takes the first lower and upper limit on a column. NULLs lie at one
// end of the key order: a condition is answered completely only if they are
// excluded by a limit at that end or cannot occur.
func (a *keyAccess) bounds(col keyColumn, ms []keyMatch) {
	for i := range ms {
		m := &ms[i]
		if m.array {
			continue
		}
		lower := m.strategy == functions.StrategyGreater || m.strategy == functions.StrategyGreaterEqual
		if lower != col.desc {
			if a.low == nil {
				a.low = m
			}
		} else if a.up == nil {
			a.up = m
		}
	}
	nullsLow := col.nullsFirst
	if col.notNull || nullsLow && a.low != nil || !nullsLow && a.up != nil {
		for _, m := range []*keyMatch{a.low, a.up} {
			if m != nil {
				a.consume(m.qual)
			}
		}
	}
}

// useful reports whether the access restricts anything.
func (a *keyAccess) useful() bool {
	return len(a.equal) > 0 || a.array != nil || a.low != nil || a.up != nil
}

// full reports whether every key column is fixed.
func (a *keyAccess) full() bool { return len(a.equal) == len(a.key.cols) }

// keyRange builds the range in key order.
func (a *keyAccess) keyRange(slot func(plan.Expr) plan.Expr) plan.KeyRange {
	var prefix []plan.Expr
	for _, m := range a.equal {
		prefix = append(prefix, slot(m.value))
	}
	bound := func(m *keyMatch) *plan.Bound {
		if m == nil {
			if len(prefix) == 0 {
				return nil
			}
			return &plan.Bound{Exprs: prefix, Inclusive: true}
		}
		es := append(append([]plan.Expr(nil), prefix...), slot(m.value))
		return &plan.Bound{Exprs: es,
			Inclusive: m.strategy == functions.StrategyLessEqual || m.strategy == functions.StrategyGreaterEqual}
	}
	return plan.KeyRange{Lower: bound(a.low), Upper: bound(a.up)}
}

// basePath chooses the cheapest way to read a table under its quals.
func (l *level) basePath(b *baseRel) (*path, error) {
	if b.r.Table.Kind == catalog.KindVirtual {
		return l.virtualPath(b), nil
	}
	best, plain := l.scanPath(b, nil), true
	for _, k := range l.accessKeys(b) {
		if k.index != nil && l.o.env.Settings.ruleOff("index_scan") || k.index == nil && l.o.env.Settings.ruleOff("key_scan") {
			continue
		}
		a := l.match(b, k)
		p := l.accessPath(b, &a)
		// A scan that is switched off remains for what has no other way.
		if p != nil && (l.better(p, best) || plain && l.o.env.Settings.NoSeqScan) {
			best, plain = p, false
		}
	}
	for _, p := range l.itemPaths(b) {
		if l.better(p, best) || plain && l.o.env.Settings.NoSeqScan {
			best, plain = p, false
		}
	}
	return best, nil
}

// accessPath is nil where using the key would be no better than a plain scan.
func (l *level) accessPath(b *baseRel, a *keyAccess) *path {
	if !a.useful() && len(a.key.predicate) == 0 && (a.key.index == nil || !l.wantsOrder(b, a.key)) {
		return nil
	}
	if a.key.index == nil {
		if a.full() || a.array != nil && len(a.key.cols) == 1 {
			return l.lookupPath(b, a)
		}
		if a.array != nil {
			return nil
		}
		return l.scanPath(b, a)
	}
	return l.indexPath(b, a)
}

// matchedRows estimates how many rows a key access finds.
func (l *level) matchedRows(b *baseRel, a *keyAccess) float64 {
	if a.full() && a.key.unique {
		return 1
	}
	if n, ok := l.modelRows(b, a); ok {
		return clampRows(n)
	}
	return clampRows(b.rows * a.sel)
}

func (l *level) filterSel(b *baseRel, a *keyAccess) (rest []plan.Expr, sel float64) {
	used := []int{}
	var consumed []int
	var others []plan.Expr
	if a != nil {
		used, consumed = a.usedQuals(), a.consumed
	}
	for i, q := range b.quals {
		if !containsInt(consumed, i) {
			rest = append(rest, q.expr)
		}
		if !containsInt(used, i) {
			others = append(others, q.expr)
		}
	}
	return rest, l.selectivityAll(others)
}

// better compares two paths for the same rows, valuing an order that the
// operators above asked for.
func (l *level) better(p, q *path) bool {
	return l.askedCost(p) < l.askedCost(q)
}

// consume notes that a condition need not be checked again. An index that lists a column twice matches it twice.
func (a *keyAccess) consume(qual int) {
	if !containsInt(a.consumed, qual) {
		a.consumed = append(a.consumed, qual)
	}
}

// releaseQuals takes consumed conditions out of the count of used attributes
// while a node is built, so that their columns are not read for nothing.
func (l *level) releaseQuals(b *baseRel, consumed []int) (restore func()) {
	if l.keepUsed {
		return func() {}
	}
	for _, i := range consumed {
		l.noteUsed(b.quals[i].expr, -1)
	}
	return func() {
		for _, i := range consumed {
			l.noteUsed(b.quals[i].expr, 1)
		}
	}
}

func pagesOf(bytes float64) float64 { return math.Max(1, bytes/pageBytes) }
