package wal

import (
	"time"

	"github.com/omendb/omendb/internal/clock"
	"github.com/omendb/omendb/internal/event"
	"github.com/omendb/omendb/internal/invariant"
	"github.com/omendb/omendb/internal/task"
	"github.com/omendb/omendb/internal/vfs"
)

// Options says where the log lives and what it may use. FS, Dir, Clock and
// Tasks must be given.
type Options struct {
	FS    vfs.FS
	Dir   string
	Clock clock.Clock
	Tasks task.Executor

	// Apply receives every committed record in the order of LSNs, one call at
	// a time, before its Propose returns. It must not call the log's Propose
	// or WaitDurable, and must not keep the slice. Body is the proposer's.
	Apply func([]Record)
	// Fatal is called once, when the log can no longer say what is durable.
	// The server must end without acknowledging anything more.
	Fatal func(error)
	// Events receives wal.* and recovery.* events.
	Events event.Sink

	FileBytes    int64         // size of a log file; 0 = DefaultFileBytes
	SpareFiles   int           // spare files to keep for reuse; 0 = DefaultSpareFiles, negative = none
	SyncDelay    time.Duration // how long an asynchronous commit may stay volatile; 0 = DefaultSyncDelay
	MarkDelay    time.Duration // after so long without a commit the durable mark is written; 0 = DefaultMarkDelay
	MaxBatch     int64         // bytes that one leader writes at most; 0 = DefaultMaxBatch
	Term         uint64        // written into records; 0 on one node
	FirstLSN     LSN           // of a new, empty log; 0 = 1
	MinDurable   LSN           // known to have been durable from elsewhere, for instance the manifest
	SkipZeroFill bool          // new files are only reserved, not written once; for tests on memory
}

const (
	// DefaultFileBytes is large enough that rotation is rare and small enough
	// that zeroing and reading a whole file takes some ten milliseconds.
	DefaultFileBytes = 16 << 20
	// DefaultSpareFiles keeps a burst of rotations from waiting for new files.
	DefaultSpareFiles = 4
	// DefaultSyncDelay bounds what synchronous_commit = off may lose.
	DefaultSyncDelay = 10 * time.Millisecond
	// DefaultMarkDelay is short against human time, long against a sync.
	DefaultMarkDelay = 100 * time.Millisecond
	// DefaultMaxBatch bounds the write buffer and the wait of a batch's first
	// committer for its last one's bytes.
	DefaultMaxBatch = 4 << 20
)

func (o Options) withDefaults() Options {
	invariant.Check(o.FS != nil && o.Dir != "" && o.Clock != nil && o.Tasks != nil, "wal.Options without FS, Dir, Clock or Tasks")
	if o.Apply == nil {
		o.Apply = func([]Record) {}
	}
	if o.Fatal == nil {
		o.Fatal = func(error) {}
	}
	orDefault(&o.FileBytes, DefaultFileBytes)
	o.FileBytes = max(minFileBytes, (o.FileBytes+fileBlockSize-1)&^(fileBlockSize-1))
	orDefault(&o.SpareFiles, DefaultSpareFiles)
	orDefault(&o.SyncDelay, DefaultSyncDelay)
	orDefault(&o.MarkDelay, DefaultMarkDelay)
	orDefault(&o.MaxBatch, DefaultMaxBatch)
	orDefault(&o.FirstLSN, 1)
	return o
}

func orDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}
