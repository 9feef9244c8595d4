-- Questions that this client asks, or people ask by hand, written from what is known of it.

-- columns: oid oid; oid oid; nspname name; nspowner oid; nspacl aclitem[]; description text
SELECT n.oid, n.*, d.description FROM pg_catalog.pg_namespace n LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid = n.oid AND d.objsubid = 0 AND d.classoid = 'pg_namespace'::regclass ORDER BY nspname;

-- columns: oid oid; relname name; relkind "char"; relowner oid; relnamespace oid; reltuples real; description text; partition_expr text; partition_key text
SELECT c.oid, c.relname, c.relkind, c.relowner, c.relnamespace, c.reltuples, d.description, pg_catalog.pg_get_expr(c.relpartbound, c.oid) as partition_expr, pg_catalog.pg_get_partkeydef(c.oid) as partition_key
FROM pg_catalog.pg_class c LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid = c.oid AND d.objsubid = 0 AND d.classoid = 'pg_class'::regclass WHERE c.relnamespace = 2200 AND c.relkind not in ('i', 'I', 'c');

-- columns: relname name; attrelid oid; attname name; atttypid oid; attstattarget integer; attlen smallint; attnum smallint; attndims integer; attcacheoff integer; atttypmod integer; attbyval boolean; attalign "char"; attstorage "char"; attcompression "char"; attnotnull boolean; atthasdef boolean; atthasmissing boolean; attidentity "char"; attgenerated "char"; attisdropped boolean; attislocal boolean; attinhcount integer; attcollation oid; attacl aclitem[]; attoptions text[]; attfdwoptions text[]; attmissingval anyarray; def_value text; description text; objid oid
SELECT c.relname, a.attrelid, a.attname, a.atttypid, a.attstattarget, a.attlen, a.attnum, a.attndims, a.attcacheoff, a.atttypmod, a.attbyval, a.attalign, a.attstorage, a.attcompression, a.attnotnull, a.atthasdef, a.atthasmissing, a.attidentity, a.attgenerated, a.attisdropped, a.attislocal, a.attinhcount, a.attcollation, a.attacl, a.attfdwoptions, a.attmissingval, pg_catalog.pg_get_expr(ad.adbin, ad.adrelid, true) as def_value, dsc.description, dep.objid FROM pg_catalog.pg_attribute a INNER JOIN pg_catalog.pg_class c ON (a.attrelid = c.oid) LEFT OUTER JOIN pg_catalog.pg_attrdef ad ON (a.attrelid = ad.adrelid AND a.attnum = ad.adnum)
 LEFT OUTER JOIN pg_catalog.pg_description dsc ON (c.oid = dsc.objoid AND a.attnum = dsc.objsubid) LEFT OUTER JOIN pg_depend dep on dep.refobjid = a.attrelid AND dep.deptype = 'i' and dep.refobjsubid = a.attnum and dep.classid = dep.refclassid
WHERE NOT a.attisdropped AND c.relkind not in ('i', 'I', 'c') AND c.oid = 16999 ORDER BY a.attnum;

-- columns: indexrelid oid; indrelid oid; indnatts smallint; indnkeyatts smallint; indisunique boolean; indnullsnotdistinct boolean; indisprimary boolean; indisexclusion boolean; indimmediate boolean; indisclustered boolean; indisvalid boolean; indcheckxmin boolean; indisready boolean; indislive boolean; indisreplident boolean; indkey int2vector; indcollation oidvector; indclass oidvector; indoption int2vector; indexprs pg_node_tree; indpred pg_node_tree; keys int2vector; relname name; relnamespace oid; relam oid; reltablespace oid; tabrelname name; description text; pred_expr text; expr text; index_num_scans boolean
SELECT i.*, i.indkey as keys, c.relname, c.relnamespace, c.relam, c.reltablespace, tc.relname as tabrelname, dsc.description, pg_catalog.pg_get_expr(i.indpred, i.indrelid) as pred_expr, pg_catalog.pg_get_expr(i.indexprs, i.indrelid, true) as expr, pg_catalog.pg_stat_get_numscans(i.indexrelid) >= 0 as index_num_scans
FROM pg_catalog.pg_index i INNER JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid INNER JOIN pg_catalog.pg_class tc ON tc.oid = i.indrelid LEFT OUTER JOIN pg_catalog.pg_description dsc ON i.indexrelid = dsc.objoid WHERE i.indrelid = 16999 ORDER BY tabrelname, c.relname;

-- columns: oid oid; oid oid; conname name; connamespace oid; contype "char"; condeferrable boolean; condeferred boolean; convalidated boolean; conrelid oid; contypid oid; conindid oid; conparentid oid; confrelid oid; confupdtype "char"; confdeltype "char"; confmatchtype "char"; conislocal boolean; coninhcount integer; connoinherit boolean; conkey smallint[]; confkey smallint[]; conpfeqop oid[]; conppeqop oid[]; conffeqop oid[]; confdelsetcols smallint[]; conexclop oid[]; conbin pg_node_tree; tabrelname name; refnamespace oid; description text; consrc_copy text
SELECT c.oid, c.*, t.relname as tabrelname, rt.relnamespace as refnamespace, d.description, case when c.contype = 'c' then "substring"(pg_get_constraintdef(c.oid), 7) else null end consrc_copy FROM pg_catalog.pg_constraint c INNER JOIN pg_catalog.pg_class t ON t.oid = c.conrelid LEFT OUTER JOIN pg_catalog.pg_class rt ON rt.oid = c.confrelid
 LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid = c.oid AND d.objsubid = 0 AND d.classoid = 'pg_constraint'::regclass WHERE c.conrelid = 16999 ORDER BY c.oid;

