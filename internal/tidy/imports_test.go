package tidy_test

import (
	"path"
	"slices"
	"strings"
	"testing"
)

// allowed says, package by package, which other packages of the module it may import: the arrows of the design point
// downward only. A folder stands for itself alone, "folder/..." for everything below it too. A new package needs a line.
var allowed = map[string][]string{
	// The one place that puts the layers together, and what starts it.
	".":                {"engine/...", "internal/...", "pgwire", "security", "sql/...", "wal"},
	"cmd/omendb-bench": {"engine", "engine/column", "engine/keys", "engine/learned", "engine/memtable", "engine/segment", "internal/clock", "internal/serverproc", "internal/task", "internal/vfs"}, // a module of its own
	"cmd/omendb":       {".", "engine/...", "internal/...", "pgwire", "security", "wal", "sql/pgerr"},

	// The wire talks to a session; it does not know the engine.
	"pgwire":   {"engine/column", "internal/clock", "internal/event", "security", "sql", "sql/charset", "sql/pgerr", "sql/types"},
	"security": {"internal/clock"},

	// SQL: session over planner and executor over catalog and functions over types.
	"sql":           {"engine", "engine/column", "internal/clock", "internal/event", "internal/task", "internal/vfs", "security", "sql/...", "wal"},
	"sql/explain":   {"sql/catalog", "sql/exec", "sql/functions", "sql/pgerr", "sql/plan", "sql/types"},
	"sql/exec":      {"engine", "engine/column", "engine/keys", "internal/clock", "internal/vfs", "security", "sql/catalog", "sql/charset", "sql/functions", "sql/itemkey", "sql/pgerr", "sql/plan", "sql/privilege", "sql/settings", "sql/types"},
	"sql/planner":   {"engine/column", "engine/keys", "sql/catalog", "sql/functions", "sql/itemkey", "sql/parser", "sql/pgerr", "sql/plan", "sql/settings", "sql/types"},
	"sql/syscat":    {"engine", "engine/backup", "engine/column", "internal/event", "sql/catalog", "sql/charset", "sql/exec", "sql/functions", "sql/pgerr", "sql/plan", "sql/planner", "sql/privilege", "sql/settings", "sql/types"},
	"sql/privilege": {"security", "sql/catalog"},
	"sql/itemkey":   {"engine/column", "engine/keys", "sql/catalog", "sql/functions", "sql/pgerr", "sql/types"},
	"sql/plan":      {"engine/column", "sql/catalog", "sql/functions", "sql/pgerr", "sql/types"},
	"sql/catalog":   {"engine", "engine/column", "engine/keys", "sql/functions", "sql/pgerr", "sql/settings", "sql/types"},
	"sql/functions": {"engine/column", "internal/libm", "sql/charset", "sql/pgerr", "sql/types"},
	"sql/settings":  {"sql/charset", "sql/pgerr", "sql/types"},
	"sql/types":     {"engine/column", "engine/keys", "sql/charset", "sql/pgerr"},
	"sql/parser":    {"sql/pgerr"},
	"sql/charset":   {"sql/pgerr"},
	"sql/pgerr":     {},

	// The engine knows keys, typed columns and versions, but no SQL.
	"engine":               {"engine/...", "internal/clock", "internal/event", "internal/invariant", "internal/task", "internal/vfs", "wal"},
	"engine/backup":        {"engine", "internal/task", "internal/vfs", "wal"},
	"engine/txn":           {"engine/column", "internal/clock", "internal/invariant", "internal/task"},
	"engine/compact":       {"engine/column", "engine/segment", "internal/event", "internal/vfs"},
	"engine/memtable":      {"engine/column", "engine/keys", "internal/invariant"},
	"engine/segment":       {"engine/column", "engine/keys", "engine/learned", "engine/segment/cache", "internal/invariant", "internal/vfs"},
	"engine/segment/cache": {"internal/invariant"},
	"engine/keys":          {"engine/column"},
	"engine/column":        {},
	"engine/learned":       {},
	"wal":                  {"internal/clock", "internal/event", "internal/invariant", "internal/task", "internal/vfs"},

	// The world, and what tests share.
	"internal/libm":        {},
	"internal/vfs":         {"internal/invariant"},
	"internal/clock":       {},
	"internal/task":        {"internal/clock", "internal/invariant"},
	"internal/monitor":     {"internal/event"},
	"internal/event":       {},
	"internal/invariant":   {},
	"internal/testflag":    {},
	"internal/history":     {},
	"internal/isolation":   {},
	"internal/sqllogic":    {},
	"internal/pgdiff":      {".", "internal/pgdiff/gen", "sql/types"},
	"internal/pgdiff/gen":  {"sql/functions", "sql/types"},
	"internal/pgregress":   {"internal/serverproc"},
	"internal/serverproc":  {},
	"internal/killtest":    {},
	"internal/torture":     {"internal/serverproc"},
	"internal/sqlsim":      {"engine", "internal/clock", "internal/task", "internal/textsession", "internal/vfs", "sql", "sql/catalog", "sql/pgerr", "sql/syscat"},
	"internal/textsession": {"engine/column", "sql", "sql/pgerr", "sql/types"},
	"internal/simulation":  {"engine", "engine/column", "engine/keys", "internal/clock", "internal/task", "internal/vfs", "wal"},
	"internal/tidy":        {},
	"internal/coverage":    {},

	// Programs that fetch facts from a PostgreSQL server for our tables.
	"sql/syscat/internal/extract":    {},
	"sql/functions/internal/expect":  {},
	"sql/functions/internal/extract": {},
	"sql/charset/internal/extract":   {},
}

