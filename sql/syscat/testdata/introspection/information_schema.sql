-- Questions that this client asks, or people ask by hand, written from what is known of it.

-- columns: constraint_name name; table_schema name; table_name name; column_name name; foreign_table_schema name; foreign_table_name name; foreign_column_name name
SELECT tc.constraint_name, tc.table_schema, tc.table_name, kcu.column_name, ccu.table_schema AS foreign_table_schema, ccu.table_name AS foreign_table_name, ccu.column_name AS foreign_column_name
FROM information_schema.table_constraints AS tc JOIN information_schema.key_column_usage AS kcu ON tc.constraint_name = kcu.constraint_name AND tc.table_schema = kcu.table_schema
 JOIN information_schema.constraint_column_usage AS ccu ON ccu.constraint_name = tc.constraint_name WHERE tc.constraint_type = 'FOREIGN KEY' AND tc.table_schema = 'public' AND tc.table_name = 'emp';

-- columns: foreign_table name; primary_table name; fk_columns text; constraint_name name
SELECT kcu.table_name AS foreign_table, rel_tco.table_name AS primary_table, string_agg(kcu.column_name, ', ' ORDER BY kcu.ordinal_position) AS fk_columns, kcu.constraint_name FROM information_schema.table_constraints tco
 JOIN information_schema.key_column_usage kcu ON tco.constraint_schema = kcu.constraint_schema AND tco.constraint_name = kcu.constraint_name JOIN information_schema.referential_constraints rco ON tco.constraint_schema = rco.constraint_schema AND tco.constraint_name = rco.constraint_name
 JOIN information_schema.table_constraints rel_tco ON rco.unique_constraint_schema = rel_tco.constraint_schema AND rco.unique_constraint_name = rel_tco.constraint_name
WHERE tco.constraint_type = 'FOREIGN KEY' AND kcu.table_name IN ('emp', 'note') GROUP BY kcu.table_schema, kcu.table_name, rel_tco.table_name, rel_tco.table_schema, kcu.constraint_name ORDER BY kcu.table_schema, kcu.table_name;

-- columns: column_name name; ordinal_position integer; is_nullable character varying(3); data_type character varying; udt_name name; character_maximum_length integer; numeric_precision integer; numeric_scale integer; column_default character varying; is_identity character varying(3); identity_generation character varying; is_generated character varying
SELECT column_name, ordinal_position, is_nullable, data_type, udt_name, character_maximum_length, numeric_precision, numeric_scale, column_default, is_identity, identity_generation, is_generated FROM information_schema.columns WHERE table_schema = 'public' AND table_name = 'emp' ORDER BY ordinal_position;

-- columns: table_schema name; table_name name; table_type character varying
SELECT table_schema, table_name, table_type FROM information_schema.tables WHERE table_schema NOT IN ('pg_catalog', 'information_schema') AND table_name LIKE 'emp%' ORDER BY 1, 2;

-- columns: count bigint
SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name IN ('databasechangelog', 'flyway_schema_history', 'emp');

-- columns: exists boolean; exists boolean
SELECT EXISTS (SELECT 1 FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = 'emp'), EXISTS (SELECT FROM information_schema.columns WHERE table_name = 'emp' AND column_name = 'salary');

-- columns: table_name name; column_name name; formatted_type text; numeric_precision integer; numeric_scale integer; numeric_precision_radix integer; datetime_precision integer; data_type character varying; type_schema_name name; full_data_type name; column_default text; is_nullable character varying(3); is_identity character varying(3); character_maximum_length integer; description text
SELECT info.table_name, info.column_name, format_type(att.atttypid, att.atttypmod) AS formatted_type, info.numeric_precision, info.numeric_scale, info.numeric_precision_radix, info.datetime_precision, info.data_type, info.udt_schema AS type_schema_name, info.udt_name AS full_data_type, pg_get_expr(attdef.adbin, attdef.adrelid) AS column_default, info.is_nullable, info.is_identity, info.character_maximum_length, col_description(att.attrelid, ordinal_position) AS description
FROM information_schema.columns info JOIN pg_attribute att ON att.attname = info.column_name JOIN (SELECT pg_class.oid, relname, pg_namespace.nspname as namespace FROM pg_class JOIN pg_namespace on pg_namespace.oid = pg_class.relnamespace AND pg_namespace.nspname = ANY ('{public,app}')) as oid ON oid.oid = att.attrelid AND relname = info.table_name AND namespace = info.table_schema
 LEFT JOIN pg_attrdef attdef ON attdef.adrelid = att.attrelid AND attdef.adnum = att.attnum AND table_schema = namespace WHERE table_schema = ANY ('{public,app}') AND info.table_name IN ('emp', 'dept', 'note') ORDER BY namespace, table_name, ordinal_position;

