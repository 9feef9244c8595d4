package security

import (
	"sync"
	"time"

	"github.com/omendb/omendb/internal/clock"
)

// The limits of login throttling. A person who mistypes notices nothing; a
// program that guesses gets about one try in ten seconds.
const (
	freeFailures    = 5                // per address and user, before tries are spaced
	freeByAddress   = 50               // per address over all users: many people may share one
	firstSpacing    = time.Second / 4  // doubled by every further failure
	maxSpacing      = 10 * time.Second // between tries
	maxQueue        = 30 * time.Second // a try that would wait longer is refused
	forgetAfter     = 15 * time.Minute // without a failure
	maxTrackedPeers = 10_000           // bounds memory; then the oldest are forgotten
)

// Throttle spaces out the logins of addresses and users that keep failing.
// It may be used concurrently.
type Throttle struct {
	clock clock.Clock
	mu    sync.Mutex
	peers map[peer]*record
}

// peer is an address with a user, or an address alone.
type peer struct{ address, user string }

type record struct {
	failures int
	last     time.Time // of the last failure
	next     time.Time // earliest moment of the next try
}

// NewThrottle returns a Throttle that has seen no failures.
func NewThrottle(c clock.Clock) *Throttle {
	return &Throttle{clock: c, peers: map[peer]*record{}}
}

// Reserve returns how long a login must wait before its password is looked at.
// Concurrent tries queue up. ok is false when the queue is too long: the login
// is to be refused.
func (t *Throttle) Reserve(address, user string) (wait time.Duration, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.clock.Now()
	for key, free := range keys(address, user) {
		r := t.peers[key]
		if r == nil || r.failures < free {
			continue
		}
		if now.Sub(r.last) > forgetAfter {
			delete(t.peers, key)
			continue
		}
		at := r.next
		if at.Before(now) {
			at = now
		}
		if at.Sub(now) > maxQueue {
			return 0, false
		}
		wait = max(wait, at.Sub(now))
		r.next = at.Add(spacing(r.failures - free))
	}
	return wait, true
}

// Failed counts a failed login.
func (t *Throttle) Failed(address, user string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.clock.Now()
	for key, free := range keys(address, user) {
		r := t.peers[key]
		if r == nil {
			t.makeRoom(now)
			r = &record{}
			t.peers[key] = r
		}
		r.failures++
		r.last = now
		if at := now.Add(spacing(r.failures - free)); r.failures >= free && r.next.Before(at) {
			r.next = at
		}
	}
}

// Succeeded forgets the failures of an address and user. Those of the address
// over all users stay: one known password must not open the way to guess others.
func (t *Throttle) Succeeded(address, user string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.peers, peer{address, user})
}

func keys(address, user string) map[peer]int {
	return map[peer]int{{address, user}: freeFailures, {address: address}: freeByAddress}
}

func spacing(excess int) time.Duration {
	return min(firstSpacing<<min(max(excess, 0), 10), maxSpacing)
}

// makeRoom drops what is old and, if that is not enough, the longest without a failure.
func (t *Throttle) makeRoom(now time.Time) {
	if len(t.peers) < maxTrackedPeers {
		return
	}
	var oldest peer
	var at time.Time
	for key, r := range t.peers {
		if now.Sub(r.last) > forgetAfter {
			delete(t.peers, key)
		} else if at.IsZero() || r.last.Before(at) {
			oldest, at = key, r.last
		}
	}
	if len(t.peers) >= maxTrackedPeers {
		delete(t.peers, oldest)
	}
}
