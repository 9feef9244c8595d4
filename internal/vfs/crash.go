package vfs

import (
	"math/rand/v2"
	"slices"
	"sort"
)

// sectorBytes is what a disk writes atomically: the tearing unit of a crash.
const sectorBytes = 512

// fate is how a crash treats what was not synced. Pure outcomes are drawn as
// often as mixed ones, because they are what real machines show most.
type fate int

const (
	loseAll  fate = iota
	keepAll       // the process died, the machine did not
	prefix        // written back in order, the last piece torn
	anything      // every sector, or name, decides for itself
	fates
)

// CrashClone returns the file system as it may be after a power failure now.
// Synced bytes and names are there. Every 512-byte sector of a file holds its
// synced content or that after any one of the writes since; a size or a name
// changed since the last sync may be old or new. Open files and locks are
// gone. The original goes on unchanged. A nil rng means one from the seed of
// NewMem.
func (m *Mem) CrashClone(rng *rand.Rand) *Mem {
	m.mu.Lock()
	defer m.mu.Unlock()
	if rng == nil {
		rng = rand.New(rand.NewPCG(m.seed, 0x6372617368))
	}
	out := NewMem(m.seed + 1)
	out.track, out.limit = m.track, m.limit
	for dir := range m.dirs {
		out.dirs[dir] = true
	}
	names := m.crashNames(rng)
	clones := map[*inode]*inode{}
	for _, name := range sortedNames(names) {
		n := names[name]
		c := clones[n]
		if c == nil {
			data := n.crash(rng)
			c = &inode{now: data, synced: data.clone()}
			clones[n] = c
			out.used += data.size
		}
		c.links++
		out.entries[name], out.durable[name] = c, c
	}
	return out
}

// Clone returns an exact copy, including what is not durable yet: what a
// killed process leaves behind on a machine that lives on. Open files and locks
// are gone.
func (m *Mem) Clone() *Mem {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := NewMem(m.seed + 1)
	out.track, out.limit, out.used = m.track, m.limit, m.used
	for dir := range m.dirs {
		out.dirs[dir] = true
	}
	clones := map[*inode]*inode{}
	clone := func(n *inode) *inode {
		if c := clones[n]; c != nil || n == nil {
			return c
		}
		c := &inode{now: n.now.clone(), synced: n.synced.clone(), writes: slices.Clone(n.writes), links: n.links}
		clones[n] = c
		return c
	}
	for name, n := range m.entries {
		out.entries[name] = clone(n)
	}
	for name, n := range m.durable {
		out.durable[name] = clone(n)
	}
	for _, op := range m.pending {
		out.pending = append(out.pending, dirOp{set: op.set, inode: clone(op.inode), del: op.del})
	}
	return out
}

func (m *Mem) crashNames(rng *rand.Rand) map[string]*inode {
	names := make(map[string]*inode, len(m.durable))
	for name, n := range m.durable {
		names[name] = n
	}
	how := fate(rng.IntN(int(fates)))
	upTo := rng.IntN(len(m.pending) + 1)
	for i, op := range m.pending {
		keep := how == keepAll || how == prefix && i < upTo || how == anything && rng.IntN(2) == 0
		if keep {
			op.apply(names)
		}
	}
	return names
}

func (n *inode) crash(rng *rand.Rand) *content {
	how := fate(rng.IntN(int(fates)))
	if len(n.writes) == 0 || how == loseAll {
		return n.synced.clone()
	}
	if how == keepAll {
		return n.now.clone()
	}
	out := n.synced.clone()
	upTo := rng.IntN(len(n.writes) + 1)
	// versions remembers for a sector after which write it reached the disk.
	versions := map[int64]int{}
	for i, w := range n.writes {
		if w.data == nil {
			if how == prefix && i < upTo || how == anything && rng.IntN(2) == 0 {
				out.resize(w.size)
			}
			continue
		}
		for at := int64(0); at < int64(len(w.data)); {
			sector := (w.off + at) / sectorBytes
			next := min(int64(len(w.data)), (sector+1)*sectorBytes-w.off)
			if n.keeps(rng, how, versions, sector, i, upTo) {
				out.writeAt(w.data[at:next], w.off+at)
			}
			at = next
		}
	}
	return out
}

// keeps decides whether write i of a sector is part of what the disk holds.
func (n *inode) keeps(rng *rand.Rand, how fate, versions map[int64]int, sector int64, i, upTo int) bool {
	if how == prefix {
		return i < upTo || i == upTo && rng.IntN(2) == 0
	}
	v, ok := versions[sector]
	if !ok {
		v = rng.IntN(len(n.writes)+1) + i // written back once, after write v-1
		if rng.IntN(3) == 0 {
			v = i // or never
		}
		versions[sector] = v
	}
	return i < v
}

// sortedNames puts a map's names in an order that does not change from run to
// run, so that one seed gives one outcome.
func sortedNames(m map[string]*inode) []string {
	out := make([]string, 0, len(m))
	for name := range m {
		out = append(out, name)
	}
	sort.Strings(out)
	return out
}
