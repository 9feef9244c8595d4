# Types, domains, sequences, comments, roles
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
-- CREATE TYPE
CREATE TYPE mood AS ENUM ('a');
-- ERROR 42710: type "mood" already exists
CREATE TABLE p (name text, m mood);
-- CREATE TABLE
INSERT INTO p VALUES ('Moe', 'happy'), ('Joe', 'sad');
-- INSERT 0 2
INSERT INTO p VALUES ('Zoe', 'glum');
-- ERROR 22P02: invalid input value for enum mood: "glum"
SELECT * FROM p ORDER BY m;
-- Joe|sad
-- Moe|happy
-- SELECT 2
ALTER TYPE mood ADD VALUE 'glum' BEFORE 'ok';
-- ALTER TYPE
ALTER TYPE mood ADD VALUE 'glum';
-- ERROR 42710: enum label "glum" already exists
ALTER TYPE mood ADD VALUE IF NOT EXISTS 'glum';
-- NOTICE 42710: enum label "glum" already exists, skipping
-- ALTER TYPE
ALTER TYPE mood ADD VALUE 'x' AFTER 'nosuch';
-- ERROR 22023: "nosuch" is not an existing enum label
INSERT INTO p VALUES ('Zoe', 'glum');
-- INSERT 0 1
SELECT name FROM p ORDER BY m;
-- Joe
-- Zoe
-- Moe
-- SELECT 3
ALTER TYPE mood RENAME VALUE 'glum' TO 'gloomy';
-- ALTER TYPE
SELECT * FROM p ORDER BY m;
-- Joe|sad
-- Zoe|gloomy
-- Moe|happy
-- SELECT 3
ALTER TYPE mood RENAME TO feeling;
-- ALTER TYPE
CREATE TYPE pair AS (x int, y text);
-- CREATE TYPE
CREATE TYPE pair AS (x int);
-- ERROR 42710: type "pair" already exists
CREATE DOMAIN pos AS int CHECK (VALUE > 0) NOT NULL;
-- CREATE DOMAIN
CREATE TABLE d (v pos);
-- CREATE TABLE
INSERT INTO d VALUES (1);
-- INSERT 0 1
INSERT INTO d VALUES (0);
-- ERROR 23514: value for domain pos violates check constraint "pos_check"
INSERT INTO d VALUES (NULL);
-- ERROR 23502: domain pos does not allow null values
ALTER DOMAIN pos ADD CONSTRAINT small CHECK (VALUE < 100);
-- ALTER DOMAIN
ALTER DOMAIN pos ADD CONSTRAINT none CHECK (VALUE < 1);
-- ERROR 23514: column "v" of table "d" contains values that violate the new constraint
INSERT INTO d VALUES (500);
-- ERROR 23514: value for domain pos violates check constraint "small"
ALTER DOMAIN pos DROP CONSTRAINT small;
-- ALTER DOMAIN
INSERT INTO d VALUES (500);
-- INSERT 0 1
ALTER DOMAIN pos DROP CONSTRAINT nosuch;
-- ERROR 42704: constraint "nosuch" of domain "pos" does not exist
DROP DOMAIN pos;
-- ERROR 2BP01: cannot drop type pos because other objects depend on it
-- DETAIL: column v of table d depends on type pos
-- HINT: Use DROP ... CASCADE to drop the dependent objects too.
DROP TYPE pos CASCADE;
-- NOTICE 00000: drop cascades to column v of table d
-- DROP TYPE
CREATE SEQUENCE s START 5 INCREMENT 2;
-- CREATE SEQUENCE
CREATE SEQUENCE s;
-- ERROR 42P07: relation "s" already exists
CREATE SEQUENCE IF NOT EXISTS s;
-- NOTICE 42P07: relation "s" already exists, skipping
-- CREATE SEQUENCE
CREATE SEQUENCE s2 MINVALUE 10 MAXVALUE 5;
-- ERROR 22023: MINVALUE (10) must be less than MAXVALUE (5)
CREATE SEQUENCE s2 INCREMENT 0;
-- ERROR 22023: INCREMENT must not be zero
CREATE SEQUENCE s2 AS text;
-- ERROR 22023: sequence type must be smallint, integer, or bigint
CREATE SEQUENCE s2 AS smallint MAXVALUE 70000;
-- ERROR 22023: MAXVALUE (70000) is out of range for sequence data type smallint
CREATE SEQUENCE s2 START 0;
-- ERROR 22023: START value (0) cannot be less than MINVALUE (1)
ALTER SEQUENCE s RESTART WITH 100;
-- ALTER SEQUENCE
ALTER SEQUENCE s MAXVALUE 50;
-- ERROR 22023: RESTART value (100) cannot be greater than MAXVALUE (50)
ALTER SEQUENCE nosuch RESTART;
-- ERROR 42P01: relation "nosuch" does not exist
ALTER SEQUENCE IF EXISTS nosuch RESTART;
-- NOTICE 00000: relation "nosuch" does not exist, skipping
-- ALTER SEQUENCE
ALTER SEQUENCE s OWNED BY p.name;
-- ALTER SEQUENCE
DROP TABLE p;
-- DROP TABLE
ALTER SEQUENCE s RESTART;
-- ERROR 42P01: relation "s" does not exist
COMMENT ON TABLE d IS 'values';
-- COMMENT
COMMENT ON COLUMN d.nosuch IS 'x';
-- ERROR 42703: column "nosuch" of relation "d" does not exist
COMMENT ON TABLE nosuch IS 'x';
-- ERROR 42P01: relation "nosuch" does not exist
COMMENT ON INDEX d IS 'x';
-- ERROR 42809: "d" is not an index
CREATE ROLE ddl_r1;
-- CREATE ROLE
CREATE ROLE ddl_r1;
-- ERROR 42710: role "ddl_r1" already exists
CREATE USER ddl_u1 IN ROLE ddl_r1 CONNECTION LIMIT 5;
-- CREATE ROLE
GRANT ddl_u1 TO ddl_r1;
-- ERROR 0LP01: role "ddl_u1" is a member of role "ddl_r1"
GRANT ddl_r1 TO ddl_u1;
-- NOTICE 00000: role "ddl_u1" is already a member of role "ddl_r1"
-- GRANT ROLE
GRANT SELECT ON d TO ddl_r1;
-- GRANT
GRANT nosuch ON d TO ddl_r1;
-- ERROR 42601: unrecognized privilege type "nosuch"
GRANT USAGE ON d TO ddl_r1;
-- ERROR 0LP01: invalid privilege type USAGE for table
GRANT SELECT ON d TO nosuch;
-- ERROR 42704: role "nosuch" does not exist
GRANT SELECT (v) ON d TO ddl_u1;
-- ERROR 42703: column "v" of relation "d" does not exist
DROP ROLE ddl_r1;
-- ERROR 2BP01: role "ddl_r1" cannot be dropped because some objects depend on it
-- DETAIL: privileges for table d
REVOKE ALL ON d FROM ddl_r1;
-- REVOKE
DROP ROLE ddl_r1;
-- DROP ROLE
DROP ROLE IF EXISTS ddl_r1;
-- NOTICE 00000: role "ddl_r1" does not exist, skipping
-- DROP ROLE
DROP ROLE ddl_r1;
-- ERROR 42704: role "ddl_r1" does not exist
CREATE ROLE pg_mine;
-- ERROR 42939: role name "pg_mine" is reserved
-- DETAIL: Role names starting with "pg_" are reserved.
ALTER ROLE nosuch LOGIN;
-- ERROR 42704: role "nosuch" does not exist
DROP TABLE d;
-- DROP TABLE
DROP ROLE ddl_u1;
-- DROP ROLE
CREATE SCHEMA pg_x;
-- ERROR 42939: unacceptable schema name "pg_x"
-- DETAIL: The prefix "pg_" is reserved for system schemas.
CREATE SCHEMA public;
-- ERROR 42P06: schema "public" already exists
CREATE SCHEMA IF NOT EXISTS public;
-- NOTICE 42P06: schema "public" already exists, skipping
-- CREATE SCHEMA
DROP SCHEMA pg_catalog;
-- ERROR 2BP01: cannot drop schema pg_catalog because it is required by the database system
CREATE FUNCTION add1(int) RETURNS int LANGUAGE sql AS 'SELECT $1 + 1';
-- CREATE FUNCTION
CREATE FUNCTION add1(int) RETURNS int LANGUAGE sql AS 'SELECT $1 + 1';
-- ERROR 42723: function "add1" already exists with same argument types
CREATE OR REPLACE FUNCTION add1(int) RETURNS text LANGUAGE sql AS 'SELECT $1::text';
-- ERROR 42P13: cannot change return type of existing function
-- HINT: Use DROP FUNCTION add1(integer) first.
DROP FUNCTION add2;
-- ERROR 42883: could not find a function named "add2"
DROP FUNCTION add1(text);
-- ERROR 42883: function add1(text) does not exist
DROP FUNCTION add1;
-- DROP FUNCTION
