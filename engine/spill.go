package engine

import (
	"bytes"
	"math"
	"math/bits"
	"slices"
	"sort"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/compact"
	"github.com/omendb/omendb/engine/memtable"
	"github.com/omendb/omendb/engine/segment"
	"github.com/omendb/omendb/internal/event"
)

// A transaction keeps its private writes in memory up to Options.SpillBytes.
// What is more goes into segments of its own: private runs, in which a row's
// timestamp is the number of the write. They are read as the private memtables
// are, a rollback to a savepoint hides what they hold beyond it, and the commit
// record names them as it names those of bulk loads. Until then no file but
// the directory knows them: an abort removes them, and so does a restart.

const (
	// spillShare is the part of the limit from which a store's writes are worth a run.
	spillShare = 8
	// mergeLinks is the number of links of one size that are merged into one.
	mergeLinks = 4
	// packLocks is the number of row locks that are kept unpacked.
	packLocks = 1 << 15
)

// bulkLink is a set of segments that a transaction wrote and has not committed.
// The links of a store are in the order of the writes: every version in a link
// is older than those of the same key in later links and in the memtable.
type bulkLink struct {
	seq     uint64 // of a bulk load: among the private writes
	runs    []*run // disjoint, in key order
	spilled bool   // private writes, whose locks the lock table has; else a bulk load, which is probed (see bulkClaims)
	asOf    uint64 // not 0: the timestamp that the rows get, see BulkWriter.AsOf
}

func (l *bulkLink) bytes() (n int64) {
	for _, r := range l.runs {
		n += r.info.Size
	}
	return n
}

// find returns the run that may hold a version of a key written up to seq.
func (l *bulkLink) find(key []byte, hash, seq uint64) *run {
	i := sort.Search(len(l.runs), func(i int) bool { return bytes.Compare(l.runs[i].info.MaxKey, key) >= 0 })
	if i == len(l.runs) {
		return nil
	}
	r := l.runs[i]
	if r.info.MinTS > min(seq, r.cut) || bytes.Compare(r.info.MinKey, key) > 0 || r.filter != nil && !r.filter.has(hash) {
		return nil
	}
	return r
}

// getOwn looks a key up among the transaction's private runs, as of the write seq.
func (t *Txn) getOwn(id StoreID, key []byte, seq uint64, dst []column.Datum, o *segment.ReadOptions) (res segment.Result, err error) {
	links := t.bulk[id]
	if len(links) == 0 {
		return res, nil
	}
	hash, snapshot := rowTag(id, key).B, o.Snapshot
	for i := len(links) - 1; i >= 0; i-- {
		r := links[i].find(key, hash, seq)
		if r == nil {
			continue
		}
		o.Snapshot = min(seq, r.cut)
		if res, err = r.reader.Get(key, dst, o); err != nil || res.Status != segment.Absent {
			break
		}
	}
	o.Snapshot = snapshot
	return res, err
}

// inRuns returns the transaction's newest write of a key that is in a private
// run, as own does.
func (t *Txn) inRuns(id StoreID, key []byte, data bool) (memtable.Version, bool, error) {
	def, err := t.def(id)
	if err != nil {
		return memtable.Version{}, false, err
	}
	var row []column.Datum
	o := segment.ReadOptions{Cols: []int{}, Defaults: def.defaults}
	if data {
		row, o.Cols = make([]column.Datum, len(def.all)), def.all
	}
	res, err := t.getOwn(id, key, math.MaxUint64, row, &o)
	if err != nil || res.Status == segment.Absent {
		return memtable.Version{}, false, err
	}
	v := memtable.Version{TS: res.Version}
	if res.Status == segment.Deleted {
		v.Flags, v.Data = memtable.Tombstone, bytes.Clone(res.Successor)
	} else if data {
		v.Data = memtable.AppendRow(nil, def.kinds, row)
	}
	return v, true, nil
}

// estimateRuns returns about how many versions of a range lie in private runs.
func (t *Txn) estimateRuns(id StoreID, lower, upper []byte) (n float64) {
	for _, l := range t.bulk[id] {
		for _, r := range l.runs {
			if r.overlaps(lower, upper) {
				n += r.reader.EstimateRange(lower, upper)
			}
		}
	}
	return n
}

// spillLimit returns how many bytes of private writes may be in memory.
func (t *Txn) spillLimit() int64 {
	if t.opts.SpillBytes > 0 {
		return t.opts.SpillBytes
	}
	return t.db.opts.SpillBytes
}

