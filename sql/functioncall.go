package sql

import (
	"strconv"
	"strings"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// FunctionQuery returns the query that calls a function by its OID with a number of arguments, and their types:
// what a function call message of the protocol asks for.
func (x *Session) FunctionQuery(oid uint32, args int) (text string, params []uint32, err error) {
	if err := x.checkFailed(nil); err != nil {
		return "", nil, err
	}
	var name, schema string
	var kind byte
	var set bool
	if f := functions.ByOID(oid); f != nil {
		name, schema, kind, set, params = f.Name, x.view.SchemaName(f.Namespace), f.Kind, f.RetSet, f.Args
	} else if f, ok := x.view.Get(catalog.ClassFunction, oid).(*catalog.Function); ok {
		name, schema, kind, set, params = f.Name, x.view.SchemaName(f.Schema), f.Kind, f.ReturnsSet, f.ArgTypes
	} else {
		return "", nil, pgerr.New(pgerr.UndefinedFunction, "function with OID %d does not exist", oid)
	}
	if kind != 'f' || set {
		return "", nil, pgerr.New(pgerr.FeatureNotSupported, "cannot call function \"%s\" via fastpath interface", name)
	}
	if args != len(params) {
		return "", nil, pgerr.New(pgerr.ProtocolViolation, "function call message contains %d arguments but function requires %d", args, len(params))
	}
	var b strings.Builder
	b.WriteString("SELECT " + types.QuoteIdent(schema) + "." + types.QuoteIdent(name) + "(")
	for i := range params {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("$" + strconv.Itoa(i+1))
	}
	b.WriteString(")")
	return b.String(), params, nil
}
