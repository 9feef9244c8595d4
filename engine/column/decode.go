package column

import (
	"encoding/binary"
	"errors"
	"math"
	"sort"
)

// ErrEncoding reports bytes that no Encoder wrote.
var ErrEncoding = errors.New("malformed column encoding")

// Encoded is a view of an encoded column. It shares the bytes it was parsed
// from, and so do the byte strings it returns.
type Encoded struct {
	kind  Kind
	form  uint8
	width int
	rows  int
	n     int
	base  uint64
	nulls []byte
	marks []byte
	ends  []byte // dictionary and run ends
	vals  []byte // dictionary and run values
	codes []byte // packed numbers, codes or ends of plain
	blob  []byte
}

// ParseEncoded reads the head of an encoded column of rows rows and checks
// that every part lies in src. Cells of a column that Check has passed, once,
// can be read without a panic.
func ParseEncoded(src []byte, kind Kind, rows int) (c Encoded, err error) {
	if len(src) < encodedHeader || src[1]&^(flagNulls|flagMarks) != 0 || src[3] != 0 {
		return c, ErrEncoding
	}
	c = Encoded{kind: kind, form: src[0], width: int(src[2]), rows: rows, n: int(binary.LittleEndian.Uint32(src[4:]))}
	flags := src[1]
	src = src[encodedHeader:]
	take := func(n int) []byte {
		if n < 0 || n > len(src) {
			err = ErrEncoding
			return nil
		}
		part := src[:n:n]
		src = src[n:]
		return part
	}
	if c.width > maxPacked && c.width != 64 {
		return c, ErrEncoding
	}
	bitmap := (rows + 63) / 64 * 8
	if flags&flagNulls != 0 {
		c.nulls = take(bitmap)
	}
	if flags&flagMarks != 0 {
		c.marks = take(bitmap)
	}
	number := kind != Bytes
	switch {
	case c.form == formAllNull:
		if rows > 0 && c.nulls == nil {
			return c, ErrEncoding
		}
	case c.form == formConstant && number:
		c.base = number64(take(8))
	case c.form == formConstant:
		c.blob = take(c.n)
	case c.form == formPacked && number, c.form == formScaled && kind == Float && c.n <= maxScale:
		c.base = number64(take(8))
		c.codes = take(PackedSize(rows, c.width))
	case c.form == formDict && number:
		c.vals = take(8 * c.n)
		c.codes = take(PackedSize(rows, c.width))
	case c.form == formRuns && number:
		c.ends = take(4 * c.n)
		c.vals = take(8 * c.n)
	case c.form == formDict:
		c.ends = take(4 * c.n)
		c.codes = take(PackedSize(rows, c.width))
		c.blob = src
	case c.form == formPlain && !number:
		c.codes = take(PackedSize(rows, c.width))
		c.blob = src
	case c.form == formFixed && !number:
		c.blob = take(rows * c.n)
	default:
		return c, ErrEncoding
	}
	return c, err
}

func number64(b []byte) uint64 {
	if len(b) < 8 {
		return 0
	}
	return binary.LittleEndian.Uint64(b)
}

// Check verifies what ParseEncoded left unverified because it costs a pass
// over the rows: codes, ends and run lengths.
func (c *Encoded) Check() error {
	switch c.form {
	case formDict:
		for i := range c.rows {
			if PackedAt(c.codes, i, c.width) >= uint64(c.n) {
				return ErrEncoding
			}
		}
		if c.kind == Bytes {
			return c.checkEnds(c.n, func(i int) uint64 { return uint64(binary.LittleEndian.Uint32(c.ends[4*i:])) })
		}
	case formPlain:
		return c.checkEnds(c.rows, func(i int) uint64 { return PackedAt(c.codes, i, c.width) })
	case formRuns:
		last := uint32(0)
		for i := range c.n {
			end := binary.LittleEndian.Uint32(c.ends[4*i:])
			if end <= last {
				return ErrEncoding
			}
			last = end
		}
		if int(last) != c.rows {
			return ErrEncoding
		}
	}
	return nil
}

func (c *Encoded) checkEnds(n int, end func(int) uint64) error {
	last := uint64(0)
	for i := range n {
		e := end(i)
		if e < last || e > uint64(len(c.blob)) {
			return ErrEncoding
		}
		last = e
	}
	return nil
}

// Rows returns the number of rows.
func (c *Encoded) Rows() int { return c.rows }

// Null reports whether row i is NULL.
func (c *Encoded) Null(i int) bool { return bitAt(c.nulls, i) }

// Marked reports whether row i was marked by the encoder's caller.
func (c *Encoded) Marked(i int) bool { return bitAt(c.marks, i) }

// HasMarks reports whether any row is marked.
func (c *Encoded) HasMarks() bool { return c.marks != nil }

func bitAt(b []byte, i int) bool { return b != nil && b[i>>3]&(1<<(uint(i)&7)) != 0 }

// Datum returns row i.
func (c *Encoded) Datum(i int) Datum {
	switch {
	case c.Null(i):
		return Datum{Null: true}
	case c.kind == Bytes:
		return Datum{B: c.BytesAt(i)}
	}
	return Datum{I: c.NumberAt(i)}
}

// NumberAt returns row i, which is not NULL, of an Int column, or the IEEE
// bits of a Float column.
func (c *Encoded) NumberAt(i int) int64 {
	switch c.form {
	case formPacked:
		return int64(c.base + PackedAt(c.codes, i, c.width))
	case formDict:
		return int64(binary.LittleEndian.Uint64(c.vals[8*PackedAt(c.codes, i, c.width):]))
	case formRuns:
		k := sort.Search(c.n, func(k int) bool { return int(binary.LittleEndian.Uint32(c.ends[4*k:])) > i })
		return int64(binary.LittleEndian.Uint64(c.vals[8*k:]))
	case formScaled:
		k := int64(c.base + PackedAt(c.codes, i, c.width))
		return int64(math.Float64bits(float64(k) / powersOfTen[c.n]))
	}
	return int64(c.base)
}

