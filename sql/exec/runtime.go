package exec

import (
	"context"
	"time"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/internal/clock"
	"github.com/omendb/omendb/internal/vfs"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// OID identifies types, functions and relations.
type OID = uint32

// DefaultMemoryLimit is what one operator may hold before it spills when the
// session says nothing: PostgreSQL's work_mem is 4 MB; vectors want more.
const DefaultMemoryLimit = 64 << 20

// DefaultQueryLimit bounds all memory of one statement, spilling or not: beyond
// it a statement ends with 53200 instead of ending the server.
const DefaultQueryLimit = 1 << 30

// Runtime is one execution of one statement, made by the session. It serves one
// goroutine.
type Runtime struct {
	Context   context.Context
	DB        *engine.DB
	Txn       *engine.Txn
	Snapshot  *engine.Snapshot
	Isolation engine.Isolation
	Catalog   *catalog.View
	Binder    Binder
	Functions *functions.Ctx // types, session and catalog of the call sites
	Params    []column.Datum

	// Deferred holds what is checked when the transaction commits (or when SET
	// CONSTRAINTS says so). The session keeps one per transaction.
	Deferred *Deferred
	// InUse reports whether an open cursor reads a table; may be nil.
	InUse func(table OID) bool

	// Accesses counts what the statement reads and writes; nil: nobody asks.
	Accesses Accesses

	MemoryLimit int64 // per operator before it spills (work_mem); 0: DefaultMemoryLimit
	QueryLimit  int64 // per statement; 0: DefaultQueryLimit
	TempFS      vfs.FS
	// Pool is what all statements of the server may hold together; nil: nobody asks. Who runs a statement calls Release
	// when it has ended.
	Pool *MemoryPool

	// HashMultiplier is by how much hash tables may be larger than MemoryLimit (hash_mem_multiplier).
	HashMultiplier float64
	TempDir        string

	Knobs      Knobs
	Notice     func(*pgerr.Error)
	Instrument bool        // measure every node for EXPLAIN ANALYZE
	Clock      clock.Clock // for Instrument

	// BeforeWrite is called before a statement that may change something, so that
	// the session can refuse it (read-only transactions). May be nil.
	BeforeWrite func() error

	// WithSettings puts settings, as name=value, into force until restore is called. May be nil.
	WithSettings func(list []string) (restore func(), err error)

	// CheckAccess checks the privileges that the statements of SQL functions need. May be nil.
	CheckAccess func([]plan.Access) error

	// routines are the SQL functions that the statement has called so far; depth is how many
	// of them are running.
	routines map[routineKey]*plan.Routine
	depth    int

	share *memoryShare // of Pool; nil while the statement holds little
	held  int64        // bytes that the statement's parts hold

	// HashPassword makes the verifier of a password (CREATE ROLE … PASSWORD). May be nil.
	HashPassword func(password string) (string, error)
}

// Knobs switch ways of computing the same answer, for tests and for comparison.
type Knobs struct {
	NoLearned   bool // do not use learned models
	RowAtATime  bool // compute every expression row by row
	NoFastPath  bool // run single-key statements through operators
	BatchSize   int  // rows per materialized batch; 0: column.BatchSize
	AlwaysSpill bool // spill as if there were no memory
	NoPacking   bool // hash and compare keys as they are: no arrays by value, no packing of several columns into one integer

	Workers      int   // goroutines that one scan may be split among; below 2: one
	ParallelRows int64 // the least rows of a scan that is split; 0: a sensible number
}

// Binder is what execution needs of the layers before it.
type Binder interface {
	// DecodeExpr reads a stored expression (default, check, index key, predicate).
	// Its Vars have Level 0 and Rel 0 and refer to the attributes of the object
	// it was stored with.
	DecodeExpr(encoded []byte) (plan.Expr, error)
}

// VirtualTable computes the rows of a system catalog. Relation.Virtual holds one.
type VirtualTable interface {
	// Rows calls yield for every row that satisfies the restrictions, all attributes in
	// order, until it returns false. It may use the row again.
	Rows(rt *Runtime, read VirtualRead, yield func(row []column.Datum) bool) error
}

// VirtualRead says what is wanted of a system catalog.
type VirtualRead struct {
	Need  []bool // by attribute: which are read, the others may hold anything; nil: all
	Equal []VirtualEqual
}

// Passes reports whether a row satisfies the restrictions.
func (r *VirtualRead) Passes(row []column.Datum) bool {
	for i := range r.Equal {
		q := &r.Equal[i]
		if d := &row[q.Attr]; d.Null || d.I != q.Value.I || string(d.B) != string(q.Value.B) {
			return false
		}
	}
	return true
}

// VirtualEqual restricts a system catalog's rows to those whose attribute
// (0-based) equals a value that is not NULL.
type VirtualEqual struct {
	Attr  int
	Value column.Datum
}

// VirtualColumns is a VirtualTable that can hand over all of its rows at once.
type VirtualColumns interface {
	VirtualTable
	// Columns returns the rows as batches of the given attributes, which nobody may write
	// to; false when these attributes cannot be had this way.
	Columns(rt *Runtime, attrs []int) ([]column.Batch, bool)
}

// VirtualFinder is a VirtualColumns whose rows can be found in place.
type VirtualFinder interface {
	VirtualColumns
	// Finder returns an index by some attributes over the batches of Columns; false where there is none, or where
	// making it costs more than the calls of Rows so far. Lookups is how many there were since the last time.
	Finder(rt *Runtime, attrs, by []int, lookups int) (VirtualIndex, bool)
}

// VirtualIndex finds rows of a VirtualFinder for one statement.
type VirtualIndex interface {
	Batches() []column.Batch
	// Find appends the rows that satisfy restrictions on all attributes of the index, counted through all batches,
	// of which each takes up BatchSize numbers.
	Find(equal []VirtualEqual, dst []int32) []int32
	// Current reports whether the catalog is still that of the rows.
	Current(rt *Runtime) bool
}

// Result is what a utility statement yields.
type Result struct {
	Tag     string
	Columns []*plan.Target
	Rows    [][]column.Datum
}

func (rt *Runtime) memoryLimit() int64 {
	if rt.Knobs.AlwaysSpill {
		return 1
	}
	limit := rt.MemoryLimit
	if limit <= 0 {
		limit = DefaultMemoryLimit
	}
	return rt.Pool.bounded(limit)
}

// hashLimit is memoryLimit for hash tables, which lose more by going to disk.
func (rt *Runtime) hashLimit() int64 {
	if rt.HashMultiplier > 1 && !rt.Knobs.AlwaysSpill {
		return int64(float64(rt.memoryLimit()) * rt.HashMultiplier)
	}
	return rt.memoryLimit()
}

func (rt *Runtime) batchSize() int {
	if rt.Knobs.BatchSize > 0 {
		return rt.Knobs.BatchSize
	}
	return column.BatchSize
}

// live is the context in which a statement runs now: that of a cursor or portal is another one with each FETCH and Execute.
type live struct{ rt *Runtime }

func (l live) context() context.Context {
	if l.rt.Context == nil {
		return context.Background()
	}
	return l.rt.Context
}

// Now returns the context that l stands for now.
func (l live) Now() context.Context { return l.context() }

// Deadline implements context.Context.
func (l live) Deadline() (time.Time, bool) { return l.context().Deadline() }

// Done implements context.Context.
func (l live) Done() <-chan struct{} { return l.context().Done() }

// Err implements context.Context.
func (l live) Err() error { return l.context().Err() }

// Value implements context.Context.
func (l live) Value(key any) any { return l.context().Value(key) }

// canceled returns the error of a statement that was told to stop.
func (rt *Runtime) canceled() error {
	if rt.Context == nil {
		return nil
	}
	if err := context.Cause(rt.Context); err != nil {
		return pgerr.From(err)
	}
	return nil
}
