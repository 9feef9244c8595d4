package fuzz

import (
	"io"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/omendb/omendb"
)

// wireDB is shared by the inputs: each gets a connection of its own.
var wireDB = sync.OnceValues(func() (*omendb.DB, error) {
	return omendb.Open(omendb.Memory, omendb.WithSettings(map[string]string{"statement_timeout": "1000"}))
})

// FuzzWire sends bytes to a whole server, from the first byte of a connection or
// after its login. It must neither die nor hang, and serve the next client.
func FuzzWire(f *testing.F) {
	seed := func(loggedIn bool, messages ...pgproto3.FrontendMessage) {
		var b []byte
		for _, m := range messages {
			b, _ = m.Encode(b)
		}
		f.Add(loggedIn, b)
	}
	startup := &pgproto3.StartupMessage{ProtocolVersion: 3 << 16, Parameters: map[string]string{"user": "omendb", "options": "-c work_mem=1MB"}}
	seed(false, &pgproto3.SSLRequest{}, &pgproto3.GSSEncRequest{}, startup)
	seed(false, &pgproto3.CancelRequest{ProcessID: 1001, SecretKey: []byte{1, 2, 3, 4}})
	seed(true, &pgproto3.Query{String: "BEGIN; CREATE TEMP TABLE t (a int, b text)"}, &pgproto3.Query{String: "COPY t FROM STDIN"},
		&pgproto3.CopyData{Data: []byte("1\tx\n")}, &pgproto3.CopyDone{}, &pgproto3.Query{String: "COPY t TO STDOUT"}, &pgproto3.Query{String: "ROLLBACK"})
	seed(true, &pgproto3.Parse{Name: "s", Query: "SELECT $1::int + 1, $2::text", ParameterOIDs: []uint32{23}}, &pgproto3.Describe{ObjectType: 'S', Name: "s"},
		&pgproto3.Bind{DestinationPortal: "p", PreparedStatement: "s", ParameterFormatCodes: []int16{1, 0}, Parameters: [][]byte{{0, 0, 0, 1}, nil}, ResultFormatCodes: []int16{1, 0}},
		&pgproto3.Describe{ObjectType: 'P', Name: "p"}, &pgproto3.Execute{Portal: "p", MaxRows: 1}, &pgproto3.Execute{Portal: "p"},
		&pgproto3.Close{ObjectType: 'S', Name: "s"}, &pgproto3.Flush{}, &pgproto3.Sync{}, &pgproto3.Terminate{})
	seed(true, &pgproto3.Parse{Query: "SELECT 1/0"}, &pgproto3.Bind{}, &pgproto3.Execute{}, &pgproto3.Sync{}, &pgproto3.FunctionCall{Function: 1}, &pgproto3.CopyFail{Message: "x"})
	hello, err := startup.Encode(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, loggedIn bool, input []byte) {
		db, err := wireDB()
		if err != nil {
			t.Fatal(err)
		}
		c := db.Connect()
		go func() { _, _ = io.Copy(io.Discard, c) }()
		if loggedIn {
			_, _ = c.Write(hello)
		}
		_, _ = c.Write(input)
		time.Sleep(time.Millisecond)
		c.Close()
		// A statement that runs notices that its client has left.
		deadline := time.Now().Add(20 * time.Second)
		for db.Counters().Open > 0 {
			if time.Now().After(deadline) {
				t.Fatal("the session does not end")
			}
			time.Sleep(100 * time.Microsecond)
		}
		next := db.Connect()
		defer next.Close()
		_ = next.SetDeadline(deadline)
		_, _ = next.Write(hello)
		for client := pgproto3.NewFrontend(next, next); ; {
			m, err := client.Receive()
			if err != nil {
				t.Fatalf("the next client is not served: %v", err)
			}
			if _, ready := m.(*pgproto3.ReadyForQuery); ready {
				break
			}
		}
	})
}
