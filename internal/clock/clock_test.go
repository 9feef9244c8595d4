package clock

import (
	"testing"
	"time"
)

func TestManual(t *testing.T) {
	start := time.Unix(1000, 0)
	m := NewManual(start)
	m.Advance(3 * time.Second)
	if m.Since(start) != 3*time.Second || !m.Now().Equal(start.Add(3*time.Second)) {
		t.Fatal(m.Now())
	}
	m.Set(start.Add(-time.Hour))
	if m.Since(start) != -time.Hour {
		t.Fatal(m.Now())
	}
}

func TestSystem(t *testing.T) {
	c := System()
	if start := c.Now(); c.Since(start) < 0 || time.Since(start) > time.Minute {
		t.Fatal(start)
	}
}
