package sql

import (
	"context"
	"strconv"
	"strings"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/parser"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/planner"
	"github.com/omendb/omendb/sql/types"
)

// names reads and prints object names for regclass and its kin.
type names struct{ x *Session }

var _ types.NameSource = names{}

// splitQualified cuts "schema"."name" into its parts, folding what is not quoted.
func splitQualified(s string) ([]string, error) {
	var parts []string
	rest := strings.TrimSpace(s)
	for {
		var part string
		if strings.HasPrefix(rest, `"`) {
			end := 1
			var b strings.Builder
			closed := false
			for end < len(rest) {
				if rest[end] == '"' {
					if end+1 < len(rest) && rest[end+1] == '"' {
						end++
					} else {
						closed = true
						break
					}
				}
				b.WriteByte(rest[end])
				end++
			}
			if !closed || b.Len() == 0 {
				return nil, pgerr.New(pgerr.InvalidName, "invalid name syntax")
			}
			part, rest = b.String(), rest[end+1:]
		} else {
			end := strings.IndexByte(rest, '.')
			if end < 0 {
				end = len(rest)
			}
			part, rest = strings.ToLower(strings.TrimSpace(rest[:end])), rest[end:]
			if part == "" || strings.ContainsAny(part, " \t\n") {
				return nil, pgerr.New(pgerr.InvalidName, "invalid name syntax")
			}
		}
		parts = append(parts, part)
		rest = strings.TrimSpace(rest)
		if rest == "" {
			return parts, nil
		}
		if rest[0] != '.' {
			return nil, pgerr.New(pgerr.InvalidName, "invalid name syntax")
		}
		rest = strings.TrimSpace(rest[1:])
	}
}

// ObjectByName implements types.NameSource.
func (n names) ObjectByName(t types.OID, s string) (types.OID, error) {
	if s == "-" {
		return 0, nil
	}
	if v, err := strconv.ParseUint(s, 10, 32); err == nil {
		return types.OID(v), nil
	}
	switch t {
	case types.RegtypeOID:
		return n.typeByName(s)
	case types.RegprocedureOID, types.RegoperatorOID:
		return n.signature(t, s)
	case types.RegoperOID:
		return n.operator(s)
	}
	parts, err := splitQualified(s)
	if err != nil {
		return 0, err
	}
	switch t {
	case types.RegclassOID:
		return n.relation(parts, s)
	case types.RegnamespaceOID:
		if sc := n.x.view.SchemaByName(parts[0]); sc != nil && len(parts) == 1 {
			return sc.OID, nil
		}
		return 0, pgerr.New(pgerr.UndefinedSchema, "schema \"%s\" does not exist", parts[0])
	case types.RegroleOID:
		if r := n.x.view.RoleByName(parts[0]); r != nil && len(parts) == 1 {
			return r.OID, nil
		}
		return 0, pgerr.New(pgerr.UndefinedObject, "role \"%s\" does not exist", parts[0])
	}
	if f, ok := factNames[t]; ok {
		return n.fact(f, parts)
	}
	return n.function(parts, s)
}

// schemas returns where an object with this many name parts is looked for.
func (n names) schemas(parts []string) ([]catalog.OID, error) {
	if len(parts) == 1 {
		return n.x.searchPath(), nil
	}
	s := n.x.view.SchemaByName(parts[len(parts)-2])
	if s == nil {
		return nil, pgerr.New(pgerr.InvalidSchemaName, "schema \"%s\" does not exist", parts[len(parts)-2])
	}
	if err := n.x.useSchema(s); err != nil {
		return nil, err
	}
	return []catalog.OID{s.OID}, nil
}

func (n names) relation(parts []string, s string) (types.OID, error) {
	schemas, err := n.schemas(parts)
	if err != nil {
		return 0, err
	}
	name := parts[len(parts)-1]
	for _, sc := range schemas {
		if o := n.x.view.ByName(catalog.ClassRelation, sc, name); o != nil {
			return o.Head().OID, nil
		}
	}
	return 0, pgerr.New(pgerr.UndefinedTable, "relation \"%s\" does not exist", strings.Join(parts, "."))
}

