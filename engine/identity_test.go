package engine

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"testing"

	"github.com/omendb/omendb/internal/vfs"
)

// TestIdentity stays as it is from start to start, differs between databases, and is refused when damaged or newer.
func TestIdentity(t *testing.T) {
	fs := vfs.NewMem(1)
	db, err := openOn(t, fs, nil)
	check(t, err)
	id := db.Identity()
	check(t, db.Close())
	if id.System == 0 || id.Timeline != 1 || id.IsZero() {
		t.Errorf("identity %v", id)
	}
	db, err = openOn(t, fs, nil)
	check(t, err)
	if again := db.Identity(); again != id || again.String() == "" {
		t.Errorf("identity %v, was %v", again, id)
	}
	check(t, db.Close())
	other, err := openOn(t, vfs.NewMem(2), nil)
	check(t, err)
	if other.Identity() == id {
		t.Error("two databases have one identity")
	}
	check(t, other.Close())
	flip(t, fs, "db/"+identityName, 14)
	if _, err := openOn(t, fs, nil); !isDamage(err) {
		t.Errorf("a damaged identity: %v", err)
	}
	b := id.encode()
	b[8] = 9
	binary.LittleEndian.PutUint32(b[24:], crc32.Checksum(b[:24], castagnoli))
	var newer *VersionError
	if _, err := DecodeIdentity("SYSTEM", b); !errors.As(err, &newer) {
		t.Errorf("a newer identity: %v", err)
	}
	for _, bad := range [][]byte{nil, b[:7], []byte("OMENSYST\x01\x00\x00\x00short"), make([]byte, 28)} {
		if _, err := DecodeIdentity("SYSTEM", bad); !isDamage(err) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	big := vfs.NewMem(3)
	check(t, vfs.WriteFile(big, "SYSTEM", make([]byte, 5000)))
	if _, err := ReadIdentity(big, ""); !isDamage(err) {
		t.Errorf("a large file: %v", err)
	}
}

// TestSwitchLog ends a file once, and not again without a record.
func TestSwitchLog(t *testing.T) {
	fs := vfs.NewMem(1)
	db, err := openOn(t, fs, nil)
	check(t, err)
	defer db.Close()
	files := func() int {
		names, err := fs.List("db/wal")
		check(t, err)
		n := 0
		for _, name := range names {
			if name[len(name)-4:] == ".wal" {
				n++
			}
		}
		return n
	}
	id := makeStore(t, db)
	before := files()
	lsn, err := db.SwitchLog(ctx)
	check(t, err)
	if again, err := db.SwitchLog(ctx); err != nil || again != lsn || files() != before+1 {
		t.Errorf("%d files, then %d; %d and %d (%v)", before, files(), lsn, again, err)
	}
	tx := db.Begin(TxnOptions{})
	check(t, tx.Insert(ctx, id, key(1), row(1, "a")))
	if after, err := tx.Commit(ctx); err != nil || after != lsn+1 {
		t.Errorf("record %d after %d: %v", after, lsn, err)
	}
	check(t, db.Verify(ctx, nil))
}
