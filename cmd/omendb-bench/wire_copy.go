//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// copyInto sends the rows and returns the connection, still open, and the time
// from the statement to its answer.
func copyInto(ctx context.Context, s *wireServer, w *copyWork) (*pgconn.PgConn, time.Duration, error) {
	c, err := pgconn.Connect(ctx, s.uri)
	if err != nil {
		return nil, 0, err
	}
	text := "COPY copied FROM STDIN"
	if w.binary {
		text += " (FORMAT binary)"
	}
	data := bytes.NewReader(w.payload())
	start := time.Now()
	tag, err := c.CopyFrom(ctx, struct{ *onlyRead }{&onlyRead{data}}, text)
	took := time.Since(start)
	if err == nil && tag.RowsAffected() != int64(w.rows) {
		err = fmt.Errorf("%d of %d rows were copied", tag.RowsAffected(), w.rows)
	}
	if err != nil {
		c.Close(ctx)
	}
	return c, took, err
}

// onlyRead hides WriteTo, so that data go in pieces as a client's do.
type onlyRead struct{ r *bytes.Reader }

func (o *onlyRead) Read(p []byte) (int, error) { return o.r.Read(p) }

// check compares what is in the table afterwards.
func (w *copyWork) check(s *wireServer) (uint64, error) {
	if _, err := w.run(s); err != nil {
		return 0, err
	}
	ctx := context.Background()
	c, err := pgconn.Connect(ctx, s.uri)
	if err != nil {
		return 0, err
	}
	defer c.Close(ctx)
	list, err := c.Exec(ctx, "SELECT count(*), sum(id), sum(device), sum(value::numeric), min(at), max(at), sum(length(note)) FROM copied").ReadAll()
	if err != nil {
		return 0, err
	}
	h := fnv.New64a()
	for _, v := range list[0].Rows[0] {
		h.Write(v)
	}
	return h.Sum64(), nil
}

func appendBinaryRow(b []byte, id int64, device int32, at time.Time, value float64, note string) []byte {
	be := binary.BigEndian
	b = be.AppendUint16(b, 5)
	b = be.AppendUint64(be.AppendUint32(b, 8), uint64(id))
	b = be.AppendUint32(be.AppendUint32(b, 4), uint32(device))
	b = be.AppendUint64(be.AppendUint32(b, 8), uint64(at.UnixMicro()-946684800_000000)) // since 2000
	b = be.AppendUint64(be.AppendUint32(b, 8), math.Float64bits(value))
	return append(be.AppendUint32(b, uint32(len(note))), note...)
}
