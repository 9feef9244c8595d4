package planner

import (
	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// columnOwner is the relation that a column is written for.
type columnOwner struct {
	name  string
	typed bool // CREATE TABLE … OF
}

// columnDef binds a column of CREATE TABLE, ADD COLUMN or a composite type.
func (b *binder) columnDef(c *pg.ColumnDef, owner columnOwner) *plan.ColumnDef {
	d := &plan.ColumnDef{Name: c.Colname, Storage: c.StorageName, Compression: c.Compression, Pos: b.at(c.Location), NotNull: c.IsNotNull}
	if c.TypeName != nil {
		d.Dims = len(c.TypeName.ArrayBounds)
		d.Type = b.columnType(c.TypeName)
		d.Collation = d.Type.Type.Collation
	}
	if c.CollClause != nil {
		if c.TypeName != nil && d.Collation == 0 {
			b.failf(int(c.CollClause.Location), pgerr.DatatypeMismatch, "collations are not supported by type %s", b.typeName(d.Type.Type.OID))
		}
		d.Collation = b.collation(names(c.CollClause.Collname), int(c.CollClause.Location))
	}
	d.Default = b.raw(c.RawDefault)
	w := columnClauses{b: b, d: d, owner: owner, wrote: d.NotNull}
	for _, n := range c.Constraints {
		w.clause(n.GetConstraint())
	}
	if d.Type.Serial != "" { // stands for a default and NOT NULL, behind what is written
		w.has(d.Default != nil, -1, "multiple default values specified")
		w.serial = true
		w.exclusive(-1)
		w.null(true, -1)
	}
	return d
}

// columnClauses collects the clauses of one column and refuses those that contradict each other.
type columnClauses struct {
	b      *binder
	d      *plan.ColumnDef
	owner  columnOwner
	wrote  bool                // NULL or NOT NULL was given
	serial bool                // the type brings a default
	last   *plan.ConstraintDef // that DEFERRABLE and its like speak of
}

// has fails when a clause that can stand once was there already.
func (w *columnClauses) has(already bool, pos int, what string) {
	if already {
		w.b.failf(pos, pgerr.SyntaxError, "%s for column \"%s\" of table \"%s\"", what, w.d.Name, w.owner.name)
	}
}

// null notes NULL, NOT NULL, or a clause that means the latter.
func (w *columnClauses) null(not bool, pos int) {
	w.has(w.wrote && w.d.NotNull != not, pos, "conflicting NULL/NOT NULL declarations")
	w.wrote, w.d.NotNull = true, not
}

// exclusive refuses a second way of filling the column.
func (w *columnClauses) exclusive(pos int) {
	value, identity, generated := w.d.Default != nil || w.serial, w.d.Identity != 0, w.d.Generated != nil
	w.has(value && identity, pos, "both default and identity specified")
	w.has(value && generated, pos, "both default and generation expression specified")
	w.has(identity && generated, pos, "both identity and generation expression specified")
}

func (w *columnClauses) clause(x *pg.Constraint) {
	b, d, pos := w.b, w.d, int(x.Location)
	switch x.Contype {
	case pg.ConstrType_CONSTR_NULL:
		w.null(false, pos)
	case pg.ConstrType_CONSTR_NOTNULL:
		w.null(true, pos)
		w.last = nil
	case pg.ConstrType_CONSTR_DEFAULT:
		w.has(d.Default != nil, pos, "multiple default values specified")
		d.Default = b.raw(x.RawExpr)
	case pg.ConstrType_CONSTR_IDENTITY:
		if w.owner.typed {
			b.failf(-1, pgerr.FeatureNotSupported, "identity columns are not supported on typed tables")
		}
		w.has(d.Identity != 0, pos, "multiple identity specifications")
		d.Identity, d.SeqOptions = x.GeneratedWhen[0], b.options(x.Options)
		w.null(true, pos)
	case pg.ConstrType_CONSTR_GENERATED:
		if w.owner.typed {
			b.failf(-1, pgerr.FeatureNotSupported, "generated columns are not supported on typed tables")
		}
		w.has(d.Generated != nil, pos, "multiple generation clauses specified")
		d.Generated = b.raw(x.RawExpr)
	default:
		if b.attribute(x, w.last) {
			return
		}
		w.last = b.constraint(x)
		if len(w.last.Columns) == 0 && w.last.Kind != 'c' {
			w.last.Columns = []string{d.Name}
		}
		d.Constraints = append(d.Constraints, w.last)
	}
	w.exclusive(pos)
}
