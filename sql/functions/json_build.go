package functions

import (
	"strconv"
	"strings"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// jsonBuildEvals make json and jsonb of SQL values.
var jsonBuildEvals = map[string]EvalFunc{
	"to_json":              toJSON(false),
	"array_to_json":        toJSON(false),
	"row_to_json":          toJSON(false),
	"array_to_json_pretty": toJSON(true),
	"row_to_json_pretty":   toJSON(true),
	"to_jsonb": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		j, err := makeJSONB(c, typedDatum{a[0], c.argType(0)})
		return column.Datum{B: j}, err
	},
	"json_build_array": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		list, null, err := variadicArgs(c, a, 0)
		if err != nil || null {
			return column.Datum{Null: null}, err
		}
		out := []byte{'['}
		for i, v := range list {
			if i > 0 {
				out = append(out, ", "...)
			}
			if out, err = appendJSON(c, out, v, false); err != nil {
				return column.Datum{}, err
			}
		}
		return bytesResult(append(out, ']'))
	},
	"json_build_object":         buildObject,
	"json_build_array_noargs":   func(*Ctx, []column.Datum) (column.Datum, error) { return textResult("[]") },
	"json_build_object_noargs":  func(*Ctx, []column.Datum) (column.Datum, error) { return textResult("{}") },
	"jsonb_build_array_noargs":  func(*Ctx, []column.Datum) (column.Datum, error) { return bytesResult(types.JSONBArray(nil)) },
	"jsonb_build_object_noargs": func(*Ctx, []column.Datum) (column.Datum, error) { return bytesResult(types.JSONBObject(nil)) },
	"jsonb_build_array": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		list, null, err := variadicArgs(c, a, 0)
		if err != nil || null {
			return column.Datum{Null: null}, err
		}
		elems := make([]types.JSONB, len(list))
		for i, v := range list {
			if elems[i], err = makeJSONB(c, v); err != nil {
				return column.Datum{}, err
			}
		}
		return bytesResult(types.JSONBArray(elems))
	},
	"jsonb_build_object":   buildObjectB,
	"json_object":          func(_ *Ctx, a []column.Datum) (column.Datum, error) { return objectOfTexts(a, false) },
	"json_object_two_arg":  func(_ *Ctx, a []column.Datum) (column.Datum, error) { return objectOfTexts(a, false) },
	"jsonb_object":         func(_ *Ctx, a []column.Datum) (column.Datum, error) { return objectOfTexts(a, true) },
	"jsonb_object_two_arg": func(_ *Ctx, a []column.Datum) (column.Datum, error) { return objectOfTexts(a, true) },
}

func toJSON(pretty bool) EvalFunc {
	return func(c *Ctx, a []column.Datum) (column.Datum, error) {
		b, err := appendJSON(c, nil, typedDatum{a[0], c.argType(0)}, pretty && a[1].I != 0)
		return column.Datum{B: b}, err
	}
}

// appendJSON appends the JSON text of a value of any type; pretty breaks the lines of an
// array or row, at its first level.
func appendJSON(c *Ctx, out []byte, d typedDatum, pretty bool) ([]byte, error) {
	if d.Null {
		return append(out, "null"...), nil
	}
	sep := ","
	if pretty {
		sep = ",\n "
	}
	typ, _ := c.Env.BaseType(d.typ, -1)
	switch typ {
	case types.BoolOID:
		return strconv.AppendBool(out, d.I != 0), nil
	case types.Int2OID, types.Int4OID, types.Int8OID, types.Float4OID, types.Float8OID, types.NumericOID:
		text := string(c.Env.Out(nil, typ, d.Datum))
		if jsonNumber(text) {
			return append(out, text...), nil
		}
		return types.AppendJSONString(out, text), nil
	case types.JSONOID, types.JSONBOID:
		return c.Env.Out(out, typ, d.Datum), nil
	case types.DateOID, types.TimestampOID, types.TimestamptzOID:
		return types.AppendJSONString(out, isoText(c.Env, typ, d.Datum)), nil
	}
	if elementType(c.Env, typ) != 0 {
		a := types.ArrayFrom(d.Datum)
		out, _, err := appendJSONArray(c, out, a, 0, 0, sep)
		return out, err
	}
	if typ == types.RecordOID || isComplex(c.Env, typ) {
		out = append(out, '{')
		first := true
		var err error
		eachField(c, d, func(name string, v typedDatum) bool {
			if !first {
				out = append(out, sep...)
			}
			first = false
			out = append(types.AppendJSONString(out, name), ':')
			out, err = appendJSON(c, out, v, false)
			return err == nil
		})
		return append(out, '}'), err
	}
	return types.AppendJSONString(out, string(c.Env.Out(nil, typ, d.Datum))), nil
}

