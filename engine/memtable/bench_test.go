package memtable

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"
)

const benchRows = 1_000_000

// benchKeys are the numbers that keys are made of, without pointers for the
// collector to follow.
func benchKeys(order string) []uint64 {
	rng := rand.New(rand.NewPCG(1, 2))
	keys := make([]uint64, benchRows)
	for i := range keys {
		keys[i] = uint64(i) * 1000
		if order == "random" {
			keys[i] = rng.Uint64()
		}
	}
	return keys
}

// benchKey is a key as an index on a bigint has it.
func benchKey(dst []byte, x uint64) []byte {
	return binary.BigEndian.AppendUint64(append(dst[:0], 7), x)
}

func benchTable(keys []uint64) *Table {
	t := NewIn(nil)
	row, key := make([]byte, 19), make([]byte, 9)
	for i, k := range keys {
		key = benchKey(key, k)
		t.Put(key, uint64(i+1), Inserted, row)
	}
	return t
}

// BenchmarkPut inserts a million rows per iteration.
func BenchmarkPut(b *testing.B) {
	for _, order := range []string{"ascending", "random"} {
		b.Run(order, func(b *testing.B) {
			keys := benchKeys(order)
			b.ResetTimer()
			for range b.N {
				benchTable(keys)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/row")
		})
	}
}

// BenchmarkGet looks rows up among a million.
func BenchmarkGet(b *testing.B) {
	for _, order := range []string{"ascending", "random"} {
		b.Run(order, func(b *testing.B) {
			keys := benchKeys(order)
			t := benchTable(keys)
			key := make([]byte, 9)
			b.ResetTimer()
			for i := range b.N {
				key = benchKey(key, keys[uint64(i)*0x9E3779B97F4A7C15>>40%benchRows])
				if _, ok := t.Get(key, math.MaxUint64); !ok {
					b.Fatal("a key is missing")
				}
			}
		})
	}
}
