package functions

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// The tables under testdata hold expressions of three forms, with PostgreSQL's results:
//
//	name('text'::type, …)           a function
//	'text'::type + 'text'::type     an operator, binary or prefix
//	name(x) FROM unnest('{…}'::type[]) x    an aggregate over texts without commas
//
// Arguments are literals only; NULL::type is one.

type exprArg struct {
	typ  OID
	text string
	null bool
}

// scanArg reads 'text'::type or NULL::type.
func scanArg(s string) (a exprArg, rest string, err error) {
	s = strings.TrimSpace(s)
	switch {
	case strings.HasPrefix(s, "NULL"):
		a.null, s = true, s[4:]
	case strings.HasPrefix(s, "'"):
		var b strings.Builder
		i := 1
		for ; i < len(s); i++ {
			if s[i] == '\'' {
				if i+1 < len(s) && s[i+1] == '\'' {
					i++
				} else {
					break
				}
			}
			b.WriteByte(s[i])
		}
		a.text, s = b.String(), s[i+1:]
	default:
		return a, s, fmt.Errorf("no literal at %q", s)
	}
	if !strings.HasPrefix(s, "::") {
		a.typ = types.UnknownOID
		return a, s, nil
	}
	s = s[2:]
	n := 0
	for n < len(s) && (s[n] >= 'a' && s[n] <= 'z' || s[n] >= '0' && s[n] <= '9' || s[n] == '[' || s[n] == ']' || s[n] == '"' || s[n] == '_') {
		n++
	}
	name := strings.Trim(s[:n], `"`)
	if elem, ok := strings.CutSuffix(name, "[]"); ok {
		name = "_" + elem
	}
	t := types.ByName(name)
	if t == nil {
		return a, s, fmt.Errorf("no type %q", name)
	}
	a.typ = t.OID
	return a, s[n:], nil
}

