package functions

import (
	"regexp"
	"time"

	"github.com/dlclark/regexp2"

	"github.com/omendb/omendb/engine/column"
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
	whole    *regexp.Regexp // finds the groups of a match whose end fast has found; nil: fast finds them, too
	slow     *regexp2.Regexp
	slowText string
	context  bool
	anchored bool
	longest  bool
	weight   int // instructions of fast, 0: not counted yet
}

func compileRegex(pattern string, flags areFlags) (*regex, error) {
	p, err := parseARE(pattern, flags, false)
	if err != nil {
		return nil, err
	}
	text := p.text()
	re := &regex{source: pattern, flags: flags, groups: p.groups, context: p.context, anchored: p.anchored, slowText: text, longest: p.prefers != '?'}
	if !re.longest && p.mixed {
		// The whole prefers to be short, whatever its parts do: they only share out what that leaves.
		all, err := parseARE(pattern, flags, true)
		if err != nil {
			return nil, err
		}
		if p.groups > 0 && !p.backtrack && !p.context && !p.anchored {
			if re.whole, err = regexp.Compile(`\A(?:` + text + `)\z`); err != nil {
				return nil, regexError("regular expression is too complex")
			}
		}
		text = all.text()
		re.slowText = text
	}
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

func (p *areParser) text() string {
	if p.flags.icase {
		return "(?i:" + string(p.out) + ")"
	}
	return string(p.out)
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

// longPattern is from how many bytes on the compilation of a pattern is not waited for by a cancelled statement.
const longPattern = 1 << 10

func compileBeside(c *Ctx, pattern string, flags areFlags) (*regex, error) {
	if len(pattern) < longPattern || c.Left == nil {
		return compileRegex(pattern, flags)
	}
	return leaving(c, nil, func(*Ctx, []column.Datum) (*regex, error) { return compileRegex(pattern, flags) })
}

// callRegex returns the compiled pattern of a call site.
func callRegex(c *Ctx, pattern []byte, flags areFlags) (*regex, error) {
	if re, ok := c.Memo.(*regex); ok && re.source == string(pattern) && re.flags == flags {
		return re, nil
	}
	re, err := compileBeside(c, string(pattern), flags)
	if err == nil {
		c.Memo = re
	}
	return re, err
}

// matches reports whether the expression matches anywhere.
func (re *regex) matches(c *Ctx, s []byte) (bool, error) {
	if re.fast != nil && len(s) < carefulBytes {
		return re.fast.Match(s), nil
	}
	loc, err := re.find(c, s, 0)
	return loc != nil, err
}

// find returns the offsets of the first match at or after from, and of its groups (-1 for
// those that took no part), or nil.
func (re *regex) find(c *Ctx, s []byte, from int) ([]int, error) {
	m := matcher{re: re, c: c, s: s}
	return m.next(from)
}

// linear finds a match by the automaton.
func (re *regex) linear(c *Ctx, s []byte, from int) ([]int, error) {
	fast := re.fast
	if from > 0 && re.anchored {
		if re.inner == nil {
			re.inner = insideText(re.fast, re.longest)
		}
		fast = re.inner
	}
	var loc []int
	if rest := s[from:]; len(rest) < carefulBytes || len(rest)*re.size() < carefulSteps {
		loc = fast.FindSubmatchIndex(rest)
	} else {
		r := &runeReader{s: rest, weight: re.size(), pace: pace{c: c}}
		if loc = fast.FindReaderSubmatchIndex(r); r.err != nil {
			return nil, r.err
		}
	}
	for i := range loc {
		if loc[i] >= 0 {
			loc[i] += from
		}
	}
	if re.whole != nil && loc != nil {
		start := loc[0]
		if shared := re.whole.FindSubmatchIndex(s[start:loc[1]]); shared != nil {
			for i, at := range shared {
				if loc[i] = at; at >= 0 {
					loc[i] += start
				}
			}
		}
	}
	return loc, nil
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
