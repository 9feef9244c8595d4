package functions

import (
	"encoding/binary"
	"math"
	"math/big"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// lsnEvals compute with positions of the log, which are numbers of bytes.
var lsnEvals = map[string]EvalFunc{
	"pg_lsn_mi": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		d := new(big.Int).SetUint64(lsnFrom(a[0]))
		return types.NumericFromBig(d.Sub(d, new(big.Int).SetUint64(lsnFrom(a[1]))), 0).Datum(), nil
	},
	"pg_lsn_pli": func(_ *Ctx, a []column.Datum) (column.Datum, error) { return moveLSN(a[0], a[1], 1) },
	"pg_lsn_mii": func(_ *Ctx, a []column.Datum) (column.Datum, error) { return moveLSN(a[0], a[1], -1) },
	"numeric_pl_pg_lsn": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return moveLSN(a[1], a[0], 1)
	},
}

func lsnFrom(d column.Datum) uint64 { return binary.BigEndian.Uint64(d.B) }

func moveLSN(at, by column.Datum, direction int64) (column.Datum, error) {
	n := types.NumericFrom(by)
	if n.IsNaN() {
		verb := map[int64]string{1: "add NaN to", -1: "subtract NaN from"}[direction]
		return column.Datum{}, pgerr.New(pgerr.FeatureNotSupported, "cannot %s pg_lsn", verb)
	}
	if n.IsInf() {
		return column.Datum{}, pgerr.New(pgerr.FeatureNotSupported, "cannot convert infinity to pg_lsn")
	}
	to := n.Round(0).Coefficient()
	to.Mul(to, big.NewInt(direction)).Add(to, new(big.Int).SetUint64(lsnFrom(at)))
	if to.Sign() < 0 || to.Cmp(new(big.Int).SetUint64(math.MaxUint64)) > 0 {
		return column.Datum{}, pgerr.New(pgerr.InvalidParameterValue, "pg_lsn out of range")
	}
	return column.BytesDatum(binary.BigEndian.AppendUint64(nil, to.Uint64())), nil
}
