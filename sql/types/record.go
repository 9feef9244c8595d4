package types

import (
	"encoding/binary"
	"strings"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
)

// The form of a row, of a composite type or anonymous:
//
//	+---------+---------------------------------------+--------+
//	| n, 4 B  | n × (type oid 4, kind 1, end offset 4) | values |  names
//	+---------+---------------------------------------+--------+
//	kind    0 NULL, 1 eight bytes (Int and Float kinds), 2 bytes
//	offset  relative to the first value
//	names   of the fields of an anonymous row, where they are known: each with a zero byte behind it. They are no part of the
//	        value; JSON shows them.
//
// A composite value has one field for every attribute by number, dropped ones being NULL;
// one with fewer fields than its type has attributes lacks those added later: they are NULL.
const (
	fieldNull  = 0
	fieldFixed = 1
	fieldBytes = 2
	fieldHead  = 9
)

// MaxFields bounds the fields of a row.
const MaxFields = 1664

// Field is one field of a row.
type Field struct {
	Type  OID
	Value Datum
}

// RecordFrom decodes a row; the values share its bytes.
func RecordFrom(d Datum) []Field {
	n := int(binary.BigEndian.Uint32(d.B))
	heads, data := d.B[4:], d.B[4+fieldHead*n:]
	fields, start := make([]Field, n), 0
	for i := range fields {
		h := heads[fieldHead*i:]
		end := int(binary.BigEndian.Uint32(h[5:]))
		fields[i] = Field{Type: binary.BigEndian.Uint32(h), Value: fieldValue(h[4], data[start:end:end])}
		start = end
	}
	return fields
}

func fieldValue(kind byte, b []byte) Datum {
	switch kind {
	case fieldNull:
		return column.Null()
	case fieldFixed:
		return intDatum(int64(binary.BigEndian.Uint64(b)))
	}
	return bytesDatum(b)
}

// RecordField returns field i (from 0) without decoding the others; a field that the
// value lacks is NULL.
func RecordField(d Datum, i int) Datum {
	n := int(binary.BigEndian.Uint32(d.B))
	if i >= n {
		return column.Null()
	}
	data, start := d.B[4+fieldHead*n:], 0
	if i > 0 {
		start = int(binary.BigEndian.Uint32(d.B[4+fieldHead*(i-1)+5:]))
	}
	h := d.B[4+fieldHead*i:]
	end := int(binary.BigEndian.Uint32(h[5:]))
	return fieldValue(h[4], data[start:end:end])
}

// MakeNamedRecord encodes an anonymous row; names is what RecordNames returns.
func (e *Env) MakeNamedRecord(fields []Field, names []byte) Datum {
	d := e.MakeRecord(fields)
	d.B = append(d.B, names...)
	return d
}

// EncodeNames returns field names in the form in which a row holds them.
func EncodeNames(names []string) []byte {
	var b []byte
	for _, n := range names {
		b = append(append(b, n...), 0)
	}
	return b
}

// RecordNames returns the names of a row's fields, nil when they are not known.
func RecordNames(d Datum) []string {
	n := int(binary.BigEndian.Uint32(d.B))
	if n == 0 {
		return nil
	}
	end := int(binary.BigEndian.Uint32(d.B[4+fieldHead*(n-1)+5:]))
	tail := string(d.B[4+fieldHead*n+end:])
	if tail == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(tail, "\x00"), "\x00")
}

// MakeRecord encodes a row.
func (e *Env) MakeRecord(fields []Field) Datum {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, 4+(fieldHead+8)*len(fields)), uint32(len(fields)))
	var data []byte
	for _, f := range fields {
		kind := byte(fieldBytes)
		switch {
		case f.Value.Null:
			kind = fieldNull
		case e.Kind(f.Type) != column.Bytes:
			kind = fieldFixed
			data = binary.BigEndian.AppendUint64(data, uint64(f.Value.I))
		default:
			data = append(data, f.Value.B...)
		}
		b = append(binary.BigEndian.AppendUint32(b, f.Type), kind)
		b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
	}
	return bytesDatum(append(b, data...))
}

