package types

import (
	"fmt"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
)

// labels returns the labels of an enum in its order.
func (e *Env) labels(enum OID) []EnumLabel {
	if e == nil || e.Types == nil {
		return nil
	}
	return e.Types.EnumLabels(enum)
}

func enumIn(e *Env, t *Type, _ int32, s string) (Datum, error) {
	for _, l := range e.labels(t.OID) {
		if l.Label == s {
			return intDatum(int64(l.OID)), e.Usable(t.OID, &l)
		}
	}
	return Datum{}, pgerr.New(pgerr.InvalidTextRepresentation, "invalid input value for enum %s: \"%s\"", e.TypeName(t.OID), s)
}

// Usable refuses a value of an enum that its own transaction has not committed yet.
func (e *Env) Usable(enum OID, l *EnumLabel) error {
	if !l.Uncommitted {
		return nil
	}
	return pgerr.New(pgerr.UnsafeNewEnumValueUsage, "unsafe use of new value \"%s\" of enum type %s", l.Label, e.TypeName(enum)).
		WithHint("New enum values must be committed before they can be used.")
}

func enumOut(e *Env, dst []byte, t *Type, d Datum) []byte {
	for _, l := range e.labels(t.OID) {
		if l.OID == OID(d.I) {
			return append(dst, l.Label...)
		}
	}
	panic(fmt.Sprintf("types: enum %s has no label %d", t.Name, d.I))
}

func enumRecv(e *Env, t *Type, typmod int32, b []byte) (Datum, error) {
	b, err := e.FromClient(b)
	if err != nil {
		return Datum{}, err
	}
	return enumIn(e, t, typmod, string(b))
}

func enumSend(e *Env, dst []byte, t *Type, d Datum) []byte {
	return e.ToClient(enumOut(e, dst, t, d), len(dst))
}

// enumOrder sorts by the labels' order, which need not be that of their oids.
func (e *Env) enumOrder(enum OID) *order {
	position := map[int64]float64{}
	for _, l := range e.labels(enum) {
		position[int64(l.OID)] = float64(l.Sort)
	}
	sortKey := func(d Datum) float64 {
		p, ok := position[d.I]
		if !ok { // a label added after the order was made
			for _, l := range e.labels(enum) {
				if int64(l.OID) == d.I {
					p = float64(l.Sort)
				}
			}
		}
		return p
	}
	return &order{
		compare: func(a, b Datum) int { return CompareFloat(sortKey(a), sortKey(b)) },
		hash:    hashInt,
		keyKind: column.Float,
		key:     func(d Datum) Datum { return floatDatum(sortKey(d)) },
	}
}
