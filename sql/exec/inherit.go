package exec

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/plan"
)

// modifyTable is a table that is changed through one that it inherits from.
type modifyTable struct {
	w         *tableWriter
	attrs     []int          // its attribute for each of the parent's
	old, vals []column.Datum // the row, in the table's own columns
	newer     []column.Datum // a newer version of the row, when the lock found one
}

// modifyTables returns the tables below the one of a node, by OID, and the table itself as nil; nil when
// there are none.
func (st *state) modifyTables(n *plan.Modify) (map[int64]*modifyTable, error) {
	if len(n.Inherited) == 0 {
		return nil, nil
	}
	out := map[int64]*modifyTable{}
	for _, t := range n.Inherited {
		w, err := st.writer(t.Table)
		if err != nil {
			return nil, err
		}
		width := len(t.Table.Columns)
		out[int64(t.Table.OID)] = &modifyTable{w: w, attrs: t.Attrs, old: make([]column.Datum, width), vals: make([]column.Datum, width)}
	}
	w, err := st.writer(n.Table)
	if err != nil {
		return nil, err
	}
	out[int64(n.Table.OID)] = &modifyTable{w: w, old: make([]column.Datum, len(n.Table.Columns)), vals: make([]column.Datum, len(n.Table.Columns))}
	return out, nil
}

// chooseTable makes the table of the current input row the one that is written.
func (o *modifyOp) chooseTable() {
	t := o.tables[o.in[o.node.TableOID].I]
	o.w, o.old, o.vals, o.cur = t.w, t.old, t.vals, nil
	if t.attrs != nil {
		o.cur, t.newer = t, nil
	}
}

// note keeps a newer version of a row and returns it as a row of the parent.
func (t *modifyTable) note(newer []column.Datum, width int) []column.Datum {
	t.newer = newer
	out := make([]column.Datum, width)
	for i := range out {
		if out[i] = column.Null(); t.attrs[i] >= 0 {
			out[i] = newer[t.attrs[i]]
		}
	}
	return out
}

// parentRow copies a row of the current table into the columns of the parent.
func (o *modifyOp) parentRow(dst, vals []column.Datum) {
	if o.cur == nil {
		copy(dst, vals)
		return
	}
	for i := range dst {
		if dst[i] = column.Null(); o.cur.attrs[i] >= 0 {
			dst[i] = vals[o.cur.attrs[i]]
		}
	}
}

// loadOld puts the row that is changed into old: from the input, or as it is stored when the input only
// has the parent's columns of it. It reports false when the row is gone.
func (o *modifyOp) loadOld(changed bool) (bool, error) {
	switch {
	case o.cur == nil:
		o.target.load(o.in, o.old)
		return true, nil
	case changed && o.cur.newer != nil:
		copy(o.old, o.cur.newer)
		return true, nil
	}
	ok, err := o.st.rt.Snapshot.Get(o.w.store, o.in[o.target.key].B, nil, o.old)
	for i := range o.old {
		o.old[i] = o.old[i].Clone()
	}
	return ok, err
}
