package omendb_test

import (
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/omendb/omendb"
)

// maxIdleBytes is what a connection that does nothing may cost: PostgreSQL's
// process costs 1.4 MB.
const maxIdleBytes = 25 << 10

// An idle connection, also one that has worked, costs little memory.
func TestIdleConnectionMemory(t *testing.T) {
	const n = 300
	db, err := omendb.Open(omendb.Memory, omendb.WithMaxConnections(2*n))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	used := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc + m.StackInuse
	}
	open := func() net.Conn {
		c := db.Connect()
		f := pgproto3.NewFrontend(c, c)
		f.Send(&pgproto3.StartupMessage{ProtocolVersion: 3 << 16, Parameters: map[string]string{"user": "omendb", "database": "postgres"}})
		f.Send(&pgproto3.Query{String: "SELECT i, repeat('x', 100) FROM generate_series(1, 1000) i"})
		if err := f.Flush(); err != nil {
			t.Fatal(err)
		}
		for ready := 0; ready < 2; {
			m, err := f.Receive()
			if err != nil {
				t.Fatal(err)
			}
			switch m := m.(type) {
			case *pgproto3.ReadyForQuery:
				ready++
			case *pgproto3.ErrorResponse:
				t.Fatal(m.Message)
			}
		}
		return c
	}
	warm := open()
	defer warm.Close()
	before := used()
	conns := make([]io.Closer, n)
	for i := range conns {
		conns[i] = open()
	}
	var each uint64
	for range 20 { // buffers go back at the sweeper's second look
		time.Sleep(200 * time.Millisecond)
		if each = (max(used(), before) - before) / n; each <= maxIdleBytes {
			break
		}
	}
	t.Logf("%d bytes per idle connection", each)
	if each > maxIdleBytes {
		t.Errorf("an idle connection costs %d bytes, more than %d", each, maxIdleBytes)
	}
	for _, c := range conns {
		c.Close()
	}
}
