package explain

import (
	"encoding/json"
	"fmt"
	"strings"
)

// text prints a node and what is below it, indented as PostgreSQL does.
func (e *explainer) text(n *node, depth int, lines []string) []string {
	indent := strings.Repeat(" ", max(0, depth*6-4))
	arrow := ""
	if depth > 0 {
		arrow = "->  "
	}
	if n.sub != "" {
		lines = append(lines, strings.Repeat(" ", depth*6-4)+n.sub)
		indent += "  "
	}
	line := indent + arrow + n.title
	if e.opts.Costs {
		line += fmt.Sprintf("  (cost=%.2f..%.2f rows=%.0f width=%d)", n.info.StartCost, n.info.TotalCost, max(n.info.Rows, 0), n.info.Width)
	}
	if e.run != nil {
		line += e.actual(n)
	}
	lines = append(lines, line)
	pad := strings.Repeat(" ", len(indent)+len(arrow)+2)
	for _, it := range n.items {
		if it.key == "Relation Name" || it.key == "Index Name" {
			continue
		}
		lines = append(lines, pad+it.key+": "+itemText(it.value))
	}
	for _, k := range n.kids {
		lines = e.text(k, depth+1, lines)
	}
	return lines
}

func itemText(v any) string {
	if l, ok := v.([]string); ok {
		return strings.Join(l, ", ")
	}
	return fmt.Sprint(v)
}

func (e *explainer) actual(n *node) string {
	s := n.stats
	if s == nil || s.Loops == 0 {
		return " (never executed)"
	}
	rows := float64(s.Rows) / float64(s.Loops)
	if !e.opts.Timing {
		return fmt.Sprintf(" (actual rows=%.0f loops=%d)", rows, s.Loops)
	}
	return fmt.Sprintf(" (actual time=%.3f..%.3f rows=%.0f loops=%d)", millis(s.Startup), millis(s.Total)/float64(s.Loops), rows, s.Loops)
}

// json prints the whole plan as one document.
func (e *explainer) json(root *node) string {
	doc := map[string]any{"Plan": e.jsonNode(root)}
	if e.run != nil && e.opts.Summary {
		doc["Planning Time"], doc["Execution Time"] = millis(e.run.Planning), millis(e.run.Execution)
	}
	b, err := json.MarshalIndent([]any{doc}, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("explain: %v", err)) // only plain values go in
	}
	return string(b)
}

func (e *explainer) jsonNode(n *node) map[string]any {
	m := map[string]any{"Node Type": n.kind}
	if n.rel != "" {
		m["Parent Relationship"] = n.rel
	}
	if n.sub != "" {
		m["Subplan Name"] = n.sub
	}
	if e.opts.Costs {
		m["Startup Cost"], m["Total Cost"] = n.info.StartCost, n.info.TotalCost
		m["Plan Rows"], m["Plan Width"] = n.info.Rows, n.info.Width
	}
	if s := n.stats; s != nil && s.Loops > 0 {
		m["Actual Rows"], m["Actual Loops"] = float64(s.Rows)/float64(s.Loops), s.Loops
		if e.opts.Timing {
			m["Actual Startup Time"], m["Actual Total Time"] = millis(s.Startup), millis(s.Total)/float64(s.Loops)
		}
	}
	for _, it := range n.items {
		m[it.key] = it.value
	}
	if len(n.kids) > 0 {
		var kids []any
		for _, k := range n.kids {
			kids = append(kids, e.jsonNode(k))
		}
		m["Plans"] = kids
	}
	return m
}
