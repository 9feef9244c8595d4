package syscat

import (
	"strings"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/planner"
	"github.com/omendb/omendb/sql/types"
)

// routine is a function with its defaults as text.
type routine struct {
	*functions.Func
	user     *catalog.Function
	defaults []string
}

func (f Functions) routine(oid OID) (*routine, error) {
	if b := functions.ByOID(oid); b != nil {
		return &routine{Func: b, defaults: b.Defaults}, nil
	}
	u := f.World.View().Function(oid)
	if u == nil {
		return nil, nil
	}
	r := &routine{Func: u.Func(), user: u}
	if u.Kind == 'a' {
		r.Agg = &functions.Aggregate{Kind: u.Aggregate.Kind, DirectArgs: int(u.Aggregate.DirectArgs)}
	}
	for _, d := range u.Defaults {
		e, err := f.decode(d)
		if err != nil {
			return nil, err
		}
		r.defaults = append(r.defaults, planner.DeparseExpr(f.World.Planner(), e, nil, false))
	}
	return r, nil
}

// forRoutine answers NULL for an OID that names no function.
func forRoutine(fn func(f Functions, r *routine, a []datum) (datum, error)) call {
	return func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		r, err := f.routine(oidArg(a[0]))
		if r == nil || err != nil {
			return null, err
		}
		return fn(f, r, a)
	}
}

func init() {
	for name, fn := range map[string]call{
		"pg_get_function_arguments": forRoutine(func(f Functions, r *routine, _ []datum) (datum, error) {
			return str(f.arguments(r, true, false)), nil
		}),
		"pg_get_function_identity_arguments": forRoutine(func(f Functions, r *routine, _ []datum) (datum, error) {
			return str(f.arguments(r, false, false)), nil
		}),
		"pg_get_function_result": forRoutine(func(f Functions, r *routine, _ []datum) (datum, error) {
			if r.Kind == 'p' {
				return null, nil
			}
			return str(f.result(r)), nil
		}),
		"pg_get_function_arg_default": forRoutine(func(f Functions, r *routine, a []datum) (datum, error) {
			return argDefault(r, int(a[1].I)), nil
		}),
		"pg_get_function_sqlbody": forRoutine(func(f Functions, r *routine, _ []datum) (datum, error) {
			return orNull(r.Body), nil
		}),
		"pg_get_functiondef": forRoutine(func(f Functions, r *routine, _ []datum) (datum, error) { return f.functionDef(r) }),
		"oidvectortypes": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
			var out []string
			for _, e := range types.ArrayFrom(a[0]).Elems {
				out = append(out, f.World.Types().TypeName(oidArg(e)))
			}
			return str(strings.Join(out, ", ")), nil
		},
	} {
		defineCalls[name] = fn
	}
}

// argDefault returns the default of the i-th argument (from 1), NULL when it has none.
func argDefault(r *routine, i int) datum {
	all := r.AllArgs
	if all == nil {
		all = r.Args
	}
	if i < 1 || i > len(all) {
		return null
	}
	input := 0
	for k := range i {
		if r.Modes == nil || r.Modes[k] == 'i' || r.Modes[k] == 'b' || r.Modes[k] == 'v' {
			input++
		} else if k == i-1 {
			return null
		}
	}
	at := input - 1 - (len(r.Args) - len(r.defaults))
	if at < 0 || at >= len(r.defaults) {
		return null
	}
	return str(r.defaults[at])
}

// modeWords print argument modes.
var modeWords = map[byte]string{'o': "OUT ", 'b': "INOUT ", 'v': "VARIADIC "}

