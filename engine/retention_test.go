package engine

import (
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/omendb/omendb/internal/clock"
	"github.com/omendb/omendb/internal/event"
	"github.com/omendb/omendb/internal/task"
	"github.com/omendb/omendb/internal/vfs"
)

// TestLogStaysBelowMaxLogBytes writes much more than may accumulate, looks at
// the files all the time, and at what a killed server has to replay.
func TestLogStaysBelowMaxLogBytes(t *testing.T) {
	const limit, file = 256 << 10, 16 << 10
	mem := vfs.NewMem(1)
	small := func(o *Options) { o.MaxLogBytes, o.LogFileBytes = limit, file }
	db, err := openOn(t, mem, small)
	check(t, err)
	table := makeStore(t, db)
	for i := range 12_000 {
		tx := db.Begin(TxnOptions{AsyncCommit: true})
		check(t, tx.Insert(ctx, table, key(i), row(i, "some text of a row")))
		commit(t, tx)
		if i%500 != 0 {
			continue
		}
		if s := db.log.Stats(); s.Bytes > limit+2*file {
			t.Fatalf("after %d commits the log has %d bytes in %d files, from record %d to %d", i, s.Bytes, s.Files, s.First, s.Last)
		}
	}
	if first := db.log.First(); first < 5000 {
		t.Errorf("the log still begins with record %d", first)
	}
	killed := mem.Clone()
	check(t, db.Close())
	var replayed int64
	db, err = openOn(t, killed, func(o *Options) {
		small(o)
		o.Events = func(e event.Event) {
			if e.Name == event.RecoveryDone {
				replayed = e.Bytes
			}
		}
	})
	check(t, err)
	if replayed == 0 || replayed > limit {
		t.Errorf("%d bytes of log were replayed, %d may accumulate", replayed, limit)
	}
	check(t, db.Close())
}

// TestLogIsKeptForBackupsAndTheArchive flushes while a backup, and then an
// archiver, still wants the log.
func TestLogIsKeptForBackupsAndTheArchive(t *testing.T) {
	db, err := openOn(t, vfs.NewMem(2), func(o *Options) { o.LogFileBytes = 16 << 10 })
	check(t, err)
	table, next := makeStore(t, db), 0
	work := func() {
		for range 500 {
			tx := db.Begin(TxnOptions{AsyncCommit: true})
			check(t, tx.Insert(ctx, table, key(next), row(next, "some text of a row")))
			commit(t, tx)
			next++
		}
		check(t, db.Flush(ctx))
	}
	work()
	flushed := db.log.First()
	if flushed < 200 {
		t.Fatalf("what is flushed stays in the log: it begins with record %d", flushed)
	}
	backup, err := db.StartBackup(ctx)
	check(t, err)
	work()
	if first := db.log.First(); first > backup.Start {
		t.Errorf("the log begins with record %d, the backup needs it from %d on", first, backup.Start)
	}
	backup.Close()
	work()
	if first := db.log.First(); first <= backup.Start+200 {
		t.Errorf("the log still begins with record %d, the backup from %d on is over", first, backup.Start)
	}

	archived, err := db.LogSince(ctx, db.log.First())
	check(t, err)
	work()
	if first := db.log.First(); first > archived.Stop+1 {
		t.Errorf("the log begins with record %d, archived is only what comes before %d", first, archived.Stop+1)
	}
	archived.Close()
	work()
	if first := db.log.First(); first <= archived.Stop {
		t.Errorf("the log still begins with record %d, archived up to %d", first, archived.Stop)
	}
	check(t, db.Close())
}

// TestLogFilesAreReused sees no new file made once there are enough.
func TestLogFilesAreReused(t *testing.T) {
	var created, recycled int
	db, err := openOn(t, vfs.NewMem(3), func(o *Options) {
		o.MaxLogBytes, o.MinLogBytes, o.LogFileBytes = 256<<10, 64<<10, 16<<10
		o.Events = func(e event.Event) {
			switch {
			case e.Name == event.WALRotate && e.Detail == "created":
				created++
			case e.Name == event.WALRotate:
				recycled++
			}
		}
	})
	check(t, err)
	table := makeStore(t, db)
	for i := range 8000 {
		tx := db.Begin(TxnOptions{AsyncCommit: true})
		check(t, tx.Insert(ctx, table, key(i), row(i, "some text of a row")))
		commit(t, tx)
		if i%200 == 0 {
			check(t, db.Flush(ctx))
		}
	}
	check(t, db.WaitDurable(ctx, db.log.Last()))
	if s := db.log.Stats(); s.SpareFiles > 4 || recycled < 10*created || recycled == 0 {
		t.Errorf("%d files created, %d reused, %d spare", created, recycled, s.SpareFiles)
	}
	check(t, db.Close())
}

// TestCheckpointTimeout lets time pass: what is in memory is flushed, and an
// idle database is left alone.
func TestCheckpointTimeout(t *testing.T) {
	clk := clock.NewManual(time.Unix(1e9, 0))
	sim := task.NewSim(1, clk, nil)
	checkpoints := 0
	db, err := Open(Options{FS: vfs.NewMem(4), Dir: "db", Clock: clk, Tasks: sim, Log: zerolog.Nop(), LogFileBytes: 16 << 10, CheckpointTimeout: time.Minute,
		Events: func(e event.Event) {
			if e.Name == event.Checkpoint {
				checkpoints++
			}
		}})
	check(t, err)
	table := makeStore(t, db)
	tx := db.Begin(TxnOptions{})
	check(t, tx.Insert(ctx, table, key(1), row(1, "a")))
	commit(t, tx)
	sim.RunFor(50 * time.Second)
	if checkpoints != 0 {
		t.Fatalf("%d checkpoints before it is time", checkpoints)
	}
	sim.RunFor(20 * time.Second)
	if checkpoints != 1 || db.StoreStats(table).Segments == nil {
		t.Fatalf("%d checkpoints when it is time, %+v", checkpoints, db.StoreStats(table))
	}
	sim.RunFor(10 * time.Minute)
	if checkpoints != 1 {
		t.Errorf("%d checkpoints of a database that nobody changes", checkpoints)
	}
	check(t, db.Close())
	sim.Close()
}
