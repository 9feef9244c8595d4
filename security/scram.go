package security

import (
	"bytes"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
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

// ExchangeError is a message that PostgreSQL refuses with words of its own. It
// unwraps to ErrMalformed or ErrChannelBinding.
type ExchangeError struct {
	Kind            error
	Message, Detail string
}

// Error implements error.
func (e *ExchangeError) Error() string { return e.Message }

// Unwrap returns the kind.
func (e *ExchangeError) Unwrap() error { return e.Kind }

func malformed(detail string) error {
	return &ExchangeError{Kind: ErrMalformed, Message: ErrMalformed.Error(), Detail: detail}
}

// ErrAuthorizationIdentity says that the client asks to act for somebody else,
// which only a role can do, by SET ROLE.
var ErrAuthorizationIdentity = errors.New("client uses authorization identity, but it is not supported")

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
	if len(msg) == 0 {
		return nil, malformed("The message is empty.")
	}
	flag, rest, ok := strings.Cut(string(msg), ",")
	if !ok {
		return nil, ErrMalformed
	}
	if err := x.checkBinding(flag); err != nil {
		return nil, err
	}
	if strings.HasPrefix(rest, "a=") {
		return nil, ErrAuthorizationIdentity
	}
	authzid, bare, ok := strings.Cut(rest, ",")
	if !ok || authzid != "" {
		return nil, ErrMalformed
	}
	x.header = flag + ",,"
	x.clientFirst = bare
	// The user name was given by the start-up packet; the one here is ignored, as in PostgreSQL.
	name, rest, ok := strings.Cut(bare, ",")
	if !ok || !strings.HasPrefix(name, "n=") {
		return nil, ErrMalformed
	}
	nonce, _, _ := strings.Cut(rest, ",")
	nonce, ok = strings.CutPrefix(nonce, "r=")
	if !ok || nonce == "" || len(nonce) > maxNonce {
		return nil, ErrMalformed
	}
	if !printable(nonce) {
		return nil, &ExchangeError{Kind: ErrMalformed, Message: "non-printable characters in SCRAM nonce"}
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
			return malformed("The client selected SCRAM-SHA-256-PLUS, but the SCRAM message does not include channel binding data.")
		}
	case flag == "y":
		if x.plus {
			return malformed("The client selected SCRAM-SHA-256-PLUS, but the SCRAM message does not include channel binding data.")
		}
		// The client can bind but believes that the server cannot: somebody has
		// been at the offer.
		if x.endpoint != nil {
			return &ExchangeError{Kind: ErrChannelBinding, Message: "SCRAM channel binding negotiation error",
				Detail: "The client supports SCRAM channel binding but thinks the server does not.  However, this server does support channel binding."}
		}
	case strings.HasPrefix(flag, "p="):
		if !x.plus || x.endpoint == nil {
			return malformed("The client selected SCRAM-SHA-256 without channel binding, but the SCRAM message includes channel binding data.")
		}
		if flag != "p=tls-server-end-point" {
			return &ExchangeError{Kind: ErrMalformed, Message: "unsupported SCRAM channel-binding type \"" + flag[2:] + "\""}
		}
	default:
		return malformed("Unexpected channel-binding flag \"" + sanitized(flag) + "\".")
	}
	return nil
}

// sanitized shows the first byte of what a client sent, if it can be shown.
func sanitized(s string) string {
	switch {
	case s == "":
		return ","
	case s[0] >= 0x21 && s[0] <= 0x7e:
		return s[:1]
	}
	return "0x" + hex.EncodeToString([]byte(s[:1]))
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
		return nil, malformed("Malformed proof in client-final-message.")
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
		if !x.plus {
			return nil, &ExchangeError{Kind: ErrMalformed, Message: "unexpected SCRAM channel-binding attribute in client-final-message"}
		}
		return nil, ErrChannelBinding
	}
	nonce, _, _ := strings.Cut(rest, ",")
	if nonce, ok = strings.CutPrefix(nonce, "r="); !ok || subtle.ConstantTimeCompare([]byte(nonce), []byte(x.nonce)) != 1 {
		return nil, &ExchangeError{Kind: ErrMalformed, Message: "invalid SCRAM response", Detail: "Nonce does not match."}
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
