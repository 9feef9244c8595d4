package plan

import (
	"encoding/binary"
	"fmt"
	"math"
	"reflect"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
)

// encodingVersion is the first byte of every encoded tree.
//
//	tree    version byte, value
//	struct  (field number + 1 as uvarint, value)* 0   zero fields are left out
//	Expr    node tag byte (0: nil), struct
//	slice   length uvarint, values
//	int     zigzag varint      string, bytes   length uvarint, bytes
//	Func    OID uvarint        Relation        OID uvarint
//
// Fields are numbered by their place in the Go struct: new ones go to the end, and
// none is removed without a new version.
const encodingVersion = 1

// exprNodes gives every node that may be stored its tag, which never changes.
var exprNodes = []Expr{
	1: &Const{}, 2: &Param{}, 3: &Var{}, 4: &Call{}, 5: &Relabel{}, 6: &IOCast{}, 7: &ArrayCast{}, 8: &DomainCast{},
	9: &RowCast{}, 10: &BoolOp{}, 11: &NullTest{}, 12: &BoolTest{}, 13: &Distinct{}, 14: &NullIf{}, 15: &Case{},
	16: &CaseTest{}, 17: &Coalesce{}, 18: &MinMax{}, 19: &ArrayOf{}, 20: &RowOf{}, 21: &RowCompare{}, 22: &ArrayOp{},
	23: &Subscript{}, 24: &Field{}, 25: &FieldStore{}, 26: &Default{}, 27: &ValueFunc{}, 28: &NextValue{}, 29: &Collate{},
	30: &Agg{}, 31: &WindowCall{}, 32: &Grouping{}, 33: &SubLink{}, 34: &SubColumn{},
}

var fromNodes = []FromItem{1: &RelRef{}, 2: &Join{}}

var (
	exprTags = tagsOf(exprNodes)
	fromTags = tagsOf(fromNodes)

	exprType     = reflect.TypeFor[Expr]()
	fromType     = reflect.TypeFor[FromItem]()
	funcType     = reflect.TypeFor[*functions.Func]()
	relationType = reflect.TypeFor[*catalog.Relation]()
)

func tagsOf[T any](nodes []T) map[reflect.Type]byte {
	tags := make(map[reflect.Type]byte, len(nodes))
	for i, n := range nodes {
		if t := reflect.TypeOf(n); t != nil {
			tags[t] = byte(i)
		}
	}
	return tags
}

// Resolver finds what an encoded tree names by OID.
type Resolver interface {
	ResolveFunction(oid OID) (*functions.Func, error)
	ResolveRelation(oid OID) (*catalog.Relation, error)
}

// EncodeExpr returns the stored form of a bound expression.
func EncodeExpr(e Expr) []byte {
	return appendValue([]byte{encodingVersion}, reflect.ValueOf(&e).Elem())
}

// EncodeQuery returns the stored form of a bound query.
func EncodeQuery(q *Query) []byte {
	return appendValue([]byte{encodingVersion}, reflect.ValueOf(&q).Elem())
}

// DecodeExpr reads what EncodeExpr wrote.
func DecodeExpr(data []byte, r Resolver) (e Expr, err error) {
	err = decode(data, r, reflect.ValueOf(&e).Elem())
	return e, err
}

// DecodeQuery reads what EncodeQuery wrote.
func DecodeQuery(data []byte, r Resolver) (q *Query, err error) {
	err = decode(data, r, reflect.ValueOf(&q).Elem())
	return q, err
}

func appendValue(dst []byte, v reflect.Value) []byte {
	switch v.Type() {
	case funcType:
		if v.IsNil() {
			return append(dst, 0)
		}
		return binary.AppendUvarint(dst, uint64(v.Interface().(*functions.Func).OID))
	case relationType:
		if v.IsNil() {
			return append(dst, 0)
		}
		return binary.AppendUvarint(dst, uint64(v.Interface().(*catalog.Relation).OID))
	case exprType, fromType:
		return appendNode(dst, v)
	}
	switch v.Kind() {
	case reflect.Bool:
		if v.Bool() {
			return append(dst, 1)
		}
		return append(dst, 0)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return binary.AppendVarint(dst, v.Int())
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return binary.AppendUvarint(dst, v.Uint())
	case reflect.Float32, reflect.Float64:
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v.Float()))
	case reflect.String:
		dst = binary.AppendUvarint(dst, uint64(v.Len()))
		return append(dst, v.String()...)
	case reflect.Slice:
		dst = binary.AppendUvarint(dst, uint64(v.Len()))
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return append(dst, v.Bytes()...)
		}
		for i := range v.Len() {
			dst = appendValue(dst, v.Index(i))
		}
		return dst
	case reflect.Pointer:
		if v.IsNil() {
			return append(dst, 0)
		}
		return appendStruct(append(dst, 1), v.Elem())
	case reflect.Struct:
		return appendStruct(dst, v)
	}
	panic(fmt.Sprintf("plan: no encoding for %s", v.Type()))
}

