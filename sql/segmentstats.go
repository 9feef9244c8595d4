package sql

import (
	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/planner"
)

const (
	// staleFactor is by how much the rows of a table must have become more or
	// fewer since ANALYZE for the segments to be believed instead.
	staleFactor = 2

	// distinctShare is the number of distinct values by that of rows from which
	// it is taken to grow with them; PostgreSQL's.
	distinctShare = 0.1
)

// analyzed returns what ANALYZE has found out about an attribute, nil if nothing.
func (s statistics) analyzed(t *catalog.Relation, attr int) *planner.ColumnStatistics {
	st := s.x.view.Statistic(t.OID)
	if st == nil {
		return nil
	}
	for i := range st.Columns {
		if c := &st.Columns[i]; int(c.Num) == attr+1 {
			return &planner.ColumnStatistics{NullFraction: c.NullFrac, Distinct: c.Distinct, Width: c.Width,
				Common: c.Common, Frequencies: c.Frequency, Histogram: c.Histogram, Correlation: c.Correlation}
		}
	}
	return nil
}

// stale reports whether a table has changed a lot since ANALYZE.
func (s statistics) stale(t *catalog.Relation) bool {
	st := s.x.view.Statistic(t.OID)
	rows, _ := s.Rows(t)
	return st != nil && (rows > staleFactor*st.Rows || staleFactor*rows < st.Rows)
}

// fromSegments returns what the segments of a table say about an attribute, taken for
// all rows: nil where most of them are still in memory, or where it is switched off.
func (s statistics) fromSegments(t *catalog.Relation, attr int) *planner.ColumnStatistics {
	if t.Store == 0 || !s.x.knob().segmentStatistics {
		return nil
	}
	known := s.x.srv.opts.DB.ColumnSummary(engine.StoreID(t.Store), attr)
	rows, _ := s.Rows(t)
	if known == nil || known.Rows == 0 || 2*known.Rows < rows {
		return nil
	}
	out := &planner.ColumnStatistics{NullFraction: known.Nulls / known.Rows, Distinct: known.Distinct, Width: known.Width,
		Common: known.Values, Frequencies: known.Shares}
	if known.Distinct > distinctShare*known.Rows {
		out.Distinct = -min(1, known.Distinct/known.Rows)
	}
	return out
}
