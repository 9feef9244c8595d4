package torture

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/omendb/omendb/internal/serverproc"
)

// Options says how to torture.
type Options struct {
	Binary      string // the server's executable
	Dir         string // scratch, made if it is not there, and used by nobody else
	Seed        uint64
	For         time.Duration // ends after so long, or
	Kills       int           // after so many kills, whatever comes first; 0 is no bound
	Connections int
	Args        []string // more arguments of omendb start
	// Progress, if not nil, is called after every restart.
	Progress func(*Report)
}

// Limits of a life between two kills.
const (
	minLife = 50 * time.Millisecond
	maxLife = 1500 * time.Millisecond
	// keepBackups bounds the space that backups take; then they begin anew.
	keepBackups = 8
)

// torturer is one run.
type torturer struct {
	Options
	rng     *rand.Rand
	workers []*worker
	report  *Report
	begun   time.Time
	repo    string // of backups
	backups int    // in repo
}

// Run tortures a server. The report says what was found; an error is trouble with the machine. After a violation the run ends and
// the directory stays as it is.
func Run(ctx context.Context, o Options) (*Report, error) {
	t := &torturer{Options: o, rng: rand.New(rand.NewPCG(o.Seed, 0)), begun: time.Now(), repo: filepath.Join(o.Dir, "backups"),
		report: &Report{Seed: o.Seed, Connections: o.Connections, Violations: map[string]int64{}, Work: Counts{Kinds: map[string]int64{}}}}
	for i := range o.Connections {
		t.workers = append(t.workers, newWorker(i, o.Seed))
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, err
	}
	if err := serverproc.Init(ctx, o.Binary, t.data()); err != nil {
		return nil, err
	}
	err := t.run(ctx)
	t.summarize()
	var v *violation
	if errors.As(err, &v) {
		t.report.Violations[string(v.class)]++
		t.report.Detail = v.detail
		err = nil
	}
	return t.report, err
}

func (t *torturer) data() string { return filepath.Join(t.Dir, "data") }

func (t *torturer) run(ctx context.Context) error {
	server, err := t.start(ctx)
	if err != nil {
		return err
	}
	if err := setUp(ctx, server.DSN(), t.workers); err != nil {
		server.Kill()
		return fmt.Errorf("set up: %w", err)
	}
	for ctx.Err() == nil && time.Since(t.begun) < t.For && (t.Kills == 0 || t.report.Kills < t.Kills) {
		if err := t.life(ctx, server); err != nil {
			return err
		}
		if t.rng.IntN(5) == 0 {
			if err := t.killStarting(); err != nil {
				return err
			}
		}
		if server, err = t.start(ctx); err != nil {
			return err
		}
		if err := t.compare(ctx, server); err != nil {
			server.Kill()
			return err
		}
		if t.Progress != nil {
			t.summarize()
			t.Progress(t.report)
		}
	}
	// Once more after an orderly end.
	if err := server.Stop(20 * time.Second); err != nil {
		return violated(failed, "%v", err)
	}
	if server, err = t.start(ctx); err != nil {
		return err
	}
	defer server.Kill()
	return t.compare(ctx, server)
}

// start brings the server up, which must not fail whatever was done to it.
func (t *torturer) start(ctx context.Context) (*serverproc.Server, error) {
	begin := time.Now()
	server, err := serverproc.Start(ctx, t.Binary, t.data(), t.Args...)
	if err != nil {
		return nil, violated(crashLoop, "after %d kills: %v", t.report.Kills, err)
	}
	t.report.start(time.Since(begin))
	return server, nil
}

// killStarting kills the server while it recovers.
func (t *torturer) killStarting() error {
	server, err := serverproc.Launch(t.Binary, t.data(), t.Args...)
	if err != nil {
		return err
	}
	time.Sleep(time.Duration(t.rng.IntN(150)) * time.Millisecond)
	server.Kill()
	t.report.Kills++
	t.report.KillsInRecovery++
	return nil
}

