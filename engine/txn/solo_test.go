package txn

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/omendb/omendb/internal/clock"
	"github.com/omendb/omendb/internal/task"
)

func rowAt(n uint64) Tag { return Tag{Kind: Row, A: 7, B: n * 0x9e3779b97f4a7c15} }

// An owner who is alone holds what he took, whoever comes and whenever.
func TestAlone(t *testing.T) {
	m := NewManager(task.NewGoroutines(nil), clock.System())
	a, b := NewOwner(1), NewOwner(2)
	ctx := context.Background()
	take := func(o *Owner, n uint64, mode Mode) (bool, error) {
		return m.Acquire(ctx, o, rowAt(n), mode, Transaction, NoWait, time.Second)
	}
	must := func(fresh, want bool, err error) {
		t.Helper()
		if err != nil || fresh != want {
			t.Fatalf("fresh %v, want %v, error %v", fresh, want, err)
		}
	}
	for n := range uint64(1000) { // more than fit at first
		fresh, err := take(a, n, RowUpdate)
		must(fresh, true, err)
	}
	fresh, err := take(a, 3, RowUpdate)
	must(fresh, false, err)
	mark := a.Mark()
	fresh, err = take(a, 2000, RowUpdate)
	must(fresh, true, err)
	fresh, err = take(a, 3, RowWrite)
	must(fresh, true, err)
	m.ReleaseTo(a, mark, 1)
	fresh, err = take(a, 2001, RowUpdate)
	must(fresh, true, err)
	m.ReleaseLast(a, rowAt(2001), RowUpdate)
	if m.solo.owner.Load() != a {
		t.Fatal("the only owner is not alone")
	}
	for _, n := range []uint64{2000, 2001} { // given up before
		fresh, err = take(b, n, RowUpdate)
		must(fresh, true, err)
	}
	if m.solo.owner.Load() != nil {
		t.Fatal("an owner is alone beside another one")
	}
	for _, n := range []uint64{0, 3, 999} {
		if _, err := take(b, n, RowUpdate); !errors.Is(err, ErrNotAvailable) {
			t.Fatalf("row %d of another owner: %v", n, err)
		}
		if o := m.RowHolder(rowAt(n)); o != a {
			t.Fatalf("row %d is held by %v", n, o)
		}
	}
	fresh, err = take(a, 5, RowUpdate)
	must(fresh, false, err)
	m.ReleaseTo(a, 0, 0)
	for n := range uint64(1000) {
		fresh, err = take(b, n, RowUpdate)
		must(fresh, true, err)
	}
	m.ReleaseTo(b, 0, 0)
	if m.solo.others != 0 {
		t.Fatalf("%d owners are counted, none has locks", m.solo.others)
	}
	fresh, err = take(a, 1, RowUpdate)
	must(fresh, true, err)
	if m.solo.owner.Load() != a {
		t.Fatal("the only owner is not alone again")
	}
	m.Transfer(a, b)
	if _, err := take(a, 1, RowUpdate); !errors.Is(err, ErrNotAvailable) {
		t.Fatalf("a row that was given to another owner: %v", err)
	}
	m.ReleaseTo(a, 0, 0)
	m.ReleaseTo(b, 0, 0)
	if m.solo.others != 0 {
		t.Fatalf("%d owners are counted, none has locks", m.solo.others)
	}
}

// Owners come and go, mostly one at a time: no row is ever held by two.
func TestAloneAndNot(t *testing.T) {
	m := NewManager(task.NewGoroutines(nil), clock.System())
	const rows, turns = 8, 3000
	var mine [rows]int // written under the row's lock; the race detector looks on
	var all sync.WaitGroup
	for pid := range 3 {
		all.Go(func() {
			o, rng := NewOwner(int32(pid+1)), rand.New(rand.NewPCG(uint64(pid), 1))
			for range turns {
				var held []uint64
				for range 1 + rng.IntN(3) {
					n := rng.Uint64N(rows)
					if _, err := m.Acquire(context.Background(), o, rowAt(n), RowUpdate, Transaction, NoWait, time.Second); err == nil {
						held = append(held, n)
						mine[n] = pid
					}
				}
				for _, n := range held {
					if mine[n] != pid {
						t.Errorf("row %d is held by two", n)
					}
				}
				m.ReleaseTo(o, 0, 0)
			}
		})
	}
	all.Wait()
	if m.solo.others != 0 || m.solo.owner.Load() != nil {
		t.Fatalf("%d owners are counted, none has locks", m.solo.others)
	}
}

// The locks of a row that is overwritten are the same two however they are taken.
func TestAcquireWrite(t *testing.T) {
	for _, plain := range []bool{false, true} {
		m := NewManager(task.NewGoroutines(nil), clock.System())
		m.SetPlain(plain)
		a, b := NewOwner(1), NewOwner(2)
		ctx, cancel := context.WithCancel(context.Background())
		take := func(o *Owner, n uint64, mode Mode) error {
			_, err := m.Acquire(ctx, o, rowAt(n), mode, Transaction, NoWait, time.Second)
			return err
		}
		for _, n := range []uint64{1, 2, 1} {
			if err := m.AcquireWrite(ctx, a, rowAt(n), time.Second); err != nil {
				t.Fatal(err)
			}
		}
		if a.Held() != 4 {
			t.Fatalf("plain %v: %d locks, want two of each row", plain, a.Held())
		}
		for _, mode := range []Mode{RowKeyShare, RowUpdate, RowProbe} {
			if err := take(b, 1, mode); !errors.Is(err, ErrNotAvailable) {
				t.Fatalf("plain %v: mode %d of a row that another owner writes: %v", plain, mode, err)
			}
		}
		if err := m.AcquireWrite(ctx, b, rowAt(3), time.Second); err != nil { // nobody is alone any more
			t.Fatal(err)
		}
		if err := take(a, 3, RowProbe); !errors.Is(err, ErrNotAvailable) {
			t.Fatalf("plain %v: probe: %v", plain, err)
		}
		done := make(chan error)
		go func() { done <- m.AcquireWrite(ctx, b, rowAt(2), time.Second) }()
		m.ReleaseTo(a, 0, 0)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		go func() { done <- m.AcquireWrite(ctx, a, rowAt(2), time.Second) }()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Fatalf("plain %v: a wait that was cancelled: %v", plain, err)
		}
	}
}
