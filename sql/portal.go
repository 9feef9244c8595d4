package sql

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/exec"
	"github.com/omendb/omendb/sql/plan"
)

// portal is a query ready to run or running: what Bind makes, what DECLARE
// CURSOR makes, and what the simple protocol uses once.
type portal struct {
	name    string
	depth   int  // savepoints around the statement that made it
	failed  bool // it cannot be run any more
	stmt    *statement
	query   *plan.Statement // nil for utility statements
	utility plan.Utility
	params  []column.Datum
	cols    []Column

	rt   *exec.Runtime
	rows *exec.Rows
	// cur is the current batch, of which the first used rows are delivered.
	cur      *column.Batch
	buf      column.Batch
	part     column.Batch
	sel      []int32
	from     int
	used     int
	sent     int64 // by the running Execute
	total    int64 // by all
	affected int64
	started  bool
	ended    bool // ran to completion

	cursor *cursor // of DECLARE CURSOR
}

// batch returns the undelivered rest of the current batch, or the next one; nil
// at the end. What it returns counts as delivered.
func (p *portal) batch() (*column.Batch, error) {
	if p.cur != nil && p.used < p.cur.Len() {
		p.from, p.used = p.used, p.cur.Len()
		return p.slice(p.from, p.used), nil
	}
	for {
		ok, err := p.rows.Next(&p.buf)
		if err != nil || !ok {
			p.cur = nil
			return nil, err
		}
		if p.buf.Len() > 0 {
			p.cur, p.from, p.used = &p.buf, 0, p.buf.Len()
			return p.cur, nil
		}
	}
}

// take keeps the first n rows of what batch returned last and gives back the others.
func (p *portal) take(n int) *column.Batch {
	p.used = p.from + n
	return p.slice(p.from, p.used)
}

// slice is a view of rows lower to upper of the current batch.
func (p *portal) slice(lower, upper int) *column.Batch {
	sel := p.sel[:0]
	for i := lower; i < upper; i++ {
		sel = append(sel, int32(p.cur.Row(i)))
	}
	p.sel = sel
	p.part = column.Batch{Cols: p.cur.Cols, N: p.cur.N, Sel: sel}
	return &p.part
}

// release frees what the execution holds.
func (p *portal) release() {
	if p.rows != nil {
		p.rows.Close()
		p.rows = nil
	}
	if p.rt != nil {
		p.rt.Snapshot.Close()
		p.rt.Release()
		p.rt = nil
	}
	p.cur = nil
}

func (p *portal) close() { p.release() }
