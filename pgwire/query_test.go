package pgwire

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

func TestSimple(t *testing.T) {
	c := start(t, nil).trusted(t)
	for _, step := range []struct {
		query string
		want  []string
	}{
		{"", []string{"EmptyQueryResponse", "ready I"}},
		{"rows 2", []string{"RowDescription", "row 0 row 0 NULL", "row 1 row 1 NULL", "complete SELECT 2", "ready I"}},
		{"rows 0; begin", []string{"RowDescription", "complete SELECT 0", "complete BEGIN", "ready T"}},
		{"notice hello", []string{"notice hello", "complete NOTICE", "ready T"}},
		{"error; rows 1", []string{"error 22012", "ready E"}},
		{"commit", []string{"complete COMMIT", "ready I"}},
		{"panic", []string{"error XX000", "ready I"}},
		{"set a b; set application_name test", []string{"complete SET", "complete SET", "parameter a=b", "ready I"}},
		{"unknowntype", []string{"RowDescription", "error XX000", "ready I"}},
	} {
		c.send(&pgproto3.Query{String: step.query})
		c.expect(step.want...)
	}
}

func TestErrorFields(t *testing.T) {
	c := start(t, nil).trusted(t)
	c.send(&pgproto3.Query{String: "error"})
	e, ok := c.next().(*pgproto3.ErrorResponse)
	if !ok {
		t.Fatal("no error")
	}
	want := pgproto3.ErrorResponse{Severity: "ERROR", SeverityUnlocalized: "ERROR", Code: "22012", Message: "division by zero", Detail: "detail",
		Hint: "hint", Position: 4, SchemaName: "sch", TableName: "tab", ColumnName: "col", ConstraintName: "con", Where: "where"}
	if fmt.Sprint(*e) != fmt.Sprint(want) {
		t.Errorf("got %+v", *e)
	}
}

func TestExtended(t *testing.T) {
	c := start(t, nil).trusted(t)
	c.send(&pgproto3.Parse{Name: "s", Query: "params"}, &pgproto3.Describe{ObjectType: 'S', Name: "s"},
		&pgproto3.Bind{PreparedStatement: "s", Parameters: [][]byte{[]byte("one"), nil, {}}},
		&pgproto3.Describe{ObjectType: 'P'}, &pgproto3.Execute{}, &pgproto3.Sync{})
	c.expect("ParseComplete", "ParameterDescription", "RowDescription", "BindComplete", "RowDescription",
		"row one", "row NULL", "row ", "complete PARAMS", "ready I")

	c.send(&pgproto3.Parse{Query: ""}, &pgproto3.Describe{ObjectType: 'S'}, &pgproto3.Bind{}, &pgproto3.Execute{},
		&pgproto3.Close{ObjectType: 'S', Name: "s"}, &pgproto3.Close{ObjectType: 'P'}, &pgproto3.Sync{})
	c.expect("ParseComplete", "ParameterDescription", "NoData", "BindComplete", "EmptyQueryResponse", "CloseComplete", "CloseComplete", "ready I")

	c.send(&pgproto3.Bind{PreparedStatement: "s"}, &pgproto3.Sync{})
	c.expect("error 26000", "ready I")
}

func TestSuspendedPortal(t *testing.T) {
	c := start(t, nil).trusted(t)
	c.send(&pgproto3.Parse{Query: "rows 5"}, &pgproto3.Bind{DestinationPortal: "p"}, &pgproto3.Execute{Portal: "p", MaxRows: 2},
		&pgproto3.Execute{Portal: "p", MaxRows: 2}, &pgproto3.Execute{Portal: "p", MaxRows: 2}, &pgproto3.Sync{})
	c.expect("ParseComplete", "BindComplete", "row 0 row 0 NULL", "row 1 row 1 NULL", "PortalSuspended",
		"row 2 row 2 NULL", "row 3 row 3 NULL", "PortalSuspended", "row 4 row 4 NULL", "complete SELECT 1", "ready I")
}

