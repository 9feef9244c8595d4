package column

import (
	"bytes"
	"encoding/binary"
	"math"
)

// An encoded column is a byte string from which one cell is read in O(1)
// (O(log runs) for runs) and a range of cells is decoded in a tight loop:
//
//	+---------+-------+-------+-----------+-------+-------+-------+---------+
//	| form u8 | flags | width | 0 (1 byte)| n u32 | nulls | marks | payload |
//	+---------+-------+-------+-----------+-------+-------+-------+---------+
//	flags bit 0: nulls is there, bit 1: marks is there; both are bitmaps of
//	             (rows+63)/64 words of 64 bits; set bits are NULL or marked
//	payload by form (numbers little-endian, packed as in pack.go at width):
//	0 allNull  nothing
//	1 constant Int, Float: value u64; Bytes: n bytes
//	2 packed   base u64, rows × (value - base) packed; Int, Float (IEEE bits)
//	3 dict     Int, Float: n × value u64, rows × code packed
//	           Bytes: n × end u32, rows × code packed, bytes of the n entries
//	4 runs     n × end (row number) u32, n × value u64; Int, Float
//	5 plain    rows × end packed, bytes of the rows; Bytes
//	6 fixed    rows × n bytes; Bytes
//	7 scaled   base u64, rows × (k - base) packed; Float, value = k / 10^n
//
// The number of rows and the kind are not in it: the block that holds the
// column knows them. Numbers of NULL rows are unspecified but in range.
const (
	formAllNull  = 0
	formConstant = 1
	formPacked   = 2
	formDict     = 3
	formRuns     = 4
	formPlain    = 5
	formFixed    = 6
	formScaled   = 7

	flagNulls = 1
	flagMarks = 2

	encodedHeader = 8

	// maxScale is the most decimal digits after the point that formScaled
	// tries: prices and sensor values have fewer, and 10^maxScale is exact.
	maxScale = 6
)

var powersOfTen = [maxScale + 1]float64{1, 10, 100, 1e3, 1e4, 1e5, 1e6}

// Encoder encodes columns. Its zero value is ready; it keeps scratch memory
// from one call to the next.
type Encoder struct {
	nums   []uint64
	codes  []uint64
	scaled []uint64 // not codes: those of a dictionary wait there while scaling is tried
	values []uint64 // distinct numbers, in order of appearance
	firsts []int32  // the row at which each distinct byte string appeared
	table  []int32  // hash table over values or firsts; 0 is free, else index+1

	form, width, entries int // of what was encoded last
}

// Append appends the encoding of v to dst; marks is a second bitmap of rows
// for the caller's use and may be nil. The smallest form is chosen.
func (e *Encoder) Append(dst []byte, v *Vec, marks Bitmap) []byte {
	start := len(dst)
	var head [encodedHeader]byte
	dst = append(dst, head[:]...)
	rows := v.Len()
	if v.Nulls.Any() {
		dst[start+1] |= flagNulls
		dst = appendBitmap(dst, v.Nulls, rows)
	}
	if marks.Any() {
		dst[start+1] |= flagMarks
		dst = appendBitmap(dst, marks, rows)
	}
	var form, width, n int
	if v.Kind == Bytes {
		dst, form, width, n = e.appendBytes(dst, v)
	} else {
		dst, form, width, n = e.appendNumbers(dst, v)
	}
	e.form, e.width, e.entries = form, width, n
	dst[start], dst[start+2] = byte(form), byte(width)
	binary.LittleEndian.PutUint32(dst[start+4:], uint32(n))
	return dst
}

func appendBitmap(dst []byte, b Bitmap, rows int) []byte {
	for i := range (rows + 63) / 64 {
		var w uint64
		if i < len(b) {
			w = b[i]
		}
		if rest := rows - i*64; rest < 64 {
			w &= 1<<uint(rest) - 1
		}
		dst = binary.LittleEndian.AppendUint64(dst, w)
	}
	return dst
}

// numberShape is what the choice among the forms of a number column needs.
type numberShape struct {
	least, greatest uint64 // as int64 in order
	distinct        int    // 0 when there are too many for a dictionary
	runs            int
}

