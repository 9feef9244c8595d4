package catalog

import (
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"sync"

	"github.com/omendb/omendb/engine/column"
)

// A descriptor on disk is
//
//	┌─────────┬───────┬─────────────────────────────────────┐
//	│ format  │ class │ fields of the struct                │
//	│ 1 byte  │ 1 byte│                                     │
//	└─────────┴───────┴─────────────────────────────────────┘
//	field:  uvarint number·4 + form │ payload
//	form 0: varint (zigzag for signed), form 1: 8 bytes, form 2: uvarint length + bytes
//
// Field numbers are the structs' tags. Zero values are left out, so adding a
// field with a new number keeps old rows readable, and a number that this
// version does not know is skipped. A number is never given to another field.
// Slices are form 2: a count, then the elements, each without number; struct
// elements are preceded by their length. An empty slice that is not nil is kept.
const codecFormat = 1

const (
	formVarint = 0
	formFixed  = 1
	formBytes  = 2
)

// classes gives every class that is stored its Go type.
var classes = map[Class]reflect.Type{
	ClassDatabase:   reflect.TypeFor[Database](),
	ClassRole:       reflect.TypeFor[Role](),
	ClassSchema:     reflect.TypeFor[Schema](),
	ClassRelation:   reflect.TypeFor[Relation](),
	ClassSequence:   reflect.TypeFor[Sequence](),
	ClassType:       reflect.TypeFor[Type](),
	ClassFunction:   reflect.TypeFor[Function](),
	ClassIndex:      reflect.TypeFor[Index](),
	ClassExtension:  reflect.TypeFor[Extension](),
	ClassSetting:    reflect.TypeFor[Setting](),
	ClassStatistic:  reflect.TypeFor[Statistic](),
	ClassDefaultACL: reflect.TypeFor[DefaultACL](),
	ClassBuiltinACL: reflect.TypeFor[BuiltinACL](),
	ClassSharedACL:  reflect.TypeFor[BuiltinACL](),
}

var datumType = reflect.TypeFor[column.Datum]()

// fieldPlan says how one field of a struct is stored.
type fieldPlan struct {
	number uint64
	index  int
}

var structPlans sync.Map // reflect.Type → []fieldPlan, derived from the tags alone

func planOf(t reflect.Type) []fieldPlan {
	if p, ok := structPlans.Load(t); ok {
		return p.([]fieldPlan)
	}
	var plan []fieldPlan
	for i := range t.NumField() {
		tag := t.Field(i).Tag.Get("tag")
		if tag == "-" {
			continue
		}
		n, err := strconv.ParseUint(tag, 10, 32)
		if err != nil {
			panic(fmt.Sprintf("catalog: field %s.%s has no number", t.Name(), t.Field(i).Name))
		}
		plan = append(plan, fieldPlan{number: n, index: i})
	}
	structPlans.Store(t, plan)
	return plan
}

// Encode returns the stored form of a descriptor.
func Encode(o Object) []byte {
	buf := []byte{codecFormat, byte(o.Class())}
	return appendStruct(buf, reflect.ValueOf(o).Elem())
}

func appendStruct(buf []byte, v reflect.Value) []byte {
	for _, f := range planOf(v.Type()) {
		fv := v.Field(f.index)
		if isAbsent(fv) {
			continue
		}
		buf = binary.AppendUvarint(buf, f.number<<2|uint64(formOf(fv.Type())))
		buf = appendValue(buf, fv)
	}
	return buf
}

// isAbsent tells the values that decoding gives without being stored.
func isAbsent(v reflect.Value) bool {
	if v.Type() == datumType {
		d := v.Interface().(column.Datum)
		return !d.Null && d.I == 0 && d.B == nil
	}
	if v.Kind() == reflect.Slice {
		return v.IsNil()
	}
	return v.IsZero()
}

func formOf(t reflect.Type) int {
	switch t.Kind() {
	case reflect.Slice, reflect.Struct, reflect.String:
		return formBytes
	case reflect.Float32, reflect.Float64:
		return formFixed
	}
	return formVarint
}

func appendValue(buf []byte, v reflect.Value) []byte {
	switch v.Kind() {
	case reflect.Bool:
		if v.Bool() {
			return append(buf, 1)
		}
		return append(buf, 0)
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Int:
		return binary.AppendVarint(buf, v.Int())
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uint:
		return binary.AppendUvarint(buf, v.Uint())
	case reflect.Float32, reflect.Float64:
		return binary.BigEndian.AppendUint64(buf, math.Float64bits(v.Float()))
	case reflect.String:
		buf = binary.AppendUvarint(buf, uint64(v.Len()))
		return append(buf, v.String()...)
	case reflect.Struct:
		var body []byte
		if v.Type() == datumType {
			body = appendDatum(nil, v.Interface().(column.Datum))
		} else {
			body = appendStruct(nil, v)
		}
		buf = binary.AppendUvarint(buf, uint64(len(body)))
		return append(buf, body...)
	case reflect.Slice:
		body := appendSlice(nil, v)
		buf = binary.AppendUvarint(buf, uint64(len(body)))
		return append(buf, body...)
	}
	panic("catalog: cannot store a field of type " + v.Type().String())
}

