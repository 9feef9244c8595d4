package history

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// Conn is a client's connection to a server. Errors have the method SQLState,
// as those of pgconn; all others mean that the connection is gone.
type Conn interface {
	// Query runs one statement and returns its rows as text; NULL is "".
	Query(ctx context.Context, statement string) ([][]string, error)
	Close()
}

// Connect opens a connection.
type Connect func(ctx context.Context) (Conn, error)

// SQLState returns the code of a server's error, "" for others.
func SQLState(err error) string {
	var e interface{ SQLState() string }
	if errors.As(err, &e) {
		return e.SQLState()
	}
	return ""
}

// Outcome is how a transaction ended, as far as its client knows.
type Outcome byte

// The outcomes.
const (
	Unknown    Outcome = iota // the connection was lost
	Committed                 // acknowledged
	RolledBack                // an error, or ROLLBACK
)

// values gives every append a number of its own, from which the transaction follows.
const valuesEach = 16

// appended is one append.
type appended struct {
	key   int32
	value int64
}

// seen is one read of a key: it saw the first n values of others.
type seen struct {
	key       int32
	n         int32
	predicate bool // the key was read as part of a range
}

// Txn is one transaction of a history.
type Txn struct {
	ID      int64
	Outcome Outcome
	appends []appended
	reads   []seen
}

// append notes an append and returns its value.
func (t *Txn) append(key int) int64 {
	v := t.ID*valuesEach + int64(len(t.appends))
	t.appends = append(t.appends, appended{int32(key), v})
	return v
}

// History collects what clients do and see. Its methods may be called concurrently.
type History struct {
	mu     sync.Mutex
	next   int64
	txns   []*Txn
	orders map[int32][]int64 // the longest list seen of each key
	faults []Anomaly         // found while watching
}

// New returns an empty history.
func New() *History { return &History{orders: make(map[int32][]int64)} }

// Begin starts a transaction.
func (h *History) Begin() *Txn {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := &Txn{ID: h.next}
	h.next++
	h.txns = append(h.txns, t)
	return t
}

// Len returns the number of transactions, and of those that committed.
func (h *History) Len() (all, committed int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, t := range h.txns {
		if t.Outcome == Committed {
			committed++
		}
	}
	return len(h.txns), committed
}

// read notes that a transaction has read a key as a list in text form.
func (h *History) read(t *Txn, key int, text string, predicate bool) {
	h.observe(t, int32(key), parseList(text), predicate)
}

func parseList(text string) (list []int64) {
	for part := range strings.SplitSeq(text, ",") {
		if v, err := strconv.ParseInt(part, 10, 64); err == nil {
			list = append(list, v)
		}
	}
	return list
}

// observe compares a list with what is known of its key. The reader's own
// appends stand at its end and are not part of what it has seen of others.
func (h *History) observe(t *Txn, key int32, list []int64, predicate bool) {
	n := len(list)
	own := 0
	if t != nil {
		for n > 0 && list[n-1]/valuesEach == t.ID {
			n--
		}
		for _, a := range t.appends {
			if a.key == key {
				own++
			}
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if t != nil {
		if len(list)-n != own {
			h.fault("internal", fmt.Sprintf("T%d has appended %d values to key %d and reads %v", t.ID, own, key, list))
		}
		t.reads = append(t.reads, seen{key, int32(n), predicate})
	}
	known := h.orders[key]
	for i := range min(n, len(known)) {
		if known[i] != list[i] {
			h.fault("incompatible order", fmt.Sprintf("key %d was read as %v and as %v", key, known, list))
			return
		}
	}
	if n > len(known) {
		h.orders[key] = append([]int64(nil), list[:n]...)
	}
}

// end notes how a transaction ended.
func (h *History) end(t *Txn, o Outcome) {
	h.mu.Lock()
	t.Outcome = o
	h.mu.Unlock()
}

// maxFaults bounds how many anomalies are written down: one is enough to fail.
const maxFaults = 20

func (h *History) fault(class, detail string) {
	if len(h.faults) < maxFaults {
		h.faults = append(h.faults, Anomaly{class, detail})
	}
}
