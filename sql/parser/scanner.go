package parser

import "strings"

// Kind is the kind of a token.
type Kind uint8

// The kinds of tokens.
const (
	EOF         Kind = iota
	Ident            // unquoted word, key words included
	QuotedIdent      // "…", U&"…"
	Integer
	Float
	String    // '…'
	EscString // E'…'
	UniString // U&'…'
	BitString // B'…', X'…'
	DollarString
	NString // N'…'
	Param   // $1
	Operator
	Punct   // ( ) [ ] , ; : .
	Invalid // unterminated or not a token: left to the grammar's message
)

// Token is a piece of the text; white space and comments lie between tokens.
type Token struct {
	Kind       Kind
	Start, End int
}

// Scanner splits a text by PostgreSQL's lexical rules. It never fails: what is
// no token becomes Invalid and ends where the text or the bad part ends.
type Scanner struct {
	s   string
	pos int
}

// NewScanner returns a scanner at the start of s.
func NewScanner(s string) *Scanner { return &Scanner{s: s} }

const (
	classOther = iota
	classSpace
	classIdent
	classDigit
	classOp
	classPunct
)

var classes = func() (t [256]uint8) {
	for c := range t {
		switch {
		case c == ' ' || c >= '\t' && c <= '\r':
			t[c] = classSpace
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= 0x80:
			t[c] = classIdent
		case c >= '0' && c <= '9':
			t[c] = classDigit
		case strings.IndexByte("~!@#^&|`?+-*/%<>=", byte(c)) >= 0:
			t[c] = classOp
		case strings.IndexByte("()[],;:.", byte(c)) >= 0:
			t[c] = classPunct
		}
	}
	return t
}()

func (s *Scanner) at(i int) byte {
	if i < len(s.s) {
		return s.s[i]
	}
	return 0
}

// Next returns the next token, EOF at the end for ever.
func (s *Scanner) Next() Token {
	if !s.skipSpace() {
		start := s.pos
		s.pos = len(s.s)
		return Token{Invalid, start, s.pos} // unterminated comment
	}
	start := s.pos
	if start >= len(s.s) {
		return Token{EOF, start, start}
	}
	kind := Invalid
	switch c := s.s[start]; classes[c] {
	case classIdent:
		kind = s.word()
	case classDigit:
		kind = s.number()
	case classOp:
		kind = s.operator()
	case classPunct:
		kind = s.punct(c)
	default:
		switch c {
		case '\'':
			kind = s.quoted('\'', false, String)
		case '"':
			kind = s.quoted('"', false, QuotedIdent)
		case '$':
			kind = s.dollar()
		default:
			s.pos++
		}
	}
	return Token{kind, start, s.pos}
}

// skipSpace skips white space and comments; false when a comment is not terminated.
func (s *Scanner) skipSpace() bool {
	for s.pos < len(s.s) {
		c := s.s[s.pos]
		switch {
		case classes[c] == classSpace:
			s.pos++
		case c == '-' && s.at(s.pos+1) == '-':
			i := strings.IndexAny(s.s[s.pos:], "\r\n")
			if i < 0 {
				s.pos = len(s.s)
				return true
			}
			s.pos += i
		case c == '/' && s.at(s.pos+1) == '*':
			end := s.commentEnd(s.pos)
			if end < 0 {
				return false
			}
			s.pos = end
		default:
			return true
		}
	}
	return true
}

// commentEnd returns where the comment that starts at i ends, -1 if nowhere. Comments nest.
func (s *Scanner) commentEnd(i int) int {
	depth := 0
	for i < len(s.s)-1 {
		switch {
		case s.s[i] == '/' && s.s[i+1] == '*':
			if depth++; depth > MaxComments {
				return -1
			}
			i += 2
		case s.s[i] == '*' && s.s[i+1] == '/':
			i += 2
			if depth--; depth == 0 {
				return i
			}
		default:
			i++
		}
	}
	return -1
}

func (s *Scanner) word() Kind {
	c, next := s.s[s.pos]|0x20, s.at(s.pos+1)
	switch {
	case c == 'e' && next == '\'':
		s.pos++
		return s.quoted('\'', true, EscString)
	case (c == 'b' || c == 'x') && next == '\'':
		s.pos++
		return s.quoted('\'', false, BitString)
	case c == 'n' && next == '\'':
		s.pos++
		return s.quoted('\'', false, NString)
	case c == 'u' && next == '&' && s.at(s.pos+2) == '\'':
		s.pos += 2
		return s.quoted('\'', false, UniString)
	case c == 'u' && next == '&' && s.at(s.pos+2) == '"':
		s.pos += 2
		return s.quoted('"', false, QuotedIdent)
	}
	for s.pos < len(s.s) {
		c := s.s[s.pos]
		if k := classes[c]; k != classIdent && k != classDigit && c != '$' {
			break
		}
		s.pos++
	}
	return Ident
}

