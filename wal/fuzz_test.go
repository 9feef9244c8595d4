package wal

import (
	"bytes"
	"testing"
)

// FuzzRecord takes any bytes for a record, a file header and a durable mark: refused, or encoded to the same bytes.
func FuzzRecord(f *testing.F) {
	h := &logFile{gen: 3, prev: 2, first: 17, term: 1, durab: 16, salt: 99, time: 5}
	f.Add(h.encodeHeader(), uint32(7))
	f.Add(bytes.Repeat([]byte{1, 0, 0, 0}, 20), crcSeed(99, 3))
	f.Fuzz(func(t *testing.T, b []byte, seed uint32) {
		if len(b) >= recordHeaderBytes {
			p := parseFrameHeader(b)
			if p.plausible(p.gen) && frameBytes(p.bodyLen) <= int64(len(b)) {
				var r Record
				if decodeRecord(b, seed, &r) && len(r.Body) != p.bodyLen {
					t.Fatalf("a body of %d bytes, %d were announced", len(r.Body), p.bodyLen)
				}
			}
		}
		var file logFile
		if len(b) >= headerBytes && file.decodeHeader(b[:headerBytes]) == nil && file.gen == 0 && file.first == 0 {
			t.Log("a header of nothing")
		}
		var m durableMark
		if m.decode(b) {
			again := make([]byte, markBytes)
			m.encode(again)
			var o durableMark
			if !o.decode(again) || o != m {
				t.Fatalf("mark %+v became %+v", m, o)
			}
		}
	})
}
