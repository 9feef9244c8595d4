package functions

import (
	"strings"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// textArray makes a text[] of one dimension.
func textArray(list []column.Datum) column.Datum { return arrayOf(types.TextOID, list) }

// arrayOf makes an array of one dimension of texts or names.
func arrayOf(elem OID, list []column.Datum) column.Datum {
	var b strings.Builder
	b.WriteByte('{')
	for i, d := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		if d.Null {
			b.WriteString("NULL")
			continue
		}
		b.WriteByte('"')
		b.WriteString(strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(d.String()))
		b.WriteByte('"')
	}
	b.WriteByte('}')
	d, err := types.NewEnv().In(types.ByOID(elem).Array, -1, b.String())
	if err != nil {
		panic(err)
	}
	return d
}

// variadicArray takes a VARIADIC array apart.
func variadicArray(_ *Ctx, _ column.Datum, _ OID) ([]typedDatum, bool, error) {
	return nil, false, pgerr.Unsupported("VARIADIC arrays are not supported by this function")
}
