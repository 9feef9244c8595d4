package functions

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/types"
)

// OID identifies a catalog object.
type OID = types.OID

// The name spaces that every database has.
const (
	PgCatalog OID = 11
	PgPublic  OID = 2200
)

// The languages of functions (pg_language).
const (
	LangInternal OID = 12
	LangC        OID = 13
	LangSQL      OID = 14
)

// EvalFunc computes one value. A strict function gets no NULL.
type EvalFunc func(c *Ctx, args []column.Datum) (column.Datum, error)

// VecFunc computes n values at once: row r of out from row r of every argument, for
// the rows in sel (nil: rows 0 to n-1). It makes out n rows long, handles NULLs and
// leaves rows outside sel unspecified. An argument of length 1 is a constant: its
// only row serves every row. out is none of the arguments.
type VecFunc func(c *Ctx, args []*column.Vec, sel []int32, n int, out *column.Vec) error

// SetIter yields the rows of a set-returning function: one datum per OUT column,
// or just one.
type SetIter interface {
	Next() (row []column.Datum, ok bool, err error)
}

// SetFunc starts a set-returning function.
type SetFunc func(c *Ctx, args []column.Datum) (SetIter, error)

// Func is one function: a row of pg_proc, and how to compute it. User-defined
// functions have the same form; their computation is filled in by who defines them.
type Func struct {
	OID          OID
	Name         string
	Namespace    OID
	Lang         OID
	Kind         byte // 'f' function, 'a' aggregate, 'w' window function, 'p' procedure
	Args         []OID
	AllArgs      []OID    // with OUT columns; nil when there are only IN arguments
	Modes        []byte   // i o b v t, parallel to AllArgs; nil with it
	Names        []string // of all arguments, "" for none; nil when no argument has one
	Defaults     []string // SQL text, for the last len(Defaults) input arguments
	DefaultTypes []OID    // of the defaults, parallel to them; nil: those of the parameters
	Variadic     OID      // element type of the variadic parameter, ANY for "any", or 0
	Ret          OID
	RetSet       bool
	Volatile     byte // 'i' immutable, 's' stable, 'v' volatile
	Parallel     byte // 's' safe, 'r' restricted, 'u' unsafe
	Strict       bool
	LeakProof    bool
	SecDef       bool
	Cost         float64
	Rows         float64
	Support      OID
	Src          string // prosrc
	Bin          string // probin
	Body         string // prosqlbody, deparsed

	Eval EvalFunc
	Vec  VecFunc
	Set  SetFunc
	Agg  *Aggregate
	Win  WinFunc
}

// Implemented reports whether the function can be called, not only described.
func (f *Func) Implemented() bool {
	return f.Eval != nil || f.Set != nil || f.Win != nil || (f.Agg != nil && f.Agg.New != nil)
}

// OutColumns returns the names and types of the OUT, INOUT and TABLE arguments;
// none when the function returns a plain value.
func (f *Func) OutColumns() (names []string, typs []OID) {
	for i, m := range f.Modes {
		if m == 'o' || m == 'b' || m == 't' {
			name := ""
			if i < len(f.Names) {
				name = f.Names[i]
			}
			names, typs = append(names, name), append(typs, f.AllArgs[i])
		}
	}
	return names, typs
}

// InputNames returns the names of the input arguments, "" for none.
func (f *Func) InputNames() []string {
	if f.Names == nil {
		return nil
	}
	if f.Modes == nil {
		return f.Names
	}
	var names []string
	for i, m := range f.Modes {
		if m == 'i' || m == 'b' || m == 'v' {
			name := ""
			if i < len(f.Names) {
				name = f.Names[i]
			}
			names = append(names, name)
		}
	}
	return names
}

// Aggregate holds the facts of an aggregate (pg_aggregate) and how to compute it.
type Aggregate struct {
	Kind       byte // 'n' normal, 'o' ordered-set, 'h' hypothetical-set
	DirectArgs int
	SortOp     OID // min and max: the operator by whose order the first row is the answer
	TransFn    OID
	FinalFn    OID
	TransType  OID
	InitVal    string
	HasInit    bool
	CombineFn  OID // not 0: partial states can be combined
	FinalExtra bool

	// Trans and Final are set for user-defined aggregates, which the executor computes by
	// calling them.
	Trans, Final *Func

	// New returns the state for any number of groups; nil for user-defined aggregates, and for those whose use is refused
	// with 0A000.
	New func(c *Ctx) AggState
}

// AggState is the running state of one aggregate call for many groups, numbered
// densely from 0. DISTINCT, ORDER BY and FILTER are applied by the caller, who
// feeds ordered-set aggregates their rows in order. NULL inputs are the state's
// affair.
type AggState interface {
	// Grow makes groups 0 to n-1 exist.
	Grow(n int)
	// Accumulate feeds rows: the i-th row present (sel[i], or i when sel is nil)
	// belongs to group groups[i]; groups nil means that all belong to group 0.
	// n is the length of the arguments; count(*) has none. Arguments of length 1 are
	// constants. The state copies what it keeps.
	Accumulate(groups []int32, args []*column.Vec, sel []int32, n int) error
	// Combine adds group i of other, a state of the same aggregate, to group groups[i].
	// It fails with 0A000 when the aggregate cannot (see CombineFn).
	Combine(other AggState, groups []int32) error
	// Result returns the value of a group. It may be called more than once and
	// between calls of Accumulate. Direct arguments are of ordered-set aggregates.
	Result(group int, direct []column.Datum) (column.Datum, error)
	// Reset empties a group.
	Reset(group int)
	// Size estimates the bytes held.
	Size() int64
}

// AggLane is implemented by states that can yield many groups at once: those of n
// groups from start on, as rows of v, which are there and not NULL.
type AggLane interface {
	Results(start, n int, v *column.Vec)
}

// AggRunner is implemented by states that can yield their value after each of
// many rows. Run feeds all rows of arg, nil for count(*), to group 0, which is emptied before the
// rows marked in fresh, and puts the value after each row into out, which has these rows and no NULL.
type AggRunner interface {
	Run(arg *column.Vec, fresh []bool, out *column.Vec) error
}

// AggRemover is implemented by states that can take rows back, for moving window
// frames. Remove reports false when it cannot undo exactly; the caller then computes afresh.
type AggRemover interface {
	Remove(group int, args []column.Datum) (ok bool, err error)
}

// WinRow is the view that a window function has of its partition, at one row.
// Rows are numbered from 0 in window order.
type WinRow interface {
	Rows() int      // rows of the partition
	Row() int       // the current row
	PeerStart() int // the first peer of the current row
	PeerEnd() int   // one past the last peer
	PeerGroup() int // peer groups before this one
	// FrameRow returns the k-th row of the frame (exclusions applied); negative k
	// counts from the end, -1 being the last.
	FrameRow(k int) (row int, ok bool)
	// FrameLen returns the number of rows in the frame.
	FrameLen() int
	// Arg returns argument i evaluated at a row.
	Arg(i, row int) (column.Datum, error)
}

// WinFunc computes a window function at one row.
type WinFunc func(c *Ctx, w WinRow) (column.Datum, error)
