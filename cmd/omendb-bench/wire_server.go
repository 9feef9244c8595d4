//go:build linux

package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// wireServer is one of the servers that are compared.
type wireServer struct {
	name string
	uri  string
	pid  int // of the server or, with processes per connection, their parent
	tree bool
}

// postgresConfig is what a careful administrator would set for this load.
// Commits are durable on both servers: fsync and synchronous_commit are on.
const postgresConfig = `
listen_addresses = '127.0.0.1'
port = %d
unix_socket_directories = '%s'
shared_buffers = 2GB
effective_cache_size = 8GB
work_mem = 64MB
maintenance_work_mem = 512MB
max_connections = 200
max_wal_size = 16GB
checkpoint_timeout = 30min
wal_buffers = 64MB
random_page_cost = 1.1
effective_io_concurrency = 200
jit = off
fsync = on
synchronous_commit = on
full_page_writes = on
`

// startServers starts both servers on fresh data and loads their tables.
func startServers(o *wireOptions) (list []*wireServer, stop func(), err error) {
	dir, remove, err := o.workDir()
	if err != nil {
		return nil, nil, err
	}
	var stops []func()
	all := func() {
		for _, f := range stops {
			f()
		}
		remove()
	}
	defer func() {
		if err != nil {
			all()
		}
	}()
	if err = os.Chmod(dir, 0o755); err != nil {
		return nil, nil, err
	}
	start := []func(*wireOptions, string) (*wireServer, func(), error){startOmenDB, startPostgres}
	if o.pgBin == "" {
		start = start[:1]
	}
	for _, f := range start {
		s, end, err := f(o, dir)
		if err != nil {
			return nil, nil, err
		}
		stops = append(stops, end)
		list = append(list, s)
		progress("%s: loading", s.name)
		if err := s.load(o); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return list, all, nil
}

const benchPassword = "bench"

func startOmenDB(o *wireOptions, dir string) (*wireServer, func(), error) {
	return startBinary(o.omendb, dir, "--max-connections", "200", "--cache-mb", "2048", "--max-wal-size", "16GB", "--checkpoint-timeout", "30min")
}

// startBinary starts OmenDB's server with settings of its own.
func startBinary(binary, dir string, settings ...string) (*wireServer, func(), error) {
	port, err := freePort()
	if err != nil {
		return nil, nil, err
	}
	log, err := os.Create(filepath.Join(dir, "omendb.log"))
	if err != nil {
		return nil, nil, err
	}
	c := exec.Command(binary, append([]string{"start", "--data-dir", filepath.Join(dir, "omendb"), "--listen", "127.0.0.1:" + strconv.Itoa(port),
		"--socket-dir", ""}, settings...)...)
	c.Env = append(os.Environ(), "OMENDB_PASSWORD="+benchPassword)
	c.Stdout, c.Stderr = log, log
	if err := c.Start(); err != nil {
		return nil, nil, err
	}
	s := &wireServer{name: "OmenDB", pid: c.Process.Pid, uri: fmt.Sprintf("postgres://omendb:%s@127.0.0.1:%d/postgres?sslmode=disable", benchPassword, port)}
	end := func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		_ = c.Wait()
	}
	if err := s.await(); err != nil {
		end()
		return nil, nil, err
	}
	return s, end, nil
}

