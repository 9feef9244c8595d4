# ALTER TABLE: columns, constraints, types, keys
CREATE TABLE t (a int, b text);
-- CREATE TABLE
INSERT INTO t VALUES (1, 'x'), (2, 'y'), (3, NULL);
-- INSERT 0 3
ALTER TABLE t ADD COLUMN c int DEFAULT 7;
-- ALTER TABLE
SELECT * FROM t ORDER BY a;
-- 1|x|7
-- 2|y|7
-- 3|∅|7
-- SELECT 3
ALTER TABLE t ADD COLUMN c int;
-- ERROR 42701: column "c" of relation "t" already exists
ALTER TABLE t ADD COLUMN IF NOT EXISTS c int;
-- NOTICE 42701: column "c" of relation "t" already exists, skipping
-- ALTER TABLE
ALTER TABLE t ADD COLUMN d int NOT NULL;
-- ERROR 23502: column "d" of relation "t" contains null values
ALTER TABLE t ADD COLUMN d serial;
-- ALTER TABLE
SELECT a, d FROM t ORDER BY a;
-- 1|1
-- 2|2
-- 3|3
-- SELECT 3
ALTER TABLE t ADD COLUMN e numeric GENERATED ALWAYS AS (a * 1.5) STORED;
-- ALTER TABLE
SELECT a, e FROM t ORDER BY a;
-- 1|1.5
-- 2|3.0
-- 3|4.5
-- SELECT 3
ALTER TABLE t ALTER COLUMN b SET NOT NULL;
-- ERROR 23502: column "b" of relation "t" contains null values
UPDATE t SET b = 'z' WHERE b IS NULL;
-- UPDATE 1
ALTER TABLE t ALTER COLUMN b SET NOT NULL;
-- ALTER TABLE
INSERT INTO t (a) VALUES (4);
-- ERROR 23502: null value in column "b" of relation "t" violates not-null constraint
-- DETAIL: Failing row contains (4, null, 7, 4, 6.0).
ALTER TABLE t ALTER COLUMN b SET DEFAULT 'dflt';
-- ALTER TABLE
INSERT INTO t (a) VALUES (4);
-- INSERT 0 1
ALTER TABLE t ALTER b DROP DEFAULT, ALTER b DROP NOT NULL;
-- ALTER TABLE
INSERT INTO t (a) VALUES (5);
-- INSERT 0 1
SELECT a, b, c FROM t ORDER BY a;
-- 1|x|7
-- 2|y|7
-- 3|z|7
-- 4|dflt|7
-- 5|∅|7
-- SELECT 5
ALTER TABLE t ADD PRIMARY KEY (b);
-- ERROR 23502: column "b" of relation "t" contains null values
ALTER TABLE t ADD PRIMARY KEY (c);
-- ERROR 23505: could not create unique index "t_pkey"
-- DETAIL: Key (c)=(7) is duplicated.
ALTER TABLE t ADD PRIMARY KEY (a);
-- ALTER TABLE
SELECT a, b, c FROM t;
-- 1|x|7
-- 2|y|7
-- 3|z|7
-- 4|dflt|7
-- 5|∅|7
-- SELECT 5
INSERT INTO t (a) VALUES (1);
-- ERROR 23505: duplicate key value violates unique constraint "t_pkey"
-- DETAIL: Key (a)=(1) already exists.
ALTER TABLE t ADD PRIMARY KEY (d);
-- ERROR 42P16: multiple primary keys for table "t" are not allowed
ALTER TABLE t ALTER a DROP NOT NULL;
-- ERROR 42P16: column "a" is in a primary key
ALTER TABLE t ADD CONSTRAINT big CHECK (a > 3);
-- ERROR 23514: check constraint "big" of relation "t" is violated by some row
ALTER TABLE t ADD CONSTRAINT big CHECK (a > 3) NOT VALID;
-- ALTER TABLE
INSERT INTO t (a) VALUES (0);
-- ERROR 23514: new row for relation "t" violates check constraint "big"
-- DETAIL: Failing row contains (0, null, 7, 8, 0.0).
ALTER TABLE t VALIDATE CONSTRAINT big;
-- ERROR 23514: check constraint "big" of relation "t" is violated by some row
ALTER TABLE t DROP CONSTRAINT big;
-- ALTER TABLE
ALTER TABLE t DROP CONSTRAINT big;
-- ERROR 42704: constraint "big" of relation "t" does not exist
ALTER TABLE t DROP CONSTRAINT IF EXISTS big;
-- NOTICE 00000: constraint "big" of relation "t" does not exist, skipping
-- ALTER TABLE
ALTER TABLE t ADD UNIQUE (c);
-- ERROR 23505: could not create unique index "t_c_key"
-- DETAIL: Key (c)=(7) is duplicated.
ALTER TABLE t ADD UNIQUE (a, d);
-- ALTER TABLE
ALTER TABLE t DROP COLUMN c;
-- ALTER TABLE
SELECT * FROM t ORDER BY a;
-- 1|x|1|1.5
-- 2|y|2|3.0
-- 3|z|3|4.5
-- 4|dflt|5|6.0
-- 5|∅|6|7.5
-- SELECT 5
ALTER TABLE t DROP COLUMN c;
-- ERROR 42703: column "c" of relation "t" does not exist
ALTER TABLE t DROP COLUMN IF EXISTS c;
-- NOTICE 00000: column "c" of relation "t" does not exist, skipping
-- ALTER TABLE
ALTER TABLE t ALTER COLUMN b TYPE int;
-- ERROR 42804: column "b" cannot be cast automatically to type integer
-- HINT: You might need to specify "USING b::integer".
ALTER TABLE t ALTER COLUMN b TYPE int USING length(b);
-- ALTER TABLE
SELECT a, b FROM t ORDER BY a;
-- 1|1
-- 2|1
-- 3|1
-- 4|4
-- 5|∅
-- SELECT 5
ALTER TABLE t ALTER COLUMN a TYPE bigint;
-- ERROR 0A000: cannot alter type of a column used by a generated column
-- DETAIL: Column "a" is used by generated column "e".
ALTER TABLE t RENAME TO u;
-- ALTER TABLE
ALTER TABLE u RENAME COLUMN b TO bb;
-- ALTER TABLE
ALTER TABLE u RENAME bb TO a;
-- ERROR 42701: column "a" of relation "u" already exists
ALTER TABLE u RENAME nosuch TO x;
-- ERROR 42703: column "nosuch" does not exist
ALTER TABLE u RENAME CONSTRAINT t_pkey TO u_pkey;
-- ALTER TABLE
INSERT INTO u (a) VALUES (1);
-- ERROR 23505: duplicate key value violates unique constraint "u_pkey"
-- DETAIL: Key (a)=(1) already exists.
CREATE TABLE r (x int REFERENCES u, y int);
-- CREATE TABLE
INSERT INTO r VALUES (1, 1);
-- INSERT 0 1
ALTER TABLE r ADD FOREIGN KEY (y) REFERENCES u (bb);
-- ERROR 42830: there is no unique constraint matching given keys for referenced table "u"
ALTER TABLE r ADD CONSTRAINT k FOREIGN KEY (y) REFERENCES u;
-- ALTER TABLE
INSERT INTO r VALUES (2, 77);
-- ERROR 23503: insert or update on table "r" violates foreign key constraint "k"
-- DETAIL: Key (y)=(77) is not present in table "u".
ALTER TABLE r DROP CONSTRAINT k;
-- ALTER TABLE
INSERT INTO r VALUES (2, 77);
-- INSERT 0 1
ALTER TABLE r ADD CONSTRAINT k FOREIGN KEY (y) REFERENCES u;
-- ERROR 23503: insert or update on table "r" violates foreign key constraint "k"
-- DETAIL: Key (y)=(77) is not present in table "u".
ALTER TABLE u DROP CONSTRAINT u_pkey;
-- ERROR 2BP01: cannot drop constraint u_pkey on table u because other objects depend on it
-- DETAIL: constraint r_x_fkey on table r depends on index u_pkey
-- HINT: Use DROP ... CASCADE to drop the dependent objects too.
ALTER TABLE u DROP CONSTRAINT u_pkey CASCADE;
-- NOTICE 00000: drop cascades to constraint r_x_fkey on table r
-- ALTER TABLE
INSERT INTO u (a, bb) VALUES (1, 1), (1, 1);
-- INSERT 0 2
SELECT a, bb FROM u ORDER BY a, bb;
-- 1|1
-- 1|1
-- 1|1
-- 2|1
-- 3|1
-- 4|4
-- 5|∅
-- SELECT 7
ALTER TABLE u ALTER COLUMN d TYPE text;
-- ALTER TABLE
CREATE VIEW v AS SELECT a FROM u;
-- CREATE VIEW
ALTER TABLE u ALTER COLUMN a TYPE int;
-- ERROR 0A000: cannot alter type of a column used by a generated column
-- DETAIL: Column "a" is used by generated column "e".
ALTER TABLE u DROP COLUMN a;
-- ERROR 2BP01: cannot drop column a of table u because other objects depend on it
-- DETAIL: column e of table u depends on column a of table u
-- DETAIL: view v depends on column a of table u
-- HINT: Use DROP ... CASCADE to drop the dependent objects too.
ALTER TABLE u DROP COLUMN a CASCADE;
-- NOTICE 00000: drop cascades to 2 other objects
-- DETAIL: drop cascades to column e of table u
-- DETAIL: drop cascades to view v
-- ALTER TABLE
SELECT bb FROM u ORDER BY bb;
-- 1
-- 1
-- 1
-- 1
-- 1
-- 4
-- ∅
-- SELECT 7
ALTER TABLE nosuch ADD COLUMN x int;
-- ERROR 42P01: relation "nosuch" does not exist
ALTER TABLE IF EXISTS nosuch ADD COLUMN x int;
-- NOTICE 00000: relation "nosuch" does not exist, skipping
-- ALTER TABLE
ALTER TABLE u ALTER COLUMN bb ADD GENERATED ALWAYS AS IDENTITY;
-- ERROR 55000: column "bb" of relation "u" must be declared NOT NULL before identity can be added
ALTER TABLE u SET (fillfactor = 50);
-- ALTER TABLE
CREATE SCHEMA s;
-- CREATE SCHEMA
ALTER TABLE u SET SCHEMA s;
-- ALTER TABLE
SELECT count(*) FROM s.u;
-- 7
-- SELECT 1
ALTER TABLE s.u SET SCHEMA nosuch;
-- ERROR 3F000: schema "nosuch" does not exist
ALTER TABLE s.u OWNER TO nosuch;
-- ERROR 42704: role "nosuch" does not exist
CREATE TABLE k (a int);
-- CREATE TABLE
INSERT INTO k VALUES (2), (1), (2);
-- INSERT 0 3
ALTER TABLE k ADD PRIMARY KEY (a);
-- ERROR 23505: could not create unique index "k_pkey"
-- DETAIL: Key (a)=(2) is duplicated.
ALTER TABLE k ADD CONSTRAINT uk UNIQUE (a);
-- ERROR 23505: could not create unique index "uk"
-- DETAIL: Key (a)=(2) is duplicated.
CREATE UNIQUE INDEX ki ON k (a);
-- ERROR 23505: could not create unique index "ki"
-- DETAIL: Key (a)=(2) is duplicated.
DELETE FROM k WHERE a = 2;
-- DELETE 2
ALTER TABLE k ADD PRIMARY KEY (a);
-- ALTER TABLE
INSERT INTO k VALUES (1);
-- ERROR 23505: duplicate key value violates unique constraint "k_pkey"
-- DETAIL: Key (a)=(1) already exists.
ALTER TABLE k DROP COLUMN a;
-- ALTER TABLE
ALTER TABLE k ADD b int PRIMARY KEY DEFAULT 4;
-- ALTER TABLE
SELECT * FROM k;
-- 4
-- SELECT 1
DROP SCHEMA s CASCADE;
-- NOTICE 00000: drop cascades to table s.u
-- DROP SCHEMA
