package main

import (
	"cmp"
	"slices"
	"unsafe"

	gbtree "github.com/google/btree"
	tbtree "github.com/tidwall/btree"
)

// row is what the structures in memory hold: a key and two numbers.
type row[K cmp.Ordered] struct {
	key  K
	a, b int64
}

// reader is a structure under look-ups. Every method returns a sum over the
// rows that it found, which must be alike in all structures.
type reader[K cmp.Ordered] interface {
	find(keys []K) (uint64, error)
	// scan reads n rows from each key on.
	scan(from []K, n int) (uint64, error)
}

// sized is a reader that knows what it takes per key besides keys and the rest
// of the rows: its model, and everything that a look-up needs. Of the others
// the heap tells the latter.
type sized interface{ bytesPerKey() (model, index float64) }

// writer is a structure under inserts.
type writer[K cmp.Ordered] interface {
	insert(key K)
	find(keys []K) (uint64, error)
}

type tidwall[K cmp.Ordered] struct{ tree *tbtree.BTreeG[row[K]] }

func newTidwall[K cmp.Ordered](rows func(yield func(row[K]) bool)) *tidwall[K] {
	t := &tidwall[K]{tbtree.NewBTreeGOptions(func(a, b row[K]) bool { return a.key < b.key }, tbtree.Options{NoLocks: true})}
	for r := range rows {
		t.tree.Load(r)
	}
	return t
}

func (t *tidwall[K]) insert(key K) { t.tree.Set(row[K]{key: key, a: 1, b: 2}) }

func (t *tidwall[K]) find(keys []K) (sum uint64, err error) {
	for _, k := range keys {
		if r, ok := t.tree.Get(row[K]{key: k}); ok {
			sum += uint64(r.a + r.b)
		}
	}
	return sum, nil
}

func (t *tidwall[K]) scan(from []K, n int) (sum uint64, err error) {
	for _, k := range from {
		left := n
		t.tree.Ascend(row[K]{key: k}, func(r row[K]) bool {
			sum += uint64(r.a + r.b)
			left--
			return left > 0
		})
	}
	return sum, nil
}

type google[K cmp.Ordered] struct{ tree *gbtree.BTreeG[row[K]] }

const googleDegree = 32 // as its documentation's examples, and tidwall/btree's default

func newGoogle[K cmp.Ordered](rows func(yield func(row[K]) bool)) *google[K] {
	g := &google[K]{gbtree.NewG(googleDegree, func(a, b row[K]) bool { return a.key < b.key })}
	for r := range rows {
		g.tree.ReplaceOrInsert(r)
	}
	return g
}

func (g *google[K]) insert(key K) { g.tree.ReplaceOrInsert(row[K]{key: key, a: 1, b: 2}) }

func (g *google[K]) find(keys []K) (sum uint64, err error) {
	for _, k := range keys {
		if r, ok := g.tree.Get(row[K]{key: k}); ok {
			sum += uint64(r.a + r.b)
		}
	}
	return sum, nil
}

func (g *google[K]) scan(from []K, n int) (sum uint64, err error) {
	for _, k := range from {
		left := n
		g.tree.AscendGreaterOrEqual(row[K]{key: k}, func(r row[K]) bool {
			sum += uint64(r.a + r.b)
			left--
			return left > 0
		})
	}
	return sum, nil
}

type goMap[K cmp.Ordered] struct{ rows map[K][2]int64 }

func newGoMap[K cmp.Ordered](rows func(yield func(row[K]) bool)) *goMap[K] {
	m := &goMap[K]{make(map[K][2]int64)}
	for r := range rows {
		m.rows[r.key] = [2]int64{r.a, r.b}
	}
	return m
}

func (m *goMap[K]) insert(key K) { m.rows[key] = [2]int64{1, 2} }

func (m *goMap[K]) find(keys []K) (sum uint64, err error) {
	for _, k := range keys {
		if r, ok := m.rows[k]; ok {
			sum += uint64(r[0] + r[1])
		}
	}
	return sum, nil
}

func (m *goMap[K]) scan([]K, int) (uint64, error) { return 0, nil }

// array is a sorted array of keys with the rest of the rows beside it; search
// says where a key stands.
type array[K cmp.Ordered] struct {
	keys   []K
	values [][2]int64
	search func(K) int

	model, index int // bytes of the model, and of all that a search needs besides keys
}

func (x *array[K]) find(keys []K) (sum uint64, err error) {
	for _, k := range keys {
		if i := x.search(k); i < len(x.keys) && x.keys[i] == k {
			sum += uint64(x.values[i][0] + x.values[i][1])
		}
	}
	return sum, nil
}

func (x *array[K]) scan(from []K, n int) (sum uint64, err error) {
	for _, k := range from {
		i := x.search(k)
		for _, v := range x.values[i:min(i+n, len(x.values))] {
			sum += uint64(v[0] + v[1])
		}
	}
	return sum, nil
}

func (x *array[K]) bytesPerKey() (model, index float64) {
	return float64(x.model) / float64(len(x.keys)), float64(x.index) / float64(len(x.keys))
}

// binarySearch is the plain loop, which beats sort.Search and slices.BinarySearch.
func binarySearch[K cmp.Ordered](keys []K) func(K) int {
	return func(key K) int {
		lo, hi := 0, len(keys)
		for lo < hi {
			if m := int(uint(lo+hi) >> 1); keys[m] < key {
				lo = m + 1
			} else {
				hi = m
			}
		}
		return lo
	}
}

const treeFanout = 16

// staticTree is an array of every 16th key above the array of keys, another
// one above that, and so on. It returns the search and its bytes.
func staticTree[K cmp.Ordered](keys []K) (func(K) int, int) {
	var levels [][]K
	size := 0
	for below := keys; len(below) > treeFanout; {
		level := make([]K, 0, len(below)/treeFanout)
		for i := treeFanout - 1; i < len(below); i += treeFanout {
			level = append(level, below[i])
		}
		size += int(unsafe.Sizeof(keys[0])) * len(level)
		levels = append(levels, level)
		below = level
	}
	levels = append([][]K{keys}, levels...)
	slices.Reverse(levels)
	return func(key K) int {
		at := 0
		for _, level := range levels {
			at *= treeFanout
			end := min(at+treeFanout, len(level))
			for at < end && level[at] < key {
				at++
			}
		}
		return at
	}, size
}
