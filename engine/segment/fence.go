package segment

import (
	"bytes"
	"encoding/binary"
	"errors"
	"unsafe"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/learned"
)

// fences decide which block holds a key. Fence i is the shortest byte string
// that is greater than the last key of block i-1 and not greater than the
// first key of block i; when a key's versions go on from block i-1 to block
// i, it is that key. All fences share a prefix, which is stripped.
type fences struct {
	prefix    learned.Prefix
	chunks    []uint64       // the first eight bytes after the prefix, big endian, zeros appended
	model     *learned.Model // nil: binary search
	continued column.Bitmap
	rows      []uint32 // before each block; one more entry holds the total
	offsets   []uint32 // of blocks, in units of blockAlign
	lengths   []uint32 // of blocks, checksum included
	// ends and tails hold the stripped fences themselves. They are empty when
	// the chunks say everything: no stripped fence is longer than eight bytes
	// or ends with a zero byte.
	ends  []uint32
	tails []byte
}

// blockAlign is the alignment of blocks in the file: 32-bit block offsets
// reach 32 GB and packed words of cached blocks are mostly aligned.
const blockAlign = 8

var errFences = errors.New("malformed fences")

func (f *fences) count() int { return len(f.chunks) }

func (f *fences) offset(i int) int64 { return int64(f.offsets[i]) * blockAlign }

// blockRows returns the number of rows of block i.
func (f *fences) blockRows(i int) int { return int(f.rows[i+1] - f.rows[i]) }

// slotBytes is what is kept for each fence elsewhere: the way to the block in
// the cache, and there, while the block is in it, the model of its rows.
const slotBytes = 4 + int(unsafe.Sizeof(rowModel{}))

// bytes returns the memory of the fences, the model not counted.
func (f *fences) bytes() int {
	return len(f.prefix.Bytes()) + 8*len(f.chunks) + 4*len(f.ends) + len(f.tails) + 4*len(f.offsets) + 4*len(f.lengths) + 4*len(f.rows) + 8*len(f.continued) + slotBytes*len(f.chunks)
}

// setKeys fills prefix, chunks, ends and tails from whole fences.
func (f *fences) setKeys(whole [][]byte) {
	if len(whole) == 0 {
		return
	}
	n := learned.CommonPrefix(whole[0], whole[len(whole)-1])
	f.prefix = learned.PrefixOf(bytes.Clone(whole[0][:n]))
	exact := true
	for _, w := range whole {
		w = w[n:]
		f.chunks = append(f.chunks, learned.Chunk(w))
		exact = exact && len(w) <= 8 && (len(w) == 0 || w[len(w)-1] != 0)
	}
	if exact {
		return
	}
	for _, w := range whole {
		f.tails = append(f.tails, w[n:]...)
		f.ends = append(f.ends, uint32(len(f.tails)))
	}
}

// compare compares fence i with key, from which the prefix was stripped.
func (f *fences) compare(i int, rest []byte, c uint64) int {
	switch x := f.chunks[i]; {
	case x < c:
		return -1
	case x > c:
		return 1
	case f.ends == nil:
		if len(rest) > 8 {
			return -1
		}
		// equal chunks of a fence without trailing zeros: the fence is rest
		// or a prefix of it that only zeros follow
		var be [8]byte
		binary.BigEndian.PutUint64(be[:], x)
		return bytes.Compare(bytes.TrimRight(be[:], "\x00"), rest)
	}
	return bytes.Compare(f.tail(i), rest)
}

func (f *fences) tail(i int) []byte {
	lo := uint32(0)
	if i > 0 {
		lo = f.ends[i-1]
	}
	return f.tails[lo:f.ends[i]]
}

// beside says on which side of all keys with the prefix a key is that does not
// have it: below (-1) or above (1).
func (f *fences) beside(key []byte) int {
	prefix := f.prefix.Bytes()
	n := min(len(key), len(prefix))
	if side := bytes.Compare(key[:n], prefix[:n]); side != 0 {
		return side
	}
	return -1
}

// window is what was found out about a key before the chunks are searched.
type window struct {
	rest         []byte
	chunk        uint64
	lower, upper int  // bounds of the first chunk not less than chunk; upper included
	place        int  // where the model expects it, -1 without a model
	side         int  // 0, or from beside: then chunk, rest and bounds mean nothing
	missed       bool // find did not find it there
	many         bool // one of many that are searched at once; whoever asks sets it
}