// testEnv is what internal/expect sets up in the server.
func testEnv(t testing.TB) *types.Env {
	env := types.NewEnv()
	zone, err := types.ParseZone("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	env.TimeZone = zone
	env.ClockNow = func() int64 { return 0 }
	return env
}

// convert brings an argument to the type that a parameter wants.
func convert(env *types.Env, a exprArg, target OID) (column.Datum, error) {
	if a.null {
		return column.Null(), nil
	}
	if a.typ == types.UnknownOID {
		return env.In(target, -1, a.text)
	}
	d, err := env.In(a.typ, -1, a.text)
	if err != nil || a.typ == target {
		return d, err
	}
	path, cast := FindCoercion(env, nil, a.typ, target, Implicit)
	switch path {
	case PathFunc:
		args := []column.Datum{d, {I: -1}, {}}[:len(cast.Func.Args)]
		return cast.Func.Eval(&Ctx{Env: env, ArgTypes: cast.Func.Args, RetType: target}, args)
	case PathViaIO:
		return env.In(target, -1, string(env.Out(nil, a.typ, d)))
	}
	return d, nil
}

func show(env *types.Env, typ OID, d column.Datum) string {
	if d.Null {
		return "NULL"
	}
	return strings.NewReplacer("\\", "\\\\", "\n", "\\n", "\r", "\\r").Replace(string(env.Out(nil, typ, d)))
}

// evalExpr computes one expression as internal/expect does.
func evalExpr(env *types.Env, expr string) (string, error) {
	if name, from, ok := strings.Cut(expr, "(x) FROM unnest("); ok {
		return evalAggregate(env, name, from)
	}
	name := strings.TrimSpace(expr)
	var args []exprArg
	var f *Func
	var want []OID
	var ret OID
	switch k := strings.IndexAny(name, "(' "); {
	case k > 0 && name[k] == '(' && name[0] >= 'a' && name[0] <= 'z':
		rest := name[k+1:]
		name = name[:k]
		for !strings.HasPrefix(strings.TrimSpace(rest), ")") {
			a, r, err := scanArg(rest)
			if err != nil {
				return "", err
			}
			args = append(args, a)
			rest = strings.TrimPrefix(strings.TrimSpace(r), ",")
		}
		typs := make([]OID, len(args))
		for i, a := range args {
			typs[i] = a.typ
		}
		call := Call{Cands: ByName(name), ArgTypes: typs}
		if t := types.ByName(name); t != nil {
			call.NamedType = t.OID
		}
		res := ResolveFunc(env, nil, call)
		if res.Status == Coercion {
			d, err := convert(env, args[0], args[0].typ)
			if err == nil && res.Path == PathViaIO {
				d, err = env.In(res.Ret, -1, string(env.Out(nil, args[0].typ, d)))
			}
			if err != nil {
				return "", err
			}
			return show(env, res.Ret, d), nil
		}
		if res.Err != nil || res.Status != Found {
			return "", fmt.Errorf("function %s: status %d %v", name, res.Status, res.Err)
		}
		f, ret = res.Func, res.Ret
		for _, p := range res.Params {
			if p.Arg < 0 {
				return "", fmt.Errorf("default of %s is not for this test", name)
			}
			want = append(want, p.Type)
		}
	default:
		var left OID
		rest := name
		if name[0] == '\'' || strings.HasPrefix(name, "NULL") {
			a, r, err := scanArg(name)
			if err != nil {
				return "", err
			}
			args, left, rest = append(args, a), a.typ, strings.TrimSpace(r)
		}
		op, rest, _ := strings.Cut(rest, " ")
		a, _, err := scanArg(rest)
		if err != nil {
			return "", err
		}
		args = append(args, a)
		res := ResolveOp(env, nil, OperatorsByName(op), left, a.typ)
		if res.Err != nil || res.Status != Found {
			return "", fmt.Errorf("operator %s: status %d %v", op, res.Status, res.Err)
		}
		f, ret, want = res.Op.Code, res.Result, []OID{res.Left, res.Right}[2-len(args):]
	}
	data := make([]column.Datum, len(args))
	for i, a := range args {
		var err error
		if data[i], err = convert(env, a, want[i]); err != nil {
			return "", err
		}
		if data[i].Null && f.Strict {
			return "NULL", nil
		}
	}
	return call(env, f, want, ret, data)
}

func call(env *types.Env, f *Func, want []OID, ret OID, data []column.Datum) (string, error) {
	c := &Ctx{Env: env, ArgTypes: want, RetType: ret, Session: newTestSession()}
	if !f.Implemented() {
		return "", fmt.Errorf("%s (%s) is not implemented", f.Signature(), f.Src)
	}
	if f.RetSet {
		it, err := f.Set(c, data)
		if err != nil {
			return "", err
		}
		var rows []string
		for {
			row, ok, err := it.Next()
			if err != nil {
				return "", err
			}
			if !ok {
				return strings.Join(rows, " ; "), nil
			}
			if len(row) > 1 {
				fields := make([]types.Field, len(row))
				_, typs := f.OutColumns()
				for i := range row {
					fields[i] = types.Field{Type: typs[i], Value: row[i]}
				}
				rows = append(rows, show(env, types.RecordOID, env.MakeRecord(fields)))
				continue
			}
			rows = append(rows, show(env, ret, row[0]))
		}
	}
	d, err := f.Eval(c, data)
	if err != nil {
		return "", err
	}
	if f.Vec != nil {
		if err := sameAsVec(c, f, want, ret, data, d); err != nil {
			return "", err
		}
	}
	return show(env, ret, d), nil
}

// sameAsVec runs the vector kernel over three rows, the middle one NULL and the last one not selected,
// and over a constant second argument, and compares with the row form.
func sameAsVec(c *Ctx, f *Func, want []OID, ret OID, data []column.Datum, expect column.Datum) error {
	for _, constant := range []bool{false, true} {
		vecs := make([]*column.Vec, len(data))
		for i, d := range data {
			v := &column.Vec{Kind: c.Env.Kind(want[i])}
			v.Append(d)
			if !constant || i == 0 {
				v.Append(column.Null())
				v.Append(d)
			}
			vecs[i] = v
		}
		out := &column.Vec{}
		if err := f.Vec(&Ctx{Env: c.Env, ArgTypes: c.ArgTypes, RetType: ret}, vecs, []int32{0, 1}, 3, out); err != nil {
			return err
		}
		got := out.Datum(0)
		if got.Null || got.I != expect.I || string(got.B) != string(expect.B) || !out.Null(1) {
			return fmt.Errorf("kernel of %s gives %v, not %v", f.Src, got, expect)
		}
	}
	return nil
}

func evalAggregate(env *types.Env, name, from string) (string, error) {
	arr, _, err := scanArg(from)
	if err != nil {
		return "", err
	}
	elem := types.ByOID(arr.typ).Elem
	res := ResolveFunc(env, nil, Call{Cands: ByName(name), ArgTypes: []OID{elem}})
	if res.Status != Found || res.Err != nil {
		return "", fmt.Errorf("aggregate %s: status %d %v", name, res.Status, res.Err)
	}
	if !res.Func.Implemented() {
		return "", fmt.Errorf("%s is not implemented", res.Func.Signature())
	}
	c := &Ctx{Env: env, ArgTypes: []OID{res.Params[0].Type}, RetType: res.Ret}
	var whole, half, rest column.Vec
	kind := env.Kind(res.Params[0].Type)
	whole.Kind, half.Kind, rest.Kind = kind, kind, kind
	if body := strings.Trim(arr.text, "{}"); body != "" {
		for i, s := range strings.Split(body, ",") {
			d, err := convert(env, exprArg{typ: elem, text: s, null: s == "NULL"}, res.Params[0].Type)
			if err != nil {
				return "", err
			}
			whole.Append(d)
			if i%2 == 0 {
				half.Append(d)
			} else {
				rest.Append(d)
			}
		}
	}
	run := func(v *column.Vec) (AggState, error) {
		s := res.Func.Agg.New(c)
		s.Grow(1)
		return s, s.Accumulate(nil, []*column.Vec{v}, nil, v.Len())
	}
	s, err := run(&whole)
	if err != nil {
		return "", err
	}
	d, err := s.Result(0, nil)
	if err != nil {
		return "", err
	}
	return show(env, res.Ret, d), checkParts(c, res.Func, res.Ret, run, &half, &rest, d)
}

// checkParts combines two partial states and compares, for aggregates that are exact in any order.
func checkParts(c *Ctx, f *Func, ret OID, run func(*column.Vec) (AggState, error), half, rest *column.Vec, d column.Datum) error {
	if f.Agg.CombineFn == 0 || c.Env.Kind(ret) == column.Float || strings.HasSuffix(f.Name, "_agg") {
		return nil
	}
	a, err := run(half)
	if err != nil {
		return err
	}
	b, err := run(rest)
	if err != nil {
		return err
	}
	if err := a.Combine(b, []int32{0}); err != nil {
		return err
	}
	got, err := a.Result(0, nil)
	if err != nil {
		return err
	}
	if show(c.Env, ret, got) != show(c.Env, ret, d) {
		return fmt.Errorf("combined %s is %s, not %s", f.Name, show(c.Env, ret, got), show(c.Env, ret, d))
	}
	return nil
}

func TestExpressions(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no tables", err)
	}
	env := testEnv(t)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(string(text)) {
				line = strings.TrimSuffix(line, "\n")
				if line == "" || line[0] == '#' {
					continue
				}
				expr, want, _ := strings.Cut(line, " ==> ")
				got, err := evalExpr(env, expr)
				if err != nil {
					if strings.Contains(err.Error(), "not implemented") {
						continue
					}
					got = err.Error()
					if e, ok := err.(*pgerr.Error); ok {
						got = "ERROR " + e.Code + ": " + strings.NewReplacer("\\", "\\\\", "\n", "\\n").Replace(e.Message)
					}
				}
				if got != want && !lastPlace(expr, got, want) {
					t.Errorf("%s\n\tgot  %s\n\twant %s", expr, got, want)
				}
			}
		})
	}
}

// lastPlace forgives transcendental functions a difference in the last place: Go's and
// glibc's mathematical libraries are both within one unit of the true value.
func lastPlace(expr, got, want string) bool {
	if !strings.Contains(expr, "::float8)") && !strings.Contains(expr, "^") && !strings.Contains(expr, "||/") {
		return false
	}
	g, err1 := strconv.ParseFloat(got, 64)
	w, err2 := strconv.ParseFloat(want, 64)
	return err1 == nil && err2 == nil && math.Abs(g-w) <= 1e-15*math.Abs(w)
}