func (n names) function(parts []string, s string) (types.OID, error) {
	schemas, err := n.schemas(parts)
	if err != nil {
		return 0, err
	}
	name := parts[len(parts)-1]
	var found []types.OID
	for _, sc := range schemas {
		if sc == catalog.PgCatalog {
			for _, f := range functions.ByName(name) {
				found = append(found, f.OID)
			}
		}
		for _, f := range n.x.view.FunctionsByName(sc, name) {
			found = append(found, f.OID)
		}
	}
	switch len(found) {
	case 0:
		return 0, pgerr.New(pgerr.UndefinedFunction, "function \"%s\" does not exist", s)
	case 1:
		return found[0], nil
	}
	return 0, pgerr.New(pgerr.AmbiguousFunction, "more than one function named \"%s\"", s)
}

// typeByName reads a type as SQL writes it, modifiers and arrays included.
func (n names) typeByName(s string) (types.OID, error) {
	list, err := parser.Parse("SELECT NULL::" + s)
	if err != nil || len(list) != 1 {
		return 0, pgerr.New(pgerr.SyntaxError, "invalid type name \"%s\"", s)
	}
	b, err := planner.Bind(n.x.plannerEnv(context.Background(), nil), list[0])
	if err != nil {
		return 0, pgerr.New(pgerr.UndefinedObject, "type \"%s\" does not exist", s)
	}
	if b.Query == nil || len(b.Query.Targets) != 1 || len(b.Query.From) > 0 {
		return 0, pgerr.New(pgerr.SyntaxError, "invalid type name \"%s\"", s)
	}
	return b.Query.Targets[0].Expr.ResultType().OID, nil
}

// ObjectName implements types.NameSource.
func (n names) ObjectName(t types.OID, object types.OID) (string, bool) {
	switch t {
	case types.RegclassOID:
		for _, class := range []catalog.Class{catalog.ClassRelation, catalog.ClassIndex, catalog.ClassSequence} {
			if o := n.x.view.Get(class, object); o != nil {
				return n.qualified(catalog.ClassRelation, o.Head()), true
			}
		}
	case types.RegtypeOID:
		return n.typeName(object)
	case types.RegnamespaceOID:
		if s := n.x.view.Schema(object); s != nil {
			return n.x.env.QuoteIdent(s.Name), true
		}
	case types.RegroleOID:
		if r := n.x.view.Role(object); r != nil {
			return n.x.env.QuoteIdent(r.Name), true
		}
	case types.RegprocOID, types.RegprocedureOID:
		if f := n.x.view.Func(object); f != nil {
			return n.functionName(f, t == types.RegprocedureOID), true
		}
	case types.RegoperOID, types.RegoperatorOID:
		if o := functions.OperatorByOID(object); o != nil {
			return n.operatorName(o, t == types.RegoperatorOID), true
		}
	}
	if f, ok := factNames[t]; ok {
		return n.factName(f, object)
	}
	return "", false
}

// typeName prints a type. Types outside pg_catalog are qualified where the search
// path does not find them.
func (n names) typeName(oid types.OID) (string, bool) {
	t := types.ByOID(oid)
	if t == nil {
		t = n.x.view.TypeByOID(oid)
	}
	if t == nil {
		return "", false
	}
	if t.Schema == "pg_catalog" {
		return n.x.env.TypeName(oid), true
	}
	if t.IsArray() && t.Name[0] == '_' {
		name, ok := n.typeName(t.Elem)
		return name + "[]", ok
	}
	for _, s := range n.x.searchPath() {
		if n.x.view.SchemaName(s) == t.Schema {
			return n.x.env.QuoteIdent(t.Name), true
		}
		if n.x.view.TypeByName(s, t.Name) != nil {
			break // hidden by another one
		}
	}
	return n.x.env.QuoteIdent(t.Schema) + "." + n.x.env.QuoteIdent(t.Name), true
}

// qualified prints a name, with its schema unless the search path finds it without.
func (n names) qualified(class catalog.Class, h *catalog.Meta) string {
	for _, s := range n.x.searchPath() {
		if o := n.x.view.ByName(class, s, h.Name); o != nil {
			if o.Head().OID == h.OID {
				return n.x.env.QuoteIdent(h.Name)
			}
			break
		}
	}
	return n.x.env.QuoteIdent(n.x.view.SchemaName(h.Schema)) + "." + n.x.env.QuoteIdent(h.Name)
}
