package sql

import (
	"context"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/exec"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/syscat"
	"github.com/omendb/omendb/sql/types"
)

// The first question after a change of the catalog would make the rows of the system
// tables that changed. Who serves clients has them made ahead, when no more
// changes come for a moment.

// prepareSettings make the session that binds the system views independent of the configuration.
var prepareSettings = map[string]string{"application_name": "omendb catalog", "search_path": "pg_catalog", "statement_timeout": "0"}

// PrepareViews binds the system views, which is done once in a process.
func (s *Server) PrepareViews(ctx context.Context) error {
	var sink sweepSink
	view := s.opts.Catalog.View(nil, 0)
	var database *catalog.Database
	view.Each(catalog.ClassDatabase, func(o catalog.Object) bool {
		database = o.(*catalog.Database)
		return !database.AllowConn
	})
	x, err := s.Connect(ConnectOptions{User: view.Role(catalog.BootstrapSuperuser).Name, Database: database.Name, Settings: prepareSettings, Client: &sink, Internal: true})
	if err != nil {
		return err
	}
	defer x.Close()
	for _, r := range syscat.Relations() {
		if r.Kind != catalog.KindView || ctx.Err() != nil {
			continue
		}
		name := quoteName(x.view.SchemaName(r.Schema)) + "." + quoteName(r.Name)
		if err := x.Parse(ctx, "", "SELECT FROM "+name, nil); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// PrepareCatalog makes the rows of the system tables of every database that have changed
// since they were last made, until a later change makes that futile.
func (s *Server) PrepareCatalog(ctx context.Context) {
	cat := s.opts.Catalog
	state := cat.Version()
	cat.View(nil, 0).Each(catalog.ClassDatabase, func(o catalog.Object) bool {
		if db := o.(*catalog.Database); db.AllowConn {
			view := cat.View(nil, db.OID)
			env := types.NewEnv()
			env.Types = view
			syscat.Prepare(&exec.Runtime{Context: ctx, Catalog: view, DB: s.opts.DB, Functions: &functions.Ctx{Env: env}},
				func() bool { return ctx.Err() != nil || cat.Version() != state })
		}
		return cat.Version() == state
	})
}
