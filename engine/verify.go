package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/omendb/omendb/wal"
)

// Verify reads every file that is live and reports the first damage: the
// manifest, all segments (every checksum, order, fences, content hash) and the
// log that would be replayed. progress, if not nil, learns how many bytes of
// segments are done.
func (db *DB) Verify(ctx context.Context, progress func(done, total int64)) error {
	m, err := readManifest(db.opts.FS, db.opts.Dir)
	if err != nil {
		return err
	}
	if m == nil {
		return &CorruptionError{File: manifestName, Detail: "missing"}
	}
	v := db.acquireView()
	defer db.releaseView(v)
	var runs []*run
	var total, done int64
	for _, id := range slices.Sorted(maps.Keys(v.stores)) {
		v.stores[id].runs(func(r *run) {
			runs = append(runs, r)
			total += r.info.Size
		})
	}
	for _, r := range runs {
		err := r.reader.Verify(ctx, func(part, whole int64) { // whole may count bytes more than once
			if progress != nil && whole > 0 {
				progress(done+int64(float64(r.info.Size)*float64(part)/float64(whole)), total)
			}
		})
		if err != nil {
			return fmt.Errorf("verify store %d: %w", r.info.Store, err)
		}
		done += r.info.Size
	}
	return db.verifyLog(ctx)
}

// verifyLog reads the log from its oldest record to its end.
func (db *DB) verifyLog(ctx context.Context) error {
	r, err := db.log.ReadFrom(db.log.First())
	if err != nil {
		return fmt.Errorf("verify log: %w", err)
	}
	defer r.Close()
	for next := db.log.First(); next <= db.log.Durable(); next++ {
		var rec *wal.Record
		if rec, err = r.Next(); err != nil {
			return fmt.Errorf("verify log: %w", err)
		}
		if rec.LSN != next {
			return &CorruptionError{File: logDir, Detail: fmt.Sprintf("record %d where %d was expected", rec.LSN, next)}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}
