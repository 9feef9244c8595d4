package wal

import (
	"testing"
	"time"

	"github.com/omendb/omendb/internal/vfs"
)

// A torn value made of headers that promise long bodies must not make recovery
// read the file again for each of them.
func TestForgedHeadersCostNothing(t *testing.T) {
	b := newBench(t, vfs.NewMem(1))
	b.opts.FileBytes = 8 << 20
	b.open()
	b.propose("first")
	var forged []byte
	for len(forged) < 6<<20 {
		r := Record{LSN: 1 << 40, Generation: 1, DurableUpTo: 9, Kind: KindCommit}
		at := len(forged)
		forged = appendRecord(forged, &r, 0)
		forged[at+5], forged[at+6] = 0xff, 0x0f // 1 MiB, as far as the header knows
	}
	b.propose(string(forged))
	starts := offsets(t, b.fs, logName("wal", 1))
	fs := b.fs.(*vfs.Mem).Clone()
	change(t, fs, logName("wal", 1), flip(starts[1]))
	forgetMark(t, fs)
	start := time.Now()
	b.reopen(fs)
	if took := time.Since(start); took > 2*time.Second || b.log.Last() != 1 {
		t.Fatalf("%v, the log ends with %d", took, b.log.Last())
	}
}
