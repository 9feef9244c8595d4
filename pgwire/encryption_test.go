package pgwire

import (
	"crypto/tls"
	"crypto/x509/pkix"
	"encoding/asn1"
	"testing"
)

func TestEncryptionInWordsOfOpenSSL(t *testing.T) {
	for _, c := range []struct {
		id, version uint16
		want        string
	}{
		{tls.TLS_AES_256_GCM_SHA384, tls.VersionTLS13, "TLS_AES_256_GCM_SHA384"},
		{tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, tls.VersionTLS12, "ECDHE-RSA-AES256-GCM-SHA384"},
		{tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.VersionTLS12, "ECDHE-ECDSA-CHACHA20-POLY1305"},
		{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, tls.VersionTLS12, "ECDHE-RSA-AES128-SHA"},
	} {
		if got := cipherName(c.id, c.version); got != c.want {
			t.Errorf("%s, not %s", got, c.want)
		}
	}
	name := pkix.Name{Names: []pkix.AttributeTypeAndValue{{Type: asn1.ObjectIdentifier{2, 5, 4, 6}, Value: "DE"},
		{Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: "bob"}, {Type: asn1.ObjectIdentifier{1, 2, 3}, Value: "x"}}}
	if got := slashName(name); got != "/C=DE/CN=bob/1.2.3=x" {
		t.Error(got)
	}
}
