package memtable

import "math"

// Cursor walks the keys of a range in order. It sees every key that was put
// before Init; of later ones it may see some. It is not safe for concurrent use.
type Cursor struct {
	t       *Table
	reverse bool
	at, end int // append lane: next slot, and where to stop

	fresh  []slot     // random lane: what is left of the inbox
	dir    *directory // nil when the leaves are done
	page   *page      // the page that buf came from
	pageAt int        // its place, and that of the leaf in it
	leafAt int
	lo, hi int // the pages that the range touches
	bounds bounds
	buf    []slot // rest of the current leaf
	mem    []slot

	record  uint64
	newer   uint64 // the record in the inbox of the same key, if it has two; or 0
	touched uint64 // keeps loads alive whose only purpose is the processor's cache
}

// Init places the cursor before the first key of [lower, upper), or behind the
// last one to walk backwards. A nil bound is open.
func (c *Cursor) Init(t *Table, lower, upper []byte, reverse bool) {
	*c = Cursor{t: t, reverse: reverse, mem: c.mem}
	n := t.lane.length()
	if n == 0 {
		return
	}
	c.bounds.set(t, lower, upper)
	lo, hi := uint32(0), n
	if lower != nil {
		lo = t.lane.search(t, n, c.bounds.lowerPrefix, lower)
	}
	if upper != nil {
		hi = max(t.lane.search(t, n, c.bounds.upperPrefix, upper), lo)
	}
	c.at, c.end = int(lo), int(hi)
	if reverse {
		c.at, c.end = int(hi)-1, int(lo)-1
	}
	if in := t.random.inbox.Load(); in != nil {
		c.fresh = in.within(t, &c.bounds)
	}
	c.openDirectory()
}

// openDirectory places the cursor before the first leaf of the range.
func (c *Cursor) openDirectory() {
	if c.dir = c.t.random.dir.Load(); c.dir == nil {
		return
	}
	c.lo, c.hi = c.children(&c.dir.fences)
	c.pageAt = c.lo
	if c.reverse {
		c.pageAt = c.hi
	}
	c.openPage()
}

// openPage places the cursor before the first leaf of a page, or ends the lane.
func (c *Cursor) openPage() {
	if c.pageAt < c.lo || c.pageAt > c.hi {
		c.dir, c.page = nil, nil
		return
	}
	c.page = c.dir.pages[c.pageAt].Load()
	lo, hi := c.leaves()
	c.leafAt = lo - 1
	if c.reverse {
		c.leafAt = hi + 1
	}
}

// children returns the first and the last child that the range touches.
func (c *Cursor) children(f *fences) (lo, hi int) {
	lo, hi = 0, len(f.refs)
	if b := &c.bounds; b.lower != nil {
		lo = f.searchKey(c.t, b.lowerPrefix, b.lower)
	}
	if b := &c.bounds; b.upper != nil {
		hi = f.searchKey(c.t, b.upperPrefix, b.upper)
	}
	return lo, hi
}

// leaves returns the leaves of the page that the range touches.
func (c *Cursor) leaves() (lo, hi int) {
	if c.pageAt == c.lo || c.pageAt == c.hi {
		return c.children(&c.page.fences)
	}
	return 0, len(c.page.leaves) - 1
}

// fill loads the next leaf with keys in the range.
func (c *Cursor) fill() {
	for len(c.buf) == 0 && c.dir != nil {
		c.fillOne()
	}
}

// fillOne loads the part of the next leaf that lies in the range.
func (c *Cursor) fillOne() {
	step := 1
	if c.reverse {
		step = -1
	}
	c.leafAt += step
	lo, hi := 0, len(c.page.leaves)-1
	atEdge := c.pageAt == c.lo || c.pageAt == c.hi
	if atEdge {
		lo, hi = c.leaves()
	}
	if c.leafAt < lo || c.leafAt > hi {
		c.pageAt += step
		c.openPage()
		return
	}
	var b *bounds
	if atEdge && (c.leafAt == lo || c.leafAt == hi) && (c.bounds.lower != nil || c.bounds.upper != nil) {
		b = &c.bounds
	}
	mem := c.page.leaves[c.leafAt].within(c.t, c.page.count(c.leafAt), b, c.mem)
	if c.mem = mem; c.page.isOutdated() {
		c.reopen()
		return
	}
	c.buf = mem
}

// reopen places the cursor before the leaf that has taken the place of the
// current one: its fence on the side from which the cursor came is still there.
func (c *Cursor) reopen() {
	ref := c.fence()
	c.openDirectory()
	if ref == 0 { // it was the first one
		return
	}
	key := c.t.key(ref)
	prefix := c.t.prefix(key)
	at := c.dir.searchKey(c.t, prefix, key)
	if at < c.lo || at > c.hi {
		return
	}
	if at != c.pageAt {
		c.pageAt = at
		c.openPage()
	}
	if c.reverse {
		c.leafAt = min(c.leafAt, c.page.searchKey(c.t, prefix, key))
	} else {
		c.leafAt = max(c.leafAt, c.page.searchKey(c.t, prefix, key)-1)
	}
}

// fence returns the key between the current leaf and the one before it, in the
// direction of the cursor; 0 if there is none.
func (c *Cursor) fence() (ref uint64) {
	d, p := c.pageAt, c.leafAt
	if !c.reverse {
		d, p = d-1, p-1
	}
	switch {
	case p >= 0 && p < len(c.page.refs):
		return c.page.refs[p]
	case d >= 0 && d < len(c.dir.refs):
		return c.dir.refs[d]
	}
	return 0
}

