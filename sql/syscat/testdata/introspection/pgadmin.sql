-- Questions that this client asks, or people ask by hand, written from what is known of it.

-- columns: datname name; enc name; cancreate boolean; nosys boolean
SELECT db.datname, pg_catalog.pg_encoding_to_char(db.encoding) AS enc, has_database_privilege(db.oid, 'CREATE') AS cancreate, db.datlastsysoid IS NULL AS nosys FROM (SELECT *, NULL::oid AS datlastsysoid FROM pg_catalog.pg_database) db WHERE db.datname = current_database();

-- columns: oid oid; name name; can_create boolean; has_usage boolean; description text
SELECT nsp.oid, nsp.nspname AS name, pg_catalog.has_schema_privilege(nsp.oid, 'CREATE') AS can_create, pg_catalog.has_schema_privilege(nsp.oid, 'USAGE') AS has_usage, des.description
FROM pg_catalog.pg_namespace nsp LEFT OUTER JOIN pg_catalog.pg_description des ON (des.objoid = nsp.oid AND des.classoid = 'pg_namespace'::regclass)
WHERE nspname NOT LIKE E'pg\\_%' AND NOT ((nsp.nspname = 'pg_catalog' AND EXISTS (SELECT 1 FROM pg_catalog.pg_class WHERE relname = 'pg_class' AND relnamespace = nsp.oid LIMIT 1))
 OR (nsp.nspname = 'pgagent' AND EXISTS (SELECT 1 FROM pg_catalog.pg_class WHERE relname = 'pga_job' AND relnamespace = nsp.oid LIMIT 1))
 OR (nsp.nspname = 'information_schema' AND EXISTS (SELECT 1 FROM pg_catalog.pg_class WHERE relname = 'tables' AND relnamespace = nsp.oid LIMIT 1)))
ORDER BY nspname;

-- columns: oid oid; name name; triggercount bigint; has_enable_triggers bigint; is_partitioned boolean; is_inherits bigint; is_inherited bigint; description text
SELECT rel.oid, rel.relname AS name, (SELECT count(*) FROM pg_catalog.pg_trigger WHERE tgrelid = rel.oid AND tgisinternal = FALSE) AS triggercount,
 (SELECT count(*) FROM pg_catalog.pg_trigger WHERE tgrelid = rel.oid AND tgisinternal = FALSE AND tgenabled = 'O') AS has_enable_triggers,
 (CASE WHEN rel.relkind = 'p' THEN true ELSE false END) AS is_partitioned, (SELECT count(1) FROM pg_catalog.pg_inherits WHERE inhrelid = rel.oid LIMIT 1) AS is_inherits,
 (SELECT count(1) FROM pg_catalog.pg_inherits WHERE inhparent = rel.oid LIMIT 1) AS is_inherited, des.description
FROM pg_catalog.pg_class rel LEFT OUTER JOIN pg_catalog.pg_description des ON (des.objoid = rel.oid AND des.objsubid = 0 AND des.classoid = 'pg_class'::regclass)
WHERE rel.relkind IN ('r', 's', 't', 'p') AND rel.relnamespace = 2200::oid AND NOT rel.relispartition ORDER BY rel.relname;

