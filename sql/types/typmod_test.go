package types

import (
	"strings"
	"testing"
)

func TestTypmodIn(t *testing.T) {
	for _, c := range []struct {
		typ  OID
		args []int64
		want string
	}{
		{VarcharOID, []int64{0}, "22023|length for type varchar must be at least 1"},
		{VarcharOID, []int64{10485760}, "ok|"},
		{VarcharOID, []int64{10485761}, "22023|length for type varchar cannot exceed 10485760"},
		{BPCharOID, []int64{1, 2}, "22023|invalid type modifier"},
		{BitOID, []int64{83886081}, "22023|length for type bit cannot exceed 83886080"},
		{NumericOID, []int64{0}, "22023|NUMERIC precision 0 must be between 1 and 1000"},
		{NumericOID, []int64{1000, 1000}, "ok|"},
		{NumericOID, []int64{1001}, "22023|NUMERIC precision 1001 must be between 1 and 1000"},
		{NumericOID, []int64{5, 1001}, "22023|NUMERIC scale 1001 must be between -1000 and 1000"},
		{NumericOID, []int64{1, 2, 3}, "22023|invalid NUMERIC type modifier"},
		{TimestamptzOID, []int64{-1}, "22023|TIMESTAMP(-1) WITH TIME ZONE precision must not be negative"},
		{TimeOID, []int64{7}, "ok|TIME(7) precision reduced to maximum allowed, 6"},
		{IntervalOID, []int64{intervalFullRange, 9}, "ok|INTERVAL(9) precision reduced to maximum allowed, 6"},
		{IntervalOID, []int64{5}, "22023|invalid INTERVAL type modifier"},
		{Int4OID, []int64{5}, `42601|type modifier is not allowed for type "integer"`},
	} {
		_, notice, err := TypmodIn(c.typ, c.args)
		out := ""
		if notice != nil {
			out = notice.Message
		}
		if got := describe(out, err); got != c.want {
			t.Errorf("%d%v\n got %s\nwant %s", c.typ, c.args, got, c.want)
		}
	}
}

// TestExplicitCasts cut where assignments refuse.
func TestExplicitCasts(t *testing.T) {
	e := NewEnv()
	for _, c := range []struct{ typ, in, want string }{
		{"varchar(2)", "abc", "ab"}, {"char(2)", "abc", "ab"}, {"char(4)", "äb", "äb  "}, {"bit(2)", "101", "10"},
		{"bit(5)", "101", "10100"}, {"varbit(2)", "111", "11"}, {"varchar(1)[]", "{ab,c}", "{a,c}"}, {"varbit(3)", "11111111111", "111"},
	} {
		oid, typmod := testType(t, c.typ)
		d, err := e.In(oid, -1, c.in)
		if err != nil {
			t.Fatal(err)
		}
		if d, err = e.ApplyTypmod(oid, typmod, d, true); err != nil || string(e.Out(nil, oid, d)) != c.want {
			t.Errorf("%s::%s: got %q, %v", c.in, c.typ, e.Out(nil, oid, d), err)
		}
	}
}

func TestZones(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"america/new_york", "America/New_York"}, {"utc", "UTC"}, {"5", "<+05>-05"}, {"-3.5", "<-03:30>+03:30"},
		{"EST5EDT", "EST5EDT"}, {"<+03>-3", "<+03>-3"}, {"foo5bar", "FOO5BAR"}, {"a5", "A5"},
	} {
		z, err := ParseZone(c.in)
		if err != nil || z.String() != c.want {
			t.Errorf("%s: %v, %v", c.in, z, err)
		}
	}
	for _, bad := range []string{"XYZ", "", "Foo/Bar", "1000", "EST5EDT9x9", "EST5EDT,x", "EST99999"} {
		if z, err := ParseZone(bad); err == nil {
			t.Errorf("%q was taken for %s", bad, z)
		}
	}
	if len(ZoneNames()) < 500 || len(ZoneAbbrevs(0)) < 150 {
		t.Error("zone facts are missing")
	}
	if east, ok := LookupAbbrev("pdt", 0); !ok || east != -7*3600 {
		t.Error("PDT", east)
	}
}

func TestMake(t *testing.T) {
	e := NewEnv()
	date := func(v int64, err error) string { return describe(string(e.Out(nil, DateOID, intDatum(v))), err) }
	stamp := func(v int64, err error) string { return describe(string(e.Out(nil, TimestampOID, intDatum(v))), err) }
	iv, _ := MakeInterval(1, 2, 3, 4, 5, 6, 7.5)
	for _, c := range []struct{ got, want string }{
		{date(MakeDate(2020, 2, 29)), "ok|2020-02-29"},
		{date(MakeDate(-44, 3, 15)), "ok|0044-03-15 BC"},
		{date(MakeDate(2020, 2, 30)), "22008|date field value out of range: 2020-02-30"},
		{stamp(MakeTimestamp(2020, 1, 1, 23, 59, 59.5)), "ok|2020-01-01 23:59:59.5"},
		{stamp(MakeTimestamp(2020, 1, 1, 0, 0, 60.5)), "22008|time field value out of range: 0:00:60.5"},
		{stamp(TimestamptzFromUnix(1.5)), "ok|1970-01-01 00:00:01.5"},
		{stamp(TimestamptzFromUnix(1e20)), `22008|timestamp out of range: "1e+20"`},
		{string(intervalOut(e, nil, nil, iv.Datum())), "1 year 2 mons 25 days 05:06:07.5"},
	} {
		if c.got != c.want {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
	if _, err := ZoneForMake("+05:30", 0); err != nil {
		t.Error(err)
	}
	if _, err := ZoneForMake("5", 0); err == nil || !strings.Contains(err.Error(), "numeric time zone") {
		t.Error(err)
	}
}

func BenchmarkInt4Out(b *testing.B) {
	e, buf := NewEnv(), make([]byte, 0, 32)
	for b.Loop() {
		buf = e.Out(buf[:0], Int4OID, intDatum(123456))
	}
}

func BenchmarkTextOut(b *testing.B) {
	e, buf, d := NewEnv(), make([]byte, 0, 64), stringDatum("hello, world")
	for b.Loop() {
		buf = e.Out(buf[:0], TextOID, d)
	}
}

func BenchmarkTimestampOut(b *testing.B) {
	e, buf := NewEnv(), make([]byte, 0, 64)
	for b.Loop() {
		buf = e.Out(buf[:0], TimestampOID, intDatum(631152000123456))
	}
}

func BenchmarkTimestampIn(b *testing.B) {
	e := NewEnv()
	for b.Loop() {
		if _, err := e.In(TimestampOID, -1, "2020-02-29 12:34:56.789"); err != nil {
			b.Fatal(err)
		}
	}
}

// TestHotFunctions checks that the functions for loops are those for single values.
func TestHotFunctions(t *testing.T) {
	e := NewEnv()
	for oid, texts := range samples {
		if ByOID(oid) == nil {
			continue
		}
		d, err := e.In(oid, -1, texts[0])
		if err != nil {
			t.Fatal(err)
		}
		if string(e.OutFunc(oid)(nil, d)) != string(e.Out(nil, oid, d)) || string(e.SendFunc(oid)(nil, d)) != string(e.Send(nil, oid, d)) {
			t.Error(e.TypeName(oid))
		}
		if e.Comparator(oid, 0)(d, d) != 0 || e.Hasher(oid, 0)(d) != e.Hash(oid, 0, d) {
			t.Error(e.TypeName(oid))
		}
	}
}
