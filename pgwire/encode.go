package pgwire

import (
	"encoding/binary"
	"math"
	"strconv"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql"
	"github.com/omendb/omendb/sql/charset"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// encoder appends a value that is not NULL to a DataRow.
type encoder func(dst []byte, v *column.Vec, row int) []byte

// encoders are those of the columns of the statement that runs: chosen once for
// its columns, used for all of its rows.
type encoders struct {
	cols []sql.Column // for which they were chosen; kept, so that its address stays taken
	env  *types.Env
	enc  *charset.Encoding
	list []encoder
	last []*repeat
}

// repeat encodes a value that is the very bytes of the row before it by what that one became: catalogs are full of
// privileges that many rows share. It holds for the rows of one batch, whose bytes stay where they are.
type repeat struct {
	enc   encoder
	value *byte
	size  int
	out   []byte
}

// maxRepeated bounds the bytes of a value whose form is kept for the next row.
const maxRepeated = 1 << 10

func (e *repeat) encode(dst []byte, v *column.Vec, row int) []byte {
	b := v.B[row]
	if len(b) == 0 {
		return e.enc(dst, v, row)
	}
	if &b[0] == e.value && len(b) == e.size {
		return append(dst, e.out...)
	}
	at := len(dst)
	dst = e.enc(dst, v, row)
	if e.value = nil; len(dst)-at <= maxRepeated {
		e.value, e.size, e.out = &b[0], len(b), append(e.out[:0], dst[at:]...)
	}
	return dst
}

// rows sends a batch as DataRow messages.
func (e *encoders) rows(w *writer, env *types.Env, cols []sql.Column, b *column.Batch) error {
	if err := e.choose(env, cols); err != nil {
		return err
	}
	for _, r := range e.last {
		r.value = nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range b.Len() {
		row := b.Row(i)
		// w.buf stays as it is until the row is whole: an encoder may panic.
		start := len(w.buf) + 1
		buf := append(w.buf, 'D', 0, 0, 0, 0)
		buf = appendInt16(buf, int16(len(cols)))
		for k, encode := range e.list {
			v := &b.Cols[k]
			if v.Null(row) {
				buf = append(buf, 0xff, 0xff, 0xff, 0xff)
				continue
			}
			at := len(buf)
			buf = encode(append(buf, 0, 0, 0, 0), v, row)
			binary.BigEndian.PutUint32(buf[at:], uint32(len(buf)-at-4))
		}
		if len(buf)-start > math.MaxInt32 {
			return pgerr.New(pgerr.ProgramLimitExceeded, "a row of more than 2 GB cannot be sent")
		}
		if err := env.Untranslatable; err != nil {
			env.Untranslatable = nil
			return err
		}
		w.buf = buf
		if err := w.end(start); err != nil {
			return err
		}
	}
	return nil
}

// choose picks the encoders, unless they are those of the last call.
func (e *encoders) choose(env *types.Env, cols []sql.Column) error {
	if len(cols) == len(e.cols) && len(cols) > 0 && &cols[0] == &e.cols[0] && e.env == env && e.enc == env.Client {
		return nil
	}
	e.cols = nil
	e.list, e.last = e.list[:0], nil
	for i := range cols {
		enc, err := encoderOf(env, cols[i].Type, cols[i].Format)
		if err != nil {
			return err
		}
		if t := env.Type(cols[i].Type); t != nil && t.IsArray() {
			r := &repeat{enc: enc}
			e.last = append(e.last, r)
			enc = r.encode
		}
		e.list = append(e.list, enc)
	}
	e.cols, e.env, e.enc = cols, env, env.Client
	return nil
}

// shrink forgets the last statement's columns.
func (e *encoders) shrink() { *e = encoders{} }

// encoderOf returns the encoder of a type in a format. The commonest types do
// not go through the general way.
func encoderOf(env *types.Env, oid types.OID, format int16) (encoder, error) {
	switch format {
	case 0:
		enc, err := textEncoder(env, oid)
		if err == nil && env.Client != nil {
			enc = inEncoding(env, enc)
		}
		return enc, err
	case 1:
		return binaryEncoder(env, oid)
	}
	return nil, pgerr.New(pgerr.InvalidParameterValue, "unsupported format code: %d", format)
}

// inEncoding converts what an encoder appends into the client's encoding. A character that
// has no equivalent is told through env.Untranslatable.
func inEncoding(env *types.Env, enc encoder) encoder {
	return func(dst []byte, v *column.Vec, row int) []byte {
		return env.ToClient(enc(dst, v, row), len(dst))
	}
}

func textEncoder(env *types.Env, oid types.OID) (encoder, error) {
	switch oid {
	case types.Int2OID, types.Int4OID, types.Int8OID, types.OIDOID:
		return func(dst []byte, v *column.Vec, row int) []byte { return strconv.AppendInt(dst, v.I[row], 10) }, nil
	case types.BoolOID:
		return func(dst []byte, v *column.Vec, row int) []byte {
			if v.I[row] != 0 {
				return append(dst, 't')
			}
			return append(dst, 'f')
		}, nil
	case types.TextOID, types.VarcharOID, types.BPCharOID, types.NameOID, types.JSONOID:
		return appendBytes, nil
	}
	if err := env.CanOut(oid); err != nil {
		return nil, err
	}
	return func(dst []byte, v *column.Vec, row int) []byte { return env.Out(dst, oid, v.Datum(row)) }, nil
}

func binaryEncoder(env *types.Env, oid types.OID) (encoder, error) {
	switch oid {
	case types.Int2OID:
		return func(dst []byte, v *column.Vec, row int) []byte {
			return binary.BigEndian.AppendUint16(dst, uint16(v.I[row]))
		}, nil
	case types.Int4OID, types.OIDOID:
		return func(dst []byte, v *column.Vec, row int) []byte {
			return binary.BigEndian.AppendUint32(dst, uint32(v.I[row]))
		}, nil
	case types.Int8OID:
		return func(dst []byte, v *column.Vec, row int) []byte {
			return binary.BigEndian.AppendUint64(dst, uint64(v.I[row]))
		}, nil
	case types.Float8OID:
		return func(dst []byte, v *column.Vec, row int) []byte {
			return binary.BigEndian.AppendUint64(dst, types.Float64Bits(v.F[row]))
		}, nil
	case types.BoolOID:
		return func(dst []byte, v *column.Vec, row int) []byte { return append(dst, byte(v.I[row])) }, nil
	case types.TextOID, types.VarcharOID, types.BPCharOID, types.NameOID, types.JSONOID:
		if env.Client == nil {
			return appendBytes, nil
		}
	case types.ByteaOID:
		return appendBytes, nil
	}
	if err := env.CanSend(oid); err != nil {
		return nil, err
	}
	return func(dst []byte, v *column.Vec, row int) []byte { return env.Send(dst, oid, v.Datum(row)) }, nil
}

func appendBytes(dst []byte, v *column.Vec, row int) []byte { return append(dst, v.B[row]...) }
