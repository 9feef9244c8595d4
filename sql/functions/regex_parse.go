package functions

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/omendb/omendb/sql/pgerr"
)

// areFlags are the options of a regular expression.
type areFlags struct {
	icase    bool
	dotNL    bool // . and [^x] do not match newlines
	lineNL   bool // ^ and $ match at newlines
	expanded bool
	quote    bool // the pattern is a plain string
	global   bool // of the functions that take "g"
}

// parseFlags reads PostgreSQL's flag letters.
func parseFlags(s string, global bool) (areFlags, error) {
	var f areFlags
	for _, r := range s {
		if r == 'g' && global {
			f.global = true
			continue
		}
		if !f.set(r) {
			return f, pgerr.New(pgerr.InvalidParameterValue, "invalid regular expression option: \"%c\"", r)
		}
	}
	return f, nil
}

func (f *areFlags) set(r rune) bool {
	switch r {
	case 'i':
		f.icase = true
	case 'c':
		f.icase = false
	case 'n', 'm':
		f.dotNL, f.lineNL = true, true
	case 'p':
		f.dotNL, f.lineNL = true, false
	case 'w':
		f.dotNL, f.lineNL = false, true
	case 's':
		f.dotNL, f.lineNL = false, false
	case 'x':
		f.expanded = true
	case 't':
		f.expanded = false
	case 'q':
		f.quote = true
	case 'b', 'e': // basic and extended expressions differ from advanced ones in details
		return r == 'e'
	default:
		return false
	}
	return true
}

func regexError(reason string) error {
	return pgerr.New(pgerr.InvalidRegularExpression, "invalid regular expression: %s", reason)
}

// areParser translates a PostgreSQL advanced regular expression to the Perl-like syntax
// that Go's engines read.
type areParser struct {
	src    []rune
	pos    int
	out    []byte
	flags  areFlags
	groups int
	depth  int
	lazy   bool // every quantifier prefers few: inside a group quantified {1,1}?

	prefers   byte // what the expression or the part read last prefers: 'g' long matches, '?' short ones, 0 neither
	mixed     bool // some quantifiers prefer long matches
	backtrack bool // look-around or back-references: RE2 cannot
	anchored  bool // contains ^ or \A
	context   bool // contains assertions that look at the character before
}

// maxRegexDepth bounds nested parentheses, which the parser follows by recursion.
const maxRegexDepth = 250

func parseARE(pattern string, flags areFlags, lazy bool) (*areParser, error) {
	p := &areParser{flags: flags, lazy: lazy}
	switch {
	case strings.HasPrefix(pattern, "***="):
		pattern, p.flags.quote = pattern[4:], true
	case strings.HasPrefix(pattern, "***:"):
		pattern = pattern[4:]
	case strings.HasPrefix(pattern, "***"):
		return nil, regexError("quantifier operand invalid")
	}
	p.src = []rune(pattern)
	if p.flags.quote {
		for _, r := range p.src {
			p.literal(r)
		}
		return p, nil
	}
	if err := p.embeddedOptions(); err != nil {
		return nil, err
	}
	if err := p.alternatives(); err != nil {
		return nil, err
	}
	if p.pos < len(p.src) {
		return nil, regexError("parentheses () not balanced")
	}
	return p, nil
}

// embeddedOptions reads (?flags) at the start.
func (p *areParser) embeddedOptions() error {
	if len(p.src) < 3 || p.src[0] != '(' || p.src[1] != '?' || !unicode.IsLetter(p.src[2]) {
		return nil
	}
	for i := 2; i < len(p.src); i++ {
		if p.src[i] == ')' {
			p.pos = i + 1
			return nil
		}
		if !p.flags.set(p.src[i]) {
			break
		}
	}
	return regexError("invalid embedded option")
}

func (p *areParser) peek() rune {
	if p.pos < len(p.src) {
		return p.src[p.pos]
	}
	return -1
}

func (p *areParser) skipExpanded() {
	for p.pos < len(p.src) {
		switch {
		case p.flags.expanded && unicode.IsSpace(p.src[p.pos]):
			p.pos++
		case p.flags.expanded && p.src[p.pos] == '#':
			for p.pos < len(p.src) && p.src[p.pos] != '\n' {
				p.pos++
			}
		case p.pos+2 < len(p.src) && string(p.src[p.pos:p.pos+3]) == "(?#":
			for p.pos < len(p.src) && p.src[p.pos] != ')' {
				p.pos++
			}
			p.pos++
		default:
			return
		}
	}
}

func (p *areParser) emit(s string) { p.out = append(p.out, s...) }

func (p *areParser) literal(r rune) {
	if strings.ContainsRune(`\.+*?()|[]{}^$#`, r) {
		p.out = append(p.out, '\\')
	}
	p.out = append(p.out, string(r)...)
}

func (p *areParser) alternatives() error {
	if p.depth++; p.depth > maxRegexDepth {
		return regexError("regular expression is too complex")
	}
	defer func() { p.depth-- }()
	prefers := byte(0)
	for branches := 1; ; branches++ {
		p.skipExpanded()
		for c := p.peek(); c != -1 && c != '|' && c != ')'; c = p.peek() {
			p.prefers = 0
			if err := p.quantified(); err != nil {
				return err
			}
			if prefers == 0 {
				prefers = p.prefers
			}
			p.skipExpanded()
		}
		if p.peek() != '|' {
			if p.prefers = prefers; branches > 1 {
				p.prefers = 'g'
			}
			return nil
		}
		p.pos++
		p.emit("|")
	}
}

