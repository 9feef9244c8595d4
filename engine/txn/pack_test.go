package txn

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
)

func rowTag(n uint64) Tag { return Tag{Kind: Row, A: 7, B: n * 0x9e3779b97f4a7c15} }

func (l *table) must(o *Owner, tag Tag, mode Mode) {
	l.t.Helper()
	if _, err := l.m.Acquire(context.Background(), o, tag, mode, Transaction, NoWait, timeout); err != nil {
		l.t.Fatal(err)
	}
}

func (l *table) free(o *Owner, tag Tag, mode Mode) bool {
	l.t.Helper()
	fresh, err := l.m.Acquire(context.Background(), o, tag, mode, Transaction, NoWait, timeout)
	if err != nil && !errors.Is(err, ErrNotAvailable) {
		l.t.Fatal(err)
	}
	if fresh {
		l.m.ReleaseLast(o, tag, mode)
	}
	return err == nil
}

// TestPackedLocksHold packs locks at several levels of savepoints and checks
// whom they keep out, with and without waiting, until each is given up.
func TestPackedLocksHold(t *testing.T) {
	l := newTable(t)
	a, b := NewOwner(1), NewOwner(2)
	for n := range uint64(1000) {
		l.must(a, rowTag(n), RowNoKeyUpdate)
		l.must(a, rowTag(n), RowWrite)
	}
	marks := []int{a.Mark()}
	for n := uint64(1000); n < 2000; n++ {
		l.must(a, rowTag(n), RowUpdate)
	}
	l.must(a, rowTag(5), RowUpdate) // stronger, inside the savepoint
	l.must(a, Tag{Kind: Table, B: 3}, RowExclusive)
	l.m.Pack(a, marks)
	if a.Held() != 1 || marks[0] != 0 {
		t.Fatal(a.Held(), "locks are left, mark", marks[0])
	}
	if fresh, err := l.m.Acquire(context.Background(), a, rowTag(8), RowWrite, Transaction, NoWait, timeout); fresh || err != nil {
		t.Error("a packed lock is taken again", fresh, err)
	}
	for _, c := range []struct {
		n    uint64
		mode Mode
		free bool
	}{{1, RowKeyShare, true}, {1, RowShare, false}, {1, RowProbe, false}, {5, RowKeyShare, false},
		{1500, RowProbe, true}, {1500, RowKeyShare, false}, {2000, RowUpdate, true}} {
		if got := l.free(b, rowTag(c.n), c.mode); got != c.free {
			t.Errorf("row %d in mode %d: free is %v", c.n, c.mode, got)
		}
	}
	if !l.m.LockedByOther(rowTag(900), b) || l.m.LockedByOther(rowTag(900), a) || !l.m.RowsLocked(7, b) || l.m.RowsLocked(7, a) || l.m.RowsLocked(8, b) {
		t.Error("packed locks are not told")
	}
	first, second, third := l.ask(b, rowTag(1999), RowUpdate), l.ask(NewOwner(3), rowTag(3), RowUpdate), l.ask(NewOwner(4), rowTag(5), RowKeyShare)
	for _, r := range []*request{first, second, third} {
		l.expect(r, false)
	}
	if got := l.m.Blockers(2); !slices.Equal(got, []int32{1}) {
		t.Error("blocked by", got)
	}
	l.m.ReleaseTo(a, marks[0], 1)
	l.settle(timeout / 2)
	l.expect(first, true)
	l.expect(second, false)
	l.expect(third, true)
	if !l.free(NewOwner(5), rowTag(1234), RowUpdate) || l.free(NewOwner(5), rowTag(999), RowUpdate) {
		t.Error("a rollback to a savepoint gave up too little or too much")
	}
	l.m.ReleaseTo(a, 0, 0)
	l.settle(timeout / 2)
	l.expect(second, true)
	if !l.free(NewOwner(6), rowTag(999), RowUpdate) {
		t.Error("locks are left")
	}
}

// TestPackedLocksTransfer hands packed locks, some of which others wait for, to another owner.
func TestPackedLocksTransfer(t *testing.T) {
	l := newTable(t)
	a, d := NewOwner(1), NewOwner(0)
	for n := range uint64(300) {
		l.must(a, rowTag(n), RowUpdate)
	}
	l.m.Pack(a, nil)
	wait := l.ask(NewOwner(2), rowTag(17), RowUpdate)
	l.expect(wait, false)
	l.m.Transfer(a, d)
	l.m.ReleaseTo(a, 0, 0)
	l.expect(wait, false)
	seen := 0
	var restored []Packed
	if err := l.m.EachPacked(d, func(_ int, store uint64, locks []Packed) error {
		seen += len(locks)
		restored = append(restored, locks...)
		return nil
	}); err != nil || seen != 299 {
		t.Error(seen, "packed locks", err)
	}
	l.m.ReleaseTo(d, 0, 0)
	l.settle(timeout / 2)
	l.expect(wait, true)
	again := newTable(t)
	for _, k := range restored {
		again.m.RestorePacked(a, 7, k)
	}
	if again.free(d, rowTag(299), RowUpdate) || !again.free(d, rowTag(17), RowUpdate) {
		t.Error("restored locks are not those that were saved")
	}
}

// TestPackedModel takes locks at random in a stack of savepoints, packing
// whenever it likes, and compares with a map.
func TestPackedModel(t *testing.T) {
	for seed := range uint64(20) {
		l, rng := newTable(t), rand.New(rand.NewPCG(seed, 1))
		a, probe := NewOwner(1), NewOwner(2)
		type level struct {
			mark  int
			locks map[uint64]modeSet
		}
		levels := []level{{0, map[uint64]modeSet{}}}
		for step := range 3000 {
			top := &levels[len(levels)-1]
			switch n := rng.IntN(100); {
			case n < 80:
				k, mode := rng.Uint64N(150), Mode(1+rng.IntN(5))
				l.must(a, rowTag(k), mode)
				top.locks[k] |= 1 << mode
			case n < 84:
				levels = append(levels, level{a.Mark(), map[uint64]modeSet{}})
			case n < 88 && len(levels) > 1:
				at := 1 + rng.IntN(len(levels)-1)
				l.m.ReleaseTo(a, levels[at].mark, at)
				levels = levels[:at+1]
				levels[at].locks = map[uint64]modeSet{}
			case n < 92 && len(levels) > 1:
				at := 1 + rng.IntN(len(levels)-1)
				l.m.Flatten(a, at-1)
				for _, x := range levels[at:] {
					for k, m := range x.locks {
						levels[at-1].locks[k] |= m
					}
				}
				levels = levels[:at]
			case n < 94:
				marks := make([]int, len(levels)-1)
				for i := range marks {
					marks[i] = levels[i+1].mark
				}
				l.m.Pack(a, marks)
				for i := range marks {
					levels[i+1].mark = marks[i]
				}
			default:
				k := rng.Uint64N(150)
				var held modeSet
				for _, x := range levels {
					held |= x.locks[k]
				}
				for mode := RowKeyShare; mode <= RowProbe; mode++ {
					if got, want := l.free(probe, rowTag(k), mode), held&conflicts[Row][mode] == 0; got != want {
						t.Fatalf("seed %d, step %d: row %d with %b, mode %d: free is %v", seed, step, k, held, mode, got)
					}
				}
			}
		}
		l.m.ReleaseTo(a, 0, 0)
		for i := range l.m.shards {
			if s := &l.m.shards[i]; len(s.locks) > 0 || len(s.packed) > 0 {
				t.Fatal("locks are left")
			}
		}
	}
}
