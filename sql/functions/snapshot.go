package functions

import (
	"math"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/types"
)

// snapshotEvals take snapshots of transaction ids apart.
var snapshotEvals = map[string]EvalFunc{
	"pg_current_snapshot": func(c *Ctx, _ []column.Datum) (column.Datum, error) {
		return types.MakeSnapshot(c.Session.CurrentSnapshot()), nil
	},
	"xid_age": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		const firstNormal = 3 // those below are permanent
		if a[0].I < firstNormal {
			return intResult(math.MaxInt32)
		}
		now, ok := c.Session.TransactionID(false)
		if !ok {
			_, now, _ = c.Session.CurrentSnapshot()
		}
		return intResult(int64(int32(uint32(now) - uint32(a[0].I))))
	},
	"pg_snapshot_xmin": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		xmin, _, _ := types.SnapshotFrom(a[0])
		return intResult(int64(xmin))
	},
	"pg_snapshot_xmax": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		_, xmax, _ := types.SnapshotFrom(a[0])
		return intResult(int64(xmax))
	},
	"pg_visible_in_snapshot": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		xmin, xmax, running := types.SnapshotFrom(a[1])
		id := uint64(a[0].I)
		if id < xmin || id >= xmax {
			return boolResult(id < xmin)
		}
		for _, x := range running {
			if x == id {
				return boolResult(false)
			}
		}
		return boolResult(true)
	},
}

// snapshotSets yield the transactions that a snapshot saw running.
var snapshotSets = map[string]SetFunc{
	"pg_snapshot_xip": func(_ *Ctx, a []column.Datum) (SetIter, error) {
		_, _, running := types.SnapshotFrom(a[0])
		it := &rowsIter{}
		for _, x := range running {
			it.rows = append(it.rows, []column.Datum{column.IntDatum(int64(x))})
		}
		return it, nil
	},
}
