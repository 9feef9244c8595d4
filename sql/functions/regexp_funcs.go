package functions

import (
	"bytes"
	"unicode/utf8"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
)

// regexpEvals are the operators ~ and ~* and the regexp_ functions with plain results.
var regexpEvals = map[string]EvalFunc{
	"textregexsubstr":                    regexSubstring,
	"textregexreplace_noopt":             regexpReplace(3),
	"textregexreplace":                   regexpReplace(4),
	"textregexreplace_extended":          regexpReplace(6),
	"textregexreplace_extended_no_flags": regexpReplace(5),
	"textregexreplace_extended_no_n":     regexpReplace(7),
	"regexp_match":                       regexpMatch,
	"regexp_match_no_flags":              regexpMatch,
	"regexp_split_to_array":              regexpSplitArray,
	"regexp_split_to_array_no_flags":     regexpSplitArray,
	"regexp_like":                        regexpLike,
	"regexp_like_no_flags":               regexpLike,
	"regexp_count":                       regexpCount,
	"regexp_count_no_start":              regexpCount,
	"regexp_count_no_flags":              regexpCount,
	"regexp_instr":                       regexpInstr,
	"regexp_instr_no_start":              regexpInstr,
	"regexp_instr_no_n":                  regexpInstr,
	"regexp_instr_no_endoption":          regexpInstr,
	"regexp_instr_no_flags":              regexpInstr,
	"regexp_instr_no_subexpr":            regexpInstr,
	"regexp_substr":                      regexpSubstr,
	"regexp_substr_no_start":             regexpSubstr,
	"regexp_substr_no_n":                 regexpSubstr,
	"regexp_substr_no_flags":             regexpSubstr,
	"regexp_substr_no_subexpr":           regexpSubstr,
	"similar_to_escape_1":                similarEscape,
	"similar_to_escape_2":                similarEscape,
	"similar_escape":                     similarEscape,
	"substring(text,text,text)": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		pattern, err := similarEscape(c, a[1:])
		if err != nil {
			return pattern, err
		}
		return regexSubstring(c, []column.Datum{a[0], pattern})
	},
}

// regexpSets are those that return sets.
var regexpSets = map[string]SetFunc{
	"regexp_matches":                 regexpMatches,
	"regexp_matches_no_flags":        regexpMatches,
	"regexp_split_to_table":          regexpSplitTable,
	"regexp_split_to_table_no_flags": regexpSplitTable,
}

func init() {
	for _, p := range []string{"text", "name"} {
		for _, fold := range []bool{false, true} {
			name := p
			if fold {
				name += "ic"
			}
			flags := areFlags{icase: fold}
			for suffix, want := range map[string]bool{"regexeq": true, "regexne": false} {
				regexpEvals[name+suffix] = func(c *Ctx, a []column.Datum) (column.Datum, error) {
					re, err := callRegex(c, a[1].B, flags)
					if err != nil {
						return column.Datum{}, err
					}
					ok, err := re.matches(c, a[0].B)
					return column.BoolDatum(ok == want), err
				}
			}
		}
	}
}

// flagged compiles the pattern in a[1] with the flags in a[i], when there is such an
// argument. Functions that take "g" elsewhere refuse it with their name.
func flagged(c *Ctx, a []column.Datum, i int, global bool, name string) (*regex, areFlags, error) {
	var flags areFlags
	if i < len(a) {
		var err error
		if flags, err = parseFlags(a[i].String(), true); err != nil {
			return nil, flags, err
		}
	}
	if flags.global && !global {
		e := pgerr.New(pgerr.InvalidParameterValue, "%s does not support the \"global\" option", name)
		if name == "regexp_match()" {
			e = e.WithHint("Use the regexp_matches function instead.")
		}
		return nil, flags, e
	}
	plain := flags
	plain.global = false
	re, err := callRegex(c, a[1].B, plain)
	return re, flags, err
}

// charStart turns a start position in characters into a byte offset.
func charStart(a []column.Datum, i int) (int, error) {
	if i >= len(a) {
		return 0, nil
	}
	if err := atLeast(a[i].I, 1, "start"); err != nil {
		return 0, err
	}
	off := charOffset(a[0].B, a[i].I-1)
	if int64(off) == int64(len(a[0].B)) && runeCount(a[0].B) < a[i].I-1 {
		off++ // beyond the end nothing matches
	}
	return off, nil
}

