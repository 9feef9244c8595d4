package engine

import (
	"encoding/binary"
	"errors"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/memtable"
)

// encoder builds record bodies and the manifest.
type encoder struct{ b []byte }

func (e *encoder) byte(v byte)      { e.b = append(e.b, v) }
func (e *encoder) uvarint(v uint64) { e.b = binary.AppendUvarint(e.b, v) }
func (e *encoder) varint(v int64)   { e.b = binary.AppendVarint(e.b, v) }

func (e *encoder) bool(v bool) {
	if v {
		e.byte(1)
	} else {
		e.byte(0)
	}
}

func (e *encoder) bytes(v []byte) {
	e.uvarint(uint64(len(v)))
	e.b = append(e.b, v...)
}

func (e *encoder) string(v string) {
	e.uvarint(uint64(len(v)))
	e.b = append(e.b, v...)
}

func (e *encoder) def(d *StoreDef) {
	e.uvarint(uint64(d.ID))
	e.string(d.Name)
	e.uvarint(uint64(len(d.Columns)))
	for _, c := range d.Columns {
		e.byte(byte(c.Kind))
		switch m := c.Missing; {
		case m.Null:
			e.byte(0)
		case c.Kind == column.Bytes:
			e.byte(1)
			e.bytes(m.B)
		default:
			e.byte(1)
			e.varint(m.I)
		}
	}
	e.uvarint(uint64(len(d.KeyColumns)))
	for _, k := range d.KeyColumns {
		e.uvarint(uint64(k))
	}
}

var errMalformed = errors.New("malformed record")

// decoder reads what an encoder wrote. After an error everything reads as zero.
type decoder struct {
	b   []byte
	err error
}

func (d *decoder) fail() { d.err, d.b = errMalformed, nil }

func (d *decoder) byte() byte {
	if len(d.b) == 0 {
		d.fail()
		return 0
	}
	v := d.b[0]
	d.b = d.b[1:]
	return v
}

func (d *decoder) bool() bool { return d.byte() != 0 }

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

// count reads the number of things that take at least a byte each.
func (d *decoder) count() int {
	n := d.uvarint()
	if n > uint64(len(d.b)) {
		d.fail()
		return 0
	}
	return int(n)
}

func (d *decoder) bytes() []byte {
	n := d.count()
	v := d.b[:n:n]
	d.b = d.b[n:]
	return v
}

// write reads a row of a section of writes. Most keys and rows are short.
func (d *decoder) write() (flags memtable.Flags, key, data []byte) {
	if b := d.b; len(b) > 2 && b[1] < 1<<7 {
		at := 2 + int(b[1])
		if len(b) > at && b[at] < 1<<7 {
			if end := at + 1 + int(b[at]); len(b) >= end {
				d.b = b[end:]
				return memtable.Flags(b[0]), b[2:at:at], b[at+1 : end : end]
			}
		}
	}
	return memtable.Flags(d.byte()), d.bytes(), d.bytes()
}

func (d *decoder) string() string { return string(d.bytes()) }

func (d *decoder) def() StoreDef {
	def := StoreDef{ID: StoreID(d.uvarint()), Name: d.string()}
	for range d.count() {
		c := ColumnDef{Kind: column.Kind(d.byte())}
		switch {
		case d.byte() == 0:
			c.Missing = column.Null()
		case c.Kind == column.Bytes:
			c.Missing = column.BytesDatum(d.bytes()).Clone()
		default:
			c.Missing = column.IntDatum(d.varint())
		}
		if c.Kind < column.Int || c.Kind > column.Bytes {
			d.fail()
		}
		def.Columns = append(def.Columns, c)
	}
	for range d.count() {
		def.KeyColumns = append(def.KeyColumns, int(d.uvarint()))
	}
	return def
}
