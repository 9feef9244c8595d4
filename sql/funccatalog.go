package sql

import (
	"slices"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/internal/event"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/planner"
	"github.com/omendb/omendb/sql/settings"
	"github.com/omendb/omendb/sql/syscat"
	"github.com/omendb/omendb/sql/types"
)

// functionCatalog is what functions ask of the catalog.
func (x *Session) functionCatalog() functions.Catalog { return syscat.Functions{World: world{x}} }

// world is what the describing functions see of a session.
type world struct{ x *Session }

var _ syscat.World = world{}

// View implements syscat.World.
func (w world) View() *catalog.View { return w.x.view }

// Types implements syscat.World.
func (w world) Types() *types.Env { return w.x.env }

// DB implements syscat.World.
func (w world) DB() *engine.DB { return w.x.srv.opts.DB }

// User implements syscat.World.
func (w world) User() catalog.OID { return w.x.user }

// Path implements syscat.World.
func (w world) Path() []catalog.OID { return w.x.searchPath() }

// NamedPath implements syscat.World.
func (w world) NamedPath() []catalog.OID { return w.x.namedPath() }

// Planner implements syscat.World. What it decodes is only described, so that nothing is locked.
func (w world) Planner() *planner.Env {
	return &planner.Env{Catalog: w.x.view, SearchPath: w.x.searchPath(), Types: w.x.env, User: w.x.user, Database: w.x.databaseName()}
}

// Activities implements syscat.Server.
func (w world) Activities() []syscat.Activity {
	var out []syscat.Activity
	w.x.srv.Each(func(o *Session) {
		a := o.Activity()
		var tls *syscat.TLS
		if a.TLS != nil {
			tls = (*syscat.TLS)(a.TLS)
		}
		out = append(out, syscat.Activity{Internal: a.Internal, TLS: tls, SessionTime: a.SessionTime, ActiveTime: a.ActiveTime, PID: a.PID, User: a.User, Database: a.Database, Application: a.Application, Client: a.Client,
			Query: a.Query, State: a.State, BackendStart: a.BackendStart, QueryStart: a.QueryStart, StateSince: a.StateSince,
			TransactionStart: a.TransactionStart, Transactions: a.Transactions, WaitEvent: a.WaitEvent,
			XID: w.x.srv.opts.DB.RunningXID(a.PID)})
	})
	slices.SortFunc(out, func(a, b syscat.Activity) int { return int(a.PID - b.PID) })
	return out
}

// ExportSnapshot implements syscat.Server.
func (w world) ExportSnapshot() (string, error) { return w.x.exportSnapshot() }

// Prepared implements syscat.Server.
func (w world) Prepared() []syscat.Prepared { return w.x.srv.Prepared() }

// Happened implements syscat.Server.
func (w world) Happened(name event.Name) event.Total { return w.x.srv.opts.Happened.Of(name) }

// Started implements syscat.Server.
func (w world) Started() int64 { return w.x.srv.started }

// Settings implements syscat.Server.
func (w world) Settings() []syscat.Setting {
	v := w.x.values
	var out []syscat.Setting
	add := func(d *settings.Definition) {
		value, reset := v.Get(d.Name), v.ResetValue(d.Name)
		source := "default"
		switch {
		case value != reset:
			source = "session"
		case value != d.Default:
			source = "configuration file"
		}
		out = append(out, syscat.Setting{Name: d.Name, Value: value, Unit: d.Unit, Category: d.Category, Short: d.Short, Extra: d.Extra,
			Context: d.Context, Type: d.Type, Source: source, Min: d.Min, Max: d.Max, Boot: d.Default, Reset: reset, Enum: d.Enum, Flags: d.Flags()})
	}
	for _, d := range settings.All() {
		if !d.Hidden {
			add(d)
		}
	}
	for _, d := range v.Customs() {
		add(d)
	}
	return out
}

// Statements implements syscat.Server.
func (w world) Statements() []syscat.Statement {
	var out []syscat.Statement
	for name, s := range w.x.statements {
		if name == "" || s.bound == nil {
			continue
		}
		text := s.text
		if s.source != "" {
			text = s.source
		}
		out = append(out, syscat.Statement{Name: name, Text: text, Prepared: s.created, Params: s.bound.params, FromSQL: s.fromSQL})
	}
	slices.SortFunc(out, func(a, b syscat.Statement) int { return int(a.Prepared - b.Prepared) })
	return out
}

// Cursors implements syscat.Server.
func (w world) Cursors() []syscat.Cursor {
	var out []syscat.Cursor
	for name, p := range w.x.portals {
		if p.cursor == nil || p.stmt == nil {
			continue
		}
		out = append(out, syscat.Cursor{Name: name, Text: p.stmt.text, Hold: p.cursor.def.Hold, Binary: p.cursor.def.Binary,
			Scroll: p.cursor.scroll, Created: w.x.env.StatementNow})
	}
	return out
}

// Channels implements syscat.Server.
func (w world) Channels() []string {
	var out []string
	for c := range w.x.listening {
		out = append(out, c)
	}
	return out
}

// QueueUsage implements syscat.Server.
func (w world) QueueUsage() float64 { return w.x.srv.notifier.usage() }

// Notify implements syscat.Server.
func (w world) Notify(channel, payload string) error { return w.x.addNotification(channel, payload) }