// spillIfFull makes room for another private write: where the transaction has
// more in memory than it may, or a good deal of what all together may.
func (t *Txn) spillIfFull() error {
	limit := t.spillLimit()
	if t.private < limit {
		if t.private < limit/spillShare || t.db.private.Load() < t.db.opts.SpillBytes*spillShare {
			return nil
		}
	}
	t.spreadAll()
	var largest StoreID
	var most, spilled int64
	for _, id := range inOrder(t.tables) {
		def, err := t.def(id)
		if err != nil || def.Temp { // temporary stores have no files
			continue
		}
		n := t.tables[id].Bytes()
		if n > most {
			largest, most = id, n
		}
		if n < limit/spillShare {
			continue
		}
		if err := t.spillStore(id); err != nil {
			return err
		}
		spilled += n
	}
	if spilled == 0 && most > 0 {
		return t.spillStore(largest)
	}
	if most == 0 {
		t.hold(-t.private) // nothing that could be spilled: ask again after as much more
	}
	return nil
}

// hold counts memory of private writes.
func (t *Txn) hold(bytes int64) {
	if bytes != 0 {
		t.private += bytes
		t.db.private.Add(bytes)
	}
}

// spillStore moves the private memtable of a store into a run.
func (t *Txn) spillStore(id StoreID) error {
	m := t.table(id)
	def, err := t.def(id)
	if err != nil {
		return err
	}
	start := t.db.opts.Clock.Now()
	f := newFilter(m.Keys())
	runs, err := t.db.buildPrivate(def, id, []compact.Source{newTableVersions(def, m)}, f)
	if err != nil {
		return err
	}
	t.forgetTable(id, m)
	if len(runs) == 0 {
		return nil
	}
	e := event.Event{Name: event.TxnSpill, Duration: t.db.opts.Clock.Since(start), Store: uint64(id)}
	for _, r := range runs {
		e.Bytes += r.info.Size
		e.Count += int64(r.info.Rows)
	}
	t.db.opts.Events.Emit(e)
	if t.bulk == nil {
		t.bulk = make(map[StoreID][]*bulkLink)
	}
	links := t.bulk[id]
	if n := len(links); n > 0 && links[n-1].spilled && bytes.Compare(links[n-1].last(), runs[0].info.MinKey) < 0 {
		links[n-1].runs = append(slices.Clip(links[n-1].runs), runs...)
		return nil
	}
	t.bulk[id] = append(links, &bulkLink{runs: runs, spilled: true})
	return t.mergeLinks(def, id)
}

// last returns the greatest key.
func (l *bulkLink) last() []byte { return l.runs[len(l.runs)-1].info.MaxKey }

// forgetTable drops a private memtable whose writes are in a run now. What
// would be undone by it is hidden in the run instead.
func (t *Txn) forgetTable(id StoreID, m *memtable.Table) {
	t.hold(-m.Bytes())
	delete(t.tables, id)
	var kept []undoEntry
	save := 0
	for i, u := range t.undo {
		for ; save < len(t.saves) && t.saves[save].undo <= i; save++ {
			t.saves[save].undo = len(kept)
		}
		if u.table != m {
			kept = append(kept, u)
		}
	}
	for ; save < len(t.saves); save++ {
		t.saves[save].undo = len(kept)
	}
	t.undo = kept
}

// size is a link's size in powers of mergeLinks.
func (t *Txn) size(l *bulkLink) int {
	return bits.Len64(uint64(l.bytes()/max(1, t.spillLimit()))) / 2
}

// mergeLinks merges the newest links of a store where there are many of a
// size, so that a look-up visits few and a row is rewritten rarely.
func (t *Txn) mergeLinks(def *storeDef, id StoreID) error {
	for {
		links := t.bulk[id]
		from, size := len(links), t.size(links[len(links)-1])
		for from > 0 && links[from-1].spilled && t.size(links[from-1]) <= size {
			from--
		}
		if len(links)-from < mergeLinks {
			return nil
		}
		var sources []compact.Source
		var old []*run
		var keys int64
		for _, l := range links[from:] {
			for _, r := range l.runs {
				old = append(old, r)
				keys += int64(r.info.Keys)
				sources = append(sources, &privateVersions{r.reader.Versions(nil, nil), r.cut})
			}
		}
		runs, err := t.db.buildPrivate(def, id, sources, newFilter(keys))
		if err != nil {
			return err
		}
		t.db.letGo(old)
		links = slices.Clip(links[:from])
		if len(runs) > 0 {
			links = append(links, &bulkLink{runs: runs, spilled: true})
		}
		if t.bulk[id] = links; len(links) == 0 {
			delete(t.bulk, id)
		}
		if len(runs) == 0 {
			return nil
		}
	}
}

// privateVersions are the versions of a private run up to its cut.
type privateVersions struct {
	*segment.VersionIterator
	cut uint64
}

// Next implements compact.Source.
func (p *privateVersions) Next() bool {
	for p.VersionIterator.Next() {
		if p.Version() <= p.cut {
			return true
		}
	}
	return false
}

// filtered adds the keys of a source to a filter.
type filtered struct {
	compact.Source
	id StoreID
	f  *filter
}

