package functions

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/types"
)

// makeEvals build dates and times from numbers.
var makeEvals = map[string]EvalFunc{
	"make_date": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		d, err := types.MakeDate(int(a[0].I), int(a[1].I), int(a[2].I))
		return column.IntDatum(d), err
	},
	"make_time": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		t, err := types.MakeTime(int(a[0].I), int(a[1].I), a[2].Float())
		return column.IntDatum(t), err
	},
	"make_timestamp": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		ts, err := makeTimestamp(a)
		return column.IntDatum(ts), err
	},
	"make_timestamptz": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		ts, err := makeTimestamp(a)
		if err == nil {
			ts, err = types.TimestampToTimestamptz(ts, c.Env.SessionZone())
		}
		return column.IntDatum(ts), err
	},
	"make_timestamptz_at_timezone": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		ts, err := makeTimestamp(a)
		if err != nil {
			return column.Datum{}, err
		}
		z, err := types.ZoneForMake(a[6].String(), ts)
		if err != nil {
			return column.Datum{}, err
		}
		ts, err = types.TimestampToTimestamptz(ts, z)
		return column.IntDatum(ts), err
	},
	"make_interval": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		n := func(i int) int32 { return int32(a[i].I) }
		v, err := types.MakeInterval(n(0), n(1), n(2), n(3), n(4), n(5), a[6].Float())
		return v.Datum(), err
	},
	"float8_timestamptz": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		ts, err := types.TimestamptzFromUnix(a[0].Float())
		return column.IntDatum(ts), err
	},
}

func makeTimestamp(a []column.Datum) (int64, error) {
	return types.MakeTimestamp(int(a[0].I), int(a[1].I), int(a[2].I), int(a[3].I), int(a[4].I), a[5].Float())
}
