package sql

import (
	"context"
	"errors"
	"slices"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/exec"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/planner"
	"github.com/omendb/omendb/sql/privilege"
)

// tableLocker is LOCK TABLE: with a table go its children, with a view what it reads.
type tableLocker struct {
	x    *Session
	ctx  context.Context
	mode engine.TableLockMode
	wait engine.WaitPolicy
	seen map[catalog.OID]bool
}

// runLock is LOCK TABLE.
func (x *Session) runLock(ctx context.Context, l *plan.LockTable) error {
	if x.state != txnBlock {
		return pgerr.New(pgerr.NoActiveSQLTransaction, "LOCK TABLE can only be used in transaction blocks")
	}
	t := &tableLocker{x: x, ctx: ctx, mode: engine.TableLockMode(l.Mode), wait: engine.Wait, seen: map[catalog.OID]bool{}}
	if l.NoWait {
		t.wait = engine.NoWait
	}
	for i, name := range l.Tables {
		for {
			r, err := x.relation(name)
			if err != nil {
				return err
			}
			if r.Kind == catalog.KindMatView {
				return pgerr.New(pgerr.WrongObjectType, "cannot lock relation \"%s\"", r.Name).
					WithDetail("This operation is not supported for materialized views.")
			}
			if err := t.may(x.user, r); err != nil {
				return err
			}
			if err := t.lock(r, i < len(l.Only) && l.Only[i]); err != nil {
				return err
			}
			if now, err := x.relation(name); err == nil && now.OID == r.OID {
				break // what bears the name was not replaced while its lock was waited for
			}
		}
	}
	return nil
}

// may refuses a lock to who has none of the privileges to do what it is there for.
func (t *tableLocker) may(role catalog.OID, r *catalog.Relation) error {
	any := catalog.ACLUpdate | catalog.ACLDelete | catalog.ACLTruncate
	switch t.mode {
	case engine.LockAccessShare:
		any = catalog.ACLSelect
	case engine.LockRowExclusive:
		any |= catalog.ACLInsert
	}
	if privilege.Held(t.x.view, role, r, any) != 0 {
		return nil
	}
	return pgerr.New(pgerr.InsufficientPrivilege, "permission denied for %s %s", relationWord(r), r.Name)
}

// lock locks one table or view and what belongs to it.
func (t *tableLocker) lock(r *catalog.Relation, only bool) error {
	if t.seen[r.OID] {
		return nil
	}
	t.seen[r.OID] = true
	if err := t.x.txn.LockTable(t.ctx, uint64(r.OID), t.mode, t.wait); err != nil {
		if errors.Is(err, engine.ErrLockNotAvailable) {
			return pgerr.New(pgerr.LockNotAvailable, "could not obtain lock on relation \"%s\"", r.Name)
		}
		return exec.MapError(err)
	}
	t.x.view.Refresh()
	now := t.x.view.Relation(r.OID)
	if now == nil {
		return nil
	}
	if now.Kind == catalog.KindView {
		return t.inside(now)
	}
	if only {
		return nil
	}
	for _, child := range t.x.view.Children(now.OID) {
		if err := t.lock(child, false); err != nil {
			return err
		}
	}
	return nil
}

// inside locks what a view reads.
func (t *tableLocker) inside(view *catalog.Relation) error {
	env := t.x.plannerEnv(t.ctx, nil)
	env.LockRelation = nil
	q, err := planner.Stored{Env: env}.DecodeQuery(view.Query)
	if err != nil {
		return err
	}
	role := view.Owner
	if slices.Contains(view.Options, "security_invoker=true") {
		role = t.x.user
	}
	var walk func(q *plan.Query) error
	walk = func(q *plan.Query) error {
		for _, rel := range q.Rels {
			if rel.Kind == plan.RelTable && rel.Table.OID >= catalog.FirstUserOID {
				if err := t.may(role, rel.Table); err != nil {
					return err
				}
				if err := t.lock(rel.Table, false); err != nil {
					return err
				}
			}
		}
		var failed error
		plan.WalkQuery(q, func(plan.Expr) bool { return true }, func(sub *plan.Query) {
			if failed == nil {
				failed = walk(sub)
			}
		})
		return failed
	}
	return walk(q)
}
