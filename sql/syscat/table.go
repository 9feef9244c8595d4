package syscat

import (
	"strings"
	"sync"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/exec"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/types"
)

// systemTable computes one system table.
type systemTable struct {
	relation *catalog.Relation
	aclAttr  int // the attribute with privileges, -1: none
	facts    func() *factSet
	rows     func(g *generator) // from descriptors; nil: none
}

var _ exec.VirtualTable = (*systemTable)(nil)

// extraFacts are files that add rows to those of the file named like the table.
var extraFacts = map[string]string{"pg_description": "pg_collation_description"}

func newTable(r *catalog.Relation) *systemTable {
	t := &systemTable{relation: r, aclAttr: -1, rows: sources[r.Name]}
	for i := range r.Columns {
		if r.Columns[i].Type == types.AclitemArrayOID {
			t.aclAttr = i
		}
	}
	t.facts = sync.OnceValue(func() *factSet {
		if special := specialFacts[r.Name]; special != nil {
			return special(r)
		}
		var list []*functions.FactTable
		for _, name := range []string{r.Name, extraFacts[r.Name]} {
			if f := ownFacts(name); f != nil {
				list = append(list, f)
			} else if f := functions.Facts(name); f != nil {
				list = append(list, f)
			}
		}
		if len(list) == 0 {
			return nil
		}
		return loadFacts(r, list)
	})
	return t
}

// generator hands over the rows of one scan.
type generator struct {
	rt      *exec.Runtime
	view    *catalog.View
	columns int
	name    string
	equal   []exec.VirtualEqual
	yield   func([]column.Datum) bool
	buf     []column.Datum
	done    bool
	xid     int64 // what frozen ids show
}

// Rows implements exec.VirtualTable.
func (t *systemTable) Rows(rt *exec.Runtime, equal []exec.VirtualEqual, yield func(row []column.Datum) bool) error {
	g := &generator{rt: rt, view: rt.Catalog, columns: len(t.relation.Columns), name: t.relation.Name, equal: equal, yield: yield}
	if f := t.facts(); f != nil {
		t.factRows(g, f)
	}
	if t.rows != nil && !g.done {
		t.rows(g)
	}
	return nil
}

// factRows yields the rows of the facts, through the most selective restriction.
func (t *systemTable) factRows(g *generator, f *factSet) {
	if len(g.equal) == 0 {
		for i := range f.rows {
			if !t.factRow(g, f, i) {
				return
			}
		}
		return
	}
	best := f.find(g.equal[0].Attr, g.equal[0].Value)
	for _, q := range g.equal[1:] {
		if list := f.find(q.Attr, q.Value); len(list) < len(best) {
			best = list
		}
	}
	for _, i := range best {
		if !t.factRow(g, f, int(i)) {
			return
		}
	}
}

func (t *systemTable) factRow(g *generator, f *factSet, i int) bool {
	row := f.rows[i]
	if t.aclAttr >= 0 && i < len(f.acl) && f.acl[i] != "" {
		g.buf = append(g.buf[:0], row...)
		g.buf[t.aclAttr] = aclDatum(g.view, parseACL(f.acl[i]))
		row = g.buf
	}
	return g.send(row)
}

func (g *generator) send(row []column.Datum) bool {
	if !g.done && !g.yield(row) {
		g.done = true
	}
	return !g.done
}

// row yields one row made of all its values.
func (g *generator) row(values ...column.Datum) bool {
	if len(values) != g.columns {
		panic("syscat: a row of " + g.name + " has the wrong number of columns")
	}
	return g.send(values)
}

// key returns the value that an OID column is restricted to.
func (g *generator) key(attr int) (OID, bool) {
	for _, q := range g.equal {
		if q.Attr == attr {
			return OID(q.Value.I), true
		}
	}
	return 0, false
}

// text returns the value that a name column is restricted to.
func (g *generator) text(attr int) (string, bool) {
	for _, q := range g.equal {
		if q.Attr == attr {
			return string(q.Value.B), true
		}
	}
	return "", false
}

