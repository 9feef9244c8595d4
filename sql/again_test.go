package sql

import (
	"fmt"
	"testing"
	"time"
)

// changeScript changes single rows by prepared statements, each several times.
func changeScript(t *testing.T, fast string) string {
	srv := testServer(t)
	x, r := testSession(t, srv)
	other, ro := testSession(t, srv)
	e := extended{t, x, r}
	run(x, r, `CREATE SEQUENCE s; CREATE TABLE c (id bigint PRIMARY KEY, name varchar(6) NOT NULL, n int DEFAULT 7 CHECK (n < 100), twice int GENERATED ALWAYS AS (n * 2) STORED,
			at timestamptz DEFAULT now(), seq int DEFAULT nextval('s'));
		CREATE UNIQUE INDEX c_name ON c (name); CREATE INDEX c_n ON c (n) WHERE n > 5; CREATE INDEX c_low ON c (lower(name));
		CREATE TABLE parent (id int PRIMARY KEY); INSERT INTO parent VALUES (1);
		CREATE TABLE child (id int PRIMARY KEY, p int REFERENCES parent); CREATE TABLE plain (a int, b text);
		SET omen.fast_path = `+fast)
	r.out.Reset()
	for name, text := range map[string]string{
		"i":    "INSERT INTO c (id, name) VALUES ($1, $2)",
		"in":   "INSERT INTO c (id, name, n) VALUES ($1, $2, $3) RETURNING id, name, n, twice, seq, at = now()",
		"u":    "UPDATE c SET n = n + $2 WHERE id = $1",
		"ur":   "UPDATE c SET name = $2, n = abs($3) WHERE id = $1 RETURNING id, n, twice, seq, name || '!'",
		"move": "UPDATE c SET id = $2 WHERE id = $1",
		"lock": "UPDATE c SET n = n + 1 WHERE id = $1 AND n = $2",
		"like": "UPDATE c SET n = n + 1 WHERE id = $1 AND name LIKE $2",
		"d":    "DELETE FROM c WHERE id = $1",
		"dr":   "DELETE FROM c WHERE id = $1 RETURNING name, n",
		"up":   "INSERT INTO c (id, name) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET n = c.n + 1 RETURNING n",
		"fk":   "INSERT INTO child VALUES ($1, $2)",
		"p":    "INSERT INTO plain VALUES ($1, $2)",
	} {
		e.parse(name, text)
	}
	rows := func() {
		r.out.WriteString(runKeep(x, r, "SELECT id, name, n, twice, seq FROM c ORDER BY id; SELECT * FROM plain ORDER BY 1, 2; SELECT id FROM c WHERE n > 5 ORDER BY n, id"))
	}
	for i := range 4 {
		k := func(n int) string { return fmt.Sprint(10*i + n) }
		e.run("i", k(1), "a"+k(1))
		e.run("i", k(1), "b")
		e.run("i", k(2), "a"+k(1))
		e.run("i", k(2), "\x00")
		e.run("i", k(2), "toolong")
		e.run("in", k(2), "x"+k(2), k(5))
		e.run("in", k(3), "x"+k(3), "3")
		e.run("in", k(4), "x"+k(4), "100")
		e.run("u", k(1), "1")
		e.run("u", k(1), "-3")
		e.run("u", k(1), "99")
		e.run("u", k(9), "1")
		e.run("u", "\x00", "1")
		e.run("u", k(1), "2147483647")
		e.run("ur", k(2), "y"+k(2), "-4")
		e.run("ur", k(2), "a"+k(1), "3")
		e.run("move", k(3), k(7))
		e.run("move", k(7), k(1))
		e.run("lock", k(1), "5")
		e.run("lock", k(1), "6")
		e.run("like", k(1), "a%")
		e.run("like", k(1), "b%")
		e.run("up", k(1), "z")
		e.run("up", k(8), "z"+k(8))
		e.run("fk", k(1), "1")
		e.run("fk", k(2), "2")
		e.run("p", k(1), "t")
		e.run("p", "\x00", "")
		rows()
		e.run("d", k(9))
		e.run("d", k(1))
		e.run("dr", k(2))
		e.run("dr", k(2))
		// Inside a block, with a savepoint, read only, and by another's change.
		r.out.WriteString(runKeep(x, r, "BEGIN; SAVEPOINT s"))
		e.run("u", k(7), "1")
		r.out.WriteString(runKeep(x, r, "ROLLBACK TO s"))
		e.run("u", k(7), "2")
		e.run("u", k(7), "2")
		r.out.WriteString(runKeep(x, r, "COMMIT; BEGIN READ ONLY"))
		e.run("u", k(7), "2")
		r.out.WriteString(runKeep(x, r, "ROLLBACK"))
		for _, change := range [][]string{{"lock", k(7), "7"}, {"u", k(7), "1"}, {"ur", k(7), "w" + k(7), "8"}, {"d", k(7)}} {
			run(other, ro, "BEGIN; UPDATE c SET n = n + 10 WHERE id = "+k(7))
			committed := make(chan struct{})
			go func() {
				defer close(committed)
				time.Sleep(10 * time.Millisecond)
				run(other, ro, "COMMIT")
			}()
			e.run(change[0], change[1:]...)
			<-committed
			rows()
		}
		e.run("u", k(7), "1")
		if i == 1 {
			run(other, ro, "CREATE INDEX c_twice ON c (twice); ALTER TABLE c ADD COLUMN more text DEFAULT 'm'")
		}
		if i == 2 {
			run(other, ro, "ALTER TABLE c DROP CONSTRAINT c_n_check; DROP INDEX c_name; CREATE TABLE grandchild (id bigint REFERENCES c)")
		}
		rows()
	}
	return r.out.String()
}

// Operators that run again change and answer what fresh ones do.
func TestChangesRunAgain(t *testing.T) {
	fast, slow := changeScript(t, "on"), changeScript(t, "off")
	if fast != slow {
		t.Errorf("fast:\n%s\nslow:\n%s", fast, slow)
	}
}

// The operators of such statements are kept.
func TestChangesAreKept(t *testing.T) {
	x, r := testSession(t, testServer(t))
	e := extended{t, x, r}
	run(x, r, "CREATE TABLE c (id int PRIMARY KEY, n int CHECK (n > 0), at timestamptz)")
	e.parse("now", "INSERT INTO c VALUES ($1, 1, CURRENT_TIMESTAMP)")
	for i := range 3 {
		e.run("now", fmt.Sprint(10+i))
		time.Sleep(time.Millisecond)
	}
	if got, want := run(x, r, "SELECT count(DISTINCT at) FROM c"), "3\n-- SELECT 1\n"; got != want {
		t.Errorf("times: %q, want %q", got, want)
	}
	for name, text := range map[string]string{"i": "INSERT INTO c VALUES ($1, 1, CURRENT_TIMESTAMP)", "u": "UPDATE c SET n = n + 1 WHERE id = $1", "d": "DELETE FROM c WHERE id = $1"} {
		e.parse(name, text)
		e.run(name, "1")
		if x.statements[name].kept == nil {
			t.Errorf("%s is not kept", text)
		}
	}
}
