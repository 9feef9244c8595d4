-- Privileges on what is built in: functions, types, languages, tablespaces, parameters, system catalogs.
CREATE ROLE pa
CREATE ROLE pb
CREATE ROLE pc IN ROLE pb
CREATE SCHEMA b
GRANT CREATE, USAGE ON SCHEMA b TO pa, pb
GRANT SET ON PARAMETER nosuch TO pa
GRANT SET ON PARAMETER my.cust TO pa
GRANT SET ON PARAMETER "Work_Mem", DateStyle, track_functions TO pa WITH GRANT OPTION
GRANT ALTER SYSTEM ON PARAMETER maintenance_work_mem TO pa
GRANT ALL ON PARAMETER log_statement TO pb
GRANT SELECT ON PARAMETER log_statement TO pb
SELECT parname, paracl FROM pg_parameter_acl ORDER BY 1
SELECT has_parameter_privilege('pa', 'nosuch', 'set'), has_parameter_privilege('pa', 'work_mem', 'set'), has_parameter_privilege('pb', 'WORK_MEM', 'alter system')
SELECT has_parameter_privilege('pc', 'log_statement', 'set'), has_parameter_privilege('pa', 'datestyle', 'set with grant option'), has_parameter_privilege('pb', 'log_statement', 'set with grant option')
SELECT has_parameter_privilege('pa', 'work_mem', 'select')
SELECT has_parameter_privilege('postgres', 'work_mem', 'set')
SET SESSION AUTHORIZATION pa
SET track_functions = 'all'
SHOW track_functions
RESET track_functions
SET log_statement = 'all'
SELECT set_config('track_functions', 'pl', false), set_config('log_statement', 'all', false)
GRANT SET ON PARAMETER log_statement TO pb
GRANT SET ON PARAMETER track_functions TO pb
GRANT ALL ON PARAMETER track_functions TO pb
ALTER SYSTEM SET log_statement = 'all'
ALTER SYSTEM RESET ALL
SET SESSION AUTHORIZATION pc
SET log_statement = 'all'
SET track_functions = 'all'
RESET SESSION AUTHORIZATION
REVOKE SET ON PARAMETER track_functions FROM pa
REVOKE ALL ON PARAMETER track_functions FROM pa CASCADE
REVOKE ALL ON PARAMETER log_statement FROM pb
REVOKE ALL ON PARAMETER "foo bar" FROM pb
SELECT parname, paracl FROM pg_parameter_acl ORDER BY 1
GRANT USAGE ON FOREIGN DATA WRAPPER ff TO pa
GRANT USAGE ON FOREIGN SERVER ff TO pa
GRANT USAGE ON LANGUAGE nolang TO pa
GRANT USAGE ON LANGUAGE c TO pa
GRANT CREATE ON LANGUAGE sql TO pa
GRANT CREATE ON TABLESPACE nots TO pa
GRANT SELECT ON TABLESPACE pg_default TO pa
GRANT CREATE ON TABLESPACE pg_default TO pa WITH GRANT OPTION
SELECT spcname, spcacl FROM pg_tablespace ORDER BY 1
SELECT has_tablespace_privilege('pa', 'pg_default', 'create'), has_tablespace_privilege('pb', 'pg_default', 'create')
GRANT SELECT ON LARGE OBJECT 99 TO pa
GRANT SELECT ON pg_authid TO pa
SELECT has_table_privilege('pa', 'pg_authid', 'select'), has_table_privilege('pb', 'pg_authid', 'select')
SELECT relname, relacl FROM pg_class WHERE relname = 'pg_authid'
SET SESSION AUTHORIZATION pa
SELECT count(*) > 0 FROM pg_authid
GRANT CREATE ON TABLESPACE pg_default TO pb
SET SESSION AUTHORIZATION pb
SELECT count(*) > 0 FROM pg_authid
GRANT SELECT ON pg_authid TO pc
RESET SESSION AUTHORIZATION
REVOKE SELECT ON pg_authid FROM pa
REVOKE CREATE ON TABLESPACE pg_default FROM pa CASCADE
GRANT USAGE ON TYPE int4 TO pa
GRANT USAGE ON TYPE _int4 TO pa
GRANT USAGE ON DOMAIN int4 TO pa
GRANT USAGE ON TYPE nosuch TO pa
REVOKE USAGE ON TYPE point FROM PUBLIC
SELECT typname, typacl FROM pg_type WHERE typname IN ('int4', 'point') ORDER BY 1
SELECT has_type_privilege('pa', 'point', 'usage'), has_type_privilege('pa', 'int4', 'usage')
SET SESSION AUTHORIZATION pa
CREATE TABLE b.xx (a point)
CREATE TABLE b.xx (a point[])
SELECT '(1,2)'::point
CREATE DOMAIN b.dd AS point
CREATE TYPE b.cc AS (p point)
CREATE FUNCTION b.ff(point) RETURNS int LANGUAGE sql AS 'SELECT 1'
CREATE FUNCTION b.ff() RETURNS point LANGUAGE sql AS 'SELECT NULL::point'
CREATE TABLE b.yy (a int)
ALTER TABLE b.yy ADD COLUMN p point
ALTER TABLE b.yy ALTER COLUMN a TYPE point USING NULL
RESET SESSION AUTHORIZATION
GRANT USAGE ON TYPE point TO PUBLIC
REVOKE EXECUTE ON FUNCTION lower(text) FROM PUBLIC
REVOKE EXECUTE ON FUNCTION int4mul(int4, int4) FROM PUBLIC
REVOKE EXECUTE ON FUNCTION max(int4) FROM PUBLIC
REVOKE EXECUTE ON FUNCTION now FROM PUBLIC
REVOKE EXECUTE ON FUNCTION abs FROM PUBLIC
REVOKE EXECUTE ON FUNCTION nosuch(int) FROM PUBLIC
SELECT proacl FROM pg_proc WHERE oid = 'lower(text)'::regprocedure
SET SESSION AUTHORIZATION pa
SELECT lower('A')
SELECT relname FROM pg_class WHERE lower(relname::text) = 'x'
SELECT upper('a')
SELECT now() IS NULL
SELECT 2 * 3
SELECT max(1)
SELECT max(relnatts::int) > 0 FROM pg_class
SELECT max(relname::text) > '' FROM pg_class
SELECT has_function_privilege('lower(text)', 'execute'), has_function_privilege('upper(text)', 'execute')
GRANT EXECUTE ON FUNCTION lower(text) TO pb
RESET SESSION AUTHORIZATION
GRANT EXECUTE ON FUNCTION lower(text) TO pb
SET SESSION AUTHORIZATION pc
SELECT lower('A')
SELECT pg_read_file('x')
SELECT pg_ls_dir('.')
SELECT pg_reload_conf()
SELECT pg_rotate_logfile()
COPY b.yy TO '/nowhere/x'
COPY b.yy FROM '/nowhere/x'
COPY b.yy FROM PROGRAM 'x'
RESET SESSION AUTHORIZATION
GRANT pg_read_server_files, pg_write_server_files TO pc
SET SESSION AUTHORIZATION pc
COPY b.yy TO '/nowhere/x'
RESET SESSION AUTHORIZATION
GRANT SELECT, INSERT ON b.yy TO pc
GRANT USAGE ON SCHEMA b TO pc
SET SESSION AUTHORIZATION pc
COPY b.yy TO '/nowhere/x'
COPY b.yy TO 'x'
COPY b.yy FROM '/nowhere/x'
COPY b.yy FROM '/tmp'
RESET SESSION AUTHORIZATION
GRANT EXECUTE ON FUNCTION lower(text) TO PUBLIC
GRANT EXECUTE ON FUNCTION int4mul(int4, int4), max(int4), now() TO PUBLIC
REVOKE USAGE ON LANGUAGE sql, plpgsql FROM PUBLIC
GRANT USAGE ON LANGUAGE plpgsql TO pb
SELECT lanname, lanacl FROM pg_language ORDER BY 1
SELECT has_language_privilege('pa', 'sql', 'usage'), has_language_privilege('pc', 'plpgsql', 'usage')
SET SESSION AUTHORIZATION pa
CREATE FUNCTION b.l1() RETURNS int LANGUAGE sql AS 'SELECT 1'
CREATE FUNCTION b.l2() RETURNS int LANGUAGE c AS 'x', 'y'
CREATE FUNCTION b.l3() RETURNS int LANGUAGE internal AS 'now'
GRANT USAGE ON LANGUAGE sql TO pb
RESET SESSION AUTHORIZATION
GRANT USAGE ON LANGUAGE sql, plpgsql TO PUBLIC
REVOKE USAGE ON LANGUAGE plpgsql FROM pb
-- ALTER DEFAULT PRIVILEGES, every kind
ALTER DEFAULT PRIVILEGES FOR ROLE pa GRANT SELECT ON TABLES TO pb
ALTER DEFAULT PRIVILEGES FOR ROLE pa IN SCHEMA b GRANT INSERT ON TABLES TO pb WITH GRANT OPTION
ALTER DEFAULT PRIVILEGES FOR ROLE pa GRANT USAGE ON SEQUENCES TO pb
ALTER DEFAULT PRIVILEGES FOR ROLE pa REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC
ALTER DEFAULT PRIVILEGES FOR ROLE pa REVOKE EXECUTE ON ROUTINES FROM PUBLIC
ALTER DEFAULT PRIVILEGES FOR ROLE pa REVOKE USAGE ON TYPES FROM PUBLIC
ALTER DEFAULT PRIVILEGES FOR ROLE pa GRANT ALL ON SCHEMAS TO pb
ALTER DEFAULT PRIVILEGES FOR ROLE pa IN SCHEMA b GRANT ALL ON SCHEMAS TO pb
ALTER DEFAULT PRIVILEGES FOR ROLE nosuch GRANT ALL ON TABLES TO pb
SELECT defaclnamespace::regnamespace, defaclobjtype, defaclacl FROM pg_default_acl WHERE defaclrole = 'pa'::regrole ORDER BY 2, 1
SET SESSION AUTHORIZATION pa
CREATE TABLE b.d1 (a serial)
CREATE VIEW b.d2 AS SELECT 1 AS x
CREATE FUNCTION b.d3() RETURNS int LANGUAGE sql AS 'SELECT 1'
CREATE PROCEDURE b.d4() LANGUAGE sql AS ''
CREATE TYPE b.d5 AS ENUM ('a')
CREATE DOMAIN b.d6 AS int
CREATE TYPE b.d7 AS (a int)
CREATE TABLE b.d8 AS SELECT 1 AS x
CREATE MATERIALIZED VIEW b.d9 AS SELECT 1 AS x
RESET SESSION AUTHORIZATION
SELECT relname, relacl FROM pg_class WHERE relnamespace = 'b'::regnamespace AND relkind NOT IN ('i', 't', 'c') ORDER BY 1
SELECT proname, proacl FROM pg_proc WHERE pronamespace = 'b'::regnamespace ORDER BY 1
SELECT typname, typacl FROM pg_type WHERE typnamespace = 'b'::regnamespace AND typname ~ '^d' ORDER BY 1
SET SESSION AUTHORIZATION pb
SELECT b.d3()
CALL b.d4()
CREATE TABLE pg_temp.m (a b.d5)
CREATE TABLE pg_temp.m (a b.d6)
INSERT INTO b.d1 DEFAULT VALUES
TRUNCATE b.d1
CREATE TABLE b.ref (a int REFERENCES b.yy)
LOCK TABLE b.d1
CREATE TRIGGER tr BEFORE INSERT ON b.d1 FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()
CREATE INDEX ON b.d1 (a)
COMMENT ON TABLE b.d1 IS 'x'
ANALYZE b.d1
ALTER TABLE b.d1 ADD COLUMN z int
DROP TABLE b.d1
DROP FUNCTION b.d3()
DROP TYPE b.d5
ALTER TYPE b.d5 ADD VALUE 'b'
ALTER SEQUENCE b.d1_a_seq RESTART
SELECT nextval('b.d1_a_seq'), currval('b.d1_a_seq')
SELECT setval('b.d1_a_seq', 5)
REFRESH MATERIALIZED VIEW b.d9
CREATE OR REPLACE VIEW b.d2 AS SELECT 2 AS x
RESET SESSION AUTHORIZATION
DROP ROLE pb
DROP OWNED BY pb
DROP ROLE pb
DROP OWNED BY pa CASCADE
DROP OWNED BY pc
DROP ROLE pa, pc
SELECT parname, paracl FROM pg_parameter_acl ORDER BY 1
DROP SCHEMA b CASCADE
