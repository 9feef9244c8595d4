package security

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// ClientCert says what is asked of clients' certificates. Whatever it is, a
// certificate that is shown must have been issued by one of the authorities.
type ClientCert string

// The requirements, by the names that pg_hba.conf has for them.
const (
	// ClientCertOptional checks a certificate that is shown and asks for the password.
	ClientCertOptional ClientCert = "optional"
	// ClientCertVerifyCA demands a certificate and the password.
	ClientCertVerifyCA ClientCert = "verify-ca"
	// ClientCertVerifyFull demands a certificate in the role's name and the password.
	ClientCertVerifyFull ClientCert = "verify-full"
	// ClientCertLogin demands a certificate in the role's name in place of the
	// password (the authentication method "cert").
	ClientCertLogin ClientCert = "cert"
)

// ParseClientCert reads the name of a requirement.
func ParseClientCert(s string) (ClientCert, error) {
	switch c := ClientCert(s); c {
	case ClientCertOptional, ClientCertVerifyCA, ClientCertVerifyFull, ClientCertLogin:
		return c, nil
	}
	return "", fmt.Errorf("client certificates %q: use optional, verify-ca, verify-full or cert", s)
}

// The checks of a client's certificate that fail after the handshake.
var (
	// ErrNoClientCert says that none was shown.
	ErrNoClientCert = errors.New("connection requires a valid client certificate")
	// ErrClientName says that it was issued to somebody else.
	ErrClientName = errors.New("provided user name and name in the client certificate do not match")
)

// Check tests the certificate that a client showed, nil if it showed none, for
// the login of a user.
func (c ClientCert) Check(cert *x509.Certificate, user string) error {
	switch {
	case c == ClientCertOptional || c == "":
		return nil
	case cert == nil:
		return ErrNoClientCert
	case c == ClientCertVerifyCA:
		return nil
	case cert.Subject.CommonName == "" || cert.Subject.CommonName != user:
		return ErrClientName
	}
	return nil
}

// Authorities are the issuers of clients' certificates, from a PEM file that is
// read again when it changes. A file that cannot be used is reported, and the
// old issuers stay.
type Authorities struct {
	file    string
	onError func(error)

	mu       sync.Mutex
	pool     *x509.CertPool
	modified time.Time
}

// LoadAuthorities reads the file. OnError is told of later reloads that fail; it may be nil.
func LoadAuthorities(file string, onError func(error)) (*Authorities, error) {
	a := &Authorities{file: file, onError: onError}
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	return a, a.load(info.ModTime())
}

func (a *Authorities) load(stamp time.Time) error {
	text, err := os.ReadFile(a.file)
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return fmt.Errorf("load client certificate authorities %s: no certificate in it", a.file)
	}
	a.pool, a.modified = pool, stamp
	return nil
}

// Current returns the issuers for the next handshake.
func (a *Authorities) Current() *x509.CertPool {
	a.mu.Lock()
	defer a.mu.Unlock()
	info, err := os.Stat(a.file)
	if err == nil && info.ModTime() != a.modified {
		if err = a.load(info.ModTime()); err != nil {
			a.modified = info.ModTime() // try again at the next change, not at every login
		}
	}
	if err != nil && a.onError != nil {
		a.onError(err)
	}
	return a.pool
}

// Ask makes the server of a TLS configuration ask clients for a certificate.
// One that is shown must be good; that one is shown is not demanded here, so
// that clients without get a message and not a broken handshake.
func (a *Authorities) Ask(c *tls.Config) {
	c.ClientCAs = a.Current()
	c.ClientAuth = tls.VerifyClientCertIfGiven
}
