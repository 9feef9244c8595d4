package functions

import (
	"bytes"
	"unicode"
	"unicode/utf8"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// maxText is the longest value that a function may build, PostgreSQL's own limit on one
// allocation: 1 GB - 1.
const maxText = 0x3fffffff

// textEvals are the functions that build, measure and cut texts; see the files named
// text_* for the others.
var textEvals = map[string]EvalFunc{
	"textcat":  concatTwo,
	"byteacat": concatTwo,
	"textlen":  func(_ *Ctx, a []column.Datum) (column.Datum, error) { return intResult(int64(utf8.RuneCount(a[0].B))) },
	"bpcharlen": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return intResult(int64(utf8.RuneCount(bytes.TrimRight(a[0].B, " "))))
	},
	"textoctetlen":   octetLength,
	"byteaoctetlen":  octetLength,
	"bpcharoctetlen": octetLength,
	"upper": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		return inPieces(c, a[0].B, func(s []byte) []byte { return upper(c, s) })
	},
	"lower": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		return inPieces(c, a[0].B, func(s []byte) []byte { return lower(c, s) })
	},
	"initcap": func(c *Ctx, a []column.Datum) (column.Datum, error) { return bytesResult(initcap(c, a[0].B)) },
	"text_substr": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return substr(a[0].B, a[1].I, a[2].I, true)
	},
	"text_substr_no_len": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return substr(a[0].B, a[1].I, toTheEnd, true)
	},
	"bytea_substr": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return substr(a[0].B, a[1].I, a[2].I, false)
	},
	"bytea_substr_no_len": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return substr(a[0].B, a[1].I, toTheEnd, false)
	},
	"text_left": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		n := a[1].I
		if n < 0 {
			n = max(0, int64(utf8.RuneCount(a[0].B))+n)
		}
		return bytesResult(a[0].B[:charOffset(a[0].B, n)])
	},
	"text_right": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		n := -a[1].I
		if n <= 0 {
			n = max(0, int64(utf8.RuneCount(a[0].B))+n)
		}
		if a[1].I == 0 {
			n = int64(utf8.RuneCount(a[0].B))
		}
		return bytesResult(a[0].B[charOffset(a[0].B, n):])
	},
	"textoverlay": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return overlay(a[0].B, a[1].B, a[2].I, a[3].I, true)
	},
	"textoverlay_no_len": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return overlay(a[0].B, a[1].B, a[2].I, int64(utf8.RuneCount(a[1].B)), true)
	},
	"byteaoverlay": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return overlay(a[0].B, a[1].B, a[2].I, a[3].I, false)
	},
	"byteaoverlay_no_len": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return overlay(a[0].B, a[1].B, a[2].I, int64(len(a[1].B)), false)
	},
	"textpos": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		i := bytes.Index(a[0].B, a[1].B)
		if i < 0 {
			return intResult(0)
		}
		return intResult(int64(utf8.RuneCount(a[0].B[:i])) + 1)
	},
	"byteapos": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return intResult(int64(bytes.Index(a[0].B, a[1].B)) + 1)
	},
	"text_starts_with": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return boolResult(bytes.HasPrefix(a[0].B, a[1].B))
	},
	"text_reverse": func(c *Ctx, a []column.Datum) (column.Datum, error) { return reverse(c, a[0].B) },
	"repeat": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		n := max(0, a[1].I)
		if int64(len(a[0].B)) > 0 && n > maxText/int64(len(a[0].B)) {
			return column.Datum{}, tooLong()
		}
		out, err := repeated(c, a[0].B, int(n))
		return column.Datum{B: out}, err
	},
	"replace_text": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		if len(a[1].B) == 0 {
			return a[0], nil
		}
		return replaceAll(c, a[0].B, a[1].B, a[2].B)
	},
	"translate":  func(c *Ctx, a []column.Datum) (column.Datum, error) { return translate(c, a[0].B, a[1].B, a[2].B) },
	"split_part": func(_ *Ctx, a []column.Datum) (column.Datum, error) { return splitPart(a[0].B, a[1].B, a[2].I) },
	"lpad": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		keep, fill, err := padding(c, a[0].B, a[1].I, a[2].B)
		return column.Datum{B: concat(fill, keep)}, err
	},
	"rpad": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		keep, fill, err := padding(c, a[0].B, a[1].I, a[2].B)
		return column.Datum{B: concat(keep, fill)}, err
	},
	"lpad(text,int4)": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		keep, fill, err := padding(c, a[0].B, a[1].I, []byte(" "))
		return column.Datum{B: concat(fill, keep)}, err
	},
	"rpad(text,int4)": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		keep, fill, err := padding(c, a[0].B, a[1].I, []byte(" "))
		return column.Datum{B: concat(keep, fill)}, err
	},
	"bit_length(text)":  func(_ *Ctx, a []column.Datum) (column.Datum, error) { return intResult(8 * int64(len(a[0].B))) },
	"bit_length(bit)":   func(_ *Ctx, a []column.Datum) (column.Datum, error) { return intResult(int64(types.BitsFrom(a[0]).N)) },
	"parse_ident":       parseIdentCall,
	"bit_length(bytea)": func(_ *Ctx, a []column.Datum) (column.Datum, error) { return intResult(8 * int64(len(a[0].B))) },
	"btrim":             trimmer(true, true),
	"ltrim":             trimmer(true, false),
	"rtrim":             trimmer(false, true),
	"btrim1":            trimmer(true, true),
	"ltrim1":            trimmer(true, false),
	"rtrim1":            trimmer(false, true),
	"byteatrim":         byteaTrimmer(true, true),
	"bytealtrim":        byteaTrimmer(true, false),
	"byteartrim":        byteaTrimmer(false, true),
	"ascii": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		if len(a[0].B) == 0 {
			return intResult(0)
		}
		r, _ := utf8.DecodeRune(a[0].B)
		return intResult(int64(r))
	},
	"chr": func(_ *Ctx, a []column.Datum) (column.Datum, error) { return chr(a[0].I) },
}

