package sqlsim

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/internal/clock"
	"github.com/omendb/omendb/internal/task"
	"github.com/omendb/omendb/internal/textsession"
	"github.com/omendb/omendb/internal/vfs"
	"github.com/omendb/omendb/sql"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/syscat"
)

// Dir is where the database lies on the simulated disk.
const Dir = "db"

const superuser = "omendb"

var epoch = time.Unix(1_700_000_000, 0)

// stack is an open database without the wire.
type stack struct {
	fault  *vfs.Fault
	sim    *task.Sim
	db     *engine.DB
	srv    *sql.Server
	panics []*task.Panic
	fatal  error
}

// openStack opens the database on a disk. Sizes are small, so that short runs flush, merge, spill and rotate the log.
func openStack(seed uint64, disk vfs.FS, before func(*vfs.Fault)) (*stack, error) {
	clk := clock.NewManual(epoch)
	s := &stack{fault: vfs.NewFault(disk)}
	s.sim = task.NewSim(seed, clk, func(p *task.Panic) { s.panics = append(s.panics, p) })
	if before != nil {
		before(s.fault)
	}
	var err error
	s.db, err = engine.Open(engine.Options{FS: s.fault, Dir: Dir, Clock: clk, Tasks: s.sim, Log: zerolog.Nop(),
		CacheBytes: 1 << 20, MemtableBytes: 16 << 10, LogFileBytes: 16 << 10,
		BulkMinBytes: 1 << 10, BulkBufferBytes: 4 << 10, SpillBytes: 8 << 10, Fatal: func(err error) { s.fatal = err }})
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	cat, err := catalog.Open(s.db, catalog.Options{Superuser: superuser, System: syscat.Relations()})
	if err != nil {
		return nil, fmt.Errorf("open catalog: %w", err)
	}
	s.srv, err = sql.Open(sql.Options{DB: s.db, Catalog: cat, Clock: clk, Log: zerolog.Nop(), TempFS: vfs.NewVolatile(), TempDir: "temp",
		Seed: func() int64 { return int64(seed) }})
	return s, err
}

func (s *stack) close() error {
	err := s.db.Close()
	s.sim.Close()
	if len(s.panics) > 0 {
		return fmt.Errorf("%w\n%s", s.panics[0], s.panics[0].Stack)
	}
	if s.fatal != nil {
		return s.fatal
	}
	return err
}

// session is one connection, whose results become text.
type session struct{ *textsession.Session }

func (s *stack) connect() (*session, error) {
	x, err := textsession.Connect(s.srv, superuser, "NULL")
	if err != nil {
		return nil, err
	}
	return &session{x}, nil
}

// query runs statements and returns all rows, columns separated by bars.
func (c *session) query(format string, args ...any) ([]string, error) {
	text := fmt.Sprintf(format, args...)
	rows, err := c.Run(context.Background(), text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", text, err)
	}
	lines := make([]string, len(rows))
	for i, row := range rows {
		lines[i] = strings.Join(row, "|")
	}
	return lines, nil
}

// exec runs statements whose rows do not matter.
func (c *session) exec(format string, args ...any) error {
	_, err := c.query(format, args...)
	return err
}
