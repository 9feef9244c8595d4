package syscat

import (
	"embed"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/types"
)

//go:embed data/*.tsv
var dataFiles embed.FS

// ownFacts reads one of this package's files; nil when there is none.
func ownFacts(name string) *functions.FactTable {
	raw, err := dataFiles.ReadFile("data/" + name + ".tsv")
	if err != nil {
		return nil
	}
	return functions.ParseFacts(name, string(raw))
}

// factSet is the rows of a system table that exist from the start.
type factSet struct {
	rows    [][]column.Datum
	acl     []string // the privileges of rows that have some, as initdb's superuser "postgres" grants them; nil: none
	kind    []column.Kind
	columns *columnSet // the rows as columns, privileges left out

	mu    sync.Mutex
	index map[int]*factIndex
}

// by returns the index over an attribute.
func (s *factSet) by(attr int) *factIndex {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.index[attr]
	if x == nil {
		x = newFactIndex(s.kind[attr], len(s.rows), func(r int) column.Datum { return s.rows[r][attr] })
		if s.index == nil {
			s.index = map[int]*factIndex{}
		}
		s.index[attr] = x
	}
	return x
}

// find returns the rows whose attribute has a value.
func (s *factSet) find(attr int, v column.Datum) (rows []int32) {
	x := s.by(attr)
	x.visit(x.chain(v), func(r int) bool {
		rows = append(rows, int32(r))
		return true
	})
	return rows
}

// loadFacts turns the fact tables of a relation into rows. Owners are left out of
// them: everything built in is the first superuser's. Other columns that they
// leave out are NULL.
func loadFacts(r *catalog.Relation, tables []*functions.FactTable) *factSet {
	env := types.NewEnv()
	s := &factSet{kind: make([]column.Kind, len(r.Columns)), columns: newColumnSet(len(r.Columns))}
	for i, c := range r.Columns {
		s.kind[i] = env.Kind(c.Type)
	}
	for _, t := range tables {
		from := make([]int, len(r.Columns))
		for i := range r.Columns {
			from[i] = position(t.Columns, r.Columns[i].Name)
		}
		cells := make([]column.Datum, len(t.Rows)*len(r.Columns))
		for _, row := range t.Rows {
			out := cells[:len(r.Columns):len(r.Columns)]
			cells = cells[len(r.Columns):]
			for i := range r.Columns {
				c := &r.Columns[i]
				switch {
				case from[i] >= 0 && c.Type == types.AclitemArrayOID:
					s.setACL(len(s.rows), row[from[i]])
					out[i] = null
				case from[i] >= 0:
					out[i] = factValue(env, c, row[from[i]])
				case strings.HasSuffix(c.Name, "owner"):
					out[i] = num(catalog.BootstrapSuperuser)
				default:
					out[i] = null
				}
			}
			s.rows = append(s.rows, out)
		}
	}
	return s
}

// aclOf returns the privileges of a row from the start, nil: the defaults.
func (s *factSet) aclOf(row int) []catalog.ACLItem {
	if row >= len(s.acl) {
		return nil
	}
	return catalog.ParseACL(s.acl[row])
}

func (s *factSet) setACL(row int, acl string) {
	if acl == functions.Null {
		return
	}
	for len(s.acl) <= row {
		s.acl = append(s.acl, "")
	}
	s.acl[row] = acl
}

func position(list []string, name string) int {
	for i, s := range list {
		if s == name {
			return i
		}
	}
	return -1
}

// factValue reads one cell.
func factValue(env *types.Env, c *catalog.Column, cell string) column.Datum {
	if cell == functions.Null {
		return null
	}
	switch c.Type {
	case types.TextOID, types.NameOID:
		return str(cell)
	case types.PgNodeTreeOID:
		if strings.HasPrefix(cell, "{") { // the defaults of arguments, as an array
			return textTree(strings.Join(textList(env, cell), ", "))
		}
		return textTree(cell)
	case types.BoolOID:
		return flag(cell == "t")
	case types.CharOID:
		if cell == "" {
			return num(0)
		}
		return num(cell[0])
	}
	if env.Kind(c.Type) == column.Int {
		n, err := strconv.ParseInt(cell, 10, 64)
		if err != nil {
			panic(fmt.Sprintf("syscat: facts: %s: %v", c.Name, err))
		}
		return num(n)
	}
	d, err := env.In(c.Type, -1, cell)
	if err != nil {
		panic(fmt.Sprintf("syscat: facts: %s: %v", c.Name, err))
	}
	return d
}

// textList reads a text array.
func textList(env *types.Env, cell string) []string {
	d, err := env.In(types.TextArrayOID, -1, cell)
	if err != nil {
		panic(fmt.Sprintf("syscat: facts: %v", err))
	}
	var out []string
	for _, e := range types.ArrayFrom(d).Elems {
		out = append(out, e.String())
	}
	return out
}
