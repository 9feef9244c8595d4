//go:build !linux

package column

import "testing"

// guarded returns memory up to end; it is not guarded here.
func guarded(*testing.T) (mem []byte, end int, free func()) {
	const size = 4096
	return make([]byte, size), size, func() {}
}
