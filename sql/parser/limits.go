package parser

import (
	"strings"
	"unicode/utf8"

	"github.com/omendb/omendb/sql/pgerr"
)

// The limits on a text, checked before the grammar sees it.
const (
	// MaxText bounds the text: literals of many megabytes are legal, and the
	// tree of a text is about 30 times its size.
	MaxText = 256 << 20
	// MaxTokens bounds the work of one text: an INSERT of 100,000 rows of ten
	// columns fits.
	MaxTokens = 4 << 20
	// MaxDepth bounds the depth of the parse tree: the grammar's code recurses
	// over it in C, where an exhausted stack cannot be caught. The deepest texts that
	// pass were parsed on threads with 768 kB of stack; musl's default of 128 kB is not enough.
	MaxDepth = 1000
	// MaxComments bounds the nesting of comments: the grammar's scanner needs time
	// quadratic in it.
	MaxComments = 500
	// MaxOperator bounds a run of operator characters, for the same reason. Longer
	// than 63 is no operator anyway.
	MaxOperator = 1000
	// MaxConcurrent bounds the threads that are inside the grammar.
	MaxConcurrent = 16
)

// frame is one level of nesting: the text, a parenthesis, a bracket or a CASE.
// Operators, joins and set operations of a level make left-deep trees.
type frame struct {
	open           byte // '(' '[' 'c' or 0
	ops            int  // operators in a row
	joins          int
	setops         int
	inner, deepest int // deepest child since ops was reset, deepest part so far
}

func (f *frame) settle() {
	f.deepest = max(f.deepest, f.ops+f.inner)
	f.ops, f.inner = 0, 0
}

func (f *frame) depth() int {
	f.settle()
	return f.deepest + f.joins + f.setops + 1
}

// Check refuses a text that the grammar may not see.
func Check(sql string) error {
	if len(sql) > MaxText {
		return pgerr.New(pgerr.ProgramLimitExceeded, "statement is too long").
			WithDetail("The statement has %d bytes; the limit is %d.", len(sql), MaxText)
	}
	if err := CheckEncoding(sql); err != nil {
		return err
	}
	b := bounder{frames: make([]frame, 1, 16)}
	s := NewScanner(sql)
	for n := 0; ; n++ {
		t := s.Next()
		if t.Kind == EOF {
			break
		}
		if n >= MaxTokens {
			return pgerr.New(pgerr.ProgramLimitExceeded, "statement is too complex").
				WithDetail("The statement has more than %d tokens.", MaxTokens)
		}
		if t.Kind == Invalid {
			if err := hopeless(sql[t.Start:]); err != nil {
				return err.At(Position(sql, t.Start))
			}
		}
		if t.Kind == Integer || t.Kind == Float || t.Kind == Param {
			if err := junk(sql, t); err != nil {
				return err.At(Position(sql, t.Start))
			}
		}
		if !b.token(t, sql) {
			return tooDeep()
		}
	}
	for len(b.frames) > 1 {
		b.pop()
	}
	if b.frames[0].depth() > MaxDepth {
		return tooDeep()
	}
	return nil
}

// hopeless refuses what the scanner gave up on and the grammar must not try.
func hopeless(rest string) *pgerr.Error {
	switch {
	case strings.HasPrefix(rest, "/*"):
		return pgerr.New(pgerr.SyntaxError, "unterminated /* comment at or near \"%s\"", rest)
	case classes[rest[0]] == classOp:
		return pgerr.New(pgerr.SyntaxError, "operator too long at or near \"%s\"", rest)
	}
	return nil
}

// junk refuses what the grammar, which is of a later release, takes for a number or reads past: 0x1F, 1_000 and $1a.
func junk(sql string, t Token) *pgerr.Error {
	i, what := t.Start, "numeric literal"
	if t.Kind == Param {
		i, what = t.End, "parameter"
	} else {
		i = decimal(sql, i)
		if i == t.End {
			return nil // the grammar refuses letters behind such a number itself
		}
	}
	end := i
	for end < len(sql) && (classes[sql[end]] == classIdent || classes[sql[end]] == classDigit || sql[end] == '$') {
		end++
	}
	if end == i || classes[sql[i]] != classIdent {
		return nil
	}
	return pgerr.New(pgerr.SyntaxError, "trailing junk after %s at or near \"%s\"", what, sql[t.Start:end])
}

// decimal returns where a number of PostgreSQL 15 ends.
func decimal(sql string, i int) int {
	digits := func() {
		for i < len(sql) && classes[sql[i]] == classDigit {
			i++
		}
	}
	if digits(); i+1 < len(sql) && sql[i] == '.' && sql[i+1] != '.' || i+1 == len(sql) && sql[i] == '.' {
		i++
		digits()
	}
	if j := i; j < len(sql) && sql[j]|0x20 == 'e' {
		if j++; j < len(sql) && (sql[j] == '+' || sql[j] == '-') {
			j++
		}
		if j < len(sql) && classes[sql[j]] == classDigit {
			i = j
			digits()
		}
	}
	return i
}

