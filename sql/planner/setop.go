package planner

import (
	"math"

	"github.com/omendb/omendb/sql/plan"
)

// planSetOps plans UNION, INTERSECT and EXCEPT. The result's columns are known
// as those of the leftmost branch.
func (l *level) planSetOps() (*rel, error) {
	q := l.q
	first := q.SetOp
	for first.Rel < 0 {
		first = first.Left
	}
	var node plan.Node
	var err error
	if id := l.recursionID(); id >= 0 {
		node, err = l.recursiveUnion(id)
	} else {
		node, err = l.setOpNode(q.SetOp)
	}
	if err != nil {
		return nil, err
	}
	r := fullLayout(first.Rel, q.Rels[first.Rel])
	r.node = node
	for _, t := range q.Targets { // targets may be written over any branch's columns
		if v, ok := t.Expr.(*plan.Var); ok && v.Level == 0 && v.Rel != first.Rel {
			r.cols[colKey{v.Rel, v.Attr}] = v.Attr
		}
	}
	return r, nil
}

// recursionID returns the work table's ID when this level is the body of a
// recursive CTE, else -1.
func (l *level) recursionID() int {
	if l.parent == nil {
		return -1
	}
	for i, c := range l.parent.q.CTEs {
		if c.Query == l.q && c.Recursive && i < len(l.parent.ctes) {
			return l.parent.ctes[i].workID
		}
	}
	return -1
}

func (l *level) recursiveUnion(id int) (plan.Node, error) {
	s := l.q.SetOp
	base, err := l.setOpNode(s.Left)
	if err != nil {
		return nil, err
	}
	step, err := l.setOpNode(s.Right)
	if err != nil {
		return nil, err
	}
	n := &plan.RecursiveUnion{NodeInfo: *base.Info(), ID: id, Base: base, Step: step, All: s.All}
	n.Rows = clampRows(base.Info().Rows * 10)
	n.TotalCost += step.Info().TotalCost * 10
	return n, nil
}

func (l *level) setOpNode(s *plan.SetOp) (plan.Node, error) {
	if s.Rel >= 0 {
		p, err := l.subqueryPath(s.Rel, l.q.Rels[s.Rel])
		if err != nil {
			return nil, err
		}
		return p.build().node, nil
	}
	if s.Kind == plan.Union {
		return l.unionNode(s)
	}
	left, err := l.setOpNode(s.Left)
	if err != nil {
		return nil, err
	}
	right, err := l.setOpNode(s.Right)
	if err != nil {
		return nil, err
	}
	info := l.setOpInfo(s, left)
	info.Rows = left.Info().Rows
	if s.Kind == plan.Intersect {
		info.Rows = math.Min(info.Rows, right.Info().Rows)
	}
	info.TotalCost = left.Info().TotalCost + right.Info().TotalCost + (left.Info().Rows+right.Info().Rows)*costHash
	info.StartCost = info.TotalCost
	return &plan.SetOperation{NodeInfo: info, Kind: s.Kind, All: s.All, Left: left, Right: right, Equal: s.Equal}, nil
}

func (l *level) setOpInfo(s *plan.SetOp, first plan.Node) plan.NodeInfo {
	info := plan.NodeInfo{}
	for i, c := range first.Info().Columns {
		info.Columns = append(info.Columns, plan.Column{Name: c.Name, Type: s.Types[i]})
	}
	info.Width = widthOf(info.Columns)
	return info
}

// unionNode gathers the branches of nested unions of the same kind.
func (l *level) unionNode(s *plan.SetOp) (plan.Node, error) {
	var inputs []plan.Node
	var gather func(*plan.SetOp) error
	gather = func(b *plan.SetOp) error {
		if b.Rel < 0 && b.Kind == plan.Union && (b.All == s.All || !s.All) {
			if err := gather(b.Left); err != nil {
				return err
			}
			return gather(b.Right)
		}
		n, err := l.setOpNode(b)
		inputs = append(inputs, n)
		return err
	}
	if err := gather(s.Left); err != nil {
		return nil, err
	}
	if err := gather(s.Right); err != nil {
		return nil, err
	}
	info := l.setOpInfo(s, inputs[0])
	for _, n := range inputs {
		info.Rows += n.Info().Rows
		info.TotalCost += n.Info().TotalCost
	}
	var out plan.Node = &plan.Append{NodeInfo: info, Inputs: inputs}
	if !s.All {
		r := l.distinct(&rel{node: out})
		out = r.node
	}
	return out, nil
}