func runeCount(s []byte) int64 { return int64(utf8.RuneCount(s)) }

func atLeast(v, least int64, name string) error {
	if v < least {
		return pgerr.New(pgerr.InvalidParameterValue, "invalid value for parameter \"%s\": %d", name, v)
	}
	return nil
}

func regexSubstring(c *Ctx, a []column.Datum) (column.Datum, error) {
	re, err := callRegex(c, a[1].B, areFlags{})
	if err != nil {
		return column.Datum{}, err
	}
	loc, err := re.find(c, a[0].B, 0)
	if err != nil || loc == nil {
		return column.Datum{Null: true}, err
	}
	g := 0
	if re.groups > 0 {
		g = 1
	}
	return part(a[0].B, loc, g), nil
}

// part returns a group of a match, NULL when it took no part.
func part(s []byte, loc []int, g int) column.Datum {
	if loc[2*g] < 0 {
		return column.Null()
	}
	return column.Datum{B: s[loc[2*g]:loc[2*g+1]]}
}

// each calls f with the matches from an offset on, one after the other; after an empty match
// the search goes on one character further. f returns false to stop.
func (re *regex) each(c *Ctx, s []byte, from int, f func(loc []int) bool) error {
	m := &matcher{re: re, c: c, s: s}
	p := pace{c: c}
	for found := int64(1); from <= len(s); found++ {
		loc, err := m.next(from)
		if err != nil || loc == nil || !f(loc) {
			return err
		}
		if err := p.step(256); err != nil {
			return err
		}
		if p.done == 0 { // what f keeps of each is at least this
			if err := c.Room(found * elementBytes); err != nil {
				return err
			}
		}
		from = loc[1]
		if loc[0] == loc[1] {
			from = loc[1] + 1
			if loc[1] < len(s) {
				from = loc[1] + charSize(s[loc[1]:], true)
			}
		}
	}
	return nil
}

// regexpReplace is regexp_replace(string, pattern, replacement [, start [, n]] [, flags]): kind
// is 3 without options, 4 with flags, 5 without flags, 6 with all, 7 with start only.
func regexpReplace(kind int) EvalFunc {
	return func(c *Ctx, a []column.Datum) (column.Datum, error) {
		start, nth, flagArg := 0, int64(1), len(a)
		var err error
		switch kind {
		case 4:
			flagArg = 3
			if f := a[3].B; len(f) > 0 && f[0] >= '0' && f[0] <= '9' {
				return column.Datum{}, pgerr.New(pgerr.InvalidParameterValue, "invalid regular expression option: \"%c\"", f[0]).
					WithHint("If you meant to use regexp_replace() with a start parameter, cast the fourth argument to integer explicitly.")
			}
		case 5, 6, 7:
			if start, err = charStart(a, 3); err != nil {
				return column.Datum{}, err
			}
			if kind != 7 {
				if nth = a[4].I; nth < 0 {
					return column.Datum{}, atLeast(nth, 0, "n")
				}
			}
			flagArg = 5
		}
		re, flags, err := flagged(c, a, flagArg, true, "regexp_replace()")
		if err != nil {
			return column.Datum{}, err
		}
		if flags.global && (kind == 4 || kind == 3) {
			nth = 0
		}
		return re.replace(c, a[0].B, a[2].B, start, nth)
	}
}

// replace replaces the nth match from start on, all of them when nth is 0.
func (re *regex) replace(c *Ctx, s, with []byte, start int, nth int64) (column.Datum, error) {
	var out []byte
	done, count := 0, int64(0)
	err := re.each(c, s, start, func(loc []int) bool {
		if count++; nth > 0 && count < nth {
			return true
		}
		out = append(out, s[done:loc[0]]...)
		out = expand(out, s, with, loc)
		done = loc[1]
		return nth == 0 && len(out) <= maxText
	})
	if err == nil && len(out) > maxText {
		err = tooLong()
	}
	return column.Datum{B: append(out, s[done:]...)}, err
}