-- columns: oid oid; name name; spcoid oid; relacl_str aclitem[]; spcname name; replica_identity text; schema name; relowner name; relkind "char"; is_partitioned boolean; relhassubclass boolean; reltuples bigint; description text; conname name; conkey smallint[]; isrepl boolean; triggercount bigint; coll_inherits text[]; inherited_tables_cnt bigint; relpersistence boolean; fillfactor text; autovacuum_enabled text; reloptions text[]; hastoasttable boolean; reloftype oid; typname name; typoid oid; rlspolicy boolean; forcerlspolicy boolean; deft boolean
SELECT rel.oid, rel.relname AS name, rel.reltablespace AS spcoid, rel.relacl AS relacl_str, (CASE WHEN length(spc.spcname::text) > 0 OR rel.relkind = 'p' THEN spc.spcname ELSE
 (SELECT sp.spcname FROM pg_catalog.pg_database dtb JOIN pg_catalog.pg_tablespace sp ON dtb.dattablespace = sp.oid WHERE dtb.oid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())) END) AS spcname,
 (CASE rel.relreplident WHEN 'd' THEN 'default' WHEN 'n' THEN 'nothing' WHEN 'f' THEN 'full' WHEN 'i' THEN 'index' END) AS replica_identity,
 (select nspname FROM pg_catalog.pg_namespace WHERE oid = 2200::oid) AS schema, pg_catalog.pg_get_userbyid(rel.relowner) AS relowner, rel.relkind, (CASE WHEN rel.relkind = 'p' THEN true ELSE false END) AS is_partitioned,
 rel.relhassubclass, rel.reltuples::bigint, des.description, con.conname, con.conkey, EXISTS (select 1 FROM pg_catalog.pg_trigger JOIN pg_catalog.pg_proc pt ON pt.oid = tgfoid AND pt.proname = 'logtrigger' JOIN pg_catalog.pg_proc pc ON pc.pronamespace = pt.pronamespace AND pc.proname = 'slonyversion' WHERE tgrelid = rel.oid) AS isrepl,
 (SELECT count(*) FROM pg_catalog.pg_trigger WHERE tgrelid = rel.oid AND tgisinternal = FALSE) AS triggercount,
 (SELECT ARRAY(SELECT CASE WHEN (nspname NOT LIKE 'pg\_%') THEN pg_catalog.quote_ident(nspname) || '.' || pg_catalog.quote_ident(c.relname) ELSE pg_catalog.quote_ident(c.relname) END AS inherited_tables
 FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhparent JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE i.inhrelid = rel.oid ORDER BY inhseqno)) AS coll_inherits,
 (SELECT count(*) FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhparent JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE i.inhrelid = rel.oid) AS inherited_tables_cnt,
 (CASE WHEN rel.relpersistence = 'u' THEN true ELSE false END) AS relpersistence, substring(pg_catalog.array_to_string(rel.reloptions, ',') FROM 'fillfactor=([0-9]*)') AS fillfactor,
 (CASE WHEN (substring(pg_catalog.array_to_string(rel.reloptions, ',') FROM 'autovacuum_enabled=([a-z|0-9]*)'))::BOOL THEN 't' WHEN NOT (substring(pg_catalog.array_to_string(rel.reloptions, ',') FROM 'autovacuum_enabled=([a-z|0-9]*)'))::BOOL THEN 'f' ELSE 'x' END) AS autovacuum_enabled,
 rel.reloptions, (CASE WHEN rel.reltoastrelid = 0 THEN false ELSE true END) AS hastoasttable, rel.reloftype, typ.typname AS typname, typ.typrelid AS typoid, rel.relrowsecurity AS rlspolicy, rel.relforcerowsecurity AS forcerlspolicy,
 (CASE WHEN rel.reltablespace = 0 THEN true ELSE false END) AS deft
FROM pg_catalog.pg_class rel LEFT OUTER JOIN pg_catalog.pg_tablespace spc ON spc.oid = rel.reltablespace LEFT OUTER JOIN pg_catalog.pg_description des ON (des.objoid = rel.oid AND des.objsubid = 0 AND des.classoid = 'pg_class'::regclass)
 LEFT OUTER JOIN pg_catalog.pg_constraint con ON con.conrelid = rel.oid AND con.contype = 'p' LEFT OUTER JOIN pg_catalog.pg_class tst ON tst.oid = rel.reltoastrelid LEFT JOIN pg_catalog.pg_type typ ON rel.reloftype = typ.oid
WHERE rel.relkind IN ('r', 's', 't', 'p') AND rel.relnamespace = 2200::oid AND NOT rel.relispartition AND rel.oid = 16999::oid ORDER BY rel.relname;

