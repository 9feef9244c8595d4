package learned

// fanout is the number of children of a node of the static tree: its keys are
// two cache lines, which the processor fetches as a pair.
const fanout = 16

// tree is the best of the structures without a model: level k holds every
// fanout-th key of level k-1, level -1 being the keys themselves. It is what
// an Index falls back to.
type tree struct {
	levels [][]uint64 // the lowest first
}

func (t *tree) build(keys []uint64) {
	for below := keys; len(below) > treeKeys; {
		level := make([]uint64, 0, len(below)/fanout)
		for i := fanout - 1; i < len(below); i += fanout {
			level = append(level, below[i])
		}
		t.levels = append(t.levels, level)
		below = level
	}
}

func (t *tree) bytes() int {
	n := 0
	for _, level := range t.levels {
		n += 8 * len(level)
	}
	return n
}

// find returns the first position of keys whose key is not less than key.
func (t *tree) find(keys []uint64, key uint64) int {
	if len(t.levels) == 0 {
		return between(keys, 0, len(keys), key)
	}
	top := len(t.levels) - 1
	at := between(t.levels[top], 0, len(t.levels[top]), key)
	for l := top - 1; l >= 0; l-- {
		at = step(t.levels[l], at*fanout, key)
	}
	return step(keys, at*fanout, key)
}

// step returns the first position from at on whose key is not less; it is
// less than fanout further, as the level above knows.
func step(keys []uint64, at int, key uint64) int {
	for end := min(at+fanout-1, len(keys)); at < end && keys[at] < key; at++ {
	}
	return at
}

// findBatch takes up to batch keys down the tree in step: the nodes of one
// level are fetched side by side.
func (t *tree) findBatch(keys, wanted []uint64, places []int) {
	if len(t.levels) == 0 {
		for i, k := range wanted {
			places[i] = between(keys, 0, len(keys), k)
		}
		return
	}
	top := len(t.levels) - 1
	for i, k := range wanted {
		places[i] = between(t.levels[top], 0, len(t.levels[top]), k)
	}
	for l := top - 1; l >= -1; l-- {
		level := keys
		if l >= 0 {
			level = t.levels[l]
		}
		for i := range places {
			places[i] *= fanout
		}
		touch(level, places)
		for i, k := range wanted {
			places[i] = step(level, places[i], k)
		}
	}
}
