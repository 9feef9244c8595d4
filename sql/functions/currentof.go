package functions

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/types"
)

// CurrentOf is what WHERE CURRENT OF compares with: a function of the name of a cursor, a table and the part of the row's
// identity (see Session.CurrentOf). It has no name that a client could call it by.
func CurrentOf() *Func { return currentOf }

var currentOf = &Func{
	Name: "current of", Lang: LangInternal, Kind: 'f', Args: []OID{types.TextOID, types.OIDOID, types.Int4OID},
	Volatile: 's', Parallel: 'u', Strict: true, Cost: 1, Src: "current of",
	Eval: func(c *Ctx, a []column.Datum) (column.Datum, error) {
		return c.Session.CurrentOf(string(a[0].B), OID(a[1].I), int(a[2].I))
	},
}
