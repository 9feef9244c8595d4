package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/omendb/omendb/sql/types"
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
	if ambiguous && sameRows(plainRows(want), plainRows(got), ordered) {
		return verdict{equal, ""}
	}
	if ordered && sameRows(want.rows, got.rows, false) {
		return verdict{wrong, "order"}
	}
	return verdict{wrong, "rows"}
}

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

// choosing finds statements in which one of several equal values stands for all of them, or in which equal values stand in any
// order: which one is nobody's promise, and equal numerics (1.0 and 1.00), zeros (0 and -0) or intervals (1 day and 24 hours)
// do not print the same.
var choosing = regexp.MustCompile(`(?i)distinct|group by|union|intersect|except|\bmin\(|\bmax\(|percentile_disc|mode\(|order by|partition by`)

var (
	trailingZeros = regexp.MustCompile(`(\d+\.\d*?)0+(\D|$)`)
	emptyFraction = regexp.MustCompile(`(\d)\.(\D|$)`)
	negativeZero  = regexp.MustCompile(`-0(\D|$)`)
)

// plainRows returns the rows with equal values printed the same.
func plainRows(o outcome) []string {
	rows := o.rows
	if o.keys != nil {
		rows = o.keys
	}
	out := make([]string, len(rows))
	for i, r := range rows {
		r = trailingZeros.ReplaceAllString(r, "$1$2")
		r = emptyFraction.ReplaceAllString(r, "$1$2")
		out[i] = negativeZero.ReplaceAllString(r, "0$1")
	}
	return out
}

// withKeys returns a copy of a row in which intervals, and arrays of them, are the keys by which they are ordered: equal
// intervals have equal keys in whatever style they were printed.
func withKeys(columns []field, row [][]byte) [][]byte {
	out := slices.Clone(row)
	for i, c := range columns {
		if !c.isInterval() || row[i] == nil {
			continue
		}
		env := &types.Env{}
		if !bytes.ContainsFunc(row[i], unicode.IsLetter) {
			env.IntervalStyle = types.IntervalSQLStandard // in which a leading sign is that of all fields
		}
		oid := types.OID(c.oid)
		d, err := env.In(oid, -1, string(row[i]))
		if err != nil {
			continue
		}
		out[i] = hex.AppendEncode(nil, env.EncodeKey(nil, oid, 0, d, false, false))
	}
	return out
}
