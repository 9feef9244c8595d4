package functions

import (
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// generic collects what the actual arguments say about the polymorphic types of one
// function: anyelement and its kin must agree exactly, anycompatible and its kin
// must have a common type.
type generic struct {
	env   *types.Env
	casts CastFinder

	elem, array, rng, multi OID // what anyelement, anyarray, … stand for
	nonArray, enum          bool
	compatible              []OID // element types that anycompatible must cover
	common                  OID
	commonNonArray          bool
	sawFamily1, sawFamily2  bool
}

func polymorphicError(format string, args ...any) error {
	return pgerr.New(pgerr.DatatypeMismatch, format, args...)
}

// add takes one argument; the error is PostgreSQL's.
func (g *generic) add(declared, actual OID) error {
	unknown := actual == types.UnknownOID
	switch declared {
	case types.AnyElementOID, types.AnyNonArrayOID, types.AnyEnumOID:
		g.sawFamily1 = true
		g.nonArray = g.nonArray || declared == types.AnyNonArrayOID
		g.enum = g.enum || declared == types.AnyEnumOID
		return g.agree(&g.elem, actual, unknown, "anyelement")
	case types.AnyArrayOID:
		g.sawFamily1 = true
		actual, _ = g.env.BaseType(actual, -1)
		return g.agree(&g.array, actual, unknown, "anyarray")
	case types.AnyRangeOID:
		g.sawFamily1 = true
		actual, _ = g.env.BaseType(actual, -1)
		return g.agree(&g.rng, actual, unknown, "anyrange")
	case types.AnyMultirangeOID:
		g.sawFamily1 = true
		actual, _ = g.env.BaseType(actual, -1)
		return g.agree(&g.multi, actual, unknown, "anymultirange")
	case types.AnyCompatibleOID, types.AnyCompatibleNonArrayOID:
		g.sawFamily2 = true
		g.commonNonArray = g.commonNonArray || declared == types.AnyCompatibleNonArrayOID
		if !unknown {
			g.compatible = append(g.compatible, actual)
		}
	case types.AnyCompatibleArrayOID:
		g.sawFamily2 = true
		if unknown {
			return nil
		}
		base, _ := g.env.BaseType(actual, -1)
		elem := elementType(g.env, base)
		if elem == 0 {
			return polymorphicError("argument declared %s is not an array but type %s", "anycompatiblearray", g.name(actual))
		}
		g.compatible = append(g.compatible, elem)
	case types.AnyCompatibleRangeOID, types.AnyCompatibleMultirangeOID:
		return pgerr.Unsupported("range types are not supported")
	}
	return nil
}

func (g *generic) agree(have *OID, actual OID, unknown bool, family string) error {
	if unknown {
		return nil
	}
	if *have != 0 && *have != actual {
		return polymorphicError("arguments declared \"%s\" are not all alike", family).(*pgerr.Error).
			WithDetail("%s versus %s", g.name(*have), g.name(actual))
	}
	*have = actual
	return nil
}

func (g *generic) name(t OID) string { return g.env.TypeName(t) }

// finish makes element, array and common types out of what was added.
func (g *generic) finish() error {
	if g.array != 0 && g.array != types.AnyArrayOID {
		elem := elementType(g.env, g.array)
		if elem == 0 {
			return polymorphicError("argument declared %s is not an array but type %s", "anyarray", g.name(g.array))
		}
		if g.elem == 0 {
			g.elem = elem
		} else if g.elem != elem {
			return polymorphicError("argument declared %s is not consistent with argument declared %s", "anyarray", "anyelement").(*pgerr.Error).
				WithDetail("%s versus %s", g.name(g.array), g.name(g.elem))
		}
	}
	if g.rng != 0 && !hasTypType(g.env, g.rng, 'r') {
		return polymorphicError("argument declared %s is not a range type but type %s", "anyrange", g.name(g.rng))
	}
	if g.multi != 0 && !hasTypType(g.env, g.multi, 'm') {
		return polymorphicError("argument declared %s is not a multirange type but type %s", "anymultirange", g.name(g.multi))
	}
	if g.nonArray && g.elem != 0 && isArrayDomain(g.env, g.elem) {
		return polymorphicError("type matched to anynonarray is an array type: %s", g.name(g.elem))
	}
	if g.enum && g.elem != 0 && !hasTypType(g.env, g.elem, 'e') {
		return polymorphicError("type matched to anyenum is not an enum type: %s", g.name(g.elem))
	}
	if len(g.compatible) > 0 {
		common, culprit, ok := SelectCommonType(g.env, g.casts, g.compatible)
		if !ok {
			return polymorphicError("arguments of anycompatible family cannot be cast to a common type").(*pgerr.Error).
				WithDetail("%s versus %s", g.name(common), g.name(culprit))
		}
		g.common = common
	}
	if g.commonNonArray && g.common != 0 && isArrayDomain(g.env, g.common) {
		return polymorphicError("type matched to anycompatiblenonarray is an array type: %s", g.name(g.common))
	}
	return nil
}

// checkGeneric reports whether actual types fit declared polymorphic ones.
func checkGeneric(env *types.Env, casts CastFinder, actual, declared []OID) bool {
	g := generic{env: env, casts: casts}
	for i, d := range declared {
		if g.add(d, actual[i]) != nil {
			return false
		}
	}
	if g.array == types.AnyArrayOID {
		return g.elem == 0
	}
	return g.finish() == nil
}

// ResolvePolymorphic replaces the polymorphic types among declared, in place, by what the
// actual types make of them, and returns the concrete result type for ret.
func ResolvePolymorphic(env *types.Env, casts CastFinder, actual, declared []OID, ret OID) (OID, error) {
	g := generic{env: env, casts: casts}
	for i, d := range declared {
		if err := g.add(d, actual[i]); err != nil {
			return 0, err
		}
	}
	if !g.sawFamily1 && !g.sawFamily2 {
		return ret, nil // array_in returns anyarray
	}
	if err := g.finish(); err != nil {
		return 0, err
	}
	if g.sawFamily1 && g.elem == 0 && g.array == 0 && g.rng == 0 && g.multi == 0 {
		return 0, polymorphicError("could not determine polymorphic type because input has type %s", "unknown")
	}
	if g.sawFamily2 && g.common == 0 {
		g.common = types.TextOID
	}
	for i, d := range declared {
		if !IsPolymorphic(d) {
			continue
		}
		t, err := g.concrete(d, actual[i])
		if err != nil {
			return 0, err
		}
		declared[i] = t
	}
	if !IsPolymorphic(ret) {
		return ret, nil
	}
	return g.concrete(ret, types.UnknownOID)
}

// concrete returns what a polymorphic type stands for.
func (g *generic) concrete(poly, actual OID) (OID, error) {
	switch poly {
	case types.AnyElementOID, types.AnyNonArrayOID, types.AnyEnumOID:
		if g.elem != 0 {
			return g.elem, nil
		}
		if g.array == types.AnyArrayOID {
			return types.AnyElementOID, nil
		}
	case types.AnyArrayOID:
		if g.array != 0 {
			return g.array, nil
		}
		return g.arrayOf(g.elem)
	case types.AnyRangeOID:
		if g.rng != 0 {
			return g.rng, nil
		}
	case types.AnyMultirangeOID:
		if g.multi != 0 {
			return g.multi, nil
		}
	case types.AnyCompatibleOID, types.AnyCompatibleNonArrayOID:
		return g.common, nil
	case types.AnyCompatibleArrayOID:
		if elementType(g.env, actual) == g.common {
			return actual, nil
		}
		return g.arrayOf(g.common)
	}
	return 0, polymorphicError("could not determine polymorphic type %s because input has type unknown", g.name(poly))
}

func (g *generic) arrayOf(elem OID) (OID, error) {
	a := arrayType(g.env, elem)
	if a == 0 {
		return 0, pgerr.New(pgerr.UndefinedObject, "could not find array type for data type %s", g.name(elem))
	}
	return a, nil
}
