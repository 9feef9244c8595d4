package planner

import (
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/parser"
	"github.com/omendb/omendb/sql/plan"
)

// systemView is what computes the query of a system view, which no descriptor holds.
type systemView interface {
	ViewQuery(bind func(text string) ([]byte, error)) ([]byte, error)
}

// viewQuery returns the encoded query of a view. That of a system view is bound once, with
// nothing but pg_catalog to find names in.
func (b *binder) viewQuery(v *catalog.Relation) []byte {
	sys, ok := v.Virtual.(systemView)
	if !ok {
		return v.Query
	}
	data, err := sys.ViewQuery(func(text string) ([]byte, error) {
		list, err := parser.Parse(text)
		if err != nil {
			return nil, err
		}
		env := *b.env
		env.SearchPath, env.Params, env.LockRelation, env.Prepared = []OID{catalog.PgCatalog}, nil, nil, nil
		bound, err := Bind(&env, list[0])
		if err != nil {
			return nil, err
		}
		return plan.EncodeQuery(bound.Query), nil
	})
	b.check(-1, err)
	return data
}
