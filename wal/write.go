package wal

import (
	"errors"
	"fmt"

	"github.com/omendb/omendb/internal/event"
	"github.com/omendb/omendb/internal/invariant"
)

var errApplyPanicked = errors.New("applying a record panicked")

// keepBuffer is the largest write buffer that is kept from batch to batch.
const keepBuffer = 1 << 20

// holdBytes of records that nobody wants to be durable at once are written
// together: for a hundred bytes the call takes longer than to copy them. A sync,
// the end of the file and Options.SyncDelay write them earlier.
const holdBytes = 64 << 10

// write puts the group's records into the file and syncs it if somebody asked
// for that. It fills in each member's outcome and g.records with what is to be
// applied.
func (l *Log) write(g *group) {
	wantsSync, wantsMark, records := l.survey(g)
	if err := l.failure(); err != nil {
		g.fail(err)
		return
	}
	if records > 0 {
		if err := l.repair(); err != nil {
			g.refuse(0, err)
		} else {
			l.writeRecords(g, wantsSync)
		}
	}
	l.note(g)
	if wantsSync && l.Last() > l.Durable() {
		if err := l.syncCurrent(); err != nil { // when it has poisoned the log, see below
			g.missed(err)
		}
	}
	if wantsMark && l.Last() == l.Durable() {
		l.writeMark()
	}
	if err := l.failure(); err != nil {
		g.fail(err)
		return
	}
	if l.Last() > l.Durable() {
		l.scheduleSync()
	} else if l.marked < l.Last() {
		l.scheduleMark()
	}
}

func (l *Log) failure() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failed
}

func (l *Log) survey(g *group) (wantsSync, wantsMark bool, records int) {
	for _, w := range g.members {
		switch w.what {
		case wantRecord:
			wantsSync = true
			records++
		case wantRecordAsync:
			records++
		case wantSync:
			wantsSync = true
		case wantMark:
			wantsMark = true
		}
	}
	return
}

// fail gives err to everybody.
func (g *group) fail(err error) {
	for _, w := range g.members {
		w.err = err
	}
	clear(g.records)
	g.records = g.records[:0]
}

// refuse gives err to the members from index i on that proposed a record.
func (g *group) refuse(i int, err error) (refused int) {
	for _, w := range g.members[i:] {
		if w.what <= wantRecordAsync {
			w.err = err
			refused++
		}
	}
	return refused
}

// missed tells those who want what is written to be durable why it is not.
func (g *group) missed(err error) {
	for _, w := range g.members {
		if w.what == wantSync {
			w.err = err
		}
	}
}

func (l *Log) writeRecords(g *group, atOnce bool) {
	now := max(l.opts.Clock.Now().UnixMicro(), l.lastTime)
	l.lastTime = now
	for i := 0; i < len(g.members); {
		n, need := l.encode(g, i, now)
		var err error
		if n == i { // nothing fits into this file
			err = l.rotate(need)
		} else if len(l.buf) > l.held {
			err = l.putBuffer(g, atOnce)
		}
		if err != nil {
			refused := g.refuse(i, err)
			l.opts.Events.Emit(event.Event{Name: event.WALDiskFull, File: l.cur.name, Count: int64(refused), Err: err})
			return
		}
		i = n
	}
}

// encode appends to the buffer the records of members from i on that fit into
// the current file, and to g.records. It returns the index of the
// first that does not, and its size.
func (l *Log) encode(g *group, i int, now int64) (next int, need int64) {
	if cap(l.buf) > keepBuffer && l.held == 0 {
		l.buf = nil
	}
	l.buf = l.buf[:l.held]
	lsn := l.Last()
	for ; i < len(g.members); i++ {
		w := g.members[i]
		if w.what > wantRecordAsync {
			continue
		}
		if need := frameBytes(len(w.body)); l.tail+int64(len(l.buf)-l.held)+need > l.cur.size {
			return i, need
		}
		lsn++
		w.lsn = lsn
		g.records = append(g.records, Record{
			Term: l.opts.Term, LSN: lsn, Generation: l.cur.gen, DurableUpTo: l.Durable(),
			Time: now, Kind: w.kind, Body: w.body, Decoded: w.decoded,
		})
		l.buf = appendRecord(l.buf, &g.records[len(g.records)-1], l.cur.seed)
	}
	return i, 0
}

