package syscat

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/planner"
	"github.com/omendb/omendb/sql/types"
)

// defineCalls write the SQL that would make an object again.
var defineCalls = map[string]call{
	"pg_get_expr": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		return f.expression(a[0].String(), oidArg(a[1]), false)
	},
	"pg_get_expr_ext": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		return f.expression(a[0].String(), oidArg(a[1]), a[2].Bool())
	},
	"pg_get_indexdef": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		return f.indexDef(oidArg(a[0]), 0, false)
	},
	"pg_get_indexdef_ext": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		return f.indexDef(oidArg(a[0]), int(a[1].I), a[2].Bool())
	},
	"pg_get_constraintdef": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		return f.constraintDef(oidArg(a[0]), false)
	},
	"pg_get_constraintdef_ext": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		return f.constraintDef(oidArg(a[0]), a[1].Bool())
	},
	"pg_get_viewdef": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		return f.viewDef(oidArg(a[0]), false)
	},
	"pg_get_viewdef_ext": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		return f.viewDef(oidArg(a[0]), a[1].Bool())
	},
	"pg_get_viewdef_wrap": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		return f.viewDef(oidArg(a[0]), true)
	},
	"pg_get_viewdef_name": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		return f.viewDefNamed(a[0].String(), false)
	},
	"pg_get_viewdef_name_ext": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		return f.viewDefNamed(a[0].String(), a[1].Bool())
	},
	"pg_get_ruledef": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		return f.ruleDef(oidArg(a[0]), false)
	},
	"pg_get_ruledef_ext": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		return f.ruleDef(oidArg(a[0]), a[1].Bool())
	},
	"pg_get_triggerdef": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		return f.triggerDef(oidArg(a[0]), false), nil
	},
	"pg_get_triggerdef_ext": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		return f.triggerDef(oidArg(a[0]), a[1].Bool()), nil
	},
	"pg_get_partkeydef":              nothing,
	"pg_get_partition_constraintdef": nothing,
	"pg_get_statisticsobjdef": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		return f.extendedDef(oidArg(a[0]), true)
	},
	"pg_get_statisticsobjdef_columns": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		return f.extendedDef(oidArg(a[0]), false)
	},
	"pg_get_statisticsobjdef_expressions": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		return f.extendedExpressions(oidArg(a[0]))
	},
	"pg_get_serial_sequence": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		return f.serialSequence(a[0].String(), a[1].String())
	},
	"pg_get_replica_identity_index": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		r := f.World.View().Relation(oidArg(a[0]))
		if r == nil || r.ReplIdent == 'n' || r.ReplIdent == 'f' {
			return null, nil
		}
		for _, x := range f.World.View().IndexesOf(r) {
			if r.ReplIdent != 'i' && x.Primary || r.ReplIdent == 'i' && r.ReplIndex == x.OID {
				return num(x.OID), nil
			}
		}
		return null, nil
	},
}

// nothing answers about objects of kinds that do not exist here: no OID names one, for
// which PostgreSQL answers NULL.
func nothing(Functions, *functions.Ctx, []datum) (datum, error) { return null, nil }

// decode reads a stored expression.
func (f Functions) decode(encoded []byte) (plan.Expr, error) {
	return planner.Stored{Env: f.World.Planner()}.DecodeExpr(encoded)
}

// deparse prints a stored expression over a relation's columns.
func (f Functions) deparse(encoded []byte, r *catalog.Relation, pretty bool) (string, error) {
	e, err := f.decode(encoded)
	if err != nil {
		return "", err
	}
	return planner.DeparseExpr(f.World.Planner(), e, namesOf(r), pretty), nil
}

func namesOf(r *catalog.Relation) []string {
	if r == nil {
		return nil
	}
	return columnNames(r)
}

