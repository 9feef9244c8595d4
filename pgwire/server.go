package pgwire

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/omendb/omendb/internal/clock"
	"github.com/omendb/omendb/security"
)

// Options configure a Server. Backend and Clock must be given.
type Options struct {
	Backend Backend
	Clock   clock.Clock
	Log     zerolog.Logger
	Random  io.Reader // of nonces and cancel keys; nil is the system's

	Certificates *security.Certificates // nil: no TLS
	RequireTLS   bool                   // refuse logins over TCP without TLS
	Authorities  *security.Authorities  // nil: clients are not asked for certificates
	ClientCert   security.ClientCert    // what is demanded of logins over TCP, with Authorities
	Owner        Owner

	MaxConnections int           // 0 is DefaultMaxConnections
	MaxMessage     int           // 0 is DefaultMaxMessage
	AuthTimeout    time.Duration // 0 is DefaultAuthTimeout

	// OnError is told the SQLSTATE of every error that is sent to a client; it may be nil.
	OnError func(code string)
}

// Owner is who may log in by a Unix socket without a password.
type Owner struct {
	UID  int    // of the operating system; negative: nobody
	Name string // of the operating system: what clients ask for unless told otherwise
	Role string // given to the owner who asks for a role of that name, when there is none
}

// ErrServerClosed is what Serve returns after Shutdown or Close.
var ErrServerClosed = errors.New("pgwire: server closed")

// Server serves connections.
type Server struct {
	opts     Options
	auth     *security.Authenticator
	throttle *security.Throttle
	ctx      context.Context // ends when statements must
	cancel   context.CancelFunc

	mu        sync.Mutex
	listeners map[net.Listener]bool
	conns     map[*conn]bool  // all, also those that have not logged in
	byPID     map[int32]*conn // those that have
	sweeping  bool
	draining  bool
	done      sync.WaitGroup // of connections
}

// NewServer returns a server that listens nowhere yet.
func NewServer(o Options) (*Server, error) {
	if o.MaxConnections <= 0 {
		o.MaxConnections = DefaultMaxConnections
	}
	if o.MaxMessage <= 0 || o.MaxMessage > DefaultMaxMessage {
		o.MaxMessage = DefaultMaxMessage
	}
	if o.AuthTimeout <= 0 {
		o.AuthTimeout = DefaultAuthTimeout
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	auth, err := security.NewAuthenticator(o.Random)
	if err != nil {
		return nil, err
	}
	s := &Server{opts: o, auth: auth, throttle: security.NewThrottle(o.Clock),
		listeners: map[net.Listener]bool{}, conns: map[*conn]bool{}, byPID: map[int32]*conn{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s, nil
}

// acceptRetry is the pause after a failed Accept: out of file descriptors is
// the usual cause, and passes.
const acceptRetry = 50 * time.Millisecond

// Serve accepts connections until the listener fails or the server is closed.
func (s *Server) Serve(l net.Listener) error {
	s.mu.Lock()
	if s.draining {
		s.mu.Unlock()
		l.Close()
		return ErrServerClosed
	}
	s.listeners[l] = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.listeners, l)
		s.mu.Unlock()
		l.Close()
	}()
	for {
		nc, err := l.Accept()
		if err == nil {
			go s.ServeConn(nc, false)
			continue
		}
		s.mu.Lock()
		draining := s.draining
		s.mu.Unlock()
		if draining {
			return ErrServerClosed
		}
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		s.opts.Log.Warn().Str("event", "accept").Err(err).Msg("cannot accept a connection")
		time.Sleep(acceptRetry)
	}
}

// ServeConn serves one connection until it ends. A trusted one needs no password.
func (s *Server) ServeConn(nc net.Conn, trusted bool) {
	c := newConn(s, nc, trusted)
	defer nc.Close()
	s.mu.Lock()
	if s.draining {
		s.mu.Unlock()
		return
	}
	full := len(s.conns) >= s.opts.MaxConnections+loginSlots
	s.conns[c] = true
	s.done.Add(1)
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.conns, c)
		s.mu.Unlock()
		s.done.Done()
	}()
	c.run(full)
}

// Connections returns the number of open connections.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// Shutdown stops accepting, sends idle clients away and lets running statements
// end. When ctx ends, those that still run are cancelled.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.draining = true
	for l := range s.listeners {
		l.Close()
	}
	conns := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		conns = append(conns, c)
	}
	s.mu.Unlock()
	for _, c := range conns {
		c.drain()
	}
	finished := make(chan struct{})
	go func() { s.done.Wait(); close(finished) }()
	select {
	case <-finished:
		s.cancel()
		return nil
	case <-ctx.Done():
	}
	for _, c := range conns {
		c.terminate()
	}
	select {
	case <-finished:
	case <-time.After(fatalWriteTimeout):
		for _, c := range conns { // a statement that does not hear its cancellation
			c.raw.Close()
		}
		s.cancel()
		<-finished
	}
	s.cancel()
	return ctx.Err()
}

// register makes a connection known under its process id, and to the sweeper.
func (s *Server) register(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byPID[c.session.PID()] = c
	if !s.sweeping {
		s.sweeping = true
		go s.sweep()
	}
}

func (s *Server) unregister(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byPID, c.session.PID())
}
