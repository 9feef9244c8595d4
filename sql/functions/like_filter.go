package functions

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"strings"
)

// LikeFilter selects byte strings by a constant pattern: column.Strings.
type LikeFilter struct {
	pattern *likePattern
	not     bool
	least   int    // no shorter string matches
	needle  []byte // every string that matches has it; the longest piece of the pattern
	whole   bool   // and every string that has it matches
	pair    int    // where two of its bytes stand side by side that texts have seldom
}

// IsLike reports whether an internal function is LIKE or NOT LIKE.
func IsLike(src string) bool { return likeVecs[src] != nil }

// NewLikeFilter compiles the second argument of such a function, nil where the
// pattern has to be matched character by character.
func NewLikeFilter(src string, pattern []byte) *LikeFilter {
	f := &LikeFilter{not: strings.HasSuffix(src, "nlike")}
	m := compileLike(bytes.Clone(pattern), true)
	if !m.simple {
		return nil
	}
	f.pattern, f.least = m, len(m.prefix)+len(m.suffix)
	for _, p := range m.middle {
		f.least += len(p)
		if len(p) > len(f.needle) {
			f.needle = p
		}
	}
	f.whole = m.anywhere && len(m.middle) == 1 && f.least == len(f.needle)
	f.pair = rarePair(f.needle)
	return f
}

// Match implements column.Strings.
func (f *LikeFilter) Match(s []byte) bool {
	ok, _ := f.pattern.match(nil, s) // simple ones do not fail and take no time
	return ok != f.not
}

// Filter appends to dst the rows of a lane that are selected.
func (f *LikeFilter) Filter(lane [][]byte, rows, dst []int32) []int32 {
	prefix := f.pattern.prefix
	for _, r := range rows {
		s := lane[r]
		ok := len(s) >= f.least && (len(prefix) == 0 || s[0] == prefix[0])
		if ok {
			ok, _ = f.pattern.match(nil, s)
		}
		if ok != f.not {
			dst = append(dst, r)
		}
	}
	return dst
}

// MatchAll implements column.Strings: what has no prefix is searched for in all
// strings at once.
func (f *LikeFilter) MatchAll(heap []byte, ends []int64, first int32, dst []int32) []int32 {
	if !f.not && len(f.pattern.prefix) == 0 && len(f.needle) > 1 {
		return f.search(heap, ends, first, dst)
	}
	prefix, start := f.pattern.prefix, int64(0)
	for i, end := range ends {
		s := heap[start:end]
		start = end
		ok := len(s) >= f.least && (len(prefix) == 0 || s[0] == prefix[0])
		if ok {
			ok, _ = f.pattern.match(nil, s)
		}
		if ok != f.not {
			dst = append(dst, first+int32(i))
		}
	}
	return dst
}

// search finds the needle in the heap and then the string that it is in.
func (f *LikeFilter) search(heap []byte, ends []int64, first int32, dst []int32) []int32 {
	at, i := 0, 0
	for {
		if at = f.index(heap, at); at < 0 {
			return dst
		}
		for int(ends[i]) <= at {
			i++
		}
		end := int(ends[i])
		if at+len(f.needle) > end { // it reaches into the next string
			at++
			continue
		}
		ok := f.whole
		if !ok {
			start := 0
			if i > 0 {
				start = int(ends[i-1])
			}
			ok, _ = f.pattern.match(nil, heap[start:end])
		}
		if ok {
			dst = append(dst, first+int32(i))
		}
		at = end
	}
}

// commonBytes are those that most texts are made of, the most common first.
const commonBytes = " etaoinshrdlucmfwygpbvk"

// rarePair returns the place of the two neighbours of a needle that are seldom
// side by side in texts, as far as each of them is seldom.
func rarePair(needle []byte) (at int) {
	rank := func(c byte) int {
		if i := strings.IndexByte(commonBytes, c); i >= 0 {
			return i
		}
		return len(commonBytes)
	}
	best := -1
	for i := 0; i+1 < len(needle); i++ {
		if r := rank(needle[i]) + rank(needle[i+1]); r > best {
			best, at = r, i
		}
	}
	return at
}

const (
	eachByte = 0x0101010101010101
	topBits  = 0x8080808080808080
)

// index returns where the needle stands in heap from at on, -1 if it does not.
// It looks at eight places at once for the rare pair: what has a single common
// byte of the needle in every other string is no hindrance.
func (f *LikeFilter) index(heap []byte, at int) int {
	n, k := len(f.needle), f.pair
	first, second := uint64(f.needle[k])*eachByte, uint64(f.needle[k+1])*eachByte
	i := at + k
	for ; i+9 <= len(heap); i += 8 {
		x := binary.LittleEndian.Uint64(heap[i:]) ^ first
		y := binary.LittleEndian.Uint64(heap[i+1:]) ^ second
		// A byte that is 0 has its top bit set in hits; so may one above it.
		for hits := (x - eachByte) &^ x & (y - eachByte) &^ y & topBits; hits != 0; hits &= hits - 1 {
			start := i + bits.TrailingZeros64(hits)>>3 - k
			if start+n <= len(heap) && string(heap[start:start+n]) == string(f.needle) {
				return start
			}
		}
	}
	if rest := i - k; rest < len(heap) {
		if j := bytes.Index(heap[rest:], f.needle); j >= 0 {
			return rest + j
		}
	}
	return -1
}
