package main

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// inScope are the scripts whose subjects OmenDB means to have. The others need what is left for later: PL/pgSQL, triggers,
// partitions, ranges, network types, PostgreSQL's plan texts.
var inScope = strings.Fields(`aggregates bit case comments copy copyselect create_table_like create_type create_view date enum expressions
	float8 foreign_key functional_deps generated guc identity insert insert_conflict int4 interval join join_hash json jsonpath limit money
	namespace numerology oid polymorphism prepare prepared_xacts random returning rowtypes select_distinct select_distinct_on select_having
	strings tablesample temp text timestamp transactions truncate txid varchar with`)

// result is the outcome of a whole run.
type result struct {
	names  []string
	scores map[string]score
}

// sum adds up the scripts, all of them or those in scope.
func (r *result) sum(scoped bool) score {
	var total score
	for _, name := range r.names {
		if !scoped || slices.Contains(inScope, name) {
			total.add(r.scores[name])
		}
	}
	return total
}

const (
	trendHead = `# PostgreSQL's regression statements, over time

Written by ` + "`make pgregress`" + `; what the figures count stands in [testing.md](testing.md). All figures are percent of statements with the
same result (semantic); "core rows" are core statements that print rows, the measure that counts.

## Trend

| date | commit | core rows, in scope | core rows, all scripts | all statements, all scripts |
|---|---|---|---|---|
`
	scriptsHead = "\n## By script, last run\n"
)

// writeTrend adds a line to the trend in a file, and replaces the table by script.
func (r *result) writeTrend(file string) error {
	lines := ""
	if old, err := os.ReadFile(file); err == nil {
		_, rest, _ := strings.Cut(string(old), "|---|---|---|---|---|\n")
		lines, _, _ = strings.Cut(rest, scriptsHead)
	} else if !os.IsNotExist(err) {
		return err
	}
	commit, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		commit = []byte("unknown")
	}
	scoped, all := r.sum(true), r.sum(false)
	lines += fmt.Sprintf("| %s | %s | %.1f (of %d) | %.1f (of %d) | %.1f (of %d) |\n", time.Now().UTC().Format("2006-01-02 15:04"), strings.TrimSpace(string(commit)),
		scoped.coreRows.share(), scoped.coreRows.n, all.coreRows.share(), all.coreRows.n, all.all.share(), all.all.n)
	return os.WriteFile(file, []byte(trendHead+lines+scriptsHead+r.table()), 0o644)
}

// table lists the scripts in order of their names.
func (r *result) table() string {
	var b strings.Builder
	b.WriteString("\n| script | in scope | core rows | same | core | same | all | same |\n|---|---|---|---|---|---|---|---|\n")
	for _, name := range slices.Sorted(slices.Values(r.names)) {
		s, scope := r.scores[name], ""
		if slices.Contains(inScope, name) {
			scope = "yes"
		}
		fmt.Fprintf(&b, "| %s | %s | %d | %.1f | %d | %.1f | %d | %.1f |\n", name, scope,
			s.coreRows.n, s.coreRows.share(), s.core.n, s.core.share(), s.all.n, s.all.share())
	}
	return b.String()
}
