package sql

import (
	"context"
	"math"
	"slices"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/planner"
)

// cursor is the state of DECLARE CURSOR. Rows are kept as they are fetched, so
// that a scrollable cursor can go back.
type cursor struct {
	def    *plan.DeclareCursor
	held   bool // WITH HOLD and its transaction has committed
	rows   [][]column.Datum
	base   int64 // rows that came before rows[0] and were dropped
	all    bool  // every row is in rows
	pos    int64 // 0 before the first row, n at the n-th, len+1 after the last
	scroll bool
	bytes  int64
	limit  int64 // of bytes
}

// maxCursorBytes bounds what one cursor keeps in memory, if omen.query_memory does not.
const maxCursorBytes = 1 << 30

// keepCursorBytes is how much of what it has passed a cursor keeps that was not
// declared SCROLL: enough for the steps back that simple plans allow in PostgreSQL.
const keepCursorBytes = 16 << 20

// newCursor is a cursor that has read nothing.
func (x *Session) newCursor(d *plan.DeclareCursor, scroll bool) *cursor {
	return &cursor{def: d, scroll: scroll, limit: min(maxCursorBytes, x.knob().queryMem)}
}

// declareCursor is DECLARE CURSOR.
func (x *Session) declareCursor(ctx context.Context, d *plan.DeclareCursor, params []column.Datum) error {
	if !d.Hold && x.state != txnBlock {
		return pgerr.New(pgerr.NoActiveSQLTransaction, "DECLARE CURSOR can only be used in transaction blocks")
	}
	if x.portals[d.Name] != nil {
		return pgerr.New(pgerr.DuplicateCursor, "cursor \"%s\" already exists", d.Name)
	}
	q := plan.CloneQuery(d.Query)
	st, err := planner.Plan(x.plannerEnv(ctx, nil), q)
	if err != nil {
		return err
	}
	p := &portal{name: d.Name, stmt: &statement{text: d.Text}, query: st, params: params, started: true}
	var formats []int16
	if d.Binary {
		formats = []int16{1}
	}
	p.cols = x.columnsOf(st.Output[:d.Visible], formats)
	p.cursor = x.newCursor(d, d.Scroll || !d.NoScroll && st.ReadOnly && goesBack(st.Root))
	if err := x.startPortal(ctx, p); err != nil {
		p.close()
		return err
	}
	p.depth = len(x.savepoints)
	x.portals[d.Name] = p
	if d.Hold && x.state == txnImplicit {
		return x.holdCursor(ctx, p)
	}
	return nil
}

// goesBack reports whether a plan is of those that a cursor can be moved back over without SCROLL: in PostgreSQL their
// operators can run backward.
func goesBack(n plan.Node) bool {
	switch n := n.(type) {
	case *plan.Scan, *plan.KeyLookup, *plan.IndexScan, *plan.VirtualScan, *plan.FunctionScan, *plan.CTEScan, *plan.Values, *plan.Materialize, *plan.Sort:
		return true
	case *plan.Project:
		return goesBack(n.Input)
	case *plan.Filter:
		return goesBack(n.Input)
	case *plan.Limit:
		return goesBack(n.Input)
	case *plan.Append:
		return !slices.ContainsFunc(n.Inputs, func(in plan.Node) bool { return !goesBack(in) })
	}
	return false
}

// load reads rows until the cursor has n of them.
func (p *portal) load(n int64) error {
	c := p.cursor
	for !c.all && c.loaded() < n {
		b, err := p.batch()
		if err != nil {
			return err
		}
		if b == nil {
			c.all = true
			break
		}
		for i := range b.Len() {
			row := make([]column.Datum, len(b.Cols))
			for j := range b.Cols {
				row[j] = b.Cols[j].Datum(b.Row(i)).Clone()
				c.bytes += 40 + int64(len(row[j].B))
			}
			c.rows = append(c.rows, row)
		}
		if c.bytes > c.limit {
			return pgerr.New(pgerr.OutOfMemory, "out of memory").WithDetail("Cursor \"%s\" holds more than %d bytes.", p.name, c.limit)
		}
	}
	return nil
}

// loaded is the number of the last row that was read.
func (c *cursor) loaded() int64 { return c.base + int64(len(c.rows)) }

// forget drops rows that a cursor has passed, when they are too many to keep.
func (c *cursor) forget() {
	if c.def.Scroll || c.def.Hold || c.bytes <= min(keepCursorBytes, c.limit/2) {
		return
	}
	passed := min(c.pos, c.loaded()) - c.base
	c.rows = slices.Clone(c.rows[passed:])
	c.base += passed
	c.bytes = 0
	for _, r := range c.rows {
		for _, d := range r {
			c.bytes += 40 + int64(len(d.B))
		}
	}
}

