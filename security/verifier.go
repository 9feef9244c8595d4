package security

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/xdg-go/stringprep"
)

// DefaultIterations is PostgreSQL's scram_iterations: a login costs the client
// about 2 ms and the server, which holds the keys, next to nothing.
const DefaultIterations = 4096

const saltBytes = 16

// maxIterations bounds what a stored verifier may ask of clients; beyond it the
// text is damaged or hostile.
const maxIterations = 10_000_000

// ErrNotVerifier says that a text is not a SCRAM-SHA-256 verifier.
var ErrNotVerifier = errors.New("not a SCRAM-SHA-256 verifier")

// Verifier is what the server keeps of a password. Its text form is PostgreSQL's:
//
//	SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>
type Verifier struct {
	Iterations int
	Salt       []byte
	StoredKey  []byte
	ServerKey  []byte
}

// NewVerifier makes the verifier of a password with a salt drawn from random.
func NewVerifier(password string, random io.Reader) (Verifier, error) {
	salt := make([]byte, saltBytes)
	if _, err := io.ReadFull(random, salt); err != nil {
		return Verifier{}, err
	}
	return deriveVerifier(password, salt, DefaultIterations)
}

func deriveVerifier(password string, salt []byte, iterations int) (Verifier, error) {
	salted, err := saltedPassword(Prepare(password), salt, iterations)
	if err != nil {
		return Verifier{}, err
	}
	stored := sha256.Sum256(sign(salted, []byte("Client Key")))
	return Verifier{Iterations: iterations, Salt: salt, StoredKey: stored[:], ServerKey: sign(salted, []byte("Server Key"))}, nil
}

// ParseVerifier reads the text form.
func ParseVerifier(s string) (Verifier, error) {
	parts := strings.Split(s, "$")
	if len(parts) != 3 || parts[0] != MechanismSCRAM {
		return Verifier{}, ErrNotVerifier
	}
	count, salt, ok1 := strings.Cut(parts[1], ":")
	stored, server, ok2 := strings.Cut(parts[2], ":")
	v := Verifier{}
	var err [4]error
	v.Iterations, err[0] = strconv.Atoi(count)
	v.Salt, err[1] = base64.StdEncoding.DecodeString(salt)
	v.StoredKey, err[2] = base64.StdEncoding.DecodeString(stored)
	v.ServerKey, err[3] = base64.StdEncoding.DecodeString(server)
	if !ok1 || !ok2 || errors.Join(err[:]...) != nil || v.Iterations < 1 || v.Iterations > maxIterations ||
		len(v.Salt) == 0 || len(v.StoredKey) != sha256.Size || len(v.ServerKey) != sha256.Size {
		return Verifier{}, ErrNotVerifier
	}
	return v, nil
}

// IsVerifier reports whether s is a verifier rather than a password: CREATE ROLE
// … PASSWORD takes both.
func IsVerifier(s string) bool {
	_, err := ParseVerifier(s)
	return err == nil
}

// String returns the text form.
func (v Verifier) String() string {
	b64 := base64.StdEncoding.EncodeToString
	return MechanismSCRAM + "$" + itoa(v.Iterations) + ":" + b64(v.Salt) + "$" + b64(v.StoredKey) + ":" + b64(v.ServerKey)
}

// Matches reports whether the verifier was made from a password.
func (v Verifier) Matches(password string) bool {
	other, err := deriveVerifier(password, v.Salt, v.Iterations)
	return err == nil && subtle.ConstantTimeCompare(other.StoredKey, v.StoredKey) == 1
}

// Prepare normalizes a password by SASLprep (RFC 4013). As in PostgreSQL and
// libpq, a password that SASLprep refuses is used as it is.
func Prepare(password string) string {
	if p, err := stringprep.SASLprep.Prepare(password); err == nil && p != "" {
		return p
	}
	return password
}

func itoa(n int) string { return strconv.Itoa(n) }
