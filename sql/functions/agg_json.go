package functions

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/types"
)

// jsonAggs collect values into json and jsonb.
var jsonAggs = map[string]func(c *Ctx) AggState{
	"json_agg(anyelement)":      byRow(func(*Ctx) rowState { return &jsonList{} }),
	"json_object_agg(any,any)":  byRow(func(*Ctx) rowState { return &jsonMembersAgg{} }),
	"jsonb_agg(anyelement)":     byRow(func(*Ctx) rowState { return &jsonbList{} }),
	"jsonb_object_agg(any,any)": byRow(func(*Ctx) rowState { return &jsonbObjectAgg{} }),
}

// jsonList is json_agg: rows and arrays each begin a line.
type jsonList struct{ out []byte }

func (s *jsonList) add(c *Ctx, a []column.Datum) (err error) {
	if len(s.out) == 0 {
		s.out = append(s.out, '[')
	} else {
		s.out = append(s.out, ", "...)
		typ, _ := c.Env.BaseType(c.argType(0), -1)
		if !a[0].Null && (typ == types.RecordOID || elementType(c.Env, typ) != 0 || isComplex(c.Env, typ)) {
			s.out = append(s.out, "\n "...)
		}
	}
	s.out, err = appendJSON(c, s.out, typedDatum{a[0], c.argType(0)}, false)
	return limitText(s.out, err)
}

func limitText(out []byte, err error) error {
	if err == nil && len(out) > maxText {
		return tooLong()
	}
	return err
}

func (s *jsonList) result(*Ctx, []column.Datum) (column.Datum, error) {
	if len(s.out) == 0 {
		return nullResult()
	}
	return bytesResult(concat(s.out, []byte("]")))
}

func (s *jsonList) size() int64 { return int64(48 + cap(s.out)) }

// jsonMembersAgg is json_object_agg, which keeps every key, repeated ones, too.
type jsonMembersAgg struct{ out []byte }

func (s *jsonMembersAgg) add(c *Ctx, a []column.Datum) error {
	if len(s.out) == 0 {
		s.out = append(s.out, "{ "...)
	} else {
		s.out = append(s.out, ", "...)
	}
	key, err := aggKey(c, a)
	if err != nil {
		return err
	}
	s.out = append(types.AppendJSONString(s.out, key), " : "...)
	s.out, err = appendJSON(c, s.out, typedDatum{a[1], c.argType(1)}, false)
	return limitText(s.out, err)
}

func aggKey(c *Ctx, a []column.Datum) (string, error) {
	if a[0].Null {
		return "", jsonError("field name must not be null")
	}
	return jsonKey(c, typedDatum{a[0], c.argType(0)})
}

func (s *jsonMembersAgg) result(*Ctx, []column.Datum) (column.Datum, error) {
	if len(s.out) == 0 {
		return nullResult()
	}
	return bytesResult(concat(s.out, []byte(" }")))
}

func (s *jsonMembersAgg) size() int64 { return int64(48 + cap(s.out)) }

// jsonbList is jsonb_agg.
type jsonbList struct {
	elems []types.JSONB
	held  int64
}

func (s *jsonbList) add(c *Ctx, a []column.Datum) error {
	j, err := makeJSONB(c, typedDatum{a[0].Clone(), c.argType(0)})
	s.elems = append(s.elems, j)
	s.held += int64(24 + len(j))
	return err
}

func (s *jsonbList) result(*Ctx, []column.Datum) (column.Datum, error) {
	if len(s.elems) == 0 {
		return nullResult()
	}
	return bytesResult(types.JSONBArray(s.elems))
}

func (s *jsonbList) size() int64 { return 64 + s.held }

// jsonbObjectAgg is jsonb_object_agg; of equal keys the last value stays.
type jsonbObjectAgg struct {
	pairs []types.JSONBPair
	held  int64
}

func (s *jsonbObjectAgg) add(c *Ctx, a []column.Datum) error {
	key, err := aggKey(c, a)
	if err != nil {
		return err
	}
	j, err := makeJSONB(c, typedDatum{a[1].Clone(), c.argType(1)})
	s.pairs = append(s.pairs, types.JSONBPair{Key: key, Value: j})
	s.held += int64(48 + len(key) + len(j))
	return err
}

func (s *jsonbObjectAgg) result(*Ctx, []column.Datum) (column.Datum, error) {
	if len(s.pairs) == 0 {
		return nullResult()
	}
	return bytesResult(types.JSONBObject(append([]types.JSONBPair(nil), s.pairs...)))
}

func (s *jsonbObjectAgg) size() int64 { return 64 + s.held }
