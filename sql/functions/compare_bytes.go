package functions

import (
	"bytes"
	"cmp"
	"strings"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/types"
)

// bytesCmp compares two values as bytes after trim has taken away what does not count.
func bytesCmp(trim func([]byte) []byte) EvalFunc {
	return func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return intResult(int64(types.ByteDifference(trim(a[0].B), trim(a[1].B))))
	}
}

// textCmp compares by the collation at hand.
func textCmp(oid OID, trim func([]byte) []byte) EvalFunc {
	return func(c *Ctx, a []column.Datum) (column.Datum, error) {
		if c.Env.ComparesBytes(c.Collation) {
			return intResult(int64(types.ByteDifference(trim(a[0].B), trim(a[1].B))))
		}
		return intResult(int64(cmp.Compare(comparator(c, oid)(a[0], a[1]), 0)))
	}
}

func allBytes(b []byte) []byte { return b }

func noBlanks(b []byte) []byte { return bytes.TrimRight(b, " ") }

// withEnd adds the zero byte at which C's strncmp stops.
func withEnd(b []byte) []byte { return append(bytes.Clone(b), 0) }

func init() {
	for _, name := range strings.Fields("byteacmp uuid_cmp bttext_pattern_cmp") {
		compareEvals[name] = bytesCmp(allBytes)
	}
	compareEvals["btbpchar_pattern_cmp"] = bytesCmp(noBlanks)
	compareEvals["btnamecmp"] = bytesCmp(withEnd)
	compareEvals["bpcharcmp"] = textCmp(types.BPCharOID, noBlanks)
	for _, name := range strings.Fields("bttextcmp btnametextcmp bttextnamecmp") {
		compareEvals[name] = textCmp(types.TextOID, allBytes)
	}
	compareEvals["bitcmp"] = func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		x, y := types.BitsFrom(a[0]), types.BitsFrom(a[1])
		n := min(len(x.Bytes), len(y.Bytes))
		if d := int64(types.ByteDifference(x.Bytes[:n], y.Bytes[:n])); d != 0 {
			return intResult(d)
		}
		return intResult(int64(cmp.Compare(x.N, y.N)))
	}
	order := compareEvals["btoidvectorcmp"]
	compareEvals["btoidvectorcmp"] = func(c *Ctx, a []column.Datum) (column.Datum, error) {
		if n := len(types.ArrayFrom(a[0]).Elems) - len(types.ArrayFrom(a[1]).Elems); n != 0 {
			return intResult(int64(n))
		}
		return order(c, a)
	}
}
