package column

import (
	"testing"
	"unsafe"
)

// TestLines shows that the ends of a range of bytes add their line once or two lines.
func TestLines(t *testing.T) {
	mem := make([]byte, 4*lineBytes)
	data := mem[-uintptr(unsafe.Pointer(&mem[0]))%lineBytes:]
	for _, c := range []struct{ from, n, lines int }{
		{0, 1, 1}, {0, lineBytes, 1}, {0, lineBytes + 1, 2}, {lineBytes - 1, 1, 1}, {lineBytes - 1, 2, 2}, {lineBytes, 8, 1}, {5, 3 * lineBytes, 2},
	} {
		var l Lines
		l.Add(&data[c.from], c.n)
		if l.n != c.lines {
			t.Errorf("%d bytes from %d: %d lines, want %d", c.n, c.from, l.n, c.lines)
		}
	}
	var l Lines
	for range LinesRoom / 2 {
		l.Add(&data[lineBytes-1], 2)
	}
	l.Ask()
	if l.n != 0 {
		t.Errorf("%d lines are left", l.n)
	}
}
