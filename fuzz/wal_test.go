package fuzz

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/omendb/omendb/internal/clock"
	"github.com/omendb/omendb/internal/task"
	"github.com/omendb/omendb/internal/vfs"
	"github.com/omendb/omendb/wal"
)

const walFile = "wal/0000000001.wal"

func walOptions(fs vfs.FS) wal.Options {
	clk := clock.NewManual(time.Unix(1_700_000_000, 0))
	return wal.Options{FS: fs, Dir: "wal", Clock: clk, Tasks: task.NewSim(1, clk, nil), FileBytes: 8192, SkipZeroFill: true}
}

// walRecord is the body of the i-th record of the sample log.
func walRecord(i int) string { return fmt.Sprintf("%d:%0*d", i, i*7%90, i) }

const walRecords = 20

// walSample returns a log file with records. Every record after the first
// vouches for the one before; nothing vouches for the last.
func walSample(t testing.TB) []byte {
	fs := vfs.NewMem(1)
	l, err := wal.Open(walOptions(fs))
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i <= walRecords; i++ {
		if _, err := l.Propose(context.Background(), wal.KindCommit, []byte(walRecord(i)), nil, false); err != nil {
			t.Fatal(err)
		}
	}
	b, err := vfs.ReadFile(fs, walFile)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func walOpen(t testing.TB, file []byte) ([]string, error) {
	fs := vfs.NewMem(1)
	if err := fs.MkdirAll("wal"); err != nil {
		t.Fatal(err)
	}
	if err := vfs.WriteFile(fs, walFile, file); err != nil {
		t.Fatal(err)
	}
	l, err := wal.Open(walOptions(fs))
	if err != nil {
		return nil, err
	}
	var out []string
	err = l.Replay(l.First(), func(r *wal.Record) error {
		out = append(out, string(r.Body))
		return nil
	})
	if err == nil {
		_, err = l.Propose(context.Background(), wal.KindCommit, []byte("on"), nil, false)
	}
	return out, errors.Join(err, l.Close())
}

// FuzzWALFile opens any bytes as a log file. They are refused by class, or
// give a log that can be read and appended to.
func FuzzWALFile(f *testing.F) {
	sample := walSample(f)
	f.Add(sample)
	f.Add(sample[:700])
	f.Add(sample[:512])
	f.Add([]byte("OMENWAL\x00"))
	f.Fuzz(func(t *testing.T, file []byte) {
		if len(file) > 1<<16 {
			return
		}
		_, err := walOpen(t, file)
		var damage *wal.CorruptionError
		var version *wal.VersionError
		if err != nil && !errors.As(err, &damage) && !errors.As(err, &version) {
			t.Fatal(err)
		}
	})
}

// FuzzWALDamage edits a good log. Each 4 bytes of edits are a position, a mask
// and what to do. Damage is reported or the log is a prefix, never anything
// else; one damaged byte can hide no more than the last record.
func FuzzWALDamage(f *testing.F) {
	sample := walSample(f)
	f.Add([]byte{})
	f.Add([]byte{0x10, 0x02, 0x01, 0})
	f.Add([]byte{0x40, 0x03, 0x80, 1})
	f.Add([]byte{0x00, 0x04, 0x11, 2, 0x30, 0x05, 0x07, 3})
	f.Fuzz(func(t *testing.T, edits []byte) {
		file := append([]byte(nil), sample...)
		oneByte := len(edits) < 8 && (len(edits) < 4 || edits[3]%4 == 0 || edits[3]%4 == 3)
		for ; len(edits) >= 4; edits = edits[4:] {
			at := int(binary.LittleEndian.Uint16(edits)) % len(file)
			switch edits[3] % 4 {
			case 0:
				file[at] ^= edits[2]
			case 1: // a lost sector
				at &^= 511
				clear(file[at : at+512])
			case 2: // a misdirected one
				from := int(edits[2]) * 512 % len(file)
				copy(file[at&^511:at&^511+512], file[from:])
			case 3:
				file[at] = edits[2]
			}
		}
		got, err := walOpen(t, file)
		if err != nil {
			var damage *wal.CorruptionError
			var version *wal.VersionError
			if !errors.As(err, &damage) && !errors.As(err, &version) {
				t.Fatal(err)
			}
			return
		}
		for i, body := range got {
			if body != walRecord(i+1) {
				t.Fatalf("record %d is %q", i+1, body)
			}
		}
		if len(got) < walRecords-1 && oneByte {
			t.Fatalf("one damaged byte silently cost %d records", walRecords-len(got))
		}
	})
}