// expression is pg_get_expr of what tree made.
func (f Functions) expression(node string, relation OID, pretty bool) (datum, error) {
	if s, ok := strings.CutPrefix(node, treeText); ok {
		return str(strings.TrimSuffix(s, "}")), nil
	}
	s, ok := strings.CutPrefix(node, treeEncoded)
	if !ok {
		if node == "<>" || node == "" {
			return null, nil
		}
		return null, pgerr.New(pgerr.InvalidParameterValue, "input is not an expression tree")
	}
	r := f.World.View().Relation(relation)
	if r == nil && relation != 0 {
		return null, nil
	}
	var out []string
	for _, word := range strings.Fields(strings.TrimSuffix(s, "}")) {
		encoded, err := base64.StdEncoding.DecodeString(word)
		if err != nil {
			return null, pgerr.New(pgerr.InvalidParameterValue, "input is not an expression tree")
		}
		one, err := f.deparse(encoded, r, pretty)
		if err != nil {
			return null, err
		}
		out = append(out, one)
	}
	return str(strings.Join(out, ", ")), nil
}

// looksLikeFunction reports whether an expression stands in an index without parentheses.
func looksLikeFunction(e plan.Expr) bool {
	switch x := e.(type) {
	case *plan.Call:
		return x.Op == 0 && x.Cast == plan.CastNone
	case *plan.Coalesce, *plan.MinMax, *plan.NullIf, *plan.ValueFunc:
		return true
	}
	return false
}

// indexDef is pg_get_indexdef; column 0 means the whole command.
func (f Functions) indexDef(oid OID, column int, pretty bool) (datum, error) {
	x := f.World.View().Index(oid)
	if x == nil {
		return f.factIndexDef(oid, column)
	}
	r := f.World.View().Relation(x.Table)
	if r == nil {
		return null, nil
	}
	if column != 0 {
		if column < 0 || column > len(x.Keys)+len(x.Include) {
			return str(""), nil
		}
		if column > len(x.Keys) {
			return str(f.quote(r.Columns[x.Include[column-len(x.Keys)-1]-1].Name)), nil
		}
		s, err := f.indexKey(r, &x.Keys[column-1], pretty)
		return str(s), err
	}
	var b strings.Builder
	b.WriteString("CREATE ")
	if x.Unique {
		b.WriteString("UNIQUE ")
	}
	b.WriteString("INDEX " + f.quote(x.Name) + " ON " + f.qualified(catalog.ClassRelation, &r.Meta, !pretty) + " USING " + f.quote(methodName(x.Method)) + " (")
	for i := range x.Keys {
		if i > 0 {
			b.WriteString(", ")
		}
		s, err := f.indexKey(r, &x.Keys[i], pretty)
		if err != nil {
			return null, err
		}
		b.WriteString(s)
		f.indexKeyRest(&b, x, r, &x.Keys[i])
	}
	b.WriteString(")")
	if len(x.Include) > 0 {
		b.WriteString(" INCLUDE (" + f.columnList(r, x.Include) + ")")
	}
	if x.NullsNotDistinct {
		b.WriteString(" NULLS NOT DISTINCT")
	}
	if len(x.Options) > 0 {
		b.WriteString(" WITH (" + f.optionList(x.Options) + ")")
	}
	if len(x.Predicate) > 0 {
		s, err := f.deparse(x.Predicate, r, pretty)
		if err != nil {
			return null, err
		}
		b.WriteString(" WHERE " + s)
	}
	return str(b.String()), nil
}

func methodName(m string) string {
	if m == "" {
		return "btree"
	}
	return m
}

// optionList prints reloptions as WITH (…) has them.
func (f Functions) optionList(options []string) string {
	out := make([]string, len(options))
	for i, o := range options {
		name, value, _ := strings.Cut(o, "=")
		if f.quote(value) != value || value == "" {
			value = "'" + strings.ReplaceAll(value, "'", "''") + "'"
		}
		out[i] = f.quote(name) + "=" + value
	}
	return strings.Join(out, ", ")
}

func (f Functions) indexKey(r *catalog.Relation, k *catalog.IndexKey, pretty bool) (string, error) {
	if k.Column > 0 {
		return f.quote(r.Columns[k.Column-1].Name), nil
	}
	e, err := f.decode(k.Expr)
	if err != nil {
		return "", err
	}
	s := planner.DeparseExpr(f.World.Planner(), e, columnNames(r), pretty)
	if !looksLikeFunction(e) {
		s = "(" + s + ")"
	}
	return s, nil
}

