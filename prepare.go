package omendb

import (
	"context"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/omendb/omendb/sql/catalog"
)

// prepareDelay is how long the catalog must have been at rest before the rows of its
// system tables are made ahead: longer than a script takes between two changes, and
// shorter than a person.
const prepareDelay = 20 * time.Millisecond

// preparation is the background work that has answers to questions about the
// catalog ready. It begins when the database first accepts connections.
type preparation struct {
	start   sync.Once
	ctx     context.Context
	stop    context.CancelFunc
	waiting atomic.Bool // a round is due
	busy    sync.Mutex  // held during a round
	seen    *catalog.Snapshot
}

// startPreparation has the system views bound and the system tables' rows made, now and
// after changes of the catalog.
func (db *DB) startPreparation() {
	p := &db.preparation
	p.start.Do(func() {
		db.srv.Catalog().OnChange(db.prepareSoon)
		db.tasks.Submit("catalog.prepare", func() {
			p.busy.Lock()
			defer p.busy.Unlock()
			db.srv.PrepareCatalog(p.ctx)
			if err := db.srv.PrepareViews(p.ctx); err != nil && p.ctx.Err() == nil {
				db.opts.log.Warn().Str("event", "catalog.prepare").Err(err).Msg("the system views are bound when they are first asked for")
			}
			debug.FreeOSMemory() // binding leaves more behind than it keeps
		})
	})
}

// prepareSoon has a round begin after a moment. The catalog calls it when it has changed.
func (db *DB) prepareSoon() {
	if !db.preparation.waiting.Swap(true) {
		db.tasks.After(prepareDelay, "catalog.prepare", db.prepare)
	}
}

func (db *DB) prepare() {
	p := &db.preparation
	p.busy.Lock()
	defer p.busy.Unlock()
	if p.ctx.Err() != nil {
		return
	}
	p.waiting.Store(false)
	if now := db.srv.Catalog().Version(); now != p.seen {
		p.seen = now
		db.prepareSoon()
		return
	}
	db.srv.PrepareCatalog(p.ctx)
}

// finishPreparation waits for the end of a round and lets none begin.
func (db *DB) finishPreparation() {
	p := &db.preparation
	p.stop()
	p.busy.Lock()
	defer p.busy.Unlock()
}
