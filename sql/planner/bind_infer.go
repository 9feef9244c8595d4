package planner

import (
	"slices"

	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// arbiters binds what ON CONFLICT names, and returns what finds the unique indexes that it means.
func (s *scope) arbiters(x *pg.InferClause, table *catalog.Relation) func() []OID {
	b := s.b
	if x.Conname != "" {
		for _, c := range table.Constraints {
			if c.Name != x.Conname {
				continue
			}
			if c.Kind != 'p' && c.Kind != 'u' {
				b.failf(-1, pgerr.WrongObjectType, "constraint in ON CONFLICT clause has no associated index")
			}
			return func() []OID { return []OID{c.Index} }
		}
		name := table.Name
		if s.view != nil {
			name = s.view.view.Name
		}
		b.failf(-1, pgerr.UndefinedObject, "constraint \"%s\" for table \"%s\" does not exist", x.Conname, name)
	}
	var list []inferElem
	for _, n := range x.IndexElems {
		list = append(list, s.inferElem(n.GetIndexElem(), int(x.Location)))
	}
	var where plan.Expr
	if x.WhereClause != nil {
		where = within(s, inIndexPred, func() plan.Expr { return b.coerceBool(s, s.expr(x.WhereClause), "WHERE") })
		unfree(where)
		b.collate(where)
	}
	return func() []OID {
		var out []OID
		for _, oid := range table.Indexes {
			ix := b.env.Catalog.Index(oid)
			if ix != nil && ix.Unique && ix.Valid && s.arbitrates(ix, list, where) {
				out = append(out, oid)
			}
		}
		if len(out) == 0 {
			b.failf(-1, pgerr.InvalidColumnReference, "there is no unique or exclusion constraint matching the ON CONFLICT specification")
		}
		return out
	}
}

// inferElem is one element of ON CONFLICT (…).
type inferElem struct {
	column    int16
	expr      plan.Expr          // when it is no column
	collation OID                // asked for; 0: any
	class     *functions.Opclass // asked for; nil: any
}

func (s *scope) inferElem(e *pg.IndexElem, pos int) inferElem {
	b := s.b
	switch {
	case e.Ordering > pg.SortByDir_SORTBY_DEFAULT:
		b.failf(pos, pgerr.InvalidColumnReference, "ASC/DESC is not allowed in ON CONFLICT clause")
	case e.NullsOrdering > pg.SortByNulls_SORTBY_NULLS_DEFAULT:
		b.failf(pos, pgerr.InvalidColumnReference, "NULLS FIRST/LAST is not allowed in ON CONFLICT clause")
	}
	var out inferElem
	if e.Expr == nil {
		v := s.findColumn(e.Name, pos, true)
		if v == nil {
			s.missingColumn("", e.Name, pos)
		}
		at := v.(*plan.Var).Attr
		out.column = int16(at + 1)
		if at < 0 {
			out.column = -1 // no index has it
		}
	} else {
		out.expr = within(s, inIndexExpr, func() plan.Expr { return s.expr(e.Expr) })
		unfree(out.expr)
		b.collate(out.expr) // as the index's own expression is
		if v, ok := bare(out.expr).(*plan.Var); ok && v.Attr >= 0 && plan.Same(v, out.expr) {
			out.column, out.expr = int16(v.Attr+1), nil
		}
	}
	if len(e.Collation) > 0 {
		out.collation = b.collation(names(e.Collation), pos)
	}
	if len(e.Opclass) > 0 {
		out.class = b.inferClass(names(e.Opclass))
	}
	return out
}

// arbitrates reports whether an index has exactly the elements that ON CONFLICT lists: every plain
// column of it and no other, and each of its expressions among them.
func (s *scope) arbitrates(ix *catalog.Index, list []inferElem, where plan.Expr) bool {
	asked := map[int16]bool{}
	for _, e := range list {
		if e.column != 0 {
			asked[e.column] = true
		}
	}
	have := map[int16]bool{}
	var exprs []plan.Expr
	for i := range ix.Keys {
		if k := &ix.Keys[i]; k.Column != 0 {
			have[k.Column] = true
		} else {
			exprs = append(exprs, s.b.decodeExpr(k.Expr))
		}
	}
	if len(have) != len(asked) {
		return false
	}
	for c := range have {
		if !asked[c] {
			return false
		}
	}
	for _, e := range list {
		if !s.inferMatches(ix, &e) {
			return false
		}
	}
	for _, x := range exprs {
		if !slices.ContainsFunc(list, func(e inferElem) bool { return e.expr != nil && plan.Same(e.expr, x) }) {
			return false
		}
	}
	return ix.Predicate == nil || where != nil && s.impliesStored(where, ix.Predicate)
}

// inferMatches looks for the key of an index that an element means, with the collation and the operator class
// that it asks for.
func (s *scope) inferMatches(ix *catalog.Index, e *inferElem) bool {
	if e.expr == nil && e.collation == 0 && e.class == nil {
		return true // the columns were compared as sets
	}
	return slices.ContainsFunc(ix.Keys, func(k catalog.IndexKey) bool {
		switch {
		case e.collation != 0 && k.Collation != e.collation, e.class != nil && !s.b.hasClass(&k, e.class):
			return false
		case e.expr == nil:
			return k.Column == e.column
		}
		return k.Column == 0 && plan.Same(s.b.decodeExpr(k.Expr), e.expr)
	})
}

// impliesStored reports whether a condition implies the predicate of an index.
func (s *scope) impliesStored(where plan.Expr, predicate []byte) bool {
	f := &folder{l: &level{o: &optimizer{env: s.b.env}}}
	have, want := f.simplify(where), f.simplify(s.b.decodeExpr(predicate))
	return f.err == nil && prover{s.b.env}.implied(conjuncts(have), want)
}

// inferClass looks an operator class up by name.
func (b *binder) inferClass(parts []string) *functions.Opclass {
	name := parts[len(parts)-1]
	c := functions.OpclassByName(functions.BtreeAM, name)
	if c == nil {
		b.failf(-1, pgerr.UndefinedObject, "operator class \"%s\" does not exist for access method \"btree\"", name)
	}
	return c
}

// hasClass reports whether a key of an index is ordered as an operator class says.
func (b *binder) hasClass(k *catalog.IndexKey, want *functions.Opclass) bool {
	have := functions.OpclassByOID(k.OpClass)
	if have == nil {
		have = functions.DefaultOpclass(b.env.Types, functions.BtreeAM, k.Type)
	}
	return have != nil && have.Family == want.Family && have.InType == want.InType
}
