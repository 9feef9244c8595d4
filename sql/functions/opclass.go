package functions

import (
	"sync"

	"github.com/omendb/omendb/sql/types"
)

// The access methods whose operator classes give types their order and equality.
const (
	BtreeAM OID = 403
	HashAM  OID = 405
	GinAM   OID = 2742
)

// The btree strategies (pg_amop.amopstrategy). Hash knows Equal only, as 1.
const (
	StrategyLess         = 1
	StrategyLessEqual    = 2
	StrategyEqual        = 3
	StrategyGreaterEqual = 4
	StrategyGreater      = 5
)

// Opclass is one row of pg_opclass.
type Opclass struct {
	OID     OID
	Method  OID
	Name    string
	Family  OID
	InType  OID
	Default bool
	KeyType OID
}

// FamilyMember says how an operator belongs to an operator family (pg_amop).
type FamilyMember struct {
	Method   OID
	Family   OID
	Left     OID
	Right    OID
	Strategy int
	Operator OID
	Order    bool // an ordering operator (ORDER BY a <-> b), not a search operator
}

type familyKey struct {
	family, left, right OID
	strategy            int
}

type opclassTable struct {
	classes   []*Opclass
	members   map[OID][]FamilyMember // by operator
	operators map[familyKey]OID
	supports  map[familyKey]OID // pg_amproc, strategy being the support number
}

var builtinOpclasses = sync.OnceValue(func() *opclassTable {
	tab := &opclassTable{members: map[OID][]FamilyMember{}, operators: map[familyKey]OID{}, supports: map[familyKey]OID{}}
	t := Facts("pg_opclass")
	r := newFactReader(t)
	for _, r.row = range t.Rows {
		tab.classes = append(tab.classes, &Opclass{
			OID: r.oid("oid"), Method: r.oid("opcmethod"), Name: r.text("opcname"), Family: r.oid("opcfamily"),
			InType: r.oid("opcintype"), Default: r.bool("opcdefault"), KeyType: r.oid("opckeytype"),
		})
	}
	t = Facts("pg_amop")
	r = newFactReader(t)
	for _, r.row = range t.Rows {
		m := FamilyMember{
			Method: r.oid("amopmethod"), Family: r.oid("amopfamily"), Left: r.oid("amoplefttype"),
			Right: r.oid("amoprighttype"), Strategy: int(r.oid("amopstrategy")), Operator: r.oid("amopopr"),
			Order: r.char("amoppurpose") == 'o',
		}
		tab.members[m.Operator] = append(tab.members[m.Operator], m)
		tab.operators[familyKey{m.Family, m.Left, m.Right, m.Strategy}] = m.Operator
	}
	t = Facts("pg_amproc")
	r = newFactReader(t)
	for _, r.row = range t.Rows {
		k := familyKey{r.oid("amprocfamily"), r.oid("amproclefttype"), r.oid("amprocrighttype"), int(r.oid("amprocnum"))}
		tab.supports[k] = r.oid("amproc")
	}
	return tab
})

// Opclasses returns the operator classes of an access method, all of them for 0.
func Opclasses(method OID) []*Opclass {
	var out []*Opclass
	for _, c := range builtinOpclasses().classes {
		if method == 0 || c.Method == method {
			out = append(out, c)
		}
	}
	return out
}

// OpclassByOID returns an operator class, nil when there is none.
func OpclassByOID(oid OID) *Opclass {
	for _, c := range builtinOpclasses().classes {
		if c.OID == oid {
			return c
		}
	}
	return nil
}

// OpclassByName returns an operator class, nil when there is none.
func OpclassByName(method OID, name string) *Opclass {
	for _, c := range builtinOpclasses().classes {
		if c.Method == method && c.Name == name {
			return c
		}
	}
	return nil
}

// Memberships returns the operator families that an operator belongs to; shared.
func Memberships(operator OID) []FamilyMember { return builtinOpclasses().members[operator] }

// BtreeStrategy returns the strategy of an operator in a btree family: what makes
// int4 < int8 a comparison that an int4 index can serve. Family 0 means any.
func BtreeStrategy(operator, family OID) (FamilyMember, bool) {
	for _, m := range Memberships(operator) {
		if m.Method == BtreeAM && !m.Order && (family == 0 || m.Family == family) {
			return m, true
		}
	}
	return FamilyMember{}, false
}

