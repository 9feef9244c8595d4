package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

func writeCertificate(t *testing.T) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "db"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if err := errors.Join(os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600),
		os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), 0o600)); err != nil {
		t.Fatal(err)
	}
	return cert, key
}

// TLS with SCRAM bound to it, and metrics of what was done.
func TestTLSAndMetrics(t *testing.T) {
	cert, key := writeCertificate(t)
	dir := filepath.Join(t.TempDir(), "data")
	s := startServer(t, dir, "--tls-cert", cert, "--tls-key", key, "--require-tls", "--metrics-listen", "127.0.0.1:0", "--log-format", "json")
	pass := filepath.Join(dir, passFile)
	if _, err := s.connect("sslmode=disable passfile=%s", pass); err == nil {
		t.Error("a connection without TLS is accepted")
	}
	c := s.mustConnect("sslmode=require channel_binding=require passfile=%s", pass)
	must(t, c, "CREATE TABLE t (id int)")
	if _, err := c.Exec(context.Background(), "SELECT 1/0"); err == nil {
		t.Error("no error")
	}
	url := regexp.MustCompile(`http://\S+/metrics`).FindString(s.out)
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"omendb_sessions 1\n", `omendb_client_errors_total{sqlstate="22012"} 1`, `omendb_events_total{event="wal.sync"}`} {
		if !strings.Contains(string(body), want) {
			t.Errorf("no %s", want)
		}
	}
	if !strings.Contains(s.logged(), `"level":"info"`) {
		t.Errorf("the log is not JSON: %s", s.logged())
	}
}

// The flags on clients' certificates: the server's own certificate serves as the
// issuer of the one that names the superuser.
func TestClientCertificateFlags(t *testing.T) {
	cert, key := writeCertificate(t)
	s := startServer(t, filepath.Join(t.TempDir(), "data"), "--tls-cert", cert, "--tls-key", key, "--tls-client-ca", cert, "--superuser", "db")
	must(t, s.mustConnect("user=db sslmode=require sslcert=%s sslkey=%s", cert, key), "SELECT 1")
	if _, err := s.connect("user=db sslmode=require"); err == nil || !strings.Contains(err.Error(), "connection requires a valid client certificate") {
		t.Errorf("without a certificate: %v", err)
	}
	for _, flags := range [][]string{
		{"--tls-client-ca", cert},
		{"--tls-cert", cert, "--tls-key", key, "--tls-client-ca", cert, "--tls-client-cert", "require"},
		{"--tls-cert", cert, "--tls-key", key, "--tls-client-ca", key},
	} {
		c := startCommand()
		c.SetArgs(append([]string{"--data-dir", ":memory:", "--listen", "127.0.0.1:0", "--socket-dir", ""}, flags...))
		if err := c.Execute(); err == nil {
			t.Errorf("%v is accepted", flags)
		}
	}
}
