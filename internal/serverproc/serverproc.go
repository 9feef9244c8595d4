// Package serverproc runs the omendb binary as a process of its own, for tests that kill it and programs that measure it.
package serverproc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// The superuser that Init makes.
const (
	User     = "tester"
	Password = "only-for-tests"
)

// startTimeout bounds how long a server may take to answer; recovery of a test's log is a matter of milliseconds.
const startTimeout = 30 * time.Second

// Build compiles cmd/omendb into a folder and returns the binary's name. root is the module's root.
func Build(ctx context.Context, root, folder string) (string, error) {
	binary := filepath.Join(folder, "omendb")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/omendb")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build ./cmd/omendb: %w\n%s", err, out)
	}
	return binary, nil
}

// Init makes a data directory with the superuser of this package.
func Init(ctx context.Context, binary, dataDir string) error {
	out, err := exec.CommandContext(ctx, binary, "init", "--data-dir", dataDir, "--user", User, "--password", Password).CombinedOutput()
	if err != nil {
		return fmt.Errorf("omendb init: %w\n%s", err, out)
	}
	return nil
}

// Server is one running process.
type Server struct {
	addr string
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended
	err  error         // of Wait, after done
	out  tail
}

// Start runs the server on a data directory made by Init and waits until it answers queries.
func Start(ctx context.Context, binary, dataDir string, args ...string) (*Server, error) {
	s, err := Launch(binary, dataDir, args...)
	if err != nil {
		return nil, err
	}
	if err := s.await(ctx); err != nil {
		s.Kill()
		return nil, fmt.Errorf("%w\n%s", err, s.Output())
	}
	return s, nil
}

// Launch runs the server and does not wait for anything.
func Launch(binary, dataDir string, args ...string) (*Server, error) {
	addr, err := freeAddress()
	if err != nil {
		return nil, err
	}
	args = append([]string{"start", "--data-dir", dataDir, "--listen", addr, "--socket-dir", ""}, args...)
	s := &Server{addr: addr, cmd: exec.Command(binary, args...), done: make(chan struct{})}
	s.cmd.Stdout, s.cmd.Stderr = &s.out, &s.out
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		s.err = s.cmd.Wait()
		close(s.done)
	}()
	return s, nil
}

// freeAddress asks the system for a port that nobody uses.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func (s *Server) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		conn, err := pgconn.Connect(ctx, s.DSN())
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-s.done:
			return fmt.Errorf("the server ended: %v", s.err)
		case <-ctx.Done():
			return fmt.Errorf("no connection in %v: %w", startTimeout, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// DSN connects the superuser to the database postgres.
func (s *Server) DSN() string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword(User, Password), Host: s.addr, Path: "/postgres", RawQuery: "sslmode=disable"}
	return u.String()
}

// PeakMemory returns the most bytes of memory that the process has had, 0 where the system does not tell.
func (s *Server) PeakMemory() int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(text), "VmHWM:")
	var kilobytes int64
	if _, err := fmt.Sscan(after, &kilobytes); err != nil {
		return 0
	}
	return kilobytes << 10
}

// Kill ends the process by SIGKILL and waits for its end.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill()
	<-s.done
}

// Stop ends the process by SIGTERM and returns an error unless it exits with 0 in time.
func (s *Server) Stop(timeout time.Duration) error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-s.done:
		if s.err != nil {
			return fmt.Errorf("the server ended: %w\n%s", s.err, s.Output())
		}
		return nil
	case <-time.After(timeout):
		s.Kill()
		return errors.New("the server did not stop in time")
	}
}

// Ended reports whether the process is no more.
func (s *Server) Ended() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// Output is the last part of what the process printed.
func (s *Server) Output() string { return s.out.String() }

// tail keeps the end of what is written to it.
type tail struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

const tailBytes = 16 << 10

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf.Write(p)
	if extra := t.buf.Len() - tailBytes; extra > 0 {
		t.buf.Next(extra)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.String()
}
