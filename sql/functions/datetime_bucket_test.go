package functions

import (
	"math/rand/v2"
	"testing"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/types"
)

// Kernels of buckets answer what the functions answer row by row: in order, at
// random, around changes of the clocks and at the ends of time.
func TestBucketKernels(t *testing.T) {
	const hour = 3_600_000_000
	r := rand.New(rand.NewPCG(1, 2))
	var times []int64
	for _, from := range []int64{0, 3 * hour, 7664 * 24 * hour, -20_000_000 * hour, evenRange - 50*hour, -evenRange - 50*hour} {
		for _, step := range []int64{1, 1_000_003, 7 * 60_000_000, 13 * hour, 171 * 24 * hour} {
			for i := range int64(40) {
				times = append(times, from+i*step)
			}
		}
	}
	for range 400 { // October 2024: clocks go back in Berlin, forth on Lord Howe Island
		times = append(times, 782_000_000_000_000+r.Int64N(3_000_000_000_000))
	}
	times = append(times, 1<<63-1, -1<<63, 9223371331199999999)
	for _, zone := range []string{"UTC", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu"} {
		env := testEnv(t)
		z, ok := types.LookupZone(zone)
		if !ok {
			t.Fatal(zone)
		}
		env.TimeZone = z
		for _, word := range []string{"microseconds", "millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year", "decade", "century", "millennium"} {
			unit := column.StringDatum(word)
			checkBuckets(t, env, "date_trunc(text,timestamp)", times, 1, unit)
			checkBuckets(t, env, "date_trunc(text,timestamptz)", times, 1, unit)
		}
		for _, stride := range []types.Interval{{Micros: 7}, {Micros: 15 * 60_000_000}, {Days: 3, Micros: hour}, {Days: 600_000}} {
			for _, origin := range []int64{0, 5, -770_000_000_000_000, evenRange + 1} {
				checkBuckets(t, env, "date_bin(interval,timestamp,timestamp)", times, 1, stride.Datum(), column.IntDatum(origin))
			}
		}
	}
}

// checkBuckets calls a function for times with its other arguments constant. The
// rows of a batch go up to the first that fails.
func checkBuckets(t *testing.T, env *types.Env, sig string, times []int64, lane int, others ...column.Datum) {
	t.Helper()
	f := bySignature(t, sig)
	row, kernel := &Ctx{Env: env}, &Ctx{Env: env}
	var want []int64
	var sel []int32
	args := []*column.Vec{{Kind: column.Int}}
	datums := make([]column.Datum, 1+len(others))
	for i, o := range others {
		at := i
		if at >= lane {
			at++
		}
		v := &column.Vec{Kind: column.Int}
		if o.B != nil {
			v.Kind = column.Bytes
		}
		v.Append(o)
		args, datums[at] = append(args, v), o
	}
	args[0], args[lane] = args[lane], args[0]
	for i, ts := range times {
		datums[lane] = column.IntDatum(ts)
		d, err := f.Eval(row, datums)
		if err == nil {
			sel = append(sel, int32(i))
		}
		want = append(want, d.I)
		args[lane].I = append(args[lane].I, ts)
	}
	var out column.Vec
	if err := f.Vec(kernel, args, sel, len(times), &out); err != nil {
		t.Fatalf("%s of %v: %v", sig, others, err)
	}
	for _, i := range sel {
		if out.I[i] != want[i] {
			t.Fatalf("%s of %d in %s, %v: %d, should be %d", sig, times[i], env.SessionZone(), others, out.I[i], want[i])
		}
	}
	if len(sel) < len(times) {
		if err := f.Vec(kernel, args, nil, len(times), &out); err == nil {
			t.Errorf("%s of %v does not fail", sig, others)
		}
	}
}