func TestBinaryResults(t *testing.T) {
	c := start(t, nil).trusted(t)
	for formats, want := range map[*[]int16][]byte{{1}: {0, 0, 0, 0}, {1, 0, 0}: {0, 0, 0, 0}, {0, 1, 1}: []byte("0"), {}: []byte("0")} {
		c.send(&pgproto3.Parse{Query: "rows 1"}, &pgproto3.Bind{ResultFormatCodes: *formats}, &pgproto3.Execute{}, &pgproto3.Sync{})
		c.next()
		c.next()
		if row := c.next().(*pgproto3.DataRow); !bytes.Equal(row.Values[0], want) || string(row.Values[1]) != "row 0" || row.Values[2] != nil {
			t.Errorf("formats %v: %q", *formats, row.Values)
		}
		c.names()
	}
	c.send(&pgproto3.Parse{Query: "rows 1"}, &pgproto3.Bind{ResultFormatCodes: []int16{2}}, &pgproto3.Execute{}, &pgproto3.Sync{})
	c.expect("ParseComplete", "BindComplete", "error 22023", "ready I")
}

// After an error everything up to Sync is skipped, and what follows is answered.
func TestSkipToSync(t *testing.T) {
	c := start(t, nil).trusted(t)
	c.send(&pgproto3.Parse{Query: "error"}, &pgproto3.Bind{}, &pgproto3.Execute{}, &pgproto3.Query{String: "rows 1"}, &pgproto3.Sync{},
		&pgproto3.Parse{Query: "rows 1"}, &pgproto3.Bind{}, &pgproto3.Execute{}, &pgproto3.Sync{})
	c.expect("error 42601", "ready I")
	c.expect("ParseComplete", "BindComplete", "row 0 row 0 NULL", "complete SELECT 1", "ready I")
	c.send(&pgproto3.Query{String: "begin"}, &pgproto3.Parse{Query: "panic"}, &pgproto3.Bind{}, &pgproto3.Execute{}, &pgproto3.Sync{})
	c.expect("complete BEGIN", "ready T")
	c.expect("ParseComplete", "BindComplete", "error XX000", "ready E")
}

// Flush sends what there is without a Sync.
func TestFlush(t *testing.T) {
	c := start(t, nil).trusted(t)
	c.send(&pgproto3.Parse{Query: "rows 1"}, &pgproto3.Flush{})
	if got := describe(c.next()); got != "ParseComplete" {
		t.Fatal(got)
	}
	c.send(&pgproto3.Sync{})
	c.expect("ready I")
}

// What a pipeline has answered reaches the client while a later part runs.
func TestPipelineDoesNotWait(t *testing.T) {
	f := start(t, nil)
	c := f.trusted(t)
	c.send(&pgproto3.Query{String: "rows 1"}, &pgproto3.Query{String: "wait"})
	c.expect("RowDescription", "row 0 row 0 NULL", "complete SELECT 1", "ready I")
	<-f.backend.last().waiting
	f.backend.last().Cancel()
	c.expect("error 57014", "ready I")
}

func TestLargeResult(t *testing.T) {
	c := start(t, nil).trusted(t)
	const n = 20_000
	c.send(&pgproto3.Query{String: fmt.Sprint("rows ", n)})
	got := c.names()
	if len(got) != n+3 || got[n] != fmt.Sprintf("row %d row %d NULL", n-1, n-1) {
		t.Fatal(len(got), got[len(got)-3:])
	}
}

// Values that do not fit the first buffers.
func TestLargeParameter(t *testing.T) {
	c := start(t, nil).trusted(t)
	big := bytes.Repeat([]byte("x"), 3<<20)
	c.Send(&pgproto3.Parse{Query: "params"})
	c.Send(&pgproto3.Bind{Parameters: [][]byte{big, []byte("y")}})
	c.Send(&pgproto3.Execute{})
	c.Send(&pgproto3.Sync{})
	done := make(chan error, 1)
	go func() { done <- c.Flush() }()
	got := c.names()
	if err := <-done; err != nil || len(got) != 6 || got[2] != "row "+string(big) || got[3] != "row y" {
		t.Fatal(err, len(got))
	}
}

