package exec

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/internal/clock"
	"github.com/omendb/omendb/internal/task"
	"github.com/omendb/omendb/internal/vfs"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// world is a database in memory with hand-made tables and plans.
type world struct {
	t     testing.TB
	db    *engine.DB
	cat   *catalog.Catalog
	fs    vfs.FS
	exprs map[string]plan.Expr // what stored expressions decode to
	knobs Knobs
	limit int64
}

func newWorld(t testing.TB) *world {
	t.Helper()
	fs := vfs.NewMem(1)
	tasks := task.NewGoroutines(func(p *task.Panic) { panic(p) })
	db, err := engine.Open(engine.Options{FS: fs, Clock: clock.System(), Tasks: tasks, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close(); tasks.Close() })
	cat, err := catalog.Open(db, catalog.Options{Superuser: "omendb", Verifier: "v"})
	if err != nil {
		t.Fatal(err)
	}
	return &world{t: t, db: db, cat: cat, fs: fs, exprs: map[string]plan.Expr{}}
}

// DecodeExpr implements Binder: stored expressions are names of entries in exprs.
func (w *world) DecodeExpr(b []byte) (plan.Expr, error) {
	if e := w.exprs[string(b)]; e != nil {
		return e, nil
	}
	return nil, fmt.Errorf("no expression %q", b)
}

func (w *world) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// stored remembers an expression for a descriptor.
func (w *world) stored(e plan.Expr) []byte {
	name := fmt.Sprint("e", len(w.exprs))
	w.exprs[name] = e
	return []byte(name)
}

// col is a column of a test table: "name type", type as in pg_type, "!" for NOT NULL.
func cols(defs ...string) []catalog.Column {
	out := make([]catalog.Column, len(defs))
	for i, d := range defs {
		name, typ, _ := strings.Cut(strings.TrimSuffix(d, "!"), " ")
		out[i] = catalog.Column{Num: int16(i + 1), Name: name, Type: types.ByName(typ).OID, Typmod: -1, NotNull: strings.HasSuffix(d, "!")}
	}
	return out
}

// create makes a table; key lists the attribute numbers of its primary key.
func (w *world) create(name string, columns []catalog.Column, key []int16, edit func(v *catalog.View, r *catalog.Relation)) *catalog.Relation {
	w.t.Helper()
	ctx := context.Background()
	txn := w.db.Begin(engine.TxnOptions{})
	v := w.cat.View(txn, catalog.PostgresDatabase)
	oid, err := v.NewOID()
	w.check(err)
	r := &catalog.Relation{
		Meta: catalog.Meta{OID: oid, Name: name, Schema: catalog.Public, Owner: catalog.BootstrapSuperuser},
		Kind: catalog.KindTable, Columns: columns, StorageKey: key, Store: uint64(w.db.NewStoreID()), HiddenRowID: len(key) == 0,
	}
	if edit != nil {
		edit(v, r)
	}
	w.check(txn.CreateStore(catalog.TableStore(types.NewEnv(), r)))
	w.check(v.Put(ctx, r))
	_, err = txn.Commit(ctx)
	w.check(err)
	return r
}

// index adds an index to a relation that is being made.
func (w *world) index(v *catalog.View, r *catalog.Relation, name string, unique bool, attrs ...int16) *catalog.Index {
	w.t.Helper()
	oid, err := v.NewOID()
	w.check(err)
	ix := &catalog.Index{
		Meta:  catalog.Meta{OID: oid, Name: name, Schema: catalog.Public, Owner: catalog.BootstrapSuperuser},
		Table: r.OID, Method: "btree", Unique: unique, Immediate: true, Valid: true, Store: uint64(w.db.NewStoreID()),
	}
	for _, a := range attrs {
		ix.Keys = append(ix.Keys, catalog.IndexKey{Column: a, Type: r.Columns[a-1].Type, Name: r.Columns[a-1].Name})
	}
	w.check(v.Txn().CreateStore(catalog.IndexStore(types.NewEnv(), r, ix)))
	w.check(v.Put(context.Background(), ix))
	r.Indexes = append(r.Indexes, oid)
	return ix
}

