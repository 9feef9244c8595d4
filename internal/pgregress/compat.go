package main

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// features are what the scripts of the suite are about.
var features = []struct{ name, scripts string }{
	{"boolean, numbers, money, oid", "int4 float8 numerology money oid random"},
	{"strings, bit strings", "strings text varchar bit"},
	{"dates, times, intervals", "date timestamp interval"},
	{"enum, composite and polymorphic types, CREATE TYPE", "enum rowtypes polymorphism create_type"},
	{"json, jsonb, jsonpath", "json jsonpath"},
	{"expressions, CASE", "expressions case"},
	{"joins", "join join_hash"},
	{"aggregates, GROUP BY, HAVING", "aggregates select_having functional_deps"},
	{"DISTINCT, LIMIT", "select_distinct select_distinct_on limit"},
	{"WITH, recursion, data-modifying WITH", "with"},
	{"INSERT, ON CONFLICT, RETURNING", "insert insert_conflict returning"},
	{"COPY", "copy copyselect"},
	{"transactions, savepoints, two-phase commit", "transactions txid prepared_xacts"},
	{"prepared statements, settings", "prepare guc"},
	{"tables, identity and generated columns, LIKE, TRUNCATE", "create_table_like identity generated truncate temp namespace"},
	{"foreign keys", "foreign_key"},
	{"views", "create_view"},
	{"TABLESAMPLE", "tablesample"},
	{"indexes", "create_index hash_index"},
	{"table inheritance", "inherit"},
	{"roles, privileges, dependencies", "privileges roleattributes dependency"},
	{"procedures", "create_procedure"},
	{"LOCK TABLE", "lock"},
	{"psql's own commands", "psql"},
	{"system views", "sysviews"},
	{"EXPLAIN", "explain equivclass"},
	{"PL/pgSQL", "plpgsql"},
	{"triggers", "triggers"},
	{"ranges", "rangetypes"},
	{"network addresses", "inet"},
	{"comments in SQL", "comments"},
}

// status puts a share of statements into words.
func status(share float64, n int) string {
	switch {
	case n == 0:
		return "not measured"
	case share >= 98:
		return "as PostgreSQL"
	case share >= 90:
		return "nearly all"
	case share >= 60:
		return "most"
	case share >= 25:
		return "some"
	}
	return "little or nothing"
}

const compatHead = `# Compatibility

Written by ` + "`make pgregress`" + ` from test results; nothing here is typed by hand.

## PostgreSQL's regression statements

Share of the statements of the scripts named that have the same result as in PostgreSQL 15 (semantic, see [testing.md](testing.md)). Core rows are the
statements that print rows and need nothing that is PostgreSQL's own storage, plan text or other languages.

| feature | status | core rows | same | all statements | same | scripts |
|---|---|---|---|---|---|---|
`

// writeCompat writes the page of features; scripts is the folder of our own SQL scripts.
func (r *result) writeCompat(file, scripts string) error {
	var b strings.Builder
	b.WriteString(compatHead)
	known := map[string]bool{}
	for _, f := range features {
		var s score
		for _, name := range strings.Fields(f.scripts) {
			known[name] = true
			s.add(r.scores[name])
		}
		c := s.coreRows
		if c.n == 0 {
			c = s.all
		}
		fmt.Fprintf(&b, "| %s | %s | %d | %.1f %% | %d | %.1f %% | %s |\n", f.name, status(c.share(), c.n), s.coreRows.n, s.coreRows.share(), s.all.n, s.all.share(), f.scripts)
	}
	for _, name := range r.names {
		if !known[name] && !contains(fixtures, name) {
			return fmt.Errorf("script %s belongs to no feature of the compatibility page", name)
		}
	}
	if err := ownScripts(&b, scripts); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(b.String()), 0o644)
}

// ownScripts adds what our own scripts test, by folder: records, and those that we know to differ.
func ownScripts(b *strings.Builder, folder string) error {
	type tally struct {
		name                    string
		files, records, pending int
	}
	groups := map[string]*tally{}
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".test" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(folder, path)
		name := strings.Split(filepath.ToSlash(rel), "/")[0]
		if groups[name] == nil {
			groups[name] = &tally{name: name}
		}
		g := groups[name]
		g.files++
		for _, line := range strings.Split(string(text), "\n") {
			switch {
			case strings.HasPrefix(line, "statement ") || strings.HasPrefix(line, "query "):
				g.records++
			case strings.HasPrefix(line, "# not yet:"):
				g.pending++
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	b.WriteString("\n## Our own scripts\n\nRecords below `testdata/sqllogic`, whose answers come from PostgreSQL. All pass but those marked as not yet.\n\n| group | scripts | records | not yet |\n|---|---|---|---|\n")
	list := make([]*tally, 0, len(groups))
	for _, g := range groups {
		list = append(list, g)
	}
	slices.SortFunc(list, func(x, y *tally) int { return cmp.Compare(x.name, y.name) })
	for _, g := range list {
		fmt.Fprintf(b, "| %s | %d | %d | %d |\n", g.name, g.files, g.records, g.pending)
	}
	return nil
}
