package memtable

// Cursor walks the keys of a range in order. It sees every key that was put
// before Init; of later ones it may see some. It is not safe for concurrent use.
type Cursor struct {
	t       *Table
	reverse bool

	at, end int // append lane: next slot, and where to stop
	dir     *directory
	leaf    int   // random lane: the leaf that buf came from
	lo, hi  int   // the leaves that the range touches
	buf     slots // rest of the current leaf
	mem     slots

	lower, upper []byte
	node         *node
}

// Init places the cursor before the first key of [lower, upper), or behind the
// last one to walk backwards. A nil bound is open.
func (c *Cursor) Init(t *Table, lower, upper []byte, reverse bool) {
	*c = Cursor{t: t, reverse: reverse, lower: lower, upper: upper, mem: c.mem}
	n := t.lane.len.Load()
	if n == 0 {
		return
	}
	lo, hi := uint32(0), n
	if lower != nil {
		lo = t.lane.search(t, n, t.prefix(lower), lower)
	}
	if upper != nil {
		hi = t.lane.search(t, n, t.prefix(upper), upper)
	}
	c.at, c.end = int(lo), int(hi)
	if reverse {
		c.at, c.end = int(hi)-1, int(lo)-1
	}
	if c.at > c.end && !reverse || c.at < c.end && reverse {
		c.at = c.end
	}
	if c.dir = t.random.dir.Load(); c.dir == nil {
		return
	}
	c.lo, c.hi = 0, len(c.dir.leaves)-1
	if lower != nil {
		c.lo = c.dir.search(t, t.prefix(lower), lower)
	}
	if upper != nil {
		c.hi = c.dir.search(t, t.prefix(upper), upper)
	}
	c.leaf = c.lo - 1
	if reverse {
		c.leaf = c.hi + 1
	}
}

// fill loads the next leaf with keys in the range.
func (c *Cursor) fill() {
	for c.buf.len() == 0 && c.dir != nil {
		c.fillOne()
	}
}

// fillOne loads the part of the next leaf that lies in the range.
func (c *Cursor) fillOne() {
	if c.reverse {
		c.leaf--
	} else {
		c.leaf++
	}
	if c.leaf < c.lo || c.leaf > c.hi {
		c.dir = nil
		return
	}
	c.mem = c.dir.leaves[c.leaf].Load().merged(c.t, slots{c.mem.prefixes[:0], c.mem.ids[:0]})
	from, to := 0, c.mem.len()
	if c.leaf == c.hi && c.upper != nil {
		to = c.mem.search(c.t, c.t.prefix(c.upper), c.upper)
	}
	if c.leaf == c.lo && c.lower != nil {
		from = min(c.mem.search(c.t, c.t.prefix(c.lower), c.lower), to)
	}
	c.buf = c.mem.cut(from, to)
}

// Next moves to the next key and reports whether there is one.
func (c *Cursor) Next() bool {
	if c.buf.len() == 0 {
		c.fill()
	}
	left := c.buf.len()
	inLane, inRandom := c.at != c.end, left > 0
	if inLane && inRandom {
		s := c.buf.at(0)
		if c.reverse {
			s = c.buf.at(left - 1)
		}
		inLane = c.t.less(c.t.lane.at(uint32(c.at)), s) != c.reverse
		inRandom = !inLane
	}
	switch {
	case inLane:
		c.node = c.t.node(c.t.lane.at(uint32(c.at)).id)
		if c.reverse {
			c.at--
		} else {
			c.at++
		}
	case inRandom && c.reverse:
		c.node = c.t.node(c.buf.ids[left-1])
		c.buf = c.buf.cut(0, left-1)
	case inRandom:
		c.node = c.t.node(c.buf.ids[0])
		c.buf = c.buf.cut(1, left)
	default:
		c.node = nil
		return false
	}
	return true
}

// Key returns the current key. Its bytes belong to the table.
func (c *Cursor) Key() []byte { return c.t.nodeKey(c.node) }

// Version returns the newest version of the current key at or below ts.
func (c *Cursor) Version(ts uint64) (Version, bool) { return c.t.visible(c.node, ts) }

// Versions calls fn for the versions of the current key, newest first.
func (c *Cursor) Versions(fn func(Version) error) error {
	for link := c.node.head.Load(); link != 0; {
		var v Version
		v, link = c.t.version(link)
		if err := fn(v); err != nil {
			return err
		}
	}
	return nil
}

// EstimateRange returns how many keys lie in [lower, upper), deleted ones included.
func (t *Table) EstimateRange(lower, upper []byte) int64 {
	var c Cursor
	c.Init(t, lower, upper, false)
	n := int64(c.end - c.at)
	if c.dir == nil {
		return n
	}
	for i := c.lo; i <= c.hi; i++ {
		if i != c.lo && i != c.hi {
			lf := c.dir.leaves[i].Load()
			n += int64(lf.sorted.len()) + int64(lf.tails.Load())
			continue
		}
		c.leaf, c.buf = i-1, slots{}
		c.fillOne()
		n += int64(c.buf.len())
	}
	return n
}
