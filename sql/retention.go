package sql

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/internal/event"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// Retention. A table with `omen.ttl` loses the rows that are older: a sweep
// moves the table's horizon by one or more transactions, each of which removes
// the oldest rows that have expired. A horizon is therefore where the log says
// it is: every snapshot, recovery, point-in-time restore and replica sees the
// rows before it in all tables and indexes, or in none. Until the horizon has
// passed it a row is as good as any, for unique constraints too.

// retentionStep is how many rows one transaction of a sweep removes, and more
// only if they are equally old: what a crash in between undoes, and what locks
// and the log hold at a time.
const retentionStep = 50_000

// retentionSettings make a sweep's session independent of the configuration. A
// row that somebody holds locked is left for the next sweep.
var retentionSettings = map[string]string{
	"application_name": "omendb retention", "TimeZone": "UTC", "search_path": "pg_catalog",
	"lock_timeout": "1000", "statement_timeout": "0", "default_transaction_isolation": "read committed",
	"default_transaction_read_only": "off",
}

// SweepRetention removes what has expired from every table of every database.
// A table that fails does not keep the others from their turn.
func (s *Server) SweepRetention(ctx context.Context) error {
	return s.sweepRetention(ctx, retentionStep)
}

func (s *Server) sweepRetention(ctx context.Context, step int64) error {
	cat := s.opts.Catalog
	var databases []*catalog.Database
	cat.View(nil, 0).Each(catalog.ClassDatabase, func(o catalog.Object) bool {
		if db := o.(*catalog.Database); db.AllowConn {
			databases = append(databases, db)
		}
		return true
	})
	var all error
	for _, db := range databases {
		view := cat.View(nil, db.OID)
		var deletes []retentionDelete
		view.Relations(func(r *catalog.Relation) bool {
			if keep, ok := r.Retention(); ok {
				deletes = append(deletes, deleteExpired(view, r, keep, step))
			}
			return true
		})
		if len(deletes) > 0 {
			all = errors.Join(all, s.sweepDatabase(ctx, db.Name, deletes, step))
		}
	}
	return all
}

// retentionDelete is the statement that removes a step's rows of a table.
type retentionDelete struct{ table, text string }

func deleteExpired(view *catalog.View, r *catalog.Relation, keep catalog.Retention, step int64) retentionDelete {
	horizon := "now() - "
	for i := range r.Columns {
		if c := &r.Columns[i]; !c.Dropped && c.Name == keep.Column && c.Type != types.TimestamptzOID {
			horizon = "(now() AT TIME ZONE 'UTC') - "
			if c.Type == types.DateOID {
				horizon = "(now() AT TIME ZONE 'UTC')::date - "
			}
		}
	}
	table := quoteName(view.SchemaName(r.Schema)) + "." + quoteName(r.Name)
	col := quoteName(keep.Column)
	expired := fmt.Sprintf("%s < %sinterval '%s'", col, horizon, strings.ReplaceAll(keep.TTL, "'", "''"))
	return retentionDelete{table, fmt.Sprintf("DELETE FROM ONLY %s WHERE %s AND %s <= (SELECT max(%s) FROM (SELECT %s FROM ONLY %s WHERE %s ORDER BY %s LIMIT %d) oldest)",
		table, expired, col, col, col, table, expired, col, step)}
}

func quoteName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// sweepDatabase runs each statement until it finds less than a step's rows.
func (s *Server) sweepDatabase(ctx context.Context, database string, deletes []retentionDelete, step int64) error {
	first := s.opts.Catalog.View(nil, 0).Role(catalog.BootstrapSuperuser)
	var sink sweepSink
	x, err := s.Connect(ConnectOptions{User: first.Name, Database: database, Settings: retentionSettings, Client: &sink})
	if err != nil {
		return fmt.Errorf("retention in database %s: %w", database, err)
	}
	defer x.Close()
	var all error
	for _, d := range deletes {
		start := s.opts.Clock.Now()
		var rows int64
		for sink.rows = step; sink.rows >= step && err == nil; {
			sink.rows = 0
			err = x.Simple(ctx, d.text, &sink)
			rows += sink.rows
		}
		var failed *pgerr.Error
		if errors.As(err, &failed) && failed.Code == pgerr.LockNotAvailable {
			err = nil // the next sweep finds the row free
		}
		if err != nil {
			all = errors.Join(all, fmt.Errorf("retention in database %s: %s: %w", database, d.text, err))
		}
		if rows > 0 {
			s.opts.Events.Emit(event.Event{Name: event.RetentionSweep, Duration: s.opts.Clock.Since(start), Count: rows, Detail: database + ": " + d.table})
		}
		if ctx.Err() != nil {
			return all
		}
		err = nil
	}
	return all
}

// sweepSink counts the rows that a DELETE tells of.
type sweepSink struct{ rows int64 }

// Complete implements Sink.
func (k *sweepSink) Complete(tag string) (err error) {
	k.rows, err = strconv.ParseInt(strings.TrimPrefix(tag, "DELETE "), 10, 64)
	return err
}

// Describe implements Sink.
func (*sweepSink) Describe([]Column) error { return nil }

// Rows implements Sink.
func (*sweepSink) Rows([]Column, *column.Batch) error { return nil }

// Empty implements Sink.
func (*sweepSink) Empty() error { return nil }

// Suspended implements Sink.
func (*sweepSink) Suspended() error { return nil }

// CopyIn implements Sink; a DELETE asks for nothing.
func (*sweepSink) CopyIn(int8, int) (io.Reader, error) { return strings.NewReader(""), nil }

// CopyOut implements Sink; a DELETE puts nothing out.
func (*sweepSink) CopyOut(int8, int) (io.WriteCloser, error) { return nil, io.ErrClosedPipe }

// Notice implements Client.
func (*sweepSink) Notice(*pgerr.Error) {}

// Parameter implements Client.
func (*sweepSink) Parameter(string, string) {}

// Notify implements Client.
func (*sweepSink) Notify(int32, string, string) {}