// onlyIn gives packages outside the module that few may import, and who may.
var onlyIn = map[string][]string{
	"github.com/pganalyze/pg_query_go/v6": {"sql/parser", "sql/planner"}, // the binder is the only conversion
	"github.com/wasilibs/go-pgquery":      {"sql/parser", "sql/planner"},
	"github.com/jackc/pgx/v5/pgproto3":    {"pgwire"},
	"github.com/spf13/cobra":              {"cmd/omendb"},
}

func TestImportsPointDownward(t *testing.T) {
	for _, file := range files(t) {
		if file.test {
			continue
		}
		list, known := allowed[file.pkg]
		if !known {
			t.Errorf("%s: package %s has no line in the table of imports", file.name, file.pkg)
			continue
		}
		for _, imported := range file.imports() {
			if imported != module && !strings.HasPrefix(imported, module+"/") {
				continue
			}
			pkg := strings.TrimPrefix(strings.TrimPrefix(imported, module), "/")
			if pkg == "" {
				pkg = "."
			}
			if !matches(list, pkg) && !under(pkg, file.pkg+"/internal") {
				t.Errorf("%s imports %s, which the table of imports does not allow", file.name, pkg)
			}
		}
	}
}

func matches(list []string, pkg string) bool {
	return slices.ContainsFunc(list, func(entry string) bool {
		folder, below := strings.CutSuffix(entry, "/...")
		return pkg == folder || below && under(pkg, folder)
	})
}

func TestForeignImportsStayInTheirPlace(t *testing.T) {
	for _, file := range files(t) {
		if file.test {
			continue
		}
		for _, imported := range file.imports() {
			for foreign, owners := range onlyIn {
				if under(imported, foreign) && !slices.Contains(owners, file.pkg) {
					t.Errorf("%s imports %s, which belongs to %s", file.name, imported, strings.Join(owners, ", "))
				}
			}
			if file.pkg == "engine/learned" && strings.Contains(imported, ".") {
				t.Errorf("%s imports %s: the models know numbers and the standard library only", file.name, imported)
			}
		}
	}
}

// TestEveryPackageTakesTheFlags guards `go test ./... -sqllogic.dir D`: a test binary that does not know a flag fails.
func TestEveryPackageTakesTheFlags(t *testing.T) {
	tested, flagged := map[string]bool{}, map[string]bool{}
	for _, file := range files(t) {
		if !file.test || file.pkg == "internal/testflag" {
			continue
		}
		tested[file.pkg] = true
		if slices.Contains(file.imports(), module+"/internal/testflag") {
			flagged[file.pkg] = true
		}
	}
	for pkg := range tested {
		if !flagged[pkg] {
			t.Errorf("package %s has tests that do not import internal/testflag: add a flags_test.go like the others", pkg)
		}
	}
}

func TestPackageNames(t *testing.T) {
	vague := []string{"common", "util", "utils", "helper", "helpers", "manager", "misc"}
	for _, file := range files(t) {
		if slices.Contains(vague, file.syntax.Name.Name) || slices.Contains(vague, path.Base(file.pkg)) {
			t.Errorf("%s: a package called %s says nothing", file.name, file.syntax.Name.Name)
		}
		if base := strings.TrimSuffix(path.Base(file.name), ".go"); slices.Contains(vague, base) {
			t.Errorf("%s: a file called %s says nothing", file.name, base)
		}
	}
}
