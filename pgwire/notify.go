package pgwire

import (
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/omendb/omendb/sql/pgerr"
)

// client is what the session sees of the connection. What fails to be sent
// shows at the next read or write of the connection itself.
type client struct{ c *conn }

// Notice implements sql.Client.
func (cl client) Notice(n *pgerr.Error) {
	c := cl.c
	e := errorFields(n)
	c.lossy(&e)
	fields := pgproto3.NoticeResponse(e)
	if c.w.send(&fields) == nil {
		_ = c.w.want(true) // soon, even if the statement goes on for long
	}
}

// Parameter implements sql.Client: the client hears of it before the next ReadyForQuery.
func (cl client) Parameter(name, value string) {
	c := cl.c
	if c.reported == nil {
		return // the session is being set up: greet tells everything
	}
	if c.changed == nil {
		c.changed = map[string]string{}
	}
	c.changed[name] = value
}

// KeepAlive implements sql.KeepAliver. What the kernel does not take stays as it
// was; a closed connection shows at its next use.
func (cl client) KeepAlive(idle, interval time.Duration, count int) {
	tcp, ok := underlying(cl.c.raw).(*net.TCPConn)
	if !ok {
		return
	}
	for _, k := range []net.KeepAliveConfig{ // one by one: the kernel's limits differ
		{Enable: true, Idle: idle, Interval: -1, Count: -1},
		{Enable: true, Idle: -1, Interval: interval, Count: -1},
		{Enable: true, Idle: -1, Interval: -1, Count: count},
	} {
		_ = tcp.SetKeepAliveConfig(k)
	}
}

// UserTimeout implements sql.KeepAliver.
func (cl client) UserTimeout(d time.Duration) {
	if tcp, ok := underlying(cl.c.raw).(*net.TCPConn); ok {
		if raw, err := tcp.SyscallConn(); err == nil {
			setUserTimeout(raw, d)
		}
	}
}

// Notify implements sql.Client.
func (cl client) Notify(pid int32, channel, payload string) {
	e := cl.c.encoding()
	_ = cl.c.w.send(&pgproto3.NotificationResponse{PID: uint32(pid), Channel: e.EncodeLossy(channel), Payload: e.EncodeLossy(payload)})
}

// reportParameters tells the client of settings that differ from what it knows.
func (c *conn) reportParameters() error {
	for name, value := range c.changed {
		if c.reported[name] == value {
			continue
		}
		c.reported[name] = value
		if err := c.w.send(&pgproto3.ParameterStatus{Name: name, Value: c.encoding().EncodeLossy(value)}); err != nil {
			return err
		}
	}
	clear(c.changed)
	return nil
}

// deliver passes notifications on to a client that waits for nothing.
func (c *conn) deliver() error {
	if err := c.protect(func() error { c.session.DeliverNotifications(); return nil }); err != nil {
		return err
	}
	return c.w.flushNow()
}

// watch interrupts the connection's wait when something arrives for its session.
func (c *conn) watch(ended <-chan struct{}) {
	wake := c.session.Wake()
	for {
		select {
		case <-wake:
			c.interrupt(wantWake)
		case <-ended:
			return
		}
	}
}
