package segment

// Usage says how often the fences of a segment were searched since it was opened, look-ups and ends of scans together.
type Usage struct {
	Lookups        int64
	Mispredictions int64 // of these: the fence was not at the place that the model predicted
}

// Usage returns what was counted so far. Point reads arrive when their Tally is flushed.
func (r *Reader) Usage() Usage {
	return Usage{Lookups: r.lookups.Load(), Mispredictions: r.mispredictions.Load()}
}

// use counts a search of the fences at once: scans, which have few.
func (r *Reader) use(w *window) {
	r.lookups.Add(1)
	if w.missed {
		r.mispredictions.Add(1)
	}
}

// tallySlots is how many segments a Tally holds apart before one has to make
// room: the segments that a statement's look-ups go to in turn.
const tallySlots = 8

// Tally collects the look-ups of one goroutine, so that a segment's counters,
// which all share, are not touched by every one of them. It is flushed at the
// end of a statement; the zero value is ready.
type Tally struct {
	used  bool
	slots [tallySlots]tallySlot
}

type tallySlot struct {
	reader *Reader
	Usage
}

// add counts a search of the fences; a nil Tally counts nothing.
func (t *Tally) add(r *Reader, w *window) {
	if t == nil {
		return
	}
	s := &t.slots[r.id%tallySlots]
	if s.reader != r {
		s.flush()
		s.reader, t.used = r, true
	}
	s.Lookups++
	var missed int64 // added without a branch: there is no guessing
	if w.missed {
		missed = 1
	}
	s.Mispredictions += missed
}

// Flush adds what was collected to the segments' counters and forgets them.
func (t *Tally) Flush() {
	if !t.used {
		return
	}
	for i := range t.slots {
		t.slots[i].flush()
	}
	t.used = false
}

func (s *tallySlot) flush() {
	if s.reader != nil {
		s.reader.lookups.Add(s.Lookups)
		s.reader.mispredictions.Add(s.Mispredictions)
	}
	*s = tallySlot{}
}
