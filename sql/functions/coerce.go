package functions

import "github.com/omendb/omendb/sql/types"

// CoercionContext says how much a conversion may do.
type CoercionContext uint8

// The contexts, each allowing what the ones before allow.
const (
	Implicit CoercionContext = iota
	Assignment
	Explicit
)

// CoercionPath says how a value gets from one type to another.
type CoercionPath uint8

// The paths.
const (
	PathNone    CoercionPath = iota // there is none
	PathRelabel                     // the bytes are the same
	PathFunc                        // by a function of pg_cast
	PathArray                       // element by element
	PathViaIO                       // by output and input functions
)

// CastFinder finds casts; nil stands for the built-in ones (Cast). The catalog passes
// one that knows user-defined casts, too.
type CastFinder func(source, target OID) (*CastInfo, bool)

// typeCategory returns pg_type.typcategory, 0 for unknown types.
func typeCategory(env *types.Env, typ OID) byte {
	if t := env.Type(typ); t != nil {
		return t.Category
	}
	return 0
}

// isPreferred reports whether a type is the preferred one of the category.
func isPreferred(env *types.Env, category byte, typ OID) bool {
	t := env.Type(typ)
	return t != nil && t.Preferred && (category == t.Category || category == 0)
}

// elementType returns the element type of a true array type, 0 for others.
func elementType(env *types.Env, typ OID) OID {
	if t := env.Type(typ); t != nil && t.IsArray() {
		return t.Elem
	}
	return 0
}

// arrayType returns the array type over an element type, 0 when there is none.
func arrayType(env *types.Env, elem OID) OID {
	if t := env.Type(elem); t != nil {
		return t.Array
	}
	return 0
}

func isComplex(env *types.Env, typ OID) bool {
	base, _ := env.BaseType(typ, -1)
	t := env.Type(base)
	return t != nil && t.TypType == 'c'
}

func isComplexArray(env *types.Env, typ OID) bool {
	e := elementType(env, typ)
	return e != 0 && isComplex(env, e)
}

func isArrayDomain(env *types.Env, typ OID) bool {
	base, _ := env.BaseType(typ, -1)
	return elementType(env, base) != 0
}

func hasTypType(env *types.Env, typ OID, want byte) bool {
	t := env.Type(typ)
	return t != nil && t.TypType == want
}

// IsPolymorphic reports whether a type is a polymorphic pseudo-type.
func IsPolymorphic(typ OID) bool { return isFamily1(typ) || isFamily2(typ) }

func isFamily1(typ OID) bool {
	switch typ {
	case types.AnyElementOID, types.AnyArrayOID, types.AnyNonArrayOID, types.AnyEnumOID, types.AnyRangeOID,
		types.AnyMultirangeOID:
		return true
	}
	return false
}

func isFamily2(typ OID) bool {
	switch typ {
	case types.AnyCompatibleOID, types.AnyCompatibleArrayOID, types.AnyCompatibleNonArrayOID,
		types.AnyCompatibleRangeOID, types.AnyCompatibleMultirangeOID:
		return true
	}
	return false
}

// BinaryCoercible reports whether values of source serve as target as they are.
func BinaryCoercible(env *types.Env, source, target OID) bool {
	if source == target || target == types.AnyOID || target == types.AnyElementOID || target == types.AnyCompatibleOID {
		return true
	}
	source, _ = env.BaseType(source, -1)
	if source == target {
		return true
	}
	switch target {
	case types.AnyArrayOID, types.AnyCompatibleArrayOID:
		if elementType(env, source) != 0 {
			return true
		}
	case types.AnyNonArrayOID, types.AnyCompatibleNonArrayOID:
		if elementType(env, source) == 0 {
			return true
		}
	case types.AnyEnumOID:
		if hasTypType(env, source, 'e') {
			return true
		}
	case types.AnyRangeOID, types.AnyCompatibleRangeOID:
		if hasTypType(env, source, 'r') {
			return true
		}
	case types.AnyMultirangeOID, types.AnyCompatibleMultirangeOID:
		if hasTypType(env, source, 'm') {
			return true
		}
	case types.RecordOID:
		if isComplex(env, source) {
			return true
		}
	case types.RecordArrayOID:
		if isComplexArray(env, source) {
			return true
		}
	}
	c, ok := Cast(source, target)
	return ok && c.Method == 'b' && c.Context == 'i'
}

