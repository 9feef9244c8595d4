package engine

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
	"sync/atomic"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/segment"
)

// ColumnSummary is what the segments of a store together say about a column.
// Versions that newer ones have replaced count as rows; those in memory do not.
type ColumnSummary struct {
	Rows     float64 // in segments, tombstones left out
	Nulls    float64
	Distinct float64
	Width    float64 // bytes of a value, on average
	Common   []CommonValue
	Values   []column.Datum // of Common
	Shares   []float64      // of Common, by Rows; with the share of NULLs never more than 1
}

// CommonValue is one of a column's most common values: in about Rows rows of
// the segments, in at least Least and at most Most.
type CommonValue struct {
	Value             column.Datum
	Rows, Least, Most float64
}

const (
	// maxCommonValues is how many values of a column are kept for all segments
	// together: PostgreSQL's statistics target.
	maxCommonValues = 100

	// maxCommonCandidates of those listed by any segment are looked for in all of them.
	maxCommonCandidates = 2 * maxCommonValues
)

// columnSummaries keeps the summaries of one state of a store, by column, as they
// are asked for. It is replaced with the state.
type columnSummaries []atomic.Pointer[ColumnSummary]

// ColumnSummary describes a column of a committed store by the statistics of its
// segments. The caller must not change what it points to; of an unknown store
// or column it is nil.
func (db *DB) ColumnSummary(id StoreID, col int) *ColumnSummary {
	v := db.acquireView()
	defer db.releaseView(v)
	st := v.stores[id]
	if st == nil || col < 0 || col >= len(st.summaries) {
		return nil
	}
	if s := st.summaries[col].Load(); s != nil {
		return s
	}
	s := summarize(st, col)
	st.summaries[col].Store(s)
	return s
}

// columnPart is what one segment says about a column.
type columnPart struct {
	kind     column.Kind
	stats    segment.ColumnStats
	rows     float64 // that are not NULL
	rest     float64 // a value that is not listed is in about this many of them
	mostRest float64 // and in at most this many
}

// summarize merges what the segments say about a column.
func summarize(st *storeState, col int) *ColumnSummary {
	out := &ColumnSummary{}
	var parts []columnPart
	var sketch segment.Sketch
	size, values := 0.0, 0.0
	st.runs(func(r *run) {
		if r.reader.Damaged() != nil {
			return
		}
		p := partOf(st.def, r.info, col)
		out.Rows += float64(r.info.Rows - r.info.Tombstones)
		out.Nulls += max(0, float64(r.info.Rows-r.info.Tombstones)-p.rows)
		size += float64(p.stats.Bytes)
		values += p.rows
		sketch.Merge(&p.stats.Sketch)
		parts = append(parts, p)
	})
	out.Common = mergeCommon(parts)
	out.Distinct = max(sketch.Estimate(), float64(len(out.Common)))
	left := 1 - out.Nulls/max(1, out.Rows)
	for _, c := range out.Common {
		share := min(c.Rows/max(1, out.Rows), max(0, left))
		out.Values, out.Shares = append(out.Values, c.Value), append(out.Shares, share)
		left -= share
	}
	out.Width = 8
	if st.def.kinds[col] == column.Bytes {
		out.Width = size / max(1, values)
	}
	return out
}

// partOf returns what a segment says about a column; one that is older than the
// column has one value in all rows.
func partOf(def *storeDef, info *segment.Info, col int) columnPart {
	p := columnPart{kind: def.kinds[col]}
	if col < len(info.Columns) {
		p.stats = info.Columns[col]
		p.rows = float64(p.stats.Zone.Rows - p.stats.Zone.Nulls)
	} else if d, n := def.Columns[col].Missing, info.Rows-info.Tombstones; !d.Null && n > 0 {
		p.rows = float64(n)
		p.stats.Zone = segment.ZoneOf(p.kind, d, info.Rows, info.Tombstones)
		p.stats.Bytes = int64(n) * int64(len(d.B))
		p.stats.Sketch.AddValue(p.kind, d)
		p.stats.Frequent = segment.Frequent{Counted: n, Values: []segment.FrequentValue{{Value: d, Rows: n, Least: n}}}
	}
	f := &p.stats.Frequent
	p.mostRest = float64(f.Unlisted) + p.rows - float64(f.Counted)
	if p.mostRest > 0 {
		left, last := p.rows, p.mostRest
		for _, v := range f.Values {
			left -= float64(v.Rows)
			last = float64(v.Rows)
		}
		p.rest = min(max(0, left)/max(1, p.stats.Sketch.Estimate()-float64(len(f.Values))), last, p.mostRest)
	}
	return p
}

// mergeCommon adds up the rows of values over segments. What a segment does not
// list it may hold all the same, unless its zone map says that it does not.
func mergeCommon(parts []columnPart) []CommonValue {
	places := map[string]int{}
	var found []CommonValue
	var key []byte
	for i := range parts {
		for _, v := range parts[i].stats.Frequent.Values {
			key = appendValue(key[:0], v.Value)
			at, ok := places[string(key)]
			if !ok {
				at = len(found)
				places[string(key)] = at
				found = append(found, CommonValue{Value: v.Value})
			}
			found[at].Rows += float64(v.Rows)
		}
	}
	mostCommonFirst(found)
	found = found[:min(len(found), maxCommonCandidates)]
	clear(places)
	for i := range found {
		places[string(appendValue(key[:0], found[i].Value))] = i
		found[i].Rows = 0
	}
	for i := range parts {
		parts[i].add(found, places)
	}
	mostCommonFirst(found)
	return found[:min(len(found), maxCommonValues)]
}

// add adds a segment's rows of each value.
func (p *columnPart) add(found []CommonValue, places map[string]int) {
	listed := make([]bool, len(found))
	f := &p.stats.Frequent
	var key []byte
	for i, v := range f.Values {
		key = appendValue(key[:0], v.Value)
		if at, ok := places[string(key)]; ok {
			least, most := f.Bounds(i, uint64(p.rows))
			c := &found[at]
			c.Rows, c.Least, c.Most = c.Rows+float64(v.Rows), c.Least+float64(least), c.Most+float64(most)
			listed[at] = true
		}
	}
	for i := range found {
		if c := &found[i]; !listed[i] && p.stats.Zone.MayHold(p.kind, c.Value) {
			c.Rows += p.rest
			c.Most += p.mostRest
		}
	}
}

// mostCommonFirst orders values by their rows, and those of as many by themselves.
func mostCommonFirst(list []CommonValue) {
	slices.SortFunc(list, func(a, b CommonValue) int {
		return cmp.Or(cmp.Compare(b.Rows, a.Rows), cmp.Compare(a.Value.I, b.Value.I), bytes.Compare(a.Value.B, b.Value.B))
	})
}

// appendValue appends a name for a value of a column's kind.
func appendValue(dst []byte, d column.Datum) []byte {
	if d.B != nil {
		return append(dst, d.B...)
	}
	return binary.LittleEndian.AppendUint64(dst, uint64(d.I))
}
