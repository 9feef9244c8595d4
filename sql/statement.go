package sql

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/exec"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/parser"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/planner"
)

// statement is one bound statement: what Parse and PREPARE keep. A stale one
// (an object that it depends on moved) is bound again from its text.
type statement struct {
	name     string
	text     string
	declared []uint32 // parameter types that the client gave
	parsed   *parser.Statement
	fromSQL  bool   // made by PREPARE
	source   string // then: the command that has it, as it was sent
	shared   bool   // taken from the plan cache: no client was told of its output yet
	created  int64

	point *point // this session's; nil until it has run
	// kept are the operators of its last run, for the next one.
	kept    *exec.Rows
	keptOf  *plan.Statement
	keptKey pointKey
	bound   *compiled
	output  []*plan.Target // as first described: later bindings must agree
}

// compiled is a statement bound and planned in one state of the catalog.
type compiled struct {
	query   *plan.Statement // planned query, or
	utility plan.Utility
	params  []uint32
	key     bindKey
	objects []plan.ObjectVersion
	late    error  // what running it fails with, known since it was planned
	instant bool   // holds a time such as 'now' that was read when it was bound
	views   uint64 // revision of a changed view: bindings inside DDL transactions are not shared
}

// bindKey is everything besides the catalog's objects that binding depends on.
type bindKey struct {
	database catalog.OID
	user     catalog.OID
	path     string
	settings string
	builtins uint64 // which built-in objects have privileges of their own
}

func (x *Session) bindKey() bindKey {
	return bindKey{database: x.database, user: x.user, settings: x.knob().bind, path: x.pathKey(), builtins: x.view.BuiltinACLs()}
}

// pathKey is the effective search path as a string.
func (x *Session) pathKey() string {
	path := x.searchPath()
	if len(x.pathText) == 0 || len(x.pathOf) != len(path) || len(path) > 0 && &x.pathOf[0] != &path[0] {
		var b []byte
		for _, oid := range path {
			b = strconv.AppendUint(b, uint64(oid), 10)
			b = append(b, ',')
		}
		x.pathText, x.pathOf = string(b), path
	}
	return x.pathText
}

// searchPath returns the schemas in which unqualified names are looked up.
func (x *Session) searchPath() []catalog.OID {
	if x.path != nil && x.pathVersion == x.values.Version() && x.pathBase == x.view.Base() && !x.view.Changed() && x.view.TempSchema() == 0 {
		return x.path
	}
	var path []catalog.OID
	explicit := x.namedPath()
	hasCatalog, hasTemp := false, false
	temp := x.view.TempSchema()
	for _, oid := range explicit {
		hasCatalog = hasCatalog || oid == catalog.PgCatalog
		hasTemp = hasTemp || oid == temp
	}
	if temp != 0 && !hasTemp {
		path = append(path, temp)
	}
	if !hasCatalog {
		path = append(path, catalog.PgCatalog)
	}
	path = append(path, explicit...)
	x.path, x.pathVersion, x.pathBase = path, x.values.Version(), x.view.Base()
	return path
}

// namedPath resolves what search_path lists; schemas that do not exist are skipped.
func (x *Session) namedPath() []catalog.OID {
	var out []catalog.OID
	for _, name := range x.knob().searchNames {
		if name == "$user" {
			r := x.view.Role(x.user)
			if r == nil {
				continue
			}
			name = r.Name
		}
		if name == "pg_temp" {
			if t := x.view.TempSchema(); t != 0 {
				out = append(out, t)
			}
			continue
		}
		s := x.view.SchemaByName(name)
		if s != nil && x.hasPrivilege(x.view, s, catalog.ACLUsage) {
			out = append(out, s.OID)
		}
	}
	return out
}

// splitIdentifiers cuts a list such as: "$user", public.
func splitIdentifiers(s string) []string {
	var out []string
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		var name string
		if s[0] == '"' {
			end := 1
			var b strings.Builder
			for end < len(s) {
				if s[end] == '"' {
					if end+1 < len(s) && s[end+1] == '"' {
						end++
					} else {
						break
					}
				}
				b.WriteByte(s[end])
				end++
			}
			name, s = b.String(), s[min(end+1, len(s)):]
		} else {
			end := strings.IndexByte(s, ',')
			if end < 0 {
				end = len(s)
			}
			name, s = strings.ToLower(strings.TrimSpace(s[:end])), s[end:]
		}
		if name != "" {
			out = append(out, name)
		}
		s = strings.TrimPrefix(strings.TrimSpace(s), ",")
	}
	return out
}

