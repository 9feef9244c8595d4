package simulation

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/wal"
)

// maxPrepared is more than there are clients.
const maxPrepared = 100

// twoPhases ends the client's transaction by way of a prepared one.
func (c *client) twoPhases(xid uint64) {
	w := c.w
	gid := fmt.Sprint("p", c.effect.number)
	lsn, err := c.tx.Prepare(ctx, gid, []byte(gid), maxPrepared)
	if err != nil {
		c.noteOutcome("prepare", err)
		return
	}
	c.effect.gid, c.effect.prepared = gid, lsn
	w.acked, w.xid, w.store = max(w.acked, lsn), max(w.xid, xid), max(w.store, c.schema.unique)
	if c.rng.IntN(2) == 0 {
		c.sleep(time.Duration(c.rng.IntN(100)) * time.Millisecond)
	}
	commit := c.rng.IntN(4) > 0
	c.effect.ended = true
	for {
		lsn, err = w.db.FinishPrepared(ctx, gid, commit, func(engine.PreparedInfo) error { return nil })
		if err == nil || errors.Is(err, wal.ErrPoisoned) || w.fatal != nil {
			break
		}
		c.sleep(10 * time.Millisecond) // it is still prepared, and others wait for its locks
	}
	switch {
	case err != nil:
		c.noteOutcome("finish", err)
	case commit:
		c.effect.lsn = lsn
		w.acked = max(w.acked, lsn)
	default:
		c.effect.failed = true
		w.acked = max(w.acked, lsn)
	}
}

// noteOutcome remembers that a transaction certainly failed, or that nobody knows.
func (c *client) noteOutcome(what string, err error) {
	var doubt *wal.InDoubtError
	c.effect.failed = what == "prepare" && !errors.As(err, &doubt) && !errors.Is(err, wal.ErrPoisoned)
	if !expectedConflict(err) {
		c.expect(what, err)
	}
}

// ended lists the prepared transactions whose end was asked for so far.
func (w *world) ended() (gids []string) {
	for _, e := range w.history {
		if e.ended {
			gids = append(gids, e.gid)
		}
	}
	return gids
}

func rollBackPrepared(db *engine.DB) error {
	for _, p := range db.Prepared() {
		if _, err := db.FinishPrepared(ctx, p.GID, false, func(engine.PreparedInfo) error { return nil }); err != nil {
			return fmt.Errorf("roll back what is prepared: %w", err)
		}
	}
	return nil
}

// checkPrepared looks at what a recovered database has prepared: nothing that
// has taken effect, and all that was acknowledged and not ended. It ends them,
// some one way and some the other, and compares the database with the outcome.
func (w *world) checkPrepared(db *engine.DB, c *Crash, found *State, at engine.LSN) error {
	there := map[string]bool{}
	for _, p := range db.Prepared() {
		there[p.GID] = true
	}
	state := found.clone()
	for _, e := range w.history {
		gid := fmt.Sprint("p", e.number)
		switch {
		case there[gid] && found.Seen[e.number]:
			return fmt.Errorf("torn: transaction %d is prepared and committed", e.number)
		case e.prepared != 0 && e.prepared <= at && !there[gid] && !found.Seen[e.number] && !slices.Contains(c.ended, gid):
			return fmt.Errorf("lost: transaction %d was prepared by record %d, recovery ends with %d", e.number, e.prepared, at)
		case !there[gid]:
			continue
		}
		commit := w.rng.IntN(2) == 0
		if _, err := db.FinishPrepared(ctx, gid, commit, func(engine.PreparedInfo) error { return nil }); err != nil {
			return fmt.Errorf("end transaction %d: %w", e.number, err)
		}
		delete(there, gid)
		if commit {
			state.apply(e)
		}
	}
	if len(there) > 0 {
		return fmt.Errorf("phantom: transactions %v are prepared, which nobody has run", slices.Collect(maps.Keys(there)))
	}
	tx := db.Begin(engine.TxnOptions{})
	defer tx.Rollback()
	s := tx.Snapshot()
	defer s.Close()
	rows, sc, err := contents(s)
	if err == nil && sc.width != state.Width {
		err = fmt.Errorf("torn: the table has %d columns, want %d", sc.width, state.Width)
	}
	if err == nil {
		err = state.diff(rows)
	}
	if err == nil {
		var ages map[int64]int64
		if ages, err = readAging(s); err == nil {
			err = state.diffAges(ages)
		}
	}
	if err != nil {
		return fmt.Errorf("with prepared transactions ended: %w", err)
	}
	return nil
}
