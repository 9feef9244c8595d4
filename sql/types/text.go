package types

import (
	"strings"
	"unicode/utf8"

	"github.com/omendb/omendb/sql/pgerr"
)

// NameLen is the room for an identifier: 63 bytes and a terminator in PostgreSQL.
const NameLen = 64

// LowerASCII lowers the ASCII letters, as PostgreSQL does to words of its own language in UTF-8 text.
func LowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// textCodecs covers everything whose form is its text, and bytea.
func textCodecs() map[OID]*codec {
	text := &codec{textIn, textOut, textRecv, clientSend}
	m := map[OID]*codec{
		NameOID:    {nameIn, textOut, nameRecv, clientSend},
		ByteaOID:   {byteaIn, byteaOut, byteaRecv, textSend},
		CstringOID: text,
		UnknownOID: text,
		// Shown in catalogs, never computed on.
		PgNodeTreeOID: {out: textOut, send: textSend},
		AclitemOID:    {in: textIn, out: textOut},
		VoidOID:       {in: voidIn, out: voidOut, recv: voidRecv, send: voidOut},
	}
	for _, oid := range []OID{TextOID, VarcharOID, BPCharOID, RefcursorOID} {
		m[oid] = text
	}
	return m
}

func textIn(_ *Env, _ *Type, _ int32, s string) (Datum, error) { return stringDatum(s), nil }

func textOut(_ *Env, dst []byte, _ *Type, d Datum) []byte { return append(dst, d.B...) }

func textRecv(e *Env, _ *Type, _ int32, b []byte) (Datum, error) {
	b, err := e.FromClient(b)
	if err != nil {
		return Datum{}, err
	}
	return bytesDatum(append([]byte{}, b...)), nil
}

// FromClient returns text that a client has sent, as UTF-8, and refuses what is no text.
func (e *Env) FromClient(b []byte) ([]byte, error) {
	if e != nil && e.Client != nil {
		var err error
		if b, err = e.Client.Decode(b); err != nil {
			return nil, err
		}
	}
	return b, CheckEncoding(b)
}

// ToClient converts the text that was appended to a message from some place on.
func (e *Env) ToClient(dst []byte, from int) []byte {
	if e == nil || e.Client == nil {
		return dst
	}
	at := len(dst) // the text is encoded behind itself, then moved
	out, err := e.Client.Encode(dst, dst[from:])
	if err != nil && e.Untranslatable == nil {
		e.Untranslatable = err
	}
	n := copy(out[from:], out[at:])
	return out[:from+n]
}

// clientSend is textSend for text, which clients get in their encoding.
func clientSend(e *Env, dst []byte, t *Type, d Datum) []byte {
	return e.ToClient(textSend(e, dst, t, d), len(dst))
}

func textSend(_ *Env, dst []byte, _ *Type, d Datum) []byte { return append(dst, d.B...) }

func voidIn(*Env, *Type, int32, string) (Datum, error) { return stringDatum(""), nil }

func voidOut(_ *Env, dst []byte, _ *Type, _ Datum) []byte { return dst }

func voidRecv(*Env, *Type, int32, []byte) (Datum, error) { return stringDatum(""), nil }

// CheckEncoding refuses bytes that are no UTF-8 text, with PostgreSQL's error.
func CheckEncoding(b []byte) error {
	for i := 0; i < len(b); {
		if b[i] != 0 && b[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		if b[i] != 0 && (r != utf8.RuneError || n > 1) {
			i += n
			continue
		}
		return encodingError(b[i:])
	}
	return nil
}

func encodingError(b []byte) error {
	n := 1
	switch {
	case b[0]&0xE0 == 0xC0:
		n = 2
	case b[0]&0xF0 == 0xE0:
		n = 3
	case b[0]&0xF8 == 0xF0:
		n = 4
	}
	var sb strings.Builder
	for i := 0; i < n && i < len(b); i++ {
		if i > 0 {
			sb.WriteByte(' ')
		}
		sb.WriteString("0x")
		sb.WriteByte(hexDigits[b[i]>>4])
		sb.WriteByte(hexDigits[b[i]&15])
	}
	return pgerr.New(pgerr.CharacterNotInRepertoire, "invalid byte sequence for encoding \"UTF8\": %s", sb.String())
}

// TruncateName cuts an identifier to 63 bytes at a character boundary.
func TruncateName(s string) string {
	if len(s) < NameLen {
		return s
	}
	n := NameLen - 1
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

func nameIn(_ *Env, _ *Type, _ int32, s string) (Datum, error) {
	return stringDatum(TruncateName(s)), nil
}

func nameRecv(e *Env, t *Type, typmod int32, b []byte) (Datum, error) {
	if len(b) >= NameLen {
		return Datum{}, pgerr.New(pgerr.NameTooLong, "identifier too long").
			WithDetail("Identifier must be less than %d characters.", NameLen)
	}
	return textRecv(e, t, typmod, b)
}

const hexDigits = "0123456789abcdef"

func byteaIn(_ *Env, _ *Type, _ int32, s string) (Datum, error) {
	if strings.HasPrefix(s, "\\x") {
		b, err := DecodeHex(s[2:])
		return bytesDatum(b), err
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] != '\\':
			b = append(b, s[i])
		case i+3 < len(s) && s[i+1] >= '0' && s[i+1] <= '3' && isOctal(s[i+2]) && isOctal(s[i+3]):
			b = append(b, (s[i+1]-'0')<<6|(s[i+2]-'0')<<3|(s[i+3]-'0'))
			i += 3
		case i+1 < len(s) && s[i+1] == '\\':
			b = append(b, '\\')
			i++
		default:
			return Datum{}, pgerr.New(pgerr.InvalidTextRepresentation, "invalid input syntax for type bytea")
		}
	}
	return bytesDatum(b), nil
}

// DecodeHex reads pairs of hexadecimal digits, with white space between pairs.
func DecodeHex(s string) ([]byte, error) {
	b := make([]byte, 0, len(s)/2)
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == ' ' || c == '\n' || c == '\t' || c == '\r' {
			continue
		}
		hi := hexValue(c)
		if hi > 15 {
			return nil, hexError(s[i:])
		}
		if i++; i >= len(s) {
			return nil, pgerr.New(pgerr.InvalidParameterValue, "invalid hexadecimal data: odd number of digits")
		}
		lo := hexValue(s[i])
		if lo > 15 {
			return nil, hexError(s[i:])
		}
		b = append(b, hi<<4|lo)
	}
	return b, nil
}

func hexError(s string) error {
	_, n := utf8.DecodeRuneInString(s)
	return pgerr.New(pgerr.InvalidParameterValue, "invalid hexadecimal digit: \"%s\"", s[:n])
}

func byteaOut(e *Env, dst []byte, _ *Type, d Datum) []byte {
	if e == nil || e.ByteaOutput == ByteaHex {
		return AppendHex(append(dst, '\\', 'x'), d.B)
	}
	for _, c := range d.B {
		switch {
		case c == '\\':
			dst = append(dst, '\\', '\\')
		case c < 0x20 || c > 0x7e:
			dst = append(dst, '\\', '0'+c>>6, '0'+c>>3&7, '0'+c&7)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// AppendHex appends the lower-case hexadecimal form of b.
func AppendHex(dst, b []byte) []byte {
	for _, c := range b {
		dst = append(dst, hexDigits[c>>4], hexDigits[c&15])
	}
	return dst
}

func byteaRecv(_ *Env, _ *Type, _ int32, b []byte) (Datum, error) {
	return bytesDatum(append([]byte{}, b...)), nil
}
