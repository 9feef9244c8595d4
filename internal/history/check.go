package history

import (
	"fmt"
	"slices"
	"strings"
)

// Anomaly is something that should not have happened, or may happen at some levels only.
type Anomaly struct {
	Class  string
	Detail string
}

// Level is an isolation level.
type Level string

// The levels, as SQL names them.
const (
	ReadCommitted  Level = "READ COMMITTED"
	RepeatableRead Level = "REPEATABLE READ"
	Serializable   Level = "SERIALIZABLE"
)

// permitted lists what may happen at a level: REPEATABLE READ is snapshot isolation.
var permitted = map[Level][]string{
	ReadCommitted:  {"G-single", "G-nonadjacent", "G2-item", "G2", "unrepeatable"},
	RepeatableRead: {"G2-item", "G2"},
}

// Permits reports whether an anomaly may happen at a level.
func (l Level) Permits(a Anomaly) bool { return slices.Contains(permitted[l], a.Class) }

// Check lists the anomalies of a history, one for each class of cycle. The
// state at the end must have been read (see Append.Finish).
func (h *History) Check() []Anomaly {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := &checker{h: h}
	c.elements()
	c.unrepeatable()
	g := c.graph()
	return append(slices.Clone(h.faults), g.anomalies(h)...)
}

// Violations lists those that a level does not permit.
func (h *History) Violations(l Level) (bad []Anomaly) {
	for _, a := range h.Check() {
		if !l.Permits(a) {
			bad = append(bad, a)
		}
	}
	return bad
}

type checker struct{ h *History }

func (c *checker) writer(v int64) *Txn {
	if id := v / valuesEach; id >= 0 && id < int64(len(c.h.txns)) {
		return c.h.txns[id]
	}
	return nil
}

// counts reports whether a transaction took effect: a client that lost its
// connection does not know, but what others saw tells.
func (t *Txn) counts() bool { return t != nil && t.Outcome != RolledBack }

// elements checks every value: that somebody wrote it who was not rolled back,
// that none is there twice, none is missing, and that nobody saw a transaction in parts.
func (c *checker) elements() {
	h := c.h
	place := make(map[int64]int32) // where a value stands in its list
	for key, order := range h.orders {
		for i, v := range order {
			t := c.writer(v)
			if !t.counts() {
				h.fault("G1a", fmt.Sprintf("key %d: value %d of a transaction that was rolled back was read: %v", key, v, order))
			}
			if _, twice := place[v]; twice {
				h.fault("duplicate", fmt.Sprintf("key %d: value %d is there twice: %v", key, v, order))
			}
			place[v] = int32(i)
			if t != nil && t.Outcome == Unknown {
				t.Outcome = Committed
			}
		}
	}
	for _, t := range h.txns {
		if t.Outcome != Committed {
			continue
		}
		for _, a := range t.appends {
			if _, ok := place[a.value]; !ok {
				h.fault("lost", fmt.Sprintf("key %d: value %d of a committed transaction is not there: %v", a.key, a.value, h.orders[a.key]))
			}
		}
		for _, r := range t.reads {
			if r.n == 0 {
				continue
			}
			order := h.orders[r.key]
			w := c.writer(order[r.n-1])
			if w == nil || w == t || int(r.n) >= len(order) || c.writer(order[r.n]) != w {
				continue
			}
			h.fault("G1b", fmt.Sprintf("T%d read key %d in the middle of what T%d appended: %v", t.ID, r.key, w.ID, order[:r.n]))
		}
	}
}

// unrepeatable finds transactions that read a key twice and saw two states.
func (c *checker) unrepeatable() {
	for _, t := range c.h.txns {
		if t.Outcome != Committed {
			continue
		}
		for i, r := range t.reads {
			for _, s := range t.reads[:i] {
				if s.key == r.key && s.n != r.n {
					c.h.fault("unrepeatable", fmt.Sprintf("T%d read key %d up to %d and up to %d", t.ID, r.key, s.n, r.n))
				}
			}
		}
	}
}

// graph draws the dependencies between committed transactions.
func (c *checker) graph() *graph {
	g := newGraph(len(c.h.txns))
	add := func(from, to *Txn, k kind, key int32) {
		if from != to && from.counts() && to.counts() && from.Outcome == Committed && to.Outcome == Committed {
			g.add(int32(from.ID), int32(to.ID), k, key)
		}
	}
	for key, order := range c.h.orders {
		for i := 1; i < len(order); i++ {
			add(c.writer(order[i-1]), c.writer(order[i]), ww, key)
		}
	}
	for _, t := range c.h.txns {
		for _, r := range t.reads {
			order := c.h.orders[r.key]
			if r.n > 0 && int(r.n) <= len(order) {
				add(c.writer(order[r.n-1]), t, wr, r.key)
			}
			if int(r.n) < len(order) {
				k := rw
				if r.predicate {
					k = rwPredicate
				}
				add(t, c.writer(order[r.n]), k, r.key)
			}
		}
	}
	return g
}

// describe writes a cycle down.
func (h *History) describe(cycle []edge) string {
	var b strings.Builder
	for _, e := range cycle {
		fmt.Fprintf(&b, "T%d -%s(%d)-> ", e.from, e.kind, e.key)
	}
	fmt.Fprintf(&b, "T%d", cycle[0].from)
	return b.String()
}
