package functions

import (
	"strings"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// jsonbEvals test and change jsonb, and print json.
var jsonbEvals = map[string]EvalFunc{
	"jsonb_contains": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return boolResult(jsonbContains(types.JSONB(a[0].B), types.JSONB(a[1].B), true))
	},
	"jsonb_contained": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return boolResult(jsonbContains(types.JSONB(a[1].B), types.JSONB(a[0].B), true))
	},
	"jsonb_exists": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return boolResult(jsonbExists(types.JSONB(a[0].B), a[1]))
	},
	"jsonb_exists_any": jsonbExistsList(true),
	"jsonb_exists_all": jsonbExistsList(false),
	"jsonb_concat": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return bytesResult(jsonbConcat(types.JSONB(a[0].B), types.JSONB(a[1].B)))
	},
	"jsonb_delete": func(_ *Ctx, a []column.Datum) (column.Datum, error) { return jsonbDelete(a[0], []column.Datum{a[1]}) },
	"jsonb_delete_array": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		if len(types.ArrayFrom(a[1]).Dims) > 1 {
			return column.Datum{}, pgerr.New(pgerr.ArraySubscriptError, "wrong number of array subscripts")
		}
		return jsonbDelete(a[0], texts(a[1]))
	},
	"jsonb_delete_idx": jsonbDeleteIndex,
	"jsonb_delete_path": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return changePath(a[0], a[1], pathChange{op: pathDelete}, "cannot delete path in scalar")
	},
	"jsonb_set": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return changePath(a[0], a[1], pathChange{op: pathSet, value: types.JSONB(a[2].B), create: a[3].I != 0}, "cannot set path in scalar")
	},
	"jsonb_set_lax": jsonbSetLax,
	"jsonb_insert": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return changePath(a[0], a[1], pathChange{op: pathInsert, value: types.JSONB(a[2].B), after: a[3].I != 0, create: true},
			"cannot set path in scalar")
	},
	"jsonb_strip_nulls": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return bytesResult(stripNulls(types.JSONB(a[0].B)))
	},
	"json_strip_nulls": func(_ *Ctx, a []column.Datum) (column.Datum, error) { return bytesResult(stripNullsText(nil, a[0].B)) },
	"jsonb_pretty": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return bytesResult(prettyJSON(nil, types.JSONB(a[0].B), 0))
	},
}

// jsonbContains is @>: objects contain objects with some of their members, arrays contain
// arrays with some of their elements, and at the top an array contains a scalar.
func jsonbContains(a, b types.JSONB, top bool) bool {
	switch {
	case a.Kind() == types.JSONObject && b.Kind() == types.JSONObject:
		for i := range b.Len() {
			v, ok := a.Get(b.Key(i))
			if !ok || !jsonbContains(v, b.Value(i), false) {
				return false
			}
		}
		return true
	case a.Kind() == types.JSONArray && b.Kind() == types.JSONArray:
		for i := range b.Len() {
			if !jsonbMember(a, b.Index(i)) {
				return false
			}
		}
		return true
	case top && a.Kind() == types.JSONArray && b.IsScalar():
		return jsonbMember(a, b)
	}
	return a.Kind() == b.Kind() && a.IsScalar() && a.Compare(b) == 0
}

func jsonbMember(a, e types.JSONB) bool {
	for i := range a.Len() {
		if jsonbContains(a.Index(i), e, false) {
			return true
		}
	}
	return false
}

// jsonbExists is ?: a key of an object, a string of an array, or the string itself.
func jsonbExists(j types.JSONB, name column.Datum) bool {
	switch j.Kind() {
	case types.JSONObject:
		_, ok := j.Get(name.B)
		return ok
	case types.JSONArray:
		for i := range j.Len() {
			if e := j.Index(i); e.Kind() == types.JSONString && e.Text() == name.String() {
				return true
			}
		}
		return false
	}
	return j.Kind() == types.JSONString && j.Text() == name.String()
}

func jsonbExistsList(want bool) EvalFunc {
	return func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		for _, name := range texts(a[1]) {
			if !name.Null && jsonbExists(types.JSONB(a[0].B), name) == want {
				return boolResult(want)
			}
		}
		return boolResult(!want)
	}
}

func jsonbElems(j types.JSONB) []types.JSONB {
	if j.Kind() != types.JSONArray {
		return []types.JSONB{j}
	}
	out := make([]types.JSONB, j.Len())
	for i := range out {
		out[i] = j.Index(i)
	}
	return out
}

func jsonbPairs(j types.JSONB) []types.JSONBPair {
	out := make([]types.JSONBPair, j.Len())
	for i := range out {
		out[i] = types.JSONBPair{Key: string(j.Key(i)), Value: j.Value(i)}
	}
	return out
}

