package engine

import "math/bits"

// filter tells which keys a private run surely does not have (a Bloom filter
// whose bits for one key lie in one cache line), so that writes of new keys
// need not look into every run that the transaction has spilled.
type filter struct{ lines [][8]uint64 }

// With filterBits bits a key and filterProbes of them set, about one absent key in a hundred looks present.
const (
	filterBits   = 10
	filterProbes = 6
)

// newFilter returns a filter for up to n keys.
func newFilter(n int64) *filter {
	return &filter{lines: make([][8]uint64, n*filterBits/512+1)}
}

// line returns the line of a key's hash and the bits that choose within it.
func (f *filter) line(hash uint64) (*[8]uint64, uint64) {
	hash = (hash ^ hash>>32) * 0x9e3779b97f4a7c15
	at, rest := bits.Mul64(hash, uint64(len(f.lines)))
	return &f.lines[at], rest ^ hash
}

func (f *filter) add(hash uint64) {
	l, h := f.line(hash)
	for range filterProbes {
		l[h>>6&7] |= 1 << (h & 63)
		h >>= 9
	}
}

func (f *filter) has(hash uint64) bool {
	l, h := f.line(hash)
	for range filterProbes {
		if l[h>>6&7]&(1<<(h&63)) == 0 {
			return false
		}
		h >>= 9
	}
	return true
}
