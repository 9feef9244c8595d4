package exec

import (
	"io"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/charset"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// CopyJob is a COPY that is ready to run: its options are checked and its
// columns known. The session announces format and columns to the client, checks
// Access, and then calls In or Out with the stream of data.
type CopyJob struct {
	rt     *Runtime
	c      *plan.Copy
	opts   *copyOptions
	out    *copyOut
	stmt   *plan.Statement
	access []plan.Access
	cols   int
}

// PrepareCopy checks a COPY and finds its columns; a query is planned.
func PrepareCopy(rt *Runtime, c *plan.Copy) (*CopyJob, error) {
	opts, err := readCopyOptions(c)
	if err != nil {
		return nil, err
	}
	j := &CopyJob{rt: rt, c: c, opts: opts}
	if c.From {
		err = j.prepareIn()
	} else {
		err = j.prepareOut()
	}
	return j, MapError(err)
}

func (j *CopyJob) prepareIn() error {
	if j.c.Table == nil || j.c.Table.Kind == catalog.KindView {
		return pgerr.New(pgerr.WrongObjectType, "cannot copy to view \"%s\"", j.c.Name.Name).
			WithHint("To enable copying to a view, provide an INSTEAD OF INSERT trigger.")
	}
	if k := j.c.Table.Kind; k != catalog.KindTable {
		if k == catalog.KindMatView {
			return pgerr.New(pgerr.WrongObjectType, "cannot copy to materialized view \"%s\"", j.c.Name.Name)
		}
		return pgerr.New(pgerr.InsufficientPrivilege, "permission denied: \"%s\" is a system catalog", j.c.Name.Name)
	}
	attrs, err := copyColumns(j.c.Table, j.c.Columns)
	if err != nil {
		return err
	}
	j.cols = len(attrs)
	j.access = []plan.Access{{Table: j.c.Table.OID, Required: catalog.ACLInsert, Write: attrs}}
	return j.opts.checkNames(j.c.Table, attrs)
}

func (j *CopyJob) prepareOut() error {
	j.out = &copyOut{rt: j.rt, opts: j.opts}
	var err error
	if j.stmt, err = j.out.statement(j.c); err != nil {
		return err
	}
	j.cols = len(j.out.types)
	j.access = j.stmt.Access
	if scan, ok := j.stmt.Root.(*plan.Scan); ok && j.c.Query == nil {
		j.access = []plan.Access{{Table: scan.Table.OID, Required: catalog.ACLSelect, Read: scan.Attrs}}
	}
	return nil
}

// Access lists the privileges that the statement needs.
func (j *CopyJob) Access() []plan.Access { return j.access }

// Format returns the format of all columns for CopyInResponse and
// CopyOutResponse: 0 text (and csv), 1 binary.
func (j *CopyJob) Format() int8 {
	if j.opts.format == copyBinary {
		return 1
	}
	return 0
}

// Columns returns the number of columns.
func (j *CopyJob) Columns() int { return j.cols }

// In executes COPY FROM: it reads r to its end and returns the number of rows inserted.
func (j *CopyJob) In(r io.Reader) (int64, error) {
	if j.rt.BeforeWrite != nil {
		if err := j.rt.BeforeWrite(); err != nil {
			return 0, err
		}
	}
	in, err := newCopyIn(j.rt, j.c, j.opts, r)
	if err != nil {
		return 0, MapError(err)
	}
	defer in.w.abortBulk()
	if err := in.run(); err != nil {
		return 0, in.located(MapError(err))
	}
	if err := in.w.finishBulk(); err != nil {
		return 0, MapError(err)
	}
	if err := in.st.finishForeignKeys(); err != nil {
		return 0, MapError(err)
	}
	return in.rows, nil
}

// Out executes COPY TO: it writes pieces of whole lines to w and returns the
// number of rows.
func (j *CopyJob) Out(w io.Writer) (int64, error) {
	j.out.w = w
	if j.opts.format != copyBinary {
		j.out.w = charset.NewWriter(j.opts.fileEncoding(j.rt.Functions.Env), w)
	}
	err := j.out.run(j.stmt)
	return j.out.rows, MapError(err)
}