// FindCoercion returns how a value of source becomes target in a context; the cast tells
// the function of PathFunc. Domains count as their base types.
func FindCoercion(env *types.Env, casts CastFinder, source, target OID, ctx CoercionContext) (CoercionPath, *CastInfo) {
	source, _ = env.BaseType(source, -1)
	target, _ = env.BaseType(target, -1)
	if source == target {
		return PathRelabel, nil
	}
	if casts == nil {
		casts = Cast
	}
	if c, ok := casts(source, target); ok {
		need := map[byte]CoercionContext{'i': Implicit, 'a': Assignment, 'e': Explicit}[c.Context]
		if ctx < need {
			return PathNone, nil
		}
		switch c.Method {
		case 'f':
			return PathFunc, c
		case 'i':
			return PathViaIO, c
		}
		return PathRelabel, c
	}
	if target != types.OIDVectorOID && target != types.Int2VectorOID {
		se, te := elementType(env, source), elementType(env, target)
		if se != 0 && te != 0 {
			if p, c := FindCoercion(env, casts, se, te, ctx); p != PathNone {
				return PathArray, c
			}
		}
	}
	if ctx >= Assignment && typeCategory(env, target) == 'S' || ctx >= Explicit && typeCategory(env, source) == 'S' {
		return PathViaIO, nil
	}
	return PathNone, nil
}

// CanCoerce reports whether values of the source types can all become the target types in
// a context. Targets may be polymorphic; unknown literals can become anything.
func CanCoerce(env *types.Env, casts CastFinder, sources, targets []OID, ctx CoercionContext) bool {
	generics := false
	for i, source := range sources {
		target := targets[i]
		switch {
		case source == target, target == types.AnyOID:
			continue
		case IsPolymorphic(target):
			generics = true
			continue
		case source == types.UnknownOID:
			continue
		}
		if p, _ := FindCoercion(env, casts, source, target, ctx); p != PathNone {
			continue
		}
		switch {
		case source == types.RecordOID && isComplex(env, target),
			target == types.RecordOID && isComplex(env, source),
			target == types.RecordArrayOID && isComplexArray(env, source):
			continue
		}
		return false
	}
	return !generics || checkGeneric(env, casts, sources, targets)
}

// SelectCommonType returns the type that UNION, CASE, VALUES and their like give to
// expressions of these types. It fails with a culprit, the first type that does not go
// with the one chosen so far (PostgreSQL: "… types X and Y cannot be matched").
func SelectCommonType(env *types.Env, casts CastFinder, typs []OID) (common OID, culprit OID, ok bool) {
	if len(typs) == 0 {
		return 0, 0, false
	}
	if typs[0] != types.UnknownOID {
		same := true
		for _, t := range typs[1:] {
			same = same && t == typs[0]
		}
		if same {
			return typs[0], 0, true
		}
	}
	best, _ := env.BaseType(typs[0], -1)
	for _, t := range typs[1:] {
		t, _ = env.BaseType(t, -1)
		switch {
		case t == types.UnknownOID || t == best:
		case best == types.UnknownOID:
			best = t
		case typeCategory(env, t) != typeCategory(env, best):
			return best, t, false
		case !isPreferred(env, 0, best) && CanCoerce(env, casts, []OID{best}, []OID{t}, Implicit) &&
			!CanCoerce(env, casts, []OID{t}, []OID{best}, Implicit):
			best = t
		}
	}
	if best == types.UnknownOID {
		best = types.TextOID
	}
	return best, 0, true
}
