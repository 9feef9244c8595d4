package planner

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
)

// Statistics is what the optimizer asks about the data. All answers are
// estimates; nothing but speed depends on them.
type Statistics interface {
	// Rows returns the number of live rows of a table and their size in bytes.
	Rows(t *catalog.Relation) (rows, bytes float64)
	// Unzoned returns how many of a table's rows stand beside its ordered
	// segments where zone maps do not tell which of them are wanted.
	Unzoned(t *catalog.Relation) float64
	// RangeRows estimates from the models of a table's storage (index nil) or of
	// an index how many entries have keys in [lower, upper); nil is unbounded.
	RangeRows(t *catalog.Relation, index *catalog.Index, lower, upper []byte) (float64, bool)
	// Column returns what is known about the values of an attribute (0-based), nil if nothing: by ANALYZE, or,
	// where that was not run or long ago, by the segments.
	Column(t *catalog.Relation, attr int) *ColumnStatistics
	// Groups returns what it found out about several columns together.
	Groups(t *catalog.Relation) []catalog.GroupStatistic
}

// ColumnStatistics describes the values of one column. What the segments know has no histogram and no correlation.
type ColumnStatistics struct {
	NullFraction float64
	Distinct     float64 // number of distinct values; negative: minus the fraction of rows
	Width        float64 // average bytes
	Common       []column.Datum
	Frequencies  []float64 // of Common, as fractions of all rows
	Histogram    []column.Datum
	Correlation  float64 // between storage order and value order
}
