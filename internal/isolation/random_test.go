package isolation_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/omendb/omendb/internal/isolation"
	"github.com/omendb/omendb/internal/testflag"
)

// generator makes scenarios in which a statement waits for another
// transaction's changes of rows and has to look at them again. Joins and EXISTS find at
// most one row: with several, the plan would decide which one stays joined.
type generator struct {
	rnd *rand.Rand
	b   strings.Builder
}

func (g *generator) n(max int) int                    { return g.rnd.IntN(max) }
func (g *generator) pick(list ...string) string       { return list[g.n(len(list))] }
func (g *generator) f(format string, a ...any) string { return fmt.Sprintf(format, a...) }
func (g *generator) maybe(percent int, s string) string {
	if g.n(100) < percent {
		return s
	}
	return ""
}

// change is what the first session does.
func (g *generator) change() string {
	switch g.n(9) {
	case 0:
		return g.f("DELETE FROM a WHERE id = %d", 1+g.n(4))
	case 1:
		return g.f("UPDATE a SET v = %d WHERE id IN (%d, %d)", g.n(6), 1+g.n(4), 1+g.n(4))
	case 2:
		return g.f("UPDATE a SET k = %d WHERE id = %d", 1+g.n(5), 1+g.n(4))
	case 3:
		return g.f("UPDATE b SET w = %d WHERE id = %d", g.n(6), 1+g.n(4))
	case 4:
		return g.f("DELETE FROM b WHERE id = %d", 1+g.n(4))
	case 5:
		return g.f("INSERT INTO a VALUES (%d, %d, %d) ON CONFLICT DO NOTHING", 5+g.n(2), 1+g.n(5), g.n(6))
	case 6:
		return g.f("UPDATE a SET id = %d WHERE id = %d", 7+g.n(3), 1+g.n(4))
	}
	return g.f("UPDATE a SET v = v + %d", 1+g.n(3))
}

// condition is one on the table a.
func (g *generator) condition(depth int) string {
	op := g.pick("<", ">", "=", "<>", ">=")
	switch g.n(17) {
	case 0, 1:
		return g.f("a.v %s %d", op, g.n(6))
	case 2:
		return g.f("a.k %s a.v", op)
	case 3:
		return g.f("EXISTS (SELECT FROM b WHERE b.id = a.k%s)", g.maybe(60, g.f(" AND b.w %s a.v", op)))
	case 4:
		return g.f("NOT EXISTS (SELECT FROM b WHERE b.id = a.k AND b.w %s %d)", op, g.n(6))
	case 5:
		return g.f("a.k IN (SELECT id FROM b WHERE w %s %d)", op, g.n(6))
	case 6:
		return g.f("a.v IN (SELECT w FROM b WHERE b.id %s a.k)", op)
	case 7:
		return g.f("a.v %s (SELECT %s(w) FROM b)", op, g.pick("min", "max", "count"))
	case 8:
		return g.f("a.v %s (SELECT count(*) FROM b WHERE b.w > a.v)", op)
	case 9:
		return g.f("a.v NOT IN (SELECT w FROM b WHERE b.id > %d)", g.n(5))
	case 10:
		return g.f("a.v %s ANY (SELECT w FROM b WHERE b.id <> a.id)", op)
	case 11:
		return g.f("a.v %s ALL (SELECT x.v FROM a x WHERE x.id < a.id)", op)
	case 12:
		return g.f("a.v = ANY (ARRAY[%d, %d, %d])", g.n(6), g.n(6), g.n(6))
	case 13:
		return g.f("(a.k, a.v) IN ((%d, %d), (%d, %d))", 1+g.n(5), g.n(6), 1+g.n(5), g.n(6))
	case 14:
		return g.f("CASE WHEN a.v > %d THEN a.k > 2 ELSE EXISTS (SELECT FROM b WHERE b.id = a.id AND b.w > a.v) END", g.n(6))
	}
	if depth > 1 {
		return g.f("a.v BETWEEN %d AND %d", g.n(3), 2+g.n(4))
	}
	return g.f("(%s %s %s)", g.condition(depth+1), g.pick("OR", "AND"), g.condition(depth+1))
}

func (g *generator) where() string {
	s := " WHERE " + g.condition(0)
	for g.n(3) == 0 {
		s += " AND " + g.condition(0)
	}
	return s
}

