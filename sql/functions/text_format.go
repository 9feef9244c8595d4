package functions

import (
	"math"
	"strings"
	"unicode/utf8"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// formatSpec is one %[position$][flags][width]type of format().
type formatSpec struct {
	arg       int // explicit position, 0 for the next one
	left      bool
	width     int64
	starWidth bool // the width is an argument
	widthArg  int  // its explicit position, 0 for the next one
	verb      byte
}

// formatText is format(): its first argument is the format, the others are of any type.
func formatText(c *Ctx, a []column.Datum) (column.Datum, error) {
	if a[0].Null {
		return nullResult()
	}
	args, _, err := variadicArgs(c, a, 1)
	if err != nil {
		return column.Datum{}, err
	}
	f := formatter{c: c, args: args}
	s := a[0].String()
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			f.out.WriteByte(s[i])
			continue
		}
		if i++; i >= len(s) {
			return column.Datum{}, unterminatedFormat()
		}
		if s[i] == '%' {
			f.out.WriteByte('%')
			continue
		}
		spec, next, err := parseFormatSpec(s, i)
		if err != nil {
			return column.Datum{}, err
		}
		i = next
		if err := f.convert(spec); err != nil {
			return column.Datum{}, err
		}
	}
	return textResult(f.out.String())
}

func unterminatedFormat() error {
	return pgerr.New(pgerr.InvalidParameterValue, "unterminated format() type specifier").WithHint("%s", `For a single "%" use "%%".`)
}

// formatNumber reads digits at s[i:].
func formatNumber(s string, i int) (n int64, next int, err error) {
	for ; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
		n = n*10 + int64(s[i]-'0')
		if n > math.MaxInt32 {
			return 0, i, pgerr.New(pgerr.NumericValueOutOfRange, "number is out of range")
		}
	}
	if i >= len(s) {
		return 0, i, unterminatedFormat()
	}
	return n, i, nil
}

// parseFormatSpec reads what follows a percent sign and returns the place of the verb.
func parseFormatSpec(s string, i int) (spec formatSpec, at int, err error) {
	zero := func() error {
		return pgerr.New(pgerr.InvalidParameterValue, "format specifies argument 0, but arguments are numbered from 1")
	}
	n, next, err := formatNumber(s, i)
	if err != nil {
		return spec, i, err
	}
	switch {
	case next > i && s[next] != '$':
		spec.width = n
		spec.verb = s[next]
		return spec, next, checkVerb(s, next)
	case next > i:
		if spec.arg = int(n); n == 0 {
			return spec, i, zero()
		}
		i = next + 1
	}
	for i < len(s) && s[i] == '-' {
		spec.left = true
		i++
	}
	if i >= len(s) {
		return spec, i, unterminatedFormat()
	}
	if s[i] == '*' {
		spec.starWidth = true
		i++
		n, next, err := formatNumber(s, i)
		if err != nil {
			return spec, i, err
		}
		if next > i {
			if s[next] != '$' {
				return spec, i, pgerr.New(pgerr.InvalidParameterValue, "width argument position must be ended by \"$\"")
			}
			if spec.widthArg = int(n); n == 0 {
				return spec, i, zero()
			}
			i = next + 1
		}
	} else if spec.width, i, err = formatNumber(s, i); err != nil {
		return spec, i, err
	}
	if i >= len(s) {
		return spec, i, unterminatedFormat()
	}
	spec.verb = s[i]
	return spec, i, checkVerb(s, i)
}

func checkVerb(s string, i int) error {
	if strings.IndexByte("sIL", s[i]) >= 0 {
		return nil
	}
	_, n := utf8.DecodeRuneInString(s[i:])
	return pgerr.New(pgerr.InvalidParameterValue, "unrecognized format() type specifier \"%s\"", s[i:i+n]).
		WithHint("%s", `For a single "%" use "%%".`)
}

// formatter carries format()'s progress through its arguments.
type formatter struct {
	c    *Ctx
	args []typedDatum
	next int // arguments used so far
	out  strings.Builder
}

// take returns the argument at an explicit position (from 1), or the next one.
func (f *formatter) take(position int) (typedDatum, error) {
	if position == 0 {
		f.next++
		position = f.next
	}
	f.next = position
	if position > len(f.args) {
		return typedDatum{}, pgerr.New(pgerr.InvalidParameterValue, "too few arguments for format()")
	}
	return f.args[position-1], nil
}

func (f *formatter) convert(spec formatSpec) error {
	if spec.starWidth {
		d, err := f.take(spec.widthArg)
		if err != nil {
			return err
		}
		if !d.Null {
			w, err := f.c.Env.In(types.Int4OID, -1, string(f.c.Env.Out(nil, d.typ, d.Datum)))
			if err != nil {
				return err
			}
			spec.width = w.I
		}
		if spec.width < 0 {
			spec.left, spec.width = true, -spec.width
		}
	}
	d, err := f.take(spec.arg)
	if err != nil {
		return err
	}
	text := ""
	switch {
	case d.Null && spec.verb == 'I':
		return pgerr.New(pgerr.NullValueNotAllowed, "null values cannot be formatted as an SQL identifier")
	case d.Null && spec.verb == 'L':
		text = "NULL"
	case !d.Null:
		text = string(f.c.Env.Out(nil, d.typ, d.Datum))
		if spec.verb == 'I' {
			text = f.c.Env.QuoteIdent(text)
		} else if spec.verb == 'L' {
			text = quoteLiteral(text)
		}
	}
	missing := spec.width - int64(utf8.RuneCountInString(text))
	if missing > maxText/4 {
		return tooLong()
	}
	if err := f.c.textRoom(int64(f.out.Len()+len(text)) + max(0, missing)); err != nil {
		return err
	}
	fill := strings.Repeat(" ", int(max(0, missing)))
	if spec.left {
		f.out.WriteString(text + fill)
	} else {
		f.out.WriteString(fill + text)
	}
	return nil
}
