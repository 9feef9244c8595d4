package syscat

import (
	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/internal/event"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/exec"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/planner"
	"github.com/omendb/omendb/sql/types"
)

// World is what the describing functions look at: one session, at one statement.
type World interface {
	View() *catalog.View
	Types() *types.Env
	DB() *engine.DB
	User() OID
	// Path returns the effective search path, NamedPath what search_path names of it.
	Path() []OID
	NamedPath() []OID
	// Planner binds and deparses stored expressions.
	Planner() *planner.Env
	Server
}

// Server is what functions ask of the running server.
type Server interface {
	Activities() []Activity
	Settings() []Setting
	Statements() []Statement
	Cursors() []Cursor
	// Prepared returns the prepared transactions of all databases.
	Prepared() []Prepared
	// ExportSnapshot makes the transaction's snapshot available under the name returned.
	ExportSnapshot() (string, error)
	// Channels returns what the session listens to.
	Channels() []string
	Notify(channel, payload string) error
	// QueueUsage returns how full the fullest queue of notifications is, 0 to 1.
	QueueUsage() float64
	OwnAccess(relation OID) exec.Access // by the transaction so far
	Started() int64                     // when the server did, as timestamptz
	Happened(event.Name) event.Total    // since then
	// Access and DatabaseAccess return what was counted so far; ResetAccess sets the counters
	// of a table or index back, and all of the database for 0.
	Access(relation OID) exec.Access
	DatabaseAccess(database OID) DatabaseAccess
	ResetAccess(relation OID)
}

// Functions implements functions.Catalog.
type Functions struct{ World World }

var _ functions.Catalog = Functions{}

// call computes one function.
type call func(f Functions, c *functions.Ctx, a []datum) (datum, error)

// set computes the rows of one function.
type set func(f Functions, c *functions.Ctx, a []datum) ([][]datum, error)

var (
	calls map[string]call
	sets  map[string]set
)

func init() {
	calls, sets = map[string]call{}, map[string]set{}
	for _, m := range []map[string]call{defineCalls, visibleCalls, privilegeCalls, describeCalls, sizeCalls, schemaCalls, serverCalls, statCalls, accessCalls, backupCalls, nameCalls} {
		for k, v := range m {
			calls[k] = v
		}
	}
	for _, m := range []map[string]set{describeSets, serverSets, statSets} {
		for k, v := range m {
			sets[k] = v
		}
	}
}

// Call implements functions.Catalog.
func (f Functions) Call(c *functions.Ctx, prosrc string, args []datum) (datum, bool, error) {
	fn := calls[prosrc]
	if fn == nil {
		if fn = privilegeCall(prosrc); fn == nil {
			fn = statCall(prosrc)
		}
	}
	if fn == nil {
		return datum{}, false, nil
	}
	d, err := fn(f, c, args)
	return d, true, err
}

// CallSet implements functions.Catalog.
func (f Functions) CallSet(c *functions.Ctx, prosrc string, args []datum) (functions.SetIter, bool, error) {
	fn := sets[prosrc]
	if fn == nil {
		return nil, false, nil
	}
	rows, err := fn(f, c, args)
	return &rowIter{rows}, true, err
}

// rowIter yields rows made beforehand.
type rowIter struct{ rows [][]datum }

// Next implements functions.SetIter.
func (r *rowIter) Next() ([]datum, bool, error) {
	if len(r.rows) == 0 {
		return nil, false, nil
	}
	row := r.rows[0]
	r.rows = r.rows[1:]
	return row, true, nil
}

// SearchPath implements functions.Catalog.
func (f Functions) SearchPath(implicit bool) []string {
	list := f.World.NamedPath()
	if implicit {
		list = f.World.Path()
	}
	out := make([]string, 0, len(list))
	for _, oid := range list {
		out = append(out, f.World.View().SchemaName(oid))
	}
	return out
}

// TypeName implements functions.Catalog.
func (f Functions) TypeName(typ OID, typmod int32) string {
	return f.World.Types().FormatType(typ, typmod)
}

// oidArg reads an OID argument.
func oidArg(d datum) OID { return OID(d.I) }

// relation is a table, view, index or sequence as pg_class holds it.
type relation struct {
	object catalog.Object
	meta   *catalog.Meta
}

// relationOf finds what has a row in pg_class.
func (f Functions) relationOf(oid OID) (relation, bool) {
	for _, class := range []catalog.Class{catalog.ClassRelation, catalog.ClassIndex, catalog.ClassSequence} {
		if o := f.World.View().Get(class, oid); o != nil {
			return relation{o, o.Head()}, true
		}
	}
	return relation{}, false
}

// quote quotes an identifier where it needs it, or where the session wants all of them quoted.
func (f Functions) quote(s string) string { return f.World.Types().QuoteIdent(s) }

// qualified prints a name, with its schema when always or when the search path does not find it without.
func (f Functions) qualified(class catalog.Class, h *catalog.Meta, always bool) string {
	if !always && f.visible(class, h) {
		return f.quote(h.Name)
	}
	return f.quote(f.World.View().SchemaName(h.Schema)) + "." + f.quote(h.Name)
}

// visible reports whether the search path finds an object by its bare name.
func (f Functions) visible(class catalog.Class, h *catalog.Meta) bool {
	v := f.World.View()
	for _, s := range f.World.Path() {
		if o := v.ByName(class, s, h.Name); o != nil {
			return o.Head().OID == h.OID
		}
	}
	return false
}
