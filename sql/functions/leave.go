package functions

import (
	"strings"
	"sync/atomic"
	"unsafe"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/types"
)

// A call with large arguments may last for seconds inside a loop that does not look whether the statement was cancelled: a
// multiplication of numerics, a regular expression being compiled, text being converted. Such a call works beside the
// statement, on copies of its arguments and of what it may look at, and is left to itself when the statement is cancelled: it
// ends soon, since where it does look it learns of that, and nobody sees its result.

// Sizes of arguments from which on a call works beside its statement: everything below takes a millisecond or so, and a
// goroutine some microseconds. Arithmetic takes more than time in proportion to the digits.
const (
	largeArguments = 64 << 10
	largeNumerics  = 1 << 10
)

// maxLeft is how many calls may be left working at the same time; beyond it calls are waited for.
const maxLeft = 64

// Left counts the calls of a server that go on though their statements were cancelled.
type Left struct{ n atomic.Int64 }

func argumentBytes(args []column.Datum) (size int) {
	for i := range args {
		size += len(args[i].B)
	}
	return size
}

// Call computes f, which has an Eval.
func (f *Func) Call(c *Ctx, args []column.Datum) (column.Datum, error) {
	size := argumentBytes(args)
	if size < largeNumerics || c.Left == nil || !f.leavable(c, size) {
		return f.Eval(c, args)
	}
	return Leaving(c, args, f.Eval)
}

// CallVec computes one row of f, which only has a Vec.
func (f *Func) CallVec(c *Ctx, args []column.Datum) (column.Datum, error) {
	size := argumentBytes(args)
	if size < largeArguments || c.Left == nil || !f.leavable(c, size) {
		return f.oneRow(c, args)
	}
	return Leaving(c, args, f.oneRow)
}

func (f *Func) oneRow(c *Ctx, args []column.Datum) (column.Datum, error) {
	in := make([]*column.Vec, len(args))
	for i, d := range args {
		in[i] = &column.Vec{}
		in[i].Resize(c.Env.Kind(c.ArgTypes[i]), 1)
		in[i].Set(0, d)
	}
	var out column.Vec
	if err := f.Vec(c, in, nil, 1, &out); err != nil {
		return column.Datum{}, err
	}
	return out.Datum(0), nil
}

// leavable reports whether a call is long enough to be worth a goroutine, and needs neither session nor catalog.
func (f *Func) leavable(c *Ctx, size int) bool {
	if size < largeArguments && (len(c.ArgTypes) == 0 || c.ArgTypes[0] != types.NumericOID) {
		return false
	}
	if f.Volatile == 'v' || f.Lang != LangInternal || AsksCatalog(f) || !builtIns(c) {
		return false
	}
	return f.Volatile == 'i' || !asksSession[f.Src]
}

// builtIns reports whether all types of a call are built in.
func builtIns(c *Ctx) bool {
	for _, t := range c.ArgTypes {
		if !builtIn(t) {
			return false
		}
	}
	return builtIn(c.RetType) && c.Collation < firstUserOID
}

// builtIn reports whether values of a type need no look into the catalog. Those of rows may hold anything.
func builtIn(t OID) bool {
	return t < firstUserOID && t != types.RecordOID && t != types.RecordArrayOID
}

// asksSession are functions of large arguments that are not volatile and ask the session.
var asksSession = map[string]bool{"show_config_by_name": true, "show_config_by_name_missing_ok": true, "similarity_op": true}

// LargeValue reports whether a cast of a value through its text is worth a goroutine (see Leaving).
func LargeValue(c *Ctx, d column.Datum, from, to OID) bool {
	return len(d.B) >= largeArguments && c.Left != nil && builtIn(from) && builtIn(to)
}

// Start starts f, which has a Set.
func (f *Func) Start(c *Ctx, args []column.Datum) (SetIter, error) {
	size := argumentBytes(args)
	if size < largeArguments || c.Left == nil || !f.leavable(c, size) {
		return f.Set(c, args)
	}
	return leaving(c, args, f.Set)
}

// Leaving computes eval of copies of the arguments, and returns at once when the statement is cancelled meanwhile.
func Leaving(c *Ctx, args []column.Datum, eval EvalFunc) (column.Datum, error) {
	return leaving(c, args, eval)
}

// clonePiece is how many bytes of an argument are copied between two looks at whether the statement was cancelled: some
// hundred microseconds, new pages of memory included.
const clonePiece = 1 << 20

// clone copies a value; that of one of many MB takes as long as many a function.
func (c *Ctx) clone(d column.Datum) (column.Datum, error) {
	if len(d.B) <= clonePiece {
		return d.Clone(), nil
	}
	b, err := c.joinPieces(d.B)
	d.B = b
	return d, err
}

// joinPieces joins what may be many MB, until the statement is cancelled. The memory is not cleared before, which alone
// takes longer than a cancel may.
func (c *Ctx) joinPieces(parts ...[]byte) ([]byte, error) {
	size := 0
	for _, p := range parts {
		size += len(p)
	}
	var out strings.Builder
	out.Grow(size)
	for _, p := range parts {
		for ; len(p) > clonePiece; p = p[clonePiece:] {
			out.Write(p[:clonePiece])
			if err := c.Canceled(); err != nil {
				return nil, err
			}
		}
		out.Write(p)
	}
	return unsafe.Slice(unsafe.StringData(out.String()), out.Len()), nil // nobody else has the string
}

func leaving[T any](c *Ctx, args []column.Datum, eval func(*Ctx, []column.Datum) (T, error)) (out T, err error) {
	if c.Context == nil || c.Left.n.Load() >= maxLeft {
		return eval(c, args)
	}
	ctx := c.Context
	if l, ok := ctx.(liveContext); ok {
		ctx = l.Now()
	}
	if ctx.Done() == nil {
		return eval(c, args)
	}
	copies := make([]column.Datum, len(args))
	for i := range args {
		var err error
		if copies[i], err = c.clone(args[i]); err != nil {
			return out, err
		}
	}
	env, nowRead := *c.Env, false
	env.NowRead, env.Types, env.Names, env.CollationSource, env.Domain = &nowRead, nil, nil, nil, nil
	other := *c
	other.Context, other.Env, other.Session, other.Catalog, other.Domain = ctx, &env, nil, nil, nil
	c.Left.n.Add(1)
	d, err := Beside(ctx, func() (T, error) {
		defer c.Left.n.Add(-1)
		return eval(&other, copies)
	})
	if stop := c.Canceled(); stop != nil {
		c.Memo = nil // the other may still write to it
		return out, stop
	}
	c.Memo = other.Memo
	other = *c // what iterates over a set goes on with it
	if nowRead && c.Env.NowRead != nil {
		*c.Env.NowRead = true
	}
	return d, err
}
