package security

import (
	"bytes"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"io"
	"strings"
)

// The SASL mechanisms, by their registered names.
const (
	MechanismSCRAM     = "SCRAM-SHA-256"
	MechanismSCRAMPlus = "SCRAM-SHA-256-PLUS" // bound to the TLS channel
)

// The endings of a login that did not succeed.
var (
	// ErrMalformed says that the client does not speak SCRAM correctly.
	ErrMalformed = errors.New("malformed SCRAM message")
	// ErrChannelBinding says that the TLS channel is not the one that the client
	// sees, or that somebody took channel binding out of the server's offer.
	ErrChannelBinding = errors.New("SCRAM channel binding check failed")
	// ErrRejected says that the password is wrong, or that there is no such login.
	ErrRejected = errors.New("password authentication failed")
)

// maxNonce bounds the client's nonce: libpq sends 24 characters, RFC 5802 sets no limit.
const maxNonce = 256

const nonceBytes = 18 // as PostgreSQL: 24 characters of base64

// Authenticator makes SCRAM exchanges. Its secret gives users who do not exist
// a salt that stays the same from one try to the next.
type Authenticator struct {
	random io.Reader
	secret []byte
}

// NewAuthenticator draws a secret from random, which also gives the nonces.
func NewAuthenticator(random io.Reader) (*Authenticator, error) {
	a := &Authenticator{random: random, secret: make([]byte, 32)}
	_, err := io.ReadFull(random, a.secret)
	return a, err
}

// Exchange is the server's side of one SCRAM login: First, then Final.
type Exchange struct {
	verifier Verifier
	doomed   bool // no password can succeed
	endpoint []byte
	plus     bool

	header      string // GS2 header of the client
	nonce       string
	clientFirst string // without the header
	serverFirst string
}

// Start begins a login. A nil verifier, for users who do not exist, have no
// password or may not use it any more, leads through the same messages to
// ErrRejected. Endpoint is the certificate's hash (EndpointHash) when the
// channel is TLS and can be bound, else nil; plus tells that the client chose
// MechanismSCRAMPlus.
func (a *Authenticator) Start(user string, v *Verifier, endpoint []byte, plus bool) (*Exchange, error) {
	x := &Exchange{endpoint: endpoint, plus: plus}
	if v == nil {
		x.doomed = true
		v = a.mock(user)
	}
	x.verifier = *v
	raw := make([]byte, nonceBytes)
	if _, err := io.ReadFull(a.random, raw); err != nil {
		return nil, err
	}
	x.nonce = base64.StdEncoding.EncodeToString(raw)
	return x, nil
}

// mock returns a verifier that belongs to no password, always the same for a user.
func (a *Authenticator) mock(user string) *Verifier {
	sum := sign(a.secret, []byte("salt of "+user))
	return &Verifier{Iterations: DefaultIterations, Salt: sum[:saltBytes],
		StoredKey: sign(a.secret, []byte("key of "+user)), ServerKey: sign(a.secret, []byte("server key"))}
}

// First takes the client-first-message and returns the server-first-message.
func (x *Exchange) First(msg []byte) ([]byte, error) {
	flag, rest, ok := strings.Cut(string(msg), ",")
	if !ok {
		return nil, ErrMalformed
	}
	if err := x.checkBinding(flag); err != nil {
		return nil, err
	}
	authzid, bare, ok := strings.Cut(rest, ",")
	if !ok || authzid != "" && !strings.HasPrefix(authzid, "a=") {
		return nil, ErrMalformed
	}
	x.header = flag + "," + authzid + ","
	x.clientFirst = bare
	// The user name was given by the start-up packet; the one here is ignored, as in PostgreSQL.
	name, rest, ok := strings.Cut(bare, ",")
	if !ok || !strings.HasPrefix(name, "n=") {
		return nil, ErrMalformed
	}
	nonce, _, _ := strings.Cut(rest, ",")
	nonce, ok = strings.CutPrefix(nonce, "r=")
	if !ok || nonce == "" || len(nonce) > maxNonce || !printable(nonce) {
		return nil, ErrMalformed
	}
	x.nonce = nonce + x.nonce
	x.serverFirst = "r=" + x.nonce + ",s=" + base64.StdEncoding.EncodeToString(x.verifier.Salt) + ",i=" + itoa(x.verifier.Iterations)
	return []byte(x.serverFirst), nil
}

// checkBinding compares the client's channel binding flag with the mechanism and the channel.
func (x *Exchange) checkBinding(flag string) error {
	switch {
	case flag == "n":
		if x.plus {
			return ErrMalformed
		}
	case flag == "y":
		// The client can bind but believes that the server cannot: somebody has
		// been at the offer.
		if x.plus || x.endpoint != nil {
			return ErrChannelBinding
		}
	case strings.HasPrefix(flag, "p="):
		if !x.plus || x.endpoint == nil {
			return ErrMalformed
		}
		if flag != "p=tls-server-end-point" {
			return ErrChannelBinding
		}
	default:
		return ErrMalformed
	}
	return nil
}

// Final takes the client-final-message and returns the server-final-message,
// which proves to the client that the server knows the verifier.
func (x *Exchange) Final(msg []byte) ([]byte, error) {
	text := string(msg)
	at := strings.LastIndex(text, ",p=")
	if at < 0 {
		return nil, ErrMalformed
	}
	without := text[:at]
	proof, err := base64.StdEncoding.DecodeString(text[at+3:])
	if err != nil || len(proof) != sha256.Size {
		return nil, ErrMalformed
	}
	binding, rest, ok := strings.Cut(without, ",")
	binding, isBinding := strings.CutPrefix(binding, "c=")
	if !ok || !isBinding {
		return nil, ErrMalformed
	}
	want := []byte(x.header)
	if x.plus {
		want = append(want, x.endpoint...)
	}
	if have, err := base64.StdEncoding.DecodeString(binding); err != nil || !bytes.Equal(have, want) {
		return nil, ErrChannelBinding
	}
	nonce, _, _ := strings.Cut(rest, ",")
	if nonce, ok = strings.CutPrefix(nonce, "r="); !ok || subtle.ConstantTimeCompare([]byte(nonce), []byte(x.nonce)) != 1 {
		return nil, ErrMalformed
	}
	message := []byte(x.clientFirst + "," + x.serverFirst + "," + without)
	key := sign(x.verifier.StoredKey, message)
	subtle.XORBytes(key, key, proof)
	stored := sha256.Sum256(key)
	if subtle.ConstantTimeCompare(stored[:], x.verifier.StoredKey) != 1 || x.doomed {
		return nil, ErrRejected
	}
	signature := sign(x.verifier.ServerKey, message)
	return []byte("v=" + base64.StdEncoding.EncodeToString(signature)), nil
}

func sign(key, message []byte) []byte {
	m := hmac.New(sha256.New, key)
	m.Write(message)
	return m.Sum(nil)
}

// printable reports whether s may be a nonce: RFC 5802's printable characters without comma.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] < 0x21 || s[i] > 0x7e || s[i] == ',' {
			return false
		}
	}
	return true
}

func saltedPassword(password string, salt []byte, iterations int) ([]byte, error) {
	return pbkdf2.Key(sha256.New, password, salt, iterations, sha256.Size)
}
