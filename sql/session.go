package sql

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/exec"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/settings"
	"github.com/omendb/omendb/sql/types"
)

// ConnectOptions describe a connection that has been authenticated.
type ConnectOptions struct {
	User     string
	Database string
	Settings map[string]string // of the start-up packet
	Client   Client
	// ClientAddr is "host:port", or empty on a Unix socket and in process.
	ClientAddr string
	ServerAddr string
	// Internal is the server's own work: it takes no client's place.
	Internal bool
	TLS      *TLS // nil: the connection is not encrypted
}

// TLS is what pg_stat_ssl shows of a connection; of the client's certificate only where it
// has shown one.
type TLS struct {
	Version, Cipher                  string // in OpenSSL's words
	Bits                             int
	ClientDN, ClientSerial, IssuerDN string
}

// Session is one connection.
type Session struct {
	srv    *Server
	pid    int32
	client Client
	opts   ConnectOptions

	domains   domainTests
	user      catalog.OID // the current role (SET ROLE)
	authUser  catalog.OID // the session's role (SET SESSION AUTHORIZATION)
	login     catalog.OID // who logged in
	database  catalog.OID
	values    *settings.Values
	env       *types.Env
	cat       *catalog.Session
	view      *catalog.View // of the running transaction, or of nothing between transactions
	random    *functions.Random
	started   int64
	pipelined bool // a statement was executed since the last Sync

	txn             *engine.Txn
	state           txnState
	savepoints      []savepoint
	deferred        *exec.Deferred
	exports         []string       // snapshots that the transaction has exported
	chained         []plan.Option  // characteristics that AND CHAIN gave to the transaction
	imported        bool           // the transaction has taken another's snapshot
	stopTransaction func() bool    // ends the time of transaction_timeout
	usedTemp        bool           // the transaction has touched a temporary table
	pendingNtf      []notification // to send at commit
	listenOps       []listenOp

	statements map[string]*statement
	portals    map[string]*portal
	short      pointPortal
	textPoints map[string]textPoint // by text without literals
	pending    shortAccesses
	sequences  map[catalog.OID]sequenceValue
	lastSeq    catalog.OID
	lockedSeq  catalog.OID // the sequence that the transaction has used last
	listening  map[string]bool

	path        []catalog.OID // effective search path
	pathVersion uint64
	pathBase    *catalog.Snapshot
	pathText    string // of pathOf, for keys
	pathOf      []catalog.OID
	knobs       knobs

	activity activity

	cancelMu    sync.Mutex
	cancel      context.CancelCauseFunc     // of the running statement
	reason      atomic.Pointer[pgerr.Error] // why the session has to end; nil: it has not
	keepAlive   bool                        // tcp_keepalives parameters were set
	timeoutAt   time.Time                   // when the messages since the last Sync or Execute began, where statement_timeout is set
	accesses    exec.Accesses               // what statements counted and the server was not told yet
	uncommitted bool                        // the transaction said READ UNCOMMITTED, which is READ COMMITTED by another name
	preparing   bool                        // a statement is planned that does not run yet
	closed      bool
	inbox       inbox
}

// savepoint is a named point inside a transaction.
type savepoint struct {
	name     string
	engine   int
	catalog  int
	settings int
	deferred int
	notify   int
	listen   int
	readOnly bool // a subtransaction's access mode ends with it
}

// sequenceValue is what currval returns.
type sequenceValue struct {
	value int64
	valid bool
}

// Connect starts a session for a user who has been authenticated.
func (s *Server) Connect(o ConnectOptions) (*Session, error) {
	x := &Session{srv: s, pid: s.nextPID.Add(1), client: o.Client, opts: o,
		statements: map[string]*statement{}, portals: map[string]*portal{}, sequences: map[catalog.OID]sequenceValue{},
		listening: map[string]bool{}}
	x.started = x.now()
	x.random = functions.NewRandom(uint64(s.opts.Seed()))
	view := s.opts.Catalog.View(nil, 0)
	role := view.RoleByName(o.User)
	if role == nil {
		return nil, pgerr.New(pgerr.InvalidAuthorizationSpecification, "role \"%s\" does not exist", o.User)
	}
	if !role.Login {
		return nil, pgerr.New(pgerr.InvalidAuthorizationSpecification, "role \"%s\" is not permitted to log in", o.User)
	}
	db := view.DatabaseByName(o.Database)
	if db == nil {
		return nil, pgerr.New(pgerr.InvalidCatalogName, "database \"%s\" does not exist", o.Database)
	}
	if !db.AllowConn {
		return nil, pgerr.New(pgerr.ObjectNotInPrerequisiteState, "database \"%s\" is not currently accepting connections", o.Database)
	}
	x.user, x.authUser, x.login, x.database = role.OID, role.OID, role.OID, db.OID
	if !role.Superuser && !x.hasPrivilege(view, db, catalog.ACLConnect) {
		return nil, pgerr.New(pgerr.InsufficientPrivilege, "permission denied for database \"%s\"", o.Database).
			WithDetail("User does not have CONNECT privilege.")
	}
	x.cat = s.opts.Catalog.NewSession(db.OID)
	x.view = x.cat.View(nil)
	if err := x.initSettings(role, db); err != nil {
		return nil, err
	}
	if err := s.register(x, role.Superuser); err != nil {
		return nil, err
	}
	x.inbox.wake = make(chan struct{}, 1)
	s.accesses.began(x)
	return x, nil
}