// indexKeyRest prints collation, operator class and order where they are not the defaults.
func (f Functions) indexKeyRest(b *strings.Builder, x *catalog.Index, r *catalog.Relation, k *catalog.IndexKey) {
	collation := OID(0)
	if k.Column > 0 {
		collation = r.Columns[k.Column-1].Collation
	} else if t := f.World.Types().Type(k.Type); t != nil {
		collation = t.Collation
	}
	if own := shownCollation(r, k); own != 0 && own != collation {
		if c := f.World.Types().Collation(own); c != nil {
			b.WriteString(" COLLATE " + f.quote(c.Name))
		}
	}
	am := accessMethod(x.Method)
	if def := functions.DefaultOpclass(f.World.Types(), am, k.Type); k.OpClass != 0 && (def == nil || def.OID != k.OpClass) {
		if c := functions.OpclassByOID(k.OpClass); c != nil {
			b.WriteString(" " + f.quote(c.Name))
		}
	}
	switch {
	case k.Desc && k.NullsFirst:
		b.WriteString(" DESC")
	case k.Desc:
		b.WriteString(" DESC NULLS LAST")
	case k.NullsFirst:
		b.WriteString(" NULLS FIRST")
	}
}

// factIndexDef describes the indexes of the system tables.
func (f Functions) factIndexDef(oid OID, column int) (datum, error) {
	facts := builtinNamed("pg_index").Virtual.(*systemTable).facts()
	rows := facts.find(0, num(oid))
	if len(rows) == 0 {
		return null, nil
	}
	row := facts.rows[rows[0]]
	r := builtin().byOID[oidArg(row[1])]
	class := builtinNamed("pg_class").Virtual.(*systemTable).facts()
	name := class.rows[class.find(0, num(oid))[0]][1].String()
	if r == nil {
		return null, nil
	}
	var keys []int16
	for _, k := range types.ArrayFrom(row[15]).Elems {
		keys = append(keys, int16(k.I))
	}
	if column > 0 && column <= len(keys) {
		return str(r.Columns[keys[column-1]-1].Name), nil
	}
	unique := ""
	if row[4].Bool() {
		unique = "UNIQUE "
	}
	return str("CREATE " + unique + "INDEX " + name + " ON " + f.qualified(catalog.ClassRelation, &r.Meta, true) + " USING " + f.quote("btree") + " (" + f.columnList(r, keys) + ")"), nil
}

// columnList prints columns by attribute number.
func (f Functions) columnList(r *catalog.Relation, nums []int16) string {
	out := make([]string, len(nums))
	for i, n := range nums {
		out[i] = f.quote(r.Columns[n-1].Name)
	}
	return strings.Join(out, ", ")
}

// constraint finds a constraint by OID, with its table or domain.
func (f Functions) constraint(oid OID) (c *catalog.Constraint, r *catalog.Relation, t *catalog.Type) {
	v := f.World.View()
	v.Relations(func(x *catalog.Relation) bool {
		for i := range x.Constraints {
			if x.Constraints[i].OID == oid {
				c, r = &x.Constraints[i], x
			}
		}
		return c == nil
	})
	if c == nil {
		v.Each(catalog.ClassType, func(o catalog.Object) bool {
			x := o.(*catalog.Type)
			for i := range x.Checks {
				if x.Checks[i].OID == oid {
					c, t = &x.Checks[i], x
				}
			}
			return c == nil
		})
	}
	return c, r, t
}

// constraintDef is pg_get_constraintdef.
func (f Functions) constraintDef(oid OID, pretty bool) (datum, error) {
	c, r, _ := f.constraint(oid)
	if c == nil {
		return f.factConstraintDef(oid, pretty)
	}
	var b strings.Builder
	switch c.Kind {
	case 'c':
		s, err := f.deparseCheck(c, r, pretty)
		if err != nil {
			return null, err
		}
		b.WriteString("CHECK (" + s + ")")
		if c.NoInherit {
			b.WriteString(" NO INHERIT")
		}
	case 'p', 'u':
		f.keyDef(&b, c, r)
	case 'f':
		f.foreignKeyDef(&b, c, r)
	}
	if c.Deferrable {
		b.WriteString(" DEFERRABLE")
	}
	if c.Deferred {
		b.WriteString(" INITIALLY DEFERRED")
	}
	if !c.Validated {
		b.WriteString(" NOT VALID")
	}
	return str(b.String()), nil
}

