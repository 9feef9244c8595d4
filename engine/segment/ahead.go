package segment

import "github.com/omendb/omendb/engine/column"

// A long scan pins the block that comes next before it decodes the one in hand,
// if the cache has it, and asks for what its columns will be decoded from, so that the
// processor fetches that meanwhile.

// lookAhead pins the next block, unless the scan may end before it or it may
// not be wanted.
func (it *Iterator) lookAhead() {
	k := it.next
	if it.aheadOf >= 0 || it.target < column.BatchSize || k > it.last || it.opts.Reverse || it.opts.Plain ||
		it.opts.Prune != nil && (k/extentBlocks != it.extent || it.pruned) || !it.r.cache.Holds(&it.r.slots[k]) {
		return
	}
	if it.r.pinBlock(&it.ahead, k, it.opts.Stats) != nil {
		return // who comes to it meets the error again
	}
	it.aheadOf = k
	for _, c := range it.opts.Cols {
		if c < headColumns && c < len(it.r.info.Schema.Columns) {
			it.ahead.head.cols[c].Prefetch(it.ahead.data, it.ahead.rows)
		}
	}
}

// pin is pinBlock for a scan.
func (it *Iterator) pin(b *pinned, k int) error {
	if k == it.aheadOf {
		*b, it.aheadOf = it.ahead, -1
		return nil
	}
	it.dropAhead()
	return it.r.pinBlock(b, k, it.opts.Stats)
}

func (it *Iterator) dropAhead() {
	if it.aheadOf >= 0 {
		it.ahead.pin.Release()
		it.aheadOf = -1
	}
}