func concat(a, b []byte) []byte {
	return append(append(make([]byte, 0, len(a)+len(b)), a...), b...)
}

func concatTwo(c *Ctx, a []column.Datum) (column.Datum, error) {
	if len(a[0].B) <= clonePiece && len(a[1].B) <= clonePiece {
		return bytesResult(concat(a[0].B, a[1].B))
	}
	out, err := c.joinPieces(a[0].B, a[1].B)
	if err != nil {
		return column.Datum{}, err
	}
	return bytesResult(out)
}

func octetLength(_ *Ctx, a []column.Datum) (column.Datum, error) {
	return intResult(int64(len(a[0].B)))
}

func tooLong() error {
	return pgerr.New(pgerr.ProgramLimitExceeded, "requested length too large")
}

// asciiCase says whether a collation knows the case of ASCII letters only, as C does.
func asciiCase(c *Ctx) bool {
	return c.Collation == 0 || c.Collation == types.DefaultCollation || c.Collation == types.CCollation || c.Collation == types.POSIXCollation
}

func upper(c *Ctx, s []byte) []byte {
	if !asciiCase(c) {
		return bytes.ToUpper(s)
	}
	out := bytes.Clone(s)
	for i, b := range out {
		if b >= 'a' && b <= 'z' {
			out[i] = b - 32
		}
	}
	return out
}

func lower(c *Ctx, s []byte) []byte {
	if !asciiCase(c) {
		return bytes.ToLower(s)
	}
	out := bytes.Clone(s)
	for i, b := range out {
		if b >= 'A' && b <= 'Z' {
			out[i] = b + 32
		}
	}
	return out
}

