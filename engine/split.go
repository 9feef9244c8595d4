package engine

import (
	"bytes"
	"slices"

	"github.com/omendb/omendb/engine/memtable"
	"github.com/omendb/omendb/engine/segment"
)

// Fork returns a snapshot that sees the same and may be used by another
// goroutine while nobody writes in the transaction. It must be closed before
// the one that it comes from, and reads of a serializable transaction must not
// go through it (see Split).
func (s *Snapshot) Fork() *Snapshot {
	if s.txn != nil { // none of the forks may do it
		for i := len(s.txn.lists) - 1; i >= 0; i-- {
			s.own(s.txn.lists[i].store)
		}
	}
	return &Snapshot{db: s.db, txn: s.txn, view: s.view, ts: s.ts, ownSeq: s.ownSeq, command: s.command, noModel: s.noModel, quiet: true, forked: true}
}

// splitPieces is how many pieces each run is looked at in: ranges are about
// this share of a run too large or small.
const splitPieces = 64

// Split returns up to n-1 keys, ascending, that part the rows from lower to
// upper into ranges of about equal size, for readers of forked snapshots. It
// returns none where there are fewer than least rows, and in a serializable
// transaction, whose reads are noted one after the other.
func (s *Snapshot) Split(id StoreID, lower, upper []byte, n int, least int64) ([][]byte, error) {
	st, def, err := s.resolve(id)
	if err != nil || s.noting(def) || n < 2 {
		return nil, err
	}
	var points []splitPoint
	if st != nil {
		st.runs(func(r *run) {
			if r.overlaps(lower, upper) {
				points = appendRunPoints(points, r, lower, upper)
			}
		})
		st.tables(func(t *memtable.Table) bool {
			points = appendTablePoints(points, t, lower, upper, least)
			return true
		})
	}
	if own := s.own(id); own != nil {
		points = appendTablePoints(points, own, lower, upper, least)
	}
	slices.SortFunc(points, func(a, b splitPoint) int { return bytes.Compare(a.key, b.key) })
	total := 0.0
	for _, p := range points {
		total += p.rows
	}
	if total < float64(least) {
		return nil, nil
	}
	return choosePoints(points, total, n), nil
}

// splitPoint is a key and about how many rows stand between it and the next key of its run.
type splitPoint struct {
	key  []byte
	rows float64
}

func choosePoints(points []splitPoint, total float64, n int) (out [][]byte) {
	before := 0.0
	for _, p := range points {
		if len(p.key) > 0 && len(out) < n-1 && before >= total*float64(len(out)+1)/float64(n) && (len(out) == 0 || !bytes.Equal(out[len(out)-1], p.key)) {
			out = append(out, p.key)
		}
		before += p.rows
	}
	return out
}

func appendRunPoints(points []splitPoint, r *run, lower, upper []byte) []splitPoint {
	keys := append([]segment.SplitKey{{Key: r.info.MinKey}}, r.reader.SplitKeys(splitPieces-1)...)
	for i, k := range keys {
		end := r.info.Rows
		if i+1 < len(keys) {
			end = keys[i+1].Rows
			if lower != nil && bytes.Compare(keys[i+1].Key, lower) <= 0 {
				continue
			}
		}
		if upper != nil && bytes.Compare(k.Key, upper) >= 0 {
			break
		}
		points = append(points, splitPoint{within(k.Key, lower), float64(end - k.Rows)})
	}
	return points
}

// within returns nil, which is no place to split, for a key at or before lower.
func within(key, lower []byte) []byte {
	if lower != nil && bytes.Compare(key, lower) <= 0 {
		return nil
	}
	return key
}

// tableSteps is how many keys of a memtable stand between two that are looked at.
const tableSteps = 256

// appendTablePoints samples a memtable that is large enough to matter.
func appendTablePoints(points []splitPoint, t *memtable.Table, lower, upper []byte, least int64) []splitPoint {
	if t.Keys() < least/4 || t.Empty() {
		return points
	}
	step := 1
	if least >= tableSteps {
		step = tableSteps
	}
	t.Sample(lower, upper, step, func(key []byte) {
		points = append(points, splitPoint{within(bytes.Clone(key), lower), float64(step)})
	})
	return points
}
