package exec

import (
	"strings"
	"testing"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

var pairT = []plan.Type{int4T, textT}

func TestInsertedRowsAreRead(t *testing.T) {
	w := newWorld(t)
	r := w.create("t", cols("a int4!", "b text"), []int16{1}, nil)
	w.query(insert(r, values(pairT, []plan.Expr{i4(2), tx("two")}, []plan.Expr{i4(1), null(textT)})))
	w.expect(scan(r, nil), "1 ~", "2 two")
	w.expect(scan(r, op(">", sl(0, int4T), i4(1))), "2 two")
	w.expect(&plan.KeyLookup{NodeInfo: columnsOf(r, all(r)), Table: r, Attrs: all(r), Keys: [][]plan.Expr{{i4(2)}, {i4(7)}, {i4(2)}}}, "2 two")
	w.expect(&plan.Scan{NodeInfo: info(int8T), Table: r, CountOnly: true}, "2")
}

func TestConstraintsAreNamed(t *testing.T) {
	w := newWorld(t)
	r := w.create("t", cols("a int4!", "b text"), []int16{1}, func(v *catalog.View, r *catalog.Relation) {
		w.index(v, r, "t_b_key", true, 2)
		r.Constraints = []catalog.Constraint{{OID: 1, Name: "t_check", Kind: 'c', Expr: w.stored(op(">", &plan.Var{Base: plan.Base{Typ: int4T}}, i4(0)))}}
	})
	w.query(insert(r, values(pairT, []plan.Expr{i4(1), tx("x")}, []plan.Expr{i4(2), null(textT)}, []plan.Expr{i4(3), null(textT)})))
	for _, c := range []struct {
		a, b         plan.Expr
		code, detail string
	}{
		{null(int4T), tx("y"), pgerr.NotNullViolation, "Failing row contains (null, y)."},
		{i4(-1), tx("y"), pgerr.CheckViolation, "Failing row contains (-1, y)."},
		{i4(1), tx("y"), pgerr.UniqueViolation, "Key (a)=(1) already exists."},
		{i4(9), tx("x"), pgerr.UniqueViolation, "Key (b)=(x) already exists."},
	} {
		_, err := w.try(insert(r, values(pairT, []plan.Expr{c.a, c.b})))
		if e := pgerr.From(err); e == nil || e.Code != c.code || e.Detail != c.detail {
			t.Errorf("got %+v, want %s %s", e, c.code, c.detail)
		}
	}
	w.expect(scan(r, nil), "1 x", "2 ~", "3 ~")
}

func TestUpdateMovesRowsAndIndexEntries(t *testing.T) {
	w := newWorld(t)
	var ix *catalog.Index
	r := w.create("t", cols("a int4!", "b text"), []int16{1}, func(v *catalog.View, r *catalog.Relation) {
		ix = w.index(v, r, "t_b", false, 2)
	})
	w.query(insert(r, values(pairT, []plan.Expr{i4(1), tx("x")}, []plan.Expr{i4(2), tx("y")}, []plan.Expr{i4(3), tx("x")})))
	m := modify(plan.Update, r, op("=", sl(1, textT), tx("x")), plan.Assignment{Attr: 0, Value: op("+", sl(0, int4T), i4(10))})
	m.Returning = []plan.Expr{sl(0, int4T), sl(3, int4T)}
	m.NodeInfo = info(int4T, int4T)
	w.expect(m, "11 1", "13 3")
	w.expect(scan(r, nil), "2 y", "11 x", "13 x")
	byIndex := &plan.IndexScan{
		NodeInfo: columnsOf(r, all(r)), Table: r, Index: ix, Attrs: all(r),
		Ranges: []plan.KeyRange{{Lower: &plan.Bound{Exprs: []plan.Expr{tx("x")}, Inclusive: true}, Upper: &plan.Bound{Exprs: []plan.Expr{tx("x")}, Inclusive: true}}},
	}
	w.expect(byIndex, "11 x", "13 x")
	only := *byIndex
	only.IndexOnly = true
	w.expect(&only, "11 x", "13 x")
	w.query(modify(plan.Delete, r, op("=", sl(0, int4T), i4(11))))
	w.expect(byIndex, "13 x")
}

func TestRowsWithoutKeyAreNumbered(t *testing.T) {
	w := newWorld(t)
	r := w.create("t", cols("a int4"), nil, nil)
	w.query(insert(r, values([]plan.Type{int4T}, []plan.Expr{i4(5)}, []plan.Expr{i4(5)})))
	w.query(insert(r, values([]plan.Type{int4T}, []plan.Expr{i4(4)})))
	w.expect(scan(r, nil), "5", "5", "4")
}

func TestOnConflict(t *testing.T) {
	w := newWorld(t)
	r := w.create("t", cols("a int4!", "b text"), []int16{1}, func(v *catalog.View, r *catalog.Relation) {
		w.index(v, r, "t_b_key", true, 2)
	})
	w.query(insert(r, values(pairT, []plan.Expr{i4(1), tx("x")})))
	nothing := insert(r, values(pairT, []plan.Expr{i4(1), tx("new")}, []plan.Expr{i4(2), tx("x")}, []plan.Expr{i4(3), tx("z")}))
	nothing.OnConflict = &plan.ConflictPlan{}
	w.query(nothing)
	w.expect(scan(r, nil), "1 x", "3 z")

	// Existing row: slots 0, 1; its key: 2; proposed row: 3, 4.
	upsert := insert(r, values(pairT, []plan.Expr{i4(7), tx("z")}, []plan.Expr{i4(8), tx("w")}))
	upsert.OnConflict = &plan.ConflictPlan{Update: true, Set: []plan.Assignment{{Attr: 0, Value: op("+", sl(0, int4T), sl(3, int4T))}}}
	w.query(upsert)
	w.expect(scan(r, nil), "1 x", "8 w", "10 z")

	twice := insert(r, values(pairT, []plan.Expr{i4(20), tx("q")}, []plan.Expr{i4(21), tx("q")}))
	twice.OnConflict = upsert.OnConflict
	if _, err := w.try(twice); !pgerr.Is(err, pgerr.CardinalityViolation) {
		t.Errorf("second change of a row in one command gives %v", err)
	}
}

func TestForeignKeys(t *testing.T) {
	w := newWorld(t)
	p := w.create("p", cols("id int4!"), []int16{1}, nil)
	child := func(name string, onDelete byte, deferred bool) *catalog.Relation {
		return w.create(name, cols("id int4!", "pid int4"), []int16{1}, func(v *catalog.View, r *catalog.Relation) {
			oid, err := v.NewOID()
			w.check(err)
			r.Constraints = []catalog.Constraint{{
				OID: oid, Name: name + "_fk", Kind: 'f', Columns: []int16{2}, RefTable: p.OID, RefColumns: []int16{1},
				OnDelete: onDelete, OnUpdate: 'c', Match: 's', Deferrable: deferred, Deferred: deferred,
			}}
		})
	}
	two := []plan.Type{int4T, int4T}
	strict, cascade, setNull, later := child("c1", 'a', false), child("c2", 'c', false), child("c3", 'n', false), child("c4", 'a', true)
	w.query(insert(p, values([]plan.Type{int4T}, []plan.Expr{i4(1)}, []plan.Expr{i4(2)}, []plan.Expr{i4(3)})))
	_, err := w.try(insert(strict, values(two, []plan.Expr{i4(1), i4(9)})))
	if e := pgerr.From(err); e == nil || e.Code != pgerr.ForeignKeyViolation || e.Detail != `Key (pid)=(9) is not present in table "p".` {
		t.Errorf("missing parent gives %v", err)
	}
	w.query(insert(strict, values(two, []plan.Expr{i4(1), i4(1)}, []plan.Expr{i4(2), null(int4T)})))
	w.query(insert(cascade, values(two, []plan.Expr{i4(1), i4(2)}, []plan.Expr{i4(2), i4(3)})))
	w.query(insert(setNull, values(two, []plan.Expr{i4(1), i4(2)})))
	_, err = w.try(modify(plan.Delete, p, op("=", sl(0, int4T), i4(1))))
	if e := pgerr.From(err); e == nil || e.Detail != `Key (id)=(1) is still referenced from table "c1".` {
		t.Errorf("deleting a referenced row gives %v", err)
	}
	w.query(modify(plan.Delete, p, op("=", sl(0, int4T), i4(2))))
	w.expect(scan(cascade, nil), "2 3")
	w.expect(scan(setNull, nil), "1 ~")
	w.query(modify(plan.Update, p, op("=", sl(0, int4T), i4(3)), plan.Assignment{Attr: 0, Value: i4(30)}))
	w.expect(scan(cascade, nil), "2 30")

	s := w.begin(engine.TxnOptions{})
	rt := s.runtime()
	_, _, err = collect(rt, &plan.Statement{Root: insert(later, values(two, []plan.Expr{i4(1), i4(77)}))})
	w.check(err)
	if !rt.Deferred.Pending() {
		t.Fatal("nothing is deferred")
	}
	if err := rt.Deferred.Check(rt, false); !pgerr.Is(err, pgerr.ForeignKeyViolation) {
		t.Errorf("deferred check gives %v", err)
	}
	s.txn.Rollback()
}

func TestUpdateSeesTheNewestVersion(t *testing.T) {
	w := newWorld(t)
	r := w.create("t", cols("a int4!", "b int4"), []int16{1}, nil)
	two := []plan.Type{int4T, int4T}
	w.query(insert(r, values(two, []plan.Expr{i4(1), i4(10)}, []plan.Expr{i4(2), i4(20)})))
	plus := func(n int64) *plan.Modify {
		return modify(plan.Update, r, op("<", sl(1, int4T), i4(100)), plan.Assignment{Attr: 1, Value: op("+", sl(1, int4T), i4(n))})
	}
	for _, level := range []engine.Isolation{engine.ReadCommitted, engine.RepeatableRead} {
		s := w.begin(engine.TxnOptions{Isolation: level})
		rt := s.runtime() // the snapshot comes before the other change
		w.query(plus(1))
		w.query(modify(plan.Update, r, op("=", sl(0, int4T), i4(2)), plan.Assignment{Attr: 1, Value: i4(500)}))
		_, n, err := collect(rt, &plan.Statement{Root: plus(5)})
		if level == engine.RepeatableRead {
			if e := pgerr.From(err); e == nil || e.Code != pgerr.SerializationFailure || e.Message != "could not serialize access due to concurrent update" {
				t.Errorf("repeatable read gives %v", err)
			}
			s.txn.Rollback()
			continue
		}
		w.check(err)
		s.commit()
		if n != 1 {
			t.Errorf("%d rows changed, want 1: the other no longer qualifies", n)
		}
		w.expect(scan(r, nil), "1 16", "2 500")
		w.query(modify(plan.Update, r, op("=", sl(0, int4T), i4(2)), plan.Assignment{Attr: 1, Value: i4(20)}))
	}
}

func TestFastPathGivesTheSameRows(t *testing.T) {
	w := newWorld(t)
	r := w.create("t", cols("a int4!", "b text", "c text"), []int16{1, 2}, nil)
	three := []plan.Type{int4T, textT, textT}
	w.query(insert(r, values(three, []plan.Expr{i4(1), tx("x"), tx("one")}, []plan.Expr{i4(1), tx("y"), null(textT)})))
	look := &plan.KeyLookup{NodeInfo: columnsOf(r, []int{2, 0}), Table: r, Attrs: []int{2, 0}, Keys: [][]plan.Expr{{i4(1), param(1, textT)}}}
	st := &plan.Statement{Root: project(look, sl(1, int4T), sl(0, textT)), Params: []plan.Type{textT}, ReadOnly: true}
	s := w.begin(engine.TxnOptions{})
	defer s.txn.Rollback()
	for _, knobs := range []Knobs{{}, {NoFastPath: true}, {}} {
		for key, want := range map[string]string{"x": "1 one", "y": "1 ~", "z": ""} {
			rt := s.runtime()
			rt.Knobs, rt.Params = knobs, []column.Datum{column.StringDatum(key)}
			got, _, err := collect(rt, st)
			w.check(err)
			rt.Snapshot.Close()
			if strings.Join(got, "") != want {
				t.Errorf("%s: got %q, want %q", key, got, want)
			}
		}
	}
	if f, ok := st.Compiled.Load().(*fastLookup); !ok || f == notFast {
		t.Error("the statement was not compiled")
	}
}
