package engine

import (
	"bytes"
	"math"
	"path"
	"slices"
	"sort"
	"sync/atomic"

	"github.com/omendb/omendb/engine/compact"
	"github.com/omendb/omendb/engine/learned"
	"github.com/omendb/omendb/engine/segment"
)

// run is a live segment. It is referred to by the views that list it, which
// count as one, and by the manifest; without either its file is removed.
type run struct {
	reader *segment.Reader
	info   *segment.Info
	stamp  uint64 // the one commit timestamp of bulk-loaded rows; else 0
	refs   atomic.Int32

	// Of private runs, which one transaction reads:
	cut    uint64  // versions above it were rolled back
	filter *filter // nil: may hold any key

	// damaged: some rows cannot be read, so that the run is not merged.
	damaged atomic.Bool
	// open: nothing is known of the run but that its keys are less than
	// info.MaxKey, or, if that is nil, that there is no such bound.
	open bool
}

const (
	byViews    = 1
	byManifest = 1
)

// openRun opens a segment that nothing refers to yet.
func (db *DB) openRun(name string, stamp uint64) (*run, error) {
	r, err := segment.Open(db.opts.FS, path.Join(db.opts.Dir, segmentDir), name, db.cache, segment.OpenOptions{Timestamp: stamp})
	if err != nil {
		return nil, err
	}
	return &run{reader: r, info: r.Info(), stamp: stamp, cut: math.MaxUint64}, nil
}

// openDamagedRun opens a segment of a store of which openRun found that its
// frame is damaged, so that everything else can be used. What keys it holds is
// not known: any, until its neighbours say more.
func (db *DB) openDamagedRun(name string, stamp uint64, id StoreID, damage error) (*run, error) {
	r, err := segment.OpenDamaged(db.opts.FS, path.Join(db.opts.Dir, segmentDir), name, db.cache, damage, uint64(id), nil, nil)
	if err != nil {
		return nil, err
	}
	d := &run{reader: r, info: r.Info(), stamp: stamp, cut: math.MaxUint64, open: true}
	d.damaged.Store(true)
	return d, nil
}

// openListed opens a segment that has to be there, damaged or not. Damage that
// a second reading does not find was the reading's, not the file's: a segment
// is not given up for it.
func (db *DB) openListed(name string, stamp uint64, id StoreID) (*run, error) {
	r, err := db.openRun(name, stamp)
	if !segment.IsCorruption(err) {
		return r, err
	}
	again, second := db.openRun(name, stamp)
	if segment.IsCorruption(second) {
		return db.openDamagedRun(name, stamp, id, second)
	}
	if second == nil {
		db.opts.Log.Warn().Err(err).Str("file", name).Msg("segment.reread")
	}
	return again, second
}

// confine bounds the keys that damaged segments of the base can hold by those
// of their neighbours. It changes runs that nobody else knows yet.
func (s *storeState) confine() {
	for i, r := range s.base {
		if !r.open {
			continue
		}
		for k := i - 1; k >= 0; k-- {
			if o := s.base[k]; !o.open {
				r.info.MinKey = append(bytes.Clone(o.info.MaxKey), 0)
				break
			}
		}
		for _, o := range s.base[i+1:] {
			if !o.open {
				r.info.MaxKey = o.info.MinKey
				break
			}
		}
	}
}

// reaches reports whether a key is not behind all keys of the segment.
func (r *run) reaches(key []byte) bool {
	if r.open {
		return r.info.MaxKey == nil || bytes.Compare(r.info.MaxKey, key) > 0
	}
	return bytes.Compare(r.info.MaxKey, key) >= 0
}

// unref drops references and removes the file after the last one.
func (db *DB) unref(r *run, n int32) {
	if r.refs.Add(-n) > 0 {
		return
	}
	if err := r.reader.Close(); err != nil {
		db.opts.Log.Warn().Err(err).Str("file", r.info.Name).Msg("segment.remove")
	}
	db.removeSegment(r.info.Name, r.info.Size)
}

// shape is what package compact needs to know of runs.
func shape(runs []*run) []compact.Segment {
	list := make([]compact.Segment, len(runs))
	for i, r := range runs {
		list[i] = compact.Segment{Bytes: r.info.Size, MinKey: r.info.MinKey, MaxKey: r.info.MaxKey}
	}
	return list
}

