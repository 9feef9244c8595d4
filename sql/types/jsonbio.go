package types

import (
	"github.com/omendb/omendb/sql/pgerr"
)

// ParseJSONB reads JSON text.
func ParseJSONB(s string) (JSONB, error) {
	b := &jsonbBuilder{}
	if err := ParseJSON(s, b); err != nil {
		return nil, err
	}
	return b.result, nil
}

// jsonbBuilder puts a value together from what the parser finds.
type jsonbBuilder struct {
	open   []jsonbContainer
	result JSONB
}

type jsonbContainer struct {
	object bool
	key    string
	elems  []JSONB
	pairs  []JSONBPair
}

func (b *jsonbBuilder) add(v JSONB) error {
	if len(b.open) == 0 {
		b.result = v
		return nil
	}
	c := &b.open[len(b.open)-1]
	if c.object {
		c.pairs = append(c.pairs, JSONBPair{c.key, v})
	} else {
		c.elems = append(c.elems, v)
	}
	return nil
}

// Null takes in null.
func (b *jsonbBuilder) Null() error { return b.add(JSONBConst(JSONNull)) }

// Bool takes in true or false.
func (b *jsonbBuilder) Bool(v bool) error {
	if v {
		return b.add(JSONBConst(JSONTrue))
	}
	return b.add(JSONBConst(JSONFalse))
}

// Number takes in a number.
func (b *jsonbBuilder) Number(text string) error {
	n, err := ParseNumeric(text)
	if err != nil {
		return err
	}
	return b.add(JSONBNumber(n))
}

// String takes in a string.
func (b *jsonbBuilder) String(s string) error { return b.add(JSONBString(s)) }

// BeginArray starts an array.
func (b *jsonbBuilder) BeginArray() error {
	b.open = append(b.open, jsonbContainer{})
	return nil
}

// EndArray ends the array.
func (b *jsonbBuilder) EndArray() error { return b.add(JSONBArray(b.pop().elems)) }

// BeginObject starts an object.
func (b *jsonbBuilder) BeginObject() error {
	b.open = append(b.open, jsonbContainer{object: true})
	return nil
}

// Key takes in the key of the next value.
func (b *jsonbBuilder) Key(s string) error {
	b.open[len(b.open)-1].key = s
	return nil
}

// EndObject ends the object.
func (b *jsonbBuilder) EndObject() error { return b.add(JSONBObject(b.pop().pairs)) }

func (b *jsonbBuilder) pop() jsonbContainer {
	c := b.open[len(b.open)-1]
	b.open = b.open[:len(b.open)-1]
	return c
}

// Append appends the text form.
func (j JSONB) Append(dst []byte) []byte {
	switch j.Kind() {
	case JSONNull:
		return append(dst, "null"...)
	case JSONFalse:
		return append(dst, "false"...)
	case JSONTrue:
		return append(dst, "true"...)
	case JSONString:
		return AppendJSONString(dst, j.Text())
	case JSONNumber:
		return j.Number().Append(dst)
	case JSONArray:
		dst = append(dst, '[')
		for i := range j.Len() {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = j.Index(i).Append(dst)
		}
		return append(dst, ']')
	}
	dst = append(dst, '{')
	for i := range j.Len() {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = append(AppendJSONString(dst, string(j.Key(i))), ": "...)
		dst = j.Value(i).Append(dst)
	}
	return append(dst, '}')
}

func jsonbIn(_ *Env, _ *Type, _ int32, s string) (Datum, error) {
	j, err := ParseJSONB(s)
	return bytesDatum(j), err
}

func jsonbOut(_ *Env, dst []byte, _ *Type, d Datum) []byte { return JSONB(d.B).Append(dst) }

// jsonbVersion is the version of the wire form: a byte in front of the text.
const jsonbVersion = 1

func jsonbRecv(e *Env, t *Type, typmod int32, b []byte) (Datum, error) {
	if len(b) == 0 {
		return Datum{}, shortMessage()
	}
	if b[0] != jsonbVersion {
		return Datum{}, pgerr.New(pgerr.InternalError, "unsupported jsonb version number %d", b[0])
	}
	b, err := e.FromClient(b[1:])
	if err != nil {
		return Datum{}, err
	}
	return jsonbIn(e, t, typmod, string(b))
}

func jsonbSend(e *Env, dst []byte, _ *Type, d Datum) []byte {
	return e.ToClient(JSONB(d.B).Append(append(dst, jsonbVersion)), len(dst)+1)
}
