package sql

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/internal/event"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// Retention. A table with `omen.ttl` loses the rows that are older: a sweep
// moves the horizons of the table and its indexes, which one record of the log
// does. No row is touched: every read, merge, recovery and restore goes by the
// horizon that the log has (see engine).

// retentionSettings make the session independent of the configuration that
// gives old indexes the column by which their entries expire.
var retentionSettings = map[string]string{
	"application_name": "omendb retention", "TimeZone": "UTC", "search_path": "pg_catalog",
	"lock_timeout": "1000", "statement_timeout": "0", "default_transaction_isolation": "read committed",
	"default_transaction_read_only": "off",
}

// SweepRetention moves the horizon of every table of every database that has a
// retention. A table that fails does not keep the others from their turn.
func (s *Server) SweepRetention(ctx context.Context) error {
	cat := s.opts.Catalog
	var databases []*catalog.Database
	cat.View(nil, 0).Each(catalog.ClassDatabase, func(o catalog.Object) bool {
		databases = append(databases, o.(*catalog.Database))
		return true
	})
	var all error
	for _, db := range databases {
		var tables []catalog.OID
		cat.View(nil, db.OID).Relations(func(r *catalog.Relation) bool {
			if _, ok := r.Retention(); ok {
				tables = append(tables, r.OID)
			}
			return true
		})
		for _, oid := range tables {
			if err := s.moveHorizon(ctx, db, oid); err != nil {
				all = errors.Join(all, fmt.Errorf("retention in database %s: %w", db.Name, err))
			}
		}
	}
	s.opts.DB.RunMerges() // what has expired, and no snapshot needs any more, can go
	return all
}

// moveHorizon moves the horizons of a table and its indexes to the present less
// the table's span. A table whose definition somebody is changing, or that gets
// an index, waits for the next sweep.
func (s *Server) moveHorizon(ctx context.Context, db *catalog.Database, oid catalog.OID) error {
	start := s.opts.Clock.Now()
	tx := s.opts.DB.Begin(engine.TxnOptions{Database: uint32(db.OID)})
	defer func() { _ = tx.Rollback() }() // does nothing after the commit
	if err := tx.LockTable(ctx, uint64(oid), engine.LockShareUpdateExclusive, engine.NoWait); err != nil {
		if errors.Is(err, engine.ErrLockNotAvailable) {
			err = nil
		}
		return err
	}
	view := s.opts.Catalog.View(nil, db.OID)
	r := view.Relation(oid)
	if r == nil {
		return nil
	}
	keep, ok := r.Retention()
	num := r.RetentionNumber()
	if !ok || num == 0 {
		return nil
	}
	before, err := s.horizonOf(keep, r.Columns[num-1].Type)
	if err != nil || !s.opts.DB.Expires(engine.StoreID(r.Store), int(num)-1, before) {
		return err
	}
	if err := tx.MoveHorizon(engine.StoreID(r.Store), int(num)-1, before); err != nil {
		return err
	}
	count := int64(1)
	for _, i := range view.IndexesOf(r) {
		switch {
		case i.Store == 0:
			continue
		case i.Retain != num: // made before indexes had the column
			_ = tx.Rollback()
			return s.reindex(ctx, db.Name, quoteName(view.SchemaName(r.Schema))+"."+quoteName(r.Name))
		}
		if err := tx.MoveHorizon(engine.StoreID(i.Store), len(i.Stored()), before); err != nil {
			return err
		}
		count++
	}
	if _, err := tx.Commit(ctx); err != nil {
		return err
	}
	s.opts.Events.Emit(event.Event{Name: event.RetentionSweep, Duration: s.opts.Clock.Since(start), Count: count, Detail: db.Name + ": " + r.Name})
	return nil
}

// horizonOf returns the least value of a column that a retention keeps now. A
// span that reaches back beyond the first timestamp keeps everything.
func (s *Server) horizonOf(keep catalog.Retention, typ catalog.OID) (int64, error) {
	v, err := types.NewEnv().In(types.IntervalOID, -1, keep.TTL)
	if err != nil {
		return 0, err
	}
	back, err := types.IntervalFrom(v).Neg()
	if err != nil {
		return 0, err
	}
	const day = int64(24 * time.Hour / time.Microsecond)
	now := timestamp(s.opts.Clock.Now())
	today := (now - ((now%day)+day)%day)
	if typ != types.DateOID {
		today = now
	}
	before, err := types.TimestampAdd(today, back)
	switch {
	case err != nil && pgerr.From(err).Code == pgerr.DatetimeFieldOverflow:
		return math.MinInt64, nil
	case err != nil || typ != types.DateOID:
		return before, err
	}
	days := before / day
	if before%day > 0 {
		days++ // a day goes when it has passed as a whole
	}
	return days, nil
}

func quoteName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// reindex makes a table's indexes anew.
func (s *Server) reindex(ctx context.Context, database, table string) error {
	first := s.opts.Catalog.View(nil, 0).Role(catalog.BootstrapSuperuser)
	var sink sweepSink
	x, err := s.Connect(ConnectOptions{User: first.Name, Database: database, Settings: retentionSettings, Client: &sink, Internal: true})
	if err != nil {
		return err
	}
	defer x.Close()
	return x.Simple(ctx, "REINDEX TABLE "+table, &sink)
}

// sweepSink takes what a REINDEX tells, which is nothing of interest.
type sweepSink struct{}

// Complete implements Sink.
func (*sweepSink) Complete(string) error { return nil }

// Describe implements Sink.
func (*sweepSink) Describe([]Column) error { return nil }

// Rows implements Sink.
func (*sweepSink) Rows([]Column, *column.Batch) error { return nil }

// Empty implements Sink.
func (*sweepSink) Empty() error { return nil }

// Suspended implements Sink.
func (*sweepSink) Suspended() error { return nil }

// CopyIn implements Sink; a REINDEX asks for nothing.
func (*sweepSink) CopyIn(int8, int) (io.Reader, error) { return strings.NewReader(""), nil }

// CopyOut implements Sink; a REINDEX puts nothing out.
func (*sweepSink) CopyOut(int8, int) (io.WriteCloser, error) { return nil, io.ErrClosedPipe }

// Notice implements Client.
func (*sweepSink) Notice(*pgerr.Error) {}

// Parameter implements Client.
func (*sweepSink) Parameter(string, string) {}

// Notify implements Client.
func (*sweepSink) Notify(int32, string, string) {}