-- columns: constraint_name name; conkey smallint[]; confkey smallint[]; child smallint; parent smallint; relation name; parent_table name; child_column name; parent_column name; confdeltype "char"; confupdtype "char"; referenced_schema_name name; tn text; condeferrable boolean; condeferred boolean
SELECT conname AS constraint_name, conkey, confkey, con.child, con.parent, con.relation, cl.relname AS parent_table, att2.attname AS child_column, att.attname AS parent_column, con.confdeltype, con.confupdtype, rel_ns.nspname AS referenced_schema_name, conrelid::regclass::text AS tn, con.condeferrable, con.condeferred
FROM (SELECT ns.nspname AS "namespace", unnest(con1.conkey) AS parent, unnest(con1.confkey) AS child, cl.relname AS relation, con1.confrelid, con1.conrelid, con1.conname, con1.conkey, con1.confkey, con1.confdeltype, con1.confupdtype, generate_subscripts(con1.conkey, 1) AS colidx, con1.condeferrable, con1.condeferred
 FROM pg_class cl join pg_constraint con1 ON con1.conrelid = cl.oid join pg_namespace ns on cl.relnamespace = ns.oid WHERE ns.nspname = ANY ('{public,app}') AND con1.contype = 'f' AND cl.relname = 'emp' ORDER BY colidx) con
 JOIN pg_attribute att ON att.attrelid = con.confrelid AND att.attnum = con.child JOIN pg_class cl ON cl.oid = con.confrelid JOIN pg_attribute att2 ON att2.attrelid = con.conrelid AND att2.attnum = con.parent JOIN pg_class rel_cl ON con.confrelid = rel_cl.oid JOIN pg_namespace rel_ns ON rel_cl.relnamespace = rel_ns.oid ORDER BY constraint_name, con.colidx;

-- columns: namespace name; index_name name; table_name name; column_name name; is_unique boolean; is_primary_key boolean; column_index integer; opclass name; opcdefault boolean; index_algo name; column_order text; nulls_first boolean; condeferrable boolean; condeferred boolean
WITH rawindex AS (SELECT indrelid, indexrelid, indisunique, indisprimary, unnest(indkey) AS indkeyid, generate_subscripts(indkey, 1) AS indkeyidx, unnest(indclass) AS indclass, unnest(indoption) AS indoption FROM pg_index WHERE indpred IS NULL AND NOT indisexclusion)
SELECT schemainfo.nspname AS namespace, indexinfo.relname AS index_name, tableinfo.relname AS table_name, columninfo.attname AS column_name, rawindex.indisunique AS is_unique, rawindex.indisprimary AS is_primary_key, rawindex.indkeyidx AS column_index, opclass.opcname AS opclass, opclass.opcdefault AS opcdefault, indexaccess.amname AS index_algo,
 CASE rawindex.indoption & 1 WHEN 1 THEN 'DESC' ELSE 'ASC' END AS column_order, CASE rawindex.indoption & 2 WHEN 2 THEN true ELSE false END AS nulls_first, pc.condeferrable AS condeferrable, pc.condeferred AS condeferred
FROM rawindex INNER JOIN pg_class AS tableinfo ON tableinfo.oid = rawindex.indrelid INNER JOIN pg_class AS indexinfo ON indexinfo.oid = rawindex.indexrelid INNER JOIN pg_namespace AS schemainfo ON schemainfo.oid = tableinfo.relnamespace LEFT JOIN pg_attribute AS columninfo ON columninfo.attrelid = tableinfo.oid AND columninfo.attnum = rawindex.indkeyid
 INNER JOIN pg_am AS indexaccess ON indexaccess.oid = indexinfo.relam LEFT JOIN pg_opclass AS opclass ON opclass.oid = rawindex.indclass LEFT JOIN pg_constraint pc ON rawindex.indexrelid = pc.conindid AND pc.contype <> 'f'
