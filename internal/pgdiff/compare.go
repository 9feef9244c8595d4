package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// class is how two outcomes relate.
type class int

const (
	equal class = iota
	sameError
	otherState
	unsupported
	skipped
	wrong
	classes
)

var classNames = [classes]string{"equal", "error", "sqlstate", "unsupported", "skipped", "wrong"}

// verdict is the result of a comparison; why tells failures of different kinds apart.
type verdict struct {
	class class
	why   string
}

// limits are SQLSTATEs that say no more than that a server has lost its patience.
var limits = []string{"57014", "53200", "53000", "54001", "54000", "53100"}

// compare judges what PostgreSQL (want) and OmenDB (got) answer.
func compare(want, got outcome, ordered, ambiguous bool) verdict {
	switch {
	case got.code == "broken" || got.code == "XX000" && want.code != "XX000":
		return verdict{wrong, "broken: " + got.code}
	case want.code == "broken" || slices.Contains(limits, want.code) || slices.Contains(limits, got.code):
		return verdict{skipped, ""}
	case want.code != "" && want.code == got.code:
		return verdict{sameError, ""}
	case got.code == "0A000":
		return verdict{unsupported, got.message}
	case want.code != got.code:
		return verdict{otherState, fmt.Sprintf("%s where PostgreSQL has %s", state(got), state(want))}
	}
	if why := compareShape(want, got); why != "" {
		return verdict{wrong, why}
	}
	if sameRows(want.rows, got.rows, ordered) {
		return verdict{equal, ""}
	}
	if ambiguous && sameRows(plainRows(want.rows), plainRows(got.rows), ordered) {
		return verdict{equal, ""}
	}
	if ordered && sameRows(want.rows, got.rows, false) {
		if hasIntervals(want) {
			return verdict{equal, ""}
		}
		return verdict{wrong, "order"}
	}
	return verdict{wrong, "rows"}
}

// hasIntervals reports whether a column is of intervals: 1 day and 24 hours are equal, print differently and so may stand
// in any order.
func hasIntervals(o outcome) bool {
	return slices.ContainsFunc(o.columns, func(c field) bool { return c.oid == intervalOID || c.oid == intervalArrayOID })
}

const (
	intervalOID      = 1186
	intervalArrayOID = 1187
)

func state(o outcome) string {
	if o.code == "" {
		return "success"
	}
	return o.code
}

func compareShape(want, got outcome) string {
	if want.tag != got.tag && strings.TrimRight(want.tag, "0123456789") != strings.TrimRight(got.tag, "0123456789") {
		return "tag"
	}
	if len(want.columns) != len(got.columns) {
		return "columns"
	}
	for i := range want.columns {
		if want.columns[i].name != got.columns[i].name {
			return "column name"
		}
		if want.columns[i].oid != got.columns[i].oid {
			return fmt.Sprintf("column type %d instead of %d", got.columns[i].oid, want.columns[i].oid)
		}
	}
	if len(want.rows) != len(got.rows) || want.tag != got.tag {
		return "row count"
	}
	return ""
}

func sameRows(want, got []string, ordered bool) bool {
	if !ordered {
		want, got = slices.Sorted(slices.Values(want)), slices.Sorted(slices.Values(got))
	}
	return slices.Equal(want, got)
}

// choosing finds statements in which one of several equal values stands for all of them: which one is nobody's promise, and
// equal numerics (1.0 and 1.00) or zeros (0 and -0) do not print the same.
var choosing = regexp.MustCompile(`(?i)distinct|group by|union|intersect|except|\bmin\(|\bmax\(|percentile_disc|mode\(|order by|partition by`)

var (
	trailingZeros = regexp.MustCompile(`(\d+\.\d*?)0+(\D|$)`)
	emptyFraction = regexp.MustCompile(`(\d)\.(\D|$)`)
	negativeZero  = regexp.MustCompile(`-0(\D|$)`)
)

// plainRows makes equal values print the same.
func plainRows(rows []string) []string {
	out := make([]string, len(rows))
	for i, r := range rows {
		r = trailingZeros.ReplaceAllString(r, "$1$2")
		r = emptyFraction.ReplaceAllString(r, "$1$2")
		out[i] = negativeZero.ReplaceAllString(r, "0$1")
	}
	return out
}
