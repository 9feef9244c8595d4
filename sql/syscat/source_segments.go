package syscat

import (
	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/exec"
	"github.com/omendb/omendb/sql/privilege"
	"github.com/omendb/omendb/sql/types"
)

// segmentColumnRows is omen_segment_columns: what each segment of a table knows of each column. As in pg_stats, only
// columns that the user may read are shown, since values of them are.
func segmentColumnRows(g *generator) {
	binder, ok := g.rt.Binder.(exec.DDLBinder)
	if g.rt.DB == nil || !ok {
		return
	}
	user := binder.User()
	g.view.Relations(func(r *catalog.Relation) bool {
		if r.Store == 0 {
			return true
		}
		all := privilege.May(g.view, user, r, catalog.ACLSelect)
		for _, s := range g.rt.DB.StoreStats(engine.StoreID(r.Store)).Segments {
			for i := range s.Info.Columns {
				if i >= len(r.Columns) || r.Columns[i].Dropped || !all && !privilege.MayColumn(g.view, user, r, i, catalog.ACLSelect) {
					continue
				}
				if !g.segmentColumn(r, i, s) {
					return false
				}
			}
		}
		return true
	})
}

// segmentColumn adds an attribute (0-based) of a segment and reports whether more rows are wanted.
func (g *generator) segmentColumn(r *catalog.Relation, attr int, s engine.SegmentStats) bool {
	c, info, st := &r.Columns[attr], s.Info, &s.Info.Columns[attr]
	schema := null
	if s := g.view.Schema(r.Schema); s != nil {
		schema = str(s.Name)
	}
	f := &st.Frequent
	rows, values := info.Rows-info.Tombstones, st.Zone.Rows-st.Zone.Nulls
	common, estimates, least, most := null, null, null, null
	if n := len(f.Values); n > 0 {
		list := make([]datum, n)
		counts := [3][]int64{make([]int64, n), make([]int64, n), make([]int64, n)}
		for i, v := range f.Values {
			lower, upper := f.Bounds(i, values)
			list[i], counts[0][i], counts[1][i], counts[2][i] = v.Value, int64(v.Rows), int64(lower), int64(upper)
		}
		common = g.rt.Functions.Env.MakeArray(types.NewArray(c.Type, list))
		estimates, least, most = bigints(counts[0]), bigints(counts[1]), bigints(counts[2])
	}
	length := null
	if info.Schema.Columns[attr] == column.Bytes {
		length = num(st.Bytes)
	}
	return g.row(schema, str(r.Name), str(c.Name), str(info.Name), num(rows), num(rows-values), float(st.Sketch.Estimate()), length,
		num(f.Counted), num(f.Omitted), common, estimates, least, most, num(f.Unlisted+values-f.Counted))
}

// bigints makes an array of bigint.
func bigints(list []int64) datum {
	a := types.Array{Elem: types.Int8OID, Dims: []types.Dim{{Len: int32(len(list)), Lower: 1}}}
	for _, v := range list {
		a.Elems = append(a.Elems, num(v))
	}
	return a.Encode(column.Int)
}
