package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// asCommand makes the test binary behave as the command: servers under test are
// processes of their own.
const asCommand = "OMENDB_TEST_RUN_COMMAND"

func TestMain(m *testing.M) {
	if trigger := os.Getenv(failingSyncs); trigger != "" {
		os.Exit(startOnFailingDisk(trigger))
	}
	if os.Getenv(asCommand) != "" {
		os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

func command(args ...string) *exec.Cmd {
	c := exec.Command(os.Args[0], args...)
	c.Env = append(os.Environ(), asCommand+"=1", passwordVariable+"=")
	return c
}

// finish runs a command to its end.
func finish(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	c := command(args...)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	err := c.Run()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), out.String(), errs.String()
}

// server is a running omendb start.
type server struct {
	t      *testing.T
	cmd    *exec.Cmd
	addr   string
	out    string // up to the psql line
	mu     sync.Mutex
	log    bytes.Buffer
	socket string
}

// startServer starts a server and waits until it tells how to connect.
func startServer(t *testing.T, dir string, more ...string) *server {
	t.Helper()
	s := &server{t: t, socket: t.TempDir()}
	s.cmd = command(append([]string{"start", "--data-dir", dir, "--listen", "127.0.0.1:0", "--socket-dir", s.socket}, more...)...)
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.cmd.Stderr = s
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.kill() })
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		s.out += lines.Text() + "\n"
		if strings.HasPrefix(lines.Text(), "Listening on") {
			s.addr = strings.Fields(lines.Text())[2]
		}
		if strings.HasPrefix(lines.Text(), "Connect:") {
			go func() { _, _ = io.Copy(io.Discard, stdout) }()
			return s
		}
	}
	_ = s.cmd.Wait()
	t.Fatalf("the server did not start:\n%s%s", s.out, s.logged())
	return nil
}

// Write takes the server's log.
func (s *server) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(p)
}

func (s *server) logged() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

func (s *server) kill() {
	if s.cmd.ProcessState == nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
	}
}

// stop sends a signal and returns the exit code.
func (s *server) stop(sig os.Signal) int {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
	_ = s.cmd.Wait()
	return s.cmd.ProcessState.ExitCode()
}

func (s *server) connect(dsn string, args ...any) (*pgx.Conn, error) {
	host, port, _ := net.SplitHostPort(s.addr)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	c, err := pgx.Connect(ctx, fmt.Sprintf("host=%s port=%s user=omendb database=postgres ", host, port)+fmt.Sprintf(dsn, args...))
	if err == nil {
		s.t.Cleanup(func() { c.Close(context.Background()) })
	}
	return c, err
}

