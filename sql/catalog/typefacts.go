package catalog

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/types"
)

// typeFacts returns a user-defined type as package types knows it: a row of pg_type.
func (v *View) typeFacts(t *Type) *types.Type {
	f := &types.Type{
		OID: t.OID, Name: t.Name, Schema: v.SchemaName(t.Schema), Kind: column.Bytes,
		Len: -1, TypType: t.Kind, Category: t.Category, Delim: ',', Array: t.Array, Elem: t.Elem,
		Align: 'i', Storage: 'x', NotNull: t.NotNull, Base: t.Base, BaseTypmod: t.BaseTypmod,
		Collation: t.Collation, Default: t.DefaultTxt, Subscript: "-",
		ModIn: "-", ModOut: "-",
	}
	switch t.Kind {
	case 'e':
		f.Kind, f.Len, f.ByVal, f.Storage, f.Category = column.Int, 4, true, 'p', 'E'
		f.Input, f.Output, f.Receive, f.Send = "enum_in", "enum_out", "enum_recv", "enum_send"
	case 'c':
		f.RelID, f.Align, f.Category = t.Relation, 'd', 'C'
		f.Input, f.Output, f.Receive, f.Send = "record_in", "record_out", "record_recv", "record_send"
	case 'b':
		f.Category, f.Subscript = 'A', "array_subscript_handler"
		env := types.Env{Types: v}
		if elem := env.Type(t.Elem); elem != nil && elem.Align == 'd' {
			f.Align = 'd'
		}
		f.Input, f.Output, f.Receive, f.Send = "array_in", "array_out", "array_recv", "array_send"
	case 'd':
		env := types.Env{Types: v}
		if base := env.Type(t.Base); base != nil {
			f.Kind, f.Len, f.ByVal, f.Align, f.Storage = base.Kind, base.Len, base.ByVal, base.Align, base.Storage
			f.Category, f.Delim, f.Output, f.Send = base.Category, base.Delim, base.Output, base.Send
		}
		f.Input, f.Receive = "domain_in", "domain_recv"
	case 'p':
		f.Len, f.ByVal, f.Category, f.Storage = 4, true, 'P', 'p'
		f.Input, f.Output, f.Receive, f.Send = "shell_in", "shell_out", "-", "-"
	}
	return f
}
