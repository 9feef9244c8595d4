package pgwire

import (
	"io"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/rs/zerolog"

	"github.com/omendb/omendb/internal/clock"
)

// FuzzConnection throws bytes at a connection, before and after its login: the
// server must neither panic nor hang, whatever they are.
func FuzzConnection(f *testing.F) {
	seed := func(loggedIn bool, messages ...pgproto3.FrontendMessage) {
		var b []byte
		for _, m := range messages {
			b, _ = m.Encode(b)
		}
		f.Add(loggedIn, b)
	}
	seed(false, &pgproto3.SSLRequest{}, &pgproto3.GSSEncRequest{}, &pgproto3.StartupMessage{ProtocolVersion: 3 << 16, Parameters: map[string]string{"user": "ann", "options": "-c a=b"}})
	seed(false, &pgproto3.CancelRequest{ProcessID: 1, SecretKey: []byte{1, 2, 3, 4}})
	seed(true, query("rows 3; notice x"), query("copyin early"), &pgproto3.CopyData{Data: []byte("a\n\\.\n")}, &pgproto3.CopyDone{}, query("copyout 3"))
	seed(true, &pgproto3.Parse{Name: "s", Query: "params", ParameterOIDs: []uint32{25}}, &pgproto3.Describe{ObjectType: 'S', Name: "s"},
		&pgproto3.Bind{PreparedStatement: "s", ParameterFormatCodes: []int16{1}, Parameters: [][]byte{nil, {1}}, ResultFormatCodes: []int16{1, 0}},
		&pgproto3.Execute{MaxRows: 1}, &pgproto3.Close{ObjectType: 'S', Name: "s"}, &pgproto3.Flush{}, &pgproto3.Sync{}, &pgproto3.Terminate{})
	seed(true, &pgproto3.FunctionCall{Function: 1}, query("error"), &pgproto3.CopyFail{Message: "x"})
	f.Fuzz(func(t *testing.T, loggedIn bool, input []byte) {
		b := &scripts{logins: map[string]Login{}}
		s, err := NewServer(Options{Backend: b, Clock: clock.System(), Log: zerolog.Nop(), Owner: Owner{UID: -1}})
		if err != nil {
			t.Fatal(err)
		}
		client, server := Pipe()
		done := make(chan struct{})
		go func() { s.ServeConn(server, loggedIn); close(done) }()
		go func() { _, _ = io.Copy(io.Discard, client) }()
		if loggedIn {
			startup, _ := (&pgproto3.StartupMessage{ProtocolVersion: 3 << 16, Parameters: map[string]string{"user": "ann"}}).Encode(nil)
			_, _ = client.Write(startup)
		}
		_, _ = client.Write(input)
		time.AfterFunc(time.Millisecond, func() { client.Close() })
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			t.Fatal("hangs")
		}
	})
}
