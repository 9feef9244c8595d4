package types

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/omendb/omendb/sql/pgerr"
)

func jsonCodecs() map[OID]*codec {
	return map[OID]*codec{
		JSONOID:  {jsonIn, textOut, jsonRecv, clientSend},
		JSONBOID: {jsonbIn, jsonbOut, jsonbRecv, jsonbSend},

		JsonpathOID: {jsonpathIn, textOut, jsonpathRecv, jsonpathSend},
	}
}

// MaxJSONDepth bounds the nesting of JSON, whose readers recurse.
const MaxJSONDepth = 6400

// JSONHandler takes in what ParseJSON finds, in the order of the text. A method that
// returns an error ends the parse. Keys and strings are without quotes and escapes.
type JSONHandler interface {
	Null() error
	Bool(v bool) error
	Number(text string) error
	String(s string) error
	BeginArray() error
	EndArray() error
	BeginObject() error
	Key(s string) error
	EndObject() error
}

type jsonToken uint8

const (
	jsonEnd jsonToken = iota
	jsonString
	jsonNumber
	jsonBeginObject
	jsonEndObject
	jsonBeginArray
	jsonEndArray
	jsonComma
	jsonColon
	jsonTrue
	jsonFalse
	jsonNull
)

// jsonReader checks JSON text, and hands it on when there is a handler: without one, as for
// the type json, escapes are checked for their form only.
type jsonReader struct {
	s          string
	start, end int // the token
	token      jsonToken
	str        string
	line       int
	lineStart  int
	depth      int
	h          JSONHandler
}

// ParseJSON reads JSON text with PostgreSQL's errors. The handler may be nil.
func ParseJSON(s string, h JSONHandler) error {
	r := &jsonReader{s: s, line: 1, h: h}
	if err := r.next(); err != nil {
		return err
	}
	if err := r.value(); err != nil {
		return err
	}
	if r.token != jsonEnd {
		return r.unexpected("Expected end of input, but found \"%s\".")
	}
	return nil
}

func jsonIn(_ *Env, _ *Type, _ int32, s string) (Datum, error) {
	if err := ParseJSON(s, nil); err != nil {
		return Datum{}, err
	}
	return stringDatum(s), nil
}

func jsonRecv(e *Env, t *Type, typmod int32, b []byte) (Datum, error) {
	b, err := e.FromClient(b)
	if err != nil {
		return Datum{}, err
	}
	return jsonIn(e, t, typmod, string(b))
}

func (r *jsonReader) fail(code, message, detail string) error {
	return pgerr.New(code, "%s", message).WithDetail("%s", detail).WithWhere("%s", r.context())
}

func (r *jsonReader) invalid(detail string) error {
	return r.fail(pgerr.InvalidTextRepresentation, "invalid input syntax for type json", detail)
}

// contextBytes is about how much of the line an error shows.
const contextBytes = 50

// context shows the line up to the token that is wrong.
func (r *jsonReader) context() string {
	start, end := r.lineStart, max(r.end, r.lineStart)
	for end-start >= contextBytes {
		_, n := utf8.DecodeRuneInString(r.s[start:])
		start += n
	}
	prefix, suffix := "...", ""
	if start-r.lineStart <= 3 {
		start, prefix = r.lineStart, ""
	}
	if r.token != jsonEnd && end < len(r.s) && r.s[end] != '\n' && r.s[end] != '\r' {
		suffix = "..."
	}
	return "JSON data, line " + strconv.Itoa(r.line) + ": " + prefix + r.s[start:end] + suffix
}

func (r *jsonReader) badToken(end int) error {
	r.end = min(end, len(r.s))
	r.token = jsonString // not the end of the text
	return r.invalid("Token \"" + r.s[r.start:r.end] + "\" is invalid.")
}

func (r *jsonReader) unexpected(format string) error {
	if r.token == jsonEnd {
		return r.invalid("The input string ended unexpectedly.")
	}
	return r.invalid(strings.Replace(format, "%s", r.s[r.start:r.end], 1))
}

func isJSONWord(c byte) bool { return isAlnum(c) || c == '_' || c >= 0x80 }

