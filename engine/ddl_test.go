package engine

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/internal/vfs"
)

// TestStoreChangesSurvive creates, alters, truncates and drops stores, with
// rows in memory and in segments, and looks again after restarts.
func TestStoreChangesSurvive(t *testing.T) {
	for _, flush := range []bool{false, true} {
		fs := vfs.NewMem(1)
		db, err := openOn(t, fs, nil)
		check(t, err)
		id, gone := makeStore(t, db), makeStore(t, db)
		tx := db.Begin(TxnOptions{})
		check(t, tx.Insert(ctx, id, key(1), row(1, "old")))
		check(t, tx.Insert(ctx, gone, key(1), row(1, "x")))
		commit(t, tx)
		if flush {
			check(t, db.Flush(ctx))
		}
		wide := twoColumns(id)
		wide.Columns = append(wide.Columns, ColumnDef{Kind: column.Bytes, Missing: column.StringDatum("default")}, ColumnDef{Kind: column.Float, Missing: column.Null()})
		tx = db.Begin(TxnOptions{})
		check(t, tx.AlterStore(wide))
		check(t, tx.Insert(ctx, id, key(2), append(row(2, "new"), column.StringDatum("set"), column.FloatDatum(2.5))))
		check(t, tx.DropStore(gone))
		if err := tx.AlterStore(StoreDef{ID: id}); err == nil {
			t.Error("a store loses its columns")
		}
		if err := tx.CreateStore(twoColumns(id)); err == nil {
			t.Error("a store is created twice")
		}
		tx.NextCommand()
		checkWide(t, tx, id)
		var missing *StoreNotFoundError
		if err := tx.Insert(ctx, gone, key(2), nil); !errors.As(err, &missing) {
			t.Error(err)
		}
		commit(t, tx)
		for range 2 {
			tx = db.Begin(TxnOptions{})
			checkWide(t, tx, id)
			s := tx.Snapshot()
			if _, err := s.Get(gone, key(1), nil, make([]column.Datum, 2)); !errors.As(err, &missing) {
				t.Error(err)
			}
			if it := s.Scan(gone, ScanOptions{}); it != nil {
				if _, err := it.Next(&column.Batch{}); !errors.As(err, &missing) {
					t.Error(err)
				}
				it.Close()
			}
			s.Close()
			check(t, tx.Rollback())
			check(t, db.Close())
			db, err = openOn(t, fs, nil)
			check(t, err)
		}
		names, err := fs.List("db/segments")
		check(t, err)
		if st := db.StoreStats(id); len(names) != len(st.Segments)+len(db.StoreStats(writerStore).Segments) || st.Rows != 2 || st.Bytes == 0 || len(st.Segments) == 0 {
			t.Errorf("files %v, statistics %+v", names, st)
		}
		check(t, db.Close())
	}
}

func checkWide(t *testing.T, tx *Txn, id StoreID) {
	t.Helper()
	s := tx.Snapshot()
	defer s.Close()
	dst := make([]column.Datum, 4)
	if ok, err := s.Get(id, key(1), nil, dst); !ok || err != nil || dst[2].String() != "default" || !dst[3].Null {
		t.Errorf("old row: %v %v %v", ok, err, dst)
	}
	if ok, err := s.Get(id, key(2), nil, dst); !ok || err != nil || dst[2].String() != "set" || dst[3].Float() != 2.5 {
		t.Errorf("new row: %v %v %v", ok, err, dst)
	}
	var b column.Batch
	it := s.Scan(id, ScanOptions{Cols: []int{2, 3}})
	defer it.Close()
	var got []string
	for {
		ok, err := it.Next(&b)
		check(t, err)
		if !ok {
			break
		}
		for i := range b.N {
			got = append(got, fmt.Sprint(b.Cols[0].Datum(i).String(), b.Cols[1].Null(i), b.Cols[1].Datum(i).Float()))
		}
	}
	if !slices.Equal(got, []string{"defaulttrue 0", "setfalse 2.5"}) {
		t.Errorf("scan: %q", got)
	}
	if n := s.EstimateRange(id, nil, nil); n < 1 || n > 3 {
		t.Errorf("estimate of two rows is %v", n)
	}
}

