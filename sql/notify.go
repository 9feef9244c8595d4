package sql

import (
	"sync"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// notification is one NOTIFY of a transaction.
type notification struct{ channel, payload string }

// listenOp is a LISTEN or UNLISTEN that takes effect at commit.
type listenOp struct {
	channel string
	off     bool // UNLISTEN; an empty channel is all
}

// channelKey is a channel of one database.
type channelKey struct {
	database uint32
	channel  string
}

// notifier delivers notifications between sessions, in the order of commits.
type notifier struct {
	mu       sync.Mutex
	channels map[channelKey]map[*Session]bool
}

// The limits of notifications, PostgreSQL's for names and payloads.
const (
	maxChannel = 63
	maxPayload = 7999
	// maxInbox bounds what a session that does not read may pile up.
	maxInbox = 100_000
)

// delivery is a notification on its way to a session.
type delivery struct {
	pid              int32
	channel, payload string
}

// inbox holds what arrived for a session and was not delivered yet.
type inbox struct {
	mu      sync.Mutex
	pending []delivery
	wake    chan struct{}
}

func (b *inbox) poke() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// Wake returns a channel that yields when notifications arrived or the session
// was told to end: what an idle connection waits for besides its client.
func (x *Session) Wake() <-chan struct{} { return x.inbox.wake }

// DeliverNotifications hands what arrived to the client, unless a transaction is open.
func (x *Session) DeliverNotifications() {
	if x.state != txnIdle || x.client == nil {
		return
	}
	x.inbox.mu.Lock()
	list := x.inbox.pending
	x.inbox.pending = nil
	x.inbox.mu.Unlock()
	for _, d := range list {
		x.client.Notify(d.pid, d.channel, d.payload)
	}
}

// runNotify is NOTIFY, LISTEN and UNLISTEN: all take effect at commit.
func (x *Session) runNotify(u plan.Utility) error {
	switch s := u.(type) {
	case *plan.Listen:
		x.listenOps = append(x.listenOps, listenOp{channel: s.Channel})
	case *plan.Unlisten:
		x.listenOps = append(x.listenOps, listenOp{channel: s.Channel, off: true})
	case *plan.Notify:
		return x.addNotification(s.Channel, s.Payload)
	}
	return nil
}

func (x *Session) addNotification(channel, payload string) error {
	switch {
	case channel == "":
		return pgerr.New(pgerr.InvalidParameterValue, "channel name cannot be empty")
	case len(channel) > maxChannel:
		return pgerr.New(pgerr.InvalidParameterValue, "channel name too long")
	case len(payload) > maxPayload:
		return pgerr.New(pgerr.InvalidParameterValue, "payload string too long")
	}
	for _, n := range x.pendingNtf { // the same one twice in a transaction is sent once
		if n.channel == channel && n.payload == payload {
			return nil
		}
	}
	x.pendingNtf = append(x.pendingNtf, notification{channel, payload})
	return nil
}

// publishOnCommit makes the engine's commit deliver this transaction's
// notifications, so that they come in commit order.
func (x *Session) publishOnCommit() {
	if len(x.listenOps) == 0 && len(x.pendingNtf) == 0 {
		return
	}
	ops, list := x.listenOps, x.pendingNtf
	x.txn.OnCommit(func(engine.LSN) {
		x.srv.notifier.apply(x, ops)
		x.srv.notifier.send(x, list)
	})
}

// flushNotifications forgets what the commit has delivered.
func (x *Session) flushNotifications() { x.pendingNtf, x.listenOps = nil, nil }

func (n *notifier) apply(x *Session, ops []listenOp) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, op := range ops {
		k := channelKey{x.database, op.channel}
		switch {
		case !op.off:
			if n.channels[k] == nil {
				n.channels[k] = map[*Session]bool{}
			}
			n.channels[k][x] = true
			x.listening[op.channel] = true
		case op.channel == "":
			n.dropAll(x)
		default:
			n.drop(x, op.channel)
		}
	}
}

func (n *notifier) drop(x *Session, channel string) {
	k := channelKey{x.database, channel}
	delete(n.channels[k], x)
	if len(n.channels[k]) == 0 {
		delete(n.channels, k)
	}
	delete(x.listening, channel)
}

func (n *notifier) dropAll(x *Session) {
	for c := range x.listening {
		n.drop(x, c)
	}
}

func (n *notifier) unlistenAll(x *Session) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dropAll(x)
}

// usage returns how full the fullest inbox of a listening session is, 0 to 1.
func (n *notifier) usage() float64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	most := 0
	for _, sessions := range n.channels {
		for x := range sessions {
			x.inbox.mu.Lock()
			most = max(most, len(x.inbox.pending))
			x.inbox.mu.Unlock()
		}
	}
	return float64(most) / maxInbox
}

func (n *notifier) send(from *Session, list []notification) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, m := range list {
		for to := range n.channels[channelKey{from.database, m.channel}] {
			to.inbox.mu.Lock()
			if len(to.inbox.pending) < maxInbox {
				to.inbox.pending = append(to.inbox.pending, delivery{from.pid, m.channel, m.payload})
			}
			to.inbox.mu.Unlock()
			to.inbox.poke()
		}
	}
}
