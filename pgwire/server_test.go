package pgwire

import (
	"context"
	"crypto/rand"
	"net"
	"reflect"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/rs/zerolog"

	"github.com/omendb/omendb/internal/clock"
	"github.com/omendb/omendb/security"
)

// fixture is a server on a TCP port with scripts behind it.
type fixture struct {
	*Server
	backend *scripts
	addr    string
}

const testPassword = "correct horse"

func start(t *testing.T, change func(*Options)) *fixture {
	t.Helper()
	v, err := security.NewVerifier(testPassword, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b := &scripts{logins: map[string]Login{
		"ann":    {Verifier: v.String()},
		"nopass": {},
		"old":    {Verifier: v.String(), ValidUntil: time.Unix(1, 0)},
	}}
	o := Options{Backend: b, Clock: clock.System(), Log: zerolog.Nop(), Owner: Owner{UID: -1}}
	if change != nil {
		change(&o)
	}
	s, err := NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go s.Serve(l)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = s.Shutdown(ctx)
	})
	return &fixture{Server: s, backend: b, addr: l.Addr().String()}
}

// raw is a client that speaks messages.
type raw struct {
	*pgproto3.Frontend
	t  *testing.T
	nc net.Conn
}

func newRaw(t *testing.T, nc net.Conn) *raw {
	t.Helper()
	t.Cleanup(func() { nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(10 * time.Second))
	return &raw{Frontend: pgproto3.NewFrontend(nc, nc), t: t, nc: nc}
}

// trusted connects through a pipe without a password.
func (f *fixture) trusted(t *testing.T) *raw {
	t.Helper()
	client, server := Pipe()
	go f.ServeConn(server, true)
	r := newRaw(t, client)
	r.startup(map[string]string{"user": "ann", "application_name": "test"})
	for {
		if _, ok := r.next().(*pgproto3.ReadyForQuery); ok {
			return r
		}
	}
}

func (r *raw) startup(params map[string]string) {
	r.t.Helper()
	r.send(&pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersion30, Parameters: params})
}

func (r *raw) send(messages ...pgproto3.FrontendMessage) {
	r.t.Helper()
	for _, m := range messages {
		r.Send(m)
	}
	if err := r.Flush(); err != nil {
		r.t.Fatal(err)
	}
}

func (r *raw) bytes(b ...byte) {
	r.t.Helper()
	if _, err := r.nc.Write(b); err != nil {
		r.t.Fatal(err)
	}
}

func (r *raw) next() pgproto3.BackendMessage {
	r.t.Helper()
	m, err := r.Receive()
	if err != nil {
		r.t.Fatal(err)
	}
	return m
}

// names reads up to and including ReadyForQuery and returns the messages'
// names, with what is most telling of each.
func (r *raw) names() []string {
	r.t.Helper()
	var out []string
	for {
		m := r.next()
		out = append(out, describe(m))
		if _, ok := m.(*pgproto3.ReadyForQuery); ok {
			return out
		}
	}
}

func describe(m pgproto3.BackendMessage) string {
	switch m := m.(type) {
	case *pgproto3.ReadyForQuery:
		return "ready " + string(m.TxStatus)
	case *pgproto3.CommandComplete:
		return "complete " + string(m.CommandTag)
	case *pgproto3.ErrorResponse:
		return "error " + m.Code
	case *pgproto3.NoticeResponse:
		return "notice " + m.Message
	case *pgproto3.ParameterStatus:
		return "parameter " + m.Name + "=" + m.Value
	case *pgproto3.DataRow:
		out := "row"
		for _, v := range m.Values {
			if v == nil {
				out += " NULL"
			} else {
				out += " " + string(v)
			}
		}
		return out
	case *pgproto3.NotificationResponse:
		return "notification " + m.Payload
	case *pgproto3.CopyData:
		return "data " + string(m.Data)
	}
	return reflect.TypeOf(m).Elem().Name()
}

// expect compares the messages up to ReadyForQuery.
func (r *raw) expect(want ...string) {
	r.t.Helper()
	if got := r.names(); !reflect.DeepEqual(got, want) {
		r.t.Errorf("got\n\t%q\nwant\n\t%q", got, want)
	}
}

// expectFatal reads a FATAL error and the end of the connection.
func (r *raw) expectFatal(code string) *pgproto3.ErrorResponse {
	r.t.Helper()
	var e *pgproto3.ErrorResponse
	for e == nil {
		m := r.next()
		if x, ok := m.(*pgproto3.ErrorResponse); ok && x.Severity != "ERROR" {
			e = x
		}
	}
	if e.Code != code || e.Severity != "FATAL" || e.SeverityUnlocalized != "FATAL" {
		r.t.Fatalf("got %s %s %s, want FATAL %s", e.Severity, e.Code, e.Message, code)
	}
	if m, err := r.Receive(); err == nil {
		r.t.Fatalf("%s after a fatal error", describe(m))
	}
	return e
}

func query(text string) *pgproto3.Query { return &pgproto3.Query{String: text} }
