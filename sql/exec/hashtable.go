package exec

import (
	"math"
	"unsafe"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// groupTable numbers distinct keys densely from 0, in order of appearance.
//
// A column of integers is compared as such. A column of byte strings is
// numbered by a table of its own, and so are values that have several forms,
// by their encoded keys; what is left of a key of several columns is integers,
// which are packed into one as long as they fit, else numbered pair by pair.
// Reading is free of locks: a table that is complete may be searched by several
// groupKeys at once.
type groupTable struct {
	keys   *keyColumns
	forms  []keyForm
	ints   *intTable     // one column, of integers, or packed ones
	packed []packedField // several columns: how ints has them; nil where pairs has them
	bytes  []*bytesTable // by column, of the others
	pairs  []*pairTable  // k joins columns 0 to k with column k+1
	whole  bool          // all columns as one encoded key, in bytes[0]
	hashed bool          // Knobs.NoPacking
	n      int
	reader groupKeys // of the table's owner
}

// keyForm says how a key column is compared.
type keyForm uint8

const (
	keyInt     keyForm = iota // the lane
	keyFloat                  // the lane's bits, zeros and NaNs being one
	keyBytes                  // the bytes
	keyEncoded                // the encoded key
)

func (st *state) newGroupTable(keyTypes []plan.Type) (*groupTable, error) {
	t := &groupTable{forms: make([]keyForm, len(keyTypes)), bytes: make([]*bytesTable, max(1, len(keyTypes)))}
	var err error
	if t.keys, err = st.keyColumns(keyTypes); err != nil {
		return nil, err
	}
	t.whole, t.hashed = st.rt.Knobs.RowAtATime || len(keyTypes) == 0, st.rt.Knobs.NoPacking
	for i, k := range keyTypes {
		t.forms[i] = st.keyForm(k)
		switch {
		case t.whole:
		case t.forms[i] >= keyBytes:
			t.bytes[i] = newBytesTable()
		case len(keyTypes) == 1: // floats by their codes
			t.ints = newIntTable(t.hashed)
		}
	}
	switch {
	case t.whole:
		t.bytes[0] = newBytesTable()
	case len(keyTypes) > 1 && t.hashed:
		t.makePairs()
	case len(keyTypes) > 1:
		t.ints, t.packed = newIntTable(false), make([]packedField, len(keyTypes))
	}
	t.reader.table = t
	return t, nil
}

func (st *state) keyForm(t plan.Type) keyForm {
	kind, exact := st.env.KeyKind(st.baseType(t.OID), t.Collation)
	lane := st.env.Kind(t.OID)
	switch {
	case kind == column.Int && exact && lane == column.Int:
		return keyInt
	case kind == column.Float && lane == column.Float:
		return keyFloat
	case kind == column.Bytes && exact && lane == column.Bytes:
		return keyBytes
	}
	return keyEncoded
}

// restart forgets all keys and keeps the memory.
func (t *groupTable) restart() {
	t.n = 0
	if t.ints != nil {
		t.ints.restart()
	}
	clear(t.packed)
	for _, b := range t.bytes {
		if b != nil {
			clear(b.slots)
			b.hashes, b.null, b.n = b.hashes[:0], 0, 0
			b.entries = keyArena{bytes: b.entries.bytes[:0], ends: b.entries.ends[:0]}
		}
	}
	for _, p := range t.pairs {
		clear(p.slots)
		p.n = 0
	}
}

// memory estimates the bytes held.
func (t *groupTable) memory() int64 {
	n := int64(0)
	if t.ints != nil {
		n += t.ints.memory()
	}
	for _, b := range t.bytes {
		if b != nil {
			n += b.memory()
		}
	}
	for _, p := range t.pairs {
		n += int64(len(p.slots)) * 24
	}
	return n
}

// find returns the number of row r's key; with add, unknown keys get the next
// number, else they are -1. fresh tells that the key is new.
func (t *groupTable) find(vecs []*column.Vec, r int32, add bool) (id int32, fresh bool) {
	before := t.n
	ids := t.reader.find(vecs, []int32{r}, add)
	return ids[0], t.n > before
}

// findAll does the same for many rows; new numbers appear in order.
func (t *groupTable) findAll(vecs []*column.Vec, rows []int32, add bool) []int32 {
	return t.reader.find(vecs, rows, add)
}

// groupKeys looks keys up in a table, with memory of its own.
type groupKeys struct {
	table *groupTable
	ids   []int32
	codes []keyCodes // by column
	words []int64    // packed codes
	buf   []byte
	seen  [pointerCache]pointerEntry
}

// keyCodes are the integers that stand for a column's values, by position in
// the rows asked for.
type keyCodes struct {
	vals  []int64
	nulls []bool // nil: none
}

func (c *keyCodes) grow(n int) {
	if cap(c.vals) < n {
		c.vals = make([]int64, max(n, column.BatchSize))
	}
	c.vals = c.vals[:n]
}

// noCode stands for a byte string that a table does not know.
const noCode = -1

// find returns the numbers of rows, valid until the next call.
func (p *groupKeys) find(vecs []*column.Vec, rows []int32, add bool) []int32 {
	t := p.table
	if cap(p.ids) < len(rows) {
		p.ids = make([]int32, max(len(rows), column.BatchSize))
	}
	p.ids = p.ids[:len(rows)]
	switch {
	case t.whole:
		p.findWhole(vecs, rows, add)
	case len(t.forms) == 1 && t.forms[0] == keyInt:
		p.findInts(vecs[0], rows, add)
	case len(t.forms) == 1 && t.forms[0] >= keyBytes:
		p.numberBytes(0, vecs[0], rows, p.ids, nil, add)
		if add {
			t.n = t.bytes[0].n
		}
	default:
		p.findCodes(vecs, rows, add)
	}
	return p.ids
}

func (p *groupKeys) findWhole(vecs []*column.Vec, rows []int32, add bool) {
	t := p.table
	for i, r := range rows {
		p.buf = t.keys.of(vecs, r, p.buf[:0])
		p.ids[i] = t.bytes[0].find(p.buf, add)
	}
	if add {
		t.n = t.bytes[0].n
	}
}

func (p *groupKeys) findInts(v *column.Vec, rows []int32, add bool) {
	ints, one := p.table.ints, v.Len() == 1
	if one || len(v.Nulls) > 0 {
		for i, r := range rows {
			if one {
				r = 0
			}
			if v.Null(int(r)) {
				p.ids[i] = ints.findNull(add)
				continue
			}
			p.ids[i] = ints.one(v.I[r], add)
		}
	} else {
		ints.number(v.I, rows, p.ids, add)
	}
	if add {
		p.table.n = ints.n
	}
}

// findCodes numbers floats and keys of several columns.
func (p *groupKeys) findCodes(vecs []*column.Vec, rows []int32, add bool) {
	t := p.table
	if len(p.codes) < len(vecs) {
		p.codes = make([]keyCodes, len(vecs))
	}
	for k, v := range vecs {
		p.codesOf(k, v, rows, &p.codes[k], add)
	}
	if len(vecs) == 1 {
		p.findFloats(add)
		return
	}
	if t.packed != nil && add {
		t.fit(p.codes)
	}
	if t.packed != nil {
		p.pack(len(rows))
		t.ints.number(p.words, allRows(len(rows)), p.ids, add)
	} else {
		t.findPairs(p.codes, p.ids, add)
	}
	switch {
	case !add:
	case t.packed != nil:
		t.n = t.ints.n
	default:
		t.n = t.pairs[len(t.pairs)-1].n
	}
}

// findPairs numbers the first two columns, then that number and the next column.
func (t *groupTable) findPairs(codes []keyCodes, ids []int32, add bool) {
	a := codes[0]
	for k, pair := range t.pairs {
		b := &codes[k+1]
		for i := range ids {
			var mask uint8
			if a.nulls != nil && a.nulls[i] {
				mask = 1
			}
			if b.nulls != nil && b.nulls[i] {
				mask |= 2
			}
			id := int32(noCode)
			if (a.vals[i] != noCode || k == 0 && t.forms[0] < keyBytes) && (b.vals[i] != noCode || t.forms[k+1] < keyBytes) {
				id = pair.find(a.vals[i], b.vals[i], mask, add)
			}
			if k == len(t.pairs)-1 {
				ids[i] = id
			} else {
				a.vals[i] = int64(id)
			}
		}
		a.nulls = nil
	}
}

func (t *groupTable) makePairs() {
	t.packed, t.ints = nil, nil
	for range len(t.forms) - 1 {
		t.pairs = append(t.pairs, newPairTable())
	}
}

// findFloats looks up the codes of a single column.
func (p *groupKeys) findFloats(add bool) {
	t, c := p.table, &p.codes[0]
	if c.nulls == nil {
		t.ints.number(c.vals, allRows(len(c.vals)), p.ids, add)
	} else {
		for i, v := range c.vals {
			if c.nulls[i] {
				p.ids[i] = t.ints.findNull(add)
				continue
			}
			p.ids[i] = t.ints.one(v, add)
		}
	}
	if add {
		t.n = t.ints.n
	}
}

// codesOf computes the codes of column k.
func (p *groupKeys) codesOf(k int, v *column.Vec, rows []int32, c *keyCodes, add bool) {
	c.grow(len(rows))
	form, one := p.table.forms[k], v.Len() == 1
	if form >= keyBytes {
		c.nulls = nil
		p.numberBytes(k, v, rows, nil, c.vals, add) // NULL has a number, too
		return
	}
	c.nulls = nil
	if one || v.Nulls.Any() {
		p.cellCodes(form, v, rows, c)
		return
	}
	vals := c.vals[:len(rows)]
	if form == keyInt {
		for i, r := range rows {
			vals[i] = v.I[r]
		}
		return
	}
	for i, r := range rows {
		vals[i] = floatCode(v.F[r])
	}
}

// cellCodes are the codes of a constant, or of a column with NULLs.
func (p *groupKeys) cellCodes(form keyForm, v *column.Vec, rows []int32, c *keyCodes) {
	c.nulls = make([]bool, len(rows))
	for i, r := range rows {
		if v.Len() == 1 {
			r = 0
		}
		switch {
		case v.Null(int(r)):
			c.nulls[i], c.vals[i] = true, 0
		case form == keyInt:
			c.vals[i] = v.I[r]
		default:
			c.vals[i] = floatCode(v.F[r])
		}
	}
}

// floatCode gives equal floats one code.
func floatCode(f float64) int64 {
	switch {
	case f == 0:
		return 0
	case f != f:
		return int64(math.Float64bits(math.NaN()))
	}
	return int64(math.Float64bits(f))
}

// Values that were decoded from one dictionary share their bytes: where they
// stand tells what they are, within a batch.
const (
	pointerCache = 64
	pointerMix   = 0x9E3779B97F4A7C15
)

type pointerEntry struct {
	at *byte
	n  int
	id int32
}

// numberBytes finds the numbers of a column of byte strings; into ids or codes.
func (p *groupKeys) numberBytes(k int, v *column.Vec, rows []int32, ids []int32, codes []int64, add bool) {
	t, one, plain := p.table.bytes[k], v.Len() == 1, p.table.forms[k] == keyBytes
	if plain && len(rows) > 1 {
		clear(p.seen[:])
	}
	for i, r := range rows {
		if one {
			r = 0
		}
		var id int32
		switch {
		case len(v.Nulls) > 0 && v.Null(int(r)):
			id = t.findNull(add)
		case !plain:
			p.buf = p.table.keys.encoder[k](p.buf[:0], v.Datum(int(r)))
			id = t.find(p.buf, add)
		case len(v.B[r]) == 0 || len(rows) == 1:
			id = t.find(v.B[r], add)
		default:
			b := v.B[r]
			at := unsafe.SliceData(b)
			e := &p.seen[uint64(uintptr(unsafe.Pointer(at)))*pointerMix>>58]
			if e.at != at || e.n != len(b) {
				e.at, e.n, e.id = at, len(b), t.find(b, add)
			}
			id = e.id
		}
		if ids != nil {
			ids[i] = id
		} else {
			codes[i] = int64(id)
		}
	}
}

// pairTable numbers pairs of integers, either of which may be NULL.
type pairTable struct {
	slots []pairSlot
	n     int
}

type pairSlot struct {
	a, b int64
	id   int32 // number+1, 0 is free
	mask uint8 // 1: a is NULL, 2: b is
}

func newPairTable() *pairTable { return &pairTable{slots: make([]pairSlot, firstSlots)} }

func hashPair(a, b int64) uint64 { return types.CombineHash(types.HashUint64(uint64(a)), uint64(b)) }

func (t *pairTable) find(a, b int64, nulls uint8, add bool) int32 {
	mask := uint64(len(t.slots) - 1)
	for i := hashPair(a, b) & mask; ; i = (i + 1) & mask {
		s := &t.slots[i]
		if s.id == 0 {
			if !add {
				return noCode
			}
			t.n++
			*s = pairSlot{a, b, int32(t.n), nulls}
			id := s.id - 1
			if t.n*8 > len(t.slots)*5 {
				t.rehash()
			}
			return id
		}
		if s.a == a && s.b == b && s.mask == nulls {
			return s.id - 1
		}
	}
}

func (t *pairTable) rehash() {
	old := t.slots
	t.slots = make([]pairSlot, len(old)*growth(len(old)))
	mask := uint64(len(t.slots) - 1)
	for _, s := range old {
		if s.id == 0 {
			continue
		}
		i := hashPair(s.a, s.b) & mask
		for t.slots[i].id != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = s
	}
}

// keys returns all pairs, by number.
func (t *pairTable) keys() (a, b keyCodes) {
	a = keyCodes{vals: make([]int64, t.n), nulls: make([]bool, t.n)}
	b = keyCodes{vals: make([]int64, t.n), nulls: make([]bool, t.n)}
	for _, s := range t.slots {
		if i := s.id - 1; i >= 0 {
			a.vals[i], a.nulls[i] = s.a, s.mask&1 != 0
			b.vals[i], b.nulls[i] = s.b, s.mask&2 != 0
		}
	}
	return a, b
}

// bytesTable numbers byte strings. A slot holds the upper half of the hash
// above number+1, so that a string is compared only where it very likely is.
type bytesTable struct {
	slots   []uint64
	hashes  []uint64
	entries keyArena
	null    int32
	n       int
}

func newBytesTable() *bytesTable { return &bytesTable{slots: make([]uint64, firstSlots)} }

func (t *bytesTable) memory() int64 {
	return int64(len(t.slots)+cap(t.hashes)+cap(t.entries.ends))*8 + int64(cap(t.entries.bytes))
}

const slotNumber = 1<<32 - 1

func (t *bytesTable) find(key []byte, add bool) int32 {
	h := types.HashBytes(key)
	mask := uint64(len(t.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		s := t.slots[i]
		if s == 0 {
			if !add {
				return noCode
			}
			return t.insert(i, h, key)
		}
		if s>>32 == h>>32 {
			if id := int32(s&slotNumber) - 1; string(t.entries.get(id)) == string(key) {
				return id
			}
		}
	}
}

func (t *bytesTable) insert(i, h uint64, key []byte) int32 {
	t.entries.bytes = append(t.entries.bytes, key...)
	t.entries.ends = append(t.entries.ends, len(t.entries.bytes))
	t.hashes = append(t.hashes, h)
	t.n++
	t.slots[i] = h>>32<<32 | uint64(t.n)
	if t.n*8 > len(t.slots)*5 {
		t.rehash()
	}
	return int32(t.n - 1)
}

// findNull numbers NULL, which is no string and in no slot.
func (t *bytesTable) findNull(add bool) int32 {
	if t.null == 0 && add {
		t.entries.ends = append(t.entries.ends, len(t.entries.bytes))
		t.hashes = append(t.hashes, 0)
		t.n++
		t.null = int32(t.n)
	}
	return t.null - 1
}

func (t *bytesTable) rehash() {
	t.slots = make([]uint64, len(t.slots)*growth(len(t.slots)))
	mask := uint64(len(t.slots) - 1)
	for id, h := range t.hashes {
		if int32(id+1) == t.null {
			continue
		}
		i := h & mask
		for t.slots[i] != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = h>>32<<32 | uint64(id+1)
	}
}

// distinctSet remembers rows and tells which are new.
type distinctSet struct {
	st    *state
	table *groupTable
	vecs  []*column.Vec
	held  int64
}

func (st *state) newDistinctSet(ts []plan.Type) (*distinctSet, error) {
	t, err := st.newGroupTable(ts)
	return &distinctSet{st: st, table: t, vecs: make([]*column.Vec, len(ts))}, err
}

// add appends to sel the rows of b that were not seen before.
func (s *distinctSet) add(b *column.Batch, sel []int32) ([]int32, error) {
	for i := range s.vecs {
		s.vecs[i] = &b.Cols[i]
	}
	rows, next := selected(b, b.Sel), int32(s.table.n)
	for i, id := range s.table.findAll(s.vecs, rows, true) {
		if id == next {
			next++
			sel = append(sel, rows[i])
		}
	}
	held := s.table.memory()
	err := s.st.grow(held - s.held)
	s.held = held
	return sel, err
}

func (s *distinctSet) close() {
	s.st.shrink(s.held)
	s.held = 0
}
