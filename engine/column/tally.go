package column

// Count says how many rows of a vector hold one value.
type Count struct {
	Row int32 // the first of them
	N   int32
}

// cheapWidth is the width of packed numbers up to which they are counted in an
// array of all the numbers that there could be.
const cheapWidth = 6

// Distinct returns how many different values the vector that Append encoded
// last has at most, as far as encoding it has found that out; -1: it has not.
func (e *Encoder) Distinct() int {
	switch e.form {
	case formAllNull:
		return 0
	case formConstant:
		return 1
	case formDict, formRuns:
		return e.entries
	case formPacked, formScaled:
		if e.width <= cheapWidth {
			return 1 << e.width
		}
	}
	return -1
}

// Tally appends how often each value of v occurs. v is what Append has encoded
// last, and what it found out is made use of, so the scratch memory of the encoder
// is that of another vector afterwards. Numbers are told apart by their
// bits. A value that comes in several runs may be counted in several pieces when
// Distinct is not negative, else every value is counted once.
func (e *Encoder) Tally(v *Vec, dst []Count) []Count {
	codes, distinct := e.codes, e.entries
	switch {
	case e.form == formAllNull:
		return dst
	case e.form == formConstant:
		return tallyRuns(v, nil, dst)
	case e.form == formRuns:
		return tallyRuns(v, e.nums, dst)
	case e.form == formDict:
	case e.Distinct() >= 0: // packed tightly
		codes, distinct = e.nums, e.Distinct()
	case v.Kind == Bytes:
		distinct, _ = e.collectBytes(v, v.Len())
		codes = e.codes
	default:
		e.loadNumbers(v)
		distinct = e.collectNumbers(v.Len())
		codes = e.codes
	}
	start := len(dst)
	dst = extend(dst, distinct)
	counts := dst[start:]
	clear(counts)
	nulls := v.Nulls.Any()
	for i, c := range codes[:v.Len()] {
		if nulls && v.Nulls.Get(i) {
			continue
		}
		if counts[c].N == 0 {
			counts[c].Row = int32(i)
		}
		counts[c].N++
	}
	kept := counts[:0]
	for _, c := range counts {
		if c.N > 0 {
			kept = append(kept, c)
		}
	}
	return dst[:start+len(kept)]
}

// tallyRuns counts runs of equal numbers; without numbers all values are the same.
func tallyRuns(v *Vec, nums []uint64, dst []Count) []Count {
	nulls := v.Nulls.Any()
	open := false
	for i := range v.Len() {
		if i > 0 && nums != nil && nums[i] != nums[i-1] {
			open = false
		}
		if nulls && v.Nulls.Get(i) {
			continue
		}
		if !open {
			dst, open = append(dst, Count{Row: int32(i)}), true
		}
		dst[len(dst)-1].N++
	}
	return dst
}
