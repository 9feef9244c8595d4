package engine

import (
	"time"

	"github.com/rs/zerolog"

	"github.com/omendb/omendb/engine/compact"
	"github.com/omendb/omendb/internal/clock"
	"github.com/omendb/omendb/internal/event"
	"github.com/omendb/omendb/internal/task"
	"github.com/omendb/omendb/internal/vfs"
	"github.com/omendb/omendb/wal"
)

// Options configure Open. FS, Clock and Tasks must be given.
type Options struct {
	FS    vfs.FS
	Dir   string // "" is the root of FS
	Clock clock.Clock
	Tasks task.Executor
	Log   zerolog.Logger

	CacheBytes      int64         // block cache; 0 is DefaultCacheBytes
	MemtableBytes   int64         // memtables are flushed at this size; 0 is DefaultMemtableBytes
	MaxLogBytes     int64         // checkpoints keep the log to replay below this; 0 is DefaultMaxLogBytes
	MinLogBytes     int64         // so much of the log's files is kept for reuse; 0 is the log's default
	DeadlockTimeout time.Duration // how long a lock wait lasts before a deadlock is looked for; 0 is one second

	BulkMinBytes    int64 // bulk loads of fewer bytes become single inserts; 0 is a sensible default, as below
	BulkBufferBytes int64 // what a bulk load keeps in memory
	// NoSerialChecks makes SERIALIZABLE the same as REPEATABLE READ. It is there to test the tests: they have to notice.
	NoSerialChecks bool
	SpillBytes     int64 // from how many bytes a transaction moves its writes to segments
	PackLocks      int   // how many row locks of a transaction are kept in the form that is quick
	LogFileBytes   int64 // size of a log file; 0 is the log's default, or less when MaxLogBytes is small

	CheckpointTimeout time.Duration // a checkpoint is made so long after the last; 0 is never

	ReplayBatchBytes int64 // how much log recovery takes at once; 0 is the log's default

	Archive   bool  // an archiver will come: keep log and segments for it (TakeArchiveHold)
	ScrubRate int64 // bytes per second that the scrub reads; 0 is off

	PartitionBytes int64 // size of the segments that merges and bulk loads make; 0 is compact.TargetBytes

	PlainReads  bool // reads take no short cuts; rows are the same
	PlainWrites bool // nor do writes and locks

	Events event.Sink

	// Fatal is called when the log can no longer keep its promise: the process
	// must end without acknowledging anything.
	Fatal func(error)
}

// Defaults of Options.
const (
	DefaultCacheBytes      = 256 << 20
	DefaultMemtableBytes   = 64 << 20
	DefaultMaxLogBytes     = 1 << 30     // max_wal_size, as in PostgreSQL
	DefaultDeadlockTimeout = time.Second // as in PostgreSQL
)

func (o *Options) setDefaults() {
	if o.CacheBytes == 0 {
		o.CacheBytes = DefaultCacheBytes
	}
	if o.MemtableBytes == 0 {
		o.MemtableBytes = DefaultMemtableBytes
	}
	if o.MaxLogBytes == 0 {
		o.MaxLogBytes = DefaultMaxLogBytes
	}
	if o.LogFileBytes == 0 {
		o.LogFileBytes = min(wal.DefaultFileBytes, max(minLogFileBytes, o.MaxLogBytes/8))
	}
	if o.BulkMinBytes == 0 {
		o.BulkMinBytes = bulkMinBytes
	}
	if o.BulkBufferBytes == 0 {
		o.BulkBufferBytes = bulkBufferBytes
	}
	if o.SpillBytes == 0 {
		o.SpillBytes = spillBytes
	}
	if o.PackLocks == 0 {
		o.PackLocks = packLocks
	}
	if o.PartitionBytes == 0 {
		o.PartitionBytes = compact.TargetBytes
	}
	if o.ReplayBatchBytes == 0 {
		o.ReplayBatchBytes = wal.DefaultBatchBytes
	}
	if o.DeadlockTimeout == 0 {
		o.DeadlockTimeout = DefaultDeadlockTimeout
	}
}

// minLogFileBytes is the smallest log file that Options.MaxLogBytes leads to:
// smaller ones would have to be changed all the time.
const minLogFileBytes = 256 << 10

// spareLogFiles returns how many log files are kept for reuse, 0 for the log's default.
func (o *Options) spareLogFiles() int {
	if o.MinLogBytes == 0 {
		return 0
	}
	return int(min(max(o.MinLogBytes, o.LogFileBytes)/o.LogFileBytes, maxSpareLogFiles))
}

// maxSpareLogFiles bounds the room that waits for a burst of writes.
const maxSpareLogFiles = 1 << 10

// Isolation is a transaction's isolation level.
type Isolation uint8

// The isolation levels.
const (
	ReadCommitted  Isolation = iota // a snapshot per statement
	RepeatableRead                  // one snapshot; first updater wins
	Serializable                    // as if one transaction ran after the other
)

// TxnOptions configure Begin.
type TxnOptions struct {
	Database        uint32 // that messages name
	Isolation       Isolation
	ReadOnly        bool
	Deferrable      bool
	AsyncCommit     bool          // acknowledge before the record is durable
	ProcessID       int32         // the session, for locks; 0 is a session of its own
	DeadlockTimeout time.Duration // 0 is the database's
	SpillBytes      int64         // of private writes in memory; 0 is the database's
}

// LockMode is a row lock's mode.
type LockMode uint8

// The row lock modes with PostgreSQL's conflicts, weakest first.
const (
	KeyShare    LockMode = 1
	Share       LockMode = 2
	NoKeyUpdate LockMode = 3
	Update      LockMode = 4
)

// WaitPolicy says what to do when a lock cannot be had at once.
type WaitPolicy uint8

// The wait policies.
const (
	Wait       WaitPolicy = iota
	NoWait                // fail with ErrLockNotAvailable
	SkipLocked            // report the row as Skipped
)
