package syscat

import (
	"strings"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/types"
)

const pgStatisticExtOID OID = 3381

// extendedRows yields the statistics objects.
func extendedRows(g *generator) {
	g.visit(catalog.ClassRelation, func(o catalog.Object) bool {
		r := o.(*catalog.Relation)
		for i := range r.Extended {
			s := &r.Extended[i]
			if !g.row(num(s.OID), num(r.OID), str(s.Name), num(s.Schema), num(s.Owner), num(s.Target), vector(types.Int2OID, s.Columns),
				array(types.CharOID, s.Kinds), tree(s.Exprs...)) {
				return false
			}
		}
		return !g.done
	})
}

// extended finds a statistics object.
func (f Functions) extended(oid OID) (r *catalog.Relation, s *catalog.ExtendedStatistic) {
	f.World.View().EachExtended(func(table *catalog.Relation, x *catalog.ExtendedStatistic) bool {
		if x.OID == oid {
			r, s = table, x
		}
		return s == nil
	})
	return r, s
}

// extendedDef is pg_get_statisticsobjdef, or the list of columns and expressions in it.
func (f Functions) extendedDef(oid OID, whole bool) (datum, error) {
	r, s := f.extended(oid)
	if s == nil {
		return null, nil
	}
	var list []string
	for _, n := range s.Columns {
		list = append(list, f.quote(r.Columns[n-1].Name))
	}
	for _, encoded := range s.Exprs {
		text, err := f.deparse(encoded, r, true)
		if err != nil {
			return null, err
		}
		if e, err := f.decode(encoded); err != nil || !looksLikeFunction(e) {
			text = "(" + text + ")"
		}
		list = append(list, text)
	}
	columns := strings.Join(list, ", ")
	if !whole {
		return str(columns), nil
	}
	v := f.World.View()
	text := "CREATE STATISTICS " + f.quote(v.SchemaName(s.Schema)) + "." + f.quote(s.Name)
	var kinds []string
	for _, k := range s.Kinds {
		if name := map[byte]string{'d': "ndistinct", 'f': "dependencies", 'm': "mcv"}[k]; name != "" {
			kinds = append(kinds, name)
		}
	}
	if len(kinds) < 3 && len(s.Columns)+len(s.Exprs) > 1 {
		text += " (" + strings.Join(kinds, ", ") + ")"
	}
	return str(text + " ON " + columns + " FROM " + f.qualified(catalog.ClassRelation, &r.Meta, false)), nil
}

// extendedExpressions is pg_get_statisticsobjdef_expressions.
func (f Functions) extendedExpressions(oid OID) (datum, error) {
	r, s := f.extended(oid)
	if s == nil || len(s.Exprs) == 0 {
		return null, nil
	}
	var list []string
	for _, encoded := range s.Exprs {
		text, err := f.deparse(encoded, r, false)
		if err != nil {
			return null, err
		}
		list = append(list, text)
	}
	return stringArray(types.TextOID, list), nil
}