// expand appends a replacement with \1 to \9, \& and \\ filled in.
func expand(out, s, with []byte, loc []int) []byte {
	for i := 0; i < len(with); i++ {
		c := with[i]
		if c != '\\' || i+1 >= len(with) {
			out = append(out, c)
			continue
		}
		switch n := with[i+1]; {
		case n >= '1' && n <= '9':
			i++
			if g := 2 * int(n-'0'); g < len(loc) && loc[g] >= 0 {
				out = append(out, s[loc[g]:loc[g+1]]...)
			}
		case n == '&':
			i++
			out = append(out, s[loc[0]:loc[1]]...)
		case n == '\\':
			i++
			out = append(out, '\\')
		default:
			out = append(out, c)
		}
	}
	return out
}

func regexpMatch(c *Ctx, a []column.Datum) (column.Datum, error) {
	re, _, err := flagged(c, a, 2, false, "regexp_match()")
	if err != nil {
		return column.Datum{}, err
	}
	loc, err := re.find(c, a[0].B, 0)
	if err != nil || loc == nil {
		return column.Datum{Null: true}, err
	}
	return re.groupArray(a[0].B, loc), nil
}

// groupArray returns the groups of a match as text[], the whole match when there are none.
func (re *regex) groupArray(s []byte, loc []int) column.Datum {
	if re.groups == 0 {
		return textArray([]column.Datum{part(s, loc, 0)})
	}
	list := make([]column.Datum, re.groups)
	for g := range list {
		list[g] = part(s, loc, g+1)
	}
	return textArray(list)
}

func regexpMatches(c *Ctx, a []column.Datum) (SetIter, error) {
	re, flags, err := flagged(c, a, 2, true, "")
	if err != nil {
		return nil, err
	}
	it := &rowsIter{}
	s := bytes.Clone(a[0].B)
	err = re.each(c, s, 0, func(loc []int) bool {
		it.rows = append(it.rows, []column.Datum{re.groupArray(s, loc)})
		return flags.global
	})
	return it, err
}

// split cuts a text at the matches, but not at empty ones at its start, its end, or right
// after another match.
func (re *regex) split(c *Ctx, s []byte) ([]column.Datum, error) {
	var list []column.Datum
	done := 0
	err := re.each(c, s, 0, func(loc []int) bool {
		if loc[0] == loc[1] && (loc[0] == done || loc[0] >= len(s)) {
			return true
		}
		list = append(list, column.Datum{B: s[done:loc[0]]})
		done = loc[1]
		return true
	})
	return append(list, column.Datum{B: s[done:]}), err
}

func regexpSplitArray(c *Ctx, a []column.Datum) (column.Datum, error) {
	re, _, err := flagged(c, a, 2, false, "regexp_split_to_array()")
	if err != nil {
		return column.Datum{}, err
	}
	list, err := re.split(c, a[0].B)
	if err != nil {
		return column.Datum{}, err
	}
	return textArray(list), nil
}

func regexpSplitTable(c *Ctx, a []column.Datum) (SetIter, error) {
	re, _, err := flagged(c, a, 2, false, "regexp_split_to_table()")
	if err != nil {
		return nil, err
	}
	list, err := re.split(c, bytes.Clone(a[0].B))
	return oneColumn(list), err
}

// oneColumn yields each value as a row.
func oneColumn(list []column.Datum) SetIter {
	it := &rowsIter{rows: make([][]column.Datum, len(list))}
	for i := range list {
		it.rows[i] = list[i : i+1]
	}
	return it
}

func regexpLike(c *Ctx, a []column.Datum) (column.Datum, error) {
	re, _, err := flagged(c, a, 2, false, "regexp_like()")
	if err != nil {
		return column.Datum{}, err
	}
	ok, err := re.matches(c, a[0].B)
	return column.BoolDatum(ok), err
}

func regexpCount(c *Ctx, a []column.Datum) (column.Datum, error) {
	start, err := charStart(a, 2)
	if err != nil {
		return column.Datum{}, err
	}
	re, _, err := flagged(c, a, 3, false, "regexp_count()")
	if err != nil {
		return column.Datum{}, err
	}
	n := int64(0)
	err = re.each(c, a[0].B, start, func([]int) bool { n++; return true })
	return column.IntDatum(n), err
}

