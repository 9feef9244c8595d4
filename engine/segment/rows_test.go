package segment

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"
	"unsafe"
)

// TestRowModel shows that the bounds of a row model hold for every number, also
// where first rows are rounded, and that evenly spaced rows are found at once.
func TestRowModel(t *testing.T) {
	if n := unsafe.Sizeof(rowModel{}); n != 32 {
		t.Errorf("a model has %d bytes", n)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	shapes := map[string]func(i int) uint64{
		"even":      func(i int) uint64 { return uint64(i) * 1000 },
		"uniform":   func(int) uint64 { return rng.Uint64() >> 1 },
		"lognormal": func(int) uint64 { return uint64(math.Exp(rng.NormFloat64()*3) * 1e9) },
		"alike":     func(int) uint64 { return 7 },
		"far": func(i int) uint64 {
			if i == 0 {
				return math.MaxUint64
			}
			return uint64(i)
		},
		"late": func(i int) uint64 { return math.MaxUint64 - uint64(i*i) },
		"two":  func(i int) uint64 { return uint64(i%2) << 63 },
	}
	for name, next := range shapes {
		for _, rows := range []int{1, 2, 27, 128, 1000, math.MaxUint16} {
			t.Run(fmt.Sprint(name, " ", rows), func(t *testing.T) {
				numbers := make([]uint64, rows)
				for i := range numbers {
					numbers[i] = next(i)
				}
				slices.Sort(numbers)
				for i := rows - 1; i >= 0; i-- {
					numbers[i] -= numbers[0] // as in a block, relative to the first
				}
				var m rowModel
				m.fit(rows, func(i int) uint64 { return numbers[i] })
				check := func(x uint64) {
					first := sort.Search(rows, func(i int) bool { return numbers[i] >= x })
					row, lo, hi := m.place(x, rows)
					if first < lo || first > hi || lo < 0 || hi > rows || row < 0 || row >= rows {
						t.Fatalf("number %d: first row %d, bounds %d to %d, expected at %d", x, first, lo, hi, row)
					}
					if name == "even" && (row-first > 1 || first-row > 1) && x <= numbers[rows-1] {
						t.Fatalf("row %d is expected at %d", first, row)
					}
				}
				for _, x := range numbers {
					check(x)
					check(x + 1)
					check(x - 1)
				}
				check(0)
				check(math.MaxUint64)
				if name == "even" && (m.spread > 1 || m.shift != 0) {
					t.Errorf("spread %d, shift %d", m.spread, m.shift)
				}
			})
		}
	}
}
