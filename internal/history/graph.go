package history

import (
	"container/heap"
	"slices"
)

// kind is a kind of dependency.
type kind uint8

const (
	ww kind = iota
	wr
	rw
	rwPredicate
)

// String implements fmt.Stringer.
func (k kind) String() string { return [...]string{"ww", "wr", "rw", "rw*"}[k] }

func (k kind) anti() bool { return k >= rw }

type edge struct {
	from, to int32
	kind     kind
	key      int32
}

// graph is the dependencies of a history.
type graph struct {
	nodes int
	edges []edge
	start []int32 // of each node's edges, once sorted
}

func newGraph(nodes int) *graph { return &graph{nodes: nodes} }

func (g *graph) add(from, to int32, k kind, key int32) {
	g.edges = append(g.edges, edge{from, to, k, key})
}

// sort brings the edges into the order of their origins.
func (g *graph) sort() {
	if g.start != nil {
		return
	}
	slices.SortFunc(g.edges, func(a, b edge) int {
		if a.from != b.from {
			return int(a.from - b.from)
		}
		if a.kind != b.kind {
			return int(a.kind) - int(b.kind)
		}
		return int(a.to - b.to)
	})
	g.start = make([]int32, g.nodes+1)
	at := int32(0)
	for n := range g.nodes {
		for int(at) < len(g.edges) && g.edges[at].from < int32(n) {
			at++
		}
		g.start[n] = at
	}
	g.start[g.nodes] = int32(len(g.edges))
	for n := g.nodes - 1; n >= 0; n-- {
		g.start[n] = min(g.start[n], g.start[n+1])
	}
}

func (g *graph) out(n int32) []edge { return g.edges[g.start[n]:g.start[n+1]] }

// class is a class of cycle: which edges it may have.
type class struct {
	name    string
	allows  func(kind) bool
	single  bool // exactly one rw edge
	spread  bool // no rw edge may follow another one
	ignores []string
}

// classes are tried in this order; a class is reported if none that implies it was.
var classes = []class{
	{name: "G0", allows: func(k kind) bool { return k == ww }},
	{name: "G1c", allows: func(k kind) bool { return !k.anti() }, ignores: []string{"G0"}},
	{name: "G-single", allows: func(kind) bool { return true }, single: true, ignores: []string{"G0", "G1c"}},
	{name: "G-nonadjacent", allows: func(kind) bool { return true }, spread: true, ignores: []string{"G0", "G1c", "G-single"}},
	{name: "G2-item", allows: func(k kind) bool { return k != rwPredicate }, ignores: []string{"G0", "G1c", "G-single", "G-nonadjacent"}},
	{name: "G2", allows: func(kind) bool { return true }, ignores: []string{"G0", "G1c", "G-single", "G-nonadjacent", "G2-item"}},
}

// anomalies looks for one cycle of each class that no lesser class explains.
func (g *graph) anomalies(h *History) (list []Anomaly) {
	g.sort()
	found := map[string]bool{}
	for _, c := range classes {
		if slices.ContainsFunc(c.ignores, func(name string) bool { return found[name] }) {
			continue
		}
		if cycle := g.cycle(c); cycle != nil {
			found[c.name] = true
			list = append(list, Anomaly{c.name, h.describe(cycle)})
		}
	}
	return list
}

// states are what a search distinguishes at a node: for a spread class whether it
// came by an rw edge.
func (c class) states() int32 {
	if c.spread {
		return 2
	}
	return 1
}

// step returns the state after an edge, false when the class does not allow it.
func (c class) step(state int32, k kind) (int32, bool) {
	switch {
	case !c.allows(k):
		return 0, false
	case c.spread:
		if !k.anti() {
			return 0, true
		}
		return 1, state == 0
	}
	return 0, true
}

// cycle returns the edges of a cycle of the class, nil if there is none.
func (g *graph) cycle(c class) []edge {
	if c.single {
		return g.single()
	}
	component := g.components(c)
	k := c.states()
	for n := range int32(g.nodes) * k {
		if component[n] >= 0 {
			return g.shortest(c, component, n)
		}
	}
	return nil
}