// plannerEnv is the world in which a statement is bound.
func (x *Session) plannerEnv(ctx context.Context, params []uint32) *planner.Env {
	return &planner.Env{
		Catalog: x.view, SearchPath: x.searchPath(), Types: x.env, User: x.user, Database: x.databaseName(),
		Evaluate: func(e plan.Expr) (column.Datum, error) {
			return exec.Constant(&exec.Runtime{Context: ctx, Functions: x.functionContext(ctx), Catalog: x.view}, e)
		},
		Functions: x.functionContext(ctx), Params: params, Statistics: statistics{x},
		LockRelation: func(oid catalog.OID, mode uint8) (bool, error) { return x.lockRelation(ctx, oid, mode) },
		Prepared:     x.preparedQuery,
		UseSchema:    x.useSchema,
		Settings:     x.knob().planner,
	}
}

// lockRelation locks a table for a statement; moved tells that the catalog
// changed while waiting.
func (x *Session) lockRelation(ctx context.Context, oid catalog.OID, mode uint8) (moved bool, err error) {
	if oid < catalog.FirstUserOID {
		return false, nil
	}
	before := x.view.Revision()
	if err := x.txn.LockTable(ctx, uint64(oid), engine.TableLockMode(mode), engine.Wait); err != nil {
		return false, exec.MapError(err)
	}
	x.view.Refresh()
	if r := x.view.Relation(oid); r != nil && r.Persistence == 't' {
		x.usedTemp = true
	}
	return x.view.Revision() != before, nil
}

func (x *Session) databaseName() string {
	if d := x.view.Database(x.database); d != nil {
		return d.Name
	}
	return x.opts.Database
}

// functionContext is what functions see of this session.
func (x *Session) functionContext(ctx context.Context) *functions.Ctx {
	return &functions.Ctx{Context: ctx, Env: x.env, Session: functionSession{x: x, context: ctx}, Catalog: x.functionCatalog(),
		Limit: x.knob().queryMem, Left: &x.srv.left}
}

// compile binds and plans a parsed statement.
func (x *Session) compile(ctx context.Context, st *parser.Statement, params []uint32) (*compiled, error) {
	x.begin()
	x.view.Refresh()
	env := x.plannerEnv(ctx, params)
	defer x.watchNow()()
	b, err := planner.Bind(env, *st)
	if err != nil {
		return nil, err
	}
	return x.planBound(env, b)
}

// watchNow begins to note whether what is bound and planned holds times such as 'now'; what it returns ends that.
func (x *Session) watchNow() (done func()) {
	outer := x.env.NowRead
	x.env.NowRead = new(bool)
	return func() { x.env.NowRead = outer }
}

// planBound plans a bound statement; see watchNow.
func (x *Session) planBound(env *planner.Env, b *planner.Bound) (*compiled, error) {
	c := &compiled{utility: b.Utility, params: b.Params, objects: b.Objects, key: x.bindKey()}
	if b.Query != nil {
		var err error
		if x.preparing {
			env.Late = func(err error) { c.late = err }
		}
		if c.query, err = planner.Plan(env, b.Query); err != nil {
			return nil, err
		}
		c.query.Params = nil
		c.objects = append(c.objects, c.query.Objects...)
	}
	c.instant = *x.env.NowRead
	if x.view.Changed() || x.view.TempSchema() != 0 {
		c.views = x.view.Revision()
	}
	return c, nil
}

// fresh reports whether a compiled statement still means what its text means.
func (x *Session) fresh(c *compiled) bool {
	if c == nil || c.key != x.bindKey() {
		return false
	}
	if (x.view.Changed() || x.view.TempSchema() != 0 || c.views != 0) && c.views != x.view.Revision() {
		return false
	}
	for _, o := range c.objects {
		h := x.view.Get(o.Class, o.OID)
		if h == nil {
			if o.OID < catalog.FirstUserOID {
				continue
			}
			return false
		}
		if h.Head().Version != o.Version {
			return false
		}
	}
	return true
}

