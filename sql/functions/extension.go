package functions

import (
	"sort"

	"github.com/omendb/omendb/sql/types"
)

// Extension is a set of functions that CREATE EXTENSION puts into a schema.
type Extension struct {
	Name      string
	Version   string
	Comment   string
	Functions []ExtensionFunc
}

// ExtensionFunc is one function of an extension. Its symbol is unique among all extensions.
type ExtensionFunc struct {
	Name, Symbol string
	Args         []OID
	ArgNames     []string
	Ret          OID
	Volatile     byte
	NotStrict    bool
	Eval         EvalFunc // nil: it can be seen, not called
}

// extensions are those that come with the server.
var extensions = map[string]*Extension{"uuid-ossp": uuidExtension, "pgcrypto": cryptoExtension, "pg_trgm": trigramExtension}

// extensionEvals finds the code of functions of extensions by symbol.
var extensionEvals = func() map[string]EvalFunc {
	m := map[string]EvalFunc{}
	for _, e := range extensions {
		for _, f := range e.Functions {
			m[f.Symbol] = f.Eval
		}
	}
	return m
}()

// ExtensionNamed returns an extension that can be created, nil when there is none.
func ExtensionNamed(name string) *Extension { return extensions[name] }

// Extensions returns all extensions that can be created, by name.
func Extensions() []*Extension {
	var list []*Extension
	for _, e := range extensions {
		list = append(list, e)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Name < list[j].Name })
	return list
}

// ExtensionEval returns the code of an extension's function, nil when it cannot be called.
func ExtensionEval(symbol string) EvalFunc { return extensionEvals[symbol] }

const (
	typeText  = types.TextOID
	typeBytea = types.ByteaOID
	typeUUID  = types.UUIDOID
	typeInt   = types.Int4OID
)
