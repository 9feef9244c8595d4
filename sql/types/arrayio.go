package types

import (
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
)

func arrayCodecs() map[OID]*codec {
	return map[OID]*codec{
		OIDVectorOID:          {vectorIn, vectorOut, arrayRecv, arraySend},
		Int2VectorOID:         {vectorIn, vectorOut, arrayRecv, arraySend},
		AnyArrayOID:           {out: arrayOut, send: arraySend},
		AnyCompatibleArrayOID: {out: arrayOut, send: arraySend},
		RecordArrayOID:        {out: arrayOut, send: arraySend},
	}
}

// vectorIn reads numbers between blanks.
func vectorIn(e *Env, t *Type, _ int32, s string) (Datum, error) {
	a := Array{Elem: t.Elem}
	for _, word := range strings.Fields(s) {
		d, err := e.In(t.Elem, -1, word)
		if err != nil {
			return Datum{}, err
		}
		a.Elems = append(a.Elems, d)
	}
	a.Dims = []Dim{{int32(len(a.Elems)), 0}}
	return a.Encode(column.Int), nil
}

func vectorOut(_ *Env, dst []byte, _ *Type, d Datum) []byte {
	for i, v := range ArrayFrom(d).Elems {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = strconv.AppendInt(dst, v.I, 10)
	}
	return dst
}

// arrayReader reads an array literal. The checks come in PostgreSQL's order: the shape of
// the whole text first, then the elements.
type arrayReader struct {
	s     string
	pos   int
	delim byte
	words []arrayWord
	lens  [MaxArrayDims]int32 // of the last closed sub-array of each level
	depth int
}

type arrayWord struct {
	text string
	null bool
}

func (r *arrayReader) malformed(detail string, args ...any) error {
	return pgerr.New(pgerr.InvalidTextRepresentation, "malformed array literal: \"%s\"", r.s).WithDetail(detail, args...)
}

func arrayIn(e *Env, t *Type, typmod int32, s string) (Datum, error) {
	elem := e.mustType(t.Elem)
	r := &arrayReader{s: s, delim: elem.Delim}
	if r.delim == 0 {
		r.delim = ','
	}
	dims, err := r.bounds()
	if err != nil {
		return Datum{}, err
	}
	if err := r.scan(); err != nil {
		return Datum{}, err
	}
	a := Array{Elem: t.Elem}
	if len(r.words) > 0 {
		if a.Dims, err = r.shape(dims); err != nil {
			return Datum{}, err
		}
	}
	a.Elems = make([]Datum, len(r.words))
	for i, w := range r.words {
		if w.null {
			a.Elems[i] = column.Null()
			if err = e.checkPart(t.Elem, a.Elems[i]); err != nil {
				return Datum{}, err
			}
			continue
		}
		if a.Elems[i], err = e.inPart(t.Elem, typmod, w.text); err != nil {
			return Datum{}, err
		}
	}
	return e.MakeArray(a), nil
}

// shape returns the dimensions found in the text, with the bounds given in front of it.
func (r *arrayReader) shape(given []Dim) ([]Dim, error) {
	dims := make([]Dim, r.depth)
	for i := range dims {
		dims[i] = Dim{r.lens[i], 1}
	}
	if given == nil {
		return dims, nil
	}
	if len(given) != len(dims) {
		return nil, r.malformed("Specified array dimensions do not match array contents.")
	}
	for i := range dims {
		if given[i].Len != dims[i].Len {
			return nil, r.malformed("Specified array dimensions do not match array contents.")
		}
	}
	return given, nil
}

func (r *arrayReader) skipSpace() {
	for r.pos < len(r.s) && isSpace(r.s[r.pos]) {
		r.pos++
	}
}

func (r *arrayReader) next() byte {
	if r.pos < len(r.s) {
		return r.s[r.pos]
	}
	return 0
}

