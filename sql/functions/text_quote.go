package functions

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// quoteEvals quote, concatenate values of any type, and read escapes.
var quoteEvals = map[string]EvalFunc{
	"quote_ident": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		return textResult(c.Env.QuoteIdent(a[0].String()))
	},
	"quote_literal": func(_ *Ctx, a []column.Datum) (column.Datum, error) { return textResult(quoteLiteral(a[0].String())) },
	"quote_nullable": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		if a[0].Null {
			return textResult("NULL")
		}
		return textResult(quoteLiteral(a[0].String()))
	},
	"quote_literal(anyelement)": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		return textResult(quoteLiteral(output(c, 0, a[0])))
	},
	"quote_nullable(anyelement)": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		if a[0].Null {
			return textResult("NULL")
		}
		return textResult(quoteLiteral(output(c, 0, a[0])))
	},
	"textanycat(text,anynonarray)": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		return textResult(a[0].String() + castText(c, 1, a[1]))
	},
	"anytextcat(anynonarray,text)": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		return textResult(castText(c, 0, a[0]) + a[1].String())
	},
	"unistr": func(_ *Ctx, a []column.Datum) (column.Datum, error) { return unistr(a[0].String()) },
	"text_concat": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		return concatWith(c, "", a, 0)
	},
	"text_concat_ws": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		if a[0].Null {
			return nullResult()
		}
		return concatWith(c, a[0].String(), a, 1)
	},
	"text_format":    formatText,
	"text_format_nv": formatText,
	"nameconcatoid": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		suffix := "_" + strconv.FormatInt(a[1].I, 10)
		name := a[0].String()
		for len(name)+len(suffix) > types.NameLen-1 {
			_, n := utf8.DecodeLastRuneInString(name)
			name = name[:len(name)-n]
		}
		return textResult(name + suffix)
	},
}

// output returns the text form of argument i.
func output(c *Ctx, i int, d column.Datum) string {
	return string(c.Env.Out(nil, c.argType(i), d))
}

// castText returns argument i as a cast to text does: bool as true or false, char(n) without
// its padding, all others by their output function.
func castText(c *Ctx, i int, d column.Datum) string {
	switch c.argType(i) {
	case types.BoolOID:
		return strconv.FormatBool(d.I != 0)
	case types.BPCharOID:
		return strings.TrimRight(d.String(), " ")
	}
	return output(c, i, d)
}

func quoteLiteral(s string) string {
	var b strings.Builder
	if strings.Contains(s, `\`) {
		b.WriteByte('E')
	}
	b.WriteByte('\'')
	for i := range len(s) {
		if s[i] == '\'' || s[i] == '\\' {
			b.WriteByte(s[i])
		}
		b.WriteByte(s[i])
	}
	b.WriteByte('\'')
	return b.String()
}

func concatWith(c *Ctx, sep string, args []column.Datum, from int) (column.Datum, error) {
	list, null, err := variadicArgs(c, args, from)
	if err != nil || null {
		return column.Datum{Null: null}, err
	}
	var out []byte
	first := true
	for _, v := range list {
		if v.Null {
			continue
		}
		if !first {
			out = append(out, sep...)
		}
		first = false
		out = c.Env.Out(out, v.typ, v.Datum)
	}
	return bytesResult(out)
}

// unistr reads \XXXX, \+XXXXXX, \uXXXX, \UXXXXXXXX and \\.
func unistr(s string) (column.Datum, error) {
	invalid := func() error {
		return pgerr.New(pgerr.SyntaxError, "invalid Unicode escape").
			WithHint("Unicode escapes must be \\XXXX, \\+XXXXXX, \\uXXXX, or \\UXXXXXXXX.")
	}
	var b strings.Builder
	var high rune
	for i := 0; i < len(s); {
		if s[i] != '\\' || strings.HasPrefix(s[i:], `\\`) {
			if high != 0 {
				return column.Datum{}, pgerr.New(pgerr.SyntaxError, "invalid Unicode surrogate pair")
			}
			b.WriteByte(s[i])
			if s[i] == '\\' {
				i++
			}
			i++
			continue
		}
		skip, digits := 1, 4
		switch {
		case strings.HasPrefix(s[i:], `\+`):
			skip, digits = 2, 6
		case strings.HasPrefix(s[i:], `\u`):
			skip = 2
		case strings.HasPrefix(s[i:], `\U`):
			skip, digits = 2, 8
		}
		if i+skip+digits > len(s) {
			return column.Datum{}, invalid()
		}
		v, err := strconv.ParseUint(s[i+skip:i+skip+digits], 16, 32)
		if err != nil {
			return column.Datum{}, invalid()
		}
		i += skip + digits
		r := rune(v)
		switch {
		case v == 0 || v > utf8.MaxRune:
			return column.Datum{}, pgerr.New(pgerr.SyntaxError, "invalid Unicode code point: %04X", v)
		case high != 0 && (r < 0xdc00 || r > 0xdfff), high == 0 && r >= 0xdc00 && r <= 0xdfff:
			return column.Datum{}, pgerr.New(pgerr.SyntaxError, "invalid Unicode surrogate pair")
		case high != 0:
			r, high = (high-0xd800)<<10+(r-0xdc00)+0x10000, 0
		case r >= 0xd800 && r < 0xdc00:
			high = r
			continue
		}
		b.WriteRune(r)
	}
	if high != 0 {
		return column.Datum{}, pgerr.New(pgerr.SyntaxError, "invalid Unicode surrogate pair")
	}
	return textResult(b.String())
}
