// Package explain describes physical plans as EXPLAIN prints them, in text and
// JSON, with the figures of a run when there was one. What the learned index
// did is part of it: segments visited, the window its model predicted, blocks
// read, mispredictions.
package explain

import (
	"fmt"
	"strconv"
	"time"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/exec"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// Options are those of EXPLAIN.
type Options struct {
	Analyze, Verbose, Buffers, Settings, Summary bool
	Costs, Timing                                bool // on by default
	Format                                       string
}

// Run is what EXPLAIN ANALYZE measured.
type Run struct {
	Stats     exec.Instrumentation
	Planning  time.Duration
	Execution time.Duration
}

// item is one property of a node, in the order of printing. Values are strings,
// int64, float64 or []string.
type item struct {
	key   string
	value any
}

// node is one line of the plan with its properties.
type node struct {
	title string // as text prints it
	kind  string // "Node Type" of JSON
	rel   string // how it belongs to its parent: "Outer", "Inner", "SubPlan", …
	sub   string // "SubPlan 1", printed above the node
	info  *plan.NodeInfo
	stats *exec.NodeStats
	items []item
	kids  []*node
}

// Explain returns the plan's description: lines of text, or one JSON document.
func Explain(env *types.Env, st *plan.Statement, o Options, run *Run) []string {
	e := &explainer{env: env, st: st, opts: o, run: run, shown: map[int]bool{}}
	root := e.node(st.Root, "")
	if o.Format == "json" {
		return []string{e.json(root)}
	}
	lines := e.text(root, 0, nil)
	if run != nil && o.Summary {
		lines = append(lines, fmt.Sprintf("Planning Time: %.3f ms", millis(run.Planning)))
		lines = append(lines, fmt.Sprintf("Execution Time: %.3f ms", millis(run.Execution)))
	}
	return lines
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

type explainer struct {
	env   *types.Env
	st    *plan.Statement
	opts  Options
	run   *Run
	shown map[int]bool
}

func (e *explainer) node(p plan.Node, rel string) *node {
	n := &node{rel: rel, info: p.Info()}
	if e.run != nil && e.run.Stats != nil {
		n.stats = e.run.Stats.Stats(p)
	}
	e.describe(n, p)
	if n.stats != nil {
		e.figures(n)
	}
	for _, id := range subPlansOf(p) {
		if !e.shown[id] {
			e.shown[id] = true
			k := e.node(e.st.Plans[id].Root, "SubPlan")
			k.sub = e.st.Plans[id].Name
			n.kids = append(n.kids, k)
		}
	}
	rels := []string{"Outer", "Inner"}
	for i, c := range p.Children() {
		n.kids = append(n.kids, e.node(c, rels[min(i, 1)]))
	}
	return n
}

// subPlansOf returns the subplans that a node's own expressions and scans use.
func subPlansOf(p plan.Node) []int {
	var out []int
	if s, ok := p.(*plan.CTEScan); ok {
		out = append(out, s.Plan)
	}
	for _, x := range exprsOf(p) {
		plan.Walk(x, func(y plan.Expr) bool {
			if s, ok := y.(*plan.SubPlan); ok {
				out = append(out, s.Plan)
			}
			return true
		})
	}
	return out
}

// printer returns a printer whose slots are the columns of the inputs.
func (e *explainer) printer(inputs ...plan.Node) *printer {
	p := &printer{env: e.env, sub: func(i int) string { return e.st.Plans[i].Name }}
	for _, n := range inputs {
		p.cols = append(p.cols, e.names(n)...)
	}
	return p
}

// names are the output columns of a node as expressions above print them.
func (e *explainer) names(n plan.Node) []string {
	switch x := n.(type) {
	case *plan.Project:
		inner := e.printer(x.Input)
		out := make([]string, len(x.Exprs))
		for i, ex := range x.Exprs {
			out[i] = inner.expr(ex)
		}
		return out
	case *plan.Aggregate:
		inner := e.printer(x.Input)
		var out []string
		for _, k := range x.Keys {
			out = append(out, inner.expr(k.Expr))
		}
		for _, a := range x.Aggs {
			out = append(out, inner.expr(a))
		}
		for len(out) < len(x.Columns) {
			out = append(out, "GROUPING(?)")
		}
		return out
	case *plan.Scan:
		return e.qualified(x.Columns, x.Alias)
	case *plan.IndexScan:
		return e.qualified(x.Columns, x.Alias)
	case *plan.HashJoin:
		if x.Kind == plan.RightSemiJoin || x.Kind == plan.RightAntiJoin {
			return e.names(x.Right)
		}
	case *plan.ItemScan:
		return e.qualified(x.Columns, x.Alias)
	case *plan.KeyLookup:
		return e.qualified(x.Columns, x.Alias)
	case *plan.VirtualScan:
		return e.qualified(x.Columns, x.Alias)
	}
	if c := n.Children(); len(c) == 1 && len(n.Info().Columns) == len(c[0].Info().Columns) {
		return e.names(c[0])
	}
	if c := n.Children(); len(c) == 2 {
		all := append(e.names(c[0]), e.names(c[1])...)
		if len(all) >= len(n.Info().Columns) {
			return all[:len(n.Info().Columns)]
		}
	}
	var out []string
	for _, c := range n.Info().Columns {
		out = append(out, c.Name)
	}
	return out
}

// qualified puts the table's alias before column names when several tables are in play.
func (e *explainer) qualified(cols []plan.Column, alias string) []string {
	out := make([]string, len(cols))
	many := tables(e.st.Root) > 1
	for i, c := range cols {
		out[i] = c.Name
		if many && alias != "" {
			out[i] = alias + "." + c.Name
		}
	}
	return out
}

func tables(n plan.Node) int {
	count := 0
	switch n.(type) {
	case *plan.Scan, *plan.IndexScan, *plan.ItemScan, *plan.KeyLookup, *plan.VirtualScan, *plan.CTEScan, *plan.FunctionScan, *plan.IndexJoin:
		count = 1
	}
	for _, c := range n.Children() {
		count += tables(c)
	}
	return count
}

func (n *node) add(key string, value any) {
	switch v := value.(type) {
	case string:
		if v == "" {
			return
		}
	case []string:
		if len(v) == 0 {
			return
		}
	}
	n.items = append(n.items, item{key, value})
}

// figures adds what a run measured beyond rows and time.
func (e *explainer) figures(n *node) {
	s := n.stats
	if s.Removed > 0 {
		n.add("Rows Removed by Filter", s.Removed)
	}
	if s.Ranked > 0 {
		n.add("Rows by Rank", s.Ranked)
	}
	r := s.Read
	if r.Segments > 0 || r.MemtableRows > 0 || r.Rows > 0 || r.MemoryHits > 0 {
		text := fmt.Sprintf("segments=%d window=%d mispredictions=%d", r.Segments, r.Window, r.Mispredictions)
		if r.Batched > 0 {
			text += fmt.Sprintf(" batched=%d", r.Batched)
		}
		n.add("Learned Index", text)
		n.add("Memtable Rows", r.MemtableRows+r.MemoryHits)
		if r.ExtentsPruned > 0 || r.RowsPassed > 0 {
			n.add("Zone Maps", fmt.Sprintf("extents=%d memtable=%d", r.ExtentsPruned, r.RowsPassed))
		}
		if e.opts.Buffers {
			n.add("Buffers", fmt.Sprintf("hit=%d read=%d", r.CacheHits, r.BlocksRead))
		}
	}
	if s.Method != "" {
		n.add("Method", s.Method)
	}
	if s.Memory > 0 {
		n.add("Memory", strconv.FormatInt((s.Memory+1023)/1024, 10)+"kB")
	}
	if s.Spilled > 0 {
		n.add("Disk", strconv.FormatInt((s.Spilled+1023)/1024, 10)+"kB")
	}
}

func tableName(t *catalog.Relation, alias string) string {
	if alias != "" && alias != t.Name {
		return t.Name + " " + alias
	}
	return t.Name
}