// next reads a token.
func (r *jsonReader) next() error {
	p := r.end
	for p < len(r.s) && (r.s[p] == ' ' || r.s[p] == '\t' || r.s[p] == '\n' || r.s[p] == '\r') {
		if p++; r.s[p-1] == '\n' {
			r.line++
			r.lineStart = p
		}
	}
	r.start, r.end = p, p
	if p == len(r.s) {
		r.token = jsonEnd
		return nil
	}
	c := r.s[p]
	if i := strings.IndexByte("{}[],:", c); i >= 0 {
		r.token = [...]jsonToken{jsonBeginObject, jsonEndObject, jsonBeginArray, jsonEndArray, jsonComma, jsonColon}[i]
		r.end = p + 1
		return nil
	}
	switch {
	case c == '"':
		return r.string(p + 1)
	case c == '-' || isDigit(c):
		return r.number(p)
	}
	for p < len(r.s) && isJSONWord(r.s[p]) {
		p++
	}
	switch r.s[r.start:p] {
	case "true":
		r.token = jsonTrue
	case "false":
		r.token = jsonFalse
	case "null":
		r.token = jsonNull
	case "":
		return r.badToken(p + 1)
	default:
		return r.badToken(p)
	}
	r.end = p
	return nil
}

func (r *jsonReader) number(p int) error {
	digits := func() bool {
		from := p
		for p < len(r.s) && isDigit(r.s[p]) {
			p++
		}
		return p > from
	}
	if r.s[p] == '-' {
		p++
	}
	ok := true
	if p < len(r.s) && r.s[p] == '0' {
		p++
	} else {
		ok = digits()
	}
	if ok && p < len(r.s) && r.s[p] == '.' {
		p++
		ok = digits()
	}
	if ok && p < len(r.s) && r.s[p]|0x20 == 'e' {
		p++
		if p < len(r.s) && (r.s[p] == '+' || r.s[p] == '-') {
			p++
		}
		ok = digits()
	}
	for p < len(r.s) && isJSONWord(r.s[p]) {
		p++
		ok = false
	}
	if !ok {
		return r.badToken(p)
	}
	r.token, r.end = jsonNumber, p
	return nil
}

// string reads a string whose opening quote is before p.
func (r *jsonReader) string(p int) error {
	from := p
	for p < len(r.s) && r.s[p] != '"' && r.s[p] != '\\' && r.s[p] >= ' ' {
		p++
	}
	if p < len(r.s) && r.s[p] == '"' { // no escapes
		r.str, r.token, r.end = r.s[from:p], jsonString, p+1
		return nil
	}
	b := append(make([]byte, 0, len(r.s)-from), r.s[from:p]...)
	high := rune(-1)
	for {
		if p >= len(r.s) {
			return r.badToken(p)
		}
		c := r.s[p]
		if c < ' ' {
			r.end, r.token = p, jsonString
			return r.invalid("Character with value 0x" + string(hexDigits[c>>4]) + string(hexDigits[c&15]) + " must be escaped.")
		}
		if c == '\\' && p+1 < len(r.s) && r.s[p+1] == 'u' {
			code, err := r.codePoint(p + 2)
			if err != nil {
				return err
			}
			p += 6
			if r.h == nil {
				continue
			}
			if b, high, err = r.addCodePoint(b, high, code, p); err != nil {
				return err
			}
			continue
		}
		if high >= 0 && r.h != nil {
			return r.lonelySurrogate(p)
		}
		switch c {
		case '"':
			r.str, r.token, r.end = string(b), jsonString, p+1
			return nil
		case '\\':
			if p+1 >= len(r.s) {
				return r.badToken(p + 1)
			}
			i := strings.IndexByte(`"\/bfnrt`, r.s[p+1])
			if i < 0 {
				_, n := utf8.DecodeRuneInString(r.s[p+1:])
				r.end, r.token = p+1+n, jsonString
				return r.invalid("Escape sequence \"\\" + r.s[p+1:r.end] + "\" is invalid.")
			}
			b = append(b, "\"\\/\b\f\n\r\t"[i])
			p += 2
		default:
			b = append(b, c)
			p++
		}
	}
}

func (r *jsonReader) codePoint(p int) (rune, error) {
	code := rune(0)
	for i := 0; i < 4; i, p = i+1, p+1 {
		if p >= len(r.s) {
			return 0, r.badToken(p)
		}
		v := hexValue(r.s[p])
		if v > 15 {
			_, n := utf8.DecodeRuneInString(r.s[p:])
			r.end, r.token = p+n, jsonString
			return 0, r.invalid("\"\\u\" must be followed by four hexadecimal digits.")
		}
		code = code<<4 | rune(v)
	}
	return code, nil
}

