package fuzz

import (
	"testing"

	"github.com/omendb/omendb/sql/parser"
)

// FuzzParse feeds scanner and grammar: no text may end the process, and what
// parses lies inside the text.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"select 1", "select 'a' || E'\\n' || $$x$$ || U&'\\0041'", "/* a /* b */ c */ select 1; -- x\nselect 2",
		"insert into t values (1, 'x'), (2, NULL) returning *", "select * from a join b using (c) where d in (1,2)",
		"with recursive r as (select 1 union all select n+1 from r) select * from r", "select ((((1))))", "select '", "$1", "create table t (a int primary key)",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		s := parser.NewScanner(sql)
		end := 0
		for tok := s.Next(); tok.Kind != parser.EOF; tok = s.Next() {
			if tok.Start < end || tok.End <= tok.Start || tok.End > len(sql) {
				t.Fatalf("token %+v after %d of %q", tok, end, sql)
			}
			end = tok.End
		}
		st, err := parser.Parse(sql)
		if err != nil {
			return
		}
		for _, x := range st {
			if x.Tree == nil || sql[x.Start:x.End] != x.Text {
				t.Fatalf("statement %+v of %q", x, sql)
			}
		}
		parser.Lift(sql)
	})
}