// session is an open transaction.
type session struct {
	*world
	txn *engine.Txn
}

func (w *world) begin(o engine.TxnOptions) *session { return &session{w, w.db.Begin(o)} }

func (s *session) commit() {
	s.t.Helper()
	_, err := s.txn.Commit(context.Background())
	s.check(err)
}

func (s *session) runtime() *Runtime {
	env := types.NewEnv()
	s.txn.NextCommand()
	return &Runtime{
		Context: context.Background(), DB: s.db, Txn: s.txn, Snapshot: s.txn.Snapshot(), Isolation: s.txn.Options().Isolation,
		Catalog: s.cat.View(s.txn, catalog.PostgresDatabase), Binder: s.world, Functions: &functions.Ctx{Env: env},
		Deferred: &Deferred{}, TempFS: s.fs, TempDir: "tmp", Knobs: s.knobs, MemoryLimit: s.limit, Clock: clock.System(),
	}
}

// run executes a statement and returns its rows as text, and the affected rows.
func (s *session) run(st *plan.Statement) ([]string, int64, error) {
	rt := s.runtime()
	defer rt.Snapshot.Close()
	return collect(rt, st)
}

func collect(rt *Runtime, st *plan.Statement) ([]string, int64, error) {
	rows, err := Run(rt, st)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	var out []string
	var b column.Batch
	for {
		ok, err := rows.Next(&b)
		if err != nil {
			return out, rows.Affected(), err
		}
		if !ok {
			return out, rows.Affected(), nil
		}
		for i := range b.Len() {
			var line []string
			for c, info := range st.Root.Info().Columns {
				d := b.Cols[c].Datum(b.Row(i))
				if d.Null {
					line = append(line, "~")
				} else {
					line = append(line, string(rt.Functions.Env.Out(nil, info.Type.OID, d)))
				}
			}
			out = append(out, strings.Join(line, " "))
		}
	}
}

// query runs a node in a transaction of its own, which is committed unless it fails.
func (w *world) query(n plan.Node, plans ...*plan.Plan) []string {
	w.t.Helper()
	out, err := w.try(n, plans...)
	w.check(err)
	return out
}

func (w *world) try(n plan.Node, plans ...*plan.Plan) ([]string, error) {
	s := w.begin(engine.TxnOptions{})
	out, _, err := s.run(&plan.Statement{Root: n, Plans: plans, ExecTypes: make([]plan.Type, 16)})
	if err != nil {
		s.txn.Rollback()
		return out, err
	}
	_, err = s.txn.Commit(context.Background())
	return out, err
}

func (w *world) expect(n plan.Node, want ...string) {
	w.t.Helper()
	if got := w.query(n); !slices.Equal(got, want) {
		w.t.Errorf("got %q, want %q", got, want)
	}
}

// Shorthands for types and expressions.

var (
	int4T  = plan.Type{OID: types.Int4OID, Typmod: -1}
	int8T  = plan.Type{OID: types.Int8OID, Typmod: -1}
	textT  = plan.Type{OID: types.TextOID, Typmod: -1, Collation: types.DefaultCollation}
	boolT  = plan.Type{OID: types.BoolOID, Typmod: -1}
	floatT = plan.Type{OID: types.Float8OID, Typmod: -1}
)

func sl(i int, t plan.Type) *plan.Slot { return &plan.Slot{Base: plan.Base{Typ: t}, Index: i} }

func i4(v int64) plan.Expr {
	return &plan.Const{Base: plan.Base{Typ: int4T}, Value: column.IntDatum(v)}
}

func i8(v int64) plan.Expr {
	return &plan.Const{Base: plan.Base{Typ: int8T}, Value: column.IntDatum(v)}
}

func tx(s string) plan.Expr {
	return &plan.Const{Base: plan.Base{Typ: textT}, Value: column.StringDatum(s)}
}

