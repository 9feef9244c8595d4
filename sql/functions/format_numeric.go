package functions

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

func init() {
	formatEvals["int4_to_char"] = func(c *Ctx, a []column.Datum) (column.Datum, error) {
		return formatNumeric(c, types.NumericFromInt64(a[0].I), a[1].String())
	}
	formatEvals["int8_to_char"] = formatEvals["int4_to_char"]
	formatEvals["numeric_to_char"] = func(c *Ctx, a []column.Datum) (column.Datum, error) {
		return formatNumeric(c, types.NumericFrom(a[0]), a[1].String())
	}
	formatEvals["float4_to_char"] = func(c *Ctx, a []column.Datum) (column.Datum, error) {
		return formatFloat(c, a[0].Float(), 6, a[1].String())
	}
	formatEvals["float8_to_char"] = func(c *Ctx, a []column.Datum) (column.Datum, error) {
		return formatFloat(c, a[0].Float(), 15, a[1].String())
	}
	formatEvals["numeric_to_number"] = func(c *Ctx, a []column.Datum) (column.Datum, error) {
		if len(a[1].B) == 0 {
			return nullResult()
		}
		p, err := callNumberPicture(c, a[1].String())
		if err != nil {
			return column.Datum{}, err
		}
		return p.read(c, a[0].String())
	}
}

func callNumberPicture(c *Ctx, format string) (*numberPicture, error) {
	if p, ok := c.Memo.(*numberPicture); ok && p.source == format {
		return p, nil
	}
	p, err := parseNumberPicture(format)
	if err == nil {
		c.Memo = p
	}
	return p, err
}

func formatNumeric(c *Ctx, n types.Numeric, format string) (column.Datum, error) {
	if format == "" {
		return textResult("")
	}
	p, err := callNumberPicture(c, format)
	if err != nil {
		return column.Datum{}, err
	}
	switch {
	case p.roman:
		v, err := n.Round(0).Int64(32, "integer")
		if err != nil {
			return column.Datum{}, err
		}
		return textResult(p.romanText(v))
	case p.sci:
		if !n.IsFinite() {
			return textResult(" " + p.hashes() + "####")
		}
		return textResult(signed(scientific(n, p.post)))
	}
	pre := p.pre
	if p.multiply {
		if n, err = n.Mul(types.NumericFromBig(pow10(p.multi), 0)); err != nil {
			return column.Datum{}, err
		}
		pre += p.multi
	}
	if !n.IsFinite() && p.ordinal {
		return column.Datum{}, pgerr.New(pgerr.InvalidTextRepresentation, "\"%s\" is not a number", n.Abs().String())
	}
	return textResult(p.fit(n.Round(p.post).String(), pre))
}

// fit pours a printed number into the picture, or hashes when it is too long.
func (p *numberPicture) fit(text string, pre int) string {
	digits, negative := strings.CutPrefix(text, "-")
	whole := strings.IndexByte(digits, '.')
	if whole < 0 {
		whole = len(digits)
	}
	q := *p
	q.pre = pre
	blanks := 0
	if whole < pre {
		blanks = pre - whole
	} else if whole > pre {
		digits = q.hashes()
	}
	// the digits behind V count as places before the point
	if p.multiply {
		q.nodes = nil
		for _, n := range p.nodes {
			if n.key != "V" {
				q.nodes = append(q.nodes, n)
			}
		}
	}
	return q.write(digits, negative, blanks)
}

// hashes stands for a number that does not fit.
func (p *numberPicture) hashes() string {
	s := strings.Repeat("#", p.pre)
	if p.decimal || p.sci {
		s += "." + strings.Repeat("#", p.post)
	}
	return s
}

// signed leaves the place of the sign blank in front of a number that has none.
func signed(number string) string {
	if !strings.HasPrefix(number, "-") {
		number = " " + number
	}
	return number
}

// scientific prints d.ddde+dd with the given fraction digits. The exponent is that of the number before it is rounded, as in PostgreSQL:
// 9.99 with one digit is 10.0e+00.
func scientific(n types.Numeric, digits int) string {
	if n.Sign() == 0 {
		return strconv.FormatFloat(0, 'e', digits, 64)
	}
	text := strings.TrimPrefix(n.String(), "-")
	exp := strings.IndexByte(text, '.') - 1
	if exp < -1 {
		exp = len(text) - 1
	}
	for i := 0; i < len(text) && (text[i] == '0' || text[i] == '.'); i++ {
		if text[i] == '0' && i < len(text)-1 {
			exp--
		}
	}
	if strings.IndexByte(text, '.') < 0 && text[0] == '0' {
		exp = 0
	}
	scaleBy := types.NumericFromBig(pow10(max(exp, 0)), 0)
	m := n
	if exp >= 0 {
		m = n.DivScale(scaleBy, digits)
	} else if v, err := n.Mul(types.NumericFromBig(pow10(-exp), 0)); err == nil {
		m = v.Round(digits)
	}
	return fmt.Sprintf("%se%+03d", m.String(), exp)
}

func formatFloat(c *Ctx, f float64, precision int, format string) (column.Datum, error) {
	if format == "" {
		return textResult("")
	}
	p, err := callNumberPicture(c, format)
	if err != nil {
		return column.Datum{}, err
	}
	special := math.IsNaN(f) || math.IsInf(f, 0)
	switch {
	case p.roman && special:
		return textResult(p.romanText(0))
	case p.roman:
		return textResult(p.romanText(int64(math.RoundToEven(max(min(f, 1e9), -1e9)))))
	case p.sci && special:
		return textResult(" " + p.hashes() + "####")
	case p.sci:
		return textResult(signed(strconv.FormatFloat(f, 'e', p.post, 64)))
	}
	pre := p.pre
	if p.multiply {
		f *= math.Pow(10, float64(p.multi))
		pre += p.multi
	}
	q := *p
	whole := len(strconv.FormatFloat(math.Abs(f), 'f', 0, 64))
	if whole >= precision {
		q.post = 0
	} else if whole+q.post > precision {
		q.post = precision - whole
	}
	text := strconv.FormatFloat(f, 'f', q.post, 64)
	if special {
		text = strings.TrimPrefix(string(c.Env.Out(nil, types.Float8OID, column.FloatDatum(f))), "+")
	}
	return textResult(q.fit(text, pre))
}

// romanText prints 1 to 3999; other numbers do not fit.
func (p *numberPicture) romanText(v int64) string {
	text := strings.Repeat("#", 15)
	if v > 0 && v < 4000 {
		var b strings.Builder
		for _, r := range []struct {
			value int64
			text  string
		}{{1000, "M"}, {900, "CM"}, {500, "D"}, {400, "CD"}, {100, "C"}, {90, "XC"}, {50, "L"}, {40, "XL"}, {10, "X"},
			{9, "IX"}, {5, "V"}, {4, "IV"}, {1, "I"}} {
			for ; v >= r.value; v -= r.value {
				b.WriteString(r.text)
			}
		}
		text = b.String()
	}
	var out strings.Builder
	for _, node := range p.nodes {
		switch node.key {
		case "RN":
			t := text
			if node.text == "rn" {
				t = strings.ToLower(t)
			}
			if !p.fill {
				t = fmt.Sprintf("%15s", t)
			}
			out.WriteString(t)
		case "":
			out.WriteString(node.text)
		}
	}
	return out.String()
}
