// Package omendb is OmenDB: a database with PostgreSQL's protocol, SQL and
// semantics on a learned-index storage engine. The server (cmd/omendb) and
// programs that carry their database inside are the same code:
//
//	db, err := omendb.Open("./data")        // or omendb.Memory
//	conn := db.Connect()                    // a net.Conn that speaks PostgreSQL's protocol: for pgx's DialFunc
//	addr, err := db.Listen("127.0.0.1:5432") // for psql and every driver
//	err = db.Close()
//
// The types:
//
//	DB      an open database, with its sessions and listeners
//	Option  how to open it
//
// One process has a directory open at a time. Connections by Connect need no
// password; those over the network need SCRAM-SHA-256 with the role's password.
package omendb

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"path"
	"sync"
	"time"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/backup"
	"github.com/omendb/omendb/internal/event"
	"github.com/omendb/omendb/internal/task"
	"github.com/omendb/omendb/internal/vfs"
	"github.com/omendb/omendb/pgwire"
	"github.com/omendb/omendb/security"
	"github.com/omendb/omendb/sql"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/syscat"
)

// Version is OmenDB's version. Clients are told PostgreSQL's, CompatibleVersion.
const Version = "0.1.0"

// CompatibleVersion is the version of PostgreSQL that clients are told.
const CompatibleVersion = sql.Version

// Memory in place of a directory opens a database that vanishes when it is closed.
const Memory = ":memory:"

// DefaultSuperuser is the name of a fresh database's first role.
const DefaultSuperuser = "omendb"

// closeGrace is how long Close lets running statements end.
const closeGrace = 5 * time.Second

// tempDir holds what statements spill; nothing in it outlives the process.
const tempDir = "temp"

// ErrInUse says that another process, or another DB of this one, has the directory open.
var ErrInUse = errors.New("the data directory is in use")

// DB is an open database. Its methods may be called concurrently.
type DB struct {
	opts  options
	tasks *task.Goroutines
	eng   *engine.DB
	srv   *sql.Server
	wire  *pgwire.Server
	fresh bool

	retention    retention
	preparation  preparation
	archiver     *backup.Archiver
	stopArchiver func()

	listeners sync.WaitGroup
	closing   sync.Once
	closed    error
}

// Open opens the database in a directory, which is created if it is not there,
// and recovers what was committed before a crash.
func Open(dir string, opts ...Option) (*DB, error) {
	o := defaults()
	for _, opt := range opts {
		opt(&o)
	}
	db := &DB{opts: o}
	fs := o.fs
	if dir == Memory {
		fs, dir = vfs.NewVolatile(), "omendb"
	}
	db.tasks = task.NewGoroutines(func(p *task.Panic) {
		o.log.Error().Str("event", "task.panic").Str("task", p.Task).Str("stack", string(p.Stack)).Msg(p.Error())
	})
	if err := db.open(fs, dir); err != nil {
		db.tasks.Close()
		if errors.Is(err, vfs.ErrLocked) {
			return nil, fmt.Errorf("%w: %s", ErrInUse, dir)
		}
		return nil, err
	}
	return db, nil
}

func (db *DB) open(fs vfs.FS, dir string) (err error) {
	o := &db.opts
	logging, err := o.logging()
	if err != nil {
		return err
	}
	happened := &event.Counts{}
	events := event.Multi(o.events, happened.Event)
	db.eng, err = engine.Open(engine.Options{FS: fs, Dir: dir, Clock: o.clock, Tasks: db.tasks, Log: o.log,
		CacheBytes: o.cacheBytes, MemtableBytes: o.memtableBytes, PartitionBytes: o.partitionBytes,
		MaxLogBytes: logging.maxBytes, MinLogBytes: logging.minBytes, CheckpointTimeout: logging.timeout, ScrubRate: o.scrubRate, Archive: o.archive != "", Events: events, Fatal: o.fatal})
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, db.eng.Close())
		}
	}()
	cat, err := catalog.Open(db.eng, catalog.Options{Superuser: o.superuser, MakeVerifier: db.makeVerifier, System: syscat.Relations()})
	if err != nil {
		return fmt.Errorf("open catalog: %w", err)
	}
	temp := path.Join(dir, tempDir)
	if err := emptyTemp(fs, temp); err != nil {
		return fmt.Errorf("remove old temporary files: %w", err)
	}
	db.srv, err = sql.Open(sql.Options{DB: db.eng, Catalog: cat, Clock: o.clock, Log: o.log, TempFS: fs, TempDir: temp, Events: events, Happened: happened,
		Memory: statementMemory(), MaxConnections: o.maxConnections, Defaults: o.settings, Seed: rand.Int64,
		HashPassword: func(password string) (string, error) {
			v, err := security.NewVerifier(password, o.random)
			return v.String(), err
		}})
	if err != nil {
		return err
	}
	if err := db.startArchiver(fs); err != nil {
		return err
	}
	db.startRetention()
	db.preparation.ctx, db.preparation.stop = context.WithCancel(context.Background())
	first := cat.View(nil, 0).Role(catalog.BootstrapSuperuser)
	db.wire, err = pgwire.NewServer(pgwire.Options{Backend: backend{db.srv}, Clock: o.clock, Log: o.log, Random: o.random,
		Certificates: o.certificates, RequireTLS: o.requireTLS, Authorities: o.authorities, ClientCert: o.clientCert, Owner: o.owner(first), MaxConnections: o.maxConnections, OnError: o.onError})
	return err
}

