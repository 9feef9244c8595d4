package functions

import (
	"sync"

	"github.com/omendb/omendb/sql/types"
)

// Status is the outcome of overload resolution.
type Status uint8

// The outcomes.
const (
	NotFound  Status = iota // nothing of that name takes these arguments
	Found                   // exactly one
	Ambiguous               // several, none better than the others
	Coercion                // no function: name(x) is a cast to the type of that name
)

func (o *Operator) argTypes() []OID {
	if o.Kind == 'l' {
		return []OID{o.Right}
	}
	return []OID{o.Left, o.Right}
}

// OpResolution is the outcome of ResolveOp.
type OpResolution struct {
	Status Status
	Op     *Operator
	Left   OID // operand types after resolution of polymorphic ones; 0 for a prefix operator
	Right  OID
	Result OID
	Err    error // polymorphic types that do not fit
}

// ResolveOp chooses the operator for operands of these types; left is 0 for a prefix
// operator and UnknownOID stands for untyped literals. Candidates are
// the operators of the name in search path order; nil casts are the built-in ones.
func ResolveOp(env *types.Env, casts CastFinder, cands []*Operator, left, right OID) OpResolution {
	if casts != nil || len(cands) == 0 || left >= firstUserOID || right >= firstUserOID || cands[0].OID >= firstUserOID {
		return resolveOp(env, casts, cands, left, right)
	}
	key := opKey{cands[0].Name, len(cands), left, right}
	if r, ok := builtinOps.Load(key); ok {
		return r.(OpResolution)
	}
	r := resolveOp(env, casts, cands, left, right)
	if r.Status == Found && r.Err == nil {
		builtinOps.Store(key, r)
	}
	return r
}

// builtinOps remembers which operator was chosen for operands of built-in types. There are no more entries than
// pairs of types that an operator takes.
var builtinOps sync.Map

type opKey struct {
	name        string
	candidates  int
	left, right OID
}

func resolveOp(env *types.Env, casts CastFinder, cands []*Operator, left, right OID) OpResolution {
	kind := byte('b')
	if left == 0 {
		kind = 'l'
	}
	usable := make([]*Operator, 0, len(cands))
	seen := make(map[[2]OID]bool, len(cands))
	for _, o := range cands {
		key := [2]OID{o.Left, o.Right}
		if o.Kind == kind && !seen[key] {
			seen[key] = true
			usable = append(usable, o)
		}
	}
	r := resolver{env, casts}
	op := exactOp(env, usable, left, right)
	if op == nil {
		actual := []OID{left, right}
		if kind == 'l' {
			actual = actual[1:]
		}
		fit := match(r, actual, usable)
		switch {
		case len(fit) == 0:
			return OpResolution{Status: NotFound}
		case len(fit) == 1:
			op = fit[0]
		default:
			var ok bool
			if op, ok = selectCandidate(r, actual, fit); !ok {
				return OpResolution{Status: Ambiguous}
			}
		}
	}
	return finishOp(env, casts, op, left, right)
}

// exactOp finds an operator that takes the types as they are; an untyped literal is
// first supposed to be of the other operand's type.
func exactOp(env *types.Env, cands []*Operator, left, right OID) *Operator {
	find := func(l, r OID) *Operator {
		for _, o := range cands {
			if o.Left == l && o.Right == r {
				return o
			}
		}
		return nil
	}
	if left == 0 {
		return find(0, right)
	}
	wasUnknown := false
	if left == types.UnknownOID && right != types.UnknownOID {
		left, wasUnknown = right, true
	} else if right == types.UnknownOID && left != types.UnknownOID {
		right, wasUnknown = left, true
	}
	if o := find(left, right); o != nil {
		return o
	}
	if wasUnknown {
		if base, _ := env.BaseType(left, -1); base != left {
			return find(base, base)
		}
	}
	return nil
}

func finishOp(env *types.Env, casts CastFinder, op *Operator, left, right OID) OpResolution {
	res := OpResolution{Status: Found, Op: op, Left: op.Left, Right: op.Right}
	declared := append([]OID(nil), op.argTypes()...)
	actual := []OID{left, right}
	if op.Kind == 'l' {
		actual = actual[1:]
	}
	res.Result, res.Err = ResolvePolymorphic(env, casts, actual, declared, op.Result)
	if res.Err != nil {
		return res
	}
	res.Right = declared[len(declared)-1]
	if op.Kind == 'b' {
		res.Left = declared[0]
	}
	return res
}
