package pgwire

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/omendb/omendb/security"
)

// pg connects with pgx's lower half.
func (f *fixture) pg(t *testing.T, user, password, more string) (*pgconn.PgConn, error) {
	t.Helper()
	host, port, _ := net.SplitHostPort(f.addr)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, err := pgconn.Connect(ctx, fmt.Sprintf("host=%s port=%s user=%s password='%s' database=db %s", host, port, user, password, more))
	if err == nil {
		t.Cleanup(func() { c.Close(context.Background()) })
	}
	return c, err
}

// login connects over TCP with a password and hands out the raw connection.
func (f *fixture) login(t *testing.T) *raw {
	t.Helper()
	c, err := f.pg(t, "ann", testPassword, "sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	h, err := c.Hijack()
	if err != nil {
		t.Fatal(err)
	}
	return newRaw(t, h.Conn)
}

func code(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return fmt.Sprint(err)
}

func TestPassword(t *testing.T) {
	f := start(t, nil)
	for _, c := range []struct{ user, password, want string }{
		{"ann", testPassword, "<nil>"}, {"ann", "wrong", "28P01"}, {"nobody", testPassword, "28P01"},
		{"nopass", testPassword, "28P01"}, {"nopass", "", "28P01"}, {"old", testPassword, "28P01"},
	} {
		_, err := f.pg(t, c.user, c.password, "sslmode=disable")
		if code(err) != c.want && !(c.password == "" && err != nil) {
			t.Errorf("%s/%s: %v", c.user, c.password, err)
		}
	}
	if c, err := f.pg(t, "ann", testPassword, "sslmode=disable"); err != nil || c.ParameterStatus("server_version") != "15.18" {
		t.Fatal(err)
	}
}

func TestConnectRefused(t *testing.T) {
	f := start(t, nil)
	r := f.dial(t)
	r.startup(map[string]string{"user": "ann", "database": "nowhere"})
	client, server := Pipe()
	go f.ServeConn(server, true)
	r = newRaw(t, client)
	r.startup(map[string]string{"user": "ann", "database": "nowhere"})
	if e := r.expectFatal("3D000"); !strings.Contains(e.Message, "nowhere") {
		t.Error(e.Message)
	}
}

func (f *fixture) dial(t *testing.T) *raw {
	t.Helper()
	nc, err := net.Dial("tcp", f.addr)
	if err != nil {
		t.Fatal(err)
	}
	return newRaw(t, nc)
}

func certificates(t *testing.T) *security.Certificates {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "db"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "c.pem"), filepath.Join(dir, "k.pem")
	if err := errors.Join(os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600),
		os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), 0o600)); err != nil {
		t.Fatal(err)
	}
	c, err := security.LoadCertificates(certFile, keyFile, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTLS(t *testing.T) {
	f := start(t, func(o *Options) { o.Certificates, o.RequireTLS = certificates(t), true })
	for _, mode := range []string{"sslmode=require", "sslmode=require channel_binding=require", "sslmode=require sslnegotiation=direct"} {
		c, err := f.pg(t, "ann", testPassword, mode)
		if err != nil {
			t.Errorf("%s: %v", mode, err)
			continue
		}
		if _, ok := c.Conn().(*tls.Conn); !ok {
			t.Errorf("%s: no TLS", mode)
		}
		if err := c.Exec(context.Background(), "rows 20000").Close(); err != nil {
			t.Errorf("%s: %v", mode, err)
		}
		// An interruption in the middle of TLS does no harm.
		f.backend.last().send("x")
		time.Sleep(20 * time.Millisecond)
		if err := c.Exec(context.Background(), "rows 1").Close(); err != nil {
			t.Errorf("%s: %v", mode, err)
		}
	}
	if _, err := f.pg(t, "ann", testPassword, "sslmode=disable"); code(err) != "28000" {
		t.Errorf("without TLS: %v", err)
	}
	if _, err := f.pg(t, "ann", "wrong", "sslmode=require"); code(err) != "28P01" {
		t.Errorf("wrong password: %v", err)
	}
}

func TestDirectTLSNeedsALPN(t *testing.T) {
	f := start(t, func(o *Options) { o.Certificates = certificates(t) })
	nc, err := tls.Dial("tcp", f.addr, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	newRaw(t, nc).expectFatal("08P01")
}

// Bytes behind an SSLRequest were not sent through TLS and must not be believed.
func TestNoBytesBeforeHandshake(t *testing.T) {
	f := start(t, func(o *Options) { o.Certificates = certificates(t) })
	r := f.dial(t)
	r.bytes(0, 0, 0, 8, 4, 210, 22, 47, 'x')
	r.expectFatal("08P01")
}

func TestEncryptionRefused(t *testing.T) {
	f := start(t, nil)
	r := f.dial(t)
	b := make([]byte, 1)
	for _, m := range []pgproto3.FrontendMessage{&pgproto3.GSSEncRequest{}, &pgproto3.SSLRequest{}} {
		r.send(m)
		if _, err := io.ReadFull(r.nc, b); err != nil || b[0] != 'N' {
			t.Fatalf("%q %v", b, err)
		}
	}
	r.send(&pgproto3.SSLRequest{})
	_, _ = io.ReadFull(r.nc, b)
	r.send(&pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersion30, Parameters: map[string]string{"user": "ann"}})
	r.expectFatal("08P01")
}

func TestStartupPackets(t *testing.T) {
	f := start(t, nil)
	packet := func(code uint32, body string) []byte {
		b := appendInt32(nil, int32(8+len(body)))
		return append(appendInt32(b, int32(code)), body...)
	}
	for name, c := range map[string]struct {
		bytes []byte
		code  string
	}{
		"version 2":          {packet(2<<16, ""), "0A000"},
		"version 4":          {packet(4<<16, "user\x00ann\x00\x00"), "0A000"},
		"too short":          {[]byte{0, 0, 0, 7}, "08P01"},
		"negative":           {[]byte{0xff, 0xff, 0xff, 0xff}, "08P01"},
		"too long":           {appendInt32(nil, maxStartupPacket+5), "08P01"},
		"no user":            {packet(3<<16, "\x00"), "28000"},
		"no end":             {packet(3<<16, "user\x00ann\x00"), "08P01"},
		"no value":           {packet(3<<16, "user"), "08P01"},
		"bytes after end":    {packet(3<<16, "user\x00ann\x00\x00x"), "08P01"},
		"replication":        {packet(3<<16, "user\x00ann\x00replication\x00database\x00\x00"), "0A000"},
		"not UTF-8":          {packet(3<<16, "user\x00a\xff\x00\x00"), "22021"},
		"unknown option":     {packet(3<<16, "user\x00ann\x00options\x00-x\x00\x00"), "42601"},
		"option without end": {packet(3<<16, "user\x00ann\x00options\x00-c a\x00\x00"), "42601"},
		"http":               {[]byte("GET / HTTP/1.1\r\n\r\n"), "08P01"},
	} {
		t.Run(name, func(t *testing.T) {
			r := f.dial(t)
			r.bytes(c.bytes...)
			r.expectFatal(c.code)
		})
	}
	t.Run("longest", func(t *testing.T) {
		r := f.dial(t)
		body := "user\x00ann\x00application_name\x00"
		body += strings.Repeat("x", maxStartupPacket-4-len(body)-2) + "\x00\x00"
		r.bytes(packet(3<<16, body)...)
		if _, ok := r.next().(*pgproto3.AuthenticationSASL); !ok {
			t.Fatal("refused")
		}
	})
}

func TestNegotiateProtocolVersion(t *testing.T) {
	f := start(t, nil)
	for _, c := range []struct {
		version uint32
		option  string
		want    *pgproto3.NegotiateProtocolVersion
		key     int
	}{
		{3 << 16, "", nil, security.CancelKeyBytes},
		{3<<16 | 2, "", nil, security.LongCancelKeyBytes},
		{3<<16 | 9, "", &pgproto3.NegotiateProtocolVersion{NewestMinorProtocol: 3<<16 | 2}, security.LongCancelKeyBytes},
		{3 << 16, "_pq_.x", &pgproto3.NegotiateProtocolVersion{NewestMinorProtocol: 3 << 16, UnrecognizedOptions: []string{"_pq_.x"}}, security.CancelKeyBytes},
	} {
		client, server := Pipe()
		go f.ServeConn(server, true)
		r := newRaw(t, client)
		body := "user\x00ann\x00"
		if c.option != "" {
			body += c.option + "\x001\x00"
		}
		body += "\x00"
		r.bytes(append(appendInt32(appendInt32(nil, int32(8+len(body))), int32(c.version)), body...)...)
		m := r.next()
		if c.want != nil {
			if got, ok := m.(*pgproto3.NegotiateProtocolVersion); !ok || fmt.Sprint(*got) != fmt.Sprint(*c.want) {
				t.Errorf("version %x: %s %+v", c.version, describe(m), m)
			}
		} else if _, ok := m.(*pgproto3.AuthenticationOk); !ok {
			t.Errorf("version %x: %s", c.version, describe(m))
		}
		for {
			m := r.next()
			if k, ok := m.(*pgproto3.BackendKeyData); ok && len(k.SecretKey) != c.key {
				t.Errorf("version %x: key of %d bytes", c.version, len(k.SecretKey))
			}
			if _, ok := m.(*pgproto3.ReadyForQuery); ok {
				break
			}
		}
	}
}

func TestStartupSettings(t *testing.T) {
	f := start(t, nil)
	client, server := Pipe()
	go f.ServeConn(server, true)
	r := newRaw(t, client)
	r.startup(map[string]string{"user": "ann", "options": `-c search_path=a\ b -cwork_mem=1MB --statement-timeout=5  -c work_mem=2`, "datestyle": "iso"})
	r.names()
	got := f.backend.last().settings
	for name, want := range map[string]string{"search_path": "a b", "work_mem": "1MB", "statement_timeout": "5", "datestyle": "iso"} {
		if got[name] != want {
			t.Errorf("%s = %q", name, got[name])
		}
	}
	if _, ok := got["options"]; ok {
		t.Error("options passed on")
	}
}

func TestMalformedLogin(t *testing.T) {
	f := start(t, nil)
	initial := func(mechanism, data string) []byte {
		b := appendString([]byte{'p', 0, 0, 0, 0}, mechanism)
		b = append(appendInt32(b, int32(len(data))), data...)
		b[4] = byte(len(b) - 1)
		return b
	}
	for name, c := range map[string]struct {
		bytes []byte
		code  string
	}{
		"query instead":  {[]byte{'Q', 0, 0, 0, 5, 0}, "08P01"},
		"too long":       {[]byte{'p', 0, 0, 4, 5}, "08P01"},
		"negative":       {[]byte{'p', 0, 0, 0, 0}, "08P01"},
		"empty":          {[]byte{'p', 0, 0, 0, 4}, "08P01"},
		"no mechanism":   {initial("", ""), "08P01"},
		"other":          {initial("PLAIN", "x"), "08P01"},
		"no SCRAM":       {initial(security.MechanismSCRAM, "x"), "08P01"},
		"plus, no TLS":   {initial(security.MechanismSCRAMPlus, "p=tls-server-end-point,,n=,r=abc"), "08P01"},
		"wrong length":   {[]byte{'p', 0, 0, 0, 24, 'S', 'C', 'R', 'A', 'M', '-', 'S', 'H', 'A', '-', '2', '5', '6', 0, 0, 0, 0, 9, 'n', ','}, "08P01"},
		"plaintext only": {append([]byte{'p', 0, 0, 0, 11}, "secret\x00"...), "08P01"},
	} {
		t.Run(name, func(t *testing.T) {
			r := f.dial(t)
			r.startup(map[string]string{"user": "ann"})
			r.next()
			r.bytes(c.bytes...)
			r.expectFatal(c.code)
		})
	}
}

func TestAuthTimeout(t *testing.T) {
	f := start(t, func(o *Options) { o.AuthTimeout = 30 * time.Millisecond })
	r := f.dial(t)
	r.startup(map[string]string{"user": "ann"})
	r.next()
	r.expectFatal("57014")
}

func TestConnectionLimit(t *testing.T) {
	f := start(t, func(o *Options) { o.MaxConnections = 1 })
	for range 1 + loginSlots {
		f.trusted(t)
	}
	f.dial(t).expectFatal("53300")
}

func TestPeerLogin(t *testing.T) {
	f := start(t, func(o *Options) { o.Owner = Owner{UID: os.Getuid(), Name: "me", Role: "ann"} })
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	go f.Serve(l)
	nc, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	r := newRaw(t, nc)
	r.startup(map[string]string{"user": "ann"})
	if _, ok := r.next().(*pgproto3.AuthenticationOk); !ok {
		t.Fatal("the owner is asked for a password")
	}
	nc, err = net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	mapped := newRaw(t, nc)
	mapped.startup(map[string]string{"user": "me"})
	mapped.names()
	if got := f.backend.last().user; got != "ann" {
		t.Fatalf("the owner became %q", got)
	}
	r2 := f.dial(t)
	r2.startup(map[string]string{"user": "ann"})
	if _, ok := r2.next().(*pgproto3.AuthenticationSASL); !ok {
		t.Fatal("TCP without a password")
	}
}
