package sql

import (
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/types"
)

// functionCatalog is what functions ask of the catalog.
func (x *Session) functionCatalog() functions.Catalog { return sessionCatalog{x} }

type sessionCatalog struct{ x *Session }

// Call implements functions.Catalog.
func (s sessionCatalog) Call(*functions.Ctx, string, []types.Datum) (types.Datum, bool, error) {
	return types.Datum{}, false, nil
}

// CallSet implements functions.Catalog.
func (s sessionCatalog) CallSet(*functions.Ctx, string, []types.Datum) (functions.SetIter, bool, error) {
	return nil, false, nil
}

// SearchPath implements functions.Catalog.
func (s sessionCatalog) SearchPath(implicit bool) []string {
	list := s.x.searchPath()
	if !implicit {
		list = s.x.namedPath()
	}
	var out []string
	for _, oid := range list {
		out = append(out, s.x.view.SchemaName(oid))
	}
	return out
}

// TypeName implements functions.Catalog.
func (s sessionCatalog) TypeName(typ types.OID, typmod int32) string {
	return s.x.env.FormatType(typ, typmod)
}
