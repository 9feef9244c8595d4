package exec

import (
	"bytes"
	"encoding/binary"
	"io"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// copyOut is a running COPY … TO.
type copyOut struct {
	rt    *Runtime
	opts  *copyOptions
	w     io.Writer
	names []string
	types []OID
	buf   []byte
	value []byte
	rows  int64
}

// statement returns what to run, and notes the columns.
func (o *copyOut) statement(c *plan.Copy) (*plan.Statement, error) {
	if c.Query != nil {
		planner, ok := o.rt.Binder.(interface {
			Plan(*plan.Query) (*plan.Statement, error)
		})
		if !ok {
			return nil, pgerr.Unsupported("COPY of a query is not supported here")
		}
		st, err := planner.Plan(c.Query)
		if err != nil {
			return nil, err
		}
		for i, t := range st.Output {
			o.names = append(o.names, t.Name)
			o.types = append(o.types, st.Root.Info().Columns[i].Type.OID)
		}
		return st, nil
	}
	if err := copyable(c.Table, c.Name.Name); err != nil {
		return nil, err
	}
	attrs, err := copyColumns(c.Table, c.Columns)
	if err != nil {
		return nil, err
	}
	if err := o.opts.checkNames(c.Table, attrs); err != nil {
		return nil, err
	}
	n := &plan.Scan{Table: c.Table, Alias: c.Table.Name, Attrs: attrs}
	for _, a := range attrs {
		col := &c.Table.Columns[a]
		o.names, o.types = append(o.names, col.Name), append(o.types, col.Type)
		n.Columns = append(n.Columns, plan.Column{Name: col.Name, Type: plan.Type{OID: col.Type, Typmod: col.Typmod, Collation: col.Collation}})
	}
	return &plan.Statement{Root: n, ReadOnly: true}, nil
}

func copyable(rel *catalog.Relation, name string) error {
	switch {
	case rel == nil || rel.Kind == catalog.KindView:
		return pgerr.New(pgerr.WrongObjectType, "cannot copy from view \"%s\"", name).WithHint("Try the COPY (SELECT ...) TO variant.")
	case rel.Kind == catalog.KindMatView:
		return pgerr.New(pgerr.WrongObjectType, "cannot copy from materialized view \"%s\"", name).WithHint("Try the COPY (SELECT ...) TO variant.")
	case rel.Kind == catalog.KindVirtual:
		return pgerr.Unsupported("COPY from system catalog \"%s\" is not supported", name)
	}
	return nil
}

func (o *copyOut) run(st *plan.Statement) error {
	for _, t := range o.types {
		err := o.rt.Functions.Env.CanOut(t)
		if o.opts.format == copyBinary {
			err = o.rt.Functions.Env.CanSend(t)
		}
		if err != nil {
			return err
		}
	}
	rows, err := Run(o.rt, st)
	if err != nil {
		return err
	}
	defer rows.Close()
	o.start()
	if o.opts.format != copyBinary {
		if err := o.flush(); err != nil {
			return err
		}
	}
	env := o.rt.Functions.Env
	var b column.Batch
	for {
		ok, err := rows.Next(&b)
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		for i := range b.Len() {
			o.row(&b, b.Row(i))
			if err := env.Untranslatable; err != nil {
				env.Untranslatable = nil
				return err
			}
			if err := o.flush(); err != nil {
				return err
			}
		}
	}
	if o.opts.format == copyBinary {
		o.buf = append(o.buf, 0xff, 0xff)
	}
	return o.flush()
}

// flush writes a row: clients count on each to be a message of its own, with the
// header of the binary format before the first.
func (o *copyOut) flush() error {
	if len(o.buf) == 0 {
		return nil
	}
	_, err := o.w.Write(o.buf)
	o.buf = o.buf[:0]
	return err
}

// start writes what comes before the rows.
func (o *copyOut) start() {
	if o.opts.format == copyBinary {
		o.buf = append(o.buf, copySignature...)
		o.buf = append(o.buf, 0, 0, 0, 0, 0, 0, 0, 0)
		return
	}
	if !o.opts.header {
		return
	}
	for i, name := range o.names {
		if i > 0 {
			o.buf = append(o.buf, o.opts.delimiter)
		}
		if o.opts.format == copyCSV {
			o.csv([]byte(name), false, len(o.names) == 1)
		} else {
			o.text([]byte(name))
		}
	}
	o.buf = append(o.buf, '\n')
}

func (o *copyOut) row(b *column.Batch, r int) {
	o.rows++
	if o.opts.format == copyBinary {
		o.buf = binary.BigEndian.AppendUint16(o.buf, uint16(len(o.types)))
	}
	for i, typ := range o.types {
		d := b.Cols[i].Datum(r)
		if o.opts.format == copyBinary {
			o.binaryField(typ, d)
			continue
		}
		if i > 0 {
			o.buf = append(o.buf, o.opts.delimiter)
		}
		if d.Null {
			o.buf = append(o.buf, o.opts.null...)
			continue
		}
		o.value = o.rt.Functions.Env.Out(o.value[:0], typ, d)
		if o.opts.format == copyCSV {
			o.csv(o.value, o.opts.quoteAll || o.opts.forceQuote[o.names[i]], len(o.types) == 1)
		} else {
			o.text(o.value)
		}
	}
	if o.opts.format != copyBinary {
		o.buf = append(o.buf, '\n')
	}
}

func (o *copyOut) binaryField(typ OID, d column.Datum) {
	if d.Null {
		o.buf = append(o.buf, 0xff, 0xff, 0xff, 0xff)
		return
	}
	at := len(o.buf)
	o.buf = append(o.buf, 0, 0, 0, 0)
	o.buf = o.rt.Functions.Env.Send(o.buf, typ, d)
	binary.BigEndian.PutUint32(o.buf[at:], uint32(len(o.buf)-at-4))
}

// text appends a field of the text format.
func (o *copyOut) text(b []byte) {
	for _, c := range b {
		switch c {
		case '\b':
			o.buf = append(o.buf, '\\', 'b')
		case '\f':
			o.buf = append(o.buf, '\\', 'f')
		case '\n':
			o.buf = append(o.buf, '\\', 'n')
		case '\r':
			o.buf = append(o.buf, '\\', 'r')
		case '\t':
			o.buf = append(o.buf, '\\', 't')
		case '\v':
			o.buf = append(o.buf, '\\', 'v')
		case '\\', o.opts.delimiter:
			o.buf = append(o.buf, '\\', c)
		default:
			o.buf = append(o.buf, c)
		}
	}
}

// csv appends a field of the csv format, quoted when it must be. A lone field
// that reads "\." is quoted, or it would be taken for the end.
func (o *copyOut) csv(b []byte, force, lone bool) {
	quote := force || string(b) == o.opts.null || (lone && string(b) == `\.`)
	if !quote {
		quote = bytes.IndexByte(b, o.opts.delimiter) >= 0 || bytes.IndexByte(b, o.opts.quote) >= 0 || bytes.ContainsAny(b, "\r\n")
	}
	if !quote {
		o.buf = append(o.buf, b...)
		return
	}
	o.buf = append(o.buf, o.opts.quote)
	for _, c := range b {
		if c == o.opts.quote || c == o.opts.escape {
			o.buf = append(o.buf, o.opts.escape)
		}
		o.buf = append(o.buf, c)
	}
	o.buf = append(o.buf, o.opts.quote)
}
