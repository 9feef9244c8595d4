package pgwire

import (
	"crypto/tls"
	"crypto/x509/pkix"
	"encoding/asn1"
	"strings"

	"github.com/omendb/omendb/sql"
)

// encryption describes the connection's TLS in the words of OpenSSL, which clients know
// from PostgreSQL; nil where there is none.
func (c *conn) encryption() *sql.TLS {
	t, ok := c.nc.(*tls.Conn)
	if !ok {
		return nil
	}
	state := t.ConnectionState()
	e := &sql.TLS{Version: map[uint16]string{tls.VersionTLS12: "TLSv1.2", tls.VersionTLS13: "TLSv1.3"}[state.Version],
		Cipher: cipherName(state.CipherSuite, state.Version), Bits: 256}
	if strings.Contains(e.Cipher, "128") {
		e.Bits = 128
	}
	if c.clientCert != nil {
		e.ClientDN, e.IssuerDN = slashName(c.clientCert.Subject), slashName(c.clientCert.Issuer)
		e.ClientSerial = c.clientCert.SerialNumber.String()
	}
	return e
}

// cipherName is OpenSSL's name of a cipher suite: the standard's since TLS 1.3, before that
// one of its own.
func cipherName(id, version uint16) string {
	name := tls.CipherSuiteName(id)
	if version >= tls.VersionTLS13 {
		return name
	}
	name = strings.TrimSuffix(strings.TrimPrefix(name, "TLS_"), "_CBC_SHA")
	name = strings.ReplaceAll(strings.Replace(name, "_WITH_", "_", 1), "_", "-")
	name = strings.NewReplacer("AES-128", "AES128", "AES-256", "AES256", "CHACHA20-POLY1305-SHA256", "CHACHA20-POLY1305").Replace(name)
	if strings.HasSuffix(tls.CipherSuiteName(id), "_CBC_SHA") {
		name += "-SHA"
	}
	return name
}

// nameParts are OpenSSL's short names of what a distinguished name consists of.
var nameParts = map[string]string{"2.5.4.3": "CN", "2.5.4.4": "SN", "2.5.4.5": "serialNumber", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST",
	"2.5.4.9": "street", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.12": "title", "2.5.4.42": "GN", "1.2.840.113549.1.9.1": "emailAddress",
	"0.9.2342.19200300.100.1.25": "DC", "0.9.2342.19200300.100.1.1": "UID"}

// slashName writes a distinguished name as /CN=bob/O=Example, its parts in their order.
func slashName(n pkix.Name) string {
	var b strings.Builder
	for _, part := range n.Names {
		name := nameParts[asn1.ObjectIdentifier(part.Type).String()]
		if name == "" {
			name = part.Type.String()
		}
		text, _ := part.Value.(string)
		b.WriteString("/" + name + "=" + text)
	}
	return b.String()
}