-- columns: name name; atttypid oid; attlen smallint; attnum smallint; attndims integer; atttypmod integer; attacl aclitem[]; attnotnull boolean; attoptions text[]; attstattarget integer; attstorage "char"; attidentity "char"; defval text; typname text; displaytypname text; elemoid oid; typnspname name; defaultstorage "char"; description text; indkey int2vector; isdup boolean; collspcname text; is_fk boolean; seclabels text[]; is_sys_column boolean; colconstype text; genexpr text; relname name; is_view_only boolean; seqrelid oid; seqtypid oid; seqstart bigint; seqincrement bigint; seqmax bigint; seqmin bigint; seqcache bigint; seqcycle boolean
SELECT DISTINCT att.attname AS name, att.atttypid, att.attlen, att.attnum, att.attndims, att.atttypmod, att.attacl, att.attnotnull, att.attstattarget, att.attstorage, att.attidentity,
 pg_catalog.pg_get_expr(def.adbin, def.adrelid) AS defval, pg_catalog.format_type(ty.oid, NULL) AS typname, pg_catalog.format_type(ty.oid, att.atttypmod) AS displaytypname,
 CASE WHEN ty.typelem > 0 THEN ty.typelem ELSE ty.oid END AS elemoid, (SELECT nspname FROM pg_catalog.pg_namespace WHERE oid = ty.typnamespace) AS typnspname, ty.typstorage AS defaultstorage, description, pi.indkey,
 (SELECT count(1) FROM pg_catalog.pg_type t2 WHERE t2.typname = ty.typname) > 1 AS isdup,
 CASE WHEN length(coll.collname::text) > 0 AND length(nspc.nspname::text) > 0 THEN pg_catalog.concat(pg_catalog.quote_ident(nspc.nspname), '.', pg_catalog.quote_ident(coll.collname)) ELSE '' END AS collspcname,
 EXISTS (SELECT 1 FROM pg_catalog.pg_constraint WHERE conrelid = att.attrelid AND contype = 'f' AND att.attnum = ANY (conkey)) AS is_fk,
 (SELECT pg_catalog.array_agg(provider || '=' || label) FROM pg_catalog.pg_seclabels sl1 WHERE sl1.objoid = att.attrelid AND sl1.objsubid = att.attnum) AS seclabels,
 (CASE WHEN (att.attnum < 1) THEN true ELSE false END) AS is_sys_column, (CASE WHEN (att.attidentity in ('a', 'd')) THEN 'i' WHEN (att.attgenerated in ('s')) THEN 'g' ELSE 'n' END) AS colconstype,
 (CASE WHEN (att.attgenerated in ('s')) THEN pg_catalog.pg_get_expr(def.adbin, def.adrelid) END) AS genexpr, tab.relname AS relname, (CASE WHEN tab.relkind = 'v' THEN true ELSE false END) AS is_view_only, seq.*
FROM pg_catalog.pg_attribute att JOIN pg_catalog.pg_type ty ON ty.oid = atttypid LEFT OUTER JOIN pg_catalog.pg_attrdef def ON adrelid = att.attrelid AND adnum = att.attnum
 LEFT OUTER JOIN pg_catalog.pg_description des ON (des.objoid = att.attrelid AND des.objsubid = att.attnum AND des.classoid = 'pg_class'::regclass)
 LEFT OUTER JOIN (pg_catalog.pg_depend dep JOIN pg_catalog.pg_class cs ON dep.classid = 'pg_class'::regclass AND dep.objid = cs.oid AND cs.relkind = 'S') ON dep.refobjid = att.attrelid AND dep.refobjsubid = att.attnum
 LEFT OUTER JOIN pg_catalog.pg_index pi ON pi.indrelid = att.attrelid AND indisprimary LEFT OUTER JOIN pg_catalog.pg_collation coll ON att.attcollation = coll.oid LEFT OUTER JOIN pg_catalog.pg_namespace nspc ON coll.collnamespace = nspc.oid
 LEFT OUTER JOIN pg_catalog.pg_sequence seq ON cs.oid = seq.seqrelid LEFT OUTER JOIN pg_catalog.pg_class tab ON tab.oid = att.attrelid
WHERE att.attrelid = 16999::oid AND att.attnum > 0 AND att.attisdropped IS FALSE ORDER BY att.attnum;

-- columns: oid oid; name name; indrelid oid; indkey int2vector; indisclustered boolean; indisvalid boolean; indisunique boolean; indisprimary boolean; nspname name; indnatts smallint; spcoid oid; spcname name; description text; indconstraint text; contype "char"; condeferrable boolean; condeferred boolean; amname name; is_inherited boolean; fillfactor text
SELECT cls.oid, cls.relname AS name, indrelid, indkey, indisclustered, indisvalid, indisunique, indisprimary, n.nspname, indnatts, cls.reltablespace AS spcoid, CASE WHEN (length(spcname::text) > 0 OR cls.relkind = 'I') THEN spcname ELSE
 (SELECT sp.spcname FROM pg_catalog.pg_database dtb JOIN pg_catalog.pg_tablespace sp ON dtb.dattablespace = sp.oid WHERE dtb.oid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())) END AS spcname,
 CASE contype WHEN 'p' THEN desp.description WHEN 'u' THEN desp.description WHEN 'x' THEN desp.description ELSE des.description END AS description, pg_catalog.pg_get_expr(indpred, indrelid, true) AS indconstraint,
 contype, condeferrable, condeferred, amname, (SELECT (CASE WHEN count(i.inhrelid) > 0 THEN true ELSE false END) FROM pg_inherits i WHERE i.inhrelid = cls.oid) AS is_inherited, substring(pg_catalog.array_to_string(cls.reloptions, ',') from 'fillfactor=([0-9]*)') AS fillfactor
