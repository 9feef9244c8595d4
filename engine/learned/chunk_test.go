package learned

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// TestPrefix compares what a Prefix says of keys with what their bytes say.
func TestPrefix(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	text := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rng.IntN(3)) * 127
		}
		return b
	}
	found := 0
	for range 200_000 {
		prefix, key := text(rng.IntN(12)), text(rng.IntN(20))
		if rng.IntN(3) > 0 {
			key = append(bytes.Clone(prefix), key...)
		}
		p := PrefixOf(prefix)
		x, ok := p.Chunk(key)
		rest, has := bytes.CutPrefix(key, prefix)
		if ok != has {
			t.Fatalf("%x begins with %x: %v", key, prefix, ok)
		}
		if has {
			found++
			if want := Chunk(rest); x != want {
				t.Fatalf("the chunk of %x behind %x is %x, want %x", key, prefix, x, want)
			}
		}
	}
	if found < 100_000 {
		t.Errorf("only %d keys had the prefix", found)
	}
	var none Prefix
	if x, ok := none.Chunk([]byte("abcdefghi")); !ok || x != Chunk([]byte("abcdefgh")) {
		t.Errorf("the empty prefix gives %x, %v", x, ok)
	}
}
