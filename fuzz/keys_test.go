package fuzz

import (
	"bytes"
	"errors"
	"testing"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/keys"
)

// FuzzKeyDecode: bytes are either refused as malformed or decode to a value
// whose encoding they are, and Skip agrees with Decode.
func FuzzKeyDecode(f *testing.F) {
	f.Add(keys.AppendBytes(nil, []byte("a\x00b"), 0), byte(3), byte(0))
	f.Add(keys.AppendInt(nil, -5, keys.Desc), byte(1), byte(keys.Desc))
	f.Add(keys.AppendFloat(nil, 1.5, keys.NotNull), byte(2), byte(keys.NotNull))
	f.Add(keys.AppendNull(nil, keys.NullsFirst), byte(3), byte(keys.NullsFirst))
	f.Fuzz(func(t *testing.T, b []byte, kind, order byte) {
		k, o := column.Kind(kind%3+1), keys.Order(order)&(keys.Desc|keys.NullsFirst|keys.NotNull)
		d, rest, _, err := keys.Decode(b, k, o, nil)
		if err != nil {
			if !errors.Is(err, keys.ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		skipped, err := keys.Skip(b, k, o)
		if err != nil || !bytes.Equal(skipped, rest) {
			t.Fatalf("skip leaves %x (%v), decode %x", skipped, err, rest)
		}
		if again := keys.AppendDatum(nil, k, d, o); !bytes.Equal(again, b[:len(b)-len(rest)]) {
			t.Fatalf("%x decodes to %v, which is encoded as %x", b, d, again)
		}
	})
}

// FuzzKeyOrder: encodings of byte strings sort as the strings, in every order,
// whatever part follows.
func FuzzKeyOrder(f *testing.F) {
	f.Add([]byte("a"), []byte("a\x00"), int64(1), int64(-1), false)
	f.Add([]byte{}, []byte{0xFF}, int64(0), int64(0), true)
	f.Fuzz(func(t *testing.T, a, b []byte, x, y int64, desc bool) {
		o := keys.Order(0)
		want := bytes.Compare(a, b)
		if desc {
			o, want = keys.Desc, -want
		}
		if want == 0 {
			switch {
			case x < y:
				want = -1
			case x > y:
				want = 1
			}
		}
		ka := keys.AppendInt(keys.AppendBytes(nil, a, o), x, 0)
		kb := keys.AppendInt(keys.AppendBytes(nil, b, o), y, 0)
		if got := bytes.Compare(ka, kb); got != want {
			t.Fatalf("(%x, %d) and (%x, %d) compare as %d, want %d", a, x, b, y, got, want)
		}
	})
}
