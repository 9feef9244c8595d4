package settings

import (
	"slices"
	"strings"
)

// alsoExplained are the parameters outside of query tuning that EXPLAIN (SETTINGS) shows.
var alsoExplained = []string{"effective_io_concurrency", "force_parallel_mode", "hash_mem_multiplier", "maintenance_io_concurrency",
	"max_parallel_workers", "max_parallel_workers_per_gather", "parallel_leader_participation", "search_path", "temp_buffers", "work_mem"}

var (
	keptByResetAll = []string{"transaction_deferrable", "transaction_isolation", "transaction_read_only"}
	computedAtRun  = []string{"data_checksums", "data_directory_mode", "shared_memory_size", "shared_memory_size_in_huge_pages", "wal_segment_size"}
)

// Flags are what pg_settings_get_flags tells of a parameter.
func (d *Definition) Flags() []string {
	var list []string
	add := func(flag string, on bool) {
		if on {
			list = append(list, flag)
		}
	}
	add("EXPLAIN", strings.HasPrefix(d.Category, "Query Tuning") || slices.Contains(alsoExplained, d.Name))
	add("NO_RESET_ALL", slices.Contains(keptByResetAll, d.Name))
	add("NOT_IN_SAMPLE", d.Category == "Developer Options" || d.Category == "Preset Options" || d.Name == "application_name" ||
		slices.Contains(keptByResetAll, d.Name))
	add("RUNTIME_COMPUTED", slices.Contains(computedAtRun, d.Name))
	return list
}