// bounds reads "[1:2][0:3]=" in front of the braces.
func (r *arrayReader) bounds() ([]Dim, error) {
	var dims []Dim
	for {
		r.skipSpace()
		if r.next() != '[' {
			break
		}
		r.pos++
		if len(dims) >= MaxArrayDims {
			return nil, tooManyDims(len(dims) + 1)
		}
		lower, upper := 1, 0
		v, ok := r.bound()
		if !ok {
			return nil, r.malformed("\"[\" must introduce explicitly-specified array dimensions.")
		}
		upper = v
		if r.next() == ':' {
			r.pos++
			lower = v
			if upper, ok = r.bound(); !ok {
				return nil, r.malformed("Missing array dimension value.")
			}
		}
		if r.next() != ']' {
			return nil, r.malformed("Missing \"%s\" after array dimensions.", "]")
		}
		r.pos++
		if upper < lower {
			return nil, pgerr.New(pgerr.ArraySubscriptError, "upper bound cannot be less than lower bound")
		}
		dims = append(dims, Dim{int32(upper - lower + 1), int32(lower)})
	}
	if dims == nil {
		if r.next() != '{' {
			return nil, r.malformed("Array value must start with \"{\" or dimension information.")
		}
		return nil, nil
	}
	if r.next() != '=' {
		return nil, r.malformed("Missing \"%s\" after array dimensions.", "=")
	}
	r.pos++
	r.skipSpace()
	if r.next() != '{' {
		return nil, r.malformed("Array contents must start with \"{\".")
	}
	return dims, nil
}

func (r *arrayReader) bound() (int, bool) {
	start := r.pos
	for c := r.next(); isDigit(c) || c == '-' || c == '+'; c = r.next() {
		r.pos++
	}
	v, err := strconv.ParseInt(r.s[start:r.pos], 10, 32)
	return int(v), err == nil
}

func tooManyDims(n int) error {
	return pgerr.New(pgerr.ProgramLimitExceeded, "number of array dimensions (%d) exceeds the maximum allowed (%d)", n, MaxArrayDims)
}

type arrayState uint8

const (
	arrayNoLevel arrayState = iota
	arrayLevelStarted
	arrayElemStarted
	arrayQuoted
	arrayQuotedDone
	arrayElemDelimited
	arrayLevelDone
	arrayLevelDelimited
)

// scan reads the braces and the elements as text.
func (r *arrayReader) scan() error {
	state, level := arrayNoLevel, 0
	var counts [MaxArrayDims]int32
	var word []byte
	keep := 0 // how much of word survives trimming: quoted and escaped characters and what precedes them
	escaped := false
	finish := func() {
		w := arrayWord{text: string(word)}
		if state == arrayElemStarted {
			n := len(word)
			for n > keep && isSpace(word[n-1]) {
				n--
			}
			w.text = string(word[:n])
			w.null = !escaped && strings.EqualFold(w.text, "null")
		}
		r.words = append(r.words, w)
		word, keep, escaped = word[:0], 0, false
	}
	hasElem := func() bool { return state == arrayElemStarted || state == arrayQuotedDone }
	for {
		if r.pos >= len(r.s) {
			return r.malformed("Unexpected end of input.")
		}
		c := r.s[r.pos]
		switch {
		case c == '\\':
			if state != arrayLevelStarted && state != arrayElemStarted && state != arrayQuoted && state != arrayElemDelimited {
				return r.malformed("Unexpected \"%c\" character.", '\\')
			}
			if state != arrayQuoted {
				state = arrayElemStarted
			}
			if r.pos+1 >= len(r.s) {
				return r.malformed("Unexpected end of input.")
			}
			r.pos++
			word = append(word, r.s[r.pos])
			keep, escaped = len(word), true
		case c == '"':
			switch state {
			case arrayQuoted:
				state = arrayQuotedDone
			case arrayLevelStarted, arrayElemDelimited:
				state = arrayQuoted
			default:
				return r.malformed("Unexpected array element.")
			}
		case state == arrayQuoted:
			word = append(word, c)
		case c == '{':
			if state != arrayNoLevel && state != arrayLevelStarted && state != arrayLevelDelimited {
				return r.malformed("Unexpected \"%c\" character.", '{')
			}
			if level >= MaxArrayDims {
				return tooManyDims(level + 1)
			}
			state = arrayLevelStarted
			counts[level] = 0
			level++
			r.depth = max(r.depth, level)
		case c == '}':
			if !hasElem() && state != arrayLevelDone && !(level == 1 && state == arrayLevelStarted) {
				return r.malformed("Unexpected \"%c\" character.", '}')
			}
			if hasElem() {
				finish()
			}
			if state != arrayLevelStarted {
				counts[level-1]++
			}
			state = arrayLevelDone
			level--
			if r.lens[level] != 0 && r.lens[level] != counts[level] {
				return r.malformed("Multidimensional arrays must have sub-arrays with matching dimensions.")
			}
			r.lens[level] = counts[level]
			if level == 0 {
				r.pos++
				return r.end()
			}
		case c == r.delim:
			if !hasElem() && state != arrayLevelDone {
				return r.malformed("Unexpected \"%c\" character.", c)
			}
			counts[level-1]++
			if state == arrayLevelDone {
				state = arrayLevelDelimited
			} else {
				finish()
				state = arrayElemDelimited
			}
		case !isSpace(c):
			if state != arrayLevelStarted && state != arrayElemStarted && state != arrayElemDelimited {
				return r.malformed("Unexpected array element.")
			}
			state = arrayElemStarted
			word = append(word, c)
		case state == arrayElemStarted:
			word = append(word, c)
		}
		r.pos++
	}
}