func tooDeep() error {
	return pgerr.New(pgerr.StatementTooComplex, "stack depth limit exceeded").
		WithHint(`Increase the configuration parameter "max_stack_depth" (currently 2048kB), after ensuring the platform's stack depth limit is adequate.`)
}

// CheckEncoding refuses NUL and bytes that are not UTF-8, with PostgreSQL's words.
func CheckEncoding(s string) error {
	if i := strings.IndexByte(s, 0); i >= 0 {
		return pgerr.New(pgerr.CharacterNotInRepertoire, `invalid byte sequence for encoding "UTF8": 0x00`)
	}
	if utf8.ValidString(s) {
		return nil
	}
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n <= 1 {
			return badSequence(s[i:])
		}
		i += n
	}
	return nil
}

// badSequence names as many bytes as the first one announces.
func badSequence(s string) error {
	n := 1
	switch c := s[0]; {
	case c&0xe0 == 0xc0:
		n = 2
	case c&0xf0 == 0xe0:
		n = 3
	case c&0xf8 == 0xf0:
		n = 4
	}
	n = min(n, len(s))
	const hex = "0123456789abcdef"
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString("0x")
		b.WriteByte(hex[s[i]>>4])
		b.WriteByte(hex[s[i]&15])
	}
	return pgerr.New(pgerr.CharacterNotInRepertoire, `invalid byte sequence for encoding "UTF8": %s`, b.String())
}

// selectLevels is what a subquery adds to the depth of the tree beyond its parentheses:
// sublink, statement, target or FROM item.
const selectLevels = 3

// bounder follows the nesting of a text and bounds the depth of its tree from above.
type bounder struct {
	frames []frame
	prev   string
}

func (b *bounder) top() *frame { return &b.frames[len(b.frames)-1] }

func (b *bounder) push(open byte) bool {
	f := frame{open: open}
	if open != '(' {
		f.setops = 1 // CASE and subscripts take two levels of the tree each
	}
	b.frames = append(b.frames, f)
	return len(b.frames) <= MaxDepth
}

func (b *bounder) pop() {
	d := b.top().depth()
	b.frames = b.frames[:len(b.frames)-1]
	t := b.top()
	t.inner = max(t.inner, d)
}

// close ends the innermost level that was opened by open, and any CASE left open in it.
func (b *bounder) close(open byte) {
	for i := len(b.frames) - 1; i > 0; i-- {
		if b.frames[i].open == open {
			for len(b.frames) > i {
				b.pop()
			}
			return
		}
		if b.frames[i].open != 'c' {
			return
		}
	}
}

func (b *bounder) token(t Token, sql string) bool {
	word := ""
	switch t.Kind {
	case Operator:
		b.top().ops++
	case Punct:
		switch sql[t.Start] {
		case '(':
			if !b.push('(') {
				return false
			}
		case '[':
			if !b.push('[') {
				return false
			}
		case ')':
			b.close('(')
		case ']':
			b.close('[')
		case ',':
			b.top().settle()
			f := b.top()
			f.deepest, f.joins = f.deepest+f.joins, 0
		case ';':
			for len(b.frames) > 1 {
				b.pop()
			}
			if b.frames[0].depth() > MaxDepth {
				return false
			}
			b.frames[0] = frame{}
		}
	case Ident:
		word = sql[t.Start:t.End]
		if len(word) <= 9 {
			if !b.word(word) {
				return false
			}
		}
	}
	b.prev = word
	f := b.top()
	return f.ops+f.joins+f.setops+f.inner+f.deepest+len(b.frames) <= 2*MaxDepth
}

func (b *bounder) word(w string) bool {
	var buf [9]byte
	for i := range len(w) {
		c := w[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		buf[i] = c
	}
	switch string(buf[:len(w)]) {
	case "not", "is", "isnull", "notnull", "collate", "at", "like", "ilike", "similar", "between", "in", "operator":
		b.top().ops++
	case "join":
		b.top().settle()
		b.top().joins++
	case "union", "intersect", "except":
		b.top().settle()
		b.top().setops++
	case "case":
		return b.push('c')
	case "end":
		if b.top().open == 'c' {
			b.pop()
		}
	case "from":
		if !strings.EqualFold(b.prev, "distinct") {
			b.top().settle()
		}
	case "select":
		f := b.top()
		f.settle()
		if f.open == '(' && f.setops < selectLevels {
			f.setops += selectLevels
		}
	case "where", "on", "and", "or", "then", "when", "else", "group", "order", "having", "values", "set":
		b.top().settle()
	}
	return true
}
