package functions

import (
	"github.com/omendb/omendb/engine/column"
)

// typedDatum is a value with its type.
type typedDatum struct {
	column.Datum
	typ OID
}

// variadicArgs returns the arguments of a variadic "any" function from position from on,
// those of a VARIADIC array taken apart; null says that this array is NULL.
func variadicArgs(c *Ctx, args []column.Datum, from int) (list []typedDatum, null bool, err error) {
	if c.Variadic && len(args) > from {
		return variadicArray(c, args[len(args)-1], c.argType(len(args)-1))
	}
	for i := from; i < len(args); i++ {
		list = append(list, typedDatum{args[i], c.argType(i)})
	}
	return list, false, nil
}
