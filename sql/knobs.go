package sql

import (
	"runtime"
	"strconv"
	"strings"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/sql/exec"
	"github.com/omendb/omendb/sql/planner"
)

// knobs are the settings that every statement looks at, read once per change.
type knobs struct {
	version      uint64
	planner      planner.Settings
	exec         exec.Knobs
	workMem      int64 // bytes
	queryMem     int64
	hashMultiple float64  // hash_mem_multiplier
	searchNames  []string // search_path
	literalCache bool
	// segmentStatistics lets estimates use what segments know of their columns
	segmentStatistics bool
	timeout           int64 // statement_timeout in ms
	// further timeouts in ms
	transaction, idleInTransaction, idleSession int64
	uncommitted                                 bool // default_transaction_isolation is read uncommitted
	txn                                         engine.TxnOptions
	bind                                        string // the values that bindings depend on
}

// plannerSettings are the parameters that binding and planning look at.
var plannerSettings = []string{"enable_seqscan", "enable_indexscan", "enable_indexonlyscan", "enable_hashjoin", "enable_mergejoin",
	"enable_nestloop", "enable_hashagg", "enable_sort", "enable_material", "omen.learned", "omen.disabled_rules", "omen.segment_statistics", "work_mem", "check_function_bodies",
	"DateStyle", "IntervalStyle", "TimeZone", "transform_null_equals", "backslash_quote", "standard_conforming_strings",
	"quote_all_identifiers", "row_security", "default_text_search_config", "lc_monetary", "bytea_output", "extra_float_digits"}

// workers returns how many goroutines share a scan: the session's own and those
// that max_parallel_workers_per_gather allows beside it, one for each processor at most.
func workers(beside int64) int { return int(min(beside+1, int64(runtime.GOMAXPROCS(0)))) }

// rowsPerPage turns min_parallel_table_scan_size, in pages of 8 kB, into rows: 8 MB are 64 k rows.
const rowsPerPage = 64

func parallelRows(pages int64) int64 { return max(1, pages*rowsPerPage) }

// knob returns the settings as they are now.
func (x *Session) knob() *knobs {
	if v := x.values.Version() + 1; x.knobs.version != v {
		x.knobs = x.readKnobs()
		x.knobs.version = v
	}
	return &x.knobs
}

func (x *Session) readKnobs() knobs {
	off := func(name string) bool { return !x.values.Bool(name) }
	k := knobs{
		planner: planner.Settings{
			NoLearned: off("omen.learned"), WorkMem: x.values.Int("work_mem") << 10, NoSeqScan: off("enable_seqscan"),
			NoIndexScan: off("enable_indexscan"), NoIndexOnly: off("enable_indexonlyscan"), NoHashJoin: off("enable_hashjoin"),
			NoMergeJoin: off("enable_mergejoin"), NoNestLoop: off("enable_nestloop"), NoHashAgg: off("enable_hashagg"),
			NoSort: off("enable_sort"), NoMaterial: off("enable_material"),
			NoBodyCheck: off("check_function_bodies"),
		},
		exec: exec.Knobs{NoLearned: off("omen.learned"), RowAtATime: x.values.Bool("omen.row_at_a_time"), NoFastPath: off("omen.fast_path"), NoPacking: off("omen.packed_keys"),
			Workers: workers(x.values.Int("max_parallel_workers_per_gather")), ParallelRows: parallelRows(x.values.Int("min_parallel_table_scan_size"))},
		workMem:      x.values.Int("work_mem") << 10,
		queryMem:     x.values.Int("omen.query_memory") << 10,
		searchNames:  splitIdentifiers(x.values.Get("search_path")),
		literalCache: x.values.Bool("omen.literal_cache"), segmentStatistics: x.values.Bool("omen.segment_statistics"),
		timeout:     x.values.Int("statement_timeout"),
		transaction: x.values.Int("transaction_timeout"), idleInTransaction: x.values.Int("idle_in_transaction_session_timeout"),
		idleSession: x.values.Int("idle_session_timeout"),
		uncommitted: strings.EqualFold(x.values.Get("default_transaction_isolation"), readUncommitted),
		txn: engine.TxnOptions{
			Isolation:   isolationOf(x.values.Get("default_transaction_isolation")),
			ReadOnly:    x.values.Bool("default_transaction_read_only"),
			Deferrable:  x.values.Bool("default_transaction_deferrable"),
			AsyncCommit: x.values.Get("synchronous_commit") == "off",
			SpillBytes:  x.values.Int("omen.transaction_memory") << 10,
			ProcessID:   x.pid,
			Database:    uint32(x.database),
		},
	}
	if m, err := strconv.ParseFloat(x.values.Get("hash_mem_multiplier"), 64); err == nil {
		k.hashMultiple = m
	}
	for _, n := range strings.Split(x.values.Get("omen.disabled_rules"), ",") {
		if n = strings.TrimSpace(n); n != "" {
			k.planner.DisabledRules = append(k.planner.DisabledRules, n)
		}
	}
	var b strings.Builder
	for _, n := range plannerSettings {
		b.WriteString(x.values.Get(n))
		b.WriteByte(0)
	}
	k.bind = b.String()
	return k
}
