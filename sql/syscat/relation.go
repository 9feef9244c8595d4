package syscat

import (
	"strconv"
	"sync"

	"github.com/omendb/omendb/sql/catalog"
)

// Relations returns the system tables and views, for catalog.Options.System. The
// descriptors are shared by all catalogs of the process. Our own, named omen_*, can
// be read and are not listed in pg_class: tools that compare what they find there
// with what PostgreSQL has must not trip over them.
func Relations() []*catalog.Relation { return builtin().list }

// relations holds the system relations and what the package knows about them.
type relations struct {
	list    []*catalog.Relation
	byOID   map[OID]*catalog.Relation
	byName  map[string]*catalog.Relation // of pg_catalog
	columns map[OID][]attribute          // of every relation of the facts, indexes and TOAST tables too
}

// attribute is one line of the facts of pg_attribute.
type attribute struct {
	catalog.Column
	dims int32
	acl  string
}

var builtin = sync.OnceValue(loadRelations)

func loadRelations() *relations {
	x := &relations{byOID: map[OID]*catalog.Relation{}, byName: map[string]*catalog.Relation{}, columns: loadAttributes()}
	queries := map[OID]string{}
	for _, row := range ownFacts("views").Rows {
		queries[oidOf(row[0])] = row[2]
	}
	t := ownFacts("pg_class")
	t.Rows = append(t.Rows, ownFacts("omen_class").Rows...)
	oid, name, schema := t.Column("oid"), t.Column("relname"), t.Column("relnamespace")
	kind, rowType, acl := t.Column("relkind"), t.Column("reltype"), t.Column("relacl")
	for _, row := range t.Rows {
		if k := row[kind]; k != "r" && k != "v" || row[schema] == strconv.Itoa(int(catalog.PgToast)) {
			continue
		}
		r := &catalog.Relation{Meta: catalog.Meta{OID: oidOf(row[oid]), Name: row[name], Schema: oidOf(row[schema]),
			Owner: catalog.BootstrapSuperuser, ACL: catalog.ParseACL(row[acl]), Version: 1},
			Kind: catalog.KindVirtual, Persistence: 'p', RowType: oidOf(row[rowType]), Populated: true, ReplIdent: 'n'}
		for _, a := range x.columns[r.OID] {
			c := a.Column
			c.ACL = catalog.ParseACL(a.acl)
			r.Columns = append(r.Columns, c)
		}
		if row[kind] == "v" {
			r.Kind = catalog.KindView
			r.QueryText = queries[r.OID]
			r.Virtual = &view{relation: r}
		} else {
			r.Virtual = newTable(r)
		}
		x.list = append(x.list, r)
		x.byOID[r.OID] = r
		if r.Schema == catalog.PgCatalog {
			x.byName[r.Name] = r
		}
	}
	return x
}

func loadAttributes() map[OID][]attribute {
	t := ownFacts("pg_attribute")
	t.Rows = append(t.Rows, ownFacts("omen_attribute").Rows...)
	out := make(map[OID][]attribute, 512)
	for _, row := range t.Rows {
		a := attribute{acl: row[9]}
		a.Num = int16(intOf(row[1]))
		a.Name, a.Type, a.Typmod, a.NotNull = row[2], oidOf(row[3]), int32(intOf(row[4])), row[5] == "t"
		a.Collation, a.Storage, a.dims = oidOf(row[6]), row[8][0], int32(intOf(row[7]))
		a.StatTgt = -1
		rel := oidOf(row[0])
		out[rel] = append(out[rel], a)
	}
	return out
}

func intOf(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		panic("syscat: facts: " + err.Error())
	}
	return n
}

func oidOf(s string) OID { return OID(intOf(s)) }

// ColumnNames returns the names of a system relation's columns.
func columnNames(r *catalog.Relation) []string {
	list := make([]string, len(r.Columns))
	for i := range r.Columns {
		list[i] = r.Columns[i].Name
	}
	return list
}