// appendJSONArray appends one dimension of an array, whose elements start at from.
func appendJSONArray(c *Ctx, out []byte, a types.Array, dim, from int, sep string) ([]byte, int, error) {
	out = append(out, '[')
	if len(a.Dims) == 0 {
		return append(out, ']'), 0, nil
	}
	var err error
	for i := range int(a.Dims[dim].Len) {
		if i > 0 {
			out = append(out, sep...)
		}
		if dim+1 < len(a.Dims) {
			out, from, err = appendJSONArray(c, out, a, dim+1, from, ",")
		} else {
			out, err = appendJSON(c, out, typedDatum{a.Elems[from], a.Elem}, false)
			from++
		}
		if err != nil {
			return out, from, err
		}
	}
	return append(out, ']'), from, nil
}

// eachField calls f with the fields of a row; dropped columns are skipped.
func eachField(c *Ctx, d typedDatum, f func(name string, v typedDatum) bool) {
	var attrs []types.Attribute
	if d.typ != types.RecordOID && c.Env.Types != nil {
		base, _ := c.Env.BaseType(d.typ, -1)
		attrs = c.Env.Types.Attributes(base)
	}
	var names []string
	if attrs == nil {
		names = types.RecordNames(d.Datum)
	}
	for i, field := range types.RecordFrom(d.Datum) {
		name := "f" + strconv.Itoa(i+1)
		switch {
		case i < len(attrs) && attrs[i].Dropped:
			continue
		case i < len(attrs):
			name = attrs[i].Name
		case i < len(names):
			name = names[i]
		}
		if !f(name, typedDatum{field.Value, field.Type}) {
			return
		}
	}
}

// jsonNumber reports whether text is a JSON number, which NaN and Infinity are not.
func jsonNumber(text string) bool { return !strings.ContainsAny(text, "NI") }

// isoText prints dates and times as XML Schema does, whatever the session's style.
func isoText(env *types.Env, typ OID, d column.Datum) string {
	iso := *env
	iso.DateStyle = types.DateISO
	s := string(iso.Out(nil, typ, d))
	if typ == types.DateOID || strings.HasSuffix(s, "infinity") {
		return s
	}
	s, bc := strings.CutSuffix(s, " BC")
	s = strings.Replace(s, " ", "T", 1)
	if n := len(s); typ == types.TimestamptzOID && (s[n-3] == '+' || s[n-3] == '-') {
		s += ":00"
	}
	if bc {
		s += " BC"
	}
	return s
}

// jsonKey returns the text of an object key.
func jsonKey(c *Ctx, d typedDatum) (string, error) {
	typ, _ := c.Env.BaseType(d.typ, -1)
	if typ == types.JSONOID || typ == types.JSONBOID || typ == types.RecordOID || elementType(c.Env, typ) != 0 || isComplex(c.Env, typ) {
		return "", jsonError("key value must be scalar, not array, composite, or json")
	}
	switch typ {
	case types.BoolOID:
		return strconv.FormatBool(d.I != 0), nil
	case types.DateOID, types.TimestampOID, types.TimestamptzOID:
		return isoText(c.Env, typ, d.Datum), nil
	}
	return string(c.Env.Out(nil, typ, d.Datum)), nil
}

// objectArgs returns the alternating keys and values of json[b]_build_object.
func objectArgs(c *Ctx, a []column.Datum, name string) ([]typedDatum, bool, error) {
	list, null, err := variadicArgs(c, a, 0)
	if err != nil || null {
		return nil, null, err
	}
	if len(list)%2 != 0 {
		return nil, false, pgerr.New(pgerr.InvalidParameterValue, "argument list must have even number of elements").
			WithHint("The arguments of %s must consist of alternating keys and values.", name)
	}
	return list, false, nil
}

