package types

import (
	"math/bits"

	"github.com/omendb/omendb/sql/pgerr"
)

// The limits of type modifiers.
const (
	maxCharLength       = 10485760 // as PostgreSQL: 10 MB of characters
	maxBitLength        = 83886080 // 8 * maxCharLength
	maxNumericPrecision = 1000     // declared; values may have more digits
	minNumericScale     = -1000    // see maxNumericPrecision
	maxNumericScale     = 1000     // see maxNumericPrecision
	maxSecondsPrecision = 6        // microseconds
)

// TypmodIn turns the arguments of a type name, such as the 10 and 2 of numeric(10,2),
// into a modifier. For interval they are the mask of fields, as the parser gives it,
// and perhaps a precision. A warning that PostgreSQL would give comes as notice.
func TypmodIn(oid OID, args []int64) (typmod int32, notice *pgerr.Error, err error) {
	switch oid {
	case VarcharOID:
		typmod, err = lengthTypmod("varchar", args, maxCharLength, varHdr)
	case BPCharOID:
		typmod, err = lengthTypmod("char", args, maxCharLength, varHdr)
	case BitOID:
		typmod, err = lengthTypmod("bit", args, maxBitLength, 0)
	case VarbitOID:
		typmod, err = lengthTypmod("varbit", args, maxBitLength, 0)
	case NumericOID:
		typmod, err = numericTypmodIn(args)
	case TimeOID:
		return secondsTypmod("TIME", "", args)
	case TimetzOID:
		return secondsTypmod("TIME", " WITH TIME ZONE", args)
	case TimestampOID:
		return secondsTypmod("TIMESTAMP", "", args)
	case TimestamptzOID:
		return secondsTypmod("TIMESTAMP", " WITH TIME ZONE", args)
	case IntervalOID:
		return intervalTypmodIn(args)
	default:
		return -1, nil, pgerr.New(pgerr.SyntaxError, "type modifier is not allowed for type \"%s\"", new(Env).TypeName(oid))
	}
	return typmod, nil, err
}

func invalidTypmod() error {
	return pgerr.New(pgerr.InvalidParameterValue, "invalid type modifier")
}

func lengthTypmod(name string, args []int64, limit int64, header int32) (int32, error) {
	switch {
	case len(args) != 1:
		return -1, invalidTypmod()
	case args[0] < 1:
		return -1, pgerr.New(pgerr.InvalidParameterValue, "length for type %s must be at least 1", name)
	case args[0] > limit:
		return -1, pgerr.New(pgerr.InvalidParameterValue, "length for type %s cannot exceed %d", name, limit)
	}
	return int32(args[0]) + header, nil
}

func numericTypmodIn(args []int64) (int32, error) {
	if len(args) != 1 && len(args) != 2 {
		return -1, pgerr.New(pgerr.InvalidParameterValue, "invalid NUMERIC type modifier")
	}
	if args[0] < 1 || args[0] > maxNumericPrecision {
		return -1, pgerr.New(pgerr.InvalidParameterValue, "NUMERIC precision %d must be between 1 and %d", args[0], maxNumericPrecision)
	}
	scale := int64(0)
	if len(args) == 2 {
		if scale = args[1]; scale < minNumericScale || scale > maxNumericScale {
			return -1, pgerr.New(pgerr.InvalidParameterValue, "NUMERIC scale %d must be between %d and %d", scale, minNumericScale, maxNumericScale)
		}
	}
	return int32(args[0]<<16|scale&0x7ff) + varHdr, nil
}

func secondsTypmod(name, suffix string, args []int64) (int32, *pgerr.Error, error) {
	if len(args) != 1 {
		return -1, nil, invalidTypmod()
	}
	p := args[0]
	if p < 0 {
		return -1, nil, pgerr.New(pgerr.InvalidParameterValue, "%s(%d)%s precision must not be negative", name, p, suffix)
	}
	if p > maxSecondsPrecision {
		return maxSecondsPrecision, pgerr.Notice(pgerr.SeverityWarning, pgerr.InvalidParameterValue,
			"%s(%d)%s precision reduced to maximum allowed, %d", name, p, suffix, maxSecondsPrecision), nil
	}
	return int32(p), nil, nil
}

func intervalTypmodIn(args []int64) (int32, *pgerr.Error, error) {
	if len(args) != 1 && len(args) != 2 {
		return -1, nil, pgerr.New(pgerr.InvalidParameterValue, "invalid INTERVAL type modifier")
	}
	fields := args[0]
	if _, ok := intervalRanges[int32(fields)]; !ok || bits.Len64(uint64(fields)) > 15 {
		return -1, nil, pgerr.New(pgerr.InvalidParameterValue, "invalid INTERVAL type modifier")
	}
	if len(args) == 1 {
		if fields == intervalFullRange {
			return -1, nil, nil
		}
		return int32(fields<<16 | intervalFullPrecision), nil, nil
	}
	p := args[1]
	var notice *pgerr.Error
	if p < 0 {
		return -1, nil, pgerr.New(pgerr.InvalidParameterValue, "INTERVAL(%d) precision must not be negative", p)
	}
	if p > maxSecondsPrecision {
		notice = pgerr.Notice(pgerr.SeverityWarning, pgerr.InvalidParameterValue,
			"INTERVAL(%d) precision reduced to maximum allowed, %d", p, maxSecondsPrecision)
		p = maxSecondsPrecision
	}
	return int32(fields<<16 | p), notice, nil
}
