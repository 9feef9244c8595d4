package functions

import (
	"strings"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
)

// catalogNames lists, by prosrc or signature, the functions that the catalog computes
// (Catalog.Call); a final * stands for any ending.
const catalogNames = `
	pg_get_* has_* row_security_active* pg_has_role_* format_type to_reg* *_is_visible pg_is_other_temp_schema
	pg_my_temp_schema pg_relation_size* pg_table_size pg_indexes_size pg_total_relation_size pg_database_size_*
	pg_tablespace_size_* pg_tablespace_location pg_relation_filenode pg_relation_filepath pg_filenode_relation
	pg_describe_object pg_identify_object* pg_column_is_updatable pg_relation_is_updatable pg_sequence_last_value
	pg_sequence_parameters pg_index_column_has_property pg_index_has_property pg_indexam_has_property
	pg_partition_* pg_collation_for pg_collation_actual_version pg_database_collation_actual_version
	obj_description(* shobj_description(* col_description(* pg_encoding_max_length_sql PG_char_to_encoding
	PG_encoding_to_char show_all_settings pg_prepared_statement pg_cursor pg_prepared_xact pg_lock_status
	pg_stat_get_* pg_available_extension* pg_extension_update_paths pg_timezone_* pg_tablespace_databases
	pg_settings_get_flags pg_listening_channels pg_notify pg_notification_queue_usage
	pg_export_snapshot pg_relation_is_publishable acldefault_sql aclexplode makeaclitem pg_stat_* pg_config
	pg_show_all_file_settings show_all_file_settings pg_hba_file_rules pg_ident_file_mappings pg_current_wal_*
	pg_show_replication_origin_status pg_wal_lsn_diff pg_column_compression pg_options_to_table oidvectortypes pg_mcv_list_items
	pg_switch_wal pg_control_system pg_backup_start pg_backup_stop pg_create_restore_point pg_read_binary_file_all pg_read_binary_file_off_len
	ts_token_type_* pg_nextoid pg_stats_ext_mcvlist_items _pg_*`

// catalogKeys holds the same, split.
var catalogKeys = strings.Fields(catalogNames)

// AsksCatalog reports whether a function is computed by the catalog.
func AsksCatalog(f *Func) bool {
	key := f.Src
	if f.Lang == LangSQL {
		key = f.Signature()
	}
	return f.Set == nil && isCatalogKey(key)
}

func isCatalogKey(key string) bool {
	for _, k := range catalogKeys {
		switch {
		case k == key,
			strings.HasSuffix(k, "*") && strings.HasPrefix(key, k[:len(k)-1]),
			strings.HasPrefix(k, "*") && strings.HasSuffix(key, k[1:]):
			return true
		}
	}
	return false
}

func notImplemented(key string) error {
	return pgerr.Unsupported("function %s is not supported", key)
}

func catalogEval(key string) EvalFunc {
	return func(c *Ctx, a []column.Datum) (column.Datum, error) {
		if c.Catalog == nil {
			return column.Datum{}, notImplemented(key)
		}
		d, ok, err := c.Catalog.Call(c, key, a)
		if err == nil && !ok {
			err = notImplemented(key)
		}
		return d, err
	}
}

func catalogSet(key string) SetFunc {
	return func(c *Ctx, a []column.Datum) (SetIter, error) {
		if c.Catalog == nil {
			return nil, notImplemented(key)
		}
		it, ok, err := c.Catalog.CallSet(c, key, a)
		if err == nil && !ok {
			err = notImplemented(key)
		}
		return it, err
	}
}
