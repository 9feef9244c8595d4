package functions

import (
	"bytes"
	"cmp"
	"encoding/binary"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// recordEvals compare rows: by the order of their columns' types, or by the bytes that
// hold them (record_image_*), which every type has.
var recordEvals = map[string]EvalFunc{}

func init() {
	for op, suffix := range cmpSuffixes {
		recordEvals["record_"+suffix] = recordCompare(cmpOp(op))
		recordEvals["record_image_"+suffix] = imageCompare(cmpOp(op))
	}
	recordEvals["btrecordimagecmp"] = func(c *Ctx, a []column.Datum) (column.Datum, error) {
		k, err := compareImages(c, a[0], a[1])
		return column.IntDatum(int64(k)), err
	}
}

// alike checks that two rows have columns of the same types.
func alike(c *Ctx, x, y []types.Field) error {
	for i := 0; i < len(x) && i < len(y); i++ {
		if x[i].Type != y[i].Type {
			return pgerr.New(pgerr.DatatypeMismatch, "cannot compare dissimilar column types %s and %s at record column %d",
				c.Env.FormatType(x[i].Type, -1), c.Env.FormatType(y[i].Type, -1), i+1)
		}
	}
	if len(x) != len(y) {
		return pgerr.New(pgerr.DatatypeMismatch, "cannot compare record types with different numbers of columns")
	}
	return nil
}

func recordCompare(op cmpOp) EvalFunc {
	return func(c *Ctx, a []column.Datum) (column.Datum, error) {
		x, y := types.RecordFrom(a[0]), types.RecordFrom(a[1])
		if err := alike(c, x, y); err != nil {
			return column.Datum{}, err
		}
		for _, f := range x {
			if c.Env.Orderable(f.Type) {
				continue
			}
			what := "a comparison function"
			if op == opEQ || op == opNE {
				what = "an equality operator"
			}
			return column.Datum{}, pgerr.New(pgerr.UndefinedFunction, "could not identify %s for type %s", what, c.Env.FormatType(f.Type, -1))
		}
		return boolResult(op.holds(c.Env.Compare(types.RecordOID, 0, a[0], a[1])))
	}
}

func imageCompare(op cmpOp) EvalFunc {
	return func(c *Ctx, a []column.Datum) (column.Datum, error) {
		k, err := compareImages(c, a[0], a[1])
		return column.BoolDatum(op.holds(k)), err
	}
}

// compareImages compares rows column by column as bytes, NULL last. Integers and floats compare as
// unsigned words, other values as strings of bytes: the order has no meaning but is the same everywhere.
func compareImages(c *Ctx, a, b column.Datum) (int, error) {
	x, y := types.RecordFrom(a), types.RecordFrom(b)
	if err := alike(c, x, y); err != nil {
		return 0, err
	}
	for i := range x {
		u, v := x[i].Value, y[i].Value
		switch {
		case u.Null && v.Null:
			continue
		case u.Null:
			return 1, nil
		case v.Null:
			return -1, nil
		}
		k := 0
		if c.Env.Kind(x[i].Type) == column.Bytes {
			k = bytes.Compare(imageOf(c, x[i]), imageOf(c, y[i]))
		} else {
			k = cmp.Compare(uint64(u.I), uint64(v.I))
		}
		if k != 0 {
			return k, nil
		}
	}
	return 0, nil
}

// imageOf returns the bytes of a value that is not a word. Floats inside geometric values are stored with
// the low byte first.
func imageOf(c *Ctx, f types.Field) []byte {
	t := c.Env.Type(f.Type)
	if t == nil || t.Category != 'G' {
		return f.Value.B
	}
	out := c.Env.Send(nil, f.Type, f.Value)
	for i := 0; i+8 <= len(out) && len(out)%8 == 0; i += 8 {
		binary.LittleEndian.PutUint64(out[i:], binary.BigEndian.Uint64(out[i:]))
	}
	return out
}
