package sqllogic

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

const sample = `# name: sample
hash-threshold 8

statement ok
CREATE TABLE t (a int)

onlyif mysql # a reason
statement ok
SHOW TABLES

skipif postgresql
query I nosort same
SELECT 1
----
1

# not yet: no reason
query IT rowsort same
SELECT a,
  b FROM t
----
# a comment
1
x

statement error 42P01
SELECT * FROM nosuch

onlyif postgresql
halt

statement ok
SELECT 2
`

func TestParse(t *testing.T) {
	s, err := Parse("sample.test", strings.NewReader(sample))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Records) != 7 {
		t.Fatalf("%d records: %+v", len(s.Records), s.Records)
	}
	if r := s.Records[1]; !r.Skipped || r.Line != 7 {
		t.Errorf("onlyif mysql: %+v", r)
	}
	r := s.Records[3]
	if r.Skipped || r.Types != "IT" || r.Sort != RowSort || r.Label != "same" || r.SQL != "SELECT a,\n  b FROM t" || strings.Join(r.Expected, "|") != "1|x" || r.NotYet != "no reason" {
		t.Errorf("query: %+v", r)
	}
	if r := s.Records[4]; !r.WantError || r.Code != "42P01" || r.NotYet != "" {
		t.Errorf("statement error: %+v", r)
	}
	if r := s.Records[5]; r.Kind != Halt || r.Skipped {
		t.Errorf("halt: %+v", r)
	}
}

func TestParseErrors(t *testing.T) {
	for _, text := range []string{"nonsense", "statement", "statement maybe", "statement error 1234", "query X\nSELECT 1", "query I upsidedown\nSELECT 1", "hash-threshold many", "skipif"} {
		if _, err := Parse("bad.test", strings.NewReader(text)); err == nil || !strings.HasPrefix(err.Error(), "bad.test:1: ") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestRender(t *testing.T) {
	for _, c := range []struct {
		typ   byte
		oid   uint32
		value string
		want  string
	}{
		{'I', pgtype.Int4OID, "-7", "-7"},
		{'I', pgtype.NumericOID, "-12.99", "-12"},
		{'I', pgtype.NumericOID, "9007199254740993.5", "9007199254740993"},
		{'I', pgtype.Float8OID, "1e3", "1000"},
		{'I', pgtype.BoolOID, "t", "1"},
		{'I', pgtype.BoolOID, "f", "0"},
		{'I', pgtype.TextOID, "word", "0"},
		{'R', pgtype.NumericOID, "1.23456", "1.235"},
		{'R', pgtype.Int4OID, "2", "2.000"},
		{'T', pgtype.TextOID, "", "(empty)"},
		{'T', pgtype.TextOID, "a\tb\xc3\xa4", "a@b@@"},
	} {
		if got := render(c.typ, c.oid, []byte(c.value)); got != c.want {
			t.Errorf("%c %q: got %q, want %q", c.typ, c.value, got, c.want)
		}
	}
	if got := render('I', pgtype.Int4OID, nil); got != "NULL" {
		t.Errorf("NULL: %q", got)
	}
}

func TestArrangeAndCompare(t *testing.T) {
	values := func() []string { return []string{"2", "a", "10", "b", "1", "c"} }
	if got := strings.Join(arrange(values(), 2, RowSort), " "); got != "1 c 10 b 2 a" {
		t.Errorf("rowsort: %s", got)
	}
	if got := strings.Join(arrange(values(), 2, ValueSort), " "); got != "1 10 2 a b c" {
		t.Errorf("valuesort: %s", got)
	}
	if reason := compare([]string{"3 values hashing to 2fa1b7ccf5f0a1e06b8fa3ad3f64cb2e"}, []string{"a", "b", "c"}); reason == "" {
		t.Error("a wrong hash passed")
	}
	if reason := compare([]string{digest([]string{"a", "b"})}, []string{"a", "b"}); reason != "" {
		t.Error(reason)
	}
	if compare([]string{"a"}, []string{"a", "b"}) == "" || compare([]string{"a"}, []string{"b"}) == "" {
		t.Error("different results passed")
	}
}

func TestRunWithoutServerFailsEveryRecord(t *testing.T) {
	s, err := Parse("sample.test", strings.NewReader(sample))
	if err != nil {
		t.Fatal(err)
	}
	refuse := func(context.Context) (*pgconn.PgConn, error) { return nil, errors.New("nobody is at home") }
	result := Run(context.Background(), refuse, s, Options{})
	if result.Passed != 0 || result.Counted != 2 || result.NotYet != 1 || len(result.Failures) != 2 {
		t.Errorf("%+v", result)
	}
	var report Report
	report.Add(result)
	if report.Share() != 0 {
		t.Errorf("share %f", report.Share())
	}
}

func TestLimitSpreadsQueries(t *testing.T) {
	var text strings.Builder
	for range 10 {
		text.WriteString("statement ok\nSELECT 1\n\nquery I\nSELECT 1\n----\n1\n\n")
	}
	s, err := Parse("limit.test", strings.NewReader(text.String()))
	if err != nil {
		t.Fatal(err)
	}
	statements, queries := 0, 0
	for i, played := range choose(s, 4) {
		if played && s.Records[i].Kind == Query {
			queries++
		} else if played {
			statements++
		}
	}
	if statements != 10 || queries != 4 {
		t.Errorf("%d statements and %d queries, want 10 and 4", statements, queries)
	}
}
