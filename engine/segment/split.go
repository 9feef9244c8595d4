package segment

import "encoding/binary"

// SplitKey is a key with about the number of rows of the segment before it.
type SplitKey struct {
	Key  []byte
	Rows uint64
}

// SplitKeys returns up to n keys, ascending, that part the segment into pieces
// of about equal size, from the fences alone.
func (r *Reader) SplitKeys(n int) []SplitKey {
	f := r.fences
	var out []SplitKey
	last := 0
	for i := 1; i <= n; i++ {
		at := i * f.count() / (n + 1)
		if at <= last {
			continue
		}
		last = at
		key := binary.BigEndian.AppendUint64(append([]byte(nil), f.prefix.Bytes()...), f.chunks[at])
		out = append(out, SplitKey{Key: key, Rows: uint64(f.rows[at])})
	}
	return out
}
