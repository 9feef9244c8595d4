package security

import (
	"crypto/subtle"
	"encoding/base64"
	"io"
)

// passwordBytes gives generated passwords 144 bits, 24 characters to copy.
const passwordBytes = 18

// NewPassword draws a password that needs no quoting in shells, URLs and pgpass files.
func NewPassword(random io.Reader) (string, error) {
	raw := make([]byte, passwordBytes)
	if _, err := io.ReadFull(random, raw); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(raw), nil
}

// The lengths of the key by which a client may cancel its statements.
const (
	CancelKeyBytes     = 4  // protocol 3.0
	LongCancelKeyBytes = 32 // protocol 3.2
)

// NewCancelKey draws a key of n bytes.
func NewCancelKey(random io.Reader, n int) ([]byte, error) {
	key := make([]byte, n)
	_, err := io.ReadFull(random, key)
	return key, err
}

// SecretEqual compares secrets in a time that does not depend on where they differ.
func SecretEqual(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }
