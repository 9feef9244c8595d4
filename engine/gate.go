package engine

import (
	"context"
	"sync"

	"github.com/omendb/omendb/internal/task"
)

// gate is a mutex that may be held while its holder waits for the log or for
// other tasks: those who want it wait through the executor, in order of arrival.
type gate struct {
	mu    sync.Mutex
	held  bool
	queue []chan struct{}
}

func (g *gate) lock(tasks task.Executor) {
	g.mu.Lock()
	if !g.held {
		g.held = true
		g.mu.Unlock()
		return
	}
	turn := make(chan struct{})
	g.queue = append(g.queue, turn)
	g.mu.Unlock()
	_ = tasks.Await(context.Background(), turn) // the context has no end
}

func (g *gate) unlock() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.queue) == 0 {
		g.held = false
		return
	}
	close(g.queue[0])
	g.queue = g.queue[1:]
}