WHERE schemainfo.nspname = ANY ('{app}') ORDER BY namespace, table_name, index_name, column_index;

-- columns: table_name name; column_name name; description text
SELECT c.table_name, c.column_name, pgd.description FROM pg_catalog.pg_statio_all_tables AS st INNER JOIN pg_catalog.pg_description pgd ON (pgd.objoid = st.relid) INNER JOIN information_schema.columns c ON (pgd.objsubid = c.ordinal_position AND c.table_schema = st.schemaname AND c.table_name = st.relname) WHERE c.table_schema = 'public';

-- columns: table_name name; constraint_name name; constraint_type character varying; check_clause character varying
SELECT tc.table_name, tc.constraint_name, tc.constraint_type, cc.check_clause FROM information_schema.table_constraints tc LEFT JOIN information_schema.check_constraints cc ON tc.constraint_schema = cc.constraint_schema AND tc.constraint_name = cc.constraint_name WHERE tc.table_name = 'emp' AND tc.constraint_type <> 'CHECK' ORDER BY 1, 2;

-- columns: table_name name; grantee name; privilege_type character varying; is_grantable character varying(3)
SELECT table_name, grantee, privilege_type, is_grantable FROM information_schema.role_table_grants WHERE table_schema = 'public' AND table_name = 'emp' ORDER BY 2, 3;

-- columns: table_name name; column_name name; privilege_type character varying
SELECT table_name, column_name, privilege_type FROM information_schema.column_privileges WHERE table_schema = 'public' AND table_name = 'dept' ORDER BY 1, 2, 3;

-- columns: sequence_catalog name; sequence_schema name; sequence_name name; data_type character varying; numeric_precision integer; numeric_precision_radix integer; numeric_scale integer; start_value character varying; minimum_value character varying; maximum_value character varying; increment character varying; cycle_option character varying(3)
SELECT * FROM information_schema.sequences WHERE sequence_schema = 'app';

-- columns: table_name name; view_definition character varying; is_updatable character varying(3)
SELECT table_name, view_definition, is_updatable FROM information_schema.views WHERE table_schema = 'public';

-- columns: domain_catalog name; domain_schema name; domain_name name; data_type character varying; character_maximum_length integer; character_octet_length integer; character_set_catalog name; character_set_schema name; character_set_name name; collation_catalog name; collation_schema name; collation_name name; numeric_precision integer; numeric_precision_radix integer; numeric_scale integer; datetime_precision integer; interval_type character varying; interval_precision integer; domain_default character varying; udt_catalog name; udt_schema name; udt_name name; scope_catalog name; scope_schema name; scope_name name; maximum_cardinality integer; dtd_identifier name
SELECT * FROM information_schema.domains WHERE domain_schema = 'public';

-- columns: column_name name; data_type character varying; element_type character varying
SELECT c.column_name, c.data_type, e.data_type AS element_type FROM information_schema.columns c LEFT JOIN information_schema.element_types e ON ((c.table_catalog, c.table_schema, c.table_name, 'TABLE', c.dtd_identifier) = (e.object_catalog, e.object_schema, e.object_name, e.object_type, e.collection_type_identifier)) WHERE c.table_schema = 'public' AND c.table_name = 'emp' ORDER BY c.ordinal_position;

-- columns: schema_name name; schema_owner name
SELECT schema_name, schema_owner FROM information_schema.schemata WHERE schema_name NOT LIKE 'pg_%' ORDER BY 1;

-- columns: routine_name name; data_type character varying; parameter_name name; data_type character varying
SELECT r.routine_name, r.data_type, p.parameter_name, p.data_type FROM information_schema.routines r LEFT JOIN information_schema.parameters p ON r.specific_name = p.specific_name WHERE r.routine_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, p.ordinal_position;

-- columns: view_name name; table_name name
SELECT u.view_name, u.table_name FROM information_schema.view_table_usage u WHERE u.view_schema = 'public' ORDER BY 1, 2;

-- columns: table_name name; columns bigint
SELECT t.table_name, (SELECT count(*) FROM information_schema.columns c WHERE c.table_schema = t.table_schema AND c.table_name = t.table_name) AS columns FROM information_schema.tables t WHERE t.table_schema = 'app' ORDER BY 1;
