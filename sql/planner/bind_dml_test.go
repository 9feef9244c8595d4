package planner

import (
	"testing"

	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

func TestBindModify(t *testing.T) {
	env := testEnv(t)
	for _, sql := range []string{
		"insert into t values (1, 'a', 2, '2020-01-01')",
		"insert into t (id, n) values (1, 2), (3, default), ($1, $2) returning *",
		"insert into t default values",
		"insert into t (id) select id from u returning id, t.name",
		"insert into t values (1, 'a') on conflict (id) do update set name = excluded.name, n = t.n + 1 where t.n > 3",
		"insert into t values (1, 'a') on conflict on constraint t_pkey do nothing",
		"update t set name = 'x', n = default where id = 3 returning id",
		"update t set (name, n) = (select 'a', count(*) from u), at = now() from u where u.id = t.id",
		"update u set tags[2] = 'x', v = v + 1",
		"delete from t using u where t.id = u.id returning t.*, u.v",
		"with d as (delete from t returning id) insert into u (id) select id from d",
		"merge into t using u on t.id = u.id when matched and u.v > 3 then delete when matched then update set n = u.id when not matched then insert (id, name) values (u.id, 'x')",
	} {
		b, err := tryBind(env, sql)
		if err != nil {
			t.Errorf("%s: %+v", sql, err)
			continue
		}
		if b.Query.Command == plan.Insert && len(b.Query.Targets) != len(b.Query.Rels[0].Columns) {
			t.Errorf("%s: %d targets", sql, len(b.Query.Targets))
		}
		if _, err := Plan(env, b.Query); err != nil {
			t.Errorf("%s: plan: %v", sql, err)
		}
	}
}

func TestBindModifyErrors(t *testing.T) {
	env := testEnv(t)
	for _, c := range []struct {
		sql, code, message string
		pos                int
	}{
		{"insert into t (nope) values (1)", pgerr.UndefinedColumn, `column "nope" of relation "t" does not exist`, 16},
		{"insert into t (id, id) values (1, 2)", pgerr.DuplicateColumn, `column "id" specified more than once`, 20},
		{"insert into t (id) values (1, 2)", pgerr.SyntaxError, `INSERT has more expressions than target columns`, 31},
		{"insert into t (id, n) values (1)", pgerr.SyntaxError, `INSERT has more target columns than expressions`, 20},
		{"insert into t (id) values ('a'::text)", pgerr.DatatypeMismatch, `column "id" is of type integer but expression is of type text`, 28},
		{"insert into t values (1) on conflict (n) do nothing", pgerr.InvalidColumnReference, `there is no unique or exclusion constraint matching the ON CONFLICT specification`, 0},
		{"update t set id = 1, id = 2", pgerr.SyntaxError, `multiple assignments to same column "id"`, 0},
		{"update t set nope = 1", pgerr.UndefinedColumn, `column "nope" of relation "t" does not exist`, 14},
		{"delete from t where sum(id) > 1", pgerr.GroupingError, `aggregate functions are not allowed in WHERE`, 21},
	} {
		_, err := tryBind(env, c.sql)
		e := pgerr.From(err)
		if e == nil || e.Code != c.code || e.Message != c.message || e.Position != c.pos {
			t.Errorf("%s: got %+v", c.sql, e)
		}
	}
}
