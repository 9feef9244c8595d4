package sql

import (
	"sync"
	"sync/atomic"

	"github.com/omendb/omendb/sql/catalog"
)

// activity is what pg_stat_activity shows of a session, and what the session
// remembers about its current statement and transaction.
type activity struct {
	mu           sync.Mutex // guards what other sessions read
	query        string
	state        string
	queryStart   int64
	stateSince   int64
	txnStart     int64 // 0 outside transactions
	application  string
	transactions uint64
	active       int64 // µs in statements that have ended

	wait atomic.Pointer[string] // what the session waits for, if not for a lock or the client

	// The session's own:
	command    string // first word of the running statement
	statements int    // statements of the transaction that took a snapshot
}

// Activity is a copy of what one session is doing. Times are timestamptz.
type Activity struct {
	PID                                                    int32
	User, Database                                         catalog.OID
	Application, Client                                    string
	Query, State                                           string
	BackendStart, QueryStart, StateSince, TransactionStart int64
	Transactions                                           uint64 // begun so far
	WaitEvent                                              string
	TLS                                                    *TLS
	SessionTime, ActiveTime                                int64 // µs
	Internal                                               bool  // the server's own work
}

// What a session waits for, as pg_stat_activity shows it: class and event.
var (
	waitSync  = "IO/WALSync"
	waitSleep = "Timeout/PgSleep"
)

// waiting shows what the session waits for until the function returned is called.
func (a *activity) waiting(event *string) (done func()) {
	a.wait.Store(event)
	return a.awake
}

func (a *activity) awake() { a.wait.Store(nil) }

// maxActivityQuery is how much of a query's text other sessions can see
// (track_activity_query_size).
const maxActivityQuery = 1024

func (a *activity) start(text string, now int64) {
	if len(text) > maxActivityQuery {
		text = text[:maxActivityQuery]
	}
	a.mu.Lock()
	a.query, a.state, a.queryStart, a.stateSince = text, "active", now, now
	a.mu.Unlock()
}

func (a *activity) idle(x *Session) {
	now := x.now()
	a.mu.Lock()
	if a.state == "active" {
		a.active += now - a.queryStart
	}
	switch x.Status() {
	case 'T':
		a.state = "idle in transaction"
	case 'E':
		a.state = "idle in transaction (aborted)"
	default:
		a.state = "idle"
	}
	a.stateSince = now
	a.mu.Unlock()
}

// ran shows a query that began and ended now.
func (a *activity) ran(x *Session, text string) {
	if len(text) > maxActivityQuery {
		text = text[:maxActivityQuery]
	}
	now := x.now()
	a.mu.Lock()
	a.query, a.queryStart, a.stateSince = text, now, now
	a.state = "idle"
	if x.state == txnBlock {
		a.state = "idle in transaction"
	}
	if x.txn == nil {
		a.transactions++
	}
	a.mu.Unlock()
}

func (a *activity) begin(now int64) {
	a.statements = 0
	a.mu.Lock()
	a.txnStart = now
	a.transactions++
	a.mu.Unlock()
}

func (a *activity) end() {
	a.mu.Lock()
	a.txnStart = 0
	a.mu.Unlock()
}

// Activity returns what the session is doing, from any goroutine.
func (x *Session) Activity() Activity {
	a := &x.activity
	a.mu.Lock()
	defer a.mu.Unlock()
	event := ""
	if w := a.wait.Load(); w != nil {
		event = *w
	}
	if event == "" && x.srv.opts.DB.Stalled(x.pid) {
		event = "IO/MemtableFlush"
	}
	now, running := x.now(), int64(0)
	if a.state == "active" {
		running = now - a.queryStart
	}
	return Activity{Internal: x.opts.Internal, SessionTime: now - x.started, ActiveTime: a.active + running, Transactions: a.transactions, WaitEvent: event, PID: x.pid, User: x.login, Database: x.database, Application: a.application, Client: x.opts.ClientAddr, TLS: x.opts.TLS,
		Query: a.query, State: a.state, BackendStart: x.started, QueryStart: a.queryStart, StateSince: a.stateSince, TransactionStart: a.txnStart}
}

// Sleeping is called by pg_sleep.
func (f functionSession) Sleeping() (awake func()) { return f.x.activity.waiting(&waitSleep) }

// OldestTransaction returns the age of the oldest running transaction in seconds.
func (s *Server) OldestTransaction() (seconds int64) {
	now := timestamp(s.opts.Clock.Now())
	s.Each(func(x *Session) {
		if start := x.Activity().TransactionStart; start != 0 {
			seconds = max(seconds, (now-start)/1e6)
		}
	})
	return seconds
}
