package functions

import (
	"strconv"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// jsonGetEvals are the operators and functions that look into json and jsonb.
var jsonGetEvals = map[string]EvalFunc{
	"json_object_field":       jsonGet(textField, false),
	"json_object_field_text":  jsonGet(textField, true),
	"json_array_element":      jsonGet(textElement, false),
	"json_array_element_text": jsonGet(textElement, true),
	"json_extract_path":       jsonGet(textPath, false),
	"json_extract_path_text":  jsonGet(textPath, true),
	"json_typeof": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return textResult(jsonTypeName(jsonKind(a[0].B)))
	},
	"json_array_length": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		switch jsonKind(a[0].B) {
		case types.JSONArray:
			n := int64(0)
			jsonElements(a[0].B, func([]byte) bool { n++; return true })
			return intResult(n)
		case types.JSONObject:
			return column.Datum{}, jsonError("cannot get array length of a non-array")
		}
		return column.Datum{}, jsonError("cannot get array length of a scalar")
	},
	"jsonb_object_field":       jsonbGet(binaryField, false),
	"jsonb_object_field_text":  jsonbGet(binaryField, true),
	"jsonb_array_element":      jsonbGet(binaryIndex, false),
	"jsonb_array_element_text": jsonbGet(binaryIndex, true),
	"jsonb_extract_path":       jsonbGet(binaryPath, false),
	"jsonb_extract_path_text":  jsonbGet(binaryPath, true),
	"jsonb_typeof": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return textResult(jsonTypeName(types.JSONB(a[0].B).Kind()))
	},
	"jsonb_array_length": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		switch j := types.JSONB(a[0].B); j.Kind() {
		case types.JSONArray:
			return intResult(int64(j.Len()))
		case types.JSONObject:
			return column.Datum{}, jsonError("cannot get array length of a non-array")
		}
		return column.Datum{}, jsonError("cannot get array length of a scalar")
	},
}

func init() {
	for prosrc, as := range map[string]struct {
		name string
		typ  OID
		eval EvalFunc
	}{
		"jsonb_numeric": {"numeric", types.NumericOID, unchanged},
		"jsonb_int2":    {"smallint", types.Int2OID, numericInt(16, "smallint")},
		"jsonb_int4":    {"integer", types.Int4OID, numericInt(32, "integer")},
		"jsonb_int8":    {"bigint", types.Int8OID, numericInt(64, "bigint")},
		"jsonb_float4":  {"real", types.Float4OID, numericEvals["numeric_float4"]},
		"jsonb_float8":  {"double precision", types.Float8OID, numericEvals["numeric_float8"]},
	} {
		jsonGetEvals[prosrc] = func(c *Ctx, a []column.Datum) (column.Datum, error) {
			j := types.JSONB(a[0].B)
			if j.Kind() != types.JSONNumber {
				return column.Datum{}, jsonCastError(j, as.name)
			}
			return as.eval(c, []column.Datum{j.Number().Datum()})
		}
	}
	jsonGetEvals["jsonb_bool"] = func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		switch j := types.JSONB(a[0].B); j.Kind() {
		case types.JSONTrue:
			return boolResult(true)
		case types.JSONFalse:
			return boolResult(false)
		default:
			return column.Datum{}, jsonCastError(j, "boolean")
		}
	}
}

func jsonError(format string, args ...any) error {
	return pgerr.New(pgerr.InvalidParameterValue, format, args...)
}

func jsonCastError(j types.JSONB, to string) error {
	what := jsonTypeName(j.Kind())
	switch what {
	case "number":
		what = "numeric"
	case "array", "object":
	}
	return jsonError("cannot cast jsonb %s to type %s", what, to)
}

func jsonTypeName(k types.JSONKind) string {
	switch k {
	case types.JSONNull:
		return "null"
	case types.JSONString:
		return "string"
	case types.JSONNumber:
		return "number"
	case types.JSONTrue, types.JSONFalse:
		return "boolean"
	case types.JSONArray:
		return "array"
	}
	return "object"
}

