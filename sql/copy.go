package sql

import (
	"context"

	"github.com/omendb/omendb/sql/exec"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// runCopy is COPY: data flows between the executor and the sink.
func (x *Session) runCopy(ctx context.Context, c *plan.Copy, sink Sink) error {
	if !c.Stdio {
		return pgerr.New(pgerr.FeatureNotSupported, "COPY from or to a file or program of the server is not supported").
			WithHint("Use COPY FROM STDIN or COPY TO STDOUT, or psql's \\copy.")
	}
	x.activity.statements++
	if c.From && x.txn.Options().ReadOnly {
		return pgerr.New(pgerr.ReadOnlySQLTransaction, "cannot execute COPY FROM in a read-only transaction")
	}
	if err := x.txn.AwaitSafeSnapshot(ctx); err != nil {
		return err
	}
	rt := x.runtime(ctx, nil)
	defer func() { rt.Snapshot.Close() }()
	job, err := exec.PrepareCopy(rt, c)
	if err != nil {
		return err
	}
	if err := x.checkAccess(job.Access()); err != nil {
		return err
	}
	var n int64
	if c.From {
		in, err := sink.CopyIn(job.Format(), job.Columns())
		if err != nil {
			return err
		}
		if n, err = job.In(in); err != nil {
			return err
		}
		x.txn.NextCommand()
	} else {
		out, err := sink.CopyOut(job.Format(), job.Columns())
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
