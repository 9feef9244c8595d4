package security

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// writePair makes a self-signed certificate for a name.
func writePair(t *testing.T, dir, name string) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der := selfSigned(t, name, k, x509.ECDSAWithSHA256)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func selfSigned(t *testing.T, name string, k crypto.Signer, alg x509.SignatureAlgorithm) []byte {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), SignatureAlgorithm: alg}
	der, err := x509.CreateCertificate(rand.Reader, template, template, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestCertificatesReload(t *testing.T) {
	dir := t.TempDir()
	cert, key := writePair(t, dir, "one")
	var reported []error
	c, err := LoadCertificates(cert, key, func(err error) { reported = append(reported, err) })
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Current().Leaf.Subject.CommonName; got != "one" {
		t.Fatal(got)
	}
	touch := func(at time.Duration) {
		if err := os.Chtimes(cert, time.Time{}, time.Now().Add(at)); err != nil {
			t.Fatal(err)
		}
	}
	writePair(t, dir, "two")
	touch(time.Second)
	if got := c.Current().Leaf.Subject.CommonName; got != "two" || len(reported) > 0 {
		t.Fatal(got, reported)
	}
	if err := os.WriteFile(cert, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	touch(2 * time.Second)
	for range 3 {
		if got := c.Current().Leaf.Subject.CommonName; got != "two" {
			t.Fatal(got)
		}
	}
	if len(reported) != 1 {
		t.Fatalf("a damaged file was reported %d times", len(reported))
	}
	if err := os.Remove(cert); err != nil {
		t.Fatal(err)
	}
	if c.Current() == nil || len(reported) != 2 {
		t.Fatal("a missing file ends the service, or nobody hears of it")
	}
	if _, err := LoadCertificates(cert, key, nil); !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	if _, err := LoadCertificates(key, key, nil); err == nil {
		t.Fatal("a key passes for a certificate")
	}
}

func TestServerConfigHandshake(t *testing.T) {
	cert, key := writePair(t, t.TempDir(), "db")
	c, err := LoadCertificates(cert, key, nil)
	if err != nil {
		t.Fatal(err)
	}
	handshake := func(max uint16) error {
		a, b := net.Pipe()
		defer a.Close()
		defer b.Close()
		done := make(chan error, 1)
		go func() { done <- tls.Server(a, ServerConfig(c.Current())).Handshake() }()
		err := tls.Client(b, &tls.Config{InsecureSkipVerify: true, MaxVersion: max, NextProtos: []string{ALPN}}).Handshake()
		b.Close()
		return errors.Join(err, <-done)
	}
	if err := handshake(tls.VersionTLS12); err != nil {
		t.Error(err)
	}
	if err := handshake(tls.VersionTLS13); err != nil {
		t.Error(err)
	}
	if err := handshake(tls.VersionTLS11); err == nil {
		t.Error("TLS 1.1 is accepted")
	}
}

func TestEndpointHash(t *testing.T) {
	ec, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	for _, c := range []struct {
		key  crypto.Signer
		alg  x509.SignatureAlgorithm
		hash func([]byte) []byte
	}{
		{ec, x509.ECDSAWithSHA256, func(b []byte) []byte { s := sha256.Sum256(b); return s[:] }},
		{ec, x509.ECDSAWithSHA384, func(b []byte) []byte { s := sha512.Sum384(b); return s[:] }},
		{ec, x509.ECDSAWithSHA512, func(b []byte) []byte { s := sha512.Sum512(b); return s[:] }},
		{ed, x509.PureEd25519, func([]byte) []byte { return nil }},
	} {
		der := selfSigned(t, "x", c.key, c.alg)
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := EndpointHash(cert), c.hash(der); string(got) != string(want) {
			t.Errorf("%v: %x, want %x", c.alg, got, want)
		}
	}
}

func TestPeerUID(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if uid, err := PeerUID(s); err != nil && !errors.Is(err, ErrNoPeer) || err == nil && uid != os.Getuid() {
		t.Fatal(uid, err)
	}
	s.Close()
	if _, err := PeerUID(s); err == nil {
		t.Fatal("a closed socket has a peer")
	}
	c.Close()
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if _, err := PeerUID(a); !errors.Is(err, ErrNoPeer) {
		t.Fatal(err)
	}
}
