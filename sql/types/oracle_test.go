package types

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/omendb/omendb/sql/pgerr"
)

// testEnv returns a session with settings such as "DateStyle=SQL,DMY;TimeZone=UTC".
func testEnv(t *testing.T, settings string) *Env {
	t.Helper()
	e := NewEnv()
	for _, kv := range strings.Split(settings, ";") {
		if kv == "" {
			continue
		}
		k, v, _ := strings.Cut(kv, "=")
		switch k {
		case "DateStyle":
			style, order, _ := strings.Cut(v, ",")
			e.DateStyle = map[string]DateStyle{"ISO": DateISO, "SQL": DateSQL, "Postgres": DatePostgres, "German": DateGerman}[style]
			e.DateOrder = map[string]DateOrder{"": OrderMDY, "MDY": OrderMDY, "DMY": OrderDMY, "YMD": OrderYMD}[order]
			if style == "German" && order == "" {
				e.DateOrder = OrderDMY
			}
		case "IntervalStyle":
			e.IntervalStyle = map[string]IntervalStyle{"postgres": IntervalPostgres, "sql_standard": IntervalSQLStandard,
				"iso_8601": IntervalISO8601, "postgres_verbose": IntervalPostgresVerbose}[v]
		case "TimeZone":
			z, err := ParseZone(v)
			if err != nil {
				t.Fatal(err)
			}
			e.TimeZone = z
		case "extra_float_digits":
			e.ExtraFloatDigits, _ = strconv.Atoi(v)
		case "bytea_output":
			if v == "escape" {
				e.ByteaOutput = ByteaEscape
			}
		default:
			t.Fatalf("unknown setting %q", k)
		}
	}
	return e
}

// testType reads a type name with modifiers, as far as the test data use them.
func testType(t *testing.T, name string) (OID, int32) {
	t.Helper()
	if strings.HasSuffix(name, "[]") {
		oid, typmod := testType(t, strings.TrimSuffix(name, "[]"))
		return ByOID(oid).Array, typmod
	}
	var args []int64
	if i := strings.IndexByte(name, '('); i >= 0 {
		for _, a := range strings.Split(strings.TrimSuffix(name[i+1:], ")"), ",") {
			n, err := strconv.ParseInt(strings.TrimSpace(a), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			args = append(args, n)
		}
		name = name[:i]
	}
	if fields, ok := strings.CutPrefix(name, "interval"); ok {
		if fields == "" && args == nil {
			return IntervalOID, -1
		}
		for mask, s := range intervalRanges {
			if s == fields {
				args = append([]int64{int64(mask)}, args...)
			}
		}
		name = "interval"
	}
	alias := map[string]string{"integer": "int4", "bigint": "int8", "smallint": "int2", "real": "float4", "double precision": "float8",
		"boolean": "bool", "character varying": "varchar", "character": "bpchar", "char": "bpchar", `"char"`: "char"}
	quoted := name
	if a, ok := alias[name]; ok {
		name = a
	}
	typ := ByName(name)
	if typ == nil {
		t.Fatalf("no type %q", name)
	}
	if (quoted == "char" || quoted == "character" || quoted == "bit") && args == nil {
		args = []int64{1}
	}
	if args == nil {
		return typ.OID, -1
	}
	typmod, _, err := TypmodIn(typ.OID, args)
	if err != nil {
		t.Fatal(err)
	}
	return typ.OID, typmod
}

// describe is the form in which the test data hold a result: "ok|value" or
// "SQLSTATE|message#detail%hint".
func describe(out string, err error) string {
	if err == nil {
		return "ok|" + out
	}
	e := pgerr.From(err)
	s := e.Code + "|" + e.Message
	if e.Detail != "" {
		s += "#" + e.Detail
	}
	if e.Hint != "" {
		s += "%" + e.Hint
	}
	return s
}

// TestInputMatchesPostgreSQL reads every line of testdata/*.txt: settings, type and text,
// and what PostgreSQL 15 makes of it.
func TestInputMatchesPostgreSQL(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no test data", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(string(data)) {
				checkInput(t, strings.TrimSuffix(line, "\n"))
			}
		})
	}
}

func checkInput(t *testing.T, line string) {
	t.Helper()
	query, want, ok := strings.Cut(line, "\t")
	part := strings.SplitN(query, "|", 3)
	if !ok || len(part) != 3 {
		t.Fatalf("bad line %q", line)
	}
	e := testEnv(t, part[0])
	oid, typmod := testType(t, part[1])
	d, err := e.In(oid, typmod, part[2])
	out := ""
	if err == nil {
		out = string(e.Out(nil, oid, d))
	}
	if got := describe(out, err); got != want {
		t.Errorf("%s\n got %s\nwant %s", query, got, want)
		return
	}
	if err == nil {
		checkRoundTrips(t, e, query, oid, d, out)
	}
}

// checkRoundTrips checks that text and binary forms give the value back.
func checkRoundTrips(t *testing.T, e *Env, query string, oid OID, d Datum, out string) {
	t.Helper()
	if e.CanSend(oid) == nil {
		back, err := e.Recv(oid, -1, e.Send(nil, oid, d))
		if err != nil || string(e.Out(nil, oid, back)) != out {
			t.Errorf("%s: binary form gives %q, %v", query, e.Out(nil, oid, back), err)
		}
	}
	if !e.Orderable(oid) {
		return
	}
	back, err := e.In(oid, -1, out)
	if err == nil && e.Compare(oid, DefaultCollation, back, d) != 0 && !lossyOutput(e, oid) {
		t.Errorf("%s: output %q reads as another value", query, out)
	}
	if err == nil && !lossyOutput(e, oid) && e.Hash(oid, DefaultCollation, back) != e.Hash(oid, DefaultCollation, d) {
		t.Errorf("%s: equal values with different hashes", query)
	}
}

// lossyOutput says that text output does not carry everything or is ambiguous: German dates without
// DMY, abbreviations of zones, rounded floats.
func lossyOutput(e *Env, oid OID) bool {
	return e.DateStyle != DateISO || e.ExtraFloatDigits < 1 || e.IntervalStyle != IntervalPostgres
}
