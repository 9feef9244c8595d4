package sql

import (
	"fmt"
	"maps"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/rs/zerolog"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/internal/clock"
	"github.com/omendb/omendb/internal/event"
	"github.com/omendb/omendb/internal/vfs"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/exec"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/settings"
)

// Version is the PostgreSQL version that clients are told.
const Version = "15.18"

// Options say what a server works with.
type Options struct {
	DB      *engine.DB
	Catalog *catalog.Catalog
	Clock   clock.Clock
	Log     zerolog.Logger
	TempFS  vfs.FS // where statements spill
	TempDir string
	// Memory is what all statements may hold together unless the setting omen.server_memory says otherwise; 0: no limit.
	Memory int64
	// MaxConnections bounds the sessions; superusers may use the last ReservedConnections alone.
	MaxConnections int
	// Defaults are settings of the configuration file and command line, canonical or not.
	Defaults map[string]string
	// Events hears of what the server does by itself; may be nil.
	Events event.Sink
	// Happened has counted the events of engine and log; may be nil.
	Happened *event.Counts
	// Seed starts the sessions' random generators.
	Seed func() int64
	// HashPassword makes the verifier of a password (CREATE ROLE … PASSWORD); may be nil.
	HashPassword func(password string) (string, error)
	// Reload reads the configuration again (pg_reload_conf); may be nil.
	Reload func() error
}

// ReservedConnections are kept for superusers, so that an operator gets in when
// an application has used up all others.
const ReservedConnections = 3

// defaultMaxConnections is PostgreSQL's.
const defaultMaxConnections = 100

// defaultMaxPrepared is how many transactions may be prepared at a time unless
// max_prepared_transactions says otherwise. PostgreSQL's default of 0 saves
// shared memory that we do not reserve.
const defaultMaxPrepared = "100"

// Server is what sessions share.
type Server struct {
	opts     Options
	started  int64 // timestamptz
	nextPID  atomic.Int32
	plans    *planCache
	notifier notifier

	mu       sync.Mutex
	sessions map[int32]*Session
	exports  map[string]*exportedSnapshot
	exported int // how many snapshots were exported so far
	counters Counters
	accesses accesses
	memory   *exec.MemoryPool
	left     functions.Left // calls that cancelled statements left working
	outcomes outcomes
}

// Counters are totals since the start, for metrics.
type Counters struct {
	Sessions, Commits, Rollbacks, Statements, Errors atomic.Int64
}

// Open returns a server without sessions.
func Open(o Options) (*Server, error) {
	if o.MaxConnections <= 0 {
		o.MaxConnections = defaultMaxConnections
	}
	defaults := map[string]string{"max_prepared_transactions": defaultMaxPrepared, serverMemory: strconv.FormatInt(o.Memory>>10, 10)}
	maps.Copy(defaults, o.Defaults)
	defaults["max_connections"] = strconv.Itoa(o.MaxConnections)
	o.Defaults = defaults
	s := &Server{opts: o, sessions: map[int32]*Session{}, exports: map[string]*exportedSnapshot{}, plans: newPlanCache()}
	v := settings.NewValues()
	if err := v.SetDefault(serverMemory, defaults[serverMemory]); err != nil {
		return nil, fmt.Errorf("%s: %w", serverMemory, err)
	}
	s.memory = exec.NewMemoryPool(v.Int(serverMemory) << 10)
	o.Log.Info().Str("event", "memory.limit").Int64("bytes", s.memory.Limit()).Msg("memory of all statements together")
	s.notifier.channels = map[channelKey]map[*Session]bool{}
	s.started = timestamp(o.Clock.Now())
	s.nextPID.Store(1000)
	return s, nil
}

// serverMemory is the setting of what all statements may hold together.
const serverMemory = "omen.server_memory"

// Memory returns what the statements of all sessions share.
func (s *Server) Memory() *exec.MemoryPool { return s.memory }

// Counters returns the totals, which keep moving.
func (s *Server) Counters() *Counters { return &s.counters }

// Catalog returns the server's catalog.
func (s *Server) Catalog() *catalog.Catalog { return s.opts.Catalog }

// SessionCount returns the number of open sessions of clients.
func (s *Server) SessionCount() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clients()
}

// clients counts the sessions that clients have opened. The caller holds s.mu.
func (s *Server) clients() int {
	n := 0
	for _, x := range s.sessions {
		if !x.opts.Internal {
			n++
		}
	}
	return n
}

// Cancel stops the running statement of a session, if it exists.
func (s *Server) Cancel(pid int32) bool {
	s.mu.Lock()
	x := s.sessions[pid]
	s.mu.Unlock()
	if x == nil {
		return false
	}
	x.Cancel()
	return true
}

// Terminate ends a session, if it exists.
func (s *Server) Terminate(pid int32) bool {
	s.mu.Lock()
	x := s.sessions[pid]
	s.mu.Unlock()
	if x == nil {
		return false
	}
	x.Terminate()
	return true
}

// register admits a session or refuses it for want of room.
func (s *Server) register(x *Session, superuser bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	limit := s.opts.MaxConnections
	if !superuser {
		limit -= min(ReservedConnections, limit-1)
	}
	open := s.clients()
	if open >= s.opts.MaxConnections && !x.opts.Internal {
		return pgerr.New(pgerr.TooManyConnections, "sorry, too many clients already")
	}
	if open >= limit && !x.opts.Internal {
		return pgerr.New(pgerr.TooManyConnections, "remaining connection slots are reserved for non-replication superuser connections")
	}
	s.sessions[x.pid] = x
	if !x.opts.Internal {
		s.counters.Sessions.Add(1)
	}
	return nil
}

func (s *Server) unregister(x *Session) {
	s.mu.Lock()
	delete(s.sessions, x.pid)
	s.mu.Unlock()
}

// Each calls fn for every session, in no order.
func (s *Server) Each(fn func(*Session)) {
	s.mu.Lock()
	list := make([]*Session, 0, len(s.sessions))
	for _, x := range s.sessions {
		list = append(list, x)
	}
	s.mu.Unlock()
	for _, x := range list {
		fn(x)
	}
}
