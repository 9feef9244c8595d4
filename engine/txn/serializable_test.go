package txn

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// world is a store under snapshot isolation, with Serial on top: transactions
// take steps in random order, and what committed is checked for cycles.
type world struct {
	rnd       *rand.Rand
	s         *Serial
	clock     uint64
	versions  [worldKeys][]version // by key, in order of commit
	committed []*actor
	failures  int
	attempts  int
	replaced  int // writes over what a reader has missed
	imported  int
}

const (
	worldKeys  = 24
	worldStore = 7
)

type version struct {
	ts     uint64
	writer *actor
}

type actor struct {
	id       int
	x        *Serializable
	snapshot uint64
	readOnly bool
	reads    map[int]*actor // whose version was seen
	writes   map[int]bool
	left     int
	stamp    uint64
	state    byte // 0 running, 'p' prepared, 'v' visible
}

func worldKey(k int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(k*997)) }

// imports begins a transaction with the snapshot of one that runs, if one can give it.
func (w *world) imports(a *actor, actors []*actor) bool {
	from := actors[w.rnd.IntN(len(actors))]
	if from == nil || from.x == nil || from.state != 0 || from.readOnly && !a.readOnly {
		return false
	}
	x, ok := w.s.Import(from.x, int32(a.id), a.readOnly)
	if ok {
		a.x, a.snapshot = x, from.snapshot
		w.imported++
	}
	return ok
}

func (w *world) begin(id int, actors []*actor) *actor {
	a := &actor{id: id, readOnly: w.rnd.IntN(4) == 0, reads: map[int]*actor{}, writes: map[int]bool{}, left: 1 + w.rnd.IntN(6)}
	if w.rnd.IntN(30) == 0 {
		a.left = 60 // a long one
	}
	if w.rnd.IntN(4) > 0 || !w.imports(a, actors) {
		a.x = w.s.Begin(int32(id), a.readOnly, func() uint64 { return w.clock })
		a.snapshot = w.clock
	}
	if a.x != nil {
		a.x.SetXID(uint64(id))
	}
	w.attempts++
	return a
}

func (w *world) see(a *actor, k int) {
	if a.writes[k] {
		return
	}
	var from *actor
	for _, v := range w.versions[k] {
		if v.ts <= a.snapshot {
			from = v.writer
		}
	}
	a.reads[k] = from
}

// read reads a key, a range or everything.
func (w *world) read(a *actor) error {
	k := w.rnd.IntN(worldKeys)
	to := k + 1
	switch w.rnd.IntN(6) {
	case 0:
		to = min(worldKeys, k+1+w.rnd.IntN(5))
	case 1:
		if w.rnd.IntN(5) == 0 {
			k, to = 0, worldKeys
		}
	}
	for i := k; i < to; i++ {
		w.see(a, i)
	}
	switch {
	case a.x == nil:
		return nil
	case to == k+1:
		return w.s.ReadKey(a.x, worldStore, worldKey(k))
	case k == 0 && to == worldKeys:
		return w.s.Read(a.x, worldStore, nil, nil)
	}
	// as a scan does it, in two parts
	now := Span{worldKey(k), worldKey(k + 1)}
	if err := w.s.Read(a.x, worldStore, now.Lower, now.Upper); err != nil {
		return err
	}
	all := Span{now.Lower, append(worldKey(to-1), 0)}
	return w.s.Extend(a.x, worldStore, now, all, Span{now.Upper, all.Upper})
}

var errUpdate = errors.New("concurrent update")

func (w *world) write(a *actor, actors []*actor) error {
	k := w.rnd.IntN(worldKeys)
	for _, b := range actors {
		if b != nil && b != a && b.writes[k] {
			return nil // it would wait
		}
	}
	w.see(a, k)
	if err := w.s.ReadKey(a.x, worldStore, worldKey(k)); err != nil {
		return err
	}
	if n := len(w.versions[k]); n > 0 && w.versions[k][n-1].ts > a.snapshot {
		return errUpdate
	}
	err := w.s.Write(a.x, worldStore, worldKey(k))
	if err == ErrReplaced {
		w.replaced++
		err = w.s.WriteOver(a.x, worldStore, worldKey(k), w.versions[k][len(w.versions[k])-1].ts)
	}
	if err != nil {
		return err
	}
	a.writes[k] = true
	return nil
}

