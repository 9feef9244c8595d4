package exec

import (
	"math"
	"strings"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

func (d *ddl) createSequence(c *plan.CreateSequence) error {
	schema, temp, err := d.creationSchema(c.Name, c.Persistence == 't')
	if err != nil {
		return err
	}
	if ok, err := d.claimRelationName(schema, c.Name.Name, c.IfNotExists); !ok {
		return err
	}
	persist := c.Persistence
	if temp {
		persist = 't'
	}
	_, err = d.makeSequence(&catalog.Sequence{
		Meta: catalog.Meta{Name: c.Name.Name, Schema: schema, Owner: d.bind.User()}, Persistence: persist, Type: types.Int8OID,
	}, c.Options)
	return err
}

// makeSequence applies the options to a new sequence and creates it.
func (d *ddl) makeSequence(s *catalog.Sequence, opts []plan.Option) (*catalog.Sequence, error) {
	restart, err := d.sequenceOptions(s, opts, true)
	if err != nil {
		return nil, err
	}
	if len(d.reserved) > 0 {
		s.OID, d.reserved = d.reserved[0], d.reserved[1:]
	} else if s.OID, err = d.view.NewOID(); err != nil {
		return nil, err
	}
	s.Store = uint64(d.view.NewStore())
	state := engine.SequenceState{Last: s.Start}
	if restart != nil {
		state.Last = *restart
	}
	if err := d.rt.Txn.CreateSequence(engine.StoreID(s.Store), state); err != nil {
		return nil, err
	}
	return s, d.put(s)
}

// ownSequence makes the sequence behind a serial or identity column.
func (w *tableWork) ownSequence(attr int, def *plan.ColumnDef) error {
	d, c := w.d, &w.rel.Columns[attr]
	opts := def.SeqOptions
	name, schema := "", w.rel.Schema
	var rest []plan.Option
	for _, o := range opts {
		if o.Name == "sequence_name" {
			if list, ok := o.Value.([]string); ok && len(list) > 0 {
				name = list[len(list)-1]
			}
			continue
		}
		rest = append(rest, o)
	}
	if name == "" {
		name = d.relationNameFor(w.rel.Name, c.Name, "seq", schema, false, w.names)
	}
	if _, err := d.claimRelationName(schema, name, false); err != nil {
		return err
	}
	w.names[name] = true
	s, err := d.makeSequence(&catalog.Sequence{
		Meta:        catalog.Meta{Name: name, Schema: schema, Owner: w.rel.Owner, Internal: def.Identity != 0},
		Persistence: w.rel.Persistence, Type: c.Type, OwnerTable: w.rel.OID, OwnerColumn: c.Num, Identity: def.Identity != 0,
	}, rest)
	if err != nil {
		return err
	}
	c.Sequence, c.NotNull = s.OID, true
	e := &plan.NextValue{Base: plan.Base{Typ: plan.Type{OID: c.Type, Typmod: -1}, Pos: -1}, Sequence: s.OID}
	c.Default = plan.EncodeExpr(e)
	if def.Identity == 0 {
		c.Depends = []catalog.Dependency{{Class: catalog.ClassSequence, OID: s.OID}}
	}
	return err
}

// sequenceBounds returns the values of a sequence's type.
func sequenceBounds(typ OID) (lowest, highest int64) {
	switch typ {
	case types.Int2OID:
		return math.MinInt16, math.MaxInt16
	case types.Int4OID:
		return math.MinInt32, math.MaxInt32
	}
	return math.MinInt64, math.MaxInt64
}

// sequenceOptions applies options to a sequence; fresh ones get defaults. It returns the
// value of RESTART.
func (d *ddl) sequenceOptions(s *catalog.Sequence, opts []plan.Option, fresh bool) (restart *int64, err error) {
	given := map[string]plan.Option{}
	for _, o := range opts {
		if _, twice := given[o.Name]; twice {
			return nil, pgerr.New(pgerr.SyntaxError, "conflicting or redundant options").At(o.Pos)
		}
		given[o.Name] = o
	}
	resetMin, resetMax := fresh, fresh
	if o, ok := given["as"]; ok {
		old := s.Type
		if err := setSequenceType(s, o); err != nil {
			return nil, err
		}
		lowest, highest := sequenceBounds(old)
		if !fresh {
			resetMax = s.Max == highest || s.Increment < 0 && s.Max == -1
			resetMin = s.Min == lowest || s.Increment > 0 && s.Min == 1
		}
	}
	number := func(name string, dst *int64) (bool, error) {
		o, ok := given[name]
		if !ok || o.Value == nil {
			return false, nil
		}
		n, err := o.Int()
		if err == nil {
			*dst = n
		}
		return true, err
	}
	if fresh {
		s.Increment, s.CacheSz = 1, 1
	}
	if _, err := number("increment", &s.Increment); err != nil {
		return nil, err
	}
	if s.Increment == 0 {
		return nil, pgerr.New(pgerr.InvalidParameterValue, "INCREMENT must not be zero")
	}
	if o, ok := given["cycle"]; ok {
		if s.Cycle, err = o.Bool(); err != nil {
			return nil, err
		}
	}
	if err := sequenceLimits(s, given, number, resetMin, resetMax); err != nil {
		return nil, err
	}
	set, err := number("start", &s.Start)
	if err != nil {
		return nil, err
	}
	if !set && fresh {
		s.Start = s.Min
		if s.Increment < 0 {
			s.Start = s.Max
		}
	}
	if s.Start < s.Min {
		return nil, pgerr.New(pgerr.InvalidParameterValue, "START value (%d) cannot be less than MINVALUE (%d)", s.Start, s.Min)
	}
	if s.Start > s.Max {
		return nil, pgerr.New(pgerr.InvalidParameterValue, "START value (%d) cannot be greater than MAXVALUE (%d)", s.Start, s.Max)
	}
	if o, ok := given["restart"]; ok {
		value := s.Start
		if o.Value != nil {
			if value, err = o.Int(); err != nil {
				return nil, err
			}
		}
		restart = &value
		if value < s.Min {
			return nil, pgerr.New(pgerr.InvalidParameterValue, "RESTART value (%d) cannot be less than MINVALUE (%d)", value, s.Min)
		}
		if value > s.Max {
			return nil, pgerr.New(pgerr.InvalidParameterValue, "RESTART value (%d) cannot be greater than MAXVALUE (%d)", value, s.Max)
		}
	}
	if _, err := number("cache", &s.CacheSz); err != nil {
		return nil, err
	}
	if s.CacheSz <= 0 {
		return nil, pgerr.New(pgerr.InvalidParameterValue, "CACHE (%d) must be greater than zero", s.CacheSz)
	}
	if o, ok := given["owned_by"]; ok {
		return restart, d.ownedBy(s, o)
	}
	return restart, nil
}

func setSequenceType(s *catalog.Sequence, o plan.Option) error {
	name, _ := o.Value.(string)
	switch strings.TrimPrefix(name, "pg_catalog.") {
	case "int2", "smallint":
		s.Type = types.Int2OID
	case "int4", "integer", "int":
		s.Type = types.Int4OID
	case "int8", "bigint":
		s.Type = types.Int8OID
	default:
		if s.Identity {
			return pgerr.New(pgerr.InvalidParameterValue, "identity column type must be smallint, integer, or bigint")
		}
		return pgerr.New(pgerr.InvalidParameterValue, "sequence type must be smallint, integer, or bigint")
	}
	return nil
}

// sequenceLimits applies MINVALUE and MAXVALUE. An option without value is NO MINVALUE.
func sequenceLimits(s *catalog.Sequence, given map[string]plan.Option, number func(string, *int64) (bool, error), resetMin, resetMax bool) error {
	lowest, highest := sequenceBounds(s.Type)
	typeName := map[OID]string{types.Int2OID: "smallint", types.Int4OID: "integer", types.Int8OID: "bigint"}[s.Type]
	set, err := number("maxvalue", &s.Max)
	if err != nil {
		return err
	}
	if _, no := given["maxvalue"]; !set && (no || resetMax) {
		s.Max = highest
		if s.Increment < 0 {
			s.Max = -1
		}
	}
	if s.Max < lowest || s.Max > highest {
		return pgerr.New(pgerr.InvalidParameterValue, "MAXVALUE (%d) is out of range for sequence data type %s", s.Max, typeName)
	}
	if set, err = number("minvalue", &s.Min); err != nil {
		return err
	}
	if _, no := given["minvalue"]; !set && (no || resetMin) {
		s.Min = 1
		if s.Increment < 0 {
			s.Min = lowest
		}
	}
	if s.Min < lowest || s.Min > highest {
		return pgerr.New(pgerr.InvalidParameterValue, "MINVALUE (%d) is out of range for sequence data type %s", s.Min, typeName)
	}
	if s.Min >= s.Max {
		return pgerr.New(pgerr.InvalidParameterValue, "MINVALUE (%d) must be less than MAXVALUE (%d)", s.Min, s.Max)
	}
	return nil
}

// ownedBy applies OWNED BY table.column or NONE.
func (d *ddl) ownedBy(s *catalog.Sequence, o plan.Option) error {
	if s.Identity {
		return pgerr.New(pgerr.FeatureNotSupported, "cannot change ownership of identity sequence").
			WithDetail("Sequence \"%s\" is linked to table \"%s\".", s.Name, d.view.Relation(s.OwnerTable).Name)
	}
	parts, _ := o.Value.([]string)
	if text, ok := o.Value.(string); ok {
		parts = []string{text}
	}
	if len(parts) == 1 && parts[0] == "none" {
		s.OwnerTable, s.OwnerColumn = 0, 0
		return nil
	}
	if len(parts) < 2 || len(parts) > 3 {
		return pgerr.New(pgerr.SyntaxError, "invalid OWNED BY option").WithHint("Specify OWNED BY table.column or OWNED BY NONE.")
	}
	name := plan.QName{Name: parts[len(parts)-2]}
	if len(parts) == 3 {
		name.Schema = parts[0]
	}
	r, err := d.lockRelation(name, engine.LockAccessShare)
	if err != nil {
		return err
	}
	if r.Schema != s.Schema {
		return pgerr.New(pgerr.ObjectNotInPrerequisiteState, "sequence must be in same schema as table it is linked to")
	}
	if r.Owner != s.Owner {
		return pgerr.New(pgerr.ObjectNotInPrerequisiteState, "sequence must have same owner as table it is linked to")
	}
	c := columnNamed(r, parts[len(parts)-1])
	if c == nil {
		return undefinedColumn(parts[len(parts)-1], r.Name)
	}
	s.OwnerTable, s.OwnerColumn = r.OID, c.Num
	return nil
}

// lockSequence resolves and locks a sequence, nil when it is missing and may be.
func (d *ddl) lockSequence(name plan.QName, ifExists bool) (*catalog.Sequence, error) {
	o, err := d.lockNamed(name, engine.LockShareRowExclusive)
	if err != nil {
		return nil, err
	}
	switch o := o.(type) {
	case nil:
		if !ifExists {
			return nil, undefinedRelation(name)
		}
		d.notice(pgerr.SuccessfulCompletion, "relation \"%s\" does not exist, skipping", name)
		return nil, nil
	case *catalog.Sequence:
		return o, nil
	}
	return nil, pgerr.New(pgerr.WrongObjectType, "\"%s\" is not a sequence", name.Name)
}

func (d *ddl) alterSequence(a *plan.AlterSequence) error {
	s, err := d.lockSequence(a.Name, a.IfExists)
	if s == nil {
		return err
	}
	return d.changeSequence(s, a.Options)
}

// changeSequence applies options to an existing sequence. A new position comes with a new
// store, so that a rollback brings the old one back.
func (d *ddl) changeSequence(old *catalog.Sequence, opts []plan.Option) error {
	s := *old
	restart, err := d.sequenceOptions(&s, opts, false)
	if err != nil {
		return err
	}
	state, err := d.rt.DB.SequenceState(engine.StoreID(s.Store))
	if err != nil {
		return err
	}
	if restart != nil {
		state = engine.SequenceState{Last: *restart}
	}
	if state.Last < s.Min {
		return pgerr.New(pgerr.InvalidParameterValue, "RESTART value (%d) cannot be less than MINVALUE (%d)", state.Last, s.Min)
	}
	if state.Last > s.Max {
		return pgerr.New(pgerr.InvalidParameterValue, "RESTART value (%d) cannot be greater than MAXVALUE (%d)", state.Last, s.Max)
	}
	if restart != nil {
		if err := d.restartSequence(&s, state); err != nil {
			return err
		}
	}
	return d.put(&s)
}

// restartSequence gives a sequence a new store at another position.
func (d *ddl) restartSequence(s *catalog.Sequence, state engine.SequenceState) error {
	if err := d.rt.Txn.DropSequence(engine.StoreID(s.Store)); err != nil {
		return err
	}
	s.Store = uint64(d.view.NewStore())
	return d.rt.Txn.CreateSequence(engine.StoreID(s.Store), state)
}

// sequenceOptionsOf writes a sequence's definition as options, for LIKE.
func sequenceOptionsOf(s *catalog.Sequence) []plan.Option {
	return []plan.Option{
		{Name: "increment", Value: s.Increment}, {Name: "minvalue", Value: s.Min}, {Name: "maxvalue", Value: s.Max},
		{Name: "start", Value: s.Start}, {Name: "cache", Value: s.CacheSz}, {Name: "cycle", Value: s.Cycle},
	}
}
