package syscat

import (
	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
)

func storeOf(id uint64) engine.StoreID { return engine.StoreID(id) }

// sizeCalls tell how many bytes objects take, in memory and on disk.
var sizeCalls = map[string]call{
	"pg_relation_size(regclass)": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) { return f.size(oidArg(a[0]), ownSize) },
	"pg_relation_size": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		switch fork := a[1].String(); fork {
		case "main":
			return f.size(oidArg(a[0]), ownSize)
		case "fsm", "vm", "init":
			return f.size(oidArg(a[0]), func(Functions, catalog.Object) int64 { return 0 })
		}
		return null, pgerr.New(pgerr.InvalidParameterValue, "invalid fork name").
			WithHint("Valid fork names are \"main\", \"fsm\", \"vm\", and \"init\".")
	},
	"pg_table_size": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) { return f.size(oidArg(a[0]), ownSize) },
	"pg_indexes_size": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		return f.size(oidArg(a[0]), indexesSize)
	},
	"pg_total_relation_size": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		return f.size(oidArg(a[0]), func(f Functions, o catalog.Object) int64 { return ownSize(f, o) + indexesSize(f, o) })
	},
	"pg_database_size_oid": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		if f.World.View().Database(oidArg(a[0])) == nil {
			return null, nil
		}
		return num(f.databaseSize(oidArg(a[0]))), nil
	},
	"pg_database_size_name": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		d := f.World.View().DatabaseByName(a[0].String())
		if d == nil {
			return null, pgerr.New(pgerr.InvalidCatalogName, "database \"%s\" does not exist", a[0].String())
		}
		return num(f.databaseSize(d.OID)), nil
	},
	"pg_tablespace_size_oid": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		if oid := oidArg(a[0]); oid != defaultTablespace && oid != globalTablespace {
			return null, nil
		}
		return f.tablespaceSize(oidArg(a[0])), nil
	},
	"pg_tablespace_size_name": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		switch name := a[0].String(); name {
		case "pg_default":
			return f.tablespaceSize(defaultTablespace), nil
		case "pg_global":
			return f.tablespaceSize(globalTablespace), nil
		default:
			return null, pgerr.New(pgerr.UndefinedObject, "tablespace \"%s\" does not exist", name)
		}
	},
	"pg_tablespace_location": func(Functions, *functions.Ctx, []datum) (datum, error) { return str(""), nil },
	"pg_relation_filenode": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		r, ok := f.relationOf(oidArg(a[0]))
		if t, isRel := r.object.(*catalog.Relation); !ok || isRel && t.Store == 0 {
			return null, nil
		}
		return a[0], nil
	},
	"pg_relation_filepath": nothing,
	"pg_filenode_relation": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		if _, ok := f.relationOf(oidArg(a[1])); ok {
			return a[1], nil
		}
		return null, nil
	},
}

// size applies a measure to a relation; NULL when there is none.
func (f Functions) size(oid OID, measure func(Functions, catalog.Object) int64) (datum, error) {
	r, ok := f.relationOf(oid)
	if !ok {
		return null, nil
	}
	return num(measure(f, r.object)), nil
}

func (f Functions) storeBytes(id uint64) int64 {
	if id == 0 || f.World.DB() == nil {
		return 0
	}
	return f.World.DB().StoreStats(storeOf(id)).Bytes
}

// ownSize is the size of an object's own store. An index that is the storage key has none.
func ownSize(f Functions, o catalog.Object) int64 {
	switch o := o.(type) {
	case *catalog.Relation:
		return f.storeBytes(o.Store)
	case *catalog.Index:
		return f.storeBytes(o.Store)
	}
	return 0
}

func indexesSize(f Functions, o catalog.Object) int64 {
	r, ok := o.(*catalog.Relation)
	if !ok {
		return 0
	}
	var n int64
	for _, x := range f.World.View().IndexesOf(r) {
		n += f.storeBytes(x.Store)
	}
	return n
}

func (f Functions) databaseSize(database OID) int64 {
	var n int64
	for _, class := range []catalog.Class{catalog.ClassRelation, catalog.ClassIndex} {
		f.World.View().EachIn(database, class, func(o catalog.Object) bool {
			n += ownSize(f, o)
			return true
		})
	}
	return n
}

// tablespaceSize is what all databases hold: what they share keeps no store of its own.
func (f Functions) tablespaceSize(oid OID) datum {
	var n int64
	if oid == globalTablespace {
		return num(n)
	}
	f.World.View().Each(catalog.ClassDatabase, func(o catalog.Object) bool {
		n += f.databaseSize(o.Head().OID)
		return true
	})
	return num(n)
}
