package types

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/omendb/omendb/sql/pgerr"
)

// pathToken is one word of a jsonpath.
type pathToken struct {
	kind byte // 's' quoted string, 'i' identifier, 'n' number, 'v' variable, 'o' operator or sign, 0 the end
	text string
	raw  string
}

// pathParser reads a jsonpath by recursive descent. Predicates and expressions share one
// recursion; where the grammar wants one of them, need* checks.
type pathParser struct {
	s     string
	at    int
	tok   pathToken
	depth int
}

// maxPathDepth bounds the nesting of a jsonpath, whose reader recurses.
const maxPathDepth = 1000

// ParseJSONPath parses a jsonpath.
func ParseJSONPath(s string) (p *JSONPath, err error) {
	r := &pathParser{s: s}
	defer func() {
		if x := recover(); x != nil {
			e, ok := x.(*pgerr.Error)
			if !ok {
				panic(x)
			}
			p, err = nil, e
		}
	}()
	r.next()
	if r.tok.kind == 0 {
		return nil, pgerr.New(pgerr.InvalidTextRepresentation, "invalid input syntax for type jsonpath: \"%s\"", s)
	}
	p = &JSONPath{}
	if w := r.word(); w == "strict" || w == "lax" {
		p.Strict = w == "strict"
		r.next()
	}
	p.Root = r.or()
	if r.tok.kind != 0 {
		r.fail("syntax error")
	}
	return p, p.Root.check(0, false)
}

// fail reports an error at the current token.
func (r *pathParser) fail(message string) {
	if r.tok.kind == 0 {
		panic(pathSyntax("%s at end of jsonpath input", message))
	}
	r.failAt(message, r.tok.raw)
}

func (r *pathParser) failAt(message, near string) {
	panic(pathSyntax("%s at or near \"%s\" of jsonpath input", message, near))
}

// pathSigns are the characters that end a word.
const pathSigns = "?%$.[]{}()|&!=<>@#,*:-+/"

func isPathWord(c byte) bool {
	return strings.IndexByte(pathSigns, c) < 0 && strings.IndexByte("\\\" \t\n\r\f", c) < 0
}

func (r *pathParser) next() {
	for r.at < len(r.s) {
		switch {
		case strings.IndexByte(" \t\n\r\f", r.s[r.at]) >= 0:
			r.at++
			continue
		case strings.HasPrefix(r.s[r.at:], "/*"):
			end := strings.Index(r.s[r.at+2:], "*/")
			if end < 0 {
				r.at, r.tok = len(r.s), pathToken{}
				r.fail("unexpected end of comment")
			}
			r.at += end + 4
			continue
		}
		break
	}
	start := r.at
	r.tok = pathToken{}
	if start >= len(r.s) {
		return
	}
	c := r.s[start]
	switch {
	case c == '"':
		r.at++
		r.tok = pathToken{kind: 's', text: r.quoted()}
	case c == '$' && start+1 < len(r.s) && r.s[start+1] == '"':
		r.at += 2
		r.tok = pathToken{kind: 'v', text: r.quoted()}
	case c == '$' && start+1 < len(r.s) && (isPathWord(r.s[start+1]) || r.s[start+1] == '\\'):
		r.at++
		r.tok = pathToken{kind: 'v', text: r.unquoted()}
	case c >= '0' && c <= '9' || c == '.' && start+1 < len(r.s) && isDigit(r.s[start+1]):
		r.tok = pathToken{kind: 'n', text: r.number()}
	case isPathWord(c) || c == '\\':
		r.tok = pathToken{kind: 'i', text: r.unquoted()}
	default:
		r.at++
		for _, op := range []string{"&&", "||", "==", "!=", "<>", "<=", ">=", "**"} {
			if strings.HasPrefix(r.s[start:], op) {
				r.at = start + 2
			}
		}
		r.tok = pathToken{kind: 'o', text: r.s[start:r.at]}
	}
	r.tok.raw = r.s[start:r.at]
}

// number reads a numeric literal.
func (r *pathParser) number() string {
	start := r.at
	digits := func() {
		for r.at < len(r.s) && isDigit(r.s[r.at]) {
			r.at++
		}
	}
	if r.s[r.at] == '0' {
		r.at++
	} else {
		digits()
	}
	if r.at < len(r.s) && r.s[r.at] == '.' {
		r.at++
		digits()
	}
	if r.at < len(r.s) && (r.s[r.at] == 'e' || r.s[r.at] == 'E') {
		end := r.at + 1
		signed := end < len(r.s) && (r.s[end] == '+' || r.s[end] == '-')
		if signed {
			end++
		}
		switch {
		case end < len(r.s) && isDigit(r.s[end]):
			r.at = end
			digits()
		case signed:
			r.failAt("invalid numeric literal", r.s[start:end])
		}
	}
	if r.at < len(r.s) && isPathWord(r.s[r.at]) {
		_, n := utf8.DecodeRuneInString(r.s[r.at:])
		r.failAt("trailing junk after numeric literal", r.s[start:r.at+n])
	}
	return r.s[start:r.at]
}

