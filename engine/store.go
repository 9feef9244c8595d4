package engine

import (
	"slices"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/memtable"
	"github.com/omendb/omendb/engine/segment"
)

// StoreID names a store. It is never reused: TRUNCATE and rewrites make a new one.
type StoreID uint64

// ColumnDef is one column of a store.
type ColumnDef struct {
	Kind    column.Kind
	Missing column.Datum // what rows written before the column was added read as
}

// StoreDef says what a store is.
type StoreDef struct {
	ID         StoreID
	Name       string // for messages
	Columns    []ColumnDef
	KeyColumns []int // a hint: the key is made of these columns
	Temp       bool  // not logged, gone after a restart
}

// storeDef is a StoreDef with what reads need at hand.
type storeDef struct {
	StoreDef
	kinds    []column.Kind
	defaults []segment.Default // what segments lack
	all      []int             // every column
}

func newStoreDef(d StoreDef) *storeDef {
	d.Columns = slices.Clone(d.Columns)
	d.KeyColumns = slices.Clone(d.KeyColumns)
	sd := &storeDef{StoreDef: d}
	for i := range d.Columns {
		d.Columns[i].Missing = d.Columns[i].Missing.Clone()
		sd.kinds = append(sd.kinds, d.Columns[i].Kind)
		sd.defaults = append(sd.defaults, segment.Default{Kind: d.Columns[i].Kind, Value: d.Columns[i].Missing})
		sd.all = append(sd.all, i)
	}
	return sd
}

// cell returns column i of an encoded row.
func (d *storeDef) cell(r memtable.Row, i int) column.Datum {
	if i >= r.Columns() {
		return d.Columns[i].Missing
	}
	return r.Datum(i, d.kinds[i])
}

// read decodes the wanted columns of an encoded row into dst.
func (d *storeDef) read(r memtable.Row, cols []int, dst []column.Datum) {
	for i, c := range cols {
		dst[i] = d.cell(r, c)
	}
}

// columns resolves a caller's choice of columns: nil is all of them.
func (d *storeDef) columns(cols []int) []int {
	if cols == nil {
		return d.all
	}
	return cols
}

// storeState is a store in a view: its definition and the runs that hold its
// rows. It is immutable; the active memtable grows.
type storeState struct {
	def    *storeDef
	active *memtable.Table
	frozen []*memtable.Table // newest first
	level0 []*run            // segments that may overlap, newest first
	base   []*run            // disjoint segments in key order, older than the others
	bounds bounds            // of base

	horizons horizons // empty for most

	summaries columnSummaries // by column
}

// tables calls fn for the memtables, newest first, until it returns false.
func (s *storeState) tables(fn func(*memtable.Table) bool) {
	if !fn(s.active) {
		return
	}
	for _, t := range s.frozen {
		if !fn(t) {
			return
		}
	}
}

// runs calls fn for all segments.
func (s *storeState) runs(fn func(*run)) {
	for _, r := range s.level0 {
		fn(r)
	}
	for _, r := range s.base {
		fn(r)
	}
}
