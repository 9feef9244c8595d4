package memtable

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"sync/atomic"
)

// A record is a version of a key, in words of the arena. It has the key if it is
// the one by which the key is known, which is its first version as a rule:
//
//	+------+------------+---------------------+------------------------+-----+------+
//	| link | ts << 8    | u16 length of key   | or, when one does not  | key | data |
//	|      | | flags    | u16 length of data  | fit, a u32 for each    |     |      |
//	+------+------------+---------------------+------------------------+-----+------+
//
// In a key's own record the link refers to the newest version, and 0 is that
// record itself; in any other to the next older version. noVersion is none.
// Only the link of a key's own record changes once it has been published.
const (
	headBytes = 16
	flagBits  = 8
	userFlags = wide - 1
	wide      = 1 << 7 // of the flags: the lengths have 32 bits
	noVersion = 1      // firstWord is above it
)

func words(bytes int) int { return (bytes + 7) / 8 }

// put writes a version that nobody knows yet, and returns its record and the
// key in it.
func (t *Table) put(link, ts uint64, flags Flags, key, data []byte) (record uint64, kept []byte) {
	if len(key)|len(data) >= 1<<16 {
		return t.putWide(link, ts, flags, key, data)
	}
	ref, w := t.arena.alloc(words(headBytes + 4 + len(key) + len(data)))
	w[0], w[1], w[2] = link, ts<<flagBits|uint64(flags), uint64(len(key))|uint64(len(data))<<16
	b := bytesOf(w, headBytes+4, len(key)+len(data))
	copy(b, key)
	copy(b[len(key):], data)
	return ref, b[:len(key):len(key)]
}

func (t *Table) putWide(link, ts uint64, flags Flags, key, data []byte) (record uint64, kept []byte) {
	ref, w := t.arena.alloc(words(headBytes + 8 + len(key) + len(data)))
	w[0], w[1], w[2] = link, ts<<flagBits|uint64(flags|wide), uint64(len(key))|uint64(len(data))<<32
	b := bytesOf(w, headBytes+8, len(key)+len(data))
	copy(b[copy(b, key):], data)
	return ref, b[:len(key):len(key)]
}

// addVersion makes a version the newest of a record.
func (t *Table) addVersion(record, ts uint64, flags Flags, data []byte) {
	version, _ := t.put(t.newest(record), ts, flags, nil, data)
	publish64(t.link(record), version)
}

// join adds the versions of a record to the one by which the same key is known,
// whose versions are all older. It copies them: a reader may have the record.
func (t *Table) join(record, newer uint64) {
	var chain []uint64
	for ref := t.newest(newer); ref != noVersion; ref = older(newer, ref, t.arena.at(ref)) {
		chain = append(chain, ref)
	}
	for _, ref := range slices.Backward(chain) {
		v := decode(t.arena.at(ref))
		t.addVersion(record, v.TS, v.Flags, v.Data)
	}
	t.rewrites.Add(1)
}

func (t *Table) link(record uint64) *uint64 { return &t.arena.at(record)[0] }

// newest returns the newest version of a key's record, or noVersion.
func (t *Table) newest(record uint64) uint64 {
	if ref := atomic.LoadUint64(t.link(record)); ref != 0 {
		return ref
	}
	return record
}

// older returns the next older version of a key's record than the one whose
// words are w, or noVersion.
func older(record, ref uint64, w []uint64) uint64 {
	if ref == record {
		return noVersion
	}
	return w[0]
}

// key returns the key of a record.
func (t *Table) key(record uint64) []byte {
	w := t.arena.at(record)
	if w[1]&wide != 0 {
		return bytesOf(w, headBytes+8, int(uint32(w[2])))
	}
	return bytesOf(w, headBytes+4, int(uint16(w[2])))
}

// decode returns the version in the words of a record.
func decode(w []uint64) Version {
	v := Version{TS: w[1] >> flagBits, Flags: Flags(w[1]) & userFlags}
	if n := w[2]; w[1]&wide != 0 {
		v.Data = bytesOf(w, headBytes+8+int(uint32(n)), int(n>>32))
	} else {
		v.Data = bytesOf(w, headBytes+4+int(uint16(n)), int(uint16(n>>16)))
	}
	return v
}

// visible returns the newest version of a record at or below ts.
func (t *Table) visible(record, ts uint64) (Version, bool) {
	for ref := t.newest(record); ref != noVersion; {
		w := t.arena.at(ref)
		if w[1]>>flagBits <= ts {
			return decode(w), true
		}
		ref = older(record, ref, w)
	}
	return Version{}, false
}

// slot names a record by its place among the keys. The prefix settles most comparisons.
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
