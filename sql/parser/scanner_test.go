package parser

import (
	"fmt"
	"strings"
	"testing"
)

func TestScanner(t *testing.T) {
	names := map[Kind]string{Ident: "id", QuotedIdent: "qid", Integer: "int", Float: "float", String: "str", EscString: "estr", UniString: "ustr",
		BitString: "bstr", DollarString: "dstr", NString: "nstr", Param: "param", Operator: "op", Punct: "punct", Invalid: "bad"}
	for _, c := range []struct{ sql, want string }{
		{"select 1", "id:select int:1"},
		{"a'b''c'", "id:a str:'b''c'"},
		{`E'a\'b' "x""y" U&'\0041' U&"z"`, `estr:E'a\'b' qid:"x""y" ustr:U&'\0041' qid:U&"z"`},
		{"b'101' X'1F' n'x'", "bstr:b'101' bstr:X'1F' nstr:n'x'"},
		{"'a'\n 'b' 'c'", "str:'a'\n 'b' str:'c'"},
		{"'a' 'b'", "str:'a' str:'b'"},
		{"$1 $$x$$ $t$ a $$ $t$", "param:$1 dstr:$$x$$ dstr:$t$ a $$ $t$"},
		{"1.5 .5 1e10 1.e-3 1..2 0x1F 1_000", "float:1.5 float:.5 float:1e10 float:1.e-3 int:1 punct:.. int:2 int:0x1F int:1_000"},
		{"a/*x/*y*/z*/b--c\nd", "id:a id:b id:d"},
		{"1+-2 a@-b c<>-d x::int[1]", "int:1 op:+ op:- int:2 id:a op:@- id:b id:c op:<> op:- id:d id:x op::: id:int punct:[ int:1 punct:]"},
		{"a-- c", "id:a"},
		{"a*/*c*/b", "id:a op:* id:b"},
		{"'open", "bad:'open"},
		{"/* open", "bad:/* open"},
		{"é$1", "id:é$1"},
	} {
		var got []string
		s := NewScanner(c.sql)
		for tok := s.Next(); tok.Kind != EOF; tok = s.Next() {
			got = append(got, fmt.Sprintf("%s:%s", names[tok.Kind], c.sql[tok.Start:tok.End]))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%q:\n got %s\nwant %s", c.sql, strings.Join(got, " "), c.want)
		}
	}
}

func TestLift(t *testing.T) {
	key, lits, ok := Lift("SELECT a,  'x''y' FROM t -- c\n WHERE b = 5 AND c = 3000000000 AND d=1.5;")
	if !ok || key != "SELECT a, ?s FROM t WHERE b = ?i4 AND c = ?i8 AND d=?n" || len(lits) != 4 || lits[0].Value != "x'y" {
		t.Errorf("%v %q %+v", ok, key, lits)
	}
	for _, sql := range []string{"select 1; select 2", "select 'open", "select /* open"} {
		if _, _, ok := Lift(sql); ok {
			t.Errorf("%q was lifted", sql)
		}
	}
	other, _, _ := Lift("SELECT a, 'z' FROM t WHERE b = 7 AND c = 4000000000 AND d=0.1")
	if other != key {
		t.Errorf("another key: %q", other)
	}
}

func TestLimits(t *testing.T) {
	deep := func(n int) string { return "select " + strings.Repeat("(", n) + "1" + strings.Repeat(")", n) }
	if err := Check(deep(MaxDepth - 2)); err != nil {
		t.Error(err)
	}
	if Check(deep(MaxDepth+1)) == nil {
		t.Error("nesting beyond the limit passed")
	}
	if err := Check("select " + strings.Repeat("/*", MaxComments) + strings.Repeat("*/", MaxComments) + "1"); err != nil {
		t.Error(err)
	}
	if Check("select "+strings.Repeat("/*", MaxComments+1)+strings.Repeat("*/", MaxComments+1)+"1") == nil {
		t.Error("comments beyond the limit passed")
	}
	if Check("select "+strings.Repeat("@", MaxOperator+1)) == nil {
		t.Error("an operator beyond the limit passed")
	}
}
