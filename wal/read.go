package wal

import (
	"fmt"
	"io"

	"github.com/omendb/omendb/internal/event"
)

// Reader returns durable records in order. It keeps the files that it still
// needs from being recycled, until it is closed. It is used by one goroutine.
type Reader struct {
	log   *Log
	hold  *hold
	next  LSN
	scan  *scanner
	limit LSN // first LSN of the file after scan's
	rec   Record
}

// ReadFrom returns a reader that starts with record from. Records that are no
// longer kept are ErrCompacted.
func (l *Log) ReadFrom(from LSN) (*Reader, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, ErrClosed
	}
	if from < l.files[0].first {
		return nil, fmt.Errorf("%w: record %d was asked for, the log starts with %d", ErrCompacted, from, l.files[0].first)
	}
	return &Reader{log: l, hold: l.holdLocked(from), next: from}, nil
}

// Next returns the next durable record, which is valid until the next call, or
// io.EOF when there is none yet. It may be called again later.
func (r *Reader) Next() (*Record, error) {
	if r.next > r.log.Durable() {
		return nil, io.EOF
	}
	for {
		if r.scan == nil || r.next == r.limit {
			if err := r.enter(); err != nil {
				return nil, err
			}
		}
		ok, err := r.step()
		if err != nil {
			return nil, err
		}
		if ok {
			r.next++
			return &r.rec, nil
		}
		// The file may have gained a successor, or bytes, since it was looked at.
		before := r.limit
		r.limit = r.log.limitOf(r.scan.file)
		if r.limit == before || r.limit != r.next {
			return nil, &CorruptionError{File: r.scan.file.name, Offset: r.scan.off, LSN: r.next,
				Detail: fmt.Sprintf("no valid record stands there, but record %d was durable", r.log.Durable())}
		}
	}
}

// step decodes the record r.next at the scanner's place, giving the disk a
// second chance because the buffer may be older than the record.
func (r *Reader) step() (bool, error) {
	for range 2 {
		ok, err := r.scan.try(&r.rec)
		if err != nil {
			return false, err
		}
		if ok && r.rec.Kind != kindMark && r.rec.LSN == r.next {
			r.scan.skip(&r.rec)
			return true, nil
		}
		r.scan.forget()
	}
	return false, nil
}

// enter opens the file that holds r.next and moves to that record.
func (r *Reader) enter() error {
	if err := r.leave(); err != nil {
		return err
	}
	file, limit := r.log.fileOf(r.next)
	s, err := openScanner(r.log.opts.FS, file)
	if err != nil {
		return err
	}
	r.scan, r.limit = s, limit
	want := r.next
	r.log.moveHold(r.hold, want)
	for r.next = file.first; r.next < want; r.next++ {
		ok, err := r.step()
		if err == nil && !ok {
			err = &CorruptionError{File: file.name, Offset: s.off, LSN: r.next,
				Detail: fmt.Sprintf("no valid record stands there, but record %d was durable", want)}
		}
		if err != nil {
			r.next = want
			return err
		}
	}
	return nil
}

func (r *Reader) leave() error {
	if r.scan == nil {
		return nil
	}
	err := r.scan.close()
	r.scan = nil
	return err
}

// Close lets go of the files.
func (r *Reader) Close() error {
	r.log.release(r.hold)
	return r.leave()
}

// fileOf returns the file that holds, or will hold, lsn and its limit.
func (l *Log) fileOf(lsn LSN) (*logFile, LSN) {
	l.mu.Lock()
	defer l.mu.Unlock()
	limit := noLimit
	for i := len(l.files) - 1; i > 0; i-- {
		if f := l.files[i]; f.first <= lsn {
			return f, limit
		} else {
			limit = f.first
		}
	}
	return l.files[0], limit
}

func (l *Log) limitOf(f *logFile) LSN {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, g := range l.files[:len(l.files)-1] {
		if g == f {
			return l.files[i+1].first
		}
	}
	return noLimit
}

// progressBytes is how often Replay tells where it is.
const progressBytes = 64 << 20

// Replay calls fn for every record from LSN from on. It is for recovery: it
// runs before the first Propose, and what fn has seen counts as applied. The
// record is valid during the call only.
func (l *Log) Replay(from LSN, fn func(*Record) error) error {
	if from > l.Last()+1 {
		return &CorruptionError{File: l.opts.Dir, LSN: l.Last() + 1,
			Detail: fmt.Sprintf("the log ends before record %d, with which replay should start", from)}
	}
	r, err := l.ReadFrom(from)
	if err != nil {
		return fmt.Errorf("replay log: %w", err)
	}
	defer r.Close()
	start := l.opts.Clock.Now()
	total := l.bytesFrom(from)
	l.opts.Events.Emit(event.Event{Name: event.RecoveryStart, LSN: uint64(from), Total: total})
	var bytes, told, count int64
	emit := func(name event.Name) {
		told = bytes
		l.opts.Events.Emit(event.Event{Name: name, Done: bytes, Total: max(total, bytes), Bytes: bytes, Count: count,
			LSN: uint64(r.next - 1), Duration: l.opts.Clock.Since(start)})
	}
	for {
		rec, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("replay log: %w", err)
		}
		if err := fn(rec); err != nil {
			return fmt.Errorf("replay record %d: %w", rec.LSN, err)
		}
		l.applied.Store(uint64(rec.LSN))
		count++
		if bytes += frameBytes(len(rec.Body)); bytes-told >= progressBytes {
			emit(event.RecoveryProgress)
		}
	}
	l.applied.Store(l.last.Load())
	emit(event.RecoveryDone)
	return nil
}

// bytesFrom estimates how many bytes of records follow from.
func (l *Log) bytesFrom(from LSN) int64 {
	f, _ := l.fileOf(from)
	l.mu.Lock()
	defer l.mu.Unlock()
	var n int64
	for _, g := range l.files[:len(l.files)-1] {
		if g.gen >= f.gen {
			n += g.size - headerBytes
		}
	}
	return n + l.tail - headerBytes
}
