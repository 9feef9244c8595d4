package sql

import (
	"context"
	"io"

	"github.com/omendb/omendb/sql/exec"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// runCopy is COPY: data flows between the executor and the sink.
func (x *Session) runCopy(ctx context.Context, c *plan.Copy, sink Sink) error {
	if !c.Stdio {
		if err := x.mayCopyFile(c); err != nil {
			return err
		}
	}
	x.activity.statements++
	if c.From && x.txn.Options().ReadOnly {
		return pgerr.New(pgerr.ReadOnlySQLTransaction, "cannot execute COPY FROM in a read-only transaction")
	}
	if err := x.txn.AwaitSafeSnapshot(ctx); err != nil {
		return err
	}
	rt := x.runtime(ctx, nil)
	defer func() {
		rt.Snapshot.Close()
		rt.Release()
	}()
	job, err := exec.PrepareCopy(rt, c)
	if err != nil {
		return err
	}
	if err := x.checkAccess(job.Access()); err != nil {
		return err
	}
	var n int64
	if c.From {
		in, err := x.copySource(c, job, sink)
		if err != nil {
			return err
		}
		defer in.Close()
		if n, err = job.In(in); err != nil {
			return err
		}
		x.txn.NextCommand()
	} else {
		out, err := x.copyTarget(c, job, sink)
		if err != nil {
			return err
		}
		if n, err = job.Out(out); err != nil {
			return err
		}
		if err := out.Close(); err != nil {
			return err
		}
	}
	return sink.Complete("COPY " + formatInt(n))
}

// copySource is where the data of COPY FROM comes from: the client or a file of the server.
func (x *Session) copySource(c *plan.Copy, job *exec.CopyJob, sink Sink) (io.ReadCloser, error) {
	if !c.Stdio {
		return copyFrom(c.File)
	}
	in, err := sink.CopyIn(job.Format(), job.Columns())
	return io.NopCloser(in), err
}

// copyTarget is where the data of COPY TO goes.
func (x *Session) copyTarget(c *plan.Copy, job *exec.CopyJob, sink Sink) (io.WriteCloser, error) {
	if !c.Stdio {
		return copyTo(c.File)
	}
	return sink.CopyOut(job.Format(), job.Columns())
}
