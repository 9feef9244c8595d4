# DROP: missing objects, wrong kinds, RESTRICT and CASCADE
DROP TABLE nosuch;
-- ERROR 42P01: table "nosuch" does not exist
DROP TABLE IF EXISTS nosuch;
-- NOTICE 00000: table "nosuch" does not exist, skipping
-- DROP TABLE
DROP TABLE IF EXISTS nosuch.t;
-- NOTICE 00000: schema "nosuch" does not exist, skipping
-- DROP TABLE
DROP VIEW nosuch;
-- ERROR 42P01: view "nosuch" does not exist
DROP INDEX nosuch;
-- ERROR 42704: index "nosuch" does not exist
DROP SEQUENCE nosuch;
-- ERROR 42P01: sequence "nosuch" does not exist
DROP SCHEMA nosuch;
-- ERROR 3F000: schema "nosuch" does not exist
DROP TYPE nosuch;
-- ERROR 42704: type "nosuch" does not exist
DROP SCHEMA IF EXISTS nosuch;
-- NOTICE 00000: schema "nosuch" does not exist, skipping
-- DROP SCHEMA
CREATE TABLE t (a int PRIMARY KEY, b int);
-- CREATE TABLE
CREATE VIEW v AS SELECT a FROM t;
-- CREATE VIEW
CREATE VIEW w AS SELECT a + 1 AS a1 FROM v;
-- CREATE VIEW
DROP VIEW t;
-- ERROR 42809: "t" is not a view
-- HINT: Use DROP TABLE to remove a table.
DROP TABLE v;
-- ERROR 42809: "v" is not a table
-- HINT: Use DROP VIEW to remove a view.
DROP INDEX t;
-- ERROR 42809: "t" is not an index
-- HINT: Use DROP TABLE to remove a table.
DROP TABLE t;
-- ERROR 2BP01: cannot drop table t because other objects depend on it
-- DETAIL: view v depends on table t
-- DETAIL: view w depends on view v
-- HINT: Use DROP ... CASCADE to drop the dependent objects too.
DROP VIEW v;
-- ERROR 2BP01: cannot drop view v because other objects depend on it
-- DETAIL: view w depends on view v
-- HINT: Use DROP ... CASCADE to drop the dependent objects too.
DROP TABLE t, v;
-- ERROR 42809: "v" is not a table
-- HINT: Use DROP VIEW to remove a view.
DROP TABLE t CASCADE;
-- NOTICE 00000: drop cascades to 2 other objects
-- DETAIL: drop cascades to view v
-- DETAIL: drop cascades to view w
-- DROP TABLE
CREATE SEQUENCE s;
-- CREATE SEQUENCE
CREATE TABLE t (a int DEFAULT nextval('s'));
-- CREATE TABLE
DROP SEQUENCE s;
-- ERROR 2BP01: cannot drop sequence s because other objects depend on it
-- DETAIL: default value for column a of table t depends on sequence s
-- HINT: Use DROP ... CASCADE to drop the dependent objects too.
DROP SEQUENCE s CASCADE;
-- NOTICE 00000: drop cascades to default value for column a of table t
-- DROP SEQUENCE
INSERT INTO t DEFAULT VALUES;
-- INSERT 0 1
SELECT * FROM t;
-- ∅
-- SELECT 1
DROP TABLE t;
-- DROP TABLE
CREATE TABLE t (a int UNIQUE);
-- CREATE TABLE
DROP INDEX t_a_key;
-- ERROR 2BP01: cannot drop index t_a_key because constraint t_a_key on table t requires it
-- HINT: You can drop constraint t_a_key on table t instead.
ALTER TABLE t DROP CONSTRAINT t_a_key;
-- ALTER TABLE
CREATE INDEX ON t (a);
-- CREATE INDEX
CREATE INDEX ON t (a);
-- CREATE INDEX
DROP INDEX t_a_idx, t_a_idx1;
-- DROP INDEX
CREATE SCHEMA sc CREATE TABLE x (a int) CREATE VIEW y AS SELECT * FROM x;
-- CREATE SCHEMA
DROP SCHEMA sc;
-- ERROR 2BP01: cannot drop schema sc because other objects depend on it
-- DETAIL: table sc.x depends on schema sc
-- DETAIL: view sc.y depends on schema sc
-- HINT: Use DROP ... CASCADE to drop the dependent objects too.
DROP SCHEMA sc CASCADE;
-- NOTICE 00000: drop cascades to 2 other objects
-- DETAIL: drop cascades to table sc.x
-- DETAIL: drop cascades to view sc.y
-- DROP SCHEMA
CREATE TYPE mood AS ENUM ('sad', 'ok');
-- CREATE TYPE
CREATE TABLE m (x mood);
-- CREATE TABLE
DROP TYPE mood;
-- ERROR 2BP01: cannot drop type mood because other objects depend on it
-- DETAIL: column x of table m depends on type mood
-- HINT: Use DROP ... CASCADE to drop the dependent objects too.
DROP TYPE mood CASCADE;
-- NOTICE 00000: drop cascades to column x of table m
-- DROP TYPE
SELECT * FROM m;
-- SELECT 0
DROP TABLE m, t;
-- DROP TABLE
CREATE TABLE x (id int PRIMARY KEY);
-- CREATE TABLE
CREATE TABLE y (id int REFERENCES x);
-- CREATE TABLE
DROP TABLE x, y;
-- DROP TABLE