// GinStrategy returns the strategy of an operator in a family of gin; 0 when it has none.
func GinStrategy(operator, family OID) int {
	for _, m := range Memberships(operator) {
		if m.Method == GinAM && !m.Order && m.Family == family {
			return m.Strategy
		}
	}
	return 0
}

// FamilyOperator returns the operator of a family for two types and a strategy, nil
// when it has none.
func FamilyOperator(family, left, right OID, strategy int) *Operator {
	return OperatorByOID(builtinOpclasses().operators[familyKey{family, left, right, strategy}])
}

// SupportFunc returns a family's support function of a number for two types, nil when it
// has none. Number 1 of btree compares, of hash hashes.
func SupportFunc(family, left, right OID, number int) *Func {
	return ByOID(builtinOpclasses().supports[familyKey{family, left, right, number}])
}

// DefaultOpclass returns the operator class that a type uses when none is named: its
// own, else the preferred or only one that it is binary coercible to. Nil when
// the type has no order (btree) or equality (hash).
func DefaultOpclass(env *types.Env, method, typ OID) *Opclass {
	typ, _ = env.BaseType(typ, -1)
	for _, c := range builtinOpclasses().classes {
		if c.Method == method && c.Default && c.InType == typ {
			return c
		}
	}
	category := typeCategory(env, typ)
	var preferred, compatible *Opclass
	compatibles := 0
	for _, c := range builtinOpclasses().classes {
		switch {
		case c.Method != method || !c.Default:
		case isPreferred(env, category, c.InType) && BinaryCoercible(env, typ, c.InType):
			preferred = c
		case BinaryCoercible(env, typ, c.InType):
			compatible = c
			compatibles++
		}
	}
	switch {
	case preferred != nil:
		return preferred
	case compatibles == 1:
		return compatible
	}
	return nil
}

// classOperator returns the operator of the default class with the given strategy.
func classOperator(env *types.Env, method, typ OID, strategy int) *Operator {
	c := DefaultOpclass(env, method, typ)
	if c == nil {
		return nil
	}
	return FamilyOperator(c.Family, c.InType, c.InType, strategy)
}

// EqualityOp returns the operator by which values of a type are equal for GROUP BY,
// DISTINCT and unique indexes; nil when the type has none.
func EqualityOp(env *types.Env, typ OID) *Operator {
	if !partsEqual(env, typ) {
		return nil
	}
	if o := classOperator(env, BtreeAM, typ, StrategyEqual); o != nil {
		return o
	}
	return classOperator(env, HashAM, typ, 1)
}

// LessOp returns the operator that sorts a type ascending; nil when it has no order.
func LessOp(env *types.Env, typ OID) *Operator {
	if !partsOrdered(env, typ) {
		return nil
	}
	return classOperator(env, BtreeAM, typ, StrategyLess)
}

// GreaterOp returns the operator that sorts a type descending; nil when it has no order.
func GreaterOp(env *types.Env, typ OID) *Operator {
	if !partsOrdered(env, typ) {
		return nil
	}
	return classOperator(env, BtreeAM, typ, StrategyGreater)
}

// partsOrdered reports whether the elements of an array and the columns of a row have an order; other types
// have no parts.
func partsOrdered(env *types.Env, typ OID) bool {
	return allParts(env, typ, func(t OID) bool { return LessOp(env, t) != nil })
}

// partsEqual does so for equality.
func partsEqual(env *types.Env, typ OID) bool {
	return allParts(env, typ, func(t OID) bool { return EqualityOp(env, t) != nil })
}

func allParts(env *types.Env, typ OID, has func(OID) bool) bool {
	if typ < firstUserOID && elementType(env, typ) == 0 {
		return true
	}
	typ, _ = env.BaseType(typ, -1)
	if e := elementType(env, typ); e != 0 {
		return has(e)
	}
	if !isComplex(env, typ) || env.Types == nil {
		return true
	}
	for _, a := range env.Types.Attributes(typ) {
		if !a.Dropped && !has(a.Type) {
			return false
		}
	}
	return true
}

// firstUserOID is the lowest OID of user-defined types.
const firstUserOID OID = 16384