FROM pg_catalog.pg_index idx JOIN pg_catalog.pg_class cls ON cls.oid = indexrelid JOIN pg_catalog.pg_class tab ON tab.oid = indrelid LEFT OUTER JOIN pg_catalog.pg_tablespace ta ON ta.oid = cls.reltablespace JOIN pg_catalog.pg_namespace n ON n.oid = tab.relnamespace
 JOIN pg_catalog.pg_am am ON am.oid = cls.relam LEFT JOIN pg_catalog.pg_depend dep ON (dep.classid = cls.tableoid AND dep.objid = cls.oid AND dep.refobjsubid = '0' AND dep.refclassid = (SELECT oid FROM pg_catalog.pg_class WHERE relname = 'pg_constraint') AND dep.deptype = 'i')
 LEFT OUTER JOIN pg_catalog.pg_constraint con ON (con.tableoid = dep.refclassid AND con.oid = dep.refobjid) LEFT OUTER JOIN pg_catalog.pg_description des ON (des.objoid = cls.oid AND des.classoid = 'pg_class'::regclass)
 LEFT OUTER JOIN pg_catalog.pg_description desp ON (desp.objoid = con.oid AND desp.objsubid = 0 AND desp.classoid = 'pg_constraint'::regclass)
WHERE indrelid = 16999::OID AND conname is NULL ORDER BY cls.relname;

-- columns: oid oid; name name; condeferrable boolean; condeferred boolean; confupdtype "char"; confdeltype "char"; confmatchtype boolean; conkey smallint[]; confkey smallint[]; confrelid oid; fknsp name; fktab name; refnspoid oid; refnsp name; reftab name; description text; convalidated boolean; conislocal boolean
SELECT ct.oid, conname AS name, condeferrable, condeferred, confupdtype, confdeltype, CASE confmatchtype WHEN 's' THEN FALSE WHEN 'f' THEN TRUE END AS confmatchtype, conkey, confkey, confrelid, nl.nspname AS fknsp, cl.relname AS fktab, nr.oid AS refnspoid, nr.nspname AS refnsp, cr.relname AS reftab, description, convalidated, conislocal
FROM pg_catalog.pg_constraint ct JOIN pg_catalog.pg_class cl ON cl.oid = conrelid JOIN pg_catalog.pg_namespace nl ON nl.oid = cl.relnamespace JOIN pg_catalog.pg_class cr ON cr.oid = confrelid JOIN pg_catalog.pg_namespace nr ON nr.oid = cr.relnamespace
 LEFT OUTER JOIN pg_catalog.pg_description des ON (des.objoid = ct.oid AND des.classoid = 'pg_constraint'::regclass)
WHERE contype = 'f' AND conrelid = 16999::oid ORDER BY conname;

-- columns: 
SELECT DISTINCT dep.deptype, dep.refclassid, cl.relkind, ad.adbin, pg_catalog.pg_get_expr(ad.adbin, ad.adrelid) AS adsrc, CASE WHEN cl.relkind IS NOT NULL THEN CASE WHEN cl.relkind = 'r' THEN cl.relkind::text || COALESCE(dep.refobjsubid::character varying, '') ELSE cl.relkind::text END
 WHEN tg.oid IS NOT NULL THEN 'T'::text WHEN ty.oid IS NOT NULL AND ty.typbasetype = 0 THEN 'y'::text WHEN ns.oid IS NOT NULL THEN 'n'::text WHEN pr.oid IS NOT NULL THEN 'p'::text WHEN la.oid IS NOT NULL THEN 'l'::text WHEN rw.oid IS NOT NULL THEN 'R'::text WHEN co.oid IS NOT NULL THEN 'C'::text || contype::text ELSE '' END AS type,
 COALESCE(coc.relname, clrw.relname) AS ownertable, CASE WHEN cl.relname IS NOT NULL AND att.attname IS NOT NULL THEN cl.relname || COALESCE('.' || att.attname, '') ELSE COALESCE(cl.relname, co.conname, pr.proname, tg.tgname, ty.typname, la.lanname, rw.rulename, ns.nspname) END AS refname,
 COALESCE(nsc.nspname, nso.nspname, nsp.nspname, nst.nspname, nsrw.nspname) AS nspname
