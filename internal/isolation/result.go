package isolation

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// reply is what one step has returned, ready to be written.
type reply struct {
	text strings.Builder
}

// number recognises cells that are aligned to the right.
var number = regexp.MustCompile(`^-?[0-9.]+(e[-+]?[0-9]+)?$`)

// table writes the rows of one query as the isolation tester does.
func (r *reply) table(fields []string, rows [][]string) {
	width, right := make([]int, len(fields)), make([]bool, len(fields))
	for i, f := range fields {
		width[i], right[i] = len(f), true
		for _, row := range rows {
			width[i] = max(width[i], len(row[i]))
			if row[i] != "" && !number.MatchString(row[i]) {
				right[i] = false
			}
		}
	}
	line := func(cells []string) {
		var b strings.Builder
		for i, c := range cells {
			if i > 0 {
				b.WriteByte('|')
			}
			if right[i] {
				fmt.Fprintf(&b, "%*s", width[i], c)
			} else {
				fmt.Fprintf(&b, "%-*s", width[i], c)
			}
		}
		r.text.WriteString(strings.TrimRight(b.String(), " ") + "\n")
	}
	line(fields)
	for i, w := range width {
		if i > 0 {
			r.text.WriteByte('+')
		}
		r.text.WriteString(strings.Repeat("-", w))
	}
	r.text.WriteByte('\n')
	for _, row := range rows {
		line(row)
	}
	s := "s"
	if len(rows) == 1 {
		s = ""
	}
	fmt.Fprintf(&r.text, "(%d row%s)\n\n", len(rows), s)
}

// failed writes an error's severity and message; details may hold process and transaction numbers.
func (r *reply) failed(err error) {
	if e, ok := err.(*pgconn.PgError); ok {
		fmt.Fprintf(&r.text, "%s:  %s\n", e.Severity, e.Message)
		return
	}
	fmt.Fprintf(&r.text, "%v\n", err)
}

// read takes everything that a query string returns.
func (r *reply) read(m *pgconn.MultiResultReader) error {
	for m.NextResult() {
		rr := m.ResultReader()
		var fields []string
		for _, f := range rr.FieldDescriptions() {
			fields = append(fields, f.Name)
		}
		var rows [][]string
		for rr.NextRow() {
			var row []string
			for _, v := range rr.Values() {
				row = append(row, string(v))
			}
			rows = append(rows, row)
		}
		if _, err := rr.Close(); err != nil {
			continue // reported by m.Close
		}
		if fields != nil {
			r.table(fields, rows)
		}
	}
	return m.Close()
}
