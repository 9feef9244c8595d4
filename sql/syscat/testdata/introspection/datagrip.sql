-- Questions that this client asks, or people ask by hand, written from what is known of it.

-- columns: table_id oid; table_name name; relkind "char"
select T.oid as table_id, C.relname as table_name, C.relkind from (select oid from pg_catalog.pg_class where relnamespace = 2200 and relkind in ('r', 'm', 'v', 'f', 'p')) T join pg_catalog.pg_class C on C.oid = T.oid where C.relname like 'emp%' order by 1;

-- columns: table_id oid; column_position smallint; column_name name; column_state_number boolean; type_mod integer; dimensions_number integer; type_spec text; type_id oid; mandatory boolean; column_default_expression text; column_is_inherited boolean; options text[]; column_is_dropped boolean; identity_kind "char"; generated "char"
with T as (select distinct T.oid as table_id, T.relname as table_name from pg_catalog.pg_class T, pg_catalog.pg_attribute A where T.relnamespace = 2200::oid and T.relkind in ('r', 'm', 'v', 'f', 'p') and T.relname = 'emp' and A.attrelid = T.oid)
select T.table_id, C.attnum as column_position, C.attname as column_name, C.xmin is not null as column_state_number, C.atttypmod as type_mod, C.attndims as dimensions_number, pg_catalog.format_type(C.atttypid, C.atttypmod) as type_spec, C.atttypid as type_id, C.attnotnull as mandatory,
 pg_catalog.pg_get_expr(D.adbin, T.table_id) as column_default_expression, not C.attislocal as column_is_inherited, C.attfdwoptions as options, C.attisdropped as column_is_dropped, C.attidentity as identity_kind, C.attgenerated as generated
from T join pg_catalog.pg_attribute C on T.table_id = C.attrelid left join pg_catalog.pg_attrdef D on (C.attrelid, C.attnum) = (D.adrelid, D.adnum) where attnum > 0 order by table_id, attnum;

-- columns: table_id oid; table_kind "char"; index_name name; index_id oid; is_unique boolean; is_primary boolean; condition text; ancestors character varying; tablespace_id oid; access_method_id oid
select tab.oid table_id, tab.relkind table_kind, ind_stor.relname index_name, ind_head.indexrelid index_id, ind_head.indisunique is_unique, ind_head.indisprimary is_primary, pg_catalog.pg_get_expr(ind_head.indpred, ind_head.indrelid) as condition,
 (select pg_catalog.array_agg(inhparent::bigint order by inhseqno)::varchar from pg_catalog.pg_inherits where ind_stor.oid = inhrelid) as ancestors, ind_stor.reltablespace tablespace_id, opcmethod as access_method_id
from pg_catalog.pg_class tab join pg_catalog.pg_index ind_head on ind_head.indrelid = tab.oid join pg_catalog.pg_class ind_stor on tab.relnamespace = ind_stor.relnamespace and ind_stor.oid = ind_head.indexrelid left join pg_catalog.pg_opclass on pg_opclass.oid = ANY (indclass)
where tab.relnamespace = 2200::oid and tab.relkind in ('r', 'm', 'v', 'p') and ind_stor.relkind in ('i', 'I') and tab.relname = 'emp';

-- columns: index_id oid; col_idx bigint; in_key boolean; column_position smallint; column_options smallint; collation oid; collation_schema name; collation_str name; opclass oid; opclass_schema name; opclass_str name; expression text; can_order boolean
select ind_head.indexrelid index_id, k col_idx, k <= indnkeyatts in_key, ind_head.indkey[k - 1] column_position, ind_head.indoption[k - 1] column_options, ind_head.indcollation[k - 1] as collation, colln.nspname as collation_schema, collname as collation_str, ind_head.indclass[k - 1] as opclass,
 case when opcdefault then null else opcn.nspname end as opclass_schema, case when opcdefault then null else opcname end as opclass_str, case when indexprs is null then null when ind_head.indkey[k - 1] = 0 then chr(27) || pg_catalog.pg_get_indexdef(ind_head.indexrelid, k::int, true) else pg_catalog.pg_get_indexdef(ind_head.indexrelid, k::int, true) end as expression,
 amcanorder can_order
from pg_catalog.pg_index ind_head join pg_catalog.pg_class ind_stor on ind_stor.oid = ind_head.indexrelid cross join unnest(ind_head.indkey) with ordinality u(u, k) left join pg_catalog.pg_collation on pg_collation.oid = ind_head.indcollation[k - 1] left join pg_catalog.pg_namespace colln on collnamespace = colln.oid
 cross join pg_catalog.pg_indexam_has_property(ind_stor.relam, 'can_order') amcanorder left join pg_catalog.pg_opclass on pg_opclass.oid = ind_head.indclass[k - 1] left join pg_catalog.pg_namespace opcn on opcnamespace = opcn.oid
