package plan

import "github.com/omendb/omendb/sql/catalog"

// StoredKind says what a stored expression is for; it decides what the expression may hold.
type StoredKind uint8

// The uses of stored expressions.
const (
	StoredDefault     StoredKind = iota // DEFAULT: no columns; coerced to the column's type
	StoredGenerated                     // GENERATED ALWAYS AS: immutable; coerced to the column's type
	StoredCheck                         // CHECK of a table
	StoredDomainCheck                   // CHECK of a domain: VALUE is a CaseTest of the base type
	StoredIndexKey                      // an index expression: immutable
	StoredPredicate                     // of a partial index: immutable, boolean
	StoredStatistics                    // of CREATE STATISTICS
	StoredArgument                      // DEFAULT of a function's argument
	StoredUsing                         // ALTER COLUMN TYPE … USING; a nil tree is the column itself
)

// StoredRequest asks the binder for a stored expression.
type StoredRequest struct {
	Kind   StoredKind
	Raw    RawExpr
	Table  *catalog.Relation // whose columns the expression may use, nil for defaults and domains
	Column string            // the column that it is for, in messages
	Type   Type              // to coerce to; of a domain check: the base type
}

// Stored is a bound expression in the form that descriptors keep.
type Stored struct {
	Expr    Expr
	Encoded []byte
	Type    Type
	Columns []int16 // attributes that it uses, ascending
	Depends []catalog.Dependency
	Mutable byte // 'i' immutable, 's' stable, 'v' volatile: the worst function in it
}

// Dependencies lists the user objects that an expression over a table's columns (Var of
// level 0, relation 0) needs. Table is 0 when the columns are no dependency of their own.
func Dependencies(e Expr, table OID) []catalog.Dependency {
	c := dependencies{seen: map[catalog.Dependency]bool{}}
	c.expr(e, [][]*Rel{{{Kind: RelTable, Table: &catalog.Relation{Meta: catalog.Meta{OID: table}}}}})
	return c.list
}

// QueryDependencies lists the user objects that a bound query needs: tables and views with the
// columns that are used, functions, types and sequences.
func QueryDependencies(q *Query) []catalog.Dependency {
	c := dependencies{seen: map[catalog.Dependency]bool{}}
	c.query(q, nil)
	return c.list
}

type dependencies struct {
	list []catalog.Dependency
	seen map[catalog.Dependency]bool
}

func (c *dependencies) add(class catalog.Class, oid OID, sub int16) {
	d := catalog.Dependency{Class: class, OID: oid, Sub: sub}
	if oid >= catalog.FirstUserOID && !c.seen[d] {
		c.seen[d] = true
		c.list = append(c.list, d)
	}
}

// query visits a query; outer are the range tables of the levels around it, innermost first.
func (c *dependencies) query(q *Query, outer [][]*Rel) {
	levels := append([][]*Rel{q.Rels}, outer...)
	for _, r := range q.Rels {
		switch {
		case r.Kind == RelTable:
			c.add(catalog.ClassRelation, r.Table.OID, 0)
		case r.FromView != 0:
			c.add(catalog.ClassRelation, r.FromView, 0)
		}
	}
	for _, oid := range q.KeyIndexes {
		c.add(catalog.ClassIndex, oid, 0)
	}
	skip := map[*Query]bool{}
	for _, r := range q.Rels {
		if r.FromView != 0 {
			skip[r.Query] = true // the view's own affair
		}
	}
	WalkQuery(q, func(e Expr) bool {
		c.node(e, levels)
		return true
	}, func(sub *Query) {
		if sub != nil && !skip[sub] {
			c.query(sub, levels)
		}
	})
}

func (c *dependencies) expr(e Expr, levels [][]*Rel) {
	Walk(e, func(x Expr) bool {
		c.node(x, levels)
		if s, ok := x.(*SubLink); ok {
			c.query(s.Query, levels)
		}
		return true
	})
}

func (c *dependencies) node(e Expr, levels [][]*Rel) {
	c.add(catalog.ClassType, e.ResultType().OID, 0)
	switch x := e.(type) {
	case *Var:
		if x.Level >= len(levels) || x.Rel >= len(levels[x.Level]) || x.Attr < 0 {
			return
		}
		switch r := levels[x.Level][x.Rel]; {
		case r.Kind == RelTable && r.Table != nil:
			c.add(catalog.ClassRelation, r.Table.OID, int16(x.Attr+1))
		case r.FromView != 0:
			c.add(catalog.ClassRelation, r.FromView, int16(x.Attr+1))
		}
	case *Call:
		c.add(catalog.ClassFunction, x.Func.OID, 0)
	case *Agg:
		c.add(catalog.ClassFunction, x.Func.OID, 0)
	case *WindowCall:
		c.add(catalog.ClassFunction, x.Func.OID, 0)
	case *NextValue:
		c.add(catalog.ClassSequence, x.Sequence, 0)
	case *Const:
		if x.Typ.OID == regclassOID && !x.Value.Null {
			// A regclass names a sequence or a relation; whichever does not exist has no dependents.
			c.add(catalog.ClassSequence, OID(x.Value.I), 0)
			c.add(catalog.ClassRelation, OID(x.Value.I), 0)
		}
	}
}

const regclassOID OID = 2205
