package security

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
)

// The example of RFC 7677.
func TestExchangeRFC7677(t *testing.T) {
	salt, _ := base64.StdEncoding.DecodeString("W22ZaJ0SNY7soEsUEjb6gQ==")
	v, err := deriveVerifier("pencil", salt, 4096)
	if err != nil {
		t.Fatal(err)
	}
	x := &Exchange{verifier: v, nonce: "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"}
	first, err := x.First([]byte("n,,n=user,r=rOprNGfwEbeRWgbNEkqO"))
	if err != nil || string(first) != "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096" {
		t.Fatalf("%s %v", first, err)
	}
	final, err := x.Final([]byte("c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="))
	if err != nil || string(final) != "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=" {
		t.Fatalf("%s %v", final, err)
	}
}

// client is the other side of an exchange.
type client struct {
	password, flag string
	endpoint       []byte
}

func (c client) login(x *Exchange) error {
	bare := "n=,r=abc"
	first, err := x.First([]byte(c.flag + ",," + bare))
	if err != nil {
		return err
	}
	final, proof := c.final(string(first), bare)
	got, err := x.Final([]byte(final + ",p=" + base64.StdEncoding.EncodeToString(proof)))
	if err == nil && !bytes.HasPrefix(got, []byte("v=")) {
		return errors.New("no server signature")
	}
	return err
}

func (c client) final(first, bare string) (without string, proof []byte) {
	parts := strings.Split(first, ",")
	salt, _ := base64.StdEncoding.DecodeString(parts[1][2:])
	salted, _ := saltedPassword(Prepare(c.password), salt, DefaultIterations)
	key := sign(salted, []byte("Client Key"))
	stored := sha256.Sum256(key)
	without = "c=" + base64.StdEncoding.EncodeToString(append([]byte(c.flag+",,"), c.endpoint...)) + "," + parts[0]
	proof = sign(stored[:], []byte(bare+","+first+","+without))
	subtle.XORBytes(proof, proof, key)
	return without, proof
}