// shapes describes the runs of a store: level 0, and the base, with what a
// merge would drop now that no snapshot needs it.
func (s *storeState) shapes(oldest uint64) (level0, base []compact.Segment) {
	level0, base = shape(s.level0), shape(s.base)
	hs := s.horizons.seen(oldest)
	for i, r := range s.base {
		if len(hs) > 0 {
			if share := r.expiredShare(s.def, hs); share > 0 && s.nothingOlder(s.base[i:i+1]) {
				_, all := r.expires(s.def, hs)
				if base[i].Expired = all; all || !s.def.leads(hs) {
					base[i].DeadShare = share
				}
			}
		}
		if dead := r.info.Tombstones + r.info.Rows - r.info.Keys; dead > 0 && r.info.MaxTS <= oldest && s.nothingOlder(s.base[i:i+1]) {
			base[i].DeadShare += float64(dead) / float64(r.info.Rows)
		}
	}
	return level0, base
}

// overlaps reports whether the segment holds keys of [lower, upper); nil is open.
func (r *run) overlaps(lower, upper []byte) bool {
	return (upper == nil || bytes.Compare(r.info.MinKey, upper) < 0) &&
		(lower == nil || r.reaches(lower))
}

// bounds places a key among the segments of the base without a look at them:
// the first eight bytes of their greatest keys, behind the prefix that all
// keys of the base share.
type bounds struct {
	prefix learned.Prefix
	chunks []uint64
}

// arrange makes the bounds of the base, and room for what is said of all segments
// together. It belongs to the making of a state: changeView does it.
func (s *storeState) arrange() {
	s.summaries = make(columnSummaries, len(s.def.kinds))
	if len(s.base) == 0 {
		s.bounds = bounds{}
		return
	}
	last := s.base[len(s.base)-1].info.MaxKey
	n := learned.CommonPrefix(s.base[0].info.MinKey, last)
	b := bounds{prefix: learned.PrefixOf(last[:n]), chunks: make([]uint64, len(s.base))}
	for i, r := range s.base {
		if r.info.MaxKey == nil { // a damaged one without an end
			b.chunks[i] = math.MaxUint64
			continue
		}
		b.chunks[i] = learned.Chunk(r.info.MaxKey[n:])
	}
	s.bounds = b
}

// baseFor returns the base segment that holds a key if any does: the first one
// whose greatest key is not less. It may begin behind the key.
func (s *storeState) baseFor(key []byte) *run {
	chunks := s.bounds.chunks
	if len(chunks) == 0 {
		return nil
	}
	c, ok := s.bounds.prefix.Chunk(key)
	if !ok {
		return nil
	}
	at := 0
	for k := len(chunks); k > 1; {
		half := k >> 1
		if chunks[at+half-1] < c {
			at += half
		}
		k -= half
	}
	for at < len(chunks) && chunks[at] <= c {
		if chunks[at] == c && s.base[at].reaches(key) {
			break
		}
		at++
	}
	if at == len(chunks) {
		return nil
	}
	return s.base[at]
}

// place adds a new segment to the store: to the base when nothing there or in
// level 0 overlaps it, else in front of level 0. It changes s, which must be a copy.
func (s *storeState) place(r *run) {
	lower, upper := r.info.MinKey, append(bytes.Clone(r.info.MaxKey), 0)
	free := !r.open
	s.runs(func(o *run) { free = free && !o.overlaps(lower, upper) })
	if !free {
		s.level0 = append([]*run{r}, s.level0...)
		return
	}
	s.base = insertRun(s.base, r)
}

// insertRun returns base with a disjoint segment in its place.
func insertRun(base []*run, r *run) []*run {
	i := sort.Search(len(base), func(i int) bool { return bytes.Compare(base[i].info.MinKey, r.info.MinKey) > 0 })
	grown := make([]*run, 0, len(base)+1)
	grown = append(append(append(grown, base[:i]...), r), base[i:]...)
	return grown
}

// clear returns the base without the segments that overlap a new one; they
// become the oldest of level 0. They came while the new one was being merged,
// into gaps that it now spans. It changes s, which must be a copy.
func (s *storeState) clear(r *run) (base []*run) {
	lower, upper := r.info.MinKey, append(bytes.Clone(r.info.MaxKey), 0)
	for _, o := range s.base {
		if o.overlaps(lower, upper) {
			s.level0 = append(slices.Clip(s.level0), o)
		} else {
			base = append(base, o)
		}
	}
	return base
}
