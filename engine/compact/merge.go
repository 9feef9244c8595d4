// Package compact merges runs of versions into segments, dropping what no
// snapshot can see any more, and decides which segments are worth merging.
//
// It sees runs as sources of versions and knows nothing of transactions: the
// engine tells it the oldest snapshot and which runs hold what.
package compact

import (
	"bytes"
	"slices"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/segment"
)

// Source yields the versions of a run: keys ascending, versions of a key
// descending by timestamp. What it returns stays valid until Next.
type Source interface {
	Next() bool
	Err() error
	Key() []byte
	Version() uint64
	Deleted() bool
	Successor() []byte
	Row() ([]column.Datum, error)
}

// Options say how to merge.
type Options struct {
	// Snapshots are the timestamps of the live snapshots, ascending, and last
	// one that no future snapshot is below. Of the versions up to each of them
	// only the newest is kept, and what a transaction that locks the row it
	// sees there has to know: whether that row was deleted meanwhile. Versions
	// above the last are all kept.
	Snapshots []uint64
	// Bottom says that no other run holds older versions of the keys, so that
	// tombstones which everybody sees can go.
	Bottom bool
	// Expired, if not nil, says of a version that every snapshot takes it for
	// deleted. Row may be shorter than the schema.
	Expired func(row []column.Datum, ts uint64) bool
	// Duplicate, if not nil, makes an error of a second version of a key.
	Duplicate func(key []byte, second Source) error
	// TargetBytes is the size at which an output is ended and another begun.
	TargetBytes int64
	// NewWriter begins an output.
	NewWriter func() *segment.Writer
	// Stop is asked now and then; its error ends the merge.
	Stop func() error
}

// stopEvery is the number of versions between two questions to Options.Stop.
const stopEvery = 4096

// Result describes a merge.
type Result struct {
	Segments []segment.Info // in key order
	Read     int64          // versions read
	Written  int64          // versions written
}

// Merge writes the versions of the sources into segments. After an error no
// segment is left.
func Merge(sources []Source, o Options) (Result, error) {
	m := merger{o: o}
	err := m.run(sources)
	if err == nil {
		err = m.endKey()
	}
	if err == nil {
		err = m.finish()
	}
	if err != nil {
		if m.w != nil {
			m.w.Abort()
		}
		return m.res, err
	}
	return m.res, nil
}

type merger struct {
	o    Options
	heap []Source
	w    *segment.Writer
	key  []byte // of the group being written
	any  bool   // a group has begun
	slot int    // how many snapshots are below the group's last version; -1 before the first
	held []tombstone
	res  Result
}

// tombstone is one that waits for an older version of its key.
type tombstone struct {
	ts        uint64
	successor []byte
	slot      int
	hidden    bool // no snapshot sees it
}

func (m *merger) run(sources []Source) error {
	for _, s := range sources {
		if s.Next() {
			m.heap = append(m.heap, s)
		} else if err := s.Err(); err != nil {
			return err
		}
	}
	for i := len(m.heap)/2 - 1; i >= 0; i-- {
		m.sink(i)
	}
	for len(m.heap) > 0 {
		if m.res.Read%stopEvery == 0 && m.o.Stop != nil {
			if err := m.o.Stop(); err != nil {
				return err
			}
		}
		m.res.Read++
		s := m.heap[0]
		if err := m.take(s); err != nil {
			return err
		}
		if !s.Next() {
			if err := s.Err(); err != nil {
				return err
			}
			last := len(m.heap) - 1
			m.heap[0] = m.heap[last]
			m.heap = m.heap[:last]
		}
		m.sink(0)
	}
	return nil
}

func (m *merger) less(i, j int) bool {
	c := bytes.Compare(m.heap[i].Key(), m.heap[j].Key())
	return c < 0 || c == 0 && m.heap[i].Version() > m.heap[j].Version()
}

func (m *merger) sink(i int) {
	for {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(m.heap); c++ {
			if m.less(c, least) {
				least = c
			}
		}
		if least == i {
			return
		}
		m.heap[i], m.heap[least] = m.heap[least], m.heap[i]
		i = least
	}
}

// take writes a version unless nobody can see it.
func (m *merger) take(s Source) error {
	key, ts := s.Key(), s.Version()
	if !m.any || !bytes.Equal(key, m.key) {
		if err := m.endKey(); err != nil {
			return err
		}
		m.key, m.any, m.slot = append(m.key[:0], key...), true, -1
		if m.w != nil && m.w.Bytes() >= m.o.TargetBytes {
			if err := m.finish(); err != nil {
				return err
			}
		}
	}
	slot, _ := slices.BinarySearch(m.o.Snapshots, ts)
	hidden := slot == m.slot && slot < len(m.o.Snapshots)
	m.slot = slot
	if hidden && m.o.Duplicate != nil {
		return m.o.Duplicate(key, s)
	}
	if s.Deleted() {
		m.hold(tombstone{ts: ts, successor: s.Successor(), slot: slot, hidden: hidden})
		return nil
	}
	if hidden {
		return nil
	}
	row, err := s.Row()
	if err != nil {
		return err
	}
	if m.o.Expired != nil && m.o.Expired(row, ts) {
		m.hold(tombstone{ts: ts, slot: slot})
		return nil
	}
	if err := m.release(); err != nil {
		return err
	}
	return m.add(ts, false, nil, row)
}

// hold keeps a tombstone until it is known whether there is something older.
// Of the hidden ones between two snapshots the oldest tells how the row that
// the older one sees has ended.
func (m *merger) hold(t tombstone) {
	if t.hidden && t.slot == 0 {
		return
	}
	t.successor = bytes.Clone(t.successor)
	if n := len(m.held); t.hidden && n > 0 && m.held[n-1].hidden && m.held[n-1].slot == t.slot {
		m.held[n-1] = t
		return
	}
	m.held = append(m.held, t)
}

// release writes the tombstones that wait.
func (m *merger) release() error {
	for i := range m.held {
		if err := m.add(m.held[i].ts, true, m.held[i].successor, nil); err != nil {
			return err
		}
	}
	m.held = m.held[:0]
	return nil
}

// endKey decides about the tombstones that nothing older has followed: at the
// bottom they can go when everybody sees them. Beneath the others an older
// version may still come: an index that is made while others write gets the
// rows of the snapshot that it was made from.
func (m *merger) endKey() error {
	if m.o.Bottom {
		m.held = slices.DeleteFunc(m.held, func(t tombstone) bool { return t.slot == 0 && len(m.o.Snapshots) > 0 })
	}
	return m.release()
}

// add writes a version of the group's key.
func (m *merger) add(ts uint64, deleted bool, successor []byte, row []column.Datum) error {
	if m.w == nil {
		m.w = m.o.NewWriter()
	}
	m.res.Written++
	return m.w.Add(m.key, ts, deleted, successor, row)
}

func (m *merger) finish() error {
	if m.w == nil {
		return nil
	}
	w := m.w
	m.w = nil
	info, err := w.Finish()
	if err == nil {
		m.res.Segments = append(m.res.Segments, info)
	}
	return err
}
