package catalog

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"testing"

	"github.com/omendb/omendb/engine/column"
)

// fill gives every field a value that differs from its neighbours' and from zero.
func fill(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(-1 - *n%100))
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(1 + *n%100))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float64(*n) + 0.5)
	case reflect.String:
		v.SetString(fmt.Sprint("text ", *n))
	case reflect.Interface:
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), n)
		fill(v.Index(1), n)
	case reflect.Struct:
		if v.Type() == datumType {
			v.Set(reflect.ValueOf(column.StringDatum(fmt.Sprint("value ", *n))))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	default:
		panic("no value for " + v.Type().String())
	}
}

// TestCodecKeepsEveryField fails when a descriptor gains a field that is not stored.
func TestCodecKeepsEveryField(t *testing.T) {
	for class, typ := range classes {
		v := reflect.New(typ)
		n := 0
		fill(v.Elem(), &n)
		o := v.Interface().(Object)
		if b, ok := o.(*BuiltinACL); ok { // of two classes, by kind
			b.Kind = map[Class]byte{ClassBuiltinACL: BuiltinType, ClassSharedACL: BuiltinParameter}[class]
		}
		if o.Class() != class {
			t.Errorf("%s is registered as class %d but says %d", typ.Name(), class, o.Class())
		}
		back, err := Decode(Encode(o))
		if err != nil {
			t.Fatalf("%s: %v", typ.Name(), err)
		}
		if !reflect.DeepEqual(o, back) {
			t.Errorf("%s:\nput  %+v\ngot  %+v", typ.Name(), o, back)
		}
	}
}

func TestCodecNumbersAreUnique(t *testing.T) {
	var visit func(typ reflect.Type)
	seen := map[reflect.Type]bool{}
	visit = func(typ reflect.Type) {
		if typ.Kind() == reflect.Slice {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct || typ == datumType || seen[typ] {
			return
		}
		seen[typ] = true
		numbers := map[uint64]string{}
		for _, f := range planOf(typ) {
			name := typ.Field(f.index).Name
			if other, taken := numbers[f.number]; taken || f.number == 0 {
				t.Errorf("%s: %s and %s share number %d", typ.Name(), name, other, f.number)
			}
			numbers[f.number] = name
			visit(typ.Field(f.index).Type)
		}
	}
	for _, typ := range classes {
		visit(typ)
	}
}

func TestCodecTellsNilFromEmpty(t *testing.T) {
	s := &Schema{Meta{OID: 1, ACL: []ACLItem{}}}
	back, err := Decode(Encode(s))
	if err != nil {
		t.Fatal(err)
	}
	if acl := back.Head().ACL; acl == nil || len(acl) != 0 {
		t.Errorf("an empty list of privileges came back as %#v", acl)
	}
	back, _ = Decode(Encode(&Schema{Meta{OID: 1}}))
	if back.Head().ACL != nil {
		t.Error("no list of privileges came back as one")
	}
}

func TestCodecSkipsUnknownFields(t *testing.T) {
	b := Encode(&Schema{Meta{OID: 7, Name: "s"}})
	b = binary.AppendUvarint(b, 600<<2|formVarint)
	b = append(b, 5)
	b = binary.AppendUvarint(b, 601<<2|formBytes)
	b = append(b, 2, 'x', 'y')
	back, err := Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	if back.Head().Name != "s" {
		t.Errorf("name is %q", back.Head().Name)
	}
}

func TestCodecRefusesDamage(t *testing.T) {
	n := 0
	r := &Relation{}
	fill(reflect.ValueOf(r).Elem(), &n)
	whole := Encode(r)
	for i := range whole {
		if _, err := Decode(whole[:i]); err == nil && i < 2 {
			t.Errorf("%d bytes were accepted", i)
		}
		damaged := append([]byte(nil), whole...)
		damaged[i] ^= 0xff
		Decode(damaged) // must not panic
	}
	if _, err := Decode([]byte{99, 1}); err == nil {
		t.Error("an unknown format was accepted")
	}
}
