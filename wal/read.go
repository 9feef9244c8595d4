package wal

import (
	"fmt"
	"io"
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

	lent  []byte // a batch's buffer, which the next scanner is to use
	chunk int64  // how much a scanner reads at once; 0 = scanChunk
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
	if r.chunk > 0 {
		s.lend(r.lent, r.chunk)
	}
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
