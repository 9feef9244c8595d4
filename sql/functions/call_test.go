package functions

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// bySignature returns the only built-in function that is spelled so.
func bySignature(t *testing.T, sig string) *Func {
	t.Helper()
	name, _, _ := strings.Cut(sig, "(")
	for _, f := range ByName(name) {
		if f.Signature() == sig {
			return f
		}
	}
	t.Fatalf("no function %s", sig)
	return nil
}

func TestSessionFunctions(t *testing.T) {
	c := &Ctx{Env: testEnv(t), Session: newTestSession(), Catalog: testCatalog{}}
	call := func(sig string, args ...column.Datum) column.Datum {
		t.Helper()
		d, err := bySignature(t, sig).Eval(c, args)
		if err != nil {
			t.Fatalf("%s: %v", sig, err)
		}
		return d
	}
	if got := call("current_user()").String(); got != "alice" {
		t.Errorf("current_user = %q", got)
	}
	if got := call("session_user()").String(); got != "bob" {
		t.Errorf("session_user = %q", got)
	}
	if got := call("current_schema()").String(); got != "public" {
		t.Errorf("current_schema = %q", got)
	}
	seq := column.IntDatum(1)
	call("setval(regclass,int8)", seq, column.IntDatum(41))
	if got := call("nextval(regclass)", seq).I; got != 42 {
		t.Errorf("nextval = %d", got)
	}
	call("set_config(text,text,bool)", column.StringDatum("a.b"), column.StringDatum("v"), column.BoolDatum(false))
	if got := call("current_setting(text)", column.StringDatum("a.b")).String(); got != "v" {
		t.Errorf("current_setting = %q", got)
	}
	if _, err := bySignature(t, "current_setting(text)").Eval(c, []column.Datum{column.StringDatum("no")}); pgerr.Code(err) != "42704" {
		t.Errorf("unknown setting: %v", err)
	}
	if !call("current_setting(text,bool)", column.StringDatum("no"), column.BoolDatum(true)).Null {
		t.Error("a missing setting is NULL when asked so")
	}
	key := column.IntDatum(7)
	call("pg_advisory_lock(int8)", key)
	if call("pg_try_advisory_lock(int8)", key).Bool() {
		t.Error("the test's lock was free")
	}
	if !call("pg_advisory_unlock(int8)", key).Bool() || call("pg_advisory_unlock(int8)", key).Bool() {
		t.Error("unlock tells whether the lock was held")
	}
	if d, err := bySignature(t, "pg_get_userbyid(oid)").Eval(c, []column.Datum{seq}); err != nil || d.String() != "pg_get_userbyid" {
		t.Errorf("catalog function: %v %v", d, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	c.Context = ctx
	if _, err := bySignature(t, "pg_sleep(float8)").Eval(c, []column.Datum{column.FloatDatum(60)}); pgerr.Code(err) != "57014" {
		t.Errorf("cancelled sleep: %v", err)
	}
}

// testCatalog answers every function with its own name.
type testCatalog struct{}

func (testCatalog) Call(_ *Ctx, prosrc string, _ []types.Datum) (types.Datum, bool, error) {
	return column.StringDatum(prosrc), true, nil
}
func (testCatalog) CallSet(*Ctx, string, []types.Datum) (SetIter, bool, error) {
	return nil, false, nil
}
func (testCatalog) SearchPath(bool) []string   { return []string{"public"} }
func (testCatalog) TypeName(OID, int32) string { return "" }

// TestRandomMatchesPostgreSQL holds the first numbers after setseed(0.5) in PostgreSQL 15.
func TestRandomMatchesPostgreSQL(t *testing.T) {
	r := NewRandom(0)
	r.SetSeed(0.5)
	env := types.NewEnv()
	for _, want := range strings.Fields(firstRandoms) {
		if got := string(env.Out(nil, types.Float8OID, column.FloatDatum(r.Float()))); got != want {
			t.Errorf("random() = %s, want %s", got, want)
		}
	}
}

// testWindow is a partition of one int4 column with ordering groups and a frame up to the current row's peers.
type testWindow struct {
	values, peers []int64
	row           int
	args          []column.Datum // arguments after the first
}

func (w *testWindow) Rows() int { return len(w.values) }
func (w *testWindow) Row() int  { return w.row }
func (w *testWindow) PeerStart() int {
	i := w.row
	for i > 0 && w.peers[i-1] == w.peers[w.row] {
		i--
	}
	return i
}
func (w *testWindow) PeerEnd() int {
	i := w.row
	for i < len(w.peers) && w.peers[i] == w.peers[w.row] {
		i++
	}
	return i
}
func (w *testWindow) PeerGroup() int { return int(w.peers[w.row]) }
func (w *testWindow) FrameLen() int  { return w.PeerEnd() }
func (w *testWindow) FrameRow(k int) (int, bool) {
	if k < 0 {
		k += w.FrameLen()
	}
	return k, k >= 0 && k < w.FrameLen()
}
func (w *testWindow) Arg(i, row int) (column.Datum, error) {
	if i == 0 && len(w.values) > 0 && w.args == nil || i == 0 && w.args[0].Null {
		return column.IntDatum(w.values[row]), nil
	}
	return w.args[i], nil
}

// TestWindowFunctions compares with PostgreSQL over values 10 20 20 30 40 ordered by value.
func TestWindowFunctions(t *testing.T) {
	null := column.Null()
	for _, tc := range []struct {
		sig  string
		args []column.Datum
		want string
	}{
		{"row_number()", nil, "1 2 3 4 5"},
		{"rank()", nil, "1 2 2 4 5"},
		{"dense_rank()", nil, "1 2 2 3 4"},
		{"percent_rank()", nil, "0 0.25 0.25 0.75 1"},
		{"cume_dist()", nil, "0.2 0.6 0.6 0.8 1"},
		{"ntile(int4)", []column.Datum{column.IntDatum(2)}, "1 1 1 2 2"},
		{"lag(anyelement)", nil, "NULL 10 20 20 30"},
		{"lead(anyelement)", nil, "20 20 30 40 NULL"},
		{"lag(anycompatible,int4,anycompatible)", []column.Datum{null, column.IntDatum(2), column.IntDatum(-1)}, "-1 -1 10 20 20"},
		{"first_value(anyelement)", nil, "10 10 10 10 10"},
		{"last_value(anyelement)", nil, "10 20 20 30 40"},
		{"nth_value(anyelement,int4)", []column.Datum{null, column.IntDatum(3)}, "NULL 20 20 20 20"},
	} {
		f := bySignature(t, tc.sig)
		ret := f.Ret
		if IsPolymorphic(ret) {
			ret = types.Int4OID
		}
		var got []string
		for row := range 5 {
			w := &testWindow{values: []int64{10, 20, 20, 30, 40}, peers: []int64{0, 1, 1, 2, 3}, row: row, args: tc.args}
			d, err := f.Win(&Ctx{}, w)
			if err != nil {
				t.Fatal(tc.sig, err)
			}
			got = append(got, show(types.NewEnv(), ret, d))
		}
		if s := strings.Join(got, " "); s != tc.want {
			t.Errorf("%s: %s, want %s", tc.sig, s, tc.want)
		}
	}
	for _, sig := range []string{"ntile(int4)", "nth_value(anyelement,int4)"} {
		w := &testWindow{values: []int64{1}, peers: []int64{0}, args: []column.Datum{column.IntDatum(0), column.IntDatum(0)}}
		if _, err := bySignature(t, sig).Win(&Ctx{}, w); err == nil {
			t.Errorf("%s accepts 0", sig)
		}
	}
}

// TestAggregatesByGroup feeds the same rows at once, by selection, and group by group.
func TestAggregatesByGroup(t *testing.T) {
	env := testEnv(t)
	vec := &column.Vec{Kind: column.Int}
	groups := make([]int32, 100)
	for i := range 100 {
		d := column.IntDatum(int64(i * i % 37))
		if i%7 == 0 {
			d = column.Null()
		}
		vec.Append(d)
		groups[i] = int32(i % 3)
	}
	for _, sig := range strings.Fields("count(any) sum(int4) sum(int8) avg(int4) min(int4) max(int4) bit_or(int4) stddev(int4) array_agg(anynonarray)") {
		f := bySignature(t, sig)
		c := &Ctx{Env: env, ArgTypes: []OID{types.Int4OID}, RetType: f.Ret}
		if sig == "sum(int8)" {
			c.ArgTypes[0] = types.Int8OID
		}
		if IsPolymorphic(f.Ret) {
			c.RetType = types.Int4ArrayOID
		}
		all := f.Agg.New(c)
		all.Grow(3)
		if err := all.Accumulate(groups, []*column.Vec{vec}, nil, 100); err != nil {
			t.Fatal(err)
		}
		for g := range 3 {
			var sel []int32
			for i := g; i < 100; i += 3 {
				sel = append(sel, int32(i))
			}
			one := f.Agg.New(c)
			one.Grow(1)
			if err := one.Accumulate(nil, []*column.Vec{vec}, sel, 100); err != nil {
				t.Fatal(err)
			}
			a, _ := all.Result(g, nil)
			b, _ := one.Result(0, nil)
			if show(env, c.RetType, a) != show(env, c.RetType, b) || all.Size() <= 0 {
				t.Errorf("%s group %d: %s and %s", sig, g, show(env, c.RetType, a), show(env, c.RetType, b))
			}
			one.Reset(0)
			if d, _ := one.Result(0, nil); !d.Null && d.I != 0 {
				t.Errorf("%s after reset: %v", sig, d)
			}
		}
		if r, ok := all.(AggRemover); ok {
			for i := range 99 {
				if groups[i] == 0 {
					if ok, err := r.Remove(0, []column.Datum{vec.Datum(i)}); !ok || err != nil {
						ok = false
						break
					}
				}
			}
		}
	}
}

// TestOrderedSets compares with PostgreSQL over 1 2 2 4.
func TestOrderedSets(t *testing.T) {
	env := types.NewEnv()
	for _, tc := range []struct {
		sig    string
		elem   OID
		direct column.Datum
		ret    OID
		want   string
	}{
		{"percentile_cont(float8,float8)", types.Float8OID, column.FloatDatum(0.25), types.Float8OID, "1.75"},
		{"percentile_disc(float8,anyelement)", types.Float8OID, column.FloatDatum(0.25), types.Float8OID, "1"},
		{"mode(anyelement)", types.Float8OID, column.Datum{}, types.Float8OID, "2"},
		{"rank(any)", types.Float8OID, column.FloatDatum(3), types.Int8OID, "4"},
		{"dense_rank(any)", types.Float8OID, column.FloatDatum(3), types.Int8OID, "3"},
		{"percent_rank(any)", types.Float8OID, column.FloatDatum(3), types.Float8OID, "0.75"},
		{"cume_dist(any)", types.Float8OID, column.FloatDatum(3), types.Float8OID, "0.8"},
	} {
		var f *Func
		name, _, _ := strings.Cut(tc.sig, "(")
		for _, cand := range ByName(name) {
			if cand.Kind == 'a' && cand.Signature() == tc.sig {
				f = cand
			}
		}
		c := &Ctx{Env: env, ArgTypes: []OID{types.Float8OID, tc.elem}, RetType: tc.ret, AggOrder: []AggSort{{Type: tc.elem}}}
		s := f.Agg.New(c)
		s.Grow(1)
		v := &column.Vec{Kind: column.Float, F: []float64{1, 2, 2, 4}}
		if err := s.Accumulate(nil, []*column.Vec{v}, nil, 4); err != nil {
			t.Fatal(err)
		}
		d, err := s.Result(0, []column.Datum{tc.direct})
		if err != nil || show(env, tc.ret, d) != tc.want {
			t.Errorf("%s: %s %v, want %s", tc.sig, show(env, tc.ret, d), err, tc.want)
		}
	}
}

// TestImplemented reports how much of pg_proc can be called, and that it does not shrink.
func TestImplemented(t *testing.T) {
	count := map[byte][2]int{}
	for _, f := range All() {
		c := count[f.Kind]
		c[1]++
		if f.Implemented() {
			c[0]++
		}
		count[f.Kind] = c
	}
	for kind, least := range map[byte]int{'f': 1500, 'a': 140, 'w': 15} {
		if count[kind][0] < least {
			t.Errorf("kind %c: %d of %d implemented, at least %d were", kind, count[kind][0], count[kind][1], least)
		}
		t.Logf("kind %c: %d of %d", kind, count[kind][0], count[kind][1])
	}
}

const firstRandoms = "0.9851677175347999 0.825301858027981 0.12974610012450416"
