package engine

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"

	"github.com/omendb/omendb/internal/vfs"
)

// goldenDir holds one directory for each released set of formats. They are
// never written again: OMENDB_WRITE_GOLDEN=v2 makes the next.
const goldenDir = "testdata/golden"

// writeGolden makes a directory with a manifest, segments and a log to replay,
// as a killed process leaves it.
func writeGolden(t *testing.T, dir string) {
	mem := vfs.NewMem(1)
	small := func(o *Options) { o.LogFileBytes = 4096; o.BulkMinBytes = 1 }
	db, err := openOn(t, mem, small)
	check(t, err)
	id, seq := makeStore(t, db), db.NewStoreID()
	tx := db.Begin(TxnOptions{})
	check(t, tx.CreateSequence(seq, SequenceState{Last: 1}))
	for i := range 50 {
		check(t, tx.Insert(ctx, id, key(i), row(i, "flushed")))
	}
	commit(t, tx)
	check(t, db.Flush(ctx))
	_, err = db.SequenceNext(seq, SequenceParams{Increment: 1, Min: 1, Max: 1000})
	check(t, err)
	tx = db.Begin(TxnOptions{})
	for i := 50; i < 60; i++ {
		check(t, tx.Insert(ctx, id, key(i), row(i, "logged")))
	}
	check(t, tx.Delete(id, key(0), nil))
	commit(t, tx)
	bulk := db.Begin(TxnOptions{})
	b, err := bulk.Bulk(id)
	check(t, err)
	for i := 60; i < 80; i++ {
		check(t, b.Append(key(i), row(i, "bulk")))
	}
	check(t, b.Finish(ctx))
	commit(t, bulk)
	killed := mem.Clone()
	check(t, db.Close())
	for _, sub := range []string{"", logDir, segmentDir} {
		check(t, os.MkdirAll(filepath.Join(dir, sub), 0o700))
		names, err := killed.List(filepath.Join("db", sub))
		check(t, err)
		for _, name := range names {
			if info, err := killed.Stat(filepath.Join("db", sub, name)); err != nil || info.IsDir() || filepath.Ext(name) == ".spare" {
				continue
			}
			b, err := vfs.ReadFile(killed, filepath.Join("db", sub, name))
			check(t, err)
			check(t, os.WriteFile(filepath.Join(dir, sub, name), b, 0o600))
		}
	}
}

// TestOldDirectoriesOpen opens every released format, without changing it.
func TestOldDirectoriesOpen(t *testing.T) {
	if v := os.Getenv("OMENDB_WRITE_GOLDEN"); v != "" {
		writeGolden(t, filepath.Join(goldenDir, v))
	}
	versions, err := os.ReadDir(goldenDir)
	check(t, err)
	if len(versions) == 0 {
		t.Fatal("no directories")
	}
	for _, v := range versions {
		db, err := openOn(t, vfs.NewOverlay(vfs.OS()), func(o *Options) { o.Dir = filepath.Join(goldenDir, v.Name()) })
		check(t, err)
		s := db.Begin(TxnOptions{}).Snapshot()
		got := contents(t, s, firstStore)
		s.Close()
		if len(got) != 79 || got[1] != "flushed" || got[59] != "logged" || got[79] != "bulk" {
			t.Errorf("%s: %d rows: %v", v.Name(), len(got), got)
		}
		if n, err := db.SequenceNext(firstStore+1, SequenceParams{Increment: 1, Min: 1, Max: 1000}); err != nil || n < 2 {
			t.Errorf("%s: sequence gives %d (%v)", v.Name(), n, err)
		}
		check(t, db.Verify(ctx, nil))
		check(t, db.Close())
		check(t, os.RemoveAll(filepath.Join(goldenDir, v.Name(), lockName)))
	}
}

// TestNewerManifestIsRefused raises the version number of a released one, and its checksum with it.
func TestNewerManifestIsRefused(t *testing.T) {
	dir := filepath.Join(goldenDir, "v1")
	open := func(change func(b []byte)) error {
		fs := vfs.NewOverlay(vfs.OS())
		name := filepath.Join(dir, manifestName)
		b, err := vfs.ReadFile(fs, name)
		check(t, err)
		change(b)
		check(t, vfs.WriteFile(fs, name, b))
		_, err = openOn(t, fs, func(o *Options) { o.Dir = dir })
		return err
	}
	var newer *VersionError
	if err := open(func(b []byte) {
		b[8] = 99
		binary.LittleEndian.PutUint32(b[len(b)-4:], crc32.Checksum(b[:len(b)-4], castagnoli))
	}); !errors.As(err, &newer) || newer.Version != 99 {
		t.Errorf("a newer manifest: %v", err)
	}
	if err := open(func(b []byte) { b[8] = 99 }); !isDamage(err) {
		t.Errorf("a damaged version: %v", err)
	}
	check(t, os.RemoveAll(filepath.Join(dir, lockName)))
}