func (e *Encoder) appendNumbers(dst []byte, v *Vec) (out []byte, form, width, n int) {
	rows := v.Len()
	if !e.loadNumbers(v) {
		return dst, formAllNull, 0, 0
	}
	s := e.shapeNumbers()
	if s.runs == 1 {
		return binary.LittleEndian.AppendUint64(dst, e.nums[0]), formConstant, 0, 0
	}
	if v.Kind == Float {
		if scale, ok := e.scaleFloats(); ok {
			s2 := e.shapeNumbers()
			w := PackedWidth(s2.greatest - s2.least)
			return e.appendPackedNumbers(dst, s2.least, w), formScaled, w, scale
		}
	}
	w := PackedWidth(s.greatest - s.least)
	best, size := formPacked, 8+PackedSize(rows, w)
	if s.distinct > 0 {
		cw := PackedWidth(uint64(s.distinct - 1))
		if d := 8*s.distinct + PackedSize(rows, cw); d < size {
			best, size, width = formDict, d, cw
		}
	}
	if r := 12 * s.runs; r < size/2 {
		best = formRuns
	}
	switch best {
	case formDict:
		for _, x := range e.values {
			dst = binary.LittleEndian.AppendUint64(dst, x)
		}
		return AppendPacked(dst, e.codes, width), formDict, width, s.distinct
	case formRuns:
		return e.appendRuns(dst), formRuns, 0, s.runs
	}
	return e.appendPackedNumbers(dst, s.least, w), formPacked, w, 0
}

// loadNumbers copies the numbers of v, giving a NULL row the value of the row
// before it (the first value, at the start). It reports whether any row has a value.
func (e *Encoder) loadNumbers(v *Vec) bool {
	rows := v.Len()
	e.nums = grow(e.nums, rows)
	first := -1
	for i := range rows {
		switch {
		case v.Nulls.Get(i):
			if i > 0 {
				e.nums[i] = e.nums[i-1]
			}
			continue
		case v.Kind == Int:
			e.nums[i] = uint64(v.I[i])
		default:
			e.nums[i] = math.Float64bits(v.F[i])
		}
		if first < 0 {
			first = i
		}
	}
	if first < 0 {
		return false
	}
	for i := range first {
		e.nums[i] = e.nums[first]
	}
	return true
}

func (e *Encoder) shapeNumbers() numberShape {
	lo, hi := int64(e.nums[0]), int64(e.nums[0])
	s := numberShape{runs: 1}
	for i, u := range e.nums {
		x := int64(u)
		lo, hi = min(lo, x), max(hi, x)
		if i > 0 && u != e.nums[i-1] {
			s.runs++
		}
	}
	s.least, s.greatest = uint64(lo), uint64(hi)
	if s.greatest-s.least > math.MaxUint8 && s.runs > 1 { // else packing is as good
		s.distinct = e.collectNumbers(len(e.nums) / 4)
	}
	return s
}

// collectNumbers fills values and codes and returns the number of distinct
// values, or 0 when there are more than limit.
func (e *Encoder) collectNumbers(limit int) int {
	mask := e.clearTable(len(e.nums))
	e.values = e.values[:0]
	e.codes = grow(e.codes, len(e.nums))
	for i, u := range e.nums {
		h := int(HashUint64(u)) & mask
		for {
			k := e.table[h]
			if k == 0 {
				if len(e.values) >= limit {
					return 0
				}
				e.values = append(e.values, u)
				k = int32(len(e.values))
				e.table[h] = k
			}
			if e.values[k-1] == u {
				e.codes[i] = uint64(k - 1)
				break
			}
			h = (h + 1) & mask
		}
	}
	return len(e.values)
}

// clearTable empties the hash table and sizes it for n entries.
func (e *Encoder) clearTable(n int) (mask int) {
	size := 16
	for size < 2*n {
		size *= 2
	}
	e.table = grow(e.table, size)
	clear(e.table)
	return size - 1
}

