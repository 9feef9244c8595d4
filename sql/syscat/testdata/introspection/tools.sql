-- Questions of drivers, ORMs and monitoring tools, written from what is known of them.

-- columns: relname name; attname name; format_type text; attnotnull boolean; attidentity "char"; typname name; pg_get_expr text
SELECT c.relname, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, t.typname, pg_get_expr(d.adbin, d.adrelid) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid JOIN pg_catalog.pg_type t ON t.oid = a.atttypid LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relkind = ANY ('{r,p,v,f,m}') AND a.attnum > 0 AND NOT a.attisdropped AND n.nspname = 'public' AND c.relname = ANY ('{emp,dept}') ORDER BY 1, a.attnum;

-- columns: table_name name; namespace name; is_partition boolean; has_subclass boolean; has_row_level_security boolean; reloptions text[]; description text
SELECT tbl.relname AS table_name, namespace.nspname AS namespace, (tbl.relhassubclass AND tbl.relkind = 'p') AS is_partition, (tbl.relhassubclass AND tbl.relkind = 'r') AS has_subclass, tbl.relrowsecurity AS has_row_level_security, reloptions, obj_description(tbl.oid, 'pg_class') AS description FROM pg_class AS tbl INNER JOIN pg_namespace AS namespace ON namespace.oid = tbl.relnamespace WHERE tbl.relkind IN ('r', 'p') AND namespace.nspname = ANY ('{app}') ORDER BY namespace, table_name;

-- columns: schema name; name name; labels name[]
SELECT n.nspname AS schema, t.typname AS name, array_agg(e.enumlabel ORDER BY e.enumsortorder) AS labels FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid JOIN pg_namespace n ON n.oid = t.typnamespace GROUP BY 1, 2;

-- columns: relname name; relname name; array_to_string text
SELECT t.relname, i.relname, array_to_string(array_agg(a.attname ORDER BY k.n), ',') FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid CROSS JOIN LATERAL unnest(x.indkey) WITH ORDINALITY AS k(attnum, n) JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum WHERE t.relname = 'emp' GROUP BY 1, 2 ORDER BY 1, 2;

-- columns: schemaname name; relname name; ?column? boolean; ?column? boolean; ?column? boolean; ?column? boolean; ?column? boolean
SELECT schemaname, relname, seq_scan >= 0, idx_scan >= 0, n_live_tup >= 0, n_dead_tup >= 0, last_vacuum IS NULL FROM pg_stat_user_tables WHERE relname = 'emp';

-- columns: datname name; schemaname name; relname name; ?column? boolean; ?column? boolean; ?column? boolean
SELECT current_database() datname, schemaname, relname, heap_blks_read >= 0, heap_blks_hit >= 0, idx_blks_read >= 0 FROM pg_statio_user_tables WHERE relname IN ('emp', 'dept') ORDER BY 3;

-- columns: schemaname name; tablename name; indexname name; indexdef text
SELECT schemaname, tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = 'emp' ORDER BY indexname;

-- columns: schemaname name; tablename name; tableowner name; hasindexes boolean; hasrules boolean; hastriggers boolean; rowsecurity boolean
SELECT schemaname, tablename, tableowner, hasindexes, hasrules, hastriggers, rowsecurity FROM pg_tables WHERE tablename = 'emp';

-- columns: attname name
SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) WHERE i.indrelid = 'emp'::regclass AND i.indisprimary;

-- columns: table_from regclass; conname name; pg_get_constraintdef text
SELECT conrelid::regclass AS table_from, conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype IN ('f', 'p', 'c') AND connamespace = 'public'::regnamespace AND conrelid::regclass::text IN ('emp', 'dept') ORDER BY conrelid::regclass::text, contype DESC, conname;

-- columns: relname name; ?column? boolean
SELECT relname, pg_total_relation_size(oid) >= 0 FROM pg_class WHERE relkind = 'r' AND relnamespace = 'app'::regnamespace ORDER BY 1;

-- columns: ?column? boolean; state text; ?column? boolean; usename name
SELECT pid = pg_backend_pid(), state, wait_event_type IS NULL, usename FROM pg_stat_activity WHERE pid = pg_backend_pid();

-- columns: mode text; relname name; granted boolean
SELECT l.mode, c.relname, l.granted FROM pg_locks l LEFT JOIN pg_class c ON c.oid = l.relation WHERE l.pid = pg_backend_pid() AND c.relname = 'emp' ORDER BY 1;

-- columns: pid integer; pid integer
SELECT blocked.pid, blocking.pid FROM pg_catalog.pg_locks blocked JOIN pg_catalog.pg_stat_activity ba ON ba.pid = blocked.pid JOIN pg_catalog.pg_locks blocking ON blocking.locktype = blocked.locktype AND blocking.database IS NOT DISTINCT FROM blocked.database AND blocking.relation IS NOT DISTINCT FROM blocked.relation AND blocking.pid <> blocked.pid WHERE NOT blocked.granted;

-- columns: nspname name; proname name; pg_get_function_arguments text; pg_get_function_result text; lanname name; ?column? boolean
SELECT n.nspname, p.proname, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid), l.lanname, p.prosrc IS NOT NULL FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang WHERE n.nspname NOT IN ('pg_catalog', 'information_schema');

-- columns: seq name; tab name; col name; deptype "char"
SELECT s.relname AS seq, t.relname AS tab, a.attname AS col, d.deptype FROM pg_class s JOIN pg_depend d ON d.objid = s.oid AND d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass JOIN pg_class t ON t.oid = d.refobjid JOIN pg_attribute a ON (a.attrelid, a.attnum) = (t.oid, d.refobjsubid) WHERE s.relkind = 'S' AND t.relname IN ('emp', 'dept') ORDER BY 1;

