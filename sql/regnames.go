package sql

import (
	"slices"
	"strings"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// factName tells where the objects of a reg type are that only the facts know.
type factName struct{ table, name, schema, word string }

var factNames = map[types.OID]factName{
	types.RegcollationOID:  {"pg_collation", "collname", "collnamespace", "collation"},
	types.RegconfigOID:     {"pg_ts_config", "cfgname", "cfgnamespace", "text search configuration"},
	types.RegdictionaryOID: {"pg_ts_dict", "dictname", "dictnamespace", "text search dictionary"},
}

// fact finds a built-in object by name.
func (n names) fact(f factName, parts []string) (types.OID, error) {
	if schemas, err := n.schemas(parts); err != nil {
		return 0, err
	} else if slices.Contains(schemas, catalog.PgCatalog) {
		t := functions.Facts(f.table)
		name, oid := t.Column(f.name), t.Column("oid")
		for _, row := range t.Rows {
			if row[name] == parts[len(parts)-1] {
				d, err := n.x.env.In(types.OIDOID, -1, row[oid])
				return types.OID(d.I), err
			}
		}
	}
	if f.table == "pg_collation" {
		return 0, pgerr.New(pgerr.UndefinedObject, "collation \"%s\" for encoding \"%s\" does not exist", strings.Join(parts, "."), "UTF8")
	}
	return 0, pgerr.New(pgerr.UndefinedObject, "%s \"%s\" does not exist", f.word, strings.Join(parts, "."))
}

// factName prints the name of a built-in object.
func (n names) factName(f factName, object types.OID) (string, bool) {
	t := functions.Facts(f.table)
	name, oid := t.Column(f.name), t.Column("oid")
	want := string(n.x.env.Out(nil, types.OIDOID, types.Datum{I: int64(object)}))
	for _, row := range t.Rows {
		if row[oid] == want {
			return n.x.env.QuoteIdent(row[name]), true
		}
	}
	return "", false
}

// candidates returns the functions of a name along the search path.
func (n names) candidates(name string) []*functions.Func {
	var out []*functions.Func
	for _, s := range n.x.searchPath() {
		for _, f := range functions.ByName(name) {
			if f.Namespace == s {
				out = append(out, f)
			}
		}
		for _, f := range n.x.view.FunctionsByName(s, name) {
			out = append(out, f.Func())
		}
	}
	return out
}

// functionName prints a function as regproc or, with its arguments, as regprocedure
// does: qualified unless the bare form would find it and nothing else.
func (n names) functionName(f *functions.Func, arguments bool) string {
	list := n.candidates(f.Name)
	if arguments {
		list = slices.DeleteFunc(list, func(c *functions.Func) bool { return !slices.Equal(c.Args, f.Args) })
	}
	name := n.x.env.QuoteIdent(f.Name)
	if len(list) == 0 || list[0].OID != f.OID || !arguments && len(list) > 1 {
		name = n.x.env.QuoteIdent(n.x.view.SchemaName(f.Namespace)) + "." + name
	}
	if !arguments {
		return name
	}
	args := make([]string, len(f.Args))
	for i, a := range f.Args {
		args[i] = n.x.env.TypeName(a)
	}
	return name + "(" + strings.Join(args, ",") + ")"
}

// operatorName prints an operator as regoper or, with its arguments, as regoperator does.
func (n names) operatorName(o *functions.Operator, arguments bool) string {
	if !arguments {
		if len(functions.OperatorsByName(o.Name)) > 1 {
			return "pg_catalog." + o.Name
		}
		return o.Name
	}
	left := "NONE"
	if o.Left != 0 {
		left = n.x.env.TypeName(o.Left)
	}
	return o.Name + "(" + left + "," + n.x.env.TypeName(o.Right) + ")"
}

// operator finds an operator by its name alone.
func (n names) operator(s string) (types.OID, error) {
	name := strings.TrimPrefix(strings.TrimSpace(s), "pg_catalog.")
	switch list := functions.OperatorsByName(name); len(list) {
	case 0:
		return 0, pgerr.New(pgerr.UndefinedFunction, "operator does not exist: %s", s)
	case 1:
		return list[0].OID, nil
	}
	return 0, pgerr.New(pgerr.AmbiguousFunction, "more than one operator named %s", s)
}

// signature reads name(type, type) of regprocedure and regoperator.
func (n names) signature(t types.OID, s string) (types.OID, error) {
	name, rest, ok := strings.Cut(s, "(")
	rest = strings.TrimSpace(rest)
	if !ok {
		return 0, pgerr.New(pgerr.InvalidTextRepresentation, "expected a left parenthesis")
	}
	if !strings.HasSuffix(rest, ")") {
		return 0, pgerr.New(pgerr.InvalidTextRepresentation, "expected a right parenthesis")
	}
	var args []types.OID
	for _, word := range splitArguments(strings.TrimSuffix(rest, ")")) {
		if t == types.RegoperatorOID && strings.EqualFold(strings.TrimSpace(word), "none") {
			args = append(args, 0)
			continue
		}
		oid, err := n.typeByName(word)
		if err != nil {
			return 0, err
		}
		args = append(args, oid)
	}
	if t == types.RegoperatorOID {
		if len(args) != 2 {
			return 0, pgerr.New(pgerr.UndefinedParameter, "missing argument").WithHint("Use NONE to denote the missing argument of a unary operator.")
		}
		for _, o := range functions.OperatorsByName(strings.TrimPrefix(strings.TrimSpace(name), "pg_catalog.")) {
			if o.Left == args[0] && o.Right == args[1] {
				return o.OID, nil
			}
		}
		return 0, pgerr.New(pgerr.UndefinedFunction, "operator does not exist: %s", s)
	}
	parts, err := splitQualified(name)
	if err != nil {
		return 0, err
	}
	schemas, err := n.schemas(parts)
	if err != nil {
		return 0, err
	}
	for _, sc := range schemas {
		for _, f := range functions.ByName(parts[len(parts)-1]) {
			if f.Namespace == sc && slices.Equal(f.Args, args) {
				return f.OID, nil
			}
		}
		for _, f := range n.x.view.FunctionsByName(sc, parts[len(parts)-1]) {
			if slices.Equal(f.ArgTypes, args) {
				return f.OID, nil
			}
		}
	}
	return 0, pgerr.New(pgerr.UndefinedFunction, "function \"%s\" does not exist", s)
}

// splitArguments cuts a list of types at the commas outside parentheses and quotes.
func splitArguments(s string) []string {
	if strings.TrimSpace(s) == "" {
		return nil
	}
	var out []string
	depth, quoted, start := 0, false, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '(' || c == '[':
			depth++
		case c == ')' || c == ']':
			depth--
		case c == ',' && depth == 0:
			out = append(out, s[start:i])
			start = i + 1
		}
	}
	return append(out, s[start:])
}
