package types

import (
	"strings"

	"github.com/omendb/omendb/sql/pgerr"
)

// ParseBool reads a boolean as the input function does, without blanks around it:
// unique prefixes of true, false, yes and no in any case, on, of[f], 1 and 0.
func ParseBool(s string) (value, ok bool) {
	if len(s) == 0 || len(s) > 5 {
		return false, false
	}
	s = strings.ToLower(s)
	switch {
	case strings.HasPrefix("true", s), strings.HasPrefix("yes", s), s == "on", s == "1":
		return true, true
	case strings.HasPrefix("false", s), strings.HasPrefix("no", s), s == "of", s == "off", s == "0":
		return false, true
	}
	return false, false
}

func boolIn(_ *Env, _ *Type, _ int32, s string) (Datum, error) {
	v, ok := ParseBool(trimSpace(s))
	if !ok {
		return Datum{}, invalidSyntax("boolean", s)
	}
	return boolDatum(v), nil
}

func boolOut(_ *Env, dst []byte, _ *Type, d Datum) []byte {
	if d.I != 0 {
		return append(dst, 't')
	}
	return append(dst, 'f')
}

func boolRecv(_ *Env, _ *Type, _ int32, b []byte) (Datum, error) {
	if err := exact(b, 1); err != nil {
		return Datum{}, err
	}
	return boolDatum(b[0] != 0), nil
}

func boolSend(_ *Env, dst []byte, _ *Type, d Datum) []byte { return append(dst, byte(d.I)) }

// charIn reads a "char": one byte; longer text loses its tail, and \ooo is an octal code.
func charIn(_ *Env, _ *Type, _ int32, s string) (Datum, error) {
	if len(s) == 4 && s[0] == '\\' && isOctal(s[1]) && isOctal(s[2]) && isOctal(s[3]) {
		return intDatum(int64((s[1]-'0')<<6 | (s[2]-'0')<<3 | (s[3] - '0'))), nil
	}
	if s == "" {
		return intDatum(0), nil
	}
	return intDatum(int64(s[0])), nil
}

func isOctal(c byte) bool { return c >= '0' && c <= '7' }

func charOut(_ *Env, dst []byte, _ *Type, d Datum) []byte {
	c := byte(d.I)
	switch {
	case c == 0:
		return dst
	case c >= 0x80:
		return append(dst, '\\', '0'+c>>6, '0'+c>>3&7, '0'+c&7)
	}
	return append(dst, c)
}

func charRecv(_ *Env, _ *Type, _ int32, b []byte) (Datum, error) {
	if len(b) != 1 {
		return Datum{}, pgerr.From(exact(b, 1))
	}
	return intDatum(int64(b[0])), nil
}

func charSend(_ *Env, dst []byte, _ *Type, d Datum) []byte { return append(dst, byte(d.I)) }
