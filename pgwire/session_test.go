package pgwire

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// script is a Session for tests. Its statements are words:
//
//	rows N          N rows (int4 i, text "row i", NULL float8)
//	params          the parameters as text, a row each
//	begin, commit   transaction block
//	error, fatal, panic, notice TEXT, set NAME VALUE, wait (until cancelled)
//	copyin, copyout N, unknowntype, listen
type script struct {
	backend    *scripts
	client     sql.Client
	user       string
	pid        int32
	status     byte
	env        *types.Env
	statements map[string]string
	portals    map[string]*scriptPortal
	wake       chan struct{}

	mu         sync.Mutex
	cancel     context.CancelFunc
	inbox      []string
	terminated atomic.Bool
	once       sync.Once
	waiting    chan struct{} // closed once "wait" runs
	closed     chan struct{}
	settings   map[string]string
}

type scriptPortal struct {
	text   string
	params []string
	format []int16
	sent   int
}

// scripts is the Backend of scripts.
type scripts struct {
	logins map[string]Login
	mu     sync.Mutex
	all    []*script
	fail   error
}

func (b *scripts) Login(user string) (Login, bool) {
	l, ok := b.logins[user]
	return l, ok
}

func (b *scripts) Connect(o sql.ConnectOptions) (Session, error) {
	if o.Database == "nowhere" {
		return nil, pgerr.New(pgerr.InvalidCatalogName, "database \"%s\" does not exist", o.Database)
	}
	if b.fail != nil {
		return nil, b.fail
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	s := &script{backend: b, client: o.Client, user: o.User, pid: int32(len(b.all) + 1), status: 'I', env: types.NewEnv(),
		statements: map[string]string{}, portals: map[string]*scriptPortal{}, wake: make(chan struct{}, 1),
		waiting: make(chan struct{}), closed: make(chan struct{}), settings: o.Settings}
	b.all = append(b.all, s)
	return s, nil
}

func (b *scripts) last() *script {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all[len(b.all)-1]
}

func (s *script) PID() int32      { return s.pid }
func (s *script) Status() byte    { return s.status }
func (s *script) Env() *types.Env { return s.env }
func (s *script) ReportedSettings() map[string]string {
	return map[string]string{"server_version": "15.18", "client_encoding": "UTF8", "application_name": s.settings["application_name"]}
}
func (s *script) Wake() <-chan struct{}    { return s.wake }
func (s *script) Terminated() bool         { return s.terminated.Load() }
func (s *script) Close()                   { close(s.closed) }
func (s *script) Lost()                    { s.Terminate() }
func (s *script) IdleLimit() time.Duration { return 0 }
func (s *script) Expire(bool)              {}
func (s *script) Reason() *pgerr.Error     { return nil }

func (s *script) Cancel() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cancel != nil {
		s.cancel()
	}
	return s.cancel != nil
}

func (s *script) Terminate() {
	s.terminated.Store(true)
	s.Cancel()
}

func (s *script) Failed(error) {
	if s.status == 'T' {
		s.status = 'E'
	}
}

func (s *script) Sync(context.Context) error { return nil }

func (s *script) DeliverNotifications() {
	s.mu.Lock()
	list := s.inbox
	s.inbox = nil
	s.mu.Unlock()
	for _, n := range list {
		s.client.Notify(7, "channel", n)
	}
}

func (s *script) send(payload string) {
	s.mu.Lock()
	s.inbox = append(s.inbox, payload)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *script) Simple(ctx context.Context, text string, sink sql.Sink) error {
	if text == "" {
		return sink.Empty()
	}
	for _, part := range strings.Split(text, ";") {
		p := &scriptPortal{text: strings.TrimSpace(part)}
		if cols := columnsOf(p); cols != nil {
			if err := sink.Describe(cols); err != nil {
				return err
			}
		}
		if err := s.run(ctx, p, 0, sink); err != nil {
			s.Failed(err)
			return err
		}
	}
	return nil
}

func (s *script) Parse(_ context.Context, name, text string, _ []uint32) error {
	if text == "error" {
		return pgerr.New(pgerr.SyntaxError, "syntax error").At(3)
	}
	s.statements[name] = text
	return nil
}

func (s *script) Bind(_ context.Context, portal, statement string, _ []int16, params [][]byte, formats []int16) error {
	text, ok := s.statements[statement]
	if !ok {
		return pgerr.New(pgerr.InvalidSQLStatementName, "prepared statement \"%s\" does not exist", statement)
	}
	p := &scriptPortal{text: text, format: append([]int16(nil), formats...)}
	for _, v := range params {
		if v == nil {
			p.params = append(p.params, "NULL")
		} else {
			p.params = append(p.params, string(v))
		}
	}
	s.portals[portal] = p
	return nil
}

func (s *script) DescribeStatement(_ context.Context, name string) ([]uint32, []sql.Column, error) {
	text, ok := s.statements[name]
	if !ok {
		return nil, nil, pgerr.New(pgerr.InvalidSQLStatementName, "prepared statement \"%s\" does not exist", name)
	}
	var params []uint32
	if text == "params" {
		params = []uint32{types.TextOID, types.TextOID}
	}
	return params, columnsOf(&scriptPortal{text: text}), nil
}

func (s *script) DescribePortal(_ context.Context, name string) ([]sql.Column, error) {
	p := s.portals[name]
	if p == nil {
		return nil, pgerr.New(pgerr.InvalidCursorName, "portal \"%s\" does not exist", name)
	}
	return columnsOf(p), nil
}

func (s *script) Execute(ctx context.Context, name string, maxRows int64, sink sql.Sink) error {
	p := s.portals[name]
	if p == nil {
		return pgerr.New(pgerr.InvalidCursorName, "portal \"%s\" does not exist", name)
	}
	if p.text == "" {
		return sink.Empty()
	}
	return s.run(ctx, p, int(maxRows), sink)
}

