package exec

import (
	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// retentionOption returns a retention's option in the form of reloptions, "" if
// it is another option. pg_dump writes the name as one quoted identifier.
func retentionOption(o plan.Option) string {
	name := o.Name
	if o.Namespace != "" {
		name = o.Namespace + "." + o.Name
	}
	if name != catalog.RetentionTTL && name != catalog.RetentionColumn {
		return ""
	}
	return name + "=" + plan.OptionText(o.Value)
}

// checkRetention refuses a retention that cannot be kept.
func (d *ddl) checkRetention(r *catalog.Relation) error {
	keep, ok := r.Retention()
	if !ok {
		return nil
	}
	if keep.TTL == "" || keep.Column == "" {
		return pgerr.New(pgerr.InvalidParameterValue, "options \"%s\" and \"%s\" must be set together", catalog.RetentionTTL, catalog.RetentionColumn)
	}
	if r.Kind != catalog.KindTable {
		return pgerr.New(pgerr.WrongObjectType, "retention is for tables, \"%s\" is none", r.Name)
	}
	if r.Persistence == 't' {
		return pgerr.New(pgerr.InvalidTableDefinition, "temporary tables cannot have a retention")
	}
	if err := d.checkTTL(keep.TTL); err != nil {
		return err
	}
	col := columnNamed(r, keep.Column)
	if col == nil {
		return undefinedColumn(keep.Column, r.Name)
	}
	switch col.Type {
	case types.TimestampOID, types.TimestamptzOID, types.DateOID:
	default:
		return pgerr.New(pgerr.DatatypeMismatch, "retention column \"%s\" is of type %s", col.Name, d.env.TypeName(col.Type)).
			WithHint("Use a column of type timestamp, timestamp with time zone or date.")
	}
	for _, fk := range d.view.ReferencedBy(r.OID) {
		return retentionReferenced(r, fk.Table.Name, fk.Constraint.Name)
	}
	for i := range r.Constraints {
		if c := &r.Constraints[i]; c.Kind == 'f' && c.RefTable == r.OID {
			return retentionReferenced(r, r.Name, c.Name)
		}
	}
	return nil
}

// checkTTL refuses what is not a time span above zero.
func (d *ddl) checkTTL(text string) error {
	v, err := d.env.In(types.IntervalOID, -1, text)
	if err != nil {
		return err
	}
	span := types.IntervalFrom(v)
	if span.Months < 0 || span.Days < 0 || span.Micros < 0 || span == (types.Interval{}) {
		return pgerr.New(pgerr.InvalidParameterValue, "invalid value for option \"%s\": %s", catalog.RetentionTTL, text).
			WithDetail("A retention is a time span above zero.")
	}
	return nil
}

func retentionReferenced(r *catalog.Relation, table, constraint string) error {
	return pgerr.New(pgerr.InvalidTableDefinition, "table \"%s\" cannot have a retention because a foreign key points to it", r.Name).
		WithDetail("Constraint \"%s\" of table \"%s\" references it.", constraint, table)
}

// refuseReference refuses a foreign key to a table with a retention, whose rows go by themselves.
func refuseReference(ref *catalog.Relation) error {
	if _, ok := ref.Retention(); ok {
		return pgerr.New(pgerr.InvalidForeignKey, "foreign keys cannot reference table \"%s\" because it has a retention", ref.Name).
			WithHint("Reset the table's options \"%s\" and \"%s\" first.", catalog.RetentionTTL, catalog.RetentionColumn)
	}
	return nil
}

// makeIndexStore makes an index's store, with the horizon of its table.
func (d *ddl) makeIndexStore(r *catalog.Relation, i *catalog.Index) error {
	if err := d.rt.Txn.CreateStore(catalog.IndexStore(d.env, r, i)); err != nil {
		return err
	}
	attr, before, ok := d.rt.DB.Horizon(engine.StoreID(r.Store))
	if !ok || i.Retain == 0 || attr != int(i.Retain)-1 {
		return nil
	}
	return d.rt.Txn.MoveHorizon(engine.StoreID(i.Store), len(i.Stored()), before)
}

// changeRetention follows a change of the table's retention where the stores
// stay: indexes get the column by which their entries expire, and a horizon
// that was moved for another retention hides nothing that is written from now on.
func (w *alterWork) changeRetention() error {
	d := w.d
	was, had := w.old.Retention()
	if now, has := w.rel.Retention(); has == had && now == was {
		return nil
	}
	if had {
		if err := d.rt.Txn.EndHorizon(engine.StoreID(w.rel.Store)); err != nil {
			return err
		}
	}
	num := w.rel.RetentionNumber()
	for _, i := range d.view.IndexesOf(w.rel) {
		var err error
		switch {
		case i.Store == 0:
		case num != 0 && i.Retain != num:
			err = d.rebuildIndex(w.rel, i)
		case had:
			err = d.rt.Txn.EndHorizon(engine.StoreID(i.Store))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
