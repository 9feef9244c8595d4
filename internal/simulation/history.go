package simulation

import (
	"fmt"
	"maps"
	"slices"

	"github.com/omendb/omendb/engine"
)

// record is a row of the table: width is how many columns it was written with.
type record struct {
	text   string
	unique int64
	width  int
}

// State is the logical content of the database.
type State struct {
	Rows  map[int64]record
	Width int            // columns of the table
	Seen  map[int64]bool // the ledger: numbers of the transactions that are contained

	Ages    map[int64]int64 // rows of the store whose rows expire,
	Horizon int64           // which are at or above this, unless it is 0

	// What must not come back.
	sequence int64
	store    engine.StoreID
	xid      uint64
}

func newState() *State {
	return &State{Rows: map[int64]record{}, Width: baseColumns, Seen: map[int64]bool{}, Ages: map[int64]int64{}}
}

func (s *State) clone() *State {
	c := *s
	c.Rows, c.Seen, c.Ages = maps.Clone(s.Rows), maps.Clone(s.Seen), maps.Clone(s.Ages)
	return &c
}

// effect is what a transaction does to the state.
type effect struct {
	number   int64
	truncate bool
	width    int // 0 = unchanged
	rows     map[int64]*record
	ages     map[int64]int64
	horizon  int64      // 0 = not moved
	lsn      engine.LSN // 0 = not known: under way, or in doubt
	failed   bool       // certainly not committed

	gid      string     // set once it is prepared
	prepared engine.LSN // of its prepare record
	ended    bool       // its end was asked for
}

func (s *State) apply(e *effect) {
	if e.truncate {
		clear(s.Rows)
	}
	if e.width > 0 {
		s.Width = e.width
	}
	for k, r := range e.rows {
		if r == nil {
			delete(s.Rows, k)
		} else {
			s.Rows[k] = *r
		}
	}
	maps.Copy(s.Ages, e.ages)
	s.Horizon = max(s.Horizon, e.horizon)
	if s.Horizon > 0 {
		maps.DeleteFunc(s.Ages, func(_, age int64) bool { return age < s.Horizon })
	}
	s.Seen[e.number] = true
}

// expected returns what has to be there when recovery ended with record
// visible and the ledger shows the transactions seen. acked is the last
// LSN that was acknowledged as durable.
func expected(base *State, history []*effect, acked, visible engine.LSN, seen map[int64]bool) (*State, error) {
	if visible < acked {
		return nil, fmt.Errorf("lost: record %d was acknowledged, recovery ends with %d", acked, visible)
	}
	var present []*effect
	for _, e := range history {
		switch there := seen[e.number]; {
		case e.failed && there:
			return nil, fmt.Errorf("phantom: transaction %d was refused and is there", e.number)
		case e.failed:
		case e.lsn != 0 && e.lsn <= visible && !there:
			return nil, fmt.Errorf("lost: transaction %d of record %d is not there, recovery ends with %d", e.number, e.lsn, visible)
		case e.lsn > visible && there:
			return nil, fmt.Errorf("phantom: transaction %d of record %d is there, recovery ends with %d", e.number, e.lsn, visible)
		case there:
			present = append(present, e)
		}
	}
	// Transactions in doubt held their locks to the end: they come last, in any order.
	slices.SortStableFunc(present, func(a, b *effect) int {
		switch {
		case a.lsn == b.lsn:
			return 0
		case a.lsn == 0 || b.lsn != 0 && a.lsn > b.lsn:
			return 1
		}
		return -1
	})
	s := base.clone()
	for _, e := range present {
		s.apply(e)
	}
	for n := range seen {
		if !s.Seen[n] {
			return nil, fmt.Errorf("phantom: the ledger shows transaction %d, which nobody has run", n)
		}
	}
	for n := range base.Seen {
		if !seen[n] {
			return nil, fmt.Errorf("lost: transaction %d of an earlier life is gone", n)
		}
	}
	return s, nil
}

// diffAges compares the rows that expire.
func (s *State) diffAges(got map[int64]int64) error {
	if !maps.Equal(s.Ages, got) {
		return fmt.Errorf("expiry: rows are %v, want %v", got, s.Ages)
	}
	return nil
}

// diff compares rows.
func (s *State) diff(got map[int64]record) error {
	for k, want := range s.Rows {
		r, ok := got[k]
		if !ok {
			return fmt.Errorf("lost: row %d is not there", k)
		}
		if r.text != want.text || r.unique != want.unique {
			return fmt.Errorf("torn: row %d is %v, want %v", k, r, want)
		}
	}
	for k := range got {
		if _, ok := s.Rows[k]; !ok {
			return fmt.Errorf("phantom: row %d should not be there", k)
		}
	}
	return nil
}
