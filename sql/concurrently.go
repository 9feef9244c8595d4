package sql

import (
	"context"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/sql/exec"
	"github.com/omendb/omendb/sql/plan"
)

// concurrently carries out CREATE INDEX, REINDEX and DROP INDEX CONCURRENTLY: a
// row of transactions with waits in between, under a lock of the session's on the
// table that lets readers and writers pass. What fails, or ends with the process,
// leaves an index that is not valid; see package exec for the steps.
type concurrently struct {
	x      *Session
	ctx    context.Context
	locked []uint64
}

// runConcurrently runs such a statement and reports whether it was one.
func (x *Session) runConcurrently(ctx context.Context, u plan.Utility) (bool, error) {
	c := &concurrently{x: x, ctx: ctx}
	var run func() error
	switch s := u.(type) {
	case *plan.CreateIndex:
		run = func() error { return c.create(s) }
		if !s.Concurrently {
			return false, nil
		}
	case *plan.Reindex:
		run = func() error { return c.reindex(s) }
		if !s.Concurrently {
			return false, nil
		}
	case *plan.Drop:
		run = func() error { return c.drop(s) }
		if s.Kind != "index" || !s.Concurrently {
			return false, nil
		}
	default:
		return false, nil
	}
	defer c.unlock()
	err := run()
	x.begin() // of which the caller's end of the statement is the end
	return true, err
}

// step runs one transaction.
func (c *concurrently) step(fn func(rt *exec.Runtime) error) error {
	x := c.x
	if x.txn == nil {
		x.begin()
		x.txn.SetIsolation(engine.ReadCommitted, false, false)
	}
	x.view.Refresh()
	rt := x.runtime(c.ctx, nil)
	defer func() {
		rt.Snapshot.Close()
		rt.Release()
	}()
	if err := fn(rt); err != nil {
		return err
	}
	return x.commit(c.ctx)
}

// wait runs a transaction that only waits.
func (c *concurrently) wait(fn func(*engine.Txn) error) error {
	c.x.begin()
	if err := fn(c.x.txn); err != nil {
		return exec.MapError(err)
	}
	return c.x.commit(c.ctx)
}

func (c *concurrently) waitForLockers(table uint32, mode engine.TableLockMode) error {
	return c.wait(func(t *engine.Txn) error { return t.WaitForLockers(c.ctx, uint64(table), mode) })
}

// lock keeps other changes away from a table until the statement has ended.
func (c *concurrently) lock(table uint32) error {
	if err := c.x.txn.LockTableSession(c.ctx, uint64(table), engine.LockShareUpdateExclusive); err != nil {
		return exec.MapError(err)
	}
	c.locked = append(c.locked, uint64(table))
	return nil
}

func (c *concurrently) unlock() {
	for _, table := range c.locked {
		c.x.srv.opts.DB.UnlockTableSession(c.x.pid, table, engine.LockShareUpdateExclusive)
	}
}

func (c *concurrently) create(s *plan.CreateIndex) error {
	var job *exec.ConcurrentIndex
	err := c.step(func(rt *exec.Runtime) (err error) {
		if err = rt.BeforeWrite(); err != nil {
			return err
		}
		if job, err = exec.RegisterIndex(rt, s); err != nil || job == nil {
			return err
		}
		return c.lock(job.Table)
	})
	if job == nil {
		return err
	}
	defer c.x.view.EndBuild(job.Index)
	if err == nil {
		err = c.build(job)
	}
	return err
}

// build takes a registered index to the end.
func (c *concurrently) build(job *exec.ConcurrentIndex) error {
	if err := c.waitForLockers(job.Table, engine.LockShare); err != nil {
		return err
	}
	job.Build.Start()
	if err := c.waitForLockers(job.Table, engine.LockShare); err != nil {
		return err
	}
	if err := c.step(func(rt *exec.Runtime) error { return exec.BuildIndex(rt, job) }); err != nil {
		return err
	}
	if err := c.waitForLockers(job.Table, engine.LockShare); err != nil {
		return err
	}
	var since uint64
	err := c.step(func(rt *exec.Runtime) error {
		since = rt.Snapshot.Timestamp()
		return exec.ValidateIndex(rt, job)
	})
	if err != nil {
		return err
	}
	if err := c.wait(func(t *engine.Txn) error { return t.WaitForSnapshots(c.ctx, since) }); err != nil {
		return err
	}
	// All who write know by now that the index is ready. What takes its place at the
	// end may not be, and is nobody's build then.
	c.x.view.EndBuild(job.Index)
	return c.step(func(rt *exec.Runtime) error { return exec.FinishIndex(rt, job) })
}

func (c *concurrently) reindex(s *plan.Reindex) error {
	var jobs []*exec.ConcurrentIndex
	err := c.step(func(rt *exec.Runtime) (err error) {
		if err = rt.BeforeWrite(); err != nil {
			return err
		}
		if jobs, err = exec.RegisterReindex(rt, s); err != nil {
			return err
		}
		for _, job := range jobs {
			if err := c.lock(job.Table); err != nil {
				return err
			}
		}
		return nil
	})
	defer func() {
		for _, job := range jobs {
			c.x.view.EndBuild(job.Index)
		}
	}()
	for _, job := range jobs {
		if err == nil && job.Build == nil {
			err = c.settle(job.Table)
			continue
		}
		if err == nil {
			err = c.build(job)
		}
		if err == nil { // now it is the old index that nobody reads, beneath the new one's name
			err = c.retire(job)
		}
	}
	return err
}

// settle waits for those that a REINDEX waits for, where there is nothing to build.
func (c *concurrently) settle(table uint32) error {
	for _, mode := range []engine.TableLockMode{engine.LockShare, engine.LockShare, engine.LockAccessExclusive, engine.LockAccessExclusive} {
		if err := c.waitForLockers(table, mode); err != nil {
			return err
		}
	}
	return nil
}

// retire makes an index that readers have been told to leave disappear.
func (c *concurrently) retire(job *exec.ConcurrentIndex) error {
	if err := c.waitForLockers(job.Table, engine.LockAccessExclusive); err != nil {
		return err
	}
	if err := c.step(func(rt *exec.Runtime) error { return exec.RetireIndex(rt, job, true) }); err != nil {
		return err
	}
	if err := c.waitForLockers(job.Table, engine.LockAccessExclusive); err != nil {
		return err
	}
	return c.step(func(rt *exec.Runtime) error { return exec.DropRetired(rt, job) })
}

func (c *concurrently) drop(s *plan.Drop) error {
	var job *exec.ConcurrentIndex
	err := c.step(func(rt *exec.Runtime) (err error) {
		if err = rt.BeforeWrite(); err != nil {
			return err
		}
		if job, err = exec.ConcurrentDrop(rt, s); err != nil || job == nil {
			return err
		}
		return c.lock(job.Table)
	})
	if err != nil || job == nil {
		return err
	}
	return c.retire(job)
}
