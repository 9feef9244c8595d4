package functions

import "sync"

// Operator is one row of pg_operator. User-defined operators have the same form.
type Operator struct {
	OID        OID
	Name       string
	Namespace  OID
	Kind       byte // 'b' binary, 'l' prefix
	Left       OID  // 0 for a prefix operator
	Right      OID
	Result     OID
	Code       *Func // nil only in a shell
	Commutator OID
	Negator    OID
	Restrict   string // name of the restriction selectivity estimator, or ""
	Join       string // name of the join selectivity estimator, or ""
	CanHash    bool
	CanMerge   bool
}

type operatorTable struct {
	all    []*Operator
	byOID  map[OID]*Operator
	byName map[string][]*Operator
}

var builtinOperators = sync.OnceValue(func() *operatorTable {
	t := Facts("pg_operator")
	tab := &operatorTable{byOID: make(map[OID]*Operator, len(t.Rows)), byName: make(map[string][]*Operator, 128)}
	r := newFactReader(t)
	all := make([]Operator, len(t.Rows))
	for i, row := range t.Rows {
		r.row = row
		o := &all[i]
		*o = Operator{
			OID: r.oid("oid"), Name: r.text("oprname"), Namespace: r.oid("oprnamespace"), Kind: r.char("oprkind"),
			Left: r.oid("oprleft"), Right: r.oid("oprright"), Result: r.oid("oprresult"), Code: ByOID(r.oid("oprcode")),
			Commutator: r.oid("oprcom"), Negator: r.oid("oprnegate"), Restrict: funcName(r.oid("oprrest")),
			Join: funcName(r.oid("oprjoin")), CanHash: r.bool("oprcanhash"), CanMerge: r.bool("oprcanmerge"),
		}
		tab.all = append(tab.all, o)
		tab.byOID[o.OID] = o
		tab.byName[o.Name] = append(tab.byName[o.Name], o)
	}
	return tab
})

func funcName(oid OID) string {
	if f := ByOID(oid); f != nil {
		return f.Name
	}
	return ""
}

// OperatorByOID returns a built-in operator, nil when there is none.
func OperatorByOID(oid OID) *Operator { return builtinOperators().byOID[oid] }

// OperatorsByName returns the built-in operators of a name; the slice is shared.
func OperatorsByName(name string) []*Operator { return builtinOperators().byName[name] }

// AllOperators returns every built-in operator by OID; the slice is shared.
func AllOperators() []*Operator { return builtinOperators().all }

// FindOperator returns the built-in operator of exactly these operand types (left 0
// for a prefix operator), nil when there is none.
func FindOperator(name string, left, right OID) *Operator {
	for _, o := range OperatorsByName(name) {
		if o.Left == left && o.Right == right {
			return o
		}
	}
	return nil
}

// CastInfo is one row of pg_cast.
type CastInfo struct {
	OID     OID
	Source  OID
	Target  OID
	Func    *Func // nil unless Method is 'f'
	Context byte  // 'i' implicit, 'a' in assignments, 'e' explicit only
	Method  byte  // 'f' function, 'b' binary coercible, 'i' by input and output
}

var builtinCasts = sync.OnceValue(func() map[[2]OID]*CastInfo {
	t := Facts("pg_cast")
	tab := make(map[[2]OID]*CastInfo, len(t.Rows))
	r := newFactReader(t)
	for _, row := range t.Rows {
		r.row = row
		c := &CastInfo{
			OID: r.oid("oid"), Source: r.oid("castsource"), Target: r.oid("casttarget"), Func: ByOID(r.oid("castfunc")),
			Context: r.char("castcontext"), Method: r.char("castmethod"),
		}
		tab[[2]OID{c.Source, c.Target}] = c
	}
	return tab
})

// Cast returns the row of pg_cast for exactly these types. A row from a type to
// itself is its length coercion.
func Cast(source, target OID) (*CastInfo, bool) {
	c, ok := builtinCasts()[[2]OID{source, target}]
	return c, ok
}
