package omendb

import (
	"context"
	"sync"
	"time"
)

// retentionEvery is how often tables with a retention lose what has expired:
// the longest time that a row is seen after its end.
const retentionEvery = 10 * time.Second

// retention is the background work on tables with `omen.ttl`.
type retention struct {
	stop context.CancelFunc
	busy sync.Mutex // held during a sweep
}

// startRetention has rows removed that are older than their tables want them.
func (db *DB) startRetention() {
	ctx, stop := context.WithCancel(context.Background())
	r := &db.retention
	r.stop = stop
	var round func()
	round = func() {
		r.busy.Lock()
		defer r.busy.Unlock()
		if ctx.Err() != nil {
			return
		}
		if err := db.srv.SweepRetention(ctx); err != nil && ctx.Err() == nil {
			db.opts.log.Error().Str("event", "retention.failed").Err(err).Msg("expired rows could not be removed; it is tried again")
		}
		db.tasks.After(retentionEvery, "retention.sweep", round)
	}
	db.tasks.After(retentionEvery, "retention.sweep", round)
}

// finishRetention waits for the end of a sweep and lets none begin.
func (db *DB) finishRetention() {
	if db.retention.stop != nil {
		db.retention.stop()
		db.retention.busy.Lock()
		defer db.retention.busy.Unlock()
	}
}
