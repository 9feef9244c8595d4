package event

import "testing"

func TestMulti(t *testing.T) {
	var a, b []Name
	s := Multi(func(e Event) { a = append(a, e.Name) }, nil, func(e Event) { b = append(b, e.Name) })
	s.Emit(Event{Name: WALSync})
	s.Emit(Event{Name: QuerySlow})
	Sink(nil).Emit(Event{Name: Checkpoint})
	if len(a) != 2 || len(b) != 2 || a[1] != QuerySlow || b[0] != WALSync {
		t.Fatal(a, b)
	}
	if n := testing.AllocsPerRun(100, func() { Sink(nil).Emit(Event{Name: WALSync, File: "f"}) }); n != 0 {
		t.Fatalf("%v allocations for nobody", n)
	}
}
