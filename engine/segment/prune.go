package segment

import "bytes"

// Extents are left out of a scan by their zone maps, where these say that no
// row is wanted and nobody needs to know the keys.

// prunes reports whether an extent is skipped. One that shares a key with a
// neighbour is not: the newest version of the key may be in it.
func (it *Iterator) prunes(extent int) (bool, error) {
	if extent == it.extent {
		return it.pruned, nil
	}
	it.extent, it.pruned = extent, false
	if !it.r.separate(extent) {
		return false, nil
	}
	var err error
	if it.zones, err = it.r.zones(extent, it.zones, it.opts.Stats); err != nil {
		return false, err
	}
	if it.pruned = it.opts.Prune(it.zones); it.pruned && it.opts.Needed != nil {
		it.pruned = !it.needed(extent)
	}
	if it.pruned && it.opts.Stats != nil {
		it.opts.Stats.ExtentsPruned++
	}
	return it.pruned, nil
}

// separate reports whether an extent has zone maps and all versions of its keys.
func (r *Reader) separate(extent int) bool {
	f := r.fences
	return len(r.info.Schema.Columns) > 0 && !f.continued.Get(extent*extentBlocks) && !f.continued.Get((extent+1)*extentBlocks)
}

// needed asks whether an extent is needed, by its keys as far as they are
// within the bounds of the scan.
func (it *Iterator) needed(extent int) bool {
	f, lo, hi := it.r.fences, it.fence[0][:0], it.fence[1][:0]
	if lo = f.appendFence(lo, extent*extentBlocks); it.opts.Lower != nil && bytes.Compare(lo, it.opts.Lower) < 0 {
		lo = append(lo[:0], it.opts.Lower...)
	}
	if next := (extent + 1) * extentBlocks; next < f.count() {
		hi = f.appendFence(hi, next)
	} else {
		hi = append(append(hi, it.r.info.MaxKey...), 0)
	}
	if it.opts.Upper != nil && bytes.Compare(hi, it.opts.Upper) > 0 {
		hi = append(hi[:0], it.opts.Upper...)
	}
	it.fence = [2][]byte{lo, hi}
	return it.opts.Needed(lo, hi)
}

// appendFence appends fence i, or something that is less than it and greater
// than the last key before block i.
func (f *fences) appendFence(dst []byte, i int) []byte {
	dst = append(dst, f.prefix.Bytes()...)
	if f.ends != nil {
		return append(dst, f.tail(i)...)
	}
	for c := f.chunks[i]; c != 0; c <<= 8 {
		dst = append(dst, byte(c>>56))
	}
	return dst
}

// Wanted reports whether an extent in which keys of [lower, upper) may lie
// has rows that are wanted, as far as prune can tell by its zones. A budget of
// extents is asked, over all calls; beyond it, and where zones cannot be read,
// the answer is true, with which nothing is left out.
func (r *Reader) Wanted(lower, upper []byte, prune func([]Zone) bool, budget *int) bool {
	if r.damage != nil || len(r.info.Schema.Columns) == 0 {
		return true
	}
	if r.info.Rows == 0 || bytes.Compare(lower, r.info.MaxKey) > 0 || bytes.Compare(upper, r.info.MinKey) <= 0 {
		return false
	}
	var w window
	r.fences.predict(&w, lower, false, nil)
	from := r.fences.firstBlock(&w, nil) / extentBlocks
	r.fences.predict(&w, upper, false, nil)
	to := r.fences.firstBlock(&w, nil) / extentBlocks
	var zones []Zone
	for extent := from; extent <= to; extent++ {
		if *budget--; *budget < 0 || !r.separate(extent) {
			return true
		}
		var err error
		if zones, err = r.zones(extent, zones, nil); err != nil || !prune(zones) {
			return true
		}
	}
	return false
}
