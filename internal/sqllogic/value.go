package sqllogic

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"
)

// render writes one value, given in PostgreSQL's text format (nil is NULL), as the column type asks for.
func render(typ byte, oid uint32, value []byte) string {
	if value == nil {
		return "NULL"
	}
	switch typ {
	case 'I':
		return renderInteger(oid, string(value))
	case 'R':
		f, err := strconv.ParseFloat(string(value), 64)
		if err != nil {
			return renderText(value)
		}
		return strconv.FormatFloat(f, 'f', 3, 64)
	}
	return renderText(value)
}

func renderInteger(oid uint32, text string) string {
	if oid == pgtype.BoolOID {
		if text == "t" {
			return "1"
		}
		return "0"
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return strconv.FormatInt(n, 10)
	}
	// A numeric keeps all its digits: cut the text, not a float made of it.
	if whole, fraction, ok := strings.Cut(text, "."); ok && strings.Trim(fraction, "0123456789") == "" {
		if n, err := strconv.ParseInt(whole, 10, 64); err == nil {
			return strconv.FormatInt(n, 10)
		}
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil && math.Abs(f) < 1<<63 {
		return strconv.FormatInt(int64(f), 10)
	}
	return "0" // what the %d of a text is
}

func renderText(value []byte) string {
	if len(value) == 0 {
		return "(empty)"
	}
	out := bytes.Clone(value)
	for i, c := range out {
		if c < ' ' || c > '~' {
			out[i] = '@'
		}
	}
	return string(out)
}

// arrange sorts values, given row by row with so many columns, as the record asks.
func arrange(values []string, columns int, order Sort) []string {
	switch {
	case order == ValueSort:
		sort.Strings(values)
	case order == RowSort && columns > 0:
		rows := make([][]string, 0, len(values)/columns)
		for i := 0; i+columns <= len(values); i += columns {
			rows = append(rows, values[i:i+columns])
		}
		sort.SliceStable(rows, func(i, j int) bool {
			for c := range rows[i] {
				if rows[i][c] != rows[j][c] {
					return rows[i][c] < rows[j][c]
				}
			}
			return false
		})
		sorted := make([]string, 0, len(values))
		for _, row := range rows {
			sorted = append(sorted, row...)
		}
		return sorted
	}
	return values
}

// digest is how a long result is written: "M values hashing to <md5>".
func digest(values []string) string {
	h := md5.New()
	for _, v := range values {
		h.Write([]byte(v))
		h.Write([]byte{'\n'})
	}
	return fmt.Sprintf("%d values hashing to %s", len(values), hex.EncodeToString(h.Sum(nil)))
}

// hashed reports whether an expectation is written as a digest.
func hashed(expected []string) bool {
	return len(expected) == 1 && strings.Contains(expected[0], " values hashing to ")
}

// compare says how the values differ from the expected ones, or "".
func compare(expected, got []string) string {
	if hashed(expected) {
		if d := digest(got); d != expected[0] {
			return fmt.Sprintf("want %s, got %s", expected[0], d)
		}
		return ""
	}
	for i := 0; i < len(expected) && i < len(got); i++ {
		if expected[i] != got[i] {
			return fmt.Sprintf("value %d: want %q, got %q", i+1, expected[i], got[i])
		}
	}
	if len(expected) != len(got) {
		return fmt.Sprintf("want %d values, got %d", len(expected), len(got))
	}
	return ""
}
