package exec

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
)

// subplan is a running Statement.Plans entry: an init plan, a subquery of an
// expression, or a WITH query.
type subplan struct {
	st     *state
	index  int
	root   operator
	kinds  []column.Kind
	keep   keeper
	store  *tupleStore // WITH queries: the rows so far
	ended  bool
	ran    bool // init plans
	opened bool
}

// subplan returns the running form of a plan, making it when first needed.
func (st *state) subplan(i int) (*subplan, error) {
	if p := st.plans[i]; p != nil {
		return p, nil
	}
	def := st.stmt.Plans[i]
	p := &subplan{st: st, index: i, kinds: st.kinds(def.Root), keep: keeper{st: st, node: def.Root}}
	st.plans[i] = p
	var err error
	if p.root, err = st.operator(def.Root); err != nil {
		st.plans[i] = nil
		return nil, err
	}
	return p, nil
}

func (p *subplan) close() {
	if p.root != nil {
		p.root.close()
	}
	if p.store != nil {
		p.store.close()
		p.store = nil
	}
}

// open starts the plan from its first row.
func (p *subplan) open() error {
	p.opened = true
	return p.root.open()
}

// startShared prepares a WITH query for a further reader. It starts again when
// what it depends on has changed.
func (p *subplan) startShared() error {
	if p.store != nil && p.keep.fresh() {
		return nil
	}
	if p.store != nil {
		p.store.close()
	}
	p.store, p.ended = p.st.newTupleStore(p.kinds), false
	p.keep.mark()
	return p.root.open()
}

// advance reads one more batch into the store; false at the end. A store that
// went to a file is read to its end first: a file is written once.
func (p *subplan) advance() (bool, error) {
	if p.ended {
		return false, nil
	}
	for {
		b, err := p.root.next()
		if err != nil {
			return false, err
		}
		if b == nil {
			p.ended = true
			return p.store.file != nil, nil
		}
		if err := p.store.add(b); err != nil {
			return false, err
		}
		if p.store.file == nil {
			return true, nil
		}
	}
}

// runInit runs an init plan once and sets its executor parameter.
func (st *state) runInit(i, id int) error {
	p, err := st.subplan(i)
	if err != nil {
		return err
	}
	if p.ran && p.keep.fresh() {
		return nil
	}
	p.ran = true
	p.keep.mark()
	d, err := p.scalar()
	if err != nil {
		p.ran = false
		return err
	}
	st.setExec(id, d)
	return nil
}

// scalar runs the plan for its only value: NULL without a row.
func (p *subplan) scalar() (column.Datum, error) {
	if err := p.open(); err != nil {
		return column.Datum{}, err
	}
	out, rows := column.Null(), 0
	for {
		b, err := p.root.next()
		if err != nil {
			return out, err
		}
		if b == nil {
			return out, nil
		}
		if rows += b.Len(); rows > 1 {
			return out, pgerr.New(pgerr.CardinalityViolation, "more than one row returned by a subquery used as an expression")
		}
		out = b.Cols[0].Datum(b.Row(0)).Clone()
	}
}

// finishModifying runs data-modifying WITH queries that nobody read to their end.
func (st *state) finishModifying() error {
	for i, def := range st.stmt.Plans {
		if !def.Modify {
			continue
		}
		p, err := st.subplan(i)
		if err != nil {
			return err
		}
		if p.store == nil {
			if err := p.startShared(); err != nil {
				return err
			}
		}
		for more := true; more; {
			if p.ended {
				break
			}
			if more, err = p.advance(); err != nil {
				return err
			}
		}
	}
	return nil
}