// Next implements compact.Source.
func (s *filtered) Next() bool {
	if !s.Source.Next() {
		return false
	}
	s.f.add(rowTag(s.id, s.Key()).B)
	return true
}

// buildPrivate writes all versions of the sources into runs.
func (db *DB) buildPrivate(def *storeDef, id StoreID, sources []compact.Source, f *filter) ([]*run, error) {
	for i := range sources {
		sources[i] = &filtered{sources[i], id, f}
	}
	runs, err := db.buildRuns(def, sources, nil, nil, 0)
	for _, r := range runs {
		r.filter = f
	}
	return runs, ioError(err)
}

// rollbackRuns hides what private runs hold beyond a write.
func (t *Txn) rollbackRuns(seq uint64) {
	for _, id := range inOrder(t.bulk) {
		links := t.bulk[id]
		for n := len(links); n > 0; n-- {
			if l := links[n-1]; !l.spilled && l.seq > seq {
				t.dropLink(id, l)
				links = slices.Delete(links, n-1, n)
			} else if l.spilled {
				if t.cut(l, seq); len(l.runs) == 0 {
					links = slices.Delete(links, n-1, n)
				}
			}
		}
		if t.bulk[id] = links; len(links) == 0 {
			delete(t.bulk, id)
		}
	}
}

// cut drops the runs of a link that are newer than a write and hides in the
// others what is.
func (t *Txn) cut(l *bulkLink, seq uint64) {
	var kept, gone []*run
	for _, r := range l.runs {
		if r.info.MinTS > seq {
			gone = append(gone, r)
			continue
		}
		r.cut = min(r.cut, seq)
		kept = append(kept, r)
	}
	l.runs = kept
	t.db.letGo(gone)
}

// settle prepares private writes for a commit record: stores with more of
// them than limit in bytes have them in segments, a version of each key, and
// the rest in memory touches no segment of theirs.
func (t *Txn) settle(limit int64) error {
	if len(t.bulk) > 0 || t.private >= limit {
		t.spreadAll()
	}
	for _, id := range inOrder(t.tables) {
		m := t.tables[id]
		def, err := t.def(id)
		if err != nil || def.Temp || m.Bytes() < limit && !t.touchesRuns(id, m) {
			continue
		}
		if err := t.settleStore(id, def, m); err != nil {
			return err
		}
	}
	for _, id := range inOrder(t.bulk) {
		def, err := t.def(id)
		if err != nil || !t.unsettled(id) {
			continue
		}
		if err := t.settleStore(id, def, nil); err != nil {
			return err
		}
	}
	return nil
}

// unsettled reports whether the private runs of a store cannot be committed as they are.
func (t *Txn) unsettled(id StoreID) bool {
	links := t.bulk[id]
	if !slices.ContainsFunc(links, func(l *bulkLink) bool { return l.spilled }) {
		return false
	}
	if len(links) > 1 {
		return true
	}
	return slices.ContainsFunc(links[0].runs, func(r *run) bool { return r.info.Keys != r.info.Rows || r.info.MaxTS > r.cut })
}

// settleStore merges all private writes of a store, those of m included.
func (t *Txn) settleStore(id StoreID, def *storeDef, m *memtable.Table) error {
	var sources []compact.Source
	if m != nil {
		sources = append(sources, newTableVersions(def, m))
	}
	var old []*run
	for _, link := range t.bulk[id] {
		for _, r := range link.runs {
			old = append(old, r)
			sources = append(sources, &privateVersions{r.reader.Versions(nil, nil), r.cut})
		}
	}
	runs, err := t.db.buildUnstamped(def, sources, nil)
	if err != nil {
		return ioError(err)
	}
	for i := range t.claims {
		if c := &t.claims[i]; c.store == id { // those who probe it find the new runs
			t.db.claims.remove(id, c.claim)
			c.claim = &bulkClaim{owner: t.owner, runs: runs, tag: c.claim.tag}
			t.db.claims.add(id, c.claim)
		}
	}
	t.db.letGo(old)
	if t.bulk == nil {
		t.bulk = make(map[StoreID][]*bulkLink)
	}
	if delete(t.bulk, id); len(runs) > 0 {
		t.bulk[id] = []*bulkLink{{seq: t.seq, runs: runs}}
	}
	if m != nil {
		t.forgetTable(id, m)
	}
	return nil
}

// touchesRuns reports whether private writes lie among the keys of private runs.
func (t *Txn) touchesRuns(id StoreID, m *memtable.Table) bool {
	for _, link := range t.bulk[id] {
		for _, r := range link.runs {
			if m.EstimateRange(r.info.MinKey, append(bytes.Clone(r.info.MaxKey), 0)) > 0 {
				return true
			}
		}
	}
	return false
}
