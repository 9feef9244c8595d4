package main

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/objstorage/objstorageprovider"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"
	bolt "go.etcd.io/bbolt"
	_ "modernc.org/sqlite" // the driver
)

func bigEndian(k uint64) []byte { return binary.BigEndian.AppendUint64(nil, k) }

type pebbleStore struct {
	db  *pebble.DB
	dir string
}

func openPebble(dir string, cache int64) (disk, error) {
	c := pebble.NewCache(cache)
	defer c.Unref()
	db, err := pebble.Open(dir, &pebble.Options{Cache: c, Logger: quiet{}, FormatMajorVersion: pebble.FormatNewest})
	return &pebbleStore{db, dir}, err
}

// quiet keeps Pebble's log out of the tables.
type quiet struct{}

func (quiet) Infof(string, ...any)      {}
func (quiet) Errorf(string, ...any)     {}
func (quiet) Fatalf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }

// tableBytes is the size of the tables that are ingested.
const tableBytes = 64 << 20

func (s *pebbleStore) load(n int) error {
	var paths []string
	value := make([]byte, 2*valueBytes)
	for row := 0; row < n; {
		name := filepath.Join(s.dir, fmt.Sprintf("load-%d", len(paths)))
		paths = append(paths, name)
		f, err := vfs.Default.Create(name, vfs.WriteCategoryUnspecified)
		if err != nil {
			return err
		}
		w := sstable.NewWriter(objstorageprovider.NewFileWritable(f), sstable.WriterOptions{TableFormat: s.db.TableFormat()})
		for size := 0; size < tableBytes && row < n; size, row = size+rowBytes, row+1 {
			fillRow(value, keyOf(row))
			if err := w.Set(bigEndian(keyOf(row)), value); err != nil {
				return err
			}
		}
		if err := w.Close(); err != nil {
			return err
		}
	}
	return s.db.Ingest(context.Background(), paths)
}

func (s *pebbleStore) get(keys []uint64) (sum uint64, err error) {
	var key [8]byte
	for _, k := range keys {
		binary.BigEndian.PutUint64(key[:], k)
		v, done, err := s.db.Get(key[:])
		if err != nil {
			return 0, err
		}
		sum += sumOf(v[:valueBytes], v[valueBytes:])
		if err := done.Close(); err != nil {
			return 0, err
		}
	}
	return sum, nil
}

func (s *pebbleStore) scan(from []uint64, n int) (sum uint64, err error) {
	for _, k := range from {
		it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: bigEndian(k)})
		if err != nil {
			return 0, err
		}
		left := n
		for ok := it.First(); ok && left > 0; ok = it.Next() {
			v := it.Value()
			sum += sumOf(v[:valueBytes], v[valueBytes:])
			left--
		}
		if err := it.Close(); err != nil {
			return 0, err
		}
	}
	return sum, nil
}

func (s *pebbleStore) put(keys []uint64) error { return s.commit(keys, pebble.Sync) }

func (s *pebbleStore) putVolatile(keys []uint64) error { return s.commit(keys, pebble.NoSync) }

func (s *pebbleStore) commit(keys []uint64, sync *pebble.WriteOptions) error {
	b := s.db.NewBatch()
	value := make([]byte, 2*valueBytes)
	for _, k := range keys {
		fillRow(value, k)
		if err := b.Set(bigEndian(k), value, nil); err != nil {
			return err
		}
	}
	return b.Commit(sync)
}

func (s *pebbleStore) close() error { return s.db.Close() }

type boltStore struct{ db *bolt.DB }

var bucket = []byte("rows")

func openBolt(dir string, _ int64) (disk, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	db, err := bolt.Open(filepath.Join(dir, "bolt"), 0o600, nil)
	return &boltStore{db}, err
}

// boltBatch bounds a transaction of the load: bbolt keeps its pages in memory.
const boltBatch = 100_000

