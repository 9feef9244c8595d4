package gen

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/types"
)

// signature is one way to compute a type: an operator, a function, an aggregate or a window function.
type signature struct {
	name     string
	args     []string
	result   string
	variadic bool
}

// signatures are the implemented ones, by result type.
type signatures struct {
	operators, functions, aggregates, windows map[string][]signature
	casts                                     map[string][]string // target → sources
}

// excluded functions have answers that differ by server or by time, or that are no use in a query.
var excluded = map[string]bool{
	"now": true, "statement_timestamp": true, "transaction_timestamp": true, "timeofday": true, "version": true,
	"current_database": true, "current_schema": true, "current_schemas": true, "current_user": true, "session_user": true, "getdatabaseencoding": true,
	"current_setting": true, "set_config": true, "getpgusername": true, "random_normal": true,
	"obj_description": true, "col_description": true, "shobj_description": true, "format_type": true, "to_regclass": true, "to_regtype": true,
	"to_regproc": true, "to_regprocedure": true, "to_regoper": true, "to_regoperator": true, "to_regnamespace": true, "to_regrole": true,
	"to_regcollation": true, "byteacmp": true, "bttextcmp": true, "bpcharcmp": true, "btnamecmp": true, "uuid_cmp": true, "bitcmp": true, "varbitcmp": true, "unicode_version": true, "txid_status": true, "has_any_column_privilege": true,
	"row_security_active": true, "string_agg_transfn": true, "getdatabaseencodingname": true, "factorial": true,
	"binary_upgrade_set_missing_value": true, "mxid_age": true, "makeaclitem": true, "name": true, "lo_get": true,
	// Their answers grow beyond what is worth comparing.
	"repeat": true, "generate_series": true, "lpad": true, "rpad": true,
	// A type's name in a cast, not a function that people call.
	"char": true, "bit": true, "varbit": true, "bpchar": true, "varchar": true, "time": true, "timestamp": true, "interval": true,
	"timetz": true, "timestamptz": true, "numeric": true, "overlaps": true,
	// Support functions of indexes and windows, and what old syntax calls.
	"in_range": true, "like_escape": true, "notlike_escape": true, "similar_escape": true, "similar_to_escape": true,
}

// excludedPrefixes mark families of such functions.
var excludedPrefixes = []string{"pg_", "has_", "txid_", "inet_", "lo_", "query_to", "table_to", "schema_to", "database_to", "cursor_to", "xml", "hash",
	"ts_", "brin", "gin", "gist", "spg", "RI_", "binary_upgrade", "amvalidate", "currtid", "satisfies_hash"}

func usable(f *functions.Func) bool {
	if f == nil || !f.Implemented() || f.Volatile == 'v' || f.RetSet || f.Namespace != functions.PgCatalog || excluded[f.Name] {
		return false
	}
	for _, p := range excludedPrefixes {
		if strings.HasPrefix(f.Name, p) {
			return false
		}
	}
	return f.Name != "age" || len(f.Args) == 2
}

// knownSignatures reads the facts once.
var knownSignatures = sync.OnceValue(func() *signatures {
	s := &signatures{operators: map[string][]signature{}, functions: map[string][]signature{}, aggregates: map[string][]signature{},
		windows: map[string][]signature{}, casts: map[string][]string{}}
	behind := map[functions.OID]bool{} // functions that an operator calls
	for _, o := range functions.AllOperators() {
		if o.Code == nil {
			continue
		}
		behind[o.Code.OID] = true
		args := []functions.OID{o.Right}
		if o.Left != 0 {
			args = []functions.OID{o.Left, o.Right}
		}
		if usable(o.Code) {
			instantiate(s.operators, o.Name, args, o.Result, 0)
		}
	}
	for _, f := range functions.All() {
		if !usable(f) || behind[f.OID] {
			continue
		}
		switch f.Kind {
		case 'f':
			instantiate(s.functions, f.Name, f.Args, f.Ret, f.Variadic)
		case 'a':
			if f.Agg.Kind == 'n' {
				instantiate(s.aggregates, f.Name, f.Args, f.Ret, f.Variadic)
			}
		case 'w':
			instantiate(s.windows, f.Name, f.Args, f.Ret, 0)
		}
	}
	names := slices.Sorted(maps.Keys(spellings))
	for _, target := range names {
		for _, source := range names {
			_, ok := functions.Cast(types.ByName(source).OID, types.ByName(target).OID)
			if source != target && (ok || source == "text" || target == "text") {
				s.casts[target] = append(s.casts[target], source)
			}
		}
	}
	return s
})

func typeName(oid functions.OID) string {
	t := types.ByOID(oid)
	if t == nil || spellings[t.Name] == "" {
		return ""
	}
	return t.Name
}

// elements are what polymorphic signatures are made for: element type and its array.
var elements = [][2]string{{"int4", "_int4"}, {"text", "_text"}, {"numeric", "_numeric"}}

// instantiate adds a signature whose types are all known, once per element type if it is polymorphic.
func instantiate(to map[string][]signature, name string, args []functions.OID, result, variadic functions.OID) {
	polymorphic := functions.IsPolymorphic(result)
	for _, a := range args {
		polymorphic = polymorphic || functions.IsPolymorphic(a)
	}
	for _, element := range elements {
		sig := signature{name: name, variadic: variadic != 0}
		ok := true
		resolve := func(oid functions.OID) string {
			t := types.ByOID(oid)
			if t == nil {
				ok = false
				return ""
			}
			switch t.Name {
			case "anyelement", "anycompatible", "anynonarray", "anycompatiblenonarray", "any":
				return element[0]
			case "anyarray", "anycompatiblearray":
				return element[1]
			}
			n := typeName(oid)
			ok = ok && n != ""
			return n
		}
		for i, a := range args {
			if variadic != 0 && i == len(args)-1 && types.ByOID(a).Name != "any" {
				a = variadic
			}
			sig.args = append(sig.args, resolve(a))
		}
		sig.result = resolve(result)
		if ok {
			to[sig.result] = append(to[sig.result], sig)
		}
		if !polymorphic {
			return
		}
	}
}