// initSettings applies defaults from the weakest to the strongest source.
func (x *Session) initSettings(role *catalog.Role, db *catalog.Database) error {
	x.values = settings.NewValues()
	x.env = types.NewEnv()
	x.env.Types = typeSource{x}
	x.env.Names = names{x}
	x.env.ClockNow = x.now
	x.env.Domain = x.testDomain
	x.values.Changed = x.settingChanged
	fixed := map[string]string{"session_authorization": role.Name, "is_superuser": onOff(role.Superuser), "server_encoding": "UTF8", "client_encoding": "UTF8"}
	sources := []map[string]string{x.srv.opts.Defaults, pairs(db.Settings), pairs(role.Settings), fixed}
	for _, src := range sources {
		for name, value := range src {
			if err := x.values.SetDefault(name, value); err != nil {
				x.notice(pgerr.From(err).WithSeverity("WARNING"))
			}
		}
	}
	for name, value := range x.opts.Settings {
		if name == "options" {
			continue
		}
		d, err := x.values.Describe(name)
		if err != nil && !strings.Contains(name, ".") {
			return err
		}
		if d != nil && (d.Context == "internal" || d.Context == "postmaster" || d.Context == "sighup") {
			return pgerr.New(pgerr.CantChangeRuntimeParam, "parameter \"%s\" cannot be changed", d.Name)
		}
		if err := x.values.SetDefault(name, value); err != nil {
			return err
		}
	}
	for _, d := range settings.All() {
		x.applySetting(d, x.values.Get(d.Name))
	}
	return nil
}

func onOff(b bool) string {
	if b {
		return "on"
	}
	return "off"
}

// pairs splits name=value settings of roles and databases.
func pairs(list []string) map[string]string {
	out := map[string]string{}
	for _, s := range list {
		name, value, _ := strings.Cut(s, "=")
		out[name] = value
	}
	return out
}

// ReportedSettings returns what clients are told at the start, by name.
func (x *Session) ReportedSettings() map[string]string {
	out := map[string]string{}
	for _, d := range settings.All() {
		if d.Report {
			out[d.Name] = d.Show(x.values.Get(d.Name))
		}
	}
	return out
}

// PID returns the number that BackendKeyData and pg_backend_pid tell.
func (x *Session) PID() int32 { return x.pid }

// Env returns what input and output of values depend on.
func (x *Session) Env() *types.Env { return x.env }

// Status is ReadyForQuery's: 'I' idle, 'T' in a transaction, 'E' in a failed one.
func (x *Session) Status() byte {
	switch x.state {
	case txnBlock:
		return 'T'
	case txnFailed:
		return 'E'
	}
	return 'I'
}

// now returns the wall time as timestamptz.
func (x *Session) now() int64 { return timestamp(x.srv.opts.Clock.Now()) }

func (x *Session) notice(n *pgerr.Error) {
	if noticeRank(n.Severity) < noticeRank(strings.ToUpper(x.values.Get("client_min_messages"))) && n.Severity != "INFO" {
		return
	}
	if x.client != nil {
		x.client.Notice(n)
	}
}

func noticeRank(severity string) int {
	switch severity {
	case "DEBUG5", "DEBUG4", "DEBUG3", "DEBUG2", "DEBUG1", "DEBUG":
		return 1
	case "LOG":
		return 2
	case "", "NOTICE":
		return 3
	case "WARNING":
		return 4
	}
	return 5
}

// Cancel stops the running statement, from any goroutine, and reports whether there was one.
func (x *Session) Cancel() bool { return x.interrupt(errCanceled) }

func (x *Session) interrupt(cause error) (running bool) {
	x.cancelMu.Lock()
	defer x.cancelMu.Unlock()
	if x.cancel != nil {
		x.cancel(cause)
	}
	return x.cancel != nil
}

// statementContext makes the context of one message; done releases it.
func (x *Session) statementContext(ctx context.Context) (context.Context, func(), error) {
	if e := x.reason.Load(); e != nil {
		return nil, nil, e
	}
	ctx, cancel := context.WithCancelCause(ctx)
	x.cancelMu.Lock()
	x.cancel = cancel
	x.cancelMu.Unlock()
	stop, err := x.armTimeout(cancel)
	done := func() {
		stop()
		x.cancelMu.Lock()
		x.cancel = nil
		x.cancelMu.Unlock()
		cancel(nil)
	}
	if err != nil {
		done()
	}
	return ctx, done, err
}

// armTimeout cancels the message when statement_timeout is over. The time
// counts from the first message after the last Execute, Sync or query, so a
// client that thinks between Parse and Bind uses it up as well.
func (x *Session) armTimeout(cancel context.CancelCauseFunc) (stop func() bool, err error) {
	stop = func() bool { return true }
	ms := x.knob().timeout
	if ms <= 0 {
		return stop, nil
	}
	now := x.srv.opts.Clock.Now()
	if x.timeoutAt.IsZero() {
		x.timeoutAt = now
	}
	left := ms - now.Sub(x.timeoutAt).Milliseconds()
	if left <= 0 {
		x.clearTimeout()
		return stop, errTimeout
	}
	return afterFunc(left, func() { cancel(errTimeout) }), nil
}

// clearTimeout lets the time of statement_timeout start anew.
func (x *Session) clearTimeout() { x.timeoutAt = time.Time{} }

// Close ends the session: its transaction is rolled back, its locks, temporary
// tables and notifications go.
func (x *Session) Close() {
	if x.closed {
		return
	}
	x.closed = true
	x.closePortals(true)
	if x.txn != nil {
		x.rollback()
	}
	x.dropTemp()
	x.endShort()
	x.foldShort()
	x.srv.accesses.ended(x)
	x.srv.notifier.unlistenAll(x)
	x.srv.opts.DB.EndSession(x.pid)
	x.srv.unregister(x)
}
