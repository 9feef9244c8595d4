package types

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
)

// What QuickIn reads, the whole grammar reads the same.
func TestQuickIn(t *testing.T) {
	e := NewEnv()
	r := rand.New(rand.NewPCG(1, 2))
	alphabet := "0123456789012345678901234567890123456789.-+: "
	shapes := []string{"2024-02-29 23:59:59.123456+05:30", "2023-02-29 01:02:03+00", "0001-01-01 00:00:00-14:59", "9999-12-31 23:59:59.9-08", "1999-06-30 12:00:60+01",
		"2024-02-30", "2024-12-31", "12345.678", "-0.1", "999999999999999", ".5", "5.", "-", "1e5", "0.000000000000001", "2024-02-29 23:59:59.1"}
	for i := range 200_000 {
		b := []byte(shapes[i%len(shapes)])
		for range r.IntN(3) {
			b[r.IntN(len(b))] = alphabet[r.IntN(len(alphabet))]
		}
		s := string(b)
		if d, ok := QuickIn(Float8OID, s); ok {
			want, err := strconv.ParseFloat(s, 64)
			if err != nil || math.Float64bits(want) != math.Float64bits(d.Float()) {
				t.Fatalf("%q is %v, not %v (%v)", s, want, d.Float(), err)
			}
		}
		for _, oid := range []OID{TimestampOID, TimestamptzOID} {
			d, ok := QuickIn(oid, b)
			if !ok {
				continue
			}
			x, err := e.decodeDate(s, "timestamp", false)
			if err != nil {
				t.Fatalf("%q: %v", s, err)
			}
			east := 0
			if oid == TimestamptzOID {
				east = -x.west
			}
			if want, err := x.timestamp(s, east); err != nil || want.I != d.I {
				t.Fatalf("%q is %v, not %v (%v)", s, want.I, d.I, err)
			}
		}
		if d, ok := QuickIn(DateOID, b); ok {
			if x, err := e.decodeDate(s, "date", false); err != nil || int64(julian(x.c.year, x.c.month, x.c.day)-epochJulian) != d.I {
				t.Fatalf("%q: %v", s, err)
			}
		}
	}
}
