package engine

import (
	"bytes"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/memtable"
	"github.com/omendb/omendb/engine/segment"
)

// bulkStream is a bulk load's way past the buffer: once a whole buffer of rows
// came in key order, those that follow go straight into a segment while they do.
type bulkStream struct {
	w    *segment.Writer // nil: not streaming
	last []byte          // the greatest key so far
}

// streams reports whether a row was taken by the stream. One that comes out
// of order ends it: it and what follows are buffered again.
func (b *BulkWriter) streams(key []byte, row []column.Datum) (bool, error) {
	if bytes.Compare(key, b.stream.last) <= 0 {
		return false, b.endStream()
	}
	if b.stream.w.Bytes() >= b.t.db.opts.PartitionBytes {
		if err := b.endStream(); err != nil {
			return false, err
		}
		b.stream.w = b.t.db.newWriterBeside(b.def, b.t.db.beside)
	}
	b.stream.last = append(b.stream.last[:0], key...)
	return true, ioError(b.stream.w.Add(key, unstamped, false, nil, row))
}

// startStream writes the buffer, whose keys came in order, into a segment and
// leaves it open.
func (b *BulkWriter) startStream() error {
	b.stream.w = b.t.db.newWriterBeside(b.def, b.t.db.beside)
	err := b.eachBuffered(func(key []byte, row []column.Datum) error {
		b.stream.last = append(b.stream.last[:0], key...)
		return ioError(b.stream.w.Add(key, unstamped, false, nil, row))
	})
	if err != nil {
		return err
	}
	b.buf = memtable.New()
	return nil
}

// endStream completes the stream's segment, if there is one.
func (b *BulkWriter) endStream() error {
	w := b.stream.w
	if w == nil {
		return nil
	}
	b.stream.w = nil
	info, err := w.Finish()
	if err != nil {
		return ioError(err)
	}
	runs, err := b.t.db.openRuns([]segment.Info{info}, unstamped)
	if err != nil {
		return ioError(err)
	}
	b.runs = append(b.runs, runs...)
	return nil
}

// abortStream removes what the stream has written.
func (b *BulkWriter) abortStream() {
	if b.stream.w != nil {
		b.stream.w.Abort()
		b.stream.w = nil
	}
}
