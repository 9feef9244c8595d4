package history_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/internal/history"
	"github.com/omendb/omendb/internal/testflag"
	"github.com/omendb/omendb/internal/vfs"
)

var levels = []history.Level{history.ReadCommitted, history.RepeatableRead, history.Serializable}

// target is the server to play on: one in this process, or that of -history.dsn.
func target(t testing.TB) history.Connect {
	if *testflag.HistoryDSN != "" {
		return dial(*testflag.HistoryDSN)
	}
	return open(t, vfs.NewVolatile()).connect
}

func seed() uint64 {
	if *testflag.HistorySeed != 0 {
		return uint64(*testflag.HistorySeed)
	}
	return uint64(time.Now().UnixNano())
}

// TestAppend plays transactions over lists at every level and looks for cycles.
func TestAppend(t *testing.T) {
	ctx := context.Background()
	for _, level := range levels {
		t.Run(strings.ReplaceAll(string(level), " ", "-"), func(t *testing.T) {
			if *testflag.HistoryDSN == "" {
				t.Parallel() // there they would share a table
			}
			a := &history.Append{Connect: target(t), Level: level, Transactions: *testflag.HistoryTransactions, Seed: seed(), Yield: true}
			if testing.Short() {
				a.Transactions /= 10
			}
			if err := a.Setup(ctx); err != nil {
				t.Fatal(err)
			}
			h := history.New()
			start := time.Now()
			if err := a.Run(ctx, h); err != nil {
				t.Fatal(err)
			}
			ran := time.Since(start)
			if err := a.Finish(ctx, h); err != nil {
				t.Fatal(err)
			}
			start = time.Now()
			classes := map[string]bool{}
			for _, v := range h.Check() {
				classes[v.Class] = true
				if !level.Permits(v) {
					t.Errorf("seed %d: %s: %s", a.Seed, v.Class, v.Detail)
				}
			}
			all, committed := h.Len()
			t.Logf("%d transactions, %d committed, %.1f s, checked in %.1f s; found %v", all, committed, ran.Seconds(), time.Since(start).Seconds(), classes)
			if committed < all/4 {
				t.Errorf("%d of %d transactions committed: the test shows little", committed, all)
			}
			if level == history.RepeatableRead && !classes["G2-item"] && !classes["G2"] {
				t.Error("no write skew among so many: the transactions do not overlap")
			}
		})
	}
}

// TestChecksOff: when the checks of SERIALIZABLE are switched off, write skews appear.
func TestChecksOff(t *testing.T) {
	ctx := context.Background()
	s := open(t, vfs.NewVolatile(), func(o *engine.Options) { o.NoSerialChecks = true })
	a := &history.Append{Connect: s.connect, Level: history.Serializable, Transactions: 2000, Seed: seed(), Yield: true}
	if err := a.Setup(ctx); err != nil {
		t.Fatal(err)
	}
	h := history.New()
	if err := a.Run(ctx, h); err != nil {
		t.Fatal(err)
	}
	if err := a.Finish(ctx, h); err != nil {
		t.Fatal(err)
	}
	bad := h.Violations(history.Serializable)
	if len(bad) == 0 {
		t.Error("nobody noticed")
	}
	for _, v := range bad {
		if history.RepeatableRead.Permits(v) {
			continue
		}
		t.Errorf("worse than snapshot isolation: %s: %s", v.Class, v.Detail)
	}
}

// TestBank plays transfers, and withdrawals that must not overdraw two accounts together.
func TestBank(t *testing.T) {
	ctx := context.Background()
	for _, level := range levels {
		b := &history.Bank{Connect: target(t), Level: level, Transactions: *testflag.HistoryTransactions / 20, Workers: 8, Accounts: 10, Seed: seed(), Yield: true}
		if err := b.Setup(ctx); err != nil {
			t.Fatal(err)
		}
		bad, committed, err := b.Run(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range bad {
			t.Errorf("%s, seed %d: %s", level, b.Seed, v)
		}
		t.Logf("%s: %d of %d committed", level, committed, b.Transactions)
		if committed < int64(b.Transactions)/10 {
			t.Errorf("%s: %d of %d committed", level, committed, b.Transactions)
		}
	}
}

// TestBankChecksOff: without the checks a pair is overdrawn sooner or later.
func TestBankChecksOff(t *testing.T) {
	ctx := context.Background()
	s := open(t, vfs.NewVolatile(), func(o *engine.Options) { o.NoSerialChecks = true })
	b := &history.Bank{Connect: s.connect, Level: history.Serializable, Transactions: 3000, Workers: 8, Accounts: 10, Seed: seed(), Yield: true}
	if err := b.Setup(ctx); err != nil {
		t.Fatal(err)
	}
	bad, _, err := b.Run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if len(bad) == 0 {
		t.Error("nobody noticed")
	}
}

// TestKeys races for unique numbers and for parents.
func TestKeys(t *testing.T) {
	ctx := context.Background()
	k := &history.Keys{Connect: target(t), Transactions: *testflag.HistoryTransactions / 2, Workers: 8, Seed: seed(), Yield: true}
	if err := k.Setup(ctx); err != nil {
		t.Fatal(err)
	}
	if err := k.Run(ctx); err != nil {
		t.Fatal(err)
	}
	bad, err := k.Check(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range bad {
		t.Errorf("seed %d: %s", k.Seed, v)
	}
}
