package segment

import "testing"

// TestTallyKeepsEverySegmentsCount adds look-ups of more segments than a tally holds apart, and flushes twice.
func TestTallyKeepsEverySegmentsCount(t *testing.T) {
	var none *Tally
	none.add(&Reader{}, &window{}) // nothing to count into

	readers := make([]*Reader, 3*tallySlots)
	for i := range readers {
		readers[i] = &Reader{id: uint64(i)}
	}
	var tally Tally
	for round := range 5 {
		for i, r := range readers {
			tally.add(r, &window{missed: (i+round)%5 == 0})
		}
	}
	readers[1].use(&window{missed: true})
	tally.Flush()
	tally.Flush()
	for i, r := range readers {
		want := Usage{Lookups: 5, Mispredictions: 1}
		if i == 1 {
			want = Usage{Lookups: 6, Mispredictions: 2}
		}
		if got := r.Usage(); got != want {
			t.Errorf("segment %d: %+v, want %+v", i, got, want)
		}
	}
}