FROM pg_catalog.pg_depend dep LEFT JOIN pg_catalog.pg_class cl ON dep.objid = cl.oid LEFT JOIN pg_catalog.pg_attribute att ON dep.objid = att.attrelid AND dep.objsubid = att.attnum LEFT JOIN pg_catalog.pg_namespace nsc ON cl.relnamespace = nsc.oid
 LEFT JOIN pg_catalog.pg_proc pr ON dep.objid = pr.oid LEFT JOIN pg_catalog.pg_namespace nsp ON pr.pronamespace = nsp.oid LEFT JOIN pg_catalog.pg_trigger tg ON dep.objid = tg.oid LEFT JOIN pg_catalog.pg_type ty ON dep.objid = ty.oid LEFT JOIN pg_catalog.pg_namespace nst ON ty.typnamespace = nst.oid
 LEFT JOIN pg_catalog.pg_constraint co ON dep.objid = co.oid LEFT JOIN pg_catalog.pg_class coc ON co.conrelid = coc.oid LEFT JOIN pg_catalog.pg_namespace nso ON co.connamespace = nso.oid LEFT JOIN pg_catalog.pg_rewrite rw ON dep.objid = rw.oid LEFT JOIN pg_catalog.pg_class clrw ON clrw.oid = rw.ev_class
 LEFT JOIN pg_catalog.pg_namespace nsrw ON clrw.relnamespace = nsrw.oid LEFT JOIN pg_catalog.pg_language la ON dep.objid = la.oid LEFT JOIN pg_catalog.pg_namespace ns ON dep.objid = ns.oid LEFT JOIN pg_catalog.pg_attrdef ad ON ad.adrelid = att.attrelid AND ad.adnum = att.attnum
WHERE dep.refobjid = 16999::oid AND dep.classid IN (SELECT oid FROM pg_catalog.pg_class WHERE relname IN ('pg_class', 'pg_constraint', 'pg_conversion', 'pg_language', 'pg_proc', 'pg_rewrite', 'pg_namespace', 'pg_trigger', 'pg_type', 'pg_attrdef', 'pg_event_trigger', 'pg_foreign_server', 'pg_foreign_data_wrapper')) ORDER BY dep.classid, cl.relkind;

-- columns: deftype text; grantee name; grantor name; privileges text[]; grantable boolean[]
SELECT 'relacl' AS deftype, COALESCE(gt.rolname, 'PUBLIC') grantee, g.rolname grantor, pg_catalog.array_agg(privilege_type) AS privileges, pg_catalog.array_agg(is_grantable) AS grantable
FROM (SELECT d.grantee, d.grantor, d.is_grantable, CASE d.privilege_type WHEN 'CONNECT' THEN 'c' WHEN 'CREATE' THEN 'C' WHEN 'DELETE' THEN 'd' WHEN 'EXECUTE' THEN 'X' WHEN 'INSERT' THEN 'a' WHEN 'REFERENCES' THEN 'x' WHEN 'SELECT' THEN 'r' WHEN 'TEMPORARY' THEN 'T' WHEN 'TRIGGER' THEN 't' WHEN 'TRUNCATE' THEN 'D' WHEN 'UPDATE' THEN 'w' WHEN 'USAGE' THEN 'U' ELSE 'UNKNOWN' END AS privilege_type
 FROM (SELECT rel.relacl FROM pg_catalog.pg_class rel LEFT OUTER JOIN pg_catalog.pg_tablespace spc ON spc.oid = rel.reltablespace LEFT OUTER JOIN pg_catalog.pg_constraint con ON con.conrelid = rel.oid AND con.contype = 'p' WHERE rel.relkind IN ('r', 's', 't', 'p') AND rel.relnamespace = 2200::oid AND rel.oid = 16999::oid) acl,
 (SELECT (d).grantee AS grantee, (d).grantor AS grantor, (d).is_grantable AS is_grantable, (d).privilege_type AS privilege_type FROM (SELECT aclexplode(rel.relacl) as d FROM pg_catalog.pg_class rel WHERE rel.relkind IN ('r', 's', 't', 'p') AND rel.relnamespace = 2200::oid AND rel.oid = 16999::oid) a) d) d
 LEFT JOIN pg_catalog.pg_roles g ON (d.grantor = g.oid) LEFT JOIN pg_catalog.pg_roles gt ON (d.grantee = gt.oid) GROUP BY g.rolname, gt.rolname;

