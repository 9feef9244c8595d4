package catalog

import (
	"slices"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/types"
)

// KeyColumn is one part of a store's key, in the form that types.EncodeKey wants.
type KeyColumn struct {
	Attr       int // 0-based attribute of the table, -1 for an expression
	Expr       []byte
	Type       OID
	Collation  OID
	Desc       bool
	NullsFirst bool
}

// StorageKeyOf returns the parts of a table's storage key; nil for a table whose rows
// are keyed by a hidden row id, which is encoded as an int8.
func StorageKeyOf(r *Relation) []KeyColumn {
	list := make([]KeyColumn, 0, len(r.StorageKey))
	for _, num := range r.StorageKey {
		c := &r.Columns[num-1]
		list = append(list, KeyColumn{Attr: int(num) - 1, Type: c.Type, Collation: c.Collation})
	}
	return list
}

// IndexKeyOf returns the key parts of an index, without the storage key that follows
// them in indexes that are not unique (and, in unique ones, where a part is NULL).
func IndexKeyOf(i *Index) []KeyColumn {
	list := make([]KeyColumn, len(i.Keys))
	for n := range i.Keys {
		k := &i.Keys[n]
		list[n] = KeyColumn{
			Attr: int(k.Column) - 1, Expr: k.Expr, Type: k.Type, Collation: k.Collation,
			Desc: k.Desc, NullsFirst: k.NullsFirst,
		}
	}
	return list
}

// TableStore returns the definition of a table's store: one column per attribute,
// dropped ones included.
func TableStore(env *types.Env, r *Relation) engine.StoreDef {
	def := engine.StoreDef{
		ID: engine.StoreID(r.Store), Name: r.Name, Temp: r.Persistence == 't',
		Columns: make([]engine.ColumnDef, len(r.Columns)),
	}
	for i := range r.Columns {
		c := &r.Columns[i]
		def.Columns[i] = engine.ColumnDef{Kind: ColumnKind(env, c), Missing: column.Null()}
		if c.HasMissing {
			def.Columns[i].Missing = c.Missing
		}
	}
	for _, num := range r.StorageKey {
		def.KeyColumns = append(def.KeyColumns, int(num)-1)
	}
	return def
}

// ColumnKind returns the physical kind of an attribute. A dropped attribute keeps the
// kind that it was stored with, since its type may be gone.
func ColumnKind(env *types.Env, c *Column) column.Kind {
	if c.Dropped {
		return column.Kind(c.DroppedKind)
	}
	return env.Kind(c.Type)
}

// IndexStore returns the definition of an index's store: the storage key of the row,
// then the stored columns.
func IndexStore(env *types.Env, r *Relation, i *Index) engine.StoreDef {
	def := engine.StoreDef{
		ID: engine.StoreID(i.Store), Name: i.Name, Temp: r.Persistence == 't',
		Columns: []engine.ColumnDef{{Kind: column.Bytes}},
	}
	for _, num := range i.Stored() {
		def.Columns = append(def.Columns, engine.ColumnDef{Kind: env.Kind(r.Columns[num-1].Type), Missing: column.Null()})
	}
	return def
}

// Stored lists the attributes whose values stand in the index beside its key:
// the included columns, and the one by which entries expire.
func (i *Index) Stored() []int16 {
	if i.Retain == 0 {
		return i.Include
	}
	return append(slices.Clone(i.Include), i.Retain)
}

// Deferrable reports whether a key may stand twice in a unique index until a
// statement or transaction ends. Its entries then end with the storage key.
func (i *Index) Deferrable() bool { return i.Unique && !i.Immediate }

// IndexColumnTypes returns the types of an index's key parts and included columns.
func IndexColumnTypes(r *Relation, i *Index) []OID {
	list := make([]OID, 0, len(i.Keys)+len(i.Include))
	for n := range i.Keys {
		list = append(list, i.Keys[n].Type)
	}
	for _, num := range i.Include {
		list = append(list, r.Columns[num-1].Type)
	}
	return list
}