-- columns: oid text; ?column? boolean; ?column? boolean
SELECT c.oid::regclass::text, c.reltuples >= -1, greatest(c.relpages, 0) >= 0 FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'app'::regnamespace ORDER BY 1;

-- columns: conrelid text; confrelid text; depth integer
WITH RECURSIVE fk AS (SELECT conrelid, confrelid, 1 AS depth FROM pg_constraint WHERE contype = 'f' AND confrelid = 'emp'::regclass UNION SELECT c.conrelid, c.confrelid, fk.depth + 1 FROM pg_constraint c JOIN fk ON c.confrelid = fk.conrelid AND c.contype = 'f' WHERE fk.depth < 5) SELECT conrelid::regclass::text, confrelid::regclass::text, depth FROM fk ORDER BY 3, 1;

-- columns: table name; referenced name; columns name[]; referenced_columns name[]
SELECT c1.relname AS table, c2.relname AS referenced, array_agg(a1.attname ORDER BY k.i) AS columns, array_agg(a2.attname ORDER BY k.i) AS referenced_columns FROM pg_constraint con CROSS JOIN LATERAL unnest(con.conkey, con.confkey) WITH ORDINALITY AS k(a, b, i) JOIN pg_class c1 ON c1.oid = con.conrelid JOIN pg_class c2 ON c2.oid = con.confrelid JOIN pg_attribute a1 ON a1.attrelid = con.conrelid AND a1.attnum = k.a JOIN pg_attribute a2 ON a2.attrelid = con.confrelid AND a2.attnum = k.b
WHERE con.contype = 'f' AND c1.relname IN ('emp', 'note') GROUP BY con.oid, c1.relname, c2.relname ORDER BY 1;

-- columns: has_table_privilege boolean; has_column_privilege boolean; has_schema_privilege boolean; pg_has_role boolean; to_regclass text; to_regtype text
SELECT has_table_privilege('emp', 'SELECT'), has_column_privilege('emp', 'name', 'UPDATE'), has_schema_privilege('app', 'USAGE'), pg_has_role(current_user, 'pg_read_all_data', 'MEMBER'), to_regclass('emp')::text, to_regtype('mood')::text;

-- columns: name text; setting text; unit text; context text; vartype text
SELECT name, setting, unit, context, vartype FROM pg_settings WHERE name IN ('enable_sort', 'standard_conforming_strings', 'statement_timeout') ORDER BY 1;

-- columns: matviewname name; ispopulated boolean
SELECT m.matviewname, m.ispopulated FROM pg_matviews m WHERE m.schemaname = 'public' UNION ALL SELECT v.viewname, true FROM pg_views v WHERE v.schemaname = 'public' ORDER BY 1;

-- columns: table_schema name; table_name name; array_agg text
WITH columns AS (SELECT nc.nspname::name AS table_schema, c.relname::name AS table_name, a.attname::name AS column_name, d.description AS description, CASE WHEN t.typbasetype != 0 THEN pg_get_expr(t.typdefaultbin, 0) WHEN a.attidentity = 'd' THEN format('nextval(%L)', seq.objid::regclass) WHEN a.attgenerated = 's' THEN null ELSE pg_get_expr(ad.adbin, ad.adrelid)::text END AS column_default, not (a.attnotnull OR t.typtype = 'd' AND t.typnotnull) AS is_nullable,
 CASE WHEN t.typtype = 'd' THEN CASE WHEN bt.typnamespace = 'pg_catalog'::regnamespace THEN format_type(bt.oid, NULL::integer) ELSE format_type(a.atttypid, a.atttypmod) END ELSE CASE WHEN t.typnamespace = 'pg_catalog'::regnamespace THEN format_type(a.atttypid, NULL::integer) ELSE format_type(a.atttypid, a.atttypmod) END END::text AS data_type, information_schema._pg_char_max_length(information_schema._pg_truetypid(a.*, t.*), information_schema._pg_truetypmod(a.*, t.*))::integer AS character_maximum_length, a.attnum::integer AS position
 FROM pg_attribute a LEFT JOIN pg_description AS d ON d.objoid = a.attrelid and d.objsubid = a.attnum LEFT JOIN pg_attrdef ad ON a.attrelid = ad.adrelid AND a.attnum = ad.adnum JOIN (pg_class c JOIN pg_namespace nc ON c.relnamespace = nc.oid) ON a.attrelid = c.oid JOIN (pg_type t JOIN pg_namespace nt ON t.typnamespace = nt.oid) ON a.atttypid = t.oid LEFT JOIN (pg_type bt JOIN pg_namespace nbt ON bt.typnamespace = nbt.oid) ON t.typtype = 'd' AND t.typbasetype = bt.oid
 LEFT JOIN pg_depend seq ON seq.refobjid = a.attrelid and seq.refobjsubid = a.attnum and seq.deptype = 'i' WHERE NOT pg_is_other_temp_schema(nc.oid) AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind in ('r', 'v', 'f', 'm', 'p') AND nc.nspname = ANY ('{app,public}') AND c.relname IN ('emp', 'dept'))
SELECT table_schema, table_name, array_agg(row(column_name, description, is_nullable, data_type, column_default, character_maximum_length) ORDER BY position)::text FROM columns GROUP BY 1, 2 ORDER BY 1, 2;
