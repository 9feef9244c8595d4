package wal

import (
	"errors"
	"strings"
	"syscall"
	"testing"

	"github.com/omendb/omendb/internal/vfs"
)

// Records that nobody wants to be durable at once are written together: at
// holdBytes, and when somebody wants one of them or a later one to be durable.
func TestHeldRecords(t *testing.T) {
	mem := vfs.NewMem(1)
	disk := vfs.NewFault(mem)
	b := newBench(t, disk)
	b.opts.FileBytes = 1 << 20
	b.open()
	before := disk.Count(vfs.OpWrite)
	text := strings.Repeat("x", 1000)
	var want []string
	async := func(n int) {
		t.Helper()
		for range n {
			if _, err := b.log.Propose(bg, KindCommit, []byte(text), nil, true); err != nil {
				t.Fatal(err)
			}
			want = append(want, text)
		}
	}
	async(10)
	if n := disk.Count(vfs.OpWrite) - before; n != 0 || b.log.Applied() != 10 {
		t.Fatalf("%d writes for ten records that may be held, %d are applied", n, b.log.Applied())
	}
	async(60)
	if n := disk.Count(vfs.OpWrite) - before; n != 1 {
		t.Fatalf("%d writes after more than %d bytes", n, holdBytes)
	}
	b.propose("durable")
	want = append(want, "durable")
	if b.log.Durable() != 71 {
		t.Fatalf("a synced record is number 71, durable is %d", b.log.Durable())
	}
	b.reopen(vfs.NewFault(mem.CrashClone(nil)))
	equal(t, b.replay(1), want)
}

// Without room, held records wait: new ones are refused, and all is well when
// there is some again.
func TestHeldRecordsWithoutRoom(t *testing.T) {
	mem := vfs.NewMem(1)
	disk := vfs.NewFault(mem)
	b := newBench(t, disk)
	b.open()
	lsn, err := b.log.Propose(bg, KindCommit, []byte("held"), nil, true)
	if err != nil {
		t.Fatal(err)
	}
	disk.Add(vfs.Rule{Kind: vfs.OpWrite, Nth: 1, Times: 3, Err: syscall.ENOSPC})
	if err := b.log.WaitDurable(bg, lsn); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("wait without room: %v", err)
	}
	if _, err := b.log.Propose(bg, KindCommit, []byte("refused"), nil, false); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("propose without room: %v", err)
	}
	b.propose("later")
	if b.log.Durable() != 2 || b.fatal != nil {
		t.Fatalf("durable is %d, fatal %v", b.log.Durable(), b.fatal)
	}
	b.reopen(vfs.NewFault(mem.CrashClone(nil)))
	equal(t, b.replay(1), []string{"held", "later"})
}
