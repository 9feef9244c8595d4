package wal

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/omendb/omendb/internal/event"
)

// DefaultBatchBytes is what recovery reads at once: enough to keep a disk
// busy, little enough to stay in the processor's cache.
const DefaultBatchBytes = 1 << 20

// batchesAhead is how many batches are read and checked before they are asked for.
const batchesAhead = 2

// Batch is consecutive records of the log, with the memory of their bodies.
type Batch struct {
	Records []Record
	Bytes   int64 // of log
	buf     []byte
	pool    *batchPool
}

// Release gives the batch's memory back. Its records are no longer valid.
func (b *Batch) Release() { b.pool.put(b) }

// batchPool keeps batches for reuse.
type batchPool struct {
	mu   sync.Mutex
	free []*Batch
}

func (p *batchPool) get() *Batch {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.free); n > 0 {
		b := p.free[n-1]
		p.free = p.free[:n-1]
		return b
	}
	return &Batch{pool: p}
}

func (p *batchPool) put(b *Batch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = append(p.free, b)
}

// NextBatch fills b with the next durable records, about bytes of log, and at
// least one. It returns io.EOF when there is none.
func (r *Reader) NextBatch(b *Batch, bytes int64) error {
	b.Records, b.Bytes = b.Records[:0], 0
	r.chunk, r.lent = max(bytes, scanChunk), b.buf
	if r.scan != nil {
		r.scan.lend(b.buf, r.chunk)
	}
	rec, err := r.Next()
	for err == nil {
		b.Records = append(b.Records, *rec)
		b.Bytes += frameBytes(len(rec.Body))
		// Reading on would overwrite the bodies: the batch ends with the buffer.
		if b.Bytes >= bytes || r.next > r.log.Durable() || r.next == r.limit || !r.scan.whole() {
			break
		}
		ok, terr := r.scan.try(&r.rec)
		if terr != nil || !ok || r.rec.Kind == kindMark || r.rec.LSN != r.next {
			break // the next call tells what is wrong, after a second look
		}
		r.scan.skip(&r.rec)
		r.next++
		rec = &r.rec
	}
	if r.scan != nil {
		b.buf = r.scan.takeBack()
	}
	r.lent = nil
	return err
}

// lend has the scanner read into buf, chunk bytes at a time.
func (s *scanner) lend(buf []byte, chunk int64) { s.buf, s.chunk = buf[:0], chunk }

// takeBack returns the buffer that the scanner has used.
func (s *scanner) takeBack() []byte {
	buf := s.buf[:0]
	s.buf = nil
	return buf
}

// whole reports whether the next record is in the buffer.
func (s *scanner) whole() bool {
	at := s.off - s.bufOff
	if at < 0 || at+recordHeaderBytes > int64(len(s.buf)) {
		return false
	}
	n := parseFrameHeader(s.buf[at:]).bodyLen
	return n <= MaxBodyBytes && at+frameBytes(n) <= int64(len(s.buf))
}

// progressBytes is how often Replay tells where it is.
const progressBytes = 64 << 20

// Replay calls fn for every record from LSN from on. It is for recovery: it
// runs before the first Propose, and what fn has seen counts as applied. The
// record is valid during the call only.
func (l *Log) Replay(from LSN, fn func(*Record) error) error {
	return l.ReplayBatches(from, DefaultBatchBytes, func(b *Batch) (int64, error) {
		if b == nil {
			return 0, nil
		}
		defer b.Release()
		for i := range b.Records {
			if err := fn(&b.Records[i]); err != nil {
				return 0, fmt.Errorf("replay record %d: %w", b.Records[i].LSN, err)
			}
			l.applied.Store(uint64(b.Records[i].LSN))
		}
		return int64(len(b.Records)), nil
	})
}

