package sql

import (
	"time"

	"github.com/omendb/omendb/sql/pgerr"
)

// The causes of a statement's or a session's end.
var (
	errTerminated = fatal(pgerr.AdminShutdown, "terminating connection due to administrator command")
	errTimeout    = pgerr.New(pgerr.QueryCanceled, "canceling statement due to statement timeout")
	errCanceled   = pgerr.New(pgerr.QueryCanceled, "canceling statement due to user request")
	errLost       = fatal(pgerr.ConnectionFailure, "connection to client lost")

	errIdleInTransaction  = fatal(pgerr.IdleInTransactionSessionTimeout, "terminating connection due to idle-in-transaction timeout")
	errIdleSession        = fatal(pgerr.IdleSessionTimeout, "terminating connection due to idle-session timeout")
	errTransactionTimeout = fatal(transactionTimeout, "terminating connection due to transaction timeout")
)

// transactionTimeout is the SQLSTATE that PostgreSQL 17 has given to transaction_timeout.
const transactionTimeout = "25P04"

func fatal(code, message string) *pgerr.Error {
	return pgerr.New(code, "%s", message).WithSeverity("FATAL")
}

// Terminate makes the running statement and every later one fail with 57P01,
// from any goroutine.
func (x *Session) Terminate() { x.terminate(errTerminated) }

// Lost is Terminate for a client that is gone.
func (x *Session) Lost() { x.terminate(errLost) }

func (x *Session) terminate(why *pgerr.Error) {
	x.reason.CompareAndSwap(nil, why)
	x.interrupt(x.reason.Load())
	x.inbox.poke()
}

// Terminated reports whether the session has to end.
func (x *Session) Terminated() bool { return x.reason.Load() != nil }

// Reason returns why the session has to end, nil when it has not.
func (x *Session) Reason() *pgerr.Error { return x.reason.Load() }

// IdleLimit returns how long the client may now say nothing; 0 is for ever.
func (x *Session) IdleLimit() time.Duration {
	k := x.knob()
	ms := k.idleSession
	if x.state != txnIdle {
		ms = k.idleInTransaction
	}
	return time.Duration(ms) * time.Millisecond
}

// Expire ends the session because its client has said nothing for IdleLimit.
// The connection calls it while it waits for the client.
func (x *Session) Expire(inTransaction bool) {
	if inTransaction {
		x.terminate(errIdleInTransaction)
		return
	}
	x.terminate(errIdleSession)
}

// armTransaction starts the time of transaction_timeout when a transaction
// begins or the setting changes.
func (x *Session) armTransaction() {
	if x.stopTransaction != nil {
		x.stopTransaction()
		x.stopTransaction = nil
	}
	if x.txn == nil {
		return
	}
	if ms := x.values.Int("transaction_timeout"); ms > 0 {
		left := max(1, ms-(x.now()-x.env.Now)/1000)
		x.stopTransaction = afterFunc(left, func() { x.terminate(errTransactionTimeout) })
	}
}

// KeepAliver is a Client that can probe a silent connection.
type KeepAliver interface {
	// KeepAlive sets how long the connection is silent before it is probed, the
	// time between probes and how many may fail; 0 is the system's default.
	KeepAlive(idle, interval time.Duration, count int)
	// UserTimeout sets how long what was sent may stay unacknowledged; 0 is the
	// system's default.
	UserTimeout(d time.Duration)
}

// applyUserTimeout hands tcp_user_timeout to the connection.
func (x *Session) applyUserTimeout() {
	if k, ok := x.client.(KeepAliver); ok {
		k.UserTimeout(time.Duration(x.values.Int("tcp_user_timeout")) * time.Millisecond)
	}
}

// applyKeepAlive hands the tcp_keepalives parameters to the connection.
func (x *Session) applyKeepAlive() {
	idle, interval, count := x.values.Int("tcp_keepalives_idle"), x.values.Int("tcp_keepalives_interval"), x.values.Int("tcp_keepalives_count")
	k, ok := x.client.(KeepAliver)
	if !ok || !x.keepAlive && idle == 0 && interval == 0 && count == 0 {
		return
	}
	x.keepAlive = true
	k.KeepAlive(time.Duration(idle)*time.Second, time.Duration(interval)*time.Second, int(count))
}