// each visits the objects of a class: the one that column oidAttr is restricted to, or
// those of the name that nameAttr is restricted to, else all. Built-in relations are
// left out: the facts have them.
func each[T catalog.Object](g *generator, class catalog.Class, oidAttr, nameAttr int, fn func(T) bool) {
	visit := func(o catalog.Object) bool {
		x, ok := o.(T)
		if !ok || class == catalog.ClassRelation && o.Head().OID < catalog.FirstUserOID {
			return true
		}
		return fn(x) && !g.done
	}
	if oid, ok := g.key(oidAttr); ok {
		if o := g.view.Get(class, oid); o != nil {
			visit(o)
		}
		return
	}
	if name, ok := g.text(nameAttr); ok && nameAttr >= 0 && class != catalog.ClassFunction {
		for _, schema := range g.schemasOf(class) {
			if o := g.view.ByName(class, schema, name); o != nil && o.Class() == class && !visit(o) {
				return
			}
		}
		return
	}
	g.view.Each(class, visit)
}

// schemasOf returns the schemas in which objects of a class can be.
func (g *generator) schemasOf(class catalog.Class) []OID {
	switch class {
	case catalog.ClassDatabase, catalog.ClassRole, catalog.ClassSchema, catalog.ClassExtension:
		return []OID{0}
	}
	var list []OID
	g.view.Each(catalog.ClassSchema, func(o catalog.Object) bool {
		list = append(list, o.Head().OID)
		return true
	})
	return list
}

// frozen is the transaction id before which everything is final: no row of ours ever
// needs freezing, so age() stays small.
func (g *generator) frozen() column.Datum {
	if g.xid == 0 && g.rt.DB != nil {
		xmin, _, _ := g.rt.DB.XIDRange()
		g.xid = max(3, int64(uint32(xmin)))
	}
	return num(g.xid)
}

// objectClasses maps the classes of descriptors to the system tables of their rows.
var objectClasses = map[catalog.Class]OID{catalog.ClassDatabase: 1262, catalog.ClassRole: 1260, catalog.ClassSchema: 2615,
	catalog.ClassRelation: pgClassOID, catalog.ClassSequence: pgClassOID, catalog.ClassIndex: pgClassOID, catalog.ClassType: 1247,
	catalog.ClassFunction: 1255, catalog.ClassExtension: 3079, catalog.ClassOperator: 2617, catalog.ClassAggregate: 1255,
	catalog.ClassCast: 2605, catalog.ClassCollation: 3456, catalog.ClassPolicy: 3256, catalog.ClassDefaultACL: 826}

const pgClassOID OID = 1259

// aclDatum prints privileges as aclitem[]; NULL for the defaults.
func aclDatum(v *catalog.View, list []catalog.ACLItem) column.Datum {
	if list == nil {
		return null
	}
	out := make([]string, len(list))
	for i, a := range list {
		out[i] = aclText(v, a)
	}
	return stringArray(types.AclitemOID, out)
}

// privilegeLetters are aclitem's letters by bit.
const privilegeLetters = "arwdDxtXUCTcsA"

// aclText prints one item: grantee=privileges/grantor.
func aclText(v *catalog.View, a catalog.ACLItem) string {
	var b strings.Builder
	if a.Grantee != 0 {
		b.WriteString(aclName(v, a.Grantee))
	}
	b.WriteByte('=')
	for i := range len(privilegeLetters) {
		if a.Privileges&(1<<i) != 0 {
			b.WriteByte(privilegeLetters[i])
			if a.GrantOptions&(1<<i) != 0 {
				b.WriteByte('*')
			}
		}
	}
	b.WriteByte('/')
	b.WriteString(aclName(v, a.Grantor))
	return b.String()
}

func aclName(v *catalog.View, role OID) string {
	r := v.Role(role)
	if r == nil {
		return num32(role)
	}
	for _, c := range r.Name {
		if c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return `"` + strings.ReplaceAll(r.Name, `"`, `""`) + `"`
		}
	}
	return r.Name
}

// privilegeBits reads aclitem's letters, grant options left out.
func privilegeBits(letters string) uint32 {
	var bits uint32
	for _, c := range letters {
		if i := strings.IndexRune(privilegeLetters, c); i >= 0 {
			bits |= 1 << i
		}
	}
	return bits
}
