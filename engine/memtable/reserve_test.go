package memtable

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// A table in a reserve is like any other, whether or not memory is ready, and
// has what it asks for as zeros.
func TestReserve(t *testing.T) {
	var tasks []func()
	r := NewReserve(func(fill func()) { tasks = append(tasks, fill) })
	rng := rand.New(rand.NewPCG(1, 1))
	for _, sorted := range []bool{true, false} {
		in, plain := NewIn(r), New()
		var key [8]byte
		data := make([]byte, 100)
		for i := range uint64(60_000) {
			k := i
			if !sorted {
				k = rng.Uint64()
			}
			binary.BigEndian.PutUint64(key[:], k)
			binary.BigEndian.PutUint64(data, k)
			in.Put(key[:], i+1, 0, data)
			plain.Put(key[:], i+1, 0, data)
			if len(tasks) > 0 && i%20_000 == 0 {
				tasks[0]()
				tasks = tasks[1:]
			}
		}
		if in.Bytes() != plain.Bytes() || in.Keys() != plain.Keys() {
			t.Fatalf("%d keys in %d bytes, without a reserve %d in %d", in.Keys(), in.Bytes(), plain.Keys(), plain.Bytes())
		}
		var a, b Cursor
		a.Init(in, nil, nil, false)
		b.Init(plain, nil, nil, false)
		for a.Next() {
			v, _ := a.Version(1 << 40)
			if !b.Next() || string(a.Key()) != string(b.Key()) || string(v.Data[:8]) != string(a.Key()) {
				t.Fatalf("key %x", a.Key())
			}
		}
	}
	for len(tasks) > 0 {
		tasks[0]()
		tasks = tasks[1:]
	}
	if len(r.ready) != reserved {
		t.Fatalf("%d slabs are ready, want %d", len(r.ready), reserved)
	}
	for _, n := range []int{pieceWords, maxSlab / 2, maxSlab, pieceWords - 1} {
		words := r.slab(n)
		if len(words) != n {
			t.Fatalf("%d words instead of %d", len(words), n)
		}
		for i, w := range words {
			if w != 0 {
				t.Fatalf("word %d of %d is %x", i, n, w)
			}
			words[i] = 1 // nobody else may get it
		}
	}
}

// Keys at random are looked for among those in order without reading them, as
// long as those are few; an old key gets a version all the same.
func TestFewInLane(t *testing.T) {
	for _, lane := range []int{1, 100, fewInLane - 1, fewInLane, fewInLane + 1, 3 * fewInLane} {
		table := New()
		key := func(i int) []byte { return binary.BigEndian.AppendUint64([]byte{1}, uint64(i)*10) }
		ts := uint64(0)
		put := func(i int) {
			ts++
			table.Put(key(i), ts, 0, []byte{byte(i)})
		}
		for i := range lane {
			put(2 * i)
		}
		for i := range lane {
			put(2*i + 1)
			put(2 * i)
		}
		put(2 * lane)
		put(2 * lane) // joined when there were others
		put(2*lane - 2)
		keys, versions := int64(2*lane+1), int64(3*lane+3)
		if lane == 1 { // key 1 was in order, too
			keys, versions = 3, 6
		}
		if all, _ := table.Versions(); table.Keys() != keys || all != versions {
			t.Fatalf("lane of %d: %d keys and %d versions, want %d and %d", lane, table.Keys(), all, keys, versions)
		}
	}
}
