package event

import (
	"sync"
	"time"
)

// Counts is a Sink that adds up what happened, by name.
type Counts struct {
	mu     sync.Mutex
	totals map[Name]Total
}

// Total is the sum of the events of a name.
type Total struct {
	Times, Bytes, Count int64
	Duration            time.Duration
}

// Event adds an event; it is a Sink.
func (c *Counts) Event(e Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.totals == nil {
		c.totals = map[Name]Total{}
	}
	t := c.totals[e.Name]
	t.Times++
	t.Bytes += e.Bytes
	t.Count += e.Count
	t.Duration += e.Duration
	c.totals[e.Name] = t
}

// Of returns the total of a name. A nil Counts has counted nothing.
func (c *Counts) Of(name Name) Total {
	if c == nil {
		return Total{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.totals[name]
}
