package exec

import (
	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// ioCast converts through text.
func (c *compiler) ioCast(e *plan.IOCast) (expr, error) {
	arg, err := c.expr(e.Arg)
	if err != nil {
		return nil, err
	}
	env, from, to, mod := c.st.env, e.Arg.ResultType().OID, e.Typ.OID, e.Typ.Typmod
	if err := env.CanOut(from); err != nil {
		return nil, err
	}
	if err := env.CanIn(to); err != nil {
		return nil, err
	}
	var buf []byte
	ctx := c.site(0, to, e.Arg)
	large := func(at *functions.Ctx, vals []column.Datum) (column.Datum, error) {
		return at.Env.In(to, mod, string(at.Env.Out(nil, from, vals[0])))
	}
	cast := func(r *row) (column.Datum, error) {
		d, err := arg.row(r)
		if err != nil || d.Null {
			return d, err
		}
		if functions.LargeValue(ctx, d, from, to) {
			return functions.Leaving(ctx, []column.Datum{d}, large)
		}
		buf = env.Out(buf[:0], from, d)
		return env.In(to, mod, string(buf))
	}
	if base := c.st.baseType(from); base != types.OIDOID && types.Unsigned32(base) { // names are looked up in the catalog
		names := &memo{}
		return &rowLoop{st: c.st, kind: c.kind(e), eval: func(r *row) (column.Datum, error) {
			d, err := arg.row(r)
			if err != nil || d.Null {
				return d, err
			}
			if out, ok := names.find(d); ok {
				return out, nil
			}
			buf = env.Out(buf[:0], from, d)
			if d, err = env.In(to, mod, string(buf)); err == nil {
				names.put(d)
			}
			return d, err
		}}, nil
	}
	return &rowLoop{st: c.st, kind: c.kind(e), eval: cast}, nil
}

// domainCast checks a domain's constraints.
func (c *compiler) domainCast(e *plan.DomainCast) (expr, error) {
	arg, err := c.expr(e.Arg)
	if err != nil {
		return nil, err
	}
	check, err := c.st.domain(e.Typ.OID)
	if err != nil || check == nil {
		return arg, err
	}
	return &rowLoop{st: c.st, kind: c.kind(e), eval: func(r *row) (column.Datum, error) {
		d, err := arg.row(r)
		if err != nil {
			return d, err
		}
		return d, check.test(d)
	}}, nil
}

// domainCheck tests values against a domain and the domains under it.
type domainCheck struct {
	typ    *catalog.Type
	schema string
	base   *domainCheck
	checks []expr
	value  *cell
}

// checkDomain tests a value that a function made against the constraints of a domain.
func (st *state) checkDomain(oid OID, d column.Datum) error {
	check, ok := st.domains[oid]
	if !ok {
		var err error
		if check, err = st.domain(oid); err != nil {
			return err
		}
		if st.domains == nil {
			st.domains = map[OID]*domainCheck{}
		}
		st.domains[oid] = check
	}
	if check == nil {
		return nil
	}
	return check.test(d)
}

func (st *state) domain(oid OID) (*domainCheck, error) {
	t := st.rt.Catalog.Type(oid)
	if t == nil || t.Kind != 'd' {
		return nil, nil
	}
	base, err := st.domain(t.Base)
	if err != nil {
		return nil, err
	}
	d := &domainCheck{typ: t, base: base, value: &cell{kind: st.env.Kind(oid)}}
	if s := st.rt.Catalog.Schema(t.Schema); s != nil {
		d.schema = s.Name
	}
	for i := range t.Checks {
		x, err := st.rt.Binder.DecodeExpr(t.Checks[i].Expr)
		if err != nil {
			return nil, err
		}
		c := &compiler{st: st, cases: []*cell{d.value}}
		check, err := c.expr(x)
		if err != nil {
			return nil, err
		}
		d.checks = append(d.checks, check)
	}
	return d, nil
}

func (d *domainCheck) test(v column.Datum) error {
	if d == nil {
		return nil
	}
	if err := d.base.test(v); err != nil {
		return err
	}
	if v.Null && d.typ.NotNull {
		return pgerr.New(pgerr.NotNullViolation, "domain %s does not allow null values", d.typ.Name).WithDataType(d.schema, d.typ.Name)
	}
	d.value.setRow(v)
	for i, check := range d.checks {
		ok, err := check.row(&row{})
		if err != nil {
			return err
		}
		if !ok.Null && ok.I == 0 {
			return pgerr.New(pgerr.CheckViolation, "value for domain %s violates check constraint \"%s\"", d.typ.Name, d.typ.Checks[i].Name).
				WithDataType(d.schema, d.typ.Name).WithConstraint(d.typ.Checks[i].Name)
		}
	}
	return nil
}

// DomainTest returns a function that tests values against the constraints of a domain. It is not for use by several at once.
func DomainTest(rt *Runtime, domain OID) (func(column.Datum) error, error) {
	check, err := newState(rt, &plan.Statement{}).domain(domain)
	if err != nil {
		return nil, err
	}
	return check.test, nil
}

// nextValue is nextval() of a known sequence.
func (c *compiler) nextValue(e *plan.NextValue) (expr, error) {
	st := c.st
	return &rowLoop{st: c.st, kind: column.Int, eval: func(*row) (column.Datum, error) {
		if st.rt.Functions.Session != nil {
			v, err := st.rt.Functions.Session.IdentityNext(e.Sequence)
			return column.IntDatum(v), err
		}
		s := st.rt.Catalog.Sequence(e.Sequence)
		if s == nil {
			return column.Datum{}, pgerr.New(pgerr.UndefinedTable, "relation with OID %d does not exist", e.Sequence)
		}
		v, err := st.rt.DB.SequenceNext(engine.StoreID(s.Store), engine.SequenceParams{
			Increment: s.Increment, Min: s.Min, Max: s.Max, Cycle: s.Cycle, Cache: max(s.CacheSz, 1),
		})
		return column.IntDatum(v), err
	}}, nil
}

// valueFunc is CURRENT_DATE and its like.
func (c *compiler) valueFunc(e *plan.ValueFunc) (expr, error) {
	d, err := c.st.valueOf(e)
	if err != nil {
		return nil, err
	}
	x := newConstant(c.kind(e), d)
	if a := c.st.again; a != nil {
		a.times = append(a.times, boundTime{e, x})
	}
	return x, nil
}

func (st *state) valueOf(e *plan.ValueFunc) (column.Datum, error) {
	env, session := st.env, st.rt.Functions.Session
	switch e.Name {
	case "current_timestamp":
		return env.ApplyTypmod(types.TimestamptzOID, e.Typ.Typmod, column.IntDatum(env.Now), false)
	case "localtimestamp", "current_date", "localtime", "current_time":
		return st.localNow(e)
	}
	if session == nil {
		return column.Null(), nil
	}
	switch e.Name {
	case "current_user", "user", "current_role":
		return column.StringDatum(session.CurrentUser()), nil
	case "session_user":
		return column.StringDatum(session.SessionUser()), nil
	case "current_catalog":
		return column.StringDatum(session.Database()), nil
	case "current_schema":
		if path := st.rt.Functions.Catalog.SearchPath(false); len(path) > 0 {
			return column.StringDatum(path[0]), nil
		}
		return column.Null(), nil
	}
	return column.Datum{}, pgerr.Unsupported("%s is not supported", e.Name)
}

// localNow computes the values that depend on the time zone, as casts of the
// transaction's start.
func (st *state) localNow(e *plan.ValueFunc) (column.Datum, error) {
	const day = 24 * 3600 * 1e6
	zone := st.env.TimeZone
	if zone == nil {
		zone = types.UTC
	}
	east := int64(zone.OffsetAt(st.env.Now))
	local := st.env.Now + east*1e6
	switch e.Name {
	case "localtimestamp":
		return st.env.ApplyTypmod(types.TimestampOID, e.Typ.Typmod, column.IntDatum(local), false)
	case "current_date":
		return column.IntDatum(floorDiv(local, day)), nil
	case "localtime":
		return st.env.ApplyTypmod(types.TimeOID, e.Typ.Typmod, column.IntDatum(local-floorDiv(local, day)*day), false)
	}
	d := types.TimeTZ{Micros: local - floorDiv(local, day)*day, West: int32(-east)}.Datum()
	return st.env.ApplyTypmod(types.TimetzOID, e.Typ.Typmod, d, false)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
