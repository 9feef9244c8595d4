package wal

import (
	"fmt"
	"io"
	"math"
	"path"
	"slices"

	"github.com/omendb/omendb/internal/event"
)

// noLimit is the limit of a file that no other continues.
const noLimit = LSN(math.MaxUint64)

// recover brings the directory into a state in which records can be appended.
func (l *Log) recover() error {
	if err := l.opts.FS.MkdirAll(l.opts.Dir); err != nil {
		return err
	}
	// A process that was killed may have left names that are not durable yet.
	// They are about to be relied on.
	if err := l.opts.FS.SyncDir(path.Clean(l.opts.Dir)); err != nil {
		return err
	}
	files, err := l.list()
	if err != nil {
		return err
	}
	mark, err := readMark(l.opts.FS, l.opts.Dir, l.opts.Events)
	if err != nil {
		return err
	}
	if len(files) == 0 {
		l.opts.MinDurable = max(l.opts.MinDurable, mark.durable)
		if err := l.create(); err != nil {
			return err
		}
		return l.openMark(mark)
	}
	chain, void, err := chainOf(files)
	if err != nil {
		return err
	}
	l.files = chain
	if !mark.applies(files) {
		mark.durable, mark.gen = 0, 0
	}
	if err := l.openTail(chain[len(chain)-1], mark); err != nil {
		return err
	}
	if err := l.openMark(mark); err != nil {
		return err
	}
	// A void file may go only when nothing can fail any more: until then it
	// may be wanted for a closer look.
	for _, f := range void {
		if err := l.retire(f); err != nil {
			return err
		}
	}
	return nil
}

// create makes the first file of an empty log.
func (l *Log) create() error {
	if l.opts.MinDurable >= l.opts.FirstLSN {
		return &CorruptionError{File: l.opts.Dir, LSN: l.opts.FirstLSN,
			Detail: fmt.Sprintf("there are no log files, but record %d was durable", l.opts.MinDurable)}
	}
	f, _, err := l.begin(1, 0, l.opts.FirstLSN, l.opts.FileBytes)
	if err != nil {
		return err
	}
	l.use(f)
	last := uint64(l.opts.FirstLSN - 1)
	l.last.Store(last)
	l.durable.Store(last)
	l.applied.Store(last)
	return nil
}

