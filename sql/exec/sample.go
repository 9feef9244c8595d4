package exec

import (
	"math"
	"math/rand/v2"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// sampler is TABLESAMPLE: a row is in the sample when the hash of its key and
// the seed falls below the fraction, so that REPEATABLE gives the same rows again.
// SYSTEM decides for runs of neighbouring rows.
type sampler struct {
	st     *state
	method string
	arg    expr
	seed   expr
	limit  uint64
	salt   uint64
	seen   uint64
	sel    []int32
	out    column.Batch
}

// sampleBlock is how many neighbouring rows SYSTEM takes or leaves together.
const sampleBlock = 128

func (st *state) newSampler(s *plan.TableSample) (*sampler, error) {
	if s.Method != "bernoulli" && s.Method != "system" {
		return nil, pgerr.New(pgerr.UndefinedObject, "tablesample method %s does not exist", s.Method)
	}
	o := &sampler{st: st, method: s.Method}
	var err error
	if o.arg, err = st.compile(s.Args[0]); err != nil {
		return nil, err
	}
	if s.Seed != nil {
		o.seed, err = st.compile(s.Seed)
	}
	return o, err
}

func (s *sampler) start() error {
	d, err := s.arg.row(&row{})
	if err != nil {
		return err
	}
	if d.Null {
		return pgerr.New(pgerr.InvalidTablesampleArgument, "TABLESAMPLE parameter cannot be null")
	}
	percent := d.Float()
	if !(percent >= 0 && percent <= 100) {
		return pgerr.New(pgerr.InvalidTablesampleArgument, "sample percentage must be between 0 and 100")
	}
	s.limit = uint64(percent / 100 * float64(math.MaxUint64>>1) * 2)
	if percent == 100 {
		s.limit = math.MaxUint64
	}
	s.seen = 0
	if s.seed == nil {
		s.salt = rand.Uint64()
		return nil
	}
	if d, err = s.seed.row(&row{}); err != nil {
		return err
	}
	if d.Null {
		return pgerr.New(pgerr.InvalidTablesampleRepeat, "TABLESAMPLE REPEATABLE parameter cannot be null")
	}
	s.salt = types.HashUint64(uint64(d.I))
	return nil
}

func (s *sampler) apply(b *column.Batch, keys [][]byte) *column.Batch {
	if s.sel == nil {
		s.sel = make([]int32, 0, b.N) // a nil selection would mean all rows
	}
	s.sel = s.sel[:0]
	for _, r := range selected(b, b.Sel) {
		var h uint64
		if s.method == "system" {
			h = types.HashUint64(s.seen / sampleBlock)
		} else {
			h = types.HashBytes(keys[r])
		}
		s.seen++
		if types.CombineHash(h, s.salt) <= s.limit && s.limit > 0 {
			s.sel = append(s.sel, r)
		}
	}
	s.out = column.Batch{Cols: b.Cols, N: b.N, Sel: s.sel}
	return &s.out
}
