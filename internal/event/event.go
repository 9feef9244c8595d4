// Package event is the one vocabulary of what happens inside the server. The
// log, the metrics, progress views and EXPLAIN ANALYZE use these words and no
// others. Packages below emit an Event to the Sink that they were given; they
// know neither loggers nor metrics.
package event

import "time"

// Name is what happened, as `noun.verb`.
type Name string

// The vocabulary. Behind each word stand the fields that it fills.
const (
	WALSync       Name = "wal.sync"       // Duration, Bytes, Count (records), LSN (durable)
	WALRotate     Name = "wal.rotate"     // Duration, File, LSN (first), Detail (recycled or created)
	WALCompact    Name = "wal.compact"    // Count (files), Bytes, LSN (oldest kept)
	WALCut        Name = "wal.cut"        // File, Offset, LSN (first lost, never acknowledged), Detail
	WALDiskFull   Name = "wal.disk_full"  // File, Count (records refused), Err
	WALFatal      Name = "wal.fatal"      // File, Err
	RecoveryStart Name = "recovery.start" // LSN (from), Total (bytes)
	// RecoveryProgress and RecoveryDone fill Done and Total (bytes of log), Bytes, Count (records of the log),
	// Changes (of rows in stores: an insert into a table with two indexes is three), LSN (last), Duration, Detail (rates).
	RecoveryProgress Name = "recovery.progress"
	RecoveryDone     Name = "recovery.done"
	Checkpoint       Name = "checkpoint"      // Duration, LSN, Count (segments), Bytes
	MemtableFlush    Name = "memtable.flush"  // Duration, Store, Bytes, Count (rows)
	SegmentBuild     Name = "segment.build"   // Duration, File, Store, Bytes, Count (rows)
	SegmentMerge     Name = "segment.merge"   // Duration, File, Store, Bytes, Count (rows), Total (inputs)
	SegmentRemove    Name = "segment.remove"  // File, Bytes
	WriteStall       Name = "write.stall"     // Duration: a commit has waited for a flush; Count (memtables that wait), Err
	RetentionSweep   Name = "retention.sweep" // Duration, Count (stores whose horizon moved), Detail (table)
	TxnSpill         Name = "txn.spill"       // Duration, Store, Bytes, Count (rows)
	ModelTrain       Name = "model.train"     // Duration, File, Store, Bytes (model), Count (keys), Detail (kind)
	QuerySlow        Name = "query.slow"      // Duration, Count (rows), Detail (text)
	LockWait         Name = "lock.wait"       // Duration, Detail
	Deadlock         Name = "lock.deadlock"   // Detail
	Corruption       Name = "corruption"      // File, Offset, Store, Detail, Err
	ScrubDone        Name = "scrub.done"      // Duration, Bytes, Count (damaged stretches)
	TaskPanic        Name = "task.panic"      // Detail (name and stack), Err
)

// Event is one thing that happened. A Name says which of the fields it fills;
// the rest are zero. It is passed by value and holds no memory of the emitter,
// except strings.
type Event struct {
	Name     Name
	Duration time.Duration
	File     string
	Offset   int64
	Store    uint64
	LSN      uint64
	Bytes    int64
	Count    int64
	Changes  int64
	Done     int64
	Total    int64
	Detail   string
	Err      error
}

// Sink receives events. It is called on the path where they happen, possibly
// from several goroutines at once and with locks held: it must be quick, must
// not block and must not call back. A nil Sink discards.
type Sink func(Event)

// Emit passes e on, if there is anybody.
func (s Sink) Emit(e Event) {
	if s != nil {
		s(e)
	}
}

// Multi returns a Sink that passes events to each of sinks in order.
func Multi(sinks ...Sink) Sink {
	return func(e Event) {
		for _, s := range sinks {
			s.Emit(e)
		}
	}
}