// relock takes the table locks that binding took, for a plan from a cache.
func (x *Session) relock(ctx context.Context, c *compiled) (moved bool, err error) {
	if c.query == nil {
		return false, nil
	}
	mode := uint8(engine.LockAccessShare)
	for _, a := range c.query.Access {
		m := mode
		switch {
		case a.Required&(catalog.ACLInsert|catalog.ACLDelete) != 0 || a.Required&catalog.ACLUpdate != 0 && len(a.Write) > 0:
			m = uint8(engine.LockRowExclusive)
		case a.Required&catalog.ACLUpdate != 0: // FOR UPDATE and its like
			m = uint8(engine.LockRowShare)
		}
		mv, err := x.lockRelation(ctx, a.Table, m)
		if err != nil {
			return false, err
		}
		moved = moved || mv
	}
	return moved, nil
}

// ready makes sure that a statement's compiled form is current.
func (x *Session) ready(ctx context.Context, s *statement) (*compiled, error) {
	x.begin()
	x.view.Refresh()
	for range maxRebinds {
		if s.bound != nil && x.fresh(s.bound) {
			moved, err := x.relock(ctx, s.bound)
			if err != nil {
				return nil, err
			}
			if !moved || x.fresh(s.bound) {
				return s.bound, nil
			}
			continue
		}
		c, err := x.compile(ctx, s.parsed, s.declared)
		if err != nil {
			return nil, err
		}
		if s.bound != nil && !s.shared && !sameOutput(s.output, outputOf(c)) {
			return nil, pgerr.New(pgerr.FeatureNotSupported, "cached plan must not change result type").
				WithRoutine("RevalidateCachedQuery") // drivers know this error by its place
		}
		s.bound, s.output = c, outputOf(c)
		return c, nil
	}
	return nil, pgerr.New(pgerr.InternalError, "the catalog changes faster than the statement can be bound")
}

// maxRebinds bounds how often a statement starts over because DDL was faster.
const maxRebinds = 100

func outputOf(c *compiled) []*plan.Target {
	if c.query != nil {
		return c.query.Output
	}
	return utilityOutput(c.utility)
}

func sameOutput(a, b []*plan.Target) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Expr.ResultType().OID != b[i].Expr.ResultType().OID {
			return false
		}
	}
	return true
}

// runtime is the world in which a statement runs.
func (x *Session) runtime(ctx context.Context, params []column.Datum) *exec.Runtime {
	snap := x.txn.Snapshot()
	k := x.knob()
	snap.SetNoModel(k.exec.NoLearned)
	return &exec.Runtime{
		Context: ctx, DB: x.srv.opts.DB, Txn: x.txn, Snapshot: snap, Isolation: x.txn.Options().Isolation,
		Catalog: x.view, Binder: sessionBinder{x, ctx}, Functions: x.functionContext(ctx), Params: params, Deferred: x.deferred,
		MemoryLimit: k.workMem, QueryLimit: k.queryMem, Pool: x.srv.memory, HashMultiplier: k.hashMultiple,
		TempFS: x.srv.opts.TempFS, TempDir: x.srv.opts.TempDir, Notice: x.notice, Clock: x.srv.opts.Clock,
		InUse: x.tableInUse, BeforeWrite: x.beforeWrite, CheckAccess: x.checkAccess, WithSettings: x.withSettings, HashPassword: x.srv.opts.HashPassword,
		Knobs: k.exec, Accesses: x.accesses,
	}
}

// beforeWrite refuses changes in read-only transactions.
func (x *Session) beforeWrite() error {
	if x.txn.Options().ReadOnly {
		return pgerr.New(pgerr.ReadOnlySQLTransaction, "cannot execute %s in a read-only transaction", x.activity.command)
	}
	return nil
}

// postgresEpoch is 2000-01-01 UTC in microseconds since 1970.
const postgresEpoch = 946684800_000000

// timestamp turns a wall time into timestamptz.
func timestamp(t time.Time) int64 { return t.UnixMicro() - postgresEpoch }
