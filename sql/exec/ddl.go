package exec

import (
	"context"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// DDLBinder is what utility statements ask of the binder while they run: it binds what can
// be bound only once the objects of the statement exist. Runtime.Binder implements it.
type DDLBinder interface {
	Binder
	User() OID
	SearchPath() []OID // the effective one
	Store(r plan.StoredRequest) (*plan.Stored, error)
	// Deparse writes an expression over a table's columns as SQL.
	Deparse(e plan.Expr, table *catalog.Relation) string
	// Parse reads an expression that Deparse has written, to bind it anew.
	Parse(text string) (plan.RawExpr, error)
	DecodeQuery(encoded []byte) (*plan.Query, error)
	Plan(q *plan.Query) (*plan.Statement, error)
	// Prepared plans what EXECUTE runs.
	Prepared(e *plan.Execute) (*plan.Query, error)
	// Element binds a statement of CREATE SCHEMA with the new schema in front of the path.
	Element(raw plan.RawExpr, schema OID) (plan.Utility, error)
	// FunctionBody binds the body of an SQL function, to check it.
	FunctionBody(f *catalog.Function, raw plan.RawExpr) ([]byte, []catalog.Dependency, error)
}

// ddl is one utility statement while it runs.
type ddl struct {
	rt   *Runtime
	ctx  context.Context
	view *catalog.View
	bind DDLBinder
	env  *types.Env
	// permitted: the statement's own check has passed, what it changes besides needs none.
	permitted bool
	reserved  []OID // for the next sequences
	lockless  bool  // objects are found without a lock that keeps their users away
	// While the columns of children follow: what was changed, and the tables that the statement speaks of.
	retyped map[string]bool
	family  map[OID]bool
}

// newDDL prepares the execution of a utility statement, or of a step of one.
func newDDL(rt *Runtime) *ddl {
	bind, ok := rt.Binder.(DDLBinder)
	if !ok {
		panic("exec: utility statements need a binder for stored expressions")
	}
	d := &ddl{rt: rt, ctx: rt.Context, view: rt.Catalog, bind: bind, env: rt.Functions.Env}
	if d.ctx == nil {
		d.ctx = context.Background()
	}
	return d
}

// RunUtility executes the utility statements that work on the catalog or on whole tables.
// Transaction control, settings, prepared statements, cursors, EXPLAIN and
// notifications are the session's.
func RunUtility(rt *Runtime, u plan.Utility) (*Result, error) {
	if rt.BeforeWrite != nil {
		if err := rt.BeforeWrite(); err != nil {
			return nil, err
		}
	}
	d := newDDL(rt)
	tag, err := d.run(u)
	if err != nil {
		return nil, MapError(err)
	}
	return &Result{Tag: tag}, nil
}

// run executes a statement and returns its command tag.
func (d *ddl) run(u plan.Utility) (string, error) {
	var err error
	switch u := u.(type) {
	case *plan.CreateTable:
		err = d.createTable(u)
	case *plan.CreateTableAs:
		return d.createTableAs(u)
	case *plan.UpdateStatistics:
		return d.updateStatistics(u)
	case *plan.CreateView:
		err = d.createView(u)
	case *plan.RefreshMatView:
		err = d.refreshMatView(u)
	case *plan.CreateIndex:
		_, err = d.createIndex(u)
	case *plan.CreateStatistics:
		err = d.createStatistics(u)
	case *plan.AlterStatistics:
		err = d.alterStatistics(u)
	case *plan.CreateSchema:
		err = d.createSchema(u)
	case *plan.CreateSequence:
		err = d.createSequence(u)
	case *plan.AlterSequence:
		err = d.alterSequence(u)
	case *plan.CreateEnum:
		err = d.createEnum(u)
	case *plan.AlterEnum:
		err = d.alterEnum(u)
	case *plan.CreateComposite:
		err = d.createComposite(u)
	case *plan.CreateDomain:
		err = d.createDomain(u)
	case *plan.AlterDomain:
		err = d.alterDomain(u)
	case *plan.CreateFunction:
		err = d.createFunction(u)
	case *plan.AlterFunction:
		err = d.alterFunction(u)
	case *plan.CreateAggregate:
		err = d.createAggregate(u)
	case *plan.AlterTable:
		err = d.alterTable(u)
	case *plan.Drop:
		err = d.drop(u)
	case *plan.Truncate:
		err = d.truncate(u)
	case *plan.Rename:
		err = d.rename(u)
	case *plan.SetSchema:
		err = d.setSchema(u)
	case *plan.SetOwner:
		err = d.setOwner(u)
	case *plan.CommentOn:
		err = d.comment(u)
	default:
		return d.runOther(u)
	}
	return u.Tag(), err
}

// runOther executes statements about roles, privileges, databases and maintenance.
func (d *ddl) runOther(u plan.Utility) (string, error) {
	var err error
	switch u := u.(type) {
	case *plan.CreateRole:
		err = d.createRole(u)
	case *plan.AlterRole:
		err = d.alterRole(u)
	case *plan.GrantRole:
		err = d.grantRole(u)
	case *plan.Grant:
		err = d.grant(u)
	case *plan.DefaultPrivileges:
		err = d.defaultPrivileges(u)
	case *plan.ReassignOwned:
		err = d.reassignOwned(u)
	case *plan.DropOwned:
		err = d.dropOwned(u)
	case *plan.CreateDatabase:
		err = d.createDatabase(u)
	case *plan.AlterDatabase:
		err = d.alterDatabase(u)
	case *plan.Vacuum:
		err = d.vacuum(u)
	case *plan.Reindex:
		err = d.reindex(u)
	case *plan.Cluster:
		err = d.cluster(u)
	case *plan.CreateExtension:
		err = d.createExtension(u)
	default:
		return "", pgerr.Unsupported("%s is not supported", u.Tag())
	}
	return u.Tag(), err
}

func (d *ddl) notice(code, format string, args ...any) {
	if d.rt.Notice != nil {
		d.rt.Notice(pgerr.Notice(pgerr.SeverityNotice, code, format, args...))
	}
}

func (d *ddl) send(n *pgerr.Error) {
	if d.rt.Notice != nil {
		d.rt.Notice(n)
	}
}

// put stores a descriptor.
func (d *ddl) put(o catalog.Object) error {
	prev := d.view.Get(o.Class(), o.Head().OID)
	if err := d.mayChange(prev, o); err != nil {
		return err
	}
	if prev == nil {
		d.withDefaults(o)
	}
	return d.view.Put(d.ctx, o)
}

// remove deletes a descriptor.
func (d *ddl) remove(class catalog.Class, oid OID) error {
	if o := d.view.Get(class, oid); o != nil {
		if err := d.mayChange(o, nil); err != nil {
			return err
		}
	}
	return d.view.Delete(d.ctx, class, oid)
}

// step makes the statement's own writes visible to what it reads next.
func (d *ddl) step() {
	d.rt.Txn.NextCommand()
	if d.rt.Snapshot != nil {
		d.rt.Snapshot.Close()
	}
	d.rt.Snapshot = d.rt.Txn.Snapshot()
}

// notInUse refuses a command on a table that the transaction has not done with:
// checks of its rows wait, or a cursor reads it.
func (d *ddl) notInUse(r *catalog.Relation, command string) error {
	if d.rt.Deferred != nil && d.rt.Deferred.PendingOn(r.OID) {
		return pgerr.New(pgerr.ObjectInUse, "cannot %s \"%s\" because it has pending trigger events", command, r.Name)
	}
	if d.rt.InUse != nil && d.rt.InUse(r.OID) {
		return pgerr.New(pgerr.ObjectInUse, "cannot %s \"%s\" because it is being used by active queries in this session", command, r.Name)
	}
	return nil
}

// lockTable takes a table lock until the transaction ends.
func (d *ddl) lockTable(oid OID, mode engine.TableLockMode) error {
	return d.rt.Txn.LockTable(d.ctx, uint64(oid), mode, engine.Wait)
}
