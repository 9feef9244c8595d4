-- Views and functions run with whose rights; predefined roles; ownership
CREATE ROLE vo
CREATE ROLE base
CREATE ROLE usr
CREATE SCHEMA x AUTHORIZATION base
GRANT USAGE, CREATE ON SCHEMA x TO vo
GRANT USAGE ON SCHEMA x TO usr
SET ROLE base
CREATE TABLE x.t (id int, secret text)
INSERT INTO x.t VALUES (1, 'one'), (2, 'two')
GRANT SELECT (id) ON x.t TO vo
SET ROLE vo
CREATE VIEW x.ids AS SELECT id FROM x.t
CREATE VIEW x.all_of_it AS SELECT * FROM x.t
CREATE VIEW x.inv WITH (security_invoker = true) AS SELECT id FROM x.t
SELECT * FROM x.ids ORDER BY 1
SELECT * FROM x.all_of_it
GRANT SELECT ON x.ids, x.all_of_it, x.inv TO usr
GRANT INSERT ON x.ids TO usr
SET ROLE usr
SELECT * FROM x.ids ORDER BY 1
SELECT * FROM x.all_of_it
SELECT * FROM x.inv
INSERT INTO x.ids VALUES (3)
UPDATE x.ids SET id = 4
SELECT * FROM x.t
SELECT id FROM x.t
WITH c AS (SELECT id FROM x.t) SELECT * FROM c
SELECT (SELECT max(id) FROM x.t)
SELECT EXISTS (SELECT 1 FROM x.t)
SELECT * FROM x.ids WHERE id IN (SELECT id FROM x.t)
CREATE VIEW x.mine AS SELECT 1
CREATE TEMP VIEW tv AS SELECT * FROM x.t
SELECT * FROM tv
CREATE TEMP TABLE ct AS SELECT * FROM x.t
PREPARE p AS SELECT * FROM x.t
EXECUTE p
DECLARE c CURSOR WITH HOLD FOR SELECT * FROM x.t
SET ROLE base
CREATE FUNCTION x.def() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM x.t'
CREATE FUNCTION x.inv() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM x.t'
SET ROLE usr
SELECT x.def()
SELECT x.inv()
SET ROLE base
GRANT INSERT ON x.t TO vo
SET ROLE usr
INSERT INTO x.ids VALUES (3)
RESET ROLE
GRANT pg_read_all_data TO usr
SET ROLE usr
SELECT count(*) FROM x.t
SELECT * FROM x.inv ORDER BY 1
INSERT INTO x.t VALUES (9)
DELETE FROM x.t
RESET ROLE
REVOKE pg_read_all_data FROM usr
GRANT pg_write_all_data TO usr
SET ROLE usr
SELECT count(*) FROM x.t
INSERT INTO x.t VALUES (9)
UPDATE x.t SET secret = 'w'
UPDATE x.t SET secret = 'w' WHERE id = 9
DELETE FROM x.t
TRUNCATE x.t
RESET ROLE
SELECT has_table_privilege('usr', 'x.t', 'INSERT'), has_table_privilege('usr', 'x.t', 'SELECT'), has_schema_privilege('usr', 'x', 'USAGE'), has_schema_privilege('usr', 'x', 'CREATE')
REVOKE pg_write_all_data FROM usr
GRANT pg_read_all_settings TO usr
SET ROLE usr
SELECT current_setting('data_directory') IS NOT NULL
RESET ROLE
GRANT pg_database_owner TO usr
CREATE ROLE pg_mine
ALTER ROLE pg_monitor LOGIN
DROP ROLE pg_monitor
ALTER TABLE x.t OWNER TO vo
SET ROLE base
SELECT * FROM x.t
ALTER TABLE x.t OWNER TO base
SET ROLE vo
ALTER TABLE x.t OWNER TO base
ALTER TABLE x.t OWNER TO usr
ALTER TABLE x.t ADD COLUMN n int
DROP TABLE x.t
DROP TABLE x.t CASCADE
RESET ROLE
SELECT has_table_privilege('usr', 'pg_class', 'SELECT'), has_table_privilege('usr', 'pg_authid', 'SELECT')
SELECT has_table_privilege('nope', 'pg_class', 'SELECT')
SELECT has_table_privilege('usr', 'nope', 'SELECT')
SELECT has_table_privilege('usr', 'pg_class', 'NOPE')
SELECT has_database_privilege('usr', 'postgres', 'CREATE'), has_database_privilege('usr', 'postgres', 'CONNECT'), has_database_privilege('usr', 'postgres', 'TEMP')
SELECT has_function_privilege('usr', 'x.def()', 'EXECUTE'), has_language_privilege('usr', 'sql', 'USAGE'), has_language_privilege('usr', 'c', 'USAGE')
SELECT has_type_privilege('usr', 'int4', 'USAGE'), has_tablespace_privilege('usr', 'pg_default', 'CREATE')
SELECT has_sequence_privilege('usr', 'pg_class', 'USAGE')
SELECT has_table_privilege('usr', 'x.ids', 'SELECT WITH GRANT OPTION'), has_table_privilege('vo', 'x.ids', 'SELECT WITH GRANT OPTION')
SET ROLE nope
SET SESSION AUTHORIZATION nope
SET ROLE none
SELECT current_user = session_user
