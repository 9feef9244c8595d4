package functions

import (
	"strings"
	"unicode/utf8"
)

// classRanges are the character classes of the C locale.
var classRanges = map[string]string{
	"alpha": "a-zA-Z", "digit": "0-9", "alnum": "a-zA-Z0-9", "upper": "A-Z", "lower": "a-z", "space": ` \t\n\r\f\v`,
	"blank": ` \t`, "punct": `!-/:-@\[-` + "`" + `{-~`, "cntrl": `\x00-\x1f\x7f`, "graph": "!-~", "print": " -~",
	"xdigit": "0-9A-Fa-f", "word": "a-zA-Z0-9_", "ascii": `\x00-\x7f`,
}

// escape reads what follows a backslash outside brackets.
func (p *areParser) escape() (constraint bool, err error) {
	if p.pos >= len(p.src) {
		return false, regexError(`invalid escape \ sequence`)
	}
	c := p.src[p.pos]
	switch c {
	case 'd', 's', 'w':
		p.pos++
		p.emit("[" + escapeClass(c) + "]")
	case 'D', 'S', 'W':
		p.pos++
		p.emit("[^" + escapeClass(c+'a'-'A') + "]")
	case 'A':
		p.pos++
		p.anchored = true
		p.emit(`\A`)
		return true, nil
	case 'Z':
		p.pos++
		p.emit(`\z`)
		return true, nil
	case 'y', 'Y':
		p.pos++
		p.context = true
		p.emit(map[rune]string{'y': `\b`, 'Y': `\B`}[c])
		return true, nil
	case 'm', '<':
		p.pos++
		p.wordStart()
		return true, nil
	case 'M', '>':
		p.pos++
		p.wordEnd()
		return true, nil
	case '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return false, p.backReference()
	default:
		r, err := p.charEscape()
		if err != nil {
			return false, err
		}
		p.literal(r)
	}
	return false, nil
}

func escapeClass(c rune) string {
	return classRanges[map[rune]string{'d': "digit", 's': "space", 'w': "word"}[c]]
}

func isWordRune(r rune) bool {
	return r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}

// wordStart is a plain boundary when a word character must follow.
func (p *areParser) wordStart() {
	p.context = true
	if isWordRune(p.peek()) {
		p.emit(`\b`)
		return
	}
	p.backtrack = true
	p.emit(`\b(?=\w)`)
}

// wordEnd is a plain boundary when a word character went before.
func (p *areParser) wordEnd() {
	p.context = true
	if n := len(p.out); n > 0 && isWordRune(rune(p.out[n-1])) && (n == 1 || p.out[n-2] != '\\') {
		p.emit(`\b`)
		return
	}
	p.backtrack = true
	p.emit(`\b(?<=\w)`)
}