func startPostgres(o *wireOptions, dir string) (*wireServer, func(), error) {
	port, err := freePort()
	if err != nil {
		return nil, nil, err
	}
	home := filepath.Join(dir, "postgres")
	data := filepath.Join(home, "data")
	if err := os.Mkdir(home, 0o755); err != nil {
		return nil, nil, err
	}
	if os.Geteuid() == 0 { // PostgreSQL does not run as root
		if out, err := exec.Command("chown", "postgres", home).CombinedOutput(); err != nil {
			return nil, nil, fmt.Errorf("chown: %w: %s", err, out)
		}
	}
	if err := o.postgres("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale", "C"); err != nil {
		return nil, nil, err
	}
	conf, err := os.OpenFile(filepath.Join(data, "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return nil, nil, err
	}
	if _, err = fmt.Fprintf(conf, postgresConfig, port, home); err == nil {
		err = conf.Close()
	}
	if err != nil {
		return nil, nil, err
	}
	if err := o.postgres("pg_ctl", "-w", "-D", data, "-l", filepath.Join(home, "log"), "start"); err != nil {
		return nil, nil, err
	}
	end := func() { _ = o.postgres("pg_ctl", "-D", data, "-m", "fast", "stop") }
	b, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		end()
		return nil, nil, err
	}
	line, _, _ := strings.Cut(string(b), "\n")
	pid, err := strconv.Atoi(line)
	s := &wireServer{name: "PostgreSQL", pid: pid, tree: true, uri: fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", port)}
	if err == nil {
		err = s.await()
	}
	if err != nil {
		end()
		return nil, nil, err
	}
	return s, end, nil
}

// postgres runs one of PostgreSQL's programs, not as root.
func (o *wireOptions) postgres(program string, args ...string) error {
	args = append([]string{filepath.Join(o.pgBin, program)}, args...)
	if os.Geteuid() == 0 {
		args = append([]string{"runuser", "-u", "postgres", "--"}, args...)
	}
	c := exec.Command(args[0], args[1:]...)
	c.Dir = "/"
	if program == "pg_ctl" { // the server must not hold our pipe open
		return c.Run()
	}
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", program, err, out)
	}
	return nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// await waits until the server accepts a login.
func (s *wireServer) await() error {
	var err error
	for range 200 {
		var c *pgconn.PgConn
		if c, err = pgconn.Connect(context.Background(), s.uri); err == nil {
			return c.Close(context.Background())
		}
		time.Sleep(50 * time.Millisecond)
	}
	return err
}

// exec runs statements one by one.
func (s *wireServer) exec(list ...string) error {
	ctx := context.Background()
	c, err := pgconn.Connect(ctx, s.uri)
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	for _, text := range list {
		if _, err := c.Exec(ctx, text).ReadAll(); err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
	}
	return nil
}

// load makes the tables. A code is a permutation of the keys.
func (s *wireServer) load(o *wireOptions) error {
	n := o.rows
	scale := max(1, n/100_000)
	analyze := "VACUUM ANALYZE"
	if !s.tree {
		analyze = "ANALYZE"
	}
	return s.exec(
		"CREATE TABLE points (id bigint PRIMARY KEY, code bigint NOT NULL, a int NOT NULL, note text NOT NULL)",
		fmt.Sprintf("INSERT INTO points SELECT g, (g * 7919::bigint) %% %d, g %% 1000, 'note ' || md5(g::text) FROM generate_series(1, %d) g", n, n),
		"CREATE INDEX points_code ON points (code)",
		"CREATE TABLE changes (id bigint PRIMARY KEY, a int NOT NULL, note text NOT NULL)",
		fmt.Sprintf("INSERT INTO changes SELECT g, g %% 1000, 'note ' || md5(g::text) FROM generate_series(1, %d) g", n/10),
		"CREATE TABLE inserts (id bigint PRIMARY KEY, a int NOT NULL, note text NOT NULL)",
		"CREATE TABLE copied (id bigint PRIMARY KEY, device int NOT NULL, at timestamptz NOT NULL, value float8 NOT NULL, note text)",
		"CREATE TABLE pgbench_branches (bid int PRIMARY KEY, bbalance int, filler char(88))",
		"CREATE TABLE pgbench_tellers (tid int PRIMARY KEY, bid int, tbalance int, filler char(84))",
		"CREATE TABLE pgbench_accounts (aid int PRIMARY KEY, bid int, abalance int, filler char(84))",
		"CREATE TABLE pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22))",
		fmt.Sprintf("INSERT INTO pgbench_branches SELECT g, 0, '' FROM generate_series(1, %d) g", scale),
		fmt.Sprintf("INSERT INTO pgbench_tellers SELECT g, (g - 1) / 10 + 1, 0, '' FROM generate_series(1, %d) g", 10*scale),
		fmt.Sprintf("INSERT INTO pgbench_accounts SELECT g, (g - 1) / 100000 + 1, 0, '' FROM generate_series(1, %d) g", 100_000*scale),
		analyze, "CHECKPOINT")
}

// processorTime is what the server's processes have used.
func (s *wireServer) processorTime() time.Duration {
	if !s.tree {
		used, _ := processTime(s.pid)
		return used
	}
	var sum time.Duration
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 0
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if used, parent := processTime(pid); pid == s.pid || parent == s.pid {
			sum += used
		}
	}
	return sum
}

// processTime reads a process's processor time and its parent from /proc; ended
// children that were waited for are included.
func processTime(pid int) (used time.Duration, parent int) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	f := strings.Fields(rest)
	if len(f) < 15 {
		return 0, 0
	}
	parent, _ = strconv.Atoi(f[1])
	ticks := 0
	for _, i := range []int{11, 12, 13, 14} {
		n, _ := strconv.Atoi(f[i])
		ticks += n
	}
	return time.Duration(ticks) * (time.Second / 100), parent
}
