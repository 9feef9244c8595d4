package catalog

import (
	"context"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/internal/clock"
	"github.com/omendb/omendb/internal/task"
	"github.com/omendb/omendb/internal/vfs"
	"github.com/omendb/omendb/sql/pgerr"
)

var ctx = context.Background()

type world struct {
	t   *testing.T
	fs  vfs.FS
	db  *engine.DB
	cat *Catalog
}

func open(t *testing.T, fs vfs.FS) *world {
	t.Helper()
	tasks := task.NewGoroutines(func(p *task.Panic) { panic(p) })
	db, err := engine.Open(engine.Options{FS: fs, Clock: clock.System(), Tasks: tasks, Log: zerolog.Nop(), DeadlockTimeout: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close(); tasks.Close() })
	cat, err := Open(db, Options{Superuser: "omendb", Verifier: "v"})
	if err != nil {
		t.Fatal(err)
	}
	return &world{t, fs, db, cat}
}

func (w *world) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) begin() (*engine.Txn, *View) {
	txn := w.db.Begin(engine.TxnOptions{})
	return txn, w.cat.View(txn, PostgresDatabase)
}

func (w *world) commit(txn *engine.Txn) {
	w.t.Helper()
	_, err := txn.Commit(ctx)
	w.check(err)
}

func (w *world) put(v *View, name string) *Relation {
	w.t.Helper()
	oid, err := v.NewOID()
	w.check(err)
	r := &Relation{Meta: Meta{OID: oid, Name: name, Schema: Public, Owner: BootstrapSuperuser}, Kind: KindTable}
	w.check(v.Put(ctx, r))
	return r
}

func TestBootstrap(t *testing.T) {
	w := open(t, vfs.NewMem(1))
	txn, v := w.begin()
	defer txn.Rollback()
	if r := v.RoleByName("omendb"); r == nil || r.OID != BootstrapSuperuser || !r.Superuser || r.Verifier != "v" {
		t.Errorf("superuser is %+v", r)
	}
	for _, name := range []string{"postgres", "template0", "template1", "omendb"} {
		if v.DatabaseByName(name) == nil {
			t.Errorf("database %s is missing", name)
		}
	}
	for name, oid := range map[string]OID{"pg_catalog": 11, "public": 2200, "pg_toast": 99, "information_schema": 13207} {
		if s := v.SchemaByName(name); s == nil || s.OID != oid {
			t.Errorf("schema %s is %+v", name, s)
		}
	}
	own := w.cat.View(nil, v.DatabaseByName("omendb").OID)
	if own.SchemaByName("public") == nil {
		t.Error("the superuser's database has no schema public")
	}
	if m := v.RoleByName("pg_monitor"); m == nil || len(m.MemberOf) != 3 {
		t.Errorf("pg_monitor is %+v", m)
	}
}

func TestCommitPublishesAndRollbackDoesNot(t *testing.T) {
	w := open(t, vfs.NewMem(1))
	txn, v := w.begin()
	other, seen := w.begin()
	defer other.Rollback()
	r := w.put(v, "a")
	if v.RelationByName(Public, "a") != r {
		t.Error("a transaction does not see its own table")
	}
	seen.Refresh()
	if seen.RelationByName(Public, "a") != nil {
		t.Error("another transaction sees an uncommitted table")
	}
	w.commit(txn)
	if seen.RelationByName(Public, "a") != nil {
		t.Error("a view moved without Refresh")
	}
	seen.Refresh()
	if seen.RelationByName(Public, "a") == nil || seen.ObjectVersion(ClassRelation, r.OID) != r.Version {
		t.Error("a committed table is not seen after Refresh")
	}
	txn, v = w.begin()
	w.put(v, "b")
	txn.Rollback()
	seen.Refresh()
	if seen.RelationByName(Public, "b") != nil {
		t.Error("a rolled back table is seen")
	}
}

func TestSavepoint(t *testing.T) {
	w := open(t, vfs.NewMem(1))
	txn, v := w.begin()
	a := w.put(v, "a")
	sp, mark := txn.Savepoint(), v.Savepoint()
	w.put(v, "b")
	renamed := *a
	renamed.Name = "c"
	w.check(v.Put(ctx, &renamed))
	if v.RelationByName(Public, "a") != nil || v.RelationByName(Public, "c") == nil {
		t.Error("a rename inside the subtransaction is not seen")
	}
	txn.RollbackTo(sp)
	v.RollbackTo(mark)
	if v.RelationByName(Public, "b") != nil || v.RelationByName(Public, "c") != nil || v.RelationByName(Public, "a") != a {
		t.Error("the rollback to the savepoint left something")
	}
	w.commit(txn)
	_, v = w.begin()
	if v.RelationByName(Public, "a") == nil || v.RelationByName(Public, "b") != nil {
		t.Error("the commit did not keep what preceded the savepoint, and only that")
	}
}

func TestRecovery(t *testing.T) {
	fs := vfs.NewMem(1)
	w := open(t, fs)
	txn, v := w.begin()
	a := w.put(v, "a")
	b := w.put(v, "b")
	w.commit(txn)
	txn, v = w.begin()
	w.check(v.LockObject(ctx, ClassRelation, b.OID))
	w.check(v.Delete(ctx, ClassRelation, b.OID))
	w.commit(txn)
	w.check(w.db.Close())

	w = open(t, fs)
	txn, v = w.begin()
	if got := v.RelationByName(Public, "a"); got == nil || got.OID != a.OID || got.Version != a.Version {
		t.Errorf("table a after restart: %+v", got)
	}
	if v.Relation(b.OID) != nil {
		t.Error("a dropped table is back after a restart")
	}
	if c := w.put(v, "c"); c.OID <= b.OID || c.Version <= a.Version {
		t.Errorf("after a restart OID %d and version %d follow %d and %d", c.OID, c.Version, b.OID, a.Version)
	}
	txn.Rollback()
}

