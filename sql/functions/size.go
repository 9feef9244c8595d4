package functions

import (
	"crypto/rand"
	"math/big"
	"strconv"
	"strings"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// sizeEvals print and read sizes, and make UUIDs.
var sizeEvals = map[string]EvalFunc{
	"pg_size_pretty": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return textResult(prettySize(big.NewInt(a[0].I), strconv.FormatInt(a[0].I, 10)))
	},
	"pg_size_pretty_numeric": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		n := types.NumericFrom(a[0])
		if !n.IsFinite() {
			return textResult(n.String() + " bytes")
		}
		return textResult(prettySize(n.Trunc(0).Coefficient(), n.String()))
	},
	"pg_size_bytes": func(_ *Ctx, a []column.Datum) (column.Datum, error) { return parseSize(a[0].String()) },
	"pg_column_size": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		t := c.Env.Type(c.argType(0))
		if t != nil && t.Len > 0 {
			return intResult(int64(t.Len))
		}
		n := int64(len(a[0].B))
		if n < 127 {
			return intResult(n + 1)
		}
		return intResult(n + 4)
	},
	"gen_random_uuid": func(*Ctx, []column.Datum) (column.Datum, error) {
		b := make([]byte, 16)
		rand.Read(b)
		b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
		return bytesResult(b)
	},
	"timeofday": func(c *Ctx, _ []column.Datum) (column.Datum, error) {
		now := c.Env.ClockNow()
		local := civilOf(localOf(c, now))
		s := local.micros / usecPerSec
		text := dayNames[local.weekday()][:3] + " " + monthNames[local.month-1][:3] + " " + zeros(int64(local.day), 2) + " " +
			zeros(s/3600, 2) + ":" + zeros(s/60%60, 2) + ":" + zeros(s%60, 2) + "." + zeros(local.micros%usecPerSec, 6) +
			" " + strconv.Itoa(local.year) + " " + c.Env.SessionZone().AbbrevAt(now)
		return textResult(text)
	},
}

// zeros prints n with leading zeros.
func zeros(n int64, width int) string {
	s := strconv.FormatInt(n, 10)
	if len(s) < width {
		s = strings.Repeat("0", width-len(s)) + s
	}
	return s
}

var sizeUnits = []string{"kB", "MB", "GB", "TB", "PB"}

// prettySize rounds half away from zero at every step, as PostgreSQL's shifts do.
func prettySize(n *big.Int, exact string) string {
	limit := big.NewInt(10 * 1024)
	if n.CmpAbs(limit) < 0 {
		return exact + " bytes"
	}
	n = new(big.Int).Quo(n, big.NewInt(512)) // keeps one bit for rounding
	limit.SetInt64(20*1024 - 1)
	for i, u := range sizeUnits {
		if n.CmpAbs(limit) < 0 || i == len(sizeUnits)-1 {
			if n.Sign() < 0 {
				n = n.Sub(n, big.NewInt(1))
			} else {
				n = n.Add(n, big.NewInt(1))
			}
			return n.Quo(n, big.NewInt(2)).String() + " " + u
		}
		n = n.Quo(n, big.NewInt(1024))
	}
	return exact
}

func parseSize(s string) (column.Datum, error) {
	text := strings.TrimSpace(s)
	i := 0
	for i < len(text) && (text[i] >= '0' && text[i] <= '9' || strings.IndexByte("+-.", text[i]) >= 0 ||
		i+1 < len(text) && i > 0 && (text[i] == 'e' || text[i] == 'E') && strings.IndexByte("+-0123456789", text[i+1]) >= 0) {
		i++
	}
	n, err := types.ParseNumeric(text[:i])
	if err != nil || i == 0 {
		return column.Datum{}, pgerr.New(pgerr.InvalidParameterValue, "invalid size: \"%s\"", s)
	}
	unit := strings.TrimSpace(text[i:])
	factor := int64(1)
	if unit != "" && !strings.EqualFold(unit, "bytes") && !strings.EqualFold(unit, "b") {
		k := -1
		for j, u := range sizeUnits {
			if strings.EqualFold(u, unit) {
				k = j
			}
		}
		if k < 0 {
			return column.Datum{}, pgerr.New(pgerr.InvalidParameterValue, "invalid size: \"%s\"", s).
				WithDetail("Invalid size unit: \"%s\".", unit).
				WithHint("Valid units are \"bytes\", \"B\", \"kB\", \"MB\", \"GB\", \"TB\", and \"PB\".")
		}
		factor = int64(1) << (10 * (k + 1))
	}
	n, err = n.Mul(types.NumericFromInt64(factor))
	if err != nil {
		return column.Datum{}, err
	}
	v, err := n.Int64(64, "bigint")
	return column.IntDatum(v), err
}