// ReplayBatches is Replay by batches of about bytes of log, which are read and
// checked ahead in the background. fn releases each batch when it is done with
// it, perhaps after it has returned. At the end it is called with nil: then
// everything it was given has to be applied. It returns how many changes it has
// found, for the events that tell of progress.
func (l *Log) ReplayBatches(from LSN, bytes int64, fn func(*Batch) (changes int64, err error)) error {
	if from > l.Last()+1 {
		return &CorruptionError{File: l.opts.Dir, LSN: l.Last() + 1,
			Detail: fmt.Sprintf("the log ends before record %d, with which replay should start", from)}
	}
	r, err := l.ReadFrom(from)
	if err != nil {
		return fmt.Errorf("replay log: %w", err)
	}
	defer r.Close()
	p := progress{log: l, start: event.Event{Name: event.RecoveryStart, LSN: uint64(from), Total: l.bytesFrom(from)}}
	p.begin()
	ahead := l.readAhead(r, bytes, p.start.Total)
	defer ahead.stop()
	for {
		b, err := ahead.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("replay log: %w", err)
		}
		p.bytes, p.records = p.bytes+b.Bytes, p.records+int64(len(b.Records))
		last := b.Records[len(b.Records)-1].LSN
		n, err := fn(b)
		if err != nil {
			return err
		}
		p.changes += n
		l.applied.Store(uint64(last))
		p.tell(last)
	}
	n, err := fn(nil)
	if err != nil {
		return err
	}
	p.changes += n
	l.applied.Store(l.last.Load())
	p.emit(event.RecoveryDone, l.Last())
	return nil
}

// ahead reads batches before they are wanted. When there is little to read,
// nothing runs in the background.
type ahead struct {
	log    *Log
	reader *Reader
	bytes  int64
	pool   batchPool

	room, ready chan struct{} // a token for each batch that may be read, that has been
	ended       chan struct{} // closed when the background task is over; nil without one

	mu      sync.Mutex
	batches []*Batch
	err     error
	stopped bool
}

func (l *Log) readAhead(r *Reader, bytes, total int64) *ahead {
	a := &ahead{log: l, reader: r, bytes: bytes}
	if total <= bytes {
		return a
	}
	a.room, a.ready = make(chan struct{}, batchesAhead+1), make(chan struct{}, batchesAhead+1)
	a.ended = make(chan struct{})
	for range batchesAhead {
		a.room <- struct{}{}
	}
	l.opts.Tasks.Submit("wal.read", a.run)
	return a
}

// run reads until the end, an error, or stop.
func (a *ahead) run() {
	defer close(a.ended)
	for {
		_ = a.log.opts.Tasks.Await(context.Background(), a.room) // the context has no end
		a.mu.Lock()
		stopped := a.stopped
		a.mu.Unlock()
		if stopped {
			return
		}
		b := a.pool.get()
		err := a.reader.NextBatch(b, a.bytes)
		a.mu.Lock()
		if err != nil {
			a.err = err
		} else {
			a.batches = append(a.batches, b)
		}
		a.mu.Unlock()
		a.ready <- struct{}{}
		if err != nil {
			return
		}
	}
}

func (a *ahead) next() (*Batch, error) {
	if a.ended == nil {
		b := a.pool.get()
		return b, a.reader.NextBatch(b, a.bytes)
	}
	_ = a.log.opts.Tasks.Await(context.Background(), a.ready) // the context has no end
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.batches) == 0 {
		return nil, a.err
	}
	b := a.batches[0]
	a.batches = a.batches[1:]
	a.room <- struct{}{}
	return b, nil
}

// stop returns when nothing runs in the background any more.
func (a *ahead) stop() {
	if a.ended == nil {
		return
	}
	a.mu.Lock()
	a.stopped = true
	a.mu.Unlock()
	select {
	case a.room <- struct{}{}:
	default: // there is room: it is not waiting
	}
	_ = a.log.opts.Tasks.Await(context.Background(), a.ended) // the context has no end
}

// progress tells how far a replay is.
type progress struct {
	log                           *Log
	start                         event.Event
	began                         time.Time
	bytes, told, records, changes int64
}

func (p *progress) begin() {
	p.began = p.log.opts.Clock.Now()
	p.log.opts.Events.Emit(p.start)
}

func (p *progress) tell(last LSN) {
	if p.bytes-p.told >= progressBytes {
		p.emit(event.RecoveryProgress, last)
	}
}

func (p *progress) emit(name event.Name, last LSN) {
	p.told = p.bytes
	took := p.log.opts.Clock.Since(p.began)
	e := event.Event{Name: name, Done: p.bytes, Total: max(p.start.Total, p.bytes), Bytes: p.bytes, Count: p.records,
		Changes: p.changes, LSN: uint64(last), Duration: took}
	if s := took.Seconds(); s > 0 {
		e.Detail = fmt.Sprintf("%d changes of rows in %d records, %.1f MB in %.3f s: %.0f changes/s, %.0f records/s, %.1f MB/s",
			p.changes, p.records, float64(p.bytes)/1e6, s, float64(p.changes)/s, float64(p.records)/s, float64(p.bytes)/1e6/s)
	}
	p.log.opts.Events.Emit(e)
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
