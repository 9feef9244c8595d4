package functions

import (
	"testing"

	"github.com/omendb/omendb/sql/types"
)

func TestResolveOp(t *testing.T) {
	u := types.UnknownOID
	for _, tc := range []struct {
		op          string
		left, right OID
		status      Status
		want        string // function name
	}{
		{"+", types.Int4OID, types.Int4OID, Found, "int4pl"},
		{"+", types.Int2OID, types.Int8OID, Found, "int28pl"},
		{"+", types.Int4OID, types.NumericOID, Found, "numeric_add"},
		{"+", types.Int4OID, u, Found, "int4pl"},
		{"+", types.DateOID, types.Int2OID, Found, "date_pli"},
		{"+", types.DateOID, u, Ambiguous, ""},
		{"+", u, u, Ambiguous, ""},
		{"=", u, u, Found, "texteq"},
		{"=", types.VarcharOID, types.TextOID, Found, "texteq"},
		{"=", types.VarcharOID, types.VarcharOID, Found, "texteq"},
		{"=", types.BPCharOID, types.TextOID, Found, "texteq"},
		{"=", types.BPCharOID, u, Found, "bpchareq"},
		{"=", types.NameOID, u, Found, "nameeq"},
		{"=", types.Int4OID, types.TextOID, NotFound, ""},
		{"=", types.Int4ArrayOID, types.Int4ArrayOID, Found, "array_eq"},
		{"=", types.Int4ArrayOID, types.Int8ArrayOID, NotFound, ""},
		{"||", types.TextOID, types.Int4OID, Found, "textanycat"},
		{"||", u, u, Found, "textcat"},
		{"||", types.Int4ArrayOID, types.Int4OID, Found, "array_append"},
		{"-", 0, types.Int4OID, Found, "int4um"},
		{"-", 0, u, Ambiguous, ""},
		{"~~", types.TextOID, u, Found, "textlike"},
		{"->", types.JSONBOID, u, Found, "jsonb_object_field"},
		{"<", types.Float4OID, types.NumericOID, Found, "float48lt"},
		{"*", types.IntervalOID, types.Int4OID, Found, "interval_mul"},
	} {
		res := ResolveOp(types.NewEnv(), nil, OperatorsByName(tc.op), tc.left, tc.right)
		got := ""
		if res.Op != nil && res.Err == nil {
			got = res.Op.Code.Name
		}
		if res.Status != tc.status || got != tc.want {
			t.Errorf("%d %s %d: got %d %q (%v), want %d %q", tc.left, tc.op, tc.right, res.Status, got, res.Err, tc.status, tc.want)
		}
	}
}