func recordCodecs() map[OID]*codec {
	return map[OID]*codec{RecordOID: {anonymousIn, recordOut, anonymousRecv, recordSend}}
}

func anonymousIn(*Env, *Type, int32, string) (Datum, error) {
	return Datum{}, pgerr.New(pgerr.FeatureNotSupported, "input of anonymous composite types is not implemented")
}

func anonymousRecv(*Env, *Type, int32, []byte) (Datum, error) {
	return Datum{}, pgerr.New(pgerr.FeatureNotSupported, "input of anonymous composite types is not implemented")
}

// attributes returns the columns of a composite type.
func (e *Env) attributes(t OID) []Attribute {
	if e == nil || e.Types == nil {
		return nil
	}
	return e.Types.Attributes(t)
}

func badRecord(s, detail string) error {
	return pgerr.New(pgerr.InvalidTextRepresentation, "malformed record literal: \"%s\"", s).WithDetail("%s", detail)
}

func recordIn(e *Env, t *Type, _ int32, s string) (Datum, error) {
	attrs := e.attributes(t.OID)
	fields := make([]Field, len(attrs))
	pos := 0
	for pos < len(s) && isSpace(s[pos]) {
		pos++
	}
	if pos >= len(s) || s[pos] != '(' {
		return Datum{}, badRecord(s, "Missing left parenthesis.")
	}
	pos++
	comma := false
	for i, a := range attrs {
		fields[i] = Field{Type: a.Type, Value: column.Null()}
		if a.Dropped {
			continue
		}
		if comma {
			if pos >= len(s) || s[pos] != ',' {
				return Datum{}, badRecord(s, "Too few columns.")
			}
			pos++
		}
		word, quoted, next, err := recordWord(s, pos)
		if err != nil {
			return Datum{}, err
		}
		if pos = next; word != "" || quoted {
			if fields[i].Value, err = e.In(a.Type, a.Typmod, word); err != nil {
				return Datum{}, err
			}
		}
		if err := e.checkPart(a.Type, fields[i].Value); err != nil {
			return Datum{}, err
		}
		comma = true
	}
	if pos >= len(s) || s[pos] != ')' {
		return Datum{}, badRecord(s, "Too many columns.")
	}
	for pos++; pos < len(s); pos++ {
		if !isSpace(s[pos]) {
			return Datum{}, badRecord(s, "Junk after right parenthesis.")
		}
	}
	return e.MakeRecord(fields), nil
}

// recordWord reads one column up to its comma or parenthesis.
func recordWord(s string, pos int) (word string, quoted bool, next int, err error) {
	var b []byte
	inQuote := false
	for {
		if pos >= len(s) {
			return "", false, 0, badRecord(s, "Unexpected end of input.")
		}
		c := s[pos]
		if !inQuote && (c == ',' || c == ')') {
			return string(b), quoted, pos, nil
		}
		pos++
		switch {
		case c == '\\':
			if pos >= len(s) {
				return "", false, 0, badRecord(s, "Unexpected end of input.")
			}
			b = append(b, s[pos])
			pos++
		case c == '"' && inQuote && pos < len(s) && s[pos] == '"':
			b = append(b, '"')
			pos++
		case c == '"':
			inQuote, quoted = !inQuote, true
		default:
			b = append(b, c)
		}
	}
}

func recordOut(e *Env, dst []byte, t *Type, d Datum) []byte {
	attrs := e.attributes(t.OID)
	dst = append(dst, '(')
	comma := false
	for i, f := range recordFields(d, len(attrs)) {
		if i < len(attrs) && attrs[i].Dropped {
			continue
		}
		if comma {
			dst = append(dst, ',')
		}
		comma = true
		if f.Value.Null {
			continue
		}
		start := len(dst)
		dst = quoteField(e.Out(dst, f.Type, f.Value), start)
	}
	return append(dst, ')')
}