// step moves an actor on and reports whether it has ended.
func (w *world) step(a *actor, actors []*actor) bool {
	var err error
	switch {
	case a.left > 0:
		a.left--
		if a.readOnly || w.rnd.IntN(3) > 0 {
			err = w.read(a)
		} else {
			err = w.write(a, actors)
		}
	case w.rnd.IntN(20) == 0:
		err = errors.New("rolled back")
	case a.x == nil:
		w.committed = append(w.committed, a)
		return true
	case a.state == 0:
		err = w.s.Prepare(a.x)
		a.state = 'p'
	case a.state == 'p': // becomes visible
		a.state = 'v'
		if len(a.writes) > 0 {
			w.clock++
			a.stamp = w.clock
			for k := range a.writes {
				w.versions[k] = append(w.versions[k], version{w.clock, a})
			}
			a.x.Stamp(a.stamp)
		}
	default:
		w.s.Commit(a.x)
		w.committed = append(w.committed, a)
		return true
	}
	if err == nil {
		return false
	}
	if a.state == 'v' {
		return false // too late to change its mind
	}
	if a.x != nil {
		w.s.Abort(a.x)
	}
	a.writes = nil
	if _, ok := err.(*Conflict); ok {
		w.failures++
	}
	return true
}

// cycle looks for a cycle of dependencies among what committed.
func (w *world) cycle() []*actor {
	next := map[*actor][]*actor{}
	for k := range w.versions {
		list := w.versions[k]
		for i, v := range list {
			if i+1 < len(list) {
				next[v.writer] = append(next[v.writer], list[i+1].writer)
			}
		}
		for _, a := range w.committed {
			from, ok := a.reads[k]
			if !ok {
				continue
			}
			i := 0
			if from != nil {
				next[from] = append(next[from], a)
				i = 1 + slices.IndexFunc(list, func(v version) bool { return v.writer == from })
			}
			if i < len(list) && list[i].writer != a {
				next[a] = append(next[a], list[i].writer)
			}
		}
	}
	state, path := map[*actor]int{}, []*actor{}
	var visit func(a *actor) []*actor
	visit = func(a *actor) []*actor {
		state[a] = 1
		path = append(path, a)
		for _, b := range next[a] {
			if state[b] == 1 && b != a {
				return path[slices.Index(path, b):]
			}
			if state[b] == 0 {
				if c := visit(b); c != nil {
					return c
				}
			}
		}
		state[a] = 2
		path = path[:len(path)-1]
		return nil
	}
	for _, a := range w.committed {
		if state[a] == 0 {
			if c := visit(a); c != nil {
				return c
			}
		}
	}
	return nil
}

func play(seed uint64, l limits, off bool, transactions int) *world {
	w := &world{rnd: rand.New(rand.NewPCG(seed, 1)), s: NewSerial()}
	w.s.limits = l
	w.s.SetOff(off)
	actors := make([]*actor, 6)
	id := 0
	for id < transactions || slices.ContainsFunc(actors, func(a *actor) bool { return a != nil }) {
		i := w.rnd.IntN(len(actors))
		switch a := actors[i]; {
		case a == nil && id < transactions:
			id++
			actors[i] = w.begin(id, actors)
		case a != nil && w.step(a, actors):
			actors[i] = nil
		}
	}
	return w
}

// TestSerializableHistories plays random transactions under generous and under
// tiny limits of what is remembered: no cycle may commit. Without the checks
// there are cycles, so that the test is able to find some.
func TestSerializableHistories(t *testing.T) {
	generous := limits{maxIntervals, maxRemembered, maxFinished}
	for name, l := range map[string]limits{
		"generous":     generous,
		"few ranges":   {3, maxRemembered, maxFinished},
		"few finished": {maxIntervals, maxRemembered, 2},
		"little room":  {maxIntervals, 12, maxFinished},
		"all of it":    {2, 8, 1},
	} {
		t.Run(name, func(t *testing.T) {
			failures, attempts, replaced, imported := 0, 0, 0, 0
			for seed := range uint64(100) {
				w := play(seed, l, false, 120)
				if c := w.cycle(); c != nil {
					t.Fatalf("seed %d: %s", seed, describe(c))
				}
				failures, attempts = failures+w.failures, attempts+w.attempts
				replaced, imported = replaced+w.replaced, imported+w.imported
				if n := len(w.s.active) + len(w.s.finished) + len(w.s.grounds) + w.s.remembered; n != 0 || w.s.old != nil || w.s.writable != 0 {
					t.Fatalf("seed %d: something is left when all have ended: %+v", seed, w.s)
				}
			}
			t.Logf("%d of %d fail", failures, attempts)
			if replaced == 0 || imported == 0 {
				t.Errorf("%d writes over missed versions, %d imported snapshots", replaced, imported)
			}
			if failures == 0 || failures > attempts*3/4 {
				t.Errorf("%d of %d fail", failures, attempts)
			}
		})
	}
	t.Run("off", func(t *testing.T) {
		found := 0
		for seed := range uint64(20) {
			if play(seed, generous, true, 120).cycle() != nil {
				found++
			}
		}
		if found < 10 {
			t.Errorf("cycles in %d of 20 histories only", found)
		}
	})
}

