package segment

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"github.com/omendb/omendb/engine/column"
)

// Verify reads every byte of the segment and returns a *CorruptionError for
// the first damage it finds. progress, if not nil, is told how many bytes of
// how many were read.
func (r *Reader) Verify(ctx context.Context, progress func(done, total int64)) error {
	if err := r.verifyRows(ctx, progress); err != nil {
		return err
	}
	for extent := range (r.fences.count() + extentBlocks - 1) / extentBlocks {
		if len(r.index) == 0 {
			break
		}
		if err := r.verifyIndex(extent); err != nil {
			return err
		}
	}
	return r.verifyHash(ctx, progress)
}

// verifyRows reads all rows and compares them with fences and counts.
func (r *Reader) verifyRows(ctx context.Context, progress func(done, total int64)) error {
	it := r.Versions(nil, nil)
	var last []byte
	var lastTS, rows, keys, tombstones uint64
	again := newRecount(&r.info)
	for it.Next() {
		block := it.next - 1
		if it.row == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			if progress != nil {
				progress(r.fences.offset(block), 2*r.info.Size)
			}
			if !r.fenceAgrees(block, last, it.key) {
				return r.corrupt(r.fences.offset(block), "a fence disagrees with its block")
			}
		}
		c := bytes.Compare(last, it.key)
		if rows > 0 && (c > 0 || c == 0 && r.ts == 0 && it.Version() >= lastTS) {
			return r.corrupt(r.fences.offset(block), "rows out of order")
		}
		if rows == 0 || c != 0 {
			keys++
		}
		if it.Deleted() {
			tombstones++
		}
		row, err := it.Row()
		if err != nil {
			return err
		}
		again.add(row)
		rows++
		last, lastTS = append(last[:0], it.key...), it.Version()
	}
	if it.Err() != nil {
		return it.Err()
	}
	if rows != r.info.Rows || keys != r.info.Keys || tombstones != r.info.Tombstones || !bytes.Equal(last, r.info.MaxKey) {
		return r.corrupt(int64(r.end), "the footer's counts disagree with the rows")
	}
	if !again.agrees() {
		return r.corrupt(int64(r.end), "the most common values disagree with the rows")
	}
	return nil
}

// recount counts the values that the footer lists as the most common ones.
type recount struct {
	info   *Info
	places []map[uint64]int // by column: place in the list by hash of the value
	rows   [][]uint64       // by column and place
}

func newRecount(info *Info) *recount {
	n := &recount{info: info, places: make([]map[uint64]int, len(info.Columns)), rows: make([][]uint64, len(info.Columns))}
	for c, k := range info.Schema.Columns {
		values := info.Columns[c].Frequent.Values
		n.rows[c] = make([]uint64, len(values))
		if len(values) > 0 {
			n.places[c] = make(map[uint64]int, len(values))
		}
		for i, v := range values {
			n.places[c][hashOf(k, v.Value)] = i
		}
	}
	return n
}

func (n *recount) add(row []column.Datum) {
	for c, places := range n.places {
		if places == nil || row[c].Null {
			continue
		}
		k := n.info.Schema.Columns[c]
		if i, ok := places[hashOf(k, row[c])]; ok && sameValue(k, row[c], n.info.Columns[c].Frequent.Values[i].Value) {
			n.rows[c][i]++
		}
	}
}

// agrees reports whether every listed value is in as many rows as the footer says.
func (n *recount) agrees() bool {
	for c := range n.rows {
		st := &n.info.Columns[c]
		for i, rows := range n.rows[c] {
			if least, most := st.Frequent.Bounds(i, st.Zone.Rows-st.Zone.Nulls); rows < least || rows > most {
				return false
			}
		}
	}
	return true
}

// fenceAgrees reports whether the fence of a block lies between the last key
// before it and its first key.
func (r *Reader) fenceAgrees(i int, last, first []byte) bool {
	f := r.fences
	var w window
	f.predict(&w, first, true, nil)
	if w.side != 0 || f.compare(i, w.rest, w.chunk) > 0 || f.continued.Get(i) != (i > 0 && bytes.Equal(last, first)) {
		return false
	}
	if i == 0 || f.continued.Get(i) {
		return true
	}
	f.predict(&w, last, true, nil)
	return w.side < 0 || w.side == 0 && f.compare(i, w.rest, w.chunk) > 0
}

// verifyIndex compares the row count of an extent's zone map with the fences.
func (r *Reader) verifyIndex(extent int) error {
	zones, err := r.zones(extent, nil, nil)
	if err != nil {
		return err
	}
	first, end := extent*extentBlocks, min((extent+1)*extentBlocks, r.fences.count())
	for _, z := range zones {
		if z.Rows != uint64(r.fences.rows[end]-r.fences.rows[first]) || z.Nulls > z.Rows {
			return r.corrupt(int64(r.index[extent/extentsPerIndex].offset), "a zone map disagrees with its rows")
		}
	}
	return nil
}

// verifyHash compares the file's content with its name.
func (r *Reader) verifyHash(ctx context.Context, progress func(done, total int64)) error {
	h := sha256.New()
	buf := make([]byte, min(readAheadBytes, r.info.Size))
	for at := int64(0); at < r.info.Size; {
		if err := ctx.Err(); err != nil {
			return err
		}
		b := buf[:min(int64(len(buf)), r.info.Size-at)]
		if err := r.readAt(b, at); err != nil {
			return err
		}
		h.Write(b)
		at += int64(len(b))
		if progress != nil {
			progress(r.info.Size+at, 2*r.info.Size)
		}
	}
	if hex.EncodeToString(h.Sum(nil)[:nameBytes])+Suffix != r.info.Name {
		return r.corrupt(0, "the content is not that of the file's name")
	}
	return nil
}

// IsCorruption reports whether err is damage found in a segment.
func IsCorruption(err error) bool {
	var c *CorruptionError
	return errors.As(err, &c)
}
