package engine

import (
	"errors"
	"strings"
	"testing"
)

// TestBulkLoadInOrderStreams loads rows of which most come in key order, and
// counts the segments: those of the stream are not those of the buffer.
func TestBulkLoadInOrderStreams(t *testing.T) {
	db, id, _ := bulkDB(t)
	tx := db.Begin(TxnOptions{})
	b, err := tx.Bulk(id)
	check(t, err)
	for i := range 3000 {
		check(t, b.Append(key(i*2), row(i*2, "ordered")))
	}
	if b.stream.w == nil || len(b.runs) > 0 {
		t.Fatalf("no stream after rows in order; %d runs", len(b.runs))
	}
	check(t, b.Append(key(4001), row(4001, "late"))) // among what went by
	if b.stream.w != nil || len(b.runs) != 1 {
		t.Fatalf("the stream goes on after a row out of order; %d runs", len(b.runs))
	}
	for i := 3000; i < 6000; i++ {
		check(t, b.Append(key(i*2), row(i*2, "ordered")))
	}
	check(t, b.Finish(ctx))
	commit(t, tx)
	s := db.Begin(TxnOptions{}).Snapshot()
	defer s.Close()
	got := contents(t, s, id)
	if len(got) != 6001 || got[4001] != "late" || got[11998] != "ordered" {
		t.Errorf("%d rows", len(got))
	}
}

func TestBulkStreamRefusesDuplicates(t *testing.T) {
	db, id, fs := bulkDB(t)
	for _, again := range []int{1999, 7} {
		tx := db.Begin(TxnOptions{})
		b, err := tx.Bulk(id)
		check(t, err)
		for i := range 2000 {
			check(t, b.Append(key(i), row(i, "x")))
		}
		err = b.Append(key(again), row(again, "twice"))
		if err == nil {
			err = b.Finish(ctx)
		}
		if exists := (*KeyExistsError)(nil); !errors.As(err, &exists) {
			t.Errorf("key %d twice: %v", again, err)
		}
		check(t, tx.Rollback())
	}
	tx := db.Begin(TxnOptions{})
	b, err := tx.Bulk(id)
	check(t, err)
	for i := range 2000 {
		check(t, b.Append(key(i), row(i, "x")))
	}
	b.Abort() // in the middle of a stream
	check(t, tx.Rollback())
	names, err := fs.List("db/" + segmentDir)
	check(t, err)
	if len(names) > 0 {
		t.Errorf("files left: %s", strings.Join(names, " "))
	}
}
