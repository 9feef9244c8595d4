package functions

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"math/bits"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/charset"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
	"golang.org/x/text/unicode/norm"
)

// encodeEvals are digests, binary-to-text encodings, character sets and single bits and bytes.
var encodeEvals = map[string]EvalFunc{
	"md5_text":     hexed(md5.New),
	"md5_bytea":    hexed(md5.New),
	"sha224_bytea": digest(sha256.New224),
	"sha256_bytea": digest(sha256.New),
	"sha384_bytea": digest(sha512.New384),
	"sha512_bytea": digest(sha512.New),
	"binary_encode": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		switch strings.ToLower(a[1].String()) {
		case "hex":
			return textResult(hex.EncodeToString(a[0].B))
		case "base64":
			return textResult(encodeBase64(a[0].B))
		case "escape":
			return bytesResult(encodeEscape(a[0].B))
		}
		return column.Datum{}, unknownEncoding(a[1].String())
	},
	"binary_decode": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		var b []byte
		var err error
		switch strings.ToLower(a[1].String()) {
		case "hex":
			b, err = types.DecodeHex(a[0].String())
		case "base64":
			b, err = decodeBase64(a[0].B)
		case "escape":
			b, err = decodeEscape(a[0].B)
		default:
			err = unknownEncoding(a[1].String())
		}
		return column.Datum{B: b}, err
	},
	"byteaGetByte": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		if err := checkIndex(a[1].I, int64(len(a[0].B))); err != nil {
			return column.Datum{}, err
		}
		return intResult(int64(a[0].B[a[1].I]))
	},
	"byteaSetByte": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		if err := checkIndex(a[1].I, int64(len(a[0].B))); err != nil {
			return column.Datum{}, err
		}
		b := bytes.Clone(a[0].B)
		b[a[1].I] = byte(a[2].I)
		return bytesResult(b)
	},
	"byteaGetBit": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		if err := checkIndex(a[1].I, 8*int64(len(a[0].B))); err != nil {
			return column.Datum{}, err
		}
		return intResult(int64(a[0].B[a[1].I/8] >> (a[1].I % 8) & 1))
	},
	"byteaSetBit": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		if err := checkIndex(a[1].I, 8*int64(len(a[0].B))); err != nil {
			return column.Datum{}, err
		}
		if a[2].I != 0 && a[2].I != 1 {
			return column.Datum{}, pgerr.New(pgerr.InvalidParameterValue, "new bit must be 0 or 1")
		}
		b := bytes.Clone(a[0].B)
		b[a[1].I/8] = b[a[1].I/8]&^(1<<(a[1].I%8)) | byte(a[2].I<<(a[1].I%8))
		return bytesResult(b)
	},
	"bytea_bit_count": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		n := 0
		for _, b := range a[0].B {
			n += bits.OnesCount8(b)
		}
		return intResult(int64(n))
	},
	"pg_convert_from": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		b, err := recode(a[0].B, a[1].String(), "UTF8")
		if err == nil && charset.Find(a[1].String()) == charset.SQLASCII {
			err = types.CheckEncoding(b)
		}
		return column.Datum{B: b}, err
	},
	"pg_convert_to": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		b, err := recode(a[0].B, "UTF8", a[1].String())
		return column.Datum{B: b}, err
	},
	"pg_convert": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		b, err := recode(a[0].B, a[1].String(), a[2].String())
		return column.Datum{B: b}, err
	},
	"length_in_encoding": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		e, err := encodingNamed(a[1].String(), "")
		if err != nil {
			return column.Datum{}, err
		}
		if e.Identity() {
			if e == charset.SQLASCII {
				return column.Datum{I: int64(len(a[0].B))}, nil
			}
			return column.Datum{I: int64(utf8.RuneCount(a[0].B))}, types.CheckEncoding(a[0].B)
		}
		n, err := e.Count(a[0].B)
		return column.Datum{I: int64(n)}, err
	},
	"unicode_normalize_func": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		f, err := normalForm(a[1].String())
		if err != nil {
			return column.Datum{}, err
		}
		return bytesResult(f.Bytes(a[0].B))
	},
	"unicode_is_normalized": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		f, err := normalForm(a[1].String())
		return column.BoolDatum(err == nil && f.IsNormal(a[0].B)), err
	},
}

func digest(make func() hash.Hash) EvalFunc {
	return func(c *Ctx, a []column.Datum) (column.Datum, error) {
		h := make()
		for s := a[0].B; len(s) > 0; {
			n := min(len(s), 16*piece)
			h.Write(s[:n])
			s = s[n:]
			if err := c.Canceled(); err != nil {
				return column.Datum{}, err
			}
		}
		return bytesResult(h.Sum(nil))
	}
}

// hexed is digest with its result in hexadecimal digits.
func hexed(make func() hash.Hash) EvalFunc {
	sum := digest(make)
	return func(c *Ctx, a []column.Datum) (column.Datum, error) {
		d, err := sum(c, a)
		return column.Datum{B: hex.AppendEncode(nil, d.B)}, err
	}
}

func unknownEncoding(name string) error {
	return pgerr.New(pgerr.InvalidParameterValue, "unrecognized encoding: \"%s\"", name)
}

