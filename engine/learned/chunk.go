package learned

import "encoding/binary"

// Chunk returns the first eight bytes of a byte-string key, zeros appended,
// as the number that sorts as they do. Keys are chunked after their common
// prefix; equal chunks are told apart by whole comparisons.
func Chunk(key []byte) uint64 {
	if len(key) >= 8 {
		return binary.BigEndian.Uint64(key)
	}
	var x uint64
	for i, c := range key {
		x |= uint64(c) << (56 - 8*uint(i))
	}
	return x
}

// CommonPrefix returns the length of the common prefix of a and b. That of
// the least and the greatest of sorted keys is common to all of them.
func CommonPrefix(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// Prefix is what all keys of an array begin with. Its zero value is empty.
type Prefix struct {
	bytes []byte
	chunk uint64 // of bytes
}

// PrefixOf returns the prefix of the keys that begin with b, which it keeps.
func PrefixOf(b []byte) Prefix { return Prefix{b, Chunk(b)} }

// Bytes returns the prefix, which must not be changed.
func (p *Prefix) Bytes() []byte { return p.bytes }

// Chunk returns the chunk of what follows the prefix in key; false if key does
// not begin with it. Keys of eight bytes and more are not looked at byte by
// byte when the prefix has eight at most.
func (p *Prefix) Chunk(key []byte) (x uint64, ok bool) {
	n := len(p.bytes)
	if len(key) < 8 || n > 8 {
		if len(key) < n || string(key[:n]) != string(p.bytes) {
			return 0, false
		}
		return Chunk(key[n:]), true
	}
	if (binary.BigEndian.Uint64(key)^p.chunk)>>(64-8*n) != 0 {
		return 0, false
	}
	if len(key) >= n+8 {
		return binary.BigEndian.Uint64(key[n:]), true
	}
	return binary.BigEndian.Uint64(key[len(key)-8:]) << (8 * (n + 8 - len(key))), true
}