func TestResolveFunc(t *testing.T) {
	u := types.UnknownOID
	for _, tc := range []struct {
		name     string
		args     []OID
		names    []string
		variadic bool
		status   Status
		want     string // signature
		ret      OID
		elements int
	}{
		{"abs", []OID{types.Int4OID}, nil, false, Found, "abs(int4)", types.Int4OID, 0},
		{"abs", []OID{u}, nil, false, Found, "abs(float8)", types.Float8OID, 0},
		{"length", []OID{u}, nil, false, Found, "length(text)", types.Int4OID, 0},
		{"length", []OID{types.VarcharOID}, nil, false, Found, "length(text)", types.Int4OID, 0},
		{"sum", []OID{types.Int2OID}, nil, false, Found, "sum(int2)", types.Int8OID, 0},
		{"max", []OID{types.VarcharOID}, nil, false, Found, "max(text)", types.TextOID, 0},
		{"max", []OID{types.Int4ArrayOID}, nil, false, Found, "max(anyarray)", types.Int4ArrayOID, 0},
		{"count", nil, nil, false, Found, "count()", types.Int8OID, 0},
		{"array_agg", []OID{types.Int4OID}, nil, false, Found, "array_agg(anynonarray)", types.Int4ArrayOID, 0},
		{"array_append", []OID{types.Int4ArrayOID, types.Int8OID}, nil, false, Found, "array_append(anycompatiblearray,anycompatible)", types.Int8ArrayOID, 0},
		{"array_append", []OID{types.TextArrayOID, u}, nil, false, Found, "array_append(anycompatiblearray,anycompatible)", types.TextArrayOID, 0},
		{"unnest", []OID{types.TextArrayOID}, nil, false, Found, "unnest(anyarray)", types.TextOID, 0},
		{"concat", []OID{types.Int4OID, u}, nil, false, Found, "concat(any)", types.TextOID, 0},
		{"json_extract_path", []OID{types.JSONOID, u, u}, nil, false, Found, "json_extract_path(json,_text)", types.JSONOID, 2},
		{"json_extract_path", []OID{types.JSONOID, types.TextArrayOID}, nil, true, Found, "json_extract_path(json,_text)", types.JSONOID, 0},
		{"make_interval", []OID{types.Int4OID}, []string{"days"}, false, Found, "make_interval(int4,int4,int4,int4,int4,int4,float8)", types.IntervalOID, 0},
		{"make_interval", []OID{types.Int4OID}, []string{"nope"}, false, NotFound, "", 0, 0},
		{"generate_series", []OID{types.Int4OID, types.Int8OID}, nil, false, Found, "generate_series(int8,int8)", types.Int8OID, 0},
		{"round", []OID{types.Float8OID, types.Int4OID}, nil, false, NotFound, "", 0, 0},
		{"nothing", []OID{types.Int4OID}, nil, false, NotFound, "", 0, 0},
		{"lag", []OID{types.Int4OID, types.Int4OID, types.NumericOID}, nil, false, Found, "lag(anycompatible,int4,anycompatible)", types.NumericOID, 0},
	} {
		res := ResolveFunc(types.NewEnv(), nil, Call{Cands: ByName(tc.name), ArgTypes: tc.args, ArgNames: tc.names, Variadic: tc.variadic})
		got := ""
		if res.Func != nil && res.Err == nil {
			got = res.Func.Signature()
		}
		if res.Status != tc.status || got != tc.want || res.Ret != tc.ret || res.Elements != tc.elements {
			t.Errorf("%s%v: got %d %q %d %d (%v)", tc.name, tc.args, res.Status, got, res.Ret, res.Elements, res.Err)
		}
	}
	res := ResolveFunc(types.NewEnv(), nil, Call{Cands: ByName("make_interval"), ArgTypes: []OID{types.Int4OID}, ArgNames: []string{"days"}})
	if len(res.Params) != 7 || res.Params[3].Arg != 0 || res.Params[0].Arg != -1 || res.Params[0].Default != "0" {
		t.Errorf("make_interval(days =>): %+v", res.Params)
	}
	res = ResolveFunc(types.NewEnv(), nil, Call{Cands: ByName("text"), ArgTypes: []OID{u}, NamedType: types.TextOID})
	if res.Status != Coercion {
		t.Errorf("text('x'): %+v", res)
	}
}

func TestOpclasses(t *testing.T) {
	env := types.NewEnv()
	for typ, want := range map[OID]string{types.Int4OID: "int4lt", types.VarcharOID: "text_lt", types.Int4ArrayOID: "array_lt", types.JSONBOID: "jsonb_lt"} {
		if o := LessOp(env, typ); o == nil || o.Code.Name != want {
			t.Errorf("LessOp(%d) = %v, want %s", typ, o, want)
		}
	}
	if LessOp(env, types.JSONOID) != nil || EqualityOp(env, types.XIDOID) == nil {
		t.Error("json has no order, xid has equality")
	}
	m, ok := BtreeStrategy(FindOperator("<", types.Int4OID, types.Int8OID).OID, 0)
	if !ok || m.Strategy != StrategyLess || m.Left != types.Int4OID || m.Right != types.Int8OID || m.Family != DefaultOpclass(env, BtreeAM, types.Int8OID).Family {
		t.Errorf("int4 < int8: %+v", m)
	}
}

func BenchmarkFirstUse(b *testing.B) {
	for range b.N {
		loadFuncs()
		readFacts("pg_operator")
		readFacts("pg_cast")
	}
}