// holdCursor reads a WITH HOLD cursor to its end, so that it can live on.
func (x *Session) holdCursor(ctx context.Context, p *portal) error {
	if p.rt != nil {
		p.rt.Context = ctx
	}
	if err := p.load(math.MaxInt64); err != nil {
		return err
	}
	p.cursor.held = true
	p.release()
	return nil
}

// tableInUse reports whether an open cursor or suspended portal reads a table.
func (x *Session) tableInUse(table catalog.OID) bool {
	for _, p := range x.portals {
		if p.rows == nil || p.ended || p.query == nil {
			continue
		}
		for _, a := range p.query.Access {
			if a.Table == table {
				return true
			}
		}
	}
	return false
}

func (x *Session) findCursor(name string) (*portal, error) {
	p := x.portals[name]
	if p == nil || p.cursor == nil {
		return nil, pgerr.New(pgerr.InvalidCursorName, "cursor \"%s\" does not exist", name)
	}
	return p, nil
}

// adopt makes a portal of the extended protocol one that FETCH and MOVE can use,
// from the row on that Execute has come to.
func (x *Session) adopt(ctx context.Context, name string) error {
	p := x.portals[name]
	if p == nil || p.cursor != nil || p.query == nil {
		return nil
	}
	if !p.started {
		p.started = true
		if err := x.startPortal(ctx, p); err != nil {
			return err
		}
	}
	p.cursor = x.newCursor(&plan.DeclareCursor{Name: name}, false)
	p.cursor.base, p.cursor.pos, p.cursor.all = p.total, p.total, p.ended || p.rows == nil
	return nil
}

// executeCursor is Execute of such a portal.
func (x *Session) executeCursor(p *portal, maxRows int64, sink Sink) error {
	count := maxRows
	if count == 0 {
		count = math.MaxInt64
	}
	rows, err := p.fetchForward(count)
	if err != nil {
		return err
	}
	if err := x.deliver(p, rows, sink); err != nil {
		return err
	}
	if maxRows > 0 && int64(len(rows)) == maxRows {
		return sink.Suspended()
	}
	return sink.Complete("SELECT " + formatInt(int64(len(rows))))
}

// runFetch is FETCH and MOVE.
func (x *Session) runFetch(ctx context.Context, f *plan.Fetch, sink Sink) error {
	if err := x.adopt(ctx, f.Cursor); err != nil {
		return err
	}
	p, err := x.findCursor(f.Cursor)
	if err != nil {
		return err
	}
	if p.rt != nil {
		p.rt.Context = ctx
	}
	if p.failed {
		return pgerr.New(pgerr.ObjectNotInPrerequisiteState, "portal \"%s\" cannot be run", p.name)
	}
	rows, err := p.fetch(f)
	if err != nil {
		p.failed = true
		return err
	}
	if f.Move {
		return sink.Complete("MOVE " + formatInt(int64(len(rows))))
	}
	return x.sendCursorRows(p, rows, sink)
}

func (x *Session) sendCursorRows(p *portal, rows [][]column.Datum, sink Sink) error {
	if err := sink.Describe(p.cols); err != nil {
		return err
	}
	if err := x.deliver(p, rows, sink); err != nil {
		return err
	}
	return sink.Complete("FETCH " + formatInt(int64(len(rows))))
}

// deliver sends rows that a cursor keeps.
func (x *Session) deliver(p *portal, rows [][]column.Datum, sink Sink) error {
	kinds := make([]column.Kind, len(p.cols))
	for i, c := range p.cols {
		kinds[i] = x.env.Type(c.Type).Kind
	}
	var b column.Batch
	for at := 0; at < len(rows); at += column.BatchSize {
		b.Reset(kinds...)
		for _, r := range rows[at:min(at+column.BatchSize, len(rows))] {
			b.AppendRow(r[:len(kinds)])
		}
		if err := sink.Rows(p.cols, &b); err != nil {
			return err
		}
	}
	return nil
}

// fetch moves the cursor and returns the rows that it passed.
func (p *portal) fetch(f *plan.Fetch) ([][]column.Datum, error) {
	c := p.cursor
	switch f.Direction {
	case 'a', 'r':
		target := f.Count
		if f.Direction == 'r' && target == 0 {
			break
		}
		if f.Direction == 'r' {
			target += c.pos
		} else if target < 0 {
			if err := p.load(math.MaxInt64); err != nil {
				return nil, err
			}
			target = c.loaded() + 1 + f.Count
			c.pos = c.loaded() + 1
		}
		return p.fetchAt(target)
	}
	count := f.Count
	if f.All {
		count = math.MaxInt64
	}
	backward := f.Direction == 'b'
	if count < 0 {
		count, backward = -count, !backward
	}
	if count == 0 { // the current row again
		if c.pos == 0 || c.all && c.pos > c.loaded() {
			return nil, nil
		}
		return p.fetchAt(c.pos)
	}
	if backward {
		return p.fetchBackward(count)
	}
	return p.fetchForward(count)
}

