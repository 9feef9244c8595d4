package engine

import (
	"context"
	"fmt"
	"sync"
)

// SequenceState is a sequence's position, as PostgreSQL shows it: the next
// value is Last when Called is false, else the one after it.
type SequenceState struct {
	Last   int64
	Called bool
}

// SequenceParams say how a sequence moves.
type SequenceParams struct {
	Increment, Min, Max int64
	Cycle               bool
	Cache               int64
}

// sequenceAhead is how many values are logged in advance: a crash skips at
// most so many, and one in so many calls waits for the log. PostgreSQL's figure.
const sequenceAhead = 32

type sequence struct {
	mu      sync.Mutex
	state   SequenceState
	ahead   int64 // calls that the log already covers
	pending bool  // its creator has not committed: nothing is logged
}

type sequences struct {
	mu   sync.RWMutex
	byID map[StoreID]*sequence
}

func (s *sequences) get(id StoreID) (*sequence, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if q := s.byID[id]; q != nil {
		return q, nil
	}
	return nil, &StoreNotFoundError{id}
}

func (s *sequences) forget(id StoreID) {
	s.mu.Lock()
	delete(s.byID, id)
	s.mu.Unlock()
}

func (s *sequences) add(id StoreID, q *sequence) {
	s.mu.Lock()
	s.byID[id] = q
	s.mu.Unlock()
}

// CreateSequence makes a sequence. The transaction may use it at once, others
// at commit. Its advances do not roll back, except with its creation.
func (t *Txn) CreateSequence(id StoreID, state SequenceState) error {
	if err := t.checkWrite(); err != nil {
		return err
	}
	if _, err := t.db.sequences.get(id); err == nil {
		return fmt.Errorf("sequence %d already exists", id)
	}
	t.db.sequences.add(id, &sequence{state: state, pending: true})
	t.change(ddlOp{kind: ddlCreateSequence, id: id})
	return nil
}

// DropSequence removes a sequence at commit.
func (t *Txn) DropSequence(id StoreID) error {
	if err := t.checkWrite(); err != nil {
		return err
	}
	if _, err := t.db.sequences.get(id); err != nil {
		return err
	}
	t.change(ddlOp{kind: ddlDropSequence, id: id})
	return nil
}

// SequenceNext advances a sequence and returns its value. At the end of a
// sequence that does not cycle it fails with ErrSequenceLimit.
func (db *DB) SequenceNext(id StoreID, p SequenceParams) (int64, error) {
	first, _, err := db.SequenceBlock(id, SequenceParams{Increment: p.Increment, Min: p.Min, Max: p.Max, Cycle: p.Cycle, Cache: 1})
	return first, err
}

// SequenceBlock advances a sequence by up to p.Cache values at once, without
// wrapping inside the block, and returns the first and how many there are.
func (db *DB) SequenceBlock(id StoreID, p SequenceParams) (first, n int64, err error) {
	q, err := db.sequences.get(id)
	if err != nil {
		return 0, 0, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	first, ok := q.state.next(p)
	if !ok {
		return 0, 0, ErrSequenceLimit
	}
	last := first
	for n = 1; n < p.Cache; n++ {
		v, ok := SequenceState{last, true}.next(p)
		if !ok || (v > last) != (p.Increment > 0) {
			break
		}
		last = v
	}
	if q.ahead < n && !q.pending {
		logged := SequenceState{last, true}
		for range sequenceAhead {
			v, ok := logged.next(p)
			if !ok || (v > last) != (p.Increment > 0) {
				break
			}
			logged.Last = v
		}
		if err := db.logSequence(id, logged); err != nil {
			return 0, 0, err
		}
		q.ahead = n + sequenceAhead
	}
	q.ahead -= n
	q.state = SequenceState{Last: last, Called: true}
	return first, n, nil
}

// next returns the value after a state.
func (s SequenceState) next(p SequenceParams) (int64, bool) {
	if !s.Called {
		return s.Last, true
	}
	v := s.Last + p.Increment
	switch {
	case p.Increment > 0 && (v > p.Max || v < s.Last):
		return p.Min, p.Cycle
	case p.Increment < 0 && (v < p.Min || v > s.Last):
		return p.Max, p.Cycle
	}
	return v, true
}

// SequenceState returns a sequence's position.
func (db *DB) SequenceState(id StoreID) (SequenceState, error) {
	q, err := db.sequences.get(id)
	if err != nil {
		return SequenceState{}, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.state, nil
}

// SetSequence moves a sequence, durably and at once.
func (db *DB) SetSequence(id StoreID, s SequenceState) error {
	q, err := db.sequences.get(id)
	if err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.pending {
		if err := db.logSequence(id, s); err != nil {
			return err
		}
	}
	q.state, q.ahead = s, 0
	return nil
}

func (db *DB) logSequence(id StoreID, s SequenceState) error {
	var e encoder
	e.byte(recordVersion)
	e.uvarint(uint64(id))
	e.varint(s.Last)
	e.bool(s.Called)
	_, err := db.propose(context.Background(), kindSequence, e.b, nil, false)
	return err
}

// ids hands out transaction numbers and store ids. The log knows a number
// above all that were handed out, so that a crash skips some and repeats none.
type ids struct {
	mu             sync.Mutex
	xid, store     uint64 // next
	xidTop, idsTop uint64 // reserved
}

// Reservation blocks: one log record for so many numbers.
const (
	xidBlock   = 1 << 16
	storeBlock = 1 << 10
	firstXID   = 3 // as in PostgreSQL: smaller ones are special
	firstStore = 1
)

func (i *ids) nextXID(db *DB) uint64 {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.xid == i.xidTop {
		i.reserve(db, i.xidTop+xidBlock, i.idsTop)
	}
	i.xid++
	return i.xid - 1
}

func (i *ids) nextStore(db *DB) StoreID {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.store == i.idsTop {
		i.reserve(db, i.xidTop, i.idsTop+storeBlock)
	}
	i.store++
	return StoreID(i.store - 1)
}

// reserve logs new tops. It need not wait for the disk: whatever shows one of
// the numbers is in a later record. When the log is dead no such record comes.
func (i *ids) reserve(db *DB, xidTop, idsTop uint64) {
	var e encoder
	e.byte(recordVersion)
	e.uvarint(xidTop)
	e.uvarint(idsTop)
	if _, err := db.propose(context.Background(), kindReserve, e.b, nil, true); err != nil {
		db.opts.Log.Error().Err(err).Msg("ids.reserve")
	}
	i.xidTop, i.idsTop = xidTop, idsTop
}

// recover raises what was reserved before a restart; counting goes on above it.
func (i *ids) recover(xid, store uint64) {
	i.xidTop, i.idsTop = max(i.xidTop, xid), max(i.idsTop, store)
	i.xid, i.store = i.xidTop, i.idsTop
}

// NewStoreID returns a store id that was never returned before, crashes included.
func (db *DB) NewStoreID() StoreID { return db.ids.nextStore(db) }

// XIDRange returns a snapshot of the transaction numbers for
// pg_current_snapshot: all below xmin have ended, none from xmax on has
// started, and those in progress between.
func (db *DB) XIDRange() (xmin, xmax uint64, active []uint64) {
	db.ids.mu.Lock()
	xmax = db.ids.xid
	db.ids.mu.Unlock()
	db.active.mu.Lock()
	for x := range db.active.xids {
		if x < xmax {
			active = append(active, x)
		}
	}
	db.active.mu.Unlock()
	xmin = xmax
	for _, x := range active {
		xmin = min(xmin, x)
	}
	return xmin, xmax, active
}