// putBuffer takes the records in the buffer into the log, and writes them unless
// they may be held. When that fails, the new ones are taken back from g.records
// and wiped out in the file.
func (l *Log) putBuffer(g *group, atOnce bool) error {
	before := l.Last()
	fresh := int64(len(l.buf) - l.held)
	hold := !atOnce && len(l.buf) < holdBytes
	var err error
	if !hold {
		_, err = l.cur.handle.WriteAt(l.buf, l.tail-int64(l.held))
	}
	if err == nil {
		if l.held = 0; hold {
			l.held = len(l.buf)
		}
		l.tail += fresh
		l.last.Store(uint64(g.records[len(g.records)-1].LSN))
		l.marked = max(l.marked, l.Durable())
		return nil
	}
	l.buf = l.buf[:l.held]
	for len(g.records) > 0 && g.records[len(g.records)-1].LSN > before {
		g.records[len(g.records)-1] = Record{}
		g.records = g.records[:len(g.records)-1]
	}
	if !isSpace(err) {
		return l.poison(err)
	}
	err = fmt.Errorf("write log: %w", err)
	l.dirtyTo = l.tail + fresh
	if l.repair() != nil {
		return &InDoubtError{Err: err}
	}
	return err
}

// flush writes the records that are held. They have been applied: without room
// they stay held, and new ones are refused until there is some.
func (l *Log) flush() error {
	if l.held == 0 {
		return nil
	}
	if _, err := l.cur.handle.WriteAt(l.buf[:l.held], l.tail-int64(l.held)); err != nil {
		if isSpace(err) {
			return fmt.Errorf("write log: %w", err)
		}
		return l.poison(err)
	}
	l.held = 0
	return nil
}

// repair overwrites what a refused batch may have left behind the tail, so
// that no recovery can take it for records. Until that has worked nothing is
// written.
func (l *Log) repair() error {
	if l.dirtyTo == 0 {
		return nil
	}
	if err := l.flush(); err != nil {
		return err
	}
	if err := l.wipe(l.cur, l.tail, l.dirtyTo); err != nil {
		return err
	}
	l.dirtyTo = 0
	l.durable.Store(l.last.Load()) // the wipe has synced everything before it, too
	l.noteDurable()
	return nil
}

// wipe durably overwrites a part of an open file by zeros.
func (l *Log) wipe(f *logFile, from, to int64) error {
	zeros := make([]byte, min(to-from, 1<<20))
	for from < to {
		n, err := f.handle.WriteAt(zeros[:min(int64(len(zeros)), to-from)], from)
		if err != nil {
			if isSpace(err) {
				return fmt.Errorf("wipe log: %w", err)
			}
			return l.poison(err)
		}
		from += int64(n)
	}
	return l.sync(f.handle)
}

// syncCurrent makes everything written durable.
func (l *Log) syncCurrent() error {
	start := l.opts.Clock.Now()
	last, from := l.Last(), l.Durable()
	if err := l.flush(); err != nil {
		return err
	}
	if err := l.sync(l.cur.handle); err != nil {
		return err
	}
	invariant.Check(last >= from, "durable LSN %d above the last %d", from, last)
	l.durable.Store(uint64(last))
	l.noteDurable()
	l.emitSync(event.Event{
		Duration: l.opts.Clock.Since(start), Bytes: int64(len(l.buf)),
		Count: int64(last - from), LSN: uint64(last),
	})
	return nil
}

// writeMark puts the durable mark behind the last record, where the next
// record will overwrite it. It need not be synced and may fail: it is evidence
// for recovery, nothing depends on it.
func (l *Log) writeMark() bool {
	durable := l.Durable()
	if l.dirtyTo != 0 || l.marked >= durable || l.tail+recordHeaderBytes > l.cur.size {
		return false
	}
	mark := Record{
		Term: l.opts.Term, LSN: l.Last(), Generation: l.cur.gen, DurableUpTo: durable,
		Time: l.lastTime, Kind: kindMark,
	}
	if _, err := l.cur.handle.WriteAt(appendRecord(nil, &mark, l.cur.seed), l.tail); err != nil {
		return false
	}
	l.marked = durable
	return true
}