func (p *areParser) backReference() error {
	n, digits := 0, 0
	for c := p.peek(); c >= '0' && c <= '9' && digits < 2; c = p.peek() {
		if digits == 1 && n*10+int(c-'0') > p.groups {
			break
		}
		n = n*10 + int(c-'0')
		digits++
		p.pos++
	}
	if n > p.groups {
		return regexError("invalid backreference number")
	}
	p.backtrack = true
	p.emit(`(?:\` + string(rune('0'+n%10)) + `)`)
	if n > 9 {
		return regexError("invalid backreference number")
	}
	return nil
}

// charEscape reads an escape that stands for one character, p.pos at the character after
// the backslash.
func (p *areParser) charEscape() (rune, error) {
	c := p.src[p.pos]
	p.pos++
	switch c {
	case 'a':
		return 7, nil
	case 'b':
		return 8, nil
	case 'B':
		return '\\', nil
	case 'e':
		return 27, nil
	case 'f':
		return 12, nil
	case 'n':
		return 10, nil
	case 'r':
		return 13, nil
	case 't':
		return 9, nil
	case 'v':
		return 11, nil
	case 'c':
		if p.pos < len(p.src) {
			p.pos++
			return p.src[p.pos-1] & 0x1f, nil
		}
	case 'u':
		return p.number(16, 4, 4)
	case 'U':
		return p.number(16, 8, 8)
	case 'x':
		return p.number(16, 1, 255)
	case '0':
		p.pos--
		return p.number(8, 1, 3)
	default:
		if !isWordRune(c) || c == '_' {
			return c, nil
		}
	}
	return 0, regexError(`invalid escape \ sequence`)
}

func (p *areParser) number(base, least, most int) (rune, error) {
	n, digits := 0, 0
	for ; digits < most && p.pos < len(p.src); digits++ {
		v := strings.IndexRune("0123456789abcdef", p.src[p.pos]|0x20)
		if p.src[p.pos] >= '0' && p.src[p.pos] <= '9' {
			v = int(p.src[p.pos] - '0')
		}
		if v < 0 || v >= base {
			break
		}
		n = min(n*base+v, utf8.MaxRune+1)
		p.pos++
	}
	if digits < least || n > utf8.MaxRune {
		return 0, regexError(`invalid escape \ sequence`)
	}
	return rune(n), nil
}

// bracket reads a bracket expression, p.pos after its opening bracket.
func (p *areParser) bracket() (constraint bool, err error) {
	if rest := string(p.src[p.pos:min(p.pos+6, len(p.src))]); rest == "[:<:]]" || rest == "[:>:]]" {
		p.pos += 6
		if rest == "[:<:]]" {
			p.wordStart()
		} else {
			p.wordEnd()
		}
		return true, nil
	}
	var set strings.Builder
	negated := p.peek() == '^'
	if negated {
		p.pos++
	}
	for first := true; ; first = false {
		c := p.peek()
		switch {
		case c == -1:
			return false, regexError("brackets [] not balanced")
		case c == ']' && !first:
			p.pos++
			p.emitSet(set.String(), negated)
			return false, nil
		}
		if err := p.bracketItem(&set); err != nil {
			return false, err
		}
	}
}

func (p *areParser) emitSet(set string, negated bool) {
	if negated && p.flags.dotNL {
		set += `\n`
	}
	if negated {
		set = "^" + set
	}
	p.emit("[" + set + "]")
}

// bracketItem reads a class, a character or a range.
func (p *areParser) bracketItem(set *strings.Builder) error {
	if p.peek() == '[' && p.pos+1 < len(p.src) && p.src[p.pos+1] == ':' {
		rest := string(p.src[p.pos+2:])
		name, _, ok := strings.Cut(rest, ":]")
		if !ok {
			return regexError("brackets [] not balanced")
		}
		ranges, known := classRanges[name]
		if !known {
			return regexError("invalid character class")
		}
		p.pos += 4 + utf8.RuneCountInString(name)
		set.WriteString(ranges)
		return nil
	}
	if p.peek() == '\\' && p.pos+1 < len(p.src) {
		switch c := p.src[p.pos+1]; c {
		case 'd', 's', 'w':
			p.pos += 2
			set.WriteString(escapeClass(c))
			return nil
		case 'D', 'S', 'W':
			p.pos += 2
			set.WriteString(map[rune]string{'D': `\D`, 'S': `\S`, 'W': `\W`}[c])
			return nil
		}
	}
	lo, err := p.bracketChar()
	if err != nil {
		return err
	}
	hi := lo
	if p.peek() == '-' && p.pos+1 < len(p.src) && p.src[p.pos+1] != ']' {
		p.pos++
		if hi, err = p.bracketChar(); err != nil {
			return err
		}
		if hi < lo {
			return regexError("invalid character range")
		}
	}
	writeSetRune(set, lo)
	if hi != lo {
		set.WriteByte('-')
		writeSetRune(set, hi)
	}
	return nil
}

func writeSetRune(set *strings.Builder, r rune) {
	if strings.ContainsRune(`\]^-[`, r) {
		set.WriteByte('\\')
	}
	set.WriteRune(r)
}

// bracketChar reads one character inside brackets: itself, an escape, [.x.] or [=x=].
func (p *areParser) bracketChar() (rune, error) {
	c := p.peek()
	p.pos++
	switch {
	case c == -1:
		return 0, regexError("brackets [] not balanced")
	case c == '\\':
		if p.pos >= len(p.src) {
			return 0, regexError("brackets [] not balanced")
		}
		return p.charEscape()
	case c == '[' && (p.peek() == '.' || p.peek() == '='):
		if p.pos+3 < len(p.src) && p.src[p.pos+2] == p.src[p.pos] && p.src[p.pos+3] == ']' {
			p.pos += 4
			return p.src[p.pos-3], nil
		}
		return 0, regexError("invalid collating element")
	}
	return c, nil
}
