package main

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// counts are statements of one class: how many there are and how many agree.
type counts struct{ n, exact, semantic, kind int }

func (c *counts) note(exact, semantic, kind bool) {
	c.n++
	if exact {
		c.exact++
	}
	if semantic {
		c.semantic++
	}
	if kind {
		c.kind++
	}
}

func (c *counts) add(o counts) {
	c.n += o.n
	c.exact += o.exact
	c.semantic += o.semantic
	c.kind += o.kind
}

// share is the percentage of statements with the same result.
func (c counts) share() float64 {
	if c.n == 0 {
		return 100
	}
	return 100 * float64(c.semantic) / float64(c.n)
}

func (c counts) String() string {
	share := func(n int) float64 {
		if c.n == 0 {
			return 100
		}
		return 100 * float64(n) / float64(c.n)
	}
	return fmt.Sprintf("%6d %6.1f %6.1f %6.1f", c.n, share(c.exact), share(c.semantic), share(c.kind))
}

// score is the outcome of one script, or of all.
type score struct {
	all, rows, core, coreRows counts
	differ                    []int // units that are not even of the right kind, or not semantically equal
}

func (s *score) add(o score) {
	s.all.add(o.all)
	s.rows.add(o.rows)
	s.core.add(o.core)
	s.coreRows.add(o.coreRows)
}

func printHeader(w io.Writer) {
	fmt.Fprintf(w, "%-20s |%-27s |%-27s |%-27s |%-27s\n", "", " all statements", " that print rows", " core", " core that print rows")
	columns := "     n  exact semant   kind"
	fmt.Fprintf(w, "%-20s |%s |%s |%s |%s\n", "script", columns, columns, columns, columns)
}

func (s score) print(w io.Writer, name string) {
	fmt.Fprintf(w, "%-20s |%v |%v |%v |%v\n", name, s.all, s.rows, s.core, s.coreRows)
}

var (
	rowCount = regexp.MustCompile(`^\(\d+ rows?\)$`)
	orderBy  = regexp.MustCompile(`(?i)\border\s+by\b`)
	side     = regexp.MustCompile(`^(LINE \d+:|DETAIL:|HINT:|CONTEXT:|NOTICE:|\s*\^\s*$)`)
	failure  = regexp.MustCompile(`^(psql:[^ ]* )?(ERROR|FATAL):`)
	outside  = regexp.MustCompile(`(?i)^\s*(explain|vacuum|cluster|do\b|reindex|checkpoint|load|security label|create (access method|event trigger|language|extension|foreign|server|publication|subscription|tablespace|statistics|operator (class|family)|transform))` +
		`|\bpg_\w+|\binformation_schema\b|\blanguage\s+('?c'?|'?internal'?|'?plpgsql'?)\b|\bpartition\s+(of|by)\b|\b(attach|detach)\s+partition\b|\binherits?\b|\busing\s+(gin|gist|spgist|brin|hash)\b|\btablespace\b|\bset\s+storage\b|\bctid\b`)
)

// judge compares what was printed with what was expected.
func judge(units []unit, want [][]string, found []bool, got [][]string) score {
	var s score
	for i, u := range units {
		if !found[i] || u.sql == "" || u.slash && len(want[i]) == 0 {
			continue // no expectation, comments only, or a silent backslash command
		}
		exact := slices.Equal(want[i], got[i])
		sorted := !orderBy.MatchString(u.sql)
		semantic := exact || slices.Equal(plain(want[i], sorted, false), plain(got[i], sorted, false))
		kind := semantic || slices.Equal(plain(want[i], sorted, true), plain(got[i], sorted, true))
		rows := slices.ContainsFunc(want[i], rowCount.MatchString)
		core := !u.slash && !outside.MatchString(u.sql)
		s.all.note(exact, semantic, kind)
		if rows {
			s.rows.note(exact, semantic, kind)
		}
		if core {
			s.core.note(exact, semantic, kind)
		}
		if core && rows {
			s.coreRows.note(exact, semantic, kind)
		}
		if !semantic {
			s.differ = append(s.differ, i)
		}
	}
	return s
}

// plain leaves out the lines that do not count, sorts the rest when the order of rows is free, and cuts an error's text when
// any error will do.
func plain(lines []string, sorted, anyError bool) []string {
	var out []string
	for _, line := range lines {
		switch {
		case side.MatchString(line):
			continue
		case anyError && failure.MatchString(line):
			line = "ERROR"
		}
		out = append(out, strings.TrimRight(line, " "))
	}
	if sorted {
		slices.Sort(out)
	}
	return out
}