func appendSlice(body []byte, v reflect.Value) []byte {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		return append(body, v.Bytes()...)
	}
	body = binary.AppendUvarint(body, uint64(v.Len()))
	for i := range v.Len() {
		body = appendValue(body, v.Index(i))
	}
	return body
}

// A datum is a flag byte (1 NULL, 2 bytes, 0 number) and its payload.
func appendDatum(buf []byte, d column.Datum) []byte {
	switch {
	case d.Null:
		return append(buf, 1)
	case d.B != nil:
		return append(append(buf, 2), d.B...)
	}
	return binary.AppendVarint(append(buf, 0), d.I)
}

// decodeError is what reading a damaged or newer row panics with inside this file.
type decodeError string

// Decode reads the stored form of a descriptor.
func Decode(b []byte) (o Object, err error) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(decodeError)
			if !ok {
				panic(r)
			}
			o, err = nil, fmt.Errorf("catalog row: %s", string(e))
		}
	}()
	if len(b) < 2 {
		return nil, fmt.Errorf("catalog row: %d bytes are too short", len(b))
	}
	if b[0] != codecFormat {
		return nil, fmt.Errorf("catalog row: format %d is not known to this version", b[0])
	}
	t := classes[Class(b[1])]
	if t == nil {
		return nil, fmt.Errorf("catalog row: class %d is not known to this version", b[1])
	}
	v := reflect.New(t)
	decodeStruct(b[2:], v.Elem())
	return v.Interface().(Object), nil
}

type reader struct{ b []byte }

func (r *reader) uvarint() uint64 {
	n, w := binary.Uvarint(r.b)
	if w <= 0 {
		panic(decodeError("damaged number"))
	}
	r.b = r.b[w:]
	return n
}

func (r *reader) varint() int64 {
	n, w := binary.Varint(r.b)
	if w <= 0 {
		panic(decodeError("damaged number"))
	}
	r.b = r.b[w:]
	return n
}

func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.b)) {
		panic(decodeError("a field is longer than its row"))
	}
	head := r.b[:n:n]
	r.b = r.b[n:]
	return head
}

func decodeStruct(b []byte, v reflect.Value) {
	plan := planOf(v.Type())
	r := reader{b}
	for len(r.b) > 0 {
		key := r.uvarint()
		i := 0
		for i < len(plan) && plan[i].number != key>>2 {
			i++
		}
		if i == len(plan) {
			r.skip(int(key & 3))
			continue
		}
		f := v.Field(plan[i].index)
		if formOf(f.Type()) != int(key&3) {
			panic(decodeError("a field has another form than expected"))
		}
		r.value(f)
	}
}

func (r *reader) skip(form int) {
	switch form {
	case formVarint:
		r.uvarint()
	case formFixed:
		r.take(8)
	case formBytes:
		r.take(r.uvarint())
	default:
		panic(decodeError("unknown form of a field"))
	}
}

func (r *reader) value(v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(r.uvarint() != 0)
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Int:
		n := r.varint()
		if v.OverflowInt(n) {
			panic(decodeError("a number is out of range"))
		}
		v.SetInt(n)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uint:
		n := r.uvarint()
		if v.OverflowUint(n) {
			panic(decodeError("a number is out of range"))
		}
		v.SetUint(n)
	case reflect.Float32, reflect.Float64:
		v.SetFloat(math.Float64frombits(binary.BigEndian.Uint64(r.take(8))))
	case reflect.String:
		v.SetString(string(r.take(r.uvarint())))
	case reflect.Struct:
		body := r.take(r.uvarint())
		if v.Type() == datumType {
			v.Set(reflect.ValueOf(decodeDatum(body)))
			return
		}
		decodeStruct(body, v)
	case reflect.Slice:
		decodeSlice(r.take(r.uvarint()), v)
	default:
		panic("catalog: cannot read a field of type " + v.Type().String())
	}
}

func decodeSlice(body []byte, v reflect.Value) {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		v.SetBytes(append(make([]byte, 0, len(body)), body...))
		return
	}
	r := reader{body}
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		panic(decodeError("a list is longer than its row"))
	}
	v.Set(reflect.MakeSlice(v.Type(), int(n), int(n)))
	for i := range int(n) {
		r.value(v.Index(i))
	}
}

func decodeDatum(b []byte) column.Datum {
	if len(b) == 0 {
		panic(decodeError("damaged value"))
	}
	switch b[0] {
	case 1:
		return column.Null()
	case 2:
		return column.Datum{B: append(make([]byte, 0, len(b)-1), b[1:]...)}
	}
	r := reader{b[1:]}
	return column.IntDatum(r.varint())
}