func TestConcurrentChangeIsNoticed(t *testing.T) {
	w := open(t, vfs.NewMem(1))
	txn, v := w.begin()
	a := w.put(v, "a")
	w.commit(txn)
	first, v1 := w.begin()
	second, v2 := w.begin()
	defer second.Rollback()
	w.check(v1.LockObject(ctx, ClassRelation, a.OID))
	c1 := *v1.Relation(a.OID)
	c1.Comment = "one"
	w.check(v1.Put(ctx, &c1))
	done := make(chan error)
	go func() { done <- v2.LockObject(ctx, ClassRelation, a.OID) }()
	time.Sleep(5 * time.Millisecond)
	w.commit(first)
	w.check(<-done)
	if got := v2.Relation(a.OID); got.Comment != "one" {
		t.Error("after the lock the view does not show the other transaction's change")
	}
	stale := *a
	if err := v2.Put(ctx, &stale); !pgerr.Is(err, pgerr.InternalError) {
		t.Errorf("a change of a stale descriptor gave %v", err)
	}
}

func TestNameLockMakesCreatorsWait(t *testing.T) {
	w := open(t, vfs.NewMem(1))
	first, v1 := w.begin()
	second, v2 := w.begin()
	defer second.Rollback()
	w.check(v1.LockName(ctx, ClassRelation, Public, "x"))
	w.put(v1, "x")
	done := make(chan error)
	go func() { done <- v2.LockName(ctx, ClassIndex, Public, "x") }()
	time.Sleep(5 * time.Millisecond)
	w.commit(first)
	w.check(<-done)
	if v2.ByName(ClassIndex, Public, "x") == nil {
		t.Error("the second creator does not see the first one's table")
	}
}

func TestTemporaryObjects(t *testing.T) {
	fs := vfs.NewMem(1)
	w := open(t, fs)
	s := w.cat.NewSession(PostgresDatabase)
	txn := w.db.Begin(engine.TxnOptions{})
	v := s.View(txn)
	schema, err := v.MakeTempSchema(ctx, BootstrapSuperuser)
	w.check(err)
	oid, _ := v.NewOID()
	w.check(v.Put(ctx, &Relation{Meta: Meta{OID: oid, Name: "t", Schema: schema}, Kind: KindTable, Persistence: 't'}))
	w.commit(txn)

	txn = w.db.Begin(engine.TxnOptions{})
	v = s.View(txn)
	if v.RelationByName(v.TempSchema(), "t") == nil || v.SchemaByName("pg_temp") == nil {
		t.Error("the session does not see its temporary table")
	}
	if len(s.TempObjects()) != 2 {
		t.Errorf("%d temporary objects", len(s.TempObjects()))
	}
	if w.cat.NewSession(PostgresDatabase).View(nil).Relation(oid) != nil {
		t.Error("another session sees the temporary table")
	}
	w.check(v.Delete(ctx, ClassRelation, oid))
	txn.Rollback()
	txn = w.db.Begin(engine.TxnOptions{})
	v = s.View(txn)
	if v.Relation(oid) == nil {
		t.Error("a rolled back drop removed the temporary table")
	}
	w.check(v.Delete(ctx, ClassRelation, oid))
	w.commit(txn)
	if s.View(nil).Relation(oid) != nil {
		t.Error("a dropped temporary table is still there")
	}
	w.check(w.db.Close())
	w = open(t, fs)
	if _, v := w.begin(); v.Relation(oid) != nil || v.Schema(schema) != nil {
		t.Error("a temporary object survived a restart")
	}
}

func TestDependents(t *testing.T) {
	w := open(t, vfs.NewMem(1))
	txn, v := w.begin()
	defer txn.Rollback()
	a := w.put(v, "a")
	oid, _ := v.NewOID()
	ref := &Relation{Meta: Meta{OID: oid, Name: "b", Schema: Public}, Kind: KindTable,
		Constraints: []Constraint{{OID: 1, Kind: 'f', RefTable: a.OID}}}
	w.check(v.Put(ctx, ref))
	if d := v.Dependents(ClassRelation, a.OID); len(d) != 1 || d[0] != ref {
		t.Errorf("dependents of a: %v", d)
	}
	if f := v.ReferencedBy(a.OID); len(f) != 1 || f[0].Table != ref {
		t.Errorf("foreign keys to a: %v", f)
	}
	if d := v.Dependents(ClassSchema, Public); len(d) != 2 {
		t.Errorf("%d objects in schema public", len(d))
	}
	without := *ref
	without.Constraints = nil
	w.check(v.Put(ctx, &without))
	if d := v.Dependents(ClassRelation, a.OID); len(d) != 0 {
		t.Errorf("dependents of a after the key went: %v", d)
	}
}

func TestFunctionsShareNames(t *testing.T) {
	w := open(t, vfs.NewMem(1))
	txn, v := w.begin()
	defer txn.Rollback()
	for _, name := range []string{"f", "f", "ff"} {
		oid, _ := v.NewOID()
		w.check(v.Put(ctx, &Function{Meta: Meta{OID: oid, Name: name, Schema: Public}, Language: "sql"}))
	}
	if n := len(v.FunctionsByName(Public, "f")); n != 2 {
		t.Errorf("%d functions named f", n)
	}
	if f := v.FunctionsByName(Public, "ff")[0]; v.Func(f.OID).Name != "ff" || v.Func(1242) == nil {
		t.Error("functions are not found by OID")
	}
}
