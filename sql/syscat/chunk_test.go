package syscat_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/omendb/omendb/sql/syscat"
)

// changes are statements after which rows of other objects differ than those that they name.
var changes = strings.Split(`CREATE TABLE p (id int PRIMARY KEY, name text DEFAULT 'x' CHECK (name <> ''))
CREATE TABLE q (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, p int REFERENCES p)
CREATE TABLE kid () INHERITS (p)
ALTER TABLE q ADD COLUMN later numeric(10,2) DEFAULT 7
ALTER TABLE q DROP COLUMN later
ALTER TABLE q RENAME COLUMN p TO parent
CREATE INDEX q_parent ON q (parent DESC) WHERE parent > 0
ALTER INDEX q_parent RENAME TO q_by_parent
CREATE ROLE clerk LOGIN
GRANT SELECT, INSERT ON p TO clerk WITH GRANT OPTION
GRANT UPDATE (name) ON p TO clerk
ALTER ROLE clerk RENAME TO writer
ALTER TABLE q OWNER TO writer
CREATE VIEW pairs AS SELECT p.name, q.id FROM p JOIN q ON q.parent = p.id
COMMENT ON TABLE p IS 'parents'
COMMENT ON COLUMN q.parent IS 'whose'
COMMENT ON CONSTRAINT p_name_check ON p IS 'not empty'
COMMENT ON ROLE writer IS 'writes'
CREATE TYPE mood AS ENUM ('sad', 'ok')
ALTER TYPE mood ADD VALUE 'happy'
CREATE DOMAIN positive AS int CHECK (VALUE > 0)
CREATE TABLE m (f mood, n positive)
ALTER TYPE mood RENAME TO humour
CREATE FUNCTION one(int) RETURNS int LANGUAGE sql AS 'SELECT 1'
CREATE SEQUENCE s INCREMENT 3 OWNED BY kid.id
ALTER SEQUENCE s INCREMENT 5
INSERT INTO p VALUES (1, 'one'), (2, 'two')
ANALYZE p
ANALYZE
ALTER ROLE writer SET work_mem = '8MB'
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO writer
CREATE SCHEMA other
ALTER TABLE m SET SCHEMA other
ALTER TABLE p REPLICA IDENTITY FULL
ALTER TABLE q DROP CONSTRAINT q_p_fkey
ALTER TABLE kid NO INHERIT p
DROP VIEW pairs
DROP TABLE q
TRUNCATE p
DROP SCHEMA other CASCADE
ALTER TABLE p DROP CONSTRAINT p_pkey
CREATE DATABASE elsewhere
DROP DATABASE elsewhere
DROP OWNED BY writer
DROP ROLE writer
DROP TABLE p, kid`, "\n")

// TestChunks compares what is kept of the system tables with what they would be made of, after each of
// many changes: with few tables, and with so many that their rows are in several chunks.
func TestChunks(t *testing.T) {
	for _, n := range []int{0, 250} {
		o := newOmen(t)
		check := func(statement string) (chunks int) {
			different, chunks := syscat.Stale(o.db, o.cat.View(nil, 5))
			if len(different) > 0 {
				t.Errorf("after %s:\n%s", statement, strings.Join(different, "\n"))
			}
			return chunks
		}
		few := check("start")
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "CREATE TABLE t%03d (id int PRIMARY KEY, name text NOT NULL UNIQUE);", i)
		}
		if _, _, err := o.ask(b.String()); err != nil {
			t.Fatal(err)
		}
		if many := check("CREATE TABLE"); n > 0 && many < few+3 {
			t.Errorf("%d chunks before and %d after %d tables were made", few, many, n)
		}
		for _, s := range changes {
			if _, _, err := o.ask(s); err != nil {
				t.Errorf("%s: %v", s, err)
			}
			check(s)
		}
		b.Reset()
		for i := range n {
			fmt.Fprintf(&b, "DROP TABLE t%03d;", i)
		}
		if _, _, err := o.ask(b.String()); err != nil {
			t.Fatal(err)
		}
		if left := check("DROP TABLE"); left > few+5 {
			t.Errorf("%d chunks at first, %d when all tables are gone again", few, left)
		}
	}
}

// TestPrepare makes rows ahead: all at first, then those that a new table is beside.
func TestPrepare(t *testing.T) {
	o := newOmen(t)
	var b strings.Builder
	for i := range 200 {
		fmt.Fprintf(&b, "CREATE TABLE t%03d (id int PRIMARY KEY, name text NOT NULL UNIQUE);", i)
	}
	if _, _, err := o.ask(b.String()); err != nil {
		t.Fatal(err)
	}
	chunks, made := syscat.PrepareAll(o.db, o.cat.View(nil, 5))
	if chunks < 30 || made != chunks {
		t.Errorf("%d of %d chunks were made", made, chunks)
	}
	if _, _, err := o.ask("CREATE TABLE another (id int)"); err != nil {
		t.Fatal(err)
	}
	if _, made := syscat.PrepareAll(o.db, o.cat.View(nil, 5)); made == 0 || made > chunks/2 {
		t.Errorf("%d of %d chunks were made for one more table", made, chunks)
	}
	if _, made := syscat.PrepareAll(o.db, o.cat.View(nil, 5)); made != 0 {
		t.Errorf("%d chunks were made again", made)
	}
}
