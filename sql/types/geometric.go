package types

import (
	"encoding/binary"
	"math"
	"strings"

	"github.com/omendb/omendb/sql/pgerr"
)

// Geometric values are stored as they go over the wire: float8s, big endian; a path has a
// byte (1 closed) and a count in front, a polygon a count.

func geometricCodecs() map[OID]*codec {
	return map[OID]*codec{
		PointOID:   {pointIn, pointOut, floatsRecv(2), textSend},
		LsegOID:    {lsegIn, lsegOut, floatsRecv(4), textSend},
		BoxOID:     {boxIn, boxOut, floatsRecv(4), textSend},
		LineOID:    {lineIn, lineOut, floatsRecv(3), textSend},
		CircleOID:  {circleIn, circleOut, floatsRecv(3), textSend},
		PathOID:    {pathIn, pathOut, pathRecv, textSend},
		PolygonOID: {polygonIn, polygonOut, polygonRecv, textSend},
	}
}

func floatsRecv(n int) func(*Env, *Type, int32, []byte) (Datum, error) { return sizedRecv(8 * n) }

func appendFloats(dst []byte, fs ...float64) []byte {
	for _, f := range fs {
		dst = binary.BigEndian.AppendUint64(dst, math.Float64bits(f))
	}
	return dst
}

// Floats decodes the coordinates of a point, segment, box, line or circle.
func Floats(d Datum) []float64 { return floatsOf(d.B) }

func floatsOf(b []byte) []float64 {
	fs := make([]float64, len(b)/8)
	for i := range fs {
		fs[i] = math.Float64frombits(binary.BigEndian.Uint64(b[8*i:]))
	}
	return fs
}

// FloatsDatum encodes coordinates.
func FloatsDatum(fs ...float64) Datum { return bytesDatum(appendFloats(nil, fs...)) }

// pointReader reads numbers and punctuation; bad sticks once something is wrong.
type pointReader struct {
	s, all, typ string
	bad         bool
	err         error
}

func (r *pointReader) space() { r.s = strings.TrimLeft(r.s, " \t\n\v\f\r") }

func (r *pointReader) is(c byte) bool { return r.s != "" && r.s[0] == c }

func (r *pointReader) skip(c byte) bool {
	if !r.is(c) {
		return false
	}
	r.s = r.s[1:]
	return true
}

func (r *pointReader) need(c byte) { r.bad = !r.skip(c) || r.bad }

func (r *pointReader) number() float64 {
	r.space()
	n := floatPrefix(r.s)
	for _, word := range []string{"infinity", "inf", "nan"} {
		sign := 0
		if r.s != "" && (r.s[0] == '-' || r.s[0] == '+') {
			sign = 1
		}
		if end := sign + len(word); n == 0 && len(r.s) >= end && strings.EqualFold(r.s[sign:end], word) {
			n = end
		}
	}
	if n == 0 {
		r.bad = true
		return 0
	}
	f, err := ParseFloat(r.s[:n], 64, "double precision")
	if err != nil && r.err == nil {
		r.err = err
	}
	r.s = r.s[n:]
	r.space()
	return f
}

func (r *pointReader) pair() (x, y float64) {
	r.space()
	paren := r.skip('(')
	x = r.number()
	r.need(',')
	y = r.number()
	if paren {
		r.need(')')
		r.space()
	}
	return x, y
}

// points reads n pairs, in one more pair of parentheses, or of brackets where allowed.
func (r *pointReader) points(n int, brackets bool) (fs []float64, open bool) {
	depth := 0
	r.space()
	if r.is('[') {
		r.bad = r.bad || !brackets
		open, depth, r.s = true, 1, r.s[1:]
	} else if r.is('(') {
		inner := strings.TrimLeft(r.s[1:], " \t\n\v\f\r")
		if strings.HasPrefix(inner, "(") || strings.LastIndexByte(r.s, '(') == 0 {
			depth, r.s = 1, inner
		}
	}
	for range n {
		x, y := r.pair()
		fs = append(fs, x, y)
		r.skip(',')
	}
	for ; depth > 0; depth-- {
		if !r.skip(')') && !(open && r.skip(']')) {
			r.bad = true
		}
		r.space()
	}
	return fs, open
}

// done checks that nothing is left and returns the first error.
func (r *pointReader) done() error {
	switch {
	case r.err != nil:
		return r.err
	case r.bad || r.s != "":
		return invalidSyntax(r.typ, r.all)
	}
	return nil
}

func newPointReader(s, typ string) *pointReader { return &pointReader{s: s, all: s, typ: typ} }

func pointIn(_ *Env, _ *Type, _ int32, s string) (Datum, error) {
	r := newPointReader(s, "point")
	x, y := r.pair()
	return FloatsDatum(x, y), r.done()
}

func lsegIn(_ *Env, _ *Type, _ int32, s string) (Datum, error) {
	r := newPointReader(s, "lseg")
	fs, _ := r.points(2, true)
	return FloatsDatum(fs...), r.done()
}

func boxIn(_ *Env, _ *Type, _ int32, s string) (Datum, error) {
	r := newPointReader(s, "box")
	fs, _ := r.points(2, false)
	for i := range 2 { // the upper right corner comes first
		if CompareFloat(fs[i], fs[i+2]) < 0 {
			fs[i], fs[i+2] = fs[i+2], fs[i]
		}
	}
	return FloatsDatum(fs...), r.done()
}

