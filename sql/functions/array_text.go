package functions

import (
	"bytes"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// arrayToText is array_to_string(array, delimiter [, text for NULL]).
func arrayToText(c *Ctx, args []column.Datum) (column.Datum, error) {
	if args[0].Null || args[1].Null {
		return nullResult()
	}
	a := types.ArrayFrom(args[0])
	var out []byte
	first := true
	p := pace{c: c}
	for _, e := range a.Elems {
		if err := p.step(64 + len(e.B)); err != nil {
			return column.Datum{}, err
		}
		if p.done == 0 {
			if err := c.textRoom(int64(len(out))); err != nil {
				return column.Datum{}, err
			}
		}
		if e.Null && (len(args) < 3 || args[2].Null) {
			continue
		}
		if !first {
			out = append(out, args[1].B...)
		}
		first = false
		if e.Null {
			out = append(out, args[2].B...)
		} else {
			out = c.Env.Out(out, a.Elem, e)
		}
	}
	return bytesResult(out)
}

// splitText cuts a text at a delimiter, or into characters when that is NULL; fields
// equal to the third argument become NULL.
func splitText(c *Ctx, args []column.Datum) ([]column.Datum, error) {
	s, sep := args[0].B, args[1]
	var parts [][]byte
	switch {
	case len(s) == 0:
		return nil, nil
	case sep.Null:
		if err := c.Room(int64(len(s)) * 2 * elementBytes); err != nil {
			return nil, err
		}
		for len(s) > 0 {
			n := charSize(s, true)
			parts = append(parts, s[:n])
			s = s[n:]
		}
	case len(sep.B) == 0:
		parts = [][]byte{s}
	default:
		if err := c.Room(int64(bytes.Count(s, sep.B)) * 2 * elementBytes); err != nil {
			return nil, err
		}
		parts = bytes.Split(s, sep.B)
	}
	list := make([]column.Datum, len(parts))
	for i, p := range parts {
		list[i] = column.Datum{B: p}
		if len(args) > 2 && !args[2].Null && bytes.Equal(p, args[2].B) {
			list[i] = column.Null()
		}
	}
	return list, c.Canceled()
}

// elementBytes is what an element of an array takes while it is a value of its own.
const elementBytes = 40

func stringToArray(c *Ctx, args []column.Datum) (column.Datum, error) {
	if args[0].Null {
		return nullResult()
	}
	list, err := splitText(c, args)
	if err != nil {
		return column.Datum{}, err
	}
	return textArray(list), nil
}

func splitTable(c *Ctx, args []column.Datum) (SetIter, error) {
	if args[0].Null {
		return &rowsIter{}, nil
	}
	own := append([]column.Datum{args[0].Clone()}, args[1:]...)
	list, err := splitText(c, own)
	return oneColumn(list), err
}

// subscripts is generate_subscripts(array, dimension [, reverse]).
func subscripts(_ *Ctx, args []column.Datum) (SetIter, error) {
	dims := types.ArrayFrom(args[0]).Dims
	if args[1].I < 1 || args[1].I > int64(len(dims)) {
		return &rowsIter{}, nil
	}
	d := dims[args[1].I-1]
	it := &intSeriesIter{next: int64(d.Lower), stop: int64(d.Lower) + int64(d.Len) - 1, step: 1}
	if len(args) > 2 && args[2].I != 0 {
		it.next, it.stop, it.step = it.stop, it.next, -1
	}
	return it, nil
}

// widthBucketArray returns how many of the sorted thresholds are at most the operand.
func widthBucketArray(c *Ctx, args []column.Datum) (column.Datum, error) {
	a := types.ArrayFrom(args[1])
	if len(a.Dims) > 1 {
		return column.Datum{}, pgerr.New(pgerr.ArraySubscriptError, "thresholds must be one-dimensional array")
	}
	for _, e := range a.Elems {
		if e.Null {
			return column.Datum{}, pgerr.New(pgerr.NullValueNotAllowed, "thresholds array must not contain NULLs")
		}
	}
	cmp := c.Env.Comparator(a.Elem, c.Collation)
	left, right := 0, len(a.Elems)
	for left < right {
		mid := (left + right) / 2
		if cmp(args[0], a.Elems[mid]) < 0 {
			right = mid
		} else {
			left = mid + 1
		}
	}
	return intResult(int64(left))
}

// enumEvals answer about the labels of an enum; the type is the argument's.
var enumEvals = map[string]EvalFunc{
	"enum_first": func(c *Ctx, _ []column.Datum) (column.Datum, error) { return enumEnd(c, 0) },
	"enum_last":  func(c *Ctx, _ []column.Datum) (column.Datum, error) { return enumEnd(c, -1) },
	"enum_range_all": func(c *Ctx, _ []column.Datum) (column.Datum, error) {
		return enumRange(c, column.Null(), column.Null())
	},
	"enum_range_bounds": func(c *Ctx, a []column.Datum) (column.Datum, error) { return enumRange(c, a[0], a[1]) },
}

func enumLabels(c *Ctx) []types.EnumLabel {
	if c.Env.Types == nil {
		return nil
	}
	return c.Env.Types.EnumLabels(c.argType(0))
}

func enumEnd(c *Ctx, k int) (column.Datum, error) {
	labels := enumLabels(c)
	if len(labels) == 0 {
		return column.Datum{}, pgerr.New(pgerr.ObjectNotInPrerequisiteState, "enum %s contains no values", c.Env.TypeName(c.argType(0)))
	}
	if k < 0 {
		k = len(labels) - 1
	}
	if err := c.Env.Usable(c.argType(0), &labels[k]); err != nil {
		return column.Datum{}, err
	}
	return intResult(int64(labels[k].OID))
}

func enumRange(c *Ctx, lower, upper column.Datum) (column.Datum, error) {
	var list []column.Datum
	in := lower.Null
	for _, l := range enumLabels(c) {
		if !lower.Null && OID(lower.I) == l.OID {
			in = true
		}
		if in {
			if err := c.Env.Usable(c.argType(0), &l); err != nil {
				return column.Datum{}, err
			}
			list = append(list, column.IntDatum(int64(l.OID)))
		}
		if !upper.Null && OID(upper.I) == l.OID {
			break
		}
	}
	return c.Env.MakeArray(types.NewArray(c.argType(0), list)), nil
}