// emptyTemp removes what statements of an earlier process have left.
func emptyTemp(fs vfs.FS, dir string) error {
	if err := fs.MkdirAll(dir); err != nil {
		return err
	}
	names, err := fs.List(dir)
	for _, name := range names {
		err = errors.Join(err, fs.Remove(path.Join(dir, name)))
	}
	return err
}

// makeVerifier is called when the database is made.
func (db *DB) makeVerifier() (string, error) {
	db.fresh = true
	password := db.opts.password
	if db.opts.makePassword != nil {
		var err error
		if password, err = db.opts.makePassword(); err != nil {
			return "", err
		}
	}
	if password == "" {
		return "", nil
	}
	v, err := security.NewVerifier(password, db.opts.random)
	return v.String(), err
}

// Fresh reports whether this Open made the database.
func (db *DB) Fresh() bool { return db.fresh }

// Superuser returns the name of the first role.
func (db *DB) Superuser() string {
	if r := db.srv.Catalog().View(nil, 0).Role(catalog.BootstrapSuperuser); r != nil {
		return r.Name
	}
	return db.opts.superuser
}

// Connect returns a connection inside the process: a client's side that speaks
// PostgreSQL's protocol and is not asked for a password. Use it as what pgx's
// DialFunc returns.
func (db *DB) Connect() net.Conn {
	client, server := pgwire.Pipe()
	go db.wire.ServeConn(server, true)
	return client
}

// Listen accepts connections on a TCP address until the database is closed. The
// address that it returns tells the port if the one given was 0.
func (db *DB) Listen(addr string) (net.Addr, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	db.Serve(l)
	return l.Addr(), nil
}

// Serve accepts connections from a listener, in the background, until the
// database is closed.
func (db *DB) Serve(l net.Listener) {
	db.startPreparation()
	db.listeners.Add(1)
	go func() {
		defer db.listeners.Done()
		if err := db.wire.Serve(l); !errors.Is(err, pgwire.ErrServerClosed) {
			db.opts.log.Error().Str("event", "listen.failed").Err(err).Msg("no longer listening on " + l.Addr().String())
		}
	}()
}

// Counters are totals since Open, and the present number of sessions.
type Counters struct {
	Open                                             int
	Sessions, Commits, Rollbacks, Statements, Errors int64
	SnapshotLag, OldestTransaction, Prepared         int64 // log records, seconds, transactions
	SnapshotSeconds                                  float64

	StatementMemory, StatementMemoryLimit, StatementMemoryRefusals int64 // bytes, bytes, statements
}

// Bloat is what a table or an index has of versions that a newer one has
// replaced, and that are kept for a snapshot or until the next merge.
type Bloat struct {
	Store           string // name and number
	Versions, Bytes int64
}

// Bloat lists the tables and indexes with the most dead versions, at most limit of them.
func (db *DB) Bloat(limit int) (list []Bloat) {
	for _, b := range db.eng.Bloat(limit) {
		list = append(list, Bloat{Store: fmt.Sprintf("%s (%d)", b.Name, b.Store), Versions: b.Dead, Bytes: b.DeadBytes})
	}
	return list
}

// Counters returns how much the database has done.
func (db *DB) Counters() Counters {
	c := db.srv.Counters()
	return Counters{Open: db.srv.SessionCount(), Sessions: c.Sessions.Load(), Commits: c.Commits.Load(),
		Rollbacks: c.Rollbacks.Load(), Statements: c.Statements.Load(), Errors: c.Errors.Load(),
		StatementMemory: db.srv.Memory().Used(), StatementMemoryLimit: db.srv.Memory().Limit(), StatementMemoryRefusals: db.srv.Memory().Refused(),
		SnapshotLag: int64(db.eng.SnapshotLag()), OldestTransaction: db.srv.OldestTransaction(), Prepared: int64(len(db.eng.Prepared())),
		SnapshotSeconds: db.eng.SnapshotAge().Seconds()}
}

// Shutdown closes the database: it stops accepting, lets running statements end
// until ctx does, cancels the rest, and writes out what is in memory.
func (db *DB) Shutdown(ctx context.Context) error {
	db.closing.Do(func() {
		if err := db.wire.Shutdown(ctx); err != nil && ctx.Err() == nil {
			db.closed = err
		}
		db.listeners.Wait()
		db.finishPreparation()
		db.finishRetention()
		db.finishArchive()
		db.closed = errors.Join(db.closed, db.eng.Close())
		db.tasks.Close()
	})
	return db.closed
}

// Close closes the database as Shutdown does, within a few seconds.
func (db *DB) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeGrace)
	defer cancel()
	return db.Shutdown(ctx)
}

// backend is the session server as the wire protocol sees it.
type backend struct{ srv *sql.Server }

// Connect implements pgwire.Backend.
func (b backend) Connect(o sql.ConnectOptions) (pgwire.Session, error) {
	s, err := b.srv.Connect(o)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// postgresEpoch is where timestamps are counted from.
var postgresEpoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// Login implements pgwire.Backend.
func (b backend) Login(user string) (pgwire.Login, bool) {
	r := b.srv.Catalog().View(nil, 0).RoleByName(user)
	if r == nil {
		return pgwire.Login{}, false
	}
	l := pgwire.Login{Verifier: r.Verifier}
	if r.ValidUntil != 0 {
		l.ValidUntil = postgresEpoch.Add(time.Duration(r.ValidUntil) * time.Microsecond)
	}
	return l, true
}