func TestLogin(t *testing.T) {
	a, err := NewAuthenticator(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	v, err := NewVerifier("secret", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := []byte("hash of the certificate")
	bound := "p=tls-server-end-point"
	for _, c := range []struct {
		name     string
		verifier *Verifier
		endpoint []byte
		plus     bool
		client   client
		want     error
	}{
		{"right", &v, nil, false, client{"secret", "n", nil}, nil},
		{"right over TLS", &v, cert, false, client{"secret", "n", nil}, nil},
		{"client could bind, server cannot", &v, nil, false, client{"secret", "y", nil}, nil},
		{"bound", &v, cert, true, client{"secret", bound, cert}, nil},
		{"wrong", &v, nil, false, client{"Secret", "n", nil}, ErrRejected},
		{"unknown user", nil, nil, false, client{"secret", "n", nil}, ErrRejected},
		{"offer tampered with", &v, cert, false, client{"secret", "y", nil}, ErrChannelBinding},
		{"other certificate", &v, cert, true, client{"secret", bound, []byte("another")}, ErrChannelBinding},
		{"other binding", &v, cert, true, client{"secret", "p=tls-unique", cert}, ErrMalformed},
		{"binding with the plain mechanism", &v, cert, false, client{"secret", bound, cert}, ErrMalformed},
		{"no binding with PLUS", &v, cert, true, client{"secret", "n", nil}, ErrMalformed},
		{"unknown flag", &v, nil, false, client{"secret", "x", nil}, ErrMalformed},
	} {
		x, err := a.Start("ann", c.verifier, c.endpoint, c.plus)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.client.login(x); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// A user who does not exist has the same salt at every try, like one who does.
func TestUnknownUserKeepsSalt(t *testing.T) {
	a, _ := NewAuthenticator(rand.Reader)
	salt := func(user string) string {
		x, _ := a.Start(user, nil, nil, false)
		first, err := x.First([]byte("n,,n=,r=abc"))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(string(first), ",")[1]
	}
	first, again := salt("ann"), salt("ann")
	if first != again || first == salt("bob") {
		t.Fatal("salts tell who exists")
	}
}

func TestMalformedExchange(t *testing.T) {
	a, _ := NewAuthenticator(rand.Reader)
	v, _ := NewVerifier("secret", rand.Reader)
	start := func() *Exchange { x, _ := a.Start("ann", &v, nil, false); return x }
	for _, first := range []string{"", "n", "n,", ",", "\x01,", "n,x", "n,x,n=,r=abc", "n,,", "n,,n=", "n,,x=,r=abc", "n,,n=,x=abc", "n,,n=,r=",
		"n,,n=,r=a b", "n,,n=,r=" + strings.Repeat("a", maxNonce+1)} {
		if _, err := start().First([]byte(first)); !errors.Is(err, ErrMalformed) {
			t.Errorf("first %q: %v", first, err)
		}
	}
	if _, err := start().First([]byte("n,a=ann,n=,r=abc")); !errors.Is(err, ErrAuthorizationIdentity) {
		t.Errorf("acting for another: %v", err)
	}
	if _, err := start().First([]byte("n,,n=,r=" + strings.Repeat("a", maxNonce))); err != nil {
		t.Errorf("longest nonce: %v", err)
	}
	x := start()
	first, _ := x.First([]byte("n,,n=,r=abc"))
	without, proof := client{"secret", "n", nil}.final(string(first), "n=,r=abc")
	p := ",p=" + base64.StdEncoding.EncodeToString(proof)
	for _, final := range []string{"", without, without + ",p=", without + ",p=AAAA", without + ",p=%", "biws" + p, "c=biws" + p, "c=biws,r=abc" + p, "c=biws,x=abc" + p} {
		if _, err := x.Final([]byte(final)); !errors.Is(err, ErrMalformed) {
			t.Errorf("final %q: %v", final, err)
		}
	}
	if _, err := x.Final([]byte(without + p)); err != nil {
		t.Errorf("the right one: %v", err)
	}
}

func TestRandomFails(t *testing.T) {
	empty := func() *bytes.Reader { return bytes.NewReader(nil) }
	if _, err := NewAuthenticator(empty()); err == nil {
		t.Error("authenticator without secret")
	}
	a, _ := NewAuthenticator(bytes.NewReader(make([]byte, 32)))
	if _, err := a.Start("ann", nil, nil, false); err == nil {
		t.Error("exchange without nonce")
	}
	if _, err := NewVerifier("x", empty()); err == nil {
		t.Error("verifier without salt")
	}
	if _, err := NewPassword(empty()); err == nil {
		t.Error("password from nothing")
	}
	if _, err := NewCancelKey(empty(), CancelKeyBytes); err == nil {
		t.Error("cancel key from nothing")
	}
}

// The words of PostgreSQL for what can go wrong with channel binding.
func TestBindingMessages(t *testing.T) {
	a, _ := NewAuthenticator(rand.Reader)
	v, _ := NewVerifier("secret", rand.Reader)
	cert := []byte("hash of the certificate")
	for _, c := range []struct {
		endpoint        []byte
		plus            bool
		client          client
		message, detail string
	}{
		{cert, false, client{"secret", "y", nil}, "SCRAM channel binding negotiation error",
			"The client supports SCRAM channel binding but thinks the server does not.  However, this server does support channel binding."},
		{cert, true, client{"secret", "p=tls-unique", cert}, "unsupported SCRAM channel-binding type \"tls-unique\"", ""},
		{cert, true, client{"secret", "y", nil}, "malformed SCRAM message",
			"The client selected SCRAM-SHA-256-PLUS, but the SCRAM message does not include channel binding data."},
		{cert, false, client{"secret", "p=tls-server-end-point", cert}, "malformed SCRAM message",
			"The client selected SCRAM-SHA-256 without channel binding, but the SCRAM message includes channel binding data."},
		{cert, true, client{"secret", "p=tls-server-end-point", cert[:4]}, "SCRAM channel binding check failed", ""},
		{nil, false, client{"secret", "n", cert}, "unexpected SCRAM channel-binding attribute in client-final-message", ""},
		{nil, false, client{"secret", "zebra", nil}, "malformed SCRAM message", "Unexpected channel-binding flag \"z\"."},
	} {
		x, err := a.Start("ann", &v, c.endpoint, c.plus)
		if err != nil {
			t.Fatal(err)
		}
		err = c.client.login(x)
		detail := ""
		var e *ExchangeError
		if errors.As(err, &e) {
			detail = e.Detail
		}
		if err == nil || err.Error() != c.message || detail != c.detail {
			t.Errorf("%s: %v %q", c.client.flag, err, detail)
		}
	}
}
