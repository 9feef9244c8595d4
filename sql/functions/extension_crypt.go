package functions

import (
	"crypto/md5"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"

	//lint:ignore SA1019 crypt(…, gen_salt('bf')) is made of it
	"golang.org/x/crypto/blowfish"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
)

// crypt hashes passwords as pgcrypto does: bcrypt ("bf") and FreeBSD's MD5 ("md5"). DES is
// refused, as nobody should use it any more.

// itoa64 is the alphabet of salts and of MD5 hashes; bcrypt has its own order.
const itoa64 = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

var bcryptBase64 = base64.NewEncoding("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789").WithPadding(base64.NoPadding)

const (
	bcryptMinCost, bcryptCost, bcryptMaxCost = 4, 6, 31
	bcryptSaltBytes                          = 16
	bcryptMaxKey                             = 72 // bytes of a password that count
	// bcryptCostLimit bounds what one call may compute: 2^16 rounds take about 5 s.
	bcryptCostLimit = 16
)

func genSalt(_ *Ctx, a []column.Datum) (column.Datum, error) {
	rounds, given := int64(0), len(a) > 1 && a[1].I != 0
	if given {
		rounds = a[1].I
	}
	wrong := pgerr.New(pgerr.InvalidParameterValue, "gen_salt: Incorrect number of rounds")
	switch strings.ToLower(a[0].String()) {
	case "bf":
		if !given {
			rounds = bcryptCost
		}
		if rounds < bcryptMinCost || rounds > bcryptMaxCost {
			return column.Datum{}, wrong
		}
		b := make([]byte, bcryptSaltBytes)
		rand.Read(b)
		return textResult(fmt.Sprintf("$2a$%02d$%s", rounds, bcryptBase64.EncodeToString(b)))
	case "md5":
		if given && rounds != 1000 {
			return column.Datum{}, wrong
		}
		b := make([]byte, 8)
		rand.Read(b)
		for i := range b {
			b[i] = itoa64[b[i]&63]
		}
		return textResult("$1$" + string(b))
	case "des", "xdes":
		return column.Datum{}, pgerr.Unsupported("password hashing by DES is not supported")
	}
	return column.Datum{}, pgerr.New(pgerr.InvalidParameterValue, "gen_salt: Unknown salt algorithm")
}

func crypt(c *Ctx, a []column.Datum) (column.Datum, error) {
	salt := a[1].String()
	switch {
	case strings.HasPrefix(salt, "$2a$") || strings.HasPrefix(salt, "$2x$"):
		return bcrypt(c, a[0].B, salt)
	case strings.HasPrefix(salt, "$1$"):
		return textResult(md5Crypt(a[0].B, salt))
	case strings.HasPrefix(salt, "_") || len(salt) >= 2 && salt[0] != '$':
		return column.Datum{}, pgerr.Unsupported("password hashing by DES is not supported")
	}
	return column.Datum{}, pgerr.New(pgerr.InvalidParameterValue, "invalid salt")
}

// bcrypt is the algorithm of Provos and Mazières (1999).
func bcrypt(c *Ctx, password []byte, salt string) (column.Datum, error) {
	invalid := pgerr.New(pgerr.InvalidParameterValue, "invalid salt")
	if len(salt) < 29 || salt[6] != '$' || salt[2] != 'a' {
		return column.Datum{}, invalid
	}
	var cost int
	if _, err := fmt.Sscanf(salt[4:6], "%02d", &cost); err != nil || cost < bcryptMinCost || cost > bcryptMaxCost {
		return column.Datum{}, invalid
	}
	if cost > bcryptCostLimit {
		return column.Datum{}, pgerr.New(pgerr.ProgramLimitExceeded, "password hashing of more than 2^%d rounds is not supported", bcryptCostLimit)
	}
	raw, err := bcryptBase64.DecodeString(salt[7:29])
	if err != nil {
		return column.Datum{}, invalid
	}
	key := append(append([]byte(nil), password...), 0)
	key = key[:min(len(key), bcryptMaxKey)]
	cipher, err := blowfish.NewSaltedCipher(key, raw)
	if err != nil {
		return column.Datum{}, invalid
	}
	for i := range 1 << cost {
		if i%256 == 0 && c != nil && c.Context != nil && c.Context.Err() != nil {
			return column.Datum{}, c.Context.Err()
		}
		blowfish.ExpandKey(key, cipher)
		blowfish.ExpandKey(raw, cipher)
	}
	text := []byte("OrpheanBeholderScryDoubt")
	for at := 0; at < len(text); at += 8 {
		for range 64 {
			cipher.Encrypt(text[at:at+8], text[at:at+8])
		}
	}
	return textResult(salt[:29] + bcryptBase64.EncodeToString(text[:23]))
}

// md5Crypt is the password hash of FreeBSD (Poul-Henning Kamp, 1994).
func md5Crypt(password []byte, setting string) string {
	salt, _, _ := strings.Cut(setting[3:], "$")
	salt = salt[:min(len(salt), 8)]
	inner := md5.New()
	inner.Write(password)
	inner.Write([]byte(salt))
	inner.Write(password)
	mix := inner.Sum(nil)
	h := md5.New()
	h.Write(password)
	h.Write([]byte("$1$" + salt))
	for n := len(password); n > 0; n -= 16 {
		h.Write(mix[:min(n, 16)])
	}
	for n := len(password); n > 0; n >>= 1 {
		if n&1 != 0 {
			h.Write([]byte{0})
		} else {
			h.Write(password[:1])
		}
	}
	sum := h.Sum(nil)
	for i := range 1000 {
		h := md5.New()
		if i&1 != 0 {
			h.Write(password)
		} else {
			h.Write(sum)
		}
		if i%3 != 0 {
			h.Write([]byte(salt))
		}
		if i%7 != 0 {
			h.Write(password)
		}
		if i&1 != 0 {
			h.Write(sum)
		} else {
			h.Write(password)
		}
		sum = h.Sum(nil)
	}
	out := []byte("$1$" + salt + "$")
	for _, t := range [][3]int{{0, 6, 12}, {1, 7, 13}, {2, 8, 14}, {3, 9, 15}, {4, 10, 5}} {
		out = to64(out, binary.BigEndian.Uint32([]byte{0, sum[t[0]], sum[t[1]], sum[t[2]]}), 4)
	}
	return string(to64(out, uint32(sum[11]), 2))
}

func to64(dst []byte, v uint32, n int) []byte {
	for range n {
		dst = append(dst, itoa64[v&63])
		v >>= 6
	}
	return dst
}