func (s *server) mustConnect(dsn string, args ...any) *pgx.Conn {
	s.t.Helper()
	c, err := s.connect(dsn, args...)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

func must(t *testing.T, c *pgx.Conn, statement string) {
	t.Helper()
	if _, err := c.Exec(context.Background(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func count(t *testing.T, c *pgx.Conn, query string) (n int) {
	t.Helper()
	if err := c.QueryRow(context.Background(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// A fresh directory gets a superuser with a generated password, which is in one
// file for its owner only, and nowhere else.
func TestFreshStart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := startServer(t, dir)
	pass := filepath.Join(dir, passFile)
	info, err := os.Stat(pass)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatal(info, err)
	}
	line, err := os.ReadFile(pass)
	if err != nil {
		t.Fatal(err)
	}
	password := strings.TrimSpace(strings.TrimPrefix(string(line), "*:*:*:omendb:"))
	if len(password) < 20 || strings.Contains(s.out+s.logged(), password) {
		t.Fatal("the password is short, or printed")
	}
	for _, want := range []string{"Data directory  " + dir, "PGPASSFILE=" + pass + " psql -h 127.0.0.1 -p ", "-U omendb postgres"} {
		if !strings.Contains(s.out, want) {
			t.Errorf("%q is not in\n%s", want, s.out)
		}
	}
	c := s.mustConnect("sslmode=disable passfile=%s", pass)
	must(t, c, "CREATE TABLE t (id int PRIMARY KEY)")
	must(t, c, "INSERT INTO t VALUES (1), (2)")
	if _, err := s.connect("sslmode=disable password=wrong"); err == nil {
		t.Fatal("a wrong password is right")
	}
	err = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || path == pass {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(password)) {
			t.Errorf("the password is in %s", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}

	if code, _, msg := finish(t, "start", "--data-dir", dir, "--listen", "127.0.0.1:0"); code != exitFailure || !strings.Contains(msg, "in use") || !strings.Contains(msg, "--data-dir") {
		t.Errorf("second process: %d %s", code, msg)
	}
	if code, _, msg := finish(t, "start", "--data-dir", filepath.Join(t.TempDir(), "other"), "--listen", s.addr); code != exitFailure || !strings.Contains(msg, "--listen") {
		t.Errorf("port taken: %d %s", code, msg)
	}
	if code := s.stop(syscall.SIGTERM); code != 0 {
		t.Fatalf("exit code %d\n%s", code, s.logged())
	}

	s = startServer(t, dir)
	if again, _ := os.ReadFile(pass); string(again) != string(line) {
		t.Error("the second start changed the password file")
	}
	c = s.mustConnect("sslmode=disable passfile=%s", pass)
	if n := count(t, c, "SELECT count(*) FROM t"); n != 2 {
		t.Errorf("%d rows after a restart", n)
	}
	if code := s.stop(os.Interrupt); code != 0 {
		t.Fatalf("exit code %d\n%s", code, s.logged())
	}
}

// The owner needs no password on the Unix socket, even without saying who it is.
func TestSocketLogin(t *testing.T) {
	s := startServer(t, ":memory:")
	_, port, _ := net.SplitHostPort(s.addr)
	for _, user := range []string{"", "user=omendb"} {
		c, err := pgx.Connect(context.Background(), fmt.Sprintf("host=%s port=%s passfile=/dev/null %s", s.socket, port, user))
		if err != nil {
			t.Fatal(err)
		}
		var who string
		if err := c.QueryRow(context.Background(), "SELECT current_user").Scan(&who); err != nil || who != "omendb" {
			t.Error(who, err)
		}
		c.Close(context.Background())
	}
	password := regexp.MustCompile(`(?m)^Password +(\S+)$`).FindStringSubmatch(s.out)
	if password == nil {
		t.Fatalf("no password in\n%s", s.out)
	}
	s.mustConnect("sslmode=disable password=%s", password[1])
	s.stop(syscall.SIGTERM)
	if _, err := os.Stat(filepath.Join(s.socket, ".s.PGSQL."+port)); err == nil {
		t.Error("the socket outlives the server")
	}
}

// A running statement may end within the grace period; after it, it may not.
func TestGracefulShutdown(t *testing.T) {
	for grace, wantErr := range map[string]bool{"20s": false, "100ms": true} {
		s := startServer(t, ":memory:", "--grace-period", grace)
		_, port, _ := net.SplitHostPort(s.addr)
		c, err := pgx.Connect(context.Background(), fmt.Sprintf("host=%s port=%s user=omendb", s.socket, port))
		if err != nil {
			t.Fatal(err)
		}
		must(t, c, "SELECT 1")
		done := make(chan error, 1)
		go func() { _, err := c.Exec(context.Background(), "SELECT pg_sleep(1)"); done <- err }()
		time.Sleep(200 * time.Millisecond)
		code := s.stop(syscall.SIGTERM)
		if err := <-done; (err != nil) != wantErr {
			t.Errorf("grace %s: %v", grace, err)
		}
		if code != 0 {
			t.Errorf("grace %s: exit code %d\n%s", grace, code, s.logged())
		}
	}
}

func TestInit(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	file := filepath.Join(t.TempDir(), "pw")
	if err := os.WriteFile(file, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, msg := finish(t, "init", "--data-dir", dir, "--user", "ann", "--password-file", file); code != 0 || !strings.Contains(out, "superuser ann") {
		t.Fatal(code, out, msg)
	}
	if code, _, msg := finish(t, "init", "--data-dir", dir, "--user", "bob", "--password", "x"); code != exitFailure || !strings.Contains(msg, "holds a database already") {
		t.Fatal(code, msg)
	}
	s := startServer(t, dir)
	s.mustConnect("sslmode=disable user=ann database=ann password=s3cret")
	if !strings.Contains(s.out, "-U ann") || strings.Contains(s.out, "PGPASS") {
		t.Error(s.out)
	}
}

func TestWrongUsage(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		text string
	}{
		{[]string{"start", "--nonsense"}, exitUsage, "--nonsense"},
		{[]string{"start", "extra"}, exitUsage, "extra"},
		{[]string{"launch"}, exitUsage, "launch"},
		{[]string{"start", "--data-dir", ":memory:", "--log-format", "xml"}, exitUsage, "--log-format"},
		{[]string{"start", "--data-dir", ":memory:", "--log-level", "loud"}, exitUsage, "--log-level"},
		{[]string{"start", "--data-dir", ":memory:", "--listen", "nonsense"}, exitUsage, "--listen"},
		{[]string{"start", "--data-dir", ":memory:", "--tls-cert", "x"}, exitUsage, "--tls-key"},
		{[]string{"start", "--data-dir", ":memory:", "--require-tls"}, exitUsage, "--tls-cert"},
		{[]string{"start", "--data-dir", ":memory:", "--max-connections", "0"}, exitUsage, "--max-connections"},
		{[]string{"start", "--data-dir", ":memory:", "--tls-cert", "/nowhere/c", "--tls-key", "/nowhere/k"}, exitFailure, "/nowhere/c"},
		{[]string{"start", "--data-dir", "/proc/nowhere", "--listen", "127.0.0.1:0"}, exitFailure, "/proc"},
		{[]string{"start", "--data-dir", ":memory:", "--listen", "127.0.0.1:0", "--socket-dir", "/nowhere"}, exitFailure, "--socket-dir"},
		{[]string{"init", "--data-dir", t.TempDir()}, exitUsage, "password"},
		{[]string{"init", "--data-dir", t.TempDir(), "--password", "a", "--password-file", "b"}, exitUsage, "not both"},
		{[]string{"init", "--data-dir", ":memory:", "--password", "a"}, exitUsage, "memory"},
		{[]string{"init", "--data-dir", t.TempDir(), "--password-file", "/nowhere"}, exitFailure, "/nowhere"},
		{[]string{"version"}, 0, ""},
		{[]string{"--help"}, 0, ""},
	} {
		code, _, msg := finish(t, c.args...)
		if code != c.code || !strings.Contains(msg, c.text) {
			t.Errorf("%q: %d %s", c.args, code, msg)
		}
	}
}
