package main

import (
	"slices"
	"testing"
)

const script = `-- a comment
SELECT 1;
SELECT 'a;
b' AS "x;", $q$;$q$;

/* ; */ SELECT E'\';'
  ORDER BY 1;
\set name 'value'
COPY t FROM STDIN;
1	2
\.
SELECT 1 \gset
CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END;
SELECT nosuch;
-- the end
`

func TestSplit(t *testing.T) {
	want := []string{"SELECT 1;", "SELECT 'a;\nb' AS \"x;\", $q$;$q$;", "SELECT E'\\';'\n  ORDER BY 1;", `\set name 'value'`, "COPY t FROM STDIN;",
		`SELECT 1 \gset`, "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END;", "SELECT nosuch;", ""}
	units := split(script, nil)
	var got []string
	for _, u := range units {
		got = append(got, u.sql)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if u := units[4]; !u.inline || !slices.Equal(u.data, []string{"1\t2"}) {
		t.Errorf("inline data: %+v", u)
	}
	if !units[3].slash || units[5].slash {
		t.Error(`\set sends no statement, \gset does`)
	}
}

func TestSplitFailedCopy(t *testing.T) {
	text := "COPY t FROM STDIN (nothing);\n\n-- next\nCOPY t FROM STDIN;\n1\n\\.\n"
	units := split(text, map[string]bool{"-- next": true, "1": true})
	if len(units) != 2 || units[0].data != nil || !slices.Equal(units[1].data, []string{"1"}) {
		t.Errorf("got %+v", units)
	}
}

func TestAlignAndJudge(t *testing.T) {
	units := split("SELECT a FROM t;\nSELECT b FROM t ORDER BY b;\n\nSELECT nosuch;\nSELECT 1;\n", nil)
	want, found := align(units, "SELECT a FROM t;\n a \n---\n 1\n 2\n(2 rows)\n\nSELECT b FROM t ORDER BY b;\n b \n---\n 1\n 2\n(2 rows)\n\nSELECT nosuch;\nERROR:  column \"nosuch\" does not exist\nLINE 1: SELECT nosuch;\n               ^\nSELECT 1;\n")
	if slices.Contains(found, false) || len(want[2]) != 3 {
		t.Fatalf("align: %v %q", found, want)
	}
	got := [][]string{
		{" a ", "---", " 2", " 1", "(2 rows)", ""},
		{" b ", "---", " 2", " 1", "(2 rows)", ""},
		{"ERROR:  no such column"},
		nil,
	}
	s := judge(units, want, found, got)
	if s.all != (counts{n: 4, exact: 1, semantic: 2, kind: 3}) {
		t.Errorf("all: %+v", s.all)
	}
	if s.rows != (counts{n: 2, exact: 0, semantic: 1, kind: 1}) {
		t.Errorf("rows: %+v", s.rows)
	}
}
