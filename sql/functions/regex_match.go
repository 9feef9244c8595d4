package functions

import (
	"io"
	"regexp/syntax"
	"unicode/utf8"

	"github.com/dlclark/regexp2"
	"github.com/omendb/omendb/sql/pgerr"
)

// An automaton takes time in proportion to the text times its own size. Beyond carefulSteps of both, and carefulBytes of the
// text, it reads through a reader that ends the text when the statement is cancelled.
const (
	carefulBytes = 1 << 10
	carefulSteps = 1 << 21
)

// size is how many instructions the automaton has.
func (re *regex) size() int {
	if re.weight == 0 {
		re.weight = 1
		if tree, err := syntax.Parse(re.fast.String(), syntax.Perl); err == nil {
			if prog, err := syntax.Compile(tree.Simplify()); err == nil {
				re.weight = len(prog.Inst)
			}
		}
	}
	return re.weight
}

// runeReader hands a text to an automaton.
type runeReader struct {
	s      []byte
	weight int
	pace   pace
	err    error
}

// ReadRune implements io.RuneReader.
func (r *runeReader) ReadRune() (rune, int, error) {
	if r.err == nil {
		r.err = r.pace.step(8 * r.weight)
	}
	if r.err != nil || len(r.s) == 0 {
		return 0, 0, io.EOF
	}
	c, n := utf8.DecodeRune(r.s)
	r.s = r.s[n:]
	return c, n, nil
}

// matcher finds the matches in one text. By backtracking they are counted in characters: it keeps its place in both counts.
type matcher struct {
	re    *regex
	c     *Ctx
	s     []byte
	last  *regexp2.Match
	runes int // characters before bytes
	bytes int
}

// next returns the first match at or after from, which is where the one before ended.
func (m *matcher) next(from int) ([]int, error) {
	re := m.re
	if from > len(m.s) {
		return nil, nil
	}
	if re.fast != nil && (from == 0 || !re.context) {
		return re.linear(m.c, m.s, from)
	}
	if re.slow == nil {
		if err := re.compileSlow(); err != nil {
			return nil, err
		}
	}
	if err := m.c.Room(int64(len(m.s)) * 5); err != nil { // the text as characters
		return nil, err
	}
	found, err := m.backtrack(func() (*regexp2.Match, error) {
		if m.last != nil {
			return re.slow.FindNextMatch(m.last)
		}
		return re.slow.FindStringMatchStartingAt(string(m.s), from)
	})
	if err != nil || found == nil {
		return nil, err
	}
	m.last = found
	var loc []int
	for _, g := range found.Groups() {
		if len(g.Captures) == 0 {
			loc = append(loc, -1, -1)
			continue
		}
		loc = append(loc, m.offset(g.Index), m.offset(g.Index+g.Length))
	}
	return loc, nil
}

// offset turns a count of characters into one of bytes, walking from the one asked for before.
func (m *matcher) offset(runes int) int {
	for m.runes < runes && m.bytes < len(m.s) {
		m.bytes += charSize(m.s[m.bytes:], true)
		m.runes++
	}
	for m.runes > runes && m.bytes > 0 {
		_, n := utf8.DecodeLastRune(m.s[:m.bytes])
		m.bytes -= n
		m.runes--
	}
	return m.bytes
}

// backtrack runs a match that may take exponential time and cannot be interrupted: when the statement is cancelled it is left
// to itself until regexTimeout ends it.
func (m *matcher) backtrack(run func() (*regexp2.Match, error)) (*regexp2.Match, error) {
	if m.c == nil || m.c.Context == nil || m.c.Context.Done() == nil {
		return tookTooLong(run())
	}
	found, err := Beside(m.c.Context, run)
	if stop := m.c.Canceled(); stop != nil {
		return nil, stop
	}
	return tookTooLong(found, err)
}

// tookTooLong names the only error that a match by backtracking has.
func tookTooLong(m *regexp2.Match, err error) (*regexp2.Match, error) {
	if err != nil {
		return nil, pgerr.New(pgerr.ProgramLimitExceeded, "regular expression match took too long")
	}
	return m, nil
}