func nullKey(i int) error {
	return pgerr.New(pgerr.InvalidParameterValue, "argument %d cannot be null", i+1).WithHint("Object keys should be text.")
}

func buildObject(c *Ctx, a []column.Datum) (column.Datum, error) {
	list, null, err := objectArgs(c, a, "json_build_object()")
	if err != nil || null {
		return column.Datum{Null: null}, err
	}
	out := []byte{'{'}
	for i := 0; i < len(list); i += 2 {
		if i > 0 {
			out = append(out, ", "...)
		}
		if list[i].Null {
			return column.Datum{}, nullKey(i)
		}
		key, err := jsonKey(c, list[i])
		if err != nil {
			return column.Datum{}, err
		}
		out = append(types.AppendJSONString(out, key), " : "...)
		if out, err = appendJSON(c, out, list[i+1], false); err != nil {
			return column.Datum{}, err
		}
	}
	return bytesResult(append(out, '}'))
}

func buildObjectB(c *Ctx, a []column.Datum) (column.Datum, error) {
	list, null, err := objectArgs(c, a, "jsonb_build_object()")
	if err != nil || null {
		return column.Datum{Null: null}, err
	}
	pairs := make([]types.JSONBPair, 0, len(list)/2)
	for i := 0; i < len(list); i += 2 {
		if list[i].Null {
			return column.Datum{}, jsonError("argument %d: key must not be null", i+1)
		}
		key, err := jsonKey(c, list[i])
		if err != nil {
			return column.Datum{}, err
		}
		v, err := makeJSONB(c, list[i+1])
		if err != nil {
			return column.Datum{}, err
		}
		pairs = append(pairs, types.JSONBPair{Key: key, Value: v})
	}
	return bytesResult(types.JSONBObject(pairs))
}

// makeJSONB returns a value of any type as jsonb.
func makeJSONB(c *Ctx, d typedDatum) (types.JSONB, error) {
	if d.Null {
		return types.JSONBConst(types.JSONNull), nil
	}
	typ, _ := c.Env.BaseType(d.typ, -1)
	switch typ {
	case types.JSONBOID:
		return types.JSONB(d.B), nil
	case types.NumericOID:
		if n := types.NumericFrom(d.Datum); n.IsFinite() {
			return types.JSONBNumber(n), nil
		}
	}
	text, err := appendJSON(c, nil, d, false)
	if err != nil {
		return nil, err
	}
	return types.ParseJSONB(string(text))
}

// objectOfTexts is json[b]_object(text[]) and (text[], text[]).
func objectOfTexts(a []column.Datum, binary bool) (column.Datum, error) {
	bad := func(text string) (column.Datum, error) {
		return column.Datum{}, pgerr.New(pgerr.ArraySubscriptError, "%s", text)
	}
	first := types.ArrayFrom(a[0])
	var keys, values []column.Datum
	if len(a) > 1 {
		second := types.ArrayFrom(a[1])
		if len(first.Dims) > 1 || len(first.Dims) != len(second.Dims) {
			return bad("wrong number of array subscripts")
		}
		if keys, values = first.Elems, second.Elems; len(keys) != len(values) {
			return bad("mismatched array dimensions")
		}
	} else {
		switch {
		case len(first.Dims) == 1 && len(first.Elems)%2 != 0:
			return bad("array must have even number of elements")
		case len(first.Dims) == 2 && first.Dims[1].Len != 2:
			return bad("array must have two columns")
		case len(first.Dims) > 2:
			return bad("wrong number of array subscripts")
		}
		for i := 0; i < len(first.Elems); i += 2 {
			keys, values = append(keys, first.Elems[i]), append(values, first.Elems[i+1])
		}
	}
	out := []byte{'{'}
	for i, k := range keys {
		if k.Null {
			return column.Datum{}, pgerr.New(pgerr.NullValueNotAllowed, "null value not allowed for object key")
		}
		if i > 0 {
			out = append(out, ", "...)
		}
		out = append(types.AppendJSONString(out, k.String()), " : "...)
		if values[i].Null {
			out = append(out, "null"...)
		} else {
			out = types.AppendJSONString(out, values[i].String())
		}
	}
	out = append(out, '}')
	if !binary {
		return bytesResult(out)
	}
	j, err := types.ParseJSONB(string(out))
	return column.Datum{B: j}, err
}
