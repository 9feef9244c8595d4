package exec

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math/bits"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// sortItem is a row with the first prefixBytes of its key.
type sortItem struct {
	hi, lo uint64
	row    int32
}

const prefixBytes = 16

func prefix(k []byte) (hi, lo uint64) {
	if len(k) >= prefixBytes {
		return binary.BigEndian.Uint64(k), binary.BigEndian.Uint64(k[8:])
	}
	var p [prefixBytes]byte
	copy(p[:], k)
	return binary.BigEndian.Uint64(p[:]), binary.BigEndian.Uint64(p[8:])
}

// sort orders the items by their keys, equal ones as they came.
func (o *sortOp) sort() error {
	if places := varyingBytes(o.items); 2*len(places) <= bits.Len(uint(len(o.items)))-radixLead {
		o.items = radixSort(o.items, places)
		return o.sortTies()
	}
	return sortUntil(o.st.rt, o.items, false, o.compare)
}

// radixLead makes the distribution by bytes, which reads all items once for each, start where comparing
// takes more than twice as many steps and there are enough items to pay for the counters.
const radixLead = 3

func (o *sortOp) compare(a, b sortItem) int {
	if a.hi != b.hi {
		return cmp.Compare(a.hi, b.hi)
	}
	if a.lo != b.lo {
		return cmp.Compare(a.lo, b.lo)
	}
	if c := bytes.Compare(o.keys.get(a.row), o.keys.get(b.row)); c != 0 {
		return c
	}
	return cmp.Compare(a.row, b.row)
}

// sortTies orders the items whose prefixes are equal by the rest of their keys.
func (o *sortOp) sortTies() error {
	if !o.long {
		return nil
	}
	for from := 0; from < len(o.items); {
		to := from + 1
		for to < len(o.items) && o.items[to].hi == o.items[from].hi && o.items[to].lo == o.items[from].lo {
			to++
		}
		if to-from > 1 {
			if err := sortUntil(o.st.rt, o.items[from:to], false, o.compare); err != nil {
				return err
			}
		}
		from = to
	}
	return nil
}

// varyingBytes lists the bytes of the prefixes in which not all items agree, the last first.
func varyingBytes(items []sortItem) []int {
	if len(items) == 0 {
		return nil
	}
	var hi, lo uint64
	first := items[0]
	for i := range items {
		hi |= items[i].hi ^ first.hi
		lo |= items[i].lo ^ first.lo
	}
	var places []int
	for i := range 8 {
		if byte(lo>>(8*i)) != 0 {
			places = append(places, i)
		}
	}
	for i := range 8 {
		if byte(hi>>(8*i)) != 0 {
			places = append(places, 8+i)
		}
	}
	return places
}

// radixSort orders items by some bytes of their prefixes, counted from the last; equal ones stay as
// they are.
func radixSort(items []sortItem, places []int) []sortItem {
	other := make([]sortItem, len(items))
	for _, p := range places {
		shift := 8 * (p % 8)
		high := p >= 8
		var at [256]int
		for i := range items {
			at[digit(&items[i], high, shift)]++
		}
		sum := 0
		for d, n := range at {
			at[d] = sum
			sum += n
		}
		for i := range items {
			d := digit(&items[i], high, shift)
			other[at[d]] = items[i]
			at[d]++
		}
		items, other = other, items
	}
	return items
}

func digit(it *sortItem, high bool, shift int) byte {
	if high {
		return byte(it.hi >> shift)
	}
	return byte(it.lo >> shift)
}

// narrow makes the key as short as its types allow, so that more of it fits into the prefix: these keys are
// compared with each other only.
func (k *rowKey) narrow(st *state, keys []plan.SortKey) {
	for i, s := range keys {
		if n, bias := laneWidth(st.baseType(s.Expr.ResultType().OID)); n > 0 {
			k.encoder[i] = narrowEncoder(n, bias, s.Desc, s.NullsFirst)
		}
	}
}

// laneWidth returns how many bytes the values of a type need and what makes them unsigned, 0 where that is all of a lane.
func laneWidth(oid OID) (n int, bias int64) {
	switch oid {
	case types.BoolOID, types.CharOID:
		return 1, 0
	case types.Int2OID:
		return 2, 1 << 15
	case types.Int4OID, types.DateOID:
		return 4, 1 << 31
	}
	if types.Unsigned32(oid) {
		return 4, 0
	}
	return 0, 0
}

// narrowEncoder appends a tag, which puts NULLs first or last, and n bytes.
func narrowEncoder(n int, bias int64, desc, nullsFirst bool) func(dst []byte, d column.Datum) []byte {
	null := byte(2)
	if nullsFirst {
		null = 0
	}
	mask := uint64(0)
	if desc {
		mask = ^mask
	}
	return func(dst []byte, d column.Datum) []byte {
		if d.Null {
			return append(dst, null)
		}
		v := uint64(d.I+bias) ^ mask
		switch n {
		case 1:
			return append(dst, 1, byte(v))
		case 2:
			return append(dst, 1, byte(v>>8), byte(v))
		}
		return append(dst, 1, byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
	}
}
