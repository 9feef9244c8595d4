package types

import (
	"bytes"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/omendb/omendb/engine/column"
)

// testTypes is a session catalog of one enum, one composite and one domain, with arrays.
type testTypes struct{}

const (
	moodOID  OID = 100001
	pairOID  OID = 100002
	evenOID  OID = 100003
	moodsOID OID = 100004
)

func (testTypes) TypeByOID(oid OID) *Type {
	switch oid {
	case moodOID:
		return &Type{OID: oid, Name: "mood", Schema: "public", Kind: column.Int, TypType: 'e', Delim: ',', Array: moodsOID}
	case pairOID:
		return &Type{OID: oid, Name: "pair", Schema: "public", Kind: column.Bytes, TypType: 'c', Delim: ','}
	case evenOID:
		return &Type{OID: oid, Name: "even", Schema: "public", Kind: column.Int, TypType: 'd', Base: Int4OID, BaseTypmod: -1, Delim: ','}
	case moodsOID:
		return &Type{OID: oid, Name: "_mood", Schema: "public", Kind: column.Bytes, TypType: 'b', Elem: moodOID, Subscript: "array_subscript_handler", Delim: ','}
	}
	return nil
}

func (testTypes) EnumLabels(OID) []EnumLabel {
	// "ok" was added between the others later, so its oid is the greatest.
	return []EnumLabel{{OID: 200001, Label: "sad", Sort: 1}, {OID: 200009, Label: "ok", Sort: 1.5}, {OID: 200002, Label: "happy", Sort: 2}}
}

func (testTypes) Attributes(OID) []Attribute {
	return []Attribute{{Name: "a", Type: Int4OID, Typmod: -1}, {Name: "gone", Type: Int4OID, Typmod: -1, Dropped: true},
		{Name: "b", Type: TextOID, Typmod: -1}, {Name: "m", Type: moodOID, Typmod: -1}}
}

