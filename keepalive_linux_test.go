package omendb_test

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sys/unix"

	"github.com/omendb/omendb"
)

// serverSocket finds the server's end of a client's connection: both are in this process.
func serverSocket(t *testing.T, client net.Addr) int {
	t.Helper()
	for fd := 3; fd < 1<<12; fd++ {
		peer, err := unix.Getpeername(fd)
		if in, ok := peer.(*unix.SockaddrInet4); err == nil && ok && in.Port == client.(*net.TCPAddr).Port {
			return fd
		}
	}
	t.Fatal("the server has no such connection")
	return 0
}

// TestKeepAliveReachesSocket asks the kernel what the parameters have set: at
// login, by SET, and when a transaction takes SET back.
func TestKeepAliveReachesSocket(t *testing.T) {
	db, err := omendb.Open(omendb.Memory, omendb.WithPassword(password))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	addr, err := db.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	config, err := pgx.ParseConfig(fmt.Sprintf("host=127.0.0.1 port=%d user=omendb password='%s' dbname=postgres sslmode=disable", addr.(*net.TCPAddr).Port, password))
	if err != nil {
		t.Fatal(err)
	}
	config.RuntimeParams = map[string]string{"tcp_user_timeout": "7000", "tcp_keepalives_idle": "33"}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	c, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(ctx)
	fd := serverSocket(t, c.PgConn().Conn().LocalAddr())
	is := func(option, want int, what string) {
		t.Helper()
		if got, err := unix.GetsockoptInt(fd, unix.IPPROTO_TCP, option); err != nil || got != want {
			t.Errorf("%s is %d, want %d (%v)", what, got, want, err)
		}
	}
	is(unix.TCP_USER_TIMEOUT, 7000, "user timeout of the login")
	is(unix.TCP_KEEPIDLE, 33, "idle time of the login")
	exec(t, c, "SET tcp_keepalives_idle = 41", "SET tcp_keepalives_interval = 7", "SET tcp_keepalives_count = 5", "SET tcp_user_timeout = '12s'")
	is(unix.TCP_KEEPIDLE, 41, "idle time")
	is(unix.TCP_KEEPINTVL, 7, "interval")
	is(unix.TCP_KEEPCNT, 5, "count")
	is(unix.TCP_USER_TIMEOUT, 12000, "user timeout")
	if on, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE); err != nil || on != 1 {
		t.Error("no keepalives:", on, err)
	}
	// More than the kernel takes for the idle time does not keep the others away.
	exec(t, c, "SET tcp_keepalives_idle = 2000000000", "SET tcp_keepalives_count = 6")
	is(unix.TCP_KEEPIDLE, 41, "idle time")
	is(unix.TCP_KEEPCNT, 6, "count")
	exec(t, c, "BEGIN", "SET tcp_user_timeout = 500", "ROLLBACK")
	is(unix.TCP_USER_TIMEOUT, 12000, "user timeout after ROLLBACK")
}
