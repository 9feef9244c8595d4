package txn

import (
	"bytes"
	"slices"
	"sync"
	"sync/atomic"
)

// Serializable snapshot isolation, after Cahill, Röhm and Fekete (SIGMOD 2008)
// and Ports and Grittner (VLDB 2012), whose rules in PostgreSQL we follow.
//
// Snapshots leave one kind of dependency unguarded: a reader does not see what
// a concurrent transaction writes, so it comes before that writer (a
// read-write dependency). In every cycle of dependencies there are two of
// them in a row between concurrent transactions, in → pivot → out, and out is
// the first of the cycle to commit. Serial remembers what serializable
// transactions read and write, draws the read-write dependencies, and fails a
// transaction when such a structure appears.
//
// Deviations from PostgreSQL: a transaction's writes are private until it
// commits, so that a reader cannot meet them in the table; Serial therefore
// remembers writes in the same form as reads. Reads are ranges of keys and not
// pages. What committed transactions leave behind under summarising are ranges
// of one transaction that stands for all of them.
//
// One mutex guards everything. It is held for a look into memory, never while
// a transaction waits or the log is synced.

// Serial knows the serializable transactions.
type Serial struct {
	mu       sync.Mutex
	off      bool   // nothing is checked: tests of the checkers want anomalies
	last     uint64 // number of the newest prepare or commit
	active   []*Serializable
	writable int             // of active: those not declared read-only
	finished []*Serializable // committed, and concurrent with an active one, in order of commit
	cleared  uint64          // of the finished, those up to this number have lost what no reader needs
	old      *Serializable   // stands for the committed ones that were summarised
	grounds  map[uint64]*ground

	remembered int // ranges and their holders
	limits     limits
}

// limits are constants, smaller in tests.
type limits struct{ intervals, remembered, finished int }

// NewSerial returns a Serial without transactions.
func NewSerial() *Serial {
	return &Serial{grounds: make(map[uint64]*ground), limits: limits{maxIntervals, maxRemembered, maxFinished}}
}

// SetOff makes every transaction pass. It is for tests that have to see anomalies.
func (s *Serial) SetOff(off bool) {
	s.mu.Lock()
	s.off = off
	s.mu.Unlock()
}

// Serializable is a serializable transaction, as far as others care. Numbers
// are those of Serial.last; fields are guarded by Serial.mu, if nothing else is said.
type Serializable struct {
	pid      int32
	xid      atomic.Uint64
	snapshot uint64        // timestamp of what it sees
	stamp    atomic.Uint64 // timestamp of its commit, once that is visible; 0 before

	before    uint64 // newest number when it took its snapshot
	prepared  uint64 // number of its prepare, 0 before
	committed uint64 // number of its commit, 0 before

	readOnly bool // declared so, or committed without a write
	wrote    bool
	doomed   bool // has to fail, or has
	aborted  bool

	in, out []*Serializable // dependencies: who read what this one wrote, and the other way round
	// What is left of dependencies with transactions that are summarised.
	summaryIn, summaryOut bool
	// conflictOut: something that it did not see was committed before it; firstOut is the first such number.
	conflictOut bool
	firstOut    uint64

	prints [2]map[uint64]*footprint // by side

	// Of a transaction declared read-only: the writers that may still make its
	// snapshot unsafe. Of a writer: the readers whose snapshots it may make unsafe.
	doubts       []*Serializable
	safe, unsafe bool
	decided      chan struct{} // closed when safe or unsafe is set; nil if nobody waits
}

// Conflict tells why a transaction cannot be serialized.
type Conflict struct{ Reason string }

// Error implements error.
func (c *Conflict) Error() string { return c.Reason }

// Begin adds a transaction. snapshot is called to get the timestamp of what it
// sees. A read-only transaction that runs beside no writer needs no watching:
// then Begin returns nil.
func (s *Serial) Begin(pid int32, readOnly bool, snapshot func() uint64) *Serializable {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := &Serializable{pid: pid, readOnly: readOnly, snapshot: snapshot(), before: s.last}
	if readOnly {
		for _, w := range s.active {
			if !w.readOnly && !w.doomed {
				link(&x.doubts, w)
				link(&w.doubts, x)
			}
		}
		if len(x.doubts) == 0 {
			return nil
		}
	} else {
		s.writable++
	}
	s.active = append(s.active, x)
	return x
}

// Import adds a transaction that sees what from sees, which it reports false
// for when from has ended. One that is not read-only must not take the snapshot of
// one that is: what it would conflict with may be forgotten. As with Begin, nil
// stands for a transaction that needs no watching.
func (s *Serial) Import(from *Serializable, pid int32, readOnly bool) (*Serializable, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if from.safe {
		return nil, true
	}
	at := slices.Index(s.active, from)
	if at < 0 || from.prepared != 0 || from.doomed {
		return nil, false
	}
	x := &Serializable{pid: pid, readOnly: readOnly, snapshot: from.snapshot, before: from.before}
	switch {
	case !readOnly:
		s.writable++
		for _, r := range from.doubts { // what from may spoil, x may as well
			link(&x.doubts, r)
			link(&r.doubts, x)
		}
	case from.readOnly:
		x.unsafe = from.unsafe
		for _, w := range from.doubts {
			link(&x.doubts, w)
			link(&w.doubts, x)
		}
	default:
		s.doubt(x)
	}
	s.active = slices.Insert(s.active, at+1, x) // they are in the order of their snapshots
	return x, true
}

