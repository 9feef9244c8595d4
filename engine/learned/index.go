package learned

// Index finds keys in a sorted array that it shares with its owner. It is for
// arrays in memory: the model is one of rows, fitted to what a processor's
// caches make of it, and where no spline is good enough a static tree takes
// its place, so that a search never costs more than that of the best
// structure without a model.
type Index struct {
	keys  []uint64
	model *Model // nil: the tree
	tree  tree
	far   bool // places are so far off, on the average, that a search often leaves the cache line
}

const (
	// indexShare is the memory that a row-level spline may take: one byte for
	// so many keys.
	indexShare = 4

	// cachedBytes is what a model may take of a cache of the second or third
	// level. A model that is larger pays a miss for its points, which costs
	// more than the narrower window of a finer one saves.
	cachedBytes = 1536 << 10

	// touchedBytes is the size from which batches fetch their points side by
	// side: a smaller model stays in the second level beside its other tenants.
	touchedBytes = cachedBytes / 2

	// treeKeys is the length from which the levels of a tree pay for themselves.
	treeKeys = 64

	// batch is the number of keys that FindBatch takes through a stage at
	// once: their misses overlap, and what is known of them stays in registers
	// and the first cache.
	batch = 32

	// lineKeys is the number of keys in a cache line.
	lineKeys = 8
)

// indexCorridors are the half-widths for row-level splines, best first.
var indexCorridors = [...]float64{8, 16, 32, 64}

// FitRows is Fit for keys whose rows are in memory, so that a place is worth a
// finer model: the best spline that takes no more than limit bytes, unless the
// processor's cache holds only a coarser one.
func FitRows(keys []uint64, limit int) *Model {
	var best *Model
	for _, half := range indexCorridors {
		m := fit(keys, half, limit)
		if m == nil {
			continue
		}
		best = m
		if m.Bytes() <= cachedBytes {
			break
		}
	}
	if best == nil {
		best = &Model{n: len(keys)}
	}
	return best
}

// NewIndex builds an index of keys, which ascend and may repeat. They are
// shared and must not change.
func NewIndex(keys []uint64) *Index {
	x := &Index{keys: keys}
	if m := FitRows(keys, len(keys)/indexShare); m.kind == Spline {
		x.model = m
		x.far = x.meanError() > lineKeys/2
	} else {
		x.tree.build(keys)
	}
	return x
}

// meanError returns how far the model's places are off, on the average of some keys.
func (x *Index) meanError() int {
	const sample = 61 // no power of two: keys may have a pattern
	sum, n := 0, 0
	for i := 0; i < len(x.keys); i += sample {
		d := x.model.place(x.keys[i]) - i
		sum += max(d, -d)
		n++
	}
	return sum / n
}

// Kind returns the kind of model; BinarySearch is the static tree.
func (x *Index) Kind() Kind {
	if x.model == nil {
		return BinarySearch
	}
	return Spline
}

// MaxError returns the greatest distance between a prediction and the place.
func (x *Index) MaxError() int {
	if x.model == nil {
		return 0
	}
	return x.model.MaxError()
}

// Bytes returns the memory that a search needs besides the keys.
func (x *Index) Bytes() int {
	if x.model == nil {
		return x.tree.bytes()
	}
	return x.model.Bytes()
}

// Find returns the first position whose key is not less than key.
func (x *Index) Find(key uint64) int {
	if x.model == nil {
		return x.tree.find(x.keys, key)
	}
	return walk(x.keys, x.model.place(key), key)
}

// walkSteps keys are compared one by one before the steps double: the branch
// that ends a short walk is cheaper than those of a search.
const walkSteps = 16

// walk returns the first position whose key is not less than key, starting
// from a place near it.
func walk(keys []uint64, at int, key uint64) int {
	if at < len(keys) && keys[at] < key {
		for end := min(at+walkSteps, len(keys)-1); at < end; {
			if at++; keys[at] >= key {
				return at
			}
		}
		return gallopUp(keys, at+1, key)
	}
	for end := max(at-walkSteps, 0); at > end; at-- {
		if keys[at-1] < key {
			return at
		}
	}
	return gallopDown(keys, at, key)
}

// gallopUp is walk where every key before at is less.
func gallopUp(keys []uint64, at int, key uint64) int {
	lo, hi := at, at
	for step := 1; hi < len(keys) && keys[hi] < key; step *= 2 {
		lo, hi = hi+1, hi+step
	}
	return between(keys, lo, min(hi, len(keys)), key)
}

// gallopDown is walk where no key from at on is less.
func gallopDown(keys []uint64, at int, key uint64) int {
	lo, hi := at, at
	for step := 1; lo > 0 && keys[lo-1] >= key; step *= 2 {
		lo, hi = max(lo-step, 0), lo-1
	}
	return between(keys, lo, hi, key)
}

// between is binary search in keys[lo:hi].
func between(keys []uint64, lo, hi int, key uint64) int {
	for lo < hi {
		if m := int(uint(lo+hi) >> 1); keys[m] < key {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo
}

// FindBatch does Find for every key; the slices have one length. It takes the
// keys through the stages of a search side by side, so that the processor
// waits for many cache misses at once.
func (x *Index) FindBatch(keys []uint64, places []int) {
	places = places[:len(keys)]
	for len(keys) > 0 {
		n := min(len(keys), batch)
		if x.model == nil {
			x.tree.findBatch(x.keys, keys[:n], places[:n])
		} else {
			x.findBatch(keys[:n], places[:n])
		}
		keys, places = keys[n:], places[n:]
	}
}

func (x *Index) findBatch(keys []uint64, places []int) {
	m := x.model
	if m.Bytes() > touchedBytes {
		m.touch(keys)
	}
	for i, k := range keys {
		places[i] = m.place(k)
	}
	if x.far {
		touchAround(x.keys, places)
	} else {
		touch(x.keys, places)
	}
	for i, k := range keys {
		places[i] = walk(x.keys, places[i], k)
	}
}

// touch loads the keys at places and does nothing else, so that their misses overlap.
//
//go:noinline
func touch(keys []uint64, places []int) (sum uint64) {
	for _, p := range places {
		if p < len(keys) {
			sum += keys[p]
		}
	}
	return sum
}

// touchAround is touch for the two lines in which the keys next to a place are.
//
//go:noinline
func touchAround(keys []uint64, places []int) (sum uint64) {
	for _, p := range places {
		sum += keys[max(p-lineKeys/2, 0)] + keys[min(p+lineKeys/2, len(keys)-1)]
	}
	return sum
}

// touch loads the points where the segments of keys are looked for.
//
//go:noinline
func (m *Model) touch(keys []uint64) (sum uint64) {
	var cells [batch]uint32
	r := &m.table
	for i, k := range keys {
		cells[i] = r.top.cells[r.top.cell(k)]
	}
	for i, k := range keys {
		if c := cells[i]; c&redirect != 0 {
			g := &r.subs[c&^redirect]
			cells[i] = g.cells[g.cell(k)]
		}
	}
	for _, c := range cells[:len(keys)] {
		if c < uint32(len(m.points)) {
			sum += m.points[c].x
		}
	}
	return sum
}