func (f Functions) deparseCheck(c *catalog.Constraint, r *catalog.Relation, pretty bool) (string, error) {
	e, err := f.decode(c.Expr)
	if err != nil {
		return "", err
	}
	columns := []string{"VALUE"}
	if r != nil {
		columns = columnNames(r)
	}
	return planner.DeparseExpr(f.World.Planner(), e, columns, pretty), nil
}

func (f Functions) keyDef(b *strings.Builder, c *catalog.Constraint, r *catalog.Relation) {
	x := f.World.View().Index(c.Index)
	if c.Kind == 'p' {
		b.WriteString("PRIMARY KEY (")
	} else {
		b.WriteString("UNIQUE ")
		if x != nil && x.NullsNotDistinct {
			b.WriteString("NULLS NOT DISTINCT ")
		}
		b.WriteString("(")
	}
	b.WriteString(f.columnList(r, c.Columns) + ")")
	if x != nil && len(x.Include) > 0 {
		b.WriteString(" INCLUDE (" + f.columnList(r, x.Include) + ")")
	}
}

// foreignActions print what ON UPDATE and ON DELETE say.
var foreignActions = map[byte]string{'r': "RESTRICT", 'c': "CASCADE", 'n': "SET NULL", 'd': "SET DEFAULT"}

func (f Functions) foreignKeyDef(b *strings.Builder, c *catalog.Constraint, r *catalog.Relation) {
	target := f.World.View().Relation(c.RefTable)
	b.WriteString("FOREIGN KEY (" + f.columnList(r, c.Columns) + ") REFERENCES ")
	if target != nil {
		b.WriteString(f.qualified(catalog.ClassRelation, &target.Meta, false) + "(" + f.columnList(target, c.RefColumns) + ")")
	}
	if c.Match == 'f' {
		b.WriteString(" MATCH FULL")
	}
	if s := foreignActions[c.OnUpdate]; s != "" {
		b.WriteString(" ON UPDATE " + s)
	}
	if s := foreignActions[c.OnDelete]; s != "" {
		b.WriteString(" ON DELETE " + s)
		if len(c.SetColumns) > 0 {
			b.WriteString(" (" + f.columnList(r, c.SetColumns) + ")")
		}
	}
}

// factConstraintDef describes the keys of the system tables.
func (f Functions) factConstraintDef(oid OID, pretty bool) (datum, error) {
	facts := builtinNamed("pg_constraint").Virtual.(*systemTable).facts()
	rows := facts.find(0, num(oid))
	if len(rows) == 0 {
		return null, nil
	}
	row := facts.rows[rows[0]]
	r := builtin().byOID[oidArg(row[7])]
	if r == nil {
		return f.domainFactDef(row, pretty), nil
	}
	var keys []int16
	for _, k := range types.ArrayFrom(row[18]).Elems {
		keys = append(keys, int16(k.I))
	}
	word := "UNIQUE ("
	if byte(row[3].I) == 'p' {
		word = "PRIMARY KEY ("
	}
	return str(word + f.columnList(r, keys) + ")"), nil
}

// domainFactDef prints the checks of information_schema's two checked domains.
func (f Functions) domainFactDef(row []datum, pretty bool) datum {
	switch name := row[1].String(); {
	case name == "cardinal_number_domain_check" && pretty:
		return str("CHECK (VALUE >= 0)")
	case name == "cardinal_number_domain_check":
		return str("CHECK ((VALUE >= 0))")
	case name == "yes_or_no_check" && pretty:
		return str("CHECK (VALUE::text = ANY (ARRAY['YES'::character varying, 'NO'::character varying]::text[]))")
	case name == "yes_or_no_check":
		return str("CHECK (((VALUE)::text = ANY ((ARRAY['YES'::character varying, 'NO'::character varying])::text[])))")
	}
	return null
}

// viewDef is pg_get_viewdef.
func (f Functions) viewDef(oid OID, pretty bool) (datum, error) {
	r := f.World.View().Relation(oid)
	if r == nil {
		return null, nil
	}
	if r.Kind != catalog.KindView && r.Kind != catalog.KindMatView {
		return null, nil
	}
	if len(r.Query) == 0 && !pretty {
		return str(r.QueryText), nil
	}
	env := f.World.Planner()
	q, err := planner.Stored{Env: env}.ViewQuery(r)
	if err != nil {
		return null, err
	}
	var columns []string
	for i := range r.Columns {
		if !r.Columns[i].Dropped {
			columns = append(columns, r.Columns[i].Name)
		}
	}
	return str(planner.DeparseQuery(env, q, columns, pretty) + ";"), nil
}