// predict bounds the place of key among the fences.
func (f *fences) predict(w *window, key []byte, noModel bool, st *Stats) {
	w.lower, w.upper, w.place = 0, len(f.chunks), -1
	var ok bool
	if w.chunk, ok = f.prefix.Chunk(key); !ok {
		w.rest, w.side = nil, f.beside(key)
		return
	}
	w.rest, w.side = key[len(f.prefix.Bytes()):], 0
	if f.model != nil && !noModel {
		w.place, w.lower, w.upper = f.model.Locate(w.chunk)
		if st != nil {
			st.Predictions++
			st.Window += int64(w.upper - w.lower + 1)
		}
	}
}

// find returns the block that holds the key of w if any does: the last block
// whose fence is not greater; 0 when all are.
func (f *fences) find(w *window, st *Stats) int {
	switch {
	case w.side < 0:
		return 0
	case w.side > 0:
		return len(f.chunks) - 1
	}
	var lo int
	if w.many {
		lo = f.countLess(w)
	} else {
		lo = f.walk(w)
	}
	w.missed = w.place >= 0 && w.place != lo
	if st != nil && w.missed {
		st.Mispredictions++
	}
	for lo < len(f.chunks) && f.chunks[lo] == w.chunk {
		if f.ends != nil { // ties are searched by the whole fences
			lo = f.findTie(lo, w)
			break
		}
		if f.compare(lo, w.rest, w.chunk) > 0 {
			break
		}
		lo++
	}
	return max(lo-1, 0)
}

// walkFences are compared one by one from the predicted place on.
const walkFences = 8

// walk returns the first fence whose chunk is not less than w's.
func (f *fences) walk(w *window) int {
	lo, hi := w.lower, w.upper
	if at := w.place; at >= 0 && at < len(f.chunks) {
		if f.chunks[at] < w.chunk {
			for end := min(at+walkFences, hi); at < end; {
				if at++; at == len(f.chunks) || f.chunks[at] >= w.chunk {
					return at
				}
			}
			lo = min(at+1, hi)
		} else {
			for end := max(at-walkFences, lo); at > end; at-- {
				if f.chunks[at-1] < w.chunk {
					return at
				}
			}
			hi = at
		}
	}
	for lo < hi {
		m := int(uint(lo+hi) >> 1)
		if f.chunks[m] < w.chunk {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo
}

// countedFences is the widest window whose fences are all compared.
const countedFences = 16

// countLess is walk for one of many searches at once: within a narrow window it
// adds up how many are less, in which no branch can be guessed wrong. What
// follows a single search is better off with the guess, which is mostly right:
// it begins before the search has ended.
func (f *fences) countLess(w *window) int {
	lo, hi := w.lower, w.upper
	for hi-lo > countedFences {
		m := int(uint(lo+hi) >> 1)
		if f.chunks[m] < w.chunk {
			lo = m + 1
		} else {
			hi = m
		}
	}
	for _, c := range f.chunks[lo:hi] {
		less := 0
		if c < w.chunk {
			less = 1
		}
		lo += less
	}
	return lo
}

// findTie returns the first fence from lo on that is greater than w's key;
// the chunk of lo is equal to w's.
func (f *fences) findTie(lo int, w *window) int {
	hi := lo + 1
	for step := 1; hi < len(f.chunks) && f.compare(hi, w.rest, w.chunk) <= 0; step *= 2 {
		lo, hi = hi, min(hi+step, len(f.chunks))
	}
	for lo < hi {
		m := int(uint(lo+hi) >> 1)
		if f.compare(m, w.rest, w.chunk) <= 0 {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo
}

// firstBlock returns the block in which the first row not less than w's key
// stands, or at whose end it would stand.
func (f *fences) firstBlock(w *window, st *Stats) int {
	i := f.find(w, st)
	for i > 0 && f.continued.Get(i) && w.side == 0 && f.compare(i, w.rest, w.chunk) == 0 {
		i--
	}
	return i
}

// runStart returns the first block of the run of blocks, linked by a key that
// goes on from one to the next, to which block i belongs.
func (f *fences) runStart(i int) int {
	for i > 0 && f.continued.Get(i) {
		i--
	}
	return i
}

// separator returns the length of the prefix of next that is greater than
// last; last < next.
func separator(last, next []byte) int { return learned.CommonPrefix(last, next) + 1 }
