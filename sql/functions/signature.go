package functions

import (
	"fmt"
	"slices"

	"github.com/omendb/omendb/sql/types"
)

// VariadicElement returns the type of each argument that a VARIADIC parameter of type t collects, 0
// when t is no array.
func VariadicElement(env *types.Env, t OID) OID {
	switch t {
	case types.AnyOID:
		return types.AnyOID
	case types.AnyArrayOID:
		return types.AnyElementOID
	case types.AnyCompatibleArrayOID:
		return types.AnyCompatibleOID
	}
	return elementType(env, t)
}

// PolymorphicSignature tells why no call could determine a polymorphic result type from the
// types of the arguments: a message's detail, empty when it can.
func PolymorphicSignature(env *types.Env, ret OID, args []OID) string {
	has := func(fit func(OID) bool) bool { return slices.ContainsFunc(args, fit) }
	name := func() string { return env.FormatType(ret, -1) }
	switch {
	case ret == types.AnyRangeOID || ret == types.AnyMultirangeOID:
		if !has(func(t OID) bool { return t == types.AnyRangeOID || t == types.AnyMultirangeOID }) {
			return fmt.Sprintf("A result of type %s requires at least one input of type anyrange or anymultirange.", name())
		}
	case ret == types.AnyCompatibleRangeOID || ret == types.AnyCompatibleMultirangeOID:
		if !has(func(t OID) bool { return t == types.AnyCompatibleRangeOID || t == types.AnyCompatibleMultirangeOID }) {
			return fmt.Sprintf("A result of type %s requires at least one input of type anycompatiblerange or anycompatiblemultirange.", name())
		}
	case isFamily1(ret):
		if !has(isFamily1) {
			return fmt.Sprintf("A result of type %s requires at least one input of type anyelement, anyarray, anynonarray, anyenum, anyrange, or anymultirange.", name())
		}
	case isFamily2(ret):
		if !has(isFamily2) {
			return fmt.Sprintf("A result of type %s requires at least one input of type anycompatible, anycompatiblearray, anycompatiblenonarray, anycompatiblerange, or anycompatiblemultirange.", name())
		}
	}
	return ""
}
