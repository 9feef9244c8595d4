package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"github.com/omendb/omendb"
	"github.com/omendb/omendb/internal/monitor"
)

// listenTCP listens on --listen.
func (s *startFlags) listenTCP() (net.Listener, error) {
	l, err := net.Listen("tcp", s.listen)
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s is in use by another program (PostgreSQL?): choose another port, for example --listen %s", s.listen, nextPort(s.listen))
	case errors.Is(err, os.ErrPermission):
		return nil, fmt.Errorf("not allowed to listen on %s: choose another port with --listen", s.listen)
	}
	return nil, usageError{fmt.Errorf("--listen %s: %w", s.listen, err)}
}

func nextPort(addr string) string {
	host, p, err := net.SplitHostPort(addr)
	var n int
	if _, serr := fmt.Sscan(p, &n); err != nil || serr != nil || n <= 0 || n >= 65535 {
		return "127.0.0.1:5433"
	}
	return net.JoinHostPort(host, fmt.Sprint(n+1))
}

// defaultSocketDir is where clients look for the socket: Debian's libpq in
// /var/run/postgresql, all others in /tmp.
func defaultSocketDir() string {
	const debian = "/var/run/postgresql"
	if syscall.Access(debian, 2 /* W_OK */) == nil {
		return debian
	}
	return "/tmp"
}

// listenSocket listens on a Unix socket named as libpq expects, nil if there is to be none.
func (s *startFlags) listenSocket(port string) (net.Listener, error) {
	if s.socketDir == "" {
		return nil, nil
	}
	name := filepath.Join(s.socketDir, ".s.PGSQL."+port)
	if c, err := net.Dial("unix", name); err == nil {
		c.Close()
		return nil, fmt.Errorf("the socket %s is in use by another program: choose another directory with --socket-dir, or another port with --listen", name)
	} else if errors.Is(err, syscall.ECONNREFUSED) {
		_ = os.Remove(name) // left behind by a process that was killed; if it stays, Listen says so
	}
	l, err := net.Listen("unix", name)
	if err == nil {
		// Who is at the other end is asked for at every login; the file need not keep others out.
		err = os.Chmod(name, 0o777)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on the socket %s: %w (choose another directory with --socket-dir, or none with --socket-dir '')", name, err)
	}
	return l, nil
}

// headerTimeout bounds how long a client of /metrics may take to ask.
const headerTimeout = 5 * time.Second

// serveMetrics serves /metrics on --metrics-listen, if it is set.
func (s *startFlags) serveMetrics(m *monitor.Metrics, log zerolog.Logger) error {
	if s.metricsListen == "" {
		return nil
	}
	l, err := net.Listen("tcp", s.metricsListen)
	if err != nil {
		return fmt.Errorf("--metrics-listen %s: %w", s.metricsListen, err)
	}
	mux := http.NewServeMux()
	mux.Handle("/metrics", m.Handler())
	server := &http.Server{Handler: mux, ReadHeaderTimeout: headerTimeout}
	go func() {
		if err := server.Serve(l); err != nil {
			log.Error().Str("event", "metrics").Err(err).Msg("metrics are no longer served")
		}
	}()
	fmt.Fprintf(s.stdout, "Metrics         http://%s/metrics\n", l.Addr())
	return nil
}

// announce prints how to connect.
func (s *startFlags) announce(db *omendb.DB, addr net.Addr, socket net.Listener, secret *secret) {
	host, p, _ := net.SplitHostPort(addr.String())
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	out := s.stdout
	fmt.Fprintf(out, "OmenDB %s, compatible with PostgreSQL %s\n", omendb.Version, omendb.CompatibleVersion)
	fmt.Fprintf(out, "Data directory  %s\n", s.dataDir)
	fmt.Fprintf(out, "Listening on    %s\n", addr)
	if socket != nil {
		fmt.Fprintf(out, "                %s (no password for you)\n", socket.Addr())
	}
	if secret.shown != "" {
		fmt.Fprintf(out, "Password        %s\n", secret.shown)
	}
	fmt.Fprintf(out, "\nConnect:  %spsql -h %s -p %s -U %s postgres\n", secret.prefix(), host, p, db.Superuser())
}