// quoted reads up to the closing quote.
func (r *pathParser) quoted() string {
	var b []byte
	for r.at < len(r.s) {
		switch c := r.s[r.at]; c {
		case '"':
			r.at++
			return string(b)
		case '\\':
			b = r.escape(b)
		default:
			b = append(b, c)
			r.at++
		}
	}
	r.tok = pathToken{}
	panic(pathSyntax("unterminated quoted string at end of jsonpath input"))
}

// unquoted reads a word, in which escapes may stand.
func (r *pathParser) unquoted() string {
	var b []byte
	for r.at < len(r.s) {
		c := r.s[r.at]
		if c == '\\' {
			b = r.escape(b)
			continue
		}
		if !isPathWord(c) {
			break
		}
		b = append(b, c)
		r.at++
	}
	return string(b)
}

// escape reads one backslash sequence.
func (r *pathParser) escape(b []byte) []byte {
	r.at++
	if r.at >= len(r.s) {
		r.tok = pathToken{}
		r.fail("unexpected end after backslash")
	}
	c := r.s[r.at]
	r.at++
	if i := strings.IndexByte("bfnrtv", c); i >= 0 {
		return append(b, "\b\f\n\r\t\v"[i])
	}
	switch c {
	case 'x':
		return utf8.AppendRune(b, r.hex(2, 2, "invalid hexadecimal character sequence"))
	case 'u':
		return r.unicode(b)
	}
	r.at--
	_, n := utf8.DecodeRuneInString(r.s[r.at:])
	r.at += n
	return append(b, r.s[r.at-n:r.at]...)
}

func (r *pathParser) unicode(b []byte) []byte {
	code := r.codePoint()
	if code >= 0xDC00 && code < 0xE000 {
		panic(badSurrogate("Unicode low surrogate must follow a high surrogate."))
	}
	if code >= 0xD800 && code < 0xDC00 {
		if !strings.HasPrefix(r.s[r.at:], "\\u") {
			panic(badSurrogate("Unicode low surrogate must follow a high surrogate."))
		}
		r.at += 2
		low := r.codePoint()
		if low < 0xDC00 || low >= 0xE000 {
			panic(badSurrogate("Unicode low surrogate must follow a high surrogate."))
		}
		code = 0x10000 + (code-0xD800)<<10 + (low - 0xDC00)
	}
	if code == 0 {
		panic(pgerr.New(pgerr.UntranslatableCharacter, "unsupported Unicode escape sequence").WithDetail("\\u0000 cannot be converted to text."))
	}
	return utf8.AppendRune(b, code)
}

func badSurrogate(detail string) *pgerr.Error {
	return pgerr.New(pgerr.InvalidTextRepresentation, "invalid input syntax for type %s", "jsonpath").WithDetail("%s", detail)
}

func (r *pathParser) codePoint() rune {
	if r.at < len(r.s) && r.s[r.at] == '{' {
		r.at++
		v := r.hex(1, 6, "invalid Unicode escape sequence")
		if r.at >= len(r.s) || r.s[r.at] != '}' {
			r.failAt("invalid Unicode escape sequence", r.s[max(0, r.at-3):r.at])
		}
		r.at++
		return v
	}
	return r.hex(4, 4, "invalid Unicode escape sequence")
}

func (r *pathParser) hex(least, most int, message string) rune {
	start := r.at
	for r.at < len(r.s) && r.at-start < most && strings.IndexByte("0123456789abcdefABCDEF", r.s[r.at]) >= 0 {
		r.at++
	}
	if r.at-start < least {
		r.failAt(message, r.s[max(0, start-2):r.at])
	}
	v, _ := strconv.ParseUint(r.s[start:r.at], 16, 32)
	return rune(v)
}

// pathCaseWords are the keywords that must be lower case.
const pathCaseWords = " true false null "

// word returns the keyword at the current token, in lower case; "" when it is none.
func (r *pathParser) word() string {
	if r.tok.kind != 'i' {
		return ""
	}
	if w := strings.ToLower(r.tok.text); !strings.Contains(pathCaseWords, " "+w+" ") || w == r.tok.text {
		return w
	}
	return ""
}

func (r *pathParser) is(op string) bool { return r.tok.kind == 'o' && r.tok.text == op }

func (r *pathParser) take(op string) bool {
	if r.is(op) {
		r.next()
		return true
	}
	return false
}

