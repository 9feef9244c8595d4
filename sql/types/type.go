package types

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/omendb/omendb/engine/column"
)

// OID identifies a type (or another catalog object).
type OID = uint32

// Datum is one value; its physical form follows from its type.
type Datum = column.Datum

// Type is one row of pg_type. The functions are names of pg_proc, "-" for none.
type Type struct {
	OID        OID
	Name       string
	Schema     string
	Kind       column.Kind // physical kind of values, also of the base type behind a domain
	Len        int16
	ByVal      bool
	TypType    byte // 'b' base, 'c' composite, 'd' domain, 'e' enum, 'p' pseudo, 'r' range, 'm' multirange
	Category   byte
	Preferred  bool
	Delim      byte
	RelID      OID
	Elem       OID
	Array      OID
	Align      byte
	Storage    byte
	NotNull    bool
	Base       OID
	BaseTypmod int32
	NDims      int32
	Collation  OID
	Default    string
	Subscript  string
	Input      string
	Output     string
	Receive    string
	Send       string
	ModIn      string
	ModOut     string
}

// IsArray reports whether values are true arrays (of any number of dimensions).
func (t *Type) IsArray() bool { return t.Elem != 0 && t.Subscript == "array_subscript_handler" }

// EnumLabel is one value of an enum, in the enum's order.
type EnumLabel struct {
	OID   OID
	Label string
	Sort  float32
	// Uncommitted: the running transaction has added it to a type. A rollback must not leave it in an index.
	Uncommitted bool
}

// Attribute is one column of a composite type. Dropped ones keep their place.
type Attribute struct {
	Name      string
	Type      OID
	Typmod    int32
	Collation OID
	Dropped   bool
}

// TypeSource finds user-defined types. A nil *Type means that there is none.
type TypeSource interface {
	TypeByOID(oid OID) *Type
	// EnumLabels returns the labels of an enum by ascending Sort.
	EnumLabels(enum OID) []EnumLabel
	// Attributes returns the columns of a composite type by attribute number.
	Attributes(composite OID) []Attribute
}

// NameSource reads and prints the names of catalog objects, for regclass and its kin.
type NameSource interface {
	// ObjectByName finds the object that s names as input of the reg type t;
	// the error is PostgreSQL's (42P01, 42883, …).
	ObjectByName(t OID, s string) (OID, error)
	// ObjectName returns the name of an object as the reg type t prints it,
	// quoted and qualified as the search path requires; false when there is no such object.
	ObjectName(t OID, object OID) (string, bool)
}

//go:embed data/pg_type.tsv
var typeFacts string

type typeTable struct {
	byOID  map[OID]*Type
	dense  [maxBuiltinOID]*Type // those of byOID below that
	byName map[string]*Type
	other  map[string]*Type // those outside pg_catalog, by schema.name
	all    []*Type
}

var builtin = sync.OnceValue(func() *typeTable {
	tab := &typeTable{byOID: make(map[OID]*Type, 640), byName: make(map[string]*Type, 640), other: map[string]*Type{}}
	for line := range strings.Lines(typeFacts) {
		t := parseType(strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
		tab.byOID[t.OID] = t
		if t.OID < maxBuiltinOID {
			tab.dense[t.OID] = t
		}
		if t.Schema == "pg_catalog" {
			tab.byName[t.Name] = t
		} else {
			tab.other[t.Schema+"."+t.Name] = t
		}
		tab.all = append(tab.all, t)
	}
	for _, t := range tab.all {
		t.Kind = kindOf(t, tab.byOID)
	}
	return tab
})

func parseType(f []string) *Type {
	num := func(i int) int64 {
		n, err := strconv.ParseInt(f[i], 10, 64)
		if err != nil {
			panic(fmt.Sprintf("pg_type facts: %q: %v", f, err))
		}
		return n
	}
	return &Type{
		OID: OID(num(0)), Name: f[1], Schema: f[2], Len: int16(num(3)), ByVal: f[4] == "1",
		TypType: f[5][0], Category: f[6][0], Preferred: f[7] == "1", Delim: f[8][0],
		RelID: OID(num(9)), Subscript: f[10], Elem: OID(num(11)), Array: OID(num(12)),
		Input: f[13], Output: f[14], Receive: f[15], Send: f[16], ModIn: f[17], ModOut: f[18],
		Align: f[19][0], Storage: f[20][0], NotNull: f[21] == "1", Base: OID(num(22)),
		BaseTypmod: int32(num(23)), NDims: int32(num(24)), Collation: OID(num(25)), Default: f[26],
	}
}

func kindOf(t *Type, byOID map[OID]*Type) column.Kind {
	switch t.OID {
	case BoolOID, CharOID, Int2OID, Int4OID, Int8OID, OIDOID, XIDOID, CIDOID, XID8OID,
		DateOID, TimeOID, TimestampOID, TimestamptzOID, MoneyOID,
		RegprocOID, RegprocedureOID, RegoperOID, RegoperatorOID, RegclassOID, RegtypeOID,
		RegroleOID, RegnamespaceOID, RegconfigOID, RegdictionaryOID, RegcollationOID:
		return column.Int
	case Float4OID, Float8OID:
		return column.Float
	}
	switch t.TypType {
	case 'e':
		return column.Int
	case 'd':
		if base := byOID[t.Base]; base != nil {
			return kindOf(base, byOID)
		}
	}
	return column.Bytes
}

// ByOID returns a built-in type, nil when oid is none.
func ByOID(oid OID) *Type { return builtin().find(oid) }

// find returns the type of an OID, or nil.
func (t *typeTable) find(oid OID) *Type {
	if oid < maxBuiltinOID {
		return t.dense[oid]
	}
	return t.byOID[oid]
}

// ByName returns a built-in type of pg_catalog by its catalog name (int4, not integer;
// _int4 for its array), nil when there is none.
func ByName(name string) *Type { return builtin().byName[name] }

// ByNameIn returns a built-in type of any schema (pg_catalog, information_schema).
func ByNameIn(schema, name string) *Type {
	if schema == "pg_catalog" {
		return ByName(name)
	}
	return builtin().other[schema+"."+name]
}

// All returns every built-in type by ascending OID, information_schema's included.
// The slice is shared: do not change it.
func All() []*Type { return builtin().all }

// Type returns a built-in or user-defined type, nil when there is none.
func (e *Env) Type(oid OID) *Type {
	if t := builtin().find(oid); t != nil {
		return t
	}
	if e != nil && e.Types != nil {
		return e.Types.TypeByOID(oid)
	}
	return nil
}

// mustType returns a type that has to exist.
func (e *Env) mustType(oid OID) *Type {
	t := e.Type(oid)
	if t == nil {
		panic(fmt.Sprintf("types: no type with oid %d", oid))
	}
	return t
}

// Kind returns the physical kind of values of a type; Bytes for an unknown one.
func (e *Env) Kind(oid OID) column.Kind {
	if t := e.Type(oid); t != nil {
		return t.Kind
	}
	return column.Bytes
}

// BaseType returns the type behind any domains, with the typmod that they impose
// when typmod is -1.
func (e *Env) BaseType(oid OID, typmod int32) (OID, int32) {
	for {
		t := e.Type(oid)
		if t == nil || t.TypType != 'd' {
			return oid, typmod
		}
		if typmod < 0 {
			typmod = t.BaseTypmod
		}
		oid = t.Base
	}
}