// recordFields decodes a row and adds NULLs up to n fields.
func recordFields(d Datum, n int) []Field {
	fields := RecordFrom(d)
	for len(fields) < n {
		fields = append(fields, Field{Type: TextOID, Value: column.Null()})
	}
	return fields
}

func quoteField(dst []byte, start int) []byte {
	word := dst[start:]
	quote := len(word) == 0
	for _, c := range word {
		quote = quote || c == '"' || c == '\\' || c == '(' || c == ')' || c == ',' || isSpace(c)
	}
	if !quote {
		return dst
	}
	plain := string(word)
	dst = append(dst[:start], '"')
	for i := 0; i < len(plain); i++ {
		if plain[i] == '"' || plain[i] == '\\' {
			dst = append(dst, plain[i])
		}
		dst = append(dst, plain[i])
	}
	return append(dst, '"')
}

func recordSend(e *Env, dst []byte, t *Type, d Datum) []byte {
	attrs := e.attributes(t.OID)
	at, n := len(dst), uint32(0)
	dst = append(dst, 0, 0, 0, 0)
	for i, f := range recordFields(d, len(attrs)) {
		if i < len(attrs) {
			if attrs[i].Dropped {
				continue
			}
			f.Type = attrs[i].Type
		}
		dst = e.appendSized(binary.BigEndian.AppendUint32(dst, f.Type), f.Type, f.Value)
		n++
	}
	binary.BigEndian.PutUint32(dst[at:], n)
	return dst
}

func recordRecv(e *Env, t *Type, _ int32, b []byte) (Datum, error) {
	attrs := e.attributes(t.OID)
	if len(b) < 4 {
		return Datum{}, shortMessage()
	}
	live := 0
	for _, a := range attrs {
		if !a.Dropped {
			live++
		}
	}
	if n := binary.BigEndian.Uint32(b); int64(n) != int64(live) {
		return Datum{}, pgerr.New(pgerr.DatatypeMismatch, "wrong number of columns: %d, expected %d", n, live)
	}
	b = b[4:]
	fields := make([]Field, len(attrs))
	for i, a := range attrs {
		fields[i] = Field{Type: a.Type, Value: column.Null()}
		if a.Dropped {
			continue
		}
		if len(b) < 4 {
			return Datum{}, shortMessage()
		}
		if got := binary.BigEndian.Uint32(b); got != a.Type {
			return Datum{}, pgerr.New(pgerr.DatatypeMismatch,
				"binary data has type %d (%s) instead of expected %d (%s) in record column %d",
				got, e.TypeName(got), a.Type, e.TypeName(a.Type), i+1)
		}
		var err error
		if fields[i].Value, b, err = e.recvSized(a.Type, a.Typmod, b[4:]); err != nil {
			return Datum{}, err
		}
	}
	if len(b) > 0 {
		return Datum{}, badBinary()
	}
	return e.MakeRecord(fields), nil
}

// recordOrder compares rows field by field, NULLs being equal and above everything.
func (e *Env) recordOrder() *order {
	return &order{
		compare: func(a, b Datum) int {
			x, y := RecordFrom(a), RecordFrom(b)
			for i := 0; i < len(x) && i < len(y); i++ {
				if c := compareNullable(e.order(x[i].Type, DefaultCollation), x[i].Value, y[i].Value); c != 0 {
					return c
				}
			}
			return sign(len(x) - len(y))
		},
		hash: func(d Datum) uint64 {
			h := uint64(2)
			for _, f := range RecordFrom(d) {
				part := uint64(0)
				if !f.Value.Null {
					part = e.Hash(f.Type, DefaultCollation, f.Value)
				}
				h = CombineHash(h, part)
			}
			return h
		},
		keyKind: column.Bytes,
		key: func(d Datum) Datum {
			var b []byte
			for _, f := range RecordFrom(d) {
				b = e.order(f.Type, DefaultCollation).appendKey(b, f.Value)
			}
			return bytesDatum(b)
		},
	}
}