// list reads the headers of all log files, by generation, and notes the spares.
func (l *Log) list() ([]*logFile, error) {
	names, err := l.opts.FS.List(l.opts.Dir)
	if err != nil {
		return nil, err
	}
	var files []*logFile
	for _, name := range names {
		if n, ok := parseName(name, spareSuffix); ok {
			l.spareSeq = max(l.spareSeq, uint64(n))
			if err := l.adoptSpare(path.Join(l.opts.Dir, name)); err != nil {
				return nil, err
			}
			continue
		}
		gen, ok := parseName(name, logSuffix)
		if !ok {
			continue
		}
		f, err := readHeader(l.opts.FS, l.opts.Dir, gen)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// adoptSpare keeps a spare that is whole; a crash may have left a short one.
func (l *Log) adoptSpare(name string) error {
	info, err := l.opts.FS.Stat(name)
	if err != nil {
		return err
	}
	if info.Size() >= l.opts.FileBytes && len(l.spares) < l.opts.SpareFiles {
		l.spares = append(l.spares, spare{name: name, size: info.Size()})
		return nil
	}
	return l.opts.FS.Remove(name)
}

// chainOf follows the files' back references from the newest. It returns the
// chain, oldest first, and the files that a truncation has voided.
func chainOf(files []*logFile) (chain, void []*logFile, err error) {
	byGen := map[uint32]*logFile{}
	for _, f := range files {
		byGen[f.gen] = f
	}
	inChain := map[uint32]bool{}
	for f := files[len(files)-1]; f != nil; f = byGen[f.prev] {
		if len(chain) > 0 && f.first > chain[len(chain)-1].first {
			return nil, nil, &CorruptionError{File: f.name, LSN: f.first,
				Detail: fmt.Sprintf("it starts behind record %d, with which the next file starts", chain[len(chain)-1].first)}
		}
		chain = append(chain, f)
		inChain[f.gen] = true
	}
	slices.Reverse(chain)
	oldest := chain[0]
	for _, f := range files {
		switch {
		case inChain[f.gen]:
		case f.first < oldest.first:
			return nil, nil, &CorruptionError{File: logName(path.Dir(oldest.name), oldest.prev), LSN: f.first,
				Detail: fmt.Sprintf("the file is missing between %s and %s", path.Base(f.name), path.Base(oldest.name))}
		default:
			void = append(void, f)
		}
	}
	return chain, void, nil
}

// tailState is what the scan of the last file found.
type tailState struct {
	next   LSN   // the first LSN that is not there
	off    int64 // where it would stand
	mark   LSN   // highest LSN known durable
	unsure int64 // from here to off nothing vouches for the bytes
	rest   int64 // end of the last valid record behind off, to be wiped out; 0 = none
	time   int64 // of the last record
}

// openTail finds the end of the log in its last file and makes it durable.
func (l *Log) openTail(f *logFile, mark durableMark) error {
	t, err := l.scanTail(f, mark)
	if err != nil {
		return err
	}
	if f.handle, err = l.opts.FS.OpenReadWrite(f.name); err != nil {
		return err
	}
	l.cur, l.tail = f, t.off
	if err := l.settle(f, t); err != nil {
		return err
	}
	last := t.next - 1
	l.last.Store(uint64(last))
	l.durable.Store(uint64(last))
	l.applied.Store(uint64(l.files[0].first - 1))
	l.lastTime, l.marked = max(t.time, f.time), t.mark
	l.writeMark()
	return nil
}

func (l *Log) scanTail(f *logFile, mark durableMark) (tailState, error) {
	s, err := openScanner(l.opts.FS, f)
	if err != nil {
		return tailState{}, err
	}
	defer s.close()
	t := tailState{next: f.first, mark: max(f.durab, l.opts.MinDurable, mark.durable), unsure: headerBytes}
	// starts are the records that nothing vouches for yet.
	type start struct {
		lsn LSN
		off int64
	}
	var starts []start
	var r Record
	for retried := false; ; {
		ok, err := s.try(&r)
		if err != nil {
			return t, err
		}
		if ok && r.Kind == kindMark && r.LSN == t.next-1 {
			t.mark = max(t.mark, r.DurableUpTo)
			break // records overwrite a mark: behind it there are none
		}
		if !ok || r.Kind == kindMark || r.LSN != t.next {
			if !retried { // a record is cut off only if reading it again gives the same
				retried = true
				s.forget()
				continue
			}
			break
		}
		retried = false
		t.mark = max(t.mark, r.DurableUpTo)
		starts = append(starts, start{r.LSN, s.off})
		for len(starts) > 0 && starts[0].lsn <= t.mark {
			starts = starts[1:]
		}
		s.skip(&r)
		t.next, t.time = r.LSN+1, r.Time
	}
	t.off, t.unsure = s.off, s.off
	for _, st := range starts {
		if st.lsn > t.mark {
			t.unsure = st.off
			break
		}
	}
	behind, rest, err := s.behind(t.next)
	if err != nil {
		return t, err
	}
	t.rest = rest
	if known := max(t.mark, behind); known >= t.next {
		if mark.gen > f.gen {
			return t, &CorruptionError{File: logName(l.opts.Dir, mark.gen), LSN: t.next,
				Detail: fmt.Sprintf("the file is missing, but record %d was durable", known)}
		}
		return t, &CorruptionError{File: f.name, Offset: t.off, LSN: t.next,
			Detail: fmt.Sprintf("no valid record stands there, but record %d was durable", known)}
	}
	return t, nil
}

// settle makes the bytes on disk agree with what was found: what follows the
// end is wiped out, and what may exist only in the operating system's memory,
// perhaps after a sync that failed, is written again and synced.
func (l *Log) settle(f *logFile, t tailState) error {
	if t.unsure < t.off {
		buf := make([]byte, min(t.off-t.unsure, 1<<20))
		for off := t.unsure; off < t.off; off += int64(len(buf)) {
			b := buf[:min(int64(len(buf)), t.off-off)]
			if _, err := f.handle.ReadAt(b, off); err != nil && err != io.EOF {
				return err
			}
			if _, err := f.handle.WriteAt(b, off); err != nil {
				return err
			}
		}
	}
	if t.rest > t.off {
		l.opts.Events.Emit(event.Event{Name: event.WALCut, File: f.name, Offset: t.off, LSN: uint64(t.next),
			Bytes: t.rest - t.off, Detail: "torn tail, never acknowledged"})
		return l.wipe(f, t.off, t.rest)
	}
	if t.unsure < t.off {
		return f.handle.SyncData()
	}
	return nil
}