func (r *arrayReader) end() error {
	for ; r.pos < len(r.s); r.pos++ {
		if !isSpace(r.s[r.pos]) {
			return r.malformed("Junk after closing right brace.")
		}
	}
	return nil
}

func arrayOut(e *Env, dst []byte, _ *Type, d Datum) []byte {
	var dims [MaxArrayDims]Dim
	a := Array{Dims: dims[:0]}
	body := arrayHeader(d, &a)
	if body.n == 0 {
		return append(dst, '{', '}')
	}
	for _, dim := range a.Dims {
		if dim.Lower == 1 {
			continue
		}
		for _, dim := range a.Dims {
			dst = strconv.AppendInt(append(dst, '['), int64(dim.Lower), 10)
			dst = strconv.AppendInt(append(dst, ':'), int64(dim.Lower)+int64(dim.Len)-1, 10)
			dst = append(dst, ']')
		}
		dst = append(dst, '=')
		break
	}
	base, _ := e.BaseType(a.Elem, -1)
	elem := e.mustType(base)
	p := arrayPrinter{e: e, elem: elem, codec: elem.codec(), delim: e.mustType(a.Elem).Delim, body: body}
	if p.delim == 0 {
		p.delim = ','
	}
	return p.level(dst, a.Dims)
}

type arrayPrinter struct {
	e     *Env
	elem  *Type
	codec *codec
	delim byte
	body  arrayBody
	next  int
}

func (p *arrayPrinter) level(dst []byte, dims []Dim) []byte {
	dst = append(dst, '{')
	for i := int32(0); i < dims[0].Len; i++ {
		if i > 0 {
			dst = append(dst, p.delim)
		}
		if len(dims) > 1 {
			dst = p.level(dst, dims[1:])
			continue
		}
		d := p.body.at(p.next)
		p.next++
		if d.Null {
			dst = append(dst, "NULL"...)
			continue
		}
		start := len(dst)
		dst = quoteElement(p.codec.out(p.e, dst, p.elem, d), start, p.delim)
	}
	return append(dst, '}')
}

// arraySyntax are the bytes for which an element is quoted, besides the delimiter.
var arraySyntax = [256]bool{'"': true, '\\': true, '{': true, '}': true, ' ': true, '\t': true, '\n': true, '\v': true, '\f': true, '\r': true}

// quoteElement quotes dst[start:] when array syntax needs it.
func quoteElement(dst []byte, start int, delim byte) []byte {
	word := dst[start:]
	quote := len(word) == 0 || len(word) == len("null") && strings.EqualFold(string(word), "null")
	for _, c := range word {
		if c == delim || arraySyntax[c] {
			quote = true
			break
		}
	}
	if !quote {
		return dst
	}
	plain := string(word)
	dst = append(dst[:start], '"')
	for i := 0; i < len(plain); i++ {
		if plain[i] == '"' || plain[i] == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, plain[i])
	}
	return append(dst, '"')
}