func (p *portal) fetchForward(count int64) ([][]column.Datum, error) {
	c := p.cursor
	end := int64(math.MaxInt64)
	if count < math.MaxInt64-c.pos {
		end = c.pos + count
	}
	if err := p.load(end); err != nil {
		return nil, err
	}
	n := c.loaded()
	out := c.rows[min(c.pos, n)-c.base:]
	if end > n {
		c.pos = n + 1
	} else {
		c.pos, out = end, out[:len(out)-int(n-end)]
	}
	c.forget()
	return out, nil
}

func (p *portal) fetchBackward(count int64) ([][]column.Datum, error) {
	c := p.cursor
	if !c.scroll {
		return nil, errNoScroll()
	}
	var out [][]column.Datum
	for ; count > 0 && c.pos > 0; count-- {
		if c.pos-1 <= c.base && c.base > 0 {
			return nil, errNoScroll()
		}
		if c.pos--; c.pos > 0 {
			out = append(out, c.rows[c.pos-1-c.base])
		}
	}
	return out, nil
}

func errNoScroll() error {
	return pgerr.New(pgerr.ObjectNotInPrerequisiteState, "cursor can only scan forward").
		WithHint("Declare it with SCROLL option to enable backward scan.")
}

// fetchAt moves to one row and returns it, if there is one.
func (p *portal) fetchAt(target int64) ([][]column.Datum, error) {
	c := p.cursor
	if target <= c.pos && !c.scroll && c.pos > 0 || target <= c.base && c.base > 0 {
		return nil, errNoScroll()
	}
	if target <= 0 {
		c.pos = 0
		return nil, nil
	}
	if err := p.load(target); err != nil {
		return nil, err
	}
	if target > c.loaded() {
		c.pos = c.loaded() + 1
		return nil, nil
	}
	c.pos = target
	out := c.rows[target-1-c.base : target-c.base]
	c.forget()
	return out, nil
}

// closeCursor is CLOSE.
func (x *Session) closeCursor(c *plan.CloseCursor) error {
	if c.Name == "" {
		for name, p := range x.portals {
			if p.cursor != nil {
				x.ClosePortal(name)
			}
		}
		return nil
	}
	if x.portals[c.Name] == nil {
		return pgerr.New(pgerr.InvalidCursorName, "cursor \"%s\" does not exist", c.Name)
	}
	x.ClosePortal(c.Name)
	return nil
}

// holdCursors keeps WITH HOLD cursors beyond the transaction that is about to commit.
func (x *Session) holdCursors(ctx context.Context) error {
	for _, p := range x.portals {
		if p.cursor != nil && p.cursor.def.Hold && !p.cursor.held {
			if err := x.holdCursor(ctx, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// currentOf returns a part of the identity of the row of a table on which a cursor stands (see plan.DeclareCursor).
func (x *Session) currentOf(cursor string, table catalog.OID, part int) (column.Datum, error) {
	p := x.portals[cursor]
	if p == nil {
		return column.Datum{}, pgerr.New(pgerr.InvalidCursorName, "cursor \"%s\" does not exist", cursor)
	}
	bad := func(format string, args ...any) (column.Datum, error) {
		return column.Datum{}, pgerr.New(pgerr.InvalidCursorState, format, args...)
	}
	c, name := p.cursor, ""
	if r := x.view.Relation(table); r != nil {
		name = r.Name
	}
	switch {
	case p.query == nil || p.query.Command != plan.Select:
		return bad("cursor \"%s\" is not a SELECT query", cursor)
	case c == nil:
		return bad("cursor \"%s\" is not a simply updatable scan of table \"%s\"", cursor, name)
	case c.held:
		return bad("cursor \"%s\" is held from a previous transaction", cursor)
	}
	i := slices.IndexFunc(c.def.Current, func(r plan.CursorRow) bool { return r.Table == table })
	switch {
	case i < 0 && c.def.Locks:
		return bad("cursor \"%s\" does not have a FOR UPDATE/SHARE reference to table \"%s\"", cursor, name)
	case i < 0:
		return bad("cursor \"%s\" is not a simply updatable scan of table \"%s\"", cursor, name)
	case c.pos == 0 || c.pos > c.loaded():
		return bad("cursor \"%s\" is not positioned on a row", cursor)
	}
	return c.rows[c.pos-1-c.base][c.def.Current[i].First+part], nil
}
