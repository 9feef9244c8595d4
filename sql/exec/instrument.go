package exec

import (
	"time"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/plan"
)

// Instrumentation is how EXPLAIN ANALYZE reads what a statement did. *Rows is one.
type Instrumentation interface {
	Stats(n plan.Node) *NodeStats
}

// NodeStats are the figures of one plan node.
type NodeStats struct {
	Rows     int64         // rows yielded, over all loops
	Loops    int64         // how often the node was started
	Batches  int64         // batches yielded
	Startup  time.Duration // until the first batch of the first loop
	Total    time.Duration // inside the node and its inputs
	Removed  int64         // rows that the node's condition dropped
	Memory   int64         // most bytes held at once
	Spilled  int64         // bytes written to temporary files
	Parts    int64         // partitions or runs on disk
	Read     engine.ReadStats
	Ranked   int64 // rows counted or passed over by their ranks, without being read
	Heap     int64 // rows fetched from the table by an index-only scan
	Groups   int64 // hash aggregation: groups
	Method   string
	TopN     bool
	DiskSort bool
}

// measured counts what an operator yields and how long it takes.
type measured struct {
	st    *state
	stats *NodeStats
	op    operator
}

// measure wraps an operator; the figures object exists already when the
// operator asked for it.
func (st *state) measure(n plan.Node, op operator) operator {
	return &measured{st: st, stats: st.figures(n), op: op}
}

// figures returns the figures of a node; operators without instrumentation get
// a scratch object that nobody reads.
func (st *state) figures(n plan.Node) *NodeStats {
	if st.stats == nil {
		return &NodeStats{}
	}
	s := st.stats[n]
	if s == nil {
		s = &NodeStats{}
		st.stats[n] = s
	}
	return s
}

func (m *measured) open() error {
	start := m.st.rt.Clock.Now()
	err := m.op.open()
	m.stats.Loops++
	m.stats.Total += m.st.rt.Clock.Since(start)
	return err
}

func (m *measured) next() (*column.Batch, error) {
	start := m.st.rt.Clock.Now()
	b, err := m.op.next()
	m.stats.Total += m.st.rt.Clock.Since(start)
	if b != nil {
		if m.stats.Batches == 0 {
			m.stats.Startup = m.stats.Total
		}
		m.stats.Batches++
		m.stats.Rows += int64(b.Len())
	}
	return b, err
}

func (m *measured) close() { m.op.close() }
