package monitor

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/omendb/omendb/internal/event"
)

func TestMetrics(t *testing.T) {
	m := New()
	m.Observe(func() Totals {
		return Totals{Open: 3, Sessions: 4, Commits: 5, Rollbacks: 6, Statements: 7, Errors: 8, SnapshotLag: 9, OldestTransaction: 10, Prepared: 11, StatementMemory: 12, StatementMemoryLimit: 13, StatementMemoryRefusals: 14, SnapshotSeconds: 1.5}
	})
	m.ObserveBloat(func() []Bloat { return []Bloat{{"t (7)", 12, 1300}} })
	var sink event.Sink = m.Event
	sink.Emit(event.Event{Name: event.WALSync, Duration: time.Millisecond, Bytes: 100, Count: 2})
	sink.Emit(event.Event{Name: event.WALSync})
	m.Error("22012")
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, line := range []string{
		`omendb_events_total{event="wal.sync"} 2`, `omendb_event_bytes_total{event="wal.sync"} 100`,
		`omendb_event_items_total{event="wal.sync"} 2`, `omendb_event_duration_seconds_count{event="wal.sync"} 1`,
		`omendb_client_errors_total{sqlstate="22012"} 1`, "omendb_sessions 3", "omendb_sessions_total 4", "omendb_commits_total 5",
		"omendb_rollbacks_total 6", "omendb_statements_total 7", "omendb_statement_errors_total 8",
		"omendb_statement_memory_bytes 12", "omendb_statement_memory_limit_bytes 13", "omendb_statement_memory_refusals_total 14",
		"omendb_oldest_snapshot_records 9", "omendb_oldest_transaction_seconds 10", "omendb_oldest_snapshot_seconds 1.5",
		`omendb_dead_versions{store="t (7)"} 12`, `omendb_dead_bytes{store="t (7)"} 1300`, "omendb_prepared_transactions 11", "go_goroutines",
	} {
		if !strings.Contains(w.Body.String(), line) {
			t.Errorf("no %s", line)
		}
	}
}
