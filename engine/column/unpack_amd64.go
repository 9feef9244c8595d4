package column

import "golang.org/x/sys/cpu"

// vectorTable tells unpackVectors how numbers of one width stand in a group of
// eight. Its fields are read by their offsets.
type vectorTable struct {
	shuffle [64]byte  // by byte of the eight numbers: which of the 16 bytes loaded goes there
	shift   [8]uint64 // by number: bits before it in its first byte
	mask    uint64
	at      [3]uint64 // where the second, third and fourth load begins, none behind the group's bytes; the first does at 0
	width   uint64    // bytes of a group
}

// vectorLoad is the number of bytes that unpackVectors loads for two numbers.
const vectorLoad = 16

// vectorWidths are the widths for which two neighbours lie within 16 bytes,
// and each, with what precedes it in its first byte, within eight.
const vectorWidths = maxPacked + 1

var vectorTables = func() (list [vectorWidths]vectorTable) {
	for w := 1; w < vectorWidths; w++ {
		t := &list[w]
		t.mask, t.width = 1<<w-1, uint64(w)
		for k := range 8 {
			load := max(min(k&^1*w/8, groupBytes(w)-vectorLoad), 0)
			if k > 1 {
				t.at[k/2-1] = uint64(load)
			}
			t.shift[k] = uint64(k * w % 8)
			for b := range 8 {
				t.shuffle[8*k+b] = byte(k*w/8 - load + b)
			}
		}
	}
	return list
}()

// wideTable is vectorTable for unpackWide.
type wideTable struct {
	permute [64]byte  // by byte of the eight numbers: which byte of the group goes there
	shift   [8]uint64 // by number: bits before it in its first byte
	mask    uint64
	bytes   uint64 // a bit for each that a group is read from
	width   uint64 // bytes of a group
}

var wideTables = func() (list [vectorWidths]wideTable) {
	for w := 1; w < vectorWidths; w++ {
		t := &list[w]
		t.mask, t.width, t.bytes = 1<<w-1, uint64(w), 1<<groupBytes(w)-1
		for k := range 8 {
			t.shift[k] = uint64(k * w % 8)
			for b := range 8 {
				t.permute[8*k+b] = byte(k*w/8 + b)
			}
		}
	}
	return list
}()

// groupBytes is how many bytes eight numbers of a width are read from: the last
// is read as eight, of which padding may be the end.
func groupBytes(w int) int { return 7*w/8 + 8 }

// hasVectors and hasWide tell which instructions the processor has; tests
// leave them out in turn.
var (
	hasVectors = cpu.X86.HasAVX2
	hasWide    = cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VBMI
)

//go:noescape
func unpackWide(dst *int64, p *byte, groups int, t *wideTable, base uint64)

//go:noescape
func unpackVectors(dst *int64, p *byte, groups int, t *vectorTable, base uint64)

// prefetchLines asks for n cache lines, one at least, from that of p on.
//
//go:noescape
func prefetchLines(p *byte, n int)

// prefetchEach asks for the cache lines of n addresses, one at least.
//
//go:noescape
func prefetchEach(p *uintptr, n int)

// unpackMost unpacks as many groups of eight values as the processor's vectors
// can without a load beyond p's or a store beyond dst's capacity, and returns
// how many values of dst those are.
func unpackMost(dst []int64, p []byte, w int, base uint64) int {
	if !hasVectors || w >= vectorWidths || len(dst) == 0 {
		return 0
	}
	read := groupBytes(w)
	if !hasWide {
		read = max(read, vectorLoad)
	}
	if cap(p) < read {
		return 0
	}
	p = p[:cap(p)]
	groups := min((len(dst)+7)/8, cap(dst)/8, (len(p)-read)/w+1)
	switch {
	case groups == 0:
		return 0
	case hasWide:
		unpackWide(&dst[0], &p[0], groups, &wideTables[w], base)
	default:
		unpackVectors(&dst[0], &p[0], groups, &vectorTables[w], base)
	}
	return min(8*groups, len(dst))
}
