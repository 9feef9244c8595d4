package syscat

import (
	"strings"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/types"
)

// PostgreSQL checks foreign keys by four triggers each, and deferrable unique keys by one, which its catalog lists
// as internal ones. Ours are checked by the executor and listed all the same: clients count on them, dumps leave them out.

// The events of pg_trigger.tgtype.
const (
	triggerRow    = 1
	triggerInsert = 4
	triggerDelete = 8
	triggerUpdate = 16
)

// foreignKeyTriggers are the triggers of a foreign key in the order of their OIDs.
var foreignKeyTriggers = []struct {
	events   int
	referred bool                             // it is on the table that is referred to
	action   func(c *catalog.Constraint) byte // what happens there; nil: the check
}{
	{triggerDelete, true, func(c *catalog.Constraint) byte { return orChar(c.OnDelete, 'a') }},
	{triggerUpdate, true, func(c *catalog.Constraint) byte { return orChar(c.OnUpdate, 'a') }},
	{triggerInsert, false, nil},
	{triggerUpdate, false, nil},
}

// actionFunctions are the OIDs of the functions of an action on deletion; that on update follows.
var actionFunctions = map[byte]OID{'c': 1646, 'r': 1648, 'n': 1650, 'd': 1652, 'a': 1654}

// checkFunction is the OID of RI_FKey_check_ins, RI_FKey_check_upd follows.
const checkFunction OID = 1644

// triggerOID gives the i-th trigger of a foreign key an identity, unique as long as there are fewer than a
// billion objects.
func triggerOID(c *catalog.Constraint, i int) OID { return c.OID*OID(len(foreignKeyTriggers)) + OID(i) }

// recheckFunction is the OID of unique_key_recheck.
const recheckFunction OID = 1250

// recheckTrigger reports whether a constraint has a trigger that looks for duplicates again.
func recheckTrigger(c *catalog.Constraint) bool {
	return (c.Kind == 'u' || c.Kind == 'p') && c.Deferrable
}

// triggerRows yields the triggers of the constraints that tables have.
func triggerRows(g *generator) {
	each(g, catalog.ClassRelation, -1, -1, func(r *catalog.Relation) bool {
		for k := range r.Constraints {
			c := &r.Constraints[k]
			if recheckTrigger(c) {
				oid := triggerOID(c, 0)
				if !g.row(num(oid), num(r.OID), num(0), str(triggerName(c, 0)), num(recheckFunction), num(triggerRow|triggerInsert|triggerUpdate),
					num(byte('O')), flag(true), num(0), num(c.Index), num(c.OID), flag(true), flag(c.Deferred), num(0),
					vector(types.Int2OID, []int16(nil)), column.BytesDatum([]byte{}), null, null, null) {
					return false
				}
			}
			for i := range foreignKeyTriggers {
				if c.Kind == 'f' && !foreignKeyTriggerRow(g, r, c, i) {
					return false
				}
			}
		}
		return true
	})
}

func foreignKeyTriggerRow(g *generator, r *catalog.Relation, c *catalog.Constraint, i int) bool {
	t := &foreignKeyTriggers[i]
	function, deferrable, deferred := checkFunction, c.Deferrable, c.Deferred
	table, other := r.OID, c.RefTable
	if t.referred {
		action := t.action(c)
		function = actionFunctions[action]
		table, other = c.RefTable, r.OID
		deferrable, deferred = deferrable && action == 'a', deferred && action == 'a'
	}
	if t.events == triggerUpdate {
		function++
	}
	oid := triggerOID(c, i)
	return g.row(num(oid), num(table), num(0), str(triggerName(c, i)), num(function), num(triggerRow|t.events),
		num(byte('O')), flag(true), num(other), num(c.Index), num(c.OID), flag(deferrable), flag(deferred), num(0),
		vector(types.Int2OID, []int16(nil)), column.BytesDatum([]byte{}), null, null, null)
}

// triggerName returns the name of the i-th trigger of a constraint.
func triggerName(c *catalog.Constraint, i int) string {
	kind := "RI_ConstraintTrigger_c_"
	switch {
	case c.Kind != 'f':
		kind = "Unique_ConstraintTrigger_"
	case foreignKeyTriggers[i].referred:
		kind = "RI_ConstraintTrigger_a_"
	}
	return kind + num32(triggerOID(c, i))
}

// triggerOf returns the constraint of a trigger, with its table, and which of its triggers it is; nil when there is none.
func (f Functions) triggerOf(oid OID) (table *catalog.Relation, found *catalog.Constraint, at int) {
	f.World.View().Relations(func(r *catalog.Relation) bool {
		for k := range r.Constraints {
			c := &r.Constraints[k]
			i := int(oid) - int(triggerOID(c, 0))
			if c.Kind == 'f' && i >= 0 && i < len(foreignKeyTriggers) || recheckTrigger(c) && i == 0 {
				table, found, at = r, c, i
			}
		}
		return table == nil
	})
	return table, found, at
}

// triggerDef is pg_get_triggerdef.
func (f Functions) triggerDef(oid OID, pretty bool) datum {
	r, c, i := f.triggerOf(oid)
	switch {
	case r == nil:
		return null
	case c.Kind == 'f':
		return str(f.foreignKeyTrigger(r, c, i, pretty))
	}
	deferred := map[bool]string{true: "DEFERRED", false: "IMMEDIATE"}[c.Deferred]
	return str("CREATE CONSTRAINT TRIGGER " + f.quote(triggerName(c, i)) + " AFTER INSERT OR UPDATE ON " +
		f.qualified(catalog.ClassRelation, &r.Meta, !pretty) + " DEFERRABLE INITIALLY " + deferred + " FOR EACH ROW EXECUTE FUNCTION unique_key_recheck()")
}

func (f Functions) foreignKeyTrigger(r *catalog.Relation, c *catalog.Constraint, i int, pretty bool) string {
	t := &foreignKeyTriggers[i]
	other := f.World.View().Relation(c.RefTable)
	function := checkFunction
	deferrable, deferred := c.Deferrable, c.Deferred
	table := r
	if t.referred {
		action := t.action(c)
		function = actionFunctions[action]
		deferrable, deferred = deferrable && action == 'a', deferred && action == 'a'
		table, other = other, r
	}
	event := map[int]string{triggerInsert: "INSERT", triggerDelete: "DELETE", triggerUpdate: "UPDATE"}[t.events]
	if t.events == triggerUpdate {
		function++
	}
	var b strings.Builder
	b.WriteString("CREATE CONSTRAINT TRIGGER " + f.quote(triggerName(c, i)) + " AFTER " + event)
	b.WriteString(" ON " + f.qualified(catalog.ClassRelation, &table.Meta, !pretty))
	b.WriteString(" FROM " + f.qualified(catalog.ClassRelation, &other.Meta, false))
	b.WriteString(map[bool]string{true: " DEFERRABLE", false: " NOT DEFERRABLE"}[deferrable])
	b.WriteString(map[bool]string{true: " INITIALLY DEFERRED", false: " INITIALLY IMMEDIATE"}[deferred])
	b.WriteString(" FOR EACH ROW EXECUTE FUNCTION " + f.quote(f.World.View().Func(function).Name) + "()")
	return b.String()
}
