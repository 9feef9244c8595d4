package pgwire

import (
	"context"
	"time"

	"github.com/omendb/omendb/sql"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// Backend is what stands behind the protocol.
type Backend interface {
	// Login returns what is stored for the login of a role; false when there is no
	// such role.
	Login(user string) (Login, bool)
	// Connect starts a session for a user who has been authenticated.
	Connect(o sql.ConnectOptions) (Session, error)
}

// Login is what is stored for a role's login.
type Login struct {
	Verifier   string    // of SCRAM-SHA-256; empty: no password, so none is right
	ValidUntil time.Time // the password is valid until then; zero: forever
}

// Session is one connection's SQL. It is used by one goroutine, except for
// Cancel and Terminate. Slices that Bind is given are valid during the call only.
type Session interface {
	PID() int32
	Status() byte // 'I' idle, 'T' in a transaction, 'E' in a failed one
	Env() *types.Env
	// ReportedSettings are the parameters that clients are told about.
	ReportedSettings() map[string]string

	// Simple runs a query string. Its errors have marked the transaction already.
	Simple(ctx context.Context, text string, sink sql.Sink) error

	Parse(ctx context.Context, name, text string, params []uint32) error
	Bind(ctx context.Context, portal, statement string, paramFormats []int16, params [][]byte, resultFormats []int16) error
	// DescribeStatement and DescribePortal return nil columns for what yields no rows.
	DescribeStatement(ctx context.Context, name string) (params []uint32, cols []sql.Column, err error)
	DescribePortal(ctx context.Context, name string) ([]sql.Column, error)
	Execute(ctx context.Context, portal string, maxRows int64, sink sql.Sink) error
	CloseStatement(name string)
	ClosePortal(name string)
	// FunctionQuery is the query that calls a function, with its parameters' types.
	FunctionQuery(oid uint32, args int) (text string, params []uint32, err error)
	// Parameters is how many parameters a prepared statement has, -1 if there is none of the name.
	Parameters(statement string) int
	// Sync ends an implicit transaction.
	Sync(ctx context.Context) error
	// Failed marks the transaction after an error of the extended protocol.
	Failed(err error)

	// Wake yields when notifications arrived or the session was told to end.
	Wake() <-chan struct{}
	// DeliverNotifications passes on what other sessions sent, to Client.Notify.
	// It is called between transactions.
	DeliverNotifications()

	Cancel() (running bool)
	Terminate()
	Terminated() bool
	// Reason says why the session has to end, nil when it has not.
	Reason() *pgerr.Error
	// Lost is Terminate for a client that is gone.
	Lost()
	// IdleLimit is how long the client may say nothing now, 0 for ever; Expire
	// ends the session when it did not.
	IdleLimit() time.Duration
	Expire(inTransaction bool)
	Close()
}