func describe(c []*actor) string {
	var b strings.Builder
	for _, a := range c {
		fmt.Fprintf(&b, "T%d snapshot %d commit %d read-only %v reads", a.id, a.snapshot, a.stamp, a.readOnly)
		for k, from := range a.reads {
			if from != nil {
				fmt.Fprintf(&b, " %d(T%d)", k, from.id)
			} else {
				fmt.Fprintf(&b, " %d", k)
			}
		}
		fmt.Fprintf(&b, " writes %v\n", a.writes)
	}
	return b.String()
}

// bed runs named transactions by hand.
type bed struct {
	t     *testing.T
	s     *Serial
	clock uint64
	last  int32
}

func newBed(t *testing.T) *bed { return &bed{t: t, s: NewSerial()} }

func (b *bed) begin(readOnly bool) *Serializable {
	b.last++
	return b.s.Begin(b.last, readOnly, func() uint64 { return b.clock })
}

func (b *bed) ok(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bed) fails(err error, reason string) {
	b.t.Helper()
	if c, ok := err.(*Conflict); !ok || c.Error() != reason {
		b.t.Fatalf("got %v, want %s", err, reason)
	}
}

func (b *bed) commit(x *Serializable) {
	b.t.Helper()
	b.ok(b.s.Prepare(x))
	b.clock++
	x.Stamp(b.clock)
	b.s.Commit(x)
}

func (b *bed) read(x *Serializable, key string) error { return b.s.ReadKey(x, 1, []byte(key)) }
func (b *bed) write(x *Serializable, key string) error {
	return b.s.Write(x, 1, []byte(key))
}

// TestSerializableReasons shows where a write skew fails, by the order of its steps.
func TestSerializableReasons(t *testing.T) {
	skew := func(t *testing.T) (b *bed, one, two *Serializable) {
		b = newBed(t)
		one, two = b.begin(false), b.begin(false)
		b.ok(b.read(one, "y"))
		b.ok(b.read(two, "x"))
		b.ok(b.write(one, "x"))
		return b, one, two
	}
	t.Run("write", func(t *testing.T) {
		b, one, two := skew(t)
		b.commit(one)
		b.fails(b.write(two, "y"), "Canceled on identification as a pivot, during write.")
	})
	t.Run("commit", func(t *testing.T) {
		b, one, two := skew(t)
		b.ok(b.write(two, "y"))
		b.commit(one)
		b.fails(b.s.Prepare(two), "Canceled on identification as a pivot, during commit attempt.")
	})
	t.Run("later read and write", func(t *testing.T) {
		b, one, two := skew(t)
		b.ok(b.write(two, "y"))
		b.commit(one)
		b.fails(b.read(two, "z"), "Canceled on identification as a pivot, during conflict out checking.")
		b.fails(b.write(two, "z"), "Canceled on identification as a pivot, during conflict in checking.")
	})
	t.Run("read", func(t *testing.T) {
		b := newBed(t)
		in, pivot, out := b.begin(false), b.begin(false), b.begin(false)
		pivot.SetXID(42)
		b.ok(b.read(pivot, "x"))
		b.ok(b.write(out, "x"))
		b.commit(out)
		b.ok(b.write(pivot, "y"))
		b.ok(b.s.Prepare(pivot))
		b.fails(b.read(in, "y"), "Canceled on conflict out to pivot 42, during read.")
	})
	t.Run("prepared pivot", func(t *testing.T) {
		b, one, two := skew(t)
		b.ok(b.write(two, "y"))
		b.ok(b.s.Prepare(one))
		if !two.doomed {
			b.fails(b.s.Prepare(two), "Canceled on commit attempt with conflict in from prepared pivot.")
		}
	})
	t.Run("a key that was seen free", func(t *testing.T) {
		b := newBed(t)
		one, two := b.begin(false), b.begin(false)
		b.ok(b.read(one, "k"))
		b.ok(b.read(two, "k"))
		b.ok(b.write(one, "k"))
		b.commit(one)
		b.fails(b.s.CheckWrite(two, 1, []byte("k")), "Canceled on identification as a pivot, during write.")
	})
}