// BytesAt returns row i, which is not NULL, of a Bytes column.
func (c *Encoded) BytesAt(i int) []byte {
	var lo, hi uint64
	switch c.form {
	case formConstant:
		return c.blob
	case formFixed:
		lo = uint64(i) * uint64(c.n)
		hi = lo + uint64(c.n)
	case formDict:
		return c.entry(int(PackedAt(c.codes, i, c.width)))
	case formPlain:
		if i > 0 {
			lo = PackedAt(c.codes, i-1, c.width)
		}
		hi = PackedAt(c.codes, i, c.width)
	}
	return c.blob[lo:hi:hi]
}

// entry returns dictionary entry k of a Bytes column.
func (c *Encoded) entry(k int) []byte {
	var lo uint32
	if k > 0 {
		lo = binary.LittleEndian.Uint32(c.ends[4*k-4:])
	}
	hi := binary.LittleEndian.Uint32(c.ends[4*k:])
	return c.blob[lo:hi:hi]
}

// Decode appends rows lo to hi-1 to dst, which is of the column's kind.
func (c *Encoded) Decode(dst *Vec, lo, hi int) {
	at, n := dst.Len(), hi-lo
	if c.kind == Bytes {
		dst.B = extend(dst.B, n)
		c.decodeBytes(dst.B[at:], lo)
	} else {
		c.decodeNumbers(dst.numbers(n), lo)
		if c.form == formScaled {
			scale := powersOfTen[c.n]
			f := dst.F[at:]
			for i, x := range f {
				f[i] = float64(int64(math.Float64bits(x))) / scale
			}
		}
	}
	if c.nulls != nil {
		appendNulls(dst, c.nulls, at, lo, hi)
	}
}

// extend makes s longer by n unspecified values.
func extend[T any](s []T, n int) []T {
	if len(s)+n > cap(s) {
		s = append(make([]T, 0, max(BatchSize, 2*cap(s), len(s)+n)), s...)
	}
	return s[:len(s)+n]
}

func appendNulls(dst *Vec, nulls []byte, at, lo, hi int) {
	for i := lo; i < hi; i++ {
		if i&7 == 0 && i+8 <= hi && nulls[i>>3] == 0 {
			i += 7
			continue
		}
		if bitAt(nulls, i) {
			dst.Nulls.Set(at + i - lo)
		}
	}
}

// decodeNumbers sets dst to the numbers from row lo on; of formScaled to the
// integers before division.
func (c *Encoded) decodeNumbers(dst []int64, lo int) {
	switch c.form {
	case formPacked, formScaled:
		unpack(dst, c.codes, lo, c.width, c.base)
	case formDict:
		unpack(dst, c.codes, lo, c.width, 0)
		vals := c.vals
		for i, k := range dst {
			dst[i] = int64(binary.LittleEndian.Uint64(vals[8*k:]))
		}
	case formRuns:
		k := sort.Search(c.n, func(k int) bool { return int(binary.LittleEndian.Uint32(c.ends[4*k:])) > lo })
		for i := 0; i < len(dst); k++ {
			end := min(len(dst), int(binary.LittleEndian.Uint32(c.ends[4*k:]))-lo)
			x := int64(binary.LittleEndian.Uint64(c.vals[8*k:]))
			for ; i < end; i++ {
				dst[i] = x
			}
		}
	default:
		for i := range dst {
			dst[i] = int64(c.base)
		}
	}
}

func (c *Encoded) decodeBytes(dst [][]byte, lo int) {
	switch c.form {
	case formAllNull:
		clear(dst)
	case formConstant:
		for i := range dst {
			dst[i] = c.blob
		}
	case formFixed:
		p := c.blob[lo*c.n:]
		for i := range dst {
			dst[i] = p[:c.n:c.n]
			p = p[c.n:]
		}
	case formDict:
		c.decodeDict(dst, lo)
	case formPlain:
		c.decodePlain(dst, lo)
	}
}

const (
	// unpackRows codes or ends are unpacked at once, on the stack.
	unpackRows = 256

	// smallDict entries are looked up in a table of their slices.
	smallDict = 32
)

func (c *Encoded) decodeDict(dst [][]byte, lo int) {
	var codes [unpackRows]int64
	var table [smallDict][]byte
	small := c.n <= smallDict && c.n <= len(dst)
	if small {
		for k := range c.n {
			table[k] = c.entry(k)
		}
	}
	for len(dst) > 0 {
		part := codes[:min(len(dst), unpackRows)]
		unpack(part, c.codes, lo, c.width, 0)
		if small {
			for i, k := range part {
				dst[i] = table[k&(smallDict-1)]
			}
		} else {
			for i, k := range part {
				dst[i] = c.entry(int(k))
			}
		}
		dst, lo = dst[len(part):], lo+len(part)
	}
}

func (c *Encoded) decodePlain(dst [][]byte, lo int) {
	var ends [unpackRows]int64
	var start int64
	if lo > 0 {
		start = int64(PackedAt(c.codes, lo-1, c.width))
	}
	for len(dst) > 0 {
		part := ends[:min(len(dst), unpackRows)]
		unpack(part, c.codes, lo, c.width, 0)
		for i, end := range part {
			dst[i] = c.blob[start:end:end]
			start = end
		}
		dst, lo = dst[len(part):], lo+len(part)
	}
}