// quoted reads a quoted token from its opening quote on. Strings that are
// separated only by white space with a newline continue each other.
func (s *Scanner) quoted(quote byte, escapes bool, kind Kind) Kind {
	for {
		s.pos++
		for {
			if s.pos >= len(s.s) {
				return Invalid
			}
			c := s.s[s.pos]
			if c == '\\' && escapes {
				s.pos = min(s.pos+2, len(s.s))
				continue
			}
			if c == quote {
				if s.at(s.pos+1) != quote {
					break
				}
				s.pos++
			}
			s.pos++
		}
		s.pos++
		if quote == '"' {
			return kind
		}
		next := s.continuation(s.pos)
		if next < 0 {
			return kind
		}
		s.pos = next
	}
}

// continuation returns where a string that continues the one ending at i opens, or -1.
func (s *Scanner) continuation(i int) int {
	newline := false
	for i < len(s.s) {
		c := s.s[i]
		switch {
		case c == '\n' || c == '\r':
			newline = true
			i++
		case classes[c] == classSpace:
			i++
		case c == '-' && s.at(i+1) == '-' && newline:
			for i < len(s.s) && s.s[i] != '\n' && s.s[i] != '\r' {
				i++
			}
		case c == '\'' && newline:
			return i
		default:
			return -1
		}
	}
	return -1
}

func (s *Scanner) dollar() Kind {
	i := s.pos + 1
	if c := s.at(i); classes[c] == classDigit {
		for classes[s.at(i)] == classDigit {
			i++
		}
		s.pos = i
		return Param
	}
	for i < len(s.s) && (classes[s.s[i]] == classIdent || classes[s.s[i]] == classDigit) {
		i++
	}
	if s.at(i) != '$' {
		s.pos++
		return Invalid
	}
	tag := s.s[s.pos : i+1]
	end := strings.Index(s.s[i+1:], tag)
	if end < 0 {
		s.pos = len(s.s)
		return Invalid
	}
	s.pos = i + 1 + end + len(tag)
	return DollarString
}

func (s *Scanner) number() Kind {
	i := s.pos
	if c := s.at(i + 1); s.s[i] == '0' && (c|0x20 == 'x' || c|0x20 == 'o' || c|0x20 == 'b') && isHexOrUnderscore(s.at(i+2)) {
		i += 2
		for isHexOrUnderscore(s.at(i)) {
			i++
		}
		s.pos = i
		return Integer
	}
	kind := Integer
	i = s.digits(i)
	if s.at(i) == '.' && s.at(i+1) != '.' {
		kind = Float
		i = s.digits(i + 1)
	}
	if s.at(i)|0x20 == 'e' {
		j := i + 1
		if c := s.at(j); c == '+' || c == '-' {
			j++
		}
		if classes[s.at(j)] == classDigit {
			kind = Float
			i = s.digits(j)
		}
	}
	s.pos = i
	return kind
}

func (s *Scanner) digits(i int) int {
	for classes[s.at(i)] == classDigit || s.at(i) == '_' && classes[s.at(i+1)] == classDigit {
		i++
	}
	return i
}

func isHexOrUnderscore(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f' || c == '_'
}

func (s *Scanner) operator() Kind {
	start := s.pos
	i := start
	special := false
	for i < len(s.s) && classes[s.s[i]] == classOp {
		if i-start >= MaxOperator {
			s.pos = len(s.s)
			return Invalid
		}
		if i > start && (s.s[i] == '-' && s.at(i+1) == '-' || s.s[i] == '/' && s.at(i+1) == '*') {
			break
		}
		if strings.IndexByte("~!@#^&|`?%", s.s[i]) >= 0 {
			special = true
		}
		i++
	}
	if !special {
		for i > start+1 && (s.s[i-1] == '+' || s.s[i-1] == '-') {
			i--
		}
	}
	s.pos = i
	return Operator
}

func (s *Scanner) punct(c byte) Kind {
	switch {
	case c == ':' && s.at(s.pos+1) == ':':
		s.pos += 2
		return Operator
	case c == ':' && s.at(s.pos+1) == '=', c == '.' && s.at(s.pos+1) == '.':
		s.pos += 2
		return Punct
	case c == '.' && classes[s.at(s.pos+1)] == classDigit:
		i := s.digits(s.pos + 1)
		if s.at(i)|0x20 == 'e' {
			j := i + 1
			if c := s.at(j); c == '+' || c == '-' {
				j++
			}
			if classes[s.at(j)] == classDigit {
				i = s.digits(j)
			}
		}
		s.pos = i
		return Float
	}
	s.pos++
	return Punct
}
