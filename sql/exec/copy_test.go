package exec

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

func (w *world) copyIn(c *plan.Copy, r io.Reader) (int64, error) {
	s := w.begin(engine.TxnOptions{})
	c.From = true
	rt := s.runtime()
	defer rt.Snapshot.Close()
	var n int64
	job, err := PrepareCopy(rt, c)
	if err == nil {
		n, err = job.In(r)
	}
	if err != nil {
		s.txn.Rollback()
		return n, err
	}
	s.commit()
	return n, nil
}

func (w *world) copyOut(c *plan.Copy) string {
	w.t.Helper()
	s := w.begin(engine.TxnOptions{})
	defer s.txn.Rollback()
	rt := s.runtime()
	defer rt.Snapshot.Close()
	var b bytes.Buffer
	job, err := PrepareCopy(rt, c)
	w.check(err)
	_, err = job.Out(&b)
	w.check(err)
	return b.String()
}

func opts(kv ...any) []plan.Option {
	var out []plan.Option
	for i := 0; i < len(kv); i += 2 {
		out = append(out, plan.Option{Name: kv[i].(string), Value: kv[i+1]})
	}
	return out
}

func TestCopyRoundTrip(t *testing.T) {
	w := newWorld(t)
	r := w.create("t", cols("a int4!", "b text"), []int16{1}, nil)
	in := "1\tplain\n2\t\\N\n3\ttab\\tnewline\\nback\\\\slash \\x41\\101\n4\t\n\\.\n"
	n, err := w.copyIn(&plan.Copy{Table: r}, iotest.OneByteReader(strings.NewReader(in)))
	w.check(err)
	if n != 4 {
		t.Fatalf("%d rows", n)
	}
	want := "1\tplain\n2\t\\N\n3\ttab\\tnewline\\nback\\\\slash AA\n4\t\n"
	if got := w.copyOut(&plan.Copy{Table: r}); got != want {
		t.Errorf("text: %q, want %q", got, want)
	}
	csv := w.copyOut(&plan.Copy{Table: r, Options: opts("format", "csv", "header", true)})
	if want := "a,b\n1,plain\n2,\n3,\"tab\tnewline\nback\\slash AA\"\n4,\"\"\n"; csv != want {
		t.Errorf("csv: %q, want %q", csv, want)
	}
	for name, data := range map[string]string{"csv": csv, "binary": w.copyOut(&plan.Copy{Table: r, Options: opts("format", "binary")})} {
		c := &plan.Copy{Table: w.create(name, cols("a int4!", "b text"), []int16{1}, nil), Options: opts("format", name)}
		if name == "csv" {
			c.Options = append(c.Options, opts("header", "match")...)
		}
		_, err := w.copyIn(c, iotest.OneByteReader(strings.NewReader(data)))
		w.check(err)
		if got := w.copyOut(&plan.Copy{Table: c.Table}); got != want {
			t.Errorf("%s: read back %q", name, got)
		}
	}
}

func TestCopyNamesTheLine(t *testing.T) {
	w := newWorld(t)
	r := w.create("t", cols("a int4!", "b text"), []int16{1}, nil)
	for _, c := range []struct {
		data, code, message, where string
		opts                       []plan.Option
	}{
		{"1\tx\nfoo\ty\n", pgerr.InvalidTextRepresentation, `invalid input syntax for type integer: "foo"`, `COPY t, line 2, column a: "foo"`, nil},
		{"1\n", pgerr.BadCopyFileFormat, `missing data for column "b"`, `COPY t, line 1: "1"`, nil},
		{"1\t2\t3\n", pgerr.BadCopyFileFormat, "extra data after last expected column", "COPY t, line 1: \"1\t2\t3\"", nil},
		{"\\N\tx\n", pgerr.NotNullViolation, `null value in column "a" of relation "t" violates not-null constraint`, "COPY t, line 1: \"\\N\tx\"", nil},
		{"1,\"x\n", pgerr.BadCopyFileFormat, "unterminated CSV quoted field", "COPY t, line 1: \"1,\"x\n\"", opts("format", "csv")},
		{"1\t\xff\n", pgerr.CharacterNotInRepertoire, `invalid byte sequence for encoding "UTF8": 0xff`, "COPY t, line 1", nil},
		{"1\tx\n\\.y\n", pgerr.BadCopyFileFormat, "end-of-copy marker corrupt", "COPY t, line 2", nil},
		{"b,a\n1,2\n", pgerr.BadCopyFileFormat, `column name mismatch in header line field 1: got "b", expected "a"`, `COPY t, line 1: "b,a"`, opts("format", "csv", "header", "match")},
		{"x", pgerr.BadCopyFileFormat, "COPY file signature not recognized", "", opts("format", "binary")},
	} {
		_, err := w.copyIn(&plan.Copy{Table: r, Options: c.opts}, strings.NewReader(c.data))
		if e := pgerr.From(err); e == nil || e.Code != c.code || e.Message != c.message || e.Where != c.where {
			t.Errorf("%q gives %+v", c.data, e)
		}
	}
}

