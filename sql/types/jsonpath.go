package types

import (
	"strconv"
	"strings"

	"github.com/omendb/omendb/sql/pgerr"
)

// PathKind is what a step or operator of a jsonpath does.
type PathKind uint8

// The kinds of jsonpath items.
const (
	PathNull PathKind = iota
	PathString
	PathNumber
	PathBool
	PathVariable
	PathRoot
	PathCurrent
	PathLast
	PathKey
	PathAnyKey
	PathAnyArray
	PathIndex
	PathAny
	PathFilter
	PathMethod // Text is its name
	PathDatetime
	PathAnd
	PathOr
	PathNot
	PathUnknown
	PathExists
	PathCompare // Text is the operator
	PathStartsWith
	PathLikeRegex
	PathAdd
	PathSub
	PathMul
	PathDiv
	PathMod
	PathPlus
	PathMinus
)

// PathItem is one item of a parsed jsonpath. Next is the accessor that follows it.
type PathItem struct {
	Kind        PathKind
	Text        string // string, key, variable, operator, method, pattern
	Flags       string // of like_regex, in the order i s m x q
	Number      Numeric
	Bool        bool
	Left, Right *PathItem
	Subscripts  []PathSubscript
	First, Last uint32 // levels of .**
	Next        *PathItem
}

// PathSubscript is one element of [a, b to c]; To is nil for a single index.
type PathSubscript struct{ From, To *PathItem }

// JSONPath is a parsed jsonpath.
type JSONPath struct {
	Strict bool
	Root   *PathItem
}

// PathLastLevel stands for last in the levels of .**.
const PathLastLevel = ^uint32(0)

func pathSyntax(format string, args ...any) *pgerr.Error {
	return pgerr.New(pgerr.SyntaxError, format, args...)
}

// check refuses @ outside filters and last outside subscripts.
func (p *PathItem) check(depth int, subscript bool) error {
	for ; p != nil; p = p.Next {
		switch {
		case p.Kind == PathCurrent && depth == 0:
			return pathSyntax("@ is not allowed in root expressions")
		case p.Kind == PathLast && !subscript:
			return pathSyntax("LAST is allowed only in array subscripts")
		}
		inner := depth
		if p.Kind == PathFilter {
			inner++
		}
		for _, c := range []*PathItem{p.Left, p.Right} {
			if err := c.check(inner, subscript); err != nil {
				return err
			}
		}
		for _, s := range p.Subscripts {
			if err := s.From.check(depth, true); err != nil {
				return err
			}
			if err := s.To.check(depth, true); err != nil {
				return err
			}
		}
	}
	return nil
}

// String prints the path in PostgreSQL's canonical form.
func (p *JSONPath) String() string {
	var b []byte
	if p.Strict {
		b = append(b, "strict "...)
	}
	return string(p.Root.append(b, false, true))
}

func (p *PathItem) priority() int {
	switch p.Kind {
	case PathOr:
		return 0
	case PathAnd:
		return 1
	case PathCompare, PathStartsWith:
		return 2
	case PathAdd, PathSub:
		return 3
	case PathMul, PathDiv, PathMod:
		return 4
	case PathPlus, PathMinus:
		return 5
	}
	return 6
}

var pathOperators = map[PathKind]string{PathAnd: "&&", PathOr: "||", PathStartsWith: "starts with",
	PathAdd: "+", PathSub: "-", PathMul: "*", PathDiv: "/", PathMod: "%", PathPlus: "+", PathMinus: "-"}

// Operator returns the sign of an arithmetic or boolean operator.
func (p *PathItem) Operator() string {
	if p.Kind == PathCompare {
		return p.Text
	}
	return pathOperators[p.Kind]
}

