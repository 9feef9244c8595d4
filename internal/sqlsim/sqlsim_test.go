package sqlsim

import (
	"fmt"
	"hash/fnv"
	"strings"
	"testing"

	"github.com/omendb/omendb/internal/testflag"
	"github.com/omendb/omendb/internal/vfs"
)

// plan chooses the length of the run of a seed.
func plan(seed uint64) Plan {
	n := 6 + int(seed%4)*6
	return Plan{Transactions: n, Every: 8 * n, Lives: 2}
}

// TestSQLCrash cuts the power under random SQL. More of it:
//
//	go test ./internal/sqlsim -run SQLCrash -v -timeout 0 -sqlsim.crashes 1000
func TestSQLCrash(t *testing.T) {
	target := *testflag.SQLSimCrashes
	if testing.Short() {
		target = min(target, 15)
	}
	var total Result
	for seed := *testflag.SQLSimSeed; total.Crashes < target; seed++ {
		r, err := Run(seed, plan(seed))
		total.Add(r)
		if err != nil {
			t.Fatalf("seed %d: %v\nreplay: go test ./internal/sqlsim -run SQLCrash -sqlsim.seed %d -sqlsim.crashes 1", seed, err, seed)
		}
	}
	t.Logf("%d crashes (%d of them in recovery) in %d lives with %d transactions; %d of them kept a transaction nobody had been told of",
		total.Crashes, total.Again, total.Lives, total.Commits, total.Later)
}

// TestOneSeedIsOneRun compares all operations on the disk of two runs.
func TestOneSeedIsOneRun(t *testing.T) {
	var sums [2]string
	for i := range sums {
		h := fnv.New64a()
		r, err := Run(5, Plan{Transactions: 12, Every: 200, Lives: 1, Trace: func(op vfs.Operation) { fmt.Fprintln(h, op) }})
		if err != nil {
			t.Fatal(err)
		}
		sums[i] = fmt.Sprint(h.Sum64(), r)
	}
	if sums[0] != sums[1] {
		t.Errorf("two runs of a seed differ: %s and %s", sums[0], sums[1])
	}
}

// lying is a disk whose syncs do nothing.
type lying struct{ vfs.FS }

type lyingFile struct{ vfs.File }

func (lyingFile) Sync() error     { return nil }
func (lyingFile) SyncData() error { return nil }

func (l lying) wrap(f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return lyingFile{f}, nil
}

func (l lying) Create(name string) (vfs.File, error)        { return l.wrap(l.FS.Create(name)) }
func (l lying) OpenReadWrite(name string) (vfs.File, error) { return l.wrap(l.FS.OpenReadWrite(name)) }

// TestLossIsNoticed runs on a disk that lies.
func TestLossIsNoticed(t *testing.T) {
	_, err := Run(1, Plan{Transactions: 20, Every: 20, Disk: func(fs vfs.FS) vfs.FS { return lying{fs} }})
	if err == nil {
		t.Fatal("a disk that keeps nothing went unnoticed")
	}
}

// TestWrongStateIsNoticed compares a good database with ledgers that say something else.
func TestWrongStateIsNoticed(t *testing.T) {
	s, err := openStack(1, vfs.NewMem(1), nil)
	if err != nil {
		t.Fatal(err)
	}
	var base [clients]*state
	for i := range base {
		base[i] = newState()
	}
	list, err := prepare(s, 1, base, true)
	if err != nil {
		t.Fatal(err)
	}
	work(s, list, 15)
	c := &crash{}
	for i, k := range list {
		if k.err != nil {
			t.Fatal(k.err)
		}
		c.acked[i], c.sent[i] = k.acked, k.last().n
	}
	if _, _, err := look(s, c, list); err != nil {
		t.Fatal(err)
	}
	last := list[0].last()
	for len(last.tables) == 0 || len(last.tables[last.names()[0]].rows) == 0 {
		work(s, list, 1)
		last = list[0].last()
	}
	c.acked[0], c.sent[0], c.acked[1], c.sent[1] = list[0].acked, last.n, list[1].acked, list[1].last().n
	name := last.names()[0]
	id := last.tables[name].ids()[0]
	for _, change := range []struct {
		want       string
		make, undo func()
	}{
		{"torn: the catalog", func() { last.tables["c0_t9"] = &table{} }, func() { delete(last.tables, "c0_t9") }},
		{"lost", func() { c.acked[0]++; c.sent[0]++ }, func() { c.acked[0]--; c.sent[0]-- }},
		{"phantom", func() { c.acked[0]--; c.sent[0]-- }, func() { c.acked[0]++; c.sent[0]++ }},
		{"by Seq Scan", func() { last.tables[name].rows[id][1] += "!" }, func() { r := last.tables[name].rows[id]; r[1] = strings.TrimSuffix(r[1], "!") }},
		{"sequence regress", func() { last.sequence += 1000000 }, func() { last.sequence -= 1000000 }},
	} {
		change.make()
		if _, _, err := look(s, c, list); err == nil || !strings.Contains(err.Error(), change.want) {
			t.Errorf("%v, want %q", err, change.want)
		}
		change.undo()
	}
	if _, _, err := look(s, c, list); err != nil {
		t.Error(err)
	}
}
