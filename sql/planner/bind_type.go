package planner

import (
	"strconv"

	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// plainType returns a type without modifier, with the type's own collation.
func (b *binder) plainType(t OID) plan.Type { return b.typeOf(t, -1) }

// typeOf returns a type with a modifier and the type's own collation.
func (b *binder) typeOf(t OID, typmod int32) plan.Type {
	out := plan.Type{OID: t, Typmod: typmod}
	if x := b.env.Types.Type(t); x != nil {
		out.Collation = x.Collation
	}
	return out
}

// typeName prints a type for a message.
func (b *binder) typeName(t OID) string { return b.env.Types.FormatType(t, -1) }

// names returns the parts of a qualified name.
func names(list []*pg.Node) []string {
	out := make([]string, 0, len(list))
	for _, n := range list {
		out = append(out, n.GetString_().GetSval())
	}
	return out
}

// splitName splits a qualified name into schema and name.
func (b *binder) splitName(parts []string, pos int) (schema, name string) {
	switch len(parts) {
	case 1:
		return "", parts[0]
	case 2:
		return parts[0], parts[1]
	case 3:
		if parts[0] != b.env.Database {
			b.failf(pos, pgerr.FeatureNotSupported, "cross-database references are not implemented: %s", dotted(parts))
		}
		return parts[1], parts[2]
	}
	b.failf(pos, pgerr.SyntaxError, "improper qualified name (too many dotted names): %s", dotted(parts))
	return "", ""
}

func dotted(parts []string) string {
	s := ""
	for i, p := range parts {
		if i > 0 {
			s += "."
		}
		s += p
	}
	return s
}

// lookupType finds a type by name, 0 when there is none.
func (b *binder) lookupType(schema, name string) OID {
	if schema != "" {
		ns := b.schemaNamed(schema, -1)
		if ns == nil {
			return 0
		}
		return b.typeIn(ns.OID, name)
	}
	for _, ns := range b.env.SearchPath {
		if t := b.typeIn(ns, name); t != 0 {
			return t
		}
	}
	return 0
}

func (b *binder) typeIn(ns OID, name string) OID {
	if ns == functions.PgCatalog {
		if t := types.ByName(name); t != nil {
			return t.OID
		}
	} else if ns == catalog.InformationSchema {
		if t := types.ByNameIn("information_schema", name); t != nil {
			return t.OID
		}
	}
	if t := b.env.Catalog.TypeByName(ns, name); t != nil {
		return t.OID
	}
	if r := b.env.Catalog.RelationByName(ns, name); r != nil && r.RowType != 0 {
		return r.RowType
	}
	if len(name) > 1 && name[0] == '_' {
		if e := b.typeIn(ns, name[1:]); e != 0 {
			if t := b.env.Types.Type(e); t != nil && t.Array != 0 {
				return t.Array
			}
		}
	}
	return 0
}

// resolveTypeName finds the type that a TypeName names, with its modifier.
func (b *binder) resolveTypeName(n *pg.TypeName) plan.Type {
	pos := int(n.Location)
	var oid OID
	switch {
	case n.PctType:
		return b.percentType(n)
	case len(n.Names) == 0:
		oid = n.TypeOid
	default:
		parts := names(n.Names)
		schema, name := b.splitName(parts, pos)
		if schema != "" && b.env.Catalog.SchemaByName(schema) == nil {
			b.failf(pos, pgerr.InvalidSchemaName, "schema \"%s\" does not exist", schema)
		}
		if oid = b.lookupType(schema, name); oid == 0 {
			b.failf(pos, pgerr.UndefinedObject, "type \"%s\" does not exist", dotted(parts)+brackets(len(n.ArrayBounds)))
		}
	}
	t := b.env.Types.Type(oid)
	if t == nil {
		b.failf(pos, pgerr.UndefinedObject, "type with OID %d does not exist", oid)
	}
	if ct := b.env.Catalog.Type(oid); ct != nil {
		b.depend(catalog.ClassType, oid, ct.Version)
	}
	typmod := b.typmod(n, t)
	if len(n.ArrayBounds) > 0 {
		if t.Array == 0 {
			b.failf(pos, pgerr.UndefinedObject, "type \"%s[]\" does not exist", b.typeName(oid))
		}
		oid = t.Array
	}
	return b.typeOf(oid, typmod)
}

func brackets(n int) string {
	if n > 0 {
		return "[]"
	}
	return ""
}

// percentType resolves table.column%TYPE.
func (b *binder) percentType(n *pg.TypeName) plan.Type {
	parts := names(n.Names)
	pos := int(n.Location)
	if len(parts) < 2 {
		b.failf(pos, pgerr.SyntaxError, "improper %%TYPE reference (too few dotted names): %s", dotted(parts))
	}
	schema, rel := b.splitName(parts[:len(parts)-1], pos)
	r := b.relationNamed(schema, rel, pos)
	col := parts[len(parts)-1]
	for _, c := range r.Columns {
		if !c.Dropped && c.Name == col {
			return plan.Type{OID: c.Type, Typmod: c.Typmod, Collation: c.Collation}
		}
	}
	b.failf(pos, pgerr.UndefinedColumn, "column \"%s\" of relation \"%s\" does not exist", col, rel)
	return plan.Type{}
}

// typmod reads a type's modifiers.
func (b *binder) typmod(n *pg.TypeName, t *types.Type) int32 {
	if len(n.Typmods) == 0 {
		return n.Typemod
	}
	pos := int(n.Location)
	mods := make([]int, 0, len(n.Typmods))
	for _, m := range n.Typmods {
		c := m.GetAConst()
		if c == nil {
			if cr := m.GetColumnRef(); cr != nil && t.ModIn != "-" && len(cr.Fields) == 1 {
				b.failf(pos, pgerr.InvalidParameterValue, "invalid input syntax for type %s: \"%s\"", "integer", cr.Fields[0].GetString_().GetSval())
			}
			b.failf(pos, pgerr.SyntaxError, "type modifiers must be simple constants or identifiers")
		}
		switch v := c.Val.(type) {
		case *pg.A_Const_Ival:
			mods = append(mods, int(v.Ival.Ival))
		case *pg.A_Const_Fval:
			i, err := strconv.ParseInt(v.Fval.Fval, 10, 32)
			if err != nil {
				b.failf(pos, pgerr.InvalidTextRepresentation, "invalid input syntax for type integer: \"%s\"", v.Fval.Fval)
			}
			mods = append(mods, int(i))
		case *pg.A_Const_Sval:
			i, err := strconv.ParseInt(v.Sval.Sval, 10, 32)
			if err != nil {
				b.failf(pos, pgerr.InvalidTextRepresentation, "invalid input syntax for type integer: \"%s\"", v.Sval.Sval)
			}
			mods = append(mods, int(i))
		}
	}
	if t.ModIn == "-" || t.ModIn == "" {
		b.failf(pos, pgerr.SyntaxError, "type modifier is not allowed for type \"%s\"", b.typeName(t.OID))
	}
	typmod, err := typmodIn(t.OID, mods)
	if err != nil {
		b.fail(pos, err)
	}
	return typmod
}

const (
	maxAttrSize   = 10 * 1024 * 1024
	maxPrecision  = 1000
	maxTimeDigits = 6
)

// typmodIn encodes the modifiers of a built-in type, as its typmodin function does.
func typmodIn(oid OID, mods []int) (int32, *pgerr.Error) {
	switch oid {
	case types.VarcharOID:
		return lengthTypmod("varchar", mods, 4)
	case types.BPCharOID:
		return lengthTypmod("char", mods, 4)
	case types.BitOID:
		return bitTypmod("bit", mods)
	case types.VarbitOID:
		return bitTypmod("varbit", mods)
	case types.NumericOID:
		return numericTypmod(mods)
	case types.IntervalOID:
		return intervalTypmod(mods)
	case types.TimeOID:
		return timeTypmod("TIME", "", mods)
	case types.TimetzOID:
		return timeTypmod("TIME", " WITH TIME ZONE", mods)
	case types.TimestampOID:
		return timeTypmod("TIMESTAMP", "", mods)
	case types.TimestamptzOID:
		return timeTypmod("TIMESTAMP", " WITH TIME ZONE", mods)
	}
	return 0, pgerr.New(pgerr.SyntaxError, "type modifier is not allowed for this type")
}

func invalidTypmod() *pgerr.Error {
	return pgerr.New(pgerr.InvalidParameterValue, "invalid type modifier")
}

func lengthTypmod(name string, mods []int, header int32) (int32, *pgerr.Error) {
	switch {
	case len(mods) != 1:
		return 0, invalidTypmod()
	case mods[0] < 1:
		return 0, pgerr.New(pgerr.InvalidParameterValue, "length for type %s must be at least 1", name)
	case mods[0] > maxAttrSize:
		return 0, pgerr.New(pgerr.InvalidParameterValue, "length for type %s cannot exceed %d", name, maxAttrSize)
	}
	return int32(mods[0]) + header, nil
}

func bitTypmod(name string, mods []int) (int32, *pgerr.Error) {
	t, err := lengthTypmod(name, mods, 0)
	if err == nil && int(t) > maxAttrSize*8 {
		return 0, pgerr.New(pgerr.InvalidParameterValue, "length for type %s cannot exceed %d", name, maxAttrSize*8)
	}
	return t, err
}

func numericTypmod(mods []int) (int32, *pgerr.Error) {
	scale := 0
	switch len(mods) {
	case 2:
		if scale = mods[1]; scale < -maxPrecision || scale > maxPrecision {
			return 0, pgerr.New(pgerr.InvalidParameterValue, "NUMERIC scale %d must be between %d and %d", scale, -maxPrecision, maxPrecision)
		}
	case 1:
	default:
		return 0, pgerr.New(pgerr.InvalidParameterValue, "invalid NUMERIC type modifier")
	}
	if mods[0] < 1 || mods[0] > maxPrecision {
		return 0, pgerr.New(pgerr.InvalidParameterValue, "NUMERIC precision %d must be between 1 and %d", mods[0], maxPrecision)
	}
	return int32(mods[0])<<16 | int32(scale)&0x7ff + 4, nil
}

func timeTypmod(name, zone string, mods []int) (int32, *pgerr.Error) {
	switch {
	case len(mods) != 1:
		return 0, invalidTypmod()
	case mods[0] < 0:
		return 0, pgerr.New(pgerr.InvalidParameterValue, "%s(%d)%s precision must not be negative", name, mods[0], zone)
	}
	return int32(min(mods[0], maxTimeDigits)), nil
}

// intervalTypmod packs an interval's field mask and precision.
func intervalTypmod(mods []int) (int32, *pgerr.Error) {
	const fullRange, fullPrecision = 0x7fff, 0xffff
	switch len(mods) {
	case 1:
		if mods[0] == fullRange {
			return -1, nil
		}
		return int32(mods[0])<<16 | fullPrecision, nil
	case 2:
		if mods[1] < 0 {
			return 0, pgerr.New(pgerr.InvalidParameterValue, "INTERVAL(%d) precision must not be negative", mods[1])
		}
		return int32(mods[0])<<16 | int32(min(mods[1], maxTimeDigits)), nil
	}
	return 0, pgerr.New(pgerr.InvalidParameterValue, "invalid INTERVAL type modifier")
}

// collation finds the collation that COLLATE names.
func (b *binder) collation(parts []string, pos int) OID {
	schema, name := b.splitName(parts, pos)
	if schema == "" || schema == "pg_catalog" {
		if oid := collationByName(name); oid != 0 {
			return oid
		}
	}
	b.failf(pos, pgerr.UndefinedObject, "collation \"%s\" for encoding \"UTF8\" does not exist", dotted(parts))
	return 0
}

func collationByName(name string) OID {
	t := functions.Facts("pg_collation")
	if t == nil {
		return 0
	}
	oidCol, nameCol := t.Column("oid"), t.Column("collname")
	enc := -1
	for i, c := range t.Columns {
		if c == "collencoding" {
			enc = i
		}
	}
	for _, row := range t.Rows {
		if row[nameCol] != name || enc >= 0 && row[enc] != "-1" && row[enc] != "6" {
			continue
		}
		if v, err := strconv.ParseUint(row[oidCol], 10, 32); err == nil {
			return OID(v)
		}
	}
	return 0
}

// attributes returns the columns of a composite type, also behind a domain.
func (b *binder) attributes(t OID) []types.Attribute {
	base, _ := b.env.Types.BaseType(t, -1)
	if x := b.env.Types.Type(base); x == nil || x.TypType != 'c' || b.env.Types.Types == nil {
		return nil
	}
	return b.env.Types.Types.Attributes(base)
}

func (b *binder) isComposite(t OID) bool {
	base, _ := b.env.Types.BaseType(t, -1)
	x := b.env.Types.Type(base)
	return x != nil && x.TypType == 'c'
}

func (b *binder) elementType(t OID) OID {
	base, _ := b.env.Types.BaseType(t, -1)
	if x := b.env.Types.Type(base); x != nil && x.IsArray() {
		return x.Elem
	}
	return 0
}