func jsonbConcat(a, b types.JSONB) types.JSONB {
	if a.Kind() == types.JSONObject && b.Kind() == types.JSONObject {
		return types.JSONBObject(append(jsonbPairs(a), jsonbPairs(b)...))
	}
	return types.JSONBArray(append(jsonbElems(a), jsonbElems(b)...))
}

// jsonbDelete removes members, or string elements, by name.
func jsonbDelete(d column.Datum, names []column.Datum) (column.Datum, error) {
	j := types.JSONB(d.B)
	if j.IsScalar() {
		return column.Datum{}, jsonError("cannot delete from scalar")
	}
	drop := func(s string) bool {
		for _, n := range names {
			if !n.Null && n.String() == s {
				return true
			}
		}
		return false
	}
	if j.Kind() == types.JSONObject {
		var kept []types.JSONBPair
		for _, p := range jsonbPairs(j) {
			if !drop(p.Key) {
				kept = append(kept, p)
			}
		}
		return bytesResult(types.JSONBObject(kept))
	}
	var kept []types.JSONB
	for _, e := range jsonbElems(j) {
		if e.Kind() != types.JSONString || !drop(e.Text()) {
			kept = append(kept, e)
		}
	}
	return bytesResult(types.JSONBArray(kept))
}

func jsonbDeleteIndex(_ *Ctx, a []column.Datum) (column.Datum, error) {
	j := types.JSONB(a[0].B)
	switch {
	case j.IsScalar():
		return column.Datum{}, jsonError("cannot delete from scalar")
	case j.Kind() == types.JSONObject:
		return column.Datum{}, jsonError("cannot delete from object using integer index")
	}
	n := a[1].I
	if n < 0 {
		n += int64(j.Len())
	}
	if n < 0 || n >= int64(j.Len()) {
		return a[0], nil
	}
	elems := jsonbElems(j)
	return bytesResult(types.JSONBArray(append(elems[:n:n], elems[n+1:]...)))
}

type pathOp uint8

const (
	pathSet pathOp = iota
	pathInsert
	pathDelete
)

// pathChange says what happens at the end of a path.
type pathChange struct {
	op     pathOp
	value  types.JSONB
	create bool // make what is not there, at the last step
	after  bool // insert behind the place
}

func changePath(target, path column.Datum, ch pathChange, scalar string) (column.Datum, error) {
	j := types.JSONB(target.B)
	p := types.ArrayFrom(path)
	if len(p.Dims) > 1 {
		return column.Datum{}, pgerr.New(pgerr.ArraySubscriptError, "wrong number of array subscripts")
	}
	if j.IsScalar() {
		return column.Datum{}, jsonError("%s", scalar)
	}
	if len(p.Elems) == 0 || j.Len() == 0 && !ch.create {
		return target, nil
	}
	out, err := ch.apply(j, p.Elems, 0)
	return column.Datum{B: out}, err
}

func (ch pathChange) apply(j types.JSONB, path []column.Datum, level int) (types.JSONB, error) {
	if path[level].Null {
		return nil, pgerr.New(pgerr.NullValueNotAllowed, "path element at position %d is null", level+1)
	}
	switch j.Kind() {
	case types.JSONObject:
		return ch.object(j, path, level)
	case types.JSONArray:
		return ch.array(j, path, level)
	}
	return j, nil
}

func (ch pathChange) object(j types.JSONB, path []column.Datum, level int) (types.JSONB, error) {
	last := level == len(path)-1
	pairs := jsonbPairs(j)
	i, found := j.Find(path[level].B)
	switch {
	case !found && last && ch.op != pathDelete && ch.create:
		pairs = append(pairs, types.JSONBPair{Key: path[level].String(), Value: ch.value})
	case !found:
		return j, nil
	case last && ch.op == pathInsert:
		return nil, pgerr.New(pgerr.InvalidParameterValue, "cannot replace existing key").
			WithHint("Try using the function jsonb_set to replace key value.")
	case last && ch.op == pathDelete:
		pairs = append(pairs[:i], pairs[i+1:]...)
	case last:
		pairs[i].Value = ch.value
	default:
		v, err := ch.apply(pairs[i].Value, path, level+1)
		if err != nil {
			return nil, err
		}
		pairs[i].Value = v
	}
	return types.JSONBObject(pairs), nil
}