func initcap(c *Ctx, s []byte) []byte {
	inWord := false
	ascii := asciiCase(c)
	return bytes.Map(func(r rune) rune {
		was := inWord
		if ascii && r >= utf8.RuneSelf {
			inWord = false
			return r
		}
		inWord = unicode.IsLetter(r) || unicode.IsDigit(r)
		if was {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, s)
}

// charOffset returns the byte offset of character n, the length when there are fewer.
func charOffset(s []byte, n int64) int {
	off := 0
	for ; n > 0 && off < len(s); n-- {
		_, size := utf8.DecodeRune(s[off:])
		off += size
	}
	return off
}

// toTheEnd is a length that reaches the end of a value from any position before its start, too.
const toTheEnd = 1 << 40

// substr cuts length characters (or bytes) from position start, counted from 1.
func substr(s []byte, start, length int64, chars bool) (column.Datum, error) {
	if length < 0 {
		return column.Datum{}, pgerr.New(pgerr.SubstringError, "negative substring length not allowed")
	}
	end := start + length
	start, end = max(start, 1), max(end, 1)
	if !chars {
		n := int64(len(s))
		return bytesResult(s[min(start-1, n):min(max(start, end)-1, n)])
	}
	if end <= start {
		return bytesResult(nil)
	}
	s = s[charOffset(s, start-1):]
	return bytesResult(s[:charOffset(s, end-start)])
}

func overlay(s, with []byte, start, length int64, chars bool) (column.Datum, error) {
	if start <= 0 {
		return column.Datum{}, pgerr.New(pgerr.SubstringError, "negative substring length not allowed")
	}
	if start+length > 1<<31-1 {
		return column.Datum{}, width(4).outOfRange()
	}
	head, _ := substr(s, 1, start-1, chars)
	tail, _ := substr(s, start+length, toTheEnd, chars)
	return bytesResult(append(concat(head.B, with), tail.B...))
}

func reverse(c *Ctx, s []byte) (column.Datum, error) {
	p := pace{c: c}
	out := make([]byte, len(s))
	for i, k := 0, len(s); i < len(s); {
		_, n := utf8.DecodeRune(s[i:])
		k -= n
		copy(out[k:], s[i:i+n])
		i += n
		if err := p.step(8); err != nil {
			return column.Datum{}, err
		}
	}
	return bytesResult(out)
}

// replaceAll is bytes.ReplaceAll for an old text that is not empty.
func replaceAll(c *Ctx, s, old, with []byte) (column.Datum, error) {
	if len(s) < piece && len(s)*(len(with)+1) < 8*piece {
		return bytesResult(bytes.ReplaceAll(s, old, with))
	}
	var out []byte
	p := pace{c: c}
	for {
		i := bytes.Index(s[:min(len(s), piece+len(old))], old)
		n := i + len(old)
		switch {
		case i >= 0:
			out = append(append(out, s[:i]...), with...)
		case len(s) <= piece+len(old):
			return bytesResult(append(out, s...))
		default:
			n = piece
			out = append(out, s[:n]...)
		}
		s = s[n:]
		if len(out) > maxText {
			return column.Datum{}, tooLong()
		}
		if err := p.step(n + len(with) + 16); err != nil {
			return column.Datum{}, err
		}
		if p.done == 0 {
			if err := c.textRoom(int64(len(out))); err != nil {
				return column.Datum{}, err
			}
		}
	}
}

// translate replaces each character of from by the one at its place in to, or drops it.
func translate(c *Ctx, s, from, to []byte) (column.Datum, error) {
	src, dst := []rune(string(from)), []rune(string(to))
	one := func(r rune) rune {
		for i, f := range src {
			if f == r {
				if i < len(dst) {
					return dst[i]
				}
				return -1
			}
		}
		return r
	}
	return inPieces(c, s, func(s []byte) []byte { return bytes.Map(one, s) })
}

// splitPart returns the n-th field of s, from the end when n is negative.
func splitPart(s, sep []byte, n int64) (column.Datum, error) {
	if n == 0 {
		return column.Datum{}, pgerr.New(pgerr.InvalidParameterValue, "field position must not be zero")
	}
	if len(s) == 0 {
		return bytesResult(nil)
	}
	if len(sep) == 0 {
		if n == 1 || n == -1 {
			return bytesResult(s)
		}
		return bytesResult(nil)
	}
	if n < 0 {
		n += int64(bytes.Count(s, sep)) + 2
		if n <= 0 {
			return bytesResult(nil)
		}
	}
	for ; n > 1; n-- {
		i := bytes.Index(s, sep)
		if i < 0 {
			return bytesResult(nil)
		}
		s = s[i+len(sep):]
	}
	field, _, _ := bytes.Cut(s, sep)
	return bytesResult(field)
}

// padding returns how much of s fits into n characters and what fills the rest.
func padding(c *Ctx, s []byte, n int64, fill []byte) (keep, pad []byte, err error) {
	n = max(0, n)
	if n > maxText/4 {
		return nil, nil, tooLong()
	}
	have := int64(utf8.RuneCount(s))
	if have >= n {
		return s[:charOffset(s, n)], nil, nil
	}
	size := int64(utf8.RuneCount(fill))
	if size == 0 {
		return s, nil, nil
	}
	missing := n - have
	pad, err = repeated(c, fill, int(missing/size))
	return s, append(pad, fill[:charOffset(fill, missing%size)]...), err
}

func trimmer(left, right bool) EvalFunc {
	return func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		set := " "
		if len(a) > 1 {
			set = a[1].String()
		}
		s := a[0].B
		if left {
			s = bytes.TrimLeft(s, set)
		}
		if right {
			s = bytes.TrimRight(s, set)
		}
		return bytesResult(s)
	}
}

func byteaTrimmer(left, right bool) EvalFunc {
	return func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		s, set := a[0].B, a[1].B
		for left && len(s) > 0 && bytes.IndexByte(set, s[0]) >= 0 {
			s = s[1:]
		}
		for right && len(s) > 0 && bytes.IndexByte(set, s[len(s)-1]) >= 0 {
			s = s[:len(s)-1]
		}
		return bytesResult(s)
	}
}

func chr(n int64) (column.Datum, error) {
	switch {
	case n < 0:
		return column.Datum{}, pgerr.New(pgerr.InvalidParameterValue, "character number must be positive")
	case n == 0:
		return column.Datum{}, pgerr.New(pgerr.ProgramLimitExceeded, "null character not permitted")
	case n > unicode.MaxRune:
		return column.Datum{}, pgerr.New(pgerr.ProgramLimitExceeded, "requested character too large for encoding: %d", n)
	case n >= 0xd800 && n <= 0xdfff:
		return column.Datum{}, pgerr.New(pgerr.ProgramLimitExceeded, "requested character not valid for encoding: %d", n)
	}
	return textResult(string(rune(n)))
}
