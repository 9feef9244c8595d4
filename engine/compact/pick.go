package compact

import "bytes"

// Segment is what picking needs to know of a segment.
type Segment struct {
	Bytes          int64
	MinKey, MaxKey []byte
	DeadShare      float64 // part of the versions that a rewrite would drop
	Expired        bool    // a rewrite would drop everything, which takes no reading
}

// The shape of a store: level 0 holds runs that overlap, newest first; the
// base holds disjoint segments in key order. A point read visits at most
// MaxLevel0 runs and one of the base.
//
// Runs that are small beside what they overlap in the base, as those of a large
// table in which a few rows change here and there, are merged with each
// other first and stay in level 0: else a handful of rows would have the whole
// table rewritten.
const (
	MaxLevel0   = 4        // this many runs in level 0 are merged
	level0Share = 8        // into the base, unless they have less than this part of what would be rewritten there
	level0Parts = 4        // and fill no more than so many base segments, because then they are read as one run
	TargetBytes = 64 << 20 // size of a base segment, if the options do not say another
	smallShare  = 4        // base segments below this part of it are merged with their neighbours,
	smallCount  = 8        // this many at a time, so that a row is rewritten log₈ times
	deadShare   = 0.25     // a base segment of which a rewrite drops more is rewritten
)

// Plan names the segments to merge: all Level0 runs, and the base segments from
// Lower up to Upper. With Above what becomes of them stays in level 0, as one
// run: the base, in which there are no inputs, has older versions of the keys.
type Plan struct {
	Level0       int
	Lower, Upper int
	Above        bool
}

// Pick decides what to merge next in a store whose base segments are to have
// about target bytes, if anything.
func Pick(level0, base []Segment, target int64) (Plan, bool) {
	all := All(level0, base)
	above := stayAbove(level0, base[all.Lower:all.Upper], target)
	if len(level0) >= MaxLevel0 {
		if above {
			return Plan{Level0: len(level0), Above: true}, true
		}
		return all, true
	}
	for i := range base {
		if base[i].Expired {
			to := i
			for to < len(base) && base[to].Expired {
				to++
			}
			return Plan{Lower: i, Upper: to}, true
		}
	}
	run := 0
	for i := 0; i <= len(base); i++ {
		if i < len(base) && base[i].Bytes < target/smallShare {
			run++
			continue
		}
		if run >= smallCount {
			return Plan{Lower: i - run, Upper: i}, true
		}
		run = 0
	}
	if len(level0) > 0 && !above { // they will take the base with them
		return Plan{}, false
	}
	for i, s := range base {
		if s.DeadShare > deadShare {
			return Plan{Lower: i, Upper: i + 1}, true
		}
	}
	return Plan{}, false
}

// stayAbove reports whether the runs of level 0 are so small beside the base
// segments that they overlap that these are to be left alone. A base of one
// segment is no work.
func stayAbove(level0, overlap []Segment, target int64) bool {
	upper, lower := size(level0), size(overlap)
	return lower > target && lower > level0Share*upper && upper <= level0Parts*target
}

func size(list []Segment) (bytes int64) {
	for _, s := range list {
		bytes += s.Bytes
	}
	return bytes
}

// All plans the merge of level 0 with what it overlaps in the base.
func All(level0, base []Segment) Plan {
	p := Plan{Level0: len(level0)}
	if len(level0) == 0 {
		return p
	}
	lower, upper := level0[0].MinKey, level0[0].MaxKey
	for _, s := range level0[1:] {
		if bytes.Compare(s.MinKey, lower) < 0 {
			lower = s.MinKey
		}
		if bytes.Compare(s.MaxKey, upper) > 0 {
			upper = s.MaxKey
		}
	}
	p.Lower, p.Upper = Overlap(base, lower, upper)
	return p
}

// Overlap returns the base segments that hold keys of [lower, upper].
func Overlap(base []Segment, lower, upper []byte) (from, to int) {
	for from < len(base) && bytes.Compare(base[from].MaxKey, lower) < 0 {
		from++
	}
	to = from
	for to < len(base) && bytes.Compare(base[to].MinKey, upper) <= 0 {
		to++
	}
	return from, to
}
