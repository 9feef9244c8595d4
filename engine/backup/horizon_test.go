package backup

import (
	"testing"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/internal/vfs"
)

// TestRestoreAcrossHorizons restores to before and between moves of a horizon,
// after what it hid was dropped from the database: the rows come back as of that time.
func TestRestoreAcrossHorizons(t *testing.T) {
	fs := vfs.NewMem(1)
	d := fresh(t, fs)
	d.add(500)
	a := NewArchiver(d.db, fs, "repo")
	check(t, a.Round(ctx))
	m, _ := d.backup("early", Dir{fs, "repo"})
	move := func(before int64) uint64 {
		tx := d.db.Begin(engine.TxnOptions{})
		check(t, tx.MoveHorizon(store, 0, before))
		lsn, err := tx.Commit(ctx)
		check(t, err)
		check(t, d.db.Flush(ctx))
		check(t, d.db.Compact(ctx, store))
		return uint64(lsn)
	}
	type point struct {
		m    *Manifest
		lsn  uint64 // 0: the end
		want int64
	}
	points := []point{{m, uint64(d.add(10)), 510}}
	points = append(points, point{m, move(300), 210})
	if s := d.db.StoreStats(store); s.Versions != 210 {
		t.Errorf("%d versions are left of 210 rows", s.Versions)
	}
	late, _ := d.backup("late", Dir{fs, "repo"})
	points = append(points, point{m, uint64(d.add(400)), 610}, point{late, uint64(d.add(1)), 611}, point{m, move(600), 311}, point{late, 0, 311})
	check(t, a.Round(ctx))
	check(t, a.Round(ctx))
	a.Close()
	d.close()
	for i, p := range points {
		to := string(rune('a' + i))
		_, err := Restore(ctx, fs, "repo", p.m, to, Target{Archive: "repo", LSN: p.lsn}, nil)
		check(t, err)
		r := open(t, fs, to)
		check(t, r.db.Verify(ctx, nil))
		s := r.db.Begin(engine.TxnOptions{}).Snapshot()
		if n, err := s.Count(store, nil, nil); n != p.want || err != nil {
			t.Errorf("backup %s to %d: %d rows, want %d (%v)", p.m.Label, p.lsn, n, p.want, err)
		}
		s.Close()
		r.close()
	}
}