func TestCopyOptionsAreChecked(t *testing.T) {
	w := newWorld(t)
	r := w.create("t", cols("a int4!", "b text"), []int16{1}, nil)
	for want, o := range map[string][]plan.Option{
		`COPY format "x" not recognized`:                                 opts("format", "x"),
		`option "y" not recognized`:                                      opts("y", "x"),
		"conflicting or redundant options":                               opts("null", "x", "null", "x"),
		"COPY delimiter must be a single one-byte character":             opts("delimiter", "ab"),
		"COPY delimiter cannot be \"a\"":                                 opts("delimiter", "a"),
		"COPY quote available only in CSV mode":                          opts("quote", "'"),
		"COPY delimiter and quote must be different":                     opts("format", "csv", "quote", ","),
		"COPY force quote only available using COPY TO":                  opts("format", "csv", "force_quote", []string{"a"}),
		"cannot specify DELIMITER in BINARY mode":                        opts("format", "binary", "delimiter", ","),
		"COPY delimiter must not appear in the NULL specification":       opts("format", "csv", "null", ","),
		`FORCE_NOT_NULL column "z" not referenced by COPY`:               opts("format", "csv", "force_not_null", []string{"z"}),
		`header requires a Boolean value or "match"`:                     opts("header", "perhaps"),
		"COPY null representation cannot use newline or carriage return": opts("null", "\n"),
	} {
		if _, err := w.copyIn(&plan.Copy{Table: r, Options: o}, strings.NewReader("")); pgerr.From(err) == nil || pgerr.From(err).Message != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestCopyForcesNulls(t *testing.T) {
	w := newWorld(t)
	r := w.create("t", cols("a int4!", "b text"), []int16{1}, nil)
	_, err := w.copyIn(&plan.Copy{Table: r, Options: opts("format", "csv", "force_null", []string{"b"})}, strings.NewReader("1,\"\"\r\n2,x\r\n"))
	w.check(err)
	_, err = w.copyIn(&plan.Copy{Table: r, Options: opts("format", "csv", "force_not_null", []string{"b"})}, strings.NewReader("3,\n"))
	w.check(err)
	w.expect(scan(r, nil), "1 ~", "2 x", "3 ")
}

func TestLargeCopyIsLoadedInBulk(t *testing.T) {
	w := newWorld(t)
	r := w.create("t", cols("a int4!", "b text"), []int16{1}, func(v *catalog.View, r *catalog.Relation) {
		w.index(v, r, "t_b_key", true, 2)
	})
	const n = bulkThreshold + 20_000
	data := func(from, to int) io.Reader {
		var b bytes.Buffer
		for i := from; i < to; i++ {
			fmt.Fprintf(&b, "%d\tvalue %d\n", i, i)
		}
		return &b
	}
	rows, err := w.copyIn(&plan.Copy{Table: r}, data(0, n))
	w.check(err)
	if rows != n {
		t.Fatalf("%d rows", rows)
	}
	w.expect(&plan.Scan{NodeInfo: info(int8T), Table: r, CountOnly: true}, fmt.Sprint(n))
	w.expect(scan(r, op("=", sl(0, int4T), i4(n-1))), fmt.Sprintf("%d value %d", n-1, n-1))
	// The last row of a second load is there already.
	two := io.MultiReader(data(n, n+bulkThreshold+5), strings.NewReader(fmt.Sprintf("%d\tx\n", n-1)))
	_, err = w.copyIn(&plan.Copy{Table: r}, two)
	if e := pgerr.From(err); e == nil || e.Code != pgerr.UniqueViolation || e.Detail != fmt.Sprintf("Key (a)=(%d) already exists.", n-1) {
		t.Errorf("a taken key gives %+v", e)
	}
	two = io.MultiReader(data(n, n+bulkThreshold+5), strings.NewReader("-1\tvalue 7\n"))
	_, err = w.copyIn(&plan.Copy{Table: r}, two)
	if e := pgerr.From(err); e == nil || e.Code != pgerr.UniqueViolation || e.Detail != "Key (b)=(value 7) already exists." {
		t.Errorf("a taken index key gives %+v", e)
	}
	w.expect(&plan.Scan{NodeInfo: info(int8T), Table: r, CountOnly: true}, fmt.Sprint(n))
}