func (r *pathParser) want(op string) {
	if !r.take(op) {
		r.fail("syntax error")
	}
}

func (r *pathParser) wantWord(w string) {
	if r.word() != w {
		r.fail("syntax error")
	}
	r.next()
}

// predicate reports whether an item is a condition; one with an accessor is an expression.
func (p *PathItem) predicate() bool {
	if p.Next != nil {
		return false
	}
	switch p.Kind {
	case PathAnd, PathOr, PathNot, PathUnknown, PathExists, PathCompare, PathStartsWith, PathLikeRegex:
		return true
	}
	return false
}

func (r *pathParser) need(p *PathItem, predicate bool) *PathItem {
	if p.predicate() != predicate {
		r.fail("syntax error")
	}
	return p
}

func (r *pathParser) enter() {
	if r.depth++; r.depth > maxPathDepth {
		panic(pgerr.New(pgerr.StatementTooComplex, "stack depth limit exceeded"))
	}
}

func (r *pathParser) or() *PathItem {
	r.enter()
	defer func() { r.depth-- }()
	left := r.and()
	for r.is("||") {
		r.need(left, true)
		r.next()
		left = &PathItem{Kind: PathOr, Left: left, Right: r.need(r.and(), true)}
	}
	return left
}

func (r *pathParser) and() *PathItem {
	left := r.condition()
	for r.is("&&") {
		r.need(left, true)
		r.next()
		left = &PathItem{Kind: PathAnd, Left: left, Right: r.need(r.condition(), true)}
	}
	return left
}

// condition reads a comparison, another predicate or an expression.
func (r *pathParser) condition() *PathItem {
	if r.take("!") {
		if !r.is("(") && r.word() != "exists" {
			r.fail("syntax error")
		}
		return &PathItem{Kind: PathNot, Left: r.need(r.condition(), true)}
	}
	left := r.additive()
	switch {
	case r.tok.kind == 'o' && strings.Contains(" == != <> < <= > >= ", " "+r.tok.text+" "):
		r.need(left, false)
		op := r.tok.text
		if op == "<>" {
			op = "!="
		}
		r.next()
		return &PathItem{Kind: PathCompare, Text: op, Left: left, Right: r.need(r.additive(), false)}
	case r.word() == "starts":
		r.need(left, false)
		r.next()
		r.wantWord("with")
		p := &PathItem{Kind: PathStartsWith, Left: left}
		switch r.tok.kind {
		case 's':
			p.Right = &PathItem{Kind: PathString, Text: r.tok.text}
		case 'v':
			p.Right = &PathItem{Kind: PathVariable, Text: r.tok.text}
		default:
			r.fail("syntax error")
		}
		r.next()
		return p
	case r.word() == "like_regex":
		return r.likeRegex(r.need(left, false))
	}
	return left
}

func (r *pathParser) likeRegex(left *PathItem) *PathItem {
	r.next()
	p := &PathItem{Kind: PathLikeRegex, Left: left, Text: r.stringToken()}
	if r.word() == "flag" {
		r.next()
		flags, err := regexFlags(r.stringToken())
		if err != nil {
			panic(pgerr.From(err))
		}
		p.Flags = flags
	}
	return p
}

func (r *pathParser) stringToken() string {
	if r.tok.kind != 's' {
		r.fail("syntax error")
	}
	s := r.tok.text
	r.next()
	return s
}

func (r *pathParser) additive() *PathItem {
	left := r.multiplicative()
	for r.is("+") || r.is("-") {
		kind := PathAdd
		if r.is("-") {
			kind = PathSub
		}
		r.need(left, false)
		r.next()
		left = &PathItem{Kind: kind, Left: left, Right: r.need(r.multiplicative(), false)}
	}
	return left
}

func (r *pathParser) multiplicative() *PathItem {
	left := r.unary()
	for {
		var kind PathKind
		switch {
		case r.is("*"):
			kind = PathMul
		case r.is("/"):
			kind = PathDiv
		case r.is("%"):
			kind = PathMod
		default:
			return left
		}
		r.need(left, false)
		r.next()
		left = &PathItem{Kind: kind, Left: left, Right: r.need(r.unary(), false)}
	}
}

// unary reads signs; those of plain numbers become part of them.
func (r *pathParser) unary() *PathItem {
	r.enter()
	defer func() { r.depth-- }()
	if !r.is("+") && !r.is("-") {
		return r.accessors(r.primary())
	}
	minus := r.is("-")
	r.next()
	arg := r.need(r.unary(), false)
	plain := arg.Kind == PathNumber && arg.Next == nil
	switch {
	case plain && minus:
		return &PathItem{Kind: PathNumber, Number: arg.Number.Neg()}
	case plain:
		return arg
	case minus:
		return &PathItem{Kind: PathMinus, Left: arg}
	}
	return &PathItem{Kind: PathPlus, Left: arg}
}

