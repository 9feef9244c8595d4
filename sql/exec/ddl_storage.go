package exec

import (
	"math"
	"slices"
	"strconv"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// setColumnOptions is ALTER COLUMN … SET and RESET of options. They override what ANALYZE counts; plans go by
// what it has counted, so that they are kept for dumps alone.
func setColumnOptions(col *catalog.Column, opts []plan.Option, reset bool) error {
	var list []string
	for _, o := range opts {
		if o.Name != "n_distinct" && o.Name != "n_distinct_inherited" {
			return pgerr.New(pgerr.InvalidParameterValue, "unrecognized parameter \"%s\"", o.Name)
		}
		text := ""
		if !reset {
			text = plan.OptionText(o.Value)
			n, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return pgerr.New(pgerr.InvalidParameterValue, "invalid value for floating point option \"%s\": %s", o.Name, text)
			}
			if n < -1 {
				return pgerr.New(pgerr.InvalidParameterValue, "value %s out of bounds for option \"%s\"", text, o.Name).
					WithDetail("Valid values are between \"-1.000000\" and \"%.6f\".", math.MaxFloat64)
			}
		}
		list = append(list, o.Name+"="+text)
	}
	col.Options = mergeOptions(col.Options, list, reset)
	return nil
}

// replicaIdentity is ALTER TABLE … REPLICA IDENTITY. Nothing replicates by it yet: it is kept for dumps.
func (w *alterWork) replicaIdentity(kind byte, name string) error {
	if kind != 'i' {
		w.rel.ReplIdent, w.rel.ReplIndex = kind, 0
		return nil
	}
	x, ok := w.d.view.ByName(catalog.ClassIndex, w.rel.Schema, name).(*catalog.Index)
	if !ok {
		return pgerr.New(pgerr.UndefinedObject, "index \"%s\" for table \"%s\" does not exist", name, w.rel.Name)
	}
	no := func(code, why string) error {
		return pgerr.New(code, "cannot use "+why+" \"%s\" as replica identity", name)
	}
	switch {
	case x.Table != w.rel.OID:
		return pgerr.New(pgerr.WrongObjectType, "\"%s\" is not an index for table \"%s\"", name, w.rel.Name)
	case !x.Unique:
		return no(pgerr.WrongObjectType, "non-unique index")
	case !x.Immediate && x.Constraint != 0:
		return no(pgerr.FeatureNotSupported, "non-immediate index")
	case len(x.Predicate) > 0:
		return no(pgerr.FeatureNotSupported, "partial index")
	}
	for i := range x.Keys {
		n := x.Keys[i].Column
		if n == 0 {
			return no(pgerr.FeatureNotSupported, "expression index")
		}
		if c := &w.rel.Columns[n-1]; !c.NotNull {
			return pgerr.New(pgerr.WrongObjectType, "index \"%s\" cannot be used as replica identity because column \"%s\" is nullable", name, c.Name)
		}
	}
	w.rel.ReplIdent, w.rel.ReplIndex = 'i', x.OID
	return nil
}

// disableTriggers is ALTER TABLE … DISABLE TRIGGER ALL, which in PostgreSQL switches off the checks of foreign keys too.
func (w *alterWork) disableTriggers() error {
	if len(w.d.view.ReferencedBy(w.rel.OID)) > 0 || slices.ContainsFunc(w.rel.Constraints, func(c catalog.Constraint) bool { return c.Kind == 'f' }) {
		return pgerr.Unsupported("disabling the checks of foreign keys is not supported")
	}
	return nil
}
