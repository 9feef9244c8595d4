package charset

import (
	"bytes"
	"compress/gzip"
	"embed"
	"encoding/binary"
	"io"
	"sync"
)

//go:embed data/*.gz
var dataFiles embed.FS

// table maps the characters of an encoding beyond ASCII. Codes are the bytes of a
// character, the first one highest.
type table struct {
	toRune   map[uint32]rune
	fromRune map[rune]uint32
}

// The directions of an entry in a file.
const (
	dirDecode = 1
	dirEncode = 2
	dirBits   = 2
)

func lazyTable(name string) func() *table {
	return sync.OnceValue(func() *table {
		raw, err := dataFiles.ReadFile("data/" + name + ".gz")
		if err != nil {
			panic("charset: " + err.Error())
		}
		return readTable(raw)
	})
}

// readTable reads pairs of code and character, each as the difference to the pair before,
// with the directions in which it holds.
func readTable(packed []byte) *table {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		panic("charset: " + err.Error())
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		panic("charset: " + err.Error())
	}
	t := &table{toRune: map[uint32]rune{}, fromRune: map[rune]uint32{}}
	code, r := uint32(0), int64(0)
	for len(raw) > 0 {
		step, n := binary.Uvarint(raw)
		diff, m := binary.Varint(raw[n:])
		raw = raw[n+m:]
		code += uint32(step >> dirBits)
		r += diff
		if step&dirDecode != 0 {
			t.toRune[code] = rune(r)
		}
		if step&dirEncode != 0 {
			t.fromRune[rune(r)] = code
		}
	}
	return t
}

// GB18030 writes the characters beyond U+FFFF in their order.
const (
	gbFirst = 0x10000
	gbLast  = 0x10ffff
)

var gbStart = gbLinear([]byte{0x90, 0x30, 0x81, 0x30})

// gbLinear numbers the sequences of four bytes.
func gbLinear(b []byte) uint32 {
	return ((uint32(b[0]-0x81)*10+uint32(b[1]-0x30))*126+uint32(b[2]-0x81))*10 + uint32(b[3]-0x30)
}

func (e *Encoding) code(r rune) (code uint32, ok bool) {
	code, ok = e.table().fromRune[r]
	if ok || e.form != gb18030 || r < gbFirst {
		return code, ok
	}
	n := uint32(r-gbFirst) + gbStart
	code = n%10 + 0x30
	n /= 10
	code |= (n%126 + 0x81) << 8
	n /= 126
	code |= (n%10 + 0x30) << 16
	return code | (n/10+0x81)<<24, true
}

func (e *Encoding) rune(b []byte) (r rune, ok bool) {
	code := uint32(0)
	for _, c := range b {
		code = code<<8 | uint32(c)
	}
	r, ok = e.table().toRune[code]
	if ok || e.form != gb18030 || len(b) != 4 {
		return r, ok
	}
	n := int64(gbLinear(b)) - int64(gbStart) + gbFirst
	return rune(n), n >= gbFirst && n <= gbLast
}
