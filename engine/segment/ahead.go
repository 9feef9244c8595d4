package segment

import "github.com/omendb/omendb/engine/column"

// A long scan pins the blocks of the batch that comes next before it decodes
// the one in hand, as far as the cache has them. It asks for what their columns
// will be decoded from, and for the frames of the blocks behind them, so that
// the processor fetches all that meanwhile.

// aheadBlocks is how many blocks are pinned ahead at most. Of long rows many
// blocks make a batch, and each takes longer to decode than to fetch.
const aheadBlocks = 8

// ahead are the blocks that are pinned before their turn, block k of them as
// blocks[k%aheadBlocks].
type ahead struct {
	blocks   []pinned
	from, to int // half-open
	asked    int // the frames of blocks before it were asked for
}

// lookAhead pins the blocks of the next batch, unless the scan may end before
// them or they may not be wanted.
func (it *Iterator) lookAhead() {
	if it.target < column.BatchSize || it.next > it.last || it.opts.Reverse || it.opts.Plain {
		return
	}
	a := &it.ahead
	if a.from != it.next {
		it.dropAhead()
		a.from, a.to = it.next, it.next
	}
	if a.blocks == nil {
		a.blocks = make([]pinned, aheadBlocks)
	}
	for it.wantsAhead(a.to) && it.r.pinBlock(&a.blocks[a.to%aheadBlocks], a.to, it.opts.Stats) == nil { // who comes to it meets the error again
		b := &a.blocks[a.to%aheadBlocks]
		for _, c := range it.opts.Cols {
			if c < headColumns && c < len(it.r.info.Schema.Columns) {
				b.head.cols[c].Prefetch(b.data, b.rows)
			}
		}
		a.to++
	}
	end := min(2*a.to-a.from, it.last+1)
	for a.asked = max(a.asked, a.to); a.asked < end; a.asked++ {
		column.Prefetch(it.r.cache.Frame(&it.r.slots[a.asked]))
	}
}

// wantsAhead reports whether block k is of the next batch, wanted and in the cache.
func (it *Iterator) wantsAhead(k int) bool {
	a, rows := &it.ahead, it.r.fences.rows
	switch {
	case k > it.last || k-a.from >= aheadBlocks || k > a.from && rows[k+1]-rows[a.from] > column.BatchSize:
		return false
	case it.opts.Prune != nil && (k/extentBlocks != it.extent || it.pruned):
		return false
	}
	return it.r.cache.Holds(&it.r.slots[k])
}

// pin is pinBlock for a scan.
func (it *Iterator) pin(s *span, k int) error {
	a := &it.ahead
	if s.asked = k == a.from && k < a.to; s.asked {
		s.pinned = a.blocks[k%aheadBlocks]
		a.from++
		return nil
	}
	it.dropAhead()
	return it.r.pinBlock(&s.pinned, k, it.opts.Stats)
}

func (it *Iterator) dropAhead() {
	a := &it.ahead
	for ; a.from < a.to; a.from++ {
		a.blocks[a.from%aheadBlocks].pin.Release()
	}
}