func (f Functions) viewDefNamed(name string, pretty bool) (datum, error) {
	oid, err := f.World.Types().Names.ObjectByName(types.RegclassOID, name)
	if err != nil {
		return null, err
	}
	return f.viewDef(oid, pretty)
}

// settingRules are the rules of pg_settings, the only ones that are there from the start and make no view.
var settingRules = map[OID]string{
	12108: "CREATE RULE pg_settings_u AS\n    ON UPDATE TO pg_catalog.pg_settings\n   WHERE (new.name = old.name) DO  SELECT set_config(old.name, new.setting, false) AS set_config;",
	12109: "CREATE RULE pg_settings_n AS\n    ON UPDATE TO pg_catalog.pg_settings DO INSTEAD NOTHING;",
}

// prettySettingRules are the same without the parentheses and schemas that nobody needs.
var prettySettingRules = map[OID]string{
	12108: "CREATE RULE pg_settings_u AS\n    ON UPDATE TO pg_settings\n   WHERE new.name = old.name DO  SELECT set_config(old.name, new.setting, false) AS set_config;",
	12109: "CREATE RULE pg_settings_n AS\n    ON UPDATE TO pg_settings DO INSTEAD NOTHING;",
}

// ruleDef is pg_get_ruledef; all other rules make views. Those of the system views have OIDs of their own.
func (f Functions) ruleDef(oid OID, pretty bool) (datum, error) {
	if text := prettySettingRules[oid]; pretty && text != "" {
		return str(text), nil
	}
	if text := settingRules[oid]; text != "" {
		return str(text), nil
	}
	facts := builtin().byName["pg_rewrite"].Virtual.(*systemTable).facts()
	for _, i := range facts.find(0, num(oid)) {
		oid = ruleOID(OID(facts.rows[i][2].I))
	}
	oid = ruleView(oid)
	r := f.World.View().Relation(oid)
	if r == nil || r.Kind != catalog.KindView && r.Kind != catalog.KindMatView {
		return null, nil
	}
	d, err := f.viewDef(oid, pretty)
	if err != nil {
		return null, err
	}
	return str("CREATE RULE \"_RETURN\" AS\n    ON SELECT TO " + f.qualified(catalog.ClassRelation, &r.Meta, !pretty) + " DO INSTEAD " + d.String()), nil
}

// serialSequence is pg_get_serial_sequence.
func (f Functions) serialSequence(table, column string) (datum, error) {
	oid, err := f.World.Types().Names.ObjectByName(types.RegclassOID, table)
	if err != nil {
		return null, err
	}
	v := f.World.View()
	r := v.Relation(oid)
	if r == nil {
		return null, nil
	}
	for i := range r.Columns {
		c := &r.Columns[i]
		if c.Dropped || c.Name != column {
			continue
		}
		if s := f.ownedBy(r.OID, c); s != nil {
			return str(f.qualified(catalog.ClassSequence, &s.Meta, true)), nil
		}
		return null, nil
	}
	return null, pgerr.New(pgerr.UndefinedColumn, "column \"%s\" of relation \"%s\" does not exist", column, r.Name)
}

// ownedBy returns the sequence that a column owns.
func (f Functions) ownedBy(table OID, c *catalog.Column) *catalog.Sequence {
	v := f.World.View()
	if s := v.Sequence(c.Sequence); s != nil && s.OwnerTable == table && s.OwnerColumn == c.Num {
		return s
	}
	for _, o := range v.Dependents(catalog.ClassRelation, table) {
		if s, ok := o.(*catalog.Sequence); ok && s.OwnerTable == table && s.OwnerColumn == c.Num {
			return s
		}
	}
	return nil
}

func quoteLiteral(s string) string {
	quoted := "'" + strings.ReplaceAll(s, "'", "''") + "'"
	if strings.Contains(s, `\`) {
		return "E" + strings.ReplaceAll(quoted, `\`, `\\`)
	}
	return quoted
}

func formatFloat(v float64) string { return strconv.FormatFloat(v, 'g', -1, 32) }
