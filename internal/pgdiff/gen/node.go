package gen

import "strings"

// Node is a piece of a statement: text with nodes in between. A node may stand in several places (an expression of GROUP BY
// in the select list); changing it changes all of them.
type Node struct {
	Type     string // type of the expression, "" if it is none
	Optional bool   // may be left out
	List     bool   // parts are items, of which at least Min are needed
	Min      int
	sep      string
	parts    []part
}

type part struct {
	text string
	node *Node
}

// text returns a node without structure.
func text(s string) *Node { return &Node{parts: []part{{text: s}}} }

// join makes a node of strings and nodes; a nil node is nothing.
func join(parts ...any) *Node {
	n := &Node{}
	n.add(parts...)
	return n
}

func (n *Node) add(parts ...any) {
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			n.parts = append(n.parts, part{text: p})
		case *Node:
			if p != nil {
				n.parts = append(n.parts, part{node: p})
			}
		}
	}
}

// expr makes an expression.
func expr(typ string, parts ...any) *Node {
	n := join(parts...)
	n.Type = typ
	return n
}

// optional makes a clause that may be left out.
func optional(parts ...any) *Node {
	n := join(parts...)
	n.Optional = true
	return n
}

// list makes a list that needs at least least items.
func list(sep string, least int, items ...*Node) *Node {
	n := &Node{List: true, sep: sep, Min: least}
	for _, item := range items {
		n.parts = append(n.parts, part{node: item})
	}
	return n
}

// Empty reports whether nothing is left of a node.
func (n *Node) Empty() bool { return n == nil || len(n.parts) == 0 }

// String renders the node as SQL.
func (n *Node) String() string {
	var b strings.Builder
	n.render(&b)
	return b.String()
}

func (n *Node) render(b *strings.Builder) {
	for i, p := range n.parts {
		if i > 0 && n.List {
			b.WriteString(n.sep)
		}
		if p.node != nil {
			p.node.render(b)
		} else {
			b.WriteString(p.text)
		}
	}
}

// Stmt is one statement.
type Stmt struct {
	Root  *Node
	Order *Node  // the outermost ORDER BY, which is total; nil or empty when rows come in any order
	Table string // the table that a data-modifying statement changes, "" if none
}

// String renders the statement.
func (s *Stmt) String() string { return s.Root.String() }

// Ordered reports whether the order of the rows is part of the answer.
func (s *Stmt) Ordered() bool { return s.Order != nil && !s.Root.without(s.Order) }

// without reports whether a node is not reachable any more.
func (n *Node) without(x *Node) bool {
	if n == x {
		return n.Empty()
	}
	for _, p := range n.parts {
		if p.node != nil && !p.node.without(x) {
			return false
		}
	}
	return true
}

// nodes lists the nodes reachable from n, parents first, each once.
func (n *Node) nodes(seen map[*Node]bool, out []*Node) []*Node {
	if seen[n] {
		return out
	}
	seen[n] = true
	out = append(out, n)
	for _, p := range n.parts {
		if p.node != nil {
			out = p.node.nodes(seen, out)
		}
	}
	return out
}

// Shrink makes the statement smaller as long as fails says that it still does what it did, trying at most tries times.
func (s *Stmt) Shrink(tries int, fails func() bool) {
	for changed := true; changed && tries > 0; {
		changed = false
		for _, n := range s.Root.nodes(map[*Node]bool{}, nil) {
			for _, smaller := range n.smaller() {
				if tries--; tries < 0 {
					return
				}
				old := *n
				before := len(s.Root.String())
				n.parts = smaller
				if now := len(s.Root.String()); now < before && fails() {
					changed = true
					break
				}
				*n = old
			}
		}
	}
}

// smaller lists the contents that a node could have instead, the shortest first.
func (n *Node) smaller() [][]part {
	var out [][]part
	if n.Optional && len(n.parts) > 0 {
		out = append(out, nil)
	}
	if n.List && len(n.parts) > n.Min {
		if half := len(n.parts) / 2; half >= n.Min && half > 1 {
			out = append(out, n.parts[:half], n.parts[half:])
		}
		for i := range n.parts {
			rest := append(append([]part(nil), n.parts[:i]...), n.parts[i+1:]...)
			out = append(out, rest)
		}
	}
	if n.Type != "" && len(n.String()) > 8 {
		for _, x := range n.nodes(map[*Node]bool{}, nil)[1:] {
			if x.Type == n.Type {
				out = append(out, x.parts)
			}
		}
		out = append(out, []part{{text: "NULL::" + spelling(n.Type)}}, []part{{text: literalText(n.Type, 0)}})
	}
	return out
}