// jsonGet makes a function of a look-up over text; nil is NULL. As text, null is NULL
// and strings lose their quotes.
func jsonGet(find func(s []byte, by column.Datum) ([]byte, error), asText bool) EvalFunc {
	return func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		v, err := find(a[0].B, a[1])
		if err != nil || v == nil {
			return column.Datum{Null: true}, err
		}
		if asText {
			return jsonText(v)
		}
		return bytesResult(v)
	}
}

// jsonText is what ->> gives for a value.
func jsonText(v []byte) (column.Datum, error) {
	switch jsonKind(v) {
	case types.JSONNull:
		return nullResult()
	case types.JSONString:
		s, err := unquoteJSON(v)
		return column.Datum{B: []byte(s)}, err
	}
	return bytesResult(v)
}

// textField finds a member; of several of one name the last counts.
func textField(s []byte, by column.Datum) (found []byte, err error) {
	if jsonKind(s) != types.JSONObject {
		return nil, nil
	}
	name := by.String()
	jsonMembers(s, func(key, value []byte) bool {
		var k string
		if k, err = unquoteJSON(key); err == nil && k == name {
			found = value
		}
		return err == nil
	})
	return found, err
}

func textElement(s []byte, by column.Datum) (found []byte, err error) {
	if jsonKind(s) != types.JSONArray {
		return nil, nil
	}
	n := by.I
	if n < 0 {
		jsonElements(s, func([]byte) bool { n++; return true })
	}
	jsonElements(s, func(value []byte) bool {
		if n == 0 {
			found = value
		}
		n--
		return n >= 0
	})
	return found, nil
}

// textPath follows keys and indexes; an index is a number, negative from the end.
func textPath(s []byte, by column.Datum) ([]byte, error) {
	s = s[jsonSpace(s, 0):]
	s = s[:jsonValue(s, 0)]
	for _, step := range texts(by) {
		if step.Null {
			return nil, nil
		}
		var err error
		if jsonKind(s) == types.JSONArray {
			n, ok := pathIndex(step)
			if !ok {
				return nil, nil
			}
			s, err = textElement(s, column.IntDatum(n))
		} else {
			s, err = textField(s, step)
		}
		if err != nil || s == nil {
			return nil, err
		}
	}
	return s, nil
}

func pathIndex(step column.Datum) (int64, bool) {
	n, err := strconv.ParseInt(step.String(), 10, 32)
	return n, err == nil
}

func jsonbGet(find func(j types.JSONB, by column.Datum) types.JSONB, asText bool) EvalFunc {
	return func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		v := find(types.JSONB(a[0].B), a[1])
		if v == nil {
			return nullResult()
		}
		if asText {
			return jsonbText(v), nil
		}
		return bytesResult(v)
	}
}

// jsonbText is what ->> gives for a value.
func jsonbText(v types.JSONB) column.Datum {
	switch v.Kind() {
	case types.JSONNull:
		return column.Null()
	case types.JSONString:
		return column.Datum{B: []byte(v.Text())}
	}
	return column.Datum{B: v.Append(nil)}
}

func binaryField(j types.JSONB, by column.Datum) types.JSONB {
	v, _ := j.Get(by.B)
	return v
}

// binaryIndex takes a scalar for an array of one element, as PostgreSQL's -> does.
func binaryIndex(j types.JSONB, by column.Datum) types.JSONB {
	if j.IsScalar() && (by.I == 0 || by.I == -1) {
		return j
	}
	return binaryElement(j, by)
}

func binaryElement(j types.JSONB, by column.Datum) types.JSONB {
	if j.Kind() != types.JSONArray {
		return nil
	}
	n := by.I
	if n < 0 {
		n += int64(j.Len())
	}
	if n < 0 || n >= int64(j.Len()) {
		return nil
	}
	return j.Index(int(n))
}

func binaryPath(j types.JSONB, by column.Datum) types.JSONB {
	for _, step := range texts(by) {
		if step.Null {
			return nil
		}
		if j.Kind() == types.JSONArray {
			n, ok := pathIndex(step)
			if !ok {
				return nil
			}
			j = binaryElement(j, column.IntDatum(n))
		} else {
			j = binaryField(j, step)
		}
		if j == nil {
			return nil
		}
	}
	return j
}