func TestMessageLimit(t *testing.T) {
	c := start(t, func(o *Options) { o.MaxMessage = 1000 }).trusted(t)
	c.send(&pgproto3.Query{String: "notice " + strings.Repeat("x", 1000-8)})
	if got := c.names(); got[len(got)-2] != "complete NOTICE" {
		t.Fatal(got)
	}
	c.send(&pgproto3.Query{String: "notice " + strings.Repeat("x", 1000-7)})
	c.expect("error 54000", "ready I")
	c.send(&pgproto3.Parse{Query: strings.Repeat("x", 2000)}, &pgproto3.Bind{}, &pgproto3.Sync{})
	c.expect("error 54000", "ready I")
	// What cannot be a message's length: where the next one starts nobody knows.
	c.send(&pgproto3.Describe{ObjectType: 'S', Name: strings.Repeat("x", maxSmallMessage)}, &pgproto3.Sync{})
	if m, err := c.Receive(); err == nil {
		t.Fatalf("%s after a length that is none", describe(m))
	}
}

func TestFatalError(t *testing.T) {
	c := start(t, nil).trusted(t)
	c.send(&pgproto3.Query{String: "fatal"})
	c.expectFatal("57P01")
}

func TestFunctionCall(t *testing.T) {
	c := start(t, nil).trusted(t)
	c.send(&pgproto3.FunctionCall{Function: 1})
	c.expect("error 42883", "ready I")
}

func TestTerminate(t *testing.T) {
	f := start(t, nil)
	c := f.trusted(t)
	c.send(&pgproto3.Terminate{})
	select {
	case <-f.backend.last().closed:
	case <-time.After(5 * time.Second):
		t.Fatal("the session lives on")
	}
	if m, err := c.Receive(); err == nil {
		t.Fatal(describe(m))
	}
}

// Every message cut short, by every number of bytes, is answered by an error of
// the protocol, and the connection goes on.
func TestTruncatedBodies(t *testing.T) {
	c := start(t, nil).trusted(t)
	for _, m := range []pgproto3.FrontendMessage{
		&pgproto3.Query{String: "rows 1"}, &pgproto3.Parse{Name: "n", Query: "rows 1", ParameterOIDs: []uint32{23, 25}},
		&pgproto3.Bind{DestinationPortal: "p", PreparedStatement: "s", ParameterFormatCodes: []int16{0, 1},
			Parameters: [][]byte{[]byte("abc"), nil}, ResultFormatCodes: []int16{1}},
		&pgproto3.Describe{ObjectType: 'S', Name: "n"}, &pgproto3.Execute{Portal: "p", MaxRows: 1}, &pgproto3.Close{ObjectType: 'P', Name: "p"},
	} {
		whole, err := m.Encode(nil)
		if err != nil {
			t.Fatal(err)
		}
		for n := range len(whole) - 5 {
			cut := append([]byte(nil), whole[:5+n]...)
			binary.BigEndian.PutUint32(cut[1:], uint32(4+n))
			c.bytes(cut...)
			c.checkViolation(cut[0])
		}
		long := append(append([]byte(nil), whole...), 0, 0)
		binary.BigEndian.PutUint32(long[1:], uint32(len(long)-1))
		c.bytes(long...)
		c.checkViolation(long[0])
	}
	c.send(&pgproto3.Query{String: "rows 0"})
	c.expect("RowDescription", "complete SELECT 0", "ready I")
}

func (r *raw) checkViolation(typ byte) {
	r.t.Helper()
	if typ != 'Q' {
		r.send(&pgproto3.Sync{})
	}
	r.expect("error 08P01", "ready I")
}

