// Command extract writes PostgreSQL's built-in catalog facts as one TSV file
// per system table: COPY's text format under a line with the column names.
// Only rows that initdb itself creates (oid < 16384) are taken.
//
//	go run ./sql/functions/internal/extract -dsn postgres://… -dir sql/functions/data
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// A table is one file: the relation, its columns as SQL, and filter and order.
type table struct {
	name    string
	columns []string // "expression" or "expression AS name"
	tail    string   // FROM aliases, WHERE and ORDER BY
}

// tables lists what is taken. Registered names (regproc) become OIDs, so that
// a reader needs no look-up; ACLs, owners and statistics are left out. pg_type is
// sql/types' own.
var tables = []table{
	{"pg_proc", []string{"p.oid", "proname", "pronamespace", "prolang", "procost", "prorows", "provariadic",
		"prosupport::oid", "prokind", "prosecdef", "proleakproof", "proisstrict", "proretset", "provolatile",
		"proparallel", "pronargs", "pronargdefaults", "prorettype", "proargtypes", "proallargtypes",
		"proargmodes", "proargnames",
		"(SELECT array_agg(pg_get_function_arg_default(p.oid, i) ORDER BY i) FILTER (WHERE pg_get_function_arg_default(p.oid, i) IS NOT NULL) FROM generate_series(1, coalesce(array_length(proallargtypes, 1), pronargs)) i) AS proargdefaults",
		"prosrc", "probin", "pg_get_function_sqlbody(p.oid) AS prosqlbody", "proconfig"},
		"p WHERE p.oid < 16384 ORDER BY p.oid"},
	{"pg_proc_acl", []string{"oid", "proacl"}, "WHERE oid < 16384 AND proacl IS NOT NULL ORDER BY oid"},
	{"pg_operator", []string{"oid", "oprname", "oprnamespace", "oprkind", "oprcanmerge", "oprcanhash", "oprleft",
		"oprright", "oprresult", "oprcom", "oprnegate", "oprcode::oid", "oprrest::oid", "oprjoin::oid"},
		"WHERE oid < 16384 ORDER BY oid"},
	{"pg_cast", []string{"oid", "castsource", "casttarget", "castfunc", "castcontext", "castmethod"},
		"WHERE oid < 16384 ORDER BY oid"},
	{"pg_aggregate", []string{"aggfnoid::oid", "aggkind", "aggnumdirectargs", "aggtransfn::oid", "aggfinalfn::oid",
		"aggcombinefn::oid", "aggserialfn::oid", "aggdeserialfn::oid", "aggmtransfn::oid", "aggminvtransfn::oid",
		"aggmfinalfn::oid", "aggfinalextra", "aggmfinalextra", "aggfinalmodify", "aggmfinalmodify", "aggsortop",
		"aggtranstype", "aggtransspace", "aggmtranstype", "aggmtransspace", "agginitval", "aggminitval"},
		"WHERE aggfnoid::oid < 16384 ORDER BY aggfnoid::oid"},
	{"pg_am", []string{"oid", "amname", "amhandler::oid", "amtype"}, "ORDER BY oid"},
	{"pg_opclass", []string{"oid", "opcmethod", "opcname", "opcnamespace", "opcfamily", "opcintype", "opcdefault",
		"opckeytype"}, "WHERE oid < 16384 ORDER BY oid"},
	{"pg_opfamily", []string{"oid", "opfmethod", "opfname", "opfnamespace"}, "WHERE oid < 16384 ORDER BY oid"},
	{"pg_amop", []string{"oid", "amopfamily", "amoplefttype", "amoprighttype", "amopstrategy", "amoppurpose",
		"amopopr", "amopmethod", "amopsortfamily"}, "WHERE oid < 16384 ORDER BY oid"},
	{"pg_amproc", []string{"oid", "amprocfamily", "amproclefttype", "amprocrighttype", "amprocnum", "amproc::oid"},
		"WHERE oid < 16384 ORDER BY oid"},
	{"pg_collation", []string{"oid", "collname", "collnamespace", "collprovider", "collisdeterministic",
		"collencoding", "collcollate", "collctype", "colliculocale"}, "WHERE collprovider <> 'c' OR oid < 12000 ORDER BY oid"},
	{"pg_language", []string{"oid", "lanname", "lanispl", "lanpltrusted", "lanplcallfoid", "laninline",
		"lanvalidator"}, "WHERE oid < 16384 ORDER BY oid"},
	{"pg_conversion", []string{"oid", "conname", "connamespace", "conforencoding", "contoencoding",
		"conproc::oid", "condefault"}, "WHERE oid < 16384 ORDER BY oid"},
	{"pg_range", []string{"rngtypid", "rngsubtype", "rngmultitypid", "rngcollation", "rngsubopc", "rngcanonical::oid",
		"rngsubdiff::oid"}, "WHERE rngtypid < 16384 ORDER BY rngtypid"},
	{"pg_ts_parser", []string{"oid", "prsname", "prsnamespace", "prsstart::oid", "prstoken::oid", "prsend::oid",
		"prsheadline::oid", "prslextype::oid"}, "ORDER BY oid"},
	{"pg_ts_template", []string{"oid", "tmplname", "tmplnamespace", "tmplinit::oid", "tmpllexize::oid"}, "ORDER BY oid"},
	{"pg_ts_dict", []string{"oid", "dictname", "dictnamespace", "dicttemplate", "dictinitoption"},
		"WHERE oid < 16384 ORDER BY oid"},
	{"pg_ts_config", []string{"oid", "cfgname", "cfgnamespace", "cfgparser"}, "WHERE oid < 16384 ORDER BY oid"},
	{"pg_ts_config_map", []string{"mapcfg", "maptokentype", "mapseqno", "mapdict"},
		"WHERE mapcfg < 16384 ORDER BY 1, 2, 3"},
	{"pg_description", []string{"objoid", "classoid::oid", "objsubid", "description"},
		"WHERE objoid < 16384 AND classoid <> 'pg_collation'::regclass ORDER BY classoid, objoid, objsubid"},
}

func main() {
	dsn := flag.String("dsn", "", "PostgreSQL 15 server to read")
	dir := flag.String("dir", "sql/functions/data", "folder to write to")
	flag.Parse()
	if err := run(*dsn, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "extract:", err)
		os.Exit(1)
	}
}

func run(dsn, dir string) error {
	ctx := context.Background()
	conn, err := pgconn.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	for _, t := range tables {
		var out bytes.Buffer
		out.WriteString(strings.Join(t.header(), "\t") + "\n")
		query := "COPY (SELECT " + strings.Join(t.columns, ", ") + " FROM " + strings.TrimSuffix(t.name, "_acl") + " " + t.tail + ") TO STDOUT"
		if _, err := conn.CopyTo(ctx, &out, query); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		if err := os.WriteFile(filepath.Join(dir, t.name+".tsv"), out.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// header returns the bare column names.
func (t table) header() []string {
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		if k := strings.LastIndex(c, " AS "); k >= 0 {
			c = c[k+4:]
		}
		c, _, _ = strings.Cut(c, "::")
		names[i] = c[strings.LastIndex(c, ".")+1:]
	}
	return names
}
