package functions

import (
	"bytes"
	"unicode/utf8"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
)

// likeEvals are LIKE and ILIKE. Patterns reach them with backslash as escape
// character: like_escape rewrites those that have another.
var likeEvals = map[string]EvalFunc{
	"like_escape": func(_ *Ctx, a []column.Datum) (column.Datum, error) { return likeEscape(a[0].B, a[1].B) },
	"like_escape_bytea": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return likeEscape(a[0].B, a[1].B)
	},
}

var likeVecs = map[string]VecFunc{}

func init() {
	for _, p := range []string{"text", "name", "bytea"} {
		likeEvals[p+"like"], likeEvals[p+"nlike"] = likeEval(false, true, p != "bytea"), likeEval(false, false, p != "bytea")
		likeVecs[p+"like"], likeVecs[p+"nlike"] = likeVec(true, p != "bytea"), likeVec(false, p != "bytea")
		likeEvals[p+"iclike"], likeEvals[p+"icnlike"] = likeEval(true, true, true), likeEval(true, false, true)
	}
}

func likeEval(fold, want, chars bool) EvalFunc {
	return func(c *Ctx, a []column.Datum) (column.Datum, error) {
		s, pattern := a[0].B, a[1].B
		if fold {
			s, pattern = lower(c, s), lower(c, pattern)
		}
		m, ok := c.Memo.(*likePattern)
		if !ok || !bytes.Equal(m.source, pattern) {
			m = compileLike(bytes.Clone(pattern), chars)
			c.Memo = m
		}
		matched, err := m.match(c, s)
		return column.BoolDatum(matched == want), err
	}
}

func likeVec(want, chars bool) VecFunc {
	return func(c *Ctx, args []*column.Vec, sel []int32, n int, out *column.Vec) error {
		if !prepare(args, n, column.Int, out) {
			return nil
		}
		s, pattern := args[0].B, args[1].B
		var m *likePattern
		var err error
		eachRow(sel, n, func(i int) {
			if out.Nulls.Get(i) || err != nil {
				return
			}
			if p := at(pattern, i); m == nil || !bytes.Equal(m.source, p) {
				m = compileLike(p, chars)
			}
			matched, e := m.match(c, at(s, i))
			if e != nil {
				err = e
			}
			out.I[i] = b2i(matched == want)
		})
		return err
	}
}

// likePattern is a pattern taken apart: literal pieces between percent signs. Patterns
// with underscores or odd escapes keep their source only.
type likePattern struct {
	source   []byte
	chars    bool // underscores match characters, not bytes
	simple   bool
	prefix   []byte   // before the first percent sign
	suffix   []byte   // after the last one
	middle   [][]byte // between
	anywhere bool     // there is a percent sign
}

func compileLike(pattern []byte, chars bool) *likePattern {
	m := &likePattern{source: pattern, chars: chars}
	var piece []byte
	var pieces [][]byte
	for i := 0; i < len(pattern); i++ {
		switch pattern[i] {
		case '_':
			return m
		case '%':
			pieces = append(pieces, piece)
			piece = nil
			continue
		case '\\':
			if i++; i >= len(pattern) {
				return m
			}
		}
		piece = append(piece, pattern[i])
	}
	m.simple = true
	if len(pieces) == 0 {
		m.prefix = piece
		return m
	}
	m.anywhere, m.prefix, m.suffix = true, pieces[0], piece
	for _, p := range pieces[1:] {
		if len(p) > 0 {
			m.middle = append(m.middle, p)
		}
	}
	return m
}

func (m *likePattern) match(c *Ctx, s []byte) (bool, error) {
	if !m.simple {
		r, err := likeMatch(&pace{c: c}, s, m.source, m.chars)
		return r == likeTrue, err
	}
	if !m.anywhere {
		return bytes.Equal(s, m.prefix), nil
	}
	if len(s) < len(m.prefix)+len(m.suffix) || !bytes.HasPrefix(s, m.prefix) || !bytes.HasSuffix(s, m.suffix) {
		return false, nil
	}
	s = s[len(m.prefix) : len(s)-len(m.suffix)]
	for _, p := range m.middle {
		i := bytes.Index(s, p)
		if i < 0 {
			return false, nil
		}
		s = s[i+len(p):]
	}
	return true, nil
}

