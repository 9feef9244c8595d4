// Package gen makes random tables, rows and SQL statements for tests that compare two servers, or one with itself.
//
//	Schema     what a round of tests works on: tables with rows, indexes and views
//	Generator  makes statements over a schema; equal seeds make equal statements
//	Stmt       one statement: a tree of text that a shrinker can take apart
//	Node       one piece of that tree: an expression, a clause that may go, a list whose items may go
//
// Statements are typed: an expression of a type is built of the operators, functions and casts that the catalog facts of
// package functions give for it, as far as they are implemented. What has no defined answer is avoided: volatile functions,
// LIMIT without a total order, aggregates of rows in no order. Statements may well fail; both servers should fail alike.
package gen

import (
	"math/rand/v2"
	"strconv"
)

// Generator makes statements. It is used by one goroutine at a time.
type Generator struct {
	rng    *rand.Rand
	facts  *signatures
	schema *Schema
	budget int // expressions that the statement at hand may still grow by
	names  int // aliases given so far
	ctes   []*relation
}

// maxNodes bounds the expressions of a statement, so that failures stay readable and statements fast.
const maxNodes = 40

// New returns a generator of a seed.
func New(seed uint64) *Generator {
	return &Generator{rng: rand.New(rand.NewPCG(seed, 0x6f6d656e)), facts: knownSignatures()}
}

// Pick draws one of several strings.
func (g *Generator) Pick(list ...string) string { return list[g.rng.IntN(len(list))] }

// Intn draws a number from 0 to n-1.
func (g *Generator) Intn(n int) int { return g.rng.IntN(n) }

func (g *Generator) chance(percent int) bool { return g.rng.IntN(100) < percent }

func (g *Generator) alias(prefix string) string {
	g.names++
	return prefix + strconv.Itoa(g.names)
}

// start begins a statement.
func (g *Generator) start() {
	g.budget, g.names, g.ctes = maxNodes/4+g.rng.IntN(maxNodes), 0, nil
}
