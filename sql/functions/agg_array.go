package functions

import (
	"slices"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

func finishArray(c *Ctx, list []column.Datum) (column.Datum, error) {
	return c.Env.MakeArray(types.NewArray(c.argType(0), list)), nil
}

// arrayStack is array_agg over arrays: it makes one of one more dimension.
type arrayStack struct {
	dims  []types.Dim
	elem  OID
	elems []column.Datum
	n     int32
	held  int64
}

func (s *arrayStack) add(_ *Ctx, a []column.Datum) error {
	if a[0].Null {
		return pgerr.New(pgerr.NullValueNotAllowed, "cannot accumulate null arrays")
	}
	arr := types.ArrayFrom(a[0].Clone())
	switch {
	case len(arr.Dims) == 0:
		return pgerr.New(pgerr.ArraySubscriptError, "cannot accumulate empty arrays")
	case s.n == 0 && len(arr.Dims) >= types.MaxArrayDims:
		return pgerr.New(pgerr.ProgramLimitExceeded, "number of array dimensions (%d) exceeds the maximum allowed (%d)",
			len(arr.Dims)+1, types.MaxArrayDims)
	case s.n == 0:
		s.dims, s.elem = arr.Dims, arr.Elem
	case !slices.Equal(s.dims, arr.Dims):
		return pgerr.New(pgerr.ArraySubscriptError, "cannot accumulate arrays of different dimensionality")
	}
	s.n++
	s.elems = append(s.elems, arr.Elems...)
	s.held += int64(len(a[0].B) + 48*len(arr.Elems))
	return nil
}

func (s *arrayStack) result(c *Ctx, _ []column.Datum) (column.Datum, error) {
	if s.n == 0 {
		return nullResult()
	}
	dims := append([]types.Dim{{Len: s.n, Lower: 1}}, s.dims...)
	return c.Env.MakeArray(types.Array{Elem: s.elem, Dims: dims, Elems: s.elems}), nil
}

func (s *arrayStack) size() int64 { return 96 + s.held }