// likeAnswer says whether a text matches; likeAbort that no longer tail of it would, either.
type likeAnswer uint8

const (
	likeFalse likeAnswer = iota
	likeTrue
	likeAbort
)

func danglingEscape() error {
	return pgerr.New(pgerr.InvalidEscapeSequence, "LIKE pattern must not end with escape character")
}

// likeMatch matches by backtracking over percent signs only, as PostgreSQL does; abort keeps
// that polynomial.
func likeMatch(w *pace, s, p []byte, chars bool) (likeAnswer, error) {
	start := len(p)
	for len(s) > 0 && len(p) > 0 {
		switch p[0] {
		case '\\':
			if p = p[1:]; len(p) == 0 {
				return likeFalse, danglingEscape()
			}
			if s[0] != p[0] {
				return likeFalse, nil
			}
			s, p = s[1:], p[1:]
		case '%':
			return likePercent(w, s, p[1:], chars)
		case '_':
			s, p = s[charSize(s, chars):], p[1:]
			w.done++ // long patterns of these and what follows them are looked at from every place
		default:
			if s[0] != p[0] {
				return likeFalse, w.step(start - len(p))
			}
			s, p = s[1:], p[1:]
		}
	}
	if len(s) > 0 {
		return likeFalse, nil
	}
	for len(p) > 0 && p[0] == '%' {
		p = p[1:]
	}
	if len(p) == 0 {
		return likeTrue, nil
	}
	return likeAbort, nil
}

func charSize(s []byte, chars bool) int {
	if !chars {
		return 1
	}
	_, n := utf8.DecodeRune(s)
	return n
}

// likePercent matches the rest of a pattern at every place of s.
func likePercent(w *pace, s, p []byte, chars bool) (likeAnswer, error) {
	for len(p) > 0 && (p[0] == '%' || p[0] == '_') {
		if p[0] == '_' {
			if len(s) == 0 {
				return likeAbort, nil
			}
			s = s[charSize(s, chars):]
		}
		p = p[1:]
	}
	if len(p) == 0 {
		return likeTrue, nil
	}
	first := p[0]
	if first == '\\' {
		if len(p) < 2 {
			return likeFalse, danglingEscape()
		}
		first = p[1]
	}
	for len(s) > 0 {
		if err := w.step(1); err != nil {
			return likeFalse, err
		}
		if s[0] == first {
			if r, err := likeMatch(w, s, p, chars); r != likeFalse || err != nil {
				return r, err
			}
		}
		s = s[charSize(s, chars):]
	}
	return likeAbort, nil
}

// likeEscape rewrites a pattern with another escape character to one with backslashes.
func likeEscape(pattern, escape []byte) (column.Datum, error) {
	if len(escape) == 0 {
		return bytesResult(bytes.ReplaceAll(pattern, []byte(`\`), []byte(`\\`)))
	}
	if utf8.RuneCount(escape) != 1 {
		return column.Datum{}, pgerr.New(pgerr.InvalidEscapeSequence, "invalid escape string").
			WithHint("Escape string must be empty or one character.")
	}
	if escape[0] == '\\' {
		return bytesResult(pattern)
	}
	var out []byte
	after := false
	for i := 0; i < len(pattern); {
		_, n := utf8.DecodeRune(pattern[i:])
		ch := pattern[i : i+n]
		i += n
		switch {
		case bytes.Equal(ch, escape) && !after:
			out = append(out, '\\')
			after = true
		case ch[0] == '\\':
			out = append(out, '\\')
			if !after {
				out = append(out, '\\')
			}
			after = false
		default:
			out = append(out, ch...)
			after = false
		}
	}
	return bytesResult(out)
}