func (r *jsonReader) lonelySurrogate(p int) error {
	r.end, r.token = p, jsonString
	return r.invalid("Unicode low surrogate must follow a high surrogate.")
}

// addCodePoint appends a character given by its number; halves of pairs wait in high.
func (r *jsonReader) addCodePoint(b []byte, high, code rune, p int) ([]byte, rune, error) {
	r.end, r.token = p, jsonString
	switch {
	case code >= 0xD800 && code <= 0xDBFF:
		if high >= 0 {
			return nil, 0, r.invalid("Unicode high surrogate must not follow a high surrogate.")
		}
		return b, code, nil
	case code >= 0xDC00 && code <= 0xDFFF:
		if high < 0 {
			return nil, 0, r.lonelySurrogate(p)
		}
		code = 0x10000 + (high-0xD800)<<10 + code - 0xDC00
	case high >= 0:
		return nil, 0, r.lonelySurrogate(p)
	case code == 0:
		return nil, 0, r.fail(pgerr.UntranslatableCharacter, "unsupported Unicode escape sequence", "\\u0000 cannot be converted to text.")
	}
	return utf8.AppendRune(b, code), -1, nil
}

func (r *jsonReader) value() error {
	token, text, str := r.token, r.s[r.start:r.end], r.str
	switch token {
	case jsonBeginObject:
		return r.object()
	case jsonBeginArray:
		return r.array()
	case jsonString, jsonNumber, jsonTrue, jsonFalse, jsonNull:
	default:
		return r.unexpected("Expected JSON value, but found \"%s\".")
	}
	if err := r.next(); err != nil || r.h == nil {
		return err
	}
	switch token {
	case jsonString:
		return r.h.String(str)
	case jsonNumber:
		return r.h.Number(text)
	case jsonNull:
		return r.h.Null()
	}
	return r.h.Bool(token == jsonTrue)
}

func (r *jsonReader) nest() error {
	if r.depth++; r.depth > MaxJSONDepth {
		return pgerr.New(pgerr.StatementTooComplex, "stack depth limit exceeded")
	}
	return r.next()
}

func (r *jsonReader) array() error {
	if r.h != nil {
		if err := r.h.BeginArray(); err != nil {
			return err
		}
	}
	if err := r.nest(); err != nil {
		return err
	}
	for first := true; r.token != jsonEndArray || !first; first = false {
		if err := r.value(); err != nil {
			return err
		}
		if r.token != jsonComma {
			break
		}
		if err := r.next(); err != nil {
			return err
		}
	}
	if r.token != jsonEndArray {
		return r.unexpected("Expected \",\" or \"]\", but found \"%s\".")
	}
	r.depth--
	if err := r.next(); err != nil || r.h == nil {
		return err
	}
	return r.h.EndArray()
}

func (r *jsonReader) object() error {
	if r.h != nil {
		if err := r.h.BeginObject(); err != nil {
			return err
		}
	}
	if err := r.nest(); err != nil {
		return err
	}
	if r.token != jsonString && r.token != jsonEndObject {
		return r.unexpected("Expected string or \"}\", but found \"%s\".")
	}
	for first := true; r.token != jsonEndObject || !first; first = false {
		if err := r.pair(); err != nil {
			return err
		}
		if r.token != jsonComma {
			break
		}
		if err := r.next(); err != nil {
			return err
		}
	}
	if r.token != jsonEndObject {
		return r.unexpected("Expected \",\" or \"}\", but found \"%s\".")
	}
	r.depth--
	if err := r.next(); err != nil || r.h == nil {
		return err
	}
	return r.h.EndObject()
}

func (r *jsonReader) pair() error {
	if r.token != jsonString {
		return r.unexpected("Expected string, but found \"%s\".")
	}
	if r.h != nil {
		if err := r.h.Key(r.str); err != nil {
			return err
		}
	}
	if err := r.next(); err != nil {
		return err
	}
	if r.token != jsonColon {
		return r.unexpected("Expected \":\", but found \"%s\".")
	}
	if err := r.next(); err != nil {
		return err
	}
	return r.value()
}

// AppendJSONString appends s as a JSON string, quotes and escapes included.
func AppendJSONString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); i++ {
		c := s[i]
		if j := strings.IndexByte("\b\f\n\r\t\"\\", c); j >= 0 {
			dst = append(dst, '\\', `bfnrt"\`[j])
		} else if c < ' ' {
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		} else {
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}
