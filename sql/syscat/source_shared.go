package syscat

import (
	"strings"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/types"
)

func namespaceRows(g *generator) {
	each(g, catalog.ClassSchema, 0, 1, func(s *catalog.Schema) bool {
		return g.row(num(s.OID), str(s.Name), num(s.Owner), aclDatum(g.view, s.ACL))
	})
}

// defaultTablespace is pg_default: everything lives in the data directory.
const (
	defaultTablespace OID = 1663
	globalTablespace  OID = 1664
)

func databaseRows(g *generator) {
	each(g, catalog.ClassDatabase, 0, 1, func(d *catalog.Database) bool {
		return g.row(num(d.OID), str(d.Name), num(d.Owner), num(utf8Encoding), num(byte('c')), flag(d.IsTemplate), flag(d.AllowConn),
			num(d.ConnLimit), g.frozen(), num(1), num(defaultTablespace), str(d.Collate), str(d.CType), null, null, aclDatum(g.view, d.ACL))
	})
}

func authidRows(g *generator) {
	each(g, catalog.ClassRole, 0, 1, func(r *catalog.Role) bool {
		until := null
		if r.ValidUntil != 0 {
			until = num(r.ValidUntil)
		}
		return g.row(num(r.OID), str(r.Name), flag(r.Superuser), flag(r.Inherit), flag(r.CreateRole), flag(r.CreateDB), flag(r.Login),
			flag(r.Replication), flag(r.BypassRLS), num(r.ConnLimit), orNull(r.Verifier), until)
	})
}

func authMemberRows(g *generator) {
	each(g, catalog.ClassRole, 1, -1, func(r *catalog.Role) bool {
		for _, m := range r.MemberOf {
			if !g.row(num(m.Role), num(r.OID), num(m.Grantor), flag(m.Admin)) {
				return false
			}
		}
		return true
	})
}

// roleSettingRows yields ALTER ROLE and ALTER DATABASE … SET.
func roleSettingRows(g *generator) {
	g.visit(catalog.ClassDatabase, func(o catalog.Object) bool {
		d := o.(*catalog.Database)
		return len(d.Settings) == 0 || g.row(num(d.OID), num(0), texts(d.Settings))
	})
	g.visit(catalog.ClassRole, func(o catalog.Object) bool {
		r := o.(*catalog.Role)
		return len(r.Settings) == 0 || g.row(num(0), num(r.OID), texts(r.Settings))
	})
	g.visit(catalog.ClassSetting, func(o catalog.Object) bool {
		s := o.(*catalog.Setting)
		return s.Value == "" || g.row(num(s.Database), num(s.Role), texts(strings.Split(s.Value, "\x00")))
	})
}

func extensionRows(g *generator) {
	each(g, catalog.ClassExtension, 0, 1, func(e *catalog.Extension) bool {
		return g.row(num(e.OID), str(e.Name), num(e.Owner), num(e.Target), flag(e.Relocatable), str(e.ExtVersion), null, null)
	})
}

func defaultACLRows(g *generator) {
	each(g, catalog.ClassDefaultACL, 0, -1, func(d *catalog.DefaultACL) bool {
		acl := d.ACL
		if acl == nil {
			acl = []catalog.ACLItem{}
		}
		return g.row(num(d.OID), num(d.Role), num(d.Schema), num(d.Kind), aclDatum(g.view, acl))
	})
}

func parameterACLRows(g *generator) {
	each(g, catalog.ClassSharedACL, 0, -1, func(b *catalog.BuiltinACL) bool {
		return b.Kind != catalog.BuiltinParameter || g.row(num(b.OID), str(b.Name), aclDatum(g.view, b.ACL))
	})
}

// statisticRows yields what ANALYZE found, in the slots that PostgreSQL uses: most
// common values, histogram, correlation.
func statisticRows(g *generator) {
	env := g.rt.Functions.Env
	each(g, catalog.ClassStatistic, 0, -1, func(s *catalog.Statistic) bool {
		r := g.view.Relation(s.OID)
		if r == nil {
			return true
		}
		for i := range s.Columns {
			if !statisticRow(g, env, r, &s.Columns[i]) {
				return false
			}
		}
		return true
	})
}

// The kinds of statistics slots.
const (
	statCommon      = 1
	statHistogram   = 2
	statCorrelation = 3
)

func statisticRow(g *generator, env *types.Env, r *catalog.Relation, c *catalog.ColumnStatistic) bool {
	if int(c.Num) > len(r.Columns) || r.Columns[c.Num-1].Dropped {
		return true
	}
	col := &r.Columns[c.Num-1]
	const slots = 5
	row := make([]datum, 31)
	row[0], row[1], row[2] = num(r.OID), num(c.Num), flag(false)
	row[3], row[4], row[5] = float(c.NullFrac), num(int64(c.Width)), float(c.Distinct)
	for i := range slots {
		row[6+i], row[11+i], row[16+i], row[21+i], row[26+i] = num(0), num(0), num(0), null, null
	}
	slot := 0
	add := func(kind int, numbers []float64, values []datum) {
		row[6+slot], row[16+slot] = num(kind), num(col.Collation)
		if numbers != nil {
			row[21+slot] = floatArray(numbers)
		}
		if values != nil {
			row[26+slot] = env.MakeArray(types.NewArray(col.Type, values))
		}
		slot++
	}
	if len(c.Common) > 0 {
		add(statCommon, c.Frequency, c.Common)
	}
	if len(c.Histogram) > 0 {
		add(statHistogram, nil, c.Histogram)
	}
	add(statCorrelation, []float64{c.Correlation}, nil)
	return g.row(row...)
}

func floatArray(list []float64) datum {
	a := types.Array{Elem: types.Float4OID, Dims: []types.Dim{{Len: int32(len(list)), Lower: 1}}}
	for _, f := range list {
		a.Elems = append(a.Elems, float(f))
	}
	return types.NewEnv().MakeArray(a)
}