where ind_stor.relnamespace = 2200::oid and ind_stor.relkind in ('i', 'I') and ind_head.indrelid = 16999 order by index_id, k;

-- columns: table_id oid; table_kind "char"; con_id bigint; con_name name; con_kind "char"; con_columns smallint[]; index_id oid; ref_table_id oid; is_deferrable boolean; is_init_deferred boolean; on_update "char"; on_delete "char"; no_inherit boolean; con_expression text; ref_columns smallint[]; excl_operators integer[]; excl_operators_str character varying[]
select T.oid table_id, relkind table_kind, C.oid::bigint con_id, conname con_name, contype con_kind, conkey con_columns, conindid index_id, confrelid ref_table_id, condeferrable is_deferrable, condeferred is_init_deferred, confupdtype on_update, confdeltype on_delete, connoinherit no_inherit, pg_catalog.pg_get_expr(conbin, T.oid) con_expression, confkey ref_columns, conexclop::int[] excl_operators,
 array(select unnest::regoper::varchar from unnest(conexclop)) excl_operators_str from pg_catalog.pg_constraint C join pg_catalog.pg_class T on C.conrelid = T.oid where relkind in ('r', 'v', 'f', 'p') and relnamespace = 2200::oid and contype in ('p', 'u', 'f', 'c', 'x') and connamespace = 2200::oid and T.relname in ('emp', 'dept');

-- columns: lang_oid oid; r_name name; r_id oid; arg_names text[]; arg_modes "char"[]; in_arg_types integer[]; all_arg_types integer[]; arg_defaults text; arg_variadic_id oid; ret_type_id oid; ret_set boolean; kind "char"; volatile_kind "char"; is_strict boolean; is_security_definer boolean; configuration_parameters text[]; cost real; owner name; rows real; is_leakproof boolean; concurrency_kind "char"; lang name
with languages as (select oid as lang_oid, lanname as lang from pg_catalog.pg_language), routines as (select proname as r_name, prolang as lang_oid, oid as r_id, proargnames as arg_names, proargmodes as arg_modes, proargtypes::int[] as in_arg_types, proallargtypes::int[] as all_arg_types, pg_catalog.pg_get_expr(proargdefaults, 0) as arg_defaults, provariadic as arg_variadic_id,
 prorettype as ret_type_id, proretset as ret_set, prokind as kind, provolatile as volatile_kind, proisstrict as is_strict, prosecdef as is_security_definer, proconfig as configuration_parameters, procost as cost, pg_catalog.pg_get_userbyid(proowner) as "owner", prorows as rows, proleakproof as is_leakproof, proparallel as concurrency_kind from pg_catalog.pg_proc where pronamespace = 2200::oid and not (prokind = 'a')) select * from routines natural join languages;

-- columns: id oid; role_id oid; admin_option boolean
select member id, roleid role_id, admin_option from pg_catalog.pg_auth_members where member = 16999 order by id, roleid::text;

-- columns: id oid; name name; acl aclitem[]; owner name; comment text
select oid as id, nspname as name, nspacl as acl, pg_catalog.pg_get_userbyid(nspowner) as "owner", pg_catalog.obj_description(oid, 'pg_namespace') as comment from pg_catalog.pg_namespace where nspname !~ '^pg_toast|^pg_temp' order by case when nspname = pg_catalog.current_schema() then -1::bigint else oid::bigint end;

-- columns: id oid; kind character(1); sub_id integer; description text
select D.objoid id, case when 'pg_catalog.pg_class'::regclass::oid = classoid then C.relkind end::char as kind, D.objsubid sub_id, D.description from pg_catalog.pg_description D left join pg_catalog.pg_class C on D.objoid = C.oid where C.relnamespace = 2200::oid and C.relkind != 'c' order by id, sub_id;

-- columns: view_id oid; rule_id oid; rule_name name; rule_event_code text; rule_fire_mode "char"; rule_is_instead boolean
select R.ev_class as view_id, R.oid as rule_id, R.rulename as rule_name, pg_catalog.translate(ev_type, '1234', 'SUID') as rule_event_code, R.ev_enabled as rule_fire_mode, R.is_instead as rule_is_instead from pg_catalog.pg_rewrite R where R.ev_class in (select oid from pg_catalog.pg_class where relnamespace = 2200::oid) order by R.ev_class::bigint, ev_type;

-- columns: relkind "char"; has_table_privilege boolean
select distinct relkind, pg_catalog.has_table_privilege(oid, 'SELECT') from pg_catalog.pg_class where relnamespace = 2200 order by 1;
