package exec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/charset"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// copyIn is a running COPY … FROM.
type copyIn struct {
	st       *state
	opts     *copyOptions
	w        *tableWriter
	attrs    []int
	cols     []copyColumn
	defaults []assigned
	where    predicate
	vals     []column.Datum
	lines    *lineReader
	binary   *binaryReader
	column   string // being read, for messages
	field    []byte
	isNull   bool
	rows     int64
}

// copyColumn is what reading a field needs to know of its column.
type copyColumn struct {
	name      string
	typ       OID
	typmod    int32
	forceNot  bool
	forceNull bool
	domain    *domainCheck
	small     int64 // int2, int4: the greatest value; int8: MaxInt64; else 0
	quick     bool  // types.QuickIn may know the value
	text      bool  // stored as it is written
}

func newCopyIn(rt *Runtime, c *plan.Copy, opts *copyOptions, r io.Reader) (*copyIn, error) {
	var err error
	in := &copyIn{st: newState(rt, &plan.Statement{}), opts: opts, vals: make([]column.Datum, len(c.Table.Columns))}
	if in.attrs, err = copyColumns(c.Table, c.Columns); err != nil {
		return nil, err
	}
	if in.w, err = in.st.writer(c.Table); err != nil {
		return nil, err
	}
	if in.where, err = in.st.predicate(ownRow(c.Bound, c.Table)); err != nil {
		return nil, err
	}
	for _, a := range in.attrs {
		col, err := in.copied(&c.Table.Columns[a])
		if err != nil {
			return nil, err
		}
		in.cols = append(in.cols, col)
	}
	if err := in.prepareDefaults(c.Table); err != nil {
		return nil, err
	}
	if opts.format == copyBinary {
		in.binary = &binaryReader{r: r}
	} else {
		in.lines = &lineReader{opts: opts, r: charset.NewReader(opts.fileEncoding(in.st.env), r)}
	}
	return in, nil
}

func (in *copyIn) copied(c *catalog.Column) (copyColumn, error) {
	col := copyColumn{name: c.Name, typ: c.Type, typmod: c.Typmod, forceNot: in.opts.forceNot[c.Name], forceNull: in.opts.forceNull[c.Name]}
	if err := in.st.env.CanIn(c.Type); err != nil {
		return col, err
	}
	switch c.Type {
	case types.Int2OID:
		col.small = math.MaxInt16
	case types.Int4OID:
		col.small = math.MaxInt32
	case types.Int8OID:
		col.small = math.MaxInt64
	case types.TextOID:
		col.text = true
	case types.Float8OID, types.DateOID, types.TimestampOID, types.TimestamptzOID:
		col.quick = c.Typmod < 0
	case types.VarcharOID:
		col.text = c.Typmod < 0
	}
	var err error
	col.domain, err = in.st.domain(c.Type)
	return col, err
}

// prepareDefaults compiles the defaults of the columns that the data does not have.
func (in *copyIn) prepareDefaults(rel *catalog.Relation) error {
	given := map[int]bool{}
	for _, a := range in.attrs {
		given[a] = true
	}
	for i := range rel.Columns {
		c := &rel.Columns[i]
		if given[i] || c.Dropped || c.Generated != 0 {
			continue
		}
		switch {
		case c.Default != nil:
			e, err := in.st.stored(c.Default, nil)
			if err != nil {
				return err
			}
			in.defaults = append(in.defaults, assigned{i, e})
		case c.Identity != 0:
			e, err := in.st.compile(&plan.NextValue{Base: plan.Base{Typ: plan.Type{OID: c.Type, Typmod: -1}}, Sequence: c.Sequence})
			if err != nil {
				return err
			}
			in.defaults = append(in.defaults, assigned{i, e})
		}
	}
	return nil
}

func (in *copyIn) run() error {
	if in.binary != nil {
		return in.runBinary()
	}
	if in.opts.header {
		ok, err := in.lines.next()
		if err != nil || !ok {
			return err
		}
		if in.opts.match {
			if err := in.matchHeader(); err != nil {
				return err
			}
		}
	}
	for {
		ok, err := in.lines.next()
		if err != nil || !ok {
			return err
		}
		if err := in.readLine(); err != nil {
			return err
		}
		if err := in.store(); err != nil {
			return err
		}
	}
}

func (in *copyIn) matchHeader() error {
	fields := in.lines.split()
	if len(fields) != len(in.cols) {
		return pgerr.New(pgerr.BadCopyFileFormat, "wrong number of fields in header line: got %d, expected %d", len(fields), len(in.cols))
	}
	for i, f := range fields {
		switch {
		case f.null:
			return pgerr.New(pgerr.BadCopyFileFormat, "column name mismatch in header line field %d: got null value (\"%s\"), expected \"%s\"", i+1, in.opts.null, in.cols[i].name)
		case string(f.text) != in.cols[i].name:
			return pgerr.New(pgerr.BadCopyFileFormat, "column name mismatch in header line field %d: got \"%s\", expected \"%s\"", i+1, f.text, in.cols[i].name)
		}
	}
	return nil
}