// quantified reads one atom and its quantifier.
func (p *areParser) quantified() error {
	start, mark, groups := p.pos, len(p.out), p.groups
	constraint, err := p.atom()
	if err != nil {
		return err
	}
	p.skipExpanded()
	text, lazy, err := p.quantifier()
	if err != nil || text == "" {
		return err
	}
	if constraint {
		return regexError("quantifier operand invalid")
	}
	switch {
	case lazy:
		p.prefers = '?'
	case text[0] != '{' || strings.Contains(text, ","): // {m} prefers what its atom does
		p.prefers, p.mixed = 'g', true
	}
	prefers := p.prefers
	defer func() { p.prefers = prefers }()
	end := p.pos
	if text == "{1,1}" && lazy && !p.lazy {
		// The group as a whole prefers few, so everything inside does.
		p.pos, p.out, p.groups, p.lazy = start, p.out[:mark], groups, true
		_, err = p.atom()
		p.pos, p.lazy = end, false
		return err
	}
	atom := slices.Clone(p.out[mark:])
	p.out = append(p.out[:mark], "(?:"...)
	p.out = append(append(p.out, atom...), ')')
	p.emit(text)
	if lazy || p.lazy {
		p.emit("?")
	}
	if c := p.peek(); c == '*' || c == '+' || c == '?' {
		return regexError("quantifier operand invalid")
	}
	return nil
}

// quantifier reads a quantifier, "" when there is none.
func (p *areParser) quantifier() (text string, lazy bool, err error) {
	switch c := p.peek(); c {
	case '*', '+', '?':
		p.pos++
		text = string(c)
	case '{':
		if p.pos+1 >= len(p.src) || p.src[p.pos+1] < '0' || p.src[p.pos+1] > '9' {
			return "", false, nil
		}
		if text, err = p.bound(); err != nil {
			return "", false, err
		}
	default:
		return "", false, nil
	}
	if p.peek() == '?' {
		p.pos++
		lazy = true
	}
	return text, lazy, nil
}

// maxRepeat is the largest bound, as in PostgreSQL.
const maxRepeat = 255

func (p *areParser) bound() (string, error) {
	p.pos++
	number := func() int {
		n := 0
		for c := p.peek(); c >= '0' && c <= '9'; c = p.peek() {
			n = min(n*10+int(c-'0'), maxRepeat+1)
			p.pos++
		}
		return n
	}
	lo := number()
	text := "{" + strconv.Itoa(lo)
	hi := lo
	if p.peek() == ',' {
		p.pos++
		text += ","
		if c := p.peek(); c >= '0' && c <= '9' {
			hi = number()
			text += strconv.Itoa(hi)
		}
	}
	switch {
	case p.peek() == -1:
		return "", regexError("braces {} not balanced")
	case p.peek() != '}', lo > maxRepeat, hi > maxRepeat, lo > hi:
		return "", regexError("invalid repetition count(s)")
	}
	p.pos++
	return text + "}", nil
}

// atom reads one atom; constraint says that it matches no character and takes no quantifier.
func (p *areParser) atom() (constraint bool, err error) {
	c := p.src[p.pos]
	p.pos++
	switch c {
	case '.':
		if p.flags.dotNL {
			p.emit(`[^\n]`)
		} else {
			p.emit(`(?s:.)`)
		}
	case '^':
		p.anchored = true
		if p.flags.lineNL {
			p.context = true
			p.emit(`(?m:^)`)
		} else {
			p.emit(`\A`)
		}
		return true, nil
	case '$':
		if p.flags.lineNL {
			p.emit(`(?m:$)`)
		} else {
			p.emit(`\z`)
		}
		return true, nil
	case '*', '+', '?':
		return false, regexError("quantifier operand invalid")
	case '{':
		if n := p.peek(); n >= '0' && n <= '9' {
			return false, regexError("quantifier operand invalid")
		}
		p.literal(c)
	case '(':
		return p.group()
	case '[':
		return p.bracket()
	case '\\':
		return p.escape()
	default:
		p.literal(c)
	}
	return false, nil
}

func (p *areParser) group() (constraint bool, err error) {
	open := "("
	rest := string(p.src[p.pos:min(p.pos+3, len(p.src))])
	switch {
	case strings.HasPrefix(rest, "?:"):
		open = "(?:"
	case strings.HasPrefix(rest, "?="), strings.HasPrefix(rest, "?!"):
		open = "(" + rest[:2]
		constraint, p.backtrack = true, true
	case rest == "?<=", rest == "?<!":
		open = "(" + rest
		constraint, p.backtrack, p.context = true, true, true
	case strings.HasPrefix(rest, "?"):
		return false, regexError("quantifier operand invalid")
	default:
		p.groups++
	}
	p.pos += len(open) - 1
	p.emit(open)
	if err := p.alternatives(); err != nil {
		return false, err
	}
	if p.peek() != ')' {
		return false, regexError("parentheses () not balanced")
	}
	p.pos++
	p.emit(")")
	return constraint, nil
}