func checkIndex(i, n int64) error {
	if i < 0 || i >= n {
		return pgerr.New(pgerr.ArraySubscriptError, "index %d out of valid range, 0..%d", i, n-1)
	}
	return nil
}

// encodeBase64 breaks lines after 76 characters, as MIME does.
func encodeBase64(b []byte) string {
	s := base64.StdEncoding.EncodeToString(b)
	var sb strings.Builder
	for len(s) > 76 {
		sb.WriteString(s[:76])
		sb.WriteByte('\n')
		s = s[76:]
	}
	sb.WriteString(s)
	return sb.String()
}

func decodeBase64(src []byte) ([]byte, error) {
	var out []byte
	var buf uint32
	pos, end := 0, 0
	for i := 0; i < len(src); i++ {
		c := src[i]
		if c == ' ' || c == '\t' || c == '\n' || c == '\r' {
			continue
		}
		v := uint32(0)
		if c == '=' {
			if end == 0 {
				switch pos {
				case 2:
					end = 1
				case 3:
					end = 2
				default:
					return nil, pgerr.New(pgerr.InvalidParameterValue, "unexpected \"=\" while decoding base64 sequence")
				}
			}
		} else {
			k := strings.IndexByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", c)
			if k < 0 {
				_, n := utf8.DecodeRune(src[i:])
				return nil, pgerr.New(pgerr.InvalidParameterValue, "invalid symbol \"%s\" found while decoding base64 sequence", src[i:i+n])
			}
			v = uint32(k)
		}
		buf = buf<<6 | v
		if pos++; pos == 4 {
			out = append(out, byte(buf>>16))
			if end == 0 || end > 1 {
				out = append(out, byte(buf>>8))
			}
			if end == 0 || end > 2 {
				out = append(out, byte(buf))
			}
			buf, pos = 0, 0
		}
	}
	if pos != 0 {
		return nil, pgerr.New(pgerr.InvalidParameterValue, "invalid base64 end sequence").
			WithHint("Input data is missing padding, is truncated, or is otherwise corrupted.")
	}
	return out, nil
}

func encodeEscape(b []byte) []byte {
	var out []byte
	for _, c := range b {
		switch {
		case c == 0 || c >= 0x80:
			out = append(out, '\\', '0'+c>>6, '0'+c>>3&7, '0'+c&7)
		case c == '\\':
			out = append(out, '\\', '\\')
		default:
			out = append(out, c)
		}
	}
	return out
}

func decodeEscape(b []byte) ([]byte, error) {
	var out []byte
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] != '\\':
			out = append(out, b[i])
		case i+3 < len(b) && b[i+1] >= '0' && b[i+1] <= '3' && octal(b[i+2]) && octal(b[i+3]):
			out = append(out, (b[i+1]-'0')<<6|(b[i+2]-'0')<<3|(b[i+3]-'0'))
			i += 3
		case i+1 < len(b) && b[i+1] == '\\':
			out = append(out, '\\')
			i++
		default:
			return nil, pgerr.New(pgerr.InvalidTextRepresentation, "invalid input syntax for type bytea")
		}
	}
	return out, nil
}

// encodingNamed finds an encoding that convert and its like name.
func encodingNamed(name, side string) (*charset.Encoding, error) {
	e := charset.Find(name)
	switch {
	case e == nil:
		return nil, pgerr.New(pgerr.InvalidParameterValue, "invalid %sencoding name \"%s\"", side, name)
	case !e.Supported():
		return nil, pgerr.Unsupported("conversion between %s and UTF8 is not supported", e.Name)
	}
	return e, nil
}

// recode turns text from one encoding into another. PostgreSQL has conversions between
// UTF8 and the others, and between few of these.
func recode(b []byte, from, to string) ([]byte, error) {
	src, err := encodingNamed(from, "source ")
	if err != nil {
		return nil, err
	}
	dst, err := encodingNamed(to, "destination ")
	if err != nil {
		return nil, err
	}
	switch {
	case src == charset.UTF8:
		err = types.CheckEncoding(b)
	case src != charset.SQLASCII:
		err = src.Verify(b)
	}
	if err != nil || src == dst || src == charset.SQLASCII || dst == charset.SQLASCII {
		return b, err
	}
	if src != charset.UTF8 && dst != charset.UTF8 && !hasConversion(src, dst) {
		return nil, pgerr.New(pgerr.UndefinedFunction, "default conversion function for encoding \"%s\" to \"%s\" does not exist", src.Name, dst.Name)
	}
	if b, err = src.Decode(b); err != nil {
		return nil, err
	}
	return dst.Encode(nil, b)
}

func hasConversion(src, dst *charset.Encoding) bool {
	t := Facts("pg_conversion")
	from, to := t.Column("conforencoding"), t.Column("contoencoding")
	for _, row := range t.Rows {
		if row[from] == strconv.Itoa(src.Number) && row[to] == strconv.Itoa(dst.Number) {
			return true
		}
	}
	return false
}

func normalForm(name string) (norm.Form, error) {
	switch strings.ToUpper(name) {
	case "NFC":
		return norm.NFC, nil
	case "NFD":
		return norm.NFD, nil
	case "NFKC":
		return norm.NFKC, nil
	case "NFKD":
		return norm.NFKD, nil
	}
	return 0, pgerr.New(pgerr.InvalidParameterValue, "invalid normalization form: %s", name)
}
