package security

import (
	"crypto"
	_ "crypto/sha256" // the hashes that certificates are signed with
	_ "crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"sync"
	"time"
)

// ALPN is the protocol name of PostgreSQL in TLS, required for direct TLS.
const ALPN = "postgresql"

// Certificates is the server's certificate and key from two PEM files. They are
// read again when either file changes, so that renewal needs no restart; files
// that do not fit together are reported and the old pair stays.
type Certificates struct {
	certFile, keyFile string
	onError           func(error)

	mu       sync.Mutex
	current  *tls.Certificate
	modified [2]time.Time
}

// LoadCertificates reads the files. OnError is told of later reloads that fail; it may be nil.
func LoadCertificates(certFile, keyFile string, onError func(error)) (*Certificates, error) {
	c := &Certificates{certFile: certFile, keyFile: keyFile, onError: onError}
	stamp, err := c.stamp()
	if err != nil {
		return nil, err
	}
	return c, c.load(stamp)
}

func (c *Certificates) stamp() (m [2]time.Time, err error) {
	for i, name := range []string{c.certFile, c.keyFile} {
		info, err := os.Stat(name)
		if err != nil {
			return m, err
		}
		m[i] = info.ModTime()
	}
	return m, nil
}

func (c *Certificates) load(stamp [2]time.Time) error {
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("load TLS certificate %s with key %s: %w", c.certFile, c.keyFile, err)
	}
	if pair.Leaf == nil {
		if pair.Leaf, err = x509.ParseCertificate(pair.Certificate[0]); err != nil {
			return fmt.Errorf("parse TLS certificate %s: %w", c.certFile, err)
		}
	}
	c.current, c.modified = &pair, stamp
	return nil
}

// Current returns the pair for the next handshake.
func (c *Certificates) Current() *tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	stamp, err := c.stamp()
	if err == nil && stamp != c.modified {
		if err = c.load(stamp); err != nil {
			c.modified = stamp // try again at the next change, not at every login
		}
	}
	if err != nil && c.onError != nil {
		c.onError(err)
	}
	return c.current
}

// ServerConfig returns the TLS settings for one connection that shows a
// certificate: version 1.2 or newer with Go's choice of ciphers, and no session
// tickets, like PostgreSQL: connections are long and resumption would weaken
// forward secrecy.
func ServerConfig(cert *tls.Certificate) *tls.Config {
	return &tls.Config{
		MinVersion:             tls.VersionTLS12,
		Certificates:           []tls.Certificate{*cert},
		NextProtos:             []string{ALPN},
		SessionTicketsDisabled: true,
	}
}

// EndpointHash returns the channel binding data of type tls-server-end-point
// (RFC 5929): the hash of the certificate, by the hash of its signature but
// never weaker than SHA-256. It is nil when the signature has no single hash.
func EndpointHash(cert *x509.Certificate) []byte {
	var h crypto.Hash
	switch cert.SignatureAlgorithm {
	case x509.MD5WithRSA, x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.SHA256WithRSA, x509.SHA256WithRSAPSS, x509.ECDSAWithSHA256:
		h = crypto.SHA256
	case x509.SHA384WithRSA, x509.SHA384WithRSAPSS, x509.ECDSAWithSHA384:
		h = crypto.SHA384
	case x509.SHA512WithRSA, x509.SHA512WithRSAPSS, x509.ECDSAWithSHA512:
		h = crypto.SHA512
	default:
		return nil
	}
	sum := h.New()
	sum.Write(cert.Raw)
	return sum.Sum(nil)
}