// nth returns the n-th match from start on, nil when there are fewer.
func (re *regex) nth(c *Ctx, s []byte, start int, n int64) (found []int, err error) {
	err = re.each(c, s, start, func(loc []int) bool {
		if n--; n == 0 {
			found = loc
		}
		return n > 0
	})
	return found, err
}

func argOr(a []column.Datum, i int, otherwise int64) int64 {
	if i < len(a) {
		return a[i].I
	}
	return otherwise
}

func regexpInstr(c *Ctx, a []column.Datum) (column.Datum, error) {
	start, err := charStart(a, 2)
	if err != nil {
		return column.Datum{}, err
	}
	n, end, sub := argOr(a, 3, 1), argOr(a, 4, 0), argOr(a, 6, 0)
	if err := atLeast(n, 1, "n"); err != nil {
		return column.Datum{}, err
	}
	if end != 0 && end != 1 {
		return column.Datum{}, pgerr.New(pgerr.InvalidParameterValue, "invalid value for parameter \"%s\": %d", "endoption", end)
	}
	if err := atLeast(sub, 0, "subexpr"); err != nil {
		return column.Datum{}, err
	}
	re, _, err := flagged(c, a, 5, false, "regexp_instr()")
	if err != nil {
		return column.Datum{}, err
	}
	loc, err := re.nth(c, a[0].B, start, n)
	if sub == 1 && re.groups == 0 {
		sub = 0 // a pattern without parentheses counts as one in them
	}
	if err != nil || loc == nil || sub > int64(re.groups) || loc[2*sub] < 0 {
		return column.Datum{}, err
	}
	return intResult(runeCount(a[0].B[:loc[2*sub+end]]) + 1)
}

func regexpSubstr(c *Ctx, a []column.Datum) (column.Datum, error) {
	start, err := charStart(a, 2)
	if err != nil {
		return column.Datum{}, err
	}
	n, sub := argOr(a, 3, 1), argOr(a, 5, 0)
	if err := atLeast(n, 1, "n"); err != nil {
		return column.Datum{}, err
	}
	if err := atLeast(sub, 0, "subexpr"); err != nil {
		return column.Datum{}, err
	}
	re, _, err := flagged(c, a, 4, false, "regexp_substr()")
	if err != nil {
		return column.Datum{}, err
	}
	loc, err := re.nth(c, a[0].B, start, n)
	if sub == 1 && re.groups == 0 {
		sub = 0 // as in regexpInstr
	}
	if err != nil || loc == nil || sub > int64(re.groups) {
		return column.Datum{Null: true}, err
	}
	return part(a[0].B, loc, int(sub)), nil
}

// similarEscape turns a SIMILAR TO pattern into an advanced regular expression.
func similarEscape(_ *Ctx, a []column.Datum) (column.Datum, error) {
	if a[0].Null {
		return nullResult()
	}
	escape := []rune(`\`)
	if len(a) > 1 && !a[1].Null {
		if escape = []rune(a[1].String()); len(escape) > 1 {
			return column.Datum{}, pgerr.New(pgerr.InvalidEscapeSequence, "invalid escape string").
				WithHint("Escape string must be empty or one character.")
		}
	}
	out := []rune("^(?:")
	after, bracket, separators := false, false, 0
	for _, r := range a[0].String() {
		switch {
		case after:
			if r == '"' && !bracket {
				switch separators {
				case 0:
					out = append(out, []rune("){1,1}?(")...)
				case 1:
					out = append(out, []rune("){1,1}(?:")...)
				default:
					return column.Datum{}, pgerr.New(pgerr.InvalidUseOfEscapeCharacter,
						"SQL regular expression may not contain more than two escape-double-quote separators")
				}
				separators++
			} else {
				out = append(out, '\\', r)
			}
			after = false
		case len(escape) == 1 && r == escape[0]:
			after = true
		case bracket:
			if r == '\\' {
				out = append(out, '\\')
			}
			out = append(out, r)
			bracket = r != ']'
		case r == '[':
			out = append(out, r)
			bracket = true
		case r == '%':
			out = append(out, '.', '*')
		case r == '_':
			out = append(out, '.')
		case r == '(':
			out = append(out, '(', '?', ':')
		case r == '\\' || r == '.' || r == '^' || r == '$':
			out = append(out, '\\', r)
		default:
			out = append(out, r)
		}
	}
	return textResult(string(append(out, ')', '$')))
}