func TestTemporaryStoresAreNotLogged(t *testing.T) {
	fs := vfs.NewMem(1)
	db, err := openOn(t, fs, nil)
	check(t, err)
	id := db.NewStoreID()
	def := twoColumns(id)
	def.Temp = true
	tx := db.Begin(TxnOptions{})
	check(t, tx.CreateStore(def))
	check(t, tx.Insert(ctx, id, key(1), row(1, "a")))
	commit(t, tx)
	check(t, db.Flush(ctx))
	tx = db.Begin(TxnOptions{})
	check(t, tx.Delete(id, key(1), nil))
	check(t, tx.Insert(ctx, id, key(2), row(2, "b")))
	commit(t, tx)
	s := db.Begin(TxnOptions{}).Snapshot()
	if got := contents(t, s, id); len(got) != 1 || got[2] != "b" {
		t.Error(got)
	}
	s.Close()
	check(t, db.Close())
	db, err = openOn(t, fs, nil)
	check(t, err)
	var missing *StoreNotFoundError
	tx = db.Begin(TxnOptions{})
	if err := tx.Insert(ctx, id, key(3), row(3, "c")); !errors.As(err, &missing) {
		t.Error(err)
	}
	check(t, tx.Rollback())
	check(t, db.Close())
}

// TestDiskFull: writers get ErrDiskFull, readers go on, and service resumes.
func TestDiskFull(t *testing.T) {
	mem := vfs.NewMem(1)
	fault := vfs.NewFault(mem)
	db, err := openOn(t, fault, func(o *Options) { o.MemtableBytes = 4 << 10; o.LogFileBytes = 8 << 10 })
	check(t, err)
	id := makeStore(t, db)
	rows := map[int]string{}
	insert := func(i int) error {
		tx := db.Begin(TxnOptions{})
		defer tx.Rollback()
		check(t, tx.Insert(ctx, id, key(i), row(i, "some text that takes room")))
		_, err := tx.Commit(ctx)
		if err == nil {
			rows[i] = "some text that takes room"
		}
		return err
	}
	verify := func() {
		s := db.Begin(TxnOptions{}).Snapshot()
		defer s.Close()
		if got := contents(t, s, id); len(got) != len(rows) {
			t.Fatalf("%d rows of %d", len(got), len(rows))
		}
	}
	for i := range 50 {
		check(t, insert(i))
	}
	fault.SetDiskFull(true)
	refused := 0
	for i := 50; i < 400 && refused < 3; i++ {
		if err := insert(i); err != nil {
			if !errors.Is(err, ErrDiskFull) {
				t.Fatal(err)
			}
			refused++
		}
	}
	if refused == 0 {
		t.Fatal("the full disk went unnoticed")
	}
	verify()
	fault.SetDiskFull(false)
	deadline := 0
	for insert(1000) != nil {
		if deadline++; deadline > 2000 {
			t.Fatal("service does not resume")
		}
		_ = db.wait(ctx, func(f *flusher) bool { return true })
		check(t, sleep(db))
	}
	verify()
	check(t, db.Close())
	db, err = openOn(t, mem, nil)
	check(t, err)
	verify()
	check(t, db.Verify(ctx, nil))
	check(t, db.Close())
}

// sleep waits a millisecond of the executor's time.
func sleep(db *DB) error {
	done := make(chan struct{})
	db.opts.Tasks.After(1e6, "test", func() { close(done) })
	return db.opts.Tasks.Await(ctx, done)
}

// TestDamageIsNamed flips a byte in every file of a closed database.
func TestDamageIsNamed(t *testing.T) {
	fs := vfs.NewMem(1)
	db, err := openOn(t, fs, nil)
	check(t, err)
	id := makeStore(t, db)
	tx := db.Begin(TxnOptions{})
	for i := range 500 {
		check(t, tx.Insert(ctx, id, key(i), row(i, "text")))
	}
	commit(t, tx)
	check(t, db.Close())
	segments, err := fs.List("db/segments")
	check(t, err)
	for _, name := range append(segments, "../MANIFEST") {
		name = "db/segments/" + name
		if name == "db/segments/../MANIFEST" {
			name = "db/MANIFEST"
		}
		damaged := fs.Clone()
		f, err := damaged.OpenReadWrite(name)
		check(t, err)
		size, _ := f.Size()
		var b [1]byte
		_, _ = f.ReadAt(b[:], size/2)
		b[0] ^= 1
		_, err = f.WriteAt(b[:], size/2)
		check(t, err)
		check(t, f.Close())
		db, err := openOn(t, damaged, nil)
		if err == nil {
			err = db.Verify(ctx, nil)
			check(t, db.Close())
		}
		if c, ok := Corruption(err); !ok || c.File == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	lost := fs.Clone()
	check(t, lost.Remove("db/MANIFEST"))
	if _, err := openOn(t, lost, nil); err == nil {
		t.Error("a log without a manifest is opened")
	}
}
