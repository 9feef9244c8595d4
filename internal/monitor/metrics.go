// Package monitor turns what happens inside the server into metrics for
// Prometheus. It listens to events and asks for totals; nothing waits for it.
//
//	Metrics  a registry with every metric of the server
package monitor

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/omendb/omendb/internal/event"
)

// Totals are what sessions have done so far.
type Totals struct {
	Open                                             int
	Sessions, Commits, Rollbacks, Statements, Errors int64
	SnapshotLag, OldestTransaction, Prepared         int64 // log records, seconds, transactions
	SnapshotSeconds                                  float64

	StatementMemory, StatementMemoryLimit, StatementMemoryRefusals int64 // bytes, bytes, statements
}

// Bloat is what one table or index has of versions that are dead.
type Bloat struct {
	Store           string
	Versions, Bytes int64
}

// Metrics counts events by the words of the event vocabulary.
type Metrics struct {
	registry *prometheus.Registry
	events   *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	bytes    *prometheus.CounterVec
	items    *prometheus.CounterVec
	errors   *prometheus.CounterVec
}

// New returns metrics that nobody has counted yet.
func New() *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	name := []string{"event"}
	m.events = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "omendb_events_total", Help: "Things that happened, by the word of the event vocabulary."}, name)
	m.seconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "omendb_event_duration_seconds", Help: "How long they took.",
		Buckets: prometheus.ExponentialBuckets(0.00005, 4, 12)}, name)
	m.bytes = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "omendb_event_bytes_total", Help: "Bytes that they wrote or freed."}, name)
	m.items = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "omendb_event_items_total", Help: "Rows, records, keys or files that they were about."}, name)
	m.errors = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "omendb_client_errors_total", Help: "Errors sent to clients, by SQLSTATE."}, []string{"sqlstate"})
	m.registry.MustRegister(m.events, m.seconds, m.bytes, m.items, m.errors,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Event counts an event; it is an event.Sink.
func (m *Metrics) Event(e event.Event) {
	name := string(e.Name)
	m.events.WithLabelValues(name).Inc()
	if e.Duration > 0 {
		m.seconds.WithLabelValues(name).Observe(e.Duration.Seconds())
	}
	if e.Bytes > 0 {
		m.bytes.WithLabelValues(name).Add(float64(e.Bytes))
	}
	if e.Count > 0 {
		m.items.WithLabelValues(name).Add(float64(e.Count))
	}
}

// Error counts an error that a client was sent.
func (m *Metrics) Error(sqlstate string) { m.errors.WithLabelValues(sqlstate).Inc() }

// Observe adds the totals that fn returns whenever somebody looks.
func (m *Metrics) Observe(fn func() Totals) {
	gauge := func(name, help string, get func(Totals) float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return get(fn()) }))
	}
	counter := func(name, help string, get func(Totals) int64) {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 { return float64(get(fn())) }))
	}
	gauge("omendb_sessions", "Sessions open now.", func(t Totals) float64 { return float64(t.Open) })
	gauge("omendb_oldest_snapshot_records", "Log records since the oldest snapshot in use: merging keeps the row versions that it sees.",
		func(t Totals) float64 { return float64(t.SnapshotLag) })
	gauge("omendb_oldest_snapshot_seconds", "Age of the oldest snapshot in use.", func(t Totals) float64 { return t.SnapshotSeconds })
	gauge("omendb_oldest_transaction_seconds", "Age of the oldest running transaction.", func(t Totals) float64 { return float64(t.OldestTransaction) })
	gauge("omendb_prepared_transactions", "Transactions that wait for COMMIT PREPARED or ROLLBACK PREPARED.", func(t Totals) float64 { return float64(t.Prepared) })
	gauge("omendb_statement_memory_bytes", "Memory that the statements of all sessions hold.", func(t Totals) float64 { return float64(t.StatementMemory) })
	gauge("omendb_statement_memory_limit_bytes", "Memory that the statements of all sessions may hold together (omen.server_memory).", func(t Totals) float64 { return float64(t.StatementMemoryLimit) })
	counter("omendb_statement_memory_refusals_total", "Statements that ended because nothing was left of it.", func(t Totals) int64 { return t.StatementMemoryRefusals })
	counter("omendb_sessions_total", "Sessions opened.", func(t Totals) int64 { return t.Sessions })
	counter("omendb_commits_total", "Transactions committed.", func(t Totals) int64 { return t.Commits })
	counter("omendb_rollbacks_total", "Transactions rolled back.", func(t Totals) int64 { return t.Rollbacks })
	counter("omendb_statements_total", "Statements executed.", func(t Totals) int64 { return t.Statements })
	counter("omendb_statement_errors_total", "Statements that failed.", func(t Totals) int64 { return t.Errors })
}

// ObserveBloat adds the dead versions of the tables and indexes that fn lists whenever somebody looks.
func (m *Metrics) ObserveBloat(fn func() []Bloat) { m.registry.MustRegister(bloat(fn)) }

type bloat func() []Bloat

var (
	deadVersions = prometheus.NewDesc("omendb_dead_versions", "Versions of rows that a newer one has replaced, kept for a snapshot or until the next merge, by table or index.", []string{"store"}, nil)
	deadBytes    = prometheus.NewDesc("omendb_dead_bytes", "About what they take on disk.", []string{"store"}, nil)
)

// Describe implements prometheus.Collector.
func (bloat) Describe(out chan<- *prometheus.Desc) { out <- deadVersions; out <- deadBytes }

// Collect implements prometheus.Collector.
func (b bloat) Collect(out chan<- prometheus.Metric) {
	for _, s := range b() {
		out <- prometheus.MustNewConstMetric(deadVersions, prometheus.GaugeValue, float64(s.Versions), s.Store)
		out <- prometheus.MustNewConstMetric(deadBytes, prometheus.GaugeValue, float64(s.Bytes), s.Store)
	}
}

// Handler serves the metrics in Prometheus' text format.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
