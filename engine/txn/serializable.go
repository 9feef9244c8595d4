package txn

import (
	"bytes"
	"sort"
	"sync"
)

// Serializable transactions are validated when they commit: one fails when a
// concurrent serializable transaction wrote into what it read. That is
// conservative (it also fails transactions that a full test for dangerous
// structures would let pass) and leaves no anomaly: transactions take effect
// in the order of their validation.

// maxRanges bounds what a transaction remembers of its reads in one store;
// beyond it, it has read the whole store.
const maxRanges = 4096

// ReadSet is what a transaction has read: ranges of keys by store.
type ReadSet struct {
	stores map[uint64]*readRanges
	entry  *commitEntry
}

type readRanges struct {
	all    bool
	ranges []keyRange
}

type keyRange struct {
	lower, upper []byte // nil is open
	point        bool   // only the key lower
}

// NewReadSet returns an empty read set.
func NewReadSet() *ReadSet { return &ReadSet{stores: make(map[uint64]*readRanges)} }

// Add notes that [lower, upper) of a store was read; nil bounds are open.
func (r *ReadSet) Add(store uint64, lower, upper []byte) {
	s := r.store(store)
	if s.all {
		return
	}
	if lower == nil && upper == nil || len(s.ranges) >= maxRanges {
		s.all, s.ranges = true, nil
		return
	}
	s.ranges = append(s.ranges, keyRange{lower: bytes.Clone(lower), upper: bytes.Clone(upper)})
}

// AddKey notes that one key of a store was read.
func (r *ReadSet) AddKey(store uint64, key []byte) {
	s := r.store(store)
	if s.all {
		return
	}
	if len(s.ranges) >= maxRanges {
		s.all, s.ranges = true, nil
		return
	}
	s.ranges = append(s.ranges, keyRange{lower: append([]byte{}, key...), point: true})
}

func (r *ReadSet) store(id uint64) *readRanges {
	s := r.stores[id]
	if s == nil {
		s = &readRanges{}
		r.stores[id] = s
	}
	return s
}

// touches reports whether any of the sorted keys was read.
func (s *readRanges) touches(keys [][]byte) bool {
	if s == nil || len(keys) == 0 {
		return false
	}
	if s.all {
		return true
	}
	for _, r := range s.ranges {
		i := 0
		if r.lower != nil {
			i = sort.Search(len(keys), func(i int) bool { return bytes.Compare(keys[i], r.lower) >= 0 })
		}
		if i == len(keys) {
			continue
		}
		if r.point && bytes.Equal(keys[i], r.lower) || !r.point && (r.upper == nil || bytes.Compare(keys[i], r.upper) < 0) {
			return true
		}
	}
	return false
}

// Serial orders the commits of serializable transactions.
type Serial struct {
	mu      sync.Mutex
	entries []*commitEntry // committing, or committed and still concurrent with somebody
	live    map[uint64]int // snapshots of running serializable transactions
}

type commitEntry struct {
	ts    uint64 // 0 while committing
	reads *ReadSet
	keys  map[uint64][][]byte // written, sorted, by store
}

// NewSerial returns an empty order.
func NewSerial() *Serial { return &Serial{live: make(map[uint64]int)} }

// Begin notes that a serializable transaction runs with a snapshot; End ends that.
func (s *Serial) Begin(snapshot uint64) {
	s.mu.Lock()
	s.live[snapshot]++
	s.mu.Unlock()
}

// End forgets a running transaction, and the commits that nobody is concurrent with any more.
func (s *Serial) End(snapshot uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live[snapshot]--; s.live[snapshot] == 0 {
		delete(s.live, snapshot)
	}
	oldest := ^uint64(0)
	for ts := range s.live {
		oldest = min(oldest, ts)
	}
	kept := s.entries[:0]
	for _, e := range s.entries {
		if e.ts == 0 || e.ts > oldest {
			kept = append(kept, e)
		}
	}
	clear(s.entries[len(kept):])
	s.entries = kept
}

// Enter validates a transaction that is about to commit and, if it passes,
// makes its writes count against the others. each calls its argument for the
// stores written and their sorted keys.
func (s *Serial) Enter(r *ReadSet, snapshot uint64, each func(func(store uint64, keys [][]byte))) bool {
	e := &commitEntry{reads: r, keys: make(map[uint64][][]byte)}
	each(func(store uint64, keys [][]byte) { e.keys[store] = keys })
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, other := range s.entries {
		if other.ts != 0 && other.ts <= snapshot {
			continue
		}
		for store, keys := range other.keys {
			if r.stores[store].touches(keys) {
				return false
			}
		}
		if other.ts != 0 {
			continue
		}
		// Two that commit at the same time may reach the log in either
		// order: neither may have read what the other writes.
		for store, keys := range e.keys {
			if other.reads.stores[store].touches(keys) {
				return false
			}
		}
	}
	r.entry = e
	s.entries = append(s.entries, e)
	return true
}

// Leave tells how the commit of a validated transaction ended.
func (s *Serial) Leave(r *ReadSet, ts uint64, committed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if committed {
		r.entry.ts, r.entry.reads = ts, nil
		return
	}
	for i, e := range s.entries {
		if e == r.entry {
			s.entries = append(s.entries[:i], s.entries[i+1:]...)
			break
		}
	}
}
