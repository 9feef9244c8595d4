package parser

import (
	"strings"
	"testing"
	"time"

	"github.com/omendb/omendb/sql/pgerr"
)

func TestParseSplits(t *testing.T) {
	src := " select 1 ;\n-- c\n insert into t values (1);;select ';'"
	got, err := Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 3 || got[0].Text != "select 1" || got[2].Text != "select ';'" || src[got[2].Start:got[2].End] != got[2].Text {
		t.Fatalf("%+v", got)
	}
}

func TestSyntaxErrors(t *testing.T) {
	for _, c := range []struct {
		sql, code, message string
		pos                int
	}{
		{"select 1 from from t", pgerr.SyntaxError, `syntax error at or near "from"`, 15},
		{"select 'ä' where where", pgerr.SyntaxError, `syntax error at or near "where"`, 18},
		{"select (1", pgerr.SyntaxError, `syntax error at end of input`, 10},
		{"select 'abc", pgerr.SyntaxError, `unterminated quoted string at or near "'abc"`, 8},
		{"select \"\"", pgerr.SyntaxError, `zero-length delimited identifier at or near """"`, 8},
		{"select /* x", pgerr.SyntaxError, `unterminated /* comment at or near "/* x"`, 8},
		{"select \x00", pgerr.CharacterNotInRepertoire, `invalid byte sequence for encoding "UTF8": 0x00`, 0},
		{"select '\xe4\x20\x31'", pgerr.CharacterNotInRepertoire, `invalid byte sequence for encoding "UTF8": 0xe4 0x20 0x31`, 0},
	} {
		_, err := Parse(c.sql)
		e := pgerr.From(err)
		if e == nil || e.Code != c.code || e.Message != c.message || e.Position != c.pos {
			t.Errorf("%q: %+v", c.sql, e)
		}
	}
	// An error leaves no instance of the grammar in a bad state.
	if _, err := Parse("select 1"); err != nil {
		t.Fatal(err)
	}
}

// Every text here has crashed or could crash the grammar by its depth.
func hostile(n int) map[string]string {
	r := strings.Repeat
	return map[string]string{
		"operators":    "select 1" + r("+1", n),
		"right":        "select 1" + r("^(1", n) + r(")", n),
		"casts":        "select 1" + r("::int", n),
		"minus":        "select " + r("- ", n) + "1",
		"not":          "select " + r("not ", n) + "true",
		"isnull":       "select 1" + r(" is null", n),
		"collate":      "select 'a'" + r(` collate "C"`, n),
		"natural":      "select * from a" + r(" natural join b", n),
		"cross":        "select * from a" + r(" cross join b", n),
		"joinon":       "select * from a" + r(" join b on true", n),
		"rightjoin":    "select * from a" + r(" join b", n) + r(" on true", n),
		"parens":       "select " + r("(", n) + "1" + r(")", n),
		"brackets":     "select " + r("array[", n) + "1" + r("]", n),
		"case":         "select " + r("case when true then ", n) + "1" + r(" end", n),
		"calls":        "select " + r("f(", n) + "1" + r(")", n),
		"subselect":    "select " + r("(select ", n) + "1" + r(")", n),
		"from":         "select * from " + r("(select * from ", n) + "a" + r(") x", n),
		"union":        "select 1" + r(" union select 1", n),
		"attz":         "select a" + r(" at time zone 'x'", n),
		"elseif":       "select " + r("case when a then b else ", n) + "1" + r(" end", n),
		"like":         "select " + r("a like (", n) + "1" + r(")", n),
		"unclosed":     "select " + r("(", n),
		"distinct":     "select " + r("a is distinct from (", n) + "1" + r(")", n),
		"subscript":    "select " + r("a[", n) + "1" + r("]", n),
		"with":         r("with x as (", n) + "select 1" + r(") select 1", n),
		"joinparens":   "select * from " + r("(", n) + "a" + r(" join b on true)", n),
		"backparens":   "select " + r("(", n) + "1" + r("+1)", n),
		"semicolons":   r(";", n),
		"commas":       "select 1" + r(",1", n),
		"andor":        "select a" + r(" and b or c", n),
		"ands":         "select a" + r(" and b", n),
		"indirection":  "select a" + r(".b", n),
		"slices":       "select a" + r("[1]", n),
		"explain":      r("explain ", n) + "select 1",
		"createschema": "create schema a" + r(" create table b()", n),
		"interval":     "select " + r("interval ", n) + "'1'",
		"quotes":       r("'", n),
		"dollars":      r("$a", n),
		"types":        "create table a(b int" + r("[]", n) + ")",
		"set":          "set a = 1" + r(",1", n),
		"values":       "insert into a values (1)" + r(",(1)", n),
		"comments":     r("/*", n) + "*/",
		"userops":      "select 1" + r(" @#@ 1", n),
		"operatorof":   "select 1" + r(" operator(pg_catalog.+) 1", n),
		"escape":       "select a" + r(" notnull", n),
		"grant":        "grant select on a" + r(",a", n) + " to b",
	}
}

func TestHostileTexts(t *testing.T) {
	for _, n := range []int{MaxDepth / 3, MaxDepth - 10, MaxDepth + 10, 50000} {
		for name, sql := range hostile(n) {
			start := time.Now()
			_, err := Parse(sql)
			if d := time.Since(start); d > 200*time.Millisecond {
				t.Logf("%s %d took %v", name, n, d)
			}
			if err == nil {
				continue
			}
			if c := pgerr.Code(err); c != pgerr.StatementTooComplex && c != pgerr.SyntaxError {
				t.Errorf("%s %d: %v", name, n, err)
			}
		}
	}
	if _, err := Parse("select 1"); err != nil {
		t.Fatal(err)
	}
}