// scaleFloats replaces nums by integers k with value = k/10^scale, exactly.
func (e *Encoder) scaleFloats() (scale int, ok bool) {
	e.scaled = grow(e.scaled, len(e.nums))
	for scale = 0; scale <= maxScale; scale++ {
		ok = true
		for i, u := range e.nums {
			f := math.Float64frombits(u)
			k := math.Round(f * powersOfTen[scale])
			if !(math.Abs(k) < 1<<51) || math.Float64bits(k/powersOfTen[scale]) != u || k == 0 && u != 0 {
				ok = false
				break
			}
			e.scaled[i] = uint64(int64(k))
		}
		if ok {
			e.nums, e.scaled = e.scaled, e.nums
			return scale, true
		}
	}
	return 0, false
}

func (e *Encoder) appendPackedNumbers(dst []byte, base uint64, w int) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, base)
	for i := range e.nums {
		e.nums[i] -= base
	}
	return AppendPacked(dst, e.nums, w)
}

func (e *Encoder) appendRuns(dst []byte) []byte {
	e.values = e.values[:0]
	for i, u := range e.nums {
		if i+1 == len(e.nums) || e.nums[i+1] != u {
			dst = binary.LittleEndian.AppendUint32(dst, uint32(i+1))
			e.values = append(e.values, u)
		}
	}
	for _, u := range e.values {
		dst = binary.LittleEndian.AppendUint64(dst, u)
	}
	return dst
}

func (e *Encoder) appendBytes(dst []byte, v *Vec) (out []byte, form, width, n int) {
	rows, total, same, fixed, first := len(v.B), 0, true, true, -1
	for i, b := range v.B {
		if v.Nulls.Get(i) {
			fixed = false
			continue
		}
		if first < 0 {
			first = i
		}
		total += len(b)
		fixed = fixed && len(b) == len(v.B[first])
		same = same && bytes.Equal(b, v.B[first])
	}
	if first < 0 {
		return dst, formAllNull, 0, 0
	}
	if same {
		return append(dst, v.B[first]...), formConstant, 0, len(v.B[first])
	}
	w := PackedWidth(uint64(total))
	size := PackedSize(rows, w) + total
	if fixed {
		size = total
	}
	if distinct, bytesOfThem := e.collectBytes(v, rows/2); distinct > 0 {
		cw := PackedWidth(uint64(distinct - 1))
		if 4*distinct+PackedSize(rows, cw)+bytesOfThem < size {
			return e.appendDict(dst, v, cw), formDict, cw, distinct
		}
	}
	if fixed {
		for _, b := range v.B {
			dst = append(dst, b...)
		}
		return dst, formFixed, 0, len(v.B[first])
	}
	e.nums = grow(e.nums, rows)
	end := uint64(0)
	for i, b := range v.B {
		if !v.Nulls.Get(i) {
			end += uint64(len(b))
		}
		e.nums[i] = end
	}
	dst = AppendPacked(dst, e.nums, w)
	for i, b := range v.B {
		if !v.Nulls.Get(i) {
			dst = append(dst, b...)
		}
	}
	return dst, formPlain, w, 0
}

// collectBytes fills firsts and codes and returns the number of distinct byte
// strings and their total length, or 0 when there are more than limit.
func (e *Encoder) collectBytes(v *Vec, limit int) (distinct, total int) {
	mask := e.clearTable(len(v.B))
	e.firsts = e.firsts[:0]
	e.codes = grow(e.codes, len(v.B))
	for i, b := range v.B {
		if v.Nulls.Get(i) {
			e.codes[i] = 0
			continue
		}
		h := int(HashBytes(b)) & mask
		for {
			k := e.table[h]
			if k == 0 {
				if len(e.firsts) >= limit {
					return 0, 0
				}
				e.firsts = append(e.firsts, int32(i))
				total += len(b)
				k = int32(len(e.firsts))
				e.table[h] = k
			}
			if bytes.Equal(v.B[e.firsts[k-1]], b) {
				e.codes[i] = uint64(k - 1)
				break
			}
			h = (h + 1) & mask
		}
	}
	return len(e.firsts), total
}

func (e *Encoder) appendDict(dst []byte, v *Vec, width int) []byte {
	end := 0
	for _, row := range e.firsts {
		end += len(v.B[row])
		dst = binary.LittleEndian.AppendUint32(dst, uint32(end))
	}
	dst = AppendPacked(dst, e.codes, width)
	for _, row := range e.firsts {
		dst = append(dst, v.B[row]...)
	}
	return dst
}