func arraySend(e *Env, dst []byte, _ *Type, d Datum) []byte {
	a := ArrayFrom(d)
	flags := uint32(d.B[1] & arrayHasNulls)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(a.Dims)))
	dst = binary.BigEndian.AppendUint32(dst, flags)
	dst = binary.BigEndian.AppendUint32(dst, a.Elem)
	for _, dim := range a.Dims {
		dst = binary.BigEndian.AppendUint32(dst, uint32(dim.Len))
		dst = binary.BigEndian.AppendUint32(dst, uint32(dim.Lower))
	}
	for _, v := range a.Elems {
		dst = e.appendSized(dst, a.Elem, v)
	}
	return dst
}

// appendSized appends the length of a part's wire form and the form, or -1 for NULL.
func (e *Env) appendSized(dst []byte, t OID, d Datum) []byte {
	if d.Null {
		return binary.BigEndian.AppendUint32(dst, 0xFFFFFFFF)
	}
	at := len(dst)
	dst = e.Send(append(dst, 0, 0, 0, 0), t, d)
	binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst
}

// recvSized reads what appendSized wrote.
func (e *Env) recvSized(t OID, typmod int32, b []byte) (Datum, []byte, error) {
	if len(b) < 4 {
		return Datum{}, nil, shortMessage()
	}
	n := int32(binary.BigEndian.Uint32(b))
	b = b[4:]
	if n == -1 {
		return column.Null(), b, e.checkPart(t, column.Null())
	}
	if n < 0 || int(n) > len(b) {
		return Datum{}, nil, pgerr.New(pgerr.InvalidBinaryRepresentation, "insufficient data left in message")
	}
	d, err := e.Recv(t, typmod, b[:n:n])
	if err == nil {
		err = e.checkPart(t, d)
	}
	return d, b[n:], err
}

func arrayRecv(e *Env, t *Type, typmod int32, b []byte) (Datum, error) {
	if len(b) < 12 {
		return Datum{}, shortMessage()
	}
	ndim, flags := int32(binary.BigEndian.Uint32(b)), binary.BigEndian.Uint32(b[4:])
	elem := binary.BigEndian.Uint32(b[8:])
	b = b[12:]
	switch {
	case ndim < 0:
		return Datum{}, pgerr.New(pgerr.InvalidBinaryRepresentation, "invalid number of dimensions: %d", ndim)
	case ndim > MaxArrayDims:
		return Datum{}, tooManyDims(int(ndim))
	case flags > 1:
		return Datum{}, pgerr.New(pgerr.InvalidBinaryRepresentation, "invalid array flags")
	case elem != t.Elem:
		return Datum{}, pgerr.New(pgerr.DatatypeMismatch, "binary data has array element type %d (%s) instead of expected %d (%s)",
			elem, e.TypeName(elem), t.Elem, e.TypeName(t.Elem))
	case len(b) < 8*int(ndim):
		return Datum{}, shortMessage()
	}
	a := Array{Elem: elem, Dims: make([]Dim, ndim)}
	n := int64(min(ndim, 1))
	for i := range a.Dims {
		a.Dims[i] = Dim{int32(binary.BigEndian.Uint32(b)), int32(binary.BigEndian.Uint32(b[4:]))}
		b = b[8:]
		if n *= int64(a.Dims[i].Len); n < 0 || n > MaxArrayItems {
			return Datum{}, pgerr.New(pgerr.ProgramLimitExceeded, "array size exceeds the maximum allowed (%d)", MaxArrayItems)
		}
		if int64(a.Dims[i].Lower)+int64(a.Dims[i].Len) > 1<<31-1 {
			return Datum{}, pgerr.New(pgerr.ProgramLimitExceeded, "array lower bound is too large: %d", a.Dims[i].Lower)
		}
	}
	for i := int64(0); i < n; i++ {
		d, rest, err := e.recvSized(elem, typmod, b)
		if err != nil {
			return Datum{}, err
		}
		a.Elems, b = append(a.Elems, d), rest
	}
	if len(b) > 0 {
		return Datum{}, badBinary()
	}
	if n == 0 {
		a.Dims = nil
	}
	return e.MakeArray(a), nil
}