// TestSafeSnapshot: a read-only transaction waits until its snapshot is known to be safe.
func TestSafeSnapshot(t *testing.T) {
	b := newBed(t)
	if b.begin(true) != nil {
		t.Error("a reader alone is watched")
	}
	writer := b.begin(false)
	reader := b.begin(true)
	done := b.s.Decided(reader)
	if pids := b.s.SafetyBlockers(reader.pid); len(pids) != 1 || pids[0] != writer.pid {
		t.Errorf("waits for %v", pids)
	}
	b.ok(b.write(writer, "a"))
	b.commit(writer)
	<-done
	if !b.s.Safe(reader) || b.read(reader, "a") != nil || len(b.s.active) != 0 {
		t.Error("the snapshot is not safe")
	}
	b.s.Commit(reader)
	b.s.Abort(reader)

	// One that misses something older makes the snapshot unsafe.
	pivot, out := b.begin(false), b.begin(false)
	b.ok(b.read(pivot, "x"))
	b.ok(b.write(out, "x"))
	b.commit(out)
	reader = b.begin(true)
	b.ok(b.write(pivot, "y"))
	b.commit(pivot)
	<-b.s.Decided(reader)
	if b.s.Safe(reader) {
		t.Error("the snapshot is safe")
	}
	b.s.Abort(reader)
	if len(b.s.active)+len(b.s.finished) != 0 {
		t.Error("somebody is left")
	}
}

// TestTransfer: who has read an index has to be found through its table when the index goes.
func TestTransfer(t *testing.T) {
	b := newBed(t)
	one, two := b.begin(false), b.begin(false)
	b.ok(b.s.Read(one, 2, []byte("a"), []byte("c")))
	b.s.Transfer(2, 1)
	b.s.Transfer(3, 1)
	b.ok(b.write(two, "row"))
	if len(one.out) != 1 || one.out[0] != two {
		t.Error("no dependency")
	}
	var whole int
	for _, l := range b.s.ReadLocks() {
		if l.Whole && l.Store == 1 && l.ProcessID == one.pid {
			whole++
		}
	}
	if whole != 1 {
		t.Errorf("read locks: %+v", b.s.ReadLocks())
	}
	b.ok(b.s.WriteRange(two, 1, nil, nil))
	b.ok(b.s.Read(one, 1, []byte("z"), []byte("a"))) // an empty range
}

// TestIntervals compares the tree with a list.
func TestIntervals(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	var tree intervals
	var list []*interval
	x := &Serializable{}
	bound := func() []byte {
		if rnd.IntN(12) == 0 {
			return nil
		}
		return []byte{byte('a' + rnd.IntN(26)), byte('a' + rnd.IntN(26))}
	}
	overlap := func(n *interval, lower, upper []byte) bool {
		return (upper == nil || string(n.lower) < string(upper)) && (n.upper == nil || string(n.upper) > string(lower))
	}
	for range 20000 {
		switch lower, upper := bound(), bound(); rnd.IntN(3) {
		case 0:
			n := tree.add(lower, upper, false)
			if !n.heldBy(x) {
				n.holders = append(n.holders, x)
				list = append(list, n)
			}
		case 1:
			if len(list) > 0 {
				i := rnd.IntN(len(list))
				if list[i].drop(x) {
					tree.remove(list[i])
				}
				list = slices.Delete(list, i, i+1)
			}
		default:
			got := map[*interval]bool{}
			_ = tree.overlapping(lower, upper, func(n *interval) error { got[n] = true; return nil })
			want := 0
			for _, n := range list {
				if overlap(n, lower, upper) {
					want++
					if !got[n] {
						t.Fatalf("[%s, %s) is not found by [%s, %s)", n.lower, n.upper, lower, upper)
					}
				}
			}
			if want != len(got) {
				t.Fatalf("found %d, there are %d", len(got), want)
			}
		}
	}
}
