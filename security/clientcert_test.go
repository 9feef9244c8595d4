package security

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestClientCertCheck(t *testing.T) {
	named := func(name string) *x509.Certificate { return &x509.Certificate{Subject: pkix.Name{CommonName: name}} }
	for _, c := range []struct {
		mode string
		cert *x509.Certificate
		want error
	}{
		{"optional", nil, nil}, {"optional", named("bob"), nil},
		{"verify-ca", nil, ErrNoClientCert}, {"verify-ca", named("bob"), nil},
		{"verify-full", nil, ErrNoClientCert}, {"verify-full", named("bob"), ErrClientName}, {"verify-full", named("ann"), nil},
		{"cert", nil, ErrNoClientCert}, {"cert", named("bob"), ErrClientName}, {"cert", named("ANN"), ErrClientName},
		{"cert", named(""), ErrClientName}, {"cert", named("ann"), nil},
	} {
		mode, err := ParseClientCert(c.mode)
		if err != nil {
			t.Fatal(err)
		}
		if got := mode.Check(c.cert, "ann"); !errors.Is(got, c.want) {
			t.Errorf("%s: %v, want %v", c.mode, got, c.want)
		}
	}
	if err := ClientCertLogin.Check(named(""), ""); !errors.Is(err, ErrClientName) {
		t.Errorf("a certificate without a name is good for a user without: %v", err)
	}
	if _, err := ParseClientCert("require"); err == nil {
		t.Error("an unknown requirement is accepted")
	}
}

func TestAuthoritiesReload(t *testing.T) {
	dir := t.TempDir()
	one, _ := writePair(t, dir, "one")
	if err := os.Rename(one, filepath.Join(dir, "ca.pem")); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "ca.pem")
	var reported []error
	a, err := LoadAuthorities(file, func(err error) { reported = append(reported, err) })
	if err != nil {
		t.Fatal(err)
	}
	old := a.Current()
	replace := func(from string, at time.Duration) {
		text, err := os.ReadFile(from)
		if err == nil {
			err = errors.Join(os.WriteFile(file, text, 0o600), os.Chtimes(file, time.Time{}, time.Now().Add(at)))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	two, key := writePair(t, dir, "two")
	replace(two, time.Second)
	renewed := a.Current()
	if renewed.Equal(old) || len(reported) > 0 {
		t.Fatal("not loaded again", reported)
	}
	replace(key, 2*time.Second)
	for range 3 {
		if !a.Current().Equal(renewed) {
			t.Fatal("the good authorities are gone")
		}
	}
	if len(reported) != 1 {
		t.Fatalf("reported %d times", len(reported))
	}
	c := &tls.Config{}
	a.Ask(c)
	if !c.ClientCAs.Equal(renewed) || c.ClientAuth != tls.VerifyClientCertIfGiven {
		t.Error("clients are not asked")
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if a.Current() == nil || len(reported) != 2 {
		t.Error("a missing file ends the service, or nobody hears of it")
	}
	if _, err := LoadAuthorities(file, nil); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if _, err := LoadAuthorities(key, nil); err == nil {
		t.Error("a key passes for an authority")
	}
}