func appendNode(dst []byte, v reflect.Value) []byte {
	if v.IsNil() {
		return append(dst, 0)
	}
	if c, ok := v.Interface().(*Const); ok && c.Free {
		stored := *c // its number counts literals of this text, not of those that read what is stored
		stored.Free, stored.Literal, stored.Negated = false, 0, false
		v = reflect.ValueOf(Expr(&stored))
		return appendStruct(append(dst, exprTags[v.Type()]), v.Elem())
	}
	p := v.Elem()
	tag, ok := exprTags[p.Type()]
	if !ok {
		if tag, ok = fromTags[p.Type()]; !ok {
			panic(fmt.Sprintf("plan: %s cannot be stored", p.Type()))
		}
	}
	return appendStruct(append(dst, tag), p.Elem())
}

func appendStruct(dst []byte, v reflect.Value) []byte {
	for i := range v.NumField() {
		f := v.Field(i)
		if f.IsZero() {
			continue
		}
		dst = binary.AppendUvarint(dst, uint64(i)+1)
		dst = appendValue(dst, f)
	}
	return append(dst, 0)
}

// badEncoding is the panic that decode turns into an error.
type badEncoding struct{ error }

type decoder struct {
	data  []byte
	r     Resolver
	depth int
}

// maxDecodeDepth bounds the nesting of stored trees; the binder's own limit is lower.
const maxDecodeDepth = 100000

func decode(data []byte, r Resolver, into reflect.Value) (err error) {
	defer func() {
		if p := recover(); p != nil {
			b, ok := p.(badEncoding)
			if !ok {
				panic(p)
			}
			err = b.error
		}
	}()
	if len(data) == 0 || data[0] != encodingVersion {
		return fmt.Errorf("stored expression has an unknown version")
	}
	d := decoder{data: data[1:], r: r}
	d.value(into)
	if len(d.data) != 0 {
		return fmt.Errorf("stored expression has %d bytes too many", len(d.data))
	}
	return nil
}

func (d *decoder) fail(format string, args ...any) {
	panic(badEncoding{fmt.Errorf("stored expression: "+format, args...)})
}

func (d *decoder) uvarint() uint64 {
	x, n := binary.Uvarint(d.data)
	if n <= 0 {
		d.fail("bad number")
	}
	d.data = d.data[n:]
	return x
}

func (d *decoder) take(n uint64) []byte {
	if n > uint64(len(d.data)) {
		d.fail("truncated")
	}
	b := d.data[:n]
	d.data = d.data[n:]
	return b
}

func (d *decoder) value(v reflect.Value) {
	if d.depth++; d.depth > maxDecodeDepth {
		d.fail("nested too deeply")
	}
	defer func() { d.depth-- }()
	switch v.Type() {
	case funcType:
		if oid := OID(d.uvarint()); oid != 0 {
			f, err := d.r.ResolveFunction(oid)
			if err != nil {
				panic(badEncoding{err})
			}
			v.Set(reflect.ValueOf(f))
		}
		return
	case relationType:
		if oid := OID(d.uvarint()); oid != 0 {
			rel, err := d.r.ResolveRelation(oid)
			if err != nil {
				panic(badEncoding{err})
			}
			v.Set(reflect.ValueOf(rel))
		}
		return
	case exprType:
		d.node(v, int(d.take(1)[0]), func(tag int) any { return exprNodes[tag] }, len(exprNodes))
		return
	case fromType:
		d.node(v, int(d.take(1)[0]), func(tag int) any { return fromNodes[tag] }, len(fromNodes))
		return
	}
	d.plain(v)
}

func (d *decoder) plain(v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(d.take(1)[0] != 0)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		x, n := binary.Varint(d.data)
		if n <= 0 {
			d.fail("bad number")
		}
		d.data = d.data[n:]
		v.SetInt(x)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(d.uvarint())
	case reflect.Float32, reflect.Float64:
		v.SetFloat(math.Float64frombits(binary.LittleEndian.Uint64(d.take(8))))
	case reflect.String:
		v.SetString(string(d.take(d.uvarint())))
	case reflect.Slice:
		d.slice(v)
	case reflect.Pointer:
		if d.take(1)[0] != 0 {
			v.Set(reflect.New(v.Type().Elem()))
			d.fields(v.Elem())
		}
	case reflect.Struct:
		d.fields(v)
	default:
		d.fail("unexpected %s", v.Type())
	}
}

func (d *decoder) slice(v reflect.Value) {
	n := d.uvarint()
	if n > uint64(len(d.data)) {
		d.fail("bad length")
	}
	if v.Type().Elem().Kind() == reflect.Uint8 {
		v.SetBytes(append([]byte{}, d.take(n)...))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), int(n), int(n)))
	for i := range int(n) {
		d.value(v.Index(i))
	}
}

func (d *decoder) node(v reflect.Value, tag int, proto func(int) any, count int) {
	if tag == 0 {
		return
	}
	if tag >= count {
		d.fail("unknown node %d", tag)
	}
	n := reflect.New(reflect.TypeOf(proto(tag)).Elem())
	d.fields(n.Elem())
	v.Set(n)
}

func (d *decoder) fields(v reflect.Value) {
	for {
		i := d.uvarint()
		if i == 0 {
			return
		}
		if i > uint64(v.NumField()) {
			d.fail("unknown field %d of %s", i, v.Type())
		}
		d.value(v.Field(int(i) - 1))
	}
}