// readLine turns the current line into the values of a row.
func (in *copyIn) readLine() error {
	fields := in.lines.split()
	if len(in.cols) == 0 && len(in.lines.line) == 0 {
		fields = nil
	}
	if len(fields) > len(in.cols) {
		return pgerr.New(pgerr.BadCopyFileFormat, "extra data after last expected column")
	}
	for i := range in.cols {
		c := &in.cols[i]
		if in.column = ""; i >= len(fields) {
			return pgerr.New(pgerr.BadCopyFileFormat, "missing data for column \"%s\"", c.name)
		}
		f := &fields[i]
		if in.opts.format == copyCSV {
			if f.null && c.forceNot {
				f.null = false
			} else if f.quoted && c.forceNull && string(f.text) == in.opts.null {
				f.null = true
			}
		}
		in.column, in.field, in.isNull = c.name, f.text, f.null
		d, err := in.value(c, f)
		if err != nil {
			return err
		}
		in.vals[in.attrs[i]] = d
	}
	in.column = ""
	return nil
}

func (in *copyIn) value(c *copyColumn, f *copyField) (column.Datum, error) {
	if f.null {
		return column.Null(), c.domain.test(column.Null())
	}
	if c.small != 0 {
		if v, ok := plainInt(f.text, c.small); ok {
			return column.IntDatum(v), nil
		}
	}
	if c.text {
		return column.BytesDatum(f.text), nil
	}
	if c.quick {
		if d, ok := types.QuickIn(c.typ, f.text); ok {
			return d, nil
		}
	}
	d, err := in.st.env.In(c.typ, c.typmod, string(f.text))
	if err != nil {
		return d, err
	}
	return d, c.domain.test(d)
}

// plainInt reads digits with an optional sign; anything else is left to the type.
func plainInt(b []byte, most int64) (int64, bool) {
	neg := len(b) > 0 && b[0] == '-'
	if neg {
		b = b[1:]
	}
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	var v int64
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		v = v*10 + int64(c-'0')
	}
	if v > most {
		return 0, false
	}
	if neg {
		v = -v
	}
	return v, true
}

// cancelEvery is how many rows pass between looks at the cancel flag.
const cancelEvery = 1024

// store completes the row and inserts it.
func (in *copyIn) store() error {
	for _, d := range in.defaults {
		v, err := d.expr.row(&row{})
		if err != nil {
			return err
		}
		in.vals[d.attr] = v
	}
	if in.where != nil {
		if ok, err := in.where.test(&row{vals: in.vals}); !ok || err != nil {
			return err
		}
	}
	if err := in.w.complete(in.vals); err != nil {
		return err
	}
	if len(in.w.key) == 0 && in.w.nextID >= in.w.lastID {
		if _, err := in.w.rowID(cancelEvery); err != nil {
			return err
		}
		in.w.nextID--
	}
	if in.rows == bulkThreshold {
		if err := in.w.startBulk(); err != nil {
			return err
		}
	}
	if _, err := in.w.insert(in.vals); err != nil {
		return err
	}
	in.rows++
	if in.rows%cancelEvery == 0 {
		return in.st.rt.canceled()
	}
	return nil
}

// located adds where in the data an error happened.
func (in *copyIn) located(err error) error {
	var e *pgerr.Error
	if !errors.As(err, &e) || e.Where != "" {
		return err
	}
	where := *e
	where.Where = in.position(e.Code == pgerr.UniqueViolation)
	return &where
}

// position is "COPY t, line 3, column b: "x"", or the line alone of what PostgreSQL would
// notice when it stores several rows at once.
func (in *copyIn) position(stored bool) string {
	name := "COPY " + in.w.rel.Name
	line := int64(0)
	if in.lines != nil {
		line = in.lines.number
	} else {
		line = in.binary.rows
	}
	switch {
	case in.binary != nil && !in.binary.headed:
		return ""
	case in.lines != nil && in.lines.reading:
		return fmt.Sprintf("%s, line %d", name, line+1)
	case stored || in.lines != nil && in.lines.bad:
		return fmt.Sprintf("%s, line %d", name, line)
	case line == 0:
		return name
	case in.binary != nil && in.column != "":
		return fmt.Sprintf("%s, line %d, column %s", name, line, in.column)
	case in.binary != nil:
		return fmt.Sprintf("%s, line %d", name, line)
	case in.column != "" && in.isNull:
		return fmt.Sprintf("%s, line %d, column %s: null input", name, line, in.column)
	case in.column != "":
		return fmt.Sprintf("%s, line %d, column %s: \"%s\"", name, line, in.column, shorten(in.field))
	}
	return fmt.Sprintf("%s, line %d: \"%s\"", name, line, shorten(bytes.ToValidUTF8(in.lines.line, []byte("?"))))
}

// shorten cuts data for messages, as PostgreSQL does.
func shorten(b []byte) string {
	const most = 100
	if len(b) <= most {
		return string(b)
	}
	return strings.ToValidUTF8(string(b[:most]), "") + "..."
}