// samples are values of every orderable family, some equal, none in order.
var samples = map[OID][]string{
	BoolOID:        {"t", "f"},
	Int4OID:        {"1", "-1", "0", "2147483647", "-2147483648"},
	XID8OID:        {"1", "18446744073709551615", "0"},
	Float8OID:      {"0", "-0", "NaN", "Infinity", "-Infinity", "1.5", "-1.5", "1e300"},
	TextOID:        {"", "a", "ab", "b", "B", "é", "a b"},
	BPCharOID:      {"a", "a  ", "ab", "a a", ""},
	ByteaOID:       {`\x`, `\x00`, `\x0000`, `\x00ff`, `\xff`, `\x01`},
	NumericOID:     {"0", "0.00", "1", "1.0", "-1", "10", "9.9", "-9.9", "-99", "0.001", "-0.001", "NaN", "inf", "-inf", "123456789012345678901234567890", "-123456789012345678901234567890", "1e-30", "1.05", "100", "-100", "-10.5", "99999"},
	IntervalOID:    {"1 mon", "30 days", "29 days 24 hours", "-1 sec", "0", "1 day", "1 year", "-1 year", "1 us"},
	TimetzOID:      {"12:00+00", "13:00+01", "12:00+01", "00:00-12", "23:59+12"},
	TimestampOID:   {"2020-01-01", "infinity", "-infinity", "4713-01-01 BC", "1999-12-31 23:59:59.999999"},
	UUIDOID:        {"00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "00000000-0000-0000-0000-000000000001"},
	VarbitOID:      {"", "0", "1", "01", "00", "0000000000", "10"},
	InetOID:        {"10.0.0.1", "10.0.0.0/8", "10.0.0.1/8", "10.1.0.0/16", "::1", "::/0", "9.255.0.0"},
	Int4ArrayOID:   {"{}", "{1}", "{1,2}", "{2}", "{NULL}", "{1,NULL}", "{{1,2}}", "[2:3]={1,2}", "{-1}", "{1,1,1}"},
	TextArrayOID:   {"{}", `{""}`, "{a}", "{a,b}", "{ab}", "{NULL}", "{a,NULL}", "{b}"},
	JSONBOID:       {"null", "true", "false", "1", "1.0", "-5", `"a"`, `"b"`, "[]", "[1]", "[1,2]", "[[1]]", "{}", `{"a":1}`, `{"b":1}`, `{"a":2}`, `{"a":1,"b":2}`, `{"bb":0}`, `["a"]`, "[null]", `[{"a":[]}]`},
	moodOID:        {"sad", "happy", "ok"},
	moodsOID:       {"{sad,happy}", "{ok}", "{happy}", "{sad}", "{}"},
	pairOID:        {"(1,a,sad)", "(1,b,happy)", "(0,z,ok)", "(,a,)", "(1,,ok)", `(1,"",ok)`, "(1,a,ok)"},
	evenOID:        {"2", "-2", "0"},
	OIDVectorOID:   {"1 2", "1", "2", ""},
	MacaddrOID:     {"08:00:2b:01:02:03", "00:00:00:00:00:00"},
	MoneyOID:       {"1", "-1", "0.01"},
	PgLSNOID:       {"0/1", "1/0", "FFFFFFFF/0"},
	DateOID:        {"2020-01-01", "infinity", "-infinity", "0001-01-01 BC"},
	NameOID:        {"a", "b", "A"},
	RegclassOID:    {"1", "4000000000", "-"},
	BoolArrayOID:   {"{t,f}", "{f}", "{t}"},
	Float8ArrayOID: {"{1.5,NaN}", "{-1}", "{-0}", "{0}"},
}

// TestKeyOrder checks, for all pairs, that Compare is antisymmetric, that EncodeKey sorts
// the same way up and down, and that equal values have equal hashes.
func TestKeyOrder(t *testing.T) {
	e := NewEnv()
	e.Types = testTypes{}
	for oid, texts := range samples {
		values := []Datum{column.Null()}
		for _, s := range texts {
			d, err := e.In(oid, -1, s)
			if err != nil {
				t.Fatalf("%s %q: %v", e.TypeName(oid), s, err)
			}
			values = append(values, d)
		}
		for i := range values {
			for j := range values {
				checkPair(t, e, oid, values[i], values[j])
			}
		}
	}
}

func checkPair(t *testing.T, e *Env, oid OID, a, b Datum) {
	t.Helper()
	show := func(d Datum) string {
		if d.Null {
			return "NULL"
		}
		return string(e.Out(nil, oid, d))
	}
	for _, desc := range []bool{false, true} {
		for _, nullsFirst := range []bool{false, true} {
			want := 0
			switch {
			case a.Null && b.Null:
			case a.Null || b.Null:
				if want = 1; a.Null == nullsFirst {
					want = -1
				}
			default:
				want = sign(e.Compare(oid, DefaultCollation, a, b))
				if desc {
					want = -want
				}
			}
			x := e.EncodeKey(nil, oid, DefaultCollation, a, desc, nullsFirst)
			y := e.EncodeKey(nil, oid, DefaultCollation, b, desc, nullsFirst)
			if got := bytes.Compare(x, y); got != want {
				t.Errorf("%s: key of %s against %s (desc %v): %d, want %d", e.TypeName(oid), show(a), show(b), desc, got, want)
			}
		}
	}
	if a.Null || b.Null {
		return
	}
	c, r := sign(e.Compare(oid, DefaultCollation, a, b)), sign(e.Compare(oid, DefaultCollation, b, a))
	if c != -r {
		t.Errorf("%s: %s against %s is %d one way and %d the other", e.TypeName(oid), show(a), show(b), c, r)
	}
	if c == 0 && e.Hash(oid, DefaultCollation, a) != e.Hash(oid, DefaultCollation, b) {
		t.Errorf("%s: %s and %s are equal with different hashes", e.TypeName(oid), show(a), show(b))
	}
}

// TestRandomNumericKeys draws numerics of all sizes.
func TestRandomNumericKeys(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	draw := func() Datum {
		digits := make([]byte, 1+rnd.IntN(25))
		for i := range digits {
			digits[i] = "0123456789"[rnd.IntN(10)*rnd.IntN(2)]
		}
		s := string(digits)
		point := rnd.IntN(len(s) + 1)
		s = "0" + s[:point] + "." + s[point:] + "0"
		if rnd.IntN(2) == 0 {
			s = "-" + s
		}
		n, err := ParseNumeric(s)
		if err != nil {
			t.Fatal(s, err)
		}
		return n.Datum()
	}
	e := NewEnv()
	for range 3000 {
		checkPair(t, e, NumericOID, draw(), draw())
	}
}

// TestUserTypes covers what comes through TypeSource: labels, attributes, domains.
func TestUserTypes(t *testing.T) {
	e := NewEnv()
	e.Types = testTypes{}
	for _, c := range []struct {
		oid     OID
		in, out string
	}{
		{moodOID, "ok", "ok|ok"},
		{moodOID, "no", `22P02|invalid input value for enum mood: "no"`},
		{moodsOID, "{ok,NULL}", "ok|{ok,NULL}"},
		{evenOID, " 4 ", "ok|4"},
		{pairOID, `(1,"x y",sad)`, `ok|(1,"x y",sad)`},
		{pairOID, `( 1 ,"a""b\\",)`, `ok|(1,"a""b\\",)`},
		{pairOID, `(1,a)`, `22P02|malformed record literal: "(1,a)"#Too few columns.`},
		{pairOID, `(1,a,sad,4)`, `22P02|malformed record literal: "(1,a,sad,4)"#Too many columns.`},
		{pairOID, `1,a`, `22P02|malformed record literal: "1,a"#Missing left parenthesis.`},
		{pairOID, `(1,a,sad) x`, `22P02|malformed record literal: "(1,a,sad) x"#Junk after right parenthesis.`},
		{pairOID, `(1,"a`, `22P02|malformed record literal: "(1,"a"#Unexpected end of input.`},
		{RecordOID, `(1)`, "0A000|input of anonymous composite types is not implemented"},
		{AnyElementOID, `1`, "0A000|cannot accept a value of type anyelement"},
		{TsvectorOID, `1`, "0A000|type tsvector is not supported"},
		{999999, `1`, "XX000|cache lookup failed for type 999999"},
	} {
		d, err := e.In(c.oid, -1, c.in)
		out := ""
		if err == nil {
			out = string(e.Out(nil, c.oid, d))
			back, err := e.Recv(c.oid, -1, e.Send(nil, c.oid, d))
			if err != nil || string(e.Out(nil, c.oid, back)) != out {
				t.Errorf("%q: binary form gives %v", c.in, err)
			}
		}
		if got := describe(out, err); got != c.out {
			t.Errorf("%q\n got %s\nwant %s", c.in, got, c.out)
		}
	}
	d, _ := e.In(pairOID, -1, "(7,x,ok)")
	if f := RecordField(d, 2); f.String() != "x" || !RecordField(d, 1).Null || !RecordField(d, 9).Null {
		t.Error("fields are not found by number")
	}
}

// TestHostileBinary feeds cut and changed wire bytes to every Recv: errors, no panics.
func TestHostileBinary(t *testing.T) {
	e := NewEnv()
	e.Types = testTypes{}
	rnd := rand.New(rand.NewPCG(3, 4))
	for oid, texts := range samples {
		for _, s := range texts {
			d, err := e.In(oid, -1, s)
			if err != nil {
				t.Fatal(err)
			}
			wire := e.Send(nil, oid, d)
			for range 60 {
				b := bytes.Clone(wire)
				if len(b) > 0 {
					b[rnd.IntN(len(b))] ^= 1 << rnd.IntN(8)
					b = b[:rnd.IntN(len(b)+1)]
				}
				if v, err := e.Recv(oid, -1, b); err == nil {
					e.Out(nil, oid, v)
				}
			}
		}
	}
}

func TestFormatType(t *testing.T) {
	e := NewEnv()
	for _, c := range []struct{ name, want string }{
		{"numeric(10,2)", "numeric(10,2)"}, {"numeric(3,-2)", "numeric(3,-2)"}, {"varchar(5)", "character varying(5)"},
		{"varchar", "character varying"}, {"char", "character(1)"}, {"bit(3)", "bit(3)"}, {"timestamp(3)", "timestamp(3) without time zone"},
		{"timestamptz", "timestamp with time zone"}, {"time", "time without time zone"}, {"interval day to second(2)", "interval day to second(2)"},
		{"interval(3)", "interval(3)"}, {"int4[]", "integer[]"}, {"numeric(4,1)[]", "numeric(4,1)[]"}, {`"char"`, `"char"`}, {"float8", "double precision"},
		{"bpchar", "bpchar"}, {"int2vector", "int2vector"},
	} {
		oid, typmod := testType(t, c.name)
		if got := e.FormatType(oid, typmod); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
	if got := e.TypeName(BPCharOID); got != "character" {
		t.Error(got)
	}
	if e.FormatType(0, -1) != "-" || e.FormatType(99999999, -1) != "???" {
		t.Error("unknown types")
	}
}

// TestTypeFacts checks that the facts are whole and consistent.
func TestTypeFacts(t *testing.T) {
	if len(All()) != 611 {
		t.Errorf("%d types", len(All()))
	}
	for _, typ := range All() {
		if typ.Array != 0 && ByOID(typ.Array).Elem != typ.OID {
			t.Errorf("%s: its array type is of another type", typ.Name)
		}
		if typ.Schema == "pg_catalog" && ByName(typ.Name) != typ {
			t.Errorf("%s is not found by name", typ.Name)
		}
	}
	if _, err := os.Stat("data/pg_type.tsv"); err != nil || !strings.Contains(typeFacts, "timestamptz") {
		t.Error("facts are not embedded", err)
	}
}
