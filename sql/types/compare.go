package types

import (
	"bytes"
	"cmp"
	"math"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/keys"
)

// order is how values of a type compare: the functions of its btree and hash
// operator classes. key returns a datum of kind keyKind whose encoding by
// engine/keys sorts as the values do; values that are equal have equal keys.
type order struct {
	compare func(a, b Datum) int
	hash    func(d Datum) uint64
	keyKind column.Kind
	key     func(d Datum) Datum // nil: the datum itself
	// exact says that the key is the value: what is decoded from it can be shown.
	exact bool
}

// Compare orders two values that are not NULL as the type's btree operator class does.
func (e *Env) Compare(oid, coll OID, a, b Datum) int { return e.order(oid, coll).compare(a, b) }

// Comparator returns the btree comparison of a type for use in a hot loop.
func (e *Env) Comparator(oid, coll OID) func(a, b Datum) int { return e.order(oid, coll).compare }

// Equal reports whether two values are equal to the type's = operator.
func (e *Env) Equal(oid, coll OID, a, b Datum) bool { return e.order(oid, coll).compare(a, b) == 0 }

// Hash returns a hash of a value that is not NULL; equal values have equal hashes, also
// across the integer types. It is stable within a process and not stored.
func (e *Env) Hash(oid, coll OID, d Datum) uint64 { return e.order(oid, coll).hash(d) }

// Hasher returns the hash function of a type for use in a hot loop.
func (e *Env) Hasher(oid, coll OID) func(d Datum) uint64 { return e.order(oid, coll).hash }

// Orderable reports whether the type has a btree operator class: Compare, Hash and
// EncodeKey panic for one that has none (json, point, xml, …).
func (e *Env) Orderable(oid OID) bool { return e.findOrder(oid, COrdering) != nil }

// EncodeKey appends the order-preserving key of a value: comparing the appended bytes
// compares the values, NULLs included, and equal values have equal bytes.
func (e *Env) EncodeKey(dst []byte, oid, coll OID, d Datum, desc, nullsFirst bool) []byte {
	return e.KeyEncoder(oid, coll, desc, nullsFirst)(dst, d)
}

// KeyEncoder returns EncodeKey for one type and order, for use in a hot loop.
func (e *Env) KeyEncoder(oid, coll OID, desc, nullsFirst bool) func(dst []byte, d Datum) []byte {
	o, flags := e.order(oid, coll), keys.Order(0)
	if desc {
		flags |= keys.Desc
	}
	if nullsFirst {
		flags |= keys.NullsFirst
	}
	kind, key := o.keyKind, o.key
	if key == nil {
		return func(dst []byte, d Datum) []byte { return keys.AppendDatum(dst, kind, d, flags) }
	}
	return func(dst []byte, d Datum) []byte {
		if !d.Null {
			d = key(d)
		}
		return keys.AppendDatum(dst, kind, d, flags)
	}
}

// KeyKind returns the kind by which engine/keys decodes keys of the type, and whether
// what it decodes is the value itself; otherwise the value has to be stored beside the key.
func (e *Env) KeyKind(oid, coll OID) (kind column.Kind, exact bool) {
	o := e.order(oid, coll)
	return o.keyKind, o.exact
}

func (e *Env) order(oid, coll OID) *order {
	o := e.findOrder(oid, coll)
	if o == nil {
		panic("types: no order for values of type " + e.mustType(oid).Name)
	}
	return o
}

var (
	intOrder    = &order{compareInt, hashInt, column.Int, nil, true}
	uint64Order = &order{compareUint, hashInt, column.Int, flipSign, false}
	floatOrder  = &order{compareFloatDatum, hashFloat, column.Float, nil, false}
	bytesOrder  = &order{compareBytes, hashBytes, column.Bytes, nil, true}
	bpcharOrder = &order{compareBPChar, hashBPChar, column.Bytes, trimBPChar, false}
)

// findOrder returns the order of a type, nil when it has none.
func (e *Env) findOrder(oid, coll OID) *order {
	switch oid {
	case BoolOID, CharOID, Int2OID, Int4OID, Int8OID, OIDOID, DateOID, TimeOID, TimestampOID, TimestamptzOID, MoneyOID,
		RegprocOID, RegprocedureOID, RegoperOID, RegoperatorOID, RegclassOID, RegtypeOID,
		RegroleOID, RegnamespaceOID, RegconfigOID, RegdictionaryOID, RegcollationOID,
		XIDOID, CIDOID: // xid and cid have only a hash operator class
		return intOrder
	case XID8OID:
		return uint64Order
	case Float4OID, Float8OID:
		return floatOrder
	case TextOID, VarcharOID, NameOID, CstringOID, UnknownOID, RefcursorOID:
		return collatedOrder(e, coll, false)
	case BPCharOID:
		return collatedOrder(e, coll, true)
	case ByteaOID, UUIDOID, PgLSNOID, MacaddrOID, Macaddr8OID, TIDOID,
		AclitemOID: // has only a hash operator class
		return bytesOrder
	}
	return e.findStructuredOrder(oid, coll)
}

func compareInt(a, b Datum) int { return cmp.Compare(a.I, b.I) }

func compareUint(a, b Datum) int { return cmp.Compare(uint64(a.I), uint64(b.I)) }

func flipSign(d Datum) Datum { return intDatum(d.I ^ math.MinInt64) }

func compareFloatDatum(a, b Datum) int { return CompareFloat(a.Float(), b.Float()) }

func compareBytes(a, b Datum) int { return bytes.Compare(a.B, b.B) }

func compareBPChar(a, b Datum) int { return bytes.Compare(trimBlanks(a.B), trimBlanks(b.B)) }

func trimBPChar(d Datum) Datum { return bytesDatum(trimBlanks(d.B)) }

// trimBlanks cuts trailing spaces, which char(n) ignores.
func trimBlanks(b []byte) []byte {
	n := len(b)
	for n > 0 && b[n-1] == ' ' {
		n--
	}
	return b[:n]
}
