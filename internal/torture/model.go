package torture

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
)

// The sizes of the load: enough accounts that most transfers do not meet, few enough rows that looking at all of them after
// every kill takes a moment.
const (
	accounts    = 100
	opening     = 1000 // balance of every account at the start
	slots       = 120  // rows of a worker in item
	parents     = 40   // of a worker
	keepEvents  = 400  // rows of a worker in event, about
	keepLoads   = 5    // loads of a worker by COPY
	loadRows    = 300  // rows of one, at most
	pageRows    = 60   // rows of a page, at most
	maxPayload  = 2500 // bytes: long ones now and then, as far as an index takes them
	workerRange = 1 << 40
)

// kind is what a transaction does.
type kind uint8

const (
	transfer kind = iota // between two accounts
	put                  // insert or update an item, with a new code
	remove               // delete an item
	family               // a parent with children
	orphan               // delete a parent; the children go with it
	load                 // COPY
	unload               // delete a load
	prune                // delete old events
	page                 // delete and rewrite all rows of the worker in one transaction
	kinds
)

var kindNames = [kinds]string{"transfer", "put", "delete", "parent + children", "cascade", "copy", "delete copied", "prune", "rewrite"}

// op is one transaction in the ledger.
type op struct {
	kind   kind
	n      int64 // number of the worker's transaction
	a, b   int64 // meaning depends on the kind
	amount int64
}

// Model is what a worker's transactions up to number n have left.
type Model struct {
	n        int64
	items    map[int64]int64 // slot → the transaction that wrote it
	families map[int64]int64 // parent → children
	loads    map[int64]int64 // transaction → rows
	events   int64           // the transactions above it have an event
	page     [2]int64        // rows, and the transaction that wrote them
	balance  [accounts]int64 // what this worker's transfers have added
}

func newModel() *Model {
	return &Model{items: map[int64]int64{}, families: map[int64]int64{}, loads: map[int64]int64{}}
}

func (m *Model) clone() *Model {
	c := *m
	c.items, c.families, c.loads = maps.Clone(m.items), maps.Clone(m.families), maps.Clone(m.loads)
	return &c
}

// apply adds a transaction.
func (m *Model) apply(o op) {
	m.n = o.n
	switch o.kind {
	case transfer:
		m.balance[o.a] -= o.amount
		m.balance[o.b] += o.amount
	case put:
		m.items[o.a] = o.n
	case remove:
		delete(m.items, o.a)
	case family:
		m.families[o.a] = o.b
	case orphan:
		delete(m.families, o.a)
	case load:
		m.loads[o.n] = o.a
	case unload:
		delete(m.loads, o.a)
	case prune:
		m.events = o.a
	case page:
		m.page = [2]int64{o.a, o.n}
	}
}

// next chooses a transaction that fits the model.
func (m *Model) next(rng *rand.Rand, n int64) op {
	o := op{n: n, kind: transfer}
	switch r := rng.IntN(100); {
	case n-m.events > keepEvents:
		o.kind, o.a = prune, n-keepEvents/2
	case r < 35:
		o.a, o.b, o.amount = int64(rng.IntN(accounts)), int64(rng.IntN(accounts)), int64(rng.IntN(50))
		o.a, o.b = min(o.a, o.b), max(o.a, o.b)
	case r < 62:
		o.kind, o.a = put, int64(rng.IntN(slots))
	case r < 72:
		o.kind, o.a = remove, int64(rng.IntN(slots))
	case r < 82:
		o.a = int64(rng.IntN(parents))
		if _, there := m.families[o.a]; there {
			o.kind = orphan
		} else {
			o.kind, o.b = family, int64(rng.IntN(6))
		}
	case r < 90:
		o.kind, o.a = load, 1+int64(rng.IntN(loadRows))
		if len(m.loads) >= keepLoads {
			o.kind, o.a = unload, n
			for old := range m.loads {
				o.a = min(o.a, old)
			}
		}
	default:
		o.kind, o.a = page, int64(rng.IntN(pageRows))
	}
	return o
}

// payload is the text that a transaction writes into a row: short mostly, long sometimes.
func payload(worker int, n, row int64) string {
	text := fmt.Sprintf("%d/%d/%d ", worker, n, row)
	h := uint64(n)*0x9e3779b97f4a7c15 ^ uint64(row)*0xbf58476d1ce4e5b9
	size := int(h>>33) % 60
	if h%41 == 0 {
		size = int(h>>33) % maxPayload
	}
	return text + strings.Repeat("abcdefghij", size/10)
}

// code is the unique number that a transaction gives an item.
func code(worker int, n int64) int64 { return int64(worker)*workerRange + n }