func TestInvalidKinds(t *testing.T) {
	c := start(t, nil).trusted(t)
	c.send(&pgproto3.Describe{ObjectType: 'X'}, &pgproto3.Sync{}, &pgproto3.Close{ObjectType: 'X'}, &pgproto3.Sync{})
	c.expect("error 08P01", "ready I")
	c.expect("error 08P01", "ready I")
	bad := []byte{'B', 0, 0, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xf0, 0, 0, 0, 0}
	binary.BigEndian.PutUint32(bad[1:], uint32(len(bad)-1))
	c.bytes(bad...)
	c.checkViolation('B')
}

func TestInvalidFrames(t *testing.T) {
	f := start(t, nil)
	for _, b := range [][]byte{{'z', 0, 0, 0, 4}, {0, 0, 0, 0, 0}} {
		c := f.trusted(t)
		c.bytes(b...)
		c.expectFatal("08P01")
	}
	// Where the message after one of an impossible length starts nobody knows: the connection ends without a word.
	for _, b := range [][]byte{{'Q', 0, 0, 0, 3}, {'Q', 0xff, 0xff, 0xff, 0xff}, {'S', 0x7f, 0xff, 0xff, 0xff}} {
		c := f.trusted(t)
		c.bytes(b...)
		if m, err := c.Receive(); err == nil {
			t.Errorf("%s after the length %x", describe(m), b[1:])
		}
	}
}

// TestQueryDuringCopy ends a connection whose client does not know what it is doing.
func TestQueryDuringCopy(t *testing.T) {
	c := start(t, nil).trusted(t)
	c.send(&pgproto3.Query{String: "copyin"}, &pgproto3.CopyData{Data: []byte("a")}, &pgproto3.Query{String: "rows 1"}, &pgproto3.Query{String: "rows 0"})
	c.expectFatal("08P01")
}

func TestCopyIn(t *testing.T) {
	c := start(t, nil).trusted(t)
	data := func(n int) *pgproto3.CopyData { return &pgproto3.CopyData{Data: bytes.Repeat([]byte("a"), n)} }
	c.send(&pgproto3.Query{String: "copyin"}, data(10), data(0), &pgproto3.Flush{}, &pgproto3.Sync{}, data(30_000), &pgproto3.CopyDone{})
	c.expect("CopyInResponse", "complete COPY 30010", "ready I")

	c.send(&pgproto3.Query{String: "copyin"}, data(10), &pgproto3.CopyFail{Message: "no more"})
	c.expect("CopyInResponse", "error 57014", "ready I")

	c.send(&pgproto3.Query{String: "copyin bad"}, data(1000), data(1000), &pgproto3.CopyDone{}, &pgproto3.Query{String: "rows 0"})
	c.expect("CopyInResponse", "error 22P04", "ready I")
	c.expect("RowDescription", "complete SELECT 0", "ready I")

	c.send(&pgproto3.Query{String: "copyin early"}, &pgproto3.CopyData{Data: []byte("x\n\\.\n")}, data(5000), &pgproto3.CopyDone{})
	c.expect("CopyInResponse", "complete COPY 5", "ready I")

	c.send(&pgproto3.Parse{Query: "copyin"}, &pgproto3.Bind{}, &pgproto3.Execute{}, &pgproto3.Sync{}, data(7), &pgproto3.CopyDone{}, &pgproto3.Sync{})
	c.expect("ParseComplete", "BindComplete", "CopyInResponse", "complete COPY 7", "ready I")

	c.send(&pgproto3.Parse{Query: "copyin bad"}, &pgproto3.Bind{}, &pgproto3.Execute{}, &pgproto3.Flush{}, data(7), &pgproto3.CopyDone{}, &pgproto3.Sync{})
	c.expect("ParseComplete", "BindComplete", "CopyInResponse", "error 22P04", "ready I")
}

