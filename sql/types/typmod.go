package types

import (
	"strconv"
	"unicode/utf8"

	"github.com/omendb/omendb/sql/pgerr"
)

// varHdr is what PostgreSQL adds to lengths in typmods.
const varHdr = 4

// FormatType returns the SQL name of a type as format_type(oid, typmod) does: "integer",
// "character varying(5)", "numeric(10,2)[]". Typmod -1 stands for a column without
// one: char without a length is then "bpchar", because "character" would mean char(1).
// User-defined names are quoted when they need it; they are qualified when they
// are not in pg_catalog and no session catalog is there to say that they are visible.
func (e *Env) FormatType(oid OID, typmod int32) string {
	if typmod < 0 {
		switch {
		case oid == BPCharOID:
			return "bpchar"
		case oid == BitOID:
			return `"bit"`
		}
	}
	if t := e.Type(oid); t != nil && t.IsArray() && t.Name[0] == '_' {
		return e.FormatType(t.Elem, typmod) + "[]"
	}
	return e.typeName(oid, typmod)
}

// TypeName returns the SQL name of a type without any modifier, as messages show it.
func (e *Env) TypeName(oid OID) string { return e.typeName(oid, -1) }

func (e *Env) typeName(oid OID, typmod int32) string {
	if oid == 0 {
		return "-"
	}
	t := e.Type(oid)
	if t == nil {
		return "???"
	}
	if t.IsArray() && t.Name[0] == '_' {
		return e.typeName(t.Elem, typmod) + "[]"
	}
	if name, ok := sqlNames[oid]; ok {
		return formatSQLName(oid, name, typmod)
	}
	if t.Schema != "pg_catalog" && e != nil && e.Names != nil {
		if name, ok := e.Names.ObjectName(RegtypeOID, oid); ok {
			return name
		}
	}
	name := e.QuoteIdent(t.Name)
	if t.Schema != "pg_catalog" && t.Schema != "public" && t.Schema != "" {
		name = e.QuoteIdent(t.Schema) + "." + name
	}
	return name
}

// sqlNames are the types whose SQL name differs from their catalog name.
var sqlNames = map[OID]string{
	BoolOID: "boolean", CharOID: `"char"`, Int2OID: "smallint", Int4OID: "integer", Int8OID: "bigint",
	Float4OID: "real", Float8OID: "double precision", NumericOID: "numeric", VarcharOID: "character varying",
	BPCharOID: "character", BitOID: "bit", VarbitOID: "bit varying", TimeOID: "time", TimetzOID: "time",
	TimestampOID: "timestamp", TimestamptzOID: "timestamp", IntervalOID: "interval",
}

func formatSQLName(oid OID, name string, typmod int32) string {
	switch oid {
	case TimeOID, TimestampOID:
		return name + TypmodOut(oid, typmod) + " without time zone"
	case TimetzOID, TimestamptzOID:
		return name + TypmodOut(oid, typmod) + " with time zone"
	}
	return name + TypmodOut(oid, typmod)
}

// TypmodOut prints a type modifier as it stands behind the type's name, "" for none.
func TypmodOut(oid OID, typmod int32) string {
	if typmod < 0 {
		return ""
	}
	switch oid {
	case VarcharOID, BPCharOID:
		if typmod <= varHdr {
			return ""
		}
		return "(" + strconv.Itoa(int(typmod-varHdr)) + ")"
	case BitOID, VarbitOID, TimeOID, TimetzOID, TimestampOID, TimestamptzOID:
		return "(" + strconv.Itoa(int(typmod)) + ")"
	case NumericOID:
		p, s := NumericTypmod(typmod)
		return "(" + strconv.Itoa(p) + "," + strconv.Itoa(s) + ")"
	case IntervalOID:
		return intervalTypmodOut(typmod)
	}
	return ""
}

// NumericTypmod splits the modifier of a numeric into precision and scale.
func NumericTypmod(typmod int32) (precision, scale int) {
	v := typmod - varHdr
	return int(v >> 16 & 0xffff), int((v&0x7ff ^ 1024) - 1024)
}

// QuoteIdent quotes an identifier when it is not plain lower case. Reserved words are
// the deparser's concern.
func QuoteIdent(s string) string {
	plain := s != "" && (s[0] == '_' || s[0] >= 'a' && s[0] <= 'z')
	for i := 0; i < len(s) && plain; i++ {
		c := s[i]
		plain = c == '_' || isDigit(c) || c >= 'a' && c <= 'z'
	}
	if plain && !quotedKeywords[s] {
		return s
	}
	return QuoteAlways(s)
}

// QuoteIdent quotes an identifier as the session wants it: quote_all_identifiers.
func (e *Env) QuoteIdent(s string) string {
	if e != nil && e.QuoteAll {
		return QuoteAlways(s)
	}
	return QuoteIdent(s)
}

// QuoteAlways quotes an identifier whatever it is.
func QuoteAlways(s string) string {
	q := []byte{'"'}
	for i := 0; i < len(s); i++ {
		if s[i] == '"' {
			q = append(q, '"')
		}
		q = append(q, s[i])
	}
	return string(append(q, '"'))
}

// ApplyTypmod makes a value fit its modifier, as an assignment (refusing what does not
// fit) or as an explicit cast (cutting it, where SQL says so).
func (e *Env) ApplyTypmod(oid OID, typmod int32, d Datum, explicit bool) (Datum, error) {
	if typmod < 0 || d.Null {
		return d, nil
	}
	switch oid {
	case VarcharOID:
		return fitVarchar(d, int(typmod)-varHdr, explicit)
	case BPCharOID:
		return fitBPChar(d, int(typmod)-varHdr, explicit)
	}
	return e.applyStructuredTypmod(oid, typmod, d, explicit)
}

func fitVarchar(d Datum, n int, explicit bool) (Datum, error) {
	if len(d.B) <= n {
		return d, nil
	}
	cut := byteOffset(d.B, n)
	if cut == len(d.B) {
		return d, nil
	}
	if !explicit && len(trimBlanks(d.B[cut:])) > 0 {
		return Datum{}, tooLong("character varying", n)
	}
	return bytesDatum(d.B[:cut]), nil
}

func fitBPChar(d Datum, n int, explicit bool) (Datum, error) {
	chars := utf8.RuneCount(d.B)
	if chars > n {
		cut := byteOffset(d.B, n)
		if !explicit && len(trimBlanks(d.B[cut:])) > 0 {
			return Datum{}, tooLong("character", n)
		}
		return bytesDatum(d.B[:cut]), nil
	}
	if chars == n {
		return d, nil
	}
	b := make([]byte, len(d.B), len(d.B)+n-chars)
	copy(b, d.B)
	for ; chars < n; chars++ {
		b = append(b, ' ')
	}
	return bytesDatum(b), nil
}

// byteOffset returns where the n-th character of b starts, len(b) when there are fewer.
func byteOffset(b []byte, n int) int {
	i := 0
	for ; n > 0 && i < len(b); n-- {
		_, size := utf8.DecodeRune(b[i:])
		i += size
	}
	return i
}

func tooLong(name string, n int) error {
	return pgerr.New(pgerr.StringDataRightTruncation, "value too long for type %s(%d)", name, n)
}
