package main

import (
	"slices"
	"testing"

	"github.com/omendb/omendb/internal/pgdiff/gen"
	"github.com/omendb/omendb/sql/types"
)

// TestEqualIntervals: a day and 24 hours may stand for each other, in every style of printing; a day and 23 hours may not.
func TestEqualIntervals(t *testing.T) {
	answer := func(oid types.OID, cells ...string) outcome {
		o := outcome{tag: "SELECT", columns: []field{{"i", uint32(oid)}, {"n", 23}}}
		for _, c := range cells {
			row := [][]byte{[]byte(c), []byte("1")}
			o.rows, o.keys = append(o.rows, printed(row)), append(o.keys, printed(withKeys(o.columns, row)))
		}
		return o
	}
	for _, c := range []struct {
		want, got outcome
		class     class
	}{
		{answer(types.IntervalOID, "1 day", "24:00:00"), answer(types.IntervalOID, "24:00:00", "1 day"), equal},
		{answer(types.IntervalOID, "P1M"), answer(types.IntervalOID, "P30D"), equal},
		{answer(types.IntervalOID, "@ 1 mon"), answer(types.IntervalOID, "@ 30 days"), equal},
		{answer(types.IntervalOID, "-1 1:00:00"), answer(types.IntervalOID, "-25:00:00"), equal},
		{answer(types.IntervalArrayOID, `{"1 day"}`), answer(types.IntervalArrayOID, "{24:00:00}"), equal},
		{answer(types.IntervalOID, "1 day", "23:00:00"), answer(types.IntervalOID, "23:00:00", "1 day"), wrong},
		{answer(types.IntervalOID, "1 day"), answer(types.IntervalOID, "23:00:00"), wrong},
	} {
		if v := compare(c.want, c.got, true, true); v.class != c.class {
			t.Errorf("%q and %q are %s, want %s", c.want.rows, c.got.rows, classNames[v.class], classNames[c.class])
		}
	}
}

// TestSeeds draws statements twice from equal seeds: a failure is of use when its round can be played again.
func TestSeeds(t *testing.T) {
	draw := func(seed uint64) []string {
		g := gen.New(seed)
		s := g.NewSchema()
		out := s.Setup
		for range 50 {
			out = append(out, g.Select(s).String(), g.Change(s).String())
		}
		return out
	}
	for seed := uint64(1); seed <= 20; seed++ {
		if a, b := draw(seed), draw(seed); !slices.Equal(a, b) {
			t.Fatalf("seed %d makes other statements the second time", seed)
		}
	}
}
