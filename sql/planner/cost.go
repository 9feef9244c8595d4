package planner

import (
	"math"

	"github.com/omendb/omendb/sql/plan"
)

// Costs are in PostgreSQL's unit, one sequential page read, so that EXPLAIN
// reads as people are used to. The ratios are those of our engine: rows come
// in column batches, a row by key costs about what twenty scanned rows cost.
const (
	costPage     = 1.0 // reading 8 kB in order
	pageBytes    = 8192
	costZone     = 0.02   // asking the zone map of 8 kB whether they are wanted
	costUnzoned  = 0.08   // passing a row in memory that zone maps say nothing of
	costRow      = 0.005  // producing a scanned row
	costOperator = 0.0015 // evaluating one operator on one row
	costLookup   = 0.08   // finding one key: model, block, visibility
	costHash     = 0.008  // inserting one row into a hash table
	costProbe    = 0.004  // probing it
	costCompare  = 0.003  // one comparison of a sort
	costGroup    = 0.006  // finding a row's group
	costStart    = 0.05   // starting an operator
	defaultWidth = 24     // bytes of a column about which nothing is known
)

func sortCost(rows float64) float64 {
	if rows < 2 {
		return costStart
	}
	return costStart + rows*math.Log2(rows)*costCompare
}

func topCost(rows, keep float64) float64 {
	if keep < 2 {
		keep = 2
	}
	return costStart + rows*costCompare*math.Min(math.Log2(keep), math.Log2(math.Max(rows, 2)))
}

// exprCost returns the cost of evaluating e for one row.
func exprCost(e plan.Expr) float64 {
	n := 0.0
	plan.Walk(e, func(x plan.Expr) bool {
		switch c := x.(type) {
		case *plan.Call:
			n += math.Max(float64(c.Func.Cost), 1) * costOperator
		case *plan.ArrayOp:
			n += 2 * costOperator
		case *plan.SubPlan:
			if c.Hashed || len(c.Params) == 0 {
				n += costProbe
			} else {
				n += 20 * costLookup
			}
		}
		return true
	})
	return n
}

func exprsCost(es []plan.Expr) float64 {
	n := 0.0
	for _, e := range es {
		n += exprCost(e)
	}
	return n
}

// costOf is exprsCost for the search for a join order, which asks for the same conditions again
// and again.
func (l *level) costOf(es []plan.Expr) float64 {
	n := 0.0
	for _, e := range es {
		cost, ok := l.costs[e]
		if !ok {
			cost = exprCost(e)
			if l.costs == nil {
				l.costs = map[plan.Expr]float64{}
			}
			l.costs[e] = cost
		}
		n += cost
	}
	return n
}

func clampRows(r float64) float64 {
	if math.IsNaN(r) || r < 1 {
		return 1
	}
	if r > 1e15 {
		return 1e15
	}
	return math.Round(r)
}
