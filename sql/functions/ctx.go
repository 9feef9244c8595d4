package functions

import (
	"context"

	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// Ctx is one call site in one running statement: the types that were resolved
// for it and the world it may look at. One goroutine uses it at a time.
type Ctx struct {
	Context   context.Context
	Env       *types.Env
	Collation OID
	ArgTypes  []OID // resolved argument types
	RetType   OID   // resolved result type
	OutCols   []OutCol
	AggOrder  []AggSort // sort keys of WITHIN GROUP
	Variadic  bool      // called with VARIADIC on the last argument of a variadic "any" function
	Session   Session
	Catalog   Catalog
	// Domain tests a value against the constraints of a domain. May be nil.
	Domain func(domain OID, d types.Datum) error
	// Limit is what one value may take, in bytes; 0: no limit but that of a text.
	Limit int64
	// Left counts the calls that cancelled statements left working; nil: every call is waited for.
	Left *Left
	Memo any // what the function at this call site remembers (a compiled pattern); never shared
}

// OutCol is one column of a row type that the call returns: of a composite result
// type or of a column definition list.
type OutCol struct {
	Name   string
	Type   OID
	Typmod int32
}

// ctx returns a context, also when none was given.
func (c *Ctx) ctx() context.Context {
	if c.Context == nil {
		return context.Background()
	}
	return c.Context
}

// argType returns the resolved type of argument i, 0 when unknown.
func (c *Ctx) argType(i int) OID {
	if i < len(c.ArgTypes) {
		return c.ArgTypes[i]
	}
	return 0
}

// Session is what functions ask of the session that runs them.
type Session interface {
	CurrentUser() string
	SessionUser() string
	Database() string
	PID() int32
	// Setting returns a parameter as SHOW prints it; false when there is none of that name.
	Setting(name string) (string, bool)
	// SetSetting is SET (or SET LOCAL); it returns the value as SHOW prints it.
	SetSetting(name, value string, local bool) (string, error)
	// Random is the session's generator, seeded at its start.
	Random() *Random
	// Notice sends a notice or warning to the client.
	Notice(n *pgerr.Error)
	// TransactionID returns the transaction's id; assign gives it one when it has none.
	TransactionID(assign bool) (id uint64, assigned bool)
	// CurrentSnapshot returns pg_snapshot's fields.
	CurrentSnapshot() (xmin, xmax uint64, running []uint64)
	// TransactionStatus returns "committed", "aborted", "in progress", or "" for an
	// id too old to tell; an id in the future is an error.
	TransactionStatus(id uint64) (string, error)

	// Sequences, by their relation's OID; errors as PostgreSQL words them.
	SequenceNext(seq OID) (int64, error)
	// IdentityNext is SequenceNext for an identity column: who may insert into the table needs no right to the sequence.
	IdentityNext(seq OID) (int64, error)
	SequenceCurrent(seq OID) (int64, error)
	SequenceLast() (int64, error)
	SequenceSet(seq OID, value int64, called bool) error

	// CurrentOf returns a part of the identity of the row of a table on which a cursor stands: its tableoid, its ctid, or a
	// column of its storage key.
	CurrentOf(cursor string, table OID, part int) (types.Datum, error)

	// AdvisoryLock takes a lock; false when try and it is held by another.
	AdvisoryLock(ctx context.Context, l AdvisoryLock, try bool) (bool, error)
	// AdvisoryUnlock releases a session-level lock; false when it was not held.
	AdvisoryUnlock(l AdvisoryLock) bool
	// AdvisoryUnlockAll releases every session-level lock.
	AdvisoryUnlockAll()

	// BlockingProcesses lists the processes that keep one waiting for a lock, and
	// SnapshotBlockers those that a DEFERRABLE transaction of a process waits for.
	BlockingProcesses(pid int32) []int32
	SnapshotBlockers(pid int32) []int32
	// SignalBackend cancels the statement of another session, or ends the session.
	SignalBackend(pid int32, terminate bool) (bool, error)
	// ReloadConfig reads the server's settings again.
	ReloadConfig() error
	// Info answers what has no better place (the Info constants); false: unknown.
	Info(key InfoKey) (text string, ok bool)
}

// InfoKey names one fact of server or connection.
type InfoKey string

// The facts.
const (
	InfoClientAddr InfoKey = "client_addr" // empty on a Unix socket
	InfoClientPort InfoKey = "client_port"
	InfoServerAddr InfoKey = "server_addr"
	InfoServerPort InfoKey = "server_port"
	InfoStartTime  InfoKey = "start_time" // of the server, as timestamptz in µs
	InfoLoadTime   InfoKey = "load_time"  // of the configuration, as timestamptz in µs
	InfoVersion    InfoKey = "version"    // the text of version()
	InfoQuery      InfoKey = "query"      // the text of the running statement
)

// AdvisoryLock names an advisory lock and how it is held.
type AdvisoryLock struct {
	Key         int64
	Pair        bool // made of two int4: another key space than one int8
	Shared      bool
	Transaction bool // until the end of the transaction
}

// Catalog is what functions ask of the catalog, in the snapshot of their statement.
// The Names interface of types.Env covers reg* input and output.
type Catalog interface {
	// Call computes a system information function that works on catalog rows alone
	// (pg_get_indexdef, has_table_privilege, format_type, pg_relation_size …), by its
	// prosrc (SQL-language ones by Func.Signature); ok is false when it knows no such function.
	// pg_collation_for gets the OID of the collation.
	Call(c *Ctx, prosrc string, args []types.Datum) (d types.Datum, ok bool, err error)
	// CallSet does the same for those that return sets.
	CallSet(c *Ctx, prosrc string, args []types.Datum) (it SetIter, ok bool, err error)
	// SearchPath returns the schemas that unqualified names are looked up in;
	// implicit adds pg_catalog and the temporary schema.
	SearchPath(implicit bool) []string
	// TypeName prints a type as format_type does, with modifier -1 for none.
	TypeName(typ OID, typmod int32) string
}
