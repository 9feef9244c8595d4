// Package sqllogic runs sqllogictest scripts against any server that speaks PostgreSQL's protocol.
//
// A script is a text of records separated by blank lines; lines that start with # are dropped:
//
//	statement ok | statement error [SQLSTATE]     the SQL on the following lines succeeds or fails (with that code)
//	query <types> [<sort>] [<label>]              SQL, a line ----, then one expected value per line
//	hash-threshold N                              longer results are written as "M values hashing to <md5>"
//	halt                                          the rest does not count
//	skipif <engine> | onlyif <engine>             a condition on the record that follows; we are "postgresql"
//	onlyif omendb                                 the record is about OmenDB's own answers (plans): not played on PostgreSQL
//
// Types give a letter per column: I as an integer (a fraction is cut off, booleans are 1 and 0), R with three decimals,
// T as text. NULL is NULL, an empty text (empty), a byte outside ' '..'~' is @. Sorts are nosort, rowsort and valuesort.
// Results with the same label are equal. Every script begins on an empty database.
//
// Known wrong answers are written down where they happen: a line "# not yet: reason" before a record says that OmenDB does
// not pass it. It is played, and fails the run when it passes, so that the line goes away.
//
// Parse reads a script, Run plays it on a Database of a Target, Report adds the outcomes up by folder.
// A failed record never ends a run: it is noted, and the next one is played.
package sqllogic

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Engine is the name under which conditions know us.
const Engine = "postgresql"

// own is the name in conditions of records that PostgreSQL is not asked.
const own = "omendb"

// maxLine bounds one line of a script; the longest of the public corpus has about 10 kB.
const maxLine = 16 << 20

// Kind tells what a record asks for.
type Kind uint8

// The kinds of record.
const (
	Statement Kind = iota // SQL that succeeds or fails
	Query                 // SQL whose rows are compared
	Halt                  // the rest of the script does not count
)

// Sort is the order in which a query's values are compared.
type Sort uint8

// The orders of values.
const (
	NoSort    Sort = iota // as delivered
	RowSort               // rows by their text, column after column
	ValueSort             // all values one by one
)

// Record is one step of a script.
type Record struct {
	Line      int // of its first line (its first condition, if it has one), 1-based
	Kind      Kind
	Own       bool   // about OmenDB alone
	Skipped   bool   // a condition leaves it out; a label's values still count
	WantError bool   // a statement that fails
	Code      string // the SQLSTATE it fails with, "" for any
	SQL       string
	Types     string
	Sort      Sort
	Label     string
	NotYet    string   // the reason why OmenDB does not answer as expected yet, from a line "# not yet: reason"
	Expected  []string // one value per line, or one line "N values hashing to ..."

	expectedLine, endLine int // 1-based: the line after ---- and the line after the record, for rewriting
	headLine              int // 1-based: the statement or query line
}

// Script is a parsed script.
type Script struct {
	Name    string
	Records []Record
}

// Parse reads a script. Errors name the script and the line.
func Parse(name string, r io.Reader) (*Script, error) {
	p := parser{script: &Script{Name: name}}
	sc := bufio.NewScanner(r)
	sc.Buffer(make([]byte, 64<<10), maxLine)
	for sc.Scan() {
		p.line++
		if err := p.take(strings.TrimSuffix(sc.Text(), "\r")); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, p.line, err)
		}
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	p.line++
	p.flush()
	return p.script, nil
}

// parser is the state between two lines: which record is open and which part of it.
type parser struct {
	script   *Script
	line     int
	open     bool // rec collects lines
	expected bool // after ----
	pending  bool // conditions wait for their record
	rec      Record
	sql      []string
	notYet   string // for the next record
}

func (p *parser) take(line string) error {
	switch {
	case strings.HasPrefix(line, "#"):
		if reason, ok := strings.CutPrefix(line, "# not yet: "); ok {
			p.notYet = reason
		}
		return nil
	case strings.TrimSpace(line) == "":
		p.flush()
		return nil
	case p.expected:
		p.rec.Expected = append(p.rec.Expected, line)
		return nil
	case p.open && p.rec.Kind == Query && line == "----":
		p.expected = true
		p.rec.expectedLine = p.line + 1
		return nil
	case p.open:
		p.sql = append(p.sql, line)
		return nil
	}
	return p.head(strings.Fields(line))
}

// head reads the line that opens a record, or a condition or setting before one.
func (p *parser) head(words []string) error {
	if !p.pending {
		p.rec = Record{Line: p.line, NotYet: p.notYet}
		p.notYet = ""
	}
	p.rec.headLine = p.line
	switch words[0] {
	case "skipif", "onlyif":
		if len(words) < 2 {
			return fmt.Errorf("%s needs an engine's name", words[0])
		}
		if words[0] == "onlyif" && words[1] == own {
			p.rec.Own = true
		} else if (words[1] == Engine) == (words[0] == "skipif") {
			p.rec.Skipped = true
		}
		p.pending = true
	case "hash-threshold":
		if len(words) < 2 {
			return fmt.Errorf("hash-threshold needs a number")
		}
		// It says how results are written; how a result is written is seen from its text.
		if _, err := strconv.Atoi(words[1]); err != nil {
			return fmt.Errorf("hash-threshold needs a number, not %q", words[1])
		}
		p.pending = false
	case "halt":
		p.rec.Kind = Halt
		p.script.Records = append(p.script.Records, p.rec)
		p.pending = false
	case "statement":
		return p.statement(words)
	case "query":
		return p.query(words)
	default:
		return fmt.Errorf("unknown record %q", words[0])
	}
	return nil
}

func (p *parser) statement(words []string) error {
	if len(words) < 2 || (words[1] != "ok" && words[1] != "error") {
		return fmt.Errorf("statement needs ok or error")
	}
	p.rec.Kind = Statement
	p.rec.WantError = words[1] == "error"
	if p.rec.WantError && len(words) > 2 {
		if len(words[2]) != 5 {
			return fmt.Errorf("%q is no SQLSTATE", words[2])
		}
		p.rec.Code = words[2]
	}
	p.open = true
	return nil
}

func (p *parser) query(words []string) error {
	if len(words) < 2 || strings.Trim(words[1], "IRT") != "" {
		return fmt.Errorf("query needs column types out of I, R and T")
	}
	p.rec.Kind = Query
	p.rec.Types = words[1]
	rest := words[2:]
	if len(rest) > 0 {
		switch rest[0] {
		case "nosort":
			p.rec.Sort = NoSort
		case "rowsort":
			p.rec.Sort = RowSort
		case "valuesort":
			p.rec.Sort = ValueSort
		default:
			return fmt.Errorf("unknown sort %q", rest[0])
		}
		rest = rest[1:]
	}
	if len(rest) > 0 {
		p.rec.Label = rest[0]
	}
	p.open = true
	return nil
}

// flush closes the open record at a blank line or the end. Conditions wait across blank lines for their record.
func (p *parser) flush() {
	if !p.open {
		return
	}
	p.rec.SQL = strings.Join(p.sql, "\n")
	p.rec.endLine = p.line
	p.script.Records = append(p.script.Records, p.rec)
	p.open, p.expected, p.pending, p.sql = false, false, false, nil
}
