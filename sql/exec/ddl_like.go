package exec

import (
	"errors"
	"slices"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// The bits of LIKE … INCLUDING, as the grammar sets them.
const (
	likeComments    = 1 << 0
	likeCompression = 1 << 1
	likeConstraints = 1 << 2
	likeDefaults    = 1 << 3
	likeGenerated   = 1 << 4
	likeIdentity    = 1 << 5
	likeIndexes     = 1 << 6
	likeStatistics  = 1 << 7
	likeStorage     = 1 << 8
)

// like copies the columns of another relation, and what INCLUDING asks for.
func (w *tableWork) like(l plan.LikeClause) error {
	d := w.d
	src, err := d.likeSource(l.Table)
	if err != nil {
		return err
	}
	moved := map[int]int{} // attributes
	for i := range src.Columns {
		c := src.Columns[i]
		if c.Dropped {
			continue
		}
		c.Missing, c.HasMissing, c.ACL, c.Sequence, c.Inherited, c.Local = column.Datum{}, false, nil, 0, false, false
		keep := l.Options&likeDefaults != 0
		if c.Generated != 0 {
			keep = l.Options&likeGenerated != 0
		}
		if l.Options&likeComments == 0 {
			c.Comment = ""
		}
		if l.Options&likeStorage == 0 {
			c.Storage = 0
		}
		if l.Options&likeCompression == 0 {
			c.Compression = 0
		}
		c.Dims = 0
		identity := c.Identity
		if !keep {
			c.Default, c.Depends, c.Generated = nil, nil, 0
		}
		c.Identity = 0
		at, err := w.placeColumn(c)
		if err != nil {
			return err
		}
		moved[i] = at
		if identity != 0 && l.Options&likeIdentity != 0 {
			w.rel.Columns[at].Identity = identity
			def := &plan.ColumnDef{Name: c.Name, Identity: identity, Type: plan.TypeName{Type: plan.Type{OID: c.Type}}}
			if s := d.view.Sequence(src.Columns[i].Sequence); s != nil {
				def.SeqOptions = sequenceOptionsOf(s)
			}
			if err := w.ownSequence(at, def); err != nil {
				return err
			}
		}
	}
	for from, to := range moved {
		if c := &w.rel.Columns[to]; c.Generated != 0 {
			if c.Default, err = d.moveColumns(c.Default, moved); err != nil {
				return err
			}
			c.Depends = moveDepends(src.Columns[from].Depends, src, w.rel, moved)
		}
	}
	if l.Options&likeConstraints != 0 {
		if err := w.likeChecks(l, src, moved); err != nil {
			return err
		}
	}
	if l.Options&likeStatistics != 0 {
		if err := w.likeExtended(src, moved, l.Options&likeComments != 0); err != nil {
			return err
		}
	}
	if l.Options&likeIndexes != 0 {
		return w.likeIndexes(src, moved, l.Options&likeComments != 0)
	}
	return nil
}

// likeSource finds and locks what LIKE names.
func (d *ddl) likeSource(name plan.QName) (*catalog.Relation, error) {
	if o := d.find(catalog.ClassRelation, name); o != nil && (o.Class() == catalog.ClassSequence || o.Class() == catalog.ClassIndex) {
		what := "sequences"
		if o.Class() == catalog.ClassIndex {
			what = "indexes"
		}
		return nil, pgerr.New(pgerr.WrongObjectType, "relation \"%s\" is invalid in LIKE clause", o.Head().Name).
			WithDetail("This operation is not supported for %s.", what).At(name.Pos)
	}
	r, err := d.lockRelation(name, engine.LockAccessShare)
	var e *pgerr.Error
	if errors.As(err, &e) && e.Code == pgerr.UndefinedTable {
		e.At(name.Pos)
	}
	return r, err
}

// likeChecks copies the check constraints of LIKE's table.
func (w *tableWork) likeChecks(l plan.LikeClause, src *catalog.Relation, moved map[int]int) error {
	for _, c := range src.Constraints {
		if c.Kind != 'c' {
			continue
		}
		err := w.wholeRow(src, c.Expr, "Constraint", c.Name)
		if err != nil {
			return err
		}
		if c.Expr, err = w.d.moveColumns(c.Expr, moved); err != nil {
			return err
		}
		if c.OID, err = w.d.view.NewOID(); err != nil {
			return err
		}
		c.Columns, c.Depends = moveNumbers(c.Columns, moved), moveDepends(c.Depends, src, w.rel, moved)
		c.Validated = true // whatever it is there: this table has no rows yet
		if l.Options&likeComments == 0 {
			c.Comment = ""
		}
		if have := constraintNamed(w.rel, c.Name); have != nil {
			if err := w.mergeCheck(have, c.Expr, false, c.NoInherit, true); err != nil {
				return err
			}
			if c.Comment != "" {
				have.Comment = c.Comment
			}
			continue
		}
		w.rel.Constraints = append(w.rel.Constraints, c)
	}
	return nil
}

// likeIndexes copies the indexes of LIKE's table, those of keys as constraints.
func (w *tableWork) likeIndexes(src *catalog.Relation, moved map[int]int, comments bool) error {
	for _, i := range w.d.view.IndexesOf(src) {
		comment := ""
		if comments {
			comment = i.Comment
		}
		if i.Constraint == 0 {
			if err := w.likeIndex(i, src, moved, comment); err != nil {
				return err
			}
			continue
		}
		def := &plan.ConstraintDef{Kind: 'u', Deferrable: !i.Immediate, NullsNotDistinct: i.NullsNotDistinct}
		if i.Primary {
			def.Kind = 'p'
		}
		if con := constraintOf(src, i.Constraint); con != nil {
			def.Deferred = con.Deferred
		}
		for _, k := range i.Keys {
			def.Columns = append(def.Columns, src.Columns[k.Column-1].Name)
		}
		for _, n := range i.Include {
			def.Include = append(def.Include, src.Columns[n-1].Name)
		}
		w.defs = append(w.defs, pendingConstraint{def: def, comment: comment})
	}
	return nil
}

// likeIndex notes an index that is no constraint's, to be made when the table has its keys.
func (w *tableWork) likeIndex(i *catalog.Index, src *catalog.Relation, moved map[int]int, comment string) error {
	s := indexSpec{method: i.Method, unique: i.Unique, notDistinct: i.NullsNotDistinct, immediate: true, keys: slices.Clone(i.Keys),
		include: moveNumbers(i.Include, moved), comment: comment, options: i.Options, depends: moveDepends(i.Depends, src, w.rel, moved)}
	var err error
	for n := range s.keys {
		k := &s.keys[n]
		if k.Column > 0 {
			k.Column = moveNumbers([]int16{k.Column}, moved)[0]
			continue
		}
		if err := w.wholeRow(src, k.Expr, "Index", i.Name); err != nil {
			return err
		}
		if k.Expr, err = w.d.moveColumns(k.Expr, moved); err != nil {
			return err
		}
	}
	if i.Predicate != nil {
		if err := w.wholeRow(src, i.Predicate, "Index", i.Name); err != nil {
			return err
		}
		if s.predicate, err = w.d.moveColumns(i.Predicate, moved); err != nil {
			return err
		}
	}
	w.copies = append(w.copies, s)
	return nil
}

// addCopies makes the indexes that LIKE copies, under names of this table.
func (w *tableWork) addCopies() error {
	for _, s := range w.copies {
		var include []string
		for _, n := range s.include {
			include = append(include, w.rel.Columns[n-1].Name)
		}
		s.name = w.d.relationNameFor(w.rel.Name, indexNamePart(s.keys, include), "idx", w.rel.Schema, false, w.names)
		if _, err := w.addIndex(s); err != nil {
			return err
		}
	}
	return nil
}

// moveNumbers translates attribute numbers by moved, which is of attributes.
func moveNumbers(nums []int16, moved map[int]int) []int16 {
	out := make([]int16, len(nums))
	for i, n := range nums {
		out[i] = int16(moved[int(n)-1] + 1)
	}
	return out
}
