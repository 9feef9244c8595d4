package engine

import (
	"encoding/binary"
	"hash/crc32"
	"testing"

	"github.com/omendb/omendb/internal/vfs"
	"github.com/omendb/omendb/wal"
)

// FuzzManifest takes any bytes for the body of a manifest with a right checksum: refused, or encoded to the same content again.
func FuzzManifest(f *testing.F) {
	for _, dir := range []string{"v1"} {
		if b, err := vfs.ReadFile(vfs.OS(), goldenDir+"/"+dir+"/"+manifestName); err == nil {
			f.Add(b)
			f.Add(b[manifestHeader : len(b)-4])
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = decodeManifest(b)
		framed := make([]byte, manifestHeader, len(b)+manifestHeader+4)
		copy(framed, manifestMagic)
		binary.LittleEndian.PutUint32(framed[8:], manifestVersion)
		binary.LittleEndian.PutUint32(framed[12:], uint32(len(b)))
		framed = append(framed, b...)
		framed = binary.LittleEndian.AppendUint32(framed, crc32.Checksum(framed, castagnoli))
		m, err := decodeManifest(framed)
		if err != nil {
			if !isDamage(err) {
				t.Fatal(err)
			}
			return
		}
		if _, err := decodeManifest(m.encode()); err != nil {
			t.Fatalf("what was decoded and encoded again: %v", err)
		}
	})
}

// FuzzIdentity takes any bytes for the file SYSTEM.
func FuzzIdentity(f *testing.F) {
	f.Add(Identity{System: 1 << 40, Timeline: 3}.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		if i, err := DecodeIdentity("SYSTEM", b); err == nil && string(i.encode()) != string(b) {
			t.Fatalf("%x became %v", b, i)
		}
	})
}

// FuzzRecordBody takes any bytes for what a record of the log with a right checksum carries: recovery refuses it by class, or
// opens, and nothing panics.
func FuzzRecordBody(f *testing.F) {
	mem := vfs.NewMem(1)
	db, err := openOn(f, mem, nil)
	if err != nil {
		f.Fatal(err)
	}
	id := makeStore(f, db)
	tx := db.Begin(TxnOptions{})
	for i := range 3 {
		if err := tx.Insert(ctx, id, key(i), row(i, "x")); err != nil {
			f.Fatal(err)
		}
	}
	if err := tx.Delete(id, key(7), key(8)); err != nil {
		f.Fatal(err)
	}
	commit(f, tx)
	r, err := db.log.ReadFrom(1)
	if err != nil {
		f.Fatal(err)
	}
	for lsn := LSN(1); lsn <= db.log.Durable(); lsn++ {
		rec, err := r.Next()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(rec.Kind), append([]byte(nil), rec.Body...))
	}
	if err := db.Close(); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, kind uint8, body []byte) {
		rec := &wal.Record{LSN: 1, Kind: wal.Kind(kind), Body: body}
		_ = LinkedSegments(rec)
		_, _ = Label(rec)
		mem := vfs.NewMem(1)
		db, err := openOn(t, mem, nil)
		check(t, err)
		makeStore(t, db)
		check(t, db.Close())
		o := db.opts
		l, err := wal.Open(wal.Options{FS: mem, Dir: "db/" + logDir, Clock: o.Clock, Tasks: o.Tasks, FileBytes: o.LogFileBytes})
		check(t, err)
		check(t, l.Replay(l.First(), func(*wal.Record) error { return nil }))
		if _, err := l.Propose(ctx, wal.Kind(kind), body, nil, false); err != nil {
			t.Skip(err)
		}
		check(t, l.Close())
		if again, err := Open(o); err == nil {
			check(t, again.Close())
		}
	})
}
