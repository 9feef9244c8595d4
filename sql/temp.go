package sql

import (
	"context"
	"slices"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/exec"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// temporaryAtCommit empties or drops temporary tables as their ON COMMIT says.
func (x *Session) temporaryAtCommit(ctx context.Context) error {
	schema := x.view.TempSchema()
	if schema == 0 {
		return nil
	}
	var drop plan.Drop
	var empty plan.Truncate
	x.view.Relations(func(r *catalog.Relation) bool {
		name := plan.QName{Schema: x.cat.TempName(), Name: r.Name}
		if r.Schema == schema {
			switch r.OnCommit {
			case 'D':
				drop.Objects = append(drop.Objects, plan.ObjectRef{Name: name})
			case 'd':
				empty.Tables = append(empty.Tables, name)
			}
		}
		return true
	})
	if len(drop.Objects) > 0 {
		drop.Kind, drop.Cascade, drop.IfExists = "table", true, true
		if err := x.quietly(ctx, &drop); err != nil {
			return err
		}
	}
	empty.Tables = slices.DeleteFunc(empty.Tables, func(t plan.QName) bool { // what fell with its parent
		return x.view.RelationByName(schema, t.Name) == nil
	})
	if len(empty.Tables) == 0 {
		return nil
	}
	empty.Only = make([]bool, len(empty.Tables))
	if err := x.emptiable(empty.Tables); err != nil {
		return err
	}
	return x.quietly(ctx, &empty)
}

// emptiable refuses to empty tables that others, which keep their rows, refer to.
func (x *Session) emptiable(tables []plan.QName) error {
	for _, t := range tables {
		r := x.view.RelationByName(x.view.TempSchema(), t.Name)
		if r == nil {
			continue
		}
		for _, fk := range x.view.ReferencedBy(r.OID) {
			if fk.Table.OnCommit != 'd' {
				return pgerr.New(pgerr.FeatureNotSupported, "unsupported ON COMMIT and foreign key combination").
					WithDetail("Table \"%s\" references \"%s\", but they do not have the same ON COMMIT setting.", fk.Table.Name, r.Name)
			}
		}
	}
	return nil
}

// quietly runs a utility statement without a word to the client. Whoever the session acts as by now, it may do so: the
// tables are its own.
func (x *Session) quietly(ctx context.Context, u plan.Utility) error {
	user := x.user
	x.user = catalog.BootstrapSuperuser
	defer func() { x.user = user }()
	rt := x.runtime(ctx, nil)
	rt.Notice = nil
	defer rt.Snapshot.Close()
	defer rt.Release()
	_, err := exec.RunUtility(rt, u)
	x.txn.NextCommand()
	return err
}

// dropTempNow is DISCARD TEMP.
func (x *Session) dropTempNow(ctx context.Context) error {
	if x.view.TempSchema() == 0 {
		return nil
	}
	drop := &plan.Drop{Kind: "schema", Cascade: true, Objects: []plan.ObjectRef{{Name: plan.QName{Name: x.cat.TempName()}}}}
	return x.quietly(ctx, drop)
}

// dropTemp drops the session's temporary objects at its end.
func (x *Session) dropTemp() {
	if len(x.cat.TempObjects()) == 0 {
		return
	}
	x.begin()
	ctx := context.Background()
	if err := x.dropTempNow(ctx); err != nil {
		x.srv.opts.Log.Warn().Err(err).Int32("pid", x.pid).Msg("drop temporary objects")
		x.rollback()
		return
	}
	if err := x.commit(ctx); err != nil {
		x.srv.opts.Log.Warn().Err(err).Int32("pid", x.pid).Msg("drop temporary objects")
	}
}