-- columns: oid oid; name name; schema name; owner name; comment text; reltuples bigint; definition text; spcname name; seclabels text[]
SELECT c.oid, c.relname AS name, nspname AS schema, pg_catalog.pg_get_userbyid(c.relowner) AS owner, description AS comment, c.reltuples::bigint, pg_catalog.pg_get_viewdef(c.oid, true) AS definition, spc.spcname,
 (WITH labels AS (SELECT provider || '=' || label AS seclabels FROM pg_catalog.pg_seclabels sl1 WHERE sl1.objoid = c.oid AND sl1.objsubid = 0) SELECT array_agg(seclabels) FROM labels) AS seclabels
FROM pg_catalog.pg_class c LEFT OUTER JOIN pg_catalog.pg_namespace nsp ON nsp.oid = c.relnamespace LEFT OUTER JOIN pg_catalog.pg_tablespace spc ON spc.oid = c.reltablespace LEFT OUTER JOIN pg_catalog.pg_description des ON (des.objoid = c.oid AND des.objsubid = 0 AND des.classoid = 'pg_class'::regclass)
WHERE ((c.relhasrules AND (EXISTS (SELECT r.rulename FROM pg_catalog.pg_rewrite r WHERE ((r.ev_class = c.oid) AND (pg_catalog.bpchar(r.ev_type) = '1'::bpchar)))) AND (c.relkind = 'v'::char))) AND c.relnamespace = 2200::oid ORDER BY c.relname;

-- columns: oid oid; name name
SELECT t.oid, t.typname AS name FROM pg_catalog.pg_type t LEFT OUTER JOIN pg_catalog.pg_type e ON e.oid = t.typelem LEFT OUTER JOIN pg_catalog.pg_class ct ON ct.oid = t.typrelid AND ct.relkind <> 'c' LEFT OUTER JOIN pg_catalog.pg_description des ON (des.objoid = t.oid AND des.classoid = 'pg_type'::regclass)
WHERE t.typtype != 'd' AND t.typname NOT LIKE E'\\_%' AND t.typnamespace = 2200::oid AND ct.oid is NULL ORDER BY t.typname;

-- columns: typname text; elemoid oid; typlen integer; typtype "char"; oid oid; nspname name; isdup boolean; is_collatable boolean
SELECT * FROM (SELECT pg_catalog.format_type(t.oid, NULL) AS typname, CASE WHEN typelem > 0 THEN typelem ELSE t.oid END AS elemoid, typlen, typtype, t.oid, nspname, (SELECT COUNT(1) FROM pg_catalog.pg_type t2 WHERE t2.typname = t.typname) > 1 AS isdup, CASE WHEN t.typcollation != 0 THEN TRUE ELSE FALSE END AS is_collatable
 FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace nsp ON typnamespace = nsp.oid WHERE (NOT (typname = 'unknown' AND nspname = 'pg_catalog')) AND typisdefined AND typtype IN ('b', 'c', 'd', 'e', 'r') AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_class WHERE relnamespace = typnamespace AND relname = typname AND relkind != 'c') AND
 (typname NOT LIKE '_%' OR NOT EXISTS (SELECT 1 FROM pg_catalog.pg_class WHERE relnamespace = typnamespace AND relname = substring(typname FROM 2)::name AND relkind != 'c')) AND nsp.nspname != 'information_schema' UNION SELECT 'smallserial', 0, 2, 'b', 0, 'pg_catalog', false, false UNION SELECT 'bigserial', 0, 8, 'b', 0, 'pg_catalog', false, false UNION SELECT 'serial', 0, 4, 'b', 0, 'pg_catalog', false, false) AS dummy ORDER BY 1;

-- columns: id oid; name name; is_superuser boolean; can_create_role boolean; can_create_db boolean; can_signal_backend boolean
SELECT roles.oid as id, roles.rolname as name, roles.rolsuper as is_superuser, CASE WHEN roles.rolsuper THEN true ELSE roles.rolcreaterole END as can_create_role, CASE WHEN roles.rolsuper THEN true ELSE roles.rolcreatedb END as can_create_db, CASE WHEN 'pg_signal_backend' = ANY (ARRAY (WITH RECURSIVE cte AS (
 SELECT pg_roles.oid, pg_roles.rolname FROM pg_roles WHERE pg_roles.oid = roles.oid UNION ALL SELECT m.roleid, pgr.rolname FROM cte cte_1 JOIN pg_auth_members m ON m.member = cte_1.oid JOIN pg_roles pgr ON pgr.oid = m.roleid) SELECT rolname FROM cte)) THEN True ELSE False END as can_signal_backend
FROM pg_catalog.pg_roles as roles WHERE rolname = current_user;