func (s *boltStore) load(n int) error {
	for row := 0; row < n; {
		err := s.db.Update(func(tx *bolt.Tx) error {
			b, err := tx.CreateBucketIfNotExists(bucket)
			if err != nil {
				return err
			}
			b.FillPercent = 1 // keys arrive in order
			for i := 0; i < boltBatch && row < n; i, row = i+1, row+1 {
				value := make([]byte, 2*valueBytes)
				fillRow(value, keyOf(row))
				if err := b.Put(bigEndian(keyOf(row)), value); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *boltStore) get(keys []uint64) (sum uint64, err error) {
	var key [8]byte
	err = s.db.View(func(tx *bolt.Tx) error {
		b := tx.Bucket(bucket)
		for _, k := range keys {
			binary.BigEndian.PutUint64(key[:], k)
			v := b.Get(key[:])
			if v == nil {
				return errMissing
			}
			sum += sumOf(v[:valueBytes], v[valueBytes:])
		}
		return nil
	})
	return sum, err
}

func (s *boltStore) scan(from []uint64, n int) (sum uint64, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		for _, k := range from {
			c := tx.Bucket(bucket).Cursor()
			left := n
			for key, v := c.Seek(bigEndian(k)); key != nil && left > 0; key, v = c.Next() {
				sum += sumOf(v[:valueBytes], v[valueBytes:])
				left--
			}
		}
		return nil
	})
	return sum, err
}

func (s *boltStore) put(keys []uint64) error {
	return s.db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket(bucket)
		for _, k := range keys {
			value := make([]byte, 2*valueBytes)
			fillRow(value, k)
			if err := b.Put(bigEndian(k), value); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *boltStore) close() error { return s.db.Close() }

type sqliteStore struct {
	db                *sql.DB
	one, many, insert *sql.Stmt
}

func openSQLite(dir string, cache int64) (disk, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "sqlite")+fmt.Sprintf("?_pragma=journal_mode(wal)&_pragma=synchronous(full)&_pragma=cache_size(-%d)", cache>>10))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // one connection, one cache
	s := &sqliteStore{db: db}
	if _, err := db.Exec("create table if not exists rows (id integer primary key, a blob, b blob)"); err != nil {
		return nil, err
	}
	for _, p := range []struct {
		to  **sql.Stmt
		sql string
	}{{&s.one, "select a, b from rows where id = ?"}, {&s.many, "select a, b from rows where id >= ? order by id limit ?"}, {&s.insert, "insert or replace into rows values (?, ?, ?)"}} {
		if *p.to, err = db.Prepare(p.sql); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *sqliteStore) insertAll(n int, key func(int) uint64) error {
	tx, err := s.db.Begin()
	if err != nil {
		return err
	}
	st := tx.Stmt(s.insert)
	value := make([]byte, 2*valueBytes)
	for i := range n {
		fillRow(value, key(i))
		if _, err := st.Exec(int64(key(i)), value[:valueBytes], value[valueBytes:]); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func (s *sqliteStore) load(n int) error { return s.insertAll(n, keyOf) }

func (s *sqliteStore) put(keys []uint64) error {
	return s.insertAll(len(keys), func(i int) uint64 { return keys[i] })
}

func (s *sqliteStore) get(keys []uint64) (sum uint64, err error) {
	var a, b sql.RawBytes
	for _, k := range keys {
		rows, err := s.one.Query(int64(k))
		if err != nil {
			return 0, err
		}
		if !rows.Next() {
			return 0, errMissing
		}
		if err := rows.Scan(&a, &b); err != nil {
			return 0, err
		}
		sum += sumOf(a, b)
		if err := rows.Close(); err != nil {
			return 0, err
		}
	}
	return sum, nil
}

func (s *sqliteStore) scan(from []uint64, n int) (sum uint64, err error) {
	var a, b sql.RawBytes
	for _, k := range from {
		rows, err := s.many.Query(int64(k), n)
		if err != nil {
			return 0, err
		}
		for rows.Next() {
			if err := rows.Scan(&a, &b); err != nil {
				return 0, err
			}
			sum += sumOf(a, b)
		}
		if err := rows.Close(); err != nil {
			return 0, err
		}
	}
	return sum, nil
}

func (s *sqliteStore) close() error { return s.db.Close() }