func (ch pathChange) array(j types.JSONB, path []column.Datum, level int) (types.JSONB, error) {
	last := level == len(path)-1
	idx, ok := pathIndex(path[level])
	if !ok {
		return nil, pgerr.New(pgerr.InvalidTextRepresentation, "path element at position %d is not an integer: \"%s\"", level+1, path[level].B)
	}
	elems := jsonbElems(j)
	n := int64(len(elems))
	before := false
	if idx < 0 {
		if idx += n; idx < 0 {
			before = true
		}
	}
	inside := !before && idx < n
	var out []types.JSONB
	switch {
	case !inside && !(last && ch.create && ch.op != pathDelete):
		return j, nil
	case before:
		out = append([]types.JSONB{ch.value}, elems...)
	case !inside:
		out = append(elems, ch.value)
	case !last:
		v, err := ch.apply(elems[idx], path, level+1)
		if err != nil {
			return nil, err
		}
		elems[idx] = v
		out = elems
	case ch.op == pathDelete:
		out = append(elems[:idx], elems[idx+1:]...)
	case ch.op == pathSet:
		elems[idx] = ch.value
		out = elems
	default:
		if ch.after {
			idx++
		}
		out = append(out, elems[:idx]...)
		out = append(append(out, ch.value), elems[idx:]...)
	}
	return types.JSONBArray(out), nil
}

// jsonbSetLax is jsonb_set with a say in what an SQL NULL means.
func jsonbSetLax(_ *Ctx, a []column.Datum) (column.Datum, error) {
	if a[0].Null || a[1].Null || a[3].Null {
		return nullResult()
	}
	if a[4].Null {
		return column.Datum{}, jsonError("null_value_treatment must be \"delete_key\", \"return_target\", \"use_json_null\", or \"raise_exception\"")
	}
	ch := pathChange{op: pathSet, value: types.JSONB(a[2].B), create: a[3].I != 0}
	if a[2].Null {
		switch a[4].String() {
		case "raise_exception":
			return column.Datum{}, pgerr.New(pgerr.NullValueNotAllowed, "JSON value must not be null").
				WithDetail("Exception was raised because null_value_treatment is \"raise_exception\".").
				WithHint("To avoid, either change the null_value_treatment argument or ensure that an SQL NULL is not passed.")
		case "use_json_null":
			ch.value = types.JSONBConst(types.JSONNull)
		case "delete_key":
			return changePath(a[0], a[1], pathChange{op: pathDelete}, "cannot delete path in scalar")
		case "return_target":
			return a[0], nil
		default:
			return column.Datum{}, jsonError("null_value_treatment must be \"delete_key\", \"return_target\", \"use_json_null\", or \"raise_exception\"")
		}
	}
	return changePath(a[0], a[1], ch, "cannot set path in scalar")
}

func stripNulls(j types.JSONB) types.JSONB {
	switch j.Kind() {
	case types.JSONObject:
		var kept []types.JSONBPair
		for _, p := range jsonbPairs(j) {
			if p.Value.Kind() != types.JSONNull {
				kept = append(kept, types.JSONBPair{Key: p.Key, Value: stripNulls(p.Value)})
			}
		}
		return types.JSONBObject(kept)
	case types.JSONArray:
		elems := jsonbElems(j)
		for i := range elems {
			elems[i] = stripNulls(elems[i])
		}
		return types.JSONBArray(elems)
	}
	return j
}

func stripNullsText(out, s []byte) []byte {
	s = s[jsonSpace(s, 0):]
	first := true
	comma := func() {
		if !first {
			out = append(out, ',')
		}
		first = false
	}
	switch jsonKind(s) {
	case types.JSONObject:
		out = append(out, '{')
		jsonMembers(s, func(key, value []byte) bool {
			if jsonKind(value) != types.JSONNull {
				comma()
				out = stripNullsText(append(requoted(out, key), ':'), value)
			}
			return true
		})
		return append(out, '}')
	case types.JSONArray:
		out = append(out, '[')
		jsonElements(s, func(value []byte) bool {
			comma()
			out = stripNullsText(out, value)
			return true
		})
		return append(out, ']')
	}
	if s[0] == '"' {
		return requoted(out, s[:jsonValue(s, 0)])
	}
	return append(out, s[:jsonValue(s, 0)]...)
}

// requoted appends a string with no more escapes than it needs.
func requoted(out, s []byte) []byte {
	text, err := unquoteJSON(s)
	if err != nil {
		return append(out, s...)
	}
	return types.AppendJSONString(out, text)
}

// prettyJSON prints with four spaces a level.
func prettyJSON(out []byte, j types.JSONB, level int) []byte {
	if j.IsScalar() {
		return j.Append(out)
	}
	line := func(level int) { out = append(append(out, '\n'), strings.Repeat("    ", level)...) }
	open, end := byte('['), byte(']')
	if j.Kind() == types.JSONObject {
		open, end = '{', '}'
	}
	out = append(out, open)
	for i := range j.Len() {
		if i > 0 {
			out = append(out, ',')
		}
		line(level + 1)
		if j.Kind() == types.JSONObject {
			out = append(types.AppendJSONString(out, string(j.Key(i))), ": "...)
			out = prettyJSON(out, j.Value(i), level+1)
		} else {
			out = prettyJSON(out, j.Index(i), level+1)
		}
	}
	line(level)
	return append(out, end)
}