func (r *pathParser) primary() *PathItem {
	t := r.tok
	switch t.kind {
	case 's':
		r.next()
		return &PathItem{Kind: PathString, Text: t.text}
	case 'v':
		r.next()
		return &PathItem{Kind: PathVariable, Text: t.text}
	case 'n':
		n, err := ParseNumeric(t.text)
		if err != nil {
			panic(pgerr.From(err))
		}
		r.next()
		return &PathItem{Kind: PathNumber, Number: n}
	case 'i':
		return r.wordPrimary()
	}
	switch {
	case r.take("$"):
		return &PathItem{Kind: PathRoot}
	case r.take("@"):
		return &PathItem{Kind: PathCurrent}
	case r.take("("):
		p := r.or()
		r.want(")")
		if p.predicate() && r.word() == "is" {
			r.next()
			r.wantWord("unknown")
			return &PathItem{Kind: PathUnknown, Left: p}
		}
		if !p.predicate() && p.Next != nil && r.startsAccessor() {
			return p
		}
		return p
	}
	r.fail("syntax error")
	return nil
}

func (r *pathParser) startsAccessor() bool {
	return r.is(".") || r.is("[") || r.is("?")
}

func (r *pathParser) wordPrimary() *PathItem {
	var p *PathItem
	switch r.word() {
	case "null":
		p = &PathItem{Kind: PathNull}
	case "true", "false":
		p = &PathItem{Kind: PathBool, Bool: r.word() == "true"}
	case "last":
		p = &PathItem{Kind: PathLast}
	case "exists":
		r.next()
		r.want("(")
		p = &PathItem{Kind: PathExists, Left: r.need(r.or(), false)}
		r.want(")")
		return p
	default:
		r.fail("syntax error")
	}
	r.next()
	return p
}

// pathMethods are the item methods without arguments.
const pathMethods = " type size double abs ceiling floor keyvalue "

// accessors reads what follows a primary and hangs it to its end.
func (r *pathParser) accessors(p *PathItem) *PathItem {
	end := p
	for end.Next != nil {
		end = end.Next
	}
	for {
		var step *PathItem
		switch {
		case r.take("["):
			step = r.subscripts()
		case r.take("?"):
			r.want("(")
			step = &PathItem{Kind: PathFilter, Left: r.need(r.or(), true)}
			r.want(")")
		case r.take("."):
			step = r.member()
		default:
			return p
		}
		end.Next = step
		end = step
	}
}

func (r *pathParser) subscripts() *PathItem {
	if r.take("*") {
		r.want("]")
		return &PathItem{Kind: PathAnyArray}
	}
	p := &PathItem{Kind: PathIndex}
	for {
		s := PathSubscript{From: r.need(r.additive(), false)}
		if r.word() == "to" {
			r.next()
			s.To = r.need(r.additive(), false)
		}
		p.Subscripts = append(p.Subscripts, s)
		if !r.take(",") {
			break
		}
	}
	r.want("]")
	return p
}

// member reads what follows a dot.
func (r *pathParser) member() *PathItem {
	switch {
	case r.take("*"):
		return &PathItem{Kind: PathAnyKey}
	case r.take("**"):
		return r.anyLevels()
	}
	if r.tok.kind != 's' && r.tok.kind != 'i' {
		r.fail("syntax error")
	}
	t, word := r.tok, r.word()
	r.next()
	if t.kind == 'i' && r.is("(") {
		if word == "datetime" {
			r.next()
			p := &PathItem{Kind: PathDatetime}
			if r.tok.kind == 's' {
				p.Left = &PathItem{Kind: PathString, Text: r.stringToken()}
			}
			r.want(")")
			return p
		}
		if strings.Contains(pathMethods, " "+word+" ") {
			r.next()
			r.want(")")
			return &PathItem{Kind: PathMethod, Text: word}
		}
		r.fail("syntax error")
	}
	return &PathItem{Kind: PathKey, Text: t.text}
}

func (r *pathParser) anyLevels() *PathItem {
	p := &PathItem{Kind: PathAny, Last: PathLastLevel}
	if !r.take("{") {
		return p
	}
	level := func() uint32 {
		if r.word() == "last" {
			r.next()
			return PathLastLevel
		}
		v, err := strconv.ParseUint(r.tok.text, 10, 31)
		if r.tok.kind != 'n' || err != nil {
			r.fail("syntax error")
		}
		r.next()
		return uint32(v)
	}
	p.First = level()
	p.Last = p.First
	if r.word() == "to" {
		r.next()
		p.Last = level()
	}
	r.want("}")
	return p
}
