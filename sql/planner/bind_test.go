package planner

import (
	"testing"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/parser"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// fakeCatalog is a catalog of a few tables in memory.
type fakeCatalog struct {
	relations map[OID]*catalog.Relation
	indexes   map[OID]*catalog.Index
	schemas   map[string]*catalog.Schema
}

func (c *fakeCatalog) Children(OID) []*catalog.Relation   { return nil }
func (c *fakeCatalog) Relation(oid OID) *catalog.Relation { return c.relations[oid] }
func (c *fakeCatalog) RelationByName(schema OID, name string) *catalog.Relation {
	for _, r := range c.relations {
		if r.Schema == schema && r.Name == name {
			return r
		}
	}
	return nil
}
func (c *fakeCatalog) Index(oid OID) *catalog.Index                    { return c.indexes[oid] }
func (c *fakeCatalog) Sequence(OID) *catalog.Sequence                  { return nil }
func (c *fakeCatalog) SequenceByName(OID, string) *catalog.Sequence    { return nil }
func (c *fakeCatalog) Type(OID) *catalog.Type                          { return nil }
func (c *fakeCatalog) TypeByName(OID, string) *catalog.Type            { return nil }
func (c *fakeCatalog) Function(OID) *catalog.Function                  { return nil }
func (c *fakeCatalog) FunctionsByName(OID, string) []*catalog.Function { return nil }
func (c *fakeCatalog) Schema(oid OID) *catalog.Schema                  { return nil }
func (c *fakeCatalog) SchemaByName(name string) *catalog.Schema        { return c.schemas[name] }
func (c *fakeCatalog) Role(OID) *catalog.Role                          { return nil }
func (c *fakeCatalog) Restricted(catalog.OID) bool                     { return false }
func (c *fakeCatalog) ObjectVersion(catalog.Class, catalog.OID) uint64 { return 1 }
func (c *fakeCatalog) RoleByName(string) *catalog.Role                 { return nil }

const publicSchema OID = 2200

func (c *fakeCatalog) table(oid OID, name string, key []int16, cols ...catalog.Column) *catalog.Relation {
	r := &catalog.Relation{Meta: catalog.Meta{OID: oid, Name: name, Schema: publicSchema}, Kind: catalog.KindTable, StorageKey: key}
	for i := range cols {
		cols[i].Num = int16(i + 1)
		if cols[i].Typmod == 0 {
			cols[i].Typmod = -1
		}
		cols[i].Collation = types.ByOID(cols[i].Type).Collation
	}
	r.Columns = cols
	if key != nil {
		r.Indexes = []OID{oid + 1}
		r.Constraints = []catalog.Constraint{{OID: oid + 2, Name: name + "_pkey", Kind: 'p', Columns: key, Index: oid + 1}}
		x := &catalog.Index{Meta: catalog.Meta{OID: oid + 1, Name: name + "_pkey"}, Table: oid, Unique: true, Primary: true, Immediate: true, Valid: true, Method: "btree"}
		for _, k := range key {
			x.Keys = append(x.Keys, catalog.IndexKey{Column: k, Type: cols[k-1].Type, Collation: cols[k-1].Collation})
		}
		c.indexes[oid+1] = x
	}
	c.relations[oid] = r
	return r
}

func testEnv(t *testing.T) *Env {
	t.Helper()
	c := &fakeCatalog{relations: map[OID]*catalog.Relation{}, indexes: map[OID]*catalog.Index{}, schemas: map[string]*catalog.Schema{
		"public": {Meta: catalog.Meta{OID: publicSchema, Name: "public"}}, "pg_catalog": {Meta: catalog.Meta{OID: functions.PgCatalog, Name: "pg_catalog"}}}}
	env := &Env{Catalog: c, SearchPath: []OID{functions.PgCatalog, publicSchema}, Types: types.NewEnv(), Database: "postgres"}
	env.Functions = &functions.Ctx{Env: env.Types}
	col := func(name string, typ OID) catalog.Column { return catalog.Column{Name: name, Type: typ} }
	c.table(20000, "t", []int16{1}, col("id", types.Int4OID), col("name", types.TextOID), col("n", types.Int8OID), col("at", types.TimestampOID))
	c.table(20010, "u", nil, col("id", types.Int4OID), col("v", types.NumericOID), col("tags", types.TextArrayOID))
	c.relations[20000].Columns[1].Default = plan.EncodeExpr(&plan.Const{Base: plan.Base{Typ: plan.Type{OID: types.TextOID, Typmod: -1, Collation: 100}, Pos: -1}})
	v := &catalog.Relation{Meta: catalog.Meta{OID: 20020, Name: "v", Schema: publicSchema}, Kind: catalog.KindView}
	c.relations[20020] = v
	q := bindOne(t, env, "select id, name from t where n > 5").Query
	v.Query = plan.EncodeQuery(q)
	for _, o := range q.Targets {
		v.Columns = append(v.Columns, catalog.Column{Num: int16(len(v.Columns) + 1), Name: o.Name, Type: o.Expr.ResultType().OID, Typmod: -1, Collation: o.Expr.ResultType().Collation})
	}
	return env
}

func bindOne(t *testing.T, env *Env, sql string) *Bound {
	t.Helper()
	b, err := tryBind(env, sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return b
}

func tryBind(env *Env, sql string) (*Bound, error) {
	st, err := parser.Parse(sql)
	if err != nil {
		return nil, err
	}
	return Bind(env, st[0])
}

// Each statement binds to output columns of these names and types.
func TestBindColumns(t *testing.T) {
	env := testEnv(t)
	for _, c := range []struct{ sql, want string }{
		{"select 1, 'a', 1.5, null, 3000000000, true", "?column? integer, ?column? text, ?column? numeric, ?column? text, ?column? bigint, ?column? boolean"},
		{"select * from t", "id integer, name text, n bigint, at timestamp without time zone"},
		{"select t.*, u.v from t join u using (id)", "id integer, name text, n bigint, at timestamp without time zone, v numeric"},
		{"select * from t natural full join u", "id integer, name text, n bigint, at timestamp without time zone, v numeric, tags text[]"},
		{"select id + n, n || name, upper(name) from t", "?column? bigint, ?column? text, upper text"},
		{"select count(*), sum(n), max(name) from t group by id", "count bigint, sum numeric, max text"},
		{"select name, n from t group by id", "name text, n bigint"},
		{"select case when n > 3 then 1 else 2.5 end from t", "case numeric"},
		{"select id from t union select v from u order by 1", "id numeric"},
		{"select 1 union select 2 union all select 3.5", "?column? numeric"},
		{"select 'a' union select null", "?column? text"},
		{"values (1, 'x'), (2.5, null)", "column1 numeric, column2 text"},
		{"with w as (select 1 as a) select a, (select max(a) from w) from w", "a integer, max integer"},
		{"with recursive r(x) as (select 1 union all select x + 1 from r where x < 5) select * from r", "x integer"},
		{"select x from (select id as x from t) s where x in (select id from u) order by x desc nulls last limit 3", "x integer"},
		{"select row_number() over (partition by name order by id), rank() over w from t window w as (order by n)", "row_number bigint, rank bigint"},
		{"select array[1,2,3], array['a'::text], tags[1], tags[1:2] from u", "array integer[], array text[], tags text, tags text[]"},
		{"select exists (select 1), 1 = any (array[1,2]), 1 in (1,2,3)", "exists boolean, ?column? boolean, ?column? boolean"},
		{"select g, g::text from generate_series(1, 3) g", "g integer, g text"},
		{"select * from generate_series(1, 3) with ordinality as x(a, b)", "a integer, b bigint"},
		{"select * from v where id = 3", "id integer, name text"},
		{"select coalesce(name, 'x'), nullif(id, 3), greatest(1, 2.5), least(id, n) from t", "coalesce text, nullif integer, greatest numeric, least bigint"},
		{"select cast('5' as varchar(3)), '1'::int, date '2020-01-01', interval '1 day'", "varchar character varying(3), int4 integer, date date, interval interval"},
		{"select distinct on (name) name, id from t order by name, id desc", "name text, id integer"},
		{"select a.id from t a, lateral (select * from u where u.id = a.id) b", "id integer"},
		{"select (select count(*) from u where u.id = t.id) from t", "count bigint"},
		{"select name collate \"C\" from t order by name collate \"C\"", "name text"},
		{"select t from t", "t record"},
		{"select current_date, current_user, localtimestamp(3)", "current_date date, current_user name, localtimestamp timestamp(3) without time zone"},
		{"select name like 'a%', name ilike 'b', id between 1 and 3, id is distinct from 4 from t", "?column? boolean, ?column? boolean, ?column? boolean, ?column? boolean"},
		{"select grouping(name), count(*) from t group by rollup (name, id)", "grouping integer, count bigint"},
		{"select extract(year from at), at at time zone 'UTC' from t", "extract numeric, timezone timestamp with time zone"},
		{"select (1, 2) < (2, 3), row(1, 'a') = row(1, 'a')", "?column? boolean, ?column? boolean"},
		{"select percentile_cont(0.5) within group (order by n), string_agg(name, ',' order by id desc) from t", "percentile_cont double precision, string_agg text"},
	} {
		b, err := tryBind(env, c.sql)
		if err != nil {
			t.Errorf("%s: %+v", c.sql, err)
			continue
		}
		got := ""
		for i, o := range visible(b.Query.Targets) {
			if i > 0 {
				got += ", "
			}
			typ := o.Expr.ResultType()
			got += o.Name + " " + env.Types.FormatType(typ.OID, typ.Typmod)
		}
		if got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.sql, got, c.want)
		}
		data := plan.EncodeQuery(b.Query)
		again, err := plan.DecodeQuery(data, resolver{&binder{env: env, seen: map[plan.ObjectVersion]bool{}}})
		if err != nil {
			t.Errorf("%s: decode: %v", c.sql, err)
		} else if string(plan.EncodeQuery(again)) != string(data) {
			t.Errorf("%s: another encoding after decoding", c.sql)
		}
	}
}