// doubt finds out who has made the snapshot of a read-only transaction unsafe
// since it was taken, and who still may.
func (s *Serial) doubt(x *Serializable) {
	for _, w := range s.finished {
		x.unsafe = x.unsafe || w.committed > x.before && w.wrote && w.conflictOut && w.firstOut <= x.before
	}
	if s.old != nil && s.old.conflictOut && s.old.firstOut <= x.before {
		x.unsafe = true
	}
	for _, w := range s.active {
		if !x.unsafe && !w.readOnly && !w.doomed && w.before <= x.before {
			link(&x.doubts, w)
			link(&w.doubts, x)
		}
	}
}

// SetXID tells a transaction's number, for messages and pg_locks.
func (x *Serializable) SetXID(xid uint64) { x.xid.Store(xid) }

// Stamp tells the timestamp of a commit, before the commit becomes visible.
func (x *Serializable) Stamp(ts uint64) { x.stamp.Store(ts) }

// Read notes that a transaction has read [lower, upper) of a store; a nil
// bound is open. It fails when the transaction must not go on.
func (s *Serial) Read(x *Serializable, store uint64, lower, upper []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if done, err := s.reads(x); done || upper != nil && bytes.Compare(lower, upper) >= 0 {
		return err
	}
	s.hold(x, reading, store, clone(lower), clone(upper), false)
	return s.conflictsOut(x, store, lower, upper)
}

// ReadKey notes that a transaction has looked for one key.
func (s *Serial) ReadKey(x *Serializable, store uint64, key []byte) error {
	lower, upper := pointBounds(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if done, err := s.reads(x); done {
		return err
	}
	s.hold(x, reading, store, lower, upper, true)
	return s.conflictsOut(x, store, lower, upper)
}

// Span is a range of keys; nil bounds are open.
type Span struct{ Lower, Upper []byte }

// Extend notes that a scan has gone on: it has read all of now, of which before
// was noted already and fresh is new.
func (s *Serial) Extend(x *Serializable, store uint64, before, now, fresh Span) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if done, err := s.reads(x); done {
		return err
	}
	s.hold(x, reading, store, clone(now.Lower), clone(now.Upper), false)
	if g := s.grounds[store]; g != nil {
		if n := g.reads.find(before.Lower, before.Upper); n != nil && n.compare(now.Lower, now.Upper) != 0 {
			s.dropOne(x, store, n)
		}
	}
	return s.conflictsOut(x, store, fresh.Lower, fresh.Upper)
}

// dropOne takes one range that was read out of a footprint, if it is there.
func (s *Serial) dropOne(x *Serializable, store uint64, n *interval) {
	f := x.footprint(reading, store)
	for i := len(f.nodes) - 1; i >= 0; i-- {
		if f.nodes[i] == n {
			last := len(f.nodes) - 1
			f.nodes[i] = f.nodes[last]
			f.nodes = f.nodes[:last]
			s.let(x, reading, store, n)
			return
		}
	}
}

// reads reports whether a read needs no noting, or fails at once.
func (s *Serial) reads(x *Serializable) (done bool, err error) {
	switch {
	case s.off:
		return true, nil
	case x.doomed:
		return true, &Conflict{"Canceled on identification as a pivot, during conflict out checking."}
	case x.safe:
		return true, nil
	}
	return false, nil
}

func (s *Serial) conflictsOut(x *Serializable, store uint64, lower, upper []byte) error {
	g := s.grounds[store]
	if g == nil || g.writes.root == nil {
		return nil
	}
	return g.writes.overlapping(lower, upper, func(n *interval) error {
		for _, w := range n.holders {
			if w == x {
				continue
			}
			if err := s.readMissed(x, w); err != nil {
				return err
			}
		}
		return nil
	})
}

// Transfer makes everyone who has read of one store a reader of all of another
// one: an index goes and its readers have to be found through the table, or a
// table gets new files.
func (s *Serial) Transfer(from, to uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.grounds[from]
	if g == nil || g.reads.root == nil {
		return
	}
	var readers []*Serializable
	_ = g.reads.overlapping(nil, nil, func(n *interval) error {
		readers = append(readers, n.holders...)
		return nil
	})
	for _, x := range readers {
		if f := x.footprint(reading, to); !f.whole() {
			s.widen(x, f, reading, to)
		}
	}
}

func clone(b []byte) []byte {
	if b == nil {
		return nil
	}
	return append(make([]byte, 0, len(b)), b...)
}

// link adds an element that is not there, unlink takes one out.
func link(list *[]*Serializable, x *Serializable) { *list = append(*list, x) }

func unlink(list *[]*Serializable, x *Serializable) {
	l := *list
	for i := len(l) - 1; i >= 0; i-- {
		if l[i] == x {
			last := len(l) - 1
			l[i], l[last] = l[last], nil
			*list = l[:last]
			return
		}
	}
}

// linked reports whether a reader has a dependency on a writer already.
func linked(reader, writer *Serializable) bool {
	list, x := reader.out, writer
	if len(writer.in) < len(list) {
		list, x = writer.in, reader
	}
	for _, e := range list {
		if e == x {
			return true
		}
	}
	return false
}

// unlinkAll forgets all dependencies of a transaction.
func (s *Serial) unlinkAll(x *Serializable) {
	for _, r := range x.in {
		unlink(&r.out, x)
	}
	for _, w := range x.out {
		unlink(&w.in, x)
	}
	x.in, x.out = nil, nil
}
