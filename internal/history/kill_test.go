package history_test

import (
	"context"
	"errors"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/omendb/omendb/internal/history"
	"github.com/omendb/omendb/internal/serverproc"
	"github.com/omendb/omendb/internal/testflag"
)

// process is a server process that is killed and started again.
type process struct {
	t      *testing.T
	binary string
	dir    string
	mu     sync.Mutex
	server *serverproc.Server
}

func (p *process) restart(ctx context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.server != nil {
		p.server.Kill()
	}
	var err error
	if p.server, err = serverproc.Start(ctx, p.binary, p.dir); err != nil {
		p.t.Fatal(err)
	}
}

func (p *process) connect(ctx context.Context) (history.Conn, error) {
	for {
		p.mu.Lock()
		dsn := p.server.DSN()
		p.mu.Unlock()
		c, err := dial(dsn)(ctx)
		if err == nil || ctx.Err() != nil {
			return c, err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// lost excuses every error that is not the server's answer to a statement.
func (p *process) lost(err error) error {
	var answer *pgconn.PgError
	if errors.As(err, &answer) && answer.Severity != "FATAL" {
		return err
	}
	return nil
}

// TestKill kills a server process while lists and keys are worked on.
func TestKill(t *testing.T) {
	kills := *testflag.HistoryKills
	if kills == 0 {
		t.Skip("SKIP: -history.kills is 0; the short version is TestCrash")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("SKIP: no go command to build the server with")
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s := seed()
	binary, err := serverproc.Build(ctx, "../..", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, binary: binary, dir: t.TempDir() + "/data"}
	if err := serverproc.Init(ctx, binary, p.dir); err != nil {
		t.Fatal(err)
	}
	p.restart(ctx)
	defer func() { p.server.Kill() }()
	const endless = 1 << 30
	a := &history.Append{Connect: p.connect, Level: history.Serializable, Transactions: endless, Workers: 6, Seed: s, Lost: p.lost}
	k := &history.Keys{Connect: p.connect, Transactions: endless, Workers: 3, Seed: s, Lost: p.lost}
	if err := a.Setup(ctx); err != nil {
		t.Fatal(err)
	}
	if err := k.Setup(ctx); err != nil {
		t.Fatal(err)
	}
	h := history.New()
	work, stop := context.WithCancel(ctx)
	var wait sync.WaitGroup
	for _, job := range []func() error{func() error { return a.Run(work, h) }, func() error { return k.Run(work) }} {
		wait.Add(1)
		go func() {
			defer wait.Done()
			if err := job(); err != nil && work.Err() == nil {
				t.Errorf("seed %d: %v", s, err)
			}
		}()
	}
	for range kills {
		time.Sleep(700 * time.Millisecond)
		p.restart(ctx)
	}
	time.Sleep(300 * time.Millisecond)
	stop()
	wait.Wait()
	p.restart(ctx)
	if err := a.Finish(ctx, h); err != nil {
		t.Fatal(err)
	}
	for _, v := range h.Violations(a.Level) {
		t.Errorf("seed %d: %s: %s", s, v.Class, v.Detail)
	}
	bad, err := k.Check(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range bad {
		t.Errorf("seed %d: %s", s, v)
	}
	all, committed := h.Len()
	t.Logf("%d kills, %d transactions, %d known to be committed", kills, all, committed)
}