func circleIn(_ *Env, _ *Type, _ int32, s string) (Datum, error) {
	r := newPointReader(s, "circle")
	r.space()
	var closers []byte
	if r.skip('<') {
		closers = append(closers, '>')
	} else if r.is('(') && strings.HasPrefix(strings.TrimLeft(r.s[1:], " \t\n\v\f\r"), "(") {
		r.s = r.s[1:]
		closers = append(closers, ')')
	}
	x, y := r.pair()
	r.skip(',')
	radius := r.number()
	r.bad = r.bad || radius < 0
	for _, c := range closers {
		r.need(c)
		r.space()
	}
	return FloatsDatum(x, y, radius), r.done()
}

func lineIn(_ *Env, _ *Type, _ int32, s string) (Datum, error) {
	r := newPointReader(s, "line")
	r.space()
	if r.skip('{') {
		a := r.number()
		r.need(',')
		b := r.number()
		r.need(',')
		c := r.number()
		r.need('}')
		r.space()
		if err := r.done(); err != nil {
			return Datum{}, err
		}
		if a == 0 && b == 0 {
			return Datum{}, pgerr.New(pgerr.InvalidTextRepresentation, "invalid line specification: A and B cannot both be zero")
		}
		return FloatsDatum(a, b, c), nil
	}
	p, _ := r.points(2, true)
	if err := r.done(); err != nil {
		return Datum{}, err
	}
	switch {
	case p[0] == p[2] && p[1] == p[3]:
		return Datum{}, pgerr.New(pgerr.InvalidTextRepresentation, "invalid line specification: must be two distinct points")
	case p[0] == p[2]:
		return FloatsDatum(-1, 0, p[0]), nil
	case p[1] == p[3]:
		return FloatsDatum(0, -1, p[1]), nil
	}
	m := (p[3] - p[1]) / (p[2] - p[0])
	c := p[1] - m*p[0]
	if c == 0 {
		c = 0 // no minus zero
	}
	return FloatsDatum(m, -1, c), nil
}

// pairCount returns the number of pairs in text by its commas, 0 when they are uneven.
func pairCount(s string) int {
	n := strings.Count(s, ",")
	if n%2 == 0 {
		return 0
	}
	return (n + 1) / 2
}

func pathIn(_ *Env, _ *Type, _ int32, s string) (Datum, error) {
	r := newPointReader(s, "path")
	n := pairCount(s)
	if n == 0 {
		return Datum{}, invalidSyntax("path", s)
	}
	fs, open := r.points(n, true)
	b := []byte{1}
	if open {
		b[0] = 0
	}
	return bytesDatum(appendFloats(binary.BigEndian.AppendUint32(b, uint32(n)), fs...)), r.done()
}

func polygonIn(_ *Env, _ *Type, _ int32, s string) (Datum, error) {
	r := newPointReader(s, "polygon")
	n := pairCount(s)
	if n == 0 {
		return Datum{}, invalidSyntax("polygon", s)
	}
	fs, _ := r.points(n, false)
	return bytesDatum(appendFloats(binary.BigEndian.AppendUint32(nil, uint32(n)), fs...)), r.done()
}

func pathRecv(_ *Env, _ *Type, _ int32, b []byte) (Datum, error) {
	if len(b) < 5 {
		return Datum{}, shortMessage()
	}
	return countedRecv(b, b[:1], "path")
}

func polygonRecv(_ *Env, _ *Type, _ int32, b []byte) (Datum, error) {
	if len(b) < 4 {
		return Datum{}, shortMessage()
	}
	return countedRecv(b, nil, "polygon")
}

func countedRecv(b, prefix []byte, name string) (Datum, error) {
	n := int32(binary.BigEndian.Uint32(b[len(prefix):]))
	if n <= 0 || n >= math.MaxInt32/16 {
		return Datum{}, pgerr.New(pgerr.InvalidBinaryRepresentation, "invalid number of points in external \"%s\" value", name)
	}
	if err := exact(b[len(prefix)+4:], 16*int(n)); err != nil {
		return Datum{}, err
	}
	return bytesDatum(append([]byte{}, b...)), nil
}

func (e *Env) appendPoint(dst []byte, x, y float64) []byte {
	dst = append(e.appendFloat(append(dst, '('), x, 64), ',')
	return append(e.appendFloat(dst, y, 64), ')')
}

func (e *Env) appendPoints(dst []byte, fs []float64) []byte {
	for i := 0; i < len(fs); i += 2 {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = e.appendPoint(dst, fs[i], fs[i+1])
	}
	return dst
}

func pointOut(e *Env, dst []byte, _ *Type, d Datum) []byte { return e.appendPoints(dst, Floats(d)) }

func lsegOut(e *Env, dst []byte, _ *Type, d Datum) []byte {
	return append(e.appendPoints(append(dst, '['), Floats(d)), ']')
}

func boxOut(e *Env, dst []byte, _ *Type, d Datum) []byte { return e.appendPoints(dst, Floats(d)) }

func lineOut(e *Env, dst []byte, _ *Type, d Datum) []byte {
	dst = append(dst, '{')
	for i, f := range Floats(d) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = e.appendFloat(dst, f, 64)
	}
	return append(dst, '}')
}

func circleOut(e *Env, dst []byte, _ *Type, d Datum) []byte {
	fs := Floats(d)
	dst = append(e.appendPoint(append(dst, '<'), fs[0], fs[1]), ',')
	return append(e.appendFloat(dst, fs[2], 64), '>')
}

func pathOut(e *Env, dst []byte, _ *Type, d Datum) []byte {
	left, right := byte('('), byte(')')
	if d.B[0] == 0 {
		left, right = '[', ']'
	}
	return append(e.appendPoints(append(dst, left), floatsOf(d.B[5:])), right)
}

func polygonOut(e *Env, dst []byte, _ *Type, d Datum) []byte {
	return append(e.appendPoints(append(dst, '('), floatsOf(d.B[4:])), ')')
}