// Next moves to the next key and reports whether there is one.
func (c *Cursor) Next() bool {
	if len(c.buf) == 0 && c.dir != nil {
		c.fill()
	}
	if len(c.buf) == 0 && len(c.fresh) == 0 {
		return c.nextInLane()
	}
	return c.nextOfAll()
}

// nextInLane is Next when nothing is left of the random lane.
func (c *Cursor) nextInLane() bool {
	if c.at == c.end {
		c.record = 0
		return false
	}
	c.record, c.newer = c.t.lane.at(uint32(c.at)), 0
	if c.reverse {
		c.at--
		return true
	}
	if c.at%touchAhead == 0 && c.end-c.at > touchAhead {
		c.touch()
	}
	c.at++
	return true
}

// touchAhead records are loaded at once by a walk in order: the processor waits
// for their cache misses side by side, and not for one after the other.
const (
	touchAhead = 16
	lineWords  = 8
)

// touch loads what the next records are read from: the head with the key, and the cells.
func (c *Cursor) touch() {
	for i := c.at; i < c.at+touchAhead; i++ {
		w := c.t.arena.at(c.t.lane.at(uint32(i)))
		last := uint64(2)
		if w[1]&wide == 0 {
			last = uint64(words(headBytes+4+int(uint16(w[2]))+int(uint16(w[2]>>16)))) - 1
		}
		c.touched += w[min(last, lineWords)] + w[min(last, 2*lineWords)]
	}
}

// nextOfAll takes the first of the three places that keys can come from.
func (c *Cursor) nextOfAll() bool {
	from, both := &c.buf, false
	if len(c.buf) == 0 {
		from = &c.fresh
	} else if len(c.fresh) > 0 {
		a, b := c.first(c.fresh), c.first(c.buf)
		if both = a.ref == b.ref || c.t.alike(a, b); !both && c.before(a, b) {
			from = &c.fresh
		}
	}
	s := c.first(*from)
	if c.at != c.end && c.before(c.t.lane.slot(c.t, uint32(c.at)), s) {
		return c.nextInLane()
	}
	c.drop(from)
	c.record, c.newer = s.ref, 0
	if both {
		if f := c.first(c.fresh); f.ref != s.ref { // else it was on its way to the leaves
			c.newer = f.ref
		}
		c.drop(&c.fresh)
	}
	return true
}

func (c *Cursor) before(a, b slot) bool { return c.t.less(a, b) != c.reverse }

func (c *Cursor) first(s []slot) slot {
	if c.reverse {
		return s[len(s)-1]
	}
	return s[0]
}

func (c *Cursor) drop(s *[]slot) {
	if c.reverse {
		*s = (*s)[:len(*s)-1]
	} else {
		*s = (*s)[1:]
	}
}

// Key returns the current key. Its bytes belong to the table.
func (c *Cursor) Key() []byte { return c.t.key(c.record) }

// Version returns the newest version of the current key at or below ts.
func (c *Cursor) Version(ts uint64) (Version, bool) {
	if c.newer != 0 {
		v, ok := c.t.visible(c.record, ts)
		if n, seen := c.t.visible(c.newer, ts); seen && (!ok || n.TS >= v.TS) {
			return n, true
		}
		return v, ok
	}
	return c.t.visible(c.record, ts)
}

// Versions calls fn for the versions of the current key, newest first.
func (c *Cursor) Versions(fn func(Version) error) error {
	below := uint64(math.MaxUint64)
	if c.newer != 0 {
		err := c.t.versions(c.newer, below, func(v Version) error {
			below = v.TS
			return fn(v)
		})
		if err != nil {
			return err
		}
	}
	return c.t.versions(c.record, below, fn) // some may have joined it since
}

// versions calls fn for the versions of a record older than below, newest first.
func (t *Table) versions(record, below uint64, fn func(Version) error) error {
	for ref := t.newest(record); ref != noVersion; {
		w := t.arena.at(ref)
		if v := decode(w); v.TS < below {
			if err := fn(v); err != nil {
				return err
			}
		}
		ref = older(record, ref, w)
	}
	return nil
}

// Sample calls fn for about every step-th key in [lower, upper), in order. Where
// keys came in order it does not look at the others.
func (t *Table) Sample(lower, upper []byte, step int, fn func(key []byte)) {
	var c Cursor
	c.Init(t, lower, upper, false)
	if c.dir == nil && len(c.fresh) == 0 {
		for at := c.at; at < c.end; at += step {
			fn(t.key(t.lane.at(uint32(at))))
		}
		return
	}
	for i := 0; c.Next(); i++ {
		if i%step == 0 {
			fn(c.Key())
		}
	}
}

// EstimateRange returns how many keys lie in [lower, upper), deleted ones included.
func (t *Table) EstimateRange(lower, upper []byte) int64 {
	for {
		if n, ok := t.estimate(lower, upper); ok {
			return n
		}
	}
}

// estimate is EstimateRange, unless a page was outdated when it was read.
func (t *Table) estimate(lower, upper []byte) (n int64, ok bool) {
	var c Cursor
	c.Init(t, lower, upper, false)
	n = int64(c.end-c.at) + int64(len(c.fresh))
	for c.dir != nil {
		lo, hi := c.leaves()
		for i := lo; i <= hi; i++ {
			count := c.page.count(i)
			if i == lo && c.pageAt == c.lo && lower != nil || i == hi && c.pageAt == c.hi && upper != nil {
				if count = c.page.leaves[i].count(t, count, &c.bounds); c.page.isOutdated() {
					return 0, false
				}
			}
			n += int64(count)
		}
		c.pageAt++
		c.openPage()
	}
	return n, true
}
