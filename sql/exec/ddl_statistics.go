package exec

import (
	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/plan"
)

// statisticsPage is the size of a page in pg_class.relpages.
const statisticsPage = 8192

// updateStatistics is UPDATE pg_class SET reltuples, relpages: what the optimizer takes for the size of a table until the
// next ANALYZE.
func (d *ddl) updateStatistics(u *plan.UpdateStatistics) (string, error) {
	st, err := d.bind.Plan(u.Query)
	if err != nil {
		return "", err
	}
	rows, err := Run(d.rt, st)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	n := int64(0)
	var b column.Batch
	for {
		more, err := rows.Next(&b)
		if err != nil {
			return "", err
		}
		if !more {
			return u.Tag() + " " + itoa(n), nil
		}
		for i := range b.Len() {
			at := b.Row(i)
			n++
			if err := d.setStatistics(OID(b.Cols[0].Datum(at).I), b.Cols[1].Datum(at), b.Cols[2].Datum(at)); err != nil {
				return "", err
			}
		}
	}
}

func (d *ddl) setStatistics(oid OID, tuples, pages column.Datum) error {
	r := d.view.Relation(oid)
	if r == nil || r.Kind != catalog.KindTable && r.Kind != catalog.KindMatView {
		return nil // an index or a view: nobody asks for its size
	}
	if err := d.view.LockObject(d.ctx, catalog.ClassStatistic, oid); err != nil {
		return err
	}
	stat := &catalog.Statistic{Meta: catalog.Meta{OID: oid}, Bytes: d.rt.DB.StoreStats(engine.StoreID(r.Store)).Bytes}
	if old := d.view.Statistic(oid); old != nil {
		next := *old
		stat = &next
	}
	if !tuples.Null {
		stat.Rows = tuples.Float()
	}
	if !pages.Null {
		stat.Bytes = pages.I * statisticsPage
	}
	return d.put(stat)
}