func (s *script) CloseStatement(name string) { delete(s.statements, name) }
func (s *script) ClosePortal(name string)    { delete(s.portals, name) }

func columnsOf(p *scriptPortal) []sql.Column {
	word, _, _ := strings.Cut(p.text, " ")
	var cols []sql.Column
	switch word {
	case "rows":
		cols = []sql.Column{{Name: "i", Type: types.Int4OID, Size: 4, Typmod: -1}, {Name: "t", Type: types.TextOID, Size: -1, Typmod: -1, Table: 99, Attr: 2},
			{Name: "f", Type: types.Float8OID, Size: 8, Typmod: -1}}
	case "params":
		cols = []sql.Column{{Name: "p", Type: types.TextOID, Size: -1, Typmod: -1}}
	case "unknowntype":
		cols = []sql.Column{{Name: "x", Type: 999999}}
	}
	for i := range cols {
		switch {
		case len(p.format) == 1:
			cols[i].Format = p.format[0]
		case i < len(p.format):
			cols[i].Format = p.format[i]
		}
	}
	return cols
}

func (s *script) run(ctx context.Context, p *scriptPortal, limit int, sink sql.Sink) error {
	word, rest, _ := strings.Cut(p.text, " ")
	switch word {
	case "rows":
		return s.rows(p, rest, limit, sink)
	case "params":
		b := column.Batch{}
		b.Reset(column.Bytes)
		for _, v := range p.params {
			b.AppendRow([]column.Datum{column.StringDatum(v)})
		}
		if err := sink.Rows(columnsOf(p), &b); err != nil {
			return err
		}
		return sink.Complete("PARAMS")
	case "unknowntype":
		b := column.Batch{N: 1, Cols: []column.Vec{{Kind: column.Int, I: []int64{1}}}}
		return sink.Rows(columnsOf(p), &b)
	case "begin":
		s.status = 'T'
	case "commit":
		s.status = 'I'
	case "error":
		return pgerr.New(pgerr.DivisionByZero, "division by zero").WithDetail("detail").WithHint("hint").At(4).
			WithTable("sch", "tab").WithColumn("col").WithConstraint("con").WithWhere("where")
	case "fatal":
		return pgerr.New(pgerr.AdminShutdown, "the end").WithSeverity("FATAL")
	case "panic":
		panic("a bug")
	case "notice":
		s.client.Notice(pgerr.Notice(pgerr.SeverityNotice, pgerr.SuccessfulCompletion, "%s", rest))
	case "set":
		name, value, _ := strings.Cut(rest, " ")
		s.client.Parameter(name, value)
	case "wait":
		return s.wait(ctx)
	case "copyin":
		return s.copyIn(sink, rest)
	case "copyout":
		return s.copyOut(sink, rest)
	}
	return sink.Complete(strings.ToUpper(word))
}

func (s *script) rows(p *scriptPortal, count string, limit int, sink sql.Sink) error {
	n, _ := strconv.Atoi(count)
	cols := columnsOf(p)
	sent := 0
	for p.sent < n {
		if limit > 0 && sent == limit {
			return sink.Suspended()
		}
		step := min(n-p.sent, column.BatchSize)
		if limit > 0 {
			step = min(step, limit-sent)
		}
		b := column.Batch{}
		b.Reset(column.Int, column.Bytes, column.Float)
		for i := range step {
			row := int64(p.sent + i)
			b.AppendRow([]column.Datum{column.IntDatum(row), column.StringDatum(fmt.Sprint("row ", row)), column.Null()})
		}
		if err := sink.Rows(cols, &b); err != nil {
			return err
		}
		p.sent += step
		sent += step
	}
	return sink.Complete(fmt.Sprint("SELECT ", sent))
}

func (s *script) wait(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.mu.Lock()
	s.cancel = cancel
	s.mu.Unlock()
	s.once.Do(func() { close(s.waiting) })
	<-ctx.Done()
	s.mu.Lock()
	s.cancel = nil
	s.mu.Unlock()
	return ctx.Err()
}

// copyIn counts bytes; "copyin early" stops at the first line "\.", "copyin bad"
// fails at the first byte.
func (s *script) copyIn(sink sql.Sink, how string) error {
	in, err := sink.CopyIn(0, 2)
	if err != nil {
		return err
	}
	var all []byte
	buf := make([]byte, 100)
	for {
		n, err := in.Read(buf)
		all = append(all, buf[:n]...)
		if how == "bad" && n > 0 {
			return pgerr.New(pgerr.BadCopyFileFormat, "bad data")
		}
		if err == io.EOF || how == "early" && strings.Contains(string(all), "\\.\n") {
			break
		}
		if err != nil {
			return err
		}
	}
	return sink.Complete(fmt.Sprint("COPY ", len(all)))
}

func (s *script) copyOut(sink sql.Sink, count string) error {
	n, _ := strconv.Atoi(count)
	out, err := sink.CopyOut(0, 1)
	if err != nil {
		return err
	}
	for i := range n {
		if _, err := fmt.Fprintf(out, "line %d\n", i); err != nil {
			return err
		}
	}
	if err := out.Close(); err != nil {
		return err
	}
	return sink.Complete(fmt.Sprint("COPY ", n))
}

// FunctionQuery implements Session.
func (s *script) FunctionQuery(uint32, int) (string, []uint32, error) {
	return "", nil, pgerr.New(pgerr.UndefinedFunction, "there are no functions")
}

// Parameters implements Session.
func (s *script) Parameters(string) int { return -1 }

var _ Session = (*script)(nil)
var _ Backend = (*scripts)(nil)
