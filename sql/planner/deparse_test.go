package planner

import "testing"

// The texts are PostgreSQL 15's pg_get_viewdef of the same views.
func TestDeparseQuery(t *testing.T) {
	env := testEnv(t)
	for _, c := range []struct{ sql, want string }{
		{"select id, name as x from t where n > 5 and name like 'a%'", " SELECT t.id,\n    t.name AS x\n   FROM t\n  WHERE ((t.n > 5) AND (t.name ~~ 'a%'::text))"},
		{"select count(*), sum(n) filter (where id > 1) from t group by name having count(*) > 1 order by name desc", " SELECT count(*) AS count,\n    sum(t.n) FILTER (WHERE (t.id > 1)) AS sum\n   FROM t\n  GROUP BY t.name\n HAVING (count(*) > 1)\n  ORDER BY t.name DESC"},
		{"select t.id from t left join u on t.id = u.id", " SELECT t.id\n   FROM (t\n     LEFT JOIN u ON ((t.id = u.id)))"},
		{"select case when id = 1 then 'a' else name end, coalesce(name, 'x'), id::text, -5, 1.5 from t", " SELECT\n        CASE\n            WHEN (t.id = 1) THEN 'a'::text\n            ELSE t.name\n        END AS name,\n    COALESCE(t.name, 'x'::text) AS \"coalesce\",\n    (t.id)::text AS id,\n    '-5'::integer AS \"?column?\",\n    1.5 AS \"?column?\"\n   FROM t"},
		{"select id from t union all select id from u", " SELECT t.id\n   FROM t\nUNION ALL\n SELECT u.id\n   FROM u"},
		{"select id in (1, 2), not (id = 3), name is null from t limit 3", " SELECT (t.id = ANY (ARRAY[1, 2])) AS \"?column?\",\n    (NOT (t.id = 3)) AS \"?column?\",\n    (t.name IS NULL) AS \"?column?\"\n   FROM t\n LIMIT 3"},
		{"select row_number() over (partition by name order by id desc) from t", " SELECT row_number() OVER (PARTITION BY t.name ORDER BY t.id DESC) AS row_number\n   FROM t"},
		{"select sum(n + 1.5) from t where n > 1.5 and name::varchar = 'a' and not n = 2.5 limit 1::smallint", " SELECT sum(((t.n)::numeric + 1.5)) AS sum\n   FROM t\n  WHERE (((t.n)::numeric > 1.5) AND (((t.name)::character varying)::text = 'a'::text) AND (NOT ((t.n)::numeric = 2.5)))\n LIMIT (1)::smallint"},
	} {
		b := bindOne(t, env, c.sql)
		if got := DeparseQuery(env, b.Query, nil, false); got != c.want {
			t.Errorf("%s:\n got %q\nwant %q", c.sql, got, c.want)
		}
	}
}
