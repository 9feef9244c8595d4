package segment

import (
	"fmt"

	"github.com/omendb/omendb/engine/column"
)

// Schema lists the kinds of a segment's columns.
type Schema struct {
	Columns []column.Kind
}

// Default is the value that a column has in rows which are older than it.
type Default struct {
	Kind  column.Kind
	Value column.Datum
}

// Status says what a look-up found.
type Status uint8

// The outcomes of a look-up. Absent is the zero value.
const (
	Absent  Status = iota // no version of the key that the snapshot sees
	Found                 // a row
	Deleted               // a tombstone
)

// Result is what a look-up found.
type Result struct {
	Status    Status
	Version   uint64 // commit timestamp of the row or tombstone
	Successor []byte // of a tombstone left by an update that moved the row: the new key
}

// Stats counts what reads did. Reads add to it; it is not synchronised.
type Stats struct {
	Segments       int64 // look-ups and scans that got as far as the fences
	Window         int64 // fences within the predicted bounds, summed
	Predictions    int64 // look-ups of a fence that a model answered
	Mispredictions int64 // of these: the fence was in the window, as always, but not at the predicted place
	BlocksRead     int64 // blocks read from the file
	CacheHits      int64 // blocks found in the cache
	BytesRead      int64 // from the file
	Batched        int64 // look-ups that went through the stages of a batch with others
	ExtentsPruned  int64 // extents skipped by their zone maps
	MemoryHits     int64 // rows that look-ups found in what lies in front of the segments; counted there
}

// ReadOptions are the parameters of Get and GetBatch. The caller keeps one
// per reading session; its Buf holds the byte strings of the last results.
type ReadOptions struct {
	// Snapshot is the greatest commit timestamp that is visible.
	Snapshot uint64
	// Cols are the columns to return, in this order.
	Cols []int
	// Defaults holds, by column number, what columns are that the segment
	// does not have. A column beyond both is NULL.
	Defaults []Default
	// NoModel searches the fences without the learned model.
	NoModel bool
	// Plain reads every cell by the column's own head in its block.
	Plain bool
	// Stats, if not nil, is added to.
	Stats *Stats
	// Tally, if not nil, collects look-ups for the segments' own counters.
	Tally *Tally
	// Buf is memory for the byte strings of results.
	Buf []byte

	stage   *batchStage // of GetBatch
	touched byte        // keeps loads alive whose only purpose is the cache
}

// CorruptionError reports bytes of a file that are not what was written.
type CorruptionError struct {
	File   string
	Offset int64
	Detail string
	Store  uint64 // whose rows the file holds; 0 when that cannot be read
}

// Error names the file, the offset and the damage.
func (e *CorruptionError) Error() string {
	return fmt.Sprintf("corrupted file %s at offset %d: %s", e.File, e.Offset, e.Detail)
}

// VersionError reports a segment of a format that this program does not read.
type VersionError struct {
	File    string
	Version int
}

// Error says what to do.
func (e *VersionError) Error() string {
	return fmt.Sprintf("file %s has format version %d, this program reads versions up to %d: use the newer program", e.File, e.Version, formatVersion)
}

// ColumnStats describes one column of a segment.
type ColumnStats struct {
	Zone     Zone     // least and greatest value, number of NULLs
	Bytes    int64    // total length of the values of a Bytes column
	Sketch   Sketch   // number of distinct values
	Frequent Frequent // most common values; nothing is known of them in files of format version 1
}

// Info describes a segment.
type Info struct {
	Name       string // file name within its directory
	Size       int64  // of the file
	Store      uint64 // as given to the writer
	Nonce      uint64
	Schema     Schema
	Rows       uint64 // versions, tombstones included
	Keys       uint64 // distinct keys
	Tombstones uint64
	MinKey     []byte
	MaxKey     []byte
	MinTS      uint64 // commit timestamps; both are OpenOptions.Timestamp if that is set
	MaxTS      uint64
	Blocks     int
	Columns    []ColumnStats

	ModelKind  string // "spline" or "binary search"
	ModelError int    // greatest distance of a fence from its predicted place
	ModelBytes int    // memory of the model
	FenceBytes int    // memory of fences, block table and their keys
}
