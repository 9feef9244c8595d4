# CREATE INDEX, views, materialized views, TRUNCATE
CREATE TABLE t (a int, b text, c int);
-- CREATE TABLE
INSERT INTO t VALUES (1, 'Ann', 10), (2, 'Bob', 20), (3, 'bob', 30), (4, NULL, NULL), (5, NULL, NULL);
-- INSERT 0 5
CREATE INDEX ON t (b);
-- CREATE INDEX
CREATE INDEX ON t (lower(b));
-- CREATE INDEX
CREATE UNIQUE INDEX lowb ON t (lower(b));
-- ERROR 23505: could not create unique index "lowb"
-- DETAIL: Key (lower(b))=(bob) is duplicated.
CREATE UNIQUE INDEX part ON t (lower(b)) WHERE a < 3;
-- CREATE INDEX
CREATE INDEX ON t (b DESC NULLS LAST) INCLUDE (c);
-- CREATE INDEX
CREATE INDEX part ON t (a);
-- ERROR 42P07: relation "part" already exists
CREATE INDEX IF NOT EXISTS part ON t (a);
-- NOTICE 42P07: relation "part" already exists, skipping
-- CREATE INDEX
CREATE INDEX ON t (nosuch);
-- ERROR 42703: column "nosuch" does not exist
CREATE INDEX ON nosuch (a);
-- ERROR 42P01: relation "nosuch" does not exist
CREATE INDEX ON t ((a + random()));
-- ERROR 42P17: functions in index expression must be marked IMMUTABLE
CREATE INDEX ON t (a) WHERE c > random();
-- ERROR 42P17: functions in index predicate must be marked IMMUTABLE
CREATE INDEX ON t USING nosuch (a);
-- ERROR 42704: access method "nosuch" does not exist
SELECT a FROM t WHERE lower(b) = 'bob' ORDER BY a;
-- 2
-- 3
-- SELECT 2
INSERT INTO t VALUES (2, 'BOB', 1);
-- ERROR 23505: duplicate key value violates unique constraint "part"
-- DETAIL: Key (lower(b))=(bob) already exists.
INSERT INTO t VALUES (6, 'BOB', 1);
-- INSERT 0 1
CREATE VIEW v AS SELECT a, b AS name FROM t WHERE c > 10;
-- CREATE VIEW
SELECT * FROM v ORDER BY a;
-- 2|Bob
-- 3|bob
-- SELECT 2
CREATE VIEW v AS SELECT 1;
-- ERROR 42P07: relation "v" already exists
CREATE OR REPLACE VIEW v AS SELECT a FROM t;
-- ERROR 42P16: cannot drop columns from view
CREATE OR REPLACE VIEW v AS SELECT a AS x, b AS name FROM t;
-- ERROR 42P16: cannot change name of view column "a" to "x"
-- HINT: Use ALTER VIEW ... RENAME COLUMN ... to change name of view column instead.
CREATE OR REPLACE VIEW v AS SELECT c AS a, b AS name FROM t;
-- CREATE VIEW
CREATE OR REPLACE VIEW v AS SELECT a, c AS name FROM t;
-- ERROR 42P16: cannot change data type of view column "name" from text to integer
CREATE OR REPLACE VIEW v AS SELECT a, b AS name, c FROM t WHERE c = 30;
-- CREATE VIEW
SELECT * FROM v;
-- 3|bob|30
-- SELECT 1
ALTER TABLE t RENAME b TO label;
-- ALTER TABLE
SELECT name FROM v;
-- bob
-- SELECT 1
CREATE VIEW w (x) AS SELECT a, c FROM t;
-- CREATE VIEW
SELECT * FROM w ORDER BY x, c;
-- 1|10
-- 2|20
-- 3|30
-- 4|∅
-- 5|∅
-- 6|1
-- SELECT 6
CREATE VIEW x (p, q, r) AS SELECT 1;
-- ERROR 42601: CREATE VIEW specifies more column names than columns
CREATE MATERIALIZED VIEW m AS SELECT count(*) AS n FROM t;
-- SELECT 1
SELECT * FROM m;
-- 6
-- SELECT 1
INSERT INTO t VALUES (9, 'z', 90);
-- INSERT 0 1
SELECT * FROM m;
-- 6
-- SELECT 1
REFRESH MATERIALIZED VIEW m;
-- REFRESH MATERIALIZED VIEW
SELECT * FROM m;
-- 7
-- SELECT 1
REFRESH MATERIALIZED VIEW t;
-- ERROR 0A000: "t" is not a materialized view
INSERT INTO m VALUES (1);
-- ERROR 42809: cannot change materialized view "m"
TRUNCATE t;
-- TRUNCATE TABLE
SELECT count(*) FROM t;
-- 0
-- SELECT 1
TRUNCATE nosuch;
-- ERROR 42P01: relation "nosuch" does not exist
TRUNCATE v;
-- ERROR 42809: "v" is not a table
CREATE TABLE p (id serial PRIMARY KEY);
-- CREATE TABLE
CREATE TABLE q (p int REFERENCES p);
-- CREATE TABLE
INSERT INTO p DEFAULT VALUES;
-- INSERT 0 1
INSERT INTO q VALUES (1);
-- INSERT 0 1
TRUNCATE p;
-- ERROR 0A000: cannot truncate a table referenced in a foreign key constraint
-- DETAIL: Table "q" references "p".
-- HINT: Truncate table "q" at the same time, or use TRUNCATE ... CASCADE.
TRUNCATE p, q;
-- TRUNCATE TABLE
INSERT INTO p DEFAULT VALUES;
-- INSERT 0 1
SELECT * FROM p;
-- 2
-- SELECT 1
TRUNCATE p RESTART IDENTITY CASCADE;
-- NOTICE 00000: truncate cascades to table "q"
-- TRUNCATE TABLE
INSERT INTO p DEFAULT VALUES;
-- INSERT 0 1
SELECT * FROM p;
-- 1
-- SELECT 1
BEGIN;
-- BEGIN
TRUNCATE p CASCADE;
-- NOTICE 00000: truncate cascades to table "q"
-- TRUNCATE TABLE
SELECT count(*) FROM p;
-- 0
-- SELECT 1
ROLLBACK;
-- ROLLBACK
SELECT count(*) FROM p;
-- 1
-- SELECT 1
BEGIN;
-- BEGIN
CREATE TABLE z (a int);
-- CREATE TABLE
SAVEPOINT one;
-- SAVEPOINT
ALTER TABLE z ADD b int;
-- ALTER TABLE
INSERT INTO z VALUES (1, 2);
-- INSERT 0 1
ROLLBACK TO one;
-- ROLLBACK
INSERT INTO z VALUES (1);
-- INSERT 0 1
SELECT * FROM z;
-- 1
-- SELECT 1
COMMIT;
-- COMMIT
SELECT * FROM z;
-- 1
-- SELECT 1
ANALYZE p;
-- ANALYZE
VACUUM (nosuch) p;
-- ERROR 42601: unrecognized VACUUM option "nosuch"
REINDEX TABLE t;
-- REINDEX
CLUSTER p USING p_pkey;
-- CLUSTER
CLUSTER p USING nosuch;
-- ERROR 42704: index "nosuch" for table "p" does not exist
