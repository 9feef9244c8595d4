package functions

import (
	"strings"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/types"
)

// ioFunction makes the output and send functions of types callable by their names; nil when f is none.
func ioFunction(f *Func) EvalFunc {
	if len(f.Args) != 1 || f.Lang != LangInternal {
		return nil
	}
	switch t := types.ByOID(f.Args[0]); {
	case t == nil:
		return nil
	case f.Ret == types.ByteaOID && strings.HasSuffix(f.Src, "send"):
		return func(c *Ctx, a []column.Datum) (column.Datum, error) {
			if err := c.Env.CanSend(c.argType(0)); err != nil {
				return column.Datum{}, err
			}
			return bytesResult(c.Env.Send(nil, c.argType(0), a[0]))
		}
	case f.Ret == types.CstringOID && strings.HasSuffix(f.Src, "out"):
		return func(c *Ctx, a []column.Datum) (column.Datum, error) {
			if err := c.Env.CanOut(c.argType(0)); err != nil {
				return column.Datum{}, err
			}
			return bytesResult(c.Env.Out(nil, c.argType(0), a[0]))
		}
	}
	return nil
}
