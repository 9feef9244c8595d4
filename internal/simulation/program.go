package simulation

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// stepKind is what a step does.
type stepKind uint8

const (
	stepTxn      stepKind = iota
	stepBulk              // a transaction that loads in bulk
	stepTruncate          // new, empty stores
	stepColumn            // one column more
	stepSequence
	stepRead // compares indexes with the table under one snapshot
	stepFlush
	stepMerge
	stepWait   // lets time pass
	stepBackup // reads a backup while the others go on
	stepExpire // has old rows of a store expire
)

var stepNames = [...]string{"txn", "bulk", "truncate", "column", "sequence", "read", "flush", "merge", "wait", "backup", "expire"}

// step is one thing that a client does; its choices come from its own seed, so
// that they stay when other steps are left out.
type step struct {
	kind stepKind
	seed uint64
}

// Program is what the clients of a run do, one after the other each.
type Program struct {
	Seed    uint64
	clients [][]step
}

// NewProgram draws a program of about n steps.
func NewProgram(seed uint64, n int) Program {
	rng := rand.New(rand.NewPCG(seed, 0x70726f67))
	p := Program{Seed: seed, clients: make([][]step, 2+rng.IntN(3))}
	for range n {
		c := rng.IntN(len(p.clients))
		p.clients[c] = append(p.clients[c], step{kind: draw(rng, c), seed: rng.Uint64()})
	}
	return p
}

// draw chooses a step for a client; client 0 is the maintenance task.
func draw(rng *rand.Rand, client int) stepKind {
	n := rng.IntN(100)
	if client == 0 {
		switch {
		case n < 45:
			return stepFlush
		case n < 65:
			return stepMerge
		case n < 80:
			return stepWait
		case n < 90:
			return stepBackup
		}
		return stepRead
	}
	switch {
	case n < 70:
		return stepTxn
	case n < 78:
		return stepBulk
	case n < 80:
		return stepTruncate
	case n < 82:
		return stepColumn
	case n < 92:
		return stepSequence
	case n < 95:
		return stepExpire
	}
	return stepRead
}

// Steps returns how many steps the program has.
func (p Program) Steps() (n int) {
	for _, c := range p.clients {
		n += len(c)
	}
	return n
}

// without returns the program without some of its steps, numbered client by client.
func (p Program) without(from, to int) Program {
	q := Program{Seed: p.Seed, clients: make([][]step, len(p.clients))}
	i := 0
	for c, steps := range p.clients {
		for _, s := range steps {
			if i < from || i >= to {
				q.clients[c] = append(q.clients[c], s)
			}
			i++
		}
	}
	return q
}

// String lists the steps by client.
func (p Program) String() string {
	var b strings.Builder
	for c, steps := range p.clients {
		fmt.Fprintf(&b, "client %d:", c)
		for _, s := range steps {
			fmt.Fprintf(&b, " %s(%x)", stepNames[s.kind], s.seed)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// Shrink leaves out steps as long as fails still reports an error, trying at
// most tries programs, and returns the smallest failing one with its error.
func Shrink(p Program, tries int, fails func(Program) error) (Program, error) {
	err := fails(p)
	for size := p.Steps() / 2; size >= 1 && err != nil; size /= 2 {
		for from := 0; from < p.Steps() && tries > 0; {
			q := p.without(from, from+size)
			tries--
			if e := fails(q); e != nil {
				p, err = q, e
			} else {
				from += size
			}
		}
	}
	return p, err
}
