package txn

import "bytes"

// intervals is a set of key ranges with holders, made for two questions: who
// holds a range that overlaps this one, and who holds exactly this one. It is a
// treap ordered by the lower bound, in which every node knows the greatest
// upper bound below it.
type intervals struct {
	root *interval
	turn uint64 // source of priorities: the same calls make the same tree
}

// interval is a half-open range of keys, held by at least one transaction.
type interval struct {
	lower, upper []byte // a nil upper is open; an empty lower is
	point        bool   // only the key lower
	holders      []*Serializable

	priority    uint64
	most        []byte // greatest upper bound of the subtree, nil: open
	left, right *interval
}

// pointBounds returns the bounds of a range that holds one key.
func pointBounds(key []byte) (lower, upper []byte) {
	b := append(make([]byte, 0, len(key)+1), key...)
	b = append(b, 0)
	return b[:len(key):len(key)], b
}

// compareUpper orders upper bounds; nil is the greatest.
func compareUpper(a, b []byte) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return bytes.Compare(a, b)
}

func (n *interval) compare(lower, upper []byte) int {
	if c := bytes.Compare(lower, n.lower); c != 0 {
		return c
	}
	return compareUpper(upper, n.upper)
}

// find returns the node of exactly this range, nil if there is none.
func (s *intervals) find(lower, upper []byte) *interval {
	n := s.root
	for n != nil {
		switch c := n.compare(lower, upper); {
		case c == 0:
			return n
		case c < 0:
			n = n.left
		default:
			n = n.right
		}
	}
	return nil
}

// add returns the node of exactly this range, made if need be. It keeps the bytes.
func (s *intervals) add(lower, upper []byte, point bool) *interval {
	if n := s.find(lower, upper); n != nil {
		return n
	}
	s.turn++
	n := &interval{lower: lower, upper: upper, point: point, most: upper, priority: mix(s.turn)}
	s.root = s.root.insert(n)
	return n
}

// mix spreads consecutive numbers over all values (the finaliser of splitmix64).
func mix(z uint64) uint64 {
	z *= 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func (n *interval) insert(m *interval) *interval {
	if n == nil {
		return m
	}
	if m.priority > n.priority {
		m.left, m.right = n.split(m)
		m.update()
		return m
	}
	if n.compare(m.lower, m.upper) < 0 {
		n.left = n.left.insert(m)
	} else {
		n.right = n.right.insert(m)
	}
	n.update()
	return n
}

// split parts a subtree into what comes before and after a node.
func (n *interval) split(at *interval) (before, after *interval) {
	if n == nil {
		return nil, nil
	}
	if n.compare(at.lower, at.upper) < 0 {
		before, n.left = n.left.split(at)
		n.update()
		return before, n
	}
	n.right, after = n.right.split(at)
	n.update()
	return n, after
}

func (n *interval) update() {
	n.most = n.upper
	if n.left != nil && compareUpper(n.left.most, n.most) > 0 {
		n.most = n.left.most
	}
	if n.right != nil && compareUpper(n.right.most, n.most) > 0 {
		n.most = n.right.most
	}
}

// remove takes a node out.
func (s *intervals) remove(m *interval) { s.root = s.root.remove(m) }

func (n *interval) remove(m *interval) *interval {
	if n == m {
		return merge(n.left, n.right)
	}
	if n.compare(m.lower, m.upper) < 0 {
		n.left = n.left.remove(m)
	} else {
		n.right = n.right.remove(m)
	}
	n.update()
	return n
}

func merge(a, b *interval) *interval {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	case a.priority > b.priority:
		a.right = merge(a.right, b)
		a.update()
		return a
	}
	b.left = merge(a, b.left)
	b.update()
	return b
}

// overlapping calls fn for the nodes that share a key with [lower, upper),
// until fn returns an error. fn does not change the set.
func (s *intervals) overlapping(lower, upper []byte, fn func(*interval) error) error {
	return s.root.overlapping(lower, upper, fn)
}

func (n *interval) overlapping(lower, upper []byte, fn func(*interval) error) error {
	if n == nil || n.most != nil && bytes.Compare(n.most, lower) <= 0 {
		return nil
	}
	if err := n.left.overlapping(lower, upper, fn); err != nil {
		return err
	}
	if upper != nil && bytes.Compare(n.lower, upper) >= 0 {
		return nil
	}
	if n.upper == nil || bytes.Compare(n.upper, lower) > 0 {
		if err := fn(n); err != nil {
			return err
		}
	}
	return n.right.overlapping(lower, upper, fn)
}

func (n *interval) heldBy(x *Serializable) bool {
	for i := len(n.holders) - 1; i >= 0; i-- {
		if n.holders[i] == x {
			return true
		}
	}
	return false
}

// drop takes a holder away and reports whether none is left.
func (n *interval) drop(x *Serializable) bool {
	for i, h := range n.holders {
		if h == x {
			last := len(n.holders) - 1
			n.holders[i] = n.holders[last]
			n.holders[last] = nil
			n.holders = n.holders[:last]
			break
		}
	}
	return len(n.holders) == 0
}