// query is what waits. Its result is ordered, whatever order the rows come in.
func (g *generator) query() string {
	value := g.pick("a.v + 10", "a.v * 2", "a.k + a.v", "(SELECT max(w) FROM b)", "(SELECT w FROM b WHERE b.id = a.k)", "20")
	with := func(s string) string { return "WITH q AS (" + s + ") SELECT * FROM q ORDER BY 1, 2, 3, 4" }
	strength := g.pick("UPDATE", "NO KEY UPDATE", "SHARE", "KEY SHARE")
	switch g.n(12) {
	case 0, 1:
		return with("UPDATE a SET v = " + value + g.where() + " RETURNING id, k, v, (SELECT w FROM b WHERE b.id = a.id) AS w")
	case 2:
		return with("UPDATE a SET v = a.v + b.w FROM b" + g.where() + " AND b.id = a.k RETURNING a.id, a.k, a.v, b.w")
	case 3:
		return with("DELETE FROM a" + g.where() + " RETURNING id, k, v, 0 AS z")
	case 4:
		return with("DELETE FROM a USING b" + g.where() + " AND b.id = a.k RETURNING a.id, a.k, a.v, b.w")
	case 5:
		return "SELECT a.*, " + g.pick("a.v + 1", "a.k * a.v", "(SELECT count(*) FROM b WHERE w < a.v)") + " AS x FROM a" + g.where() + " ORDER BY a.id FOR " + strength
	case 6:
		return "SELECT a.*, b.w FROM a JOIN b ON b.id = a.k" + g.where() + " ORDER BY a.id FOR " + strength + g.maybe(60, " OF a")
	case 7:
		return "SELECT a.*, b.w FROM a LEFT JOIN b ON b.id = a.k AND b.w " + g.pick("> a.v", "< a.v", "> 2") + g.where() + " ORDER BY a.id FOR " + strength + " OF a"
	case 8:
		return with(g.f("INSERT INTO a AS t VALUES (%d, 9, 9), (%d, 8, 8) ON CONFLICT (id) DO UPDATE SET v = t.v + EXCLUDED.v%s RETURNING *, 0 AS z", 1+g.n(2), 3+g.n(4),
			g.maybe(70, g.f(" WHERE t.v %s %d", g.pick("<", ">", "="), g.n(6)))))
	case 9:
		return "MERGE INTO a USING b ON b.id = a.id WHEN MATCHED AND " + g.f("a.v %s b.w", g.pick("<", ">=")) + " THEN UPDATE SET v = a.v + b.w WHEN MATCHED THEN " +
			g.pick("DELETE", "DO NOTHING", "UPDATE SET k = 1") + " WHEN NOT MATCHED THEN INSERT VALUES (b.id + 20, 1, b.w)"
	case 10:
		return with("WITH x AS (SELECT id, k, v FROM a" + g.where() + ") UPDATE a SET v = x.v + 10 FROM x WHERE x.id = a.id RETURNING a.id, a.k, a.v, x.v AS was")
	}
	return "SELECT a.id, a.v, l.* FROM a, LATERAL (SELECT a.v + a.k AS s) l" + g.where() + g.maybe(50, " AND l.s > 3") + " ORDER BY a.id FOR " + strength + " OF a"
}

// spec is a scenario of many permutations.
func (g *generator) spec(cases int) string {
	rows := func(columns int) string {
		var list []string
		for i := range 4 {
			more := ""
			if columns == 3 {
				more = g.f(", %d", g.n(6))
			}
			list = append(list, g.f("(%d, %d%s)", i+1, 1+g.n(5), more))
		}
		return strings.Join(list, ", ")
	}
	g.b.WriteString("setup { CREATE TABLE a (id int PRIMARY KEY, k int, v int); CREATE TABLE b (id int PRIMARY KEY, w int); INSERT INTO a VALUES " + rows(3) +
		"; INSERT INTO b VALUES " + rows(2) + "; }\nteardown { DROP TABLE a, b; }\n")
	var one, two, perms []string
	for i := range cases {
		perm := "permutation"
		for j := range 1 + g.n(2) {
			one = append(one, g.f("step s1x%dx%d { %s; }", i, j, g.change()))
			perm += g.f(" s1x%dx%d", i, j)
		}
		two = append(two, g.f("step s2x%d { %s; }", i, g.query()))
		perms = append(perms, perm+g.f(" s2x%d %s s2e s2f s2c", i, g.pick("s1c", "s1c", "s1c", "s1r")))
	}
	g.b.WriteString("session s1\nsetup { BEGIN; }\n" + strings.Join(one, "\n") + "\nstep s1c { COMMIT; }\nstep s1r { ROLLBACK; }\n")
	g.b.WriteString("session s2\nsetup { BEGIN; }\n" + strings.Join(two, "\n") + "\nstep s2e { SELECT * FROM a ORDER BY id; }\nstep s2f { SELECT * FROM b ORDER BY id; }\nstep s2c { COMMIT; }\n")
	g.b.WriteString(strings.Join(perms, "\n") + "\n")
	return g.b.String()
}

// TestRandomRechecks runs random scenarios of waiting statements here and, given
// -isolation.dsn, on PostgreSQL, and compares. Without, they must only come to an end.
func TestRandomRechecks(t *testing.T) {
	const cases = 40
	for i := range max(1, *testflag.IsolationRandom/cases) {
		seed := *testflag.IsolationSeed + uint64(i)
		g := &generator{rnd: rand.New(rand.NewPCG(seed, 5))}
		text := g.spec(cases)
		run := func(target isolation.Target) string {
			spec, err := isolation.Parse(text)
			if err != nil {
				t.Fatalf("seed %d: %v\n%s", seed, err, text)
			}
			out, err := isolation.Runner{Target: target}.Run(context.Background(), fmt.Sprintf("random_%d", seed), spec)
			if err != nil {
				t.Fatalf("seed %d: %v\n%s", seed, err, out)
			}
			return out
		}
		here := run(memory{})
		t.Logf("seed %d: %d waited, %d failed", seed, strings.Count(here, "waiting ..."), strings.Count(here, "ERROR:"))
		if strings.Contains(here, "internal error") {
			t.Errorf("seed %d:\n%s", seed, here)
		}
		if *testflag.IsolationDSN != "" {
			if there := run(isolation.Postgres(*testflag.IsolationDSN)); there != here {
				t.Logf("seed %d", seed)
				t.Log(strings.SplitN(text, "\n", 2)[0])
				compare(t, there, here)
			}
		}
	}
}