// components numbers the strongly connected components of more than one state
// (Tarjan, without recursion); states in no such component get −1.
func (g *graph) components(c class) []int32 {
	k := c.states()
	total := int32(g.nodes) * k
	index, low := make([]int32, total), make([]int32, total)
	component := make([]int32, total)
	for i := range component {
		component[i] = -1
	}
	onStack := make([]bool, total)
	type frame struct{ state, at int32 }
	var stack []int32
	var calls []frame
	counter, components := int32(0), int32(0)
	for root := range total {
		if index[root] != 0 {
			continue
		}
		calls = append(calls[:0], frame{root, 0})
		for len(calls) > 0 {
			f := &calls[len(calls)-1]
			n := f.state
			if f.at == 0 {
				counter++
				index[n], low[n] = counter, counter
				stack, onStack[n] = append(stack, n), true
			}
			out := g.out(n / k)
			deeper := false
			for int(f.at) < len(out) {
				e := out[f.at]
				f.at++
				s, ok := c.step(n%k, e.kind)
				if !ok {
					continue
				}
				m := e.to*k + s
				if index[m] == 0 {
					calls = append(calls, frame{m, 0})
					deeper = true
					break
				}
				if onStack[m] {
					low[n] = min(low[n], index[m])
				}
			}
			if deeper {
				continue
			}
			if len(out) == 0 || int(f.at) >= len(out) {
				if low[n] == index[n] {
					first := len(stack) - 1
					for stack[first] != n {
						first--
					}
					size := len(stack) - first
					for _, m := range stack[first:] {
						onStack[m] = false
						if size > 1 {
							component[m] = components
						}
					}
					components++
					stack = stack[:first]
				}
				calls = calls[:len(calls)-1]
				if len(calls) > 0 {
					p := calls[len(calls)-1].state
					low[p] = min(low[p], low[n])
				}
			}
		}
	}
	return component
}

// shortest returns a shortest cycle through a state inside its component.
func (g *graph) shortest(c class, component []int32, from int32) []edge {
	k := c.states()
	return g.path(from, from, func(n int32, fn func(edge, int32)) {
		for _, e := range g.out(n / k) {
			if s, ok := c.step(n%k, e.kind); ok && component[e.to*k+s] == component[from] {
				fn(e, e.to*k+s)
			}
		}
	})
}

// path returns the edges of a shortest way from one state to another, by at least one edge.
func (g *graph) path(from, to int32, each func(int32, func(edge, int32))) []edge {
	type step struct {
		edge edge
		back int32
	}
	came := map[int32]step{}
	queue := []int32{from}
	for len(queue) > 0 {
		n := queue[0]
		queue = queue[1:]
		done := false
		each(n, func(e edge, m int32) {
			if _, ok := came[m]; ok || done {
				return
			}
			came[m] = step{e, n}
			queue = append(queue, m)
			done = m == to
		})
		if !done {
			continue
		}
		var edges []edge
		for at := to; ; {
			s := came[at]
			edges = append(edges, s.edge)
			if at = s.back; at == from {
				slices.Reverse(edges)
				return edges
			}
		}
	}
	return nil
}

// single looks for a cycle with one rw edge: a way back from its end to its
// beginning by other edges. These have no cycles, or a lesser class would have
// been found; so that the way only leads upwards in an order of theirs, and is
// short where the order is close to that of time.
func (g *graph) single() []edge {
	rank := g.ranks()
	for _, e := range g.edges {
		if !e.kind.anti() || rank[e.to] > rank[e.from] {
			continue
		}
		back := g.path(e.to, e.from, func(n int32, fn func(edge, int32)) {
			for _, f := range g.out(n) {
				if !f.kind.anti() && rank[f.to] <= rank[e.from] {
					fn(f, f.to)
				}
			}
		})
		if back != nil {
			return append([]edge{e}, back...)
		}
	}
	return nil
}

// ranks orders the nodes so that ww and wr edges lead upwards; of those that
// may come next the one that began first does.
func (g *graph) ranks() []int32 {
	waits, rank := make([]int32, g.nodes), make([]int32, g.nodes)
	for _, e := range g.edges {
		if !e.kind.anti() {
			waits[e.to]++
		}
	}
	var ready nodeHeap
	for n := range g.nodes {
		if waits[n] == 0 {
			ready = append(ready, int32(n))
		}
	}
	next := int32(0)
	for len(ready) > 0 {
		n := heap.Pop(&ready).(int32)
		rank[n] = next
		next++
		for _, e := range g.out(n) {
			if e.kind.anti() {
				continue
			}
			if waits[e.to]--; waits[e.to] == 0 {
				heap.Push(&ready, e.to)
			}
		}
	}
	return rank
}

// nodeHeap is a heap.Interface, least node first.
type nodeHeap []int32

func (h nodeHeap) Len() int           { return len(h) }
func (h nodeHeap) Less(i, j int) bool { return h[i] < h[j] }
func (h nodeHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push implements heap.Interface.
func (h *nodeHeap) Push(x any) { *h = append(*h, x.(int32)) }

// Pop implements heap.Interface.
func (h *nodeHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