// append prints an item and those after it; key tells that it follows another, brackets
// that an operator needs parentheses.
func (p *PathItem) append(b []byte, key, brackets bool) []byte {
	dot := func() {
		if key {
			b = append(b, '.')
		}
	}
	sub := func(c *PathItem) { b = c.append(b, false, c.priority() <= p.priority()) }
	enclose := func(s byte, on bool) {
		if on {
			b = append(b, s)
		}
	}
	switch p.Kind {
	case PathNull:
		b = append(b, "null"...)
	case PathString:
		b = AppendJSONString(b, p.Text)
	case PathNumber:
		enclose('(', p.Next != nil)
		b = p.Number.Append(b)
		enclose(')', p.Next != nil)
	case PathBool:
		b = strconv.AppendBool(b, p.Bool)
	case PathVariable:
		b = AppendJSONString(append(b, '$'), p.Text)
	case PathRoot:
		b = append(b, '$')
	case PathCurrent:
		b = append(b, '@')
	case PathLast:
		b = append(b, "last"...)
	case PathKey:
		dot()
		b = AppendJSONString(b, p.Text)
	case PathAnyKey:
		dot()
		b = append(b, '*')
	case PathAnyArray:
		b = append(b, "[*]"...)
	case PathIndex:
		b = p.appendSubscripts(b)
	case PathAny:
		dot()
		b = append(b, p.levels()...)
	case PathFilter:
		b = append(p.Left.append(append(b, "?("...), false, false), ')')
	case PathMethod:
		b = append(append(append(b, '.'), p.Text...), "()"...)
	case PathDatetime:
		b = append(b, ".datetime("...)
		if p.Left != nil {
			b = p.Left.append(b, false, false)
		}
		b = append(b, ')')
	case PathNot:
		b = append(p.Left.append(append(b, "!("...), false, false), ')')
	case PathUnknown:
		b = append(p.Left.append(append(b, '('), false, false), ") is unknown"...)
	case PathExists:
		b = append(p.Left.append(append(b, "exists ("...), false, false), ')')
	case PathLikeRegex:
		enclose('(', brackets)
		sub(p.Left)
		b = AppendJSONString(append(b, " like_regex "...), p.Text)
		if p.Flags != "" {
			b = append(append(append(b, " flag \""...), p.Flags...), '"')
		}
		enclose(')', brackets)
	case PathPlus, PathMinus:
		enclose('(', brackets)
		b = append(b, p.Operator()...)
		sub(p.Left)
		enclose(')', brackets)
	default:
		enclose('(', brackets)
		sub(p.Left)
		b = append(append(append(b, ' '), p.Operator()...), ' ')
		sub(p.Right)
		enclose(')', brackets)
	}
	if p.Next != nil {
		b = p.Next.append(b, true, true)
	}
	return b
}

func (p *PathItem) appendSubscripts(b []byte) []byte {
	b = append(b, '[')
	for i, s := range p.Subscripts {
		if i > 0 {
			b = append(b, ',')
		}
		b = s.From.append(b, false, false)
		if s.To != nil {
			b = s.To.append(append(b, " to "...), false, false)
		}
	}
	return append(b, ']')
}

// levels prints .** with its levels.
func (p *PathItem) levels() string {
	level := func(n uint32) string {
		if n == PathLastLevel {
			return "last"
		}
		return strconv.FormatUint(uint64(n), 10)
	}
	switch {
	case p.First == 0 && p.Last == PathLastLevel:
		return "**"
	case p.First == p.Last:
		return "**{" + level(p.First) + "}"
	}
	return "**{" + level(p.First) + " to " + level(p.Last) + "}"
}

// A jsonpath is stored as its canonical text.
func jsonpathIn(_ *Env, _ *Type, _ int32, s string) (Datum, error) {
	p, err := ParseJSONPath(s)
	if err != nil {
		return Datum{}, err
	}
	return bytesDatum([]byte(p.String())), nil
}

// jsonpathVersion is the first byte of the binary form.
const jsonpathVersion = 1

func jsonpathRecv(e *Env, t *Type, typmod int32, b []byte) (Datum, error) {
	if len(b) == 0 || b[0] != jsonpathVersion {
		version := 0
		if len(b) > 0 {
			version = int(b[0])
		}
		return Datum{}, pgerr.New(pgerr.InternalError, "unsupported jsonpath version number: %d", version)
	}
	text, err := textRecv(e, t, typmod, b[1:])
	if err != nil {
		return Datum{}, err
	}
	return jsonpathIn(e, t, typmod, text.String())
}

func jsonpathSend(e *Env, dst []byte, _ *Type, d Datum) []byte {
	return e.ToClient(append(append(dst, jsonpathVersion), d.B...), len(dst)+1)
}

// regexFlags puts the flags of like_regex into their order.
func regexFlags(s string) (string, error) {
	for i := range len(s) {
		if !strings.Contains("ismxq", s[i:i+1]) {
			return "", pathSyntax("invalid input syntax for type jsonpath").
				WithDetail("Unrecognized flag character \"%s\" in LIKE_REGEX predicate.", s[i:i+1])
		}
	}
	out := ""
	for _, f := range "ismxq" {
		if strings.ContainsRune(s, f) {
			out += string(f)
		}
	}
	if strings.Contains(out, "x") && !strings.Contains(out, "q") {
		return "", pgerr.New(pgerr.FeatureNotSupported, "XQuery \"x\" flag (expanded regular expressions) is not implemented")
	}
	return out, nil
}
