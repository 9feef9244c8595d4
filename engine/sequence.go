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

// sequence is a sequence's state. Whoever moves it holds turn, log wait
// included; mu guards the fields, for others.
type sequence struct {
	turn    gate
	mu      sync.Mutex
	state   SequenceState
	logged  SequenceState // what recovery would find
	ahead   int64         // calls that the log already covers
	pending bool          // its creator has not committed: nothing is logged
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
	q.turn.lock(db.opts.Tasks)
	defer q.turn.unlock()
	q.mu.Lock()
	state, ahead, pending := q.state, q.ahead, q.pending
	q.mu.Unlock()
	first, ok := state.next(p)
	if !ok {
		return 0, 0, ErrSequenceLimit
	}
	last, n := first, int64(1)
	for ; n < p.Cache; n++ {
		v, ok := after(last, p)
		if !ok {
			break
		}
		last = v
	}
	if ahead < n && !pending {
		logged, i := last, 0
		for ; i < sequenceAhead; i++ {
			v, ok := after(logged, p)
			if !ok {
				break
			}
			logged = v
		}
		if err := db.logSequence(id, SequenceState{logged, true}); err != nil {
			return 0, 0, err
		}
		ahead = n + int64(i)
	}
	q.mu.Lock()
	q.state, q.ahead = SequenceState{Last: last, Called: true}, ahead-n
	q.mu.Unlock()
	return first, n, nil
}

// after returns the value after v, unless the sequence would wrap or end.
func after(v int64, p SequenceParams) (int64, bool) {
	w, ok := SequenceState{v, true}.next(p)
	return w, ok && (w > v) == (p.Increment > 0)
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
	q.turn.lock(db.opts.Tasks)
	defer q.turn.unlock()
	q.mu.Lock()
	pending := q.pending
	q.mu.Unlock()
	if !pending {
		if err := db.logSequence(id, s); err != nil {
			return err
		}
	}
	q.mu.Lock()
	q.state, q.ahead = s, 0
	q.mu.Unlock()
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
	turn           gate       // held while numbers are reserved
	mu             sync.Mutex // guards the numbers
	xid, store     uint64     // next
	xidTop, idsTop uint64     // reserved
	xidLog, idsLog uint64     // reserved as far as the log is applied
}

// Reservation blocks: one log record for so many numbers.
const (
	xidBlock   = 1 << 16
	storeBlock = 1 << 10
	firstXID   = 3  // as in PostgreSQL: smaller ones are special
	firstStore = 16 // smaller ones are for callers that need fixed stores
)

func (i *ids) nextXID(db *DB) uint64 {
	return i.next(db, &i.xid, &i.xidTop, xidBlock, 0)
}

func (i *ids) nextStore(db *DB) StoreID {
	return StoreID(i.next(db, &i.store, &i.idsTop, 0, storeBlock))
}

// next hands out a number, after reserving more if need be. The reservation
// need not wait for the disk: whatever shows one of the numbers is in a later
// record. When the log refuses it, commits try again (settle).
func (i *ids) next(db *DB, n, top *uint64, moreXIDs, moreIDs uint64) uint64 {
	take := func() (uint64, bool) {
		i.mu.Lock()
		defer i.mu.Unlock()
		if *n == *top {
			return 0, false
		}
		*n++
		return *n - 1, true
	}
	if v, ok := take(); ok {
		return v
	}
	i.turn.lock(db.opts.Tasks)
	defer i.turn.unlock()
	for {
		if v, ok := take(); ok {
			return v
		}
		i.mu.Lock()
		xidTop, idsTop := i.xidTop+moreXIDs, i.idsTop+moreIDs
		i.mu.Unlock()
		var e encoder
		e.byte(recordVersion)
		e.uvarint(xidTop)
		e.uvarint(idsTop)
		if _, err := db.propose(context.Background(), kindReserve, e.b, nil, true); err != nil {
			db.opts.Log.Error().Err(err).Msg("ids.reserve")
		}
		i.mu.Lock()
		i.xidTop, i.idsTop = xidTop, idsTop
		i.mu.Unlock()
	}
}

// settle sees to it that the log has reserved every number that was handed out:
// a full disk may have refused the reservation.
func (i *ids) settle(ctx context.Context, db *DB) error {
	i.mu.Lock()
	owed := i.xidTop > i.xidLog || i.idsTop > i.idsLog
	i.mu.Unlock()
	if !owed {
		return nil
	}
	i.turn.lock(db.opts.Tasks)
	defer i.turn.unlock()
	i.mu.Lock()
	xidTop, idsTop := i.xidTop, i.idsTop
	owed = xidTop > i.xidLog || idsTop > i.idsLog
	i.mu.Unlock()
	if !owed {
		return nil
	}
	var e encoder
	e.byte(recordVersion)
	e.uvarint(xidTop)
	e.uvarint(idsTop)
	_, err := db.propose(ctx, kindReserve, e.b, nil, true)
	return err
}

// recover raises what was reserved before a restart; counting goes on above it.
func (i *ids) recover(xid, store uint64) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.xidTop, i.idsTop = max(i.xidTop, xid), max(i.idsTop, store)
	i.xid, i.store = i.xidTop, i.idsTop
	i.xidLog, i.idsLog = i.xidTop, i.idsTop
}

// applied notes that a reservation is in the log.
func (i *ids) applied(xid, store uint64) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.xidLog, i.idsLog = max(i.xidLog, xid), max(i.idsLog, store)
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
