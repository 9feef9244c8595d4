package functions

import "github.com/omendb/omendb/engine/column"

// Run implements AggRunner.
func (s *countState) Run(arg *column.Vec, fresh []bool, out *column.Vec) error {
	n := s.counts[0]
	for i, f := range fresh {
		if f {
			n = 0
		}
		if s.skipNulls == 0 || !arg.Nulls.Get(i) {
			n++
		}
		out.I[i] = n
	}
	s.counts[0] = n
	return nil
}

// Run implements AggRunner.
func (s *intSum) Run(arg *column.Vec, fresh []bool, out *column.Vec) error {
	sum, n, nulls := s.sums[0], s.counts[0], arg.Nulls.Any()
	for i, f := range fresh {
		if f {
			sum, n = 0, 0
		}
		if !nulls || !arg.Nulls.Get(i) {
			sum += arg.I[i]
			n++
		}
		out.I[i] = sum
		if n == 0 {
			out.Nulls.Set(i)
		}
	}
	s.sums[0], s.counts[0] = sum, n
	return nil
}

// Run implements AggRunner.
func (s *floatSum) Run(arg *column.Vec, fresh []bool, out *column.Vec) error {
	for i, f := range fresh {
		if f {
			s.Reset(0)
		}
		if !arg.Nulls.Get(i) {
			if err := s.add(0, arg.F[i]); err != nil {
				return err
			}
		}
		out.F[i] = s.sums[0]
		if !s.filled[0] {
			out.Nulls.Set(i)
		}
	}
	return nil
}

// Run implements AggRunner.
func (s *laneFold) Run(arg *column.Vec, fresh []bool, out *column.Vec) error {
	for i, f := range fresh {
		if f {
			s.Reset(0)
		}
		if !arg.Nulls.Get(i) {
			s.add(0, arg.I[i])
		}
		out.I[i] = s.vals[0]
		if !s.filled[0] {
			out.Nulls.Set(i)
		}
	}
	return nil
}

// Run implements AggRunner.
func (s *floatBest) Run(arg *column.Vec, fresh []bool, out *column.Vec) error {
	for i, f := range fresh {
		if f {
			s.Reset(0)
		}
		if v := arg.F[i]; !arg.Nulls.Get(i) && (!s.filled[0] || s.beats(v, s.vals[0])) {
			s.vals[0], s.filled[0] = v, true
		}
		out.F[i] = s.vals[0]
		if !s.filled[0] {
			out.Nulls.Set(i)
		}
	}
	return nil
}
