// Package learned predicts where a key stands in a sorted array. It knows
// numbers only: no files, no rows, no imports beyond the standard library.
//
// The types:
//
//	Model    made by Fit or FitRows; Predict(key) bounds the key's place
//	Kind     what the model is: a spline, or nothing (BinarySearch)
//	Index    a model that is kept with its keys, and finds them
//
// Predict returns lower and upper such that the first position whose key is
// not less than the given one, present or not, lies in [lower, upper]. The
// bounds are not estimated: Fit measures the greatest error over all keys and
// over the gaps between them, and Verify does the same for a model that came
// from a file.
//
// The model is a greedy spline corridor (Neumann and Michel, 2008) under a
// radix table (RadixSpline, Kipf et al., 2020). Two deviations: the table is
// sized for the bulk of the keys, outliers on either side share the first and
// the last cell; and a cell in which many spline points crowd leads to a
// table of its own, so that clustered keys cost two steps and not a long search.
//
// Fit gives up, and reports BinarySearch, when the array is small, when the
// spline needs too many points, or when its measured error is large: then a
// model cannot beat searching the array. It does so, too, when keys do not ascend.
package learned

import "math"

// Kind says what a model is.
type Kind uint8

// The kinds.
const (
	BinarySearch Kind = 0 // no model: the bounds are those of the array
	Spline       Kind = 1
)

// String returns the kind's name for people.
func (k Kind) String() string {
	if k == Spline {
		return "spline"
	}
	return "binary search"
}

const (
	// MinKeys is the least number of keys for which a model is tried: a
	// smaller array is searched within a few cache lines.
	MinKeys = 64

	// bytesPerKey is the most that a model may take: a quarter of the keys.
	bytesPerKey = 2

	// maxWindow is the widest bound that is worth more than the six steps of
	// binary search that it replaces at least.
	maxWindow = 512
)

// corridors are the half-widths that Fit tries, best first.
var corridors = [...]float64{8, 32, 128}

// Model predicts places in one sorted array of keys.
type Model struct {
	kind   Kind
	n      int
	below  int // the place is at least prediction - below
	above  int // and at most prediction + above
	points []point
	table  radix
}

// Fit builds a model of keys, which ascend and may repeat. keys are not kept.
func Fit(keys []uint64) *Model {
	for _, half := range corridors {
		if m := fit(keys, half, len(keys)*bytesPerKey); m != nil {
			return m
		}
	}
	return &Model{n: len(keys)}
}

// fit builds a spline of a corridor's width within a limit of bytes, nil if
// there is none or its bounds are too wide to be of use.
func fit(keys []uint64, half float64, limit int) *Model {
	if len(keys) < MinKeys || uint64(len(keys)) > math.MaxUint32 {
		return nil
	}
	s := spline{half: half, limit: limit / pointBytes}
	if !s.fit(keys) {
		return nil
	}
	slopes(s.points)
	m := &Model{kind: Spline, n: len(keys), points: s.points}
	m.table.build(m.points)
	if m.Bytes() > limit {
		return nil
	}
	if m.below, m.above = m.measure(keys); m.below+m.above > min(maxWindow, len(keys)/4) {
		return nil
	}
	return m
}

// Kind returns the kind of model.
func (m *Model) Kind() Kind { return m.kind }

// Keys returns the number of keys that the model was fitted to.
func (m *Model) Keys() int { return m.n }

// MaxError returns the greatest distance between a prediction and the place;
// 0 without a spline.
func (m *Model) MaxError() int { return max(m.below, m.above) }

// Bytes returns the memory that the model takes.
func (m *Model) Bytes() int {
	if m.kind == BinarySearch {
		return 0
	}
	return pointBytes*len(m.points) + m.table.bytes()
}

// Predict bounds the first position whose key is not less than key. Both
// bounds may be the number of keys.
func (m *Model) Predict(key uint64) (lower, upper int) {
	_, lower, upper = m.Locate(key)
	return lower, upper
}

// Locate is Predict with the prediction itself; without a spline that is the
// middle of the array.
func (m *Model) Locate(key uint64) (place, lower, upper int) {
	if m.kind == BinarySearch {
		return m.n / 2, 0, m.n
	}
	p := m.place(key)
	return p, max(p-m.below, 0), min(p+m.above, m.n)
}

// PredictBatch does Predict for every key; the slices have one length. The
// points of a large model are fetched for many keys side by side.
func (m *Model) PredictBatch(keys []uint64, lower, upper []int) {
	lower, upper = lower[:len(keys)], upper[:len(keys)]
	for i, k := range keys {
		if i%batch == 0 && m.Bytes() > touchedBytes {
			m.touch(keys[i:min(i+batch, len(keys))])
		}
		lower[i], upper[i] = m.Predict(k)
	}
}

// place returns the predicted place, which never falls as key grows.
func (m *Model) place(key uint64) int {
	last := len(m.points) - 1
	switch {
	case key <= m.points[0].x:
		return 0
	case key >= m.points[last].x:
		return int(m.points[last].y)
	}
	return predict(m.points, m.table.find(m.points, key), key)
}

// predict places a key in the segment that begins at point i.
func predict(points []point, i int, key uint64) int {
	p := points[i]
	y := int(p.y) + int(float64(key-p.x)*float64(p.slope))
	return min(y, int(points[i+1].y))
}

// measure returns how far places lie below and above their predictions, at
// most, over every key and every gap between keys. Predictions never fall, so
// that the two ends of a gap decide for all of it.
func (m *Model) measure(keys []uint64) (below, above int) {
	check := func(key uint64, place int) {
		d := place - m.place(key)
		below, above = max(below, -d), max(above, d)
	}
	check(0, 0)
	for i, k := range keys {
		if i > 0 && k == keys[i-1] {
			continue
		}
		check(k, i)
		if i > 0 && k-keys[i-1] > 1 {
			check(keys[i-1]+1, i)
		}
	}
	if k := keys[len(keys)-1]; k < math.MaxUint64 {
		check(k+1, len(keys))
		check(math.MaxUint64, len(keys))
	}
	return below, above
}

// Verify reports whether the model's bounds hold for keys.
func (m *Model) Verify(keys []uint64) bool {
	if len(keys) != m.n {
		return false
	}
	if m.kind == BinarySearch {
		return true
	}
	below, above := m.measure(keys)
	return below <= m.below && above <= m.above
}
