package memtable

import (
	"bytes"
	"encoding/binary"
	"math"
	"sync/atomic"
)

// A record is a key with its first version, in words of the arena:
//
//	+------+------------+----------+------------------------+-----+------+
//	| head | ts << 8    | previous | u32 length of the data | key | data |
//	|      | | flags    |          | u32 length of the key  |     |      |
//	+------+------------+----------+------------------------+-----+------+
//
// A newer version is the same without the head, and without a key. The head
// refers to the newest version, previous to the next older one; 0 is none.
// Only the head changes once a record has been published.
const (
	headWords    = 1
	versionWords = 3
	flagBits     = 8
)

// putVersion fills in a version; w is all of its words.
func putVersion(w []uint64, ts, previous uint64, flags Flags, key, data []byte) {
	w[0] = ts<<flagBits | uint64(flags)
	w[1] = previous
	w[2] = uint64(len(data)) | uint64(len(key))<<32
	b := bytesOf(w, 8*versionWords, len(key)+len(data))
	copy(b, key)
	copy(b[len(key):], data)
}

func words(bytes int) int { return (bytes + 7) / 8 }

// newRecord writes a new key and its first version, which nobody knows yet.
func (t *Table) newRecord(key []byte, ts uint64, flags Flags, data []byte) uint64 {
	ref, w := t.arena.alloc(headWords + versionWords + words(len(key)+len(data)))
	w[0] = ref + headWords
	putVersion(w[headWords:], ts, 0, flags, key, data)
	return ref
}

// addVersion makes a version the newest of a record.
func (t *Table) addVersion(record, ts uint64, flags Flags, data []byte) {
	head := t.head(record)
	ref, w := t.arena.alloc(versionWords + words(len(data)))
	putVersion(w, ts, atomic.LoadUint64(head), flags, nil, data)
	atomic.StoreUint64(head, ref)
}

func (t *Table) head(record uint64) *uint64 { return &t.arena.at(record)[0] }

// key returns the key of a record.
func (t *Table) key(record uint64) []byte {
	w := t.arena.at(record)
	return bytesOf(w, 8*(headWords+versionWords), int(w[headWords+2]>>32))
}

// version decodes a version.
func (t *Table) version(ref uint64) (v Version, previous uint64) {
	w := t.arena.at(ref)
	v.TS, v.Flags = w[0]>>flagBits, Flags(w[0])
	n := w[2]
	v.Data = bytesOf(w, 8*versionWords+int(n>>32), int(uint32(n)))
	return v, w[1]
}

// visible returns the newest version of a record at or below ts.
func (t *Table) visible(record, ts uint64) (Version, bool) {
	for ref := atomic.LoadUint64(t.head(record)); ref != 0; {
		w := t.arena.at(ref)
		if w[0]>>flagBits <= ts {
			v, _ := t.version(ref)
			return v, true
		}
		ref = w[1]
	}
	return Version{}, false
}

// slot places a record. The prefix settles most comparisons.
type slot struct {
	prefix uint64
	ref    uint64
}

// Prefix returns the first eight bytes of a key as a number that orders like the key.
func Prefix(key []byte) uint64 {
	if len(key) >= 8 {
		return binary.BigEndian.Uint64(key)
	}
	var b [8]byte
	copy(b[:], key)
	return binary.BigEndian.Uint64(b[:])
}

// prefix returns the number by which a key is placed: the eight bytes behind
// the first, which is a mark of the kind of value and the same in most keys.
// It orders like the key; keys of another kind share the least or the greatest.
func (t *Table) prefix(key []byte) uint64 {
	if len(key) > 8 && key[0] == t.lead {
		return binary.BigEndian.Uint64(key[1:])
	}
	return t.oddPrefix(key)
}

func (t *Table) oddPrefix(key []byte) uint64 {
	if len(key) == 0 || key[0] < t.lead {
		return 0
	}
	if key[0] > t.lead {
		return math.MaxUint64
	}
	return Prefix(key[1:])
}

func (t *Table) compare(s slot, prefix uint64, key []byte) int {
	if s.prefix != prefix {
		if s.prefix < prefix {
			return -1
		}
		return 1
	}
	return bytes.Compare(t.key(s.ref), key)
}

func (t *Table) less(a, b slot) bool {
	if a.prefix != b.prefix {
		return a.prefix < b.prefix
	}
	return bytes.Compare(t.key(a.ref), t.key(b.ref)) < 0
}

// order is less as slices.SortFunc wants it.
func (t *Table) order(a, b slot) int {
	if a.prefix != b.prefix {
		if a.prefix < b.prefix {
			return -1
		}
		return 1
	}
	return bytes.Compare(t.key(a.ref), t.key(b.ref))
}
