package column

import (
	"testing"
	"unsafe"
)

// TestLines shows that a pair of bytes adds its line once or its two lines,
// and that ends beyond the data stand for the ends.
func TestLines(t *testing.T) {
	mem := make([]byte, 4*lineBytes)
	skip := -uintptr(unsafe.Pointer(&mem[0])) % lineBytes
	data := mem[skip : skip+3*lineBytes]
	for _, c := range []struct{ from, to, lines int }{
		{0, 0, 1}, {0, lineBytes - 1, 1}, {0, lineBytes, 2}, {lineBytes - 1, lineBytes, 2}, {lineBytes, lineBytes + 7, 1},
		{-5, 3, 1}, {2*lineBytes - 1, 9 * lineBytes, 2}, {3*lineBytes - 1, 9 * lineBytes, 1},
	} {
		var l Lines
		l.Add(data, c.from, c.to)
		if l.n != c.lines {
			t.Errorf("bytes %d and %d: %d lines, want %d", c.from, c.to, l.n, c.lines)
		}
	}
	var l Lines
	for range linesRoom { // twice its room
		l.Add(data, lineBytes-1, lineBytes)
	}
	l.Ask()
	if l.n != 0 {
		t.Errorf("%d lines are left", l.n)
	}
}
