package types

import (
	"github.com/omendb/omendb/engine/column"
)

var (
	timetzOrder   = &order{compareTimeTZ, hashBytes, column.Bytes, timetzKey, false}
	intervalOrder = &order{compareInterval, hashInterval, column.Bytes, intervalKey, false}
)

// findStructuredOrder returns the orders of types whose bytes do not sort by themselves.
func (e *Env) findStructuredOrder(oid, coll OID) *order {
	switch oid {
	case TimetzOID:
		return timetzOrder
	case IntervalOID:
		return intervalOrder
	case NumericOID:
		return numericOrder
	case BitOID, VarbitOID:
		return bitOrder
	case InetOID, CidrOID:
		return inetOrder
	case OIDVectorOID:
		return e.arrayOrder(OIDOID, coll)
	case JSONBOID:
		return jsonbOrder
	case RecordOID:
		return e.recordOrder()
	case AnyArrayOID:
		return nil
	}
	t := e.Type(oid)
	switch {
	case t == nil:
		return nil
	case t.TypType == 'd':
		base, _ := e.BaseType(oid, -1)
		return e.findOrder(base, coll)
	case t.TypType == 'e':
		return e.enumOrder(oid)
	case t.TypType == 'c':
		return e.recordOrder()
	case t.IsArray():
		return e.arrayOrder(t.Elem, coll)
	}
	return nil
}

// applyStructuredTypmod is ApplyTypmod for types other than text.
func (e *Env) applyStructuredTypmod(oid OID, typmod int32, d Datum, explicit bool) (Datum, error) {
	switch oid {
	case TimeOID:
		return intDatum(roundMicros(d.I, typmod)), nil
	case TimestampOID, TimestamptzOID:
		if IsInfiniteTimestamp(d.I) {
			return d, nil
		}
		ts := roundMicros(d.I, typmod)
		if !ValidTimestamp(ts) {
			return Datum{}, ErrTimestampRange()
		}
		return intDatum(ts), nil
	case TimetzOID:
		t := TimeTZFrom(d)
		t.Micros = roundMicros(t.Micros, typmod)
		return t.Datum(), nil
	case BitOID:
		return fitBit(d, int(typmod), false, explicit)
	case VarbitOID:
		return fitBit(d, int(typmod), true, explicit)
	case NumericOID:
		n, err := FitNumeric(NumericFrom(d), typmod)
		if err != nil {
			return Datum{}, err
		}
		return n.Datum(), nil
	case IntervalOID:
		v, err := IntervalFrom(d).fit(typmod)
		return v.Datum(), err
	}
	if t := e.Type(oid); t != nil && t.IsArray() {
		return e.fitElements(t, typmod, d, explicit)
	}
	return d, nil
}

// fitElements applies a modifier to every element of an array.
func (e *Env) fitElements(t *Type, typmod int32, d Datum, explicit bool) (Datum, error) {
	a := ArrayFrom(d)
	for i, v := range a.Elems {
		var err error
		if a.Elems[i], err = e.ApplyTypmod(t.Elem, typmod, v, explicit); err != nil {
			return Datum{}, err
		}
	}
	return e.MakeArray(a), nil
}