// life lets all workers work, and kills the server in the middle of it.
func (t *torturer) life(ctx context.Context, server *serverproc.Server) error {
	working, cancel := context.WithCancel(ctx)
	defer cancel()
	errs := make([]error, len(t.workers))
	var all sync.WaitGroup
	for i, w := range t.workers {
		all.Go(func() {
			for working.Err() == nil && !server.Ended() && errs[i] == nil {
				errs[i] = w.work(working, server.DSN())
			}
		})
	}
	span := minLife + time.Duration(t.rng.Int64N(int64(maxLife-minLife)))
	var lower []mark
	var backup *exec.Cmd
	done := make(chan error, 1)
	if t.report.Kills == 0 || t.rng.IntN(4) == 0 { // one backup at least
		time.Sleep(span / 2)
		lower = marks(t.workers)
		backup = exec.CommandContext(ctx, t.Binary, "backup", "--url", server.DSN(), "--to", t.repo)
		go func() { done <- backup.Run() }()
		span /= 2
	}
	complete := false
	if backup != nil && (t.report.Kills == 0 || t.rng.IntN(3) > 0) { // else the kill meets the backup
		complete = <-done == nil
		if !complete {
			server.Kill()
			return violated(badBackup, "omendb backup failed under load")
		}
	}
	time.Sleep(span)
	ended := server.Ended()
	server.Kill()
	cancel()
	all.Wait()
	t.report.Kills++
	if ended {
		return violated(failed, "the server ended by itself:\n%s", server.Output())
	}
	for _, err := range errs {
		if err != nil {
			return violated(failed, "%v", err)
		}
	}
	if backup == nil {
		return nil
	}
	if !complete && <-done != nil {
		t.report.BackupsCutOff++
		return nil
	}
	return t.checkBackup(ctx, lower)
}

// checkBackup restores the newest backup, starts a server on it and finds the commit point that it holds.
func (t *torturer) checkBackup(ctx context.Context, lower []mark) error {
	dir := filepath.Join(t.Dir, "restored")
	out, err := exec.CommandContext(ctx, t.Binary, "restore", "--from", t.repo, "--data-dir", dir).CombinedOutput()
	if err != nil {
		return violated(badBackup, "omendb restore: %v\n%s", err, out)
	}
	server, err := serverproc.Start(ctx, t.Binary, dir, t.Args...)
	if err != nil {
		return violated(badBackup, "the restored server does not start: %v", err)
	}
	_, rows, err := check(ctx, server.DSN(), t.workers, lower)
	server.Kill()
	if err != nil {
		return violated(badBackup, "the restored server: %v", err)
	}
	t.report.Rows += rows
	t.report.Backups++
	if t.backups++; t.backups >= keepBackups {
		t.backups = 0
		if err := os.RemoveAll(t.repo); err != nil {
			return err
		}
	}
	return os.RemoveAll(dir)
}

// compare looks at everything after a restart.
func (t *torturer) compare(ctx context.Context, server *serverproc.Server) error {
	models, rows, err := check(ctx, server.DSN(), t.workers, marks(t.workers))
	if err != nil {
		return err
	}
	for i, w := range t.workers {
		if w.doubt != nil {
			if models[i].n == w.doubt.n {
				t.report.DoubtCommitted++
			} else {
				t.report.DoubtAbsent++
			}
		}
		w.settle(models[i])
	}
	t.report.Checks++
	t.report.Rows += rows
	return nil
}

func (t *torturer) summarize() {
	t.report.Seconds = time.Since(t.begun).Seconds()
	t.report.Work = Counts{Kinds: map[string]int64{}}
	for _, w := range t.workers {
		t.report.Work.add(w.counts)
	}
}

func setUp(ctx context.Context, dsn string, workers []*worker) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	for _, sql := range schema {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	for _, w := range workers {
		if _, err := conn.Exec(ctx, "INSERT INTO worker VALUES ($1, 0)", w.id); err != nil {
			return err
		}
	}
	return nil
}