func TestCopyInLost(t *testing.T) {
	f := start(t, nil)
	c := f.trusted(t)
	c.send(&pgproto3.Query{String: "copyin"}, &pgproto3.CopyData{Data: []byte("x")})
	c.nc.Close()
	select {
	case <-f.backend.last().closed:
	case <-time.After(5 * time.Second):
		t.Fatal("the session waits for a client that is gone")
	}
}

func TestCopyOut(t *testing.T) {
	c := start(t, nil).trusted(t)
	c.send(&pgproto3.Query{String: "copyout 2"})
	c.expect("CopyOutResponse", "data line 0\n", "data line 1\n", "CopyDone", "complete COPY 2", "ready I")
}

func TestNotifications(t *testing.T) {
	f := start(t, nil)
	c := f.trusted(t)
	s := f.backend.last()
	s.send("idle")
	if got := describe(c.next()); got != "notification idle" {
		t.Fatal(got)
	}
	c.send(&pgproto3.Query{String: "begin"})
	c.expect("complete BEGIN", "ready T")
	c.send(&pgproto3.Query{String: "commit"})
	c.expect("complete COMMIT", "ready I")
}

func TestCancel(t *testing.T) {
	f := start(t, nil)
	c := f.trusted(t)
	s := f.backend.last()
	f.mu.Lock()
	key := f.byPID[s.pid].cancelKey
	f.mu.Unlock()
	cancel := func(pid uint32, key []byte) {
		nc, err := net.Dial("tcp", f.addr)
		if err != nil {
			t.Fatal(err)
		}
		r := newRaw(t, nc)
		r.send(&pgproto3.CancelRequest{ProcessID: pid, SecretKey: key})
		if _, err := nc.Read(make([]byte, 1)); err == nil {
			t.Fatal("an answer to a cancel request")
		}
	}
	c.send(&pgproto3.Query{String: "wait"})
	<-s.waiting
	wrong := append([]byte(nil), key...)
	wrong[0] ^= 1
	cancel(uint32(s.pid), wrong)
	cancel(uint32(s.pid)+1, key)
	cancel(uint32(s.pid), append(key, 0))
	_ = c.nc.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if m, err := c.Receive(); err == nil {
		t.Fatalf("cancelled by a wrong key: %s", describe(m))
	}
	_ = c.nc.SetDeadline(time.Now().Add(10 * time.Second))
	cancel(uint32(s.pid), key)
	c.expect("error 57014", "ready I")
}

// A client that leaves in the middle of a statement stops it.
func TestClientLeaves(t *testing.T) {
	f := start(t, nil)
	for _, pipe := range []bool{true, false} {
		var c *raw
		if pipe {
			c = f.trusted(t)
		} else {
			c = f.login(t)
		}
		s := f.backend.last()
		c.send(&pgproto3.Query{String: "wait"}, &pgproto3.Query{String: "rows 1"})
		<-s.waiting
		c.nc.Close()
		select {
		case <-s.closed:
		case <-time.After(10 * sweepInterval):
			t.Fatal("the statement runs on for nobody")
		}
	}
}

func TestShutdown(t *testing.T) {
	f := start(t, nil)
	idle, busy := f.trusted(t), f.trusted(t)
	s := f.backend.last()
	busy.send(&pgproto3.Query{String: "wait"})
	<-s.waiting
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	go func() { done <- f.Shutdown(ctx) }()
	idle.expectFatal("57P01")
	select {
	case err := <-done:
		t.Fatalf("shut down (%v) with a statement running", err)
	case <-time.After(50 * time.Millisecond):
	}
	s.Cancel() // the statement ends by itself
	busy.expectFatal("57P01")
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := net.Dial("tcp", f.addr); err == nil {
		t.Fatal("still listening")
	}
}

func TestShutdownGraceEnds(t *testing.T) {
	f := start(t, nil)
	c := f.trusted(t)
	s := f.backend.last()
	c.send(&pgproto3.Query{String: "wait"})
	<-s.waiting
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := f.Shutdown(ctx); err == nil {
		t.Fatal("nobody was cut off")
	}
	c.expectFatal("57P01")
}
