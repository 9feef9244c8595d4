package exec

import (
	"bytes"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/plan"
)

// sortParts is what workers have sorted, each its part of the input.
type sortParts struct {
	sorts []*sortOp
	at    []int // next item of each
	rows  [][]int32
}

// byWorkers sorts the parts of the input side by side. It reports false, having
// read nothing, where that is not worth it.
func (o *sortOp) byWorkers() (bool, error) {
	uses, _ := o.st.dependencies(o.node)
	list, err := o.st.workers(o.node.Input, o.input, uses)
	if err != nil || list == nil {
		return false, err
	}
	defer closeWorkers(list)
	p := &sortParts{at: make([]int, len(list))}
	for _, w := range list {
		s, err := w.st.sortOver(o.node, w.way)
		if err != nil {
			return false, err
		}
		s.part = true
		p.sorts = append(p.sorts, s)
		w.run = s.open
	}
	err = o.st.runWorkers(list)
	spilled := false
	for _, s := range p.sorts {
		if err == nil {
			err = o.st.grow(s.held)
			o.held += s.held
		}
		o.figures.TopN = o.figures.TopN || s.figures.TopN
		spilled = spilled || len(s.runs) > 0
	}
	if err != nil || spilled {
		defer p.drop()
	}
	switch {
	case err != nil:
		return false, err
	case spilled:
		return true, o.takeIn(p)
	}
	if o.packed != nil {
		if ok, err := o.join(p); ok || err != nil {
			return ok, err
		}
	}
	if err := p.keyed(); err != nil {
		return false, err
	}
	p.rows = make([][]int32, len(p.sorts))
	o.parts = p
	return true, nil
}

// keyed makes all parts be sorted by encoded keys.
func (p *sortParts) keyed() error {
	for _, s := range p.sorts {
		if s.packed == nil {
			continue
		}
		if err := s.toKeys(); err != nil {
			return err
		}
		if err := s.finish(); err != nil {
			return err
		}
	}
	return nil
}

// takeIn sorts what workers had to put on disk once more, as one input.
func (o *sortOp) takeIn(p *sortParts) error {
	o.st.shrink(o.held)
	o.held = 0
	if err := p.keyed(); err != nil {
		return err
	}
	for _, s := range p.sorts {
		for {
			b, err := s.next()
			if err != nil {
				return err
			}
			if b == nil {
				break
			}
			if err := o.add(b); err != nil {
				return err
			}
			if err := o.st.rt.canceled(); err != nil {
				return err
			}
		}
		s.drop()
	}
	return o.finish()
}

func (p *sortParts) drop() {
	for _, s := range p.sorts {
		s.drop()
	}
}

// least returns the part whose next row comes first, -1 at the end; of equal
// rows those of the earlier part do.
func (p *sortParts) least() int {
	best := -1
	for i, s := range p.sorts {
		if p.at[i] < len(s.items) && (best < 0 || p.before(i, best)) {
			best = i
		}
	}
	return best
}

func (p *sortParts) before(i, k int) bool {
	a, b := p.sorts[i].items[p.at[i]], p.sorts[k].items[p.at[k]]
	if a.hi != b.hi {
		return a.hi < b.hi
	}
	if a.lo != b.lo {
		return a.lo < b.lo
	}
	return bytes.Compare(p.sorts[i].keys.get(a.row), p.sorts[k].keys.get(b.row)) < 0
}

// nextOfParts merges the next rows of the parts.
func (o *sortOp) nextOfParts() (*column.Batch, error) {
	p := o.parts
	o.out.Reset(o.kinds...)
	for o.out.N < o.st.rt.batchSize() {
		i := p.least()
		if i < 0 {
			break
		}
		s := p.sorts[i]
		rows := p.rows[i][:0] // a run of rows of one part
		for o.out.N+len(rows) < o.st.rt.batchSize() {
			rows = append(rows, s.items[p.at[i]].row)
			if p.at[i]++; p.least() != i {
				break
			}
		}
		p.rows[i] = rows
		for c := range o.kinds {
			s.rows.gather(c, rows, &o.out.Cols[c])
		}
		o.out.N += len(rows)
	}
	if o.out.N == 0 {
		return nil, nil
	}
	return &o.out, o.st.rt.canceled()
}

// divisible reports whether workers can sort parts of the input.
func (o *sortOp) divisible() bool {
	for _, k := range o.node.Keys {
		if !divisibleExprs(k.Expr) {
			return false
		}
	}
	return divisibleExprs(o.node.Limit) && o.st.divisible(o.node.Input)
}

// sortOver makes a sort over an operator that is there already.
func (st *state) sortOver(n *plan.Sort, input operator) (*sortOp, error) {
	o := &sortOp{
		st: st, node: n, input: input, kinds: st.kinds(n.Input), ties: n.WithTies,
		keeper: keeper{st: st, node: n.Input}, figures: st.figures(n),
	}
	var err error
	if o.key, err = st.sortKey(n.Keys); err != nil {
		return nil, err
	}
	o.key.narrow(st, n.Keys)
	if n.Limit != nil {
		o.limit, err = st.compile(n.Limit)
	}
	return o, err
}
