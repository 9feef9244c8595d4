package main

import (
	"regexp"
	"strings"
)

// unit is one statement of a script with the comments before it: the lines up to the one that makes psql act.
type unit struct {
	lines  []string // as they stand in the script and in what psql echoes
	data   []string // inline COPY data that follows
	sql    string   // the lines without comments, "" for none
	slash  bool     // a backslash command that sends no statement
	inline bool     // COPY ... FROM STDIN with data in the script
}

// splitter follows psql's lexer over the lines of a script, as far as the ends of statements need it.
type splitter struct {
	quote   string // open quote: ', E (with backslashes), ", $tag$, /* or ""
	nested  int    // depth of /* */
	parens  int
	begins  int // depth of BEGIN ATOMIC bodies
	words   []string
	text    strings.Builder // the statement so far, comments left out
	pending bool            // the statement has begun
}

var (
	dollar    = regexp.MustCompile(`^\$(?:[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*)?\$`)
	word      = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*`)
	fromStdin = regexp.MustCompile(`(?is)^\s*\\?copy\s.*\bfrom\s+stdin\b`)
	sending   = regexp.MustCompile(`^\\(g|gx|gset|gexec|gdesc|watch|crosstabview|bind)\b`)
)

// split cuts a script into units. A COPY from stdin that fails leaves the lines after it to be statements: the expected
// output, whose lines are the keys of echo, then shows them.
func split(script string, echo map[string]bool) []unit {
	var units []unit
	var u unit
	var s splitter
	lines := strings.Split(strings.TrimSuffix(script, "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		u.lines = append(u.lines, lines[i])
		acts, slash := s.line(lines[i])
		if !acts {
			continue
		}
		u.sql, u.slash = strings.TrimSpace(s.text.String()), slash
		if fromStdin.MatchString(u.sql) {
			u.inline = true
			if statementNext(lines[i+1:], echo) {
				units = append(units, u)
				u, s = unit{}, splitter{}
				continue
			}
			for i++; i < len(lines) && lines[i] != `\.`; i++ {
				u.data = append(u.data, lines[i])
			}
		}
		units = append(units, u)
		u, s = unit{}, splitter{}
	}
	if len(u.lines) > 0 {
		units = append(units, u)
	}
	return units
}

// statementNext reports whether the expected output echoes the next line of a script, which has the look of a statement or
// of a comment.
func statementNext(lines []string, echo map[string]bool) bool {
	for _, line := range lines {
		if strings.TrimSpace(line) != "" {
			return (strings.HasPrefix(line, "--") || strings.HasSuffix(line, ";")) && echo[line]
		}
	}
	return false
}

// line reads one line and reports whether psql acts at its end, and whether on a backslash command alone.
func (s *splitter) line(line string) (acts, slash bool) {
	ended := false
	for i := 0; i < len(line); {
		rest := line[i:]
		if s.quote != "" {
			n := s.quoted(rest)
			if s.quote != "/*" && !strings.HasSuffix(rest[:n], "*/") {
				s.text.WriteString(rest[:n])
			}
			i += n
			continue
		}
		if strings.HasPrefix(rest, "--") {
			break
		}
		if rest[0] == '\\' && !strings.HasPrefix(rest, `\;`) {
			return s.backslash(rest, ended)
		}
		n, end := s.token(rest)
		if end {
			ended = true
		} else if strings.TrimSpace(rest[:n]) != "" && s.quote != "/*" {
			s.pending, ended = true, false
		}
		i += n
	}
	s.text.WriteByte('\n')
	return ended && !s.pending, false
}

// backslash decides what a backslash command does to the statement in front of it.
func (s *splitter) backslash(rest string, ended bool) (acts, slash bool) {
	s.text.WriteString(rest)
	switch {
	case sending.MatchString(rest):
		return true, !s.pending && !ended
	case s.pending:
		return false, false
	}
	return true, !ended
}

// token reads one token outside quotes; end says that it ends a statement.
func (s *splitter) token(rest string) (n int, end bool) {
	switch {
	case strings.HasPrefix(rest, "/*"):
		s.quote, s.nested = "/*", 1
		return 2, false
	case strings.HasPrefix(rest, `\;`):
		s.text.WriteString(`\;`)
		return 2, false
	case rest[0] == '\'' || rest[0] == '"':
		s.quote = rest[:1]
	case (rest[0] == 'E' || rest[0] == 'e') && strings.HasPrefix(rest[1:], "'"):
		s.quote = "E"
		s.text.WriteString(rest[:2])
		return 2, false
	case rest[0] == '$' && dollar.MatchString(rest):
		s.quote = dollar.FindString(rest)
		s.text.WriteString(s.quote)
		return len(s.quote), false
	case rest[0] == '(':
		s.parens++
	case rest[0] == ')' && s.parens > 0:
		s.parens--
	case rest[0] == ';' && s.parens == 0 && s.begins == 0:
		s.text.WriteByte(';')
		s.pending, s.words = false, nil
		return 1, true
	default:
		if w := word.FindString(rest); w != "" {
			s.body(strings.ToLower(w))
			s.text.WriteString(w)
			return len(w), false
		}
	}
	s.text.WriteByte(rest[0])
	return 1, false
}

// body follows CREATE FUNCTION ... BEGIN ATOMIC ... END, whose semicolons do not end the statement.
func (s *splitter) body(w string) {
	s.words = append(s.words, w)
	routine := s.words[0] == "create" && (contains(s.words[:min(4, len(s.words))], "function") || contains(s.words[:min(4, len(s.words))], "procedure"))
	switch {
	case !routine:
	case w == "begin" || w == "case" && s.begins > 0:
		s.begins++
	case w == "end" && s.begins > 0:
		s.begins--
	}
}

// quoted reads on inside a quote and returns how far; it closes the quote at its end.
func (s *splitter) quoted(rest string) int {
	switch s.quote {
	case "/*":
		for i := 0; i < len(rest); i++ {
			switch {
			case strings.HasPrefix(rest[i:], "/*"):
				s.nested++
				i++
			case strings.HasPrefix(rest[i:], "*/"):
				s.nested--
				i++
				if s.nested == 0 {
					s.quote = ""
					return i + 1
				}
			}
		}
	case "E":
		for i := 0; i < len(rest); i++ {
			if rest[i] == '\\' {
				i++
			} else if rest[i] == '\'' {
				s.quote = ""
				return i + 1
			}
		}
	default:
		if i := strings.Index(rest, s.quote); i >= 0 {
			n := i + len(s.quote)
			s.quote = ""
			return n
		}
	}
	return len(rest)
}
