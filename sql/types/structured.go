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
	return d, nil
}
