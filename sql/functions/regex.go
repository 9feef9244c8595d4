package functions

import (
	"context"
	"regexp"
	"time"
	"unicode/utf8"

	"github.com/dlclark/regexp2"
	"github.com/omendb/omendb/sql/pgerr"
)

// regexTimeout bounds one match by backtracking, which can take exponential time; RE2,
// which serves all other patterns, is linear.
const regexTimeout = 10 * time.Second

// regex is a compiled regular expression.
type regex struct {
	source string
	flags  areFlags
	groups int

	fast     *regexp.Regexp // nil when only backtracking can do it
	inner    *regexp.Regexp // fast for places inside a text, where ^ does not match
	slow     *regexp2.Regexp
	slowText string
	context  bool
	anchored bool
	longest  bool
	ctx      context.Context // of the statement; nil if nobody can stop it
}

func compileRegex(pattern string, flags areFlags) (*regex, error) {
	p, err := parseARE(pattern, flags)
	if err != nil {
		return nil, err
	}
	text := string(p.out)
	if p.flags.icase {
		text = "(?i:" + text + ")"
	}
	re := &regex{source: pattern, flags: flags, groups: p.groups, context: p.context, anchored: p.anchored, slowText: text, longest: p.firstQuantifier != '?'}
	if p.backtrack {
		return re, re.compileSlow()
	}
	re.fast, err = regexp.Compile(text)
	if err != nil {
		return nil, regexError("regular expression is too complex")
	}
	if re.longest {
		re.fast.Longest()
	}
	return re, nil
}

func (re *regex) compileSlow() error {
	slow, err := regexp2.Compile(re.slowText, regexp2.None)
	if err != nil {
		return regexError("regular expression is too complex")
	}
	slow.MatchTimeout = regexTimeout
	re.slow = slow
	return nil
}

// callRegex returns the compiled pattern of a call site.
func callRegex(c *Ctx, pattern []byte, flags areFlags) (*regex, error) {
	if re, ok := c.Memo.(*regex); ok && re.source == string(pattern) && re.flags == flags {
		re.ctx = c.Context
		return re, nil
	}
	re, err := compileRegex(string(pattern), flags)
	if err == nil {
		c.Memo, re.ctx = re, c.Context
	}
	return re, err
}

// matches reports whether the expression matches anywhere.
func (re *regex) matches(s []byte) (bool, error) {
	if re.fast != nil {
		return re.fast.Match(s), nil
	}
	loc, err := re.find(s, 0)
	return loc != nil, err
}

// find returns the offsets of the first match at or after from, and of its groups (-1 for
// those that took no part), or nil.
func (re *regex) find(s []byte, from int) ([]int, error) {
	if from > len(s) {
		return nil, nil
	}
	if re.fast != nil && (from == 0 || !re.context) {
		fast := re.fast
		if from > 0 && re.anchored {
			if re.inner == nil {
				re.inner = insideText(re.fast, re.longest)
			}
			fast = re.inner
		}
		loc := fast.FindSubmatchIndex(s[from:])
		for i := range loc {
			if loc[i] >= 0 {
				loc[i] += from
			}
		}
		return loc, nil
	}
	if re.slow == nil {
		if err := re.compileSlow(); err != nil {
			return nil, err
		}
	}
	text := string(s)
	search := func() (*regexp2.Match, error) { return re.slow.FindStringMatchStartingAt(text, from) }
	var m *regexp2.Match
	var err error
	if re.ctx == nil || re.ctx.Done() == nil {
		m, err = search()
	} else if m, err = beside(re.ctx, search); re.ctx.Err() != nil {
		return nil, context.Cause(re.ctx)
	}
	if err != nil {
		return nil, pgerr.New(pgerr.ProgramLimitExceeded, "regular expression match took too long")
	}
	if m == nil {
		return nil, nil
	}
	return byteOffsets(s, m), nil
}

// insideText makes the variant of an expression in which the start of the text never matches.
func insideText(re *regexp.Regexp, longest bool) *regexp.Regexp {
	var out []byte
	src := re.String()
	for i := 0; i < len(src); i++ {
		if src[i] == '\\' && i+1 < len(src) {
			if src[i+1] == 'A' {
				out = append(out, `[^\s\S]`...)
			} else {
				out = append(out, src[i], src[i+1])
			}
			i++
			continue
		}
		out = append(out, src[i])
	}
	inner := regexp.MustCompile(string(out))
	if longest {
		inner.Longest()
	}
	return inner
}

// byteOffsets turns a match counted in characters into byte offsets.
func byteOffsets(s []byte, m *regexp2.Match) []int {
	offsets := make([]int, 0, utf8.RuneCount(s)+1)
	for i := 0; i < len(s); {
		offsets = append(offsets, i)
		_, n := utf8.DecodeRune(s[i:])
		i += n
	}
	offsets = append(offsets, len(s))
	var loc []int
	for _, g := range m.Groups() {
		if len(g.Captures) == 0 {
			loc = append(loc, -1, -1)
			continue
		}
		loc = append(loc, offsets[g.Index], offsets[g.Index+g.Length])
	}
	return loc
}
