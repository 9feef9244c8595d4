package functions

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/types"
)

// jsonSets take json and jsonb apart into rows.
var jsonSets = map[string]SetFunc{
	"json_each":                jsonEach(false),
	"json_each_text":           jsonEach(true),
	"json_array_elements":      jsonArrayElements("json_array_elements", false),
	"json_array_elements_text": jsonArrayElements("json_array_elements_text", true),
	"json_object_keys": func(_ *Ctx, a []column.Datum) (SetIter, error) {
		switch jsonKind(a[0].B) {
		case types.JSONObject:
		case types.JSONArray:
			return nil, jsonError("cannot call %s on an array", "json_object_keys")
		default:
			return nil, jsonError("cannot call %s on a scalar", "json_object_keys")
		}
		var list []column.Datum
		var err error
		jsonMembers(a[0].B, func(key, _ []byte) bool {
			var k string
			k, err = unquoteJSON(key)
			list = append(list, column.StringDatum(k))
			return err == nil
		})
		return oneColumn(list), err
	},
	"jsonb_each":                jsonbEach("jsonb_each", false),
	"jsonb_each_text":           jsonbEach("jsonb_each_text", true),
	"jsonb_array_elements":      jsonbArrayElements(false),
	"jsonb_array_elements_text": jsonbArrayElements(true),
	"jsonb_object_keys": func(_ *Ctx, a []column.Datum) (SetIter, error) {
		j := types.JSONB(a[0].Clone().B)
		switch {
		case j.Kind() == types.JSONArray:
			return nil, jsonError("cannot call %s on an array", "jsonb_object_keys")
		case j.IsScalar():
			return nil, jsonError("cannot call %s on a scalar", "jsonb_object_keys")
		}
		list := make([]column.Datum, j.Len())
		for i := range list {
			list[i] = column.Datum{B: j.Key(i)}
		}
		return oneColumn(list), nil
	},
}

func jsonEach(asText bool) SetFunc {
	return func(_ *Ctx, a []column.Datum) (SetIter, error) {
		s := a[0].Clone().B
		switch jsonKind(s) {
		case types.JSONObject:
		case types.JSONArray:
			return nil, jsonError("cannot deconstruct an array as an object")
		default:
			return nil, jsonError("cannot deconstruct a scalar")
		}
		it := &rowsIter{}
		var err error
		jsonMembers(s, func(key, value []byte) bool {
			var k string
			if k, err = unquoteJSON(key); err != nil {
				return false
			}
			v := column.Datum{B: value}
			if asText {
				v, err = jsonText(value)
			}
			it.rows = append(it.rows, []column.Datum{column.StringDatum(k), v})
			return err == nil
		})
		return it, err
	}
}

func jsonArrayElements(name string, asText bool) SetFunc {
	return func(_ *Ctx, a []column.Datum) (SetIter, error) {
		s := a[0].Clone().B
		switch jsonKind(s) {
		case types.JSONArray:
		case types.JSONObject:
			return nil, jsonError("cannot call %s on a non-array", name)
		default:
			return nil, jsonError("cannot call %s on a scalar", name)
		}
		var list []column.Datum
		var err error
		jsonElements(s, func(value []byte) bool {
			v := column.Datum{B: value}
			if asText {
				v, err = jsonText(value)
			}
			list = append(list, v)
			return err == nil
		})
		return oneColumn(list), err
	}
}

func jsonbEach(name string, asText bool) SetFunc {
	return func(_ *Ctx, a []column.Datum) (SetIter, error) {
		j := types.JSONB(a[0].Clone().B)
		if j.Kind() != types.JSONObject {
			return nil, jsonError("cannot call %s on a non-object", name)
		}
		it := &rowsIter{}
		for i := range j.Len() {
			v := column.Datum{B: j.Value(i)}
			if asText {
				v = jsonbText(j.Value(i))
			}
			it.rows = append(it.rows, []column.Datum{{B: j.Key(i)}, v})
		}
		return it, nil
	}
}

func jsonbArrayElements(asText bool) SetFunc {
	return func(_ *Ctx, a []column.Datum) (SetIter, error) {
		j := types.JSONB(a[0].Clone().B)
		switch {
		case j.IsScalar():
			return nil, jsonError("cannot extract elements from a scalar")
		case j.Kind() == types.JSONObject:
			return nil, jsonError("cannot extract elements from an object")
		}
		list := make([]column.Datum, j.Len())
		for i := range list {
			list[i] = column.Datum{B: j.Index(i)}
			if asText {
				list[i] = jsonbText(j.Index(i))
			}
		}
		return oneColumn(list), nil
	}
}