// arguments prints a list of arguments; table prints those of RETURNS TABLE instead.
func (f Functions) arguments(r *routine, defaults, table bool) string {
	all := r.AllArgs
	if all == nil {
		all = r.Args
	}
	var b strings.Builder
	input, direct := 0, -1
	if r.Agg != nil && r.Agg.Kind != 'n' {
		direct = r.Agg.DirectArgs
	}
	printed := 0
	for i, t := range all {
		mode := byte('i')
		if r.Modes != nil {
			mode = r.Modes[i]
		}
		isInput := mode == 'i' || mode == 'b' || mode == 'v'
		if isInput {
			input++
		}
		if table != (mode == 't') {
			continue
		}
		if printed == direct && !table {
			if printed > 0 {
				b.WriteByte(' ')
			}
			b.WriteString("ORDER BY ")
		} else if printed > 0 {
			b.WriteString(", ")
		}
		printed++
		b.WriteString(modeWords[mode])
		if r.Kind == 'p' && mode == 'i' {
			b.WriteString("IN ")
		}
		if i < len(r.Names) && r.Names[i] != "" {
			b.WriteString(f.quote(r.Names[i]) + " ")
		}
		b.WriteString(f.World.Types().TypeName(t))
		if at := input - 1 - (len(r.Args) - len(r.defaults)); defaults && isInput && at >= 0 && at < len(r.defaults) {
			b.WriteString(" DEFAULT " + r.defaults[at])
		}
		if direct >= 0 && i == len(all)-1 && printed == direct && r.Variadic != 0 {
			b.WriteString(" ORDER BY " + modeWords[mode])
			b.WriteString(f.World.Types().TypeName(t))
		}
	}
	return b.String()
}

// result prints the result type.
func (f Functions) result(r *routine) string {
	for _, m := range r.Modes {
		if m == 't' {
			return "TABLE(" + f.arguments(r, false, true) + ")"
		}
	}
	s := f.World.Types().TypeName(r.Ret)
	if r.RetSet {
		s = "SETOF " + s
	}
	return s
}

// functionDef is pg_get_functiondef.
func (f Functions) functionDef(r *routine) (datum, error) {
	if r.Kind == 'a' {
		return null, pgerr.New(pgerr.WrongObjectType, "\"%s\" is an aggregate function", r.Name)
	}
	word := "FUNCTION"
	if r.Kind == 'p' {
		word = "PROCEDURE"
	}
	var b strings.Builder
	b.WriteString("CREATE OR REPLACE " + word + " " + f.quote(f.World.View().SchemaName(r.Namespace)) + "." + f.quote(r.Name))
	b.WriteString("(" + f.arguments(r, true, false) + ")\n")
	if r.Kind != 'p' {
		b.WriteString(" RETURNS " + f.result(r) + "\n")
	}
	language := "internal"
	switch {
	case r.user != nil:
		language = r.user.Language
	case r.Lang == functions.LangSQL:
		language = "sql"
	case r.Lang == functions.LangC:
		language = "c"
	}
	b.WriteString(" LANGUAGE " + f.quote(language) + "\n")
	if words := traits(r); len(words) > 0 {
		b.WriteString(" " + strings.Join(words, " ") + "\n")
	}
	if r.user != nil {
		for _, s := range r.user.Settings {
			name, value, _ := strings.Cut(s, "=")
			if name != "search_path" && name != "datestyle" {
				value = quoteLiteral(value)
			}
			b.WriteString(" SET " + f.quote(name) + " TO " + value + "\n")
		}
	}
	if r.Body != "" {
		return str(b.String() + r.Body + "\n"), nil
	}
	tag := "$function$"
	if r.Kind == 'p' {
		tag = "$procedure$"
	}
	for strings.Contains(r.Src, tag) {
		tag = tag[:len(tag)-1] + "x$"
	}
	if language == "c" {
		b.WriteString("AS '" + r.Bin + "', ")
	} else {
		b.WriteString("AS ")
	}
	return str(b.String() + tag + r.Src + tag + "\n"), nil
}

// traits prints what differs from a plain function.
func traits(r *routine) []string {
	var words []string
	add := func(ok bool, word string) {
		if ok {
			words = append(words, word)
		}
	}
	add(r.Kind == 'w', "WINDOW")
	add(r.Volatile == 'i', "IMMUTABLE")
	add(r.Volatile == 's', "STABLE")
	add(r.Parallel == 's', "PARALLEL SAFE")
	add(r.Parallel == 'r', "PARALLEL RESTRICTED")
	add(r.Strict, "STRICT")
	add(r.SecDef, "SECURITY DEFINER")
	add(r.LeakProof, "LEAKPROOF")
	cost := 100.0
	if r.Lang == functions.LangInternal || r.Lang == functions.LangC {
		cost = 1
	}
	add(r.Cost > 0 && r.Cost != cost, "COST "+formatFloat(r.Cost))
	add(r.RetSet && r.Rows > 0 && r.Rows != 1000, "ROWS "+formatFloat(r.Rows))
	return words
}
