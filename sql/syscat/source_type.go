package syscat

import (
	"strings"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/types"
)

// functionNamed returns the OID of a type's support function.
func functionNamed(name string) OID {
	if name == "" || name == "-" {
		return 0
	}
	for _, f := range functions.ByName(name) {
		return f.OID
	}
	return 0
}

// typeRow yields a row of pg_type.
func (g *generator) typeRow(t *types.Type, schema, owner OID, acl []catalog.ACLItem, defaultExpr []byte) bool {
	analyze := OID(0)
	switch {
	case t.IsArray() && t.OID != types.Int2VectorOID && t.OID != types.OIDVectorOID:
		analyze = functionNamed("array_typanalyze")
	case t.TypType == 'r' || t.TypType == 'm':
		analyze = functionNamed("range_typanalyze")
		if t.TypType == 'm' {
			analyze = functionNamed("multirange_typanalyze")
		}
	case t.OID == types.TsvectorOID:
		analyze = functionNamed("ts_typanalyze")
	}
	aclValue := null
	if acl != nil {
		aclValue = aclDatum(g.view, acl)
	}
	return g.row(num(t.OID), str(t.Name), num(schema), num(owner), num(t.Len), flag(t.ByVal), num(t.TypType), num(t.Category),
		flag(t.Preferred), flag(t.TypType != 'p' || t.OID < catalog.FirstUserOID), num(t.Delim), num(t.RelID), num(functionNamed(t.Subscript)), num(t.Elem), num(t.Array),
		num(functionNamed(t.Input)), num(functionNamed(t.Output)), num(functionNamed(t.Receive)), num(functionNamed(t.Send)),
		num(functionNamed(t.ModIn)), num(functionNamed(t.ModOut)), num(analyze), num(t.Align), num(t.Storage), flag(t.NotNull),
		num(t.Base), num(t.BaseTypmod), num(t.NDims), num(t.Collation), tree(defaultExpr), orNull(t.Default), aclValue)
}

func typeFacts(r *catalog.Relation) *factSet {
	return collect(r, types.NewEnv(), func(g *generator) {
		for _, t := range types.All() {
			schema := catalog.PgCatalog
			if t.Schema != "pg_catalog" {
				schema = catalog.InformationSchema
			}
			g.typeRow(t, schema, catalog.BootstrapSuperuser, nil, nil)
		}
	})
}

// typeRows yields user-defined types, also by the relation whose rows they are.
func typeRows(g *generator) {
	show := func(t *catalog.Type) bool {
		f := g.view.TypeByOID(t.OID)
		return f == nil || g.typeRow(f, t.Schema, t.Owner, t.ACL, t.Default)
	}
	if rel, ok := g.key(11); ok && rel != 0 {
		if r := g.view.Relation(rel); r != nil {
			if t := g.view.Type(r.RowType); t != nil {
				show(t)
			}
		}
		return
	}
	each(g, catalog.ClassType, 0, 1, show)
}

func enumRows(g *generator) {
	each(g, catalog.ClassType, 1, -1, func(t *catalog.Type) bool {
		for _, l := range t.Labels {
			if !g.row(num(l.OID), num(t.OID), float(float64(l.Order)), str(l.Label)) {
				return false
			}
		}
		return true
	})
}

// procFacts are the functions of the shared facts with the privileges of this package's.
func procFacts(r *catalog.Relation) *factSet {
	s := loadFacts(r, []*functions.FactTable{functions.Facts("pg_proc")})
	acl := map[int64]string{}
	for _, row := range functions.Facts("pg_proc_acl").Rows {
		acl[intOf(row[0])] = row[1]
	}
	for i, row := range s.rows {
		if a := acl[row[0].I]; a != "" {
			s.setACL(i, a)
		}
	}
	return s
}

func procRows(g *generator) {
	if name, ok := g.text(1); ok {
		for _, schema := range g.schemasOf(catalog.ClassFunction) {
			for _, f := range g.view.FunctionsByName(schema, name) {
				if !procRow(g, f) {
					return
				}
			}
		}
		return
	}
	each(g, catalog.ClassFunction, 0, -1, func(f *catalog.Function) bool { return procRow(g, f) })
}

func languageOID(name string) OID {
	t := functions.Facts("pg_language")
	for _, row := range t.Rows {
		if row[t.Column("lanname")] == name {
			return oidOf(row[t.Column("oid")])
		}
	}
	return 0
}

func procRow(g *generator, f *catalog.Function) bool {
	all, modes, names := null, null, null
	if len(f.ArgModes) > 0 && strings.Trim(string(f.ArgModes), "i") != "" {
		all, modes = array(types.OIDOID, f.AllArgTypes), array(types.CharOID, f.ArgModes)
	}
	for _, n := range f.ArgNames {
		if n != "" {
			names = stringArray(types.TextOID, f.ArgNames)
			break
		}
	}
	defaults := null
	if len(f.Defaults) > 0 {
		defaults = tree(f.Defaults...)
	}
	return g.row(num(f.OID), str(f.Name), num(f.Schema), num(f.Owner), num(languageOID(f.Language)), float(float64(f.Cost)), float(float64(f.Rows)),
		num(f.Variadic), num(0), num(f.Kind), flag(f.SecurityDef), flag(f.Leakproof), flag(f.Strict), flag(f.ReturnsSet),
		num(f.Volatility), num(f.Parallel), num(len(f.ArgTypes)), num(len(f.Defaults)), num(f.Returns), vector(types.OIDOID, f.ArgTypes),
		all, modes, names, defaults, null, str(f.Source), null, tree(f.Body), texts(f.Settings), aclDatum(g.view, f.ACL))
}

// aggregateRows yields user-defined aggregates.
func aggregateRows(g *generator) {
	each(g, catalog.ClassFunction, 0, -1, func(f *catalog.Function) bool {
		if f.Kind != 'a' {
			return true
		}
		a := &f.Aggregate
		initial := null
		if a.HasInit {
			initial = str(a.InitVal)
		}
		kind := a.Kind
		if kind == 0 {
			kind = 'n'
		}
		return g.row(num(f.OID), num(kind), num(a.DirectArgs), num(a.TransFn), num(a.FinalFn), num(a.CombineFn), num(0), num(0), num(0), num(0), num(0),
			flag(a.FinalExtra), flag(false), num(byte('r')), num(byte('r')), num(a.SortOp), num(a.TransType), num(0), num(0), num(0), initial, null)
	})
}

// utf8Encoding is pg_encoding's number of UTF8, the only encoding that databases have.
const utf8Encoding = 6
