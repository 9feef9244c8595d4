package pgwire

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/omendb/omendb/security"
)

// issuer is a certificate authority in a test's directory.
type issuer struct {
	t    *testing.T
	dir  string
	key  crypto.Signer
	cert *x509.Certificate
}

func newIssuer(t *testing.T) *issuer {
	i := &issuer{t: t, dir: t.TempDir()}
	i.cert, i.key = i.issue("ca", time.Hour)
	return i
}

// file is where a certificate (end ".pem") or key (".key") is.
func (i *issuer) file(name, end string) string { return filepath.Join(i.dir, name+end) }

func (i *issuer) issue(name string, valid time.Duration) (*x509.Certificate, crypto.Signer) {
	i.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		i.t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(valid), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	parent, signer := i.cert, i.key
	if parent == nil {
		template.IsCA, template.BasicConstraintsValid, template.ExtKeyUsage = true, true, nil
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		i.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		i.t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		i.t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(i.file(name, ".pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600),
		os.WriteFile(i.file(name, ".key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), 0o600)); err != nil {
		i.t.Fatal(err)
	}
	return cert, key
}

func (i *issuer) dsn(name string) string {
	return fmt.Sprintf("sslmode=require sslcert=%s sslkey=%s", i.file(name, ".pem"), i.file(name, ".key"))
}

func TestClientCertificates(t *testing.T) {
	ca, stranger := newIssuer(t), newIssuer(t)
	ca.issue("ann", time.Hour)
	ca.issue("bob", time.Hour)
	ca.issue("late", -time.Hour)
	stranger.issue("ann", time.Hour)
	authorities, err := security.LoadAuthorities(ca.file("ca", ".pem"), nil)
	if err != nil {
		t.Fatal(err)
	}
	ann, bob, plain := ca.dsn("ann"), ca.dsn("bob"), "sslmode=require"
	for _, c := range []struct {
		demand   security.ClientCert
		dsn      string
		password string
		want     string // what the error says, empty for none
	}{
		{security.ClientCertLogin, ann, "", ""},
		{security.ClientCertLogin, ann + " sslnegotiation=direct", "", ""},
		{security.ClientCertLogin, bob, testPassword, `certificate authentication failed for user "ann" (SQLSTATE 28000)`},
		{security.ClientCertLogin, plain, testPassword, "connection requires a valid client certificate (SQLSTATE 28000)"},
		{security.ClientCertLogin, "sslmode=disable", testPassword, "connection requires a valid client certificate (SQLSTATE 28000)"},
		{security.ClientCertLogin, stranger.dsn("ann"), testPassword, "unknown certificate authority"},
		{security.ClientCertLogin, ca.dsn("late"), testPassword, "expired certificate"},
		{security.ClientCertVerifyFull, ann, testPassword, ""},
		{security.ClientCertVerifyFull, ann + " channel_binding=require", testPassword, ""},
		{security.ClientCertVerifyFull, ann, "wrong", `password authentication failed for user "ann" (SQLSTATE 28P01)`},
		{security.ClientCertVerifyFull, bob, testPassword, `password authentication failed for user "ann" (SQLSTATE 28P01)`},
		{security.ClientCertVerifyFull, plain, testPassword, "connection requires a valid client certificate (SQLSTATE 28000)"},
		{security.ClientCertVerifyCA, bob, testPassword, ""},
		{security.ClientCertVerifyCA, plain, testPassword, "connection requires a valid client certificate (SQLSTATE 28000)"},
		{security.ClientCertOptional, plain, testPassword, ""},
		{security.ClientCertOptional, "sslmode=disable", testPassword, ""},
		{security.ClientCertOptional, stranger.dsn("ann"), testPassword, "unknown certificate authority"},
	} {
		f := start(t, func(o *Options) { o.Certificates, o.Authorities, o.ClientCert = certificates(t), authorities, c.demand })
		_, err := f.pg(t, "ann", c.password, c.dsn)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s %s: %v, want %q", c.demand, c.dsn, err, c.want)
		}
	}
}

// What goes wrong in SCRAM is told with PostgreSQL's detail.
func TestExchangeDetail(t *testing.T) {
	f := start(t, nil)
	for data, code := range map[string]string{
		"z,,n=,r=abc":      "08P01 malformed SCRAM message: Unexpected channel-binding flag \"z\".",
		"n,a=bob,n=,r=abc": "0A000 client uses authorization identity, but it is not supported: ",
	} {
		r := f.dial(t)
		r.startup(map[string]string{"user": "ann"})
		r.next()
		r.send(&pgproto3.SASLInitialResponse{AuthMechanism: security.MechanismSCRAM, Data: []byte(data)})
		want, rest, _ := strings.Cut(code, " ")
		if e := r.expectFatal(want); e.Message+": "+e.Detail != rest {
			t.Errorf("%s: %s: %s", data, e.Message, e.Detail)
		}
	}
}
