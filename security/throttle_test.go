package security

import (
	"fmt"
	"testing"
	"time"

	"github.com/omendb/omendb/internal/clock"
)

func TestThrottle(t *testing.T) {
	c := clock.NewManual(time.Unix(1000, 0))
	th := NewThrottle(c)
	wait := func(address, user string) time.Duration {
		w, ok := th.Reserve(address, user)
		if !ok {
			t.Fatal("refused")
		}
		return w
	}
	for range freeFailures {
		if w := wait("a", "ann"); w != 0 {
			t.Fatalf("free try waits %v", w)
		}
		th.Failed("a", "ann")
	}
	if w := wait("a", "ann"); w != firstSpacing {
		t.Fatalf("first spaced try waits %v", w)
	}
	if w := wait("a", "ann"); w != 2*firstSpacing {
		t.Fatalf("a concurrent try waits %v", w)
	}
	if wait("b", "ann") != 0 || wait("a", "bob") != 0 {
		t.Fatal("others wait, too")
	}
	for range 10 {
		th.Failed("a", "ann")
	}
	c.Advance(time.Hour - forgetAfter - time.Minute)
	th.Failed("a", "ann")
	if w := wait("a", "ann"); w != maxSpacing {
		t.Fatalf("longest spacing %v", w)
	}
	for range int(maxQueue/maxSpacing) - 1 {
		wait("a", "ann")
	}
	if _, ok := th.Reserve("a", "ann"); ok {
		t.Fatal("the queue has no end")
	}
	c.Advance(forgetAfter + time.Second)
	if wait("a", "ann") != 0 {
		t.Fatal("never forgotten")
	}
	for range freeFailures + 1 {
		th.Failed("a", "ann")
	}
	th.Succeeded("a", "ann")
	if wait("a", "ann") != 0 {
		t.Fatal("a success does not count")
	}
}

// An address that tries user after user is slowed down over all of them.
func TestThrottleByAddress(t *testing.T) {
	th := NewThrottle(clock.NewManual(time.Unix(1000, 0)))
	for i := range freeByAddress {
		th.Failed("a", fmt.Sprint("user", i))
	}
	if w, _ := th.Reserve("a", "new"); w == 0 {
		t.Fatal("no wait for a new user from the address")
	}
}

func TestThrottleBounded(t *testing.T) {
	c := clock.NewManual(time.Unix(1000, 0))
	th := NewThrottle(c)
	for i := range maxTrackedPeers + 100 {
		th.Failed(fmt.Sprint("address", i), "ann")
		if len(th.peers) > maxTrackedPeers {
			t.Fatalf("%d records", len(th.peers))
		}
		if i == maxTrackedPeers/2 {
			c.Advance(time.Second)
		}
	}
	c.Advance(forgetAfter + time.Minute)
	th.Failed("late", "ann")
	if len(th.peers) > 2 {
		t.Fatalf("%d old records are kept", len(th.peers))
	}
}
