# CREATE TABLE: implied names, keys, defaults, errors
CREATE TABLE a (id int PRIMARY KEY, name text NOT NULL DEFAULT 'x', n numeric(10,2) CHECK (n > 0));
-- CREATE TABLE
INSERT INTO a VALUES (1, 'one', 1.5);
-- INSERT 0 1
INSERT INTO a (id) VALUES (2);
-- INSERT 0 1
SELECT * FROM a ORDER BY id;
-- 1|one|1.50
-- 2|x|∅
-- SELECT 2
INSERT INTO a VALUES (1, 'again');
-- ERROR 23505: duplicate key value violates unique constraint "a_pkey"
-- DETAIL: Key (id)=(1) already exists.
INSERT INTO a VALUES (3, NULL);
-- ERROR 23502: null value in column "name" of relation "a" violates not-null constraint
-- DETAIL: Failing row contains (3, null, null).
INSERT INTO a VALUES (3, 'c', -1);
-- ERROR 23514: new row for relation "a" violates check constraint "a_n_check"
-- DETAIL: Failing row contains (3, c, -1.00).
CREATE TABLE a (x int);
-- ERROR 42P07: relation "a" already exists
CREATE TABLE IF NOT EXISTS a (x int);
-- NOTICE 42P07: relation "a" already exists, skipping
-- CREATE TABLE
CREATE TABLE b (x int, x int);
-- ERROR 42701: column "x" specified more than once
CREATE TABLE b (ctid int);
-- ERROR 42701: column name "ctid" conflicts with a system column name
CREATE TABLE b (x int PRIMARY KEY, y int PRIMARY KEY);
-- ERROR 42P16: multiple primary keys for table "b" are not allowed
CREATE TABLE b (x int, PRIMARY KEY (y));
-- ERROR 42703: column "y" named in key does not exist
CREATE TABLE b (x int, UNIQUE (x, x));
-- ERROR 42701: column "x" appears twice in unique constraint
CREATE TABLE b (x nosuch);
-- ERROR 42704: type "nosuch" does not exist
CREATE TABLE b (x json PRIMARY KEY);
-- ERROR 42704: data type json has no default operator class for access method "btree"
-- HINT: You must specify an operator class for the index or define a default operator class for the data type.
CREATE TABLE b (x int DEFAULT 'a'::text);
-- ERROR 42804: column "x" is of type integer but default expression is of type text
-- HINT: You will need to rewrite or cast the expression.
CREATE TABLE b (x int DEFAULT y, y int);
-- ERROR 0A000: cannot use column reference in DEFAULT expression
CREATE TABLE nosuch.b (x int);
-- ERROR 3F000: schema "nosuch" does not exist
CREATE TABLE b (x int REFERENCES nosuch);
-- ERROR 42P01: relation "nosuch" does not exist
CREATE TABLE b (x int REFERENCES a (name));
-- ERROR 42830: there is no unique constraint matching given keys for referenced table "a"
CREATE TABLE b (x text REFERENCES a);
-- ERROR 42804: foreign key constraint "b_x_fkey" cannot be implemented
-- DETAIL: Key columns "x" and "id" are of incompatible types: text and integer.
CREATE TABLE b (id serial PRIMARY KEY, a_id int REFERENCES a, u int UNIQUE, CHECK (u > a_id));
-- CREATE TABLE
INSERT INTO b (a_id, u) VALUES (1, 5), (2, 6);
-- INSERT 0 2
SELECT * FROM b ORDER BY id;
-- 1|1|5
-- 2|2|6
-- SELECT 2
INSERT INTO b (a_id, u) VALUES (9, 50);
-- ERROR 23503: insert or update on table "b" violates foreign key constraint "b_a_id_fkey"
-- DETAIL: Key (a_id)=(9) is not present in table "a".
INSERT INTO b (a_id, u) VALUES (1, 5);
-- ERROR 23505: duplicate key value violates unique constraint "b_u_key"
-- DETAIL: Key (u)=(5) already exists.
DROP TABLE a;
-- ERROR 2BP01: cannot drop table a because other objects depend on it
-- DETAIL: constraint b_a_id_fkey on table b depends on table a
-- HINT: Use DROP ... CASCADE to drop the dependent objects too.
DROP TABLE a CASCADE;
-- NOTICE 00000: drop cascades to constraint b_a_id_fkey on table b
-- DROP TABLE
INSERT INTO b (a_id, u) VALUES (9, 50);
-- INSERT 0 1
CREATE TABLE g (a int, b int GENERATED ALWAYS AS (a * 2) STORED, c int GENERATED ALWAYS AS IDENTITY);
-- CREATE TABLE
INSERT INTO g (a) VALUES (1), (2);
-- INSERT 0 2
SELECT * FROM g ORDER BY a;
-- 1|2|1
-- 2|4|2
-- SELECT 2
CREATE TABLE g2 (a int, b int GENERATED ALWAYS AS (random()) STORED);
-- ERROR 42P17: generation expression is not immutable
CREATE TABLE l (LIKE g INCLUDING ALL, z int);
-- CREATE TABLE
INSERT INTO l (a, z) VALUES (4, 5);
-- INSERT 0 1
SELECT * FROM l;
-- 4|8|1|5
-- SELECT 1
CREATE TABLE f (x int) WITH (fillfactor = 70);
-- CREATE TABLE
CREATE TABLE f2 (x int) WITH (fillfactor = 5);
-- ERROR 22023: value 5 out of bounds for option "fillfactor"
-- DETAIL: Valid values are between "10" and "100".
CREATE TABLE f2 (x int) WITH (nosuch = 5);
-- ERROR 22023: unrecognized parameter "nosuch"
CREATE TEMP TABLE t (x int) ON COMMIT DROP;
-- CREATE TABLE
CREATE TABLE s1 AS SELECT 1 AS one, 'a' AS two;
-- SELECT 1
SELECT * FROM s1;
-- 1|a
-- SELECT 1
CREATE TABLE s2 (x) AS SELECT id, u FROM b;
-- SELECT 3
SELECT * FROM s2;
-- 1|5
-- 2|6
-- 5|50
-- SELECT 3
CREATE TABLE s3 (x, y, z) AS SELECT 1;
-- ERROR 42601: too many column names were specified
CREATE TABLE IF NOT EXISTS s1 AS SELECT 2;
-- NOTICE 42P07: relation "s1" already exists, skipping
-- CREATE TABLE AS
SELECT 5 AS v INTO s4;
-- SELECT 1
SELECT * FROM s4;
-- 5
-- SELECT 1
CREATE TABLE s5 AS SELECT 1 WITH NO DATA;
-- CREATE TABLE AS
SELECT * FROM s5;
-- SELECT 0
