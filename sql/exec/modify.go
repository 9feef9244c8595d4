package exec

import (
	"slices"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// modifyOp is INSERT, UPDATE, DELETE or MERGE. It changes the rows of one input
// batch at a time and yields what RETURNING asks for.
type modifyOp struct {
	st       *state
	node     *plan.Modify
	input    operator
	main     bool // the statement itself, not a WITH query: its rows are counted
	w        *tableWriter
	tables   map[int64]*modifyTable // by OID, when others inherit from the table
	cur      *modifyTable           // of the current row; nil: the table itself
	target   target
	set      []assigned
	setVecs  []*column.Vec
	recheck  recheck
	conflict *conflictPlan
	merge    []*mergePlan
	views    []viewCheck
	width    int // attributes of the table
	inserted int // rows seen by an INSERT

	returning *projection
	rows      *rowBuf // input of RETURNING for the current batch
	xids      bool    // RETURNING reads one of its last two columns
	wide      []column.Datum
	vals      []column.Datum
	old       []column.Datum
	in        []column.Datum
	done      bool
}

// target tells where an input row holds the old row and its key.
type target struct {
	key   int
	attrs []int
	slots []int
}

// load copies the old row out of an input row.
func (t *target) load(in, old []column.Datum) {
	for i, a := range t.attrs {
		if a >= 0 {
			old[a] = in[t.slots[i]]
		}
	}
}

// substitute puts a newer version of the row, and its key, into the input row.
func (t *target) substitute(st *state, rel *catalog.Relation, in, newer []column.Datum, key []byte) error {
	for i, a := range t.attrs {
		switch a {
		case plan.AttrXmin:
			xid, err := st.rt.DB.NewestWriter(engine.StoreID(rel.Store), key)
			if err != nil {
				return err
			}
			in[t.slots[i]] = column.IntDatum(int64(uint32(xid)))
		case plan.AttrXmax: // who asks has just locked it
			in[t.slots[i]] = column.IntDatum(int64(uint32(st.rt.Txn.XID())))
		default:
			in[t.slots[i]] = newer[a]
		}
	}
	in[t.key] = column.BytesDatum(key)
	return nil
}

type viewCheck struct {
	view string
	cond expr
}

func (st *state) newModify(n *plan.Modify) (operator, error) {
	input, err := st.operator(n.Input)
	if err != nil {
		return nil, err
	}
	w, err := st.writer(n.Table)
	if err != nil {
		return nil, err
	}
	o := &modifyOp{
		st: st, node: n, input: input, w: w, width: len(n.Table.Columns), main: st.isMain(n),
		target: target{key: n.Target.Key, attrs: n.Target.Attrs, slots: n.Target.Slots},
	}
	if o.tables, err = st.modifyTables(n); err != nil {
		return nil, err
	}
	o.vals, o.old = make([]column.Datum, o.width), make([]column.Datum, o.width)
	o.in = make([]column.Datum, len(n.Input.Info().Columns))
	if o.set, err = st.assignments(n.Set); err != nil {
		return nil, err
	}
	o.setVecs = make([]*column.Vec, len(o.set))
	if o.recheck, err = st.recheck(n.Recheck); err != nil {
		return nil, err
	}
	if o.views, err = st.viewChecks(n.Checks); err != nil {
		return nil, err
	}
	if n.OnConflict != nil {
		if o.conflict, err = st.conflictPlan(n.OnConflict); err != nil {
			return nil, err
		}
	}
	for _, m := range n.Merge {
		p, err := st.mergePlan(m)
		if err != nil {
			return nil, err
		}
		o.merge = append(o.merge, p)
	}
	return o, o.prepareReturning()
}

func (st *state) viewChecks(list []plan.ViewCheck) ([]viewCheck, error) {
	var out []viewCheck
	for _, v := range list {
		c, err := st.compile(v.Cond)
		if err != nil {
			return nil, err
		}
		out = append(out, viewCheck{v.View, c})
	}
	return out, nil
}

// isMain reports whether n belongs to the statement's own tree.
func (st *state) isMain(n plan.Node) bool {
	var find func(plan.Node) bool
	find = func(m plan.Node) bool {
		if m == n {
			return true
		}
		for _, c := range m.Children() {
			if find(c) {
				return true
			}
		}
		return false
	}
	return find(st.stmt.Root)
}

func (st *state) assignments(set []plan.Assignment) ([]assigned, error) {
	out := make([]assigned, len(set))
	for i, s := range set {
		e, err := st.compile(s.Value)
		if err != nil {
			return nil, err
		}
		out[i] = assigned{s.Attr, e}
	}
	return out, nil
}

func (o *modifyOp) prepareReturning() error {
	if len(o.node.Returning) == 0 {
		return nil
	}
	exprs, err := o.st.compileAll(o.node.Returning)
	if err != nil {
		return err
	}
	p := newProjection(exprs)
	o.returning = &p
	kinds := append(append([]column.Kind(nil), o.w.kinds...), column.Bytes)
	kinds = append(append(kinds, o.st.kinds(o.node.Input)...), column.Int, column.Int)
	for _, e := range o.node.Returning {
		plan.Walk(e, func(e plan.Expr) bool {
			s, ok := e.(*plan.Slot)
			o.xids = o.xids || ok && s.Index >= len(kinds)-2
			return true
		})
	}
	o.rows = newRowBuf(kinds, 1<<30) // one batch, whatever comes
	o.wide = make([]column.Datum, len(kinds))
	return nil
}

func (o *modifyOp) open() error {
	o.done = false
	return o.input.open()
}

func (o *modifyOp) close() {
	for _, t := range o.tables {
		t.w.abortBulk()
	}
	o.w.abortBulk()
	o.input.close()
}

func (o *modifyOp) next() (*column.Batch, error) {
	for !o.done {
		b, err := o.input.next()
		if err != nil {
			return nil, err
		}
		if b == nil {
			o.done = true
			return nil, o.w.finishBulk()
		}
		if err := o.batch(b); err != nil {
			return nil, err
		}
		if err := o.st.rt.canceled(); err != nil {
			return nil, err
		}
		if o.returning != nil && o.rows.n > 0 {
			out, err := o.returning.apply(o.rows.batches[0])
			o.rows.reset()
			return out, err
		}
	}
	return nil, nil
}

// batch changes the table for every row of b.
func (o *modifyOp) batch(b *column.Batch) error {
	for i, s := range o.set {
		v, err := s.expr.vec(b, b.Sel)
		if err != nil {
			return err
		}
		o.setVecs[i] = v
	}
	if o.node.Command == plan.Insert && o.conflict == nil {
		o.inserted += b.Len()
		if o.inserted > bulkThreshold || o.node.Input.Info().Rows > bulkThreshold {
			if err := o.w.startBulk(); err != nil {
				return err
			}
		}
	}
	if len(o.w.key) == 0 && o.node.Command == plan.Insert {
		if err := o.reserve(b.Len()); err != nil {
			return err
		}
	}
	for i := range b.Len() {
		r := b.Row(i)
		for c := range o.in {
			o.in[c] = b.Cols[c].Datum(r)
		}
		if o.tables != nil {
			o.chooseTable()
		}
		if err := o.row(r); err != nil {
			return err
		}
	}
	return nil
}

// reserve takes row numbers for a whole batch at once.
func (o *modifyOp) reserve(n int) error {
	if o.w.nextID < o.w.lastID {
		return nil
	}
	_, err := o.w.rowID(int64(n))
	if err == nil {
		o.w.nextID--
	}
	return err
}

func (o *modifyOp) row(r int) error {
	switch o.node.Command {
	case plan.Insert:
		copy(o.vals, o.in[:o.width])
		return o.insertRow(o.vals)
	case plan.Update:
		return o.updateRow(r)
	case plan.Delete:
		return o.deleteRow()
	}
	return o.mergeRow()
}

// emit notes a changed row for the count and for RETURNING; locked says that its xmax is this transaction.
func (o *modifyOp) emit(vals []column.Datum, key []byte, locked bool) {
	if o.main {
		o.st.affected++
	}
	if o.returning == nil {
		return
	}
	o.parentRow(o.wide[:o.width], vals)
	o.wide[o.width] = column.BytesDatum(key)
	copy(o.wide[o.width+1:], o.in)
	xmin, xmax := int64(0), int64(0)
	if o.xids {
		id, _ := o.st.rt.Functions.Session.TransactionID(true)
		if xmin = int64(uint32(id)); locked {
			xmax = xmin
		}
	}
	o.wide[len(o.wide)-2], o.wide[len(o.wide)-1] = column.IntDatum(xmax), column.IntDatum(xmin)
	o.rows.addRow(o.wide)
}

// checkViews tests WITH CHECK OPTION conditions on a new row.
func (o *modifyOp) checkViews(vals []column.Datum) error {
	for _, v := range o.views {
		seen := vals
		if o.cur != nil {
			seen = make([]column.Datum, o.width)
			o.parentRow(seen, vals)
		}
		d, err := v.cond.row(&row{vals: seen})
		if err != nil {
			return err
		}
		if !d.Bool() {
			return pgerr.New(pgerr.WithCheckOptionViolation, "new row violates check option for view \"%s\"", v.view).
				WithDetail("Failing row contains (%s).", o.w.rowText(vals))
		}
	}
	return nil
}

func (o *modifyOp) insertRow(vals []column.Datum) error {
	if err := o.w.complete(vals); err != nil {
		return err
	}
	if o.conflict != nil {
		return o.insertOrElse(vals)
	}
	key, err := o.w.insert(vals)
	if err != nil {
		return err
	}
	if err := o.checkViews(vals); err != nil {
		return err
	}
	o.emit(vals, key, false)
	return nil
}

// lockResult is what became of a row that is to be changed.
type lockOutcome uint8

const (
	rowReady lockOutcome = iota // locked; the input row holds its newest version
	rowGone                     // deleted, or no longer meant by the statement
	rowOurs                     // changed by this command already
)

// lockTarget locks the row of the current input row. When it changed meanwhile
// the newest version takes its place, if the statement's conditions still hold.
func (o *modifyOp) lockTarget(mode engine.LockMode) (lockOutcome, bool, error) {
	key := append([]byte(nil), o.in[o.target.key].B...)
	res, err := o.st.rt.Txn.Lock(o.st.rt.Context, o.w.store, key, mode, engine.Wait, o.st.rt.Snapshot)
	if err != nil {
		return rowGone, false, o.w.whileWaiting(err, o.verb(), key)
	}
	return o.st.settle(o.w, res, key, mode, engine.Wait, func(newer []column.Datum, at []byte) (bool, error) {
		if o.cur != nil {
			newer = o.cur.note(newer, o.width)
		}
		if err := o.target.substitute(o.st, o.w.rel, o.in, newer, at); err != nil {
			return false, err
		}
		return o.recheck.apply(o.in)
	})
}

// verb is what the command does with a row, in the words of messages.
func (o *modifyOp) verb() string {
	if o.node.Command == plan.Delete {
		return "deleting"
	}
	return "updating"
}

// settle follows a lock's result to the newest version of a row. substitute is
// given a version that the snapshot does not have and reports whether the
// statement still means it. changed tells that there was one.
func (st *state) settle(w *tableWriter, res engine.LockResult, key []byte, mode engine.LockMode, wait engine.WaitPolicy, substitute func([]column.Datum, []byte) (bool, error)) (out lockOutcome, changed bool, err error) {
	for {
		switch res.Status {
		case engine.Locked:
			return rowReady, false, nil
		case engine.SelfModified:
			return rowOurs, false, nil
		case engine.Updated:
			ok, err := substitute(res.Row, key)
			if err != nil || !ok {
				return rowGone, true, err
			}
			return rowReady, true, nil
		case engine.Moved:
			key = res.Key
			if res, err = st.rt.Txn.Lock(st.rt.Context, w.store, key, mode, wait, nil); err != nil {
				return rowGone, true, w.whileWaiting(err, "locking updated version of", key)
			}
			if res.Status != engine.Locked {
				continue
			}
			if res.Row, err = st.newest(w, key); err != nil {
				return rowGone, true, err
			}
			if res.Row == nil {
				return rowGone, true, nil
			}
			res.Status = engine.Updated
		default:
			return rowGone, false, nil
		}
	}
}

// newest reads the newest committed version of a row, or the transaction's own; nil when there is none.
func (st *state) newest(w *tableWriter, key []byte) ([]column.Datum, error) {
	snap := st.rt.Txn.Snapshot()
	defer snap.Close()
	vals := make([]column.Datum, len(w.kinds))
	ok, err := snap.Get(w.store, key, nil, vals)
	if err != nil || !ok {
		return nil, err
	}
	for i := range vals {
		vals[i] = vals[i].Clone()
	}
	return vals, nil
}

func (o *modifyOp) updateRow(r int) error {
	mode := o.updateMode(r)
	state, changed, err := o.lockTarget(mode)
	if err != nil || state != rowReady {
		return err
	}
	if ok, err := o.loadOld(changed); err != nil || !ok {
		return err
	}
	copy(o.vals, o.old)
	for i, s := range o.set {
		attr := s.attr
		if o.cur != nil {
			attr = o.cur.attrs[attr]
		}
		if !changed {
			o.vals[attr] = at(o.setVecs[i], r)
			continue
		}
		if o.vals[attr], err = s.expr.row(&row{vals: o.in}); err != nil {
			return err
		}
	}
	key := o.in[o.target.key].B
	if changed && mode != engine.Update && o.keyChanges() {
		if _, err := o.st.rt.Txn.Lock(o.st.rt.Context, o.w.store, key, engine.Update, engine.Wait, nil); err != nil {
			return o.w.whileWaiting(err, o.verb(), key)
		}
	}
	return o.replace(key)
}

// updateMode returns the lock that the update of an input row needs: the strongest
// if it gives another value to an attribute of a unique key, as far as is known before the row is locked.
func (o *modifyOp) updateMode(r int) engine.LockMode {
	if o.cur != nil {
		return engine.Update
	}
	mode := o.w.lockMode(o.set)
	if mode != engine.Update {
		return mode
	}
	o.target.load(o.in, o.old)
	for i, s := range o.set {
		if !o.w.keyAttrs[s.attr] {
			continue
		}
		if !slices.Contains(o.target.attrs, s.attr) || !sameDatum(o.old[s.attr], at(o.setVecs[i], r)) {
			return engine.Update
		}
	}
	return engine.NoKeyUpdate
}

// keyChanges reports whether the new row has another unique key than the old one.
func (o *modifyOp) keyChanges() bool {
	for a := range o.w.keyAttrs {
		if !sameDatum(o.old[a], o.vals[a]) {
			return true
		}
	}
	return false
}

// replace writes vals over the locked row that old and key describe.
func (o *modifyOp) replace(key []byte) error {
	if err := o.w.complete(o.vals); err != nil {
		return err
	}
	newKey, err := o.w.update(key, o.old, o.vals)
	if err != nil {
		return err
	}
	if err := o.checkViews(o.vals); err != nil {
		return err
	}
	o.emit(o.vals, newKey, o.node.Command == plan.Insert)
	return nil
}

func (o *modifyOp) deleteRow() error {
	state, changed, err := o.lockTarget(engine.Update)
	if err != nil || state != rowReady {
		return err
	}
	if ok, err := o.loadOld(changed); err != nil || !ok {
		return err
	}
	key := o.in[o.target.key].B
	if err := o.w.delete(key, o.old); err != nil {
		return err
	}
	o.emit(o.old, key, true)
	return nil
}