-- columns: oid oid; typname name; typtype "char"; relkind "char"; base_type_name text; description text
SELECT t.oid, t.typname, t.typtype, c.relkind, format_type(nullif(t.typbasetype, 0), t.typtypmod) as base_type_name, d.description FROM pg_catalog.pg_type t LEFT OUTER JOIN pg_catalog.pg_type et ON et.oid = t.typelem LEFT OUTER JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
 LEFT OUTER JOIN pg_catalog.pg_description d ON t.oid = d.objoid WHERE t.typname IS NOT NULL AND (c.relkind IS NULL OR c.relkind = 'c') AND (et.typcategory IS NULL OR et.typcategory <> 'C') AND t.typnamespace = 2200;

-- columns: oid oid; relname name; relnamespace oid; relkind "char"
SELECT pc.oid, pc.relname, pc.relnamespace, pc.relkind FROM pg_catalog.pg_class pc WHERE pc.relkind in ('r', 'v', 'm', 'f', 'p') AND pc.relname ILIKE 'emp%' AND pc.relnamespace IN (2200, 11) ORDER BY pc.relname LIMIT 200;

-- columns: poid oid; proname name; prokind "char"; provolatile "char"; arg_defaults text; lanname name; result text; identity_args text; description text
SELECT p.oid as poid, p.proname, p.prokind, p.provolatile, pg_catalog.pg_get_expr(p.proargdefaults, 0) as arg_defaults, l.lanname, pg_catalog.pg_get_function_result(p.oid) as result, pg_catalog.pg_get_function_identity_arguments(p.oid) as identity_args, d.description FROM pg_catalog.pg_proc p LEFT OUTER JOIN pg_catalog.pg_language l ON l.oid = p.prolang
 LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid = p.oid WHERE p.pronamespace = 2200 ORDER BY p.proname;

-- columns: 
SELECT DISTINCT dep.deptype, dep.classid, dep.objid, cl.relkind, attr.attname, pg_get_expr(ad.adbin, ad.adrelid) adefval, CASE WHEN cl.relkind IS NOT NULL THEN cl.relkind::text || COALESCE(dep.objsubid::text, '') WHEN tg.oid IS NOT NULL THEN 'T'::text WHEN ty.oid IS NOT NULL THEN 'y'::text WHEN ns.oid IS NOT NULL THEN 'n'::text WHEN pr.oid IS NOT NULL THEN 'p'::text
 WHEN la.oid IS NOT NULL THEN 'l'::text WHEN rw.oid IS NOT NULL THEN 'R'::text WHEN co.oid IS NOT NULL THEN 'C'::text || contype::text WHEN ad.oid IS NOT NULL THEN 'A'::text ELSE '' END AS type, COALESCE(coc.relname, clrw.relname) AS ownertable, COALESCE(cl.relname, conname, proname, tgname, typname, lanname, rulename, nspname) AS refname
FROM pg_depend dep LEFT JOIN pg_class cl ON dep.objid = cl.oid LEFT JOIN pg_attribute attr ON dep.objid = attr.attrelid AND dep.objsubid = attr.attnum LEFT JOIN pg_proc pr ON dep.objid = pr.oid LEFT JOIN pg_trigger tg ON dep.objid = tg.oid LEFT JOIN pg_type ty ON dep.objid = ty.oid LEFT JOIN pg_constraint co ON dep.objid = co.oid
 LEFT JOIN pg_class coc ON conrelid = coc.oid LEFT JOIN pg_rewrite rw ON dep.objid = rw.oid LEFT JOIN pg_class clrw ON clrw.oid = rw.ev_class LEFT JOIN pg_language la ON dep.objid = la.oid LEFT JOIN pg_namespace ns ON dep.objid = ns.oid LEFT JOIN pg_attrdef ad ON ad.oid = dep.objid WHERE dep.refobjid = 16999 AND COALESCE(cl.relkind <> 't', true) ORDER BY type;

-- columns: schemaname name; sequencename name; sequenceowner name; data_type regtype; start_value bigint; min_value bigint; max_value bigint; increment_by bigint; cycle boolean; cache_size bigint; last_value bigint; pg_get_userbyid name
SELECT s.*, pg_catalog.pg_get_userbyid(c.relowner) FROM pg_catalog.pg_sequences s JOIN pg_catalog.pg_class c ON c.relname = s.sequencename JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname = s.schemaname WHERE s.schemaname = 'app';

-- columns: oid oid; rolname name; rolsuper boolean; rolcanlogin boolean; description text
SELECT a.oid, a.rolname, a.rolsuper, a.rolcanlogin, pd.description FROM pg_catalog.pg_roles a LEFT JOIN pg_catalog.pg_shdescription pd ON a.oid = pd.objoid WHERE a.rolname = 'postgres' OR a.rolname LIKE 'pg\_read%' ORDER BY a.rolname;
