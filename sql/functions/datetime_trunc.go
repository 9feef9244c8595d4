package functions

import (
	"strings"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/types"
)

// truncEvals are date_trunc, date_bin and time zone conversion.
var truncEvals = map[string]EvalFunc{
	"timestamp_trunc": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		ts, err := types.TruncTimestamp(a[0].String(), a[1].I)
		return column.IntDatum(ts), err
	},
	"timestamptz_trunc": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		ts, err := types.TruncTimestamptz(a[0].String(), a[1].I, c.Env.SessionZone())
		return column.IntDatum(ts), err
	},
	"timestamptz_trunc_zone": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		if infinite(a[1].I) {
			return a[1], nil
		}
		z, err := namedZone(a[2], a[1].I, false)
		if err != nil {
			return column.Datum{}, err
		}
		ts, err := types.TruncTimestamptz(a[0].String(), a[1].I, z)
		return column.IntDatum(ts), err
	},
	"interval_trunc": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		v, err := types.TruncInterval(a[0].String(), types.IntervalFrom(a[1]))
		return v.Datum(), err
	},
	"timestamp_bin":   bin,
	"timestamptz_bin": bin,

	"timestamp_zone":    atZone(zoneOfName(true), types.TimestampToTimestamptz),
	"timestamptz_zone":  atZone(zoneOfName(false), types.TimestamptzToTimestamp),
	"timestamp_izone":   atZone(zoneOfInterval, types.TimestampToTimestamptz),
	"timestamptz_izone": atZone(zoneOfInterval, types.TimestamptzToTimestamp),
	"timetz_zone": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		z, err := namedZone(a[0], c.Env.Now, false)
		if err != nil {
			return column.Datum{}, err
		}
		return types.TimeTZFrom(a[1]).AtOffset(int32(-z.OffsetAt(c.Env.Now))).Datum(), nil
	},
	"timetz_izone": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		z, err := c.Env.ZoneFromInterval(types.IntervalFrom(a[0]))
		if err != nil {
			return column.Datum{}, err
		}
		return types.TimeTZFrom(a[1]).AtOffset(int32(-z.OffsetAt(c.Env.Now))).Datum(), nil
	},
}

func bin(_ *Ctx, a []column.Datum) (column.Datum, error) {
	ts, err := types.DateBin(types.IntervalFrom(a[0]), a[1].I, a[2].I)
	return column.IntDatum(ts), err
}

// atZone is AT TIME ZONE: the second argument read in, or as a time of, the zone that the first gives. An infinite time needs none.
func atZone(zone func(c *Ctx, a []column.Datum) (*types.Zone, error), convert func(int64, *types.Zone) (int64, error)) EvalFunc {
	return func(c *Ctx, a []column.Datum) (column.Datum, error) {
		if infinite(a[1].I) {
			return a[1], nil
		}
		z, err := zone(c, a)
		if err != nil {
			return column.Datum{}, err
		}
		ts, err := convert(a[1].I, z)
		return column.IntDatum(ts), err
	}
}

func zoneOfName(local bool) func(c *Ctx, a []column.Datum) (*types.Zone, error) {
	return func(_ *Ctx, a []column.Datum) (*types.Zone, error) { return namedZone(a[0], a[1].I, local) }
}

func zoneOfInterval(c *Ctx, a []column.Datum) (*types.Zone, error) {
	return c.Env.ZoneFromInterval(types.IntervalFrom(a[0]))
}

// namedZone finds the zone that AT TIME ZONE names; local says that at is a time in it.
func namedZone(name column.Datum, at int64, local bool) (*types.Zone, error) {
	text := name.String()
	if strings.HasPrefix(text, "+") || strings.HasPrefix(text, "-") {
		text = "zone" + text // a POSIX rule; PostgreSQL lets its abbreviation be empty
	}
	z, err := types.ZoneNamed(text, at, local)
	if err != nil && text != name.String() {
		_, err = types.ZoneNamed(name.String(), at, local)
	}
	return z, err
}
