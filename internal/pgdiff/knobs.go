package main

import "github.com/omendb/omendb/internal/pgdiff/gen"

// methods and rules that the planner can do without, for omen.disabled_rules.
var rules = []string{"right_semi_join", "or_restrictions", "cheap_first", "zone_maps", "inline_cte", "common_conditions", "pull_up_subquery", "sublink_to_join", "fold_constants", "reduce_outer_join", "imply_constants", "push_down_predicate",
	"min_max_index", "partial_index", "expression_index",
	"hash_join", "merge_join", "nest_loop", "index_join", "group_join", "index_scan", "key_scan", "ordered_scan"}

// randomKnobs draws settings that may change how OmenDB computes an answer, but not the answer.
func randomKnobs(g *gen.Generator) []string {
	var out []string
	for _, name := range []string{"enable_seqscan", "enable_indexscan", "enable_indexonlyscan", "enable_hashjoin", "enable_mergejoin",
		"enable_nestloop", "enable_hashagg", "enable_sort", "enable_material", "omen.learned", "omen.fast_path", "omen.packed_keys", "omen.literal_cache", "omen.segment_statistics"} {
		if g.Intn(6) == 0 {
			out = append(out, "SET "+name+" = off")
		}
	}
	if g.Intn(4) == 0 {
		out = append(out, "SET omen.row_at_a_time = on")
	}
	if g.Intn(4) == 0 {
		out = append(out, "SET work_mem = '64kB'")
	}
	if g.Intn(3) == 0 {
		out = append(out, "SET min_parallel_table_scan_size = 0") // workers for the smallest table
	}
	if g.Intn(6) == 0 {
		out = append(out, "SET max_parallel_workers_per_gather = 0")
	}
	off := ""
	for _, rule := range rules {
		if g.Intn(6) == 0 {
			if off != "" {
				off += ", "
			}
			off += rule
		}
	}
	if off != "" {
		out = append(out, "SET omen.disabled_rules = "+off)
	}
	return out
}