func null(t plan.Type) plan.Expr { return &plan.Const{Base: plan.Base{Typ: t}, Value: column.Null()} }

func fn(name string, l, r OID) *functions.Func { return functions.FindOperator(name, l, r).Code }

// op is a binary operator call on two expressions.
func op(name string, l, r plan.Expr) plan.Expr {
	o := functions.FindOperator(name, l.ResultType().OID, r.ResultType().OID)
	if o == nil {
		panic(fmt.Sprintf("no operator %s for %d, %d", name, l.ResultType().OID, r.ResultType().OID))
	}
	return &plan.Call{Base: plan.Base{Typ: plan.Type{OID: o.Result, Typmod: -1}}, Func: o.Code, Args: []plan.Expr{l, r}, Op: o.OID}
}

func info(ts ...plan.Type) plan.NodeInfo {
	n := plan.NodeInfo{}
	for i, t := range ts {
		n.Columns = append(n.Columns, plan.Column{Name: fmt.Sprint("c", i), Type: t})
	}
	return n
}

func columnsOf(r *catalog.Relation, attrs []int) plan.NodeInfo {
	n := plan.NodeInfo{}
	for _, a := range attrs {
		if a == plan.AttrKey {
			n.Columns = append(n.Columns, plan.Column{Name: "ctid", Type: plan.Type{OID: types.ByteaOID, Typmod: -1}})
			continue
		}
		n.Columns = append(n.Columns, plan.Column{Name: r.Columns[a].Name, Type: plan.Type{OID: r.Columns[a].Type, Typmod: -1, Collation: types.DefaultCollation}})
	}
	return n
}

func all(r *catalog.Relation) []int {
	out := make([]int, len(r.Columns))
	for i := range out {
		out[i] = i
	}
	return out
}

func scan(r *catalog.Relation, filter plan.Expr) *plan.Scan {
	return &plan.Scan{NodeInfo: columnsOf(r, all(r)), Table: r, Attrs: all(r), Filter: filter}
}

func values(ts []plan.Type, rows ...[]plan.Expr) *plan.Values {
	return &plan.Values{NodeInfo: info(ts...), Rows: rows}
}

func project(in plan.Node, exprs ...plan.Expr) *plan.Project {
	return &plan.Project{NodeInfo: info(exprTypes(exprs)...), Input: in, Exprs: exprs}
}

func insert(r *catalog.Relation, in plan.Node) *plan.Modify {
	return &plan.Modify{Command: plan.Insert, Table: r, Input: in}
}

// modify is UPDATE or DELETE of the rows of a table that satisfy a condition.
func modify(cmd plan.Command, r *catalog.Relation, filter plan.Expr, set ...plan.Assignment) *plan.Modify {
	attrs := append(all(r), plan.AttrKey)
	in := &plan.Scan{NodeInfo: columnsOf(r, attrs), Table: r, Attrs: attrs, Filter: filter}
	return &plan.Modify{
		Command: cmd, Table: r, Input: in, Set: set, Recheck: []plan.RecheckStep{{Cond: filter}},
		Target: plan.LockTarget{Table: r, Key: len(r.Columns), Attrs: all(r), Slots: all(r)},
	}
}

func asc(i int, t plan.Type) plan.SortKey { return plan.SortKey{Expr: sl(i, t)} }

func sorted(in plan.Node, keys ...plan.SortKey) *plan.Sort {
	return &plan.Sort{NodeInfo: *in.Info(), Input: in, Keys: keys}
}

// agg is an aggregate call by signature, such as "sum(int4)".
func agg(sig string, args ...plan.Expr) *plan.Agg {
	for _, f := range functions.All() {
		if f.Kind == 'a' && f.Signature() == sig {
			return &plan.Agg{Base: plan.Base{Typ: plan.Type{OID: f.Ret, Typmod: -1}}, Func: f, Args: args, Star: len(args) == 0}
		}
	}
	panic("no aggregate " + sig)
}
