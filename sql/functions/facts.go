package functions

import (
	"embed"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

//go:embed data/*.tsv
var factFiles embed.FS

// FactTable is the built-in content of one system table. Values are in COPY's
// text form, unescaped; Null stands for NULL. Shared: do not change it.
type FactTable struct {
	Name    string
	Columns []string
	Rows    [][]string
}

// Null is the fact value that stands for NULL.
const Null = "\\N"

// Column returns the position of a column, which must exist.
func (t *FactTable) Column(name string) int {
	for i, c := range t.Columns {
		if c == name {
			return i
		}
	}
	panic(fmt.Sprintf("functions: facts of %s have no column %s", t.Name, name))
}

var factTables sync.Map // name → func() *FactTable

// FactOID reads an OID of the facts.
func FactOID(cell string) OID {
	n, err := strconv.ParseUint(cell, 10, 32)
	if err != nil {
		panic(fmt.Sprintf("functions: no OID in the facts: %q", cell))
	}
	return OID(n)
}

// Facts returns the built-in rows of a system table (pg_proc, pg_operator, pg_cast,
// pg_aggregate, pg_am, pg_opclass, pg_opfamily, pg_amop, pg_amproc, pg_collation,
// pg_language, pg_proc_acl, pg_conversion, pg_range, pg_description, pg_ts_*), read at first use;
// nil for any other name.
func Facts(name string) *FactTable {
	load, _ := factTables.LoadOrStore(name, sync.OnceValue(func() *FactTable { return readFacts(name) }))
	return load.(func() *FactTable)()
}

func readFacts(name string) *FactTable {
	raw, err := factFiles.ReadFile("data/" + name + ".tsv")
	if err != nil {
		return nil
	}
	return ParseFacts(name, string(raw))
}

// ParseFacts reads a fact file: COPY's text format under a line with the column names.
func ParseFacts(name, text string) *FactTable {
	head, text, _ := strings.Cut(text, "\n")
	t := &FactTable{Name: name, Columns: strings.Split(head, "\t")}
	width := len(t.Columns)
	rows := strings.Count(text, "\n")
	cells := make([]string, 0, rows*width)
	t.Rows = make([][]string, 0, rows)
	for text != "" {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		start := len(cells)
		for {
			cell, rest, more := strings.Cut(line, "\t")
			cells = append(cells, unescape(cell))
			if !more {
				break
			}
			line = rest
		}
		t.Rows = append(t.Rows, cells[start:len(cells):len(cells)])
	}
	return t
}

// unescape undoes COPY's backslashes; NULL keeps its mark.
func unescape(s string) string {
	if s == Null || strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '\\' && i+1 < len(s) {
			i++
			switch c = s[i]; c {
			case 'n':
				c = '\n'
			case 't':
				c = '\t'
			case 'r':
				c = '\r'
			case 'b':
				c = '\b'
			case 'f':
				c = '\f'
			case 'v':
				c = '\v'
			}
		}
		b.WriteByte(c)
	}
	return b.String()
}

// factReader reads cells of one row by column name.
type factReader struct {
	cols map[string]int
	row  []string
}

func newFactReader(t *FactTable) *factReader {
	r := &factReader{cols: make(map[string]int, len(t.Columns))}
	for i, c := range t.Columns {
		r.cols[c] = i
	}
	return r
}

func (r *factReader) text(col string) string {
	if s := r.row[r.cols[col]]; s != Null {
		return s
	}
	return ""
}

func (r *factReader) isNull(col string) bool { return r.row[r.cols[col]] == Null }

func (r *factReader) char(col string) byte { return r.row[r.cols[col]][0] }

func (r *factReader) bool(col string) bool { return r.row[r.cols[col]] == "t" }

func (r *factReader) oid(col string) OID { return parseOID(r.row[r.cols[col]]) }

func (r *factReader) float(col string) float64 {
	f, err := strconv.ParseFloat(r.row[r.cols[col]], 64)
	if err != nil {
		panic(fmt.Sprintf("functions: facts: %v", err))
	}
	return f
}

func parseOID(s string) OID {
	var n uint64
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			panic("functions: facts: bad oid " + strconv.Quote(s))
		}
		n = n*10 + uint64(s[i]-'0')
	}
	return OID(n)
}

// oids reads an oidvector ("23 23") or an array of oids ("{23,23}").
func (r *factReader) oids(col string) []OID {
	s := r.text(col)
	s = strings.Trim(s, "{}")
	if s == "" {
		return nil
	}
	out := make([]OID, 0, 1+strings.Count(s, " ")+strings.Count(s, ","))
	for len(s) > 0 {
		k := strings.IndexAny(s, " ,")
		if k < 0 {
			k = len(s)
		}
		out = append(out, parseOID(s[:k]))
		s = s[min(k+1, len(s)):]
	}
	return out
}

// texts reads a one-dimensional text array.
func (r *factReader) texts(col string) []string {
	s := r.text(col)
	if s == "" || s == "{}" {
		return nil
	}
	var out []string
	var b strings.Builder
	quoted := false
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\', !quoted && c == '\\':
			i++
			b.WriteByte(s[i])
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ',' || c == '}'):
			out = append(out, b.String())
			b.Reset()
		default:
			b.WriteByte(c)
		}
	}
	return out
}