func TestBindErrors(t *testing.T) {
	env := testEnv(t)
	for _, c := range []struct {
		sql, code, message string
		pos                int
	}{
		{"select nam from t", pgerr.UndefinedColumn, `column "nam" does not exist`, 8},
		{"select t.x from t", pgerr.UndefinedColumn, `column t.x does not exist`, 8},
		{"select x.id from t", pgerr.UndefinedTable, `missing FROM-clause entry for table "x"`, 8},
		{"select * from nope", pgerr.UndefinedTable, `relation "nope" does not exist`, 15},
		{"select id from t, u", pgerr.AmbiguousColumn, `column reference "id" is ambiguous`, 8},
		{"select name from t group by n", pgerr.GroupingError, `column "t.name" must appear in the GROUP BY clause or be used in an aggregate function`, 8},
		{"select 1 + 'a'::text", pgerr.UndefinedFunction, `operator does not exist: integer + text`, 10},
		{"select nofunc(1)", pgerr.UndefinedFunction, `function nofunc(integer) does not exist`, 8},
		{"select id from t where name", pgerr.DatatypeMismatch, `argument of WHERE must be type boolean, not type text`, 24},
		{"select id from t order by 3", pgerr.InvalidColumnReference, `ORDER BY position 3 is not in select list`, 27},
		{"select 1 union select 1, 2", pgerr.SyntaxError, `each UNION query must have the same number of columns`, 23},
		{"select 1 union select 'a'::text", pgerr.DatatypeMismatch, `UNION types integer and text cannot be matched`, 23},
		{"select sum(id) from t where sum(id) > 1", pgerr.GroupingError, `aggregate functions are not allowed in WHERE`, 29},
		{"select sum(sum(id)) from t", pgerr.GroupingError, `aggregate function calls cannot be nested`, 12},
		{"select (select id, n from t)", pgerr.SyntaxError, `subquery must return only one column`, 8},
		{"select '12x'::int", pgerr.InvalidTextRepresentation, `invalid input syntax for type integer: "12x"`, 8},
		{"select $1 is null, $2", pgerr.IndeterminateDatatype, `could not determine data type of parameter $1`, 0},
		{"select array[]", pgerr.IndeterminateDatatype, `cannot determine type of empty array`, 8},
		{"select 1::nope", pgerr.UndefinedObject, `type "nope" does not exist`, 11},
		{"select distinct name from t order by id", pgerr.InvalidColumnReference, `for SELECT DISTINCT, ORDER BY expressions must appear in select list`, 38},
		{"select * from t a, u a", pgerr.DuplicateAlias, `table name "a" specified more than once`, 0},
	} {
		_, err := tryBind(env, c.sql)
		e := pgerr.From(err)
		if e == nil || e.Code != c.code || e.Message != c.message || e.Position != c.pos {
			t.Errorf("%s: got %+v", c.sql, e)
		}
	}
}

func TestBindParams(t *testing.T) {
	env := testEnv(t)
	b := bindOne(t, env, "select * from t where id = $1 and name like $2 limit $3")
	want := []OID{types.Int4OID, types.TextOID, types.Int8OID}
	for i, w := range want {
		if b.Params[i] != w {
			t.Errorf("$%d is %d, want %d", i+1, b.Params[i], w)
		}
	}
}
